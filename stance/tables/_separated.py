"""Records of cells between separators: plain lines at once, all else by a strict csv module."""

import csv
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat

from stance.display import count
from stance.tables import _oddities as oddities
from stance.tables._oddities import MAX_RECORD_LINES, Header, undecoded
from stance.tables._quoting import (
    NAMES,
    QuoteFault,
    detect,
    find_fault,
    most_cells,
    plain_columns,
    well_quoted,
)
from stance.tables._reading import MAX_CELL, MAX_COLUMNS, Fault, Journal, Record, Records, together
from stance.tables._sources import MAX_LINE, Block, Source

_LONG = 64 * 1024  # only beyond this can a line hold more than MAX_COLUMNS cells worth fearing
_HEADER_LINES = 1_000
_BLOCK_LINES = 512  # read together where they need care
_RESYNC = 100  # records that must look right before a stray quote is believed to be one


@dataclass(frozen=True, slots=True)
class _Shape:
    """What every record of a table must look like."""

    separator: str
    columns: tuple[str, ...]
    header: Header


def read_separated(
    source: Source, journal: Journal, asked: str | None, default: str
) -> tuple[str, Generator[Records]]:
    """Return the separator, `asked` or detected, and the good records in order, some at a time."""
    csv.field_size_limit(MAX_CELL)  # global to the process, so only ever set to this
    top = _Top(source)
    noted = oddities.separator_line(top.lines[0]) if top.lines else ""
    if noted:
        journal.note("line 1 names the separator and is not a record")
        top.drop(1)
    separator = asked or noted or _detect(top, default, journal)
    cells = _header(top, separator, journal)
    shape = _Shape(separator, tuple(cells), Header(cells))
    return separator, _blocks(source, top.rest(), shape, journal)


