"""Options that several commands share, and checks on the files that they name."""

import errno
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stance.cli._terminal import tell
from stance.errors import DataError, UsageError

if TYPE_CHECKING:
    from stance.model.judging import StanceModel
    from stance.reading.actors import ActorBook

_FOREIGN = {".xlsx", ".xls", ".ods", ".parquet", ".feather", ".dta", ".sav", ".rds"}
"""Endings of tables that are not written."""

ModelFile = Annotated[
    Path | None,
    typer.Option(
        "--model", "-m", metavar="MODEL", help="Model file; the default model if omitted."
    ),
]
ActorsFile = Annotated[
    Path | None, typer.Option("--actors", "-a", metavar="FILE", help="Your own actor book (TOML).")
]
Aliases = Annotated[
    str | None,
    typer.Option(
        "--aliases",
        metavar="KINDS",
        help="Kinds of alias that count, such as name,demonym; all if omitted.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite existing files.")]
Delimiter = Annotated[
    str | None,
    typer.Option("--delimiter", metavar="C", help="Separator of the table; detected if omitted."),
]
Encoding = Annotated[
    str | None,
    typer.Option(
        "--encoding", metavar="E", help="Encoding of the table, such as cp1252; UTF-8 if omitted."
    ),
]
Include = Annotated[
    list[str] | None,
    typer.Option(
        "--include",
        metavar="PATTERN",
        help="Files to read in folders, such as '*.html' or '2024/*'; may be repeated.",
    ),
]
NamePattern = Annotated[
    str | None,
    typer.Option(
        "--name-pattern",
        metavar="PATTERN",
        help="What file names say, such as {outlet}_{date}; a column each.",
    ),
]
Labels = Annotated[
    str | None,
    typer.Option(
        "--labels",
        metavar="SPELLING=LABEL,...",
        help="What stance labels mean, such as 0=against,1=favor.",
    ),
]
Jobs = Annotated[int, typer.Option("--jobs", metavar="N", help="Number of processes.", min=1)]
TextColumn = Annotated[
    str, typer.Option("--text-column", metavar="NAME", help="Column with the paragraph.")
]


def beside(table: Path, ending: str) -> Path:
    """Return the name of a file that belongs to a table: the table's, but for its endings.

    >>> beside(Path("mine/answers.csv.gz"), ".html").as_posix()
    'mine/answers.html'
    """
    endings = {".gz", ".zst", ".csv", ".tsv", ".tab", ".psv", ".txt", ".jsonl", ".ndjson"}
    while table.suffix.lower() in endings:
        table = table.with_suffix("")
    return table.with_name(table.name + ending)


def path_or_stdin(path: Path) -> Path | None:
    """Return the path, or None for ``-``."""
    if str(path) == "-" and sys.stdin is None:
        raise DataError("standard input: is closed; name a file")
    return None if str(path) == "-" else path


def refuse_stdin(corpora: Iterable[Path]) -> None:
    """Raise if standard input is given as a labelled table."""
    if Path("-") in corpora:
        raise UsageError("-: a labelled table is read twice; name a file")


def refuse_output(path: Path | None, force: bool, inputs: Iterable[Path | None] = ()) -> None:
    """Raise, before any work is done, if a file cannot be written or is one of those read."""
    from stance.files import check_output, is_device, output_error

    if str(path) == "-":
        raise UsageError("-: this cannot go to standard output; name a file")
    check_output(path, force=force, inputs=inputs)
    if path is None or is_device(path):
        return
    if path.suffix.lower() in _FOREIGN:
        raise UsageError(
            f"{path}: tables are written as CSV, TSV or JSON Lines; end its name in .csv, which "
            "spreadsheets, R and pandas read"
        )
    folder = path.resolve().parent
    if not folder.is_dir():
        raise output_error(FileNotFoundError(errno.ENOENT, ""), path)
    if not os.access(folder, os.W_OK):
        sealed = hasattr(os, "statvfs") and os.statvfs(folder).f_flag & os.ST_RDONLY
        raise output_error(OSError(errno.EROFS if sealed else errno.EACCES, ""), path)


def open_model(
    path: Path | None, actors: Path | None = None, aliases: str | None = None
) -> "StanceModel":
    """Load a model, or the default one; the user's actor book replaces its own."""
    import dataclasses

    from stance.defaults import default_model
    from stance.storage import load_model

    model = load_model(path or default_model(tell))
    return dataclasses.replace(model, book=open_book(actors, aliases, model.book))


def open_book(
    path: Path | None, aliases: str | None, other: "ActorBook | None" = None
) -> "ActorBook":
    """Read the user's actor book, or take the other or bundled one; limit it to kinds of alias."""
    from stance.reading.actors import ActorBook

    book = ActorBook.read(path) if path else other or ActorBook.default()
    if aliases is None:
        return book
    try:
        return book.limited([kind.strip() for kind in aliases.split(",")])
    except UsageError as error:
        raise UsageError(f"--aliases: {error}") from error
