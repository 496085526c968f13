"""Cells between separators: a strict reader of CSV, fast where every record is a plain one."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import chain, repeat

from stance.display import count
from stance.tables.quoting import (
    DOUBTFUL,
    MAX_RECORD_LINES,
    NAMES,
    detect,
    explain_quotes,
    most_cells,
    parsed,
    ragged,
    too_wide,
    unquoted_cells,
)
from stance.tables.sources import MAX_LINE, MEGABYTE, Source, line_ends, split_lines
from stance.tables.table import (
    AROUND,
    MAX_CELL,
    MAX_COLUMNS,
    Chunks,
    Fault,
    Records,
    Row,
    Table,
    folded,
    undecoded,
)

_LONG = 64 * 1024  # only beyond this can a line hold more than MAX_COLUMNS cells worth fearing
_RESYNC = 100  # lines that must hold good records before a stray quote is believed to be one
_SEP_LINE = re.compile("(?i:sep)=(.)(\r\n|\r|\n)")  # as Excel reads it
_LINE_END = re.compile("\r\n|\r|\n")
_OTHER_QUOTES = {"'": "'", "`": "`'", "‘": "’", "“": "”", "„": "“”", "«": "»", "|": "|", '"': '"'}


def read_separated(
    source: Source, table: Table, mark: str | None, default: str, *, quotes: bool = True
) -> None:
    """Read the columns of a table, and set its chunks; without a `mark`, detect the separator.

    Without `quotes`, a quote is a character like others.
    """
    csv.field_size_limit(MAX_CELL)  # global to the process, so only ever set to this
    chunks = source.lines()
    noted, top, line = _beginning(chunks, table)
    lines = split_lines(top)
    if len(lines[0]) > MEGABYTE:
        raise table.error(too_wide(line))
    mark = mark or noted or detect(lines, default, quotes, line, table)
    end, cells = next(parsed(lines, 0, mark, quotes))
    raw = "".join(lines[:end])
    if isinstance(cells, str) or (quotes and unquoted_cells(raw, mark)):
        raise table.error(explain_quotes(raw, mark, line, ()))
    if len(cells) > MAX_COLUMNS:
        raise table.error(too_wide(line))
    table.name_columns(cells, line)
    table.form = f"separator {NAMES.get(mark, repr(mark))}" + ", no quoting" * (not quotes)
    body = _Body(table, mark, line + end, quotes=quotes)
    table.chunks = body.chunks(chain(["".join(lines[end:])], chunks))


def _beginning(chunks: Iterator[str], table: Table) -> tuple[str, str, int]:
    """Return the separator that line 1 names, and the text from the header on, with its line."""
    top, line, noted = next(chunks, ""), 1, ""
    if found := _SEP_LINE.match(top):
        table.note("line 1 names the separator and is not a record")
        noted, line, top = found[1], 2, top[found.end() :]
    for more in chain([""], chunks):
        top += more
        rest = top.lstrip("\r\n")
        if empty := line_ends(top[: len(top) - len(rest)]):
            table.note("empty line: skipped", line, empty)
            line, top = line + empty, rest
        if len(top) >= _LONG:
            break
    if not top:
        fault = Fault(1, "", "holds only empty lines", "a table begins with column names")
        raise table.error(fault)
    return noted, top, line


class _Body:
    """The records below the header: whole chunks of good ones at once, others one by one."""

    def __init__(self, table: Table, mark: str, line: int, *, quotes: bool) -> None:
        self._table, self._mark, self._line, self._quotes = table, mark, line, quotes
        self._width = len(table.columns)
        self._names = {folded(name) for name in table.columns} if self._width > 1 else set()
        self._longest = max(map(len, table.columns)) + 4
        self._ragged = 0  # records that lack cells or have too many
        self._unfinished = ""  # a record that goes on in the next chunk
        sign = re.escape(mark)
        bare = rf'[^"{sign}\r\n]{"++" if self._width == 1 else "*+"}'  # else an empty line
        cell = rf'(?:"[^"]*+(?:""[^"]*+)*+"|{bare})'
        record = rf"{cell}(?:{sign}{cell}){{{self._width - 1}}}(?:\r\n|\r|\n)"
        self._good = re.compile(f"(?:{record})++")

    def chunks(self, texts: Iterator[str]) -> Chunks:
        """Yield every good record, in order, some at a time."""
        held, enough, table = "", 0, self._table
        for text in chain(texts, [None]):
            held += text or ""
            if not held or (text is not None and len(held) < enough):
                continue
            end = len(held) if text is None else self._whole(held)
            if not end and len(held) <= MAX_LINE and line_ends(held) <= MAX_RECORD_LINES:
                enough = 2 * len(held)  # searching a long cell for each chunk would take minutes
                continue
            end = end or len(held)
            chunk = self._at_once(held[:end])
            yield from [chunk] if chunk else table.take(self._one_by_one(held[:end], text is None))
            held, enough, self._unfinished = self._unfinished + held[end:], 0, ""
        if self._ragged > 1 and self._ragged == table.records_in:  # then not they are bad
            names = count(self._width, "column name")
            found = f"its {names} fit none of {table.records_in:,} records"
            raise table.error(Fault(1, "", found, "mend the header, or name the --delimiter"))

    def _whole(self, text: str) -> int:
        """Return where the last line ends that leaves no quote open; 0 if there is none."""
        end, quotes = len(text), text.count('"') if self._quotes else 0
        while end and quotes % 2:
            start = text.rfind("\n", 0, end - 1) + 1
            quotes -= text.count('"', start, end)
            end = start
        return end

    # --- Good records at once ---

    def _at_once(self, text: str) -> Records | None:
        """Return the records of a chunk; None if one of them needs a closer look."""
        if len(text) > MAX_CELL or _undecodable(text):
            return None
        found = (self._split if not self._quotes or '"' not in text else self._matched)(text)
        if found is None:
            return None
        columns, ends = found
        table, size = self._table, len(ends)
        starts = range(size) if ends[-1] == size else [0, *ends[:-1]]
        odd = {
            at
            for at, cell in enumerate(columns[0])
            if cell[:1] in _OTHER_QUOTES or self._may_be_name(cell)
        }
        odd |= {0} if table.records_in == 0 else set()
        if ends[-1] > size:  # cells over several lines
            odd |= {at for at in range(size) if ends[at] - starts[at] > 1}
        rows = ([cells[at] for cells in columns] for at in odd)
        if any(self._repeats_header(cells) or self._oddity(cells) for cells in rows):
            return None
        if table.check and any(map(table.check, zip(*columns, strict=True), repeat(0))):
            return None
        first, line = table.records_in + 1, self._line
        lines = range(line, line + size) if ends[-1] == size else [line + at for at in starts]
        table.records_in += size
        self._line += ends[-1]
        return Records(range(first, first + size), lines, columns, len(text))

    def _split(self, text: str) -> tuple[list[list[str]], Sequence[int]] | None:
        """Return the columns of lines without quotes, and where each ends; None if one is bad."""
        mark, width = self._mark, self._width
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        text = text.removesuffix("\n")
        size = text.count("\n") + 1
        cells = text.replace("\n", f"{mark}\n{mark}").split(mark)
        good = cells[width :: width + 1].count("\n") == size - 1
        if not good or len(cells) != (width + 1) * size - 1 or (width == 1 and "" in cells):
            return None
        return [cells[at :: width + 1] for at in range(width)], range(1, size + 1)

    def _matched(self, text: str) -> tuple[list[list[str]], Sequence[int]] | None:
        """Return the columns of records with quotes, and where each ends; None if one is bad."""
        if self._good.fullmatch(text) is None:
            return None
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self._mark, strict=True)
        rows, ends = [], []
        for cells in reader:
            rows.append(cells)
            ends.append(reader.line_num)
        return list(map(list, zip(*rows, strict=True))), ends

    # --- Records one by one ---

    def _one_by_one(self, text: str, ended: bool) -> Iterator[Row]:
        """Yield each record, or what is wrong with it; keep one that may end in the next chunk."""
        lines, at, table = split_lines(text), 0, self._table
        if len(text) > 2 * _LONG and most_cells(text, self._mark, self._quotes) > MAX_COLUMNS:
            raise table.error(too_wide(self._line))
        suspect = _undecodable(text)
        while at < len(lines):
            for end, cells in parsed(lines, at, self._mark, self._quotes):
                raw, line = "".join(lines[at:end]), self._line + at
                is_open = cells == "unexpected end of data" and end == len(lines)
                if is_open and not ended and end - at <= MAX_RECORD_LINES and len(raw) <= MAX_CELL:
                    self._unfinished, self._line = raw, line
                    return
                found = self._judged(cells, raw, line, lines=end - at)
                if suspect and isinstance(found, list):
                    found = undecoded(found, table.columns, line) or found
                if isinstance(found, Fault) and self._swallows(lines, at + 1, end):
                    yield line, found, lines[at]
                    at += 1  # and parse again from the line after the stray quote
                    break
                if found:
                    yield line, found, raw
                at = end
        self._line += len(lines)

    def _judged(self, cells: list[str] | str, raw: str, line: int, lines: int) -> list[str] | Fault:
        """Return the cells of a record, none of an empty line, or its fault; note what is odd."""
        table, width = self._table, self._width
        if isinstance(cells, str):
            return explain_quotes(raw, self._mark, line, table.columns)
        if not cells:  # so a spreadsheet saves an empty cell of an only column
            kept = "skipped, records below read as the same table"
            table.note(f"empty line: {'read as an empty cell' if width == 1 else kept}", line)
            return [""] if width == 1 else []
        unquoted = unquoted_cells(raw, self._mark) if self._quotes and '"' in raw else []
        if unquoted and (len(cells) != width or any(map(DOUBTFUL.match, unquoted))):
            return explain_quotes(raw, self._mark, line, table.columns)
        if len(cells) != width:
            self._ragged += 1
            return ragged(table, len(cells), self._mark, line, lines)
        if self._repeats_header(cells):
            return Fault(line, "", "repeats the header", "if two files were joined, remove it")
        if odd := self._oddity(cells):
            table.note(odd, line)
        if unquoted:
            table.note(
                "cell: with quotes inside but none around: read as written", line, len(unquoted)
            )
        return cells

    def _swallows(self, lines: Sequence[str], start: int, end: int) -> bool:
        """Return whether the lines of a bad record after its first are good records."""
        below, at = lines[start : start + _RESYNC], 0
        for after, cells in parsed(below, 0, self._mark, self._quotes):
            if start + at >= end or self._width == 1:  # where any line is a record
                break
            if isinstance(cells, str) and after == len(below):
                break
            raw = "".join(below[at:after])
            if (
                len(cells) != self._width
                or isinstance(cells, str)
                or unquoted_cells(raw, self._mark)
            ):
                return False
            at = after
        return at > 0

    # --- What is odd ---

    def _may_be_name(self, cell: str) -> bool:
        return len(cell) <= self._longest and cell.strip(AROUND).casefold() in self._names

    def _repeats_header(self, cells: Sequence[str]) -> bool:
        """Return whether cells are the names of the columns, in any order, case and spacing."""
        return self._may_be_name(cells[0]) and self._names == set(map(folded, cells))

    def _oddity(self, cells: Sequence[str]) -> str:
        """Return a note on a record that can be read but looks wrong, or nothing."""
        closing = _OTHER_QUOTES.get(cells[0][:1], "")
        if self._width > 1 and all(
            len(c) > 1 and c[0] == cells[0][0] and c[-1] in closing for c in cells
        ):
            return f"record: in {cells[0][0]}…{cells[0][-1]}, which are kept as part of the cells"
        if any(self._holds_records(cell, place) for place, cell in enumerate(cells)):
            return "quoted cell: holds lines that look like records; check the quotes"
        if not self._table.records_in and self._width > 1 and cells[0] and len({*cells}) == 1:
            what = "has the same text in every column; remove it if it belongs to the header"
            return f"record: {what}"
        return ""

    def _holds_records(self, cell: str, place: int) -> bool:
        """Return whether a cell over several lines looks like the records that a quote swallowed.

        Then each line has, with the cells around it, as many separators as a record, and behind
        them no space, as there is in prose. In a long cell, the first and the last may be odd.
        """
        last = self._width - 1
        if not last or f"{self._mark} " in cell or not ("\n" in cell or "\r" in cell):
            return False
        found = [line.count(self._mark) for line in _LINE_END.split(cell)]
        found[0] += place
        found[-1] += last - place
        return set(found[1:-1] if len(found) > 3 else found) == {last}


def _undecodable(text: str) -> bool:
    """Return whether a text holds a NUL or a lone surrogate."""
    return "\0" in text or (not text.isascii() and re.search("[\ud800-\udfff]", text) is not None)
