"""Tables out: the same bytes from every process, under their name only when whole."""

import csv
import gzip
import io
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

from stance.display import count, shown
from stance.errors import DataError, StanceError, UsageError, load_extra, refusal, reported
from stance.files import DOCUMENT_NAMES, PAGE_NAMES, WholeFile, kind_suffix, write_out
from stance.tables.sources import MAX_CELL, MEGABYTE
from stance.tables.table import as_json

_HALF_CHARACTER = "a cell or column name holds half a character (a lone surrogate); correct it"

_UNWRITTEN = (".json", ".xls", ".xlsm", ".ods", ".pdf", ".png", ".svg", ".stance")
_SEPARATORS = {".tsv": "\t", ".tab": "\t", ".psv": "|"}
_BEYOND = "is more than Excel holds: 1,048,576 rows, 16,384 columns, 32,767 characters in a cell"
_GROUP_ROWS = 50_000  # of Parquet
TAIL_END = b"\xff"  # which no UTF-8 has
_BLOCK = MEGABYTE  # a compressor is fed in equal blocks, so that its bytes do not depend on ours

# Where a spreadsheet might run a cell, which some split: before a sign that begins a formula, but
# no number; before white space at the beginning. Some take full-width signs as plain ones.
_NUMBER = r""""*[+\-＋－](?=[.,]*\d)[\d.,]*+"""
_FORMULA = re.compile(
    rf"""\A(?=[\t\r\n])|(?:\A(?!{_NUMBER}\Z)|[;\t\r\n](?!{_NUMBER}(?![^;\t\r\n])))"""
    r"""(?="*[=+\-@＝＋－＠])"""
)


def quote_formulas(cells: Sequence[str]) -> list[str]:
    r"""Return cells with ' before each formula, also where Excel splits them at ; or a tab.

    >>> quote_formulas(["=cmd", "-0.25", "NATO;=1+1;-5;x - y"])
    ["'=cmd", '-0.25', "NATO;'=1+1;-5;x - y"]
    >>> quote_formulas(["-5\n*cmd", "-5;x"])  # white space goes on with a formula
    ["'-5\n*cmd", "'-5;x"]
    """
    return [_FORMULA.sub(r"\g<0>'", cell) for cell in cells]


# --- Rows as bytes -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Format:
    r"""How a table is to be written; workers encode with it, so that only bytes travel.

    CSV is UTF-8 with the line end ``\n``, quoted alike by every version of Python.

    >>> Format(("id", "text")).encode([("007", "Moscow, Kyiv"), ("NA", "")])
    b'007,"Moscow, Kyiv"\nNA,\n'
    """

    columns: tuple[str, ...]  # the keys of JSON
    kind: Literal["csv", "jsonl"] = "csv"  # of the rows, also of those that go into a container
    delimiter: str = ","
    excel_safe: bool = False  # a mark at the beginning, and ' before what a spreadsheet would run
    container: str = ""  # .xlsx or .parquet, which the rows become at the end
    types: tuple[str, ...] = ()  # of a container's columns: text, integer or number

    @property
    def signs(self) -> tuple[bytes, bytes, bytes]:
        """What stands before, between and behind the cells of a row."""
        is_json = self.kind == "jsonl"
        return (b"{", b", ", b"}\n") if is_json else (b"", self.delimiter.encode(), b"\n")

    def encode(self, rows: Sequence[Sequence[str]]) -> bytes:
        """Return exactly the bytes that `TableWriter` writes for these rows."""
        begin, _, end = self.signs
        lines = self.lines([*zip(*rows, strict=True)])
        return b"".join([begin + (line or b'""') + end for line in lines])  # no empty line

    def lines(self, columns: Sequence[Sequence[str]], start: int = 0) -> list[bytes]:
        """Return the rows of some columns, from number `start` on, without their ends."""
        try:
            if self.kind == "jsonl":  # texts, and values that came from JSON, as they came
                names = self.columns[start : start + len(columns)]
                named = zip([f"{as_json(name)}: " for name in names], columns, strict=True)
                cells = ([key + as_json(cell) for cell in column] for key, column in named)
                return [line.encode() for line in map(", ".join, zip(*cells, strict=True))]
            safe = map(quote_formulas, columns) if self.excel_safe else columns
            quoted = [_quoted(column, self.delimiter) for column in safe]
            return [line.encode() for line in map(self.delimiter.join, zip(*quoted, strict=True))]
        except UnicodeEncodeError as error:
            raise DataError(_HALF_CHARACTER) from error

    def join(self, heads: Sequence[Sequence[str]], counts: Iterable[int], tails: bytes) -> bytes:
        r"""Return rows, of which `counts` begin with the same cells; `tails` are what follows.

        Each tail ends in `TAIL_END`.

        >>> tails = b"favor\n\xffagainst\n\xffneutral\n\xff"
        >>> Format(("id", "stance")).join([["a1", "a2"]], [2, 1], tails)
        b'a1,favor\na1,against\na2,neutral\n'
        """
        begin, between, _ = self.signs
        starts = [begin + line + between for line in self.lines(heads)]
        repeated = chain.from_iterable(map(repeat, starts, counts))
        rows = zip(repeated, tails.split(TAIL_END)[:-1], strict=True)
        return b"".join(chain.from_iterable(rows))


