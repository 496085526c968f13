"""A model's answers to a batch of paragraphs, which of them it withholds, and what pushed them.

A label's score is a sum over words, so what a word adds to *favor* minus *against* is exact:
``condemned(-0.42)`` pushes toward against, ``praised(+0.31)`` toward favor, in every row. The actor
judged and other actors are written as `ACTOR` and `OTHERS`: their pushes are those of the pattern
around the mention, not a verdict on the name.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stance.arrays import Bools, Floats, Ints, stretches
from stance.errors import load_extra
from stance.features import Pairs, run_starts
from stance.features.occurrences import Occurrences
from stance.model.abstention import LanguageCheck
from stance.model.heads import BlockWeights, Columns
from stance.model.holders import NAMES
from stance.model.passages import Answer, Passage, Verdict
from stance.reading.frames import Frame, describe, frames_read
from stance.reading.text import raw_spans
from stance.reading.words import NOBODY, Words
from stance.records import ANSWERS, FAVOR, NO_ANSWER, SIDES, TONES, UNCERTAIN, Sentiment, Stance

ACTOR, OTHERS = "[actor]", "[other]"  # what is written for mentions: one word each
LEAST_PUSH = 0.005  # smaller pushes would be written as zero, and are left out
MOST_WORDS = 6  # that are named as the reason for an answer
STRONG = 0.3  # least push of such a word, of the strongest one's


class Pushes(NamedTuple):
    """How far each word of each pair pushes toward favor (+) or against (-)."""

    pairs: Pairs
    values: Floats  # one per entry of the pairs, in units of scores before the temperature

    def add(
        self, before: int, _: BlockWeights, one: Occurrences, columns: Columns, weight: Floats
    ) -> None:
        """Add how far the features of words push, in pairs after so many others."""
        push = np.atleast_2d(columns[FAVOR - 1].take(one.number)).sum(axis=0) * weight
        kept = np.flatnonzero((one.word >= 0) & (push != 0))
        shift = self.pairs.first[:-1] - self.pairs.words.first.take(self.pairs.para)
        entry = one.word.take(kept) + shift.take(one.pair.take(kept) + before)
        self.values[:] += np.bincount(entry, push.take(kept), len(self.values))

    def deciding(self, pair: int, answer: int) -> list[tuple[int, int, float]]:
        """Return the words, except names, that push most toward a pair's answer, in order.

        Each has the number of its first word and of its last one, which differ in a phrase.
        """
        entries = slice(self.pairs.first[pair], self.pairs.first[pair + 1])
        first, last = self.pairs.words.once(_phrases)
        words, place = np.unique(first.take(self.pairs.word[entries]), return_inverse=True)
        pushes = np.bincount(place, self.values[entries], len(words))
        strength = _toward(np.array(answer), pushes)
        strength[self.pairs.words.who.take(words) != NOBODY] = 0.0
        least = max(STRONG * strength.max(initial=0.0), LEAST_PUSH)
        order = np.argsort(-strength, kind="stable")[:MOST_WORDS]
        order = order[strength.take(order) >= least]
        columns = words.take(order), last.take(words.take(order)), pushes.take(order)
        return list(zip(*(column.tolist() for column in columns), strict=True))

    def strongest(self, answer: Ints, most: int) -> list[str]:
        """Return the words, at most so many, whose pushes sum to most toward each pair's answer.

        Neutral answers get the strongest words either way; `NO_ANSWER` gets none.
        """
        words, strings = self.pairs.words, [ACTOR, OTHERS, *self.pairs.words.types.strings]
        spelled = words.type + 2
        (first, last), phrases = words.once(_phrases), dict[str, int]()
        for word in np.flatnonzero((first == np.arange(len(first))) & (first < last)).tolist():
            spelling = spelled[word : last[word] + 1]
            phrase = " ".join(map(strings.__getitem__, spelling.tolist()))
            spelling[:] = phrases.setdefault(phrase, len(strings) + len(phrases))
        strings += phrases
        spelled[words.mentions] = strings.index(OTHERS)
        spelling = spelled.take(self.pairs.word)
        spelling[self.pairs.mention] = strings.index(ACTOR)
        code: Ints = self.pairs.row.astype(np.int64) * len(strings) + spelling
        _, entry, place = np.unique(code, return_index=True, return_inverse=True)
        value, row = np.bincount(place, self.values, len(entry)), self.pairs.row.take(entry)
        strength = _toward(answer.take(row), value)
        kept = np.flatnonzero(strength >= LEAST_PUSH)
        kept = kept[np.lexsort((entry[kept], -strength[kept], row[kept]))]
        starts = run_starts(row[kept])
        rank = stretches(np.zeros_like(starts), np.diff(starts, append=len(kept)))
        kept = kept[rank < most]
        columns = row[kept], spelling[entry[kept]], value[kept]
        cells = [list[str]() for _ in range(self.pairs.count)]
        for pair, number, push in zip(*(column.tolist() for column in columns), strict=True):
            cells[pair].append(f"{strings[number]}({push:+.2f})")
        return [" ".join(cell) for cell in cells]


def _phrases(words: Words) -> tuple[Ints, Ints]:
    """Return the first and the last word of the judging phrase of each word: else itself."""
    first, last = np.arange(len(words.type)), np.arange(len(words.type))
    for frame in frames_read(words):
        phrase = slice(frame.first, frame.last + 1)
        if (words.who[phrase] == NOBODY).all():
            first[phrase], last[phrase] = frame.first, frame.last
    return first, last


def _toward(answer: Ints, push: NDArray[Any]) -> Floats:
    """Return how far words push toward answers, to neutral either way; NaN for `NO_ANSWER`."""
    sign = np.array([-1.0, 0.0, 1.0, np.nan])[answer]
    return np.where(sign == 0, np.abs(push), sign * push)


@dataclass(frozen=True, repr=False, eq=False)
class Predictions(Sequence[Answer]):
    """A model's answers to a batch of paragraphs, and what they rest on.

    It is a sequence of `Answer`, one per pair of a paragraph and an actor; a notebook shows its
    first paragraphs, with the reason for each answer. Arrays about pairs have n_pairs rows, others
    n_paragraphs.

    Examples
    --------
    >>> import stance
    >>> answers = stance.load_model().judge(["Poland praised NATO and condemned Russia."])
    >>> len(answers), answers[1].actor, answers[1].stance, answers[1].holder
    (3, 'NATO', 'favor', 'Poland')
    >>> [answer.stance for answer in answers if answer.actor == "Russia"]
    ['against']
    """

    para: Ints  #: paragraph of each pair, in order
    actor: tuple[str, ...]  #: of each pair
    number: Ints  #: of each pair's actor, see `stance.features.lay_out`
    mentions: Ints  #: how often the paragraph of each pair names its actor
    stance: Floats  #: probabilities of each pair, in the order of `stance.records.Stance`
    withheld: Bools  #: which pairs get no stance
    sentiment: Floats | None  #: probabilities, in the order of `stance.records.Sentiment`
    tone_withheld: Bools  #: which paragraphs get no sentiment
    language: LanguageCheck
    foreign: Bools  #: whether the language is one that the model was not trained on
    holder: Ints  #: whose stance that of each pair is; 0 where it is neutral or nobody can tell
    holder_probability: Floats  #: of its kind: author, actor or other
    holders: tuple[str, ...]  #: what the numbers stand for
    pushes: Pushes | None = None  #: None unless asked for
    deep: bool = False  #: whether the deep reader is mixed in, of which the pushes say nothing
    page: Callable[[], str | None] = field(default=lambda: None, compare=False)

    def __len__(self) -> int:
        return len(self.para)

    def __getitem__(self, place: Any) -> Any:
        return self._answers[place]

    def _repr_html_(self) -> str | None:
        return self.page()

    def answers(self, thresholds: Sequence[float] = ()) -> list[Answer]:
        """Return the answer to each pair; with thresholds of `abstention`, some are withheld."""
        chosen = self.chosen(thresholds)
        holder = np.where(np.isin(chosen, SIDES), self.holder, 0)
        columns = (
            *(self.para.tolist(), self.actor, self.mentions.tolist()),
            *([ANSWERS[best] for best in chosen.tolist()], map(tuple, self.stance.tolist())),
            [self.holders[number] for number in holder.tolist()],
            self.holder_probability.tolist(),
        )
        return list(map(Answer, *columns))

    _answers = cached_property(answers)

    def chosen(self, thresholds: Sequence[float] = ()) -> Ints:
        """Return the number of each pair's stance, `NO_ANSWER` where it is withheld."""
        best = self.stance.argmax(axis=1)
        least = np.array(thresholds or [0.0] * len(Stance))[best]
        return np.where(self.withheld | (self.stance.max(axis=1) < least), NO_ANSWER, best)

    def passages(self, texts: Sequence[str], thresholds: Sequence[float] = ()) -> list[Passage]:
        """Return the texts as written with answers and reasons, if `pushes` were asked for."""
        if self.pushes is None:
            return []
        words = self.pushes.pairs.words
        verdicts = [list[Verdict]() for _ in words.texts]
        frames = defaultdict[tuple[int, int], list[Frame]](list)  # by paragraph and actor
        for frame in frames_read(words):
            for actor in {frame.agent, frame.patient}:
                frames[int(words.para[frame.cue]), actor].append(frame)
        for pair, answer in enumerate(self.answers(thresholds)):
            mine = frames[answer.paragraph, int(self.number[pair])]
            verdict = self._verdict(self.pushes, pair, answer, texts[answer.paragraph], mine)
            verdicts[answer.paragraph].append(verdict)
        shares = np.zeros(len(texts)) if self.sentiment is None else self.sentiment.max(axis=1)
        return list(map(Passage, texts, map(tuple, verdicts), self.tones(), shares.tolist()))

    def _verdict(
        self, pushes: Pushes, pair: int, answer: Answer, text: str, frames: Sequence[Frame]
    ) -> Verdict:
        """Return an answer with its reasons, and where they stand in the text as written."""
        pairs, words = pushes.pairs, pushes.pairs.words
        label = ANSWERS.index(answer.stance) if answer.stance != UNCERTAIN else NO_ANSWER
        mentions = pairs.word.take(pairs.mention[pairs.owner == pair]).tolist()
        deciding = pushes.deciding(pair, label)
        ends = [*zip(mentions, mentions, strict=True), *(ends for *ends, _ in deciding)]
        places = [(int(words.start[first]), int(words.end[last])) for first, last in ends]
        places = raw_spans(text, places)
        reasons = zip(places[len(mentions) :], deciding, strict=True)
        pushing = tuple((start, end, push) for (start, end), (*_, push) in reasons)
        names = dict(enumerate(self.holders[len(NAMES) :])) | {int(self.number[pair]): answer.actor}
        judgements = dict.fromkeys(describe(frame, words, names) for frame in frames)
        return Verdict(answer, places[: len(mentions)], pushing, tuple(judgements), self.deep)

    def tones(self) -> list[str]:
        """Return each paragraph's sentiment in words; empty if the model judges none."""
        if self.sentiment is None:
            return [""] * len(self.foreign)
        best = np.where(self.tone_withheld, NO_ANSWER, self.sentiment.argmax(axis=1))
        return [TONES[number] for number in best.tolist()]

    def to_frame(self) -> Any:
        """Return the answers as a data frame of pandas, a row per pair, in the words of `predict`.

        Its columns are row (number of the paragraph, from 1), actor, mentions, stance and its three
        probabilities, holder, and where the model judges it sentiment with its three.
        """
        answers = self.answers()
        columns: dict[str, Any] = {"row": self.para + 1, "actor": self.actor}
        columns |= {"mentions": self.mentions, "stance": [answer.stance for answer in answers]}
        columns |= zip([f"stance_{label}" for label in Stance], self.stance.T, strict=True)
        columns["holder"] = [answer.holder for answer in answers]
        if self.sentiment is not None:
            columns["sentiment"] = np.array(self.tones(), object)[self.para]
            shares = self.sentiment[self.para].T
            columns |= zip([f"sentiment_{tone}" for tone in Sentiment], shares, strict=True)
        return load_extra("pandas", "to_frame", None).DataFrame(columns)
