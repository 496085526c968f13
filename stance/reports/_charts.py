"""Charts and their scales: functions from numbers to marks."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor
from textwrap import wrap
from typing import Literal

from stance.records import AGAINST, FAVOR
from stance.reports._figures import (
    NARROW,
    WIDE,
    Data,
    Figure,
    Legend,
    Mark,
    Matrix,
    Pieces,
    cut,
    signed,
)

Tone = Literal["against", "neutral", "favor", "ink", "quietly"]
SIDES: dict[int, tuple[Tone, str]] = {AGAINST: ("against", "diamond"), FAVOR: ("favor", "dot")}
"""Tone and form of the marks of stances that take a side."""

ROW, LINE = 44, 15  # pixels for a row below its label, and for one more line in a row
SLIM = 19  # pixels for a row beside its label, in a file
FOOT, TITLE = 22, 16  # pixels for the numbers under an axis, and for its title
HEIGHT = 150  # pixels of a chart among others
PHONE = 40  # characters of a line on a phone
PIECE, MANY = 5, 10  # rows that paper keeps together, and beyond which the scale stands above, too
DOTTED = 24  # points of a curve up to which each has a dot
LEFT, RIGHT = 13.0, 97.0  # percents between which a curve runs; tick labels stand to its left
BELOW, BESIDE = (3.0, 97.0), (37.0, 74.0)  # percents between which a scale runs, by its labels
NAMES, CELL, HEAD = 150, 54, 44  # pixels of a matrix's names, of a column at least, of its heads
LETTER = 5.9  # pixels of a letter, about
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0)  # between two ticks


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale, its ticks with their labels, where a stronger line stands, and what it shows."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    zero: float | None = None
    title: str = ""

    def place(self, value: float, start: float = BELOW[0], end: float = BELOW[1]) -> float:
        """Return where a value stands between two ends."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return start + (end - start) * share

    def strength(self, at: float) -> str:
        """Return the look of the line at a tick."""
        return "axis" if at == self.zero else "grid"

    def labels(self, y: float, ends: tuple[float, float], last: str = "middle") -> Iterator[Mark]:
        """Yield the labels of the ticks; that of the end of the scale may stand before it."""
        for at, text in self.ticks:
            anchor = last if at == self.high else "middle"
            yield Mark("text", self.place(at, *ends), y, f"quiet {anchor}", text)


def _ticks_around(low: float, high: float, most: int) -> list[float]:
    """Return round numbers in equal steps, at most so many, that hold two values between them."""
    for step in STEPS:
        first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
        if max(last, first + 1) - first <= most:
            return [round(step * at, 2) for at in range(first, max(last, first + 1) + 1)]
    raise AssertionError("shares and net stances lie between -1 and 1")


def share_axis(highest: float = 1.0, lowest: float = 0.0, title: str = "") -> Axis:
    """Return a scale of shares that is as short as the lowest and the highest allow.

    >>> [text for _, text in share_axis(0.17).ticks]
    ['0', '5', '10', '15', '20 %']
    """
    ticks = _ticks_around(lowest, highest, 4)
    texts = [f"{100 * at:.0f}{' %' if at == ticks[-1] else ''}" for at in ticks]
    return Axis(ticks[0], ticks[-1], tuple(zip(ticks, texts, strict=True)), title=title)


def net_axis(nets: Iterable[float] = (-1.0, 1.0), most: int = 5, title: str = "") -> Axis:
    """Return a scale of net stances that holds zero and is as short as they allow.

    >>> [text for _, text in net_axis([-0.3, 0.1]).ticks]
    ['−30', '−20', '−10', '0', '+10']
    """
    known = [0.0, *nets]
    ticks = _ticks_around(min(known), max(known), most)
    return Axis(ticks[0], ticks[-1], tuple((at, signed(100 * at)) for at in ticks), 0, title)


SHARES = share_axis()  # from 0 to 100 percent


