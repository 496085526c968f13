"""Check forecasts of what more labels gain against what more labels did gain.

Usage: python training/forecasts.py CORPUS... [--documents 50 100 200] [--draws 20]

Draws so many documents of a corpus, forecasts from them what twice the labels would gain, learns
from twice the documents, and scores both models on all others.  Prints a Markdown table: the mean
gain over the draws, in how many of them the forecast held it, how wide the forecasts were, the
kappa of the last two models of the learning curve, and for each verdict (go on, open, stop) how
often it was given and what twice the labels gained then; what was never told shows a dash.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from stance.corpus import Corpus, read_corpus
from stance.evaluation.answers import document_confusion, macro_f1
from stance.fitting import train
from stance.model.judging import StanceModel
from stance.reading.actors import ActorBook
from stance.recipe import read_recipe


def main() -> None:
    """Print a row for each corpus and number of documents."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpora", nargs="+", type=Path)
    parser.add_argument("--documents", nargs="+", type=int, default=[50, 100, 200])
    parser.add_argument("--draws", type=int, default=20)
    options = parser.parse_args()
    print(
        "| corpus | documents | macro-F1 | twice the labels gained | forecasts | width | held it "
        "| kappa | go on | open | stop |"
    )
    print("|---" * 11 + "|")
    for path in options.corpora:
        corpus = read_corpus([path])
        for documents in options.documents:
            if 3 * documents <= len(np.unique(corpus.document)):
                found = [draw(corpus, documents, number) for number in range(options.draws)]
                print(row(corpus, documents, found), flush=True)


def draw(corpus: Corpus, documents: int, seed: int) -> tuple[float, float, Any, Any]:
    """Return macro-F1 of a model, what twice the documents gain, its forecast and the verdict."""
    order = np.random.default_rng((documents, seed)).permutation(np.unique(corpus.document))
    some, twice, rest = (
        corpus.take(np.flatnonzero(np.isin(corpus.document, part)))
        for part in (order[:documents], order[: 2 * documents], order[2 * documents :])
    )
    recipe, book = read_recipe(), ActorBook.default()
    first = train(recipe, some, book)
    before = score(first.model, rest)
    after = score(train(recipe.validated_once(), twice, book).model, rest)
    curve = first.prospects.learning_curve or {}
    return before, after - before, curve["forecast"], first.prospects.stopping


def score(model: StanceModel, corpus: Corpus) -> float:
    """Return macro-F1 of a model's answers."""
    said = model.probabilities(corpus.texts, corpus.actors, corpus.spans).argmax(axis=1)
    counts = document_confusion(corpus.stance, said, corpus.document, 3)
    return float(macro_f1(counts.sum(axis=0)))


def row(corpus: Corpus, documents: int, found: list[tuple[float, float, Any, Any]]) -> str:
    """Return a row of the table; figures in percentage points."""
    before = float(np.mean([score for score, *_ in found]))
    gain = float(np.mean([more for _, more, *_ in found]))
    ranges = np.array([f["doubled"]["gain"] for _, _, f, _ in found if f is not None])
    told = ("0", "-", "-")
    if len(ranges):
        held = ((ranges[:, 0] <= gain) & (gain <= ranges[:, 1])).sum()
        told = (f"{len(ranges)}", f"{100 * np.diff(ranges).mean():.1f}", f"{held}")
    cells = (corpus.sources[0].name, f"{documents}", f"{100 * before:.1f}", f"{100 * gain:.1f}")
    kappa = float(np.mean([s["kappa"][-1] for *_, s in found]))
    verdicts = (
        f"{len(own)}: {100 * np.mean(own):+.1f}" if own else "-"
        for verdict in ("go on", "open", "stop")
        for own in [[more for _, more, _, s in found if s["verdict"] == verdict]]
    )
    return "| " + " | ".join((*cells, *told, f"{kappa:.3f}", *verdicts)) + " |"


if __name__ == "__main__":
    main()
