"""Answers to labelled rows, their confusion matrices, and the scores read off these."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stance.arrays import Bools, Floats, Ints
from stance.corpus import Corpus, sentiment_rows
from stance.errors import DataError
from stance.model.judging import StanceModel
from stance.records import NO_ANSWER, Sentiment, Stance

Figures = dict[str, Any]  # plain Python values for JSON, None where there is no figure
DECIMALS = 6


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


def share(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, 0 where the whole is 0."""
    return np.divide(part, whole, out=np.zeros(np.shape(part)), where=whole > 0)


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
    answered: Bools | None = None  # False where the model withholds its answer; None if nowhere
    actor: Sequence[str] | None = None  # of each row, for scores per actor

    def __len__(self) -> int:
        return len(self.gold)

    @property
    def best(self) -> Ints:
        """Number of the most probable label of each row, the first of equals."""
        return np.asarray(self.probabilities.argmax(axis=1), np.int64)

    @property
    def predicted(self) -> Ints:
        """What `predict` prints: the most probable label, or `NO_ANSWER` where it is withheld."""
        return self.best if self.answered is None else np.where(self.answered, self.best, NO_ANSWER)

    @property
    def right(self) -> Bools:
        """Whether the gold label is the answer; a withheld one is wrong."""
        return np.equal(self.predicted, self.gold)

    @property
    def confidence(self) -> Floats:
        """Probability of each row's most probable label, withheld or not."""
        return np.asarray(self.probabilities.max(axis=1), np.float64)

    @property
    def uncertain(self) -> float:
        """Share of the rows whose answer is withheld."""
        return 0.0 if self.answered is None else 1 - float(self.answered.mean())

    def take(self, rows: Bools | Ints) -> "Answers":
        """Return the answers to some rows: a mask, or their numbers."""
        numbers = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        return replace(
            self,
            gold=self.gold[numbers],
            probabilities=self.probabilities[numbers],
            document=self.document[numbers],
            answered=None if self.answered is None else self.answered[numbers],
            actor=None if self.actor is None else [self.actor[i] for i in numbers.tolist()],
        )

    def confusion(self) -> Floats:
        """Return one confusion matrix per document, see `document_confusion`."""
        return document_confusion(self.gold, self.predicted, self.document, len(self.labels))


def check_rows(answers: Answers) -> None:
    """Refuse answers without a row."""
    if not len(answers):
        raise DataError("no labelled rows to score; give a corpus with at least one label")


def judge_pairs(model: StanceModel, corpus: Corpus) -> Answers:
    """Answer the rows of a corpus."""
    if not len(corpus):
        raise DataError("the corpus has no row")
    pairs = corpus.texts, corpus.actors, corpus.spans
    judged = [part for _, part in model.judge_many(*pairs, months=corpus.months)]
    answered = np.concatenate([~part.withheld for part in judged])
    return stance_answers(corpus, np.concatenate([part.stance for part in judged]), answered)


def judge_sentiment(model: StanceModel, corpus: Corpus) -> Answers | None:
    """Judge the paragraphs that have a sentiment label; None where none has, or no head is."""
    rows = sentiment_rows(corpus)
    if model.sentiment is None or not len(rows):
        return None
    part = corpus.take(rows)
    judged = [answers for _, answers in model.judge_many(part.texts, months=part.months)]
    tones = np.concatenate([part.sentiment for part in judged if part.sentiment is not None])
    answered = np.concatenate([~part.tone_withheld for part in judged])
    return sentiment_answers(corpus, rows, tones, answered)


def stance_answers(corpus: Corpus, probabilities: Floats, answered: Bools | None = None) -> Answers:
    """Return answers to the stance of a corpus's rows."""
    return Answers(
        tuple(Stance), corpus.stance, probabilities, corpus.document, answered, corpus.actors
    )


def sentiment_answers(
    corpus: Corpus, rows: Ints, probabilities: Floats, answered: Bools | None = None
) -> Answers:
    """Return answers to the sentiment of some rows of a corpus."""
    return Answers(
        tuple(Sentiment), corpus.sentiment[rows], probabilities, corpus.document[rows], answered
    )
