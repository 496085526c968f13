"""Types of arrays everywhere in the package, and runs of numbers."""

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


def stretches(start: Ints, counts: Ints) -> Ints:
    """Return the numbers from each start on, so many of each, one after the other.

    >>> stretches(np.array([7, 2]), np.array([2, 3])).tolist()
    [7, 8, 2, 3, 4]
    """
    numbers = np.repeat(start - (np.cumsum(counts) - counts), counts)
    return numbers + np.arange(len(numbers))
