"""Words around each mention of the actor judged: a row per step, a column per mention."""

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.features.words import Words
from stance.hashing import Keys, key_of
from stance.lexicon import HYPOTHETICAL, PREPOSITION, REPORTING
from stance.tokens import Bools, Ints

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
    key, functions : ndarray
        Of the lower-case word; 0 outside.
    name, small : ndarray of bool
        Whether it is a name, and whether it begins with a small letter; false outside.
    """

    def __init__(self, words: Words, row: NDArray[Any], at: Ints) -> None:
        self.row, self.at = row, at
        step = np.arange(-REACH, REACH + 1)[:, None]
        self.there: Ints = np.clip(self.at + step, 0, len(words.form) - 1)
        # Paragraphs share no sentence, so the test keeps to the paragraph too.
        same = words.sentence.take(self.there) == words.sentence.take(self.at)
        self.inside: Bools = (self.there == self.at + step) & same
        self.key: Keys = words.key.take(self.there) * self.inside
        self.functions = words.functions.take(self.there) * self.inside
        self.name: Bools = self.inside & words.name.take(self.there)
        self.small: Bools = self.inside & ~words.capital.take(self.there)
        self._words = words

    def stems(self) -> Keys:
        """Return the stem keys of the words, or what kind of mention they are."""
        who = self._words.who.take(self.there)
        own = np.where(who == self._words.who.take(self.at), TARGET_KEY, OTHER_KEY)
        return np.where(who >= 0, own, self._words.stem.take(self.there))

    def has(self, step: int | Ints, bits: int) -> Bools:
        """Tell whether the word has one of some functions; the step may differ by mention."""
        found: Bools = (pick(self.functions, step) & bits) > 0
        return found

    @cached_property
    def role(self) -> NDArray[np.int8]:
        """Role of each mention, as an index into `ROLES`."""
        words = self._words
        before, after = self.key[REACH - 1], self.key[REACH + 1]
        back = np.where(np.isin(before, _DETERMINERS), -2, -1)
        previous = pick(self.key, back)
        joined = np.isin(before, _CONJUNCTIONS) & self.name[REACH - 2]
        joined |= np.isin(after, _CONJUNCTIONS) & self.name[REACH + 2]
        demonym = words.alias_kind[self.at] == 1
        tests = (
            self.has(1, REPORTING) & ~demonym | self.has(-1, REPORTING),
            previous == _BY,
            words.possessive[self.at],
            demonym & self.small[REACH + 1] & ~self.has(1, PREPOSITION),
            np.isin(previous, _PLACES),
            joined,
            self.has(back, PREPOSITION),
            ~self.inside[REACH - 1] | self.has(1, HYPOTHETICAL),
            pick(self.small, back),
        )
        role = np.full(len(self.at), len(ROLES) - 1, np.int8)
        for number in range(len(tests) - 1, -1, -1):
            np.copyto(role, np.int8(number), where=tests[number])
        return role


def pick(values: NDArray[Any], step: int | Ints) -> NDArray[Any]:
    """Return the entry of each mention at a step, which may differ by mention."""
    if isinstance(step, int):
        found: NDArray[Any] = values[REACH + step]
        return found
    picked: NDArray[Any] = np.take_along_axis(values, REACH + step[None], axis=0)[0]
    return picked
