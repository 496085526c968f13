"""What the page on a table of answers says: one record of figures, counted or corrected."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from stance.errors import DataError
from stance.evaluation.answers import Figures
from stance.files import file_hash
from stance.findings import AuditRequest, Request, Share, Study, find_pairs, read_evidence
from stance.findings.answers import AnswersTable, read_population
from stance.findings.audit import audit_columns, read_audit
from stance.findings.correction import Audit
from stance.findings.differences import Difference, groups_apart
from stance.findings.pairs import Pairs
from stance.findings.request import Places, find_places
from stance.findings.shares import uncounted_note
from stance.label_values import HOLDERS
from stance.records import Stance
from stance.reports._paragraphs import Maker, Paragraphs, read_paragraphs

ACTORS, GROUPS, TRACED = 30, 12, 12  # shown; of the actors over time and with paragraphs
JUDGED = 12  # actors shown among those who judge each other
CLUSTERS = 256  # random groups of documents, by which groups of answers are told apart
FEWEST, ALWAYS = 10, 12  # answers below which an actor after the first ones is left to the total


@dataclass(frozen=True, slots=True)
class Audited:
    """How the labels of a study were drawn, and how far coders agree."""

    name: str
    sha256: str
    labels: int
    simple_random: bool
    inclusion: tuple[float, float]  # least and largest probability of a label
    strata: int
    agreement: Figures | None


@dataclass(frozen=True, slots=True)
class AnswersReport:
    """All that the page on a table of answers says."""

    request: Request
    sha256: str  # of the table's file
    population: AnswersTable
    paragraphs: Paragraphs
    total: Share  # of all actors together
    actors: Sequence[Share]  # those shown, most answers first
    cells: Sequence[Share]  # of these actors by group
    course: Sequence[Share]  # of the first of them by period
    groups: Sequence[str]  # shown, most answers first
    apart: Mapping[tuple[str, str], int]  # actor and group below (-1) or above the other groups
    pairs: Pairs | None  # who judges whom, if the table says whose stances they are
    audited: Audited | None
    notes: tuple[str, ...]

    @property
    def places(self) -> Places:
        """Where the columns of the table stand."""
        return self.population.places

    @property
    def probable(self) -> bool:
        """Whether the answers have probabilities, which labels have not."""
        return self.places.mentions is not None

    @property
    def unsure(self) -> float:
        """Share of the answers of which no stance has a probability of one half."""
        return float((self.population.chances.max(axis=1) < 0.5).mean())

    @property
    def period(self) -> tuple[str, str] | None:
        """The first and the last period."""
        periods = self.population.periods
        return (periods.name(0), periods.name(periods.count - 1)) if periods else None

    @property
    def few(self) -> list[str]:
        """Actors shown whose labels or answers are too few for a figure."""
        return [share.actor for share in self.actors if not share.net]

    def prevailing(self, side: int) -> list[str]:
        """Return the actors toward whom a side prevails beyond chance."""
        return [share.actor for share in self.actors if share.prevails == side]

    @property
    def extremes(self) -> tuple[Share, Share] | None:
        """The actors spoken of worst and best, if their intervals do not meet."""
        return _extremes(self.actors)

    @property
    def group_extremes(self) -> tuple[Share, Share] | None:
        """The same of the groups of the most frequent actor."""
        return _extremes([cell for cell in self.cells if cell.actor == self.actors[0].actor])


def _extremes(shares: Sequence[Share]) -> tuple[Share, Share] | None:
    known = [(share.net, share) for share in shares if share.net]
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
    if population.unanswered and audit is None:
        raise DataError(uncounted_note(population))
    sample = read_audit(audit, population) if audit else None
    paragraphs = read_paragraphs(request, maker, _frequent(population)[:TRACED])
    sha256 = file_hash(*request.paths)
    if before != _stamps(request):
        raise DataError(f"{request.name}: changed while it was read; wait until it is complete")
    shown, frequent = _narrowed(population), _frequent(population)
    by_group = Study(replace(shown, periods=None), sample)
    by_period = Study(replace(shown, groups=()), sample).shares()
    shares = list(by_group.shares())
    named = [share for share in shares if share.actor in frequent]
    advice = "no paragraphs are shown; name their column with --text-column"
    textless = [f"{request.name}: no column 'text', so {advice}"] * (places.text is None)
    return AnswersReport(
        request=request,
        sha256=sha256,
        population=population,
        paragraphs=paragraphs,
        total=shares[0],
        actors=[share for share in named if not share.group],
        cells=[share for share in named if share.group],
        course=[each for each in by_period if each.period and each.actor in frequent[:TRACED]],
        groups=shown.groups,
        apart=_claimed(by_group.differences()) if sample else _apart(shown),
        pairs=_judged(request, population, sample, maker),
        audited=_described(audit, sample) if audit and sample else None,
        notes=(*population.notes, *(sample.notes if sample else ()), *textless),
    )


def _judged(
    request: Request, population: AnswersTable, sample: Audit | None, maker: Maker | None
) -> Pairs | None:
    """Return who judges whom among those who do so most often; None where nobody is known to."""
    if not any(population.holders):
        return None
    pairs, often = find_pairs(population, sample), Counter[str]()
    for share in pairs.shares:
        often.update({share.actor: share.counts.n, share.group: share.counts.n})
    actors = {name for name, _ in often.most_common(JUDGED + len(HOLDERS))} - {*HOLDERS}
    chosen = [s for s in pairs.shares if s.actor in actors and s.group in {*actors, *HOLDERS}]
    book = maker.model.book if maker else None
    return read_evidence(request, replace(pairs, shares=chosen), book) if chosen else None


def _stamps(request: Request) -> list[tuple[int, int]]:
    """Return what tells whether a table has changed."""
    return [(stat.st_size, stat.st_mtime_ns) for stat in map(Path.stat, request.paths)]


def _described(audit: AuditRequest, sample: Audit) -> Audited:
    return Audited(
        name=audit.source.name,
        sha256=file_hash(audit.source),
        labels=len(sample),
        simple_random=audit.simple_random,
        inclusion=(float(sample.inclusion.min()), float(sample.inclusion.max())),
        strata=len(np.unique(sample.stratum)),
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


def _claimed(differences: Sequence[Difference]) -> dict[tuple[str, str], int]:
    """Return the corrected groups of actors that are beyond chance below, and above, others."""
    apart: dict[tuple[str, str], int] = {}
    for each in differences:
        if each.of == "group" and each.claimed:
            below, above = (each.one, each.other) if each.difference < 0 else (each.other, each.one)
            apart |= {(each.actor, below): -1, (each.actor, above): 1}
    return apart


def _apart(population: AnswersTable) -> dict[tuple[str, str], int]:
    """Return the counted groups of actors that are beyond chance below, and above, the others."""
    if not population.groups:
        return {}
    names = _frequent(population)
    places = np.array([names.index(n) if n in names else -1 for n in population.actors])
    actor, stance = places[population.actor], population.stance
    kept = (actor >= 0) & (population.group >= 0) & (stance < len(Stance))
    counts = np.zeros((len(names), len(population.groups), CLUSTERS, len(Stance)), np.int64)
    cluster = population.document[kept] % CLUSTERS
    np.add.at(counts, (actor[kept], population.group[kept], cluster, stance[kept]), 1)
    signs = groups_apart(counts)
    cells = np.argwhere(signs).tolist()
    return {(names[row], population.groups[at]): int(signs[row, at]) for row, at in cells}
