"""What several coders said of the same pairs of a text and an actor, merged to one label each."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from stance.arrays import Ints
from stance.corpus.rows import Row
from stance.display import count
from stance.records import ADJUDICATED, NEUTRAL, Stance

UNCODED = -1


@dataclass(frozen=True, slots=True)
class Annotations:
    """The stances that coders gave to the rows of a corpus."""

    coders: tuple[str, ...]
    codes: Ints  # of shape (n_coders, n_rows); `UNCODED` where a coder gave none

    def take(self, rows: Ints) -> "Annotations":
        """Return the annotations of some rows."""
        return replace(self, codes=self.codes[:, rows])


def merge_coders(rows: Sequence[Row]) -> tuple[Sequence[Row], Annotations | None, str]:
    """Return one row per pair: its adjudicated label, else that of most coders, else neutral.

    A coder's second row on a pair stays a row of its own, as does a row without a coder. Also
    returned are what each coder said, unless nobody coded what another did, and a note on it.

    >>> rows = [Row("A met B.", "A", 2, 1, coder="anna"), Row("A met B.", "A", 0, 2, coder="ben")]
    >>> (merged,), annotations, _ = merge_coders(rows)
    >>> merged.stance, merged.soft, annotations.coders
    (1, [0.5, 0.0, 0.5], ('anna', 'ben'))
    """
    units: defaultdict[Hashable, dict[str, Row]] = defaultdict(dict)
    times: Counter[Hashable] = Counter()
    for number, row in enumerate(rows):
        pair = row.source, row.text, row.actor, tuple(row.spans or ())
        again = times[pair, row.coder]
        times[pair, row.coder] += 1
        units[pair, again if row.coder else number, bool(row.coder)][row.coder] = row
    if len(units) == len(rows):
        return rows, None, ""
    names = sorted({row.coder for row in rows} - {"", ADJUDICATED})
    codes, merged = np.full((len(names), len(units)), UNCODED, np.int64), list[Row]()
    ties = settled = 0
    for number, unit in enumerate(units.values()):
        for coder in unit.keys() - {"", ADJUDICATED}:
            codes[names.index(coder), number] = unit[coder].stance
        if ADJUDICATED in unit:
            settled += len(unit) > 1
            merged.append(unit[ADJUDICATED])
        else:
            row, is_tie = _of_most([*unit.values()])
            ties += is_tie
            merged.append(row)
    note = f"{count(len(rows), 'row')} hold the labels of {len(names)} coders (column coder) on "
    note += f"{count(len(units), 'pair')} of text and actor; train learns from shares of labels"
    note += f"; {count(settled, 'pair')} settled by '{ADJUDICATED}'" if settled else ""
    note += f"; {count(ties, 'tie')} between labels counted as neutral" if ties else ""
    return merged, Annotations(tuple(names), codes), note


def _of_most(rows: Sequence[Row]) -> tuple[Row, bool]:
    """Return the rows of a pair as one, and whether its label is a tie."""
    one_hot = np.eye(len(Stance)).tolist()
    shares = np.mean([row.soft or one_hot[row.stance] for row in rows], axis=0)
    best = np.flatnonzero(shares > shares.max() - 1e-9).tolist()
    label = best[0] if len(best) == 1 else NEUTRAL
    differ = len({row.stance for row in rows}) > 1 or any(row.soft for row in rows)
    chosen = next((row for row in rows if row.stance == label), rows[0])
    soft = shares.tolist() if differ else None
    return chosen._replace(stance=label, soft=soft), len(best) > 1
