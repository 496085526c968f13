"""Types of arrays everywhere in the package, runs of numbers, and sums by group."""

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Ints8 = NDArray[np.int8]
Ints32 = NDArray[np.int32]
Ints = NDArray[np.int64]
Floats32 = NDArray[np.float32]
Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Codes = NDArray[np.uint32]  # code points
Keys = NDArray[np.uint64]  # of strings, see `stance.reading.keys`
Cells = NDArray[np.bytes_]  # of a table


def stretches(start: Ints | Ints32, counts: Ints) -> Ints:
    """Return the numbers from each start on, so many of each, one after the other.

    >>> stretches(np.array([7, 2]), np.array([2, 3])).tolist()
    [7, 8, 2, 3, 4]
    """
    numbers = np.repeat(start - (np.cumsum(counts) - counts), counts)
    numbers += np.arange(len(numbers))
    return numbers


def among(numbers: Ints | Ints32, some: Ints | Ints32) -> Bools:
    """Return which numbers are some of 0 or more; `np.isin` may load numpy's masked arrays."""
    chosen = np.zeros(int(max(numbers.max(initial=0), some.max(initial=0))) + 1, np.bool_)
    chosen[some] = True
    return chosen.take(numbers)


def tally(group: Ints, code: Ints | Ints8 | Bools, codes: int) -> Ints:
    """Return how often each code occurs in each group, of shape (n_groups, codes).

    >>> tally(np.array([7, 7, 2]), np.array([0, 0, 1]), 2).tolist()
    [[0, 1], [2, 0]]
    """
    names, place = np.unique(group, return_inverse=True)
    cells = np.bincount(place * codes + code, minlength=len(names) * codes)
    return cells.reshape(len(names), codes)


def sums_by(codes: Ints, values: Floats) -> Floats:
    """Return the sums of values, or of each column of them, by code.

    >>> sums_by(np.array([1, 0, 1]), np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])).tolist()
    [[3.0, 4.0], [6.0, 8.0]]
    """
    if values.ndim == 1:
        return np.bincount(codes, values).astype(np.float64)
    return np.stack([sums_by(codes, column) for column in values.T], axis=1)
