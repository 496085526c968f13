"""Leave one source out: train a recipe on some corpora, test it on the one that is left.

Usage: python training/sources.py --recipe training/mixture.toml CORPUS CORPUS ...

Prints macro-F1 with 95 % intervals (bootstrap over documents), ECE and accuracy on conflict rows
for each corpus when the model has not seen it, beside the majority label and target-blind words
trained on the same rows.  Texts that also stand in the tested corpus, or near-duplicates of them,
are left out of the training rows.
"""

import argparse
from pathlib import Path

import numpy as np

from stance.corpus import Corpus, read_corpus
from stance.evaluation.assessment import evaluate
from stance.fitting import train
from stance.reading.actors import ActorBook
from stance.recipe import read_recipe


def without(corpus: Corpus, tested: Corpus) -> Corpus:
    """Return the corpus without rows whose text, or document, is also in another corpus."""
    shared = corpus.marks.found_in(tested.marks)
    documents = np.unique(corpus.document[shared])
    return corpus.take(np.flatnonzero(~np.isin(corpus.document, documents)))


def main() -> None:
    """Train on all corpora but one, test on that one, for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpora", nargs="+", type=Path)
    parser.add_argument("--recipe", type=Path, required=True)
    options = parser.parse_args()
    recipe, book = read_recipe(options.recipe).validated_once(), ActorBook.default()
    print(f"{'tested on':<20}{'n':>7}{'macro-F1':>10}  {'95 % interval':<15}", end="")
    print(f"{'ECE':>6}{'conflict':>10}{'blind':>8}{'blind conflict':>16}{'majority':>10}")
    for path in options.corpora:
        tested = read_corpus([path])
        rest = without(read_corpus([p for p in options.corpora if p != path]), tested)
        found = evaluate(train(recipe, rest, book).model, tested).to_json()
        low, high = found["macro_f1_interval"]
        base, conflict = found["baselines"], found["conflict"]
        print(
            f"{path.name.split('.')[0]:<20}{found['n']:>7,}{100 * found['macro_f1']:>10.1f}  "
            f"{f'[{100 * low:.1f}, {100 * high:.1f}]':<15}{100 * found['ece']:>6.1f}"
            f"{100 * (conflict['accuracy'] or np.nan):>10.1f}"
            f"{100 * base['target_blind']['macro_f1']:>8.1f}"
            f"{100 * (conflict['target_blind_accuracy'] or np.nan):>16.1f}"
            f"{100 * base['majority']['macro_f1']:>10.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
