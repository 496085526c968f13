"""Labels in an SQLite file beside their table: each is on the disk before the next is asked for."""

import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from stance.display import count, shown
from stance.errors import DataError, OutputError, sqlite_code, sqlite_error
from stance.labelling.labels import Label, problem
from stance.labelling.task import Pair, Task

VERSION = 1
_APPLICATION = 0x5374616E  # "Stan", at byte 68 of the file
_PATIENCE = 10.0  # seconds to wait for another process that writes

_SCHEMA = """
CREATE TABLE IF NOT EXISTS labels (
  id TEXT PRIMARY KEY, at INTEGER NOT NULL, coder TEXT NOT NULL, pair TEXT NOT NULL,
  row INTEGER NOT NULL, actor TEXT NOT NULL, stance TEXT NOT NULL, holder TEXT NOT NULL,
  sentiment TEXT NOT NULL, false_match INTEGER NOT NULL, note TEXT NOT NULL,
  unsure INTEGER NOT NULL, seconds REAL NOT NULL
)
"""
"""Labels are only ever added: the last of a coder on a pair counts. Times are microseconds of the
epoch."""

_COLUMNS = "id, at, coder, pair, row, actor, stance, holder, sentiment, false_match, note, unsure"
_COLUMNS += ", seconds"


@dataclass(frozen=True, slots=True)
class Saved:
    """A coder's label of a pair."""

    row: int  # of the pair when it was labelled
    actor: str
    label: Label
    seconds: float  # how long the coder looked at it
    first: int  # when the coder first labelled the pair, in microseconds of the epoch


Labels = dict[str, dict[str, Saved]]
"""The labels that count, by coder and key of the pair."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What came from another store."""

    path: Path
    labels: int  # on pairs of this table
    new: int
    strange: int  # on pairs that this table lacks, which are left out
    contested: int  # pairs that one coder labelled differently in both

    def line(self) -> str:
        """Return the outcome as one line."""
        parts = [f"{self.path}: {count(self.labels, 'label')} read, {self.new:,} of them new"]
        if self.strange:
            parts.append(f"{count(self.strange, 'label')} on rows that the table lacks left out")
        if self.contested:
            rows = count(self.contested, "row")
            parts.append(f"{rows} labelled differently by one coder in both: the later counts")
        return "; ".join(parts)


