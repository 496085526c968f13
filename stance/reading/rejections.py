"""What a text denies or takes back.

Who rejects a charge defends whom it is against, who rejects praise speaks against the praised::

    Chile denied that Peru lies.          Chile rejects what follows "that"
    The charge against Peru is absurd.    the author rejects it; "absurd" does not judge Peru
    Chile falsely accused Peru.           the author
"""

import re
from bisect import bisect, insort

import numpy as np

from stance.arrays import among
from stance.reading.clauses import Phrases
from stance.reading.cues import Cues
from stance.reading.tokens import GAP_OTHER
from stance.reading.voices import Ends, Voices
from stance.reading.words import Words

_VERDICT, _NEXT = re.compile("b(?:p|oy)?([^.,RFHOn])"), re.compile(",(?=[FAH][hmbode])|[.]")
_NOT = re.compile("n[hmbx]*$|(?<![^.,])n[^.,]{0,8}m$")
_UNSAID = re.compile("(?<![^.,])(?:n[^.,]{0,8}m|Nn|mno?[NH]?b?|no[NH]b?|onN?|z)[SU][FN]?$")
_THAT = re.compile("R|(?<=[CKSV])[AF](?=[bhmeocdgrEGKPSV])")  # or none: "I doubt Peru lied"
_CONCEDED = re.compile(
    r"(?<![^.])([NoJ]),[^.,]*,(?=\+|[HAR](?!S))|(?<![^.,])[^.,]+,F?([SoNJ])[RFN]?(?=[,&.])"
)
DOUBTS = ("doubt", "doubts", "believe", "believes", "think", "thinks", "thought")
_CONCEDING, _OURS = ("although", "though", "while", "whereas"), ("i", "we")
_BACK = 5  # phrases between "that" and the claim it belongs to, or a claim and who rejects it


