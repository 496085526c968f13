"""Documents drawn with replacement: how far a score varies, and its interval by the bootstrap."""

from collections.abc import Callable

import numpy as np

from stance.arrays import Floats, Ints
from stance.reading.keys import join_keys, key_of

BOUNDS = (0.025, 0.975)  # quantiles that bound a 95 % interval
DRAWS, SEED = 1000, 20  # resamples that an interval rests on and where their random numbers start
MANY, ALIKE = 10_000, 20
"""Documents from which those with the same counts are drawn together, if they are so many each."""
CELLS = 200_000  # document counts held in memory at once: few, so that they stay in a cache
EQUAL = 12  # decimals in which equal scores agree, in whatever order they were summed up

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


def percentile_interval(scores: Floats) -> tuple[float, float]:
    """Return the bounds of the middle 95 % of resampled scores (Efron 1981, percentile method).

    >>> percentile_interval(np.arange(1001.0))
    (25.0, 975.0)
    """
    low, high = np.quantile(scores, BOUNDS).tolist()
    return low, high
