"""Shares corrected by an audit sample, with intervals that hold whatever the classifier's errors.

Prediction-powered inference with power tuning (Angelopoulos, Duchi and Zrnic 2023, "PPI++:
Efficient Prediction-Powered Inference", arXiv:2311.01453), with the inclusion probabilities and the
document clusters of design-based supervised learning (Egami, Hinck, Stewart and Wei 2023, "Using
Imperfect Surrogates for Downstream Inference", arXiv:2306.04746): the mean of the predictions of
all pairs, plus the weighted mean of the audited pairs' residuals.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from stance.arrays import Bools, Floats, Ints, sums_by
from stance.evaluation.intervals import CONFIDENCE, FEWEST, Estimates, Interval, edge
from stance.records import AGAINST, FAVOR, NET, NEUTRAL, SIDES, Stance

QUANTITIES = np.array([[1.0, 0.0], [-1.0, -1.0], [0.0, 1.0], [-1.0, 1.0]])
"""From the shares of `SIDES`, which are estimated, to what is reported: all shares, and the net."""

FEWEST_LABELS = 10  # below which, or in fewer than `FEWEST` documents, nothing is said of a part
EVENTS = 3.0  # labels of the rarer kind that weigh as much as the assumption that nothing is gained
Surrogates = Sequence[tuple[str, Floats]]  # in place of labels: name, scores of pairs for `SIDES`
ALIKE = 0.2  # likeness of a document's stances, and of the errors of its answers, about
TUNED = 100  # labels below which surrogates are not tuned to: it would flatter the interval
AUDIT_ONLY = "labels alone"  # method without a surrogate that helps
LEAST_P = 1e-9  # smaller ones are not told apart
HALVINGS = 16  # in which p is found, to a thousandth of itself


@dataclass(frozen=True, slots=True)
class Audit:
    """Labelled pairs of a population, and how they were drawn."""

    pair: Ints  # number of each in the population
    truth: Ints  # its stance
    inclusion: Floats  # probability that it was drawn and labelled, above 0 and up to 1
    stratum: Ints
    missing: int = 0  # pairs that were drawn but have no label
    chances: Sequence[float] = ()  # of all pairs drawn, labelled or not, as the design has them
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.pair)


@dataclass(frozen=True, slots=True)
class Corrected(Estimates):
    """Corrected shares of a part of a population."""

    errors: tuple[float, ...]  # standard errors of the shares and of the net stance
    method: str  # the surrogates used, or `AUDIT_ONLY`


class Weights(NamedTuple):
    """How useful each surrogate is for each side, by some labels."""

    values: Floats  # of shape (n_surrogates, 2); 0 for those that are not used
    penalty: Floats  # by how much tuning to these labels makes the variance of each side too small


class Correction:
    """An audit of a population, ready to correct the shares of any part of it.

    ``document`` numbers the document of each pair of the population. Of the ``alternatives``, such
    as the model's probabilities and its labels, the more useful one is taken; ``additions`` are
    further surrogates, each weighted by its use.
    """

    def __init__(
        self, audit: Audit, document: Ints, alternatives: Surrogates, additions: Surrogates = ()
    ) -> None:
        self.audit, self._document = audit, document
        self._sides = (audit.truth[:, None] == np.array(SIDES)).astype(np.float64)
        self._weight = 1 / audit.inclusion
        stratum = np.unique(audit.stratum, return_inverse=True)[1]
        # What was drawn together: a stratum's pairs of a document.
        places = np.stack([stratum, document[audit.pair]])
        (self._stratum, self._cluster), self._unit = np.unique(places, axis=1, return_inverse=True)
        self._drawn = np.bincount(self._stratum)[self._stratum]
        share = sums_by(self._unit, audit.inclusion) / np.bincount(self._unit)
        self._share = sums_by(self._stratum, share)[self._stratum] / self._drawn
        # A large unit pulls its stratum's mean toward itself, so that its deviation is too small.
        weight = sums_by(self._unit, self._weight)
        part = weight / sums_by(self._stratum, weight)[self._stratum]
        self._unbiased = np.where(self._drawn == 1, 1.0, 1 / (1 - np.minimum(part, 0.5)))
        self._freedom = np.maximum(1 / sums_by(self._stratum, part**2) - 1, 1)
        surrogates, first = [*alternatives, *additions], len(alternatives)
        self._names = [name for name, _ in surrogates]
        shape = len(surrogates), len(document), len(SIDES)
        self._scores = np.array([scores for _, scores in surrogates]).reshape(shape)
        single = [[number] for number in range(len(surrogates))]
        chosen, added = ([], *single[:first]), [*range(first, len(surrogates))]
        # Surrogates that are weighted together; of equal models the first one counts.
        self._models = [model + more for more in ([], added) for model in chosen] + single[first:]
        self.pooled = self.weigh(np.ones(len(audit), np.bool_))  # weights by all labels

    def weights(self, pairs: Ints) -> Weights:
        """Return the weights of surrogates for some pairs, by all labels if these have few."""
        rows = np.isin(self.audit.pair, pairs)
        return self.pooled if rows.sum() < TUNED else self.weigh(rows)

    def weigh(self, rows: Bools) -> Weights:
        """Return the weights of surrogates, tuned to some of the labels.

        For each side the surrogates are those that promise the narrowest interval; the weights
        minimise the variance of the corrected share. Fewer than `TUNED` labels leave the first
        surrogate its full weight, or none if it does not help.
        """
        values, penalty = np.zeros((len(self._names), len(SIDES))), np.ones(len(SIDES))
        if self._names and rows.sum() < TUNED:
            residuals = self._sides - self._scores[0][self.audit.pair]
            z, _, means = self._deviations(np.hstack([self._sides, residuals]), rows)
            alone, left = (z**2).sum(axis=0).reshape(2, -1)
            size = float(effective(self._weight[rows]))
            share = np.maximum(means[:2], 1 / size)  # or labels without a rare one seem certain
            values[0] = left <= np.maximum(alone, share * (1 - share) / size)
            return Weights(values, penalty)
        # As many labels as there would be if both kinds were as frequent as the rarer one say how
        # useful a surrogate is.
        sizes = np.maximum(2 * self._rarer(rows)[list(SIDES)], 1).tolist()
        for side, size in enumerate(sizes):
            excess = [size / max(size - len(model), 0.5) for model in self._models]
            tuned = [self._tune(model, side, rows) for model in self._models]
            promised = [variance * e for (_, variance), e in zip(tuned, excess, strict=True)]
            best = promised.index(min(promised))  # of equals the first
            values[self._models[best], side], penalty[side] = tuned[best][0], excess[best]
        return Weights(values, penalty)

    def _tune(self, model: Sequence[int], side: int, rows: Bools) -> tuple[Floats, float]:
        """Return the weights of a model's surrogates that minimise the variance, and that."""
        scores = [self._scores[number][self.audit.pair, side] for number in model]
        z = self._deviations(np.stack([self._sides[:, side], *scores], axis=1), rows)[0]
        weights = np.linalg.lstsq(z[:, 1:].T @ z[:, 1:], z[:, 1:].T @ z[:, 0])[0]
        left = z[:, 0] - z[:, 1:] @ weights
        return weights.astype(np.float64), float(left @ left)

    def _predict(self, weights: Weights, pairs: Ints) -> Floats:
        """Return the predictions of the sides of some pairs, of shape (n_pairs, 2)."""
        return (weights.values[:, None] * self._scores[:, pairs]).sum(axis=0)

    def estimate(self, pairs: Ints, weights: Weights) -> Corrected | None:
        """Return the corrected shares of some pairs; None if too few of them are labelled."""
        rows = np.isin(self.audit.pair, pairs)
        labelled = np.unique(self._document[self.audit.pair[rows]])
        if rows.sum() < FEWEST_LABELS or len(labelled) < FEWEST:
            return None
        sides, z, totals, sums = self._spread(pairs, weights)
        # The squares of documents' deviations, less what the labels' chance adds to them.
        squares, size = sums**2, np.bincount(self._document[pairs], minlength=len(sums))
        np.subtract.at(squares, self._cluster, (1 - self._share)[:, None] * totals**2)
        part = np.minimum(size / len(pairs), 0.5)
        between = np.maximum(1 / (1 - part) @ squares, 0)  # part: as in `_unbiased`
        by_stratum = sums_by(self._stratum, z**2)
        variance = between + by_stratum.sum(axis=0)
        alike = float(effective(size * (1 - ALIKE) + size**2 * ALIKE))
        freedom = max(1.0, min(alike, len(labelled)) - 1)
        # Satterthwaite 1946, of the variance between documents and that of each stratum's labels.
        doubtful = (by_stratum**2 / self._freedom[:, None]).sum(axis=0) + between**2 / freedom
        names = sorted({self._names[n] for n in np.flatnonzero(weights.values.any(axis=1))})
        method = f"PPI++ ({', '.join(names)})" if names else AUDIT_ONLY
        return self._corrected(sides, variance, doubtful, rows, method)

    def _spread(self, pairs: Ints, weights: Weights) -> tuple[Floats, Floats, Floats, Floats]:
        """Return shares of sides, deviations and totals of units, and sums of all documents."""
        predictions = self._predict(weights, pairs)
        residuals = self._sides - self._predict(weights, self.audit.pair)
        z, totals, means = self._deviations(residuals, np.isin(self.audit.pair, pairs))
        z, totals = (z * np.sqrt(weights.penalty)) @ QUANTITIES.T, totals @ QUANTITIES.T
        sums = np.zeros((self._document.max() + 1, len(SIDES)))
        share = (predictions - predictions.mean(axis=0)) / len(pairs)
        np.add.at(sums, self._document[pairs], share)
        sums = sums @ QUANTITIES.T
        np.add.at(sums, self._cluster, totals)
        return means + predictions.mean(axis=0), z, totals, sums

    def correlation(self, parts: Sequence[Sequence[Any]], weights: Weights) -> float:
        """Return how the net stances of two parts vary together, by documents that both are of."""
        if not np.isin(*(self._document[pairs] for pairs, _ in parts)).any():
            return 0.0
        varied = []
        for pairs, known in parts:
            _, z, totals, sums = self._spread(pairs, weights)
            # As in `estimate`, less what the labels' chance adds to the documents' deviations.
            chance = np.sqrt(1 - self._share) * totals[:, NET]
            error = max(known.errors[NET], 1e-300)
            varied.append([part / error for part in (sums[:, NET], z[:, NET], chance)])
        by_document, by_label, chance = (a @ b for a, b in zip(*varied, strict=True))
        return float(np.clip(by_document + by_label - chance, -1, 1))

    def _corrected(
        self, sides: Floats, variance: Floats, doubtful: Floats, rows: Bools, method: str
    ) -> Corrected:
        size = float(effective(self._weight[rows]))
        sides = np.clip(sides, 0, 1)
        sides = sides / max(1.0, sides.sum())
        shares = np.array([sides[0], 1 - sides.sum(), sides[1]])
        middle = (shares * size + 1) / (size + len(Stance))
        net = middle[FAVOR] - middle[AGAINST]
        plain = np.append(middle * (1 - middle), 1 - middle[NEUTRAL] - net**2)
        # With few labels of the rarer kind, their spread says little: nothing is gained, then.
        few = self._rarer(rows)
        doubt = EVENTS / (EVENTS + few) * np.maximum(0, plain / size - variance)
        freedom = np.where(doubtful > 0, variance**2 / np.maximum(doubtful, 1e-300), size - 1)
        return Corrected(
            shares=tuple(shares.tolist()),
            errors=tuple(np.sqrt(variance).tolist()),
            information=tuple((plain / (variance + doubt)).tolist()),
            freedom=tuple(np.maximum(freedom, 1.0).tolist()),
            method=method,
        )

    def _rarer(self, rows: Bools) -> Floats:
        """Return the effective number of documents with the rarer label of each quantity."""
        weight = np.where(rows, self._weight, 0.0)[:, None]
        hits = weight * (self.audit.truth[:, None] == np.arange(len(Stance)))
        documents = self._document[self.audit.pair]
        hit, missed = (effective(sums_by(documents, part)) for part in (hits, weight - hits))
        few = np.minimum(hit, missed)
        return np.append(few, few[list(SIDES)].min())  # the rarer side makes the net skewed

    def _deviations(self, values: Floats, rows: Bools) -> tuple[Floats, Floats, Floats]:
        """Return deviations whose squares sum to the variance of a weighted mean of labels.

        By units (a stratum's pairs of a document), about the mean of their stratum; of shape
        (n_units, n_values). Units without any of the rows count, since the number of a part's
        labels is random. Then the units' totals about the mean, and the mean.
        """
        weight = np.where(rows, self._weight, 0.0)
        weight /= weight.sum()
        mean = weight @ values
        totals = sums_by(self._unit, weight[:, None] * (values - mean))
        middle = sums_by(self._stratum, totals)[self._stratum] / self._drawn[:, None]
        centred = totals - (self._drawn > 1)[:, None] * middle
        return centred * np.sqrt(self._unbiased * (1 - self._share))[:, None], totals, mean


