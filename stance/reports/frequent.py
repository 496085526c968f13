"""The frequent names of a stream, in memory that does not grow with it."""

from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b

CAPACITY = 20_000
"""Names that are told apart."""

LONGEST = 120
"""Characters of a name; of longer ones the rest is a hash."""


class Frequent:
    """Counts of names: exact up to `CAPACITY` names, and beyond that of the frequent ones.

    With more names, counts may be too low by ``lost``, which is at most the number of all
    occurrences divided by the capacity; every name that occurs more often than that is kept
    (Misra and Gries 1982, "Finding repeated elements"; Agarwal et al. 2013, "Mergeable Summaries").

    Attributes
    ----------
    counts : Counter
    lost : int
    distinct : int
        How many names there are, or where counts are lost, at least.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.counts: Counter[str] = Counter()
        self.lost = 0
        self.distinct = 0
        self._capacity = capacity

    def add(self, names: Iterable[str]) -> None:
        """Count some names."""
        self.counts.update(names)
        self.distinct = max(self.distinct, len(self.counts))
        if len(self.counts) > 2 * self._capacity:
            self._shrink()

    def _shrink(self) -> None:
        least = sorted(self.counts.values(), reverse=True)[self._capacity]
        self.counts = Counter({k: n - least for k, n in self.counts.items() if n > least})
        self.lost += least

    def first(self, most: int) -> list[str]:
        """Return the most frequent names, of equal ones in the order of the alphabet."""
        return sorted(self.counts, key=lambda name: (-self.counts[name], name))[:most]


def bounded(name: str) -> str:
    """Return a name, or of a long one its beginning and a hash of all of it."""
    if len(name) <= LONGEST:
        return name
    digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return f"{name[: LONGEST - 10]}…{digest}"
