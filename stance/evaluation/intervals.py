"""Confidence intervals that allow for the rows of a document being alike."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stance.arrays import Bools, Floats, Ints
from stance.reading.keys import join_keys, key_of

BOUNDS = (0.025, 0.975)  # quantiles that bound a 95 % interval
DRAWS, SEED = 1000, 20  # resamples that an interval rests on and where their random numbers start
MANY, ALIKE = 10_000, 20
"""Documents from which those with the same counts are drawn together, if they are so many each."""
CELLS = 2_000_000  # document counts held in memory at once, about 50 MB of working space
FEWEST = 5  # documents below which a score has no interval, and a label of fewer none to be trusted
TRUSTED = 20  # documents from which an interval can be trusted
Z = 1.959963984540054  # quantile of the normal distribution that bounds a 95 % interval
CONFIDENCE = 0.95  # with which an interval holds the truth
ENDLESS = 1e12  # degrees of freedom at which Student's t is the normal distribution
EQUAL = 12  # decimals in which equal scores agree, in whatever order they were summed up

Interval = tuple[float, float]
Statistic = Callable[[Floats], Floats]  # from summed counts (..., *cells) to scores (...)


def resample(
    counts: Floats, draws: int = DRAWS, seed: int = SEED, strata: Ints | None = None
) -> Floats:
    """Draw documents with replacement and add up their counts, of shape (draws, ...).

    A cluster bootstrap (Field and Welsh 2007, "Bootstrapping clustered data"). Of the n documents
    of a stratum n - 1 are drawn and weigh n / (n - 1) each, for with n the scores would vary too
    little (Rao and Wu 1988, "Resampling Inference with Complex Survey Data"). Of many documents,
    those with the same counts are drawn by their number, which has the same distribution.
    """
    flat = counts.reshape(len(counts), -1)
    total = np.zeros((draws, flat.shape[1]))
    rng = np.random.Generator(np.random.PCG64(seed))
    for rows in _strata(len(counts), strata):
        total += _resample_stratum(flat[rows], draws, rng)
    return total.reshape(draws, *counts.shape[1:])


def _strata(documents: int, strata: Ints | None) -> list[Ints]:
    if strata is None:
        return [np.arange(documents)]
    return [np.flatnonzero(strata == number) for number in np.unique(strata)]


def _resample_stratum(flat: Floats, draws: int, rng: np.random.Generator) -> Floats:
    documents = len(flat)
    if documents == 1:
        return np.repeat(flat, draws, axis=0)
    share, total = documents / (documents - 1), np.empty((draws, flat.shape[1]))
    if documents >= MANY and flat.shape[1]:
        first, times = _alike(flat)
        if len(first) <= documents / ALIKE:
            step, kept = max(1, CELLS // len(first)), flat[first]
            for low in range(0, draws, step):
                size = min(step, draws - low)
                drawn = rng.multinomial(documents - 1, times / documents, size=size)
                total[low : low + size] = drawn.astype(np.float64) @ kept
            return total * share
    step = max(1, CELLS // documents)
    for low in range(0, draws, step):
        size = min(step, draws - low)
        drawn = rng.integers(documents, size=(size, documents - 1))
        drawn += np.arange(size)[:, None] * documents
        times = np.bincount(drawn.reshape(-1), minlength=size * documents)
        total[low : low + size] = times.reshape(size, documents).astype(np.float64) @ flat
    return total * share


def _alike(flat: Floats) -> tuple[Ints, Ints]:
    """Return one of the rows that are the same, and how often each such row occurs."""
    bits = (np.ascontiguousarray(flat.T, np.float64) + 0.0).view(np.uint64)
    keys = join_keys(key_of("counts"), *bits)
    _, first, times = np.unique(keys, return_index=True, return_counts=True)
    return first, times


def gain_in(score: Statistic) -> Statistic:
    """Return the statistic of counts (..., 2, *cells): first score less the second."""
    return lambda pair: -np.diff(score(pair))[..., 0]


def interval(
    statistic: Statistic,
    counts: Floats,
    *,
    draws: int = DRAWS,
    seed: int = SEED,
    strata: Ints | None = None,
    least: float = 0.0,
) -> tuple[Floats, Floats]:
    """Return the bounds of the 95 % interval of a score: BCa, with quantiles of Student's t.

    BCa corrects the bias and skew of macro-F1 where documents are few or a label is rare (Efron
    1987, "Better Bootstrap Confidence Intervals"; in strata: Davison and Hinkley 1997, "Bootstrap
    Methods and their Application", section 5.3.2); t allows for the spread being an estimate
    (Hesterberg 2015, "What Teachers Should Know About the Bootstrap", section 5.3). Its degrees of
    freedom are Satterthwaite's (1946), 2 E(v)**2 / Var(v) of the estimated variance v, with Var(v)
    from the fourth moments of the documents' influence (Cramér 1946, section 27.4). The interval of
    one document is all from ``least`` to 1.

    >>> right = np.repeat([[1.0, 0.0], [0.0, 1.0]], [70, 30], axis=0)  # of 100 documents
    >>> low, high = interval(lambda total: total[..., 0] / total.sum(axis=-1), right)
    >>> float(low.round(2)), float(high.round(2))
    (0.61, 0.79)
    """
    from scipy.special import ndtr, ndtri, stdtrit

    score = statistic(counts.sum(axis=0)).round(EQUAL)
    if len(counts) < 2:
        return np.full_like(score, least), np.ones_like(score)
    drawn = statistic(resample(counts, draws, seed, strata)).round(EQUAL)
    influence, freedom = _influence(statistic, counts, strata)
    cubes, squares = (influence**3).sum(axis=0), (influence**2).sum(axis=0)
    skew = np.divide(cubes, 6 * squares**1.5, out=np.zeros_like(cubes), where=squares > 0)
    below = ((drawn < score).mean(axis=0) + (drawn <= score).mean(axis=0)) / 2
    middle = ndtri(np.clip(below, 0.5 / len(drawn), 1 - 0.5 / len(drawn)))
    ordered, ends = np.sort(drawn, axis=0), []
    for bound in BOUNDS:
        shifted = middle + stdtrit(freedom, bound)
        # Where skew * shifted reaches 1 the bound has passed every resample.
        level = ndtr(middle + shifted / np.maximum(1 - skew * shifted, 1e-9))
        ends.append(_quantile(ordered, level))
    return ends[0], ends[1]


def _influence(statistic: Statistic, counts: Floats, strata: Ints | None) -> tuple[Floats, Floats]:
    """Return each document's influence by the jackknife, and the spread's degrees of freedom."""
    whole = counts.sum(axis=0)
    influence = np.zeros((len(counts), *np.shape(statistic(whole))))
    spread, doubt = np.zeros_like(influence[0]), np.zeros_like(influence[0])
    for rows in _strata(len(counts), strata):
        size = len(rows)
        if size < 2:
            continue
        own = counts[rows]
        without = statistic(whole + (own.mean(axis=0) - own) * (size / (size - 1)))
        influence[rows] = (without.mean(axis=0) - without) * ((size - 1) / size)
        own_spread, own_doubt = _spread(influence[rows])
        spread += own_spread
        doubt += own_doubt
    most = np.full_like(spread, max(1, len(counts) - 1))
    freedom = np.divide(2 * spread**2, doubt, out=most, where=doubt > 0)
    return influence, np.maximum(freedom, 1.0)


def _spread(influence: Floats) -> tuple[Floats, Floats]:
    """Return the variance of a score by documents' influences, and the variance of that."""
    size = len(influence)
    scale = size / (size - 1)
    squares = (influence**2).sum(axis=0)
    fourths = (influence**4).sum(axis=0) - squares**2 / size
    return squares * scale, np.maximum(2 * squares**2 / (size - 1), fourths) * scale**2


def _quantile(ordered: Floats, level: Floats) -> Floats:
    place = level * (len(ordered) - 1)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, len(ordered) - 1)
    low = np.take_along_axis(ordered, below[None], axis=0)[0]
    high = np.take_along_axis(ordered, above[None], axis=0)[0]
    found: Floats = low + (place - below) * (high - low)
    return found


