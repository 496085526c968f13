"""Thousands of fixed phrases, found in a batch of words at once; the longest one wins."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, count, repeat
from typing import Any

import numpy as np

from stance.arrays import Bools, Ints, Ints32
from stance.reading.keys import KeyIndex
from stance.reading.tokens import FLAGS, Spellings, Tokens, flags_of, tokenise

_NO_WORD = 0

Phrase = tuple[str, int, bool]
"""A normalised text to find, the number to answer with, 0 or more, and whether case counts."""


class PhraseMatcher:
    """Leftmost-longest matches of phrases, without overlap, separated as in their text.

    Phrases stand in a prefix tree: node 0 is its root, and a word that follows a node behind a
    kind of gap leads to the next node. "North Korea" and "North Macedonia" share their first one.
    Words that begin a phrase have the first numbers, and number n leads from the root to node n.
    A key of ``forms`` that begins a phrase, as in "~be at ease", stands for "be", "is", and so on.
    """

    def __init__(
        self, phrases: Iterable[Phrase], forms: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        variants, forms = [*phrases], forms or {}
        # Where case counts, the text in ALL CAPS counts, too.
        variants += [(text.upper(), value, True) for text, value, exact in variants if exact]
        texts, value, exact = zip(*variants, strict=True) if variants else ((), (), ())
        spellings = Spellings(lambda words: flags_of(words, [*map(str.lower, words)]), FLAGS)
        tokens = tokenise(texts, spellings)
        sizes = np.diff(tokens.first)
        kept = np.flatnonzero(sizes)
        first, sizes, values = tokens.first[kept], sizes[kept], np.array(value, np.int32)[kept]
        begins = dict.fromkeys(chain.from_iterable(forms.values()))
        self._exact, self._folded = dict[str, int](), dict(zip(begins, count(1)))
        number = self._number(tokens, spellings.words.strings, np.array(exact, np.bool_), first)
        node, steps = number[first], [np.zeros(0, np.int64)]
        if forms:
            numbers = {key: [*map(self._folded.__getitem__, forms[key])] for key in forms}
            keys = (texts[place].partition(" ")[0] for place in kept.tolist())
            nodes = [numbers.get(key, [one]) for key, one in zip(keys, node.tolist(), strict=True)]
            counts, node = [*map(len, nodes)], np.array([*chain.from_iterable(nodes)], np.int64)
            first, sizes, values = (np.repeat(one, counts) for one in (first, sizes, values))
        size = self._begins + 1
        for depth in range(1, int(sizes.max(initial=0))):
            longer = np.flatnonzero(sizes > depth)
            place = first[longer] + depth
            step = _step(node[longer], tokens.gap[place - 1].astype(np.int64), number[place])
            _, one, rank = np.unique(step, return_index=True, return_inverse=True)
            node[longer] = size + rank
            steps.append(step[one])
            size += len(one)
        self._index = KeyIndex(np.concatenate(steps).view(np.uint64))
        self._values = np.full(size, -1, np.int32)
        self._values[node[::-1]] = values[::-1]  # the first of equals counts

    def _number(self, tokens: Tokens, words: Sequence[str], exact: Bools, first: Ints) -> Ints:
        """Give numbers to the words of all phrases, first to those that begin one."""
        kinds = (self._exact, words, True), (self._folded, [*map(str.lower, words)], False)
        exact, number = exact.take(tokens.para), np.zeros(len(tokens.type), np.int64)
        table = np.zeros(len(words), np.int64)
        self._begins = 0
        for places in (first, np.arange(len(number))):
            for known, names, case in kinds:
                chosen = places[exact[places] == case]
                types = np.flatnonzero(np.bincount(tokens.type[chosen]))
                table[types] = [
                    known.setdefault(names[type_], len(self._exact) + len(self._folded) + 1)
                    for type_ in types.tolist()
                ]
                number[chosen] = table[tokens.type[chosen]]
            self._begins = self._begins or len(self._exact) + len(self._folded)
        return number

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
                values = self._values.take(node)
                # Of equally long matches the exact one counts.
                longer = np.flatnonzero((values >= 0) & (size >= length.take(start)))
                length[start[longer]], value[start[longer]] = size, values[longer]
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
