"""Pairs to judge, and their words as the features see them: a mention is one word."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from itertools import pairwise, repeat
from operator import ne
from typing import Any, NamedTuple, TypeVar

import numpy as np

from stance.arrays import Bools, Bytes, Ints, Ints8, Ints32, stretches
from stance.reading.actors import BATCH, ActorBook, MentionBatch
from stance.reading.keys import StringTable, keys_of
from stance.reading.lexicon import ALIASES, CUES, FOCUS, GRAMMAR, NEGATOR, PHRASES, Lexicon, stemmer
from stance.reading.names import ASIDE, name_words, person_spans, surname
from stance.reading.text import MOST_READ, Places, normalise, normalise_all, normalised_spans
from stance.reading.tokens import CLITIC_NEGATION, GAP_DOT_SPACE, Spellings, Tokens, tokenise
from stance.records import Mention

NOBODY = -1  # instead of an actor's number: none is named, or a paragraph is read without one
NEGATION_REACH = 4  # words after a negator, within its sentence, that it turns
NO_SPANS: Ints32 = np.zeros((0, 3), np.int32)

Made = TypeVar("Made")

Spans = Sequence[Places | None] | None
"""Where each text, as it is written, names its actor; None where it is to be found."""


@dataclass(frozen=True, slots=True)
class Words(Tokens):
    """The words of a batch, where a mention is one word, from its start to its end."""

    types: StringTable  # with the properties of spellings
    functions: Bytes  # what the word may do in a sentence: bits of `stance.reading.lexicon`
    negated: Bools
    category: Ints8  # of the lexicon; -1 for none, as in all names
    sign: Ints8  # polarity of the category, turned by negation
    name: Bools  # a mention, or capitalised inside a sentence that has lower-case words
    who: Ints32  # number of the actor named, or `NOBODY`
    alias_kind: Ints8  # -1 for none
    mentions: Ints  # the words that name an actor
    classed: Ints  # the words that have a category
    made: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def column(self, name: str, word: Any) -> Any:
        """Return a property of the spellings of some words."""
        return self.types[name].take(self.type.take(word))

    def once(self, make: Callable[..., Made], *args: Any) -> Made:
        """Return ``make(words, *args)``, made once for all heads of a model that ask for it."""
        if (make, *args) not in self.made:
            self.made[make, *args] = make(self, *args)
        return self.made[make, *args]

    def named_actors(self) -> tuple[Ints, Ints]:
        """Return paragraph and actor of each pair, by first mention."""
        width = np.int64(self.who.max(initial=0)) + 1
        named = self.para.take(self.mentions) * width + self.who.take(self.mentions)
        pair, first = np.unique(named, return_index=True)
        para, actor = np.divmod(pair[np.argsort(first)], width)
        return para, actor

    def count_mentions(self, para: Ints, actor: Ints) -> Ints:
        """Return how often each pair's actor is named."""
        width = np.int64(max(self.who.max(initial=0), actor.max(initial=0))) + 1
        named = np.sort(self.para.take(self.mentions) * width + self.who.take(self.mentions))
        pairs = para * width + actor
        return np.searchsorted(named, pairs, "right") - np.searchsorted(named, pairs)


@dataclass(frozen=True, slots=True)
class Query:
    """One actor to judge in each of some paragraphs."""

    texts: Sequence[str]  # normalised
    actor: Ints  # number in the book; ``len(book)`` if not in it, or if spans say where it is
    spans: Ints32  # as `Reader.words` takes them; the paragraph is that of the pair
    names: Sequence[str]  # of the actors as topics, see `ActorBook.topics`
    months: Ints  # of the texts, -1 if unknown; see `ActorBook.match`
    before: Sequence[str] = ()  # the paragraph before each, as written; empty if none is known

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, rows: Ints) -> "Query":
        """Return some of the pairs, each once."""
        place = np.full(len(self), -1, np.int32)
        place[rows] = np.arange(len(rows))
        spans = self.spans[place.take(self.spans[:, 0]) >= 0]
        spans[:, 0] = place.take(spans[:, 0])
        spans = spans[np.argsort(spans[:, 0], kind="stable")]
        texts, names, before = (_some(of, rows) for of in (self.texts, self.names, self.before))
        return Query(texts, self.actor[rows], spans, names, self.months[rows], before)

    def batches(self) -> "Iterator[Query]":
        """Yield the pairs, `BATCH` at a time."""
        for low in range(0, len(self), BATCH):
            yield self.take(np.arange(low, min(low + BATCH, len(self))))

    def read(self, reader: "Reader", *, apart: bool = False) -> tuple[Words, Ints]:
        """Read the texts, once where pairs that follow each other share one, unless kept apart.

        The second result is the paragraph of each pair.
        """
        rows = zip(self.texts, self.months.tolist(), self.before or repeat(""), strict=False)
        differ = [apart or one != two for one, two in pairwise(rows)]
        new = np.array([True, *differ][: len(self)], np.bool_)
        alone = self.spans[:, 0]
        new[alone] = True  # where a user says that the actor is named, the book finds nobody
        new[alone[alone < len(self) - 1] + 1] = True
        para, kept = np.cumsum(new) - 1, np.flatnonzero(new)
        spans = self.spans.copy()
        spans[:, 0] = para.take(spans[:, 0])
        texts, before = _some(self.texts, kept), _some(self.before, kept)
        return reader.words(texts, spans, self.months[kept], before), para


