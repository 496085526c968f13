"""Commands on models and what is installed: train, evaluate, inspect, doctor."""

import re
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import typer

from stance.cli import _files as files
from stance.cli._options import reads
from stance.cli._terminal import Progress, show, tell
from stance.display import shown_path
from stance.errors import DISTRIBUTION, EXTRAS, ModelError, StanceError, UsageError
from stance.screens import facts

if TYPE_CHECKING:
    from stance.corpus import Corpus, CorpusForm
    from stance.evaluation.answers import Figures
    from stance.model import StanceModel


@reads(form=files.labels_of)
def train(
    output: Path,
    corpora: list[Path] | None = None,
    recipe: Path | None = None,
    actors: Path | None = None,
    vectors: Path | None = None,
    lexicon: Path | None = None,
    seed: int | None = None,
    deep: bool = False,
    jobs: int = 1,
    as_json: bool = False,
    force: bool = False,
    *,
    form: "CorpusForm",
) -> None:
    """Train a model on labelled tables, and cross-validate it."""
    from stance.fitting import train_files
    from stance.screens.models import evaluation_lines

    read = [*(corpora or []), recipe, actors, vectors, lexicon]
    files.refuse_outputs(force, read, output=output)
    with Progress() as shown:
        training = train_files(
            corpora or [], output, recipe, actors, vectors, lexicon,
            seed=seed, deep=deep, jobs=jobs, force=force, tell=shown.note, **form,
        )  # fmt: skip
    title = "Cross-validation by document (each row scored by a model that has not seen it):"
    scores = training.report.to_json()
    show(scores, lambda: [title, "", *evaluation_lines(scores)], as_json)
    if not as_json:
        tell(f"wrote {output}")


@reads(form=files.labels_of)
def evaluate(
    corpora: list[Path] | None = None,
    model: Path | None = None,
    as_json: bool = False,
    report: Path | None = None,
    errors: Path | None = None,
    deep: Literal["all", "unsure"] | None = None,
    force: bool = False,
    stress: bool = False,
    *,
    form: "CorpusForm",
) -> None:
    """Score a model on labelled tables, beside its baselines."""
    from stance.corpus import read_corpus
    from stance.evaluation import evaluate as score
    from stance.evaluation import run_suite
    from stance.screens import stacked
    from stance.screens.models import evaluation_lines, stress_lines
    from stance.storage import model_file

    if not corpora and (not stress or report or errors):
        raise UsageError("no CORPUS to evaluate on; name a labelled table, or give only --stress")
    path = model_file(model)
    files.refuse_outputs(force, [*(corpora or []), model], report=report, errors=errors)
    loaded = files.open_model(path, deep=deep, model=model)
    figures = dict[str, Any]()
    parts = list[Callable[[], list[str]]]()
    if corpora:
        corpus = read_corpus(corpora, **form)
        tell(*corpus.notes)
        figures |= score(loaded, corpus).to_json()
        parts.append(lambda: evaluation_lines(figures))
        if report or errors:
            _write(report, errors, loaded, corpus, figures, path, force)
    if stress:
        figures["stress"] = run_suite(loaded)
        parts.append(lambda: stress_lines(figures["stress"]))
    show(figures, lambda: stacked(part() for part in parts), as_json)


def _write(
    report: Path | None,
    errors: Path | None,
    model: "StanceModel",
    corpus: "Corpus",
    figures: "Figures",
    path: Path,
    force: bool,
) -> None:
    """Write the table of wrong answers and the page of an evaluation, if asked for."""
    from stance.evaluation import write_mistakes
    from stance.files import AtomicGroup
    from stance.reports import evaluation_page
    from stance.storage import model_hash

    notes = []
    with AtomicGroup() as together:
        if errors is not None:
            notes.append(write_mistakes(model, corpus, errors, together, force=force))
        if report is not None:
            file = path.name, model_hash(path)
            page = evaluation_page(figures, model.card, corpus.sources, file)
            together.write(report, page, force=force)
            notes.append(f"wrote {report}")
    tell(*notes)


def inspect(model: Path | None = None, as_json: bool = False) -> None:
    """Show the card of a model."""
    from stance.screens.models import card_facts
    from stance.storage import model_file, read_manifest

    path = model_file(model)
    manifest = read_manifest(path)
    try:
        show(manifest, lambda: facts(card_facts(manifest), 10), as_json)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        why = "its card is not as `stance train` writes it; train a new model"
        raise ModelError(f"{shown_path(path)}: {why}") from error


def doctor(as_json: bool = False) -> None:
    """Show what is installed, and what is missing."""
    figures = _installed()
    rows = [
        ("stance", f"{figures['stance']}, in {figures['folder']}"),
        ("Python", f"{figures['python']}, {figures['interpreter']}"),
        ("system", figures["system"]),
    ]
    for extra, versions in ({"libraries": figures["libraries"]} | figures["extras"]).items():
        known = ", ".join(f"{name} {number or '-'}" for name, number in versions.items())
        missing = " ".join(name for name, number in versions.items() if number is None)
        rows.append((extra, f"{known}; to add it: pip install {missing}" if missing else known))
    rows += [*(figures["model"] or {}).items(), *(("fault", fault) for fault in figures["faults"])]
    rows += [] if figures["faults"] else [("", "nothing is missing that stance needs")]
    show(figures, lambda: facts(rows, 11), as_json)
    if figures["faults"]:
        raise typer.Exit(1)


def _installed() -> dict[str, Any]:
    """Return what is installed and what is wrong with it, fit for JSON."""
    import platform
    from importlib import metadata

    from stance import __version__

    try:
        wanted = [line for line in metadata.requires(DISTRIBUTION) or () if "extra" not in line]
        faults = []
    except metadata.PackageNotFoundError:
        wanted = []
        faults = ["stance runs from a folder and is not installed; run pip install . there"]
    libraries = {name: _version(name) for name in (re.split(r"[^\w.-]", w)[0] for w in wanted)}
    missing = [name for name, number in libraries.items() if number is None]
    faults += [f"{name} is not installed; pip install {name}" for name in missing]
    model: dict[str, str] | None = None
    try:
        if not missing:
            from stance.storage import bundled_model, load_model, model_hash

            path = bundled_model()
            load_model(path)
            model = {"file": str(path), "sha256": model_hash(path)}
    except StanceError as error:
        faults.append(f"{error}; install stance again")
    return {
        "stance": __version__,
        "folder": str(Path(__file__).parents[1]),
        "python": platform.python_version(),
        "interpreter": sys.executable,
        "system": platform.platform(),
        "libraries": libraries,
        "extras": {one: {n: _version(n) for n in names.split()} for one, names in EXTRAS.items()},
        "model": model,
        "faults": faults,
    }


def _version(name: str) -> str | None:
    """Return the version of a library, None if it is not installed."""
    from importlib.metadata import version

    with suppress(ImportError):
        return version(name)
    return None
