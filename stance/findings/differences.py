"""Differences between groups or periods, allowing for how many are looked at."""

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from stance.evaluation.intervals import CONFIDENCE, Interval
from stance.findings.correction import NET, Corrected

PAIRED = 5  # groups of which each is compared with each; of more, each with all others
LEVEL = 0.05  # chance, at most, that a run claims any difference where there is none
LEAST_P = 1e-9  # smaller ones are not told apart
HALVINGS = 16  # in which p is found, to a thousandth of itself
OTHERS = "all others"


@dataclass(frozen=True, slots=True)
class Difference:
    """How the net stances of two parts of an actor's answers differ."""

    actor: str
    of: str  # group or period
    one: str
    other: str
    difference: float  # of the first less the second
    low: float  # its 95 % interval, not adjusted
    high: float
    p: float
    holm: float = 1.0  # p, adjusted for all comparisons of the run

    @property
    def claimed(self) -> bool:
        """Whether the difference is beyond chance, all comparisons considered (Holm)."""
        return self.holm <= LEVEL


def pairs_to_compare(number: int) -> list[tuple[int, int | None]]:
    """Return the numbers of the parts to compare; None for all others.

    >>> pairs_to_compare(3), len(pairs_to_compare(6))
    ([(0, 1), (0, 2), (1, 2)], 6)
    """
    if number <= PAIRED:
        return list(combinations(range(number), 2))
    return [(part, None) for part in range(number)]


def compare(one: Corrected, other: Corrected) -> tuple[float, Interval, float]:
    """Return the difference of two net stances, its 95 % interval, and p where that meets 0.

    The interval joins those of both parts (Zou and Donner 2008, "Construction of Confidence Limits
    about Effect Measures").
    """
    a, b = one.net, other.net
    value = a - b

    def interval(confidence: float) -> Interval:
        (low_a, high_a), (low_b, high_b) = (part.interval(NET, confidence) for part in (one, other))
        return value - math.hypot(a - low_a, high_b - b), value + math.hypot(high_a - a, b - low_b)

    def excluded(p: float) -> bool:
        low, high = interval(1 - p)
        return low > 0 or high < 0

    low, high = np.log(LEAST_P), 0.0  # of log p, between which the interval begins to meet 0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if excluded(float(np.exp(middle))) else (middle, high)
    return value, interval(CONFIDENCE), float(np.exp(high))
