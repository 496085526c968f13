"""Where labels are missing, actor by actor."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stance.arrays import Ints
from stance.corpus import Corpus
from stance.display import count, shown
from stance.reading.actors import ActorBook
from stance.records import Stance
from stance.screens.model import prospects_lines

LABEL_ROWS = 10
"""Rows of an actor that each label should have."""

OFTEN = 20
"""Texts from which on an actor without labels is one that is often named."""

SELDOM = 5
"""Texts below which an actor is too rare to be advised on."""

WIDE = 0.2
"""Width of an actor's interval that more rows should bring down."""

MOST = 10
"""Actors that are advised on."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What an actor lacks.

    Attributes
    ----------
    actor : str
    rows : int
        Labelled ones.
    texts : int
        Texts of the corpus that name the actor or judge it.
    missing : mapping of str to int
        Rows to add: ``rows`` in all, and by label where it has fewer than `LABEL_ROWS`.
    text : str
        One line.
    """

    actor: str
    rows: int
    texts: int
    missing: Mapping[str, int]
    text: str

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
class Prospects:
    """The luck of the folds, what more labels would gain, and where they are missing."""

    repeats: Mapping[str, Any]
    learning_curve: Mapping[str, Any] | None  # None where the recipe goes without
    advice: Sequence[Advice]  # the most useful first

    def card(self) -> dict[str, Any]:
        """Return what a model's card keeps."""
        curve = {} if self.learning_curve is None else {"learning_curve": self.learning_curve}
        return {"repeats": self.repeats, **curve}

    def to_json(self) -> dict[str, Any]:
        """Return everything as one object for JSON."""
        return self.card() | {"advice": [each.to_json() for each in self.advice]}

    def lines(self) -> list[str]:
        """Return a plain-text screen, each line under 80 columns."""
        texts = [each.text for each in self.advice]
        return prospects_lines(self.repeats, self.learning_curve, texts)


def advise(corpus: Corpus, book: ActorBook, scores: Mapping[str, Any]) -> list[Advice]:
    """Tell for which actors labels would be most useful, the most useful first.

    Parameters
    ----------
    corpus : Corpus
    book : ActorBook
    scores : mapping
        ``macro_f1`` of all rows and ``per_actor`` of held-out answers, as
        `stance.evaluation.score` returns them; actors by their names in the book.

    Returns
    -------
    list of Advice
        At most `MOST`.
    """
    named = _texts_naming(corpus, book)
    found = [*_labelled(corpus, book, named, scores), *_never_labelled(corpus, book, named)]
    return sorted(found, key=lambda advice: (-advice.use, advice.actor))[:MOST]


def _texts_naming(corpus: Corpus, book: ActorBook) -> Ints:
    """Return how many texts name each actor of the book."""
    _, first = np.unique(corpus.marks.exact, return_index=True)
    pairs = book.named(corpus.texts[row] for row in first.tolist())
    return np.bincount(pairs[:, 1], minlength=len(book))


def _labelled(
    corpus: Corpus, book: ActorBook, named: Ints, scores: Mapping[str, Any]
) -> Iterator[Advice]:
    """Advise on actors that have labels."""
    written = np.array([book.proper_name(name) for name in corpus.actors], object)
    names, place = np.unique(written, return_inverse=True)
    counts = np.zeros((len(names), len(Stance)), np.int64)
    np.add.at(counts, (place, corpus.stance), 1)
    pairs = np.unique(np.stack([place.astype(np.uint64), corpus.marks.exact]), axis=1)
    judged = np.bincount(pairs[0].astype(np.int64)).tolist()
    for number, name in enumerate(names.tolist()):
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
    listed = ", ".join(f"{rows} more {label}" for label, rows in missing.items())
    return f"label {listed}"


def _by_score(rows: int, score: Mapping[str, Any], whole: float) -> tuple[int, list[str]]:
    """Return how many rows an actor's score asks for, and why."""
    if not score or score["interval"] is None or not score["trusted"]:
        return 0, []
    low, high = score["interval"]
    figure = f"macro-F1 {100 * score['macro_f1']:.1f} [{100 * low:.1f}, {100 * high:.1f}]"
    if high < whole:
        return rows, [
            f"{figure} is below that of all, {100 * whole:.1f}: read its wrong answers, then label "
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
            text = f"{shown(name, 40)}: named in {texts:,} texts and never labelled; {_few(few)}"
            yield Advice(name, 0, texts, {"rows": sum(few.values())} | few, text)
