"""Repeated cross-validations of one head, also from parts of the documents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stance.arrays import Bools, Floats, Ints
from stance.display import count
from stance.errors import DataError
from stance.evaluation.answers import document_confusion, macro_f1, plain
from stance.evaluation.intervals import Interval, score_bounds, t_interval
from stance.fitting.crossvalidation import Cut, HeldOut, Tick, assign_folds, fold_cuts, score_cuts
from stance.fitting.learning import Task
from stance.recipe import Validation
from stance.records import NO_ANSWER

WHOLE = 1.0
SHARES = (0.25, 0.5, WHOLE)  # of a fold's training documents in a learning curve
NORMAL = 1.96  # standard deviations of a mean in half a 95 % interval
FEWEST = 10  # training documents below which a point of the curve is left out
FEWEST_DOCUMENTS = 100  # below which nothing is said of what more labels would gain
Run = tuple[int, float]  # seed of a repeat, and the share of the documents that it learns from


@dataclass(frozen=True, slots=True)
class RepeatedCV:
    """Held-out answers of repeated cross-validations by document."""

    seeds: tuple[int, ...]  # of each repeat; the first is the recipe's
    shares: tuple[float, ...]  # of the training documents that were learned from, the last is 1
    sizes: Sequence[tuple[float, float]]  # documents and rows of a share, in the mean of the folds
    confusion: Floats
    """Counts of each document, of shape (n_documents, n_repeats, n_shares, n_labels, n_labels + 1);
    rows gold, columns answered, the last where none is given, by models that had not seen it."""

    @property
    def scores(self) -> Floats:
        """Macro-F1 of each repeat and share, of shape (n_repeats, n_shares)."""
        return macro_f1(self.confusion.sum(axis=0))

    def bounds(self) -> list[Interval]:
        """Return the 95 % interval of the mean macro-F1 of the repeats, by share.

        The documents are the sample, and repeats share them (Bengio and Grandvalet 2004, "No
        Unbiased Estimator of the Variance of K-Fold Cross-Validation"). So it is the documents'
        interval for the mean, widened by the uncertainty of the mean of a few repeats (Zou and
        Donner 2008, "Construction of Confidence Limits About Effect Measures").
        """
        by_share = zip(score_bounds(_mean, self.confusion), self.scores.T, strict=True)
        widened = (_widened(interval, scores) for interval, scores in by_share)
        return [(max(0.0, low), min(1.0, high)) for low, high in widened]

    def figures(self) -> dict[str, Any]:
        """Return what the repeats say, for JSON; ``sd`` is the luck of the folds."""
        scores = self.scores[:, -1]
        spread = scores.std(ddof=1) if len(scores) > 1 else None
        known = {"seeds": self.seeds, "macro_f1": scores, "mean": scores.mean(), "sd": spread}
        return plain(known | {"interval": self.bounds()[-1]})

    def learning_curve(self) -> dict[str, Any]:
        """Return the points of a learning curve, and what the last doubling of the labels gained.

        ``doubling`` is the 95 % interval of that gain for documents of the same kind, or None, and
        then ``why`` says why. Curves level off: the next doubling gains less, as a rule.
        """
        mean, documents = self.scores.mean(axis=0), len(self.confusion)
        points = [
            {"share": share, "documents": size[0], "rows": size[1], "macro_f1": score}
            | {"low": low, "high": high}
            for share, size, score, (low, high) in zip(
                self.shares, self.sizes, mean, self.bounds(), strict=True
            )
        ]
        why, gain = None, None
        if documents < FEWEST_DOCUMENTS:
            few = f"{count(documents, 'document')} are too few to say what more labels would gain"
            why = f"{few}; label {FEWEST_DOCUMENTS}"
        elif len(points) < 2:
            why = "half of the documents do not hold every class; label more of the rare ones"
        else:
            low_high = t_interval(
                lambda total: np.diff(_mean(total)[..., -2:])[..., 0], self.confusion
            )
            gain = _widened(low_high, np.diff(self.scores[:, -2:])[:, 0])
        return plain({"points": points, "doubling": gain} | ({"why": why} if why else {}))


def _widened(interval: Interval, values: Floats) -> Interval:
    """Return an interval of the mean of repeats' values that allows for their being few."""
    mean, (low, high) = float(values.mean()), interval
    luck = NORMAL * values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
    return mean - float(np.hypot(mean - low, luck)), mean + float(np.hypot(high - mean, luck))


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
    answers = {first: held.probabilities.argmax(axis=1)} | _answers(task, rest, jobs, tick)
    if answered is not None:
        answers = {run: np.where(answered, best, NO_ANSWER) for run, best in answers.items()}
    seeds = tuple(seed for seed, share in plan if share == WHOLE and (seed, share) in answers)
    shares = [share for share in SHARES if all((seed, share) in answers for seed in seeds)]
    confusion = [
        [
            document_confusion(task.y, answers[seed, share], task.group, len(task.labels))
            for share in shares
        ]
        for seed in seeds
    ]
    sizes = [_size(task, [cut for seed in seeds for cut in plan[seed, share]]) for share in shares]
    return RepeatedCV(seeds, tuple(shares), sizes, np.moveaxis(np.array(confusion), 2, 0))


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
        best = np.full(len(task.y), -1)
        for cut, scores in zip(cuts, scored, strict=False):
            if not isinstance(scores, DataError):
                best[cut.test] = scores.argmax(axis=1)
        if (best >= 0).all():
            answers[run] = best
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
        members = rng.permutation(np.flatnonzero(stratum == number))
        when[members] = (np.arange(len(members)) + rng.random(len(members))) / len(members)
    order = when.argsort().argsort()
    return [
        Cut(cut.train[order[place] < round(share * len(names))], cut.test, cut.seed)
        for share in shares
    ]
