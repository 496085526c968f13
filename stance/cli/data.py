"""Commands on tables: actors, check, import, label."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from stance.cli import _files as files
from stance.cli._options import TABLE, reads
from stance.cli._terminal import say, show, tell
from stance.errors import UsageError

if TYPE_CHECKING:
    from stance.corpus import CorpusForm
    from stance.tables import Form, InputOptions


@reads(reading=files.texts)
def actors(
    sources: list[Path] | None = None,
    actors: Path | None = None,
    aliases: str | None = None,
    people: Path | None = None,
    discover: bool = False,
    as_json: bool = False,
    *,
    reading: "InputOptions",
) -> None:
    """List the actor book, count its aliases in a table, or make a book."""
    from stance import actors as named
    from stance.screens.tables import alias_lines, book_lines
    from stance.tables import find_inputs

    if people is not None:
        if sources or discover or as_json:
            raise UsageError(
                "--from prints a book of the people in its table; drop the other arguments"
            )
        form = {name: getattr(reading, name) for name in TABLE}
        say(named.book_of_people(people, **form).rstrip("\n"))
        return
    book = files.open_book(actors, aliases)
    if discover and not sources:
        raise UsageError("--discover looks for names in texts; name a table or articles")
    if not sources:
        show(book.to_tables(), lambda: book_lines(book), as_json)
        return
    inputs = find_inputs(files.inputs_of(sources))
    if discover:
        unknown, notes = named.discover(book, inputs, reading)
        tell(*notes)
        show(unknown, lambda: named.discovered_toml(unknown).split("\n")[:-1], as_json)
        return
    figures, notes = named.count_aliases(book, inputs, reading)
    tell(*notes)
    show(figures, lambda: alias_lines(figures), as_json)


@reads(form=files.labels_of)
def check(
    corpora: list[Path],
    actors: Path | None = None,
    as_json: bool = False,
    *,
    form: "CorpusForm",
) -> None:
    """Examine a corpus: duplicates, leaks, classes, agreement."""
    from stance.check import check_corpora
    from stance.screens.tables import check_lines

    book = files.open_book(actors)
    figures = check_corpora(corpora, book=book, **form)
    show(figures, lambda: check_lines(figures), as_json)
    if figures["spoils"]:
        raise typer.Exit(1)


@reads(reading=files.a_table)
def import_(
    form: str,
    source: Path,
    output: Path,
    names: list[str] | None = None,
    labels: str | None = None,
    actor: str | None = None,
    force: bool = False,
    *,
    reading: "Form",
) -> None:
    """Convert a data set or a tool's export to a corpus table."""
    from stance.importing import import_corpus, parse_map
    from stance.label_values import parse_labels

    reading["actor"] = actor
    files.refuse_outputs(force, [source] if source.is_file() else [], output=output)
    notes = import_corpus(
        form,
        source,
        output,
        names=parse_map(",".join(names or ())),
        labels=parse_labels(labels),
        force=force,
        **reading,
    )
    tell(*notes)


@reads(reading=files.a_table)
def label(
    table: Path,
    coder: str | None = None,
    ask: str | None = None,
    codebook: Path | None = None,
    merge: list[Path] | None = None,
    export: Path | None = None,
    browser: bool = True,
    actors: Path | None = None,
    text_column: str | None = None,
    force: bool = False,
    *,
    reading: "Form",
) -> None:
    """Label a table on a local page, and export the labels."""
    from stance import labelling
    from stance.labelling import server
    from stance.labelling.session import Session, export_labels
    from stance.labelling.store import Store, read_task
    from stance.records import ADJUDICATED

    if not (coder or merge or export):
        raise UsageError("name who labels with --coder NAME, or use --export FILE")
    asked, book = labelling.parse_questions(ask), files.open_book(actors)
    text, path = server.read_codebook(codebook), files.beside(table, ".sqlite")
    who = labelling.check_coder(coder) if coder and not export else ""
    if who:
        server.check_extra()
    read = [table, path, codebook, actors, *(merge or ())]
    files.refuse_outputs(force, read, export=export)
    task = read_task(table, text_column=text_column or "text", **reading)
    tell(*task.notes)
    with Store(path, create=not export or bool(merge)) as labels:
        labels.check_rows(task)
        for other in merge or ():
            tell(labels.merge(other, task))
        if export:
            known = labels.labels()
            tell(*export_labels(task, known, export, coder=coder, force=force))
        if who == ADJUDICATED:
            asked = asked or labelling.answered(labels.labels())
        if who:
            tell(f"labels are kept in {path}; Ctrl-C ends")
            session = Session(task, labels, book, who, asked)
            server.serve(session, text, typer.echo, browser=browser)
