"""A table to label, and the SQLite file beside it: each label reaches the disk at once."""

import re
import sqlite3
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import astuple, dataclass
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, Unpack

from stance.corpus.rows import HOLDERS, LONGEST_HOLDER
from stance.display import count, shown
from stance.errors import DataError, OutputError
from stance.reading.actors import ActorBook
from stance.reading.text import normalise, parse_spans, raw_spans
from stance.reading.words import literal_places
from stance.records import Form, Sentiment, Stance
from stance.tables import column, open_table, optional_column

# --- The table ---

_IDENTITY = ("file", "row", "id", "document", "spans")  # tell pairs of one text and actor apart


class Pair(NamedTuple):
    """A paragraph and an actor to judge."""

    key: str  # names it in every store; made of its cells, not of its place in the table
    row: int  # record number in the table, from 1
    cells: tuple[str, ...]
    text: str
    actor: str
    spans: Sequence[tuple[int, int]] | None = None  # character offsets of the actor, if given


class Task(NamedTuple):
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
        needed = column(table, text_column, "--text-column"), column(table, "actor", hint=hint)
        places = [*needed, *(optional_column(table, name) for name in _IDENTITY)]
        pairs, met, left_out = list[Pair](), Counter[str](), 0
        for record in table:
            cells = ["" if place is None else record.cells[place] for place in places]
            text, actor, *_, spans = cells
            if not text.strip() or not actor.strip():
                left_out += 1
                continue
            key = sha256("\x1f".join(cells).encode("utf-8", "surrogatepass")).hexdigest()[:32]
            met[key] += 1
            key = key if met[key] == 1 else f"{key}-{met[key]}"
            places_of = parse_spans(spans, text, f"{table.name}:{record.line}")
            pairs.append(Pair(key, record.number, record.cells, text, actor.strip(), places_of))
        notes = list(table.notes)
    if not pairs:
        raise DataError(f"{path}: no row with a text and an actor; nothing to label")
    if left_out:
        notes.append(f"{path}: {count(left_out, 'row')} without text or actor left out")
    return Task(path, table.columns, tuple(pairs), tuple(notes))


def mentions(pair: Pair, book: ActorBook) -> list[tuple[int, int]]:
    """Return where a pair's text names its actor: by its spans, the book or by name and surname."""
    if pair.spans:
        return sorted(pair.spans)
    number, text = book.number(pair.actor), normalise(pair.text)
    (spans,) = literal_places(book, [text], [pair.actor])
    if number >= 0:
        spans = [(m.start, m.end) for m in book.find(text) if m.actor == book.names[number]]
    return raw_spans(pair.text, spans)


# --- A label ---


@dataclass(frozen=True, slots=True)
class Label:
    """One coder's decision on one pair; what was not asked is empty."""

    stance: str = ""  # empty only if unsure
    holder: str = ""  # author, other or an actor's name
    sentiment: str = ""
    false_match: bool = False  # what looks like the actor's name means something else
    note: str = ""
    unsure: bool = False  # the coder wants to see it again, or leaves it to the adjudicator


Labels = dict[str, dict[str, Label]]
"""The labels that count, by coder and key of the pair, those given last at the end."""


def problem(label: Label, actors: Collection[str] = ()) -> str:
    """Return what the codebook forbids about a label, whose holder is one of ``actors``, if any."""
    holder, named = label.holder, not actors or label.holder in (*HOLDERS, *actors)
    if label.unsure:
        return ""
    if label.stance not in tuple(Stance):
        return f"stance '{shown(label.stance)}' is not one of {', '.join(Stance)}"
    if label.false_match and label.stance != Stance.NEUTRAL:
        return "a false match is neutral"
    if holder and label.stance == Stance.NEUTRAL:
        return "only a stance against or in favor has a holder"
    if holder and (len(holder) > LONGEST_HOLDER or not holder.isprintable() or not named):
        return f"holder '{shown(holder)}' is not author, other or a known actor's name"
    if label.sentiment and label.sentiment not in tuple(Sentiment):
        return f"sentiment '{shown(label.sentiment)}' is not one of {', '.join(Sentiment)}"
    return ""


# --- The file ---

VERSION = 2
_PATIENCE = 10.0  # seconds to wait for another process that writes

_COLUMNS: dict[str, type] = {
    "id": str,
    "at": int,  # microseconds of the epoch
    **{"coder": str, "pair": str, "row": int, "actor": str},
    **{"stance": str, "holder": str, "sentiment": str},  # the fields of a label, in their order
    **{"false_match": int, "note": str, "unsure": int},
}
"""Columns of the file. Rows are only ever added: the last of a coder on a pair counts."""

_KINDS = {str: "TEXT", int: "INTEGER"}
_SCHEMA = ", ".join(f"{name} {_KINDS[kind]} NOT NULL" for name, kind in _COLUMNS.items())
_ALL = f"SELECT {', '.join(_COLUMNS)} FROM labels ORDER BY at, id"  # noqa: S608 (ours)
_PARTS = "SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
_ADVICE = dict.fromkeys((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED), "close other programs")
_ADVICE[sqlite3.SQLITE_FULL] = "make room and run again"
_ADVICE |= dict.fromkeys(
    (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM),
    "copy the table to a folder where you may write",
)
_CONTROL = re.compile(r"[\0-\x08\x0b-\x1f\x7f]")
_INSERT = f"INSERT OR IGNORE INTO labels VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608


