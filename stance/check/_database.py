"""The database of a study: private, on disk, so that any number of rows takes little memory.

    records   rows as read: pairs of a text and an actor
    texts     as written; a record whose text is that of the one before has none of its own
    marks     fingerprints of the texts that differ in more than case, spacing and punctuation
    place     the document and the text of each row, in this order
    rows      records in that order, with their documents and texts

A text is known by the number of its first row, a document likewise.
"""

import sqlite3
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain, groupby, islice
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from stance.annotations import Merged, merge_coders
from stance.check._study import GIVERS, LABELLED, LABELS, Study, WordCounts
from stance.corpus import CorpusForm, LabelledRows, Row, table_form
from stance.errors import sqlite_error, temporary_error
from stance.label_values import holder_kind
from stance.reading.actors import ActorBook
from stance.reading.keys import BANDS, fingerprint, key_of
from stance.tables import Table, column, open_table, optional_column

_CACHE = 2 << 10  # kilobytes of pages kept in memory, and as much again to sort
_AT_ONCE = 1000  # rows
_BANDS = tuple(f"band{number}" for number in range(BANDS))
_TABLES = {
    "records": (
        *("row", "written", "file", "number", "line", "stance", "sentiment", "holder"),
        *("false_match", "actor", "named", "spans", "name", "coder", "pair", "soft"),
    ),
    "texts": ("row", "text"),
    "marks": ("row", "exact", "words", *_BANDS),
}
_SIGN = 1 << 63  # SQLite's numbers have one: keys less this are in the same order


@contextmanager
def read_study(
    paths: Sequence[Path], book: ActorBook, names: Sequence[str] = (), **form: Unpack[CorpusForm]
) -> Iterator[Study]:
    """Read corpus files, with the columns of these names beside those that every corpus has.

    The form is as in `stance.corpus.read_corpus`. The study can be used until the block ends.
    Raises `OutputError` if the folder for temporary files is full or cannot be written.
    """
    folder = tempfile.gettempdir()
    try:
        with closing(sqlite3.connect("", isolation_level=None)) as base:
            for setting in (
                *("journal_mode = OFF", "synchronous = OFF", "secure_delete = OFF"),
                *("temp_store = FILE", f"cache_size = -{_CACHE}"),
                "temp_store_directory = '{}'".format(folder.replace("'", "''")),
            ):
                base.execute(f"PRAGMA {setting}")
            yield _read(base, paths, book, names, form)
    except sqlite3.Error as error:
        raise sqlite_error(error, Path(folder), temporary_error) or error from error


def _read(
    base: sqlite3.Connection,
    paths: Sequence[Path],
    book: ActorBook,
    names: Sequence[str],
    form: CorpusForm,
) -> Study:
    asked = tuple(dict.fromkeys(("genre", "source", *names)))
    cells = "genre", "source", *(f"cell{at}" for at in range(2, len(asked)))
    found, heads, notes = _Reader(base, book, cells), [], list[str]()
    for file, path in enumerate(paths):
        with open_table(path, **table_form(form)) as table:
            heads.append(table.columns)
            notes += found.read(table, file, asked, form)
    for name in names:
        if all(optional_column(head, name, "") is None for head in heads):
            column(heads[0], name, str(paths[0]))  # raises, and suggests a name like it
    apart, settled = _coded_apart(base), _settle(base)
    _lay_out(base, found.rows)
    _count_labels(base)
    notes += [settled.note] if settled else []
    alike = len({path.name for path in paths}) < len(paths)
    return Study(
        base=base,
        book=book,
        paths=tuple(paths),
        files=tuple(str(path) if alike else path.name for path in paths),
        notes=tuple(dict.fromkeys(notes)),
        columns=dict(zip(asked, cells, strict=True)),
        actors=(*book.names, *found.others),
        named=tuple(found.named),
        often=found.often,
        annotations=settled.annotations if settled else None,
        coded_apart=apart,
    )


