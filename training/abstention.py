"""Whether `predict --abstain RATE` keeps its promise on documents that a model has not seen.

Usage: python training/abstention.py CORPUS... [--documents 1000] [--splits 50] [--recipe FILE]

Draws so many documents of a corpus, or two of three where it has fewer, trains on them, withholds
answers to all others at several rates, and counts how often more of the answers given were wrong
than the rate: of all, and of some class. A class of a few held-out answers is above the rate by
chance more often than its calibration is at fault.
"""

import argparse
import dataclasses
from pathlib import Path

import numpy as np

from stance.actors import ActorBook
from stance.batch.abstention import thresholds
from stance.corpus import Corpus, read_corpus
from stance.errors import AbstentionError
from stance.fitting import train
from stance.recipe import Recipe, read_recipe
from stance.records import Stance

RATES = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4)
"""Rates that are asked for."""

BATCH = 1000
"""Rows that are judged at a time."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What was given at a rate to held-out rows: share, share wrong of it, and of each class."""

    given: float
    wrong: float
    classes: tuple[float, ...]


def outcomes(recipe: Recipe, corpus: Corpus, learned: np.ndarray) -> dict[float, Outcome]:
    """Train on some documents; return by rate what is given to the others, refusals left out."""
    inside = np.isin(corpus.document, learned)
    model = train(recipe, corpus.take(np.flatnonzero(inside)), ActorBook.default()).model
    rest = corpus.take(np.flatnonzero(~inside))
    parts = [slice(low, low + BATCH) for low in range(0, len(rest), BATCH)]
    judged = [model.judge_pairs(rest.texts[p], rest.actors[p], rest.spans[p]) for p in parts]
    stance = np.concatenate([part.stance for part in judged])
    sure = np.concatenate(
        [part.known & (part.mentions > 0) & ~part.foreign[part.para] for part in judged]
    )
    answer, confidence = stance.argmax(axis=1), stance.max(axis=1)
    found = {}
    for rate in RATES:
        try:
            limits = np.array(thresholds(model.calibration, rate))
        except AbstentionError:
            continue
        given = sure & (confidence >= limits[answer])
        wrong = answer != rest.stance
        classes = [given & (answer == label) for label in range(len(Stance))]
        by_class = tuple(float(wrong[rows].mean()) for rows in classes if rows.any())
        if given.any():
            found[rate] = Outcome(float(given.mean()), float(wrong[given].mean()), by_class)
    return found


def table(recipe: Recipe, path: Path, wanted: int, splits: int) -> list[str]:
    """Return a line per rate."""
    corpus = read_corpus([path])
    documents = np.unique(corpus.document)
    size = min(wanted, len(documents) * 2 // 3)
    found = [
        outcomes(recipe, corpus, np.random.default_rng(seed).permutation(documents)[:size])
        for seed in range(splits)
    ]
    lines = []
    for rate in RATES:
        own = [each[rate] for each in found if rate in each]
        cells = [path.stem, f"{size:,}", f"{100 * rate:.0f}", f"{splits - len(own)}"]
        if own:
            cells += [f"{100 * np.mean([each.given for each in own]):.0f}"]
            cells += [f"{100 * np.mean([each.wrong for each in own]):.1f}"]
            cells += [f"{sum(each.wrong > rate for each in own)}"]
            cells += [f"{sum(max(each.classes) > rate for each in own)}"]
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
