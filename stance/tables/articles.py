"""Articles as tables: a record for each paragraph, beside it what the article says of itself."""

import codecs
import logging
import re
from collections import Counter
from collections.abc import Mapping
from contextlib import closing, suppress
from email import message_from_bytes
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

from stance.display import count, shown
from stance.errors import DataError, UsageError, load_extra
from stance.tables.boilerplate import split_article
from stance.tables.encodings import choose_encoding, undecodable
from stance.tables.sources import Source, bare_path, kind_suffix, line_ends
from stance.tables.table import Chunks, Record, Records, Table

_ARCHIVES, _MARKDOWN = (".mhtml", ".mht"), ".md"
PAGE_NAMES = (".html", ".htm", ".xhtml", *_ARCHIVES)
ARTICLE_NAMES = (".txt", _MARKDOWN, *PAGE_NAMES)
_SAID = ("title", "date", "outlet")  # by a web page
_LARGEST = 20_000_000  # bytes
_MOST_ELEMENTS = 30_000  # long pages have a tenth; the time to read one may grow with the square
_MOST_NESTED = 3  # archives in one another: each costs the time to read all that is in it

_MANY_ATTRIBUTES = re.compile(  # in one tag: the time to parse them grows with their square
    r"""<[a-zA-Z][^\s<>/]*+"""
    r"""(?:[\s/]++[^\s/=<>"']++(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s"'<>]++))?+){1000}"""
)
_NESTED = re.compile(rb"^content-type:\s*multipart/", re.IGNORECASE | re.MULTILINE)
_CHARSET = re.compile(
    rb"""<(?:meta\b[^>]{0,200}?|\?xml[^>]{0,80}? en)c(?:harset|oding)\s*=\s*["']?([\w.:-]{2,40})""",
    re.IGNORECASE,
)
_BETWEEN = r" (?:[|–—·•»:]+|-+) "  # a title and the name of its outlet
_FENCED = re.compile(  # lines "key: value", those that go on, and comments
    r"\s*---[ \t\r]*\n(?![ \t-])((?:[^\W\d][\w -]*:(?:\s.*)?\n|[ \t-].*\n|#.*\n|\r?\n){0,99})"
    r"(?:---|\.\.\.)[ \t\r]*(?:\n|$)"
)
_ENTRY = re.compile(r"^([^\W\d][\w -]*?)\s*:(.*\n(?:[ \t-].*\n)*)", re.MULTILINE)
_QUOTED = re.compile(r"""^(["'])(.*)\1$""")
_BLOCKS = ("", "|", ">", "|-", ">-")  # what may be before a value of several lines


def is_article(path: Path) -> bool:
    """Return whether a file is read as an article, by its name."""
    return path.suffix.lower() in ARTICLE_NAMES or kind_suffix(path) in PAGE_NAMES


class ArticleTable(Table):
    """The paragraphs of an article; once they are read, it has counted those that it leaves out."""

    boilerplate: Counter[str]  # by reason