def _label(row: sqlite3.Row) -> Label:
    """Return the label in a row of the file."""
    _, _, _, _, _, _, stance, holder, sentiment, false_match, note, unsure = row
    return Label(stance, holder, sentiment, bool(false_match), note, bool(unsure))


class Store(AbstractContextManager["Store"]):
    """A file of labels; any number of processes may have it open.

    Raises `DataError` if the file is not a store, is damaged or of another version, and
    `OutputError` if it cannot be written.
    """

    def __init__(self, path: Path, *, create: bool = True) -> None:
        if not create and not (path.exists() and path.stat().st_size):
            what = "is empty" if path.exists() else "does not exist"
            raise DataError(f"{path}: {what}; label first, with --coder NAME alone")
        self.path = path
        with _translated(path):
            # Autocommit: the statements below say where a transaction begins.
            self._base = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
            self._base.row_factory = sqlite3.Row
            try:
                self._open()
            except BaseException:
                self._base.close()
                raise

    def _open(self) -> None:
        (version,) = self._base.execute("PRAGMA user_version").fetchone()
        parts = [tuple(row) for row in self._base.execute(_PARTS)]
        used = version or parts
        if used and (version, parts) != (VERSION, [("table", "labels")]):  # no view or trigger
            what = f"is not a store of labels of version {VERSION}"
            raise DataError(f"{self.path}: {what}; move it away")
        if self._base.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError
        self._base.execute("PRAGMA synchronous = FULL")
        if not used:
            self._base.executescript(
                f"BEGIN IMMEDIATE; CREATE TABLE IF NOT EXISTS labels ({_SCHEMA}, PRIMARY KEY (id));"
                f"PRAGMA user_version = {VERSION}; COMMIT"
            )

    def __exit__(self, *_: object) -> None:
        self._base.close()

    def _rows(self) -> list[sqlite3.Row]:
        """Return the rows of the file, the oldest first; raise if one is not a valid label."""
        with _translated(self.path):
            rows: list[sqlite3.Row] = self._base.execute(_ALL).fetchall()
        for row in rows:
            odd = [*map(type, row)] != [*_COLUMNS.values()] or not 0 <= row["at"] < 2**62
            odd = odd or any(map(_CONTROL.search, (row["coder"], row["holder"], row["note"])))
            if fault := "a cell has a wrong value" if odd else problem(_label(row)):
                where = f"the label of {shown(str(row['coder']))} on row {shown(str(row['row']))}"
                raise DataError(f"{self.path}: {where} is not valid: {fault}; restore the file")
        return rows

    def labels(self) -> Labels:
        """Return the last label of each coder on each pair, in this order."""
        labels = defaultdict[str, dict[str, Label]](dict)
        for row in self._rows():
            labels[row["coder"]].pop(row["pair"], None)
            labels[row["coder"]][row["pair"]] = _label(row)
        return dict(labels)

    def check_rows(self, task: Task) -> None:
        """Raise if the row of a label is not in a table."""
        rows = {pair.key for pair in task.pairs}
        if lost := {row["row"] for row in self._rows() if row["pair"] not in rows}:
            what = f"{count(len(lost), 'labelled row')} changed or gone, the first row {min(lost)}"
            advice = f"restore the table, or move {self.path.name} away"
            raise DataError(f"{task.path}: is not the table that was labelled: {what}; {advice}")

    def save(self, coder: str, pair: Pair, label: Label) -> None:
        """Write a label; it is on the disk when this returns."""
        with _translated(self.path):
            (last,) = self._base.execute("SELECT coalesce(max(at), 0) FROM labels").fetchone()
            moment = max(time.time_ns() // 1000, last + 1)  # a clock may be set back
            place = uuid.uuid4().hex, moment, coder, pair.key, pair.row, pair.actor
            self._base.execute(_INSERT, (*place, *astuple(label)))

    def merge(self, path: Path, task: Task) -> str:
        """Add another store's labels on rows of the table; return what to say of it."""
        with Store(path, create=False) as other:
            rows = other._rows()
        keys, before = {pair.key for pair in task.pairs}, self._base.total_changes
        mine = [row for row in rows if row["pair"] in keys]
        with _translated(self.path):
            self._base.execute("BEGIN IMMEDIATE")
            self._base.executemany(_INSERT, [*map(tuple, mine)])
            self._base.execute("COMMIT")
        new = self._base.total_changes - before
        note = f"{path}: {count(len(mine), 'label')} read, {new:,} of them new"
        if strange := len(rows) - len(mine):
            note += f"; {count(strange, 'label')} on rows that the table lacks left out"
        return note


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Raise what SQLite reports as an error that a user can mend."""
    try:
        yield
    except sqlite3.OperationalError as error:
        advice = _ADVICE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, "restore a copy")
        raise OutputError(f"{path}: {shown(str(error))}; {advice}") from error
    except (sqlite3.Error, UnicodeDecodeError) as error:
        what = "is damaged, or not a store of labels; restore a copy, or move it away"
        raise DataError(f"{path}: {what}") from error
