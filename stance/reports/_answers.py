"""What the page on a table of answers says: one record of figures, counted or corrected."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from stance.errors import DataError
from stance.files import file_hash
from stance.findings import Request, Share, Study, find_pairs, read_evidence
from stance.findings.answers import AnswersTable
from stance.findings.audit import read_answers
from stance.findings.correction import Audit
from stance.findings.pairs import Pairs
from stance.findings.shares import uncounted_note
from stance.label_values import HOLDERS
from stance.reports._paragraphs import Maker, Paragraphs, read_paragraphs
from stance.tables import Table, column, optional_column

ACTORS, GROUPS, TRACED = 30, 12, 12  # shown; of the actors over time and with paragraphs
JUDGED = 12  # actors shown among those who judge each other
FEWEST, ALWAYS = 10, 12  # answers below which an actor after the first ones is left to the total


@dataclass(frozen=True, slots=True)
class AnswersReport:
    """All that the page on a table of answers says."""

    population: AnswersTable
    sha256: str  # of the table's file
    paragraphs: Paragraphs
    total: Share  # of all actors together
    actors: Sequence[Share]  # those shown, most answers first
    cells: Sequence[Share]  # of these actors by group
    course: Sequence[Share]  # of the first of them by period
    groups: Sequence[str]  # shown, most answers first
    pairs: Pairs | None  # who judges whom, if the table says whose stances they are
    labelled: Audit | None
    notes: tuple[str, ...]

    @property
    def probable(self) -> bool:
        """Whether the answers have probabilities, which labels have not."""
        return self.population.places.mentions is not None

    @property
    def few(self) -> list[str]:
        """Actors shown whose labels or answers are too few for a figure."""
        return [share.actor for share in self.actors if not share.net]

    def extremes(self, actor: str = "") -> tuple[Share, Share] | None:
        """Return the actors, or groups of one, spoken of worst and best, if they are apart."""
        shares = [cell for cell in self.cells if cell.actor == actor] if actor else self.actors
        known = [(share.net, share) for share in shares if share.net]
        if not known:
            return None
        low, high = (choose(known, key=lambda pair: pair[0][0]) for choose in (min, max))
        return (low[1], high[1]) if low[0][1][1] < high[0][1][0] else None


def gather(request: Request, maker: Maker | None) -> AnswersReport:
    """Read a table of answers, and a labelled sample of it if there is one."""
    with request.open() as table:
        by, over = _column(table, request.by, "source"), _column(table, request.over, "date")
    request = replace(request, by=by, over=over)
    if request.period and request.over is None:
        raise DataError(f"{request.name}: no column 'date' for --period; name one with --over")
    population, sample = read_answers(request)
    if population.places.mentions is None and maker and not maker.given:
        maker = None  # of labels that somebody else gave
    if population.unanswered and sample is None:
        raise DataError(uncounted_note(population))
    frequent = _frequent(population)
    paragraphs = read_paragraphs(population, maker, frequent[:TRACED])
    shown = _narrowed(population, frequent)
    by_period = Study(replace(shown, groups=()), sample).shares()
    shares = list(Study(replace(shown, periods=None), sample).shares())
    named_shares = [share for share in shares if share.actor in frequent]
    advice = "no paragraphs are shown; name their column with --text-column"
    textless = [f"{request.name}: no column 'text', so {advice}"] * (population.places.text is None)
    return AnswersReport(
        population=population,
        sha256=file_hash(*request.paths),
        paragraphs=paragraphs,
        total=shares[0],
        actors=[share for share in named_shares if not share.group],
        cells=[share for share in named_shares if share.group],
        course=[part for part in by_period if part.period and part.actor in frequent[:TRACED]],
        groups=shown.groups,
        pairs=_judged(population, sample, maker),
        labelled=sample,
        notes=(*population.notes, *(sample.notes if sample else ()), *textless),
    )


def _column(table: Table, asked: str | None, usual: str) -> str | None:
    """Return the name of a column that is asked for, or the usual one if there is one."""
    find, name = (optional_column, usual) if asked is None else (column, asked)
    place = find(table, name)
    return None if place is None else table.columns[place]


def _judged(population: AnswersTable, sample: Audit | None, maker: Maker | None) -> Pairs | None:
    """Return who judges whom among those who do so most often; None where nobody is known to."""
    if not any(population.holders):
        return None
    pairs, often = find_pairs(population, sample), Counter[str]()
    for share in pairs.shares:
        often.update({share.actor: share.counts.n, share.group: share.counts.n})
    actors = {name for name, _ in often.most_common(JUDGED + len(HOLDERS))} - {*HOLDERS}
    chosen = [s for s in pairs.shares if s.actor in actors and s.group in {*actors, *HOLDERS}]
    book = maker.model.book if maker else None
    return read_evidence(replace(pairs, shares=chosen), book) if chosen else None


def _frequent(population: AnswersTable) -> list[str]:
    """Return the actors with most answers, of equally frequent ones in alphabetical order."""
    sizes = np.bincount(population.actor).tolist()
    actors = zip(population.actors, sizes, strict=True)
    ranked = sorted(actors, key=lambda actor: (-actor[1], actor[0]))
    return [n for n, size in ranked[:ACTORS] if size >= FEWEST or (n, size) in ranked[:ALWAYS]]


def _narrowed(population: AnswersTable, frequent: Sequence[str]) -> AnswersTable:
    """Return the same answers, of which only those of frequent actors have groups and periods."""
    kept = np.array([name in frequent for name in population.actors])[population.actor]
    period = np.where(kept, population.period, -1)
    names = population.groups
    if not names:
        return replace(population, period=period)
    sizes = np.bincount(population.group[population.group >= 0], minlength=len(names))
    ranked = sorted(range(len(names)), key=lambda group: (-sizes[group], names[group]))[:GROUPS]
    number = np.full(len(names), -1)
    number[ranked] = np.arange(len(ranked))
    group = np.where(kept, number[population.group], -1)
    listed = tuple(names[group] for group in ranked)
    return replace(population, group=group, groups=listed, period=period)
