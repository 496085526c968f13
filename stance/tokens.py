"""A batch of paragraphs as flat arrays: every word is one number, nothing is looped over.

The paragraphs are joined into one string and seen as an array of code points::

    text     N A T O   w a r n e d .  Ø  " R u s s i a ' s   m o v e , "  …
    start    0         5                   12                19
    end      4         11                  18                23
    form     0         1                   2                 3          row of `Forms`
    para     0         0                   1                 1
    gap      SPACE     OTHER               SPACE             OTHER      what follows the word
    sentence 0         0                   1                 1
    quoted   .         .                   x                 x
    clitic   .         .                   POSSESSIVE        .

(Ø is the separator.) A word is a run of letters, digits and marks; an apostrophe ends it, and
what follows ("s", "t", "ll") is no word of its own but a flag on the word before.  A *form*
is a word as spelled; everything that depends on the spelling alone (stem, lexicon class,
flags) is worked out once per form, in `Forms`, and fetched by ``take``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.hashing import MULTIPLIER, KeyIndex, Keys
from stance.text import (
    APOSTROPHE,
    QUOTE,
    SEPARATOR,
    SPACE,
    STOP,
    WORD,
    character_classes,
)

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Bytes = NDArray[np.uint8]

LONGEST_WORD = 48
"""Characters of a word that count; longer runs are no words but links or noise."""

# What stands between a word and the next one.
GAP_OTHER, GAP_SPACE, GAP_DOT, GAP_APOSTROPHE, GAP_DOT_SPACE, GAP_AND = range(6)

# What the clitic after a word was.
CLITIC_NONE, CLITIC_POSSESSIVE, CLITIC_NEGATION, CLITIC_OTHER = range(4)

_CLITICS = {
    "s": CLITIC_POSSESSIVE,
    "t": CLITIC_NEGATION,
    "d": CLITIC_OTHER,
    "ll": CLITIC_OTHER,
    "re": CLITIC_OTHER,
    "ve": CLITIC_OTHER,
    "m": CLITIC_OTHER,
}

_ABBREVIATIONS = frozenset(
    # Titles, firms, months and the like that end with a dot in the middle of a sentence.
    """
    adm brig capt co col corp dr fr gen gov hon inc jr lt ltd maj messrs mr mrs ms mt no nos op
    pres prof rep rev sen sgt sr st vs jan feb mar apr jun jul aug sept sep oct nov dec
    """.split()  # noqa: SIM905
)

Describe = Callable[[str, str], Sequence[int]]


class Forms:
    """Every spelling seen so far and what is known of it.

    Parameters
    ----------
    describe : callable
        Called once per new form with its spelling and its lower-case spelling; returns one
        integer per extra column.
    columns : tuple of (str, dtype)
        Names and types of the extra columns.

    Notes
    -----
    Results never depend on which forms were seen before.  The table is emptied once it holds
    ``limit`` forms, so that memory does not grow with the input.
    """

    limit = 400_000

    def __init__(self, describe: Describe, columns: Sequence[tuple[str, type]]) -> None:
        self._describe = describe
        self._names = [name for name, _ in columns]
        self._types = [kind for _, kind in columns]
        self.generation = 0
        self.clear()

    def clear(self) -> None:
        """Forget every form."""
        self.generation += 1
        self._index = KeyIndex(np.zeros(0, np.uint64))
        self.columns: dict[str, NDArray[Any]] = {
            name: np.zeros(0, kind) for name, kind in zip(self._names, self._types, strict=True)
        }
        self.spelling: list[str] = []
        self.clitic = np.zeros(0, np.uint8)
        self.abbreviation = np.zeros(0, np.bool_)
        self.capital = np.zeros(0, np.bool_)

    def __len__(self) -> int:
        return len(self._index)

    def find(self, keys: Keys, spelling: Callable[[int], str]) -> NDArray[np.int32]:
        """Return the form of each word; ``spelling(i)`` gives the text of word ``i`` if new."""
        if len(self._index) > self.limit:
            self.clear()
        forms = self._index.find(keys)
        unseen = np.flatnonzero(forms < 0)
        if len(unseen):
            new, first = np.unique(keys[unseen], return_index=True)
            self._learn(new, [spelling(int(i)) for i in unseen[first]])
            forms[unseen] = self._index.find(keys[unseen])
        return forms

    def _learn(self, keys: Keys, spellings: list[str]) -> None:
        self.spelling += spellings
        lower = [word.lower() for word in spellings]
        rows = [self._describe(word, low) for word, low in zip(spellings, lower, strict=True)]
        for number, (name, kind) in enumerate(zip(self._names, self._types, strict=True)):
            fresh: NDArray[Any] = np.array([row[number] for row in rows], kind)
            self.columns[name] = np.concatenate([self.columns[name], fresh])
        clitic = np.array([_CLITICS.get(low, CLITIC_NONE) for low in lower], np.uint8)
        dotted = [
            low in _ABBREVIATIONS or (len(word) == 1 and word.isupper())
            for word, low in zip(spellings, lower, strict=True)
        ]
        capital = [word[0].isupper() or word[0].istitle() for word in spellings]
        self.clitic = np.concatenate([self.clitic, clitic])
        self.abbreviation = np.concatenate([self.abbreviation, np.array(dotted, np.bool_)])
        self.capital = np.concatenate([self.capital, np.array(capital, np.bool_)])
        self._index.add(keys)


@dataclass(frozen=True, slots=True)
class TokenBatch:
    """Words of a batch of paragraphs; all arrays but two have one entry per word.

    Attributes
    ----------
    text : str
        The joined paragraphs.
    offset : ndarray of shape (n_paragraphs,)
        Where each paragraph starts in ``text``.
    first : ndarray of shape (n_paragraphs + 1,)
        Number of the first word of each paragraph, and the number of words.
    start, end : ndarray
        Character offsets into ``text``.
    form, para, gap, sentence, quoted, clitic : ndarray
        See the drawing above; ``sentence`` never decreases and is not shared by paragraphs.
    sentence_start : ndarray of bool
        True for the first word of a sentence.
    question : ndarray of bool
        True where a question mark follows the word.
    """

    text: str
    offset: Ints
    first: Ints
    start: Ints
    end: Ints
    form: NDArray[np.int32]
    para: Ints
    gap: Bytes
    sentence: Ints
    sentence_start: Bools
    quoted: Bools
    clitic: Bytes
    question: Bools

    def __len__(self) -> int:
        return len(self.first) - 1


def tokenise(texts: Sequence[str], forms: Forms) -> TokenBatch:
    """Split normalised paragraphs into words.

    Parameters
    ----------
    texts : sequence of str
        As `stance.text.normalise` returns them.
    forms : Forms
        Learns the forms that are new.
    """
    text = SEPARATOR.join([*texts, ""]) + "\n"
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    classes = character_classes(codes)
    lengths = np.array([len(text) for text in texts], np.int64) + 1
    offset = np.cumsum(lengths) - lengths

    word = (classes & WORD).astype(np.bool_)
    edges = np.flatnonzero(word[1:] != word[:-1]) + 1
    if len(word) and word[0]:
        edges = np.concatenate([[0], edges])
    start, end = edges[0::2].astype(np.int64), edges[1::2].astype(np.int64)
    form = forms.find(
        _word_keys(codes, start, np.minimum(end, start + LONGEST_WORD)),
        lambda i: text[start[i] : min(end[i], start[i] + LONGEST_WORD)],
    )
    clitic, own = _clitics(codes, classes, forms, form, start, end)
    kept = np.flatnonzero(own)
    # A clitic belongs to the word before it, so the gap after that word starts behind the clitic.
    behind = end.take(np.append(kept[1:], len(start))[: len(kept)] - 1)
    start, end, form = start.take(kept), end.take(kept), form.take(kept)
    first = np.append(np.searchsorted(start, offset), len(start))
    para = np.repeat(np.arange(len(texts)), first[1:] - first[:-1])
    # What follows the last word of a paragraph ends with the paragraph.
    following = np.append(start[1:], len(codes))[: len(start)]
    following = np.minimum(following, (offset + lengths - 1).take(para))
    same = np.append(para[1:] == para[:-1], False)
    between = _Between(codes, classes, behind, following)
    gap = np.where(same, between.gaps(), GAP_OTHER).astype(np.uint8)
    question = between.count(between.codes == ord("?")) > 0
    breaks = ~same | between.sentence_ends(forms, form, codes.take(following))
    sentence_start = np.append(True, breaks[:-1])[: len(start)]
    return TokenBatch(
        text=text,
        offset=offset,
        first=first,
        start=start,
        end=end,
        form=form,
        para=para,
        gap=gap,
        sentence=np.cumsum(sentence_start) - 1,
        sentence_start=sentence_start,
        quoted=_quoted(classes, start, offset, first),
        clitic=clitic.take(kept),
        question=question,
    )


def _word_keys(codes: NDArray[np.uint32], start: Ints, end: Ints) -> Keys:
    """Hash each word: the sum of its characters times rising powers of an odd number.

    Differences of one running sum give the hash of any stretch, up to a power that is the
    position's; multiplying by that power's inverse removes it. The sum begins anew after some
    characters, so that it stays in the processor's cache, and small for a text as long as a book.
    """
    keys = np.empty(len(start), np.uint64)
    powers, inverses = _power_tables(HASHED + LONGEST_WORD)
    borders = np.searchsorted(start, np.arange(0, len(codes) + HASHED, HASHED)).tolist()
    for first, last in pairwise(borders):
        if first < last:
            low, high = int(start[first]), int(end[last - 1])
            running = np.zeros(high - low + 1, np.uint64)
            np.cumsum(codes[low:high] * powers[: high - low], out=running[1:])
            begin, stop = start[first:last] - low, end[first:last] - low
            keys[first:last] = (running.take(stop) - running.take(begin)) * inverses.take(begin)
    return keys


HASHED = 1 << 16
"""Characters that are summed up at a time."""


@lru_cache(maxsize=1)
def _power_tables(size: int) -> tuple[Keys, Keys]:
    """Return the first powers of the multiplier, and of its inverse."""
    factors = np.full((2, size), MULTIPLIER, np.uint64)
    factors[1] = pow(int(MULTIPLIER), -1, 1 << 64)
    factors[:, 0] = 1
    powers, inverses = np.multiply.accumulate(factors, axis=1)
    return powers, inverses


def _clitics(
    codes: NDArray[np.uint32],
    classes: Bytes,
    forms: Forms,
    form: NDArray[np.int32],
    start: Ints,
    end: Ints,
) -> tuple[Bytes, Bools]:
    """Return the clitic flag of each word, and which words are no clitics themselves."""
    flag, own = np.full(len(form), CLITIC_NONE, np.uint8), np.ones(len(form), np.bool_)
    at = np.flatnonzero(classes.take(end) & APOSTROPHE > 0)
    last = codes.take(end.take(at) - 1) | 0x20  # in small letters
    behind = np.append(start, -1).take(at + 1)
    glued = behind == end.take(at) + 1
    kind = np.append(forms.clitic.take(form), CLITIC_NONE).take(at + 1)
    kind[~glued | (kind == CLITIC_NEGATION) & (last != ord("n"))] = CLITIC_NONE
    own[at[kind != CLITIC_NONE] + 1] = False
    # A plural possessive ("allies' doubts") has nothing behind its apostrophe.
    kind[~glued & (last == ord("s"))] = CLITIC_POSSESSIVE
    flag[at] = kind
    return flag, own


class _Between:
    """What stands between words; nine gaps of ten are a blank, only the others are looked into.

    Attributes
    ----------
    codes, classes : ndarray
        Characters of the odd gaps, gap after gap.
    """

    def __init__(self, codes: NDArray[np.uint32], classes: Bytes, start: Ints, end: Ints) -> None:
        self._count = len(start)
        length = end - start
        blank = (length == 1) & (codes.take(start, mode="clip") == ord(" "))
        self._odd = np.flatnonzero(~blank)
        self._length = length[self._odd]
        below = np.cumsum(self._length) - self._length
        index = np.repeat(start[self._odd] - below, self._length)
        index += np.arange(len(index))
        self._owner = np.repeat(np.arange(len(self._odd)), self._length)
        self.codes = codes.take(index)
        self.classes = classes.take(index)
        self._first = np.zeros(len(self._odd), np.uint32)
        self._first[self._length > 0] = self.codes[below[self._length > 0]]

    def _inside(self, flags: NDArray[Any]) -> Ints:
        """Count flagged characters of each odd gap."""
        return np.bincount(self._owner[flags != 0], minlength=len(self._odd))

    def count(self, flags: NDArray[Any]) -> Ints:
        """Count flagged characters of each gap, for flags that a blank does not have."""
        found = np.zeros(self._count, np.int64)
        found[self._odd] = self._inside(flags)
        return found

    def gaps(self) -> Bytes:
        """Classify the gaps: only what may stand inside a name has a class."""
        blanks, length, first = self._inside(self.classes & SPACE), self._length, self._first
        one, dot = length == 1, first == ord(".")
        odd = np.zeros(len(length), np.uint8)
        odd[(blanks == length) | (one & (first == ord("-")))] = GAP_SPACE
        odd[dot & one] = GAP_DOT
        odd[dot & ~one & (blanks == length - 1)] = GAP_DOT_SPACE
        odd[one & (first == ord("'"))] = GAP_APOSTROPHE
        odd[(self._inside(self.codes == ord("&")) == 1) & (blanks == length - 1)] = GAP_AND
        gap = np.full(self._count, GAP_SPACE, np.uint8)
        gap[self._odd] = odd
        return gap

    def sentence_ends(
        self, forms: Forms, form: NDArray[np.int32], following: NDArray[np.uint32]
    ) -> Bools:
        """Return in which gaps a sentence ends; ``following`` is the character behind each."""
        odd = self._odd
        stops = self._inside(self.classes & STOP) > 0
        blanks = self._inside(self.classes & SPACE) > 0
        strong = self._inside((self.codes == ord("?")) | (self.codes == ord("!"))) > 0
        quotes = self._inside(self.classes & QUOTE) > 0
        # The last word is followed by nothing.
        capital = (odd + 1 == len(form)) | forms.capital.take(form.take(odd + 1, mode="clip"))
        behind = following.take(odd)
        digit = (behind >= ord("0")) & (behind <= ord("9"))
        full = strong | ~forms.abbreviation.take(form.take(odd))
        lines = self._inside(self.codes == ord("\n")) > 1
        ends = np.zeros(self._count, np.bool_)
        ends[odd] = (stops & blanks & (capital | digit | quotes) & full) | lines
        return ends


def _quoted(classes: Bytes, start: Ints, offset: Ints, first: Ints) -> Bools:
    """Return which words stand after an odd number of double quotes of their paragraph."""
    quotes = np.flatnonzero(classes & QUOTE > 0)
    running = np.cumsum(np.bincount(np.searchsorted(start, quotes), minlength=len(start) + 1))
    earlier = np.repeat(np.searchsorted(quotes, offset), first[1:] - first[:-1])
    inside: Bools = ((running[: len(start)] - earlier) & 1) > 0
    return inside
