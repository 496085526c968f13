"""Answers to labelled rows, their scores, and what these are held against."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from stance.arrays import Bools, Floats, Ints, Keys, tally
from stance.errors import DataError
from stance.evaluation.intervals import FEWEST, TRUSTED, right_shares, score_interval, t_interval
from stance.records import NO_ANSWER

Figures = dict[str, Any]  # plain Python values for JSON, None where there is no figure
DECIMALS = 6
BINS = 15  # of the calibration error
FEW = "intervals cannot be trusted with so few documents; "
FEW += f"label {TRUSTED} or more, and {FEWEST} or more with each label"


def plain(figures: Figures) -> Figures:
    """Return the figures in plain Python types, floats rounded.

    >>> plain({"n": np.int64(3), "interval": (np.float64(-1e-9), 0.25)})
    {'n': 3, 'interval': [0.0, 0.25]}
    """
    text = json.dumps(figures, default=lambda array: array.tolist())
    rounded = json.loads(text, parse_float=lambda number: round(float(number), DECIMALS) + 0.0)
    return dict(rounded)  # with no -0.0


def share(part: Floats, whole: Floats, otherwise: float = 0.0) -> Floats:
    """Return part / whole, or another number where the whole is 0."""
    shares = np.full(np.shape(part), otherwise)
    return np.divide(part, whole, out=shares, where=whole > 0)


def occurrences(confusion: Floats) -> Floats:
    """Return how often each label occurs in gold and in answers together."""
    answered = confusion.sum(axis=-2)[..., : confusion.shape[-2]]
    return confusion.sum(axis=-1) + answered


def f1_scores(confusion: Floats, label: int | slice = slice(None)) -> Floats:
    """Return the F1 of each label, or of one, 0 if it occurs nowhere; see `document_confusion`."""
    f1 = share(2 * np.diagonal(confusion, axis1=-2, axis2=-1), occurrences(confusion))
    return f1[..., label]


def macro_f1(confusion: Floats) -> Floats:
    """Return the mean F1 over the labels that occur in gold or answers, as scikit-learn does."""
    return share(f1_scores(confusion).sum(axis=-1), (occurrences(confusion) > 0).sum(axis=-1))


def macro_f1_gain(pair: Floats) -> Floats:
    """Return by how much the first macro-F1 of pairs of counts (..., 2, *cells) is greater."""
    return -np.diff(macro_f1(pair))[..., 0]


def accuracy(confusion: Floats) -> Floats:
    """Return the share of rows on the diagonal; a row without answer is wrong."""
    return share(np.trace(confusion, axis1=-2, axis2=-1), confusion.sum(axis=(-2, -1)))


def document_confusion(gold: Ints, answered: Ints, document: Ints, labels: int) -> Floats:
    """Return a confusion matrix per document, gold by answered; the last column is no answer."""
    cells = labels, labels + 1
    code = np.ravel_multi_index((gold, answered % (labels + 1)), cells)  # of `NO_ANSWER` the last
    return tally(document, code, labels * (labels + 1)).reshape(-1, *cells).astype(np.float64)


@dataclass(frozen=True)
class Answers:
    """A model's answers to labelled rows."""

    labels: tuple[str, ...]
    gold: Ints  # number of the right label
    probabilities: Floats  # of shape (n_rows, n_labels)
    document: Ints  # the unit of intervals
    answered: Bools | bool = True  # False where the model withholds its answer

    def __len__(self) -> int:
        return len(self.gold)

    @property
    def best(self) -> Ints:
        """Number of the most probable label of each row, the first of equals."""
        return self.probabilities.argmax(axis=1)

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
        return self.probabilities.max(axis=1)

    def take(self, rows: Bools | Ints) -> "Answers":
        """Return the answers to some rows."""
        answered = np.broadcast_to(self.answered, len(self))
        columns: Any = (self.gold, self.probabilities, self.document, answered)
        return Answers(self.labels, *(column[rows] for column in columns))

    @cached_property
    def confusion(self) -> Floats:
        """One confusion matrix per document, see `document_confusion`."""
        return document_confusion(self.gold, self.predicted, self.document, len(self.labels))


