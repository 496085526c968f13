"""The command that makes a page of a table of predictions: report."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stance.cli.options import ActorsFile, Delimiter, Encoding, Force, open_model, refuse_output
from stance.cli.screen import tell
from stance.errors import DataError

if TYPE_CHECKING:
    from stance.reports import Maker

PAGE = ".html"


def report(
    predictions: Annotated[
        Path, typer.Argument(metavar="PREDICTIONS", help="Table that stance predict has written.")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Page to write; PREDICTIONS.html without it."
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Column of the source; 'source' if there is one."),
    ] = None,
    over: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Column of the date; 'date' if there is one."),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            "-m",
            metavar="MODEL",
            help="Model that made the answers; the default one if it fits.",
        ),
    ] = None,
    actors: ActorsFile = None,
    text_column: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Column of the paragraph; 'text' if there is one."),
    ] = None,
    actor_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Column of the actor that was judged.")
    ] = None,
    prefix: Annotated[
        str, typer.Option(metavar="WORD", help="What the answers' columns begin with.")
    ] = "",
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    force: Force = False,
) -> None:
    """Make a page of what predict has answered: shares, trends, sources, telling paragraphs."""
    from stance.files import is_device
    from stance.reports import Request, write_predictions

    if str(predictions) == "-" or is_device(predictions):
        raise DataError(f"{predictions}: a report reads its table twice; name a file")
    if predictions.is_dir():
        raise DataError(f"{predictions}: is a folder; name one table in it")
    output = output or page_name(predictions)
    refuse_output(output, force, [predictions, model, actors])
    request = Request(predictions, by, over, prefix, text_column, actor_column, delimiter, encoding)
    maker = _maker(model, actors)
    for line in write_predictions(request, output, maker, force=force):
        tell(line)


def page_name(table: Path) -> Path:
    """Return the name of the page beside a table, without the endings of tables.

    >>> page_name(Path("mine/answers.csv.gz")).as_posix()
    'mine/answers.html'
    """
    endings = {".gz", ".zst", ".csv", ".tsv", ".tab", ".psv", ".txt", ".jsonl", ".ndjson"}
    while table.suffix.lower() in endings:
        table = table.with_suffix("")
    return table.with_name(table.name + PAGE)


def _maker(path: Path | None, actors: Path | None) -> "Maker":
    from stance.defaults import default_model
    from stance.reports import read_maker

    given, path = path is not None, path or default_model(tell)
    return read_maker(path, open_model(path, actors), given=given)
