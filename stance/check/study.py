"""A labelled corpus laid out for checking: which rows share a text, an actor, a document."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stance.arrays import Ints
from stance.corpus import Corpus, read_corpus
from stance.display import shown
from stance.reading.actors import ActorBook
from stance.reading.text import words_of
from stance.tables import column, open_table


@dataclass(frozen=True, slots=True)
class Study:
    """A corpus and what its rows have in common.

    Attributes
    ----------
    corpus : Corpus
    book : ActorBook
    paths, files : tuple of Path, tuple of str
        The files and what messages call them.
    columns : mapping of str to tuple of str
        Cells of columns that were asked for, empty where a file lacks the column; always with
        ``document``, as written.
    row, line : ndarray of shape (n_rows,)
        1-based number of the record in its file, and of the line where it starts.
    text : ndarray of shape (n_rows,)
        Number of the text; texts that differ in case, spacing and punctuation alone share it.
    first : ndarray of shape (n_texts,)
        First row of each text.
    words : tuple of (list of str)
        Lower-case words of each text.
    actor : ndarray of shape (n_rows,)
        Index into ``actors``.
    actors : tuple of str
        Names in the book, or as written where the book does not know the actor.
    """

    corpus: Corpus
    book: ActorBook
    paths: tuple[Path, ...]
    files: tuple[str, ...]
    columns: dict[str, tuple[str, ...]]
    row: Ints
    line: Ints
    text: Ints
    first: Ints
    words: tuple[list[str], ...]
    actor: Ints
    actors: tuple[str, ...]

    def place(self, row: int) -> str:
        """Return ``file:row`` for a message."""
        return f"{shown(self.files[self.corpus.source[row]], 40)}:{self.row[row]}"

    def pair(self, one: int, other: int) -> str:
        """Return the places of two rows for a message."""
        return f"{self.place(one)} = {self.place(other)}"

    def documents(self, rows: Ints) -> int:
        """Return how many documents some rows come from."""
        return len(np.unique(self.corpus.document[rows]))


@dataclass(frozen=True, slots=True)
class _Cells:
    """Some columns of one file, and where its rows stand."""

    columns: tuple[str, ...]
    rows: list[int]
    lines: list[int]
    cells: dict[str, list[str]]


def read_study(
    paths: Sequence[Path],
    book: ActorBook,
    names: Sequence[str] = (),
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
) -> Study:
    """Read corpus files, and the columns of these names beside what every corpus has.

    Raises
    ------
    DataError
        If a file is no corpus, or none has a column of these names.
    """
    corpus = read_corpus(paths, delimiter=delimiter, encoding=encoding)
    cells = [_cells(path, (*names, "document"), delimiter, encoding) for path in paths]
    for name in names:
        if not any(name in part.columns for part in cells):
            column(cells[0].columns, name, str(paths[0]))
    alike = len({path.name for path in paths}) < len(paths)
    _, first, text = np.unique(corpus.marks.exact, return_index=True, return_inverse=True)
    named = np.array([book.proper_name(name) for name in corpus.actors], object)
    actors, actor = np.unique(named, return_inverse=True)
    return Study(
        corpus=corpus,
        book=book,
        paths=tuple(paths),
        files=tuple(str(path) if alike else path.name for path in paths),
        columns={
            name: tuple(cell for part in cells for cell in part.cells[name])
            for name in (*names, "document")
        },
        row=np.array([number for part in cells for number in part.rows], np.int64),
        line=np.array([line for part in cells for line in part.lines], np.int64),
        text=text.reshape(-1).astype(np.int64),
        first=first.astype(np.int64),
        words=tuple(words_of(corpus.texts[row]) for row in first),
        actor=actor.reshape(-1).astype(np.int64),
        actors=tuple(actors.tolist()),
    )


def _cells(path: Path, names: Sequence[str], delimiter: str | None, encoding: str | None) -> _Cells:
    with open_table(path, delimiter=delimiter, encoding=encoding) as table:
        found = _Cells(table.columns, [], [], {name: [] for name in names})
        places = {name: i for i, name in enumerate(table.columns)}
        for record in table:
            found.rows.append(record.number)
            found.lines.append(record.line)
            for name, cells in found.cells.items():
                cells.append(record.cells[places[name]] if name in places else "")
    return found