def _some(column: Sequence[str], rows: Ints) -> list[str]:
    return [column[row] for row in rows.tolist()] if column else []


def make_query(
    book: ActorBook, texts: Sequence[str], actors: Sequence[str], spans: Spans = None,
    months: Ints | None = None, before: Sequence[str] = (),
) -> Query:  # fmt: skip
    """Look up actors in the book, and those it does not have by name and surname.

    Texts and actors are as written; months and paragraphs before are those of `Query`.
    """
    plain = normalise_all(texts)
    numbers = {actor: book.number(actor) for actor in set(actors)}
    number = np.array([numbers[actor] for actor in actors], np.int64)
    lacked = [i for i in np.flatnonzero(number < 0).tolist() if not (spans and spans[i])]
    literal = literal_places(book, [plain[i] for i in lacked], [actors[i] for i in lacked])
    named = dict[int, Places](zip(lacked, literal, strict=True))
    for i, given in enumerate(spans or ()):
        if given:
            read = texts[i][:MOST_READ]
            places: Places = sorted(place for place in given if place[0] < MOST_READ)
            if plain[i] != read or not all(0 <= s <= e <= len(read) for s, e in places):
                places = normalised_spans(read, places)
            named[i] = places
    number[[*named]] = len(book)
    rows = [(i, start, end) for i in sorted(named) for start, end in named[i]]
    shaped = np.array(rows, np.int32).reshape(-1, 3)
    months = np.full(len(texts), -1) if months is None else months
    return Query(plain, number, shaped, book.topics(actors), months, before)


def literal_places(
    book: ActorBook, texts: Sequence[str], names: Sequence[str]
) -> list[list[tuple[int, int]]]:
    """Return where each normalised text names its actor that the book lacks.

    A leader is named as the book names the state's, anybody else in full or by surname.
    """
    people = {name: _Person.read(book, name) for name in set(names)}
    led = [row for row, name in enumerate(names) if people[name].states]
    mentions = dict(zip(led, book.find_all(texts[row] for row in led), strict=True))
    pairs = enumerate(zip(texts, names, strict=True))
    return [people[name].places(text, mentions.get(row, [])) for row, (text, name) in pairs]


class _Person(NamedTuple):
    """Whom a column of actors names, although the book has no actor of this name."""

    names: tuple[str, ...]  # as written, and "Vladimir Putin" for "Putin, Vladimir"
    states: set[str]  # that the person leads, or led
    parts: set[str]  # of the name without titles and initials, as `_parts` returns them
    last: str  # the surname, where it is nobody else's

    @classmethod
    def read(cls, book: ActorBook, name: str) -> "_Person":
        name, titles = ASIDE.sub("", normalise(name)).strip(), name_words()["titles"]
        last, _, given = name.partition(", ")
        turned = f"{given} {last}".strip()
        words = [word for word in turned.split() if word.rstrip(".").lower() not in titles]
        words = [word for word in words if word.rstrip(".")[1:]]  # "Donald J. Trump"
        full, short = " ".join(words), " ".join([*words[:1], *words[-1:]])
        spellings = name, full, full.title(), full.replace("-", " "), short  # "TRUMP", "al-Assad"
        states = {state for state, kind in map(book.owned, spellings) if kind == "leader"}
        last = surname(turned) if "surname" in book.kinds else ""
        return cls((name, turned), states, _parts(full), "" if book.owned(last)[1] else last)

    def places(self, text: str, mentions: Sequence[Mention]) -> list[tuple[int, int]]:
        """Return the places, given the mentions by the book."""
        places = list[tuple[int, int]]()
        for one in mentions:
            part = _parts(text[one.start : one.end])
            if one.actor in self.states and (self.parts <= part or part <= self.parts):
                places.append((one.start, one.end))
        if places or (self.states and len(self.parts) < 2):
            return places
        return person_spans(text, self.names, self.last)


