"""Records of a table, one by one and many at once."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self


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
    columns : sequence of list of str
        The cells. They are not shown, since logs of a cluster show arguments.
    characters : int
        Of all cells, or of the lines where they stand, which have a few more.
    """

    numbers: Sequence[int]
    lines: Sequence[int]
    columns: Sequence[list[str]] = field(repr=False)
    characters: int

    @classmethod
    def of(cls, records: Iterable[Record]) -> Self:
        """Return records that came one by one."""
        numbers, lines, rows = tuple(zip(*records, strict=True)) or ((), (), ())
        columns = list(map(list, zip(*rows, strict=True)))
        return cls(numbers, lines, columns, _characters(columns))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the records of all parts, of which there are 1 or more."""
        return cls(
            _chained(part.numbers for part in parts),
            _chained(part.lines for part in parts),
            list(map(_chained, zip(*(part.columns for part in parts), strict=True))),
            sum(part.characters for part in parts),
        )

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[Record]:
        return map(Record, self.numbers, self.lines, zip(*self.columns, strict=True))

    def __getitem__(self, which: slice) -> Self:
        if which.indices(len(self)) == (0, len(self), 1):
            return self
        columns = [cells[which] for cells in self.columns]
        return type(self)(self.numbers[which], self.lines[which], columns, _characters(columns))


def _chained(parts: Iterable[Sequence[Any]]) -> list[Any]:
    whole: list[Any] = []
    for part in parts:
        whole += part
    return whole


def _characters(columns: Sequence[list[str]]) -> int:
    return sum(sum(map(len, cells)) for cells in columns)
