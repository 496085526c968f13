"""Fits and cross-validates one head; nothing else composes scikit-learn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import minimize_scalar
from threadpoolctl import threadpool_limits

from stance.arrays import Bools, Floats, Floats32, Ints, Keys
from stance.errors import DataError
from stance.fitting.counts import BlockCounts
from stance.fitting.folds import LARGE, Cut, fold_cuts
from stance.fitting.logistic import Vectored, fit_logistic
from stance.fitting.machines import Lesson, fit_machines
from stance.fitting.vectors import Vectors
from stance.interrupts import interruptible
from stance.model.heads import NEVER, BlockWeights, Head, softmax
from stance.recipe import HeadRecipe

FLOOR = 1e-12  # least probability in a log loss
_CHUNK = 4096  # rows whose vectors are summed at a time
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


@dataclass(frozen=True, slots=True)
class Held:
    """Held-out answers of a cross-validation by group, of shape (n_rows, n_labels)."""

    scores: Floats
    probabilities: Floats  # at the temperature that fits the other folds


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
    design = _design(task, rows)
    return _head(task, design, *_linear(design, task, seed, enough))


@dataclass(frozen=True, slots=True)
class _Design:
    """What a head learns from: values of features that occur in enough documents."""

    rows: Ints  # with those of lessons
    x: Any
    blocks: Sequence[tuple[str, float, Keys, Floats32]]  # name, weight, features and their idf
    vectored: Sequence[Vectored]


def _design(task: Task, rows: Ints) -> _Design:
    """Return the design matrix of some rows; in half the memory where there are many."""
    parts, kept_by_block, vectored = [], [], []
    rows, group = task.with_lessons(rows)
    _, group = np.unique(group, return_inverse=True)
    features, kind = task.recipe.features, np.float32 if task.large else np.float64
    least = min(features.min_df, int(group.max()) + 1)  # a fold may be one document
    every = task.large and len(rows) == task.counts[next(iter(features.blocks))].sums.shape[0]
    for name, weight in features.blocks.items():
        counts = task.counts[name] if every else task.counts[name].take(rows)
        df = np.bincount(counts.sums.indices, minlength=len(counts.keys))
        kept = np.flatnonzero(_documents(counts, group) >= least)
        # Smoothed inverse document frequency, as scikit-learn's TfidfTransformer has it.
        idf = (np.log((1 + len(rows)) / (1 + df[kept])) + 1).astype(np.float32)
        values, keys = counts.values(kept, idf, weight), counts.keys[kept]
        parts.append(values.astype(kind, copy=False))
        kept_by_block.append((name, weight, keys, idf))
        if task.vectors is not None and features.vectors.get(name):
            found = task.vectors.of_features(name, keys)
            squares = sum(
                ((values[low : low + _CHUNK] @ found) ** 2).sum()
                for low in range(0, len(rows), _CHUNK)
            )
            # So that a row of them is as long on average as the recipe says.
            scale = features.vectors[name] / np.sqrt(squares / len(rows))
            low = sum(len(own) for _, _, own, _ in kept_by_block[:-1])
            vectored.append(Vectored(low, found * scale))
    return _Design(rows, sparse.hstack(parts, format="csr"), kept_by_block, vectored)


def _head(task: Task, design: _Design, coef: Floats, intercept: Floats) -> Head:
    intercept = intercept.copy()
    intercept[1] += task.recipe.classifier.neutral_offset
    blocks, low = [], 0
    for name, weight, keys, idf in design.blocks:
        own = np.ascontiguousarray(coef[low : low + len(keys)], np.float32)
        blocks.append(BlockWeights(name, weight, keys, idf, own))
        low += len(keys)
    per_actor = task.recipe.features.per_actor
    return Head(task.labels, task.targeted, tuple(blocks), intercept, 1.0, per_actor)


def _documents(counts: BlockCounts, group: Ints) -> Ints:
    """Return in how many documents each feature occurs; several rows of one count once."""
    occurs = counts.sums.astype(np.bool_).astype(np.int32)
    ones, shape = np.ones(len(group), np.int32), (group.max() + 1, len(group))
    member = sparse.csr_matrix((ones, (group, np.arange(len(group)))), shape)
    return np.bincount((member @ occurs).indices, minlength=len(counts.keys))


def _linear(design: _Design, task: Task, seed: int, enough: float) -> tuple[Floats, Floats]:
    """Return coefficients (n_features, n_labels) and intercepts, also for two classes."""
    x, vectored, rows, recipe = design.x, design.vectored, design.rows, task.recipe.classifier
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
            found = _fit_svc(x, vectored, targets[:, present], weight, recipe.c, (seed, enough))
        else:
            found = fit_logistic(x, vectored, targets[:, present], weight, recipe.c)
    coef[:, present], intercept[present] = found
    return coef, intercept


def _fit_svc(
    x: Any, vectored: Sequence[Vectored], targets: Floats, weight: Floats, c: float,
    search: tuple[int, float],
) -> tuple[Floats, Floats]:  # fmt: skip
    """Return what `fit_logistic` does, by a linear support vector machine.

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


