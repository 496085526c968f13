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
from itertools import repeat
from typing import Any

import numpy as np

from stance.arrays import Bools, Floats, Ints, Ints32
from stance.features.blocks import stem_features
from stance.model.heads import Head
from stance.reading.keys import KeyIndex, join_keys, key_of, keys_of
from stance.reading.spans import BATCH
from stance.reading.string_table import StringTable
from stance.reading.text import normalise_all
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
        block = blocks.get("stem", blocks.get("word"))
        self._name = block.name if block else ""
        self._index = KeyIndex(block.keys if block else np.zeros(0, np.uint64))
        idf = block.idf.astype(np.float64) if block else np.zeros(0)
        # The share of rows, from the smoothed inverse document frequency; last of unknown words.
        self.common = np.append(np.exp(1.0 - idf) >= COMMON, False)
        self.terms = block.terms if block else ()
        place = {term: at for at, term in enumerate(frequent)}
        # The last number is for other words.
        self._places = np.full(len(idf) + 1, len(place))
        if place and self.terms:
            self._places[:-1] = [*map(place.get, self.terms, repeat(len(place)))]
        self._frequent = len(place)

    def __len__(self) -> int:
        return len(self._index)

    def table(self, reader: Reader) -> StringTable:
        """Return each spelling's size and its place among the known words, -1 if it is unknown."""
        table = reader.once(self._make_table, reader)
        table.find(reader.types.strings[len(table) :])
        return table

    def _make_table(self, reader: Reader) -> StringTable:
        def describe(words: Sequence[str]) -> tuple[list[int], Ints]:
            known = len(reader.types) - len(words)
            if self._name == "stem":
                stems = reader.types["stem"][known:]
                keys = stem_features("stem", reader.stems["key"].take(stems))
            else:
                keys = join_keys(key_of("word"), keys_of(map(str.lower, words)))
            return [*map(_size, words)], self._index.find(keys).astype(np.int64)

        return StringTable(describe, {"size": np.int64, "place": np.int64})

    def read(self, reader: Reader, words: Words) -> Acquaintance:
        """Count the words of each paragraph that are plain, known and common."""
        table, count = self.table(reader), len(words)
        size = table["size"].take(words.type) * ~words.name
        place = table["place"].take(words.type)
        return _count(words.para, count, size, place >= 0, self.common.take(place))

    def wording(self, reader: Reader, words: Words, kept: Bools) -> Ints:
        """Count the frequent words in some of the paragraphs."""
        counted = words.type[~words.name & kept.take(words.para)]
        place = self._places.take(self.table(reader)["place"].take(counted))
        return np.bincount(place, minlength=self._frequent + 1)[: self._frequent]


def _count(
    para: Ints | Ints32, count: int, size: Ints, known: Bools, common: Bools
) -> Acquaintance:
    """Add up the sizes of the plain words of each paragraph, of those known and those common."""
    sums = [np.bincount(para, size * own, count).astype(np.int64) for own in (True, known, common)]
    return Acquaintance(np.bincount(para, minlength=count), *sums)


def _size(word: str) -> int:
    """Return how many words a spelling counts as: none with a digit, several for a clause."""
    if word.isascii():
        return int(word.isalpha())
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
    rows = np.array(sorted({text: row for row, text in reversed([*enumerate(texts)])}.values()))
    para, place, size = (np.concatenate(part) for part in zip(
        *_read_all(reader, vocabulary, [texts[row] for row in rows.tolist()]), strict=True
    ))  # fmt: skip
    width = len(vocabulary) + 1  # the last place is for unknown words
    pairs = np.unique(document[rows].take(para) * width + place % width)
    elsewhere = np.bincount(pairs % width, minlength=width) - 1  # documents but a word's own
    known = (place >= 0) & (elsewhere.take(place) >= min_df)
    found = _count(para, len(rows), size, known, known & vocabulary.common.take(place))
    enough = found.familiarity()[found.long_enough()]
    low, middle, high = (int(value) for value in np.quantile(found.length, LENGTHS).round())
    numbers = {name: number for number, name in enumerate(dict.fromkeys(corpora))}
    corpus = np.array([numbers[corpora[row]] for row in rows.tolist()])
    plain = (size > 0) & (place >= 0)
    counts = np.bincount(
        corpus.take(para[plain]) * width + place[plain], minlength=len(numbers) * width
    )
    totals = np.bincount(corpus, found.plain, len(numbers))
    frequent, wording = _wording(
        vocabulary, counts.reshape(-1, width)[:, :-1], dict(zip(numbers, totals, strict=True))
    )
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


def _read_all(
    reader: Reader, vocabulary: Vocabulary, texts: Sequence[str]
) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Yield the paragraph of each word, its place among the known ones, and its size."""
    for low in range(0, len(texts), BATCH):
        words = reader.words(normalise_all(texts[low : low + BATCH]))
        table = vocabulary.table(reader)
        size = table["size"].take(words.type) * ~words.name
        yield words.para + np.int64(low), table["place"].take(words.type), size


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
