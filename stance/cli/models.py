"""Commands on labelled tables, models and what is installed."""

import re
import shlex
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

from stance.cli import _inputs as files
from stance.cli._terminal import Progress, say, show, tell
from stance.display import facts, shown_path, stacked
from stance.errors import DISTRIBUTION, EXTRAS, ModelError, StanceError, UsageError, load_extra
from stance.records import Form

if TYPE_CHECKING:
    from stance.corpus.rows import CorpusForm


# --- Labelled tables ---


def import_(
    kind: str,
    source: Path,
    output: Path,
    names: list[str] | None = None,
    force: bool = False,
    **imported: Any,
) -> None:
    """Convert a data set or a tool's export to a corpus table."""
    from stance.importing import import_corpus, parse_map

    files.refuse_outputs(force, [source] if source.is_file() else [], output=output)
    named = parse_map(",".join(names or ()))
    tell(*import_corpus(kind, source, output, names=named, force=force, **imported))


def label(
    table: Path,
    coder: str | None = None,
    ask: Literal["holder", "sentiment", "holder,sentiment", "sentiment,holder"] | None = None,
    codebook: Path | None = None,
    merge: list[Path] | None = None,
    export: Path | None = None,
    browser: bool = True,
    actors: Path | None = None,
    text_column: str = "text",
    force: bool = False,
    **form: Unpack[Form],
) -> None:
    """Label a table on a local page, and export the labels."""
    from stance import labelling
    from stance.labelling import server
    from stance.labelling.store import Store, read_task
    from stance.records import ADJUDICATED

    if not (coder or merge or export):
        raise UsageError("name who labels with --coder NAME, or use --export FILE")
    asked, book = tuple(ask.split(",")) if ask else (), files.open_book(actors)
    text, path = server.read_codebook(codebook), files.beside(table, ".sqlite")
    coder = labelling.check_coder(coder) if coder else None
    who = "" if export else coder or ""
    for library in ("starlette", "uvicorn") if who else ():
        load_extra(library, "label", "label")
    files.refuse_outputs(force, [table, path, codebook, actors, *(merge or ())], export=export)
    task = read_task(table, text_column=text_column, **form)
    tell(*task.notes)
    with Store(path, create=not export or bool(merge)) as labels:
        labels.check_rows(task)
        tell(*(labels.merge(other, task) for other in merge or ()))
        if export:
            tell(*labelling.export_labels(task, labels.labels(), export, coder=coder, force=force))
        if who == ADJUDICATED:
            asked = asked or labelling.answered(labels.labels())
        if who:
            tell(f"labels are kept in {path}; Ctrl-C ends")
            command = ["stance", "label", str(table), "--export", "labelled.csv"]
            for name, value in {"text-column": text_column, **form}.items():
                command += [f"--{name}", str(value)] * (value not in (None, "text"))
            session = labelling.Session(task, labels, book, who, asked, shlex.join(command))
            server.serve(session, text, say, browser=browser)


def check(
    corpora: list[Path],
    actors: Path | None = None,
    as_json: bool = False,
    **labelled: Unpack["CorpusForm"],
) -> None:
    """Examine a corpus: duplicates, leaks, classes, agreement."""
    from stance.check import check_corpora
    from stance.screens import check_lines

    figures = check_corpora(corpora, book=files.open_book(actors), **labelled)
    show(figures, lambda: check_lines(figures), as_json)
    if figures["spoils"]:
        raise SystemExit(1)


def train(
    output: Path,
    corpora: list[Path] | None = None,
    recipe: Path | None = None,
    actors: Path | None = None,
    lexicon: Path | None = None,
    seed: int | None = None,
    deep: bool = False,
    jobs: int = 1,
    as_json: bool = False,
    force: bool = False,
    **labelled: Unpack["CorpusForm"],
) -> None:
    """Train a model on labelled tables, and cross-validate it."""
    from stance.fitting import train_files
    from stance.screens import evaluation_lines

    files.refuse_outputs(force, [*(corpora or []), recipe, actors, lexicon], output=output)
    with Progress() as shown:
        training = train_files(
            corpora or [], output, recipe, actors, lexicon,
            seed=seed, deep=deep, jobs=jobs, force=force, tell=shown.note, **labelled,
        )  # fmt: skip
    title = "Cross-validation by document (each row scored by a model that has not seen it):"
    scores = training.report
    show(scores, lambda: [title, "", *evaluation_lines(scores)], as_json)
    tell(f"wrote {output}")


