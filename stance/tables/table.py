"""Tables in, as a stream of records: CSV, TSV or JSON Lines, plain or compressed, never silent."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from stance.display import count, shown
from stance.errors import DataError, UsageError
from stance.tables.charsets import Encoding
from stance.tables.jsonlines import JsonReader
from stance.tables.quoting import NAMES
from stance.tables.reading import Check, Reader, RejectSink
from stance.tables.records import Record, Records
from stance.tables.separated import SeparatedReader
from stance.tables.sources import Source

__all__ = ["Dialect", "Record", "Records", "Table", "open_table"]

_JSON_NAMES = (".jsonl", ".ndjson")
_SEPARATED_NAMES = (".csv", ".tsv", ".tab", ".psv", ".txt")
_COMPRESSED_NAMES = (".gz", ".zst")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a table is written.

    Attributes
    ----------
    delimiter : str
        One character; empty for JSON Lines.
    encoding : str
        Name of the codec, such as ``utf-8`` or ``utf-16-le``.
    bom : bool
        Whether a byte order mark stood at its beginning.
    """

    kind: Literal["csv", "jsonl"]
    delimiter: str
    encoding: str
    bom: bool
    compression: Literal["none", "gz", "zst"]


class Table:
    """An open table: its columns at once, its records once, in a stream.

    Attributes
    ----------
    name : str
        What messages call it.
    columns : tuple of str
        As they stand in the file.
    """

    def __init__(self, source: Source, reader: Reader, dialect: Dialect) -> None:
        self.name = source.name
        self.columns = reader.columns
        self.dialect = dialect
        self._source = source
        self._reader = reader
        self._blocks = reader.blocks()
        self._records = (record for block in self._blocks for record in block)

    def __iter__(self) -> Iterator[Record]:
        return self._records

    def blocks(self) -> Iterator[Records]:
        """Return the records some at a time, as they are read; instead of one at a time."""
        return self._blocks

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._records.close()
        self._blocks.close()
        self._source.file.close()

    def guard(self, check: Check) -> None:
        """Have every record checked; where something is found, it is a bad record like others."""
        self._reader.check = check

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines for stderr; those on records are complete once all records are read."""
        return (_format_note(self), *self._reader.notes())

    @property
    def records_in(self) -> int:
        """Records so far, good and rejected."""
        return self._reader.number

    @property
    def bytes_read(self) -> int:
        """Bytes taken from the file so far, before decompression."""
        return self._source.file.bytes_read

    @property
    def bytes_total(self) -> int | None:
        """Bytes of the file, before decompression; None for a stream."""
        return self._source.file.bytes_total


def open_table(
    path: Path | None,
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
    rejects: RejectSink | None = None,
    or_else: str = "",
) -> Table:
    """Open a table and read its columns.

    Parameters
    ----------
    path : Path or None
        None is standard input.
    delimiter : str or None
        One character, or ``tab``; None to tell it from the header and the first records.
    encoding : str or None
        None is UTF-8, or what a byte order mark says.
    rejects : RejectSink or None
        Takes bad records, so that the run goes on; None to raise at the first.
    or_else : str
        What a message on a bad record adds: what else a user can do about it.

    Raises
    ------
    DataError
        The table, or one of its records during iteration, cannot be used.

    Notes
    -----
    Cells come back as they went in. An empty line is skipped, but in a table of one column it
    is an empty cell, since spreadsheets save one so; both are noted. A quote inside an unquoted
    cell, a record of another width and a repeated header are bad records. Limits: 10 MB a cell,
    16 MB a record, 10,000 columns, 200 times the compressed size.
    """
    separator = _one_character(delimiter)
    source = Source(path, encoding, salvage=rejects is not None)
    try:
        reader = _reader(source, _suffix(path), separator, rejects)
        reader.or_else = or_else
    except BaseException:
        source.file.close()
        raise
    separator = reader.separator if isinstance(reader, SeparatedReader) else ""
    kind: Literal["csv", "jsonl"] = "csv" if separator else "jsonl"
    dialect = Dialect(kind, separator, source.encoding, source.bom, source.file.compression)
    return Table(source, reader, dialect)


# --- What kind of table ----------------------------------------------------------------------


def _one_character(delimiter: str | None) -> str | None:
    if delimiter is None:
        return None
    mark = {"tab": "\t", "\\t": "\t"}.get(delimiter.lower(), delimiter)
    if len(mark) != 1 or mark in '"\r\n\0' or (not mark.isascii() and not mark.isprintable()):
        raise UsageError(f"--delimiter must be one character or 'tab', not '{shown(delimiter)}'")
    return mark


def _suffix(path: Path | None) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes] if path else []
    if suffixes and suffixes[-1] in _COMPRESSED_NAMES:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _reader(
    source: Source, suffix: str, separator: str | None, rejects: RejectSink | None
) -> Reader:
    by_content = suffix not in _SEPARATED_NAMES and _begins_with_object(source)
    if suffix in _JSON_NAMES or by_content:
        return JsonReader(source, rejects)
    default = "\t" if suffix in (".tsv", ".tab") else ","
    return SeparatedReader(source, separator, default, rejects)


def _begins_with_object(source: Source) -> bool:
    head = source.head().lstrip()
    if head[:1] == "[" and head[1:].lstrip()[:1] == "{":
        raise DataError(
            f"{source.name}: is one JSON list; save it as JSON Lines, one object in each line"
        )
    return head[:1] == "{" and head[1:].lstrip()[:1] in ('"', "}")


def _format_note(table: Table) -> str:
    dialect = table.dialect
    parts = [f"separator {NAMES.get(dialect.delimiter, repr(dialect.delimiter))}"]
    if dialect.kind == "jsonl":
        parts = ["JSON Lines"]
    parts.append(count(len(table.columns), "column"))
    parts.append(str(Encoding(dialect.encoding, int(dialect.bom))))
    if dialect.compression != "none":
        parts.append(f"{dialect.compression} compressed")
    return f"{table.name}: {', '.join(parts)}"
