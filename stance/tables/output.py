"""Tables out: the same bytes from every process, under their name only when whole."""

import csv
import gzip
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from operator import ne
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, cast

from stance.display import shown_path
from stance.errors import DataError, UsageError
from stance.files import Transaction, WholeFile, check_output
from stance.tables.sources import JSON_NAMES, MEGABYTE, kind_suffix
from stance.tables.table import MAX_CELL, Value

if TYPE_CHECKING:
    from stance.tables.excel import ExcelSheet
    from stance.tables.parquet import ParquetSheet

HALF_CHARACTER = "a cell holds half a character (a lone surrogate); correct it"

Container = Literal["", "json", "excel", "parquet"]
_CONTAINERS: dict[str, Container] = {
    ".json": "json",
    ".xlsx": "excel",
    ".parquet": "parquet",
}
_SEPARATORS = {".tsv": "\t", ".tab": "\t", ".psv": "|"}
_BATCH_ROWS = 500
_BLOCK = MEGABYTE  # a compressor is fed in equal blocks, so that its bytes do not depend on ours
_RAW, _RAW_LINES = MEGABYTE, 10_000  # of a bad record

# --- Cells that a spreadsheet might run ----------------------------------------------------------

# What such a cell begins with; some take full-width signs as plain ones.
FORMULA_STARTS = frozenset("=+-@\t\r\n＝＋－＠")
# Such a sign, but not of a number, where some spreadsheets begin a cell inside of one of ours.
_INNER = re.compile(
    r"""[;\t\r\n](?="*[=+\-@＝＋－＠])(?!"*[+\-＋－][\d.,]*\d[\d.,]*(?![^;\t\r\n]))"""
)


def is_formula(cell: str) -> bool:
    """Return whether a spreadsheet might run the cell: it begins like a formula, not like a number.

    >>> is_formula("=cmd"), is_formula("-0.25"), is_formula("NATO")
    (True, False, False)
    """
    digits = cell[1:] if cell[:1] in ("+", "-", "＋", "－") else cell
    number = digits.replace(".", "", 1).replace(",", "").isdecimal()
    return cell[:1] in FORMULA_STARTS and not number


def quote_formulas(cells: Sequence[str]) -> Sequence[str]:
    """Return cells with ' before each formula, also where Excel splits them at ; or a tab.

    >>> quote_formulas(["=cmd", "NATO;=1+1;-5;x - y"])
    ["'=cmd", "NATO;'=1+1;-5;x - y"]
    """
    if FORMULA_STARTS.isdisjoint("".join(cells)):  # as most columns are
        return cells
    return ["'" * is_formula(cell) + _INNER.sub(r"\g<0>'", cell) for cell in cells]


def formula_note(cells: int, *, quoted: bool = False, remedy: str = "--excel-safe") -> str:
    """Return what to say of cells that a spreadsheet might run; nothing if there are none.

    >>> formula_note(2)
    'cells that begin like a formula: 2 (--excel-safe keeps a spreadsheet from running them)'
    """
    advice = ", quoted" if quoted else f" ({remedy} keeps a spreadsheet from running them)"
    return f"cells that begin like a formula: {cells:,}{advice}" if cells else ""


