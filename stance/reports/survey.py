"""The first reading of a prediction table: what it holds, so that the second can count it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import file_digest
from itertools import islice
from operator import itemgetter
from pathlib import Path

from stance.display import shown
from stance.errors import DataError
from stance.reports.columns import Places, Request, find_places
from stance.reports.frequent import Frequent, bounded
from stance.tables import Record, Table, month_of, open_table

BATCH = 8192
"""Records that are counted at a time."""


@dataclass(slots=True)
class Survey:
    """What a table holds.

    Attributes
    ----------
    actors, sources : Frequent
        Answers of each.
    months : Counter
        Answers of each month; see `stance.tables.month_of`.
    undated : int
        Answers whose date cannot be read.
    undated_example : str
        The first such date.
    records : int
    """

    columns: tuple[str, ...]
    places: Places
    actors: Frequent = field(default_factory=Frequent)
    sources: Frequent = field(default_factory=Frequent)
    months: Counter[int] = field(default_factory=Counter)
    undated: int = 0
    undated_example: str = ""
    records: int = 0
    notes: tuple[str, ...] = ()

    def add(self, records: Sequence[Record]) -> None:
        """Count some records."""
        places, self.records = self.places, self.records + len(records)
        cells = [record.cells for record in records]
        actors = [bounded(actor) for actor in map(itemgetter(places.actor), cells)]
        self.actors.add(filter(None, actors))
        answers = [row for row, actor in zip(cells, actors, strict=True) if actor]
        if places.by is not None:
            self.sources.add(bounded(row[places.by]) for row in answers)
        if places.over is not None:
            self._date(Counter(row[places.over] for row in answers))

    def _date(self, dates: Counter[str]) -> None:
        for text, number in dates.items():
            month = month_of(text)
            if month is not None:
                self.months[month] += number
                continue
            self.undated += number
            self.undated_example = self.undated_example or shown(text)


def survey(request: Request) -> Survey:
    """Read a prediction table for the first time.

    Raises
    ------
    DataError
        If it is no prediction table in long form, or cannot be read.
    """
    with open_request(request) as table:
        found = Survey(table.columns, find_places(table.columns, table.name, request))
        for batch in batches(table):
            found.add(batch)
        found.notes = table.notes
        if not found.records:
            raise DataError(f"{table.name}: holds no record; a report needs answers")
    return found


def open_request(request: Request) -> Table:
    """Open the table of a request."""
    return open_table(request.source, delimiter=request.delimiter, encoding=request.encoding)


def batches(table: Table) -> Iterator[list[Record]]:
    """Yield the records of a table, some thousands at a time."""
    records = iter(table)
    while batch := list(islice(records, BATCH)):
        yield batch


def file_hash(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
