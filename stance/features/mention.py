"""How a paragraph names an actor, and who does what to whom around it: two blocks."""

import numpy as np

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
from stance.features.pairs import FAR, REACH, ROLES, Pairs, Surroundings
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
    values, rows, nowhere = _values(pairs), np.arange(pairs.count), np.full(pairs.count, -1)
    numbers = _VALUE_SETS.encode([[values[name]] for name in _VALUES])
    occurrences = [Occurrences(rows, nowhere, numbers, vocabulary=_VALUE_SETS)]
    if len(pairs.mention):
        near = pairs.surroundings
        occurrences.append(Occurrences(near.row, near.at, near.role, vocabulary=_ROLES))
    return occurrences


def _values(pairs: Pairs) -> dict[str, Ints]:
    """Return the value of each feature set by its name."""
    counts = _counts(pairs)
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


def _counts(pairs: Pairs) -> dict[str, Ints]:
    """Count words per pair: in the paragraph and, as -here, in sentences that name the actor."""
    words, row, mention = pairs.words, pairs.owner, pairs.word.take(pairs.mention)
    sentence, counts = words.sentence.take(mention), dict[str, Ints]()
    once = np.flatnonzero(np.diff(sentence, prepend=-1) | np.diff(row, prepend=-1))
    here, sentence = row.take(once), sentence.take(once)
    for name, (of_sentences, of_paragraphs) in words.once(_totals).items():
        counts[name] = of_paragraphs.take(pairs.para)
        sums = np.bincount(here, of_sentences.take(sentence), pairs.count)
        counts[f"{name}-here"] = sums.astype(np.int64)
    counts["mentions"] = np.bincount(row, minlength=pairs.count)
    counts["others"] -= counts["mentions"]
    counts["quoted"] = np.bincount(row[words.quoted.take(mention)], minlength=pairs.count)
    return counts


def _totals(words: Words) -> dict[str, tuple[Ints, Ints]]:
    """Return how many words of each kind are in each sentence and in each paragraph."""
    classed, sign = words.classed, words.sign.take(words.classed)
    serving = np.flatnonzero(words.functions & _COUNTED_FUNCTIONS > 0)
    functions = words.functions.take(serving)
    counted = {
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
    sizes = int(words.sentence.max(initial=-1)) + 1, len(words)
    where = zip((words.sentence, words.para), sizes, strict=True)
    columns = [
        [np.bincount(places.take(chosen), minlength=size) for chosen in counted.values()]
        for places, size in where
    ]
    return dict(zip(counted, zip(*columns, strict=True), strict=True))


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
    nearest = np.full((2, pairs.count), FAR)
    for least, wanted in zip(nearest, (sign > 0, sign < 0), strict=True):
        np.minimum.at(least, row[wanted], distance[wanted])
    positive, negative = _bucket(nearest, _DISTANCES)
    return positive, negative


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
    entry, place = np.divmod(np.flatnonzero(hits.reshape(-1, len(near.at)).T), 2 * REACH)
    step, side = np.divmod(place, 2)
    word = near.at.take(entry) + np.where(side > 0, step + 1, -step - 1)
    category, turned, role = words.category[word], words.negated[word], near.role[entry]
    fields = [
        (side, category, turned),
        (side, category, turned, step < 2),
        (side, category, turned, role),
        (side, words.sign[word] + 1, role),
    ]
    made = reader.once(_relation_vocabulary, reader)
    classes = Occurrences(near.row[entry], word, made.encode(fields), vocabulary=made)
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
    symbols = np.where(named >= 0, mark, symbol.take(there))
    sequences = []
    for left, right in _SPANS:
        present = inside[_LONGEST - left] & inside[_LONGEST + right]
        sequences.append((present, [*symbols[_LONGEST - left : _LONGEST + right + 1]]))
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
