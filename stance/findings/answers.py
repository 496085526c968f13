"""The answers of a table in memory, in arrays: what `sample`, `shares` and `report` read."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from stance.arrays import Floats32, Ints, Ints8, Keys
from stance.corpus.rows import MISSING, LabelReader, stance_spellings
from stance.display import count, shown
from stance.errors import DataError, UsageError
from stance.files import refuse_changed, versions_of
from stance.findings.request import Places, Request, find_periods, find_places, label_in
from stance.reading.keys import key_of, keys_of
from stance.reading.text import as_name
from stance.records import ANSWERS, Stance
from stance.tables import Record, Records, Table
from stance.tables.columns import column, day_of, optional_column, rewrite_dates
from stance.tables.table import folded

BARE = "in periods shorter than a year, they count as January"  # dates without a month
BLANK = "(blank)"  # name of a group without one
MOST_GROUPS = 200  # that are compared


@dataclass(frozen=True, slots=True)
class AnswersTable:
    """Judged pairs in the order of their table, one per answer; all arrays are of their number."""

    request: Request
    table: str  # its name in messages
    columns: tuple[str, ...]
    places: Places
    actors: tuple[str, ...]
    groups: tuple[str, ...]  # () if none are asked for
    periods: Mapping[str, int]  # see `find_periods`; {} if none are asked for or known
    actor: Ints  # number in `actors`
    group: Ints  # number in `groups`; 0 without any
    period: Ints  # number in `periods`; `MISSING` without a date that can be read
    stance: Ints8  # as answered; `len(Stance)` if withheld
    chances: Floats32  # of each stance, of shape (n_pairs, 3)
    document: Ints
    record: Ints  # of the table, from 0
    key: Keys  # of file, document, row and actor, or of what else the labels name
    text: Keys  # of the text
    notes: tuple[str, ...]
    labels: Ints8  # of other models, (n_pairs, n_surrogates); `MISSING` where a cell is empty
    named_by: tuple[str, ...]  # columns of the labels that, with the actor, `key` is of
    holders: tuple[str, ...]
    holder: Ints  # number in `holders`, of which "" is nobody known
    length: Ints  # of the text
    rows: int  # of the table, told apart by file, document, text and number
    naming: int  # rows that name an actor
    never_answered: str = ""  # where `predict` withheld all answers of which stances; or empty
    versions: Mapping[Path, tuple[int, ...]] = field(default_factory=dict)  # before they were read

    def __len__(self) -> int:
        return len(self.actor)

    @property
    def probable(self) -> bool:
        """Whether a model gave the answers with probabilities, which labels have not."""
        return self.places.mentions is not None

    @contextmanager
    def open_again(self) -> Iterator[Table]:
        """Open the table once more; raise if it is no longer what was read."""
        with self.request.open() as table:
            yield table
        refuse_changed(self.versions)


def read_population(request: Request, labelled: Sequence[str] = ()) -> AnswersTable:
    """Read the answers of a table; a sample with the columns ``labelled`` may name some of them."""
    if request.period and request.over is None:
        raise UsageError("--period is about dates; name their column with --over")
    versions = versions_of(request.paths)
    with request.open() as table:
        places = find_places(table, request)
        if places.over is not None:
            rewrite_dates(table, places.over, request.date_format, bare=BARE)
        labels = Table("the labels", labelled or ("row", *table.columns))
        reader = _Reader(table, request, places, labels)
        for part in table.chunks:
            reader.add(part)
        return reader.finish(versions)


def refuse_many_groups(population: AnswersTable) -> None:
    """Raise where there are more groups than can be compared."""
    if (number := len(population.groups)) > MOST_GROUPS:
        what = f"column '{shown(population.request.by or '')}' has {number:,} values"
        raise DataError(f"{population.table}: {what}; compare at most {MOST_GROUPS} groups")


def _choose_keys(places: Places, table: Table, labels: Table) -> tuple[list[int], list[str]]:
    """Return the columns that name a table's paragraphs, and what the labels call these columns."""
    document = places.document
    if document is not None and optional_column(labels, table.columns[document]) is None:
        document = None  # of a sample that was drawn without it
    # A row and its text say enough, if the row is no mere number of a record, which an id outlives.
    enough = places.mentions is not None and optional_column(labels, "text") is not None
    named = not enough and optional_column(labels, "id") is not None
    row = (places.file, document, places.id if named else None, places.row)
    for kind, keys in {"row": row, "id": (places.id,), "text": (places.text,)}.items():
        known = [place for place in keys if place is not None]
        names = [table.columns[place] for place in known]
        for last in (kind, *names[-1:]):  # first as stance sample calls it
            if known and optional_column(labels, last) is not None:
                return known, [*names[:-1], last]
    why = "has neither 'row', 'id' nor 'text' in common with the labels"
    raise DataError(f"{table.name}: {why}; add the column 'id' of one table to the other")


