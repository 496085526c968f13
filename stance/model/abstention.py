"""Where a model gives no answer: in another language, or where it is not certain enough.

A paragraph's *familiarity* is the mean of two shares of its plain words (no mentions, names or
numbers): those that the model knows, and those that are common in the training texts. The threshold
comes from the training paragraphs, each read without what its own document taught; a short
paragraph has half of it. It is the oldest way to tell languages apart (Ingle 1976, "A language
identification table"; Grefenstette 1995, "Comparing two language identification schemes").

Where the user asks that at most a share of the answers is wrong, an answer is given if its
probability, the confidence, reaches the threshold of its class. The thresholds come from the
held-out answers of the cross-validation, by "Learn then Test" (Angelopoulos, Bates, Candès, Jordan
and Lei 2021, "Learn then Test: Calibrating predictive algorithms to achieve risk control"):

- For each class and each threshold of a fixed grid, the hypothesis "of the answers of this class
  from this confidence on, more than RATE are wrong" is tested.
- Documents are independent of each other, rows of one document are not. So one row is drawn from
  each document that has an answer there; the number of wrong ones is binomial, and the exact lower
  tail (Clopper and Pearson 1934) is the p-value. It holds for any dependence within documents.
- The classes share the remaining risk (Bonferroni). Within a class the thresholds are tested from
  high to low, until the first that is not rejected; that may begin again at a few starts that share
  the class's risk ("fallback", Wiens 2003, "A fixed sequence Bonferroni procedure for testing
  multiple endpoints"). The lowest threshold whose hypothesis is rejected is taken.

So with probability `CONFIDENCE`, over the draw of the calibration documents, at most RATE of the
answers of each class are wrong, and thus at most RATE of all. This does not cover texts unlike the
corpus, nor a corpus that names no documents. A document counts once: if those with more answers
have more errors, more of all rows are wrong. That the final model errs no more than those of the
cross-validation is plausible, not proven. Sentiment is never withheld here.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from stance.arrays import Bools, Floats, Floats32, Ints, Ints32
from stance.display import listed, shown
from stance.errors import DataError, UsageError
from stance.features.blocks import stem_features
from stance.features.occurrences import Stems
from stance.model.heads import BlockWeights, Head
from stance.reading.actors import BATCH
from stance.reading.text import normalise_all
from stance.reading.words import Reader, Words
from stance.records import Stance

# --- Paragraphs in another language, actors that were not trained on ---

FEW_ACTORS, NEARLY_ALL = 5, 0.9
"""Actors below which a model may know little of others, if such a share of its rows is on them."""

LEAST_WORDS, LEAST_PLAIN = 15, 6  # words, and plain ones, of a paragraph that is not short
LEAST_SHORT, SHORT = 4, 0.5  # plain words of a shorter one, and its share of the threshold
COMMON_IDF = 1 - math.log(0.03)  # of a word in 3 % of the training rows, the least of a common one
LOW = 0.01  # quantile of the training paragraphs' familiarity on which the threshold is based
MARGIN = 0.75  # times the quantile is the threshold: other topics bring new words, too
LEAST_PARAGRAPHS = 50  # training paragraphs of enough words that a threshold needs
FEWEST = 20  # training rows from which an actor counts as one that the model was trained on


@dataclass(frozen=True, slots=True)
class TrainingProfile:
    """Numbers of the training paragraphs, as they stand in a model's card."""

    unknown: float  # share of plain words in too few other documents to be known, 0 to 1
    familiarity: float  # low quantile, 0 to 1; 0 if there were too few paragraphs
    rows: int
    actors: Mapping[str, int]  # training rows of each actor that has `FEWEST` or more

    def unseen(self, names: Iterable[str]) -> str:
        """Return a warning about actors, if the model has learned from few and not from these."""
        most = sum(self.actors.values()) >= NEARLY_ALL * self.rows
        few = most and 0 < len(self.actors) < FEW_ACTORS
        if not (few and (others := sorted({*names} - {*self.actors, ""}))):
            return ""
        known = f"nearly all training rows of this model are about {', '.join(self.actors)}"
        unknown = shown(listed(others, 3, "actor"), 200)
        return f"{known}; label some about {unknown} before you trust its answers about them"


