"""A linear classifier over feature blocks: weights in, scores and probabilities out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.arrays import AT_A_TIME, Bools, Floats, Floats32, Ints, Keys, slices
from stance.features import BLOCKS, LEXICAL, separate_events
from stance.features.events import (
    Codebook,
    Events,
    FormBook,
    JointBook,
    any_known,
    row_starts,
    row_sums,
)
from stance.features.pairs import Pairs
from stance.model.reasons import Pushes, net_push
from stance.reading.actors import ActorBook
from stance.reading.keys import KeyIndex, join_keys, key_of
from stance.reading.words import NOBODY, Reader

NEVER = -1e5
"""Intercept of a label that no training row has: its probability is 0 in any paragraph."""

REMEMBERED = 1_000_000
"""Features of spellings whose rows are kept for the next paragraphs: more are those of one book."""

_COPY = key_of("copy")
_NO_ROWS = np.zeros(0, np.int64)


def name_keys(names: Sequence[str]) -> Keys:
    """Return the key of each actor's name, for features that exist once per actor."""
    keys = {name: key_of("actor:" + name) for name in set(names)}
    return np.array([keys[name] for name in names], np.uint64)


def actor_keys(book: ActorBook, pairs: Pairs) -> Keys:
    """Return the key of each pair's actor."""
    if pairs.named is not None:
        return pairs.named
    return name_keys((*book.names, ""))[pairs.actor]


def own_keys(keys: Keys, actor: Keys) -> Keys:
    """Return the keys of the actor's own copies of features."""
    return join_keys(_COPY, keys, actor)


@dataclass(frozen=True, slots=True)
class BlockWeights:
    """What a head learned about one feature block."""

    name: str  # a key of `stance.features.BLOCKS`
    weight: float  # of the block, once its values have unit length
    keys: Keys  # of shape (n_features,), sorted
    idf: Floats32  # of shape (n_features,)
    coef: Floats32  # of shape (n_features, n_labels)
    terms: Sequence[str] = ()  # readable names of the features; empty if not saved


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Occurrences of one block's features in the pairs of a batch."""

    row: Ints  # as in `stance.features.events.Events`
    word: Ints
    column: Ints  # number of the feature; -1 if unknown
    values: Floats  # what each adds to the scores before scaling, and last to the squared length

    def sums(self, count: int) -> Floats:
        """Add the values of each row; a row's sum does not depend on the other rows."""
        columns = [np.bincount(self.row, values, count) for values in self.values.T]
        return np.stack(columns, axis=1)


