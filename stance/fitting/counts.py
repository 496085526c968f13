"""How often each feature occurs in each pair of a corpus, counted once for every fold."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from stance.arrays import Floats, Floats32, Ints, Keys, slices
from stance.display import shown
from stance.features import separate_events, symbols
from stance.features.events import Events
from stance.features.pairs import Pairs, lay_out
from stance.model.heads import BlockWeights, actor_keys, name_keys, own_keys
from stance.reading.keys import KeyIndex, key_of
from stance.reading.spans import Query
from stance.reading.words import NOBODY, Reader
from stance.recipe import Features

_SEED = 20


@dataclass(frozen=True, slots=True)
class BlockCounts:
    """Occurrences of one block's features; sparse matrices of shape (n_pairs, n_columns)."""

    keys: Keys  # of the features, sorted
    sums: Any  # of the weights of a feature's occurrences in a pair
    squares: Any  # of these weights squared, likewise summed
    column: Ints | None = None  # of each feature, where those that occur alike share one

    @property
    def stretch(self) -> Floats32:
        """How long the features of each column are together, if each alone has the length 1."""
        count = self.sums.shape[1]
        found = np.ones(count) if self.column is None else np.bincount(self.column, None, count)
        return np.sqrt(found).astype(np.float32)

    def columns(self, features: Ints | slice = slice(None)) -> Ints:
        """Return the columns of some features, or of all."""
        every = np.arange(len(self.keys)) if self.column is None else self.column
        found: Ints = every[features]
        return found

    def take(self, rows: Ints) -> "BlockCounts":
        """Return the counts of some pairs."""
        sums = self.sums[rows]
        squares = sums if self.squares is self.sums else self.squares[rows]
        return BlockCounts(self.keys, sums, squares, self.column)

    def values(self, kept: Ints, idf: Floats32, weight: float) -> Any:
        """Return the block's part of the design matrix, with the features kept.

        Each occurrence counts its weight times inverse document frequency; a row is divided by the
        root of the sum of its squared occurrences and multiplied by the block's weight.
        """
        columns = self.columns(kept)
        values, scale = self.sums[:, columns], self._scale(columns, idf, weight)
        kind = values.dtype  # where memory counts it is that of the sums
        values.data *= np.repeat(scale.astype(kind), np.diff(values.indptr))
        values.data *= idf.astype(kind).take(values.indices)
        return values

    def scores(self, block: BlockWeights) -> Floats:
        """Return what a block that was learned adds to the scores of each label."""
        columns = self.columns(np.searchsorted(self.keys, block.keys))
        pushes = (block.idf.astype(np.float64)[:, None] * block.coef).T
        count = self.sums.shape[1]
        found: Floats = self.sums @ np.stack([np.bincount(columns, p, count) for p in pushes], 1)
        found *= self._scale(columns, block.idf, block.weight)[:, None]
        return found

    def _scale(self, columns: Ints, idf: Floats32, weight: float) -> Floats:
        """Return what each row is multiplied by, so that it has the length ``weight``."""
        wide = np.bincount(columns, idf.astype(np.float64) ** 2, self.sums.shape[1])
        squares = self.squares @ wide
        nothing = np.zeros_like(squares)
        found: Floats = np.divide(weight, np.sqrt(squares), out=nothing, where=squares > 0)
        return found


def count_features(
    reader: Reader,
    query: Query,
    recipe: Features,
    *,
    targeted: bool = True,
    kind: type[np.floating[Any]] = np.float64,
    merge: bool = False,
    see: Callable[[Pairs], None] = lambda _: None,
) -> dict[str, BlockCounts]:
    """Count every feature of a recipe's blocks that occurs in ``min_df`` pairs or more.

    ``kind`` is that of the sums; features that occur alike share a column if you ``merge`` them.
    ``see`` is given the pairs of each batch read.
    """
    found = {name: _Occurrences(kind) for name in recipe.blocks}
    for _, pairs in _batches(reader, query, targeted, recipe.per_actor):
        for name, block in found.items():
            for events in separate_events(name, reader, pairs):
                for keys in _keys(reader, pairs, events, recipe.per_actor):
                    block.add(events.row, keys, events.weight)
            block.end_batch(pairs.count)
        see(pairs)
    return {name: found.pop(name).counts(recipe.min_df, merge) for name in recipe.blocks}


