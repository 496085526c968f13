"""The ``stance`` command: one short typed function per command, one door for errors."""

import typer

from stance.cli import data, models, pages, predict
from stance.cli.door import door, run_safely

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

for command in (
    models.train,
    models.evaluate,
    predict.predict,
    predict.explain,
    data.actors,
    models.inspect,
    data.check,
    pages.report,
):
    app.command()(door(command))
app.command(name="import")(door(data.import_corpus))


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
    """Do nothing: the option has done its work."""


def main() -> None:
    """Run the command line."""
    run_safely(app)
