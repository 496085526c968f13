"""Options that several commands share, and what a command gets of them."""

import functools
import inspect
import os
from collections.abc import Callable, Mapping
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

OUTPUT, GROUPS, AUDIT, ACTORS = "Output", "Groups", "Audit", "Actors"
TABLES, RUNNING = "Reading tables", "Running"
PANELS = ("Arguments", "Options", OUTPUT, GROUPS, AUDIT, ACTORS, TABLES, RUNNING)
"""Sections of a command's help, in their order."""

Command = Callable[..., None]
AnswersForm = dict[str, Any]  # arguments of `findings.Request`


def option(metavar: str | None, text: str, *names: str, panel: str = "Options", **more: Any) -> Any:
    """Return an option: what stands for its value (None for a flag), and what it does."""
    return typer.Option(*names, metavar=metavar, help=text, rich_help_panel=panel, **more)


def _text(panel: str, metavar: str, text: str, *names: str) -> Any:
    return Annotated[str | None, option(metavar, text, *names, panel=panel)]


def _column(name: str, what: str) -> Any:
    return _text(TABLES, "NAME", f"Column with {what}; '{name}' if omitted.", f"--{name}-column")


ModelFile = Annotated[
    Path | None, option("MODEL", "Model file; the default model if omitted.", "--model", "-m")
]
ActorsFile = Annotated[
    Path | None, option("FILE", "Your own actor book (TOML).", "--actors", "-a", panel=ACTORS)
]
_KINDS = "Kinds of alias that count, such as name,demonym; all if omitted."
Aliases = Annotated[str | None, option("KINDS", _KINDS, panel=ACTORS)]
AsJson = Annotated[bool, option(None, "Print one JSON object.", "--json", panel=OUTPUT)]
Resume = Annotated[bool, option(None, "Continue an interrupted run.", "--resume", panel=RUNNING)]
"""For `train`, what is kept are the steps of corpora of 20,000 rows or more."""
Force = Annotated[bool, option(None, "Overwrite existing files.", "--force", panel=OUTPUT)]
_SAFE = "Quote cells that look like formulas, and mark UTF-8 for Excel."
ExcelSafe = Annotated[bool, option(None, _SAFE, "--excel-safe", panel=OUTPUT)]
Jobs = Annotated[int, option("N", "Number of processes.", min=1, panel=RUNNING)]
_SPELLINGS = "What stance labels mean, such as 0=against,1=favor."
Labels = Annotated[str | None, option("SPELLING=LABEL,...", _SPELLINGS, panel=TABLES)]
_PARAGRAPH = "Column with the paragraph; 'text' if omitted."
TextColumn = Annotated[str | None, option("NAME", _PARAGRAPH, panel=TABLES)]
_ACTOR = "Column with the actor to judge; 'actor' if omitted."
ActorColumn = Annotated[str | None, option("NAME", _ACTOR, panel=TABLES)]
_ONE_ACTOR = "Actor that every row is about, in a table without an actor column."
OneActor = Annotated[str | None, option("NAME", _ONE_ACTOR, panel=TABLES)]

_TABLE = {
    "delimiter": _text(TABLES, "C", "Separator of the table; detected if omitted."),
    "quoting": Annotated[
        Literal["none"] | None,
        option("none", "The table never quotes: a quote is a character like others.", panel=TABLES),
    ],
    "encoding": _text(TABLES, "E", "Encoding of the table, such as cp1252; UTF-8 if omitted."),
    "sheet": _text(TABLES, "NAME", "Sheet of a workbook; the first if omitted."),
}
"""Options of every command that reads a table."""

_INCLUDED = "Files to read in folders, such as '*.html' or '2024/*'; may be repeated."
_INCLUDE = {"include": Annotated[list[str] | None, option("PATTERN", _INCLUDED, panel=TABLES)]}
_FORM = "Form of dates with two readings, such as %d/%m/%Y or %m/%d/%Y."
_DATE_FORMAT = {"date_format": _text(TABLES, "PATTERN", _FORM)}
_DATE_COLUMN = {"date_column": _column("date", "the date, when leaders must be in office")}
_DOCUMENT_COLUMN = {"document_column": _column("document", "the document of each paragraph")}
_NAMES = "What file names say, such as {outlet}_{date}; a column each."
_KEPT = option(
    None, "Keep menus and the like of articles; a column says which.", "--keep-all", panel=TABLES
)

_JUDGED = {
    "text_column": TextColumn,
    **_DATE_COLUMN,
    **_DATE_FORMAT,
    **_TABLE,
    **_INCLUDE,
    "name_pattern": _text(TABLES, "PATTERN", _NAMES),
    "keep_all": Annotated[bool, _KEPT],
}
"""Options of every command that reads texts to judge."""

