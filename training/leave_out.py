"""Leave one collection of news out: train on all else, test on it.

Usage: python training/leave_out.py NEWS.csv OTHER.csv ... --recipe training/mixture.toml
           [--vectors vectors.npz] [--only allsides,economist] [--together] [--save MODEL]
           [--least 1500]

NEWS.csv is a corpus whose column `source` names collections (`training/news.py` makes it). Rows of
other corpora that have such a source are left out with it. With ``--together``, one model is
trained without any of the collections; ``--save`` keeps it for `training/distil.py mix`. Prints,
for each collection of at least so many pairs, macro-F1 when the model has not seen it, beside
target-blind words trained on the same rows, the difference with its 95 % interval (over
documents), ECE, and, among the rows drawn at random (column `drawn`), the true share of each
stance and the share that the model answers; then all of them pooled. Last, again of the rows drawn
at random, how many `predict --abstain RATE` answers and how many of these answers are wrong.
"""

import argparse
import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from stance.arrays import Bools, Floats, Ints
from stance.corpus import Corpus, read_corpus
from stance.errors import DataError
from stance.evaluation import evaluate
from stance.evaluation.scores import Answers, brief_score
from stance.fitting import train
from stance.fitting.counts import Vectors
from stance.model import StanceModel
from stance.model.abstention import thresholds
from stance.reading.actors import ActorBook
from stance.recipe import read_recipe
from stance.records import Stance
from stance.storage import check_model_output, save_model

RATES = (0.05, 0.1, 0.15, 0.2)
"""Shares of wrong answers that are asked for."""

FOLDS = 2
"""Folds for the temperature; the scores come from the collection that is left out."""


def without(corpus: Corpus, tested: Corpus, rows: Ints) -> Corpus:
    """Return some rows of a corpus, without documents that share a text with another corpus."""
    shared = np.unique(corpus.document[corpus.marks.found_in(tested.marks)])
    return corpus.take(rows[~np.isin(corpus.document[rows], shared)])


def shares(stance: Ints, rows: Bools) -> str:
    """Return the share of each stance among some rows, in percent."""
    parts = np.bincount(stance[rows], minlength=len(Stance)) / max(1, rows.sum())
    return " / ".join(f"{100 * share:.1f}" for share in parts)


def abstained(name: str, model: StanceModel, answers: Floats, gold: Ints) -> str:
    """Return how many answers are given at some rates, and how many of those are wrong."""
    cells = [name, f"{len(gold):,}", f"{100 * (answers.argmax(axis=1) != gold).mean():.1f}"]
    for rate in RATES:
        try:
            least = np.array(thresholds(model.calibration, rate))
        except DataError:
            cells.append("refused")
            continue
        given = answers.max(axis=1) >= least[answers.argmax(axis=1)]
        wrong = (answers.argmax(axis=1) != gold)[given].mean()
        cells.append(f"{100 * given.mean():.0f}: {100 * wrong:.1f}")
    return f"| {' | '.join(cells)} |"


def row(name: str, part: Mapping[str, Any]) -> str:
    """Return the beginning of a row of the table."""
    base = part["baselines"]["target_blind"]
    gain, (low, high) = base["difference"]["macro_f1"], base["difference"]["macro_f1_interval"]
    return (
        f"| {name} | {part['n']:,} | {100 * part['macro_f1']:.1f} | {100 * base['macro_f1']:.1f} "
        f"| {100 * gain:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}] | {100 * part['ece']:.1f} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("news", type=Path)
    parser.add_argument("others", nargs="*", type=Path)
    parser.add_argument("--recipe", type=Path, required=True)
    parser.add_argument("--vectors", type=Path)
    parser.add_argument("--only", type=lambda names: names.split(","))
    parser.add_argument("--together", action="store_true")
    parser.add_argument("--save", type=Path)
    parser.add_argument("--least", type=int, default=1500)
    options = parser.parse_args()
    if options.save:
        check_model_output(options.save, force=False)
    recipe = read_recipe(options.recipe)
    recipe = replace(recipe, validation=replace(recipe.validation, folds=FOLDS))
    vectors = Vectors(**np.load(options.vectors)) if options.vectors else None
    corpus = read_corpus([options.news, *options.others])
    with options.news.open(encoding="utf-8", newline="") as file:
        drawn = np.array([cells["drawn"] == "random" for cells in csv.DictReader(file)])
    collection = np.array(corpus.extra["source"])
    sizes = Counter(collection[corpus.source == 0].tolist())
    names = options.only or [name for name, size in sizes.items() if size >= options.least]
    print("| left out | n | macro-F1 | blind | difference | ECE | true share | answered |")
    print("|---|---|---|---|---|---|---|---|")
    kept: list[str] = []
    pooled: list[tuple[Corpus, Floats, Floats, Bools]] = []
    model: StanceModel | None = None
    for name in names:
        if model is None or not options.together:
            out = np.isin(collection, names if options.together else name)
            unseen = corpus.take(np.flatnonzero(out & (corpus.source == 0)))
            rest = without(corpus, unseen, np.flatnonzero(~out))
            model = train(recipe, rest, ActorBook.default(), vectors=vectors).model
            if options.save:
                save_model(model, options.save)
        rows = np.flatnonzero((collection == name) & (corpus.source == 0))
        tested = corpus.take(rows)
        figures = evaluate(model, tested)
        pairs, months = (tested.texts, tested.actors, tested.spans), tested.months
        answers = model.probabilities(*pairs, months)
        pooled.append((tested, answers, model.judge_blind(tested.texts, months), drawn[rows]))
        kept.append(abstained(name, model, answers[drawn[rows]], tested.stance[drawn[rows]]))
        true, given = (
            shares(stances, drawn[rows]) for stances in (tested.stance, answers.argmax(axis=1))
        )
        print(f"{row(name, figures)} {true} | {given} |", flush=True)
    gold = np.concatenate([tested.stance for tested, *_ in pooled])
    answers, blind = (np.concatenate([part[i] for part in pooled]) for i in (1, 2))
    random = np.concatenate([part[3] for part in pooled])
    document = np.concatenate([part[0].document for part in pooled])
    scores = [
        brief_score(Answers(tuple(Stance), gold, p, document))["macro_f1"] for p in (answers, blind)
    ]
    print(f"pooled: macro-F1 {100 * scores[0]:.1f}, target-blind {100 * scores[1]:.1f}; ", end="")
    print(f"true {shares(gold, random)}, answered {shares(answers.argmax(axis=1), random)}")
    rates = "".join(f" {100 * rate:.0f} % |" for rate in RATES)
    print(f"\n| left out | drawn | wrong, % |{rates}\n|---|---|---|{'---|' * len(RATES)}")
    print("\n".join(kept))


if __name__ == "__main__":
    main()
