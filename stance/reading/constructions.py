"""The constructions in which a sentence judges an actor: patterns over the letters of phrases.

`stance.reading.frames` says what the letters are. The first pattern that takes a cue keeps it.
"""

import re
from collections.abc import Iterator

from stance.reading.voices import Ends, Rejections, compiled

_TEXTS = {
    "fate": "<subject><aside>(?:(?P<modal>[moN]|h(?=n?t))(?P<flip>n?)t?|(?P<cannot>n))b"
    "(?P<cue>[^.,Aa])(?!<by>)",
    "plea": "(?<![^.])(?P<cue>[^.,AaVEGB])(?P<patient>A)",
    "demand": "(?<![^.])(?P<we>o[NF]|F(?:m|[ho]t)|Hb?Nt)?(?P<cue>[^.,AaF])"
    "(?P<object>[^.,AaRS+&]{0,4})(?P<link>[ptwif])(?P<patient><whom>)",
    "deed to": "<subject><aside>,?R?[hmbo]*(?P<flip>n?)(?P<verb>[VEGBoSKdegrb])"
    "(?P<victim>[ANJclsF])(?P<cue>X)",
    "deed to by": "(?P<victim>A)<aside>,?R?[hm]*b+n?(?P<verb>[oVEdeBr])(?P<cue>X)"
    "y(?P<patient><actors>)",
    "deed by": "(?P<victim>[ANJHFcO])<aside>,?R?[hm]*b+(?P<cue>[ezCP])y(?P<patient><actors>)",
    "undergone": "(?P<victim>A)<aside>,?R?[hm]*b+(?P<cue>e)(?!y<actors>)",
    "deserves": "<subject><aside>,?R?[hm]*(?P<never>n?)[hm]*(?P<verb>o)(?P<flip>n?)f?(?P<cue>[Jc])",
    "fights": "<subject><aside>,?R?[hm]*(?P<verb>[VEGode])(?P<cue>J)(?!p?[Aak])",
    "with which": "(?P<cue>[Jc])(?P<link>[pw])R(?P<patient><actors>)",
    "shows": "<subject><aside>,?R?[hm]*(?P<verb>[oSr]|m(?!n))(?P<flip>n?)(?P<cue>J)",
    "makes": "<subject><aside>,?R?[hm]*(?P<verb>[oS])(?P<victim>[ANFsl])b?(?P<cue>J)",
    "has ours": "<subject><aside>[hm]*(?P<verb>[hor])(?P<cue>c)(?![fpwtyi])",
    "said of": "(?P<cue>[Jjc]),(?P<agent><who>)Sf(?P<patient><whom>)",
    "without": "(?<![^.])(?P<cue>n)(?P<patient><actors>),[^.]{0,6}m",
    "vocative": "(?<![^.])(?P<cue>V),(?P<patient><actors>)[.,]",
    "ordered": "(?<![^.])(?P<cue>[zoV])[^.,A]{1,6},(?P<patient>A)\\.",
    "ordered first": "(?<![^.])(?P<patient>A),(?P<cue>z)(?![.,])",
    "addressed": "(?<![^.])(?P<patient>A),(?P<cue>V)\\.",
    "better without": "(?P<cue>J)[px]*(?P<link>n)(?P<patient><actors>)",
    "because": "(?<![^.])(?P<cue>\\+)f(?P<patient><actors>),",
    "due to": "(?P<cue>[Je])[^.,+]{0,4}(?P<link>\\+)f(?P<patient><actors>)(?=\\.)",
    "loyal": "n[hmb]*(?P<cue>[dozJ])(?P<patient><whom>)",
    "cannot stand": "(?P<flip>n)(?P<cue>[obN])(?P<patient><whom>)",
    "passive": "<subject><aside>,?R?[hmno]*b+(?:tb)?n?(?:pN)?(?:[EoN],?&)?(?P<cue>[EB])<by>?",
    "act by": "(?P<cue>[VG]|(?<![.,b])(?<!bn)[EB])(?P<worth>[NJcls])(?:[fpit][NJOcls]){0,2}"
    "y(?P<patient><whom>)",
    "participle by": "<subject>,?(?P<cue>[EB])(?:[fpi][NJclsA]){0,2}[NJ]?y(?P<agent><who>)",
    "headline": "(?<![^.])<subject>(?P<cue>[EB])(?=[fp])",
    "fronted": "(?<![^.])(?P<cue>[EB])y(?P<agent><who>)(?:[fpwti][^.,]{1,6})?,(?P<patient>A)",
    "relative": "<subject>,?(?:R|Y[NlJcs])(?P<agent><who>)[hmn]*(?P<cue>[VEB])(?![^.,]?[Aa])",
    "relative called": "<subject>,?R(?P<agent><who>)[hmn]*K[ptb]*(?P<cue>[Jcj])",
    "regrets": "(?P<cue>[VEPQJc])R(?P<patient>A)",
    "judged worth": "(?P<cue>[VEG])(?P<worth>J)(?:&J)?f(?P<patient><whom>)",
    "blamed on": "(?P<cue>B)[NJcl](?:[fp][NJ])?[it](?P<patient><whom>)",
    "held": "(?P<verb>[oVEGBhrKSU])(?P<patient><whom>)b?(?P<cue>T)",
    "wants": "(?P<verb>U)(?P<patient><whom>)(?:tb)?(?P<cue>[EoedN])",
    "hopes": "(?P<verb>[oSVEX])R?(?P<patient>A)[mh]?(?P<cue>[^.,Aa])",
    "may": "(?<![^.])(?P<verb>m)(?P<patient>A)x?(?P<cue>[^.,Aa])",
    "urged": "(?P<cue>U)(?P<patient><whom>)[tm]?z",
    "urged by": "<subject><aside>,?R?[hm]*b+n?(?P<cue>U)y(?P<agent><who>)[tm]?z",
    "against": "(?P<verb>[VEG])p?<whom>(?P<cue>p)(?P<patient><whom>)",
    "but not": "(?P<verb>[VEG])p?<whom>,?[&+],?(?P<cue>n)(?P<patient><whom>)",
    "judged": "(?P<cue>[VEGB])p?(?:&[VEG]p?)?[&n]?(?P<patient><whom>)",
    "judged act": "(?P<cue>[VEGB])p?(?P<patient>k)",
    "called": "(?P<verb>K)(?P<patient><whom>)[ptb]*,?(?P<cue>[Jcj])",
    "is held": "<subject><aside>[hmn]*b+n?[oVEr](?P<cue>T)(?:y(?P<agent><who>))?",
    "given": "(?P<verb>[or])(?P<patient><whom>)(?P<cue>c)",
    "participle called": "<subject>,?K[ptb]*(?P<cue>[Jcj])(?:f[NJ])?y(?P<agent><who>)",
    "is called": "<subject><aside>[hmn]*b+n?K[ptb]*(?P<cue>[Jcj])(?:[^.]{0,2}y(?P<agent><who>))?",
    "is called by": "<subject><aside>[hmn]*b+n?Ky(?P<agent><who>)[ptb]*(?P<cue>[Jcj])",
    "cleft": "R(?P<agent><who>)[hmn]*(?P<cue>[VEB])[^.,]{0,3}b(?P<patient>A)(?=\\.)",
    "received": "<subject><aside>[hmnb]*(?:[ro]p*|bp)(?P<cue>c)(?:[wyf](?P<agent><who>))",
    "received from nobody": "<subject><aside>[hmnb]*rp*(?P<cue>c)(?![ft]|[pi](?:[sl][fw])?[Aa])",
    "affects": "<subject><aside>[hmnbor,]*(?P<cue>P)(?P<agent><who>)",
    "which affects": "(?P<verb>,)R?(?P<cue>P)(?P<agent><who>)",
    "is judged": "<subject><aside>[hmnbor]*(?P<cue>Q)(?:[wy](?P<agent><who>))?",
    "deed": "<subject><aside>,?R?[hm]*(?P<flip>n?)(?P<be>b?)(?P<cue>[deg])(?P<victim><whom>)?",
    "to us": "<subject><aside>,?R?[hm]*(?P<flip>n?)(?P<cue>[VE])p?[FO]",
    "and deed": "(?P<link>[&+])(?P<flip>n?)(?P<cue>d)",
    "is": "<subject><aside>[hm]*(?P<never>n?)b(?P<flip>n?)b?(?:p|oy)?(?P<cue>[JTcj])",
    "surpasses": "(?<!m)<subject><aside>(?:m|m?[oVSd])(?P<cue>[Jo])(?=\\+A)",
    "apposition": "<subject>,(?P<cue>J)(?:f[NJ])?,(?![AJN&])",
    "so described": "(?<![^.])(?P<cue>J)&J,(?P<patient>A)",
    "which is": "(?<![^.])(?P<patient>A)(?![,&fS])[^.A]{2,}(?:,&?|&)Rb(?P<flip>n?)(?P<cue>J)\\.",
    "what is": "(?<![^.])(?P<patient>A)[^.,]{1,8}b(?P<flip>n?)(?P<cue>[Jj])[.,]",
    "of whom": "Hb+(?P<flip>n?)(?P<cue>[Jj])f(?P<patient>A)",
    "outcome": "(?<![^.])(?P<patient>A)(?![,&fS])[^.A]{2,},(?P<cue>[Jc])(?:f[NJ])?\\.",
    "verbless": "(?<![^.])(?P<patient>A)(?P<cue>[Jj])(?=,(?:S|cA))",
    "gapped": "b[^.,]{0,3}[Jc][^.,]{0,4},&?(?P<patient>A)(?P<cue>[Jc])(?=[.,])",
    "is somebody's": "<subject><aside>[hm]*bb?(?P<cue>a)",
    "is of": "<subject><aside>[hm]*b(?P<flip>n?)b?p?N[fp](?P<cue>[Jj])",
    "as": "p(?P<cue>J)p(?P<patient><actors>)",
    "noun": "(?P<cue>[ck])(?P<tail>(?:[fptwyi]<who>)+)",
    "crime by": "(?<!o[t])(?P<cue>J)y(?P<patient><actors>)",
    "by": "(?P<cue>[EB])(?:[^.,yYR&+bhmoVESd]{0,4}y(?P<agent><actors>))",
    "elsewhere": "(?P<agent><actors>)<aside>,?R?[hmn]*(?P<cue>[VEB])",
    "epithet": "(?<![ANa])(?P<cue>J)(?P<patient>A)(?!q)",
    "act": "(?P<patient>a)",
}
_SIGNS = {
    **dict.fromkeys(("headline", "participle by", "fronted", "by"), "[EB]"),
    **dict.fromkeys(("received", "received from nobody", "has ours", "given"), "c"),
    **dict.fromkeys(("held", "is held"), "T"),
    **dict.fromkeys(("affects", "which affects"), "P"),
    **dict.fromkeys(("because", "due to"), r"\+f"),
    "surpasses": r"\+(?<=[Jo]\+)A",
    **{"passive": "bn?t?b?n?p?N?[EoN]?,?&?[EB]", "participle called": "K[ptb]*[Jcj]y"},
    **{"deed to": "X", "deed to by": "Xy", "deserves": "on?f?[Jc]"},
    **{"fights": "J(?<=[VEGode]J)", "shows": "J(?<=[oSrnm]J)"},
    **{"makes": "J(?<=[oS][ANFsl]J)|b(?<=[oS][ANFsl]b)J"},
    **{"deed": "[deg]", "to us": "[VE]p?[FO]", "deed by": "y(?<=[ezCP]y)", "undergone": "e(?<=be)"},
    **{"is": "b[nbpoyX]*[JTcj]", "is of": "bn?b?p?N[fp][Jj]"},
    **dict.fromkeys(("is called", "is called by"), "bn?K"),
    **{"is somebody's": "ba", "is judged": "Q", "epithet": "JA"},
    **{"fate": "b(?<=[mohNnt]b)", "relative": "[Aak],?[RY]", "relative called": "[Aak],?R"},
    **{"cleft": "bA(?=\\.)", "with which": "R(?<=[pw]R)", "urged by": "Uy"},
    **{"but not": "n(?<=[&+,]n)", "against": "p(?<=[Aa]p)[Aasl]", "elsewhere": "[VEB]"},
    **{"apposition": ",J", "which is": "Rbn?J", "outcome": r",[Jc](?:f[NJ])?\."},
    **{"so described": "J&J", "verbless": "A[Jj],", "crime by": "Jy"},
    **{"said of": "Sf", "without": "nA", "vocative": "V,A", "addressed": "V(?<=,V)"},
    **{"act by": "y(?<=[NJcls]y)[slAa]", "judged act": "k(?<=[VEGBp]k)", "plea": "A(?<![^.].A)"},
}
"""What a sentence must hold for a construction to occur in it; others are not searched.

One letter alone is found fastest, so some patterns begin with it and look back."""
_DEEDS = (
    *("fate", "plea", "demand", "deed to", "deed to by", "deed by", "undergone", "shows", "makes"),
    *("has ours", "deed", "to us", "and deed", "deserves", "fights", "surpasses"),
)
_OUTCOMES = ("because", "due to")
_NAMED = ("as", "crime by", "epithet")
_TRAITS = (
    *("is", "apposition", "so described", "which is", "what is", "of whom", "outcome"),
    *("verbless", "gapped"),
    *("is somebody's", "is of", "vocative", "addressed", "ordered", "ordered first"),
    *_NAMED,
)
_ACTS = ("with which", "without", "better without", "act")

