"""What commands take: files, models, actor books, and how tables are read."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from stance.cli._terminal import tell
from stance.errors import DataError, UsageError
from stance.records import Form, InputOptions, Options

if TYPE_CHECKING:
    from stance.model import StanceModel
    from stance.reading.actors import ActorBook


def refuse_outputs(force: bool, inputs: Sequence[Path | None] = (), **outputs: Path | None) -> None:
    """Raise if a file, named like its option, cannot be written, or is read or written twice."""
    from stance.files import check_output, is_device, same_file

    named = {name: path for name, path in outputs.items() if path}
    for name, path in named.items():
        if str(path) == "-":
            raise UsageError("-: this cannot go to standard output; name a file")
        for other in named.keys() - {name}:
            if same_file(path, named[other]) and not is_device(path):
                raise UsageError(f"{path}: is both --{name} and --{other}; name two files")
        check_output(path, force=force, inputs=inputs)


def refuse_page(page: Path | None) -> None:
    """Raise if a page would be written under the name of a table or of another kind of file."""
    from stance.files import PAGE_NAMES, is_device, kind_suffix

    if page and kind_suffix(page) not in PAGE_NAMES and not is_device(page):
        raise UsageError(f"{page}: is not the name of a page; end it in .html")


def beside(table: Path, ending: str) -> Path:
    """Return the name of a table's companion, by its ending: "a.html" for "a.csv.gz"."""
    from stance.files import TABLE_NAMES, bare_path, kind_suffix

    bare = bare_path(table) if kind_suffix(table) in TABLE_NAMES else table
    if not bare.name:
        raise UsageError(f"{table}: is a folder; name a table")
    return bare.with_name(bare.name + ending)


def inputs_of(sources: Sequence[Path]) -> list[Path | None]:
    """Return the files to read, None for ``-``."""
    return [None if str(path) == "-" else path for path in sources]


def open_model(
    model: Path | None, actors: Path | None = None, aliases: str | None = None,
    deep: Literal["all", "unsure"] | None = None, **others: object,
) -> "StanceModel":  # fmt: skip
    """Load a model, or the default one; the user's actor book replaces its own.

    With `deep`, it has the deep reader, and what does not go with that is refused.
    """
    from stance import storage

    loaded, reader = storage.load_model(storage.model_file(model)), None
    if deep is not None:
        if unfit := [option for option, value in others.items() if value is not None]:
            only = "works only without calibrated abstention or a cluster"
            raise UsageError(f"--deep {only}; drop --{unfit[0]}, or drop --deep")
        names = {storage.digest_of(name): name for name in storage.BUNDLED}
        reader = storage.load_reader(deep, model=names.get(loaded.digest, storage.BUNDLED[0]))
    return replace(loaded, book=open_book(actors, aliases, loaded.book), deep=reader)


def open_book(
    path: Path | None, aliases: str | None = None, other: "ActorBook | None" = None
) -> "ActorBook":
    """Read the user's actor book, or take the other or bundled one; limit it to kinds of alias."""
    from stance.reading.actors import ActorBook

    book = ActorBook.read(path) if path else other or ActorBook.default()
    return book if aliases is None else book.limited([kind.strip() for kind in aliases.split(",")])


# --- How tables are read: the parameters of these functions are options ---

_TEXT = str | None
_DATED = {"date_format": _TEXT, **Form.__annotations__}
_COLUMNS = dict.fromkeys(("text_column", "actor_column", "stance_column", "document_column"), _TEXT)
_LABELS = {"labels": dict[str, str] | None}
_PERIOD = Literal["week", "month", "quarter", "year"] | None
GROUPS: dict[str, dict[str, Any]] = {
    "form": Form.__annotations__,
    "dated": {"date_column": _TEXT, **_DATED},
    "imported": {"actor": _TEXT, **_LABELS, **Form.__annotations__},
    "labelled": {"actor": _TEXT, **_LABELS, **_DATED},
    "answered": {"by": _TEXT, "over": _TEXT, "period": _PERIOD, **_LABELS, **_COLUMNS, **_DATED},
    "audited": {"audit": Path | None, "simple_random": bool},
    "loading": {"model": Path | None, "actors": Path | None, "aliases": _TEXT},
    "running": {"rejects": Path | None, "max_rejects": int | None, "summary": Path | None}
    | {"since": Path | None, "resume": bool, "cluster": _TEXT},
}
"""Options that a command or a maker gets as they are: as ``**NAME`` of their group."""


def _texts(text_column: str = "text", keep_all: bool = False, **dated: Any) -> InputOptions:
    return InputOptions(text_column=text_column, keep_all=keep_all, **dated)


def _answered(
    answers: list[Path], prefix: str = "", only: list[str] | None = None, **answered: Any
) -> dict[str, Any]:
    from stance.files import is_device
    from stance.tables import find_inputs

    if streams := [path for path in answers if str(path) == "-" or is_device(path)]:
        raise DataError(f"{streams[0]}: the answers are read twice; name a file")
    inputs = find_inputs(answers)
    tell(*inputs.notes)
    source = inputs if inputs.several else answers[0]
    return {"source": source, "prefix": prefix, "only": only or (), **answered}


MAKERS: dict[str, Callable[..., Any]] = {
    "inputs": InputOptions,  # how tables of texts to judge are written
    "reading": _texts,  # the same where no column names whom to judge
    "answered": _answered,  # which answers are read, and how
    "options": Options,  # how to answer
    "loading": lambda **loading: loading,  # which model, and with which names of actors
}
"""What makes a parameter of a command, by its name, of options of the command line."""
