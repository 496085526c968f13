"""How often each feature occurs in each pair of a corpus, counted once for every fold."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from stance.arrays import Floats, Floats32, Ints, Keys
from stance.display import shown
from stance.features import separate_events, symbols
from stance.features.events import Events
from stance.features.pairs import Pairs, lay_out
from stance.fitting.folds import LARGE
from stance.model.heads import BlockWeights, actor_keys, name_keys, own_keys
from stance.reading.keys import KeyIndex, key_of
from stance.reading.spans import Query
from stance.reading.words import Reader
from stance.recipe import Features


@dataclass(frozen=True, slots=True)
class BlockCounts:
    """Occurrences of one block's features; sparse matrices of shape (n_pairs, n_features)."""

    keys: Keys  # of the features, sorted
    sums: Any  # of the weights of a feature's occurrences in a pair
    squares: Any  # of these weights squared, likewise summed

    def take(self, rows: Ints) -> "BlockCounts":
        """Return the counts of some pairs."""
        sums = self.sums[rows]
        squares = sums if self.squares is self.sums else self.squares[rows]
        return BlockCounts(self.keys, sums, squares)

    def values(self, kept: Ints, idf: Floats32, weight: float) -> Any:
        """Return the block's part of the design matrix, with the features kept.

        Each occurrence counts its weight times inverse document frequency; a row is divided by the
        root of the sum of its squared occurrences and multiplied by the block's weight.
        """
        values, scale = self.sums[:, kept], self._scale(kept, idf, weight)
        kind = values.dtype  # where memory counts it is that of the sums
        values.data *= np.repeat(scale.astype(kind), np.diff(values.indptr))
        values.data *= idf.astype(kind).take(values.indices)
        return values

    def scores(self, block: BlockWeights) -> Floats:
        """Return what a block that was learned adds to the scores of each label."""
        kept = np.searchsorted(self.keys, block.keys)
        coef = np.zeros((len(self.keys), block.coef.shape[1]))
        coef[kept] = block.idf.astype(np.float64)[:, None] * block.coef
        found: Floats = self.sums @ coef
        found *= self._scale(kept, block.idf, block.weight)[:, None]
        return found

    def _scale(self, kept: Ints, idf: Floats32, weight: float) -> Floats:
        """Return what each row is multiplied by, so that it has the length ``weight``."""
        wide = np.zeros(len(self.keys))
        wide[kept] = idf.astype(np.float64) ** 2
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
    tick: Callable[[float], None] = lambda _: None,
) -> dict[str, BlockCounts]:
    """Count every feature of a recipe's blocks that occurs in ``min_df`` pairs or more.

    Sums are in float32 where there are so many pairs that memory counts. ``tick`` is given the
    number of pairs of each batch read.
    """
    kind = np.float32 if len(query) >= LARGE else np.float64
    found = {name: _Occurrences(kind) for name in recipe.blocks}
    for low, pairs in _batches(reader, query, targeted, recipe.per_actor):
        for name, block in found.items():
            for events in separate_events(name, reader, pairs):
                for keys in _keys(reader, pairs, events, recipe.per_actor):
                    block.add(events.row + low, keys, events.weight)
        tick(len(pairs.para))
    return {name: found.pop(name).counts(len(query), recipe.min_df) for name in recipe.blocks}


class _Occurrences:
    """Occurrences of a block's features, numbered as they come: 12 or 16 bytes of memory each."""

    def __init__(self, kind: type[np.floating[Any]]) -> None:
        self._index = KeyIndex(np.zeros(0, np.uint64))
        self._keys = [np.zeros(0, np.uint64)]
        self._kind = kind
        self._parts = [(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, kind))]

    def add(self, row: NDArray[Any], keys: Keys, weight: Floats | None) -> None:
        """Add features that occur in some rows, each with the weight 1 if none is given."""
        column = self._index.find(keys)
        new = np.flatnonzero(column < 0)
        if len(new):
            self._keys.append(np.unique(keys[new]))
            self._index.add(self._keys[-1])
            column[new] = self._index.find(keys[new])
        weight = np.ones(len(row), self._kind) if weight is None else weight.astype(self._kind)
        self._parts.append((row.astype(np.int32), column, weight))

    def counts(self, size: int, min_df: int) -> BlockCounts:
        """Return the counts in so many rows; the occurrences are forgotten."""
        parts = zip(*self._parts, strict=True)
        row, column, weight = (np.concatenate(part) for part in parts)
        keys = np.concatenate(self._keys)
        self._parts.clear()
        order = np.argsort(keys)
        place = np.empty(len(keys), np.int32)
        place[order] = np.arange(len(keys), dtype=np.int32)
        at, shape = (row, place.take(column)), (size, len(keys))
        sums = sparse.csr_matrix((weight, at), shape=shape)
        kept = np.flatnonzero(np.bincount(sums.indices, minlength=len(keys)) >= min_df)
        sums, plain = sums[:, kept], bool((weight == 1).all())
        squares = sums if plain else sparse.csr_matrix((weight**2, at), shape=shape)[:, kept]
        return BlockCounts(keys[order][kept], sums, squares)


def _batches(
    reader: Reader, query: Query, targeted: bool, own: bool
) -> Iterator[tuple[int, Pairs]]:
    low = 0
    for part in query.batches():
        words = reader.words(part.texts, part.spans, part.months)
        actor = part.actor if targeted else np.full(len(part), -1)
        named = name_keys(part.names) if targeted and own else None
        yield low, lay_out(words, part.para, actor, named)
        low += len(part)


def _keys(reader: Reader, pairs: Pairs, events: Events, own: bool) -> list[Keys]:
    keys = events.keys()
    if not own:
        return [keys]
    return [keys, own_keys(keys, actor_keys(reader.book, pairs)[events.row])]


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
    reader.forms.names |= {key_of("actor:" + n): shown(n) for n in query.names}
    index = {block.name: KeyIndex(block.keys) for block in weights}
    terms: dict[str, list[str]] = {block.name: [""] * len(block.keys) for block in weights}
    for low, pairs in _batches(reader, query, targeted, own):
        copies = (), query.names[low:] or [""] * pairs.count
        for name in index:
            for events in separate_events(name, reader, pairs):
                for keys, whose in zip(_keys(reader, pairs, events, own), copies, strict=False):
                    _name(reader, events, index[name].find(keys), terms[name], whose)
        tick(len(pairs.para))
    return {name: tuple(found) for name, found in terms.items()}


def _name(
    reader: Reader, events: Events, columns: Any, terms: list[str], actors: Sequence[str]
) -> None:
    names: Mapping[int, str] = reader.forms.names or {}
    columns, first = np.unique(columns, return_index=True)
    for number, at in zip(columns.tolist(), first.tolist(), strict=True):
        if number >= 0 and not terms[number]:
            copy = f" @ {shown(actors[events.row[at]])}" if actors else ""
            terms[number] = events.term(at, names) + copy
