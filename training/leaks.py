"""How often a training text that was altered a little is still found by its fingerprints.

Usage: python training/leaks.py CORPUS...

Alters up to 1,500 texts of a corpus and looks for them among the texts as they were. Prints a
Markdown table: the share that is found, by the number of words of the text. Then parts each corpus
by document and counts the rows of one half that are taken for texts of the other.
"""

import argparse
import random
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np

from stance.corpus import Corpus, read_corpus
from stance.reading.keys import fingerprint

TEXTS = 1500
"""Texts that are altered."""

LENGTHS = (0, 15, 25, 40, 80, 10**6)
"""Words of a text from which on, and below which, it is counted."""


def changed(text: str, draw: random.Random, words: int) -> str:
    """Return the text with other words in place of some."""
    parts = text.split()
    for place in draw.sample(range(len(parts)), min(words, len(parts))):
        parts[place] = "zebra"
    return " ".join(parts)


ALTERED: dict[str, Callable[[str, random.Random], str]] = {
    "spaces, quotes, capitals": lambda text, _: f" “{text.upper()}” ".replace(" ", "\u00a0 "),
    "one word changed": lambda text, draw: changed(text, draw, 1),
    "two words changed": lambda text, draw: changed(text, draw, 2),
    "three words changed": lambda text, draw: changed(text, draw, 3),
    "four words put in front": lambda text, _: f"He said on Monday: {text}",
    "the last fifth cut": lambda text, _: " ".join(text.split()[: len(text.split()) * 4 // 5]),
}


def found_rows(corpus: Corpus) -> list[str]:
    """Return a line of the table for each way to alter texts."""
    draw = random.Random(20)
    texts = sorted(set(corpus.texts))
    texts = draw.sample(texts, min(TEXTS, len(texts)))
    marks, lines = fingerprint(texts), []
    words = np.array([len(text.split()) for text in texts])
    for name, alter in ALTERED.items():
        own = fingerprint([alter(text, draw) for text in texts])
        found = (own.exact == marks.exact) | (own.bands == marks.bands).any(axis=1)
        cells = [corpus.sources[0].name, name, f"{100 * found.mean():.0f}"]
        for low, high in pairwise(LENGTHS):
            rows = (words >= low) & (words < high)
            cells.append(f"{100 * found[rows].mean():.0f}" if rows.sum() >= 20 else "")
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def taken_for_others(corpus: Corpus) -> str:
    """Count the rows of one half of the documents that are found in the other half."""
    documents = np.random.default_rng(20).permutation(np.unique(corpus.document))
    first = np.isin(corpus.document, documents[: len(documents) // 2])
    one, other = (corpus.take(np.flatnonzero(rows)) for rows in (first, ~first))
    found = int(other.marks.found_in(one.marks).sum())
    return f"{corpus.sources[0].name}: {found:,} of {len(other):,} rows found in other documents"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpora", nargs="+", type=Path)
    corpora = [read_corpus([path]) for path in parser.parse_args().corpora]
    print(
        "| corpus | altered | found, % | below 15 words | 15 to 24 | 25 to 39 | 40 to 79 | 80 or "
        "more |\n|---|---|---|---|---|---|---|---|"
    )
    for corpus in corpora:
        print("\n".join(found_rows(corpus)), flush=True)
    print("\n" + "\n".join(map(taken_for_others, corpora)))


if __name__ == "__main__":
    main()
