"""Commands that make and judge models: train, evaluate, inspect."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stance.cli.options import (
    ActorsFile,
    AsJson,
    Delimiter,
    Encoding,
    Force,
    Jobs,
    ModelFile,
    open_model,
    refuse_output,
    refuse_stdin,
)
from stance.cli.screen import tell
from stance.errors import UsageError

if TYPE_CHECKING:
    from stance.corpus import Corpus
    from stance.evaluation.answers import Figures
    from stance.model.judging import StanceModel


def train(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="MODEL", help="Model file to write.")
    ],
    corpora: Annotated[
        list[Path] | None, typer.Argument(metavar="CORPUS", help="Labelled tables.")
    ] = None,
    recipe: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Recipe (TOML) of the model.")
    ] = None,
    actors: ActorsFile = None,
    seed: Annotated[
        int | None,
        typer.Option(metavar="N", help="Seed in place of the recipe's.", min=0, max=2**31 - 1),
    ] = None,
    jobs: Jobs = 1,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    as_json: AsJson = False,
    force: Force = False,
) -> None:
    """Train a model on labelled tables, or on the bundled starter corpus; cross-validate it."""
    from stance.fitting.training import train_files

    refuse_stdin(corpora or [])
    refuse_output(output, force, [*(corpora or []), recipe, actors])
    form = {"delimiter": delimiter, "encoding": encoding}
    training = train_files(
        corpora or [], output, recipe, actors, seed=seed, jobs=jobs, force=force, tell=tell, **form
    )
    if as_json:
        typer.echo(json.dumps(training.to_json()))
        return
    typer.echo("Cross-validation by document (each row scored by a model that has not seen it):\n")
    typer.echo("\n".join(training.summary_lines()))
    tell(f"wrote {output}")


def evaluate(
    corpora: Annotated[
        list[Path] | None, typer.Argument(metavar="CORPUS", help="Labelled tables.")
    ] = None,
    model: ModelFile = None,
    as_json: AsJson = False,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="HTML report to write.")
    ] = None,
    errors: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Table of wrong answers to write.")
    ] = None,
    compare: Annotated[
        Path | None, typer.Option(metavar="MODEL", help="Second model, to compare with the first.")
    ] = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    force: Force = False,
    stress: Annotated[
        bool,
        typer.Option("--stress", help="Test how answers change with the text; needs no CORPUS."),
    ] = False,
) -> None:
    """Score a model on labelled tables, with intervals and beside its baselines."""
    from stance.defaults import default_model
    from stance.evaluation.assessment import evaluate as score
    from stance.screens.checks import stress_lines
    from stance.stress import run_suite

    refuse_stdin(corpora or [])
    _refuse_models(corpora or [])
    form = {"delimiter": delimiter, "encoding": encoding}
    if compare is not None:
        alone = not (report or errors or stress)
        _compare(corpora or [], model, compare, form, as_json=as_json, alone=alone)
        return
    if not corpora and (not stress or report or errors):
        raise UsageError("no CORPUS to evaluate on; name a labelled table, or give only --stress")
    _refuse_outputs(report, errors, force, [*(corpora or []), model])
    path = model or default_model(tell)
    loaded = open_model(path)
    suite = run_suite(loaded) if stress else None
    figures = {"stress": suite.to_json()} if suite else {}
    lines = stress_lines(suite.to_json()) if suite else []
    if corpora:
        corpus = _read(corpora, form)
        result = score(loaded, corpus)
        figures = result.to_json() | figures
        lines = [*result.summary_lines(), *([""] if suite else []), *lines]
        _write(report, errors, loaded, corpus, figures, path, force)
    typer.echo(json.dumps(figures) if as_json else "\n".join(lines))
    if suite and suite.hard_failures:
        tell("this model breaks what must always hold (--stress); do not use it")
        raise typer.Exit(1)


def _read(corpora: list[Path], form: Mapping[str, str | None]) -> "Corpus":
    """Read labelled tables, and tell what is odd about them."""
    from stance.corpus import read_corpus

    corpus = read_corpus(corpora, **form)
    for note in corpus.notes:
        tell(note)
    return corpus


def _refuse_outputs(
    report: Path | None, errors: Path | None, force: bool, inputs: list[Path | None]
) -> None:
    if report is not None and report == errors:
        raise UsageError(f"{report}: is both --report and --errors; give each a file of its own")
    refuse_output(report, force, [*inputs, errors])
    refuse_output(errors, force, inputs)


def _write(
    report: Path | None,
    errors: Path | None,
    model: "StanceModel",
    corpus: "Corpus",
    figures: "Figures",
    path: Path,
    force: bool,
) -> None:
    """Write the table of wrong answers and the page of an evaluation, where they are asked for."""
    from stance.evaluation.mistakes import write_mistakes
    from stance.reports.evaluation import write_evaluation
    from stance.reports.examples import worst_mistakes

    if errors is not None:
        tell(write_mistakes(model, corpus, errors, force=force))
    if report is not None:
        worst = worst_mistakes(model, corpus)
        write_evaluation(
            report, figures, model.card, corpus.sources, worst, model=path, force=force
        )
        tell(f"wrote {report}")


def _refuse_models(corpora: list[Path]) -> None:
    """Raise where a model stands in the place of a labelled table."""
    for path in corpora:
        if path.suffix == ".stance":
            raise UsageError(
                f"{path}: is a model, not a labelled table; name it with --model, and a second "
                "one to compare it with by --compare"
            )


def _compare(
    corpora: list[Path],
    model: Path | None,
    other: Path,
    form: Mapping[str, str | None],
    *,
    as_json: bool,
    alone: bool,
) -> None:
    from stance.evaluation.assessment import compare_models

    if not alone:
        raise UsageError("--report, --errors and --stress are of one model; leave out --compare")
    if not corpora:
        raise UsageError("no CORPUS to compare the models on; name a labelled table")
    if model is not None and model.resolve() == other.resolve():
        raise UsageError(f"{other}: is compared with itself; name another model")
    first, second, corpus = open_model(model), open_model(other), _read(corpora, form)
    names = (model.name if model else "the default model", other.name)
    found = compare_models(first, second, corpus, names)
    typer.echo(json.dumps(found.to_json()) if as_json else "\n".join(found.summary_lines()))


def inspect(
    model: Annotated[
        Path | None,
        typer.Argument(metavar="MODEL", help="Model file; the default model without it."),
    ] = None,
    words: Annotated[
        bool,
        typer.Option(
            "--words", help="Show the strongest words per class, and what the actor's name adds."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show a model's card: data, versions, scores, limits; or the words it has learned."""
    from stance.defaults import default_model
    from stance.screens.model import card_lines
    from stance.storage import read_manifest

    if words:
        _show_words(model, as_json)
        return
    manifest = read_manifest(model or default_model(tell))
    typer.echo(json.dumps(manifest) if as_json else "\n".join(card_lines(manifest)))


def _show_words(model: Path | None, as_json: bool) -> None:
    import dataclasses

    from stance.model.explanation import learned
    from stance.screens.model import learned_lines

    found = learned(open_model(model))
    lines = learned_lines(found)
    typer.echo(json.dumps(dataclasses.asdict(found)) if as_json else "\n".join(lines))