_LABELLED = {
    "labels": Labels,
    "text_column": TextColumn,
    "actor_column": ActorColumn,
    "actor": OneActor,
    "stance_column": _column("stance", "the stance"),
    **_DOCUMENT_COLUMN,
    **_DATE_COLUMN,
    **_DATE_FORMAT,
    **_TABLE,
}
"""Options of every command that reads labelled tables."""

_ANSWERS = "Tables that stance predict wrote, or folders of them."
_PERIOD = (
    "Length of the periods: week, month, quarter or year; if omitted, the shortest of which a "
    "dozen suffice, and in report what each actor's answers allow."
)
_ANSWERED = {
    "answers": Annotated[list[Path], typer.Argument(metavar="ANSWERS", help=_ANSWERS)],
    "by": _text(GROUPS, "NAME", "Column of the groups to compare; if omitted, 'source' in report."),
    "over": _text(GROUPS, "NAME", "Column of the dates to compare; if omitted, 'date' in report."),
    "period": Annotated[
        Literal["week", "month", "quarter", "year"] | None, option("UNIT", _PERIOD, panel=GROUPS)
    ],
    **_INCLUDE,
    "text_column": TextColumn,
    "actor_column": _text(TABLES, "NAME", "Column with the actor judged; 'actor' if omitted."),
    **_DOCUMENT_COLUMN,
    "prefix": _text(TABLES, "WORD", "Prefix of the answers' columns."),
    **_DATE_FORMAT,
    **_TABLE,
}
"""Tables and options of every command that reads answers."""

_LABELLED_SAMPLE = "Labelled sample of the answers, to correct them."
_SIMPLE = option(None, "Every answer had the same chance.", "--simple-random", panel=AUDIT)
_AUDITED = {
    "audit": Annotated[Path | None, option("LABELLED", _LABELLED_SAMPLE, panel=AUDIT)],
    "coder": _text(AUDIT, "NAME", "Coder whose labels count."),
    "simple_random": Annotated[bool, _SIMPLE],
    "labels": Labels,
    "audit_encoding": _text(AUDIT, "E", "Encoding of the labelled sample; UTF-8 if omitted."),
}
"""An audit, and how to read it."""


def reads_table(command: Command) -> Command:
    """Give a command the options of a table; it gets them as `reading`."""
    return _with_shared(command, "reading", _TABLE, dict)


def reads_texts(command: Command) -> Command:
    """Give a command the options of texts to judge; it gets a `Reading` as `reading`."""
    return _with_shared(command, "reading", _JUDGED, _texts_form)


def reads_corpora(command: Command) -> Command:
    """Give a command the options of labelled tables; it gets what they say as `form`."""
    return _with_shared(command, "form", _LABELLED, _corpus_form)


def reads_answers(command: Command) -> Command:
    """Give a command the tables of answers and their options; it gets what they say as `form`."""
    return _with_shared(command, "form", _ANSWERED, _answers_form)


def reads_audit(command: Command) -> Command:
    """Give a command the options of an audit; it gets an `AuditRequest` or None as `audit`."""
    return _with_shared(command, "audit", _AUDITED, _audit_request)


def _with_shared(
    command: Command, name: str, options: Mapping[str, Any], make: Callable[..., Any]
) -> Command:
    """Replace a command's parameter by options that make it."""

    @functools.wraps(command)
    def run(**given: Any) -> None:
        made = make(**{each: given.pop(each) for each in options})
        command(**given, **{name: made})

    own = [each for each in inspect.signature(command).parameters.values() if each.name != name]
    own += [_parameter(*each) for each in options.items()]
    run.__signature__ = inspect.Signature(own)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in own}
    return run


def _parameter(name: str, kind: Any) -> inspect.Parameter:
    flag = get_args(kind)[0] is bool
    default = inspect.Parameter.empty if name == "answers" else False if flag else None
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)


def _texts_form(
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
    text_column: str | None,
    actor_column: str | None,
    stance_column: str | None,
    document_column: str | None,
    date_column: str | None,
    labels: str | None,
    **others: str | None,
) -> "CorpusForm":
    from stance.label_values import parse_labels

    columns = {"text": text_column, "actor": actor_column, "stance": stance_column}
    columns |= {"document": document_column, "date": date_column}
    if actor_column is not None and others["actor"] is not None:
        raise UsageError("--actor and --actor-column both say which actor rows are about; drop one")
    named = {name: given for name, given in columns.items() if given is not None}
    return {"labels": parse_labels(labels), "columns": named, **others}  # type: ignore[typeddict-item]


def check_jobs(jobs: int) -> None:
    """Raise if this computer cannot have so many processes."""
    processors = os.cpu_count() or 1
    if jobs > (most := max(64, 4 * processors)):
        has = f"this computer has {count(processors, 'processor')}"
        raise UsageError(f"{jobs:,} processes are too many; {has}, so at most {most} start")
