"""The feature blocks over a whole batch of pairs; `fit` and `predict` share this one path.

Each block is a function ``(Reader, Pairs) -> list[Occurrences]``; ``training/README.md`` says what
each was measured to add.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from stance.arrays import Bools, Ints, Keys, among, stretches
from stance.features import REACH, Pairs, entries, relations
from stance.features.occurrences import MARKS, Closed, Letters, Occurrences, Stems, name_keys
from stance.reading.keys import join_keys, key_of, keys_of
from stance.reading.words import NOBODY, Reader, Words
from stance.records import Stance


def stem_features(name: str, stems: Keys) -> Keys:
    """Return the keys of stems that are not negated, as features of a block of stems."""
    return join_keys(key_of(name), np.full(len(stems), MARKS[""]), stems)


def sentence_block(reader: Reader, pairs: Pairs) -> list[Occurrences]:
    """Stems wherever they stand in the sentences that name the actor, marked after a negator."""
    words, (row, named) = pairs.words, pairs.sentences
    low, high = (np.searchsorted(words.sentence, named, side) for side in ("left", "right"))
    row, word = np.repeat(row, high - low), stretches(low, high - low)
    entry = word + (pairs.first[:-1] - words.first.take(pairs.para)).take(row)
    number = words.once(_stem_numbers).take(word)
    number[among(entry, pairs.mention)] = Stems.TARGET
    return [Occurrences(row, word, number, None, reader.once(Stems, "sentence", reader))]


def stem_block(reader: Reader, pairs: Pairs) -> list[Occurrences]:
    """Stems of the whole paragraph, marked after a negator, and heavier near the actor."""
    number = pairs.words.once(_stem_numbers).take(pairs.word)
    number[pairs.mention] = Stems.TARGET
    weight = pairs.nearness if len(pairs.mention) else None
    return [Occurrences(pairs.row, pairs.word, number, weight, reader.once(Stems, "stem", reader))]


def plain_block(reader: Reader, pairs: Pairs) -> list[Occurrences]:
    """Stems wherever they stand in the paragraph, marked after a negator."""
    if not pairs.count:
        return []
    words, stems = pairs.words, reader.once(Stems, "plain", reader)
    low, high = words.first.take([pairs.para[0], pairs.para[-1] + 1])
    word = low + np.flatnonzero(words.who[low:high] == NOBODY)
    number, para = words.once(_stem_numbers).take(word), words.para.take(word)
    named, owner, which = entries(words, words.mentions, pairs.para, pairs.first)
    actor = np.where(among(named, pairs.mention), Stems.TARGET, Stems.OTHER)
    return [
        Occurrences(para, word, number, None, stems, shared=pairs.para),
        Occurrences(owner, words.mentions.take(which), actor, None, stems),
    ]


def _stem_numbers(words: Words) -> Ints:
    """Return the number of each word in `Stems`, if it is not the actor judged."""
    number: Ints = Stems.FIRST + 2 * words.types["stem"].take(words.type) + words.negated
    number[words.mentions] = Stems.OTHER
    return number


def word_block(reader: Reader, pairs: Pairs) -> list[Occurrences]:
    """Words and word pairs as spelled, blind to the actor: the baseline."""
    row, words = pairs.row, pairs.words
    types, place = np.unique(words.type.take(pairs.word), return_inverse=True)
    keys = keys_of(words.types.strings[number].lower() for number in types.tolist()).take(place)
    follows = np.append(row[1:] == row[:-1], False)[: len(row)]
    sequences = (np.ones_like(follows), (0,)), (follows, (0, 1))
    return [Occurrences.open("word", row, pairs.word, [keys, np.roll(keys, -1)], sequences)]


_RUNS = ((-1, 0), (-2, 0), (-3, 0), (0, 1), (0, 2), (0, 3), (0, 4), (-1, 1), (-2, 1), (-1, 2))
"""First and last step of the n-grams without a gap."""

_SKIPS = (-3, -2, 2, 3, 4)  # steps to the word that forms a skip-gram with the actor


def cross_block(reader: Reader, pairs: Pairs) -> list[Occurrences]:
    """N-grams that contain the actor, with and without a gap; they end with the sentence."""
    words, around = pairs.words, pairs.surroundings
    who = words.who.take(around.there)
    mention = np.where(who == words.who.take(around.centre), MARKS["TARGET"], MARKS["OTHER"])
    stem = reader.stems["key"].take(words.column("stem", around.there))
    near = np.where(around.inside, np.where(who >= 0, mention, stem), MARKS["END"])
    sequences: list[tuple[Bools, tuple[int, ...]]] = []
    for low, high in _RUNS:
        # The outermost word may be the sentence's end, but nothing lies beyond the end.
        present = around.inside[REACH + min(low + 1, 0)] & around.inside[REACH + max(high - 1, 0)]
        sequences.append((present, tuple(range(REACH + low, REACH + high + 1))))
    gap = len(near)
    for step in _SKIPS:
        parts = (REACH + step, gap, REACH)
        sequences.append((around.inside[REACH + step], parts if step < 0 else parts[::-1]))
    symbols = [*near, np.full(len(around.centre), MARKS["..."])]
    return [Occurrences.open("cross", around.row, around.centre, symbols, sequences)]


BUCKETS = (2, 5, 12)  # distances in words up to which a category is near, close, off

_CLASSES = (
    ("class", "category turned"),
    ("class placed", "category turned side near"),
    ("class linked", "category turned same crossed"),
    ("class said", "category turned same quoted"),
    ("sign", "sign side near same crossed"),
    ("sign", "sign"),
)


def class_block(reader: Reader, pairs: Pairs) -> list[Occurrences]:
    """Lexicon categories by side, distance, sentence, quotation and names between."""
    classed = pairs.classed
    steps = sum(classed.distance > limit for limit in BUCKETS)
    values = {**classed.values, "near": np.where(classed.named, steps, len(BUCKETS) + 1)}
    return [Occurrences.closed(reader, _CLASSES, classed.row, classed.word, values)]


def character_grams(word: str) -> list[str]:
    """Return the 2- to 5-grams of characters of a word between blanks, in lower case.

    >>> character_grams("EU")
    [' e', 'eu', 'u ', ' eu', 'eu ', ' eu ']
    """
    padded = f" {word.lower()} "
    return [padded[i : i + size] for size in range(2, 6) for i in range(len(padded) - size + 1)]


def char_block(reader: Reader, pairs: Pairs) -> list[Occurrences]:
    """Character n-grams inside words, weighted like the words."""
    vocabulary = reader.once(Letters, "char", character_grams, reader)
    plain = np.flatnonzero((pairs.words.who < 0).take(pairs.word))
    number, place = vocabulary.of_types(pairs.words.type.take(pairs.word.take(plain)))
    plain = plain.take(place)
    row, word, weight = pairs.row.take(plain), pairs.word.take(plain), pairs.nearness.take(plain)
    return [Occurrences(row, word, number, weight, vocabulary)]


def endings_of(word: str) -> tuple[str, str]:
    """Return what a name's first word shows of its case, and whether it is written small.

    >>> endings_of("Путиным"), endings_of("президента")
    (('ым', 'capital'), ('та', 'small'))
    """
    return word.lower()[-2:], "small" if word[0].islower() else "capital"


def ending_block(reader: Reader, pairs: Pairs) -> list[Occurrences]:
    """How the actor's name ends, by which languages that inflect names tell subject from object."""
    vocabulary = reader.once(Letters, "ending", endings_of, reader)
    word = pairs.word.take(pairs.mention)
    number, place = vocabulary.of_types(pairs.words.type.take(word))
    return [Occurrences(pairs.owner.take(place), word.take(place), number, None, vocabulary)]


