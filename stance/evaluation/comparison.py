"""What a score is held against: baselines, rows seen in training, another model."""

from collections.abc import Mapping, Sequence
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
from stance.features.pairs import Pairs, lay_out
from stance.label_values import holder_kind
from stance.reading.actors import ActorBook
from stance.reading.spans import Query
from stance.reading.words import Reader
from stance.records import NEUTRAL

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


def baselines(answers: Answers, majority: str, rivals: Mapping[str, Answers]) -> Figures:
    """Return what a score must beat: the majority label, and rivals' answers to the same rows."""
    scores = {name: _rival_score(answers, rival) for name, rival in rivals.items()}
    figures = {"majority": majority_score(answers, majority), **scores}
    if "target_blind" in figures:
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


def lexicon_stances(reader: Reader, query: Query) -> Ints | None:
    """Answer each pair by the sign of its polarity sum; None where the language has no lexicon.

    Word counting as in Young and Soroka 2012, "Affective News", with negators.
    """
    if not reader.lexicon.categories:
        return None
    pairs = (lay_out(*part.read(reader), part.actor) for part in query.batches())
    return np.concatenate([*map(signs_of_polarity, pairs)])


def signs_of_polarity(pairs: Pairs) -> Ints:
    """Answer each pair by the sign of its polarity sum."""
    return np.sign(polarity_sums(pairs)) + NEUTRAL


def polarity_sums(pairs: Pairs) -> Ints:
    """Return positive less negative words in the sentences of each pair that name its actor."""
    words, owner = pairs.words, pairs.owner
    polarity = np.bincount(words.sentence, words.sign)
    sentence = words.sentence.take(pairs.word.take(pairs.mention))
    new = np.diff(owner, prepend=-1) | np.diff(sentence, prepend=-1)
    once = np.flatnonzero(new)  # also if the sentence names the actor twice
    sums = np.bincount(owner.take(once), polarity.take(sentence.take(once)), pairs.count)
    return sums.astype(np.int64)


# --- Two models ---


def compare(a: Answers, b: Answers) -> Figures:
    """Score two models on the same rows, and their difference by the same documents."""
    pair = np.stack([a.confusion(), b.confusion()], axis=1)
    enough, notes = len(pair) >= FEWEST, document_notes(a.labels, pair[:, 0])
    figures: Figures = {"n": len(a), "documents": len(pair), "trusted": not notes}
    for place, name in enumerate("ab"):
        counts = pair[:, place]
        figures[name] = {
            "macro_f1": macro_f1(counts.sum(axis=0)),
            "macro_f1_interval": score_interval(macro_f1, counts) if enough else None,
            "accuracy": accuracy(counts.sum(axis=0)),
        }
    gain = gain_in(macro_f1)
    figures["difference"] = gain(pair.sum(axis=0))
    figures["difference_interval"] = t_interval(gain, pair) if enough else None
    return plain(figures | {"notes": notes})
