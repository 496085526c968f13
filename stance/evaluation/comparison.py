"""What a score is held against: baselines, rows seen in training, another model."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.arrays import Bools, Ints
from stance.corpus import Corpus, holder_rows
from stance.evaluation.answers import (
    Answers,
    Figures,
    accuracy,
    check_rows,
    document_confusion,
    macro_f1,
    plain,
)
from stance.evaluation.intervals import (
    FEWEST,
    gain_in,
    proportion_interval,
    right_shares,
    score_interval,
    t_interval,
)
from stance.evaluation.scores import document_notes
from stance.label_values import holder_kind
from stance.reading.actors import ActorBook

# --- Baselines ---


def conflict_rows(text_key: NDArray[Any], gold: Ints) -> Bools:
    """Return which rows stand in a paragraph, of equal key, whose actors differ in gold stance.

    >>> conflict_rows(np.array([7, 7, 8, 8]), np.array([0, 2, 1, 1])).tolist()
    [True, True, False, False]
    """
    if not len(gold):
        return np.zeros(0, np.bool_)
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
        "interval": shares.intervals[1] if shares.documents >= FEWEST else None,
        "trusted": shares.trusted,
        "target_blind_accuracy": blind.right[rows].mean() if shares.n else None,
    }
    return plain(figures)


def majority_score(answers: Answers, majority: str) -> Figures:
    """Return macro_f1 and accuracy of giving every row the majority label of the training data."""
    check_rows(answers)
    always = np.full(len(answers), answers.labels.index(majority))
    confusion = document_confusion(answers.gold, always, 0 * always, len(answers.labels))[0]
    return plain({"macro_f1": macro_f1(confusion), "accuracy": accuracy(confusion)})


def baselines(answers: Answers, majority: str, blind: Answers | None = None) -> Figures:
    """Return what a score must beat: the majority label, and answers blind to the actor."""
    figures = {"majority": majority_score(answers, majority)}
    if blind:
        figures["target_blind"] = _rival_score(answers, blind)
        figures["difference"] = figures["target_blind"]["difference"]
    return figures


def _rival_score(answers: Answers, rival: Answers) -> Figures:
    pair = np.stack([answers.confusion(), rival.confusion()], axis=1)
    (model, other), (_, exact) = macro_f1(pair.sum(axis=0)), accuracy(pair.sum(axis=0))
    gain = {"macro_f1": model - other, "macro_f1_interval": t_interval(gain_in(macro_f1), pair)}
    figures = {
        "macro_f1": other,
        "macro_f1_interval": score_interval(macro_f1, pair[:, 1]),
        "accuracy": exact,
        "difference": gain,
    }
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


def leakage(answers: Answers, leaked: Bools, copied: Bools) -> Figures:
    """Return how many rows the model was trained on, and what it scores without them.

    Leaked are rows whose text, or one much like it, was in the training data; copied those of them
    whose text itself was.
    """
    rows, exact, without, bounds = leaked.sum(), (leaked & copied).sum(), None, None
    if not leaked.all():
        counts = answers.take(~leaked).confusion()
        without, bounds = macro_f1(counts.sum(axis=0)), score_interval(macro_f1, counts)
    figures = {"rows": rows, "exact": exact, "near": rows - exact, "share": leaked.mean()}
    return plain(figures | {"macro_f1_without": without, "macro_f1_without_interval": bounds})


# --- Two models ---


def compare(a: Answers, b: Answers) -> Figures:
    """Score two models on the same rows, and their difference by the same documents."""
    pair, gain = np.stack([a.confusion(), b.confusion()], axis=1), gain_in(macro_f1)
    enough = len(pair) >= FEWEST
    figures: Figures = {"n": len(a), "documents": len(pair)}
    for name, counts in (("a", pair[:, 0]), ("b", pair[:, 1])):
        ends = score_interval(macro_f1, counts) if enough else None
        figures[name] = {"macro_f1": macro_f1(counts.sum(axis=0)), "macro_f1_interval": ends}
    ends = t_interval(gain, pair) if enough else None
    figures["difference"] = {"macro_f1": gain(pair.sum(axis=0)), "macro_f1_interval": ends}
    return plain(figures | {"notes": document_notes(a.labels, pair[:, 0])})
