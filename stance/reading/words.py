"""What is known of each word of a batch, after mentions have shrunk to one word."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from stance.arrays import Bools, Bytes, Ints, Ints8, Ints32, Keys
from stance.reading.actors import ActorBook
from stance.reading.keys import key_of
from stance.reading.lexicon import NEGATOR, Lexicon, stemmer
from stance.reading.text import Joined
from stance.reading.tokens import CLITIC_NEGATION, CLITIC_POSSESSIVE, Forms, TokenBatch, tokenise

NOBODY = -1


@dataclass(frozen=True, slots=True)
class ByForm:
    """What is known of the form of each word; fetched for some words where it is asked for.

    Attributes
    ----------
    values : ndarray
        One entry per form.
    form : ndarray of int32
        Form of each word.
    """

    values: Keys
    form: Ints32

    def take(self, at: NDArray[Any]) -> Keys:
        """Return the values of some words."""
        return self.values.take(self.form.take(at))

    def __getitem__(self, at: NDArray[Any]) -> Keys:
        found: Keys = self.values[self.form[at]]
        return found


@dataclass(frozen=True, slots=True)
class Words:
    """Per word of the batch, after mentions have shrunk to one word.

    Attributes
    ----------
    joined : Joined
    form : ndarray of int32
        Row of the `Forms` table.
    key, stem : ByForm
        Keys of the lower-case word and of its stem.
    functions : ndarray of uint8
        What the word may do in a sentence, as bits of `stance.reading.lexicon`.
    capital : ndarray of bool
    first : ndarray of shape (n_paragraphs + 1,)
    start, end : ndarray
        Character offsets into the joined text, for a mention of the whole of it.
    sentence, sentence_start, quoted, possessive, question : ndarray
        As in `TokenBatch`.
    negated : ndarray of bool
        Within `NEGATION_REACH` of a negator.
    category : ndarray of int8
        Lexicon category, -1 for none; none in names.
    sign : ndarray of int8
        Polarity of the category, turned by negation.
    name : ndarray of bool
        A capitalised word inside a sentence that has small letters too, or a mention.
    who : ndarray
        Number of the actor named, `NOBODY` for a plain word.
    alias_kind : ndarray of int8
        Kind of the alias, -1 for none.
    mentions, classed : ndarray
        Which words name an actor, and which have a category.
    """

    joined: Joined
    form: Ints32
    key: ByForm
    stem: ByForm
    functions: Bytes
    capital: Bools
    first: Ints
    start: Ints32
    end: Ints32
    sentence: NDArray[Any]
    sentence_start: Bools
    quoted: Bools
    possessive: Bools
    question: Bools
    negated: Bools
    category: Ints8
    sign: Ints8
    name: Bools
    who: Ints32
    alias_kind: Ints8
    mentions: Ints
    classed: Ints

    @property
    def text(self) -> str:
        """The joined paragraphs."""
        return self.joined.text

    def named_actors(self) -> tuple[Ints, Ints, Ints]:
        """Return paragraph, actor and number of mentions of each pair, by first mention."""
        at = self.mentions
        para = np.searchsorted(self.first, at, side="right") - 1
        width = int(self.who.max(initial=0)) + 1
        pair, first, counts = np.unique(
            para * width + self.who[at], return_index=True, return_counts=True
        )
        order = np.argsort(first)
        return pair[order] // width, pair[order] % width, counts[order]

    def count_mentions(self, para: Ints, actor: Ints) -> Ints:
        """Return how often the paragraph of each pair names the actor of the pair."""
        width = 1 + int(max(self.who.max(initial=0), actor.max(initial=0)))
        owner = np.searchsorted(self.first, self.mentions, side="right") - 1
        place = owner * width + self.who.take(self.mentions)
        counts = np.bincount(place, minlength=(len(self.first) - 1) * width)
        found: Ints = np.where(actor >= 0, counts.take(para * width + actor), 0)
        return found


NEGATION_REACH = 4
"""Words after a negator, within its sentence, that it turns."""

Span = tuple[int, int, int]
"""Paragraph number, first and end character offset of an actor in a normalised paragraph."""


class FormTable(Protocol):
    """What grows with the forms."""

    def update(self, forms: Forms) -> None:
        """Take in the forms that are new."""


Table = TypeVar("Table", bound=FormTable)


class Reader:
    """Reads paragraphs with an actor book and a lexicon.

    Parameters
    ----------
    book : ActorBook
    lexicon : Lexicon
    language : str
        Snowball language.
    """

    def __init__(self, book: ActorBook, lexicon: Lexicon, language: str = "english") -> None:
        self.book = book
        self.lexicon = lexicon
        self._stem = stemmer(language)
        self.names: dict[int, str] | None = None
        """Where set, gets the string of every word key: the terms of features are made of it."""
        self._generation, self._grams, self._starts = -1, list[Keys](), [0]
        self._tables: dict[Callable[[], Any], Any] = {}
        self.forms = Forms(
            self._describe,
            (
                *ActorBook.columns,
                ("stem", np.uint64),
                ("small", np.bool_),
                ("category", np.int8),
                ("functions", np.uint8),
                ("phrase", np.uint8),
            ),
        )

    def _describe(self, word: str, lower: str) -> tuple[int | bool, ...]:
        stem = self.lexicon.mended(self._stem(lower))
        exact, folded, alias = self.book.describe(word, lower)
        key = key_of("stem:" + stem)
        if self.names is not None:
            self.names[key] = stem
            self.names[folded] = lower
        return (
            exact,
            folded,
            alias,
            key,
            word != word.upper(),
            self.lexicon.stems.get(stem, -1),
            self.lexicon.functions.get(lower, 0),
            self.lexicon.phrases.roles(word, lower),
        )

    def words(self, texts: Sequence[str] | Joined, spans: Sequence[Span] = ()) -> Words:
        """Read normalised paragraphs and find the actors that they name.

        Parameters
        ----------
        texts : sequence of str or Joined
        spans : sequence of (int, int, int)
            Places that their user says name the actor to be judged, in order; that actor then
            has the number ``len(book)``, and what the book finds there does not count.
        """
        batch, who, kind = self._shrunk(tokenise(texts, self.forms), spans)
        return self._words(batch, who, kind)

    def _shrunk(self, batch: TokenBatch, spans: Sequence[Span]) -> tuple[TokenBatch, Ints32, Ints8]:
        """Return the words with mentions as one, and the actor and alias kind of each."""
        first, last, who, kind = self._mentioned(batch, spans)
        tail = _tails(first, last, len(batch.form))
        heads = np.flatnonzero(~tail.take(first))  # spans may overlap
        first, last, who = (part.take(heads) for part in (first, last, who))
        tails = np.flatnonzero(tail)
        at = first - np.searchsorted(tails, first)
        # What follows a mention follows its last word.
        end, clitic, question = (a.take(last) for a in (batch.end, batch.clitic, batch.question))
        batch = batch.without(tails)
        batch.end[at], batch.clitic[at], batch.question[at] = end, clitic, question
        actor_of = np.full(len(batch.form), NOBODY, np.int32)
        kind_of = np.full(len(batch.form), -1, np.int8)
        actor_of[at], kind_of[at] = who, kind.take(heads)
        return batch, actor_of, kind_of

    def _words(self, batch: TokenBatch, who: Ints32, alias_kind: Ints8) -> Words:
        columns, form, mentioned = self.forms.columns, batch.form, who >= 0
        mentions = np.flatnonzero(mentioned)
        functions = columns["functions"].take(form)
        functions[mentions] = 0  # "US" is no first person
        negation = batch.clitic == CLITIC_NEGATION
        capital = self.forms.columns["capital"].take(form)
        name = self._names(batch, capital, mentioned)
        category = self._categories(batch, negation, mentioned)
        category |= -name.view(np.int8)  # none in names
        classed = np.flatnonzero(category >= 0)
        turning = ((functions & NEGATOR) > 0) & ~name | negation
        negated = _shortly_after(turning, batch.sentence)
        return Words(
            joined=batch.joined,
            form=form,
            key=ByForm(columns["lower"], form),
            stem=ByForm(columns["stem"], form),
            functions=functions,
            capital=capital,
            first=batch.first,
            start=batch.start,
            end=batch.end,
            sentence=batch.sentence,
            sentence_start=batch.sentence_start,
            quoted=batch.quoted,
            possessive=batch.clitic == CLITIC_POSSESSIVE,
            question=batch.question,
            negated=negated,
            category=category,
            sign=self._signs(category, negated, classed),
            name=name,
            who=who,
            alias_kind=alias_kind,
            mentions=mentions,
            classed=classed,
        )

    def _mentioned(
        self, batch: TokenBatch, spans: Sequence[Span]
    ) -> tuple[Ints, Ints, Ints, Ints8]:
        """Return first word, last word, actor and alias kind of each mention, in order."""
        found = self.book.match(batch, self.forms)
        if not spans:
            return found.first, found.last, found.actor, found.kind
        table = np.array(spans, np.int64).reshape(-1, 3)
        shift = batch.offset[table[:, 0]]
        first = np.searchsorted(batch.end, table[:, 1] + shift, side="right")
        last = np.searchsorted(batch.start, table[:, 2] + shift, side="left") - 1
        wordy = first <= last
        first, last = first[wordy], last[wordy]
        # A span is what its user says it is: what the book finds there or across its border goes.
        taken = np.zeros(len(batch.start) + 1, np.int64)
        np.add.at(taken, first, 1)
        np.add.at(taken, last + 1, -1)
        running = np.concatenate([[0], np.cumsum(np.cumsum(taken[:-1]) > 0)])
        free = running[found.last + 1] == running[found.first]
        own = np.full(len(first), len(self.book), np.int64)
        first = np.concatenate([first, found.first[free]])
        order = np.argsort(first, kind="stable")
        return (
            first[order],
            np.concatenate([last, found.last[free]])[order],
            np.concatenate([own, found.actor[free]])[order],
            np.concatenate([np.full(len(own), -1, np.int8), found.kind[free]])[order],
        )

    def _names(self, batch: TokenBatch, capital: Bools, mentioned: Bools) -> Bools:
        """Return which words are mentions, or begin with a capital, where this tells something.

        It does not at the start of a sentence, nor in one that is WRITTEN IN CAPITALS.
        """
        if not len(batch.form):
            return mentioned
        small = self.forms.columns["small"].take(batch.form) & ~mentioned
        starts = np.flatnonzero(batch.sentence[1:] != batch.sentence[:-1]) + 1
        starts = np.append(0, starts)
        written = np.zeros(int(batch.sentence[-1]) + 1, np.bool_)
        written[batch.sentence.take(starts)] = np.logical_or.reduceat(small, starts)
        named = written.take(batch.sentence)
        named &= capital & ~batch.sentence_start
        return named | mentioned

    def _signs(self, category: Ints8, negated: Bools, classed: Ints) -> Ints8:
        """Return the polarity of each category, turned where negated."""
        sign = np.zeros(len(category), np.int8)
        polarity = self.lexicon.signs.take(category.take(classed))
        sign[classed] = np.where(negated.take(classed), -polarity, polarity)
        return sign

    def _categories(self, batch: TokenBatch, negation: Bools, mentioned: Bools) -> Ints8:
        category = self.forms.columns["category"].take(batch.form).astype(np.int8)
        category[negation] = -1  # "won't" is no victory
        first, length, value = self.lexicon.phrases.find(
            batch,
            self.forms.columns["phrase"],
            self.forms.columns["exact"],
            self.forms.columns["lower"],
            mentioned,  # "to Justice Department" is no "to justice"
        )
        for step in range(1, int(length.max(initial=1))):
            category[first[length > step] + step] = -1
        category[first] = value
        return category

    def table(self, make: Callable[[], Table]) -> Table:
        """Return the reader's own table that ``make`` returns, with a row for every form."""
        if make not in self._tables:
            self._tables[make] = make()
        table: Table = self._tables[make]
        table.update(self.forms)
        return table

    def characters(self) -> tuple[Ints, Keys]:
        """Return where the character n-grams of each form start, and the keys of all of them."""
        spelling = self.forms.spelling
        if self._generation != self.forms.generation:
            self._generation, self._grams, self._starts = self.forms.generation, [], [0]
        for word in spelling[len(self._starts) - 1 :]:
            grams = character_grams(word)
            self._grams.append(np.array([key_of("char:" + gram) for gram in grams], np.uint64))
            self._starts.append(self._starts[-1] + len(grams))
            if self.names is not None:
                self.names |= {key_of("char:" + gram): gram for gram in grams}
        keys = np.concatenate(self._grams) if self._grams else np.zeros(0, np.uint64)
        return np.array(self._starts, np.int64), keys


