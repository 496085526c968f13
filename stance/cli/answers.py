"""Commands on texts and answers: predict, explain, read, actors, sample, shares, report."""

import sys
import tempfile
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from stance.cli import _inputs as files
from stance.cli._terminal import Progress, say, show, tell
from stance.display import count, table
from stance.errors import DataError, UsageError
from stance.records import InputOptions, Options

if TYPE_CHECKING:
    from stance.model import StanceModel
    from stance.runs import Request
    from stance.runs.summary import Done

FIRST = 10  # rows that a terminal shows
NAMES = 256  # characters that no name of a file has


def predict(
    sources: list[Path],
    inputs: InputOptions,
    options: Options,
    loading: dict[str, Any],
    output: Path = Path("-"),
    jobs: int = 1,
    force: bool = False,
    quiet: bool = False,
    **running: Any,
) -> None:
    """Judge paragraphs: stance toward each actor, and sentiment."""
    from stance.runs import Request, predict_table
    from stance.screens import run_lines

    paths = tuple(files.inputs_of(sources))
    table = None if str(output) == "-" else output
    request = Request(paths, table, inputs, options, force=force, jobs=jobs, **running)
    over = force or request.resume or request.since is not None
    read = [*paths, loading["model"], loading["actors"]]
    outputs = {"output": table, "rejects": request.rejects, "summary": request.summary}
    files.refuse_outputs(over, read, **outputs)
    others: dict[str, Any] = {"abstain": options.abstain, "cluster": request.cluster}
    loaded = files.open_model(**loading, deep=options.deep, **others)
    if loaded.encoder is not None and request.cluster is not None:
        raise UsageError("--cluster: the model's deep reader runs only on this computer; drop it")
    with Progress(quiet) as progress:
        on_screen = table is None and sys.stdout.isatty() and not request.resume
        judge = _judge_on_screen if on_screen else predict_table  # nobody reads a whole table there
        done = judge(loaded, request, progress)
    tell(*(done.warnings if quiet else (*done.notes, *run_lines(done))))


def _judge_on_screen(model: "StanceModel", request: "Request", progress: Progress) -> "Done":
    """Judge into a file for a while, and print its first rows as lines of a terminal."""
    from stance.runs import predict_table
    from stance.tables import open_table, optional_column

    reading, prefix = request.reading, request.options.prefix
    answers = (prefix + name for name in ("row", "actor", "stance", "holder", "sentiment"))
    asked = (reading.actor_column or "actor", *answers, reading.text_column)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "answers.csv")
        options = replace(request.options, wide=False)  # too wide for a screen
        try:
            done = predict_table(model, replace(request, output=path, options=options), progress)
        except BaseException as error:
            error.__notes__ = []  # on parts to go on with, which are gone
            raise
        progress.clear()
        with open_table(path, delimiter=",") as written:
            columns = [optional_column(written, name) for name in asked]
            places = dict.fromkeys(place for place in columns if place is not None)
            first = [record.cells for record in islice(written, FIRST)]
    rows = [[cells[place] for place in places] for cells in (written.columns, *first)]
    rest = done.rows_out - len(first)
    more = f"and {count(rest, 'more row')}; " if rest else ""
    say("\n".join([*table(rows), f"{more}-o FILE.csv writes all"]))
    return done


def explain(
    text: str,
    loading: dict[str, Any],
    actor: list[str] | None = None,
    deep: Literal["all", "unsure"] | None = None,
    as_json: bool = False,
) -> None:
    """Show how far each word pushes the answer."""
    from stance.model.explanation import explain as reasons_of
    from stance.screens import explanation_lines

    if text == "-":
        from stance.tables.sources import read_whole

        if not (text := read_whole(None).rstrip("\r\n")).strip():
            raise DataError("standard input: is empty; pipe a paragraph into it")
    elif len(text) < NAMES and Path(text).is_file():
        raise UsageError(f"{text}: is a file, and TEXT a text; show an article with stance read")
    loaded = files.open_model(**loading, deep=deep)
    asked = reasons_of(loaded, text, actor and [*dict.fromkeys(actor)])
    figures = [asdict(one) for one in asked] if as_json else None
    show(figures, lambda: [line for one in asked for line in explanation_lines(one)], as_json)


def read(
    articles: list[Path],
    output: Path,
    loading: dict[str, Any],
    actor: str | None = None,
    abstain: float | None = None,
    deep: Literal["all", "unsure"] | None = None,
    encoding: str | None = None,
    keep_all: bool = False,
    force: bool = False,
) -> None:
    """Show an article, its mentions coloured by stance."""
    from stance.files import file_hash
    from stance.reports.answers import Maker
    from stance.reports.articles import articles_of, write_articles
    from stance.storage import model_file
    from stance.tables import find_inputs

    if actor is not None and not actor.strip():
        raise UsageError("--actor is empty; name the actor to show")
    named = files.inputs_of(articles)
    inputs = articles_of(find_inputs(named), named)
    page, path = None if inputs.several else output, model_file(loading["model"])
    files.refuse_outputs(force, [*named, loading["model"], loading["actors"]], output=page)
    files.refuse_page(page)
    loaded = files.open_model(**loading, deep=deep, abstain=abstain)
    maker = Maker(loaded, path, file_hash(path))
    reading = InputOptions(encoding=encoding, keep_all=keep_all, actor=actor)
    lines, failed = write_articles(inputs, reading, output, maker, abstain=abstain, force=force)
    tell(*lines)
    if failed:
        raise SystemExit(1)


