"""Distinct strings, numbered, with properties that are worked out once for each."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stance.arrays import Ints, Keys
from stance.reading.keys import KeyIndex

Describe = Callable[[Sequence[str]], Iterable[ArrayLike]]
"""Returns a value per string for each column."""


class Described:
    """Strings by number, with properties that are worked out once for each."""

    def __init__(self, describe: Describe, columns: Mapping[str, type]) -> None:
        self._describe, self._types = describe, dict(columns)
        self.clear()

    def clear(self) -> None:
        """Forget every string."""
        self.strings: list[str] = []
        self._columns: dict[str, NDArray[Any]] = {n: np.zeros(0, t) for n, t in self._types.items()}

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
                wider = np.empty(2 * size, column.dtype)
                wider[:known] = column[:known]
                self._columns[name] = column = wider
            column[known:size] = values
        self.strings += strings


class StringTable(Described):
    """Every string seen so far, with its properties; whoever keeps it clears it when it is long.

    >>> table = StringTable(lambda strings: ([*map(len, strings)],), {"length": int})
    >>> table.find(["to", "be", "or", "not", "to", "be"]).tolist()
    [0, 1, 2, 3, 0, 1]
    >>> table["length"].tolist()
    [2, 2, 2, 3]
    """

    def clear(self) -> None:
        """Forget every string."""
        super().clear()
        self._numbers: dict[str, int] = {}
        self._index = KeyIndex(np.zeros(0, np.uint64))
        self._place = np.zeros(0, np.int64)  # number of each key of the index

    def find(self, strings: Sequence[str]) -> Ints:
        """Return the number of each string; those that are new get the next ones."""
        numbers = self._numbers
        if new := [string for string in dict.fromkeys(strings) if string not in numbers]:
            self.add(new)
            numbers.update(zip(new, count(len(self) - len(new))))
        return np.fromiter(map(numbers.__getitem__, strings), np.int64, len(strings))

    def find_keys(self, keys: Keys, spell: Callable[[Ints], Sequence[str]]) -> Ints:
        """Return the number of the string of each key; ``spell`` gives the strings at some places.

        So a string that is known need not be made, which takes most of the time.
        """
        place = self._index.find(keys)
        new = np.flatnonzero(place < 0)
        if len(new):
            distinct, first = np.unique(keys[new], return_index=True)
            number = self.find(spell(new[first]))
            # Of the index: what an interrupted call left behind it has no key.
            self._place = np.append(self._place[: len(self._index)], number)
            self._index.add(distinct)
            place[new] = self._index.find(keys[new])
        return self._place.take(place)
