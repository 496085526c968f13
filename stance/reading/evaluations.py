"""How good or bad a sentence calls what an actor does or is, and with whom it compares it."""

import re
from collections.abc import Iterator

from stance.arrays import Ints
from stance.reading.constructions import VALUED
from stance.reading.cues import Cues
from stance.reading.voices import Ends, Voices

_BESIDE = re.compile(r"(?:\+|p)(A)")
_APART = re.compile("p(A),")


class Evaluations:
    """The evaluations in some sentences; places are indices into their phrases."""

    def __init__(self, voices: Voices, cues: Cues, unlike: Ints) -> None:
        self._voices, self._cues = voices, cues
        self._tags, self._phrases, self._is_in = voices.tags, voices.phrases, voices.is_in
        hits = (_APART.match(self._tags, at) for at in voices.places(unlike))
        self._unlike = {self._tags.index(".", hit.start()): hit.start(1) for hit in hits if hit}

    def polarity(self, name: str, hit: re.Match[str], cue: int) -> int:
        """Return the polarity of what an actor does, is, deserves or brings about, 0 for none."""
        sign, value = self._phrases.sign[cue], self._phrases.value[cue]
        if name == "act":
            return 0 if value and self._flips(hit) else value
        group, letter = hit.groupdict(), self._tags[cue]
        flip = bool(group.get("flip") or group.get("never") or self._flips(hit))
        turn = -1 if flip else 1
        if name == "fate":
            return self._fate(hit, cue, flip=flip)
        if name == "plea":
            return self._cues.appeals.get(self._voices.lower(cue), 0)
        if name in ("without", "because"):
            outcome = self._outcome(hit.end())
            return outcome if name == "because" else -1 if outcome > 0 else 1
        if name in ("deed to", "deed to by"):  # "left Armenia in the lurch"
            return turn * sign if self.fits(hit, cue) else 0
        if name == "has ours":  # "has lost my respect"
            lost = -1 if self._is_in(hit.start("verb"), "losing") else 1
            return lost * sign if self._phrases.ours[cue] else 0
        if name == "is somebody's":  # a puppet, not an ally, which may be a mere fact
            return 0 if self._is_in(cue, "blaming") else min(value, 0)
        if name == "epithet":
            if self._is_in(cue, "pity"):  # "poor Ukraine"
                return 1
            if re.search("[^su]s$", self._voices.lower(cue)):  # a verb: "marvels", "wonders"
                return 0
        if name == "as" and not self._voices.lower(cue - 1) == self._voices.lower(cue + 1) == "as":
            return 0
        if name == "fights":  # "fights corruption"
            return max(-value, 0)
        if name in VALUED:
            turned = name == "better without" or (name in ("shows", "makes") and flip)
            return -value if turned else value
        if letter in "deg" and name != "deed by":
            if self._passive(group.get("be"), letter):  # it was betrayed
                return 0
            after = self._tags[cue + 1]
            if sign > 0 and after == "J" and self._phrases.value[cue + 1] < 0:
                return -turn * sign  # "protected murderers"
            if after == "n" and (sign > 0 or self._is_in(cue + 1, "nobody")):
                return -turn * sign  # "can't be trusted", "betrayed nobody"
            return turn * sign if sign > 0 or not flip else 0
        turn = -turn if letter == "J" and self._less(cue) else turn
        return (1 if name == "deed by" else turn) * (sign if letter in "TcjVezCP" else value)

    def undone(self, hit: re.Match[str], cue: int) -> bool:
        """Tell whether a bad deed is denied: "has never lied", but not "should not lie"."""
        if self._phrases.sign[cue] > 0 or not (self._flips(hit) or hit["flip"]):
            return False
        words = {self._voices.lower(place) for place in range(hit.end("patient"), cue)}
        passive = self._passive(hit["be"], self._tags[cue])
        return not passive and words.isdisjoint(self._voices.lists["modal"])

    def _passive(self, be: str | None, letter: str) -> bool:
        return letter == ("e" if be else "g")

    def _flips(self, hit: re.Match[str]) -> bool:
        """Tell whether a clause begins with "neither Russia nor" or "not once did Austria"."""
        before = self._tags[max(0, hit.start() - 3) : hit.start()]
        return "n" in before and (before[-1] == "n" or before.removeprefix(".") in ("nm", "nh"))

    def _fate(self, hit: re.Match[str], cue: int, *, flip: bool) -> int:
        """Return the polarity of a fate: "should be abolished", "cannot be trusted"."""
        if hit["cannot"]:
            must, turned = self._voices.lower(hit.start("cannot")) == "cannot", True
        else:
            can_not = flip and self._voices.lower(hit.start("modal")) in ("can", "could")
            must, turned = can_not or self._is_in(hit.start("modal"), "obliging"), flip
        sign = self._cues.fates.get(self._voices.lower(cue), 0) if must else 0
        return -sign if turned else sign

    def _outcome(self, low: int) -> int:
        """Return how good the rest of a sentence is, less how bad."""
        rest = range(low, self._tags.index(".", low))
        return sum(
            self._phrases.value[place] if self._tags[place] in "JN" else self._phrases.sign[place]
            for place in rest
            if self._tags[place] in "JNcdegE"
        )

    def fits(self, hit: re.Match[str], cue: int) -> bool:
        """Tell whether the end of a figure of speech goes with its verb: "let" with "down"."""
        ends = self._voices.lower(cue), self._voices.last(cue)
        verbs = self._cues.tail_verbs.get(ends)
        return verbs is None or self._voices.lower(hit.start("verb")) in verbs

    def _less(self, cue: int) -> bool:
        """Tell whether a word of evaluation has "less" before it."""
        return self._voices.lower_first(cue) in self._voices.lists["less"]

    def lesson(self, cue: int) -> bool:
        """Tell whether a judging phrase is "could learn from", which blames who should learn."""
        return self._voices.last(cue) == "from" and self._is_in(cue, "learning")

    def compared(self, cue: int, sign: int) -> Iterator[tuple[int, Ends]]:
        """Yield with whom an evaluation compares an actor, and how good it says that they are."""
        hit = _BESIDE.match(self._tags, cue + 1)
        if hit and (other := self._other(cue, sign)) is not None:
            yield other, self._voices.actors(*hit.span(1))
        if self._unlike and (place := self._unlike.get(self._tags.index(".", cue))) is not None:
            yield -sign, self._voices.actors(place, place + 1)

    def _other(self, cue: int, sign: int) -> int | None:
        """Return the polarity of who follows "than" or "as", None where that is open."""
        link, before = self._voices.lower(cue + 1), self._voices.lower(cue - 1)
        if link == before == "as" and self._tags[cue - 1] == "p":
            return sign
        if link != "than":
            return None
        if self._less(cue):
            return -sign
        praised = self._voices.lower(cue) == "no" or self._voices.phrases.value[cue] > 0
        return -1 if praised else None  # "better than", "no better than"; not "worse than"
