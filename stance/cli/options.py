"""Types of arguments and options that several commands share."""

import errno
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stance.cli.screen import tell
from stance.errors import DataError, UsageError

if TYPE_CHECKING:
    from stance.model import StanceModel

ModelFile = Annotated[
    Path | None, typer.Option("--model", "-m", help="Model file; the default model without it.")
]
ActorsFile = Annotated[
    Path | None, typer.Option("--actors", "-a", help="Actor book (TOML) of your own.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite existing files.")]
Delimiter = Annotated[
    str | None, typer.Option("--delimiter", help="Separator of the table; detected without it.")
]
Encoding = Annotated[
    str | None, typer.Option("--encoding", help="Encoding of the table; UTF-8 without it.")
]


def path_or_stdin(path: Path) -> Path | None:
    """Return None where the path is ``-``."""
    if str(path) == "-" and sys.stdin is None:
        raise DataError("standard input: is closed; name a file")
    return None if str(path) == "-" else path


def refuse_output(path: Path | None, force: bool, inputs: Iterable[Path | None] = ()) -> None:
    """Raise where a file cannot be written, or is one of those read, before any work is done."""
    from stance.tables.output import check_output, is_device, output_error

    if str(path) == "-":
        raise UsageError("-: standard output is not for this; name a file")
    check_output(path, force=force, inputs=inputs)
    if path is None or is_device(path):
        return
    folder = path.resolve().parent
    if not folder.is_dir():
        raise output_error(FileNotFoundError(errno.ENOENT, ""), path)
    if not os.access(folder, os.W_OK):
        sealed = hasattr(os, "statvfs") and os.statvfs(folder).f_flag & os.ST_RDONLY
        raise output_error(OSError(errno.EROFS if sealed else errno.EACCES, ""), path)


def open_model(path: Path | None, actors: Path | None = None) -> "StanceModel":
    """Load a model, or the default one; with an actor book of the user's in place of its own."""
    import dataclasses

    from stance.actors import ActorBook
    from stance.defaults import default_model
    from stance.storage import load_model

    model = load_model(path or default_model(tell))
    return dataclasses.replace(model, book=ActorBook.read(actors)) if actors else model
