"""Who does what to whom around a mention: roles, and the block `relation`."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from stance.features.events import Codebook, Events
from stance.features.layout import OTHER_KEY, TARGET_KEY, Pairs, Reader
from stance.features.surroundings import Surroundings
from stance.hashing import Keys, key_of
from stance.lexicon import HYPOTHETICAL, NEGATOR, PREPOSITION, REPORTING

REACH = 4
"""Words before and after a mention in which a class is its object or its subject."""

ROLES = (
    "speaker",
    "agent",
    "possessive",
    "compound",
    "place",
    "list",
    "prepositional",
    "subject",
    "object",
    "other",
)
"""Grammatical roles of a mention, by surface signs; the first that fits counts."""

_PLACES = ("in", "at", "near", "across", "inside", "into", "outside", "throughout", "from", "to")
_DETERMINERS = ("the", "a", "an", "this", "that", "all")

_NAME_KEY = np.uint64(key_of("NAME"))
_REPORT_KEY = np.uint64(key_of("REPORT"))

SYMBOLS = {int(_NAME_KEY): "NAME", int(_REPORT_KEY): "REPORT"}


def _key_set(*words: str) -> Keys:
    return np.array([key_of(word) for word in words], np.uint64)


def mention_roles(reader: Reader, pairs: Pairs) -> NDArray[np.int8]:
    """Return the role (index into `ROLES`) of each mention of the actor judged."""
    near = Surroundings(reader, pairs)
    word = near.at
    words = pairs.words
    determined = np.isin(near.key(-1), _key_set(*_DETERMINERS))
    back = np.where(determined, -2, -1)
    previous = near.key(back)
    conjunction = _key_set("and", "or")
    joined = np.isin(near.key(-1), conjunction) & near.named(-2)
    joined |= np.isin(near.key(1), conjunction) & near.named(2)
    demonym = words.alias_kind[word] == 1
    starts = ~near.step(-1)[1]
    tests = (
        near.has(1, REPORTING) & ~demonym | near.has(-1, REPORTING),
        previous == np.uint64(key_of("by")),
        words.possessive[word],
        demonym & near.lowercase(1) & ~near.has(1, PREPOSITION),
        np.isin(previous, _key_set(*_PLACES)),
        joined,
        near.has(back, PREPOSITION),
        starts | near.has(1, HYPOTHETICAL),
        near.lowercase(back),
    )
    role = np.full(len(near.at), len(ROLES) - 1, np.int8)
    for number in range(len(tests) - 1, -1, -1):
        role[tests[number]] = number
    return role


@lru_cache(maxsize=8)
def _relation_books(categories: tuple[str, ...]) -> dict[str, Codebook]:
    turned = ["", "NOT"]
    sides = ["object", "subject"]
    sign = ["negative", "none", "positive"]
    near = ["", "next"]
    return {
        "relation": Codebook("relation", [sides, categories, turned]),
        "near": Codebook("relation near", [sides, categories, turned, near]),
        "role": Codebook("relation role", [sides, categories, turned, ROLES]),
        "sign": Codebook("relation sign", [sides, sign, ROLES]),
    }


def relation_block(reader: Reader, pairs: Pairs) -> list[Events]:
    """Classes just before (the actor is their object) and just after (their subject)."""
    if not len(pairs.mention):
        return []
    near = Surroundings(reader, pairs)
    roles = mention_roles(reader, pairs)
    words = pairs.words
    books = _relation_books(reader.lexicon.categories)
    events = []
    for side, direction in ((0, -1), (1, 1)):
        open_ = np.ones(len(near.at), np.bool_)
        for step in range(1, REACH + 1):
            word, inside = near.step(direction * step)
            open_ &= inside & ~words.name[word]
            use = np.flatnonzero(open_ & (words.category[word] >= 0))
            word, row, role = word[use], near.row[use], roles[use]
            category, turned = words.category[word], words.negated[word]
            sides = np.full(len(use), side)
            adjacent = np.full(len(use), step <= 2)
            for name, values in (
                ("relation", (sides, category, turned)),
                ("near", (sides, category, turned, adjacent)),
                ("role", (sides, category, turned, role)),
                ("sign", (sides, words.sign[word] + 1, role)),
            ):
                book = books[name]
                events.append(Events(row, word, code=book.encode(*values), book=book))
    return events + _sequences(reader, pairs)


def _sequences(reader: Reader, pairs: Pairs) -> list[Events]:
    """N-grams of the few words that carry a relation: classes, names, prepositions, negators."""
    words = pairs.words
    forms = reader.forms
    functions = forms.columns["functions"].take(words.form)
    symbol = np.zeros(len(words.form), np.uint64)
    telling = (functions & (NEGATOR | PREPOSITION)) > 0
    lower = forms.columns["word"].take(words.form)
    symbol[telling] = lower[telling]
    symbol[(functions & REPORTING) > 0] = _REPORT_KEY
    categories = _category_keys(reader.lexicon.categories)
    classed = words.category >= 0
    symbol[classed] = categories[words.category[classed] * 2 + words.negated[classed]]
    symbol[words.name] = _NAME_KEY
    kept = np.flatnonzero(symbol)
    symbol, who, sentence = symbol[kept], words.who[kept], words.sentence[kept]
    mention = pairs.word[pairs.mention]
    row = pairs.row[pairs.mention]
    at = np.searchsorted(kept, mention)  # every mention is a name, so it is among the kept words
    events = []
    for left, right in _SPANS:
        low, high = at - left, at + right
        inside = (low >= 0) & (high < len(kept))
        low, high = np.maximum(low, 0), np.minimum(high, len(kept) - 1)
        inside &= (sentence[low] == sentence[at]) & (sentence[high] == sentence[at])
        use = np.flatnonzero(inside)
        centre = at[use]
        parts = []
        for step in range(-left, right + 1):
            there = centre + step
            own = np.where(who[there] == who[centre], TARGET_KEY, OTHER_KEY)
            parts.append(np.where(who[there] >= 0, own, symbol[there]))
        events.append(Events(row[use], mention[use], template="sequence", parts=tuple(parts)))
    return events


_SPANS = ((1, 0), (2, 0), (3, 0), (0, 1), (0, 2), (0, 3), (1, 1), (2, 1), (1, 2))
"""Symbols left and right of the mention in a sequence."""


@lru_cache(maxsize=8)
def _category_keys(categories: tuple[str, ...]) -> Keys:
    terms = category_terms(categories)
    return np.array([key_of("class:" + term) for term in terms], np.uint64)


def category_terms(categories: tuple[str, ...]) -> list[str]:
    """Return how each category, plain and turned, is written in a sequence."""
    return [f"{turn}{name}" for name in categories for turn in ("+", "!")]
