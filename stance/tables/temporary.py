"""Private files in which an output is made; none outlives its process, or the next one's start.

Where the system has them, files without a name are used, of which a killed process leaves nothing.
Others are named after their output and locked as long as their process lives, so that the next
to write the same output can tell what a killed one has left from what is still being written.
"""

import contextlib
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where leftovers stay
    fcntl = None  # type: ignore[assignment]

_DESCRIPTORS = Path("/proc/self/fd")


def open_nameless(folder: Path) -> int | None:
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


def open_named(target: Path, folder: Path) -> tuple[int, Path]:
    """Open a new file in a folder, to become the target."""
    while True:
        path = folder / f"{_beginning(target)}{secrets.token_hex(6)}.part"
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        if not _lock(handle) or os.fstat(handle).st_nlink:
            return handle, path
        os.close(handle)  # another took it for a leftover before it was locked


def give_name(handle: int, target: Path) -> Path:
    """Give a nameless file a name of its own beside its target."""
    source = _DESCRIPTORS / str(handle)
    path = target.parent / f"{_beginning(target)}{secrets.token_hex(6)}.part"
    folder = os.open(path.parent, os.O_RDONLY)
    try:  # with a folder, link follows the symbolic link in /proc
        os.link(source, path, src_dir_fd=folder, follow_symlinks=True)
    except OSError:  # some containers have nameless files and cannot name them
        copy, path = open_named(target, target.parent)
        with os.fdopen(os.dup(copy), "wb") as file, source.open("rb") as written:
            shutil.copyfileobj(written, file)
            file.flush()
            os.fchmod(copy, os.fstat(handle).st_mode)
            os.fsync(copy)
        os.dup2(copy, handle)  # which holds the lock, then, until the output has its name
        os.close(copy)
    finally:
        os.close(folder)
    return path


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
