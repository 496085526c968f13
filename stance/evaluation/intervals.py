"""95 % intervals of shares and scores, from the influence of each document on them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from stance.arrays import Bools, Floats, Ints, tally

FEWEST = 5  # documents below which a score has no interval, and a label of fewer none to be trusted
TRUSTED = 20  # documents from which an interval can be trusted
CONFIDENCE = 0.95  # with which an interval holds the truth
EQUAL = 1e-20  # variance up to which documents are said to score alike
ENDLESS = 1e12  # degrees of freedom at which Student's t is the normal distribution

Interval = tuple[float, float]
Statistic = Callable[[Floats], Floats]  # from summed counts (..., *cells) to scores (...)


@dataclass(frozen=True, slots=True)
class Estimates:
    """Shares of classes, and what the intervals of these and of the net stance follow from.

    A quantity is the number of a class or, after the last one, the net: the share of the last class
    less that of the first, between -1 and 1.
    """

    shares: tuple[float, ...]  # of each class
    information: tuple[float, ...]  # independent answers that a quantity is worth; () if unknown
    freedom: tuple[float, ...]  # Student's, of each quantity

    @property
    def net(self) -> float:
        """Share of the last class less that of the first."""
        return self.shares[-1] - self.shares[0]

    def value(self, quantity: int) -> float:
        """Return a share or the net."""
        return (*self.shares, self.net)[quantity]

    def interval(self, quantity: int, confidence: float = CONFIDENCE) -> Interval:
        """Return the interval of a share or of the net."""
        is_net = quantity == len(self.shares)
        if not self.information:
            return -1.0 if is_net else 0.0, 1.0
        known = self.information[quantity], self.freedom[quantity], confidence
        if is_net:
            return net_interval(self.shares[0], self.shares[-1], *known)
        return wilson(self.shares[quantity], *known)


@dataclass(frozen=True, slots=True)
class Shares(Estimates):
    """How some answers divide among classes."""

    n: int  # answers
    documents: int  # that hold an answer
    effective: float  # documents of equal length that would tell as much (Kish 1965)

    @property
    def trusted(self) -> bool:
        """Whether the documents are enough; else the intervals are mostly too wide."""
        return self.effective >= TRUSTED


def estimate_shares(counts: Ints) -> Shares:
    """Return the shares of answers, counted by document (row) and class (two or more).

    Each interval is `wilson`'s for as many independent answers as would tell as much as these, with
    a quantile of Student's t (Korn and Graubard 1998, "Confidence Intervals for Proportions with
    Small Expected Number of Positive Counts Estimated from Survey Data"). That of the net is
    `net_interval`'s. ``training/simulate.py`` simulates how often they hold the truth.

    >>> shares = estimate_shares(np.array([[3, 1], [0, 2], [5, 1], [0, 2], [2, 2], [1, 1]]))
    >>> shares.shares, [round(bound, 3) for bound in shares.interval(0)], shares.trusted
    ((0.55, 0.45), [0.21, 0.849], False)
    """
    used = counts[counts.sum(axis=1) > 0].astype(np.float64)
    size, totals = used.sum(axis=1), used.sum(axis=0)
    n, known = int(size.sum()), list[tuple[float, float]]()
    effective = n**2 / float((size**2).sum()) if n else 0.0
    if len(used) > 1:
        for hits, total in zip(used.T, totals, strict=True):
            known.append(_information(hits, hits, size, min(total, n - total)))
        against, favor = used[:, 0], used[:, -1]
        known.append(_information(favor - against, favor + against, size, n - totals.max()))
    information, freedom = zip(*known, strict=True) if known else ((), ())
    shares = tuple((totals / max(n, 1)).tolist())
    return Shares(shares, information, freedom, n, len(used), effective)


def _information(score: Floats, squares: Floats, size: Floats, few: float) -> tuple[float, float]:
    """Return the effective sample size and the degrees of freedom of clustered answers.

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
    diagonal = factor**2 @ (weight**2 * whole - 2 * weight * spread) ** 2
    freedom = whole**2 / float(every - diagonal + spread @ spread)
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
    correlation = (between - within) / (between + (typical - 1) * within)
    return min(1.0, max(0.0, float(correlation)))


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

    return edge(rejected, net, -1.0), edge(rejected, net, 1.0)


def edge(
    is_outside: Callable[[float], bool], inside: float, outside: float, halvings: int = 50
) -> float:
    """Return where the outside begins between a number inside and one outside."""
    for _ in range(halvings):
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if is_outside(middle) else (middle, outside)
    return outside


def _quantile_of_t(freedom: float, confidence: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(min(freedom, ENDLESS), (1 + confidence) / 2))


def right_shares(right: Bools, document: Ints) -> Shares:
    """Return the shares of the rows that are wrong and right."""
    return estimate_shares(tally(document, right, 2))


# --- Scores ---


def spread(statistic: Statistic, counts: Floats) -> tuple[float, float, float]:
    """Return a score of the sum of documents' counts, its variance and its degrees of freedom.

    The variance is that of the documents' influence, by the jackknife (Efron and Stein 1981, "The
    Jackknife Estimate of Variance"); the freedom is Satterthwaite's (1946), 2 v**2 / Var(v), with
    Var(v) from the influences' fourth moments (Cramér 1946, section 27.4).
    """
    whole, size = counts.sum(axis=0), len(counts)
    value = float(statistic(whole))
    if size < 2:
        return value, math.inf, 1.0
    scale = size / (size - 1)
    without = statistic((whole - counts) * scale)
    influence = (without.mean() - without) / scale
    squares, fourths = (float((influence**power).sum()) for power in (2, 4))
    if squares < EQUAL:
        return value, 0.0, size - 1.0
    doubt = max(2 * squares**2 / (size - 1), fourths - squares**2 / size)
    return value, squares * scale, max(1.0, 2 * squares**2 / doubt)


def score_interval(statistic: Statistic, counts: Floats) -> Interval:
    """Return the `wilson` interval of a score between 0 and 1 of documents' counts.

    A score counts as many independent answers as would vary as much; one that no document moves,
    as of answers that are all right, as many as there are documents.

    >>> right = np.repeat([[1.0, 0.0], [0.0, 1.0]], [70, 30], axis=0)  # of 100 documents
    >>> low, high = score_interval(lambda total: total[..., 0] / total.sum(axis=-1), right)
    >>> round(low, 2), round(high, 2)
    (0.6, 0.78)
    """
    if len(counts) < 2:
        return 0.0, 1.0
    value, variance, freedom = spread(statistic, counts)
    plain = value * (1 - value)
    known = variance > 0 and plain > 0
    return wilson(value, plain / variance if known else len(counts), freedom)


def t_interval(statistic: Statistic, counts: Floats) -> Interval:
    """Return the interval of a score between -1 and 1, such as a gain, by Student's t."""
    value, variance, freedom = spread(statistic, counts)
    reach = _quantile_of_t(freedom, CONFIDENCE) * math.sqrt(variance)
    return max(-1.0, value - reach), min(1.0, value + reach)


# --- Many tests ---


def holm(p_values: Sequence[float] | Floats) -> list[float]:
    """Return p values adjusted for their number.

    Holm 1979, "A Simple Sequentially Rejective Multiple Test Procedure".

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    values = np.array(p_values, np.float64)
    order, adjusted = np.argsort(values, kind="stable"), np.empty_like(values)
    stepped = values[order] * np.arange(len(values), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return [float(value) for value in adjusted]
