"""How a paragraph names an actor, and who does what to whom around it: two blocks."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.arrays import Ints, Ints32, Keys
from stance.features.events import Codebook, Events, JointBook
from stance.features.pairs import (
    FAR,
    OTHER_KEY,
    REACH,
    ROLES,
    TARGET_KEY,
    Pairs,
    Surroundings,
    run_starts,
)
from stance.reading.keys import key_of, keys_of
from stance.reading.lexicon import (
    CONCESSION,
    FIRST_PERSON,
    HYPOTHETICAL,
    NEGATOR,
    PREPOSITION,
    REPORTING,
)
from stance.reading.words import Reader, Words

_DISTANCES = (1, 2, 4, 8, 16)
_COUNTS = (0, 1, 2, 3, 5)
_LENGTHS = (15, 30, 60, 120)
_COUNTED = (
    *("mentions", "others", "positive-here", "negative-here", "positive", "negative", "plain-here"),
    *("first-person", "hypothetical-here", "concession-here", "negator-here"),
)
"""Counts that are features, in buckets."""

_COUNTED_FUNCTIONS = HYPOTHETICAL | CONCESSION | NEGATOR | FIRST_PERSON


def _bucket(values: Ints, edges: tuple[int, ...]) -> Ints:
    """Return the number of the first edge not below each value of 0 or more."""
    table = np.searchsorted(edges, np.arange(edges[-1] + 2), side="left")
    return table.take(values, mode="clip")


def _labels(name: str, edges: tuple[int, ...]) -> list[str]:
    return [f"{name}<={edge}" for edge in edges] + [f"{name}>{edges[-1]}"]


_VALUES = {name: _labels(name, _COUNTS) for name in _COUNTED} | {
    "share": [f"share {i}/4" for i in range(5)],
    "opens": ["opens late", "opens first sentence", "opens first words"],
    "quoted": ["quoted none", "quoted some", "quoted all"],
    "nearest-positive": _labels("nearest-positive", _DISTANCES),
    "nearest-negative": _labels("nearest-negative", _DISTANCES),
    "balance": ["more negative", "even", "more positive"],
    "question": ["no question", "question"],
    "length": _labels("length", _LENGTHS),
}
"""Labels of the values of each feature that a pair has once."""

_ROLES = Codebook("mention role", [ROLES])


@lru_cache(maxsize=1)
def _mention_books() -> dict[tuple[str, ...], JointBook]:
    """Return the features of a pair in threes, each looked up as one."""
    names = list(_VALUES)
    threes = [tuple(names[at : at + 3]) for at in range(0, len(names), 3)]
    return {
        own: JointBook({name: _VALUES[name] for name in own}, [("mention", [n]) for n in own])
        for own in threes
    }


def mention_block(reader: Reader, pairs: Pairs) -> list[Events]:
    """How an actor is named: separates passing mentions from those a stance is about."""
    codes = _codes(_counts(pairs), pairs)
    rows, nowhere = np.arange(pairs.count), np.full(pairs.count, -1)
    events = []
    for names, book in _mention_books().items():
        code = book.encode(*(codes[name] for name in names))
        events.append(Events(rows, nowhere, code=code, book=book))
    if len(pairs.mention):
        near = pairs.surroundings
        events.append(Events(near.row, near.at, code=near.role, book=_ROLES))
    return events


def _counts(pairs: Pairs) -> dict[str, Ints]:
    """Count words per pair: in the paragraph and, as -here, in sentences that name the actor."""
    words = pairs.words
    counted, sentences, paragraphs = words.once(_totals)
    found = dict(zip(counted, paragraphs.take(pairs.para, axis=1), strict=True))
    at, row = pairs.word.take(pairs.mention), pairs.owner
    sentence = words.sentence.take(at)
    new = np.append(True, (sentence[1:] != sentence[:-1]) | (row[1:] != row[:-1]))[: len(at)]
    here = _by_row(np.add, sentences.take(sentence[new], axis=1), row[new], pairs.count, 0)
    found |= {f"{name}-here": values for name, values in zip(counted, here, strict=True)}
    found["mentions"] = np.bincount(row, minlength=pairs.count)
    found["others"] -= found["mentions"]
    found["quoted"] = np.bincount(row[words.quoted.take(at)], minlength=pairs.count)
    return found


def _totals(words: Words) -> tuple[tuple[str, ...], Ints, Ints]:
    """Return what is counted, and how often it is in each sentence and in each paragraph."""
    counted = _counted(words)
    size = int(words.sentence[-1]) + 1 if len(words.sentence) else 0
    bounds = np.append(words.sentence, size).take(words.first)
    totals = [np.bincount(words.sentence.take(at), minlength=size) for at in counted.values()]
    sentences = np.stack(totals)
    running = np.zeros((len(counted), size + 1), np.int64)
    np.cumsum(sentences, axis=1, out=running[:, 1:])
    paragraphs = running.take(bounds[1:], axis=1) - running.take(bounds[:-1], axis=1)
    return tuple(counted), sentences, paragraphs


def _counted(words: Words) -> dict[str, Ints]:
    """Return the words of each kind that is counted."""
    classed, sign = words.classed, words.sign.take(words.classed)
    serving = np.flatnonzero(words.functions & _COUNTED_FUNCTIONS > 0)
    functions = words.functions.take(serving)
    return {
        "positive": classed[sign > 0],
        "negative": classed[sign < 0],
        "plain": classed[sign == 0],
        "hypothetical": serving[functions & HYPOTHETICAL > 0],
        "concession": serving[functions & CONCESSION > 0],
        "negator": serving[functions & NEGATOR > 0],
        "first-person": serving[functions & FIRST_PERSON > 0],
        "question": np.flatnonzero(words.question),
        "sentences": np.flatnonzero(words.sentence_start),
        "others": words.mentions,
    }


def _by_row(ufunc: np.ufunc, values: NDArray[Any], row: Ints32, count: int, empty: int) -> Ints:
    """Reduce the values of each row, along the last axis; rows never decrease."""
    found = np.full((*values.shape[:-1], count), empty)
    starts = run_starts(row)
    if len(starts):
        found[..., row[starts]] = ufunc.reduceat(values, starts, axis=-1)
    return found


def _codes(counts: dict[str, Ints], pairs: Pairs) -> dict[str, Ints]:
    """Return the value of each feature set by its name."""
    share = np.ceil(4 * counts["sentences-here"] / np.maximum(counts["sentences"], 1))
    quoted, mentions = counts["quoted"], counts["mentions"]
    nearest_positive, nearest_negative = _nearest_signs(pairs)
    counted = _bucket(np.stack([counts[name] for name in _COUNTED]), _COUNTS)
    return dict(zip(_COUNTED, counted, strict=True)) | {
        "share": share.astype(np.int64),
        "opens": _opening(pairs),
        "quoted": np.where(quoted == 0, 0, np.where(quoted < mentions, 1, 2)),
        "nearest-positive": nearest_positive,
        "nearest-negative": nearest_negative,
        "balance": np.sign(counts["positive-here"] - counts["negative-here"]) + 1,
        "question": np.minimum(counts["question-here"], 1),
        "length": _bucket(pairs.first[1:] - pairs.first[:-1], _LENGTHS),
    }


def _opening(pairs: Pairs) -> Ints:
    """Return 2 where the actor is among the first five words, 1 in the first sentence, else 0."""
    opening = np.zeros(pairs.count, np.int64)
    row, word = pairs.owner, pairs.word.take(pairs.mention)
    start = pairs.words.first[pairs.para[row]]
    opening[row[pairs.words.sentence[word] == pairs.words.sentence[start]]] = 1
    opening[row[word - start < 5]] = 2
    return opening


def _nearest_signs(pairs: Pairs) -> tuple[Ints, Ints]:
    """Return the buckets of the distances to the nearest positive and negative word."""
    row, distance = pairs.classed.row, pairs.classed.distance
    sign = pairs.words.sign.take(pairs.classed.word)
    found = []
    for wanted in (np.flatnonzero(sign > 0), np.flatnonzero(sign < 0)):
        nearest = _by_row(np.minimum, distance[wanted], row[wanted], pairs.count, FAR)
        found.append(_bucket(np.minimum(nearest, FAR), _DISTANCES))
    return found[0], found[1]


_NAME_KEY = np.uint64(key_of("NAME"))
_REPORT_KEY = np.uint64(key_of("REPORT"))


@lru_cache(maxsize=8)
def _relation_book(categories: tuple[str, ...]) -> JointBook:
    fields = {
        "side": ["object", "subject"],
        "class": categories,
        "turned": ["", "NOT"],
        "near": ["", "next"],
        "role": ROLES,
        "sign": ["negative", "none", "positive"],
    }
    books = [
        ("relation", ["side", "class", "turned"]),
        ("relation near", ["side", "class", "turned", "near"]),
        ("relation role", ["side", "class", "turned", "role"]),
        ("relation sign", ["side", "sign", "role"]),
    ]
    return JointBook(fields, books)


def relation_block(reader: Reader, pairs: Pairs) -> list[Events]:
    """Categories just before (the actor is their object) and just after (their subject)."""
    if not len(pairs.mention):
        return []
    words = pairs.words
    near = pairs.surroundings
    classed = near.inside & (words.category.take(near.there) >= 0)
    # Steps away from the mention x sides x mentions, as far as no name stands between.
    sides = (np.s_[REACH - 1 :: -1], np.s_[REACH + 1 :])
    open_, hits = (
        np.stack([values[side] for side in sides], axis=1) for values in (~near.name, classed)
    )
    hits &= np.logical_and.accumulate(open_, axis=0)
    # In the order of the mentions.
    at, place = np.divmod(np.flatnonzero(hits.reshape(-1, len(near.at)).T), 2 * REACH)
    step, side = np.divmod(place, 2)
    word = near.at.take(at) + np.where(side > 0, step + 1, -step - 1)
    book = _relation_book(reader.lexicon.categories)
    placed = (step < 2, near.role[at], words.sign[word] + 1)
    code = book.encode(side, words.category[word], words.negated[word], *placed)
    return [Events(near.row[at], word, code=code, book=book), *_sequences(reader, pairs, near)]


def _sequences(reader: Reader, pairs: Pairs, near: Surroundings) -> list[Events]:
    """N-grams of the few words that carry a relation: classes, names, prepositions, negators."""
    words = pairs.words
    carries = (words.functions & (NEGATOR | PREPOSITION | REPORTING)) > 0
    carries |= (words.category >= 0) | words.name
    kept = np.flatnonzero(carries)
    category, who, sentence = (
        values.take(kept) for values in (words.category, words.who, words.sentence)
    )
    functions = words.functions.take(kept)
    symbol = np.full(len(kept), _REPORT_KEY)
    spelled = np.flatnonzero((functions > 0) & (functions & REPORTING == 0))
    symbol[spelled] = words.key.take(kept.take(spelled))
    classed = np.flatnonzero(category >= 0)
    categories = _category_keys(reader.lexicon.categories)
    turned = words.negated.take(kept.take(classed))
    symbol[classed] = categories.take(category.take(classed) * 2 + turned)
    symbol[words.name.take(kept)] = _NAME_KEY
    # Every mention is a name, so it is among the kept.
    centre = np.cumsum(carries, dtype=np.int32).take(near.at) - 1
    step = np.arange(-_LONGEST, _LONGEST + 1)[:, None]
    there = np.clip(centre + step, 0, len(kept) - 1)
    inside = (there == centre + step) & (sentence.take(there) == sentence.take(centre))
    named = who.take(there)
    own = np.where(named == who.take(centre), TARGET_KEY, OTHER_KEY)
    found = np.where(named >= 0, own, symbol.take(there))
    events = []
    for left, right in _SPANS:
        present = inside[_LONGEST - left] & inside[_LONGEST + right]
        parts = tuple(found[_LONGEST - left : _LONGEST + right + 1])
        events.append(Events(near.row, near.at, template="sequence", parts=parts, present=present))
    return events


_SPANS = ((1, 0), (2, 0), (3, 0), (0, 1), (0, 2), (0, 3), (1, 1), (2, 1), (1, 2))
"""Symbols left and right of the mention in a sequence."""

_LONGEST = 3


@lru_cache(maxsize=8)
def _category_keys(categories: tuple[str, ...]) -> Keys:
    return keys_of(category_terms(categories), "class:")


def category_terms(categories: tuple[str, ...]) -> list[str]:
    """Return how each category, plain and turned, is written in a sequence."""
    return [f"{turn}{name}" for name in categories for turn in ("+", "!")]
