"""Who does what to whom around a mention: the blocks `relation` and `mention`."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from stance.events import Codebook, Events
from stance.hashing import Keys, key_of
from stance.layout import FAR, OTHER, OTHER_KEY, PLAIN, TARGET, TARGET_KEY, Pairs, Reader
from stance.lexicon import (
    CONCESSION,
    FIRST_PERSON,
    HYPOTHETICAL,
    NEGATOR,
    PREPOSITION,
    REPORTING,
)
from stance.tokens import Bools, Ints

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


class _Neighbours:
    """Words around every mention, looked up by step; outside the sentence there is nothing."""

    def __init__(self, reader: Reader, pairs: Pairs) -> None:
        words = pairs.words
        self.pairs = pairs
        self.at = pairs.mention
        self.sentence = words.sentence.take(pairs.word)
        self.lower = reader.forms.columns["word"]
        self.functions = reader.forms.columns["functions"].take(words.form)
        self.capital = reader.forms.capital.take(words.form)

    def step(self, by: int | NDArray[np.int64]) -> tuple[Ints, Bools]:
        """Return the entry ``by`` words away and whether it is in the sentence."""
        there = np.clip(self.at + by, 0, len(self.sentence) - 1)
        inside: Bools = (there == self.at + by) & (self.sentence[there] == self.sentence[self.at])
        inside &= self.pairs.row[there] == self.pairs.row[self.at]  # pairs may share a sentence
        return there, inside

    def key(self, by: int | NDArray[np.int64]) -> Keys:
        there, inside = self.step(by)
        keys = self.lower.take(self.pairs.words.form.take(self.pairs.word[there]))
        return np.where(inside, keys, np.uint64(0))

    def has(self, by: int | NDArray[np.int64], bits: int) -> Bools:
        there, inside = self.step(by)
        found: Bools = inside & ((self.functions[self.pairs.word[there]] & bits) > 0)
        return found

    def named(self, by: int | NDArray[np.int64]) -> Bools:
        there, inside = self.step(by)
        found: Bools = inside & self.pairs.words.name[self.pairs.word[there]]
        return found

    def lowercase(self, by: int | NDArray[np.int64]) -> Bools:
        there, inside = self.step(by)
        found: Bools = inside & ~self.capital[self.pairs.word[there]]
        return found


def mention_roles(reader: Reader, pairs: Pairs) -> NDArray[np.int8]:
    """Return the role (index into `ROLES`) of each mention of the actor judged."""
    near = _Neighbours(reader, pairs)
    word = pairs.word[near.at]
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
    near = _Neighbours(reader, pairs)
    roles = mention_roles(reader, pairs)
    words = pairs.words
    books = _relation_books(reader.lexicon.categories)
    events = []
    for side, direction in ((0, -1), (1, 1)):
        open_ = np.ones(len(near.at), np.bool_)
        for step in range(1, REACH + 1):
            there, inside = near.step(direction * step)
            open_ &= inside & ~words.name[pairs.word[there]]
            word = pairs.word[there]
            use = np.flatnonzero(open_ & (words.category[word] >= 0))
            word, row, role = word[use], pairs.row[near.at[use]], roles[use]
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
    symbols = symbol.take(pairs.word)
    symbols[pairs.role == OTHER] = OTHER_KEY
    symbols[pairs.role == TARGET] = TARGET_KEY
    kept = np.flatnonzero(symbols)
    symbols, word = symbols[kept], pairs.word[kept]
    sentence = words.sentence.take(word)
    row = pairs.row[kept]
    at = np.flatnonzero(symbols == TARGET_KEY)
    events = []
    for reach_left, reach_right in (
        (1, 0),
        (2, 0),
        (3, 0),
        (0, 1),
        (0, 2),
        (0, 3),
        (1, 1),
        (2, 1),
        (1, 2),
    ):
        low, high = at - reach_left, at + reach_right
        use = (low >= 0) & (high < len(symbols))
        centre, low, high = at[use], low[use], high[use]
        same = (sentence[low] == sentence[centre]) & (sentence[high] == sentence[centre])
        same &= (row[low] == row[centre]) & (row[high] == row[centre])
        centre = centre[same]
        parts = tuple(symbols[centre + s] for s in range(-reach_left, reach_right + 1))
        events.append(Events(row[centre], word[centre], template="sequence", parts=parts))
    return events


@lru_cache(maxsize=8)
def _category_keys(categories: tuple[str, ...]) -> Keys:
    terms = category_terms(categories)
    return np.array([key_of("class:" + term) for term in terms], np.uint64)


def category_terms(categories: tuple[str, ...]) -> list[str]:
    """Return how each category, plain and turned, is written in a sequence."""
    return [f"{turn}{name}" for name in categories for turn in ("+", "!")]


_DISTANCES = (1, 2, 4, 8, 16)
_COUNTS = (0, 1, 2, 3, 5)


def _bucket(values: Ints, edges: tuple[int, ...]) -> Ints:
    return np.searchsorted(edges, values, side="left").astype(np.int64)


def _labels(name: str, edges: tuple[int, ...]) -> list[str]:
    return [f"{name}<={edge}" for edge in edges] + [f"{name}>{edges[-1]}"]


@lru_cache(maxsize=1)
def _mention_books() -> dict[str, Codebook]:
    counts = {
        name: Codebook("mention", [_labels(name, _COUNTS)])
        for name in (
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
    }
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
    words, row, word = pairs.words, pairs.row, pairs.word
    count = pairs.count
    target = pairs.role == TARGET
    sign = words.sign.take(word)
    functions = reader.forms.columns["functions"].take(words.form).take(word)
    sentence = words.sentence.take(word)
    here = _in_target_sentences(target, sentence, row)
    plain = (words.category.take(word) >= 0) & (sign == 0)

    def total(flags: Bools) -> Ints:
        return np.bincount(row[flags], minlength=count)

    mentions = total(target)
    counts = {
        "mentions": mentions,
        "others": total(pairs.role == OTHER),
        "positive-here": total(here & (sign > 0)),
        "negative-here": total(here & (sign < 0)),
        "positive": total(sign > 0),
        "negative": total(sign < 0),
        "plain-here": total(here & plain),
        "first-person": total((functions & FIRST_PERSON) > 0),
        "hypothetical-here": total(here & ((functions & HYPOTHETICAL) > 0)),
        "concession-here": total(here & ((functions & CONCESSION) > 0)),
        "negator-here": total(here & ((functions & NEGATOR) > 0)),
    }
    starts = words.sentence_start.take(word)
    sentences = np.maximum(total(starts), 1)
    share = np.ceil(4 * total(starts & here) / sentences).astype(np.int64)
    quoted = total(target & words.quoted.take(word))
    length = pairs.first[1:] - pairs.first[:-1]
    balance = np.sign(counts["positive-here"] - counts["negative-here"]) + 1
    codes: dict[str, Ints] = {name: _bucket(value, _COUNTS) for name, value in counts.items()}
    codes |= {
        "share": share,
        "opens": _opening(pairs, sentence),
        "quoted": np.where(quoted == 0, 0, np.where(quoted < mentions, 1, 2)),
        "nearest-positive": _nearest_sign(pairs, sign > 0),
        "nearest-negative": _nearest_sign(pairs, sign < 0),
        "balance": balance,
        "question": (total(here & words.question.take(word)) > 0).astype(np.int64),
        "length": _bucket(length, (15, 30, 60, 120)),
    }
    books = _mention_books()
    rows, nowhere = np.arange(count), np.full(count, -1)
    events = [Events(rows, nowhere, code=code, book=books[name]) for name, code in codes.items()]
    if len(pairs.mention):
        roles = mention_roles(reader, pairs).astype(np.int64)
        at = pairs.mention
        events.append(Events(row[at], word[at], code=roles, book=books["role"]))
    return events


def _in_target_sentences(target: Bools, sentence: Ints, row: Ints) -> Bools:
    """Return which entries stand in a sentence of their pair that names the actor."""
    if not len(row):
        return target
    change = np.append(True, (sentence[1:] != sentence[:-1]) | (row[1:] != row[:-1]))
    group = np.cumsum(change) - 1
    found: Bools = np.bincount(group, weights=target)[group] > 0
    return found


def _opening(pairs: Pairs, sentence: Ints) -> Ints:
    """Return 2 where the actor is among the first five words, 1 in the first sentence, else 0."""
    opening = np.zeros(pairs.count, np.int64)
    at = pairs.mention
    row = pairs.row[at]
    start = pairs.first[row]
    opening[row[sentence[at] == sentence[start]]] = 1
    opening[row[at - start < 5]] = 2
    return opening


def _nearest_sign(pairs: Pairs, flags: Bools) -> Ints:
    """Return the bucket of the distance from the actor to the nearest flagged word."""
    nearest = np.full(pairs.count, FAR, np.int64)
    at = np.flatnonzero(flags & (pairs.role == PLAIN))
    np.minimum.at(nearest, pairs.row[at], pairs.distance[at])
    return _bucket(nearest, _DISTANCES)
