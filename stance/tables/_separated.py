"""Records of cells between separators: plain lines at once, all else by a strict csv module."""

import csv
from collections.abc import Generator, Iterator, Sequence
from itertools import chain, repeat

from stance.display import count
from stance.tables._bytes import MEGABYTE
from stance.tables._oddities import Header
from stance.tables._quoting import (
    NAMES,
    QuoteFault,
    any_quoted_otherwise,
    detect,
    find_fault,
    holds_records,
    most_cells,
    plain_columns,
    quoted_otherwise,
    well_quoted,
)
from stance.tables._reading import MAX_CELL, MAX_COLUMNS, Fault, Reader, Record, Records, RejectSink
from stance.tables._sources import MAX_LINE, Block, Source

_LONG = 64 * 1024  # only beyond this can a line hold more than MAX_COLUMNS cells worth fearing
_MAX_RECORD_LINES = 100_000
_HEADER_LINES = 1_000
_BLOCK_LINES = 512  # read together where they need care
_RESYNC = 100  # records that must look right before a stray quote is believed to be one

_SKIPPED = "empty line: skipped, records below read as the same table"


class SeparatedReader(Reader):
    """Reads CSV, TSV and the like.

    Parameters
    ----------
    separator : str or None
        None to tell it from the header and the first records.
    default : str
        What separates a table whose header shows none.
    """

    def __init__(
        self, source: Source, separator: str | None, default: str, rejects: RejectSink | None
    ) -> None:
        super().__init__(source, rejects)
        csv.field_size_limit(MAX_CELL)  # global to the process, so only ever set to this
        self._blocks = source.blocks()
        self._lines: list[str] = []
        self._first = 1
        self._odd = False
        self._over_lines = False  # whether cells of the last block went over several lines
        self._fill()
        self._take_sep_line()
        self.separator = separator or self._detect(default)
        self._take_header()

    # --- Header ------------------------------------------------------------------------------

    def _fill(self) -> bool:
        block = next(self._blocks, None)
        if block:
            self._lines += block.lines
            self._odd |= block.odd
            self.source.line = self._first + len(self._lines)
        return block is not None

    def _drop(self, lines: int) -> None:
        del self._lines[:lines]
        self._first += lines

    def _take_sep_line(self) -> None:
        """Excel reads a first line ``sep=;`` as a note on the separator; so do we."""
        self._noted_separator = ""
        line = self._lines[0].rstrip("\r\n") if self._lines else ""
        if len(line) == 5 and line.lower().startswith("sep="):
            self._noted_separator = line[4]
            self.opening_notes.append("line 1 names the separator and is not a record")
            self._drop(1)

    def _detect(self, default: str) -> str:
        if self._noted_separator:
            return self._noted_separator
        while len(self._lines) < _RESYNC and sum(map(len, self._lines)) < _LONG and self._fill():
            pass
        sample = [line for line in self._lines[:_BLOCK_LINES] if len(line) <= 16 * _LONG]
        found = detect(sample, default)
        if isinstance(found, str):
            return found
        names = " or ".join(NAMES[mark] for mark in found)
        fault = Fault(self._first, "", f"the separator may be {names}", "name it with --delimiter")
        raise self.error(fault)

    def _take_header(self) -> None:
        self._skip_empty_lines()
        if len(self._lines[0]) > 16 * _LONG:
            raise self.error(self._too_wide(self._first))
        while True:
            reader = csv.reader(self._lines, delimiter=self.separator, strict=True)
            try:
                cells = next(reader)
                break
            except csv.Error as error:
                raw = "".join(self._lines[: max(1, reader.line_num)])
                fault = find_fault(raw, self.separator)
                open_yet = fault and fault.kind == "unclosed" and len(raw) < 16 * _LONG
                if open_yet and len(self._lines) < _HEADER_LINES and self._fill():
                    continue
                raise self.error(self._explain(fault, raw, self._first)) from error
        raw = "".join(self._lines[: reader.line_num])
        if not well_quoted(raw, self.separator):
            raise self.error(self._explain(find_fault(raw, self.separator), raw, self._first))
        if len(cells) > MAX_COLUMNS:
            raise self.error(self._too_wide(self._first))
        self.columns = tuple(cells)
        self._header = Header(cells)
        odd = self.odd_character(cells, self._first)
        if odd:
            raise self.error(odd)
        self.check_columns(self._first)
        self._drop(reader.line_num)

    def _skip_empty_lines(self) -> None:
        while True:
            while self._lines and not self._lines[0].strip("\r\n"):
                self.note("empty line: skipped", self._first)
                self._drop(1)
            if self._lines:
                return
            if not self._fill():
                fault = Fault(1, "", "holds only empty lines", "a table begins with column names")
                raise self.error(fault)

    # --- Records -----------------------------------------------------------------------------

    def blocks(self) -> Generator[Records]:
        """Yield every good record, in order, some at a time.

        Blocks of lines are parsed together. Where each line is one good record, as nearly
        everywhere, that is all; else the block is read record by record.
        """
        below_header = Block("".join(self._lines), self._odd)
        self._lines, self.source.line = [], self._first
        for block in chain([below_header], self._blocks):
            columns = None if self._lines else self._plain_columns(block)
            if columns:
                yield self._numbered(columns, len(block.text))
                continue
            lines = block.lines
            for place in range(0, len(lines), _BLOCK_LINES):
                if self._add(lines[place : place + _BLOCK_LINES], block.odd):
                    yield from self._open_records(self._odd, ended=False)
        if self._lines:
            yield from self._open_records(odd=True, ended=True)

    def _numbered(self, columns: list[list[str]], characters: int) -> Records:
        size = len(columns[0])
        numbers = range(self.number + 1, self.number + 1 + size)
        lines = range(self.source.line, self.source.line + size)
        self.number, self.source.line = numbers.stop - 1, lines.stop
        return Records(numbers, lines, columns, characters)

    def _open_records(self, odd: bool, *, ended: bool) -> Iterator[Records]:
        lines, self._lines = self._lines, []
        return self.together(self._careful_records(lines, self._first, odd, ended))

    def _keep_open(self, lines: list[str], first: int, size: int, odd: bool) -> None:
        """Keep the lines of a record whose quoted cell goes on after them."""
        self._lines, self._first = lines, first
        self._size, self._odd, self._quotes = size, odd, False
        # Reading a large record anew for each block would take minutes.
        self._retry_at = 2 * size if size > 4 * _LONG else 0

    def _add(self, lines: list[str], odd: bool) -> bool:
        """Add lines to those of an open record, and tell whether to read them now."""
        first = self.source.line
        self.source.line += len(lines)
        if not self._lines:
            self._lines, self._first, self._odd = lines, first, odd
            return True
        self._lines += lines
        self._size += sum(map(len, lines))
        self._quotes |= any('"' in line for line in lines)
        self._odd |= odd
        full = len(self._lines) > _MAX_RECORD_LINES or self._size > MAX_LINE
        return full or (self._quotes and self._size >= self._retry_at)

    def _plain_columns(self, block: Block) -> list[list[str]] | None:
        """Return the columns of a block where every line is a good record; else None."""
        if block.odd or self._over_lines:  # then it would most likely be read for nothing
            return None
        columns = plain_columns(block.text, self.separator, len(self.columns))
        if columns is None or (not self.number and _says_one_thing([c[0] for c in columns])):
            return None
        if self._header.among(columns[0]) or any_quoted_otherwise(columns):
            return None
        faults = map(self.check, zip(*columns, strict=True), repeat(0)) if self.check else ()
        return None if any(faults) else columns

    def _careful_records(
        self, lines: list[str], first: int, odd: bool, ended: bool
    ) -> Iterator[Record]:
        """Yield the good records of some lines one by one; keep the one that their end cuts off."""
        start, before = 0, self.number
        if sum(map(len, lines)) > 2 * _LONG:
            self._refuse_million_cells(lines, first)
        while start < len(lines):
            base = start
            rest = map(lines.__getitem__, range(base, len(lines)))
            reader = csv.reader(rest, delimiter=self.separator, strict=True)
            try:
                for cells in reader:
                    end = base + reader.line_num
                    fault = self._judge(cells, lines[start:end], first + start)
                    if odd and not fault:
                        fault = self.odd_character(cells, first + start)
                    if fault:
                        start += self._put_aside(fault, lines, start, end)
                        if start != end:
                            break  # and read again from the line after the stray quote
                    elif cells and self.check and (fault := self.check(cells, first + start)):
                        self.reject(fault, "".join(lines[start:end]))
                    elif cells:
                        self.number += 1
                        yield Record(self.number, first + start, tuple(cells))
                    start = end
                else:
                    self._over_lines = self.number - before < len(lines)
                    return
            except csv.Error:
                end = base + reader.line_num
                raw = "".join(lines[start:end])
                found = find_fault(raw, self.separator)
                cut = not ended and end == len(lines) and found and found.kind == "unclosed"
                if cut and len(raw) <= MAX_CELL and end - start <= _MAX_RECORD_LINES:
                    self._keep_open(lines[start:], first + start, len(raw), odd)
                    return
                fault = self._explain(found, raw, first + start)
                start += self._put_aside(fault, lines, start, end)

    def _judge(self, cells: list[str], lines: list[str], line: int) -> Fault | None:
        """Return what is wrong with a record that the csv module accepts."""
        width = len(self.columns)
        if not cells:
            # A spreadsheet saves an empty cell of an only column as an empty line.
            self.note("empty line: read as an empty cell" if width == 1 else _SKIPPED, line)
            cells += [""] if width == 1 else []
            return None
        if '"' in "".join(cells):
            raw = "".join(lines)
            if not well_quoted(raw, self.separator):
                return self._explain(find_fault(raw, self.separator), raw, line)
        if len(cells) != width:
            return self._ragged(len(cells), lines, line)
        if self._header.is_repeated(cells):
            return Fault(line, "", "repeats the header", "if two files were joined, take it out")
        if len(lines) > 1 and holds_records(cells, self.separator):
            self.note("quoted cell: holds lines that look like records; check the quotes", line)
        if quoted_otherwise(cells):
            marks = f"{cells[0][0]}…{cells[0][-1]}"
            self.note(f"record: in {marks}, which are kept as part of the cells", line)
        if not self.number and _says_one_thing(cells):
            what = "has the same text in every column; take it out if it belongs to the header"
            self.note(f"record: {what}", line)
        return None

    # --- Bad records -------------------------------------------------------------------------

    def _put_aside(self, fault: Fault, lines: list[str], start: int, end: int) -> int:
        """Reject the record at `start` and return how many lines went with it.

        A quote that was never meant to open a cell swallows the lines after it. Where these
        read as good records by themselves, only the first line is bad.
        """
        span = end - start
        if span > 1 and self._reads_as_records(lines[start + 1 : start + 1 + _RESYNC], span - 1):
            span = 1
        self.reject(fault, "".join(lines[start : start + span]))
        return span

    def _reads_as_records(self, lines: list[str], swallowed: int) -> bool:
        if len(self.columns) == 1:
            return False  # any line would
        reader = csv.reader(lines, delimiter=self.separator, strict=True)
        start = good = 0
        while start < min(swallowed, len(lines)):
            try:
                cells = next(reader)
            except (csv.Error, StopIteration):
                return good > 0 and reader.line_num == len(lines)
            raw = "".join(lines[start : reader.line_num])
            if len(cells) != len(self.columns) or not well_quoted(raw, self.separator):
                return False
            start, good = reader.line_num, good + 1
        return good > 0

    def _ragged(self, cells: int, lines: list[str], line: int) -> Fault:
        width = len(self.columns)
        reason = f"{count(cells, 'cell')} where the header has {width}"
        if len(lines) > 1:
            reason += f" (a quoted cell runs on to line {line + len(lines) - 1})"
        if cells > width:
            advice = f"quote cells that hold {NAMES.get(self.separator, repr(self.separator))}"
        else:
            advice = "fill the row up, and quote cells that hold line ends"
        if self.number == 0 and width == 1:
            advice = f"check that the line before it is the header, {advice}"
        return Fault(line, "", reason, advice)

    def _explain(self, found: QuoteFault | None, raw: str, line: int) -> Fault:
        """Return the fault of a record that the csv module or the check of quotes refuses."""
        if found is None:
            limit = f"a cell of more than {MAX_CELL // MEGABYTE} MB"
            return Fault(line, "", limit, "split its text")
        column, at, opened = self.column_at(found.cell), line + found.line, line + found.opened
        advice = "double each quote inside a cell and quote the cell"
        if '\\"' in raw:
            advice += " (here a backslash stands before the quote)"
        if found.kind == "stray":
            return Fault(at, column, f"a quote inside the unquoted column {column!r}", advice)
        if found.kind == "after":
            reason = (
                f"text after the closing quote of column {column!r}, which opens in line {opened}"
            )
            return Fault(at, column, reason, advice)
        limit = f" within {MAX_CELL // MEGABYTE} MB" if len(raw) > MAX_CELL else ""
        limit = limit or (
            f" within {_MAX_RECORD_LINES:,} lines" if raw.count("\n") > _MAX_RECORD_LINES else ""
        )
        reason = f"the quote that opens in column {column!r} is never closed{limit}"
        return Fault(opened, column, reason, "close it, or double it if it is part of the text")

    def _refuse_million_cells(self, lines: list[str], first: int) -> None:
        if most_cells("".join(lines), self.separator) > MAX_COLUMNS:
            raise self.error(self._too_wide(first))

    def _too_wide(self, line: int) -> Fault:
        limit = f"more than {MAX_COLUMNS:,} columns"
        return Fault(line, "", limit, "no table has so many: check its separator and line ends")


def _says_one_thing(cells: Sequence[str]) -> bool:
    """Tell whether all cells are alike, as in a line of dashes or types below the header."""
    return len(cells) > 1 and len(set(cells)) == 1 and cells[0] != ""
