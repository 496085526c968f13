"""Page furniture: a saved page is cut into paragraphs, and what is not the article set aside."""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import groupby, pairwise
from typing import Any, NamedTuple


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
        _mark_authors(pieces, reasons)
        _mark_outside(pieces, reasons)
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
    bare = None if plain.strip(_LABEL_EDGES) else "navigation"  # numbers and bullets
    return next((reason for reason, rule in rules if rule.match(plain)), bare)


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


_BYLINE = re.compile(r"by ([^,|]{5,80})", re.IGNORECASE)
_OF_AUTHOR = re.compile(r"(?:$| (?:has reported|reports|reported|covers|writes|is an? )\b)")


def _mark_authors(pieces: Sequence[_Piece], reasons: list[str | None]) -> None:
    """Mark the name of an author whom a byline names, alone or in a line on the author."""
    bylines = (p.text for p, reason in zip(pieces, reasons, strict=True) if reason == "byline")
    found = [match[1] for match in map(_BYLINE.match, bylines) if match]
    names = {name for own in found for name in re.split(r" and | & ", own) if " " in name}
    for at, piece in enumerate(pieces):
        if reasons[at] is None and len(piece.text) <= _LONGEST_FURNITURE:
            own = next((name for name in names if piece.text.startswith(name)), None)
            if own and _OF_AUTHOR.match(piece.text[len(own) :]):
                reasons[at] = "author box"


_OUTSIDE = "outside the article"
_UNKNOWN, _KNOWN = -8, -2  # weights of a line that is no sentence, and of page furniture, in words
_LEAST_WORDS = 40  # in sentences of an article whose ends can be told
_TITLE_WORDS = range(4, 31)


def _mark_outside(pieces: Sequence[_Piece], reasons: list[str | None]) -> None:
    """Mark what stands before the first and after the last paragraph, but for the headline.

    The article is the run of lines with the greatest sum of weights: the words of sentences count
    for it, other lines against it (Pasternack & Roth 2009, Extracting article text from the web
    with maximum subsequence segmentation).
    """
    weights = [_weight(piece.text, reason) for piece, reason in zip(pieces, reasons, strict=True)]
    first, last = _heaviest(weights)
    inside = sum(weight for weight in weights[first : last + 1] if weight > 0)
    if inside < _LEAST_WORDS:
        return
    above = [at for at in range(first) if reasons[at] is None]
    article = [at for at in range(first, last + 1) if reasons[at] is None]
    kept = _headline(pieces, above, article)
    for at in (*above, *range(last + 1, len(pieces))):
        if reasons[at] is None and at not in kept:
            reasons[at] = _OUTSIDE


def _weight(text: str, reason: str | None) -> int:
    if reason is not None:
        return _KNOWN
    return len(text.split()) if _ends_as_sentence(text) else _UNKNOWN


def _heaviest(weights: Sequence[int]) -> tuple[int, int]:
    """Return the first and the last place of the run with the greatest sum."""
    best, found, total, start = 0, (0, -1), 0, 0
    for at, weight in enumerate(weights):
        if total <= 0:
            total, start = 0, at
        total += weight
        if total > best:
            best, found = total, (start, at)
    return found


def _headline(pieces: Sequence[_Piece], above: Sequence[int], article: Sequence[int]) -> set[int]:
    """Return the places of the headline and the summary.

    These are the lines that have words of the article, or the one that has most, and what stands
    right below it.
    """
    words = {word for at in article for word in _content(pieces[at].text)}
    found: dict[int, tuple[int, int]] = {}  # words that a line shares with the article, and all
    for at in above:
        text = pieces[at].text
        if len(text.split()) in _TITLE_WORDS and len(_SEPARATOR.split(text)) < 3:
            own = _content(text)
            found[at] = len(own & words), len(own)
    if not found:
        return set()
    best = max(found, key=lambda at: found[at])
    kept = {best, *(at for at, (shared, all_) in found.items() if shared >= max(2, all_ / 3))}
    return kept | ({best + 1} & found.keys())


def _content(text: str) -> set[str]:
    """Return the longer words of a text, which say what it is about."""
    return {word for word in re.findall(r"\w+", text.lower()) if len(word) > 3}