@dataclass(frozen=True, slots=True)
class Shares:
    """How some answers divide among classes, with 95 % intervals."""

    n: int  # answers
    documents: int  # that hold an answer
    effective: float  # documents of equal length that would tell as much (Kish 1965)
    shares: tuple[float, ...]  # of each class
    intervals: tuple[Interval, ...]
    net: float  # share of the last class less that of the first, between -1 and 1
    net_interval: Interval
    design_effect: float  # answers that tell as much about the net as one independent answer

    @property
    def trusted(self) -> bool:
        """Whether the documents are enough; else the intervals are mostly too wide."""
        return self.effective >= TRUSTED


def estimate_shares(counts: Ints, *, independent: bool = False) -> Shares:
    """Return the shares of answers, counted by document (row) and class (two or more).

    Each interval is `wilson`'s for as many independent answers as would tell as much as these, with
    a quantile of Student's t (Korn and Graubard 1998, "Confidence Intervals for Proportions with
    Small Expected Number of Positive Counts Estimated from Survey Data"). That of the net is
    `net_interval`'s. ``training/coverage.py`` simulates how often they hold the truth.
    ``independent`` takes every answer for independent of the others.

    >>> found = estimate_shares(np.array([[3, 1], [0, 2], [5, 1], [0, 2], [2, 2], [1, 1]]))
    >>> found.shares, [round(bound, 3) for bound in found.intervals[0]], found.trusted
    ((0.55, 0.45), [0.21, 0.849], False)
    """
    used = counts[counts.sum(axis=1) > 0].astype(np.float64)
    size, totals, classes = used.sum(axis=1), used.sum(axis=0), used.shape[1]
    n, documents = int(size.sum()), len(used)
    shares = tuple((totals / max(n, 1)).tolist())
    net = shares[-1] - shares[0]
    effective = n**2 / float((size**2).sum()) if n else 0.0
    if independent and n:
        known, effective = [(float(n), math.inf)] * (classes + 1), float(n)
    elif documents < 2:
        none = ((0.0, 1.0),) * classes
        return Shares(n, documents, effective, shares, none, net, (-1.0, 1.0), max(1.0, n))
    else:
        known = [
            _information(hits, hits, size, min(total, n - total))
            for hits, total in zip(used.T, totals, strict=True)
        ]
        against, favor = used[:, 0], used[:, -1]
        few = n - totals.max()
        known.append(_information(favor - against, favor + against, size, few))
    intervals = tuple(wilson(share, *each) for share, each in zip(shares, known, strict=False))
    net_bounds = net_interval(shares[0], shares[-1], *known[-1])
    effect = n / known[-1][0]
    return Shares(n, documents, effective, shares, intervals, net, net_bounds, effect)


