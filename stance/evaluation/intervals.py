"""Confidence intervals of scores by resampling whole documents."""

from collections.abc import Callable, Iterator

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from stance.arrays import Bools, Floats, Ints

BOUNDS = (0.025, 0.975)
"""Quantiles that bound a 95 % interval."""

DRAWS, SEED = 1000, 20
"""Resamples that an interval rests on and where their random numbers start."""

CELLS = 2_000_000
"""Document counts held in memory at once, about 50 MB of working space."""

FEWEST = 5
"""Documents below which a score has no interval, and a label of fewer none to be trusted."""

RARE = 20
"""A label in fewer documents, and in no more than half of them, is rare."""

EQUAL = 12
"""Decimals in which two equal scores agree, whatever the order that they were summed up in."""

Statistic = Callable[[Floats], Floats]
"""From summed counts of shape (..., *cells) to scores of shape (...)."""


def rare_strata(confusion: Floats) -> Ints:
    """Return the stratum of each document: its rarest rare label, or 0.

    Plain resampling leaves a rare label out of some draws, which changes what macro-F1 is the mean
    of. So the documents that hold a rare label are a stratum, of which every draw takes the same
    number. A label in fewer than `FEWEST` documents has none: it would say next to nothing of how
    its documents vary, and the interval would be too narrow.

    Parameters
    ----------
    confusion : ndarray of shape (n_documents, n_labels, n_labels)
        Rows gold.

    Returns
    -------
    ndarray of shape (n_documents,)
        0, or 1 + the number of the label. A stratum has two documents or more.

    Examples
    --------
    >>> counts = np.zeros((30, 3, 3))
    >>> counts[:, 1, 1], counts[:6, 2, 1], counts[:20, 0, 0] = 1, 1, 1
    >>> rare_strata(counts).tolist() == [3] * 6 + [0] * 24
    True
    """
    holds = confusion.sum(axis=2) > 0
    documents = holds.sum(axis=0)
    rare = (documents >= FEWEST) & (documents < RARE) & (2 * documents <= len(confusion))
    stratum = np.zeros(len(confusion), np.int64)
    for label in np.argsort(-documents, kind="stable"):  # the rarest has the last word
        if rare[label]:
            stratum[holds[:, label]] = label + 1
    alone = np.bincount(stratum)[stratum] < 2
    stratum[alone] = 0
    return stratum if (stratum == 0).sum() != 1 else np.zeros_like(stratum)


def resample(
    counts: Floats, draws: int = DRAWS, seed: int = SEED, strata: Ints | None = None
) -> Floats:
    """Draw documents with replacement and add up their counts.

    Rows of one document resemble each other, so the document is the unit that is drawn (cluster
    bootstrap: Davison and Hinkley 1997, "Bootstrap Methods and their Application", section 3.8;
    Field and Welsh 2007, "Bootstrapping clustered data"). Of the n documents of a stratum n - 1
    are drawn and weigh n / (n - 1) each, for with n the scores would vary too little (Rao and Wu
    1988, "Resampling Inference with Complex Survey Data"). Equal seeds and strata draw the same
    documents.

    Parameters
    ----------
    counts : ndarray of shape (n_documents, ...)
        Counts of each document.
    draws : int
    seed : int
    strata : ndarray of shape (n_documents,), optional
        Documents of one stratum replace each other only.

    Returns
    -------
    ndarray of shape (draws, ...)
    """
    flat = counts.reshape(len(counts), -1)
    total = np.zeros((draws, flat.shape[1]))
    rng = np.random.Generator(np.random.PCG64(seed))
    for rows in _strata(len(counts), strata):
        total += _resample_stratum(flat[rows], draws, rng)
    return total.reshape(draws, *counts.shape[1:])


def _strata(documents: int, strata: Ints | None) -> Iterator[Ints]:
    if strata is None:
        yield np.arange(documents)
        return
    for number in np.unique(strata):
        yield np.flatnonzero(strata == number)


