"""The words of judgement by the part that they play, from ``frames.toml``: letters for words."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import lru_cache

import numpy as np

from stance.reading.languages import bundled
from stance.reading.lexicon import PREPOSITION, REPORTING
from stance.reading.phrases import Phrase, PhraseMatcher


def _inflected(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the regular forms of verbs, each with V, E or G: base, past and -ing."""
    for word in words:
        stem = re.sub("(?<=[^aeou])y$", "i", word.removesuffix("e"))
        double = re.search("[^aeiou][aeiou][bdglmnprt]$", word)
        stems = [stem, *([word + word[-1]] if double else [])]
        sibilant = stem[-1] in "sxzhi" and not word.endswith("e")
        yield word, "V"
        yield word + "s" if word[-1] == "e" else stem + ("es" if sibilant else "s"), "V"
        for own in stems:
            yield own + "ed", "E"
            yield (word if own[-1] == "i" else own) + "ing", "G"


class Cues:
    """What the words of judgement are, from ``frames.toml``."""

    def __init__(self, tables: dict[str, dict[str, str]]) -> None:
        self.letter, self.noun = dict[str, str](), dict[str, str]()
        self.sign, self.value = dict[str, int](), dict[str, int]()
        self.fates, self.pleas = dict[str, int](), dict[str, int]()
        self.tail_verbs = dict[str, set[str]]()  # by the first word of a tail
        phrases = list[tuple[str, str, int]]()
        words, sides = tables["words"], (("negative", -1), ("positive", 1))
        for side, sign in sides:
            traits = tables["traits"][side].split()
            self.value |= dict.fromkeys(traits, sign)
            self._nouns(traits, "J")
        for name, letter in (("private", "u"), ("act", "a"), ("state", "s")):
            self._nouns(words[name].split(), letter)
        for side, sign in sides:
            nouns = tables["nouns"][side].split()
            self._nouns(nouns, "c")
            self.sign |= dict.fromkeys(nouns, sign)
            for name, letter in (
                *(("judging_phrases", "V"), ("judged_phrases", "P"), ("affecting", "P")),
                *(("noun_phrases", "c"), ("tails", "T"), ("trait_phrases", "j")),
            ):
                phrases += [(text, letter, sign) for text in _split(tables[name][side])]
            phrases += [(text, "d", sign) for text in _split(tables["deeds"]["phrases_" + side])]
            for tail in _split(tables["deeds"]["tails_" + side]):
                text, _, verbs = tail.partition(" < ")
                phrases.append((text, "X", sign))
                self.tail_verbs |= {text.split()[0]: {*verbs.split()}} if verbs else {}
        phrases += [(text, "U", -1) for text in _split(words["urge_phrases"])]
        for name, letter in (
            ("being", "b"),
            ("denying", "n"),
            ("control_phrases", "C"),
            ("facts", "o"),
        ):
            phrases += [(text, letter, 0) for text in _split(words[name])]
        phrases += [(text, "W", 0) for text in ("according to", "in the view of", "in the eyes of",
                                                "in the words of")]  # fmt: skip
        for name, letter in (("verbs", "o"), ("speech", "S"), ("receive", "r"), ("conduct", "v")):
            self.letter |= dict.fromkeys(words[name].split(), letter)
        irregular = [pair.split(":") for pair in tables["irregular"]["forms"].split()]
        for name, turned in (("deeds", str.lower), ("judges", str)):
            for side, sign in sides:
                bases = tables[name][side].split()
                forms = [*_inflected(bases)]
                forms += [
                    (form, "G" if form.endswith("ing") else "E")
                    for form, base in irregular
                    if base in bases
                ]
                for form, letter in forms:
                    self.letter[form] = {"v": "d"}.get(turned(letter), turned(letter))
                    self.sign[form] = sign
        for name, letter in (("urge", "U"), ("call", "K"), ("control", "C"), ("blame", "B")):
            own = words[name].split()
            self.letter |= {w: letter for w in own if letter == "B" or w not in self.sign}
            self.sign |= dict.fromkeys(own, -1) if letter in "UB" else {}
        self.letter |= dict.fromkeys(words["stop"].split(), "z")
        for letter, text in tables["tags"].items():
            self.letter |= dict.fromkeys(text.split(), letter)
            for word in text.split():
                self.noun.pop(word, None)
        for side, sign in sides:
            deserved = tables["fates"][side].split()
            self.pleas |= dict.fromkeys(deserved, sign)
            self.fates |= {form: sign for form, letter in _inflected(deserved) if letter == "E"}
            self.fates |= dict.fromkeys(tables["fates"]["irregular_" + side].split(), sign)
        self.deserting = {form for form, _ in _inflected(words["deserting"].split())}
        self.pity = {*words["pity"].split()}
        self.obliging, self.bearing = {*words["obliging"].split()}, {*words["bearing"].split()}
        # Any of these may decide what a sentence says, so that it is read.
        read = [*self.fates, *self.pleas, *self.deserting, *self.bearing, "without", "because"]
        self.sign = dict.fromkeys(read, 1) | self.sign
        self.attitudes = frozenset(words["attitude"].split())
        self.phrases = PhraseMatcher(Phrase(text, at) for at, (text, *_) in enumerate(phrases))
        # "under fire" may stand alone; "under fire from" needs who follows.
        ends = ("from", "of", "in", "with", "by", "to")
        alone = {*_split(tables["affecting"]["negative"]), *_split(tables["affecting"]["positive"])}
        self.phrase_letter = np.array(
            [ord("Q" if letter == "P" and text.split()[-1] not in ends and text not in alone
                 else letter) for text, letter, _ in phrases], np.uint8)  # fmt: skip
        self.phrase_sign = np.array([sign for *_, sign in phrases], np.int8)

    def _nouns(self, words: list[str], letter: str) -> None:
        self.noun |= dict.fromkeys(words, letter)

    def describe(self, word: str, category: int, function: int) -> tuple[int, int, int, int]:
        """Return letter, letter as a noun, sign and value of a lower-case word."""
        letter, noun = self.letter.get(word, ""), self.noun.get(word, "")
        value = self.value.get(word, 0)
        if function & REPORTING and not letter:
            letter = "S"
        if not letter and not noun:
            if function & PREPOSITION:
                letter = "p"
            elif word.endswith("ly"):
                base = word.removesuffix("ly")
                near = (base, base.removesuffix("i") + "y", base + "le")
                value = next((self.value[own] for own in near if own in self.value), category)
                letter = "L" if value else "x"  # "behaved shamefully"
                noun = "x"
            elif category:
                noun, value = "J", category
                letter = "o" if word.endswith(("ed", "ing")) else noun
            elif word.endswith("ed") and len(word) > 4:
                letter, noun = "o", "N"
            elif word.endswith("ing") and len(word) > 5:
                letter = "0"  # a verb after a comma, else a noun
            elif word.endswith(
                ("ic", "al", "ive", "ous", "ful", "less", "ish", "ary", "ble", "ian")
            ):
                letter = "J"
            else:
                letter = "N"
        letter, noun = letter or noun, noun or ("N" if letter in "VEGdegKUCoSrBzv" else letter)
        if noun == "N" and letter == "V" and category:
            noun, value = "J", category
        if noun == "N" and letter in "deg":
            noun, value = "J", self.sign[word]
        return ord(letter), ord(noun), self.sign.get(word, 0), value


def _split(text: str) -> list[str]:
    return [own for part in text.split(";") if (own := " ".join(part.split()))]


@lru_cache(maxsize=2)
def cues_of(language: str) -> Cues | None:
    """Return the cues of a language, None if it has none."""
    text = bundled(language, "frames.toml")
    return Cues(tomllib.loads(text)) if text else None
