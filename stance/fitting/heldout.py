"""Cross-validation of one head: every row is scored by a model that has not seen its group."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from stance.arrays import Floats, Ints
from stance.errors import DataError
from stance.fitting.folds import Cut, fold_cuts
from stance.fitting.learning import (
    ABSENT,
    ENOUGH,
    HELD_OUT,
    HELD_OUT_ENOUGH,
    HELD_OUT_PART,
    Task,
    fit_head,
    learn_together,
    present_labels,
    score_rows,
    temperature_of,
)
from stance.model.heads import NEVER, Head, softmax

Tick = Callable[[float], None]  # is given the number of rows learned from


def _ignore(_rows: float) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Held:
    """Held-out answers of a cross-validation by group, of shape (n_rows, n_labels)."""

    scores: Floats
    probabilities: Floats  # at the temperature that fits the other folds


def learn(
    task: Task, fold: Ints, seed: int, jobs: int = 1, tick: Tick = _ignore
) -> tuple[Head, Held]:
    """Fit a head on all its rows, and score every row by a model that has not seen its group.

    Raises
    ------
    DataError
        If a fold leaves too little to learn from.
    """
    if task.large:
        head, cuts = fit_head(task, np.arange(len(task.y)), seed, ENOUGH), fold_cuts(fold, seed)
        tick(len(task.y))
        held = _held(task, cuts, _score_folds(task, cuts, head))
        tick(sum(len(cut.train) for cut in cuts))
        return head, held
    held = cross_validate(task, fold, seed, jobs, tick)
    head = fit_head(task, np.arange(len(task.y)), seed)
    tick(len(task.y))
    return head, held


def _score_folds(task: Task, cuts: Sequence[Cut], model: Head) -> Floats:
    """Score the rows of each fold by machines of the others, whose search begins at the model."""
    start = []
    for block in model.blocks:
        keys = task.counts[block.name].keys
        start.append(np.zeros((len(keys), len(task.labels)), np.float32))
        start[-1][np.searchsorted(keys, block.keys)] = block.coef
    start.append(model.intercept[None].astype(np.float32))
    start[-1][0, 1] -= task.recipe.classifier.neutral_offset
    lessons = [task.with_lessons(cut.train) for cut in cuts]
    for rows in lessons:
        present_labels(task, *task.targets(rows))  # or raise, as folds learned one by one do
    targets, _ = task.targets(np.arange(len(task.groups)))
    present = np.flatnonzero(targets.any(axis=0))
    begin = np.vstack(start)[:, None, present]
    found = learn_together(task, lessons, present, begin, HELD_OUT_ENOUGH).scores
    scores = np.tile(np.where(task.occurs, ABSENT, NEVER), (len(task.y), 1))
    for number, cut in enumerate(cuts):
        scores[np.ix_(cut.test, present)] = found[task.counted(cut.test), number]
    scores[:, 1] += task.recipe.classifier.neutral_offset
    return scores


def cross_validate(task: Task, fold: Ints, seed: int, jobs: int = 1, tick: Tick = _ignore) -> Held:
    """Score every row by a model that has not seen its group.

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
    return _held(task, cuts, scores)


def _held(task: Task, cuts: Sequence[Cut], scores: Floats) -> Held:
    probabilities = np.zeros_like(scores)
    for cut in cuts:
        temperature = temperature_of(task, scores, cut.train)
        probabilities[cut.test] = softmax(scores[cut.test] / temperature)
    return Held(scores, probabilities)


def score_cuts(
    task: Task, cuts: Sequence[Cut], jobs: int = 1, tick: Tick = _ignore
) -> list[Floats | DataError]:
    """Score the test rows of each cut by what is learned from its training rows.

    The scores, of shape (n_test_rows, n_labels), do not depend on ``jobs``. A cut with too little
    to learn from gives its error instead.
    """
    if jobs == 1:
        found = []
        for cut in cuts:
            found.append(_score_cut(task, cut))
            tick(len(cut.train))
        return found
    from joblib import Parallel, delayed

    parts = [cuts[start::jobs] for start in range(min(jobs, len(cuts)))]
    done = Parallel(jobs)(delayed(score_cuts)(task, part) for part in parts)
    tick(sum(len(cut.train) for cut in cuts))
    return [done[i % len(parts)][i // len(parts)] for i in range(len(cuts))]


def _score_cut(task: Task, cut: Cut) -> Floats | DataError:
    try:
        enough = HELD_OUT_PART if task.large else HELD_OUT
        head = fit_head(task, cut.train, cut.seed, enough)
    except DataError as error:
        return error
    return score_rows(head, task.counts, task.counted(cut.test))
