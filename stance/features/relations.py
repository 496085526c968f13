"""How a paragraph names an actor, and who does what to whom around it."""

from collections.abc import Sequence

import numpy as np

from stance.arrays import Ints, Keys, among, stretches
from stance.features import FAR, REACH, SHORT, Pairs, Surroundings
from stance.features.occurrences import MARKS, Closed, Occurrences, category_terms
from stance.reading import lexicon
from stance.reading.frames import NO_ACTOR, REJECTED, Frame, frames_of
from stance.reading.keys import keys_of
from stance.reading.voices import AUTHOR, OTHER
from stance.reading.words import Reader, Words

# --- How an actor is named ---

_DISTANCES = (1, 2, 4, 8, 16)
_COUNTS = (0, 1, 2, 3, 5)
_LENGTHS = (15, 30, 60, 120)
_COUNTED = (
    *("mentions", "others", "positive-here", "negative-here", "positive", "negative", "plain-here"),
    *("first-person", "hypothetical-here", "concession-here", "negator-here"),
)
"""Counts that are features, in buckets."""


def _labels(name: str, edges: tuple[int, ...]) -> list[str]:
    return [f"{name}<={edge}" for edge in edges] + [f"{name}>{edges[-1]}"]


def _buckets(edges: tuple[int, ...], numbers: Ints) -> Ints:
    """Return the place of each number among the labels, by a table, which beats a search."""
    return np.searchsorted(edges, np.arange(edges[-1] + 2)).take(numbers, mode="clip")


_FUNCTIONS = {
    "hypothetical": lexicon.HYPOTHETICAL,
    "concession": lexicon.CONCESSION,
    "negator": lexicon.NEGATOR,
    "first-person": lexicon.FIRST_PERSON,
}

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

_MENTIONS = Closed(tuple(("mention", name) for name in _VALUES), _VALUES)
_ROLES = (("mention role", "role"),)


def mention_block(reader: Reader, pairs: Pairs) -> list[Occurrences]:
    """How an actor is named: separates passing mentions from those a stance is about."""
    rows, nowhere = np.arange(pairs.count), np.full(pairs.count, -1)
    near, numbers = pairs.surroundings, _MENTIONS.encode(_values(pairs))
    roles = Occurrences.closed(reader, _ROLES, near.row, near.centre, {"role": near.role})
    return [Occurrences(rows, nowhere, numbers, None, _MENTIONS), roles]


def _values(pairs: Pairs) -> dict[str, Ints]:
    """Return the value of each feature set; -here is in sentences that name the actor."""
    words, row, mention = pairs.words, pairs.owner, pairs.word.take(pairs.mention)
    mentions = np.bincount(row, minlength=pairs.count)
    quoted = np.bincount(row[words.quoted.take(mention)], minlength=pairs.count)
    (here, sentence), counts = pairs.sentences, {"mentions": mentions}
    for name, (of_sentences, of_paragraphs) in words.once(_totals).items():
        counts[name] = of_paragraphs.take(pairs.para)
        sums = np.bincount(here, of_sentences.take(sentence), pairs.count)
        counts[f"{name}-here"] = sums.astype(np.int64)
    counts["others"] -= mentions
    counted = _buckets(_COUNTS, np.stack([counts[name] for name in _COUNTED]))
    share = np.ceil(4 * counts["sentences-here"] / np.maximum(counts["sentences"], 1))
    return dict(zip(_COUNTED, counted, strict=True)) | {
        "share": share.astype(np.int64),
        "opens": _opening(pairs),
        "quoted": np.where(quoted == 0, 0, np.where(quoted < mentions, 1, 2)),
        "nearest-positive": _nearest(pairs, 1),
        "nearest-negative": _nearest(pairs, -1),
        "balance": np.sign(counts["positive-here"] - counts["negative-here"]) + 1,
        "question": np.minimum(counts["question-here"], 1),
        "length": _buckets(_LENGTHS, np.diff(pairs.first)),
    }


def _totals(words: Words) -> dict[str, tuple[Ints, Ints]]:
    """Return how many words of each kind are in each sentence and in each paragraph."""
    classed, sign = words.classed, words.sign.take(words.classed)
    marked = np.flatnonzero(words.functions & sum(_FUNCTIONS.values()))
    functions = words.functions.take(marked)
    counted = {kind: marked[functions & flag > 0] for kind, flag in _FUNCTIONS.items()}
    counted |= {
        "positive": classed[sign > 0],
        "negative": classed[sign < 0],
        "plain": classed[sign == 0],
        "question": np.flatnonzero(words.gaps["question"].take(words.between)),
        "sentences": np.flatnonzero(words.sentence_start),
        "others": words.mentions,
    }
    sentences = int(words.sentence.max(initial=-1)) + 1
    return {
        kind: (
            np.bincount(words.sentence.take(chosen), minlength=sentences),
            np.bincount(words.para.take(chosen), minlength=len(words)),
        )
        for kind, chosen in counted.items()
    }


