"""Markup in which every text is escaped, by one function."""

import re
from bisect import bisect_right
from collections.abc import Iterable
from html import escape
from itertools import accumulate
from unicodedata import east_asian_width

_UNFIT = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    + "".join(chr(plane << 16 | last) for plane in range(1, 17) for last in (0xFFFE, 0xFFFF))
    + "]"
)
"""Characters that HTML forbids."""

NAME, SHORT = 28, 22
"""Characters of a name in a chart, and beside long figures; tables have all of it."""

_VOID = frozenset({"br", "meta"})


class Html(str):
    """Markup that is safe to put into a page: made by this module only."""

    __slots__ = ()


Content = str | Iterable[str]
"""A text, which is escaped, or markup; or several of them."""


def escaped(text: str) -> Html:
    r"""Return a text as markup that shows it and does nothing else.

    Characters that HTML forbids (controls, lone surrogates, noncharacters) are shown as U+FFFD.

    >>> escaped('<b title="x">&\x00')
    '&lt;b title=&quot;x&quot;&gt;&amp;\ufffd'
    """
    if isinstance(text, Html):
        return text
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return Html(escape(_UNFIT.sub("\ufffd", lines), quote=True))


def joined(parts: Iterable[str], separator: str = "") -> Html:
    """Return markup of several texts, each escaped unless it is markup."""
    return Html(escaped(separator).join(map(escaped, parts)))


def tag(name: str, /, *content: Content, **attributes: str | float | None) -> Html:
    """Return an element.

    Parameters
    ----------
    name : str
    *content : str or iterable of str
        Texts are escaped, `Html` is not.
    **attributes : str, number or None
        ``class_`` becomes ``class``, other underscores become hyphens; None leaves one out.

    Examples
    --------
    >>> tag("p", "a < b", tag("br"), class_="lead")
    '<p class="lead">a &lt; b<br></p>'
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Html(f"<{name}{given}>")
    inner = "".join(escaped(part) if isinstance(part, str) else joined(part) for part in content)
    return Html(f"<{name}{given}>{inner}</{name}>")


def _value(value: str | float) -> str:
    return escaped(value) if isinstance(value, str) else f"{value:.6g}"


def isolated(text: str) -> Html:
    """Return a text of the data whose writing direction cannot reach what stands around it."""
    return tag("bdi", text)


def cut(text: str, limit: int) -> str:
    r"""Return a text of at most so many columns on one line; wide characters take two.

    >>> cut("North Atlantic\nTreaty", 10), cut("北大西洋公约", 10)
    ('North Atl…', '北大西洋…')
    """
    line = " ".join(text[: 4 * limit].split())
    columns = list(accumulate(1 + (east_asian_width(char) in "WF") for char in line))
    if not columns or columns[-1] <= limit:
        return line
    return line[: bisect_right(columns, limit - 1)] + "…"


def named(name: str, limit: int = NAME) -> str:
    """Return a name for a chart or a heading."""
    return cut(name, limit) or "(no name)"
