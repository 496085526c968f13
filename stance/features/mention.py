"""How a paragraph names an actor, and who does what to whom around it: two blocks."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.arrays import Ints, Keys
from stance.features.occurrences import (
    NAME_KEY,
    OTHER_KEY,
    REPORT_KEY,
    TARGET_KEY,
    Closed,
    Occurrences,
    category_terms,
)
from stance.features.pairs import FAR, REACH, ROLES, Pairs, Surroundings, run_starts
from stance.reading.keys import keys_of
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

_VALUE_SETS = Closed(*(("mention", [labels]) for labels in _VALUES.values()))
_ROLES = Closed(("mention role", [ROLES]))


def mention_block(reader: Reader, pairs: Pairs) -> list[Occurrences]:
    """How an actor is named: separates passing mentions from those a stance is about."""
    values = _values(_counts(pairs), pairs)
    rows, nowhere = np.arange(pairs.count), np.full(pairs.count, -1)
    numbers = _VALUE_SETS.encode([[values[name]] for name in _VALUES])
    found = [Occurrences(rows, nowhere, numbers, vocabulary=_VALUE_SETS)]
    if len(pairs.mention):
        near = pairs.surroundings
        found.append(Occurrences(near.row, near.at, near.role, vocabulary=_ROLES))
    return found


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


def _by_row(ufunc: np.ufunc, values: NDArray[Any], row: Ints, count: int, empty: int) -> Ints:
    """Reduce the values of each row, along the last axis; rows never decrease."""
    found = np.full((*values.shape[:-1], count), empty)
    starts = run_starts(row)
    if len(starts):
        found[..., row[starts]] = ufunc.reduceat(values, starts, axis=-1)
    return found


def _values(counts: dict[str, Ints], pairs: Pairs) -> dict[str, Ints]:
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


def relation_block(reader: Reader, pairs: Pairs) -> list[Occurrences]:
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
    category, turned, role = words.category[word], words.negated[word], near.role[at]
    fields = [
        (side, category, turned),
        (side, category, turned, step < 2),
        (side, category, turned, role),
        (side, words.sign[word] + 1, role),
    ]
    made = reader.once(_relation_vocabulary, reader)
    classes = Occurrences(near.row[at], word, made.encode(fields), vocabulary=made)
    return [classes, _sequences(reader, pairs, near)]


def _relation_vocabulary(reader: Reader) -> Closed:
    side, turned, category = ["object", "subject"], ["", "NOT"], reader.lexicon.categories
    return Closed(
        ("relation", [side, category, turned]),
        ("relation near", [side, category, turned, ["", "next"]]),
        ("relation role", [side, category, turned, ROLES]),
        ("relation sign", [side, ["negative", "none", "positive"], ROLES]),
    )


def _sequences(reader: Reader, pairs: Pairs, near: Surroundings) -> Occurrences:
    """N-grams of the few words that carry a relation: classes, names, prepositions, negators."""
    words = pairs.words
    kept, symbol = words.once(_symbols, reader)
    who, sentence = words.who.take(kept), words.sentence.take(kept)
    centre = np.searchsorted(kept, near.at)  # every mention is a name, so it is among the kept
    step = np.arange(-_LONGEST, _LONGEST + 1)[:, None]
    there = np.clip(centre + step, 0, len(kept) - 1)
    inside = (there == centre + step) & (sentence.take(there) == sentence.take(centre))
    named = who.take(there)
    mark = np.where(named == who.take(centre), TARGET_KEY, OTHER_KEY)
    found = np.where(named >= 0, mark, symbol.take(there))
    sequences = []
    for left, right in _SPANS:
        present = inside[_LONGEST - left] & inside[_LONGEST + right]
        sequences.append((present, [*found[_LONGEST - left : _LONGEST + right + 1]]))
    return Occurrences.open("sequence", near.row, near.at, sequences)


def _symbols(words: Words, reader: Reader) -> tuple[Ints, Keys]:
    """Return the words that carry a relation, and what stands for each in a sequence."""
    carries = (words.functions & (NEGATOR | PREPOSITION | REPORTING)) > 0
    kept = np.flatnonzero(carries | (words.category >= 0) | words.name)
    functions, category = words.functions.take(kept), words.category.take(kept)
    symbol = np.full(len(kept), REPORT_KEY)
    spelled = np.flatnonzero((functions > 0) & (functions & REPORTING == 0))
    symbol[spelled] = words.column("function key", kept.take(spelled))
    classed = np.flatnonzero(category >= 0)
    turned = words.negated.take(kept.take(classed))
    categories = reader.once(_category_keys, reader)
    symbol[classed] = categories.take(category.take(classed) * 2 + turned)
    symbol[words.name.take(kept)] = NAME_KEY
    return kept, symbol


_SPANS = ((1, 0), (2, 0), (3, 0), (0, 1), (0, 2), (0, 3), (1, 1), (2, 1), (1, 2))
"""Symbols left and right of the mention in a sequence."""

_LONGEST = 3


def _category_keys(reader: Reader) -> Keys:
    return keys_of(category_terms(reader.lexicon.categories), "class:")
