"""Labels in an SQLite file beside their table: each is on the disk before the next is asked for."""

import sqlite3
import time
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, Self

from stance.display import count, shown
from stance.errors import DataError, OutputError, UsageError
from stance.label_values import HOLDERS, LONGEST_HOLDER
from stance.labelling.task import Pair, Task
from stance.records import Sentiment, Stance

QUESTIONS = ("holder", "sentiment")
"""What can be asked beside the stance."""

LONGEST_NOTE = 2000


@dataclass(frozen=True, slots=True)
class Label:
    """One coder's decision on one pair; what was not asked is empty."""

    stance: str = ""  # empty only if unsure
    holder: str = ""  # author, other or an actor's name
    sentiment: str = ""
    false_match: bool = False  # what looks like the actor's name means something else
    note: str = ""
    unsure: bool = False  # the coder wants to see it again, or leaves it to the adjudicator

    def agrees(self, other: "Label") -> bool:
        """Return whether two decisions are equal in all that both were asked."""
        pairs = ((self.holder, other.holder), (self.sentiment, other.sentiment))
        differing = any(one and two and one != two for one, two in pairs)
        same = (self.stance, self.false_match) == (other.stance, other.false_match)
        return same and not differing and not (self.unsure or other.unsure)


def problem(label: Label, asked: Collection[str] = (), actors: Collection[str] = ()) -> str:
    """Return what the codebook forbids about a label, or nothing.

    ``asked`` are questions that need an answer. A holder must be among ``actors`` if there are any.
    """
    holder, taken = label.holder, label.stance in (Stance.AGAINST, Stance.FAVOR)
    named = not actors or holder in (*HOLDERS, *actors)
    if len(label.note) > LONGEST_NOTE:
        return f"the note has more than {LONGEST_NOTE:,} characters; shorten it"
    if label.unsure:
        answers = label != Label(note=label.note, unsure=True)
        return "an unsure label has no answer beside its note" if answers else ""
    if label.stance not in tuple(Stance):
        return f"stance '{shown(label.stance)}' is not one of {', '.join(Stance)}"
    if label.false_match and label.stance != Stance.NEUTRAL:
        return "a false match is neutral"
    if holder and not taken:
        return "only a stance against or in favor has a holder"
    if holder and (len(holder) > LONGEST_HOLDER or not holder.isprintable() or not named):
        return f"holder '{shown(holder)}' is not author, other or a known actor's name"
    if "holder" in asked and taken and not holder:
        return "say whose stance it is"
    if label.sentiment and label.sentiment not in tuple(Sentiment):
        return f"sentiment '{shown(label.sentiment)}' is not one of {', '.join(Sentiment)}"
    if "sentiment" in asked and not label.sentiment:
        return "say which tone the paragraph has"
    return ""


def parse_questions(option: str | None) -> tuple[str, ...]:
    """Read ``holder,sentiment`` as the questions that are asked beside the stance.

    >>> parse_questions("sentiment, holder")
    ('holder', 'sentiment')
    """
    words = {word.strip() for word in (option or "").split(",")} - {""}
    if odd := sorted(words - set(QUESTIONS)):
        raise UsageError(f"--ask: '{shown(odd[0])}' is not one of {', '.join(QUESTIONS)}")
    return tuple(word for word in QUESTIONS if word in words)


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


@dataclass(frozen=True, slots=True)
class Saved:
    """A coder's label of a pair."""

    row: int  # of the pair when it was labelled
    actor: str
    label: Label
    first: int  # when the coder first labelled the pair, in microseconds of the epoch


Labels = dict[str, dict[str, Saved]]
"""The labels that count, by coder and key of the pair."""


class Store:
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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._base.close()

    def check_rows(self, task: Task) -> None:
        """Raise if the row of a label is not in a table."""
        rows = {pair.key for pair in task.pairs}
        saved = {key: label for mine in self.labels().values() for key, label in mine.items()}
        if lost := [(label.row, label.actor) for key, label in saved.items() if key not in rows]:
            row, actor = min(lost)
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
        with _translated(self.path):
            query = f"SELECT {_NAMES} FROM labels ORDER BY at, id"  # noqa: S608 (ours)
            return self._base.execute(query).fetchall()

    def labels(self) -> Labels:
        """Return the last label of each coder on each pair, in this order; raise if one is odd."""
        labels = defaultdict[str, dict[str, Saved]](dict)
        for record in self._records():
            _, moment, coder, pair, row, actor, stance, holder, tone, false, note, unsure = record
            label = Label(stance, holder, tone, bool(false), note, bool(unsure))
            odd = [*map(type, record)] != [*_COLUMNS.values()]
            if fault := "a cell has the wrong type" if odd else problem(label):
                where = f"the label of {shown(str(coder))} on row {shown(str(row))}"
                raise DataError(f"{self.path}: {where} is not valid: {fault}; restore the file")
            before = labels[coder].pop(pair, None)
            first = before.first if before else moment
            labels[coder][pair] = Saved(row, actor, label, first)
        return dict(labels)

    def merge(self, path: Path, task: Task) -> str:
        """Add another store's labels on rows of the table; return what to say of it."""
        if path.exists() and path.samefile(self.path):
            raise DataError(f"{path}: is the store that labels are merged into; name another one")
        with Store(path, create=False) as other:
            other.labels()  # raises if one is not allowed
            records = other._records()
        rows, before = {pair.key for pair in task.pairs}, self._base.total_changes
        mine = [record for record in records if record[3] in rows]
        if not mine:
            raise DataError(f"{path}: holds no label of a row of {task.path}; name another store")
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
