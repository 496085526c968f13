"""Options that several commands share, and checks on the files that they name."""

import functools
import inspect
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stance.cli._terminal import tell
from stance.display import count
from stance.errors import DataError, UsageError

if TYPE_CHECKING:
    from stance.corpus import CorpusForm
    from stance.model.judging import StanceModel
    from stance.reading.actors import ActorBook

_FOREIGN = {".xls", ".xlsm", ".xlsb", ".ods", ".dta", ".sav", ".rds"}
"""Endings of tables that are not written."""

LONGEST_TEXT = 1_000_000  # bytes of a paragraph on standard input

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
AuditEncoding = Annotated[
    str | None,
    typer.Option(metavar="E", help="Encoding of the labelled sample; UTF-8 if omitted."),
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
Sheet = Annotated[
    str | None,
    typer.Option("--sheet", metavar="NAME", help="Sheet of a workbook; the first if omitted."),
]
Labels = Annotated[
    str | None,
    typer.Option(
        "--labels",
        metavar="SPELLING=LABEL,...",
        help="What stance labels mean, such as 0=against,1=favor.",
    ),
]


def _bounded(jobs: int) -> int:
    """Return a number of processes if this computer can have so many."""
    processors = os.cpu_count() or 1
    if jobs > (most := max(64, 4 * processors)):
        has = f"this computer has {count(processors, 'processor')}"
        raise typer.BadParameter(f"{jobs:,} processes are too many; {has}, so at most {most} start")
    return jobs


Jobs = Annotated[
    int,
    typer.Option("--jobs", metavar="N", help="Number of processes.", min=1, callback=_bounded),
]
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


def _column(name: str, what: str) -> Any:
    """Return an option that names a column; without it, that is `name`, in any case."""
    text = f"Column with {what}; '{name}' if omitted."
    return typer.Option(f"--{name}-column", metavar="NAME", help=text)


OwnText = Annotated[str | None, _column("text", "the paragraph")]
ActorColumn = Annotated[str | None, _column("actor", "the actor to judge")]
StanceColumn = Annotated[str | None, _column("stance", "the stance")]
DocumentColumn = Annotated[str | None, _column("document", "the document that no split may cut")]
DateColumn = Annotated[str | None, _column("date", "the date, when leaders must be in office")]
DateFormat = Annotated[
    str | None,
    typer.Option(
        "--date-format",
        metavar="PATTERN",
        help="Form of dates with two readings, such as %d/%m/%Y or %m/%d/%Y.",
    ),
]


Answers = Annotated[
    list[Path],
    typer.Argument(metavar="ANSWERS", help="Tables that stance predict wrote, or folders of them."),
]
AnswersForm = dict[str, Any]  # arguments of `findings.Request`

_LABELLED = {
    "labels": Labels,
    "text_column": OwnText,
    "actor_column": ActorColumn,
    "stance_column": StanceColumn,
    "document_column": DocumentColumn,
    "date_column": DateColumn,
    "date_format": DateFormat,
    "delimiter": Delimiter,
    "encoding": Encoding,
    "sheet": Sheet,
}
"""Options of every command that reads labelled tables."""


_ANSWERED = {
    "answers": Answers,
    "include": Include,
    "text_column": OwnText,
    "actor_column": Annotated[
        str | None, typer.Option(metavar="NAME", help="Column with the actor judged.")
    ],
    "prefix": Annotated[
        str | None,
        typer.Option(
            metavar="WORD", help="Prefix of the answers' columns.", rich_help_panel="Reading tables"
        ),
    ],
    "date_format": DateFormat,
    "delimiter": Delimiter,
    "encoding": Encoding,
    "sheet": Sheet,
}
"""Tables and options of every command that reads answers."""

_REQUIRED = frozenset({"answers"})


def reads_corpora(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of labelled tables; it gets what they say as `form`."""
    return _with_form(command, _LABELLED, _corpus_form)


def reads_answers(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the tables of answers and their options; it gets what they say as `form`."""
    return _with_form(command, _ANSWERED, _answers_form)


def _with_form(
    command: Callable[..., None], options: Mapping[str, Any], make: Callable[..., Any]
) -> Callable[..., None]:
    @functools.wraps(command)
    def run(**given: Any) -> None:
        asked = {name: given.pop(name) for name in options}
        command(**given, form=make(**asked))

    own = inspect.signature(command)
    kept = [each for name, each in own.parameters.items() if name != "form"]
    added = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if name in _REQUIRED else None,
            annotation=kind,
        )
        for name, kind in options.items()
    ]
    signature = own.replace(parameters=[*kept, *added])
    run.__signature__ = signature  # type: ignore[attr-defined]  # which typer reads
    run.__annotations__ = {name: each.annotation for name, each in signature.parameters.items()}
    return run


