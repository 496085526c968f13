"""Features of (paragraph, actor) pairs, whose words are laid out here once per actor.

Each pair has entries of its own::

    paragraph       NATO warned Russia again
    word            0    1      2      3        index into the per-word arrays of `Words`
    pair            0  0  0  0 | 1  1  1  1     (paragraph, NATO), (paragraph, Russia)
    Pairs.row       0  0  0  0 | 1  1  1  1
    Pairs.word      0  1  2  3 | 0  1  2  3
    Pairs.mention   0                  6        entries that name the actor judged
    Pairs.steps     0 -1 -2 -3 | 2  1  0 -1     words to the nearest mention of that actor
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.arrays import Bools, Bytes, Floats, Ints, Ints32, Keys, stretches
from stance.reading import lexicon
from stance.reading.words import Words

FAR = 1 << 30  # least distance in words if the actor is not mentioned: beyond any text
DECAY = 4.0  # distance in words that halves a weight: weight = 1 / (1 + distance / DECAY)
SHORT = 30  # words of a paragraph that counts as short
REACH = 4  # words to either side of a mention that can be looked at

ROLES = (
    *("speaker", "agent", "possessive", "compound", "place", "list", "prepositional"),
    *("subject", "object", "other"),
)
"""Grammatical roles of a mention, by surface signs; the first that fits counts."""


@dataclass(frozen=True)
class Pairs:
    """The words of each pair, as drawn above."""

    words: Words
    count: int
    first: Ints  # entry of each pair, and the number of entries
    mention: Ints  # entries that name the actor judged
    owner: Ints  # pair of each mention
    para: Ints  # paragraph of each pair
    actor: Ints  # number of the actor judged
    named: Keys | None = None  # key of its name, also if it is not in the book

    @cached_property
    def row(self) -> Ints32:
        """Pair of each entry."""
        return np.repeat(np.arange(self.count, dtype=np.int32), np.diff(self.first))

    @cached_property
    def word(self) -> Ints:
        """Index into `Words` of each entry."""
        return stretches(self.words.first.take(self.para), np.diff(self.first))

    @cached_property
    def steps(self) -> Ints32:
        """Words from each entry to the nearest mention of the actor, negative to the left.

        Of two equally near mentions the left one counts; without any, ``-FAR`` or less.
        """
        # A mention's cell ends half way to the next one; who is not named is far before the text.
        alone = np.flatnonzero(~self.mentioned())
        place = np.searchsorted(self.owner, alone)
        centre = np.insert(self.mention, place, self.first[alone] - FAR)
        pair = np.insert(self.owner, place, alone)
        begin = self.first.take(pair)
        half = centre[:-1] + np.diff(centre) // 2
        np.copyto(begin[1:], half + 1, where=pair[1:] == pair[:-1])
        sizes = np.diff(begin, append=self.first[-1])
        steps = np.repeat(centre.astype(np.int32), sizes)
        steps -= np.arange(len(steps), dtype=np.int32)
        return steps

    def mentioned(self) -> Bools:
        """Return which pairs' actors are named; for the others a model says `uncertain`."""
        return np.bincount(self.owner, minlength=self.count) > 0

    @cached_property
    def sentences(self) -> tuple[Ints, Ints32]:
        """Pair and number of each sentence that names the actor judged, once per pair."""
        sentence = self.words.sentence.take(self.word.take(self.mention))
        new = np.flatnonzero(np.diff(sentence, prepend=-1) | np.diff(self.owner, prepend=-1))
        return self.owner.take(new), sentence.take(new)

    @cached_property
    def nearness(self) -> Floats:
        """Weight of each entry: 1 at the actor, or everywhere if it is not named."""
        longest = int(np.diff(self.first).max(initial=0))
        table = 1 / (1 + np.arange(longest + 1) / DECAY)
        table[-1] = 1.0  # for `FAR`
        return table.take(np.abs(self.steps), mode="clip")

    @cached_property
    def classed(self) -> "Classed":
        """The words that have a lexicon category; no name has one."""
        return Classed(self)

    @cached_property
    def surroundings(self) -> "Surroundings":
        """Words around the mentions of the actor judged."""
        return Surroundings(self.words, self.owner, self.word.take(self.mention))


def lay_out(words: Words, para: Ints, actor: Ints, named: Keys | None = None) -> Pairs:
    """Lay out the words of every pair.

    ``para`` never decreases. An ``actor`` is a number in the book, ``len(book)`` if spans say where
    it is named, or `NOBODY` to read the paragraph without one. Features that exist once per actor
    go by the keys in ``named``, or else by the number in the book.
    """
    first = np.append(0, np.cumsum(np.diff(words.first).take(para)))
    entry, owner, which = entries(words, words.mentions, para, first)
    mine = words.who.take(words.mentions).take(which) == actor.take(owner)
    return Pairs(words, len(para), first, entry[mine], owner[mine], para, actor, named)


