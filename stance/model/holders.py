"""Whose stance it is: the author's, an actor's, or another's; and which actor speaks."""

from collections.abc import Sequence

import numpy as np

from stance.arrays import Floats, Ints
from stance.features.pairs import REACH, Surroundings, stretches
from stance.reading.actors import ALIAS_KINDS, ActorBook
from stance.reading.lexicon import ACCORDING, BY, REPORTING, TO
from stance.reading.spans import Query
from stance.reading.words import NOBODY, Reader, Words
from stance.records import Holder

NAMES = ("", Holder.AUTHOR, Holder.OTHER)
"""What the first codes of holders mean; the actors of the book follow."""

NONE, AUTHOR, OTHER = range(len(NAMES))

ACTOR_KIND = list(Holder).index(Holder.ACTOR)

_SPEECH = 3.0
"""Evidence of a reporting verb right after a mention; half of it one word farther, and so on."""

_FACES = {"demonym": 0.3, "capital": 0.3, "institution": 0.5, "leader": 1.0}
_KINDS = np.array([_FACES.get(kind, 0.0) for kind in (*ALIAS_KINDS, "")])
"""Evidence of the kind of alias: it is leaders and offices that speak for a country."""


def evidence(words: Words, at: Ints) -> Floats:
    """Return how much each of some mentions looks like that of a speaker; in quotations nothing."""
    near = Surroundings(words, at, at)
    grammar = words.grammar.take(near.there)
    by = (grammar & BY > 0) & near.inside
    reports = (words.functions.take(near.there) & REPORTING > 0) & near.inside
    passive = reports[:-1] & by[1:]  # "was condemned by": who speaks comes after it
    reports[:-1] &= ~by[1:]
    free = near.inside & (words.who.take(near.there) == NOBODY)
    found = _KINDS.take(words.alias_kind.take(at))
    open_ = np.ones(len(at), np.bool_)
    for step in range(1, REACH + 1):
        open_ &= free[REACH + step]  # another actor between would be the one that speaks
        hit = open_ & reports[REACH + step]
        found[hit] += _SPEECH / step
        open_ &= ~hit
    according, to = grammar[REACH - 2] & ACCORDING > 0, grammar[REACH - 1] & TO > 0
    found[near.inside[REACH - 2] & according & to] += _SPEECH
    # "condemned by Poland", "condemned by the Polish".
    found[passive[REACH - 2] | passive[REACH - 3] & free[REACH - 1]] += _SPEECH
    found[words.quoted.take(at)] = 0.0
    return found


def speakers(words: Words, para: Ints, actor: Ints) -> Ints:
    """Return the actor that seems to speak in the paragraph of each pair, or `NOBODY`.

    Of the actors with any evidence it is the one with most, though the actor that is judged only
    where there is no other: few speak of themselves.
    """
    asked = np.zeros(len(words.first) - 1, np.bool_)
    asked[para] = True
    at = words.mentions[asked.take(words.para.take(words.mentions))]
    width = np.int64(words.who.max(initial=0)) + 1
    named, which = np.unique(words.para.take(at) * width + words.who.take(at), return_inverse=True)
    strength = np.bincount(which, evidence(words, at), len(named))
    named, strength = named[strength > 0], strength[strength > 0]
    # The candidates of each pair by growing strength, but the judged actor before all others.
    low, high = (np.searchsorted(named, (para + end) * width) for end in (0, 1))
    counts = high - low
    owner = np.repeat(np.arange(len(para)), counts)
    candidate = stretches(low, counts)
    who = named.take(candidate) % width
    order = np.lexsort((strength.take(candidate), who != actor.take(owner), owner))
    found = np.full(len(para), NOBODY)
    found[owner[order]] = who[order]  # the last one of each pair stays
    return found


def codes(kind: Ints, words: Words, para: Ints, actor: Ints) -> Ints:
    """Return whose stance that of each pair is, from its kind: a number in the order of `Holder`.

    It is `AUTHOR`, `OTHER`, or ``len(NAMES)`` plus the number of an actor. Where an actor should
    hold the stance but none seems to speak, it is `OTHER`.
    """
    found = np.array([AUTHOR, OTHER, OTHER]).take(kind)
    spoken = np.flatnonzero(kind == ACTOR_KIND)
    speaker = speakers(words, para[spoken], actor[spoken])
    found[spoken] = np.where(speaker >= 0, speaker + len(NAMES), OTHER)
    return found


def named_codes(book: ActorBook, code: Ints, actors: Sequence[str]) -> tuple[Ints, tuple[str, ...]]:
    """Return codes and the names that they stand for.

    A judged actor that the book did not find (its number is ``len(book)``) gets its own name.
    """
    names = [*NAMES, *book.names]
    own = np.flatnonzero(code == len(names))
    for pair in own.tolist():
        number = book.number(actors[pair])
        code[pair] = number + len(NAMES) if number >= 0 else len(names)
        names += [actors[pair]] if number < 0 else []
    return code, tuple(map(str, names))


def name_held(reader: Reader, query: Query, kind: Ints) -> list[str]:
    """Return whose stance that of each pair is, from its kind."""
    found: list[str] = []
    for part in query.batches():
        rows = slice(len(found), len(found) + len(part))
        words, para = part.read(reader)
        code = codes(kind[rows], words, para, part.actor)
        code, names = named_codes(reader.book, code, part.names)
        found += [names[number] for number in code.tolist()]
    return found
