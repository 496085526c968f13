"""Word pieces of a text: WordPiece as in BERT (Devlin et al. 2019), blind to case and accents."""

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from itertools import chain
from re import finditer
from string import punctuation
from unicodedata import category, name, normalize

import numpy as np

from stance.arrays import Bools, Ints

LONGEST = 100  # characters of a word that is cut; a longer one is unknown as a whole
SPECIAL = ("[UNK]", "[CLS]", "[SEP]")
"""Pieces that stand for an unknown word, and before and behind a text."""
WORDS = 1 << 16  # words whose pieces are remembered


class Pieces:
    """Word pieces of a text, and where they stand."""

    def __init__(self, ids: Sequence[int], places: Sequence[tuple[int, int]]) -> None:
        self.ids: Ints = np.array(ids, np.int64)
        self.start, self.end = np.array(places, np.int64).reshape(-1, 2).T

    def named(self, places: Sequence[tuple[int, int]]) -> Bools:
        """Return which pieces are part of a mention."""
        named = np.zeros(len(self.ids), np.bool_)
        for start, end in places:
            named |= (self.start < end) & (self.end > start)
        return named


class WordPieces:
    """A vocabulary of word pieces, of which all but the first of a word begin with ``##``."""

    def __init__(self, numbers: Mapping[str, int]) -> None:
        self._numbers = numbers
        self._most = max(map(len, numbers))
        self._unknown, self._first, self._last = map(numbers.__getitem__, SPECIAL)
        self._of_word = lru_cache(WORDS)(self._cut)

    def encode(self, text: str) -> Pieces:
        """Return the pieces of a text, between a first and a last one that stand nowhere."""
        parts = [*map(plain, text)]
        place = [*chain.from_iterable([n] * len(part) for n, part in enumerate(parts))]
        ids, places = [self._first], [(0, 0)]
        for word in finditer("[^ ]+", "".join(parts)):
            low = word.start()
            for number, start, end in self._of_word(word[0]):
                ids.append(number)
                places.append((place[low + start], place[low + end - 1] + 1))
        return Pieces([*ids, self._last], [*places, (0, 0)])

    def _cut(self, word: str) -> list[tuple[int, int, int]]:
        """Return number, start and end of the longest pieces of a word, from the left."""
        pieces, low = list[tuple[int, int, int]](), 0
        while low < len(word) <= LONGEST:
            lead = "##" if low else ""
            for high in range(min(len(word), low + self._most), low, -1):
                if (number := self._numbers.get(lead + word[low:high])) is not None:
                    pieces.append((number, low, high))
                    low = high
                    break
            else:
                break
        return pieces if low == len(word) else [(self._unknown, 0, len(word))]


@cache
def plain(char: str) -> str:
    r"""Return a character as pieces have it, with blanks around one that is a word of its own.

    >>> [plain(char) for char in "É“\t\u200b"]
    ['e', ' “ ', ' ', '']
    """
    if char.isspace() and (category(char) != "Cc" or char in "\t\n\r"):
        return " "
    if category(char)[0] == "C" or char == "\ufffd":
        return ""
    parts = [part.lower() for part in normalize("NFD", char) if category(part) != "Mn"]
    word = "".join(parts)
    alone = category(word[:1] or "a")[0] == "P" or word[:1] in (*punctuation,)
    called = name(char, "")
    return f" {word} " if alone or (called[:3] == "CJK" and "IDEOGRAPH-" in called) else word
