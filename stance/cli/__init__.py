"""The ``stance`` command: a short typed function for each of its commands."""

import typer

from stance.cli import data, findings, label, models, predict
from stance.cli._quick import quickened
from stance.cli._terminal import catching, run_safely

__all__ = ["app", "main"]

app = typer.Typer(
    name="stance",
    help="Which stance each paragraph takes toward each actor it names, and its sentiment.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for name, command, short in (
    ("train", models.train, "Train a model on labelled tables, and cross-validate it."),
    ("evaluate", models.evaluate, "Score a model on labelled tables, beside its baselines."),
    ("predict", predict.predict, "Judge paragraphs: stance toward each actor, and sentiment."),
    ("explain", predict.explain, "Show how far each word pushes the answer."),
    ("actors", data.actors, "List the actor book, or count its aliases in a table."),
    ("inspect", models.inspect, "Show a model's card, or the words it has learned."),
    ("check", data.check, "Examine a corpus: duplicates, leaks, classes, agreement."),
    ("sample", findings.sample, "Draw a sample of answers to label."),
    ("label", label.label, "Label a table on a local page; compare and export labels."),
    ("shares", findings.shares, "Count stances, correct them by a sample, compare groups."),
    ("report", data.report, "Summarise the answers of predict on one page."),
    ("import", data.import_corpus, "Convert a public data set to a corpus table."),
):
    app.command(name=name, short_help=short)(catching(command))


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"stance {version('stance')}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False,
        "--version",
        help="Print the version and exit.",
        is_eager=True,
        callback=_print_version,
    ),
) -> None:
    """Do nothing: the option did its work."""


def main() -> None:
    """Run the command line."""
    run_safely(quickened(typer.main.get_command(app)))
