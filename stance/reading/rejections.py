"""What a text takes back: "it is a myth that Peru lies", "Peru is a friend. But it lies".

Who rejects a charge defends whom it is against, who rejects praise speaks against the praised::

    Chile denied that Peru lies.          Chile rejects what follows "that"
    The charge against Peru is absurd.    the author rejects it; "absurd" does not judge Peru
    Chile called the charge an insult.    Chile
    Chile falsely accused Peru.           the author
"""

import re
from bisect import bisect

import numpy as np

from stance.reading.clauses import Phrases
from stance.reading.constructions import Evaluations
from stance.reading.cues import Cues
from stance.reading.tokens import GAP_OTHER
from stance.reading.voices import OTHER, Ends
from stance.reading.words import Words

_VERDICT, _CALLED = re.compile("b(?:p|oy)?([^.,RFHOn])"), re.compile("K([^.,R])")
_NOT = re.compile("n[hmbx]*$")
_BACK = 5  # phrases between "that" and the claim it belongs to, or a claim and who rejects it


class Rejections(Evaluations):
    """Sentences, and what some of them take back."""

    def __init__(self, words: Words, phrases: Phrases, cues: Cues) -> None:
        super().__init__(words, phrases, cues)
        self.rejecters = dict[int, Ends]()
        """Who rejects what a phrase tells of, nobody where that is unsure; else no entry."""
        self.verdicts = set[int]()
        """Words that judge a claim, not an actor: "the charge against Peru is absurd"."""
        sentence = words.sentence
        unjust, breaking = phrases.signals["unjust"], phrases.signals["breaking"]
        apart = words.gap.take(breaking - 1) == GAP_OTHER
        apart |= sentence.take(breaking - 1) != sentence.take(breaking)
        self._turns = sorted([*phrases.signals["turning"].tolist(), *breaking[apart].tolist()])
        self._unjust = dict(zip(unjust.tolist(), sentence.take(unjust).tolist(), strict=True))
        ends = words.gap.take(unjust) == GAP_OTHER
        ends |= sentence.take(unjust + 1, mode="clip") != sentence.take(unjust)
        last = unjust[ends]  # ", quite unfairly."
        self._afterthoughts = dict(zip(sentence.take(last).tolist(), last.tolist(), strict=True))
        stops = np.flatnonzero(np.frombuffer(self.tags.encode(), np.uint8) == ord("."))
        stopped = sentence.take(np.asarray(phrases.word).take(stops))
        rejecting = np.isin(stopped, sentence.take(phrases.signals["rejection"]))
        for stop in stops[rejecting].tolist():
            self._read_sentence(self.tags.rfind(".", 0, stop) + 1, stop)

    def unfair(self, place: int) -> bool:
        """Tell whether a phrase such as "it would be wrong to" makes what follows untrue."""
        return (
            self.tags[place] == "C"
            and self.spelling(self.phrases.last[place] - 1) in self.lists["unfair"]
        )

    def falsely(self, verb: int) -> bool:
        """Tell whether a verb means an unjust charge: "slandered", "falsely accused"."""
        if self.tags[verb] in "ck" and self._untrue(verb):
            return True
        word = self.phrases.word[verb]
        sentence = int(self.words.sentence[word])
        near = map(self._unjust.get, (word - 1, word, word + 1))
        return sentence in near or self._afterthoughts.get(sentence, -1) > word

    def taken_back(self, last: int, polarity: int, actor: int) -> bool:
        """Tell whether a paragraph takes back a judgement: "a friend. But it lies".

        ``last`` is the word with which it ends. What follows the turn is about nobody else, and
        says the opposite on the whole.
        """
        number, words = bisect(self._turns, last), self.words
        if actor < 0 or number == len(self._turns):
            return False
        turn, end = self._turns[number], int(words.first[words.para[last] + 1])
        if turn >= end or polarity * int(words.sign[turn:end].sum()) >= 0:
            return False
        who = words.who[turn:end]
        return not ((who >= 0) & (who != actor)).any()

    def _read_sentence(self, low: int, stop: int) -> None:
        """Read who rejects what in a sentence."""
        for hit in _VERDICT.finditer(self.tags, low, stop + 1):
            if self._untrue(hit.start(1)) or self.is_in(hit.start(1), "unfair"):
                self._read_verdict(low, hit.start(), hit.start(1))
        for hit in _CALLED.finditer(self.tags, low, stop + 1):
            if self.is_in(hit.start(1), "claims"):
                self._read_called(hit.start(), hit.start(1), stop)
        for that in range(low, stop):
            word = self.lower(that) if self.tags[that] == "R" else ""
            if word == "that" and that > low:
                self._read_clause(low, that, stop)
            elif word == "whether":
                self._reject(that, stop, [])

    def _denied(self, verb: int) -> bool:
        return bool(_NOT.search(self.tags, max(0, verb - 4), verb))

    def _untrue(self, place: int) -> bool:
        """Tell whether a phrase calls something untrue: "a myth", "false accusations"."""
        word, first = self.lower(place), self.lower_first(place)
        return not self.lists["untrue"].isdisjoint((word, first))

    def _reject(self, low: int, high: int, rejecters: Ends) -> None:
        for place in range(low, high):
            self.rejecters.setdefault(place, rejecters)

    def _read_clause(self, low: int, that: int, end: int) -> None:
        """Read who rejects what follows "that", if anyone does."""
        verb = that - 1
        if self.is_in(verb, "rejecting"):  # "denied that"
            self._read_verb(verb, that, end)
        elif self._disbelieves(verb):  # "do not believe that"
            self._reject(that, end, self.subjects(verb))
        elif self.unfair(verb - 1) or (  # "wrong to say that", "slander to say that"
            self.tags[verb - 1] == "t" and self.is_in(verb - 2, "unfair")
        ):
            self._reject(that, end, self.voice(verb))
        elif (claim := self._claim(low, verb)) is not None:
            self._read_claim(low, claim, that, end)

    def _disbelieves(self, verb: int) -> bool:
        phrase = self.last(verb)
        accepts = phrase in self.lists["accepting"]
        return accepts and (phrase != self.lower(verb) or self._denied(verb))

    def _claim(self, low: int, before: int) -> int | None:
        """Return the claim that a clause with "that" belongs to: "the charge by Iran that"."""
        for place in range(before, max(low - 1, before - _BACK), -1):
            if self.tags[place] in ",oVEGdegrSbR":
                return None
            if self.is_in(place, "claims") or self.is_in(place, "untrue"):
                return place
        return None

    def _read_claim(self, low: int, claim: int, that: int, end: int) -> None:
        """Read who rejects a claim: "rejected the charge that", "it is a myth that"."""
        if self.tags[claim - 1] == "n":
            if self.is_in(claim, "proofs"):  # "found no evidence that"
                self._reject(that, end, [])
            return
        for place in range(claim - 1, max(low - 1, claim - 1 - _BACK), -1):
            if self.is_in(place, "rejecting"):
                return self._read_verb(place, that, end)
            if self._disbelieves(place):  # "do not share the view that"
                return self._reject(that, end, self.subjects(place))
            if self.tags[place] == "n" and self.is_in(place + 1, "proofs"):  # "no truth in it that"
                return self._reject(that, end, self.voice(claim))
        if self._untrue(claim):
            self._reject(that, end, self.voice(claim))
        elif claim == low:  # "the charge that Peru lies" without a verdict
            self._reject(that, end, [])
        return None

    def _read_verb(self, verb: int, that: int, end: int) -> None:
        """Read who rejects: not sure where a minister does, who may be one of the accused."""
        if self._denied(verb):
            return
        subject, rejecters = self.subject(verb), self.subjects(verb)
        after = min(self.phrases.word[that] + 1, len(self.words.type) - 1)
        its = self.spelling(after) in self.lists["itself"]  # "denied that it had lied"
        others = self.is_in(verb, "disowning") and any(who == OTHER for who, _ in rejecters)
        if subject is None or its or others:
            rejecters = []
        self._reject(that, end, rejecters)

    def _read_verdict(self, low: int, be: int, verdict: int) -> None:
        """Read a claim before its verdict: "the charge that Peru lies is nonsense"."""
        tags = self.tags
        opens = tags[low] in "GB" or tags[low : low + 2] in ("tV", "tK")
        who = self.lower(low + 1) == "who"  # "critics who say so are wrong"
        opens |= self.lower(low) == "that" or who
        first = tags.rfind("SR", low, be) + 1 or low  # not "a statement said that it is a lie"
        claims = (j for j in range(first, be) if self.is_in(j, "claims") or self._untrue(j))
        start = low if opens else next(claims, None) if self._untrue(verdict) else None
        if start is not None:
            self._reject(start, be, self.voice(low if who else be))
            if tags[start] not in "aA":  # "Peru's claims are false"
                self.verdicts.add(verdict)

    def _read_called(self, verb: int, claim: int, end: int) -> None:
        """Read a claim and what it is called: "described the charge against Peru as an insult"."""
        for place in range(claim + 1, end + 1):
            if self._untrue(place) or self.is_in(place, "unfair"):
                return self._reject(claim, place, self.subjects(verb))
        return None
