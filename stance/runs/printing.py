"""Probabilities as they stand in a table: six decimals that sum to one, and the label they give."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stance.features.events import Weights
from stance.reading.tokens import Bools, Ints
from stance.records import UNCERTAIN

MILLION = 1_000_000

Cells = NDArray[np.bytes_]


def cells(
    labels: Sequence[str], probabilities: Weights, sure: Bools, thresholds: Sequence[float] = ()
) -> list[Cells]:
    """Return the columns of label and printed probabilities.

    The label is `UNCERTAIN` where not sure, or where the probability is less than its threshold.
    """
    parts = millionths(probabilities)
    best = parts.argmax(axis=0)
    if len(thresholds):
        sure = sure & (parts.max(axis=0) / MILLION >= np.array(thresholds)[best])
    words = np.array([word.encode() for word in (*labels, UNCERTAIN)])
    return [words.take(np.where(sure, best, len(labels))), *map(decimals, parts)]


def millionths(probabilities: Weights) -> Ints:
    """Round rows of probabilities to millionths that sum to one million, a column per class.

    The largest remainders are rounded up (Hamilton's method), of equal ones the first.

    Examples
    --------
    >>> millionths(np.array([[1 / 3, 1 / 3, 1 / 3]])).tolist()
    [[333334], [333333], [333333]]
    """
    exact = np.ascontiguousarray(probabilities.T) * MILLION
    whole = np.floor(exact)
    rest = exact - whole
    rounded = whole.astype(np.int64)
    missing = MILLION - rounded.sum(axis=0)
    for place, own in enumerate(rest):
        ahead = np.zeros(len(own), np.int64)
        for other, found in enumerate(rest):
            if other != place:
                ahead += (found >= own) if other < place else (found > own)
        rounded[place] += ahead < missing
    return rounded


def _table(texts: list[bytes]) -> Ints:
    """Return texts of up to eight bytes as numbers, of which `|` lays one over the other."""
    return np.array(texts, "S8").view(np.int64)


_HIGH = _table([b"%d.%03d" % divmod(number, 1000) for number in range(1001)])
_LOW = _table([b"\0\0\0\0\0%03d" % number for number in range(1000)])


def decimals(parts: Ints) -> Cells:
    """Write millionths as decimal fractions.

    Examples
    --------
    >>> decimals(np.array([0, 250_000, 1_000_000])).tolist()
    [b'0.000000', b'0.250000', b'1.000000']
    """
    high, low = np.divmod(parts, 1000)
    return (_HIGH.take(high) | _LOW.take(low)).view("S8")
