"""Paragraphs of an article saved as text; what is page furniture is set aside and counted."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from types import TracebackType
from typing import Self

from stance.display import count
from stance.errors import DataError
from stance.tables._bytes import ByteFile, Encoding, choose_encoding, undecodable
from stance.tables._furniture import (
    Reason,
    ends_as_sentence,
    furniture_of,
    is_menu_item,
    opens_related,
)
from stance.tables._reading import Record, Records, RejectSink
from stance.tables.table import Table, open_table


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


LARGEST_ARTICLE = 20_000_000
"""Bytes of a text file that are still taken for an article."""

OR_ELSE = ", or use --rejects FILE"
"""What `predict` can also do about a bad record."""


class ArticleTable:
    """The paragraphs of one article, with the interface of `stance.tables.Table`.

    Parameters
    ----------
    path : Path
    encoding : str or None
        None is UTF-8, or what a byte order mark says.
    keep_all : bool
        Whether page furniture (navigation, captions, sign-up boxes) is kept too.

    Raises
    ------
    DataError
        If the file cannot be read as text.
    """

    columns = ("document", "paragraph", "text")

    def __init__(self, path: Path, encoding: str | None, keep_all: bool) -> None:
        file = ByteFile(path)
        self.name = file.name
        self._document = path.stem
        try:
            data = _all_of(file)
            file.check_unchanged()
        finally:
            file.close()
        chosen = choose_encoding(data[:64], encoding, self.name)
        article = split_article(self._decode(data, chosen), keep_all=keep_all)
        self.bytes_read = self.bytes_total = len(data)
        self.records_in = len(article.paragraphs)
        self._paragraphs = article.paragraphs
        dropped = Counter(str(piece.reason) for piece in article.dropped)
        kinds = ", ".join(f"{number} {reason}" for reason, number in dropped.most_common())
        self.notes: tuple[str, ...] = (
            f"{self.name}: article of {count(len(article.paragraphs), 'paragraph')}, {chosen}"
            + (f"; left out as page furniture: {kinds} (--keep-all keeps them)" if kinds else ""),
        )

    def _decode(self, data: bytes, encoding: Encoding) -> str:
        try:
            text = data[encoding.mark :].decode(encoding.name)
        except UnicodeDecodeError as error:
            place = encoding.mark + error.start
            line = data[:place].count(b"\n") + 1
            raise DataError(
                f"{self.name}:{line}: {undecodable(data, place, encoding.name)}"
            ) from error
        if "\0" in text:
            line = text[: text.index("\0")].count("\n") + 1
            raise DataError(
                f"{self.name}:{line}: a NUL byte; the file is damaged or not text: export it again"
            )
        return text

    def __iter__(self) -> Iterator[Record]:
        for number, text in enumerate(self._paragraphs, 1):
            yield Record(number, number, (self._document, str(number), text))

    def blocks(self) -> Iterator[Records]:
        """Yield all records at once."""
        yield Records.of(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Nothing is left open."""


def _all_of(file: ByteFile) -> bytes:
    """Return all bytes of an article, or refuse it for its size."""
    parts: list[bytes] = []
    while part := file.read(LARGEST_ARTICLE, 1):
        parts.append(part)
        if sum(map(len, parts)) > LARGEST_ARTICLE:
            raise DataError(
                f"{file.name}: more than {LARGEST_ARTICLE:,} bytes are no article; "
                "put paragraphs in a CSV table"
            )
    return b"".join(parts)


def open_input(
    path: Path | None,
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
    rejects: RejectSink | None = None,
    keep_all: bool = False,
) -> Table | ArticleTable:
    """Open an article where the name ends in ``.txt``, else a table; None is standard input.

    A spreadsheet saves tables as ``.txt``, too: with a `delimiter` it is one.
    """
    if path is not None and path.suffix.lower() == ".txt" and delimiter is None:
        return ArticleTable(path, encoding, keep_all)
    return open_table(
        path, delimiter=delimiter, encoding=encoding, rejects=rejects, or_else=OR_ELSE
    )
