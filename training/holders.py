"""Whose stance it is, in sources that the holder head was not trained on.

Usage: python training/holders.py CORPUS [--recipe RECIPE]

The corpus has columns holder and source.  Prints, for each source when the head has learned from
the others, how often author, actor or other is right with its 95 % interval, beside always giving
the most frequent of the three; and how often the name of the actor is right as well.
"""

import argparse
from pathlib import Path

import numpy as np

from stance.corpus import holder_kinds, holder_rows, read_corpus
from stance.evaluation.comparison import holder_score
from stance.fitting.counts import count_features
from stance.fitting.learning import Task, class_weights, fit_head, score_rows
from stance.model.holders import name_held
from stance.reading.actors import ActorBook
from stance.reading.lexicon import Lexicon
from stance.reading.spans import make_query
from stance.reading.words import Reader
from stance.recipe import HeadRecipe, read_recipe
from stance.records import Holder


def main() -> None:
    """Leave out each source in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--recipe", type=Path)
    options = parser.parse_args()
    recipe, corpus = read_recipe(options.recipe), read_corpus([options.corpus])
    corpus = corpus.take(holder_rows(corpus))
    reader = Reader(ActorBook.default(), Lexicon.default(recipe.language), recipe.language)
    query = make_query(reader.book, corpus.texts, corpus.actors, corpus.spans, corpus.months)
    head = HeadRecipe(recipe.holder_features, recipe.holder_classifier)
    counts, y = count_features(reader, query, head.features), holder_kinds(corpus)
    weight = class_weights(y, corpus.source, np.ones(1), head.classifier.balanced)
    task = Task(counts, head, tuple(Holder), True, y, corpus.document, weight)
    names, source = np.unique(corpus.extra["source"], return_inverse=True)
    kinds = np.zeros(len(y), np.int64)
    for number in range(len(names)):
        learned = fit_head(task, np.flatnonzero(source != number), recipe.validation.seed)
        rows = np.flatnonzero(source == number)
        kinds[rows] = score_rows(learned, counts, rows).argmax(axis=1)
    found = np.array(name_held(reader, query, kinds), object)
    print("| tested on | n | right | 95 % interval | most frequent | name right |")
    print("|---|---|---|---|---|---|")
    for number, name in enumerate([*names.tolist(), "all"]):
        rows = np.flatnonzero((source == number) | (name == "all"))
        part = holder_score(corpus.take(rows), reader.book, found[rows].tolist())
        low, high = part["interval"]
        print(
            f"| {name} | {part['n']:,} | {100 * part['accuracy']:.1f} | "
            f"[{100 * low:.1f}, {100 * high:.1f}] | {100 * part['majority']:.1f} | "
            f"{100 * part['exact']:.1f} |"
        )


if __name__ == "__main__":
    main()
