"""Articles saved as text: cut into paragraphs; page furniture is set aside and counted."""

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import groupby, pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from stance.display import count, shown
from stance.errors import DataError, UsageError
from stance.tables._bytes import ByteFile, kind_suffix
from stance.tables._pages import declared_encoding, read_page
from stance.tables._reading import Journal, Record, Records
from stance.tables._sources import Encoding, choose_encoding, undecodable
from stance.tables.table import Table

_LARGEST_ARTICLE = 20_000_000  # bytes
_MARKDOWN, _PAGES = ".md", (".html", ".htm", ".xhtml")
ARTICLE_NAMES = (".txt", _MARKDOWN, *_PAGES)
_FENCES = ("---", "...")  # around front matter
_LONGEST_FRONT_MATTER = 100  # lines
_KEY = re.compile(r"([^\W\d][\w -]{0,60}?)\s*:(?:\s+(.*))?$")


def is_article(path: Path) -> bool:
    """Return whether a file is read as an article, by its name."""
    return path.suffix.lower() in ARTICLE_NAMES or kind_suffix(path) in _PAGES


class ArticleTable(Table):
    """An article as a table: a record for each paragraph."""

    def __init__(self, file: ByteFile, columns: Sequence[str], read: Callable[[], "_Read"]) -> None:
        journal = Journal(file.name)
        journal.columns = tuple(columns)
        self._read_article, self._form = read, ""
        self.furniture: Counter[str] = Counter()  # pieces left out, by reason
        super().__init__(file, journal, self._paragraphs(), self._article_notes)

    def _paragraphs(self) -> Generator[Records]:
        article, cells, self._form = self._read_article()
        self.furniture.update(piece.reason for piece in article.dropped)
        self._journal.number = len(article.paragraphs)
        yield Records.of(
            Record(number, number, (cells[0], str(number), *cells[1:], text))
            for number, text in enumerate(article.paragraphs, 1)
        )

    def _article_notes(self) -> list[str]:
        paragraphs = count(self._journal.number, "paragraph")
        return [f"article of {paragraphs}, {self._form}{furniture_note(self.furniture)}"]


class _Read(NamedTuple):
    """What an article is when it has been read."""

    article: "Article"
    cells: Sequence[str]  # of the columns that are the same for all paragraphs, `document` first
    form: str  # for the note


def furniture_note(furniture: Counter[str]) -> str:
    """Return what is said of page furniture that was left out; nothing if there was none."""
    kinds = ", ".join(f"{number} {reason}" for reason, number in furniture.most_common())
    return f"; left out as page furniture: {kinds} (--keep-all keeps them)" if kinds else ""


def open_article(
    path: Path,
    *,
    encoding: str | None = None,
    keep_all: bool = False,
    text_column: str = "text",
    document: str | None = None,
    fields: Mapping[str, str] = MappingProxyType({}),
) -> ArticleTable:
    """Open an article, whose columns are `document`, `paragraph`, what it says of itself, text.

    A web page says its title, date and outlet; other articles have the lines ``key: value`` between
    two lines ``---`` at the beginning (front matter). `fields` are what the file's name says, which
    goes before that. `document` is that name without its ending if omitted. With `keep_all`, page
    furniture is kept.
    """
    file = ByteFile(path)
    try:
        data = _all_of(file)
        file.check_unchanged()
    finally:
        file.close()
    document = path.stem if document is None else document
    is_page = kind_suffix(path) in _PAGES
    chosen = _encoding_of(data, encoding, file.name, is_page)
    text = _decoded(data, chosen, file.name)
    matter, text = (dict.fromkeys(_SAID, ""), text) if is_page else _front_matter(text, file.name)
    said = {**matter, **{name: cell for name, cell in fields.items() if cell or name not in matter}}
    columns = ["document", "paragraph", *said, text_column]
    if len(set(columns)) < len(columns):
        twice = next(name for name in said if columns.count(name) > 1)
        why = f"'{shown(twice)}' in its front matter is a column of every article"
        raise DataError(f"{file.name}: {why}; rename it there")

    def read() -> _Read:
        plain, form, own = text, str(chosen), said
        if is_page:
            page = read_page(text, file.name)
            plain, form = page.text, f"{form}, a web page"
            own = {name: said[name] or getattr(page, name, "") for name in said}
        elif path.suffix.lower() == _MARKDOWN:
            plain = _plain(text)
        article = split_article(plain, keep_all=keep_all)
        return _Read(article, (document, *own.values()), form)

    return ArticleTable(file, columns, read)


