"""Encoded rows on their way to the output: what several rows begin with is kept once.

A long table repeats the cells of a record in the row of each of its actors, its text among them.
So a part that waits in a file, or travels, is less than half as large as it is in the output::

    starts          times   ends
    a1,"NATO …",1,  2       NATO,1,favor,0.100000↵Russia,1,against,0.700000↵
    a2,Nothing.,2,  1       ,0,,↵
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, pairwise, repeat
from operator import mul
from typing import Self

import numpy as np

BLOCK = 8_000_000
"""Bytes that are put together at a time: a text as long as a book may begin many rows."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Rows of a part as bytes; see the drawing above.

    Attributes
    ----------
    starts : list of bytes
        What rows begin with, with the separator behind it.
    times : list of int
        Rows that begin with each, 1 or more.
    ends : bytes
        What follows, a line per row; empty where the starts are whole rows.
    """

    starts: list[bytes]
    times: list[int]
    ends: bytes

    @classmethod
    def whole(cls, rows: bytes) -> Self:
        """Return lines of which nothing is known to be alike."""
        return cls([rows], [1], b"")

    def blocks(self) -> Iterator[bytes]:
        """Yield the rows as they stand in the output."""
        starts = list(chain.from_iterable(map(repeat, self.starts, self.times)))
        ends = self.ends.splitlines(keepends=True) or [b""] * len(starts)
        pieces = [b""] * (2 * len(starts))
        pieces[::2], pieces[1::2] = starts, ends
        if sum(map(mul, map(len, self.starts), self.times)) + len(self.ends) > BLOCK:
            yield from _in_blocks(pieces)
        else:
            yield b"".join(pieces)

    def pack(self) -> bytes:
        """Return the lines as one string of bytes, to be read by `unpack`."""
        sizes = np.array([list(map(len, self.starts)), self.times], "<i8")
        count = len(self.starts).to_bytes(8, "little")
        return b"".join([count, sizes.tobytes(), *self.starts, self.ends])

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Return what was packed."""
        count = int.from_bytes(data[:8], "little")
        sizes, times = np.frombuffer(data, "<i8", 2 * count, offset=8).reshape(2, count)
        bounds = np.cumsum([8 + sizes.nbytes + times.nbytes, *sizes]).tolist()
        pieces = [data[low:high] for low, high in pairwise(bounds)]
        return cls(pieces, times.tolist(), data[bounds[-1] :])


def _in_blocks(pieces: list[bytes]) -> Iterator[bytes]:
    block, size = list[bytes](), 0
    for piece in pieces:
        if block and size + len(piece) > BLOCK:
            yield b"".join(block)
            block, size = [], 0
        block.append(piece)
        size += len(piece)
    yield b"".join(block)
