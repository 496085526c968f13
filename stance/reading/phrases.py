"""Thousands of fixed phrases, found in a batch of words at once; the longest one wins."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.arrays import Bools, Bytes, Ints, Ints32, Keys, slices
from stance.reading.forms import Forms
from stance.reading.keys import MULTIPLIER, KeyIndex, join_keys, key_of, keys_of
from stance.reading.tokens import TokenBatch, tokenise

_STEP = key_of("next word")


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
    """Leftmost-longest matches of phrases, without overlap, separated as in their text."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        variants = [(text, phrase) for phrase in phrases for text in phrase.spellings]
        forms = Forms(lambda _words, _lower: (), ())
        batch = tokenise([text for text, _ in variants], forms)
        sizes = np.diff(batch.first)
        exact = np.repeat(np.array([p.exact for _, p in variants], np.bool_), sizes)
        spelled = 2 * batch.form + exact
        distinct = np.flatnonzero(np.bincount(spelled)).tolist()
        spelling = forms.spelling[:]
        texts = [_spelled(spelling[code >> 1], code & 1 > 0) for code in distinct]
        place = {text: at for at, text in enumerate(dict.fromkeys(texts))}
        places = np.zeros(2 * len(forms), np.int64)
        places[distinct] = [place[text] for text in texts]
        word = places.take(spelled)
        # The last entries are for words that stand in no phrase.
        self._keys = np.append(keys_of(place), np.uint64(0))
        self._roles = np.zeros(len(place) + 1, np.uint8)
        begin, longer = batch.first[:-1][sizes == 1], batch.first[:-1][sizes > 1]
        for role, at in ((_ONLY, begin), (_FIRST, longer), (_SECOND, longer + 1)):
            self._roles[word[at]] |= role
        self._folded = {text: at for text, at in place.items() if text[0] != _EXACT_SIGN}
        self._exact = {text[1:]: at for text, at in place.items() if text[0] == _EXACT_SIGN}
        keys = self._keys.take(word)
        values = np.array([phrase.value for _, phrase in variants], np.int32)
        self._pairs = np.zeros(_PAIRS, np.bool_)
        self._pairs[_pair(keys[longer], keys[longer + 1])] = True
        # Every beginning of a phrase has a row, so that a search ends early.
        chained = _chains(keys, batch.gap, batch.first[:-1], sizes)
        self._index = KeyIndex(np.array(sorted({*chained.tolist()}), np.uint64))
        row = self._index.find(chained)
        whole = np.cumsum(sizes)[sizes > 0] - 1
        self._values = np.full(len(self._index), -1, np.int32)
        self._values[row[whole][::-1]] = values[sizes > 0][::-1]  # the first of equals counts
        self._goes_on = np.zeros(len(self._index), np.bool_)
        self._goes_on[np.delete(row, whole)] = True

    def describe(self, words: Sequence[str], lower: Sequence[str]) -> tuple[Keys, Keys, Bytes]:
        """Return what `find` asks of forms: `columns` of words as spelled and in lower case.

        The keys are 0 for words that stand in no phrase; roles are bits.
        """
        own, folded = (
            np.fromiter(map(known.get, asked, repeat(-1)), np.int64, len(asked))
            for known, asked in ((self._exact, words), (self._folded, lower))
        )
        roles = self._roles.take(folded) | self._roles.take(own) << np.uint8(_EXACT)
        return self._keys.take(own), self._keys.take(folded), roles

    def find(
        self, batch: TokenBatch, roles: Bytes, exact: Keys, lower: Keys, taken: Bools | None = None
    ) -> tuple[Ints32, Ints32, Ints32]:
        """Return first word, number of words and value of each match, in order.

        ``roles``, ``exact`` and ``lower`` have an entry per form; no word that is ``taken`` counts.
        """
        free = np.ones(len(batch.form), np.bool_) if taken is None else ~taken
        role = roles.take(batch.form)
        small, large = _may_begin(role), _may_begin(role >> _EXACT)
        tables = (lower, small, 0), (exact, large, _EXACT)
        at = np.flatnonzero((small | large) & free)
        parts = [
            self._longest(batch, tables, free, role, at[part]) for part in slices(max(len(at), 1))
        ]
        first, length, value = map(np.concatenate, zip(*parts, strict=True))
        del at, parts
        kept = np.flatnonzero(_without_overlap(first, first + length))
        return first.take(kept), length.take(kept), value.take(kept)

    def _longest(
        self, batch: TokenBatch, tables: Any, free: Bools, role: Bytes, at: Ints
    ) -> tuple[Ints32, Ints32, Ints32]:
        """Return what `find` does for matches that begin at some words, though they overlap."""
        length = np.zeros(len(at), np.int32)
        value = np.full(len(at), -1, np.int32)
        for table, begins, shift in tables:
            alive = np.flatnonzero(begins.take(at))
            alone = role.take(at.take(alive)) & (_ONLY << shift) > 0
            for which, size, number in self._matches(batch, table, free, at.take(alive), alone):
                hit = alive.take(which)
                longer = np.flatnonzero(size >= length.take(hit))
                length[hit.take(longer)] = size
                value[hit.take(longer)] = number.take(longer)
        found = np.flatnonzero(value >= 0)
        return at.take(found).astype(np.int32), length.take(found), value.take(found)

    def _matches(
        self, batch: TokenBatch, table: Keys, free: Bools, at: Ints, alone: Bools
    ) -> Iterator[tuple[Ints, int, Ints32]]:
        """Yield which phrases begin at ``at``, short ones first; where ``alone``, a word is one."""
        form = batch.form
        key = table.take(form.take(at))
        single = np.flatnonzero(alone)
        yield single, 1, self._values.take(self._index.find(key.take(single)))
        follows = table.take(form.take(at + 1, mode="clip"))
        which, size = np.flatnonzero(self._pairs.take(_pair(key, follows))), 1
        key = key.take(which)
        while len(which):
            end = at.take(which) + size
            within = end < batch.first.take(batch.para.take(end - 1) + 1)
            on = np.flatnonzero(within & free.take(end, mode="clip"))
            which, end = which.take(on), end.take(on)
            key = _extend(key.take(on), batch.gap.take(end - 1), table.take(form.take(end)))
            row = self._index.find(key)
            size += 1
            hit = np.flatnonzero((row >= 0) & (self._values.take(row) >= 0))
            yield which.take(hit), size, self._values.take(row.take(hit))
            on = np.flatnonzero((row >= 0) & self._goes_on.take(row))
            which, key = which.take(on), key.take(on)


