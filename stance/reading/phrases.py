"""Thousands of fixed phrases, found in a batch of words at once; the longest one wins."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np

from stance.arrays import Bools, Ints, Ints32
from stance.reading.keys import KeyIndex
from stance.reading.tokens import FLAGS, Spellings, Tokens, flags_of, tokenise

_NO_WORD = 0


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
    Words that begin a phrase have the first numbers, and number n leads from the root to node n.
    """

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        variants = [(text, phrase) for phrase in phrases for text in phrase.spellings]
        spellings = Spellings(lambda words: flags_of(words, [*map(str.lower, words)]), FLAGS)
        tokens = tokenise([text for text, _ in variants], spellings)
        words = [spellings.words.strings[at] for at in tokens.type.tolist()]
        gaps, bounds = tokens.gap.tolist(), tokens.first.tolist()
        self._exact, self._folded = dict[str, int](), dict[str, int]()

        def number(word: str, exact: bool) -> int:
            known, word = (self._exact, word) if exact else (self._folded, word.lower())
            return known.setdefault(word, len(self._exact) + len(self._folded) + 1)

        stretches = [
            (range(low, high), phrase)
            for low, high, (_, phrase) in zip(bounds, bounds[1:], variants, strict=False)
            if low < high
        ]
        starts = [number(words[places[0]], phrase.exact) for places, phrase in stretches]
        self._begins = max(starts, default=0)
        nodes, values = dict[int, int](), dict[int, int]()
        for node, (places, phrase) in zip(starts, stretches, strict=True):
            for at in places[1:]:
                step = _step(node, gaps[at - 1], number(words[at], phrase.exact))
                node = nodes.setdefault(step, self._begins + len(nodes) + 1)
            values.setdefault(node, phrase.value)  # the first of equals counts
        self._index = KeyIndex(np.array([*nodes], np.uint64))
        size = self._begins + len(nodes) + 1
        self._values = np.array([values.get(node, -1) for node in range(size)], np.int32)

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
            start = np.flatnonzero((word != _NO_WORD) & (word <= self._begins))
            size, node = 1, word.take(start).astype(np.int64)
            while len(start):
                found = self._values.take(node)
                # Of equally long matches the exact one counts.
                longer = np.flatnonzero((found >= 0) & (size >= length.take(start)))
                length[start[longer]], value[start[longer]] = size, found[longer]
                behind = np.minimum(start + size, len(word) - 1)
                on = (word.take(behind) != _NO_WORD) & (start + size < len(word))
                on = np.flatnonzero(on & (tokens.para.take(behind) == tokens.para.take(start)))
                start, behind, node = start.take(on), behind.take(on), node.take(on)
                gap = tokens.gap.take(behind - 1).astype(np.int64)
                steps = self._index.find(_step(node, gap, word.take(behind)).view(np.uint64))
                on = np.flatnonzero(steps >= 0)
                start, node = start.take(on), steps.take(on) + np.int64(self._begins + 1)
                size += 1
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