class LanguageCheck(NamedTuple):
    """How many words of each paragraph a model knows; arrays of shape (n_paragraphs,)."""

    length: Ints  # words; a mention is one
    plain: Ints
    known: Ints  # of the plain words
    common: Ints  # of the plain words

    def familiarity(self) -> Floats:
        """Return the mean of the known and the common share; 1 if there is no plain word."""
        share = (self.known + self.common) / np.maximum(2 * self.plain, 1)
        return np.where(self.plain, share, 1.0)

    def long_enough(self) -> Bools:
        """Return which paragraphs have enough words for the whole threshold."""
        return (self.length >= LEAST_WORDS) & (self.plain >= LEAST_PLAIN)

    def foreign(self, profile: TrainingProfile) -> Bools:
        """Return which paragraphs are in a language that the model was not trained on."""
        low = MARGIN * profile.familiarity * np.where(self.long_enough(), 1.0, SHORT)
        return (self.plain >= LEAST_SHORT) & (self.familiarity() < low)


_NO_STEMS = BlockWeights(
    "stem", 0.0, np.zeros(0, np.uint64), np.zeros(0, np.float32), np.zeros((0, 3), np.float32)
)


def _stems_of(head: Head) -> BlockWeights:
    """Return what a head has learned about stems, maybe nothing."""
    return next((block for block in head.blocks if block.name == "stem"), _NO_STEMS)


def _plain(words: Words) -> Bools:
    return words.types["plain"].take(words.type) & ~words.name


def check_language(reader: Reader, head: Head, words: Words) -> LanguageCheck:
    """Count the words of each paragraph that are plain, known to a head and common."""
    plain, stems = _plain(words), reader.once(Stems, "stem", reader)
    *_, squares = _stems_of(head).lookup(reader, stems)  # of the idf; 0 if unknown
    square = squares.take(Stems.FIRST + 2 * words.types["stem"].take(words.type))
    known = plain & (square > 0)
    kinds = plain, known, known & (square <= COMMON_IDF**2)
    before = (np.searchsorted(np.flatnonzero(kind), words.first) for kind in kinds)
    return LanguageCheck(np.diff(words.first), *map(np.diff, before))


def measure(
    reader: Reader, head: Head, texts: Sequence[str], actors: Iterable[str], document: Ints,
    min_df: int,
) -> TrainingProfile:  # fmt: skip
    """Measure the paragraphs of a training corpus, each without what its own document taught.

    A paragraph that stands in several rows counts once; a word is known from ``min_df`` documents.
    """
    rows = np.array(sorted({text: row for row, text in reversed([*enumerate(texts)])}.values()))
    stems = _stems_of(head)
    columns = list[tuple[Ints, Ints32, Bools]]()  # paragraph and place of each word; if it is plain
    for low in range(0, len(rows), BATCH):
        some = [texts[row] for row in rows[low : low + BATCH].tolist()]
        words = reader.words(normalise_all(some))
        keys = stem_features("stem", reader.stems["key"].take(words.types["stem"].take(words.type)))
        columns.append((words.para + np.int64(low), stems.index.find(keys), _plain(words)))
    para, place, plain = map(np.concatenate, zip(*columns, strict=True))
    common = np.append(stems.idf.astype(np.float64) <= COMMON_IDF, False)
    width = len(common)  # the last place is for unknown words
    pairs = np.unique(document[rows].take(para) * width + place % width)
    elsewhere = np.bincount(pairs % width, minlength=width) - 1  # documents but a word's own
    known = plain & (place >= 0) & (elsewhere.take(place) >= min_df)
    kinds = np.ones(len(para), np.bool_), plain, known, known & common.take(place)
    check = LanguageCheck(*(np.bincount(para[kind], minlength=len(rows)) for kind in kinds))
    enough = check.familiarity()[check.long_enough()]
    many = len(enough) >= LEAST_PARAGRAPHS
    return TrainingProfile(
        unknown=round(1 - float(check.known.sum() / max(check.plain.sum(), 1)), 6),
        familiarity=round(float(np.quantile(enough, LOW)), 6) if many else 0.0,
        rows=len(texts),
        actors={name: n for name, n in sorted(Counter(actors).items()) if n >= FEWEST and name},
    )


