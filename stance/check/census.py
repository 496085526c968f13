"""What stands in a corpus or a table: its texts, words and actors, and where to find them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Unpack

import numpy as np

from stance.arrays import Ints
from stance.corpus import Corpus, CorpusForm, read_corpus, table_form
from stance.display import shown
from stance.reading.actors import ActorBook
from stance.reading.text import words_of
from stance.records import Stance
from stance.tables import (
    Form,
    Inputs,
    Reading,
    column,
    find_dates,
    open_inputs,
    open_table,
    optional_column,
    read_as,
)

LABELS = tuple(str(label) for label in Stance)

Severity = Literal["spoils", "warn", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth knowing about a corpus."""

    severity: Severity
    check: str  # what was looked for, such as "duplicates"
    text: str  # one line: what, where, what to do
    figures: Mapping[str, Any] = field(default_factory=dict)  # the counts behind it, for JSON

    @classmethod
    def at(
        cls, severity: Severity, check: str, text: str, examples: list[str], **figures: Any
    ) -> "Finding":
        """Return a finding whose text ends in some examples of where it is."""
        listed = f"{text} ({', '.join(examples)})"
        plain = {k: round(v, 6) if isinstance(v, float) else v for k, v in figures.items()}
        return cls(severity, check, listed, plain | {"examples": examples})

    def to_json(self) -> dict[str, Any]:
        """Return the finding as a JSON object."""
        words = {"severity": self.severity, "check": self.check, "text": self.text}
        return words | {"figures": dict(self.figures)}


@dataclass(frozen=True, slots=True)
class Study:
    """A labelled corpus laid out for checking; arrays have one entry per row."""

    corpus: Corpus
    book: ActorBook
    paths: tuple[Path, ...]
    files: tuple[str, ...]  # what messages call them
    columns: Mapping[str, Sequence[str]]  # those asked for and "document"; "" where a file has none
    row: Ints  # 1-based number of the record in its file
    line: Ints  # where the record starts
    text: Ints  # texts that differ in case, spacing and punctuation alone share a number
    first: Ints  # row of each text
    words: tuple[list[str], ...]  # of each text, in lower case
    actor: Ints  # index into `actors`
    actors: tuple[str, ...]  # names in the book, or as written if the book does not know them

    def place(self, row: int) -> str:
        """Return ``file:row`` for a message."""
        return f"{shown(self.files[self.corpus.source[row]], 40)}:{self.row[row]}"

    def pair(self, one: int, other: int) -> str:
        """Return the places of two rows for a message."""
        return f"{self.place(one)} = {self.place(other)}"

    def documents(self, rows: Ints) -> int:
        """Return how many documents some rows come from."""
        return len(np.unique(self.corpus.document[rows]))


def read_study(
    paths: Sequence[Path], book: ActorBook, names: Sequence[str] = (), **form: Unpack[CorpusForm]
) -> Study:
    """Read corpus files, with the columns of these names beside those that every corpus has.

    The form is as in `stance.corpus.read_corpus`.
    """
    corpus = read_corpus(paths, **form)
    document = (form.get("columns") or {}).get("document", "document")
    columns, places, lines = _read_columns(paths, names, document, table_form(form))
    own = zip(corpus.source.tolist(), corpus.number.tolist(), strict=True)
    kept = [places[place] for place in own]  # not all: several coders' rows may be one
    columns = {name: [cells[at] for at in kept] for name, cells in columns.items()}
    alike = len({path.name for path in paths}) < len(paths)
    _, first, text = np.unique(corpus.marks.exact, return_index=True, return_inverse=True)
    named = np.array([book.proper_name(name) for name in corpus.actors], object)
    actors, actor = np.unique(named, return_inverse=True)
    return Study(
        corpus=corpus,
        book=book,
        paths=tuple(paths),
        files=tuple(str(path) if alike else path.name for path in paths),
        columns=columns,
        row=corpus.number,
        line=np.array([lines[at] for at in kept], np.int64),
        text=text.reshape(-1).astype(np.int64),
        first=first.astype(np.int64),
        words=tuple(words_of(corpus.texts[row]) for row in first),
        actor=actor.reshape(-1).astype(np.int64),
        actors=tuple(actors.tolist()),
    )


def _read_columns(
    paths: Sequence[Path], names: Sequence[str], document: str, form: Form
) -> tuple[dict[str, list[str]], dict[tuple[int, int], int], list[int]]:
    """Return the cells of some columns, where each file's records stand in them, and lines."""
    wanted = {**{name: name for name in names}, "document": document}
    columns: dict[str, list[str]] = {name: [] for name in wanted}
    heads, rows, lines = [], dict[tuple[int, int], int](), list[int]()
    for file, path in enumerate(paths):
        with open_table(path, **form) as table:
            heads.append(table.columns)
            places = {
                name: optional_column(table.columns, own, table.name)
                for name, own in wanted.items()
            }
            for block in table.blocks():
                rows |= {(file, n): at for at, n in enumerate(block.numbers, len(lines))}
                lines += block.lines
                for name, at in places.items():
                    columns[name] += [""] * len(block) if at is None else block.columns[at]
    for name in names:
        if all(optional_column(head, name, "") is None for head in heads):
            column(heads[0], name, str(paths[0]))  # raises, and suggests a name like it
    return columns, rows, lines


@dataclass(frozen=True, slots=True)
class Census:
    """Counts of mentions in a table."""

    rows: int
    named: int  # rows that name an actor
    aliases: Counter[tuple[str, str]]  # mentions by actor and surface
    rows_by_actor: Counter[str]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the counts as a JSON object."""
        found: dict[str, dict[str, int]] = {}
        for (actor, alias), number in self.aliases.most_common():
            found.setdefault(actor, {})[alias] = number
        actors = {
            actor: {"rows": number, "aliases": found[actor]}
            for actor, number in self.rows_by_actor.most_common()
        }
        return {"rows": self.rows, "rows_with_actor": self.named, "actors": actors}


def census(book: ActorBook, inputs: Inputs, reading: Reading) -> Census:
    """Count the aliases that the paragraphs of some inputs use.

    Where they have a column of dates, leaders count only while in office.
    """
    aliases: Counter[tuple[str, str]] = Counter()
    by_actor: Counter[str] = Counter()
    rows = named = 0
    with open_inputs(inputs, reading) as table:
        at = column(table.columns, reading.text_column, table.name, "--text-column")
        dates = find_dates(table, reading) if book.has_terms else None
        blocks = dates.blocks(table.blocks()) if dates else table.blocks()
        for block in blocks:
            months = dates.months(block) if dates else None
            for _, batch, found in book.scan(block.columns[at], months):
                starts, ends = batch.start[found.first], batch.end[found.last]
                for actor, start, end in zip(found.actor, starts, ends, strict=True):
                    aliases[book.names[actor], batch.text[start:end]] += 1
                pairs = np.unique(np.stack([found.para, found.actor]), axis=1)
                by_actor.update(book.names[actor] for actor in pairs[1])
                rows += len(batch)
                named += len(np.unique(found.para))
        wanted = [reading.text_column, *([reading.date_column or "date"] if dates else [])]
        notes = [*inputs.notes, *table.notes, *read_as(table.columns, wanted, table.name)]
        notes += dates.notes() if dates else ()
        return Census(rows, named, aliases, by_actor, tuple(notes))
