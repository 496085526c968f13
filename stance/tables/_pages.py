"""Web pages: text, title, date and outlet, found by trafilatura, within limits and offline."""

import logging
import re
from dataclasses import dataclass
from email import message_from_bytes
from importlib import import_module
from typing import Any

from stance.errors import DataError, ExtraError, lacking

MAX_ELEMENTS = 30_000  # long pages have a tenth; the time to read one may grow with the square
MOST_NESTED = 3  # archives in one another; each costs the time to read all that is in it
LATEST = "2099-12-31"  # so that no date depends on today

_CHARSET = re.compile(
    rb"""<(?:meta\b[^>]{0,200}?|\?xml[^>]{0,80}? en)c(?:harset|oding)\s*=\s*["']?([\w.:-]{2,40})""",
    re.IGNORECASE,
)
_MANY_ATTRIBUTES = re.compile(  # in one tag: the time to parse them grows with their square
    r"""<[a-zA-Z][^\s<>/]*+"""
    r"""(?:[\s/]++[^\s/=<>"']++(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s"'<>]++))?+){1000}"""
)
_NESTED = re.compile(rb"^content-type:\s*multipart/", re.IGNORECASE | re.MULTILINE)
_WESTERN = ("iso-8859-1", "iso8859-1", "latin1", "latin-1", "us-ascii", "ascii")  # for browsers
_BETWEEN = re.compile(r"\s+(?:[|–—·•»:]+|::|-+)\s+")  # a title and the name of its outlet


@dataclass(frozen=True, slots=True)
class Page:
    """What a web page holds."""

    text: str  # a paragraph a line, the headline first
    title: str
    date: str  # ISO 8601, to the day; empty where unknown
    outlet: str


def declared_encoding(data: bytes) -> str | None:
    """Return the encoding that a page declares in its first bytes, as browsers understand it.

    >>> declared_encoding(b'<meta charset="iso-8859-1">')
    'cp1252'
    """
    found = _CHARSET.search(data[:4096])
    name = found[1].decode("ascii").lower() if found else None
    return "cp1252" if name in _WESTERN else name


def _trafilatura() -> Any:
    for library in ("trafilatura", "htmldate", "courlan", "justext"):
        logging.getLogger(library).setLevel(logging.CRITICAL)  # we report the same in one line
    return import_module("trafilatura")


def require_library(name: str) -> None:
    """Raise `ExtraError` if web pages such as `name` cannot be read here."""
    try:
        _trafilatura()
    except ImportError as error:
        raise ExtraError(lacking(f"{name}: a web page", "html")) from error


def unpack(data: bytes, name: str) -> bytes:
    """Return the page of an archive (RFC 2557) in which a browser saved it with all its parts."""
    nested = len(_NESTED.findall(data)) > MOST_NESTED
    try:
        parts = message_from_bytes(b"" if nested else data).walk()
        page = next((part for part in parts if part.get_content_type() == "text/html"), None)
        found = page.get_payload(decode=True) if page else None
    except (LookupError, ValueError, RecursionError):
        found = None
    if not isinstance(found, bytes):
        raise DataError(f"{name}: holds no web page; open it in a browser and save it as .html")
    return found


def read_page(html: str, name: str) -> Page:
    """Read a web page; raise `DataError` if it has no text.

    The time is within seconds for whatever a page holds, since its elements are limited.
    """
    trafilatura = _trafilatura()
    why = "has no text of an article; open it in a browser and save its text as .txt"
    if _MANY_ATTRIBUTES.search(html):
        raise DataError(f"{name}: has a tag of 1,000 attributes; save its text as .txt")
    tree: Any = trafilatura.load_html(html)
    if tree is None:
        raise DataError(f"{name}: {why}")
    if sum(1 for _ in tree.iter()) > MAX_ELEMENTS:
        raise DataError(f"{name}: has more than {MAX_ELEMENTS:,} elements; save its text as .txt")
    named = _title_of(tree)
    try:
        found: Any = trafilatura.bare_extraction(
            tree,
            include_comments=False,
            include_tables=False,
            with_metadata=True,
            date_extraction_params={
                "original_date": True,
                "extensive_search": False,
                "max_date": LATEST,
            },
        )
    except Exception as error:  # whatever a strange page sets off in the library
        what = f"cannot be read as a web page ({type(error).__name__})"
        raise DataError(f"{name}: {what}; save its text as .txt") from error
    if found is None or not found.text:
        raise DataError(f"{name}: {why}")
    title, outlet = _parted(found.title or "", found.sitename or "", named)
    lines = [re.sub(r"^- ", "", line) for line in found.text.splitlines()]
    headline = [title] if title else []
    text = "\n\n".join(headline + [line for line in lines if line not in (title, found.title)])
    return Page(text, title, found.date or "", outlet)


def _title_of(tree: Any) -> str:
    """Return the title of the window."""
    return " ".join((tree.findtext(".//title") or "").split())


def _parted(title: str, outlet: str, window: str) -> tuple[str, str]:
    """Return the title without the outlet, and the outlet, which may stand beside it.

    >>> _parted("NATO meets | The Courier", "The Courier", "")
    ('NATO meets', 'The Courier')
    >>> _parted("NATO meets", "", "The Courier :: NATO meets")
    ('NATO meets', 'The Courier')
    """
    parts = _BETWEEN.split(title)
    if outlet and len(parts) > 1 and outlet in (parts[0], parts[-1]):
        first = outlet == parts[0]
        title = title[len(outlet) :] if first else title[: -len(outlet)]
        title = title.strip(" |–—·•»:-")
    if not outlet and title and title in window:
        before, _, after = window.partition(title)
        sides = [
            side.strip(" |–—·•»:-") for side in (before, after) if _BETWEEN.search(f" {side} ")
        ]
        outlet = sides[0] if len(sides) == 1 else ""
    return title, outlet
