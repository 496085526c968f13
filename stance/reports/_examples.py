"""Paragraphs to show: the most certain answers, and the words that pushed them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from stance.arrays import Floats
from stance.corpus import Corpus
from stance.display import shown
from stance.errors import DataError
from stance.evaluation.answers import judge_pairs
from stance.findings.survey import Places, bounded
from stance.findings.tally import Answered
from stance.model.explanation import Explanation, explain
from stance.model.judging import StanceModel
from stance.reading.spans import parse_spans
from stance.records import NO_ANSWER, SIDES, Stance
from stance.tables import months_of

EACH = 3  # paragraphs for, and paragraphs against each actor
LEAST = 0.5  # probability that a paragraph must exceed to be shown
LONGEST = 4000  # characters of a paragraph that is fit to be shown; longer ones are passed over
WORDS = 8  # words that are marked
STRONG = 0.2  # push of a marked word, of the strongest one's
SAME = 2e-3  # difference of two probabilities that different machines may give to the same answer
MISTAKES = 8  # wrong answers that are shown
WINDOW = 700  # characters of a paragraph that are shown
Marks = Sequence[tuple[int, int]]  # starts and ends of words in a text, in reading order


@dataclass(frozen=True, slots=True)
class Quotation:
    parts: tuple[tuple[str, str], ...]  # texts, each with the stance it is marked for or ""
    source: str


def quotation(text: str, marks: Marks, source: str, side: str) -> Quotation:
    start, end = _window(text, marks)
    parts = [("… ", "")] if start else []
    at = start
    for low, high in marks:
        if low >= at and high <= end:
            parts += [(text[at:low], ""), (text[low:high], side)]
            at = high
    parts.append((text[at:end] + (" …" if end < len(text) else ""), ""))
    return Quotation(tuple(parts), source)


def _window(text: str, marks: Marks) -> tuple[int, int]:
    size = len(text)
    if size <= WINDOW:
        return 0, size

    def marked(start: int) -> int:
        return sum(low >= start and high <= start + WINDOW for low, high in marks)

    starts = [0, *(max(0, low - WINDOW // 4) for low, _ in marks)]
    best = min(max(starts, key=marked), size - WINDOW)
    space = text.rfind(" ", 0, best + 1)
    start = space + 1 if best and best - space < 40 else best
    space = text.find(" ", start + WINDOW)
    return start, space if 0 <= space - start - WINDOW < 40 else min(size, start + WINDOW)


@dataclass(frozen=True, slots=True)
class Example:
    """A paragraph and what the model said of it; cells are empty where the table has none."""

    actor: str
    label: int
    chances: tuple[float, float, float]
    text: str
    source: str
    date: str
    spans: str
    because: str
    row: int
    marks: Marks = ()

    def quotation(self) -> Quotation:
        parts = [self.source, self.date, f"row {self.row:,}"]
        where = ", ".join(shown(part, 80) for part in parts if part)
        source = f"{where}; probability {max(self.chances):.2f}"
        return quotation(self.text, self.marks, source, list(Stance)[self.label])


class Examples:
    """The most probable paragraphs on either side of some actors, by actor's number and side."""

    def __init__(self, actors: Sequence[str], places: Places) -> None:
        self.actors = list(actors)
        self.kept: dict[tuple[int, int], list[Example]] = {
            (actor, side): [] for actor in range(len(actors)) for side in SIDES
        }
        self._places = places
        # What a probability must exceed; nothing exceeds 1, so neutral answers never do.
        self._least = np.tile((LEAST, 1.0, LEAST, 1.0), (len(actors) + 1, 1))
        self._least[-1] = 1.0

    def add(self, answered: Answered) -> None:
        """Look through some answers; an actor's number is too large where none is kept."""
        if self._places.text is None:
            return
        actor, label, chances = answered.actor, answered.label, answered.chances
        group = np.where((actor >= 0) & (actor < len(self.actors)), actor, -1)
        top = chances.max(axis=1)
        for at in np.flatnonzero(top > self._least[group, label]).tolist():
            key = (int(group[at]), int(label[at]))
            if top[at] > self._least[key]:
                cells, row = answered.records[at].cells, int(answered.row[at])
                self._keep(key, self._example(cells, row, key[1], chances[at]))

    def _keep(self, key: tuple[int, int], example: Example) -> None:
        listed = self.kept[key]
        if len(example.text) > LONGEST or any(other.text == example.text for other in listed):
            return
        listed.append(example)
        listed.sort(key=lambda each: -max(each.chances))  # stable, so the first of equals stays
        del listed[EACH:]
        if len(listed) == EACH:
            self._least[key] = max(listed[-1].chances)

    def _example(self, cells: tuple[str, ...], row: int, label: int, chances: Floats) -> Example:
        places = self._places

        def cell(at: int | None) -> str:
            return "" if at is None else cells[at]

        against, neutral, favor = chances.tolist()
        return Example(
            actor=bounded(places.actor_of(cells)),
            label=label,
            chances=(against, neutral, favor),
            text=cell(places.text),
            source=bounded(cell(places.by)),
            date=bounded(cell(places.over)),
            spans=cell(places.spans),
            because=cell(places.because)[:LONGEST],
            row=row,
        )


