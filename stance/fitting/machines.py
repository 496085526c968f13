"""Support vector machines: one of scikit-learn, or those of all folds of a large corpus at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from stance.arrays import Floats, Floats32, Ints
from stance.fitting.designs import Part
from stance.fitting.logistic import Vectored
from stance.interrupts import interruptible

ENOUGH = 3e-4
"""Length of the gradient, by that of the gradient at zero, at which the search stops.

Tests bound how far what it finds is from the optimum.
"""
_CG = 0.1  # what a step of the search leaves of the residual
_STEPS, _TURNS = 30, 60  # steps of a search, and turns of a step
_DESCENT, _ROUNDING = 1e-4, 1e-6  # of a line search: wanted decrease, and error of a float32 sum


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a machine per label learns from: rows of a design, and what errors cost."""

    rows: Ints
    shares: Floats  # of the labels, of shape (n_rows, n_labels)
    weight: Floats


@dataclass(frozen=True, slots=True)
class Machines:
    """What was learned from each lesson."""

    coef: Floats32  # (n_features + 1, n_lessons, n_labels), the last for the intercept
    scores: Floats32  # (n_rows, n_lessons, n_labels), of every row


def fit_machine(
    x: Any, vectored: Sequence[Vectored], targets: Floats, weight: Floats, c: float,
    search: tuple[int, float],
) -> tuple[Floats, Floats]:  # fmt: skip
    """Return what `fit_logistic` does, by the linear support vector machine of scikit-learn.

    A row with soft labels is learned from once per label that it may have. The search has a seed
    and a violation at which it stops.
    """
    from sklearn.svm import LinearSVC

    common = [sparse.csr_matrix(x[:, part.columns] @ part.vectors) for part in vectored]
    copy, y = np.nonzero(targets)
    x, every = sparse.hstack([x, *common], format="csr") if common else x, len(copy) == len(targets)
    seed, enough = search
    model = LinearSVC(C=c, random_state=seed, tol=enough, max_iter=10_000, dual=True)
    cost = weight[copy] * targets[copy, y]
    interruptible(lambda: model.fit(x if every else x[copy], y, sample_weight=cost))
    coef, intercept = model.coef_.T, model.intercept_
    if targets.shape[1] == 2:
        coef, intercept = np.hstack([-coef, coef]), np.concatenate([-intercept, intercept])
    low = x.shape[1] - sum(part.vectors.shape[1] for part in vectored)
    whole = coef[:low].copy()
    for part in vectored:  # what words of like use have in common is each one's own too
        size = part.vectors.shape[1]
        whole[part.columns] += part.vectors @ coef[low : low + size]
        low += size
    return whole, intercept


def fit_machines(
    parts: Sequence[Part], lessons: Sequence[Lesson], start: Floats32, enough: float = ENOUGH
) -> Machines:
    """Learn one machine per lesson and label: those of `sklearn.svm.LinearSVC`.

    They have a squared hinge loss. The search is a finite Newton method with conjugate gradients
    (Keerthi and DeCoste 2005, "A Modified Finite Newton Method for Fast Solution of Large Scale
    Linear SVMs"), for all machines at once, so that the counts are read once per turn, and are
    copied for none.

    Parameters
    ----------
    parts : sequence of Part
        Of the same rows and lessons.
    start : ndarray of shape (n_features + 1, n_lessons or 1, n_labels)
        Where the search begins.
    """
    labels = lessons[0].shares.shape[1]
    right, wrong = _costs(parts[0].sums.shape[0], lessons)
    idf = np.concatenate([part.idf for part in parts])
    coef = np.broadcast_to(start, (len(start), len(lessons), labels)).copy()
    coef[:-1] *= (idf > 0)[:, :, None]
    found, scores = _search(
        _Design(parts, labels), right, wrong, coef.reshape(len(start), -1), enough
    )
    shape = -1, len(lessons), labels
    return Machines(found.reshape(shape), scores.reshape(shape))


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
    """The features of all rows as each machine weighs them; the last one is always 1."""

    parts: Sequence[Part]
    labels: int

    def _of_machines(self, of_lessons: Floats32) -> Floats32:
        return np.repeat(of_lessons, self.labels, axis=1)

    def scores(self, coef: Floats32) -> Floats32:
        """Return the scores of every row, of shape (n_rows, n_machines)."""
        found = np.tile(coef[-1], (len(self.parts[0].scale), 1))
        low = 0
        for part in self.parts:
            own = coef[low : low + len(part.idf)] * self._of_machines(part.idf)
            added = part.sums @ own
            added *= self._of_machines(part.scale)
            found += added
            low += len(own)
        return found

    def back(self, slopes: Floats32) -> Floats32:
        """Return the transposed features times slopes of the rows' scores."""
        found = [
            (part.sums.T @ (slopes * self._of_machines(part.scale))) * self._of_machines(part.idf)
            for part in self.parts
        ]
        return np.vstack([*found, slopes.sum(axis=0, dtype=np.float64).astype(np.float32)])

    def squared(self) -> "_Design":
        """Return the design of squared values."""
        parts = [Part(part.sums.power(2), part.idf**2, part.scale**2) for part in self.parts]
        return replace(self, parts=parts)


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
