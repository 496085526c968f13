"""What the page on a table of answers says: its figures, counted or corrected, and paragraphs."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Literal

import numpy as np
from markupsafe import Markup

from stance.arrays import Bools, Ints
from stance.corpus.rows import HOLDERS
from stance.display import shown
from stance.errors import DataError, ExtraError
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
from stance.reading.actors import ActorBook
from stance.reading.text import parse_spans
from stance.records import ANSWERS, SIDES
from stance.storage import bundled_model, model_file, model_hash
from stance.tables import months_of

ACTORS, GROUPS, TRACED = 30, 12, 12  # shown; of the actors over time and with paragraphs
JUDGED = 12  # actors shown among those who judge each other
FEWEST, ALWAYS = 10, 12  # answers below which an actor after the first ones is left to the total
LEAST = 0.5  # probability that a paragraph must exceed to be shown
LONGEST = 4000  # characters of a paragraph that is fit to be shown; longer ones are passed over
DOUBTFUL = 10  # least certain answers that a model must give, too, to have made the table
ALIKE = 0.25  # share of answers that a model gives, too, if a deep reader gave only the others
SAME = 2e-3  # difference of two probabilities that different machines may give to the same answer


Deep = Literal["all", "unsure"]  # what the deep reader reads


@dataclass(frozen=True)
class Maker:
    """The model that made some answers."""

    model: StanceModel
    path: Path

    @property
    def name(self) -> str:
        """The name of its file."""
        return self.path.name

    @cached_property
    def sha256(self) -> str:
        """The hash of its file."""
        return model_hash(self.path)


@dataclass(frozen=True, slots=True)
class Models:
    """The model that made some answers as its user says, or else those of the package."""

    path: Path | None  # None if the user names none
    load: Callable[[Path, Deep | None], StanceModel]
    book: ActorBook | None = None  # the user's


@dataclass(frozen=True, slots=True)
class Quotation:
    """A paragraph, with its mentions and what pushed the answer marked, and where it stands."""

    html: Markup
    source: str


Telling = Sequence[tuple[str, Sequence[tuple[str, Sequence[Quotation]]]]]  # by actor and side


@dataclass(frozen=True, slots=True)
class AnswersReport:
    """All that the page on a table of answers says."""

    population: AnswersTable
    sha256: str  # of the table's file
    maker: Maker | None  # None if no model is known, or all that were tried answer otherwise
    denied: str  # what answers otherwise
    telling: Telling  # the most certain paragraphs
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


def gather(request: Request, models: Models | None = None) -> AnswersReport:
    """Read a table of answers, and a labelled sample of it; find which model made it."""
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
    telling, maker = _tell(population, models, actors[:TRACED])
    denied = ""
    if models and telling and not maker and (models.path or population.places.mentions):
        denied = model_file(models.path).name if models.path else "the bundled models"
    book = (models and models.book) or (maker.model.book if maker else None)
    notes = [*population.notes, *(sample.notes if sample else ())]
    if population.places.text is None:
        advice = "no paragraphs are shown; name their column with --text-column"
        notes.append(f"{request.name}: no column 'text', so {advice}")
    return AnswersReport(
        population=population,
        sha256=file_hash(*request.paths),
        maker=maker,
        denied=denied,
        telling=telling,
        total=shares[0],
        actors=[s for s in shares if s.actor != TOTAL and not s.group and not s.period],
        cells=[share for share in shares if share.group],
        course=[share for share in shares if share.period],
        groups=groups,
        pairs=_judged(population, sample, book),
        labelled=sample,
        notes=tuple(notes),
    )


def _ranked(codes: Ints, names: Sequence[str]) -> list[tuple[str, int]]:
    """Return names and how often their codes occur, most often first, then by the alphabet."""
    sizes = np.bincount(codes, minlength=len(names)).tolist()
    return sorted(zip(names, sizes, strict=False), key=lambda pair: (-pair[1], pair[0]))


def _judged(population: AnswersTable, sample: Audit | None, book: ActorBook | None) -> Pairs | None:
    """Return who judges whom among those who do so most often; None where nobody is known to."""
    if not any(population.holders):
        return None
    pairs, often = find_pairs(population, sample), Counter[str]()
    for share in pairs.shares:
        often.update({share.actor: share.counts.n, share.group: share.counts.n})
    actors = {name for name, _ in often.most_common(JUDGED + len(HOLDERS))} - {*HOLDERS}
    chosen = [s for s in pairs.shares if s.actor in actors and s.group in {*actors, *HOLDERS}]
    return read_evidence(replace(pairs, shares=chosen), book) if chosen else None


# --- Paragraphs ---


def _tell(
    population: AnswersTable, models: Models | None, actors: Sequence[str]
) -> tuple[Telling, Maker | None]:
    """Return the most certain paragraphs on some actors, and the model that made the answers.

    If it is known, the words that decided are marked.
    """
    places, numbers = population.places, {name: number for number, name in enumerate(actors)}
    subject = np.array([numbers.get(name, -1) for name in population.actors])[population.actor]
    certainty = population.chances.max(axis=1)
    fit = (certainty > LEAST) & (population.length <= LONGEST) & (places.text is not None)
    surest = surest_answers(population, np.where(fit, subject, -1))
    doubtful = np.argsort(np.where(fit, certainty, np.inf), kind="stable")[:DOUBTFUL]
    cells = read_cells(population, chain(doubtful[fit[doubtful]].tolist(), *surest.values()))
    maker, passages = _find_maker(models, places, [*cells.values()]) if models else (None, [])
    known = dict(zip(cells, passages, strict=False))

    def quote(answer: int) -> Quotation:
        row = cells[answer]
        passage = known.get(answer) or Passage(row[places.text or 0])
        where = [row[place] for place in (places.by, places.over) if place is not None]
        listed = ", ".join(shown(part, 80) for part in (*where, f"row {row[places.row]}") if part)
        source = f"{listed}; probability {max(_chances(places, row)):.2f}"
        return Quotation(passage_html(passage, dict.fromkeys(passage.actors, 0)), source)

    quoted = {key: [quote(answer) for answer in answers] for key, answers in surest.items()}
    named = (
        (name, [(ANSWERS[side], quoted.get((n, side), [])) for side in SIDES])
        for name, n in numbers.items()
    )
    return [(name, sides) for name, sides in named if any(quotes for _, quotes in sides)], maker


def _find_maker(
    models: Models, places: Places, cells: Sequence[Cells]
) -> tuple[Maker | None, Sequence[Passage]]:
    """Return the model that gives some answers, and their texts with its reasons.

    As few as possible are opened. A model that gives most of the answers made them, if any did,
    with a deep reader of unsure pairs. One whose actor book finds other mentions rules out all
    bundled models, which share their book.
    """
    path, default = model_file(models.path), bundled_model()
    if models.path is None and (places.mentions is None or not cells):
        return None, []

    def attempt(file: Path, deep: Deep | None) -> tuple[Maker, Bools, Sequence[Passage]]:
        model = models.load(file, deep)
        return Maker(model, file), *_explain(model, places, cells)

    maker, fits, passages = attempt(path, None)
    if fits.all():
        return maker, passages
    ways: list[tuple[Path, Deep | None]] = []
    if path == default and fits.mean() > ALIKE:
        ways = [(default, "unsure")]
    elif path == default and _named_alike(passages, places, cells):
        ways = [(bundled_model("speeches"), None)] * (models.path is None) + [(default, "all")]
    with suppress(ExtraError):  # without it, answers of the deep reader are not recognised
        for way in ways:
            maker, fits, passages = attempt(*way)
            if fits.all():
                return maker, passages
    return None, []


def _explain(
    model: StanceModel, places: Places, cells: Sequence[Cells]
) -> tuple[Bools, Sequence[Passage]]:
    """Return which answers a model gives, too, and their texts with its reasons."""
    texts, spans, dates = (
        ["" if place is None else row[place] for row in cells]
        for place in (places.text, places.spans, places.over)
    )
    actors, chances = map(places.actor_of, cells), [_chances(places, row) for row in cells]
    fits, passages = np.ones(len(cells), np.bool_), list[Passage]()
    try:
        pairs = (
            texts,
            [*actors],
            [parse_spans(*row, "spans") for row in zip(spans, texts, strict=True)],
        )
    except DataError:  # then stance predict did not write this table
        return ~fits, []
    read = [months_of(dates)] if any(dates) else []
    for months in (*read, None) if cells else ():  # predict may have read no dates
        judged = model.judge(*pairs, months=months, pushes=True)
        fits = np.abs(judged.stance - chances).max(axis=1) <= SAME
        passages = judged.passages(texts)
        if fits.all():
            break
    return fits, passages


def _named_alike(passages: Sequence[Passage], places: Places, cells: Sequence[Cells]) -> bool:
    """Return whether texts name their actors as often as a table says."""
    counts = [str(passage.verdicts[0].answer.mentions) for passage in passages]
    return counts == [row[places.mentions or 0] for row in cells]


def _chances(places: Places, row: Cells) -> list[float]:
    return [float(row[place]) for place in places.probabilities]