def _information(score: Floats, squares: Floats, size: Floats, few: float) -> tuple[float, float]:
    """Return as how many independent answers those of some documents count, and Student's freedom.

    The variance is the larger of two estimates: one from the documents' residuals, made unbiased
    (Bell and McCaffrey 2002, "Bias Reduction in Standard Errors for Linear Regression with
    Multi-Stage Samples"), one that takes the likeness of answers for equal in all documents. The
    freedom is the geometric mean of theirs and of Kish's documents less one. ``score``, ``squares``
    and ``size`` are sums per document; ``few`` answers are not of the most frequent class.
    """
    n, weight = size.sum(), size / size.sum()
    alike = 1 / (weight**2).sum()  # documents of equal length that would tell as much
    mean = score.sum() / n
    plain = squares.sum() / n - mean**2
    if plain <= 1e-12:  # nothing shows how alike documents are, so each counts as one answer
        return float(alike), max(1.0, float(alike) - 1)
    likeness = _likeness(score, squares, size)
    likeness += (1 - likeness) / (1 + 2 * few)  # few answers say little of it
    spread = size * (1 - likeness) + size**2 * likeness
    whole = spread.sum()
    left = spread * (1 - weight) ** 2 + weight**2 * (whole - spread)  # of residuals
    factor = spread / left
    residual = score - mean * size
    variance = max(float(factor @ residual**2), float(plain * whole)) / n**2
    # Traces of the matrix of residuals' covariances, whose diagonal is `left`.
    ww, wt, tt = factor @ weight**2, factor @ (weight * spread), factor @ spread**2
    every = whole**2 * ww**2 + 2 * ww * tt - 4 * whole * ww * wt + 2 * wt**2
    own = factor**2 @ (weight**2 * whole - 2 * weight * spread) ** 2
    freedom = whole**2 / float(every - own + spread @ spread)
    return float(plain / variance), max(1.0, math.sqrt(freedom * (alike - 1)))


