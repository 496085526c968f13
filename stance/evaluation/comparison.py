"""Two models' answers to the same rows, compared row by row and document by document."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stance.arrays import Bools, Floats, Ints
from stance.evaluation.answers import (
    Answers,
    Figures,
    accuracy,
    check_pair,
    check_rows,
    macro_f1,
    plain,
)
from stance.evaluation.intervals import DRAWS, FEWEST, SEED, Statistic, gain_in, stratified
from stance.evaluation.scores import actor_rows, brier, calibration_error, document_notes, doubts


def mcnemar(first: Bools, second: Bools) -> float:
    """Return the exact two-sided p value of McNemar's test on rows: whether each model is right.

    McNemar 1947, "Note on the Sampling Error of the Difference Between Correlated Proportions or
    Percentages". It takes rows for independent, which those of one document are not.

    >>> mcnemar(np.array([True, True, True, True, False]), np.array([False] * 5))
    0.125
    """
    from scipy.special import bdtr

    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    tail = bdtr(float(min(only_first, only_second)), only_first + only_second, 0.5)
    return min(1.0, 2 * float(tail))


def document_test(first: Bools, second: Bools, document: Ints) -> float:
    """Return the exact two-sided p value of McNemar's test with documents as the unit.

    The sum of the documents' differences in right rows is held against all ways of giving them
    signs (randomisation test: Fisher 1935, "The Design of Experiments", section 21; Yeh 2000, "More
    accurate tests for the statistical significance of result differences"). Its large-sample form
    is the test of Obuchowski 1998, "On the comparison of correlated proportions for clustered
    data"; where no document has more than one row that only one model has right, it is `mcnemar`.

    >>> first, second = np.array([True, True, True, True, False]), np.array([False] * 5)
    >>> document_test(first, second, np.arange(5)), document_test(first, second, np.arange(5) // 2)
    (0.125, 0.5)
    """
    _, place = np.unique(document, return_inverse=True)
    surplus = first.astype(np.int64) - second
    difference = np.bincount(place.reshape(-1), surplus).astype(np.int64)
    sizes = np.abs(difference[difference != 0])
    # The chance of each sum of those sizes whose sign is positive.
    chance = np.ones(1)
    for size in sizes.tolist():
        longer = np.zeros(len(chance) + size)
        longer[: len(chance)] += chance / 2
        longer[size:] += chance / 2
        chance = longer
    sums = 2 * np.arange(len(chance)) - sizes.sum()
    return min(1.0, float(chance[np.abs(sums) >= abs(difference.sum())].sum()))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values adjusted for their number (Holm 1979, "A Simple Sequentially Rejective...").

    Among those at most 0.05 is one of a true null hypothesis with a chance of at most 5 %.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    values = np.array(p_values, np.float64)
    order = np.argsort(values, kind="stable")
    stepped = values[order] * np.arange(len(values), 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return [float(value) for value in adjusted]


ROWS = 20  # rows of an actor from which on it is compared: fewer would only cost the others their p
SMALLEST = 1e-6  # A p value below is given as this, or it would be rounded to 0


@dataclass(frozen=True, slots=True)
class Seen:
    """Which rows were in the training data of which model, and how to name each row."""

    a: Bools
    b: Bools
    names: Sequence[str]


def compare(
    a: Answers,
    b: Answers,
    *,
    conflict: Bools,
    seen: Seen,
    sentiment: tuple[Answers, Answers] | None = None,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Figures:
    """Compare two models' answers to the same rows.

    ``conflict`` marks rows whose paragraph has actors of differing gold stance; ``sentiment`` has
    the answers to the paragraphs with a sentiment label, where both models judge it.

    Returns
    -------
    dict
        What `contrast` returns; per_actor {actor: what it returns, and p_holm}; left_out (actors of
        fewer than `ROWS` rows); conflict and, where given, sentiment, as `contrast` returns them
        (conflict is None where there are no such rows); leakage {a, b, either (numbers of rows),
        rows (names of those that either has seen), without (`contrast` on the rest; None where
        nothing is left)}; notes.
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
    return figures


def _notes(a: Answers, b: Answers) -> list[str]:
    notes = document_notes(a.labels, a.confusion())
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
        (`document_test`), p_rows (`mcnemar`)}; no p is below `SMALLEST`.
        Intervals are None below `FEWEST` documents.
    """
    pair = np.stack([a.confusion(), b.confusion()], axis=1)

    def bounds(score: Statistic, counts: Floats, least: float = 0.0) -> object:
        return None if len(pair) < FEWEST else stratified(score, counts, draws, seed, least)

    trusted = not doubts(a.labels, pair[:, 0])
    figures: Figures = {"n": len(a), "documents": len(pair), "trusted": trusted}
    for place, (name, answers) in enumerate((("a", a), ("b", b))):
        counts = pair[:, place]
        figures[name] = {
            "macro_f1": macro_f1(counts.sum(axis=0)),
            "macro_f1_interval": bounds(macro_f1, counts),
            "accuracy": accuracy(counts.sum(axis=0)),
            "accuracy_interval": bounds(accuracy, counts),
            "ece": calibration_error(answers),
            "brier": brier(answers),
            "uncertain": answers.uncertain,
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
