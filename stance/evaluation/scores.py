"""Scores of a model's answers to labelled rows."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.display import count
from stance.errors import DataError
from stance.evaluation.intervals import (
    DRAWS,
    SEED,
    Floats,
    Ints,
    accuracy,
    document_confusion,
    f1_scores,
    macro_f1,
    percentile_interval,
    resample,
    share,
)

Bools = NDArray[np.bool_]
Figures = dict[str, Any]
"""Plain Python values for JSON: floats of 6 decimals, no NaN, None where there is no figure."""

BINS = 15
"""Bins of the calibration error."""

TRUSTED = 20
"""Documents from which on a bootstrap interval can be trusted."""

FEWEST = 5
"""Documents below which part of the rows (an actor, the conflicts) gets no interval."""

FLOOR = float(np.finfo(np.float64).eps)
"""Least probability in a log loss, as scikit-learn has it."""

DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Answers:
    """A model's answers to labelled rows.

    Attributes
    ----------
    labels : tuple of str
        Labels of the task.
    gold : ndarray of shape (n_rows,)
        Index of the right label.
    probabilities : ndarray of shape (n_rows, n_labels)
    document : ndarray of shape (n_rows,)
        Number of the document, the unit that is resampled.
    answered : ndarray of bool of shape (n_rows,) or None
        False where the model said `uncertain`. Such a row counts with its most probable label, so
        that no score improves by silence; the share of these rows is reported.
    actor : sequence of str or None
        Actor of each row, for scores per actor.
    """

    labels: tuple[str, ...]
    gold: Ints
    probabilities: Floats
    document: Ints
    answered: Bools | None = None
    actor: Sequence[str] | None = None

    def __post_init__(self) -> None:
        rows = len(self.gold)
        if self.probabilities.shape != (rows, len(self.labels)):
            raise ValueError(
                f"probabilities of shape {self.probabilities.shape} for {rows} rows and "
                f"{len(self.labels)} labels"
            )
        for name in ("document", "answered", "actor"):
            column = getattr(self, name)
            if column is not None and len(column) != rows:
                raise ValueError(f"{name} has {len(column)} entries for {rows} rows")
        if not np.isfinite(self.probabilities).all():
            raise ValueError("probabilities that are not finite")
        if rows and not (self.gold.min() >= 0 and self.gold.max() < len(self.labels)):
            raise ValueError(f"a gold label outside 0 to {len(self.labels) - 1}")

    def __len__(self) -> int:
        return len(self.gold)

    @property
    def predicted(self) -> Ints:
        """Index of the most probable label of each row; the first of equals."""
        best: Ints = self.probabilities.argmax(axis=1)
        return best

    def take(self, rows: Bools) -> "Answers":
        """Return the answers to some rows."""
        return dataclasses.replace(
            self,
            gold=self.gold[rows],
            probabilities=self.probabilities[rows],
            document=self.document[rows],
            answered=None if self.answered is None else self.answered[rows],
            actor=None
            if self.actor is None
            else [self.actor[i] for i in np.flatnonzero(rows).tolist()],
        )


def score(answers: Answers, *, draws: int = DRAWS, seed: int = SEED) -> Figures:
    """Score answers against gold labels.

    Macro-F1 is the mean over the labels that occur in gold or prediction (`intervals.macro_f1`).
    Its interval resamples documents; one document says nothing of others, so its interval is
    [0, 1].

    Returns
    -------
    dict
        n, accuracy, macro_f1, macro_f1_interval, per_class, per_actor (where actors are given),
        confusion (rows gold, columns predicted), labels, ece, brier, log_loss, uncertain (share of
        rows), documents, notes.

    Raises
    ------
    DataError
        If there are no rows.
    """
    check_rows(answers)
    by_document = confusion_by_document(answers)
    total = by_document.sum(axis=0)
    bounds = interval(macro_f1(resample(by_document, draws, seed)), len(by_document))
    figures: Figures = {
        "n": len(answers),
        "accuracy": accuracy(total),
        "macro_f1": macro_f1(total),
        "macro_f1_interval": bounds,
        "per_class": _per_class(answers.labels, total),
        "per_actor": {} if answers.actor is None else _per_actor(answers, draws, seed),
        "confusion": total.astype(np.int64),
        "labels": list(answers.labels),
        "ece": calibration_error(answers),
        "brier": brier(answers),
        "log_loss": log_loss(answers),
        "uncertain": 0.0 if answers.answered is None else 1 - answers.answered.mean(),
        "documents": len(by_document),
        "notes": _notes(answers.labels, total, len(by_document), bounds),
    }
    if answers.actor is None:
        del figures["per_actor"]
    return plain(figures)


def check_rows(answers: Answers) -> None:
    """Refuse answers without a row."""
    if not len(answers):
        raise DataError("no labelled rows to score; give a corpus with at least one label")


def confusion_by_document(answers: Answers) -> Floats:
    """Return a confusion matrix per document."""
    return document_confusion(
        answers.gold, answers.predicted, answers.document, len(answers.labels)
    )


def interval(scores: Floats, documents: int, least: float = 0.0) -> tuple[float, float]:
    """Return the interval of resampled scores between ``least`` and 1."""
    return percentile_interval(scores) if documents > 1 else (least, 1.0)


def _per_class(labels: Sequence[str], confusion: Floats) -> Figures:
    hits, support = np.diagonal(confusion), confusion.sum(axis=1)
    columns = (share(hits, confusion.sum(axis=0)), share(hits, support), f1_scores(confusion))
    return {
        label: {
            "precision": columns[0][i],
            "recall": columns[1][i],
            "f1": columns[2][i],
            "support": int(support[i]),
        }
        for i, label in enumerate(labels)
    }


def _per_actor(answers: Answers, draws: int, seed: int) -> Figures:
    """Score each actor, the most frequent first, over the labels that occur with it.

    Its interval resamples the documents that name it; None below `FEWEST` documents.
    """
    names, place = np.unique(np.array(answers.actor, dtype=object), return_inverse=True)
    place = place.reshape(-1)
    counts = np.bincount(place, minlength=len(names))
    rows = np.split(np.argsort(place, kind="stable"), np.cumsum(counts)[:-1])
    predicted, scores = answers.predicted, {}
    for number in np.argsort(-counts, kind="stable"):  # names are sorted already
        mine = rows[number]
        by_document = document_confusion(
            answers.gold[mine], predicted[mine], answers.document[mine], len(answers.labels)
        )
        enough = len(by_document) >= FEWEST
        scores[str(names[number])] = {
            "n": len(mine),
            "macro_f1": macro_f1(by_document.sum(axis=0)),
            "interval": percentile_interval(macro_f1(resample(by_document, draws, seed)))
            if enough
            else None,
        }
    return scores


def calibration_error(answers: Answers) -> float:
    """Return the expected calibration error, between 0 and 1.

    The sum over bins of (rows in bin / rows) * abs(accuracy - mean confidence); the confidence is
    the largest probability and bin i of 15 holds confidences in ((i - 1) / 15, i / 15] (Naeini,
    Cooper and Hauskrecht 2015, "Obtaining Well Calibrated Probabilities Using Bayesian Binning";
    Guo et al. 2017, "On Calibration of Modern Neural Networks").
    """
    confidence = answers.probabilities.max(axis=1)
    place = np.searchsorted(np.arange(1, BINS) / BINS, confidence, side="left")
    surplus = (answers.predicted == answers.gold) - confidence
    return float(np.abs(np.bincount(place, surplus, BINS)).sum() / len(answers))


def brier(answers: Answers) -> float:
    """Return the mean squared distance of the probabilities from the truth, between 0 and 2.

    Summed over labels (Brier 1950, "Verification of Forecasts Expressed in Terms of Probability").
    """
    truth = np.eye(len(answers.labels))[answers.gold]
    return float(((answers.probabilities - truth) ** 2).sum(axis=1).mean())


def log_loss(answers: Answers) -> float:
    """Return the mean of -ln(probability of the right label)."""
    right = answers.probabilities[np.arange(len(answers)), answers.gold]
    return float(-np.log(np.clip(right, FLOOR, 1.0)).mean())


def _notes(
    labels: Sequence[str], confusion: Floats, documents: int, bounds: tuple[float, float]
) -> list[str]:
    notes = []
    if documents < TRUSTED:
        notes.append(
            f"the interval cannot be trusted: it rests on {count(documents, 'document')}; "
            f"label {TRUSTED} or more"
        )
    if bounds[0] == bounds[1]:
        notes.append("every resample scores the same; that does not make the score exact")
    unseen = [label for label, n in zip(labels, confusion.sum(axis=1), strict=True) if not n]
    if unseen:
        notes.append(
            f"no row is labelled {' or '.join(unseen)}; macro-F1 is the mean over the labels that "
            "occur in gold or prediction"
        )
    return notes


def plain(figures: Figures) -> Figures:
    """Return the figures in plain Python types, floats rounded."""
    return {key: _plain_value(value) for key, value in figures.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, dict):
        return plain(value)
    if isinstance(value, list | tuple):
        return [_plain_value(each) for each in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain_value(value.tolist())
    return round(value, DECIMALS) + 0.0 if isinstance(value, float) else value  # no -0.0
