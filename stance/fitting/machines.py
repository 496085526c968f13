"""Support vector machines: one of scikit-learn, or those of all folds of a large corpus at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import sparse

from stance.arrays import Bools, Floats, Floats32, Ints
from stance.fitting.designs import Part
from stance.fitting.logistic import Vectored
from stance.interrupts import interruptible

_ROWS = 1 << 13  # handled at a time, so that they fit into the processor's cache
_CG = 0.3  # what a step of the search leaves of the residual
_FEW = 4  # machines alive up to which their products are faster one by one
_FREQUENT, _SAMPLE = 512, 8192  # features whose curvature is found, and about so many rows for it
_EACH = 64  # rows for one such feature, where they are fewer
_STEPS, _TURNS = 30, 60  # steps of a search, and turns of a step
_DESCENT, _ROUNDING = 1e-4, 1e-6  # of a line search: wanted decrease, and error of a float32 sum


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
    parts: Sequence[Part], costs: Floats, member: Bools, start: Floats32, enough: float
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
    costs : ndarray of shape (n_rows, n_labels)
        What an error costs if the row has that label: its weight, or its share of it.
    member : ndarray of shape (n_rows, n_lessons)
        Rows that a lesson learns from.
    start : ndarray of shape (n_features + 1, n_lessons or 1, n_labels)
        Where the search begins.
    enough : float
        Change of the rows' scores by a step, root mean square, at which the search stops.
    """
    lessons, labels = member.shape[1], costs.shape[1]
    idf, machines = np.concatenate([part.idf for part in parts]), lessons * labels
    width = machines if machines <= _FEW else -(-machines // _FEW) * _FEW
    coef = np.broadcast_to(start, (len(start), lessons, labels)).copy()
    coef[:-1] *= (idf > 0)[:, :, None]
    errors = _Errors(costs.astype(np.float32), member, width)
    found, scores = _search(_Design(parts, labels, width), errors, _widened(coef, width), enough)
    shape = -1, lessons, labels
    return Machines(found[:, :machines].reshape(shape), scores[:, :machines].reshape(shape))


@dataclass(frozen=True, slots=True)
class _Errors:
    """What errors of the machines cost, row by row."""

    costs: Floats32
    member: Bools
    width: int  # number of machines, those that learn nothing among them

    def _of_rows(self, rows: slice) -> tuple[Floats32, Floats32]:
        """Return what a wrong answer costs where a machine's label is right, and where it is not.

        Arrays of shape (n_rows, n_machines).
        """
        right, member = self.costs[rows], self.member[rows, :, None]
        wrong = right.sum(axis=1, keepdims=True) - right
        one, other = (_widened(costs[:, None] * member, self.width) for costs in (right, wrong))
        return one, other

    def losses(self, scores: Floats32) -> tuple[Floats, Floats32, Floats32]:
        """Return each machine's loss, its slope by the rows' scores, and the bend of that."""
        slopes, bends = np.empty_like(scores), np.empty_like(scores)
        loss = np.zeros(scores.shape[1])
        for low in range(0, len(scores), _ROWS):
            rows = slice(low, low + _ROWS)
            right, wrong = self._of_rows(rows)
            short, over = np.maximum(1 - scores[rows], 0), np.maximum(1 + scores[rows], 0)
            bends[rows] = 2 * (right * (short > 0) + wrong * (over > 0))
            right *= short
            wrong *= over
            slopes[rows] = 2 * (wrong - right)
            loss += _dots(right, short) + _dots(wrong, over)
        return loss, slopes, bends


@dataclass(frozen=True, slots=True)
class _Design:
    """The features of all rows as each machine weighs them; the last one is always 1."""

    parts: Sequence[Part]
    labels: int
    width: int

    def _of_machines(self, of_lessons: Floats32) -> Floats32:
        return _widened(np.repeat(of_lessons, self.labels, axis=1), self.width)

    def scores(self, coef: Floats32, live: Bools) -> Floats32:
        """Return the scores of every row, of shape (n_rows, n_machines), by the machines alive."""
        found = np.tile(coef[-1], (len(self.parts[0].scale), 1))
        low = 0
        for part in self.parts:
            own = self._of_machines(part.idf)
            own *= coef[low : low + len(own)]
            added = _product(part.sums, own, live)
            added *= self._of_machines(part.scale)
            found += added
            low += len(own)
        return found

    def columns(self, rows: Ints, features: Ints) -> Floats32:
        """Return the values of some features in some rows, as the first lesson weighs them."""
        found, low = [], 0
        for part in self.parts:
            own = features[(features >= low) & (features < low + len(part.idf))] - low
            found.append(part.sums[rows][:, own].toarray() * part.idf[own, 0])
            found[-1] *= part.scale[rows, :1]
            low += len(part.idf)
        return np.hstack(
            [*found, np.ones((len(rows), np.count_nonzero(features == low)), np.float32)]
        )

    def back(self, slopes: Floats32, live: Bools, squared: bool = False) -> Floats32:
        """Return the transposed features, or their squares, times slopes of the rows' scores."""
        sizes = np.cumsum([0, *(len(part.idf) for part in self.parts)]).tolist()
        found = np.empty((sizes[-1] + 1, slopes.shape[1]), np.float32)
        for part, (low, high) in zip(self.parts, pairwise(sizes), strict=True):
            sums, scale, idf = part.sums, part.scale, part.idf
            if squared:
                places = sums.indices, sums.indptr
                sums = sparse.csr_matrix((sums.data**2, *places), sums.shape)
                scale, idf = scale**2, idf**2
            weighed = self._of_machines(scale)
            weighed *= slopes
            found[low:high] = _product(sums.T, weighed, live)
            found[low:high] *= self._of_machines(idf)
        found[-1] = slopes.sum(axis=0, dtype=np.float64)
        return found


def _search(
    design: _Design, errors: _Errors, coef: Floats32, enough: float
) -> tuple[Floats32, Floats32]:
    """Return coefficients of shape (n_features + 1, n_machines), and the scores of the rows."""
    live = np.arange(errors.width) < errors.member.shape[1] * errors.costs.shape[1]
    scores = design.scores(coef, live)
    loss, slopes, bends = errors.losses(scores)
    loss += _dots(coef, coef) / 2
    for _ in range(_STEPS):  # one at least: the start may know the held-out rows
        gradient = design.back(slopes, live)
        gradient += coef
        move, moved = _step(design, bends, gradient, live)
        slope = _dots(gradient, move)
        added = length = np.ones(coef.shape[1])
        while True:
            _add(coef, move, added)
            _add(scores, moved, added)
            new, slopes, bends = errors.losses(scores)
            new += _dots(coef, coef) / 2
            long = new > loss + _DESCENT * length * slope + _ROUNDING * loss
            if not long.any():
                break
            added = np.where(long, -length / 2, 0)
            length = length + added
        loss = new
        live &= length * _lengths(moved) > enough * np.sqrt(len(moved))
        if not live.any():
            break
    return coef, scores


def _step(
    design: _Design, bends: Floats32, gradient: Floats32, live: Any
) -> tuple[Floats32, Floats32]:
    """Return how coefficients and scores change by a Newton step of the machines still alive."""
    nearly = _Nearly.of(design, bends, live)
    move, rest, moved = np.zeros_like(gradient), -gradient, np.zeros_like(bends)
    aim = nearly.solve(rest, np.empty_like(rest))
    product = _dots(rest, aim)
    first = product
    for _ in range(_TURNS):
        ahead = design.scores(aim, live)
        bent = design.back(bends * ahead, live)
        bent += aim
        length = np.where(live, product / np.maximum(_dots(aim, bent), 1e-30), 0)
        _add(move, aim, length)
        _add(moved, ahead, length)
        _add(rest, bent, -length)
        solved = nearly.solve(rest, bent)
        new = _dots(rest, solved)
        live = live & (new > _CG**2 * first)
        if not live.any():
            break
        aim *= np.where(live, new / np.maximum(product, 1e-30), 0).astype(np.float32)
        aim += solved
        product = new
    return move, moved


@dataclass(frozen=True, slots=True)
class _Nearly:
    """The curvature of each machine's loss, nearly: whole for frequent features, else a diagonal.

    Frequent features go together, so that a diagonal alone leaves the search many turns.
    """

    sharp: Floats32  # diagonal, of shape (n_features + 1, n_machines)
    frequent: Ints
    vectors: Floats32  # of the frequent features' curvature, which all machines share but for size
    shrunk: Floats32  # by how much a machine shrinks each
    bent: Bools  # whether a machine's loss bends with a frequent feature, which it may lack

    @classmethod
    def of(cls, design: _Design, bends: Floats32, live: Bools) -> "_Nearly":
        """Estimate it from some of the rows, given how much each loss bends there."""
        sharp = design.back(bends, live, squared=True)
        count = min(_FREQUENT, len(bends) // _EACH)
        frequent = np.sort(np.argsort(-sharp.sum(axis=1), kind="stable")[:count])
        rows = np.arange(0, len(bends), max(1, len(bends) // _SAMPLE))
        x, bend = design.columns(rows, frequent), bends[rows].mean(axis=1, keepdims=True)
        values, vectors = np.linalg.eigh(x.T @ (x * bend))
        size = sharp[frequent].sum(axis=0, dtype=np.float64) / max(values.sum(), 1e-30)
        shrunk = 1 / (1 + np.maximum(values, 0)[:, None] * size)
        bent = sharp[frequent] > 0
        sharp += 1
        return cls(sharp, frequent, vectors, shrunk.astype(np.float32), bent)

    def solve(self, values: Floats32, out: Floats32) -> Floats32:
        """Return values times the inverse."""
        frequent = self.vectors @ (self.shrunk * (self.vectors.T @ values[self.frequent]))
        np.divide(values, self.sharp, out=out)
        out[self.frequent] = np.where(self.bent, frequent, out[self.frequent])
        return out


def _widened(values: Floats32, width: int) -> Floats32:
    """Return values of each row's machines, and 0 for those that learn nothing."""
    values = values.reshape(len(values), -1)
    if values.shape[1] == width:
        return values
    wide = np.zeros((len(values), width), np.float32)
    wide[:, : values.shape[1]] = values
    return wide


def _product(matrix: Any, columns: Floats32, live: Bools) -> Floats32:
    """Return a sparse matrix times some columns, 0 where a column is not alive."""
    alive = np.flatnonzero(live).tolist()
    if len(alive) > _FEW:
        found: Floats32 = matrix @ columns
        return found
    found = np.zeros((matrix.shape[0], len(live)), np.float32)
    for column in alive:
        found[:, column] = matrix @ np.ascontiguousarray(columns[:, column])
    return found


def _add(total: Floats32, values: Floats32, factor: Floats) -> None:
    """Add each column's multiple of some values, without a copy of them all."""
    factor = factor.astype(np.float32)
    for low in range(0, len(total), _ROWS):
        total[low : low + _ROWS] += values[low : low + _ROWS] * factor


def _dots(one: Floats32, other: Floats32) -> Floats:
    found: Floats = np.einsum("ij,ij->j", one, other, dtype=np.float64)
    return found


def _lengths(values: Floats32) -> Floats:
    return np.sqrt(_dots(values, values))
