"""The column names of a table: looked up, told from data, and what is odd about them."""

import difflib
import re
import unicodedata
from collections.abc import Iterator, Sequence

from stance.display import shown
from stance.errors import DataError
from stance.tables.quoting import SEPARATORS

_AROUND = " \t\r\n\0\"'\ufeff\u200b\xa0"
"""What may stand around a name without a reader seeing it, and quotes."""


def column(table_columns: Sequence[str], name: str, table_name: str, option: str = "") -> int:
    """Return the place of a column, or raise with the name that may be meant.

    Where an option of the command line names the column, it is part of the advice.

    >>> column(("id", "text"), "text", "mine.csv")
    1
    """
    if name in table_columns:
        return list(table_columns).index(name)
    advice = _advice(table_columns, name, option)
    raise DataError(f"{table_name}: no column '{shown(name)}'; {advice}")


def misnamed(table_columns: Sequence[str], names: Sequence[str], table_name: str) -> list[str]:
    """Return notes on columns that differ from optional ones in case or spaces alone.

    >>> misnamed(("text", "Actor"), ("actor", "spans"), "mine.csv")
    ["mine.csv: column 'Actor' is not taken for 'actor'; rename it if it is meant"]
    """
    wanted = {folded(name): name for name in names if name not in table_columns}
    return [
        f"{table_name}: column '{shown(found)}' is not taken for '{wanted[folded(found)]}'; "
        "rename it if it is meant"
        for found in table_columns
        if folded(found) in wanted
    ]


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


def _advice(columns: Sequence[str], name: str, option: str) -> str:
    wanted = folded(name)
    alike = [column for column in columns if folded(column) == wanted]
    if alike:
        or_else = f", or use {option} '{shown(alike[0])}'" if option else ""
        return f"rename '{shown(alike[0])}'{or_else}: case, spaces and quotes count"
    if len(columns) == 1 and (one := _unseparated(columns[0], wanted)):
        return one
    near = difflib.get_close_matches(wanted, [folded(column[:200]) for column in columns], n=1)
    if near:
        place = [folded(column[:200]) for column in columns].index(near[0])
        return f"did you mean {option}{' ' if option else ''}'{shown(columns[place])}'?"
    if any(map(_looks_like_data, columns)):
        return f"line 1 begins with '{shown(columns[0])}': is the line of column names missing?"
    listed = ", ".join(shown(column, 30) for column in columns[:8])
    or_else = f"; name the one that is meant with {option}" if option else ""
    return f"it has {listed}{' …' if len(columns) > 8 else ''}{or_else}"


def _unseparated(header: str, wanted: str) -> str | None:
    """Return advice where the only column holds the wanted name beside others."""
    mark = next((m for m in (*SEPARATORS, ":", " ") if wanted in map(folded, header.split(m))), "")
    quoted = "take off the quotes around it, or " if mark in SEPARATORS else ""
    advice = f"{quoted}name its separator with --delimiter"
    return f"the header is one column {shown(header)!r}; {advice}" if mark else None


def _looks_like_data(name: str) -> bool:
    return (
        len(name) > 60
        or name.count(" ") > 3
        or re.fullmatch(r"[+-]?\d[\d.,:/-]*", name) is not None
    )
