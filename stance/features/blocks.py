"""The feature blocks over a whole batch of pairs; `fit` and `predict` share this one path.

Each block is a function ``(Reader, Pairs) -> list[Events]``; ``training/README.md`` says what each
was measured to add.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from stance.arrays import Bools, Floats, Ints, Keys
from stance.features.mention import mention_block, relation_block
from stance.features.occurrences import (
    END_KEY,
    GAP_KEY,
    NO_KEY,
    Closed,
    Letters,
    Occurrences,
    Stems,
)
from stance.features.pairs import REACH, SHORT, Pairs, named_beside
from stance.reading.frames import KINDS, NO_ACTOR, Frame, frames_of
from stance.reading.keys import join_keys, key_of, keys_of
from stance.reading.voices import AUTHOR, OTHER
from stance.reading.words import Reader, Words
from stance.records import Stance


def stem_features(name: str, stems: Keys) -> Keys:
    """Return the keys of stems that are not negated, as features of `stem` or `plain`."""
    return join_keys(key_of(name), np.full(len(stems), NO_KEY), stems)


def stem_block(reader: Reader, pairs: Pairs) -> list[Occurrences]:
    """Stems, heavier near the actor, marked after a negator."""
    weight = pairs.nearness if len(pairs.mention) else None
    return [_stems("stem", reader, pairs, weight)]


def plain_block(reader: Reader, pairs: Pairs) -> list[Occurrences]:
    """Stems wherever they stand in the paragraph, marked after a negator."""
    return [_stems("plain", reader, pairs, None)]


def _stems(name: str, reader: Reader, pairs: Pairs, weight: Floats | None) -> Occurrences:
    number = pairs.words.once(_stem_numbers).take(pairs.word)
    number[pairs.mention] = Stems.TARGET
    vocabulary = reader.once(Stems, name, reader)
    return Occurrences(pairs.row, pairs.word, number, weight, vocabulary)


def _stem_numbers(words: Words) -> Ints:
    """Return the number of each word in a vocabulary of stems, if it is not the actor judged."""
    number: Ints = Stems.FIRST + 2 * words.types["stem"].take(words.type) + words.negated
    number[words.mentions] = Stems.OTHER
    return number


def word_block(reader: Reader, pairs: Pairs) -> list[Occurrences]:
    """Words and word pairs as spelled, blind to the actor: the baseline."""
    row, word = pairs.row, pairs.word
    keys = pairs.words.lower_keys(word)
    follows = np.flatnonzero(row[1:] == row[:-1])
    both = keys.take(follows), keys.take(follows + 1)
    return [
        Occurrences.open("word", row, word, [(None, [keys])]),
        Occurrences.open("word", row.take(follows), word.take(follows), [(None, both)]),
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


def cross_block(reader: Reader, pairs: Pairs) -> list[Occurrences]:
    """N-grams that contain the actor, with and without a gap; they end with the sentence."""
    if not len(pairs.mention):
        return []
    around = pairs.surroundings
    near = np.where(around.inside, around.stems(reader.stems["key"]), END_KEY)
    sequences: list[tuple[Bools, list[Keys]]] = []
    for low, high in _RUNS:
        # The outermost word may be the sentence's end, but nothing lies beyond the end.
        present = around.inside[REACH + min(low + 1, 0)] & around.inside[REACH + max(high - 1, 0)]
        sequences.append((present, [*near[REACH + low : REACH + high + 1]]))
    hole = np.full(len(around.at), GAP_KEY)
    for step in _SKIPS:
        parts = [near[REACH + step], hole, near[REACH]]
        sequences.append((around.inside[REACH + step], parts if step < 0 else parts[::-1]))
    return [Occurrences.open("cross", around.row, around.at, sequences)]


BUCKETS = (2, 5, 12)  # distances in words up to which a category is near, close, off


_TURNED, _SIGNS, _SAME, _CROSSED = (
    *(["", "NOT"], ["negative", "none", "positive"], ["", "same"], ["", "crossed"]),
)
_SIDES, _NEAR = ["", "before", "after"], ["near", "close", "off", "far", "nowhere"]


def class_block(reader: Reader, pairs: Pairs) -> list[Occurrences]:
    """Lexicon categories by side, distance, sentence, quotation and names between."""
    words, classed, made = pairs.words, pairs.classed, reader.once(_class_vocabulary, reader)
    category, turned = words.category.take(classed.word), words.negated.take(classed.word)
    sign, quoted = words.sign.take(classed.word) + 1, words.quoted.take(classed.word)
    side = np.where(classed.named, 2 - classed.before, 0)
    passed = sum(classed.distance > limit for limit in BUCKETS)
    near = np.where(classed.named, passed, len(BUCKETS) + 1)
    same, crossed = classed.same, classed.crossed
    fields = [
        (category, turned),
        (category, turned, side, near),
        (category, turned, same, crossed),
        (category, turned, same, quoted),
        (sign, side, near, same, crossed),
        (sign,),
    ]
    return [Occurrences(classed.row, classed.word, made.encode(fields), vocabulary=made)]


def _class_vocabulary(reader: Reader) -> Closed:
    category = reader.lexicon.categories
    return Closed(
        ("class", [category, _TURNED]),
        ("class placed", [category, _TURNED, _SIDES, _NEAR]),
        ("class linked", [category, _TURNED, _SAME, _CROSSED]),
        ("class quoted", [category, _TURNED, _SAME, ["", "quoted"]]),
        ("sign", [_SIGNS, _SIDES, _NEAR, _SAME, _CROSSED]),
        ("sign", [_SIGNS]),
    )


STRETCH, FARTHEST = 4, 3
"""Words per step of distance in `rival`, and the last step."""


def rival_block(reader: Reader, pairs: Pairs) -> list[Occurrences]:
    """Lexicon categories by whom the sentence names last before and first after them."""
    words, classed, made = pairs.words, pairs.classed, reader.once(_rival_vocabulary, reader)
    category, turned = words.category.take(classed.word), words.negated.take(classed.word)
    judged = pairs.actor.take(classed.row)
    *beside, shortest = (values.take(classed.which) for values in words.once(named_beside))
    left, right = (np.where(who < 0, 0, 1 + (who != judged)) for who in beside)
    step = np.minimum(classed.distance // STRETCH, FARTHEST)
    nearest = classed.named & (classed.distance <= shortest)
    fields = [
        (category, turned, left, right, step),
        (category, turned, nearest, classed.same),
    ]
    return [Occurrences(classed.row, classed.word, made.encode(fields), vocabulary=made)]


def _rival_vocabulary(reader: Reader) -> Closed:
    category = reader.lexicon.categories
    left, right = ["", "after-it", "after-other"], ["", "before-it", "before-other"]
    steps = [f"step{step}" for step in range(FARTHEST + 1)]
    return Closed(
        ("rival", [category, _TURNED, left, right, steps]),
        ("rival nearest", [category, _TURNED, ["other-nearer", "nearest"], _SAME]),
    )


LEAST_GRAM, MOST_GRAM = 2, 5
"""Lengths of character n-grams."""


def character_grams(word: str) -> list[str]:
    """Return the character n-grams of a word between blanks, in lower case.

    >>> character_grams("EU")
    [' e', 'eu', 'u ', ' eu', 'eu ', ' eu ']
    """
    padded, sizes = f" {word.lower()} ", range(LEAST_GRAM, MOST_GRAM + 1)
    return [padded[i : i + size] for size in sizes for i in range(len(padded) - size + 1)]


def char_block(reader: Reader, pairs: Pairs) -> list[Occurrences]:
    """Character n-grams inside words, weighted like the words."""
    vocabulary = reader.once(Letters, "char", character_grams, reader)
    plain = np.flatnonzero((pairs.words.who < 0).take(pairs.word))
    number, counts = vocabulary.of_types(pairs.words.type.take(pairs.word.take(plain)))
    plain = np.repeat(plain, counts)
    row, word, weight = pairs.row.take(plain), pairs.word.take(plain), pairs.nearness.take(plain)
    return [Occurrences(row, word, number, weight, vocabulary)]


INFLECTED = 2
"""Last letters of a name that are looked at."""


def endings_of(word: str) -> tuple[str, str]:
    """Return what a name's first word shows of its case, and whether it is written small.

    >>> endings_of("Путиным"), endings_of("президента")
    (('ым', 'capital'), ('та', 'small'))
    """
    return word.lower()[-INFLECTED:], "small" if word[0].islower() else "capital"


def ending_block(reader: Reader, pairs: Pairs) -> list[Occurrences]:
    """How the actor's name ends, by which languages that inflect names tell subject from object."""
    vocabulary = reader.once(Letters, "ending", endings_of, reader)
    word = pairs.word.take(pairs.mention)
    number, counts = vocabulary.of_types(pairs.words.type.take(word))
    row, word = np.repeat(pairs.owner, counts), np.repeat(word, counts)
    return [Occurrences(row, word, number, vocabulary=vocabulary)]


