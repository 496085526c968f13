"""Paragraphs to show: the most certain answers, and the words that pushed them."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from markupsafe import Markup

from stance.corpus import Corpus
from stance.display import shown
from stance.errors import DataError
from stance.evaluation.answers import judge_pairs
from stance.evaluation.intervals import Shares, estimate_shares
from stance.findings import Request
from stance.findings.request import Places, bounded, find_places
from stance.model.judging import StanceModel
from stance.model.passages import Answer, Passage, Verdict, passage_html
from stance.reading.actors import ActorBook
from stance.reading.spans import parse_spans
from stance.records import NO_ANSWER, SIDES, UNCERTAIN, Sentiment, Stance
from stance.storage import model_hash
from stance.tables import months_of, rewrite_dates

EACH = 3  # paragraphs for, and paragraphs against each actor
LEAST = 0.5  # probability that a paragraph must exceed to be shown
LONGEST = 4000  # characters of a paragraph that is fit to be shown; longer ones are passed over
WORDS = 8  # reasons of a table that are marked
SAME = 2e-3  # difference of two probabilities that different machines may give to the same answer
MISTAKES = 8  # wrong answers that are shown
SCANNED = 20_000  # records in whose texts aliases are looked for
SIDE_NUMBERS = {str(list(Stance)[side]): side for side in SIDES}
TONE_NUMBERS = {str(tone): number for number, tone in enumerate(Sentiment)}


@dataclass(frozen=True, slots=True)
class Quotation:
    """A paragraph as it is shown, for or against one actor, and where it stands."""

    passage: Passage
    side: str
    source: str

    @property
    def html(self) -> Markup:
        """The paragraph, with its mentions and what pushed the answer marked."""
        return passage_html(self.passage, dict.fromkeys(self.passage.actors, 0))


@dataclass(frozen=True, slots=True)
class Example:
    """A paragraph and what the model said of it; cells are empty where the table has none."""

    actor: str
    label: int
    chances: tuple[float, float, float]
    text: str
    source: str
    date: str
    spans: str
    because: str
    row: str
    passage: Passage | None = None  # with its reasons, once they are known

    def quotation(self) -> Quotation:
        """Return what the page shows."""
        where = ", ".join(shown(p, 80) for p in (self.source, self.date, f"row {self.row}") if p)
        source = f"{where}; probability {max(self.chances):.2f}"
        return Quotation(self.passage or Passage(self.text), list(Stance)[self.label], source)


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
    tones: dict[str, list[int]] = field(default_factory=dict)  # rows of a document by sentiment
    toneless: int = 0  # rows whose sentiment is uncertain
    kept: dict[tuple[str, int], list[Example]] = field(default_factory=dict)  # by actor and side
    aliases: dict[str, Counter[str]] = field(default_factory=dict)  # of each actor, as written
    scanned: int = 0  # records in which aliases were looked for
    reproduced: bool | None = None  # whether the model gives the table's probabilities
    maker: Maker | None = None  # None if no model is known, or the one given answers otherwise
    denied: str = ""  # name of a model that answers otherwise

    @property
    def tone(self) -> Shares:
        """Shares of rows by sentiment."""
        counts = np.array([*self.tones.values()], np.int64).reshape(-1, len(Sentiment))
        return estimate_shares(counts)

    @property
    def marked(self) -> bool:
        """Whether any paragraph has a marked word."""
        passages = (each.passage for listed in self.kept.values() for each in listed)
        return any(verdict.words for each in passages if each for verdict in each.verdicts)


def read_paragraphs(request: Request, maker: Maker | None, actors: Sequence[str]) -> Paragraphs:
    """Read the paragraphs of a table: the most certain ones toward some actors on both sides."""
    found = Paragraphs()
    with request.open() as table:
        places = find_places(table.columns, table.name, request)
        if places.over is not None:
            rewrite_dates(table, places.over, request.date_format)
        seen: dict[int, bool] = {}  # whether each row names an actor
        for batch in table.blocks():
            cells = [record.cells for record in batch]
            for row in cells:
                _count_row(found, places, row, seen)
                if (actor := bounded(places.actor_of(row))) in actors:
                    _keep(found.kept, places, row, actor)
            if maker:
                _scan(found, maker.model.book, places, cells[: SCANNED - found.scanned])
    found.rows, found.naming = len(seen), sum(seen.values())
    _mark(found, maker)
    return found


def _count_row(
    found: Paragraphs, places: Places, cells: Sequence[str], seen: dict[int, bool]
) -> None:
    own = (places.file, places.document, places.text, places.row)
    key = hash(tuple(cells[at] for at in own if at is not None))
    if key not in seen and places.sentiment is not None:
        tone = cells[places.sentiment]
        if tone == UNCERTAIN:
            found.toneless += 1
        elif tone in TONE_NUMBERS:
            at = places.row if places.document is None else places.document
            counts = found.tones.setdefault(cells[at], [0] * len(Sentiment))
            counts[TONE_NUMBERS[tone]] += 1
    judged = places.mentions is None or cells[places.mentions] != "0"
    named = bool(places.actor_of(cells)) and judged
    seen[key] = seen.get(key, False) or named


def _keep(
    kept: dict[tuple[str, int], list[Example]], places: Places, cells: Sequence[str], actor: str
) -> None:
    """Keep an answer among the most certain ones on its side, each text once."""
    if places.text is None or cells[places.stance] not in SIDE_NUMBERS:
        return
    side, text = SIDE_NUMBERS[cells[places.stance]], cells[places.text]
    against, neutral, favor = (float(cells[at]) for at in places.probabilities)
    listed = kept.setdefault((actor, side), [])
    top = max(against, neutral, favor)
    least = max(listed[-1].chances) if len(listed) == EACH else LEAST
    if top <= least or len(text) > LONGEST or any(each.text == text for each in listed):
        return

    def cell(at: int | None) -> str:
        return "" if at is None else cells[at]

    source, date, because = bounded(cell(places.by)), bounded(cell(places.over)), places.because
    spans, row = cell(places.spans), cells[places.row]
    chances = (against, neutral, favor)
    told = cell(because)[:LONGEST]
    listed.append(Example(actor, side, chances, text, source, date, spans, told, row))
    listed.sort(key=lambda each: -max(each.chances))  # stable, so the first of equals stays
    del listed[EACH:]


def _scan(
    found: Paragraphs, book: ActorBook, places: Places, cells: Sequence[Sequence[str]]
) -> None:
    """Count the aliases of each record's actor in its text, unless the table says where it is."""
    if places.text is None or places.spans is not None or not cells:
        return
    found.scanned += len(cells)
    actors = list(map(places.actor_of, cells))
    number = np.array([book.number(actor) for actor in actors])
    months = None if places.over is None else months_of([each[places.over] for each in cells])
    for low, batch, mentions in book.scan([each[places.text] for each in cells], months):
        own = np.flatnonzero(mentions.actor == number[low + mentions.para])
        starts, ends = batch.start[mentions.first[own]], batch.end[mentions.last[own]]
        for para, start, end in zip(mentions.para[own], starts, ends, strict=True):
            counts = found.aliases.setdefault(bounded(actors[low + para]), Counter())
            counts[batch.texts[para][start:end]] += 1


