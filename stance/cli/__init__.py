"""The ``stance`` command: a short typed function for each of its commands."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args, get_origin

import typer

from stance.cli import data, findings, label, models, predict
from stance.cli._help import Command, Group
from stance.cli._terminal import catching, run_safely

__all__ = ["app", "main"]

app = typer.Typer(
    name="stance",
    cls=Group,
    help="Which stance each paragraph takes toward each actor it names, and its sentiment.",
    epilog="stance predict articles.csv -o answers.csv\nstance predict --help",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

ANSWER, STUDY = "Answer", "Study answers"
TRAIN, LOOK = "Train a model", "Look inside"

for group, name, command, short, *examples in (
    (
        *(ANSWER, "predict", predict.predict),
        "Judge paragraphs: stance toward each actor, and sentiment.",
        "stance predict articles.csv -o answers.csv",
        "stance predict archive/ -o answers.csv --rejects bad.csv --jobs 2",
    ),
    (
        *(ANSWER, "explain", predict.explain),
        "Show how far each word pushes the answer.",
        'stance explain "Poland praised NATO and condemned Russia." --actor Russia',
    ),
    (
        *(STUDY, "sample", findings.sample),
        "Draw a sample of answers to label.",
        "stance sample answers.csv -n 300 --by outlet -o to_label.csv",
    ),
    (
        *(STUDY, "label", label.label),
        "Label a table on a local page; compare and export labels.",
        "stance label to_label.csv --coder anna",
        "stance label to_label.csv --export labelled.csv",
    ),
    (
        *(STUDY, "shares", findings.shares),
        "Count stances, correct them by a sample, compare groups.",
        "stance shares answers.csv --audit labelled.csv --by outlet -o shares.csv",
    ),
    (
        *(STUDY, "report", findings.report),
        "Summarise answers on one page.",
        "stance report answers.csv --by outlet --over date",
        "stance report answers.csv --audit labelled.csv --figures figures",
    ),
    (
        *(TRAIN, "import", data.import_corpus),
        "Convert a public data set to a corpus table.",
        "stance import labelstudio export.json -o corpus.csv",
        "stance import table coded.xlsx --map text=body,stance=label -o corpus.csv",
    ),
    (
        *(TRAIN, "check", data.check),
        "Examine a corpus: duplicates, leaks, classes, agreement.",
        "stance check corpus.csv",
    ),
    (
        *(TRAIN, "train", models.train),
        "Train a model on labelled tables, and cross-validate it.",
        "stance train corpus.csv -o my.stance",
        "stance predict articles.csv --model my.stance -o answers.csv",
    ),
    (
        *(TRAIN, "evaluate", models.evaluate),
        "Score a model on labelled tables, beside its baselines.",
        "stance evaluate coded.csv",
        "stance evaluate coded.csv --model my.stance --report scores.html",
    ),
    (
        *(LOOK, "actors", data.actors),
        "List the actor book, or count its aliases in a table.",
        "stance actors",
        "stance actors articles.csv",
    ),
    (
        *(LOOK, "inspect", models.inspect),
        "Show the card of a model, or the words it has learned.",
        "stance inspect",
        "stance inspect my.stance --words",
    ),
    (
        *(LOOK, "doctor", models.doctor),
        "Show what is installed, and what is missing.",
        "stance doctor",
    ),
):
    app.command(
        name=name, cls=Command, short_help=short, epilog="\n".join(examples), rich_help_panel=group
    )(catching(command))


def _print_version(asked: bool) -> None:
    if asked:
        from stance import __version__

        typer.echo(f"stance {__version__}")
        raise typer.Exit


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


def _without_checks(command: Any) -> Callable[..., None]:
    """Return a command of typer that, like its subcommands, reads by itself what needs no check.

    For any value typer would load pydantic, which takes 0.1 s.
    """
    for own in getattr(command, "commands", {}).values():
        _without_checks(own)
    listed = command.get_params
    command.get_params = lambda context: [*map(_quick, listed(context))]
    found: Callable[..., None] = command
    return found


def _quick(parameter: Any) -> Any:
    """Let a parameter take texts, paths and defaults as they are, and leave the rest to typer."""
    if "process_value" in vars(parameter):
        return parameter
    # Should typer call its types something else one day, all is left to it.
    kind = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
    one = get_args(kind)[0] if get_origin(kind) is list else kind
    slow = parameter.process_value

    def process(context: Any, value: Any) -> Any:
        callback, several = parameter.callback, parameter.multiple or parameter.nargs != 1
        if value is None and not (several or parameter.required):
            return None if callback is None else callback(context, parameter, None)
        if one in (str, Path) and callback is None:
            if type(value) is str:
                return one(value)
            if type(value) is tuple and value and {*map(type, value)} == {str}:
                return [*map(one, value)]
        if one is int and _is_number(value, parameter.type_descriptor.parameter_info):
            return int(value) if callback is None else callback(context, parameter, int(value))
        given = value is not parameter.default or parameter.required
        try:
            return slow(context, value) if given else value
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")  # of pydantic
            raise

    parameter.process_value = process
    return parameter


def _is_number(value: Any, limits: Any) -> bool:
    """Return whether a value is a short text of digits, within the limits of an option."""
    if type(value) is not str or not re.fullmatch("[0-9]{1,9}", value):
        return False
    least, most = limits.min, limits.max
    return (least is None or least <= int(value)) and (most is None or int(value) <= most)


def main() -> None:
    """Run the command line."""
    # Typer examines every command that it knows, which takes a while: one that is named will do.
    named = [own for own in app.registered_commands if [own.name] == sys.argv[1:2]]
    app.registered_commands = named or app.registered_commands
    run_safely(lambda: _without_checks(typer.main.get_command(app))(prog_name="stance"))
