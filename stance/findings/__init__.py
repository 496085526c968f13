"""Findings from a table of answers: shares, who judges whom, and tables of both."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree as Xml

import numpy as np

from stance.arrays import Ints
from stance.display import count, shown
from stance.errors import DataError
from stance.files import AtomicGroup
from stance.findings.answers import AnswersTable, split_by
from stance.findings.request import Request
from stance.findings.sampling import write_sample
from stance.findings.shares import DIFFERENCE, Share, Study, figures, read_study
from stance.model.passages import Passage
from stance.reading.actors import ActorBook
from stance.reading.text import normalise, raw_spans
from stance.reading.words import literal_places
from stance.records import ANSWERS, NET, SIDES, Stance
from stance.tables import rewrite_dates, write_table

__all__ = ["Cells", "Pairs", "Request", "Share", "Study", "find_pairs", "read_cells"]
__all__ += ["read_evidence", "read_study", "surest_answers", "write_numbers", "write_sample"]

QUOTED = 3  # surest answers on a subject and side
LONGEST = 400  # characters of a sentence that is shown
_OPENING = re.compile(r"(?<!\S)([«“„]\s)?[^\w\s]*\Z")  # marks before the first word of a sentence
ENDS = {"source": "holder", "target": "target"}  # of an edge
Cells = tuple[str, ...]  # of a record
Explain = Callable[[Mapping[int, Cells]], Iterable[Passage]]
TYPES = {str: "string", float: "double", int: "int"}  # of the figures of an edge


class Evidence(NamedTuple):
    """A sentence that shows a stance, and where it stands."""

    passage: Passage
    side: int
    chance: float  # of the side, as answered
    row: str


class Pairs(NamedTuple):
    """Holders and the actors they judge; the group of a share is its holder."""

    population: AnswersTable
    shares: Sequence[Share]  # most answers first
    notes: Sequence[str]  # on the answers, and on what is left out
    evidence: Mapping[tuple[str, str], Sequence[Evidence]]  # by holder and actor, surest first

    def to_json(self) -> dict[str, Any]:
        """Return how many answers have a known holder, and the figures of each pair."""
        sizes = np.bincount(self.population.actor).tolist()
        toward = dict(zip(self.population.actors, sizes, strict=True))
        rows = [self._row(share, toward[share.actor]) for share in self.shares]
        return {"answers": sum(share.n for share in self.shares), "pairs": rows}

    def _row(self, share: Share, toward: int) -> dict[str, Any]:
        row: dict[str, Any] = {"holder": share.group, "target": share.actor, "n": share.counts.n}
        given = zip(map(str, Stance), share.given.sum(axis=0).tolist(), strict=True)
        row |= {"documents": share.documents, **dict(given)}
        row |= figures(share.counts, NET, ("net", "low", "high")) | {"toward_target": toward}
        if share.audited:
            names = ("corrected", "corrected_low", "corrected_high")
            row |= figures(share.corrected, NET, names) | {"labels": share.labels}
        listed = self.evidence.get((share.group, share.actor), ())
        surest = {evidence.side: evidence.passage.text for evidence in reversed(listed)}
        for side in SIDES:
            text = " ".join(normalise(surest.get(side, "")).split())
            row[f"evidence_{ANSWERS[side]}"] = shown(text, LONGEST + 1)
        return row


def find_pairs(study: Study) -> Pairs:
    """Return what each holder's stances toward each other actor are, most answers first."""
    population = study.population
    names, holder = population.holders, population.holder
    if not any(names):
        why = "no answer has a holder, since all are neutral or withheld"
        if population.places.holder is None or np.isin(population.stance, SIDES).any():
            why = "no 'holder' says whose stance it is; judge its texts with the default model"
        raise DataError(f"{population.table}: {why}")
    numbers = {name: number for number, name in enumerate(population.actors)}
    themselves = np.array([numbers.get(name, -1) for name in names])[holder] == population.actor
    unknown = np.array([not name for name in names])[holder]
    other = np.where(unknown | themselves, -1, holder)
    shares = [
        study.share((actor, name, ""), pairs)
        for actor in population.actors
        for name, pairs in split_by(study.actors[actor], other, names)
    ]
    shares = [share for share in shares if share.counts.n]
    shares.sort(key=lambda share: (-share.counts.n, share.group, share.actor))
    withheld = unknown & (population.stance == len(Stance))
    without = "without a holder (predict --speakers names one for neutral answers, too)"
    left = {"in which an actor judges itself": themselves, "withheld": withheld}
    sizes = {why: int(rows.sum()) for why, rows in (left | {without: unknown & ~withheld}).items()}
    more = [f"{count(size, 'answer')} left out, {why}" for why, size in sizes.items() if size]
    return Pairs(population, shares, [*population.notes, *more], {})


def surest_answers(population: AnswersTable, pairs: Ints) -> list[int]:
    """Return the surest of some answers against and, after these, in favor, each text once."""
    ordered = pairs[np.argsort(-population.chances[pairs].max(axis=1), kind="stable")]
    surest = list[int]()
    for side in SIDES:
        answers = ordered[population.stance[ordered] == side]
        texts = np.sort(np.unique(population.text[answers], return_index=True)[1])
        surest += answers[texts[:QUOTED]].tolist()
    return surest


