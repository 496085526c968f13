"""Whether `predict --abstain RATE` keeps its promise on documents that a model has not seen.

Usage: python training/abstention.py CORPUS... [--documents 1000] [--splits 50] [--recipe FILE]

Draws so many documents of a corpus, or two of three where it has fewer, trains on them, and finds
at which confidence answers are given at several rates. The answers to all other documents, of all
draws together, tell how many of those given are wrong: counted in one draw alone, a class of a few
dozen answers would be above the rate by chance. Prints a Markdown table: in how many draws the rate
is refused, the share of rows given an answer and of them wrong, in the mean of the draws, and in
how many draws more are wrong than the rate, of all and of some class.
"""

import argparse
import dataclasses
from contextlib import suppress
from pathlib import Path

import numpy as np

from stance.corpus import Corpus, read_corpus
from stance.errors import AbstentionError
from stance.fitting import train
from stance.model.abstention import thresholds
from stance.reading.actors import ActorBook
from stance.recipe import Recipe, read_recipe
from stance.records import Stance

RATES = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4)
"""Rates that are asked for."""


@dataclasses.dataclass(frozen=True)
class Trial:
    """A model of some documents: thresholds by rate, and its answers to the other documents.

    Attributes
    ----------
    limits : dict of float to ndarray of shape (3,)
        Without the rates that are refused.
    answer, confidence, wrong : ndarray of shape (n_rows,)
        Of the rows that get an answer at all.
    rows : int
        Also those that get none.
    """

    limits: dict[float, np.ndarray]
    answer: np.ndarray
    confidence: np.ndarray
    wrong: np.ndarray
    rows: int


def run(recipe: Recipe, corpus: Corpus, learned: np.ndarray) -> Trial:
    """Train on some documents and answer the others."""
    inside = np.isin(corpus.document, learned)
    model = train(recipe, corpus.take(np.flatnonzero(inside)), ActorBook.default()).model
    rest = corpus.take(np.flatnonzero(~inside))
    pairs = rest.texts, rest.actors, rest.spans
    judged = [part for _, part in model.judge_many(*pairs, months=rest.months)]
    stance = np.concatenate([part.stance for part in judged])
    sure = np.concatenate([~part.withheld for part in judged])
    limits = {}
    for rate in RATES:
        with suppress(AbstentionError):
            limits[rate] = np.array(thresholds(model.calibration, rate))
    answer = stance.argmax(axis=1)
    wrong = answer != rest.stance
    return Trial(limits, answer[sure], stance.max(axis=1)[sure], wrong[sure], len(rest))


def table(recipe: Recipe, path: Path, wanted: int, splits: int) -> list[str]:
    """Return a line per rate."""
    corpus = read_corpus([path])
    documents = np.unique(corpus.document)
    size = min(wanted, len(documents) * 2 // 3)
    trials = [
        run(recipe, corpus, np.random.default_rng(seed).permutation(documents)[:size])
        for seed in range(splits)
    ]
    answer, confidence, wrong = (
        np.concatenate([getattr(trial, name) for trial in trials])
        for name in ("answer", "confidence", "wrong")
    )
    rows, lines = sum(trial.rows for trial in trials), []
    for rate in RATES:
        found = [trial.limits[rate] for trial in trials if rate in trial.limits]
        cells = [path.stem, f"{size:,}", f"{100 * rate:.0f}", f"{splits - len(found)}"]
        shares, errors, classes = [], [], []
        for limits in found:
            given = confidence >= limits[answer]
            own = [given & (answer == label) for label in range(len(Stance))]
            shares.append(given.sum() / rows)
            errors.append(wrong[given].mean())
            classes.append(max(wrong[part].mean() for part in own if part.any()))
        if found:
            cells += [f"{100 * np.mean(shares):.0f}", f"{100 * np.mean(errors):.1f}"]
            cells += [f"{sum(each > rate for each in part)}" for part in (errors, classes)]
        lines.append(f"| {' | '.join([*cells, *[''] * (8 - len(cells))])} |")
    return lines


def main() -> None:
    """Measure and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpora", nargs="+", type=Path)
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--splits", type=int, default=50)
    parser.add_argument("--recipe", type=Path, default=Path(__file__).parent / "fast.toml")
    options = parser.parse_args()
    recipe = read_recipe(options.recipe).validated_once()
    print(
        "| corpus | documents | rate, % | refused | given, % | wrong of them, % | above the rate "
        "| in some class |\n|---|---|---|---|---|---|---|---|"
    )
    for path in options.corpora:
        print("\n".join(table(recipe, path, options.documents, options.splits)), flush=True)


if __name__ == "__main__":
    main()