def actors(
    reading: InputOptions,
    sources: list[Path] | None = None,
    actors: Path | None = None,
    aliases: str | None = None,
    people: Path | None = None,
    discover: bool = False,
    as_json: bool = False,
) -> None:
    """List the actor book, count its aliases in a table, or make a book."""
    from stance import actors as named
    from stance.screens import alias_lines, book_lines
    from stance.tables import find_inputs, form_of

    if people is not None:
        unused = sources or actors or aliases or discover or as_json
        if unused or reading != InputOptions(**form_of(reading)):
            only = "--from prints a book of the people in its table"
            raise UsageError(f"{only}; drop the other arguments")
        say(named.book_of_people(people, **form_of(reading)).rstrip("\n"))
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


def sample(
    number: int,
    output: Path,
    answered: dict[str, Any],
    purpose: Literal["audit", "train"] = "audit",
    documents: bool = False,
    seed: int = 20,
    force: bool = False,
) -> None:
    """Draw a sample of answers to label."""
    from stance.findings import Request, write_sample
    from stance.findings.audit import design_path
    from stance.screens import sample_lines

    request = Request(**answered)
    files.refuse_outputs(force, request.paths, output=output, design=design_path(output))
    drawn = write_sample(
        request, output, number, seed=seed, whole=documents, purpose=purpose, force=force
    )
    beside = f"wrote {design_path(output)}; keep it beside the labels, unseen by coders"
    first = "" if drawn["texts"] else "add the texts as a column 'text', then "
    wrote = f"wrote {output}; {first}label it with: stance label {output} --coder NAME"
    tell(*drawn["notes"], *sample_lines(drawn), beside, wrote)


def shares(
    answered: dict[str, Any],
    output: Path | None = None,
    surrogate: list[str] | None = None,
    differences: Path | None = None,
    pairs: bool = False,
    excel_safe: bool = False,
    as_json: bool = False,
    force: bool = False,
    **audited: Any,
) -> None:
    """Count stances, correct them by a sample, compare groups."""
    from stance import findings
    from stance.files import AtomicGroup
    from stance.screens import pair_lines, share_lines

    request = findings.Request(**answered, **audited, surrogates=surrogate or ())
    if pairs and (differences or request.by or request.over):
        raise UsageError("--pairs counts holders in all rows; drop --differences, --by and --over")
    read = [*request.paths, request.audit]
    files.refuse_outputs(force, read, output=output, differences=differences)
    if output and output.suffix.lower() == ".graphml" and not pairs:
        raise UsageError(f"{output}: a graph holds who judges whom; add --pairs")
    if output and ".graphml." in output.name.lower():
        raise UsageError(f"{output}: graphs are not compressed; name it {output.with_suffix('')}")
    how = {"force": force, "excel_safe": excel_safe}
    study = findings.read_study(request)
    edges = findings.find_pairs(study) if pairs else None
    if edges and (output or as_json):
        edges = findings.read_evidence(edges)
    figures, notices = (edges or study).to_json(), list[str]()
    tell(*(edges or study).notes)
    with AtomicGroup() as together:
        for path, name in ((output, "pairs" if pairs else "shares"), (differences, "differences")):
            if path:
                notices.append(findings.write_numbers(path, figures[name], name, together, **how))
    tell(*notices)
    show(figures, lambda: pair_lines(edges.shares) if edges else share_lines(figures), as_json)


def report(
    answered: dict[str, Any],
    loading: dict[str, Any],
    output: Path | None = None,
    title: str | None = None,
    figures: Path | None = None,
    pdf: bool = False,
    excel_safe: bool = False,
    force: bool = False,
    **audited: Any,
) -> None:
    """Summarise answers on one page."""
    from stance.findings import Request
    from stance.reports.answers import Models
    from stance.reports.predictions import write_predictions

    request = Request(**answered, **audited)
    if output is None and len(request.paths) > 1:
        raise UsageError(f"{request.name}: several tables make one page; name it with --output")
    if pdf and figures is None:
        raise UsageError("--pdf is about figures; add --figures DIR")
    if str(figures) == "-":
        raise UsageError("-: figures cannot go to standard output; name a folder")
    output = output or files.beside(request.paths[0], ".html")
    read = [*request.paths, loading["model"], loading["actors"], request.audit]
    files.refuse_outputs(force, read, output=output)
    files.refuse_page(output)
    models = Models(loading["model"], lambda path: files.open_model(**loading | {"model": path}))
    notices = write_predictions(
        request, output, models,
        title=title, folder=figures, pdf=pdf, force=force, excel_safe=excel_safe,
    )  # fmt: skip
    tell(*notices)
