"""Numbers of the training paragraphs, and which paragraphs are in a language unlike theirs.

A paragraph's *familiarity* is the mean of two shares of its plain words (no mentions, names or
numbers): those that the model knows, and those that are common in the training texts. The threshold
comes from the training paragraphs, each read without what its own document taught. A paragraph too
short for that is foreign if it has some plain words and none is known. It is the oldest way to tell
languages apart (Ingle 1976, "A language identification table"; Grefenstette 1995, "Comparing two
language identification schemes").

*Wording* is how frequent the most frequent words are: "said" and "he" in news, "we" and "must" in
speeches. It tells genres apart (Kilgarriff 2001, "Comparing corpora").
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.arrays import Bools, Bytes, Floats, Ints, Ints32, Keys, slices
from stance.features.blocks import NO_KEY
from stance.model.heads import BlockWeights, Head
from stance.reading.forms import Forms
from stance.reading.keys import KeyIndex, join_keys, key_of
from stance.reading.spans import BATCH
from stance.reading.text import join_normalised
from stance.reading.words import Reader, Words

LEAST_WORDS, LEAST_PLAIN = 15, 6  # words, and plain ones, for a language to be judged
STRANGE = 4  # plain words, none of them known, that show another language in a short paragraph
COMMON = 0.03  # share of training rows in which a common word occurs
LOW = 0.01  # quantile of the training paragraphs' familiarity on which the threshold is based
MARGIN = 0.75  # times the quantile is the threshold: other topics bring new words, too
LEAST_PARAGRAPHS = 50  # training paragraphs of enough words that a threshold needs
FREQUENT = 60  # words whose shares are kept; with fewer or more, halves of a corpus differ more
LEAST_WORDING = 5000  # plain words that a corpus needs for its wording to be kept
LENGTHS = (0.05, 0.5, 0.95)  # quantiles of the paragraphs' length that are kept
FEWEST = 20  # training rows from which an actor counts as one that the model was trained on

# In scripts without blanks a run of letters is a clause rather than a word; `RUN` of its
# characters count as one word.
_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x9FFF),  # Chinese characters, kana
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
RUN = 2

# Three counts travel as one number through the sums over a paragraph. Each stays below two
# million; what overflows in a sum over many paragraphs cancels out in their differences.
_BITS = 21
_MASK = (1 << _BITS) - 1

# A word's kind is its size and two bits above that of the longest word.
_KNOWN, _COMMON = 32, 64
_COUNTS = np.array(
    [
        (kind % _KNOWN) * (1 | (kind & _KNOWN > 0) << _BITS | (kind >= _COMMON) << 2 * _BITS)
        for kind in range(2 * _COMMON)
    ]
)


@dataclass(frozen=True, slots=True)
class Reference:
    """Numbers of the training paragraphs, as they stand in a model's card."""

    paragraphs: int
    unknown: float  # share of plain words in too few other documents to be known, 0 to 1
    familiarity: float | None  # low quantile, 0 to 1; None if there were too few paragraphs
    length: tuple[int, int, int]  # words of a paragraph: the quantiles `LENGTHS`
    rows: int
    actors: Mapping[str, int]  # training rows of each actor that has `FEWEST` or more
    frequent: tuple[str, ...] = ()  # the most frequent plain words, as features of their block
    wording: Mapping[str, Sequence[float]] = field(default_factory=dict)  # their shares by corpus

    @property
    def threshold(self) -> float:
        """Familiarity below which a paragraph is foreign; 0 if that is not checked."""
        return MARGIN * (self.familiarity or 0.0)

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> "Reference":
        """Read what a card says; its types have been checked."""
        low, middle, high = table["length"]
        frequent = tuple(table.get("frequent", ()))
        return cls(**{**table, "length": (low, middle, high), "frequent": frequent})

    def to_table(self) -> dict[str, Any]:
        """Return the form that stands in a card."""
        return asdict(self) | {"length": list(self.length), "frequent": list(self.frequent)}


@dataclass(frozen=True, slots=True)
class Acquaintance:
    """How well a model knows the words of each paragraph; arrays of shape (n_paragraphs,)."""

    length: Ints  # words; a mention is one
    plain: Ints
    known: Ints  # of the plain words
    common: Ints  # of the plain words

    def familiarity(self) -> Floats:
        """Return the mean of the known and the common share; 1 if there is no plain word."""
        share: Floats = (self.known + self.common) / np.maximum(2 * self.plain, 1)
        return np.where(self.plain, share, 1.0)

    def long_enough(self) -> Bools:
        """Return which paragraphs have enough words for their language to be judged."""
        enough: Bools = np.maximum(self.length, self.plain) >= LEAST_WORDS
        return enough & (self.plain >= LEAST_PLAIN)

    def foreign(self, reference: Reference | None) -> Bools:
        """Return which paragraphs are in a language that the model was not trained on."""
        low = reference.threshold if reference else 0.0
        strange = (self.plain >= STRANGE) & (self.known == 0) & (low > 0)
        found: Bools = self.long_enough() & (self.familiarity() < low) | strange
        return found


