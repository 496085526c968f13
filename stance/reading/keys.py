"""64-bit hashes of words, phrases and whole texts, and tables that number strings by them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import count, pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stance.arrays import Bools, Codes, Ints, Ints32, Keys
from stance.reading.text import MOST_READ, words_of

MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # odd, so that nothing is lost (Knuth's golden ratio)
_SHIFT = np.uint64(29)


def key_of(text: str) -> int:
    """Return the 64-bit key of a string; the same on every machine."""
    return int(keys_of([text])[0])


def keys_of(texts: Iterable[str], prefix: str = "") -> Keys:
    """Return the keys of many strings, each with a prefix."""
    begun, digests = blake2b(prefix.encode(), digest_size=8), list[bytes]()
    for text in texts:
        digest = begun.copy()  # in half the time of beginning anew
        digest.update(text.encode("utf-8", "surrogatepass"))
        digests.append(digest.digest())
    return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)


def join_keys(template: int, *parts: Keys) -> Keys:
    """Return one key per position for a sequence of keys; ``template`` is the key of its name."""
    key = np.full_like(parts[0], template)
    for part in parts:
        key ^= part
        key *= MULTIPLIER
        key ^= key >> _SHIFT
    return key


HASHED = 1 << 15  # characters summed up at a time, so that they stay in the processor's cache
_FACTORS = np.full((2, 2 * HASHED), MULTIPLIER)
_FACTORS[1], _FACTORS[:, 0] = pow(int(MULTIPLIER), -1, 1 << 64), 1
_POWERS, _INVERSES = np.multiply.accumulate(_FACTORS, axis=1)  # of the multiplier


def stretch_keys(codes: Codes, begin: Ints | Ints32, end: Ints | Ints32) -> Keys:
    """Return the key of each stretch of some code points, in order, none longer than `HASHED`.

    It is a sum of characters times powers of a number, from differences of a running sum:

    >>> codes = np.frombuffer("to be to".encode("utf-32-le"), np.uint32)
    >>> one, other = stretch_keys(codes, np.array([0, 6]), np.array([2, 8])).tolist()
    >>> one == other
    True
    """
    keys = np.empty(len(begin), np.uint64)
    terms, running = np.empty(2 * HASHED, np.uint64), np.zeros(2 * HASHED + 1, np.uint64)
    cuts = np.searchsorted(begin, np.arange(0, len(codes) + HASHED + 1, HASHED))
    for first, last in pairwise(sorted({*cuts.tolist()})):
        low, high = int(begin[first]), int(end[last - 1])
        size = high - low
        np.multiply(codes[low:high], _POWERS[:size], out=terms[:size])
        np.cumsum(terms[:size], out=running[1 : size + 1])
        start = begin[first:last] - low
        key = running.take(end[first:last] - low)
        key -= running.take(start)
        np.multiply(key, _INVERSES.take(start), out=keys[first:last])
    return keys


class KeyIndex:
    """A hash table that numbers 64-bit keys, ten times as fast as a binary search.

    >>> index = KeyIndex(np.array([7, 99], np.uint64))
    >>> index.find(np.array([99, 5, 7], np.uint64)).tolist()
    [1, -1, 0]
    """

    def __init__(self, keys: Keys) -> None:
        self._keys = np.zeros(0, np.uint64)  # by number, not by slot: there are many more slots
        self._values = np.zeros(0, np.int32)  # number in each slot, -1 if it is free
        self.add(keys)

    def __len__(self) -> int:
        return len(self._keys)

    def _slots(self, keys: Keys) -> Ints:
        slots = keys * MULTIPLIER
        slots >>= np.uint64(65 - len(self._values).bit_length())
        return slots.view(np.int64)

    def add(self, keys: Keys) -> None:
        """Give the next numbers to ``keys``, which must be distinct and new."""
        values = np.arange(len(self._keys), len(self._keys) + len(keys), dtype=np.int32)
        self._keys = np.append(self._keys, keys)
        if 3 * len(self._keys) >= len(self._values):  # a load of a quarter keeps probes short
            size = 1 << max(6, (4 * len(self._keys)).bit_length())
            self._values = np.full(size, -1, np.int32)
            values = np.arange(len(self._keys), dtype=np.int32)
        slots = self._slots(self._keys.take(values))
        while len(values):
            free = self._values[slots] < 0
            self._values[slots[free]] = values[free]
            # Of several keys written to one slot the last stays; the others move on.
            lost = self._values[slots] != values
            values, slots = values[lost], (slots[lost] + 1) & (len(self._values) - 1)

    def find(self, keys: Keys) -> Ints32:
        """Return the number of each key, -1 if unknown."""
        if not len(self._keys):
            return np.full(len(keys), -1, np.int32)
        slots = self._slots(keys)
        values = self._values.take(slots)
        wrong = np.flatnonzero((self._keys.take(values) != keys) & (values >= 0))
        slots, keys = slots.take(wrong), keys.take(wrong)
        while len(wrong):
            slots = (slots + 1) & (len(self._values) - 1)
            value = self._values.take(slots)
            values[wrong] = value
            on = np.flatnonzero((self._keys.take(value) != keys) & (value >= 0))
            wrong, slots, keys = wrong.take(on), slots.take(on), keys.take(on)
        return values


def _distinct(keys: Keys) -> Ints:
    """Return a place of each key, in order; where keys recur, much faster than by sorting all."""
    last, places = np.zeros(1 << (2 * len(keys)).bit_length(), np.int64), np.arange(len(keys))
    slots = (keys * MULTIPLIER >> np.uint64(65 - len(last).bit_length())).view(np.int64)
    last[slots] = places
    kept = last.take(slots)
    some = np.flatnonzero((kept == places) | (keys.take(kept) != keys))
    return np.sort(some[np.unique(keys[some], return_index=True)[1]])


Describe = Callable[[Sequence[str]], Iterable[ArrayLike]]
"""Returns a value per string for each column."""


class StringTable:
    """Every string seen so far, with its properties; whoever keeps it clears it when it is long.

    >>> table = StringTable(lambda strings: ([*map(len, strings)],), {"length": int})
    >>> table.find(["to", "be", "or", "not", "to", "be"]).tolist()
    [0, 1, 2, 3, 0, 1]
    >>> table["length"].tolist()
    [2, 2, 2, 3]
    """

    def __init__(self, describe: Describe, columns: Mapping[str, type]) -> None:
        self._describe, self._types = describe, dict(columns)
        self.clear()

    def clear(self) -> None:
        """Forget every string."""
        self.strings: list[str] = []
        self._columns: dict[str, NDArray[Any]] = {n: np.zeros(0, t) for n, t in self._types.items()}
        self._numbers: dict[str, int] = {}
        self._index = KeyIndex(np.zeros(0, np.uint64))

    def __len__(self) -> int:
        return len(self.strings)

    def __getitem__(self, column: str) -> NDArray[Any]:
        """Return the property of every string, by number."""
        return self._columns[column][: len(self)]

    def add(self, strings: Sequence[str]) -> None:
        """Describe further strings."""
        known, size = len(self), len(self) + len(strings)
        described = [*self._describe(strings)]  # all, or none if this is interrupted
        for (name, column), values in zip([*self._columns.items()], described, strict=True):
            if len(column) < size:
                self._columns[name] = column = np.resize(column, 2 * size)
            column[known:size] = values
        self.strings += strings

    def find(self, strings: Sequence[str]) -> Ints:
        """Return the number of each string; those that are new get the next ones."""
        numbers = self._numbers
        if new := [string for string in dict.fromkeys(strings) if string not in numbers]:
            self.add(new)
            numbers.update(zip(new, count(len(self) - len(new))))
        return np.fromiter(map(numbers.__getitem__, strings), np.int64, len(strings))

    def find_keys(self, keys: Keys, text: str, begin: Ints | Ints32, end: Ints | Ints32) -> Ints:
        """Return the numbers of the strings at some places of a text, given their keys.

        So a string that is known need not be made, which takes most of the time.
        """
        number = self._index.find(keys).astype(np.int64)
        new = np.flatnonzero(number < 0)
        if len(new):
            some = new.take(_distinct(keys[new]))
            places = zip(begin[some].tolist(), end[some].tolist(), strict=True)
            del self.strings[len(self._index) :]  # what an interrupted call left there
            self.add([text[low:high] for low, high in places])
            self._index.add(keys[some])
            number[new] = self._index.find(keys[new])
        return number


# Texts that share the part J of their word triples agree in a band with probability
# 1 - (1 - J**ROWS)**BANDS (Leskovec, Rajaraman and Ullman 2014, "Mining of Massive Datasets",
# section 3.4): 0.95 at J = 0.8, 0.32 at J = 0.5, 0.01 at J = 0.2.
BANDS, ROWS = 6, 4  # of the MinHash: bands, and values in each
SHINGLE = 3  # words in a shingle
_SEEDS = np.array([key_of(f"minhash {i}") for i in range(BANDS * ROWS)], np.uint64)[:, None]
_BAND = np.array([key_of(f"band {i}") for i in range(BANDS)], np.uint64)


class TextHashes(NamedTuple):
    """Hashes of some texts, which reveal equal and nearly equal ones without keeping any text."""

    exact: Keys  # equal for texts that differ only in case, spacing and punctuation
    bands: Keys  # (n_texts, BANDS); texts that share a value are probably near-duplicates

    def columns(self) -> list[Keys]:
        """Return columns for `linked_groups`, in which a text without a word equals no other."""
        wordless, alone = self.exact == key_of(""), np.arange(len(self.exact), dtype=np.uint64)
        return [np.where(wordless, alone, column) for column in (self.exact, *self.bands.T)]

    def distinct(self) -> "TextHashes":
        """Return the hashes of the texts that differ."""
        rows = np.unique(self.exact, return_index=True)[1]
        return TextHashes(self.exact[rows], self.bands[rows])

    def found_in(self, others: "TextHashes") -> Bools:
        """Return which of these texts, or near-duplicates of them, are among the others."""
        exact, near = np.isin(self.exact, others.exact), np.isin(self.bands, others.bands)
        return exact | near.any(axis=1)


def hash_texts(texts: Sequence[str]) -> TextHashes:
    """Return the hashes of texts.

    >>> marks = hash_texts(["NATO warned Russia again.", "nato warned  Russia, again", "Rain"])
    >>> (marks.exact[:2] == marks.exact[1:]).tolist()
    [True, False]
    """
    place = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    exact, least = np.zeros(len(place), np.uint64), np.zeros((len(place), BANDS * ROWS), np.uint64)
    for number, text in enumerate(place):
        words = words_of(text[:MOST_READ])
        whole = " ".join(words)
        shingles = map(" ".join, zip(*(words[skip:] for skip in range(SHINGLE)), strict=False))
        mixed = (keys_of([*shingles] or [whole]) ^ _SEEDS) * MULTIPLIER
        mixed ^= mixed >> np.uint64(31)
        exact[number], least[number] = key_of(whole), mixed.min(axis=1)
    values = least.reshape(-1, BANDS, ROWS).transpose(2, 0, 1)
    bands = join_keys(key_of("band"), np.broadcast_to(_BAND, values.shape[1:]), *values)
    rows = [place[text] for text in texts]
    return TextHashes(exact[rows], bands[rows])


def linked_groups(columns: Iterable[Keys]) -> Ints:
    """Return a group number per row; rows that share a value of any column share a group.

    >>> linked_groups([np.array([1, 2, 3, 4]), np.array([7, 7, 8, 8])]).tolist()
    [0, 0, 1, 1]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows, firsts = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for column in columns:  # links each row to the first one with its value
        _, first, number = np.unique(column, return_index=True, return_inverse=True)
        rows, firsts = np.append(rows, np.arange(len(number))), np.append(firsts, first[number])
    if not len(rows):
        return rows
    size = int(rows.max()) + 1
    graph = coo_array((np.ones(len(rows), np.bool_), (rows, firsts)), (size, size))
    return connected_components(graph, directed=False)[1].astype(np.int64)
