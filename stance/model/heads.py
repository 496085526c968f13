"""A linear classifier over feature blocks: weights in, scores and probabilities out."""

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial, reduce

import numpy as np

from stance.arrays import Bools, Floats, Floats32, Ints, Keys
from stance.features import Pairs, lay_out, run_starts
from stance.features.blocks import BLOCKS, LEXICAL
from stance.features.occurrences import Occurrences, Vocabulary
from stance.reading.keys import KeyIndex
from stance.reading.words import NOBODY, Reader, Words
from stance.records import Recomputing

ENTRIES = 1_000_000
"""Words of pairs that are laid out at a time, in some 20 MB of working space.

Without this limit, a paragraph as long as a book that names every actor would take gigabytes.
"""

NEVER = -1e5  # intercept of a label that no training row has, whose probability is always 0

Columns = list[Floats]
"""By label but the first, how far each feature leads the first; then the square of its idf."""


@dataclass(frozen=True, eq=False)
class BlockWeights(Recomputing):
    """What a head learned about one feature block."""

    name: str  # a key of `stance.features.BLOCKS`
    weight: float  # of the block, once its values have unit length
    keys: Keys  # of shape (n_features,), sorted
    idf: Floats32  # of shape (n_features,)
    coef: Floats32  # of shape (n_features, n_labels)
    terms: Sequence[str] = ()  # readable names of the features; empty if not saved

    @cached_property
    def index(self) -> KeyIndex:
        """Numbers the keys; not made for a head that is never asked."""
        return KeyIndex(self.keys)

    @cached_property
    def _all(self) -> Columns:
        idf = self.idf.astype(np.float64)
        first, *others = (idf * pushes for pushes in self.coef.T)
        # The last entry of each column is for unknown features.
        return [np.append(column, 0.0) for column in (*(o - first for o in others), idf**2)]

    def _find(self, reader: Reader, pairs: Pairs) -> Iterator[tuple[Occurrences, Columns]]:
        """Yield the block's features in a batch by pair, numbered as in the columns beside."""
        for one in BLOCKS[self.name](reader, pairs):
            if one.vocabulary is not None and pairs.named is None:
                yield one, self.lookup(reader, one.vocabulary)
                continue
            one = one.flat()
            rows = self.index.find(one.keys(pairs.named))
            known = np.flatnonzero(rows >= 0)  # few of an open set
            pair = one.pair.take(known).astype(np.min_scalar_type(pairs.count))  # is sorted faster
            known = known[np.argsort(pair, kind="stable")]
            weight = None if one.weight is None else one.weight.take(known)
            places = one.pair.take(known), one.word.take(known), rows.take(known)
            yield Occurrences(*places, weight), self._all

    def lookup(self, reader: Reader, vocabulary: Vocabulary) -> Columns:
        """Return what is known of a vocabulary by now; each of its features is looked up once."""
        columns: Columns = [np.zeros(0)] * self.coef.shape[1]
        columns, known = reader.made.get((self, vocabulary), (columns, 0))
        if known < (size := len(vocabulary)):
            if len(columns[0]) < size:  # with room for more, or each batch would copy all
                columns = [np.resize(column, 2 * size) for column in columns]
            rows = self.index.find(vocabulary.keys(np.arange(known, size)))
            for column, values in zip(columns, self._all, strict=True):
                column[known:size] = values.take(rows)
            reader.made[self, vocabulary] = columns, size
        return columns

    def scores(
        self, reader: Reader, pairs: Pairs, known: Bools, tell: Callable[..., None] | None = None
    ) -> Floats:
        """Return the block's share of `Head.scores`; mark pairs with a known plain word."""
        total = np.zeros((len(self._all), pairs.count))
        asked = self.name in LEXICAL and not known.all()
        plain = pairs.words.who == NOBODY if asked else None
        occurrences = [*self._find(reader, pairs)]
        for one, columns in occurrences:
            rows = pairs.count if one.shared is None else int(one.shared[-1]) + 1
            sums, seen = np.zeros((len(total), rows)), np.zeros(rows, np.bool_)
            starts = run_starts(one.pair)
            first, last = one.pair.take(starts), len(columns) - 1
            number = one.number.astype(np.intp, copy=False)  # once, not for each column
            for row, column in enumerate(columns):
                values = column.take(number)
                if values.ndim > 1:  # added one by one: what `sum` returns depends on the shape
                    values = reduce(operator.add, values)
                if one.weight is not None:
                    values *= one.weight if row < last else one.weight**2
                sums[row, first] = np.add.reduceat(values, starts)
            if plain is not None:
                lexical = (values > 0) & plain.take(one.word)  # squares of known words
                seen[first] = np.logical_or.reduceat(lexical, starts)
            total += sums if one.shared is None else sums.take(one.shared, axis=1)
            known |= seen if one.shared is None else seen.take(one.shared)
        length = np.sqrt(total[-1])
        scale = np.divide(self.weight, length, out=np.zeros_like(length), where=length > 0)
        if tell is not None:
            for one, columns in occurrences:
                one = one.by_pair()
                weight = scale.take(one.pair) * (1.0 if one.weight is None else one.weight)
                tell(self, one, columns, weight)
        return total[:-1] * scale


