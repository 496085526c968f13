"""A table to label: its pairs, where each names its actor, and the paragraphs around it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Unpack

from stance.display import count
from stance.errors import DataError
from stance.reading.actors import ActorBook
from stance.reading.spans import literal_places, parse_spans
from stance.reading.text import normalise, raw_spans
from stance.tables import (
    Form,
    Record,
    column,
    months_of,
    open_table,
    optional_column,
    read_as,
)

AROUND = 3  # paragraphs shown before, and after the one that is judged
_IDENTITY = ("file", "row", "id", "document", "spans")
"""Columns that tell pairs of the same text and actor apart."""

Place = tuple[str, str]  # file and document


@dataclass(frozen=True, slots=True)
class Pair:
    """A paragraph and an actor to judge."""

    key: str  # names it in every store; made of its cells, not of its place in the table
    row: int  # record number in the table, from 1
    cells: tuple[str, ...]
    text: str
    actor: str
    place: Place = ("", "")
    date: str = ""
    spans: Sequence[tuple[int, int]] | None = None  # character offsets of the actor, if given


@dataclass(frozen=True, slots=True)
class Task:
    """A table to label."""

    path: Path
    columns: tuple[str, ...]
    pairs: tuple[Pair, ...]
    notes: tuple[str, ...]  # on how it was read
    documents: dict[Place, list[str]] = field(repr=False, default_factory=dict)  # paragraphs

    @property
    def actors(self) -> dict[str, None]:
        """Names of the actors to judge, in their order."""
        return dict.fromkeys(pair.actor for pair in self.pairs)

    def shuffled(self, coder: str) -> list[Pair]:
        """Return the pairs in a coder's own order, which rows added later leave as it is."""

        def rank(pair: Pair) -> bytes:
            return sha256(f"0\n{coder}\n{pair.key}".encode()).digest()

        return sorted(self.pairs, key=rank)

    def around(self, pair: Pair) -> tuple[list[str], list[str]]:
        """Return the paragraphs before and after one in its document, as far as they are known."""
        texts = self.documents.get(pair.place, [])
        if pair.text not in texts:
            return [], []
        place = texts.index(pair.text)
        return texts[max(0, place - AROUND) : place], texts[place + 1 : place + 1 + AROUND]


def read_task(
    path: Path,
    *,
    text_column: str = "text",
    context: Path | None = None,
    **form: Unpack[Form],
) -> Task:
    """Read a table with a text and an actor in each row; raise `DataError` if it has none.

    ``context`` is a table with more paragraphs of its documents, such as the one it was drawn from.
    """
    with open_table(path, **form) as table:
        hint = "; stance predict finds actors, and stance sample draws a table to label"
        places: dict[str, int | None] = {
            "text": column(table.columns, text_column, table.name, "--text-column"),
            "actor": column(table.columns, "actor", table.name, hint=hint),
        }
        others = ("date", *_IDENTITY)
        places |= {name: optional_column(table.columns, name, table.name) for name in others}
        pairs, met, left_out = list[Pair](), Counter[str](), 0
        for record in table:
            cells = {n: "" if p is None else record.cells[p] for n, p in places.items()}
            if cells["text"].strip() and cells["actor"].strip():
                pairs.append(_pair(record, cells, met, f"{table.name}:{record.line}"))
            else:
                left_out += 1
        notes = [*table.notes, *read_as(table.columns, ("actor", *others), table.name)]
    if not pairs:
        raise DataError(f"{path}: no row with a text and an actor; nothing to label")
    if left_out:
        notes.append(f"{path}: {count(left_out, 'row')} without text or actor left out")
    documents = _documents((pair.place, pair.text) for pair in pairs)
    if context:
        around = _documents(_paragraphs(context, form.get("encoding"), text_column))
        known = {place: around.get(place) or around.get(("", place[1])) for place in documents}
        documents |= {place: texts for place, texts in known.items() if texts}
        if not any(known.values()):
            notes.append(f"{context}: has no document of {path}; it shows no neighbours")
    return Task(path, table.columns, tuple(pairs), tuple(notes), documents)


def _pair(record: Record, cells: Mapping[str, str], met: Counter[str], where: str) -> Pair:
    parts = "\x1f".join(cells[name] for name in ("text", "actor", *_IDENTITY))
    key = sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    met[key] += 1
    return Pair(
        key=key if met[key] == 1 else f"{key}-{met[key]}",
        row=record.number,
        cells=record.cells,
        text=cells["text"],
        actor=cells["actor"].strip(),
        place=(cells["file"], cells["document"]),
        date=cells["date"],
        spans=parse_spans(cells["spans"], cells["text"], where),
    )


def _paragraphs(path: Path, encoding: str | None, text_column: str) -> Iterator[tuple[Place, str]]:
    with open_table(path, encoding=encoding) as table:
        text = column(table.columns, text_column, table.name, "--text-column")
        document = column(table.columns, "document", table.name)
        file = optional_column(table.columns, "file", table.name)
        for record in table:
            name = "" if file is None else record.cells[file]
            yield (name, record.cells[document]), record.cells[text]


def _documents(paragraphs: Iterable[tuple[Place, str]]) -> dict[Place, list[str]]:
    """Return the paragraphs of documents, each once: a table has a row for each of its actors."""
    documents = defaultdict[Place, dict[str, None]](dict)
    for place, text in paragraphs:
        if place[1]:
            documents[place][text] = None
    return {place: list(texts) for place, texts in documents.items()}


def mentions(pair: Pair, book: ActorBook) -> list[tuple[int, int]]:
    """Return where a pair's text names its actor: by its spans, the book or by name and surname."""
    if pair.spans:
        return sorted(pair.spans)
    name, text = book.proper_name(pair.actor), normalise(pair.text)
    spans = [(m.start, m.end) for m in book.find(text, _month(pair)) if m.actor == name]
    if not spans and book.number(pair.actor) < 0:
        spans = literal_places(book, text, pair.actor)
    return raw_spans(pair.text, spans)


def named_actors(pair: Pair, book: ActorBook) -> list[str]:
    """Return the actors that a pair's text names, in order of first mention."""
    return list(dict.fromkeys(mention.actor for mention in book.find(pair.text, _month(pair))))


def _month(pair: Pair) -> int:
    return int(months_of([pair.date])[0])
