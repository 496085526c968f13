"""What more labels would gain, and which actors lack them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stance.arrays import Floats, Ints
from stance.corpus import Corpus
from stance.display import count, shown
from stance.evaluation.answers import plain
from stance.fitting.repeats import RepeatedCV
from stance.reading.actors import ActorBook
from stance.reading.keys import numbered
from stance.records import Stance
from stance.screens.scores import prospects_lines

FEWEST_DOCUMENTS = 100
"""Documents below which nothing is said of what more labels would gain."""

# Kappa of successive models' answers from which they are stable (Bloodgood and Vijay-Shanker 2009,
# "A Method for Stopping Active Learning Based on Stabilizing Predictions").
STABLE = 0.99
WORTH = 0.01  # macro-F1 that twice the labels must gain to be worth their while

LABEL_ROWS = 10  # rows that each label of an actor should have
OFTEN = 20  # texts that must name an actor without labels before labels are advised
SELDOM = 5  # texts below which an actor is too rare for advice
WIDE = 0.2  # width of an actor's interval that more rows should bring down
MOST = 10  # actors that get advice


@dataclass(frozen=True, slots=True)
class Advice:
    """What an actor lacks."""

    actor: str
    rows: int  # labelled ones
    texts: int  # that name the actor or judge it
    missing: Mapping[str, int]  # rows in all, and by label if it has fewer than `LABEL_ROWS`
    text: str  # one line

    @property
    def use(self) -> float:
        """Texts that name the actor, times the share of its wanted rows that is missing."""
        wanted = self.missing["rows"]
        return self.texts * wanted / (self.rows + wanted)

    def to_json(self) -> dict[str, Any]:
        """Return the advice as a JSON object."""
        missing = dict(self.missing)
        return {"actor": self.actor, "rows": self.rows, "missing": missing, "text": self.text}


@dataclass(frozen=True, slots=True)
class LabellingAdvice:
    """The luck of the folds, what more labels would gain, and where they are missing."""

    repeats: Mapping[str, Any]
    learning_curve: Mapping[str, Any] | None  # None if the recipe goes without
    advice: Sequence[Advice]  # the most useful first
    stopping: Mapping[str, Any] | None = None  # whether to go on labelling, with a learning curve

    def card(self) -> dict[str, Any]:
        """Return what a model's card keeps."""
        curve = {} if self.learning_curve is None else {"learning_curve": self.learning_curve}
        return {"repeats": self.repeats, **curve}

    def to_json(self) -> dict[str, Any]:
        """Return everything as one object for JSON."""
        stopping = {} if self.stopping is None else {"stopping": self.stopping}
        return self.card() | stopping | {"advice": [each.to_json() for each in self.advice]}

    def lines(self) -> list[str]:
        """Return a plain-text screen, each line under 80 columns."""
        texts = [each.text for each in self.advice]
        return prospects_lines(self.repeats, self.learning_curve, texts, self.stopping)


def learning_curve(repeats: RepeatedCV, bounds: Floats) -> dict[str, Any]:
    """Return the points of a learning curve, and what the last doubling of the labels gained.

    ``doubling`` is the 95 % interval of that gain for documents of the same kind, or None, and then
    ``why`` says why. Curves level off: the next doubling gains less, as a rule.
    """
    mean = repeats.scores.mean(axis=0)
    columns = (repeats.shares, repeats.documents, repeats.rows, mean, *bounds)
    names = ("share", "documents", "rows", "macro_f1", "low", "high")
    points = [dict(zip(names, point, strict=True)) for point in zip(*columns, strict=True)]
    documents = len(repeats.confusion)
    if documents < FEWEST_DOCUMENTS:
        why = f"{count(documents, 'document')} are too few to say what more labels would gain"
        return plain({"points": points, "doubling": None, "why": f"{why}; label 100"})
    if len(points) < 2:
        why = "half of the documents do not hold every class; label more of the rare ones"
        return plain({"points": points, "doubling": None, "why": why})
    return plain({"points": points, "doubling": repeats.gain()})


