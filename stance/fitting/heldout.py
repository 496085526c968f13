"""Cross-validation of one head: every row is scored by a model that has not seen its group."""

import errno
import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pickle import PicklingError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.arrays import Floats, Ints
from stance.display import shown
from stance.errors import DataError, OutputError, UsageError
from stance.fitting.folds import Cut, fold_cuts
from stance.fitting.learning import (
    ENOUGH,
    EXACT,
    HELD_OUT,
    HELD_OUT_ENOUGH,
    HELD_OUT_PART,
    Near,
    fit_head,
    score_rows,
    temperature_of,
)
from stance.fitting.pieces import Arrays, name_of
from stance.fitting.task import Task
from stance.model.heads import BlockWeights, Head, softmax

Tick = Callable[[float], None]  # is given the number of rows learned from
WHOLE, PART = 3.0, 2.0
"""What learning from a row of a large corpus costs, if reading it for its features costs 1.

For the model, and for one that is only scored.
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
    near = Near.of(task) if task.large else None
    head = _fit_whole(task, seed, near)
    tick(len(task.y) * (WHOLE if task.large else 1))
    near = replace(near, model=head) if near else None
    return head, cross_validate(task, fold, seed, jobs, tick, near)


def _fit_whole(task: Task, seed: int, near: Near | None) -> Head:
    """Fit a head on all its rows."""

    def make() -> Arrays:
        enough = ENOUGH if task.large else EXACT
        head = fit_head(task, np.arange(len(task.y)), seed, enough, near)
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


def cross_validate(
    task: Task,
    fold: Ints,
    seed: int,
    jobs: int = 1,
    tick: Tick = _ignore,
    near: Near | None = None,
) -> Held:
    """Score every row by a model that has not seen its group.

    The searches of a large task may begin at a model of all rows, which is ``near``.

    Raises
    ------
    DataError
        If a fold leaves too little to learn from.
    """
    cuts = fold_cuts(fold, seed)
    scores = np.zeros((len(task.y), len(task.labels)))
    for cut, part in zip(cuts, score_cuts(task, cuts, jobs, tick, near), strict=True):
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


def check_jobs(jobs: int) -> None:
    """Raise if joblib cannot read how many processors it may use."""
    found = os.environ.get("LOKY_MAX_CPU_COUNT", "1")
    try:
        int(found)
    except ValueError:
        if jobs > 1:
            why = f"LOKY_MAX_CPU_COUNT: '{shown(found)}' is not a whole number"
            raise UsageError(f"{why}; unset it, or use --jobs 1") from None


def score_cuts(
    task: Task,
    cuts: Sequence[Cut],
    jobs: int = 1,
    tick: Tick = _ignore,
    near: Near | None = None,
) -> list[Floats | DataError]:
    """Score the test rows of each cut by what is learned from its training rows.

    The scores, of shape (n_test_rows, n_labels), do not depend on ``jobs``. A cut with too little
    to learn from gives its error instead.
    """
    each = PART if task.large else 1.0
    if jobs == 1:
        found = []
        for cut in cuts:
            found.append(_score_cut(task, cut, near))
            tick(len(cut.train) * each)
        return found
    from joblib import Parallel, delayed

    parts = [cuts[start::jobs] for start in range(min(jobs, len(cuts)))]
    try:
        each_done = Parallel(jobs)(delayed(_apart)(task, part, near) for part in parts)
    except PicklingError as error:  # also of arrays that go by a file
        if os.strerror(errno.ENOSPC) not in str(error.__cause__):
            raise
        full = "the folder in which processes share their data is full"
        raise OutputError(f"{full}; name another in JOBLIB_TEMP_FOLDER, or use --jobs 1") from error
    done = [found for found, _ in each_done]
    for why in sorted({why for _, told in each_done for why in told}):
        warnings.warn(why, RuntimeWarning, stacklevel=2)
    tick(sum(len(cut.train) for cut in cuts) * each)
    return [done[i % len(parts)][i // len(parts)] for i in range(len(cuts))]


def _apart(
    task: Task, cuts: Sequence[Cut], near: Near | None
) -> tuple[list[Floats | DataError], set[str]]:
    """Score cuts in another process; return what it would have warned of, too."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", RuntimeWarning)
        found = score_cuts(task, cuts, near=near)
    return found, {str(each.message) for each in told if each.category is RuntimeWarning}


def _score_cut(task: Task, cut: Cut, near: Near | None) -> Floats | DataError:
    def make() -> Arrays:
        large = HELD_OUT_PART if cut.rough else HELD_OUT_ENOUGH
        enough = large if task.large else HELD_OUT
        head = fit_head(task, cut.train, cut.seed, enough, near)
        return [score_rows(head, task.counts, task.counted(cut.test))]

    try:
        (scores,) = task.pieces.get(name_of(cut.train, cut.test, np.array(cut.seed)), make)
    except DataError as error:
        return error
    return scores
