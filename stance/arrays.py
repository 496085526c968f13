"""Arrays: their types everywhere in the package, long ones in slices, and memory for products."""

import mmap
import sys
from collections.abc import Iterator
from functools import cache

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


def slices(size: int, parts: int = 1) -> Iterator[slice]:
    """Yield slices of so many entries, each of a few megabytes or one of so many ``parts`` of it.

    >>> [*slices(300_000)]
    [slice(0, 262144, None), slice(262144, 300000, None)]
    """
    most = max(1, AT_A_TIME // parts)
    for low in range(0, size, most):
        yield slice(low, min(low + most, size))


_ROOM = 40 << 20  # bytes: 32 MB that BLAS takes at a time in wheels, and what loads with it


def check_room() -> None:
    """Raise an error of memory unless BLAS can take some now: it would try to get it for ever."""
    if sys.platform == "linux":
        mmap.mmap(-1, _ROOM, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()


@cache
def take_buffer() -> None:
    """Have numpy's BLAS take what it works in, which it keeps, or raise an error of memory.

    Else it would do so at the first large product, and end the process if there is none by then.
    """
    check_room()
    one = np.ones((2, 2))
    one @ one.T  # unlike other small products, it needs the buffer
