"""Commands on data: actors, check, import."""

from pathlib import Path
from typing import Annotated

import typer

from stance.cli.options import (
    ActorsFile,
    AsJson,
    Delimiter,
    Encoding,
    Force,
    TextColumn,
    path_or_stdin,
    refuse_output,
    refuse_stdin,
    show,
)
from stance.cli.screen import tell


def actors(
    source: Annotated[
        Path | None, typer.Argument(metavar="INPUT", help="Table to scan; - is stdin.")
    ] = None,
    actors: ActorsFile = None,
    text_column: TextColumn = "text",
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    as_json: AsJson = False,
) -> None:
    """List the actor book, or count which of its aliases a table uses."""
    from stance.check.census import census
    from stance.reading.actors import ActorBook
    from stance.screens.checks import book_lines, census_lines

    book = ActorBook.read(actors) if actors else ActorBook.default()
    if source is None:
        show(book.to_tables(), book_lines(book), as_json)
        return
    found = census(book, path_or_stdin(source), text_column, delimiter, encoding)
    for note in found.notes:
        tell(note)
    show(found.to_json(), census_lines(found.to_json()), as_json)


def check(
    corpora: Annotated[list[Path], typer.Argument(metavar="CORPUS", help="Labelled tables.")],
    coders: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Column of a second coder's stance, or columns: ONE,OTHER."
        ),
    ] = None,
    actors: ActorsFile = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    as_json: AsJson = False,
) -> None:
    """Examine a corpus: duplicates, leaks, tiny classes, actors without mention, agreement."""
    from stance.check.doctor import check as examine
    from stance.reading.actors import ActorBook
    from stance.screens.checks import doctor_lines

    refuse_stdin(corpora)
    book = ActorBook.read(actors) if actors else ActorBook.default()
    found = examine(corpora, book=book, coders=coders, delimiter=delimiter, encoding=encoding)
    show(found.to_json(), doctor_lines(found.to_json()), as_json)
    if found.spoils:
        raise typer.Exit(1)


def import_corpus(
    form: Annotated[str, typer.Argument(metavar="FORMAT", help="newsmtsc or rusentne.")],
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="File of the data set.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="CORPUS.csv", help="Corpus table to write.")
    ],
    force: Force = False,
) -> None:
    """Convert a public data set to a corpus table."""
    from stance.importing import import_corpus as convert

    refuse_output(output, force, [source])
    tell(convert(form, source, output, force=force))