EVALUATIONS = {*_DEEDS, *_OUTCOMES, *_TRAITS, *_ACTS}
"""Constructions in which the voice of the sentence judges, whatever it denies elsewhere."""

KIND_OF = {
    **dict.fromkeys(("noun", "given", "received", "received from nobody"), "noun"),
    **dict.fromkeys(("affects", "which affects", "is judged"), "idiom"),
    **dict.fromkeys((*_TRAITS, "called", "participle called", "is called"), "trait"),
    **dict.fromkeys((*_DEEDS, *_OUTCOMES), "deed"),
    **dict.fromkeys(_ACTS, "act"),
}
"""What a construction's cue is, a verb that judges where it stands in none of these."""

NEEDS = {
    **{"against": ("cue", "against"), "headline": ("cue", "headlined")},
    **{"shows": ("verb", "doing"), "makes": ("verb", "doing")},
    **{"deserves": ("verb", "deserving"), "with which": ("link", "accompanying")},
    **{"hopes": ("verb", "hoping"), "may": ("verb", "hoping")},
    **{"wants": ("verb", "wanting"), "fights": ("verb", "fighting")},
    **{"loyal": ("cue", "deserting"), "cannot stand": ("cue", "bearing")},
    **{"without": ("cue", "without"), "better without": ("link", "without")},
    **{"because": ("cue", "because"), "due to": ("link", "because")},
    **dict.fromkeys(("ordered", "ordered first"), ("cue", "ordering")),
    **{"outcome": ("cue", "outcomes"), "regrets": ("cue", "regretting")},
    "and deed": ("link", "joining"),
}
"""The group of a pattern, and the list of ``frames.toml`` in which its word must be."""

