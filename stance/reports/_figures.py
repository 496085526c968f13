"""Figures: marks in an order of drawing, the numbers they show, and both as HTML."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal
from unicodedata import east_asian_width

from markupsafe import Markup, escape

Kind = Literal["text", "count", "share", "signed", "number"]  # of a column's cells
Cell = str | float | None
Style = dict[str, str | float | None]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the numbers behind a figure."""

    title: str  # on the page
    name: str  # in the CSV file
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Data:
    """The numbers behind a figure; texts that name a row stand in its first columns."""

    name: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    actor: str = ""  # whom all rows are about


ROWS = Column("rows", "rows", "count")


def text_column(name: str) -> Column:
    """Return a column of texts."""
    return Column(name, name)


def with_interval(
    title: str, name: str, low: str = "low", high: str = "high", kind: Kind = "share"
) -> tuple[Column, Column, Column]:
    """Return the columns of a number and its interval."""
    return Column(title, name, kind), Column("low", low, kind), Column("high", high, kind)


@dataclass(frozen=True, slots=True)
class Mark:
    """A sign in a chart: x in percent of its width, y in pixels from the top."""

    form: str  # text, line, box, or what stands at a place: dot, ring, square, diamond
    x: float
    y: float
    look: str = ""  # classes of the style sheet
    text: str = ""
    x2: float = 0.0  # other end of a line, right end of a box
    y2: float = 0.0


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """Two lines of text, a shade or "", and the place of the page that says more or ""."""

    text: str
    below: str
    shade: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Cells by row and column."""

    heads: Sequence[str]
    rows: Sequence[tuple[str, Sequence[MatrixCell]]]  # name and cells of each
    corner: str = ""  # what rows and columns are


NARROW, WIDE = 400.0, 800.0  # pixels of a figure of one column and of two, 85 and 170 mm
Pieces = Sequence[tuple[float, Sequence[Mark]]]  # heights and marks, from top to bottom
Legend = Sequence[tuple[str, str, str]]  # form, tone and words of each entry


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart in pieces, between which a page may end, and its numbers."""

    name: str
    title: str
    pieces: Pieces
    data: Data
    description: str = ""
    legend: Legend = ()
    caption: str = ""  # n, method and interval, which a page says in its own words
    matrix: Matrix | None = None  # which a page has as a table
    width: float = NARROW  # pixels, in a file of its own
    paper: Pieces = ()  # drawn in a file, if not as on the page

    @property
    def chart(self) -> Markup:
        """Inline SVG whose lengths are percents, so that type keeps its size at any width."""
        drawings = []
        for number, (height, marks) in enumerate(self.pieces):
            inner = [_inline(mark) for mark in marks]
            if number:
                drawings.append(element("svg", *inner, height=height, aria_hidden="true"))
                continue
            title = element("title", self.title, id=f"{self.name}-t")
            told = element("desc", self.description, id=f"{self.name}-d")
            names = f"{self.name}-t {self.name}-d"
            known: Style = {"height": height, "role": "img", "aria_labelledby": names}
            drawings.append(element("svg", title, told, *inner, **known))
        return Markup("").join(drawings)

    @property
    def key(self) -> Markup:
        """The legend as a list; empty without entries."""
        items = []
        for form, tone, words in self.legend:
            shape = element("svg", _inline(legend_mark(form, tone)), aria_hidden="true")
            items.append(element("li", shape, words))
        return element("ul", *items, class_="legend") if items else Markup()


def legend_mark(form: str, tone: str) -> Mark:
    """Return the mark of an entry of a legend, in a drawing of 16 by 12 pixels."""
    if form == "bar":
        return Mark("box", 0, 0, f"segment {tone}", x2=100, y2=12)
    if form == "line":
        return Mark("line", 0, 6, f"whisker {tone}", x2=100, y2=6)
    return Mark(form, 50, 6, f"ring {tone}" if form == "ring" else tone)


def element(name: str, /, *content: str, **attributes: str | float | None) -> Markup:
    """Return an element; what is not `Markup` is escaped.

    ``class_`` becomes ``class``, other underscores become hyphens; None leaves one out.

    >>> str(element("text", "a < b", x=0.5, class_="end"))
    '<text x="0.5" class="end">a &lt; b</text>'
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(map(escape, content))
    return Markup(f"<{name}{given}>{inner}</{name}>")  # noqa: S704 (escaped)


def _value(value: str | float) -> str:
    return escape(value) if isinstance(value, str) else f"{value:.6g}"


def _inline(mark: Mark) -> Markup:
    return drawn(mark, lambda x: f"{round(x, 3):g}%", {"class_": mark.look or None})


def drawn(mark: Mark, place: Callable[[float], str], style: Style) -> Markup:
    """Return a mark as an element of SVG; ``place`` gives its x in the unit of the drawing."""
    x, y = place(mark.x), mark.y
    if mark.form == "text":
        return element("text", mark.text, x=x, y=y, **style)
    if mark.form == "line":
        return element("line", x1=x, y1=y, x2=place(mark.x2), y2=mark.y2, **style)
    if mark.form == "box":
        wide, high = place(mark.x2 - mark.x), mark.y2 - y
        return element("rect", x=x, y=y, width=wide, height=high, **style)
    if mark.form in ("dot", "ring"):
        return element("circle", cx=x, cy=y, r=5.0, **style)
    outline = "L".join(f"{dx:g} {y + dy:g}" for dx, dy in corners(mark.form))
    # A path knows no percents, so it stands in a drawing of its own that does.
    known: Style = {"x": x, "y": 0.0, "width": 1.0, "height": 1.0, "overflow": "visible"}
    return element("svg", element("path", d=f"M{outline}Z", **style), **known)


def corners(form: str) -> list[tuple[float, float]]:
    """Return the corners of a mark about its place."""
    if form == "square":
        return [(-4.5, -4.5), (4.5, -4.5), (4.5, 4.5), (-4.5, 4.5)]
    return [(0, -6), (6, 0), (0, 6), (-6, 0)]


# --- Words in figures ---


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


def tidy(data: Data) -> Iterator[tuple[dict[str, Cell], str, Sequence[Cell]]]:
    """Yield each number of a table: what names its row, its own name, and it with its interval."""
    kinds = [column.kind for column in data.columns]
    first = next((at for at, kind in enumerate(kinds) if kind != "text"), len(kinds))
    keys = ["actor" if data.actor else "", *(c.name for c in data.columns[:first])]
    for row in data.rows:
        names = dict(zip(keys, [data.actor, *row], strict=False))
        names.pop("", None)
        at = first
        while at < len(row):
            ends = [column.title for column in data.columns[at + 1 : at + 3]] == ["low", "high"]
            if row[at] is not None:
                yield names, data.columns[at].name, row[at : at + (3 if ends else 1)]
            at += 3 if ends else 1
