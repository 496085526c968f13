"""Withholds answers, so that at most a chosen share of those given is wrong.

An answer is given if its probability, the confidence, reaches the threshold of its class. The
thresholds come from held-out answers of the cross-validation, which the model carries as numbers,
by "Learn then Test" (Angelopoulos, Bates, Candès, Jordan and Lei 2021, "Learn then Test:
Calibrating predictive algorithms to achieve risk control"; for selective classification before
that Geifman and El-Yaniv 2017, "Selective classification for deep neural networks"):

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
answers of each class are wrong, and thus at most RATE of all. What this does not cover:

- Other sources, genres, years, languages or actors: there the answers can be wrong more often.
- If the corpus names no documents, texts of one article are wrongly taken for independent.
- A document counts once. If those with more answers have more errors, the share over all rows is
  larger than that over documents.
- That the final model errs no more than those of the cross-validation, which answered here, is
  plausible, not proven.
- "Wrong" means unlike the corpus's labels. Sentiment is not calibrated, and never withheld here.
"""

import math
from dataclasses import dataclass

import numpy as np

from stance.arrays import Bools, Floats, Floats32, Ints, Ints32
from stance.errors import AbstentionError, UsageError
from stance.records import Stance

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
    has the threshold `NEVER`. Raises `AbstentionError` if that is so of all classes.
    """
    if rate is None:
        return ()
    if not 0 <= rate <= 1:
        raise UsageError(f"--abstain must be between 0 and 1, not {rate}")
    lowest = tuple(_lowest_threshold(calibration, label, rate) for label in range(len(Stance)))
    if min(lowest) == NEVER:
        raise AbstentionError(
            f"--abstain {rate:g}: the model's calibration does not support this rate for any "
            "stance; ask for a higher one, or train on more documents"
        )
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
