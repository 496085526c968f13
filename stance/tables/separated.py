"""Cells between separators: a strict reader of CSV, fast where every record is a plain one."""

import csv
import io
import re
from collections.abc import Generator, Iterator, Sequence
from itertools import chain, islice, repeat
from typing import Any

from stance.display import count
from stance.tables.records import (
    AROUND,
    MAX_CELL,
    MAX_COLUMNS,
    Fault,
    Journal,
    Record,
    Records,
    column_at,
    folded,
    together,
    undecoded,
)
from stance.tables.sources import MAX_LINE, MEGABYTE, Text, line_ends, split_lines

NAMES = {",": "','", ";": "';'", "\t": "tab", "|": "'|'"}
SEPARATORS = tuple(NAMES)
_SAMPLE, _SAMPLE_LINES = 100, 512  # records that decide on the separator, and lines of them
_LONG = 64 * 1024  # only beyond this can a line hold more than MAX_COLUMNS cells worth fearing
_LONGEST_HEADER = MEGABYTE
_MAX_RECORD_LINES = 100_000
_RESYNC = 100  # records that must look right before a stray quote is believed to be one
_SEP_LINE = re.compile("(?i:sep)=(.)(\r\n|\r|\n)")  # as Excel reads it
_QUOTED = re.compile('"[^"]*+(?:""[^"]*+)*+"?')
_LINE_END = re.compile("\r\n|\r|\n")
_DOUBTFUL = re.compile(r'\s+"|.*(""|\\")|[^"]*"\s*$', re.DOTALL)
"""An unquoted cell whose quotes say that quoting went wrong: a space before an opening quote,
doubled quotes without the outer ones, an escape that CSV does not have, a closing quote alone."""
_OTHER_QUOTES = {"'": "'", "`": "`'", "‘": "’", "“": "”", "„": "“”", "«": "»", "|": "|", '"': '"'}


def read_separated(
    text: Text, journal: Journal, asked: str | None, default: str, *, quotes: bool = True
) -> tuple[str, Generator[Records]]:
    """Return the separator, `asked` or detected, and the good records in order, some at a time.

    Without `quotes`, a quote is a character like others.
    """
    csv.field_size_limit(MAX_CELL)  # global to the process, so only ever set to this
    chunks = text.chunks()
    noted, top, line = _beginning(chunks, journal)
    lines = split_lines(top)
    if len(lines[0]) > _LONGEST_HEADER:
        raise journal.error(_too_wide(line))
    mark = asked or noted or _detect(lines, default, quotes, line, journal)
    end, cells = next(_parsed(lines, 0, mark, quotes))
    raw = "".join(lines[:end])
    if isinstance(cells, str) or (quotes and _unquoted(raw, mark)):
        raise journal.error(_explain(raw, mark, line, ()))
    if len(cells) > MAX_COLUMNS:
        raise journal.error(_too_wide(line))
    journal.name_columns(cells, line)
    body = _Body(journal, mark, line + end, quotes=quotes)
    return mark, body.chunks(chain(["".join(lines[end:])], chunks))


def _beginning(chunks: Iterator[str], journal: Journal) -> tuple[str, str, int]:
    """Return the separator that line 1 names, and the text from the header on, with its line."""
    top, line, noted = next(chunks, ""), 1, ""
    if found := _SEP_LINE.match(top):
        journal.note("line 1 names the separator and is not a record")
        noted, line, top = found[1], 2, top[found.end() :]
    while True:
        rest = top.lstrip("\r\n")
        if empty := line_ends(top[: len(top) - len(rest)]):
            journal.note("empty line: skipped", line, empty)
            line, top = line + empty, rest
        if len(top) >= _LONG or not (more := next(chunks, "")):
            break
        top += more
    if not top:
        fault = Fault(1, "", "holds only empty lines", "a table begins with column names")
        raise journal.error(fault)
    return noted, top, line


def _detect(lines: Sequence[str], default: str, quotes: bool, line: int, journal: Journal) -> str:
    """Return the separator with which most of the first records are as wide as the header."""
    sample = [each for each in lines[:_SAMPLE_LINES] if len(each) <= _LONGEST_HEADER]
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
        raise journal.error(Fault(line, "", reason, "name it with --delimiter"))
    return best[0]


def _widths(lines: Sequence[str], mark: str, quotes: bool) -> list[int]:
    """Return how many cells the first records have, 0 for a bad one; the last may be cut off."""
    widths = []
    for end, cells in islice(_parsed(lines, 0, mark, quotes), _SAMPLE):
        if isinstance(cells, list) and cells:
            widths.append(len(cells))
        elif isinstance(cells, str) and end < len(lines):
            widths.append(0)
    return widths


