"""A table to label: its pairs, and where each names its actor."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    open_table,
    optional_column,
)

_IDENTITY = ("file", "row", "id", "document", "spans")
"""Columns that tell pairs of the same text and actor apart."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A paragraph and an actor to judge."""

    key: str  # names it in every store; made of its cells, not of its place in the table
    row: int  # record number in the table, from 1
    cells: tuple[str, ...]
    text: str
    actor: str
    spans: Sequence[tuple[int, int]] | None = None  # character offsets of the actor, if given


@dataclass(frozen=True, slots=True)
class Task:
    """A table to label."""

    path: Path
    columns: tuple[str, ...]
    pairs: tuple[Pair, ...]
    notes: tuple[str, ...]  # on how it was read

    def shuffled(self, coder: str) -> list[Pair]:
        """Return the pairs in a coder's own order, which rows added later leave as it is."""

        def rank(pair: Pair) -> bytes:
            return sha256(f"0\n{coder}\n{pair.key}".encode()).digest()

        return sorted(self.pairs, key=rank)


def read_task(path: Path, *, text_column: str = "text", **form: Unpack[Form]) -> Task:
    """Read a table with a text and an actor in each row; raise `DataError` if it has none."""
    with open_table(path, **form) as table:
        hint = "; stance predict finds actors, and stance sample draws a table to label"
        places: dict[str, int | None] = {
            "text": column(table, text_column, "--text-column"),
            "actor": column(table, "actor", hint=hint),
        }
        places |= {name: optional_column(table, name) for name in _IDENTITY}
        pairs, met, left_out = list[Pair](), Counter[str](), 0
        for record in table:
            cells = {n: "" if p is None else record.cells[p] for n, p in places.items()}
            if cells["text"].strip() and cells["actor"].strip():
                pairs.append(_pair(record, cells, met, f"{table.name}:{record.line}"))
            else:
                left_out += 1
        notes = list(table.notes)
    if not pairs:
        raise DataError(f"{path}: no row with a text and an actor; nothing to label")
    if left_out:
        notes.append(f"{path}: {count(left_out, 'row')} without text or actor left out")
    return Task(path, table.columns, tuple(pairs), tuple(notes))


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
        spans=parse_spans(cells["spans"], cells["text"], where),
    )


def mentions(pair: Pair, book: ActorBook) -> list[tuple[int, int]]:
    """Return where a pair's text names its actor: by its spans, the book or by name and surname."""
    if pair.spans:
        return sorted(pair.spans)
    name, text = book.proper_name(pair.actor), normalise(pair.text)
    spans = [(m.start, m.end) for m in book.find(text) if m.actor == name]
    if not spans and book.number(pair.actor) < 0:
        spans = literal_places(book, text, pair.actor)
    return raw_spans(pair.text, spans)


def named_actors(pair: Pair, book: ActorBook) -> list[str]:
    """Return the actors that a pair's text names, in order of first mention."""
    return list(dict.fromkeys(mention.actor for mention in book.find(pair.text)))
