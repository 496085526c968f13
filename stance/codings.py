"""Codings: what several people have said of the same pair of a paragraph and an actor."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from stance.arrays import Ints
from stance.display import count
from stance.records import ADJUDICATED, NEUTRAL, Stance

UNCODED = -1


@dataclass(frozen=True, slots=True)
class Codings:
    """The stances that coders gave to the rows of a corpus."""

    coders: tuple[str, ...]
    codes: Ints  # of shape (n_coders, n_rows); `UNCODED` where a coder gave none

    def take(self, rows: Ints) -> "Codings":
        """Return the codings of some rows."""
        return replace(self, codes=self.codes[:, rows])


@dataclass(frozen=True, slots=True)
class Settled:
    """Rows in long form, one per coder, as one row per pair."""

    kept: list[int]  # the row of each pair that says what the pair's label is, in order
    first: list[int]  # the first row of each pair
    stance: list[int]  # of each pair: the adjudicated label, else that of most, else neutral
    soft: list[list[float] | None]  # shares of labels where coders differ
    codings: Codings | None  # None if no pair has two coders
    note: str = ""


def settle(
    pairs: Sequence[Hashable],
    coders: Sequence[str],
    stance: Sequence[int],
    soft: Sequence[list[float] | None],
) -> Settled:
    """Join the rows of different coders on equal pairs; a coder's second row stays one of its own.

    Parameters
    ----------
    pairs : sequence
        What each row is about.
    coders : sequence of str
        Who coded each row; a row without a name is a pair of its own.
    stance, soft
        The number of each row's stance, and soft labels of its own where it has some.
    """
    units: defaultdict[Hashable, dict[str, int]] = defaultdict(dict)
    times: Counter[tuple[Hashable, str]] = Counter()
    for row, (pair, coder) in enumerate(zip(pairs, coders, strict=True)):
        again = times[pair, coder]
        times[pair, coder] += 1
        units[pair, again if coder else row, bool(coder)][coder] = row
    if all(len(unit) == 1 for unit in units.values()):
        rows = list(range(len(pairs)))
        return Settled(rows, rows, list(stance), list(soft), None)
    names = sorted({coder for unit in units.values() for coder in unit} - {"", ADJUDICATED})
    codes = np.full((len(names), len(units)), UNCODED, np.int64)
    settled = Settled([], [], [], [], Codings(tuple(names), codes))
    ties = decided = 0
    ordered = sorted(units.values(), key=lambda unit: min(unit.values()))
    for at, unit in enumerate(ordered):
        for coder in unit.keys() - {"", ADJUDICATED}:
            codes[names.index(coder), at] = stance[unit[coder]]
        chosen = unit.get(ADJUDICATED)
        decided += chosen is not None and len(unit) > 1
        ties += _add(settled, sorted(unit.values()), stance, soft, chosen)
    said = f"{count(len(pairs), 'row')} are codings of {count(len(units), 'pair')} by {len(names)} "
    said += "coders (column coder); train learns from the shares of their labels"
    said += f"; {count(decided, 'pair')} settled by '{ADJUDICATED}'" if decided else ""
    said += f"; {count(ties, 'tie')} between labels counted as neutral" if ties else ""
    return replace(settled, note=said)


def _add(
    settled: Settled,
    rows: Sequence[int],
    stance: Sequence[int],
    soft: Sequence[list[float] | None],
    chosen: int | None,
) -> bool:
    """Add a pair; return whether its label is a tie."""
    tie = False
    if chosen is not None:
        settled.soft.append(soft[chosen])
    else:
        hard = np.eye(len(Stance))
        shares = np.mean([soft[row] or hard[stance[row]] for row in rows], axis=0)
        best = np.flatnonzero(shares > shares.max() - 1e-9).tolist()
        tie = len(best) > 1
        label = NEUTRAL if tie else best[0]
        chosen = next((row for row in rows if stance[row] == label), rows[0])
        differ = len({stance[row] for row in rows}) > 1 or any(soft[row] for row in rows)
        settled.soft.append(shares.tolist() if differ else None)
    settled.kept.append(chosen)
    settled.first.append(rows[0])
    settled.stance.append(NEUTRAL if tie else stance[chosen])
    return tie
