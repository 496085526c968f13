"""Occurrences of features, and the vocabularies that number and name the features.

Fitting, prediction, explanation and naming read the same occurrences.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain, product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stance.arrays import Bools, Floats, Ints, Keys, stretches
from stance.features import ROLES
from stance.reading.frames import KINDS, TURNS
from stance.reading.keys import StringTable, join_keys, key_of, keys_of
from stance.reading.words import Reader

MARKS = {
    name: np.uint64(key_of(name))
    for name in ("", "NOT", "END", "...", "TARGET", "OTHER", "NAME", "REPORT")
}

Sets = tuple[tuple[str, str], ...]
"""Sets of features: what their names begin with, and the fields whose labels follow."""


class Closed:
    """Closed sets of features, of each of which one occurs at each place.

    Each combination of the values of a set's fields is a feature. An empty label is left out of
    its name.

    >>> labels = {"sign": "-+", "class": ["crit", "praise"], "turned": ["", "not"]}
    >>> vocabulary = Closed((("sign", "sign"), ("class", "class turned")), labels)
    >>> values = {"sign": np.array([0]), "class": np.array([0]), "turned": np.array([1])}
    >>> vocabulary.names(vocabulary.encode(values).ravel())
    ['sign -', 'class crit not']
    """

    def __init__(self, sets: Sets, labels: Mapping[str, Sequence[str]]) -> None:
        self._names, self._sets = list[str](), list[tuple[int, dict[str, int]]]()
        for template, fields in sets:
            known = {field: labels[field] for field in fields.split()}
            self._sets.append((len(self._names), {name: len(known[name]) for name in known}))
            combined = product([template], *known.values())
            self._names += [" ".join(filter(None, parts)) for parts in combined]
        self._keys = keys_of(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def keys(self, numbers: NDArray[Any]) -> Keys:
        """Return the keys of some features, under which a model knows them."""
        return self._keys.take(numbers)

    def names(self, numbers: NDArray[Any]) -> list[str]:
        """Return the readable names of some features."""
        return [self._names[number] for number in numbers.tolist()]

    def encode(self, values: Mapping[str, NDArray[Any]]) -> Ints:
        """Return numbers of shape (n_sets, n_places), given the values of the fields."""
        numbers = np.zeros((len(self._sets), len(next(iter(values.values())))), np.int64)
        for row, (start, sizes) in zip(numbers, self._sets, strict=True):
            for name, size in sizes.items():
                row *= size
                row += values[name]
            row += start
        return numbers


LABELS = {
    "turned": ("", "NOT"),
    "sign": ("negative", "none", "positive"),
    "side": ("", "before", "after"),
    "near": ("near", "close", "off", "far", "nowhere"),
    "same": ("", "same"),
    "crossed": ("", "crossed"),
    "quoted": ("", "quoted"),
    "does": ("object", "subject"),
    "next": ("", "next"),
    "role": ROLES,
    "kind": KINDS,
    "polarity": ("negative", "denied", "positive"),
    "part": (
        *("who judges", "who judges no actor", "victim"),
        *("judged by an actor", "judged by the author", "judged by another"),
    ),
    "turn": TURNS,
    "size": ("in a sentence", "in a short paragraph", "in a paragraph"),
}
"""What the values of fields are called in the names of features, beside lexicon categories."""


def _closed_vocabulary(sets: Sets, reader: Reader) -> Closed:
    """Return the vocabulary of sets whose fields are among `LABELS`, or a category."""
    return Closed(sets, {**LABELS, "category": reader.lexicon.categories})


class Stems:
    """Stems, plain and negated, after two features for other actors and the actor judged."""

    OTHER, TARGET, FIRST = 0, 1, 2

    def __init__(self, template: str, reader: Reader) -> None:
        self._template, self._stems = template, reader.stems

    def __len__(self) -> int:
        return self.FIRST + 2 * len(self._stems)

    def keys(self, numbers: NDArray[Any]) -> Keys:
        """Return the keys of some features."""
        stems = np.append([MARKS["OTHER"], MARKS["TARGET"]], np.repeat(self._stems["key"], 2))
        plain, negated = MARKS[""], MARKS["NOT"]
        marks = np.append([plain] * self.FIRST, np.tile([plain, negated], len(self._stems)))
        return join_keys(key_of(self._template), marks.take(numbers), stems.take(numbers))

    def names(self, numbers: NDArray[Any]) -> list[str]:
        """Return the readable names of some features."""
        stems = (mark + stem for stem in self._stems.strings for mark in ("", "NOT "))
        names = ["OTHER", "TARGET", *stems]
        return [f"{self._template} {names[number]}" for number in numbers.tolist()]


class Letters:
    """Features of the letters of spellings, of which each has several."""

    def __init__(self, template: str, cut: Callable[[str], Sequence[str]], reader: Reader) -> None:
        self._template, self._cut, self._types = template, cut, reader.types
        self._parts = StringTable(lambda new: (keys_of(new, f"{template}:"),), {"key": np.uint64})
        self._features = np.zeros(0, np.int64)  # of all spellings, one after the other
        self._starts = np.zeros(1, np.int64)  # where those of each spelling begin

    def __len__(self) -> int:
        return len(self._parts)

    def keys(self, numbers: NDArray[Any]) -> Keys:
        """Return the keys of some features."""
        return join_keys(key_of(self._template), self._parts["key"].take(numbers))

    def names(self, numbers: NDArray[Any]) -> list[str]:
        """Return the readable names of some features."""
        return [f"{self._template} {self._parts.strings[number]}" for number in numbers.tolist()]

    def of_types(self, types: Ints) -> tuple[Ints, Ints]:
        """Return the features of some spellings, and the place of each one's spelling."""
        words = [*map(self._cut, self._types.strings[len(self._starts) - 1 :])]
        if words:
            self._features = np.append(self._features, self._parts.find([*chain(*words)]))
            ends = self._starts[-1] + np.cumsum([*map(len, words)])
            self._starts = np.append(self._starts, ends)
        start, counts = self._starts.take(types), np.diff(self._starts).take(types)
        return self._features.take(stretches(start, counts)), np.arange(len(types)).repeat(counts)