def name_block(reader: Reader, pairs: Pairs) -> list[Occurrences]:
    """Name the actor; off by default, since it learns who is usually criticised."""
    if (keys := pairs.named) is None:
        keys = keys_of((*reader.book.names, "?"), "actor:")[pairs.actor]
    nowhere = np.full(pairs.count, -1)
    return [Occurrences.open("name", np.arange(pairs.count), nowhere, [(None, [keys])])]


_POLARITIES = ["negative", "denied", "positive"]
_PARTS = ["who judges", "who judges no actor", "victim", "judged by an actor"]
_PARTS += ["judged by the author", "judged by another"]
_AGENT, _AGENT_ELSEWHERE, _VICTIM, _PATIENT = range(4)
_BYSTANDER = len(_PARTS)
_SIZES = ["in a sentence", "in a short paragraph", "in a paragraph"]
_FRAMES = Closed(
    ("frame", [KINDS, _POLARITIES, _PARTS, _SIZES]), ("frame", [_POLARITIES, _PARTS, _SIZES])
)
_BESIDE = Closed(("frame beside", [_SIZES]))
_LONGEST = (16, SHORT)  # words of a sentence, in which a frame is nearly all; of a short paragraph


def frame_block(reader: Reader, pairs: Pairs) -> list[Occurrences]:
    """Frames of judgement by kind of cue, polarity, and the actor's part in them.

    Who judges another, suffers a deed or is merely named beside them is not thereby judged, which
    a model that adds up words cannot tell. In a sentence alone, whom a frame judges is most of the
    answer, in a paragraph less, in a long one little: it is not read, and what is learned from the
    frames of short ones does not count in longer ones.
    """
    frames = pairs.words.once(frames_of, reader)
    if not frames:
        return []
    parts = _parts(frames, pairs.words)
    asked = zip(pairs.para.tolist(), pairs.actor.tolist(), strict=True)
    rows = [(row, *part) for row, pair in enumerate(asked) for part in parts.get(pair, ())]
    row, frame, part = np.array(rows, np.int64).reshape(-1, 3).T
    cue, polarity, *_, kind, _, _, _ = np.array(frames, np.int64).T
    sizes = np.searchsorted(_LONGEST, np.diff(pairs.words.first))
    size = sizes.take(pairs.words.para.take(cue[frame]))
    inside, beside = np.flatnonzero(part != _BYSTANDER), np.flatnonzero(part == _BYSTANDER)
    sign, part, size_of = polarity[frame[inside]] + 1, part[inside], size[inside]
    number = _FRAMES.encode([(kind[frame[inside]], sign, part, size_of), (sign, part, size_of)])
    other = _BESIDE.encode([[size[beside]]])
    return [
        Occurrences(row[inside], cue[frame[inside]], number, vocabulary=_FRAMES),
        Occurrences(row[beside], cue[frame[beside]], other, vocabulary=_BESIDE),
    ]


