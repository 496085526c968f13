"""Answers of models and of coders, and the scores that are read off their counts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stance.arrays import Bools, Floats, Ints
from stance.corpus import Corpus, sentiment_rows
from stance.evaluation.intervals import FEWEST, spread, t_interval
from stance.records import NO_ANSWER, Sentiment, Stance

Figures = dict[str, Any]  # plain Python values for JSON, None where there is no figure
DECIMALS = 6
MISSING = -1  # code of a unit that a coder did not code


def plain(figures: Figures) -> Figures:
    """Return the figures in plain Python types, floats rounded.

    >>> plain({"n": np.int64(3), "interval": (np.float64(-1e-9), 0.25)})
    {'n': 3, 'interval': [0.0, 0.25]}
    """
    return {key: _plain_value(value) for key, value in figures.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, dict):
        return plain(value)
    if isinstance(value, list | tuple):
        return [_plain_value(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain_value(value.tolist())
    return round(value, DECIMALS) + 0.0 if isinstance(value, float) else value  # no -0.0


def share(part: Floats, whole: Floats, otherwise: float = 0.0) -> Floats:
    """Return part / whole, or another number where the whole is 0."""
    shares: Floats = np.full(np.shape(part), otherwise)
    return np.divide(part, whole, out=shares, where=whole > 0)


def occurrences(confusion: Floats) -> Floats:
    """Return how often each label occurs in gold and in answers together."""
    answered = confusion.sum(axis=-2)[..., : confusion.shape[-2]]
    return np.asarray(confusion.sum(axis=-1) + answered, np.float64)


def f1_scores(confusion: Floats) -> Floats:
    """Return the F1 of each label, 0 where it occurs nowhere; see `document_confusion`."""
    return share(2 * np.diagonal(confusion, axis1=-2, axis2=-1), occurrences(confusion))


def macro_f1(confusion: Floats) -> Floats:
    """Return the mean F1 over the labels that occur in gold or answers.

    As in ``sklearn.metrics.f1_score(average="macro", zero_division=0)``.

    >>> float(macro_f1(np.array([[2.0, 0, 0], [2, 0, 0], [0, 0, 0]])).round(3))
    0.333
    """
    occurs = occurrences(confusion) > 0
    return share(f1_scores(confusion).sum(axis=-1), occurs.sum(axis=-1))


def accuracy(confusion: Floats) -> Floats:
    """Return the share of rows on the diagonal; a row without answer is wrong."""
    return share(np.trace(confusion, axis1=-2, axis2=-1), confusion.sum(axis=(-2, -1)))


def document_confusion(gold: Ints, answered: Ints, document: Ints, labels: int) -> Floats:
    """Return a confusion matrix per document, gold by answered; the last column is no answer."""
    names, place = np.unique(document, return_inverse=True)
    column = np.where(answered == NO_ANSWER, labels, answered)
    cell = (place.reshape(-1) * labels + gold) * (labels + 1) + column
    counts = np.bincount(cell, minlength=len(names) * labels * (labels + 1))
    return counts.reshape(len(names), labels, labels + 1).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Answers:
    """A model's answers to labelled rows."""

    labels: tuple[str, ...]
    gold: Ints  # number of the right label
    probabilities: Floats  # of shape (n_rows, n_labels)
    document: Ints  # the unit that is resampled
    answered: Bools | bool = True  # False where the model withholds its answer

    def __len__(self) -> int:
        return len(self.gold)

    @property
    def best(self) -> Ints:
        """Number of the most probable label of each row, the first of equals."""
        return np.asarray(self.probabilities.argmax(axis=1), np.int64)

    @property
    def predicted(self) -> Ints:
        """What `predict` prints: the most probable label, or `NO_ANSWER` where it is withheld."""
        return np.where(self.answered, self.best, NO_ANSWER)

    @property
    def right(self) -> Bools:
        """Whether the gold label is the answer; a withheld one is wrong."""
        return np.equal(self.predicted, self.gold)

    @property
    def confidence(self) -> Floats:
        """Probability of each row's most probable label, withheld or not."""
        return np.asarray(self.probabilities.max(axis=1), np.float64)

    def take(self, rows: Bools | Ints) -> "Answers":
        """Return the answers to some rows."""
        return replace(
            self,
            gold=self.gold[rows],
            probabilities=self.probabilities[rows],
            document=self.document[rows],
            answered=np.broadcast_to(self.answered, len(self))[rows],
        )

    def confusion(self) -> Floats:
        """Return one confusion matrix per document, see `document_confusion`."""
        return document_confusion(self.gold, self.predicted, self.document, len(self.labels))


