"""Cells between separators: a strict reader of CSV, fast where every record is a plain one."""

import csv
import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import accumulate, chain, compress, islice, repeat
from operator import contains
from typing import Any

from stance.display import count
from stance.tables.sources import MAX_CELL, MEGABYTE, InputFile, line_ends, split_lines
from stance.tables.table import AROUND, Fault, Records, Row, Table, column_at, folded, is_whole

_SEPARATORS = (",", ";", "\t", "|")
_MAX_RECORD_LINES = 100_000
_TOP = 64 * 1024  # characters in which the header must begin
_SAMPLE, _SAMPLE_LINES = 100, 512  # records that decide on the separator, and lines of them
_RESYNC = 100  # lines that must hold good records before a stray quote is believed to be one
_SEP_LINE = re.compile('(?i:sep)=([^"\r\n])(\r\n|\r|\n)')  # as Excel reads it
_LINE_END = re.compile("\r\n|\r|\n")
_INSIDE = '[^"]*+(?:""[^"]*+)*+'  # between the quotes of a cell
_QUOTED = re.compile(f'"({_INSIDE})"')
_OTHER_QUOTES = {"'": "'", "`": "`'", "‘": "’", "“": "”", "„": "“”", "«": "»", "|": "|", '"': '"'}
_DOUBTFUL = re.compile(r'\s+"|.*(""|\\")|[^"]*"\s*$', re.DOTALL)
"""An unquoted cell whose quotes say that quoting went wrong: a space before an opening quote,
doubled quotes without the outer ones, an escape that CSV does not have, a closing quote alone."""


def read_separated(
    source: InputFile, table: Table, mark: str | None, default: str, *, quotes: bool = True
) -> None:
    """Read the columns of a table, and set its chunks; without a `mark`, detect the separator."""
    csv.field_size_limit(MAX_CELL)  # global to the process, so only ever set to this
    chunks = source.lines()
    top, line = next(chunks, ""), 1
    while len(top) < _TOP and (more := next(chunks, "")):
        top += more
    if match := _SEP_LINE.match(top):
        table.note("line 1 names the separator and is not a record")
        mark, line, top = mark or match[1], 2, top[match.end() :]
    header = top.lstrip("\r\n")
    if empty := line_ends(top[: len(top) - len(header)]):
        table.note("empty line: skipped", line, empty)
    if not header:
        source.refuse("is empty; a table begins with its column names")
    lines, line = split_lines(header), line + empty
    mark = mark or _detect(lines, default, quotes, line, table)
    end, cells = next(_parsed(lines, mark, quotes))
    raw = "".join(lines[:end])
    if isinstance(cells, str) or (quotes and _unquoted_cells(raw, mark)):
        raise table.error(_explain_quotes(raw, mark, line, ()))
    table.name_columns(cells, line)
    table.form = f"separator {_name(mark)}" + ", no quoting" * (not quotes)
    body = _Body(table, mark, line + end, quotes=quotes)
    table.chunks = body.chunks(chain(["".join(lines[end:])], chunks))


def _name(mark: str) -> str:
    return "tab" if mark == "\t" else repr(mark)


def _detect(lines: Sequence[str], default: str, quotes: bool, line: int, table: Table) -> str:
    """Return the separator with which most of the first records are as wide as the header."""
    sample = [text for text in lines[:_SAMPLE_LINES] if len(text) <= MEGABYTE]
    shares: dict[str, float] = {}
    for mark in _SEPARATORS:
        widths = []  # 0 for a bad record, but the last may be cut off
        for end, cells in islice(_parsed(sample, mark, quotes), _SAMPLE):
            if cells and (isinstance(cells, list) or end < len(sample)):
                widths.append(len(cells) if isinstance(cells, list) else 0)
        if widths and widths[0] > 1:
            shares[mark] = widths[1:].count(widths[0]) / max(1, len(widths) - 1)
    best = [mark for mark, share in shares.items() if share == max(shares.values())]
    if not best or (default in best and default != ","):
        return default
    if len(best) > 1:
        reason = f"the separator may be {' or '.join(map(_name, best))}"
        raise table.error(Fault(line, "", reason, "name it with --delimiter"))
    return best[0]


def _parsed(lines: Iterable[str], mark: str, quotes: bool) -> Iterator[tuple[int, list[str] | str]]:
    """Yield how many lines end with each record, and its cells or why the csv module refuses it."""
    quoting: Any = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
    reader = csv.reader(lines, delimiter=mark, strict=True, quoting=quoting)
    while True:
        try:
            cells: list[str] | str = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            cells = str(error)
        yield reader.line_num, cells


