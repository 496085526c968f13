"""Words around mentions: one batch laid out once per paragraph and once per (paragraph, actor).

First every mention shrinks to its first word, so that "the United States" is as near to its
neighbours as "NATO" is.  Then the words of a paragraph are repeated for each actor judged::

    paragraph       NATO warned Russia again
    word            0    1      2      3        index into the per-word arrays of `Words`
    pair            0 0 0 0 | 1 1 1 1           (paragraph, NATO), (paragraph, Russia)
    Pairs.row       0 0 0 0 | 1 1 1 1
    Pairs.word      0 1 2 3 | 0 1 2 3
    Pairs.mention   0             6             entries that name the actor judged
    Pairs.nearest   0 0 0 0 | 6 6 6 6           entry of the nearest mention of that actor
    Pairs.distance  0 1 2 3 | 2 1 0 1           words to it
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stance.actors import ActorBook
from stance.hashing import Keys, key_of
from stance.lexicon import NEGATOR, Lexicon, stemmer
from stance.tokens import (
    CLITIC_NEGATION,
    CLITIC_POSSESSIVE,
    Bools,
    Forms,
    Ints,
    TokenBatch,
    tokenise,
)

NEGATION_REACH = 4
"""Words after a negator, within its sentence, that it turns."""

FAR = 1 << 30
"""Least distance in words where the actor is not mentioned: farther than any text is long."""

NOBODY = -1

TARGET_KEY, OTHER_KEY = np.uint64(key_of("TARGET")), np.uint64(key_of("OTHER"))


Span = tuple[int, int, int]
"""Paragraph number, first and end character offset of an actor in a normalised paragraph."""


@dataclass(frozen=True, slots=True)
class Words:
    """Per word of the batch, after mentions have shrunk to one word.

    Attributes
    ----------
    form : ndarray of int32
        Row of the `Forms` table.
    key, stem : ndarray of uint64
        Keys of the lower-case word and of its stem.
    functions : ndarray of uint8
        What the word may do in a sentence, as bits of `stance.lexicon`.
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
    """

    text: str
    offset: Ints
    form: NDArray[np.int32]
    key: Keys
    stem: Keys
    functions: NDArray[np.uint8]
    capital: Bools
    first: Ints
    start: Ints
    end: Ints
    sentence: Ints
    sentence_start: Bools
    quoted: Bools
    possessive: Bools
    question: Bools
    negated: Bools
    category: NDArray[np.int8]
    sign: NDArray[np.int8]
    name: Bools
    who: Ints
    alias_kind: NDArray[np.int8]


@dataclass(frozen=True)
class Pairs:
    """Per word of each pair; see the drawing above.

    Attributes
    ----------
    words : Words
    count : int
        Number of pairs.
    first : ndarray of shape (n_pairs + 1,)
        Where the words of each pair start.
    row, word : ndarray of int32
        Pair, and index into `Words`, of each entry.
    nearest, distance : ndarray of int32
        Entry of the nearest mention of the actor and words to it; `FAR` or more where there is
        none. Of two equally near mentions the left one counts.
    mention : ndarray
        Entries that are the actor judged.
    para, actor : ndarray of shape (n_pairs,)
        Paragraph, and number of the actor judged.
    """

    words: Words
    count: int
    first: Ints
    row: NDArray[np.int32]
    word: NDArray[np.int32]
    nearest: NDArray[np.int32]
    distance: NDArray[np.int32]
    mention: Ints
    para: Ints
    actor: Ints

    @cached_property
    def classed(self) -> Ints:
        """Entries that have a lexicon category; no name has one."""
        return np.flatnonzero((self.words.category >= 0).take(self.word))

    def relation_of(self, at: Ints) -> tuple[Bools, Bools, Bools, Bools]:
        """Tell how some entries stand to the nearest mention of the actor.

        Returns
        -------
        named : ndarray of bool
            There is one; where not, the other three are false.
        before : ndarray of bool
            It stands to the right.
        same : ndarray of bool
            It stands in the same sentence.
        crossed : ndarray of bool
            Another name stands between.
        """
        named = self.distance.take(at) < FAR
        nearest = np.where(named, self.nearest.take(at), at)
        before: Bools = nearest > at
        here, there = self.word.take(at), self.word.take(nearest)
        same = named & (self.words.sentence.take(there) == self.words.sentence.take(here))
        names = np.cumsum(self.words.name)
        gap = np.abs(names.take(there) - names.take(here))
        # Of the two running counts the later one includes its own word, which is not between.
        gap -= self.words.name.take(np.maximum(here, there))
        return named, before, same, (nearest != at) & (gap > 0)


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
        self.forms = Forms(
            self._describe,
            (
                *ActorBook.columns,
                ("stem", np.uint64),
                ("small", np.bool_),
                ("category", np.int8),
                ("functions", np.uint8),
                ("phrase", np.bool_),
            ),
        )

    def _describe(self, word: str, lower: str) -> tuple[int | bool, ...]:
        stem = self._stem(lower)
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
            self.lexicon.phrases.starts(word, lower),
        )

    def words(self, texts: Sequence[str], spans: Sequence[Span] = ()) -> Words:
        """Read normalised paragraphs and find the actors that they name.

        Parameters
        ----------
        texts : sequence of str
        spans : sequence of (int, int, int)
            Places that their user says name the actor to be judged, in order; that actor then
            has the number ``len(book)``, and what the book finds there does not count.
        """
        batch = tokenise(texts, self.forms)
        return self._words(batch, spans)

    def _words(self, batch: TokenBatch, spans: Sequence[Span]) -> Words:
        first, last, who, kind = self._mentioned(batch, spans)
        size = len(batch.start)
        actor_of = np.full(size, NOBODY, np.int64)
        kind_of = np.full(size, -1, np.int8)
        end = batch.end.copy()
        possessive = batch.clitic == CLITIC_POSSESSIVE
        negation = batch.clitic == CLITIC_NEGATION
        question = batch.question.copy()
        actor_of[first], kind_of[first], end[first] = who, kind, batch.end[last]
        # What follows a mention follows its last word.
        for flag in (possessive, negation, question):
            flag[first] = flag[last]
        sentence_start = batch.sentence_start
        functions = self.forms.columns["functions"].take(batch.form)
        functions[first] = 0  # "US" is no first person
        tail = np.zeros(size, np.bool_)
        long = np.flatnonzero(last > first)
        if len(long):
            steps = np.zeros(size + 1, np.int64)
            np.add.at(steps, first[long] + 1, 1)
            np.add.at(steps, last[long] + 1, -1)
            tail = np.cumsum(steps[:-1]) > 0
        mentioned = tail | (actor_of >= 0)
        category = self._categories(batch, negation, mentioned)
        capital = self.forms.capital.take(batch.form)
        named = self._names(batch, mentioned) | (actor_of >= 0)
        category[named] = -1
        keep = np.flatnonzero(~tail)
        sentence = batch.sentence.take(keep)
        turning = ((functions & NEGATOR) > 0) & ~named | negation
        negated = _shortly_after(turning.take(keep), sentence)
        category = category.take(keep)
        sign = np.append(self.lexicon.signs, np.int8(0)).take(category)  # -1 points to the last
        sign = np.where(negated, -sign, sign)
        form = batch.form.take(keep)
        return Words(
            text=batch.text,
            offset=batch.offset,
            form=form,
            key=self.forms.columns["lower"].take(form),
            stem=self.forms.columns["stem"].take(form),
            functions=functions.take(keep),
            capital=capital.take(keep),
            first=np.searchsorted(keep, batch.first),
            start=batch.start.take(keep),
            end=end.take(keep),
            sentence=sentence,
            sentence_start=sentence_start.take(keep),
            quoted=batch.quoted.take(keep),
            possessive=possessive.take(keep),
            question=question.take(keep),
            negated=negated,
            category=category,
            sign=sign,
            name=named.take(keep),
            who=actor_of.take(keep),
            alias_kind=kind_of.take(keep),
        )

    def _mentioned(
        self, batch: TokenBatch, spans: Sequence[Span]
    ) -> tuple[Ints, Ints, Ints, NDArray[np.int8]]:
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

    def _names(self, batch: TokenBatch, mentioned: Bools) -> Bools:
        """Return which words begin with a capital, where this tells something.

        It does not at the start of a sentence, nor in one that is WRITTEN IN CAPITALS.
        """
        small = self.forms.columns["small"].take(batch.form) & ~mentioned
        capital = self.forms.capital.take(batch.form) & ~batch.sentence_start
        if not len(small):
            return capital
        written = np.logical_or.reduceat(small, np.flatnonzero(batch.sentence_start))
        named: Bools = capital & written.take(batch.sentence)
        return named

    def _categories(self, batch: TokenBatch, negation: Bools, mentioned: Bools) -> NDArray[np.int8]:
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


def _shortly_after(flags: Bools, sentence: Ints) -> Bools:
    """Return which words stand at most `NEGATION_REACH` after a flag in the same sentence."""
    after = np.zeros(len(flags), np.bool_)
    for step in range(1, min(NEGATION_REACH, len(flags) - 1) + 1):
        after[step:] |= flags[:-step] & (sentence[step:] == sentence[:-step])
    return after


def named_actors(words: Words) -> tuple[Ints, Ints, Ints]:
    """Return paragraph, actor and number of mentions of each pair, by first mention."""
    at = np.flatnonzero(words.who >= 0)
    para = np.searchsorted(words.first, at, side="right") - 1
    width = int(words.who.max(initial=0)) + 1
    pair, first, counts = np.unique(
        para * width + words.who[at], return_index=True, return_counts=True
    )
    order = np.argsort(first)
    return pair[order] // width, pair[order] % width, counts[order]


def count_mentions(words: Words, para: Ints, actor: Ints) -> Ints:
    """Return how often the paragraph of each pair names the actor of the pair."""
    counts = np.zeros(
        (len(words.first) - 1, int(max(actor.max(initial=0), words.who.max(initial=0))) + 1),
        np.int64,
    )
    at = np.flatnonzero(words.who >= 0)
    np.add.at(counts, (np.searchsorted(words.first, at, side="right") - 1, words.who[at]), 1)
    found: Ints = np.where(actor >= 0, counts[para, actor], 0)
    return found


def lay_out(words: Words, para: Ints, actor: Ints) -> Pairs:
    """Lay out the words of every pair.

    Parameters
    ----------
    words : Words
    para : ndarray of shape (n_pairs,)
        Paragraph of each pair; never decreasing.
    actor : ndarray of shape (n_pairs,)
        Number of the actor in the book; ``len(book)`` where spans say where it is named;
        `NOBODY` to read the paragraph without an actor.
    """
    sizes = (words.first[1:] - words.first[:-1])[para]
    first = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=first[1:])
    mention, owner = _mentions_of(words, para, actor, first)
    nearest = _nearest(mention, owner, first)
    position = np.arange(int(first[-1]), dtype=np.int32)
    shift = (words.first[para] - first[:-1]).astype(np.int32)
    return Pairs(
        words=words,
        count=len(sizes),
        first=first,
        row=np.repeat(np.arange(len(sizes), dtype=np.int32), sizes),
        word=position + np.repeat(shift, sizes),
        nearest=nearest,
        distance=np.abs(position - nearest),
        mention=mention,
        para=para,
        actor=actor,
    )


def _mentions_of(words: Words, para: Ints, actor: Ints, first: Ints) -> tuple[Ints, Ints]:
    """Return the entries that name the actor of their pair, and these pairs."""
    at = np.flatnonzero(words.who >= 0)
    bounds = np.searchsorted(at, words.first)
    counts = (bounds[1:] - bounds[:-1])[para]
    owner = np.repeat(np.arange(len(para)), counts)
    below = np.cumsum(counts) - counts
    which = at[np.arange(len(owner)) + np.repeat(bounds[para] - below, counts)]
    mine = np.flatnonzero(words.who[which] == actor[owner])
    owner, which = owner[mine], which[mine]
    return first[owner] + which - words.first[para[owner]], owner


def _nearest(mention: Ints, owner: Ints, first: Ints) -> NDArray[np.int32]:
    """Return the nearest mention of each entry: a mention's cell ends half way to the next one."""
    alone = np.flatnonzero(np.bincount(owner, minlength=len(first) - 1) == 0)
    centre = np.concatenate([mention, first[alone] - FAR])
    pair = np.concatenate([owner, alone])
    order = np.argsort(pair, kind="stable")
    centre, pair = centre[order], pair[order]
    begin = first[pair]
    follows = np.flatnonzero(pair[1:] == pair[:-1])
    begin[follows + 1] = (centre[follows] + centre[follows + 1]) // 2 + 1
    sizes = np.append(begin[1:], first[-1])[: len(begin)] - begin
    return np.repeat(centre.astype(np.int32), sizes)
