"""Paragraphs to show: the most certain answers, and the words that pushed them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from markupsafe import Markup

from stance.display import shown
from stance.errors import DataError
from stance.findings.answers import AnswersTable
from stance.findings.request import Places
from stance.model.judging import StanceModel
from stance.model.passages import Passage, passage_html
from stance.reading.spans import parse_spans
from stance.records import SIDES, Stance
from stance.storage import model_hash
from stance.tables import months_of, rewrite_dates

SHOWN = 3  # paragraphs for, and paragraphs against each actor
LEAST = 0.5  # probability that a paragraph must exceed to be shown
LONGEST = 4000  # characters of a paragraph that is fit to be shown; longer ones are passed over
SAME = 2e-3  # difference of two probabilities that different machines may give to the same answer
SIDE_NUMBERS = {str(list(Stance)[side]): side for side in SIDES}
Cells = tuple[str, ...]  # of a record


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


@dataclass(slots=True)
class Paragraphs:
    """What the rows of a table of answers hold, beside the answers."""

    rows: int = 0  # told apart by file, document, text and number
    naming: int = 0  # rows that name an actor
    kept: dict[tuple[str, int], list[Quotation]] = field(default_factory=dict)  # by actor and side
    maker: Maker | None = None  # None if no model is known, or the one given answers otherwise
    denied: str = ""  # name of a model that answers otherwise


def read_paragraphs(
    population: AnswersTable, maker: Maker | None, actors: Sequence[str]
) -> Paragraphs:
    """Read the paragraphs of a table: the most certain ones toward some actors on both sides."""
    paragraphs, places, seen = Paragraphs(), population.places, dict[int, bool]()
    examples = defaultdict[tuple[str, int], list[Cells]](list)
    with population.request.open() as table:
        if places.over is not None:
            rewrite_dates(table, places.over, population.request.date_format)
        for cells in (record.cells for record in table):
            unit = (places.file, places.document, places.text, places.row)
            key = hash(tuple(cells[place] for place in unit if place is not None))
            judged = places.mentions is None or cells[places.mentions] != "0"
            seen[key] = seen.get(key, False) or (bool(places.actor_of(cells)) and judged)
            side, actor = SIDE_NUMBERS.get(cells[places.stance]), places.actor_of(cells)
            if side is not None and places.text is not None and actor in actors:
                _keep(examples[actor, side], cells, places, places.text)
    paragraphs.rows, paragraphs.naming = len(seen), sum(seen.values())
    _quote(paragraphs, examples, places, maker)
    return paragraphs


def _chances(places: Places, cells: Cells) -> list[float]:
    return [float(cells[place]) for place in places.probabilities]


def _keep(listed: list[Cells], cells: Cells, places: Places, text: int) -> None:
    """Keep an answer among the most certain ones on its side, each text once."""
    least = max(_chances(places, listed[-1])) if len(listed) == SHOWN else LEAST
    if max(_chances(places, cells)) <= least or len(cells[text]) > LONGEST:
        return
    if any(other[text] == cells[text] for other in listed):
        return
    listed.append(cells)
    listed.sort(key=lambda cells: -max(_chances(places, cells)))  # stable: the first of equals
    del listed[SHOWN:]


def _quote(
    paragraphs: Paragraphs,
    examples: dict[tuple[str, int], list[Cells]],
    places: Places,
    maker: Maker | None,
) -> None:
    """Quote examples, with the words that decided if a model gives the same answers."""
    passages: dict[Cells, Passage | None] = {}
    if maker:
        known = (cells for listed in examples.values() for cells in listed)
        passages = {cells: _explained(maker.model, places, cells) for cells in known}
    if maker and (all(passages.values()) if passages else maker.given):
        paragraphs.maker = maker
    elif maker:
        paragraphs.denied, passages = maker.name if passages else "", {}
    for key, listed in examples.items():
        paragraphs.kept[key] = [_quotation(places, c, passages.get(c)) for c in listed]


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