@dataclass(frozen=True, slots=True)
class Marked:
    kept: dict[tuple[int, int], list[Example]]
    reproduced: bool | None  # whether the model gives the table's probabilities; None: not asked

    @property
    def any(self) -> bool:
        return any(each.marks for listed in self.kept.values() for each in listed)


def mark(examples: Examples, model: StanceModel | None) -> Marked:
    """Mark the words that decided: by a model that gives the same answers, else by ``because``."""
    listed, asked = examples.kept, model is not None and any(examples.kept.values())
    if model is not None and asked:
        explained = {key: [_explained(model, each) for each in own] for key, own in listed.items()}
        kept = {key: [each for each in own if each] for key, own in explained.items()}
        if kept == explained:
            return Marked(kept, True)
    kept = {key: [_by_because(each) for each in own] for key, own in listed.items()}
    return Marked(kept, False if asked else None)


def _explained(model: StanceModel, example: Example) -> Example | None:
    """Return an example with its words marked, None if the model answers otherwise."""
    try:
        spans = parse_spans(example.spans, example.text, "spans")
    except DataError:  # then stance predict did not write this table
        return None
    for months in (months_of([example.date]), None):  # predict may have read no dates
        found = explain(model, example.text, example.actor, spans, months)[0]
        pairs = zip(found.probabilities, example.chances, strict=True)
        if max(abs(a - b) for a, b in pairs) <= SAME:
            text = _as_written(example.text, found)
            return replace(example, text=text, marks=_deciding_words(found, example.label))
    return None


def _deciding_words(found: Explanation, label: int) -> Marks:
    """Return where the words stand that pushed an answer most toward a label, in reading order."""
    pushes = [(r.push[label] - sum(r.push) / len(r.push), r.start, r.end) for r in found.words]
    strongest = sorted(pushes, key=lambda each: -each[0])[:WORDS]
    least = max(STRONG * strongest[0][0], 1e-9) if strongest else 0.0
    return tuple(sorted((start, end) for push, start, end in strongest if push >= least))


def _as_written(text: str, found: Explanation) -> str:
    """Return a text as it was written, if its words stand where the explanation says."""
    return text if len(found.text) == len(text) else found.text


_REASON = re.compile(r"(\S+?)\(([+\-−]?\d+(?:\.\d+)?)\)")


def _by_because(example: Example) -> Example:
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


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrong answer, its probability, and source, date and id as far as the corpus has them."""

    actor: str
    text: str
    gold: str
    predicted: str
    probability: float
    marks: Marks
    where: str

    def quotation(self) -> Quotation:
        side = self.predicted if self.predicted in ("against", "favor") else "neutral"
        return quotation(self.text, self.marks, self.where, side)


def worst_mistakes(model: StanceModel, corpus: Corpus) -> list[Mistake]:
    """Return the most confident wrong answers to a corpus that are given, each text once."""
    labels, answers = list(map(str, Stance)), judge_pairs(model, corpus)
    predicted, top = answers.predicted, answers.confidence
    wrong = np.flatnonzero(~answers.right & (predicted != NO_ANSWER))
    found: dict[str, Mistake] = {}
    for row in wrong[np.argsort(-top[wrong], kind="stable")].tolist():
        text, actor, label = corpus.texts[row], corpus.actors[row], int(predicted[row])
        if text in found or len(text) > LONGEST:
            continue
        reasons = explain(model, text, actor, corpus.spans[row], corpus.months[[row]])[0]
        names = (corpus.extra.get(name, ()) for name in ("source", "date", "id"))
        found[text] = Mistake(
            actor=actor,
            text=_as_written(text, reasons),
            gold=labels[int(corpus.stance[row])],
            predicted=labels[label],
            probability=float(top[row]),
            marks=_deciding_words(reasons, label),
            where=", ".join(cells[row] for cells in names if cells and cells[row]),
        )
        if len(found) == MISTAKES:
            break
    return list(found.values())
