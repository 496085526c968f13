"""What a text takes back: "it is a myth that Peru lies", "Peru is a friend. But it lies".

Who rejects a charge defends whom it is against, who rejects praise speaks against the praised::

    Chile denied that Peru lies.          Chile rejects what follows "that"
    The charge against Peru is absurd.    the author rejects it; "absurd" does not judge Peru
    Chile called the charge an insult.    Chile
    Chile falsely accused Peru.           the author
"""

import re
from bisect import bisect
from collections.abc import Mapping

import numpy as np

from stance.arrays import Ints
from stance.reading.cues import Cues
from stance.reading.tokens import GAP_OTHER
from stance.reading.voices import OTHER, Ends, Voices
from stance.reading.words import Reader, Words

_SIGNALS = {
    # Without one of these a sentence rejects nothing.
    "rejection": ("claims", "untrue", "unfair", "rejecting", "accepting", "proofs", "doubting"),
    "unjust": ("falsely", "slandering"),
    **{name: (name,) for name in ("turning", "breaking", "unlike")},
}
_THAT = re.compile("R")
_VERDICT = re.compile("b(n?)(?:p|oy)?([^.,RFHO])")
_CALLED = re.compile("K([^.,R])")
_NOT = re.compile("n[hmbx]*$")
_BACK = 5  # phrases between "that" and the claim it belongs to, or a claim and who rejects it


class Signals:
    """Finds words that may turn a judgement; looks up their spellings once for all batches."""

    def __init__(self, reader: Reader, cues: Cues) -> None:
        self._numbers = dict[str, Ints]()
        for name, lists in _SIGNALS.items():
            words = [word for part in lists for word in cues.lists[part]]
            self._numbers[name] = reader.types.find([*words, *map(str.capitalize, words)])

    def find(self, words: Words) -> dict[str, Ints]:
        """Return the words of a batch that are in each of the `_SIGNALS`."""
        bits = np.zeros(len(words.types), np.uint8)
        for bit, numbers in enumerate(self._numbers.values()):
            bits[numbers] |= 1 << bit
        bits = bits.take(words.type)
        place = np.flatnonzero(bits)
        bits = bits[place]
        return {name: place[(bits >> bit & 1) > 0] for bit, name in enumerate(self._numbers)}


