"""How often each feature occurs in each pair of a corpus, counted once for every fold."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from stance.arrays import Floats, Floats32, Ints, Ints32, Keys
from stance.display import shown
from stance.features import BLOCKS, Occurrences, key_strings
from stance.features.pairs import Pairs, lay_out
from stance.model.heads import BlockWeights, actor_keys, name_keys, own_keys
from stance.reading.keys import KeyIndex
from stance.reading.spans import Query
from stance.reading.words import NOBODY, Reader
from stance.recipe import Features


@dataclass(frozen=True, slots=True)
class BlockCounts:
    """Occurrences of one block's features, in sparse matrices of shape (n_pairs, n_features).

    Both are of 32 bits and share their indices.
    """

    keys: Keys  # of the features, sorted
    sums: Any  # of the weights of a feature's occurrences in a pair
    squares: Any  # of these weights squared, likewise summed; the sums if all weights are 1

    def take(self, rows: Ints) -> "BlockCounts":
        """Return the counts of some pairs."""
        sums = self.sums[rows]
        if self.squares is self.sums:
            return BlockCounts(self.keys, sums, sums)
        return BlockCounts(self.keys, sums, _with_data(sums, self.squares[rows].data))

    def idf(self, group: Ints, min_df: int, topic: Ints | None = None) -> Floats32:
        """Return smoothed idf of each feature, as scikit-learn's TfidfTransformer has it.

        It is 0 for a feature in fewer than ``min_df`` of the documents, which are the ``group`` of
        each pair. Where features are each of one ``topic``, only pairs of that topic count.
        """
        names, document = np.unique(group, return_inverse=True)
        occurs = _with_data(self.sums, np.ones(self.sums.nnz, np.float32))
        pairs = np.bincount(occurs.indices, minlength=occurs.shape[1])
        ones = np.ones(len(group), np.float32), (document, np.arange(len(group)))
        held = sparse.csr_matrix(ones, (len(names), len(group))) @ occurs
        documents = np.bincount(held.indices, minlength=occurs.shape[1])
        rows: int | Ints = len(group)
        if topic is not None:
            rows = np.zeros(occurs.shape[1], np.int64)
            rows[occurs.indices] = np.repeat(np.bincount(topic)[topic], np.diff(occurs.indptr))
        idf = np.log((1 + rows) / (1 + pairs)) + 1
        least = min(len(names), min_df)  # a fold may be one document
        return np.where(documents >= max(1, least), idf, 0).astype(np.float32)

    def values(self, kept: Ints, idf: Floats32, weight: float) -> Any:
        """Return the block's part of the design matrix, with the features kept.

        Each occurrence counts its weight times inverse document frequency; a row is divided by the
        root of the sum of its squared occurrences and multiplied by the block's weight.
        """
        values = self.sums[:, kept].astype(np.float64)
        values.data *= idf.take(values.indices)
        values.data *= np.repeat(self._scale(kept, idf, weight), np.diff(values.indptr))
        return values

    def scores(self, block: BlockWeights) -> Floats:
        """Return what a block that was learned adds to the scores of each label."""
        kept = np.searchsorted(self.keys, block.keys)
        pushes = np.zeros((len(self.keys), block.coef.shape[1]))
        pushes[kept] = block.idf.astype(np.float64)[:, None] * block.coef
        found: Floats = self.sums @ pushes
        found *= self._scale(kept, block.idf, block.weight)[:, None]
        return found

    def _scale(self, kept: Ints, idf: Floats32, weight: float) -> Floats:
        """Return what each row is multiplied by, so that it has the length ``weight``."""
        wide = np.zeros(len(self.keys))
        wide[kept] = idf.astype(np.float64) ** 2
        squares = self.squares @ wide
        nothing = np.zeros_like(squares)
        scale: Floats = np.divide(weight, np.sqrt(squares), out=nothing, where=squares > 0)
        return scale


def count_features(
    reader: Reader,
    query: Query,
    recipe: Features,
    *,
    targeted: bool = True,
    see: Callable[[Pairs], None] = lambda _: None,
) -> dict[str, BlockCounts]:
    """Count every feature of a recipe's blocks that occurs in ``min_df`` pairs or more.

    ``see`` is given the pairs of each batch read.
    """
    blocks = {name: _Counter() for name in recipe.blocks}
    for _, pairs in _batches(reader, query, targeted, bool(recipe.per_actor)):
        for name, block in blocks.items():
            for found in map(Occurrences.flat, BLOCKS[name](reader, pairs)):
                for keys in _keys(reader, pairs, found, recipe.per_actor):
                    block.add(found.pair, keys, found.weight)
            block.end_batch(pairs.count)
        see(pairs)
    return {name: blocks.pop(name).counts(recipe.min_df) for name in recipe.blocks}


class _Counter:
    """Occurrences of a block's features in pairs, numbered as they come."""

    def __init__(self) -> None:
        self._index = KeyIndex(np.zeros(0, np.uint64))
        self._keys = [np.zeros(0, np.uint64)]
        none = np.zeros(0, np.int32)
        self._batch: list[tuple[NDArray[Any], ...]] = [(none, none, np.zeros(0))]
        self._batches: list[tuple[Any, Any]] = []  # sums of weights and of their squares

    def add(self, row: NDArray[Any], keys: Keys, weight: Floats | None) -> None:
        """Add features that occur in rows of the batch, each with the weight 1 if none is given."""
        column = self._index.find(keys)
        new = np.flatnonzero(column < 0)
        if len(new):
            self._keys.append(np.unique(keys[new]))
            self._index.add(self._keys[-1])
            column[new] = self._index.find(keys[new])
        weight = np.ones(len(row)) if weight is None else weight
        self._batch.append((row.astype(np.int32), column.astype(np.int32), weight))

    def end_batch(self, rows: int) -> None:
        """Sum what was added by row and feature."""
        row, column, weight = (np.concatenate(part) for part in zip(*self._batch, strict=True))
        shape = rows, sum(map(len, self._keys))
        sums = sparse.csr_matrix((weight, (row, column)), shape).astype(np.float32)
        squares = sums
        if (weight != 1).any() or sums.nnz < len(weight):
            squares = sparse.csr_matrix((weight**2, (row, column)), shape).astype(np.float32)
            squares = _with_data(sums, squares.data)
        self._batches.append((sums, squares))
        del self._batch[1:]

    def counts(self, min_df: int) -> BlockCounts:
        """Return the counts of all rows; the occurrences are forgotten."""
        keys = np.concatenate(self._keys)
        order = np.argsort(keys)
        pairs = np.zeros(len(keys), np.int64)
        for sums, _ in self._batches:
            pairs[: sums.shape[1]] += np.bincount(sums.indices, minlength=sums.shape[1])
        kept = order[pairs[order] >= min_df]
        place = np.full(len(keys), -1, np.int32)
        place[kept] = np.arange(len(kept))
        plain = all(sums is squares for sums, squares in self._batches)
        size, squares = int(pairs[kept].sum()), list[NDArray[Any]]()

        def narrowed() -> Iterator[Any]:
            while self._batches:  # each is forgotten when it is stacked
                batch = self._batches.pop(0)
                if not plain:
                    squares.append(_narrowed(batch[1], place, len(kept)).data)
                yield _narrowed(batch[0], place, len(kept))

        sums = stack_rows(narrowed(), size, len(kept), np.float32)
        both = sums if plain else _with_data(sums, np.concatenate(squares))
        return BlockCounts(keys[kept], sums, both)


