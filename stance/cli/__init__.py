"""The ``stance`` command: a short typed function for each of its commands."""

import functools
import inspect
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import indent
from types import SimpleNamespace
from typing import Annotated, Any, Literal, get_args, get_origin

import typer
from typer.core import TyperCommand, TyperGroup

from stance.cli import answers, models
from stance.cli._inputs import GROUPS, MAKERS
from stance.cli._terminal import catching, run_safely
from stance.display import shown
from stance.errors import reported

__all__ = ["app", "main"]

_HELP = tomllib.loads(Path(__file__).parents[1].joinpath("data/help.toml").read_text("utf-8"))
_PANELS: dict[str, dict[str, Any]] = _HELP["options"]
_KNOWN = {key: (name, entry) for name, panel in _PANELS.items() for key, entry in panel.items()}

# --- What typer does with rich and pydantic, each of which takes as long to load as the model ---


def _value(value: Any, param: Any, ctx: Any) -> Any:
    """Return what was given for a parameter as a value of its type."""
    if value is param.default or value == ():
        return value
    kind, given = param.type_descriptor.annotation, f"not '{shown(str(value))}'"
    choices = get_args(kind)
    if Path in (kind, *choices) and "" in (value, *value):  # a variable that is not set
        raise typer.BadParameter("must name a file, not ''")
    if get_origin(kind) is dict:
        from stance.corpus.rows import parse_labels

        return parse_labels(value)
    if get_origin(kind) is list:
        return [*map(choices[0], value)]
    if get_origin(kind) is Literal:
        if value not in choices:
            raise typer.BadParameter(f"must be {' or '.join(map(repr, choices))}, {given}")
        return value
    try:
        value = kind(value)
    except ValueError:
        number = "a whole number" if kind is int else "a number"
        raise typer.BadParameter(f"must be {number}, {given}") from None
    low, high = param.min, param.max
    if (low is not None and not value >= low) or (high is not None and not value <= high):
        limits = f"{low} or more" if high is None else f"from {low} to {high}"
        raise typer.BadParameter(f"must be {limits}, {given}")
    return value


class _Light:
    """A command whose values typer does not check."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters."""
        parameters = super().get_params(ctx)  # type: ignore[misc]
        for parameter in parameters:
            parameter.get_runtime_param = lambda: SimpleNamespace(coerce=_value)
        return parameters


class Command(_Light, TyperCommand):
    """A command whose options stand in sections, in plain text."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments; refuse an option given twice."""
        args = self._with_values(args)
        given: list[Any] = self.make_parser(ctx).parse_args([*args])[2]
        for option in filter(lambda one: given.count(one) > 1, given):
            if not (option.multiple or option.is_flag or ctx.resilient_parsing):
                ctx.fail(f"{option.opts[0]} is given twice; give it once")
        return [*super().parse_args(ctx, args)]

    def _with_values(self, args: list[str]) -> list[str]:
        """Return the arguments with a value behind ``--deep`` alone."""
        parameters: list[Any] = self.params
        kinds = {one.name: one.type_descriptor.annotation for one in parameters}
        choices, words = get_args(kinds.get("deep")), list[str]()
        for word, after in zip(args, [*args, ""][1:], strict=True):
            mistyped = after.isalpha() and after.islower() and not Path(after).exists()
            alone = word == "--deep" and choices and after not in choices and not mistyped
            words += [word, "all"] if alone else [word]
        return words

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options, section by section."""
        sections: dict[str, list[tuple[str, str]]] = {panel: [] for panel in _PANELS}
        for parameter in super().get_params(ctx):
            name, text = parameter.get_help_record(ctx) or ("", "")
            text = re.sub(r"(\d+)<=x<=(\d+)]$", r"from \1 to \2]", text)
            text = re.sub(r"x>=(\d+)]$", r"\1 or more]", text)
            panel = getattr(parameter, "rich_help_panel", None) or "Options"
            sections[panel].append((re.sub(r" <[\w\[\]]+>$", "", name), text))
        _write(formatter, sections)


class Group(_Light, TyperGroup):
    """A program whose commands stand in sections."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands, section by section."""
        sections = defaultdict(list)
        for name, command in self.commands.items():
            row = (name, command.get_short_help_str(formatter.width))
            sections[getattr(command, "rich_help_panel", "Commands")].append(row)
        _write(formatter, sections)


