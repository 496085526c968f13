"""What is known of each word of a batch, after mentions have shrunk to one word."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from stance.arrays import Bools, Bytes, Ints, Ints8, Ints32, Keys
from stance.reading.text import Joined

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
