"""The feature blocks over a whole batch of pairs; `fit` and `predict` share this one path.

Each block is a function ``(Reader, Pairs) -> list[Events]``; ``training/README.md`` says what each
was measured to add.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.arrays import Bools, Ints, Ints32, Keys
from stance.features.events import Events, FormBook, JointBook, LetterBook, Parts
from stance.features.mention import category_terms, mention_block, relation_block
from stance.features.pairs import (
    OTHER_KEY,
    REACH,
    TARGET_KEY,
    Pairs,
    entries,
    named_beside,
    stretches,
)
from stance.reading.forms import Forms
from stance.reading.keys import join_keys, key_of, keys_of
from stance.reading.words import NOBODY, Reader, Words

NOT_KEY, END_KEY, GAP_KEY = (np.uint64(key_of(name)) for name in ("NOT", "END", "..."))
NO_KEY = np.uint64(key_of(""))


def symbols(reader: Reader) -> dict[int, str]:
    """Return the strings of the keys that stand beside words in open features."""
    marks = ("TARGET", "OTHER", "NOT", "END", "...", "", "NAME", "REPORT")
    names = {key_of(mark): mark for mark in marks}
    names |= {key_of("actor:" + name): name for name in (*reader.book.names, "?")}
    terms = category_terms(reader.lexicon.categories)
    return names | {key_of("class:" + term): term for term in terms}


_OTHER, _TARGET, _STEMS = 0, 1, 2
"""Numbers of the features of `stem`: two of mentions, then two per form, plain and negated."""

_MENTIONS, _MARKS = np.array([OTHER_KEY, TARGET_KEY]), np.array([NO_KEY, NOT_KEY])


def stem_features(name: str, stems: Keys) -> Keys:
    """Return the keys of stems that are not negated, as features of `stem` or `plain`."""
    return join_keys(key_of(name), np.full(len(stems), NO_KEY), stems)


class _StemBook(FormBook):
    """Stems, with nothing kept beside those that the forms have."""

    def __len__(self) -> int:
        return _STEMS + 2 * len(self._stems)

    def update(self, forms: Forms) -> None:
        self.generation, self._stems = forms.generation, forms.columns["stem"]

    def parts_of(self, numbers: NDArray[Any]) -> Parts:
        form = (numbers - _STEMS) >> 1
        plain = form >= 0
        stems = np.empty(len(form), np.uint64)
        stems[plain] = self._stems.take(form[plain])  # none if no text had a word yet
        stems[~plain] = _MENTIONS.take(numbers[~plain])
        marks = _MARKS.take((numbers & 1) * plain)
        return marks, stems


_stem_book, _plain_book = partial(_StemBook, "stem"), partial(_StemBook, "plain")


def stem_block(reader: Reader, pairs: Pairs) -> list[Events]:
    """Stems, heavier near the actor, marked after a negator."""
    weight = pairs.nearness() if len(pairs.mention) else None
    # Once per word of the paragraph, whichever actor is judged; the last entry is the actor's.
    code, word = pairs.words.once(_stem_codes), pairs.word
    book, own = reader.table(_stem_book), pairs.mention
    return [Events(pairs.row, word, weight, code=code, book=book, spread=word, own=own)]


def plain_block(reader: Reader, pairs: Pairs) -> list[Events]:
    """Stems wherever they stand in the paragraph, marked after a negator."""
    words, book = pairs.words, reader.table(_plain_book)
    at = np.flatnonzero(words.who == NOBODY)
    code = words.once(_stem_codes).take(at)
    row, which = entries(words, words.mentions, pairs.para, pairs.first)[1:]
    named = words.mentions.take(which)
    del which  # a paragraph may be as long as a book
    mine = words.who.take(named) == pairs.actor.take(row)
    own = np.where(mine, np.int8(_TARGET), np.int8(_OTHER))
    return [
        Events(words.para.take(at), at, code=code, book=book, of=pairs.para),
        Events(row, named, code=own, book=book),
    ]


def _stem_codes(words: Words) -> Ints32:
    """Return the number of each word's stem in `stem` and `plain`, and last the actor's."""
    code = np.full(len(words.form) + 1, _TARGET, np.int32)
    np.multiply(words.form, 2, out=code[:-1], casting="same_kind")
    code[:-1] += words.negated
    code[:-1] += _STEMS
    code[words.mentions] = _OTHER
    return code


def word_block(reader: Reader, pairs: Pairs) -> list[Events]:
    """Words and word pairs as spelled, blind to the actor: the baseline."""
    row, word = pairs.row, pairs.word
    keys = pairs.words.key.take(word)
    follows = np.flatnonzero(row[1:] == row[:-1])
    both = (keys[:-1], keys[1:])
    return [
        Events(row, word, template="word", parts=(keys,)),
        Events(row.take(follows), word.take(follows), template="word", parts=both, code=follows),
    ]


LEFT, RIGHT = 3, 4
"""Reach of n-grams across the mention."""

_RUNS = (
    *((-reach, 0) for reach in range(1, LEFT + 1)),
    *((0, reach) for reach in range(1, RIGHT + 1)),
    *((-1, 1), (-2, 1), (-1, 2)),
)
"""First and last step of the n-grams without a gap."""

_SKIPS = (*range(-LEFT, -1), *range(2, RIGHT + 1))
"""Steps to the word that forms a skip-gram with the actor."""


def cross_block(reader: Reader, pairs: Pairs) -> list[Events]:
    """N-grams that contain the actor, with and without a gap; they end with the sentence."""
    if not len(pairs.mention):
        return []
    around = pairs.surroundings
    near = np.where(around.inside, around.stems(), END_KEY)
    found: list[tuple[Bools, Sequence[Keys]]] = []
    for low, high in _RUNS:
        # The outermost word may be the sentence's end, but nothing lies beyond the end.
        present = around.inside[REACH + min(low + 1, 0)] & around.inside[REACH + max(high - 1, 0)]
        found.append((present, [*near[REACH + low : REACH + high + 1]]))
    hole = np.full(len(around.at), GAP_KEY)
    for step in _SKIPS:
        parts = [near[REACH + step], hole, near[REACH]]
        found.append((around.inside[REACH + step], parts if step < 0 else parts[::-1]))
    return [
        Events(around.row, around.at, template="cross", parts=tuple(parts), present=present)
        for present, parts in found
    ]


BUCKETS = (2, 5, 12)  # distances in words up to which a category is near, close, off


@lru_cache(maxsize=8)
def _class_book(categories: tuple[str, ...]) -> JointBook:
    fields = {
        "class": categories,
        "turned": ["", "NOT"],
        "sign": ["negative", "none", "positive"],
        "quoted": ["", "quoted"],
        # The fields above depend on the word alone, those below also on the actor.
        "side": ["", "before", "after"],
        "near": ["near", "close", "off", "far", "nowhere"],
        "same": ["", "same"],
        "crossed": ["", "crossed"],
    }
    books = [
        ("class", ["class", "turned"]),
        ("class placed", ["class", "turned", "side", "near"]),
        ("class linked", ["class", "turned", "same", "crossed"]),
        ("class quoted", ["class", "turned", "same", "quoted"]),
        ("sign", ["sign", "side", "near", "same", "crossed"]),
        ("sign", ["sign"]),
    ]
    return JointBook(fields, books)


def class_block(reader: Reader, pairs: Pairs) -> list[Events]:
    """Lexicon categories by side, distance, sentence, quotation and names between."""
    words, classed = pairs.words, pairs.classed
    book = _class_book(reader.lexicon.categories)
    alone = words.once(_class_codes, book)
    side = np.where(classed.named, 2 - classed.before, 0)
    passed = sum(classed.distance > limit for limit in BUCKETS)
    near = np.where(classed.named, passed, len(BUCKETS) + 1)
    code = book.go_on(alone.take(classed.which), side, near, classed.same, classed.crossed)
    return [Events(classed.row, classed.word, code=code, book=book)]


def _class_codes(words: Words, book: JointBook) -> Ints:
    """Return the numbers of the fields that do not depend on the actor, by word with a category."""
    fields = (words.category, words.negated, words.sign + 1, words.quoted)
    return book.encode(*(values.take(words.classed) for values in fields))


STRETCH, FARTHEST = 4, 3
"""Words per step of distance in `rival`, and the last step."""


@lru_cache(maxsize=8)
def _rival_book(categories: tuple[str, ...]) -> JointBook:
    fields = {
        "class": categories,
        "turned": ["", "NOT"],
        # The fields above depend on the word alone, those below also on the actor.
        "left": ["", "after-it", "after-other"],
        "right": ["", "before-it", "before-other"],
        "step": [f"step{step}" for step in range(FARTHEST + 1)],
        "nearest": ["other-nearer", "nearest"],
        "same": ["", "same"],
    }
    books = [
        ("rival", ["class", "turned", "left", "right", "step"]),
        ("rival nearest", ["class", "turned", "nearest", "same"]),
    ]
    return JointBook(fields, books)


def rival_block(reader: Reader, pairs: Pairs) -> list[Events]:
    """Lexicon categories by whom the sentence names last before and first after them."""
    words, classed = pairs.words, pairs.classed
    book = _rival_book(reader.lexicon.categories)
    alone = book.encode(*(values.take(words.classed) for values in (words.category, words.negated)))
    judged = pairs.actor.take(classed.row)
    *beside, shortest = (values.take(classed.which) for values in named_beside(words))
    left, right = (np.where(who < 0, 0, 1 + (who != judged)) for who in beside)
    step = np.minimum(classed.distance // STRETCH, FARTHEST)
    nearest = classed.named & (classed.distance <= shortest)
    code = book.go_on(alone.take(classed.which), left, right, step, nearest, classed.same)
    return [Events(classed.row, classed.word, code=code, book=book)]


LEAST_GRAM, MOST_GRAM = 2, 5
"""Lengths of character n-grams."""


def character_grams(word: str) -> list[str]:
    """Return the character n-grams of a word between blanks, in lower case.

    >>> character_grams("EU")
    [' e', 'eu', 'u ', ' eu', 'eu ', ' eu ']
    """
    padded, sizes = f" {word.lower()} ", range(LEAST_GRAM, MOST_GRAM + 1)
    return [padded[i : i + size] for size in sizes for i in range(len(padded) - size + 1)]


def _grams_of_forms(forms: Forms, start: int) -> tuple[Keys, Sequence[int]]:
    grams = [character_grams(word) for word in forms.spelling[start:]]
    distinct = {*chain.from_iterable(grams)}
    keys = dict(zip(distinct, keys_of(distinct, "char:").tolist(), strict=True))
    if forms.names is not None:
        forms.names |= {key: gram for gram, key in keys.items()}
    found = np.array([keys[gram] for gram in chain.from_iterable(grams)], np.uint64)
    return found, [len(own) for own in grams]


_char_book = partial(LetterBook, "char", _grams_of_forms)


def char_block(reader: Reader, pairs: Pairs) -> list[Events]:
    """Character n-grams inside words, weighted like the words."""
    book = reader.table(_char_book)
    at = np.flatnonzero((pairs.words.who < 0).take(pairs.word))
    form = pairs.words.form.take(pairs.word[at])
    start = book.starts[form]
    counts = book.starts[form + 1] - start
    code = stretches(start, counts)
    at = np.repeat(at, counts)
    return [Events(pairs.row[at], pairs.word[at], pairs.nearness()[at], code=code, book=book)]


INFLECTED = 2
"""Last letters of a name that are looked at."""


def endings_of(word: str) -> tuple[str, str]:
    """Return what a name's first word shows of its case, and whether it is written small.

    >>> endings_of("Путиным"), endings_of("президента")
    (('ым', 'capital'), ('та', 'small'))
    """
    return word.lower()[-INFLECTED:], "small" if word[0].islower() else "capital"


def _endings_of_forms(forms: Forms, start: int) -> tuple[Keys, Sequence[int]]:
    endings = [*chain.from_iterable(endings_of(word) for word in forms.spelling[start:])]
    keys = keys_of(endings, "ending:")
    if forms.names is not None:
        forms.names |= zip(keys.tolist(), endings, strict=True)
    return keys, [2] * (len(endings) // 2)


_ending_book = partial(LetterBook, "ending", _endings_of_forms)


def ending_block(reader: Reader, pairs: Pairs) -> list[Events]:
    """How the actor's name ends, by which languages that inflect names tell subject from object."""
    book = reader.table(_ending_book)
    word = pairs.word.take(pairs.mention)
    start = book.starts[pairs.words.form.take(word)]
    return [Events(pairs.owner, word, code=start + step, book=book) for step in range(2)]


