"""Rows of an output as bytes: printed probabilities, and whole columns of cells.

Several rows may begin with the same cells, those of one input record. What follows them stands in
columns of equally wide cells, padded with NUL, which no cell holds::

    input cells              owner   output cells
    a1  "NATO and Russia"  1 0       N A T O Ø Ø   1   f a v o r Ø Ø   0 . 1 0 0 0 0 0
                             0       R u s s i a   1   a g a i n s t   0 . 7 0 0 0 0 0
    a2  Nothing.           2 1       Ø Ø Ø Ø Ø Ø   0   Ø Ø Ø Ø Ø Ø Ø   Ø Ø Ø Ø Ø Ø Ø Ø

Without its NULs, this matrix of bytes is what follows the input cells, row after row.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeGuard

import numpy as np

from stance.arrays import Bools, Cells, Floats, Ints
from stance.records import NO_ANSWER
from stance.tables import Format
from stance.tables.output import join_cells

MILLION = 1_000_000

Column = Cells | Sequence[str]  # one per row: UTF-8 of limited length, or strings if long


def millionths(probabilities: Floats) -> Ints:
    """Round rows of probabilities to millionths that sum to one million, a column per class.

    The largest remainders are rounded up (Hamilton's method), of equal ones the first.

    >>> millionths(np.array([[1 / 3, 1 / 3, 1 / 3]])).tolist()
    [[333334], [333333], [333333]]
    """
    exact = np.ascontiguousarray(probabilities.T) * MILLION
    whole = np.floor(exact)
    rest = exact - whole
    rounded = whole.astype(np.int64)
    missing = MILLION - rounded.sum(axis=0)
    for place, share in enumerate(rest):
        ahead = (rest[:place] >= share).sum(axis=0) + (rest[place + 1 :] > share).sum(axis=0)
        rounded[place] += ahead < missing
    return rounded


def choose(parts: Ints, withheld: Bools, thresholds: Sequence[float] = ()) -> Ints:
    """Return the class of each row's largest printed probability, or `NO_ANSWER`."""
    best = parts.argmax(axis=0)
    if len(thresholds):
        withheld = withheld | (parts.max(axis=0) / MILLION < np.array(thresholds)[best])
    return np.where(withheld, NO_ANSWER, best)


def words(numbers: Ints, names: Sequence[str]) -> Cells:
    """Write numbers as names; `NO_ANSWER` is the last one."""
    return np.array([name.encode() for name in names]).take(numbers, mode="wrap")


def decimals(parts: Ints) -> Cells:
    """Write millionths as decimal fractions, such as 0.250000."""
    high, low = np.divmod(parts, 1000)
    return (_HIGH.take(high) | _LOW.take(low)).view("S8")


# Texts of eight bytes as numbers: `|` lays one over the other.
_HIGH = np.array([b"%d.%03d" % divmod(n, 1000) for n in range(1001)], "S8").view(np.int64)
_LOW = np.array([b"\0\0\0\0\0%03d" % n for n in range(1000)], "S8").view(np.int64)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a table; the drawing above."""

    input_cells: Sequence[Sequence[str]]  # columns, each of shape (n_records,)
    owner: Ints  # record of each row; never decreasing
    columns: Sequence[Column]  # output cells, each of shape (n_rows,)

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        records = list(zip(*self.input_cells, strict=True))
        tails = zip(*map(_strings, self.columns), strict=True)
        for number, tail in zip(self.owner.tolist(), tails, strict=True):
            yield (*records[number], *tail)

    def encode(self, form: Format) -> bytes:
        """Return the rows as bytes: those of the form's own `encode`, but faster."""
        plain = [column for column in self.columns if _is_plain(column, form.delimiter)]
        if form.kind != "csv" or form.excel_safe or len(plain) < len(self.columns):
            return form.encode(list(self))
        behind = [""] * len(self.input_cells[0])
        try:
            lines = join_cells([*self.input_cells, behind], form.delimiter)
            starts = [line.encode() for line in lines]
        except UnicodeEncodeError:
            return form.encode(list(self))  # raises, and says why
        pieces = [b""] * (2 * len(self.owner))
        pieces[::2] = map(starts.__getitem__, self.owner.tolist())
        pieces[1::2] = _joined_cells(plain, form.delimiter).splitlines(keepends=True)
        return b"".join(pieces)


def _strings(column: Column) -> Sequence[str]:
    if not isinstance(column, np.ndarray):
        return column
    return b"\0".join(column.tolist()).decode().split("\0") if len(column) else []


def _is_plain(column: Column, delimiter: str) -> TypeGuard[Cells]:
    """Return whether a column can go into the matrix: its cells are short and need no quotes."""
    if not isinstance(column, np.ndarray) or not delimiter.isascii():
        return False
    data = column.tobytes()
    return not any(sign.encode() in data for sign in (delimiter, '"', "\n", "\r"))


def _joined_cells(columns: Sequence[Cells], delimiter: str) -> bytes:
    """Return the rows of some columns, with their line ends."""
    size = len(columns[0])
    between, end = (np.full((size, 1), ord(sign), np.uint8) for sign in (delimiter, "\n"))
    wide = (np.ascontiguousarray(c).view(np.uint8).reshape(size, c.itemsize) for c in columns)
    parts = [part for cells in wide for part in (cells, between)]
    matrix = np.concatenate([*parts[:-1], end], axis=1)
    return matrix[matrix > 0].tobytes()
