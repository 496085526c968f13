"""Labelled corpora: read, checked, grouped by document."""

import dataclasses
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from stance.arrays import Ints
from stance.display import shown
from stance.errors import DataError
from stance.reading.keys import Fingerprints, fingerprint, key_of, linked_groups
from stance.reading.spans import parse_spans
from stance.records import Sentiment, Stance
from stance.tables import Record, Table, column, misnamed, open_table

_SCALES: tuple[Mapping[str, int], ...] = (
    {"-1": 0, "0": 1, "1": 2},
    {"2": 0, "4": 1, "6": 2},
)
"""Numeric codings; a column must keep to one of them."""

STANCES: Mapping[str, int] = {
    **dict.fromkeys(("against", "anti", "con", "oppose", "opposed", "negative", "neg"), 0),
    **dict.fromkeys(("neutral", "none", "neither"), 1),
    **dict.fromkeys(("favor", "favour", "pro", "support", "supportive", "positive", "pos"), 2),
}
"""Number of each spelling of a stance; so for sentiments below."""

SENTIMENTS: Mapping[str, int] = {
    **dict.fromkeys(("negative", "neg"), 0),
    **dict.fromkeys(("neutral", "neu", "none"), 1),
    **dict.fromkeys(("positive", "pos"), 2),
}

MISSING = -1
"""Number of a sentiment that a row does not have."""


@dataclass(frozen=True, slots=True)
class Source:
    """A corpus file.

    Attributes
    ----------
    name : str
        File name without endings.
    sha256 : str
    rows : int
    """

    name: str
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True)
class Corpus:
    """Labelled pairs of a paragraph and an actor, one per row.

    Attributes
    ----------
    texts, actors : tuple of str
        As written.
    spans : tuple of (list of (int, int) or None)
        Character offsets of the actor in the text, where the corpus has them.
    stance : ndarray of shape (n_rows,)
        0 against, 1 neutral, 2 favor.
    sentiment : ndarray of shape (n_rows,)
        0 negative, 1 neutral, 2 positive, `MISSING`.
    document : ndarray of shape (n_rows,)
        Number of the unit that no split may cut.
    source : ndarray of shape (n_rows,)
        Index into ``sources``.
    sources : tuple of Source
    marks : Fingerprints
        Of the texts.
    extra : mapping of str to tuple of str
        The columns ``id``, ``date``, ``source`` and ``genre``, where a file has them; a cell is
        empty where its file does not.
    notes : tuple of str
        What a user should be told about the reading.
    loose : int
        Rows that name no document, so that each of their texts is one.
    """

    texts: tuple[str, ...]
    actors: tuple[str, ...]
    spans: tuple[list[tuple[int, int]] | None, ...]
    stance: Ints
    sentiment: Ints
    document: Ints
    source: Ints
    sources: tuple[Source, ...]
    marks: Fingerprints
    extra: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]
    loose: int = 0

    def __len__(self) -> int:
        return len(self.texts)

    def places(self) -> list[tuple[str, int]]:
        """Return the corpus of each row, and its record number there, from 1."""
        first = np.searchsorted(self.source, self.source)
        return [
            (self.sources[source].name, row - start + 1)
            for row, (source, start) in enumerate(
                zip(self.source.tolist(), first.tolist(), strict=True)
            )
        ]

    def take(self, rows: Ints) -> "Corpus":
        """Return a corpus of some rows; documents keep their numbers, files their counts."""
        kept = rows.tolist()
        return dataclasses.replace(
            self,
            texts=tuple(self.texts[row] for row in kept),
            actors=tuple(self.actors[row] for row in kept),
            spans=tuple(self.spans[row] for row in kept),
            stance=self.stance[rows],
            sentiment=self.sentiment[rows],
            document=self.document[rows],
            source=self.source[rows],
            marks=Fingerprints(self.marks.exact[rows], self.marks.bands[rows]),
            extra={name: tuple(cells[row] for row in kept) for name, cells in self.extra.items()},
        )


EXTRA = ("id", "date", "source", "genre")
OPTIONAL = ("sentiment", "document", "spans", *EXTRA)


@dataclass(slots=True)
class _Rows:
    """What has been read so far."""

    texts: list[str]
    actors: list[str]
    spans: list[list[tuple[int, int]] | None]
    stance: list[int]
    sentiment: list[int]
    document: list[str]
    extra: dict[str, list[str]]


def bundled_corpus() -> Path:
    """Return the starter corpus that comes with the package."""
    bundled = Path(str(files("stance").joinpath("data/starter/starter_train.csv")))
    if bundled.is_file():
        return bundled
    return Path(__file__).parent.parent / "datasets" / "starter" / "starter_train.csv"


