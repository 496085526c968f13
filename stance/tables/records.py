"""What every reader of tables shares: records, faults, and a journal of both."""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple, Protocol, Self

from stance.display import count, shown
from stance.errors import DataError
from stance.tables.sources import MEGABYTE

MAX_CELL = 10 * MEGABYTE  # characters in a cell
MAX_COLUMNS = 10_000
AROUND = " \t\r\n\0\"'\ufeff\u200b\xa0"  # around a name, unseen by a reader; and quotes


class Value(str):
    """A cell that is not a text where it comes from: a number, true, null or nested JSON.

    It reads as it is written there, and null as an empty cell; JSON gets it back unchanged.
    """

    __slots__ = ()

    @property
    def json(self) -> str:
        """The value in JSON."""
        return self or "null"


class Record(NamedTuple):
    """One row of a table."""

    number: int  # of the record in its table, from 1; rejected records count
    line: int  # where it starts, from 1
    cells: tuple[str, ...]  # as many as the table has columns, as they went in


@dataclass(frozen=True, slots=True)
class Records:
    """Some records of a table, by column; they are read, judged and written together.

    >>> records = Records.of([Record(1, 2, ("a", "NATO")), Record(2, 3, ("b", ""))])
    >>> records.columns[1]
    ['NATO', '']
    >>> list(records[1:])
    [Record(number=2, line=3, cells=('b', ''))]
    """

    numbers: Sequence[int]
    lines: Sequence[int]
    columns: Sequence[list[str]] = field(repr=False)  # logs of a cluster show arguments
    characters: int  # of all cells, or of their lines, which have a few more

    @classmethod
    def of(cls, records: Iterable[Record]) -> Self:
        """Return records that came one by one."""
        numbers, lines, rows = tuple(zip(*records, strict=True)) or ((), (), ())
        columns = list(map(list, zip(*rows, strict=True)))
        return cls(numbers, lines, columns, _characters(columns))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the records of all parts, of which there are 1 or more."""
        numbers, lines = (part.numbers for part in parts), (part.lines for part in parts)
        columns = list(map(_chained, zip(*(part.columns for part in parts), strict=True)))
        size = sum(part.characters for part in parts)
        return cls(_chained(numbers), _chained(lines), columns, size)

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
    return list(chain.from_iterable(parts))


def _characters(columns: Sequence[list[str]]) -> int:
    return sum(sum(map(len, cells)) for cells in columns)


class RejectSink(Protocol):
    """Takes the records that cannot be read; see `stance.tables.Rejects`."""

    def add(self, line: int, column: str, reason: str, raw: str) -> None:
        """Keep one record."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a record is bad."""

    line: int  # where the fault is, from 1
    column: str  # empty where no one column is to blame
    reason: str
    advice: str


# Judges the cells of a record that can be read, and the line where it starts.
Check = Callable[[Sequence[str], int], Fault | None]


