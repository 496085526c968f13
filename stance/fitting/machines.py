"""Support vector machines: those of scikit-learn, and those of large corpora."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import sparse

from stance.arrays import Bools, Floats, Floats32, Ints
from stance.fitting.designs import Part
from stance.fitting.logistic import Vectored
from stance.interrupts import interruptible

_ROWS = 1 << 14  # handled at a time
_CG = 0.3  # what a step of the search leaves of the residual
_FREQUENT, _EACH = 1024, 64  # features known to go together, and rows for one where they are fewer
_SAMPLE = 8192  # rows, about, in which these are looked at
_MOST = 0.8  # share of the rows above which they are not worth a copy
_ALIKE = 0.05  # relative difference of two numbers of rows that bend the loss nearly alike
_STEPS, _TURNS = 30, 100  # steps of a search, and turns of a step
_SWEEPS = 10_000  # steps of the search of scikit-learn
_CLOSE = 5  # times what is enough, a step can be the last
_DESCENT, _ROUNDING = 1e-4, 1e-6  # of a line search: wanted decrease, and error of a float32 sum


def fit_machine(
    x: Any, vectored: Sequence[Vectored], targets: Floats, weight: Floats, c: float,
    search: tuple[int, float],
) -> tuple[Floats, Floats]:  # fmt: skip
    """Return what `fit_logistic` does, by the linear support vector machine of scikit-learn.

    A row with soft labels is learned from once per label that it may have. The search has a seed
    and a violation at which it stops.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC

    common = [sparse.csr_matrix(x[:, part.columns] @ part.vectors) for part in vectored]
    copy, y = np.nonzero(targets)
    x, every = sparse.hstack([x, *common], format="csr") if common else x, len(copy) == len(targets)
    seed, enough = search
    model = LinearSVC(C=c, random_state=seed, tol=enough, max_iter=_SWEEPS, dual=True)
    cost = weight[copy] * targets[copy, y]
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        interruptible(lambda: model.fit(x if every else x[copy], y, sample_weight=cost))
    if model.n_iter_ >= _SWEEPS:
        _warn_of_no_end(_SWEEPS)
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
    parts: Sequence[Part],
    costs: Floats,
    start: Floats32,
    enough: float,
    frequent: "Frequent | None" = None,
) -> Floats32:
    """Learn one machine per label: those of `sklearn.svm.LinearSVC`, on the counts themselves.

    They have a squared hinge loss. The search is a finite Newton method with conjugate gradients
    (Keerthi and DeCoste 2005, "A Modified Finite Newton Method for Fast Solution of Large Scale
    Linear SVMs"), whose turns look at the rows alone that a machine does not yet answer surely.

    Parameters
    ----------
    parts : sequence of Part
        Of the same rows.
    costs : ndarray of shape (n_rows, n_labels)
        What an error costs if the row has that label: its weight, or its share of it. All are 0
        for a row that is not learned from.
    start : ndarray of shape (n_features + 1, n_labels)
        Where the search begins.
    enough : float
        Error of the rows' scores, root mean square as estimated, at which the search stops.
    frequent : Frequent, optional
        What is known of the features; else it is found in the rows.

    Returns
    -------
    ndarray of shape (n_features + 1, n_labels)
        The last row holds the intercepts.
    """
    design, coef, total = _Design.of(parts), np.empty_like(start), costs.sum(axis=1)
    frequent = frequent or Frequent.of(parts)
    for label in range(costs.shape[1]):
        right = costs[:, label].astype(np.float32)
        errors = _Errors(right, (total - costs[:, label]).astype(np.float32))
        begin = np.ascontiguousarray(start[:, label])
        coef[:, label] = _search(design, errors, frequent, begin, enough)
    return coef


@dataclass(frozen=True, slots=True)
class _Errors:
    """What a wrong answer costs, row by row: where the label is right, and where it is not."""

    right: Floats32
    wrong: Floats32

    def losses(self, scores: Floats32) -> tuple[float, Floats32, Floats32]:
        """Return the loss, its slope by the rows' scores, and the bend of that."""
        short, over = np.maximum(1 - scores, 0), np.maximum(1 + scores, 0)
        bends = 2 * (self.right * (short > 0) + self.wrong * (over > 0))
        right, wrong = self.right * short, self.wrong * over
        return _dot(right, short) + _dot(wrong, over), 2 * (wrong - right), bends