# --- Answers that are not certain enough ---

CONFIDENCE = 0.9  # probability with which the share of wrong answers is at most the rate
# Thresholds that are tested, in this order. They must not depend on the calibration data.
GRID = (0.97, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5, 0.4, 0.0)
NEVER = math.inf  # threshold of a class that is never answered
STARTS = (0.97, 0.9, 0.8, 0.65)  # thresholds at which the sequence of tests may begin anew
_LEVEL = (1 - CONFIDENCE) / len(Stance) / len(STARTS)  # level that each start brings


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Held-out stance answers, one per row, in random order."""

    confidence: Floats32  # probability of the predicted class
    predicted: Ints32  # number of the class, in the order of `stance.records.Stance`
    correct: Bools
    document: Ints32  # rows of one document depend on each other


def calibrate(probabilities: Floats, gold: Ints, document: Ints, seed: int) -> Calibration:
    """Keep held-out answers to rows whose text names the actor, in a random order by the seed.

    The other rows get no answer, and would make neutral answers look more certain than they are.
    """
    order = np.random.default_rng(seed).permutation(len(gold))
    predicted = probabilities.argmax(axis=1)
    return Calibration(
        confidence=probabilities.max(axis=1)[order].astype(np.float32),
        predicted=predicted[order].astype(np.int32),
        correct=(predicted == gold)[order],
        document=document[order].astype(np.int32),
    )


def thresholds(calibration: Calibration, rate: float | None) -> tuple[float, ...]:
    """Return the confidence from which each class is answered; nothing for a rate of None.

    The rate is the greatest share of wrong answers, from 0 to 1. A class that it allows no answer
    has the threshold `NEVER`. Raises `DataError` if that is so of all classes.
    """
    if rate is None:
        return ()
    if not 0 <= rate <= 1:
        raise UsageError(f"--abstain must be between 0 and 1, not {rate}")
    lowest = tuple(_lowest_threshold(calibration, label, rate) for label in range(len(Stance)))
    if min(lowest) == NEVER:
        why = "the model's calibration does not support this rate for any stance; "
        why += "ask for a higher one, or train on more documents"
        raise DataError(f"--abstain {rate:g}: {why}")
    return lowest


def _lowest_threshold(calibration: Calibration, label: int, rate: float) -> float:
    """Return the lowest threshold of a class whose hypothesis is rejected."""
    from scipy.special import bdtr  # P(X <= wrong) of a binomial X; takes a while to import

    if rate in (0, 1):  # "more than all are wrong" is false whatever was seen
        return GRID[-1] if rate else NEVER
    mine = calibration.predicted == label
    confidence, document = calibration.confidence[mine], calibration.document[mine]
    correct, level, lowest = calibration.correct[mine], 0.0, NEVER
    for threshold in GRID:
        given = confidence >= np.float32(threshold)
        # Rows stand in random order, so the first of a document is one drawn from it.
        drawn = np.unique(document[given], return_index=True)[1]
        wrong = int(np.count_nonzero(~correct[given][drawn]))
        level += _LEVEL if threshold in STARTS else 0.0
        if level and bdtr(wrong, len(drawn), rate) <= level:
            lowest = threshold
        else:
            level = 0.0  # what was handed down is lost; the next start begins anew
    return lowest