class Journal:
    """What happens while a table is read: records counted, bad ones put aside, oddities noted."""

    def __init__(self, name: str, rejects: RejectSink | None = None, or_else: str = "") -> None:
        self.name = name
        self.columns: tuple[str, ...] = ()
        self.number = 0  # records so far, good and rejected
        self.check: Check | None = None  # what the table's user asks of a record beyond its form
        self._rejects = rejects
        self._or_else = or_else
        self._opening: list[str] = []
        self._seen: dict[str, tuple[int, int]] = {}

    def name_columns(self, names: Sequence[str], line: int) -> None:
        """Set the names of the columns; refuse duplicates, and note odd ones."""
        if fault := undecoded(names, names, line):
            raise self.error(fault)
        twice = [name for name, times in Counter(names).items() if times > 1]
        if twice:
            places = [str(place) for place, name in enumerate(names, 1) if name == twice[0]]
            what = (
                f"column '{shown(twice[0])}' appears twice" if twice[0] else "columns have no name"
            )
            reason = f"{what} (columns {' and '.join(places[:4])})"
            raise self.error(Fault(line, "", reason, "give each its own name"))
        if not any(names):
            raise self.error(Fault(line, "", "the header is blank", "name the columns"))
        self.columns = tuple(names)
        if "" in names:
            self.note(f"column {names.index('') + 1} has no name; it is kept as it is")
        odd = [name for name in names if name != name.strip(AROUND) or not name.isprintable()]
        if odd:
            others = f" and {len(odd) - 1} more" if len(odd) > 1 else ""
            self.note(
                f"column name '{shown(odd[0])}'{others}: spaces, quotes and invisible characters "
                "in names and cells are kept"
            )

    def note(self, what: str, line: int = 0, times: int = 1) -> None:
        """Count something, as "noun: what happened to it"; without a line, note it as it is."""
        if not line:
            self._opening.append(what)
            return
        before, first = self._seen.get(what, (0, line))
        self._seen[what] = (before + times, first)

    def notes(self) -> list[str]:
        """Return the notes so far; those on records are complete once all are read."""
        found = list(self._opening)
        for what, (times, line) in self._seen.items():
            noun, _, happened = what.partition(": ")
            found.append(f"{count(times, noun)} {happened} (first: line {line})")
        return found

    def reject(self, fault: Fault, raw: str) -> None:
        """Put a record aside, or raise if there is nowhere to put it."""
        if self._rejects is None:
            raise self.error(fault, self._or_else)
        self.number += 1
        self._rejects.add(fault.line, fault.column, fault.reason, raw.rstrip("\r\n"))

    def error(self, fault: Fault, or_else: str = "") -> DataError:
        """Return a fault as the one line that the user reads."""
        return DataError(f"{self.name}:{fault.line}: {fault.reason}; {fault.advice}{or_else}")


def together(records: Iterable[Record]) -> Iterator[Records]:
    """Yield some records as one block; where a bad one ends them, those before it."""
    found: list[Record] = []
    try:
        found.extend(records)
    except DataError:
        if found:
            yield Records.of(found)
        raise
    if found:  # a block of bad records alone has no columns
        yield Records.of(found)


def judged(
    rows: Iterable[tuple[int, Sequence[str] | Fault, str]], journal: Journal
) -> Iterator[Record]:
    """Yield the good records among some rows: line, cells or what is wrong, and raw text."""
    for line, cells, raw in rows:
        if journal.check and not isinstance(cells, Fault):
            cells = journal.check(cells, line) or cells
        if isinstance(cells, Fault):
            journal.reject(cells, raw)
        else:
            journal.number += 1
            yield Record(journal.number, line, tuple(cells))


def folded(name: str) -> str:
    """Return a name without what is not seen: case, spaces, quotes, kinds of letters.

    >>> folded(" 'Text'\u200b")
    'text'
    """
    visible = (c for c in unicodedata.normalize("NFKC", name) if unicodedata.category(c) != "Cf")
    return "".join(visible).strip(AROUND).casefold()


def column_at(columns: Sequence[str], cell: int) -> str:
    """Return the name of a column for a message, or its number beyond the header."""
    return shown(columns[cell]) if cell < len(columns) else f"cell {cell + 1}"


def undecoded(cells: Sequence[str], columns: Sequence[str], line: int) -> Fault | None:
    """Return the fault of a record that holds a NUL or an undecodable byte."""
    for place, cell in enumerate(cells):
        name = column_at(columns, place)
        if "\0" in cell:
            advice = "the file is damaged or not text: export it again"
            return Fault(line, name, f"a NUL byte in column {name!r}", advice)
        try:
            cell.encode()
        except UnicodeEncodeError as error:
            byte = ord(cell[error.start]) - 0xDC00  # where it was salvaged
            what, advice = f"byte {byte:#04x} is not UTF-8", "name its encoding with --encoding"
            if byte < 0x80 or byte > 0xFF:
                what, advice = "half a character", "correct it"
            return Fault(line, name, f"{what} in column {name!r}", advice)
    return None


def too_long(cells: Sequence[str], columns: Sequence[str], line: int) -> Fault | None:
    """Return the fault of a record with a cell that no table out could hold."""
    name = next((column_at(columns, at) for at, c in enumerate(cells) if len(c) > MAX_CELL), None)
    if name is None:
        return None
    reason = f"more than {MAX_CELL // MEGABYTE} MB in column {name!r}"
    return Fault(line, name, reason, "split its text")
