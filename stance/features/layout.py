"""Words around mentions: the words of a paragraph laid out once per actor judged.

Each pair of a paragraph and an actor has entries of its own::

    paragraph       NATO warned Russia again
    word            0    1      2      3        index into the per-word arrays of `Words`
    pair            0 0 0 0 | 1 1 1 1           (paragraph, NATO), (paragraph, Russia)
    Pairs.row       0 0 0 0 | 1 1 1 1
    Pairs.word      0 1 2 3 | 0 1 2 3
    Pairs.mention   0             6             entries that name the actor judged
    Pairs.nearest   0 0 0 0 | 6 6 6 6           entry of the nearest mention of that actor
    Pairs.distance  0 1 2 3 | 2 1 0 1           words to it
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stance.features.surroundings import Surroundings
from stance.features.words import Words
from stance.tokens import Bools, Ints

FAR = 1 << 30
"""Least distance in words where the actor is not mentioned: farther than any text is long."""


@dataclass(frozen=True)
class Pairs:
    """Per word of each pair; see the drawing above.

    Attributes
    ----------
    words : Words
    count : int
        Number of pairs.
    first : ndarray of shape (n_pairs + 1,)
        Where the words of each pair start.
    mention, owner : ndarray
        Entries that are the actor judged, and their pairs.
    para, actor : ndarray of shape (n_pairs,)
        Paragraph, and number of the actor judged.
    """

    words: Words
    count: int
    first: Ints
    mention: Ints
    owner: Ints
    para: Ints
    actor: Ints

    @cached_property
    def row(self) -> NDArray[np.int32]:
        """Pair of each entry."""
        return np.repeat(np.arange(self.count, dtype=np.int32), np.diff(self.first))

    @cached_property
    def word(self) -> NDArray[np.int32]:
        """Index into `Words` of each entry."""
        index = np.arange(self.first[-1], dtype=np.int32)
        shift = self.words.first.take(self.para) - self.first[:-1]
        if shift.any():  # they are the same where every paragraph is read once
            index += np.repeat(shift.astype(np.int32), np.diff(self.first))
        return index

    @cached_property
    def nearest(self) -> NDArray[np.int32]:
        """Entry of the nearest mention of the actor, of two equally near ones the left one."""
        return _nearest(self.mention, self.owner, self.first)

    @cached_property
    def distance(self) -> NDArray[np.int32]:
        """Words to the nearest mention; `FAR` or more where there is none."""
        distance = np.arange(self.first[-1], dtype=np.int32)
        distance -= self.nearest
        return np.abs(distance, out=distance)

    @cached_property
    def classed(self) -> Ints:
        """Entries that have a lexicon category; no name has one."""
        return _entries(self.words, self.words.classed, self.para, self.first)[0]

    @cached_property
    def surroundings(self) -> Surroundings:
        """Words around the entries of `mention`."""
        return Surroundings(self.words, self.owner, self.word.take(self.mention).astype(np.int64))

    def relation_of(self, at: Ints) -> tuple[Bools, Bools, Bools, Bools]:
        """Tell how some entries stand to the nearest mention of the actor.

        Returns
        -------
        named : ndarray of bool
            There is one; where not, the other three are false.
        before : ndarray of bool
            It stands to the right.
        same : ndarray of bool
            It stands in the same sentence.
        crossed : ndarray of bool
            Another name stands between.
        """
        if not len(self.mention):
            nowhere = np.zeros(len(at), np.bool_)
            return nowhere, nowhere, nowhere, nowhere
        named = self.distance.take(at) < FAR
        nearest = np.where(named, self.nearest.take(at), at)
        before: Bools = nearest > at
        here, there = self.word.take(at), self.word.take(nearest)
        same = named & (self.words.sentence.take(there) == self.words.sentence.take(here))
        names = np.cumsum(self.words.name)
        gap = np.abs(names.take(there) - names.take(here))
        # Of the two running counts the later one includes its own word, which is not between.
        gap -= self.words.name.take(np.maximum(here, there))
        return named, before, same, (nearest != at) & (gap > 0)


def named_actors(words: Words) -> tuple[Ints, Ints, Ints]:
    """Return paragraph, actor and number of mentions of each pair, by first mention."""
    at = words.mentions
    para = np.searchsorted(words.first, at, side="right") - 1
    width = int(words.who.max(initial=0)) + 1
    pair, first, counts = np.unique(
        para * width + words.who[at], return_index=True, return_counts=True
    )
    order = np.argsort(first)
    return pair[order] // width, pair[order] % width, counts[order]


def count_mentions(words: Words, para: Ints, actor: Ints) -> Ints:
    """Return how often the paragraph of each pair names the actor of the pair."""
    counts = np.zeros(
        (len(words.first) - 1, int(max(actor.max(initial=0), words.who.max(initial=0))) + 1),
        np.int64,
    )
    at = words.mentions
    np.add.at(counts, (np.searchsorted(words.first, at, side="right") - 1, words.who[at]), 1)
    found: Ints = np.where(actor >= 0, counts[para, actor], 0)
    return found


def lay_out(words: Words, para: Ints, actor: Ints) -> Pairs:
    """Lay out the words of every pair.

    Parameters
    ----------
    words : Words
    para : ndarray of shape (n_pairs,)
        Paragraph of each pair; never decreasing.
    actor : ndarray of shape (n_pairs,)
        Number of the actor in the book; ``len(book)`` where spans say where it is named;
        `NOBODY` to read the paragraph without an actor.
    """
    sizes = (words.first[1:] - words.first[:-1])[para]
    first = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=first[1:])
    mention, owner = _mentions_of(words, para, actor, first)
    return Pairs(words, len(sizes), first, mention, owner, para, actor)


def _mentions_of(words: Words, para: Ints, actor: Ints, first: Ints) -> tuple[Ints, Ints]:
    """Return the entries that name the actor of their pair, and these pairs."""
    entry, owner, which = _entries(words, words.mentions, para, first)
    mine = np.flatnonzero(words.who[which] == actor[owner])
    return entry[mine], owner[mine]


def _entries(words: Words, at: Ints, para: Ints, first: Ints) -> tuple[Ints, Ints, Ints]:
    """Return the entries of some words in all pairs, the pair of each, and its word."""
    bounds = np.searchsorted(at, words.first)
    counts = (bounds[1:] - bounds[:-1])[para]
    owner = np.repeat(np.arange(len(para)), counts)
    below = np.cumsum(counts) - counts
    which = at[np.arange(len(owner)) + np.repeat(bounds[para] - below, counts)]
    return first[owner] + which - words.first[para[owner]], owner, which


def _nearest(mention: Ints, owner: Ints, first: Ints) -> NDArray[np.int32]:
    """Return the nearest mention of each entry: a mention's cell ends half way to the next one."""
    alone = np.flatnonzero(np.bincount(owner, minlength=len(first) - 1) == 0)
    centre = np.concatenate([mention, first[alone] - FAR])
    pair = np.concatenate([owner, alone])
    order = np.argsort(pair, kind="stable")
    centre, pair = centre[order], pair[order]
    begin = first[pair]
    follows = np.flatnonzero(pair[1:] == pair[:-1])
    begin[follows + 1] = (centre[follows] + centre[follows + 1]) // 2 + 1
    sizes = np.append(begin[1:], first[-1])[: len(begin)] - begin
    return np.repeat(centre.astype(np.int32), sizes)
