"""The answers of a table in memory, in arrays: what `sample`, `shares` and `report` read."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stance.arrays import Floats, Floats32, Ints, Ints8, Keys
from stance.display import count, shown
from stance.errors import DataError, UsageError
from stance.findings.correction import Surrogate
from stance.findings.periods import Periods, choose_periods
from stance.findings.request import Join, Places, Request, find_places
from stance.label_values import STANCES
from stance.reading.keys import key_of
from stance.records import ANSWERS, SIDES, UNCERTAIN, Stance
from stance.tables import Record, Table, column, day_of, likely, optional_column, rewrite_dates

MISSING = -1  # number of a period or a surrogate's label that an answer does not have
FEWEST_LEANING = 10  # withheld answers that show that a stance is never answered, not rare
BLANK = "(blank)"  # name of a group without one
MOST_ROWS = 1 << 28  # largest row number
_SPELLINGS = {**STANCES, "": MISSING, UNCERTAIN: MISSING}  # of labels that stand in for a coder's


@dataclass(frozen=True, slots=True)
class AnswersTable:
    """Judged pairs in the order of their table, one per answer; all arrays are of their number."""

    table: str  # its name in messages
    columns: tuple[str, ...]
    places: Places
    actors: tuple[str, ...]
    groups: tuple[str, ...]  # () if none are asked for
    periods: Periods | None
    actor: Ints  # number in `actors`
    group: Ints  # number in `groups`; 0 without any
    period: Ints  # number in `periods`; `MISSING` without a date that can be read
    stance: Ints8  # as answered; `len(Stance)` if withheld
    chances: Floats32  # of each stance, of shape (n_pairs, 3)
    document: Ints
    record: Ints  # of the table, from 0
    key: Keys  # of file, document, row and actor, or of what else the labels name
    text: Keys  # of the text; 0 without one
    labels: tuple[tuple[str, Ints8], ...]  # columns that may stand in for labels
    partial: bool  # only some actors were asked for
    notes: tuple[str, ...]
    join: Join = "row"  # what `key` is of
    holders: tuple[str, ...] = ()
    holder: Ints | None = None  # number in `holders`, of which "" is nobody known

    def __len__(self) -> int:
        return len(self.actor)

    @property
    def predicted(self) -> Ints:
        """The likeliest stance of each pair, also where the answer is withheld."""
        likeliest = self.chances.argmax(axis=1)
        return np.where(self.stance < len(Stance), self.stance, likeliest).astype(np.int64)

    @property
    def unanswered(self) -> list[str]:
        """Stances that are never answered, but likeliest in `FEWEST_LEANING` withheld answers."""
        given = np.bincount(self.stance, minlength=len(Stance))[: len(Stance)]
        withheld = self.chances[self.stance == len(Stance)]
        leaning = np.bincount(withheld.argmax(axis=1), minlength=len(Stance))
        return [
            str(label)
            for number, label in enumerate(Stance)
            if given.any() and not given[number] and leaning[number] >= FEWEST_LEANING
        ]

    def surrogates(self) -> tuple[list[Surrogate], list[Surrogate]]:
        """Return what can stand in for labels: the model's answers, and further columns.

        A column that is empty for a pair adds nothing to the model's probabilities there.
        """
        chances = self.chances[:, list(SIDES)].astype(np.float64)
        alternatives = [
            Surrogate("probabilities", chances),
            Surrogate("answers", _sides(self.predicted)),
        ]
        added = [
            Surrogate(name, np.where(values[:, None] >= 0, _sides(values) - chances, 0.0))
            for name, values in self.labels
        ]
        return alternatives, added


def _sides(labels: Ints | Ints8) -> Floats:
    """Return 1 where a label is against or in favor, of shape (n_labels, 2)."""
    return np.asarray(labels[:, None] == np.array(SIDES), np.float64)


def read_population(
    request: Request,
    labels: Sequence[str] = (),
    only: Sequence[str] = (),
    labelled: Sequence[str] = ("row",),
) -> AnswersTable:
    """Read the answers of a table; raise `DataError` if there are none.

    Parameters
    ----------
    request : Request
        The table; groups and periods are read only where it names their columns.
    labels : sequence of str
        Columns of labels that may stand in for a coder's; an empty cell has none.
    only : sequence of str
        Actors whose pairs are read; all if empty.
    labelled : sequence of str
        Columns of the labelled sample, which names the answers by row, by id or by text.
    """
    if request.period and request.over is None:
        raise UsageError("--period is about dates; name their column with --over")
    with request.open() as table:
        places = find_places(table.columns, table.name, request)
        if request.by is None:
            places = replace(places, by=None)
        if request.over is None:
            places = replace(places, over=None)
        else:
            rewrite_dates(table, places.over or 0, request.date_format)
        named = {name: column(table.columns, name, table.name) for name in labels}
        reader = _Reader(table, places, named, only, _choose_join(places, table, labelled))
        for record in table:
            reader.add(record)
        return reader.finish(request)


def _choose_join(places: Places, table: Table, labelled: Sequence[str]) -> Join:
    """Return by which of its columns a labelled sample names the answers of a table."""
    texts = () if places.text is None else ("text", table.columns[places.text])
    ways: dict[Join, Sequence[str]] = {"row": ("row",), "id": ("id",) * (places.id is not None)}
    for join, names in {**ways, "text": texts}.items():
        if any(optional_column(labelled, name, "the labels") is not None for name in names):
            return join
    raise DataError(
        f"{table.name}: has neither 'row', 'id' nor 'text' in common with the labels; add the "
        "column 'id' of one table to the other"
    )


# --- What identifies an answer ---


def is_row(cell: str) -> bool:
    """Return whether a cell is the number of a row."""
    digits = cell.isascii() and cell.isdecimal() and len(cell) < 12
    return digits and 0 < int(cell) <= MOST_ROWS


def pair_key(join: Join, identity: Sequence[str], actor: str) -> int:
    """Return what tells a pair apart: the cells that name its paragraph, and its actor."""
    *before, last = (cell.strip() for cell in identity)
    if join == "row":
        last = str(int(last))
    elif join == "text":
        last = " ".join(last.split())  # whatever a spreadsheet did to its spaces
    return key_of("\0".join((*before, last, actor)))


def text_key(text: str) -> int:
    """Return what tells texts apart, whatever a spreadsheet did to their spaces; 0 for none."""
    words = " ".join(text.split())
    return key_of(words) if words else 0


class _Reader:
    """Answers as they are read: a column of each figure that is kept."""

    def __init__(
        self,
        table: Table,
        places: Places,
        labels: dict[str, int],
        only: Sequence[str],
        join: Join,
    ) -> None:
        self._table, self._places, self._labels, self._only = table, places, labels, set(only)
        self._join = join
        names = ("actor", "group", "holder")
        self._names: dict[str, dict[str, int]] = {name: {} for name in names}  # by first use
        numbers = (*names, "stance", "day", "record", "line", *(f"label {name}" for name in labels))
        keys = ("document", "key", "text", "identity")
        self._values = {name: array("q") for name in numbers} | {name: array("Q") for name in keys}
        self._chances = array("f")
        self._aimless, self._first = 0, ""  # rows with a stance toward nobody, and where one stands

    def add(self, record: Record) -> None:
        """Read a record."""
        cells, places = record.cells, self._places
        actor = places.actor_of(cells)
        if not actor and cells[places.stance].strip():
            self._aimless, self._first = self._aimless + 1, self._first or self._table.where(record)
        if not actor or (self._only and actor not in self._only):
            return
        try:
            stance, chances = _answer(cells, places)
        except ValueError as error:
            reason = f"{error}; restore what stance predict wrote"
            raise DataError(f"{self._table.where(record)}: {reason}") from error

        def cell(place: int | None) -> str:
            return "" if place is None else cells[place]

        text, names = cell(places.text), self._names
        identity = [cells[place] for place in places.identity(self._join)]
        figures = {
            "actor": _number(names["actor"], actor),
            "group": _number(names["group"], cell(places.by) or BLANK),
            "holder": _number(names["holder"], cell(places.holder).strip()),
            "stance": stance,
            "day": day_of(cell(places.over)) or 0,
            "record": record.number - 1,
            "line": record.line,
            "document": key_of(_document(cells, places)),
            "key": pair_key(self._join, identity, actor),
            "text": text_key(text),
            "identity": key_of(
                "\0".join((*map(cell, places.whole), " ".join(text.split()), actor))
            ),
        }
        for name, place in self._labels.items():
            figures[f"label {name}"] = self._label(record, name, place)
        for name, figure in figures.items():
            self._values[name].append(figure)
        self._chances.extend(chances)

    def _label(self, record: Record, name: str, place: int) -> int:
        cell = record.cells[place]
        label = _SPELLINGS.get(cell.strip().lower())
        if label is None:
            raise DataError(
                f"{self._table.where(record)}: '{shown(cell)}' in column '{shown(name)}' is not a "
                f"stance; use {', '.join(Stance)}, or leave it empty"
            )
        return label

    def finish(self, request: Request) -> AnswersTable:
        """Return all answers, each counted once."""
        table, actors = self._table.name, self._names["actor"]
        if missing := [name for name in self._only if name not in actors]:
            raise DataError(
                f"{table}: holds no answer on '{shown(min(missing))}'; check its spelling"
            )
        if not actors:
            raise DataError(f"{table}: holds no answer; judge texts that name an actor")
        values: dict[str, Any] = {name: np.array(each) for name, each in self._values.items()}
        repeated = self._repeated(values)
        kept = np.delete(np.arange(len(values["actor"])), repeated)
        values = {name: each[kept] for name, each in values.items()}
        day = values.pop("day")
        try:
            periods = choose_periods(day, request.period)
        except DataError as error:
            raise DataError(f"{table}: {error}") from error
        period = np.full(len(day), MISSING) if periods is None else periods.places(day)
        notes = [*self._notes(len(repeated)), *self._undated(day, period)]
        return AnswersTable(
            table=table,
            columns=tuple(self._table.columns),
            places=self._places,
            actors=tuple(actors),
            groups=() if self._places.by is None else tuple(self._names["group"]),
            periods=periods,
            **{name: values[name] for name in ("actor", "group", "record", "key", "text")},
            stance=values["stance"].astype(np.int8),
            chances=np.array(self._chances, np.float32).reshape(-1, len(Stance))[kept],
            period=period,
            document=np.unique(values["document"], return_inverse=True)[1],
            partial=bool(self._only),
            join=self._join,
            holders=tuple(self._names["holder"]),
            holder=values["holder"],
            labels=tuple((name, values[f"label {name}"].astype(np.int8)) for name in self._labels),
            notes=(*self._table.notes, *(f"{table}: {note}" for note in notes)),
        )

    def _repeated(self, values: dict[str, Any]) -> Ints:
        """Return the answers that repeat an earlier one; raise where the two differ."""
        if self._places.text is None:
            return np.zeros(0, np.int64)
        order = np.argsort(values["identity"], kind="stable")
        alike = np.diff(values["identity"][order]) == 0
        before, again = order[:-1][alike], order[1:][alike]
        for one, other in zip(before.tolist(), again.tolist(), strict=True):
            if values["stance"][one] != values["stance"][other]:
                first, second = (
                    self._table.where(
                        Record(int(values["record"][n]) + 1, int(values["line"][n]), ())
                    )
                    for n in (one, other)
                )
                raise DataError(
                    f"{second}: has another answer than {first} to the same text and actor; "
                    "keep one of the rows"
                )
        return np.asarray(again, np.int64)

    def _notes(self, repeated: int) -> Iterator[str]:
        places = self._places
        if places.document is None:
            meant = likely(self._table.columns[: places.row], "document")
            advice = f"add --document-column '{shown(meant)}'" if meant else "add one"
            what = "row" if places.text is None else "text"
            yield (
                f"no column 'document', so each {what} counts as a document; if several are parts "
                f"of one, {advice}, or intervals are too narrow"
            )
        if self._aimless:
            what = count(self._aimless, "row")
            yield f"{what} with a stance but no actor left out (first: {self._first})"
        if repeated:
            rows = count(repeated, "row")
            yield f"{rows} left out: an earlier row has the same text, actor and answer"

    def _undated(self, days: Ints, period: Ints) -> Iterator[str]:
        """Yield how many answers are in no period, and why."""
        if self._places.over is None:
            return
        if undated := int((days == 0).sum()):
            yield f"{count(undated, 'answer')} without a date that can be read"
        if outside := int((period < 0).sum()) - undated:
            yield f"{count(outside, 'answer')} dated far from all others left out of the periods"


def _number(numbers: dict[str, int], name: str) -> int:
    return numbers.setdefault(name, len(numbers))


def _document(cells: Sequence[str], places: Places) -> str:
    """Return what names the document of an answer; without one, its text or its row."""
    place = places.text if places.document is None else places.document
    name = "" if place is None else cells[place]
    # A document's name holds within its file; an equal text is one document in any file.
    file = None if place is not None and place == places.text else places.file
    whole = name or f"row {int(cells[places.row])}"
    return whole if file is None else f"{cells[file]}\0{whole}"


def _answer(cells: Sequence[str], places: Places) -> tuple[int, list[float]]:
    """Return the number of an answer and its probabilities; raise `ValueError` if it is not one."""
    if not is_row(row := cells[places.row]):
        raise ValueError(f"'{shown(row)}' is not a row number")
    if (stance := cells[places.stance]) not in ANSWERS:
        raise ValueError(f"'{shown(stance)}' is not one of {', '.join(ANSWERS)}")
    chances = []
    for place in places.probabilities:
        try:
            chances.append(float(cells[place]))
        except ValueError:
            chances.append(np.nan)
        if not 0 <= chances[-1] <= 1:
            raise ValueError(f"'{shown(cells[place])}' is not a probability from 0 to 1")
    return ANSWERS.index(stance), chances
