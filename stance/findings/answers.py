"""The answers of a table in memory, in arrays: what `sample`, `shares` and `report` read."""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stance.arrays import Floats, Floats32, Ints, Ints8, Keys
from stance.corpus.rows import LabelReader, stance_spellings
from stance.display import count, shown
from stance.errors import DataError, UsageError
from stance.findings.correction import Surrogate
from stance.findings.periods import Periods, choose_periods
from stance.findings.request import Join, Places, Request, find_places, label_in
from stance.reading.keys import key_of
from stance.records import ANSWERS, SIDES, Stance
from stance.tables import (
    Header,
    Record,
    Table,
    column,
    day_of,
    likely,
    optional_column,
    rewrite_dates,
)

MISSING = -1  # number of a period or a surrogate's label that an answer does not have
FEWEST_LEANING = 10  # withheld answers that show that a stance is never answered, not rare
BLANK = "(blank)"  # name of a group without one
MOST_ROWS = 1 << 28  # largest row number
QUOTED = 3  # surest answers on a subject and side
Cells = tuple[str, ...]  # of a record
_KEYS = ("document", "key", "text", "id", "identity")  # figures that are 64-bit keys


@dataclass(frozen=True, slots=True)
class AnswersTable:
    """Judged pairs in the order of their table, one per answer; all arrays are of their number."""

    request: Request
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
    notes: tuple[str, ...]
    labels: tuple[tuple[str, Ints8], ...] = ()  # of the columns that may stand in for a coder's
    join: Join = "row"  # what `key` is of
    holders: tuple[str, ...] = ()
    holder: Ints | None = None  # number in `holders`, of which "" is nobody known
    length: Ints = field(default_factory=lambda: np.zeros(0, np.int64))  # of the text
    rows: int = 0  # of the table, told apart by file, document, text and number
    naming: int = 0  # rows that name an actor

    def __len__(self) -> int:
        return len(self.actor)

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

        Where an answer is withheld, the likeliest one counts. A column that is empty for a pair
        adds nothing to the model's probabilities there.
        """
        chances = self.chances[:, list(SIDES)].astype(np.float64)
        likeliest = self.chances.argmax(axis=1)
        answers = _sides(np.where(self.stance < len(Stance), self.stance, likeliest))
        alternatives = [Surrogate("probabilities", chances), Surrogate("answers", answers)]
        added = [
            Surrogate(name, np.where(values[:, None] >= 0, _sides(values) - chances, 0.0))
            for name, values in self.labels
        ]
        return alternatives, added


def _sides(labels: Ints | Ints8) -> Floats:
    """Return 1 where a label is against or in favor, of shape (n_labels, 2)."""
    return np.asarray(labels[:, None] == np.array(SIDES), np.float64)


def read_population(request: Request, labelled: Sequence[str] = ("row",)) -> AnswersTable:
    """Read the answers of a table; raise `DataError` if there are none.

    ``labelled`` are the columns of a labelled sample, which names the answers by row, by id or by
    text.
    """
    if request.period and request.over is None:
        raise UsageError("--period is about dates; name their column with --over")
    with request.open() as table:
        places = find_places(table, request)
        if places.over is not None:
            rewrite_dates(table, places.over, request.date_format)
        reader = _Reader(table, request, places, _choose_join(places, table, labelled))
        for record in table:
            reader.add(record)
        return reader.finish()


def _choose_join(places: Places, table: Table, labelled: Sequence[str]) -> Join:
    """Return by which of its columns a labelled sample names the answers of a table."""
    texts = () if places.text is None else ("text", table.columns[places.text])
    ways: dict[Join, Sequence[str]] = {"row": ("row",), "id": ("id",) * (places.id is not None)}
    for join, names in {**ways, "text": texts}.items():
        if any(optional_column(Header(labelled, "the labels"), name) is not None for name in names):
            return join
    raise DataError(
        f"{table.name}: has neither 'row', 'id' nor 'text' in common with the labels; add the "
        "column 'id' of one table to the other"
    )


def split_by(pairs: Ints, codes: Ints, names: Sequence[Any]) -> list[tuple[Any, Ints]]:
    """Return those of some pairs that have each code, under its name; a code below 0 is none."""
    values = codes[pairs]
    order = np.argsort(values, kind="stable")
    numbers, first = np.unique(values[order], return_index=True)
    parts = zip(numbers.tolist(), np.split(pairs[order], first[1:]), strict=False)  # of none, one
    return [(names[number], part) for number, part in parts if number >= 0]


def surest_answers(population: AnswersTable, subject: Ints) -> dict[tuple[int, int], list[int]]:
    """Return the surest answers on each subject and side, each text once; below 0 is no subject."""
    sided = np.flatnonzero((subject >= 0) & np.isin(population.stance, SIDES))
    sided = sided[np.argsort(-population.chances[sided].max(axis=1), kind="stable")]
    surest: dict[tuple[int, int], list[int]] = {}
    codes = subject * len(Stance) + population.stance
    for code, answers in split_by(sided, codes, range(len(Stance) * (int(subject.max()) + 1))):
        texts = np.sort(np.unique(population.text[answers], return_index=True)[1])
        surest[divmod(code, len(Stance))] = answers[texts[:QUOTED]].tolist()
    return surest


def read_cells(population: AnswersTable, answers: Iterable[int]) -> dict[int, Cells]:
    """Read the cells of some answers' records again."""
    numbers = {int(population.record[answer]): answer for answer in answers}
    with population.request.open() as table:
        if population.places.over is not None:
            rewrite_dates(table, population.places.over, population.request.date_format)
        known = ((numbers.get(record.number - 1), record.cells) for record in table)
        return {answer: tuple(cells) for answer, cells in known if answer is not None}


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

    def __init__(self, table: Table, request: Request, places: Places, join: Join) -> None:
        self._table, self._request, self._places, self._join = table, request, places, join
        self._labels = {
            name: (
                column(table, name),
                LabelReader(table.name, Stance, stance_spellings(request.labels), shown(name)),
            )
            for name in request.surrogates
        }
        self._names = defaultdict[str, dict[str, int]](dict)  # numbers of names, by first use
        self._values = defaultdict[str, "array[int]"](lambda: array("Q"))
        self._chances = array("f")
        self._rows, self._naming = array("q"), array("b")
        self._aimless, self._first = 0, ""  # rows with a stance toward nobody, and where one stands
        self._loose = 0  # rows whose cell of the document is blank

    def add(self, record: Record) -> None:
        """Read a record."""
        cells, places, only = record.cells, self._places, self._request.only
        actor = places.actor_of(cells)
        unit = (places.file, places.document, places.text, places.row)
        self._rows.append(hash(tuple(cells[place] for place in unit if place is not None)))
        self._naming.append(bool(actor) and not places.unnamed(cells))
        if not actor and cells[places.stance].strip():
            self._aimless, self._first = self._aimless + 1, self._first or self._table.where(record)
        if not actor or (only and actor not in only):
            return
        if fault := _fault(cells, places):
            why = f"{fault}; restore what stance predict wrote"
            raise DataError(f"{self._table.where(record)}: {why}")
        self._loose += places.document is not None and not cells[places.document].strip()
        self._chances.extend(float(cells[place]) for place in places.probabilities)

        def cell(place: int | None) -> str:
            return "" if place is None else cells[place]

        words = " ".join(cell(places.text).split())
        identity = [cells[place] for place in places.identity(self._join)]
        figures = {
            "actor": self._number("actor", actor),
            "group": self._number("group", cell(places.by) or BLANK),
            "holder": self._number("holder", cell(places.holder).strip()),
            "stance": ANSWERS.index(cells[places.stance]),
            "day": day_of(cell(places.over)) or 0,
            "record": record.number - 1,
            "line": record.line,
            "document": key_of(_document(cells, places)),
            "key": pair_key(self._join, identity, actor),
            "text": text_key(words),
            "id": key_of(cell(places.id)),
            "length": len(cell(places.text)),
            "identity": key_of("\0".join((*map(cell, places.whole), words, actor))),
        }
        for name, (place, reader) in self._labels.items():
            label = label_in(cells[place], record, reader)
            figures[f"label {name}"] = 0 if label is None else label + 1
        for name, figure in figures.items():
            self._values[name].append(figure)

    def _number(self, kind: str, name: str) -> int:
        return self._names[kind].setdefault(name, len(self._names[kind]))

    def finish(self) -> AnswersTable:
        """Return all answers, each counted once."""
        table, request, names = self._table.name, self._request, self._names
        if missing := [name for name in request.only if name not in names["actor"]]:
            raise DataError(
                f"{table}: holds no answer on '{shown(min(missing))}'; check its spelling"
            )
        if not names["actor"]:
            raise DataError(f"{table}: holds no answer; judge texts that name an actor")
        values: dict[str, Any] = {
            name: np.array(figures, np.uint64 if name in _KEYS else np.int64)
            for name, figures in self._values.items()
        }
        kept = self._first_of_each(values)
        repeated = len(values["actor"]) - len(kept)
        values = {name: figures[kept] for name, figures in values.items()}
        day, rows = values["day"], np.array(self._rows)
        periods = choose_periods(day, request.period)
        notes = self._notes(repeated, values)
        return AnswersTable(
            request=request,
            table=table,
            columns=tuple(self._table.columns),
            places=self._places,
            actors=tuple(names["actor"]),
            groups=() if self._places.by is None else tuple(names["group"]),
            periods=periods,
            **{
                name: values[name] for name in ("actor", "group", "record", "key", "text", "length")
            },
            stance=values["stance"].astype(np.int8),
            chances=np.array(self._chances, np.float32).reshape(-1, len(Stance))[kept],
            period=np.full(len(day), MISSING) if periods is None else periods.places(day),
            document=np.unique(values["document"], return_inverse=True)[1],
            join=self._join,
            rows=len(np.unique(rows)),
            naming=len(np.unique(rows[np.array(self._naming, np.bool_)])),
            holders=tuple(names["holder"]),
            holder=values["holder"],
            labels=tuple(
                (name, (values[f"label {name}"] - 1).astype(np.int8)) for name in self._labels
            ),
            notes=(*self._table.notes, *(f"{table}: {note}" for note in notes)),
        )

    def _first_of_each(self, values: dict[str, Any]) -> Ints:
        """Return the answers that repeat no earlier one; raise where two differ."""
        answers, stance = np.arange(len(values["actor"])), values["stance"]
        if self._places.text is None:
            return answers
        _, firsts, number = np.unique(values["identity"], return_index=True, return_inverse=True)
        first = firsts[number]
        for again in np.flatnonzero(stance != stance[first])[:1]:
            before, after = (
                self._table.where(Record(int(values["record"][n]) + 1, int(values["line"][n]), ()))
                for n in (first[again], again)
            )
            raise DataError(
                f"{after}: has another answer than {before} for the same text and actor; "
                "keep one of the rows"
            )
        return np.asarray(answers[first == answers], np.int64)

    def _notes(self, repeated: int, values: Mapping[str, Any]) -> Iterator[str]:
        """Yield what columns were taken for, and how many answers were left out, and why."""
        places, columns = self._places, self._table.columns
        usual = self._request.text_column or optional_column(self._table, "text")
        if places.text is not None and usual is None:
            name = shown(columns[places.text])
            yield f"column '{name}' is read as 'text'; name another with --text-column"
        named = columns[places.id] if places.id is not None else ""
        what = "text" if places.text is not None else "id" if named else "row"
        if places.document is None:
            ids, texts = (len(np.unique(values[name])) for name in ("id", "text"))
            meant = likely(columns[: places.row], "document") or (named if ids < texts else "")
            advice = f"add --document-column '{shown(meant)}'" if meant else "add that column"
            yield (
                f"no column 'document', so each {what} counts as a document; if several belong "
                f"to one document, {advice}, or intervals are too narrow"
            )
        if self._loose:
            yield f"{count(self._loose, 'row')} without a document; each {what} counts as one"
        for _, reader in self._labels.values():
            yield from (note.removeprefix(f"{self._table.name}: ") for note in reader.notes())
        if self._aimless:
            rows = count(self._aimless, "row")
            yield f"{rows} with a stance but no actor left out (first: {self._first})"
        if repeated:
            rows = count(repeated, "row")
            yield f"{rows} left out: an earlier row has the same text, actor and answer"
        if undated := int((values["day"] == 0).sum()) if places.over is not None else 0:
            yield f"{count(undated, 'answer')} without a date that can be read"


def _document(cells: Sequence[str], places: Places) -> str:
    """Return what names the document of an answer; without one, its text, its id or its row."""
    known = (places.document, places.text, places.id)
    place = next((place for place in known if place is not None and cells[place].strip()), None)
    whole = f"row {int(cells[places.row])}" if place is None else cells[place]
    # A document's name holds within its file; an equal text is one document in any file.
    file = None if place is not None and place == places.text else places.file
    return whole if file is None else f"{cells[file]}\0{whole}"


def _fault(cells: Sequence[str], places: Places) -> str:
    """Return why cells are not an answer; empty if they are one."""
    if not is_row(row := cells[places.row]):
        return f"'{shown(row)}' is not a row number"
    if (stance := cells[places.stance]) not in ANSWERS:
        return f"'{shown(stance)}' is not one of {', '.join(ANSWERS)}"
    for cell in (cells[place] for place in places.probabilities):
        try:
            known = 0 <= float(cell) <= 1
        except ValueError:
            known = False
        if not known:
            return f"'{shown(cell)}' is not a probability from 0 to 1"
    return ""
