"""Files that appear under their name whole, or not at all; but for SQLite, nothing else writes one.

A file is made in private, reaches the disk and then gets its name in one step. Where the system
can, it has no name until then, so that a killed process leaves nothing; elsewhere private files
are locked, so that what one left is removed when the same file is written again.
"""

import contextlib
import errno
import hashlib
import io
import os
import secrets
import stat
import sys
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Self, TypeVar

from stance import errors, paths
from stance.errors import refusal, reported
from stance.interrupts import held
from stance.paths import check_output, is_device, mode_of, open_nameless, same_file, target_of

try:
    import fcntl
except ImportError:  # Windows, where leftovers stay
    fcntl = None  # type: ignore[assignment]

Work = TypeVar("Work", bound="Transaction")

_EARLY = 16 * 1024 * 1024  # or the end of a long run would have to wait for all of its output


def write_whole(path: Path, data: bytes, *, force: bool = False) -> None:
    """Write a file; raise `OutputError` if it exists, without `force`, or cannot be written."""
    with Together() as alone:
        alone.write(path, data, force=force)


def write_together(contents: Sequence[tuple[Path, bytes]], *, force: bool = False) -> None:
    """Write files as `write_whole` does, but `Together`."""
    for at, (path, _) in enumerate(contents):
        if any(same_file(path, other) for other, _ in contents[:at]):
            raise refusal(path, "would be written twice; choose another name")
    with Together() as together:
        for path, data in contents:
            together.write(path, data, force=force)


def write_private(path: Path, *data: bytes, sync: bool = True) -> None:
    """Write or replace a file in a private folder; a power cut may damage it without `sync`.

    Without, the system writes it to the disk when it likes; what is removed by then costs nothing.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.writelines(data)
        file.flush()
        if sync:
            os.fsync(handle)
    temporary.replace(path)
    if sync:
        sync_folder(path.parent)


def write_checked(path: Path, data: bytes) -> None:
    """Write a file in a private folder, with a checksum that shows what a power cut has damaged."""
    write_private(path, b"%d %d\n" % (len(data), zlib.crc32(data)), data, sync=False)


def read_checked(path: Path) -> bytes | None:
    """Return what `write_checked` has written; None if it is gone or damaged."""
    try:
        with path.open("rb") as file:
            size, checksum = map(int, file.readline().split())
            data = file.read()
    except (OSError, ValueError):
        return None
    return data if len(data) == size and zlib.crc32(data) == checksum else None


class Transaction(ABC):
    """Work that a ``with`` block commits if it ends well, and discards otherwise."""

    @abstractmethod
    def settle(self) -> None:
        """Do all of the work but for what makes it seen."""

    @abstractmethod
    def commit(self) -> None:
        """Make the work permanent."""

    @abstractmethod
    def withdraw(self) -> None:
        """Undo what `commit` has done, but for what cannot be undone."""

    @abstractmethod
    def discard(self) -> None:
        """Undo what is not committed; does nothing after `commit`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.commit()
        finally:
            self.discard()


class Together(Transaction):
    """Work of several parts, such as files, of which all are committed or none.

    Only what has replaced an older file stays if the next part fails.
    """

    def __init__(self) -> None:
        self._parts: list[Transaction] = []

    @contextlib.contextmanager
    def part(self, work: Work) -> Iterator[Work]:
        """Do a part in a ``with`` block, after which it waits for the others."""
        self._parts.append(work)
        yield work
        work.settle()

    def write(self, path: Path, data: bytes, *, force: bool) -> None:
        """Write a file as a part."""
        check_output(path, force=force, regular=True)
        with self.part(WholeFile(path, force=force)) as file:
            file.write(data)

    def settle(self) -> None:
        """Settle all parts."""
        for part in self._parts:
            part.settle()

    def commit(self) -> None:
        """Commit the parts; if one cannot be, withdraw those before it."""
        with held():
            try:
                for part in self._parts:
                    part.commit()
            except BaseException:
                self.withdraw()
                raise

    def withdraw(self) -> None:
        """Withdraw all parts."""
        for part in self._parts:
            part.withdraw()

    def discard(self) -> None:
        """Discard all parts, even if one of them cannot be."""
        with contextlib.ExitStack() as stack:
            for part in self._parts:
                stack.callback(part.discard)


