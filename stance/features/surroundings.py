"""Words around every mention of the actor judged, looked up by step."""

import numpy as np
from numpy.typing import NDArray

from stance.features.layout import OTHER_KEY, TARGET_KEY, Pairs, Reader
from stance.hashing import Keys
from stance.tokens import Bools, Ints

Step = int | NDArray[np.int64]
"""Words to the right, negative to the left; one number, or one per mention."""


class Surroundings:
    """Neighbours of mentions; outside the mention's sentence there is nothing.

    Attributes
    ----------
    at : ndarray of shape (n_mentions,)
        Word of each mention, as an index into `Words`.
    row : ndarray of shape (n_mentions,)
        Its pair.
    """

    def __init__(self, reader: Reader, pairs: Pairs) -> None:
        self.words = pairs.words
        self.at = pairs.word[pairs.mention]
        self.row = pairs.row[pairs.mention]
        self._sentence = pairs.words.sentence[self.at]
        self._form = pairs.words.form
        self._lower = reader.forms.columns["word"]
        self._stem = reader.stem_keys()
        self._functions = reader.forms.columns["functions"]
        self._capital = reader.forms.capital

    def step(self, by: Step) -> tuple[Ints, Bools]:
        """Return the word ``by`` words away, and whether it is in the mention's sentence."""
        there = np.clip(self.at + by, 0, len(self._form) - 1)
        # Paragraphs share no sentence, so the test keeps to the paragraph too.
        inside: Bools = (there == self.at + by) & (self.words.sentence[there] == self._sentence)
        return there, inside

    def stem(self, there: Ints) -> Keys:
        """Return the stem key of words, or what kind of mention they are."""
        who = self.words.who[there]
        own = np.where(who == self.words.who[self.at], TARGET_KEY, OTHER_KEY)
        return np.where(who >= 0, own, self._stem.take(self._form[there]))

    def key(self, by: Step) -> Keys:
        """Return the key of the lower-case word, 0 where there is none."""
        there, inside = self.step(by)
        return np.where(inside, self._lower.take(self._form[there]), np.uint64(0))

    def has(self, by: Step, bits: int) -> Bools:
        """Tell whether the word has one of some functions; a mention has none."""
        there, inside = self.step(by)
        inside &= self.words.who[there] < 0
        found: Bools = inside & ((self._functions.take(self._form[there]) & bits) > 0)
        return found

    def named(self, by: Step) -> Bools:
        """Tell whether the word is a name."""
        there, inside = self.step(by)
        return inside & self.words.name[there]

    def lowercase(self, by: Step) -> Bools:
        """Tell whether the word begins with a small letter."""
        there, inside = self.step(by)
        return inside & ~self._capital.take(self._form[there])
