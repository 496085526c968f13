"""The constructions in which a sentence judges an actor: patterns over the letters of phrases.

`stance.reading.frames` says what the letters are. The first pattern that takes a cue keeps it.
"""

import re
from collections.abc import Iterator
from functools import cache

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
_TEXTS = {
    "fate": "<subject><aside>(?:(?P<modal>[mohN])(?P<flip>n?)t?|(?P<cannot>n))b"
    "(?P<cue>[^.,Aa])(?!<by>)",
    "plea": "(?<![^.])(?P<cue>[^.,AaVEGB])(?P<patient>A)",
    "vows": "(?P<verb>[oVEGN])t(?P<cue>[^.,Aa])(?P<patient><whom>)",
    "deed to": "<subject><aside>,?R?[hmbo]*(?P<flip>n?)(?P<verb>[VEGBoSKdegrb])"
    "(?P<victim>[ANJclsF])(?P<cue>X)",
    "deed to by": "(?P<victim>A)<aside>,?R?[hm]*b+n?(?P<verb>[oVEdeBr])(?P<cue>X)"
    "y(?P<patient><actors>)",
    "deed by": "(?P<victim>A)<aside>,?R?[hm]*b+(?P<cue>[ezCP])y(?P<patient><actors>)",
    "deserves": "<subject><aside>,?R?[hmn]*(?P<verb>o)(?P<flip>n?)(?P<cue>[Jc])",
    "fights": "<subject><aside>,?R?[hm]*(?P<verb>[VEGode])(?P<cue>J)(?!p?[Aak])",
    "with which": "(?P<cue>[Jc])(?P<link>[pw])R(?P<patient><actors>)",
    "shows": "<subject><aside>,?R?[hm]*(?P<verb>[oSr])(?P<flip>n?)(?P<cue>J)",
    "makes": "<subject><aside>,?R?[hm]*(?P<verb>[oS])(?P<victim>[ANFsl])(?P<cue>J)",
    "has ours": "<subject><aside>[hm]*(?P<verb>[hor])(?P<cue>c)(?![fpwtyi])",
    "said of": "(?P<cue>[Jjc]),(?P<agent><who>)Sf(?P<patient><whom>)",
    "without": "(?<![^.])(?P<cue>n)(?P<patient><actors>),[^.]{0,6}m",
    "vocative": "(?<![^.])(?P<cue>V),(?P<patient><actors>)[.,]",
    "addressed": "(?<![^.])(?P<patient>A),(?P<cue>V)\\.",
    "better without": "(?P<cue>J)[px]*(?P<link>n)(?P<patient><actors>)",
    "because": "(?<![^.])(?P<cue>\\+)f(?P<patient><actors>),",
    "due to": "(?P<cue>[Je])[^.,+]{0,4}(?P<link>\\+)f(?P<patient><actors>)(?=\\.)",
    "loyal": "n[hmb]*(?P<cue>[dozJ])(?P<patient><whom>)",
    "cannot stand": "(?P<flip>n)(?P<cue>[obN])(?P<patient><whom>)",
    "passive": "<subject><aside>,?R?[hmno]*b+(?:tb)?n?(?:pN)?(?:[EoN],?&)?(?P<cue>[EB])<by>?",
    "participle by": "<subject>,?(?P<cue>[EB])<by>",
    "fronted": "(?<![^.])(?P<cue>[EB])y(?P<agent><who>)(?:[fpwti][^.,]{1,6})?,(?P<patient>A)",
    "participle": "<subject>,n?(?P<cue>[EB])(?=[fpi,])",
    "relative": "<subject>,?(?:R|Y[NlJcs])(?P<agent><who>)[hmn]*(?P<cue>[VEB])(?![^.,]?[Aa])",
    "blamed on": "(?P<cue>B)[NJcl](?:[fp][NJ])?[it](?P<patient><whom>)",
    "held": "(?P<verb>[oVEGBhrKSU])(?P<patient><whom>)b?(?P<cue>T)",
    "wants": "(?P<verb>U)(?P<patient><whom>)(?:tb)?(?P<cue>[EoedN])",
    "urged": "(?P<cue>U)(?P<patient><whom>)[tm]?z",
    "against": "(?P<verb>[VEG])p?<whom>(?P<cue>p)(?P<patient><whom>)",
    "but not": "(?P<verb>[VEG])p?<whom>,?[&+],?(?P<cue>n)(?P<patient><whom>)",
    "threatens": "(?P<cue>[VEG])t[^.,A]{1,2}(?P<patient><whom>)",
    "judged": "(?P<cue>[VEGB])p?(?:&[VEG]p?)?&?(?P<patient><whom>)",
    "judged act": "(?P<cue>[VEGB])p?(?P<patient>k)",
    "called": "(?P<verb>K)(?P<patient><whom>)[ptb]*,?(?P<cue>[Jcj])",
    "is held": "<subject><aside>[hmn]*b+n?[oVEr](?P<cue>T)(?:y(?P<agent><who>))?",
    "given": "(?P<verb>[or])(?P<patient><whom>)(?P<cue>c)",
    "participle called": "<subject>,?K[ptb]*(?P<cue>[Jcj])y(?P<agent><who>)",
    "is called": "<subject><aside>[hmn]*b+n?K[ptb]*(?P<cue>[Jcj])(?:[^.]{0,2}y(?P<agent><who>))?",
    "received": "<subject><aside>[hmnb]*(?:[ro]p*|bp)(?P<cue>c)(?:[wyf](?P<agent><who>))",
    "received from nobody": "<subject><aside>[hmnb]*rp*(?P<cue>c)(?![ft]|[pi](?:[sl][fw])?[Aa])",
    "affects": "<subject><aside>[hmnbor,]*(?P<cue>P)(?P<agent><who>)",
    "which affects": "(?P<verb>,)R?(?P<cue>P)(?P<agent><who>)",
    "is judged": "<subject><aside>[hmnbor]*(?P<cue>Q)(?:[wy](?P<agent><who>))?",
    "deed": "<subject><aside>,?R?[hm]*(?P<flip>n?)(?P<be>b?)(?P<cue>[deg])(?P<victim><whom>)?",
    "and deed": "&(?P<flip>n?)(?P<cue>d)",
    "is": "<subject><aside>[hm]*(?P<never>n?)b(?P<flip>n?)b?(?:p|oy)?(?P<cue>[JTcj])",
    "gapped": "b[^.,]{0,3}[Jc][^.,]{0,4},&?(?P<patient>A)(?P<cue>[Jc])(?=[.,])",
    "is somebody's": "<subject><aside>[hm]*bb?(?P<cue>a)",
    "is of": "<subject><aside>[hm]*b(?P<flip>n?)b?p?N[fp](?P<cue>[Jj])",
    "object by": "(?P<cue>[VEG])[NlJc]y(?P<patient><whom>)",
    "as": "p(?P<cue>J)p(?P<patient><actors>)",
    "exclaimed": "(?P<cue>[Jj](?<![^.].))(?P<patient>A)b?\\.",
    "noun": "(?P<cue>[ck])(?P<tail>(?:[fptwyi]<who>)+)",
    "crime by": "(?P<cue>J)y(?P<patient><actors>)",
    "conduct from": "(?<![^.])(?P<cue>J)w(?P<patient><actors>)",
    "by": "(?P<cue>[EB])(?:[^.,yYR&+bhmoVESd]{0,4}y(?P<agent><actors>))",
    "elsewhere": "(?P<agent><actors>)<aside>,?R?[hmn]*(?P<cue>[VEB])",
    "epithet": "(?<![ANa])(?P<cue>J)(?P<patient>A)(?!q)",
    "act": "(?P<patient>a)",
}
_SIGNS = {
    **dict.fromkeys(("participle by", "fronted", "participle", "by"), "[EB]"),
    **dict.fromkeys(("received", "received from nobody", "has ours", "given"), "c"),
    **dict.fromkeys(("held", "is held"), "T"),
    **dict.fromkeys(("affects", "which affects"), "P"),
    **dict.fromkeys(("because", "due to"), r"\+f"),
    **{"passive": "bn?t?b?n?p?N?[EoN]?,?&?[EB]", "participle called": "K[ptb]*[Jcj]y"},
    **{"deed to": "X", "deed to by": "Xy", "deserves": "on?[Jc]", "fights": "[VEGode]J"},
    **{"shows": "[oSr]n?J", "makes": "[oS][ANFsl]J", "deed": "[deg]", "deed by": "[ezCP]y"},
    **{"is": "b[nbpoy]*[JTcj]", "is of": "bn?b?p?N[fp][Jj]", "is called": "bn?K"},
    **{"is somebody's": "ba", "is judged": "Q", "epithet": "JA", "conduct from": "Jw"},
    **{"fate": "[mohNnt]b", "relative": "[Aak],?[RY]", "with which": "[pw]R"},
    **{"vows": "t[^.,Aa](?:s[fw]|lf)?[Aa]", "but not": "[&+],?n", "against": "[Aa]p[Aasl]"},
    **{"said of": "Sf", "without": "nA", "vocative": "V,A", "addressed": ",V"},
}
"""What a sentence must hold for a construction to occur in it; others are not searched."""
_DEEDS = (
    *("fate", "plea", "deed to", "deed to by", "deed by", "shows", "makes", "has ours"),
    *("deed", "and deed", "deserves", "fights"),
)
_OUTCOMES = ("because", "due to")
_NAMED = ("as", "exclaimed", "crime by", "conduct from", "epithet")
_TRAITS = ("is", "gapped", "is somebody's", "is of", "vocative", "addressed", *_NAMED)
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
    **{"against": ("cue", "against"), "threatens": ("cue", "threatening")},
    **{"shows": ("verb", "doing"), "makes": ("verb", "doing")},
    **{"deserves": ("verb", "deserving"), "with which": ("link", "accompanying")},
    **{"vows": ("verb", "vowing"), "wants": ("verb", "wanting"), "fights": ("verb", "fighting")},
    **{"loyal": ("cue", "deserting"), "cannot stand": ("cue", "bearing")},
    **{"without": ("cue", "without"), "better without": ("link", "without")},
    **{"because": ("cue", "because"), "due to": ("link", "because")},
}
"""The group of a pattern, and the list of ``frames.toml`` in which its word must be."""

FIXED = {"against": -1, "but not": -1, "loyal": 1, "cannot stand": -1}
"""Constructions whose polarity does not depend on their cue."""

VALUED = {*_NAMED, "act", "shows", "makes", "due to", "better without"}
"""Constructions that are as good as the words of their cue's phrase, or as bad."""


_NEAR = 60  # letters between two signs that are searched together, which is faster


@cache
def compiled(text: str) -> re.Pattern[str]:
    """Compile a pattern that may name parts."""
    for name, pattern in reversed(_PARTS.items()):
        text = text.replace(name, pattern)
    return re.compile(text)


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
