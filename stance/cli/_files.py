"""Files that commands name: those that may not be read or written, models and books opened."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from stance.cli._terminal import tell
from stance.errors import DataError, UsageError

if TYPE_CHECKING:
    from stance.model.judging import StanceModel
    from stance.reading.actors import ActorBook


def refuse_stdin(corpora: Iterable[Path]) -> None:
    """Raise if standard input is given as a labelled table."""
    if Path("-") in corpora:
        raise UsageError("-: a labelled table is read twice; name a file")


def refuse_outputs(force: bool, inputs: Sequence[Path | None] = (), **outputs: Path | None) -> None:
    """Raise if a file, named like its option, cannot be written, or is read or written twice."""
    from stance.files import check_output, is_device, same_file

    before: dict[str, Path] = {}
    for name, path in outputs.items():
        if path is None:
            continue
        if str(path) == "-":
            raise UsageError("-: this cannot go to standard output; name a file")
        for other, same in before.items():
            if same_file(path, same) and not is_device(path):
                raise UsageError(f"{path}: is both --{other} and --{name}; name two files")
        before[name] = path
        check_output(path, force=force, inputs=inputs)


def beside(table: Path, ending: str) -> Path:
    """Return the name of a file that belongs to a table: the table's, but for its endings.

    >>> beside(Path("mine/answers.csv.gz"), ".html").as_posix()
    'mine/answers.html'
    """
    endings = {".gz", ".zst", ".csv", ".tsv", ".tab", ".psv", ".txt", ".jsonl", ".xlsx", ".parquet"}
    while table.suffix.lower() in endings:
        table = table.with_suffix("")
    return table.with_name(table.name + ending)


def path_or_stdin(path: Path) -> Path | None:
    """Return the path, or None for ``-``."""
    return None if str(path) == "-" else path


def text_of_stdin() -> str:
    """Return the text on standard input, without the line end behind it."""
    try:
        text = sys.stdin.buffer.read().decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        why = f"offset {error.start} is not UTF-8"
        raise DataError(f"standard input: {why}; convert it first") from error
    if not text.strip():
        raise DataError("standard input: is empty; pipe a paragraph into it")
    return text


def open_model(
    path: Path | None, actors: Path | None = None, aliases: str | None = None
) -> "StanceModel":
    """Load a model, or the default one; the user's actor book replaces its own."""
    from stance.storage import load_model, stemmer_note

    model = load_model(path)
    tell(*filter(None, [stemmer_note(model)]))
    return replace(model, book=open_book(actors, aliases, model.book))


def with_reader(
    default: "StanceModel", reads: Literal["all", "unsure"], **options: object
) -> "StanceModel":
    """Return the default model with the deep reader; refuse options that do not go with it."""
    from stance.storage import load_reader

    for name, value in options.items():
        if value is not None:
            alone = "goes with the default model alone, without calibrated abstention or a cluster"
            raise UsageError(f"--deep {alone}; drop --{name}, or drop --deep")
    return replace(default, deep=load_reader(reads).open())


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
