"""Output files that appear under their name whole or not at all, and what paths stand for.

A file is made in private beside its place, reaches the disk and then gets its name in one step.
"""

import contextlib
import errno
import hashlib
import os
import stat
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Self, TypeVar

from stance.display import shown_path
from stance.errors import DataError, defer_signals, refusal, reported

Output = TypeVar("Output", bound="WholeFile")

DATA = Path(__file__).parent / "data"  # of the package; some of it is elsewhere in a clone
_STALE = 7 * 24 * 3600  # seconds after which nobody writes it any more

# --- What a path stands for ----------------------------------------------------------------------

SEPARATED_NAMES = (".csv", ".tsv", ".tab", ".psv", ".txt")
JSON_NAMES = (".jsonl", ".ndjson", ".json")
TABLE_NAMES = (*SEPARATED_NAMES, *JSON_NAMES, ".xlsx", ".xlsm", ".xls", ".parquet")
PAGE_NAMES = (".html", ".htm", ".xhtml")
ARTICLE_NAMES = (".txt", *PAGE_NAMES)
DOCUMENT_NAMES = (".doc", ".docx", ".odt", ".rtf", ".webarchive", ".mhtml", ".mht", ".epub")
COMPRESSED_NAMES = (".gz", ".zst")
"""How the names of files of a kind end."""


def kind_suffix(path: Path | None) -> str:
    """Return the suffix that says what kind of file a name is, before one of compression."""
    suffixes = [suffix.lower() for suffix in path.suffixes] if path else []
    if suffixes and suffixes[-1] in COMPRESSED_NAMES:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def bare_path(path: Path) -> Path:
    """Return a path without its ending, and without that of compression behind it."""
    compressed = path.suffix.lower() in COMPRESSED_NAMES
    return path.parent / (Path(path.stem).stem if compressed else path.stem)


def check_output(path: Path | None, *, force: bool, inputs: Iterable[Path | None] = ()) -> None:
    """Raise what `WholeFile` would raise because of the name or folder, before any work is done.

    It may be none of the `inputs`, not even with `force`.
    """
    if path is None:
        return
    if any(source is not None and same_file(path, source) for source in inputs):
        raise refusal(path, "is the input; choose another name for the output")
    if path.suffix.lower() in (".zst", ".xz", ".bz2"):
        raise refusal(path, "can only compress as .gz; change the name")
    with reported(path):
        target = Path(os.path.realpath(path))  # `resolve` raises on loops
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, "is a folder")
        if is_device(path):
            return
        if target.exists() and not force:
            raise FileExistsError(errno.EEXIST, "exists")
        _make_private(target).close()  # permissions do not say that all is well there, so try


def is_device(path: Path) -> bool:
    """Return whether a path is a pipe or a device, which is written as it is."""
    with contextlib.suppress(OSError):
        return stat.S_IFMT(path.stat().st_mode) not in (stat.S_IFREG, stat.S_IFDIR)
    return False


def same_file(path: Path, other: Path) -> bool:
    """Return whether two paths name one file, or would if there were one."""
    with contextlib.suppress(OSError):
        return path.samefile(other)
    return os.path.realpath(path) == os.path.realpath(other)


def file_hash(*paths: Path) -> str:
    """Return the SHA-256 of a file, or of the bytes of several, one after another."""
    digest = hashlib.sha256()
    for path in paths:
        try:
            with path.open("rb") as file:
                hashlib.file_digest(file, lambda: digest)
        except OSError as error:
            why = "cannot be read twice; copy the file and try again"
            raise DataError(f"{shown_path(path)}: {why}") from error
    return digest.hexdigest()


def versions_of(paths: Iterable[Path | None]) -> dict[Path, tuple[int, ...]]:
    """Return which version each file has that can be read twice; see `refuse_changed`."""
    stats = {path: path.stat() for path in paths if path and path.is_file()}
    return {path: (one.st_ino, one.st_size, one.st_mtime_ns) for path, one in stats.items()}


def changed(versions: Mapping[Path, tuple[int, ...]]) -> list[str]:
    """Return a sentence on each file that is another one than before, or was written to."""
    now = versions_of(versions)
    paths = (path for path, version in versions.items() if now.get(path) != version)
    return [f"{shown_path(path)}: has changed while it was read" for path in paths]


def refuse_changed(versions: Mapping[Path, tuple[int, ...]]) -> None:
    """Raise if a file has changed."""
    for what in changed(versions):
        raise DataError(f"{what}; run again")


