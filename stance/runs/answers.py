"""Rows of a prediction table: what the model said of each input record, as text cells."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields

import numpy as np

from stance.arrays import Cells, Ints
from stance.display import shown
from stance.errors import DataError
from stance.model.familiarity import Reference
from stance.model.judging import Judgements, StanceModel
from stance.model.reasons import strongest_words
from stance.reading.spans import bad_place, parse_spans, places_advice
from stance.records import NO_ANSWER, UNCERTAIN, Sentiment, Stance
from stance.runs.rows import Column, Rows, cells
from stance.tables import Fault, Records

STANCE_COLUMNS = ("stance", *(f"stance_{label}" for label in Stance))
BECAUSE = "because"
SENTIMENT_COLUMNS = ("sentiment", *(f"sentiment_{label}" for label in Sentiment))


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things stand in the input and in the output.

    Attributes
    ----------
    columns : tuple of str
        Of the input.
    text : int
        Place of the paragraph.
    actor, spans : int or None
        Places of the actor to be judged and of its mentions, where the input has them.
    wide : bool
        One row per input row, and columns per actor of the book.
    prefix : str
        Put before the name of each new column.
    actors : tuple of str
        The book's actors, for the wide form.
    thresholds : tuple of float
        Least printed probability of each stance that is given; empty to give every one.
    explain : int
        Words that are named beside each stance, in a column `because`; 0 for no such column.
    """

    columns: tuple[str, ...]
    text: int
    actor: int | None = None
    spans: int | None = None
    wide: bool = False
    prefix: str = ""
    actors: tuple[str, ...] = ()
    thresholds: tuple[float, ...] = ()
    explain: int = 0

    def added(self) -> tuple[str, ...]:
        """Return the names of the new columns."""
        because = [BECAUSE] if self.explain else []
        if self.wide:
            parts = [*map(str, Stance), *because]
            per_actor = [(a, *(f"{a}_{part}" for part in parts)) for a in self.actors]
            names = ["row", *(name for own in per_actor for name in own), *SENTIMENT_COLUMNS]
        else:
            actor = ["actor"] if self.actor is None else []
            names = ["row", *actor, "mentions", *STANCE_COLUMNS, *SENTIMENT_COLUMNS, *because]
        return tuple(self.prefix + name for name in names)

    def fault(self, cells: Sequence[str], line: int) -> Fault | None:
        """Return what is wrong with the spans of a record that starts in a line."""
        if self.spans is None or (part := bad_place(cells[self.spans], cells[self.text])) is None:
            return None
        reason = f"spans '{shown(part, 20)}' is no place in the text"
        return Fault(line, self.columns[self.spans], reason, places_advice(cells[self.text]))

    def check(self, table: str) -> None:
        """Raise where a new column has the name of an input column."""
        names = [*self.columns, *self.added()]
        if len(set(names)) < len(names):
            taken = [name for at, name in enumerate(names) if name in names[:at]]
            raise DataError(
                f"{table}: column '{shown(taken[0])}' would be written twice; choose a prefix for "
                "the new columns, such as --prefix stance_"
            )


@dataclass(slots=True)
class Tally:
    """Counts for the closing summary.

    Attributes
    ----------
    rows, named : int
        Input rows, and those that name an actor.
    answers : Counter
        Answers by (actor, stance).
    unknown : int
        Pairs of which the model knows nothing.
    foreign : int
        Rows in a language that the model was not trained on.
    plain, strange : int
        Plain words of the other rows, and those of them that the model does not know.
    short, long : int
        Rows below the lowest and above the highest kept quantile of the training paragraphs.
    """

    rows: int = 0
    named: int = 0
    unknown: int = 0
    foreign: int = 0
    plain: int = 0
    strange: int = 0
    short: int = 0
    long: int = 0
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, other: "Tally") -> None:
        """Add the counts of another part."""
        for key in COUNTS:
            setattr(self, key, getattr(self, key) + getattr(other, key))
        self.answers.update(other.answers)

    def compare(self, judged: Judgements, reference: Reference | None) -> None:
        """Count what tells a batch of rows from the training paragraphs."""
        found, own = judged.acquaintance, ~judged.foreign
        self.foreign += int(judged.foreign.sum())
        self.plain += int(found.plain[own].sum())
        self.strange += int((found.plain - found.known)[own].sum())
        if reference is not None:
            self.short += int((found.length < reference.length[0]).sum())
            self.long += int((found.length > reference.length[-1]).sum())


COUNTS = tuple(f.name for f in fields(Tally) if f.name != "answers")
"""The numbers of a tally, in order."""


def heads_of(records: Records) -> list[Sequence[str]]:
    """Return the columns of the cells with which rows begin: those of the input, and `row`."""
    return [*records.columns, list(map(str, records.numbers))]


