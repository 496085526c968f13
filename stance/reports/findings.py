"""All that a report on predictions rests on, read from a table in two passes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stance.errors import DataError
from stance.reports.columns import Request
from stance.reports.examples import Examples, Marked, mark
from stance.reports.frequent import Frequent
from stance.reports.periods import choose_periods
from stance.reports.survey import Survey, batches, file_hash, open_request, survey
from stance.reports.tally import Tally

if TYPE_CHECKING:
    from stance.model.judging import StanceModel

ACTORS, SOURCES, TRACED = 30, 25, 12
"""Actors and sources that are shown, and actors shown over time and with paragraphs."""

FEW, ALWAYS = 10, 12
"""Answers without which an actor or source is left out, unless it is one of the first."""


@dataclass(frozen=True, slots=True)
class Maker:
    """The model that a report is told has made the answers.

    Attributes
    ----------
    model : StanceModel
    name, sha256 : str
        Of its file.
    given : bool
        Whether the user named it; else it is only believed where it gives the table's answers.
    """

    model: "StanceModel"
    name: str
    sha256: str
    given: bool

    @property
    def card(self) -> Mapping[str, Any]:
        """The model's card."""
        return self.model.card


@dataclass(frozen=True, slots=True)
class Findings:
    """What a report says.

    Attributes
    ----------
    sha256 : str
        Of the table's file.
    maker : Maker or None
        None where no model is known, or the one given answers otherwise.
    denied : str
        Name of a model that answers otherwise; empty where there is none.
    """

    request: Request
    sha256: str
    survey: Survey
    tally: Tally
    marked: Marked
    maker: Maker | None
    denied: str

    @property
    def by(self) -> str | None:
        """Name of the column of sources."""
        return self._name(self.survey.places.by)

    @property
    def over(self) -> str | None:
        """Name of the column of dates."""
        return self._name(self.survey.places.over)

    @property
    def clustered(self) -> bool:
        """Whether the table says which document an answer belongs to."""
        return self.survey.places.document is not None

    def _name(self, at: int | None) -> str | None:
        return None if at is None else self.survey.columns[at]


def gather(request: Request, maker: Maker | None) -> Findings:
    """Read a prediction table twice: what it holds, then exact counts of what is shown.

    Raises
    ------
    DataError
        If it is no prediction table in long form, cannot be read, or changes meanwhile.
    """
    found = survey(request)
    before = request.source.stat()
    actors, sources = _frequent(found.actors, ACTORS), _frequent(found.sources, SOURCES)
    examples = Examples(actors[:TRACED], found.places)
    tally = Tally(found, actors, sources, choose_periods(found.months), examples)
    with open_request(request) as table:
        for batch in batches(table):
            tally.add(batch, table.name)
    sha256, after = file_hash(request.source), request.source.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise DataError(f"{table.name}: changed while it was read; wait until it is complete")
    marked = mark(examples, maker.model if maker else None)
    agrees = maker is not None and (maker.given if marked.reproduced is None else marked.reproduced)
    return Findings(
        request,
        sha256,
        found,
        tally,
        marked,
        maker if agrees else None,
        maker.name if maker and marked.reproduced is False else "",
    )


def _frequent(names: Frequent, most: int) -> list[str]:
    """Return the names with most answers, without those of few."""
    first = names.first(most)
    return first[:ALWAYS] + [name for name in first[ALWAYS:] if names.counts[name] >= FEW]


def read_maker(path: Path, model: "StanceModel", *, given: bool) -> Maker:
    """Return a model with the name and hash of its file."""
    return Maker(model, path.name, file_hash(path), given)
