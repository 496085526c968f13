"""Paths: what they name, what is there, and whether an output may be written there."""

import contextlib
import errno
import hashlib
import os
import secrets
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

from stance.display import shown_path
from stance.errors import DataError, refusal, reported

HANDLES = "/proc/self/fd"
NAMELESS = sys.platform == "linux" and Path(HANDLES).is_dir()  # files need no name yet


def check_output(
    path: Path | None, *, force: bool, inputs: Iterable[Path | None] = (), regular: bool = False
) -> None:
    """Raise what `WholeFile` would raise because of the name or folder, before any work is done.

    It may be none of the `inputs`, not even with `force`, and no pipe or device if `regular`.
    """
    if path is None:
        return
    if any(source is not None and same_file(path, source) for source in inputs):
        raise refusal(path, "is the input; choose another name for the output")
    if path.suffix.lower() in (".zst", ".xz", ".bz2"):
        raise refusal(path, "can only compress as .gz; change the name")
    with reported(path):
        target = target_of(path)
        if is_device(path):
            if regular:
                raise refusal(path, "is a pipe or device; name a file")
        elif target.is_dir():
            raise IsADirectoryError(errno.EISDIR, "is a folder")
        elif target.exists() and not force:
            raise FileExistsError(errno.EEXIST, "exists")
        elif not target.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, "no folder")
        elif not os.access(target.parent, os.W_OK):
            sealed = hasattr(os, "statvfs") and os.statvfs(target.parent).f_flag & os.ST_RDONLY
            raise OSError(errno.EROFS if sealed else errno.EACCES, "not writable")
        else:
            _try_folder(target.parent)


def _try_folder(folder: Path) -> None:
    """Make a file in a folder and remove it: permissions do not say that all is well there."""
    if (handle := open_nameless(folder)) is not None:
        os.close(handle)
        return
    path = folder / f".stance-{secrets.token_hex(6)}.part"
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    path.unlink()


def open_nameless(folder: Path) -> int | None:
    """Return a new file that has no name yet; None where a file system knows no such thing."""
    with contextlib.suppress(OSError):
        return os.open(folder, os.O_RDWR | os.O_TMPFILE, 0o600) if NAMELESS else None
    return None


def target_of(path: Path) -> Path:
    """Return what a path names, at the end of all links; raise if there is no end."""
    with contextlib.suppress(RuntimeError):  # how Python before 3.13 reports a link to itself
        if not (target := path.resolve()).is_symlink():
            return target
    raise OSError(errno.ELOOP, "is a link to itself")


def mode_of(target: Path) -> int:
    """Return the permissions of the file to be replaced, or those of any new file."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    umask = os.umask(0o077)
    os.umask(umask)
    return 0o666 & ~umask


def is_device(path: Path) -> bool:
    """Return whether a path is a pipe or a device, which is written as it is."""
    try:
        kind = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(kind) and not stat.S_ISDIR(kind)


def same_file(path: Path, other: Path) -> bool:
    """Return whether two paths name one file, or would if there were one."""
    try:
        return path.samefile(other)
    except OSError:
        return os.path.realpath(path) == os.path.realpath(other)  # `resolve` raises on loops


def file_hash(first: Path, *others: Path) -> str:
    """Return the SHA-256 of a file, or of the bytes of several, one after another."""
    digest = hashlib.sha256()
    for path in (first, *others):
        try:
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
        except OSError as error:
            why = "cannot be read twice; copy the file and try again"
            raise DataError(f"{shown_path(path)}: {why}") from error
    return digest.hexdigest()
