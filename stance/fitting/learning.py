"""Learns each head of a model by a solver of scikit-learn, and cross-validates it by document."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from scipy.optimize import minimize_scalar
from scipy.special import entr
from threadpoolctl import threadpool_limits

from stance.arrays import Bools, Floats, Floats32, Ints, Keys
from stance.corpus import Corpus, holder_kinds, holder_rows, sentiment_rows
from stance.errors import DataError
from stance.fitting.counts import BlockCounts, Vectors, count_features, score_rows, with_terms
from stance.model.abstention import FEWEST
from stance.model.heads import NEVER, BlockWeights, Head, softmax
from stance.reading.words import Query, Reader, make_query
from stance.recipe import Classifier, Features, Recipe
from stance.records import Holder, Sentiment, Stance

TOLERANCE = {"svc": 1e-2, "logistic": 1e-4}
"""At which a search stops, of the model and of its folds.

On 31,786 pairs of real news, held-out answers of support vector machines at 1e-2, 1e-3 and 1e-4
have the same macro-F1 to the fourth digit; logistic regression at 1e-3 may stop where it starts.
"""
MOST_STEPS = 10_000
FLOOR = 1e-12  # least probability in a log loss
ABSENT = -5.0  # score of a class that a training fold does not hold


class Task(NamedTuple):
    """A head to learn: counted features, labels, documents and weights of its rows.

    The rows to score come first. Lessons may follow: rows with soft labels alone, learned from and
    never scored, as nobody knows their true labels.
    """

    counts: dict[str, BlockCounts]
    features: Features
    classifier: Classifier
    labels: tuple[str, ...]
    targeted: bool
    y: Ints  # of the rows to score
    group: Ints
    weight: Floats
    shares: Floats  # of each label of each row, to learn from
    vectors: Vectors | None = None
    typical: Bools | None = None  # rows by which the temperature is set; None for all
    topic: Ints | None = None  # of each row, if each is learned by itself

    def with_lessons(self, rows: Ints) -> Ints:
        """Return rows to learn from, with lessons of no other document."""
        scored, lessons = np.split(self.group, [len(self.y)])
        others = np.setdiff1d(scored, scored[rows])
        return np.append(rows, len(scored) + np.flatnonzero(~np.isin(lessons, others)))


class Learned(NamedTuple):
    """A head, and the held-out answers to its rows."""

    head: Head
    scores: Floats  # (n_rows, n_labels)
    probabilities: Floats  # at the temperature that fits the other folds
    named: Bools  # rows whose text names the actor, or that are on a topic which is learned


@dataclass(frozen=True)
class TrainingRun:
    """What every head is learned with."""

    reader: Reader
    corpus: Corpus
    whole: Corpus  # the same rows, then those with soft labels alone
    recipe: Recipe
    vectors: Vectors | None
    jobs: int
    tell: Callable[[str], None]

    @cached_property
    def query(self) -> Query:
        """All rows, those of the corpus first."""
        pairs = self.whole.texts, self.whole.actors, self.whole.spans
        return make_query(self.reader.book, *pairs, self.whole.months)

    def learn(self, name: str) -> Learned | None:
        """Cross-validate a head and fit it on all its rows; None if a label is in one document."""
        labels, y, rows = self._labelled(name)
        documents = self.corpus.document[rows[: len(y)]]
        thin = [label for n, label in enumerate(labels) if len(np.unique(documents[y == n])) < 2]
        if thin and name in ("sentiment", "holder"):
            if len(y):
                where = "is in fewer than two documents"
                self.tell(f"{name} is not learned: {', '.join(thin)} {where}")
            return None
        self.tell(f"learning {'the baseline' if name == 'control' else name}")
        task, query, named = self.task(name)
        validation, every = self.recipe.validation, np.arange(len(y))
        fold = assign_folds(y, documents, validation.folds, validation.seed)
        head = fit_head(task, every, validation.seed)
        scores, probabilities = cross_validate(task, fold, validation.seed, self.jobs)
        if name != "control":  # which nobody asks for reasons
            head = with_terms(head, self.reader, query)
        if task.topic is not None:
            topic = task.topic[every]
            named[every] |= np.bincount(topic)[topic] >= FEWEST
        head = replace(head, temperature=temperature_of(task, scores, every))
        return Learned(head, scores, probabilities, named[every])

    def _labelled(self, name: str) -> tuple[Sequence[str], Ints, Ints]:
        """Return a head's labels, their numbers in the rows to score, and all rows of the whole."""
        corpus = self.corpus
        if name == "sentiment":
            rows = sentiment_rows(corpus)
            return [*Sentiment], corpus.sentiment[rows], rows
        if name == "holder":
            rows = holder_rows(corpus)
            return [*Holder], holder_kinds(corpus.holder)[rows], rows
        taught = self.whole if name == "stance" else corpus
        return [*Stance], corpus.stance, np.arange(len(taught))

    def task(self, name: str) -> tuple[Task, Query, Bools]:
        """Return what a head is learned from, and which rows' texts name their actors."""
        (features, classifier), (labels, y, rows) = self.recipe.head(name), self._labelled(name)
        corpus, query, size, topic = self.whole.take(rows), self.query.take(rows), len(y), None
        if name == "sentiment":
            query = replace(query, spans=query.spans[:0])
        weights = np.array([self.recipe.corpora.get(file.name, 1.0) for file in corpus.sources])
        share, part = weights[corpus.source], corpus.source
        if features.per_actor:
            topic = np.unique(query.names, return_inverse=True)[1]
            part = corpus.source * len(topic) + topic
        balanced = class_weights(y, part[:size], share[:size], classifier)
        targeted, stances = name in ("stance", "holder"), name in ("stance", "control")
        soft = corpus.soft if stances else None
        counts, named = count_features(self.reader, query, features, targeted=targeted)
        task = Task(
            counts=counts,
            features=features,
            classifier=classifier,
            labels=tuple(labels),
            targeted=targeted,
            y=y,
            group=corpus.document,
            weight=np.append(balanced, share[size:]),
            shares=np.eye(len(labels))[y] if soft is None else soft,
            vectors=self.vectors,
            typical=self.corpus.typical if stances else None,
            topic=topic,
        )
        return task, query, named


