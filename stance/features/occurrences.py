"""Occurrences of features, and the vocabularies that number and name the features.

Fitting, prediction, explanation and naming read the same occurrences.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.arrays import Bools, Floats, Ints, Keys, stretches
from stance.reading.keys import join_keys, key_of, keys_of
from stance.reading.words import Reader

NO_KEY = np.uint64(key_of(""))
NOT_KEY, END_KEY, GAP_KEY, TARGET_KEY, OTHER_KEY, NAME_KEY, REPORT_KEY = MARKS = tuple(
    np.uint64(key_of(name)) for name in ("NOT", "END", "...", "TARGET", "OTHER", "NAME", "REPORT")
)
_MARK_NAMES = ("NOT", "END", "...", "TARGET", "OTHER", "NAME", "REPORT")


class Vocabulary:
    """Numbers the features of a block, or of a part of it."""

    def __init__(self) -> None:
        self._names, self._keys = list[str](), np.zeros(0, np.uint64)

    def __len__(self) -> int:
        """Return how many features there are by now."""
        return len(self._names)

    def keys(self, numbers: NDArray[Any]) -> Keys:
        """Return the keys of some features, under which a model knows them."""
        return self._keys.take(numbers)

    def names(self, numbers: NDArray[Any]) -> list[str]:
        """Return the readable names of some features."""
        return [self._names[number] for number in numbers.tolist()]


class Closed(Vocabulary):
    """Closed sets of features, of each of which one occurs at each place.

    Each combination of the values of a set's fields is a feature. An empty label is left out of
    its name.

    >>> vocabulary = Closed(("sign", ["-+"]), ("class", [["crit", "praise"], ["", "not"]]))
    >>> first, second = np.array([[0], [1]])
    >>> vocabulary.names(vocabulary.encode([[second], [first, second]]).ravel())
    ['sign +', 'class crit not']
    """

    def __init__(self, *sets: tuple[str, Sequence[Sequence[str]]]) -> None:
        names = [_combined(template, fields) for template, fields in sets]
        self._sizes = [[len(labels) for labels in fields] for _, fields in sets]
        self._starts = np.cumsum([0, *map(len, names)])[:-1].tolist()
        self._names = [*chain.from_iterable(names)]
        self._keys = keys_of(self._names)

    def encode(self, sets: Sequence[Sequence[NDArray[Any]]]) -> Ints:
        """Return numbers of shape (n_sets, n_places), given the values of each set's fields."""
        numbers = np.empty((len(sets), len(sets[0][0])), np.int64)
        for row, start, sizes, fields in zip(numbers, self._starts, self._sizes, sets, strict=True):
            row[:] = fields[0]
            for size, values in zip(sizes[1:], fields[1:], strict=True):
                row *= size
                row += values
            row += start
        return numbers


class Stems(Vocabulary):
    """Stems, plain and negated, after two features for other actors and the actor judged."""

    OTHER, TARGET, FIRST = 0, 1, 2

    def __init__(self, template: str, reader: Reader) -> None:
        self._template, self._stems = template, reader.stems

    def __len__(self) -> int:
        return self.FIRST + 2 * len(self._stems)

    def keys(self, numbers: NDArray[Any]) -> Keys:
        """Return the keys of some features."""
        stems = np.append([OTHER_KEY, TARGET_KEY], np.repeat(self._stems["key"], 2))
        marks = np.append([NO_KEY] * self.FIRST, np.tile([NO_KEY, NOT_KEY], len(self._stems)))
        return join_keys(key_of(self._template), marks.take(numbers), stems.take(numbers))

    def names(self, numbers: NDArray[Any]) -> list[str]:
        """Return the readable names of some features."""
        stems = (mark + stem for stem in self._stems.strings for mark in ("", "NOT "))
        names = ["OTHER", "TARGET", *stems]
        return [f"{self._template} {names[number]}" for number in numbers.tolist()]


