"""A model's answers to labelled rows."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stance.errors import DataError
from stance.evaluation.confusion import Bools, Floats, Ints, document_confusion


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
