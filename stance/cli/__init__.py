"""The ``stance`` command: a short typed function for each of its commands."""

import re
from collections import defaultdict
from pathlib import Path
from typing import Any, get_args

import typer
from typer.core import TyperCommand, TyperGroup

from stance.cli import data, findings, models, predict
from stance.cli._options import PANELS, declared
from stance.cli._terminal import catching, run_safely

__all__ = ["app", "main"]


class Command(TyperCommand):
    """A command whose options stand in sections, in plain text: rich takes .3 s to load."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, which take texts and paths as they are."""
        return [*map(_taking_texts, super().get_params(ctx))]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options, section by section."""
        sections = defaultdict(list)
        for parameter in super().get_params(ctx):
            name, text = parameter.get_help_record(ctx) or ("", "")
            argument = parameter.param_type_name == "argument"
            panel = "Arguments" if argument else getattr(parameter, "rich_help_panel", None)
            sections[panel or "Options"].append((re.sub(r" <[\w\[\]]+>$", "", name), text))
        _write(formatter, {panel: sections[panel] for panel in PANELS})


class Group(TyperGroup):
    """A program whose commands stand in sections."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, which take texts and paths as they are."""
        return [*map(_taking_texts, super().get_params(ctx))]

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


def _taking_texts(parameter: Any) -> Any:
    """Let a parameter take texts, paths and its default as they are, and leave the rest to typer.

    Typer checks every value, also these, with pydantic, which takes as long to load as the model.
    """
    check, kind = type(parameter).process_value, parameter.type_descriptor.annotation

    def process(context: Any, value: Any) -> Any:
        if value is parameter.default and not parameter.required:
            return parameter.callback(context, parameter, value) if parameter.callback else value
        if kind in (str, Path) and isinstance(value, str):
            return kind(value)
        if kind in (list[str], list[Path]) and value:
            return [*map(get_args(kind)[0], value)]
        return check(parameter, context, value)

    parameter.process_value = process
    return parameter


def _print_version(asked: bool) -> None:
    if asked:
        from stance import __version__

        typer.echo(f"stance {__version__}")
        raise typer.Exit


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
    version: bool = typer.Option(
        False,
        "--version",
        help="Print the version and exit.",
        is_eager=True,
        callback=_print_version,
    ),
) -> None:
    """Show the help if no command is named."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


ANSWER, STUDY = "Answer", "Study answers"
TRAIN, LOOK = "Train a model", "Look inside"

for panel, command, *examples in (
    (
        *(ANSWER, predict.predict),
        "stance predict articles.csv -o answers.csv",
        "stance predict archive/ -o answers.csv --rejects bad.csv --jobs 2",
    ),
    (
        *(ANSWER, predict.explain),
        'stance explain "Poland praised NATO and condemned Russia." --actor Russia',
    ),
    (
        *(STUDY, findings.sample),
        "stance sample answers.csv -n 300 --by outlet -o to_label.csv",
    ),
    (
        *(STUDY, data.label),
        "stance label to_label.csv --coder anna",
        "stance label to_label.csv --export labelled.csv",
    ),
    (
        *(STUDY, findings.shares),
        "stance shares answers.csv --audit labelled.csv --by outlet -o shares.csv",
    ),
    (
        *(STUDY, findings.report),
        "stance report answers.csv --by outlet --over date",
        "stance report answers.csv --audit labelled.csv --figures figures",
    ),
    (
        *(TRAIN, data.import_),
        "stance import labelstudio export.json -o corpus.csv",
        "stance import table coded.xlsx --map text=body,stance=label -o corpus.csv",
    ),
    (TRAIN, data.check, "stance check corpus.csv"),
    (
        *(TRAIN, models.train),
        "stance train corpus.csv -o my.stance",
        "stance predict articles.csv --model my.stance -o answers.csv",
    ),
    (
        *(TRAIN, models.evaluate),
        "stance evaluate coded.csv",
        "stance evaluate coded.csv --model my.stance --report scores.html",
    ),
    (LOOK, data.actors, "stance actors", "stance actors articles.csv"),
    (LOOK, models.inspect, "stance inspect", "stance inspect my.stance --words"),
    (LOOK, models.doctor, "stance doctor"),
):
    name = command.__name__.strip("_")
    app.command(
        name=name,
        cls=Command,
        epilog="\n".join(["\b", "Examples:", *(f"  {example}" for example in examples)]),
        rich_help_panel=panel,
    )(catching(declared(command, name)))


def main() -> None:
    """Run the command line."""
    run_safely(lambda: app(prog_name="stance"))
