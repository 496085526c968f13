"""Tests of whether two models differ by more than chance."""

from collections.abc import Sequence

import numpy as np
from scipy.special import bdtr

from stance.evaluation.confusion import Bools, Ints


def mcnemar(first: Bools, second: Bools) -> float:
    """Return the exact two-sided p value of McNemar's test on rows.

    Of the rows that only one of the two has right, under the null hypothesis, each has them with
    even chance (McNemar 1947, "Note on the Sampling Error of the Difference Between Correlated
    Proportions or Percentages"). It takes rows for independent, which those of one document are
    not; `document_test` does not.

    Parameters
    ----------
    first, second : ndarray of bool of shape (n_rows,)
        Whether each model has the row right.

    Examples
    --------
    >>> mcnemar(np.array([True, True, True, True, False]), np.array([False] * 5))
    0.125
    """
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    tail = bdtr(float(min(only_first, only_second)), only_first + only_second, 0.5)
    return min(1.0, 2 * float(tail))


def document_test(first: Bools, second: Bools, document: Ints) -> float:
    """Return the exact two-sided p value of McNemar's test with documents as the unit.

    Under the null hypothesis it is even chance in each document which model is which, whatever the
    rows of a document have in common. So the sum of the documents' differences in right rows is
    held against all ways of giving them signs (randomisation test: Fisher 1935, "The Design of
    Experiments", section 21; Yeh 2000, "More accurate tests for the statistical significance of
    result differences"). Its large-sample form is the test of Obuchowski 1998, "On the comparison
    of correlated proportions for clustered data"; where no document has more than one row that
    only one model has right, it is `mcnemar`.

    Parameters
    ----------
    first, second : ndarray of bool of shape (n_rows,)
        Whether each model has the row right.
    document : ndarray of shape (n_rows,)

    Examples
    --------
    >>> first, second = np.array([True, True, True, True, False]), np.array([False] * 5)
    >>> document_test(first, second, np.arange(5)), document_test(first, second, np.arange(5) // 2)
    (0.125, 0.5)
    """
    _, place = np.unique(document, return_inverse=True)
    surplus = first.astype(np.int64) - second
    difference = np.bincount(place.reshape(-1), surplus).astype(np.int64)
    sizes = np.abs(difference[difference != 0])
    # The chance of each sum of those sizes whose sign is positive.
    chance = np.ones(1)
    for size in sizes.tolist():
        longer = np.zeros(len(chance) + size)
        longer[: len(chance)] += chance / 2
        longer[size:] += chance / 2
        chance = longer
    sums = 2 * np.arange(len(chance)) - sizes.sum()
    return min(1.0, float(chance[np.abs(sums) >= abs(difference.sum())].sum()))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values adjusted for their number (Holm 1979, "A Simple Sequentially Rejective...").

    Among those at most 0.05 is one of a true null hypothesis with a chance of at most 5 %.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    values = np.array(p_values, np.float64)
    order = np.argsort(values, kind="stable")
    stepped = values[order] * np.arange(len(values), 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return [float(value) for value in adjusted]