JUDGES = {
    **dict.fromkeys(("against", "but not", "hopes", "may", "wants"), "verb"),
    **dict.fromkeys(("held", "called", "given"), "verb"),
    **dict.fromkeys(("judged", "judged act", "judged worth", "regrets"), "cue"),
    **dict.fromkeys(("blamed on", "urged", "act by", "loyal", "cannot stand"), "cue"),
}
"""The group of a pattern whose subject judges, where no other group is the agent."""

FIXED = {"against": -1, "but not": -1, "loyal": 1, "cannot stand": -1}
"""Constructions whose polarity does not depend on their cue."""

VALUED = {*_NAMED, "act", "shows", "makes", "due to", "better without"}
"""Constructions that are as good as the words of their cue's phrase, or as bad."""

_NEAR = 60  # letters between two signs that are searched together, which is faster


def occurrences(tags: str) -> Iterator[tuple[str, re.Match[str]]]:
    """Yield name and place of each construction in the phrases of some sentences, by name."""
    whole, places = [(0, len(tags))], dict[str, list[tuple[int, int]]]()
    for name, text in _TEXTS.items():
        sign = _SIGNS.get(name)
        if sign and sign not in places:
            places[sign] = [*_sentences_with(compiled(sign), tags)]
        for low, high in places[sign] if sign else whole:
            for hit in compiled(text).finditer(tags, low, high):
                yield name, hit


