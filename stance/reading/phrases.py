"""Thousands of fixed phrases, found in a batch of words at once; the longest one wins."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np

from stance.arrays import Bools, Ints, Ints32
from stance.reading.keys import KeyIndex
from stance.reading.tokens import FLAGS, Spellings, Tokens, flags_of, tokenise

_NO_WORD = -1


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase to find, and the number to answer with."""

    text: str  # normalised
    value: int  # 0 or more
    exact: bool = False  # case counts

    @property
    def spellings(self) -> tuple[str, ...]:
        """The text and, where case counts, the text in ALL CAPS."""
        return tuple({self.text: 0, self.text.upper(): 0}) if self.exact else (self.text,)


class PhraseMatcher:
    """Leftmost-longest matches of phrases, without overlap, separated as in their text.

    Phrases stand in a prefix tree: node 0 is its root, and a word that follows a node behind a
    kind of gap leads to the next node. "North Korea" and "North Macedonia" share their first one.
    """

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        variants = [(text, phrase) for phrase in phrases for text in phrase.spellings]
        spellings = Spellings(lambda words: flags_of(words, [*map(str.lower, words)]), FLAGS)
        tokens = tokenise([text for text, _ in variants], spellings)
        words = [spellings.words.strings[at] for at in tokens.type.tolist()]
        gaps = tokens.gap.tolist()
        self._exact, self._folded = dict[str, int](), dict[str, int]()
        nodes: dict[int, int] = {}
        values: dict[int, int] = {}
        bounds = tokens.first.tolist()
        for low, high, (_, phrase) in zip(bounds, bounds[1:], variants, strict=False):
            node = 0
            for at in range(low, high):
                known, word = self._folded, words[at].lower()
                if phrase.exact:
                    known, word = self._exact, words[at]
                number = known.setdefault(word, len(self._folded) + len(self._exact))
                step = _step(node, gaps[at - 1] if at > low else 0, number)
                node = nodes.setdefault(step, len(nodes) + 1)
            if node:
                values.setdefault(node, phrase.value)  # the first of equals counts
        count = len(self._folded) + len(self._exact)
        self._begins = np.zeros(count + 1, np.bool_)  # the last is for other words
        self._begins[[step for step in nodes if step < count]] = True
        self._index = KeyIndex(np.array([*nodes], np.uint64))
        self._values = np.array([values.get(node, -1) for node in range(len(nodes) + 1)], np.int32)

    def describe(self, words: Sequence[str], lower: Sequence[str]) -> Iterator[list[int]]:
        """Yield what `find` asks of spellings: their numbers as spelled and in lower case."""
        for known, asked in ((self._exact, words), (self._folded, lower)):
            yield list(map(known.get, asked, repeat(_NO_WORD)))

    def find(
        self, tokens: Tokens, exact: Ints32, lower: Ints32, taken: Bools | None = None
    ) -> tuple[Ints, Ints, Ints]:
        """Return first word, number of words and value of each match, in order.

        ``exact`` and ``lower`` have an entry per spelling; no word that is ``taken`` counts.
        """
        length, value = np.zeros((2, len(tokens.type)), np.int32)
        for numbers, known in ((lower, self._folded), (exact, self._exact)):
            if not known:
                continue
            word = numbers.take(tokens.type)
            if taken is not None:
                word[taken] = _NO_WORD
            start = np.flatnonzero(self._begins.take(word))
            size, node = 0, np.zeros(len(start), np.int64)
            while len(start):
                at = start + size
                gap = tokens.gap.take(at - 1).astype(np.int64) * (size > 0)
                step = _step(node, gap, word.take(at)).view(np.uint64)
                node = self._index.find(step) + np.int64(1)
                size += 1
                found = self._values.take(node)
                # Of equally long matches the exact one counts.
                longer = np.flatnonzero((found >= 0) & (size >= length.take(start)))
                length[start[longer]], value[start[longer]] = size, found[longer]
                # A paragraph ends with its last word.
                ends = tokens.first.take(tokens.para.take(start) + 1)
                on = (node > 0) & (start + size < ends)
                on &= word.take(start + size, mode="clip") != _NO_WORD
                start, node = start[on], node[on]
        first = np.flatnonzero(length)
        first = first[_without_overlap(first, first + length[first])]
        return first, length[first].astype(np.int64), value[first].astype(np.int64)


def _step(node: Any, gap: Any, word: Any) -> Any:
    """Return the number of a step in the tree: from a node, behind a gap, to a word."""
    return (node << 32) + (gap << 28) + word


def _without_overlap(start: Ints, end: Ints) -> Bools:
    """Keep a match unless a kept one before it reaches into it."""
    kept = np.ones(len(start), np.bool_)
    if len(start) < 2:
        return kept
    reach = np.maximum.accumulate(end)
    for i in np.flatnonzero(start[1:] < reach[:-1]) + 1:
        before = i - 1
        while not kept[before]:
            before -= 1
        kept[i] = start[i] >= end[before]
    return kept
