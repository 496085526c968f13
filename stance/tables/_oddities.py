"""What is odd or wrong about a table: oddities are noted, faults are explained."""

import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from stance.display import count, shown
from stance.tables._bytes import MEGABYTE
from stance.tables._quoting import NAMES, QuoteFault, well_quoted
from stance.tables._reading import MAX_CELL, MAX_COLUMNS, Fault, Journal

MAX_RECORD_LINES = 100_000

_AROUND = " \t\r\n\0\"'\ufeff\u200b\xa0"  # around a name, unseen by a reader; and quotes
_LINE_END = re.compile("\r\n|\r|\n")
_OTHER_QUOTES = {"'": "'", "`": "`'", "‘": "’", "“": "”", "„": "“”", "«": "»", "|": "|"}


def separator_line(line: str) -> str:
    """Return the separator that a first line ``sep=;`` names, as Excel reads it, or nothing."""
    line = line.rstrip("\r\n")
    return line[4] if len(line) == 5 and line.lower().startswith("sep=") else ""


def name_columns(journal: Journal, names: Sequence[str], line: int) -> None:
    """Set the names of the columns; refuse duplicates, and note odd ones."""
    if fault := undecoded(names, names, line):
        raise journal.error(fault)
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        places = [str(place) for place, name in enumerate(names, 1) if name == twice[0]]
        what = f"column '{shown(twice[0])}' appears twice" if twice[0] else "columns have no name"
        reason = f"{what} (columns {' and '.join(places[:4])})"
        raise journal.error(Fault(line, "", reason, "give each its own name"))
    if not any(names):
        raise journal.error(Fault(line, "", "the header is blank", "name the columns"))
    journal.columns = tuple(names)
    if "" in names:
        journal.note(f"column {names.index('') + 1} has no name; it is kept as it is")
    odd = [name for name in names if name != name.strip(_AROUND) or not name.isprintable()]
    if odd:
        others = f" and {len(odd) - 1} more" if len(odd) > 1 else ""
        journal.note(
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
    """Finds records that repeat the names of the columns, in any order, case and spacing."""

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
    """Return whether a cell over several lines looks like the records that a quote swallowed."""
    # Then each line has, with the cells around it, as many separators as a record, and behind
    # them no space, as there is in prose. In a long one, the first and the last may be odd.
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
    """Return whether the lines that a bad record swallowed, and some more, are good records."""
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


def column_at(columns: Sequence[str], cell: int) -> str:
    """Return the name of a column for a message, or its number beyond the header."""
    return shown(columns[cell]) if cell < len(columns) else f"cell {cell + 1}"


def undecoded(cells: Sequence[str], columns: Sequence[str], line: int) -> Fault | None:
    """Return the fault of a record that holds a NUL or an undecodable byte."""
    for place, cell in enumerate(cells):
        name = column_at(columns, place)
        if "\0" in cell:
            advice = "the file is damaged or not text: export it again"
            return Fault(line, name, f"a NUL byte in column {name!r}", advice)
        try:
            cell.encode()
        except UnicodeEncodeError as error:
            byte = ord(cell[error.start]) - 0xDC00  # where it was salvaged
            what, advice = f"byte {byte:#04x} is not UTF-8", "name its encoding with --encoding"
            if byte < 0x80 or byte > 0xFF:
                what, advice = "half a character", "correct it"
            return Fault(line, name, f"{what} in column {name!r}", advice)
    return None


def too_long(cells: Sequence[str], columns: Sequence[str], line: int) -> Fault | None:
    """Return the fault of a record with a cell that no table out could hold."""
    name = next((column_at(columns, at) for at, c in enumerate(cells) if len(c) > MAX_CELL), None)
    if name is None:
        return None
    reason = f"more than {MAX_CELL // MEGABYTE} MB in column {name!r}"
    return Fault(line, name, reason, "split its text")


def ragged(cells: int, width: int, separator: str, line: int, lines: int, *, first: bool) -> Fault:
    """Return the fault of a record of another width than the header."""
    reason = f"{count(cells, 'cell')} where the header has {width}"
    if lines > 1:
        reason += f" (a quoted cell runs on to line {line + lines - 1})"
    if cells > width:
        advice = f"quote cells that hold {NAMES.get(separator, repr(separator))}"
    else:
        advice = "complete the row, and quote cells that hold line ends"
    if first and width == 1:
        advice = f"check that the line before it is the header, {advice}"
    return Fault(line, "", reason, advice)


def explain_quotes(found: QuoteFault | None, raw: str, line: int, columns: Sequence[str]) -> Fault:
    """Return the fault of a record that the csv module or the check of quotes refuses."""
    if found is None:
        return Fault(line, "", f"a cell of more than {MAX_CELL // MEGABYTE} MB", "split its text")
    name, at, opened = column_at(columns, found.cell), line + found.line, line + found.opened
    advice = "double each quote inside a cell and quote the cell"
    if '\\"' in raw:
        advice += " (here a backslash stands before the quote)"
    if found.kind == "stray":
        return Fault(at, name, f"a quote inside the unquoted column {name!r}", advice)
    if found.kind == "after":
        reason = f"text after the closing quote of column {name!r}, which opens in line {opened}"
        return Fault(at, name, reason, advice)
    limit = ""
    if len(raw) > MAX_CELL:
        limit = f" within {MAX_CELL // MEGABYTE} MB"
    elif raw.count("\n") > MAX_RECORD_LINES:
        limit = f" within {MAX_RECORD_LINES:,} lines"
    reason = f"the quote that opens in column {name!r} is never closed{limit}"
    return Fault(opened, name, reason, "close it, or double it if it is part of the text")


def too_wide(line: int) -> Fault:
    """Return the fault of a line that nobody wrote as a record."""
    advice = "no table has that many: check its separator and line ends"
    return Fault(line, "", f"more than {MAX_COLUMNS:,} columns", advice)
