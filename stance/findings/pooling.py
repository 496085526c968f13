"""Partial pooling: groups that lend each other strength."""

from dataclasses import dataclass, replace

import numpy as np

from stance.arrays import Bools, Floats, Ints
from stance.evaluation.intervals import Shares, Z, estimate_shares, holm

FEWEST_POOLED = 10  # answers below which a cell lends no strength
LEVEL = 0.05  # of a test that groups differ, over all actors of a map


@dataclass(frozen=True, slots=True)
class Pooled:
    """Net stances of groups toward one actor, drawn toward their mean as far as chance explains."""

    mean: float
    net: Floats  # of each group, pooled; NaN where it has too few answers
    low: Floats
    high: Floats
    p: float  # of a difference as large as this where the groups are alike
    apart: Bools  # groups whose interval excludes the mean


def pool_groups(counts: Ints) -> Pooled | None:
    """Pool the net stances of groups, each counted by document and label; None of fewer than two.

    A group's own net stance weighs as much as its share of the variance is real: empirical Bayes
    with the variance between groups by Paule and Mandel (1982, "Consensus Values and Weighting
    Factors"), that within by documents, with Morris' intervals (1983, "Parametric Empirical Bayes
    Inference"). ``p`` is Cochran's (1954, "The Combination of Estimates
    from Different Experiments").
    """
    from scipy.special import chdtrc

    kept = counts.sum(axis=(1, 2)) >= FEWEST_POOLED
    if kept.sum() < 2:
        return None
    own = list(map(estimate_shares, counts[kept]))
    whole = counts[kept].sum(axis=(0, 1)) / counts[kept].sum()
    plain = whole[0] + whole[-1] - (whole[-1] - whole[0]) ** 2
    net = np.array([shares.net for shares in own])
    variance = np.array([_variance(shares, plain) for shares in own])
    tau = _between(net, variance)
    weight = 1 / (variance + tau)
    mean = float(weight @ net / weight.sum())
    real = tau * weight
    pooled = mean + real * (net - mean)
    # The last term allows for the spread between groups being estimated, too (Morris 1983).
    doubt = 2 * (1 - real) ** 2 / max(1, len(net) - 3) * (net - mean) ** 2
    spread = Z * np.sqrt(real * variance + (1 - real) ** 2 / weight.sum() + doubt)
    fixed = 1 / variance
    q = float(fixed @ (net - fixed @ net / fixed.sum()) ** 2)
    found = [np.full(len(counts), np.nan) for _ in range(3)]
    for each, values in zip(found, (pooled, pooled - spread, pooled + spread), strict=True):
        each[kept] = values
    apart = (found[1] > mean) | (found[2] < mean)
    return Pooled(mean, found[0], found[1], found[2], float(chdtrc(len(net) - 1, q)), apart)


def pool_map(counts: Ints) -> list[Pooled | None]:
    """Pool the groups of each actor, counted by actor, group, document and label.

    Groups are ``apart`` only where the actor's groups differ at all, by Holm's test over all
    actors: with groups assigned at random, at most 5 % of maps have one (``training/pooling.py``).
    """
    found = [pool_groups(each) for each in counts]
    adjusted = iter(holm([each.p for each in found if each]))
    return [each and replace(each, apart=each.apart & (next(adjusted) <= LEVEL)) for each in found]


def _variance(shares: Shares, plain: float) -> float:
    """Return a net stance's variance: its interval's, or what the other groups' answers let expect.

    A group whose few answers are all alike would else seem certain.
    """
    low, high = shares.net_interval
    expected = plain * shares.design_effect / max(1, shares.n)
    return max(((high - low) / (2 * Z)) ** 2, expected, 1e-9)


def _between(net: Floats, variance: Floats) -> float:
    """Return the variance between groups that explains how far they are apart."""
    low, high = 0.0, 4.0
    for _ in range(60):
        tau = (low + high) / 2
        weight = 1 / (variance + tau)
        excess = weight @ (net - weight @ net / weight.sum()) ** 2 - (len(net) - 1)
        low, high = (tau, high) if excess > 0 else (low, tau)
    return low
