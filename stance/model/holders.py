"""Whose stance it is: the author's, an actor's, or another's; and which actor speaks."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from stance.arrays import Bools, Floats, Ints, among, stretches, sums_by
from stance.features import REACH, SHORT, Surroundings
from stance.reading import lexicon, voices
from stance.reading.actor_tables import ALIAS_KINDS
from stance.reading.actors import ActorBook
from stance.reading.frames import Frame, frames_in
from stance.reading.words import NOBODY, Query, Reader, Words
from stance.records import Holder

NAMES = ("", Holder.AUTHOR, Holder.OTHER)
"""What the first codes of holders mean; the actors of the book follow."""

NONE, AUTHOR, OTHER = range(len(NAMES))

ACTOR_KIND = list(Holder).index(Holder.ACTOR)

FRAMES_RIGHT = np.array([0.7, 0.8, 0.5])
"""How often frames are right in real news, if they say that the author, an actor or another judges:
176 of 254, 143 of 176 and 30 of 62 stances (``training/frames.py --holders``). That "another"
does is believed only in short paragraphs: in longer ones it is mostly wrong."""

_KINDS = {"leader": 1.0, "institution": 0.8, "name": -0.2, "capital": -0.3}  # of alias
SIGNS = {
    **_KINDS,
    **{"reports": 1.7, "reports soon": 0.7, "quoted": -0.8},
    **{"opens": 1.6, "listed": -1.0, "prepositional": -0.8, "of a name": 1.2},
}
"""Signs that a mention is of who speaks, and how much each weighs in the logit of `speakers`.

They were fitted to news in which an actor holds the stance.

