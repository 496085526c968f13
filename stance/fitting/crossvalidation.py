"""Cross-validation of one head by document: no document is split between training and test."""

import errno
import os
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pickle import PicklingError
from typing import Any

import numpy as np

from stance.arrays import Bools, Floats, Ints
from stance.display import count
from stance.errors import DataError, OutputError
from stance.evaluation.answers import document_confusion, macro_f1, plain
from stance.evaluation.intervals import score_bounds, t_interval
from stance.fitting.learning import Task, fit_head, score_rows, temperature_of
from stance.model.heads import softmax
from stance.records import NO_ANSWER

SHARES = (0.25, 0.5)  # of a fold's training documents, in a learning curve beside all of them
FEWEST = 100  # documents below which nothing is said of what more labels would gain


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


def cross_validate(task: Task, fold: Ints, seed: int, jobs: int = 1) -> HeldOut:
    """Score every row by a model that has not seen its document.

    Raises
    ------
    DataError
        If a fold leaves too little to learn from.
    """
    cuts = fold_cuts(fold, seed)
    scores = score_cuts(task, cuts, jobs)
    probabilities = np.zeros_like(scores)
    for cut in cuts:
        temperature = temperature_of(task, scores, cut.train)
        probabilities[cut.test] = softmax(scores[cut.test] / temperature)
    return HeldOut(scores, probabilities)


def score_cuts(task: Task, cuts: Sequence[Cut], jobs: int = 1) -> Floats:
    """Score the test rows of each cut by what is learned from its training rows.

    The scores, of shape (n_rows, n_labels), do not depend on ``jobs``.
    """
    from joblib import Parallel, delayed

    try:
        parts = Parallel(min(jobs, len(cuts)))(delayed(_score_cut)(task, cut) for cut in cuts)
    except PicklingError as error:  # also of arrays that go by a file
        if os.strerror(errno.ENOSPC) not in str(error.__cause__):
            raise
        full = "the folder in which processes share their data is full"
        raise OutputError(f"{full}; name another in JOBLIB_TEMP_FOLDER, or use --jobs 1") from error
    scores = np.zeros((len(task.y), len(task.labels)))
    for cut, part in zip(cuts, parts, strict=True):
        scores[cut.test] = part
    return scores


def _score_cut(task: Task, cut: Cut) -> Floats:
    return score_rows(fit_head(task, cut.train, cut.seed), task.counts, cut.test)


def learning_curve(
    task: Task, fold: Ints, held: HeldOut, answered: Bools, seed: int, jobs: int = 1
) -> dict[str, Any]:
    """Return macro-F1 after learning from parts of the documents, beside that of ``held``.

    ``answered`` is False where `predict` gives no answer. ``doubling`` is the 95 % interval of what
    the last doubling of the labels gained, for documents of the same kind, or None, and then
    ``why`` says why. Curves level off: the next doubling gains less, as a rule.
    """
    whole, group = fold_cuts(fold, seed), task.group[: len(task.y)]
    documents, runs = len(np.unique(group)), list[tuple[list[Cut], Floats]]()
    for share in SHARES if documents >= FEWEST else ():
        cuts = [_part(task, cut, share) for cut in whole]
        if all(len(np.unique(task.y[cut.train])) == len(np.unique(task.y)) for cut in cuts):
            with suppress(DataError):  # no feature is left
                runs.append((cuts, score_cuts(task, cuts, jobs)))
    points, confusions = list[dict[str, Any]](), list[Floats]()
    for cuts, scores in [*runs, (whole, held.scores)]:
        best = np.where(answered, scores.argmax(axis=1), NO_ANSWER)
        confusions.append(document_confusion(task.y, best, group, len(task.labels)))
        learned = np.mean([len(np.unique(group[cut.train])) for cut in cuts])
        points.append({"documents": learned, "rows": np.mean([len(cut.train) for cut in cuts])})
    confusion = np.stack(confusions, axis=1)
    scores = macro_f1(confusion.sum(axis=0))
    for point, score, (low, high) in zip(
        points, scores, score_bounds(macro_f1, confusion), strict=True
    ):
        point |= {"macro_f1": score, "low": low, "high": high}
    doubling: dict[str, Any] = {"doubling": None}
    if documents < FEWEST:
        few = f"{count(documents, 'document')} are too few to say what more labels would gain"
        doubling["why"] = f"{few}; label {FEWEST}"
    elif not runs:
        why = "half of the documents do not hold every class; label more of the rare ones"
        doubling["why"] = why
    else:
        gain = t_interval(lambda total: np.diff(macro_f1(total)[..., -2:])[..., 0], confusion)
        doubling["doubling"] = gain
    return plain({"points": points} | doubling)


def _part(task: Task, cut: Cut, share: float) -> Cut:
    """Return the cut with a share of its training documents; a smaller one is part of a larger."""
    names, place = np.unique(task.group[cut.train], return_inverse=True)
    order = np.random.Generator(np.random.PCG64(cut.seed)).permutation(len(names))
    return replace(cut, train=cut.train[order[place] < round(share * len(names))])