def _likeness(score: Floats, squares: Floats, size: Floats) -> float:
    """Return the intraclass correlation of a document's answers, 0 to 1 (Donner 1986, ANOVA)."""
    n, documents = size.sum(), len(size)
    if n == documents:
        return 0.0
    means = score / size
    between = size @ (means - score.sum() / n) ** 2 / (documents - 1)
    within = max(0.0, (squares - score * means).sum()) / (n - documents)
    typical = (n - size @ size / n) / (documents - 1)
    found = (between - within) / (between + (typical - 1) * within)
    return min(1.0, max(0.0, float(found)))


def wilson(
    share: float, n: float, freedom: float = math.inf, confidence: float = CONFIDENCE
) -> Interval:
    """Return the interval of a share of ``n`` answers, by Student's t; 95 % if not said otherwise.

    Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference".

    >>> [round(bound, 3) for bound in wilson(0.1, 50)]
    [0.043, 0.214]
    """
    part = _quantile_of_t(freedom, confidence) ** 2 / n
    middle = (share + part / 2) / (1 + part)
    reach = math.sqrt(part * (share * (1 - share) + part / 4)) / (1 + part)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def net_interval(
    against: float, favor: float, n: float, freedom: float, confidence: float = CONFIDENCE
) -> Interval:
    """Return the interval of the net, favor less against, of ``n`` answers, by Student's t.

    It holds every net that a score test does not reject (Tango 1998, "Equivalence Test and
    Confidence Interval for the Difference in Proportions for the Paired-Sample Design").

    >>> [round(bound, 3) for bound in net_interval(0.1, 0.3, 50, math.inf)]
    [0.026, 0.365]
    """
    part, net = _quantile_of_t(freedom, confidence) ** 2 / n, favor - against

    def rejected(value: float) -> bool:
        middle = (2 - favor + against) * value - favor - against
        root = math.sqrt(max(0.0, middle**2 + 8 * against * value * (1 - value)))
        likely = (root - middle) / 4  # share against, where the net has this value
        return (net - value) ** 2 > part * (2 * likely + value * (1 - value))

    return _edge(rejected, net, -1.0), _edge(rejected, net, 1.0)


def _edge(rejected: Callable[[float], bool], inside: float, outside: float) -> float:
    for _ in range(50):  # halvings
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if rejected(middle) else (middle, outside)
    return outside


def _quantile_of_t(freedom: float, confidence: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(min(freedom, ENDLESS), (1 + confidence) / 2))


def right_shares(right: Bools, document: Ints) -> Shares:
    """Return the shares of the rows that are wrong and right."""
    place = np.unique(document, return_inverse=True)[1].reshape(-1)
    size, hits = np.bincount(place), np.bincount(place, right).astype(np.int64)
    return estimate_shares(np.stack([size - hits, hits], axis=1))


def proportion_interval(right: Bools, document: Ints) -> Interval | None:
    """Return the 95 % interval of the share of rows that are right; None for one document."""
    found = right_shares(right, document)
    return found.intervals[1] if found.documents > 1 else None


def percentile_interval(scores: Floats) -> tuple[float, float]:
    """Return the bounds of the middle 95 % of resampled scores (Efron 1981, percentile method).

    >>> percentile_interval(np.arange(1001.0))
    (25.0, 975.0)
    """
    low, high = np.quantile(scores, BOUNDS).tolist()
    return low, high
