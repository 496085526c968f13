"""Clean tables, polluted one fault at a time after Vitagliano et al. (2023), "Pollock"."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

Rows = list[list[str]]


@dataclass(frozen=True)
class Clean:
    """A table as a careful program writes it, the header first."""

    rows: Rows
    separator: str = ","
    quote_all: bool = False

    def raw(self, cell: str, separator: str = "") -> str:
        special = {separator or self.separator, '"', "\n", "\r"}
        if self.quote_all or special & set(cell):
            return '"' + cell.replace('"', '""') + '"'
        return cell

    def lines(self, separator: str = "") -> list[str]:
        mark = separator or self.separator
        return [mark.join(self.raw(cell, mark) for cell in row) for row in self.rows]


@dataclass(frozen=True)
class Polluted:
    """A file, and the rows that it holds; None where nobody can tell, so that it is refused."""

    fault: str
    data: bytes
    rows: Rows | None


HEADER = ["id", "date", "text", "actor", "comment"]
TEXTS = [
    "NATO praised Poland",
    "Russia condemned the sanctions, again",
    'He said "no" to NATO',
    "Two lines\nabout Ukraine, and NATO",
    '"Never", said Moscow',
    "Turkey's vote; a surprise",
    "Germany | France split",
    "",
]
COMMENTS = ["", "ok", 'see "note"', "checked; twice", "long\nnote"]


def clean_tables() -> Iterator[Clean]:
    """Tables whose cells hold what has to be quoted, and one whose cells do not."""
    rows = [HEADER]
    for n, text in enumerate(TEXTS):
        rows.append([f"{n:03}", "5/3/2022", text, ("NATO", "Russia")[n % 2], COMMENTS[n % 5]])
    yield Clean(rows)
    yield Clean([row[1:4] for row in rows], quote_all=True)
    yield Clean([row[:4] for row in rows], separator=";")
    yield Clean([["text", "actor"], *(["NATO won", "NATO"], ["Russia lost", "Russia"]) * 3])


def encode(lines: list[str], end: str = "\n") -> bytes:
    return "".join(line + end for line in lines).encode("utf-8", "surrogateescape")


def pollute(clean: Clean) -> Iterator[Polluted]:
    """Yield files with one fault each: in every cell, in every row, in the file."""
    for row, column in product(range(len(clean.rows)), range(len(clean.rows[0]))):
        yield from _in_cell(clean, row, column)
    for row in range(len(clean.rows)):
        yield from _in_row(clean, row)
    yield from _in_file(clean)


def _in_cell(clean: Clean, row: int, column: int) -> Iterator[Polluted]:
    mark, width, cell = clean.separator, len(clean.rows[0]), clean.rows[row][column]
    cells = [clean.raw(cell) for cell in clean.rows[row]]
    raw, good = cells[column], clean.lines()
    bare, middle = raw.strip('"'), max(1, len(raw) // 2)

    def line(text: str) -> bytes:
        return encode([*good[:row], text, *good[row + 1 :]])

    def put(text: str) -> bytes:
        return line(mark.join([*cells[:column], text, *cells[column + 1 :]]))

    left, right = mark.join(cells[: column + 1]), mark.join(cells[column + 1 :])
    if column < width - 1:
        between = ["", *(sign for sign in ";,\t|: \n\r" if sign != mark), "\r\n"]
        for sign in between:
            yield Polluted(f"{sign!r} for a separator", line(left + sign + right), None)
    behind = mark + right if column < width - 1 else ""
    yield Polluted("a separator more", line(left + mark + behind), None)
    faults = {
        "a quote before": '"' + raw,
        "a space before a quote": f' "{bare}"',
        "a space behind a quote": f'"{bare}" ',
        "text behind a quote": f'"{bare}" x',
        "backslashes": '"' + f'{bare[:3]}"{bare[3:]}'.replace('"', '\\"') + '"',
        "a NUL byte": clean.raw(f"{cell}\0"),
        "a bad byte": clean.raw(f"\udce9{cell}"),
    }
    if raw:
        faults |= {"a quote behind": raw + '"', "a quote": raw[:middle] + '"' + raw[middle:]}
    if raw.startswith('"'):
        faults |= {"no opening quote": raw[1:], "no closing quote": raw[:-1]}
        if set(cell) & {mark, '"', "\n"}:
            faults |= {"no quotes": cell, "apostrophes": f"'{cell}'"}
        if '"' in cell:
            faults["not doubled"] = f'"{cell}"'
    elif raw:
        faults |= {f"{s!r} inside": raw[:middle] + s + raw[middle:] for s in (mark, "\n", "\r")}
    for fault, text in faults.items():
        yield Polluted(fault, put(text), None)
    for value in (f" {cell}", "NA", "1e5", "007", "=1+1", "1,5", "x\u2028y", "\\", '"', "a\rb"):
        rows = [list(cells) for cells in clean.rows]
        rows[row][column] = value
        if row:
            yield Polluted(f"value {value!r}", put(clean.raw(value)), rows)


def _in_row(clean: Clean, row: int) -> Iterator[Polluted]:
    mark, rows, width, good = clean.separator, clean.rows, len(clean.rows[0]), clean.lines()
    for end in ("\r", "\r\n", "\r\r\n", "\n\r", "\n\n"):
        parts = encode(good[: row + 1])[:-1], end.encode(), encode(good[row + 1 :])
        yield Polluted(f"line end {end!r}", b"".join(parts), rows)
    if row < len(rows) - 1:
        yield Polluted("no line end", encode(good[: row + 1])[:-1] + encode(good[row + 1 :]), None)
    for fault, line in {
        "spaces": "   ",
        "a note": "# a note",
        "too many separators": mark * width,
    }.items():
        yield Polluted(fault, encode([*good[:row], line, *good[row:]]), None)
    for fault, line in {
        "a separator behind": good[row] + mark,
        "a separator before": mark + good[row],
        "a cell less": mark.join(clean.raw(cell) for cell in rows[row][:-1]),
        "in one cell": '"' + good[row].replace('"', '""') + '"',
        "other separators": clean.lines("\t")[row],
        "other quotes": mark.join(f"'{cell}'" for cell in rows[row]),
    }.items():
        yield Polluted(fault, encode([*good[:row], line, *good[row + 1 :]]), None)
    for line in (good[0], "\ufeff" + good[0], good[0].upper(), mark.join(rows[0][::-1])) * bool(
        row
    ):
        yield Polluted("the header again", encode([*good[:row], line, *good[row:]]), None)
    for eighth in range(1, 8) if row else ():
        start, length = len(encode(good[:row])), len(encode(good[row : row + 1]))
        yield Polluted("cut off", encode(good)[: start + length * eighth // 8], None)
    for below, column in product(range(row + 1, min(row + 5, len(rows))), range(width)):
        cells = [[clean.raw(cell) for cell in line] for line in rows]
        if row and '"' not in cells[row][column] + cells[below][column]:
            cells[row][column] = '"' + cells[row][column]
            cells[below][column] += '"'
            yield Polluted("two quotes", encode([mark.join(line) for line in cells]), None)


def _in_file(clean: Clean) -> Iterator[Polluted]:
    rows, good = clean.rows, clean.lines()
    for mark in ",;\t|:^~ \x1f":
        held = rows if mark in ",;\t|" else None
        yield Polluted(f"separators {mark!r}", encode(clean.lines(mark)), held)
    for mark in (", ", "::", "\t\t", " | "):
        yield Polluted(f"separators {mark!r}", encode([mark.join(row) for row in rows]), None)
    for quote in "'`|":
        lines = [clean.separator.join(f"{quote}{cell}{quote}" for cell in row) for row in rows]
        yield Polluted(f"quotes {quote}", encode(lines), None)
        yield Polluted(f"quotes {quote} below the header", encode([good[0], *lines[1:]]), None)
    for end in ("\r", "\r\n", "\r\r\n", "\n\n"):
        yield Polluted(f"line ends {end!r}", encode(good, end), rows)
    for end in ("\x1e", "\u2028", "\\n", " "):
        yield Polluted(f"line ends {end!r}", encode(good, end), None)
    yield from _around(clean)
    yield from _encoded(clean)


def _around(clean: Clean) -> Iterator[Polluted]:
    rows, width, good, data = clean.rows, len(clean.rows[0]), clean.lines(), encode(clean.lines())
    for change in (str.upper, str.title, " {} ".format, "'{}'".format, "{}\u200b".format):
        names = [change(name) for name in rows[0]]  # which are found all the same
        lines = encode([clean.separator.join(names), *good[1:]])
        yield Polluted("names of columns", lines, [names, *rows[1:]])
    for names in (rows[0][:-1], [*rows[0], "x"], [""] * width, ["text"] * width, ["V"] * width):
        lines = [clean.separator.join(names), *good[1:]]
        yield Polluted("other columns", encode(lines), None)
    yield Polluted("no header", encode(good[1:]), None)
    for title, times, gap in product(("Export", "Title;of,parts", "-" * 40), (1, 2), (b"", b"\n")):
        block = encode([title] * times)
        yield Polluted("lines before", block + gap + data, None)
        if title.count(clean.separator) != width - 1:
            yield Polluted("lines after", data + gap + block, None)
    for cells, gap in product((width - 1, width + 1, width + 3), (b"", b"\n")):
        other = encode([clean.separator.join(sign * cells) for sign in "xyz"])
        yield Polluted("a second table", data + gap + other, None)
        yield Polluted("a table before", other + gap + data, None)
    for lead in ("\n", "\r\n\r\n", " \n", "\0"):
        held = None if lead.strip("\r\n") else rows
        yield Polluted(f"{lead!r} before", lead.encode() + data, held)


def _encoded(clean: Clean) -> Iterator[Polluted]:
    rows, good, data = clean.rows, clean.lines(), encode(clean.lines())
    for name in ("utf-8-sig", "utf-16", "utf-32"):
        yield Polluted(name, data.decode().encode(name), rows)
    for name in ("utf-16-le", "utf-16-be", "utf-32-le"):
        yield Polluted(name, data.decode().encode(name), None)
    words = {"cp1252": "été", "cp1251": "Россия", "gb18030": "北约", "euc-kr": "나토"}
    for name, word in words.items():
        foreign = [clean.separator.join([word] * len(rows[0])), *good[1:]]
        yield Polluted(name, data + "\n".join(foreign).encode(name), None)
    yield Polluted("empty", b"", None)