def split_by(pairs: Ints, codes: Ints, names: Sequence[Any]) -> list[tuple[Any, Ints]]:
    """Return those of some pairs that have each code, under its name; below 0 is none."""
    values = codes[pairs]
    order = np.argsort(values, kind="stable")
    numbers, first = np.unique(values[order], return_index=True)
    parts = zip(numbers.tolist(), np.split(pairs[order], first[1:]), strict=False)  # of none, one
    return [(names[number], part) for number, part in parts if names and number >= 0]


def pair_key(cells: Iterable[str]) -> int:
    """Return the key of some cells, whatever a spreadsheet did to their spaces."""
    return key_of("\0".join(" ".join(as_name(cell).split()) for cell in cells))


class _Reader:
    """Reads the answers of a table, part by part, and counts its rows."""

    def __init__(self, table: Table, request: Request, places: Places, labels: Table) -> None:
        self._table, self._request, self._places = table, request, places
        self._keys, self._named_by = _choose_keys(places, table, labels)
        spellings = stance_spellings(request.labels)
        self._labels = [  # of other models
            (column(table, name), LabelReader(table, Stance, spellings, shown(name)))
            for name in dict.fromkeys(request.surrogates)
        ]
        # Neither file nor number tells labels apart that have an id, or no numbers of their own.
        numbered = places.id is None and "row" in map(folded, table.header)
        row = [places.file, places.row] * (numbered or places.mentions is not None)
        self._unit = (*row, places.document, places.id, places.text)
        self._nameless = not row and places.id is None
        self._names = defaultdict[str, dict[str, int]](dict)  # numbers of names, by first use
        self._parts = list[dict[str, Any]]()  # an array of each figure
        self._rows, self._naming = list[Keys](), list[Keys]()
        self._loose = 0  # answers without a document
        self._aimless = list[str]()  # where stances toward nobody stand
        self._never = ""  # in the first file with stances that are never answered: which

    def add(self, part: Records) -> None:
        """Read some records."""
        places, only, answers = self._places, self._request.only, list[Record]()
        unit = (places.file, places.document, places.text, places.row)
        rows = _keys(*(_cells(part, place) for place in unit))
        actors = [*map(as_name, _cells(part, places.actor))]
        asked = [bool(actor and (not only or actor in only)) for actor in actors]
        named = zip(asked, _cells(part, places.mentions), strict=True)
        self._rows.append(rows[asked] if only and places.actor < places.row else rows)
        never = {*" ".join({*_cells(part, places.never)}).split()} & {*Stance}
        if never and not self._never:
            where = self._table.file_of(part.numbers[0])
            self._never = f"{where}: all answers that are {' or '.join(sorted(never))} are withheld"
        self._naming.append(rows[[is_asked and mentions != "0" for is_asked, mentions in named]])
        for record, actor, is_asked in zip(part, actors, asked, strict=True):
            if not actor and record.cells[places.stance].strip():
                self._aimless.append(self._table.where(record))
            elif is_asked:
                if fault := places.fault(record.cells):
                    advice = "restore what stance predict wrote"
                    raise DataError(f"{self._table.where(record)}: {fault}; {advice}")
                answers.append(record)
        if answers:
            self._parts.append(self._figures(Records.of(answers)))

    def _figures(self, part: Records) -> dict[str, Any]:
        """Return an array of each figure of some answers."""
        places, records = self._places, list(part)
        actors = [*map(as_name, _cells(part, places.actor))]
        chances = [list(map(float, _cells(part, place))) for place in places.probabilities]
        self._loose += sum(not cell.strip() for cell in _cells(part, places.document))
        labels = [
            [label_in(record.cells[place], record, reader) for record in records]
            for place, reader in self._labels
        ]
        return {
            "actor": self._number("actor", actors),
            "group": self._number("group", [as_name(c) or BLANK for c in _cells(part, places.by)]),
            "holder": self._number("holder", [*map(as_name, _cells(part, places.holder))]),
            "stance": np.array([*map(ANSWERS.index, _cells(part, places.stance))], np.int8),
            "chances": np.array(chances, np.float32).T,
            "labels": np.array(labels, np.int8).reshape(-1, len(part)).T,
            "day": np.array([day_of(cell) or 0 for cell in _cells(part, places.over)]),
            "record": np.array(part.numbers) - 1,
            "line": np.array(part.lines),
            "document": keys_of(_document(record.cells, places) for record in records),
            "file": self._number("file", _cells(part, places.file)),
            "key": _keys(*(_cells(part, place) for place in self._keys), actors),
            "text": _keys(_cells(part, places.text)),
            "length": np.array([*map(len, _cells(part, places.text))]),
            "same": _keys(*(_cells(part, place) for place in self._unit), actors),
        }

    def _number(self, kind: str, names: Sequence[str]) -> Ints:
        known = self._names[kind]
        return np.array([known.setdefault(name, len(known)) for name in names])

    def finish(self, versions: Mapping[Path, tuple[int, ...]]) -> AnswersTable:
        """Return all answers, each counted once."""
        table, request, places, names = self._table, self._request, self._places, self._names
        if missing := [name for name in request.only if name not in names["actor"]]:
            why = f"holds no answer on '{shown(min(missing))}'; check its spelling"
            raise DataError(f"{table.name}: {why}")
        if not (parts := self._parts):
            raise DataError(f"{table.name}: holds no answer; judge texts that name an actor")
        values = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        same, line, repeated = values.pop("same"), values.pop("line"), 0
        if places.text is not None:  # by which rows repeat others
            first = self._firsts(same, values["stance"], values["record"], line)
            repeated = len(same) - len(first)
            if not self._nameless:
                values = {name: figures[first] for name, figures in values.items()}
        values["document"] = np.unique(values["document"], return_inverse=True)[1]
        files = np.unique(np.stack([values["document"], values.pop("file")]), axis=1)[0]
        shared = int((np.bincount(files) > 1).sum())
        periods, period = find_periods(values.pop("day"), request.period)
        notes = self._notes(repeated, int((period == MISSING).sum()), shared)
        return AnswersTable(
            request=request,
            table=table.name,
            columns=table.columns,
            places=places,
            actors=tuple(names["actor"]),
            groups=() if places.by is None else tuple(names["group"]),
            holders=tuple(names["holder"]),
            periods=periods,
            period=period,
            named_by=tuple(self._named_by),
            rows=len(np.unique(np.concatenate(self._rows))),
            naming=len(np.unique(np.concatenate(self._naming))),
            versions=versions,
            never_answered=self._never,
            notes=(*table.notes, *(f"{table.name}: {note}" for note in notes)),
            **values,
        )

    def _firsts(self, same: Keys, stance: Ints8, record: Ints, line: Ints) -> Ints:
        """Return the first of the rows that are the same; raise if they have two answers."""
        _, first, place = np.unique(same, return_index=True, return_inverse=True)
        for other in np.flatnonzero(stance != stance[first[place]])[: not self._nameless].tolist():
            rows = (Record(record[n] + 1, line[n], ()) for n in (first[place[other]], other))
            where = " and ".join(map(self._table.where, rows))
            advice = "keep one row of each pair; labels of several coders are for --audit"
            raise DataError(f"{where}: two answers on one text and actor; {advice}")
        return np.sort(first)

    def _notes(self, repeated: int, undated: int, shared: int) -> Iterator[str]:
        """Yield what columns were taken for, and how many answers were left out, and why."""
        places = self._places
        what = "text" if places.text is not None else "id" if places.id is not None else "row"
        if places.document is None:
            advice = f"if a document has several {what}s, name the document column with "
            advice += "--document-column, or intervals are too narrow"
            yield f"no column 'document', so each {what} counts as a document; {advice}"
        elif self._loose:
            yield f"{count(self._loose, 'row')} without a document; each {what} counts as one"
        if shared and (places.document is not None or what == "id"):
            documents = f"{count(shared, 'document')} in more than one file"
            yield f"{documents}: each counts as one; rename them if they differ"
        for _, reader in self._labels:
            yield from (note.removeprefix(f"{self._table.name}: ") for note in reader.notes())
        if self._aimless:
            rows = count(len(self._aimless), "row")
            yield f"{rows} with a stance but no actor left out (first: {self._aimless[0]})"
        if repeated:
            how = "counted, too; delete them, or add an 'id'" if self._nameless else "left out"
            yield f"{count(repeated, 'row')} {how}: an earlier row has the same text and actor"
        if places.over is not None and undated:
            yield f"{count(undated, 'answer')} without a date that can be read"


def _cells(part: Records, place: int | None) -> list[str]:
    """Return the cells of a column, empty ones if there is none."""
    return [""] * len(part) if place is None else part.columns[place]


def _keys(*columns: Sequence[str]) -> Keys:
    """Return the `pair_key` of each row of some columns."""
    return np.array([*map(pair_key, zip(*columns, strict=True))], np.uint64)


def _document(cells: Sequence[str], places: Places) -> str:
    """Return what names the document of an answer; without one, its text, its id or its row."""
    known = (places.document, places.text, places.id)
    place = next((place for place in known if place is not None and cells[place].strip()), None)
    file = "" if places.file is None else cells[places.file]
    return f"row {cells[places.row]}\0{file}" if place is None else cells[place]  # in any file