class _Top:
    """The first lines of a table, as many as are needed to find the header."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._blocks = source.blocks()
        self._odd = False
        self.lines: list[str] = []
        self.first = 1
        self.fill()

    def fill(self) -> bool:
        """Read more lines; return whether there were any."""
        block = next(self._blocks, None)
        if block:
            self.lines += block.lines
            self._odd |= block.odd
            self._source.line = self.first + len(self.lines)
        return block is not None

    def drop(self, lines: int) -> None:
        del self.lines[:lines]
        self.first += lines

    def rest(self) -> Iterator[Block]:
        """Return all lines of the table that are left."""
        self._source.line = self.first
        return chain([Block("".join(self.lines), self._odd)], self._blocks)


def _detect(top: _Top, default: str, journal: Journal) -> str:
    while len(top.lines) < _RESYNC and sum(map(len, top.lines)) < _LONG and top.fill():
        pass
    sample = [line for line in top.lines[:_BLOCK_LINES] if len(line) <= 16 * _LONG]
    found = detect(sample, default)
    if isinstance(found, str):
        return found
    reason = f"the separator may be {' or '.join(NAMES[mark] for mark in found)}"
    raise journal.error(Fault(top.first, "", reason, "name it with --delimiter"))


def _header(top: _Top, separator: str, journal: Journal) -> list[str]:
    """Take the names of the columns from the first lines."""
    _skip_empty_lines(top, journal)
    if len(top.lines[0]) > 16 * _LONG:
        raise journal.error(oddities.too_wide(top.first))
    end, cells = _parsed_header(top, separator)
    raw = "".join(top.lines[:end])
    if cells is None or not well_quoted(raw, separator):
        raise journal.error(oddities.explain_quotes(find_fault(raw, separator), raw, top.first, ()))
    if len(cells) > MAX_COLUMNS:
        raise journal.error(oddities.too_wide(top.first))
    oddities.name_columns(journal, cells, top.first)
    top.drop(end)
    return cells


def _skip_empty_lines(top: _Top, journal: Journal) -> None:
    while True:
        while top.lines and not top.lines[0].strip("\r\n"):
            journal.note("empty line: skipped", top.first)
            top.drop(1)
        if top.lines:
            return
        if not top.fill():
            fault = Fault(1, "", "holds only empty lines", "a table begins with column names")
            raise journal.error(fault)


def _parsed_header(top: _Top, separator: str) -> tuple[int, list[str] | None]:
    """Return the lines of the header, and its cells; None where the csv module refuses it."""
    while True:
        end, cells = next(_parsed(top.lines, 0, separator))
        if cells is not None:
            return end, cells
        raw = "".join(top.lines[: max(1, end)])
        fault = find_fault(raw, separator)
        goes_on = fault and fault.kind == "unclosed" and len(raw) < 16 * _LONG
        if not goes_on or len(top.lines) >= _HEADER_LINES or not top.fill():
            return max(1, end), None


@dataclass(slots=True)
class _Pending:
    """Lines to be parsed record by record: a record whose quoted cell goes on, and new lines."""

    lines: list[str] = field(default_factory=list)
    first: int = 1  # number of the first line
    odd: bool = False  # see `Block`
    ragged: int = 0  # records so far that lack cells or have too many
    _size: int = 0  # characters
    _quotes: bool = False  # whether the record may end in the new lines
    _retry_at: int = 0  # characters

    def add(self, lines: list[str], first: int, odd: bool) -> bool:
        """Add lines, and return whether to parse them now."""
        if not self.lines:
            self.lines, self.first, self.odd = lines, first, odd
            return True
        self.lines += lines
        self.odd |= odd
        self._size += sum(map(len, lines))
        self._quotes |= any('"' in line for line in lines)
        full = len(self.lines) > MAX_RECORD_LINES or self._size > MAX_LINE
        return full or (self._quotes and self._size >= self._retry_at)

    def keep(self, lines: list[str], first: int) -> None:
        """Keep the lines of a record that goes on after them."""
        self.lines, self.first = lines, first
        self._size, self._quotes = sum(map(len, lines)), False
        # Parsing a large record anew for each block would take minutes.
        self._retry_at = 2 * self._size if self._size > 4 * _LONG else 0


def _blocks(
    source: Source, blocks: Iterator[Block], shape: _Shape, journal: Journal
) -> Generator[Records]:
    """Yield every good record, in order, some at a time."""
    pending = _Pending()
    over_lines = False  # whether cells of the last block went over several lines
    for block in blocks:
        # An odd block, or one of such cells, would most likely be cut into columns for nothing.
        careful = pending.lines or block.odd or over_lines
        columns = None if careful else _plain(block.text, shape, journal)
        if columns:
            yield _numbered(columns, len(block.text), source, journal)
            continue
        lines = block.lines
        for at in range(0, len(lines), _BLOCK_LINES):
            piece = lines[at : at + _BLOCK_LINES]
            ready = pending.add(piece, source.line, block.odd)
            source.line += len(piece)
            if ready:
                expected = journal.number + len(pending.lines)
                yield from together(_records(pending, shape, journal))
                over_lines = over_lines if pending.lines else journal.number < expected
    if pending.lines:
        pending.odd = True
        yield from together(_records(pending, shape, journal, ended=True))
    if pending.ragged > 1 and pending.ragged == journal.number:  # then it is not they that are bad
        names = count(len(shape.columns), "column name")
        found = f"its {names} fit none of {journal.number:,} records"
        raise journal.error(Fault(1, "", found, "mend the header, or name the --delimiter"))


def _plain(text: str, shape: _Shape, journal: Journal) -> list[list[str]] | None:
    """Return the columns of a block where every line is a good record; else None."""
    columns = plain_columns(text, shape.separator, len(shape.columns))
    if columns is None or (not journal.number and oddities.says_one_thing([c[0] for c in columns])):
        return None
    if shape.header.among(columns[0]) or oddities.any_quoted_otherwise(columns):
        return None
    check = journal.check
    faults = map(check, zip(*columns, strict=True), repeat(0)) if check else ()
    return None if any(faults) else columns


def _numbered(
    columns: list[list[str]], characters: int, source: Source, journal: Journal
) -> Records:
    first, line, size = journal.number + 1, source.line, len(columns[0])
    journal.number, source.line = journal.number + size, line + size
    return Records(range(first, first + size), range(line, line + size), columns, characters)


def _records(
    pending: _Pending, shape: _Shape, journal: Journal, *, ended: bool = False
) -> Iterator[Record]:
    """Yield the good records of the pending lines; keep the one that their end cuts off."""
    lines, pending.lines = pending.lines, []
    long = sum(map(len, lines)) > 2 * _LONG
    if long and most_cells("".join(lines), shape.separator) > MAX_COLUMNS:
        raise journal.error(oddities.too_wide(pending.first))
    start = 0
    while start < len(lines):
        for end, cells in _parsed(lines, start, shape.separator):
            line = pending.first + start
            if cells is None:
                raw = "".join(lines[start:end])
                found = find_fault(raw, shape.separator)
                if not ended and end == len(lines) and _may_go_on(found, raw, end - start):
                    pending.keep(lines[start:], line)
                    return
                fault: Fault | None = oddities.explain_quotes(found, raw, line, shape.columns)
            else:
                fault = _judged(cells, lines[start:end], line, shape, journal)
                pending.ragged += bool(cells) and len(cells) != len(shape.columns)
                if pending.odd and not fault:
                    fault = undecoded(cells, shape.columns, line)
            if fault:
                start += _put_aside(fault, lines, start, end, shape, journal)
                if start != end:
                    break  # and parse again from the line after the stray quote
                continue
            if cells and journal.check and (fault := journal.check(cells, line)):
                journal.reject(fault, "".join(lines[start:end]))
            elif cells:
                journal.number += 1
                yield Record(journal.number, line, tuple(cells))
            start = end


def _parsed(
    lines: Sequence[str], start: int, separator: str
) -> Iterator[tuple[int, list[str] | None]]:
    """Yield the cells of each record and the line after it; the last are None if it is refused."""
    rest = map(lines.__getitem__, range(start, len(lines)))
    reader = csv.reader(rest, delimiter=separator, strict=True)
    try:
        for cells in reader:
            yield start + reader.line_num, cells
    except csv.Error:
        yield start + reader.line_num, None


def _may_go_on(found: QuoteFault | None, raw: str, lines: int) -> bool:
    unclosed = found is not None and found.kind == "unclosed"
    return unclosed and len(raw) <= MAX_CELL and lines <= MAX_RECORD_LINES


def _judged(
    cells: list[str], lines: list[str], line: int, shape: _Shape, journal: Journal
) -> Fault | None:
    """Return what is wrong with a record that the csv module accepts; note what is odd."""
    separator, width = shape.separator, len(shape.columns)
    if not cells and width == 1:  # so a spreadsheet saves an empty cell of an only column
        journal.note("empty line: read as an empty cell", line)
        cells.append("")
        return None
    if not cells:
        journal.note("empty line: skipped, records below read as the same table", line)
        return None
    if '"' in "".join(cells) and not well_quoted(raw := "".join(lines), separator):
        return oddities.explain_quotes(find_fault(raw, separator), raw, line, shape.columns)
    if len(cells) != width:
        first = not journal.number
        return oddities.ragged(len(cells), width, separator, line, len(lines), first=first)
    if shape.header.is_repeated(cells):
        return Fault(line, "", "repeats the header", "if two files were joined, remove it")
    if len(lines) > 1 and oddities.holds_records(cells, separator):
        journal.note("quoted cell: holds lines that look like records; check the quotes", line)
    if oddities.quoted_otherwise(cells):
        marks = f"{cells[0][0]}…{cells[0][-1]}"
        journal.note(f"record: in {marks}, which are kept as part of the cells", line)
    if not journal.number and oddities.says_one_thing(cells):
        what = "has the same text in every column; remove it if it belongs to the header"
        journal.note(f"record: {what}", line)
    return None


def _put_aside(
    fault: Fault, lines: list[str], start: int, end: int, shape: _Shape, journal: Journal
) -> int:
    """Reject the record at `start` and return how many lines went with it."""
    span = end - start  # but 1 where a stray quote has swallowed lines that are good records
    below = lines[start + 1 : start + 1 + _RESYNC]
    if span > 1 and oddities.reads_as_records(below, span - 1, shape.separator, len(shape.columns)):
        span = 1
    journal.reject(fault, "".join(lines[start : start + span]))
    return span
