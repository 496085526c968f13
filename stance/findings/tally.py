"""The second reading of a prediction table: exact counts of its most frequent names."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from stance.arrays import Bools, Codes, Floats, Ints
from stance.display import shown
from stance.errors import DataError
from stance.findings.periods import Unit, choose_grids
from stance.findings.survey import Places, Survey, bounded
from stance.reading.actors import ActorBook
from stance.records import ANSWERS, TONES, Sentiment, Stance
from stance.tables import Record, Table, day_of, months_of

# Documents fall into groups by a hash, which bounds memory and, since groups are random, leaves
# the estimate of a variance unbiased (Wolter 2007, "Introduction to Variance Estimation", ch. 2).
CLUSTERS = 1024
CELL_CLUSTERS = 256  # a divisor; of a period or of an actor's answers in a source
SCANNED = 20_000  # records in whose texts aliases are looked for
MOST_ROWS = 1 << 28  # largest row number; 5 bytes are kept for each row
CONFIDENCES = np.array([0.4, 0.5, 0.6, 0.7, 0.8, 0.9])  # between bins of the largest probability
_STANCE_NUMBERS = {name: number for number, name in enumerate(ANSWERS)}
_TONE_NUMBERS = {name: number for number, name in enumerate(TONES)}
GIVEN = len(Stance)  # answers that are a stance; the next is `UNCERTAIN`
ACTORS, SOURCES, TRACED = 30, 25, 12  # shown; of the actors over time and with paragraphs
FEWEST_ANSWERS, ALWAYS = 10, 12  # answers of an actor or source to be shown, except the first

Cells = Sequence[tuple[str, ...]]


class Carriers:
    """Which aliases name the actors of answers, in the first records of a table."""

    def __init__(self, book: ActorBook, places: Places) -> None:
        self.records = 0
        self.aliases: dict[str, Counter[str]] = {}  # by actor, as they are written
        self._book, self._places = book, places

    def add(self, records: Sequence[Record]) -> None:
        """Look for the actor of each record in its text, unless the table says where it is."""
        places, cells = self._places, [each.cells for each in records[: SCANNED - self.records]]
        if places.text is None or places.spans is not None or not cells:
            return
        self.records += len(cells)
        actors = list(map(places.actor_of, cells))
        number = np.array([self._book.number(actor) for actor in actors])
        dates = [] if places.over is None else [each[places.over] for each in cells]
        months = months_of(dates) if dates else None
        texts = [each[places.text] for each in cells]
        for low, batch, found in self._book.scan(texts, months):
            own = np.flatnonzero(found.actor == number[low + found.para])
            starts, ends = batch.start[found.first[own]], batch.end[found.last[own]]
            for para, start, end in zip(found.para[own], starts, ends, strict=True):
                counts = self.aliases.setdefault(bounded(actors[low + para]), Counter())
                counts[batch.texts[para][start:end]] += 1


@dataclass(frozen=True, slots=True)
class Answered:
    """Some answers as they were counted; the actor's number is -1 where it is not shown."""

    records: Sequence[Record]
    row: Ints
    actor: Ints
    label: Ints
    chances: Floats  # of each stance, of shape (n_answers, 3)


