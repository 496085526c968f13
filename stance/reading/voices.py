"""For whom the phrases of a sentence stand: who acts in it, who speaks, and what is denied."""

import re
from functools import cache
from typing import Any

from stance.reading.clauses import Phrases
from stance.reading.cues import Cues
from stance.reading.words import Words

AUTHOR, OTHER = -1, -2  # instead of an agent's number in the book

Ends = list[tuple[int, int]]
"""Who stands at an end of a frame: numbers in the book, and the words that name them or -1."""

NOUN_PHRASE = "[AakcJNslOFH]"
_ACTOR, _JUDGED = "(?:s[fw])?A", "(?:s[fw]|lf)?[Aa]"
_CLAUSE = "(?:[bhmn]*[VEBdeSoKrUC]|,[RY])"
_PARTS = {
    "<who>": f"(?:(?:{_ACTOR}(?:,{_ACTOR})*,?&)?{_ACTOR}|{NOUN_PHRASE}(?:&{NOUN_PHRASE})?)",
    "<actors>": "A(?:(?:,A)*,?&A|(?<![fpwtyiW]A)(?:,A)+)?",
    # The last of a list may begin a clause: "praised Ukraine and Poland condemned Russia".
    # Headlines list with a comma alone: "praised Ukraine, Poland".
    "<whom>": f"(?:{_JUDGED}(?:,{_JUDGED})*(?:,?&|,)(?={_JUDGED}(?!{_CLAUSE})))?{_JUDGED}",
    # Letters before it stand behind the first one, for patterns that begin with one are quick.
    "<subject>": "(?P<patient>[Aak](?:(?<![fpwtyiW&].)|(?<=s[fw].)|(?<=lf.))"
    "(?:(?:,[Aa])*,?&[Aa]|(?<=A)(?:,A)+)?)",
    "<aside>": "(?:[fpwti](?:o?[NJl]|k)|t[oVd][NJl]?){0,3}(?:,[^.,]{1,15},)?",
    "<by>": "(?:[^.,yYR&+bhmoVESd]{0,4}y(?P<agent><who>))",
}


@cache
def compiled(text: str) -> re.Pattern[str]:
    """Compile a pattern that may name parts."""
    for name, pattern in reversed(_PARTS.items()):
        text = text.replace(name, pattern)
    return re.compile(text)


_SAYS = compiled(f"[SK](?:[pfti]{NOUN_PHRASE}){{0,2}}(?:R|{NOUN_PHRASE})")
_WHO, _SAID = compiled("<who>"), compiled(",(?:S(<who>)|(<who>)S)")
_NEITHER, _SUCH = re.compile("n[AN](?:,[AN])*&[AN][hmx]*$"), ("those", "anyone")
_ACCORDING, _ROW = compiled("[Wtp](<who>)"), re.compile("A(?:,A)*,?&A$|(?<![fpwtyiW])A(?:,A)+$")


