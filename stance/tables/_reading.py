"""What every reader of tables does alike: number the records, judge bad ones, keep notes."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, Self

from stance.display import count, shown
from stance.errors import DataError
from stance.tables._bytes import MEGABYTE
from stance.tables._oddities import odd_names
from stance.tables._sources import Source


class Record(NamedTuple):
    """One row of a table.

    Attributes
    ----------
    number : int
        1-based number of the record in its table; rejected records count.
    line : int
        1-based line where it starts.
    cells : tuple of str
        As many as the table has columns, as they went in.
    """

    number: int
    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Records:
    """Some records of a table, by column: from reading to writing, none is handled by itself.

    >>> records = Records.of([Record(1, 2, ("a", "NATO")), Record(2, 3, ("b", ""))])
    >>> records.columns[1]
    ['NATO', '']
    >>> list(records[1:])
    [Record(number=2, line=3, cells=('b', ''))]

    Attributes
    ----------
    numbers, lines : sequence of int
        See `Record`.
    columns : sequence of list of str
        The cells. They are not shown, since logs of a cluster show arguments.
    characters : int
        Of all cells, or of the lines where they stand, which have a few more.
    """

    numbers: Sequence[int]
    lines: Sequence[int]
    columns: Sequence[list[str]] = field(repr=False)
    characters: int

    @classmethod
    def of(cls, records: Iterable[Record]) -> Self:
        """Return records that came one by one."""
        numbers, lines, rows = tuple(zip(*records, strict=True)) or ((), (), ())
        columns = list(map(list, zip(*rows, strict=True)))
        return cls(numbers, lines, columns, _characters(columns))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the records of all parts, of which there are 1 or more."""
        return cls(
            _chained(part.numbers for part in parts),
            _chained(part.lines for part in parts),
            list(map(_chained, zip(*(part.columns for part in parts), strict=True))),
            sum(part.characters for part in parts),
        )

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[Record]:
        return map(Record, self.numbers, self.lines, zip(*self.columns, strict=True))

    def __getitem__(self, which: slice) -> Self:
        if which.indices(len(self)) == (0, len(self), 1):
            return self
        columns = [cells[which] for cells in self.columns]
        return type(self)(self.numbers[which], self.lines[which], columns, _characters(columns))


def _chained(parts: Iterable[Sequence[Any]]) -> list[Any]:
    whole: list[Any] = []
    for part in parts:
        whole += part
    return whole


def _characters(columns: Sequence[list[str]]) -> int:
    return sum(sum(map(len, cells)) for cells in columns)


MAX_CELL = 10 * MEGABYTE
"""Characters in a cell."""

MAX_COLUMNS = 10_000


class RejectSink(Protocol):
    """Takes the records that cannot be read; see `stance.tables.output.Rejects`."""

    def add(self, line: int, column: str, reason: str, raw: str) -> None:
        """Keep one record."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a record is bad.

    Attributes
    ----------
    line : int
        1-based line of the fault.
    column : str
        Name of the column, or empty where no one column is to blame.
    reason, advice : str
        What is wrong, and what to do.
    """

    line: int
    column: str
    reason: str
    advice: str


Check = Callable[[Sequence[str], int], Fault | None]
"""Judges the cells of a record that can be read, and the line where it starts."""


class Reader(ABC):
    """Turns the lines of a source into records; a context for faults and notes.

    Attributes
    ----------
    columns : tuple of str
    check : Check or None
        What the table's user asks of a record beyond that.
    or_else : str
        What else a user can do about a bad record.
    """

    columns: tuple[str, ...]
    check: Check | None = None
    or_else = ""

    def __init__(self, source: Source, rejects: RejectSink | None) -> None:
        self.source = source
        self.name = source.name
        self.number = 0
        self.opening_notes: list[str] = []
        self._rejects = rejects
        self._seen: dict[str, tuple[int, int]] = {}

    @abstractmethod
    def blocks(self) -> Generator[Records]:
        """Yield every good record, in order, some at a time."""

    def together(self, records: Iterable[Record]) -> Iterator[Records]:
        """Yield some records as one block; where a bad one ends them, those before it."""
        found: list[Record] = []
        try:
            found.extend(records)
        except DataError:
            yield Records.of(found)
            raise
        yield Records.of(found)

    def notes(self) -> tuple[str, ...]:
        """Return the notes so far; those on records are complete once all are read."""
        found = [f"{self.name}: {text}" for text in self.opening_notes]
        for what, (times, line) in self._seen.items():
            noun, _, happened = what.partition(": ")
            found.append(f"{self.name}: {count(times, noun)} {happened} (first: line {line})")
        mixed = {end: n for end, n in self.source.line_ends.items() if n}
        if len(mixed) > 1:
            ends = ", ".join(f"{n:,} {end}" for end, n in mixed.items())
            found.append(f"{self.name}: mixed line ends ({ends}); each ends a record")
        if self.source.open_end and self.number:
            found.append(f"{self.name}: the last line has no line end; check that it is whole")
        if self.source.replaced:
            found.append(
                f"{self.name}: {count(self.source.replaced, 'character')} U+FFFD: an earlier "
                "conversion lost letters there"
            )
        return tuple(found)

    def note(self, what: str, line: int) -> None:
        """Count something, as "noun: what happened to it", to be said once with its first line."""
        times, first = self._seen.get(what, (0, line))
        self._seen[what] = (times + 1, first)

    def reject(self, fault: Fault, raw: str) -> None:
        """Put a record aside, or raise if there is nowhere to put it."""
        if self._rejects is None:
            raise self.error(fault, self.or_else)
        self.number += 1
        self._rejects.add(fault.line, fault.column, fault.reason, raw.rstrip("\r\n"))

    def error(self, fault: Fault, or_else: str = "") -> DataError:
        """Return a fault as the one line that the user reads."""
        return DataError(f"{self.name}:{fault.line}: {fault.reason}; {fault.advice}{or_else}")

    def column_at(self, cell: int) -> str:
        """Return the name of a column for a message, or its number beyond the header."""
        columns = getattr(self, "columns", ())
        return shown(columns[cell]) if cell < len(columns) else f"cell {cell + 1}"

    def odd_character(self, cells: Sequence[str], line: int) -> Fault | None:
        """Return the fault of a record that holds a NUL or an undecodable byte."""
        for place, cell in enumerate(cells):
            column = self.column_at(place)
            if "\0" in cell:
                return Fault(
                    line,
                    column,
                    f"a NUL byte in column {column!r}",
                    "the file is damaged or not text: export it again",
                )
            try:
                cell.encode()
            except UnicodeEncodeError as error:
                code = ord(cell[error.start])
                what = (
                    f"byte {code - 0xDC00:#04x} is not UTF-8"
                    if code > 0xDC7F
                    else "half a character"
                )
                return Fault(
                    line,
                    column,
                    f"{what} in column {column!r}",
                    "name its encoding with --encoding",
                )
        return None

    def check_columns(self, line: int) -> None:
        """Refuse names that cannot tell columns apart."""
        places: dict[str, list[int]] = {}
        for place, name in enumerate(self.columns, 1):
            places.setdefault(name, []).append(place)
        for name, where in places.items():
            if len(where) > 1:
                listed = " and ".join(map(str, where[:4]))
                what = f"column '{shown(name)}' stands twice" if name else "columns have no name"
                fault = Fault(line, "", f"{what} (columns {listed})", "give each its own name")
                raise self.error(fault)
        if not any(places):
            raise self.error(Fault(line, "", "the header is blank", "name the columns"))
        self.opening_notes += odd_names(self.columns)
