"""Who does what to whom around a mention: the block `relation`."""

from functools import lru_cache

import numpy as np

from stance.arrays import Keys
from stance.features.events import Events, JointBook
from stance.features.pairs import OTHER_KEY, REACH, ROLES, TARGET_KEY, Pairs, Surroundings
from stance.reading.keys import key_of
from stance.reading.lexicon import NEGATOR, PREPOSITION, REPORTING
from stance.reading.words import Reader

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
    reporting = words.functions.take(kept) & REPORTING > 0
    symbol = np.where(reporting, _REPORT_KEY, words.key.take(kept))
    classed = np.flatnonzero(category >= 0)
    categories = _category_keys(reader.lexicon.categories)
    turned = words.negated.take(kept.take(classed))
    symbol[classed] = categories.take(category.take(classed) * 2 + turned)
    symbol = np.where(words.name.take(kept), _NAME_KEY, symbol)
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
    terms = category_terms(categories)
    return np.array([key_of("class:" + term) for term in terms], np.uint64)


def category_terms(categories: tuple[str, ...]) -> list[str]:
    """Return how each category, plain and turned, is written in a sequence."""
    return [f"{turn}{name}" for name in categories for turn in ("+", "!")]
