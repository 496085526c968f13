"""How the cells of a table are separated and quoted: detected, written, and faults found."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress, count, islice, repeat
from operator import contains
from typing import Literal

NAMES = {",": "','", ";": "';'", "\t": "tab", "|": "'|'"}
SEPARATORS = tuple(NAMES)
_SAMPLE = 100  # records that decide on the separator

QuoteFaultKind = Literal["stray", "after", "unclosed"]


@dataclass(frozen=True, slots=True)
class QuoteFault:
    """What is wrong with the quotes of a record; lines and cells are counted from 0 in it."""

    kind: QuoteFaultKind
    line: int  # where the fault shows
    opened: int  # where the cell begins
    cell: int


_INSIDE = re.compile('[^"]*+(?:""[^"]*+)*+')
_QUOTED = re.compile('"[^"]*+(?:""[^"]*+)*+"?')
_LINE = re.compile("[^\r\n]+")
_LINE_END = re.compile("\r\n|\r|\n")


@lru_cache
def _record(separator: str) -> re.Pattern[str]:
    mark = re.escape(separator)
    cell = f'(?:"[^"]*+(?:""[^"]*+)*+"|[^"{mark}\r\n]*+)'
    return re.compile(f"{cell}(?:{mark}{cell})*+[\r\n]*+")


def well_quoted(raw: str, separator: str) -> bool:
    """Return whether every quote of the record opens, closes or is doubled in a quoted cell."""
    return _record(separator).fullmatch(raw) is not None


def find_fault(raw: str, separator: str) -> QuoteFault | None:
    """Return the first fault in the quotes of one record, with its line end or without."""
    place = cell = 0
    while True:
        began = place
        if raw.startswith('"', place):
            found = _INSIDE.match(raw, place + 1)
            place = found.end() if found else len(raw)
            if place == len(raw):
                return _fault("unclosed", raw, began, began, cell)
            place += 1
            if place < len(raw) and raw[place] not in (separator, "\r", "\n"):
                return _fault("after", raw, place, began, cell)
        else:
            ends = [at for mark in (separator, "\r", "\n") if (at := raw.find(mark, place)) >= 0]
            place = min(ends, default=len(raw))
            quote = raw.find('"', began, place)
            if quote >= 0:
                return _fault("stray", raw, quote, began, cell)
        if not raw.startswith(separator, place):
            return None
        place += 1
        cell += 1


def _fault(kind: QuoteFaultKind, raw: str, place: int, began: int, cell: int) -> QuoteFault:
    line, opened = (len(_LINE_END.findall(raw, 0, end)) for end in (place, began))
    return QuoteFault(kind, line, opened, cell)


def most_cells(raw: str, separator: str) -> int:
    """Return how many cells the widest of some records has, without making them."""
    lines = _LINE.finditer(_QUOTED.sub("", raw))  # without quoted cells, each line is a record
    return 1 + max((line.group().count(separator) for line in lines), default=0)


def plain_columns(text: str, separator: str, width: int) -> list[list[str]] | None:
    r"""Return the columns of some lines where each line is a good record; else None.

    It gives what the csv module gives and `well_quoted` accepts, in a quarter of the time: the
    text is cut at its quotes, and only what is outside of them is searched for separators.

    >>> plain_columns('1,"a, ""b"" c"\n2,d\n', ",", 2)
    [['1', '2'], ['a, "b" c', 'd']]
    """
    pieces = text.split('"')
    inside = pieces[1::2]
    # Of a quoted cell, this keeps one quote, and one for each doubled quote in it.
    outside = '"'.join(pieces[::2])
    over_lines = [piece for piece in inside if "\n" in piece or "\r" in piece]
    if over_lines or len(pieces) % 2 == 0:  # where the last quoted cell is not closed
        return None
    if "\r" in outside:
        outside = outside.replace("\r\n", "\n").replace("\r", "\n")
    outside = outside.removesuffix("\n")
    ends = ["\n"] * outside.count("\n")
    cells = outside.replace("\n", f"{separator}\n{separator}").split(separator)
    if cells[width :: width + 1] != ends or len(cells) != (width + 1) * (len(ends) + 1) - 1:
        return None
    quoted = list(compress(count(), map(contains, cells, repeat('"'))))
    if sum([len(cells[place]) for place in quoted]) != len(inside) or (width == 1 and "" in cells):
        return None  # a quote beside other characters, or an empty line
    rest = iter(inside)
    for place in quoted:
        quotes = len(cells[place])
        cells[place] = next(rest) if quotes == 1 else '"'.join(islice(rest, quotes))
    return [cells[at :: width + 1] for at in range(width)]


def parse_sample(lines: Sequence[str], separator: str) -> list[list[str] | None]:
    """Return the first records, None for a bad one; the last may be cut off and is left out."""
    records: list[list[str] | None] = []
    reader = csv.reader(lines, delimiter=separator, strict=True)
    start = 0
    while len(records) < _SAMPLE:
        try:
            cells = next(reader)
        except StopIteration:
            return records
        except csv.Error:
            if reader.line_num == len(lines):
                return records
            cells = None
        raw = "".join(lines[start : reader.line_num])
        start = reader.line_num
        if cells != []:
            records.append(cells if cells and well_quoted(raw, separator) else None)
    return records


def detect(lines: Sequence[str], default: str) -> str | tuple[str, ...]:
    """Return the separator of a table from its first lines, or those that fit equally well."""
    shares: dict[str, float] = {}  # of records as wide as the header, for each that splits it
    for separator in SEPARATORS:
        records = parse_sample(lines, separator)
        widths = [len(cells or ()) for cells in records]
        if widths and widths[0] > 1:
            others = len(widths) - 1
            shares[separator] = widths[1:].count(widths[0]) / others if others else 0.0
    if not shares:
        return default
    best = max(shares.values())
    winners = tuple(separator for separator, share in shares.items() if share == best)
    if default in winners and default != ",":
        return default
    return winners[0] if len(winners) == 1 else winners
