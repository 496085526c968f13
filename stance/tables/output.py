"""Tables out: the same bytes from every process, under their name only when whole."""

import csv
import gzip
import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, cast

from stance.display import shown_path
from stance.files import Transaction, WholeFile, check_output
from stance.tables._bytes import MEGABYTE
from stance.tables._format import Format, formula_note, table_format
from stance.tables._reading import MAX_CELL

if TYPE_CHECKING:
    from stance.tables.arrow import ArrowSheet
    from stance.tables.excel import ExcelSheet

_BATCH_ROWS = 500
_BLOCK = MEGABYTE  # a compressor is fed in equal blocks, so that its bytes do not depend on ours
_RAW, _RAW_LINES = MEGABYTE, 10_000  # of a bad record


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

    def close(self) -> None:
        """Do nothing: only a whole file is closed."""


class _Rows:
    """Takes the bytes of CSV, and gives a sheet the rows that are whole."""

    def __init__(self, sheet: "ExcelSheet | ArrowSheet") -> None:
        self.sheet = sheet
        self._rest = b""
        csv.field_size_limit(MAX_CELL)  # see `stance.tables._separated`

    def write(self, data: bytes | bytearray) -> None:
        """Pass on all rows that end in some more bytes."""
        data = self._rest + data
        end = data.rfind(b"\n") + 1
        quotes = data.count(b'"', 0, end)
        while quotes % 2:  # inside a quoted cell
            line = data.rfind(b"\n", 0, end - 1) + 1
            quotes -= data.count(b'"', line, end)
            end = line
        self._rest = data[end:]
        text = io.StringIO(data[:end].decode(), newline="")
        self.sheet.add(list(csv.reader(text)))

    def close(self) -> None:
        """Have the sheet write its end."""
        self.sheet.close()


class _List:
    """Takes lines of JSON, and writes them as one list."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write, self._before = write, b"[\n"

    def write(self, data: bytes | bytearray) -> None:
        """Write lines, whose last end waits."""
        if data:
            whole = data.endswith(b"\n")
            body = bytes(data[:-1] if whole else data).replace(b"\n", b",\n")
            self._write(self._before + body)
            self._before = b",\n" if whole else b""

    def close(self) -> None:
        """Write the end of the list."""
        self._write(b"[]\n" if self._before == b"[\n" else b"\n]\n")


class TableWriter(Transaction):
    """A table that appears under its name when the ``with`` block ends well, and only then.

    The rows of a Parquet or Arrow file that begin with those of the `originals`, which are such
    files, keep the types of these columns.
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
        self._buffer = bytearray()
        header = form.header()
        self._file = WholeFile(path, force=force, folder=folder)
        self._end = _Sequential(self._file)
        self._layers: list[Any] = [self._file]  # each writes to the one before
        try:
            if path and path.suffix.lower() == ".gz":  # the same bytes at any time and name
                raw = cast(BinaryIO, self._file)
                self._layers.append(gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0))
            if form.container == "json":
                self._layers.append(_List(self._layers[-1].write))
            elif form.container:
                self._layers.append(_Rows(self._sheet(form, path, originals)))
        except BaseException:
            self._file.discard()
            raise
        self._put(header)

    def _sheet(
        self, form: Format, path: Path | None, originals: Sequence[Path | None]
    ) -> "ExcelSheet | ArrowSheet":
        file = cast(BinaryIO, self._end)
        if form.container == "excel":
            from stance.tables.excel import ExcelSheet

            return ExcelSheet(file, shown_path(path), form.columns, form.types)
        from stance.tables.arrow import ArrowSheet

        paths = [own for own in originals if own is not None]
        kind = cast(Literal["parquet", "arrow"], form.container)
        return ArrowSheet(file, kind, form.columns, form.types, paths)

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
        for data in blocks:
            self._put(data)

    def settle(self) -> None:
        """Write what is left."""
        if self._settled:
            return
        self._write_batch()
        self._layers[-1].write(self._buffer)
        self._buffer.clear()
        for layer in reversed(self._layers[1:]):
            layer.close()
        self._file.settle()
        self._settled = True

    def commit(self) -> None:
        """Write what is left and give the file its name."""
        self.settle()
        self._file.commit()

    def discard(self) -> None:
        """Remove what has been written; nothing appears under the name."""
        self._end.given_up = True
        if isinstance(self._layers[-1], _Rows):
            self._layers[-1].sheet.discard()
        self._file.discard()

    def _write_batch(self) -> None:
        batch, self._batch = self._batch, []
        self.rows += len(batch)
        self.formulas += self.format.formulas(batch)
        self._put(self.format.encode(batch))

    def _put(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= _BLOCK:
            self._layers[-1].write(self._buffer[:_BLOCK])
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
