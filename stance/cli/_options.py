"""Parameters as `data/help.toml` describes them; a command lists the names of its own."""

import functools
import inspect
import tomllib
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

_HELP = tomllib.loads(Path(__file__).parents[1].joinpath("data/help.toml").read_text("utf-8"))
PANELS: dict[str, dict[str, Any]] = _HELP["options"]
EXAMPLES: dict[str, str] = _HELP["examples"]

_KNOWN = {key: (name, entry) for name, panel in PANELS.items() for key, entry in panel.items()}

# --- Parameters of several commands ---

_TEXT = str | None
TABLE = dict.fromkeys(("delimiter", "encoding", "sheet"), _TEXT) | {
    "quoting": Literal["none"] | None
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

Command = Callable[..., None]


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

    taken = [one for one in _taken(command) if one.name not in makers]
    taken += chain.from_iterable(map(_taken, makers.values()))
    signed = [_signed(name, one) for one in taken]
    run.__annotations__ = {one.name: one.annotation for _, one in sorted(signed)}
    run.__signature__ = inspect.Signature([one for _, one in sorted(signed)])  # type: ignore[attr-defined]
    return run


def _taken(make: Callable[..., Any]) -> Iterator[inspect.Parameter]:
    for parameter in inspect.signature(make).parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            for name, kind in GROUPS[parameter.name].items():
                yield inspect.Parameter(name, parameter.KEYWORD_ONLY, default=None, annotation=kind)
        else:
            yield parameter


def _signed(command: str, parameter: inspect.Parameter) -> tuple[int, inspect.Parameter]:
    """Return the place of a parameter among all, and the parameter as typer takes it."""
    key = f"{command}.{parameter.name}"
    key = key if key in _KNOWN else parameter.name
    panel, entry = _KNOWN[key]
    texts = [entry] if isinstance(entry, str) else [one for one in entry if isinstance(one, str)]
    more = dict(entry[-1]) if isinstance(entry[-1], dict) else {}
    names, metavar = more.pop("names", []), texts[0] if len(texts) > 1 else None
    if parameter.annotation is bool and not names:
        names = [f"--{parameter.name.replace('_', '-')}"]
    argument, annotated = panel == "Arguments", Annotated  # of which mypy thinks that it is a type
    kind: Any = (
        typer.Argument if argument else functools.partial(typer.Option, rich_help_panel=panel)
    )
    info = kind(*names, metavar=metavar, help=texts[-1], **more)
    annotation = annotated[parameter.annotation, info]
    return [*_KNOWN].index(key), parameter.replace(
        kind=parameter.KEYWORD_ONLY, annotation=annotation
    )
