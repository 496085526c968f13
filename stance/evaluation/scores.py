"""Scores of answers, of their probabilities, and what they are held against."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.arrays import Bools, Floats, Ints
from stance.corpus import Corpus, holder_rows
from stance.corpus.rows import holder_kind
from stance.display import count
from stance.errors import DataError
from stance.evaluation.answers import (
    Answers,
    Figures,
    accuracy,
    document_confusion,
    f1_scores,
    macro_f1,
    plain,
    share,
)
from stance.evaluation.intervals import (
    FEWEST,
    TRUSTED,
    gain_in,
    proportion_interval,
    right_shares,
    score_bounds,
    score_interval,
    t_interval,
)
from stance.reading.actors import ActorBook
from stance.records import NO_ANSWER

BINS = 15  # of the calibration error


def score(answers: Answers) -> Figures:
    """Score answers against gold labels.

    A withheld answer is wrong; ece and confidence are of all rows.
    Intervals are of whole documents.
    """
    if not len(answers):
        raise DataError("no labelled rows to score; give a corpus with at least one label")
    by_document, brief, labels = answers.confusion(), brief_score(answers), answers.labels
    total = by_document.sum(axis=0)
    figures: Figures = {
        "n": brief["n"],
        "accuracy": brief["accuracy"],
        "accuracy_interval": score_interval(accuracy, by_document),
        "macro_f1": brief["macro_f1"],
        "macro_f1_interval": brief["macro_f1_interval"],
        "answered": _answered(answers, brief),
        "withheld": dict(zip(labels, total[:, -1].astype(np.int64), strict=True)),
        "per_class": _per_class(answers, by_document),
        **({} if answers.actor is None else {"per_actor": group_scores(answers, answers.actor)}),
        "confusion": total[:, :-1].astype(np.int64),
        "labels": list(labels),
        "ece": brief["ece"],
        "confidence": answers.confidence.mean(),
        "uncertain": 1 - np.mean(answers.answered),
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
    given = answers.predicted != NO_ANSWER
    if not given.any():
        return dict.fromkeys(names) | {"n": 0}
    if not given.all():
        brief = brief_score(answers.take(given))
    return {name: brief[name] for name in names}


def _per_class(answers: Answers, by_document: Floats) -> Figures:
    """Return each label's scores; F1 has no interval if few documents are right or have it."""
    total, right = by_document.sum(axis=0), by_document.diagonal(axis1=1, axis2=2)
    gold, answered = total.sum(axis=1), total.sum(axis=0)[:-1]
    rows = np.stack([by_document.sum(axis=2), by_document.sum(axis=1)[:, :-1]])
    documents = (rows > 0).sum(axis=1).min(axis=0)
    precision, recall = share(right.sum(axis=0), answered), share(right.sum(axis=0), gold)
    f1, ends = f1_scores(total), score_bounds(f1_scores, by_document)
    known = (documents >= FEWEST) & (f1 > 0) & (f1 < 1)
    return {
        label: {
            "precision": precision[n],
            "recall": recall[n],
            "f1": f1[n],
            "f1_interval": ends[n] if known[n] else None,
            "support": gold[n].astype(np.int64),
        }
        for n, label in enumerate(answers.labels)
    }


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


def calibration_error(answers: Answers) -> float:
    """Return the expected calibration error over 15 equal bins, between 0 and 1.

    Naeini, Cooper and Hauskrecht 2015, "Obtaining Well Calibrated Probabilities Using Bayesian
    Binning". It is large if rows are few. Withheld answers count by their most probable label.
    """
    bins = np.searchsorted(np.arange(1, BINS) / BINS, answers.confidence, side="left")
    surplus = np.equal(answers.best, answers.gold) - answers.confidence
    return float(np.abs(np.bincount(bins, surplus, BINS)).sum() / len(answers))


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


# --- What a score is held against ---


def conflict_rows(text_key: NDArray[Any], gold: Ints) -> Bools:
    """Return which rows stand in a paragraph, of equal key, whose actors differ in gold stance.

    >>> conflict_rows(np.array([7, 7, 8, 8]), np.array([0, 2, 1, 1])).tolist()
    [True, True, False, False]
    """
    paragraph = np.unique(text_key, return_inverse=True)[1].reshape(-1)
    labels = int(gold.max()) + 1
    kinds = np.unique(paragraph * labels + gold) // labels
    return np.asarray((np.bincount(kinds) > 1)[paragraph], np.bool_)


def conflict_score(answers: Answers, blind: Answers, rows: Bools) -> Figures:
    """Score the rows of `conflict_rows`, where no answer blind to the actor can always be right."""
    shares = right_shares(answers.right[rows], answers.document[rows])
    figures: Figures = {
        "n": shares.n,
        "accuracy": shares.shares[1] if shares.n else None,
        "interval": shares.interval(1) if shares.documents >= FEWEST else None,
        "trusted": shares.trusted,
        "target_blind_accuracy": blind.right[rows].mean() if shares.n else None,
    }
    return plain(figures)


def baselines(answers: Answers, majority: str, blind: Answers | None = None) -> Figures:
    """Return what a score must beat: the training data's majority label, and actor-blind answers.

    With blind answers to the same rows, also what the answers gain over them.
    """
    always = np.full(len(answers), answers.labels.index(majority))
    constant = document_confusion(answers.gold, always, 0 * always, len(answers.labels))[0]
    figures: Figures = {
        "majority": {"macro_f1": macro_f1(constant), "accuracy": accuracy(constant)}
    }
    if blind:
        pair = np.stack([answers.confusion(), blind.confusion()], axis=1)
        (model, other), (_, exact) = macro_f1(pair.sum(axis=0)), accuracy(pair.sum(axis=0))
        interval = t_interval(gain_in(macro_f1), pair)
        gain = {"macro_f1": model - other, "macro_f1_interval": interval}
        bounds = score_interval(macro_f1, pair[:, 1])
        alone = {"macro_f1": other, "macro_f1_interval": bounds, "accuracy": exact}
        figures |= {"target_blind": {**alone, "difference": gain}, "difference": gain}
    return plain(figures)


def holder_score(corpus: Corpus, book: ActorBook, named: Sequence[str]) -> Figures:
    """Score whose the stances of `stance.corpus.holder_rows` were said to be.

    Returns
    -------
    dict
        n; accuracy of the kind (author, an actor, other) with its interval; majority, the accuracy
        of always giving the kind that is most frequent in these rows; exact, the share of rows
        where the name of an actor is right too.
    """
    rows = holder_rows(corpus)
    gold = [book.proper_name(corpus.holder[row] or "") for row in rows.tolist()]
    kinds, answered = (np.array(list(map(holder_kind, names))) for names in (gold, named))
    right, exact = kinds == answered, np.array(gold) == np.array(named)
    return plain(
        {
            "n": len(rows),
            "accuracy": right.mean(),
            "interval": proportion_interval(right, corpus.document[rows]),
            "majority": np.bincount(kinds).max() / len(rows),
            "exact": exact.mean(),
        }
    )


def leakage(answers: Answers, leaked: Bools) -> Figures:
    """Return how many rows the model has seen in training, and what it scores without them."""
    without, bounds = None, None
    if not leaked.all():
        counts = answers.take(~leaked).confusion()
        without, bounds = macro_f1(counts.sum(axis=0)), score_interval(macro_f1, counts)
    figures = {"rows": leaked.sum(), "share": leaked.mean()}
    return plain(figures | {"macro_f1_without": without, "macro_f1_without_interval": bounds})