def _resample_stratum(flat: Floats, draws: int, rng: np.random.Generator) -> Floats:
    documents = len(flat)
    if documents == 1:
        return np.repeat(flat, draws, axis=0)
    total = np.empty((draws, flat.shape[1]))
    step = max(1, CELLS // documents)
    for low in range(0, draws, step):
        size = min(step, draws - low)
        drawn = rng.integers(documents, size=(size, documents - 1))
        drawn += np.arange(size)[:, None] * documents
        times = np.bincount(drawn.reshape(-1), minlength=size * documents)
        total[low : low + size] = times.reshape(size, documents).astype(np.float64) @ flat
    return total * (documents / (documents - 1))


def gain_in(score: Statistic) -> Statistic:
    """Return the statistic: what a score of the first of two is above that of the second.

    It takes counts of shape (..., 2, *cells).
    """

    def gain(pair: Floats) -> Floats:
        scores = score(pair)
        more: Floats = scores[..., 0] - scores[..., 1]
        return more

    return gain


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

    The percentile interval covers too seldom where documents are few or a label is rare, since
    macro-F1 is biased and skewed there. BCa corrects both (Efron 1987, "Better Bootstrap
    Confidence Intervals"; acceleration in strata: Davison and Hinkley 1997, section 5.3.2). That
    the spread is itself an estimate is met by quantiles of t in place of the normal's (Hesterberg
    2015, "What Teachers Should Know About the Bootstrap", section 5.3). Its degrees of freedom are
    2 E(v)**2 / Var(v) of the estimated variance v (Satterthwaite 1946, "An Approximate
    Distribution of Estimates of Variance Components") with Var(v) from the fourth moments of the
    documents' influence (Cramér 1946, "Mathematical Methods of Statistics", section 27.4): at most
    the documents less one, and far fewer where a few long documents outweigh all others. The tests
    simulate the coverage.
    One document says nothing of others, so its interval is all that the score may be.

    Parameters
    ----------
    statistic : callable
    counts : ndarray of shape (n_documents, *cells)
        Counts of each document.
    draws, seed, strata
        As in `resample`.
    least : float
        The lowest that the score may be; the highest is 1.

    Examples
    --------
    >>> right = np.repeat([[1.0, 0.0], [0.0, 1.0]], [70, 30], axis=0)  # of 100 documents
    >>> low, high = interval(lambda total: total[..., 0] / total.sum(axis=-1), right)
    >>> float(low.round(2)), float(high.round(2))
    (0.61, 0.79)
    """
    score = statistic(counts.sum(axis=0)).round(EQUAL)
    if len(counts) < 2:
        return np.full_like(score, least), np.ones_like(score)
    drawn = statistic(resample(counts, draws, seed, strata)).round(EQUAL)
    influence, freedom = _influence(statistic, counts, strata)
    cubes, squares = (influence**3).sum(axis=0), (influence**2).sum(axis=0)
    skew = np.divide(cubes, 6 * squares**1.5, out=np.zeros_like(cubes), where=squares > 0)
    middle = _bias(drawn, score)
    ordered = np.sort(drawn, axis=0)
    low, high = (
        _quantile(ordered, _level(stdtrit(freedom, bound), middle, skew)) for bound in BOUNDS
    )
    return low, high


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
    """Return the variance of a score by documents' influences, and the variance of that.

    Light tails may be chance, so the first is never taken for surer than that of a normal sample.
    """
    size = len(influence)
    scale = size / (size - 1)
    squares = (influence**2).sum(axis=0)
    fourths = (influence**4).sum(axis=0) - squares**2 / size
    return squares * scale, np.maximum(2 * squares**2 / (size - 1), fourths) * scale**2


def _bias(drawn: Floats, score: Floats) -> Floats:
    """Return on the normal scale how much of the resamples lies below the score itself."""
    below = ((drawn < score).mean(axis=0) + (drawn <= score).mean(axis=0)) / 2
    least = 0.5 / len(drawn)
    bias: Floats = ndtri(np.clip(below, least, 1 - least))
    return bias


def _level(z: Floats, middle: Floats, skew: Floats) -> Floats:
    """Return the share of resamples below a bound (Efron 1987)."""
    shifted = middle + z
    # Where skew * shifted reaches 1 the bound has passed every resample.
    level: Floats = ndtr(middle + shifted / np.maximum(1 - skew * shifted, 1e-9))
    return level


def _quantile(ordered: Floats, level: Floats) -> Floats:
    """Return one quantile of each column, interpolated as `numpy.quantile` does."""
    place = level * (len(ordered) - 1)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, len(ordered) - 1)
    low = np.take_along_axis(ordered, below[None], axis=0)[0]
    high = np.take_along_axis(ordered, above[None], axis=0)[0]
    found: Floats = low + (place - below) * (high - low)
    return found


def proportion_interval(right: Bools, document: Ints) -> tuple[float, float] | None:
    """Return the 95 % interval of the share of rows that are right; None for one document.

    Wilson's score interval (1927, "Probable Inference, the Law of Succession, and Statistical
    Inference") of as many independent rows as would tell as much as these rows of documents do,
    made wider for few documents (Korn and Graubard 1998, "Confidence Intervals for Proportions
    with Small Expected Number of Positive Counts Estimated From Survey Data"; with Wilson's
    interval: Franco et al. 2019, "Comparative Study of Confidence Intervals for Proportions in
    Complex Sample Surveys"). Unlike a bootstrap it does not shrink to a point where every row is
    right; there each document counts as one row.

    Parameters
    ----------
    right : ndarray of bool of shape (n_rows,)
    document : ndarray of shape (n_rows,)

    Examples
    --------
    >>> low, high = proportion_interval(np.ones(30, np.bool_), np.arange(30))
    >>> round(low, 3), round(high, 3)
    (0.878, 1.0)
    """
    _, place = np.unique(document, return_inverse=True)
    rows = np.bincount(place.reshape(-1)).astype(np.float64)
    documents, total = len(rows), len(right)
    if documents < 2:
        return None
    share = right.mean()
    surplus = np.bincount(place.reshape(-1), right) - share * rows
    variance = float(_spread(surplus / total)[0])
    effective = min(total, share * (1 - share) / variance) if variance > 0 else documents
    freedom = max(1.0, total**2 / (rows**2).sum() - 1)  # as of so many documents of equal length
    z2 = stdtrit(freedom, BOUNDS[1]) ** 2
    centre = (share + z2 / (2 * effective)) / (1 + z2 / effective)
    half = np.sqrt(z2 * (share * (1 - share) / effective + z2 / (4 * effective**2)))
    half /= 1 + z2 / effective
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def percentile_interval(scores: Floats) -> tuple[float, float]:
    """Return the bounds of the middle 95 % of resampled scores (Efron 1981, percentile method).

    Examples
    --------
    >>> percentile_interval(np.arange(1001.0))
    (25.0, 975.0)
    """
    low, high = np.quantile(scores, BOUNDS).tolist()
    return low, high
