"""The baseline that learns nothing: a stance by the polarity lexicon alone."""

import numpy as np

from stance.reading.reader import Reader
from stance.reading.spans import Query
from stance.reading.tokens import Ints
from stance.records import Stance

BATCH = 1000
"""Pairs that are read at a time."""

_NEUTRAL = list(Stance).index(Stance.NEUTRAL)


def lexicon_stances(reader: Reader, query: Query) -> Ints | None:
    """Answer each pair by the words with polarity in the sentences that name the actor.

    Positive words less negative ones, a negator turning the few words after it: more positive
    ones are favor, more negative ones against, as many of both, or none, neutral (word counting as
    in Young and Soroka 2012, "Affective News: The Automated Coding of Sentiment in Political
    Texts").

    Returns
    -------
    ndarray of shape (n_pairs,) or None
        0 against, 1 neutral, 2 favor. None where the language has no lexicon.
    """
    if not reader.lexicon.categories:
        return None
    parts = [query.slice(low, low + BATCH) for low in range(0, len(query), BATCH)]
    sums = [polarity_sums(reader, part) for part in parts]
    return np.sign(np.concatenate(sums)).astype(np.int64) + _NEUTRAL


def polarity_sums(reader: Reader, query: Query) -> Ints:
    """Return positive less negative words in the sentences of each pair that name its actor."""
    words = reader.words(query.texts, query.spans)
    row = np.repeat(query.para, np.diff(words.first))
    naming = np.zeros(int(words.sentence.max(initial=-1)) + 1, np.bool_)
    naming[words.sentence[words.who == query.actor[row]]] = True  # no sentence is in two texts
    polarity = np.where(naming[words.sentence], words.sign, 0)
    return np.bincount(row, polarity, len(query)).astype(np.int64)
