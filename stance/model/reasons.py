"""The words that push each answer of a batch most, with their exact contributions.

A label's score is a sum over words, so what a word adds to *favor* minus *against* is exact:
``condemned(-0.42)`` pushes toward against, ``praised(+0.31)`` toward favor, in every row. The actor
judged and other actors are written as `ACTOR` and `OTHERS`: their pushes are those of the pattern
around the mention, not a verdict on the name.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stance.arrays import Floats, Ints, stretches
from stance.features.pairs import Pairs, run_starts
from stance.reading.words import NOBODY
from stance.records import AGAINST, FAVOR, NO_ANSWER

ACTOR, OTHERS = "[actor]", "[other]"  # what is written for mentions: one word each
LEAST_PUSH = 0.005  # smaller pushes would be written as zero, and are left out
MOST_WORDS = 6  # that are named as the reason for an answer
STRONG = 0.3  # least push of such a word, of the strongest one's

_MARKS = (ACTOR, OTHERS)


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
        kept = np.flatnonzero((word >= 0) & (push != 0))
        pair, word = pair.take(kept), word.take(kept)
        shift = self.pairs.first[:-1] - self.pairs.words.first.take(self.pairs.para)
        entry = word + shift.take(pair)
        self.values[:] += np.bincount(entry, push.take(kept), len(self.values))

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
        return {
            int(words[place]): float(pushes[place]) for place in order if strength[place] >= least
        }

    def strongest(self, answer: Ints, most: int) -> list[str]:
        """Return the words, at most so many, that push most toward each pair's answer.

        A word counts with the sum of its pushes, as do the actor and all other actors. Neutral
        answers get the strongest words either way; `NO_ANSWER` gets none.
        """
        words, strings = self.pairs.words, self.pairs.words.types.strings
        spelled = words.type + len(_MARKS)
        spelled[words.mentions] = _MARKS.index(OTHERS)
        spelling = spelled.take(self.pairs.word)
        spelling[self.pairs.mention] = _MARKS.index(ACTOR)
        code = self.pairs.row * (spelling.max(initial=0) + 1) + spelling
        _, entry, place = np.unique(code, return_index=True, return_inverse=True)
        value, row = np.bincount(place, self.values, len(entry)), self.pairs.row.take(entry)
        wanted = np.array([-1.0, 0.0, 1.0, np.nan])[answer].take(row)
        strength = np.where(wanted == 0, np.abs(value), wanted * value)
        kept = np.flatnonzero(strength >= LEAST_PUSH)  # NaN is not: no answer, no words
        kept = kept[np.lexsort((entry[kept], -strength[kept], row[kept]))]
        row, starts = row[kept], run_starts(row[kept])
        first = stretches(np.zeros_like(starts), np.diff(np.append(starts, len(kept)))) < most
        columns = row[first], spelling[entry[kept[first]]], value[kept[first]]
        cells = [list[str]() for _ in range(self.pairs.count)]
        for pair, number, push in zip(*(column.tolist() for column in columns), strict=True):
            word = _MARKS[number] if number < len(_MARKS) else strings[number - len(_MARKS)]
            cells[pair].append(f"{word}({push:+.2f})")
        return [" ".join(cell) for cell in cells]


def strongest_words(pushes: Sequence[Pushes], answer: Ints, most: int) -> list[str]:
    """Return the words that push most toward the answer of each pair; see `Pushes.strongest`."""
    cells, low = list[str](), 0
    for part in pushes:
        cells += part.strongest(answer[low : low + part.pairs.count], most)
        low += part.pairs.count
    return cells
