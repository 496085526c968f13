"""Cross-validation of one head: every row is scored by a model that has not seen its group."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.arrays import Floats, Ints
from stance.errors import DataError
from stance.fitting.folds import Cut, fold_cuts
from stance.fitting.learning import (
    ABSENT,
    ENOUGH,
    EXACT,
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
from stance.fitting.pieces import Arrays, name_of
from stance.model.heads import NEVER, BlockWeights, Head, softmax

Tick = Callable[[float], None]  # is given the number of rows learned from
WHOLE, FOLD, PART = 3.0, 0.4, 1.4
"""What a row costs, if reading it for its features costs 1, where machines are learned at once.

In learning from all rows, from those of a fold with the other folds, and from part of a fold's.
"""


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
    head = _fit_whole(task, seed)
    tick(len(task.y) * (WHOLE if task.large else 1))
    if not task.large:
        return head, cross_validate(task, fold, seed, jobs, tick)
    cuts = fold_cuts(fold, seed)
    (scores,) = task.pieces.get("folds", lambda: [_score_folds(task, cuts, head)])
    tick(sum(len(cut.train) for cut in cuts) * FOLD)
    return head, _held(task, cuts, scores)


def _fit_whole(task: Task, seed: int) -> Head:
    """Fit a head on all its rows."""

    def make() -> Arrays:
        enough = ENOUGH if task.large else EXACT
        head = fit_head(task, np.arange(len(task.y)), seed, enough)
        found: list[NDArray[Any]] = [head.intercept]
        for block in head.blocks:
            found += (block.keys, block.idf, block.coef)
        return found

    intercept, *arrays = task.pieces.get("model", make)
    features, blocks = task.recipe.features, []
    for number, (name, weight) in enumerate(features.blocks.items()):
        keys, idf, coef = arrays[3 * number : 3 * number + 3]
        blocks.append(BlockWeights(name, weight, keys, idf, coef))
    return Head(task.labels, task.targeted, tuple(blocks), intercept, 1.0, features.per_actor)


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
    each = PART if task.large else 1.0
    if jobs == 1:
        found = []
        for cut in cuts:
            found.append(_score_cut(task, cut))
            tick(len(cut.train) * each)
        return found
    from joblib import Parallel, delayed

    parts = [cuts[start::jobs] for start in range(min(jobs, len(cuts)))]
    done = Parallel(jobs)(delayed(score_cuts)(task, part) for part in parts)
    tick(sum(len(cut.train) for cut in cuts) * each)
    return [done[i % len(parts)][i // len(parts)] for i in range(len(cuts))]


def _score_cut(task: Task, cut: Cut) -> Floats | DataError:
    def make() -> Arrays:
        enough = HELD_OUT_PART if task.large else HELD_OUT
        head = fit_head(task, cut.train, cut.seed, enough)
        return [score_rows(head, task.counts, task.counted(cut.test))]

    try:
        (scores,) = task.pieces.get(name_of(cut.train, cut.test, np.array(cut.seed)), make)
    except DataError as error:
        return error
    return scores
