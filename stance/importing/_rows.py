"""Rows of a corpus: checked cells, and places that name an actor."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from stance.display import shown
from stance.errors import DataError
from stance.label_values import LONGEST_HOLDER
from stance.reading.spans import parse_spans
from stance.records import Stance

Row = dict[str, str]
"""Cells by column of a corpus; a column without a cell is empty."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_NAMES = ("holder", "coder")


def make_row(where: str, given: Mapping[str, str]) -> Row:
    """Return a row of a corpus; raise `DataError` if a cell cannot stand in one."""
    cells = dict(given)
    for name, cell in cells.items():
        both = name + cell
        if "\0" in both or _SURROGATE.search(both):
            what = "a NUL character" if "\0" in both else "half a character (a lone surrogate)"
            raise DataError(f"{where}: {shown(name, 30)} holds {what}; correct it")
    for name in _NAMES:
        cell = cells[name] = " ".join(cells.get(name, "").split())
        if len(cell) > LONGEST_HOLDER or not cell.isprintable():
            raise DataError(f"{where}: {name} '{shown(cell)}' is too long for a name; correct it")
    parse_spans(cells.get("spans", ""), cells["text"], where)  # raises
    if not cells["actor"].strip():
        raise DataError(f"{where}: the actor is empty; name the actor that the stance is toward")
    return {name: cell for name, cell in cells.items() if cell or name not in _NAMES}


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a text that names an actor, and a stance toward it."""

    start: int  # in characters (code points)
    end: int  # exclusive
    stance: Stance
    actor: str = ""  # what the place says if empty
    holder: str = ""


def marked_rows(
    where: str, text: str, marks: Sequence[Mark], cells: Mapping[str, str]
) -> Iterator[Row]:
    """Yield a row for each actor, stance and holder that some places of a text share."""
    found: dict[tuple[str, str, str], set[tuple[int, int]]] = {}
    for mark in marks:
        actor = " ".join((mark.actor or text[mark.start : mark.end]).split())
        key = (actor, str(mark.stance), mark.holder)
        found.setdefault(key, set()).add((mark.start, mark.end))
    for (actor, stance, holder), places in found.items():
        spans = ";".join(f"{start}:{end}" for start, end in sorted(places))
        own = {"actor": actor, "spans": spans, "stance": stance, "holder": holder, "text": text}
        yield make_row(where, {**cells, **own})


def located(text: str, start: int, end: int, said: str | None) -> tuple[int, int] | None:
    """Return a place in code points; None if it is none, or the text there is not what is said.

    Tools count in code points, or in the UTF-16 units of JavaScript and Java; what a tool says
    stands at the place tells which. White space may differ.

    >>> located("\U0001f600 NATO", 3, 7, "NATO"), located("NATO met", 0, 4, None)
    ((2, 6), (0, 4))
    """
    plain = None if said is None else said.split()
    if 0 <= start < end <= len(text) and plain in (None, text[start:end].split()):
        return start, end
    if plain is None:
        return None
    low, high = from_utf16(text, start), from_utf16(text, end)
    if low is None or high is None or not low < high or text[low:high].split() != plain:
        return None
    return low, high


def from_utf16(text: str, offset: int) -> int | None:
    """Return the code points before an offset in UTF-16 units; None if there is none such.

    >>> from_utf16("\U0001f600 NATO", 3), from_utf16("NATO", 9)
    (2, None)
    """
    encoded = text.encode("utf-16-le", "surrogatepass")
    if not 0 <= 2 * offset <= len(encoded):
        return None
    try:
        return len(encoded[: 2 * offset].decode("utf-16-le"))
    except UnicodeDecodeError:
        return None


def paragraph_around(text: str, start: int, end: int) -> tuple[str, int]:
    r"""Return the line, or the lines, around a place, and where it begins.

    >>> paragraph_around("One.\n\nNATO met.\n", 6, 10)
    ('NATO met.', 6)
    """
    low = text.rfind("\n", 0, start) + 1
    high = text.find("\n", end)
    line = text[low : len(text) if high < 0 else high]
    begin = low + len(line) - len(line.lstrip("\ufeff \t\r"))
    return line.strip("\ufeff \t\r"), begin
