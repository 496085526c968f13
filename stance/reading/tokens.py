"""The words of a batch of paragraphs, as arrays with an entry per word.

::

    text     NATO warned.       "Russia's move,"
    start    0    5             1        10         in the paragraph's text
    end      4    11            7        14
    type     0    1             2        3          number in the table of spellings
    para     0    0             1        1
    gap      SPACE OTHER        SPACE    OTHER      what follows the word
    sentence 0    0             1        1
    quoted   .    .             x        x
    clitic   .    .             POSSESSIVE  .

A word is a run of letters, digits and marks. An apostrophe ends it; what follows ("s", "t", "ll")
is not a word but a flag on the word before. What depends on the spelling alone (stem, lexicon
category, flags) is worked out once per spelling, in a `StringTable`.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import chain
from typing import Any

import numpy as np

from stance.arrays import Bools, Bytes, Codes, Ints, Ints32, stretches
from stance.reading.keys import StringTable, stretch_keys
from stance.reading.text import code_points

SEPARATOR = "\x1e"  # behind each text of a batch; `normalise` takes it out of texts
LONGEST_WORD, LONGEST_GAP = 48, 1000  # characters that count; longer runs are links or noise
MOST = (1 << 31) - 2 * LONGEST_GAP  # characters of a batch, whose places have four bytes
# What stands between a word and the next one.
GAP_OTHER, GAP_SPACE, GAP_DOT, GAP_APOSTROPHE, GAP_DOT_SPACE, GAP_AND = range(6)
# What the clitic after a word was.
CLITIC_NONE, CLITIC_POSSESSIVE, CLITIC_NEGATION, CLITIC_OTHER = range(4)

LAST_ASCII, SMALL = 0x7F, 0x20  # code point; bit that makes "N" of ASCII an "n"

_CLITICS = dict.fromkeys(("d", "ll", "re", "ve", "m"), CLITIC_OTHER)
_CLITICS |= {"s": CLITIC_POSSESSIVE, "t": CLITIC_NEGATION}
_ABBREVIATIONS = frozenset(
    # Titles, firms, months and the like that end with a dot in the middle of a sentence.
    """
    adm brig capt co col corp dr fr gen gov hon inc jr lt ltd maj messrs mr mrs ms mt no nos op
    pres prof rep rev sen sgt sr st vs jan feb mar apr jun jul aug sept sep oct nov dec
    """.split()  # noqa: SIM905
)

_FLAGS: dict[str, tuple[type, Callable[[str, str], Any]]] = {
    "clitic": (np.uint8, lambda _, lower: _CLITICS.get(lower, CLITIC_NONE)),
    "dotted": (  # a dot after it may be its own
        np.bool_,
        lambda word, lower: lower in _ABBREVIATIONS or (len(word) == 1 and word.isupper()),
    ),
    "capital": (np.bool_, lambda word, _: word[0].istitle()),
    "digit": (np.bool_, lambda word, _: "0" <= word[0] <= "9"),  # begins with one
    "last": (np.uint32, lambda _, lower: ord(lower[-1])),  # letter
}
"""Columns of words, each with its type and what tells it, also given the word in lower case."""


def _gap_kind(gap: str) -> int:
    """Return the kind of a gap; only what may stand inside a name has one of its own."""
    if gap.isspace() or gap == "-":
        return GAP_SPACE
    if gap in ("'", "."):
        return GAP_APOSTROPHE if gap == "'" else GAP_DOT
    if gap[:1] == "." and gap[1:].isspace():
        return GAP_DOT_SPACE
    return GAP_AND if gap.count("&") == 1 and gap.replace("&", " ").isspace() else GAP_OTHER


_STOP, _COMMA = re.compile("[.!?\u2026]"), re.compile("[,;:\u2014()]| - ")
_GAPS: dict[str, tuple[type, Callable[[str], Any]]] = {
    "kind": (np.uint8, _gap_kind),
    "question": (np.bool_, lambda gap: "?" in gap),
    "stop": (np.bool_, lambda gap: bool(_STOP.search(gap)) and any(map(str.isspace, gap))),
    "strong": (np.bool_, lambda gap: "!" in gap or "?" in gap),  # even after an abbreviation
    "break": (np.bool_, lambda gap: gap.count("\n") > 1),  # ends one whatever stands beside it
    "quote": (np.bool_, lambda gap: '"' in gap),
    "apostrophe": (np.bool_, lambda gap: gap[:1] == "'"),
    "price": (np.bool_, lambda gap: gap[:1] == "$"),
    "comma": (np.bool_, lambda gap: bool(_COMMA.search(gap))),
}
"""Columns of what stands between words, each with its type and what tells it."""


MOST_SPELLINGS = 400_000  # kept for the next batch
_ONE = np.array([0]), np.array([1])  # begin and end of the only character
_SPACE = stretch_keys(code_points(" "), *_ONE)


class Spellings(StringTable):
    """Words as spelled, with flags and other columns; ``gaps`` has what stands between words.

    ``describe`` gets words in lower case, too. Whoever keeps it calls `clear` when it is full.
    """

    def __init__(self, describe: Callable[..., Iterable[Any]], columns: Mapping[str, type]) -> None:
        def described(words: Sequence[str]) -> Iterator[Any]:
            lower = list(map(str.lower, words))
            flags = (list(map(tell, words, lower)) for _, tell in _FLAGS.values())
            return chain(flags, describe(words, lower))

        kinds = {name: kind for name, (kind, _) in _FLAGS.items()}
        super().__init__(described, {**kinds, **columns})

    def clear(self) -> None:
        """Forget every string."""
        super().clear()
        kinds = {name: kind for name, (kind, _) in _GAPS.items()}
        describe = [one for _, one in _GAPS.values()]
        self.gaps = StringTable(lambda gaps: (list(map(one, gaps)) for one in describe), kinds)

    def full(self) -> bool:
        """Return whether there are too many strings to keep."""
        return len(self) + len(self.gaps) > MOST_SPELLINGS


@dataclass(frozen=True, slots=True)
class Tokens:
    """Words of a batch of paragraphs, as drawn above; all but ``first`` have an entry per word."""

    texts: Sequence[str]
    first: Ints  # word of each paragraph, and the number of words
    start: Ints32  # characters of the paragraph
    end: Ints32
    type: Ints
    para: Ints32
    gap: Bytes
    sentence: Ints32  # never decreases; paragraphs share none
    sentence_start: Bools  # the first word of a sentence
    quoted: Bools
    clitic: Bytes
    between: Ints  # number of what follows in ``gaps``
    gaps: StringTable = field(repr=False)

    def __len__(self) -> int:
        return len(self.first) - 1

    def followed(self, by: str, word: Any) -> Any:
        """Return which of some words a "question" mark, "price" or "comma" and the like follow."""
        return self.gaps[by].take(self.between.take(word))

    @property
    def possessive(self) -> Bools:
        """Which words stand in the possessive."""
        return self.clitic == CLITIC_POSSESSIVE

    def without(self, dropped: Ints) -> "Tokens":
        """Return the batch without the words ``dropped``, which are sorted."""
        keeps = np.ones(len(self.type), np.bool_)
        keeps[dropped] = False
        kept = np.flatnonzero(keeps)
        names = {one.name for one in fields(self)} - {"texts", "first", "gaps"}
        arrays = {name: getattr(self, name).take(kept) for name in names}
        return replace(self, first=self.first - np.searchsorted(dropped, self.first), **arrays)


def tokenise(texts: Sequence[str], spellings: Spellings) -> Tokens:
    """Split normalised paragraphs into words; ``spellings`` learns what is new."""
    joined = SEPARATOR.join([*texts, ""])
    if len(joined) > MOST:
        raise ValueError(f"{len(joined):,} characters at once; give fewer paragraphs at a time")
    codes = code_points(joined)
    chars = _bytes_of(codes)
    begin, stop = _runs(chars)
    lengths = np.fromiter(map(len, texts), np.int32, len(texts)) + 1
    offset = np.append(0, np.cumsum(lengths)).astype(np.int32)
    first = np.searchsorted(begin, offset)
    end = np.minimum(stop, begin + np.int32(LONGEST_WORD))
    type_ = spellings.find_keys(stretch_keys(codes, begin, end), joined, begin, end)
    behind, filled = np.append(begin[1:], np.int32(0)), np.flatnonzero(np.diff(first))
    behind[first[1:][filled] - 1] = offset[1:][filled] - 1  # the ends of texts
    gap = spellings.gaps.find_keys(_SPACE, " ", *_ONE).repeat(len(begin))
    odd = np.flatnonzero((behind - stop != 1) | (chars.take(stop) != ord(" ")))
    low, high = stop[odd], np.minimum(behind, stop + np.int32(LONGEST_GAP))[odd]
    sizes = (high - low).astype(np.int64)
    between, ends = codes.take(stretches(low, sizes)), np.cumsum(sizes)  # few of the characters
    keys = stretch_keys(between, ends - sizes, ends)
    gap[odd] = spellings.gaps.find_keys(keys, joined, low, high)
    para = np.repeat(np.arange(len(texts), dtype=np.int32), np.diff(first))
    quoted = _quoted(chars, begin, offset, first)
    clitic, kept = _clitics(spellings, type_, gap, first)
    first = np.searchsorted(kept, first)
    type_, gap, para = type_.take(kept), gap.take(kept), para.take(kept)
    shift, gaps = offset.take(para), spellings.gaps
    opens = _sentence_starts(spellings, type_, gap, first)
    kind = gaps["kind"].take(gap)
    kind[first[1:][np.diff(first) > 0] - 1] = GAP_OTHER
    return Tokens(
        texts=texts,
        first=first,
        start=begin.take(kept) - shift,
        end=stop.take(kept) - shift,
        type=type_,
        para=para,
        gap=kind,
        sentence=np.cumsum(opens, dtype=np.int32) - np.int32(1),
        sentence_start=opens,
        quoted=quoted.take(kept),
        clitic=clitic.take(kept),
        between=gap,
        gaps=gaps,
    )


_LETTER, _OTHER = 0xFF, 0x80  # bytes of no ASCII, instead of any other character
_kinds = np.zeros(0x110000, np.uint8)


def _kind(char: str) -> int:
    """Return whether a character is part of words."""
    is_part = char.isalnum() or unicodedata.category(char) in ("Mn", "Mc")
    return _LETTER if is_part else _OTHER


def _bytes_of(codes: Codes) -> Bytes:
    """Return characters as bytes, whose arrays are a quarter of the size."""
    chars = codes.astype(np.uint8)
    beyond = np.flatnonzero(codes > LAST_ASCII)
    odd = codes.take(beyond)
    for code in {*odd[_kinds.take(odd) == 0].tolist()}:
        _kinds[code] = _kind(chr(code))
    chars[beyond] = _kinds.take(odd)
    return chars


def _runs(chars: Bytes) -> tuple[Ints32, Ints32]:
    """Return where each run of letters, digits and marks begins and ends."""
    inside = np.zeros(len(chars) + 1, np.bool_)
    letters = inside[1:]
    np.less((chars | SMALL) - np.uint8(ord("a")), 26, out=letters)
    letters |= chars - np.uint8(ord("0")) < 10
    letters |= chars == _LETTER
    edges = np.flatnonzero(letters != inside[:-1])
    return edges[0::2].astype(np.int32), edges[1::2].astype(np.int32)


def _quoted(chars: Bytes, begin: Ints32, offset: Ints32, first: Ints) -> Bools:
    """Return which words stand behind an odd number of double quotes of their paragraph."""
    marks = np.flatnonzero(chars == ord('"')).astype(np.int32)
    left_open = np.diff(np.searchsorted(marks, offset)) & 1 > 0  # closed by the paragraph's end
    turns = np.sort(np.append(np.searchsorted(begin, marks), first[1:][left_open]))
    sizes = np.diff(turns, prepend=0, append=len(begin))
    inside: Bools = (np.arange(len(sizes)) & 1 > 0).repeat(sizes)
    return inside


def _clitics(spellings: Spellings, type_: Ints, gap: Ints, first: Ints) -> tuple[Bytes, Ints]:
    """Return each word's clitic, and the other words, each with the gap after its clitic."""
    gaps = spellings.gaps
    flag, alone = np.zeros(len(type_), np.uint8), np.ones(len(type_), np.bool_)
    last = np.zeros(len(type_) + 1, np.bool_)
    last[first[1:] - 1] = True
    apostrophes = np.flatnonzero(gaps["apostrophe"].take(gap))
    glued = gaps["kind"].take(gap.take(apostrophes)) == GAP_APOSTROPHE
    glued &= ~last.take(apostrophes)
    kind = spellings["clitic"].take(type_.take(apostrophes + 1, mode="clip"))
    letter = spellings["last"].take(type_.take(apostrophes))
    kind[~glued | (kind == CLITIC_NEGATION) & (letter != ord("n"))] = CLITIC_NONE
    alone[apostrophes[kind != CLITIC_NONE] + 1] = False
    # A plural possessive ("allies' doubts") has nothing after its apostrophe.
    kind[~glued & (letter == ord("s"))] = CLITIC_POSSESSIVE
    flag[apostrophes] = kind
    kept, dropped = np.flatnonzero(alone), np.flatnonzero(~alone)
    gap[kept[np.searchsorted(kept, dropped) - 1]] = gap[dropped]
    return flag, kept


def _sentence_starts(spellings: Spellings, type_: Ints, gap: Ints, first: Ints) -> Bools:
    """Return before which words a sentence ends."""
    gaps = spellings.gaps
    odd = np.flatnonzero(gaps["stop"].take(gap))
    between, follows = gap.take(odd), type_.take(odd + 1, mode="clip")
    full = gaps["strong"].take(between) | ~spellings["dotted"].take(type_.take(odd))
    opens = spellings["capital"].take(follows) | spellings["digit"].take(follows)
    starts = np.zeros(len(type_) + 1, np.bool_)
    starts[odd + 1] = full & (opens | gaps["quote"].take(between))
    starts[1:] |= gaps["break"].take(gap)
    starts[first] = True
    return starts[:-1]