# --- Rows as bytes -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Format:
    """How a table is to be written; workers encode with it, so that only bytes travel."""

    columns: tuple[str, ...]  # the keys of JSON
    kind: Literal["csv", "jsonl"] = "csv"  # of the rows, also of those that go into a container
    delimiter: str = ","
    excel_safe: bool = False  # a mark at the beginning, and ' before what a spreadsheet would run
    container: Container = ""
    types: tuple[str, ...] = ()  # of the columns: text, integer or number; () if all are texts

    @property
    def plain(self) -> bool:
        """Whether this is CSV, whose cells a spreadsheet takes for what they look like."""
        return self.kind == "csv" and not self.container

    def header(self) -> bytes:
        """Return what stands before the rows."""
        if not self.plain:
            return b"[\n" if self.container == "json" else b""
        mark = b"\xef\xbb\xbf" if self.excel_safe else b""
        names = quote_formulas(self.columns) if self.excel_safe else self.columns
        if any(sign in "".join(names) for sign in ",;\t|\ufeff") or names[0].startswith("sep="):
            # Quoted, so that no reader takes them for separators, a mark or a note of Excel.
            quoted = ('"' + name.replace('"', '""') + '"' for name in names)
            return mark + self.delimiter.join(quoted).encode() + b"\n"
        return mark + encode_rows([names], delimiter=self.delimiter)

    def encode(self, rows: Sequence[Sequence[str]]) -> bytes:
        """Return exactly the bytes that `TableWriter` writes for these rows."""
        for row in rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{len(row)} cells for {len(self.columns)} columns")
        try:
            if self.kind == "jsonl":
                return b"".join(map(self._json_line, rows))
            columns = zip(*rows, strict=True)
            safe = zip(*map(quote_formulas, columns), strict=True) if self.excel_safe else rows
            return encode_rows(safe, delimiter=self.delimiter)
        except UnicodeEncodeError as error:
            raise DataError(HALF_CHARACTER) from error

    def formulas(self, rows: Iterable[Sequence[str]]) -> int:
        """Return how many cells a spreadsheet might run; those quoted inside count, too."""
        if not self.plain:
            return 0
        if self.excel_safe:
            columns = list(zip(*rows, strict=True))
            return sum(sum(map(ne, cells, quote_formulas(cells))) for cells in columns)
        return sum(is_formula(cell) for row in rows for cell in row if cell[:1] in FORMULA_STARTS)

    def _json_line(self, row: Sequence[str]) -> bytes:
        """Return a row in JSON, texts and values that came from JSON as they came."""
        pairs = ", ".join(
            f"{json.dumps(name, ensure_ascii=False)}: "
            f"{cell.json if isinstance(cell, Value) else json.dumps(cell, ensure_ascii=False)}"
            for name, cell in zip(self.columns, row, strict=True)
        )
        return f"{{{pairs}}}\n".encode()


def table_format(
    path: Path | None,
    columns: Sequence[str],
    *,
    excel_safe: bool = False,
    types: Sequence[str] = (),
) -> Format:
    """Return the format that a table of this name is written in."""
    suffix = kind_suffix(path)
    kind: Literal["csv", "jsonl"] = "jsonl" if suffix in JSON_NAMES else "csv"
    container = _CONTAINERS.get(suffix, "")
    if path and container not in ("", "json") and path.suffix.lower() == ".gz":
        raise UsageError(f"{path}: {suffix} files are already compressed; drop .gz from its name")
    mark = _SEPARATORS.get(suffix, ",")
    form = Format(tuple(columns), kind, mark, False, container, tuple(types))
    return replace(form, excel_safe=excel_safe and form.plain)


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


class _Sequential:
    """A file that a library can only write to its end, and not close."""

    closed = False

    def __init__(self, file: WholeFile) -> None:
        self._file = file
        self.given_up = False  # so that what a library writes when it is deleted goes nowhere

    def write(self, data: bytes) -> int:
        """Write all of the data."""
        return len(data) if self.given_up else self._file.write(data)

    def flush(self) -> None:
        """Do nothing: the file is flushed when it gets its name."""

    close = flush


