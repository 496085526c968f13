"""Keeps the C library's heap warm over a long run; nothing on other systems than glibc.

Each part makes and frees arrays of some megabytes. Left to itself, glibc hands many of them back
to the system at once and gets them anew, page by page, which costs a tenth of the run's time.
"""

import contextlib
import ctypes
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters of mallopt(3)."""

_LARGEST = 32 * 1024 * 1024
"""Bytes of an array that the heap may hold; it is the most that glibc allows."""

_KEPT = 64 * 1024 * 1024
"""Free bytes at the end of the heap that are not handed back at once."""


@cache
def settle() -> None:
    """Set that up in a process that computes parts."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        library = ctypes.CDLL(None)
        library.mallopt(_MMAP_THRESHOLD, _LARGEST)
        library.mallopt(_TRIM_THRESHOLD, _KEPT)
