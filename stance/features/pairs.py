"""Words around mentions: the words of a paragraph laid out once per actor judged.

Each pair of a paragraph and an actor has entries of its own::

    paragraph       NATO warned Russia again
    word            0    1      2      3        index into the per-word arrays of `Words`
    pair            0  0  0  0 | 1  1  1  1     (paragraph, NATO), (paragraph, Russia)
    Pairs.row       0  0  0  0 | 1  1  1  1
    Pairs.word      0  1  2  3 | 0  1  2  3
    Pairs.mention   0                  6        entries that name the actor judged
    Pairs.steps     0 -1 -2 -3 | 2  1  0 -1     words to the nearest mention of that actor
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.arrays import Bools, Bytes, Ints, Ints8, Ints32, Keys
from stance.reading.keys import key_of
from stance.reading.lexicon import HYPOTHETICAL, PREPOSITION, REPORTING
from stance.reading.words import Words

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
    def row(self) -> Ints32:
        """Pair of each entry."""
        return np.repeat(np.arange(self.count, dtype=np.int32), np.diff(self.first))

    @cached_property
    def word(self) -> Ints32:
        """Index into `Words` of each entry."""
        index = np.arange(self.first[-1], dtype=np.int32)
        shift = self.words.first.take(self.para) - self.first[:-1]
        if shift.any():  # they are the same where every paragraph is read once
            index += np.repeat(shift.astype(np.int32), np.diff(self.first))
        return index

    @cached_property
    def steps(self) -> Ints32:
        """Words from each entry to the nearest mention of the actor, to the left below zero.

        Of two equally near mentions the left one counts; without any they are ``-FAR`` or less.
        """
        steps = _nearest(self.mention, self.owner, self.first)
        steps -= np.arange(len(steps), dtype=np.int32)
        return steps

    @cached_property
    def classed(self) -> "Classed":
        """The words that have a lexicon category; no name has one."""
        at, row, which = _entries(self.words, self.words.classed, self.para, self.first)
        return Classed(self, at, row, which)

    @cached_property
    def surroundings(self) -> "Surroundings":
        """Words around the entries of `mention`."""
        return Surroundings(self.words, self.owner, self.word.take(self.mention).astype(np.int64))


class Classed:
    """Words of the pairs that have a lexicon category, and how they stand to the nearest mention.

    Parameters
    ----------
    pairs : Pairs
    at, row, which : ndarray
        Entry and pair of each word, and its place in `Words.classed`.

    Attributes
    ----------
    row, which, word : ndarray
        Word is an index into `Words`.
    distance : ndarray
        Words to the nearest mention of the actor; `FAR` or more where there is none.
    named : ndarray of bool
        There is one; where not, the other three are false.
    before : ndarray of bool
        It stands to the right.
    same : ndarray of bool
        It stands in the same sentence.
    crossed : ndarray of bool
        Another name stands between.
    """

    named: Bools
    before: Bools
    same: Bools
    crossed: Bools

    def __init__(self, pairs: Pairs, at: Ints, row: Ints, which: Ints) -> None:
        words = pairs.words
        self.row, self.which, self.word = row, which, words.classed.take(which)
        if not len(pairs.mention):
            nowhere = np.zeros(len(at), np.bool_)
            self.named = self.before = self.same = self.crossed = nowhere
            self.distance = np.full(len(at), FAR)
            return
        steps = pairs.steps.take(at)
        self.distance = np.abs(steps)
        self.named = self.distance < FAR
        steps *= self.named
        self.before = steps > 0
        there = self.word + steps
        self.same = self.named & (words.sentence.take(there) == words.sentence.take(self.word))
        names = np.cumsum(words.name, dtype=np.int32)
        low, high = np.minimum(self.word, there), np.maximum(self.word, there)
        self.crossed = (low < high) & (names.take(low) < names.take(high - 1))


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
    who = words.who.take(words.mentions)
    mine = np.flatnonzero(who.take(which) == actor.take(owner))
    return entry[mine], owner[mine]


def _entries(words: Words, at: Ints, para: Ints, first: Ints) -> tuple[Ints, Ints, Ints]:
    """Return the entries of some words in all pairs, the pair of each, and its place in ``at``."""
    bounds = np.searchsorted(at, words.first)
    counts = (bounds[1:] - bounds[:-1])[para]
    owner = np.repeat(np.arange(len(para)), counts)
    below = np.cumsum(counts) - counts
    which = np.repeat(bounds[para] - below, counts)
    which += np.arange(len(owner))
    shift = first[:-1] - words.first.take(para)
    return at.take(which) + np.repeat(shift, counts), owner, which


def _nearest(mention: Ints, owner: Ints, first: Ints) -> Ints32:
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


REACH = 4
"""Words to either side that can be looked at."""

TARGET_KEY, OTHER_KEY = np.uint64(key_of("TARGET")), np.uint64(key_of("OTHER"))

ROLES = (
    "speaker",
    "agent",
    "possessive",
    "compound",
    "place",
    "list",
    "prepositional",
    "subject",
    "object",
    "other",
)
"""Grammatical roles of a mention, by surface signs; the first that fits counts."""


def _key_set(*words: str) -> Keys:
    return np.array([key_of(word) for word in words], np.uint64)


_BY = np.uint64(key_of("by"))
_CONJUNCTIONS = _key_set("and", "or")
_DETERMINERS = _key_set("the", "a", "an", "this", "that", "all")
_PLACES = _key_set(
    *("in", "at", "near", "across", "inside", "into", "outside", "throughout", "from", "to")
)


class Surroundings:
    """Neighbours of mentions; outside the mention's sentence there is nothing.

    A step counts words to the right, negative to the left. Row ``REACH + step`` of the arrays
    of shape (2 * REACH + 1, n_mentions) is what stands there.

    Parameters
    ----------
    words : Words
    row, at : ndarray of shape (n_mentions,)
        Pair of each mention, and its word as an index into `Words`.

    Attributes
    ----------
    there : ndarray
        Index into `Words`.
    inside : ndarray of bool
        Whether the step stays in the sentence.
    name : ndarray of bool
        Whether it is a name; false outside.
    """

    def __init__(self, words: Words, row: NDArray[Any], at: Ints) -> None:
        self.row, self.at = row, at
        step = np.arange(-REACH, REACH + 1)[:, None]
        self.there: Ints = np.clip(self.at + step, 0, len(words.form) - 1)
        # Paragraphs share no sentence, so the test keeps to the paragraph too.
        same = words.sentence.take(self.there) == words.sentence.take(self.at)
        self.inside: Bools = (self.there == self.at + step) & same
        self.name: Bools = self.inside & words.name.take(self.there)
        self._words = words

    def stems(self) -> Keys:
        """Return the stem keys of the words, or what kind of mention they are."""
        who = self._words.who.take(self.there)
        own = np.where(who == self._words.who.take(self.at), TARGET_KEY, OTHER_KEY)
        return np.where(who >= 0, own, self._words.stem.take(self.there))

    @cached_property
    def role(self) -> Ints8:
        """Role of each mention, as an index into `ROLES`."""
        words = self._words
        before, after = self._neighbour(-1), self._neighbour(1)
        previous = self._neighbour(np.where(np.isin(before.key, _DETERMINERS), -2, -1))
        joined = np.isin(before.key, _CONJUNCTIONS) & self.name[REACH - 2]
        joined |= np.isin(after.key, _CONJUNCTIONS) & self.name[REACH + 2]
        demonym = words.alias_kind.take(self.at) == 1
        tests = (
            after.has(REPORTING) & ~demonym | before.has(REPORTING),
            previous.key == _BY,
            words.possessive.take(self.at),
            demonym & after.small & ~after.has(PREPOSITION),
            np.isin(previous.key, _PLACES),
            joined,
            previous.has(PREPOSITION),
            ~self.inside[REACH - 1] | after.has(HYPOTHETICAL),
            previous.small,
        )
        role = np.full(len(self.at), len(ROLES) - 1, np.int8)
        for number in range(len(tests) - 1, -1, -1):
            role = np.where(tests[number], np.int8(number), role)
        return role

    def _neighbour(self, step: int | Ints) -> "_Neighbour":
        """Return the word at a step, which may differ by mention."""
        column = np.arange(len(self.at))
        there, inside = self.there[REACH + step, column], self.inside[REACH + step, column]
        words = self._words
        return _Neighbour(
            key=words.key.take(there) * inside,
            functions=words.functions.take(there) * inside,
            small=inside & ~words.capital.take(there),
        )


@dataclass(frozen=True, slots=True)
class _Neighbour:
    """One word per mention; outside the mention's sentence it is none.

    Attributes
    ----------
    key, functions : ndarray
        Of the lower-case word; 0 outside.
    small : ndarray of bool
        Whether it begins with a small letter; false outside.
    """

    key: Keys
    functions: Bytes
    small: Bools

    def has(self, bits: int) -> Bools:
        """Tell whether the word has one of some functions."""
        found: Bools = (self.functions & bits) > 0
        return found
