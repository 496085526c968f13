"""A model's answers to a batch of paragraphs, and which of them it withholds."""

import importlib.util
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from stance.arrays import Bools, Floats, Ints
from stance.display import brief
from stance.errors import UsageError
from stance.model.familiarity import LanguageCheck
from stance.model.reasons import Pushes
from stance.records import ANSWERS, NEUTRAL, NO_ANSWER, TONES, Sentiment, Stance

_LIBRARIES = ("pandas", "polars", "pyarrow")  # of data frames


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

    Arrays about pairs of a paragraph and an actor have n_pairs rows, others n_paragraphs.
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

    def __repr__(self) -> str:
        return brief("Predictions", paragraphs=len(self.foreign), pairs=len(self.para))

    def to_frame(self, library: str = "pandas") -> Any:
        """Return the answers as a data frame, a row per pair, in the words of `predict`.

        Parameters
        ----------
        library : {"pandas", "polars", "pyarrow"}
            Which must be installed.

        Returns
        -------
        DataFrame
            Columns row (number of the paragraph, from 1), actor, mentions, stance and its three
            probabilities, holder, and where the model judges it sentiment with its three.
        """
        if library not in _LIBRARIES:
            raise UsageError(f"to_frame({library!r}): choose one of {', '.join(_LIBRARIES)}")
        if importlib.util.find_spec(library) is None:
            raise UsageError(f"to_frame({library!r}): is not installed: pip install {library}")
        best = np.where(self.withheld, NO_ANSWER, self.stance.argmax(axis=1))
        took = (best != NO_ANSWER) & (best != NEUTRAL)
        columns: dict[str, Any] = {
            "row": self.para + 1,
            "actor": np.array(self.actor, object),
            "mentions": self.mentions,
            "stance": np.array(ANSWERS, object)[best],
        }
        columns |= {f"stance_{label}": self.stance[:, at] for at, label in enumerate(Stance)}
        columns["holder"] = np.array(self.holders, object)[np.where(took, self.holder, 0)]
        if self.sentiment is not None:
            tone = np.where(self.tone_withheld, NO_ANSWER, self.sentiment.argmax(axis=1))
            columns["sentiment"] = np.array(TONES, object)[tone][self.para]
            for at, label in enumerate(Sentiment):
                columns[f"sentiment_{label}"] = self.sentiment[self.para, at]
        plain = {name: cells.tolist() for name, cells in columns.items()}
        return import_module("narwhals").from_dict(plain, backend=library).to_native()

    @property
    def withheld(self) -> Bools:
        """Which pairs get no stance, of shape (n_pairs,)."""
        return withheld(self.known, self.foreign[self.para], (self.mentions > 0) | self.learned)

    @property
    def tone_withheld(self) -> Bools:
        """Which paragraphs get no sentiment, of shape (n_paragraphs,)."""
        return withheld(self.sentiment_known, self.foreign)
