"""What both pages are made of: templates, escaped text, tables with their CSV files."""

import re
from base64 import b64encode
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Literal
from unicodedata import east_asian_width

from markupsafe import Markup

from stance import __version__
from stance.display import count, shown
from stance.screens import bounds, percent
from stance.tables import Format

if TYPE_CHECKING:
    from jinja2 import Environment

    from stance.evaluation.agreement import Coefficient
    from stance.evaluation.intervals import Shares

TEMPLATES = files(__package__) / "templates"
NAME, SHORT = 28, 22  # characters of a name in a chart, and beside long figures

_UNFIT = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    + "".join(chr(plane << 16 | last) for plane in range(1, 17) for last in (0xFFFE, 0xFFFF))
    + "]"
)


def without_forbidden(text: str) -> str:
    r"""Return a text in which U+FFFD stands for each character that HTML forbids.

    >>> without_forbidden("a\r\nb\x00")
    'a\nb\ufffd'
    """
    return _UNFIT.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


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
    return cut(name, limit) or "(no name)"


def named_apart(names: Iterable[str], limit: int = NAME) -> list[str]:
    """Return short names, cut in the middle where they would else be the same.

    >>> named_apart(["The Gazette of the North", "The Gazette of the South", "Daily"], 12)
    ['The Gaz…orth', 'The Gaz…outh', 'Daily']
    """
    whole = list(names)
    short = [named(name, limit) for name in whole]
    often = Counter(short)
    tail = limit // 3
    return [
        f"{cut(name, limit - tail)}{cut(name[::-1], tail + 1)[::-1].lstrip('…')}"
        if often[brief] > 1
        else brief
        for name, brief in zip(whole, short, strict=True)
    ]


def literal(text: str) -> str:
    r"""Return a text fit for a terminal and for Markdown, where it stands as it is.

    >>> literal("a|b_<c>"), literal("[NATO](x)")
    ('a\\|b\\_\\<c\\>', '\\[NATO\\](x)')
    """
    return re.sub(r"[\\`*_\[\]<>|#~&$]", r"\\\g<0>", shown(text, 200))


def signed(value: float, digits: int = 0) -> str:
    """Return a number with its sign, and no sign if it is printed as zero.

    >>> signed(12.4), signed(-0.2), signed(-3.25, 1)
    ('+12', '0', '−3.2')
    """
    text = f"{value:+.{digits}f}".replace("-", "−")
    return text if any(digit in text for digit in "123456789") else text[1:]


def points(value: float, interval: Sequence[float] | None = None, digits: int = 0) -> str:
    """Return a signed share and its interval in points: ``+12 [−3, +27]``."""
    ends = ", ".join(signed(100 * end, digits) for end in interval or ())
    return signed(100 * value, digits) + (f" [{ends}]" if ends else "")


def coefficient(found: "Coefficient") -> str:
    """Return a coefficient of agreement with its interval: ``0.81 [0.70, 0.90]``."""
    if found.value is None:
        return "undefined"
    ends = "" if found.interval is None else " [{:.2f}, {:.2f}]".format(*found.interval)
    return f"{found.value:.2f}{ends}"


Kind = Literal["text", "count", "share", "signed", "number"]  # of a column's cells
Cell = str | float | None


@dataclass(frozen=True, slots=True)
class Column:
    title: str  # on the page
    name: str  # in the CSV file
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Data:
    name: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]  # the first cell of a row names it
    actor: str = ""  # whom all rows are about


ROWS, ANSWERS = Column("rows", "rows", "count"), Column("answers", "answers", "count")
GIVEN = Column("answers given", "given", "count")  # those not withheld


def text_column(name: str) -> Column:
    return Column(name, name)


def with_interval(
    title: str, name: str, low: str = "low", high: str = "high", kind: Kind = "share"
) -> tuple[Column, Column, Column]:
    return Column(title, name, kind), Column("low", low, kind), Column("high", high, kind)