class Store:
    """A file of labels; any number of processes may have it open.

    Raises `DataError` if the file is not a store, is damaged or of another version, and
    `OutputError` if it cannot be written.
    """

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self.path = path
        if not create and not path.exists():
            raise DataError(f"{path}: does not exist; label first, with --coder NAME")
        if path.is_dir():  # where SQLite says nothing but that it cannot open it
            raise DataError(f"{path}: is a folder; name a file for the labels")
        with _translated(path):
            # Autocommit: the statements below say where a transaction begins.
            self._base = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
        try:
            with _translated(path):
                self._open(create)
        except BaseException:
            self.close()
            raise

    def _open(self, create: bool) -> None:
        base = self._base
        kind, version = self._number("PRAGMA application_id"), self._number("PRAGMA user_version")
        if kind == _APPLICATION and version != VERSION:
            advice = "use the version of stance that made it"
            raise DataError(f"{self.path}: is of version {version}, not {VERSION}; {advice}")
        tables = self._number("SELECT count(*) FROM sqlite_master")
        if kind != _APPLICATION and (kind or version or tables):
            raise DataError(f"{self.path}: is not a store of labels; move it, or name another file")
        if base.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise DataError(f"{self.path}: {_DAMAGED}")
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("PRAGMA synchronous = FULL")
        # The file alone is complete whenever nobody writes, so that it can be copied or mailed.
        base.execute("PRAGMA wal_autocheckpoint = 1")
        if create or not kind:
            with self._writing():  # which tells at once whether one may write
                if not kind:
                    base.execute(_SCHEMA)
                    base.execute(f"PRAGMA application_id = {_APPLICATION}")
                base.execute(f"PRAGMA user_version = {VERSION}")

    def _number(self, query: str) -> int:
        return int(self._base.execute(query).fetchone()[0])

    def check_rows(self, task: Task) -> None:
        """Raise if the row of a label is not in a table."""
        rows = {pair.key for pair in task.pairs}
        labelled = {key: saved for mine in self.labels().values() for key, saved in mine.items()}
        lost = [(saved.row, saved.actor) for key, saved in labelled.items() if key not in rows]
        if lost and len(lost) == len(labelled):
            advice = f"move it away, or name the table that it belongs to instead of {task.path}"
            raise DataError(f"{self.path}: holds labels of another table; {advice}")
        if lost:
            row, actor = min(lost)
            what = (
                f"{count(len(lost), 'labelled row')} not as before, the first row {row} ({actor})"
            )
            raise DataError(
                f"{task.path}: has changed since it was labelled: {shown(what, 200)}; restore it, "
                f"or move {self.path.name} away"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Write all that the block writes, or nothing."""
        self._base.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._base.execute("COMMIT")
        except BaseException:
            if self._base.in_transaction:
                self._base.execute("ROLLBACK")
            raise

    def _records(self) -> list[tuple[object, ...]]:
        with _translated(self.path):
            query = f"SELECT {_COLUMNS} FROM labels ORDER BY at, id"  # noqa: S608 (constants)
            return self._base.execute(query).fetchall()

    def save(self, coder: str, pair: Pair, label: Label, seconds: float) -> None:
        """Write a label; it is on the disk when this returns."""
        said = label.stance, label.holder, label.sentiment, int(label.false_match), label.note
        row = coder, pair.key, pair.row, pair.actor, *said, int(label.unsure), round(seconds, 1)
        with _translated(self.path), self._writing():
            last = self._number("SELECT coalesce(max(at), 0) FROM labels")
            at = max(time.time_ns() // 1000, last + 1)  # a clock may be set back
            self._insert((uuid.uuid4().hex, at, *row))

    def _insert(self, record: tuple[object, ...]) -> bool:
        marks = ", ".join("?" * len(record))
        query = f"INSERT OR IGNORE INTO labels ({_COLUMNS}) VALUES ({marks})"  # noqa: S608
        return self._base.execute(query, record).rowcount > 0

    def labels(self) -> Labels:
        """Return the last label of each coder on each pair; raise if one is not allowed."""
        found: Labels = {}
        for record in self._records():
            coder, pair, saved = self._read(record)
            mine = found.setdefault(coder, {})
            mine[pair] = replace(saved, first=mine[pair].first) if pair in mine else saved
        return found

    def _read(self, record: tuple[object, ...]) -> tuple[str, str, Saved]:
        where = f"{self.path}: the label of {shown(str(record[2]))} on row {shown(str(record[4]))}"
        match record:
            case (
                str(), int(at), str(coder), str(pair), int(row), str(actor), str(stance),
                str(holder), str(tone), int(false), str(note), int(unsure), float(seconds),
            ):  # fmt: skip
                label = Label(stance, holder, tone, bool(false), note, bool(unsure))
            case _:
                raise DataError(f"{where} has a cell of the wrong type; restore the file")
        if found := problem(label):
            raise DataError(f"{where} is not valid: {found}; restore the file")
        return coder, pair, Saved(row, actor, label, seconds, at)

    def merge(self, path: Path, task: Task) -> Merged:
        """Add another store's labels on rows of the table, which others may share in part."""
        if path.exists() and path.samefile(self.path):
            raise DataError(f"{path}: is the store that is merged into; name another one")
        before = self.labels()
        with Store(path, create=False) as other:
            theirs, records = other.labels(), other._records()
        rows = {pair.key for pair in task.pairs}
        mine = [record for record in records if record[3] in rows]
        if not mine:
            raise DataError(f"{path}: holds no label of a row of {task.path}; name another store")
        with _translated(self.path), self._writing():
            new = sum(self._insert(record) for record in mine)
        contested = sum(
            pair in before.get(coder, {}) and before[coder][pair].label != saved.label
            for coder, labels in theirs.items()
            for pair, saved in labels.items()
        )
        return Merged(path, len(mine), new, len(records) - len(mine), contested)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Raise what SQLite reports as an error that a user can mend."""
    try:
        yield
    except sqlite3.Error as error:
        if failed := sqlite_error(error, path):
            raise failed from error
        code = sqlite_code(error)
        if code in ("BUSY", "LOCKED"):
            raise OutputError(f"{path}: another program keeps it locked; close it") from error
        if code == "NOTADB":
            reason = "is not a store of labels (not an SQLite file); move it away"
            raise DataError(f"{path}: {reason}") from error
        if code in ("CORRUPT", "ERROR") or "not decode" in str(error):  # a table or column lacks
            raise DataError(f"{path}: {_DAMAGED}") from error
        raise
    except UnicodeDecodeError as error:  # which names and texts of a damaged file may be
        raise DataError(f"{path}: {_DAMAGED}") from error


_DAMAGED = "is damaged; restore a copy, or move it away to begin anew"
