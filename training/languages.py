"""Which paragraphs a model takes for another language than its own, as in training/README.md.

Usage: python training/languages.py --recipe training/mixture.toml CORPUS... [--foreign TABLE]

Trains on four of five parts of the corpora, cut by document, and asks of each paragraph of the
fifth part whether it is foreign: as it stands, in other letters, and cut after seven words.
A foreign paragraph there is a false alarm, if it is not printed for being what it was taken for.
With a table of columns `text` and `language`, prints the share that a model of all corpora notices
of each language, the worst first.
"""

import argparse
import csv
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from stance.corpus import Corpus, read_corpus
from stance.display import shown
from stance.fitting import train
from stance.model.judging import StanceModel
from stance.reading.actors import ActorBook
from stance.recipe import Recipe, read_recipe

FOLDS, SEED = 5, 0
WORST = 15
"""Languages that are printed."""

FORMS: Mapping[str, Callable[[str], str]] = {
    "as they stand": str,
    "in capitals": str.upper,
    "in small letters": str.lower,
    "as headlines": str.title,
    "their first seven words": lambda text: " ".join(text.split()[:7]),
}


def false_alarms(recipe: Recipe, corpus: Corpus) -> None:
    """Print how many held-out paragraphs are taken for foreign, and those as they stand."""
    _, document = np.unique(corpus.document, return_inverse=True)
    fold = np.random.default_rng(SEED).integers(0, FOLDS, document.max() + 1)[document]
    hits: dict[str, list[str]] = defaultdict(list)
    total = 0
    for number in range(FOLDS):
        model = fitted(recipe, corpus.take(np.flatnonzero(fold != number)))
        held = corpus.take(np.flatnonzero(fold == number))
        texts = list(dict.fromkeys(held.texts))
        total += len(texts)
        for name, change in FORMS.items():
            foreign = model.judge([change(text) for text in texts]).foreign
            hits[name] += [texts[at] for at in np.flatnonzero(foreign)]
    for name in FORMS:
        print(f"{name:<25}{len(hits[name]):>5} of {total:,} ({len(hits[name]) / total:.3%})")
    for text in hits["as they stand"]:
        print(f"  {shown(text, 90)}")


def fitted(recipe: Recipe, corpus: Corpus) -> StanceModel:
    """Return a model of a corpus."""
    return train(recipe, corpus, ActorBook.default(recipe.language)).model


def noticed(model: StanceModel, table: Path) -> None:
    """Print the share of paragraphs of enough words that are noticed, by language."""
    texts = defaultdict(list)
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            texts[row["language"]].append(row["text"])
    found = {}
    for language, paragraphs in texts.items():
        judged = model.judge(paragraphs)
        enough = judged.acquaintance.long_enough()
        if enough.any():
            found[language] = (int(judged.foreign[enough].sum()), int(enough.sum()))
    caught, asked = np.sum(list(found.values()), axis=0)
    print(f"\nnoticed: {caught:,} of {asked:,} ({caught / asked:.2%}), {len(found)} languages")
    for language in sorted(found, key=lambda name: found[name][0] / found[name][1])[:WORST]:
        print(f"  {shown(language, 40):<42}{found[language][0]:>5} of {found[language][1]}")


def main() -> None:
    """Count false alarms and, where there is a table, what is noticed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpora", nargs="+", type=Path)
    parser.add_argument("--recipe", type=Path, required=True)
    parser.add_argument("--foreign", type=Path)
    options = parser.parse_args()
    recipe, corpus = read_recipe(options.recipe).validated_once(), read_corpus(options.corpora)
    false_alarms(recipe, corpus)
    if options.foreign:
        noticed(fitted(recipe, corpus), options.foreign)


if __name__ == "__main__":
    main()
