"""Tables of answers as a user names them: the columns and the periods that are read of them."""

import math
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import numpy as np

from stance.arrays import Ints
from stance.corpus.rows import MISSING, LabelReader, stance_spellings
from stance.display import count, shown
from stance.errors import DataError, UsageError
from stance.reading.text import as_name
from stance.records import ANSWERS, NEUTRAL, NEVER_ANSWERED, STANCE_COLUMNS, UNCERTAIN, Stance
from stance.tables import FILE, Inputs, JoinedTable, Record, Records, Table, form_of, open_table
from stance.tables.columns import USUAL, column, optional_column

Unit = Literal["week", "month", "quarter", "year"]
UNITS: tuple[Unit, ...] = get_args(Unit)
MOST_COMPARED = 12  # periods that are compared, unless the user asks for others
NO_ANSWERS = ", or name a table that stance predict wrote without --wide"
SUM_ERROR = 0.01 + 1e-9  # how far the probabilities of an answer may be from a sum of 1
_WRITTEN = ("row", *STANCE_COLUMNS)  # by predict, beside the actor's


@dataclass(frozen=True, slots=True)
class Request:
    """Tables of answers, and what is to be found in them; None for the usual column."""

    source: Path | Inputs  #: table that `predict` wrote, or its name; inputs are several
    by: str | None = None  #: column of the source
    over: str | None = None  #: column of the date
    prefix: str = ""  #: of the answers' columns
    text_column: str | None = None
    actor_column: str | None = None
    stance_column: str | None = None  #: of labels that somebody else than `predict` gave
    labels: Mapping[str, str] | None = None  #: what the spellings of labels mean
    document_column: str | None = None
    delimiter: str | None = None
    quoting: Literal["none"] | None = None  #: none if quotes are characters like others
    encoding: str | None = None
    sheet: str | None = None  #: of workbooks; None is the first
    period: Unit | None = None  #: length of the periods; as the answers allow if None
    date_format: str | None = None  #: of `datetime.strptime`; None if the dates have one reading
    only: Sequence[str] = ()  #: actors whose answers are read; all if empty
    surrogates: Sequence[str] = ()  #: columns of other models' labels, each weighted by its use
    audit: Path | None = None  #: labelled sample of the answers; its design stands beside it
    simple_random: bool = False  #: every answer had the same chance, so no design says it

    def __post_init__(self) -> None:
        for name in ("source", "audit", "only", "surrogates"):
            if isinstance(one := getattr(self, name), str):
                object.__setattr__(self, name, Path(one) if name in ("source", "audit") else (one,))
        object.__setattr__(self, "only", tuple(map(as_name, self.only)))
        if not isinstance(self.source, Path | Inputs):
            raise TypeError(f"source is a {type(self.source).__name__}; name a table's file")
        if self.period not in (None, *UNITS):
            raise UsageError(f"--period {self.period}: choose {', '.join(UNITS)}")
        if self.audit is None and (self.simple_random or self.surrogates):
            raise UsageError("--simple-random and --surrogate need labels; add --audit LABELLED")

    @property
    def paths(self) -> list[Path]:
        """The files of the tables."""
        named = [self.source] if isinstance(self.source, Path) else self.source.paths
        return [path for path in named if path]

    @property
    def name(self) -> str:
        """What messages call the tables."""
        source = self.source
        return str(source) if isinstance(source, Path) else count(len(source.paths), "file")

    @contextmanager
    def open(self) -> Iterator[Table]:
        """Open the table, or several as one; labels get the columns that `predict` writes."""
        form, source, file = form_of(self), self.source, self.prefix + FILE
        with (
            JoinedTable(source, file, lambda path, _: open_table(path, **form), self._check)
            if isinstance(source, Inputs)
            else open_table(source, **form)
        ) as table:
            if not _predicted(table.columns, self.prefix):
                _read_labels_as_answers(table, self)
            elif self.stance_column not in (None, self.prefix + "stance"):
                why = "has answers of stance predict, which count; drop them or --stance-column"
                raise DataError(f"{table.name}: {why}")
            elif table.headers:
                _put_inputs_first(table, self.prefix)
            yield table

    def _check(self, table: Table) -> None:
        """Raise if a table has no answers."""
        (find_places if _predicted(table.columns, self.prefix) else _find_label)(table, self)


