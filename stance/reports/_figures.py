"""Figures: marks in pixels, the numbers they show, and both as SVG."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from textwrap import wrap
from typing import Literal, NamedTuple
from unicodedata import east_asian_width

from markupsafe import Markup, escape

Kind = Literal["text", "count", "share", "signed"]  # of a column's cells
Cell = str | float | None
Style = dict[str, str | float | None]
NARROW = 400.0  # pixels of a figure of one column, 85 mm
HEADING, ENTRY, LETTER = 18, 22, 6.6  # pixels for a line, an entry of the legend, a letter


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the numbers behind a figure."""

    title: str
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Data:
    """The numbers behind a figure, and its name."""

    name: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]


ROWS = Column("rows", "count")


def with_interval(title: str, kind: Kind = "share") -> tuple[Column, Column, Column]:
    """Return the columns of a number and its interval."""
    return Column(title, kind), Column("low", kind), Column("high", kind)


@dataclass(frozen=True, slots=True)
class Mark:
    """A sign in a chart, in pixels from its upper left corner."""

    form: str  # text, line, box, or what stands at a place: dot, ring
    x: float
    y: float
    look: str = ""  # classes of the style sheet
    text: str = ""
    x2: float = 0.0  # other end of a line, right end of a box
    y2: float = 0.0
    link: str = ""  # place of the page that says more


class Drawing(NamedTuple):
    """Marks, and the room that they take."""

    width: float
    height: float
    marks: Sequence[Mark]


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart, its numbers, and what is written around it."""

    title: str
    chart: Drawing
    data: Data
    legend: Sequence[tuple[str, str, str]] = ()  # form, tone and words of each entry
    caption: str = ""  # n, method and interval

    def drawing(self) -> Drawing:
        """Return the chart with its title, legend and caption."""
        width, room = self.chart.width, int(self.chart.width / LETTER)
        marks, top, x = list[Mark](), 0.0, 0.0
        for line in wrap(self.title, room - 4):
            marks.append(Mark("text", 0, top + 13, "strong", line))
            top += HEADING
        top += 8
        for form, tone, words in self.legend:
            long = 40 + LETTER * len(words)
            if x and x + long - 20 > width:
                x, top = 0.0, top + ENTRY
            marks += moved([_sign(form, tone), Mark("text", 21, 10, "", words)], x, top)
            x += long
        top += ENTRY + 2 if self.legend else 0
        marks += moved(self.chart.marks, 0, top)
        top += self.chart.height + (8 if self.caption else 0)
        for line in wrap(self.caption, room):
            marks.append(Mark("text", 0, top + 13, "quiet", line))
            top += HEADING
        return Drawing(width, top, marks)

    @property
    def svg(self) -> Markup:
        """The figure as a page shows it, in the colours of its style sheet."""
        width, height, marks = self.drawing()
        shapes = (shape(mark, {"class_": mark.look or None}) for mark in marks)
        known: Style = {"width": width, "height": height, "viewBox": f"0 0 {width:g} {height:g}"}
        return element("svg", *shapes, role="img", aria_label=self.title, **known)


def moved(marks: Sequence[Mark], x: float, y: float) -> list[Mark]:
    """Return marks farther to the right and down."""
    return [
        replace(mark, x=mark.x + x, y=mark.y + y, x2=mark.x2 + x, y2=mark.y2 + y) for mark in marks
    ]


def _sign(form: str, tone: str) -> Mark:
    """Return the mark of an entry of a legend, 16 by 12 pixels."""
    if form == "bar":
        return Mark("box", 0, 0, f"segment {tone}", x2=16, y2=12)
    if form == "line":
        return Mark("line", 0, 6, f"whisker {tone}", x2=16, y2=6)
    return Mark(form, 8, 6, f"ring {tone}" if form == "ring" else tone)


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


def shape(mark: Mark, style: Style) -> Markup:
    """Return a mark as an element of SVG."""
    x, y = mark.x, mark.y
    if mark.form == "text":
        made = element("text", mark.text, x=x, y=y, **style)
    elif mark.form == "line":
        made = element("line", x1=x, y1=y, x2=mark.x2, y2=mark.y2, **style)
    elif mark.form == "box":
        made = element("rect", x=x, y=y, width=mark.x2 - x, height=mark.y2 - y, **style)
    else:
        made = element("circle", cx=x, cy=y, r=5.0, **style)
    return element("a", made, href=f"#{mark.link}") if mark.link else made


# --- Words in figures ---


def widths(text: str) -> list[int]:
    """Return the columns of each character; wide ones take two."""
    return [1 + (east_asian_width(char) in "WF") for char in text]


def cut(text: str, limit: int) -> str:
    r"""Return a text of at most so many columns on one line; wide characters take two.

    >>> cut("North Atlantic\nTreaty", 10), cut("北大西洋公约", 10)
    ('North Atl…', '北大西洋…')
    """
    line = " ".join(text[: 4 * limit].split())
    columns = list(accumulate(widths(line)))
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
