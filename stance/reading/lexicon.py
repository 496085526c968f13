"""Lexicons: words with polarity by category, and function words that turn or attribute it."""

import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import Stemmer

from stance.arrays import Ints8
from stance.errors import RecipeError
from stance.reading.phrases import Phrase, PhraseMatcher
from stance.settings import SchemaError, anything, items, of, one_of, read_settings, such, table

FUNCTIONS = (
    *("negators", "reporting", "hypothetical", "concession", "first_person", "prepositions"),
    "focus",  # may be missing: a negator right before one turns nothing ("not only")
)
NEGATOR, REPORTING, HYPOTHETICAL, CONCESSION, FIRST_PERSON, PREPOSITION, FOCUS = (
    1 << bit for bit in range(len(FUNCTIONS))
)
_GRAMMAR = (  # words by which a mention's role is told, whatever the lexicon
    *("by", "and or", "the a an this that all"),
    *("in at near across inside into outside throughout from to", "according", "to"),
)
BY, CONJUNCTION, DETERMINER, PLACE, ACCORDING, TO = (1 << bit for bit in range(len(_GRAMMAR)))
GRAMMAR = {
    word: sum(1 << bit for bit, words in enumerate(_GRAMMAR) if word in words.split())
    for word in " ".join(_GRAMMAR).split()
}
"""Bits of each word of grammar."""

SHORTEST_MENDED = 6  # letters of a stem taken for a misspelling; many shorter ones are words
_SIGNS = {"positive": 1, "negative": -1, "demand": 0, "none": 0}


def languages() -> tuple[str, ...]:
    """Return the languages that have a bundled actor book and lexicon."""
    folders = files("stance").joinpath("data").iterdir()
    return tuple(sorted(f.name for f in folders if f.joinpath("lexicon.toml").is_file()))


def bundled(language: str, name: str) -> str | None:
    """Return the text of a language's file, None if there is none."""
    file = files("stance").joinpath("data", language, name)
    return file.read_text("utf-8") if file.is_file() else None


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Words and phrases by category."""

    categories: tuple[str, ...]
    signs: Ints8  # per category: 1 positive, -1 negative, 0 neither
    stems: Mapping[str, int]  # category number of each Snowball stem
    functions: Mapping[str, int]  # bits of each function word
    phrases: PhraseMatcher  # multi-word entries, with category numbers
    misspelt: Mapping[str, str]  # the right stem of one in which two letters are swapped
    source: Mapping[str, Any]  # the tables that all this was made from

    @classmethod
    def default(cls, language: str = "english") -> "Lexicon":
        """Return the bundled lexicon, which is empty for a language that has none."""
        text = bundled(language, "lexicon.toml")
        return cls.from_tables(tomllib.loads(text or ""), language)

    @classmethod
    def read(cls, path: Path, language: str) -> "Lexicon":
        """Read a lexicon from a TOML file; raise a `RecipeError` if it is not complete.

        It needs words of either polarity and every list of function words, and no stem may stand
        in two categories.
        """
        tables = read_settings(path, "lexicon", RecipeError)
        try:
            _check_whole(tables)
            _check_homes(tables, stemmer(language))
        except SchemaError as error:
            raise RecipeError(f"{path}: {error}") from error
        return cls.from_tables(tables, language)

    @classmethod
    def from_tables(cls, tables: Mapping[str, Any], language: str) -> "Lexicon":
        """Make a lexicon from parsed tables, as in ``lexicon.toml`` and a model's manifest."""
        stem = stemmer(language)
        kinds = {name: table for name, table in tables.items() if name != "function"}
        stems: dict[str, int] = {}
        phrases: list[Phrase] = []
        for number, kind in enumerate(kinds.values()):
            for word in kind["words"]:
                stems.setdefault(stem(word.lower()), number)
            phrases += [(text, number, False) for text in kind.get("phrases", ())]
        functions: dict[str, int] = {}
        for bit, name in enumerate(FUNCTIONS):
            for word in tables.get("function", {}).get(name, ()):
                functions[word] = functions.get(word, 0) | (1 << bit)
        return cls(
            categories=tuple(kinds),
            signs=np.array([_SIGNS[t["polarity"]] for t in kinds.values()], np.int8),
            stems=stems,
            functions=functions,
            phrases=PhraseMatcher(phrases),
            misspelt=_misspelt(stems),
            source=tables,
        )


def _misspelt(stems: Collection[str]) -> dict[str, str]:
    """Return the long stems by each spelling in which two letters behind the first are swapped.

    >>> _misspelt({"condemn", "up"})["conedmn"]
    'condemn'
    """
    long, right = [stem for stem in stems if len(stem) >= SHORTEST_MENDED], dict[str, str]()
    for place in range(1, max(map(len, long), default=0)):
        long = [stem for stem in long if len(stem) > place + 1]
        for stem in long:
            swapped = stem[:place] + stem[place + 1] + stem[place] + stem[place + 2 :]
            if swapped not in stems:
                right.setdefault(swapped, stem)
    return right


@lru_cache(maxsize=8)
def stemmer(language: str) -> Callable[[str], str]:
    """Return the Snowball stemmer of a language, or raise a `RecipeError` if there is none."""
    known = Stemmer.algorithms()
    if language not in known:
        raise RecipeError(f"language '{language}' has no stemmer; choose among {', '.join(known)}")
    stem: Callable[[str], str] = Stemmer.Stemmer(language, 0).stemWord
    return stem


_WORD = such(of(str), lambda word: word == word.lower() and word.isalnum(), "a lower-case word")
_WORDS = such(items(_WORD), bool, "a list of words")
_PHRASE = such(
    of(str), lambda text: text == text.lower() and " " in text, "several lower-case words"
)
_CATEGORY = table(
    {"polarity": one_of(*_SIGNS), "words": _WORDS},
    {"phrases": items(_PHRASE), "meaning": anything},
)
_FUNCTION = table(dict.fromkeys(FUNCTIONS[:-1], _WORDS), {FUNCTIONS[-1]: _WORDS})


def _check_whole(tables: Mapping[str, Any]) -> None:
    """Raise a `SchemaError` unless a user's lexicon has all that the features look for."""
    for name, entries in tables.items():
        (_FUNCTION if name == "function" else _CATEGORY)(entries, name)
    signs = {entries["polarity"] for name, entries in tables.items() if name != "function"}
    lacking = {"positive", "negative"} - signs
    if lacking:
        raise SchemaError(f"no category of polarity '{min(lacking)}'; add one with its words")
    if "function" not in tables:
        raise SchemaError(f"'function' is missing; it lists {', '.join(FUNCTIONS[:-1])}")


def _check_homes(tables: Mapping[str, Any], stem: Callable[[str], str]) -> None:
    homes: dict[str, tuple[str, str]] = {}
    for name, entries in tables.items():
        for word in entries.get("words", ()):
            first, home = homes.setdefault(stem(word), (word, name))
            if home != name:
                raise SchemaError(
                    f"'{word}' of '{name}' has the stem of '{first}' of '{home}'; keep one of them"
                )
