"""Repeated cross-validations of one head, also from parts of the documents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stance.arrays import Bools, Floats, Ints
from stance.errors import DataError
from stance.evaluation.agreement import cohen_kappa, sum_codes
from stance.evaluation.answers import document_confusion, macro_f1, plain
from stance.evaluation.intervals import Interval, score_bounds, t_interval
from stance.fitting.crossvalidation import Cut, HeldOut, Tick, assign_folds, fold_cuts, score_cuts
from stance.fitting.task import Task
from stance.recipe import Validation
from stance.records import NO_ANSWER

WHOLE = 1.0
SHARES = (0.25, 0.5, WHOLE)  # of a fold's training documents in a learning curve
NORMAL = 1.96  # standard deviations of a mean in half a 95 % interval
FEWEST = 10  # training documents below which a point of the curve is left out
Run = tuple[int, float]  # seed of a repeat, and the share of the documents that it learns from


@dataclass(frozen=True, slots=True)
class RepeatedCV:
    """Held-out answers of repeated cross-validations by document."""

    seeds: tuple[int, ...]  # of each repeat; the first is the recipe's
    shares: tuple[float, ...]  # of the training documents that were learned from, the last is 1
    documents: tuple[float, ...]  # how many a share is, in the mean of folds and repeats
    rows: tuple[float, ...]  # likewise
    confusion: Floats
    """Counts of each document, of shape (n_documents, n_repeats, n_shares, n_labels, n_labels + 1);
    rows gold, columns answered, the last where none is given, by models that had not seen it."""
    kappa: float | None = None  # of the answers learned from half of the documents and from all

    @property
    def scores(self) -> Floats:
        """Macro-F1 of each repeat and share, of shape (n_repeats, n_shares)."""
        return macro_f1(self.confusion.sum(axis=0))

    @property
    def spread(self) -> Floats:
        """Standard deviation of macro-F1 between repeats, by share; 0 if there is only one."""
        scores = self.scores
        return scores.std(axis=0, ddof=1) if len(scores) > 1 else np.zeros(len(self.shares))

    def bounds(self) -> Floats:
        """Return the 95 % interval of the mean macro-F1 of the repeats, of shape (2, n_shares).

        The documents are the sample, and repeats share them (Bengio and Grandvalet 2004, "No
        Unbiased Estimator of the Variance of K-Fold Cross-Validation"). So it is the documents'
        interval for the mean, widened by the uncertainty of the mean of a few repeats (Zou and
        Donner 2008, "Construction of Confidence Limits About Effect Measures").
        """
        low, high = np.transpose(score_bounds(_mean, self.confusion))
        mean = _mean(self.confusion.sum(axis=0))
        luck = NORMAL * self.spread / np.sqrt(len(self.seeds))
        found: Floats = np.clip(
            [mean - np.hypot(mean - low, luck), mean + np.hypot(high - mean, luck)], 0.0, 1.0
        )
        return found

    def gain(self) -> Interval:
        """Return the 95 % interval of what the last doubling of the documents gained."""
        gains = np.diff(self.scores[:, -2:])[:, 0]
        value = float(gains.mean())
        low, high = t_interval(
            lambda total: np.diff(_mean(total)[..., -2:])[..., 0], self.confusion
        )
        luck = NORMAL * gains.std(ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else 0.0
        return value - float(np.hypot(value - low, luck)), value + float(
            np.hypot(high - value, luck)
        )

    def figures(self, bounds: Floats) -> dict[str, Any]:
        """Return what the repeats say, for JSON; ``bounds`` as `bounds` returns them."""
        scores = self.scores[:, -1]
        spread = self.spread[-1] if len(scores) > 1 else None  # the luck of the folds
        found = {"seeds": self.seeds, "macro_f1": scores, "mean": scores.mean(), "sd": spread}
        return plain(found | {"interval": bounds[:, -1]})


def _mean(total: Floats) -> Floats:
    """Return the mean over repeats of counts (..., n_repeats, n_shares, n_labels, n_labels + 1)."""
    mean: Floats = macro_f1(total).mean(axis=-2)
    return mean


def repeat(
    task: Task,
    fold: Ints,
    held: HeldOut,
    validation: Validation,
    *,
    jobs: int = 1,
    answered: Bools | None = None,
    tick: Tick = lambda _: None,
) -> RepeatedCV:
    """Cross-validate a head again, with other folds and from parts of the documents.

    ``fold`` and ``held`` are those of the first time; ``answered`` is False where `predict` gives
    no answer. Repeats and shares that leave too little to learn from are left out.
    """
    plan = _plan(task, fold, validation)
    first = (validation.seed, WHOLE)
    rest = {run: cuts for run, cuts in plan.items() if run != first}
    found = {first: held.probabilities.argmax(axis=1)} | _answers(task, rest, jobs, tick)
    if answered is not None:
        found = {run: np.where(answered, own, NO_ANSWER) for run, own in found.items()}
    seeds = tuple(seed for seed, share in plan if share == WHOLE and (seed, share) in found)
    shares = [share for share in SHARES if all((seed, share) in found for seed in seeds)]
    labels = len(task.labels)
    confusion = [
        [document_confusion(task.y, found[seed, share], task.group, labels) for share in shares]
        for seed in seeds
    ]
    sizes = [_size(task, [cut for seed in seeds for cut in plan[seed, share]]) for share in shares]
    documents, rows = zip(*sizes, strict=True)
    counts = np.moveaxis(np.array(confusion), 2, 0)
    kappa = None
    if len(shares) > 1:
        kappa = float(
            np.mean([_kappa(found[seed, shares[-2]], found[seed, WHOLE], labels) for seed in seeds])
        )
    return RepeatedCV(seeds, tuple(shares), documents, rows, counts, kappa)


def _kappa(one: Ints, other: Ints, labels: int) -> float:
    """Return the kappa of two models' answers, 1 where all are the same single class."""
    if np.array_equal(one, other):
        return 1.0
    return float(cohen_kappa(sum_codes(np.stack([one, other]), labels).total()))


def _plan(task: Task, fold: Ints, validation: Validation) -> dict[Run, list[Cut]]:
    plan: dict[Run, list[Cut]] = {}
    shares = SHARES[:-1] if validation.learning_curve else ()
    for seed in repeat_seeds(validation.seed, validation.repeats):
        if plan:
            fold = assign_folds(task.y, task.group, validation.folds, seed)
        whole = fold_cuts(fold, seed)
        smaller = [parts(task, cut, shares, (seed, n)) for n, cut in enumerate(whole)]
        for share, cuts in zip(shares, zip(*smaller, strict=True), strict=False):
            if all(_enough(task, *pair) for pair in zip(cuts, whole, strict=True)):
                plan[seed, share] = list(cuts)
        plan[seed, WHOLE] = whole
    return plan


def _enough(task: Task, cut: Cut, whole: Cut) -> bool:
    classes = len(np.unique(task.y[cut.train])) == len(np.unique(task.y[whole.train]))
    return classes and len(np.unique(task.group[cut.train])) >= FEWEST


def _answers(
    task: Task, plan: Mapping[Run, Sequence[Cut]], jobs: int, tick: Tick
) -> dict[Run, Ints]:
    """Return the held-out answers of each run that had enough to learn from."""
    scored = iter(score_cuts(task, [cut for cuts in plan.values() for cut in cuts], jobs, tick))
    answers = {}
    for run, cuts in plan.items():
        found = np.full(len(task.y), -1)
        for cut, scores in zip(cuts, scored, strict=False):
            if not isinstance(scores, DataError):
                found[cut.test] = scores.argmax(axis=1)
        if (found >= 0).all():
            answers[run] = found
    return answers


def _size(task: Task, cuts: Sequence[Cut]) -> tuple[float, float]:
    documents = [len(np.unique(task.group[cut.train])) for cut in cuts]
    return float(np.mean(documents)), float(np.mean([len(cut.train) for cut in cuts]))


def repeat_seeds(seed: int, repeats: int) -> tuple[int, ...]:
    """Return the seed of each repeat: the given one, then some that follow from it.

    >>> repeat_seeds(20, 3) == repeat_seeds(20, 5)[:3]
    True
    """
    later = np.random.SeedSequence(seed).generate_state(repeats - 1) >> 1  # below 2**31
    return (seed, *later.tolist())


def parts(task: Task, cut: Cut, shares: Sequence[float], seed: Sequence[int]) -> list[Cut]:
    """Return nested cuts that learn from shares of a cut's documents, with its mix of classes."""
    names, place = np.unique(task.group[cut.train], return_inverse=True)
    holds = np.zeros((len(names), len(task.labels)), np.bool_)
    holds[place, task.y[cut.train]] = True
    stratum = np.where(holds, holds.sum(axis=0), len(names) + 1).argmin(axis=1)
    rng = np.random.Generator(np.random.PCG64(seed))
    when = np.empty(len(names))
    for number in np.unique(stratum):
        mine = rng.permutation(np.flatnonzero(stratum == number))
        when[mine] = (np.arange(len(mine)) + rng.random(len(mine))) / len(mine)
    order = when.argsort().argsort()
    return [
        Cut(cut.train[order[place] < round(share * len(names))], cut.test, cut.seed)
        for share in shares
    ]
