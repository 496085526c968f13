"""The report on a table of predictions: one record of all that its page says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stance.arrays import Ints
from stance.errors import DataError
from stance.evaluation.intervals import Shares, estimate_shares
from stance.files import file_hash
from stance.findings import AuditRequest
from stance.findings.periods import Span, Unit, chart_course
from stance.findings.pooling import Pooled, pool_map
from stance.findings.population import BLANK
from stance.findings.survey import Frequent, Request, Survey, batches, survey
from stance.findings.tally import TRACED, Carriers, Tally
from stance.model.judging import StanceModel
from stance.records import FAVOR
from stance.reports._audited import Audited, read_audited
from stance.reports._examples import Examples, Marked, mark
from stance.storage import model_hash
from stance.tables import rewrite_dates

FEWEST_ANSWERS = 30  # answers below which an actor's shares are little more than anecdotes


@dataclass(frozen=True, slots=True)
class Maker:
    """The model that is said to have made the answers, with the name and hash of its file."""

    model: StanceModel
    name: str
    sha256: str
    given: bool  # by the user; else it is only believed if it gives the table's answers


def read_maker(path: Path, model: StanceModel, *, given: bool) -> Maker:
    return Maker(model, path.name, model_hash(path), given)


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    shares: Shares
    uncertain: int


@dataclass(frozen=True, slots=True)
class Groups:
    shown: tuple[Group, ...]
    distinct: int
    at_least: bool  # there may be more than `distinct`

    @property
    def judged(self) -> tuple[Group, ...]:
        """Those with a stance given, best spoken of first."""
        judged = (group for group in self.shown if group.shares.n)
        return tuple(sorted(judged, key=lambda group: -group.shares.net))

    @property
    def withheld(self) -> tuple[Group, ...]:
        return tuple(group for group in self.shown if not group.shares.n)

    @property
    def untrusted(self) -> list[str]:
        """Those whose documents are too few, or too unequal, for an interval to be trusted."""
        return [g.name for g in self.judged if not g.shares.trusted]

    @property
    def answers(self) -> int:
        return sum(group.shares.n + group.uncertain for group in self.shown)


@dataclass(frozen=True, slots=True)
class Trace:
    """The answers toward an actor over time, in spans that hold enough of them."""

    name: str
    unit: Unit
    points: tuple[tuple[Span, Shares], ...]


@dataclass(frozen=True, slots=True)
class PredictionReport:
    """All that the page on a table of predictions says."""

    request: Request
    sha256: str  # of the table's file
    survey: Survey
    tally: Tally
    whole: Shares
    actors: Groups
    sources: Groups
    traces: Sequence[Trace]  # of the first actors that have enough answers with a date
    pooled: Sequence[Pooled | None]  # net stances of each actor by source
    tone: Shares  # rows by sentiment
    marked: Marked
    maker: Maker | None  # None if no model is known, or the one given answers otherwise
    denied: str  # name of a model that answers otherwise
    carriers: Carriers | None  # None without such a model
    audited: Audited | None = None  # None without an audit

    @property
    def by(self) -> str | None:
        return self._column(self.survey.places.by)

    @property
    def over(self) -> str | None:
        return self._column(self.survey.places.over)

    def _column(self, at: int | None) -> str | None:
        return None if at is None else self.survey.columns[at]

    @property
    def withheld(self) -> int:
        return int(self.tally.uncertain.sum())

    @property
    def few(self) -> list[str]:
        return [g.name for g in self.actors.judged if g.shares.n < FEWEST_ANSWERS]

    @property
    def narrow(self) -> float:
        """Share of answers in which no stance has a probability of one half."""
        return int(self.tally.confidence[:2].sum()) / self.tally.answers

    def prevailing(self, side: int) -> list[str]:
        """Return the actors toward whom more answers take a side than the other, beyond chance."""
        sign = 1 if side == FAVOR else -1
        judged = ((g.name, g.shares.net_interval) for g in self.actors.judged)
        return [name for name, ends in judged if min(sign * end for end in ends) > 0]

    @property
    def extremes(self) -> tuple[Group, Group] | None:
        """The actors spoken of worst and best, if their intervals do not meet."""
        judged = [g for g in self.actors.judged if g.shares.n >= FEWEST_ANSWERS]
        if not judged:
            return None
        low, high = (choose(judged, key=lambda g: g.shares.net) for choose in (min, max))
        apart = low.shares.net_interval[1] < high.shares.net_interval[0]
        return (low, high) if apart else None


def gather(
    request: Request, maker: Maker | None, audit: AuditRequest | None = None
) -> PredictionReport:
    """Read a prediction table twice: what it holds, then exact counts of what is shown.

    An audit takes a third reading.
    """
    found = survey(request)
    if request.period and found.places.over is None:
        raise DataError(f"{request.name}: no column 'date' for --period; name one with --over")
    before = _stamps(request)
    try:
        tally = Tally(found, request.period)
    except DataError as error:
        raise DataError(f"{request.name}: {error}") from error
    examples = Examples(tally.actors[:TRACED], found.places)
    carriers = Carriers(maker.model.book, found.places) if maker else None
    with request.open() as table:
        if found.places.over is not None:
            rewrite_dates(table, found.places.over, request.date_format)
        for batch in batches(table):
            if answered := tally.add(batch, table):
                examples.add(answered)
            if carriers:
                carriers.add(batch)
    audited = read_audited(request, audit) if audit else None
    sha256 = file_hash(*request.paths)
    if before != _stamps(request):
        raise DataError(f"{table.name}: changed while it was read; wait until it is complete")
    marked = mark(examples, maker.model if maker else None)
    agrees = maker is not None and (maker.given if marked.reproduced is None else marked.reproduced)
    alone = found.places.document is None  # a row says one thing of an actor, but several of all

    def estimate(counts: Ints) -> Shares:
        return estimate_shares(counts, independent=alone and not _repeat(counts))

    actors = list(map(estimate, tally.actor_clusters))
    sources = list(map(estimate_shares, tally.source_clusters))
    return PredictionReport(
        request=request,
        sha256=sha256,
        survey=found,
        tally=tally,
        whole=estimate_shares(tally.all_clusters),
        actors=_groups(tally.actors, actors, tally.uncertain, found.actors),
        sources=_groups(tally.sources, sources, tally.source_uncertain, found.sources),
        traces=_traces(tally, estimate),
        pooled=pool_map(tally.crossed.astype("int64")),
        tone=estimate(tally.tone_clusters),
        marked=marked,
        maker=maker if agrees else None,
        denied=maker.name if maker and marked.reproduced is False else "",
        carriers=carriers if agrees else None,
        audited=audited,
    )


def _repeat(counts: Ints) -> bool:
    """Return whether texts repeat, so that answers are not independent although no row says so.

    Then the groups into which a hash puts texts differ more in size than chance would have it.
    """
    sizes = counts.sum(axis=1).astype(np.float64)
    answers, groups = sizes.sum(), len(sizes)
    if not answers:
        return False
    alike = (sizes @ sizes - answers**2 / groups) / answers  # answers of a text, on average
    return bool(alike > 1 + 3 * np.sqrt(2 / groups))


def _stamps(request: Request) -> list[tuple[int, int]]:
    """Return what tells whether a table has changed."""
    return [(own.st_size, own.st_mtime_ns) for own in map(Path.stat, request.paths)]


def _traces(tally: Tally, estimate: Callable[[Ints], Shares]) -> list[Trace]:
    traces = []
    for at, name in enumerate(tally.actors[:TRACED]):
        course = chart_course(tally.grids, [counts[at] for counts in tally.period_clusters])
        if course:
            points = tuple((span, estimate(span.counts)) for span in course.spans)
            traces.append(Trace(name, course.unit, points))
    return traces


def _groups(
    names: Sequence[str], every: Sequence[Shares], uncertain: Ints, found: Frequent
) -> Groups:
    blank = (name or BLANK for name in names)
    shown = tuple(map(Group, blank, every, uncertain.tolist()))
    return Groups(shown, found.distinct, bool(found.lost))
