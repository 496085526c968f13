"""Support vector machines of large corpora: those of all folds are learned at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from stance.arrays import Floats, Floats32, Ints

ENOUGH = 1e-3
"""Length of the gradient, by that of the gradient at zero, at which the search stops. Of 100,000
rows, 2 in 20,000 answers differed from those of the optimum."""
_CG = 0.1  # what a step of the search leaves of the residual
_STEPS, _TURNS = 30, 60  # steps of a search, and turns of a step
_DESCENT, _ROUNDING = 1e-4, 1e-6  # of a line search: wanted decrease, and error of a float32 sum


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a machine per label learns from: rows of a design matrix, and what errors cost."""

    rows: Ints
    shares: Floats  # of the labels, of shape (n_rows, n_labels)
    weight: Floats
    stretch: Floats32  # of each feature, 0 where the lesson lacks it


@dataclass(frozen=True, slots=True)
class Machines:
    """What was learned from each lesson."""

    coef: Floats32  # (n_features + 1, n_lessons, n_labels), the last for the intercept
    scores: Floats32  # (n_rows, n_lessons, n_labels), of every row


def fit_machines(
    x: Any, lessons: Sequence[Lesson], start: Floats32, enough: float = ENOUGH
) -> Machines:
    """Learn one machine per lesson and label: those of `sklearn.svm.LinearSVC`.

    They have a squared hinge loss. The search is a finite Newton method with conjugate gradients
    (Keerthi and DeCoste 2005, "A Modified Finite Newton Method for Fast Solution of Large Scale
    Linear SVMs"), for all machines at once, so that the matrix is read once per turn, and is
    copied for none.

    Parameters
    ----------
    x : sparse matrix of shape (n_rows, n_features)
        In float32.
    start : ndarray of shape (n_features + 1, n_lessons or 1, n_labels)
        Where the search begins, as weights of the features before they are stretched.
    """
    labels = lessons[0].shares.shape[1]
    right, wrong = _costs(x.shape[0], lessons)
    rows = np.flatnonzero((right + wrong).any(axis=1))
    stretch = np.repeat(np.stack([own.stretch for own in lessons], axis=1), labels, axis=1)
    coef = np.broadcast_to(start, (len(start), len(lessons), labels)).reshape(len(start), -1)
    coef = np.vstack([np.where(stretch > 0, coef[:-1] / np.maximum(stretch, 1e-9), 0), coef[-1:]])
    whole = _Design(x, stretch)
    if len(rows) == x.shape[0]:
        coef, scores = _search(whole, right, wrong, coef, enough)
    else:
        part = _Design(x[rows], stretch)
        coef, _ = _search(part, right[rows], wrong[rows], coef, enough)
        scores = whole.scores(coef)
    coef[:-1] *= stretch
    shape = -1, len(lessons), labels
    return Machines(coef.reshape(shape), scores.reshape(shape))


def _costs(rows: int, lessons: Sequence[Lesson]) -> tuple[Floats32, Floats32]:
    """Return what a wrong answer costs where a machine's label is right, and where it is not."""
    size = lessons[0].shares.shape[1]
    right, wrong = (np.zeros((rows, len(lessons) * size), np.float32) for _ in range(2))
    for number, lesson in enumerate(lessons):
        own = slice(number * size, (number + 1) * size)
        right[lesson.rows, own] = lesson.shares * lesson.weight[:, None]
        rest = lesson.shares.sum(axis=1, keepdims=True) - lesson.shares
        wrong[lesson.rows, own] = rest * lesson.weight[:, None]
    return right, wrong


@dataclass(frozen=True, slots=True)
class _Design:
    """A design matrix whose features each machine stretches; the last one is always 1."""

    x: Any
    stretch: Floats32  # (n_features, n_machines)

    def scores(self, coef: Floats32) -> Floats32:
        """Return the scores of every row, of shape (n_rows, n_machines)."""
        found: Floats32 = self.x @ (coef[:-1] * self.stretch)
        found += coef[-1]
        return found

    def back(self, slopes: Floats32) -> Floats32:
        """Return the transposed matrix times slopes of the rows' scores."""
        found = np.empty((len(self.stretch) + 1, slopes.shape[1]), np.float32)
        np.multiply(self.x.T @ slopes, self.stretch, out=found[:-1])
        found[-1] = slopes.sum(axis=0, dtype=np.float64)
        return found

    def squared(self) -> "_Design":
        """Return the design of squared values."""
        x = sparse.csr_matrix((self.x.data**2, self.x.indices, self.x.indptr), self.x.shape)
        return _Design(x, self.stretch**2)


def _search(
    design: _Design, right: Floats32, wrong: Floats32, coef: Floats32, enough: float
) -> tuple[Floats32, Floats32]:
    """Return coefficients of shape (n_features + 1, n_machines), and the scores of the rows."""
    squared, scores = design.squared(), design.scores(coef)
    far = enough * _lengths(2 * design.back(right - wrong))
    loss, slopes, bends = _losses(scores, coef, right, wrong)
    for step in range(_STEPS):
        gradient = coef + design.back(slopes)
        live = _lengths(gradient) > far
        if step and not live.any():  # one step at least: the start may know the held-out rows
            break
        move, moved = _step(design, squared, bends, gradient, live if step else far > 0)
        slope, length = _dots(gradient, move), np.ones(len(far), np.float32)
        while True:
            ahead = coef + length * move, scores + length * moved
            new, slopes, bends = _losses(ahead[1], ahead[0], right, wrong)
            long = new > loss + _DESCENT * length * slope + _ROUNDING * loss
            if not long.any():
                break
            length[long] /= 2
        (coef, scores), loss = ahead, new
    return coef, scores


def _losses(
    scores: Floats32, coef: Floats32, right: Floats32, wrong: Floats32
) -> tuple[Floats, Floats32, Floats32]:
    """Return each machine's loss, its slope by the rows' scores, and the bend of that."""
    low, high = np.maximum(1 - scores, 0), np.maximum(1 + scores, 0)
    slopes = wrong * high - right * low
    bends = 2 * (right * (low > 0) + wrong * (high > 0))
    loss = _dots(coef, coef) / 2 + _dots(right * low, low) + _dots(wrong * high, high)
    return loss, 2 * slopes, bends


def _step(
    design: _Design, squared: _Design, bends: Floats32, gradient: Floats32, live: Any
) -> tuple[Floats32, Floats32]:
    """Return how coefficients and scores change by a Newton step of the machines still alive."""
    sharp = 1 + squared.back(bends)
    move, rest = np.zeros_like(gradient), -gradient
    moved = np.zeros_like(bends)
    aim = rest / sharp
    product = _dots(rest, aim)
    first = product
    for _ in range(_TURNS):
        ahead = design.scores(aim)
        bent = aim + design.back(bends * ahead)
        length = np.where(live, product / np.maximum(_dots(aim, bent), 1e-30), 0)
        length = length.astype(np.float32)
        move += length * aim
        moved += length * ahead
        rest -= length * bent
        scaled = rest / sharp
        new = _dots(rest, scaled)
        live = live & (new > _CG**2 * first)
        if not live.any():
            break
        ratio = np.where(live, new / np.maximum(product, 1e-30), 0).astype(np.float32)
        aim, product = scaled + ratio * aim, new
    return move, moved


def _dots(one: Floats32, other: Floats32) -> Floats:
    found: Floats = np.einsum("ij,ij->j", one, other, dtype=np.float64)
    return found


def _lengths(values: Floats32) -> Floats:
    return np.sqrt(_dots(values, values))
