"""Where the answers of `stance predict` stand in a table."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from stance.display import shown
from stance.errors import DataError
from stance.records import Stance
from stance.runs.answers import SENTIMENT_COLUMNS, STANCE_COLUMNS
from stance.tables import column

ANSWERS = ("row", "mentions", *STANCE_COLUMNS)
"""Columns that `stance predict` always writes, beside the actor's."""

TEXT, BY, OVER = "text", "source", "date"
"""Columns of paragraphs, sources and dates where no others are asked for and they are there."""


@dataclass(frozen=True, slots=True)
class Request:
    """A prediction table, and what a report on it should show.

    Attributes
    ----------
    source : Path
    by, over : str or None
        Columns of the source and of the date; None for ``source`` and ``date`` if there are any.
    prefix : str
        What the names of the answers' columns begin with.
    text_column : str or None
        None for ``text`` if there is such a column.
    actor_column : str or None
        None for the column that `stance predict` wrote, or for an input's own column ``actor``.
    delimiter, encoding : str or None
        See `stance.tables.open_table`.
    """

    source: Path
    by: str | None = None
    over: str | None = None
    prefix: str = ""
    text_column: str | None = None
    actor_column: str | None = None
    delimiter: str | None = None
    encoding: str | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """Numbers of columns; None for what a table does not have."""

    row: int
    actor: int
    mentions: int
    stance: int
    probabilities: tuple[int, int, int]
    sentiment: int | None
    text: int | None
    document: int | None
    by: int | None
    over: int | None
    spans: int | None
    because: int | None

    @property
    def paired(self) -> bool:
        """Whether the input named the actor of each row, rather than the texts."""
        return self.actor < self.row


def find_places(columns: Sequence[str], table: str, request: Request) -> Places:
    """Find the columns of a prediction table.

    Raises
    ------
    DataError
        If it is none in long form, or a column that was asked for is missing.
    """
    at = {name: place for place, name in enumerate(columns)}
    prefix = request.prefix
    actor = _actor(at, request)
    missing = [prefix + name for name in ANSWERS if prefix + name not in at]
    if actor is None and not request.actor_column:
        missing.insert(0, prefix + "actor")
    if missing:
        raise DataError(f"{table}: {_refusal(at, missing)}")
    against, neutral, favor = (at[f"{prefix}stance_{label}"] for label in Stance)
    if actor is None:
        actor = column(columns, request.actor_column or "", table)  # raises, with advice
    places = Places(
        row=at[prefix + "row"],
        actor=actor,
        mentions=at[prefix + "mentions"],
        stance=at[prefix + "stance"],
        probabilities=(against, neutral, favor),
        sentiment=at.get(prefix + SENTIMENT_COLUMNS[0]),
        text=at.get(TEXT)
        if (name := request.text_column) is None
        else column(columns, name, table),
        document=at.get("document"),
        by=at.get(BY) if request.by is None else column(columns, request.by, table),
        over=at.get(OVER) if request.over is None else column(columns, request.over, table),
        spans=at.get("spans"),
        because=at.get(prefix + "because"),
    )
    return places if places.paired else replace(places, spans=None)  # then predict read no spans


def _actor(at: dict[str, int], request: Request) -> int | None:
    if request.actor_column:
        return at.get(request.actor_column)
    return at.get(request.prefix + "actor", at.get("actor"))


def _refusal(at: dict[str, int], missing: Sequence[str]) -> str:
    """Return what is wrong with a table that lacks some columns, and what to do."""
    labels = [f"_{label}" for label in Stance]
    ends = [name.removesuffix("stance") for name in at if name.endswith("stance")]
    for prefix in ends:
        if all(prefix + name in at for name in ANSWERS):
            return f"its answers stand in columns '{shown(prefix)}…'; add --prefix {shown(prefix)}"
    if any(name and all(name + label in at for label in labels) for name in at):
        return "is in wide form; run stance predict without --wide and report on that"
    listed = ", ".join(f"'{shown(name, 40)}'" for name in missing)
    return f"no column {listed}; a report is made of what stance predict writes"
