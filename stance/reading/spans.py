"""Pairs of a paragraph and an actor to be judged, and where the actor is named."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from stance.arrays import Bools, Ints
from stance.display import shown
from stance.errors import DataError
from stance.reading.actors import ActorBook
from stance.reading.text import normalise, normalised_span
from stance.reading.words import Reader, Span

BATCH = 1000
"""Pairs that are read at a time."""


@dataclass(frozen=True, slots=True)
class Query:
    """One actor to judge in each of some paragraphs.

    Attributes
    ----------
    texts : sequence of str
        Normalised.
    actor : ndarray of shape (n_pairs,)
        Number in the book; ``len(book)`` where ``spans`` say where the actor is named, or where
        it is not in the book.
    spans : sequence of (para, start, end)
    """

    texts: Sequence[str]
    actor: Ints
    spans: Sequence[Span] = ()

    @property
    def para(self) -> Ints:
        """Paragraph of each pair: its own."""
        return np.arange(len(self.texts))

    def __len__(self) -> int:
        return len(self.texts)

    def slice(self, low: int, high: int) -> "Query":
        """Return the pairs from ``low`` up to ``high``."""
        spans = [(p - low, s, e) for p, s, e in self.spans if low <= p < high]
        return Query(self.texts[low:high], self.actor[low:high], spans)

    def batches(self) -> "Iterator[Query]":
        """Yield the pairs, `BATCH` at a time."""
        for low in range(0, len(self), BATCH):
            yield self.slice(low, low + BATCH)


def make_query(
    book: ActorBook,
    texts: Sequence[str],
    actors: Sequence[str],
    spans: Sequence[Sequence[tuple[int, int]] | None] | None = None,
) -> Query:
    """Look up actors in the book, and where they are not in it by their literal names.

    Parameters
    ----------
    book : ActorBook
    texts, actors : sequence of str
        Texts as written.
    spans : sequence of (sequence of (int, int) or None), optional
        Character offsets into the text as written, end-exclusive.
    """
    plain = [normalise(text) for text in texts]
    number = np.array([book.number(actor) for actor in actors], np.int64).reshape(len(actors))
    places: list[Span] = []
    for i, text in enumerate(texts):
        given = spans[i] if spans is not None else None
        if given:
            number[i] = len(book)
            places += [(i, *normalised_span(text, start, end)) for start, end in sorted(given)]
        elif number[i] < 0:
            number[i] = len(book)
            places += [(i, *place) for place in literal_spans(plain[i], normalise(actors[i]))]
    return Query(plain, number, places)


def names_actor(reader: Reader, query: Query) -> Bools:
    """Return for which pairs the text names the actor; of the others a model says `uncertain`."""
    found = []
    for part in query.batches():
        words = reader.words(part.texts, part.spans)
        found.append(words.count_mentions(part.para, part.actor) > 0)
    return np.concatenate(found)


def literal_spans(text: str, name: str) -> list[tuple[int, int]]:
    """Return where a name stands in a text as whole words, with the same case.

    Examples
    --------
    >>> literal_spans("Mali's junta left; Somalia and Mali", "Mali")
    [(0, 4), (31, 35)]
    """
    found: list[tuple[int, int]] = []
    start = text.find(name) if name.strip() else -1
    while start >= 0:
        end = start + len(name)
        if not (text[start - 1 : start].isalnum() or text[end : end + 1].isalnum()):
            found.append((start, end))
        start = text.find(name, end)
    return found


def parse_spans(cell: str, text: str, where: str) -> list[tuple[int, int]] | None:
    """Read ``0:6;116:119`` as places in a text; None where the cell is empty.

    Raises
    ------
    DataError
        If it says something else, or a place outside the text.

    Examples
    --------
    >>> parse_spans("0:4", "NATO met.", "mine.csv:2")
    [(0, 4)]
    """
    if (part := bad_place(cell, text)) is not None:
        raise DataError(
            f"{where}: spans '{shown(part, 20)}' is no place in the text; {places_advice(text)}"
        )
    ends = (place.partition(":")[::2] for place in cell.split(";") if cell.strip())
    return sorted((int(start), int(end)) for start, end in ends) or None


def bad_place(cell: str, text: str) -> str | None:
    """Return the first part of a cell of spans that is no place in the text.

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
    """Return how to write spans."""
    return f"write start:end (0-based, end-exclusive; the text has {len(text)} characters)"