class _Reader:
    """Puts rows into a new database."""

    def __init__(self, base: sqlite3.Connection, book: ActorBook, cells: Sequence[str]) -> None:
        self._base, self._book, self._text, self._written = base, book, "", 0
        self.rows, self.often = 0, WordCounts()
        self.named: dict[str, tuple[int, int]] = {}  # names as written: numbers of actor and name
        self.others: dict[str, int] = {}  # actors that the book does not know
        base.execute("BEGIN")
        for table, (row, *others) in _TABLES.items():
            own = (*others, *(cells if table == "records" else ()))
            base.execute(f"CREATE TABLE {table} ({row} INTEGER PRIMARY KEY, {', '.join(own)})")

    def read(self, table: Table, file: int, extra: Sequence[str], form: CorpusForm) -> list[str]:
        """Add the rows of a file; return notes on how it was read."""
        own = form.get("labels"), form.get("columns"), form.get("date_format")
        rows = LabelledRows(table, *own, extra)
        each = iter(rows)
        while block := list(islice(each, _AT_ONCE)):
            self._add(block, file)
        return rows.notes

    def _add(self, rows: Sequence[Row], file: int) -> None:
        texts, records = list[tuple[int, str]](), []
        for number, row in enumerate(rows, self.rows):
            if row.text != self._text or not number:
                self._text, self._written = row.text, number
                texts.append((number, row.text))
            records.append((number, self._written, file, *self._cells(row)))
        self.rows += len(rows)
        self._insert("records", records)
        self._insert("texts", texts)
        found = fingerprint([text for _, text in texts])
        keys = np.column_stack([found.exact, found.bands]) - np.uint64(_SIGN)
        marks = zip(texts, keys.view(np.int64).tolist(), strict=True)
        often = self.often
        self._insert("marks", [(n, own, often.add(t), *bands) for (n, t), (own, *bands) in marks])

    def _insert(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            self._base.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)

    def _cells(self, row: Row) -> tuple[Any, ...]:
        if row.actor not in self.named:
            actor = self._book.number(row.actor)
            if actor < 0:
                actor = len(self._book) + self.others.setdefault(row.actor, len(self.others))
            self.named[row.actor] = actor, len(self.named)
        pair = key_of(f"{row.actor}\0{row.text}") - _SIGN if row.coder else None
        return (
            *(row.number, row.line, row.stance, row.sentiment, holder_kind(row.holder)),
            *(row.false_match, *self.named[row.actor], repr(row.spans) if row.spans else ""),
            *(row.document, row.coder, pair, row.soft and np.array(row.soft).tobytes(), *row.extra),
        )


def _coded_apart(base: sqlite3.Connection) -> int:
    """Return how many pairs have more coders in all files than in any one of them."""
    coders = "SELECT pair, count(DISTINCT coder) AS number FROM records WHERE pair IS NOT NULL"
    query = (
        f"SELECT count(*) FROM ({coders} GROUP BY pair) AS everywhere JOIN (SELECT pair, "
        f"max(number) AS number FROM ({coders} GROUP BY pair, file) GROUP BY pair) AS inside "
        "USING (pair) WHERE everywhere.number > inside.number"
    )
    return int(base.execute(query).fetchone()[0])


def _settle(base: sqlite3.Connection) -> Merged | None:
    """Keep one record of those of several coders on one pair, in the place of the first."""
    if not base.execute("SELECT count(pair) FROM records").fetchone()[0]:
        return None
    query = "SELECT file, pair, spans, coder, stance, soft FROM records ORDER BY row"
    *pair, coder, stance, soft = zip(*base.execute(query), strict=True)
    shares = [None if own is None else np.frombuffer(own).tolist() for own in soft]
    settled = merge_coders(list(zip(*pair, strict=True)), coder, stance, shares)
    if settled.annotations is None:
        return None
    dropped = set(range(len(coder))).difference(settled.kept)
    base.executemany("DELETE FROM records WHERE row = ?", ((row,) for row in dropped))
    kept = zip(settled.first, settled.stance, settled.kept, strict=True)
    base.executemany("UPDATE records SET row = ?, stance = ? WHERE row = ?", kept)
    return settled


