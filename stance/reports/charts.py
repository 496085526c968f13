"""Charts and their scales: functions from numbers to drawings."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor
from textwrap import wrap

from stance.reports.figures import NARROW, Drawing, Mark, cut, signed, widths

NAME, BOLD, NOTE = 18, 8.0, 7.2  # letters of a name beside a scale; pixels of one, of a note's
ROW = 19  # pixels for a row
FOOT, TITLE = 22, 16  # pixels for the numbers under an axis, and for its title
HEIGHT = 150  # pixels of a curve
LEFT, RIGHT = 52.0, 388.0  # pixels between which a curve runs; tick labels stand to its left
NAMES, CELL, HEADS = 150, 66, 3  # pixels of a matrix's names, of a column; lines of its heads
NET = "net stance: % in favor less % against, in points"
MOST = 5  # steps between the ticks of a scale
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0)  # between two ticks
APART = 34  # pixels between two ticks that both have room for a label


@dataclass(frozen=True, slots=True)
class Axis:
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


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval; without a value, only what stands beside it is drawn."""

    value: float | None
    interval: Sequence[float] = ()
    beside: float | None = None  # another estimate of the same, without an interval

    @property
    def ends(self) -> list[float]:
        """All that a scale must hold."""
        return [end for end in (self.value, self.beside, *self.interval) if end is not None]


def whiskers(rows: Sequence[tuple[str, str, Estimate]], axis: Axis) -> Drawing:
    """Return estimates with intervals under each other, between their names and notes."""
    names = [cut(name, NAME) for name, _, _ in rows]
    start = 12 + BOLD * max(sum(widths(name)) for name in names)
    end = NARROW - 12 - NOTE * max(len(note) for _, note, _ in rows)
    marks, bottom = list[Mark](), float(ROW * len(rows))
    is_narrow = (end - start) / (len(axis.ticks) - 1) < APART
    zero = next(number for number, (tick, _) in enumerate(axis.ticks) if not tick)
    for number, (tick, text) in enumerate(axis.ticks):
        x = axis.place(tick, start, end)
        marks.append(Mark("line", x, 0, "grid" if tick else "axis", "", x, bottom))
        if not is_narrow or (number - zero) % 2 == 0:
            marks.append(Mark("text", x, bottom + 15, "quiet middle", text))
    for number, (name, (_, note, estimate)) in enumerate(zip(names, rows, strict=True)):
        top = ROW * number
        marks.append(Mark("text", 0, top + 13, "strong", name))
        marks.append(Mark("text", NARROW, top + 13, "quiet end", note))
        if estimate.interval:
            low, high = (axis.place(value, start, end) for value in estimate.interval)
            marks.append(Mark("line", low, top + 9, "whisker ink", "", high, top + 9))
        if estimate.beside is not None:
            x = axis.place(estimate.beside, start, end)
            marks.append(Mark("ring", x, top + 9, "ring quietly"))
        if estimate.value is not None:
            marks.append(Mark("dot", axis.place(estimate.value, start, end), top + 9, "ink"))
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
        if mark.interval:
            low, high = mark.interval
            marks.append(line((across, low), (across, high), "whisker favor"))
        if mark.beside is not None:
            marks.append(Mark("ring", over(across), up(mark.beside), "ring quietly"))
        if mark.value is not None:
            marks.append(Mark("dot", over(across), up(mark.value), "favor"))
    for tick, text in x.ticks:
        look = "quiet end" if tick == x.high else "quiet middle"
        marks.append(Mark("text", over(tick), bottom + 15, look, text))
    return Drawing(NARROW, bottom + FOOT, marks)


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """Two lines of text, a shade or "", and the place of the page that says more or ""."""

    text: str
    below: str
    shade: str = ""
    place: str = ""


def matrix(
    rows: Sequence[str],
    heads: Sequence[str],
    cells: Mapping[tuple[str, str], MatrixCell],
    corner: str = "",
) -> Drawing:
    """Return a matrix of the cells that are known; ``corner`` says what rows and columns are."""
    width = max(NARROW, NAMES + CELL * len(heads))
    step = (width - NAMES) / len(heads)
    lines = [list(head_lines(head, int(step / BOLD))) for head in heads]
    height = 14 * max(map(len, lines)) + 12
    marks = [
        Mark("text", NAMES + step * (number + 0.5), height - 8 - 14 * up, "quiet middle", line)
        for number, head in enumerate(lines)
        for up, line in enumerate(reversed(head))
    ]
    marks.append(Mark("text", 0, height - 8, "quiet", corner))
    for number, row in enumerate(rows):
        top = height + 36 * number
        marks.append(Mark("text", 0, top + 22, "strong", cut(row, NAME)))
        for left, cell in ((NAMES + step * n, cells.get((row, h))) for n, h in enumerate(heads)):
            if cell:
                marks += _cell_marks(cell, left, top, step)
    return Drawing(width, height + 36.0 * len(rows), marks)


def head_lines(name: str, letters: int) -> list[str]:
    """Return a name as it stands over a column of so many letters.

    >>> head_lines("Frankfurter Allgemeine Zeitung", 8)
    ['Frankfu…', 'Allgeme…', 'Zeitung']
    """
    lines = wrap(name, letters, break_long_words=False, max_lines=HEADS, placeholder=" …")
    return [cut(line, letters) for line in lines or [""]]


def _cell_marks(cell: MatrixCell, left: float, top: float, width: float) -> Iterator[Mark]:
    middle, looks = left + width / 2, ("middle", "quiet middle")
    if cell.shade:
        looks = (f"middle on-{cell.shade}",) * 2
        right = left + width - 2
        yield Mark("box", left, top, f"segment {cell.shade}", "", right, top + 34, cell.place)
    for text, look, y in zip((cell.text, cell.below), looks, (top + 15, top + 29), strict=True):
        yield Mark("text", middle, y, look, text, link=cell.place)