def _put_inputs_first(table: Table, prefix: str) -> None:
    """Move the columns of all inputs before those that `predict` wrote."""
    headers = table.headers.values()
    if not all(_predicted(names, prefix) for names in headers):
        raise DataError(f"{table.name}: some hold labels, others answers; read them apart")
    inputs = {name for names in headers for name in names[: names.index(prefix + "row")]}
    order = sorted(range(1, len(table.columns)), key=lambda n: table.columns[n] not in inputs)
    table.through(lambda part: replace(part, columns=[part.columns[n] for n in (0, *order)]))
    table.columns = tuple(table.columns[n] for n in (0, *order))


# --- Labels that somebody else than predict gave ---


def _predicted(columns: Sequence[str], prefix: str) -> bool:
    """Return whether `predict` wrote a table, by its columns."""
    return all(prefix + name in columns for name in _WRITTEN)


def _find_label(table: Table, request: Request) -> int:
    """Return the place of the labels in a table; raise if `predict` wrote it in another form."""
    prefixes = (name.removesuffix("stance") for name in table.columns)
    if known := [shown(p) for p in prefixes if p and _predicted(table.columns, p)]:
        why = f"the columns of its answers begin with '{known[0]}'; add --prefix {known[0]}"
        raise DataError(f"{table.name}: {why}")
    for name in table.columns:
        if name not in ("", "stance") and all(f"{name}_{part}" in table.columns for part in Stance):
            advice = "run stance predict without --wide and give that table"
            raise DataError(f"{table.name}: has one row per text; {advice}")
    if request.prefix:
        what = f"no column of answers begins with '{shown(request.prefix)}'"
        raise DataError(f"{table.name}: {what}; drop or correct --prefix")
    column(table, request.actor_column or "actor", "--actor-column", NO_ANSWERS)
    return column(table, request.stance_column or "stance", "--stance-column", NO_ANSWERS)


def label_in(cell: str, record: Record, reader: LabelReader) -> int:
    """Return the stance that somebody gave in a cell; `MISSING` where it is left open."""
    return MISSING if cell.strip().lower() in ("", UNCERTAIN) else reader.read(cell, record)


def _read_labels_as_answers(table: Table, request: Request) -> None:
    """Turn the labels of a table into answers, before any record is read."""
    columns, label = table.columns, _find_label(table, request)
    kept = [n for n, name in enumerate(columns) if n != label and name not in _WRITTEN]
    row = optional_column(table, "row")
    reader = LabelReader(table, Stance, stance_spellings(request.labels))
    table.note(f"column '{shown(columns[label])}' read as answers, which have no probabilities")

    def answers(parts: Iterator[Records]) -> Generator[Records]:
        for part in parts:
            given = [label_in(record.cells[label], record, reader) for record in part]
            if missing := given.count(MISSING):
                first = table.place(part, given.index(MISSING))
                table.note("row: without a stance, which counted shares leave out", first, missing)
            likeliest = [NEUTRAL if stance == MISSING else stance for stance in given]
            added = [
                list(map(str, part.numbers)) if row is None else part.columns[row],
                [ANSWERS[stance] for stance in given],  # the last one if it is missing
                *(["1" if stance == n else "0" for stance in likeliest] for n in range(3)),
            ]
            yield Records(part.numbers, part.lines, [*(part.columns[n] for n in kept), *added])
        for note in reader.notes():
            table.note(note.removeprefix(f"{table.name}: "))

    table.chunks = answers(table.chunks)
    table.columns = (*(columns[n] for n in kept), *_WRITTEN)


# --- Columns ---


class Places(NamedTuple):
    """Numbers of the columns that answers, texts, documents and groups stand in."""

    row: int
    actor: int  # before that of the row if the input named the actor of each row; to be stripped
    mentions: int | None  # None in a table of labels, which have no probabilities either
    stance: int
    probabilities: tuple[int, int, int]
    text: int | None
    document: int | None
    file: int | None
    by: int | None
    over: int | None
    spans: int | None
    holder: int | None = None
    id: int | None = None
    never: int | None = None  # stances that predict never answered

    def fault(self, cells: Sequence[str]) -> str:
        """Return why cells are not an answer; empty if they are one."""
        if (stance := cells[self.stance]) not in ANSWERS:
            return f"'{shown(stance)}' is not one of {', '.join(ANSWERS)}"
        given = [cells[place] for place in self.probabilities]
        if wrong := [cell for cell in given if math.isnan(read_chance(cell))]:
            return f"'{shown(wrong[0])}' is not a probability from 0 to 1"
        if not math.isclose(sum(map(float, given)), 1, abs_tol=SUM_ERROR):
            return f"probabilities '{shown(' '.join(given))}' do not sum to 1"
        return ""


