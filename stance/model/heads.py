"""A linear classifier over feature blocks: weights in, scores and probabilities out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import add
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from stance.arrays import Bools, Floats, Floats32, Ints, Keys
from stance.features.blocks import BLOCKS, LEXICAL
from stance.features.occurrences import Occurrences, Vocabulary
from stance.features import Pairs, run_starts
from stance.reading.keys import KeyIndex, join_keys, key_of
from stance.reading.words import NOBODY, Reader
from stance.records import FAVOR

Push = Callable[[Ints, Ints, Floats], None]  # told pairs, words and how far these push

NEVER = -1e5
"""Intercept of a label that no training row has: its probability is 0 in any paragraph."""

_COPY = key_of("copy")


def name_keys(names: Sequence[str]) -> Keys:
    """Return the key of each actor's name, for features that exist once per actor."""
    keys = {name: key_of("actor:" + name) for name in set(names)}
    return np.array([keys[name] for name in names], np.uint64)


def own_keys(one: Occurrences, pairs: Pairs) -> Keys:
    """Return the keys of flat occurrences as features of each pair's actor alone."""
    return join_keys(_COPY, one.keys(), pairs.named[one.pair])  # type: ignore[index]


@dataclass(frozen=True, slots=True)
class BlockWeights:
    """What a head learned about one feature block."""

    name: str  # a key of `stance.features.BLOCKS`
    weight: float  # of the block, once its values have unit length
    keys: Keys  # of shape (n_features,), sorted
    idf: Floats32  # of shape (n_features,)
    coef: Floats32  # of shape (n_features, n_labels)
    terms: Sequence[str] = ()  # readable names of the features; empty if not saved


@dataclass(slots=True)
class _Lookup:
    """What a block knows of each feature of a vocabulary, of which the first ``size`` are in it."""

    rows: Ints  # number of the feature in the block plus 1, 0 if it is unknown
    values: Floats  # of shape (n_labels, n_features): leads of the other labels, then the square
    size: int = 0


class BlockScorer:
    """Scores the occurrences of one block's features."""

    def __init__(self, block: BlockWeights, own: bool) -> None:
        self.block = block
        self.own = own
        self._index = KeyIndex(block.keys)
        idf = block.idf.astype(np.float64)
        first, *others = (idf * pushes for pushes in block.coef.T)
        # How far the other labels lead the first one, so that it needs no column; then the square.
        leads = [*(other - first for other in others), idf**2]
        # Column by column, of which the first entry is for unknown features.
        table = np.zeros((len(leads), len(idf) + 1))
        table[:, 1:] = leads
        self._all = _Lookup(np.arange(table.shape[1]), table)
        self._lookups: WeakKeyDictionary[Vocabulary, _Lookup] = WeakKeyDictionary()

    def find(self, reader: Reader, pairs: Pairs) -> Iterator[tuple[Occurrences, _Lookup]]:
        """Yield the block's features in a batch, numbered by their places in the lookup beside."""
        for one in BLOCKS[self.block.name](reader, pairs):
            if self.own:
                single = one.flat()
                yield self._known(single, own_keys(single, pairs))
            elif one.vocabulary is None:
                yield self._known(one, one.number)
            else:
                yield one, self._of_vocabulary(one.vocabulary)

    def _known(self, one: Occurrences, keys: Keys) -> tuple[Occurrences, _Lookup]:
        """Return the occurrences whose keys are known: of an open set, few are."""
        rows = self._index.find(keys) + np.int64(1)
        known = np.flatnonzero(rows)
        weight = None if one.weight is None else one.weight.take(known)
        return Occurrences(
            one.pair.take(known), one.word.take(known), rows.take(known), weight
        ), self._all

    def _of_vocabulary(self, vocabulary: Vocabulary) -> _Lookup:
        """Return what is known of a vocabulary by now; each of its features is looked up once."""
        known, size = self._lookups.get(vocabulary), len(vocabulary)
        if known is None or size > len(known.rows):
            # With room for as many more, or each batch would copy all.
            shape = len(self._all.values), 2 * size
            wider = _Lookup(np.zeros(2 * size, np.int64), np.zeros(shape))
            if known is not None:
                wider.rows[: known.size] = known.rows[: known.size]
                wider.values[:, : known.size] = known.values[:, : known.size]
                wider.size = known.size
            self._lookups[vocabulary] = known = wider
        if known.size < size:
            new = np.s_[known.size : size]
            rows = self._index.find(vocabulary.keys(np.arange(known.size, size))) + np.int64(1)
            known.rows[new], known.values[:, new] = rows, self._all.values.take(rows, axis=1)
            known.size = size
        return known

    def scores(
        self, reader: Reader, pairs: Pairs, push: Push | None = None
    ) -> tuple[Floats, Bools]:
        """Return the block's share of `Head.scores`, and which pairs have a known plain word.

        The shares are of shape (n_labels - 1, n_pairs). A pair's sum does not depend on the other
        pairs.
        """
        total = np.zeros((len(self._all.values), pairs.count))
        known, pushed = np.zeros(pairs.count, np.bool_), list[tuple[Ints, Ints, Floats]]()
        plain = pairs.words.who == NOBODY if self.block.name in LEXICAL else None
        for one, lookup in self.find(reader, pairs):
            joined = one.vocabulary is not None  # so pairs never decrease
            starts = run_starts(one.pair)
            first = one.pair.take(starts)
            for row, column in enumerate(lookup.values):
                square, values = row == len(total) - 1, column.take(one.number)
                if values.ndim > 1:
                    values = reduce(add, values)  # one by one: that of `sum` depends on the shape
                if square and plain is not None and len(starts):
                    lexical = (values > 0) & plain.take(one.word)
                    if joined:
                        known[first] |= np.logical_or.reduceat(lexical, starts)
                    else:
                        known[one.pair[lexical]] = True
                if one.weight is not None:
                    values *= one.weight**2 if square else one.weight
                if row == FAVOR - 1 and push is not None:  # less that toward the first label
                    pushed.append((one.pair, one.word, values))
                if not joined:
                    total[row] += np.bincount(one.pair, values, pairs.count)
                elif len(starts):  # faster
                    total[row, first] += np.add.reduceat(values, starts)
        scale = self.scale(total[-1])
        if push is not None:
            for pair, word, values in pushed:
                push(pair, word, values * scale.take(pair))
        return total[:-1] * scale, known

    def scale(self, squares: Floats) -> Floats:
        """Return what each pair's values are multiplied by, so that they have the block's weight.

        ``squares`` is the sum of the squares of its single occurrences.
        """
        length = np.sqrt(squares)
        nothing = np.zeros_like(length)
        scale: Floats = np.divide(self.block.weight, length, out=nothing, where=length > 0)
        return scale


