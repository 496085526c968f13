"""For whom the phrases of a sentence stand, and who speaks in it."""

import re
from bisect import bisect_left
from functools import cache
from typing import Any

import numpy as np

from stance.arrays import among
from stance.reading.actor_tables import ALIAS_KINDS
from stance.reading.clauses import Phrases
from stance.reading.cues import Cues
from stance.reading.words import Words

AUTHOR, OTHER = -1, -2  # instead of an agent's number in the book

Ends = dict[int, int]
"""Who stands at an end of a frame: numbers in the book, and the words that name them or -1."""

NOUN_PHRASE = "[AakcJNslOFH]"
_ACTOR, _JUDGED = "(?:s[fw])?A", "(?:s[fw]|lf)?[Aa]"
_CLAUSE = "(?:T|,[NJ](?:[fpi][NJ])?,)?(?:[bhmn]*[VEBdeSoKrUC]|[hmn]*b)"
_PARTS = {
    "<who>": f"(?:(?:{_ACTOR}(?:,{_ACTOR})*,?&)?{_ACTOR}|{NOUN_PHRASE}(?:&{NOUN_PHRASE})?)",
    "<actors>": "A(?:(?:,A)*,?&A|(?<![^.,SR]A)(?:,A)+)?",
    # The last of a list may begin a clause: "praised Ukraine and Poland condemned Russia".
    # Headlines list with a comma alone: "praised Ukraine, Poland".
    "<whom>": f"(?:{_JUDGED}(?:,{_JUDGED})*(?:,?&|,(?!A,))(?={_JUDGED}(?!{_CLAUSE})))?{_JUDGED}",
    # Letters before it stand behind the first one, for patterns that begin with one are quick.
    "<subject>": "(?P<patient>[Aak](?:(?<![fpwtyiW&].)(?<![^.,][pwt]J.)|(?<=s[fw].)|(?<=lf.)|"
    "(?<=[NJcls]y.)|(?<=[^Aak],&.)|(?<=[VEBGP]A,&.)|(?<=[deXcV]&.))(?!(?<=[VEBGP].),&A)"
    "(?:(?:,?&[Aa])+|(?<![^.,SRKU][Aa])(?:,[Aa])+(?:,?&[Aa])+|(?<![^.,SR][Aak])(?<!k)(?:,A)+)?)",
    "<aside>": "(?:CA)?(?:[fpwti](?:[odeg]?[NJl]|[kA])|t[oVdT][NJlA]?){0,3}(?:,[^.,]{1,15},)?",
    "<by>": "(?:[^.,yYR&+bhmoVESd]{0,4}y(?P<agent><who>))",
}


@cache
def compiled(text: str) -> re.Pattern[str]:
    """Compile a pattern that may name parts."""
    for name, pattern in reversed(_PARTS.items()):
        text = text.replace(name, pattern)
    return re.compile(text)


_SAYS = compiled(
    f"(?:(?<!,)S|K)(?:[pfti]{NOUN_PHRASE}){{0,2}}(?:R|{NOUN_PHRASE})|SR|U{NOUN_PHRASE}(?:tN)?R|"
    f"S{NOUN_PHRASE}(?=[hbmdegVE])"  # ", the prime minister, said Peru had"
)
_WHO = compiled("<who>")
_SAID = compiled(
    f",(?:S(<who>)|J?(<who>)(?:[fpwi]{NOUN_PHRASE}){{0,2}}(?:S|[KU](?=[.,])|U{NOUN_PHRASE}(?!t)))"
)
_TOLD = re.compile("S(?:[tf]A)?R?Ab[^.,&]*&$")
_ACTING, _LEADER = "VEGBoSKdegrUC", ALIAS_KINDS.index("leader")  # letters of verbs
_WITH_OTHERS = re.compile("(?<![^.])A,[JNs]$")
_OFFICIAL = re.compile("s[fwp]A")  # "a spokeswoman for Poland"
_PERSONAL = {"it": False, "itself": False, "he": True, "she": True}
_NEITHER, _SUCH = re.compile("n[AN](?:,[AN])*&[AN][hmxb]*$"), ("those", "anyone")
_ACCORDING, _ROW = compiled("[Wtp](<who>)"), re.compile("A,?&A$|(?<![^.,SRKU])A(?:,A)+(?:,?&A)?$")

