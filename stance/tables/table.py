"""A table: its columns, its records in chunks, and notes on what is odd about them."""

import json
import re
import unicodedata
from bisect import bisect
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, Self

from stance.display import count, shown
from stance.errors import DataError
from stance.tables.sources import MAX_CELL, MEGABYTE, NOT_UTF8, InputFile

_CHUNK_ROWS, _CHUNK_CHARACTERS = 500, 4 * MEGABYTE  # read together, so few that long ones fit
_HALF = re.compile("[\ud800-\udfff]")  # a character
AROUND = " \t\r\n\0\"'\ufeff\u200b\xa0"  # around a name, unseen by a reader; and quotes


class Value(str):
    """A cell that is not a text where it comes from: a number, true, null or nested JSON.

    It reads as it is written there, and null as an empty cell; JSON gets it back unchanged.
    """

    __slots__ = ()


def as_json(cell: str) -> str:
    """Return a cell in JSON."""
    return (cell or "null") if isinstance(cell, Value) else json.dumps(cell, ensure_ascii=False)


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

    @classmethod
    def of(cls, records: Iterable[Record]) -> Self:
        """Return records that came one by one."""
        numbers, lines, rows = tuple(zip(*records, strict=True)) or ((), (), ())
        return cls(numbers, lines, list(map(list, zip(*rows, strict=True))))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the records of all parts, of which there are 1 or more."""
        pieces: Any = zip(*((p.numbers, p.lines, *p.columns) for p in parts), strict=True)
        numbers, lines, *columns = (list(chain.from_iterable(piece)) for piece in pieces)
        return cls(numbers, lines, columns)

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[Record]:
        return map(Record, self.numbers, self.lines, zip(*self.columns, strict=True))

    def __getitem__(self, which: slice) -> Self:
        columns = [cells[which] for cells in self.columns]
        return type(self)(self.numbers[which], self.lines[which], columns)


class Fault(NamedTuple):
    """Why a record is bad."""

    line: int  # where the fault is, from 1
    column: str  # empty where no one column is to blame
    reason: str
    advice: str


Chunks = Generator[Records]
Row = tuple[int, Sequence[str] | Fault, str]  # line, cells or what is wrong, and raw text
Reject = Callable[[int, str, str, str], None]  # keeps line, column, reason and text of a bad record
Check = Callable[[Sequence[str], int], Fault | None]  # of the cells of a record, and its line


class Table(AbstractContextManager["Table"]):
    """An open table: its columns at once, its records once, in a stream.

    A reader names the columns, sets `chunks` and `form`, and tells of records by `take` and `note`.
    """

    def __init__(
        self, name: str, columns: Sequence[str] = (), reject: Reject | None = None
    ) -> None:
        self.name = name  # in messages
        self.columns = self.header = tuple(columns)  # as they come, and as they are read
        self.headers = dict[Path, tuple[str, ...]]()  # columns of several files, as named here
        self.files = list[tuple[int, str]]()  # of several: the records before each, and its name
        self.chunks: Chunks = (part for part in list[Records]())  # read as they are asked for
        self.unit = "line"  # what its records are in
        self.form = ""  # what the first note says of its format
        self.records_in = 0  # so far, good and rejected
        self.headings: set[str] = set()  # of an article, as far as its page marks them
        self.or_else = ""  # what else a user can do about a bad record
        self.check: Check | None = None  # of its user; a record with a fault is a bad one
        self.other_sheets = ""  # what to do if the columns are those of the wrong sheet
        self.sheet_with: Callable[[str], str | None] = lambda name: None  # another with a column
        self.source: InputFile | None = None  # that the table reads
        self._reject = reject
        self.noted: dict[str, tuple[int, str]] = {}  # how often, and the first place, if any

    def __iter__(self) -> Iterator[Record]:
        return chain.from_iterable(self.chunks)

    def through(self, change: Callable[[Records], Records]) -> None:
        """Change the records, none of which is read yet, as they come."""
        self.chunks = (change(chunk) for chunk in self.chunks)

    def close(self, *_: object) -> None:
        """Close the file."""
        self.chunks.close()
        if self.source:
            self.source.close()

    __exit__ = close

    def file_of(self, number: int) -> str:
        """Return what messages call the file that a record, or the next one, comes from."""
        pos = bisect(self.files, number - 1, key=lambda begun: begun[0])
        return self.files[pos - 1][1] if pos else self.name

    def place(self, records: Records, pos: int) -> str:
        """Return the line of one of some records, after its file if that is one of several."""
        file, line = self.file_of(records.numbers[pos]), records.lines[pos]
        return f"{self.unit} {line}" if file == self.name else self._where(file, line)

    def where(self, record: Record) -> str:
        """Return the file and line of a record, for messages."""
        return self._where(self.file_of(record.number), record.line)

    def _where(self, file: str, line: int) -> str:
        return f"{file}:{line}" if self.unit == "line" else f"{file}, {self.unit} {line}"

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines for stderr; those on records are complete once all records are read."""
        notes = [*self.remarks()]
        for what, (times, first) in self.noted.items():
            noun, _, happened = what.partition(": ")
            if first:
                notes.append(f"{count(times, noun)} {happened} (first: {first})")
        return tuple(f"{self.name}: {note}" for note in notes)

    def remarks(self) -> Iterator[str]:
        """Yield what is to be said of the table as a whole."""
        form = filter(None, [self.form, self.source.form if self.source else ""])
        yield from filter(None, [", ".join(form)])
        yield from (what for what, (_, first) in self.noted.items() if not first)

    def progress(self) -> tuple[int, int | None]:
        """Return the bytes read so far, and those of the file; None for a stream."""
        return self.source.progress() if self.source else (0, None)

    def name_columns(self, names: Sequence[str], line: int) -> None:
        """Set the names of the columns; refuse duplicates, and note odd ones."""
        if fault := undecoded(names, names, line):
            raise self.error(fault)
        name, times = Counter(names).most_common(1)[0]
        if times > 1:
            places = [str(place) for place, other in enumerate(names, 1) if other == name]
            what = f"column '{shown(name)}' appears twice" if name else "columns have no name"
            reason = f"{what} (columns {' and '.join(places[:4])})"
            advice = "give each its own name" + ", or remove lines above the header" * (not name)
            raise self.error(Fault(line, "", reason, advice))
        self.columns = self.header = tuple(names)
        if "" in names:
            self.note(f"column {names.index('') + 1} has no name; it is kept as it is")
        odd = [name for name in names if name != name.strip(AROUND) or not name.isprintable()]
        if odd:
            others = f" and {len(odd) - 1} more" if len(odd) > 1 else ""
            kept = "spaces, quotes and invisible characters in names and cells are kept"
            self.note(f"column name '{shown(odd[0])}'{others}: {kept}")

    def note(self, what: str, place: int | str = "", times: int = 1) -> None:
        """Count something, as "noun: what happened to it"; without a place, note it as it is."""
        where = f"{self.unit} {place}" if isinstance(place, int) else place
        before, first = self.noted.get(what, (0, where))
        self.noted[what] = (before + times, first)

    def take(self, rows: Iterable[Row]) -> Chunks:
        """Yield good records in chunks; reject bad ones, or raise at the first."""
        good, characters = list[Record](), 0
        try:
            for line, row, raw in rows:
                fault, cells = (row, ()) if isinstance(row, Fault) else (None, row)
                fault = fault or undecoded(cells, self.header, line)
                fault = fault or (self.check and self.check(cells, line))
                if fault and self._reject is None:
                    raise self.error(fault)
                self.records_in += 1
                if not fault:
                    good.append(Record(self.records_in, line, tuple(cells)))
                    characters += sum(map(len, cells))
                    if len(good) == _CHUNK_ROWS or characters > _CHUNK_CHARACTERS:
                        yield Records.of(good)
                        good, characters = [], 0
                elif self._reject:
                    raw = raw.rstrip("\r\n") or json.dumps(cells)
                    self._reject(fault.line, fault.column, fault.reason, raw)
        except DataError:
            if good:  # those before the one that ends the run
                yield Records.of(good)
            raise
        if good:  # a chunk of bad records alone has no columns
            yield Records.of(good)

    def error(self, fault: Fault) -> DataError:
        """Return a fault as the one line that the user reads."""
        where = self._where(self.name, fault.line)
        return DataError(f"{where}: {fault.reason}; {fault.advice}{self.or_else}")