def difference(one: Estimates, other: Estimates, confidence: float, r: float = 0.0) -> Interval:
    """Return the interval of the difference of two net stances, which joins those of both.

    ``r`` is their correlation. Zou 2007, "Toward Using Confidence Intervals to Compare
    Correlations"; Zou and Donner 2008, "Construction of Confidence Limits about Effect Measures".
    """
    a, b = one.net, other.net
    (low_a, high_a), (low_b, high_b) = (part.interval(NET, confidence) for part in (one, other))

    def width(x: float, y: float) -> float:
        return math.sqrt(max(x * x + y * y - 2 * r * x * y, 0.0))

    return a - b - width(a - low_a, high_b - b), a - b + width(high_a - a, b - low_b)


def compare(one: Corrected, other: Corrected, r: float = 0.0) -> tuple[float, Interval, float]:
    """Return the difference of two net stances, its 95 % interval, and p where that meets 0."""

    def lacks_zero(log_p: float) -> bool:
        low, high = difference(one, other, 1 - float(np.exp(log_p)), r)
        return low > 0 or high < 0

    log_p = edge(lacks_zero, float(np.log(LEAST_P)), 0.0, HALVINGS)
    return one.net - other.net, difference(one, other, CONFIDENCE, r), float(np.exp(log_p))


def effective(weights: Floats) -> Any:
    """Return the effective number of weighted items (Kish 1965, "Survey Sampling")."""
    squares = (weights**2).sum(axis=0)
    return weights.sum(axis=0) ** 2 / np.where(squares > 0, squares, 1.0)
