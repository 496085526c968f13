"""Check whether `stance train --suspects` finds labels that are wrong.

Usage: python training/suspects.py CORPUS... [--share 0.05] [--seed 20]

Gives some rows of a corpus, drawn at random, another label, trains, and prints how many of the
first 50, 100 and 200 rows listed are among them, beside the share of all rows that were changed.
What is found beside these may be true errors of the corpus.
"""

import argparse
import csv
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from stance.corpus import read_corpus
from stance.evaluation.mistakes import write_suspects
from stance.fitting import train
from stance.reading.actors import ActorBook
from stance.recipe import read_recipe

FIRST = (50, 100, 200)


def main() -> None:
    """Print a row for each corpus."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpora", nargs="+", type=Path)
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=20)
    options = parser.parse_args()
    heads = (f"of the first {first}" for first in FIRST)
    print(f"| corpus | rows | changed | listed | changed ones found | {' | '.join(heads)} |")
    print("|---" * (5 + len(FIRST)) + "|")
    for path in options.corpora:
        print(row(path, options.share, options.seed), flush=True)


def row(path: Path, share: float, seed: int) -> str:
    """Return a row of the table."""
    corpus, rng = read_corpus([path]), np.random.default_rng(seed)
    changed = rng.random(len(corpus)) < share
    stance = np.where(changed, (corpus.stance + rng.integers(1, 3, len(corpus))) % 3, corpus.stance)
    corpus = replace(corpus, stance=stance)
    trained = train(read_recipe().validated_once(), corpus, ActorBook.default())
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "suspects.csv"
        write_suspects(corpus, trained.stance.probabilities, table, force=False)
        with table.open(encoding="utf-8", newline="") as file:
            listed = [changed[int(line["row"]) - 1] for line in csv.DictReader(file)]
    cells = (f"{100 * np.mean(listed[:first]):.0f} %" for first in FIRST)
    found = f"{100 * sum(listed) / changed.sum():.0f} %"
    return (
        f"| {corpus.sources[0].name} | {len(corpus):,} | {changed.sum():,} | {len(listed):,} "
        f"| {found} | {' | '.join(cells)} |"
    )


if __name__ == "__main__":
    main()