# --- Scores ---


def score(answers: Answers, actors: Sequence[str] | None = None) -> Figures:
    """Score answers against gold labels; also by actor, if those of the rows are given.

    A withheld answer is wrong; ece and confidence are of all rows, intervals of whole documents.
    """
    if not len(answers):
        raise DataError("no labelled rows to score; give a corpus with at least one label")
    by_document, whole, labels = answers.confusion, brief_score(answers), answers.labels
    total, given = by_document.sum(axis=0), answers.predicted != NO_ANSWER
    answered = brief_score(answers.take(given)) if given.any() else {"n": 0}
    names = ("n", "accuracy", "macro_f1", "macro_f1_interval")
    figures: Figures = {
        "n": whole["n"],
        "accuracy": whole["accuracy"],
        "accuracy_interval": score_interval(accuracy, by_document),
        "macro_f1": whole["macro_f1"],
        "macro_f1_interval": whole["macro_f1_interval"],
        "answered": {name: answered.get(name) for name in names},
        "withheld": dict(zip(labels, total[:, -1].astype(np.int64), strict=True)),
        "per_class": _score_classes(labels, by_document),
        **({} if actors is None else {"per_actor": score_groups(answers, actors)}),
        "confusion": total[:, :-1].astype(np.int64),
        "labels": labels,
        "ece": whole["ece"],
        "confidence": answers.confidence.mean(),
        "uncertain": 1 - np.mean(answers.answered),
        "documents": whole["documents"],
        "trusted": whole["trusted"],
        "notes": [] if whole["trusted"] else [FEW],
    }
    if unseen := [label for label, n in zip(labels, total.sum(axis=1), strict=True) if not n]:
        means = "macro-F1 is the mean over the labels that occur in gold or answers"
        figures["notes"].append(f"no row is labelled {' or '.join(unseen)}; {means}")
    return plain(figures)


def brief_score(answers: Answers) -> Figures:
    """Return n, macro_f1 and its interval, accuracy, ece, documents and trusted, as in `score`."""
    by_document, total = answers.confusion, answers.confusion.sum(axis=0)
    documents = (by_document.sum(axis=2) > 0).sum(axis=0)  # with each label
    few = len(by_document) < TRUSTED or np.any((occurrences(total) > 0) & (documents < FEWEST))
    return {
        "n": len(answers),
        "macro_f1": macro_f1(total),
        "macro_f1_interval": score_interval(macro_f1, by_document),
        "accuracy": accuracy(total),
        "ece": calibration_error(answers),
        "documents": len(by_document),
        "trusted": not few,
    }


def _score_classes(labels: Sequence[str], by_document: Floats) -> Figures:
    """Score each label; its F1 has no interval if few documents are right or have it."""
    total = by_document.sum(axis=0)
    gold, answered, right = total.sum(axis=1), total.sum(axis=0)[:-1], total.diagonal()
    rows = np.stack([by_document.sum(axis=2), by_document.sum(axis=1)[:, :-1]])
    documents, f1 = (rows > 0).sum(axis=1).min(axis=0), f1_scores(total)
    few = (documents < FEWEST) | (f1 <= 0) | (f1 >= 1)
    intervals = [
        None if unknown else score_interval(partial(f1_scores, label=label), by_document)
        for label, unknown in enumerate(few)
    ]
    names = ("precision", "recall", "f1", "f1_interval", "support")
    columns = share(right, answered), share(right, gold), f1, intervals, gold.astype(np.int64)
    rows_of = zip(labels, *columns, strict=True)
    return {label: dict(zip(names, row, strict=True)) for label, *row in rows_of}


