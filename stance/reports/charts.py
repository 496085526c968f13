"""Charts: numbers in, marks out."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import accumulate, pairwise
from math import ceil, floor
from textwrap import wrap
from typing import NamedTuple

from stance.display import cut, signed, widths
from stance.reports.figures import LETTER, NARROW, WIDE, Drawing, Mark

NAME, BOLD, NOTE = 18, 8.0, 7.2  # letters of a name beside a scale; pixels of one, of a note's
ROW = 19  # pixels for a row
FOOT, TITLE = 22, 16  # pixels for the numbers under an axis, and for its title
HEIGHT = 150  # pixels of a curve
LEFT, RIGHT = 52.0, 388.0  # pixels between which a curve runs; tick labels stand to its left
CELL, HIGH = 46.0, 36  # pixels of a column of a matrix at least, of a row
LINE, SPACE = 15, 12.0  # pixels of a line of a name in it, beside a name
NET = "net stance: % in favor less % against, in points"
MOST = 5  # steps between the ticks of a scale
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0)  # between two ticks
APART = 34  # pixels between two ticks that both have room for a label


class Axis(NamedTuple):
    """A scale and its ticks with their labels; the line at zero is stronger."""

    low: float
    high: float
    ticks: Sequence[tuple[float, str]]

    def place(self, value: float, start: float, end: float) -> float:
        """Return where a value stands between two ends."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(start + (end - start) * share, 2)


def net_axis(nets: Iterable[float]) -> Axis:
    """Return a scale of net stances that holds zero and is as short as they allow.

    >>> [text for _, text in net_axis([-0.3, 0.1]).ticks]
    ['−30', '−20', '−10', '0', '+10']
    """
    known = [0.0, *nets]
    for step in STEPS:  # of which the last one is always long enough
        first, last = floor(min(known) / step + 1e-9), ceil(max(known) / step - 1e-9)
        last = max(last, first + 1)
        if last - first <= MOST:
            break
    ticks = [round(step * n, 2) for n in range(first, last + 1)]
    return Axis(ticks[0], ticks[-1], [(tick, signed(100 * tick)) for tick in ticks])


class Estimate(NamedTuple):
    """A number with its interval; without a value, only what stands beside it is drawn."""

    value: float | None
    interval: Sequence[float] = ()
    beside: float | None = None  # another estimate of the same, without an interval

    @property
    def ends(self) -> list[float]:
        """All that a scale must hold."""
        return [end for end in (self.value, self.beside, *self.interval) if end is not None]

    def marks(self, tone: str, place: Callable[[float], tuple[float, float]]) -> Iterator[Mark]:
        """Yield what is drawn of it where its numbers stand."""
        if self.interval:
            (x, y), (x2, y2) = map(place, self.interval)
            yield Mark("line", x, y, f"whisker {tone}", "", x2, y2)
        if self.beside is not None:
            yield Mark("ring", *place(self.beside), "ring quietly")
        if self.value is not None:
            yield Mark("dot", *place(self.value), tone)


def whiskers(rows: Sequence[tuple[str, str, Estimate]], axis: Axis) -> Drawing:
    """Return estimates with intervals under each other, between their names and notes."""
    names = [_lines(name, 3, NAME) for name, _, _ in rows]
    start = 12 + BOLD * max(map(_columns, names))
    end = NARROW - 12 - NOTE * max(len(note) for _, note, _ in rows)
    tops = [*accumulate((ROW + LINE * (len(name) - 1) for name in names), initial=0)]
    marks, bottom = list[Mark](), float(tops.pop())
    labelled = 1 if (end - start) / (len(axis.ticks) - 1) >= APART else 2
    zero = next(number for number, (tick, _) in enumerate(axis.ticks) if not tick)
    for number, (tick, text) in enumerate(axis.ticks):
        x = axis.place(tick, start, end)
        marks.append(Mark("line", x, 0, "grid" if tick else "axis", "", x, bottom))
        if (number - zero) % labelled == 0:
            marks.append(Mark("text", x, bottom + 15, "quiet middle", text))

    def place(y: float, net: float) -> tuple[float, float]:
        return axis.place(net, start, end), y

    for top, name, (_, note, estimate) in zip(tops, names, rows, strict=True):
        y = top + 9
        marks += (Mark("text", 0, y + 4 + LINE * n, "strong", line) for n, line in enumerate(name))
        marks.append(Mark("text", NARROW, y + 4, "quiet end", note))
        marks += estimate.marks("ink", partial(place, y))
    marks.append(Mark("text", (start + end) / 2, bottom + 15 + TITLE, "quiet middle", NET))
    return Drawing(NARROW, bottom + FOOT + TITLE, marks)