def learn(task: Task, fold: Ints, seed: int, jobs: int = 1) -> tuple[Head, Held]:
    """Fit a head on all its rows, and score every row by a model that has not seen its group.

    Raises
    ------
    DataError
        If a fold leaves too little to learn from.
    """
    if not task.large:
        held = cross_validate(task, fold, seed, jobs)
        return fit_head(task, np.arange(len(task.y)), seed), held
    design = _design(task, np.arange(len(task.y)))
    coef, intercept = _linear(design, task, seed, CLOSE)
    scores = _score_folds(task, design, fold_cuts(fold, seed), np.vstack([coef, intercept]))
    return _head(task, design, coef, intercept), _held(task, fold_cuts(fold, seed), scores)


def _score_folds(task: Task, design: _Design, cuts: Sequence[Cut], whole: Floats) -> Floats:
    """Score the rows of each fold by machines of the others, whose search begins at the model.

    Vocabulary and idf are those of the others, too; only the length that a row is given is that of
    all rows.
    """
    targets, weight = task.targets(design.rows)
    present = np.flatnonzero(targets.any(axis=0))
    cost, idf = weight * task.recipe.classifier.c, np.concatenate([own[3] for own in design.blocks])
    lessons = []
    for cut in cuts:
        rows, group = task.with_lessons(cut.train)
        stretch = _stretch(design.x, idf, rows, group, task.recipe.features.min_df)
        lessons.append(Lesson(rows, targets[rows][:, present], cost[rows], stretch))
    start = whole[:, None, present].astype(np.float32)
    with threadpool_limits(1):
        found = fit_machines(design.x, lessons, start).scores
    scores = np.tile(np.where(task.occurs, ABSENT, NEVER), (len(task.y), 1))
    for number, cut in enumerate(cuts):
        scores[np.ix_(cut.test, present)] = found[cut.test, number]
    scores[:, 1] += task.recipe.classifier.neutral_offset
    return scores


def _stretch(x: Any, idf: Floats32, rows: Ints, group: Ints, min_df: int) -> Floats32:
    """Return idf of some rows over that of all; 0 for features of too few of their documents."""
    _, group, sizes = np.unique(group, return_inverse=True, return_counts=True)
    member = np.zeros(x.shape[0], np.float32)
    member[rows] = 1
    occurs = sparse.csr_matrix((np.ones(x.nnz, np.float32), x.indices, x.indptr), x.shape)
    df = (occurs.T @ member).round().astype(np.int64)  # exact below 2**24 rows
    documents, least = df.copy(), min(min_df, len(sizes))
    # Features of more rows than that are in enough documents, however these are spread.
    rare = np.flatnonzero((df > 0) & (df <= (least - 1) * sizes.max()))
    if len(rare):
        at = occurs[:, rare][rows].tocoo()
        pair = np.unique(at.col.astype(np.int64) * len(sizes) + group[at.row])
        documents[rare] = np.bincount(pair // len(sizes), minlength=len(rare))
    own = np.log((1 + len(rows)) / (1 + df)) + 1
    return np.where(documents >= least, own / idf, 0).astype(np.float32)


def cross_validate(task: Task, fold: Ints, seed: int, jobs: int = 1) -> Held:
    """Score every row by a model that has not seen its group.

    Raises
    ------
    DataError
        If a fold leaves too little to learn from.
    """
    cuts = fold_cuts(fold, seed)
    scores = np.zeros((len(task.y), len(task.labels)))
    for cut, part in zip(cuts, score_cuts(task, cuts, jobs), strict=True):
        if isinstance(part, DataError):
            raise part
        scores[cut.test] = part
    return _held(task, cuts, scores)


def _held(task: Task, cuts: Sequence[Cut], scores: Floats) -> Held:
    probabilities = np.zeros_like(scores)
    for cut in cuts:
        temperature = temperature_of(task, scores, cut.train)
        probabilities[cut.test] = softmax(scores[cut.test] / temperature)
    return Held(scores, probabilities)


def score_cuts(task: Task, cuts: Sequence[Cut], jobs: int = 1) -> list[Floats | DataError]:
    """Score the test rows of each cut by what is learned from its training rows.

    The scores, of shape (n_test_rows, n_labels), do not depend on ``jobs``. A cut with too little
    to learn from gives its error instead.
    """
    if jobs == 1:
        return [_score_cut(task, cut) for cut in cuts]
    from joblib import Parallel, delayed

    parts = [cuts[start::jobs] for start in range(min(jobs, len(cuts)))]
    done = Parallel(jobs)(delayed(score_cuts)(task, part) for part in parts)
    return [done[i % len(parts)][i // len(parts)] for i in range(len(cuts))]


def _score_cut(task: Task, cut: Cut) -> Floats | DataError:
    try:
        enough = HELD_OUT_PART if task.large else HELD_OUT
        head = fit_head(task, cut.train, cut.seed, enough)
    except DataError as error:
        return error
    return score_rows(head, task.counts, cut.test)