def read_cells(population: AnswersTable, answers: Iterable[int]) -> dict[int, Cells]:
    """Read the cells of some answers' records again."""
    numbers = {int(population.record[answer]): answer for answer in answers}
    with population.open_again() as table:
        if population.places.over is not None:
            rewrite_dates(table, population.places.over, population.request.date_format)
        known = ((numbers.get(record.number - 1), record.cells) for record in table)
        return {answer: cells for answer, cells in known if answer is not None}


def read_evidence(
    pairs: Pairs, book: ActorBook | None = None, explain: Explain = lambda rows: ()
) -> Pairs:
    """Return pairs with sentences that name the actor, of the surest answers on either side.

    ``explain`` returns the texts of answers with the reasons for these, or nothing.
    """
    population, places = pairs.population, pairs.population.places
    if places.text is None:
        return pairs
    surest = {(s.group, s.actor): surest_answers(population, s.pairs) for s in pairs.shares}
    rows = read_cells(population, chain(*surest.values()))
    passages = dict(zip(rows, explain(rows), strict=False))
    evidence, book = defaultdict[tuple[str, str], list[Evidence]](list), book or ActorBook.default()
    for (holder, actor), answers in surest.items():
        for answer in sorted(answers, key=lambda n: -population.chances[n, population.stance[n]]):
            cells, side = rows[answer], int(population.stance[answer])
            passage = passages.get(answer) or Passage(cells[places.text])
            sentence = find_sentence(passage, actor, book)
            chance = float(population.chances[answer, side])
            evidence[holder, actor].append(Evidence(sentence, side, chance, cells[places.row]))
    return pairs._replace(evidence=evidence)


def find_sentence(passage: Passage, actor: str, book: ActorBook) -> Passage:
    """Return the first sentence that names an actor, or the beginning of the text."""
    text = passage.text
    ((_, tokens, mentions),) = book.scan([text])
    start, end = 0, len(text)
    named = mentions.first[mentions.actor == book.number(actor)]
    if not len(named):  # in the book
        (places,) = literal_places(book, tokens.texts, [actor])
        named = np.searchsorted(tokens.start, [start for start, _ in places[:1]])
    if len(named):
        words = np.flatnonzero(tokens.sentence == tokens.sentence[named[0]])
        starts = [*tokens.start.tolist(), len(tokens.texts[0])]
        (ends,) = raw_spans(text, [(starts[words[0]], starts[words[-1] + 1])])
        start, end = (len(_OPENING.sub("", text[:at])) if at < len(text) else at for at in ends)
    long = len(text[start:end].rstrip())
    part = passage.part(start, start + min(long, LONGEST))
    return part._replace(text=part.text + "…") if long > LONGEST else part


# --- Tables ---


def write_numbers(
    path: Path, rows: Sequence[Mapping[str, Any]], what: str, together: AtomicGroup, **how: Any
) -> str:
    """Write figures as a tidy table, or pairs as a graph (.graphml); return what to say of it.

    ``what`` they are is "shares", or "pairs" or "differences", of which there may be none.
    """
    compares = what == "differences"
    columns = (*rows[0],) if rows else DIFFERENCE if compares else (*ENDS.values(), "n")
    if path.suffix.lower() == ".graphml" and what == "pairs":
        together.write(path, _graph(rows), force=how["force"])
        return f"wrote {path}: {count(len(rows), 'edge')}"
    with together.part(write_table(path, columns, **how)) as table:
        for row in rows:
            table.write([_cell(row[name]) for name in columns])
    why = "; only groups and periods with corrected shares (--audit) are compared"
    return f"wrote {path}: {count(len(rows), 'row')}{why * (compares and not rows)}"


def _graph(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return a directed graph from holders to targets."""
    root = Xml.Element("graphml", xmlns="http://graphml.graphdrawing.org/xmlns")
    keys = [key for key in next(iter(rows), {}) if key not in ENDS.values()]
    for key in keys:
        kind = next((TYPES[type(row[key])] for row in rows if row[key] is not None), "int")
        Xml.SubElement(root, "key", {"id": key, "for": "edge", "attr.name": key, "attr.type": kind})
    graph = Xml.SubElement(root, "graph", edgedefault="directed")
    for name in sorted({row[end] for row in rows for end in ENDS.values()}):
        Xml.SubElement(graph, "node", id=shown(name, LONGEST))
    for row in rows:
        ends = {name: shown(row[end], LONGEST) for name, end in ENDS.items()}
        edge = Xml.SubElement(graph, "edge", ends)
        for key in (key for key in keys if row[key] is not None):
            Xml.SubElement(edge, "data", key=key).text = _cell(row[key])
    Xml.indent(root)
    return Xml.tostring(root, "utf-8", xml_declaration=True) + b"\n"


def _cell(value: object) -> str:
    return "" if value is None else f"{value:.6f}" if isinstance(value, float) else str(value)