def class_weights(y: Ints, source: Ints, share: Floats, classifier: Classifier) -> Floats:
    """Return a weight per row, see `Classifier`; ``share`` is the mean of the row's source."""
    weight = share.astype(np.float64)
    for number in np.unique(source) if classifier.balanced else ():
        rows = source == number
        counts = np.bincount(y[rows])
        weight_of = np.maximum(counts, 1.0) ** -classifier.evenness
        weight[rows] *= (weight_of * rows.sum() / (weight_of @ counts))[y[rows]]
    return weight


# --- Fitting ---


def fit_head(task: Task, rows: Ints, seed: int) -> Head:
    """Fit a linear classifier on some rows; temperature 1, no names of features."""
    rows, features, shares = task.with_lessons(rows), task.features, task.shares
    weight = task.weight[rows]
    present = np.flatnonzero(shares[rows].any(axis=0))
    if not weight.any():
        raise DataError("every row has weight 0; give a corpus a weight in the recipe's [corpora]")
    x, vectors, blocks = _design(task, rows)
    if len(present) < 2 or not x.shape[1]:
        lacks = f"has one label only, or no feature in {features.min_df} documents (min_df)"
        raise DataError(f"a training fold of {len(rows)} rows {lacks}; label more paragraphs")
    coef = np.zeros((x.shape[1], len(task.labels)), np.float32)
    intercept = np.where(shares.any(axis=0), ABSENT, NEVER)
    given = x, vectors, shares[np.ix_(rows, present)], weight, task.classifier, seed
    with threadpool_limits(1):
        coef[:, present], intercept[present] = _fit_linear(*given)
    intercept[1] += task.classifier.neutral_offset
    parts = np.split(coef, np.cumsum([len(idf) for *_, idf in blocks])[:-1])
    learned = tuple(BlockWeights(*block, part) for block, part in zip(blocks, parts, strict=True))
    return Head(task.labels, task.targeted, learned, intercept, 1.0, bool(features.per_actor))


def _design(task: Task, rows: Ints) -> tuple[Any, Any, list[tuple[str, float, Keys, Floats32]]]:
    """Return values (n_rows, n_features) of features in enough documents of some rows.

    Then come their vectors (n_features, n_dimensions), and the blocks without coefficients.
    """
    features, group = task.features, task.group[rows]
    topic = None if task.topic is None else task.topic[rows]
    columns, vectors, blocks = [], [], []
    for name, weight in features.blocks.items():
        counts = task.counts[name].take(rows)
        idf = counts.idf(group, features.min_df, topic)
        counts, idf = counts.take(features=np.flatnonzero(idf)), idf[idf > 0]
        columns.append(counts.values(idf, weight))
        blocks.append((name, weight, counts.keys, idf))
        vectors.append(sparse.csr_matrix((len(idf), 0)))
        if task.vectors and (length := features.vectors.get(name)):
            vectors[-1] = task.vectors.of_features(name, counts.keys, columns[-1], length)
    return sparse.hstack(columns, format="csr"), sparse.block_diag(vectors, "csr"), blocks