def read_chance(cell: str) -> float:
    """Return the probability in a cell; NaN if it is none."""
    with suppress(ValueError):
        if 0 <= (chance := float(cell)) <= 1:
            return chance
    return math.nan


def usual_column(table: Table, asked: str | None, usual: str) -> int | None:
    """Return the place of a column that is asked for, or of the usual one if there is one."""
    return optional_column(table, usual) if asked is None else column(table, asked)


def find_places(table: Table, request: Request) -> Places:
    """Find the columns of a prediction table in long form; texts may stand in one like `text`."""
    columns, prefix = table.columns, request.prefix
    numbers = {name: place for place, name in enumerate(columns)}
    # Where the input named the actors, it may have spelled the column in its own way.
    named = request.actor_column or (prefix + "actor" if prefix + "actor" in numbers else "actor")
    row, actor = numbers[prefix + "row"], column(table, named, "--actor-column")
    ours = Table(table.name, columns[:row])  # of the input
    text = usual_column(table, request.text_column, "text")
    if text is None:
        others = (optional_column(ours, other) for other in USUAL["text"])
        if (text := next((place for place in others if place is not None), None)) is not None:
            name = shown(columns[text])
            table.note(f"column '{name}' is read as 'text'; name another with --text-column")
    stance, against, neutral, favor = (numbers[prefix + name] for name in STANCE_COLUMNS)
    by = None if request.by is None else column(table, request.by, "--by")
    if by in (row, actor, stance, against, neutral, favor):
        what = f"column '{shown(columns[by])}' is part of the answers that are counted"
        raise DataError(f"{table.name}: {what}; name a column of the texts with --by, or 'holder'")
    return Places(
        row=row,
        actor=actor,
        mentions=numbers.get(prefix + "mentions"),
        stance=stance,
        probabilities=(against, neutral, favor),
        text=text,
        document=usual_column(table, request.document_column, "document"),
        file=numbers.get(prefix + "file", numbers.get("file")),
        by=by,
        over=None if request.over is None else column(table, request.over, "--over"),
        # Without an actor of each row, predict read no spans.
        spans=optional_column(table, "spans") if actor < row else None,
        holder=numbers.get(prefix + "holder"),
        id=optional_column(ours, "id"),
        never=numbers.get(prefix + NEVER_ANSWERED),
    )


# --- Periods ---


def find_periods(days: Ints, asked: Unit | None = None) -> tuple[dict[str, int], Ints]:
    """Return the periods of some days, and the place among these that each day has.

    Periods are numbers by name, in order; of two that follow each other, one apart. Days are
    ordinals; 0 is none, and has the place `MISSING`. If no length is asked for, a dozen of the
    shortest suffice, but no weeks; where all days are a first of January, their column holds years.
    """
    known, number = np.unique(days, return_inverse=True)
    dates = [date.fromordinal(day) for day in known.tolist() if day]
    if not dates:
        return {}, np.full(len(days), MISSING)
    has_years = all((day.month, day.day) == (1, 1) for day in dates)
    if asked and asked not in UNITS[3:] and has_years and len(dates) > 1:
        why = "all dates are a first of January, as of years; say year"
        raise UsageError(f"--period {asked}: {why}")
    for unit in (asked,) if asked else UNITS[3:] if has_years else UNITS[1:]:
        periods = [_period(day, unit) for day in dates]
        numbers = {name: code for code, name in sorted({*periods})}
        if len(numbers) <= MOST_COMPARED:
            break
    undated = np.full(len(known) - len(dates), MISSING)
    places = np.searchsorted([*numbers.values()], [number for number, _ in periods])
    return numbers, np.concatenate([undated, places])[number]


def _period(day: date, unit: Unit) -> tuple[int, str]:
    """Return the number and the name of the period of a day.

    >>> _period(date(2024, 5, 1), "quarter"), _period(date(2024, 9, 2), "week")
    ((8097, '2024 Q2'), (105590, '2024-W36'))
    """
    if unit == "week":
        return (day.toordinal() - 1) // 7, f"{day:%G-W%V}"
    month = 12 * day.year + day.month - 1
    if unit == "month":
        return month, f"{day.year}-{day.month:02}"
    if unit == "quarter":
        return month // 3, f"{day.year} Q{month % 12 // 3 + 1}"
    return day.year, str(day.year)
