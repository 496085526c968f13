"""The command label: a local page for coders, and what becomes of their labels."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stance.cli import _options as options
from stance.cli._terminal import show, tell
from stance.errors import UsageError

if TYPE_CHECKING:
    from stance.labelling import Store, Task


def label(
    table: Annotated[
        Path, typer.Argument(metavar="TABLE", help="Table with columns text and actor.")
    ],
    coder: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Who labels, or whose labels to export.",
            rich_help_panel="Options",
        ),
    ] = None,
    ask: Annotated[
        str | None,
        typer.Option(metavar="QUESTIONS", help="Questions beside the stance: holder,sentiment."),
    ] = None,
    codebook: Annotated[
        Path | None, typer.Option(metavar="FILE.md", help="Your codebook; ours if omitted.")
    ] = None,
    context: Annotated[
        Path | None,
        typer.Option(metavar="TABLE", help="Table with the other paragraphs of the documents."),
    ] = None,
    adjudicate: Annotated[
        bool, typer.Option("--adjudicate", help="Settle the rows on which coders differ.")
    ] = False,
    agreement: Annotated[
        bool, typer.Option("--agreement", help="Print how far the coders agree.")
    ] = False,
    merge: Annotated[
        list[Path] | None,
        typer.Option(metavar="STORE", help="Add the labels of another store, such as ben.sqlite."),
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the labels; FILE.json is for Label Studio."),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option("--format", metavar="FORMAT", help="table, labelstudio or doccano."),
    ] = None,
    store: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File of the labels; TABLE.sqlite if omitted."),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the order of rows.")] = 0,
    browser: Annotated[
        bool,
        typer.Option("--browser/--no-browser", help="Open the page, or only print its address."),
    ] = True,
    actors: options.ActorsFile = None,
    text_column: options.TextColumn = "text",
    delimiter: options.Delimiter = None,
    encoding: options.Encoding = None,
    sheet: options.Sheet = None,
    as_json: options.AsJson = False,
    force: options.Force = False,
) -> None:
    """Label a table on a local page, and compare, settle and export the labels."""
    from stance.labelling import (
        Session,
        Store,
        answered,
        check_coder,
        parse_questions,
        read_codebook,
        read_task,
    )
    from stance.labelling.server import check_extra, serve
    from stance.records import ADJUDICATED

    if not (coder or adjudicate or agreement or merge or export):
        raise UsageError("name who labels with --coder NAME, or use --agreement or --export FILE")
    if adjudicate and (coder or ask):
        advice = "drop --coder" if coder else "drop --ask: it asks what the coders were asked"
        raise UsageError(f"--adjudicate is a coder of its own; {advice}")
    asked, text, book = (
        parse_questions(ask),
        read_codebook(codebook),
        options.open_book(actors, None),
    )
    path = store or options.beside(table, ".sqlite")
    serves = adjudicate or (coder is not None and not agreement and not export)
    if serves:
        coder = check_coder(coder) if coder else ADJUDICATED
        check_extra()
    options.refuse_output(export, force, [table, path])
    task = read_task(
        table,
        text_column=text_column,
        context=context,
        delimiter=delimiter,
        encoding=encoding,
        sheet=sheet,
    )
    for note in task.notes:
        tell(note)
    with Store(path, create=not (agreement or export) or bool(merge)) as labels:
        labels.check_rows(task)
        for other in merge or ():
            tell(labels.merge(other, task).line())
        if agreement:
            _show_agreement(task, labels, as_json)
        if export:
            _export(task, labels, export, coder, form, force)
        if serves and coder:
            asked = answered(labels.labels()) if adjudicate else asked
            tell(f"labels are kept in {path}; Ctrl-C ends")
            session = Session(task, labels, book, coder, asked, seed)
            serve(session, text, typer.echo, browser=browser)


def _show_agreement(task: "Task", labels: "Store", as_json: bool) -> None:
    from stance.labelling import measure_coders
    from stance.screens.checks import coders_lines

    figures = measure_coders(task, labels.labels()).to_json()
    show(figures, coders_lines(figures), as_json)


def _export(
    task: "Task", labels: "Store", path: Path, coder: str | None, form: str | None, force: bool
) -> None:
    from stance.labelling import export_labels

    done = export_labels(task, labels.labels(), path, coder=coder, form=form, force=force)
    for line in done.lines():
        tell(line)
