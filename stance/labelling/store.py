"""A table to label, and the SQLite file beside it: each label reaches the disk at once."""

import sqlite3
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import astuple, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Unpack

from stance.display import count, shown
from stance.errors import DataError, OutputError
from stance.labelling import Label, Labels, problem
from stance.reading.actors import ActorBook
from stance.reading.spans import literal_places, parse_spans
from stance.reading.text import normalise, raw_spans
from stance.tables import Form, Record, column, open_table, optional_column

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
        return sorted(self.pairs, key=lambda p: sha256(f"0\n{coder}\n{p.key}".encode()).digest())


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


# --- The file ---

VERSION = 2
_APPLICATION = 0x5374616E  # "Stan", at byte 68 of the file
_PATIENCE = 10.0  # seconds to wait for another process that writes
_DAMAGED = "is damaged, or not a store of labels; restore a copy, or move it away"

_COLUMNS = {"id": str, "at": int, "coder": str, "pair": str, "row": int, "actor": str}
_COLUMNS |= {"stance": str, "holder": str, "sentiment": str, "false_match": int, "note": str}
_COLUMNS |= {"unsure": int}
"""Labels are only ever added: the last of a coder on a pair counts. Times are microseconds of the
epoch."""

_KINDS = {str: "TEXT", int: "INTEGER"}
_SCHEMA = ", ".join(f"{name} {_KINDS[kind]} NOT NULL" for name, kind in _COLUMNS.items())
_NAMES, _MARKS = ", ".join(_COLUMNS), ", ".join("?" * len(_COLUMNS))
_INSERT = f"INSERT OR IGNORE INTO labels ({_NAMES}) VALUES ({_MARKS})"  # noqa: S608 (ours)


class Store(AbstractContextManager["Store"]):
    """A file of labels; any number of processes may have it open.

    Raises `DataError` if the file is not a store, is damaged or of another version, and
    `OutputError` if it cannot be written.
    """

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self.path = path
        if not create and not path.exists():
            raise DataError(f"{path}: does not exist; label first, with --coder NAME alone")
        if path.is_dir():  # where SQLite says nothing but that it cannot open it
            raise DataError(f"{path}: is a folder; move it away")
        with _translated(path):
            # Autocommit: the statements below say where a transaction begins.
            self._base = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
        try:
            with _translated(path):
                self._open()
        except BaseException:
            self._base.close()
            raise

    def _open(self) -> None:
        kind, version = self._number("PRAGMA application_id"), self._number("PRAGMA user_version")
        used = kind or version or self._number("SELECT count(*) FROM sqlite_master")
        if used and (kind, version) != (_APPLICATION, VERSION):
            what = f"is not a store of labels of version {VERSION}"
            raise DataError(f"{self.path}: {what}; move it away")
        if self._base.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise DataError(f"{self.path}: {_DAMAGED}")
        # Without a log beside it, the file alone is complete, so that it can be copied or mailed.
        self._base.execute("PRAGMA journal_mode = DELETE")
        self._base.execute("PRAGMA synchronous = FULL")
        if not used:
            self._base.executescript(
                f"BEGIN IMMEDIATE; CREATE TABLE IF NOT EXISTS labels ({_SCHEMA}, PRIMARY KEY (id));"
                f"PRAGMA application_id = {_APPLICATION}; PRAGMA user_version = {VERSION}; COMMIT"
            )

    def _number(self, query: str) -> int:
        return int(self._base.execute(query).fetchone()[0])

    def __exit__(self, *_: object) -> None:
        self._base.close()

    def check_rows(self, task: Task) -> None:
        """Raise if the row of a label is not in a table."""
        rows = {pair.key for pair in task.pairs}
        lost = {pair: (row, actor) for _, _, _, pair, row, actor, *_ in self._records()}
        if lost := {pair: place for pair, place in lost.items() if pair not in rows}:
            row, actor = min(lost.values())
            rows_of = f"{count(len(lost), 'labelled row')} changed or gone"
            raise DataError(
                f"{task.path}: is not the table that was labelled: {rows_of}, the first row {row} "
                f"({shown(actor)}); restore it, or move {self.path.name} away"
            )

    def save(self, coder: str, pair: Pair, label: Label) -> None:
        """Write a label; it is on the disk when this returns."""
        cells = (int(cell) if isinstance(cell, bool) else cell for cell in astuple(label))
        with _translated(self.path):
            last = self._number("SELECT coalesce(max(at), 0) FROM labels")
            moment = max(time.time_ns() // 1000, last + 1)  # a clock may be set back
            place = coder, pair.key, pair.row, pair.actor
            self._base.execute(_INSERT, (uuid.uuid4().hex, moment, *place, *cells))

    def _records(self) -> list[tuple[Any, ...]]:
        """Return all labels, the oldest first; raise if one is not allowed."""
        with _translated(self.path):
            query = f"SELECT {_NAMES} FROM labels ORDER BY at, id"  # noqa: S608 (ours)
            records: list[tuple[Any, ...]] = self._base.execute(query).fetchall()
        for record in records:
            odd = [*map(type, record)] != [*_COLUMNS.values()]
            if fault := "a cell has the wrong type" if odd else problem(Label(*record[6:])):
                where = f"the label of {shown(str(record[2]))} on row {shown(str(record[4]))}"
                raise DataError(f"{self.path}: {where} is not valid: {fault}; restore the file")
        return records

    def labels(self) -> Labels:
        """Return the last label of each coder on each pair, in this order."""
        labels = defaultdict[str, dict[str, Label]](dict)
        for _, _, coder, pair, _, _, stance, holder, tone, false, note, unsure in self._records():
            labels[coder].pop(pair, None)
            label = Label(stance, holder, tone, bool(false), note, bool(unsure))
            labels[coder][pair] = label
        return dict(labels)

    def merge(self, path: Path, task: Task) -> str:
        """Add another store's labels on rows of the table; return what to say of it."""
        with Store(path, create=False) as other:
            records = other._records()
        rows, before = {pair.key for pair in task.pairs}, self._base.total_changes
        mine = [record for record in records if record[3] in rows]
        with _translated(self.path):
            self._base.execute("BEGIN IMMEDIATE")
            self._base.executemany(_INSERT, mine)
            self._base.execute("COMMIT")
        new = self._base.total_changes - before
        note = f"{path}: {count(len(mine), 'label')} read, {new:,} of them new"
        if strange := len(records) - len(mine):
            note += f"; {count(strange, 'label')} on rows that the table lacks left out"
        return note


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Raise what SQLite reports as an error that a user can mend."""
    try:
        yield
    except sqlite3.OperationalError as error:
        advice = "close other programs, or restore a copy"
        raise OutputError(f"{path}: {shown(str(error))}; {advice}") from error
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise DataError(f"{path}: {_DAMAGED}") from error
