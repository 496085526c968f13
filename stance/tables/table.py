"""Tables in, as a stream of records: CSV, TSV or JSON Lines, plain or compressed, never silent."""

import difflib
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Protocol, Self

import numpy as np

from stance.arrays import Ints
from stance.display import count, shown
from stance.errors import DataError, UsageError
from stance.tables._bytes import JSON_NAMES, kind_suffix
from stance.tables._jsonlines import read_json_lines
from stance.tables._oddities import folded
from stance.tables._quoting import NAMES, SEPARATORS
from stance.tables._reading import Check, Journal, Record, Records, RejectSink
from stance.tables._separated import read_separated
from stance.tables._sources import Source

Blocks = Generator[Records]
SEPARATED_NAMES = (".csv", ".tsv", ".tab", ".psv", ".txt")


class Bytes(Protocol):
    """The bytes of a table, in a file or in several."""

    name: str  # in messages

    @property
    def bytes_read(self) -> int:
        """Bytes read so far, before decompression."""

    @property
    def bytes_total(self) -> int | None:
        """Bytes in all, before decompression; None for a stream."""

    def close(self) -> None:
        """Close them."""


class Table:
    """An open table: its columns at once, its records once, in a stream."""

    def __init__(
        self, file: Bytes, journal: Journal, blocks: Blocks, notes: Callable[[], Sequence[str]]
    ) -> None:
        self.name, self.columns = file.name, journal.columns
        self._file, self._journal, self._blocks, self._notes = file, journal, blocks, notes
        self._records = (record for block in blocks for record in block)

    def __iter__(self) -> Iterator[Record]:
        return self._records

    def blocks(self) -> Iterator[Records]:
        """Return the records some at a time, as they are read; instead of one at a time."""
        return self._blocks

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._records.close()
        self._blocks.close()
        self._file.close()

    def guard(self, check: Check) -> None:
        """Check every record that can be read; one with a fault is a bad record like others."""
        self._journal.check = check

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines for stderr; those on records are complete once all records are read."""
        return tuple(f"{self.name}: {note}" for note in self._notes())

    @property
    def records_in(self) -> int:
        """Records so far, good and rejected."""
        return self._journal.number

    @property
    def bytes_read(self) -> int:
        """Bytes taken from the file so far, before decompression."""
        return self._file.bytes_read

    @property
    def bytes_total(self) -> int | None:
        """Bytes of the file, before decompression; None for a stream."""
        return self._file.bytes_total


def open_table(
    path: Path | None,
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
    rejects: RejectSink | None = None,
    or_else: str = "",
) -> Table:
    """Open a table, or standard input (None), and read its columns.

    A `delimiter` is one character, or ``tab``; None to detect it. No `encoding` is UTF-8, or what a
    byte order mark says. `rejects` takes bad records; without it the first raises `DataError`, to
    which `or_else` adds what else a user can do.

    Cells come back as they went in. An empty line is skipped, but in a table of one column it
    is an empty cell; both are noted. A quote inside an unquoted cell, a record of another width
    and a repeated header are bad records.
    """
    asked = _one_character(delimiter)
    source = Source(path, encoding, salvage=rejects is not None)
    journal = Journal(source.name, rejects, or_else)
    try:
        suffix = kind_suffix(path)
        if _is_json_lines(source, suffix):
            form, blocks = "JSON Lines", read_json_lines(source, journal)
        else:
            default = "\t" if suffix in (".tsv", ".tab") else ","
            mark, blocks = read_separated(source, journal, asked, default)
            form = f"separator {NAMES.get(mark, repr(mark))}"
    except BaseException:
        source.file.close()
        raise
    form += f", {count(len(journal.columns), 'column')}, {source.encoding}"
    if source.file.compression != "none":
        form += f", {source.file.compression} compressed"

    def notes() -> list[str]:
        return [form, *journal.notes(), *source.notes(cut_off=journal.number > 0)]

    return Table(source.file, journal, blocks, notes)


def _one_character(delimiter: str | None) -> str | None:
    if delimiter is None:
        return None
    mark = {"tab": "\t", "\\t": "\t"}.get(delimiter.lower(), delimiter)
    if len(mark) != 1 or mark in '"\r\n\0' or (not mark.isascii() and not mark.isprintable()):
        raise UsageError(f"--delimiter must be one character or 'tab', not '{shown(delimiter)}'")
    return mark


def _is_json_lines(source: Source, suffix: str) -> bool:
    """Return whether a table is JSON Lines, by its name or by how its text begins."""
    if suffix in SEPARATED_NAMES:
        return False
    head = source.head().lstrip()
    if head[:1] == "[" and head[1:].lstrip()[:1] == "{":
        raise DataError(
            f"{source.name}: is one JSON list; save it as JSON Lines, one object in each line"
        )
    begins_with_object = head[:1] == "{" and head[1:].lstrip()[:1] in ('"', "}")
    return suffix in JSON_NAMES or begins_with_object


def column(table_columns: Sequence[str], name: str, table_name: str, option: str = "") -> int:
    """Return the place of a column, or raise with the name, and `option`, that may be meant.

    >>> column(("id", "text"), "text", "mine.csv")
    1
    """
    if name in table_columns:
        return list(table_columns).index(name)
    advice = _advice(table_columns, name, option)
    raise DataError(f"{table_name}: no column '{shown(name)}'; {advice}")


def misnamed(table_columns: Sequence[str], names: Sequence[str], table_name: str) -> list[str]:
    """Return notes on columns that differ from optional ones in case or spaces alone.

    >>> misnamed(("text", "Actor"), ("actor", "spans"), "mine.csv")
    ["mine.csv: column 'Actor' is not read as 'actor'; rename it if you mean that column"]
    """
    wanted = {folded(name): name for name in names if name not in table_columns}
    return [
        f"{table_name}: column '{shown(found)}' is not read as '{wanted[folded(found)]}'; "
        "rename it if you mean that column"
        for found in table_columns
        if folded(found) in wanted
    ]


def _advice(columns: Sequence[str], name: str, option: str) -> str:
    wanted = folded(name)
    alike = [column for column in columns if folded(column) == wanted]
    if alike:
        or_else = f", or use {option} '{shown(alike[0])}'" if option else ""
        return f"rename '{shown(alike[0])}'{or_else}: case, spaces and quotes count"
    if len(columns) == 1 and (one := _unseparated(columns[0], wanted)):
        return one
    near = difflib.get_close_matches(wanted, [folded(column[:200]) for column in columns], n=1)
    if near:
        place = [folded(column[:200]) for column in columns].index(near[0])
        return f"did you mean {option}{' ' if option else ''}'{shown(columns[place])}'?"
    if any(map(_looks_like_data, columns)):
        return f"line 1 begins with '{shown(columns[0])}': are the column names missing?"
    listed = ", ".join(shown(column, 30) for column in columns[:8])
    or_else = f"; choose one with {option}" if option else ""
    return f"it has {listed}{' …' if len(columns) > 8 else ''}{or_else}"


def _unseparated(header: str, wanted: str) -> str | None:
    """Return advice where the only column holds the wanted name beside others."""
    mark = next((m for m in (*SEPARATORS, ":", " ") if wanted in map(folded, header.split(m))), "")
    quoted = "remove the quotes around it, or " if mark in SEPARATORS else ""
    advice = f"{quoted}name its separator with --delimiter"
    return f"the header is one column {shown(header)!r}; {advice}" if mark else None


def _looks_like_data(name: str) -> bool:
    is_number = re.fullmatch(r"[+-]?\d[\d.,:/-]*", name) is not None
    return is_number or len(name) > 60 or name.count(" ") > 3


_DATES = (
    r"(?P<y>\d{4})(?:([-/.])(?P<m>\d{1,2})(?:\2(?P<d>\d{1,2}))?)?(?:[T ]\d.*)?",
    r"(?P<y>\d{4})(?P<m>\d\d)(?P<d>\d\d)",
    r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})",
)


@lru_cache(maxsize=1 << 16)
def day_of(text: str) -> int | None:
    """Return the ordinal of a date; None if it is ambiguous or not a date.

    Read are ``2024``, ``2024-03``, ``2024-03-09`` (also with ``/`` or ``.``, or a time after it),
    ``20240309`` and ``09.03.2024``. A date such as ``03/04/2024`` is not: month and day may be
    swapped. A bare year or month counts as its first day.
    """
    for form in _DATES:
        if found := re.fullmatch(form, text.strip()[:40], re.ASCII):
            parts = found.groupdict()
            try:
                day = date(int(parts["y"]), int(parts["m"] or 1), int(parts["d"] or 1))
            except ValueError:
                return None
            return day.toordinal()
    return None


@lru_cache(maxsize=1 << 16)
def month_of(text: str) -> int | None:
    """Return the month of a date, counted from the year 0, where `day_of` can read it.

    >>> month_of("2024-03-09T12:00") == 2024 * 12 + 2, month_of("03/04/2024")
    (True, None)
    """
    if (ordinal := day_of(text)) is None:
        return None
    day = date.fromordinal(ordinal)
    return day.year * 12 + day.month - 1


def months_of(dates: Sequence[str]) -> Ints:
    """Return the month of each date as `month_of` counts it; -1 where it cannot be told.

    Unlike there, a bare year has no month.

    >>> months_of(["0001-03", "2024", "03/04/2024", ""]).tolist()
    [14, -1, -1, -1]
    """
    found = (None if len(text.strip()) <= _YEAR else month_of(text) for text in dates)
    return np.array([-1 if month is None else month for month in found], np.int64)


_YEAR = len("2024")
