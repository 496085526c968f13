"""Shares of stances in the texts, from shares of answers and how often these are wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.reports.shares import Interval, Z

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Corrected:
    """Corrected shares with 95 percent intervals, in the order of `stance.records.Stance`."""

    shares: tuple[float, ...]
    intervals: tuple[Interval, ...]


def correct(likeliest: Floats, effective: float, scores: Mapping[str, Any]) -> Corrected | None:
    """Correct shares of answers for errors as they were in the model's cross-validation.

    If answers are wrong as often as there, given the true stance, then the shares of answers are
    the true shares times the rows of the confusion matrix, which is solved for the true shares
    (Rogan and Gladen 1978, "Estimating Prevalence from the Results of a Screening Test"; Hopkins
    and King 2010, "A Method of Automated Nonparametric Content Analysis for Social Science"). The
    interval is that of the delta method, with the sampling of both the answers and the matrix; rows
    of the matrix count as many documents, not answers. Negative shares become 0.

    Parameters
    ----------
    likeliest : ndarray of shape (3,)
        Answers by the stance of their largest probability, withheld ones too.
    effective : float
        Number of independent answers that tell as much.
    scores : mapping
        Of the model's card: ``confusion``, ``n``, ``documents``.

    Returns
    -------
    Corrected or None
        None where the matrix cannot be solved, or there are no answers.
    """
    confusion = np.array(scores["confusion"], np.float64)
    gold = confusion.sum(axis=1)
    if not likeliest.sum() or not gold.all():
        return None
    rates = confusion / gold[:, None]
    if np.linalg.cond(rates) > 100:
        return None
    observed = likeliest / likeliest.sum()
    solve = np.linalg.inv(rates.T)
    true = solve @ observed
    spread = _multinomial(observed) / max(effective, 1.0)
    thinned = scores["documents"] / scores["n"]
    for share, rate, rows in zip(true, rates, gold, strict=True):
        spread = spread + share**2 * _multinomial(rate) / (rows * thinned)
    reach = [Z * sqrt(max(0.0, each)) for each in np.diag(solve @ spread @ solve.T)]
    inside = np.clip(true, 0, None)
    bounds = [
        (min(1.0, max(0.0, share - more)), min(1.0, max(0.0, share + more)))
        for share, more in zip(true.tolist(), reach, strict=True)
    ]
    return Corrected(tuple((inside / inside.sum()).tolist()), tuple(bounds))


def _multinomial(shares: Floats) -> Floats:
    """Return the covariance of the shares of one draw."""
    covariance: Floats = np.diag(shares) - np.outer(shares, shares)
    return covariance
