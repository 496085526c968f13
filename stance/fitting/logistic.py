"""Logistic regression of several classes on soft labels and word vectors.

scikit-learn's learns from hard labels, and would need a dense column per dimension of the vectors.
Here a vector is a change of variables: a word's weight is its own plus what its vector gives it,
and both are shrunk.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize

from stance.arrays import Floats

STEPS = 400
ENOUGH = 1e-6  # relative decrease of the loss at which the search stops
MEMORY = 10  # steps that the search remembers


@dataclass(frozen=True, slots=True)
class Vectored:
    """Columns of the design matrix whose weights also come from vectors."""

    low: int
    vectors: Floats  # (n_columns, n_dimensions)

    @property
    def columns(self) -> slice:
        """The columns."""
        return slice(self.low, self.low + len(self.vectors))


def fit_logistic(
    x: Any, vectored: Sequence[Vectored], targets: Floats, weight: Floats, c: float
) -> tuple[Floats, Floats]:
    """Return coefficients (n_columns, n_labels), vectors included, and intercepts.

    Minimises c times the weighted cross-entropy plus half the squares of all weights but the
    intercepts, by L-BFGS (Liu and Nocedal 1989) from zero, so that the same rows give the same
    bytes.

    Parameters
    ----------
    x : sparse matrix of shape (n_rows, n_columns)
    targets : ndarray of shape (n_rows, n_labels)
        Share of each label of a row; their sum may be any weight.
    weight : ndarray of shape (n_rows,)
    """
    x, labels = x.astype(np.float32), targets.shape[1]
    if labels == 2:  # each has half of the difference, whose square is to be shrunk
        c /= 2
    back = x.T
    sizes = [x.shape[1], *(part.vectors.shape[1] for part in vectored), 1]
    ends = np.cumsum(sizes)
    wanted = (targets * weight[:, None] * c).astype(np.float32)
    total = wanted.sum(axis=1, keepdims=True)

    def parted(values: Floats) -> list[Floats]:
        rows = values.reshape(-1, labels)
        return [rows[end - size : end] for size, end in zip(sizes, ends.tolist(), strict=True)]

    def weights(values: Floats) -> tuple[Floats, Floats]:
        own, *shared, bias = parted(values)
        whole = own.copy()
        for part, each in zip(vectored, shared, strict=True):
            whole[part.columns] += part.vectors @ each
        return whole, bias[0]

    def with_last(columns: Any) -> Any:
        # Weights and slopes of the labels sum to 0, so the last label needs no product.
        return np.hstack([columns, -columns.sum(axis=1, keepdims=True)])

    def loss(values: Floats) -> tuple[float, Floats]:
        whole, bias = weights(values)
        scores = with_last(x @ whole[:, :-1].astype(np.float32)) + bias.astype(np.float32)
        scores -= scores.max(axis=1, keepdims=True)
        powers = np.exp(scores)
        sums = powers.sum(axis=1, keepdims=True)
        entropy = -np.vdot(wanted, scores - np.log(sums))
        away = powers / sums * total - wanted
        slope = values.copy()
        own, *shared, bias_slope = parted(slope)
        found = with_last(back @ away[:, :-1]).astype(np.float64)
        for part, each in zip(vectored, shared, strict=True):
            each += part.vectors.T @ found[part.columns]
        own += found
        penalty = values @ values / 2 - bias @ bias / 2
        bias_slope[0] = away.sum(axis=0, dtype=np.float64)
        return float(entropy + penalty), slope

    options = {"maxiter": STEPS, "ftol": ENOUGH, "gtol": 1e-5, "maxcor": MEMORY}
    start = np.zeros(int(ends[-1]) * labels)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options=options)
    return weights(found.x)
