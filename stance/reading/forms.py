"""Forms, words as spelled: what depends on the spelling alone is worked out once for each."""

from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stance.arrays import Bools, Bytes, Ints, Ints32, Keys, slices
from stance.reading.keys import KeyIndex, keys_of
from stance.reading.text import SEPARATOR, UPPER, character_classes

# What the clitic after a word was.
CLITIC_NONE, CLITIC_POSSESSIVE, CLITIC_NEGATION, CLITIC_OTHER = range(4)

_CLITICS = dict.fromkeys(("d", "ll", "re", "ve", "m"), CLITIC_OTHER)
_CLITICS |= {"s": CLITIC_POSSESSIVE, "t": CLITIC_NEGATION}

_ABBREVIATIONS = frozenset(
    # Titles, firms, months and the like that end with a dot in the middle of a sentence.
    """
    adm brig capt co col corp dr fr gen gov hon inc jr lt ltd maj messrs mr mrs ms mt no nos op
    pres prof rep rev sen sgt sr st vs jan feb mar apr jun jul aug sept sep oct nov dec
    """.split()  # noqa: SIM905
)


class Forms:
    """Every spelling seen so far, with its properties; emptied at ``limit``, to bound memory."""

    limit = 400_000

    def __init__(
        self,
        describe: Callable[[list[str], list[str]], Iterable[ArrayLike]],
        columns: Sequence[tuple[str, type]],
    ) -> None:
        self._describe = describe  # columns of some words, given as spelled and in lower case
        self._types = {"clitic": np.uint8, "dotted": np.bool_, "capital": np.bool_, **dict(columns)}
        self.generation = 0  # rises with every `clear`
        self.names: dict[int, str] | None = None  # if set, collects the string of every key
        self.clear()

    def clear(self) -> None:
        """Forget every form."""
        self.generation += 1
        self._full = False  # whether the next batch begins anew
        self._index = KeyIndex(np.zeros(0, np.uint64))
        self.columns: dict[str, NDArray[Any]] = {n: np.zeros(0, t) for n, t in self._types.items()}
        self.spelling = Spellings()
        self.word_keys = WordKeys(self)

    def __len__(self) -> int:
        return len(self.spelling)

    def find(self, keys: Keys, spell: Callable[[Ints32], list[str]]) -> Ints:
        """Return the form of each word; ``spell`` gives the texts of those that are new."""
        if self._full:
            self.clear()
        forms = np.empty(len(keys), np.int64)  # as `take` wants them: it copies 32-bit numbers
        try:
            self._learn(self._numbered(keys, forms), spell)
        except BaseException:  # an interruption, too, would leave words without properties
            self.clear()
            raise
        self._full = len(self) > self.limit
        if self._full:
            self._index = KeyIndex(np.zeros(0, np.uint64))
        return forms

    def keep(self, *names: str) -> None:
        """Forget the other columns if the next batch begins anew: nothing is read with them."""
        if self._full:
            self.columns = {name: self.columns[name] for name in names}

    def _numbered(self, keys: Keys, forms: Ints) -> Ints32:
        """Write the form of each word; return where those stand that are new, in their order."""
        new = [np.zeros(0, np.int32)]
        for some in slices(len(keys)):
            part, found = keys[some], forms[some]
            found[:] = self._index.find(part)
            unseen = np.flatnonzero(found < 0)
            if len(unseen):
                distinct, first = np.unique(part[unseen], return_index=True)
                new.append((unseen[first] + some.start).astype(np.int32))
                self._index.add(distinct)
                found[unseen] = self._index.find(part[unseen])
        return np.concatenate(new)

    def _learn(self, new: Ints32, spell: Callable[[Ints32], list[str]]) -> None:
        """Describe the words at some places, which the index has taken in."""
        if not len(new):
            return
        known, size = len(self.spelling), len(self._index)
        for name, kind in self._types.items():
            column: NDArray[Any] = np.empty(size, kind)
            column[:known] = self.columns[name]
            self.columns[name] = column
        for part in slices(len(new), parts=4):
            words = spell(new[part])
            lower = list(map(str.lower, words))
            described = (*_flags(words, lower), *self._describe(words, lower))
            for column, values in zip(self.columns.values(), described, strict=True):
                column[known + part.start : known + part.stop] = values
            self.spelling.add(words)


class Spellings(Sequence[str]):
    """Many words in a few bytes each, where strings take sixty."""

    def __init__(self) -> None:
        self._bytes = bytearray()  # a separator follows each word
        self._ends: Ints = np.zeros(1, np.int64)  # of each word with its separator, after a 0

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, at: int) -> str: ...

    @overload
    def __getitem__(self, at: slice) -> list[str]: ...

    def __getitem__(self, at: int | slice) -> str | list[str]:
        if isinstance(at, slice):
            low, high, _ = at.indices(len(self))
            return self._text(low, high).split(SEPARATOR)[:-1]
        if not 0 <= at < len(self):
            raise IndexError(f"no word {at} among {len(self)}")
        return self._text(at, at + 1)[:-1]

    def _text(self, low: int, high: int) -> str:
        part = self._bytes[self._ends[low] : self._ends[high]]
        return part.decode("utf-8", "surrogatepass")

    def add(self, words: Sequence[str]) -> None:
        """Append words, of which none has a separator."""
        added = SEPARATOR.join([*words, ""]).encode("utf-8", "surrogatepass")
        ends = np.flatnonzero(np.frombuffer(added, np.uint8) == ord(SEPARATOR))
        self._ends = np.append(self._ends, ends + (len(self._bytes) + 1))
        self._bytes += added


class WordKeys:
    """The keys of forms in lower case, each worked out when it is first asked for: few are."""

    def __init__(self, forms: Forms) -> None:
        self._forms, self._spelling = forms, forms.spelling  # which begins anew with `clear`
        self._keys = np.zeros(0, np.uint64)

    def take(self, form: Ints) -> Keys:
        """Return the keys of some forms."""
        if lacking := len(self._spelling) - len(self._keys):
            self._keys = np.append(self._keys, np.zeros(lacking, np.uint64))
        found = self._keys.take(form)
        if not found.all():
            lacks = np.zeros(len(self._keys), np.bool_)
            lacks[form[found == 0]] = True
            asked = np.flatnonzero(lacks)
            for part in slices(len(asked), parts=4):
                lower = [self._spelling[at].lower() for at in asked[part].tolist()]
                self._keys[asked[part]] = keys = keys_of(lower)
                if self._forms.names is not None:
                    self._forms.names |= zip(keys.tolist(), lower, strict=True)
            found = self._keys.take(form)
        return found


def _flags(words: list[str], lower: list[str]) -> tuple[Bytes, Bools, Bools]:
    """Return the clitic, whether a dot after it may be its own, and whether it is capitalised."""
    size = len(words)
    clitic = np.fromiter(map(_CLITICS.get, lower, repeat(CLITIC_NONE)), np.uint8, size)
    first = "".join([word[0] for word in words]).encode("utf-32-le", "surrogatepass")
    capital = character_classes(np.frombuffer(first, np.uint32)) & UPPER > 0
    dotted = np.fromiter(map(_ABBREVIATIONS.__contains__, lower), np.bool_, size)
    single = np.flatnonzero(np.fromiter(map(len, words), np.int64, size) == 1)
    dotted[single] |= np.array([words[at].isupper() for at in single.tolist()], np.bool_)
    return clitic, dotted, capital
