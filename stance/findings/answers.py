"""The answers of a table in memory, in arrays: what `sample`, `shares` and `report` read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from stance.arrays import Floats, Floats32, Ints, Ints8, Keys
from stance.display import count, shown
from stance.errors import DataError, UsageError
from stance.findings.cells import (
    answered,
    document_names,
    pair_key,
    row_numbers,
    text_key,
)
from stance.findings.correction import Surrogate
from stance.findings.periods import Periods, Unit, choose_periods
from stance.findings.request import Join, Places, Request, bounded, find_places
from stance.label_values import STANCES
from stance.reading.keys import key_of
from stance.records import SIDES, UNCERTAIN, Stance
from stance.tables import Record, Table, column, day_of, likely, optional_column, rewrite_dates

BATCH = 8192  # records that are read at a time
MISSING = -1  # number of a period or a surrogate's label that an answer does not have
FEWEST_LEANING = 10  # withheld answers that show that a stance is never answered, not rare
BLANK = "(blank)"  # name of a group without one


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
        sides = list(SIDES)
        chances = self.chances[:, sides].astype(np.float64)
        found = [Surrogate("probabilities", chances), Surrogate("answers", _hot(self.predicted))]
        added = [
            Surrogate(name, np.where(values[:, None] >= 0, _hot(values) - chances, 0.0))
            for name, values in self.labels
        ]
        return found, added


def _hot(labels: Ints | Ints8) -> Floats:
    found: Floats = (labels[:, None] == np.array(SIDES)).astype(np.float64)
    return found


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
        named = {name: column(table.columns, name, table.name) for name in labels}
        join = choose_join(places, table, labelled)
        reader = _Reader(table, places, named, dict.fromkeys(only), join)
        if places.over is not None:
            rewrite_dates(table, places.over, request.date_format)
        for batch in batches(table):
            reader.add(batch)
        return reader.finish(request.period)


def choose_join(places: Places, table: Table, labelled: Sequence[str]) -> Join:
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


def batches(table: Table) -> Iterator[list[Record]]:
    """Yield the records of a table, `BATCH` at a time."""
    records = iter(table)
    while batch := list(islice(records, BATCH)):
        yield batch


class _Reader:
    """Pairs as they are read, block by block."""

    def __init__(
        self,
        table: Table,
        places: Places,
        labels: dict[str, int],
        only: dict[str, None],
        join: Join,
    ) -> None:
        self._table, self._places, self._labels, self._only = table, places, labels, only
        self._join = join
        self._actors: dict[str, int] = {}  # numbers of names, in order of first use
        self._groups: dict[str, int] = {}
        self._holders: dict[str, int] = {}
        self._blocks: list[dict[str, Any]] = []
        self._records = 0
        self._aimless, self._first = 0, ""  # rows with a stance toward nobody, and where one stands

    def add(self, records: Sequence[Record]) -> None:
        """Read some records."""
        places, table, cells = self._places, self._table, [record.cells for record in records]
        row, actors = row_numbers(records, places, table), list(map(places.actor_of, cells))
        asked = [bool(actor) and (not self._only or actor in self._only) for actor in actors]
        for record, actor in zip(records, actors, strict=True):
            if not actor and record.cells[places.stance].strip():
                self._aimless, self._first = self._aimless + 1, self._first or table.where(record)
        at = np.flatnonzero(asked)
        own = [records[number] for number in at.tolist()]
        first, self._records = self._records, self._records + len(records)
        if own:
            block = self._block(own, row[at])
            self._blocks.append({**block, "record": first + at})

    def _block(self, records: Sequence[Record], row: Ints) -> dict[str, Any]:
        places, cells = self._places, [record.cells for record in records]
        stance, chances = answered(records, places, self._table)
        identity = places.identity(self._join)
        keys = (
            pair_key(self._join, [each[at] for at in identity], places.actor_of(each))
            for each in cells
        )
        blank = [""] * len(cells)
        texts, dates, groups, holders = (
            blank if at is None else [each[at] for each in cells]
            for at in (places.text, places.over, places.by, places.holder)
        )
        documents = [key_of(name) for name in document_names(cells, row, places)]
        return {
            "actor": _numbers(self._actors, [bounded(places.actor_of(each)) for each in cells]),
            "group": _numbers(self._groups, [bounded(name) or BLANK for name in groups]),
            "holder": _numbers(self._holders, [bounded(name.strip()) for name in holders]),
            "day": np.array([day_of(date) or 0 for date in dates], np.int64),
            "document": np.array(documents, np.uint64),
            "stance": stance.astype(np.int8),
            "chances": chances.astype(np.float32),
            "key": np.array(list(keys), np.uint64),
            "text": np.array([text_key(text) for text in texts], np.uint64),
            "labels": [self._stances(records, *each) for each in self._labels.items()],
        }

    def _stances(self, records: Sequence[Record], name: str, at: int) -> Ints8:
        spellings = {**STANCES, "": MISSING, UNCERTAIN: MISSING}
        found = [spellings.get(record.cells[at].strip().lower()) for record in records]
        if None in found:
            record = records[found.index(None)]
            raise DataError(
                f"{self._table.where(record)}: '{shown(record.cells[at])}' in column "
                f"'{shown(name)}' is not a stance; use {', '.join(Stance)}, or leave it empty"
            )
        return np.array(found, np.int8)

    def finish(self, unit: Unit | None) -> AnswersTable:
        """Return all pairs."""
        if missing := [name for name in self._only if bounded(name) not in self._actors]:
            raise DataError(
                f"{self._table.name}: holds no answer on '{shown(missing[0])}'; check its spelling"
            )
        if not self._blocks:
            raise DataError(f"{self._table.name}: holds no answer; judge texts that name an actor")

        def joined(name: str) -> Any:
            return np.concatenate([block[name] for block in self._blocks])

        if self._table.several and self._join == "row":
            self._refuse_repeated(joined("key"), joined("record"))
        day = joined("day")
        try:
            periods = choose_periods(day, unit)
        except DataError as error:
            raise DataError(f"{self._table.name}: {error}") from error
        period = np.full(len(day), MISSING) if periods is None else periods.places(day)
        undated = () if self._places.over is None else _missing(day, period)
        said = (*self._undocumented(), *undated, *self._told_aimless())
        return AnswersTable(
            table=self._table.name,
            columns=tuple(self._table.columns),
            places=self._places,
            actors=tuple(self._actors),
            groups=() if self._places.by is None else tuple(self._groups),
            periods=periods,
            **{name: joined(name) for name in ("actor", "group", "stance", "chances")},
            **{name: joined(name) for name in ("record", "key", "text")},
            period=period,
            document=np.unique(joined("document"), return_inverse=True)[1],
            partial=bool(self._only),
            join=self._join,
            holders=tuple(self._holders),
            holder=joined("holder"),
            labels=tuple(
                (name, np.concatenate([block["labels"][at] for block in self._blocks]))
                for at, name in enumerate(self._labels)
            ),
            notes=(*self._table.notes, *(f"{self._table.name}: {each}" for each in said)),
        )

    def _undocumented(self) -> Iterator[str]:
        """Yield what counts as a document where no column says it, and what column may."""
        if self._places.document is None:
            meant = likely(self._table.columns[: self._places.row], "document")
            advice = f"add --document-column '{shown(meant)}'" if meant else "add one"
            what = "row" if self._places.text is None else "text"
            yield (
                f"no column 'document', so each {what} counts as a document; if several are parts "
                f"of one, {advice}, or intervals are too narrow"
            )

    def _told_aimless(self) -> Iterator[str]:
        """Yield how many stances have no actor, if any, and where the first one stands."""
        if self._aimless:
            what = count(self._aimless, "row")
            yield f"{what} with a stance but no actor left out (first: {self._first})"

    def _refuse_repeated(self, key: Keys, record: Ints) -> None:
        """Raise if two tables answer for the same paragraph and actor."""
        order = np.argsort(key, kind="stable")
        before, again = order[:-1], order[1:]
        alike = key[again] == key[before]
        pairs = np.stack([record[before[alike]], record[again[alike]]], axis=1)
        for one, other in pairs[np.argsort(pairs[:, 1], kind="stable")].tolist():
            first, file = self._table.file_of(one + 1), self._table.file_of(other + 1)
            if first != file:
                raise DataError(
                    f"{file}: answers for a file and row that {first} has answers for, too; name "
                    "one of them, or judge their texts again in one run"
                )


def _missing(days: Ints, period: Ints) -> Iterator[str]:
    """Yield how many answers are in no period, and why."""
    if undated := int((days == 0).sum()):
        yield f"{count(undated, 'answer')} without a date that can be read"
    if outside := int((period < 0).sum()) - undated:
        yield f"{count(outside, 'answer')} dated far from all others left out of the periods"


def _numbers(known: dict[str, int], names: Sequence[str]) -> Ints:
    return np.array([known.setdefault(name, len(known)) for name in names], np.int64)
