"""The words of judgement by the part that they play, from ``frames.toml``: letters for words."""

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache

import numpy as np

from stance.reading.lexicon import CUES, PREPOSITION, REPORTING, Phrase, PhraseMatcher, bundled


def _inflected(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the regular forms of verbs, each with V, E or G: base, past and -ing."""
    for word in words:
        stem = word.removesuffix("e")
        if stem.endswith("y") and stem[-2:-1] not in "aeou":
            stem = stem[:-1] + "i"
        double = word[-1] in "bdglmnprt" and word[-2:-1] in "aeiou" and word[-3:-2] not in "aeiou"
        stems = [stem, *([word + word[-1]] if double else [])]
        sibilant = stem[-1] in "sxzhi" and not word.endswith("e")
        yield word, "V"
        yield word + "s" if word[-1] == "e" else stem + ("es" if sibilant else "s"), "V"
        for root in stems:
            yield root + "ed", "E"
            yield (word if root[-1] == "i" else root) + "ing", "G"


OWNERS = dict.fromkeys(("their", "his", "her"), "its")  # of actors that are many, or persons
_LINKING = (" from", " of", " in", " with", " by", " to")
_SIDES = {"negative": -1, "positive": 1}
_NOUNS = {"private": "u", "act": "a", "state": "s"}
_VERBS = {"verbs": "o", "speech": "S", "receive": "r", "conduct": "v"}
_DEEDS = {"V": "d", "E": "e", "G": "g"}
_ASKING = {"urge": "U", "call": "K", "control": "C", "blame": "B"}
_SIDED_PHRASES = {
    **{"judging_phrases": "V", "judged_phrases": "P", "affecting": "P", "noun_phrases": "c"},
    **{"tails": "T", "trait_phrases": "j", "deed_phrases": "d", "deed_tails": "X"},
}
_PHRASES = {
    **{"being": "b", "denying": "n", "refusing": "C", "facts": "o", "urging": "U"},
    **{"according": "W", "concerning": "p", "manner": "x"},
}
_ADJECTIVES = ("ic", "al", "ive", "ous", "ful", "less", "ish", "ary", "ble", "ian")
SIGNALS = {
    # Without one of these a sentence rejects nothing.
    "rejection": (
        *("claims", "untrue", "unfair", "rejecting", "accepting", "proofs", "doubting"),
        *("confirming", "generic"),
    ),
    "unjust": ("falsely", "slandering"),
    **{name: (name,) for name in ("turning", "breaking", "quantities", "former", "sports")},
    "referring": ("referring", "persons"),
}
"""Words that may turn a judgement, by the lists of ``frames.toml`` in which they are."""


class Cues:
    """What the words of judgement are, from ``frames.toml``.

    Attributes
    ----------
    letter, noun : dict of str to str
        The letter of a word, and that as a noun where another letter comes first.
    sign, value : dict of str to int
        Whether a judging word or deed is good (1) or bad (-1); the same for a trait.
    fates, appeals : dict of str to int
        What "should be" done to an actor, and the same as an imperative.
    lists : dict of str to frozenset of str
        Closed lists of words, which constructions ask for.
    """

    def __init__(self, tables: dict[str, dict[str, str]]) -> None:
        self.letter, self.noun = dict[str, str](), dict[str, str]()
        self.sign, self.value = dict[str, int](), dict[str, int]()
        self.fates, self.appeals = dict[str, int](), dict[str, int]()
        words = {name: text.split() for name, text in tables["words"].items()}
        self._irregular = defaultdict[str, list[str]](list)  # forms of each verb
        for pair in tables["irregular"]["forms"].split():
            form, _, base = pair.partition(":")
            self._irregular[base].append(form)
        for side, sign in _SIDES.items():
            verbs = tables["fates"][side].split()
            done = [form for form, letter in _inflected(verbs) if letter == "E"]
            done += tables["fates"]["irregular_" + side].split()
            self.appeals |= dict.fromkeys(verbs, sign)
            self.fates |= dict.fromkeys(done, sign)
            self.value |= dict.fromkeys(tables["traits"][side].split(), sign)
            self.sign |= dict.fromkeys(tables["nouns"][side].split(), sign)
        self.noun |= dict.fromkeys(self.value, "J")
        for name, letter in _NOUNS.items():
            self.noun |= dict.fromkeys(words[name], letter)
        self.noun |= dict.fromkeys(self.sign, "c")
        for name, letter in _VERBS.items():
            self.letter |= dict.fromkeys(words[name], letter)
        self._read_verbs(tables)
        for name, letter in _ASKING.items():
            new = [word for word in words[name] if letter == "B" or word not in self.sign]
            self.letter |= dict.fromkeys(new, letter)
            self.sign |= dict.fromkeys(words[name], -1) if letter in "UB" else {}
        self.letter |= dict.fromkeys(words["stop"], "z")
        for letter, text in tables["tags"].items():
            self.letter |= dict.fromkeys(text.split(), letter)
            for word in text.split():
                self.noun.pop(word, None)
        self.lists = {name: frozenset(forms) for name, forms in words.items()}
        for name in ("deserting", "slandering"):
            self.lists[name] = frozenset(form for form, _ in _inflected(words[name]))
        self._signals = dict[str, int]()  # a bit for each of the `SIGNALS`
        for bit, names in enumerate(SIGNALS.values()):
            for word in {word for name in names for word in self.lists[name]}:
                self._signals[word] = self._signals.get(word, 0) | 1 << bit
        # Any of these may decide what a sentence says, so that it is read.
        read = [*self.fates, *self.appeals, *self.lists["deserting"], *self.lists["bearing"]]
        read += ["without", "because", *self.lists["sending"], *self.lists["cutting"]]
        read += [*self.lists["thriving"], *self.lists["perishing"]]
        read += [*self.lists["indebted"], *self.lists["ordering"]]
        self.sign = dict.fromkeys(read, 1) | self.sign
        self._read_phrases(tables)

    def _read_verbs(self, tables: dict[str, dict[str, str]]) -> None:
        """Read deeds, with small letters, and judging verbs, which come before these."""
        for name in ("deeds", "judges"):
            for side, sign in _SIDES.items():
                bases = tables[name][side].split()
                others = [form for base in bases for form in self._irregular.get(base, ())]
                forms = [(form, "G" if form.endswith("ing") else "E") for form in others]
                for form, letter in (*_inflected(bases), *forms):
                    self.letter[form] = _DEEDS[letter] if name == "deeds" else letter
                    self.sign[form] = sign

    def _read_phrases(self, tables: dict[str, dict[str, str]]) -> None:
        """Read phrases: each its letter, its polarity and, if it befalls others, its verbs."""
        self.tail_verbs = dict[tuple[str, str], set[str]]()  # by first and last word of a tail
        phrases, kinds = list[Phrase](), dict[tuple[str, int], int]()

        def add(texts: Iterable[str], letter: str, sign: int) -> None:
            kind = kinds.setdefault((letter, sign), len(kinds))
            phrases.extend((text, kind, False) for text in texts)

        for side, sign in _SIDES.items():
            for name, letter in _SIDED_PHRASES.items():
                texts = _split(tables[name][side])
                for place, entry in enumerate(texts):
                    if "<" in entry:
                        texts[place], _, verbs = entry.partition(" < ")
                        ends = entry.split()[0], texts[place].split()[-1]
                        self.tail_verbs.setdefault(ends, set()).update(verbs.split())
                if name == "judged_phrases":
                    # "under fire" may stand alone; "under fire from" needs who follows.
                    add((text for text in texts if not text.endswith(_LINKING)), "Q", sign)
                    texts = [text for text in texts if text.endswith(_LINKING)]
                add(texts, letter, sign)
        for name, letter in _PHRASES.items():
            add(_split(tables["words"][name]), letter, -1 if letter == "U" else 0)
        self.phrases = PhraseMatcher(CUES, phrases, self._forms)
        self.phrase_letter = np.array([ord(letter) for letter, _ in kinds], np.uint8)
        self.phrase_sign = np.array([sign for _, sign in kinds], np.int8)

    def _forms(self, verb: str) -> list[str]:
        """Return the inflections of a verb."""
        others = self._irregular.get(verb, [])
        regular = [form for form, letter in _inflected([verb]) if not others or letter != "E"]
        return [*dict.fromkeys(others + regular)]

    def describe(self, word: str, category: int, function: int) -> bytes:
        """Return eight bytes: a lower-case word's letter, that as a noun, sign, value, signals."""
        letter = self.letter.get(word, "S" if function & REPORTING else "")
        noun, value = self.noun.get(word, ""), self.value.get(word, 0)
        if not letter and not noun and (plural := self.value.get(word.removesuffix("s"), 0)):
            noun, value = "J", plural  # "monsters"
        if not letter and not noun:
            if function & PREPOSITION:
                letter = "p"
            elif word.endswith("ly"):
                base = word.removesuffix("ly")
                near = (base, base.removesuffix("i") + "y", base + "le")
                value = next((self.value[one] for one in near if one in self.value), category)
                letter = "L" if value else "x"  # "behaved shamefully"
                noun = "x"
            elif category:
                noun, value = "J", category
                letter = "o" if word.endswith(("ed", "ing")) else noun
            elif word.endswith("ed") and len(word) > 4:
                letter, noun = "o", "N"
            elif word.endswith("ing") and len(word) > 5:
                letter = "0"  # a verb after a comma, else a noun
            elif word.endswith(_ADJECTIVES):
                letter = "J"
            else:
                letter = "N"
        letter, noun = letter or noun, noun or ("N" if letter in "VEGdegKUCoSrBzv" else letter)
        if noun == "N" and letter == "V" and category:
            noun, value = "J", category
        if noun == "N" and letter in "deg":
            noun, value = "J", self.sign[word]
        sign, signals = self.sign.get(word, 0), self._signals.get(word, 0)
        return bytes((ord(letter), ord(noun), sign & 255, value & 255, signals, 0, 0, 0))


def _split(text: str) -> list[str]:
    return [*filter(None, map(str.strip, text.replace("\n", " ").split(";")))]


@lru_cache(maxsize=2)
def cues_of(language: str) -> Cues | None:
    """Return the cues of a language, None if it has none."""
    text = bundled(language, "frames.toml")
    return Cues(tomllib.loads(text)) if text else None
