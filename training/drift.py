"""How often `predict` notices that an input is of another genre, and how often it is mistaken.

Usage: python training/drift.py CORPUS... [--documents 30] [--draws 200]

Trains `fast.toml` on half of the documents of each corpus and draws so many documents, many times,
from the other half and from every other corpus.  Prints in what share of the draws a note on
wording is given: from the other half each is a false alarm.  A corpus with a column `source` is
drawn from by source, too.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from stance.arrays import Ints
from stance.corpus import Corpus, read_corpus
from stance.fitting import train
from stance.model.judging import StanceModel
from stance.reading.actors import ActorBook
from stance.recipe import read_recipe
from stance.runs.answers import Tally
from stance.runs.notes import drift_notes

RECIPE = Path(__file__).parent / "fast.toml"


def alarms(model: StanceModel, corpus: Corpus, documents: int, draws: int) -> float:
    """Return the share of draws of documents, in percent, whose wording is noted."""
    generator, found = np.random.default_rng(0), 0
    _, first = np.unique(corpus.marks.exact, return_index=True)
    corpus = corpus.take(np.sort(first))
    names = np.unique(corpus.document)
    for _ in range(draws):
        drawn = generator.choice(names, min(documents, len(names)), replace=False)
        rows = np.flatnonzero(np.isin(corpus.document, drawn))
        tally = Tally()
        for _, judged in model.judge_many([corpus.texts[row] for row in rows]):
            tally.compare(judged, model.reference)
        found += any("wording" in line for line in drift_notes(model, tally))
    return 100 * found / draws


def parts(corpus: Corpus, name: str) -> Iterator[tuple[str, Corpus]]:
    """Yield a corpus and its larger sources, by name."""
    yield name, corpus
    source = np.array(corpus.extra.get("source", [""] * len(corpus)))
    for each, rows in zip(*np.unique(source, return_counts=True), strict=True):
        if each and rows >= 1000:
            yield f"{name}, {each}", corpus.take(np.flatnonzero(source == each))


def main() -> None:
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("corpora", nargs="+", type=Path)
    parser.add_argument("--documents", type=int, default=30)
    parser.add_argument("--draws", type=int, default=200)
    options = parser.parse_args()
    recipe = read_recipe(RECIPE).validated_once()
    recipe = replace(recipe, validation=replace(recipe.validation, folds=2))
    corpora = {path.stem: read_corpus([path]) for path in options.corpora}
    print("| learned from half of | draws from | noted, % |\n|---|---|---|")
    for name, corpus in corpora.items():
        documents: Ints = np.random.default_rng(0).permutation(np.unique(corpus.document))
        half = np.isin(corpus.document, documents[: len(documents) // 2])
        learned, rest = (corpus.take(np.flatnonzero(each)) for each in (half, ~half))
        model = train(recipe, learned, ActorBook.default()).model
        others = [
            part for other, own in corpora.items() if other != name for part in parts(own, other)
        ]
        for other, drawn in [("its other half", rest), *others]:
            share = alarms(model, drawn, options.documents, options.draws)
            print(f"| {name} | {other} | {share:.0f} |", flush=True)


if __name__ == "__main__":
    main()
