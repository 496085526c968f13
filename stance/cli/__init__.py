"""The ``stance`` command: a short typed function for each of its commands."""

import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from textwrap import indent
from typing import Any, get_args

import typer
from typer.core import TyperCommand, TyperGroup

from stance.cli import answers, data, models
from stance.cli._options import EXAMPLES, PANELS, declared
from stance.cli._terminal import catching, run_safely
from stance.display import shown

__all__ = ["app", "main"]


def _write(formatter: Any, sections: dict[str, list[tuple[str, str]]]) -> None:
    for title, rows in sections.items():
        if rows:
            with formatter.section(title):
                formatter.write_dl(rows)


class _TakesTexts:
    """A command whose parameters take texts as they are."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters."""
        return [*map(_taking_texts, super().get_params(ctx))]  # type: ignore[misc]


class Command(_TakesTexts, TyperCommand):
    """A command whose options stand in sections, in plain text: rich takes .3 s to load."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options, section by section."""
        sections: dict[str, list[tuple[str, str]]] = {panel: [] for panel in PANELS}
        for parameter in super().get_params(ctx):
            name, text = parameter.get_help_record(ctx) or ("", "")
            argument = parameter.param_type_name == "argument"
            panel = "Arguments" if argument else getattr(parameter, "rich_help_panel", None)
            sections[panel or "Options"].append((re.sub(r" <[\w\[\]]+>$", "", name), text))
        _write(formatter, sections)


class Group(_TakesTexts, TyperGroup):
    """A program whose commands stand in sections."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find a command; where a sentence stands in its place, say which command takes one."""
        if " " in args[0]:
            ctx.fail(f"no command '{shown(args[0], 20)}'; for a sentence: stance explain TEXT")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands, section by section."""
        sections = defaultdict(list)
        for name, command in self.commands.items():
            row = (name, command.get_short_help_str(formatter.width))
            sections[getattr(command, "rich_help_panel", "Commands")].append(row)
        _write(formatter, sections)


def _taking_texts(parameter: Any) -> Any:
    """Let a parameter take texts, paths, flags and its default as they are; typer takes the rest.

    Typer checks every value with pydantic, which takes as long to load as the model.
    """
    check, kind = type(parameter).process_value, parameter.type_descriptor.annotation

    def process(context: Any, value: Any) -> Any:
        if value is parameter.default and not parameter.required:
            return value
        if kind in (str, Path) and isinstance(value, str):
            return kind(value)
        if kind is bool and isinstance(value, bool) and not parameter.callback:
            return value
        if kind in (list[str], list[Path]) and value:
            return [*map(get_args(kind)[0], value)]
        try:
            return check(parameter, context, value)
        except typer.BadParameter as error:
            if value:  # nothing was given: the message says so already
                error.message += f", not {shown(str(value))}"
            raise

    parameter.process_value = process
    return parameter


app = typer.Typer(
    name="stance",
    cls=Group,
    help="Which stance each paragraph takes toward each actor it names, and its sentiment.",
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
    "Study answers": (answers.sample, data.label, answers.shares, answers.report),
    "Train a model": (data.import_, data.check, models.train, models.evaluate),
    "Look inside": (data.actors, models.inspect, models.doctor),
}
"""Commands by their section of the help."""

for panel, commands in SECTIONS.items():
    for command in commands:
        name = command.__name__.strip("_")
        epilog = f"\b\nExamples:\n{indent(EXAMPLES[name], '  ')}"
        register = app.command(name=name, cls=Command, epilog=epilog, rich_help_panel=panel)
        register(catching(declared(command, name)))


def main() -> None:
    """Run the command line."""
    run_safely(lambda: app(prog_name="stance"))
