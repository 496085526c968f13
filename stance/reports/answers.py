"""What the page on a table of answers says: its figures, counted or corrected, and paragraphs."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stance.arrays import Ints
from stance.corpus.rows import HOLDERS
from stance.display import cut, shown
from stance.files import file_hash
from stance.findings import Cells, Pairs, find_pairs, read_cells, read_evidence, surest_answers
from stance.findings.answers import AnswersTable
from stance.findings.audit import read_answers
from stance.findings.request import Request, usual_column
from stance.findings.shares import LEVEL, TOTAL, Share, Study
from stance.model import StanceModel
from stance.model.passages import Passage
from stance.records import ANSWERS, SIDES
from stance.storage import BUNDLED, bundled_model, model_file
from stance.tables import months_of

ACTORS, GROUPS, TRACED = 30, 12, 12  # shown; of the actors over time and with paragraphs
JUDGED = 12  # actors shown among those who judge each other
FEWEST, ALWAYS = 10, 12  # answers below which an actor after the first ones is left to the total
LEAST = 0.5  # probability that a paragraph must exceed to be shown
LONGEST = 4000  # characters of a paragraph that is fit to be shown; longer ones are passed over
DOUBTFUL = 10  # least certain answers that a model must give, too, to have made the table
Quotation = tuple[Passage, str]  # a paragraph with what decided marked, and where it stands
SAME = 2e-3  # difference of two probabilities that different machines may give to the same answer


class Maker(NamedTuple):
    """The model that made some answers, and its file."""

    model: StanceModel
    path: Path
    sha256: str


class Models(NamedTuple):
    """The model that made some answers as its user says, or else those of the package."""

    path: Path | None  # None if the user names none
    load: Callable[[Path], StanceModel]


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
        self.study = study = Study(population, sample)
        ranked = [name for name in study.actors if name != TOTAL]
        often = [name for name in ranked if len(study.actors[name]) >= FEWEST]
        actors = ranked[: max(ALWAYS, min(len(often), ACTORS))]
        sizes = Counter(map(population.groups.__getitem__, population.group.tolist() if by else ()))
        self.groups = sorted(sizes, key=lambda name: (-sizes[name], name))[:GROUPS]

        def is_shown(actor: str, group: str, period: str) -> bool:
            known = actors[:TRACED] if period else (*actors, TOTAL)
            return actor in known and (not group or (not period and group in self.groups))

        self.shares = shares = [study.share(*part) for part in study.parts() if is_shown(*part[0])]
        self.total = shares[0]  # of all actors together
        self.actors = [s for s in shares if s.actor != TOTAL and not s.group and not s.period]
        self.few = [n for n in ranked if not study.share((n, "", ""), study.actors[n]).net]
        self.cells = [share for share in shares if share.group]  # these, and all together, by group
        self.course = [share for share in shares if share.period]  # the first ones by period
        self.sha256 = file_hash(*request.paths)
        traced = {name: study.actors[name] for name in actors[:TRACED]}
        self.telling, self.maker = _quote(population, models, traced)
        self.notes = [*study.notes]
        self.denied = ""  # which model answers otherwise
        if models and self.telling and not self.maker and (models.path or population.probable):
            self.denied = model_file(models.path).name if models.path else "the bundled models"
            how = "name their --model and --actors; answers by --deep have no reasons here"
            self.notes.append(f"{self.denied} did not make these answers; {how}")
        self.book = self.maker.model.book if self.maker else None
        self.every_pair = find_pairs(study) if any(population.holders) else None
        self.pairs = self._most_frequent(self.every_pair) if self.every_pair else None
        if population.places.text is None:
            advice = "no paragraphs are shown; name their column with --text-column"
            self.notes.append(f"{request.name}: no column 'text', so {advice}")

    def apart(self, actor: str = "", *, drawn: bool = False) -> tuple[Share, Share] | None:
        """Return an actor, or a group of one, and another whose net stance is clearly higher.

        Their intervals do not overlap: those drawn, or wider ones, adjusted for their number.
        """
        shares = [cell for cell in self.cells if cell.actor == actor] if actor else self.actors
        known = [s for s in shares if s.net and self.labelled]  # else only errors may differ
        level = LEVEL if drawn else LEVEL / max(1, len(known))  # Bonferroni
        ends = [(*share.ends(level), share) for share in known]
        low = min(ends, key=lambda ends: ends[1], default=None)
        high = max(ends, key=lambda ends: ends[0], default=None)
        return (low[2], high[2]) if low and high and low[1] < high[0] else None

    def _most_frequent(self, pairs: Pairs) -> Pairs | None:
        """Return who judges whom among those who do so most often; None where nobody does."""
        often = Counter[str]()
        for share in pairs.shares:
            often.update({share.actor: share.counts.n, share.group: share.counts.n})
        actors = {name for name, _ in often.most_common(JUDGED + len(HOLDERS))} - {*HOLDERS}
        chosen = [s for s in pairs.shares if s.actor in actors and s.group in {*actors, *HOLDERS}]
        explain = partial(_explain, self.maker.model if self.maker else None, self.population)
        return read_evidence(pairs._replace(shares=chosen), self.book, explain) if chosen else None


# --- Paragraphs ---


def _quote(
    population: AnswersTable, models: Models | None, actors: Mapping[str, Ints]
) -> tuple[list[tuple[str, dict[str, list[Quotation]]]], Maker | None]:
    """Return the surest paragraphs on each actor, by side, and, if known, who answered."""
    places, certainty = population.places, population.chances.max(axis=1)
    fit = (certainty > LEAST) & (population.length <= LONGEST) & (places.text is not None)
    surest = {name: surest_answers(population, pairs[fit[pairs]]) for name, pairs in actors.items()}
    ascending = np.argsort(certainty, kind="stable")
    doubtful = ascending[fit[ascending]][:DOUBTFUL].tolist()
    cells = read_cells(population, chain(doubtful, *surest.values()))
    maker, passages = _find_maker(models, population, cells) if models else (None, [])
    known = dict(zip(cells, passages, strict=False))

    def quotation(answer: int) -> Quotation:
        row = cells[answer]
        passage = known.get(answer) or Passage(row[places.text or 0])
        where = [row[place] for place in (places.by, places.over) if place is not None]
        source = ", ".join(shown(part, 80) for part in (*where, f"row {row[places.row]}") if part)
        if population.probable:
            source += f"; probability {certainty[answer]:.2f}"
        return passage, source

    def sides(answers: Sequence[int]) -> dict[str, list[Quotation]]:
        stance = population.stance
        return {ANSWERS[s]: [quotation(n) for n in answers if stance[n] == s] for s in SIDES}

    return [(name, sides(answers)) for name, answers in surest.items() if answers], maker


def _find_maker(
    models: Models, population: AnswersTable, cells: Mapping[int, Cells]
) -> tuple[Maker | None, Sequence[Passage]]:
    """Return the model that gives some answers, and their texts with its reasons."""
    if models.path is None and not (population.probable and cells):
        return None, []
    for file in map(bundled_model, BUNDLED) if models.path is None else [model_file(models.path)]:
        model = models.load(file)
        passages = _explain(model, population, cells)
        if len(passages) == len(cells):
            return Maker(model, file, file_hash(file)), passages
    return None, []


def _explain(
    model: StanceModel | None, population: AnswersTable, cells: Mapping[int, Cells]
) -> Sequence[Passage]:
    """Return the texts of some answers with a model's reasons; none if it gives other answers."""
    if model is None or not cells:
        return []
    places, answers = population.places, [*cells]
    asked = (places.text, places.spans, places.over)
    columns = (["" if place is None else row[place] for row in cells.values()] for place in asked)
    texts, spans, dates = columns
    actors = [population.actors[number] for number in population.actor[answers]]
    judged = model.judge(texts, actors, spans, months=months_of(dates), pushes=True)
    same = np.abs(judged.stance - population.chances[answers]) <= SAME
    return judged.passages(texts) if same.all() else []
