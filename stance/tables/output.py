"""Tables out: written in private, and seen under their name only when whole."""

import gzip
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal, Self, cast

from stance.files import WholeFile, check_output
from stance.tables.formats import Format, encode_rows

__all__ = ["Rejects", "TableWriter", "encode_rows", "table_format", "write_table"]

_BATCH_ROWS = 500
_BLOCK = 1024 * 1024  # a compressor is fed in equal blocks, so that its bytes do not depend on ours
_RAW = 1024 * 1024
_RAW_LINES = 10_000
_JSON_NAMES = (".jsonl", ".ndjson")


class TableWriter:
    """A table that appears under its name when the ``with`` block ends well, and only then.

    Attributes
    ----------
    rows : int
        Rows written so far.
    formulas : int
        Cells among them that a spreadsheet might run.
    """

    def __init__(
        self, path: Path | None, form: Format, *, force: bool, folder: Path | None = None
    ) -> None:
        self.format = form
        self.rows = 0
        self.formulas = 0
        self._batch: list[Sequence[str]] = []
        self._buffer = bytearray()
        header = form.header()
        self._file = WholeFile(path, force=force, folder=folder)
        self._zip = _deterministic_gzip(self._file) if _is_gz(path) else None
        self._put(header)

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

    # --- Closing -----------------------------------------------------------------------------

    @property
    def inode(self) -> int:
        """Number of the file in its file system; it keeps it under its final name."""
        return self._file.inode

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self.commit()
        finally:
            self.discard()

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


def _is_gz(path: Path | None) -> bool:
    return path is not None and path.suffix.lower() == ".gz"


def _deterministic_gzip(file: WholeFile) -> gzip.GzipFile:
    raw = cast(BinaryIO, file)
    return gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=raw, mtime=0)


def write_table(
    path: Path | None,
    columns: Sequence[str],
    *,
    delimiter: str = ",",
    force: bool = False,
    excel_safe: bool = False,
    inputs: Iterable[Path | None] = (),
    folder: Path | None = None,
) -> TableWriter:
    """Return a writer, to be used in a ``with`` block.

    Parameters
    ----------
    path : Path or None
        None is standard output. A name in ``.jsonl`` gives JSON Lines, one in ``.gz`` is
        compressed.
    force : bool
        Whether an existing file may be replaced.
    excel_safe : bool
        See `Format`.
    inputs : iterable of Path or None
        Tables that are read meanwhile, which the output must not replace, not even with `force`.
    folder : Path or None
        Private folder in the same file system, for the temporary file.

    Raises
    ------
    OutputError
        The file exists, is an input, or cannot be written.
    """
    check_output(path, force=force, inputs=inputs)
    form = table_format(path, columns, delimiter=delimiter, excel_safe=excel_safe)
    return TableWriter(path, form, force=force, folder=folder)


def table_format(
    path: Path | None, columns: Sequence[str], *, delimiter: str = ",", excel_safe: bool = False
) -> Format:
    """Return the format that a table of this name is written in."""
    suffixes = [suffix.lower() for suffix in path.suffixes] if path else []
    names = suffixes[:-1] if _is_gz(path) else suffixes
    kind: Literal["csv", "jsonl"] = "jsonl" if names and names[-1] in _JSON_NAMES else "csv"
    return Format(tuple(columns), kind, delimiter, excel_safe and kind == "csv")


class Rejects:
    """Bad records, put aside in a table of their own so that the run can go on.

    Attributes
    ----------
    count : int
        Records put aside so far.
    """

    columns = ("line", "column", "reason", "raw")

    def __init__(
        self, path: Path, *, force: bool = False, inputs: Iterable[Path | None] = ()
    ) -> None:
        self.path = path
        self.count = 0
        self._writer = write_table(path, self.columns, force=force, inputs=inputs)

    def add(self, line: int, column: str, reason: str, raw: str) -> None:
        r"""Keep one record; NUL and undecodable bytes of its text become ``\x00``, ``\xe9``.

        A text of more than 10,000 lines or 1 MB, as a quote that is never closed makes it, is
        cut; the reason says so.
        """
        self.count += 1
        start = "".join(raw[:_RAW].splitlines(keepends=True)[:_RAW_LINES])
        if len(start) < len(raw):
            raw, reason = start, f"{reason} (raw text cut from {len(raw):,} characters)"
        data = raw.encode("utf-8", "surrogateescape")
        text = data.decode("utf-8", "backslashreplace").replace("\0", "\\x00")
        self._writer.write((str(line), column, reason, text))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._writer.__exit__(kind, error, traceback)