# --- Rows under each other ---


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval; without a value, only what stands beside it is drawn."""

    value: float | None
    interval: tuple[float, float] | None = None
    tone: Tone = "ink"
    form: str = "dot"
    beside: float | None = None  # another estimate of the same, without an interval

    @property
    def ends(self) -> list[float]:
        """All that a scale must hold."""
        return [end for end in (self.value, self.beside, *(self.interval or ())) if end is not None]


@dataclass(frozen=True, slots=True)
class Line:
    """A row of estimates, its name and a note."""

    name: str
    note: str
    estimates: tuple[Estimate, ...]


def ends_of(lines: Sequence[Line]) -> list[float]:
    """Return all that a scale of some lines must hold."""
    return [end for line in lines for estimate in line.estimates for end in estimate.ends]


def ranking(
    name: str,
    title: str,
    lines: Sequence[Line],
    axis: Axis,
    data: Data,
    description: str = "",
    legend: Legend = (),
    caption: str = "",
) -> Figure:
    """Return a figure of estimates under each other: labels above them, in a file beside them."""
    pieces, paper = whiskers(lines, axis), whiskers(lines, axis, beside=True)
    return Figure(name, title, pieces, data, description, legend, caption, paper=paper)


def whiskers(rows: Sequence[Line], axis: Axis = SHARES, *, beside: bool = False) -> Pieces:
    """Return estimates with intervals, in pieces, with their scale above (of many) and below."""
    most = max((len(row.estimates) for row in rows), default=1)
    long = any(len(row.name) + len(row.note) > PHONE for row in rows)
    above = 0 if beside else 19 + LINE * long  # pixels of the labels above a row
    step = SLIM + (most - 1) * LINE if beside else ROW + (long + most - 1) * LINE
    ends, pieces = BESIDE if beside else BELOW, []
    for low in range(0, max(1, len(rows)), PIECE):
        part = rows[low : low + PIECE]
        head, marks = FOOT if not low and len(rows) > MANY else 0, list[Mark]()
        height, foot = head + step * len(part), 0
        if head:
            marks += axis.labels(head - 7, ends)
        if low + PIECE >= len(rows):
            marks += axis.labels(height + 15, ends)
            marks += _axis_title(axis, height + 15 + TITLE, sum(ends) / 2)
            foot = FOOT + (TITLE if axis.title else 0)
        for place, row in enumerate(part):
            top = head + place * step
            marks += _row_label(row, top, beside=beside, long=long)
            end = top + step if beside else top + above + 18 + (most - 1) * LINE
            marks += (
                Mark("line", x, top + above, axis.strength(at), "", x, end)
                for at, x in ((at, axis.place(at, *ends)) for at, _ in axis.ticks)
            )
            for number, estimate in enumerate(row.estimates):
                marks += _estimate(estimate, top + above + 9 + number * LINE, axis, ends)
        pieces.append((height + foot, marks))
    return pieces


def _row_label(row: Line, top: float, *, beside: bool, long: bool) -> Iterator[Mark]:
    yield Mark("text", 0, top + 13, "strong", cut(row.name, PHONE - len(row.note) * (not long)))
    if row.note and (beside or not long):
        yield Mark("text", 100, top + 13, "quiet end", row.note)
    elif row.note:
        yield Mark("text", 0, top + 13 + LINE, "quiet", row.note)


def _axis_title(axis: Axis, y: float, middle: float) -> Iterator[Mark]:
    if axis.title:
        yield Mark("text", middle, y, "quiet middle", axis.title)


def _estimate(
    estimate: Estimate, y: float, axis: Axis, ends: tuple[float, float]
) -> Iterator[Mark]:
    if estimate.interval is not None:
        low, high = (axis.place(end, *ends) for end in estimate.interval)
        yield Mark("line", low, y, f"whisker {estimate.tone}", "", high, y)
    if estimate.beside is not None:
        yield Mark("ring", axis.place(estimate.beside, *ends), y, "ring quietly")
    if estimate.value is not None:
        yield Mark(estimate.form, axis.place(estimate.value, *ends), y, estimate.tone)


# --- Charts of one piece ---


def curve(
    estimates: Sequence[tuple[float, Estimate]],
    x: Axis,
    y: Axis,
    *,
    height: int = HEIGHT,
    equality: bool = False,
) -> Pieces:
    """Return estimates at places across, joined by lines or beside the line of equality.

    The title of the scale that goes up stands above it.
    """
    head = TITLE if y.title else 0
    bottom, foot = head + height - FOOT, TITLE if x.title else 0

    def line(*places: float, look: str) -> Mark:
        across, up, across2, up2 = places
        return Mark("line", over(across), at(up), look, "", over(across2), at(up2))

    def over(across: float) -> float:
        return x.place(across, LEFT + 1.5, RIGHT)

    def at(up: float) -> float:
        return round(y.place(up, bottom, head + 8.0), 2)

    marks = [Mark("text", 0, 11, "quiet", y.title)] if y.title else []
    marks += _axis_title(x, bottom + FOOT - 5 + TITLE, (LEFT + 100) / 2)
    for tick, text in y.ticks:
        marks.append(Mark("line", LEFT, at(tick), y.strength(tick), "", 100, at(tick)))
        marks.append(Mark("text", LEFT - 1, at(tick) + 4, "quiet end", text))
    marks += x.labels(bottom + FOOT - 5, (LEFT + 1.5, RIGHT), "end")
    known = [(across, mark.value) for across, mark in estimates if mark.value is not None]
    ends = [((x.low, x.low), (x.high, x.high))] if equality else pairwise(known)
    marks += (line(*a, *b, look="axis dashed" if equality else "line favor") for a, b in ends)
    for across, mark in estimates:
        if mark.interval is not None:
            low, high = mark.interval
            marks.append(line(across, low, across, high, look="whisker favor"))
        if mark.beside is not None:
            marks.append(Mark("ring", over(across), at(mark.beside), "ring quietly"))
        if mark.value is not None and (mark.interval or len(estimates) <= DOTTED):
            marks.append(Mark("dot", over(across), at(mark.value), "favor"))
    return [(head + height + foot, marks)]


def heat(name: str, title: str, matrix: Matrix, data: Data, legend: Legend, caption: str) -> Figure:
    """Return a figure of a matrix, whose cells are two lines of text and a shade or ""."""
    columns = max(1, len(matrix.heads))
    width = NARROW if NAMES + CELL * columns <= NARROW else max(WIDE, NAMES + CELL * columns)
    cell, marks = (width - NAMES) / columns, list[Mark]()

    def across(pixels: float) -> float:
        return 100 * pixels / width

    for down, line in enumerate(wrap(matrix.corner, 16)):
        marks.append(Mark("text", 0, HEAD - 22 + 14 * down, "quiet", line))
    for number, head in enumerate(matrix.heads):
        middle, letters = across(NAMES + cell * (number + 0.5)), int(cell / LETTER)
        for up, line in enumerate(reversed(wrap(head, letters)[:2])):
            marks.append(Mark("text", middle, HEAD - 8 - 14 * up, "quiet middle", line))
    for place, (row, cells) in enumerate(matrix.rows):
        top = HEAD + 36 * place
        marks.append(Mark("text", 0, top + 22, "strong", cut(row, 21)))
        for number, each in enumerate(cells):
            left = NAMES + cell * number
            if each.shade:
                right, look = across(left + cell - 2), f"segment {each.shade}"
                marks.append(Mark("box", across(left), top, look, "", right, top + 34))
            ink, middle = f"middle on-{each.shade}" if each.shade else "", across(left + cell / 2)
            marks.append(Mark("text", middle, top + 15, ink or "middle", each.text))
            marks.append(Mark("text", middle, top + 29, ink or "quiet middle", each.below))
    pieces = [(HEAD + 36.0 * len(matrix.rows), marks)]
    return Figure(name, title, pieces, data, "", legend, caption, matrix, width=width)