def table_format(
    path: Path | None, columns: Sequence[str], *,
    excel_safe: bool = False, types: Sequence[str] = (),
) -> Format:  # fmt: skip
    """Return the format that a name asks for, or raise; columns without `types` are texts."""
    suffix = kind_suffix(path)
    if path and suffix in _CONTAINERS:
        if path.suffix.lower() == ".gz":
            raise UsageError(f"{path}: {suffix} files are compressed already; drop .gz")
        load_extra(*_CONTAINERS[suffix][:3])
        types = tuple(types) or ("text",) * len(columns)
        return Format(tuple(columns), container=suffix, types=types)
    if suffix in (*_UNWRITTEN, *DOCUMENT_NAMES, *PAGE_NAMES):
        advice = "end its name in .csv, .tsv, .jsonl, .xlsx or .parquet"
        raise UsageError(f"{path}: a table is not written as {suffix}; {advice}")
    if suffix in (".jsonl", ".ndjson"):
        return Format(tuple(columns), "jsonl")
    return Format(tuple(columns), "csv", _SEPARATORS.get(suffix, ","), excel_safe)


def _quoted(column: Sequence[str], mark: str) -> Sequence[str]:
    """Return the cells of a column as they stand in a table whose separator is a mark."""
    texts = map("".join, (column[:100], column))  # a column with quotes mostly begins with some
    if not any(sign in text for text in texts for sign in (mark, '"', "\n", "\r")):
        return column
    return [
        '"' + cell.replace('"', '""') + '"'
        if '"' in cell or mark in cell or "\n" in cell or "\r" in cell
        else cell
        for cell in column
    ]


# --- Workbooks and Parquet files ------------------------------------------------------------------


def _write_workbook(file: BinaryIO, path: Path, form: Format, rows: Iterator[list[str]]) -> None:
    """Write rows of texts as a workbook of one sheet, in which nothing is a formula."""
    library = import_module("xlsxwriter")
    numbers = [pos for pos, kind in enumerate(form.types) if kind != "text"]
    try:
        waiting = tempfile.TemporaryDirectory(prefix="stance-")  # for rows, not in memory
    except OSError as error:
        raise refusal(path, "no folder for temporary files; name one in TMPDIR") from error
    with waiting as folder:
        options = {"constant_memory": True, "tmpdir": folder, "strings_to_urls": False}
        book = library.Workbook(file, options)
        book.use_zip64()
        book.set_properties({"created": datetime(2000, 1, 1)})  # or the bytes would change
        sheet = book.add_worksheet("answers")
        sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
        try:
            for number, row in enumerate(chain([form.columns], rows)):
                for pos, cell in enumerate(row):
                    as_number = cell and number and pos in numbers
                    write = sheet.write_number if as_number else sheet.write_string
                    lost = cell and write(number, pos, float(cell) if as_number else cell)
                    if lost:
                        place = f"row {number:,}, column '{shown(form.columns[pos])}'"
                        raise refusal(path, f"{place} {_BEYOND}; write .csv or .parquet")
            book.close()
        except library.exceptions.FileCreateError as error:
            raise error.args[0] from None  # an `OSError`
        finally:
            if sheet.row_data_fh:
                sheet.row_data_fh.close()


def _write_parquet(file: BinaryIO, _path: Path, form: Format, rows: Iterator[list[str]]) -> None:
    """Write rows of texts as a Parquet file, in which answers are numbers."""
    arrow = import_module("pyarrow")
    kinds = {"text": arrow.string(), "integer": arrow.int64(), "number": arrow.float64()}
    typed = zip(form.columns, form.types, strict=True)
    schema = arrow.schema([(name, kinds[kind]) for name, kind in typed])
    library = import_module("pyarrow.parquet")
    with library.ParquetWriter(arrow.PythonFile(file, "w"), schema, compression="zstd") as writer:
        while group := list(islice(rows, _GROUP_ROWS)):
            arrays = [
                arrow.array(cells, "string")
                if kind == "text"
                else arrow.array([cell or None for cell in cells], "string").cast(kinds[kind])
                for cells, kind in zip(zip(*group, strict=True), form.types, strict=True)
            ]
            writer.write_table(arrow.Table.from_arrays(arrays, schema=schema))