def _mark(found: Paragraphs, maker: Maker | None) -> None:
    """Mark the words that decided: by a model that gives the same answers, else by ``because``."""
    explained: dict[int, Example | None] = {}
    if maker:
        for example in (each for listed in found.kept.values() for each in listed):
            explained[id(example)] = _explained(maker.model, example)
    found.reproduced = all(explained.values()) if explained else None
    if maker and (maker.given if found.reproduced is None else found.reproduced):
        found.maker = maker
    elif maker:
        found.aliases, found.denied = {}, maker.name if explained else ""
    for key, listed in found.kept.items():
        own = explained if found.maker else {}
        found.kept[key] = [own.get(id(each)) or _by_because(each) for each in listed]


def _explained(model: StanceModel, example: Example) -> Example | None:
    """Return an example with its reasons, None if the model answers otherwise."""
    try:
        spans = parse_spans(example.spans, example.text, "spans")
    except DataError:  # then stance predict did not write this table
        return None
    for months in (months_of([example.date]), None):  # predict may have read no dates
        pair = [example.text], [example.actor], [spans]
        judged = model.judge_pairs(*pair, months=months, pushes=True)
        if np.abs(judged.stance[0] - example.chances).max() <= SAME:
            return replace(example, passage=judged.passages(pair[0])[0])
    return None


_REASON = re.compile(r"(\S+?)\(([+\-−]?\d+(?:\.\d+)?)\)")


def _by_because(example: Example) -> Example:
    """Return an example with the words marked that the table names as reasons."""
    pushes = dict(_REASON.findall(example.because)[:WORDS])
    places = {
        hit.span(): float(push.replace("−", "-"))
        for word, push in pushes.items()
        for hit in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", example.text)
    }
    words = tuple((start, end, push) for (start, end), push in sorted(places.items()))
    answer = Answer(0, example.actor, 0, str(list(Stance)[example.label]), example.chances, "", 0.0)
    return replace(example, passage=Passage(example.text, (Verdict(answer, (), words),)))


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrong answer, its probability, and source, date and id as far as the corpus has them."""

    actor: str
    gold: str
    predicted: str
    probability: float
    passage: Passage
    where: str

    def quotation(self) -> Quotation:
        """Return what the page shows."""
        side = self.predicted if self.predicted in ("against", "favor") else "neutral"
        return Quotation(self.passage, side, self.where)


def worst_mistakes(model: StanceModel, corpus: Corpus) -> list[Mistake]:
    """Return the most confident wrong answers to a corpus that are given, each text once."""
    labels, answers = list(map(str, Stance)), judge_pairs(model, corpus)
    predicted, top = answers.predicted, answers.confidence
    wrong = np.flatnonzero(~answers.right & (predicted != NO_ANSWER))
    found: dict[str, Mistake] = {}
    for row in wrong[np.argsort(-top[wrong], kind="stable")].tolist():
        text, actor, label = corpus.texts[row], corpus.actors[row], int(predicted[row])
        if text in found or len(text) > LONGEST:
            continue
        judged = model.judge_pairs(
            [text], [actor], [corpus.spans[row]], months=corpus.months[[row]], pushes=True
        )
        names = (corpus.extra.get(name, ()) for name in ("source", "date", "id"))
        found[text] = Mistake(
            actor=actor,
            gold=labels[int(corpus.stance[row])],
            predicted=labels[label],
            probability=float(top[row]),
            passage=judged.passages([text])[0],
            where=", ".join(cells[row] for cells in names if cells and cells[row]),
        )
        if len(found) == MISTAKES:
            break
    return list(found.values())
