"""Scales of charts, with their ticks at round numbers."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor

from stance.reports.tables import signed


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale and its ticks with their labels.

    Attributes
    ----------
    low, high : float
    ticks : tuple of (float, str)
    zero : float or None
        Where a stronger line stands.
    """

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    zero: float | None = None

    def place(self, value: float, start: float = 3, end: float = 97) -> float:
        """Return where a value stands between two places; beyond the scale, at its end."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return start + (end - start) * share


ENDS = {0.2: 4, 0.4: 4, 0.6: 3, 1.0: 4}
"""Where scales may end, and into how many steps a scale of shares is cut."""


def _end(value: float) -> float:
    return next((end for end in ENDS if value <= end), 1.0)


def share_axis(highest: float = 1.0) -> Axis:
    """Return a scale of shares from 0, as short as the highest of them allows."""
    end = _end(highest)
    steps = ENDS[end]
    ticks = tuple((end * (step / steps), f"{100 * end * step / steps:.0f}")
                  for step in range(steps))  # fmt: skip
    return Axis(0, end, (*ticks, (end, f"{100 * end:.0f} %")))


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


def net_axis(nets: Iterable[float] = (1.0,), steps: int = 4) -> Axis:
    """Return a scale of net stances around zero, as short as the widest of them allows.

    >>> [text for _, text in net_axis([-0.3, 0.1]).ticks]
    ['−40', '−20', '0', '+20', '+40']
    """
    end = _end(max(map(abs, nets), default=1.0))
    ticks = (end * (2 * step / steps - 1) for step in range(steps + 1))
    return Axis(-end, end, tuple((at, signed(100 * at)) for at in ticks), 0)


SHARES = share_axis()
"""From 0 to 100 percent."""


def anchor(axis: Axis, at: float) -> str:
    """Return the class of a tick's label, so that it stays inside."""
    if at == axis.high:
        return "end"
    return "" if at == axis.low else "middle"
