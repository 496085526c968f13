"""Who does what to whom around a mention: the block `relation`."""

from functools import lru_cache

import numpy as np

from stance.features.events import Events, JointBook
from stance.features.layout import Pairs
from stance.features.reading import Reader
from stance.features.surroundings import OTHER_KEY, REACH, ROLES, TARGET_KEY, Surroundings
from stance.hashing import Keys, key_of
from stance.lexicon import NEGATOR, PREPOSITION, REPORTING

_NAME_KEY = np.uint64(key_of("NAME"))
_REPORT_KEY = np.uint64(key_of("REPORT"))

SYMBOLS = {int(_NAME_KEY): "NAME", int(_REPORT_KEY): "REPORT"}


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
    """Classes just before (the actor is their object) and just after (their subject)."""
    if not len(pairs.mention):
        return []
    words = pairs.words
    near = pairs.surroundings
    # Mentions x sides x steps away from the mention, as far as no name stands between.
    sides = (np.s_[REACH - 1 :: -1], np.s_[REACH + 1 :])
    there = np.stack([near.there[side].T for side in sides], axis=1)
    open_ = np.stack([(near.inside[side] & ~near.name[side]).T for side in sides], axis=1)
    open_ = np.logical_and.accumulate(open_, axis=2)
    at, side, step = np.nonzero(open_ & (words.category[there] >= 0))
    word = there[at, side, step]
    book = _relation_book(reader.lexicon.categories)
    code = book.encode(
        side,
        words.category[word],
        words.negated[word],
        step < 2,
        near.role[at],
        words.sign[word] + 1,
    )
    return [Events(near.row[at], word, code=code, book=book), *_sequences(reader, pairs, near)]


def _sequences(reader: Reader, pairs: Pairs, near: Surroundings) -> list[Events]:
    """N-grams of the few words that carry a relation: classes, names, prepositions, negators."""
    words = pairs.words
    carrying = (words.functions & (NEGATOR | PREPOSITION | REPORTING)) > 0
    kept = np.flatnonzero(carrying | (words.category >= 0) | words.name)
    category, who, sentence = words.category[kept], words.who[kept], words.sentence[kept]
    symbol = words.key[kept]
    np.copyto(symbol, _REPORT_KEY, where=words.functions[kept] & REPORTING > 0)
    classed = np.flatnonzero(category >= 0)
    categories = _category_keys(reader.lexicon.categories)
    symbol[classed] = categories[category[classed] * 2 + words.negated[kept[classed]]]
    np.copyto(symbol, _NAME_KEY, where=words.name[kept])
    centre = np.searchsorted(kept, near.at)  # every mention is a name, so it is among the kept
    step = np.arange(-_LONGEST, _LONGEST + 1)[:, None]
    there = np.clip(centre + step, 0, len(kept) - 1)
    inside = (there == centre + step) & (sentence[there] == sentence[centre])
    own = np.where(who[there] == who[centre], TARGET_KEY, OTHER_KEY)
    found = np.where(who[there] >= 0, own, symbol[there])
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
