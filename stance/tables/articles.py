"""Articles saved as text: cut into paragraphs; page furniture is set aside and counted."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, NamedTuple

from stance.display import count
from stance.errors import DataError
from stance.tables._bytes import ByteFile
from stance.tables._reading import Journal, Record, Records, RejectSink
from stance.tables._sources import Encoding, choose_encoding, undecodable
from stance.tables.table import Table, open_table

_LARGEST_ARTICLE = 20_000_000  # bytes
_OR_ELSE = ", or use --rejects FILE"


def open_input(
    path: Path | None,
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
    rejects: RejectSink | None = None,
    keep_all: bool = False,
) -> Table:
    """Open an article if the name ends in ``.txt``, else a table; None is standard input.

    With a `delimiter`, ``.txt`` is a table, too. With `keep_all`, page furniture is kept.
    """
    if path is not None and path.suffix.lower() == ".txt" and delimiter is None:
        return _open_article(path, encoding, keep_all)
    return open_table(
        path, delimiter=delimiter, encoding=encoding, rejects=rejects, or_else=_OR_ELSE
    )


def _open_article(path: Path, encoding: str | None, keep_all: bool) -> Table:
    file = ByteFile(path)
    try:
        data = _all_of(file)
        file.check_unchanged()
    finally:
        file.close()
    chosen = choose_encoding(data[:64], encoding, file.name)
    article = split_article(_decoded(data, chosen, file.name), keep_all=keep_all)
    dropped = Counter(piece.reason for piece in article.dropped)
    kinds = ", ".join(f"{number} {reason}" for reason, number in dropped.most_common())
    note = f"article of {count(len(article.paragraphs), 'paragraph')}, {chosen}"
    note += f"; left out as page furniture: {kinds} (--keep-all keeps them)" if kinds else ""
    journal = Journal(file.name)
    journal.columns = ("document", "paragraph", "text")
    journal.number = len(article.paragraphs)
    records = (
        Record(number, number, (path.stem, str(number), text))
        for number, text in enumerate(article.paragraphs, 1)
    )
    return Table(file, journal, (Records.of(records) for _ in range(1)), lambda: [note])


def _all_of(file: ByteFile) -> bytes:
    data = b""
    while part := file.read(_LARGEST_ARTICLE, 1):
        data += part
        if len(data) > _LARGEST_ARTICLE:
            why = f"more than {_LARGEST_ARTICLE:,} bytes are not an article"
            raise DataError(f"{file.name}: {why}; put paragraphs in a CSV table")
    return data


def _decoded(data: bytes, encoding: Encoding, name: str) -> str:
    try:
        text = data[encoding.mark :].decode(encoding.name)
    except UnicodeDecodeError as error:
        place = encoding.mark + error.start
        line = data[:place].count(b"\n") + 1
        raise DataError(f"{name}:{line}: {undecodable(data, place, encoding.name)}") from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        why = "a NUL byte; the file is damaged or not text: export it again"
        raise DataError(f"{name}:{line}: {why}")
    return text


@dataclass(frozen=True, slots=True)
class Dropped:
    """A piece of page furniture."""

    text: str
    reason: str  # a key of data/furniture.toml
    line: int  # number of its first line in the saved file, from 1


@dataclass(frozen=True, slots=True)
class Article:
    """What a saved page holds, in the order of the page; the headline is the first paragraph."""

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
    reasons = [None if keep_all else _furniture_of(piece.text) for piece in pieces]
    if not keep_all:
        _mark_teasers(pieces, reasons)
        _mark_menus(pieces, reasons)
    judged = list(zip(pieces, reasons, strict=True))
    return Article(
        tuple(piece.text for piece, reason in judged if reason is None),
        tuple(Dropped(piece.text, reason, piece.line) for piece, reason in judged if reason),
    )


EDGES = (  # white space of every kind, and characters that print nothing
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007"
    "\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\u200b\u200e\u200f\u2060\ufeff\xad"
)
_WRAP_WIDTHS = range(45, 101)  # wrapped text has 65-80 columns; an unwrapped page exceeds 100


class _Piece(NamedTuple):
    text: str
    line: int


def _pieces(text: str) -> list[_Piece]:
    lines = (_Piece(line.strip(EDGES), n) for n, line in enumerate(text.splitlines(), 1))
    blocks = [list(run) for inked, run in groupby(lines, key=lambda line: line.text != "") if inked]
    if not any(_is_wrapped(block) for block in blocks):
        return [piece for block in blocks for piece in block]
    return [piece for block in blocks for piece in _unwrap(block)]


def _is_wrapped(block: Sequence[_Piece]) -> bool:
    """Whether some line is full and its sentence goes on in the next: one such block is proof."""
    width = max(len(piece.text) for piece in block)
    return width in _WRAP_WIDTHS and any(
        _is_full(above.text, below.text, width)
        and below.text[0].islower()
        and not _ends_as_sentence(above.text)
        for above, below in pairwise(block)
    )


def _unwrap(block: Sequence[_Piece]) -> Iterator[_Piece]:
    width = max(len(piece.text) for piece in block)
    wrapped = width in _WRAP_WIDTHS
    lines, start = [block[0].text], block[0].line
    for above, below in pairwise(block):
        goes_on = below.text[0].islower() and len(above.text) > width // 2
        if wrapped and (goes_on or _is_full(above.text, below.text, width)):
            lines.append(below.text)
        else:
            yield _Piece(_join(lines), start)
            lines, start = [below.text], below.line
    yield _Piece(_join(lines), start)


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


_LONGEST_FURNITURE = 600  # characters; no pattern sees a longer line, so time is linear in the page
_LIST_MARK = re.compile(r"[•▪◦●*–—-]+ +(?=\w)")
_SEPARATOR = re.compile(r" [•·›»>/→] |\||\t")
_LABEL_EDGES = " :•*+-–—→›»>▼▾…()[]0123456789"  # bullets, arrows, counts: "▼ Comments (34)"
_NUMBER = re.compile(r"\d{1,4}(?:st|nd|rd|th|h|am|pm|z)?$")
_SENTENCE_END = re.compile(r"""[.!?…。！？][)\]"'”’»]*$""")
_MENU_LENGTH = 30  # characters of an item
_MENU_WORDS = 3  # words of an item


