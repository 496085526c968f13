"""Scores of answers: whole, by label, by actor, and of their probabilities."""

from collections.abc import Sequence

import numpy as np

from stance.arrays import Bools, Floats, Ints
from stance.display import count
from stance.evaluation.answers import (
    Answers,
    Figures,
    accuracy,
    check_rows,
    f1_scores,
    macro_f1,
    plain,
)
from stance.evaluation.intervals import (
    FEWEST,
    TRUSTED,
    proportion_interval,
    right_shares,
    score_bounds,
    score_interval,
)

BINS = 15  # bins of the calibration error and of the reliability curve


def score(answers: Answers) -> Figures:
    """Score answers against gold labels.

    A withheld answer is wrong; ece and reliability are of all rows.
    Intervals are of whole documents.
    """
    check_rows(answers)
    by_document, brief, labels = answers.confusion(), brief_score(answers), answers.labels
    total = by_document.sum(axis=0)
    per_class, intervals = _per_class(answers, by_document)
    figures: Figures = {
        "n": brief["n"],
        "accuracy": brief["accuracy"],
        "accuracy_interval": score_interval(accuracy, by_document),
        "macro_f1": brief["macro_f1"],
        "macro_f1_interval": brief["macro_f1_interval"],
        "answered": _answered(answers, brief),
        "withheld": dict(zip(labels, total[:, -1].astype(np.int64), strict=True)),
        "per_class": per_class,
        "per_class_intervals": intervals,
        **({} if answers.actor is None else {"per_actor": group_scores(answers, answers.actor)}),
        "confusion": total[:, :-1].astype(np.int64),
        "labels": list(labels),
        "ece": brief["ece"],
        "reliability": reliability(answers),
        "uncertain": answers.uncertain,
        "documents": brief["documents"],
        "trusted": brief["trusted"],
        "notes": [*document_notes(labels, by_document), *_unseen(labels, total)],
    }
    return plain(figures)


def brief_score(answers: Answers) -> Figures:
    """Return n, macro_f1 and its interval, accuracy, ece, documents and trusted, as in `score`."""
    by_document = answers.confusion()
    total = by_document.sum(axis=0)
    figures = {
        "n": len(answers),
        "macro_f1": macro_f1(total),
        "macro_f1_interval": score_interval(macro_f1, by_document),
        "accuracy": accuracy(total),
        "ece": calibration_error(answers),
        "documents": len(by_document),
        "trusted": not document_notes(answers.labels, by_document),
    }
    return plain(figures)


def _answered(answers: Answers, brief: Figures) -> Figures:
    names = ("n", "accuracy", "macro_f1", "macro_f1_interval")
    if answers.answered is not None and not answers.answered.any():
        return dict.fromkeys(names) | {"n": 0}
    if answers.answered is not None and not answers.answered.all():
        brief = brief_score(answers.take(answers.answered))
    return {name: brief[name] for name in names}


def _per_class(answers: Answers, by_document: Floats) -> tuple[Figures, Figures]:
    """Return each label's scores, and their intervals: None if right or given in few documents."""
    total, per_class, intervals = by_document.sum(axis=0), Figures(), Figures()
    values, ends = f1_scores(total), score_bounds(f1_scores, by_document)
    support = total.sum(axis=1).astype(np.int64)
    for number, label in enumerate(answers.labels):
        precision, recall = (
            right_shares(answers.right[rows], answers.document[rows])
            for rows in (answers.predicted == number, answers.gold == number)
        )
        scores = {"precision": precision.shares[1], "recall": recall.shares[1]}
        per_class[label] = scores | {"f1": values[number], "support": support[number]}
        intervals[label] = dict.fromkeys(("precision", "recall", "f1"))
        if min(precision.documents, recall.documents) >= FEWEST:
            f1 = ends[number] if 0 < values[number] < 1 else None
            bounds = {"precision": precision.intervals[1], "recall": recall.intervals[1], "f1": f1}
            intervals[label] = bounds
    return per_class, intervals


def group_scores(answers: Answers, groups: Sequence[str]) -> Figures:
    """Score each named group, the largest first, over the labels that occur with it."""
    names, place = np.unique(np.array(groups, dtype=object), return_inverse=True)
    scores = {}
    for number in np.argsort(-np.bincount(place), kind="stable"):  # names are sorted already
        part = brief_score(answers.take(place == number))
        bounds = part["macro_f1_interval"] if part["documents"] >= FEWEST else None
        kept = {key: part[key] for key in ("n", "macro_f1", "trusted", "ece")}
        scores[str(names[number])] = {**kept, "interval": bounds}
    scores.pop("", None)
    return scores


def _bins(answers: Answers) -> Ints:
    return np.searchsorted(np.arange(1, BINS) / BINS, answers.confidence, side="left")


def _likely_right(answers: Answers) -> Bools:
    """Return whether each row's most probable label is the gold one, withheld or not."""
    return np.equal(answers.best, answers.gold)


def calibration_error(answers: Answers) -> float:
    """Return the expected calibration error over 15 equal bins, between 0 and 1.

    Naeini, Cooper and Hauskrecht 2015, "Obtaining Well Calibrated Probabilities Using Bayesian
    Binning". It is large if rows are few.
    """
    surplus = _likely_right(answers) - answers.confidence
    return float(np.abs(np.bincount(_bins(answers), surplus, BINS)).sum() / len(answers))


def reliability(answers: Answers) -> list[Figures]:
    """Return the bins of `calibration_error` that hold rows, the least confident first."""
    bins, right, points = _bins(answers), _likely_right(answers), list[Figures]()
    for number in np.unique(bins):
        rows = bins == number
        point = {
            "low": number / BINS,
            "high": (number + 1) / BINS,
            "n": rows.sum(),
            "confidence": answers.confidence[rows].mean(),
            "accuracy": right[rows].mean(),
            "interval": proportion_interval(right[rows], answers.document[rows]),
        }
        points.append(plain(point))
    return points


def document_notes(labels: Sequence[str], confusion: Floats) -> list[str]:
    """Return why an interval cannot be trusted: too few documents, of all or with a label."""
    documents = (confusion.sum(axis=2) > 0).sum(axis=0).tolist()
    few = [
        f"{label} occurs in only {count(number, 'document')}; label {FEWEST} or more with it"
        for label, number in zip(labels, documents, strict=True)
        if 0 < number < FEWEST
    ]
    if len(confusion) < TRUSTED:
        few.insert(0, f"it rests on {count(len(confusion), 'document')}; label {TRUSTED} or more")
    return [f"the interval cannot be trusted: {reason}" for reason in few]


def _unseen(labels: Sequence[str], confusion: Floats) -> list[str]:
    unseen = [label for label, n in zip(labels, confusion.sum(axis=1), strict=True) if not n]
    listed = " or ".join(unseen)
    means = "macro-F1 is the mean over the labels that occur in gold or answers"
    return [f"no row is labelled {listed}; {means}"] if unseen else []
