"""The builder of all pages: one self-contained HTML file each, no script, no request."""

import re
from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from stance import __version__
from stance.display import bounds, count, percent
from stance.model.passages import NAMES, look, rules
from stance.reports.figures import Cell, Kind, cut, points, signed, without_forbidden

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = files(__package__) / "templates"
_SECTION = re.compile(r'<section id="([\w-]+)"[^>]*><h2[^>]*>([^<]*)</h2>')


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
    """Return the BibTeX entry of this package and those of the given keys."""
    entries = (TEMPLATES / "references.bib").read_text("utf-8").strip().split("\n\n")
    by_key = {entry[entry.index("{") + 1 : entry.index(",")]: entry for entry in entries}
    return "\n\n".join(by_key[key] for key in ("stance", *keys)).replace("VERSION", __version__)


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
        **{"bounds": bounds, "counted": count, "named": cut, "number": "{:,}".format},
        **{"percent": percent, "points": points, "references": references, "sections": sections},
        **{"shown_cell": shown_cell, "signed": signed, "stance_name": NAMES.__getitem__},
        "whole": lambda share: f"{100 * share:.0f}",
        "unbroken": lambda text: text.replace(" %", "\u00a0%"),
    }
    made.globals["version"] = __version__
    return made


def render(name: str, actors: int = 0, /, **context: Any) -> bytes:
    """Return a whole page as UTF-8 whose policy lets a browser load and run nothing.

    Its passages name so many actors.
    """
    style = stylesheet(actors)
    digest = b64encode(sha256(style.encode()).digest()).decode("ascii")
    template = environment().get_template(f"{name}.html.j2")
    return without_forbidden(template.render(context, style=style, digest=digest)).encode()
