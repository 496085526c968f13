"""Fits one head on some rows, and the temperature of its scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from threadpoolctl import threadpool_limits

from stance.arrays import Floats, Floats32, Ints
from stance.errors import DataError
from stance.fitting.counts import BlockCounts
from stance.fitting.designs import Design, DesignBlock, Frequency, Part, make_design, make_part
from stance.fitting.logistic import fit_logistic
from stance.fitting.machines import Frequent, fit_machine, fit_machines
from stance.fitting.task import Task, present_labels
from stance.model.heads import NEVER, BlockWeights, Head

FLOOR = 1e-12  # least probability in a log loss
EXACT, HELD_OUT = 1e-4, 1e-2
"""Violations at which a support vector machine stops: of a model, and of one that is only scored.

Scores of 8,002 and of 80,003 rows differed by less than 0.001 between the two, and no answer did;
the second takes half the time.
"""
ENOUGH, HELD_OUT_ENOUGH, HELD_OUT_PART = 0.0015, 0.003, 0.025
"""The same where there are many rows: the error of the scores that is left, root mean square.

For the model, for one that leaves a fold out, and for one of part of the documents.
"""
COARSE, ROUGH = 10, 0.1
"""Where there are many rows, the search begins at what one in so many teaches, about so well."""
SPARSE = 0.5  # share of rows or features below which a search copies those that it needs
FORGETFUL = 5.0
"""What a row's error may cost so that the search of a fold may begin at the model of all rows.