class Rejections(Voices):
    """Sentences, and what some of them take back."""

    def __init__(self, words: Words, phrases: Phrases, cues: Cues) -> None:
        super().__init__(words, phrases, cues)
        self.rejecters = dict[int, Ends]()
        """Who rejects what a phrase tells of, nobody where that is unsure; else no entry."""
        self.spent = set[int]()
        """Cues that judge nothing more, as verdicts on claims: "the charge is absurd"."""
        sentence = words.sentence
        unjust, breaking = phrases.signals["unjust"], phrases.signals["breaking"]
        apart = words.gap.take(breaking - 1) == GAP_OTHER
        apart |= sentence.take(breaking - 1) != sentence.take(breaking)
        self._turns = sorted([*phrases.signals["turning"].tolist(), *breaking[apart].tolist()])
        for hit in re.finditer(r"\+[^.,]+,", self.tags):  # "Although I dislike Peru, it helped us"
            if self.lower(hit.start()) in _CONCEDING and self.lower_first(hit.start() + 1) in _OURS:
                insort(self._turns, self.phrases.word[hit.end() - 1] + 1)
        self._unjust = dict(zip(unjust.tolist(), sentence.take(unjust).tolist(), strict=True))
        stops = np.flatnonzero(np.frombuffer(self.tags.encode(), np.uint8) == ord("."))
        stopped = sentence.take(np.asarray(phrases.word).take(stops))
        rejecting = among(stopped, sentence.take(phrases.signals["rejection"]))
        for stop in stops[rejecting].tolist():
            self._read_sentence(self.tags.rfind(".", 0, stop) + 1, stop)

    def unfair(self, place: int) -> bool:
        """Tell whether a phrase such as "it would be wrong to" makes what follows untrue."""
        word = self.spelling(self.phrases.last[place] - 1)
        return self.tags[place] in "Cd" and word in self.lists["unfair"]

    def falsely(self, verb: int) -> bool:
        """Tell whether a verb means an unjust charge: "slandered", "falsely accused"."""
        if self.tags[verb] in "ckJ":
            return self.tags[verb] != "J" and self._untrue(verb)
        word = self.phrases.word[verb]
        return self.words.sentence[word] in map(self._unjust.get, (word - 1, word, word + 1))

    def taken_back(self, last: int, polarity: int, patient: int) -> bool:
        """Tell whether a paragraph takes back a judgement: "a friend. But it lies".

        ``last`` is the word with which it ends. What follows the turn is about nobody else, and
        says the opposite on the whole.
        """
        words, number = self.words, bisect(self._turns, last)
        if patient < 0 or number == len(self._turns):
            return False
        turn, end = self._turns[number], int(words.first[words.para[last] + 1])
        who, sign = words.who[turn:end], int(words.sign[turn:end].sum())
        return polarity * sign < 0 and not ((who >= 0) & (who != patient)).any()

    def _read_sentence(self, low: int, stop: int) -> None:
        """Read who rejects what in a sentence."""
        for hit in _VERDICT.finditer(self.tags, low, stop + 1):
            if self._untrue(hit.start(1)) or self.is_in(hit.start(1), "unfair"):
                self._read_verdict(low, hit.start(), hit.start(1))
        for hit in _CONCEDED.finditer(self.tags, low, stop + 1):
            if self.is_in(hit.start(hit.lastindex or 1), "granting"):  # "Granted, Peru works, but"
                self._reject(*hit.span(), self.voice(hit.start()))
        for that in (hit.start() for hit in _THAT.finditer(self.tags, low, stop)):
            word = self.lower(that)
            doubted = self.last(that - 1) in DOUBTS or _UNSAID.search(self.tags, low, that)
            if (self.tags[that] in "AF" and doubted) or (word == "that" and that > low):
                self._read_clause(low, that, next(_NEXT.finditer(self.tags, that)).start())
            elif word == "whether":
                self._reject(that, stop, {})

    def _denied(self, verb: int) -> bool:
        return bool(_NOT.search(self.tags, max(0, verb - 10), verb))

    def _untrue(self, place: int) -> bool:
        """Tell whether a phrase calls something untrue: "a myth", "false accusations"."""
        return not self.lists["untrue"].isdisjoint((self.lower(place), self.lower_first(place)))

    def _reject(self, low: int, high: int, rejecters: Ends) -> None:
        for place in range(low, high):
            self.rejecters.setdefault(place, rejecters)

    def _read_clause(self, low: int, that: int, end: int) -> None:
        """Read who rejects what follows "that", if anyone does."""
        verb = that - 1
        anyone = verb > low and self.is_in(verb - 1 - (self.tags[verb - 1] == "R"), "generic")
        if self._rejects(verb):
            self._reject(that, end, self.subjects(verb))
        elif (
            (anyone and not self.lower(verb).startswith("doubt"))
            or self.unfair(verb - 1)
            or _UNSAID.search(self.tags, low, that)  # "let nobody tell you that"
            or (self.lower(verb) == "hearing" and self.phrases.sign[verb - 1] < 0)  # "tired of"
            or (self.is_in(verb, "confirming") and self._denied(verb))
        ):
            self._reject(that, end, self.voice(verb))  # "wrong to say that", "it is not true that"
        else:
            self._read_claim(low, that, end)

    def _rejects(self, verb: int) -> bool:
        """Tell whether a verb calls something untrue: "denied", "do not believe", "I doubt"."""
        phrase = self.last(verb)
        if self.is_in(verb, "rejecting"):
            return not self._denied(verb)
        if phrase != self.lower(verb):
            return phrase == "doubt" or phrase in self.lists["accepting"]
        return phrase in self.lists["accepting"] and self._denied(verb)

    def _read_claim(self, low: int, that: int, end: int) -> None:
        """Read who rejects a claim: "rejected the charge by Iran that", "it is a myth that"."""
        verb = self._last(",oVEGdegrSbR", low, that)
        nearest = range(that - 1, max(low - 1 if verb is None else verb, that - 1 - _BACK), -1)
        claims = (p for p in nearest if self.is_in(p, "claims") or self.is_in(p, "untrue"))
        if (claim := next(claims, None)) is None:
            return
        before = range(claim - 1, max(low - 1, claim - 1 - _BACK), -1)
        denying = next((place for place in before if self._rejects(place)), None)
        if self.tags[claim - 1] == "n":
            if self.is_in(claim, "proofs"):  # "found no evidence that"
                self._reject(that, end, {})
        elif denying is not None:  # "do not share the view that"
            self._reject(that, end, self.subjects(denying))
        elif self._untrue(claim):
            self._reject(that, end, self.voice(claim))
        elif claim == low:  # "the charge that Peru lies" without a verdict
            self._reject(that, end, {})

    def _read_verdict(self, low: int, be: int, verdict: int) -> None:
        """Read a claim before its verdict: "the charge that Peru lies is nonsense"."""
        tags = self.tags
        opens = tags[low] in "GB" or tags[low : low + 2] in ("tV", "tK", "tS")
        opens |= self.lower(low) == "that"
        first = tags.rfind("SR", low, be) + 1 or low  # not "a statement said that it is a lie"
        claims = (j for j in range(first, be) if self.is_in(j, "claims") or self._untrue(j))
        start = low if opens else next((j for j in claims if tags[j - 1] != "n"), None)
        if start is not None:
            self._reject(start, be, self.voice(be))
            if tags[start] not in "aA":  # "Peru's claims are false"
                self.spent.add(verdict)