def advise_stopping(repeats: RepeatedCV, curve: Mapping[str, Any]) -> dict[str, Any]:
    """Return whether to go on labelling: ``verdict`` is go on, stop or open, ``text`` says why.

    Stable answers (`STABLE`) stop, else what the last doubling of the labels gained decides.
    """
    kappa, gain = repeats.kappa, curve["doubling"]
    if kappa is not None and kappa >= STABLE:
        verdict, why = "stop", "answers are stable"
    elif gain is None:
        few = len(repeats.confusion) < FEWEST_DOCUMENTS
        verdict, why = "go on" if few else "open", curve["why"]
    else:
        low, high = gain
        verdict = "stop" if high < WORTH else "go on" if low >= WORTH else "open"
        change = f"macro-F1 by {100 * low:+.1f} to {100 * high:+.1f} points"
        why = f"the last doubling of the labels changed {change}"
    if kappa is not None:
        why += f"; kappa of answers learned from half of the documents and from all: {kappa:.3f}"
    text = {
        "stop": "stop labelling more of the same",
        "go on": "go on labelling",
        "open": "it is open whether more labels help",
    }
    return {"kappa": kappa, "verdict": verdict, "text": f"{text[verdict]}: {why}"}


def advise(corpus: Corpus, book: ActorBook, scores: Mapping[str, Any]) -> list[Advice]:
    """Return for which actors labels would be most useful, the most useful first, at most `MOST`.

    ``scores`` holds ``macro_f1`` and ``per_actor``, as `stance.evaluation.score` returns them.
    """
    _, first = np.unique(corpus.marks.exact, return_index=True)
    pairs = book.named(corpus.texts[row] for row in first.tolist())
    named = np.bincount(pairs[:, 1], minlength=len(book))  # texts by actor
    found = [*_labelled(corpus, book, named, scores), *_never_labelled(corpus, book, named)]
    return sorted(found, key=lambda advice: (-advice.use, advice.actor))[:MOST]


def _labelled(
    corpus: Corpus, book: ActorBook, named: Ints, scores: Mapping[str, Any]
) -> Iterator[Advice]:
    proper = book.topics(corpus.actors)
    names = sorted(set(proper))
    numbers = {name: number for number, name in enumerate(names)}
    place = np.array([numbers[name] for name in proper])
    counts = np.zeros((len(names), len(Stance)), np.int64)
    np.add.at(counts, (place, corpus.stance), 1)
    paragraph, _ = numbered(corpus.marks.exact)
    judged = np.bincount(np.unique(place * len(corpus) + paragraph) // len(corpus)).tolist()
    for number, name in enumerate(names):
        rows, known = int(counts[number].sum()), book.number(name)
        texts = max(judged[number], int(named[known]) if known >= 0 else 0)
        few = {
            str(label): LABEL_ROWS - have
            for label, have in zip(Stance, counts[number].tolist(), strict=True)
            if have < LABEL_ROWS
        }
        score = scores["per_actor"].get(name, {})
        more, reasons = _by_score(rows, score, scores["macro_f1"])
        if few:
            reasons = [_few(few), *reasons]
        if reasons and texts >= SELDOM:
            missing = {"rows": max(more, sum(few.values()))} | few
            text = f"{shown(name, 40)} ({count(rows, 'row')}): {'; '.join(reasons)}"
            yield Advice(name, rows, texts, missing, text)


def _few(missing: Mapping[str, int]) -> str:
    return "label " + ", ".join(f"{rows} more {label}" for label, rows in missing.items())


def _by_score(rows: int, score: Mapping[str, Any], whole: float) -> tuple[int, list[str]]:
    """Return how many rows an actor's score asks for, and why."""
    if not score or score["interval"] is None or not score["trusted"]:
        return 0, []
    low, high = score["interval"]
    figure = f"macro-F1 {100 * score['macro_f1']:.1f} [{100 * low:.1f}, {100 * high:.1f}]"
    if high < whole:
        return rows, [
            f"{figure} is below the overall {100 * whole:.1f}: read its wrong answers, then label "
            "as many again"
        ]
    if high - low > WIDE:
        # An interval narrows with the root of the rows.
        more = 10 * math.ceil(rows * (((high - low) / WIDE) ** 2 - 1) / 10)
        return more, [
            f"{figure} is wide: about {more:,} more rows would narrow it to {100 * WIDE:.0f} points"
        ]
    return 0, []


def _never_labelled(corpus: Corpus, book: ActorBook, named: Ints) -> Iterator[Advice]:
    """Advise on actors that the texts often name and no row judges."""
    judged = {book.number(name) for name in set(corpus.actors)}
    for number, texts in enumerate(named.tolist()):
        if texts >= OFTEN and number not in judged:
            name = book.names[number]
            few = {str(label): LABEL_ROWS for label in Stance}
            text = f"{shown(name, 40)}: named in {texts:,} texts but never labelled; {_few(few)}"
            yield Advice(name, 0, texts, {"rows": sum(few.values())} | few, text)
