"""How the cells of a table are separated and quoted: detected, parsed, and faults explained."""

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from stance.display import count
from stance.tables.sources import MEGABYTE, line_ends
from stance.tables.table import MAX_CELL, MAX_COLUMNS, Fault, Table, column_at

NAMES = {",": "','", ";": "';'", "\t": "tab", "|": "'|'"}
SEPARATORS = tuple(NAMES)
MAX_RECORD_LINES = 100_000
_SAMPLE, _SAMPLE_LINES = 100, 512  # records that decide on the separator, and lines of them
DOUBTFUL = re.compile(r'\s+"|.*(""|\\")|[^"]*"\s*$', re.DOTALL)
"""An unquoted cell whose quotes say that quoting went wrong: a space before an opening quote,
doubled quotes without the outer ones, an escape that CSV does not have, a closing quote alone."""


def detect(lines: Sequence[str], default: str, quotes: bool, line: int, table: Table) -> str:
    """Return the separator with which most of the first records are as wide as the header."""
    sample = [each for each in lines[:_SAMPLE_LINES] if len(each) <= MEGABYTE]
    shares: dict[str, float] = {}
    for mark in SEPARATORS:
        widths = _widths(sample, mark, quotes)
        if widths and widths[0] > 1:
            shares[mark] = widths[1:].count(widths[0]) / max(1, len(widths) - 1)
    best = [mark for mark, share in shares.items() if share == max(shares.values())]
    if not best or (default in best and default != ","):
        return default
    if len(best) > 1:
        reason = f"the separator may be {' or '.join(NAMES[mark] for mark in best)}"
        raise table.error(Fault(line, "", reason, "name it with --delimiter"))
    return best[0]


def _widths(lines: Sequence[str], mark: str, quotes: bool) -> list[int]:
    """Return how many cells the first records have, 0 for a bad one; the last may be cut off."""
    widths = []
    for end, cells in islice(parsed(lines, 0, mark, quotes), _SAMPLE):
        if isinstance(cells, list) and cells:
            widths.append(len(cells))
        elif isinstance(cells, str) and end < len(lines):
            widths.append(0)
    return widths


def parsed(
    lines: Sequence[str], start: int, mark: str, quotes: bool
) -> Iterator[tuple[int, list[str] | str]]:
    """Yield the line after each record, and its cells or why the csv module refuses it."""
    rest = map(lines.__getitem__, range(start, len(lines)))
    options: Any = {} if quotes else {"quoting": csv.QUOTE_NONE}
    reader = csv.reader(rest, delimiter=mark, strict=True, **options)
    cells: list[str] | str | None = ""
    while cells is not None:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            cells = str(error)
        if cells is not None:
            yield start + reader.line_num, cells


def unquoted_cells(raw: str, mark: str) -> list[str]:
    """Return the unquoted cells with quotes inside of a record that the csv module accepts."""
    cells = re.findall(f'"(?:[^"]++|"")*+"|[^{re.escape(mark)}\r\n]++', raw)
    return [cell for cell in cells if '"' in cell and not cell.startswith('"')]


def explain_quotes(raw: str, mark: str, line: int, columns: Sequence[str]) -> Fault:
    """Return the fault of a record whose quotes are wrong, or one of whose cells is too long."""
    grammar = re.compile(f'(")(?:[^"]++|"")*+("?+)|[^"{re.escape(mark)}\r\n]*+')
    place = end = cell = 0
    is_quoted, is_closed, after = "", "", mark
    while (found := grammar.match(raw, place)) and after == mark:
        end, is_quoted, is_closed = found.end(), found[1], found[2]
        after = raw[end : end + 1]
        if after == mark:
            place, cell = end + 1, cell + 1
    name = column_at(columns, cell)
    opened, at = line + line_ends(raw[:place]), line + line_ends(raw[:end])
    advice = "double each quote inside a cell and quote the cell, or use --quoting none"
    if '\\"' in raw:
        advice += " (here a backslash stands before the quote)"
    if is_quoted and not is_closed:
        limit = f" within {MAX_RECORD_LINES:,} lines" if at - line > MAX_RECORD_LINES else ""
        limit = f" within {MAX_CELL // MEGABYTE} MB" if len(raw) > MAX_CELL else limit
        reason = f"the quote that opens in column {name!r} is never closed{limit}"
        advice = "close it, or use --quoting none if the table never quotes"
        return Fault(opened, name, reason, advice)
    if is_quoted and after not in ("\r", "\n", ""):
        reason = f"text after the closing quote of column {name!r}, which opens in line {opened}"
        return Fault(at, name, reason, advice)
    if after == '"':
        return Fault(at, name, f"a quote inside the unquoted column {name!r}", advice)
    return Fault(line, "", f"a cell of more than {MAX_CELL // MEGABYTE} MB", "split its text")


def most_cells(text: str, mark: str, quotes: bool) -> int:
    """Return how many cells the widest of some records has, without making them."""
    quoted = '"[^"]*+(?:""[^"]*+)*+"?'  # without these, each line is a record
    outside = re.sub(quoted, "", text) if quotes else text
    return 1 + max(line.count(mark) for line in re.split("[\r\n]", outside))


def too_wide(line: int) -> Fault:
    """Return the fault of a line that nobody wrote as a record."""
    advice = "no table has that many: check its separator and line ends"
    return Fault(line, "", f"more than {MAX_COLUMNS:,} columns", advice)


def ragged(table: Table, cells: int, mark: str, line: int, lines: int) -> Fault:
    """Return the fault of a record of some lines that is not as wide as the header."""
    width = len(table.columns)
    reason = f"{count(cells, 'cell')} where the header has {width}"
    if lines > 1:
        reason += f" (a quoted cell runs on to line {line + lines - 1})"
    advice = "complete the row, and quote cells that hold line ends"
    if cells > width:
        advice = f"quote cells that hold {NAMES.get(mark, repr(mark))}"
    if not table.records_in and width == 1:
        advice = f"check that the line before it is the header, {advice}"
    return Fault(line, "", reason, advice)
