"""What a head is learned from, the solvers of scikit-learn that fit it, and its temperature."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import minimize_scalar
from threadpoolctl import threadpool_limits

from stance.arrays import Bools, Floats, Floats32, Ints, Keys
from stance.errors import DataError
from stance.fitting.counts import BlockCounts, stack_rows
from stance.fitting.vectors import Vectors
from stance.model.heads import NEVER, BlockWeights, Head
from stance.recipe import Classifier, HeadRecipe

TOLERANCE = {"svc": 1e-2, "logistic": 1e-4}
"""At which a search stops, of the model and of its folds.

On 31,786 pairs of real news, held-out answers of support vector machines at 1e-2, 1e-3 and 1e-4
have the same macro-F1 to the fourth digit; logistic regression at 1e-3 may stop where it starts.
"""
MOST_STEPS = 10_000
SLICE = 1 << 13  # rows whose features are weighed at a time
FLOOR = 1e-12  # least probability in a log loss
ABSENT = -5.0  # score of a class that a training fold does not hold


@dataclass(frozen=True, slots=True)
class Lessons:
    """Rows with soft labels alone: learned from, never scored. Nobody knows their true labels."""

    group: Ints
    weight: Floats
    soft: Floats


@dataclass(frozen=True, slots=True)
class Task:
    """A head to learn: counted features, labels, documents and weights of its rows.

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
    topic: Ints | None = None  # of each row, those of the lessons last, if learned separately

    @property
    def occurs(self) -> Bools:
        """Which labels any row has."""
        weights = np.eye(len(self.labels))[self.y] if self.soft is None else self.soft
        return np.asarray(weights.max(axis=0) > 0)

    @property
    def groups(self) -> Ints:
        """Group of each row, those of the lessons last."""
        return np.concatenate([self.group, *([self.lessons.group] if self.lessons else [])])

    def with_lessons(self, rows: Ints) -> Ints:
        """Return rows to learn from, with lessons of no other document."""
        if self.lessons is None:
            return rows
        others = np.setdiff1d(self.group, self.group[rows])
        extra = np.flatnonzero(~np.isin(self.lessons.group, others))
        return np.concatenate([rows, len(self.y) + extra])

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


def present_labels(task: Task, targets: Floats, weight: Floats) -> Ints:
    """Return the labels that rows have; raise if nothing can be learned from them."""
    present = np.flatnonzero(targets.any(axis=0))
    if len(present) < 2:
        raise DataError(
            f"all {len(targets)} rows of a training fold are '{task.labels[present[0]]}'; "
            "label more paragraphs of the other classes"
        )
    if not weight.any():
        raise DataError("every row has weight 0; give a corpus a weight in the recipe's [corpora]")
    return present


def fit_head(task: Task, rows: Ints, seed: int) -> Head:
    """Fit a linear classifier on some rows; temperature 1, terms without names."""
    rows = task.with_lessons(rows)
    design = _make_design(task, rows)
    targets, weight = task.targets(rows)
    present = present_labels(task, targets, weight)
    if not design.x.shape[1]:
        raise DataError(
            f"no feature occurs in {task.recipe.features.min_df} training documents of a fold "
            f"({len(rows)} rows); label more paragraphs, or lower min_df in the recipe"
        )
    coef = np.zeros((design.x.shape[1], len(task.labels)))
    intercept = np.where(task.occurs, ABSENT, NEVER)
    with threadpool_limits(1):
        coef[:, present], intercept[present] = fit_linear(
            design.x, design.vectors, targets[:, present], weight, task.recipe.classifier, seed
        )
    intercept[1] += task.recipe.classifier.neutral_offset
    blocks, low = [], 0
    for name, keys, idf in design.blocks:
        part = np.ascontiguousarray(coef[low : (low := low + len(keys))], np.float32)
        blocks.append(BlockWeights(name, task.recipe.features.blocks[name], keys, idf, part))
    own = bool(task.recipe.features.per_actor)
    return Head(task.labels, task.targeted, tuple(blocks), intercept, 1.0, own)


@dataclass(frozen=True, slots=True)
class _Design:
    """What a head learns from: values of the features that occur in enough documents."""

    x: Any  # sparse, of shape (n_rows, n_features)
    blocks: Sequence[tuple[str, Keys, Floats32]]  # name, features and their idf
    vectors: Any  # of the features, sparse, of shape (n_features, n_dimensions)


