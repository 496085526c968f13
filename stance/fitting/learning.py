"""Learns a head by a solver of scikit-learn, and scores it by cross-validation over documents."""

import errno
import os
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from pickle import PicklingError
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import minimize_scalar
from threadpoolctl import threadpool_limits

from stance.arrays import Bools, Floats, Floats32, Ints, Keys
from stance.display import shown
from stance.errors import DataError, OutputError
from stance.features.blocks import stem_features
from stance.fitting.counts import BlockCounts
from stance.model.heads import NEVER, BlockWeights, Head, softmax
from stance.reading.keys import KeyIndex
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
class Vectors:
    """A vector per stem, learned from texts without labels: words of like use have like vectors.

    With them, words of like use learn from each other. Only the weights of the words themselves go
    into a model, so nobody needs the vectors to predict.
    """

    stems: Keys
    values: Floats32  # (n_stems, n_dimensions)

    @classmethod
    def read(cls, path: Path) -> "Vectors":
        """Read what ``training/vectors.py`` has written."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                # A damaged member comes back as bytes.
                vectors = cls(*(np.asarray(archive[name]) for name in ("stems", "values")))
            if vectors.stems.dtype != np.uint64 or vectors.values.shape[:1] != vectors.stems.shape:
                raise ValueError("not one vector per stem")
        except Exception as error:  # whatever numpy raises on another file
            raise DataError(
                f"{path}: no vectors ({shown(str(error), 80)}); make them with training/vectors.py"
            ) from error
        return vectors

    def of_features(self, block: str, keys: Keys) -> Floats:
        """Return the vector of each feature of a block, zero for what is no known stem."""
        place = KeyIndex(stem_features(block, self.stems)).find(keys)
        return np.where(place[:, None] >= 0, self.values.astype(np.float64)[place], 0.0)


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


# --- Cross-validation: no document is split between training and test ---


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Held-out answers of a cross-validation by document, of shape (n_rows, n_labels)."""

    scores: Floats
    probabilities: Floats  # at the temperature that fits the other folds


def assign_folds(y: Ints, group: Ints, folds: int, seed: int) -> Ints:
    """Return the fold of each row; no group is in two folds, classes are spread evenly.

    There are at most as many folds as groups, and as rows of the most frequent class; of either
    there are two or more.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    _, counts = np.unique(y, return_counts=True)
    most = min(folds, len(np.unique(group)), int(counts.max()))
    fold = np.zeros(len(y), np.int64)
    splitter = StratifiedGroupKFold(most, shuffle=True, random_state=seed)
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # of a rare class
        for number, (_, test) in enumerate(splitter.split(y, y, group)):
            fold[test] = number
    return fold


def cross_validate(task: Task, fold: Ints, seed: int, jobs: int = 1) -> HeldOut:
    """Score every row by a model that has not seen its document; ``jobs`` changes no score.

    Raises
    ------
    DataError
        If a fold leaves too little to learn from.
    """
    from joblib import Parallel, delayed

    numbers = np.unique(fold)
    try:
        parts = Parallel(min(jobs, len(numbers)))(
            delayed(_score_fold)(task, fold == number, seed) for number in numbers
        )
    except PicklingError as error:  # also of arrays that go by a file
        if os.strerror(errno.ENOSPC) not in str(error.__cause__):
            raise
        full = "the folder in which processes share their data is full"
        raise OutputError(f"{full}; name another in JOBLIB_TEMP_FOLDER, or use --jobs 1") from error
    scores = np.zeros((len(task.y), len(task.labels)))
    for number, part in zip(numbers, parts, strict=True):
        scores[fold == number] = part
    probabilities = np.zeros_like(scores)
    for number in numbers:
        temperature = temperature_of(task, scores, np.flatnonzero(fold != number))
        probabilities[fold == number] = softmax(scores[fold == number] / temperature)
    return HeldOut(scores, probabilities)


def _score_fold(task: Task, test: Bools, seed: int) -> Floats:
    head = fit_head(task, np.flatnonzero(~test), seed)
    return score_rows(head, task.counts, np.flatnonzero(test))
