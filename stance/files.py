"""Whole files under their names, or nothing: written beside, then renamed."""

import contextlib
import os
from pathlib import Path

from stance.display import shown
from stance.errors import OutputError
from stance.tables.output import output_error
from stance.tables.temporary import PrivateFile


def write_whole(path: Path, data: bytes, *, force: bool = False) -> None:
    """Write a file that appears under its name only when it is whole.

    Raises
    ------
    OutputError
        If the file exists and `force` is not given, or cannot be written.
    """
    try:
        target = _target(path)
        _refuse_existing(path, target, force)
        _write(path, target, data, force)
    except OSError as error:
        raise output_error(error, path) from error


def refuse_target(path: Path, *, force: bool) -> None:
    """Raise what `write_whole` would raise before it writes; spares the work in vain."""
    try:
        _refuse_existing(path, _target(path), force)
    except OSError as error:
        raise output_error(error, path) from error


def _name(path: Path) -> str:
    return shown(str(path), 200)


def _target(path: Path) -> Path:
    """Return the file to be written: behind a symbolic link, what it points to."""
    with contextlib.suppress(RuntimeError):  # how Python before 3.13 reports a link to itself
        if not (target := path.resolve()).is_symlink():
            return target
    raise OutputError(f"{_name(path)}: is a link to itself; name another file")


def _refuse_existing(path: Path, target: Path, force: bool) -> None:
    if target.is_dir():
        raise OutputError(f"{_name(path)}: is a folder; name a file in it")
    if target.exists() and not target.is_file():
        raise OutputError(f"{_name(path)}: is a pipe or device; name a file")
    if target.exists() and not force:
        raise OutputError(f"{_name(path)}: exists already; use --force to overwrite it")


def _write(path: Path, target: Path, data: bytes, force: bool) -> None:
    private = PrivateFile(target)
    try:
        with os.fdopen(private.handle, "wb") as file:
            file.write(data)
            file.flush()
            try:
                private.become_target(force=force)
            except FileExistsError:  # it has come meanwhile
                _refuse_existing(path, target, force)
                raise
    finally:
        private.discard()