class Vocabulary:
    """The words that a model's heads know: stems if it has any; looked up once per spelling."""

    def __init__(self, stance: Head, control: Head, frequent: Sequence[str] = ()) -> None:
        blocks = {block.name: block for head in (control, stance) for block in head.blocks}
        self._block: BlockWeights | None = blocks.get("stem", blocks.get("word"))
        keys = self._block.keys if self._block else np.zeros(0, np.uint64)
        idf = self._block.idf if self._block else np.zeros(0, np.float32)
        self._index = KeyIndex(keys)
        # The share of rows, from the smoothed inverse document frequency; last of unknown words.
        self.common = np.append(np.exp(1.0 - idf.astype(np.float64)) >= COMMON, False)
        self.terms = self._block.terms if self._block else ()
        place = {term: at for at, term in enumerate(frequent)}
        # The last number is for other words.
        self._places = np.full(len(keys) + 1, len(place))
        if place and self.terms:
            self._places[:-1] = [*map(place.get, self.terms, repeat(len(place)))]
        self._frequent = len(place)
        self._generation = -1
        self._columns = np.zeros(0, np.int32)
        self._kinds = np.zeros(0, np.uint8)

    def __len__(self) -> int:
        return len(self._index)

    def columns(self, reader: Reader) -> tuple[Ints32, Bytes]:
        """Return each form's place among the known words, -1 if it is unknown, and its size."""
        self._update(reader)
        return self._columns, self._kinds % _KNOWN

    def read(self, reader: Reader, words: Words) -> Acquaintance:
        """Count the words of each paragraph that are plain, known and common."""
        self._update(reader)
        counts = _COUNTS.take(self._kinds.take(words.form))
        counts *= ~words.name
        total = sums(counts, words.first)
        return Acquaintance(
            length=np.diff(words.first),
            plain=total & _MASK,
            known=(total >> _BITS) & _MASK,
            common=(total >> 2 * _BITS) & _MASK,
        )

    def wording(self, words: Words, kept: Bools) -> Ints:
        """Count the frequent words in some of the paragraphs that have just been read."""
        counted = ~words.name
        if not kept.all():
            counted &= np.repeat(kept, np.diff(words.first))
        times = np.bincount(words.form.compress(counted), minlength=len(self._columns))
        found = np.bincount(self._places.take(self._columns), times, self._frequent)
        return found[: self._frequent].astype(np.int64)

    def _update(self, reader: Reader) -> None:
        forms = reader.forms
        if self._generation != forms.generation:
            self._generation = forms.generation
            self._columns, self._kinds = self._columns[:0], self._kinds[:0]
        known = len(self._columns)
        for part in slices(len(forms) - known, parts=4):
            low, high = known + part.start, known + part.stop
            columns = self._index.find(self._keys(forms, low, high))
            kinds = _sizes(forms.spelling[low:high])
            kinds |= (columns >= 0) * np.uint8(_KNOWN)
            kinds |= self.common.take(columns) * np.uint8(_COMMON)
            self._columns = np.append(self._columns, columns)
            self._kinds = np.append(self._kinds, kinds)

    def _keys(self, forms: Forms, low: int, high: int) -> Keys:
        if self._block is not None and self._block.name == "stem":
            stems = forms.columns["stem"][low:high]
            return join_keys(key_of("stem"), np.full(len(stems), NO_KEY), stems)
        return join_keys(key_of("word"), forms.word_keys.take(np.arange(low, high)))


def sums(values: NDArray[Any], first: Ints) -> Ints:
    """Add up values from each place in ``first`` to the next: whole numbers, so in any order."""
    running = np.zeros(len(values) + 1, np.int64)
    np.cumsum(values, out=running[1:])
    return np.diff(running.take(first))


def _sizes(words: Sequence[str]) -> Bytes:
    """Return how many words each form counts as: none with a digit, several for a clause."""
    sizes = np.array([*map(str.isalpha, words)], np.uint8)
    for at in np.flatnonzero([not word.isascii() for word in words]).tolist():
        sizes[at] = _size_of_other(words[at])
    return sizes


