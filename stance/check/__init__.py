"""Checks of a corpus: its rows laid out for looking up, and findings about them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from stance.arrays import Ints
from stance.corpus import Corpus
from stance.display import shown
from stance.reading.actors import ActorBook
from stance.records import Stance

LABELS = tuple(str(label) for label in Stance)
EXAMPLES = 3  # places that a message names

Severity = Literal["spoils", "warn", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth knowing about a corpus."""

    severity: Severity
    check: str  # what was looked for, such as "duplicates"
    text: str  # one line: what, where, what to do

    @classmethod
    def at(cls, severity: Severity, check: str, text: str, examples: list[str]) -> "Finding":
        """Return a finding whose text ends in some examples of where it is."""
        return cls(severity, check, f"{text} ({', '.join(examples)})")


@dataclass(frozen=True, slots=True)
class Study:
    """A labelled corpus laid out for checking; a text is known by its first row."""

    corpus: Corpus
    book: ActorBook
    files: tuple[str, ...]  # what messages call them
    actors: tuple[str, ...]  # of each row, by their names in the book if it has them
    text: Ints  # of each row: the first row whose text differs in case and punctuation at most

    def place(self, row: int) -> str:
        """Return ``file:row`` for a message."""
        file, number = self.corpus.source[row], self.corpus.number[row]
        return f"{shown(self.files[file], 40)}:{number}"

    def pairs(self, rows: Iterable[tuple[int, int]]) -> list[str]:
        """Return the places of the first few pairs of rows for a message."""
        return [" = ".join(map(self.place, sorted(pair))) for pair in sorted(rows)[:EXAMPLES]]


def lay_out(corpus: Corpus, paths: Sequence[Path], book: ActorBook) -> Study:
    """Return a corpus with its texts numbered."""
    _, first, number = np.unique(corpus.marks.exact, return_index=True, return_inverse=True)
    alike = len({path.name for path in paths}) < len(paths)
    files = tuple(str(path) if alike else path.name for path in paths)
    return Study(corpus, book, files, book.topics(corpus.actors), first[number.reshape(-1)])
