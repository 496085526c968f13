"""How a paragraph names an actor: the block `mention`."""

from functools import lru_cache

import numpy as np

from stance.features.events import Codebook, Events
from stance.features.layout import FAR, Pairs, Reader
from stance.features.relations import ROLES, mention_roles
from stance.features.surroundings import Surroundings
from stance.lexicon import CONCESSION, FIRST_PERSON, HYPOTHETICAL, NEGATOR
from stance.tokens import Bools, Ints

_DISTANCES = (1, 2, 4, 8, 16)
_COUNTS = (0, 1, 2, 3, 5)
_COUNTED = (
    "mentions",
    "others",
    "positive-here",
    "negative-here",
    "positive",
    "negative",
    "plain-here",
    "first-person",
    "hypothetical-here",
    "concession-here",
    "negator-here",
)
"""Counts that are features, in buckets."""


def _bucket(values: Ints, edges: tuple[int, ...]) -> Ints:
    return np.searchsorted(edges, values, side="left").astype(np.int64)


def _labels(name: str, edges: tuple[int, ...]) -> list[str]:
    return [f"{name}<={edge}" for edge in edges] + [f"{name}>{edges[-1]}"]


@lru_cache(maxsize=1)
def _mention_books() -> dict[str, Codebook]:
    counts = {name: Codebook("mention", [_labels(name, _COUNTS)]) for name in _COUNTED}
    return counts | {
        "share": Codebook("mention", [[f"share {i}/4" for i in range(5)]]),
        "opens": Codebook("mention", [["opens late", "opens first sentence", "opens first words"]]),
        "role": Codebook("mention role", [ROLES]),
        "quoted": Codebook("mention", [["quoted none", "quoted some", "quoted all"]]),
        "nearest-positive": Codebook("mention", [_labels("nearest-positive", _DISTANCES)]),
        "nearest-negative": Codebook("mention", [_labels("nearest-negative", _DISTANCES)]),
        "balance": Codebook("mention", [["more negative", "even", "more positive"]]),
        "question": Codebook("mention", [["no question", "question"]]),
        "length": Codebook("mention", [_labels("length", (15, 30, 60, 120))]),
    }  # fmt: skip


def mention_block(reader: Reader, pairs: Pairs) -> list[Events]:
    """How an actor is named: tells a passing mention from one that a stance is about."""
    books = _mention_books()
    codes = _codes(_counts(pairs), pairs)
    rows, nowhere = np.arange(pairs.count), np.full(pairs.count, -1)
    events = [Events(rows, nowhere, code=code, book=books[name]) for name, code in codes.items()]
    if len(pairs.mention):
        roles = mention_roles(pairs, Surroundings(pairs))
        at = pairs.mention
        events.append(Events(pairs.row[at], pairs.word[at], code=roles, book=books["role"]))
    return events


def _counts(pairs: Pairs) -> dict[str, Ints]:
    """Count words per pair: in the paragraph, and (-here) in the sentences that name the actor.

    Both are counted per paragraph and per sentence first, whoever is judged.
    """
    words = pairs.words
    functions = words.functions
    positive, negative = words.sign > 0, words.sign < 0
    here = {
        "positive-here": positive,
        "negative-here": negative,
        "plain-here": (words.category >= 0) & (words.sign == 0),
        "hypothetical-here": (functions & HYPOTHETICAL) > 0,
        "concession-here": (functions & CONCESSION) > 0,
        "negator-here": (functions & NEGATOR) > 0,
        "question": words.question,
        "sentences-here": words.sentence_start,
    }
    anywhere = {
        "positive": positive,
        "negative": negative,
        "first-person": (functions & FIRST_PERSON) > 0,
        "sentences": words.sentence_start,
        "named": words.who >= 0,
    }
    paragraph = np.repeat(np.arange(len(words.first) - 1), np.diff(words.first))
    found = {
        name: _total(flags, paragraph, len(words.first) - 1)[pairs.para]
        for name, flags in anywhere.items()
    }
    at, row = pairs.word[pairs.mention], pairs.row[pairs.mention]
    sentence = words.sentence[at]
    new = np.append(True, (sentence[1:] != sentence[:-1]) | (row[1:] != row[:-1]))[: len(at)]
    size = int(words.sentence[-1]) + 1 if len(words.sentence) else 0
    for name, flags in here.items():
        per_sentence = _total(flags, words.sentence, size)
        weights = per_sentence[sentence[new]]
        found[name] = np.bincount(row[new], weights, pairs.count).astype(np.int64)
    found["mentions"] = np.bincount(row, minlength=pairs.count)
    found["others"] = found["named"] - found["mentions"]
    found["quoted"] = np.bincount(row[words.quoted[at]], minlength=pairs.count)
    return found


def _total(flags: Bools, group: Ints, size: int) -> Ints:
    return np.bincount(group.take(np.flatnonzero(flags)), minlength=size)


def _codes(counts: dict[str, Ints], pairs: Pairs) -> dict[str, Ints]:
    """Return the value of each feature set by its name."""
    share = np.ceil(4 * counts["sentences-here"] / np.maximum(counts["sentences"], 1))
    quoted, mentions = counts["quoted"], counts["mentions"]
    nearest_positive, nearest_negative = _nearest_signs(pairs)
    return {name: _bucket(counts[name], _COUNTS) for name in _COUNTED} | {
        "share": share.astype(np.int64),
        "opens": _opening(pairs),
        "quoted": np.where(quoted == 0, 0, np.where(quoted < mentions, 1, 2)),
        "nearest-positive": nearest_positive,
        "nearest-negative": nearest_negative,
        "balance": np.sign(counts["positive-here"] - counts["negative-here"]) + 1,
        "question": np.minimum(counts["question"], 1),
        "length": _bucket(pairs.first[1:] - pairs.first[:-1], (15, 30, 60, 120)),
    }


def _opening(pairs: Pairs) -> Ints:
    """Return 2 where the actor is among the first five words, 1 in the first sentence, else 0."""
    opening = np.zeros(pairs.count, np.int64)
    row, word = pairs.row[pairs.mention], pairs.word[pairs.mention]
    start = pairs.words.first[pairs.para[row]]
    opening[row[pairs.words.sentence[word] == pairs.words.sentence[start]]] = 1
    opening[row[word - start < 5]] = 2
    return opening


def _nearest_signs(pairs: Pairs) -> tuple[Ints, Ints]:
    """Return the buckets of the distances from the actor to the nearest words of either sign."""
    at = pairs.classed
    sign = pairs.words.sign.take(pairs.word.take(at))
    row, distance = pairs.row.take(at), pairs.distance.take(at)
    found = []
    for wanted in (sign > 0, sign < 0):
        nearest = np.full(pairs.count, FAR, np.int64)
        np.minimum.at(nearest, row[wanted], distance[wanted])
        found.append(_bucket(nearest, _DISTANCES))
    return found[0], found[1]