Vocabulary = Closed | Stems | Letters
"""Numbers and names the features of a block, or of a part of it; it may grow."""

Sequences = Sequence[tuple[Bools, tuple[int, ...]]]
"""Which symbols, in order, are features, and at which places there is each of these features."""


class Occurrences(NamedTuple):
    """Where features of a batch of pairs occur: an entry per occurrence.

    Features of an open set, such as sequences of words, have no numbers but keys, and ``sequences``
    of ``symbols`` that name them.
    """

    pair: NDArray[Any]
    word: NDArray[Any]  # index into `Words` of the word it is attributed to, -1 for none
    number: NDArray[Any]  # in the vocabulary, (n_sets, n) if it is joint; the key if there is none
    weight: Floats | None = None  # None if all are 1
    vocabulary: Vocabulary | None = None
    template: str = ""  # of an open set
    symbols: Sequence[Keys] = ()
    sequences: Sequences = ()
    shared: Ints | None = None  # paragraph of each pair, if ``pair`` has paragraphs instead

    @classmethod
    def closed(
        cls, reader: Reader, sets: Sets, pair: Ints, word: Ints, values: Mapping[str, NDArray[Any]]
    ) -> "Occurrences":
        """Return occurrences of closed sets, given the values of their fields at each place."""
        vocabulary = reader.once(_closed_vocabulary, sets, reader)
        return cls(pair, word, vocabulary.encode(values), None, vocabulary)

    @classmethod
    def open(
        cls, template: str, pair: NDArray[Any], word: NDArray[Any], symbols: Sequence[Keys],
        sequences: Sequences,
    ) -> "Occurrences":  # fmt: skip
        """Return occurrences of an open set, whose features are sequences of symbols."""
        keys = [
            join_keys(key_of(template), *(symbols[one] for one in which))[present]
            for present, which in sequences
        ]
        whole = np.concatenate([np.flatnonzero(present) for present, _ in sequences])
        names: Any = {"template": template, "symbols": symbols, "sequences": sequences}
        return cls(pair.take(whole), word.take(whole), np.concatenate(keys), **names)

    def by_pair(self) -> "Occurrences":
        """Return the same occurrences once per pair, also if the pairs of a paragraph share them.

        Neither weights nor joint numbers are shared.
        """
        if self.shared is None:
            return self
        low, high = (np.searchsorted(self.pair, self.shared, side) for side in ("left", "right"))
        which, pair = stretches(low, high - low), np.arange(len(low)).repeat(high - low)
        word, number = self.word.take(which), self.number.take(which)
        return self._replace(pair=pair, word=word, number=number, shared=None)

    def flat(self) -> "Occurrences":
        """Return the same occurrences with one number each, also if the vocabulary is joint."""
        if self.number.ndim == 1:
            return self.by_pair()
        pair, word = (np.tile(values, len(self.number)) for values in (self.pair, self.word))
        return self._replace(pair=pair, word=word, number=self.number.ravel())

    def keys(self, named: Keys | None) -> Keys:
        """Return the key of each flat occurrence.

        Given the keys of the pairs' actors, each feature is one of that actor alone.
        """
        keys = self.number if self.vocabulary is None else self.vocabulary.keys(self.number)
        return keys if named is None else join_keys(key_of("copy"), keys, named.take(self.pair))

    def names(self, places: Ints, strings: Mapping[int, str]) -> list[str]:
        """Return the readable names of some flat occurrences, given the strings of words' keys."""
        if self.vocabulary is not None:
            return self.vocabulary.names(self.number.take(places))
        everywhere = [
            (which, place)
            for present, which in self.sequences
            for place in np.flatnonzero(present).tolist()
        ]
        chosen = map(everywhere.__getitem__, places.tolist())
        named = (
            [strings[int(self.symbols[one][place])] for one in which] for which, place in chosen
        )
        return [" ".join([self.template, *filter(None, words)]) for words in named]  # some are ""


def name_keys(names: Sequence[str]) -> Keys:
    """Return the key of each actor's name, for features that exist once per actor."""
    return keys_of(names, "actor:")


def key_strings(reader: Reader, actors: Sequence[str] = ()) -> dict[int, str]:
    """Return the strings of all keys that may stand in open features by now."""
    names = {int(key): name for name, key in MARKS.items()}
    terms = category_terms(reader.lexicon.categories)
    names |= zip(keys_of(terms, "class:").tolist(), terms, strict=True)
    actors = [*reader.book.names, "?", *actors]
    names |= zip(name_keys(actors).tolist(), actors, strict=True)
    names |= zip(reader.stems["key"].tolist(), reader.stems.strings, strict=True)
    lower = [*dict.fromkeys(map(str.lower, reader.types.strings))]
    return names | dict(zip(keys_of(lower).tolist(), lower, strict=True))


def category_terms(categories: Sequence[str]) -> list[str]:
    """Return how each category, plain and turned, is written in a sequence."""
    return [f"{turn}{name}" for name in categories for turn in ("+", "!")]
