"""How far coders agree on labels: in percent, and by Krippendorff's alpha beyond chance."""

from collections.abc import Callable, Sequence

import numpy as np

from stance.arrays import Floats, Ints
from stance.evaluation.answers import Figures, plain
from stance.evaluation.intervals import FEWEST, spread, t_interval

MISSING = -1  # code of a unit that a coder did not code


def sum_codes(codes: Ints, labels: int) -> Floats:
    """Return sums by unit from which agreement follows, of shape (n_units, 2 * labels + 2).

    ``codes``, by coder, are 0 to ``labels - 1`` or `MISSING`. For c of the m codes of a unit on a
    label: c and c (c - 1) / (m - 1) per label; the part of the unit's pairs that agree; and 1. All
    are 0 for a unit with fewer than two codes.
    """
    counts = np.stack([(codes == label).sum(axis=0) for label in range(labels)], axis=1)
    counts = np.where(counts.sum(axis=1, keepdims=True) >= 2, counts, 0).astype(np.float64)
    size = counts.sum(axis=1, keepdims=True)
    alike = counts * (counts - 1) / np.maximum(size - 1, 1)
    agreed = alike.sum(axis=1, keepdims=True) / np.maximum(size, 1)
    return np.concatenate([counts, alike, agreed, size > 0], axis=1)


def _ratio(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, NaN where the whole is 0."""
    empty = np.full(np.shape(whole), np.nan)
    quotient: Floats = np.divide(part, whole, out=empty, where=np.asarray(whole) != 0)
    return quotient


def percent_agreement(sums: Floats) -> Floats:
    """Return the mean part of a unit's pairs of codes that agree, between 0 and 1.

    Fleiss 1971, "Measuring nominal scale agreement among many raters".

    >>> float(percent_agreement(sum_codes(np.array([[0, 1, 1, 1], [0, 1, 0, -1]]), 2).sum(axis=0)))
    0.6666666666666666
    """
    return _ratio(sums[..., -2], sums[..., -1])


def krippendorff_alpha(sums: Floats) -> Floats:
    """Return Krippendorff's alpha for nominal data; NaN where only one label was used.

    Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", section C.

    >>> meg, owen = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    >>> round(float(krippendorff_alpha(sum_codes(np.array([meg, owen]), 2).sum(axis=0))), 3)
    0.095
    """
    counts, alike = np.split(sums[..., :-2], 2, axis=-1)
    n = counts.sum(axis=-1)
    differing = n - alike.sum(axis=-1)
    return 1 - _ratio((n - 1) * differing, n**2 - (counts**2).sum(axis=-1))


def measure_agreement(codes: Ints, labels: int, document: Ints) -> Figures:
    """Return percent and alpha of units coded twice or more, with intervals of whole documents.

    ``codes`` and ``labels`` are as in `sum_codes`. There is no interval with fewer than 5 documents
    coded twice, where a coefficient hangs on one of them, or where none of them changes it.
    """
    paired = (codes >= 0).sum(axis=0) >= 2
    names, place = np.unique(document[paired], return_inverse=True)
    sums = np.zeros((len(names), 2 * labels + 2))
    np.add.at(sums, place.reshape(-1), sum_codes(codes[:, paired], labels))
    figures = {"units": paired.sum(), "documents": len(names)}
    scores = {"percent": percent_agreement, "alpha": krippendorff_alpha}
    return plain(figures | {name: _coefficient(score, sums) for name, score in scores.items()})


def _coefficient(score: Callable[[Floats], Floats], sums: Floats) -> Figures:
    value = float(score(sums.sum(axis=0)))
    if not np.isfinite(value):
        return {"value": None, "interval": None}
    known = len(sums) >= FEWEST and 0 < spread(score, sums)[1] < np.inf
    return {"value": value, "interval": t_interval(score, sums) if known else None}


def report_agreement(codes: Ints, labels: Sequence[str], document: Ints) -> Figures:
    """Measure agreement over all, and ``per_label``."""
    per_label = {
        name: measure_agreement(np.where(codes < 0, MISSING, codes == label), 2, document)
        for label, name in enumerate(labels)
    }
    return {**measure_agreement(codes, len(labels), document), "per_label": per_label}