_CONTAINERS: dict[str, tuple[str, str, str, Callable[..., None]]] = {
    ".xlsx": ("xlsxwriter", "an Excel workbook as output", "excel", _write_workbook),
    ".parquet": ("pyarrow", "a Parquet file as output", "parquet", _write_parquet),
}
"""By ending: a library, what needs it, the extra that brings it, and what writes the file."""


# --- Files ---------------------------------------------------------------------------------------


class TableWriter(WholeFile):
    """A `WholeFile` of rows; it raises `OutputError` if the file cannot be written."""

    def __init__(self, path: Path | None, form: Format, *, force: bool = False) -> None:
        super().__init__(path, force=force)
        self.format = form
        self.rows = 0  # written so far
        names = [form.columns] * (form.kind == "csv")
        self._buffer = bytearray(b"\xef\xbb\xbf" * form.excel_safe + form.encode(names))
        self._end: Any = self.handle
        if path and form.container:
            with reported(path):
                self._end = tempfile.TemporaryFile(dir=path.parent)  # noqa: SIM115
        elif path and path.suffix.lower() == ".gz":  # the same bytes at any time and name
            self._end = gzip.GzipFile("", "wb", 6, cast(BinaryIO, self.handle), mtime=0)

    def write(self, cells: Sequence[str]) -> None:
        """Write one row."""
        self.write_encoded(self.format.encode([cells]), 1)

    def write_encoded(self, data: bytes, rows: int) -> None:
        """Write rows that a worker has encoded with the writer's `format`."""
        self.rows += rows
        with reported(self._path):
            self._buffer += data
            whole = len(self._buffer) // _BLOCK * _BLOCK
            for start in range(0, whole, _BLOCK):
                self._end.write(self._buffer[start : start + _BLOCK])
            del self._buffer[:whole]
            if whole > _BLOCK:
                write_out(self._end)  # which may wait to become a workbook

    def settle(self) -> None:
        """Write what is still buffered; turn the rows into a workbook or Parquet file if asked."""
        form = self.format
        if not self.handle.closed:
            with reported(self._path):
                self._end.write(self._buffer)
                self._buffer.clear()
                if form.container:
                    self._end.seek(0)
                    csv.field_size_limit(MAX_CELL)  # as for tables in
                    with io.TextIOWrapper(self._end, "utf-8", newline="") as text:
                        rows = csv.reader(text)
                        next(rows)  # the names
                        _CONTAINERS[form.container][3](self.handle, self._path, form, rows)
                if self._end is not self.handle:
                    self._end.close()
        super().settle()

    def discard(self) -> None:
        """Remove what has been written; nothing appears under the name."""
        if self.format.container:
            self._end.close()
        super().discard()


def write_table(
    path: Path | None, columns: Sequence[str], *, force: bool = False, excel_safe: bool = False
) -> TableWriter:
    """Return a `TableWriter`, for a ``with`` block, of the format that its name says."""
    return TableWriter(path, table_format(path, columns, excel_safe=excel_safe), force=force)


_HALF = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # a character, not an escaped byte


class Rejects(TableWriter):
    """Bad records, put aside in a table of their own so that the run can go on."""

    def __init__(
        self, path: Path, *, force: bool = False, excel_safe: bool = False,
        several: bool = False, most: int | None = None,
    ) -> None:  # fmt: skip
        names = (*["file"] * several, "line", "column", "reason", "raw")
        super().__init__(path, table_format(path, names, excel_safe=excel_safe), force=force)
        self.by_file = Counter[str]()  # records put aside so far
        self.file = ""  # of the records, if there are several
        self.name = "input"  # what messages call all of it
        self._several, self._most = several, most

    def add(self, line: int, column: str, reason: str, raw: str) -> None:
        """Keep one record, its bad bytes escaped."""
        self.by_file[self.file] += 1
        if self.rows == self._most:  # no `DataError`, since it is not about one file
            place = f"{self.file}:{line}".removesuffix(":0") if self.file else f"line {line}"
            last = f"--max-rejects; last: {place}: {reason}"
            why = f"more than {count(self._most, 'bad row')} ({last})"
            raise StanceError(f"{self.name}: {why}; correct them, or allow more")
        halves = _HALF.sub(lambda half: f"\\u{ord(half[0]):04x}", raw)
        data = halves.encode("utf-8", "surrogateescape")
        text = data.decode("utf-8", "backslashreplace").replace("\0", "\\x00")
        self.write((*[self.file] * self._several, str(line or ""), column, reason, text))
