"""What a text takes back: "it is a myth that Peru lies", "Peru is a friend. But it lies".

Who rejects a charge defends whom it is against, who rejects praise speaks against the praised.
"""

import re

import numpy as np

from stance.arrays import Ints
from stance.reading.cues import Cues
from stance.reading.tokens import GAP_OTHER
from stance.reading.voices import OTHER, Ends, Voices
from stance.reading.words import Words

_SIGNS = ("claims", "untrue", "unfair", "rejecting", "accepting", "proofs", "doubting")
"""The lists of words without one of which a sentence rejects nothing."""
_THAT = re.compile("R")
_VERDICT = re.compile("b(n?)(?:p|oy)?([^.,RFHO])")
_CALLED = re.compile("K([^.,R])")
_NOT = re.compile("n[hmbx]*$")
_BACK = 5  # phrases between "that" and the claim it belongs to, or a claim and who rejects it


class Rejections:
    """The rejected stretches of some sentences; places are indices into their phrases."""

    def __init__(self, voices: Voices, cues: Cues) -> None:
        self._voices, self._lists, self._tags = voices, cues.lists, voices.tags
        self.rejecters = dict[int, Ends]()
        """Who rejects what a phrase tells of, nobody where that is unsure; else no entry."""
        self.verdicts = set[int]()
        """Words that judge a claim, not an actor: "the charge against Peru is absurd"."""
        words = voices.words
        unjust = words.places(cues.lists["falsely"] | cues.lists["slandering"])
        sentences = words.sentence.take(unjust).tolist()
        self._unjust = dict(zip(unjust.tolist(), sentences, strict=True))
        last = np.append(words.sentence[1:] != words.sentence[:-1], True).take(unjust)
        last |= words.gap.take(unjust) == GAP_OTHER
        self._afterthoughts = {  # ", quite unfairly."
            sentence: word
            for (word, sentence), ends in zip(self._unjust.items(), last, strict=True)
            if ends
        }
        signs = frozenset[str]().union(*(cues.lists[name] for name in _SIGNS))
        signal = np.zeros(int(words.sentence.max(initial=-1)) + 1, np.bool_)
        signal[words.sentence.take(words.places(signs))] = True
        ends = np.flatnonzero(np.frombuffer(self._tags.encode(), np.uint8) == ord("."))
        begins = np.append(0, ends[:-1] + 1)
        rows = np.flatnonzero(
            signal.take(words.sentence.take(np.asarray(voices.phrases.word)[ends]))
        )
        for low, end in zip(begins[rows].tolist(), ends[rows].tolist(), strict=True):
            self._read_sentence(low, end + 1)

    def unfair(self, place: int) -> bool:
        """Tell whether a phrase such as "it would be wrong to" makes what follows untrue."""
        if self._tags[place] != "C":
            return False
        return self._voices.before_last(place) in self._lists["unfair"]

    def falsely(self, verb: int) -> bool:
        """Tell whether a verb means an unjust charge: "slandered", "falsely accused"."""
        if self._tags[verb] in "ck" and self._untrue(verb):
            return True
        if not self._unjust:
            return False
        word = self._voices.phrases.word[verb]
        sentence = int(self._voices.words.sentence[word])
        beside = (one for one in (word - 1, word, word + 1) if self._unjust.get(one) == sentence)
        return any(beside) or self._afterthoughts.get(sentence, -1) > word

    def _read_sentence(self, low: int, end: int) -> None:
        for hit in _VERDICT.finditer(self._tags, low, end):
            verdict = hit.start(2)
            if not hit[1] and (self._untrue(verdict) or self._is(verdict, "unfair")):
                self._read_verdict(hit.start(), verdict)
        for hit in _CALLED.finditer(self._tags, low, end):
            self._read_called(hit.start(), hit.start(1), end)
        for hit in _THAT.finditer(self._tags, low, end):
            if (word := self._voices.lower(hit.start())) == "that":
                self._read_clause(hit.start())
            elif word == "whether":
                self._reject(hit.start(), end - 1, [])

    def _denied(self, verb: int) -> bool:
        return bool(_NOT.search(self._tags, max(0, verb - 4), verb))

    def _is(self, place: int, name: str) -> bool:
        return self._voices.lower(place) in self._lists[name]

    def _untrue(self, place: int) -> bool:
        """Tell whether a phrase calls something untrue: "a myth", "false accusations"."""
        return self._is(place, "untrue") or self._voices.lower_first(place) in self._lists["untrue"]

    def _reject(self, low: int, high: int, rejecters: Ends) -> None:
        for place in range(low, high):
            self.rejecters.setdefault(place, rejecters)

    def _read_clause(self, that: int) -> None:
        """Read who rejects what follows "that", if anyone does."""
        tags, low = self._tags, self._tags.rfind(".", 0, that) + 1
        before = that - 1
        if before < low:
            return
        end = tags.index(".", that)
        if self._is(before, "rejecting"):  # "denied that"
            self._read_verb(before, that, end)
        elif self._disbelieves(before):  # "do not believe that"
            self._reject(that, end, self._voices.subjects(before))
        elif self._is(before, "saying") and self._wrong(before - 1, low):  # "wrong to say that"
            self._reject(that, end, self._voices.voice(before))
        elif (claim := self._claim(before, low)) is not None:
            self._read_claim(claim, that, end, low)

    def _disbelieves(self, verb: int) -> bool:
        phrase = self._voices.last(verb)
        denied = phrase != self._voices.lower(verb) or self._denied(verb)
        return denied and phrase in self._lists["accepting"]

    def _wrong(self, place: int, low: int) -> bool:
        """Tell whether something is called wrong: "it would be wrong to", "it is slander to"."""
        if self.unfair(place):
            return True
        return place > low and self._tags[place] == "t" and self._is(place - 1, "unfair")

    def _claim(self, before: int, low: int) -> int | None:
        """Return the claim that a clause with "that" belongs to: "the charge by Iran that"."""
        for place in range(before, max(low - 1, before - _BACK), -1):
            if self._tags[place] in ",oVEGdegrSbR":
                return None
            if self._is(place, "claims") or self._is(place, "untrue"):
                return place
        return None

    def _read_claim(self, claim: int, that: int, end: int, low: int) -> None:
        tags, voices = self._tags, self._voices
        if claim > low and tags[claim - 1] == "n":
            if self._is(claim, "proofs"):  # "found no evidence that"
                self._reject(that, end, [])
            return
        for place in range(claim - 1, max(low - 1, claim - 1 - _BACK), -1):
            if self._is(place, "rejecting"):
                return self._read_verb(place, that, end)
            if self._disbelieves(place):  # "do not share the view that"
                return self._reject(that, end, voices.subjects(place))
            if tags[place] == "n" and self._is(place + 1, "proofs"):  # "no truth in the claim that"
                return self._reject(that, end, voices.voice(claim))
            if tags[place] in ".,":
                break
        if self._untrue(claim):
            if claim - 2 >= low and tags[claim - 1] == "H":  # "considers it a fabrication that"
                return self._reject(that, end, voices.subjects(claim - 2))
            self._reject(that, end, voices.voice(claim))
        elif claim == low:  # "the charge that Peru lies" without a verdict
            self._reject(that, end, [])
        return None

    def _read_verb(self, verb: int, that: int, end: int) -> None:
        """Read who rejects: not sure where a minister does, who may be one of the accused."""
        subject = self._voices.subject(verb)
        if self._denied(verb):
            return None
        its = self._voices.beside(that, 1) in self._lists["itself"]  # "denied that it had lied"
        if subject is None or its:
            return self._reject(that, end, [])
        rejecters = self._voices.subjects(verb)
        unsure = self._is(verb, "disowning") or self._tags[subject] in "sH"
        if unsure and any(who == OTHER for who, _ in rejecters):
            rejecters = []
        return self._reject(that, end, rejecters)

    def _read_verdict(self, low: int, verdict: int) -> None:
        """Read a claim before its verdict: "the charge that Peru lies is nonsense"."""
        tags, begin = self._tags, self._tags.rfind(".", 0, low) + 1
        opens = tags[begin] in "GB" or tags[begin : begin + 2] in ("tV", "tK")
        opens |= tags[begin] == "R" and self._voices.lower(begin) == "that"
        claims = (j for j in range(begin, low) if self._is(j, "claims") or self._untrue(j))
        start = begin if opens else next(claims, None) if self._untrue(verdict) else None
        if start is not None:
            self._reject(start, low, self._voices.voice(low))
            if tags[start] not in "aA":  # "Peru's claims are false"
                self.verdicts.add(verdict)

    def _read_called(self, verb: int, claim: int, end: int) -> None:
        """Read a claim and what it is called: "described the charge against Peru as an insult"."""
        if not self._is(claim, "claims"):
            return
        for place in range(claim + 1, end):
            if self._untrue(place) or self._is(place, "unfair"):
                return self._reject(claim, place, self._voices.subjects(verb))
        return None


def conceded(words: Words, cues: Cues, last: Ints, polarity: Ints, actor: Ints) -> set[int]:
    """Return which of some judgements their paragraph takes back: "a friend. But it lies".

    ``last`` has the word with which each ends. What follows the turn is about nobody else, and
    says the opposite on the whole.
    """
    breaking = words.places(cues.lists["breaking"])
    breaking = breaking[breaking > 0]
    apart = words.gap.take(breaking - 1) == GAP_OTHER
    apart |= words.sentence.take(breaking - 1) != words.sentence.take(breaking)
    turns = np.sort(np.append(words.places(cues.lists["turning"]), breaking[apart]))
    if not len(turns):
        return set()
    turn = turns.take(np.searchsorted(turns, last, "right"), mode="clip")
    follows = (turn > last) & (words.para.take(turn) == words.para.take(last)) & (actor >= 0)
    taken_back = set[int]()
    for number in np.flatnonzero(follows).tolist():
        rest = slice(int(turn[number]), int(words.first[words.para[last[number]] + 1]))
        others = (words.who[rest] >= 0) & (words.who[rest] != actor[number])
        if not others.any() and polarity[number] * int(words.sign[rest].sum()) < 0:
            taken_back.add(number)
    return taken_back