def _sentences_with(sign: re.Pattern[str], tags: str) -> Iterator[tuple[int, int]]:
    """Yield where the sentences that hold a sign begin and end, with those between near ones."""
    hit = sign.search(tags)
    while hit:
        low, end = tags.rfind(".", 0, hit.start()) + 1, hit.end()
        while hit and hit.start() < end + _NEAR:
            end = tags.index(".", hit.start()) + 1
            hit = sign.search(tags, end)
        yield low, end


TAIL = compiled("([fptwyi])(<who>)")
_BESIDE, _UNLIKE = re.compile(r"[+p](A)"), re.compile("p(A)[,.]")


class Evaluations(Rejections):
    """How good or bad sentences call what an actor does or is, and with whom they compare it."""

    def polarity(self, name: str, hit: re.Match[str], cue: int) -> int:
        """Return the polarity of what an actor does, is, deserves or brings about, 0 for none."""
        sign, value = self.phrases.sign[cue], self.phrases.value[cue]
        if name == "act":
            return 0 if self._flips(hit) else value
        group, letter = hit.groupdict(), self.tags[cue]
        flip = bool(group.get("flip") or group.get("never") or self._flips(hit))
        turn = -1 if flip else 1
        if name == "fate":
            return self._fate(hit, cue, flip=flip)
        if name == "plea":
            return self.cues.appeals.get(self.lower(cue), 0)
        if name.startswith("ordered"):  # "Stop the war, Putin!"
            return -1
        if name == "demand":
            return self._demand(hit, cue)
        if name in ("without", "because"):
            outcome = self._outcome(hit.end())
            return outcome if name == "because" else -1 if outcome > 0 else 1
        if name in ("deed to", "deed to by"):  # "left Armenia in the lurch"
            return turn * sign if self.fits(hit, cue) else 0
        if name == "has ours":  # "has lost my respect"
            lost = -1 if self.is_in(hit.start("verb"), "losing") else 1
            return lost * sign if self.phrases.ours[cue] else 0
        if name == "is somebody's":  # a puppet, not an ally, which may be a mere fact
            return min(value, 0)
        if name == "what is" and self.spelling(self.phrases.first[hit.start()] - 1) != "what":
            return 0  # "What Peru did is a shame"
        if name == "epithet":
            if self.is_in(cue, "pity"):  # "poor Ukraine"
                return 1
            if re.search("[^su]s$", self.lower(cue)):  # a verb: "marvels", "wonders"
                return 0
        if name == "apposition" and self.lower_first(cue).startswith("poor"):
            return 0
        if name == "as" and not self.lower(cue - 1) == self.lower(cue + 1) == "as":
            return 0
        if name == "surpasses":  # "did far better than"
            return turn if self.lower_first(cue) == "better" else 0
        if name == "fights":  # "fights corruption"
            return max(-value, 0)
        if name in VALUED:
            turned = name == "better without" or (name in ("shows", "makes") and flip)
            return -value if turned else value
        if name == "to us" and self.is_in(cue, "urge"):  # "warned us"
            return 0
        if letter in "deg":
            if letter == ("e" if group.get("be") else "g"):  # it was betrayed
                return 0
            after, bad = self.tags[cue + 1], self.phrases.value[cue + 1] < 0
            deserving = not self.lists["deserving"].isdisjoint((self.lower(cue), self.last(cue)))
            bad |= deserving and after in "cB" and self.phrases.sign[cue + 1] < 0
            if bad and ((sign > 0 and after == "J") or (deserving and after in "JcB")):
                return -turn * sign  # "protected murderers", "does not deserve the blame"
            if after == "n" and (sign > 0 or self.is_in(cue + 1, "nobody")):
                return -turn * sign  # "can't be trusted", "betrayed nobody"
            return turn * sign if sign > 0 or not flip else 0
        turn = -turn if self.lower_first(cue) == "less" else turn
        return turn * (sign if letter in "TcjVEezCP" else value)

    def undone(self, hit: re.Match[str], cue: int) -> bool:
        """Tell whether a bad deed is denied: "has never lied", but not "should not lie"."""
        words = {self.lower(place) for place in range(hit.end("patient"), cue)}
        passive = self.tags[cue] == ("e" if hit["be"] else "g")
        return not passive and words.isdisjoint(self.lists["modal"])

    def _flips(self, hit: re.Match[str]) -> bool:
        """Tell whether a clause begins with "neither Russia nor" or "not once did Austria"."""
        before = self.tags[max(0, hit.start() - 3) : hit.start()]
        return "n" in before and (before[-1] == "n" or before.removeprefix(".") in ("nm", "nh"))

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

    def _outcome(self, low: int) -> int:
        """Return how good the rest of a sentence is, less how bad."""
        rest = range(low, self.tags.index(".", low))
        values = (self.phrases.value[place] for place in rest if self.tags[place] in "JN")
        return sum(values) + sum(self.phrases.sign[p] for p in rest if self.tags[p] in "cdegE")

    def fits(self, hit: re.Match[str], cue: int) -> bool:
        """Tell whether the end of a figure of speech goes with its verb: "let" with "down"."""
        verbs = self.cues.tail_verbs.get((self.lower(cue), self.last(cue)))
        return verbs is None or self.lower(hit.start("verb")) in verbs

    def compared(self, cue: int, sign: int) -> Iterator[tuple[int, Ends]]:
        """Yield with whom an evaluation compares an actor, and how good it says that they are."""
        if hit := _BESIDE.match(self.tags, cue + 1):
            link, less = self.lower(cue + 1), self.lower_first(cue) == "less"
            praises = self.phrases.value[cue] > 0 or self.lower_first(cue) == "better"
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
