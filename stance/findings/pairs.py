"""Who judges whom: the stances of each holder toward each actor, and sentences that show them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import numpy as np

from stance.display import count, shown
from stance.errors import DataError
from stance.files import AtomicGroup
from stance.findings.answers import AnswersTable, read_cells, surest_answers
from stance.findings.correction import NET, Audit
from stance.findings.shares import TOTAL, Share, Study, figures, write_numbers
from stance.reading.actors import ActorBook
from stance.records import ANSWERS, SIDES, Stance

LONGEST = 400  # characters of a sentence that is shown
LONGEST_READ = 10_000  # characters of a paragraph in which sentences are looked for
ENDS = {"source": "holder", "target": "target"}
GRAPHML = "http://graphml.graphdrawing.org/xmlns"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence that shows a stance, and where it stands."""

    sentence: str
    side: int
    chance: float  # of the side, as answered
    row: str


@dataclass(frozen=True, slots=True)
class Pairs:
    """Holders and the actors they judge; the group of a share is its holder."""

    population: AnswersTable
    shares: Sequence[Share]  # most answers first
    on_themselves: int  # answers left out: what actors are said to think of themselves
    evidence: Mapping[tuple[str, str], Sequence[Evidence]]  # by holder and actor, surest first

    def note(self) -> str:
        """Return what is left out."""
        what = f"{count(self.on_themselves, 'answer')} left out, in which an actor judges itself"
        return what if self.on_themselves else ""

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
        row |= figures(share.counts, NET, ("net", "low", "high"))
        row["toward_target"] = toward
        if share.audited:
            names = ("corrected", "corrected_low", "corrected_high")
            row |= figures(share.corrected, NET, names) | {"labels": share.labels}
        listed = self.evidence.get((share.group, share.actor), ())
        surest = {sentence.side: sentence.sentence for sentence in reversed(listed)}
        return row | {f"evidence_{ANSWERS[side]}": surest.get(side, "") for side in SIDES}


def find_pairs(population: AnswersTable, audit: Audit | None = None) -> Pairs:
    """Return what each holder's stances toward each other actor are, most answers first."""
    names, holder = population.holders, population.holder
    if not any(names):
        raise DataError(
            f"{population.table}: no column 'holder' says whose stance it is; judge its texts "
            "with a model that does, such as the default model"
        )
    numbers = {name: number for number, name in enumerate(population.actors)}
    themselves = np.array([numbers.get(name, -1) for name in names])[holder] == population.actor
    unknown = np.array([not name for name in names])[holder]
    group = np.where(unknown | themselves, -1, holder)
    study = Study(replace(population, group=group, groups=names, periods=None), audit)
    by_holder = (part for part in study.parts() if part[0][1] and part[0][0] != TOTAL)
    shares = [share for part in by_holder if (share := study.share(*part)).counts.n]
    shares.sort(key=lambda share: (-share.counts.n, share.group, share.actor))
    return Pairs(population, shares, int(themselves.sum()), {})


def read_evidence(pairs: Pairs, book: ActorBook | None = None) -> Pairs:
    """Return pairs with sentences that name the actor, of the surest answers on either side."""
    population, places = pairs.population, pairs.population.places
    if places.text is None:
        return pairs
    numbers = np.full((len(population.holders), len(population.actors)), -1)
    for number, share in enumerate(pairs.shares):
        place = population.holders.index(share.group), population.actors.index(share.actor)
        numbers[place] = number
    surest = surest_answers(population, numbers[population.holder, population.actor])
    cells = read_cells(population, chain(*surest.values()))
    texts = [(places.actor_of(c), c[places.text][:LONGEST_READ]) for c in cells.values()]
    sentences = dict(zip(cells, name_sentences(texts, book or ActorBook.default()), strict=True))
    evidence = defaultdict[tuple[str, str], list[Evidence]](list)
    for (number, side), answers in surest.items():
        share = pairs.shares[number]
        evidence[share.group, share.actor] += (
            Evidence(
                sentences[n],
                side,
                float(cells[n][places.probabilities[side]]),
                cells[n][places.row],
            )
            for n in answers
        )
    for listed in evidence.values():
        listed.sort(key=lambda sentence: -sentence.chance)
    return replace(pairs, evidence=evidence)


def name_sentences(texts: Sequence[tuple[str, str]], book: ActorBook) -> Iterator[str]:
    """Yield of each actor and text the first sentence that names the actor, or the beginning."""
    for low, tokens, mentions in book.scan([text for _, text in texts]):
        for para, text in enumerate(tokens.texts):
            actor = book.number(texts[low + para][0])
            named = mentions.first[(mentions.para == para) & (mentions.actor == actor)]
            first, last = tokens.first[para], tokens.first[para + 1]
            start, end = 0, len(text)
            if len(named):
                within = np.flatnonzero(tokens.sentence[first:last] == tokens.sentence[named[0]])
                start = int(tokens.start[first + within[0]])
                after = first + int(within[-1]) + 1
                end = int(tokens.start[after]) if after < last else end
            yield shown(" ".join(text[start:end].split()), LONGEST)


def write_pairs(
    path: Path, rows: Sequence[Mapping[str, Any]], together: AtomicGroup, **how: Any
) -> str:
    """Write pairs as a table, or where the name ends in .graphml as a graph; return a note."""
    if path.suffix.lower() != ".graphml":
        return write_numbers(path, rows, together, **how)
    together.write(path, _graph(rows), force=how["force"])
    return f"wrote {path}: {len(rows):,} edges"


def _graph(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return a directed graph from holders to targets."""
    root = Xml.Element("graphml", xmlns=GRAPHML)
    keys = [key for key in rows[0] if key not in ("holder", "target")] if rows else []
    for key in keys:
        kinds = {type(row[key]) for row in rows} - {type(None)}
        kind = "string" if str in kinds else "double" if float in kinds else "int"
        Xml.SubElement(root, "key", {"id": key, "for": "edge", "attr.name": key, "attr.type": kind})
    graph = Xml.SubElement(root, "graph", edgedefault="directed")
    for name in sorted({row[end] for row in rows for end in ("holder", "target")}):
        Xml.SubElement(graph, "node", id=shown(name, LONGEST))
    for row in rows:
        ends = {name: shown(row[end], LONGEST) for name, end in ENDS.items()}
        edge = Xml.SubElement(graph, "edge", ends)
        for key in keys:
            if row[key] is not None:
                value = f"{row[key]:.6f}" if isinstance(row[key], float) else str(row[key])
                Xml.SubElement(edge, "data", key=key).text = value
    Xml.indent(root)
    text: bytes = Xml.tostring(root, "utf-8", xml_declaration=True)
    return text + b"\n"
