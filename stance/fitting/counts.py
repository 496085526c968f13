"""How often each feature occurs in each pair of a corpus, counted once for every fold."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from stance.arrays import Bools, Floats, Floats32, Ints, Keys
from stance.display import shown
from stance.features import Pairs, lay_out
from stance.features.blocks import BLOCKS, stem_features
from stance.features.occurrences import Occurrences, key_strings, name_keys
from stance.model.heads import Head
from stance.reading.keys import KeyIndex
from stance.reading.words import NOBODY, Query, Reader
from stance.recipe import Features

ALL = slice(None)


class BlockCounts(NamedTuple):
    """Occurrences of one block's features, in sparse 32-bit matrices (n_pairs, n_features)."""

    keys: Keys  # of the features, sorted
    sums: Any  # of the weights of a feature's occurrences in a pair
    squares: Any  # of these weights squared; the same matrix where each of them is 1

    def take(self, rows: Ints | slice = ALL, features: Ints | slice = ALL) -> "BlockCounts":
        """Return the counts of some features in some pairs."""
        sums = self.sums[rows][:, features]
        even = self.squares is self.sums
        squares = sums if even else self.squares[rows][:, features]
        return BlockCounts(self.keys[features], sums, squares)

    def idf(self, group: Ints, min_df: int, topic: Ints | None = None) -> Floats32:
        """Return smoothed idf of each feature, as scikit-learn's TfidfTransformer has it.

        It is 0 for a feature in fewer than ``min_df`` of the documents, which are the ``group`` of
        each pair. Where features are each of one ``topic``, only pairs of that topic count.
        """
        names, document = np.unique(group, return_inverse=True)
        places = self.sums.indices, self.sums.indptr
        occurs = sparse.csr_matrix((np.ones(self.sums.nnz, np.float32), *places), self.sums.shape)
        pairs = np.bincount(occurs.indices, minlength=len(self.keys))
        ones = np.ones(len(group), np.float32), (document, np.arange(len(group)))
        by_document = sparse.csr_matrix(ones, (len(names), len(group))) @ occurs
        documents = np.bincount(by_document.indices, minlength=len(self.keys))
        rows: int | Ints = len(group)
        if topic is not None:
            rows = np.zeros(len(self.keys), np.int64)
            rows[occurs.indices] = np.repeat(np.bincount(topic)[topic], np.diff(occurs.indptr))
        idf = np.log((1 + rows) / (1 + pairs)) + 1
        least = min(len(names), min_df)  # a fold may be one document
        return np.where(documents >= max(1, least), idf, 0).astype(np.float32)

    def values(self, idf: Floats32, weight: float) -> Any:
        """Return the block's part of the design matrix.

        Each occurrence counts its weight times inverse document frequency; a row is divided by the
        root of the sum of its squared occurrences and multiplied by the block's weight.
        """
        values = self.sums.astype(np.float64)
        values.data *= idf.take(values.indices)
        values.data *= np.repeat(self.scale(idf, weight), np.diff(values.indptr))
        return values

    def scale(self, idf: Floats32, weight: float) -> Floats:
        """Return what each row is multiplied by, so that it has the length ``weight``."""
        squares = self.squares @ idf.astype(np.float64) ** 2
        nothing = np.zeros_like(squares)
        return np.divide(weight, np.sqrt(squares), out=nothing, where=squares > 0)


class Vectors(NamedTuple):
    """A vector per stem, learned from texts without labels: words of like use have like vectors."""

    stems: Keys
    values: Floats32  # (n_stems, n_dimensions)

    def of_features(self, block: str, keys: Keys, values: Any, length: float) -> Any:
        """Return the vector of each feature of a block, zero for what is no known stem.

        Rows of the block's part of a design matrix have vectors of this length, on average.
        """
        place = KeyIndex(stem_features(block, self.stems)).find(keys)
        known = np.where(place[:, None] >= 0, self.values.astype(np.float64)[place], 0.0)
        mean = np.sqrt(((values @ known) ** 2).sum() / values.shape[0])
        return sparse.csr_matrix(known * (length / mean))