def _opening(pairs: Pairs) -> Ints:
    """Return 2 where the actor is among the first five words, 1 in the first sentence, else 0."""
    opening, sentence = np.zeros(pairs.count, np.int64), pairs.words.sentence
    row, word = pairs.owner[::-1], pairs.word.take(pairs.mention[::-1])  # the first stays
    start = pairs.words.first.take(pairs.para.take(row))
    opening[row] = np.where(word - start < 5, 2, sentence.take(word) == sentence.take(start))
    return opening


def _nearest(pairs: Pairs, sign: int) -> Ints:
    """Return the bucket of the distance to the nearest word of a sign."""
    classed, nearest = pairs.classed, np.full(pairs.count, FAR)
    some = np.flatnonzero(classed.values["sign"] == sign + 1)
    np.minimum.at(nearest, classed.row.take(some), classed.distance.take(some))
    return _buckets(_DISTANCES, nearest)


# --- Who does what to whom ---

_RELATIONS = (
    ("relation", "does category turned"),
    ("relation near", "does category turned next"),
    ("relation role", "does category turned role"),
    ("relation sign", "does sign role"),
)


def relation_block(reader: Reader, pairs: Pairs) -> list[Occurrences]:
    """Categories just before (the actor is their object) and just after (their subject)."""
    words, near = pairs.words, pairs.surroundings
    classed = near.inside & (words.category.take(near.there) >= 0)
    # Steps away from the mention x sides x mentions, as far as no name stands between.
    sides = (np.s_[REACH - 1 :: -1], np.s_[REACH + 1 :])
    parts = ([values[side] for side in sides] for values in (~near.name, classed))
    open_, hits = (np.stack(part, axis=1) for part in parts)
    hits &= np.logical_and.accumulate(open_, axis=0)
    # In the order of the mentions.
    entry, place = np.divmod(np.flatnonzero(hits.reshape(2 * REACH, len(near.centre)).T), 2 * REACH)
    step, side = np.divmod(place, 2)
    word = near.centre.take(entry) + np.where(side > 0, step + 1, -step - 1)
    values = {
        "does": side,
        "category": words.category.take(word),
        "turned": words.negated.take(word),
        "next": step < 2,
        "role": near.role.take(entry),
        "sign": words.sign.take(word) + 1,
    }
    classes = Occurrences.closed(reader, _RELATIONS, near.row.take(entry), word, values)
    return [classes, _sequences(reader, pairs, near)]


def _sequences(reader: Reader, pairs: Pairs, near: Surroundings) -> Occurrences:
    """N-grams of the few words that carry a relation: classes, names, prepositions, negators."""
    words = pairs.words
    kept, symbol = words.once(_symbols, reader)
    who, sentence = words.who.take(kept), words.sentence.take(kept)
    centre = np.searchsorted(kept, near.centre)  # every mention is a name, so it is among the kept
    step = np.arange(-_LONGEST, _LONGEST + 1)[:, None]
    there = np.clip(centre + step, 0, len(kept) - 1)
    inside = (there == centre + step) & (sentence.take(there) == sentence.take(centre))
    named = who.take(there)
    mark = np.where(named == who.take(centre), MARKS["TARGET"], MARKS["OTHER"])
    symbols = np.where(named >= 0, mark, symbol.take(there))
    sequences = []
    for left, right in _SPANS:
        present = inside[_LONGEST - left] & inside[_LONGEST + right]
        sequences.append((present, tuple(range(_LONGEST - left, _LONGEST + right + 1))))
    return Occurrences.open("sequence", near.row, near.centre, [*symbols], sequences)


def _symbols(words: Words, reader: Reader) -> tuple[Ints, Keys]:
    """Return the words that carry a relation, and what stands for each in a sequence."""
    carries = (words.functions & (lexicon.NEGATOR | lexicon.PREPOSITION | lexicon.REPORTING)) > 0
    kept = np.flatnonzero(carries | (words.category >= 0) | words.name)
    functions, category = words.functions.take(kept), words.category.take(kept)
    symbol = np.full(len(kept), MARKS["REPORT"])
    spelled = np.flatnonzero((functions > 0) & (functions & lexicon.REPORTING == 0))
    symbol[spelled] = words.column("function key", kept.take(spelled))
    classed = np.flatnonzero(category >= 0)
    turned = words.negated.take(kept.take(classed))
    categories = keys_of(category_terms(reader.lexicon.categories), "class:")
    symbol[classed] = categories.take(category.take(classed) * 2 + turned)
    symbol[words.name.take(kept)] = MARKS["NAME"]
    return kept, symbol