class _Furniture(NamedTuple):
    labels: dict[str, str]  # reasons by what is furniture if it is all there is
    patterns: dict[str, re.Pattern[str]]  # by reason
    date_words: frozenset[str]


@cache  # read where there is an article, for compiling takes 40 ms
def _furniture() -> _Furniture:
    text = files("stance").joinpath("data/furniture.toml").read_text("utf-8")
    found: dict[str, Any] = tomllib.loads(text)
    patterns = {}
    for reason, lines in found["patterns"].items():
        pattern = "|".join(f"(?:{line})" for line in lines)
        for placeholder, meaning in found["placeholders"].items():  # in order
            pattern = pattern.replace(placeholder, meaning)
        patterns[reason] = re.compile(pattern, re.IGNORECASE)
    labels = {label: reason for reason, all_ in found["labels"].items() for label in all_}
    return _Furniture(labels, patterns, frozenset(found["date_words"].split()))


def _furniture_of(text: str) -> str | None:
    """Return which furniture a line is; None for a paragraph."""
    if len(text) > _LONGEST_FURNITURE:
        return None
    parts = [part for part in map(str.strip, _SEPARATOR.split(text)) if part]
    if len(parts) > 1:
        reasons = [_reason_of_part(part) for part in parts]
        if all(reasons):
            return reasons[0]
        judged = zip(parts, reasons, strict=True)
        if len(parts) > 2 and all(reason or _is_menu_item(part) for part, reason in judged):
            return "navigation"
    return _reason_of_part(text)


def _reason_of_part(text: str) -> str | None:
    plain = " ".join(text.split())
    if mark := _LIST_MARK.match(plain):
        plain = plain[mark.end() :]
    if reason := _reason_of_label(plain) or ("date" if _is_date(plain) else None):
        return reason
    rules = _furniture().patterns.items()
    return next((reason for reason, rule in rules if rule.match(plain)), None)


def _reason_of_label(text: str) -> str | None:
    return _furniture().labels.get(text.replace("’", "'").lower().strip(_LABEL_EDGES))


def _is_date(text: str) -> bool:
    """Whether there is nothing but a date, a time or an age ("Updated 3 hours ago")."""
    words = re.findall(r"\w+", text.lower())
    others = [word for word in words if not _NUMBER.match(word)]
    return 0 < len(others) < len(words) and _furniture().date_words.issuperset(others)


def _is_menu_item(text: str) -> bool:
    """Whether a line is so short that it may stand in a menu, and not a sentence."""
    short = len(text) <= _MENU_LENGTH and len(text.split()) <= _MENU_WORDS
    return short and not _ends_as_sentence(text)


def _ends_as_sentence(text: str) -> bool:
    """Whether a text ends with a stop, quotes and brackets after it or not."""
    return _SENTENCE_END.search(text[-8:]) is not None


_TEASER_LENGTH = 120  # characters
_MENU_ITEMS = 4  # short lines on end that make a menu; fewer may be a headline and cross-heads


def _mark_teasers(pieces: Sequence[_Piece], reasons: list[str | None]) -> None:
    """Mark the headlines under "Most read" and the like, once the article itself has begun."""
    begun = under_heading = False
    for at, piece in enumerate(pieces):
        if _reason_of_label(piece.text) == "related":
            under_heading = begun
        elif reasons[at] is None:
            is_title = piece.text[-1] == "?" or not _ends_as_sentence(piece.text)
            is_teaser = is_title and len(piece.text) <= _TEASER_LENGTH
            begun = begun or not is_teaser
            under_heading = under_heading and is_teaser
            if under_heading:
                reasons[at] = "related"


def _mark_menus(pieces: Sequence[_Piece], reasons: list[str | None]) -> None:
    """Mark runs of short lines that are not sentences; known furniture does not end a run."""
    unknown = [at for at, reason in enumerate(reasons) if reason is None]
    for short, run in groupby(unknown, key=lambda at: _is_menu_item(pieces[at].text)):
        items = list(run)
        if short and len(items) >= _MENU_ITEMS:
            for at in items:
                reasons[at] = "navigation"
