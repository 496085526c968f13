"""Paragraphs of an article saved as text; what is page furniture is set aside and counted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from stance.tables.furniture import (
    Reason,
    ends_as_sentence,
    furniture_of,
    is_menu_item,
    opens_related,
)


@dataclass(frozen=True, slots=True)
class Dropped:
    """A piece of page furniture.

    Attributes
    ----------
    line : int
        1-based number of its first line in the saved file.
    """

    text: str
    reason: Reason
    line: int


@dataclass(frozen=True, slots=True)
class Article:
    """Both tuples are in the order of the page; the headline is the first paragraph."""

    paragraphs: tuple[str, ...]
    dropped: tuple[Dropped, ...]


def split_article(text: str, *, keep_all: bool = False) -> Article:
    r"""Split a saved page into paragraphs and page furniture.

    Paragraphs are lines, or groups of hard-wrapped lines. Every line that is not blank ends in
    a paragraph or in a dropped piece; with `keep_all`, always in a paragraph.

    >>> article = split_article("Menu\nNATO leaders meet\nRussia has not commented.\nShare")
    >>> article.paragraphs
    ('NATO leaders meet', 'Russia has not commented.')
    >>> [(piece.line, piece.reason) for piece in article.dropped]
    [(1, 'navigation'), (4, 'share')]
    """
    pieces = _pieces(text)
    reasons: list[Reason | None] = [None] * len(pieces)
    if not keep_all:
        reasons = [furniture_of(piece.text) for piece in pieces]
        _mark_teasers(pieces, reasons)
        _mark_menus(pieces, reasons)
    judged = list(zip(pieces, reasons, strict=True))
    return Article(
        tuple(piece.text for piece, reason in judged if reason is None),
        tuple(Dropped(piece.text, reason, piece.line) for piece, reason in judged if reason),
    )


# --- Lines to pieces: undo hard wrapping ---------------------------------------------------------

EDGES = (  # white space of every kind, and characters that print nothing
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007"
    "\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\u200b\u200e\u200f\u2060\ufeff\xad"
)
_WRAP_WIDTHS = range(45, 101)  # wrapped text has 65-80 columns; an unwrapped page exceeds 100


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    line: int


def _pieces(text: str) -> list[_Piece]:
    blocks = list(_blocks(text))
    if not any(_is_wrapped(block) for block in blocks):
        return [piece for block in blocks for piece in block]
    return [piece for block in blocks for piece in _unwrap(block)]


def _blocks(text: str) -> Iterator[list[_Piece]]:
    """Yield the runs of lines between blank lines."""
    block: list[_Piece] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if stripped := line.strip(EDGES):
            block.append(_Piece(stripped, number))
        elif block:
            yield block
            block = []
    if block:
        yield block


def _is_wrapped(block: Sequence[_Piece]) -> bool:
    """Whether some line is full and its sentence goes on in the next: one such block is proof."""
    width = _width(block)
    return width in _WRAP_WIDTHS and any(
        _is_full(above.text, below.text, width)
        and below.text[0].islower()
        and not ends_as_sentence(above.text)
        for above, below in pairwise(block)
    )


def _unwrap(block: Sequence[_Piece]) -> Iterator[_Piece]:
    width = _width(block)
    wrapped = width in _WRAP_WIDTHS
    lines = [block[0].text]
    start = block[0].line
    for above, below in pairwise(block):
        goes_on = below.text[0].islower() and len(above.text) > width // 2
        if wrapped and (goes_on or _is_full(above.text, below.text, width)):
            lines.append(below.text)
        else:
            yield _Piece(_join(lines), start)
            lines, start = [below.text], below.line
    yield _Piece(_join(lines), start)


def _width(block: Sequence[_Piece]) -> int:
    return max(len(piece.text) for piece in block)


def _is_full(above: str, below: str, width: int) -> bool:
    """Whether the first word of the line below had no room on the line above."""
    return len(above) + 1 + len(below.split(maxsplit=1)[0]) > width


def _join(lines: Sequence[str]) -> str:
    """Make one line; a compound cut at its hyphen ("long-" / "term") is made whole."""
    joined = [lines[0]]
    for above, below in pairwise(lines):
        is_cut = above[-1] == "-" and above[-2:-1].isalpha() and below[0].islower()
        joined += [below] if is_cut else [" ", below]
    return "".join(joined)


# --- Neighbours: furniture that only its place betrays -------------------------------------------

_TEASER_LENGTH = 120  # characters
_MENU_ITEMS = 4  # short lines on end that make a menu; fewer may be a headline and cross-heads


def _mark_teasers(pieces: Sequence[_Piece], reasons: list[Reason | None]) -> None:
    """Mark the headlines under "Most read" and the like, once the article itself has begun."""
    begun = under_heading = False
    for at, piece in enumerate(pieces):
        if opens_related(piece.text):
            under_heading = begun
        elif reasons[at] is None:
            is_title = piece.text[-1] == "?" or not ends_as_sentence(piece.text)
            is_teaser = is_title and len(piece.text) <= _TEASER_LENGTH
            begun = begun or not is_teaser
            under_heading = under_heading and is_teaser
            if under_heading:
                reasons[at] = "related"


def _mark_menus(pieces: Sequence[_Piece], reasons: list[Reason | None]) -> None:
    """Mark runs of short lines that are no sentences; known furniture does not end a run."""
    unknown = (at for at, reason in enumerate(reasons) if reason is None)
    for short, run in groupby(list(unknown), key=lambda at: is_menu_item(pieces[at].text)):
        items = list(run)
        if short and len(items) >= _MENU_ITEMS:
            for at in items:
                reasons[at] = "navigation"