class TableWriter(Transaction):
    """A table that appears under its name when the ``with`` block ends well, and only then.

    A Parquet file has the types of the columns of the `originals`, if all are such files.
    """

    def __init__(
        self,
        path: Path | None,
        form: Format,
        *,
        force: bool,
        folder: Path | None = None,
        originals: Sequence[Path | None] = (),
    ) -> None:
        self.format = form
        self.rows = 0  # written so far
        self.formulas = form.formulas([form.columns])  # cells that a spreadsheet might run
        self._batch: list[Sequence[str]] = []
        self._settled = False
        self._buffer = bytearray(form.header())
        self._file = WholeFile(path, force=force, folder=folder)
        self._library = _Sequential(self._file)
        self._end: Any = self._library
        self._sheet: ExcelSheet | ParquetSheet | None = None
        try:
            if form.container not in ("", "json"):
                self._sheet = self._open_sheet(path, list(filter(None, originals)))
            elif path and path.suffix.lower() == ".gz":  # the same bytes at any time and name
                self._end = gzip.GzipFile("", "wb", 6, cast(BinaryIO, self._file), mtime=0)
        except BaseException:
            self._file.discard()
            raise

    def _open_sheet(
        self, path: Path | None, originals: Sequence[Path]
    ) -> "ExcelSheet | ParquetSheet":
        form, file = self.format, cast(BinaryIO, self._library)
        if form.container == "excel":
            from stance.tables.excel import ExcelSheet

            return ExcelSheet(file, shown_path(path), form.columns, form.types)
        from stance.tables.parquet import ParquetSheet

        return ParquetSheet(file, form.columns, form.types, originals)

    @property
    def inode(self) -> int:
        """Number of the file in its file system; it keeps it under its final name."""
        return self._file.inode

    def remark(self, remedy: str = "a name that ends in .xlsx") -> str:
        """Return what to add to a line about the table: that a spreadsheet might run cells."""
        note = formula_note(self.formulas, quoted=self.format.excel_safe, remedy=remedy)
        return f"; {note}" if note else ""

    def write(self, cells: Sequence[str]) -> None:
        """Write one row."""
        self._batch.append(cells)
        if len(self._batch) >= _BATCH_ROWS:
            self._write_batch()

    def write_encoded(self, blocks: Iterable[bytes], rows: int, formulas: int = 0) -> None:
        """Write rows that a worker has encoded with the writer's `format`."""
        self._write_batch()
        self.rows += rows
        self.formulas += formulas if self.format.plain else 0
        if self._sheet:
            csv.field_size_limit(MAX_CELL)  # as for tables in
            text = io.StringIO(b"".join(blocks).decode(), newline="")
            self._sheet.add(list(csv.reader(text)))
        else:
            for data in blocks:
                self._put(data)

    def settle(self) -> None:
        """Write what is left."""
        if self._settled:
            return
        self._write_batch()
        if self._sheet:
            self._sheet.close()
        else:
            if self.format.container == "json":
                self._buffer[-2:] = b"\n]\n" if self.rows else b"[]\n"
            self._end.write(self._buffer)
            self._end.close()
        self._file.settle()
        self._settled = True

    def commit(self) -> None:
        """Write what is left and give the file its name."""
        self.settle()
        self._file.commit()

    def discard(self) -> None:
        """Remove what has been written; nothing appears under the name."""
        self._library.given_up = True
        if self._sheet:
            self._sheet.discard()
        self._file.discard()

    def _write_batch(self) -> None:
        batch, self._batch = self._batch, []
        self.rows += len(batch)
        self.formulas += self.format.formulas(batch)
        data = self.format.encode(batch)  # which also checks the cells
        if self._sheet:
            self._sheet.add(batch)
        else:
            self._put(data)

    def _put(self, data: bytes) -> None:
        self._buffer += data.replace(b"\n", b",\n") if self.format.container == "json" else data
        while len(self._buffer) > _BLOCK + 2:  # so that the end of a list can still change
            self._end.write(self._buffer[:_BLOCK])
            del self._buffer[:_BLOCK]


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
        """Keep one record, its bad bytes escaped and a text that a quote made too long cut."""
        self.by_file[self.file or ""] += 1
        start = "".join(raw[:_RAW].splitlines(keepends=True)[:_RAW_LINES])
        if len(start) < len(raw):
            raw, reason = start, f"{reason} (raw text cut from {len(raw):,} characters)"
        data = raw.encode("utf-8", "surrogateescape")
        text = data.decode("utf-8", "backslashreplace").replace("\0", "\\x00")
        self.write(
            (*([] if self.file is None else [self.file]), str(line or ""), column, reason, text)
        )