@dataclass(frozen=True, slots=True)
class _Design:
    """The weighed features of some rows; the last one is always 1."""

    sums: Sequence[Any]  # of each part, sparse
    idf: Sequence[Floats32]
    scale: Sequence[Floats32]

    @classmethod
    def of(cls, parts: Sequence[Part]) -> "_Design":
        """Return the design of some blocks."""
        sums, idf, scale = zip(*((part.sums, part.idf, part.scale) for part in parts), strict=True)
        return cls(sums, idf, scale)

    @property
    def lows(self) -> list[int]:
        """Number of each part's first feature, and of the last feature of all."""
        return [0, *np.cumsum([len(idf) for idf in self.idf]).tolist()]

    def scores(self, coef: Floats32) -> Floats32:
        """Return the score of every row."""
        found = np.full(len(self.scale[0]), coef[-1])
        for sums, idf, scale, (low, high) in self._parts():
            found += scale * (sums @ (idf * coef[low:high]))
        return found

    def back(self, slopes: Floats32) -> Floats32:
        """Return the transposed features times slopes of the rows' scores."""
        found = np.empty(self.lows[-1] + 1, np.float32)
        for sums, idf, scale, (low, high) in self._parts():
            found[low:high] = idf * (sums.T @ (scale * slopes))
        found[-1] = slopes.sum(dtype=np.float64)
        return found

    def take(self, rows: Ints) -> "_Design":
        """Return some of the rows."""
        sums = [part[rows] for part in self.sums]
        return _Design(sums, self.idf, [scale[rows] for scale in self.scale])

    def moments(self, bends: Floats32) -> tuple[Floats32, Floats32]:
        """Return means of the features, and sums of squares of what they differ from them by.

        A row counts by how much its loss bends. The last feature has the mean 0.
        """
        total = np.float32(max(bends.sum(dtype=np.float64), 1e-30))
        means, found = self.back(bends) / total, np.empty(self.lows[-1] + 1, np.float32)
        for sums, idf, scale, (low, high) in self._parts():
            squares, times = np.zeros(high - low, np.float32), scale**2 * bends
            for first in range(0, len(scale), _ROWS):
                ends = sums.indptr[first : first + _ROWS + 1]
                some = slice(ends[0], ends[-1])
                part = sums.data[some] ** 2, sums.indices[some], ends - ends[0]
                own = sparse.csr_matrix(part, (len(ends) - 1, high - low))
                squares += own.T @ times[first : first + _ROWS]
            found[low:high] = idf**2 * squares
        means[-1], found[-1] = 0, total
        return means, np.maximum(found - total * means**2, 0)

    def columns(self, features: Ints) -> Floats32:
        """Return the values of some features, of which none is the last."""
        found = []
        for sums, idf, scale, (low, high) in self._parts():
            own = features[(features >= low) & (features < high)] - low
            found.append(sums[:, own].toarray() * idf[own] * scale[:, None])
        return np.hstack(found)

    def _parts(self) -> Iterator[tuple[Any, Floats32, Floats32, tuple[int, int]]]:
        return zip(self.sums, self.idf, self.scale, pairwise(self.lows), strict=True)


def _search(
    design: _Design, errors: _Errors, frequent: "Frequent", coef: Floats32, enough: float
) -> Floats32:
    """Return the coefficients of a machine."""
    coef[:-1] *= np.concatenate(design.idf) > 0
    scores = design.scores(coef)
    loss, slopes, bends = errors.losses(scores)
    loss += _dot(coef, coef) / 2
    nearly, least = None, 0.0
    for _ in range(_STEPS):
        rows = np.flatnonzero(bends)  # the loss of the others is 0
        bent: Ints | slice = slice(None)
        some = design
        if len(rows) < _MOST * len(bends):
            some, bent = design.take(rows), rows
        gradient = some.back(slopes[bent])
        gradient += coef
        if nearly is not None and nearly.energy(gradient) <= least:
            return coef
        nearly = (nearly or frequent).at(some, bends[bent], len(rows))
        move = _step(some, bends[bent], gradient, nearly)
        moved = design.scores(move)
        slope, length = _dot(gradient, move), 1.0
        while True:
            tried, answered = coef + np.float32(length) * move, scores + np.float32(length) * moved
            new, slopes, bends = errors.losses(answered)
            new += _dot(tried, tried) / 2
            if not new > loss + _DESCENT * length * slope + _ROUNDING * loss:  # nor if it is nan
                break
            length /= 2
        coef, scores, loss = tried, answered, new
        # The next step is taken to change scores as much as this one did for its energy.
        changed = float(np.sqrt(_dot(moved, moved) / len(moved)))
        least = -slope * (enough / changed) ** 2 if 0 < changed < _CLOSE * enough else 0.0
    _warn_of_no_end(_STEPS)
    return coef


