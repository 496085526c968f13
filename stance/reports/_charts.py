"""Charts and their scales: functions from numbers to drawings."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor
from textwrap import wrap

from stance.reports._figures import LETTER, NARROW, Drawing, Mark, cut, signed, widths

NAME, BOLD, NOTE = 18, 8.0, 7.2  # letters of a name beside a scale; pixels of one, of a note's
ROW = 19  # pixels for a row
FOOT, TITLE = 22, 16  # pixels for the numbers under an axis, and for its title
HEIGHT = 150  # pixels of a curve
LEFT, RIGHT = 52.0, 388.0  # pixels between which a curve runs; tick labels stand to its left
NAMES, CELL, HEAD = 150, 66, 44  # pixels of a matrix's names, of a column at least, of its heads
NET = "net stance: % in favor less % against, in points"
MOST = 5  # steps between the ticks of a scale
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0)  # between two ticks


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale and its ticks with their labels; the line at zero is stronger."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]

    def place(self, value: float, start: float, end: float) -> float:
        """Return where a value stands between two ends."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(start + (end - start) * share, 2)

    def foot(self, y: float, start: float, end: float, last: str = "middle") -> Iterator[Mark]:
        """Yield the labels of the ticks below a chart; the last may stand before its tick."""
        for tick, text in self.ticks:
            anchor = last if tick == self.high else "middle"
            yield Mark("text", self.place(tick, start, end), y + 15, f"quiet {anchor}", text)


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
    return Axis(ticks[0], ticks[-1], tuple((tick, signed(100 * tick)) for tick in ticks))


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval; without a value, only what stands beside it is drawn."""

    value: float | None
    interval: Sequence[float] | None = None
    beside: float | None = None  # another estimate of the same, without an interval

    @property
    def ends(self) -> list[float]:
        """All that a scale must hold."""
        return [end for end in (self.value, self.beside, *(self.interval or ())) if end is not None]


def whiskers(rows: Sequence[tuple[str, str, Estimate]], axis: Axis) -> Drawing:
    """Return estimates with intervals under each other, between their names and notes."""
    names = [cut(name, NAME) for name, _, _ in rows]
    start = 12 + BOLD * max((sum(widths(name)) for name in names), default=0)
    end = NARROW - 12 - NOTE * max((len(note) for _, note, _ in rows), default=0)
    marks, bottom = list[Mark](), float(ROW * len(rows))
    for tick, _ in axis.ticks:
        x = axis.place(tick, start, end)
        marks.append(Mark("line", x, 0, "grid" if tick else "axis", "", x, bottom))
    for number, (name, (_, note, estimate)) in enumerate(zip(names, rows, strict=True)):
        top = ROW * number
        marks.append(Mark("text", 0, top + 13, "strong", name))
        marks.append(Mark("text", NARROW, top + 13, "quiet end", note))
        if estimate.interval is not None:
            low, high = (axis.place(value, start, end) for value in estimate.interval)
            marks.append(Mark("line", low, top + 9, "whisker ink", "", high, top + 9))
        if estimate.beside is not None:
            x = axis.place(estimate.beside, start, end)
            marks.append(Mark("ring", x, top + 9, "ring quietly"))
        if estimate.value is not None:
            marks.append(Mark("dot", axis.place(estimate.value, start, end), top + 9, "ink"))
    marks += axis.foot(bottom, start, end)
    marks.append(Mark("text", (start + end) / 2, bottom + 15 + TITLE, "quiet middle", NET))
    return Drawing(NARROW, bottom + FOOT + TITLE, marks)


def curve(estimates: Sequence[tuple[float, Estimate]], x: Axis, y: Axis) -> Drawing:
    """Return net stances at places across; lines join those that are one apart."""
    bottom = TITLE + HEIGHT - FOOT

    def over(across: float) -> float:
        return x.place(across, LEFT + 16, RIGHT)

    def up(value: float) -> float:
        return y.place(value, bottom, TITLE + 8.0)

    def line(a: tuple[float, float], b: tuple[float, float], look: str) -> Mark:
        return Mark("line", over(a[0]), up(a[1]), look, "", over(b[0]), up(b[1]))

    marks = [Mark("text", 0, 11, "quiet", NET)]
    for tick, text in y.ticks:
        marks.append(Mark("line", LEFT, up(tick), "grid" if tick else "axis", "", NARROW, up(tick)))
        marks.append(Mark("text", LEFT - 4, up(tick) + 4, "quiet end", text))
    known = [(across, mark.value) for across, mark in estimates if mark.value is not None]
    marks += (line(a, b, "line favor") for a, b in pairwise(known) if b[0] - a[0] == 1)
    for across, mark in estimates:
        if mark.interval is not None:
            low, high = mark.interval
            marks.append(line((across, low), (across, high), "whisker favor"))
        if mark.beside is not None:
            marks.append(Mark("ring", over(across), up(mark.beside), "ring quietly"))
        if mark.value is not None:
            marks.append(Mark("dot", over(across), up(mark.value), "favor"))
    marks += x.foot(bottom, LEFT + 16, RIGHT, "end")
    return Drawing(NARROW, bottom + FOOT, marks)


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """Two lines of text, a shade or "", and the place of the page that says more or ""."""

    text: str
    below: str
    shade: str = ""
    place: str = ""


def heat(
    heads: Sequence[str], rows: Sequence[tuple[str, Sequence[MatrixCell]]], corner: str = ""
) -> Drawing:
    """Return a matrix; ``corner`` says what its rows and columns are."""
    width = max(NARROW, NAMES + CELL * len(heads))
    step, marks = (width - NAMES) / max(1, len(heads)), list[Mark]()
    letters = int(step / LETTER)
    for down, line in enumerate(wrap(corner, 16)):
        marks.append(Mark("text", 0, HEAD - 22 + 14 * down, "quiet", line))
    for number, head in enumerate(heads):
        middle = NAMES + step * (number + 0.5)
        lines = wrap(head, letters, break_long_words=False)[:2]
        for up, line in enumerate(reversed(lines)):
            text = cut(line, letters)
            marks.append(Mark("text", middle, HEAD - 8 - 14 * up, "quiet middle", text))
    for place, (row, cells) in enumerate(rows):
        top = HEAD + 36 * place
        marks.append(Mark("text", 0, top + 22, "strong", cut(row, NAME)))
        for number, cell in enumerate(cells):
            left, ink = NAMES + step * number, "middle"
            if cell.shade:
                look, right = f"segment {cell.shade}", left + step - 2
                marks.append(Mark("box", left, top, look, "", right, top + 34, cell.place))
                ink = f"middle on-{cell.shade}"
            quiet = ink if cell.shade else "quiet middle"
            middle = left + step / 2
            marks.append(Mark("text", middle, top + 15, ink, cell.text, link=cell.place))
            marks.append(Mark("text", middle, top + 29, quiet, cell.below, link=cell.place))
    return Drawing(width, HEAD + 36.0 * len(rows), marks)
