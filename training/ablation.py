"""What each feature block adds: grouped cross-validation of the default recipe, block by block.

Usage: python training/ablation.py CORPUS... [--recipe FILE] [--bare] [--folds 5] [--seeds 20 21 22]

Prints, per corpus, macro-F1 (mean over seeds of the folds) of the majority label, of target-blind
word TF-IDF, of the blocks added one after the other, and of the full recipe without each block;
then accuracy on conflict rows and ECE of the full recipe beside target-blind. ``--bare`` takes
away the lexicon of the recipe's language, and the English book for its own.
"""

import argparse
import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from stance.corpus import Corpus, read_corpus
from stance.evaluation.answers import Answers
from stance.evaluation.scores import conflict_rows, score
from stance.fitting.counts import count_features
from stance.fitting.learning import HeldOut, Task, assign_folds, class_weights, cross_validate
from stance.reading.actors import ActorBook
from stance.reading.keys import linked_groups
from stance.reading.lexicon import Lexicon
from stance.reading.spans import make_query
from stance.reading.words import Reader
from stance.recipe import CONTROL, Classifier, Features, HeadRecipe, Recipe, read_recipe
from stance.records import Stance


class Bench:
    """A corpus with its features counted once."""

    def __init__(self, path: Path, recipe: Recipe, seeds: list[int], bare: bool = False) -> None:
        self.corpus: Corpus = read_corpus([path])
        self.recipe, self.seeds = recipe, seeds
        language = recipe.language
        book = ActorBook.default("english" if bare else language)
        lexicon = Lexicon.from_tables({}, language) if bare else Lexicon.default(language)
        reader = Reader(book, lexicon, language)
        corpus = self.corpus
        query = make_query(book, corpus.texts, corpus.actors, corpus.spans, corpus.months)
        self.counts, _ = count_features(reader, query, recipe.features)
        self.counts |= count_features(reader, query, CONTROL.features, targeted=False)[0]
        share = np.ones(len(corpus.sources))
        self.weight = class_weights(corpus.stance, corpus.source, share, Classifier())

    def held(self, blocks: Mapping[str, float], seed: int) -> HeldOut:
        """Return held-out answers of a head with these blocks."""
        features = Features(blocks, self.recipe.features.min_df)
        task = Task(
            counts=self.counts,
            recipe=HeadRecipe(features, self.recipe.classifier),
            labels=tuple(Stance),
            targeted="word" not in blocks,
            y=self.corpus.stance,
            group=self.corpus.document,
            weight=self.weight,
        )
        fold = assign_folds(task.y, task.group, self.recipe.validation.folds, seed)
        return cross_validate(task, fold, seed)

    def figures(self, blocks: Mapping[str, float]) -> tuple[float, float, float, float]:
        """Return means over seeds: macro-F1, its spread, accuracy on conflict rows, ECE."""
        found = []
        corpus = self.corpus
        conflict = conflict_rows(linked_groups([corpus.marks.exact]), corpus.stance)
        for seed in self.seeds:
            held = self.held(blocks, seed)
            answers = Answers(tuple(Stance), corpus.stance, held.probabilities, corpus.document)
            scored = score(answers)
            right = held.probabilities.argmax(axis=1) == corpus.stance
            accuracy = right[conflict].mean() if conflict.any() else np.nan
            found.append((scored["macro_f1"], accuracy, scored["ece"]))
        f1, accuracy, ece = (100 * np.array(column) for column in zip(*found, strict=True))
        return f1.mean(), f1.std(), accuracy.mean(), ece.mean()


def main() -> None:
    """Print one table per corpus."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpora", nargs="+", type=Path)
    parser.add_argument("--recipe", type=Path)
    parser.add_argument("--bare", action="store_true")
    parser.add_argument("--folds", type=int)
    parser.add_argument("--seeds", nargs="+", type=int, default=[20, 21, 22])
    options = parser.parse_args()
    recipe = read_recipe(options.recipe)
    if options.folds:
        validation = dataclasses.replace(recipe.validation, folds=options.folds)
        recipe = dataclasses.replace(recipe, validation=validation)
    for path in options.corpora:
        print_table(Bench(path, recipe, options.seeds, options.bare), path.name)


def print_table(bench: Bench, name: str) -> None:
    """Print the table of one corpus."""
    stance = bench.corpus.stance
    share = np.bincount(stance).max() / len(stance)
    majority = 100 * (2 * share / (1 + share)) / 3
    print(f"\n{name}: {len(stance):,} rows, majority macro-F1 {majority:.1f}")
    print(f"{'blocks':<28}{'macro-F1':>10}{'spread':>8}{'conflict':>10}{'ECE':>7}")
    blocks = bench.recipe.features.blocks
    rows: list[tuple[str, Mapping[str, float]]] = [("target-blind words", {"word": 1.0})]
    for number, block in enumerate(blocks, 1):
        rows.append((f"+ {block}", dict(list(blocks.items())[:number])))
    for block in blocks:
        rows.append((f"all but {block}", {k: v for k, v in blocks.items() if k != block}))
    for label, chosen in rows:
        f1, spread, conflict, ece = bench.figures(chosen)
        print(f"{label:<28}{f1:>10.1f}{spread:>8.2f}{conflict:>10.1f}{ece:>7.1f}", flush=True)


if __name__ == "__main__":
    main()
