"""The constructions in which a sentence judges an actor: how good or bad they say that it is.

`stance.reading.frames` says what the letters are, ``constructions.toml`` has the patterns.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from stance.reading.lexicon import bundled
from stance.reading.rejections import Rejections
from stance.reading.voices import Ends, compiled


class Construction(NamedTuple):
    """A pattern, and how what it finds is read; ``constructions.toml`` explains the entries."""

    name: str
    pattern: str
    sign: str = ""
    kind: str = "judges"
    evaluates: bool = False
    valued: bool = False
    needs: Mapping[str, str] = MappingProxyType({})
    unless: Mapping[str, Sequence[str]] = MappingProxyType({})
    judge: str = ""
    polarity: int = 0
    void: bool = False


@lru_cache(maxsize=2)
def constructions_of(language: str) -> tuple[Construction, ...]:
    """Return the constructions of a language, none if it has none."""
    tables = tomllib.loads(bundled(language, "constructions.toml") or "")
    return tuple(Construction(name, **entries) for name, entries in tables.items())


def occurrences(
    tags: str, constructions: Sequence[Construction]
) -> Iterator[tuple[Construction, re.Match[str]]]:
    """Yield each construction in the phrases of some sentences, and where, in their order."""
    places = {"": [(0, len(tags))]}
    for one in constructions:
        if one.sign not in places:
            places[one.sign] = _sentences_with(one.sign, tags)
        for low, high in places[one.sign]:
            for hit in compiled(one.pattern).finditer(tags, low, high):
                yield one, hit


def _sentences_with(sign: str, tags: str) -> list[tuple[int, int]]:
    """Return where the sentences that hold a sign begin and end."""
    places = list[tuple[int, int]]()
    for hit in compiled(sign).finditer(tags):
        if not places or hit.end() > places[-1][1]:
            low, high = tags.rfind(".", 0, hit.start()), tags.index(".", hit.end() - 1)
            places.append((low + 1, high + 1))
    return places


_BESIDE, _UNLIKE = re.compile(r"(?:[tp][FNO])?[+p](A)"), re.compile("p(A)[,.]")
_INVERTED = re.compile("n$|(?<![^.])n(?:[pf]N)?[mh]$")


class Evaluations(Rejections):
    """How good or bad sentences call what an actor does or is, and with whom they compare it."""

    def polarity(self, form: Construction, hit: re.Match[str], cue: int) -> int:
        """Return the polarity of what an actor does, is, deserves or brings about, 0 for none."""
        name, value = form.name, self.phrases.value[cue]
        if name == "act":
            if self.tags[cue - 2 : cue] in ("bn", "nb", "Hn"):  # "it is not Peru's fault"
                return 0 if self.before(cue) in ("only", "just", "merely") else max(-value, 0)
            return 0 if self._flips(hit) or self.is_in(cue, "topics") else value
        group = hit.groupdict()
        flip = bool(group.get("flip") or group.get("never") or self._flips(hit))
        turn = -1 if flip else 1
        if self._is_victim(cue):
            return 0  # "Peru is in ruins", "is under attack"
        if group.get("patient") == "k" and self.last(cue) in self.lists["lapsing"]:
            return 0  # "Peru's love for Chile is over"
        polarity = self._polarity_of_kind(form, hit, cue, turn)
        if polarity is not None:
            return polarity
        if name == "what is" and self.before(hit.start()) != "what":
            return 0  # "What Peru did is a shame"
        if name == "epithet":
            if self.is_in(cue, "pity"):  # "poor Ukraine"
                return 1
            if re.search(".[^su]s$|^(?:of|on)$", self.last(cue)):  # "marvels", "soft on"
                return 0
        if name == "apposition" and {self.before(cue), self.lower_first(cue)} & self.lists["apart"]:
            return 0
        if name == "as" and not self.lower(cue - 1) == self.lower(cue + 1) == "as":
            return 0
        if name == "surpasses":  # "did far better than"
            return turn if "better" in (self.lower_first(cue), self.lower(cue)) else 0
        if name.endswith(" than"):  # "no state is kinder than Peru"
            words = {self.before(cue), self.lower_first(cue), self.lower(cue)}
            value *= bool(words & self.lists["comparing"]) or any(w[-2:] == "er" for w in words)
            return -value if (name == "deserves than") ^ ("less" in words) else value
        if name == "fights":  # "fights corruption"
            return max(-value, 0)
        if form.valued:
            flips = flip and name in ("shows", "makes", "handles", "with skill", "myth of")
            return -value if flips or name == "better without" else value
        if self.tags[cue] in "deg":
            return self._deed(hit, cue, flip=flip)
        return self._trait(hit, cue, turn)

    def _polarity_of_kind(
        self, form: Construction, hit: re.Match[str], cue: int, turn: int
    ) -> int | None:
        """Return the polarity of fates, shouts, demands and figures, None of all else."""
        name, sign, value = form.name, self.phrases.sign[cue], self.phrases.value[cue]
        if name == "fate":
            return self._fate(hit, cue, flip=turn < 0)
        if name == "plea":
            return self.cues.appeals.get(self.lower(cue), 0)
        if name.startswith("slogan"):
            return self._slogan(hit, cue)
        if name.startswith("ordered"):  # "Stop the war, Putin!"
            return -1
        if name == "demand":
            return self._demand(hit, cue)
        if name == "without":  # "we would be free", "there would be no war"
            rest = self.tags[hit.end("patient") : self.tags.index(".", hit.end())]
            outcome, never = self._outcome(hit.end()), "n" in rest
            worth = self.phrases.value[hit.start("patient")]  # "Peru's meddling"
            spoils = outcome < 0 if never else outcome > 0
            return -1 if spoils else (not outcome and worth) or 1
        if name.startswith(("deed to", "outdoing")):  # "left Armenia in the lurch"
            return turn * sign if self.fits(hit, cue) else 0
        if name == "has ours":  # "has lost my respect"
            lost = -1 if self.is_in(hit.start("verb"), "losing") else 1
            return lost * sign if self.phrases.ours[cue] else 0
        if name == "is somebody's":  # a puppet, not an ally, which may be a mere fact
            return min(value, 0)
        return None

    def _is_victim(self, cue: int) -> bool:
        """Tell whether an actor only suffers: "Peru is starving", not "is starving Chile"."""
        if {self.lower(cue), self.last(cue)}.isdisjoint(self.lists["ailing"]):
            return False
        if self.tags[cue] in "dg":
            return self.tags[cue - 1] == "b" and self.tags[cue + 1] in ".,&+pf"
        return self.tags[cue - 1] == "p"

    def _deed(self, hit: re.Match[str], cue: int, *, flip: bool) -> int:
        """Return how good a deed is, which may be denied, demanded or done to the wrong ones."""
        group, letter, sign = hit.groupdict(), self.tags[cue], self.phrases.sign[cue]
        turn = -1 if flip else 1
        between = range(hit.end("patient"), cue) if "patient" in group else range(cue, cue)
        must = any(self.lower(place) in ("must", "should", "ought") for place in between)
        if (must and sign > 0) or letter == ("e" if group.get("be") else "g"):
            return 0  # "Peru must deliver", it was betrayed
        right = "right" in (self.last(cue), self.spelling(max(self.phrases.last[cue] - 1, 0)))
        whatever = sign > 0 and (right or self.is_in(cue, "relieving"))  # "is right to punish it"
        after = "" if whatever else self.tags[cue + 1]
        needy = {self.lower_first(cue + 1), self.lower(cue + 1)} & self.lists["needy"]
        if sign > 0 and after == "J" and self.phrases.value[cue + 1] < 0 and not needy:
            return -turn * sign  # "protected murderers", not "rescued stranded sailors"
        nobody = self.is_in(cue + 1, "nobody")
        if nobody and after == "n" and self.is_in(cue, "deceiving"):
            return -turn  # "its lies fool nobody"
        if after == "n" and (nobody or (sign > 0 and not self.is_in(cue + 1, "without"))):
            return -turn * sign  # "can't be trusted", "betrayed nobody"
        return turn * sign if sign > 0 or not flip else 0

    def _trait(self, hit: re.Match[str], cue: int, turn: int) -> int:
        """Return how good what an actor is or has become is; ``turn`` is -1 if it is denied."""
        group, sign = hit.groupdict(), self.phrases.sign[cue]
        if self.tags[cue + 1] == "p" and self.lower(cue + 1) == "into":
            into = self.phrases.value[cue + 2]  # "turned a rich country into a prison"
            turned = self.lower(cue - 1) in ("turn", "turns", "turned", "turning")
            if into or turned:
                return into
        if turn < 0 and {self.lower_first(cue), self.before(cue)} & self.lists["comparing"]:
            never = "never" in map(self.lower, range(hit.start() - 2, cue))
            turn = 1 if never else turn  # "never been a better friend", "was never so kind"
        turn = -turn if self.lower_first(cue) in ("less", "least") else turn
        start = hit.start("patient") if "patient" in group else 0
        parts = self.tags[start - 1] not in ".," and self.is_in(start - 1, "parting")
        turn = -turn if parts else turn  # "leaving Peru was a mistake"
        return turn * (sign if self.tags[cue] in "TcjVEezCP" else self.phrases.value[cue])

    def undone(self, hit: re.Match[str], cue: int) -> bool:
        """Tell whether a bad deed is denied: "has never lied", but not "should not lie"."""
        if self._is_victim(cue):
            return False
        words = {self.lower(place) for place in range(hit.end("patient"), cue)}
        passive = self.tags[cue] == ("e" if hit["be"] else "g")
        return not passive and words.isdisjoint(self.lists["modal"])

    def _flips(self, hit: re.Match[str]) -> bool:
        """Tell whether a clause begins with "neither Russia nor" or "not once did Austria"."""
        inverted = _INVERTED.search(self.tags, max(0, hit.start() - 5), hit.start())
        return bool(inverted) and not self.is_in(hit.start() - 1, "little")

    def _fate(self, hit: re.Match[str], cue: int, *, flip: bool) -> int:
        """Return the polarity of a fate: "should be abolished", "cannot be trusted"."""
        if hit["cannot"]:
            must, turned = self.lower(hit.start("cannot")) == "cannot", True
        else:
            can_not = flip and self.lower(hit.start("modal")) in ("can", "could")
            must, turned = can_not or self.is_in(hit.start("modal"), "obliging"), flip
        sign = self.cues.fates.get(self.lower(cue), 0) if must else 0
        return -sign if turned else sign

    def _demand(self, hit: re.Match[str], cue: int) -> int:
        """Return the polarity of a demand: "Send tanks to Kyiv", "Stop the war on Gaza"."""
        things, link = range(*hit.span("object")), self.lower(hit.start("link"))
        harm = any(self.phrases.value[p] < 0 or self.is_in(p, "harming") for p in things)
        word = self.phrases.word[cue]
        noun = not hit["we"] and not self.words.sentence_start[word]  # "a cut in aid to Peru"
        if noun or (self.tags[cue] == "n" and self.spelling(word + 1) != "more"):
            return 0
        if self.is_in(cue, "cutting"):
            return 1 if harm else -1 * (link not in ("of", "in"))
        gives = self.is_in(cue, "sending") and link in ("to", "for", "with") and things
        return 0 if not gives else -1 if harm else 1

    def _slogan(self, hit: re.Match[str], cue: int) -> int:
        """Return the polarity of a shout: "Sanctions on Peru now!", "Justice for Peru!"."""
        last = self.phrases.last[hit.end() - 2]
        rest = self.words.texts[self.words.para[last]][self.words.end[last] :]
        if not re.match(r"[, ]*(?:now)?!", rest):
            return 0
        if "link" not in hit.re.groupindex:
            return -1 * (self.lower(cue) == "out")
        link = self.lower(hit.start("link"))
        if self.is_in(cue, "measures"):
            return (1 if hit["flip"] else -1) * (link in self.lists["targeting"])
        return (-1 if hit["flip"] else self.phrases.value[cue] > 0) * (link == "for")

    def _outcome(self, low: int) -> int:
        """Return how good the rest of a sentence is, less how bad."""
        ends = (self.tags.find(",", low), self.tags.index(".", low))
        rest = range(low, min(end for end in ends if end >= 0))
        values = (self.phrases.value[place] for place in rest if self.tags[place] in "JNz")
        harm = sum(self.is_in(place, "harming") or self.lower(place) == "war" for place in rest)
        signs = (self.phrases.sign[place] for place in rest if self.tags[place] in "cdegE")
        return sum(values) + sum(signs) - harm

    def fits(self, hit: re.Match[str], cue: int) -> bool:
        """Tell whether the end of a figure of speech goes with its verb: "let" with "down"."""
        verbs = self.cues.tail_verbs.get((self.lower(cue), self.last(cue)))
        return verbs is None or self.lower(hit.start("verb")) in verbs

    def compared(self, cue: int, sign: int) -> Iterator[tuple[int, Ends]]:
        """Yield with whom an evaluation compares an actor, and how good it says that they are."""
        if hit := _BESIDE.match(self.tags, cue + 1):
            link, less = self.lower(hit.start(1) - 1), self.lower_first(cue) == "less"
            praises = max(self.phrases.value[cue], self.phrases.sign[cue]) > 0
            praises |= self.lower_first(cue) == "better"
            if link == self.lower(cue - 1) == "as" or (less and self.tags[cue - 1] == "n"):
                yield sign, self.actors(*hit.span(1))
            elif link == "than" and less:
                yield -sign, self.actors(*hit.span(1))
            elif link == "than" and (self.lower(cue) == "no" or praises):
                # "better than", "no better than"; not "worse than"
                yield -1, self.actors(*hit.span(1))
        begin, end = self.tags.rfind(".", 0, cue) + 1, self.tags.index(".", cue)
        for other in _UNLIKE.finditer(self.tags, begin, end + 1):
            if self.lower(other.start()) == "unlike":
                yield -sign, self.actors(*other.span(1))
