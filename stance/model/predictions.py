"""A model's answers to a batch of paragraphs, and which of them it withholds."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from itertools import islice
from typing import Any

import numpy as np

from stance.arrays import Bools, Floats, Ints
from stance.display import brief
from stance.model.familiarity import LanguageCheck
from stance.model.holders import NAMES
from stance.model.passages import Answer, Passage, Verdict, notebook_html
from stance.model.reasons import Pushes
from stance.reading.frames import frames_read, told
from stance.reading.text import raw_spans
from stance.records import ANSWERS, NO_ANSWER, SIDES, TONES, UNCERTAIN, Sentiment, Stance

SHOWN = 20  # paragraphs that a notebook shows


def withheld(known: Bools | bool, foreign: Bools | bool, named: Bools | bool = True) -> Bools:
    """Return where a model gives no answer, however probable one is.

    It gives none if it knows no word of the paragraph, if the paragraph is in a language that it
    was not trained on, or if the paragraph does not name the actor and the model has not learned
    the actor as a topic.
    """
    return np.logical_not(known) | np.logical_not(named) | foreign


@dataclass(frozen=True, slots=True)
class Predictions:
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
    number: Ints  #: of each pair's actor, see `stance.features.pairs.lay_out`
    mentions: Ints  #: how often the paragraph of each pair names its actor
    stance: Floats  #: probabilities of each pair, in the order of `stance.records.Stance`
    known: Bools  #: whether the stance head knows any word, by pair
    learned: Bools  #: whether the model has learned the actor as a topic, by pair
    sentiment: Floats | None  #: probabilities, in the order of `stance.records.Sentiment`
    sentiment_known: Bools  #: whether the sentiment head knows any word
    language: LanguageCheck
    foreign: Bools  #: whether the language is one that the model was not trained on
    holder: Ints  #: whose stance that of each pair is; 0 where it is neutral or nobody can tell
    holder_probability: Floats  #: of its kind: author, actor or other
    holders: tuple[str, ...]  #: what the numbers stand for
    pushes: tuple[Pushes, ...] = ()  #: of successive portions of the pairs; empty unless asked for
    explained: "Callable[[], Predictions] | None" = field(default=None, repr=False, compare=False)

    def __repr__(self) -> str:
        return brief("Predictions", paragraphs=len(self.foreign), pairs=len(self.para))

    def __len__(self) -> int:
        return len(self.para)

    def __getitem__(self, place: Any) -> Any:
        return self.answers()[place]

    def __iter__(self) -> Iterator[Answer]:
        return iter(self.answers())

    def _repr_html_(self) -> str:
        shown = self if self.pushes or self.explained is None else self.explained()
        passages = shown.passages() if shown.pushes else []
        return notebook_html(passages[:SHOWN], len(self.foreign) - len(passages[:SHOWN]))

    def answers(self, thresholds: Sequence[float] = ()) -> list[Answer]:
        """Return the answers; with thresholds of `stance.model.abstention`, some are withheld."""
        chosen = self.chosen(thresholds)
        holder = np.where(np.isin(chosen, SIDES), self.holder, 0)
        columns = (
            *(self.para.tolist(), self.actor, self.mentions.tolist()),
            *([ANSWERS[best] for best in chosen.tolist()], map(tuple, self.stance.tolist())),
            *(
                [self.holders[number] for number in holder.tolist()],
                self.holder_probability.tolist(),
            ),
        )
        return list(map(Answer, *columns))

    def chosen(self, thresholds: Sequence[float] = ()) -> Ints:
        """Return the number of each pair's stance, `NO_ANSWER` where it is withheld."""
        best = self.stance.argmax(axis=1)
        withheld = self.withheld
        if len(thresholds):
            withheld = withheld | (self.stance.max(axis=1) < np.array(thresholds)[best])
        return np.where(withheld, NO_ANSWER, best)

    def passages(
        self, texts: Sequence[str] | None = None, thresholds: Sequence[float] = ()
    ) -> list[Passage]:
        """Return the paragraphs with answers and reasons; the model was asked for `pushes`.

        They are shown as they were read, unless the texts as they were written are given.
        """
        words = self.pushes[0].pairs.words
        answers, verdicts = iter(self.answers(thresholds)), [list[Verdict]() for _ in words.texts]
        for pushes in self.pushes:
            for pair, answer in enumerate(islice(answers, pushes.pairs.count)):
                raw = None if texts is None else texts[answer.paragraph]
                verdict = self._verdict(pushes, pair, answer, raw)
                verdicts[answer.paragraph].append(verdict)
        texts = words.texts if texts is None else texts
        shares = np.zeros(len(texts)) if self.sentiment is None else self.sentiment.max(axis=1)
        return list(map(Passage, texts, map(tuple, verdicts), self.tones(), shares.tolist()))

    def _verdict(self, pushes: Pushes, pair: int, answer: Answer, raw: str | None) -> Verdict:
        """Return an answer with its reasons, which stand in the text as written if it is given."""
        words = pushes.pairs.words
        label = ANSWERS.index(answer.stance) if answer.stance != UNCERTAIN else NO_ANSWER
        deciding, mentions = pushes.deciding(pair, label), pushes.mentions(pair)
        places = [(int(words.start[word]), int(words.end[word])) for word in (*mentions, *deciding)]
        if raw is not None:
            places = raw_spans(raw, places)
        n_mentions, number = len(mentions), int(pushes.pairs.actor[pair])
        names = dict(enumerate(self.holders[len(NAMES) :])) | {number: answer.actor}
        frames = dict.fromkeys(
            told(frame, words, names)
            for frame in frames_read(words)
            if int(words.para[frame.cue]) == answer.paragraph
            and number in (frame.agent, frame.patient)
        )
        reasons = zip(places[n_mentions:], deciding.values(), strict=True)
        pushing = tuple((start, end, push) for (start, end), push in reasons)
        return Verdict(answer, places[:n_mentions], pushing, tuple(frames))

    def tones(self) -> list[str]:
        """Return each paragraph's sentiment in words; empty if the model judges none."""
        if self.sentiment is None:
            return [""] * len(self.foreign)
        best = np.where(self.tone_withheld, NO_ANSWER, self.sentiment.argmax(axis=1))
        return [TONES[number] for number in best.tolist()]

    def to_frame(self) -> Any:
        """Return the answers as a data frame of pandas, a row per pair, in the words of `predict`.

        Returns
        -------
        pandas.DataFrame
            Columns row (number of the paragraph, from 1), actor, mentions, stance and its three
            probabilities, holder, and where the model judges it sentiment with its three.
        """
        answers = self.answers()
        columns: dict[str, Any] = {"row": self.para + 1}
        for name in ("actor", "mentions", "stance"):
            columns[name] = [getattr(answer, name) for answer in answers]
        for label, chances in zip(Stance, self.stance.T, strict=True):
            columns[f"stance_{label}"] = chances
        columns["holder"] = [answer.holder for answer in answers]
        if self.sentiment is not None:
            columns["sentiment"] = np.array(self.tones(), object)[self.para]
            for tone, chances in zip(Sentiment, self.sentiment[self.para].T, strict=True):
                columns[f"sentiment_{tone}"] = chances
        return import_module("pandas").DataFrame(columns)

    @property
    def withheld(self) -> Bools:
        """Which pairs get no stance, of shape (n_pairs,)."""
        return withheld(self.known, self.foreign[self.para], (self.mentions > 0) | self.learned)

    @property
    def tone_withheld(self) -> Bools:
        """Which paragraphs get no sentiment, of shape (n_paragraphs,)."""
        return withheld(self.sentiment_known, self.foreign)