def _parts(name: str) -> set[str]:
    return {part[:5].casefold() for part in re.findall(r"\w+", name)}  # "Zelensky", "Zelenskyy"


class Reader:
    """Reads paragraphs with an actor book, a lexicon and the stemmer of a language."""

    def __init__(
        self, book: ActorBook, lexicon: Lexicon, language: str = "english", deep: Any = None
    ) -> None:
        self.book, self.lexicon, self.language = book, lexicon, language
        self.deep = deep  # makes features of the block `deep` from words, paragraphs and actors
        self._stem = stemmer(language)
        functions = [*lexicon.functions]
        self._function_keys = dict(zip(functions, keys_of(functions).tolist(), strict=True))
        columns: dict[str, type] = {"stem": np.int64, "category": np.int8, "small": np.bool_}
        columns["plain"] = np.bool_  # has letters alone, or beyond ASCII no digits
        columns |= {"functions": np.uint8, "function key": np.uint64, "grammar": np.uint8}
        columns |= dict.fromkeys((*PHRASES, *ALIASES, *CUES), np.int32) | {"letters": np.uint64}
        # All stems and spellings seen so far; the stem of a spelling is a number in ``stems``.
        self.stems = StringTable(lambda stems: (keys_of(stems, "stem:"),), {"key": np.uint64})
        self.types = Spellings(self._describe, columns)
        self.made: dict[Any, Any] = {}  # vocabularies, and what else is known of spellings

    def _describe(self, words: Sequence[str], lower: Sequence[str]) -> Iterator[Any]:
        lexicon, stems = self.lexicon, list(map(self._stem, lower))
        stems = list(map(lexicon.misspelt.get, stems, stems))
        yield self.stems.find(stems)
        yield list(map(lexicon.stems.get, stems, repeat(-1)))
        yield list(map(ne, words, map(str.upper, words)))
        yield [w.isalpha() if w.isascii() else not any(map(str.isdigit, w)) for w in words]
        yield list(map(lexicon.functions.get, lower, repeat(0)))
        yield list(map(self._function_keys.get, lower, repeat(0)))
        yield list(map(GRAMMAR.get, lower, repeat(0)))
        yield from lexicon.phrases.describe(words, lower)
        yield from self.book.matcher.describe(words, lower)
        yield from (0, 0, 0)  # cues, which are described where an actor may be judged

    def words(
        self, texts: Sequence[str], spans: Ints32 = NO_SPANS, months: Ints | None = None,
        before: Sequence[str] = (),
    ) -> Words:  # fmt: skip
        """Read normalised paragraphs and find the actors they name.

        Spans, in order, are places that name the actor to be judged, whose number is ``len(book)``:
        of shape (n_spans, 3), paragraph and ends in its normalised text. What the book finds there
        does not count. Months and paragraphs before are as in `ActorBook.match`.
        """
        if self.types.full():
            self.forget()
        tokens = tokenise(texts, self.types)
        matches = self.book.match(tokens, self.types, months, before)
        return self._words(*self._shrunk(tokens, *self._mentioned(tokens, matches, spans)))

    def forget(self) -> None:
        """Forget the spellings seen so far, and all that was worked out for them."""
        self.types.clear()
        self.stems.clear()
        self.made.clear()

    def once(self, make: Callable[..., Made], *args: Any) -> Made:
        """Return ``make(*args)``, made once until the spellings are forgotten."""
        if (make, *args) not in self.made:
            self.made[make, *args] = make(*args)
        return self.made[make, *args]

    def _shrunk(
        self, tokens: Tokens, first: Ints, last: Ints, who: Ints32, kind: Ints8
    ) -> tuple[Tokens, Ints32, Ints8]:
        """Return the batch with mentions as one word, and the actor and alias kind of each word."""
        # Mentions may overlap where spans do: a word is the tail of one if it is inside any.
        tail = np.zeros(len(tokens.type), np.bool_)
        tail[stretches(first + 1, last - first)] = True
        heads = ~tail[first]
        first, last, who, kind = first[heads], last[heads], who[heads], kind[heads]
        source = first - np.cumsum(tail)[first]
        for column in (tokens.gap, tokens.end, tokens.clitic, tokens.between):
            column[first] = column[last]  # what follows a mention follows its last word
        tokens = tokens.without(np.flatnonzero(tail))
        actor_of = np.full(len(tokens.type), NOBODY, np.int32)
        kind_of = np.full(len(tokens.type), -1, np.int8)
        actor_of[source], kind_of[source] = who, kind
        return tokens, actor_of, kind_of

    def _mentioned(
        self, tokens: Tokens, matches: MentionBatch, spans: Ints32
    ) -> tuple[Ints, Ints, Ints32, Ints8]:
        """Return first word, last word, actor and alias kind of each mention, in order."""
        # Each word of "both countries" names one of the two.
        pair = np.flatnonzero(matches.first[1:] == matches.first[:-1])
        matches.last[pair], matches.first[pair + 1] = matches.first[pair], matches.last[pair]
        if not len(spans):
            return matches.first, matches.last, matches.actor, matches.kind
        # Words and places of all paragraphs, one after the other on one line of characters.
        lengths = np.fromiter(map(len, tokens.texts), np.int64, len(tokens.texts)) + 1
        offset = np.cumsum(lengths) - lengths
        para, start, end = spans.T.astype(np.int64)
        shift = offset.take(tokens.para)
        low = np.searchsorted(tokens.end + shift, start + offset[para], side="right")
        high = np.searchsorted(tokens.start + shift, end + offset[para], side="left") - 1
        wordy = low <= high
        low, high = low[wordy], high[wordy]
        # The user's spans win: what the book finds in or across one is dropped.
        taken = np.zeros(len(tokens.type) + 1, np.bool_)
        taken[stretches(low, high - low + 1) + 1] = True
        before = np.cumsum(taken)
        free = before[matches.last + 1] == before[matches.first]
        first, last = np.append(low, matches.first[free]), np.append(high, matches.last[free])
        actor = np.append(np.full(len(low), len(self.book), np.int32), matches.actor[free])
        kind = np.append(np.full(len(low), -1, np.int8), matches.kind[free])
        order = np.argsort(first, kind="stable")
        return first[order], last[order], actor[order], kind[order]

    def _words(self, tokens: Tokens, who: Ints32, alias_kind: Ints8) -> Words:
        types, type_, mentioned = self.types, tokens.type, who >= 0
        functions = types["functions"].take(type_)
        mentions = np.flatnonzero(mentioned)
        functions[mentions] = 0  # "US" is not "us"
        negation = tokens.clitic == CLITIC_NEGATION
        capital = types["capital"].take(type_)
        name = self._names(tokens, capital, mentioned)
        category = self._categories(tokens, negation, mentioned)
        np.copyto(category, -1, where=name)
        classed = np.flatnonzero(category >= 0)
        turning = ((functions & NEGATOR) > 0) & ~name | negation
        turning &= tokens.gap != GAP_DOT_SPACE  # "No. 10", or "no" as the end of a sentence
        apart = tokens.sentence[1:] != tokens.sentence[:-1]
        turning[:-1] &= (functions[1:] & FOCUS == 0) | apart
        negated = _shortly_after(turning, tokens.sentence)
        sign, polarity = np.zeros(len(type_), np.int8), self.lexicon.signs.take(category[classed])
        sign[classed] = np.where(negated.take(classed), -polarity, polarity)
        return Words(
            **{column.name: getattr(tokens, column.name) for column in fields(tokens)},
            types=types,
            functions=functions,
            negated=negated,
            category=category,
            sign=sign,
            name=name,
            who=who,
            alias_kind=alias_kind,
            mentions=mentions,
            classed=classed,
        )

    def _names(self, tokens: Tokens, capital: Bools, mentioned: Bools) -> Bools:
        """Return which words are mentions, or capitalised inside a sentence not all in CAPITALS."""
        small = self.types["small"].take(tokens.type) & ~mentioned
        written = np.zeros(int(tokens.sentence.max(initial=-1)) + 1, np.bool_)
        written[tokens.sentence[small]] = True
        return written.take(tokens.sentence) & capital & ~tokens.sentence_start | mentioned

    def _categories(self, tokens: Tokens, negation: Bools, mentioned: Bools) -> Ints8:
        category = self.types["category"].take(tokens.type)
        np.copyto(category, -1, where=negation)  # "won't" is not "won"
        # Mentions stand in no phrase: "to Justice Department".
        find, types = self.lexicon.phrases.find, np.where(mentioned, -1, tokens.type)
        first, length, value = find(tokens.para, tokens.gap, types, self.types)
        for step in range(1, int(length.max(initial=1))):
            category[first[length > step] + step] = -1
        category[first] = value
        return category


def _shortly_after(flags: Bools, sentence: Ints32) -> Bools:
    """Return which words follow a flag within `NEGATION_REACH` words of the same sentence."""
    after = np.zeros(len(flags), np.bool_)
    for step in range(1, NEGATION_REACH + 1):
        after[step:] |= flags[:-step] & (sentence[step:] == sentence[:-step])
    return after