Where errors cost much more, weights that fit a row stay though it is left out.
"""
_ROWS = 1 << 14  # scored at a time
ABSENT = -5.0  # score of a class that a training fold does not hold


def fit_head(
    task: Task, rows: Ints, seed: int, enough: float = EXACT, near: "Near | None" = None
) -> Head:
    """Fit a linear classifier on some rows; temperature 1, terms without names.

    ``enough`` is the violation at which a support vector machine stops, or the error of its scores
    where the task is large. There the search may begin at a model that is ``near``.
    """
    rows, counts = task.with_lessons(rows), task.counts
    if task.large:
        return _fit_large(task, rows, enough, near)
    if len(rows) < next(iter(counts.values())).sums.shape[0]:
        counts = {name: own.take(rows) for name, own in counts.items()}
    design = make_design(counts, task.recipe.features, task.vectors, task.groups[rows])
    return _head(task, design.blocks, *_linear(design, rows, task, seed, enough))


@dataclass(frozen=True, slots=True)
class Near:
    """What is known of all rows: most of what a search in some of them needs."""

    frequencies: Sequence[Frequency]  # of each block
    frequent: Frequent
    model: Head | None = None

    @classmethod
    def of(cls, task: Task) -> "Near":
        """Look at all rows of a task."""
        found = _frequencies(task.counts, task.counted(np.arange(len(task.groups))), task.groups)
        with threadpool_limits(1):
            return cls(found, Frequent.of(_parts(task, task.counts, found)))

    def frequencies_in(self, task: Task, rows: Ints) -> list[Frequency]:
        """Return how often features occur in some rows, which leave out whole documents."""
        left = np.ones(len(task.groups), np.bool_)
        left[rows] = False
        others = np.flatnonzero(left)
        if not len(others):
            return [*self.frequencies]
        missed = _frequencies(task.counts, task.counted(others), task.groups[others])
        return [one.without(other) for one, other in zip(self.frequencies, missed, strict=True)]


def _coef(task: Task, model: Head, labels: Ints) -> Floats32:
    """Return coefficients of a model, of shape (n_columns + 1, n_labels)."""
    found = []
    for block in model.blocks:
        own = task.counts[block.name]
        columns = own.columns(np.searchsorted(own.keys, block.keys))
        found.append(np.zeros((own.sums.shape[1], len(labels)), np.float32))
        found[-1][columns] = block.coef[:, labels] * own.stretch[columns, None]
    intercept = model.intercept.astype(np.float32)
    intercept[1] -= task.recipe.classifier.neutral_offset
    return np.vstack([*found, intercept[labels]])


def _fit_large(task: Task, rows: Ints, enough: float, near: Near | None) -> Head:
    present = present_labels(task, *task.targets(rows))
    if near is not None and near.model is not None and _forgets(task, rows):
        begin = _coef(task, near.model, present)
    else:
        begin, _ = _learn_machines(task, rows[::COARSE], present, None, ROUGH)
    found, idf = _learn_machines(task, rows, present, begin, enough, near)
    if not np.isfinite(found).all():
        raise DataError("errors cost too much to learn from; lower c or the corpora's weights")
    made, coef, low = list[DesignBlock](), [], 0
    for (name, weight), own in zip(task.recipe.features.blocks.items(), idf, strict=True):
        counts, part = task.counts[name], found[low : (low := low + len(own))]
        columns = counts.columns()
        columns = columns[kept := own[columns] > 0]
        stretch = counts.stretch[columns]
        made.append((name, weight, counts.keys[kept], own[columns] / stretch))
        coef.append(part[columns] / stretch[:, None])
    _check_features(task, sum(map(len, coef)), len(rows))
    whole = np.zeros((sum(map(len, coef)), len(task.labels)))
    intercept = np.where(task.occurs, ABSENT, NEVER)
    whole[:, present], intercept[present] = np.concatenate(coef), found[-1]
    return _head(task, made, whole, intercept)


def _forgets(task: Task, rows: Ints) -> bool:
    """Return whether errors cost so little that a search soon forgets rows where it began."""
    _, weight = task.targets(rows)
    return bool(weight.max() * task.recipe.classifier.c <= FORGETFUL)


def _frequencies(counts: Mapping[str, BlockCounts], at: Ints, groups: Ints) -> list[Frequency]:
    """Return how often features of each block occur at some rows of the counts, by group."""
    size = next(iter(counts.values())).sums.shape[0]
    group, pairs = np.zeros(size, np.int64), np.bincount(at, minlength=size).astype(np.float32)
    group[at] = groups
    return [Frequency.of(own, pairs, group) for own in counts.values()]


def _parts(
    task: Task, counts: Mapping[str, BlockCounts], frequencies: Sequence[Frequency]
) -> list[Part]:
    blocks, min_df = task.recipe.features.blocks, task.recipe.features.min_df
    return [
        make_part(counts[name], blocks[name], own, min_df)
        for name, own in zip(blocks, frequencies, strict=True)
    ]


def _learn_machines(
    task: Task,
    rows: Ints,
    labels: Ints,
    start: Floats32 | None,
    enough: float,
    near: Near | None = None,
) -> tuple[Floats32, list[Floats32]]:
    """Learn machines of some labels and all features from some rows, lessons among them.

    Returns coefficients of shape (n_columns + 1, n_labels), the last for the intercepts, and idf of
    the columns of each block. The search begins at 0 or at ``start``, coefficients likewise.
    """
    counts, at = task.counts, task.counted(rows)
    needed = np.zeros(next(iter(counts.values())).sums.shape[0], np.bool_)
    needed[at] = True
    size = len(needed)
    if np.count_nonzero(needed) < SPARSE * size:
        kept = np.flatnonzero(needed)
        counts, size = {name: own.take(kept) for name, own in counts.items()}, len(kept)
        at = np.searchsorted(kept, at)
    if near is None:
        frequencies = _frequencies(counts, at, task.groups[rows])
    else:
        frequencies = near.frequencies_in(task, rows)
    parts = _parts(task, counts, frequencies)
    del counts  # of which the parts need but the sums
    targets, weight = task.targets(rows)
    weight = weight * task.recipe.classifier.c
    costs = [np.bincount(at, targets[:, label] * weight, size) for label in labels.tolist()]
    idf = [part.idf for part in parts]
    met = np.append(np.concatenate(idf) > 0, True)
    whole = np.zeros((len(met), len(labels)), np.float32) if start is None else start.copy()
    few = met.mean() < SPARSE
    if few:
        parts = [parts.pop(0).take(own > 0) for own in idf]  # none is there twice for long
    frequent = None if near is None or few else near.frequent
    with threadpool_limits(1):
        begin = whole[met] if few else whole
        found = fit_machines(parts, np.stack(costs, axis=1), begin, enough, frequent)
    if not few:
        return found, idf
    whole[:] = 0
    whole[met] = found
    return whole, idf


def _head(task: Task, made: Sequence[DesignBlock], coef: Floats, intercept: Floats) -> Head:
    intercept = intercept.copy()
    intercept[1] += task.recipe.classifier.neutral_offset
    blocks, low = [], 0
    for name, weight, keys, idf in made:
        own = np.ascontiguousarray(coef[low : low + len(keys)], np.float32)
        blocks.append(BlockWeights(name, weight, keys, idf, own))
        low += len(keys)
    per_actor = task.recipe.features.per_actor
    return Head(task.labels, task.targeted, tuple(blocks), intercept, 1.0, per_actor)


def _linear(
    design: Design, rows: Ints, task: Task, seed: int, enough: float
) -> tuple[Floats, Floats]:
    """Return coefficients (n_features, n_labels) and intercepts, also for two classes."""
    x, vectored, recipe = design.x, design.vectored, task.recipe.classifier
    targets, weight = task.targets(rows)
    present = present_labels(task, targets, weight)
    _check_features(task, x.shape[1], len(rows))
    coef = np.zeros((x.shape[1], len(task.labels)))
    intercept = np.where(task.occurs, ABSENT, NEVER)
    with threadpool_limits(1):
        if recipe.kind == "svc":
            found = fit_machine(x, vectored, targets[:, present], weight, recipe.c, (seed, enough))
        else:
            found = fit_logistic(x, vectored, targets[:, present], weight, recipe.c)
    coef[:, present], intercept[present] = found
    return coef, intercept


def _check_features(task: Task, features: int, rows: int) -> None:
    if not features:
        raise DataError(
            f"no feature occurs in {task.recipe.features.min_df} training documents of a fold "
            f"({rows} rows); label more paragraphs, or lower min_df in the recipe"
        )


def score_rows(head: Head, counts: dict[str, BlockCounts], rows: Ints) -> Floats:
    """Score rows of the counts; the same as `Head.scores`."""
    total = np.tile(head.intercept, (len(rows), 1))
    for low in range(0, len(rows), _ROWS):
        part = slice(low, low + _ROWS)
        for block in head.blocks:
            total[part] += counts[block.name].take(rows[part]).scores(block)
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

    found = minimize_scalar(loss, bounds=(-5, 5), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x))