def curve(estimates: Sequence[tuple[float, Estimate]], x: Axis, y: Axis) -> Drawing:
    """Return net stances at places across; lines join those that are one apart."""
    bottom = TITLE + HEIGHT - FOOT

    def place(across: float, net: float) -> tuple[float, float]:
        return x.place(across, LEFT + 16, RIGHT), y.place(net, bottom, TITLE + 8.0)

    marks = [Mark("text", 0, 11, "quiet", NET)]
    for tick, text in y.ticks:
        _, up = place(x.low, tick)
        marks.append(Mark("line", LEFT, up, "grid" if tick else "axis", "", NARROW, up))
        marks.append(Mark("text", LEFT - 4, up + 4, "quiet end", text))
    known = [(across, mark.value) for across, mark in estimates if mark.value is not None]
    for one, other in pairwise(known):
        if other[0] - one[0] == 1:
            marks.append(Mark("line", *place(*one), "line favor", "", *place(*other)))
    for across, mark in estimates:
        marks += mark.marks("favor", partial(place, across))
    for tick, text in x.ticks:
        look = "quiet end" if tick == x.high else "quiet middle"
        marks.append(Mark("text", place(tick, 0)[0], bottom + 15, look, text))
    return Drawing(NARROW, bottom + FOOT, marks)


class MatrixCell(NamedTuple):
    """Two lines of text, a shade or "", and the place of the page that says more or ""."""

    text: str
    below: str
    shade: str = ""
    place: str = ""


Grid = Mapping[tuple[str, str], MatrixCell]  # by row and head


def matrix(rows: Sequence[str], heads: Sequence[str], cells: Grid, corner: str = "") -> Drawing:
    """Return a matrix of the cells that are known; ``corner`` says what rows and columns are."""
    names, titles = [_lines(row, 2) for row in rows], [_lines(head, 5) for head in heads]
    start = SPACE + max(LETTER * len(corner), *(BOLD * _columns(name) for name in names))
    step = max(CELL, SPACE + LETTER * max(map(_columns, titles)))
    if turned := start + step * len(heads) > WIDE:  # then names stand upright
        titles, step = [_lines(head, 3) for head in heads], CELL
    height = SPACE + max(LETTER * _columns(t) if turned else LINE * len(t) for t in titles)
    width = NARROW if start + step * len(heads) <= NARROW else WIDE
    step = (width - start) / len(heads)
    lefts = {head: start + step * number for number, head in enumerate(heads)}
    tops = {row: height + HIGH * number for number, row in enumerate(rows)}
    marks = [Mark("text", 0, height - 8, "quiet", corner)]
    for left, lines in zip(lefts.values(), titles, strict=True):
        middle, last = left + step / 2, len(lines) - 1
        for number, line in enumerate(lines):
            x, y, look = middle, height - 8 - LINE * (last - number), "quiet middle"
            if turned:
                x, y, look = middle + 4 + LINE * (number - last / 2), height - 8, "quiet turned"
            marks.append(Mark("text", x, y, look, line))
    for top, lines in zip(tops.values(), names, strict=True):
        first = top + 22 - LINE * (len(lines) - 1) / 2
        marks += (Mark("text", 0, first + LINE * n, "strong", line) for n, line in enumerate(lines))
    for (row, head), cell in cells.items():
        if row in tops and head in lefts:
            left, top, looks = lefts[head], tops[row], ["middle", "quiet middle"]
            if cell.shade:
                looks = [f"middle on-{cell.shade}"] * 2
                place, look = (left + step - 2, top + 34, cell.place), f"segment {cell.shade}"
                marks.append(Mark("box", left, top, look, "", *place))
            for text, look, y in zip(cell, looks, (top + 15, top + 29), strict=False):
                marks.append(Mark("text", left + step / 2, y, look, text, link=cell.place))
    return Drawing(width, height + HIGH * len(rows), marks)


def _lines(name: str, most: int, width: int = 1) -> list[str]:
    """Return a name on so many lines at most, of whole words unless one is longer than `width`."""
    line = cut(" ".join(map(cut, name.split())), most * NAME)
    width = max(width, *map(len, line.split()))
    while len(lines := wrap(line, width)) > most:
        width += 1
    return lines


def _columns(lines: Sequence[str]) -> int:
    return max(sum(widths(line)) for line in lines)
