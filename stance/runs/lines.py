"""What a part adds to its records, and the rows of the output that both make together.

A long table repeats the cells of a record in the row of each of its actors, its text among them.
The input has them already. So a part that waits in a file, or travels, is only what follows them::

    heads           times   ends
    a1,"NATO …",1,  2       NATO,1,favor,0.100000↵Russia,1,against,0.700000↵
    a2,Nothing.,2,  1       ,0,,↵
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from operator import mul
from typing import Self

import numpy as np

from stance.errors import DataError
from stance.tables.formats import HALF_CHARACTER, joined

BLOCK = 8_000_000
"""Bytes that are put together at a time: a text as long as a book may begin many rows."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Rows of a part as bytes; see the drawing above.

    Attributes
    ----------
    times : list of int or None
        Rows that begin with each head, 1 or more; None where the ends are whole rows.
    ends : bytes
        What follows, a line per row.
    """

    times: list[int] | None
    ends: bytes

    @classmethod
    def whole(cls, rows: bytes) -> Self:
        """Return rows that need no heads."""
        return cls(None, rows)

    def blocks(self, heads: Sequence[Sequence[str]], mark: str) -> Iterator[bytes]:
        """Yield the rows as they stand in the output.

        Parameters
        ----------
        heads : sequence of sequence of str
            Columns of the cells with which rows begin, each of shape (n_heads,).
        mark : str
            Separator.

        Raises
        ------
        DataError
            If a cell is no text.
        """
        if self.times is None:
            yield self.ends
            return
        starts = _encoded(heads, mark)
        pieces = [b""] * (2 * sum(self.times))
        pieces[::2] = chain.from_iterable(map(repeat, starts, self.times))
        pieces[1::2] = self.ends.splitlines(keepends=True)
        if sum(map(mul, map(len, starts), self.times)) + len(self.ends) > BLOCK:
            yield from _in_blocks(pieces)
        else:
            yield b"".join(pieces)

    def pack(self) -> bytes:
        """Return the lines as one string of bytes, to be read by `unpack`."""
        times = self.times or []
        return len(times).to_bytes(8, "little") + np.array(times, "<i4").tobytes() + self.ends

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Return what was packed."""
        count = int.from_bytes(data[:8], "little")
        times = np.frombuffer(data, "<i4", count, offset=8)
        return cls(times.tolist() or None, data[8 + times.nbytes :])


def _encoded(heads: Sequence[Sequence[str]], mark: str) -> list[bytes]:
    """Return each head with a separator behind it."""
    behind = [""] * len(heads[0])
    try:
        return [line.encode() for line in joined([*heads, behind], mark)]
    except UnicodeEncodeError as error:
        raise DataError(HALF_CHARACTER) from error


def _in_blocks(pieces: list[bytes]) -> Iterator[bytes]:
    block, size = list[bytes](), 0
    for piece in pieces:
        if block and size + len(piece) > BLOCK:
            yield b"".join(block)
            block, size = [], 0
        block.append(piece)
        size += len(piece)
    yield b"".join(block)
