"""Rows of a prediction table: what the model said of each input record, as text cells."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from stance.display import shown
from stance.errors import DataError
from stance.features.events import Weights
from stance.model import Judgements, StanceModel
from stance.queries import bad_place, parse_spans, places_advice
from stance.reasons import NO_ANSWER, strongest_words
from stance.records import UNCERTAIN, Sentiment, Stance
from stance.reference import Reference
from stance.tables import Record
from stance.tables.formats import Group
from stance.tables.reading import Fault
from stance.tokens import Bools

MILLION = 1_000_000

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


def millionths(probabilities: Weights) -> NDArray[np.int64]:
    """Round rows of probabilities to millionths that sum to one million.

    The largest remainders are rounded up (Hamilton's method), of equal ones the first.

    Examples
    --------
    >>> millionths(np.array([[1 / 3, 1 / 3, 1 / 3]])).tolist()
    [[333334, 333333, 333333]]
    """
    exact = probabilities * MILLION
    whole = np.floor(exact).astype(np.int64)
    missing = MILLION - whole.sum(axis=1)
    order = np.argsort(-(exact - whole), axis=1, kind="stable")
    rank = np.argsort(order, axis=1, kind="stable")
    rounded: NDArray[np.int64] = whole + (rank < missing[:, None])
    return rounded


def cells(
    labels: Sequence[str], probabilities: Weights, sure: Bools, thresholds: Sequence[float] = ()
) -> list[tuple[str, ...]]:
    """Return label and printed probabilities of each row.

    The label is `UNCERTAIN` where not sure, or where the probability is less than its threshold.
    """
    parts = millionths(probabilities)
    best = parts.argmax(axis=1)
    if len(thresholds):
        sure = sure & (parts.max(axis=1) / MILLION >= np.array(thresholds)[best])
    words = (*labels, UNCERTAIN)
    names = [words[number] for number in np.where(sure, best, len(labels)).tolist()]
    columns = (column.tolist() for column in decimals(parts).T)
    return list(zip(names, *columns, strict=True))


def decimals(parts: NDArray[np.int64]) -> NDArray[np.str_]:
    """Write millionths as decimal fractions.

    Examples
    --------
    >>> decimals(np.array([0, 250_000, 1_000_000])).tolist()
    ['0.000000', '0.250000', '1.000000']
    """
    digits = np.empty((*parts.shape, 8), np.uint32)  # code points of "d.dddddd"
    digits[..., 1] = ord(".")
    rest = parts.astype(np.uint32)
    for place in (7, 6, 5, 4, 3, 2, 0):
        rest, digit = np.divmod(rest, np.uint32(10))
        digits[..., place] = digit + np.uint32(ord("0"))
    text: NDArray[np.str_] = digits.view("U8")[..., 0]
    return text


def answer_groups(
    model: StanceModel, layout: Layout, records: Sequence[Record], name: str
) -> tuple[list[Group], Tally]:
    """Judge input records; return per record its cells and the ends of its output rows.

    Parameters
    ----------
    model : StanceModel
    layout : Layout
    records : sequence of Record
    name : str
        Of the table, for messages.
    """
    texts = [record.cells[layout.text] for record in records]
    judged = _judge(model, layout, records, texts, name)
    tone = _tones(judged, len(records))
    sure = judged.known & (judged.mentions > 0) & ~judged.foreign[judged.para]
    stance = cells(tuple(Stance), judged.stance, sure, layout.thresholds)
    tally = Tally(rows=len(records))
    tally.compare(judged, model.reference)
    by_record: list[list[int]] = [[] for _ in records]
    asked = np.flatnonzero(np.array(judged.actor, object) != "").tolist()
    for number, para in zip(asked, judged.para[asked].tolist(), strict=True):
        by_record[para].append(number)  # an empty cell of an actor column asks for nothing
    tally.answers.update((judged.actor[number], stance[number][0]) for number in asked)
    tally.unknown = int(np.count_nonzero(~sure[asked]))
    tally.named = len(set(judged.para[judged.mentions > 0].tolist()))
    make = _wide if layout.wide else _long
    because = _because(layout, judged, stance)
    groups = list(make(layout, records, judged, by_record, stance, tone, because))
    return groups, tally


def _because(
    layout: Layout, judged: Judgements, stance: Sequence[tuple[str, ...]]
) -> Sequence[tuple[str, ...]]:
    """Return one cell per pair, or none where no words are asked for."""
    if not judged.tilts:
        return [()] * len(stance)
    number = {str(label): place for place, label in enumerate(Stance)}
    answers = np.array([number.get(row[0], NO_ANSWER) for row in stance], np.int64)
    return [(cell,) for cell in strongest_words(judged.tilts, answers, layout.explain)]


def _judge(
    model: StanceModel,
    layout: Layout,
    records: Sequence[Record],
    texts: Sequence[str],
    name: str,
) -> Judgements:
    if layout.actor is None:
        return model.judge(texts, reasons=layout.explain > 0)
    actors = [record.cells[layout.actor].strip() for record in records]
    spans = None
    if layout.spans is not None:
        at = layout.spans
        spans = [
            parse_spans(record.cells[at], text, f"{name}:{record.line}")
            for record, text in zip(records, texts, strict=True)
        ]
    return model.judge_pairs(texts, actors, spans, reasons=layout.explain > 0)


def _tones(judged: Judgements, count: int) -> list[tuple[str, ...]]:
    if judged.sentiment is None:
        return [("", "", "", "")] * count
    return cells(tuple(Sentiment), judged.sentiment, judged.sentiment_known & ~judged.foreign)


_NOTHING = ("", "", "", "")


def _long(
    layout: Layout,
    records: Sequence[Record],
    judged: Judgements,
    by_record: Sequence[Sequence[int]],
    stance: Sequence[tuple[str, ...]],
    tone: Sequence[tuple[str, ...]],
    because: Sequence[tuple[str, ...]],
) -> Iterator[Group]:
    mentions = judged.mentions.tolist()
    given = layout.actor is not None
    empty = ("",) if layout.explain else ()
    for place, (record, pairs) in enumerate(zip(records, by_record, strict=True)):
        row, mood = str(record.number), tone[place]
        tails = [
            (
                row,
                *(() if given else (judged.actor[i],)),
                str(mentions[i]),
                *stance[i],
                *mood,
                *because[i],
            )
            for i in pairs
        ]
        nobody = (row, *(() if given else ("",)), "0", *_NOTHING, *mood, *empty)
        yield record.cells, tails or [nobody]


def _wide(
    layout: Layout,
    records: Sequence[Record],
    judged: Judgements,
    by_record: Sequence[Sequence[int]],
    stance: Sequence[tuple[str, ...]],
    tone: Sequence[tuple[str, ...]],
    because: Sequence[tuple[str, ...]],
) -> Iterator[Group]:
    nothing = (*_NOTHING, "") if layout.explain else _NOTHING
    for place, (record, pairs) in enumerate(zip(records, by_record, strict=True)):
        found = {judged.actor[pair]: (*stance[pair], *because[pair]) for pair in pairs}
        answers = (cell for actor in layout.actors for cell in found.get(actor, nothing))
        yield record.cells, [(str(record.number), *answers, *tone[place])]