def entries(words: Words, chosen: Ints, para: Ints, first: Ints) -> tuple[Ints, Ints, Ints]:
    """Return the entries of chosen words in all pairs, the pair of each, and which word it is."""
    bounds = np.searchsorted(chosen, words.first)
    counts = np.diff(bounds).take(para)
    owner = np.repeat(np.arange(len(para)), counts)
    which = stretches(bounds.take(para), counts)
    shift = first[:-1] - words.first.take(para)
    return chosen.take(which) + np.repeat(shift, counts), owner, which


def run_starts(row: NDArray[Any]) -> Ints:
    """Return where another row begins."""
    return np.flatnonzero(np.append(True, row[1:] != row[:-1])[: len(row)])


class Classed:
    """Words with a lexicon category in all pairs, and their relation to the nearest mention."""

    def __init__(self, pairs: Pairs) -> None:
        words = pairs.words
        entry, self.row, self.which = entries(words, words.classed, pairs.para, pairs.first)
        self.word = words.classed.take(self.which)
        steps = pairs.steps.take(entry) if len(pairs.mention) else np.full(len(entry), -FAR)
        self.distance = np.abs(steps)  # `FAR` or more without a mention
        self.named = self.distance < FAR  # there is a mention
        steps *= self.named
        there = self.word + steps
        names = np.cumsum(words.name)
        low, high = np.minimum(self.word, there), np.maximum(self.word, there)
        self.values = {
            "category": words.category.take(self.word),
            "turned": words.negated.take(self.word),
            "sign": words.sign.take(self.word) + 1,
            "quoted": words.quoted.take(self.word),
            "side": np.where(self.named, 2 - (steps > 0), 0),  # the mention is to the right
            # It stands in the sentence of the mention; another name stands between.
            "same": self.named & (words.sentence.take(there) == words.sentence.take(self.word)),
            "crossed": (low < high) & (names.take(low) < names.take(high - 1)),
        }


class Surroundings:
    """The neighbours of mentions, within the mention's sentence.

    Row ``REACH + step`` of the arrays of shape (2 * REACH + 1, n_mentions) is what stands so many
    words to the right of each mention, or to the left if negative.
    """

    def __init__(self, words: Words, row: NDArray[Any], centre: NDArray[Any]) -> None:
        self.row, self.centre = row, centre  # pair of each mention, and its word
        step = np.arange(-REACH, REACH + 1)[:, None]
        self.there: Ints = np.clip(self.centre + step, 0, len(words.type) - 1)
        # Paragraphs share no sentence, so the test keeps to the paragraph too.
        same = words.sentence.take(self.there) == words.sentence.take(self.centre)
        self.inside: Bools = (self.there == self.centre + step) & same
        self.name: Bools = self.inside & words.name.take(self.there)
        self._words = words

    @cached_property
    def role(self) -> Ints:
        """Role of each mention, as an index into `ROLES`."""
        words = self._words
        before, before_does, _ = self._neighbour(-1)
        after, after_does, after_small = self._neighbour(1)
        step = np.where(before & lexicon.DETERMINER > 0, -2, -1)
        previous, previous_does, previous_small = self._neighbour(step)
        joined = (before & lexicon.CONJUNCTION > 0) & self.name[REACH - 2]
        joined |= (after & lexicon.CONJUNCTION > 0) & self.name[REACH + 2]
        demonym = words.alias_kind.take(self.centre) == 1
        tests = (
            (after_does & lexicon.REPORTING > 0) & ~demonym | (before_does & lexicon.REPORTING > 0),
            previous & lexicon.BY > 0,
            words.possessive.take(self.centre),
            demonym & after_small & (after_does & lexicon.PREPOSITION == 0),
            previous & lexicon.PLACE > 0,
            joined,
            previous_does & lexicon.PREPOSITION > 0,
            ~self.inside[REACH - 1] | (after_does & lexicon.HYPOTHETICAL > 0),
            previous_small,
        )
        return np.select(tests, [*range(len(tests))], len(ROLES) - 1)

    def _neighbour(self, step: int | Ints) -> tuple[Bytes, Bytes, Bools]:
        """Return grammar, functions and lower case of a word per mention; 0 beyond the sentence."""
        column = np.arange(len(self.centre))
        there, inside = self.there[REACH + step, column], self.inside[REACH + step, column]
        words = self._words
        grammar, functions = words.column("grammar", there), words.functions.take(there)
        return grammar * inside, functions * inside, inside & ~words.column("capital", there)
