"""Rows of labelled tables, checked one by one as they are read."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple, cast

from stance.display import count
from stance.errors import DataError
from stance.label_values import (
    MISSING,
    SENTIMENTS,
    SOFT,
    LabelReader,
    read_flag,
    read_holder,
    read_soft,
    read_stance,
    stance_spellings,
)
from stance.reading.spans import parse_spans
from stance.records import Sentiment, Stance
from stance.tables import (
    DateColumn,
    Form,
    Record,
    Table,
    column,
    optional_column,
    read_as,
    read_pattern,
)

EXTRA = ("id", "source", "genre", "drawn")
"""Columns that a corpus keeps as they are."""

ROLES = ("text", "actor", "stance", "document", "date")
"""Columns that may have another name, by an option such as ``--text-column``."""
OPTIONAL = (
    *("sentiment", "document", "spans", "holder", "false_match", "coder", "date"),
    *(*SOFT, *EXTRA),
)


class Row(NamedTuple):
    """A labelled row as it is read; see `Corpus`."""

    text: str
    actor: str
    stance: int
    number: int
    spans: list[tuple[int, int]] | None = None
    sentiment: int = MISSING
    document: str = ""  # its name; empty without one
    holder: str | None = None
    false_match: bool = False
    soft: list[float] | None = None
    judged: bool = True
    date: str = ""
    coder: str = ""
    line: int = 0  # where its record starts
    extra: tuple[str, ...] = ()  # cells of the columns asked for


class CorpusForm(Form, total=False):
    """What a user says of labelled tables; see `read_corpus`."""

    labels: Mapping[str, str] | None
    columns: Mapping[str, str] | None
    date_format: str | None


def table_form(form: CorpusForm) -> Form:
    """Return what a user says of the form alone."""
    labelled = CorpusForm.__annotations__.keys() - Form.__annotations__.keys()
    return cast(Form, {key: value for key, value in form.items() if key not in labelled})


def _places(table: Table, names: Mapping[str, str]) -> dict[str, int]:
    """Return where the columns of a corpus stand in a table that has its own names for some."""
    found = {}
    for name in ("text", "actor", "stance", *OPTIONAL):
        at = optional_column(table.columns, names.get(name, name), table.name)
        if at is not None:
            found[name] = at
    needed = ["text", "actor"] + ["stance"] * (not set(SOFT) <= set(found))
    for name in dict.fromkeys((*needed, *names)):
        option = f"--{name}-column" if name in ROLES else ""
        hint = ", or name the actor of all rows with --actor" if name == "actor" else ""
        found[name] = column(table.columns, names.get(name, name), table.name, option, hint)
    return found


class LabelledRows:
    """The rows of a labelled table, checked one by one; the form is as in `read_corpus`.

    After the last row, `notes` are on how the table was read, and `dates` is how its dates are.
    """

    def __init__(
        self,
        table: Table,
        labels: Mapping[str, str] | None,
        columns: Mapping[str, str] | None,
        date_format: str | None,
        extra: Sequence[str] = EXTRA,
    ) -> None:
        self._table, self._columns, self._extra = table, columns or {}, extra
        self._stance = LabelReader(table.name, Stance, stance_spellings(labels))
        self._sentiment = LabelReader(table.name, Sentiment, SENTIMENTS)
        self._asked, self._text = read_pattern(date_format), ""
        self.notes: list[str] = []
        self.dates = self._asked

    def __iter__(self) -> Iterator[Row]:
        table = self._table
        places = _places(table, self._columns)
        others = [name for name in self._extra if name not in places]
        found = {name: optional_column(table.columns, name, table.name) for name in others}
        cells_at = places | {name: at for name, at in found.items() if at is not None}
        missing = dict.fromkeys(("stance", *OPTIONAL, *self._extra), "")
        chosen = itemgetter(*cells_at.values())
        dates, lines, soft, empty = list[str](), array("q"), 0, list[int]()
        record = None
        known: dict[str, str] = {}  # so that each name or date is kept once
        for record in table:
            cells = missing | dict(zip(cells_at, chosen(record.cells), strict=True))
            row = self._read(record, cells, known)
            if "date" in places:
                lines.append(record.line)
                dates.append(row.date)
            soft += row.soft is not None
            if not row.text.strip():
                empty.append(record.line)
            yield row
        if record is None:
            raise DataError(f"{table.name}: no rows below the header; a corpus needs labelled rows")
        wanted = [self._columns.get(name, name) for name in places]
        told = [*read_as(table.columns, wanted, table.name), *self._stance.notes()]
        self.notes += [*table.notes, *told, *self._sentiment.notes()]
        column = DateColumn(table.name, self._columns.get("date", "date"), self._asked)
        if any(dates):
            self.dates = column.decide(dates, lines)
        self.notes += column.notes()
        if empty:
            rows_of = f"{count(len(empty), 'row')} without text (first: line {empty[0]:,})"
            self.notes.append(
                f"{table.name}: {rows_of}: nothing can be learned there; delete such rows"
            )
        if soft:
            rows_of = f"{count(soft, 'row')} with soft labels ({', '.join(SOFT)})"
            said = f"{table.name}: {rows_of}: train learns from them instead of stance"
            self.notes.append(said)

    def _read(self, record: Record, cells: Mapping[str, str], known: dict[str, str]) -> Row:
        where = f"{self._table.name}:{record.line}"
        actor = cells["actor"].strip()
        if not actor:
            raise DataError(f"{where}: the actor is empty; name the actor that the row judges")
        spans = parse_spans(cells["spans"], cells["text"], where)
        holder = read_holder(cells["holder"], where)
        false_match = read_flag(cells["false_match"], where)
        soft = read_soft([cells[name] for name in SOFT], where)
        tone = cells["sentiment"]
        if cells["text"] != self._text:  # rows of several actors share one
            self._text = cells["text"]
        return Row(
            text=self._text,
            actor=known.setdefault(actor, actor),
            spans=spans,
            stance=read_stance(cells["stance"], record, self._stance, false_match, soft),
            sentiment=self._sentiment.read(tone, record) if tone.strip() else MISSING,
            document=cells["document"],
            holder=holder and known.setdefault(holder, holder),
            false_match=false_match,
            soft=soft,
            judged=bool(cells["stance"].strip()) or false_match,
            date=known.setdefault(cells["date"], cells["date"]),
            number=record.number,
            line=record.line,
            coder=cells["coder"].strip(),
            extra=tuple(map(cells.__getitem__, self._extra)),
        )