_LONGEST = 3  # symbols to either side
_SPANS = ((1, 0), (2, 0), (3, 0), (0, 1), (0, 2), (0, 3), (1, 1), (2, 1), (1, 2))
"""Symbols left and right of the mention in a sequence."""


# --- Frames of judgement ---

_AGENT, _AGENT_ELSEWHERE, _VICTIM, _PATIENT, _OF_AUTHOR, _OF_ANOTHER, _BYSTANDER = range(7)
_SIZES = (16, SHORT)  # words of a sentence, in which a frame is nearly all; of a short paragraph


def frame_block(name: str, reader: Reader, pairs: Pairs, *, longer: bool) -> list[Occurrences]:
    """Frames by kind of cue, polarity, what turns it, and the actor's part in them.

    Who judges another, suffers a deed or is merely named beside them is not thereby judged, which
    a model that adds up words cannot tell. In a sentence alone, whom a frame judges is most of the
    answer, in a paragraph less, in a long one little: what is learned from the frames of short ones
    does not count in longer ones, whose frames take half the time of a run.
    """
    words, width = pairs.words, len(reader.book) + 1
    frames = words.once(frames_of, reader, longer)
    if not frames:
        return []
    cue, polarity, _, _, turn, kind, *_ = np.array(frames, np.int64).T
    actor, frame, part = _parts(words, frames)
    # The parts of each pair's actor in its paragraph.
    whose = words.para.take(cue.take(frame)) * width + actor
    order = np.argsort(whose, kind="stable")
    whose, asked = whose.take(order), pairs.para * width + pairs.actor
    low, high = (np.searchsorted(whose, asked, side) for side in ("left", "right"))
    row, entry = np.repeat(np.arange(pairs.count), high - low), stretches(low, high - low)
    frame, part = frame.take(order.take(entry)), part.take(order.take(entry))
    word, sizes = cue.take(frame), np.searchsorted(_SIZES, np.diff(words.first))
    size = sizes.take(words.para.take(word))
    turn = turn * ((turn != REJECTED) | (polarity > 0))  # to doubt a praise is to blame
    values = {"kind": kind[frame], "polarity": polarity[frame] + 1, "turn": turn[frame]}
    values |= {"part": part, "size": size}
    beside = part == _BYSTANDER
    kinds = (name, "kind polarity part size"), (name, "polarity part size")
    sets = (*kinds, (f"{name} turned", "turn polarity part")), ((f"{name} beside", "size"),)
    return [
        Occurrences.closed(
            *(reader, which, row[chosen], word[chosen]),
            {key: column[chosen] for key, column in values.items()},
        )
        for which, chosen in zip(sets, (~beside, beside), strict=True)
    ]


def _parts(words: Words, frames: Sequence[Frame]) -> Ints:
    """Return rows of actors, of their frames, and of their parts in these.

    Bystanders are the other actors that a sentence names, whatever is judged in it.
    """
    cues = np.array([frame.cue for frame in frames])
    paras, sentences = words.para.take(cues).tolist(), words.sentence.take(cues).tolist()
    judged = {(para, f.patient) for para, f in zip(paras, frames, strict=True) if f.polarity}
    parts = list[tuple[int, int, int]]()
    for number, (para, frame) in enumerate(zip(paras, frames, strict=True)):
        if (para, frame.agent) not in judged:  # who is judged, too, is no mere critic
            judging = _AGENT_ELSEWHERE if frame.patient == NO_ACTOR else _AGENT
            parts.append((frame.agent, number, judging))
        part = {AUTHOR: _OF_AUTHOR, OTHER: _OF_ANOTHER}.get(frame.agent, _PATIENT)
        parts += (frame.patient, number, part), (frame.victim, number, _VICTIM)
    parts = [part for part in parts if part[0] >= 0]
    taken = {(sentences[number], actor) for actor, number, _ in parts}
    first = {sentence: n for n, sentence in reversed([*enumerate(sentences)])}
    named = words.mentions[among(words.sentence.take(words.mentions), np.array(sentences))]
    where = words.sentence.take(named).tolist(), words.who.take(named).tolist()
    beside = (pair for pair in zip(*where, strict=True) if pair not in taken)
    parts += ((actor, first[sentence], _BYSTANDER) for sentence, actor in beside)
    return np.array(parts, np.int64).reshape(-1, 3).T