def score_groups(answers: Answers, groups: Sequence[str]) -> Figures:
    """Score each named group, the largest first, over the labels that occur with it."""
    rows, scores = defaultdict[str, list[int]](list), dict[str, Figures]()
    for row, name in enumerate(groups):
        rows[name].append(row)
    for name in sorted(filter(None, rows), key=lambda name: (-len(rows[name]), name)):
        part = brief_score(answers.take(np.array(rows[name])))
        bounds = part["macro_f1_interval"] if part["documents"] >= FEWEST else None
        kept = {key: part[key] for key in ("n", "macro_f1", "trusted", "ece")}
        scores[name] = {**kept, "interval": bounds}
    return scores


def calibration_error(answers: Answers) -> float:
    """Return the expected calibration error over 15 equal bins, between 0 and 1.

    Naeini, Cooper and Hauskrecht 2015, "Obtaining Well Calibrated Probabilities Using Bayesian
    Binning". It is large if rows are few. Withheld answers count by their most probable label.
    """
    bins = np.searchsorted(np.arange(1, BINS) / BINS, answers.confidence, side="left")
    surplus = np.equal(answers.best, answers.gold) - answers.confidence
    return float(np.abs(np.bincount(bins, surplus, BINS)).sum() / len(answers))


# --- What a score is held against ---


def conflict_rows(text_key: Keys, actors: Sequence[str], gold: Ints) -> Bools:
    """Return which rows stand in a paragraph, of equal key, whose actors differ in gold stance.

    >>> conflict_rows(np.array([7, 7, 8, 8]), ["EU", "UN"] * 2, np.array([0, 2, 1, 1])).tolist()
    [True, True, False, False]
    """
    paragraph, actor = (np.unique(of, return_inverse=True)[1] for of in (text_key, actors))
    pairs = (np.unique(np.stack([paragraph, of]), axis=1)[0] for of in (gold, actor))
    several = np.logical_and(*(np.bincount(rows) > 1 for rows in pairs))
    return several[paragraph]


def conflict_score(answers: Answers, blind: Answers, rows: Bools) -> Figures:
    """Score the rows of `conflict_rows`, where no answer blind to the actor can always be right."""
    shares = right_shares(answers.right[rows], answers.document[rows])
    return {
        "n": shares.n,
        "accuracy": shares.shares[1] if shares.n else None,
        "interval": shares.interval(1) if shares.documents >= FEWEST else None,
        "trusted": shares.trusted,
        "target_blind_accuracy": blind.right[rows].mean() if shares.n else None,
    }


def baselines(answers: Answers, blind: Answers | None = None) -> Figures:
    """Return what a score must beat: always the most frequent label, and actor-blind answers."""
    counts = np.bincount(answers.gold, minlength=len(answers.labels))
    one = np.zeros((len(counts), len(counts) + 1))
    one[:, counts.argmax()] = counts
    figures: Figures = {"majority": {"macro_f1": macro_f1(one), "accuracy": accuracy(one)}}
    if blind:
        pair = np.stack([answers.confusion, blind.confusion], axis=1)
        (model, other), (_, exact) = macro_f1(pair.sum(axis=0)), accuracy(pair.sum(axis=0))
        gain = {"macro_f1": model - other, "macro_f1_interval": t_interval(macro_f1_gain, pair)}
        bounds = score_interval(macro_f1, pair[:, 1])
        alone = {"macro_f1": other, "macro_f1_interval": bounds, "accuracy": exact}
        figures |= {"target_blind": {**alone, "difference": gain}, "difference": gain}
    return figures


def leakage(answers: Answers, leaked: Bools) -> Figures:
    """Return how many rows the model has seen in training, and what it scores without them."""
    rest = {} if leaked.all() else brief_score(answers.take(~leaked))
    return {
        "rows": leaked.sum(),
        "share": leaked.mean(),
        "macro_f1_without": rest.get("macro_f1"),
        "macro_f1_without_interval": rest.get("macro_f1_interval"),
    }
