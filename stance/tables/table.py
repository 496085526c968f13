"""Tables in, as a stream of records: CSV, JSON, Excel, Parquet or Arrow; never silent."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal, Protocol, Self, TypedDict

from stance.display import count, shown
from stance.errors import DataError, UsageError
from stance.tables.columns import PROSE, ColumnError, is_prose, optional_column
from stance.tables.json_lines import json_kind, read_json
from stance.tables.records import Check, Journal, Record, Records, RejectSink
from stance.tables.separated import NAMES, read_separated
from stance.tables.sources import Source, Text, kind_suffix

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


class Form(TypedDict, total=False):
    """What a user says of a table's form; see `open_table`."""

    delimiter: str | None
    quoting: Literal["none"] | None
    encoding: str | None
    sheet: str | None
    actor: str | None


class Table:
    """An open table: its columns at once, its records once, in a stream."""

    several = False  # whether its records come from several files
    elsewhere: Callable[[str], str] | None = None  # advice on where a missing column is

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

    def through(
        self, change: Callable[[Blocks], Blocks], notes: Callable[[], Iterable[str]] = tuple
    ) -> None:
        """Have the records, none of which is read yet, pass through a change, which adds notes."""
        before = self._notes
        self._notes = lambda: [*before(), *notes()]
        self._blocks = blocks = change(self._blocks)
        self._records = (record for block in blocks for record in block)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        where = ""
        if isinstance(error, ColumnError) and self.elsewhere:
            where = self.elsewhere(error.name)
        self.close()
        if isinstance(error, ColumnError) and where:
            raise DataError(f"{self.name}: no column '{shown(error.name)}'; {where}") from error

    def close(self) -> None:
        """Close the file."""
        self._records.close()
        self._blocks.close()
        self._file.close()

    def file_of(self, number: int) -> str:
        """Return what messages call the file that a record, or the next one, comes from."""
        return self.name

    def where(self, record: Record) -> str:
        """Return the file and line of a record, for messages."""
        return f"{self.file_of(record.number)}:{record.line}"

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
    quoting: Literal["none"] | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
    actor: str | None = None,
    rejects: RejectSink | None = None,
    or_else: str = "",
) -> Table:
    """Open a table, or standard input (None), and read its columns.

    A `delimiter` is one character, or ``tab``; None to detect it. With the `quoting` none, a quote
    is a character like others. No `encoding` is UTF-8, or what a byte order mark says. A `sheet` is
    one of a workbook's; None for the first. With an `actor`, there is a column for it; see
    `set_actor`. `rejects` takes bad records; without it the first raises `DataError`, to which
    `or_else` adds what else a user can do.

    Cells come back as they went in. An empty line is skipped, but in a table of one column it
    is an empty cell; both are noted. So are quotes inside an unquoted cell, if the record has its
    number of cells. A record of another width and a repeated header are bad records.
    """
    table = _open(path, delimiter, quoting, encoding, sheet, rejects, or_else)
    if actor is not None:
        try:
            set_actor(table, actor)
        except BaseException:
            table.close()
            raise
    return table


def set_actor(table: Table, actor: str, *, add: bool = True) -> None:
    """Have a table be about one actor: add a column `actor`, or raise where its own says another.

    Without `add`, only its own column is looked at.
    """
    if not (actor := actor.strip()):
        raise UsageError("--actor is empty; name the actor that all rows are about")
    at = optional_column(table.columns, "actor", table.name)

    def change(blocks: Blocks) -> Blocks:
        for block in blocks:
            if at is None:
                yield replace(block, columns=[*block.columns, [actor] * len(block)])
                continue
            for record in block if any(cell.strip() != actor for cell in block.columns[at]) else ():
                if (cell := record.cells[at].strip()) != actor:
                    what = f"column '{shown(table.columns[at], 40)}' says '{shown(cell, 40)}'"
                    advice = f"where --actor says '{shown(actor, 40)}'; drop --actor"
                    raise DataError(f"{table.where(record)}: {what} {advice}")
            yield block

    if add or at is not None:
        table.through(change)
    if add and at is None:
        table.columns = (*table.columns, "actor")


def _open(
    path: Path | None,
    delimiter: str | None,
    quoting: Literal["none"] | None,
    encoding: str | None,
    sheet: str | None,
    rejects: RejectSink | None,
    or_else: str,
) -> Table:
    asked = _one_character(delimiter)
    file = Source(path, binary=True)
    journal = Journal(file.name, rejects, or_else)
    first = ""
    try:
        if path is not None and file.binary:
            return _open_binary(file, path, sheet, journal)
        text = Text(file, encoding, salvage=rejects is not None)
        first = next(iter(text.head().strip().splitlines()), "")
        suffix = kind_suffix(path)
        kind = "" if suffix in SEPARATED_NAMES else json_kind(text.head(), suffix)
        if kind:
            form = "JSON Lines" if kind == "lines" else "a list in JSON"
            blocks = read_json(text, journal, kind)
        else:
            default = "\t" if suffix in (".tsv", ".tab") else ","
            quotes = quoting != "none"
            mark, blocks = read_separated(text, journal, asked, default, quotes=quotes)
            form = f"separator {NAMES.get(mark, repr(mark))}" + ", no quoting" * (not quotes)
    except BaseException as error:
        file.close()
        if isinstance(error, DataError) and path is None and is_prose(first):
            raise DataError(f"{file.name}: {PROSE}") from error
        raise
    if sheet is not None:
        journal.note("is not a workbook, so --sheet does not apply")
    form += f", {count(len(journal.columns), 'column')}, {text.encoding}"
    if file.compression:
        form += f", {file.compression} compressed"

    def notes() -> list[str]:
        return [form, *journal.notes(), *(text.notes(cut_off=journal.number > 0))]

    return Table(file, journal, blocks, notes)


@contextmanager
def encoded_by(option: str) -> Iterator[None]:
    """Have errors name the option of another table's encoding, where --encoding is of the main."""
    try:
        yield
    except DataError as error:
        if " --encoding" not in str(error):
            raise
        raise DataError(str(error).replace(" --encoding", f" {option}")) from error


def _open_binary(file: Source, path: Path, sheet: str | None, journal: Journal) -> Table:
    """Open a workbook or a Parquet or Arrow file, whose library is imported only then."""
    elsewhere: Callable[[str], str] | None = None
    if file.binary in ("parquet", "arrow"):
        from stance.tables.arrow import read_arrow

        form, blocks = read_arrow(path, journal)
    else:
        from stance.tables.excel import read_workbook

        form, blocks, elsewhere = read_workbook(path, sheet, journal)
    form += f", {count(len(journal.columns), 'column')}"
    file.name = journal.name  # which has the sheet by now
    table = Table(file, journal, unchanged(file, blocks), lambda: [form, *journal.notes()])
    table.elsewhere = elsewhere
    return table


def unchanged(file: Source, blocks: Blocks) -> Blocks:
    """Yield the blocks of a file, and raise at the end if it has changed meanwhile."""
    yield from blocks
    file.check_unchanged()


def _one_character(delimiter: str | None) -> str | None:
    if delimiter is None:
        return None
    mark = {"tab": "\t", "\\t": "\t"}.get(delimiter.lower(), delimiter)
    if len(mark) != 1 or mark in '"\r\n\0' or (not mark.isascii() and not mark.isprintable()):
        raise UsageError(f"--delimiter must be one character or 'tab', not '{shown(delimiter)}'")
    return mark
