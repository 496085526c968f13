"""Articles as tables: a record for each paragraph, beside it what the article says of itself."""

import re
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from stance.display import count, shown
from stance.errors import DataError, UsageError
from stance.tables._pages import declared_encoding, read_page, require_library, unpack
from stance.tables.furniture import EDGES, Article, split_article
from stance.tables.records import Journal, Record, Records
from stance.tables.sources import (
    Encoding,
    Source,
    bare_path,
    choose_encoding,
    kind_suffix,
    undecodable,
)
from stance.tables.table import Table

_LARGEST_ARTICLE = 20_000_000  # bytes
_ARCHIVES = (".mhtml", ".mht")
_MARKDOWN, PAGE_NAMES = ".md", (".html", ".htm", ".xhtml", *_ARCHIVES)
ARTICLE_NAMES = (".txt", _MARKDOWN, *PAGE_NAMES)
_FENCES = ("---", "...")  # around front matter
_LONGEST_FRONT_MATTER = 100  # lines
_KEY = re.compile(r"([^\W\d][\w -]{0,60}?)\s*:(?:\s+(.*))?$")


def is_article(path: Path) -> bool:
    """Return whether a file is read as an article, by its name."""
    return path.suffix.lower() in ARTICLE_NAMES or kind_suffix(path) in PAGE_NAMES


class ArticleTable(Table):
    """An article as a table: a record for each paragraph."""

    def __init__(self, file: Source, columns: Sequence[str], read: Callable[[], "_Read"]) -> None:
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

    article: Article
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
    file = Source(path)
    try:
        data = _all_of(file)
    finally:
        file.close()
    document = bare_path(path).name if document is None else document
    is_page = kind_suffix(path) in PAGE_NAMES
    if is_page:
        require_library(file.name)
    if kind_suffix(path) in _ARCHIVES:
        data = unpack(data, file.name)
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


def _all_of(file: Source) -> bytes:
    data = b""
    for part in file.pieces():
        data += part
        if len(data) > _LARGEST_ARTICLE:
            why = f"more than {_LARGEST_ARTICLE:,} bytes are too long for an article"
            raise DataError(f"{file.name}: {why}; put paragraphs in a CSV table")
    return data


def _decoded(data: bytes, encoding: Encoding, name: str) -> str:
    try:
        text = data[encoding.mark :].decode(encoding.name)
    except UnicodeDecodeError as error:
        place = encoding.mark + error.start
        line = data[:place].count(b"\n") + 1
        raise undecodable(data, place, encoding.name, f"{name}:{line}") from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        why = "a NUL byte; the file is damaged or not text: export it again"
        raise DataError(f"{name}:{line}: {why}")
    return text
