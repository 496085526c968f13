"""Whom a doubtful mention means, by what its paragraph names before or beside it.

::

    Tom Price met aides. Price left.        whose surname it is
    NATO met in Oslo. The alliance said     the last organisation named
    Peru thanked Chile. Both countries      the only states named
    Georgia Smith                           nobody, for another name stands beside it
"""

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from stance.arrays import Ints, Ints32
from stance.reading.actor_tables import ALWAYS, Actor
from stance.reading.names import Place, name_words, person_spans
from stance.reading.string_table import StringTable
from stance.reading.tokens import GAP_SPACE, Tokens


class Alias(NamedTuple):
    """What is known of an alias."""

    kind: str
    actors: tuple[int, ...]  # several that share a surname or are referred to alike
    terms: Sequence[tuple[int, int]] = ALWAYS  # first and last month of each
    alone: bool = False  # no name may stand beside it
    article: bool = False  # "the" must stand before it
    pair: bool = False  # it names two of its actors at once


class References:
    """Whom the mentions of a batch mean; ``place`` has their first and last words, in order.

    Attributes
    ----------
    actor, partner : ndarray of shape (n_mentions,)
        Number in the book, and that of the other one of "both countries"; -1 for nobody.
    """

    def __init__(
        self,
        actors: Sequence[Actor],
        tokens: Tokens,
        types: StringTable,
        place: tuple[Ints, Ints],
        actor: Ints32,
    ) -> None:
        self.actor, self.partner = actor, np.full_like(actor, -1)
        self._actors, self._tokens, self._types = actors, tokens, types
        self._first, self._last = first, _ = place
        self._para, self._sentence = tokens.para.take(first), tokens.sentence.take(first)
        self._named, self._next = _Named(actors), 0  # and the first mention that it lacks
        self._surnames = dict[tuple[int, tuple[int, ...]], dict[Place, int]]()

    def resolve(self, mention: int, alias: Alias) -> None:
        """Correct whom a doubtful mention names; those before it must be right."""
        if alias.kind == "surname":
            self.actor[mention] = self._bearer(mention, alias)
        elif alias.article and not self._behind_the(mention):
            self.actor[mention] = -1
        elif alias.kind == "refers":
            named = self._named_before(mention)
            if alias.pair:
                self.partner[mention], self.actor[mention] = named.two_states()
            else:
                self.actor[mention] = named.last_like(alias.actors)
        elif self._beside_a_name(mention):
            self.actor[mention] = -1

    def _bearer(self, mention: int, alias: Alias) -> int:
        """Return whose a surname is, -1 if it is nobody's or could be several's."""
        para, first, last = int(self._para[mention]), self._first[mention], self._last[mention]
        if (bearers := self._surnames.get((para, alias.actors))) is None:
            bearers = self._surnames[para, alias.actors] = dict[Place, int]()
            text = self._tokens.texts[para]
            for number in alias.actors:
                actor = self._actors[number]
                names = [actor.name, *actor.aliases.get("name", ())]
                spans = (person_spans(text, names, name) for name in actor.aliases["surname"])
                for place in set(chain.from_iterable(spans)):
                    bearers[place] = -1 if place in bearers else number
        return bearers.get((int(self._tokens.start[first]), int(self._tokens.end[last])), -1)

    def _named_before(self, mention: int) -> "_Named":
        """Return whom the paragraph of a mention names before it."""
        begin = int(self._para.searchsorted(self._para[mention]))
        if begin >= self._next:
            self._named, self._next = _Named(self._actors), begin
        columns = (self._sentence, self.partner, self.actor)
        new = (column[self._next : mention].tolist() for column in columns)
        for sentence, *actors in zip(*new, strict=True):
            self._named.add(sentence, *actors)
        self._named.add(int(self._sentence[mention]))
        self._next = mention
        return self._named

    def _behind_the(self, mention: int) -> bool:
        word = self._types.strings[self._tokens.type[self._first[mention] - 1]]
        return word.lower() == "the" and not self._tokens.sentence_start[self._first[mention]]

    def _beside_a_name(self, mention: int) -> bool:
        """Return whether a capitalised word of its sentence stands directly beside a mention."""
        tokens, types = self._tokens, self._types
        before, last = self._first[mention] - 1, self._last[mention]

        def joined(left: int) -> bool:
            return bool(tokens.gap[left] == GAP_SPACE and not tokens.clitic[left])

        if joined(last) and types["capital"][tokens.type[last + 1]]:
            return True
        if tokens.sentence_start[before + 1] or not joined(before):
            return False
        word, opens = types.strings[tokens.type[before]], tokens.sentence_start[before]
        return word[0].isupper() and not (opens and word.lower() in name_words()["openers"])


class _Named:
    """Whom a paragraph names up to a place."""

    def __init__(self, actors: Sequence[Actor]) -> None:
        self._actors = actors
        self._latest = dict[int, None]()  # as an ordered set: who is named last stands last
        self._now, self._before = set[int](), set[int]()  # of this sentence and of the one before
        self._sentence = -1

    def add(self, sentence: int, *actors: int) -> None:
        """Go on to a sentence and the actors named there, -1 for nobody."""
        if sentence != self._sentence:
            self._before = self._now if sentence == self._sentence + 1 else set()
            self._now, self._sentence = set(), sentence
        for actor in actors:
            if actor >= 0:
                self._latest.pop(actor, None)
                self._latest[actor] = None
                self._now.add(actor)

    def last_like(self, actors: Sequence[int]) -> int:
        """Return the last named of the kind of some actors if it is one of them, else -1."""
        kinds = {self._actors[number].kind for number in actors}
        named = (who for who in reversed(self._latest) if self._actors[who].kind in kinds)
        who = next(named, -1)
        return who if who in actors else -1

    def two_states(self) -> tuple[int, int]:
        """Return which two states "both countries" are, the last named last; -1 twice if none.

        They are the only ones named so far in the paragraph, or in this sentence, or else in the
        sentence before.
        """
        pair = [who for who in self._latest if self._actors[who].kind == "state"]
        if len(pair) > 2:
            now = [who for who in pair if who in self._now]
            before = [who for who in pair if who in self._before]
            pair = now if len(now) == 2 else before if {*now} <= {*before} else []
        return (pair[0], pair[1]) if len(pair) == 2 else (-1, -1)