class Tally:
    """Counts of a prediction table's answers; by cluster, those of stances given, by document."""

    def __init__(self, found: Survey, period: Unit | None = None) -> None:
        self.actors = _frequent(found.actors.first(ACTORS), found.actors.counts)
        self.sources = _frequent(found.sources.first(SOURCES), found.sources.counts)
        self.grids = choose_grids(found.days, period)
        actors, sources = len(self.actors), len(self.sources)
        traced = min(actors, TRACED)
        self.all_clusters = np.zeros((CLUSTERS, GIVEN), np.int64)
        self.actor_clusters = np.zeros((actors, CLUSTERS, GIVEN), np.int64)
        self.source_clusters = np.zeros((sources, CLUSTERS, GIVEN), np.int64)
        self.period_clusters = [
            np.zeros((traced, grid.count, CELL_CLUSTERS, GIVEN), np.int32) for grid in self.grids
        ]
        self.uncertain = np.zeros(actors + 1, np.int64)  # last those toward all other actors
        self.source_uncertain = np.zeros(sources + 1, np.int64)
        self.crossed = np.zeros((actors, sources, CELL_CLUSTERS, GIVEN), np.int32)
        self.confidence = np.zeros(len(CONFIDENCES) + 1, np.int64)  # by largest probability
        self.tone_clusters = np.zeros((CLUSTERS, len(Sentiment)), np.int64)  # rows
        self.toneless = 0  # rows whose sentiment is uncertain
        self.outside = 0  # answers dated outside the periods
        self._places = found.places
        self._actor_at = {name: at for at, name in enumerate(self.actors)}
        self._source_at = {name: at for at, name in enumerate(self.sources)}
        self._seen = np.zeros(0, np.uint32)  # fingerprint of each row, 0 where there is none
        self._naming = np.zeros(0, np.bool_)
        self._again: dict[tuple[int, int], bool] = {}  # rows whose number another row has, too

    @property
    def rows(self) -> int:
        """Rows of the input."""
        return int(np.count_nonzero(self._seen)) + len(self._again)

    @property
    def naming(self) -> int:
        """Rows of the input that name an actor."""
        return int(self._naming.sum()) + sum(self._again.values())

    @property
    def renumbered(self) -> int:
        """Rows whose number an earlier row has, as in joined tables."""
        return len(self._again)

    @property
    def answers(self) -> int:
        """Answers, those withheld included."""
        return int(self.confidence.sum())

    def add(self, records: Sequence[Record], table: Table) -> Answered | None:
        """Count some records of a table and return their answers."""
        places, cells = self._places, [record.cells for record in records]
        row = row_numbers(records, places, table)
        asked = [bool(places.actor_of(each)) for each in cells]
        named = np.array(asked) & [each[places.mentions] != "0" for each in cells]
        self._count_rows(cells, row, named)
        kept = [record for record, name in zip(records, asked, strict=True) if name]
        return self._count_answers(kept, row[asked], table) if kept else None

    def _count_rows(self, cells: Cells, row: Ints, named: Bools) -> None:
        """Tell rows apart by number, and by file, document and text if numbers start anew."""
        if row.max() >= len(self._seen):
            size = max(int(row.max()) + 1, 2 * len(self._seen))
            self._seen = np.append(self._seen, np.zeros(size - len(self._seen), np.uint32))
            self._naming = np.append(self._naming, np.zeros(size - len(self._naming), np.bool_))
        own = _fingerprints(cells, self._places)
        first = np.unique(row, return_index=True)[1]
        first = first[self._seen[row[first]] == 0]
        self._seen[row[first]] = own[first]
        usual = self._seen[row] == own
        self._naming[row[named & usual]] = True
        fresh = first.tolist()
        for at in np.flatnonzero(~usual).tolist():
            key = int(row[at]), int(own[at])
            if key not in self._again:
                self._again[key] = False
                fresh.append(at)
            self._again[key] |= bool(named[at])
        if (column := self._places.sentiment) is not None and fresh:
            mine = [cells[at] for at in fresh]
            tone = np.array([_TONE_NUMBERS.get(each[column], -1) for each in mine])
            given = (tone >= 0) & (tone < GIVEN)
            cluster = self._clusters(mine, row[fresh])
            np.add.at(self.tone_clusters, (cluster[given], tone[given]), 1)
            self.toneless += int((tone == GIVEN).sum())

    def _count_answers(self, records: Sequence[Record], row: Ints, table: Table) -> Answered:
        places, cells = self._places, [record.cells for record in records]
        label, chances = answered(records, places, table)
        actor = np.array([self._actor_at.get(bounded(places.actor_of(each)), -1) for each in cells])
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
        part = cluster[both] % CELL_CLUSTERS
        np.add.at(self.crossed, (actor[both], source[both], part, label[both]), 1)
        np.add.at(self.uncertain, actor[~given], 1)
        np.add.at(self.source_uncertain, source[~given], 1)
        bins = np.searchsorted(CONFIDENCES, chances.max(axis=1), side="right")
        self.confidence += np.bincount(bins, minlength=len(self.confidence))
        self._count_periods(cells, actor, cluster, label)
        return Answered(records, row, actor, label, chances)

    def _clusters(self, cells: Cells, row: Ints) -> Ints:
        """Return the group of each answer's document."""
        names = document_names(cells, row, self._places)
        return np.array([_hash(name) for name in names], np.int64) % CLUSTERS

    def _count_periods(self, cells: Cells, actor: Ints, cluster: Ints, label: Ints) -> None:
        at = self._places.over
        if at is None or not self.grids:
            return
        found, which = np.unique([day_of(each[at]) or 0 for each in cells], return_inverse=True)
        known = (found > 0)[which]
        for grid, counts in zip(self.grids, self.period_clusters, strict=True):
            period = np.array([grid.place(day) if day else -1 for day in found.tolist()])[which]
            mine = (label < GIVEN) & (period >= 0) & (actor >= 0) & (actor < len(counts))
            part = cluster[mine] % CELL_CLUSTERS
            np.add.at(counts, (actor[mine], period[mine], part, label[mine]), 1)
        self.outside += int((known & (period < 0)).sum())


