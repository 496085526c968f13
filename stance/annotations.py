"""What several coders said of the same pairs of a text and an actor, merged to one label each."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from stance.arrays import Ints
from stance.display import count
from stance.records import ADJUDICATED, NEUTRAL, Stance

UNCODED = -1

Soft = list[float] | None
"""Shares of the stances in one row, or None where one label stands alone."""


@dataclass(frozen=True, slots=True)
class Annotations:
    """The stances that coders gave to the rows of a corpus."""

    coders: tuple[str, ...]
    codes: Ints  # of shape (n_coders, n_rows); `UNCODED` where a coder gave none

    def take(self, rows: Ints) -> "Annotations":
        """Return the annotations of some rows."""
        return replace(self, codes=self.codes[:, rows])


@dataclass(frozen=True, slots=True)
class Merged:
    """Rows in long form, one per coder, as one row per pair."""

    kept: list[int] = field(default_factory=list)  # the row that has the label of each pair
    stance: list[int] = field(default_factory=list)
    soft: list[Soft] = field(default_factory=list)  # shares of labels where coders differ
    annotations: Annotations | None = None  # None if no pair has two coders
    note: str = ""


def merge_coders(
    pairs: Sequence[Hashable], coders: Sequence[str], stance: Sequence[int], soft: Sequence[Soft]
) -> Merged:
    """Return one row per pair: its adjudicated label, else that of most coders, else neutral.

    A coder's second row on a pair stays a row of its own.

    Parameters
    ----------
    pairs : sequence
        What each row is about.
    coders : sequence of str
        Who coded each row; a row without a name is a pair of its own.
    stance, soft
        The number of each row's stance, and soft labels of its own where it has some.

    Examples
    --------
    >>> merged = merge_coders("aab", ["anna", "ben", "anna"], [2, 0, 2], [None] * 3)
    >>> merged.kept, merged.stance, merged.soft
    ([0, 2], [1, 2], [[0.5, 0.0, 0.5], None])
    """
    units: defaultdict[Hashable, dict[str, int]] = defaultdict(dict)
    times: Counter[tuple[Hashable, str]] = Counter()
    for row, (pair, coder) in enumerate(zip(pairs, coders, strict=True)):
        again = times[pair, coder]
        times[pair, coder] += 1
        units[pair, again if coder else row, bool(coder)][coder] = row
    if len(units) == len(pairs):
        rows = list(range(len(pairs)))
        return Merged(rows, list(stance), list(soft))
    names = sorted(set(coders) - {"", ADJUDICATED})
    codes = np.full((len(names), len(units)), UNCODED, np.int64)
    merged = Merged(annotations=Annotations(tuple(names), codes))
    ties = decided = 0
    for at, unit in enumerate(sorted(units.values(), key=lambda unit: min(unit.values()))):
        for coder in unit.keys() - {"", ADJUDICATED}:
            codes[names.index(coder), at] = stance[unit[coder]]
        chosen = unit.get(ADJUDICATED)
        if chosen is None:
            ties += _add(merged, sorted(unit.values()), stance, soft)
        else:
            decided += len(unit) > 1
            merged.kept.append(chosen)
            merged.stance.append(stance[chosen])
            merged.soft.append(soft[chosen])
    said = f"{count(len(pairs), 'row')} are codings of {count(len(units), 'pair')} by {len(names)} "
    said += "coders (column coder); train learns from the shares of their labels"
    said += f"; {count(decided, 'pair')} settled by '{ADJUDICATED}'" if decided else ""
    said += f"; {count(ties, 'tie')} between labels counted as neutral" if ties else ""
    return replace(merged, note=said)


def _add(merged: Merged, rows: Sequence[int], stance: Sequence[int], soft: Sequence[Soft]) -> bool:
    """Add the rows of a pair as one; return whether its label is a tie."""
    one_hot = np.eye(len(Stance)).tolist()
    shares = np.mean([soft[row] or one_hot[stance[row]] for row in rows], axis=0)
    best = np.flatnonzero(shares > shares.max() - 1e-9).tolist()
    label = best[0] if len(best) == 1 else NEUTRAL
    differ = len({stance[row] for row in rows}) > 1 or any(soft[row] for row in rows)
    merged.kept.append(next((row for row in rows if stance[row] == label), rows[0]))
    merged.stance.append(label)
    merged.soft.append(shares.tolist() if differ else None)
    return len(best) > 1
