"""The words that push each answer of a batch most, with their exact contributions.

A label's score is a sum over words, so what a word adds to *favor* minus *against* is exact:
``condemned(-0.42)`` pushes toward against, ``praised(+0.31)`` toward favor, in every row. The actor
judged and other actors are written as `ACTOR` and `OTHERS`: their pushes are those of the pattern
around the mention, not a verdict on the name.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stance.arrays import Floats, Ints
from stance.features.pairs import Pairs, run_starts
from stance.reading.words import NOBODY
from stance.records import AGAINST, FAVOR, NO_ANSWER

ACTOR, OTHERS = "[actor]", "[other]"  # what is written for mentions: one word each
LEAST_PUSH = 0.005  # smaller pushes would be written as zero, and are left out
MOST_WORDS = 6  # that are named as the reason for an answer
STRONG = 0.3  # least push of such a word, of the strongest one's

_ACTOR, _OTHERS, _PLAIN = range(3)


def net_push(push: Floats) -> Floats:
    """Return how far pushes of shape (..., n_labels) go toward favor (+) or against (-)."""
    net: Floats = push[..., FAVOR] - push[..., AGAINST]
    return net


@dataclass(frozen=True, slots=True)
class Pushes:
    """How far each word of each pair pushes toward favor (+) or against (-)."""

    pairs: Pairs
    values: Floats  # one per entry of the pairs, in units of scores before the temperature

    @classmethod
    def none(cls, pairs: Pairs) -> "Pushes":
        """Return pushes of zero, to be added to."""
        return cls(pairs, np.zeros(len(pairs.row)))

    def add(self, pair: Ints, word: Ints, push: Floats) -> None:
        """Add how far occurrences of features push; those of the whole paragraph do not count."""
        at = np.flatnonzero((word >= 0) & (push != 0))
        pair, word = pair.take(at), word.take(at)
        shift = self.pairs.first[:-1] - self.pairs.words.first.take(self.pairs.para)
        entry = word + shift.take(pair)
        self.values[:] += np.bincount(entry, push.take(at), len(self.values))

    def mentions(self, pair: int) -> list[int]:
        """Return the words that name a pair's actor."""
        named = self.pairs.mention[self.pairs.owner == pair]
        return self.pairs.word.take(named).tolist()  # type: ignore[no-any-return]

    def deciding(self, pair: int, answer: int) -> dict[int, float]:
        """Return the words that push most toward a pair's answer, the strongest first.

        Names of actors are left out. Of a neutral answer, words count that push either way.
        """
        entries = slice(self.pairs.first[pair], self.pairs.first[pair + 1])
        words, pushes = self.pairs.word[entries], self.values[entries]
        sign = {AGAINST: -1.0, FAVOR: 1.0}.get(answer, 0.0)
        strength = sign * pushes if sign else np.abs(pushes) * (answer != NO_ANSWER)
        strength = np.where(self.pairs.words.who.take(words) == NOBODY, strength, 0.0)
        least = max(STRONG * strength.max(initial=0.0), LEAST_PUSH)
        order = np.argsort(-strength, kind="stable")[:MOST_WORDS]
        return {int(words[at]): float(pushes[at]) for at in order if strength[at] >= least}

    def strongest(self, answer: Ints, most: int) -> list[str]:
        """Return the words, at most so many, that push most toward each pair's answer.

        A word counts with the sum of its pushes, as do the actor and all other actors. Neutral
        answers get the strongest words either way; `NO_ANSWER` gets none.
        """
        spelling = self._spellings()
        entry, value = self._by_word(spelling)
        row = self.pairs.row.take(entry)
        wanted = np.array([-1.0, 0.0, 1.0, np.nan])[answer].take(row)
        strength = np.where(wanted == 0, np.abs(value), wanted * value)
        kept = np.flatnonzero(strength >= LEAST_PUSH)  # NaN is not: no answer, no words
        row, value, strength = row[kept], value[kept], strength[kept]
        spelling = spelling[entry[kept]]
        cells = [""] * self.pairs.count
        for _ in range(most):
            best = _largest(row, strength)
            if not len(best):
                break
            texts = self._texts(spelling[best])
            pushes = value[best].tolist()
            for at, text, push in zip(row[best].tolist(), texts, pushes, strict=True):
                cells[at] += f" {text}({push:+.2f})" if cells[at] else f"{text}({push:+.2f})"
            strength[best] = 0.0
        return cells

    def _by_word(self, spelling: Ints) -> tuple[Ints, Floats]:
        """Return the entries where a pair first has a spelling, in order, and its summed push."""
        code = self.pairs.row * (spelling.max(initial=0) + 1) + spelling
        _, entry, place = np.unique(code, return_index=True, return_inverse=True)
        value = np.bincount(place, self.values, len(entry)).astype(np.float64)
        first = np.argsort(entry)
        return entry.take(first).astype(np.int64), value.take(first)

    def _spellings(self) -> Ints:
        """Return one number per spelling, and one each for `ACTOR` and `OTHERS`."""
        words = self.pairs.words
        spelling = words.type + _PLAIN
        spelling[words.mentions] = _OTHERS
        found = spelling.take(self.pairs.word)
        found[self.pairs.mention] = _ACTOR
        return found

    def _texts(self, spelling: Ints) -> list[str]:
        strings, names = self.pairs.words.types.strings, (ACTOR, OTHERS)
        return [strings[n - _PLAIN] if n >= _PLAIN else names[n] for n in spelling.tolist()]


def strongest_words(pushes: Sequence[Pushes], answer: Ints, most: int) -> list[str]:
    """Return the words that push most toward the answer of each pair; see `Pushes.strongest`."""
    cells, low = list[str](), 0
    for part in pushes:
        cells += part.strongest(answer[low : low + part.pairs.count], most)
        low += part.pairs.count
    return cells


def _largest(row: Ints, strength: Floats) -> Ints:
    """Return where the first largest positive strength of each row stands; faster than sorting."""
    if not len(row):
        return np.zeros(0, np.int64)
    starts = run_starts(row)
    top = np.repeat(np.maximum.reduceat(strength, starts), np.diff(np.append(starts, len(row))))
    found: Ints = np.flatnonzero((strength == top) & (top > 0))
    return found[run_starts(row[found])]