def _write(formatter: Any, sections: dict[str, list[tuple[str, str]]]) -> None:
    for title, rows in sections.items():
        if rows:
            with formatter.section(title):
                formatter.write_dl(rows)


# --- Parameters as `data/help.toml` describes them ---


def _declared(command: Callable[..., None], name: str) -> Callable[..., None]:
    """Return a command with options in place of what is made of them, described as typer reads."""
    makers = {key: MAKERS[key] for key in inspect.signature(command).parameters if key in MAKERS}

    def call(given: dict[str, Any]) -> None:
        for key, make in makers.items():
            given[key] = make(**{option.name: given.pop(option.name) for option in _options(make)})
        command(**given)

    @functools.wraps(command)
    def run(**given: Any) -> None:
        catching(call, given)

    taken = [option for make in (command, *makers.values()) for option in _options(make)]
    described = sorted(_described(name, option) for option in taken if option.name not in makers)
    run.__annotations__ = {option.name: option.annotation for _, option in described}
    run.__signature__ = inspect.Signature([option for _, option in described])  # type: ignore[attr-defined]
    return run


def _options(make: Callable[..., Any]) -> Iterator[inspect.Parameter]:
    for parameter in inspect.signature(make).parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            for name, kind in GROUPS[parameter.name].items():
                yield inspect.Parameter(name, parameter.KEYWORD_ONLY, default=None, annotation=kind)
        else:
            yield parameter


def _described(command: str, parameter: inspect.Parameter) -> tuple[int, inspect.Parameter]:
    """Return the place of a parameter among all, and the parameter as typer takes it."""
    key = f"{command}.{parameter.name}"
    key = key if key in _KNOWN else parameter.name
    panel, entry = _KNOWN[key]
    settings: dict[str, Any] = {"help": entry} if isinstance(entry, str) else {**entry}
    flag = [f"--{parameter.name.replace('_', '-')}"] * (parameter.annotation is bool)
    names = settings.pop("names", flag)
    kind: Any = typer.Argument if panel == "Arguments" else typer.Option
    annotated: Any = Annotated  # of which mypy thinks that it is a type
    made = kind(*names, rich_help_panel=panel, **settings)
    annotation = annotated[parameter.annotation, made]
    described = parameter.replace(kind=parameter.KEYWORD_ONLY, annotation=annotation)
    return [*_KNOWN].index(key), described


# --- The commands ---

app = typer.Typer(
    name="stance",
    cls=Group,
    help="Judge the stance of each paragraph toward each actor that it names, and its sentiment.",
    epilog="\b\nExamples:\n  stance predict articles.csv -o answers.csv\n  stance predict --help",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    """Show the help if no command is named."""
    if version:
        from stance import __version__

        typer.echo(f"stance {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


SECTIONS: dict[str, tuple[Callable[..., None], ...]] = {
    "Answer": (answers.predict, answers.explain, answers.read),
    "Study answers": (answers.sample, models.label, answers.shares, answers.report),
    "Train a model": (models.import_, models.check, models.train, models.evaluate),
    "Look inside": (answers.actors, models.inspect, models.doctor),
}
"""Commands by their section of the help."""

for panel, commands in SECTIONS.items():
    for command in commands:
        name = command.__name__.strip("_")
        epilog = f"\b\nExamples:\n{indent(_HELP['examples'][name], '  ')}"
        register = app.command(name=name, cls=Command, epilog=epilog, rich_help_panel=panel)
        register(_declared(command, name))


_ALL = app.registered_commands  # of which `main` leaves the app some


def main() -> None:
    """Run the command line; to start sooner, build only the command that is named, if any."""
    app.registered_commands = [one for one in _ALL if one.name in sys.argv[1:2]] or _ALL
    run_safely(reported(None)(functools.partial(app, prog_name="stance")))  # or a disk is full
