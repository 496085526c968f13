"""Keeps the C library's heap warm but small over a long run; nothing on other systems than glibc.

Each part makes and frees arrays of some megabytes. Left to itself, glibc hands many of them back
to the system at once and gets them anew, page by page, which costs a tenth of the run's time; and
the others leave holes between small objects, so that the heap grows by a third over 100 parts.
"""

import contextlib
import ctypes
import itertools

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters of mallopt(3)."""

_LARGEST = 32 * 1024 * 1024
"""Bytes of an array that the heap may hold; it is the most that glibc allows."""

_KEPT = 64 * 1024 * 1024
"""Free bytes at the end of the heap that are not handed back at once."""

_EVERY = 16
"""Parts after which all holes are handed back: it takes as long as a tenth of a part."""

_parts = itertools.count()


def settle() -> None:
    """Do what is due; to be called once for each part that a process computes."""
    part = next(_parts)
    if part and part % _EVERY:
        return
    with contextlib.suppress(AttributeError, OSError, TypeError):
        library = ctypes.CDLL(None)
        if part:
            library.malloc_trim(0)
        else:
            library.mallopt(_MMAP_THRESHOLD, _LARGEST)
            library.mallopt(_TRIM_THRESHOLD, _KEPT)