def _size_of_other(word: str) -> int:
    if any(map(str.isdigit, word)):
        return 0
    dense = sum(any(low <= ord(char) <= high for low, high in _UNSPACED) for char in word)
    return max(1, dense // RUN)


def measure(
    reader: Reader,
    vocabulary: Vocabulary,
    texts: Sequence[str],
    actors: Iterable[str],
    document: Ints,
    min_df: int,
    corpora: Sequence[str],
) -> Reference:
    """Measure the paragraphs of a training corpus, each without what its own document taught.

    A paragraph that stands in several rows counts once; a word is known from ``min_df`` documents.
    ``corpora`` names the corpus of each text.
    """
    place = {text: row for row, text in reversed(list(enumerate(texts)))}
    rows = np.array(sorted(place.values()), np.int64)
    rows = rows[np.argsort(document[rows], kind="stable")]
    read = _Paragraphs.read(
        reader, vocabulary, [texts[row] for row in rows.tolist()], document[rows]
    )
    found = read.acquaintance(vocabulary, min_df)
    enough = found.familiarity()[found.long_enough()]
    low, middle, high = (int(value) for value in np.quantile(read.length, LENGTHS).round())
    numbers = {name: number for number, name in enumerate(dict.fromkeys(corpora))}
    corpus = np.array([numbers[corpora[row]] for row in rows.tolist()])
    counts = read.counts(corpus, (len(numbers), len(vocabulary)))
    totals = np.bincount(corpus, found.plain, len(numbers))
    frequent, wording = _wording(vocabulary, counts, dict(zip(numbers, totals, strict=True)))
    return Reference(
        paragraphs=len(rows),
        unknown=round(1 - float(found.known.sum() / max(found.plain.sum(), 1)), 6),
        familiarity=(
            round(float(np.quantile(enough, LOW)), 6) if len(enough) >= LEAST_PARAGRAPHS else None
        ),
        length=(low, middle, high),
        rows=len(texts),
        actors={name: n for name, n in sorted(Counter(actors).items()) if n >= FEWEST and name},
        frequent=frequent,
        wording=wording,
    )


def _wording(
    vocabulary: Vocabulary, counts: Ints, plain: Mapping[str, float]
) -> tuple[tuple[str, ...], dict[str, list[float]]]:
    """Return the most frequent words, and what share of the plain words of each corpus they are.

    ``counts`` is how often each corpus has each word, and ``plain`` its number of plain words.
    """
    if not vocabulary.terms:  # a head whose features have no names
        return (), {}
    order = np.argsort(-counts.sum(axis=0), kind="stable")[:FREQUENT]
    found = {
        name: (own[order] / total).round(6).tolist()
        for own, (name, total) in zip(counts, plain.items(), strict=True)
        if total >= LEAST_WORDING
    }
    return tuple(vocabulary.terms[at] for at in order.tolist()), found


@dataclass(frozen=True, slots=True)
class _Paragraphs:
    """The words of paragraphs, document by document: 8 bytes of memory each."""

    document: Ints  # of each paragraph; never decreasing
    length: Ints
    column: Ints32  # place of each word among the known ones, -1 if it is unknown
    size: Ints32  # of each word, 0 if it is not plain

    @classmethod
    def read(
        cls, reader: Reader, vocabulary: Vocabulary, texts: Sequence[str], document: Ints
    ) -> "_Paragraphs":
        """Look up the words of texts as written."""
        found = []
        for low in range(0, len(texts), BATCH):
            words = reader.words(join_normalised(texts[low : low + BATCH]))
            columns, sizes = vocabulary.columns(reader)
            size = (sizes.take(words.form) * ~words.name).astype(np.int32)
            found.append((np.diff(words.first), columns.take(words.form), size))
        return cls(document, *(np.concatenate(part) for part in zip(*found, strict=True)))

    def _chunks(self) -> Iterator[tuple[slice, slice]]:
        """Yield the paragraphs of some whole documents, and their words."""
        first, document = np.append(0, np.cumsum(self.length)), self.document
        cuts = np.unique(np.append(np.searchsorted(document, document[::BATCH]), len(document)))
        for low, high in pairwise(cuts.tolist()):
            yield slice(low, high), slice(first[low], first[high])

    def acquaintance(self, vocabulary: Vocabulary, min_df: int) -> Acquaintance:
        """Count the words that are plain, known from other documents, and common."""
        elsewhere: Ints = np.full(len(vocabulary) + 1, -1)
        for own, words in self._chunks():
            document = np.repeat(self.document[own], self.length[own])
            elsewhere += _documents(self.column[words], document, len(vocabulary))
        found = []
        for own, words in self._chunks():
            column, size = self.column[words], self.size[words]
            known = (column >= 0) & (elsewhere.take(column) >= min_df)
            common = known & vocabulary.common.take(column)
            first = np.append(0, np.cumsum(self.length[own]))
            found.append([sums(part, first) for part in (size, size * known, size * common)])
        counts = (np.concatenate(part) for part in zip(*found, strict=True))
        return Acquaintance(self.length, *counts)

    def counts(self, corpus: Ints, shape: tuple[int, int]) -> Ints:
        """Count each known plain word of each corpus, given that of each paragraph."""
        counts = np.zeros(shape, np.int64)
        for own, words in self._chunks():
            plain = (self.size[words] > 0) & (self.column[words] >= 0)
            at = np.repeat(corpus[own], self.length[own])[plain] * shape[1]
            at += self.column[words][plain]
            counts += np.bincount(at, minlength=counts.size).reshape(shape)
        return counts


def _documents(column: Ints32, document: Ints, size: int) -> Ints:
    """Return in how many documents each known word occurs."""
    seen = column >= 0
    pair = np.sort(document[seen] * max(size, 1) + column[seen])  # quicker than `np.unique`
    new = np.append(True, pair[1:] != pair[:-1])[: len(pair)]
    return np.append(np.bincount(pair[new] % max(size, 1), minlength=size), 0)
