"""Sums over the occurrences of features, pair by pair: whatever stands beside it in a batch."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.arrays import Bools, Floats, Ints
from stance.features.events import (
    Events,
)
from stance.features.pairs import Pairs


def row_sums(events: list[Events], found: list[Ints], table: Floats, pairs: Pairs) -> Floats:
    """Add up the table's rows of each pair, weighted; the last column by the weights' squares.

    A pair's sum does not depend on the other pairs: how it is added up follows from the block.
    The rows of one `Events` never decrease, so that `reduceat` can do it, which is four times as
    fast as `bincount`; features that occur at the same places are added up place by place first.
    """
    total = np.zeros((table.shape[1], pairs.count))
    for first, places in _by_place(events, found):
        starts = row_starts(first.row, pairs)
        if not len(starts):
            continue
        every = len(starts) == pairs.count
        at = slice(None) if every else first.row.take(starts)
        for number, values in enumerate(table.T):
            added = values.take(places[0])
            for place in places[1:]:  # one by one: the order of a `sum` depends on its shape
                added += values.take(place)
            if first.weight is not None:
                added *= first.weight
                if number == table.shape[1] - 1:
                    added *= first.weight
            if len(starts) < len(added):
                added = np.add.reduceat(added, starts)
            total[number, at] += added
            del added  # a paragraph may be as long as a book
    return total.T


def _by_place(events: list[Events], found: list[Ints]) -> Iterable[tuple[Events, list[Ints]]]:
    """Return the features that share their places, by the first of them."""
    groups: dict[tuple[int, int], tuple[Events, list[Ints]]] = {}
    for e, place in zip(events, found, strict=True):
        groups.setdefault((id(e.row), id(e.weight)), (e, []))[1].append(place)
    return groups.values()


def row_starts(row: NDArray[Any], pairs: Pairs) -> Ints:
    """Return where another row begins; the layout knows it where every word is an occurrence."""
    if row is pairs.row:
        return pairs.first[:-1][pairs.first[1:] > pairs.first[:-1]]
    return np.flatnonzero(np.append(True, row[1:] != row[:-1])[: len(row)])


_GLANCE = 5
"""Words that are looked at first: nearly always one of them is known."""


def any_known(place: Ints, plain: Bools, word: NDArray[Any], starts: Ints) -> Bools:
    """Tell which stretches of occurrences have a plain word whose place is known."""
    ends = np.append(starts[1:], len(place))[: len(starts)]
    first = np.minimum(starts + np.arange(_GLANCE)[:, None], ends - 1)
    found: Bools = (plain.take(word.take(first)) & (place.take(first) > 0)).any(axis=0)
    if not found.all():
        found = np.logical_or.reduceat(plain.take(word) & (place > 0), starts)
    return found