class BlockScorer:
    """Scores the occurrences of one block's features."""

    def __init__(self, block: BlockWeights, own: bool) -> None:
        self.block = block
        self.own = own
        self._index = KeyIndex(block.keys)
        # How far the other labels lead the first one, so that it needs no column, and the square.
        values = self._values()
        self._leads = np.zeros((len(values) + 1, values.shape[1] - 1), order="F")
        np.subtract(values[:, 1:-1], values[:, :1], out=self._leads[1:, :-1])
        self._leads[1:, -1] = values[:, -1]
        self._rows: dict[Codebook | JointBook | FormBook, Ints] = {}
        self._rows_of_forms: dict[FormBook, tuple[int, Ints]] = {}

    def _values(self) -> Floats:
        """Return what each feature adds to the scores, and last to the squared length."""
        idf = self.block.idf.astype(np.float64)[:, None]
        return np.hstack([idf * self.block.coef, idf**2])

    @cached_property
    def _table(self) -> Floats:
        """A row per feature after one of zeros, for the number -1 of unknown ones."""
        values = self._values()
        return np.vstack([np.zeros((1, values.shape[1])), values])

    def occurrences(self, reader: Reader, pairs: Pairs) -> Occurrences:
        """Find the block's features in a batch, each by itself."""
        events = separate_events(self.block.name, reader, pairs)
        events, rows = self._look_up(events, reader, pairs)
        found = _spread_out(events, rows)
        values = self._table.take(found, axis=0)
        if (weight := _weights(events)) is not None:
            values *= weight[:, None]
            values[:, -1] *= weight
        row, word = _places(events)
        return Occurrences(row, word, found - 1, values)

    def scores(
        self, reader: Reader, pairs: Pairs, pushes: Pushes | None = None
    ) -> tuple[Floats, Bools]:
        """Return the block's share of `Head.scores`, and which pairs have a known plain word."""
        name = self.block.name
        events = separate_events(name, reader, pairs) if self.own else BLOCKS[name](reader, pairs)
        if pushes is not None:
            events = [e.by_pair() for e in events]
        events, found = self._look_up(events, reader, pairs)
        known = np.zeros(pairs.count, np.bool_)
        if name in LEXICAL:
            plain = pairs.words.who == NOBODY
            for e, place in zip(events, found, strict=True):
                starts = row_starts(e.row, pairs)
                known |= e.by_row(any_known(e, place, plain, starts), starts, pairs)
        total = row_sums(events, found, self._leads, pairs)
        scale = self.scale(total[:, -1])
        if pushes is not None:
            pushes.add(self._pushed(events, found, scale))
        return _with_first(total[:, :-1] * scale[:, None]), known

    def _pushed(
        self, events: list[Events], found: list[Ints], scale: Floats
    ) -> Iterator[tuple[NDArray[Any], NDArray[Any], Floats]]:
        """Yield pair and word of some occurrences after others, and how far they push."""
        push = net_push(_with_first(self._leads[:, :-1]))
        for e, rows in zip(events, found, strict=True):
            place = e.spread_out(rows)
            for part in slices(len(place)):
                row = e.row[part]
                values = push.take(place[part]) * scale.take(row)
                if e.weight is not None:
                    values *= e.weight[part]
                yield row, e.word[part], values

    def _look_up(
        self, events: list[Events], reader: Reader, pairs: Pairs
    ) -> tuple[list[Events], list[Ints]]:
        """Return the occurrences, twice if actors have copies of their own, and their rows.

        The rows in the table are those of each entry of ``code``.
        """
        rows = self._rows_of(events)
        if not self.own:
            return events, rows
        actors = actor_keys(reader.book, pairs)
        each = [replace(e, spread=None, own=None) for e in events]
        rows += [self._find(own_keys(e.keys(), actors[e.row])) for e in events]
        return events + each, rows

    def _find(self, keys: Keys) -> Ints:
        """Return the row of each feature in the table; the first row is for unknown ones."""
        return self._index.find(keys) + np.int64(1)

    def _find_each(self, tables: list[Keys]) -> list[Ints]:
        """Return the rows of the features of some tables, whose memory they may take."""
        sizes = [*map(len, tables)]
        if sum(sizes) <= AT_A_TIME:  # at once, which is faster
            found, ends = self._find(_joined(tables, np.uint64)), accumulate(sizes)
            return [found[end - size : end] for size, end in zip(sizes, ends, strict=True)]
        for keys in tables:
            for part in slices(len(keys)):
                keys.view(np.int64)[part] = self._find(keys[part])
        return [keys.view(np.int64) for keys in tables]

    def _rows_of(self, events: list[Events]) -> list[Ints]:
        """Return the row in the table of each entry of ``code``."""
        open_ = iter(self._find_each([e.table() for e in events if e.book is None]))
        rows = []
        for e in events:
            if isinstance(e.book, FormBook) and e.code is not None:
                row = self._rows_in_forms(e.book, e.code)
            else:
                row = e.coded(next(open_) if e.book is None else self._rows_of_book(e.book))
            rows.append(row if e.present is None else row * e.present)
        return rows

    def _rows_in_forms(self, book: FormBook, code: NDArray[Any]) -> Ints:
        """Return the row in the table of some numbers of a book that grows."""
        if len(book) > REMEMBERED:
            found = np.empty(len(code), np.int64)
            for part in slices(len(code)):
                found[part] = self._find(book.keys_of(code[part]))
            return found
        generation, rows = self._rows_of_forms.get(book, (book.generation, _NO_ROWS))
        rows = rows if generation == book.generation else _NO_ROWS
        if len(rows) < len(book):  # only what is new is looked up
            rows = np.append(rows, self._find(book.keys_of(np.arange(len(rows), len(book)))))
            self._rows_of_forms[book] = (book.generation, rows)
        return rows.take(code)

    def _rows_of_book(self, book: Codebook | JointBook | FormBook) -> Ints:
        """Return the row in the table of each number of a book."""
        if book not in self._rows and isinstance(book, JointBook):
            members = zip(book.books, book.codes, strict=True)
            sums = sum(
                self._leads.take(self._find(own.keys), axis=0).take(codes, axis=0)
                for own, codes in members
            )
            first = len(self._leads)
            self._leads = np.asfortranarray(np.vstack([self._leads, sums]))
            self._rows[book] = np.arange(first, len(self._leads))
        elif isinstance(book, Codebook) and book not in self._rows:
            self._rows[book] = self._find(book.keys)
        return self._rows[book]

    def scale(self, squares: Floats) -> Floats:
        """Return what each row's values are multiplied by, from their sum of squares."""
        length = np.sqrt(squares)
        scale: Floats = np.divide(
            self.block.weight, length, out=np.zeros_like(length), where=length > 0
        )
        return scale


