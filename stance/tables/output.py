"""Tables out: the same bytes from every process, under their name only when whole."""

import csv
import gzip
import io
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

from stance.errors import DataError, UsageError, load_extra, reported
from stance.files import WholeFile, check_output
from stance.tables.sources import JSON_NAMES, MEGABYTE, kind_suffix
from stance.tables.table import MAX_CELL, as_json

HALF_CHARACTER = "a cell holds half a character (a lone surrogate); correct it"

_CONTAINERS = {  # library, what needs it, extra
    ".xlsx": ("xlsxwriter", "an Excel workbook as output", "excel"),
    ".parquet": ("pyarrow", "a Parquet file as output", "parquet"),
}
_SEPARATORS = {".tsv": "\t", ".tab": "\t", ".psv": "|"}
_BLOCK = MEGABYTE  # a compressor is fed in equal blocks, so that its bytes do not depend on ours

# --- Cells that a spreadsheet might run ----------------------------------------------------------

# What such a cell begins with; some take full-width signs as plain ones.
_STARTS = frozenset("=+-@\t\r\n＝＋－＠")
# Such a sign, but not of a number, where some spreadsheets begin a cell inside of one of ours.
_INNER = re.compile(
    r"""[;\t\r\n](?="*[=+\-@＝＋－＠])(?!"*[+\-＋－][\d.,]*\d[\d.,]*(?![^;\t\r\n]))"""
)


def _is_formula(cell: str) -> bool:
    """Return whether a spreadsheet might run the cell: it begins like a formula, not a number."""
    digits = cell[1:] if cell[:1] in ("+", "-", "＋", "－") else cell
    number = digits.replace(".", "", 1).replace(",", "").isdecimal()
    return cell[:1] in _STARTS and not number


def quote_formulas(cells: Sequence[str]) -> Sequence[str]:
    """Return cells with ' before each formula, also where Excel splits them at ; or a tab.

    >>> quote_formulas(["=cmd", "-0.25", "NATO;=1+1;-5;x - y"])
    ["'=cmd", '-0.25', "NATO;'=1+1;-5;x - y"]
    """
    if _STARTS.isdisjoint("".join(cells)):  # as most columns are
        return cells
    return ["'" * _is_formula(cell) + _INNER.sub(r"\g<0>'", cell) for cell in cells]


# --- Rows as bytes -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Format:
    """How a table is to be written; workers encode with it, so that only bytes travel."""

    columns: tuple[str, ...]  # the keys of JSON
    kind: Literal["csv", "jsonl"] = "csv"  # of the rows, also of those that go into a container
    delimiter: str = ","
    excel_safe: bool = False  # a mark at the beginning, and ' before what a spreadsheet would run
    container: str = ""  # .xlsx or .parquet, which the rows become at the end
    types: tuple[str, ...] = ()  # of the columns: text, integer or number; () if all are texts

    def header(self) -> bytes:
        """Return what stands before the rows."""
        if self.kind != "csv":
            return b""
        mark = b"\xef\xbb\xbf" if self.excel_safe else b""
        names = quote_formulas(self.columns) if self.excel_safe else self.columns
        if any(sign in "".join(names) for sign in ",;\t|\ufeff") or names[0].startswith("sep="):
            # Quoted, so that no reader takes them for separators, a mark or a note of Excel.
            quoted = ('"' + name.replace('"', '""') + '"' for name in names)
            return mark + self.delimiter.join(quoted).encode() + b"\n"
        return mark + encode_rows([names], delimiter=self.delimiter)

    def encode(self, rows: Sequence[Sequence[str]]) -> bytes:
        """Return exactly the bytes that `TableWriter` writes for these rows."""
        try:
            if self.kind == "jsonl":
                return b"".join(map(self._json_line, rows))
            columns = zip(*rows, strict=True)
            safe = zip(*map(quote_formulas, columns), strict=True) if self.excel_safe else rows
            return encode_rows(safe, delimiter=self.delimiter)
        except UnicodeEncodeError as error:
            raise DataError(HALF_CHARACTER) from error

    def _json_line(self, row: Sequence[str]) -> bytes:
        """Return a row in JSON, texts and values that came from JSON as they came."""
        cells = zip(self.columns, row, strict=True)
        pairs = ", ".join(f"{as_json(name)}: {as_json(cell)}" for name, cell in cells)
        return f"{{{pairs}}}\n".encode()


def table_format(
    path: Path | None,
    columns: Sequence[str],
    *,
    excel_safe: bool = False,
    types: Sequence[str] = (),
) -> Format:
    """Return the format that a table of this name is written in; raise if it cannot be."""
    suffix = kind_suffix(path)
    if suffix == ".json":
        raise UsageError(f"{path}: a list in JSON is not written; end its name in .jsonl")
    container = suffix if suffix in _CONTAINERS else ""
    if path and container:
        load_extra(*_CONTAINERS[suffix])
        if path.suffix.lower() == ".gz":
            raise UsageError(
                f"{path}: {suffix} files are already compressed; drop .gz from its name"
            )
    kind: Literal["csv", "jsonl"] = "jsonl" if suffix in JSON_NAMES else "csv"
    safe = excel_safe and kind == "csv" and not container
    return Format(tuple(columns), kind, _SEPARATORS.get(suffix, ","), safe, container, tuple(types))


