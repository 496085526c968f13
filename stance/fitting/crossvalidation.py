"""Cross-validation of one head by document: no document is split between training and test."""

import errno
import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pickle import PicklingError

import numpy as np

from stance.arrays import Floats, Ints
from stance.errors import DataError, OutputError
from stance.fitting.learning import Task, fit_head, score_rows, temperature_of
from stance.model.heads import softmax

Tick = Callable[[float], None]  # is given the number of fits that are done


@dataclass(frozen=True, slots=True)
class Cut:
    """Rows to learn from, rows to score, and the seed of the solver."""

    train: Ints
    test: Ints
    seed: int


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Held-out answers of a cross-validation by document, of shape (n_rows, n_labels)."""

    scores: Floats
    probabilities: Floats  # at the temperature that fits the other folds


def assign_folds(y: Ints, group: Ints, folds: int, seed: int) -> Ints:
    """Return the fold of each row; no group is in two folds, classes are spread evenly.

    There are at most as many folds as groups, and as rows of the most frequent class.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    _, counts = np.unique(y, return_counts=True)
    most = min(folds, len(np.unique(group)), int(counts.max()))
    if most < 2:
        raise DataError("the rows cannot be split into two folds by document; label more documents")
    fold = np.zeros(len(y), np.int64)
    splitter = StratifiedGroupKFold(most, shuffle=True, random_state=seed)
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # of a rare class
        for number, (_, test) in enumerate(splitter.split(y, y, group)):
            fold[test] = number
    return fold


def fold_cuts(fold: Ints, seed: int) -> list[Cut]:
    """Return a cut per fold, which is scored by what is learned from the others."""
    return [
        Cut(np.flatnonzero(fold != n), np.flatnonzero(fold == n), seed) for n in np.unique(fold)
    ]


def cross_validate(
    task: Task, fold: Ints, seed: int, jobs: int = 1, tick: Tick = lambda _: None
) -> HeldOut:
    """Score every row by a model that has not seen its document.

    Raises
    ------
    DataError
        If a fold leaves too little to learn from.
    """
    cuts = fold_cuts(fold, seed)
    scores = np.zeros((len(task.y), len(task.labels)))
    for cut, part in zip(cuts, score_cuts(task, cuts, jobs, tick), strict=True):
        if isinstance(part, DataError):
            raise part
        scores[cut.test] = part
    probabilities = np.zeros_like(scores)
    for cut in cuts:
        temperature = temperature_of(task, scores, cut.train)
        probabilities[cut.test] = softmax(scores[cut.test] / temperature)
    return HeldOut(scores, probabilities)


def score_cuts(
    task: Task, cuts: Sequence[Cut], jobs: int = 1, tick: Tick = lambda _: None
) -> list[Floats | DataError]:
    """Score the test rows of each cut by what is learned from its training rows.

    The scores, of shape (n_test_rows, n_labels), do not depend on ``jobs``. A cut with too little
    to learn from gives its error instead.
    """
    from joblib import Parallel, delayed

    found = []
    try:
        parallel = Parallel(min(jobs, max(1, len(cuts))), return_as="generator")
        for scores in parallel(delayed(_score_cut)(task, cut) for cut in cuts):
            found.append(scores)
            tick(len(cuts[len(found) - 1].train) / len(task.y))
    except PicklingError as error:  # also of arrays that go by a file
        if os.strerror(errno.ENOSPC) not in str(error.__cause__):
            raise
        full = "the folder in which processes share their data is full"
        raise OutputError(f"{full}; name another in JOBLIB_TEMP_FOLDER, or use --jobs 1") from error
    return found


def _score_cut(task: Task, cut: Cut) -> Floats | DataError:
    try:
        return score_rows(fit_head(task, cut.train, cut.seed), task.counts, cut.test)
    except DataError as error:
        return error