def _with_first(leads: Floats) -> Floats:
    """Return scores, given how far the other labels lead the first one."""
    return np.vstack([np.zeros(len(leads)), leads.T]).T


def _places(events: list[Events]) -> tuple[Ints, Ints]:
    """Return the pair of each occurrence, and the word that it is attributed to."""
    return _joined([e.row for e in events], np.int64), _joined([e.word for e in events], np.int64)


def _spread_out(events: list[Events], found: list[Ints]) -> Ints:
    """Return the row in the table of each occurrence."""
    return _joined([e.spread_out(row) for e, row in zip(events, found, strict=True)], np.int64)


def _weights(events: list[Events]) -> Floats | None:
    """Return the weights of all occurrences; None if all are 1."""
    if all(e.weight is None for e in events):
        return None
    return _joined([np.ones(len(e.row)) if e.weight is None else e.weight for e in events], float)


def _joined(parts: list[NDArray[Any]], dtype: type) -> NDArray[Any]:
    """Return the parts as one array; a single one is not copied."""
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else np.zeros(0, dtype)


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
        Whether every feature has a copy per actor.
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

    @property
    def silent(self) -> tuple[str, ...]:
        """Labels that it never answers, since no training row has them."""
        pairs = zip(self.labels, self.intercept.tolist(), strict=True)
        return tuple(label for label, constant in pairs if constant <= NEVER / 2)

    def scores(
        self, reader: Reader, pairs: Pairs, pushes: Pushes | None = None
    ) -> tuple[Floats, Bools]:
        """Return scores of shape (n_pairs, n_labels), and for which pairs anything is known.

        The score of the first label is subtracted: a softmax depends on the differences alone.
        If `pushes` are given, what the words push is added to them.
        """
        # Label after label in memory, because sums and maxima over the labels are faster so.
        total = np.tile((self.intercept - self.intercept[0])[:, None], pairs.count).T
        known = np.zeros(pairs.count, np.bool_)
        for scorer in self.scorers:
            scores, lexical = scorer.scores(reader, pairs, pushes)
            total += scores
            known |= lexical
        return total, known

    def probabilities(self, scores: Floats) -> Floats:
        """Return the softmax of scores at the head's temperature."""
        return softmax(scores / self.temperature)


def softmax(scores: Floats) -> Floats:
    """Return exp(scores), each row divided by its sum."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    normal: Floats = powers / powers.sum(axis=1, keepdims=True)
    return normal
