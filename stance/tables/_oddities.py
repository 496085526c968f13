"""The column names of a table: looked up, told from data, and what is odd about them."""

import unicodedata
from collections.abc import Iterator, Sequence

from stance.display import shown

_AROUND = " \t\r\n\0\"'\ufeff\u200b\xa0"
"""What may stand around a name without a reader seeing it, and quotes."""


def odd_names(columns: Sequence[str]) -> Iterator[str]:
    """Yield notes on names that are kept as they are, but were hardly meant so."""
    if "" in columns:
        yield f"column {columns.index('') + 1} has no name; it is kept as it is"
    odd = [name for name in columns if name != name.strip(_AROUND) or not name.isprintable()]
    if odd:
        others = f" and {len(odd) - 1} more" if len(odd) > 1 else ""
        yield (
            f"column name '{shown(odd[0])}'{others}: spaces, quotes and invisible characters in "
            "names and cells are kept"
        )


class Header:
    """Tells whether a record repeats the column names, as where two files were joined.

    Case, what stands around the names and their order make no difference.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._names = {folded(name) for name in columns} if len(columns) > 1 else set()
        self._longest = max(map(len, columns)) + 4

    def may_be(self, cell: str) -> bool:
        """Tell quickly whether the first cell of a record may be a column name."""
        return len(cell) <= self._longest and cell.strip(_AROUND).casefold() in self._names

    def among(self, cells: Sequence[str]) -> bool:
        """Tell whether one of the first cells of some records may be a column name."""
        text = "\n".join(cells).casefold()  # most often no name is even part of a cell
        return any(name in text for name in self._names) and any(map(self.may_be, cells))

    def is_repeated(self, cells: Sequence[str]) -> bool:
        """Tell whether the cells of a record are the column names."""
        return self.may_be(cells[0]) and self._names == set(map(folded, cells))


def folded(name: str) -> str:
    """Return a name without what is not seen: case, spaces, quotes, kinds of letters.

    >>> folded(" 'Text'\u200b")
    'text'
    """
    visible = (c for c in unicodedata.normalize("NFKC", name) if unicodedata.category(c) != "Cf")
    return "".join(visible).strip(_AROUND).casefold()
