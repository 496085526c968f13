"""Tables of answers as a user names them, and the columns that are read of them."""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from stance.corpus.rows import LabelReader, stance_spellings
from stance.display import count, shown
from stance.errors import DataError
from stance.findings.periods import Unit
from stance.records import ANSWERS, NEUTRAL, UNCERTAIN, Stance
from stance.runs.answers import STANCE_COLUMNS
from stance.tables import (
    Header,
    Inputs,
    Record,
    Records,
    Table,
    column,
    join_tables,
    open_table,
    optional_column,
)
from stance.tables.columns import USUAL

Join = Literal["row", "id", "text"]  # what tells the paragraphs of two tables apart
_WRITTEN = ("row", *STANCE_COLUMNS)  # by predict, beside the actor's
NO_ANSWERS = ", or name a table that stance predict wrote"


@dataclass(frozen=True, slots=True)
class Request:
    """Tables of answers, and what is to be found in them; None for the usual column."""

    source: Path | Inputs  #: table that `predict` wrote; inputs are several
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
    audit_encoding: str | None = None  #: such as cp1252; UTF-8 if None

    @property
    def paths(self) -> list[Path]:
        """The files of the tables."""
        named = [self.source] if isinstance(self.source, Path) else self.source.paths
        return [path for path in named if path]

    @property
    def name(self) -> str:
        """What messages call the tables."""
        return str(self.source) if isinstance(self.source, Path) else self.source.name

    def open(self) -> Table:
        """Open the table, or several as one in which `file` and `row` name a paragraph.

        A table of labels, such as a language model gives, gets the columns that `predict` writes.
        """
        if isinstance(self.source, Path) and self.source.suffix.lower() in (".html", ".htm"):
            advice = f"judge it first: stance predict {self.source} -o answers.csv"
            raise DataError(f"{self.source}: is a web page, not a table of answers; {advice}")
        names = ("delimiter", "quoting", "encoding", "sheet")
        form: Any = {name: getattr(self, name) for name in names}
        if isinstance(self.source, Inputs):
            table = join_tables(self.source, self._check, form, self.prefix)
        else:
            table = open_table(self.source, **form)
        try:
            if not _predicted(table.columns, self.prefix):
                _read_labels_as_answers(table, self)
        except DataError:
            table.close()
            raise
        return table

    def _check(self, table: Table) -> None:
        """Raise if a table has no answers."""
        (find_places if _predicted(table.columns, self.prefix) else _find_label)(table, self)


def _predicted(columns: Sequence[str], prefix: str) -> bool:
    """Return whether `predict` wrote a table, by its columns."""
    return all(prefix + name in columns for name in _WRITTEN)


def _find_label(table: Table, request: Request) -> int:
    """Return the place of the labels in a table that `predict` did not write."""
    if reason := _refusal(table.columns):
        raise DataError(f"{table.name}: {reason}")
    column(table, request.actor_column or "actor", "--actor-column", NO_ANSWERS)
    return column(table, request.stance_column or "stance", "--stance-column", NO_ANSWERS)


def label_in(cell: str, record: Record, reader: LabelReader) -> int | None:
    """Return the stance that somebody gave in a cell; None where it is left open."""
    return None if cell.strip().lower() in ("", UNCERTAIN) else reader.read(cell, record)


def _read_labels_as_answers(table: Table, request: Request) -> None:
    """Have the labels of a table, none of whose records is read yet, come as answers."""
    columns, name, label = table.columns, table.name, _find_label(table, request)
    kept = [n for n, name in enumerate(columns) if n != label and name not in _WRITTEN]
    row = optional_column(table, "row")
    reader = LabelReader(name, Stance, stance_spellings(request.labels))
    without = 0

    def answers(chunks: Iterable[Records]) -> Generator[Records]:
        nonlocal without
        for part in chunks:
            given = [label_in(record.cells[label], record, reader) for record in part]
            without += given.count(None)
            likeliest = [NEUTRAL if stance is None else stance for stance in given]
            added = [
                list(map(str, part.numbers)) if row is None else part.columns[row],
                [UNCERTAIN if stance is None else ANSWERS[stance] for stance in given],
                *(["1" if stance == n else "0" for stance in likeliest] for n in range(3)),
            ]
            cells = [*(part.columns[n] for n in kept), *added]
            yield Records(part.numbers, part.lines, cells)

    def notes() -> Iterator[str]:
        yield f"column '{shown(columns[label])}' read as answers, which have no probabilities"
        yield from (note.removeprefix(f"{name}: ") for note in reader.notes())
        if without:
            yield f"{count(without, 'row')} without a stance counted as withheld"

    table.through(answers, notes)
    table.columns = (*(columns[n] for n in kept), *_WRITTEN)


