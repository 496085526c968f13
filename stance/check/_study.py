"""A labelled corpus laid out for checking, and what checks find in it."""

import sqlite3
from bisect import insort
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from stance.annotations import Annotations
from stance.display import shown
from stance.reading.actors import ActorBook
from stance.reading.text import words_of
from stance.records import Stance

LABELS = tuple(str(label) for label in Stance)
LABELLED = ", ".join(f"sum(stance = {number}) AS {label}" for number, label in enumerate(LABELS))
"""Counts of rows by label, for a query that groups rows."""

GIVERS = ("actor", "genre", "source")  # columns whose values may give a label away
EXAMPLES = 3  # places that a message names

Severity = Literal["spoils", "warn", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth knowing about a corpus."""

    severity: Severity
    check: str  # what was looked for, such as "duplicates"
    text: str  # one line: what, where, what to do
    figures: Mapping[str, Any] = field(default_factory=dict)  # the counts behind it, for JSON

    @classmethod
    def at(
        cls, severity: Severity, check: str, text: str, examples: list[str], **figures: Any
    ) -> "Finding":
        """Return a finding whose text ends in some examples of where it is."""
        listed = f"{text} ({', '.join(examples)})"
        plain = {k: round(v, 6) if isinstance(v, float) else v for k, v in figures.items()}
        return cls(severity, check, listed, plain | {"examples": examples})

    def to_json(self) -> dict[str, Any]:
        """Return the finding as a JSON object."""
        words = {"severity": self.severity, "check": self.check, "text": self.text}
        return words | {"figures": dict(self.figures)}


class Few:
    """How many things there are, and the least of them, as examples.

    >>> found = Few(iter([5, 9, 1, 3]))
    >>> found.number, found.least
    (4, [1, 3, 5])
    """

    def __init__(self, found: Iterable[Any] = ()) -> None:
        self.number, self.least = 0, list[Any]()
        for one in found:
            self.add(one)

    def add(self, one: Any) -> None:
        """Add a thing."""
        self.number += 1
        insort(self.least, one)
        del self.least[EXAMPLES:]


class WordCounts:
    """In how many texts words stand, or more: rare words share counters with others.

    So it takes as much memory as there are counters, however many words there are.
    """

    _BUCKETS = 1 << 22
    MOST = 10  # that is counted

    def __init__(self) -> None:
        self._texts = np.zeros(self._BUCKETS, np.uint8)
        self._view = self._texts.data

    def add(self, text: str) -> int:
        """Count the words of a text; return how many it has."""
        words = words_of(text)
        found = np.fromiter(map(hash, set(words)), np.int64) & (self._BUCKETS - 1)
        self._texts[found] += self._texts[found] < self.MOST
        return len(words)

    def reached(self, word: str) -> bool:
        """Return whether a word may stand in as many texts as are counted."""
        return self._view[hash(word) & (self._BUCKETS - 1)] == self.MOST


@dataclass(frozen=True, slots=True)
class Study:
    """A labelled corpus; `stance.check._database` says what its tables hold."""

    base: sqlite3.Connection
    book: ActorBook
    paths: tuple[Path, ...]
    files: tuple[str, ...]  # what messages call them
    notes: tuple[str, ...]  # on how they were read
    columns: Mapping[str, str]  # what the database calls those asked for
    actors: tuple[str, ...]  # those of the book, then those that it does not know
    named: tuple[str, ...]  # the actors as written
    often: WordCounts
    annotations: Annotations | None
    coded_apart: int  # pairs that coders judged in different files, which are not compared

    def select(self, query: str, *values: Any) -> Iterator[Any]:
        """Yield what a query finds."""
        return self.base.execute(query, values)

    def number(self, query: str, *values: Any) -> int:
        """Return the one number that a query finds."""
        return int(self.base.execute(query, values).fetchone()[0] or 0)

    def __len__(self) -> int:
        return self.number("SELECT count(*) FROM records")

    @property
    def documents(self) -> int:
        """Number of documents."""
        return self.number("SELECT count(*) FROM documents")

    @property
    def texts(self) -> int:
        """Number of texts."""
        return self.number("SELECT count(*) FROM marks")

    @property
    def classes(self) -> list[tuple[str, int, int]]:
        """Labels, with how many rows and documents have them."""
        asked = ", ".join(f"sum({label}), sum({label} > 0)" for label in LABELS)
        ((*found,),) = self.select(f"SELECT {asked} FROM documents")
        return list(zip(LABELS, found[::2], found[1::2], strict=True))

    def place(self, row: int) -> str:
        """Return ``file:row`` for a message."""
        ((file, number),) = self.select("SELECT file, number FROM records WHERE row = ?", row)
        return f"{shown(self.files[file], 40)}:{number}"

    def pairs(self, found: Few) -> list[str]:
        """Return the places of the first few pairs of rows for a message."""
        return [" = ".join(map(self.place, sorted(pair))) for pair in found.least]

    def written(self, row: int) -> str:
        """Return a text as written in its first row."""
        ((text,),) = self.select("SELECT text FROM texts WHERE row = ?", row)
        return str(text)

    def words(self, text: int) -> list[str]:
        """Return the words of a text in lower case."""
        return words_of(self.written(text))

    def value(self, name: str, cell: Any) -> str:
        """Return the name that a value of a column stands for."""
        return self.actors[cell] if name == "actor" else str(cell)
