"""Charts and their scales: functions from numbers to marks."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor
from typing import Any, Literal

from stance.records import AGAINST, FAVOR
from stance.reports._figures import Mark, Pieces, cut, signed

Tone = Literal["against", "neutral", "favor", "ink", "quietly"]
SIDES: dict[int, tuple[Tone, str]] = {AGAINST: ("against", "diamond"), FAVOR: ("favor", "dot")}
"""Tone and form of the marks of stances that take a side."""

ROW, BAR, LINE = 44, 18, 15  # pixels for a row with its label, a bar, one more line in a row
FOOT = 22  # pixels for the numbers under an axis
HEIGHT = 150  # pixels of a chart among others
PHONE = 40  # characters of a line on a phone
LEAST_LABEL = 0.065  # share from which a segment has room for its number on a phone
PIECE, MANY = 5, 10  # rows that paper keeps together, and beyond which the scale stands above, too
DOTTED = 24  # points of a curve up to which each has a dot
LEFT, RIGHT = 13.0, 97.0  # percents between which a curve runs; tick labels stand to its left
COLUMN, NAMES, HEAD = 58, 150, 44  # pixels of a map's columns, of its names, of its heads
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0)  # between two ticks


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale, its ticks with their labels, and where a stronger line stands."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    zero: float | None = None

    def place(self, value: float, start: float = 3, end: float = 97) -> float:
        """Return where a value stands between two ends."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return start + (end - start) * share

    def anchor(self, at: float) -> str:
        """Return the look of a tick's label, which stays within the chart."""
        return "quiet" + (" end" if at == self.high else "" if at == self.low else " middle")

    def strength(self, at: float) -> str:
        """Return the look of the line at a tick."""
        return "axis" if at == self.zero else "grid"


def _ticks_around(low: float, high: float, most: int) -> list[float]:
    """Return round numbers in equal steps, at most so many, that hold two values between them."""
    for step in STEPS:
        first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
        if max(last, first + 1) - first <= most:
            return [round(step * at, 2) for at in range(first, max(last, first + 1) + 1)]
    raise AssertionError("shares and net stances lie between -1 and 1")


def share_axis(highest: float = 1.0, lowest: float = 0.0) -> Axis:
    """Return a scale of shares that is as short as the lowest and the highest allow.

    >>> [text for _, text in share_axis(0.17).ticks]
    ['0', '5', '10', '15', '20 %']
    """
    ticks = _ticks_around(lowest, highest, 4)
    texts = [f"{100 * at:.0f}{' %' if at == ticks[-1] else ''}" for at in ticks]
    return Axis(ticks[0], ticks[-1], tuple(zip(ticks, texts, strict=True)))


def net_axis(nets: Iterable[float] = (-1.0, 1.0), most: int = 5) -> Axis:
    """Return a scale of net stances that holds zero and is as short as they allow.

    >>> [text for _, text in net_axis([-0.3, 0.1]).ticks]
    ['−30', '−20', '−10', '0', '+10']
    """
    known = [0.0, *nets]
    ticks = _ticks_around(min(known), max(known), most)
    return Axis(ticks[0], ticks[-1], tuple((at, signed(100 * at)) for at in ticks), 0)


SHARES = share_axis()  # from 0 to 100 percent


# --- Rows under each other ---


def _ticks(axis: Axis, y: float, ends: Sequence[float]) -> list[Mark]:
    return [
        Mark("text", axis.place(at, *ends), y, axis.anchor(at), text) for at, text in axis.ticks
    ]


def _row_label(name: str, note: str, top: float, lines: int = 1) -> Iterator[Mark]:
    yield Mark("text", 0, top + 13, "strong", cut(name, PHONE - len(note) * (lines == 1)))
    if note and lines == 1:
        yield Mark("text", 100, top + 13, "quiet end", note)
    elif note:
        yield Mark("text", 0, top + 13 + LINE, "quiet", note)


def _in_pieces(
    rows: Sequence[Any],
    step: float,
    marks_of: Callable[[Any, float], Iterable[Mark]],
    axis: Axis,
    ends: Sequence[float] = (),
    foot: float = 0,
) -> Pieces:
    """Return rows in pieces, with their scale above (of many) and below (with a foot)."""
    pieces = []
    for low in range(0, max(1, len(rows)), PIECE):
        part = rows[low : low + PIECE]
        head = FOOT if not low and len(rows) > MANY else 0
        height, last = head + step * len(part), foot if low + PIECE >= len(rows) else 0
        marks = _ticks(axis, head - 7, ends) if head else []
        marks += _ticks(axis, height + 15, ends) if last else []
        for place, row in enumerate(part):
            marks += marks_of(row, head + place * step)
        pieces.append((height + last, marks))
    return pieces


@dataclass(frozen=True, slots=True)
class Parts:
    """A bar of shares that sum to 1."""

    name: str
    note: str
    shares: Sequence[float]


def stacked(rows: Sequence[Parts], tones: Sequence[str]) -> Pieces:
    """Return a bar for each row, whose parts have these tones."""

    def marks_of(row: Parts, top: float) -> Iterator[Mark]:
        yield from _row_label(row.name, row.note, top)
        start = 0.0
        for share, tone in zip(row.shares, tones, strict=True):
            left, right = 100 * start, 100 * (start + share)
            yield Mark("box", left, top + 20, f"segment {tone}", x2=right, y2=top + 20 + BAR)
            if share >= LEAST_LABEL:
                words = f"{100 * share:.0f}"
                yield Mark("text", (left + right) / 2, top + 33.5, f"middle on-{tone}", words)
            start += share

    return _in_pieces(rows, ROW, marks_of, SHARES, (0, 100))


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
    """A row of estimates under its name and a note."""

    name: str
    note: str
    estimates: tuple[Estimate, ...]


