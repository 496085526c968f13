"""Rows of an output as bytes, put together from whole columns.

Several rows may begin with the same cells, those of one input record; they are encoded once. What
follows stands in columns of equally wide cells, filled up with NUL, which no cell holds::

    heads                    owner   columns
    a1  "NATO and Russia"  1 0       N A T O Ø Ø   1   f a v o r Ø Ø   0 . 1 0 0 0 0 0
                             0       R u s s i a   1   a g a i n s t   0 . 7 0 0 0 0 0
    a2  Nothing.           2 1       Ø Ø Ø Ø Ø Ø   0   Ø Ø Ø Ø Ø Ø Ø   Ø Ø Ø Ø Ø Ø Ø Ø

With separators between the columns and a line end after them this is one matrix of bytes. Without
its NULs it is what follows the heads, row after row::

    N A T O Ø Ø , 1 , f a v o r Ø Ø , 0 . 1 0 0 0 0 0 ↵    ->    NATO,1,favor,0.100000↵
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress, count
from operator import itemgetter
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from stance.reading.tokens import Bytes, Ints
from stance.runs.lines import Lines
from stance.tables.formats import FORMULA_STARTS, Format, is_formula

Column = NDArray[np.bytes_] | Sequence[str]
"""Cells, one per row: as UTF-8 of limited length, or where they may be long as strings."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a table; see the drawing above.

    Attributes
    ----------
    heads : sequence of sequence of str
        Columns of the cells with which rows begin, each of shape (n_heads,).
    owner : ndarray of shape (n_rows,)
        Number of the head of each row; never decreasing.
    columns : sequence of Column
        The cells that follow, each of shape (n_rows,).
    """

    heads: Sequence[Sequence[str]]
    owner: Ints
    columns: Sequence[Column]

    def __len__(self) -> int:
        return len(self.owner)

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        """Yield all cells of each row."""
        heads = list(zip(*self.heads, strict=True))
        tails = zip(*map(_strings, self.columns), strict=True)
        for number, tail in zip(self.owner.tolist(), tails, strict=True):
            yield (*heads[number], *tail)

    def encode(self, form: Format) -> Lines:
        """Return what makes, with the heads, exactly the bytes of the form's own `encode`."""
        plain = [column for column in self.columns if _is_plain(column, form.delimiter)]
        if form.kind != "csv" or form.excel_safe or len(plain) < len(self.columns):
            return Lines.whole(form.encode(list(self)))
        return Lines(np.bincount(self.owner).tolist(), _ends(plain, form.delimiter))

    def formulas(self) -> int:
        """Return how many cells a spreadsheet might run."""
        times = np.bincount(self.owner)
        heads = [times[_formulas(column)] for column in self.heads]
        return sum(int(found.sum()) for found in heads) + sum(map(_count, self.columns))


def _strings(column: Column) -> Sequence[str]:
    if not isinstance(column, np.ndarray):
        return column
    return b"\0".join(column.tolist()).decode().split("\0") if len(column) else []


def _count(column: Column) -> int:
    if isinstance(column, np.ndarray):
        if not _SUSPECT.take(_bytes(column)[:, 0]).any():
            return 0
        column = _strings(column)
    return len(_formulas(column))


def _formulas(column: Sequence[str]) -> list[int]:
    """Return where in a column the cells stand that a spreadsheet might run."""
    if FORMULA_STARTS.isdisjoint(map(_start, column)):
        return []
    suspect = compress(count(), map(FORMULA_STARTS.__contains__, map(_start, column)))
    return [at for at in suspect if is_formula(column[at])]


_start = itemgetter(slice(1))
_SUSPECT = np.isin(np.arange(256), [ord(sign) for sign in FORMULA_STARTS])


def _is_plain(column: Column, mark: str) -> TypeGuard[NDArray[np.bytes_]]:
    """Tell whether a column can go into the matrix: its cells are short and need no quotes."""
    if not isinstance(column, np.ndarray) or not mark.isascii():
        return False
    data = column.tobytes()
    return not any(sign.encode() in data for sign in (mark, '"', "\n", "\r"))


def _ends(columns: Sequence[NDArray[np.bytes_]], mark: str) -> bytes:
    """Return the rows of some columns, with their line ends."""
    size = len(columns[0])
    between, end = (np.full((size, 1), ord(sign), np.uint8) for sign in (mark, "\n"))
    parts = [part for column in columns for part in (_bytes(column), between)]
    matrix = np.concatenate([*parts[:-1], end], axis=1)
    return matrix[matrix > 0].tobytes()


def _bytes(column: NDArray[np.bytes_]) -> Bytes:
    """Return the bytes of each cell, of shape (n_rows, width)."""
    cells: Bytes = np.ascontiguousarray(column).view(np.uint8)
    return cells.reshape(len(column), column.itemsize)