def boilerplate_note(boilerplate: Counter[str]) -> str:
    """Return what is said of boilerplate that was left out; nothing if there was none."""
    reasons = ", ".join(f"{number} {reason}" for reason, number in boilerplate.most_common())
    return f"; left out as boilerplate: {reasons} (--keep-all lists it)" if reasons else ""


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
    goes before that. `document` is that name without its ending if omitted. With `keep_all`,
    boilerplate is kept, and a column `boilerplate` says why it is.
    """
    source, text, form = _read_text(path, encoding)
    about, is_page = document or bare_path(path).name, kind_suffix(path) in PAGE_NAMES
    said, text = (dict.fromkeys(_SAID, ""), text) if is_page else _front_matter(text, source.name)
    said |= {key: cell for key, cell in fields.items() if cell or key not in said}
    table = ArticleTable(source.name)
    table.boilerplate = Counter()
    columns = ["document", "paragraph", *said, *["boilerplate"] * keep_all, text_column]
    if twice := [key for key in said if columns.count(key) > 1]:
        why = f"'{shown(twice[0])}' in its front matter is a column of every article"
        raise DataError(f"{source.name}: {why}; rename it there")
    table.columns = tuple(columns)

    def read() -> Chunks:
        plain, found = _read_page(text, source.name) if is_page else (text, {})
        plain = _without_marks(text) if path.suffix.lower() == _MARKDOWN else plain
        pieces = split_article(plain, found.get("title", ""))
        table.boilerplate.update(reason for _, reason in pieces if reason and not keep_all)
        kept = [piece for piece in pieces if keep_all or not piece[1]]
        table.records_in = len(kept)
        said_of = f"article of {count(len(kept), 'paragraph')}, {form}"
        table.form = f"{said_of}{', a web page' * is_page}{boilerplate_note(table.boilerplate)}"
        cells = [cell or found.get(key, "") for key, cell in said.items()]
        yield Records.of(
            Record(n, n, (about, str(n), *cells, *[reason] * keep_all, paragraph))
            for n, (paragraph, reason) in enumerate(kept, 1)
        )

    table.chunks = read()
    return table


def _read_text(path: Path, encoding: str | None) -> tuple[Source, str, str]:
    """Return the file of an article, its text, and its encoding for the note."""
    data = b""
    with closing(Source(path)) as source:
        for piece in source.pieces():
            data += piece
            if len(data) > _LARGEST:
                why = f"more than {_LARGEST:,} bytes are too long for an article"
                raise DataError(f"{source.name}: {why}; put paragraphs in a CSV table")
    is_page = kind_suffix(path) in PAGE_NAMES
    if is_page:
        load_extra("trafilatura", f"{source.name}: a web page", "html")
    if kind_suffix(path) in _ARCHIVES:
        data = _unpacked(data, source.name)
    chosen = choose_encoding(data[:64], encoding, source.name)
    declared = _CHARSET.search(data[:4096])
    if is_page and declared and not encoding and not chosen.mark:
        with suppress(LookupError, UsageError):  # of an unknown name, which browsers do not heed
            name = codecs.lookup(declared[1].decode("ascii")).name
            western = name in ("iso8859-1", "ascii")  # for browsers
            chosen = choose_encoding(b"", "cp1252" if western else name, source.name)
    try:
        text = data[chosen.mark :].decode(chosen.name)
    except UnicodeDecodeError as error:
        place = chosen.mark + error.start
        line = data[:place].count(b"\n") + 1
        raise undecodable(data, place, chosen.name, f"{source.name}:{line}") from error
    before, nul, _ = text.partition("\0")
    if nul:
        why = "a NUL byte; the file is damaged or not text: export it again"
        raise DataError(f"{source.name}:{line_ends(before) + 1}: {why}")
    return source, text, str(chosen)


# --- Front matter and Markdown --------------------------------------------------------------------


def _front_matter(text: str, name: str) -> tuple[dict[str, str], str]:
    """Return what is between two fences at the beginning, and the text behind them.

    A beginning that is not front matter through and through is text.
    """
    fenced = _FENCED.match(text)
    found: dict[str, str] = {}
    for entry in _ENTRY.finditer(text, fenced.start(1), fenced.end(1)) if fenced else ():
        key, *lines = entry[1], *(line.strip("- \t\r") for line in entry[2].split("\n"))
        if key in found:
            line = line_ends(text[: entry.start()]) + 1
            why = f"'{shown(key)}' stands twice in the front matter; remove one"
            raise DataError(f"{name}:{line}: {why}")
        values = (_QUOTED.sub(r"\2", line) for line in lines if line not in _BLOCKS)
        found[key] = ", ".join(values).replace("''", "'")
    return (found, text[fenced.end() :]) if fenced else ({}, text)


def _without_marks(text: str) -> str:
    """Return Markdown as plain text, a paragraph a line."""
    from markdown_it import MarkdownIt  # where it is needed, for importing takes a while

    found = []
    for block in MarkdownIt("commonmark").parse(text):
        parts = (
            " " if part.type.endswith("break") else part.content
            for part in block.children or [block]
            if part.type != "image"
        )
        found.append("".join(parts))
    return "\n".join(found)


# --- Web pages ------------------------------------------------------------------------------------


def _unpacked(data: bytes, name: str) -> bytes:
    """Return the page of an archive (RFC 2557) in which a browser saved it with all its parts."""
    nested = len(_NESTED.findall(data)) > _MOST_NESTED
    try:
        parts = message_from_bytes(b"" if nested else data).walk()
        page = next((part for part in parts if part.get_content_type() == "text/html"), None)
        found = page.get_payload(decode=True) if page else None
    except (LookupError, ValueError, RecursionError):
        found = None
    if not isinstance(found, bytes):
        raise DataError(f"{name}: holds no web page; open it in a browser and save it as .html")
    return found


def _read_page(html: str, name: str) -> tuple[str, dict[str, str]]:
    """Return the text of a web page, its title first, and what it says of itself."""
    for library in ("trafilatura", "htmldate", "courlan", "justext"):
        logging.getLogger(library).setLevel(logging.CRITICAL)  # we report the same in one line
    trafilatura: Any = import_module("trafilatura")

    def refusal(why: str) -> DataError:
        return DataError(f"{name}: {why}; open it in a browser and save its text as .txt")

    if _MANY_ATTRIBUTES.search(html):
        raise refusal("has a tag of 1,000 attributes")
    if (tree := trafilatura.load_html(html)) is None:
        raise refusal("has no text of an article")
    if sum(1 for _ in tree.iter()) > _MOST_ELEMENTS:
        raise refusal(f"has more than {_MOST_ELEMENTS:,} elements")
    window = " ".join((tree.findtext(".//title") or "").split())  # its title
    dates = {"original_date": True, "extensive_search": False, "max_date": "2099-12-31"}
    try:
        page = trafilatura.bare_extraction(
            tree, include_comments=False, include_tables=False, with_metadata=True,
            date_extraction_params=dates,  # none of which depends on today
        )  # fmt: skip
    except Exception as error:  # whatever a strange page sets off in the library
        raise refusal(f"cannot be read as a web page ({type(error).__name__})") from error
    if page is None or not page.text:
        raise refusal("has no text of an article")
    title, outlet = _parted(page.title or "", page.sitename or "", window)
    lines = [re.sub(r"^- ", "", line) for line in page.text.splitlines()]
    text = "\n".join([title, *(line for line in lines if line not in (title, page.title))])
    return text, {"title": title, "date": page.date or "", "outlet": outlet}


def _parted(title: str, outlet: str, window: str) -> tuple[str, str]:
    """Return the title without the outlet, and the outlet, which the window's title may name.

    >>> _parted("NATO meets | The Courier", "The Courier", "")
    ('NATO meets', 'The Courier')
    >>> _parted("NATO meets", "", "The Courier :: NATO meets")
    ('NATO meets', 'The Courier')
    """
    if outlet:
        own = re.escape(outlet)
        return re.sub(f"^{own}{_BETWEEN}|{_BETWEEN}{own}$", "", title), outlet
    named = re.fullmatch(f"(?:(.+){_BETWEEN})?{re.escape(title)}(?:{_BETWEEN}(.+))?", window)
    sides = [side for side in named.groups() if side] if named and title else []
    return title, sides[0] if len(sides) == 1 else ""