_SAID = ("title", "date", "outlet")  # by a web page


def _encoding_of(data: bytes, asked: str | None, name: str, is_page: bool) -> Encoding:
    chosen = choose_encoding(data[:64], asked, name)
    if not is_page or asked or chosen.mark or (declared := declared_encoding(data)) is None:
        return chosen
    with suppress(UsageError):  # of an unknown name, which browsers would not heed either
        return choose_encoding(b"", declared, name)
    return chosen


def _front_matter(text: str, name: str) -> tuple[dict[str, str], str]:
    """Return what stands between two fences at the beginning, and the text with that blanked.

    A beginning that is not front matter through and through is text.
    """
    lines = text.split("\n", _LONGEST_FRONT_MATTER)
    if lines[0].strip(EDGES) != _FENCES[0]:
        return {}, text
    found: dict[str, str] = {}
    key = ""
    for at, line in enumerate(map(str.rstrip, lines[1:_LONGEST_FRONT_MATTER]), 1):
        if line in _FENCES:
            return found, "\n" * (at + 1) + "\n".join(lines[at + 1 :])
        if not line or line.startswith("#"):
            continue
        if key and line[0] in " \t-":  # a value of several lines, such as a list
            found[key] = f"{found[key]}{', ' * bool(found[key])}{_unquoted(line.lstrip(' -'))}"
        elif entry := _KEY.fullmatch(line):
            key = entry[1]
            if key in found:
                why = f"'{shown(key)}' stands twice in the front matter; remove one"
                raise DataError(f"{name}:{at + 1}: {why}")
            found[key] = _unquoted(entry[2] or "")
        else:
            break
    return {}, text


def _unquoted(value: str) -> str:
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1].replace("''", "'") if value[0] == "'" else value[1:-1]
    return "" if value in ("|", ">", "|-", ">-") else value


_MARKS = (  # of Markdown, and what stays of them
    (re.compile(r"!\[[^\[\]]*\]\([^()]*\)"), ""),
    (re.compile(r"\[([^\[\]]*)\]\([^()]*\)"), r"\1"),
    (re.compile(r"(?<![\w*_])(\*\*|__|[*_])(?=\S)([^*_]+)(?<=\S)\1(?![\w*_])"), r"\2"),
    (re.compile(r"\\([\\`*_{}\[\]()#+.!-])"), r"\1"),
)
_OPENING = re.compile(r"\s{0,3}(?:#{1,6}\s+|>\s?|[-*+]\s+|\d{1,3}[.)]\s+)")


def _plain(text: str) -> str:
    """Return Markdown as a page of plain text: each paragraph on its first line."""
    found = list[str]()
    opened = -1  # line of the paragraph that goes on
    for at, line in enumerate(text.splitlines()):
        mark = _OPENING.match(line)
        goes_on = opened >= 0 and not mark and line.strip() != ""
        if goes_on:
            found[opened] += " " + line.strip()
            found.append("")
            continue
        rest = line[mark.end() :] if mark else line
        heading = mark is not None and "#" in mark[0]
        opened = at if rest.strip() and not heading else -1
        found.append(rest.strip())
    for pattern, kept in _MARKS:
        found = [pattern.sub(kept, line) for line in found]
    return "\n".join(found)


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
