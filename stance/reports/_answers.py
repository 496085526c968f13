"""What the page on a table of answers says: one record of figures, counted or corrected."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from stance.arrays import Bools
from stance.errors import DataError
from stance.evaluation.agreement import Agreement
from stance.evaluation.intervals import Shares, estimate_shares
from stance.files import file_hash
from stance.findings import AuditRequest, Request, Share, Study
from stance.findings.answers import AnswersTable, read_population
from stance.findings.audit import LabelledSample, audit_columns, read_audit
from stance.findings.correction import AUDIT_ONLY, NET
from stance.findings.differences import groups_apart
from stance.findings.request import Places, find_places
from stance.records import Stance
from stance.reports._paragraphs import Maker, Paragraphs, read_paragraphs

ACTORS, GROUPS, TRACED = 30, 12, 12  # shown; of the actors over time and with paragraphs
CLUSTERS = 256  # random groups of documents, by which groups of answers are told apart
FEWEST, ALWAYS = (
    10,
    12,
)  # answers below which an actor that is not among the first is left to the total
WIDE = 1.2  # width of a net stance's interval that says next to nothing; shares' are half as wide
Number = tuple[float, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Finding:
    """The answers toward an actor, all or those of a group or period: counted and corrected."""

    share: Share
    counts: Shares  # of the answers given, with intervals of sampling alone
    audited: bool
    apart: int = 0  # below the actor's other groups beyond chance: -1, above: 1
    day: float = 0.0  # in the middle of a period

    def counted(self, quantity: int) -> float | None:
        """Return the share of a stance, or the net stance, as counted; None without answers."""
        if not self.counts.n:
            return None
        return self.counts.net if quantity == NET else self.counts.shares[quantity]

    def value(self, quantity: int) -> Number | None:
        """Return the corrected number of a study with labels, else the counted, and its interval.

        None where labels or answers are too few for an interval that says something.
        """
        if self.audited:
            known = self.share.corrected
            found = known and (known.value(quantity), known.interval(quantity))
        elif self.counts.n:
            shares = self.counts
            ends = (*shares.intervals, shares.net_interval)[quantity]
            found = ((*shares.shares, shares.net)[quantity], ends)
        else:
            return None
        wide = WIDE / (1 if quantity == NET else 2)
        return found if found and found[1][1] - found[1][0] <= wide else None

    @property
    def net(self) -> Number | None:
        """The net stance."""
        return self.value(NET)

    @property
    def prevails(self) -> int:
        """The side that prevails beyond chance: -1 against, 1 in favor, 0 neither."""
        if not (known := self.net):
            return 0
        (low, high) = known[1]
        return (low > 0) - (high < 0)


@dataclass(frozen=True, slots=True)
class Audited:
    """How the labels of a study were drawn, and how far coders agree."""

    name: str
    sha256: str
    labels: int
    simple_random: bool
    inclusion: tuple[float, float]  # least and largest probability of a label
    strata: int
    agreement: Agreement | None


@dataclass(frozen=True, slots=True)
class AnswersReport:
    """All that the page on a table of answers says."""

    request: Request
    sha256: str  # of the table's file
    population: AnswersTable
    paragraphs: Paragraphs
    whole: Shares  # of all answers given, counted
    actors: Sequence[Finding]  # those shown, most answers first
    cells: Sequence[Finding]  # of these actors by group
    course: Sequence[Finding]  # of the first of them by period
    groups: Sequence[str]  # shown, most answers first
    audited: Audited | None
    notes: tuple[str, ...]

    @property
    def places(self) -> Places:
        """Where the columns of the table stand."""
        return self.population.places

    @property
    def by(self) -> str | None:
        """Name of the column of groups."""
        return self._column(self.places.by)

    @property
    def over(self) -> str | None:
        """Name of the column of dates."""
        return self._column(self.places.over)

    def _column(self, at: int | None) -> str | None:
        return None if at is None else self.population.columns[at]

    @property
    def answers(self) -> int:
        """All answers, those withheld included."""
        return len(self.population)

    @property
    def withheld(self) -> int:
        """Answers not given."""
        return self.answers - self.whole.n

    @property
    def period(self) -> tuple[str, str] | None:
        """The first and the last period."""
        found = self.population.periods
        return (found.name(0), found.name(found.count - 1)) if found else None

    @property
    def few(self) -> list[str]:
        """Actors shown whose labels or answers are too few for a figure."""
        return [each.share.actor for each in self.actors if not each.net]

    def prevailing(self, side: int) -> list[str]:
        """Return the actors toward whom a side prevails beyond chance."""
        return [each.share.actor for each in self.actors if each.prevails == side]

    @property
    def powered(self) -> int:
        """Actors whose labels and answers together say more than the labels alone."""
        known = (each.share.corrected for each in self.actors if each.net)
        return sum(each is not None and each.method != AUDIT_ONLY for each in known)

    @property
    def extremes(self) -> tuple[Finding, Finding] | None:
        """The actors spoken of worst and best, if their intervals do not meet."""
        return _extremes(self.actors)

    @property
    def group_extremes(self) -> tuple[Finding, Finding] | None:
        """The same of the groups of the most frequent actor."""
        first = self.actors[0].share.actor
        return _extremes([each for each in self.cells if each.share.actor == first])


def _extremes(findings: Sequence[Finding]) -> tuple[Finding, Finding] | None:
    known = [(each.net, each) for each in findings if each.net]
    if not known:
        return None
    low, high = (choose(known, key=lambda pair: pair[0][0]) for choose in (min, max))
    return (low[1], high[1]) if low[0][1][1] < high[0][1][0] else None


def gather(
    request: Request, maker: Maker | None, audit: AuditRequest | None = None
) -> AnswersReport:
    """Read a table of answers, and a labelled sample of it if there is one."""
    before = _stamps(request)
    with request.open() as table:
        places = find_places(table.columns, table.name, request)
        columns = [None if at is None else table.columns[at] for at in (places.by, places.over)]
    if places.mentions is None and maker and not maker.given:
        maker = None  # of labels that somebody else gave
    if request.period and columns[1] is None:
        raise DataError(f"{request.name}: no column 'date' for --period; name one with --over")
    request = replace(request, by=columns[0], over=columns[1])
    population = read_population(request, labelled=audit_columns(audit) if audit else ("row",))
    sample = read_audit(audit, population) if audit else None
    paragraphs = read_paragraphs(request, maker, _frequent(population)[:TRACED])
    sha256 = file_hash(*request.paths)
    if before != _stamps(request):
        raise DataError(f"{request.name}: changed while it was read; wait until it is complete")
    shown = _narrowed(population)
    actors, cells = _findings(replace(shown, periods=None), sample)
    course = _findings(replace(shown, groups=()), sample)[1]
    first = {each.share.actor for each in actors[:TRACED]}
    advice = "no paragraphs are shown; name their column with --text-column"
    said = [f"{request.name}: no column 'text', so {advice}"] if places.text is None else []
    return AnswersReport(
        request=request,
        sha256=sha256,
        population=population,
        paragraphs=paragraphs,
        whole=_counts(population, np.ones(len(population), np.bool_)),
        actors=actors,
        cells=cells,
        course=[each for each in course if each.share.actor in first],
        groups=shown.groups,
        audited=_described(audit, sample) if audit and sample else None,
        notes=(*population.notes, *(sample.notes if sample else ()), *said),
    )


def _stamps(request: Request) -> list[tuple[int, int]]:
    """Return what tells whether a table has changed."""
    return [(own.st_size, own.st_mtime_ns) for own in map(Path.stat, request.paths)]


def _described(audit: AuditRequest, sample: LabelledSample) -> Audited:
    drawn = sample.audit
    return Audited(
        name=audit.source.name,
        sha256=file_hash(audit.source),
        labels=len(drawn),
        simple_random=audit.simple_random,
        inclusion=(float(drawn.inclusion.min()), float(drawn.inclusion.max())),
        strata=len(np.unique(drawn.stratum)),
        agreement=sample.agreement,
    )


def _frequent(population: AnswersTable) -> list[str]:
    """Return the actors with most answers, of equally frequent ones in alphabetical order."""
    sizes = np.bincount(population.actor).tolist()
    ranked = sorted(
        zip(population.actors, sizes, strict=True), key=lambda each: (-each[1], each[0])
    )
    return [name for at, (name, n) in enumerate(ranked[:ACTORS]) if n >= FEWEST or at < ALWAYS]


def _narrowed(population: AnswersTable) -> AnswersTable:
    """Return the same answers, of which only those of frequent actors have groups and periods."""
    names = set(_frequent(population))
    kept = np.array([name in names for name in population.actors])[population.actor]
    if not population.groups:
        return replace(population, period=np.where(kept, population.period, -1))
    sizes = np.bincount(population.group[population.group >= 0], minlength=len(population.groups))
    ranked = sorted(range(len(sizes)), key=lambda at: (-sizes[at], population.groups[at]))[:GROUPS]
    number = np.full(len(sizes), -1)
    number[ranked] = np.arange(len(ranked))
    return replace(
        population,
        group=np.where(kept, number[population.group], -1),
        groups=tuple(population.groups[at] for at in ranked),
        period=np.where(kept, population.period, -1),
    )


def _findings(
    population: AnswersTable, sample: LabelledSample | None
) -> tuple[list[Finding], list[Finding]]:
    """Return what is found of whole actors, and of their groups or periods."""
    shares = Study(population, sample).shares()
    names, periods = set(_frequent(population)), population.periods
    days = {periods.name(at): periods.middle(at) for at in range(periods.count)} if periods else {}
    claimed = [each for each in shares.differences if each.of == "group" and each.claimed]
    ordered = [(d.one, d.other) if d.difference < 0 else (d.other, d.one) for d in claimed]
    below = {(d.actor, low) for d, (low, _) in zip(claimed, ordered, strict=True)}
    above = {(d.actor, high) for d, (_, high) in zip(claimed, ordered, strict=True)}
    if sample is None:
        below, above = _apart(population)
    found = []
    for share in shares.shares:
        if share.actor in names:
            counts = _counts(population, _pairs(population, share))
            place = (share.actor, share.group)
            side = (place in above) - (place in below)
            day = days.get(share.period, 0.0)
            found.append(Finding(share, counts, sample is not None, side, day))
    whole = [each for each in found if not (each.share.group or each.share.period)]
    return whole, [each for each in found if each.share.group or each.share.period]


def _apart(population: AnswersTable) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Return the counted groups of actors that are beyond chance below, and above, the others."""
    below, above = set[tuple[str, str]](), set[tuple[str, str]]()
    if not population.groups:
        return below, above
    names = _frequent(population)
    places = np.array([names.index(n) if n in names else -1 for n in population.actors])
    actor, stance = places[population.actor], population.stance
    kept = (actor >= 0) & (population.group >= 0) & (stance < len(Stance))
    counts = np.zeros((len(names), len(population.groups), CLUSTERS, len(Stance)), np.int64)
    cluster = population.document[kept] % CLUSTERS
    np.add.at(counts, (actor[kept], population.group[kept], cluster, stance[kept]), 1)
    signs = groups_apart(counts)
    for side, cells in ((-1, below), (1, above)):
        for row, group in np.argwhere(signs == side).tolist():
            cells.add((names[row], population.groups[group]))
    return below, above


def _pairs(population: AnswersTable, share: Share) -> Bools:
    """Return which answers a share is of."""
    found = population.actor == population.actors.index(share.actor)
    if share.group:
        found &= population.group == population.groups.index(share.group)
    if share.period and population.periods:
        names = list(map(population.periods.name, range(population.periods.count)))
        found &= population.period == names.index(share.period)
    return np.asarray(found)


def _counts(population: AnswersTable, pairs: Bools) -> Shares:
    """Return the shares of some answers given, with intervals by document."""
    given = pairs & (population.stance < len(Stance))
    names, cluster = np.unique(population.document[given], return_inverse=True)
    counts = np.zeros((len(names), len(Stance)), np.int64)
    np.add.at(counts, (cluster, population.stance[given]), 1)
    return estimate_shares(counts)