class _Growing:
    """An array that grows at its end, without a second copy of it where memory counts."""

    def __init__(self, kind: type[np.generic]) -> None:
        self._values = np.empty(0, kind)
        self._size = 0

    def add(self, values: NDArray[Any]) -> None:
        end = self._size + len(values)
        if end > len(self._values):
            self._values.resize(end + end // 8, refcheck=False)
        self._values[self._size : end] = values
        self._size = end

    def whole(self) -> NDArray[Any]:
        return _cut(self._values, self._size)


def _cut(values: NDArray[Any], size: int) -> NDArray[Any]:
    """Return the first values of an array, which gives back the memory of the others."""
    own: NDArray[Any] = values if values.base is None else values.base
    own.resize(size, refcheck=False)
    return own


class _Occurrences:
    """Occurrences of a block's features, numbered as they come: 8 or 12 bytes of memory each."""

    def __init__(self, kind: type[np.floating[Any]]) -> None:
        self._index = KeyIndex(np.zeros(0, np.uint64))
        self._keys = [np.zeros(0, np.uint64)]
        self._kind = kind
        self._batch: list[tuple[NDArray[Any], ...]] = []
        self._column, self._weight = _Growing(np.int32), _Growing(kind)
        self._sizes = [np.zeros(1, np.int64)]

    def add(self, row: NDArray[Any], keys: Keys, weight: Floats | None) -> None:
        """Add features that occur in rows of the batch, each with the weight 1 if none is given."""
        column = self._index.find(keys)
        new = np.flatnonzero(column < 0)
        if len(new):
            self._keys.append(np.unique(keys[new]))
            self._index.add(self._keys[-1])
            column[new] = self._index.find(keys[new])
        weight = np.ones(len(row), self._kind) if weight is None else weight.astype(self._kind)
        self._batch.append((row.astype(np.int32), column, weight))

    def end_batch(self, rows: int) -> None:
        """Put what was added in the order of the batch's rows."""
        none = np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, self._kind)
        parts = zip(*(self._batch or [none]), strict=True)
        row, column, weight = (np.concatenate(part) for part in parts)
        order = np.argsort(row, kind="stable")
        self._column.add(column.take(order))
        self._weight.add(weight.take(order))
        self._sizes.append(np.bincount(row, minlength=rows))
        self._batch.clear()

    def counts(self, min_df: int, merge: bool) -> BlockCounts:
        """Return the counts of all rows; the occurrences are forgotten."""
        keys, ends = np.concatenate(self._keys), np.cumsum(np.concatenate(self._sizes))
        del self._index
        order = np.argsort(keys)
        place = np.empty(len(keys), np.int32)
        place[order] = np.arange(len(keys), dtype=np.int32)
        column, weight = self._column.whole(), self._weight.whole()
        for part in slices(len(column)):
            column[part] = place.take(column[part])
        shape, plain = (len(ends) - 1, len(keys)), bool((weight == 1).all())
        whole = [sparse.csr_matrix((weight, column, ends), shape)]
        if not plain:
            whole.append(sparse.csr_matrix((weight**2, column.copy(), ends), shape))
        for matrix in whole:
            matrix.sum_duplicates()
        counted = np.zeros(len(keys), np.int64)
        for part in slices(whole[0].nnz):
            counted += np.bincount(whole[0].indices[part], minlength=len(keys))
        kept, shared = np.flatnonzero(counted >= min_df), None
        keys = keys[order][kept]
        if merge:
            first, shared = _alike(whole, kept)
            kept = kept[first]
        narrowed = _narrowed(whole, kept)
        return BlockCounts(keys, narrowed[0], narrowed[-1], shared)


def _alike(matrices: Sequence[Any], kept: Ints) -> tuple[Ints, Ints]:
    """Return where columns differ from all before them, and which of these each equals.

    They are told apart by sums of their values, each times a random number of its row.
    """
    first, last, draw = matrices[0], matrices[-1], np.random.default_rng(_SEED)
    marks, count = np.zeros((2, first.shape[1])), first.shape[0]
    step = 1 + count * len(marks[0]) // max(first.nnz, 1)  # with about as many values as columns
    for low in range(0, count, step):
        for mark, matrix in zip(marks, (first, last), strict=True):
            ends = matrix.indptr[low : low + step + 1]
            part = slice(ends[0], ends[-1])
            values = np.repeat(draw.random(len(ends) - 1), np.diff(ends)) * matrix.data[part]
            mark += np.bincount(matrix.indices[part], values, len(mark))
    pairs = (marks[0] + 1j * marks[1])[kept]
    _, found, group = np.unique(pairs, return_index=True, return_inverse=True)
    order = np.argsort(found)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return found[order], place[group]