def _lay_out(base: sqlite3.Connection, size: int) -> None:
    """Order the rows by document and text."""
    base.execute("CREATE TABLE repeats (row INTEGER PRIMARY KEY, text)")
    base.execute(
        "INSERT INTO repeats SELECT * FROM (SELECT row, min(row) OVER (PARTITION BY exact) AS text "
        "FROM marks) WHERE row <> text"
    )
    base.execute("DELETE FROM marks WHERE row IN (SELECT row FROM repeats)")
    base.execute("CREATE TABLE linked (row INTEGER PRIMARY KEY, document)")
    base.executemany("INSERT INTO linked VALUES (?, ?)", _documents(base, size))
    base.execute(
        "CREATE TABLE place (document, text, row, PRIMARY KEY (document, text, row)) WITHOUT ROWID"
    )
    base.execute(
        "INSERT INTO place SELECT coalesce(document, written), coalesce(text, written), "
        "records.row FROM records LEFT JOIN repeats ON repeats.row = written "
        "LEFT JOIN linked ON linked.row = written ORDER BY 1, 2, 3"
    )
    base.execute(
        "CREATE VIEW rows AS SELECT document, text, records.* FROM place CROSS JOIN records "
        "ON records.row = place.row"
    )


def _count_labels(base: sqlite3.Connection) -> None:
    """Count rows by label in each document, and by each value of some columns."""
    base.execute(f"CREATE TABLE documents AS SELECT {LABELLED} FROM rows GROUP BY document")
    labels = ", ".join(LABELS)
    for name in GIVERS:
        base.execute(f"CREATE TABLE {name}s (value PRIMARY KEY, {labels}) WITHOUT ROWID")
        base.execute(f"INSERT INTO {name}s SELECT {name}, {LABELLED} FROM records GROUP BY {name}")


def _documents(base: sqlite3.Connection, size: int) -> Iterator[tuple[int, int]]:
    """Yield the first row of the document of each text, where it is another.

    The grouping is that of `stance.corpus.group_documents`.
    """
    least = array("i", range(size))  # of each row, one before it in its group, or itself

    def first(row: int) -> int:
        while (before := least[row]) != row:
            least[row] = row = least[before]
        return row

    def link(one: int, other: int) -> None:
        one, other = sorted((first(one), first(other)))
        least[other] = one

    for row, text in base.execute("SELECT row, text FROM repeats"):
        link(row, text)
    names = "SELECT name, file, written FROM records WHERE name <> '' ORDER BY name, file"
    nameless = base.execute("SELECT 1 FROM records WHERE name = '' LIMIT 1").fetchone()
    for rows in chain([base.execute(names)], by_bands(base) if nameless else ()):
        for group in shared(rows):
            one = next(group)
            for other in group:
                link(one, other)
    yield from ((row, first(row)) for row in range(size) if least[row] != row)


def by_bands(base: sqlite3.Connection) -> Iterator[Iterator[tuple[int, int]]]:
    """Yield the texts by each band of their fingerprints; see `shared`."""
    for band in _BANDS:
        yield base.execute(f"SELECT {band}, row FROM marks ORDER BY {band}, exact")


def shared(rows: Iterable[Any]) -> Iterator[Iterator[int]]:
    """Yield the last cells of rows that are equal in the others, of two such rows or more.

    Equal rows must stand side by side.

    >>> [list(group) for group in shared([("a", 1), ("b", 4), ("b", 2), ("b", 3)])]
    [[4, 2, 3]]
    """
    for _, group in groupby(rows, key=lambda row: row[:-1]):
        begun = list(islice(group, 2))
        if len(begun) > 1:
            yield (row[-1] for row in chain(begun, group))