def document_names(cells: Cells, row: Ints, places: Places) -> Iterator[str]:
    """Yield what names the document of each answer; without one, its text or its row."""
    at = places.text if places.document is None else places.document
    # A document's name holds within its file; an equal text is one document in any file.
    file = None if at is not None and at == places.text else places.file
    for each, number in zip(cells, row.tolist(), strict=True):
        name = "" if at is None else each[at]
        yield ("" if file is None else f"{each[file]}\0") + (name or f"row {number}")


def _frequent(first: list[str], counts: dict[str, int]) -> list[str]:
    return first[:ALWAYS] + [name for name in first[ALWAYS:] if counts[name] >= FEWEST_ANSWERS]


def _hash(text: str) -> int:
    return crc32(text.encode("utf-8", "surrogatepass"))


def _fingerprints(cells: Cells, places: Places) -> Codes:
    """Return what tells rows of the same number apart; never 0."""
    known = [at for at in (places.file, places.document, places.text) if at is not None]
    return np.array([_hash("\0".join(each[at] for at in known)) or 1 for each in cells], np.uint32)


def row_numbers(records: Sequence[Record], places: Places, table: Table) -> Ints:
    """Return the numbers of the input's rows; raise with the line of what is not one."""
    try:
        row = np.array([int(each.cells[places.row]) for each in records], np.int64)
        if row.min() > 0 and row.max() <= MOST_ROWS:
            return row
    except (ValueError, OverflowError):
        pass
    raise _fault(records, places, table)


def answered(records: Sequence[Record], places: Places, table: Table) -> tuple[Ints, Floats]:
    """Return stances and their probabilities; raise with the line of what is not one."""
    cells = [record.cells for record in records]
    try:
        label = np.array([_STANCE_NUMBERS[each[places.stance]] for each in cells], np.int64)
        chances = np.array([[float(each[at]) for at in places.probabilities] for each in cells])
        if ((chances >= 0) & (chances <= 1)).all():
            return label, chances
    except (KeyError, ValueError):
        pass
    raise _fault(records, places, table)


def _fault(records: Sequence[Record], places: Places, table: Table) -> DataError:
    for record in records:
        if reason := _reason(record.cells, places):
            return DataError(f"{table.where(record)}: {reason}; restore what stance predict wrote")
    raise AssertionError("no record is wrong")


def is_row(cell: str) -> bool:
    """Return whether a cell is the number of a row."""
    digits = cell.isascii() and cell.isdecimal() and len(cell) < 12
    return digits and 0 < int(cell) <= MOST_ROWS


def _reason(cells: tuple[str, ...], places: Places) -> str | None:
    row = cells[places.row]
    if not is_row(row):
        return f"'{shown(row)}' is not a row number"
    if not places.actor_of(cells):
        return None
    if cells[places.stance] not in ANSWERS:
        return f"'{shown(cells[places.stance])}' is not one of {', '.join(ANSWERS)}"
    for at in places.probabilities:
        try:
            if 0 <= float(cells[at]) <= 1:
                continue
        except ValueError:
            pass
        return f"'{shown(cells[at])}' is not a probability from 0 to 1"
    return None
