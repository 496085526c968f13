"""The trained model: paragraphs in, probabilities out; numpy only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from stance.arrays import Bools, Floats, Floats32, Ints, Ints32
from stance.features.pairs import lay_out
from stance.model.familiarity import Acquaintance, Reference, Vocabulary
from stance.model.heads import Head
from stance.model.reasons import Tilts
from stance.reading.actors import ActorBook
from stance.reading.keys import Fingerprints
from stance.reading.lexicon import Lexicon
from stance.reading.spans import BATCH, make_query
from stance.reading.text import join_normalised
from stance.reading.words import NOBODY, Reader, Words
from stance.recipe import Recipe

ENTRIES = 1_000_000
"""Words of pairs that are laid out at a time, about 100 MB of working space.

A paragraph as long as a book that names every actor would otherwise take some gigabytes.
"""


def withheld(known: Bools | bool, foreign: Bools | bool, named: Bools | bool = True) -> Bools:
    """Return where no answer is given, whatever its probability.

    That is where no word is known to the model, where the paragraph is in a language that the
    model was not trained on, and where it does not name the actor.
    """
    return np.logical_not(known) | np.logical_not(named) | foreign


@dataclass(frozen=True, slots=True)
class Judgements:
    """What a model says of a batch of paragraphs.

    Attributes
    ----------
    para : ndarray of shape (n_pairs,)
        Paragraph of each (paragraph, actor) pair, in order.
    actor : tuple of str
        Actor of each pair.
    number : ndarray of shape (n_pairs,)
        Number of the actor in the book, or as in `stance.features.pairs.lay_out`.
    mentions : ndarray of shape (n_pairs,)
        How often the paragraph names the actor.
    stance : ndarray of shape (n_pairs, 3)
        Probabilities in the order of `stance.records.Stance`.
    known : ndarray of bool of shape (n_pairs,)
        False where no word of the paragraph is known to the model.
    sentiment : ndarray of shape (n_paragraphs, 3) or None
        Probabilities in the order of `stance.records.Sentiment`.
    sentiment_known : ndarray of bool of shape (n_paragraphs,)
    acquaintance : Acquaintance
        How well the model knows the words of each paragraph.
    foreign : ndarray of bool of shape (n_paragraphs,)
        True where the paragraph is in a language that the model was not trained on.
    tilts : tuple of Tilts
        How far each word pushes the stance, for some of the pairs after the other; empty where
        that was not asked for.
    """

    para: Ints
    actor: tuple[str, ...]
    number: Ints
    mentions: Ints
    stance: Floats
    known: Bools
    sentiment: Floats | None
    sentiment_known: Bools
    acquaintance: Acquaintance
    foreign: Bools
    tilts: tuple[Tilts, ...] = ()

    @property
    def withheld(self) -> Bools:
        """Which pairs get no stance."""
        return withheld(self.known, self.foreign[self.para], self.mentions > 0)

    @property
    def tone_withheld(self) -> Bools:
        """Which paragraphs get no sentiment."""
        return withheld(self.sentiment_known, self.foreign)


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Held-out stance answers, from which `stance.runs.abstention` finds when to withhold one.

    Rows stand in random order.

    Attributes
    ----------
    confidence : ndarray of float32 of shape (n_rows,)
        Probability of the predicted class.
    predicted : ndarray of int32 of shape (n_rows,)
        Number of the class, in the order of `stance.records.Stance`.
    correct : ndarray of bool of shape (n_rows,)
    document : ndarray of int32 of shape (n_rows,)
        Number of the document; rows of one document depend on each other.
    """

    confidence: Floats32
    predicted: Ints32
    correct: Bools
    document: Ints32