@dataclass(frozen=True, slots=True)
class Places:
    """Numbers of the columns that answers, texts, documents and groups stand in."""

    row: int
    actor: int  # before that of the row if the input named the actor of each row
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

    def identity(self, join: Join) -> list[int]:
        """Return the columns that tell paragraphs apart, that of the row, id or text last."""
        if join == "row":
            return [place for place in (self.file, self.document, self.row) if place is not None]
        named = self.id if join == "id" else self.text
        return [] if named is None else [named]

    @property
    def whole(self) -> tuple[int | None, ...]:
        """The columns that, with text and actor, tell whether a row repeats another."""
        only_numbered = self.mentions is None and self.id is not None  # rows of labels
        return (self.file, self.document, self.id, None if only_numbered else self.row)

    def unnamed(self, cells: Sequence[str]) -> bool:
        """Return whether the text of a record does not name its actor."""
        return self.mentions is not None and cells[self.mentions] == "0"

    def actor_of(self, cells: Sequence[str]) -> str:
        """Return the actor that a record is about, empty for none, as predict reads its cell."""
        return cells[self.actor].strip()


def usual_column(table: Table, asked: str | None, usual: str) -> int | None:
    """Return the place of a column that is asked for, or of the usual one if there is one."""
    return optional_column(table, usual) if asked is None else column(table, asked)


def find_places(table: Table, request: Request) -> Places:
    """Find the columns of a prediction table; raise if it is not one in long form.

    Without a column `text` it is one that others call so, such as predict may have been told.
    """
    columns, prefix = table.columns, request.prefix
    numbers = {name: place for place, name in enumerate(columns)}
    # Where the input named the actors, it may have spelled the column in its own way.
    named = request.actor_column or (prefix + "actor" if prefix + "actor" in numbers else "actor")

    row, actor = numbers[prefix + "row"], column(table, named, "--actor-column")
    ours = Header(columns[:row], table.name)  # of the input
    text = usual_column(table, request.text_column, "text")
    if text is None:
        others = (optional_column(ours, other) for other in USUAL["text"])
        text = next((place for place in others if place is not None), None)
    against, neutral, favor = (numbers[f"{prefix}stance_{label}"] for label in Stance)
    return Places(
        row=row,
        actor=actor,
        mentions=numbers.get(prefix + "mentions"),
        stance=numbers[prefix + "stance"],
        probabilities=(against, neutral, favor),
        text=text,
        document=usual_column(table, request.document_column, "document"),
        file=numbers.get(prefix + "file", numbers.get("file")),
        by=None if request.by is None else column(table, request.by),
        over=None if request.over is None else column(table, request.over),
        # Without an actor of each row, predict read no spans.
        spans=optional_column(table, "spans") if actor < row else None,
        holder=numbers.get(prefix + "holder"),
        id=optional_column(ours, "id"),
    )


def _refusal(columns: Sequence[str]) -> str:
    """Return why answers that `predict` wrote in another form are not read; empty for others."""
    for name in columns:
        prefix = name.removesuffix("stance")
        if name.endswith("stance") and prefix and _predicted(columns, prefix):
            option = shown(prefix)
            return f"the columns of its answers begin with '{option}'; add --prefix {option}"
        if name not in ("", "stance") and all(f"{name}_{label}" in columns for label in Stance):
            return "has one row per text; run stance predict without --wide and give that table"
    return ""