@dataclass(frozen=True)
class Head:
    """A linear classifier over feature blocks.

    Attributes
    ----------
    targeted : bool
        Whether it judges an actor, or the paragraph as a whole.
    intercept : ndarray of float64 of shape (n_labels,)
        With the recipe's constant offset on neutral.
    temperature : float
        Scores are divided by it before the softmax (Guo et al. 2017, "On Calibration of Modern
        Neural Networks").
    own : bool
        Whether every actor has features of its own.
    """

    labels: tuple[str, ...]
    targeted: bool
    blocks: tuple[BlockWeights, ...]
    intercept: Floats
    temperature: float
    own: bool = False

    @cached_property
    def scorers(self) -> tuple[BlockScorer, ...]:
        """A scorer per block; not made for a head that is never asked."""
        return tuple(BlockScorer(block, self.own) for block in self.blocks)

    def __getstate__(self) -> dict[str, Any]:
        # Scorers know spellings that another process has not met; a copy makes its own.
        return {name: value for name, value in self.__dict__.items() if name != "scorers"}

    @property
    def silent(self) -> tuple[str, ...]:
        """Labels that it never answers, since no training row has them."""
        pairs = zip(self.labels, self.intercept.tolist(), strict=True)
        return tuple(label for label, constant in pairs if constant <= NEVER / 2)

    def scores(
        self, reader: Reader, pairs: Pairs, push: Push | None = None
    ) -> tuple[Floats, Bools]:
        """Return scores of shape (n_pairs, n_labels), and for which pairs anything is known.

        The score of the first label is subtracted: a softmax depends on the differences alone.
        ``push`` is called with what the words push.
        """
        total = np.tile((self.intercept - self.intercept[0])[:, None], pairs.count)
        known = np.zeros(pairs.count, np.bool_)
        for scorer in self.scorers:
            leads, lexical = scorer.scores(reader, pairs, push)
            total[1:] += leads
            known |= lexical
        return total.T, known

    def probabilities(self, scores: Floats) -> Floats:
        """Return the softmax of scores at the head's temperature."""
        return softmax(scores / self.temperature)


def softmax(scores: Floats) -> Floats:
    """Return exp(scores), each row divided by its sum."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    normal: Floats = powers / powers.sum(axis=1, keepdims=True)
    return normal
