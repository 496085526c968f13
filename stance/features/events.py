"""Occurrences of features: what every block yields and every model head weighs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.arrays import Bools, Floats, Ints, Keys
from stance.features.pairs import Pairs
from stance.reading.keys import join_keys, key_of
from stance.reading.tokens import Forms

Parts = tuple[Keys, ...]


class Codebook:
    """A closed set of features: every combination of some fields' values is one number.

    Parameters
    ----------
    template : str
        Name of the set.
    fields : sequence of sequence of str
        Labels of the values of each field; an empty label is left out of the feature's name.

    Examples
    --------
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
        """Return the number of each combination, or of that of the first fields alone."""
        code = values[0].astype(np.int64)
        for size, value in zip(self._shape[1:], values[1:], strict=False):
            code *= size
            code += value
        return code

    def go_on(self, code: Ints, *values: NDArray[Any]) -> Ints:
        """Return the number of each combination from that of its first fields and the others."""
        sizes = self._shape[len(self._shape) - len(values) :]
        for size, value in zip(sizes, values, strict=True):
            code = code * size + value
        return code

    @cached_property
    def terms(self) -> tuple[str, ...]:
        """Readable name of every combination."""
        labels = [
            [self._fields[i][j] for i, j in enumerate(where)] for where in np.ndindex(*self._shape)
        ]
        return tuple(" ".join([self._template, *filter(None, label)]) for label in labels)

    @cached_property
    def keys(self) -> Keys:
        """Key of every combination."""
        return np.array([key_of(term) for term in self.terms], np.uint64)


class JointBook:
    """Several codebooks read off the same occurrences, by one number for all of them.

    A class near a mention is a feature by itself, with its side and distance, with its sentence
    and so on.  Each combination of all fields has one number, so that an occurrence is looked up
    once whatever it yields.

    Parameters
    ----------
    fields : mapping of str to sequence of str
        Labels of the values of each field.
    books : sequence of (str, sequence of str)
        Template and fields of each codebook.

    Examples
    --------
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


class FormBook:
    """An open set of features of which each spelling brings its own; it grows with a `Forms` table.

    So a feature is made and looked up once per spelling, and not wherever a word stands.

    Parameters
    ----------
    template : str
        Name of the set.
    always : tuple of ndarray
        Parts of the features that do not depend on a form; they have the first numbers.
    of_forms : callable
        Called with a `Forms` table and the number of the first form that is new; returns the parts
        of the features that the new forms bring.

    Attributes
    ----------
    parts : tuple of ndarray of uint64
        Keys of words, see `Events`.
    keys : ndarray of uint64
        Of the features.
    generation : int
        Changes when the book, like its forms, has begun anew.
    """

    def __init__(
        self, template: str, always: Parts, of_forms: Callable[[Forms, int], Parts]
    ) -> None:
        self.template = template
        self.generation = -1
        self._always = always
        self._of_forms = of_forms
        self._forms = 0
        self._begin()

    def _begin(self) -> None:
        self.parts: Parts = tuple(part[:0] for part in self._always)
        self.keys: Keys = np.zeros(0, np.uint64)
        self._add(self._always)

    def _add(self, parts: Parts) -> None:
        keys = join_keys(key_of(self.template), *parts)
        self.parts = tuple(map(np.concatenate, zip(self.parts, parts, strict=True)))
        self.keys = np.concatenate([self.keys, keys])

    def update(self, forms: Forms) -> None:
        """Take in the forms that are new."""
        if self.generation != forms.generation:
            self.generation, self._forms = forms.generation, 0
            self._begin()
        if self._forms < len(forms.spelling):
            self._add(self._of_forms(forms, self._forms))
            self._forms = len(forms.spelling)


@dataclass(frozen=True, slots=True)
class Events:
    """Occurrences of features in the pairs of a batch.

    Attributes
    ----------
    row : ndarray
        Pair of each occurrence; never decreasing.
    weight : ndarray or None
        Weight of each occurrence, None where all are 1.
    word : ndarray
        Index into `Words` of the word that it is attributed to, -1 for none.
    code : ndarray or None
        Numbers in ``book`` or, without a book, places in ``parts``; None where the parts have one
        entry per occurrence.
    book : Codebook, JointBook, FormBook or None
    template : str
        Name of an open set of features; their parts are keys of words.
    parts : tuple of ndarray
    spread : ndarray or None
        Where several occurrences share an entry of ``code``: the entry of each.
    own : ndarray or None
        Occurrences that have the last entry of ``code``, whatever ``spread`` says.
    present : ndarray of bool or None
        Which of the occurrences there are, None for all: several features at the same places share
        their arrays, though not every one occurs at each place.
    """

    row: NDArray[Any]
    word: NDArray[Any]
    weight: Floats | None = None
    code: NDArray[Any] | None = None
    book: Codebook | JointBook | FormBook | None = None
    template: str = ""
    parts: Parts = ()
    spread: NDArray[Any] | None = None
    own: Ints | None = None
    present: Bools | None = None

    def apart(self) -> "list[Events]":
        """Return the same occurrences as one `Events` per codebook, without absent ones."""
        if self.present is not None:
            return self._only(np.flatnonzero(self.present)).apart()
        if not isinstance(self.book, JointBook) or self.code is None:
            return [self]
        return [
            replace(self, book=book, code=codes.take(self.code))
            for book, codes in zip(self.book.books, self.book.codes, strict=True)
        ]

    def _only(self, kept: Ints) -> "Events":
        if self.own is not None:
            raise TypeError("which of shared occurrences are present is not told")
        return replace(
            self,
            row=self.row.take(kept),
            word=self.word.take(kept),
            weight=None if self.weight is None else self.weight.take(kept),
            spread=kept if self.spread is None else self.spread.take(kept),
            present=None,
        )

    def keys(self) -> Keys:
        """Return the key of each occurrence."""
        return self.spread_out(self.table())

    def spread_out(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the value of each occurrence from those of `table`."""
        if self.code is not None:
            values = values.take(self.code)
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
        if self.book is not None:  # the book of an empty lexicon is empty, and false
            return self.book.keys
        return join_keys(key_of(self.template), *self.parts)

    def term(self, at: int, names: Mapping[int, str]) -> str:
        """Return the readable name of one occurrence."""
        place = at if self.spread is None else int(self.spread[at])
        place = place if self.own is None or at not in self.own else -1
        place = place if self.code is None else int(self.code[place])
        if isinstance(self.book, Codebook):
            return self.book.terms[place]
        own = self.book if isinstance(self.book, FormBook) else self
        parts = (names[int(part[place])] for part in own.parts)
        return " ".join([own.template, *filter(None, parts)])


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
