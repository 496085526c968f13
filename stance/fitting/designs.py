"""What heads learn from: counted features, weighed by how rare they are among some rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from stance.arrays import Bools, Floats32, Ints, Keys
from stance.fitting.counts import BlockCounts
from stance.fitting.logistic import Vectored
from stance.fitting.vectors import Vectors
from stance.recipe import Features

_CHUNK = 4096  # rows whose vectors are summed at a time


@dataclass(frozen=True, slots=True)
class Design:
    """What a head learns from: values of features that occur in enough documents."""

    x: Any
    blocks: Sequence[tuple[str, float, Keys, Floats32]]  # name, weight, features and their idf
    vectored: Sequence[Vectored]


def make_design(
    counts: dict[str, BlockCounts], features: Features, vectors: Vectors | None, group: Ints,
    kind: type[np.floating[Any]],
) -> Design:  # fmt: skip
    """Return the design matrix of all rows of some counts, whose documents are ``group``."""
    parts, kept_by_block, vectored = [], [], []
    for name, weight in features.blocks.items():
        own = counts[name]
        every = np.ones((len(group), 1), np.bool_)
        whole = _idf(own, every, group, features.min_df)[:, 0]
        kept = np.flatnonzero(whole)
        idf, keys = whole[kept], own.keys[kept]
        values = own.values(kept, idf, weight)
        parts.append(values.astype(kind, copy=False))
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
    """A block of a design: counts, which each lesson weighs by its own idf and rows' lengths."""

    sums: Any  # sparse, of shape (n_rows, n_features)
    idf: Floats32  # (n_features, n_lessons), 0 where the lesson lacks the feature
    scale: Floats32  # (n_rows, n_lessons)


def make_part(counts: BlockCounts, weight: float, member: Bools, group: Ints, min_df: int) -> Part:
    """Weigh a block as each lesson does that learns from its member rows, and from whole groups.

    ``member`` is of shape (n_rows, n_lessons), ``group`` the document of each row.
    """
    idf = _idf(counts, member, group, min_df)
    squares = counts.squares @ idf**2
    scale = np.divide(weight, np.sqrt(squares), out=np.zeros_like(squares), where=squares > 0)
    return Part(counts.sums, idf, scale)


def _idf(counts: BlockCounts, member: Bools, group: NDArray[Any], min_df: int) -> Floats32:
    """Return smoothed idf of each feature and lesson, as scikit-learn's TfidfTransformer has it.

    It is 0 for a feature in fewer than ``min_df`` of a lesson's documents.
    """
    names, group = np.unique(group, return_inverse=True)
    occurs = counts.sums.astype(np.bool_).astype(np.float32)  # sums are exact below 2**24 rows
    rows, df = member.sum(axis=0), occurs.T @ member.astype(np.float32)
    # Several rows of a document count once.
    whose = sparse.csr_matrix((np.ones(len(group), np.float32), (group, np.arange(len(group)))))
    held = whose @ occurs
    held.data[:] = 1
    documents = np.zeros((len(names), member.shape[1]), np.float32)
    documents[group] = member
    least = np.clip(documents.sum(axis=0), 1, min_df)  # a fold may be one document
    idf = np.log((1 + rows) / (1 + df.astype(np.float64))) + 1
    return np.where(held.T @ documents >= least, idf, 0).astype(np.float32)
