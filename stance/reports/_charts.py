"""Charts as inline SVG whose lengths are percents: they fill any width, and type keeps its size."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from markupsafe import Markup, escape

from stance.records import AGAINST, FAVOR
from stance.reports._page import cut
from stance.reports._scales import SHARES, Axis

Tone = Literal["against", "neutral", "favor", "ink", "quietly"]
SIDES: dict[int, tuple[Tone, str]] = {AGAINST: ("against", "diamond"), FAVOR: ("favor", "dot")}
"""Tone and form of the marks of stances that take a side."""

ROW, BAR, LINE = 44, 18, 15  # pixels for a row with its label, a bar, one more line in a row
FOOT = 22  # pixels for the numbers under an axis
HEIGHT = 150  # pixels of a chart among others
PHONE = 40  # characters of a line on a phone
LEAST_LABEL = 0.065  # share from which a segment has room for its number on a phone
PIECE, MANY = 5, 10  # rows that paper keeps together, and beyond which the scale stands above, too
LEFT, RIGHT = 13.0, 97.0  # percents between which a curve runs; tick labels stand to its left


# --- Elements: x and widths in percent, y and heights in pixels ----------------------------------


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


def drawing(name: str, title: str, description: str, height: float, marks: list[Markup]) -> Markup:
    label = f"{name}-t {name}-d"
    words = element("title", title, id=f"{name}-t"), element("desc", description, id=f"{name}-d")
    return element("svg", *words, *marks, height=height, role="img", aria_labelledby=label)


Piece = tuple[float, list[Markup]]  # height and marks of a part of a chart


def _in_pieces(name: str, title: str, description: str, pieces: Sequence[Piece]) -> Markup:
    """Return drawings under each other, between which a page may end."""
    (height, marks), *rest = pieces or [(0, [])]
    first = drawing(name, title, description, height, marks)
    below = (element("svg", *each, height=height, aria_hidden="true") for height, each in rest)
    return Markup("").join([first, *below])


def css_percent(value: float) -> str:
    return f"{round(value, 3):g}%"


def label(x: float, y: float, text: str, class_: str = "") -> Markup:
    return element("text", text, x=css_percent(x), y=y, class_=class_ or None)


def _segment(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    return element("line", x1=css_percent(x1), y1=y1, x2=css_percent(x2), y2=y2, class_=class_)


def _bar(x: float, y: float, width: float, height: float, tone: Tone) -> Markup:
    width_, class_ = css_percent(width), f"segment {tone}"
    return element("rect", x=css_percent(x), y=y, width=width_, height=height, class_=class_)


def _row_label(name: str, note: str, top: float, lines: int = 1) -> list[Markup]:
    if lines == 2:
        below = label(0, top + 13 + LINE, note, "quiet")
        return [label(0, top + 13, cut(name, PHONE), "strong"), below]
    left = label(0, top + 13, cut(name, PHONE - len(note)), "strong")
    return [left, label(100, top + 13, note, "quiet end")] if note else [left]


def _ticks(axis: Axis, y: float, start: float = 3, end: float = 97) -> list[Markup]:
    return [
        label(axis.place(at, start, end), y, text, f"quiet {axis.anchor(at)}".strip())
        for at, text in axis.ticks
    ]


def legend(*entries: tuple[str, str, str]) -> Markup:
    """Return the key of a chart: forms (a mark's, bar or line), tones and words."""
    items = []
    for form, tone, words in entries:
        shape = _marker(form, "8", 6, tone)
        if form == "bar":
            shape = element("rect", x=0, y=0, width=16, height=12, class_=f"segment {tone}")
        items.append(element("li", element("svg", shape, aria_hidden="true"), words))
    return element("ul", *items, class_="legend")


def _marker(form: str, x: str, y: float, tone: str) -> Markup:
    if form == "line":
        return element("line", x1=0, x2=16, y1=y, y2=y, class_=f"whisker {tone}")
    if form in ("dot", "ring"):
        return element("circle", cx=x, cy=y, r=5, class_=tone if form == "dot" else f"ring {tone}")
    if form == "square":
        shape = element("rect", x=-4.5, y=y - 4.5, width=9, height=9, class_=tone)
    elif form in ("left", "right"):  # an interval goes on beyond the scale
        tip = -5 if form == "left" else 5
        shape = element("path", d=f"M{tip} {y:g}L0 {y - 5:g}L0 {y + 5:g}Z", class_=tone)
    else:
        shape = element("path", d=f"M0 {y - 6:g}L6 {y:g}L0 {y + 6:g}L-6 {y:g}Z", class_=tone)
    return element("svg", shape, x=x, y=0, width=1, height=1, overflow="visible")


# --- Bars: shares that make up a whole, and bars that stand --------------------------------------


@dataclass(frozen=True, slots=True)
class Parts:
    name: str
    note: str
    shares: Sequence[float]  # which sum to 1


def stacked(
    name: str, title: str, description: str, rows: Sequence[Parts], tones: Sequence[Tone]
) -> Markup:
    pieces: list[Piece] = []
    for low in range(0, len(rows), PIECE):
        head = FOOT if not low and len(rows) > MANY else 0
        marks = _ticks(SHARES, head - 7, 0, 100) if head else []
        for place, row in enumerate(rows[low : low + PIECE]):
            marks += _stack(row, head + place * ROW, tones)
        pieces.append((head + ROW * len(rows[low : low + PIECE]), marks))
    return _in_pieces(name, title, description, pieces)


def _stack(row: Parts, top: float, tones: Sequence[Tone]) -> list[Markup]:
    marks, start = _row_label(row.name, row.note, top), 0.0
    for share, tone in zip(row.shares, tones, strict=True):
        marks.append(_bar(100 * start, top + 20, 100 * share, BAR, tone))
        if share >= LEAST_LABEL:
            middle = 100 * (start + share / 2)
            marks.append(label(middle, top + 33.5, f"{100 * share:.0f}", f"middle on-{tone}"))
        start += share
    return marks


def upright(name: str, title: str, description: str, bars: Sequence[tuple[str, float]]) -> Markup:
    most = max((share for _, share in bars), default=0) or 1
    room, step = HEIGHT - FOOT - 18, 100 / max(1, len(bars))
    marks = []
    for place, (words, share) in enumerate(bars):
        tall = round(room * share / most, 2)
        marks.append(_bar((place + 0.06) * step, 18 + room - tall, 0.88 * step, tall, "quietly"))
        middle = (place + 0.5) * step
        marks.append(label(middle, 13 + room - tall, f"{100 * share:.0f}", "middle"))
        marks.append(label(middle, HEIGHT - 5, words, "quiet middle"))
    return drawing(name, title, description, HEIGHT, marks)


# --- Estimates with their intervals --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Estimate:
    value: float
    interval: tuple[float, float] | None
    tone: Tone = "ink"
    form: str = "dot"
    beside: float | None = None  # another estimate of the same, without an interval


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    note: str
    estimates: tuple[Estimate, ...]


def whiskers(
    name: str, title: str, rows: Sequence[Line], axis: Axis = SHARES, description: str = ""
) -> Markup:
    """Return a mark per estimate on a common scale, with a line across its interval."""
    description = description or "; ".join(f"{row.name} {row.note}" for row in rows[:8])
    lanes = max((len(row.estimates) for row in rows), default=1)
    lines = 1 + any(len(row.name) + len(row.note) > PHONE for row in rows)
    step = ROW + (lanes + lines - 2) * LINE
    pieces: list[Piece] = []
    for low in range(0, len(rows), PIECE):
        part = rows[low : low + PIECE]
        head = FOOT if not low and len(rows) > MANY else 0
        foot = FOOT if low + PIECE >= len(rows) else 0
        height = head + step * len(part)
        marks = _ticks(axis, head - 7) if head else []
        marks += _ticks(axis, height + 15) if foot else []
        for place, row in enumerate(part):
            marks += _estimates(row, head + place * step, lines, axis)
        pieces.append((height + foot, marks))
    return _in_pieces(name, title, description, pieces)


def _estimates(row: Line, top: float, lines: int, axis: Axis) -> list[Markup]:
    """Return a row's label and, below it, the marks on a grid that leaves the label free."""
    start = top + 19 + (lines - 1) * LINE
    end = start + 18 + (len(row.estimates) - 1) * LINE
    marks = _row_label(row.name, row.note, top, lines)
    marks += (
        _segment(axis.place(at), start, axis.place(at), end, axis.strength(at))
        for at, _ in axis.ticks
    )
    for number, each in enumerate(row.estimates):
        y = start + 9 + number * LINE
        if each.interval is not None:
            low, high = map(axis.place, each.interval)
            marks.append(_segment(low, y, high, y, f"whisker {each.tone}"))
            beyond = each.interval[0] < axis.low, each.interval[1] > axis.high
            marks += (
                _marker(form, css_percent(at), y, each.tone)
                for form, at, is_so in zip(("left", "right"), (low, high), beyond, strict=True)
                if is_so
            )
        if each.beside is not None:
            marks.append(_marker("ring", css_percent(axis.place(each.beside)), y, "quietly"))
        marks.append(_marker(each.form, css_percent(axis.place(each.value)), y, each.tone))
    return marks


# --- Curves with their bands, and points with their intervals ------------------------------------


@dataclass(frozen=True, slots=True)
class Point:
    x: float
    y: float | None  # None where nothing is known
    band: tuple[float, float] | None = None


Scale = Callable[[float], float]


def curve(
    name: str,
    title: str,
    description: str,
    points: Sequence[Point],
    x: Axis,
    y: Axis,
    *,
    height: float = HEIGHT,
    tone: Tone = "favor",
    connected: bool = True,
    line: Sequence[Point] = (),
) -> Markup:
    """Return a curve with its band; or, not connected, whiskers beside the line of equality.

    With a smooth ``line`` the points stand beside it, without their intervals.
    """
    top, bottom = 8.0, height - FOOT

    def across(value: float) -> float:
        return x.place(value, LEFT + 1.5, RIGHT)

    def down(value: float) -> float:
        return y.place(value, bottom, top)

    marks = [_segment(LEFT, down(at), 100, down(at), y.strength(at)) for at, _ in y.ticks]
    marks += (label(LEFT - 1, down(at) + 4, text, "quiet end") for at, text in y.ticks)
    marks += (label(across(at), height - 5, text, f"quiet {x.anchor(at)}") for at, text in x.ticks)
    runs = [list(run) for known, run in groupby(points, lambda p: p.y is not None) if known]
    if connected:
        marks.append(_lines([line] if line else runs, across, down, height, tone))
    else:
        start, end = (across(x.low), down(x.low)), (across(x.high), down(x.high))
        marks.append(_segment(*start, *end, "axis dashed"))
    radius = 4 if not (connected and (line or len(points) > 24)) else 2
    for run in runs:
        for point in run:
            at, middle = across(point.x), round(down(point.y or 0.0), 2)
            if point.band and not line and not (connected and len(run) > 1):
                low, high = map(down, point.band)
                marks.append(_segment(at, low, at, high, f"whisker {tone}"))
            marks.append(element("circle", cx=css_percent(at), cy=middle, r=radius, class_=tone))
    return drawing(name, title, description, height, marks)


def _lines(
    runs: Sequence[Sequence[Point]], across: Scale, down: Scale, height: float, tone: Tone
) -> Markup:
    def path(places: Iterable[tuple[float, float]]) -> str:
        return " ".join(f"{across(x):.2f},{down(y):.2f}" for x, y in places)

    marks = []
    for run in runs:
        bounds = [(p.x, *p.band) for p in run if p.band]
        if len(bounds) > 1:
            edge = [(x, high) for x, _, high in bounds] + [(x, low) for x, low, _ in bounds[::-1]]
            marks.append(element("polygon", points=path(edge), class_=f"band {tone}"))
        middle = path((p.x, p.y or 0.0) for p in run)
        marks.append(element("polyline", points=middle, class_=f"line {tone}"))
    # Stretched to the width: x runs from 0 to 100, y in pixels.
    box = {"viewBox": f"0 0 100 {height:g}", "preserveAspectRatio": "none"}
    return element("svg", *marks, width="100%", height=height, **box)
