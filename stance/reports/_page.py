"""The builder of both pages: templates, escaped text, tables."""

import re
from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from stance import __version__
from stance.display import count
from stance.model.passages import NAMES, look, rules
from stance.reports._figures import Cell, Kind, cut, points, signed
from stance.screens import bounds, percent

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = files(__package__) / "templates"
NAME, SHORT = 28, 16  # characters of a name, and of one above a column

_UNFIT = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    + "".join(chr(plane << 16 | last) for plane in range(1, 17) for last in (0xFFFE, 0xFFFF))
    + "]"
)
_SECTION = re.compile(r'<section id="([\w-]+)"[^>]*><h2[^>]*>([^<]*)</h2>')


def without_forbidden(text: str) -> str:
    r"""Return a text in which U+FFFD stands for each character that HTML forbids.

    >>> without_forbidden("a\r\nb\x00")
    'a\nb\ufffd'
    """
    return _UNFIT.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def named(name: str, limit: int = NAME) -> str:
    """Return a name as a chart has room for it, cut in the middle.

    >>> named("The Gazette of the North", 12), named("Daily", 12)
    ('The Gaz…orth', 'Daily')
    """
    short, tail = cut(name, limit), limit // 3
    if short.endswith("…"):
        short = f"{cut(name, limit - tail)}{cut(name[::-1], tail + 1)[::-1].lstrip('…')}"
    return short or "(no name)"


def shown_cell(value: Cell, kind: Kind) -> str:
    """Return a cell as it is printed.

    >>> shown_cell(0.1234, "share"), shown_cell(-0.05, "signed"), shown_cell(1234, "count")
    ('12.3', '−5.0', '1,234')
    """
    if value is None or isinstance(value, str):
        return "–" if value is None else value
    if kind == "signed":
        return signed(100 * value, 1)
    return f"{value:,.0f}" if kind == "count" else percent(value)


def references(keys: Sequence[str]) -> str:
    """Return the BibTeX entry of this package and those of the given keys, each once."""
    entries = (TEMPLATES / "references.bib").read_text("utf-8").strip().split("\n\n")
    by_key = {entry[entry.index("{") + 1 : entry.index(",")]: entry for entry in entries}
    listed = "\n\n".join(by_key[key] for key in dict.fromkeys(("stance", *keys)))
    return listed.replace("VERSION", __version__)


def sections(body: str) -> list[tuple[str, Markup]]:
    """Return the name and the title of each section of a page."""
    return [(name, Markup(title)) for name, title in _SECTION.findall(body)]  # noqa: S704 (escaped)


def stylesheet(actors: int = 0) -> Markup:
    """Return the style sheet of all pages, for passages that name so many actors."""
    style = (TEMPLATES / "style.css").read_text("utf-8")
    return Markup(look() + style + rules(actors))  # noqa: S704 (our own files)


@cache
def environment() -> "Environment":
    """Return the templates and the functions that they use."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader(__package__)
    made = Environment(autoescape=True, loader=loader, undefined=StrictUndefined)
    made.lstrip_blocks = made.trim_blocks = True
    made.filters |= {
        **{"bounds": bounds, "counted": count, "named": named},
        **{"percent": percent, "points": points, "references": references, "sections": sections},
        "signed": signed,
        **{"shown_cell": shown_cell, "number": "{:,}".format},
        "stance_name": NAMES.__getitem__,
        "whole": lambda share: f"{100 * share:.0f}",
        "unbroken": lambda text: text.replace(" %", "\u00a0%"),
    }
    made.globals["version"] = __version__
    return made


def render(name: str, actors: int = 0, **context: Any) -> bytes:
    """Return a whole page as UTF-8 whose policy lets a browser load and run nothing.

    Its passages name so many actors.
    """
    style = stylesheet(actors)
    digest = b64encode(sha256(style.encode()).digest()).decode("ascii")
    template = environment().get_template(f"{name}.html.j2")
    return without_forbidden(template.render(context, style=style, digest=digest)).encode()
