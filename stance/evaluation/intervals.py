"""Confidence intervals of scores by resampling whole documents."""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

BOUNDS = (0.025, 0.975)
"""Quantiles that bound a 95 % interval."""

DRAWS, SEED = 1000, 20
"""Resamples that an interval rests on and where their random numbers start."""

CELLS = 2_000_000
"""Document counts held in memory at once, about 50 MB of working space."""


def share(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, 0 where the whole is 0."""
    quotient: Floats = np.divide(part, whole, out=np.zeros(np.shape(part)), where=whole > 0)
    return quotient


def f1_scores(confusion: Floats) -> Floats:
    """Return the F1 of each label, 0 where it occurs nowhere.

    Parameters
    ----------
    confusion : ndarray of shape (..., n_labels, n_labels)
        Rows gold, columns predicted.
    """
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    return share(2 * hits, confusion.sum(axis=-1) + confusion.sum(axis=-2))


def macro_f1(confusion: Floats) -> Floats:
    """Return the mean F1 over the labels that occur in gold or prediction.

    A label that occurs in only one of the two has F1 = 0; a label that occurs in neither is left
    out of the mean. So has it ``sklearn.metrics.f1_score(average="macro", zero_division=0)``.

    Parameters
    ----------
    confusion : ndarray of shape (..., n_labels, n_labels)
        Rows gold, columns predicted.

    Examples
    --------
    >>> float(macro_f1(np.array([[2.0, 0, 0], [2, 0, 0], [0, 0, 0]])).round(3))
    0.333
    """
    occurs = (confusion.sum(axis=-1) + confusion.sum(axis=-2)) > 0
    return share(f1_scores(confusion).sum(axis=-1), occurs.sum(axis=-1))


def accuracy(confusion: Floats) -> Floats:
    """Return the share of rows on the diagonal of confusion matrices (..., n_labels, n_labels)."""
    return share(np.trace(confusion, axis1=-2, axis2=-1), confusion.sum(axis=(-2, -1)))


def document_confusion(gold: Ints, predicted: Ints, document: Ints, labels: int) -> Floats:
    """Return one confusion matrix per document, of shape (n_documents, labels, labels).

    Documents come in the order of their numbers, so that two sets of answers to the same rows can
    be resampled together.
    """
    names, place = np.unique(document, return_inverse=True)
    cell = (place.reshape(-1) * labels + gold) * labels + predicted
    counts = np.bincount(cell, minlength=len(names) * labels**2)
    return counts.reshape(len(names), labels, labels).astype(np.float64)


def resample(confusion: Floats, draws: int = DRAWS, seed: int = SEED) -> Floats:
    """Draw documents with replacement, as many as there are, and add up their counts.

    Rows of one document resemble each other, so the document is the unit that is drawn (cluster
    bootstrap: Davison and Hinkley 1997, "Bootstrap Methods and their Application", section 3.8;
    Field and Welsh 2007, "Bootstrapping clustered data"). Equal seeds and numbers of documents
    draw the same documents.

    Parameters
    ----------
    confusion : ndarray of shape (n_documents, ...)
        Counts of each document.
    draws : int
    seed : int

    Returns
    -------
    ndarray of shape (draws, ...)
    """
    documents = len(confusion)
    flat = confusion.reshape(documents, -1)
    total = np.empty((draws, flat.shape[1]))
    rng = np.random.Generator(np.random.PCG64(seed))
    step = max(1, CELLS // documents)
    for low in range(0, draws, step):
        size = min(step, draws - low)
        drawn = rng.integers(documents, size=(size, documents))
        drawn += np.arange(size)[:, None] * documents
        times = np.bincount(drawn.reshape(-1), minlength=size * documents)
        total[low : low + size] = times.reshape(size, documents).astype(np.float64) @ flat
    return total.reshape(draws, *confusion.shape[1:])


def percentile_interval(scores: Floats) -> tuple[float, float]:
    """Return the bounds of the middle 95 % of resampled scores (Efron 1981, percentile method).

    Examples
    --------
    >>> percentile_interval(np.arange(1001.0))
    (25.0, 975.0)
    """
    low, high = np.quantile(scores, BOUNDS).tolist()
    return low, high