def folded(name: str) -> str:
    """Return a name without what is not seen: case, spaces, quotes, kinds of letters.

    >>> folded(" 'Text'\u200b")
    'text'
    """
    visible = (c for c in unicodedata.normalize("NFKC", name) if unicodedata.category(c) != "Cf")
    return "".join(visible).strip(AROUND).casefold()


def column_at(columns: Sequence[str], cell: int) -> str:
    """Return the name of a column for a message, or its number beyond the header."""
    return shown(columns[cell], 40) if cell < len(columns) else f"cell {cell + 1}"


def is_whole(text: str) -> bool:
    """Return whether a text holds no NUL and no half of a character."""
    with suppress(UnicodeEncodeError):
        text.encode("utf-32-le")  # sooner than UTF-8 where not all is ASCII
        return "\0" not in text
    return False


def undecoded(cells: Sequence[str], columns: Sequence[str], line: int) -> Fault | None:
    """Return the fault of a record with a cell that no output could hold."""
    if len(text := "".join(cells)) <= MAX_CELL and is_whole(text):
        return None
    for place, cell in enumerate(cells):
        if len(cell) > MAX_CELL:
            what, advice = f"more than {MAX_CELL // MEGABYTE} MB", "split its text"
        elif "\0" in cell:
            what, advice = "a NUL byte", "save it as UTF-8 (it may be UTF-16), or export it again"
        elif half := _HALF.search(cell):
            byte = ord(half[0]) - 0xDC00  # where it was salvaged
            what, advice = f"byte {byte:#04x} is not UTF-8", NOT_UTF8
            if byte < 0x80 or byte > 0xFF:
                what, advice = "half a character", "correct it"
        else:
            continue
        name = column_at(columns, place)
        return Fault(line, name, f"{what} in column '{name}'", advice)
    return None