def count_features(
    reader: Reader, query: Query, recipe: Features, *, targeted: bool = True
) -> tuple[dict[str, BlockCounts], Bools]:
    """Count features of ``min_df`` pairs or more; also say which texts name the actor."""
    blocks, named = {name: list[BlockCounts]() for name in recipe.blocks}, list[Bools]()
    for _, pairs in _batches(reader, query, targeted, bool(recipe.per_actor)):
        for name, batches in blocks.items():
            batches.append(_counted(pairs, BLOCKS[name](reader, pairs)))
        named.append(pairs.mentioned())
    counts = {name: _joined(blocks.pop(name), recipe.min_df) for name in recipe.blocks}
    return counts, np.concatenate(named)


def _counted(pairs: Pairs, occurrences: Sequence[Occurrences]) -> BlockCounts:
    """Sum the features of a batch by pair."""
    parts, even = [(np.zeros(0, np.int64), np.zeros(0, np.uint64), np.zeros(0))], True
    for one in map(Occurrences.flat, occurrences):
        even &= one.weight is None
        weight = np.ones(len(one.pair)) if one.weight is None else one.weight
        parts.append((one.pair, one.keys(pairs.named), weight))
    row, keys, weight = map(np.concatenate, zip(*parts, strict=True))
    names, column = np.unique(keys, return_inverse=True)
    sums, *squares = (
        sparse.csr_matrix((values, (row, column)), (pairs.count, len(names))).astype(np.float32)
        for values in ((weight,) if even else (weight, weight**2))
    )
    return BlockCounts(names, sums, *squares or [sums])


def _joined(batches: Sequence[BlockCounts], min_df: int) -> BlockCounts:
    """Return the counts of all rows, of features that occur in ``min_df`` of them or more."""
    keys = np.unique(np.concatenate([one.keys for one in batches]))
    columns = [np.searchsorted(keys, one.keys) for one in batches]

    def stacked(parts: Iterable[Any]) -> Any:
        placed = (
            sparse.csr_matrix((p.data, column.take(p.indices), p.indptr), (p.shape[0], len(keys)))
            for p, column in zip(parts, columns, strict=True)
        )
        return sparse.vstack([*placed], "csr")

    sums = stacked(one.sums for one in batches)
    even = all(one.squares is one.sums for one in batches)
    joined = BlockCounts(keys, sums, sums if even else stacked(one.squares for one in batches))
    rows = np.bincount(sums.indices, minlength=len(keys))
    return joined.take(features=np.flatnonzero(rows >= min_df))


def _batches(
    reader: Reader, query: Query, targeted: bool, per_actor: bool
) -> Iterator[tuple[Sequence[str], Pairs]]:
    """Read the pairs, some at a time, with the names of their actors."""
    for part in query.batches():
        words, para = part.read(reader)
        actor = part.actor if targeted else np.full(len(part), NOBODY)
        named = name_keys(part.names) if targeted and per_actor else None
        yield part.names, lay_out(words, para, actor, named)


def score_rows(head: Head, counts: Mapping[str, BlockCounts], rows: Ints) -> Floats:
    """Score rows of the counts as `Head.scores` does."""
    total = np.tile(head.intercept, (len(rows), 1))
    for block in head.blocks:
        features = np.searchsorted(counts[block.name].keys, block.keys)
        part, idf = counts[block.name].take(rows, features), block.idf.astype(np.float64)
        scores = part.sums @ (idf[:, None] * block.coef)
        total += scores * part.scale(block.idf, block.weight)[:, None]
    return total


def with_terms(head: Head, reader: Reader, query: Query) -> Head:
    """Return a head with the readable names of its features, by reading the rows again."""
    terms = {block.name: np.full(len(block.keys), "", object) for block in head.blocks}
    for actors, pairs in _batches(reader, query, head.targeted, head.per_actor):
        strings = key_strings(reader, [*map(shown, actors)])
        for block in head.blocks:
            name, names = block.name, terms[block.name]
            if all(names):
                continue  # the deep reader takes its time
            for one in map(Occurrences.flat, BLOCKS[name](reader, pairs)):
                places = block.index.find(one.keys(pairs.named))
                column, rows = np.unique(places, return_index=True)
                new = (column >= 0) & (names[column] == "")
                column, rows = column[new], rows[new]
                for n, place, term in zip(column, rows, one.names(rows, strings), strict=True):
                    whose = f" @ {shown(actors[int(one.pair[place])])}" if head.per_actor else ""
                    names[n] = term + whose
    blocks = (replace(block, terms=tuple(terms[block.name])) for block in head.blocks)
    return replace(head, blocks=tuple(blocks))
