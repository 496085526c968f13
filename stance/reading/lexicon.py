"""Words and fixed phrases with polarity by category, and function words that turn it."""

import tomllib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count, repeat, zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import Stemmer

from stance.arrays import Bytes, Ints, Ints8, Ints32, Keys
from stance.errors import RecipeError
from stance.files import DATA
from stance.reading.keys import KeyIndex, StringTable
from stance.reading.tokens import Spellings, tokenise
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
    return tuple(sorted(path.parent.name for path in DATA.glob("*/lexicon.toml")))


def bundled(language: str, name: str) -> str | None:
    """Return the text of a language's file, None if there is none."""
    file = DATA / language / name
    return file.read_text("utf-8") if file.is_file() else None


Phrase = tuple[str, int, bool]
"""A normalised text to find, the number to answer with, 0 or more, and whether case counts."""

Forms = Callable[[str], Iterable[str]]  # of a verb, with any of which "~be at ease" begins

PHRASES, ALIASES, CUES = ("phrase", "phrase exact"), ("alias", "alias exact"), ("cue", "cue exact")
"""Columns of spellings that `PhraseMatcher.describe` yields for each of three matchers."""


class PhraseMatcher:
    """Leftmost-longest matches of phrases, without overlap, separated as in their text.

    Phrases stand in a prefix tree: the first word is a node, and a word that follows a node behind
    a kind of gap leads to the next node. "North Korea" and "North Macedonia" share their first one.
    """

    def __init__(
        self, columns: Sequence[str], phrases: Iterable[Phrase], forms: Forms | None = None
    ) -> None:
        self._columns = columns
        variants = [*phrases]
        # Where case counts, the text in ALL CAPS counts, too.
        variants += [(text.upper(), value, True) for text, value, exact in variants if exact]
        texts, values, exact = zip(*variants, strict=True) if variants else ((), (), ())
        spellings = Spellings(lambda *_: (), {})
        tokens = tokenise(texts, spellings)
        lower = [*map(str.lower, spellings.strings)]
        self._folded = dict(zip(dict.fromkeys(lower), count(1)))
        folded = np.array([self._folded[word] for word in lower], np.int64)
        exactly = spellings.strings if any(exact) else ()
        self._exact = dict(zip(exactly, count(len(self._folded) + 1)))
        cased = np.array(exact, np.bool_).take(tokens.para)
        number = np.where(cased, len(self._folded) + 1 + tokens.type, folded.take(tokens.type))
        sizes = np.diff(tokens.first)
        kept = np.flatnonzero(sizes)
        first, sizes, value = tokens.first[kept], sizes[kept], np.array(values, np.int32)[kept]
        verb = np.array([forms is not None and text[0] == "~" for text in texts], np.bool_)[kept]
        node = 2 * number[first] + verb  # odd where any form of a verb begins
        self._roots = self._first_nodes(np.unique(node, return_index=True)[0], forms)
        self._index, self._second = KeyIndex(np.zeros(0, np.uint64)), 2 * number.max(initial=0) + 2
        for depth in range(1, int(sizes.max(initial=0))):
            longer = np.flatnonzero(sizes > depth)
            place = first[longer] + depth
            step = _step(node[longer], tokens.gap[place - 1], number[place])
            self._index.add(np.unique(step, return_index=True)[0])
            node[longer] = self._second + self._index.find(step)
        self._values = np.full(self._second + len(self._index), -1, np.int32)
        self._values[node[::-1]] = value[::-1]  # the first of equals counts

    def _first_nodes(self, begins: Ints, forms: Forms | None) -> Ints:
        """Return the nodes of words, by number; forms of verbs have rows of their own."""
        words = ["", *self._folded, *self._exact]
        verbs = defaultdict[int, list[int]](list)
        for node in begins[begins & 1 > 0].tolist():
            for form in forms(words[node // 2]) if forms else ():
                next_one = len(self._exact) + len(self._folded) + 1
                verbs[self._folded.setdefault(form, next_one)].append(node)
        rows = max(map(len, verbs.values()), default=0)
        nodes = np.zeros((rows + 1, len(self._exact) + len(self._folded) + 1), np.int64)
        nodes[:rows, [*verbs]] = [*zip_longest(*verbs.values(), fillvalue=0)]
        plain = begins[begins & 1 == 0]
        nodes[rows, plain // 2] = plain
        return nodes

    def describe(self, words: Sequence[str], lower: Sequence[str]) -> Iterator[list[int]]:
        """Yield what `find` asks of spellings: their numbers in lower case and as spelled."""
        for known, asked in ((self._folded, lower), (self._exact, words)):
            yield list(map(known.get, asked, repeat(0))) if known else [0] * len(asked)

    def find(
        self, para: Ints32, gap: Bytes, type_: Ints, types: StringTable
    ) -> tuple[Ints, Ints, Ints]:
        """Return first word, number of words and value of each match, in order.

        Each word has its paragraph, the gap after it, and its spelling in a table that has what
        `describe` tells; a word with the spelling -1 stands in no phrase.
        """
        tables = [types[name] for name in self._columns]
        if len(type_) < len(types):  # fewer words than spellings
            tables = [np.where(type_ < 0, 0, numbers.take(type_)) for numbers in tables]
            type_ = np.arange(len(type_))
        tables = [np.append(numbers, 0) for numbers in tables]
        roots = [(numbers, nodes.take(numbers)) for nodes in self._roots for numbers in tables]
        starts = np.flatnonzero(np.any([nodes for _, nodes in roots], axis=0).take(type_))
        begun, (length, value) = type_.take(starts), np.zeros((2, len(starts)), np.int64)
        for numbers, root in roots:
            node = root.take(begun)
            rank = np.flatnonzero(node)
            start, node, size = starts.take(rank), node.take(rank), 1
            while len(start):
                values = self._values.take(node)
                # Of equally long matches the exact one counts, or else the one without a verb.
                longer = np.flatnonzero((values >= 0) & (size >= length.take(rank)))
                length[rank[longer]], value[rank[longer]] = size, values[longer]
                behind = start + size
                word = numbers.take(type_.take(behind, mode="clip"))
                on = np.flatnonzero((word > 0) & (behind < len(type_)))
                on = on[para.take(behind.take(on)) == para.take(start.take(on))]
                rank, start, behind = rank.take(on), start.take(on), behind.take(on)
                steps = _step(node.take(on), gap.take(behind - 1), word.take(on))
                following = self._index.find(steps)
                on = np.flatnonzero(following >= 0)
                rank, start, node = rank.take(on), start.take(on), following.take(on) + self._second
                size += 1
        hits = np.flatnonzero(length)
        first, length = starts.take(hits), length.take(hits)
        end = first + length
        kept = first >= np.maximum.accumulate(np.append(0, end))[:-1]  # behind all before them
        for hit in np.flatnonzero(~kept).tolist():
            last = hit - 1
            while not kept[last]:
                last -= 1
            kept[hit] = first[hit] >= end[last]
        return first[kept], length[kept], value[hits[kept]]


def _step(node: Ints, gap: Bytes, word: Any) -> Keys:
    """Return the key of a step in the tree: from a node, behind a gap, to a word."""
    return ((node << 32) + (gap.astype(np.int64) << 28) + word).view(np.uint64)


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
        return cls.from_tables(tomllib.loads(bundled(language, "lexicon.toml") or ""), language)

    @classmethod
    def read(cls, path: Path | str, language: str) -> "Lexicon":
        """Read a lexicon from a TOML file; raise a `RecipeError` if it is not complete.

        It needs words of either polarity and every list of function words, and no stem may stand
        in two categories.
        """
        tables = read_settings(Path(path), "lexicon", RecipeError)
        try:
            _check(tables, stemmer(language))
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
            phrases=PhraseMatcher(PHRASES, phrases),
            misspelt=_misspelt(stems),
            source=tables,
        )


def _misspelt(stems: Collection[str]) -> dict[str, str]:
    """Return the long stems by each spelling in which two letters behind the first are swapped.

    >>> _misspelt({"condemn", "up"})["conedmn"]
    'condemn'
    """
    long = [stem for stem in stems if len(stem) >= SHORTEST_MENDED]
    right = {
        stem[:place] + stem[place + 1] + stem[place] + stem[place + 2 :]: stem
        for stem in long[::-1]  # the first of several counts
        for place in range(1, len(stem) - 1)
    }
    for stem in right.keys() & stems:
        del right[stem]
    return right


@lru_cache(maxsize=8)
def stemmer(language: str) -> Callable[[str], str]:
    """Return the stemmer of a language that Snowball knows."""
    return Stemmer.Stemmer(language, 0).stemWord


_WORD = such(of(str), lambda word: word == word.lower() and word.isalnum(), "a lower-case word")
_WORDS = such(items(_WORD), bool, "a list of words")
_PHRASE = such(of(str), lambda t: t == t.lower() and " " in t, "several lower-case words")
_CATEGORY = table(
    {"polarity": one_of(*_SIGNS), "words": _WORDS},
    {"phrases": items(_PHRASE), "meaning": anything},
)
_FUNCTION = table(dict.fromkeys(FUNCTIONS[:-1], _WORDS), {FUNCTIONS[-1]: _WORDS})
_LEXICON = table(optional={"function": _FUNCTION}, others=_CATEGORY)


def _check(tables: Mapping[str, Any], stem: Callable[[str], str]) -> None:
    """Raise a `SchemaError` unless a user's lexicon has all that the features look for."""
    _LEXICON(tables, "")
    categories = {name: entries for name, entries in tables.items() if name != "function"}
    lacking = {"positive", "negative"} - {entries["polarity"] for entries in categories.values()}
    if lacking:
        raise SchemaError(f"no category of polarity '{min(lacking)}'; add one with its words")
    if "function" not in tables:
        raise SchemaError(f"'function' is missing; it lists {', '.join(FUNCTIONS[:-1])}")
    homes: dict[str, tuple[str, str]] = {}
    for name, entries in categories.items():
        for word in entries["words"]:
            first, home = homes.setdefault(stem(word), (word, name))
            if home != name:
                both = f"has the stem of '{first}' of '{home}'"
                raise SchemaError(f"'{word}' of '{name}' {both}; keep one of them")
