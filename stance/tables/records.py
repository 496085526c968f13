"""Records of a table, one by one and many at once."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple, Self


class Record(NamedTuple):
    """One row of a table.

    Attributes
    ----------
    number : int
        1-based number of the record in its table; rejected records count.
    line : int
        1-based line where it starts.
    cells : tuple of str
        As many as the table has columns, as they went in.
    """

    number: int
    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Records:
    """Some records of a table, by column: from reading to writing, none is handled by itself.

    >>> records = Records.of([Record(1, 2, ("a", "NATO")), Record(2, 3, ("b", ""))])
    >>> records.columns[1]
    ['NATO', '']
    >>> list(records[1:])
    [Record(number=2, line=3, cells=('b', ''))]

    Attributes
    ----------
    numbers, lines : sequence of int
        See `Record`.
    columns : sequence of sequence of str
        The cells. They are not shown, since logs of a cluster show arguments.
    """

    numbers: Sequence[int]
    lines: Sequence[int]
    columns: Sequence[Sequence[str]] = field(repr=False)

    @classmethod
    def of(cls, records: Iterable[Record]) -> Self:
        """Return records that came one by one."""
        numbers, lines, rows = tuple(zip(*records, strict=True)) or ((), (), ())
        return cls(array("q", numbers), array("q", lines), list(map(list, zip(*rows, strict=True))))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the records of all parts, of which there are 1 or more."""
        if len(parts) == 1:
            return parts[0]
        numbers, lines = (
            array("q", chain.from_iterable(ints))
            for ints in ([part.numbers for part in parts], [part.lines for part in parts])
        )
        columns = zip(*(part.columns for part in parts), strict=True)
        return cls(numbers, lines, [list(chain.from_iterable(cells)) for cells in columns])

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[Record]:
        return map(Record, self.numbers, self.lines, zip(*self.columns, strict=True))

    def __getitem__(self, which: slice) -> Self:
        columns = [cells[which] for cells in self.columns]
        return type(self)(self.numbers[which], self.lines[which], columns)

    def characters(self) -> int:
        """Return how many characters all cells have."""
        return sum(sum(map(len, cells)) for cells in self.columns)
