"""Two models' answers to the same rows, compared row by row and document by document."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stance.evaluation.answers import Answers, check_pair, check_rows, confusion_by_document
from stance.evaluation.calibration import brier, calibration_error
from stance.evaluation.confusion import Bools, Floats, Ints, accuracy, macro_f1
from stance.evaluation.figures import Figures, plain
from stance.evaluation.intervals import (
    DRAWS,
    FEWEST,
    SEED,
    Statistic,
    gain_in,
    interval,
    rare_strata,
)
from stance.evaluation.scores import actor_rows, document_notes, doubts
from stance.evaluation.significance import document_test, holm, mcnemar
from stance.screens.comparison import summary_lines

ROWS = 20
"""Rows of an actor from which on it is compared: fewer would only cost the others their p."""

SMALLEST = 1e-6
"""A p value below is given as this, or it would be rounded to 0."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Which rows were in the training data of which model.

    Attributes
    ----------
    a, b : ndarray of bool of shape (n_rows,)
    names : sequence of str
        How to name each row to a reader.
    """

    a: Bools
    b: Bools
    names: Sequence[str]


@dataclass(frozen=True, slots=True)
class Comparison:
    """All figures of a comparison, as `compare` makes them."""

    figures: Figures

    def to_json(self) -> Figures:
        """Return one object for JSON."""
        return self.figures

    def summary_lines(self) -> list[str]:
        """Return a plain-text screen, each line under 80 columns."""
        return summary_lines(self.figures)


def compare(
    a: Answers,
    b: Answers,
    *,
    conflict: Bools,
    seen: Seen,
    sentiment: tuple[Answers, Answers] | None = None,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Comparison:
    """Compare two models' answers to the same rows.

    Parameters
    ----------
    a, b : Answers
    conflict : ndarray of bool of shape (n_rows,)
        Rows whose paragraph has actors of differing gold stance.
    seen : Seen
    sentiment : (Answers, Answers), optional
        To the paragraphs with a sentiment label, where both models judge it.

    Returns
    -------
    Comparison
        Its figures: those of `contrast`; per_actor {actor: those of `contrast` and p_holm} and
        left_out (actors of fewer than `ROWS` rows); conflict and, where given, sentiment, as
        `contrast` returns them (conflict is None where there are no such rows); leakage {a, b,
        either (numbers of rows), rows (names of those that either has seen), without (`contrast`
        on the rest; None where nothing is left)}; notes.
    """
    check_rows(a)
    check_pair(a, b)
    leaked = seen.a | seen.b
    per_actor, left_out = _per_actor(a, b, draws, seed)

    def part(rows: Bools) -> Figures | None:
        return contrast(a.take(rows), b.take(rows), draws, seed) if rows.any() else None

    figures = contrast(a, b, draws, seed) | {
        "per_actor": per_actor,
        "left_out": left_out,
        "conflict": part(conflict),
        "leakage": {
            "a": int(seen.a.sum()),
            "b": int(seen.b.sum()),
            "either": int(leaked.sum()),
            "rows": [seen.names[row] for row in np.flatnonzero(leaked).tolist()],
            "without": part(~leaked) if leaked.any() else None,
        },
        "notes": _notes(a, b),
    }
    if sentiment is not None:
        figures["sentiment"] = contrast(*sentiment, draws, seed)
        figures["notes"] += [f"sentiment: {note}" for note in _notes(*sentiment)]
    return Comparison(figures)


def _notes(a: Answers, b: Answers) -> list[str]:
    notes = document_notes(a.labels, confusion_by_document(a))
    if (a.predicted == b.predicted).all():
        notes.append("the models answer every row alike; that does not make them equal elsewhere")
    return notes


def contrast(a: Answers, b: Answers, draws: int = DRAWS, seed: int = SEED) -> Figures:
    """Score two models on the same rows, and their difference on the same resampled documents.

    Returns
    -------
    dict
        n, documents, trusted (False where documents are too few to believe the intervals); a and
        b {macro_f1, macro_f1_interval, accuracy, accuracy_interval, ece, brier, uncertain};
        difference (macro-F1 of a less that of b), difference_interval, accuracy_difference,
        accuracy_difference_interval; mcnemar {a_only, b_only (rows that only one has right), p
        (`significance.document_test`), p_rows (`significance.mcnemar`)}; no p is below `SMALLEST`.
        Intervals are None below `FEWEST` documents.
    """
    pair = np.stack([confusion_by_document(a), confusion_by_document(b)], axis=1)
    strata = rare_strata(pair[:, 0])

    def bounds(score: Statistic, counts: Floats, least: float = 0.0) -> object:
        if len(counts) < FEWEST:
            return None
        return interval(score, counts, draws=draws, seed=seed, strata=strata, least=least)

    figures: Figures = {
        "n": len(a),
        "documents": len(pair),
        "trusted": not doubts(a.labels, pair[:, 0]),
    }
    for place, (name, answers) in enumerate((("a", a), ("b", b))):
        counts = pair[:, place]
        figures[name] = {
            "macro_f1": macro_f1(counts.sum(axis=0)),
            "macro_f1_interval": bounds(macro_f1, counts),
            "accuracy": accuracy(counts.sum(axis=0)),
            "accuracy_interval": bounds(accuracy, counts),
            "ece": calibration_error(answers),
            "brier": brier(answers),
            "uncertain": 0.0 if answers.answered is None else 1 - answers.answered.mean(),
        }
    for key, score in (("difference", macro_f1), ("accuracy_difference", accuracy)):
        figures[key] = gain_in(score)(pair.sum(axis=0))
        figures[f"{key}_interval"] = bounds(gain_in(score), pair, -1.0)
    figures["mcnemar"] = {
        "a_only": (a.right & ~b.right).sum(),
        "b_only": (b.right & ~a.right).sum(),
        "p": max(SMALLEST, document_test(a.right, b.right, a.document)),
        "p_rows": max(SMALLEST, mcnemar(a.right, b.right)),
    }
    return plain(figures)


def _per_actor(a: Answers, b: Answers, draws: int, seed: int) -> tuple[Figures, int]:
    """Compare the actors of enough rows; p values are adjusted for the number of actors."""
    parts: list[tuple[str, Ints]] = [] if a.actor is None else list(actor_rows(a))
    found = {
        name: contrast(a.take(rows), b.take(rows), draws, seed)
        for name, rows in parts
        if len(rows) >= ROWS
    }
    adjusted = holm([part["mcnemar"]["p"] for part in found.values()])
    figures = {
        name: part | {"p": part["mcnemar"]["p"], "p_holm": p}
        for (name, part), p in zip(found.items(), adjusted, strict=True)
    }
    return plain(figures), len(parts) - len(found)