def _parts(frames: Sequence[Frame], words: Words) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """Return by paragraph and actor in which frames it has which part.

    Bystanders are the other actors that a sentence names, whatever is judged in it.
    """
    cue, _, agent, patient, *_, victim, _, _ = zip(*frames, strict=True)
    para, sentence = words.para.take(cue).tolist(), words.sentence.take(cue).tolist()
    agents = [_AGENT_ELSEWHERE if judged == NO_ACTOR else _AGENT for judged in patient]
    patients = [_PATIENT + {AUTHOR: 1, OTHER: 2}.get(judge, 0) for judge in agent]
    parts, involved = defaultdict[tuple[int, int], list[tuple[int, int]]](list), set()
    roles = (agent, agents), (patient, patients), (victim, [_VICTIM] * len(frames))
    for actors, parts_of in roles:
        for number, (actor, part) in enumerate(zip(actors, parts_of, strict=True)):
            if actor >= 0:
                parts[para[number], actor].append((number, part))
                involved.add((sentence[number], actor))
    first = {place: number for number, place in reversed([*enumerate(sentence)])}
    named = words.mentions[np.isin(words.sentence.take(words.mentions), sentence)]
    columns = words.sentence.take(named).tolist(), words.who.take(named).tolist()
    for place, actor in zip(*columns, strict=True):
        if (place, actor) not in involved:
            parts[para[first[place]], actor].append((first[place], _BYSTANDER))
    return parts


def deep_block(reader: Reader, pairs: Pairs) -> list[Occurrences]:
    """Return what the deep reader makes of a paragraph, see `DeepReader.features`."""
    read, values = reader.deep(pairs.words, pairs.para, pairs.actor)
    vocabulary = reader.once(_deep_vocabulary, values.shape[1])
    pair, number = (
        grid.ravel() for grid in np.meshgrid(read, range(values.shape[1]), indexing="ij")
    )
    return [Occurrences(pair, np.full(len(pair), -1), number, values.ravel(), vocabulary)]


def _deep_vocabulary(size: int) -> Closed:
    states = [str(number) for number in range(1, size - len(Stance) + 1)]
    return Closed(("deep", [[*Stance]]), ("deep state", [states]))


Block = Callable[[Reader, Pairs], list[Occurrences]]


def in_short(block: Block) -> Block:
    """Return a block that is empty but in short paragraphs, where few words decide."""

    def in_short_ones(reader: Reader, pairs: Pairs) -> list[Occurrences]:
        rows, short = pairs.short
        occurrences = block(reader, short) if len(rows) else []
        return [replace(one, pair=rows.take(one.pair)) for one in occurrences]

    return in_short_ones


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
    "short_relation": in_short(relation_block),
    "ending": ending_block,
    "frame": frame_block,
    "deep": deep_block,
}
"""Every block by its name in a recipe."""

LEXICAL = ("stem", "char", "word", "plain", "frame")
"""Blocks whose features are words or phrases: if none is known, the model knows nothing."""