class Voices:
    """Who acts and speaks in the sentences of a batch; places are indices into its phrases."""

    def __init__(self, words: Words, phrases: Phrases, cues: Cues) -> None:
        self.words, self.phrases, self.tags = words, phrases, phrases.tags
        self.cues, self.lists = cues, cues.lists
        types: Any = words.type
        self._strings, self._type = words.types.strings, memoryview(types)

    def actors(self, low: int, high: int) -> Ends:
        """Return the actors named by a stretch of phrases, and where."""
        tags, names, who = self.tags, self.phrases.name, self.words.who
        return [
            (int(who[name]), name)
            for place in range(low, high)
            if tags[place] in "Aak" and (name := names[place]) >= 0
        ]

    def who(self, low: int, high: int) -> Ends:
        """Return for whom a phrase or a list of them stands."""
        tag = self.tags[low]
        if tag in "FO":
            return self.speaker(low) if self.phrases.quoted[low] else [(AUTHOR, -1)]
        if tag == "H":
            for place in range(low - 1, max(-1, low - 40), -1):
                if self.phrases.para[place] != self.phrases.para[low]:
                    break
                if self.tags[place] == "A" and self.tags[place - 1] not in "fpwti":
                    return self.actors(place, place + 1)
        actors = self.actors(low, high) if {*"Ak"} & {*self.tags[low:high]} else []
        return actors or [(OTHER, -1)]

    def subjects(self, verb: int) -> Ends:
        """Return for whom the subject of a verb stands."""
        place = self.subject(verb)
        if place is None:
            opens = self.tags[verb - 1 : verb] in ("", ".") or self.tags[verb - 2 : verb] == ".,"
            return self.voice(verb) if opens else [(OTHER, -1)]
        row = _ROW.search(self.tags, max(0, place - 20), place + 1)
        return self.who(row.start() if row else place, place + 1)

    def subject(self, verb: int, depth: int = 0) -> int | None:
        """Return the phrase that is the subject of a verb group."""
        tags, place = self.tags, verb - 1
        low = tags.rfind(".", 0, verb) + 1
        while place >= low and depth < 6:
            tag, before = tags[place], tags[place - 1]
            if tag in NOUN_PHRASE:
                if before in "fpwi" or (before == "t" and tag != "A"):
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
                earlier = self._last("VEBdeoSrbKUCm", low, place + 1)
                return None if earlier is None else self.subject(earlier, depth + 1)
        if tags[verb] in "G" and place < low:  # "Accusing Turkey, Egypt left"
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
        before = self.lower(place) if tags[place] != "." else ""
        if before == "whoever" or (tags[place] == "R" and self.lower(place - 1) in _SUCH):
            return True  # who says so seldom agrees with them
        if before == "nor" or _NEITHER.search(tags, max(0, cue - 8), cue):
            return True
        while tags[place] in "hmb":
            place -= 1
        while tags[place] in "NA" and tags[place - 1] in "fpi":
            place -= 2  # "nobody in Ghana"
        while tags[place] in "nbmhCtxfD" or (tags[place] in "NA" and tags[place - 1] in "nC"):
            if tags[place] in "nC":
                return True
            place -= 1
        return "C" in tags[max(0, cue - 3) : cue] and tags[cue] in "VG"

    def lower(self, at: int) -> str:
        """Return the word of a phrase in lower case, the first one of a fixed phrase."""
        return self.spelling(self.phrases.word[at])

    def last(self, at: int) -> str:
        """Return the last word of a fixed phrase in lower case."""
        return self.spelling(self.phrases.last[at])

    def lower_first(self, at: int) -> str:
        """Return the first word of a phrase in lower case, but for an article."""
        return self.spelling(self.phrases.first[at])

    def is_in(self, at: int, name: str) -> bool:
        """Tell whether the word of a phrase is in a list of ``frames.toml``."""
        return self.spelling(self.phrases.word[at]) in self.lists[name]

    def spelling(self, word: int) -> str:
        """Return a word of the batch in lower case."""
        return self._strings[self._type[word]].lower()

    def voice(self, at: int) -> Ends:
        """Return who says the clause of a phrase."""
        if self.phrases.quoted[at]:
            return self.speaker(at)
        tags = self.tags
        low, high = tags.rfind(".", 0, at) + 1, tags.find(".", at)
        for verb in range(at - 1, low - 1, -1):
            if tags[verb] in "SK" and not self.phrases.quoted[verb] and _SAYS.match(tags, verb):
                return self.subjects(verb)  # "Iraq says that Iran lies"
        if hit := _SAID.search(tags, at, high):
            return self.who(*hit.span(hit.lastindex or 1))
        if (hit := _ACCORDING.search(tags, low, high)) and (
            tags[hit.start()] == "W" or (hit.start() == low and self.lower(low) in ("to", "for"))
        ):
            return self.who(*hit.span(1))
        return [(AUTHOR, -1)]

    def speaker(self, at: int) -> Ends:
        """Return who says a quotation: the subject of the nearest verb of speech outside it."""
        tags, para = self.tags, self.phrases.para[at]
        after = range(at + 1, min(at + 40, len(tags)))
        before = range(at - 1, max(at - 40, -1), -1)
        for verb in (*after, *before):
            outside = not self.phrases.quoted[verb] and self.phrases.para[verb] == para
            if tags[verb] not in "SoUVEBK" or not outside:
                continue
            named = verb > at and tags[verb - 1] == "," and tags[verb + 1] in NOUN_PHRASE
            first = verb + 1 if named else self.subject(verb)
            if first is None or self.phrases.quoted[first]:
                break
            hit = _WHO.match(tags, first) if named else None
            return self.who(*hit.span()) if hit else self.subjects(verb)
        return [(OTHER, -1)]
