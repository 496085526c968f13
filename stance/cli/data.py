"""Commands on tables: actors, check, import, label."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stance.cli import _files as files
from stance.cli import _options as options
from stance.cli._options import OUTPUT, TABLES, option
from stance.cli._terminal import show, tell
from stance.errors import UsageError

if TYPE_CHECKING:
    from stance.corpus import CorpusForm
    from stance.tables import Form, Reading

IMPORTED = (
    "A data set (newsmtsc, madtsc, rusentne, ruopinionne, persent, semeval2016, pstance, vast, "
    "xstance, sentfin, semeval2025, seesaw, basil), a tool (doccano, labelstudio, prodigy, brat), "
    "or table."
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
    """List the actor book, or count its aliases in a table."""
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
    """Examine a corpus: duplicates, leaks, classes, agreement."""
    from stance.check.corpora import check_corpora
    from stance.screens.checks import check_lines

    files.refuse_stdin(corpora)
    book = files.open_book(actors)
    figures = check_corpora(corpora, book=book, coders=coders, **form)
    show(figures, lambda: check_lines(figures), as_json)
    if figures["spoils"]:
        raise typer.Exit(1)


def _formats() -> list[str]:
    from stance.importing import FORMATS

    return [*FORMATS]


@options.reads_table
def import_(
    form: Annotated[str, typer.Argument(metavar="FORMAT", help=IMPORTED, autocompletion=_formats)],
    source: Annotated[
        Path, typer.Argument(metavar="SOURCE", help="File of the data set or export, or a folder.")
    ],
    output: Annotated[
        Path, option("CORPUS.csv", "Corpus table to write.", "--output", "-o", panel=OUTPUT)
    ],
    names: Annotated[
        str | None,
        option(
            "COLUMN=NAME,...",
            "What the source calls our columns, such as text=body,actor=target.",
            "--map",
            panel=TABLES,
        ),
    ] = None,
    labels: options.Labels = None,
    actor: options.OneActor = None,
    force: options.Force = False,
    *,
    reading: "Form",
) -> None:
    """Convert a public data set to a corpus table."""
    from stance.importing import import_corpus, parse_map
    from stance.label_values import parse_labels

    reading["actor"] = actor
    files.refuse_outputs(force, [source] if source.is_file() else [], output=output)
    told = import_corpus(
        form,
        source,
        output,
        names=parse_map(names),
        labels=parse_labels(labels),
        force=force,
        **reading,
    )
    tell(*told)


@options.reads_table
def label(
    table: Annotated[
        Path, typer.Argument(metavar="TABLE", help="Table with columns text and actor.")
    ],
    coder: Annotated[
        str | None,
        option("NAME", "Who labels, or whose labels to export."),
    ] = None,
    ask: Annotated[
        str | None, option("QUESTIONS", "Questions beside the stance: holder,sentiment.")
    ] = None,
    codebook: Annotated[Path | None, option("FILE.md", "Your codebook; ours if omitted.")] = None,
    context: Annotated[
        Path | None, option("TABLE", "Table with the other paragraphs of the documents.")
    ] = None,
    context_encoding: Annotated[
        str | None,
        option("E", "Encoding of the table of --context; UTF-8 if omitted.", panel=TABLES),
    ] = None,
    adjudicate: Annotated[
        bool, option(None, "Settle the rows on which coders differ.", "--adjudicate")
    ] = False,
    agreement: Annotated[
        bool, option(None, "Print how far the coders agree.", "--agreement")
    ] = False,
    merge: Annotated[
        list[Path] | None, option("STORE", "Add the labels of another store, such as ben.sqlite.")
    ] = None,
    export: Annotated[Path | None, option("FILE", "Write the labels, as a table.")] = None,
    store: Annotated[
        Path | None, option("FILE", "File of the labels; TABLE.sqlite if omitted.")
    ] = None,
    seed: Annotated[int, option("N", "Seed of the order of rows.")] = 0,
    browser: Annotated[
        bool, option(None, "Open the page, or only print its address.", "--browser/--no-browser")
    ] = True,
    actors: options.ActorsFile = None,
    text_column: options.TextColumn = None,
    as_json: options.AsJson = False,
    force: options.Force = False,
    *,
    reading: "Form",
) -> None:
    """Label a table on a local page; compare and export labels."""
    from stance.labelling import (
        Session,
        Store,
        answered,
        check_coder,
        export_labels,
        measure_coders,
        parse_questions,
        read_task,
    )
    from stance.labelling.server import check_extra, read_codebook, serve
    from stance.records import ADJUDICATED
    from stance.screens.checks import coders_lines

    if context_encoding and not context:
        raise UsageError("--context-encoding is about a table of context; add --context TABLE")
    if as_json and not agreement:
        raise UsageError("--json prints agreement; add --agreement")
    if not (coder or adjudicate or agreement or merge or export):
        raise UsageError("name who labels with --coder NAME, or use --agreement or --export FILE")
    if adjudicate and (coder or ask):
        advice = "drop --coder" if coder else "drop --ask: it asks what the coders were asked"
        raise UsageError(f"--adjudicate is a coder of its own; {advice}")
    asked, text, book = parse_questions(ask), read_codebook(codebook), files.open_book(actors)
    path = store or files.beside(table, ".sqlite")
    serves = adjudicate or (coder is not None and not agreement and not export)
    if serves:
        coder = check_coder(coder) if coder else ADJUDICATED
        check_extra()
    files.refuse_outputs(
        force, [table, path, codebook, context, actors, *(merge or ())], export=export
    )
    task = read_task(
        table, text_column=text_column or "text", context=context,
        context_encoding=context_encoding, **reading,
    )  # fmt: skip
    tell(*task.notes)
    with Store(path, create=not (agreement or export) or bool(merge)) as labels:
        labels.check_rows(task)
        for other in merge or ():
            tell(labels.merge(other, task))
        if agreement:
            figures = measure_coders(task, labels.labels())
            show(figures, lambda: coders_lines(figures), as_json)
        if export:
            tell(*export_labels(task, labels.labels(), export, coder=coder, force=force))
        if serves and coder:
            asked = answered(labels.labels()) if adjudicate else asked
            tell(f"labels are kept in {path}; Ctrl-C ends")
            session = Session(task, labels, book, coder, asked, seed)
            serve(session, text, typer.echo, browser=browser)
