"""A page's charts as drawings of their own: shapes at fixed places, in the light colours."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import cos, pi, sin
from xml.etree import ElementTree

from markupsafe import Markup

from stance.reports._page import TEMPLATES, without_forbidden

FONT = 12.5  # pixels of all type
LEGEND, LETTER = 22, 6.5  # pixels for a line of the legend, and for a letter in it
ROUND = 24  # corners of what stands for a circle


@dataclass(frozen=True, slots=True)
class Shape:
    """A line through some places, or an area within them; pixels from the top left."""

    places: Sequence[tuple[float, float]]
    fill: str | None = None  # colours as #rrggbb
    stroke: str | None = None
    width: float = 1.0
    dashed: bool = False
    faint: bool = False


@dataclass(frozen=True, slots=True)
class Label:
    x: float
    y: float  # of the base line
    text: str
    colour: str
    anchor: str = "start"
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    title: str
    width: float
    height: float
    marks: Sequence[Shape | Label]


@cache
def colours() -> dict[str, str]:
    """Return the colours of the style sheet by name, those of light pages and of paper."""
    style = (TEMPLATES / "style.css").read_text("utf-8")
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", style[: style.index("@media")]))


def draw(chart: Markup, legend: Markup = Markup(), width: float = 480) -> Drawing:  # noqa: B008
    """Return a chart as a page has it, at a fixed width and below its legend."""
    marks: list[Shape | Label] = []
    x, top, title = 0.0, 0.0, ""
    for item in _parsed(legend).iter("li"):
        shape = item[0]
        words = shape.tail or ""
        room = 40 + LETTER * len(words)
        if not top or x + room - 20 > width:
            x, top = 0.0, top + (LEGEND if top else LEGEND + 2)
        marks += _marks(shape[0], _Frame(x, top - LEGEND, 16))
        marks.append(Label(x + 21, top - LEGEND + 10, words, colours()["ink"]))
        x += room
    for piece in _parsed(chart):
        title = title or piece.findtext("title") or ""
        for child in piece:
            marks += _marks(child, _Frame(0, top, width))
        top += float(piece.get("height") or 0)
    return Drawing(title, width, top, marks)


def _parsed(markup: Markup) -> ElementTree.Element:
    return ElementTree.fromstring(f"<g>{without_forbidden(markup)}</g>")  # noqa: S314 (our own)


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where a piece of a chart stands: its corner, its width, and pixels of one unit of x."""

    left: float
    top: float
    width: float
    unit: float = 1.0

    def x(self, value: str | None) -> float:
        if value and value.endswith("%"):
            return self.left + self.width * float(value[:-1]) / 100
        return self.left + self.unit * float(value or 0)

    def length(self, value: str | None) -> float:
        return self.x(value) - self.left


def _marks(node: ElementTree.Element, frame: _Frame) -> Iterator[Shape | Label]:
    if node.tag == "svg":
        inner = _Frame(frame.x(node.get("x")), frame.top, frame.width)
        if node.get("viewBox"):  # stretched to the whole width, which is 100 of its units
            inner = _Frame(frame.left, frame.top, frame.width, frame.width / 100)
        for child in node:
            yield from _marks(child, inner)
        return
    classes = (node.get("class") or "").split()
    if node.tag == "text":
        yield _label(node, classes, frame)
    elif node.tag not in ("title", "desc"):
        yield _shape(node, classes, frame)


def _label(node: ElementTree.Element, classes: Sequence[str], frame: _Frame) -> Label:
    named = next((name for name in classes if name.startswith("on-")), "")
    colour = colours()[named or ("muted" if "quiet" in classes else "ink")]
    anchor = "end" if "end" in classes else "middle" if "middle" in classes else "start"
    y = frame.top + float(node.get("y") or 0)
    return Label(frame.x(node.get("x")), y, node.text or "", colour, anchor, "strong" in classes)


def _shape(node: ElementTree.Element, classes: Sequence[str], frame: _Frame) -> Shape:
    known = colours() | {"quietly": colours()["muted"]}
    own = next((known[name] for name in classes if name in known), known["ink"])
    places = list(_places(node, frame))
    if node.tag == "line" and {"grid", "axis"} & set(classes):
        colour = known["rule" if "grid" in classes else "muted"]
        return Shape(places, stroke=colour, dashed="dashed" in classes)
    if "ring" in classes:
        return Shape([*places, places[0]], stroke=own, width=2)
    if node.tag in ("line", "polyline"):
        return Shape(places, stroke=own, width=2)
    edge = known["paper"] if "segment" in classes else None
    return Shape(places, fill=own, stroke=edge, faint="band" in classes)


def _places(node: ElementTree.Element, frame: _Frame) -> Iterator[tuple[float, float]]:
    """Yield the corners of a shape."""
    get, top = node.get, frame.top
    if node.tag == "line":
        for end in "12":
            yield frame.x(get(f"x{end}")), top + float(get(f"y{end}") or 0)
    elif node.tag == "rect":
        x, y = frame.x(get("x")), top + float(get("y") or 0)
        w, h = frame.length(get("width")), float(get("height") or 0)
        yield from ((x, y), (x + w, y), (x + w, y + h), (x, y + h))
    elif node.tag == "circle":
        x, y, r = frame.x(get("cx")), top + float(get("cy") or 0), float(get("r") or 0)
        for corner in range(ROUND):
            angle = 2 * pi * corner / ROUND
            yield x + r * cos(angle), y + r * sin(angle)
    else:  # a path of straight lines, or points
        numbers = re.findall(r"-?[\d.]+", get("points") or get("d") or "")
        for x_text, y_text in zip(numbers[::2], numbers[1::2], strict=True):
            yield frame.x(x_text), top + float(y_text)


def as_svg(drawing: Drawing) -> bytes:
    """Return a drawing as an SVG file that any program shows alike."""
    size = f'width="{drawing.width:g}" height="{drawing.height:g}"'
    box = f'viewBox="0 0 {drawing.width:g} {drawing.height:g}"'
    root = f'<svg xmlns="http://www.w3.org/2000/svg" {size} {box} font-size="{FONT}"'
    family = 'font-family="Helvetica, Arial, sans-serif"'
    lines = [f"{root} {family}>", f"<title>{Markup.escape(drawing.title)}</title>"]
    lines.append(f'<rect width="100%" height="100%" fill="{colours()["paper"]}"/>')
    lines += (_svg_mark(mark) for mark in drawing.marks)
    return "\n".join([*lines, "</svg>\n"]).encode()


def _svg_mark(mark: Shape | Label) -> str:
    if isinstance(mark, Label):
        weight = ' font-weight="bold"' if mark.bold else ""
        anchor = f' text-anchor="{mark.anchor}"' if mark.anchor != "start" else ""
        where = f'x="{mark.x:.2f}" y="{mark.y:.2f}" fill="{mark.colour}"'
        return f"<text {where}{anchor}{weight}>{Markup.escape(mark.text)}</text>"
    path = "L".join(f"{x:.2f} {y:.2f}" for x, y in mark.places)
    form = f' stroke="{mark.stroke}" stroke-width="{mark.width:g}"' if mark.stroke else ""
    form += ' stroke-dasharray="4 3"' if mark.dashed else ""
    form += ' fill-opacity="0.22"' if mark.faint else ""
    return f'<path d="M{path}{"Z" if mark.fill else ""}" fill="{mark.fill or "none"}"{form}/>'
