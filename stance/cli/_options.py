"""Options that several commands share, and what a command gets of them."""

import functools
import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import typer

from stance.cli._terminal import tell
from stance.display import count
from stance.errors import DataError, UsageError

if TYPE_CHECKING:
    from stance.corpus import CorpusForm
    from stance.findings import AuditRequest
    from stance.tables import Reading


def option(metavar: str | None, text: str, *names: str, **more: Any) -> Any:
    """Return an option: what stands for its value (None for a flag), and what it does."""
    return typer.Option(*names, metavar=metavar, help=text, **more)


def _bounded(jobs: int) -> int:
    """Return a number of processes if this computer can have so many."""
    processors = os.cpu_count() or 1
    if jobs > (most := max(64, 4 * processors)):
        has = f"this computer has {count(processors, 'processor')}"
        raise typer.BadParameter(f"{jobs:,} processes are too many; {has}, so at most {most} start")
    return jobs


def _column(name: str, what: str) -> Any:
    """Return an option that names a column; without it, that is `name`, in any case."""
    return option("NAME", f"Column with {what}; '{name}' if omitted.", f"--{name}-column")


ModelFile = Annotated[
    Path | None, option("MODEL", "Model file; the default model if omitted.", "--model", "-m")
]
ActorsFile = Annotated[Path | None, option("FILE", "Your own actor book (TOML).", "--actors", "-a")]
Aliases = Annotated[
    str | None, option("KINDS", "Kinds of alias that count, such as name,demonym; all if omitted.")
]
AsJson = Annotated[bool, option(None, "Print one JSON object.", "--json")]
Resume = Annotated[bool, option(None, "Continue an interrupted run.", "--resume")]
"""For `train`, what is kept are the steps of corpora of 20,000 rows or more."""
Force = Annotated[bool, option(None, "Overwrite existing files.", "--force")]
ExcelSafe = Annotated[
    bool,
    option(None, "Quote cells that look like formulas, and mark UTF-8 for Excel.", "--excel-safe"),
]
Jobs = Annotated[int, option("N", "Number of processes.", min=1, callback=_bounded)]
Include = Annotated[
    list[str] | None,
    option("PATTERN", "Files to read in folders, such as '*.html' or '2024/*'; may be repeated."),
]
Labels = Annotated[
    str | None, option("SPELLING=LABEL,...", "What stance labels mean, such as 0=against,1=favor.")
]
TextColumn = Annotated[str | None, _column("text", "the paragraph")]
DateColumn = Annotated[str | None, _column("date", "the date, when leaders must be in office")]
DateFormat = Annotated[
    str | None, option("PATTERN", "Form of dates with two readings, such as %d/%m/%Y or %m/%d/%Y.")
]
ActorColumn = Annotated[str | None, _column("actor", "the actor to judge")]
DocumentColumn = Annotated[str | None, _column("document", "the document of each paragraph")]

_TABLE = {
    "delimiter": Annotated[str | None, option("C", "Separator of the table; detected if omitted.")],
    "encoding": Annotated[
        str | None, option("E", "Encoding of the table, such as cp1252; UTF-8 if omitted.")
    ],
    "sheet": Annotated[str | None, option("NAME", "Sheet of a workbook; the first if omitted.")],
}
"""Options of every command that reads a table."""

_JUDGED = {
    "text_column": TextColumn,
    "date_column": DateColumn,
    "date_format": DateFormat,
    **_TABLE,
    "include": Include,
    "name_pattern": Annotated[
        str | None,
        option("PATTERN", "What file names say, such as {outlet}_{date}; a column each."),
    ],
    "keep_all": Annotated[
        bool, option(None, "Keep menus, captions and the like of articles.", "--keep-all")
    ],
}
"""Options of every command that reads texts to judge."""

_LABELLED = {
    "labels": Labels,
    "text_column": TextColumn,
    "actor_column": ActorColumn,
    "stance_column": Annotated[str | None, _column("stance", "the stance")],
    "document_column": DocumentColumn,
    "date_column": DateColumn,
    "date_format": DateFormat,
    **_TABLE,
}
"""Options of every command that reads labelled tables."""

_ANSWERED = {
    "answers": Annotated[
        list[Path],
        typer.Argument(
            metavar="ANSWERS", help="Tables that stance predict wrote, or folders of them."
        ),
    ],
    "by": Annotated[
        str | None,
        option("NAME", "Column of the groups to compare; if omitted, 'source' in report."),
    ],
    "over": Annotated[
        str | None, option("NAME", "Column of the dates to compare; if omitted, 'date' in report.")
    ],
    "period": Annotated[
        Literal["week", "month", "quarter", "year"] | None,
        option(
            "UNIT",
            "Length of the periods: week, month, quarter or year; if omitted, the shortest of "
            "which a dozen suffice, and in report what each actor's answers allow.",
        ),
    ],
    "include": Include,
    "text_column": TextColumn,
    "actor_column": Annotated[
        str | None, option("NAME", "Column with the actor judged; 'actor' if omitted.")
    ],
    "document_column": DocumentColumn,
    "prefix": Annotated[
        str | None,
        option("WORD", "Prefix of the answers' columns.", rich_help_panel="Reading tables"),
    ],
    "date_format": DateFormat,
    **_TABLE,
}
"""Tables and options of every command that reads answers."""

