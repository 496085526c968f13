"""Files that options name: refused before any work is done, or opened."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from stance.cli._terminal import tell
from stance.errors import DataError, UsageError

if TYPE_CHECKING:
    from stance.model.judging import StanceModel
    from stance.reading.actors import ActorBook

_FOREIGN = {".xls", ".xlsm", ".xlsb", ".ods", ".dta", ".sav", ".rds"}
"""Endings of tables that are not written."""


def beside(table: Path, ending: str) -> Path:
    """Return the name of a file that belongs to a table: the table's, but for its endings.

    >>> beside(Path("mine/answers.csv.gz"), ".html").as_posix()
    'mine/answers.html'
    """
    endings = {".gz", ".zst", ".csv", ".tsv", ".tab", ".psv", ".txt", ".jsonl", ".ndjson"}
    endings |= {".xlsx", ".xlsm", ".parquet", ".feather", ".arrow"}
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


def refuse_outputs(force: bool, inputs: Sequence[Path | None] = (), **outputs: Path | None) -> None:
    """Raise, before any work is done, if a file cannot be written, or is read or written twice.

    ``outputs`` are named like their options.
    """
    from stance.files import check_output, is_device, same_file

    before: dict[str, Path] = {}
    for name, path in outputs.items():
        if path is None:
            continue
        if str(path) == "-":
            raise UsageError("-: this cannot go to standard output; name a file")
        if path.suffix.lower() in _FOREIGN:
            raise UsageError(
                f"{path}: tables are written as CSV, TSV, JSON, Excel (.xlsx), Parquet or Arrow; "
                "end its name in .csv, which spreadsheets, R and pandas read"
            )
        for other, same in before.items():
            if same_file(path, same) and not is_device(path):
                raise UsageError(f"{path}: is both --{other} and --{name}; name two files")
        before[name] = path
        check_output(path, force=force, inputs=inputs)


def open_model(
    path: Path | None, actors: Path | None = None, aliases: str | None = None
) -> "StanceModel":
    """Load a model, or the default one; the user's actor book replaces its own."""
    from stance.storage import load_model, stemmer_note

    model = load_model(path)
    tell(*filter(None, [stemmer_note(model)]))
    return replace(model, book=open_book(actors, aliases, model.book))


def open_book(
    path: Path | None, aliases: str | None = None, other: "ActorBook | None" = None
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
