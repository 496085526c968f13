"""Words around each mention of the actor judged: a row per step, a column per mention."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.arrays import Bools, Bytes, Ints, Ints8, Keys
from stance.reading.keys import (
    key_of,
)
from stance.reading.lexicon import HYPOTHETICAL, PREPOSITION, REPORTING
from stance.reading.words import Words

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