def _narrowed(matrices: Sequence[Any], kept: Ints) -> list[Any]:
    """Return some columns of matrices that have entries at the same places, in their memory."""
    first = matrices[0]
    place = np.full(first.shape[1], -1, np.int32)
    place[kept] = np.arange(len(kept), dtype=np.int32)
    indices, data, ends, filled = first.indices, [m.data for m in matrices], first.indptr.copy(), 0
    for part in slices(first.nnz):
        found = place.take(indices[part])
        own = np.flatnonzero(found >= 0)
        into = slice(filled, filled + len(own))
        indices[into] = found.take(own)
        for values in data:
            values[into] = values[part].take(own)
        low, high = np.searchsorted(first.indptr, (part.start, part.stop), side="right")
        ends[low:high] = filled + np.searchsorted(own, first.indptr[low:high] - part.start)
        filled += len(own)
    indices, shape = _cut(indices, filled), (first.shape[0], len(kept))
    return [sparse.csr_matrix((_cut(values, filled), indices, ends), shape) for values in data]


def _batches(
    reader: Reader, query: Query, targeted: bool, own: bool
) -> Iterator[tuple[int, Pairs]]:
    low = 0
    for part in query.batches():
        words, para = part.read(reader)
        actor = part.actor if targeted else np.full(len(part), NOBODY)
        named = name_keys(part.names) if targeted and own else None
        yield low, lay_out(words, para, actor, named)
        low += len(part)


def _keys(reader: Reader, pairs: Pairs, events: Events, own: bool) -> list[Keys]:
    keys = events.keys()
    if not own:
        return [keys]
    return [keys, own_keys(keys, actor_keys(reader.book, pairs)[events.row])]


def showing_rows(counts: Mapping[str, BlockCounts], blocks: Sequence[BlockWeights]) -> Ints:
    """Return rows of some counts in which every feature of some blocks occurs."""
    shown_in = [np.zeros(0, np.int64)]
    for block in blocks:
        own = counts[block.name]
        first = np.zeros(own.sums.shape[1], np.int64)  # entry of each column
        for part in reversed([*slices(own.sums.nnz)]):
            backward = np.arange(part.stop - 1, part.start - 1, -1)
            first[own.sums.indices[backward]] = backward
        entries = first[own.columns(np.searchsorted(own.keys, block.keys))]
        shown_in.append(np.searchsorted(own.sums.indptr, entries, side="right") - 1)
    return np.unique(np.concatenate(shown_in))


def name_features(
    reader: Reader,
    query: Query,
    weights: Sequence[BlockWeights],
    own: bool,
    *,
    targeted: bool,
    tick: Callable[[float], None] = lambda _: None,
) -> dict[str, tuple[str, ...]]:
    """Return the readable name of every feature of some blocks, by reading the corpus again.

    The names of words are kept, so that the next head need not have all of them described anew.
    """
    if reader.forms.names is None:
        reader.forms.names = symbols(reader)
        reader.forms.clear()
    reader.forms.names |= {key_of("actor:" + n): shown(n) for n in set(query.names)}
    found = {block.name: _Terms(block.keys) for block in weights}
    for low, pairs in _batches(reader, query, targeted, own):
        copies = (), query.names[low:] or [""] * pairs.count
        for name, terms in found.items():
            for events in separate_events(name, reader, pairs):
                for keys, whose in zip(_keys(reader, pairs, events, own), copies, strict=False):
                    terms.add(events, keys, reader.forms.names, whose)
        tick(pairs.count)
    return {name: tuple(terms.found) for name, terms in found.items()}


class _Terms:
    """The names of a block's features, each from where it is first met."""

    def __init__(self, keys: Keys) -> None:
        self.found = [""] * len(keys)
        self._index = KeyIndex(keys)
        self._lacks = np.append(np.ones(len(keys), np.bool_), False)  # the last is for unknown ones

    def add(
        self, events: Events, keys: Keys, names: Mapping[int, str], actors: Sequence[str]
    ) -> None:
        """Name features that lack a name, as copies of their actors' own if these are given."""
        columns = self._index.find(keys)
        at = np.flatnonzero(self._lacks.take(columns))
        columns, first = np.unique(columns.take(at), return_index=True)
        self._lacks[columns] = False
        at = at.take(first)
        terms = events.terms(at, names)
        if actors:
            whose = [shown(actors[row]) for row in events.row.take(at).tolist()]
            terms = [f"{term} @ {actor}" for term, actor in zip(terms, whose, strict=True)]
        for number, term in zip(columns.tolist(), terms, strict=True):
            self.found[number] = term
