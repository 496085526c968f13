"""A linear classifier over feature blocks: weights in, scores and probabilities out."""

from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.arrays import Bools, Floats, Floats32, Ints, Keys
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

COPY_KEY = key_of("copy")

AT = ("row", "word")
"""Where an event is: its pair, and the word that it is attributed to."""


def actor_keys(book: ActorBook, actor: Ints) -> Keys:
    """Return the key of each actor, for features that exist once per actor."""
    keys = np.array([key_of("actor:" + name) for name in (*book.names, "")], np.uint64)
    return keys[actor]


def own_keys(keys: Keys, actor: Keys) -> Keys:
    """Return the keys of the actor's own copies of features."""
    return join_keys(COPY_KEY, keys, actor)


@dataclass(frozen=True, slots=True)
class BlockWeights:
    """What a head learned about one feature block.

    Attributes
    ----------
    name : str
        Key of `stance.features.BLOCKS`.
    weight : float
        Weight of the block after its values have been brought to unit length.
    keys : ndarray of uint64 of shape (n_features,)
        Sorted.
    idf : ndarray of float32 of shape (n_features,)
    coef : ndarray of float32 of shape (n_features, n_labels)
    terms : tuple of str
        Readable names of the features.
    """

    name: str
    weight: float
    keys: Keys
    idf: Floats32
    coef: Floats32
    terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Occurrences of one block's features in the pairs of a batch.

    Attributes
    ----------
    row, word : ndarray
        See `stance.features.events.Events`.
    column : ndarray
        Number of the feature, -1 where it is unknown.
    values : ndarray of shape (n_occurrences, n_labels + 1)
        What it adds to the scores before scaling, and to the squared length of its row.
    """

    row: Ints
    word: Ints
    column: Ints
    values: Floats

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
        idf = block.idf.astype(np.float64)[:, None]
        # One row per feature after one of zeros, for the number -1 of unknown ones.
        table = np.hstack([idf * block.coef, idf**2])
        self._table = np.vstack([np.zeros((1, table.shape[1])), table])
        self._leads = _leads(self._table)
        self._rows: dict[Codebook | JointBook, Ints] = {}
        self._rows_of_forms: dict[FormBook, tuple[int, Ints]] = {}

    def occurrences(self, reader: Reader, pairs: Pairs) -> Occurrences:
        """Find the block's features in a batch, each by itself."""
        events = separate_events(self.block.name, reader, pairs)
        rows = self._rows_of(events)
        if self.own:
            rows += self._own_rows(reader, pairs, events)
            events = events + events
        found = _joined(rows, np.int64)
        values = self._table.take(found, axis=0)
        weight = _weights(events)
        if weight is not None:
            values *= weight[:, None]
            values[:, -1] *= weight
        row = _joined([e.row for e in events], np.int64)
        return Occurrences(row, _joined([e.word for e in events], np.int64), found - 1, values)

    def _own_rows(self, reader: Reader, pairs: Pairs, events: list[Events]) -> list[Ints]:
        actors = actor_keys(reader.book, pairs.actor)
        return [self._find(own_keys(e.keys(), actors[e.row])) for e in events]

    def _find(self, keys: Keys) -> Ints:
        """Return the row of each feature in the table; the first row stands for unknown ones."""
        return self._index.find(keys) + np.int64(1)

    def _rows_of(self, events: list[Events]) -> list[Ints]:
        """Return for each occurrence its row in the table."""
        tables = [e.table() for e in events if e.book is None]
        found, ends = self._find(_joined(tables, np.uint64)), accumulate(map(len, tables))
        open_ = (found[end - len(table) : end] for table, end in zip(tables, ends, strict=True))
        rows = []
        for e in events:
            table = next(open_) if e.book is None else self._rows_of_book(e.book)
            row = e.spread_out(table)
            rows.append(row if e.present is None else row * e.present)
        return rows

    def _rows_of_book(self, book: Codebook | JointBook | FormBook) -> Ints:
        """Return for each number of a book its row in the table."""
        if isinstance(book, FormBook):
            return self._rows_of_form_book(book)
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

    def _rows_of_form_book(self, book: FormBook) -> Ints:
        """Return the same of a book that grows; only what is new in it is looked up."""
        generation, rows = self._rows_of_forms.get(book, (book.generation, _NO_ROWS))
        if generation != book.generation:
            rows = _NO_ROWS
        if len(rows) < len(book.keys):
            rows = np.concatenate([rows, self._find(book.keys[len(rows) :])])
        self._rows_of_forms[book] = (book.generation, rows)
        return rows

    def scores(
        self, reader: Reader, pairs: Pairs, pushes: Pushes | None = None
    ) -> tuple[Floats, Bools]:
        """Return the block's share of `Head.scores`, and which pairs have a known plain word.

        Where `pushes` are given, what the words push is added to them.
        """
        if self.own:
            events = separate_events(self.block.name, reader, pairs)
            found = self._rows_of(events) + self._own_rows(reader, pairs, events)
            events = events + events
        else:
            events = BLOCKS[self.block.name](reader, pairs)
            found = self._rows_of(events)
        known = np.zeros(pairs.count, np.bool_)
        if self.block.name in LEXICAL:
            plain = pairs.words.who == NOBODY
            for e, place in zip(events, found, strict=True):
                starts = row_starts(e.row, pairs)
                known[e.row.take(starts)] |= any_known(place, plain, e.word, starts)
        total = row_sums(events, found, self._leads, pairs)
        scale = self.scale(total[:, -1])
        if pushes is not None:
            row, word = (_joined([getattr(e, at) for e in events], np.int64) for at in AT)
            lean = net_push(_with_first(self._leads[:, :-1])).take(_joined(found, np.int64))
            weight = _weights(events)
            pushes.add(row, word, lean * scale.take(row) * (1.0 if weight is None else weight))
        return _with_first(total[:, :-1] * scale[:, None]), known

    def scale(self, squares: Floats) -> Floats:
        """Return what each row's values are multiplied by, from their sum of squares."""
        length = np.sqrt(squares)
        scale: Floats = np.divide(
            self.block.weight, length, out=np.zeros_like(length), where=length > 0
        )
        return scale


_NO_ROWS = np.zeros(0, np.int64)


def _leads(table: Floats) -> Floats:
    """Return the table with scores less that of the first label, which then needs no column."""
    leads = table[:, 1:].copy(order="F")
    leads[:, :-1] -= table[:, :1]
    return leads


def _with_first(leads: Floats) -> Floats:
    """Return scores from what the other labels lead the first one by."""
    return np.vstack([np.zeros(len(leads)), leads.T]).T


def _weights(events: list[Events]) -> Floats | None:
    """Return the weights of all occurrences, None where all are 1."""
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
    labels : tuple of str
    targeted : bool
        Whether it judges an actor, or the paragraph as a whole.
    blocks : tuple of BlockWeights
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
    scorers: tuple[BlockScorer, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        scorers = tuple(BlockScorer(block, self.own) for block in self.blocks)
        object.__setattr__(self, "scorers", scorers)

    def scores(
        self, reader: Reader, pairs: Pairs, pushes: Pushes | None = None
    ) -> tuple[Floats, Bools]:
        """Return scores of shape (n_pairs, n_labels), and for which pairs anything is known.

        They are less that of the first label: a softmax depends on the differences alone.
        Where `pushes` are given, what the words push is added to them.
        """
        # One row after the other per label: sums and maxima over the labels are faster so.
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