class _Body:
    """The records below the header: runs of good ones at once, others one by one."""

    def __init__(self, table: Table, mark: str, line: int, *, quotes: bool) -> None:
        self._table, self._mark, self._line, self._quotes = table, mark, line, quotes
        self._width = len(table.columns)
        self._names = {folded(name) for name in table.columns} if self._width > 1 else set()
        self._longest = max(map(len, table.columns)) + 4
        sign, some = re.escape(mark), "+" if self._width == 1 else "*"  # no record is an empty line
        plain = f'[^"{sign}\r\n]{some}+' if quotes else f"[^{sign}\r\n]{some}+"
        cell = f'"{_INSIDE}"|{plain}' if quotes else plain
        more = f"(?:{sign}(?:{cell})){{{self._width - 1}}}"
        self._good = re.compile(f"(?:(?:{cell}){more}(?:\r\n|\r|\n|\\Z))++")  # records
        self._unfinished = ""  # a record that goes on in the next text

    def chunks(self, texts: Iterator[str]) -> Generator[Records]:
        """Yield every good record, in order, some at a time."""
        held, enough = "", 0
        for text in chain(texts, [None]):
            held += text or ""
            if text and text[-1] not in "\r\n":
                self._table.note("the last line has no line end; check that it is complete")
            if text is not None and len(held) < enough:
                continue
            good = held  # without quotes, its records end where its lines do
            if self._quotes and '"' in held:
                good = match[0] if (match := self._good.match(held)) else ""
            if good and (chunk := self._at_once(good)):
                yield chunk
                held = held[len(good) :]
            yield from self._table.take(self._one_by_one(held, text is None))
            held, self._unfinished = self._unfinished, ""
            enough = 2 * len(held)  # searching a long cell for each text would take minutes

    # --- Good records at once ---

    def _at_once(self, text: str) -> Records | None:
        """Return records as a chunk; None if one of them is bad or needs a closer look."""
        if len(text) > MAX_CELL or not is_whole(text):
            return None
        text = text if text[-1] in "\r\n" else text + "\n"
        table, columns = self._table, list[list[str]]()
        if self._quotes and '"' in text:
            pieces = text.split('"')
            # Of a quoted cell, one quote is left, and one for each doubled quote in it.
            inside, outside = iter(pieces[1::2]), '"'.join(pieces[::2])
            outside = outside.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")
            cells = outside.replace("\n", self._mark).split(self._mark)
            for place in compress(range(len(cells)), map(contains, cells, repeat('"'))):
                quotes = len(cells[place])
                cells[place] = next(inside) if quotes == 1 else '"'.join(islice(inside, quotes))
            columns = [cells[place :: self._width] for place in range(self._width)]
        else:
            lines = (_LINE_END.split(text) if "\r" in text else text.split("\n"))[:-1]
            rows = [line.split(self._mark) for line in lines]
            if {*map(len, rows)} != {self._width} or "" in lines:
                return None
            columns = [*map(list, zip(*rows, strict=True))]
        firsts = columns[0]
        heights = [1] * len(firsts)  # lines of each record
        if any(end in "".join(column) for column in columns for end in "\r\n"):
            heights = [1 + sum(map(line_ends, row)) for row in zip(*columns, strict=True)]
        may_be_odd = max(heights) > 1 or not {one[:1] for one in firsts}.isdisjoint(_OTHER_QUOTES)
        folds = "\n".join(firsts).casefold()
        if may_be_odd or any(name in folds for name in self._names):  # which are rarely there
            for row in zip(*columns, strict=True):
                if self._repeats_header(row) or (may_be_odd and self._oddity(row)):
                    return None
        if table.check and any(map(table.check, zip(*columns, strict=True), repeat(0))):
            return None
        number, ends = table.records_in + 1, [*accumulate(heights, initial=self._line)]
        table.records_in += len(heights)
        self._line = ends.pop()
        return Records(range(number, number + len(heights)), ends, columns)

    # --- Records one by one ---

    def _one_by_one(self, text: str, ended: bool) -> Iterator[Row]:
        """Yield each record, or what is wrong with it; keep one that may end in the next chunk."""
        lines, pos = split_lines(text), 0
        records: Iterator[tuple[int, list[str] | str]] | None = None
        while pos < len(lines):
            if records is None:
                rest = map(lines.__getitem__, range(pos, len(lines)))
                records, start = _parsed(rest, self._mark, self._quotes), pos
            height, cells = next(records)
            end, line = start + height, self._line + pos
            raw = "".join(lines[pos:end])
            may_end = end - pos <= _MAX_RECORD_LINES and len(raw) <= MAX_CELL and not ended
            if cells == "unexpected end of data" and end == len(lines) and may_end:
                self._unfinished, self._line = raw, line
                return
            row = self._judged(cells, raw, line)
            if isinstance(row, Fault) and self._swallows(lines, pos + 1, end):
                raw, end, records = lines[pos], pos + 1, None  # go on below the stray quote
            if row:
                yield line, row, raw
            pos = end
        self._line += len(lines)

    def _judged(self, cells: list[str] | str, raw: str, line: int) -> list[str] | Fault:
        """Return the cells of a record, none of an empty line, or its fault; note what is odd."""
        table, width = self._table, self._width
        if isinstance(cells, str):
            return _explain_quotes(raw, self._mark, line, table.header)
        if not cells:  # so a spreadsheet saves an empty cell of an only column
            kept = "skipped, records below read as the same table"
            table.note(f"empty line: {'read as an empty cell' if width == 1 else kept}", line)
            return [""] if width == 1 else []
        unquoted = _unquoted_cells(raw, self._mark) if self._quotes else []
        if unquoted and (len(cells) != width or any(map(_DOUBTFUL.match, unquoted))):
            return _explain_quotes(raw, self._mark, line, table.header)
        if len(cells) != width:
            reason = f"{count(len(cells), 'cell')} where the header has {width}"
            advice = "complete the row, and quote cells that hold line ends"
            if len(cells) > width:
                advice = f"quote cells that hold {_name(self._mark)}"
                advice += ", and remove lines before the header" * (width == 1)
            return Fault(line, "", reason, advice)
        if self._repeats_header(cells):
            return Fault(line, "", "repeats the header", "if two files were joined, remove it")
        if odd := self._oddity(cells):
            table.note(odd, line)
        if unquoted:
            what = "cell: with quotes inside but none around: read as written"
            table.note(what, line, len(unquoted))
        return cells

    def _swallows(self, lines: Sequence[str], start: int, end: int) -> bool:
        """Return whether the lines of a bad record after its first are good records."""
        good = self._good.match("".join(lines[start : start + 2 * _RESYNC]))
        height = len(split_lines(good[0])) if good and self._width > 1 else 0
        return height >= min(end - start, _RESYNC)

    # --- What is odd ---

    def _repeats_header(self, cells: Sequence[str]) -> bool:
        """Return whether cells are the names of the columns, in any order, case and spacing."""
        may_be = len(cells[0]) <= self._longest and cells[0].strip(AROUND).casefold() in self._names
        return may_be and self._names == set(map(folded, cells))

    def _oddity(self, cells: Sequence[str]) -> str:
        """Return a note on a record that can be read but looks wrong, or nothing."""
        if self._width == 1:
            return ""
        opening = cells[0][:1]
        closing = _OTHER_QUOTES.get(opening, "")
        if all(len(cell) > 1 and cell[0] == opening and cell[-1] in closing for cell in cells):
            return f"record: in {opening}…{cells[0][-1]} quotes, kept as part of the cells"
        if any(self._holds_records(cell, place) for place, cell in enumerate(cells)):
            return "quoted cell: with lines that look like records; check the quotes"
        return ""

    def _holds_records(self, cell: str, place: int) -> bool:
        """Return whether the lines of a cell look like the records that a quote swallowed."""
        if f"{self._mark} " in cell or not ("\n" in cell or "\r" in cell):
            return False
        last = self._width - 1
        separators = [line.count(self._mark) for line in _LINE_END.split(cell)]
        separators[0] += place  # of the record's cells before it
        separators[-1] += last - place
        # In a long cell, the first and the last line may be odd.
        return set(separators[1:-1] if len(separators) > 3 else separators) == {last}


