"""What the page on a table of answers says: its figures, counted or corrected, and paragraphs."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, takewhile
from pathlib import Path

import numpy as np
from markupsafe import Markup

from stance.arrays import Ints
from stance.corpus.rows import HOLDERS
from stance.display import shown
from stance.errors import DataError
from stance.files import file_hash
from stance.findings import Request, Share, Study, find_pairs, read_evidence
from stance.findings.answers import AnswersTable, Cells, read_cells, surest_answers
from stance.findings.audit import read_answers
from stance.findings.correction import Audit
from stance.findings.pairs import Pairs
from stance.findings.request import Places, usual_column
from stance.findings.shares import TOTAL, uncounted_note
from stance.model import StanceModel
from stance.model.passages import Passage, passage_html
from stance.reading.spans import parse_spans
from stance.storage import model_hash
from stance.tables import months_of

ACTORS, GROUPS, TRACED = 30, 12, 12  # shown; of the actors over time and with paragraphs
JUDGED = 12  # actors shown among those who judge each other
FEWEST, ALWAYS = 10, 12  # answers below which an actor after the first ones is left to the total
LEAST = 0.5  # probability that a paragraph must exceed to be shown
LONGEST = 4000  # characters of a paragraph that is fit to be shown; longer ones are passed over
DOUBTFUL = 10  # least certain answers that a model must give, too, to have made the table
SAME = 2e-3  # difference of two probabilities that different machines may give to the same answer


@dataclass(frozen=True, slots=True)
class Quotation:
    """A paragraph as it is shown, the side that its answer takes, and where it stands."""

    passage: Passage
    side: str
    source: str

    @property
    def html(self) -> Markup:
        """The paragraph, with its mentions and what pushed the answer marked."""
        return passage_html(self.passage, dict.fromkeys(self.passage.actors, 0))


@dataclass(frozen=True, slots=True)
class Maker:
    """The model that is said to have made the answers, with the name and hash of its file."""

    model: StanceModel
    name: str
    sha256: str
    given: bool  # by the user; else it is only believed if it gives the table's answers


def read_maker(path: Path, model: StanceModel, *, given: bool) -> Maker:
    """Return the maker that a model file is."""
    return Maker(model, path.name, model_hash(path), given)


@dataclass(frozen=True, slots=True)
class AnswersReport:
    """All that the page on a table of answers says."""

    population: AnswersTable
    sha256: str  # of the table's file
    maker: Maker | None  # None if no model is known, or all that were tried answer otherwise
    denied: str  # what answers otherwise
    quoted: dict[tuple[str, int], list[Quotation]]  # by actor and side, surest first
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


def gather(request: Request, makers: Iterable[Maker]) -> AnswersReport:
    """Read a table of answers, and a labelled sample of it; find which of the makers made it."""
    with request.open() as table:
        asked = ((request.by, "source"), (request.over, "date"))
        places = [usual_column(table, *names) for names in asked]
        by, over = (None if place is None else table.columns[place] for place in places)
    request = replace(request, by=by, over=over)
    if request.period and request.over is None:
        raise DataError(f"{request.name}: no column 'date' for --period; name one with --over")
    population, sample = read_answers(request)
    if population.unanswered and sample is None:
        raise DataError(uncounted_note(population))
    ranked = _ranked(population.actor, population.actors)
    actors = [name for name, n in ranked[:ACTORS] if n >= FEWEST or (name, n) in ranked[:ALWAYS]]
    groups = [name for name, _ in _ranked(population.group, population.groups)[:GROUPS]]

    def is_shown(actor: str, group: str, period: str) -> bool:
        if group:
            return not period and actor in actors and group in groups
        return actor in (actors[:TRACED] if period else (*actors, TOTAL))

    study = Study(population, sample)
    shares = [study.share(names, part) for names, part in study.parts() if is_shown(*names)]
    makers = iter(makers)
    first = next(makers, None)
    if first and not first.given and None in (population.places.mentions, population.places.text):
        first, makers = None, iter(())  # labels that somebody else gave, or no way to tell
    pairs = _judged(population, sample, first)
    quoted, maker = _quote(population, chain([first] if first else [], makers), actors[:TRACED])
    denied = ""
    if first and quoted and not maker:
        denied = first.name if first.given else "the bundled models"
    advice = "no paragraphs are shown; name their column with --text-column"
    textless = [f"{request.name}: no column 'text', so {advice}"] * (population.places.text is None)
    return AnswersReport(
        population=population,
        sha256=file_hash(*request.paths),
        maker=maker,
        denied=denied,
        quoted=quoted,
        total=shares[0],
        actors=[s for s in shares if s.actor != TOTAL and not s.group and not s.period],
        cells=[share for share in shares if share.group],
        course=[share for share in shares if share.period],
        groups=groups,
        pairs=pairs,
        labelled=sample,
        notes=(*population.notes, *(sample.notes if sample else ()), *textless),
    )


def _ranked(codes: Ints, names: Sequence[str]) -> list[tuple[str, int]]:
    """Return names and how often their codes occur, most often first, then by the alphabet."""
    sizes = np.bincount(codes, minlength=len(names)).tolist()
    return sorted(zip(names, sizes, strict=False), key=lambda pair: (-pair[1], pair[0]))


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


# --- Paragraphs ---


def _quote(
    population: AnswersTable, makers: Iterable[Maker], actors: Sequence[str]
) -> tuple[dict[tuple[str, int], list[Quotation]], Maker | None]:
    """Return the most certain paragraphs on some actors, and the model that made the answers.

    If it is known, the words that decided are marked.
    """
    places, numbers = population.places, {name: number for number, name in enumerate(actors)}
    subject = np.array([numbers.get(name, -1) for name in population.actors])[population.actor]
    fit = (population.chances.max(axis=1) > LEAST) & (population.length <= LONGEST)
    fit &= places.text is not None
    surest = surest_answers(population, np.where(fit, subject, -1))
    certainty = population.chances.max(axis=1)
    doubtful = np.argsort(np.where(fit, certainty, np.inf), kind="stable")[:DOUBTFUL]
    cells = read_cells(population, chain(doubtful[fit[doubtful]].tolist(), *surest.values()))
    maker, passages = _find_maker(makers, places, cells)
    return {
        (actors[number], side): [_quotation(places, cells[n], passages.get(n)) for n in listed]
        for (number, side), listed in surest.items()
    }, maker


def _find_maker(
    makers: Iterable[Maker], places: Places, cells: Mapping[int, Cells]
) -> tuple[Maker | None, dict[int, Passage | None]]:
    """Return the first model that gives some answers, and their texts with its reasons."""
    for maker in makers:
        explained = ((n, _explained(maker.model, places, answer)) for n, answer in cells.items())
        passages = dict(takewhile(lambda pair: pair[1], explained))
        if len(passages) == len(cells) and (cells or maker.given):
            return maker, passages
    return None, {}


def _chances(places: Places, cells: Cells) -> list[float]:
    return [float(cells[place]) for place in places.probabilities]


def _quotation(places: Places, cells: Cells, passage: Passage | None) -> Quotation:
    """Return what the page shows of an answer, with reasons if they are known."""
    known = [cells[place] for place in (places.by, places.over) if place is not None]
    where = ", ".join(shown(part, 80) for part in (*known, f"row {cells[places.row]}") if part)
    source = f"{where}; probability {max(_chances(places, cells)):.2f}"
    return Quotation(passage or Passage(cells[places.text or 0]), cells[places.stance], source)


def _explained(model: StanceModel, places: Places, cells: Cells) -> Passage | None:
    """Return an answer's text with its reasons, None if the model answers otherwise."""
    text, spans, date = (
        "" if place is None else cells[place] for place in (places.text, places.spans, places.over)
    )
    try:
        pair = [text], [places.actor_of(cells)], [parse_spans(spans, text, "spans")]
    except DataError:  # then stance predict did not write this table
        return None
    for months in (months_of([date]), None):  # predict may have read no dates
        judged = model.judge(*pair, months=months, pushes=True)
        if np.abs(judged.stance[0] - _chances(places, cells)).max() <= SAME:
            return judged.passages(pair[0])[0]
    return None