A reporting verb comes next, or "according to" or "condemned by" stands before; a reporting verb is
two or three words away; the mention is quoted; opens its sentence; is one of a list; follows a
preposition; is the possessive of a name ("Poland's Tusk").
"""

JUDGED, NOBODY_SPEAKS = -1.7, 0.1
"""The same for the actor that is judged, as few speak of themselves, and for none being named."""


def signs(words: Words, mention: Ints) -> Bools:
    """Return which of the `SIGNS` some mentions have, of shape (n_signs, n_mentions)."""
    near = Surroundings(words, mention, mention)
    grammar = words.column("grammar", near.there) * near.inside
    functions = words.functions.take(near.there) * near.inside
    kind, quoted = words.alias_kind.take(mention), words.quoted.take(mention)
    reports = functions & lexicon.REPORTING > 0
    # "according to" and "condemned by": who speaks comes after them.
    cited = reports[:-1] & (grammar[1:] & lexicon.BY > 0)
    cited |= (grammar[:-1] & lexicon.ACCORDING > 0) & (grammar[1:] & lexicon.TO > 0)
    reports[:-1] &= ~cited
    reports &= ~quoted
    free = near.inside & (words.who.take(near.there) == NOBODY)
    # Another actor between would be the one that speaks.
    second = free[REACH + 1] & ~reports[REACH + 1] & free[REACH + 2]
    soon = second & (reports[REACH + 2] | free[REACH + 3] & reports[REACH + 3])
    behind = cited[REACH - 2] | cited[REACH - 3] & free[REACH - 1]
    behind_article = grammar[REACH - 1] & lexicon.DETERMINER > 0
    before = np.where(behind_article, functions[REACH - 2], functions[REACH - 1])
    joins = grammar & lexicon.CONJUNCTION > 0
    joined = [joins[REACH + step] & near.name[REACH + 2 * step] for step in (-1, 1)]
    first = np.where(behind_article, ~near.inside[REACH - 2], ~near.inside[REACH - 1])
    return np.stack(
        [
            *(kind == ALIAS_KINDS.index(name) for name in _KINDS),
            *(free[REACH + 1] & reports[REACH + 1] | behind, soon, quoted),
            *(first, joined[0] | joined[1], (before & lexicon.PREPOSITION > 0) & ~behind),
            words.possessive.take(mention) & near.name[REACH + 1],
        ]
    )


def speakers(words: Words, para: Ints, actor: Ints) -> Ints:
    """Return the actor that seems to speak in the paragraph of each pair, or `NOBODY`.

    That is the most probable one by a conditional logit over the paragraph's mentions (McFadden
    1974, "Conditional Logit Analysis of Qualitative Choice Behavior"), with nobody as one more
    choice; an actor is as probable as all its mentions together.
    """
    mentions = words.mentions[among(words.para.take(words.mentions), para)]
    weight = np.zeros(len(mentions))
    for value, sign in zip(SIGNS.values(), signs(words, mentions), strict=True):
        weight += value * sign  # `@` rounds, and so breaks ties, by the other texts
    who, width = words.who.take(mentions), np.int64(words.who.max(initial=0)) + 1
    named, place = np.unique(words.para.take(mentions) * width + who, return_inverse=True)
    odds = sums_by(place, np.exp(weight))
    low, high = np.searchsorted(named, para * width), np.searchsorted(named, (para + 1) * width)
    pair, which = np.arange(len(para)).repeat(high - low), stretches(low, high - low)
    who, odd = named.take(which) % width, odds.take(which)
    odd[who == actor.take(pair)] *= np.exp(JUDGED)
    speaker = np.full(len(para), NOBODY)
    rising = np.lexsort((who, odd, pair))
    rising = rising[odd.take(rising) > np.exp(NOBODY_SPEAKS)]
    speaker[pair.take(rising)] = who.take(rising)  # the last of each pair stays
    return speaker


def codes(
    reader: Reader, kind: Ints, words: Words, para: Ints, actor: Ints
) -> tuple[Ints, Ints, Floats]:
    """Return whose stance that of each pair is, from its kind: a number in the order of `Holder`.

    It is `AUTHOR`, `OTHER` (also if no actor seems to speak), or ``len(NAMES)`` plus the number of
    an actor; or who judges the actor by frames. Then come the kind, and its least probability.
    """
    code = np.array([AUTHOR, OTHER, OTHER]).take(kind)
    spoken = np.flatnonzero(kind == ACTOR_KIND)
    speaker = speakers(words, para[spoken], actor[spoken])
    frames = frames_in(words, reader, para)
    judged = {(int(words.para[frame.cue]), frame.agent, frame.patient) for frame in frames}
    named = (f for f in reversed(frames) if f.polarity and f.agent >= 0)
    agents = {(int(words.para[f.cue]), f.patient): f.agent for f in named}  # the first ones
    pairs = zip(para[spoken].tolist(), actor[spoken].tolist(), strict=True)
    for place, (pair, heard) in enumerate(zip(pairs, speaker.tolist(), strict=True)):
        if pair in agents:
            speaker[place] = agents[pair]
        elif (*pair, heard) in judged:  # whom the asked actor judges does not speak about it
            speaker[place] = NOBODY
    code[spoken] = np.where(speaker >= 0, speaker + len(NAMES), OTHER)
    judge = judges(frames, words, para, actor)
    sure, kinds = judge != NONE, [NONE, *map(list(Holder).index, NAMES[1:]), ACTOR_KIND]
    kind = np.where(sure, np.take(kinds, judge, mode="clip"), kind)
    return np.where(sure, judge, code), kind, np.where(sure, FRAMES_RIGHT.take(kind), 0.0)


def judges(frames: Sequence[Frame], words: Words, para: Ints, actor: Ints) -> Ints:
    """Return the code of who judges each pair's actor, `NONE` if frames do not say or disagree.

    Of several actors that do, the first one counts.
    """
    agents, sizes = defaultdict[tuple[int, int], list[int]](list), np.diff(words.first)
    for frame in frames:
        believed = frame.agent != voices.OTHER or sizes[words.para[frame.cue]] <= SHORT
        if frame.polarity and frame.patient >= 0 and believed:
            code = {voices.AUTHOR: AUTHOR, voices.OTHER: OTHER}.get(frame.agent)
            code = frame.agent + len(NAMES) if code is None else code
            agents[int(words.para[frame.cue]), frame.patient].append(code)
    judging = np.full(len(para), NONE)
    for place, pair in enumerate(zip(para.tolist(), actor.tolist(), strict=True)):
        if pair in agents:
            first, *others = dict.fromkeys(agents[pair])
            if not others or min(first, *others) >= len(NAMES):
                judging[place] = first
    return judging


def named_codes(book: ActorBook, code: Ints, actors: Sequence[str]) -> tuple[Ints, tuple[str, ...]]:
    """Return codes and the names that they stand for.

    A judged actor that the book did not find (its number is ``len(book)``) gets its own name.
    """
    names = [*NAMES, *book.names]
    judged = np.flatnonzero(code == len(names))
    code[judged] = len(names) + np.arange(len(judged))
    names += (book.proper_name(actors[pair]) for pair in judged.tolist())
    return code, tuple(map(str, names))


def name_held(reader: Reader, query: Query, kind: Ints) -> list[str]:
    """Return whose stance that of each pair is, from its kind."""
    held: list[str] = []
    for part in query.batches():
        rows = slice(len(held), len(held) + len(part))
        words, para = part.read(reader)
        code, *_ = codes(reader, kind[rows], words, para, part.actor)
        code, names = named_codes(reader.book, code, part.names)
        held += [names[number] for number in code.tolist()]
    return held