_EMPTY = '""'  # a row of one empty cell, which would otherwise be an empty line


def encode_rows(rows: Iterable[Sequence[str]], *, delimiter: str = ",") -> bytes:
    r"""Return the rows as bytes of CSV: UTF-8, ``\n``, quoted alike by every version of Python.

    >>> encode_rows([("007", "Moscow, Kyiv"), ("NA", "")])
    b'007,"Moscow, Kyiv"\nNA,\n'
    """
    lines = joined(zip(*rows, strict=True), delimiter)
    return "".join([f"{line or _EMPTY}\n" for line in lines]).encode()


def joined(columns: Iterable[Sequence[str]], delimiter: str) -> Iterator[str]:
    """Return the rows of equally long columns as they stand in a table, without their ends."""
    quoted = [_quoted(column, delimiter) for column in columns]
    return map(delimiter.join, zip(*quoted, strict=True))


def _quoted(column: Sequence[str], mark: str) -> Iterable[str]:
    signs = (mark, '"', "\n", "\r")
    texts = map("".join, (column[:100], column))  # a column with quotes mostly begins with some
    if not any(sign in text for text in texts for sign in signs):
        return column
    return [
        '"' + cell.replace('"', '""') + '"'
        if '"' in cell or mark in cell or "\n" in cell or "\r" in cell
        else cell
        for cell in column
    ]


# --- Files ---------------------------------------------------------------------------------------


class TableWriter(WholeFile):
    """A table that appears under its name when the ``with`` block ends well, and only then."""

    def __init__(self, path: Path | None, form: Format, *, force: bool) -> None:
        super().__init__(path, force=force)
        self.format = form
        self.rows = 0  # written so far
        self._buffer = bytearray(form.header())
        self._end: Any = self.handle
        try:
            if path and form.container:
                with reported(path):
                    self._end = tempfile.TemporaryFile(dir=path.parent)  # noqa: SIM115
            elif path and path.suffix.lower() == ".gz":  # the same bytes at any time and name
                self._end = gzip.GzipFile("", "wb", 6, cast(BinaryIO, self.handle), mtime=0)
        except BaseException:
            self.discard()
            raise

    def write(self, cells: Sequence[str]) -> None:
        """Write one row."""
        self.write_encoded(self.format.encode([cells]), 1)

    def write_encoded(self, data: bytes, rows: int) -> None:
        """Write rows that a worker has encoded with the writer's `format`."""
        self.rows += rows
        with reported(self._path):
            self._buffer += data
            while len(self._buffer) > _BLOCK:
                self._end.write(self._buffer[:_BLOCK])
                del self._buffer[:_BLOCK]

    def settle(self) -> None:
        """Write what is left."""
        if not self.handle.closed:
            with reported(self._path):
                self._end.write(self._buffer)
                self._buffer.clear()
                if self.format.container:
                    self._convert()
                if self._end is not self.handle:
                    self._end.close()
        super().settle()

    def discard(self) -> None:
        """Remove what has been written; nothing appears under the name."""
        if self.format.container:
            self._end.close()
        super().discard()

    def _convert(self) -> None:
        """Make the rows of CSV a workbook or a Parquet file."""
        self._end.seek(0)
        csv.field_size_limit(MAX_CELL)  # as for tables in
        module = {".xlsx": "excel", ".parquet": "parquet"}[self.format.container]
        write: Any = import_module(f"stance.tables.{module}").write_rows
        with io.TextIOWrapper(self._end, "utf-8", newline="") as text:
            rows = csv.reader(text)
            next(rows)  # the names
            write(self.handle, self._path, self.format, rows)


def write_table(
    path: Path | None,
    columns: Sequence[str],
    *,
    force: bool = False,
    excel_safe: bool = False,
    inputs: Iterable[Path | None] = (),
) -> TableWriter:
    """Return a writer for a ``with`` block; raise `OutputError` if the file cannot be written.

    None is standard output. An existing file is replaced only with `force`, and no input ever is.
    """
    check_output(path, force=force, inputs=inputs)
    return TableWriter(path, table_format(path, columns, excel_safe=excel_safe), force=force)


class Rejects(TableWriter):
    """Bad records, put aside in a table of their own so that the run can go on."""

    def __init__(
        self,
        path: Path,
        *,
        force: bool = False,
        inputs: Iterable[Path | None] = (),
        several: bool = False,
    ) -> None:
        check_output(path, force=force, inputs=inputs)
        names = ("line", "column", "reason", "raw")
        super().__init__(
            path, table_format(path, ("file", *names) if several else names), force=force
        )
        self.by_file = Counter[str]()  # records put aside so far
        self.file: str | None = "" if several else None  # of the records, if there are several

    @property
    def count(self) -> int:
        """Records put aside so far."""
        return self.by_file.total()

    def add(self, line: int, column: str, reason: str, raw: str) -> None:
        """Keep one record, its bad bytes escaped."""
        self.by_file[self.file or ""] += 1
        data = raw.encode("utf-8", "surrogateescape")
        text = data.decode("utf-8", "backslashreplace").replace("\0", "\\x00")
        self.write(
            (*([] if self.file is None else [self.file]), str(line or ""), column, reason, text)
        )
