"""What the page on a table of answers says: its figures, counted or corrected, and paragraphs."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import numpy as np

from stance.arrays import Bools
from stance.corpus.rows import HOLDERS
from stance.display import cut, shown
from stance.errors import DataError, ExtraError
from stance.files import file_hash
from stance.findings import Cells, Pairs, find_pairs, read_cells, read_evidence, surest_answers
from stance.findings.answers import AnswersTable, split_by
from stance.findings.audit import read_answers
from stance.findings.request import Places, Request, usual_column
from stance.findings.shares import LEVEL, TOTAL, Share, Study
from stance.model import StanceModel
from stance.model.passages import Passage
from stance.reading.actors import ActorBook
from stance.reading.text import parse_spans
from stance.records import ANSWERS, SIDES
from stance.storage import bundled_model, model_file
from stance.tables import months_of

ACTORS, GROUPS, TRACED = 30, 12, 12  # shown; of the actors over time and with paragraphs
JUDGED = 12  # actors shown among those who judge each other
FEWEST, ALWAYS = 10, 12  # answers below which an actor after the first ones is left to the total
LEAST = 0.5  # probability that a paragraph must exceed to be shown
LONGEST = 4000  # characters of a paragraph that is fit to be shown; longer ones are passed over
DOUBTFUL = 10  # least certain answers that a model must give, too, to have made the table
SAME = 2e-3  # difference of two probabilities that different machines may give to the same answer

Deep = Literal["unsure", "all"]  # what the deep reader reads


class Maker(NamedTuple):
    """The model that made some answers, and its file."""

    model: StanceModel
    path: Path
    sha256: str


class Models(NamedTuple):
    """The model that made some answers as its user says, or else those of the package."""

    path: Path | None  # None if the user names none
    load: Callable[[Path, Deep | None], StanceModel]
    book: ActorBook | None = None  # the user's


class Quotation(NamedTuple):
    """A paragraph, with its mentions and what pushed the answer marked, and where it stands."""

    passage: Passage
    source: str


class Report:
    """All that the page on a table of answers says, and on a labelled sample of it."""

    def __init__(self, request: Request, models: Models | None = None) -> None:
        with request.open() as table:
            asked = ((request.by, "source"), (request.over, "date"))
            places = [usual_column(table, *names) for names in asked]
            by, over = (None if place is None else table.columns[place] for place in places)
        self.request = replace(request, by=by, over=over)
        self.by = cut(str(by))
        self.population, self.labelled = population, sample = read_answers(self.request)
        if population.uncounted and sample is None:
            raise DataError(population.uncounted)
        self.study = study = Study(population, sample)
        ranked = [name for name in study.actors if name != TOTAL]
        often = [name for name in ranked[ALWAYS:ACTORS] if len(study.actors[name]) >= FEWEST]
        actors = [*ranked[:ALWAYS], *often]
        groups = split_by(np.arange(len(population)), population.group, population.groups)
        groups.sort(key=lambda part: (-len(part[1]), part[0]))
        self.groups = [name for name, _ in groups[:GROUPS]]

        def is_shown(actor: str, group: str, period: str) -> bool:
            if group:
                return not period and actor in (*actors, TOTAL) and group in self.groups
            return actor in (actors[:TRACED] if period else (*actors, TOTAL))

        shares = [study.share(names, part) for names, part in study.parts() if is_shown(*names)]
        self.total = shares[0]  # of all actors together
        self.actors = [s for s in shares if s.actor != TOTAL and not s.group and not s.period]
        self.cells = [share for share in shares if share.group]  # these, and all together, by group
        self.course = [share for share in shares if share.period]  # the first ones by period
        self.sha256 = file_hash(*request.paths)
        quoted, self.maker = _quote(population, models, actors[:TRACED])
        self.telling = [  # the most certain paragraphs of each actor on either side
            (name, [(ANSWERS[side], quoted.get((name, side), [])) for side in SIDES])
            for name in actors[:TRACED]
            if any((name, side) in quoted for side in SIDES)
        ]
        self.denied = ""  # which model answers otherwise
        if models and quoted and not self.maker and (models.path or population.probable):
            self.denied = model_file(models.path).name if models.path else "the bundled models"
        book = (models and models.book) or (self.maker.model.book if self.maker else None)
        self.pairs = self._judged(book)
        neutral = population.holder[population.stance == ANSWERS.index("neutral")]
        self.neutral_held = any(population.holders[number] for number in np.unique(neutral))
        self.notes = [*population.notes, *(sample.notes if sample else ())]
        if population.places.text is None:
            advice = "no paragraphs are shown; name their column with --text-column"
            self.notes.append(f"{request.name}: no column 'text', so {advice}")

    def apart(self, actor: str = "") -> tuple[Share, Share] | None:
        """Return an actor, or a group of one, and another whose net stance is clearly higher.

        Their intervals do not meet even if each is so long that all of the page hold the truth.
        """
        shares = [cell for cell in self.cells if cell.actor == actor] if actor else self.actors
        level = LEVEL / max(1, sum(bool(s.net) for s in (*self.actors, *self.cells)))  # Bonferroni
        ends = [(*share.ends(level), share) for share in shares if share.net]
        low = min(ends, key=lambda ends: ends[1], default=None)
        high = max(ends, key=lambda ends: ends[0], default=None)
        return (low[2], high[2]) if low and high and low[1] < high[0] else None

    def _judged(self, book: ActorBook | None) -> Pairs | None:
        """Return who judges whom among those who do so most often; None where nobody is known."""
        if not any(self.population.holders):
            return None
        pairs, often = find_pairs(self.population, self.labelled), Counter[str]()
        for share in pairs.shares:
            often.update({share.actor: share.counts.n, share.group: share.counts.n})
        actors = {name for name, _ in often.most_common(JUDGED + len(HOLDERS))} - {*HOLDERS}
        chosen = [s for s in pairs.shares if s.actor in actors and s.group in {*actors, *HOLDERS}]
        return read_evidence(pairs._replace(shares=chosen), book) if chosen else None


# --- Paragraphs ---


def _quote(
    population: AnswersTable, models: Models | None, actors: Sequence[str]
) -> tuple[dict[tuple[str, int], list[Quotation]], Maker | None]:
    """Return the most certain paragraphs on actors, by side, and the model that made the answers.

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

    def quotation(answer: int) -> Quotation:
        row = cells[answer]
        passage = known.get(answer) or Passage(row[places.text or 0])
        where = [row[place] for place in (places.by, places.over) if place is not None]
        listed = ", ".join(shown(part, 80) for part in (*where, f"row {row[places.row]}") if part)
        chance = f"; probability {max(_chances(places, row)):.2f}"
        source = listed + (chance if population.probable else "")
        return Quotation(passage, source)

    return {(actors[n], side): [*map(quotation, ns)] for (n, side), ns in surest.items()}, maker