def whiskers(rows: Sequence[Line], axis: Axis = SHARES) -> Pieces:
    """Return estimates with their intervals, which end in an arrow where they leave the scale."""
    most = max((len(row.estimates) for row in rows), default=1)
    lines = 1 + any(len(row.name) + len(row.note) > PHONE for row in rows)

    def marks_of(row: Line, top: float) -> Iterator[Mark]:
        yield from _row_label(row.name, row.note, top, lines)
        start = top + 19 + (lines - 1) * LINE  # below the label
        end = start + 18 + (len(row.estimates) - 1) * LINE
        for at, _ in axis.ticks:
            yield Mark("line", axis.place(at), start, axis.strength(at), "", axis.place(at), end)
        for number, each in enumerate(row.estimates):
            yield from _estimate(each, start + 9 + number * LINE, axis)

    return _in_pieces(rows, ROW + (lines + most - 2) * LINE, marks_of, axis, foot=FOOT)


def _estimate(each: Estimate, y: float, axis: Axis) -> Iterator[Mark]:
    if each.interval is not None:
        low, high = map(axis.place, each.interval)
        yield Mark("line", low, y, f"whisker {each.tone}", "", high, y)
        if each.interval[0] < axis.low:
            yield Mark("left", low, y, each.tone)
        if each.interval[1] > axis.high:
            yield Mark("right", high, y, each.tone)
    if each.beside is not None:
        yield Mark("ring", axis.place(each.beside), y, "ring quietly")
    if each.value is not None:
        yield Mark(each.form, axis.place(each.value), y, each.tone)


# --- Charts of one piece ---


def upright(bars: Sequence[tuple[str, float]]) -> Pieces:
    """Return bars that stand beside each other, each with its share in percent."""
    most = max((share for _, share in bars), default=0) or 1
    bottom, step, marks = HEIGHT - FOOT, 100 / max(1, len(bars)), list[Mark]()
    for place, (words, share) in enumerate(bars):
        top, middle = round(bottom - (bottom - 18) * share / most, 2), (place + 0.5) * step
        left, right = middle - 0.44 * step, middle + 0.44 * step
        marks.append(Mark("box", left, top, "segment quietly", "", right, bottom))
        marks.append(Mark("text", middle, top - 5, "middle", f"{100 * share:.0f}"))
        marks.append(Mark("text", middle, HEIGHT - 5, "quiet middle", words))
    return [(HEIGHT, marks)]


def curve(
    found: Sequence[tuple[float, Estimate]],
    x: Axis,
    y: Axis,
    *,
    height: int = HEIGHT,
    equality: bool = False,
) -> Pieces:
    """Return estimates at places across, joined by lines or beside the line of equality."""
    top, bottom = 8.0, height - FOOT

    def line(*places: float, look: str) -> Mark:
        across, up, across2, up2 = places
        return Mark("line", over(across), at(up), look, "", over(across2), at(up2))

    def over(across: float) -> float:
        return x.place(across, LEFT + 1.5, RIGHT)

    def at(up: float) -> float:
        return round(y.place(up, bottom, top), 2)

    marks = []
    for tick, text in y.ticks:
        marks.append(Mark("line", LEFT, at(tick), y.strength(tick), "", 100, at(tick)))
        marks.append(Mark("text", LEFT - 1, at(tick) + 4, "quiet end", text))
    marks += (Mark("text", over(tick), height - 5, x.anchor(tick), text) for tick, text in x.ticks)
    known = [(across, each.value) for across, each in found if each.value is not None]
    ends = [((x.low, x.low), (x.high, x.high))] if equality else pairwise(known)
    marks += (line(*a, *b, look="axis dashed" if equality else "line favor") for a, b in ends)
    for across, each in found:
        if each.interval is not None:
            low, high = each.interval
            marks.append(line(across, low, across, high, look="whisker favor"))
        if each.beside is not None:
            marks.append(Mark("ring", over(across), at(each.beside), "ring quietly"))
        if each.value is not None and (each.interval or len(found) <= DOTTED):
            marks.append(Mark("dot", over(across), at(each.value), "favor"))
    return [(height, marks)]


def heat(
    heads: Sequence[str], rows: Sequence[tuple[str, Sequence[tuple[str, str, str]]]]
) -> Pieces:
    """Return a map, whose cells are two lines of text and a shade or ""."""
    width, marks = map_width(len(heads)), list[Mark]()

    def across(pixels: float) -> float:
        return 100 * pixels / width

    for number, head in enumerate(heads):
        middle = across(NAMES + COLUMN * (number + 0.5))
        marks.append(Mark("text", middle, HEAD - 8, "quiet middle", cut(head, 9)))
    for place, (name, cells) in enumerate(rows):
        top = HEAD + 36 * place
        marks.append(Mark("text", 0, top + 22, "strong", cut(name, 21)))
        for number, (upper, lower, shade) in enumerate(cells):
            left = NAMES + COLUMN * number
            if shade:
                right = across(left + COLUMN - 2)
                marks.append(
                    Mark("box", across(left), top, f"segment {shade}", "", right, top + 34)
                )
            ink, middle = f"middle on-{shade}" if shade else "", across(left + COLUMN / 2)
            marks.append(Mark("text", middle, top + 15, ink or "middle", upper))
            marks.append(Mark("text", middle, top + 29, ink or "quiet middle", lower))
    return [(HEAD + 36 * len(rows), marks)]


def map_width(columns: int) -> float:
    """Return the pixels that a map of so many columns takes in a file."""
    return NAMES + COLUMN * columns
