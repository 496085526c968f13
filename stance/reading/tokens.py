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
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.arrays import Bools, Bytes, Ints, Ints32, Keys
from stance.reading.keys import KeyIndex, stretch_keys
from stance.reading.text import (
    APOSTROPHE,
    BEYOND,
    QUOTE,
    SPACE,
    STOP,
    UPPER,
    WORD,
    Joined,
    character_classes,
    join,
)

LONGEST_WORD = 48
"""Characters of a word that count; longer runs are no words but links or noise."""

AT_A_TIME = 1 << 18
"""Words that are looked up at a time: so that a text as long as a book takes little memory."""

MOST = (1 << 31) - 1
"""Characters of a batch: their places are 32-bit numbers."""

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

    def find(self, keys: Keys, spelling: Callable[[int], str]) -> Ints32:
        """Return the form of each word; ``spelling(i)`` gives the text of word ``i`` if new."""
        if len(self._index) > self.limit:
            self.clear()
        forms = np.empty(len(keys), np.int32)
        for low in range(0, len(keys), AT_A_TIME):
            part, found = keys[low : low + AT_A_TIME], forms[low : low + AT_A_TIME]
            found[:] = self._index.find(part)
            unseen = np.flatnonzero(found < 0)
            if len(unseen):
                new, first = np.unique(part[unseen], return_index=True)
                self._learn(new, [spelling(low + int(i)) for i in unseen[first]])
                found[unseen] = self._index.find(part[unseen])
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
    """Words of a batch of paragraphs; all arrays but ``first`` have one entry per word.

    Attributes
    ----------
    joined : Joined
        The paragraphs.
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

    joined: Joined
    first: Ints
    start: Ints32
    end: Ints32
    form: Ints32
    para: Ints32
    gap: Bytes
    sentence: Ints32
    sentence_start: Bools
    quoted: Bools
    clitic: Bytes
    question: Bools

    def __len__(self) -> int:
        return len(self.first) - 1

    @property
    def text(self) -> str:
        """The joined paragraphs."""
        return self.joined.text

    @property
    def offset(self) -> Ints:
        """Where each paragraph starts in ``text``."""
        return self.joined.offset[:-1]

    def without(self, dropped: Ints) -> "TokenBatch":
        """Return the batch without some of its words, which stand in order."""
        keeps = np.ones(len(self.form), np.bool_)
        keeps[dropped] = False
        kept = np.flatnonzero(keeps)
        names = (field.name for field in fields(self) if field.name not in ("joined", "first"))
        arrays = {name: getattr(self, name).take(kept) for name in names}
        return replace(self, first=self.first - np.searchsorted(dropped, self.first), **arrays)


def tokenise(texts: Sequence[str] | Joined, forms: Forms) -> TokenBatch:
    """Split normalised paragraphs into words.

    Parameters
    ----------
    texts : sequence of str or Joined
        As `stance.reading.text.normalise` returns them, or `stance.reading.text.join_normalised`.
    forms : Forms
        Learns the forms that are new.

    Raises
    ------
    ValueError
        If they have more characters together than 32 bits can count.
    """
    joined = texts if isinstance(texts, Joined) else join(texts)
    chars = joined.bytes
    if len(chars) > MOST:
        raise ValueError(f"{len(chars):,} characters at once; give fewer paragraphs at a time")
    start, end = _runs(chars)
    form = forms.find(
        stretch_keys(joined, start, np.minimum(end, start + LONGEST_WORD), LONGEST_WORD),
        lambda i: joined.piece(start[i], min(end[i], start[i] + LONGEST_WORD)),
    )
    clitic, own = _clitics(chars, forms, form, start, end)
    kept, dropped = np.flatnonzero(own), np.flatnonzero(~own)
    behind = end.take(kept)
    # A clitic belongs to the word before it, so the gap after that word starts behind the clitic.
    behind[np.searchsorted(kept, dropped) - 1] = end.take(dropped)
    start, end, form = start.take(kept), end.take(kept), form.take(kept)
    first = np.searchsorted(start, joined.offset.astype(np.int32))
    between = _Between(joined, behind, start, first)
    sentence_start = between.sentence_starts(forms, form)
    return TokenBatch(
        joined=joined,
        first=first,
        start=start,
        end=end,
        form=form,
        para=np.repeat(np.arange(len(first) - 1, dtype=np.int32), np.diff(first)),
        gap=between.gaps(),
        sentence=np.cumsum(sentence_start, dtype=np.int32) - np.int32(1),
        sentence_start=sentence_start,
        quoted=_quoted(joined, start, first),
        clitic=clitic.take(kept),
        question=between.questions(),
    )


def _runs(chars: Bytes) -> tuple[Ints32, Ints32]:
    """Return where words start and end: as `Joined.bytes` has them, without a look-up."""
    inside = np.zeros(len(chars) + 1, np.bool_)
    letter = inside[1:]
    np.less((chars | 0x20) - np.uint8(ord("a")), 26, out=letter)
    letter |= chars - np.uint8(ord("0")) < 10
    letter |= chars & ~UPPER == BEYOND | WORD
    edges = np.flatnonzero(letter != inside[:-1])
    return edges[0::2].astype(np.int32), edges[1::2].astype(np.int32)


def _clitics(
    chars: Bytes, forms: Forms, form: Ints32, start: Ints32, end: Ints32
) -> tuple[Bytes, Bools]:
    """Return the clitic flag of each word, and which words are no clitics themselves."""
    flag, own = np.zeros(len(form), np.uint8), np.ones(len(form), np.bool_)
    at = np.flatnonzero(chars.take(end) == ord("'"))
    last = chars.take(end.take(at) - 1) | 0x20  # in small letters
    behind = np.minimum(at + 1, len(form) - 1)
    glued = start.take(behind) == end.take(at) + 1
    kind = forms.clitic.take(form.take(behind))
    kind[~glued | (kind == CLITIC_NEGATION) & (last != ord("n"))] = CLITIC_NONE
    own[at[kind != CLITIC_NONE] + 1] = False
    # A plural possessive ("allies' doubts") has nothing behind its apostrophe.
    kind[~glued & (last == ord("s"))] = CLITIC_POSSESSIVE
    flag[at] = kind
    return flag, own


class _Between:
    """What stands between words; nine gaps of ten are a blank, only the others are looked into.

    Parameters
    ----------
    joined : Joined
    begin, start : ndarray
        Where the gap behind each word begins, and where each word starts. What follows the last
        word of a paragraph ends with the separator.
    first : ndarray
        First word of each paragraph.
    """

    def __init__(self, joined: Joined, begin: Ints32, start: Ints32, first: Ints) -> None:
        chars, self._count = joined.bytes, len(start)
        full = np.flatnonzero(first[1:] > first[:-1])
        self._last = first[1:].take(full) - 1
        end = np.empty_like(start)
        end[:-1] = start[1:]
        end[self._last] = joined.offset[1:].take(full)
        opening = chars.take(begin)
        self._odd = np.flatnonzero((opening != ord(" ")) | (end - begin != 1))
        begin, self._opening = begin.take(self._odd), opening.take(self._odd)
        self._length = end.take(self._odd) - begin
        self._behind = chars.take(begin + self._length, mode="clip")
        self._below = np.cumsum(self._length) - self._length
        index = np.repeat(begin - self._below, self._length)
        index += np.arange(len(index))
        self._chars = chars.take(index)
        kinds = _KINDS.take(self._chars)
        self._has = np.bitwise_or.reduceat(kinds, self._below)
        self._solid = np.add.reduceat(kinds & SPACE == 0, self._below, dtype=np.int64)

    def gaps(self) -> Bytes:
        """Classify the gaps: only what may stand inside a name has a class."""
        solid, one, opening = self._solid, self._length == 1, self._opening
        odd = np.full(len(solid), GAP_OTHER, np.uint8)
        odd[(solid == 0) | (one & (opening == ord("-")))] = GAP_SPACE
        odd[(opening == ord(".")) & (solid == 1)] = GAP_DOT_SPACE
        odd[one & (opening == ord("."))] = GAP_DOT
        odd[one & (opening == ord("'"))] = GAP_APOSTROPHE
        odd[(self._has & _AND > 0) & (solid == 1)] = GAP_AND
        gap = np.full(self._count, GAP_SPACE, np.uint8)
        gap[self._odd] = odd
        gap[self._last] = GAP_OTHER
        return gap

    def questions(self) -> Bools:
        """Return which words a question mark follows."""
        question = np.zeros(self._count, np.bool_)
        question[self._odd] = self._has & _QUESTION > 0
        return question

    def sentence_starts(self, forms: Forms, form: Ints32) -> Bools:
        """Return before which words a sentence ends."""
        odd, has = self._odd, self._has
        capital = forms.capital.take(form.take(odd + 1, mode="clip"))
        digit = self._behind - np.uint8(ord("0")) < 10
        full = (has & _STRONG > 0) | ~forms.abbreviation.take(form.take(odd))
        ends = (has & (STOP | SPACE) == STOP | SPACE) & full & (capital | digit | (has & QUOTE > 0))
        lines = np.flatnonzero(self._chars == ord("\n"))
        owner = np.searchsorted(self._below, lines, side="right") - 1
        ends |= np.bincount(owner, minlength=len(odd)) > 1
        starts = np.zeros(self._count + 1, np.bool_)
        starts[odd + 1] = ends
        starts[np.append(0, self._last + 1)] = True
        return starts[: self._count]


_STRONG, _QUESTION, _AND = WORD, UPPER, APOSTROPHE  # bits of classes that no gap needs


def _kinds() -> Bytes:
    """Return class bits, and those above, of what may stand in `Joined.bytes`."""
    ascii_classes = character_classes(np.arange(128, dtype=np.uint32))
    kinds = np.append(ascii_classes, np.arange(128, dtype=np.uint8))
    kinds &= SPACE | STOP | QUOTE
    for chars, bit in (("!?", _STRONG), ("?", _QUESTION), ("&", _AND)):
        kinds[[*chars.encode()]] |= bit
    return kinds


_KINDS = _kinds()


def _quoted(joined: Joined, start: Ints32, first: Ints) -> Bools:
    """Return which words stand after an odd number of double quotes of their paragraph."""
    quotes = np.flatnonzero(joined.bytes == ord('"'))
    bounds = np.searchsorted(quotes, joined.offset)
    left_open = (bounds[1:] - bounds[:-1]) & 1 > 0  # which ends with the paragraph
    turns = np.searchsorted(start, quotes.astype(np.int32))
    turns = np.sort(np.append(turns, first[1:][left_open]))
    sizes = np.diff(turns, prepend=0, append=len(start))
    inside: Bools = np.repeat(np.arange(len(sizes)) & 1 > 0, sizes)
    return inside
