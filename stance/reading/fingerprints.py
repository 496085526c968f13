"""Compact hashes of texts: tell equal and nearly equal ones without keeping any text."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stance.arrays import Bools, Ints, Keys
from stance.reading.keys import (
    MULTIPLIER,
    join_keys,
    key_of,
)
from stance.reading.text import words_of

BANDS, ROWS = 6, 4
"""Bands of the MinHash and values in each.

Texts that share the part J of their word triples agree in a band with probability
1 - (1 - J**ROWS)**BANDS (Leskovec, Rajaraman and Ullman 2014, "Mining of Massive Datasets",
section 3.4): 0.95 at J = 0.8, 0.32 at J = 0.5, 0.01 at J = 0.2.
"""

SHINGLE = 3
"""Words in a shingle."""

_SEEDS = np.array([key_of(f"minhash {i}") for i in range(BANDS * ROWS)], np.uint64)[:, None]
_BAND = np.array([key_of(f"band {i}") for i in range(BANDS)], np.uint64)


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """Fingerprints of some texts.

    Attributes
    ----------
    exact : ndarray of uint64 of shape (n_texts,)
        Equal for texts that differ in nothing but case, spacing and punctuation.
    bands : ndarray of uint64 of shape (n_texts, BANDS)
        Texts that share one value are probably near-duplicates.
    """

    exact: Keys
    bands: Keys

    def found_in(self, others: "Fingerprints") -> Bools:
        """Return which of these texts, or near-duplicates of them, are among the others."""
        near = np.isin(self.bands, others.bands).any(axis=1)
        found: Bools = self.copied_from(others) | near
        return found

    def copied_from(self, others: "Fingerprints") -> Bools:
        """Return which of these texts are among the others, but for what `exact` overlooks."""
        return np.isin(self.exact, others.exact)


def fingerprint(texts: Sequence[str]) -> Fingerprints:
    """Return the fingerprints of texts.

    Examples
    --------
    >>> marks = fingerprint(["NATO warned Russia again.", "nato warned  Russia, again", "Rain"])
    >>> (marks.exact[:2] == marks.exact[1:]).tolist()
    [True, False]
    """
    exact = np.zeros(len(texts), np.uint64)
    bands = np.zeros((len(texts), BANDS), np.uint64)
    for number, text in enumerate(texts):
        words = words_of(text)
        exact[number] = key_of(" ".join(words))
        shingles = {" ".join(words[i : i + SHINGLE]) for i in range(len(words) - SHINGLE + 1)}
        keys = np.array([key_of(s) for s in shingles or {" ".join(words)}], np.uint64)
        mixed = (keys[None, :] ^ _SEEDS) * MULTIPLIER
        least = (mixed ^ (mixed >> np.uint64(31))).min(axis=1).reshape(BANDS, ROWS)
        bands[number] = join_keys(key_of("band"), _BAND, *least.T)
    return Fingerprints(exact, bands)


def linked_groups(columns: Sequence[Keys]) -> Ints:
    """Return a group number per row; rows that share a value of any column share a group.

    Examples
    --------
    >>> linked_groups([np.array([1, 2, 3, 4]), np.array([7, 7, 8, 8])]).tolist()
    [0, 0, 1, 1]
    """
    count = len(columns[0])
    parent = list(range(count))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for column in columns:
        first: dict[int, int] = {}
        for number, value in enumerate(column.tolist()):
            left, right = root(number), root(first.setdefault(value, number))
            parent[max(left, right)] = min(left, right)
    _, group = np.unique([root(i) for i in range(count)], return_inverse=True)
    return group.astype(np.int64).reshape(count)
