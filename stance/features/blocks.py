"""Feature blocks over a whole batch of pairs; `fit` and `predict` share this one path.

Each block is a function ``(Reader, Pairs) -> list[Events]``.  What a block is for, and what it
was measured to add, stands in ``training/README.md``.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from stance.features.events import Codebook, Events
from stance.features.layout import FAR, OTHER, OTHER_KEY, PLAIN, TARGET, TARGET_KEY, Pairs, Reader
from stance.features.naming import mention_block
from stance.features.relations import relation_block
from stance.features.surroundings import Surroundings
from stance.hashing import Keys, key_of
from stance.tokens import Bools

DECAY = 4.0
"""Words after which a word's weight has halved: weight = 1 / (1 + distance / DECAY)."""

NOT_KEY, END_KEY, GAP_KEY = (np.uint64(key_of(name)) for name in ("NOT", "END", "..."))
NO_KEY = np.uint64(key_of(""))

SYMBOLS = {
    int(TARGET_KEY): "TARGET",
    int(OTHER_KEY): "OTHER",
    int(NOT_KEY): "NOT",
    int(END_KEY): "END",
    int(GAP_KEY): "...",
    int(NO_KEY): "",
}
"""Names of the keys that stand beside words in open features."""


def nearness(pairs: Pairs) -> np.ndarray:
    """Return the weight of each word: 1 at the actor, or everywhere where it is not named."""
    distance = np.where(pairs.distance >= FAR, 0, pairs.distance)
    return 1.0 / (1.0 + distance / DECAY)


def stem_block(reader: Reader, pairs: Pairs) -> list[Events]:
    """Stems, the nearer to the actor the heavier, marked after a negator."""
    words = pairs.words
    # Keys once per word of the paragraph; each actor's view of it only points to them.
    marks = np.append(np.where(words.negated, NOT_KEY, NO_KEY), [NO_KEY, NO_KEY])
    stems = np.append(reader.stem_keys().take(words.form), [TARGET_KEY, OTHER_KEY])
    place = pairs.word.copy()
    place[pairs.role == TARGET] = len(words.form)
    place[pairs.role == OTHER] = len(words.form) + 1
    return [
        Events(
            pairs.row,
            pairs.word,
            nearness(pairs),
            code=place,
            template="stem",
            parts=(marks, stems),
        )
    ]


def word_block(reader: Reader, pairs: Pairs) -> list[Events]:
    """Words and word pairs as spelled, blind to the actor: the baseline."""
    keys = reader.forms.columns["word"]
    words = keys.take(pairs.words.form).take(pairs.word)
    follows = np.flatnonzero(pairs.row[1:] == pairs.row[:-1])
    return [
        Events(pairs.row, pairs.word, template="word", parts=(words,)),
        Events(
            pairs.row[follows],
            pairs.word[follows],
            template="word",
            parts=(words[follows], words[follows + 1]),
        ),
    ]


LEFT, RIGHT = 3, 4
"""Reach of n-grams across the mention."""


def cross_block(reader: Reader, pairs: Pairs) -> list[Events]:
    """N-grams that contain the actor, with and without a gap; they end with the sentence."""
    if not len(pairs.mention):
        return []
    around = Surroundings(reader, pairs)
    row, word = around.row, around.at
    near: dict[int, Keys] = {0: np.full(len(word), TARGET_KEY)}
    inside: dict[int, Bools] = {0: np.ones(len(word), np.bool_)}
    for step in (*range(-1, -LEFT - 1, -1), *range(1, RIGHT + 1)):
        there, inside[step] = around.step(step)
        near[step] = np.where(inside[step], around.stem(there), END_KEY)
    events = []

    def emit(steps: tuple[int, ...], gap_before: int = 0, gap_after: int = 0) -> None:
        # The outermost word may be the sentence's end, but nothing lies beyond the end.
        outer = [s - 1 if s > 0 else s + 1 for s in (steps[0], steps[-1]) if s]
        use = np.logical_and.reduce([inside[s] for s in outer])
        if gap_before or gap_after:
            use &= np.logical_and.reduce([inside[s] for s in (steps[0], steps[-1])])
        kept = np.flatnonzero(use)
        parts = [near[s][kept] for s in steps]
        hole = np.full(len(kept), GAP_KEY)
        if gap_before:
            parts.insert(1, hole)
        if gap_after:
            parts.insert(len(parts) - 1, hole)
        events.append(Events(row[kept], word[kept], template="cross", parts=tuple(parts)))

    for reach in range(1, LEFT + 1):
        emit(tuple(range(-reach, 1)))
    for reach in range(1, RIGHT + 1):
        emit(tuple(range(0, reach + 1)))
    emit((-1, 0, 1))
    emit((-2, -1, 0, 1))
    emit((-1, 0, 1, 2))
    for reach in range(2, LEFT + 1):
        emit((-reach, 0), gap_before=1)
    for reach in range(2, RIGHT + 1):
        emit((0, reach), gap_after=1)
    return events


