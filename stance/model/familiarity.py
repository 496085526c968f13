"""Numbers of the training paragraphs, and which paragraphs are in a language unlike theirs.

A paragraph's *familiarity* is the mean of two shares of its plain words (no mentions, names or
numbers): those that the model knows, and those that are common in the training texts. The threshold
comes from the training paragraphs, each read without what its own document taught. A paragraph too
short for that is foreign if it has some plain words and none is known. It is the oldest way to tell
languages apart (Ingle 1976, "A language identification table"; Grefenstette 1995, "Comparing two
language identification schemes").
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stance.arrays import Bools, Floats, Ints
from stance.display import shown
from stance.features.blocks import stem_features
from stance.model.heads import Head
from stance.reading.keys import KeyIndex, join_keys, key_of, keys_of
from stance.reading.spans import BATCH
from stance.reading.string_table import Described
from stance.reading.text import normalise_all
from stance.reading.words import Reader, Words

FEW_ACTORS, NEARLY_ALL = 5, 0.9
"""Actors below which a model may know little of others, if such a share of its rows is on them."""

LEAST_WORDS, LEAST_PLAIN = 15, 6  # words, and plain ones, for a language to be judged
STRANGE = 4  # plain words, none of them known, that show another language in a short paragraph
COMMON = 0.03  # share of training rows in which a common word occurs
LOW = 0.01  # quantile of the training paragraphs' familiarity on which the threshold is based
MARGIN = 0.75  # times the quantile is the threshold: other topics bring new words, too
LEAST_PARAGRAPHS = 50  # training paragraphs of enough words that a threshold needs
FEWEST = 20  # training rows from which an actor counts as one that the model was trained on


class UnseenActorWarning(UserWarning):
    """A model that has learned from few actors judges another."""


@dataclass(frozen=True, slots=True)
class TrainingProfile:
    """Numbers of the training paragraphs, as they stand in a model's card."""

    unknown: float  # share of plain words in too few other documents to be known, 0 to 1
    familiarity: float  # low quantile, 0 to 1; 0 if there were too few paragraphs
    rows: int
    actors: Mapping[str, int]  # training rows of each actor that has `FEWEST` or more

    @property
    def threshold(self) -> float:
        """Familiarity below which a paragraph is foreign; 0 if that is not checked."""
        return MARGIN * self.familiarity

    def unseen(self, names: Iterable[str]) -> str:
        """Return a warning about actors, if the model has learned from few and not from these."""
        most = sum(self.actors.values()) >= NEARLY_ALL * self.rows
        few = most and 0 < len(self.actors) < FEW_ACTORS
        others = sorted({*names} - {*self.actors, ""}) if few else []
        if not others:
            return ""
        return (
            f"nearly all training rows of this model are about {', '.join(self.actors)}; "
            f"label some about {shown(', '.join(others))} before you trust its answers about them"
        )


@dataclass(frozen=True, slots=True)
class LanguageCheck:
    """How many words of each paragraph a model knows; arrays of shape (n_paragraphs,)."""

    length: Ints  # words; a mention is one
    plain: Ints
    known: Ints  # of the plain words
    common: Ints  # of the plain words

    def take(self, para: Ints) -> "LanguageCheck":
        """Return the counts of some paragraphs."""
        counts = self.length, self.plain, self.known, self.common
        return LanguageCheck(*(column.take(para) for column in counts))

    def familiarity(self) -> Floats:
        """Return the mean of the known and the common share; 1 if there is no plain word."""
        share: Floats = (self.known + self.common) / np.maximum(2 * self.plain, 1)
        return np.where(self.plain, share, 1.0)

    def long_enough(self) -> Bools:
        """Return which paragraphs have enough words for their language to be judged."""
        enough: Bools = (self.length >= LEAST_WORDS) & (self.plain >= LEAST_PLAIN)
        return enough

    def foreign(self, profile: TrainingProfile) -> Bools:
        """Return which paragraphs are in a language that the model was not trained on."""
        low = profile.threshold
        strange = (self.plain >= STRANGE) & (self.known == 0) & (low > 0)
        foreign: Bools = self.long_enough() & (self.familiarity() < low) | strange
        return foreign


