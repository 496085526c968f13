"""Learns a model from a labelled corpus: the only place that composes scikit-learn."""

import dataclasses
import platform
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize_scalar
from threadpoolctl import threadpool_limits

from stance.actors import ActorBook
from stance.batch.abstention import calibrate
from stance.corpus import Corpus, sentiment_rows
from stance.counts import BlockCounts, count_features, name_features
from stance.errors import DataError
from stance.evaluation import Report
from stance.evaluation.assessment import cross_validation
from stance.features.events import Weights
from stance.features.layout import Reader
from stance.lexicon import Lexicon
from stance.model import BlockWeights, Head, StanceModel, softmax
from stance.queries import Query, make_query
from stance.recipe import CONTROL, HeadRecipe, Recipe
from stance.records import Sentiment, Stance
from stance.tokens import Ints

FLOOR = 1e-12
"""Least probability in a log loss."""

ABSENT = -5.0
"""Score of a class that a training fold does not hold."""

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Task:
    """One head to be learned: counted features, labels, groups and weights of its rows."""

    counts: dict[str, BlockCounts]
    recipe: HeadRecipe
    labels: tuple[str, ...]
    targeted: bool
    y: Ints
    group: Ints
    weight: Weights


@dataclass(frozen=True, slots=True)
class Held:
    """Held-out answers of a cross-validation by group.

    Attributes
    ----------
    scores : ndarray of shape (n_rows, n_labels)
        Of the fold's model that had not seen the row's group.
    probabilities : ndarray of shape (n_rows, n_labels)
        At the temperature that fits the other folds.
    """

    scores: Weights
    probabilities: Weights


def class_weights(y: Ints, source: Ints, share: Weights, balanced: bool) -> Weights:
    """Return a weight per row; where balanced, the classes of each source weigh the same.

    Parameters
    ----------
    y, source : ndarray of shape (n_rows,)
    share : ndarray of shape (n_sources,)
        Weight of a source's average row.
    """
    weight: Weights = share[source].astype(np.float64)
    if not balanced:
        return weight
    for number in np.unique(source):
        rows = source == number
        counts = np.bincount(y[rows])
        weight[rows] *= (rows.sum() / np.count_nonzero(counts) / np.maximum(counts, 1))[y[rows]]
    return weight


def fit_head(task: Task, rows: Ints, seed: int) -> Head:
    """Fit a linear classifier on some rows; temperature 1, terms without names."""
    parts, kept_by_block = [], []
    _, group = np.unique(task.group[rows], return_inverse=True)
    least = min(task.recipe.features.min_df, int(group.max()) + 1)  # a fold may be one document
    for name, weight in task.recipe.features.blocks.items():
        counts = task.counts[name]
        df = np.bincount(counts.sums[rows].indices, minlength=len(counts.keys))
        kept = np.flatnonzero(_documents(counts, rows, group) >= least)
        # Smoothed inverse document frequency, as scikit-learn's TfidfTransformer has it.
        idf = (np.log((1 + len(rows)) / (1 + df[kept])) + 1).astype(np.float32)
        parts.append(counts.values(rows, kept, idf, weight))
        kept_by_block.append((name, weight, counts.keys[kept], idf))
    x = sparse.hstack(parts, format="csr")
    coef, intercept = _linear(x, task.y[rows], task.weight[rows], task, seed)
    intercept[1] += task.recipe.classifier.neutral_offset
    blocks, low = [], 0
    for name, weight, keys, idf in kept_by_block:
        own = np.ascontiguousarray(coef[:, low : low + len(keys)].T, np.float32)
        blocks.append(BlockWeights(name, weight, keys, idf, own))
        low += len(keys)
    own_copies = task.recipe.features.per_actor
    return Head(task.labels, task.targeted, tuple(blocks), intercept, 1.0, own_copies)


