"""Confusion matrices of documents, and the scores that are read off them."""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


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