_ONLY, _FIRST, _SECOND = 1, 2, 4  # a whole phrase, the first of several words, the second
_EXACT = 3  # bits by which roles in phrases are shifted where case counts
_PAIRS = 1 << 16
_PAIR_BITS = np.uint64(64 - 16)


_EXACT_SIGN = "="  # before a word whose case counts; no word has it


def _spelled(word: str, exact: bool) -> str:
    """Return a word of a phrase as its key has it."""
    return _EXACT_SIGN + word if exact else word.lower()


def _may_begin(role: NDArray[Any]) -> Bools:
    """Return which words are a phrase, or begin one that the next word may continue."""
    follows = np.zeros_like(role)
    follows[:-1] = role[1:]
    return (role & _ONLY > 0) | (role & _FIRST > 0) & (follows & _SECOND > 0)


def _pair(key: Keys, follows: Keys) -> Ints:
    return ((key ^ follows * MULTIPLIER) * MULTIPLIER >> _PAIR_BITS).view(np.int64)


def _extend(key: Keys, gap: Bytes, word: Keys) -> Keys:
    return join_keys(_STEP, key, gap.astype(np.uint64), word)


def _chains(keys: Keys, gaps: Bytes, first: Ints, sizes: Ints) -> Keys:
    chained = keys.copy()
    for step in range(1, int(sizes.max(initial=0))):
        at = first[sizes > step] + step
        chained[at] = _extend(chained[at - 1], gaps[at - 1], keys[at])
    return chained


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