def stance_answers(corpus: Corpus, probabilities: Floats, answered: Bools | bool = True) -> Answers:
    """Return answers to the stance of a corpus's rows."""
    return Answers(tuple(Stance), corpus.stance, probabilities, corpus.document, answered)


def sentiment_answers(
    corpus: Corpus, probabilities: Floats, answered: Bools | bool = True
) -> Answers:
    """Return answers to the `sentiment_rows` of a corpus."""
    rows = sentiment_rows(corpus)
    gold, document = corpus.sentiment[rows], corpus.document[rows]
    return Answers(tuple(Sentiment), gold, probabilities, document, answered)


# --- How far coders agree: in percent, and by Krippendorff's alpha beyond chance ---


def sum_codes(codes: Ints, labels: int) -> Floats:
    """Return sums by unit from which agreement follows, of shape (n_units, 2 * labels + 2).

    ``codes``, by coder, are 0 to ``labels - 1`` or `MISSING`; two or more of each unit are not. For
    c of the m codes of a unit on a label: c and c (c - 1) / (m - 1) per label; the part of the
    unit's pairs that agree; and 1.
    """
    counts = np.stack([(codes == label).sum(axis=0) for label in range(labels)], axis=1)
    size = counts.sum(axis=1, keepdims=True)
    alike = counts * (counts - 1) / (size - 1)
    return np.hstack([counts, alike, alike.sum(axis=1, keepdims=True) / size, size > 0])


def percent_agreement(sums: Floats) -> Floats:
    """Return the mean part of a unit's pairs of codes that agree, between 0 and 1.

    Fleiss 1971, "Measuring nominal scale agreement among many raters".

    >>> float(percent_agreement(sum_codes(np.array([[0, 1, 1], [0, 1, 0]]), 2).sum(axis=0)))
    0.6666666666666666
    """
    return share(sums[..., -2], sums[..., -1], np.nan)


def krippendorff_alpha(sums: Floats) -> Floats:
    """Return Krippendorff's alpha for nominal data; NaN where only one label was used.

    Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", section C.

    >>> meg, owen = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    >>> round(float(krippendorff_alpha(sum_codes(np.array([meg, owen]), 2).sum(axis=0))), 3)
    0.095
    """
    counts, alike = np.split(sums[..., :-2], 2, axis=-1)
    n = counts.sum(axis=-1)
    differing = n - alike.sum(axis=-1)
    return 1 - share((n - 1) * differing, n**2 - (counts**2).sum(axis=-1), np.nan)


def measure_agreement(codes: Ints, labels: int, document: Ints) -> Figures:
    """Return percent and alpha of units coded twice or more, with intervals of whole documents.

    ``codes`` and ``labels`` are as in `sum_codes`. There is no interval with fewer than 5 documents
    coded twice, where a coefficient hangs on one of them, or where none of them changes it.
    """
    paired = (codes != MISSING).sum(axis=0) >= 2
    names, place = np.unique(document[paired], return_inverse=True)
    sums = np.zeros((len(names), 2 * labels + 2))
    np.add.at(sums, place.reshape(-1), sum_codes(codes[:, paired], labels))
    figures: Figures = {"units": paired.sum(), "documents": len(names)}
    for name, score in {"percent": percent_agreement, "alpha": krippendorff_alpha}.items():
        value, variance, _ = spread(score, sums)
        known = len(sums) >= FEWEST and 0 < variance < np.inf
        interval = t_interval(score, sums) if known else None
        figures[name] = {"value": value if np.isfinite(value) else None, "interval": interval}
    return plain(figures)


def report_agreement(codes: Ints, labels: Sequence[str], document: Ints) -> Figures:
    """Measure agreement over all, and ``per_label``."""
    per_label = {
        name: measure_agreement(np.where(codes < 0, MISSING, codes == label), 2, document)
        for label, name in enumerate(labels)
    }
    return {**measure_agreement(codes, len(labels), document), "per_label": per_label}
