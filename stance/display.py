"""Words and lines that people read: what may be shown of the user's data, counts and shares."""

import re
import shutil
import textwrap
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate, zip_longest
from unicodedata import east_asian_width

Row = Sequence[object]
SHOWN = 60  # characters of a cell that a message shows
_NUMBER = re.compile(r"[<+-]?[\d,.]*")
_DEFINITE = (  # ends of names that take an article
    *("Bahamas", "Council", "Court", "Cross", "Emirates", "Fund", "Gambia", "Group", "Islands"),
    *("Kingdom", "League", "Maldives", "Nations", "Netherlands", "Organisation", "Organization"),
    *("Philippines", "Republic", "States", "Taliban", "Union", "World Bank"),
)


def shown(text: str, limit: int = SHOWN) -> str:
    r"""Return the text fit for a terminal: what does not print is escaped, the rest is cut short.

    Escapes every control character, direction mark and lone surrogate, so that no cell can
    colour, hide or forge a message.

    >>> shown("\x1b[31mNATO\n")
    '\\x1b[31mNATO\\n'
    """
    cut = text[:limit]
    if not cut.isprintable():
        cut = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)
    return cut if len(text) <= limit else cut + "…"


def shown_path(path: object) -> str:
    """Return a path fit for a terminal, as `shown` does."""
    return shown(str(path), 200)


def count(number: int, noun: str) -> str:
    """Return the number with its noun, such as "1 record" or "1,200 records"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def percent(value: float | None, sign: str = "") -> str:
    """Return a share in percent, as -0.04 if near 0, "-" for none; ``sign`` "+" is for gains."""
    texts = ["-" if value is None else f"{100 * value:{sign}z.{n}f}" for n in (1, 2, 3)]
    return next((text for text in texts if text.strip("+-0.")), texts[0])


def line_width() -> int:
    """Return the columns of a line: those of the terminal within limits, else 79."""
    return min(max(shutil.get_terminal_size().columns - 1, 40), 120)


def wrap(text: str, first: str = "", rest: str | None = None) -> list[str]:
    """Return the lines of a paragraph, all but the first of which begin with ``rest``.

    Only a word wider than a line is broken.

    >>> wrap("two files", "note: ")
    ['note: two files']
    """
    rest = first + "  " if rest is None else rest
    return textwrap.wrap(
        text, line_width(), initial_indent=first, subsequent_indent=rest, break_on_hyphens=False
    )


def ranged(value: float | None, interval: Sequence[float] | None, sign: str = "") -> str:
    """Return a share in percent with its interval, such as "61.2 [58.1, 64.2]"."""
    ends = f" [{percent(interval[0])}, {percent(interval[1])}]" if interval else ""
    return percent(value, sign) + ends


def listed(names: Sequence[str], most: int, noun: str) -> str:
    """Return names with commas; those after ``most`` are counted, as in "a and 2 more actors"."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {count(more, f'more {noun}')}" if more > 0 else "")


def stacked(parts: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a screen's parts, a blank line between two of them."""
    return [line.rstrip() for part in parts if part for line in ("", *part)][1:]


def facts(rows: Iterable[tuple[str, str]], width: int) -> list[str]:
    """Return the lines of named facts, the names in a column of this width."""
    lines = list[str]()
    for name, text in rows:
        lines += wrap(shown(text, 1000), f"{name:<{width - 2}}  ", " " * width)
    return lines


def _folded(cell: str, width: int) -> str:
    r"""Return a name on as many lines as it needs, or the beginning of a longer text on one.

    >>> _folded("- National Front", 12)
    '- National\n    Front'
    """
    lines = 1 if len(cell) > SHOWN else None
    return textwrap.fill(cell, width, subsequent_indent="    ", max_lines=lines, placeholder=" …")


def table(rows: Sequence[Row], *, most: int | None = None, noun: str = "") -> list[str]:
    """Return a head and rows as lines: numbers right, texts left, the widest on lines that fit.

    Of more than ``most`` rows the rest is counted. Without a row, there is no head.

    >>> table([("actor", "n"), ("NATO", 1200), ("Russia", 3)])
    ['actor       n', 'NATO    1,200', 'Russia      3']
    """
    if len(rows) < 2:
        return []
    end = len(rows) if most is None else most + 1
    cells = [
        [f"{c:,}" if isinstance(c, int) else shown(str(c), 300) for c in row] for row in rows[:end]
    ]
    columns = [list(column) for column in zip(*cells, strict=True)]
    sides = [">" if all(map(_NUMBER.fullmatch, column[1:])) else "<" for column in columns]
    widths = [max(map(len, column)) for column in columns]
    if texts := [place for place, side in enumerate(sides) if side == "<"]:
        widest = max(texts, key=widths.__getitem__)
        room = line_width() - sum(widths) - 2 * (len(widths) - 1)
        width = widths[widest] = max(widths[widest] + min(room, 0), min(widths[widest], 10))
        columns[widest] = [_folded(cell, width) for cell in columns[widest]]
    lines = []
    for row in zip(*columns, strict=True):
        for parts in zip_longest(*(cell.split("\n") for cell in row), fillvalue=""):
            places = zip(parts, sides, widths, strict=True)
            lines.append("  ".join(f"{part:{side}{n}}" for part, side, n in places).rstrip())
    return lines + ([f"and {count(len(rows) - end, f'more {noun}')}"] if len(rows) > end else [])


# --- Names and numbers of a page ---


def widths(text: str) -> list[int]:
    """Return the columns of each character; wide ones take two."""
    return [1 + (east_asian_width(char) in "WF") for char in text]


def cut(text: str, limit: int = 28) -> str:
    r"""Return a name on one line of at most so many columns, a longer one without its middle.

    >>> cut("The Gazette of the North", 12), cut("Daily\nNews", 12), cut("北大西洋公约", 10)
    ('The Gaz…orth', 'Daily News', '北大西洋…')
    """
    line = " ".join(text[: 4 * limit].split()) or "(no name)"
    columns = list(accumulate(widths(line)))
    if columns[-1] <= limit:
        return line
    tail = limit // 3 if limit > 10 else 0
    end = bisect_right(columns, columns[-1] - tail - 1) + 1 if tail else len(line)
    return line[: bisect_right(columns, limit - tail - 1)] + "…" + line[end:]


def definite(name: str) -> str:
    """Return a name, cut, as a sentence has it: "the European Union", but "Turkey"."""
    return "the " * (name.endswith(_DEFINITE) and name[:4].lower() != "the ") + cut(name)


def signed(value: float, digits: int = 0) -> str:
    """Return a number with its sign; what is not zero but would look so, with up to 3 more digits.

    >>> signed(12.4), signed(0), signed(-0.2), signed(-3.25, 1)
    ('+12', '0', '−0.2', '−3.2')
    """
    texts = (f"{value:+.{digits + more}f}" for more in range(4))
    text = next((text for text in texts if text.strip("+-0.")), f"{0:.{digits}f}")
    return text.replace("-", "−")


def points(value: float, interval: Sequence[float] = (), digits: int = 0) -> str:
    """Return a signed share and its interval in points: ``+12 [−3, +27]``."""
    ends = ", ".join(signed(100 * end, digits) for end in interval)
    return signed(100 * value, digits) + (f" [{ends}]" if ends else "")
