"""Tests of whether two models differ, and p values adjusted for their number."""

from collections.abc import Sequence

import numpy as np

from stance.arrays import Bools, Floats, Ints


def mcnemar(first: Bools, second: Bools) -> float:
    """Return the exact two-sided p value of McNemar's test (1947) on rows taken for independent.

    >>> mcnemar(np.array([True, True, True, True, False]), np.array([False] * 5))
    0.125
    """
    from scipy.special import bdtr

    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    tail = bdtr(float(min(only_first, only_second)), only_first + only_second, 0.5)
    return min(1.0, 2 * float(tail))


def document_test(first: Bools, second: Bools, document: Ints) -> float:
    """Return the exact two-sided p value of McNemar's test with documents as the unit.

    The sum of the documents' differences in right rows is held against all ways of giving them
    signs (randomisation test: Fisher 1935, "The Design of Experiments", section 21; Yeh 2000, "More
    accurate tests for the statistical significance of result differences"). Where no document has
    more than one row that only one model has right, it is `mcnemar`.

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
        chance = (np.pad(chance, (0, size)) + np.pad(chance, (size, 0))) / 2
    sums = 2 * np.arange(len(chance)) - sizes.sum()
    return min(1.0, float(chance[np.abs(sums) >= abs(difference.sum())].sum()))


def holm(p_values: Sequence[float] | Floats) -> list[float]:
    """Return p values adjusted for their number.

    Holm 1979, "A Simple Sequentially Rejective Multiple Test Procedure".

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    values = np.array(p_values, np.float64)
    order = np.argsort(values, kind="stable")
    stepped = values[order] * np.arange(len(values), 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return [float(value) for value in adjusted]


def benjamini_hochberg(p_values: Floats) -> Floats:
    """Return p values adjusted so that a bound on them bounds the false discovery rate.

    Benjamini and Hochberg 1995, "Controlling the False Discovery Rate".

    >>> benjamini_hochberg(np.array([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    order, adjusted = np.argsort(p_values, kind="stable"), np.empty(len(p_values))
    steps = p_values[order] * len(p_values) / np.arange(1, len(p_values) + 1)
    adjusted[order] = np.minimum(1, np.minimum.accumulate(steps[::-1])[::-1])
    return adjusted