LEAST_GRAM, MOST_GRAM = 2, 5
"""Lengths of character n-grams."""


def character_grams(word: str) -> list[str]:
    """Return the character n-grams of a word between blanks, in lower case.

    Examples
    --------
    >>> character_grams("EU")
    [' e', 'eu', 'u ', ' eu', 'eu ', ' eu ']
    """
    padded = f" {word.lower()} "
    return [
        padded[i : i + size]
        for size in range(LEAST_GRAM, MOST_GRAM + 1)
        for i in range(len(padded) - size + 1)
    ]


def _tails(first: Ints, last: Ints, size: int) -> Bools:
    """Tell which of some words are later words of a mention."""
    counts = last - first
    index = np.repeat(first + 1 - (np.cumsum(counts) - counts), counts)
    tail = np.zeros(size, np.bool_)
    tail[index + np.arange(len(index))] = True
    return tail


def _shortly_after(flags: Bools, sentence: Ints32) -> Bools:
    """Return which words stand at most `NEGATION_REACH` after a flag in the same sentence."""
    after = np.zeros(len(flags), np.bool_)
    at = np.flatnonzero(flags)
    for step in range(1, NEGATION_REACH + 1):
        at = at[at < len(flags) - step]
        after[at[sentence.take(at + step) == sentence.take(at)] + step] = True
    return after