def _parsed(
    lines: Sequence[str], start: int, mark: str, quotes: bool
) -> Iterator[tuple[int, list[str] | str]]:
    """Yield the line after each record, and its cells or why the csv module refuses it."""
    rest = map(lines.__getitem__, range(start, len(lines)))
    options: Any = {} if quotes else {"quoting": csv.QUOTE_NONE}
    reader = csv.reader(rest, delimiter=mark, strict=True, **options)
    cells: list[str] | str | None
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            cells = str(error)
        if cells is None:
            return
        yield start + reader.line_num, cells


def _unquoted(raw: str, mark: str) -> list[str]:
    """Return the unquoted cells with quotes inside of a record that the csv module accepts."""
    cells = re.findall(f'"(?:[^"]++|"")*+"|[^{re.escape(mark)}\r\n]++', raw)
    return [cell for cell in cells if '"' in cell and not cell.startswith('"')]


class _Body:
    """The records below the header: whole chunks of good ones at once, others one by one."""

    def __init__(self, journal: Journal, mark: str, line: int, *, quotes: bool) -> None:
        self._journal, self._mark, self._line, self._quotes = journal, mark, line, quotes
        self._width = len(journal.columns)
        self._names = {folded(name) for name in journal.columns} if self._width > 1 else set()
        self._longest = max(map(len, journal.columns)) + 4
        self._ragged = 0  # records that lack cells or have too many
        self._unfinished = ""  # a record that goes on in the next chunk
        sign = re.escape(mark)
        bare = rf'[^"{sign}\r\n]{"++" if self._width == 1 else "*+"}'  # else an empty line
        cell = rf'(?:"[^"]*+(?:""[^"]*+)*+"|{bare})'
        self._good = re.compile(rf"(?:{cell}(?:{sign}{cell}){{{self._width - 1}}}(?:\r\n|\r|\n))++")

    def chunks(self, texts: Iterator[str]) -> Generator[Records]:
        """Yield every good record, in order, some at a time."""
        held, enough = "", 0
        for text in chain(texts, [None]):
            held += text or ""
            if not held or (text is not None and len(held) < enough):
                continue
            end = len(held) if text is None else self._whole(held)
            if not end and len(held) <= MAX_LINE and line_ends(held) <= _MAX_RECORD_LINES:
                enough = 2 * len(held)  # searching a long cell for each chunk would take minutes
                continue
            yield from self._read(held[: end or None], ended=text is None)
            held, enough, self._unfinished = self._unfinished + held[end or len(held) :], 0, ""
        journal = self._journal
        if self._ragged > 1 and self._ragged == journal.number:  # then not they are bad
            names = count(self._width, "column name")
            found = f"its {names} fit none of {journal.number:,} records"
            raise journal.error(Fault(1, "", found, "mend the header, or name the --delimiter"))

    def _whole(self, text: str) -> int:
        """Return where the last line ends that leaves no quote open; 0 if there is none."""
        end, quotes = len(text), text.count('"') if self._quotes else 0
        while end and quotes % 2:
            start = text.rfind("\n", 0, end - 1) + 1
            quotes -= text.count('"', start, end)
            end = start
        return end

    def _read(self, text: str, *, ended: bool) -> Iterator[Records]:
        found = None
        if len(text) <= MAX_CELL and not _undecodable(text):
            quoted = self._quotes and '"' in text
            found = self._quoted_columns(text) if quoted else self._plain_columns(text)
        if found is None or not self._are_plain(found[0]):
            yield from together(self._one_by_one(text, ended=ended))
            return
        columns, ends = found
        size, first = len(columns[0]), self._journal.number + 1
        lines = range(size) if ends[-1] == size else [0, *ends[:-1]]
        yield Records(
            range(first, first + size), [self._line + line for line in lines], columns, len(text)
        )
        self._journal.number += size
        self._line += ends[-1]

    def _plain_columns(self, text: str) -> tuple[list[list[str]], Sequence[int]] | None:
        """Return the columns of lines without quotes, and where each ends; None if one is bad."""
        mark, width = self._mark, self._width
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        text = text.removesuffix("\n")
        size = text.count("\n") + 1
        cells = text.replace("\n", f"{mark}\n{mark}").split(mark)
        if (
            cells[width :: width + 1].count("\n") != size - 1
            or len(cells) != (width + 1) * size - 1
        ):
            return None
        if width == 1 and "" in cells:
            return None
        return [cells[at :: width + 1] for at in range(width)], range(1, size + 1)

    def _quoted_columns(self, text: str) -> tuple[list[list[str]], Sequence[int]] | None:
        """Return the columns of records with quotes, and where each ends; None if one is bad."""
        if self._good.fullmatch(text) is None:
            return None
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self._mark, strict=True)
        rows, ends = [], []
        for cells in reader:
            rows.append(cells)
            ends.append(reader.line_num)
        before = chain([0], ends)
        if any(
            end - start > 1 and self._holds_records(cells)
            for start, end, cells in zip(before, ends, rows, strict=False)
        ):
            return None
        return list(map(list, zip(*rows, strict=True))), ends

    def _are_plain(self, columns: Sequence[list[str]]) -> bool:
        """Return whether nothing about some records is odd, and the table's user accepts all."""
        if not self._journal.number and self._says_one_thing([cells[0] for cells in columns]):
            return False
        odd = [
            at
            for at, cell in enumerate(columns[0])
            if cell[:1] in _OTHER_QUOTES or self._may_be_name(cell)
        ]
        rows = ([cells[at] for cells in columns] for at in odd)
        if any(self._repeats_header(cells) or _quoted_otherwise(cells) for cells in rows):
            return False
        check = self._journal.check
        faults = map(check, zip(*columns, strict=True), repeat(0)) if check else ()
        return not any(faults)

    def _one_by_one(self, text: str, *, ended: bool) -> Iterator[Record]:
        """Yield the good records of a chunk; note what is odd, and put bad ones aside."""
        lines, at, journal = split_lines(text), 0, self._journal
        if len(text) > 2 * _LONG and self._most_cells(text) > MAX_COLUMNS:
            raise journal.error(_too_wide(self._line))
        suspect = _undecodable(text)
        while at < len(lines):
            for end, cells in _parsed(lines, at, self._mark, self._quotes):
                raw, line = "".join(lines[at:end]), self._line + at
                if not ended and self._goes_on(cells, raw, end - at, end == len(lines)):
                    self._unfinished, self._line = raw, line
                    return
                fault = self._judged(cells, raw, end - at, line)
                if isinstance(cells, list) and cells and not fault:
                    fault = undecoded(cells, journal.columns, line) if suspect else None
                    fault = fault or (journal.check and journal.check(cells, line))
                if fault:
                    swallowed = lines[at + 1 : at + 1 + _RESYNC], end - at - 1
                    stray = end - at > 1 and self._are_records(*swallowed)
                    journal.reject(fault, lines[at] if stray else raw)
                    if stray:
                        at += 1  # and parse again from the line after the stray quote
                        break
                elif cells:
                    journal.number += 1
                    yield Record(journal.number, line, tuple(cells))
                at = end
        self._line += len(lines)

    def _goes_on(self, cells: list[str] | str, raw: str, lines: int, last: bool) -> bool:
        """Return whether a record may end in the next chunk."""
        is_open = last and cells == "unexpected end of data"
        return is_open and len(raw) <= MAX_CELL and lines <= _MAX_RECORD_LINES

    def _judged(self, cells: list[str] | str, raw: str, lines: int, line: int) -> Fault | None:
        """Return what is wrong with a record; note what is odd, and fill an empty line."""
        journal, width = self._journal, self._width
        if isinstance(cells, str):
            return _explain(raw, self._mark, line, journal.columns)
        if not cells and width == 1:  # so a spreadsheet saves an empty cell of an only column
            journal.note("empty line: read as an empty cell", line)
            cells.append("")
            return None
        if not cells:
            journal.note("empty line: skipped, records below read as the same table", line)
            return None
        unquoted = _unquoted(raw, self._mark) if self._quotes and '"' in raw else []
        if unquoted and (len(cells) != width or any(map(_DOUBTFUL.match, unquoted))):
            return _explain(raw, self._mark, line, journal.columns)
        if len(cells) != width:
            self._ragged += 1
            return self._other_width(len(cells), line, lines)
        if self._repeats_header(cells):
            return Fault(line, "", "repeats the header", "if two files were joined, remove it")
        if unquoted:
            what = "with quotes inside but none around: read as written"
            journal.note(f"cell: {what}", line, len(unquoted))
        if lines > 1 and self._holds_records(cells):
            journal.note("quoted cell: holds lines that look like records; check the quotes", line)
        if _quoted_otherwise(cells):
            marks = f"{cells[0][0]}…{cells[0][-1]}"
            journal.note(f"record: in {marks}, which are kept as part of the cells", line)
        if not journal.number and self._says_one_thing(cells):
            what = "has the same text in every column; remove it if it belongs to the header"
            journal.note(f"record: {what}", line)
        return None

    def _says_one_thing(self, cells: Sequence[str]) -> bool:
        """Return whether all cells are alike, as in a line of dashes or types below the header."""
        return self._width > 1 and cells[0] != "" and len(set(cells)) == 1

    def _may_be_name(self, cell: str) -> bool:
        return len(cell) <= self._longest and cell.strip(AROUND).casefold() in self._names

    def _repeats_header(self, cells: Sequence[str]) -> bool:
        """Return whether cells are the names of the columns, in any order, case and spacing."""
        return self._may_be_name(cells[0]) and self._names == set(map(folded, cells))

    def _holds_records(self, cells: Sequence[str]) -> bool:
        """Return whether a cell over several lines looks like the records that a quote swallowed.

        Then each line has, with the cells around it, as many separators as a record, and behind
        them no space, as there is in prose. In a long cell, the first and the last may be odd.
        """
        last = self._width - 1
        for place, cell in enumerate(cells):
            lines = _LINE_END.split(cell)
            if last and len(lines) > 1 and f"{self._mark} " not in cell:
                found = [line.count(self._mark) for line in lines]
                found[0] += place
                found[-1] += last - place
                if set(found[1:-1] if len(lines) > 3 else found) == {last}:
                    return True
        return False

    def _are_records(self, lines: Sequence[str], swallowed: int) -> bool:
        """Return whether the lines that a bad record swallowed, and some more, are good records."""
        at = 0
        for end, cells in _parsed(lines, 0, self._mark, self._quotes):
            if at >= swallowed or self._width == 1:  # where any line is a record
                break
            if isinstance(cells, str) and end == len(lines):
                break
            raw = "".join(lines[at:end])
            if len(cells) != self._width or isinstance(cells, str) or _unquoted(raw, self._mark):
                return False
            at = end
        return at > 0

    def _most_cells(self, text: str) -> int:
        """Return how many cells the widest of some records has, without making them."""
        outside = _QUOTED.sub("", text) if self._quotes else text  # each line is a record
        return 1 + max(line.count(self._mark) for line in _LINE_END.split(outside))

    def _other_width(self, cells: int, line: int, lines: int) -> Fault:
        reason = f"{count(cells, 'cell')} where the header has {self._width}"
        if lines > 1:
            reason += f" (a quoted cell runs on to line {line + lines - 1})"
        advice = "complete the row, and quote cells that hold line ends"
        if cells > self._width:
            advice = f"quote cells that hold {NAMES.get(self._mark, repr(self._mark))}"
        if not self._journal.number and self._width == 1:
            advice = f"check that the line before it is the header, {advice}"
        return Fault(line, "", reason, advice)