# --- Faults ---------------------------------------------------------------------------------------


def _unquoted_cells(raw: str, mark: str) -> list[str]:
    """Return the unquoted cells with quotes inside of a record that the csv module accepts."""
    if '"' not in raw:
        return []
    cells = re.findall(f'"{_INSIDE}"|[^{re.escape(mark)}\r\n]++', raw)
    return [cell for cell in cells if '"' in cell and not cell.startswith('"')]


def _explain_quotes(raw: str, mark: str, line: int, columns: Sequence[str]) -> Fault:
    """Return the fault of a record whose quotes are wrong, or one of whose cells is too long."""
    whole = re.compile(f'(?:"{_INSIDE}"|[^"{re.escape(mark)}\r\n]*+){re.escape(mark)}')
    start = cell = 0
    while match := whole.match(raw, start):  # a good cell
        start, cell = match.end(), cell + 1
    name, line, rest = column_at(columns, cell), line + line_ends(raw[:start]), raw[start:]
    closed = _QUOTED.match(rest)
    advice = "double each quote inside a cell and quote the cell, or use --quoting none"
    if closed and rest[closed.end() : closed.end() + 1] not in ("\r", "\n", ""):
        reason = f"text after the closing quote of column '{name}', which opens in line {line}"
        line += line_ends(closed[0])
    elif rest.startswith('"') and not closed:
        reason = f"the quote that opens in column '{name}' is never closed"
        advice = "close it, or use --quoting none if the table never quotes"
    elif '"' in rest and not closed:
        reason = f"a quote inside the unquoted column '{name}'"
    else:
        reason, advice = f"a cell of more than {MAX_CELL // MEGABYTE} MB", "split its text"
    return Fault(line, name, reason, advice)
