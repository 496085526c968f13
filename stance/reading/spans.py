"""Which actor to judge in which paragraph, and where users and books say that it is named."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from stance.arrays import Ints, Ints32
from stance.display import shown
from stance.errors import DataError
from stance.reading.actors import ActorBook
from stance.reading.names import person_spans, surname
from stance.reading.text import MOST_READ, Places, normalise, normalised_spans
from stance.reading.words import Reader, Words

BATCH = 1000  # pairs read at a time

Spans = Sequence[Places | None] | None
"""Where each text, as it is written, names its actor; None where it is to be found."""


@dataclass(frozen=True, slots=True)
class Query:
    """One actor to judge in each of some paragraphs."""

    texts: Sequence[str]  # normalised
    actor: Ints  # number in the book; ``len(book)`` if not in it, or if spans say where it is
    spans: Ints32  # as `Reader.words` takes them; the paragraph is that of the pair
    names: Sequence[str] = ()  # of the actors as topics, see `ActorBook.topics`
    months: Ints | None = None  # of the texts; see `stance.reading.actors.ActorBook.match`

    @property
    def para(self) -> Ints:
        """Paragraph of each pair: its own."""
        return np.arange(len(self.texts))

    def __len__(self) -> int:
        return len(self.texts)

    def slice(self, low: int, high: int) -> "Query":
        """Return the pairs from ``low`` up to ``high``."""
        first, end = np.searchsorted(self.spans[:, 0], (low, high))
        spans = self.spans[first:end] - np.array([low, 0, 0], np.int32)
        months = None if self.months is None else self.months[low:high]
        pairs = self.texts[low:high], self.actor[low:high], spans, self.names[low:high]
        return Query(*pairs, months)

    def take(self, rows: Ints) -> "Query":
        """Return some of the pairs, each once."""
        place = np.full(len(self), -1, np.int32)
        place[rows] = np.arange(len(rows))
        para = place.take(self.spans[:, 0])
        order = np.argsort(para, kind="stable")[np.count_nonzero(para < 0) :]
        spans = self.spans[order]
        spans[:, 0] = para[order]
        names = [self.names[row] for row in rows.tolist()] if self.names else ()
        months = None if self.months is None else self.months[rows]
        texts = [self.texts[row] for row in rows.tolist()]
        return Query(texts, self.actor[rows], spans, names, months)

    def batches(self) -> "Iterator[Query]":
        """Yield the pairs, `BATCH` at a time."""
        for low in range(0, len(self), BATCH):
            yield self.slice(low, low + BATCH)

    def read(self, reader: Reader, *, apart: bool = False) -> tuple[Words, Ints]:
        """Read the texts, once where pairs that follow each other share one, unless kept apart.

        The second result is the paragraph of each pair.
        """
        new = np.ones(len(self), np.bool_)
        if not apart:
            new[1:] = [one is not two and one != two for one, two in pairwise(self.texts)]
        if self.months is not None:
            new[1:] |= self.months[1:] != self.months[:-1]
        alone = self.spans[:, 0]
        new[alone] = True  # where a user says that the actor is named, the book finds nobody
        new[alone[alone < len(self) - 1] + 1] = True
        para, kept = np.cumsum(new) - 1, np.flatnonzero(new)
        spans = self.spans.copy()
        spans[:, 0] = para.take(spans[:, 0])
        months = None if self.months is None else self.months[kept]
        return reader.words([self.texts[row] for row in kept.tolist()], spans, months), para


def make_query(
    book: ActorBook,
    texts: Sequence[str],
    actors: Sequence[str],
    spans: Spans = None,
    months: Ints | None = None,
) -> Query:
    """Look up actors in the book, and those it does not have by name and surname.

    Texts and actors are as written; the months are those of `Query`.
    """
    plain = list[str]()
    for text, before in zip(texts, ("", *texts), strict=False):
        plain.append(plain[-1] if plain and text == before else normalise(text[:MOST_READ]))
    numbers = {actor: book.number(actor) for actor in set(actors)}
    number = np.array([numbers[actor] for actor in actors], np.int64)
    places = array("i")  # pair, start and end of each: a text as long as a book has millions
    for i in range(len(texts)) if spans is not None else np.flatnonzero(number < 0).tolist():
        given = spans[i] if spans is not None else None
        if given:
            number[i] = len(book)
            read = texts[i][:MOST_READ]
            ordered = [(start, end) for start, end in sorted(given) if start < MOST_READ]
            stay = plain[i] == read and all(0 <= s <= e <= len(read) for s, e in ordered)
            moved = ordered if stay else normalised_spans(read, ordered)
            for start, end in moved:
                places.extend((i, start, end))
        elif number[i] < 0:
            number[i] = len(book)
            for start, end in literal_places(book, plain[i], actors[i]):
                places.extend((i, start, end))
    rows = np.array(places, np.int32).reshape(-1, 3)
    return Query(plain, number, rows, book.topics(actors), months)


def literal_places(book: ActorBook, text: str, name: str) -> list[tuple[int, int]]:
    """Return where a normalised text names an actor that the book lacks, in full or by surname."""
    name = normalise(name).strip()
    last = surname(name) if "surname" in book.kinds else ""
    return person_spans(text, [name], "" if book.has_alias(last) else last)


def parse_spans(cell: str, text: str, where: str) -> list[tuple[int, int]] | None:
    """Read ``0:6;116:119`` as places in a text; None if the cell is empty.

    Raises a `DataError` about anything else, and about a place outside the text.

    >>> parse_spans("0:4", "NATO met.", "mine.csv:2")
    [(0, 4)]
    """
    if not cell.strip():
        return None
    if (part := bad_place(cell, text)) is not None:
        reason = f"spans '{shown(part, 20)}' is not a place in the text"
        raise DataError(f"{where}: {reason}; {places_advice(text)}")
    ends = (place.partition(":")[::2] for place in cell.split(";") if cell.strip())
    return sorted((int(start), int(end)) for start, end in ends)


def bad_place(cell: str, text: str) -> str | None:
    """Return the first part of a cell of spans that is not a place in the text.

    >>> bad_place("0:4;4:99", "NATO met.")
    '4:99'
    """
    for part in cell.split(";") if cell.strip() else ():
        start, colon, end = part.strip().partition(":")
        good = colon and start.isascii() and end.isascii() and start.isdigit() and end.isdigit()
        if not good or len(part) > 20 or not int(start) < int(end) <= len(text):
            return part
    return None


def places_advice(text: str) -> str:
    """Say how to write spans."""
    return f"write start:end (0-based, end-exclusive; the text has {len(text)} characters)"
