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
from typing import Any

import numpy as np

from stance.arrays import Bools, Floats, Ints
from stance.evaluation.intervals import CONFIDENCE, Interval, net_interval, wilson
from stance.records import AGAINST, FAVOR, NEUTRAL, Stance

SIDES = (AGAINST, FAVOR)  # estimated; neutral is what is left
QUANTITIES = np.array([[1.0, 0.0], [-1.0, -1.0], [0.0, 1.0], [-1.0, 1.0]])
"""From the sides to what is reported: the shares of the three stances, and the net stance."""

NET = len(Stance)  # number of the net stance among the quantities
FEWEST = 2  # labels below which nothing is corrected
EVENTS = 3.0  # labels of the rarer kind that weigh as much as the assumption that nothing is gained
AUDIT_ONLY = "audit alone"  # method without a surrogate that helps


@dataclass(frozen=True, slots=True)
class Audit:
    """Labelled pairs of a population, and how they were drawn."""

    pair: Ints  # number of each in the population
    truth: Ints  # its stance
    inclusion: Floats  # probability that it was drawn, above 0 and up to 1
    stratum: Ints

    def __len__(self) -> int:
        return len(self.pair)


@dataclass(frozen=True, slots=True)
class Corrected:
    """Corrected shares of a part of a population."""

    labels: int
    shares: tuple[float, ...]  # of each stance
    errors: tuple[float, ...]  # standard errors of the shares and of the net stance
    information: tuple[float, ...]  # as how many independent labels those of a quantity count
    freedom: tuple[float, ...]  # Student's, of each quantity
    method: str  # the surrogates used, or `AUDIT_ONLY`

    @property
    def net(self) -> float:
        """Share in favor less share against."""
        return self.shares[FAVOR] - self.shares[AGAINST]

    def value(self, quantity: int) -> float:
        """Return the share of a stance or, for `NET`, the net stance."""
        return self.net if quantity == NET else self.shares[quantity]

    def interval(self, quantity: int, confidence: float = CONFIDENCE) -> Interval:
        """Return the interval of the share of a stance or, for `NET`, of the net stance."""
        known = self.information[quantity], self.freedom[quantity], confidence
        if quantity == NET:
            return net_interval(self.shares[AGAINST], self.shares[FAVOR], *known)
        return wilson(self.shares[quantity], *known)


@dataclass(frozen=True, slots=True)
class Surrogate:
    """What stands in for a label: for each pair of a population, scores against and in favor."""

    name: str
    scores: Floats  # of shape (n_pairs, 2)


