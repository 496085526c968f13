"""Tables of answers as a user names them, and the columns that are read of them."""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stance.display import count, shown
from stance.errors import DataError
from stance.findings.periods import Unit
from stance.label_values import LabelReader, stance_spellings
from stance.records import ANSWERS, NEUTRAL, UNCERTAIN, Stance
from stance.runs.answers import SENTIMENT_COLUMNS, STANCE_COLUMNS
from stance.tables import (
    Form,
    Inputs,
    Records,
    Table,
    column,
    join_tables,
    open_table,
    optional_column,
)

Join = Literal["row", "id", "text"]  # what tells the paragraphs of two tables apart
_WRITTEN = ("row", *STANCE_COLUMNS)  # by predict, beside the actor's
_WITHHELD = len(Stance)  # place of "uncertain" among `ANSWERS`
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
    labels: Mapping[str, str] | None = None  #: what the spellings of these labels mean
    document_column: str | None = None
    delimiter: str | None = None
    quoting: Literal["none"] | None = None  #: none if quotes are characters like others
    encoding: str | None = None
    sheet: str | None = None  #: of workbooks; None is the first
    period: Unit | None = None  #: length of the periods; as the answers allow if None
    date_format: str | None = None  #: of `datetime.strptime`; None if the dates have one reading

    @property
    def paths(self) -> list[Path]:
        """The files of the tables."""
        named = [self.source] if isinstance(self.source, Path) else self.source.paths
        return [path for path in named if path]

    @property
    def name(self) -> str:
        """What messages call the tables."""
        return str(self.source) if isinstance(self.source, Path) else self.source.name

    @property
    def title(self) -> str:
        """What a page calls them."""
        return self.source.name

    def open(self) -> Table:
        """Open the table, or several as one in which `file` and `row` name a paragraph.

        A table of labels, such as a language model gives, gets the columns that `predict` writes.
        """
        form: Form = {
            "delimiter": self.delimiter,
            "quoting": self.quoting,
            "encoding": self.encoding,
            "sheet": self.sheet,
        }
        if isinstance(self.source, Inputs):
            table = join_tables(self.source, self._check, form, self.prefix)
        else:
            table = open_table(self.source, **form)
        if not _predicted(table.columns, self.prefix):
            try:
                _read_labels_as_answers(table, self)
            except DataError:
                table.close()
                raise
        return table

    def _check(self, table: Table) -> None:
        """Raise if a table has no answers."""
        if _predicted(table.columns, self.prefix):
            find_places(table.columns, table.name, self)
        else:
            _find_label(table, self)


def _predicted(columns: Sequence[str], prefix: str) -> bool:
    """Return whether `predict` wrote a table, by its columns."""
    return all(prefix + name in columns for name in _WRITTEN)


def _find_label(table: Table, request: Request) -> int:
    """Return the place of the labels in a table that `predict` did not write."""
    columns, name = table.columns, table.name
    if reason := _refusal(columns):
        raise DataError(f"{name}: {reason}")
    column(columns, request.actor_column or "actor", name, "--actor-column", NO_ANSWERS)
    return column(columns, request.stance_column or "stance", name, "--stance-column", NO_ANSWERS)


def _read_labels_as_answers(table: Table, request: Request) -> None:
    """Have the labels of a table, none of whose records is read yet, come as answers."""
    columns, name, label = table.columns, table.name, _find_label(table, request)
    kept = [n for n, name in enumerate(columns) if n != label and name not in _WRITTEN]
    row = optional_column(columns, "row", name)
    withheld = dict.fromkeys(("", UNCERTAIN), _WITHHELD)
    reader = LabelReader(name, Stance, {**stance_spellings(request.labels), **withheld})
    open_ = 0

    def answers(chunks: Iterable[Records]) -> Generator[Records]:
        nonlocal open_
        for part in chunks:
            read = [reader.read(record.cells[label], record) for record in part]
            open_ += read.count(_WITHHELD)
            likeliest = [NEUTRAL if stance == _WITHHELD else stance for stance in read]
            added = [
                list(map(str, part.numbers)) if row is None else part.columns[row],
                [ANSWERS[stance] for stance in read],
                *(["1" if stance == n else "0" for stance in likeliest] for n in range(3)),
            ]
            cells = [*(part.columns[n] for n in kept), *added]
            yield Records(part.numbers, part.lines, cells)

    def notes() -> Iterator[str]:
        yield f"column '{shown(columns[label])}' read as answers, which have no probabilities"
        yield from (note.removeprefix(f"{name}: ") for note in reader.notes())
        if open_:
            yield f"{count(open_, 'row')} without a stance counted as withheld"

    table.through(answers, notes)
    table.columns = (*(columns[n] for n in kept), *_WRITTEN)


@dataclass(frozen=True, slots=True)
class Places:
    """Numbers of the columns that answers, texts, documents and groups stand in."""

    row: int
    actor: int
    mentions: int | None  # None in a table of labels, which have no probabilities either
    stance: int
    probabilities: tuple[int, int, int]
    sentiment: int | None
    text: int | None
    document: int | None
    file: int | None
    by: int | None
    over: int | None
    spans: int | None
    holder: int | None = None
    id: int | None = None

    @property
    def paired(self) -> bool:
        """Whether the input named the actor of each row."""
        return self.actor < self.row

    def identity(self, join: Join) -> list[int]:
        """Return the columns that tell paragraphs apart, that of the row, id or text last."""
        if join == "row":
            return [place for place in (self.file, self.document, self.row) if place is not None]
        named = self.id if join == "id" else self.text
        return [] if named is None else [named]

    @property
    def whole(self) -> tuple[int | None, ...]:
        """The columns that, with text and actor, tell whether a row repeats another."""
        named = (
            self.mentions is None and self.id is not None
        )  # labels, whose rows are only numbered
        return (self.file, self.document, self.id, None if named else self.row)

    def actor_of(self, cells: Sequence[str]) -> str:
        """Return the actor that a record is about, empty for none, as predict reads its cell."""
        return cells[self.actor].strip()


def find_places(columns: Sequence[str], table: str, request: Request) -> Places:
    """Find the columns of a prediction table; raise if it is not one in long form."""
    numbers, prefix = {name: place for place, name in enumerate(columns)}, request.prefix
    # Where the input named the actors, it may have spelled the column in its own way.
    named = request.actor_column or (prefix + "actor" if prefix + "actor" in numbers else "actor")

    def asked(name: str | None, usual: str) -> int | None:
        return (
            optional_column(columns, usual, table) if name is None else column(columns, name, table)
        )

    against, neutral, favor = (numbers[f"{prefix}stance_{label}"] for label in Stance)
    row = numbers[prefix + "row"]
    actor = column(columns, named, table, "--actor-column")
    return Places(
        row=row,
        actor=actor,
        mentions=numbers.get(prefix + "mentions"),
        stance=numbers[prefix + "stance"],
        probabilities=(against, neutral, favor),
        sentiment=numbers.get(prefix + SENTIMENT_COLUMNS[0]),
        text=asked(request.text_column, "text"),
        document=asked(request.document_column, "document"),
        file=numbers.get(prefix + "file", numbers.get("file")),
        by=asked(request.by, "source"),
        over=asked(request.over, "date"),
        # Without an actor of each row, predict read no spans.
        spans=optional_column(columns, "spans", table) if actor < row else None,
        holder=numbers.get(prefix + "holder"),
        id=optional_column(columns[:row], "id", table),
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
