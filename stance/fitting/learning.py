"""Fits one head on some rows, and the temperature of its scores."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from threadpoolctl import threadpool_limits

from stance.arrays import Bools, Floats, Ints
from stance.errors import DataError
from stance.fitting.counts import BlockCounts
from stance.fitting.designs import Design, make_design
from stance.fitting.folds import LARGE
from stance.fitting.logistic import fit_logistic
from stance.fitting.machines import fit_machine
from stance.fitting.vectors import Vectors
from stance.model.heads import NEVER, BlockWeights, Head, softmax
from stance.recipe import HeadRecipe

FLOOR = 1e-12  # least probability in a log loss
EXACT, HELD_OUT = 1e-4, 1e-2
"""Violations at which a support vector machine stops: of a model, and of one that is only scored.

Scores of 8,002 and of 80,003 rows differed by less than 0.001 between the two, and no answer did;
the second takes half the time.
"""
CLOSE, HELD_OUT_PART = 1e-2, 1e-1
"""Violations where there are so many rows: of the model, and of one of part of the documents.

Of 20,000 answers that were held out of 100,000 rows, one and two differed from the optimum's.
"""
ABSENT = -5.0  # score of a class that a training fold does not hold


@dataclass(frozen=True, slots=True)
class Lessons:
    """Rows with soft labels alone: learned from, never scored. Nobody knows their true labels."""

    group: Ints
    weight: Floats
    soft: Floats


@dataclass(frozen=True, slots=True)
class Task:
    """A head to learn: counted features, labels, groups and weights of its rows.

    The counts of the lessons' rows stand after those of the others.
    """

    counts: dict[str, BlockCounts]
    recipe: HeadRecipe
    labels: tuple[str, ...]
    targeted: bool
    y: Ints
    group: Ints
    weight: Floats
    vectors: Vectors | None = None
    soft: Floats | None = None  # probabilities of the labels, to learn from in place of `y`
    typical: Bools | None = None  # rows by which the temperature is set; None for all
    lessons: Lessons | None = None

    @property
    def occurs(self) -> Bools:
        """Which labels any row has."""
        weights = np.eye(len(self.labels))[self.y] if self.soft is None else self.soft
        found: Bools = weights.max(axis=0) > 0
        return found

    @property
    def large(self) -> bool:
        """Whether its folds are learned at once."""
        plain = self.recipe.classifier.kind == "svc" and self.vectors is None
        return plain and len(self.y) >= LARGE

    def with_lessons(self, rows: Ints) -> tuple[Ints, Ints]:
        """Return rows to learn from, with lessons of no other document, and their groups."""
        if self.lessons is None:
            return rows, self.group[rows]
        others = np.setdiff1d(self.group, self.group[rows])
        extra = np.flatnonzero(~np.isin(self.lessons.group, others))
        group = np.concatenate([self.group[rows], self.lessons.group[extra]])
        return np.concatenate([rows, len(self.y) + extra]), group

    def targets(self, rows: Ints) -> tuple[Floats, Floats]:
        """Return shares of the labels of some rows, lessons among them, and their weights."""
        shares = np.eye(len(self.labels))[self.y] if self.soft is None else self.soft
        weight = self.weight
        if self.lessons is not None:
            shares = np.concatenate([shares, self.lessons.soft])
            weight = np.concatenate([weight, self.lessons.weight])
        return shares[rows], weight[rows]


def class_weights(
    y: Ints, source: Ints, share: Floats, balanced: bool, evenness: float = 1.0
) -> Floats:
    """Return a weight per row; ``share`` is the weight of each source's average row.

    If ``balanced``, the classes of each source weigh the same, or with an evenness of less than 1
    their size to the power of what it lacks.
    """
    weight: Floats = share[source].astype(np.float64)
    if not balanced:
        return weight
    for number in np.unique(source):
        rows = source == number
        counts = np.bincount(y[rows])
        own = np.maximum(counts, 1.0) ** -evenness
        weight[rows] *= (own * rows.sum() / (own @ counts))[y[rows]]
    return weight


def fit_head(task: Task, rows: Ints, seed: int, enough: float = EXACT) -> Head:
    """Fit a linear classifier on some rows; temperature 1, terms without names.

    ``enough`` is the violation at which a support vector machine stops.
    """
    rows, group = task.with_lessons(rows)
    counts, kind = task.counts, np.float32 if task.large else np.float64
    if len(rows) < next(iter(counts.values())).sums.shape[0]:
        counts = {name: own.take(rows) for name, own in counts.items()}
    design = make_design(counts, task.recipe.features, task.vectors, group, kind)
    return _head(task, design, *_linear(design, rows, task, seed, enough))


def _head(task: Task, design: Design, coef: Floats, intercept: Floats) -> Head:
    intercept = intercept.copy()
    intercept[1] += task.recipe.classifier.neutral_offset
    blocks, low = [], 0
    for name, weight, keys, idf in design.blocks:
        own = np.ascontiguousarray(coef[low : low + len(keys)], np.float32)
        blocks.append(BlockWeights(name, weight, keys, idf, own))
        low += len(keys)
    per_actor = task.recipe.features.per_actor
    return Head(task.labels, task.targeted, tuple(blocks), intercept, 1.0, per_actor)


def _linear(
    design: Design, rows: Ints, task: Task, seed: int, enough: float
) -> tuple[Floats, Floats]:
    """Return coefficients (n_features, n_labels) and intercepts, also for two classes."""
    x, vectored, recipe = design.x, design.vectored, task.recipe.classifier
    targets, weight = task.targets(rows)
    present = np.flatnonzero(targets.any(axis=0))
    if len(present) < 2:
        raise DataError(
            f"all {len(rows)} rows of a training fold are '{task.labels[present[0]]}'; "
            "label more paragraphs of the other classes"
        )
    if not x.shape[1]:
        raise DataError(
            f"no feature occurs in {task.recipe.features.min_df} training documents of a fold "
            f"({len(rows)} rows); label more paragraphs, or lower min_df in the recipe"
        )
    if not weight.any():
        raise DataError("every row has weight 0; give a corpus a weight in the recipe's [corpora]")
    coef = np.zeros((x.shape[1], len(task.labels)))
    intercept = np.where(task.occurs, ABSENT, NEVER)
    with threadpool_limits(1):
        if recipe.kind == "svc":
            found = fit_machine(x, vectored, targets[:, present], weight, recipe.c, (seed, enough))
        else:
            found = fit_logistic(x, vectored, targets[:, present], weight, recipe.c)
    coef[:, present], intercept[present] = found
    return coef, intercept


def score_rows(head: Head, counts: dict[str, BlockCounts], rows: Ints) -> Floats:
    """Score rows of the corpus from their counted features; the same as `Head.scores`."""
    total = np.tile(head.intercept, (len(rows), 1))
    for block in head.blocks:
        total += counts[block.name].take(rows).scores(block)
    return total


def temperature_of(task: Task, scores: Floats, rows: Ints) -> float:
    """Return the temperature that fits some rows of a task, or the typical ones among them."""
    if task.typical is not None and task.typical[rows].any():
        rows = rows[task.typical[rows]]
    return fit_temperature(scores[rows], task.y[rows])


def fit_temperature(scores: Floats, y: Ints) -> float:
    """Return the temperature of least log loss (Guo et al. 2017)."""

    def loss(log_temperature: float) -> float:
        probabilities = softmax(scores / np.exp(log_temperature))
        return float(-np.log(np.maximum(probabilities[np.arange(len(y)), y], FLOOR)).mean())

    found = minimize_scalar(loss, bounds=(-5, 5), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x))