def name_block(reader: Reader, pairs: Pairs) -> list[Occurrences]:
    """Name the actor; off by default, since it learns who is usually criticised."""
    if (keys := pairs.named) is None:
        keys = name_keys((*reader.book.names, "?"))[pairs.actor]
    rows, nowhere = np.arange(pairs.count), np.full(pairs.count, -1)
    return [Occurrences.open("name", rows, nowhere, [keys], [(nowhere < 0, (0,))])]


def deep_block(reader: Reader, pairs: Pairs) -> list[Occurrences]:
    """Return what the deep reader makes of a paragraph, see `DeepReader.features`."""
    read, values = reader.deep(pairs.words, pairs.para, pairs.actor)
    width = values.shape[1]
    vocabulary = reader.once(_deep_vocabulary, width)
    pair, number = np.repeat(read, width), np.tile(np.arange(width), len(read))
    return [Occurrences(pair, np.full(len(pair), -1), number, values.ravel(), vocabulary)]


def _deep_vocabulary(size: int) -> Closed:
    states = [str(number) for number in range(1, size - len(Stance) + 1)]
    sets = ("deep", "stance"), ("deep state", "state")
    return Closed(sets, {"stance": [*Stance], "state": states})


BLOCKS: dict[str, Callable[[Reader, Pairs], list[Occurrences]]] = {
    "stem": stem_block,
    "cross": cross_block,
    "class": class_block,
    "relation": relations.relation_block,
    "mention": relations.mention_block,
    "char": char_block,
    "name": name_block,
    "word": word_block,
    "plain": plain_block,
    "sentence": sentence_block,
    "ending": ending_block,
    "frame": partial(relations.frame_block, "frame", longer=False),
    "long_frame": partial(relations.frame_block, "long frame", longer=True),
    "deep": deep_block,
}
"""Every block by its name in a recipe."""

LEXICAL = ("stem", "char", "word", "plain", "sentence", "frame", "long_frame")
"""Blocks whose features are words or phrases: if none is known, the model knows nothing."""