def _find_maker(
    models: Models, places: Places, cells: Sequence[Cells]
) -> tuple[Maker | None, Sequence[Passage]]:
    """Return the model that gives some answers, and their texts with its reasons.

    One whose actor book finds other mentions rules out all bundled models, which share their book.
    """
    if models.path is None and (places.mentions is None or not cells):
        return None, []
    bundled = [bundled_model(), bundled_model("speeches")]
    files = bundled if models.path is None else [model_file(models.path)]
    ways: list[tuple[Path, Deep | None]] = [(file, None) for file in files]
    for file, deep in ways:  # which grows
        lacking = [ExtraError] if deep else []  # without it, deep answers are not recognised
        with suppress(*lacking):
            model, alike, some = models.load(file, deep), False, False
            for fits, passages in _explain(model, places, cells):
                if fits.all():
                    return Maker(model, file, file_hash(file)), passages
                named = [str(passage.verdicts[0].answer.mentions) for passage in passages]
                alike |= named == [row[places.mentions or 0] for row in cells]
                some |= bool(fits.any())
            if not alike:
                break
            if deep is None and file in bundled:
                # A reader of unsure pairs leaves some of a model's answers as they are.
                ways += [(file, way) for way in get_args(Deep) if way == "all" or some]
    return None, []


def _explain(
    model: StanceModel, places: Places, cells: Sequence[Cells]
) -> Iterator[tuple[Bools, Sequence[Passage]]]:
    """Yield which answers a model gives, too, and their texts with its reasons.

    By the dates first, and then without them: `predict` may have read none.
    """
    texts, spans, dates = (
        ["" if place is None else row[place] for row in cells]
        for place in (places.text, places.spans, places.over)
    )
    if not cells:
        yield np.ones(0, np.bool_), []
        return
    try:
        given = [parse_spans(*row, "spans") for row in zip(spans, texts, strict=True)]
    except DataError:  # then stance predict did not write this table
        return
    actors = [row[places.actor].strip() for row in cells]
    chances = [_chances(places, row) for row in cells]
    for months in (*[months_of(dates)] * any(dates), None):
        judged = model.judge(texts, actors, given, months=months, pushes=True)
        yield np.abs(judged.stance - chances).max(axis=1) <= SAME, judged.passages(texts)


def _chances(places: Places, row: Cells) -> list[float]:
    return [float(row[place]) for place in places.probabilities]
