"""Occurrences of features: what every block yields and every head of a model weighs."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.arrays import Bools, Floats, Ints, Ints32, Keys
from stance.features.pairs import Pairs, run_starts, stretches
from stance.reading.forms import Forms
from stance.reading.keys import join_keys, key_of, keys_of

Parts = tuple[Keys, ...]


class Codebook:
    """A closed set of features: each combination of some fields' values has a number.

    An empty label is left out of the feature's name.

    >>> book = Codebook("class", [["crit", "praise"], ["left", "right"]])
    >>> code = book.encode(np.array([1]), np.array([0]))
    >>> book.terms[code[0]]
    'class praise left'
    """

    def __init__(self, template: str, fields: Sequence[Sequence[str]]) -> None:
        self._shape = tuple(len(field) for field in fields)
        self._template = template
        self._fields = fields

    def __len__(self) -> int:
        return int(np.prod(self._shape))

    def encode(self, *values: NDArray[Any]) -> Ints:
        """Return the number of each combination, or of its first fields alone."""
        code = values[0].astype(np.int64)
        for size, value in zip(self._shape[1:], values[1:], strict=False):
            code *= size
            code += value
        return code

    def go_on(self, code: Ints, *values: NDArray[Any]) -> Ints:
        """Return the number of each combination, given that of its first fields."""
        sizes = self._shape[len(self._shape) - len(values) :]
        for size, value in zip(sizes, values, strict=True):
            code = code * size + value
        return code

    @cached_property
    def terms(self) -> tuple[str, ...]:
        """Readable name of every combination."""
        labels = product(*self._fields)
        return tuple(" ".join([self._template, *filter(None, own)]) for own in labels)

    @cached_property
    def keys(self) -> Keys:
        """Key of every combination."""
        return keys_of(self.terms)


class JointBook:
    """Several codebooks, by template and fields, that share one number for all fields' values.

    So an occurrence is looked up once, however many features it has.

    >>> joint = JointBook({"sign": ["bad", "good"], "side": ["left", "right"]},
    ...                   [("sign", ["sign"]), ("placed", ["sign", "side"])])
    >>> code = joint.encode(np.array([1]), np.array([0]))
    >>> [book.terms[of[code[0]]] for book, of in zip(joint.books, joint.codes)]
    ['sign good', 'placed good left']
    """

    def __init__(
        self, fields: Mapping[str, Sequence[str]], books: Sequence[tuple[str, Sequence[str]]]
    ) -> None:
        whole = Codebook("", list(fields.values()))
        self.encode, self.go_on = whole.encode, whole.go_on
        sizes = [len(labels) for labels in fields.values()]
        values = dict(zip(fields, np.indices(sizes).reshape(len(sizes), -1), strict=True))
        self.books = tuple(Codebook(name, [fields[f] for f in own]) for name, own in books)
        self.codes = tuple(
            book.encode(*(values[field] for field in own))
            for book, (_, own) in zip(self.books, books, strict=True)
        )


class FormBook(ABC):
    """An open set of features that grows with a `Forms` table, since each spelling brings its own.

    So a feature is looked up once per spelling, not wherever a word stands. Keys are made when they
    are asked for: a text as long as a book may have a million spellings.
    """

    def __init__(self, template: str) -> None:
        self.template = template
        self.generation = -1  # changes when the book, like its forms, begins anew

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of features."""

    @abstractmethod
    def update(self, forms: Forms) -> None:
        """Take in the forms that are new."""

    @abstractmethod
    def parts_of(self, numbers: NDArray[Any]) -> Parts:
        """Return the parts (keys of words) of some features."""

    def keys_of(self, numbers: NDArray[Any]) -> Keys:
        """Return the keys of some features."""
        return join_keys(key_of(self.template), *self.parts_of(numbers))


