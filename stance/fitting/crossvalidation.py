"""Cross-validation of one head by document: no document is split between training and test."""

import errno
import os
import warnings
from dataclasses import dataclass
from pickle import PicklingError

import numpy as np

from stance.arrays import Bools, Floats, Ints
from stance.errors import DataError, OutputError
from stance.fitting.learning import Task, fit_head, score_rows, temperature_of
from stance.model.heads import softmax


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