class Rejections:
    """What some sentences take back; places are indices into their phrases."""

    def __init__(self, voices: Voices, signals: Mapping[str, Ints]) -> None:
        self._voices, self._tags = voices, voices.tags
        self._lists, self._is_in = voices.lists, voices.is_in
        self.rejecters = dict[int, Ends]()
        """Who rejects what a phrase tells of, nobody where that is unsure; else no entry."""
        self.verdicts = set[int]()
        """Words that judge a claim, not an actor: "the charge against Peru is absurd"."""
        words, unjust, breaking = voices.words, signals["unjust"], signals["breaking"]
        gap, sentence = words.gap, words.sentence
        apart = gap.take(breaking - 1) == GAP_OTHER
        apart |= sentence.take(breaking - 1) != sentence.take(breaking)
        self._turns = sorted([*signals["turning"].tolist(), *breaking[apart].tolist()])
        self._unjust = dict(zip(unjust.tolist(), sentence.take(unjust).tolist(), strict=True))
        ends = gap.take(unjust) == GAP_OTHER
        ends |= sentence.take(unjust + 1, mode="clip") != sentence.take(unjust)
        last = unjust[ends]  # ", quite unfairly."
        self._afterthoughts = dict(zip(sentence.take(last).tolist(), last.tolist(), strict=True))
        rejecting = np.zeros(int(sentence[-1]) + 1, np.bool_)
        rejecting[sentence.take(signals["rejection"])] = True
        stops = np.flatnonzero(np.frombuffer(self._tags.encode(), np.uint8) == ord("."))
        stopped = sentence.take(np.asarray(voices.phrases.word).take(stops))
        for stop in stops[rejecting.take(stopped)].tolist():
            self._read_sentence(self._tags.rfind(".", 0, stop) + 1, stop)

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
        near = map(self._unjust.get, (word - 1, word, word + 1))
        return sentence in near or self._afterthoughts.get(sentence, -1) > word

    def taken_back(self, last: int, polarity: int, actor: int) -> bool:
        """Tell whether a paragraph takes back a judgement: "a friend. But it lies".

        ``last`` is the word with which it ends. What follows the turn is about nobody else, and
        says the opposite on the whole.
        """
        number, words = bisect(self._turns, last), self._voices.words
        if actor < 0 or number == len(self._turns):
            return False
        turn, end = self._turns[number], int(words.first[words.para[last] + 1])
        if turn >= end or polarity * int(words.sign[turn:end].sum()) >= 0:
            return False
        who = words.who[turn:end]
        return not ((who >= 0) & (who != actor)).any()

    def _read_sentence(self, low: int, stop: int) -> None:
        for hit in _VERDICT.finditer(self._tags, low, stop + 1):
            verdict = hit.start(2)
            if not hit[1] and (self._untrue(verdict) or self._is_in(verdict, "unfair")):
                self._read_verdict(low, hit.start(), verdict)
        for hit in _CALLED.finditer(self._tags, low, stop + 1):
            if self._is_in(hit.start(1), "claims"):
                self._read_called(hit.start(), hit.start(1), stop)
        for hit in _THAT.finditer(self._tags, low, stop):
            if (word := self._voices.lower(hit.start())) == "that":
                self._read_clause(low, hit.start(), stop)
            elif word == "whether":
                self._reject(hit.start(), stop, [])

    def _denied(self, verb: int) -> bool:
        return bool(_NOT.search(self._tags, max(0, verb - 4), verb))

    def _untrue(self, place: int) -> bool:
        """Tell whether a phrase calls something untrue: "a myth", "false accusations"."""
        word, first = self._voices.lower(place), self._voices.lower_first(place)
        return not self._lists["untrue"].isdisjoint((word, first))

    def _reject(self, low: int, high: int, rejecters: Ends) -> None:
        for place in range(low, high):
            self.rejecters.setdefault(place, rejecters)

    def _read_clause(self, low: int, that: int, end: int) -> None:
        """Read who rejects what follows "that", if anyone does."""
        verb = that - 1
        if verb < low:
            return
        if self._is_in(verb, "rejecting"):  # "denied that"
            self._read_verb(verb, that, end)
        elif self._disbelieves(verb):  # "do not believe that"
            self._reject(that, end, self._voices.subjects(verb))
        elif self._is_in(verb, "saying") and self._wrong(verb - 1, low):  # "wrong to say that"
            self._reject(that, end, self._voices.voice(verb))
        elif (claim := self._claim(low, verb)) is not None:
            self._read_claim(low, claim, that, end)

    def _disbelieves(self, verb: int) -> bool:
        phrase = self._voices.last(verb)
        accepts = phrase in self._lists["accepting"]
        return accepts and (phrase != self._voices.lower(verb) or self._denied(verb))

    def _wrong(self, place: int, low: int) -> bool:
        """Tell whether something is called wrong: "it would be wrong to", "it is slander to"."""
        if self.unfair(place):
            return True
        return place > low and self._tags[place] == "t" and self._is_in(place - 1, "unfair")

    def _claim(self, low: int, before: int) -> int | None:
        """Return the claim that a clause with "that" belongs to: "the charge by Iran that"."""
        for place in range(before, max(low - 1, before - _BACK), -1):
            if self._tags[place] in ",oVEGdegrSbR":
                return None
            if self._is_in(place, "claims") or self._is_in(place, "untrue"):
                return place
        return None

    def _read_claim(self, low: int, claim: int, that: int, end: int) -> None:
        """Read who rejects a claim: "rejected the charge that", "it is a myth that"."""
        tags, voices = self._tags, self._voices
        if claim > low and tags[claim - 1] == "n":
            if self._is_in(claim, "proofs"):  # "found no evidence that"
                self._reject(that, end, [])
            return
        for place in range(claim - 1, max(low - 1, claim - 1 - _BACK), -1):
            if self._is_in(place, "rejecting"):
                return self._read_verb(place, that, end)
            if self._disbelieves(place):  # "do not share the view that"
                return self._reject(that, end, voices.subjects(place))
            if tags[place] == "n" and self._is_in(place + 1, "proofs"):  # "no truth in it that"
                return self._reject(that, end, voices.voice(claim))
            if tags[place] in ".,":
                break
        if self._untrue(claim):
            # "considers it a fabrication that"
            considers = claim - 2 >= low and tags[claim - 1] == "H"
            rejecters = voices.subjects(claim - 2) if considers else voices.voice(claim)
            self._reject(that, end, rejecters)
        elif claim == low:  # "the charge that Peru lies" without a verdict
            self._reject(that, end, [])
        return None

    def _read_verb(self, verb: int, that: int, end: int) -> None:
        """Read who rejects: not sure where a minister does, who may be one of the accused."""
        if self._denied(verb):
            return
        subject, rejecters = self._voices.subject(verb), self._voices.subjects(verb)
        its = self._voices.beside(that, 1) in self._lists["itself"]  # "denied that it had lied"
        if subject is None or its:
            rejecters = []
        elif self._is_in(verb, "disowning") or self._tags[subject] in "sH":
            rejecters = [] if any(who == OTHER for who, _ in rejecters) else rejecters
        self._reject(that, end, rejecters)

    def _read_verdict(self, low: int, be: int, verdict: int) -> None:
        """Read a claim before its verdict: "the charge that Peru lies is nonsense"."""
        tags = self._tags
        opens = tags[low] in "GB" or tags[low : low + 2] in ("tV", "tK")
        opens |= tags[low] == "R" and self._voices.lower(low) == "that"
        first = tags.rfind("SR", low, be) + 1 or low  # not "a statement said that it is a lie"
        claims = (j for j in range(first, be) if self._is_in(j, "claims") or self._untrue(j))
        start = low if opens else next(claims, None) if self._untrue(verdict) else None
        if start is not None:
            self._reject(start, be, self._voices.voice(be))
            if tags[start] not in "aA":  # "Peru's claims are false"
                self.verdicts.add(verdict)

    def _read_called(self, verb: int, claim: int, end: int) -> None:
        """Read a claim and what it is called: "described the charge against Peru as an insult"."""
        for place in range(claim + 1, end + 1):
            if self._untrue(place) or self._is_in(place, "unfair"):
                return self._reject(claim, place, self._voices.subjects(verb))
        return None
