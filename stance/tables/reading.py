"""What every reader of tables does alike: number the records, judge bad ones, keep notes."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from stance.display import count, shown
from stance.errors import DataError
from stance.tables.files import MEGABYTE
from stance.tables.headers import odd_names
from stance.tables.records import Record, Records
from stance.tables.sources import Source

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