class KnownWords:
    """The words that a model's heads know: stems if it has any; looked up once per spelling."""

    def __init__(self, stance: Head, control: Head) -> None:
        blocks = {block.name: block for head in (control, stance) for block in head.blocks}
        block = blocks.get("stem", blocks.get("word"))
        self._stemmed = "stem" in blocks
        self._index = KeyIndex(block.keys if block else np.zeros(0, np.uint64))
        idf = block.idf.astype(np.float64) if block else np.zeros(0)
        # The share of rows, from the smoothed inverse document frequency; last of unknown words.
        self.common = np.append(np.exp(1.0 - idf) >= COMMON, False)

    def __len__(self) -> int:
        return len(self._index)

    def table(self, reader: Reader) -> Described:
        """Return each spelling's place among the known words, -1 if unknown, and its counts."""
        table = reader.once(self._make_table, reader)
        if len(table) < len(reader.types):
            table.add(reader.types.strings[len(table) :])
        return table

    def _make_table(self, reader: Reader) -> Described:
        def describe(words: Sequence[str]) -> tuple[Ints, Ints]:
            if self._stemmed:
                stems = reader.types["stem"][len(reader.types) - len(words) :]
                keys = stem_features("stem", reader.stems["key"].take(stems))
            else:
                keys = join_keys(key_of("word"), keys_of(map(str.lower, words)))
            place, plain = self._index.find(keys).astype(np.int64), np.array(_are_plain(words))
            one, known, common = _UNITS
            return place, plain * (one + known * (place >= 0) + common * self.common.take(place))

        return Described(describe, {"place": np.int64, "counts": np.int64})

    def read(self, reader: Reader, words: Words) -> LanguageCheck:
        """Count the words of each paragraph that are plain, known and common."""
        counts = self.table(reader)["counts"].take(words.type) * ~words.name
        sums = np.diff(np.append(0, np.cumsum(counts)).take(words.first))
        return LanguageCheck(np.diff(words.first), *(sums // unit % _UNITS[1] for unit in _UNITS))


_UNITS = (1, 1 << 20, 1 << 40)
"""Of plain, known and common words, which are counted in one number: no text has as many words."""


def _are_plain(words: Sequence[str]) -> list[bool]:
    """Return which words have letters alone, or beyond ASCII no digits."""
    return [word.isalpha() if word.isascii() else not any(map(str.isdigit, word)) for word in words]


def measure(
    reader: Reader,
    vocabulary: KnownWords,
    texts: Sequence[str],
    actors: Iterable[str],
    document: Ints,
    min_df: int,
) -> TrainingProfile:
    """Measure the paragraphs of a training corpus, each without what its own document taught.

    A paragraph that stands in several rows counts once; a word is known from ``min_df`` documents.
    """
    rows = np.array(sorted({text: row for row, text in reversed([*enumerate(texts)])}.values()))
    columns = list[tuple[Ints, Ints, Bools]]()  # paragraph and place of each word; if it is plain
    for low in range(0, len(rows), BATCH):
        some = [texts[row] for row in rows[low : low + BATCH].tolist()]
        words = reader.words(normalise_all(some))
        table = vocabulary.table(reader)
        plain = (table["counts"].take(words.type) > 0) & ~words.name
        columns.append((words.para + np.int64(low), table["place"].take(words.type), plain))
    para, place, plain = map(np.concatenate, zip(*columns, strict=True))
    width = len(vocabulary) + 1  # the last place is for unknown words
    pairs = np.unique(document[rows].take(para) * width + place % width)
    elsewhere = np.bincount(pairs % width, minlength=width) - 1  # documents but a word's own
    known = plain & (place >= 0) & (elsewhere.take(place) >= min_df)
    kinds = np.ones(len(para), np.bool_), plain, known, known & vocabulary.common.take(place)
    check = LanguageCheck(*(np.bincount(para[kind], minlength=len(rows)) for kind in kinds))
    enough = check.familiarity()[check.long_enough()]
    many = len(enough) >= LEAST_PARAGRAPHS
    return TrainingProfile(
        unknown=round(1 - float(check.known.sum() / max(check.plain.sum(), 1)), 6),
        familiarity=round(float(np.quantile(enough, LOW)), 6) if many else 0.0,
        rows=len(texts),
        actors={name: n for name, n in sorted(Counter(actors).items()) if n >= FEWEST and name},
    )