def stack_rows(parts: Iterable[Any], size: int, columns: int, dtype: Any) -> Any:
    """Stack sparse matrices with ``size`` entries in all, holding one of them at a time."""
    indices, data = np.zeros(size, np.int32), np.zeros(size, dtype)
    low, ends = 0, [np.zeros(1, np.int64)]
    for part in parts:
        indices[low : low + part.nnz], data[low : low + part.nnz] = part.indices, part.data
        ends.append(low + part.indptr[1:].astype(np.int64))
        low += part.nnz
    rows = np.concatenate(ends)
    return sparse.csr_matrix((data, indices, rows), (len(rows) - 1, columns))


def _narrowed(counts: Any, place: Ints32, size: int) -> Any:
    """Return counts with their columns in other places, without those that have none."""
    entries = counts.tocoo()
    column = place[entries.col]
    known = column >= 0
    both = entries.row[known], column[known]
    return sparse.csr_matrix((entries.data[known], both), (counts.shape[0], size))


def _with_data(counts: Any, data: Any) -> Any:
    """Return a matrix with entries at the same places."""
    return sparse.csr_matrix((data, counts.indices, counts.indptr), counts.shape)


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


def _keys(reader: Reader, pairs: Pairs, found: Occurrences, own: bool | str) -> list[Keys]:
    keys = found.keys()
    if not own:
        return [keys]
    copies = own_keys(keys, actor_keys(reader.book, pairs)[found.pair])
    return [copies] if own == "separate" else [keys, copies]


def showing_rows(counts: Mapping[str, BlockCounts], blocks: Sequence[BlockWeights]) -> Ints:
    """Return rows of some counts in which every feature of some blocks occurs."""
    shown_in = [np.zeros(0, np.int64)]
    for block in blocks:
        own = counts[block.name]
        columns, entries = np.unique(own.sums.indices, return_index=True)
        entry = np.zeros(len(own.keys), np.int64)
        entry[columns] = entries
        first = entry[np.searchsorted(own.keys, block.keys)]
        shown_in.append(np.searchsorted(own.sums.indptr, first, side="right") - 1)
    return np.unique(np.concatenate(shown_in))


def name_features(
    reader: Reader,
    query: Query,
    weights: Sequence[BlockWeights],
    own: bool,
    *,
    targeted: bool,
) -> dict[str, tuple[str, ...]]:
    """Return the readable name of every feature of some blocks, by reading the corpus again."""
    terms = {block.name: [""] * len(block.keys) for block in weights}
    index = {block.name: KeyIndex(block.keys) for block in weights}
    for low, pairs in _batches(reader, query, targeted, own):
        strings = key_strings(reader, [*map(shown, query.names[low : low + pairs.count])])
        actors = query.names[low:] or [""] * pairs.count
        for name, names in terms.items():
            if all(names):
                continue  # the deep reader takes its time
            for found in map(Occurrences.flat, BLOCKS[name](reader, pairs)):
                for copy, keys in enumerate(_keys(reader, pairs, found, own)):
                    columns, at = np.unique(index[name].find(keys), return_index=True)
                    new = [
                        n
                        for n, column in enumerate(columns.tolist())
                        if column >= 0 and not names[column]
                    ]
                    for n, term in zip(new, found.names(at[new], strings), strict=True):
                        whose = f" @ {shown(actors[int(found.pair[at[n]])])}" if copy else ""
                        short = "short " if name.startswith("short_") else ""
                        names[columns[n]] = short + term + whose
    return {name: tuple(names) for name, names in terms.items()}
