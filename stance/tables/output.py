"""Tables out: the same bytes from every process, under their name only when whole."""

import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, cast

from stance.errors import DataError
from stance.files import Transaction, WholeFile, check_output
from stance.tables._bytes import JSON_NAMES, kind_suffix

FORMULA_STARTS = frozenset("=+-@\t\r")  # what a cell begins with that a spreadsheet might run
HALF_CHARACTER = "a cell holds half a character (a lone surrogate); correct it"
_EMPTY_ROW = '""'  # of one empty cell, which would otherwise be an empty line
_BATCH_ROWS = 500
_BLOCK = 1024 * 1024  # a compressor is fed in equal blocks, so that its bytes do not depend on ours
_RAW = 1024 * 1024
_RAW_LINES = 10_000


def encode_rows(rows: Iterable[Sequence[str]], *, delimiter: str = ",") -> bytes:
    r"""Return the rows as bytes of CSV: UTF-8, ``\n``, quoted alike by every version of Python.

    >>> encode_rows([("007", "Moscow, Kyiv"), ("NA", "")])
    b'007,"Moscow, Kyiv"\nNA,\n'
    """
    lines = joined(zip(*rows, strict=True), delimiter)
    return "".join([f"{line or _EMPTY_ROW}\n" for line in lines]).encode()


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


def is_formula(cell: str) -> bool:
    """Return whether a spreadsheet might run the cell: it begins with one of ``= + - @ tab CR``.

    >>> is_formula("=cmd"), is_formula("-0.25"), is_formula("NATO")
    (True, False, False)
    """
    digits = cell[1:] if cell[:1] in ("+", "-") else cell
    number = digits.replace(".", "", 1).replace(",", "").isdecimal()
    return cell[:1] in FORMULA_STARTS and not number


@dataclass(frozen=True, slots=True)
class Format:
    """How a table is to be written; workers encode with it, so that only bytes travel."""

    columns: tuple[str, ...]  # the keys of JSON Lines
    kind: Literal["csv", "jsonl"] = "csv"
    delimiter: str = ","
    excel_safe: bool = False  # a mark at the beginning, and ' before what a spreadsheet would run

    def header(self) -> bytes:
        """Return what stands before the rows."""
        if self.kind == "jsonl":
            return b""
        mark = b"\xef\xbb\xbf" if self.excel_safe else b""
        names = self._safe(self.columns) if self.excel_safe else self.columns
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
            safe = map(self._safe, rows) if self.excel_safe else rows
            return encode_rows(safe, delimiter=self.delimiter)
        except UnicodeEncodeError as error:
            raise DataError(HALF_CHARACTER) from error

    def formulas(self, rows: Iterable[Sequence[str]]) -> int:
        """Return how many cells a spreadsheet might run."""
        return sum(is_formula(cell) for row in rows for cell in row if cell[:1] in FORMULA_STARTS)

    def _safe(self, row: Sequence[str]) -> list[str]:
        return [f"'{cell}" if is_formula(cell) else cell for cell in row]

    def _json_line(self, row: Sequence[str]) -> bytes:
        pairs = dict(zip(self.columns, row, strict=True))
        return json.dumps(pairs, ensure_ascii=False).encode() + b"\n"


def table_format(path: Path | None, columns: Sequence[str], *, excel_safe: bool = False) -> Format:
    """Return the format that a table of this name is written in."""
    kind: Literal["csv", "jsonl"] = "jsonl" if kind_suffix(path) in JSON_NAMES else "csv"
    return Format(tuple(columns), kind, excel_safe=excel_safe and kind == "csv")


class TableWriter(Transaction):
    """A table that appears under its name when the ``with`` block ends well, and only then."""

    def __init__(
        self, path: Path | None, form: Format, *, force: bool, folder: Path | None = None
    ) -> None:
        self.format = form
        self.rows = 0  # written so far
        self.formulas = 0  # cells among them that a spreadsheet might run
        self._batch: list[Sequence[str]] = []
        self._buffer = bytearray()
        header = form.header()
        self._file = WholeFile(path, force=force, folder=folder)
        self._zip = None
        if path and path.suffix.lower() == ".gz":  # the same bytes at any time, under any name
            raw = cast(BinaryIO, self._file)
            self._zip = gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0)
        self._put(header)

    @property
    def inode(self) -> int:
        """Number of the file in its file system; it keeps it under its final name."""
        return self._file.inode

    def write(self, cells: Sequence[str]) -> None:
        """Write one row."""
        self._batch.append(cells)
        if len(self._batch) >= _BATCH_ROWS:
            self._write_batch()

    def write_encoded(self, blocks: Iterable[bytes], rows: int, formulas: int = 0) -> None:
        """Write rows that a worker has encoded with the writer's `format`."""
        self._write_batch()
        self.rows += rows
        self.formulas += formulas
        for data in blocks:
            self._put(data)

    def commit(self) -> None:
        """Write what is left and give the file its name."""
        self._write_batch()
        self._flush(self._buffer)
        self._buffer.clear()
        if self._zip:
            self._zip.close()
        self._file.commit()

    def discard(self) -> None:
        """Remove what has been written; nothing appears under the name."""
        self._file.discard()

    def _write_batch(self) -> None:
        batch, self._batch = self._batch, []
        self.rows += len(batch)
        self.formulas += self.format.formulas(batch)
        self._put(self.format.encode(batch))

    def _put(self, data: bytes) -> None:
        if not self._zip and len(data) >= _BLOCK:
            self._flush(self._buffer)
            self._buffer.clear()
            self._flush(data)
            return
        self._buffer += data
        while len(self._buffer) >= _BLOCK:
            self._flush(self._buffer[:_BLOCK])
            del self._buffer[:_BLOCK]

    def _flush(self, data: bytes | bytearray) -> None:
        (self._zip or self._file).write(data)


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
        self.count = 0  # records put aside so far
        self.file: str | None = "" if several else None  # of the records, if there are several

    def add(self, line: int, column: str, reason: str, raw: str) -> None:
        """Keep one record, its bad bytes escaped and a text that a quote made too long cut."""
        self.count += 1
        start = "".join(raw[:_RAW].splitlines(keepends=True)[:_RAW_LINES])
        if len(start) < len(raw):
            raw, reason = start, f"{reason} (raw text cut from {len(raw):,} characters)"
        data = raw.encode("utf-8", "surrogateescape")
        text = data.decode("utf-8", "backslashreplace").replace("\0", "\\x00")
        self.write(
            (*([] if self.file is None else [self.file]), str(line or ""), column, reason, text)
        )
