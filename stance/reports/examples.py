"""The most telling paragraphs for and against an actor, and the words that decided."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stance.arrays import Floats, Ints
from stance.display import shown
from stance.errors import DataError
from stance.model.explanation import Explanation, explain
from stance.reading.spans import parse_spans
from stance.records import AGAINST, FAVOR, Stance
from stance.reports.columns import Places
from stance.reports.frequent import bounded
from stance.tables import Record

if TYPE_CHECKING:
    from stance.corpus import Corpus
    from stance.model.judging import StanceModel

EACH = 3
"""Paragraphs for, and paragraphs against each actor."""

LEAST = 0.5
"""Probability above which a paragraph tells anything."""

LONGEST = 4000
"""Characters of a paragraph that is fit to be shown; longer ones are passed over."""

WORDS = 8
"""Words that are marked."""

STRONG = 0.2
"""Push of a marked word, of the strongest one's."""

SAME = 2e-3
"""Difference of two probabilities that different machines may give to the same answer."""

SIDES = (AGAINST, FAVOR)


@dataclass(frozen=True, slots=True)
class Example:
    """A paragraph, and what the model said of it.

    Attributes
    ----------
    actor : str
    label : int
        Number of the stance.
    probability : float
    chances : tuple of float
        Probabilities of the stances.
    text, source, date, spans, because : str
        Cells of the table; empty where it has none.
    row : int
    marks : tuple of (int, int)
        Where the deciding words stand in the text.
    """

    actor: str
    label: int
    probability: float
    chances: tuple[float, float, float]
    text: str
    source: str
    date: str
    spans: str
    because: str
    row: int
    marks: tuple[tuple[int, int], ...] = ()


class Examples:
    """The most probable paragraphs on either side of some actors; of equal ones the first.

    Attributes
    ----------
    actors : list of str
    kept : dict
        Examples by actor's number and side, the most probable first; no two of the same text.
    """

    def __init__(self, actors: Sequence[str], places: Places) -> None:
        self.actors = list(actors)
        self.kept: dict[tuple[int, int], list[Example]] = {
            (actor, side): [] for actor in range(len(actors)) for side in SIDES
        }
        self._places = places
        # What a probability must exceed; nothing exceeds 1, so neutral answers never do.
        self._least = np.tile((LEAST, 1.0, LEAST, 1.0), (len(actors) + 1, 1))
        self._least[-1] = 1.0

    def add(
        self,
        records: Sequence[Record],
        row: Ints,
        actor: Ints,
        label: Ints,
        chances: Floats,
    ) -> None:
        """Look through some answers; an actor's number is -1, or too large, where none is kept."""
        if self._places.text is None:
            return
        group = np.where((actor >= 0) & (actor < len(self.actors)), actor, -1)
        top = chances.max(axis=1)
        for at in np.flatnonzero(top > self._least[group, label]).tolist():
            key = (int(group[at]), int(label[at]))
            if top[at] > self._least[key]:
                self._keep(key, self._example(records[at].cells, int(row[at]), key[1], chances[at]))

    def _keep(self, key: tuple[int, int], example: Example) -> None:
        listed = self.kept[key]
        if len(example.text) > LONGEST or any(other.text == example.text for other in listed):
            return
        listed.append(example)
        listed.sort(key=lambda each: -each.probability)  # stable, so the first of equals stays
        del listed[EACH:]
        if len(listed) == EACH:
            self._least[key] = listed[-1].probability

    def _example(self, cells: tuple[str, ...], row: int, label: int, chances: Floats) -> Example:
        places = self._places

        def cell(at: int | None) -> str:
            return "" if at is None else cells[at]

        against, neutral, favor = chances.tolist()
        return Example(
            bounded(cells[places.actor]),
            label,
            max(against, neutral, favor),
            (against, neutral, favor),
            cell(places.text),
            bounded(cell(places.by)),
            bounded(cell(places.over)),
            cell(places.spans),
            cell(places.because)[:LONGEST],
            row,
        )


@dataclass(frozen=True, slots=True)
class Marked:
    """Examples with their words marked.

    Attributes
    ----------
    kept : dict
        As in `Examples`.
    reproduced : bool or None
        Whether the model gives the probabilities of the table; None where it was not asked.
    """

    kept: dict[tuple[int, int], list[Example]]
    reproduced: bool | None


def mark(examples: Examples, model: "StanceModel | None") -> Marked:
    """Mark the words that decided: by the model, if its answers are those of the table.

    Else by the words that the table's column ``because`` names, where it has one.
    """
    every = [each for listed in examples.kept.values() for each in listed]
    if model is not None and every:
        kept = {}
        reproduced = True
        for key, listed in examples.kept.items():
            explained = [_explained(model, each) for each in listed]
            reproduced &= all(each is not None for each in explained)
            kept[key] = [each for each in explained if each is not None]
        if reproduced:
            return Marked(kept, True)
    kept = {key: [_by_because(each) for each in listed] for key, listed in examples.kept.items()}
    return Marked(kept, None if model is None or not every else False)


def _explained(model: "StanceModel", example: Example) -> Example | None:
    """Return an example with its words marked, None where the model answers otherwise."""
    try:
        spans = parse_spans(example.spans, example.text, "spans")
    except DataError:  # then stance predict did not write this table
        return None
    found = explain(model, example.text, example.actor, spans)[0]
    if max(abs(a - b) for a, b in zip(found.probabilities, example.chances, strict=True)) > SAME:
        return None
    text = as_written(example.text, found)
    return replace(example, text=text, marks=deciding_words(found, example.label))


def deciding_words(found: Explanation, label: int) -> tuple[tuple[int, int], ...]:
    """Return where the words stand that pushed an answer most toward a label, in reading order."""
    pushes = [(r.push[label] - sum(r.push) / len(r.push), r.start, r.end) for r in found.words]
    strongest = sorted(pushes, key=lambda each: -each[0])[:WORDS]
    least = max(STRONG * strongest[0][0], 1e-9) if strongest else 0.0
    return tuple(sorted((start, end) for push, start, end in strongest if push >= least))


def as_written(text: str, found: Explanation) -> str:
    """Return a text as it was written, if its words stand where the explanation says."""
    return text if len(found.text) == len(text) else found.text


_REASON = re.compile(r"(\S+?)\(([+\-−]?\d+(?:\.\d+)?)\)")


def _by_because(example: Example) -> Example:
    """Return an example with the words marked that its column ``because`` names."""
    words = {word for word, _ in _REASON.findall(example.because)[:WORDS]}
    marks = [
        found.span()
        for word in sorted(words)
        for found in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", example.text)
    ]
    apart: list[tuple[int, int]] = []
    for start, end in sorted(marks):
        if not apart or start >= apart[-1][1]:
            apart.append((start, end))
    return replace(example, marks=tuple(apart))


def where_found(example: Example) -> str:
    """Return where an example stands, for its reader."""
    parts = [example.source, example.date, f"row {example.row:,}"]
    return ", ".join(shown(part, 80) for part in parts if part)


# --- Wrong answers ---

MISTAKES = 8
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


def worst_mistakes(model: "StanceModel", corpus: "Corpus") -> list[Mistake]:
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
        if len(found) == MISTAKES:
            break
    return found
