"""What a head is learned from, the solvers of scikit-learn that fit it, and its temperature."""

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import minimize_scalar
from threadpoolctl import threadpool_limits

from stance.arrays import Bools, Floats, Ints
from stance.errors import DataError
from stance.fitting.counts import BlockCounts
from stance.fitting.vectors import Vectors
from stance.model.heads import NEVER, BlockWeights, Head
from stance.recipe import Classifier, HeadRecipe

TOLERANCE = {"svc": 1e-2, "logistic": 1e-4}
"""At which a search stops, of the model and of its folds.

On 31,786 pairs of real news, held-out answers of support vector machines at 1e-2, 1e-3 and 1e-4
have the same macro-F1 to the fourth digit; logistic regression at 1e-3 may stop where it starts.
"""
MOST_STEPS = 10_000
FLOOR = 1e-12  # least probability in a log loss
ABSENT = -5.0  # score of a class that a training fold does not hold


@dataclass(frozen=True, slots=True)
class Task:
    """A head to learn: counted features, labels, documents and weights of its rows.

    The rows to score come first. Lessons may follow: rows with soft labels alone, learned from and
    never scored, as nobody knows their true labels.
    """

    counts: dict[str, BlockCounts]
    recipe: HeadRecipe
    labels: tuple[str, ...]
    targeted: bool
    y: Ints  # of the rows to score
    group: Ints
    weight: Floats
    vectors: Vectors | None = None
    soft: Floats | None = None  # probabilities of the labels, to learn from in place of `y`
    typical: Bools | None = None  # rows by which the temperature is set; None for all
    topic: Ints | None = None  # of each row, if each is learned by itself

    @property
    def shares(self) -> Floats:
        """Share of each label of each row."""
        return np.eye(len(self.labels))[self.y] if self.soft is None else self.soft

    def with_lessons(self, rows: Ints) -> Ints:
        """Return rows to learn from, with lessons of no other document."""
        scored, lessons = np.split(self.group, [len(self.y)])
        others = np.setdiff1d(scored, scored[rows])
        return np.append(rows, len(scored) + np.flatnonzero(~np.isin(lessons, others)))


def class_weights(y: Ints, source: Ints, share: Floats, classifier: Classifier) -> Floats:
    """Return a weight per row; ``share`` is the weight of each source's average row.

    If the classifier is balanced, the classes of each source weigh the same, or with an evenness of
    less than 1 their size to the power of what it lacks.
    """
    weight: Floats = share[source].astype(np.float64)
    for number in np.unique(source) if classifier.balanced else ():
        rows = source == number
        counts = np.bincount(y[rows])
        weight_of = np.maximum(counts, 1.0) ** -classifier.evenness
        weight[rows] *= (weight_of * rows.sum() / (weight_of @ counts))[y[rows]]
    return weight


def fit_head(task: Task, rows: Ints, seed: int) -> Head:
    """Fit a linear classifier on some rows; temperature 1, terms without names."""
    rows, recipe, shares = task.with_lessons(rows), task.recipe, task.shares
    weight = task.weight[rows]
    present = np.flatnonzero(shares[rows].any(axis=0))
    if len(present) < 2:
        raise DataError(
            f"all {len(rows)} rows of a training fold are '{task.labels[present[0]]}'; "
            "label more paragraphs of the other classes"
        )
    if not weight.any():
        raise DataError("every row has weight 0; give a corpus a weight in the recipe's [corpora]")
    x, vectors, blocks = _design(task, rows)
    if not x.shape[1]:
        raise DataError(
            f"no feature occurs in {recipe.features.min_df} training documents of a fold "
            f"({len(rows)} rows); label more paragraphs, or lower min_df in the recipe"
        )
    coef = np.zeros((x.shape[1], len(task.labels)), np.float32)
    intercept = np.where(shares.any(axis=0), ABSENT, NEVER)
    with threadpool_limits(1):
        coef[:, present], intercept[present] = fit_linear(
            x, vectors, shares[np.ix_(rows, present)], weight, recipe.classifier, seed
        )
    intercept[1] += recipe.classifier.neutral_offset
    parts = np.split(coef, np.cumsum([len(block.keys) for block in blocks])[:-1])
    learned = tuple(replace(block, coef=part) for block, part in zip(blocks, parts, strict=True))
    per_actor = bool(recipe.features.per_actor)
    return Head(task.labels, task.targeted, learned, intercept, 1.0, per_actor)


def _design(task: Task, rows: Ints) -> tuple[Any, Any, list[BlockWeights]]:
    """Return the values of the features that occur in enough documents of some rows.

    They are of shape (n_rows, n_features). Beside them stand the features' vectors, of shape
    (n_features, n_dimensions), and the blocks, still without coefficients. Matrices are sparse.
    """
    features, group = task.recipe.features, task.group[rows]
    topic = None if task.topic is None else task.topic[rows]
    columns, vectors, blocks = [], [], []
    for name, weight in features.blocks.items():
        counts = task.counts[name].take(rows)
        idf = counts.idf(group, features.min_df, topic)
        counts, idf = counts.with_features(np.flatnonzero(idf)), idf[idf > 0]
        columns.append(counts.values(idf, weight))
        blocks.append(BlockWeights(name, weight, counts.keys, idf, np.zeros((0, 0), np.float32)))
        vectors.append(sparse.csr_matrix((len(idf), 0)))
        if task.vectors is not None and features.vectors.get(name):
            known = task.vectors.of_features(name, counts.keys)
            # So that a row of them is as long on average as the recipe says.
            length = np.sqrt(((columns[-1] @ known) ** 2).sum() / len(rows))
            vectors[-1] = sparse.csr_matrix(known * (features.vectors[name] / length))
    return sparse.hstack(columns, format="csr"), sparse.block_diag(vectors, "csr"), blocks


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
        why = "the classifier does not converge"
        raise DataError(f"{why}; lower the recipe's c, or the weights of its corpora")
    coef, intercept = model.coef_.T, model.intercept_
    if targets.shape[1] == 2:  # the second label's, and for probabilities half of it each
        half = 1 if recipe.kind == "svc" else 2
        coef, intercept = np.hstack([-coef, coef]) / half, np.append(-intercept, intercept) / half
    alone, shared = coef[: x.shape[1]], coef[x.shape[1] :]
    return alone + vectors @ shared, intercept


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
