"""Tables out: written in private, and seen under their name only when whole."""

import contextlib
import errno
import gzip
import io
import os
import stat
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal, Self

from stance.display import shown
from stance.errors import OutputError
from stance.tables.formats import Format, encode_rows
from stance.tables.temporary import PrivateFile, begin_sync

__all__ = [
    "Rejects",
    "TableWriter",
    "check_output",
    "encode_rows",
    "output_error",
    "table_format",
    "write_table",
]

_BATCH_ROWS = 500
_BLOCK = 1024 * 1024  # a compressor is fed in equal blocks, so that its bytes do not depend on ours
_EARLY = 16 * 1024 * 1024  # or the end of a long run would have to wait for all of its output
_RAW = 1024 * 1024
_RAW_LINES = 10_000
_JSON_NAMES = (".jsonl", ".ndjson")

_REASONS = {
    errno.ENOSPC: "the disk is full; make room and run again",
    errno.EDQUOT: "your disk quota is used up; make room and run again",
    errno.EFBIG: "the file grew beyond the size limit; raise it (ulimit -f) or write elsewhere",
    errno.EACCES: "no permission to write there; choose another folder",
    errno.EPERM: "no permission to write there; choose another folder",
    errno.EROFS: "that file system is read-only; choose another folder",
    errno.ENOENT: "its folder does not exist; create it first",
    errno.ENOTDIR: "its folder does not exist; create it first",
    errno.EISDIR: "is a folder; name a file in it",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}


def output_error(error: OSError, path: Path | None) -> OutputError:
    """Return a failure to write as the one line that the user reads."""
    name = "standard output" if path is None else shown(str(path), 200)
    fallback = f"cannot be written ({error.strerror or type(error).__name__}); write elsewhere"
    return OutputError(f"{name}: {_REASONS.get(error.errno or 0, fallback)}")


class _File(io.FileIO):
    """An unbuffered file that writes all it is given, or raises.

    On a full disk, the system's own write may take a piece and say so by its return value alone.
    """

    _waiting = 0

    def write(self, data: Any, /) -> int:
        view = memoryview(data)
        written = 0
        while written < len(view):
            written += super().write(view[written:])
        self._waiting += written
        if self._waiting >= _EARLY:
            self._waiting = 0
            begin_sync(self.fileno())
        return written


class TableWriter:
    """A table that appears under its name when the ``with`` block ends well, and only then.

    Until then its bytes are in a private temporary file; see `stance.tables.temporary`.

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
        self.path = path
        self.format = form
        self.rows = 0
        self.formulas = 0
        self._force = force
        self._folder = folder
        self._batch: list[Sequence[str]] = []
        self._buffer = bytearray()
        self._private: PrivateFile | None = None
        header = form.header()
        try:
            self._file = self._open()
        except OSError as error:
            raise output_error(error, path) from error
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
        try:
            (self._zip or self._file).write(data)
        except BrokenPipeError:
            raise  # `| head` has seen enough, which is no failure
        except OSError as error:
            raise output_error(error, self.path) from error

    # --- Opening and closing -----------------------------------------------------------------

    def _open(self) -> BinaryIO | _File:
        if self.path is None:
            return sys.stdout.buffer
        target = self.path.resolve()  # write through a symbolic link
        if is_device(target):
            return _File(target, "wb")  # it cannot be renamed over
        refuse_existing(self.path, force=self._force)
        self._private = PrivateFile(target, self._folder)
        return _File(self._private.handle, "wb")

    @property
    def inode(self) -> int:
        """Number of the file in its file system; it keeps it under its final name."""
        return os.fstat(self._file.fileno()).st_ino

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.discard()
            return
        try:
            self.commit()
        except BaseException as failure:
            self.discard()
            if isinstance(failure, OSError) and not isinstance(failure, BrokenPipeError):
                raise output_error(failure, self.path) from failure
            raise

    def commit(self) -> None:
        """Write what is left and give the file its name."""
        self._write_batch()
        self._flush(self._buffer)
        self._buffer.clear()
        if self._zip:
            self._zip.close()
        self._file.flush()
        if self._private and self.path:
            try:
                self._private.become_target(force=self._force)
            except FileExistsError:
                refuse_existing(self.path, force=False)
                raise
        if self.path:
            self._file.close()

    def discard(self) -> None:
        """Remove what has been written; nothing appears under the name."""
        if self.path is not None:
            with contextlib.suppress(OSError):
                self._file.close()
        if self._private:
            self._private.discard()


def is_device(target: Path) -> bool:
    """Tell whether a path is a pipe or a device, which is written as it is."""
    try:
        kind = target.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(kind) and not stat.S_ISDIR(kind)


def refuse_existing(path: Path, *, force: bool) -> None:
    """Raise if the path is a folder, or exists and must not be replaced."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a folder")
    if path.exists() and not force:
        name = shown(str(path), 200)
        raise OutputError(f"{name}: exists already; use --force to overwrite it")


def _is_gz(path: Path | None) -> bool:
    return path is not None and path.suffix.lower() == ".gz"


def _deterministic_gzip(file: BinaryIO | _File) -> gzip.GzipFile:
    return gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0)


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


def check_output(path: Path | None, *, force: bool, inputs: Iterable[Path | None] = ()) -> None:
    """Raise what `write_table` would raise of the name alone."""
    if path is None:
        return
    if any(source is not None and same_file(path, source) for source in inputs):
        name = shown(str(path), 200)
        raise OutputError(f"{name}: is the input; choose another name for the output")
    if path.suffix.lower() in (".zst", ".xz", ".bz2"):
        raise OutputError(f"{shown(str(path), 200)}: can only compress as .gz; change the name")
    try:
        if not is_device(path):
            refuse_existing(path, force=force)
    except OSError as error:
        raise output_error(error, path) from error


def table_format(
    path: Path | None, columns: Sequence[str], *, delimiter: str = ",", excel_safe: bool = False
) -> Format:
    """Return the format that a table of this name is written in."""
    suffixes = [suffix.lower() for suffix in path.suffixes] if path else []
    names = suffixes[:-1] if _is_gz(path) else suffixes
    kind: Literal["csv", "jsonl"] = "jsonl" if names and names[-1] in _JSON_NAMES else "csv"
    return Format(tuple(columns), kind, delimiter, excel_safe and kind == "csv")


def same_file(path: Path, other: Path) -> bool:
    """Tell whether two paths name one file, or would if there were one."""
    try:
        return path.samefile(other)
    except OSError:
        return path.resolve() == other.resolve()


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