class WholeFile(Transaction):
    """A file that appears under its name when the ``with`` block ends well, and only then.

    Standard output (None), pipes and devices are written as they are; others in a private place.
    """

    def __init__(self, path: Path | None, *, force: bool, folder: Path | None = None) -> None:
        self._path = path
        self._force = force
        self._target: Path | None = None  # of what is made in private
        self._settled = False  # on the disk
        self._own: int | None = None  # its number, once it may have a name that was free
        self._made: Path | None = None  # set before there is such a file, so that none is forgotten
        with reported(path):
            self._file = self._open(path, folder) if path else sys.stdout.buffer

    def _open(self, path: Path, folder: Path | None) -> "BinaryIO | _File":
        if is_device(path):
            return _File(path, "wb")  # it cannot be renamed over
        check_output(path, force=self._force)
        self._target = target = target_of(path)
        clear_leftovers(target)
        return _File(self._open_private(folder or target.parent, _beginning(target)), "wb")

    def _open_private(self, folder: Path, beginning: str) -> int:
        while True:
            self._made = folder / f"{beginning}{secrets.token_hex(6)}.part"
            if (handle := open_nameless(folder)) is not None:
                _lock(handle)  # as soon as it has a name, it must not be taken for a leftover
                return handle
            handle = os.open(self._made, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            if not _lock(handle) or os.fstat(handle).st_nlink:
                return handle
            os.close(handle)  # another took it for a leftover before it was locked

    @property
    def inode(self) -> int:
        """Number of the file in its file system; it keeps it under its final name."""
        return os.fstat(self._file.fileno()).st_ino

    def write(self, data: bytes | bytearray) -> int:
        """Write all of the data."""
        with reported(self._path):
            return self._file.write(data)

    def flush(self) -> None:
        """Pass on what standard output has buffered."""
        self._file.flush()

    def settle(self) -> None:
        """Bring what is written to the disk, so that it lacks but its name."""
        if self._settled:
            return
        with reported(self._path):
            self._file.flush()
            if self._target:
                mode = mode_of(self._target)
                # Windows has it from Python 3.13 on; some file systems of Windows refuse it.
                with contextlib.suppress(AttributeError, PermissionError):
                    os.fchmod(self._file.fileno(), mode)
                os.fsync(self._file.fileno())
            elif self._path:
                self._file.close()  # or who reads a pipe to its end would wait for the other parts
        self._settled = True

    def commit(self) -> None:
        """Give the file its name; raise if it is taken by now, without `force`."""
        self.settle()
        with reported(self._path):
            if self._target and self._made:
                self._become(self._made, self._target)  # `discard` closes it: all is on the disk

    def withdraw(self) -> None:
        """Remove the file again, unless it replaced one or another has its name by now."""
        with contextlib.suppress(OSError):
            if self._target and self._target.stat().st_ino == self._own:
                self._target.unlink()

    def discard(self) -> None:
        """Remove what has been written; nothing appears under the name."""
        if self._path:
            with contextlib.suppress(OSError):
                self._file.close()
        if self._made:
            self._made.unlink(missing_ok=True)
            self._made = None

    def _become(self, path: Path, target: Path) -> None:
        if paths.NAMELESS and not os.fstat(self._file.fileno()).st_nlink:
            self._name(path)
        if not target.exists():
            self._own = self.inode
        if not errors.RENAMES_OPEN:
            self._file.close()
        if self._force:
            path.replace(target)
        else:
            _link_once(path, target)
        self._made = None
        sync_folder(target.parent)

    def _name(self, path: Path) -> None:
        """Give the file a name; where a file system refuses that, a copy of it."""
        handle = self._file.fileno()
        try:
            # A number of a folder, though not used, makes Python follow the link that this is.
            os.link(f"{paths.HANDLES}/{handle}", path, src_dir_fd=0, follow_symlinks=True)
        except OSError:
            copy = _File(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "wb")
            _lock(copy.fileno())
            place = 0
            while block := os.pread(handle, 1 << 20, place):
                place += copy.write(block)
            os.fchmod(copy.fileno(), stat.S_IMODE(os.fstat(handle).st_mode))
            os.fsync(copy.fileno())
            self._file.close()
            self._file = copy


class _File(io.FileIO):
    """An unbuffered file that writes all it is given, or raises, even on a full disk."""

    _waiting = 0

    def write(self, data: Any, /) -> int:
        view, written = memoryview(data), 0
        while written < len(view):
            written += super().write(view[written:])
        self._waiting += written
        if self._waiting >= _EARLY:
            self._waiting = 0
            _begin_writing(self.fileno())
        return written


def _begin_writing(handle: int) -> None:
    """Have the system write a file to the disk from now on, without waiting for it."""
    if hasattr(os, "posix_fadvise"):
        with contextlib.suppress(OSError):  # a pipe, or a file system that cannot
            # Linux takes the advice that pages are not needed as a request to write them.
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)


def _link_once(path: Path, target: Path) -> None:
    try:
        os.link(path, target)  # unlike a rename, fails if the name is taken by now
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if target.exists():
            raise FileExistsError(errno.EEXIST, "exists") from None
        path.replace(target)
    else:
        path.unlink()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder outlast a power cut."""
    with contextlib.suppress(OSError):  # some file systems cannot do that
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def clear_leftovers(target: Path) -> None:
    """Remove what killed processes left of the target; what is locked is still being written."""
    if fcntl is None:
        return
    for path in target.parent.glob(f"{_beginning(target)}*.part"):
        with contextlib.suppress(OSError):
            handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
            with os.fdopen(handle):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()


def _beginning(target: Path) -> str:
    """Return how the names of a target's files begin; a hash, since names may be long."""
    return f".stance-{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:12]}-"


def _lock(handle: int) -> bool:
    """Lock a file until it is closed; return whether that can be done here."""
    with contextlib.suppress(OSError):  # without locks, leftovers cannot be locked either
        if fcntl:
            fcntl.flock(handle, fcntl.LOCK_EX)  # which another may hold for a moment, to clear away
            return True
    return False
