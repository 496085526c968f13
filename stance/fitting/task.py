"""A head to learn: counted features, labels, documents and weights of its rows."""

from dataclasses import dataclass

import numpy as np

from stance.arrays import Bools, Floats, Ints
from stance.errors import DataError
from stance.fitting.counts import BlockCounts
from stance.fitting.vectors import Vectors
from stance.recipe import HeadRecipe


@dataclass(frozen=True, slots=True)
class Lessons:
    """Rows with soft labels alone: learned from, never scored. Nobody knows their true labels."""

    group: Ints
    weight: Floats
    soft: Floats


@dataclass(frozen=True, slots=True)
class Task:
    """A head to learn: counted features, labels, documents and weights of its rows.

    The counts of the lessons' rows stand after those of the others.
    """

    counts: dict[str, BlockCounts]
    recipe: HeadRecipe
    labels: tuple[str, ...]
    targeted: bool
    y: Ints
    group: Ints
    weight: Floats
    vectors: Vectors | None = None
    soft: Floats | None = None  # probabilities of the labels, to learn from in place of `y`
    typical: Bools | None = None  # rows by which the temperature is set; None for all
    lessons: Lessons | None = None
    topic: Ints | None = None  # of each row, those of the lessons last, if learned separately

    @property
    def occurs(self) -> Bools:
        """Which labels any row has."""
        weights = np.eye(len(self.labels))[self.y] if self.soft is None else self.soft
        return np.asarray(weights.max(axis=0) > 0)

    @property
    def groups(self) -> Ints:
        """Group of each row, those of the lessons last."""
        return np.concatenate([self.group, *([self.lessons.group] if self.lessons else [])])

    def with_lessons(self, rows: Ints) -> Ints:
        """Return rows to learn from, with lessons of no other document."""
        if self.lessons is None:
            return rows
        others = np.setdiff1d(self.group, self.group[rows])
        extra = np.flatnonzero(~np.isin(self.lessons.group, others))
        return np.concatenate([rows, len(self.y) + extra])

    def targets(self, rows: Ints) -> tuple[Floats, Floats]:
        """Return shares of the labels of some rows, lessons among them, and their weights."""
        shares = np.eye(len(self.labels))[self.y] if self.soft is None else self.soft
        weight = self.weight
        if self.lessons is not None:
            shares = np.concatenate([shares, self.lessons.soft])
            weight = np.concatenate([weight, self.lessons.weight])
        return shares[rows], weight[rows]


def class_weights(
    y: Ints, source: Ints, share: Floats, balanced: bool, evenness: float = 1.0
) -> Floats:
    """Return a weight per row; ``share`` is the weight of each source's average row.

    If ``balanced``, the classes of each source weigh the same, or with an evenness of less than 1
    their size to the power of what it lacks.
    """
    weight: Floats = share[source].astype(np.float64)
    if not balanced:
        return weight
    for number in np.unique(source):
        rows = source == number
        counts = np.bincount(y[rows])
        own = np.maximum(counts, 1.0) ** -evenness
        weight[rows] *= (own * rows.sum() / (own @ counts))[y[rows]]
    return weight


def present_labels(task: Task, targets: Floats, weight: Floats) -> Ints:
    """Return the labels that rows have; raise if nothing can be learned from them."""
    present = np.flatnonzero(targets.any(axis=0))
    if len(present) < 2:
        raise DataError(
            f"all {len(targets)} rows of a training fold are '{task.labels[present[0]]}'; "
            "label more paragraphs of the other classes"
        )
    if not weight.any():
        raise DataError("every row has weight 0; give a corpus a weight in the recipe's [corpora]")
    return present
