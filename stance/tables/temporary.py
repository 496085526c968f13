"""Private files in which an output is made; none outlives its process, or the next one's start.

Where the system has them, files without a name are used, of which a killed process leaves nothing.
Others are named after their output and locked as long as their process lives, so that the next
to write the same output can tell what a killed one has left from what is still being written.
"""

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where leftovers stay
    fcntl = None  # type: ignore[assignment]

_DESCRIPTORS = Path("/proc/self/fd")


class PrivateFile:
    """A file in the making, which becomes its target or leaves nothing.

    Parameters
    ----------
    target : Path
        Behind symbolic links.
    folder : Path, optional
        A private one in the same file system, for the file to have a name in.

    Attributes
    ----------
    handle : int
        Descriptor to write to. Whoever takes it closes it.
    """

    def __init__(self, target: Path, folder: Path | None = None) -> None:
        self._target = target
        self._path: Path | None = None  # set before there is such a file, so that none is forgotten
        clear_leftovers(target)
        nameless = _open_nameless(target.parent) if folder is None else None
        self.handle = self._open_named(folder or target.parent) if nameless is None else nameless

    def become_target(self, *, force: bool) -> None:
        """Give the file, all of it written, its final name.

        Raises
        ------
        FileExistsError
            If there is a file of that name by now and `force` is not given.
        """
        os.fchmod(self.handle, _mode(self._target))
        os.fsync(self.handle)
        path = self._path or self._name()
        if force:
            path.replace(self._target)
        else:
            self._link_once(path)
        self._path = None
        sync_folder(self._target.parent)

    def discard(self) -> None:
        """Remove the file if it has a name other than the target's."""
        if self._path:
            self._path.unlink(missing_ok=True)
            self._path = None

    def _open_named(self, folder: Path) -> int:
        while True:
            self._path = folder / f"{_beginning(self._target)}{secrets.token_hex(6)}.part"
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            if not _lock(handle) or os.fstat(handle).st_nlink:
                return handle
            os.close(handle)  # another took it for a leftover before it was locked

    def _name(self) -> Path:
        """Give a nameless file a name of its own beside its target."""
        source, folder = _DESCRIPTORS / str(self.handle), self._target.parent
        self._path = folder / f"{_beginning(self._target)}{secrets.token_hex(6)}.part"
        opened = os.open(folder, os.O_RDONLY)
        try:  # with a folder, link follows the symbolic link in /proc
            os.link(source, self._path, src_dir_fd=opened, follow_symlinks=True)
        except OSError:  # some containers have nameless files and cannot name them
            copy = self._open_named(folder)
            with os.fdopen(os.dup(copy), "wb") as file, source.open("rb") as written:
                shutil.copyfileobj(written, file)
                file.flush()
                os.fchmod(copy, os.fstat(self.handle).st_mode)
                os.fsync(copy)
            os.dup2(copy, self.handle)  # which holds the lock, then, until the output has its name
            os.close(copy)
        finally:
            os.close(opened)
        return self._path

    def _link_once(self, path: Path) -> None:
        try:
            os.link(path, self._target)  # unlike a rename, fails if the name is taken by now
        except FileExistsError:
            raise
        except OSError:  # a file system without links
            if self._target.exists():
                raise FileExistsError(errno.EEXIST, "exists already") from None
            path.replace(self._target)
        else:
            path.unlink()


def _mode(target: Path) -> int:
    """Return the permissions of the file to be replaced, or those of any new file."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    umask = os.umask(0o077)
    os.umask(umask)
    return 0o666 & ~umask


def sync_folder(folder: Path) -> None:
    """Have the names in a folder outlast a power cut."""
    with contextlib.suppress(OSError):  # some file systems cannot do that
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def begin_sync(handle: int) -> None:
    """Have a file begin to reach the disk, without waiting for it.

    Linux takes the advice that the pages are not needed as a request to write them.
    """
    if hasattr(os, "posix_fadvise"):
        with contextlib.suppress(OSError):  # a pipe, or a file system that cannot
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)


def _open_nameless(folder: Path) -> int | None:
    """Open a file that is gone when it is closed, unless it gets a name before.

    Returns
    -------
    int or None
        Descriptor; None where the file system has no such files.
    """
    if not hasattr(os, "O_TMPFILE") or not _DESCRIPTORS.is_dir():
        return None
    try:
        handle = os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600)
    except OSError:  # an older file system, or a fault that the named file will report
        return None
    _lock(handle)  # for when it has got a name, and not yet the output's
    return handle


def clear_leftovers(target: Path) -> None:
    """Remove what killed processes have left of the target; what is locked is someone's work."""
    if fcntl is None:
        return
    for path in _beginning_with(target.parent, _beginning(target)):
        with contextlib.suppress(OSError):
            handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
            finally:
                os.close(handle)


def _beginning(target: Path) -> str:
    """Return how the names of a target's files begin; a hash, since names may be long."""
    return f".stance-{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:12]}-"


def _beginning_with(folder: Path, beginning: str) -> Iterator[Path]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(beginning) and entry.name.endswith(".part"):
                yield Path(entry.path)


def _lock(handle: int) -> bool:
    """Lock a file until it is closed; say whether that can be done here."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)  # which another may hold for a moment, to clear away
    except OSError:  # a file system without locks, where leftovers cannot be locked either
        return False
    return True