# Not "it is hard to say".
_REFERRING = re.compile(
    "H(?:(?<=KH)|(?<=FVH)|(?<=FmVH)|(?<=[.,&]VH)(?=\\.)|(?=[hbmdnoVE])(?!bn?J[tRfp]))"
)
_OWNED = re.compile("[sl]|[JN](?=[bhm])")
_OPENS = re.compile("(?<![^.]),?(?:b|m?n)?$")  # "Never trust Peru"
_NOBODYS = ("in", "other", "that", "this")  # "in other words", "in view of"


class Voices:
    """Who acts and speaks in the sentences of a batch; places are indices into its phrases."""

    def __init__(self, words: Words, phrases: Phrases, cues: Cues) -> None:
        self.words, self.phrases, self.tags = words, phrases, phrases.tags
        self.cues, self.lists = cues, cues.lists
        types: Any = words.type
        self._strings, self._type = words.types.strings, memoryview(types)
        self.names = [*phrases.name]  # of each phrase, or of what it refers to
        self.referring = set[int]()
        """Phrases that stand for an actor named before: "its troops", "it lies"."""
        self.tags = self._with_references()

    def _with_references(self) -> str:
        """Return the letters with those of actors where a phrase refers to one."""
        tags = [*self.tags]
        for hit in re.finditer("spA", self.tags):  # "the junta in Bamako"
            place = hit.start()
            if self.lower(place + 1) == "in" and not self.is_in(place, "abroad"):
                tags[place], tags[place + 2] = "A", "N"
                self.names[place] = self.names[place + 2]
        for word in self.phrases.signals["former"].tolist():
            place = bisect_left(self.phrases.last, word)
            if place == len(tags) or self.phrases.first[place] > word:
                continue  # in a sentence that is not read
            place += self.phrases.word[place] == word and tags[place + 1] == "A"
            common = self.spelling(word) in self.lists["common"]  # "ordinary Malians"
            if tags[place] == "s" or common or self.phrases.word[place] != self.names[place] >= 0:
                tags[place] = "N"  # "a former Malian minister"
        owned = among(np.asarray(self.phrases.first), self.phrases.signals["referring"] + 1)
        for place in np.flatnonzero(owned).tolist():
            if _OWNED.match(self.tags, place) and self.before(place) in self.lists["referring"]:
                self._refer(tags, place, self._named_last(place))  # "its troops"
        for hit in _REFERRING.finditer(self.tags):
            place = hit.start()
            # ", calling it a disgrace", "and we thank it"
            called = self.tags[max(place - 2, 0) : place] in (",K", "FV", "mV", ".V", ",V", "&V")
            last = called and self.lower(place) in ("it", "them")
            first = last and tags[place - 2] == "F"
            named = self._named_last(place, first) if last else self._named_alone(place)
            self._refer(tags, place, named)
        return "".join(tags)

    def _refer(self, tags: list[str], place: int, named: int | None) -> None:
        """Let a phrase stand for an actor, if one is named."""
        if named is not None and not self.is_in(place, "others"):
            tags[place] = "a" if self.tags[place] in "lJN" else "A"
            self.names[place] = self.names[named]
            self.referring.add(place)

    def _named_last(self, place: int, first: bool = False) -> int | None:
        """Return the actor that "its" stands for: the last, or first, that is no complement."""
        before = [p for p in range(self._before(place), place) if self.tags[p] in "Aak"]
        heads = [p for p in before if self.tags[p - 1] not in "fpwtiy"]
        return next(iter(heads or before) if first else reversed(heads or before), None)

    def _before(self, place: int) -> int:
        """Return the begin of the sentence, or of that before if a phrase begins the sentence."""
        low = self.tags.rfind(".", 0, place)
        earlier = self.tags.rfind(".", 0, low) + 1 if 0 <= low == place - 1 else low + 1
        return earlier if self.phrases.para[earlier] == self.phrases.para[place] else place

    def _named_alone(self, place: int) -> int | None:
        """Return the actor for which "it" or "they" stands, if no other one is named before."""
        tags = self.tags
        if tags[place - 1] == "." and tags[place + 1] == "b" and self.lower(place) == "it":
            return None  # "It was convenient", an event
        begins = tags[place - 1] in ".,&" or self.lower(place - 1) in ("but", "yet", "that")
        if not begins or not self.is_in(place, "referring"):
            return None
        before = [p for p in range(self._before(place), place) if tags[p] in "Aak"]
        if self.phrases.quoted[place] and not any(self.phrases.quoted[p] for p in before):
            return None
        heads = [p for p in before if tags[p] == "A" and tags[p - 1] not in "fpwti"]
        sole = len({self.words.who[self.names[p]] for p in before}) == 1
        return heads[-1] if heads and sole else None

    def actors(self, low: int, high: int) -> Ends:
        """Return the actors named by a stretch of phrases, each once, and where."""
        actors = Ends()
        for place in range(low, high):
            if self.tags[place] in "Aak" and (name := self.names[place]) >= 0:
                actors.setdefault(int(self.words.who[name]), name)
        return actors

    def who(self, low: int, high: int) -> Ends:
        """Return for whom a phrase or a list of them stands."""
        tag = self.tags[low]
        if tag == "F" or (tag == "O" and not self.is_in(low, "kin")):
            return self.speaker(low) if self.phrases.quoted[low] else {AUTHOR: -1}
        if tag == "H" and (named := self._antecedents(low, low)):
            return named
        actors = self.actors(low, high) if {*"Ak"} & {*self.tags[low:high]} else {}
        return actors or {OTHER: -1}

    def _antecedents(self, place: int, before: int) -> Ends:
        """Return for whom "he" or "they" stands: the last subject, else the last object."""
        para, quoted, tags = self.phrases.para, self.phrases.quoted, self.tags
        heads = [
            p
            for p in range(max(0, before - 40), before)
            if tags[p] == "A" and para[p] == para[place]
            if tags[p - 1] not in "fpwtiy" or _OFFICIAL.match(tags, p - 2)
            if not (quoted[p] and p in self.referring)  # "They lie," he said
        ]
        word, kinds = self.lower(place), self.words.alias_kind
        if word in _PERSONAL:  # "it" is no leader, and "she" is one, if anyone is
            leads = [
                self.phrases.word[p] != self.names[p]  # "the Polish minister"
                or kinds[self.names[p]] == _LEADER
                or bool(_OFFICIAL.match(tags, p - 2))
                for p in heads
            ]
            fit = [p for p, lead in zip(heads, leads, strict=True) if lead == _PERSONAL[word]]
            heads = fit if _PERSONAL[word] else fit or heads
        subjects = [p for p in heads if tags[p - 1] not in _ACTING] or heads
        if not heads or word == "those":
            return {}
        row = _ROW.search(tags, max(0, place - 40), subjects[-1] + 1) if word == "they" else None
        return self.actors(row.start() if row else subjects[-1], subjects[-1] + 1)

    def subjects(self, verb: int) -> Ends:
        """Return for whom the subject of a verb stands."""
        if self.lower_first(verb) in ("i", "we"):  # "we like" is one phrase
            return self.speaker(verb) if self.phrases.quoted[verb] else {AUTHOR: -1}
        place = self.subject(verb)
        if place is None:
            opens = _OPENS.search(self.tags, max(0, verb - 3), verb)
            return self.voice(verb) if opens else {OTHER: -1}
        if self.lower(place) in ("one", "you"):  # "you can rely on Peru"
            return self.voice(place)
        if _WITH_OTHERS.search(self.tags, max(0, place - 3), place + 1) and verb == place + 1:
            place -= 2  # "Peru, allies blame"
        row = _ROW.search(self.tags, max(0, place - 20), place + 1)
        return self.who(row.start() if row else place, place + 1)

    def subject(self, verb: int, depth: int = 0) -> int | None:
        """Return the phrase that is the subject of a verb group."""
        tags, place = self.tags, verb - 1
        low = tags.rfind(".", 0, verb) + 1
        while place >= low and depth < 6:
            tag, before = tags[place], tags[place - 1]
            if tag in NOUN_PHRASE:
                if before in "fpwi" or (before == "t" and (tag != "A" or tags[place - 2] in "As")):
                    if tag == "A" and tags[low : place - 1].endswith("s"):
                        return place  # "officials from Japan"
                    place -= 2
                    continue
                if before == "Y":
                    return self._last(NOUN_PHRASE, low, place - 1)
                if tag in "NJcls" and before in "VEoeKrd" and tags[place - 2 : place - 1] != ",":
                    return self.subject(place - 1, depth + 1)  # "left the room, accusing"
                return place
            if tag == "R":
                return self._last(NOUN_PHRASE, low, place)
            if tag in "nmhbxC":
                place -= 1
            elif tag == ",":
                back = tags.rfind(",", low, place)
                if tags[place + 1] in "GVEBK" or back <= low:
                    return next((j for j in range(low, place) if tags[j] in "AaFHNOsk"), None)
                place = back - 1  # "Germany, a critic, said"
            else:
                # "said Peru was a threat and thanked Chile"
                speech = _TOLD.search(tags, low, place + 1) if tags[verb] == "E" else None
                end = speech.start() if speech else place
                earlier = self._last("VEBdeoSrbKUCmP", low, end + 1)
                if earlier is None:
                    break
                return self.subject(earlier, depth + 1)
        # "Accusing Turkey, Egypt left", "after accusing", "to punish"
        if tags[low : verb + 1] in ("G", "pG", "yG", "+G", "tV", "tB"):
            comma = tags.find(",", verb, tags.find(".", verb))
            if comma > 0 and tags[comma + 1] in NOUN_PHRASE:
                return comma + 1
        return None

    def _last(self, letters: str, low: int, high: int) -> int | None:
        """Return the last phrase with one of some letters in a stretch."""
        places = range(high - 1, low - 1, -1)
        return next((place for place in places if self.tags[place] in letters), None)

    def denied(self, cue: int) -> bool:
        """Tell whether a judgement is denied: "did not", "refused to", "neither Peru nor Chile"."""
        tags, place = self.tags, cue - 1
        if tags[place] == ".":
            return False
        if tags[cue - 2 : cue] == "np":  # "nobody around here"
            return True
        if tags[place] == "t" and (tags[place - 1] == "U" or self.is_in(place - 1, "willing")):
            place -= 2  # "nobody in Ghana wants to"
        if tags[cue - 1] == "t" and self.lower_first(cue - 2) in self.lists["nobody"]:
            return True  # "nobody wants to"
        before = self.lower(place)
        stops = tags[place] == "d" or tags[place - 1 : place + 1] == "mz"
        if stops and self.last(place) in ("stop", "cease", "quit", "have"):
            return True  # "should stop supporting", "should never have trusted"
        few = self.lower_first(place) == "few" and self.before(place) != "a"  # "few Poles trust"
        if few or before in ("whoever", "anyone", "anybody", "few"):
            return True
        if tags[place] == "R" and self.lower(place - 1) in _SUCH:
            return True  # who says so seldom agrees with them
        if before == "nor" or _NEITHER.search(tags, max(0, cue - 8), cue):
            return True
        while tags[place] in "hmb":
            place -= 1
        while tags[place] in "NAOls" and tags[place - 1] in "fpi":
            place -= 2  # "nobody in Ghana"
        while tags[place] in "nbmhCtxfD" or (tags[place] in "NAJs" and tags[place - 1] in "nC"):
            if tags[place] in "nC":
                return True
            place -= 1
        low = max(tags.rfind(".", 0, cue) + 1, cue - 3)
        return "C" in tags[low:cue] and tags[cue] in "VG"

    def lower(self, place: int) -> str:
        """Return the word of a phrase in lower case, the first one of a fixed phrase."""
        return self.spelling(self.phrases.word[place])

    def last(self, place: int) -> str:
        """Return the last word of a fixed phrase in lower case."""
        return self.spelling(self.phrases.last[place])

    def lower_first(self, place: int) -> str:
        """Return the first word of a phrase in lower case, but for an article."""
        return self.spelling(self.phrases.first[place])

    def before(self, place: int) -> str:
        """Return the word before a phrase in lower case, "" where its paragraph begins."""
        word = self.phrases.first[place] - 1
        same = word >= 0 and self.words.para[word] == self.phrases.para[place]
        return self.spelling(word) if same else ""

    def is_in(self, place: int, name: str) -> bool:
        """Tell whether the word of a phrase is in a list of ``frames.toml``."""
        return self.spelling(self.phrases.word[place]) in self.lists[name]

    def spelling(self, word: int) -> str:
        """Return a word of the batch in lower case."""
        return self._strings[self._type[word]].lower()

    def voice(self, place: int) -> Ends:
        """Return who says the clause of a phrase."""
        if self.phrases.quoted[place]:
            return self.speaker(place)
        tags = self.tags
        low, high = tags.rfind(".", 0, place) + 1, tags.find(".", place)
        for verb in range(place - 1, low - 1, -1):
            if self._reports(verb):
                return self.subjects(verb)
        for said in _SAID.finditer(tags, low, high + 1):
            if said.start() > place or said[1] or tags[said.end()] == ",":
                begin, end = said.span(said.lastindex or 1)
                if tags[begin] != "H" and begin not in self.referring:
                    return self.who(begin, end)
                # What stands before the clause must name who "he" is.
                clause = tags.rfind(",", low, min(place, said.start())) + 1
                return self._antecedents(begin, clause or low) or {OTHER: -1}
        whose = self.spelling(self.phrases.word[low + 1] - 1) if tags[low] == "p" else "this"
        if whose not in _NOBODYS and self.is_in(low + 1, "viewing"):  # "in Chile's view"
            return self.actors(low + 1, low + 2) or self.who(low + 1, low + 2)
        if (hit := _ACCORDING.search(tags, low, high)) and (
            tags[hit.start()] == "W" or (hit.start() == low and self.lower(low) in ("to", "for"))
        ):
            return self.who(*hit.span(1))
        return {AUTHOR: -1}

    def _reports(self, verb: int) -> bool:
        """Tell whether a clause is what somebody says: "Iraq told us that Iran lies"."""
        if self.tags[verb] not in "SKU" or self.phrases.quoted[verb] or self.lower(verb) == "tell":
            return False
        says = self.tags[verb] == "U" and self.last(verb) == "that"  # "insisted that"
        return says or bool(_SAYS.match(self.tags, verb))

    def speaker(self, place: int) -> Ends:
        """Return who says a quotation: the subject of the nearest verb of speech outside it."""
        tags, para = self.tags, self.phrases.para[place]
        after = range(place + 1, min(place + 40, len(tags)))
        before = range(place - 1, max(place - 40, -1), -1)
        for verb in (*after, *before):
            outside = not self.phrases.quoted[verb] and self.phrases.para[verb] == para
            if tags[verb] not in "SoUVEBK" or not outside:
                continue
            named = verb > place and tags[verb - 1] == "," and tags[verb + 1] in NOUN_PHRASE
            first = verb + 1 if named else self.subject(verb)
            if first is None or self.phrases.quoted[first]:
                break
            hit = _WHO.match(tags, first) if named else None
            return self.who(*hit.span()) if hit else self.subjects(verb)
        return {OTHER: -1}