_AUDITED = {
    "audit": Annotated[
        Path | None, option("LABELLED", "Labelled sample of the answers, to correct them.")
    ],
    "coder": Annotated[str | None, option("NAME", "Coder whose labels count.")],
    "simple_random": Annotated[
        bool, option(None, "Every answer had the same chance.", "--simple-random")
    ],
    "labels": Labels,
    "audit_encoding": Annotated[
        str | None, option("E", "Encoding of the labelled sample; UTF-8 if omitted.")
    ],
}
"""An audit, and how to read it."""

_REQUIRED = frozenset({"answers"})

AnswersForm = dict[str, Any]  # arguments of `findings.Request`
Shared = Mapping[str, Any]  # annotations of options by their name
Command = Callable[..., None]


def reads_table(command: Command) -> Command:
    """Give a command the options of a table; it gets them as `reading`."""
    return _with_shared(command, "reading", _TABLE, dict)


def reads_texts(command: Command) -> Command:
    """Give a command the options of texts to judge; it gets a `Reading` as `reading`."""
    return _with_shared(command, "reading", _JUDGED, _reading)


def reads_corpora(command: Command) -> Command:
    """Give a command the options of labelled tables; it gets what they say as `form`."""
    return _with_shared(command, "form", _LABELLED, _corpus_form)


def reads_answers(command: Command) -> Command:
    """Give a command the tables of answers and their options; it gets what they say as `form`."""
    return _with_shared(command, "form", _ANSWERED, _answers_form)


def reads_audit(command: Command) -> Command:
    """Give a command the options of an audit; it gets an `AuditRequest` or None as `audit`."""
    return _with_shared(command, "audit", _AUDITED, _audit_request)


def _with_shared(command: Command, name: str, options: Shared, make: Callable[..., Any]) -> Command:
    """Replace a command's parameter by options that make it."""

    @functools.wraps(command)
    def run(**given: Any) -> None:
        made = make(**{each: given.pop(each) for each in options})
        command(**given, **{name: made})

    own = inspect.signature(command).parameters
    kept = [each for key, each in own.items() if key != name]
    return with_parameters(run, [*kept, *(parameter(*each) for each in options.items())])


def with_parameters(run: Command, parameters: Sequence[inspect.Parameter]) -> Command:
    """Return a command that typer believes to have these parameters."""
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run


def parameter(name: str, kind: Any) -> inspect.Parameter:
    """Return the parameter of an option."""
    flag = get_args(kind)[0] is bool
    default = inspect.Parameter.empty if name in _REQUIRED else False if flag else None
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)


def _reading(
    text_column: str | None, include: list[str] | None, name_pattern: str | None, **others: Any
) -> "Reading":
    from stance.tables import Reading

    return Reading(
        text_column=text_column or "text",
        include=tuple(include or ()),
        name_pattern=name_pattern or "",
        **others,
    )


def _answers_form(
    answers: list[Path], include: list[str] | None, prefix: str | None, **others: str | None
) -> AnswersForm:
    from stance.files import is_device
    from stance.tables import find_inputs

    for path in answers:
        if str(path) == "-" or is_device(path):
            raise DataError(f"{path}: the answers are read twice; name a file")
    inputs = find_inputs(answers, include or ())
    tell(*inputs.notes)
    source = inputs if inputs.several else answers[0]
    return {"source": source, "prefix": prefix or "", **others}


def _audit_request(
    audit: Path | None,
    coder: str | None,
    simple_random: bool,
    labels: str | None,
    audit_encoding: str | None,
) -> "AuditRequest | None":
    from stance.findings import AuditRequest
    from stance.label_values import parse_labels

    if audit is not None:
        return AuditRequest(audit, coder, simple_random, parse_labels(labels), audit_encoding)
    if coder or simple_random or labels or audit_encoding:
        names = "--coder, --labels, --simple-random and --audit-encoding"
        raise UsageError(f"{names} are about an audit; add --audit LABELLED")
    return None


def _corpus_form(
    labels: str | None, delimiter: str | None, encoding: str | None, sheet: str | None,
    date_format: str | None, **columns: str | None,
) -> "CorpusForm":  # fmt: skip
    from stance.label_values import parse_labels

    named = {key.removesuffix("_column"): name for key, name in columns.items() if name is not None}
    return {
        "labels": parse_labels(labels),
        "columns": named,
        "date_format": date_format,
        "delimiter": delimiter,
        "encoding": encoding,
        "sheet": sheet,
    }