@lru_cache(maxsize=8)
def _class_books(categories: tuple[str, ...]) -> dict[str, Codebook]:
    turned = ["", "NOT"]
    side = ["", "before", "after"]
    near = ["near", "close", "off", "far", "nowhere"]
    same = ["", "same"]
    crossed = ["", "crossed"]
    quoted = ["", "quoted"]
    sign = ["negative", "none", "positive"]
    return {
        "class": Codebook("class", [categories, turned]),
        "placed": Codebook("class placed", [categories, turned, side, near]),
        "linked": Codebook("class linked", [categories, turned, same, crossed]),
        "quoted": Codebook("class quoted", [categories, turned, same, quoted]),
        "sign": Codebook("sign", [sign, side, near, same, crossed]),
        "total": Codebook("sign", [sign]),
    }


BUCKETS = (2, 5, 12)
"""Distances in words up to which a class is near, close, off."""


def class_block(reader: Reader, pairs: Pairs) -> list[Events]:
    """Lexicon classes by side, distance, sentence, quotation and names between."""
    words = pairs.words
    category = words.category.take(pairs.word)
    at = np.flatnonzero((category >= 0) & (pairs.role == PLAIN))
    row, word = pairs.row[at], pairs.word[at]
    category = category[at]
    turned = words.negated[word]
    distance = pairs.distance[at]
    named = distance < FAR
    side = np.where(named, np.where(pairs.before[at], 1, 2), 0)
    near = np.where(named, np.searchsorted(BUCKETS, distance, side="left"), len(BUCKETS) + 1)
    same, crossed = pairs.same[at], pairs.crossed[at]
    quoted = words.quoted[word]
    sign = words.sign[word] + 1
    books = _class_books(reader.lexicon.categories)
    coded = [
        (books["class"], (category, turned)),
        (books["placed"], (category, turned, side, near)),
        (books["linked"], (category, turned, same, crossed)),
        (books["quoted"], (category, turned, same, quoted)),
        (books["sign"], (sign, side, near, same, crossed)),
        (books["total"], (sign,)),
    ]
    return [Events(row, word, code=book.encode(*v), book=book) for book, v in coded]


def char_block(reader: Reader, pairs: Pairs) -> list[Events]:
    """Character n-grams of 2 to 5 inside words, weighted like the words."""
    pointer, grams = reader.characters()
    at = np.flatnonzero(pairs.role == PLAIN)
    form = pairs.words.form.take(pairs.word[at])
    counts = pointer[form + 1] - pointer[form]
    index = np.repeat(pointer[form] - (np.cumsum(counts) - counts), counts)
    index += np.arange(len(index))
    spread = np.repeat(at, counts)
    return [
        Events(
            pairs.row[spread],
            pairs.word[spread],
            nearness(pairs)[spread],
            template="char",
            parts=(grams[index],),
        )
    ]


def name_block(reader: Reader, pairs: Pairs) -> list[Events]:
    """Name the actor: learns that some actor is usually criticised, so it is off by default."""
    keys = np.array([key_of("actor:" + name) for name in (*reader.book.names, "?")], np.uint64)
    row = np.arange(pairs.count)
    nowhere = np.full(pairs.count, -1)
    return [Events(row, nowhere, template="name", parts=(keys[pairs.actor],))]


BLOCKS: dict[str, Callable[[Reader, Pairs], list[Events]]] = {
    "stem": stem_block,
    "cross": cross_block,
    "class": class_block,
    "relation": relation_block,
    "mention": mention_block,
    "char": char_block,
    "name": name_block,
    "word": word_block,
}
"""Every block by the name under which a recipe weighs it."""

LEXICAL = ("stem", "char", "word")
"""Blocks whose features are words: where none of them is known, the model knows nothing."""