def name_block(reader: Reader, pairs: Pairs) -> list[Events]:
    """Name the actor; off by default, since it learns who is usually criticised."""
    row = np.arange(pairs.count)
    nowhere = np.full(pairs.count, -1)
    if (keys := pairs.named) is None:
        keys = keys_of((*reader.book.names, "?"), "actor:")[pairs.actor]
    return [Events(row, nowhere, template="name", parts=(keys,))]


Block = Callable[[Reader, Pairs], list[Events]]


def in_short(block: Block) -> Block:
    """Return a block that is empty but in short paragraphs, where few words decide."""

    def found(reader: Reader, pairs: Pairs) -> list[Events]:
        rows, short = pairs.short
        events = block(reader, short) if len(rows) else []
        return [replace(e, row=rows.take(e.row), prefix="short ") for e in events]

    return found


BLOCKS: dict[str, Block] = {
    "stem": stem_block,
    "cross": cross_block,
    "class": class_block,
    "relation": relation_block,
    "mention": mention_block,
    "char": char_block,
    "name": name_block,
    "word": word_block,
    "plain": plain_block,
    "rival": rival_block,
    "short_class": in_short(class_block),
    "short_relation": in_short(relation_block),
    "short_mention": in_short(mention_block),
    "ending": ending_block,
}
"""Every block by its name in a recipe."""

LEXICAL = ("stem", "char", "word", "plain")
"""Blocks whose features are words: if none of them is known, the model knows nothing."""