def _undecodable(text: str) -> bool:
    """Return whether a text holds a NUL or a lone surrogate."""
    if text.isascii():
        return "\0" in text
    return "\0" in text or re.search("[\ud800-\udfff]", text) is not None


def _quoted_otherwise(cells: Sequence[str]) -> bool:
    """Return whether every cell of a record stands in quotes that are not those of the table."""
    closing = _OTHER_QUOTES.get(cells[0][:1])
    if closing is None or len(cells) == 1:
        return False
    return all(len(c) > 1 and c[0] == cells[0][0] and c[-1] in closing for c in cells)


def _explain(raw: str, mark: str, line: int, columns: Sequence[str]) -> Fault:
    """Return the fault of a record whose quotes are wrong, or one of whose cells is too long."""
    grammar = re.compile(f'"(?:[^"]++|"")*+("?+)|[^"{re.escape(mark)}\r\n]*+')
    advice = "double each quote inside a cell and quote the cell, or use --quoting none"
    if '\\"' in raw:
        advice += " (here a backslash stands before the quote)"
    place = 0
    for cell in range(MAX_COLUMNS):
        found = grammar.match(raw, place)
        if found is None:
            break
        name, end = column_at(columns, cell), found.end()
        opened, at = (line + line_ends(raw[:where]) for where in (place, end))
        after = raw[end : end + 1]
        if found[1] == "":
            reason = f"the quote that opens in column {name!r} is never closed{_beyond(raw)}"
            advice = "close it, or use --quoting none if the table never quotes"
            return Fault(opened, name, reason, advice)
        if found[1] is None and after == '"':
            return Fault(at, name, f"a quote inside the unquoted column {name!r}", advice)
        if found[1] and after not in (mark, "\r", "\n", ""):
            reason = (
                f"text after the closing quote of column {name!r}, which opens in line {opened}"
            )
            return Fault(at, name, reason, advice)
        if after != mark:
            break
        place = end + 1
    return Fault(line, "", f"a cell of more than {MAX_CELL // MEGABYTE} MB", "split its text")


def _beyond(raw: str) -> str:
    if len(raw) > MAX_CELL:
        return f" within {MAX_CELL // MEGABYTE} MB"
    return f" within {_MAX_RECORD_LINES:,} lines" if line_ends(raw) > _MAX_RECORD_LINES else ""


def _too_wide(line: int) -> Fault:
    """Return the fault of a line that nobody wrote as a record."""
    advice = "no table has that many: check its separator and line ends"
    return Fault(line, "", f"more than {MAX_COLUMNS:,} columns", advice)
