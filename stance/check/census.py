"""What stands in a corpus or a table: its texts, words and actors, and where to find them."""

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Literal, Unpack

import numpy as np
from numpy.typing import NDArray

from stance.arrays import Ints, Ints8, Ints32, Keys
from stance.check._spool import Numbers, Strings
from stance.codings import Codings, Settled, settle
from stance.corpus import CorpusForm, LabelledRows, Row, group_documents, table_form
from stance.display import shown
from stance.features.pairs import run_starts
from stance.reading.actors import ActorBook
from stance.reading.keys import BANDS, fingerprint, key_of, numbered
from stance.reading.text import words_of
from stance.records import Stance
from stance.spellings import holder_kind
from stance.tables import (
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
class Names:
    """A column of few different cells: their numbers by row."""

    number: Ints32
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Study:
    """A labelled corpus laid out for checking; arrays have one entry per row.

    What is long, or of use for messages alone, stands in temporary files.
    """

    book: ActorBook
    paths: tuple[Path, ...]
    files: tuple[str, ...]  # what messages call them
    notes: tuple[str, ...]  # on how they were read
    columns: Mapping[str, Names]  # those asked for, genre and source; "" where a file has none
    source: Ints32  # index into `files`
    stance: Ints8
    sentiment: Ints8  # `stance.spellings.MISSING` where a row has none
    holder: Ints8  # see `stance.spellings.holder_kind`
    false_match: Ints8
    document: Ints32
    text: Ints32  # texts that differ in case, spacing and punctuation alone share a number
    first: Ints32  # row of each text
    actor: Ints32  # index into `actors`
    actors: tuple[str, ...]  # names in the book, or as written if the book does not know them
    codings: Codings | None
    coded_apart: int  # pairs that coders judged in different files, which are not compared
    named: Names  # the actors as written
    record: Ints32 | None  # place of each row in what follows, None for the same
    row: Numbers  # 1-based number of the record in its file
    line: Numbers  # where the record starts
    texts: Strings
    documents: Strings  # their names
    keys: Mapping[str, Numbers]  # of names of documents, spans, and bands of texts

    def __len__(self) -> int:
        return len(self.source)

    def at(self, row: int) -> int:
        """Return the place of a row in what stands in files."""
        return row if self.record is None else int(self.record[row])

    def place(self, row: int) -> str:
        """Return ``file:row`` for a message."""
        return f"{shown(self.files[self.source[row]], 40)}:{self.row[self.at(row)]}"

    def pair(self, one: int, other: int) -> str:
        """Return the places of two rows for a message."""
        return f"{self.place(one)} = {self.place(other)}"

    def count_documents(self, rows: Ints) -> int:
        """Return how many documents some rows come from."""
        return len(np.unique(self.document[rows]))

    def written(self, row: int) -> str:
        """Return the text of a row as written."""
        return self.texts[self.at(row)]

    def words(self, text: int) -> list[str]:
        """Return the words of a text in lower case."""
        return words_of(self.written(self.first[text]))

    def key(self, name: str) -> Keys:
        """Return the key of each row's document name or spans."""
        found: Keys = self.keys[name].read()
        return found if self.record is None else found[self.record]

    def bands(self) -> Iterator[Keys]:
        """Yield the bands of the fingerprints of each text."""
        yield from (self.key(name)[self.first] for name in _BANDS)


_BANDS = tuple(f"band {number}" for number in range(BANDS))
_AT_ONCE = 1000  # rows


class _Collected:
    """What is read of the rows of a corpus, in arrays and temporary files."""

    def __init__(self, stack: ExitStack, names: Sequence[str]) -> None:
        self.texts, self.documents = (stack.enter_context(Strings()) for _ in range(2))
        self.keys = {
            name: stack.enter_context(Numbers(np.uint64))
            for name in ("exact", "document", "spans", "pair", *_BANDS)
        }
        self.soft = stack.enter_context(Numbers(np.float64))
        self.row, self.line = (stack.enter_context(Numbers(np.int32)) for _ in range(2))
        self.source = array("i")
        self.small = {n: array("b") for n in ("stance", "sentiment", "holder", "false_match")}
        self.codes = {name: array("i") for name in ("actor", "coder", *names)}
        self.cells: dict[str, dict[str, int]] = {name: {} for name in self.codes}

    def add(self, rows: Sequence[Row], source: int) -> None:
        marks = fingerprint([row.text for row in rows])
        for name, values in zip(_BANDS, marks.bands.T, strict=True):
            self.keys[name].add(values)
        spans = [key_of(repr(row.spans)) if row.spans else 0 for row in rows]
        self.keys["exact"].add(marks.exact)
        self.keys["spans"].add(np.array(spans, np.uint64))
        self.keys["document"].add(np.array([key_of(row.document) for row in rows], np.uint64))
        pairs = [key_of(f"{row.actor}\0{row.text}") if row.coder else 0 for row in rows]
        self.keys["pair"].add(np.array(pairs, np.uint64))
        self.soft.add([row.soft or NO_SOFT for row in rows])
        self.row.add([row.number for row in rows])
        self.line.add([row.line for row in rows])
        self.source.extend([source] * len(rows))
        for row in rows:
            self.texts.add(row.text)
            self.documents.add(row.document)
            for name, kept in self.small.items():
                kept.append(holder_kind(row.holder) if name == "holder" else getattr(row, name))
            cells = (row.actor, row.coder, *row.extra)
            for (name, kept), cell in zip(self.codes.items(), cells, strict=True):
                known = self.cells[name]
                kept.append(known.setdefault(cell, len(known)))

    def column(self, name: str, kept: Ints32 | slice) -> Names:
        names = tuple(self.cells[name])
        numbers: Ints32 = np.frombuffer(self.codes[name], np.int32)[kept]
        if len(names) == 1:  # as in a column that no file has: no memory for each row
            numbers = np.broadcast_to(np.int32(0), len(numbers))
        return Names(numbers, names)

    def settle(self) -> Settled | None:
        """Return the rows as one per pair where several coders' are on one."""
        if not any(self.cells["coder"]):
            return None
        source, stance = self.source.tolist(), self.small["stance"].tolist()
        keys = (self.keys[name].read().tolist() for name in ("pair", "spans"))
        coders = tuple(self.cells["coder"])
        soft = [own if any(own) else None for own in self.soft.read().reshape(-1, 3).tolist()]
        named = [coders[number] for number in self.codes["coder"]]
        return settle(list(zip(source, *keys, strict=True)), named, stance, soft)

    def coded_apart(self) -> int:
        """Return how many pairs have more coders in all files than in any one of them."""
        if len(self.cells["coder"]) < 2:
            return 0
        pair = self.keys["pair"].read()
        judged = np.flatnonzero(pair)
        coder, source = (
            np.frombuffer(numbers, np.int32)[judged].astype(np.uint64)
            for numbers in (self.codes["coder"], self.source)
        )
        once = np.unique(np.stack([pair[judged], source, coder]), axis=1)
        inside, coders = np.unique(once[:2], axis=1, return_counts=True)
        starts = run_starts(inside[0])
        everywhere = np.unique(np.unique(once[[0, 2]], axis=1)[0], return_counts=True)[1]
        return int(np.sum(everywhere > np.maximum.reduceat(coders, starts)))


NO_SOFT = [0.0] * len(Stance)


@contextmanager
def read_study(
    paths: Sequence[Path], book: ActorBook, names: Sequence[str] = (), **form: Unpack[CorpusForm]
) -> Iterator[Study]:
    """Read corpus files, with the columns of these names beside those that every corpus has.

    The form is as in `stance.corpus.read_corpus`. The study can be used until the block ends.
    """
    with ExitStack() as stack:
        asked = tuple(dict.fromkeys((*names, "genre", "source")))
        found = _Collected(stack, asked)
        heads, notes = [], list[str]()
        for source, path in enumerate(paths):
            with open_table(path, **table_form(form)) as table:
                heads.append(table.columns)
                rows = LabelledRows(
                    table, form.get("labels"), form.get("columns"), form.get("date_format"), asked
                )
                each = iter(rows)
                while block := list(islice(each, _AT_ONCE)):
                    found.add(block, source)
            notes += rows.notes
        for name in names:
            if all(optional_column(head, name, "") is None for head in heads):
                column(heads[0], name, str(paths[0]))  # raises, and suggests a name like it
        study = _lay_out(found, paths, book, notes, asked)
        del found, rows, each
        yield study


def _lay_out(
    found: _Collected,
    paths: Sequence[Path],
    book: ActorBook,
    notes: list[str],
    asked: Sequence[str],
) -> Study:
    small: dict[str, Any] = {n: np.frombuffer(own, np.int8) for n, own in found.small.items()}
    record: Ints32 | None = None
    kept: Ints32 | slice = slice(None)  # which copies nothing
    settled, apart = found.settle(), found.coded_apart()
    if settled and settled.codings:
        kept = record = np.array(settled.kept, np.int32)
        notes.append(settled.note)
        small = {name: values[kept] for name, values in small.items()}
        small["stance"] = np.array(settled.stance, np.int8)
    source: Ints32 = np.frombuffer(found.source, np.int32)[kept]
    exact = found.keys["exact"].read()[kept]
    bands = (found.keys[name].read()[kept] for name in _BANDS)
    document = group_documents(found.keys["document"].read()[kept], source, exact, bands)
    text, first = numbered(exact)
    del exact
    named = found.column("actor", kept)
    proper = np.array([book.proper_name(name) for name in named.names], object)
    met = np.unique(named.number)  # of the rows that are kept
    actors = np.unique(proper[met])
    alike = len({path.name for path in paths}) < len(paths)
    return Study(
        book=book,
        paths=tuple(paths),
        files=tuple(str(path) if alike else path.name for path in paths),
        notes=tuple(dict.fromkeys(notes)),
        columns={name: found.column(name, kept) for name in asked},
        source=source,
        document=document.astype(np.int32),
        text=text,
        first=first,
        actor=np.searchsorted(actors, proper).astype(np.int32)[named.number],
        actors=tuple(actors.tolist()),
        codings=settled.codings if settled else None,
        coded_apart=apart,
        named=named,
        record=record,
        row=found.row,
        line=found.line,
        texts=found.texts,
        documents=found.documents,
        keys=found.keys,
        **small,
    )


def grouped(*keys: NDArray[Any]) -> tuple[Ints32, Ints32, Ints32]:
    """Return the rows with equal keys side by side, where each group starts, and its size.

    Rows of a group keep their order.
    """
    order = np.lexsort(keys).astype(np.int32)
    differs = np.zeros(max(len(order) - 1, 0), np.bool_)
    for key in keys:
        own = key[order]
        differs |= own[1:] != own[:-1]
    starts = np.flatnonzero(np.append(True, differs)[: len(order)]).astype(np.int32)
    return order, starts, np.diff(starts, append=np.int32(len(order)))


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
