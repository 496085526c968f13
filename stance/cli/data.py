"""Commands on tables: actors, check, import."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stance.cli import _files as files
from stance.cli import _options as options
from stance.cli._options import option
from stance.cli._terminal import show, tell

if TYPE_CHECKING:
    from stance.corpus import CorpusForm
    from stance.tables import Form, Reading

IMPORTED = (
    "A data set (newsmtsc, madtsc, rusentne, ruopinionne, persent, semeval2016, pstance, vast, "
    "xstance, sentfin, semeval2025, seesaw, basil), a tool (doccano, labelstudio, prodigy, brat, "
    "inception), or table."
)


@options.reads_texts
def actors(
    sources: Annotated[
        list[Path] | None,
        typer.Argument(metavar="INPUT", help="Tables, articles or folders; - is stdin."),
    ] = None,
    actors: options.ActorsFile = None,
    aliases: options.Aliases = None,
    as_json: options.AsJson = False,
    *,
    reading: "Reading",
) -> None:
    """List the actor book, or count which of its aliases some inputs use."""
    from stance.check.aliases import count_aliases
    from stance.screens.checks import alias_lines, book_lines
    from stance.tables import find_inputs

    book = files.open_book(actors, aliases)
    if not sources:
        show(book.to_tables(), lambda: book_lines(book), as_json)
        return
    inputs = find_inputs([files.path_or_stdin(path) for path in sources], reading.include)
    figures, notes = count_aliases(book, inputs, reading)
    tell(*notes)
    show(figures, lambda: alias_lines(figures), as_json)


@options.reads_corpora
def check(
    corpora: Annotated[list[Path], typer.Argument(metavar="CORPUS", help="Labelled tables.")],
    coders: Annotated[
        str | None, option("NAME", "Column of a second coder's stance, or columns: ONE,OTHER.")
    ] = None,
    actors: options.ActorsFile = None,
    as_json: options.AsJson = False,
    *,
    form: "CorpusForm",
) -> None:
    """Examine a corpus: duplicates, leaks, tiny classes, actors without mention, agreement."""
    from stance.check.corpora import check_corpora
    from stance.screens.checks import check_lines

    files.refuse_stdin(corpora)
    book = files.open_book(actors)
    figures = check_corpora(corpora, book=book, coders=coders, **form)
    show(figures, lambda: check_lines(figures), as_json)
    if figures["spoils"]:
        raise typer.Exit(1)


def _formats() -> list[str]:
    from stance.importing.formats import FORMATS

    return [*FORMATS]


@options.reads_table
def import_corpus(
    form: Annotated[str, typer.Argument(metavar="FORMAT", help=IMPORTED, autocompletion=_formats)],
    source: Annotated[
        Path, typer.Argument(metavar="SOURCE", help="File of the data set or export, or a folder.")
    ],
    output: Annotated[Path, option("CORPUS.csv", "Corpus table to write.", "--output", "-o")],
    names: Annotated[
        str | None,
        option(
            "COLUMN=NAME,...",
            "What the source calls our columns, such as text=body,actor=target.",
            "--map",
        ),
    ] = None,
    labels: options.Labels = None,
    force: options.Force = False,
    *,
    reading: "Form",
) -> None:
    """Convert a data set, a tool's export or a table with other columns to a corpus table."""
    from stance.importing import import_corpus as convert
    from stance.importing import parse_map
    from stance.label_values import parse_labels

    files.refuse_outputs(force, [source] if source.is_file() else [], output=output)
    told = convert(
        form,
        source,
        output,
        names=parse_map(names),
        labels=parse_labels(labels),
        force=force,
        **reading,
    )
    tell(*told)
