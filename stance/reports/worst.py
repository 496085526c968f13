"""The wrong answers of which a model was most certain, with the words that misled it."""

from dataclasses import dataclass

import numpy as np

from stance.corpus import Corpus
from stance.model.explanation import explain
from stance.model.judging import StanceModel
from stance.records import Stance
from stance.reports.examples import LONGEST, as_written, deciding_words

MOST = 8
"""Wrong answers that are shown."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrong answer.

    Attributes
    ----------
    actor, text, gold, predicted : str
    probability : float
        Of the stance that was predicted.
    marks : tuple of (int, int)
        Where the words stand that pushed the answer.
    where : str
        Source, date and id, as far as the corpus has them.
    """

    actor: str
    text: str
    gold: str
    predicted: str
    probability: float
    marks: tuple[tuple[int, int], ...]
    where: str


def worst_mistakes(model: StanceModel, corpus: Corpus) -> list[Mistake]:
    """Return the most confident wrong answers to a corpus, one of each text."""
    labels = list(map(str, Stance))
    judged = model.probabilities(corpus.texts, corpus.actors, corpus.spans)
    predicted, top = judged.argmax(axis=1), judged.max(axis=1)
    wrong = np.flatnonzero(predicted != corpus.stance)
    found: list[Mistake] = []
    texts: set[str] = set()
    for row in wrong[np.argsort(-top[wrong], kind="stable")].tolist():
        text, actor, label = corpus.texts[row], corpus.actors[row], int(predicted[row])
        if text in texts or len(text) > LONGEST:
            continue
        texts.add(text)
        reasons = explain(model, text, actor, corpus.spans[row])[0]
        names = (corpus.extra.get(name, ()) for name in ("source", "date", "id"))
        found.append(
            Mistake(
                actor,
                as_written(text, reasons),
                labels[int(corpus.stance[row])],
                labels[label],
                float(top[row]),
                deciding_words(reasons, label),
                ", ".join(cells[row] for cells in names if cells and cells[row]),
            )
        )
        if len(found) == MOST:
            break
    return found