def write_out(file: IO[bytes]) -> None:
    """Have the system bring what is written to the disk from now on, and not keep it in memory.

    Where much has gathered there, to write more takes much longer.
    """
    if hasattr(os, "posix_fadvise"):
        with contextlib.suppress(OSError):  # a pipe, or a file system that cannot
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


# --- Outputs -------------------------------------------------------------------------------------


class WholeFile:
    """A file that appears under its name when the ``with`` block ends well, and only then.

    Standard output (None), pipes and devices are written as they are; other files in private.
    """

    def __init__(self, path: Path | None, *, force: bool) -> None:
        check_output(path, force=force)
        self._path, self._force = path, force
        self.handle: IO[bytes]
        self._target: Path | None = None  # of a file that is made in private
        self._made: list[Path] = []  # what `discard` removes
        with reported(path):
            if not path:
                self.handle = sys.stdout.buffer
            elif is_device(path):
                self.handle = path.open("wb")  # it cannot be renamed over
            else:
                self._target = Path(os.path.realpath(path))
                clear_leftovers(self._target.parent)
                self.handle = _make_private(self._target, delete=False)
                self._made = [Path(self.handle.name)]

    def settle(self) -> None:
        """Bring what is written to the disk, so that only its name is missing."""
        if self.handle.closed:
            return
        with reported(self._path):
            self.handle.flush()
            if self._target:
                with contextlib.suppress(PermissionError):  # on some file systems of Windows
                    self._made[0].chmod(_mode_of(self._target))
                os.fsync(self.handle.fileno())
            if self._path:
                self.handle.close()  # Windows renames no open file, and pipes have readers

    def commit(self) -> None:
        """Give the file its name; raise if it is taken by now, without `force`."""
        self.settle()
        with reported(self._path):
            if self._target:
                if (replaces := self._target.exists()) and not self._force:
                    raise FileExistsError(errno.EEXIST, "exists")
                self._made[0].replace(self._target)
                self._made = [] if replaces else [self._target]
                sync_folder(self._target.parent)

    def discard(self) -> None:
        """Remove what has been written; only what replaced an older file stays."""
        if self._path:
            with contextlib.suppress(OSError):
                self.handle.close()
        for path in self._made:
            path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        _end([self], good=kind is None)


class AtomicGroup(contextlib.AbstractContextManager["AtomicGroup"]):
    """Outputs that all get their names when the ``with`` block ends well, or none does.

    Only what has replaced an older file stays if the next output fails.
    """

    def __init__(self) -> None:
        self._outputs: list[WholeFile] = []

    @contextlib.contextmanager
    def part(self, output: Output) -> Iterator[Output]:
        """Write an output in a ``with`` block, after which it waits for the others."""
        self._outputs.append(output)
        yield output
        output.settle()

    def write(self, path: Path, data: bytes, *, force: bool) -> None:
        """Write a file of the group."""
        with self.part(WholeFile(path, force=force)) as file, reported(path):
            file.handle.write(data)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        _end(self._outputs, good=kind is None)


def _end(outputs: Sequence[WholeFile], *, good: bool) -> None:
    """Give all outputs their names, or remove what has been written and replaced nothing."""
    with contextlib.ExitStack() as undo:
        for output in outputs:
            undo.callback(output.discard)
        if good:
            with defer_signals():
                for output in outputs:
                    output.commit()
            undo.pop_all()


def _make_private(target: Path, *, delete: bool = True) -> IO[bytes]:
    """Return a new file beside a target that nobody else may read."""
    begin, folder = f".{target.name}.stance-", target.parent
    return tempfile.NamedTemporaryFile(prefix=begin, suffix=".part", dir=folder, delete=delete)


def clear_leftovers(folder: Path, name: str = "") -> None:
    """Remove old leftovers of killed processes from a folder, and any of the named output."""
    for path in folder.glob(".*.stance-*.part"):
        with contextlib.suppress(OSError):
            old = path.lstat().st_mtime < time.time() - _STALE
            if old or path.name.startswith(f".{name}.stance-"):
                path.unlink()


def _mode_of(target: Path) -> int:
    """Return the permissions of the file to be replaced, or those of any new file."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    umask = os.umask(0o077)
    os.umask(umask)
    return 0o666 & ~umask


def sync_folder(folder: Path) -> None:
    """Make the names in a folder outlast a power cut."""
    with contextlib.suppress(OSError):  # some file systems cannot do that
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
