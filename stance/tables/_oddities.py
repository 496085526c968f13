"""What is odd about a table that can be read all the same: each oddity is noted or refused."""

import csv
import re
import unicodedata
from collections.abc import Iterator, Sequence

from stance.display import shown
from stance.tables._quoting import well_quoted

_AROUND = " \t\r\n\0\"'\ufeff\u200b\xa0"
"""What may stand around a name without a reader seeing it, and quotes."""

_LINE_END = re.compile("\r\n|\r|\n")
_OTHER_QUOTES = {"'": "'", "`": "`'", "‘": "’", "“": "”", "„": "“”", "«": "»", "|": "|"}


# --- Headers ---------------------------------------------------------------------------------


def separator_line(line: str) -> str:
    """Return the separator that a first line ``sep=;`` names, as Excel reads it, or nothing."""
    line = line.rstrip("\r\n")
    return line[4] if len(line) == 5 and line.lower().startswith("sep=") else ""


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


def folded(name: str) -> str:
    """Return a name without what is not seen: case, spaces, quotes, kinds of letters.

    >>> folded(" 'Text'\u200b")
    'text'
    """
    visible = (c for c in unicodedata.normalize("NFKC", name) if unicodedata.category(c) != "Cf")
    return "".join(visible).strip(_AROUND).casefold()


class Header:
    """Finds records that repeat the column names, as where two files were joined.

    Case, what stands around the names and their order make no difference.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._names = {folded(name) for name in columns} if len(columns) > 1 else set()
        self._longest = max(map(len, columns)) + 4

    def among(self, cells: Sequence[str]) -> bool:
        """Return whether one of the first cells of some records may be a column name."""
        text = "\n".join(cells).casefold()  # most often no name is even part of a cell
        return any(name in text for name in self._names) and any(map(self._may_be, cells))

    def is_repeated(self, cells: Sequence[str]) -> bool:
        """Return whether the cells of a record are the column names."""
        return self._may_be(cells[0]) and self._names == set(map(folded, cells))

    def _may_be(self, cell: str) -> bool:
        return len(cell) <= self._longest and cell.strip(_AROUND).casefold() in self._names


# --- Records ---------------------------------------------------------------------------------


def says_one_thing(cells: Sequence[str]) -> bool:
    """Return whether all cells are alike, as in a line of dashes or types below the header."""
    return len(cells) > 1 and len(set(cells)) == 1 and cells[0] != ""


def quoted_otherwise(cells: Sequence[str]) -> bool:
    """Return whether every cell of a record stands in quotes that are not those of CSV."""
    first = cells[0][:1]
    if first not in _OTHER_QUOTES or len(cells) == 1:
        return False
    closing = _OTHER_QUOTES[first]
    return all(len(c) > 1 and c[0] == first and c[-1] in closing for c in cells)


def any_quoted_otherwise(columns: Sequence[Sequence[str]]) -> bool:
    """Return whether one of some records is `quoted_otherwise`."""
    places = [place for place, cell in enumerate(columns[0]) if cell[:1] in _OTHER_QUOTES]
    return any(quoted_otherwise([cells[place] for cells in columns]) for place in places)


def holds_records(cells: Sequence[str], separator: str) -> bool:
    """Return whether a cell over several lines looks like the records that a quote swallowed.

    Then each line has, with the cells around it, as many separators as a record, and behind
    them no space, as there is in prose. In a long one, the first and the last may be odd.
    """
    last = len(cells) - 1
    for place, cell in enumerate(cells):
        lines = _LINE_END.split(cell)
        if last and len(lines) > 1 and f"{separator} " not in cell:
            separators = [line.count(separator) for line in lines]
            separators[0] += place
            separators[-1] += last - place
            if set(separators[1:-1] if len(lines) > 3 else separators) == {last}:
                return True
    return False


def reads_as_records(lines: Sequence[str], swallowed: int, separator: str, width: int) -> bool:
    """Return whether the lines after a bad record's first are good records by themselves.

    Parameters
    ----------
    lines : sequence of str
        Those that the record swallowed, and some more.
    swallowed : int
        How many it swallowed.
    """
    if width == 1:
        return False  # any line would
    reader = csv.reader(lines, delimiter=separator, strict=True)
    start = good = 0
    while start < min(swallowed, len(lines)):
        try:
            cells = next(reader)
        except (csv.Error, StopIteration):
            return good > 0 and reader.line_num == len(lines)
        raw = "".join(lines[start : reader.line_num])
        if len(cells) != width or not well_quoted(raw, separator):
            return False
        start, good = reader.line_num, good + 1
    return good > 0