def answer_rows(
    model: StanceModel, layout: Layout, records: Records, name: str
) -> tuple[Rows, Tally]:
    """Judge input records; return the rows of the output.

    Parameters
    ----------
    model : StanceModel
    layout : Layout
    records : Records
    name : str
        Of the table, for messages.
    """
    judged = _judge(model, layout, records, name)
    stance = cells(tuple(Stance), judged.stance, ~judged.withheld, layout.thresholds)
    names, number, asked = _asked(model, layout, judged)
    tally = Tally(
        rows=len(records),
        named=int(np.count_nonzero(np.bincount(judged.para[judged.mentions > 0]))),
        unknown=int(np.count_nonzero(judged.withheld[asked])),
        answers=_count(names, number[asked], stance[0][asked]),
    )
    tally.compare(judged, model.reference)
    answers = [*stance, *_because(layout, judged, stance[0])]
    tones = _tones(judged, len(records))
    heads = heads_of(records)
    if layout.wide:
        return _wide(len(layout.actors), heads, judged, answers, tones), tally
    encoded = np.array([name.encode() for name in names])
    actor = [] if layout.actor is not None else [encoded.take(number)]
    return _long(heads, judged, asked, actor, answers, tones), tally


def _asked(
    model: StanceModel, layout: Layout, judged: Judgements
) -> tuple[Sequence[str], Ints, Ints]:
    """Return names of actors, the number of each pair's, and the pairs that are asked for."""
    if layout.actor is None:
        return model.book.names, judged.number, np.arange(len(judged.number))
    # An empty cell of an actor column asks for nothing.
    found, number = np.unique(np.array(judged.actor, object), return_inverse=True)
    return found.tolist(), number, np.flatnonzero((found != "").take(number))


def _count(names: Sequence[str], number: Ints, labels: Cells) -> Counter[tuple[str, str]]:
    """Return how often each actor has each label."""
    found: Counter[tuple[str, str]] = Counter()
    for label in map(str, (*Stance, UNCERTAIN)):
        times = np.bincount(number[labels == label.encode()]).tolist()
        found.update({(names[at], label): own for at, own in enumerate(times) if own})
    return found


def _because(layout: Layout, judged: Judgements, labels: Cells) -> list[Column]:
    """Return one cell per pair, or no column where no words are asked for."""
    if not judged.tilts:
        return []
    answers = np.full(len(labels), NO_ANSWER)
    for number, label in enumerate(Stance):
        answers[labels == label.encode()] = number
    return [strongest_words(judged.tilts, answers, layout.explain)]


def _judge(
    model: StanceModel,
    layout: Layout,
    records: Records,
    name: str,
) -> Judgements:
    texts = records.columns[layout.text]
    if layout.actor is None:
        return model.judge(texts, reasons=layout.explain > 0)
    actors = [actor.strip() for actor in records.columns[layout.actor]]
    spans = None
    if layout.spans is not None:
        given = records.columns[layout.spans]
        spans = [
            parse_spans(cell, text, f"{name}:{line}")
            for line, text, cell in zip(records.lines, texts, given, strict=True)
        ]
    return model.judge_pairs(texts, actors, spans, reasons=layout.explain > 0)


def _tones(judged: Judgements, count: int) -> list[Cells]:
    if judged.sentiment is None:
        return [np.full(count, b"")] * len(SENTIMENT_COLUMNS)
    return cells(tuple(Sentiment), judged.sentiment, ~judged.tone_withheld)


def _long(
    heads: Sequence[Sequence[str]],
    judged: Judgements,
    asked: Ints,
    actor: Sequence[Column],
    answers: Sequence[Column],
    tones: Sequence[Cells],
) -> Rows:
    """Return a row per pair, and one for each record without a pair."""
    count = len(heads[0])
    pairs = np.bincount(judged.para[asked], minlength=count)
    owner = np.repeat(np.arange(count), np.maximum(pairs, 1))
    which = np.full(len(owner), -1)
    which[(pairs > 0).take(owner)] = asked
    mentions = np.append(judged.mentions, 0).take(which, mode="wrap")
    columns = [
        *(_picked(column, which) for column in actor),
        np.arange(mentions.max() + 1).astype(bytes).take(mentions),
        *(_picked(column, which) for column in answers[: len(STANCE_COLUMNS)]),
        *(tone.take(owner) for tone in tones),
        *(_picked(column, which) for column in answers[len(STANCE_COLUMNS) :]),
    ]
    return Rows(heads, owner, columns)


def _picked(column: Column, which: Ints) -> Column:
    """Return the cells of some pairs, and an empty one for the number -1."""
    if isinstance(column, np.ndarray):
        return np.append(column, b"").take(which, mode="wrap")
    return [column[number] if number >= 0 else "" for number in which.tolist()]


def _wide(
    actors: int,
    heads: Sequence[Sequence[str]],
    judged: Judgements,
    answers: Sequence[Column],
    tones: Sequence[Cells],
) -> Rows:
    """Return a row per record, with the same columns for each actor of the book."""
    count = len(heads[0])
    which = np.full((actors, count), -1)
    which[judged.number, judged.para] = np.arange(len(judged.number))
    columns = [_picked(column, own) for own in which for column in answers]
    return Rows(heads, np.arange(count), [*columns, *tones])
