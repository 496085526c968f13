"""Charts as inline SVG whose lengths are percents: they fill any width, and type keeps its size."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from stance.reports.axes import SHARES, Axis, anchor
from stance.reports.markup import Html, cut, joined, tag

Tone = Literal["against", "neutral", "favor", "ink", "quietly"]

ROW, BAR, LINE = 44, 18, 15
"""Pixels for a row with its label, for a bar, and for one more line in a row."""

FOOT = 22
"""Pixels for the numbers under an axis."""

PHONE = 40
"""Characters of a line on a phone."""

LEAST_LABEL = 0.065
"""Share from which a segment has room for its number on a phone."""

PIECE, MANY = 5, 10
"""Rows that paper keeps together, and beyond which a chart has its scale above, too."""


def drawing(name: str, title: str, description: str, height: float, *marks: Html) -> Html:
    """Return an SVG as wide as its place, which a screen reader announces."""
    return tag(
        "svg",
        tag("title", title, id=f"{name}-t"),
        tag("desc", description, id=f"{name}-d"),
        joined(marks, "\n"),
        height=height,
        role="img",
        aria_labelledby=f"{name}-t {name}-d",
    )


Piece = tuple[float, Sequence[Html]]
"""Height and marks of a part of a chart."""


def in_pieces(name: str, title: str, description: str, pieces: Sequence[Piece]) -> Html:
    """Return drawings that stand under each other as one, between which a page may end."""
    first, *rest = pieces or [(0, [])]
    below = [
        tag("svg", joined(marks, "\n"), height=height, aria_hidden="true") for height, marks in rest
    ]
    return joined([drawing(name, title, description, first[0], *first[1]), *below])


def percent(value: float) -> str:
    """Return a length along the width."""
    return f"{round(value, 3):g}%"


def label(x: float, y: float, text: str, class_: str = "") -> Html:
    """Return a text; ``x`` in percent of the width, ``y`` in pixels."""
    return tag("text", text, x=percent(x), y=y, class_=class_ or None)


def segment(x1: float, y1: float, x2: float, y2: float, class_: str) -> Html:
    """Return a straight line; x in percent, y in pixels."""
    return tag("line", x1=percent(x1), y1=y1, x2=percent(x2), y2=y2, class_=class_)


def legend(entries: Sequence[tuple[str, str, str]]) -> Html:
    """Return the key of a chart: forms (``bar``, ``line`` or a `marker`'s), tones and words."""
    items = []
    for form, tone, words in entries:
        shape = (
            tag("rect", x=0, y=0, width=16, height=12, class_=f"segment {tone}")
            if form == "bar"
            else marker(form, "8", 6, tone)
        )
        items.append(tag("li", tag("svg", shape, aria_hidden="true"), words))
    return tag("ul", items, class_="legend")


def marker(form: str, x: str, y: float, tone: str) -> Html:
    """Return a mark at a place: ``dot``, ``square``, ``diamond``, or the ``line`` of a legend."""
    if form == "line":
        return tag("line", x1=0, x2=16, y1=y, y2=y, class_=f"whisker {tone}")
    if form == "square":
        box = tag("rect", x=-4.5, y=y - 4.5, width=9, height=9, class_=tone)
        return tag("svg", box, x=x, y=0, width=1, height=1, overflow="visible")
    if form == "dot":
        return tag("circle", cx=x, cy=y, r=5, class_=tone)
    shape = tag("path", d=f"M0 {y - 6:g}L6 {y:g}L0 {y + 6:g}L-6 {y:g}Z", class_=tone)
    return tag(
        "svg",
        shape,
        x=x,
        y=0,
        width=1,
        height=1,
        overflow="visible",
    )


# --- Shares that make up a whole ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Parts:
    """Shares of one row, which sum to 1; their tones in order."""

    name: str
    note: str
    shares: tuple[float, ...]


def stacked(
    name: str, title: str, description: str, rows: Sequence[Parts], tones: Sequence[Tone]
) -> Html:
    """Return bars of the same length, cut by shares, the first on the left."""
    pieces: list[Piece] = []
    for low in range(0, len(rows), PIECE):
        head = FOOT if not low and len(rows) > MANY else 0
        marks = _ticks(SHARES, head - 7, 0, 100) if head else []
        for place, row in enumerate(rows[low : low + PIECE]):
            marks += _stack(row, head + place * ROW, tones)
        pieces.append((head + ROW * len(rows[low : low + PIECE]), marks))
    return in_pieces(name, title, description, pieces)


def _stack(row: Parts, top: float, tones: Sequence[Tone]) -> list[Html]:
    marks, start = [_row_label(row.name, row.note, top)], 0.0
    for share, tone in zip(row.shares, tones, strict=True):
        marks.append(_bar(100 * start, top + 20, 100 * share, BAR, tone))
        if share >= LEAST_LABEL:
            middle = 100 * (start + share / 2)
            text = f"{100 * share:.0f}"
            marks.append(label(middle, top + 33.5, text, f"middle on-{tone}"))
        start += share
    return marks


def _bar(x: float, y: float, width: float, height: float, tone: Tone) -> Html:
    return tag(
        "rect",
        x=percent(x),
        y=y,
        width=percent(width),
        height=height,
        class_=f"segment {tone}",
    )


def _row_label(name: str, note: str, top: float, *, lines: int = 1) -> Html:
    """Return the name of a row and a remark: on its right, or below it."""
    if lines == 2:
        below = label(0, top + 13 + LINE, note, "quiet")
        return joined([label(0, top + 13, cut(name, PHONE), "strong"), below])
    left = label(0, top + 13, cut(name, PHONE - len(note)), "strong")
    return joined([left, label(100, top + 13, note, "quiet end")] if note else [left])


# --- Estimates with their intervals ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval, None where there is none."""

    value: float
    interval: tuple[float, float] | None
    tone: Tone = "ink"
    form: str = "dot"


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a dot-and-whisker chart."""

    name: str
    note: str
    estimates: tuple[Estimate, ...]


def whiskers(
    name: str, title: str, description: str, rows: Sequence[Line], axis: Axis = SHARES
) -> Html:
    """Return a mark per estimate on a common scale, with a line across its interval."""
    lanes = max((len(row.estimates) for row in rows), default=1)
    lines = 1 + any(len(row.name) + len(row.note) > PHONE for row in rows)
    step = ROW + (lanes - 1) * LINE + (lines - 1) * LINE
    pieces: list[Piece] = []
    for low in range(0, len(rows), PIECE):
        part = rows[low : low + PIECE]
        head = FOOT if not low and len(rows) > MANY else 0
        foot = FOOT if low + PIECE >= len(rows) else 0
        height = head + step * len(part)
        marks = [
            segment(axis.place(at), head, axis.place(at), height,
                    "axis" if at == axis.zero else "grid")
            for at, _ in axis.ticks
        ]  # fmt: skip
        marks += _ticks(axis, head - 7) if head else []
        marks += _ticks(axis, height + 15) if foot else []
        for place, row in enumerate(part):
            marks += _estimates(row, head + place * step, lines, axis)
        pieces.append((height + foot, marks))
    return in_pieces(name, title, description, pieces)


def _estimates(row: Line, top: float, lines: int, axis: Axis) -> list[Html]:
    marks = [_row_label(row.name, row.note, top, lines=lines)]
    for number, each in enumerate(row.estimates):
        y = top + 28 + (number + lines - 1) * LINE
        if each.interval is not None:
            low, high = map(axis.place, each.interval)
            marks.append(segment(low, y, high, y, f"whisker {each.tone}"))
        marks.append(marker(each.form, percent(axis.place(each.value)), y, each.tone))
    return marks


def _ticks(axis: Axis, y: float, start: float = 3, end: float = 97) -> list[Html]:
    return [
        label(axis.place(at, start, end), y, text, f"quiet {anchor(axis, at)}".strip())
        for at, text in axis.ticks
    ]


# --- Bars that stand ---------------------------------------------------------------------------


def columns(
    name: str, title: str, description: str, bars: Sequence[tuple[str, float]], height: float = 150
) -> Html:
    """Return upright bars with their shares above and their names below."""
    most = max((share for _, share in bars), default=0) or 1
    room, step = height - FOOT - 18, 100 / max(1, len(bars))
    marks = []
    for place, (words, share) in enumerate(bars):
        tall = round(room * share / most, 2)
        marks.append(_bar((place + 0.06) * step, 18 + room - tall, 0.88 * step, tall, "quietly"))
        middle = (place + 0.5) * step
        marks.append(label(middle, 13 + room - tall, f"{100 * share:.0f}", "middle"))
        marks.append(label(middle, height - 5, words, "quiet middle"))
    return drawing(name, title, description, height, *marks)