def _documents(counts: BlockCounts, rows: Ints, group: Ints) -> Ints:
    """Return in how many documents each feature occurs; several rows of one count once."""
    found = counts.sums[rows]
    size = int(group.max()) + 1
    pairs = found.indices.astype(np.int64) * size + np.repeat(group, np.diff(found.indptr))
    return np.bincount(np.unique(pairs) // size, minlength=len(counts.keys))


def _linear(x: Any, y: Ints, weight: Weights, task: Task, seed: int) -> tuple[Weights, Weights]:
    """Return coefficients (n_labels, n_features) and intercepts, also for two or one classes."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import LinearSVC

    recipe = task.recipe.classifier
    present = np.unique(y)
    if len(present) < 2:
        raise DataError(
            f"all {len(y)} rows of a training fold are '{task.labels[present[0]]}'; "
            "label more paragraphs of the other classes"
        )
    if not x.shape[1]:
        raise DataError(
            f"no feature occurs in {task.recipe.features.min_df} training documents of a fold "
            f"({len(y)} rows); label more paragraphs, or lower min_df in the recipe"
        )
    if not weight.any():
        raise DataError("every row has weight 0; give a corpus a weight in the recipe's [corpora]")
    if recipe.kind == "svc":
        model = LinearSVC(C=recipe.c, random_state=seed, tol=1e-4, max_iter=10_000, dual=True)
    else:
        model = LogisticRegression(C=recipe.c, solver="newton-cg", tol=1e-4, max_iter=1_000)
    with threadpool_limits(1):
        model.fit(x, y, sample_weight=weight)
    found, bias = model.coef_, model.intercept_
    if len(present) == 2:
        found, bias = np.vstack([-found, found]), np.concatenate([-bias, bias])
    coef = np.zeros((len(task.labels), x.shape[1]))
    intercept = np.full(len(task.labels), ABSENT)
    coef[present], intercept[present] = found, bias
    return coef, intercept


def score_rows(head: Head, counts: dict[str, BlockCounts], rows: Ints) -> Weights:
    """Score rows of the corpus from their counted features; the same as `Head.scores`."""
    total = np.tile(head.intercept, (len(rows), 1))
    for block in head.blocks:
        mine = counts[block.name]
        kept = np.searchsorted(mine.keys, block.keys)
        values = mine.values(rows, kept, block.idf, block.weight)
        total += values @ block.coef.astype(np.float64)
    return total


def fit_temperature(scores: Weights, y: Ints) -> float:
    """Return the temperature of least log loss (Guo et al. 2017)."""

    def loss(log_temperature: float) -> float:
        probabilities = softmax(scores / np.exp(log_temperature))
        return float(-np.log(np.maximum(probabilities[np.arange(len(y)), y], FLOOR)).mean())

    found = minimize_scalar(loss, bounds=(-5, 5), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x))


def split(y: Ints, group: Ints, folds: int, seed: int) -> NDArray[np.int64]:
    """Return the fold of each row; no group is in two folds, classes are spread evenly."""
    from sklearn.model_selection import StratifiedGroupKFold

    fold = np.zeros(len(y), np.int64)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a class smaller than the folds is no harm
        for number, (_, test) in enumerate(splitter.split(np.zeros(len(y)), y, group)):
            fold[test] = number
    return fold


def cross_validate(task: Task, fold: Ints, seed: int, jobs: int = 1) -> Held:
    """Score every row by a model that has not seen its group."""
    numbers = np.unique(fold)
    work = [(np.flatnonzero(fold != n), np.flatnonzero(fold == n)) for n in numbers]
    if jobs > 1:
        from joblib import Parallel, delayed

        found = Parallel(jobs)(delayed(_score_fold)(task, *rows, seed) for rows in work)
    else:
        found = [_score_fold(task, *rows, seed) for rows in work]
    scores = np.zeros((len(task.y), len(task.labels)))
    for (_, test), part in zip(work, found, strict=True):
        scores[test] = part
    probabilities = np.zeros_like(scores)
    for number in np.unique(fold):
        out = fold == number
        temperature = fit_temperature(scores[~out], task.y[~out])
        probabilities[out] = softmax(scores[out] / temperature)
    return Held(scores, probabilities)


def _score_fold(task: Task, train: Ints, test: Ints, seed: int) -> Weights:
    return score_rows(fit_head(task, train, seed), task.counts, test)


@dataclass(frozen=True, slots=True)
class Training:
    """What `train` returns.

    Attributes
    ----------
    model : StanceModel
    report : Report
        Of the cross-validation by document.
    stance, control : Held
        Held-out answers of the stance head and of the target-blind baseline.
    sentiment : Held or None
    """

    model: StanceModel
    report: Report
    stance: Held
    control: Held
    sentiment: Held | None


def train(
    recipe: Recipe,
    corpus: Corpus,
    book: ActorBook,
    *,
    jobs: int = 1,
    progress: Progress = lambda _: None,
) -> Training:
    """Train a model and cross-validate it by document.

    Parameters
    ----------
    recipe : Recipe
    corpus : Corpus
    book : ActorBook
    jobs : int
        Processes for the folds; the result does not depend on it.
    progress : callable, optional
        Called with a few words before each step.

    Raises
    ------
    DataError
        If the corpus is too small, or has no row of some class.
    """
    _check(corpus, recipe)
    reader = Reader(book, Lexicon.default(recipe.language), recipe.language)
    query = make_query(book, corpus.texts, corpus.actors, corpus.spans)
    seed = recipe.validation.seed
    progress("reading the corpus")
    stance = _task(reader, query, corpus, np.arange(len(corpus)), recipe, "stance")
    blind = dataclasses.replace(CONTROL.features, min_df=recipe.features.min_df)
    control = dataclasses.replace(
        stance,
        counts=count_features(reader, query, blind, targeted=False),
        recipe=HeadRecipe(blind, CONTROL.classifier),
        targeted=False,
    )
    fold = split(stance.y, stance.group, _folds(stance.group, recipe), seed)
    progress("cross-validating stance")
    held, held_control = (cross_validate(task, fold, seed, jobs) for task in (stance, control))
    progress("fitting stance")
    heads = {
        "stance": _finish(reader, query, stance, held, seed),
        "control": _finish(reader, query, control, held_control, seed),
    }
    rows = sentiment_rows(corpus)
    tone = None
    thin = [
        label
        for number, label in enumerate(Sentiment)
        if len(np.unique(corpus.document[rows[corpus.sentiment[rows] == number]])) < 2
    ]
    if thin and len(rows):
        progress(f"no sentiment is learned: {', '.join(thin)} is in fewer than two documents")
    if not thin:
        progress("fitting sentiment")
        part = Query([query.texts[i] for i in rows], query.actor[rows])
        task = _task(reader, part, corpus, rows, recipe, "sentiment")
        folds = split(task.y, task.group, _folds(task.group, recipe), seed)
        tone = cross_validate(task, folds, seed, jobs)
        heads["sentiment"] = _finish(reader, part, task, tone, seed)
    progress("scoring the held-out answers")
    found = cross_validation(
        recipe.validation,
        corpus,
        held.probabilities,
        held_control.probabilities,
        tone.probabilities if tone else None,
    )
    model = StanceModel(
        book=book,
        lexicon=reader.lexicon,
        recipe=recipe,
        stance=heads["stance"],
        sentiment=heads.get("sentiment"),
        control=heads["control"],
        fingerprints=corpus.marks,
        card=_card(corpus, recipe) | {"scores": _scores(found)},
        calibration=calibrate(held.probabilities, stance.y, corpus.document, seed),
    )
    return Training(model, found, held, held_control, tone)


def _task(
    reader: Reader, query: Query, corpus: Corpus, rows: Ints, recipe: Recipe, name: str
) -> Task:
    targeted = name == "stance"
    own = (
        HeadRecipe(recipe.features, recipe.classifier)
        if targeted
        else HeadRecipe(recipe.sentiment_features, recipe.sentiment_classifier)
    )
    y = (corpus.stance if targeted else corpus.sentiment)[rows]
    share = np.array([recipe.corpora.get(source.name, 1.0) for source in corpus.sources])
    return Task(
        counts=count_features(reader, query, own.features, targeted=targeted),
        recipe=own,
        labels=tuple(Stance) if targeted else tuple(Sentiment),
        targeted=targeted,
        y=y,
        group=corpus.document[rows],
        weight=class_weights(y, corpus.source[rows], share, own.classifier.balanced),
    )


def _finish(reader: Reader, query: Query, task: Task, held: Held, seed: int) -> Head:
    """Fit on every row; the temperature comes from the held-out scores, then terms are named."""
    head = fit_head(task, np.arange(len(task.y)), seed)
    terms = name_features(reader, query, head.blocks, head.own, targeted=task.targeted)
    return dataclasses.replace(
        head,
        temperature=fit_temperature(held.scores, task.y),
        blocks=tuple(dataclasses.replace(b, terms=terms[b.name]) for b in head.blocks),
    )


def _folds(group: Ints, recipe: Recipe) -> int:
    return min(recipe.validation.folds, len(np.unique(group)))


def _check(corpus: Corpus, recipe: Recipe) -> None:
    for number, label in enumerate(Stance):
        documents = len(np.unique(corpus.document[corpus.stance == number]))
        if not documents:
            raise DataError(
                f"no {label} among the {len(corpus)} stance labels; a model needs rows of "
                f"{', '.join(Stance)}"
            )
        if documents < 2:
            raise DataError(
                f"{label} is labelled in one document only; cross-validation by document needs "
                "two or more of each class"
            )
    unknown = set(recipe.corpora) - {source.name for source in corpus.sources}
    if unknown == set(recipe.corpora) and unknown:
        raise DataError(
            f"the recipe weighs corpora {', '.join(sorted(unknown))}, but the corpora given are "
            f"{', '.join(source.name for source in corpus.sources)}"
        )


_LIMITS = (
    "Scores are those of texts like the training corpus; on other sources, genres and years they "
    "are lower. Label a sample of your own texts and evaluate on it before you publish.",
    "One answer per paragraph and actor; irony, implied blame and stances that need knowledge of "
    "the events are often missed.",
    "An actor is noticed only where an alias of the actor book names it; pronouns are not "
    "resolved.",
)


FEWEST = 20
"""Rows of an actor whose score stands in a model's card."""


def _scores(found: Report) -> dict[str, Any]:
    figures = found.to_json()
    actors = {name: part for name, part in figures["per_actor"].items() if part["n"] >= FEWEST}
    return figures | {"per_actor": actors}


def _card(corpus: Corpus, recipe: Recipe) -> dict[str, Any]:
    """Return what the manifest tells of data, versions and limits."""
    counts = [
        np.bincount(corpus.stance[corpus.source == i], minlength=3)
        for i in range(len(corpus.sources))
    ]
    return {
        "versions": {
            "stance": version("stance"),
            "python": platform.python_version(),
            "numpy": version("numpy"),
            "scikit-learn": version("scikit-learn"),
        },
        "data": [
            {
                "name": source.name,
                "sha256": source.sha256,
                "rows": source.rows,
                "licence": recipe.licences.get(source.name, "not stated"),
                "classes": dict(zip(map(str, Stance), map(int, row), strict=True)),
            }
            for source, row in zip(corpus.sources, counts, strict=True)
        ],
        "seed": recipe.validation.seed,
        "limits": list(_LIMITS),
    }
