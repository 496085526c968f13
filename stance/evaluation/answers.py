"""Answers to labelled rows, their confusion matrices, and the scores read off these."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stance.arrays import Bools, Floats, Ints
from stance.errors import DataError

Figures = dict[str, Any]
"""Plain Python values for JSON: floats of 6 decimals, no NaN, None where there is no figure."""

DECIMALS = 6


def plain(figures: Figures) -> Figures:
    """Return the figures in plain Python types, floats rounded.

    Examples
    --------
    >>> plain({"n": np.int64(3), "interval": (np.float64(-1e-9), 0.25)})
    {'n': 3, 'interval': [0.0, 0.25]}
    """
    return {key: _plain_value(value) for key, value in figures.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, dict):
        return plain(value)
    if isinstance(value, list | tuple):
        return [_plain_value(each) for each in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain_value(value.tolist())
    return round(value, DECIMALS) + 0.0 if isinstance(value, float) else value  # no -0.0


def share(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, 0 where the whole is 0."""
    quotient: Floats = np.divide(part, whole, out=np.zeros(np.shape(part)), where=whole > 0)
    return quotient


def f1_scores(confusion: Floats) -> Floats:
    """Return the F1 of each label, 0 where it occurs nowhere.

    Parameters
    ----------
    confusion : ndarray of shape (..., n_labels, n_labels)
        Rows gold, columns predicted.
    """
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    return share(2 * hits, confusion.sum(axis=-1) + confusion.sum(axis=-2))


def macro_f1(confusion: Floats) -> Floats:
    """Return the mean F1 over the labels that occur in gold or prediction.

    A label that occurs in only one of the two has F1 = 0; a label that occurs in neither is left
    out of the mean. So has it ``sklearn.metrics.f1_score(average="macro", zero_division=0)``.

    Parameters
    ----------
    confusion : ndarray of shape (..., n_labels, n_labels)
        Rows gold, columns predicted.

    Examples
    --------
    >>> float(macro_f1(np.array([[2.0, 0, 0], [2, 0, 0], [0, 0, 0]])).round(3))
    0.333
    """
    occurs = (confusion.sum(axis=-1) + confusion.sum(axis=-2)) > 0
    return share(f1_scores(confusion).sum(axis=-1), occurs.sum(axis=-1))


def accuracy(confusion: Floats) -> Floats:
    """Return the share of rows on the diagonal of confusion matrices (..., n_labels, n_labels)."""
    return share(np.trace(confusion, axis1=-2, axis2=-1), confusion.sum(axis=(-2, -1)))


def document_confusion(gold: Ints, predicted: Ints, document: Ints, labels: int) -> Floats:
    """Return one confusion matrix per document, of shape (n_documents, labels, labels).

    Documents come in the order of their numbers, so that two sets of answers to the same rows can
    be resampled together.
    """
    names, place = np.unique(document, return_inverse=True)
    cell = (place.reshape(-1) * labels + gold) * labels + predicted
    counts = np.bincount(cell, minlength=len(names) * labels**2)
    return counts.reshape(len(names), labels, labels).astype(np.float64)


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

    @property
    def confidence(self) -> Floats:
        """Probability of each row's most probable label."""
        top: Floats = self.probabilities.max(axis=1)
        return top

    @property
    def right(self) -> Bools:
        """Whether each row's most probable label is the gold one."""
        hit: Bools = self.predicted == self.gold
        return hit

    def take(self, rows: Bools | Ints) -> "Answers":
        """Return the answers to some rows: a mask, or their numbers."""
        numbers = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        return dataclasses.replace(
            self,
            gold=self.gold[numbers],
            probabilities=self.probabilities[numbers],
            document=self.document[numbers],
            answered=None if self.answered is None else self.answered[numbers],
            actor=None if self.actor is None else [self.actor[i] for i in numbers.tolist()],
        )


def check_rows(answers: Answers) -> None:
    """Refuse answers without a row."""
    if not len(answers):
        raise DataError("no labelled rows to score; give a corpus with at least one label")


def check_pair(answers: Answers, other: Answers) -> None:
    """Refuse answers that are not to the same rows of the same documents."""
    same = len(answers) == len(other) and answers.labels == other.labels
    if not (same and (answers.gold == other.gold).all()):
        raise ValueError("two sets of answers are to other rows")
    if not (answers.document == other.document).all():
        raise ValueError("two sets of answers have other documents")


def confusion_by_document(answers: Answers) -> Floats:
    """Return a confusion matrix per document."""
    return document_confusion(
        answers.gold, answers.predicted, answers.document, len(answers.labels)
    )
