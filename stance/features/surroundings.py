"""Words around each mention of the actor judged: a row per step, a column per mention."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.features.layout import OTHER_KEY, TARGET_KEY, Pairs
from stance.hashing import Keys
from stance.tokens import Bools, Ints

REACH = 4
"""Words to either side that can be looked at."""


class Surroundings:
    """Neighbours of mentions; outside the mention's sentence there is nothing.

    A step counts words to the right, negative to the left. Row ``REACH + step`` of the arrays
    of shape (2 * REACH + 1, n_mentions) is what stands there.

    Attributes
    ----------
    row, at : ndarray of shape (n_mentions,)
        Pair of each mention, and its word as an index into `Words`.
    there : ndarray
        Index into `Words`.
    inside : ndarray of bool
        Whether the step stays in the sentence.
    key, functions : ndarray
        Of the lower-case word; 0 outside.
    name, small : ndarray of bool
        Whether it is a name, and whether it begins with a small letter; false outside.
    """

    def __init__(self, pairs: Pairs) -> None:
        words = pairs.words
        self.row = pairs.row.take(pairs.mention)
        self.at = pairs.word.take(pairs.mention).astype(np.int64)
        step = np.arange(-REACH, REACH + 1)[:, None]
        self.there: Ints = np.clip(self.at + step, 0, len(words.form) - 1)
        # Paragraphs share no sentence, so the test keeps to the paragraph too.
        same = words.sentence.take(self.there) == words.sentence.take(self.at)
        self.inside: Bools = (self.there == self.at + step) & same
        self.key: Keys = np.where(self.inside, words.key.take(self.there), np.uint64(0))
        self.functions = np.where(self.inside, words.functions.take(self.there), np.uint8(0))
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


def pick(values: NDArray[Any], step: int | Ints) -> NDArray[Any]:
    """Return the entry of each mention at a step, which may differ by mention."""
    if isinstance(step, int):
        step = np.full(values.shape[1], step)
    picked: NDArray[Any] = np.take_along_axis(values, REACH + step[None], axis=0)[0]
    return picked