class LetterBook(FormBook):
    """Features of the letters of words: ``of_forms`` returns their parts, and how many each has."""

    def __init__(
        self, template: str, of_forms: Callable[[Forms, int], tuple[Keys, Sequence[int]]]
    ) -> None:
        super().__init__(template)
        self._of_forms = of_forms  # called with the number of the first new form

    def __len__(self) -> int:
        return len(self._part)

    def update(self, forms: Forms) -> None:
        """Take in the forms that are new."""
        if self.generation != forms.generation:
            self.generation = forms.generation
            self.starts = np.zeros(1, np.int64)  # number of each form's first feature
            self._part = np.zeros(0, np.uint64)
        if (known := len(self.starts) - 1) < len(forms):
            part, counts = self._of_forms(forms, known)
            self._part = np.append(self._part, part)
            self.starts = np.append(self.starts, self.starts[-1] + np.cumsum(counts))

    def parts_of(self, numbers: NDArray[Any]) -> Parts:
        """Return the part of some features, of which each has one."""
        return (self._part.take(numbers),)


@dataclass(frozen=True, slots=True)
class Events:
    """Occurrences of features: numbers in a book, or sequences of keys of words (an open set)."""

    row: NDArray[Any]  # pair of each occurrence; never decreasing
    word: NDArray[Any]  # index into `Words` of the word it is attributed to, -1 for none
    weight: Floats | None = None  # None if all are 1
    code: NDArray[Any] | None = None  # numbers in `book`; without a book, places in `parts` or None
    book: Codebook | JointBook | FormBook | None = None
    template: str = ""  # name of an open set
    parts: Parts = ()  # of its features
    spread: NDArray[Any] | None = None  # entry of `code` of each occurrence, if several share one
    own: Ints32 | None = None  # occurrences with the last entry of `code`, whatever `spread` says
    present: Bools | None = None  # which there are: features at the same places share their arrays
    prefix: str = ""  # of the features' names
    of: Ints | None = None  # paragraph of each pair, if rows are paragraphs: each pair has them all

    def by_pair(self) -> "Events":
        """Return the same occurrences with a pair as their row."""
        if self.of is None:
            return self
        count = int(self.of.max(initial=-1)) + 1
        counts = np.bincount(self.row, minlength=count)
        start = np.cumsum(counts) - counts
        kept = stretches(start.take(self.of), counts.take(self.of))
        row = np.repeat(np.arange(len(self.of)), counts.take(self.of))
        return replace(self._selected(kept), row=row, of=None)

    def by_row(self, values: NDArray[Any], starts: Ints, pairs: Pairs) -> NDArray[Any]:
        """Return the value of each pair, given those of the rows that begin at ``starts``."""
        count = pairs.count if self.of is None else len(pairs.words)
        found = np.zeros(count, values.dtype)
        found[self.row.take(starts)] = values
        return found if self.of is None else found.take(self.of)

    def apart(self) -> "list[Events]":
        """Return the same occurrences as one `Events` per codebook, without absent ones."""
        if self.present is not None:
            return self._selected(np.flatnonzero(self.present)).apart()
        if not isinstance(self.book, JointBook) or self.code is None:
            return [self]
        books = zip(self.book.books, self.book.codes, strict=True)
        return [replace(self, book=book, code=codes.take(self.code)) for book, codes in books]

    def _selected(self, kept: Ints) -> "Events":
        if self.own is not None:
            raise TypeError("cannot select among occurrences that have `own`")
        row, word = self.row.take(kept), self.word.take(kept)
        weight = None if self.weight is None else self.weight.take(kept)
        spread = kept if self.spread is None else self.spread.take(kept)
        return replace(self, row=row, word=word, weight=weight, spread=spread, present=None)

    def keys(self) -> Keys:
        """Return the key of each occurrence."""
        if isinstance(self.book, FormBook) and self.code is not None:
            return self.spread_out(self.book.keys_of(self.code))
        return self.spread_out(self.coded(self.table()))

    def coded(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the value of each entry of ``code``, given those of `table`."""
        return values if self.code is None else values.take(self.code)

    def spread_out(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the value of each occurrence, given those of `coded`."""
        if self.spread is None:
            return values
        spread = values.take(self.spread)
        if self.own is not None:
            spread[self.own] = values[-1]
        return spread

    def table(self) -> Keys:
        """Return the keys that ``code`` points into, or those of all occurrences."""
        if isinstance(self.book, JointBook):
            raise TypeError("a joint book has several keys per occurrence; take it apart first")
        if isinstance(self.book, FormBook):
            raise TypeError("a book of forms has more keys than are asked for; use `keys_of`")
        if self.book is not None:  # the book of an empty lexicon is empty, and false
            return self.book.keys
        return join_keys(key_of(self.template), *self.parts)

    def terms(self, at: Ints, names: Mapping[int, str]) -> list[str]:
        """Return the readable names of some occurrences, given those of keys."""
        place = at if self.spread is None else self.spread.take(at)
        place = place if self.own is None else np.where(np.isin(at, self.own), -1, place)
        place = place if self.code is None else self.code.take(place)
        if isinstance(self.book, Codebook):
            return [self.prefix + self.book.terms[number] for number in place.tolist()]
        if isinstance(self.book, FormBook):
            template, parts = self.book.template, self.book.parts_of(place)
        else:
            template, parts = self.template, tuple(part.take(place) for part in self.parts)
        words = zip(*(map(names.__getitem__, part.tolist()) for part in parts), strict=True)
        return [self.prefix + " ".join([template, *filter(None, each)]) for each in words]


def row_sums(events: list[Events], found: list[Ints], table: Floats, pairs: Pairs) -> Floats:
    """Add up the table's rows of each pair, weighted; the last column by the weights' squares.

    ``found`` has the row of each entry of ``code``. A pair's sum does not depend on the other
    pairs. Rows never decrease, so `reduceat` can do it, four times as fast as `bincount`; features
    at the same places are first added place by place.
    """
    total = np.zeros((table.shape[1], pairs.count))
    for first, places in _by_place(events, found):
        starts = row_starts(first.row, pairs)
        if not len(starts):
            continue
        for number, values in enumerate(table.T):
            added = values.take(places[0])
            for place in places[1:]:  # one by one: the order of a `sum` depends on its shape
                added += values.take(place)
            added = first.spread_out(added)
            if first.weight is not None:
                added *= first.weight
                if number == table.shape[1] - 1:
                    added *= first.weight
            if len(starts) < len(added):
                added = np.add.reduceat(added, starts)
            total[number] += first.by_row(added, starts, pairs)
            del added  # a paragraph may be as long as a book
    return total.T


def _by_place(events: list[Events], found: list[Ints]) -> Iterable[tuple[Events, list[Ints]]]:
    """Return the features that share their places, with the first of them."""
    groups: dict[tuple[int, ...], tuple[Events, list[Ints]]] = {}
    for e, place in zip(events, found, strict=True):
        key = id(e.row), id(e.weight), id(e.spread)
        groups.setdefault(key, (e, []))[1].append(place)
    return groups.values()


def row_starts(row: NDArray[Any], pairs: Pairs) -> Ints:
    """Return where another row begins; known without a search if every word is an occurrence."""
    if row is pairs.row:
        return pairs.first[:-1][pairs.first[1:] > pairs.first[:-1]]
    return run_starts(row)


_GLANCE = 5  # words looked at first: nearly always one of them is known


def any_known(e: Events, place: Ints, plain: Bools, starts: Ints) -> Bools:
    """Return which stretches of occurrences have a plain word whose place is known.

    ``place`` has the place of each entry of ``code``, 0 if it is unknown.
    """
    ends = np.append(starts[1:], len(e.row))[: len(starts)]
    first = np.minimum(starts + np.arange(_GLANCE)[:, None], ends - 1)
    entry = first if e.spread is None else e.spread.take(first)
    found: Bools = (plain.take(e.word.take(first)) & (place.take(entry) > 0)).any(axis=0)
    if not found.all():
        known = plain.take(e.word) & (e.spread_out(place) > 0)
        found = np.logical_or.reduceat(known, starts)
    return found
