"""What heads learn from: counted features, weighed by how rare they are among some rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import sparse

from stance.arrays import Bools, Floats32, Ints, Keys
from stance.fitting.counts import BlockCounts
from stance.fitting.logistic import Vectored
from stance.fitting.vectors import Vectors
from stance.recipe import Features

_CHUNK = 4096  # rows whose vectors are summed at a time
_ROWS = 1 << 15  # whose features' documents are counted at a time


DesignBlock = tuple[str, float, Keys, Floats32]  # name, weight, features and their idf


@dataclass(frozen=True, slots=True)
class Design:
    """What a head learns from: values of features that occur in enough documents."""

    x: Any
    blocks: Sequence[DesignBlock]
    vectored: Sequence[Vectored]


def make_design(
    counts: dict[str, BlockCounts], features: Features, vectors: Vectors | None, group: Ints
) -> Design:
    """Return the design matrix of all rows of some counts, whose documents are ``group``."""
    parts, kept_by_block, vectored = [], [], []
    for name, weight in features.blocks.items():
        own = counts[name]
        whole = Frequency.of(own, np.ones(len(group), np.float32), group).idf(features.min_df)
        whole = whole[own.columns()]
        kept = np.flatnonzero(whole)
        idf, keys = whole[kept], own.keys[kept]
        values = own.values(kept, idf, weight)
        parts.append(values.astype(np.float64, copy=False))
        kept_by_block.append((name, weight, keys, idf))
        if vectors is not None and features.vectors.get(name):
            found = vectors.of_features(name, keys)
            squares = sum(
                ((values[low : low + _CHUNK] @ found) ** 2).sum()
                for low in range(0, len(group), _CHUNK)
            )
            # So that a row of them is as long on average as the recipe says.
            scale = features.vectors[name] / np.sqrt(squares / len(group))
            low = sum(len(own) for _, _, own, _ in kept_by_block[:-1])
            vectored.append(Vectored(low, found * scale))
    return Design(sparse.hstack(parts, format="csr"), kept_by_block, vectored)


@dataclass(frozen=True, slots=True)
class Part:
    """A block of a design: counts, and what weighs them."""

    sums: Any  # sparse, of shape (n_rows, n_columns)
    idf: Floats32  # (n_columns,), 0 where the rows that are learned from lack the feature
    scale: Floats32  # (n_rows,)

    def take(self, columns: Bools) -> "Part":
        """Return the part with some of its columns."""
        return Part(self.sums[:, np.flatnonzero(columns)], self.idf[columns], self.scale)


def make_part(counts: BlockCounts, weight: float, frequency: "Frequency", min_df: int) -> Part:
    """Weigh a block by what is learned from.

    Features that share a column are learned as one, which is as long as all of them.
    """
    idf = frequency.idf(min_df) * counts.stretch
    squares = counts.squares @ idf**2
    scale = np.divide(weight, np.sqrt(squares), out=np.zeros_like(squares), where=squares > 0)
    return Part(counts.sums, idf, scale)


@dataclass(frozen=True, slots=True)
class Frequency:
    """In how many pairs and documents features of a block occur, and of how many."""

    pairs: Floats32  # (n_columns,); exact below 2**24 rows
    documents: Floats32  # (n_columns,)
    all_pairs: float
    all_documents: int

    @classmethod
    def of(cls, counts: BlockCounts, pairs: Floats32, group: Ints) -> "Frequency":
        """Count.

        ``pairs``, of shape (n_rows,), is how many pairs of each row are learned from, 0 for none;
        ``group`` is the document of each row.
        """
        known = np.flatnonzero(pairs)
        order = np.argsort(group[known], kind="stable")
        known = known[order]
        ordered = np.cumsum(np.diff(group[known], prepend=group[known[:1]]) > 0)
        df, held = np.zeros((2, counts.sums.shape[1]), np.float32)
        cuts = np.unique(np.searchsorted(ordered, ordered[::_ROWS]))
        for low, high in pairwise([*cuts.tolist(), len(known)]):  # no document is cut
            rows, own = known[low:high], ordered[low:high] - ordered[low]
            occurs = counts.sums[rows].astype(np.float32)
            occurs.data[:] = 1
            df += occurs.T @ pairs[rows]
            # Several rows of a document count once.
            ones = np.ones(len(own), np.float32)
            whole = sparse.csr_matrix((ones, (own, np.arange(len(own))))) @ occurs
            whole.data[:] = 1
            held += whole.T @ np.ones(whole.shape[0], np.float32)
        return cls(df, held, float(pairs.sum(dtype=np.float64)), int(ordered[-1]) + 1)

    def without(self, other: "Frequency") -> "Frequency":
        """Return what is left without other documents that were counted, too."""
        return Frequency(
            self.pairs - other.pairs,
            self.documents - other.documents,
            self.all_pairs - other.all_pairs,
            self.all_documents - other.all_documents,
        )

    def idf(self, min_df: int) -> Floats32:
        """Return smoothed idf of each column, as scikit-learn's TfidfTransformer has it.

        It is 0 for a feature in fewer than ``min_df`` of the documents.
        """
        least = np.clip(self.all_documents, 1, min_df)  # a fold may be one document
        idf = np.log((1 + self.all_pairs) / (1 + self.pairs.astype(np.float64))) + 1
        return np.where(self.documents >= least, idf, 0).astype(np.float32)
