"""What a score is held against: baselines, conflict rows, and rows seen in training."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.arrays import Bools, Ints
from stance.evaluation.answers import (
    Answers,
    Figures,
    accuracy,
    check_pair,
    check_rows,
    document_confusion,
    macro_f1,
    plain,
)
from stance.evaluation.intervals import DRAWS, FEWEST, SEED, gain_in, right_shares, stratified
from stance.reading.spans import Query
from stance.reading.words import Reader
from stance.records import NEUTRAL


def conflict_rows(text_key: NDArray[Any], gold: Ints) -> Bools:
    """Return which rows stand in a paragraph whose actors have differing gold stances.

    The key is equal for rows of the same paragraph.

    >>> conflict_rows(np.array([7, 7, 8, 8]), np.array([0, 2, 1, 1])).tolist()
    [True, True, False, False]
    """
    if not len(gold):
        return np.zeros(0, np.bool_)
    _, paragraph = np.unique(text_key, return_inverse=True)
    paragraph = paragraph.reshape(-1)
    labels = int(gold.max()) + 1
    kinds = np.unique(paragraph * labels + gold) // labels
    differing: Bools = (np.bincount(kinds) > 1)[paragraph]
    return differing


def conflict_score(answers: Answers, blind: Answers, rows: Bools) -> Figures:
    """Score the rows of `conflict_rows`, where no answer blind to the actor can always be right.

    Returns
    -------
    dict
        n, accuracy, interval (None below `FEWEST` documents), trusted (False where the documents
        are too few to believe it), target_blind_accuracy. All but n and trusted are None where
        there are no such rows.
    """
    check_pair(answers, blind)
    found = right_shares(answers.right[rows], answers.document[rows])
    figures: Figures = {
        "n": found.n,
        "accuracy": found.shares[1] if found.n else None,
        "interval": found.intervals[1] if found.documents >= FEWEST else None,
        "trusted": found.trusted,
        "target_blind_accuracy": blind.right[rows].mean() if found.n else None,
    }
    return plain(figures)


def majority_score(answers: Answers, majority: str) -> Figures:
    """Return macro_f1 and accuracy of giving every row the majority label of the training data."""
    check_rows(answers)
    always = np.full(len(answers), answers.labels.index(majority))
    nowhere = np.zeros_like(always)
    confusion = document_confusion(answers.gold, always, nowhere, len(answers.labels))[0]
    return plain({"macro_f1": macro_f1(confusion), "accuracy": accuracy(confusion)})


def baselines(
    answers: Answers,
    majority: str,
    rivals: Mapping[str, Answers],
    draws: int = DRAWS,
    seed: int = SEED,
) -> Figures:
    """Return what a score must beat: the majority label, and rivals' answers to the same rows.

    Returns
    -------
    dict
        majority {macro_f1, accuracy}; of each rival {macro_f1, macro_f1_interval, accuracy,
        difference {macro_f1, macro_f1_interval}}, the model less the rival on the same resamples;
        difference: that of ``target_blind`` again.
    """
    figures: Figures = {"majority": majority_score(answers, majority)}
    for name, rival in rivals.items():
        figures[name] = _rival_score(answers, rival, draws, seed)
    if "target_blind" in figures:
        figures["difference"] = figures["target_blind"]["difference"]
    return figures


def _rival_score(answers: Answers, rival: Answers, draws: int, seed: int) -> Figures:
    check_pair(answers, rival)
    pair = np.stack([answers.confusion(), rival.confusion()], axis=1)
    (own, other), (_, exact) = macro_f1(pair.sum(axis=0)), accuracy(pair.sum(axis=0))
    gain = stratified(gain_in(macro_f1), pair, draws, seed, least=-1.0)
    return plain(
        {
            "macro_f1": other,
            "macro_f1_interval": stratified(macro_f1, pair[:, 1], draws, seed),
            "accuracy": exact,
            "difference": {"macro_f1": own - other, "macro_f1_interval": gain},
        }
    )


def leakage(
    answers: Answers, leaked: Bools, copied: Bools, draws: int = DRAWS, seed: int = SEED
) -> Figures:
    """Return how many rows the model was trained on, and what it scores without them.

    Leaked are rows whose text, or one much like it, was in the training data; copied those of them
    whose text itself was.

    Returns
    -------
    dict
        rows, exact (of them, whose text itself was found), near (the others), share,
        macro_f1_without, macro_f1_without_interval (both None where nothing is left).
    """
    exact = (leaked & copied).sum()
    figures: Figures = {"rows": leaked.sum(), "exact": exact, "near": leaked.sum() - exact}
    figures["share"] = leaked.mean()
    without, bounds = None, None
    if not leaked.all():
        counts = answers.take(~leaked).confusion()
        without = macro_f1(counts.sum(axis=0))
        bounds = stratified(macro_f1, counts, draws, seed)
    return plain(figures | {"macro_f1_without": without, "macro_f1_without_interval": bounds})


def lexicon_stances(reader: Reader, query: Query) -> Ints | None:
    """Answer each pair by the words with polarity in the sentences that name the actor.

    Positive words less negative ones, a negator turning the few words after it: more positive
    ones are favor, more negative ones against, as many of both, or none, neutral (word counting as
    in Young and Soroka 2012, "Affective News: The Automated Coding of Sentiment in Political
    Texts").

    None where the language has no lexicon.
    """
    if not reader.lexicon.categories:
        return None
    sums = [polarity_sums(reader, part) for part in query.batches()]
    return np.sign(np.concatenate(sums)).astype(np.int64) + NEUTRAL


def polarity_sums(reader: Reader, query: Query) -> Ints:
    """Return positive less negative words in the sentences of each pair that name its actor."""
    words = reader.words(query.texts, query.spans)
    row = np.repeat(query.para, np.diff(words.first))
    naming = np.zeros(int(words.sentence.max(initial=-1)) + 1, np.bool_)
    naming[words.sentence[words.who == query.actor[row]]] = True  # no sentence is in two texts
    polarity = np.where(naming[words.sentence], words.sign, 0)
    return np.bincount(row, polarity, len(query)).astype(np.int64)
