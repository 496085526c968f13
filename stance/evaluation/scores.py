"""Scores of answers, whole, by label and by actor."""

from collections.abc import Iterator, Sequence

import numpy as np

from stance.display import count
from stance.evaluation.answers import Answers, check_rows, confusion_by_document
from stance.evaluation.calibration import (
    brier,
    calibration_error,
    log_loss,
    reliability,
    risk_coverage,
)
from stance.evaluation.confusion import (
    Floats,
    Ints,
    accuracy,
    f1_scores,
    macro_f1,
    share,
)
from stance.evaluation.figures import Figures, plain
from stance.evaluation.intervals import DRAWS, FEWEST, SEED, interval, rare_strata

TRUSTED = 20
"""Documents from which on a bootstrap interval can be trusted."""


def score(answers: Answers, *, draws: int = DRAWS, seed: int = SEED) -> Figures:
    """Score answers against gold labels.

    Macro-F1 is the mean over the labels that occur in gold or prediction (`confusion.macro_f1`).
    Intervals resample documents (`intervals.interval`), those with a rare label apart from the
    others (`intervals.rare_strata`); the notes say where that was done and where an interval
    cannot be trusted.

    Returns
    -------
    dict
        n, accuracy, accuracy_interval, macro_f1, macro_f1_interval, per_class, per_actor (where
        actors are given), confusion (rows gold, columns predicted), labels, ece, brier, log_loss,
        reliability and risk_coverage with aurc (as in `calibration`), uncertain (share of rows),
        documents, trusted (False where documents are too few to believe the intervals), notes.

    Raises
    ------
    DataError
        If there are no rows.
    """
    check_rows(answers)
    by_document = confusion_by_document(answers)
    total = by_document.sum(axis=0)
    strata = rare_strata(by_document)
    bounds, sure = (
        interval(statistic, by_document, draws=draws, seed=seed, strata=strata)
        for statistic in (macro_f1, accuracy)
    )
    figures: Figures = {
        "n": len(answers),
        "accuracy": accuracy(total),
        "accuracy_interval": sure,
        "macro_f1": macro_f1(total),
        "macro_f1_interval": bounds,
        "per_class": _per_class(answers.labels, total),
        "per_actor": {} if answers.actor is None else _per_actor(answers, draws, seed),
        "confusion": total.astype(np.int64),
        "labels": list(answers.labels),
        "ece": calibration_error(answers),
        "brier": brier(answers),
        "log_loss": log_loss(answers),
        "reliability": reliability(answers),
        **risk_coverage(answers),
        "uncertain": 0.0 if answers.answered is None else 1 - answers.answered.mean(),
        "documents": len(by_document),
        "trusted": not doubts(answers.labels, by_document),
        "notes": [
            *document_notes(answers.labels, by_document),
            *_notes(answers.labels, total, bounds),
        ],
    }
    if answers.actor is None:
        del figures["per_actor"]
    return plain(figures)


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
    scores = {}
    for name, rows in actor_rows(answers):
        mine = answers.take(rows)
        by_document = confusion_by_document(mine)
        bounds = None
        if len(by_document) >= FEWEST:
            strata = rare_strata(by_document)
            bounds = interval(macro_f1, by_document, draws=draws, seed=seed, strata=strata)
        scores[name] = {
            "n": len(mine),
            "macro_f1": macro_f1(by_document.sum(axis=0)),
            "interval": bounds,
            "trusted": not doubts(answers.labels, by_document),
            "ece": calibration_error(mine),
            "brier": brier(mine),
        }
    return scores


def actor_rows(answers: Answers) -> Iterator[tuple[str, Ints]]:
    """Yield each actor and its rows, the most frequent first, equally frequent ones by name."""
    names, place = np.unique(np.array(answers.actor, dtype=object), return_inverse=True)
    counts = np.bincount(place.reshape(-1), minlength=len(names))
    rows = np.split(np.argsort(place.reshape(-1), kind="stable"), np.cumsum(counts)[:-1])
    for number in np.argsort(-counts, kind="stable"):  # names are sorted already
        yield str(names[number]), rows[number]


def doubts(labels: Sequence[str], confusion: Floats) -> list[str]:
    """Return why an interval cannot be trusted: too few documents, of all or with a label."""
    documents = (confusion.sum(axis=2) > 0).sum(axis=0).tolist()
    reasons = [
        f"{label} stands in only {count(number, 'document')}; label {FEWEST} or more with it"
        for label, number in zip(labels, documents, strict=True)
        if 0 < number < FEWEST
    ]
    if len(confusion) < TRUSTED:
        rests = f"it rests on {count(len(confusion), 'document')}; label {TRUSTED} or more"
        reasons.insert(0, rests)
    return [f"the interval cannot be trusted: {reason}" for reason in reasons]


def document_notes(labels: Sequence[str], confusion: Floats) -> list[str]:
    """Return what a reader must know of the documents that an interval rests on.

    Parameters
    ----------
    labels : sequence of str
    confusion : ndarray of shape (n_documents, n_labels, n_labels)
        Rows gold.
    """
    notes = doubts(labels, confusion)
    if rare := [labels[number - 1] for number in np.unique(rare_strata(confusion)) if number]:
        notes.append(
            f"rare: {', '.join(rare)}; the bootstrap draws documents with a rare label apart from "
            "the others (stratified), so that no sample lacks it"
        )
    return notes


def _notes(labels: Sequence[str], confusion: Floats, bounds: tuple[Floats, Floats]) -> list[str]:
    notes = []
    if bounds[0] == bounds[1]:
        notes.append("every resample scores the same; that does not make the score exact")
    unseen = [label for label, n in zip(labels, confusion.sum(axis=1), strict=True) if not n]
    if unseen:
        notes.append(
            f"no row is labelled {' or '.join(unseen)}; macro-F1 is the mean over the labels that "
            "occur in gold or prediction"
        )
    return notes
