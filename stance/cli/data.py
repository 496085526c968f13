"""Commands on tables: actors, check, import, report."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from stance.cli import _options as options
from stance.cli._terminal import show, tell
from stance.errors import UsageError

if TYPE_CHECKING:
    from stance.corpus import CorpusForm

IMPORTED = (
    "A data set (newsmtsc, madtsc, rusentne, ruopinionne, persent, semeval2016, pstance, vast, "
    "xstance, sentfin, semeval2025, seesaw, basil), a tool (doccano, labelstudio, prodigy, brat, "
    "inception), or table."
)


def actors(
    sources: Annotated[
        list[Path] | None,
        typer.Argument(metavar="INPUT", help="Tables, articles or folders; - is stdin."),
    ] = None,
    actors: options.ActorsFile = None,
    aliases: options.Aliases = None,
    text_column: options.TextColumn = "text",
    date_column: options.DateColumn = None,
    date_format: options.DateFormat = None,
    delimiter: options.Delimiter = None,
    encoding: options.Encoding = None,
    sheet: options.Sheet = None,
    include: options.Include = None,
    as_json: options.AsJson = False,
) -> None:
    """List the actor book, or count which of its aliases some inputs use."""
    from stance.check.census import census
    from stance.screens.checks import book_lines, census_lines
    from stance.tables import Reading, find_inputs

    book = options.open_book(actors, aliases)
    if not sources:
        show(book.to_tables(), book_lines(book), as_json)
        return
    inputs = find_inputs([options.path_or_stdin(path) for path in sources], include or ())
    reading = Reading(
        text_column,
        date_column=date_column,
        date_format=date_format,
        delimiter=delimiter,
        encoding=encoding,
        sheet=sheet,
    )
    found = census(book, inputs, reading)
    for note in found.notes:
        tell(note)
    show(found.to_json(), census_lines(found.to_json()), as_json)


@options.reads_corpora
def check(
    corpora: Annotated[list[Path], typer.Argument(metavar="CORPUS", help="Labelled tables.")],
    coders: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Column of a second coder's stance, or columns: ONE,OTHER."
        ),
    ] = None,
    actors: options.ActorsFile = None,
    as_json: options.AsJson = False,
    *,
    form: "CorpusForm",
) -> None:
    """Examine a corpus: duplicates, leaks, tiny classes, actors without mention, agreement."""
    from stance.check.doctor import check as examine
    from stance.screens.checks import doctor_lines

    options.refuse_stdin(corpora)
    book = options.open_book(actors, None)
    found = examine(corpora, book=book, coders=coders, **form)
    show(found.to_json(), doctor_lines(found.to_json()), as_json)
    if found.spoils:
        raise typer.Exit(1)


def _formats() -> list[str]:
    from stance.importing.formats import FORMATS

    return [*FORMATS]


def import_corpus(
    form: Annotated[str, typer.Argument(metavar="FORMAT", help=IMPORTED, autocompletion=_formats)],
    source: Annotated[
        Path, typer.Argument(metavar="SOURCE", help="File of the data set or export, or a folder.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="CORPUS.csv", help="Corpus table to write.")
    ],
    names: Annotated[
        str | None,
        typer.Option(
            "--map",
            metavar="COLUMN=NAME,...",
            help="What the source calls our columns, such as text=body,actor=target.",
        ),
    ] = None,
    labels: options.Labels = None,
    delimiter: options.Delimiter = None,
    encoding: options.Encoding = None,
    sheet: options.Sheet = None,
    force: options.Force = False,
) -> None:
    """Convert a data set, a tool's export or a table with other columns to a corpus table."""
    from stance.corpus import parse_labels
    from stance.importing import import_corpus as convert
    from stance.importing import parse_map

    options.refuse_output(output, force, [source] if source.is_file() else [])
    told = convert(
        form,
        source,
        output,
        names=parse_map(names),
        labels=parse_labels(labels),
        delimiter=delimiter,
        encoding=encoding,
        sheet=sheet,
        force=force,
    )
    for line in told:
        tell(line)


@options.reads_answers
def report(
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Page to write; ANSWERS.html if omitted."
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Column with the source; 'source' if there is one."),
    ] = None,
    over: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Column with the date; 'date' if there is one."),
    ] = None,
    period: Annotated[
        Literal["week", "month", "quarter", "year"] | None,
        typer.Option(
            metavar="UNIT",
            help="Length of the periods: week, month, quarter or year; as each actor's answers "
            "allow if omitted.",
        ),
    ] = None,
    title: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Title of the page; names the table if omitted."),
    ] = None,
    figures: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder for each figure as SVG and PDF, and all numbers as CSV."
        ),
    ] = None,
    checklist: Annotated[
        Path | None,
        typer.Option(metavar="FILE.md", help="What to report, filled in as far as it is known."),
    ] = None,
    audit: Annotated[
        Path | None,
        typer.Option(metavar="LABELLED", help="Labelled sample of the answers, to correct them."),
    ] = None,
    coder: Annotated[
        str | None, typer.Option(metavar="NAME", help="Coder whose labels count.")
    ] = None,
    simple_random: Annotated[
        bool, typer.Option("--simple-random", help="Every answer had the same chance.")
    ] = False,
    labels: options.Labels = None,
    audit_encoding: options.AuditEncoding = None,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            "-m",
            metavar="MODEL",
            help="Model that gave the answers; the default model if it fits.",
        ),
    ] = None,
    actors: options.ActorsFile = None,
    aliases: options.Aliases = None,
    force: options.Force = False,
    *,
    form: options.AnswersForm,
) -> None:
    """Summarise the answers of predict on one page: shares, trends, sources, examples."""
    from stance.corpus import parse_labels
    from stance.defaults import default_model
    from stance.findings import AuditRequest
    from stance.reports import Request, check_figures, read_maker, write_predictions

    request = Request(by=by, over=over, period=period, **form)
    if audit is None and (coder or simple_random or labels):
        said = "--coder, --labels and --simple-random are"
        raise UsageError(f"{said} about an audit; add --audit LABELLED")
    if output is None and len(request.paths) > 1:
        raise UsageError(f"{request.name}: many tables, one page; name it with --output")
    output = output or options.beside(request.paths[0], ".html")
    for path in (output, checklist):
        options.refuse_output(path, force, [*request.paths, model, actors, audit])
    check_figures(figures, force=force)
    path = model or default_model(tell)
    maker = read_maker(path, options.open_model(path, actors, aliases), given=model is not None)
    spelled = parse_labels(labels)
    asked = AuditRequest(audit, coder, simple_random, spelled, audit_encoding) if audit else None
    told = write_predictions(
        request,
        output,
        maker,
        audit=asked,
        title=title,
        folder=figures,
        checklist=checklist,
        force=force,
    )
    for line in told:
        tell(line)
