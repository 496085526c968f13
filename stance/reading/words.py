"""The words of a batch as the features see them: a mention of any length is one word."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stance.arrays import Bools, Bytes, Ints, Ints8, Ints32, slices
from stance.reading.actors import ALIAS_KINDS, ActorBook
from stance.reading.forms import CLITIC_NEGATION, CLITIC_POSSESSIVE, Forms, WordKeys
from stance.reading.keys import keys_of
from stance.reading.lexicon import FOCUS, GRAMMAR, NEGATOR, Lexicon, stemmer
from stance.reading.text import Joined
from stance.reading.tokens import GAP_DOT_SPACE, TokenBatch, tokenise

NOBODY = -1  # instead of an actor's number: none is named, or a paragraph is read without one
NEGATION_REACH = 4  # words after a negator, within its sentence, that it turns
NO_SPANS: Ints32 = np.zeros((0, 3), np.int32)


Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class ByForm:
    """A property of forms, fetched for the words that need it."""

    values: NDArray[Any] | WordKeys  # per form
    form: Ints  # per word

    def take(self, at: NDArray[Any]) -> NDArray[Any]:
        """Return the values of some words."""
        return self.values.take(self.form.take(at))


@dataclass(frozen=True, slots=True)
class Words(TokenBatch):
    """The words of a batch, where a mention is one word, from its start to its end."""

    key: ByForm  # of the lower-case word
    stem: ByForm
    grammar: ByForm  # bits of `stance.reading.lexicon.GRAMMAR`
    functions: Bytes  # what the word may do in a sentence: bits of `stance.reading.lexicon`
    capital: Bools
    possessive: Bools
    negated: Bools
    category: Ints8  # of the lexicon; -1 for none, as in all names
    sign: Ints8  # polarity of the category, turned by negation
    name: Bools  # a mention, or capitalised inside a sentence that has lower-case words
    who: Ints32  # number of the actor named, or `NOBODY`
    alias_kind: Ints8  # -1 for none
    mentions: Ints32  # the words that name an actor
    classed: Ints  # the words that have a category
    made: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def once(self, make: Callable[..., Made], *args: Any) -> Made:
        """Return ``make(words, *args)``, made once for all heads of a model that ask for it."""
        key = make, *args
        if key not in self.made:
            self.made[key] = make(self, *args)
        found: Made = self.made[key]
        return found

    def named_actors(self) -> tuple[Ints, Ints]:
        """Return paragraph and actor of each pair, by first mention."""
        width = np.int64(self.who.max(initial=0)) + 1
        named = self.para.take(self.mentions) * width + self.who.take(self.mentions)
        pair, first = np.unique(named, return_index=True)
        pair = pair[np.argsort(first)]
        return pair // width, pair % width

    def count_mentions(self, para: Ints, actor: Ints) -> Ints:
        """Return how often each pair's actor is named by each kind of alias; no pair comes twice.

        The result has the shape (n_pairs, n_kinds + 1) in the order of `ALIAS_KINDS`; a mention
        whose place a user gave has no kind, and is counted last.
        """
        counts = np.zeros((len(para), len(ALIAS_KINDS) + 1), np.int64)
        width = np.int64(max(self.who.max(initial=0), actor.max(initial=0))) + 1
        pairs = para * width + actor
        order = np.argsort(pairs)
        for part in slices(len(self.mentions) if len(para) else 0):
            at = self.mentions[part]
            named = self.para.take(at) * width + self.who.take(at)
            place = order.take(np.searchsorted(pairs, named, sorter=order), mode="clip")
            own = np.flatnonzero(pairs.take(place) == named)
            np.add.at(counts, (place.take(own), self.alias_kind.take(at.take(own))), 1)
        return counts


class FormTable(Protocol):
    """A table with entries for every form; it grows with the forms."""

    def update(self, forms: Forms) -> None:
        """Take in the forms that are new."""


Table = TypeVar("Table", bound=FormTable)


class Reader:
    """Reads paragraphs with an actor book, a lexicon and the stemmer of a language."""

    def __init__(self, book: ActorBook, lexicon: Lexicon, language: str = "english") -> None:
        self.book = book
        self.lexicon = lexicon
        self._stem = stemmer(language)
        self._tables: dict[Callable[[], Any], Any] = {}
        columns = ("stem", np.uint64), ("category", np.int8), ("small", np.bool_)
        phrases = ("phrase key", np.uint64), ("phrase", np.uint8)
        last = ("functions", np.uint8), ("grammar", np.uint8), *phrases
        self.forms = Forms(self._describe, (*ActorBook.columns, *columns, *last))

    def _describe(self, words: list[str], lower: list[str]) -> Iterable[ArrayLike]:
        lexicon = self.lexicon
        stems = lexicon.all_mended(map(self._stem, lower))
        keys = keys_of(stems, "stem:")
        if self.forms.names is not None:
            self.forms.names |= zip(keys.tolist(), stems, strict=True)
        category = [lexicon.stems.get(stem, -1) for stem in stems]
        functions = [lexicon.functions.get(low, 0) for low in lower]
        grammar = [GRAMMAR.get(low, 0) for low in lower]
        small = [word != word.upper() for word in words]
        _, phrase_keys, roles = lexicon.phrases.describe(words, lower)
        own = keys, category, small, functions, grammar, phrase_keys, roles
        return *self.book.describe(words, lower), *own

    def words(
        self, texts: Sequence[str] | Joined, spans: Ints32 = NO_SPANS, months: Ints | None = None
    ) -> Words:
        """Read normalised paragraphs and find the actors they name.

        Spans, in order, are places that name the actor to be judged, whose number is ``len(book)``:
        of shape (n_spans, 3), paragraph and ends in its normalised text. What the book finds there
        does not count. Months are as in `ActorBook.match`.
        """
        batch, who, kind = self._shrunk(tokenise(texts, self.forms), spans, months)
        words = self._words(batch, who, kind)
        self.forms.keep("stem", "grammar")
        return words

    def _shrunk(
        self, batch: TokenBatch, spans: Ints32, months: Ints | None
    ) -> tuple[TokenBatch, Ints32, Ints8]:
        """Return the batch with mentions as one word, and the actor and alias kind of each word."""
        first, last, who, kind = self._mentioned(batch, spans, months)
        tail = _tails(first, last, len(batch.form))
        if len(spans):  # which may overlap
            heads = np.flatnonzero(~tail.take(first))
            first, last, who = (part.take(heads) for part in (first, last, who))
            kind = kind.take(heads)
        at = first - np.cumsum(tail, dtype=np.int32).take(first)
        # What follows a mention follows its last word.
        end, clitic, question = (a.take(last) for a in (batch.end, batch.clitic, batch.question))
        del first, last  # a paragraph may be as long as a book
        batch = batch.without(np.flatnonzero(tail))
        batch.end[at], batch.clitic[at], batch.question[at] = end, clitic, question
        actor_of = np.full(len(batch.form), NOBODY, np.int32)
        kind_of = np.full(len(batch.form), -1, np.int8)
        actor_of[at], kind_of[at] = who, kind
        return batch, actor_of, kind_of

    def _words(self, batch: TokenBatch, who: Ints32, alias_kind: Ints8) -> Words:
        columns, form, mentioned = self.forms.columns, batch.form, who >= 0
        mentions = np.flatnonzero(mentioned).astype(np.int32)
        functions = columns["functions"].take(form)
        functions[mentions] = 0  # "US" is not "us"
        negation = batch.clitic == CLITIC_NEGATION
        capital = columns["capital"].take(form)
        name = self._names(batch, capital, mentioned)
        category = self._categories(batch, negation, mentioned)
        category |= -name.view(np.int8)  # none in names
        classed = np.flatnonzero(category >= 0)
        turning = ((functions & NEGATOR) > 0) & ~name | negation
        turning &= batch.gap != GAP_DOT_SPACE  # "No. 10", or "no" as the end of a sentence
        turning[:-1] &= (functions[1:] & FOCUS == 0) | (batch.sentence[1:] != batch.sentence[:-1])
        negated = _shortly_after(turning, batch.sentence)
        sign, polarity = np.zeros(len(form), np.int8), self.lexicon.signs.take(category[classed])
        sign[classed] = np.where(negated.take(classed), -polarity, polarity)
        return Words(
            **{own.name: getattr(batch, own.name) for own in fields(batch)},
            key=ByForm(self.forms.word_keys, form),
            stem=ByForm(columns["stem"], form),
            grammar=ByForm(columns["grammar"], form),
            functions=functions,
            capital=capital,
            possessive=batch.clitic == CLITIC_POSSESSIVE,
            negated=negated,
            category=category,
            sign=sign,
            name=name,
            who=who,
            alias_kind=alias_kind,
            mentions=mentions,
            classed=classed,
        )

    def _mentioned(
        self, batch: TokenBatch, spans: Ints32, months: Ints | None
    ) -> tuple[Ints32, Ints32, Ints32, Ints8]:
        """Return first word, last word, actor and alias kind of each mention, in order."""
        found = self.book.match(batch, self.forms, months)
        if not len(spans):
            return found.first, found.last, found.actor, found.kind
        para, start, end = spans.T
        shift = batch.joined.offset.astype(np.int32).take(para)
        low = np.searchsorted(batch.end, start + shift, side="right")
        high = np.searchsorted(batch.start, end + shift, side="left") - 1
        wordy = low <= high
        first, last = low[wordy].astype(np.int32), high[wordy].astype(np.int32)
        # A span is what the user says it is: what the book finds in or across it is dropped.
        taken = np.zeros(len(batch.start) + 1, np.int32)
        np.add.at(taken, first, 1)
        np.add.at(taken, last + 1, -1)
        np.cumsum(taken, out=taken)
        running = np.zeros(len(taken), np.int32)
        np.cumsum(taken[:-1] > 0, out=running[1:])
        free = running[found.last + 1] == running[found.first]
        own = np.full(len(first), len(self.book), np.int32)
        first = np.concatenate([first, found.first[free]])
        order = np.argsort(first, kind="stable")
        return (
            first[order],
            np.concatenate([last, found.last[free]])[order],
            np.concatenate([own, found.actor[free]])[order],
            np.concatenate([np.full(len(own), -1, np.int8), found.kind[free]])[order],
        )

    def _names(self, batch: TokenBatch, capital: Bools, mentioned: Bools) -> Bools:
        """Return which words are mentions, or capitalised inside a sentence not all in CAPITALS."""
        if not len(batch.form):
            return mentioned
        small = self.forms.columns["small"].take(batch.form) & ~mentioned
        starts = np.flatnonzero(np.append(True, batch.sentence[1:] != batch.sentence[:-1]))
        written = np.zeros(int(batch.sentence[-1]) + 1, np.bool_)
        written[batch.sentence.take(starts)] = np.logical_or.reduceat(small, starts)
        return written.take(batch.sentence) & capital & ~batch.sentence_start | mentioned

    def _categories(self, batch: TokenBatch, negation: Bools, mentioned: Bools) -> Ints8:
        columns = self.forms.columns
        category = columns["category"].take(batch.form).astype(np.int8)
        category[negation] = -1  # "won't" is not "won"
        roles, keys = columns["phrase"], columns["phrase key"]
        # Mentions stand in no phrase: "to Justice Department" is not "to justice".
        first, length, value = self.lexicon.phrases.find(batch, roles, keys, keys, mentioned)
        for step in range(1, int(length.max(initial=1))):
            category[first[length > step] + step] = -1
        category[first] = value
        return category

    def table(self, make: Callable[[], Table]) -> Table:
        """Return this reader's table of a kind, with entries for all forms."""
        if make not in self._tables:
            self._tables[make] = make()
        table: Table = self._tables[make]
        table.update(self.forms)
        return table


def _tails(first: Ints32, last: Ints32, size: int) -> Bools:
    longer = np.flatnonzero(first < last)
    first, last = first.take(longer), last.take(longer)
    counts = last - first
    index = np.repeat(first + 1 - (np.cumsum(counts) - counts), counts)
    tail = np.zeros(size, np.bool_)
    tail[index + np.arange(len(index))] = True
    return tail


def _shortly_after(flags: Bools, sentence: Ints32) -> Bools:
    """Return which words follow a flag within `NEGATION_REACH` words of the same sentence."""
    after = np.zeros(len(flags), np.bool_)
    at = np.flatnonzero(flags)
    for step in range(1, NEGATION_REACH + 1):
        at = at[at < len(flags) - step]
        after[at[sentence.take(at + step) == sentence.take(at)] + step] = True
    return after