def _make_design(task: Task, rows: Ints) -> _Design:
    features, group = task.recipe.features, task.groups[rows]
    topic = None if task.topic is None else task.topic[rows]
    columns, blocks, vectors, size = [], [], [], 0
    for name in features.blocks:
        counts = task.counts[name].take(rows)
        idf = counts.idf(group, features.min_df, topic)
        columns.append(kept := np.flatnonzero(idf))
        blocks.append((name, counts.keys[kept], idf[kept]))
        size += int(np.count_nonzero(idf.take(counts.sums.indices)))
        vectors.append(sparse.csr_matrix((len(kept), 0)))
        if task.vectors is not None and features.vectors.get(name):
            known = task.vectors.of_features(name, counts.keys[kept])
            # So that a row of them is as long on average as the recipe says.
            values = counts.values(kept, idf[kept], features.blocks[name])
            length = np.sqrt(((values @ known) ** 2).sum() / len(rows))
            vectors[-1] = sparse.csr_matrix(known * (features.vectors[name] / length))
    slices = (
        sparse.hstack(
            [
                task.counts[name].take(part).values(kept, idf, features.blocks[name])
                for kept, (name, _, idf) in zip(columns, blocks, strict=True)
            ],
            format="csr",
        )
        for part in np.array_split(rows, len(rows) // SLICE + 1)
    )
    x = stack_rows(slices, size, sum(map(len, columns)), np.float64)  # as solvers need them
    return _Design(x, blocks, sparse.block_diag(vectors, "csr"))


def fit_linear(
    x: Any, vectors: Any, targets: Floats, weight: Floats, recipe: Classifier, seed: int
) -> tuple[Floats, Floats]:
    """Return coefficients (n_features, n_labels) and intercepts (n_labels,) of a classifier.

    A row with soft labels is learned from once per label that it may have. Where words have
    vectors, these are further columns: what words of like use have in common is learned there, and
    added to what each word has of its own.

    Parameters
    ----------
    x : sparse matrix of shape (n_rows, n_features)
    vectors : sparse matrix of shape (n_features, n_dimensions)
    targets : ndarray of shape (n_rows, n_labels)
        Share of each label of a row.
    weight : ndarray of shape (n_rows,)
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import LinearSVC

    row, y = np.nonzero(targets)
    columns = sparse.hstack([x, x @ vectors], format="csr") if vectors.shape[1] else x
    if len(row) > len(targets):
        columns = columns[row]
    if recipe.kind == "svc":
        model = LinearSVC(
            C=recipe.c, random_state=seed, tol=TOLERANCE["svc"], max_iter=MOST_STEPS, dual=True
        )
    else:
        model = LogisticRegression(C=recipe.c, tol=TOLERANCE["logistic"], max_iter=MOST_STEPS)
    with warnings.catch_warnings(action="ignore"):  # of no end, which is an error here
        model.fit(columns, y, sample_weight=weight[row] * targets[row, y])
    if np.max(model.n_iter_) >= MOST_STEPS or not np.isfinite(model.coef_).all():
        why = "errors cost too much to learn from"
        raise DataError(f"{why}; lower the recipe's c, or the weights of its corpora")
    coef, intercept = model.coef_.T, model.intercept_
    if targets.shape[1] == 2:  # the second label's, and for probabilities half of it each
        half = 1 if recipe.kind == "svc" else 2
        coef, intercept = np.hstack([-coef, coef]) / half, np.append(-intercept, intercept) / half
    own, shared = coef[: x.shape[1]], coef[x.shape[1] :]
    return own + vectors @ shared, intercept


def score_rows(head: Head, counts: dict[str, BlockCounts], rows: Ints) -> Floats:
    """Score rows of the counts; the same as `Head.scores`."""
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
    columns, rows = np.ascontiguousarray(scores.T), np.arange(len(y))

    def loss(log_temperature: float) -> float:  # that of `softmax`, in a quarter of its time
        powers = columns / np.exp(log_temperature)
        powers -= powers.max(axis=0)
        np.exp(powers, out=powers)
        right = powers[y, rows] / powers.sum(axis=0)
        return float(-np.log(np.maximum(right, FLOOR)).mean())

    best = minimize_scalar(loss, bounds=(-5, 5), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(best.x))
