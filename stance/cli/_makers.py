"""What commands take: options as typer wants them, and what functions make of some of them."""

import functools
import inspect
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from stance.cli._options import PANELS
from stance.cli._terminal import tell
from stance.errors import DataError, UsageError

if TYPE_CHECKING:
    from stance.corpus import CorpusForm
    from stance.tables import Form, InputOptions

Command = Callable[..., None]
_TEXT = str | None
TABLE = {
    "delimiter": _TEXT,
    "quoting": Literal["none"] | None,
    "encoding": _TEXT,
    "sheet": _TEXT,
}
_DATED = {"date_format": _TEXT, **TABLE}
_COLUMNS = dict.fromkeys(("text_column", "actor_column", "stance_column", "document_column"), _TEXT)
_PERIOD = Literal["week", "month", "quarter", "year"] | None
GROUPS: dict[str, dict[str, Any]] = {
    "table": TABLE,
    "dated": {"date_column": _TEXT, **_DATED},
    "labelled": _DATED,
    "answered": {"by": _TEXT, "over": _TEXT, "period": _PERIOD, **_COLUMNS, **_DATED},
}
"""Options that go through a maker as they are: it gets a group as ``**NAME``."""

AnswersForm = dict[str, Any]  # arguments of `findings.Request`


def reads(**makers: Callable[..., Any]) -> Callable[[Command], Command]:
    """Give a command the parameters of functions, and what these make of them."""

    def give(command: Command) -> Command:
        command.makers = makers  # type: ignore[attr-defined]
        return command

    return give


def declared(command: Command, name: str) -> Command:
    """Return a command whose parameters are as declared here, so that typer reads them."""
    makers: dict[str, Callable[..., Any]] = getattr(command, "makers", {})

    @functools.wraps(command)
    def run(**given: Any) -> None:
        for key, make in makers.items():
            given[key] = make(**{option.name: given.pop(option.name) for option in _taken(make)})
        command(**given)

    parameters = list(inspect.signature(command).parameters.values())
    parameters = [parameter for parameter in parameters if parameter.name not in makers]
    parameters += chain.from_iterable(map(_taken, makers.values()))
    annotated: Any = Annotated  # mypy takes it for a type
    known = {one.name: _info(name, one) for one in parameters}
    parameters.sort(key=lambda one: known[one.name][0])
    signed = [
        one.replace(kind=one.KEYWORD_ONLY, annotation=annotated[one.annotation, known[one.name][1]])
        for one in parameters
    ]
    run.__signature__ = inspect.Signature(signed)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in signed}
    return run


def _taken(make: Callable[..., Any]) -> Iterator[inspect.Parameter]:
    for parameter in inspect.signature(make).parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            for name, kind in GROUPS[parameter.name].items():
                yield inspect.Parameter(name, parameter.KEYWORD_ONLY, default=None, annotation=kind)
        else:
            yield parameter


def _info(command: str, parameter: inspect.Parameter) -> tuple[int, Any]:
    """Return the place of a parameter among all, and what typer must know of it."""
    places = {key: place for place, key in enumerate(chain.from_iterable(PANELS.values()))}
    key = f"{command}.{parameter.name}"
    key = key if key in places else parameter.name
    panel = next(panel for panel, entries in PANELS.items() if key in entries)
    metavar, text, names, more = PANELS[panel][key]
    if panel == "Arguments":
        return places[key], typer.Argument(metavar=metavar, help=text, **more)
    if parameter.annotation is bool and not names:
        names = (f"--{parameter.name.replace('_', '-')}",)
    option = typer.Option(*names, metavar=metavar, help=text, rich_help_panel=panel, **more)
    return places[key], option


# --- Makers: their parameters are options ---


def a_table(**table: Any) -> "Form":
    """Return how a table is read."""
    return table  # type: ignore[return-value]


def texts(
    text_column: str | None = None,
    keep_all: bool = False,
    **dated: Any,
) -> "InputOptions":
    """Return how texts to judge are read."""
    from stance.tables import InputOptions

    return InputOptions(text_column=text_column or "text", keep_all=keep_all, **dated)


def labels_of(labels: str | None = None, actor: str | None = None, **labelled: Any) -> "CorpusForm":
    """Return how labelled tables are read."""
    from stance.label_values import parse_labels

    return {"labels": parse_labels(labels), "actor": actor, **labelled}  # type: ignore[typeddict-item]


def answers_of(
    answers: list[Path],
    labels: str | None = None,
    prefix: str | None = None,
    **answered: Any,
) -> AnswersForm:
    """Return which answers are read, and how."""
    from stance.files import is_device
    from stance.label_values import parse_labels
    from stance.tables import find_inputs

    for path in answers:
        if str(path) == "-" or is_device(path):
            raise DataError(f"{path}: the answers are read twice; name a file")
    inputs = find_inputs(answers)
    tell(*inputs.notes)
    source = inputs if inputs.several else answers[0]
    return {"source": source, "prefix": prefix or "", "labels": parse_labels(labels), **answered}


def audited(
    audit: Path | None = None,
    coder: str | None = None,
    simple_random: bool = False,
    audit_encoding: str | None = None,
) -> AnswersForm:
    """Return which labelled sample corrects the answers, and how it is read."""
    given = {"coder": coder, "simple_random": simple_random, "audit_encoding": audit_encoding}
    if audit is None and any(given.values()):
        names = "--coder, --simple-random and --audit-encoding"
        raise UsageError(f"{names} say how labels are read; add --audit LABELLED")
    return {"audit": audit, **given}