def _answers_form(
    answers: list[Path], include: list[str] | None, prefix: str | None, **others: str | None
) -> AnswersForm:
    from stance.files import is_device
    from stance.tables import find_inputs

    for path in answers:
        if str(path) == "-" or is_device(path):
            raise DataError(f"{path}: the answers are read twice; name a file")
    inputs = find_inputs(answers, include or ())
    for note in inputs.notes:
        tell(note)
    source = inputs if inputs.several else answers[0]
    return {"source": source, "prefix": prefix or "", **others}


def _corpus_form(
    labels: str | None, delimiter: str | None, encoding: str | None, sheet: str | None,
    date_format: str | None, **columns: str | None,
) -> "CorpusForm":  # fmt: skip
    from stance.corpus import parse_labels

    named = {key.removesuffix("_column"): name for key, name in columns.items() if name is not None}
    return {
        "labels": parse_labels(labels),
        "columns": named,
        "date_format": date_format,
        "delimiter": delimiter,
        "encoding": encoding,
        "sheet": sheet,
    }


def path_or_stdin(path: Path) -> Path | None:
    """Return the path, or None for ``-``."""
    if str(path) == "-" and sys.stdin is None:
        raise DataError("standard input: is closed; name a file")
    return None if str(path) == "-" else path


def text_of_stdin() -> str:
    """Return the text on standard input, without the line end behind it."""
    if sys.stdin is None:
        raise DataError("standard input: is closed; write the paragraph in quotes")
    data = sys.stdin.buffer.read(LONGEST_TEXT + 1)
    if len(data) > LONGEST_TEXT:
        raise DataError(f"standard input: more than {LONGEST_TEXT:,} bytes are not a paragraph")
    try:
        text = data.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        why = f"byte {data[error.start]:#04x} at offset {error.start} is not UTF-8"
        raise DataError(f"standard input: {why}; convert it first") from error
    if not text.strip():
        raise DataError("standard input: is empty; pipe a paragraph into it")
    return text


def refuse_stdin(corpora: Iterable[Path]) -> None:
    """Raise if standard input is given as a labelled table."""
    if Path("-") in corpora:
        raise UsageError("-: a labelled table is read twice; name a file")


def refuse_output(path: Path | None, force: bool, inputs: Iterable[Path | None] = ()) -> None:
    """Raise, before any work is done, if a file cannot be written or is one of those read."""
    from stance.files import check_output

    if str(path) == "-":
        raise UsageError("-: this cannot go to standard output; name a file")
    if path is not None and path.suffix.lower() in _FOREIGN:
        raise UsageError(
            f"{path}: tables are written as CSV, TSV, JSON, Excel (.xlsx), Parquet or Arrow; end "
            "its name in .csv, which spreadsheets, R and pandas read"
        )
    check_output(path, force=force, inputs=inputs)


def open_model(
    path: Path | None, actors: Path | None = None, aliases: str | None = None
) -> "StanceModel":
    """Load a model, or the default one; the user's actor book replaces its own."""
    import dataclasses

    from stance.defaults import default_model
    from stance.storage import load_model, stemmer_note

    model = load_model(path or default_model(tell))
    for line in filter(None, [stemmer_note(model)]):
        tell(line)
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
