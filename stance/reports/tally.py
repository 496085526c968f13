"""The second reading of a prediction table: exact counts of what a report shows."""

from collections.abc import Sequence
from zlib import crc32

import numpy as np

from stance.arrays import Bools, Ints
from stance.display import shown
from stance.errors import DataError
from stance.records import UNCERTAIN, Sentiment, Stance
from stance.reports.examples import Examples
from stance.reports.frequent import bounded
from stance.reports.periods import Periods
from stance.reports.survey import Survey
from stance.tables import Record, month_of

CLUSTERS = 1024
"""Groups into which documents fall by a hash.

Fewer documents than that stand almost all alone. More share groups at random, which leaves
the estimate of a variance unbiased (Wolter 2007, "Introduction to Variance Estimation", chapter 2:
random groups) and memory bounded.
"""

MOST_ROWS = 1 << 28
"""Largest row number; 2 bytes are kept for each row."""

CONFIDENCES = np.array([0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
"""Bounds between bins of the largest probability."""

LABELS = {str(label): number for number, label in enumerate((*Stance, UNCERTAIN))}
TONES = {str(label): number for number, label in enumerate((*Sentiment, UNCERTAIN))}

GIVEN = len(Stance)
"""Answers that are a stance; the next is `UNCERTAIN`."""


class Tally:
    """Counts of the answers of a prediction table.

    Attributes
    ----------
    actors, sources : list of str
        That are counted one by one.
    periods : Periods or None
    all_clusters : ndarray of int64 of shape (CLUSTERS, 3)
        Stances given, by document, or where the table has none by paragraph.
    actor_clusters : ndarray of shape (n_actors, CLUSTERS, 3)
    source_clusters : ndarray of shape (n_sources, CLUSTERS, 3)
    period_clusters : ndarray of shape (n_traced, n_periods, CLUSTERS, 3)
        Of the first ``n_traced`` actors.
    uncertain : ndarray of shape (n_actors + 1,)
        Answers withheld; last those toward all other actors.
    source_uncertain : ndarray of shape (n_sources + 1,)
    crossed : ndarray of shape (n_actors, n_sources, 3)
        Stances given.
    confidence : ndarray of shape (7,)
        Answers by their largest probability; see `CONFIDENCES`.
    tone_clusters : ndarray of shape (CLUSTERS, 3)
        Sentiments of rows.
    toneless : int
        Rows whose sentiment is `UNCERTAIN`.
    outside : int
        Answers dated outside the periods.
    """

    def __init__(
        self,
        found: Survey,
        actors: Sequence[str],
        sources: Sequence[str],
        periods: Periods | None,
        examples: Examples,
    ) -> None:
        self.actors, self.sources, self.periods = list(actors), list(sources), periods
        self.examples = examples
        traced, span = len(examples.actors), periods.count if periods else 0
        self.all_clusters = np.zeros((CLUSTERS, GIVEN), np.int64)
        self.actor_clusters = np.zeros((len(actors), CLUSTERS, GIVEN), np.int64)
        self.source_clusters = np.zeros((len(sources), CLUSTERS, GIVEN), np.int64)
        self.period_clusters = np.zeros((traced, span, CLUSTERS, GIVEN), np.int32)
        self.uncertain = np.zeros(len(actors) + 1, np.int64)
        self.source_uncertain = np.zeros(len(sources) + 1, np.int64)
        self.crossed = np.zeros((len(actors), len(sources), GIVEN), np.int64)
        self.confidence = np.zeros(len(CONFIDENCES) + 1, np.int64)
        self.tone_clusters = np.zeros((CLUSTERS, len(Sentiment)), np.int64)
        self.toneless = 0
        self.outside = 0
        self._places = found.places
        self._actor_at = {name: at for at, name in enumerate(actors)}
        self._source_at = {name: at for at, name in enumerate(sources)}
        self._seen = np.zeros(0, np.bool_)
        self._naming = np.zeros(0, np.bool_)

    @property
    def rows(self) -> int:
        """Rows of the input that was judged."""
        return int(self._seen.sum())

    @property
    def naming(self) -> int:
        """Rows that name an actor."""
        return int(self._naming.sum())

    @property
    def answers(self) -> int:
        """Answers, withheld ones among them."""
        return int(self.confidence.sum())

    def add(self, records: Sequence[Record], table: str) -> None:
        """Count some records; `table` is what messages call it."""
        places = self._places
        try:
            row = np.array([int(record.cells[places.row]) for record in records], np.int64)
            if not (row.min() > 0 and row.max() <= MOST_ROWS):
                raise ValueError
        except (ValueError, OverflowError):
            raise self._fault(records, table) from None
        asked = [bool(record.cells[places.actor]) for record in records]
        named = np.array(asked) & [record.cells[places.mentions] != "0" for record in records]
        self._count_rows(records, row, named)
        kept = [record for record, name in zip(records, asked, strict=True) if name]
        if kept:
            self._count_answers(kept, row[asked], table)

    def _count_rows(self, records: Sequence[Record], row: Ints, named: Bools) -> None:
        if row.max() >= len(self._seen):
            missing = max(int(row.max()) + 1, 2 * len(self._seen)) - len(self._seen)
            self._seen = np.concatenate([self._seen, np.zeros(missing, np.bool_)])
            self._naming = np.concatenate([self._naming, np.zeros(missing, np.bool_)])
        first = np.unique(row, return_index=True)[1]
        fresh = first[~self._seen[row[first]]]
        self._seen[row] = True
        self._naming[row[named]] = True
        if (at := self._places.sentiment) is not None and len(fresh):
            cells = [records[i].cells for i in fresh.tolist()]
            tone = np.array([TONES.get(each[at], -1) for each in cells])
            given = (tone >= 0) & (tone < GIVEN)
            cluster = self._clusters(cells, row[fresh])
            np.add.at(self.tone_clusters, (cluster[given], tone[given]), 1)
            self.toneless += int((tone == GIVEN).sum())

    def _count_answers(self, records: Sequence[Record], row: Ints, table: str) -> None:
        places, cells = self._places, [record.cells for record in records]
        try:
            label = np.array([LABELS[each[places.stance]] for each in cells])
            chances = np.array([[float(each[at]) for at in places.probabilities] for each in cells])
            if not ((chances >= 0) & (chances <= 1)).all():
                raise ValueError
        except (KeyError, ValueError):
            raise self._fault(records, table) from None
        actor = np.array([self._actor_at.get(bounded(each[places.actor]), -1) for each in cells])
        source = np.full(len(cells), -1)
        if (by := places.by) is not None:
            source = np.array([self._source_at.get(bounded(each[by]), -1) for each in cells])
        cluster = self._clusters(cells, row)
        given = label < GIVEN
        np.add.at(self.all_clusters, (cluster[given], label[given]), 1)
        for counts, group in ((self.actor_clusters, actor), (self.source_clusters, source)):
            mine = given & (group >= 0)
            np.add.at(counts, (group[mine], cluster[mine], label[mine]), 1)
        both = given & (actor >= 0) & (source >= 0)
        np.add.at(self.crossed, (actor[both], source[both], label[both]), 1)
        np.add.at(self.uncertain, actor[~given], 1)
        np.add.at(self.source_uncertain, source[~given], 1)
        top = chances.max(axis=1)
        self.confidence += np.bincount(
            np.searchsorted(CONFIDENCES, top, side="right"), minlength=len(CONFIDENCES) + 1
        )
        self._count_periods(cells, actor, cluster, label)
        self.examples.add(records, row, actor, label, chances)

    def _clusters(self, cells: Sequence[tuple[str, ...]], row: Ints) -> Ints:
        """Return the group of each answer's document; without one, of its text or its row."""
        places = self._places
        at = places.text if places.document is None else places.document
        names = (
            f"row {number}" if at is None or not each[at] else each[at]
            for each, number in zip(cells, row.tolist(), strict=True)
        )
        hashes = np.array([crc32(name.encode("utf-8", "surrogatepass")) for name in names])
        return hashes.astype(np.int64) % CLUSTERS

    def _count_periods(
        self, cells: Sequence[tuple[str, ...]], actor: Ints, cluster: Ints, label: Ints
    ) -> None:
        at, periods = self._places.over, self.periods
        if at is None or periods is None:
            return
        months = [month_of(each[at]) for each in cells]
        dated = [None if month is None else periods.place(month) for month in months]
        period = np.array([-1 if place is None else place for place in dated])
        known = np.array([month is not None for month in months])
        self.outside += int((known & (period < 0)).sum())
        mine = (label < GIVEN) & (period >= 0) & (actor >= 0) & (actor < len(self.period_clusters))
        where = (actor[mine], period[mine], cluster[mine], label[mine])
        np.add.at(self.period_clusters, where, 1)

    def _fault(self, records: Sequence[Record], table: str) -> DataError:
        """Return what is wrong with the first record that cannot be counted."""
        for record in records:
            if reason := self._reason(record.cells):
                return DataError(f"{table}:{record.line}: {reason}, as stance predict writes it")
        raise AssertionError("no record is wrong")

    def _reason(self, cells: tuple[str, ...]) -> str | None:
        places = self._places
        row = cells[places.row]
        if not (row.isascii() and row.isdecimal() and len(row) < 12 and 0 < int(row) <= MOST_ROWS):
            return f"'{shown(row)}' in the column of rows is no record number"
        if not cells[places.actor]:
            return None
        if cells[places.stance] not in LABELS:
            return f"'{shown(cells[places.stance])}' is no stance; it must be {', '.join(LABELS)}"
        for at in places.probabilities:
            try:
                if 0 <= float(cells[at]) <= 1:
                    continue
            except ValueError:
                pass
            return f"'{shown(cells[at])}' is no probability from 0 to 1"
        return None
