"""A model's answers to texts, by actor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stance.model.judging import StanceModel
from stance.records import UNCERTAIN, Stance

EXACT = 1e-9
"""Difference of probabilities below which two answers are the same."""

BATCH = 1000
"""Texts that are judged at a time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says of one actor in one text.

    Attributes
    ----------
    label : str
        A stance, or uncertain.
    probabilities : tuple of float
        Of the stances and, where the model has it, of the text's sentiment.
    """

    label: str
    probabilities: tuple[float, ...]

    def __str__(self) -> str:
        numbers = " ".join(f"{p:.9f}" for p in self.probabilities[: len(Stance)])
        return f"{self.label} ({numbers})"

    def equals(self, other: "Answer") -> bool:
        """Tell whether both say the same with the same probabilities."""
        mine, theirs = np.array(self.probabilities), np.array(other.probabilities)
        close = mine.shape == theirs.shape and (np.abs(mine - theirs) <= EXACT).all()
        return self.label == other.label and bool(close)  # not where there is no number


NOT_NAMED = Answer("not named", ())
"""The answer for an actor that the model does not find in a text."""

Answers = Mapping[str, Answer]
"""What a model says of one text, by actor."""


def ask(model: StanceModel, texts: Sequence[str], batch: int = BATCH) -> list[Answers]:
    """Judge texts, ``batch`` at a time."""
    return [
        found for low in range(0, len(texts), batch) for found in _ask(model, texts, low, batch)
    ]


def _ask(model: StanceModel, texts: Sequence[str], low: int, batch: int) -> list[Answers]:
    part = texts[low : low + batch]
    judged = model.judge(part)
    labels = list(Stance)
    found: list[dict[str, Answer]] = [{} for _ in part]
    for row, (para, actor) in enumerate(zip(judged.para.tolist(), judged.actor, strict=True)):
        numbers = judged.stance[row].tolist()
        label = str(labels[int(judged.stance[row].argmax())]) if judged.known[row] else UNCERTAIN
        if judged.sentiment is not None:
            numbers += judged.sentiment[para].tolist()
        found[para][actor] = Answer(label, tuple(numbers))
    return list(found)


def answer_for(answers: Answers, actor: str) -> Answer:
    """Return the answer for an actor."""
    return answers.get(actor, NOT_NAMED)
