"""A column of dates: as a whole it says what 03/04/2024 means."""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from datetime import date

from stance.arrays import Ints
from stance.display import count, shown
from stance.errors import DataError
from stance.tables.columns import column, optional_column
from stance.tables.dates import (
    SWAPPABLE,
    UNAMBIGUOUS,
    DateReading,
    Order,
    iso_dates,
    months_of,
    own_order,
    read_date,
    read_pattern,
)
from stance.tables.inputs import Reading
from stance.tables.records import Records
from stance.tables.table import Table

LOOKED_AT = 10_000  # records that decide how the dates of a stream are read
_CHARACTERS = 8_000_000  # of theirs, so that texts as long as books take no more memory
_REMEMBERED = 50_000  # different dates, so that each is looked at once


class DateColumn:
    """The dates of a column: how they are read, and how many are not; records come in order.

    `asked` is the reading of ``--date-format``; without one, the dates themselves decide. Raises
    `DataError` where they contradict each other or leave two readings.
    """

    def __init__(
        self, table: str, name: str, asked: DateReading = UNAMBIGUOUS, at: int = 0
    ) -> None:
        self.at = at  # place of the column in the table
        self.file_of: Callable[[int], str] | None = None  # file of a record; None for one table
        self.reading = asked
        self.given = self.unread = 0  # cells that are not empty, and those of them not read
        self._table, self._name, self._asked = table, f"column '{shown(name, 40)}'", asked
        self._first: dict[Order, tuple[str, str]] = {}  # place and cell, by what stands first
        self._seen, self._blank, self._bad = set[str](), set[str](), set[str]()
        self._example = ("", "")

    def decide(self, cells: Sequence[str], places: Sequence[object]) -> DateReading:
        """Choose the reading by these cells, and count them; places are lines, or file:line."""
        for cell, place in self._new(cells, places):
            self._look(cell, place)
        if self._asked == UNAMBIGUOUS:
            order: Order = next((order for order in self._first if order), "")
            self.reading = replace(self._asked, order=order)
        self.add(cells, places)
        return self.reading

    def add(self, cells: Sequence[str], places: Sequence[object]) -> None:
        """Count more cells; raise where one contradicts those before."""
        for cell, place in self._new(cells, places):
            self._look(cell, place)
            if self._asked == UNAMBIGUOUS:
                self._check()
            if not cell.strip():
                self._blank.add(cell)
            elif not read_date(cell, self.reading):
                self._example = self._example if self._example[1] else (place, cell)
                if len(self._seen) < _REMEMBERED:
                    self._bad.add(cell)
                else:
                    self.unread += cells.count(cell)
            if len(self._seen) < _REMEMBERED:
                self._seen.add(cell)
        self.given += len(cells) - sum(map(cells.count, self._blank))
        if self._bad:
            self.unread += sum(map(self._bad.__contains__, cells))

    def _new(self, cells: Sequence[str], places: Sequence[object]) -> Iterator[tuple[str, str]]:
        """Yield the cells that were not seen before, in order, with their places."""
        new = set(cells).difference(self._seen)
        if new:
            first = dict(zip(reversed(cells), reversed(range(len(cells))), strict=True))
            for cell in sorted(new, key=first.__getitem__):
                yield cell, self._place(places, first[cell])

    def months(self, records: Records) -> Ints:
        """Return the month of each record; see `months_of`."""
        return months_of(records.columns[self.at], self.reading)

    def blocks(self, blocks: Iterator[Records]) -> Iterator[Records]:
        """Decide by the first blocks of a table, and return them all, to be checked on the way."""
        ahead, rows, characters = [], 0, 0
        failed: DataError | None = None
        while rows < LOOKED_AT and characters < _CHARACTERS:
            try:
                block = next(blocks, None)
            except DataError as error:  # which has to wait for its turn
                failed, block = error, None
            if block is None:
                break
            ahead.append(block)
            rows, characters = rows + len(block), characters + block.characters
        self.decide(
            [cell for block in ahead for cell in block.columns[self.at]],
            [place for block in ahead for place in self._places_of(block)],
        )
        return self._checked(ahead, failed, blocks)

    def rewrite(self, blocks: Generator[Records]) -> Generator[Records]:
        """Yield the records of a table, dates with two readings as ``2024-04-03``."""
        for block in self.blocks(blocks):
            columns = list(block.columns)
            columns[self.at] = iso_dates(columns[self.at], self.reading)
            yield replace(block, columns=columns)

    def _checked(
        self, ahead: list[Records], failed: DataError | None, blocks: Iterator[Records]
    ) -> Iterator[Records]:
        while ahead:
            yield ahead.pop(0)
        if failed:
            raise failed
        for block in blocks:
            self.add(block.columns[self.at], self._places_of(block))
            yield block

    def notes(self) -> Iterator[str]:
        """Yield how dates were read, if the column decided it, and how many were not."""
        yield from (f"{self._table}: {said}" for said in self.said())

    def said(self) -> Iterator[str]:
        """Yield the same without the name of the table."""
        if order := self.reading.order if self._first else "":
            place, cell = self._first.get(order) or self._first[""]
            example = f"'{shown(cell, 20)}' ({place})"
            yield f"dates in {self._name} are read as {self.reading}, as {example}"
        if self.unread:
            place, cell = self._example
            yield (
                f"{self.unread:,} of {count(self.given, 'date')} in {self._name} "
                f"cannot be read (first: {place}, '{shown(cell, 30)}'); write 2024-03-09, or "
                "name their form with --date-format"
            )

    def _places_of(self, block: Records) -> Sequence[object]:
        if self.file_of is None:
            return block.lines
        file = self.file_of(block.numbers[0])  # of a whole block, which is never of two
        return [f"{file}:{line}" for line in block.lines]

    def _place(self, places: Sequence[object], at: int) -> str:
        return str(places[at]) if self.file_of else f"line {places[at]}"

    def _look(self, cell: str, place: str) -> None:
        """Remember the first date of each order, and the first that could be either."""
        found = SWAPPABLE.fullmatch(" ".join(cell.split())) if len(cell) < 80 else None
        low, high = sorted((int(found["d"]), int(found["m"]))) if found else (0, 0)
        if found and low != high and low <= 12 and high <= 31:
            self._first.setdefault(own_order(found.groupdict()), (place, cell))

    def _check(self) -> None:
        first = self._first
        if "day" in first and "month" in first:
            (place, one), (there, other) = first["day"], first["month"]
            raise DataError(
                f"{self._table}: {self._name} mixes dates: '{shown(one)}' ({place}) has the day "
                f"first, '{shown(other)}' ({there}) the month; correct one, or say which holds: "
                "--date-format %d/%m/%Y or %m/%d/%Y"
            )
        if "" in first and not self.reading.order:
            place, cell = first[""]
            days = [read_date(cell, DateReading(order)) for order in ("day", "month")]
            one, other = (f"{day.day} {date(*day):%B %Y}" for day in days if day)
            raise DataError(
                f"{self._table}: '{shown(cell)}' ({place}) in {self._name} may be {one} or "
                f"{other}, and no other date decides; say --date-format %d/%m/%Y or %m/%d/%Y"
            )


def find_dates(table: Table, reading: Reading) -> DateColumn | None:
    """Return the column of dates that a user named, else ``date``, or None if there is none."""
    asked = read_pattern(reading.date_format)
    if reading.date_column is None and asked == UNAMBIGUOUS:
        at = optional_column(table.columns, "date", table.name)
    else:
        name = reading.date_column or "date"
        at = column(table.columns, name, table.name, "--date-column")
    if at is None:
        return None
    return _dates_of(table, at, asked)


def rewrite_dates(table: Table, at: int, date_format: str | None = None) -> None:
    """Have a table's dates with two readings come as ``2024-04-03``, all others as they are."""
    dates = _dates_of(table, at, read_pattern(date_format))
    table.through(dates.rewrite, dates.said)


def _dates_of(table: Table, at: int, asked: DateReading) -> DateColumn:
    found = DateColumn(table.name, table.columns[at], asked, at)
    found.file_of = table.file_of if table.several else None
    return found