def read_corpus(
    paths: Sequence[Path | str], *, delimiter: str | None = None, encoding: str | None = None
) -> Corpus:
    """Read one or more corpus files into one corpus.

    Raises
    ------
    DataError
        If a file cannot be read, lacks a column, or has a label that means nothing.
    """
    rows = _Rows([], [], [], [], [], [], {name: [] for name in EXTRA})
    sources: list[Source] = []
    source: list[int] = []
    notes: list[str] = []
    for path in map(Path, paths):
        before = len(rows.texts)
        with open_table(path, delimiter=delimiter, encoding=encoding) as table:
            told = _read_table(table, rows)
            notes += [*table.notes, *misnamed(table.columns, OPTIONAL, table.name), *told]
        count = len(rows.texts) - before
        if not count:
            raise DataError(f"{path}: no rows below the header; a corpus needs labelled rows")
        name = shown(path.name.split(".")[0], 100)
        source += [len(sources)] * count
        sources.append(Source(name, hashlib.sha256(path.read_bytes()).hexdigest(), count))
    marks = fingerprint(rows.texts)
    return Corpus(
        texts=tuple(rows.texts),
        actors=tuple(rows.actors),
        spans=tuple(rows.spans),
        stance=np.array(rows.stance, np.int64),
        sentiment=np.array(rows.sentiment, np.int64),
        document=_documents(rows.document, source, marks),
        source=np.array(source, np.int64),
        sources=tuple(sources),
        marks=marks,
        extra={name: tuple(cells) for name, cells in rows.extra.items() if any(cells)},
        notes=tuple(dict.fromkeys(notes)),
        loose=rows.document.count(""),
    )


def _documents(names: Sequence[str], source: Sequence[int], marks: Fingerprints) -> Ints:
    """Group rows by document; rows without one, and equal texts, by their text."""
    named = np.array(
        [
            key_of(f"{s}:{n}" if n else f"row {i}")
            for i, (s, n) in enumerate(zip(source, names, strict=True))
        ],
        np.uint64,
    )
    if all(names):
        return linked_groups([named, marks.exact])
    return linked_groups([named, marks.exact, *marks.bands.T])


def _read_table(table: Table, rows: _Rows) -> list[str]:
    """Add the table's rows; return what to tell of its labels."""
    text = column(table.columns, "text", table.name)
    actor = column(table.columns, "actor", table.name)
    places = {name: i for i, name in enumerate(table.columns)}
    stance = LabelReader(table.name, "stance", STANCES, tuple(Stance))
    sentiment = LabelReader(table.name, "sentiment", SENTIMENTS, tuple(Sentiment))
    stance_at = column(table.columns, "stance", table.name)
    for record in table:
        where = f"{table.name}:{record.line}"
        if not record.cells[actor].strip():
            raise DataError(f"{where}: the actor is empty; name the actor that the row judges")
        rows.texts.append(record.cells[text])
        rows.actors.append(record.cells[actor].strip())
        cell = record.cells[places["spans"]] if "spans" in places else ""
        rows.spans.append(parse_spans(cell, record.cells[text], where))
        rows.stance.append(stance.read(record.cells[stance_at], record))
        tone = record.cells[places["sentiment"]] if "sentiment" in places else ""
        rows.sentiment.append(sentiment.read(tone, record) if tone.strip() else MISSING)
        rows.document.append(record.cells[places["document"]] if "document" in places else "")
        for name in EXTRA:
            rows.extra[name].append(record.cells[places[name]] if name in places else "")
    return [*stance.notes(), *sentiment.notes()]


class LabelReader:
    """Maps spellings of labels to numbers and remembers which it met.

    Parameters
    ----------
    table, name : str
        What messages call the table and the column.
    words : mapping of str to int
        Spellings that are read beside the numeric scales.
    labels : sequence of str
        Their proper spellings, by number.
    """

    def __init__(
        self, table: str, name: str, words: Mapping[str, int], labels: Sequence[str]
    ) -> None:
        self._table, self._name, self._words, self._labels = table, name, words, labels
        self._scale: Mapping[str, int] | None = None
        self._met: dict[str, int] = {}

    def read(self, cell: str, record: Record) -> int:
        """Return the number of the label in a cell; raise `DataError` where it means nothing."""
        if cell not in self._met:
            self._met[cell] = self._number(cell, record)
        return self._met[cell]

    def _number(self, cell: str, record: Record) -> int:
        word = cell.strip().lower()
        if word in self._words:
            return self._words[word]
        number = re.sub(r"^\+|\.0+$", "", word)
        scales = [scale for scale in _SCALES if number in scale]
        if scales and self._scale in (None, scales[0]):
            self._scale = scales[0]
            return scales[0][number]
        if scales:
            kept = ", ".join(self._scale or {})
            raise DataError(
                f"{self._table}:{record.line}: {self._name} '{shown(cell)}' in row {record.number} "
                f"mixes two scales; the rows before use {kept}; use one"
            )
        raise DataError(
            f"{self._table}:{record.line}: {self._name} '{shown(cell)}' in row {record.number} is "
            f"no label; use {', '.join(self._labels)}"
        )

    def notes(self) -> Iterator[str]:
        """Tell the mapping, unless every label was spelled as it should be."""
        odd = {cell: n for cell, n in self._met.items() if cell != self._labels[n]}
        if odd:
            pairs = ", ".join(
                f"{shown(cell)} -> {self._labels[n]}" for cell, n in sorted(odd.items())
            )
            yield f"{self._table}: {self._name} labels read as {pairs}"


def sentiment_rows(corpus: Corpus) -> Ints:
    """Return the first row of each paragraph that has a sentiment label."""
    seen: set[int] = set()
    rows = []
    for row, (tone, key) in enumerate(
        zip(corpus.sentiment, corpus.marks.exact.tolist(), strict=True)
    ):
        if tone != MISSING and key not in seen:
            seen.add(key)
            rows.append(row)
    return np.array(rows, np.int64)
