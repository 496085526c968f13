"""The words of a batch of paragraphs as flat arrays, so that nothing loops over words.

The paragraphs are joined into one string and seen as an array of characters::

    text     N A T O   w a r n e d .  Ø  " R u s s i a ' s   m o v e , "  …
    start    0         5                   12                19
    end      4         11                  18                23
    form     0         1                   2                 3          row of `Forms`
    para     0         0                   1                 1
    gap      SPACE     OTHER               SPACE             OTHER      what follows the word
    sentence 0         0                   1                 1
    quoted   .         .                   x                 x
    clitic   .         .                   POSSESSIVE        .

(Ø is the separator.) A word is a run of letters, digits and marks. An apostrophe ends it; what
follows ("s", "t", "ll") is not a word but a flag on the word before. A *form* is a word as
spelled: whatever depends on the spelling alone (stem, lexicon category, flags) is worked out once
per form, in `Forms`, and fetched by ``take``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from stance.arrays import Bools, Bytes, Ints, Ints32
from stance.reading.forms import CLITIC_NEGATION, CLITIC_NONE, CLITIC_POSSESSIVE, Forms
from stance.reading.keys import stretch_keys
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

LONGEST_WORD = 48  # characters of a word that count; longer runs are links or noise
MOST = (1 << 31) - 1  # most characters of a batch: their places are 32-bit numbers
# What stands between a word and the next one.
GAP_OTHER, GAP_SPACE, GAP_DOT, GAP_APOSTROPHE, GAP_DOT_SPACE, GAP_AND = range(6)


@dataclass(frozen=True, slots=True)
class TokenBatch:
    """Words of a batch of paragraphs, as drawn above; all but ``first`` have an entry per word."""

    joined: Joined
    first: Ints  # word of each paragraph, and the number of words
    start: Ints32  # characters of `joined`
    end: Ints32
    form: Ints
    para: Ints32
    gap: Bytes
    sentence: Ints32  # never decreases; paragraphs share none
    sentence_start: Bools  # the first word of a sentence
    quoted: Bools
    clitic: Bytes
    question: Bools  # a question mark follows

    def __len__(self) -> int:
        return len(self.first) - 1

    @property
    def text(self) -> str:
        """The joined paragraphs."""
        return self.joined.text

    def without(self, dropped: Ints) -> "TokenBatch":
        """Return the batch without the words ``dropped``, which are sorted; itself if none are."""
        if not len(dropped):
            return self
        keeps = np.ones(len(self.form), np.bool_)
        keeps[dropped] = False
        kept = np.flatnonzero(keeps)
        names = {field.name for field in fields(self)} - {"joined", "first"}
        arrays = {name: getattr(self, name).take(kept) for name in names}
        return replace(self, first=self.first - np.searchsorted(dropped, self.first), **arrays)


def tokenise(texts: Sequence[str] | Joined, forms: Forms) -> TokenBatch:
    """Split normalised paragraphs into words; ``forms`` learns those that are new."""
    joined = texts if isinstance(texts, Joined) else join(texts)
    chars = joined.bytes
    if len(chars) > MOST:
        raise ValueError(f"{len(chars):,} characters at once; give fewer paragraphs at a time")
    start, end = _runs(chars)
    form = _forms_of(joined, start, end, forms)
    clitic, own = _clitics(chars, forms, form, start, end)
    kept, dropped = np.flatnonzero(own), np.flatnonzero(~own)
    behind = end.take(kept)
    # A clitic belongs to the word before it, so the gap after that word starts after the clitic.
    behind[np.searchsorted(kept, dropped) - 1] = end.take(dropped)
    start = start.take(kept)  # one by one, for a paragraph may be as long as a book
    end = end.take(kept)
    form = form.take(kept)
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


def _forms_of(joined: Joined, start: Ints32, end: Ints32, forms: Forms) -> Ints:
    stop = np.minimum(end, start + LONGEST_WORD)
    return forms.find(
        stretch_keys(joined, start, stop, LONGEST_WORD),
        lambda new: joined.pieces(start.take(new), stop.take(new)),
    )


def _runs(chars: Bytes) -> tuple[Ints32, Ints32]:
    inside = np.zeros(len(chars) + 1, np.bool_)
    letter = inside[1:]
    np.less((chars | 0x20) - np.uint8(ord("a")), 26, out=letter)
    letter |= chars - np.uint8(ord("0")) < 10
    letter |= chars & ~UPPER == BEYOND | WORD
    edges = np.flatnonzero(letter != inside[:-1])
    return edges[0::2].astype(np.int32), edges[1::2].astype(np.int32)


def _clitics(
    chars: Bytes, forms: Forms, form: Ints, start: Ints32, end: Ints32
) -> tuple[Bytes, Bools]:
    """Return the clitic of each word, and which words are not clitics themselves."""
    flag, own = np.zeros(len(form), np.uint8), np.ones(len(form), np.bool_)
    at = np.flatnonzero(chars.take(end) == ord("'"))
    last = chars.take(end.take(at) - 1) | 0x20  # in lower case
    behind = np.minimum(at + 1, len(form) - 1)
    glued = start.take(behind) == end.take(at) + 1
    kind = forms.columns["clitic"].take(form.take(behind))
    kind[~glued | (kind == CLITIC_NEGATION) & (last != ord("n"))] = CLITIC_NONE
    own[at[kind != CLITIC_NONE] + 1] = False
    # A plural possessive ("allies' doubts") has nothing after its apostrophe.
    kind[~glued & (last == ord("s"))] = CLITIC_POSSESSIVE
    flag[at] = kind
    return flag, own


class _Between:
    """The gaps, from ``begin`` to the next ``start``; only what is not a blank is examined."""

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
        """Return the kind of each gap; only what may stand inside a name has one of its own."""
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
        """Return which words are followed by a question mark."""
        question = np.zeros(self._count, np.bool_)
        question[self._odd] = self._has & _QUESTION > 0
        return question

    def sentence_starts(self, forms: Forms, form: Ints) -> Bools:
        """Return before which words a sentence ends."""
        odd, has = self._odd, self._has
        capital = forms.columns["capital"].take(form.take(odd + 1, mode="clip"))
        digit = self._behind - np.uint8(ord("0")) < 10
        full = (has & _STRONG > 0) | ~forms.columns["dotted"].take(form.take(odd))
        ends = (has & (STOP | SPACE) == STOP | SPACE) & full & (capital | digit | (has & QUOTE > 0))
        lines = np.flatnonzero(self._chars == ord("\n"))
        owner = np.searchsorted(self._below, lines, side="right") - 1
        ends |= np.bincount(owner, minlength=len(odd)) > 1
        starts = np.zeros(self._count + 1, np.bool_)
        starts[odd + 1] = ends
        starts[np.append(0, self._last + 1)] = True
        return starts[: self._count]


_STRONG, _QUESTION, _AND = WORD, UPPER, APOSTROPHE  # bits that are free: no gap has these classes

_KINDS = np.append(
    character_classes(np.arange(128, dtype=np.uint32)), np.arange(128, dtype=np.uint8)
)  # class bits, and those above, of each value of `Joined.bytes`
_KINDS &= SPACE | STOP | QUOTE
for _chars, _bit in ((b"!?", _STRONG), (b"?", _QUESTION), (b"&", _AND)):
    _KINDS[[*_chars]] |= _bit


def _quoted(joined: Joined, start: Ints32, first: Ints) -> Bools:
    """Return which words stand after an odd number of double quotes of their paragraph."""
    quotes = np.flatnonzero(joined.bytes == ord('"'))
    bounds = np.searchsorted(quotes, joined.offset)
    left_open = (bounds[1:] - bounds[:-1]) & 1 > 0  # closed by the end of the paragraph
    turns = np.searchsorted(start, quotes.astype(np.int32))
    turns = np.sort(np.append(turns, first[1:][left_open]))
    sizes = np.diff(turns, prepend=0, append=len(start))
    inside: Bools = np.repeat(np.arange(len(sizes)) & 1 > 0, sizes)
    return inside
