"""Tables of answers as a user names them, and the columns that are read of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Literal

from stance.display import shown
from stance.errors import DataError
from stance.findings.periods import Unit
from stance.records import Stance
from stance.runs.answers import SENTIMENT_COLUMNS, STANCE_COLUMNS
from stance.tables import (
    Form,
    Inputs,
    Table,
    column,
    join_tables,
    open_table,
    optional_column,
)

LONGEST_NAME = 120  # characters of a name; the rest of a longer one becomes a hash
_WRITTEN = ("row", "mentions", *STANCE_COLUMNS)  # by predict, beside the actor's


@dataclass(frozen=True, slots=True)
class Request:
    """Tables of answers, and what is to be found in them; None for the usual column."""

    source: Path | Inputs  #: table that `predict` wrote; inputs are several
    by: str | None = None  #: column of the source
    over: str | None = None  #: column of the date
    prefix: str = ""  #: of the answers' columns
    text_column: str | None = None
    actor_column: str | None = None
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
        """Open the table, or several as one in which `file` and `row` name a paragraph."""
        form: Form = {
            "delimiter": self.delimiter,
            "quoting": self.quoting,
            "encoding": self.encoding,
            "sheet": self.sheet,
        }
        if isinstance(self.source, Inputs):
            return join_tables(self.source, self._count_own, form, self.prefix)
        return open_table(self.source, **form)

    def _count_own(self, table: Table) -> int:
        """Return how many columns of a table are not of its answers."""
        return find_places(table.columns, table.name, self).row


@dataclass(frozen=True, slots=True)
class Places:
    """Numbers of the columns that answers, texts, documents and groups stand in."""

    row: int
    actor: int
    mentions: int
    stance: int
    probabilities: tuple[int, int, int]
    sentiment: int | None
    text: int | None
    document: int | None
    file: int | None
    by: int | None
    over: int | None
    spans: int | None
    because: int | None

    @property
    def paired(self) -> bool:
        """Whether the input named the actor of each row."""
        return self.actor < self.row

    def actor_of(self, cells: Sequence[str]) -> str:
        """Return the actor that a record is about, empty for none, as predict reads its cell."""
        return cells[self.actor].strip()


def find_places(columns: Sequence[str], table: str, request: Request) -> Places:
    """Find the columns of a prediction table; raise if it is not one in long form."""
    at = {name: place for place, name in enumerate(columns)}
    prefix = request.prefix
    if missing := [prefix + name for name in _WRITTEN if prefix + name not in at]:
        raise DataError(f"{table}: {_refusal(at, missing)}")
    # Where the input named the actors, it may have spelled the column in its own way.
    named = request.actor_column or (prefix + "actor" if prefix + "actor" in at else "actor")

    def asked(name: str | None, usual: str) -> int | None:
        return (
            optional_column(columns, usual, table) if name is None else column(columns, name, table)
        )

    against, neutral, favor = (at[f"{prefix}stance_{label}"] for label in Stance)
    row = at[prefix + "row"]
    actor = column(columns, named, table, "--actor-column")
    return Places(
        row=row,
        actor=actor,
        mentions=at[prefix + "mentions"],
        stance=at[prefix + "stance"],
        probabilities=(against, neutral, favor),
        sentiment=at.get(prefix + SENTIMENT_COLUMNS[0]),
        text=asked(request.text_column, "text"),
        document=asked(request.document_column, "document"),
        file=at.get(prefix + "file", at.get("file")),
        by=asked(request.by, "source"),
        over=asked(request.over, "date"),
        # Without an actor of each row, predict read no spans.
        spans=optional_column(columns, "spans", table) if actor < row else None,
        because=at.get(prefix + "because"),
    )


def _refusal(at: Mapping[str, int], missing: Sequence[str]) -> str:
    labels = [f"_{label}" for label in Stance]
    for prefix in (name.removesuffix("stance") for name in at if name.endswith("stance")):
        if all(prefix + name in at for name in _WRITTEN):
            found = shown(prefix)
            return f"the columns of its answers begin with '{found}'; add --prefix {found}"
    if any(name and all(name + label in at for label in labels) for name in at):
        return "is in wide form; run stance predict without --wide and take that"
    listed = ", ".join(f"'{shown(name, 40)}'" for name in missing)
    return f"no column {listed}; name a table that stance predict wrote"


def bounded(name: str) -> str:
    """Return a name, or if it is long its beginning and a hash of all of it."""
    if len(name) <= LONGEST_NAME:
        return name
    digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return f"{name[: LONGEST_NAME - 10]}…{digest}"
