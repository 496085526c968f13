"""Arrays: what a signature calls their types everywhere in the package, and long ones in slices."""

from collections.abc import Iterator

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


AT_A_TIME = 1 << 18  # entries, so that a paragraph as long as a book takes little memory


def slices(size: int, most: int = AT_A_TIME) -> Iterator[slice]:
    """Yield slices of so many entries, each of a few megabytes.

    >>> [*slices(300_000)]
    [slice(0, 262144, None), slice(262144, 300000, None)]
    """
    for low in range(0, size, most):
        yield slice(low, min(low + most, size))
