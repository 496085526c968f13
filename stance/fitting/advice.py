"""Which actors lack labels, beside what repeats and the learning curve say."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stance.corpus import Corpus
from stance.display import count, shown
from stance.reading.actors import ActorBook
from stance.records import Stance
from stance.screens.scores import prospects_lines

LABEL_ROWS = 10  # rows that each label of an actor should have
OFTEN = 20  # texts that must name an actor without labels before labels are advised
SELDOM = 5  # texts below which an actor is too rare for advice
MOST = 10  # actors that get advice

Gap = Mapping[str, Any]  # actor, rows labelled, rows missing in all and by label, text


@dataclass(frozen=True, slots=True)
class LabellingAdvice:
    """The luck of the folds, what more labels would gain, and where they are missing."""

    repeats: Mapping[str, Any]
    learning_curve: Mapping[str, Any] | None  # None if the recipe goes without
    advice: Sequence[Gap]  # the most useful first

    def card(self) -> dict[str, Any]:
        """Return what a model's card keeps."""
        curve = {} if self.learning_curve is None else {"learning_curve": self.learning_curve}
        return {"repeats": self.repeats, **curve}

    def to_json(self) -> dict[str, Any]:
        """Return everything as one object for JSON."""
        return self.card() | {"advice": list(self.advice)}

    def lines(self) -> list[str]:
        """Return a plain-text screen, each line under 80 columns."""
        texts = [gap["text"] for gap in self.advice]
        return prospects_lines(self.repeats, self.learning_curve, texts)


def find_gaps(corpus: Corpus, book: ActorBook) -> list[Gap]:
    """Return the actors that labels would be most useful for, the most useful first.

    That is the number of texts that name an actor or judge it, times the share of the rows it
    should have that is missing.
    """

    def use(gap: tuple[int, Gap]) -> tuple[float, str]:
        texts, (rows, missing) = gap[0], (gap[1]["rows"], gap[1]["missing"]["rows"])
        return -texts * missing / (rows + missing), gap[1]["actor"]

    return [gap for _, gap in sorted(_gaps(corpus, book), key=use)[:MOST]]


def _gaps(corpus: Corpus, book: ActorBook) -> Iterator[tuple[int, Gap]]:
    """Yield actors that lack labels, and how many texts name or judge them."""
    _, first = np.unique(corpus.marks.exact, return_index=True)
    pairs = book.named(corpus.texts[row] for row in first.tolist())
    numbers = np.bincount(pairs[:, 1], minlength=len(book)).tolist()
    named = dict(zip(book.names, numbers, strict=True))
    proper = {name: book.proper_name(name) for name in set(corpus.actors)}
    by_actor: dict[str, list[int]] = {}
    for row, name in enumerate(corpus.actors):
        by_actor.setdefault(proper[name], []).append(row)
    for name, rows in by_actor.items():
        texts = max(len(np.unique(corpus.marks.exact[rows])), named.pop(name, 0))
        labels = np.bincount(corpus.stance[rows], minlength=len(Stance)).tolist()
        missing = {
            str(s): LABEL_ROWS - n for s, n in zip(Stance, labels, strict=True) if n < LABEL_ROWS
        }
        if missing and texts >= SELDOM:
            yield texts, _gap(name, len(rows), missing, f" ({count(len(rows), 'row')}): ")
    for name, texts in named.items():
        if texts >= OFTEN:
            missing = {str(label): LABEL_ROWS for label in Stance}
            yield texts, _gap(name, 0, missing, f": named in {texts:,} texts but never labelled; ")


def _gap(actor: str, rows: int, missing: Mapping[str, int], lead: str) -> Gap:
    more = ", ".join(f"{number} more {label}" for label, number in missing.items())
    text = f"{shown(actor, 40)}{lead}label {more}"
    wanted = {"rows": sum(missing.values()), **missing}
    return {"actor": actor, "rows": rows, "missing": wanted, "text": text}