class Correction:
    """An audit of a population, ready to correct the shares of any part of it.

    Parameters
    ----------
    audit : Audit
    document : ndarray of shape (n_pairs,)
        Number of each pair's document, of all pairs of the population.
    alternatives : sequence of Surrogate
        The model's probabilities and its labels, of which the more useful one is taken.
    additions : sequence of Surrogate
        Further ones, each weighted by its use.
    """

    def __init__(
        self,
        audit: Audit,
        document: Ints,
        alternatives: Sequence[Surrogate],
        additions: Sequence[Surrogate] = (),
    ) -> None:
        self.audit, self._document = audit, document
        self._sides = (audit.truth[:, None] == np.array(SIDES)).astype(np.float64)
        self._weight = 1 / audit.inclusion
        stratum = np.unique(audit.stratum, return_inverse=True)[1]
        # What was drawn together: a stratum's pairs of a document.
        keys, self._unit = np.unique(
            np.stack([stratum, document[audit.pair]]), axis=1, return_inverse=True
        )
        self._stratum = keys[0]
        self._cluster = np.unique(keys[1], return_inverse=True)[1]
        drawn = np.bincount(self._stratum)
        self._drawn = drawn[self._stratum]
        share = _sums(self._unit, audit.inclusion) / np.bincount(self._unit)
        self._share = _sums(self._stratum, share)[self._stratum] / self._drawn
        own: list[tuple[Surrogate, ...]] = [(), *((each,) for each in alternatives)]
        more = [(*model, *additions) for model in own] if additions else []
        self.models = own + more + ([(each,) for each in additions] if len(additions) > 1 else [])

    def predict(self, pairs: Ints, rows: Bools) -> tuple[Floats, str]:
        """Return predictions of the sides of some pairs, tuned to some labels, and their names.

        For each side the surrogates are those that promise the narrowest interval; the weights
        minimise the variance of the corrected share.
        """
        found, names = np.zeros((len(pairs), 2)), []
        for side in range(2):
            best, weights = math.inf, np.zeros(0)
            chosen: tuple[Surrogate, ...] = ()
            for model in self.models:
                own, variance = self._tune(model, side, rows)
                if variance < best:
                    best, chosen, weights = variance, model, own
            for each, weight in zip(chosen, weights.tolist(), strict=True):
                found[:, side] += weight * each.scores[pairs, side]
                names.append(each.name)
        listed = ", ".join(sorted(set(names)))
        return found, f"PPI++ ({listed})" if names else AUDIT_ONLY

    def _tune(self, model: tuple[Surrogate, ...], side: int, rows: Bools) -> tuple[Floats, float]:
        pairs = self.audit.pair
        scores = np.stack([self._sides[:, side], *(m.scores[pairs, side] for m in model)], axis=1)
        z = self._deviations(scores, rows)[0]
        kept = z * np.sqrt(1 - self._share)[:, None]  # a full audit gains nothing
        weights = np.linalg.lstsq(kept[:, 1:].T @ kept[:, 1:], kept[:, 1:].T @ kept[:, 0])[0]
        left = z[:, 0] - z[:, 1:] @ weights
        size = float(_effective(self._weight[rows]))
        return weights, float(left @ left) * size / max(size - len(model), 1e-9)

    def estimate(
        self, pairs: Ints, rows: Bools, predictions: Floats, method: str
    ) -> Corrected | None:
        """Return the corrected shares of some pairs; None if too few of them were audited.

        Parameters
        ----------
        pairs : ndarray of shape (n,)
            Numbers of the pairs.
        rows : ndarray of shape (n_labels,)
            Which of the audit's labels are theirs.
        predictions : ndarray of shape (n, 2)
            Of their sides, as `predict` returns them; `method` is what they are called.
        """
        labels = int(rows.sum())
        if labels < FEWEST:
            return None
        own = np.zeros((len(rows), 2))
        own[rows] = predictions[np.searchsorted(pairs, self.audit.pair[rows])]
        both = np.concatenate([self._sides - own, self._sides], axis=1)
        z, means = self._deviations(both, rows)
        spread = _clustered(predictions, self._document[pairs])
        size = float(_effective(self._weight[rows]))
        residual = (z**2).sum(axis=0) * np.array([*[size / max(size - 1, 1e-9)] * 2, 1.0, 1.0])
        helps = residual[:2] + np.diag(spread) < residual[2:]
        if not helps.any():
            method = AUDIT_ONLY
        z = np.where(helps, z[:, :2], z[:, 2:])
        sides = np.where(helps, means[:2] + predictions.mean(axis=0), means[2:])
        spread = spread * np.outer(helps, helps)
        return self._corrected(
            labels, sides, z @ QUANTITIES.T, QUANTITIES @ spread @ QUANTITIES.T, rows, method
        )

    def _corrected(
        self, labels: int, sides: Floats, z: Floats, spread: Floats, rows: Bools, method: str
    ) -> Corrected:
        clusters = np.stack([_sums(self._cluster, column) for column in z.T], axis=1)
        variance = (clusters**2).sum(axis=0) + np.diag(spread)
        weight = self._weight[rows]
        size = float(_effective(weight))
        sides = np.clip(sides, 0, 1)
        sides = sides / max(1.0, sides.sum())
        shares = np.array([sides[0], 1 - sides.sum(), sides[1]])
        middle = (shares * size + 1) / (size + len(Stance))
        net = middle[FAVOR] - middle[AGAINST]
        plain = np.append(middle * (1 - middle), 1 - middle[NEUTRAL] - net**2)
        # With few documents of the rarer kind, their spread says little: nothing is gained, then.
        own = np.where(rows, self._weight, 0.0)[:, None]
        hits = own * (self.audit.truth[:, None] == np.arange(len(Stance)))
        hit, missed = (_effective(self._by_document(each)) for each in (hits, own - hits))
        few = np.append(np.minimum(hit, missed), missed.min())
        doubt = EVENTS / (EVENTS + few) * np.maximum(0, plain / size - variance)
        by_stratum = np.stack([_sums(self._stratum, column**2) for column in z.T], axis=1)
        units = np.maximum(np.bincount(self._stratum) - 1.0, 1.0)[:, None]
        doubtful = (by_stratum**2 / units).sum(axis=0)
        freedom = np.where(doubtful > 0, variance**2 / np.maximum(doubtful, 1e-300), size - 1)
        return Corrected(
            labels=labels,
            shares=tuple(shares.tolist()),
            errors=tuple(np.sqrt(variance).tolist()),
            information=tuple((plain / (variance + doubt)).tolist()),
            freedom=tuple(np.maximum(freedom, 1.0).tolist()),
            method=method,
        )

    def _by_document(self, values: Floats) -> Floats:
        """Return the sums of the audited pairs' values by document."""
        cluster = self._cluster[self._unit]
        return np.stack([_sums(cluster, column) for column in values.T], axis=1)

    def _deviations(self, values: Floats, rows: Bools) -> tuple[Floats, Floats]:
        """Return the deviations whose squares sum to a weighted mean's variance, and the mean.

        By units (a stratum's pairs of a document), about the mean of their stratum as far as the
        stratum is not known in full; of shape (n_units, n_values). Units without any of the rows
        count, since the number of a part's labels is random.
        """
        weight = np.where(rows, self._weight, 0.0)
        weight /= weight.sum()
        mean = weight @ values
        u = weight[:, None] * (values - mean)
        totals = np.stack([_sums(self._unit, column) for column in u.T], axis=1)
        strata = np.stack([_sums(self._stratum, column) for column in totals.T], axis=1)
        middle = strata[self._stratum] / self._drawn[:, None]
        one = self._drawn == 1
        centred = totals - np.where(one, 0, 1 - np.sqrt(self._share))[:, None] * middle
        factor = np.where(one, 1.0, self._drawn / np.maximum(self._drawn - 1, 1))
        return centred * np.sqrt(factor)[:, None], mean


def _sums(codes: Ints, values: Floats) -> Floats:
    return np.bincount(codes, values).astype(np.float64)


def _effective(weights: Floats) -> Any:
    """Return as how many equal ones some weights count (Kish 1965, "Survey Sampling")."""
    squares = (weights**2).sum(axis=0)
    return weights.sum(axis=0) ** 2 / np.where(squares > 0, squares, 1.0)


def _clustered(predictions: Floats, document: Ints) -> Floats:
    """Return the covariance of the mean of some predictions, drawn by document."""
    cluster = np.unique(document, return_inverse=True)[1]
    centred = predictions - predictions.mean(axis=0)
    sums = np.stack([_sums(cluster, column) for column in centred.T], axis=1)
    found: Floats = sums.T @ sums / len(predictions) ** 2
    return found
