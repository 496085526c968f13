"""Scales with ticks at round numbers, as short as what they show allows."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor

from stance.reports._page import signed


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale, its ticks with their labels, and where a stronger line stands."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    zero: float | None = None

    def place(self, value: float, start: float = 3, end: float = 97) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return start + (end - start) * share

    def anchor(self, at: float) -> str:
        return "end" if at == self.high else "" if at == self.low else "middle"

    def strength(self, at: float) -> str:
        return "axis" if at == self.zero else "grid"


STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0)  # between two ticks


def _ticks_around(low: float, high: float, most: int) -> list[float]:
    """Return round numbers in equal steps, at most so many, that hold two values between them."""
    for step in STEPS:
        first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
        if max(last, first + 1) - first <= most:
            return [round(step * at, 2) for at in range(first, max(last, first + 1) + 1)]
    raise AssertionError("shares and net stances lie between -1 and 1")


def share_axis(highest: float = 1.0) -> Axis:
    """Return a scale of shares from zero, as short as the highest of them allows.

    >>> [text for _, text in share_axis(0.17).ticks]
    ['0', '5', '10', '15', '20 %']
    """
    ticks = _ticks_around(0, highest, 4)
    texts = [f"{100 * at:.0f}" for at in ticks[:-1]]
    return Axis(0, ticks[-1], tuple(zip(ticks, [*texts, f"{100 * ticks[-1]:.0f} %"], strict=True)))


def score_axis(scores: Iterable[float]) -> Axis:
    """Return a scale between two tens that holds some shares and is at least 20 points long.

    >>> [text for _, text in score_axis([0.53, 0.62]).ticks]
    ['50', '60', '70 %']
    """
    known = list(scores)
    low = min(8, floor(10 * min(known)))
    high = max(low + 2, ceil(10 * max(known)))
    tens = range(high, low - 1, -1 if high - low <= 5 else -2)
    ticks = tuple((ten / 10, f"{10 * ten}{' %' if ten == high else ''}") for ten in tens)
    return Axis(low / 10, high / 10, ticks[::-1])


def net_axis(nets: Iterable[float] = (-1.0, 1.0), most: int = 5) -> Axis:
    """Return a scale of net stances that holds zero and is as short as they allow.

    >>> [text for _, text in net_axis([-0.3, 0.1]).ticks]
    ['−30', '−20', '−10', '0', '+10']
    """
    known = [0.0, *nets]
    ticks = _ticks_around(min(known), max(known), most)
    return Axis(ticks[0], ticks[-1], tuple((at, signed(100 * at)) for at in ticks), 0)


SHARES = share_axis()  # from 0 to 100 percent