@dataclass(frozen=True)
class StanceModel:
    """A trained model; `stance.fitting` makes one, `stance.storage` keeps it in a file.

    Attributes
    ----------
    book : ActorBook
    lexicon : Lexicon
    recipe : Recipe
    stance : Head
    sentiment : Head or None
        None where the corpus had no sentiment labels.
    control : Head
        Target-blind baseline, trained on the same rows.
    fingerprints : Fingerprints
        Compact hashes of the training texts, to notice leakage.
    card : mapping
        What the manifest tells beside that: data, versions, scores, limits. JSON values only.
    calibration : Calibration or None
        None where the model cannot say when to withhold an answer.
    """

    book: ActorBook
    lexicon: Lexicon
    recipe: Recipe
    stance: Head
    sentiment: Head | None
    control: Head
    fingerprints: Fingerprints
    card: Mapping[str, Any]
    calibration: Calibration | None = None

    @cached_property
    def reader(self) -> Reader:
        """The reader that lays out paragraphs for the heads."""
        return Reader(self.book, self.lexicon, self.recipe.language)

    @cached_property
    def reference(self) -> Reference | None:
        """What the training paragraphs were like; None where the card does not say."""
        table = self.card.get("reference")
        return None if table is None else Reference.from_table(table)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The words that the heads know."""
        return Vocabulary(self.stance, self.control)

    def __getstate__(self) -> dict[str, Any]:
        # The reader holds a stemmer, which cannot be pickled; a copy makes its own.
        made = ("reader", "vocabulary")
        return {name: value for name, value in self.__dict__.items() if name not in made}

    def judge(self, texts: Sequence[str], *, reasons: bool = False) -> Judgements:
        """Judge every actor of the book that each paragraph names.

        Parameters
        ----------
        texts : sequence of str
            Paragraphs as written; they are normalised here.
        reasons : bool
            Whether to tell how far each word pushes.
        """
        words = self.reader.words(join_normalised(texts))
        para, actor, mentions = words.named_actors()
        names = tuple(map(self.book.names.__getitem__, actor.tolist()))
        return self._judge(words, para, actor, mentions, names, reasons)

    def judge_pairs(
        self,
        texts: Sequence[str],
        actors: Sequence[str],
        spans: Sequence[Sequence[tuple[int, int]] | None] | None = None,
        *,
        reasons: bool = False,
    ) -> Judgements:
        """Judge exactly one given actor per paragraph.

        Parameters
        ----------
        texts, actors : sequence of str
            An actor that is not in the book is looked for by its literal name.
        spans : sequence of (sequence of (int, int) or None), optional
            Character offsets of the actor in the text as written, end-exclusive; where None the
            actor is looked for.
        reasons : bool
            Whether to tell how far each word pushes.
        """
        query = make_query(self.book, texts, actors, spans)
        words = self.reader.words(query.texts, query.spans)
        mentions = words.count_mentions(query.para, query.actor)
        return self._judge(words, query.para, query.actor, mentions, tuple(actors), reasons)

    def probabilities(
        self,
        texts: Sequence[str],
        actors: Sequence[str],
        spans: Sequence[Sequence[tuple[int, int]] | None] | None = None,
    ) -> Floats:
        """Return the stance probabilities of any number of pairs, of shape (n_pairs, 3).

        See `judge_pairs`; pairs are judged some at a time, which does not change their answers.
        """
        found = [np.zeros((0, len(self.stance.labels)))]
        for low in range(0, len(texts), BATCH):
            part = slice(low, low + BATCH)
            own = None if spans is None else spans[part]
            found.append(self.judge_pairs(texts[part], actors[part], own).stance)
        return np.concatenate(found)

    def judge_blind(self, texts: Sequence[str]) -> Floats:
        """Return the target-blind head's stance probabilities of each paragraph."""
        words = self.reader.words(join_normalised(texts))
        whole = lay_out(words, np.arange(len(texts)), np.full(len(texts), NOBODY))
        scores, _ = self.control.scores(self.reader, whole)
        return self.control.probabilities(scores)

    def _judge(
        self,
        words: Words,
        para: Ints,
        actor: Ints,
        mentions: Ints,
        names: tuple[str, ...],
        reasons: bool,
    ) -> Judgements:
        count = len(words.first) - 1
        found = []
        for part in _portions(words, para):
            pairs = lay_out(words, para[part], actor[part])
            tilts = Tilts.none(pairs) if reasons else None
            found.append((*self.stance.scores(self.reader, pairs, tilts), tilts))
            del pairs  # before the next ones are laid out
        scores, known = (np.concatenate([one[i] for one in found]) for i in (0, 1))
        sentiment, sentiment_known = None, np.zeros(count, np.bool_)
        if self.sentiment is not None:
            whole = lay_out(words, np.arange(count), np.full(count, NOBODY))
            tone, sentiment_known = self.sentiment.scores(self.reader, whole)
            sentiment = self.sentiment.probabilities(tone)
        acquaintance = self.vocabulary.read(self.reader, words)
        return Judgements(
            para=para,
            actor=names,
            number=actor,
            mentions=mentions,
            stance=self.stance.probabilities(scores),
            known=known,
            sentiment=sentiment,
            sentiment_known=sentiment_known,
            acquaintance=acquaintance,
            foreign=acquaintance.foreign(self.reference),
            tilts=tuple(tilts for _, _, tilts in found if tilts is not None),
        )


def _portions(words: Words, para: Ints) -> list[slice]:
    """Cut pairs into portions of at most `ENTRIES` words, or of one pair."""
    sizes = (words.first[1:] - words.first[:-1])[para]
    cuts, total = [0], 0
    for pair, size in enumerate(sizes.tolist() if sizes.sum() > ENTRIES else ()):
        if total + size > ENTRIES and pair > cuts[-1]:
            cuts.append(pair)
            total = 0
        total += size
    return [slice(low, high) for low, high in pairwise([*cuts, len(para)])]