def _warn_of_no_end(steps: int) -> None:
    why = f"the search for a machine ended after {steps:,} steps; lower c or the corpora's weights"
    warnings.warn(why, RuntimeWarning, stacklevel=3)


def _step(design: _Design, bends: Floats32, gradient: Floats32, nearly: "_Nearly") -> Floats32:
    """Return a Newton step of the coefficients, by what the second derivative nearly is."""
    rest = -gradient
    aim = nearly.solve(rest)
    energy = product = _dot(rest, aim)  # nearly
    move = np.zeros_like(gradient)
    for _ in range(_TURNS):
        ahead = design.back(bends * design.scores(aim))
        ahead += aim
        length = np.float32(product / max(_dot(aim, ahead), 1e-30))
        move += length * aim
        rest -= length * ahead
        solved = nearly.solve(rest)
        new = _dot(rest, solved)
        if new <= _CG**2 * energy:
            break
        aim *= np.float32(new / product)
        aim += solved
        product = new
    return move


@dataclass(frozen=True, slots=True)
class Frequent:
    """How the most frequent features go together, which is much alike for all machines."""

    features: Ints
    vectors: Floats32  # of their covariance
    values: Floats32

    @classmethod
    def of(cls, parts: Sequence[Part]) -> "Frequent":
        """Find it in some of the rows."""
        design, count = _Design.of(parts), len(parts[0].scale)
        some = design.take(np.arange(0, count, max(1, count // _SAMPLE)))
        means, sharp = some.moments(np.ones(len(some.scale[0]), np.float32))
        order = np.argsort(-sharp[:-1], kind="stable")
        features = np.sort(order[: min(_FREQUENT, count // _EACH)])
        x = some.columns(features) - means[features]
        values, vectors = np.linalg.eigh(x.T @ x)
        return cls(features, vectors, np.maximum(values, 0))

    def at(self, design: _Design, bends: Floats32, rows: int) -> "_Nearly":
        """Estimate a second derivative from means and squares, and what these have in common."""
        means, sharp = design.moments(bends)
        own = sharp[self.features]
        size = own.sum(dtype=np.float64) / max(self.values.sum(dtype=np.float64), 1e-30)
        shrunk: Floats32 = np.float32(1) / (1 + self.values * np.float32(size))
        return _Nearly(rows, means, sharp + 1, self, shrunk, own > 0)


@dataclass(frozen=True, slots=True)
class _Nearly:
    """The second derivative, nearly: whole for frequent features, else its diagonal.

    Frequent features go together, so that a diagonal alone leaves the search many turns. So do all
    features, as no value is below 0: it is that of what they differ from their means by.
    """

    rows: int  # that bend the loss
    means: Floats32  # of the features, by how much the loss bends
    sharp: Floats32  # its diagonal
    frequent: Frequent
    shrunk: Floats32  # by how much each vector of the frequent features shrinks
    bends: Bools  # whether the loss bends with a frequent feature

    def at(self, design: _Design, bends: Floats32, rows: int) -> "_Nearly":
        """Return it where the loss bends so much; the same if nearly as many rows do."""
        if abs(rows - self.rows) <= _ALIKE * self.rows:
            return self
        return self.frequent.at(design, bends, rows)

    def energy(self, gradient: Floats32) -> float:
        """Return the energy of the step that a gradient asks for.

        It is the sum of its squares, and of those by which it changes scores, each times how the
        loss bends there.
        """
        return _dot(gradient, self.solve(gradient))

    def solve(self, values: Floats32) -> Floats32:
        """Return values times the inverse."""
        values = values - values[-1] * self.means
        found = values / self.sharp
        features, vectors = self.frequent.features, self.frequent.vectors
        own = np.where(self.bends, values[features], np.float32(0))
        own = vectors @ (self.shrunk * (vectors.T @ own))
        found[features] = np.where(self.bends, own, found[features])
        found[-1] -= _dot(self.means, found)
        return found


def _dot(one: Floats32, other: Floats32) -> float:
    return float(np.einsum("i,i->", one, other, dtype=np.float64))
