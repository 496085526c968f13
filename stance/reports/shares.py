"""Shares of answers with intervals that allow for answers of one document being alike."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from stance.arrays import Floats, Ints
from stance.records import AGAINST, FAVOR

Z = 1.959963984540054
"""Quantile of the normal distribution for 95 percent."""

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Shares:
    """How some answers divide.

    Attributes
    ----------
    n : int
        Answers.
    clusters : int
        Documents that they stand in; of many, some may count as one (`stance.reports.tally`).
    shares : tuple of float
        In the order of `stance.records.Stance`; zeros where there is no answer.
    intervals : tuple of (float, float)
        95 percent.
    net : float
        Share in favor less share against, between -1 and 1.
    net_interval : (float, float)
    deff : float
        Design effect of the net stance: how many answers tell as much as one independent answer.
    """

    n: int
    clusters: int
    shares: tuple[float, float, float]
    intervals: tuple[Interval, Interval, Interval]
    net: float
    net_interval: Interval
    deff: float


def estimate(counts: Ints, *, independent: bool = False) -> Shares:
    """Return the shares of counted answers.

    The variance of each share is that of a ratio over clusters; divided by the variance that
    independent answers would have it is the design effect, and the number of answers divided by
    it, corrected for few clusters by the quantile of Student's t, is the effective number that
    Wilson's interval is given (Wilson 1927, "Probable Inference, the Law of Succession, and
    Statistical Inference"; Korn and Graubard 1998, "Confidence Intervals for Proportions with
    Small Expected Number of Positive Counts Estimated from Survey Data"). A design effect below 1
    counts as 1. The interval of the net stance joins those of its two shares (Zou and Donner
    2008, "Construction of Confidence Limits about Effect Measures", with the correlation of two
    multinomial shares).

    Parameters
    ----------
    counts : ndarray of shape (n_clusters, 3)
        Answers of each document against, neutral, in favor.
    independent : bool
        Take every answer for independent of the others, so that Wilson's interval is plain.
    """
    totals = counts.sum(axis=0)
    n, used = int(totals.sum()), counts[counts.sum(axis=1) > 0].astype(np.float64)
    if not n:
        whole = (0.0, 1.0)
        return Shares(0, 0, (0.0, 0.0, 0.0), (whole, whole, whole), 0.0, (-1.0, 1.0), 1.0)
    shares = totals / n
    net = shares[FAVOR] - shares[AGAINST]
    size = used.sum(axis=1)
    effects = [1.0] * 4
    if not independent:
        scores = [*used.T, used[:, FAVOR] - used[:, AGAINST]]
        plain = [*(shares * (1 - shares)), shares[FAVOR] + shares[AGAINST] - net**2]
        effects = [
            _design_effect(score, size, variance)
            for score, variance in zip(scores, plain, strict=True)
        ]
    few = 1.0 if independent else _few_clusters(len(used))
    intervals = [
        wilson(float(share), n * few / effect)
        for share, effect in zip(shares, effects[:3], strict=True)
    ]
    loose = [wilson(float(shares[k]), n * few / effects[3]) for k in (AGAINST, FAVOR)]
    return Shares(
        n,
        len(used),
        (float(shares[0]), float(shares[1]), float(shares[2])),
        (intervals[0], intervals[1], intervals[2]),
        float(net),
        _difference(float(shares[FAVOR]), loose[1], float(shares[AGAINST]), loose[0])
        if few
        else (-1.0, 1.0),
        effects[3],
    )


def _design_effect(score: Floats, size: Floats, plain: float) -> float:
    """Return the variance of a mean over clusters, divided by that of independent answers.

    Where all answers are equal nothing shows how alike clusters are, so that each counts as one
    answer.
    """
    n, clusters = float(size.sum()), len(size)
    if clusters < 2 or plain <= 0:
        return n / clusters
    residual = score - score.sum() / n * size
    variance = clusters / (clusters - 1) * float(residual @ residual) / n**2
    return max(1.0, variance / (plain / n))


def _few_clusters(clusters: int) -> float:
    """Return the squared ratio of the normal quantile to Student's for so many clusters."""
    from scipy.special import stdtrit

    if clusters < 2:
        return 0.0
    return float((Z / stdtrit(clusters - 1, 0.975)) ** 2)


def wilson(share: float, n: float) -> Interval:
    """Return the 95 percent interval of a share (Wilson 1927); all from 0 to 1 where n is 0.

    >>> tuple(round(bound, 3) for bound in wilson(0.1, 50))
    (0.043, 0.214)
    """
    if n <= 0:
        return 0.0, 1.0
    middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    reach = Z / (1 + Z**2 / n) * sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def _difference(a: float, bounds_a: Interval, b: float, bounds_b: Interval) -> Interval:
    """Return the interval of a - b, two shares of one whole."""
    spread = sqrt(a * (1 - a) * b * (1 - b))
    correlation = -a * b / spread if spread else 0.0
    low = _reach(a - bounds_a[0], bounds_b[1] - b, correlation)
    high = _reach(bounds_a[1] - a, b - bounds_b[0], correlation)
    return max(-1.0, a - b - low), min(1.0, a - b + high)


def _reach(one: float, other: float, correlation: float) -> float:
    return sqrt(max(0.0, one**2 + other**2 - 2 * correlation * one * other))