@dataclass(frozen=True, eq=False)
class Head:
    """A linear classifier over feature blocks.

    Scores are divided by the temperature before the softmax (Guo et al. 2017, "On Calibration of
    Modern Neural Networks").
    """

    labels: tuple[str, ...]
    targeted: bool  # whether it judges an actor, or the paragraph as a whole
    blocks: tuple[BlockWeights, ...]
    intercept: Floats  # of shape (n_labels,), with the recipe's constant offset on neutral
    temperature: float
    per_actor: bool = False  # whether every actor has features of its own

    @property
    def silent(self) -> tuple[str, ...]:
        """Labels that it never answers, since no training row has them."""
        pairs = zip(self.labels, self.intercept.tolist(), strict=True)
        return tuple(label for label, constant in pairs if constant <= NEVER / 2)

    def scores(
        self, reader: Reader, pairs: Pairs, tell: Callable[..., None] | None = None
    ) -> tuple[Floats, Bools]:
        """Return scores of shape (n_pairs, n_labels), and for which pairs anything is known.

        The score of the first label is subtracted: a softmax depends on the differences alone.
        """
        total = np.tile((self.intercept - self.intercept[0])[:, None], pairs.count)
        known = np.zeros(pairs.count, np.bool_)
        for block in self.blocks:
            total[1:] += block.scores(reader, pairs, known, tell)
        return total.T, known

    def judge(
        self, reader: Reader, words: Words, para: Ints | None = None, actor: Ints | None = None,
        topics: Keys | None = None, add: Callable[..., None] | None = None,
    ) -> tuple[Floats, Bools]:  # fmt: skip
        """Return the probabilities of pairs, or of whole paragraphs, and where anything is known.

        `ENTRIES` words and a pair are laid out at a time. ``add`` is told how many pairs came
        before, the block, what occurs, and by what the values in its columns are multiplied.
        """
        if para is None or actor is None:
            para, actor = np.arange(len(words)), np.full(len(words), NOBODY)
        begun = np.cumsum(np.diff(words.first).take(para)) // ENTRIES
        cuts = [0, *(np.flatnonzero(np.diff(begun)) + 1).tolist(), len(para)]
        parts = []
        for part in map(slice, cuts, cuts[1:]):
            named = None if topics is None else topics[part]
            pairs = lay_out(words, para[part], actor[part], named)
            parts.append(self.scores(reader, pairs, add and partial(add, part.start)))
            del pairs  # before the next ones are laid out
        scores, known = map(np.concatenate, zip(*parts, strict=True))
        return self.probabilities(scores), known

    def probabilities(self, scores: Floats) -> Floats:
        """Return the softmax of scores at the head's temperature."""
        return softmax(scores / self.temperature)


def softmax(scores: Floats) -> Floats:
    """Return exp(scores), each row divided by its sum."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