def evaluate(
    corpora: list[Path] | None = None,
    model: Path | None = None,
    as_json: bool = False,
    report: Path | None = None,
    errors: Path | None = None,
    deep: Literal["all", "unsure"] | None = None,
    force: bool = False,
    stress: bool = False,
    **labelled: Unpack["CorpusForm"],
) -> None:
    """Score a model on labelled tables, beside its baselines."""
    from stance import evaluation
    from stance.corpus import read_corpus
    from stance.files import AtomicGroup, file_hash
    from stance.screens import evaluation_lines, stress_lines
    from stance.storage import model_file

    if not corpora and (not stress or report or errors):
        raise UsageError("no CORPUS to evaluate on; name a labelled table, or give only --stress")
    path = model_file(model)
    files.refuse_outputs(force, [*(corpora or []), model], report=report, errors=errors)
    files.refuse_page(report)
    loaded = files.open_model(path, deep=deep)
    figures, notes = dict[str, Any](), list[str]()
    suite = evaluation.run_suite(loaded) if stress else None  # which a model may refuse
    with AtomicGroup() as together:
        if corpora:
            corpus = read_corpus(corpora, **labelled)
            tell(*corpus.notes)
            figures |= evaluation.evaluate(loaded, corpus)
        if errors:
            notes.append(evaluation.write_mistakes(loaded, corpus, errors, together, force=force))
        if report:
            from stance.reports import evaluation_page

            file = path.name, file_hash(path)
            page = evaluation_page(figures, loaded.card, corpus.sources, file)
            together.write(report, page, force=force)
            notes.append(f"wrote {report}")
    tell(*notes)
    lines = [evaluation_lines(figures)] if corpora else []
    if suite:
        figures["stress"] = suite
        lines.append(stress_lines(suite))
    show(figures, lambda: stacked(lines), as_json)


# --- Models and libraries ---


def inspect(model: Path | None = None, as_json: bool = False) -> None:
    """Show the card of a model."""
    from stance.screens import card_facts
    from stance.storage import model_file, read_manifest

    path = model_file(model)
    manifest = read_manifest(path)
    try:
        show(manifest, lambda: facts(card_facts(manifest), 10), as_json)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        why = "its card is not as `stance train` writes it; train a new model"
        raise ModelError(f"{shown_path(path)}: {why}") from error


def doctor() -> None:
    """Show what is installed, and what is missing."""
    import platform
    from importlib import metadata

    from stance import __version__, errors, storage
    from stance.files import file_hash

    rows = [
        ("stance", f"{__version__}, in {Path(__file__).parents[1]}"),
        ("Python", f"{platform.python_version()}, {sys.executable}"),
        ("system", platform.platform()),
    ]
    faults = list[str]()
    try:
        needs = [line for line in metadata.requires(DISTRIBUTION) or () if "extra" not in line]
    except metadata.PackageNotFoundError:
        needs = []
        faults.append("stance runs from a folder and is not installed; run pip install . there")
    libraries = " ".join(re.split(r"[^\w.-]", line)[0] for line in needs)
    for group, names in {"libraries": libraries, **EXTRAS}.items():
        versions = dict[str, str | None].fromkeys(names.split())
        for name in versions:
            with suppress(metadata.PackageNotFoundError):
                versions[name] = metadata.version(name)
        known = ", ".join(f"{name} {number or '-'}" for name, number in versions.items())
        if missing := " ".join(name for name, number in versions.items() if not number):
            known += f"; to add it: pip install {missing}"
            faults += [f"{missing} is not installed"] if group == "libraries" else []
        rows.append((group, known))
    try:
        for model in map(storage.bundled_model, storage.BUNDLED):
            storage.load_model(model)
        with suppress(errors.ExtraError):  # the row of its extra says what to install
            storage.load_reader("all")
        model = storage.bundled_model()
        rows += [("file", str(model)), ("sha256", file_hash(model))]
    except StanceError as error:
        faults.append(f"{str(error).partition('; ')[0]}; install stance again")
    rows += [("fault", fault) for fault in faults] or [("", "nothing is missing that stance needs")]
    say("\n".join(facts(rows, 11)))
    if faults:
        raise SystemExit(1)
