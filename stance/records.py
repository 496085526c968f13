"""The records that travel through the package, frozen and slotted; how models are copied."""

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Literal, TypedDict


class Stance(StrEnum):
    """Stance of a paragraph toward an actor, in the order of every probability array."""

    AGAINST = "against"
    NEUTRAL = "neutral"
    FAVOR = "favor"


class Sentiment(StrEnum):
    """Tone of a whole paragraph, in the order of every probability array."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


class Holder(StrEnum):
    """Whose stance it is, in the order of every probability array."""

    AUTHOR = "author"
    ACTOR = "actor"  # one of the book; a table has its name
    OTHER = "other"


NO_ANSWER, AGAINST, NEUTRAL, FAVOR, NET = range(-1, 4)
"""Numbers of none, of the stances in their order, and of the net stance, favor less against."""

SIDES = (AGAINST, FAVOR)

ADJUDICATED = "adjudicated"  # the coder whose label settles what others disagree on
UNCERTAIN = "uncertain"  # the answer where the model abstains or knows nothing of the paragraph

ANSWERS = (*map(str, Stance), UNCERTAIN)
TONES = (*map(str, Sentiment), UNCERTAIN)
"""What stands in tables for the numbers of stances, of sentiments, and last for `NO_ANSWER`."""

STANCE_COLUMNS = ("stance", *(f"stance_{label}" for label in Stance))
"""Columns of the stance in a table of answers."""

NEVER_ANSWERED = "never_answered"  # column of the stances that ``--abstain`` leaves out altogether


class Recomputing:
    """A dataclass that is copied without its cached properties, which a copy computes anew.

    They may hold what cannot be pickled, or spellings that another process has not met.
    """

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Mention:
    """A place where a paragraph names an actor."""

    actor: str  # name in the actor book
    start: int  # first character of the normalised text, from 0
    end: int  # the one behind the last


class Form(TypedDict, total=False):
    """How a table is written, as far as a user says; see `stance.tables.open_table`."""

    delimiter: str | None
    quoting: Literal["none"] | None
    encoding: str | None
    sheet: str | None


@dataclass(frozen=True, slots=True)
class InputOptions:
    """How to read inputs."""

    text_column: str = "text"
    actor_column: str | None = None  # None is "actor" if there is one
    actor: str | None = None  # that all records are about; None to ask the column, or the text
    date_column: str | None = None  # None is "date" if there is one
    date_format: str | None = None  # of `datetime.strptime`; None if the dates have one reading
    delimiter: str | None = None  # None to detect it
    quoting: Literal["none"] | None = None  # none if quotes are characters like others
    encoding: str | None = None  # None is UTF-8
    sheet: str | None = None  # of workbooks; None is the first
    keep_all: bool = False  # keep the boilerplate of articles, and name it in a column


@dataclass(frozen=True, slots=True)
class Options:
    """How `predict` answers, and what it writes."""

    abstain: float | None = None  # greatest share of wrong answers; see `stance.model.abstention`
    speakers: bool = False  # whether to say who speaks where the answer is neutral
    explain: int = 0  # words to name beside each answer
    deep: Literal["all", "unsure"] | None = None  # what the model's deep reader reads
    wide: bool = False  # one row per input row, and columns per actor
    prefix: str = ""  # of the names of new columns
    excel_safe: bool = False  # quote cells that a spreadsheet would run


def as_coder(name: str) -> str:
    """Return a coder's name as it is kept: `ADJUDICATED` in any case is one."""
    name = name.strip()
    return ADJUDICATED if name.lower() == ADJUDICATED else name