def _fit_linear(
    x: Any, vectors: Any, shares: Floats, weight: Floats, recipe: Classifier, seed: int
) -> tuple[Floats, Floats]:
    """Return coefficients (n_features, n_labels) and intercepts (n_labels,) of a classifier.

    A row with soft labels is learned from once per label that it may have. Where words have
    vectors, these are further columns: what words of like use have in common is learned there, and
    added to what each word has of its own.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import LinearSVC

    row, y = np.nonzero(shares)
    columns = sparse.hstack([x, x @ vectors], format="csr") if vectors.shape[1] else x
    if len(row) > len(shares):
        columns = columns[row]
    common = {"C": recipe.c, "tol": TOLERANCE[recipe.kind], "max_iter": MOST_STEPS}
    if recipe.kind == "svc":
        model = LinearSVC(**common, random_state=seed, dual=True)
    else:
        model = LogisticRegression(**common)
    with warnings.catch_warnings(action="ignore"):  # of no end, which is an error here
        model.fit(columns, y, weight[row] * shares[row, y])
    if np.max(model.n_iter_) >= MOST_STEPS or not np.isfinite(model.coef_).all():
        why = "the classifier does not converge"
        raise DataError(f"{why}; lower the recipe's c, or the weights of its corpora")
    coef, intercept = model.coef_.T, model.intercept_
    if shares.shape[1] == 2:  # the second label's, and for probabilities half of it each
        half = 1 if recipe.kind == "svc" else 2
        coef, intercept = np.hstack([-coef, coef]) / half, np.append(-intercept, intercept) / half
    alone, shared = coef[: x.shape[1]], coef[x.shape[1] :]
    return alone + vectors @ shared, intercept


def temperature_of(task: Task, scores: Floats, rows: Ints) -> float:
    """Return the temperature that fits some rows of a task, or the typical ones among them."""
    if task.typical is not None and task.typical[rows].any():
        rows = rows[task.typical[rows]]
    return fit_temperature(scores[rows], task.y[rows])


def fit_temperature(scores: Floats, y: Ints) -> float:
    """Return the temperature of least log loss (Guo et al. 2017), but of no less than n rows show.

    They show at best that n + 1 of n + 2 are right (Laplace's rule of succession), so the loss is
    no less than the entropy of that.
    """

    def loss(log_temperature: float) -> float:
        right = softmax(scores / np.exp(log_temperature))[np.arange(len(y)), y]
        return float(-np.log(np.maximum(right, FLOOR)).mean())

    best = minimize_scalar(loss, bounds=(-5, 5), method="bounded", options={"xatol": 1e-6})
    if best.fun < (shown := entr(np.array([1, len(y) + 1]) / (len(y) + 2)).sum()):
        best = minimize_scalar(lambda x: abs(loss(x) - shown), bounds=(best.x, 5), method="bounded")
    return float(np.exp(best.x))


# --- Cross-validation: no document is split between training and test ---


def assign_folds(y: Ints, group: Ints, folds: int, seed: int) -> Ints:
    """Return the fold of each row; no group is in two folds, classes are spread evenly."""
    from sklearn.model_selection import StratifiedGroupKFold

    most = min(folds, len(np.unique(group)), int(np.bincount(y).max()))
    fold = np.zeros(len(y), np.int64)
    splitter = StratifiedGroupKFold(most, shuffle=True, random_state=seed)
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # of a rare class
        for number, (_, test) in enumerate(splitter.split(y, y, group)):
            fold[test] = number
    return fold


def cross_validate(task: Task, fold: Ints, seed: int, jobs: int = 1) -> tuple[Floats, Floats]:
    """Return scores and probabilities of every row by models that have not seen its document."""
    from joblib import Parallel, delayed

    numbers = np.unique(fold)
    # Not by files in a folder for all, which may be full, and where a killed run would leave them.
    workers = Parallel(min(jobs, len(numbers)), max_nbytes=None)
    parts = workers(delayed(_score_fold)(task, fold == number, seed) for number in numbers)
    scores = np.zeros((len(task.y), len(task.labels)))
    for number, part in zip(numbers, parts, strict=True):
        scores[fold == number] = part
    probabilities = np.zeros_like(scores)
    for number in numbers:
        temperature = temperature_of(task, scores, np.flatnonzero(fold != number))
        probabilities[fold == number] = softmax(scores[fold == number] / temperature)
    return scores, probabilities


def _score_fold(task: Task, test: Bools, seed: int) -> Floats:
    head = fit_head(task, np.flatnonzero(~test), seed)
    return score_rows(head, task.counts, np.flatnonzero(test))
