"""Differences between groups or periods, allowing for how many are looked at."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from stance.arrays import Ints
from stance.evaluation.intervals import CONFIDENCE, Interval, Z, estimate_shares, holm
from stance.findings.correction import Corrected

PAIRED = 5  # groups of which each is compared with each; of more, each with all others
LEVEL = 0.05  # chance, at most, that a run claims any difference where there is none
POWER_QUANTILE = 0.8416212335729143  # of the normal distribution, for a power of 80 %
LEAST_P = 1e-9  # smaller ones are not told apart
HALVINGS = 16  # in which p is found, to a thousandth of itself
OTHERS = "all others"
FEWEST_ANSWERS = 10  # of a group that is compared with the others as counted


@dataclass(frozen=True, slots=True)
class Difference:
    """How the shares, or net stances, of two parts of an actor's answers differ."""

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


def compare(one: Corrected, other: Corrected, quantity: int) -> tuple[float, Interval, float]:
    """Return a difference of two parts, its 95 % interval, and p where the interval meets 0.

    The interval joins those of both parts (Zou and Donner 2008, "Construction of Confidence Limits
    about Effect Measures").
    """
    a, b = one.value(quantity), other.value(quantity)
    value = a - b

    def interval(confidence: float) -> Interval:
        (low_a, high_a), (low_b, high_b) = (
            part.interval(quantity, confidence) for part in (one, other)
        )
        return value - math.hypot(a - low_a, high_b - b), value + math.hypot(high_a - a, b - low_b)

    def excluded(p: float) -> bool:
        low, high = interval(1 - p)
        return low > 0 or high < 0

    low, high = np.log(LEAST_P), 0.0  # of log p, between which the interval begins to meet 0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if excluded(float(np.exp(middle))) else (middle, high)
    return value, interval(CONFIDENCE), float(np.exp(high))


def detectable(differences: Sequence[Difference]) -> float | None:
    """Return the difference that half the comparisons would have found with a power of 80 %.

    It is that of Holm's first step, of a normal distribution; None without a comparison.
    """
    from scipy.special import ndtri

    if not differences:
        return None
    errors = np.array([(difference.high - difference.low) / (2 * Z) for difference in differences])
    return float(np.median(errors)) * float(
        ndtri(1 - LEVEL / (2 * len(differences))) + POWER_QUANTILE
    )


def groups_apart(counts: Ints) -> Ints:
    """Return whose counted net stance is beyond chance below (-1) or above (1) the other groups'.

    Counts are by actor, group, document and label, the signs by actor and group. Each group is
    compared with the actor's other groups; Holm's test over all of them lets at most `LEVEL` of
    tables without a difference show one.
    """
    from scipy.special import ndtr

    signs = np.zeros(counts.shape[:2], np.int64)
    p_values = np.ones(counts.shape[:2])
    for actor, group in np.ndindex(signs.shape):
        parts = counts[actor, group], counts[actor].sum(axis=0) - counts[actor, group]
        one, rest = map(estimate_shares, parts)
        if min(one.n, rest.n) < FEWEST_ANSWERS:
            continue
        below, above = (one, rest) if one.net < rest.net else (rest, one)
        reach = math.hypot(below.net_interval[1] - below.net, above.net - above.net_interval[0])
        signs[actor, group] = np.sign(one.net - rest.net)
        p_values[actor, group] = 2 * ndtr(-Z * (above.net - below.net) / max(reach, 1e-9))
    tested = p_values < 1
    p_values[tested] = holm(p_values[tested])
    return np.where(p_values <= LEVEL, signs, 0)
