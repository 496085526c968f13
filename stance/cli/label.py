"""The command label: a local page for coders, and what becomes of their labels."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stance.cli import _files as files
from stance.cli import _options as options
from stance.cli._options import option
from stance.cli._terminal import show, tell
from stance.errors import UsageError

if TYPE_CHECKING:
    from stance.labelling import Store, Task
    from stance.tables import Form


@options.reads_table
def label(
    table: Annotated[
        Path, typer.Argument(metavar="TABLE", help="Table with columns text and actor.")
    ],
    coder: Annotated[
        str | None,
        option("NAME", "Who labels, or whose labels to export.", rich_help_panel="Options"),
    ] = None,
    ask: Annotated[
        str | None, option("QUESTIONS", "Questions beside the stance: holder,sentiment.")
    ] = None,
    codebook: Annotated[Path | None, option("FILE.md", "Your codebook; ours if omitted.")] = None,
    context: Annotated[
        Path | None, option("TABLE", "Table with the other paragraphs of the documents.")
    ] = None,
    context_encoding: Annotated[
        str | None, option("E", "Encoding of the table of --context; UTF-8 if omitted.")
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
    export: Annotated[
        Path | None, option("FILE", "Write the labels; FILE.json is for Label Studio.")
    ] = None,
    form: Annotated[
        str | None, option("FORMAT", "table, labelstudio or doccano.", "--format")
    ] = None,
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

    if context_encoding and not context:
        raise UsageError("--context-encoding is about a table of context; add --context TABLE")
    if form and not export:
        raise UsageError("--format is about labels that are written; add --export FILE")
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
    show(figures, lambda: coders_lines(figures), as_json)


def _export(
    task: "Task", labels: "Store", path: Path, coder: str | None, form: str | None, force: bool
) -> None:
    from stance.labelling import export_labels

    done = export_labels(task, labels.labels(), path, coder=coder, form=form, force=force)
    tell(*done.lines())