NET = with_interval("net", "net", "net_low", "net_high", "signed")


def points_of(shares: "Shares") -> str:
    """Return a net stance and its interval in points."""
    return points(shares.net, shares.net_interval)


@dataclass(frozen=True, slots=True)
class Figure:
    chart: Markup
    data: Data
    legend: Markup = Markup()  # noqa: RUF009 (it cannot change)
    width: float = 480  # pixels, in a file of its own


def shown_cell(value: Cell, kind: Kind) -> str:
    """Return a cell as it is printed.

    >>> shown_cell(0.1234, "share"), shown_cell(-0.05, "signed"), shown_cell(1234, "count")
    ('12.3', '−5.0', '1,234')
    """
    if value is None or isinstance(value, str):
        return "–" if value is None else value
    if kind == "signed":
        return signed(100 * value, 1)
    if kind == "count":
        return f"{value:,.0f}"
    return f"{value:.3f}" if kind == "number" else percent(value)


def csv_address(data: Data) -> str:
    """Return a table as the address of a CSV file; no cell of it can run in a spreadsheet."""
    form = Format(tuple(plain_cell(column.name) for column in data.columns), excel_safe=True)
    content = form.header() + form.encode([[plain_cell(cell) for cell in row] for row in data.rows])
    return f"data:text/csv;charset=utf-8;base64,{b64encode(content).decode('ascii')}"


def plain_cell(cell: Cell) -> str:
    """Return a cell as a CSV file has it."""
    if isinstance(cell, str):
        return cell.encode("utf-8", "replace").decode()
    return "" if cell is None else f"{cell:.6f}" if isinstance(cell, float) else str(cell)


@cache
def environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader(__package__)
    made = Environment(autoescape=True, loader=loader, undefined=StrictUndefined)
    made.lstrip_blocks = made.trim_blocks = True
    made.filters |= {
        **{"bounds": bounds, "counted": count, "csv_address": csv_address, "named": named},
        **{"percent": percent, "points": points, "references": references, "sections": sections},
        **{"coefficient": coefficient, "literal": literal, "signed": signed},
        **{"shown_cell": shown_cell, "number": "{:,}".format},
        "whole": lambda share: f"{100 * share:.0f}",
        "unbroken": lambda text: text.replace(" %", "\u00a0%"),
    }
    made.globals["version"] = __version__
    return made


def render(name: str, **context: Any) -> bytes:
    """Return a whole page as UTF-8 whose policy lets a browser load and run nothing."""
    style = stylesheet()
    digest = b64encode(sha256(style.encode()).digest()).decode("ascii")
    template = environment().get_template(f"{name}.html.j2")
    return without_forbidden(template.render(context, style=style, digest=digest)).encode()


def render_text(name: str, **context: Any) -> bytes:
    """Return a file of Markdown."""
    plain = environment().overlay(autoescape=False)
    return without_forbidden(plain.get_template(name).render(context) + "\n").encode()


def stylesheet() -> Markup:
    return Markup((TEMPLATES / "style.css").read_text("utf-8"))  # noqa: S704 (our own file)


def references(keys: Sequence[str]) -> str:
    """Return the BibTeX entry of this package and those of the given keys."""
    entries = (TEMPLATES / "references.bib").read_text("utf-8").strip().split("\n\n")
    by_key = {entry[entry.index("{") + 1 : entry.index(",")]: entry for entry in entries}
    listed = "\n\n".join(by_key[key] for key in ("stance", *keys))
    return listed.replace("VERSION", __version__)


_SECTION = re.compile(r'<section id="([\w-]+)"[^>]*><h2[^>]*>([^<]*)</h2>')


def sections(body: str) -> list[tuple[str, Markup]]:
    """Return the name and the title of each section of a page."""
    return [(name, Markup(title)) for name, title in _SECTION.findall(body)]  # noqa: S704 (escaped)