class Letters(Vocabulary):
    """Features of the letters of spellings, of which each has several."""

    def __init__(
        self, template: str, of_word: Callable[[str], Sequence[str]], reader: Reader
    ) -> None:
        super().__init__()
        self._template, self._of_word, self._types = template, of_word, reader.types
        self._numbers: dict[str, int] = {}
        self._features = np.zeros(0, np.int64)  # of all spellings, one after the other
        self._starts = np.zeros(1, np.int64)  # where those of each spelling begin

    def of_types(self, types: Ints) -> tuple[Ints, Ints]:
        """Return the features of some spellings, and how many each of them has."""
        known = len(self._starts) - 1
        if known < len(self._types):
            words = [self._of_word(word) for word in self._types.strings[known:]]
            new = [
                self._numbers.setdefault(part, len(self._numbers))
                for part in chain.from_iterable(words)
            ]
            added = list(self._numbers)[len(self._names) :]
            self._names += [_name(self._template, part) for part in added]
            keys = join_keys(key_of(self._template), keys_of(added, f"{self._template}:"))
            self._keys = np.append(self._keys, keys)
            self._features = np.append(self._features, np.array(new, np.int64))
            counts = np.fromiter(map(len, words), np.int64, len(words))
            self._starts = np.append(self._starts, self._starts[-1] + np.cumsum(counts))
        start, counts = self._starts.take(types), np.diff(self._starts).take(types)
        return self._features.take(stretches(start, counts)), counts


Sequences = Sequence[tuple[Bools | None, Sequence[Keys]]]
"""Parts of features at the same places, and at which there is one; None for all."""


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Where features of a batch of pairs occur: an entry per occurrence.

    Features of an open set, such as sequences of words, have no numbers but keys, and
    ``sequences`` of parts that name them.
    """

    pair: NDArray[Any]
    word: NDArray[Any]  # index into `Words` of the word it is attributed to, -1 for none
    number: NDArray[Any]  # in the vocabulary, (n_sets, n) if it is joint; the key if there is none
    weight: Floats | None = None  # None if all are 1
    vocabulary: Vocabulary | None = None
    template: str = ""  # of an open set
    sequences: Sequences = ()

    @classmethod
    def open(
        cls, template: str, pair: NDArray[Any], word: NDArray[Any], sequences: Sequences
    ) -> "Occurrences":
        """Return occurrences of an open set, whose features are sequences of parts."""
        keys, places = list[Keys](), list[Ints]()
        for present, parts in sequences:
            place = np.arange(len(pair)) if present is None else np.flatnonzero(present)
            keys.append(join_keys(key_of(template), *parts).take(place))
            places.append(place)
        whole = np.concatenate(places)
        return cls(
            pair.take(whole), word.take(whole), np.concatenate(keys),
            template=template, sequences=sequences,
        )  # fmt: skip

    def flat(self) -> "Occurrences":
        """Return the same occurrences with one number each, also if the vocabulary is joint."""
        if self.number.ndim == 1:
            return self
        pair, word = (np.tile(values, len(self.number)) for values in (self.pair, self.word))
        return replace(self, pair=pair, word=word, number=self.number.ravel())

    def keys(self) -> Keys:
        """Return the key of each occurrence."""
        return self.number if self.vocabulary is None else self.vocabulary.keys(self.number)

    def names(self, at: Ints, strings: Mapping[int, str]) -> list[str]:
        """Return the readable names of some flat occurrences, given the strings of words' keys."""
        if self.vocabulary is not None:
            return self.vocabulary.names(self.number.take(at))
        parts = [
            (which, place)
            for which, (present, some) in enumerate(self.sequences)
            for place in (range(len(some[0])) if present is None else np.flatnonzero(present))
        ]
        names = []
        for which, place in (parts[n] for n in at.tolist()):
            words = (strings[int(part[place])] for part in self.sequences[which][1])
            names.append(_name(self.template, *words))
        return names


def _combined(template: str, fields: Sequence[Sequence[str]]) -> list[str]:
    """Name the features of a closed set, one per combination of its fields' labels."""
    names = [template]
    for labels in fields:
        ends = [f" {label}" if label else "" for label in labels]
        names = [name + end for name in names for end in ends]
    return names


def _name(template: str, *labels: str) -> str:
    """Name a feature: empty labels are left out."""
    return " ".join([template, *filter(None, labels)])


def key_strings(reader: Reader, actors: Sequence[str] = ()) -> dict[int, str]:
    """Return the strings of all keys that may stand in open features by now."""
    names = dict(zip(map(int, MARKS), _MARK_NAMES, strict=True)) | {int(NO_KEY): ""}
    names |= {key_of("actor:" + name): name for name in (*reader.book.names, "?", *actors)}
    terms = category_terms(reader.lexicon.categories)
    names |= {key_of("class:" + term): term for term in terms}
    names |= zip(reader.stems["key"].tolist(), reader.stems.strings, strict=True)
    lower = [*dict.fromkeys(map(str.lower, reader.types.strings))]
    return names | dict(zip(keys_of(lower).tolist(), lower, strict=True))


def category_terms(categories: Sequence[str]) -> list[str]:
    """Return how each category, plain and turned, is written in a sequence."""
    return [f"{turn}{name}" for name in categories for turn in ("+", "!")]
