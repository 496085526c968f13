"""Labelled corpora: read, checked, grouped by document."""

import dataclasses
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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

_SCALES: tuple[Mapping[str, int], ...] = ({"-1": 0, "0": 1, "1": 2}, {"2": 0, "4": 1, "6": 2})
"""Numeric codings; a column must keep to one of them."""

STANCES: Mapping[str, int] = {
    **dict.fromkeys(("against", "anti", "con", "oppose", "opposed", "negative", "neg"), 0),
    **dict.fromkeys(("neutral", "none", "neither"), 1),
    **dict.fromkeys(("favor", "favour", "pro", "support", "supportive", "positive", "pos"), 2),
}
"""Number of each spelling of a stance."""

SENTIMENTS: Mapping[str, int] = {
    **dict.fromkeys(("negative", "neg"), 0),
    **dict.fromkeys(("neutral", "neu", "none"), 1),
    **dict.fromkeys(("positive", "pos"), 2),
}

MISSING = -1  # number of a sentiment that a row does not have
_EXTRA = ("id", "date", "source", "genre")
_OPTIONAL = ("sentiment", "document", "spans", *_EXTRA)


@dataclass(frozen=True, slots=True)
class Source:
    """A corpus file."""

    name: str  # without endings
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True)
class Corpus:
    """Labelled pairs of a paragraph and an actor, one per row; texts and actors as written."""

    texts: tuple[str, ...]
    actors: tuple[str, ...]
    spans: tuple[list[tuple[int, int]] | None, ...]  # character offsets of the actor, if given
    stance: Ints  # 0 against, 1 neutral, 2 favor
    sentiment: Ints  # 0 negative, 1 neutral, 2 positive, `MISSING`
    document: Ints  # number of the unit that no split may cut
    source: Ints  # index into `sources`
    sources: tuple[Source, ...]
    marks: Fingerprints  # of the texts
    extra: Mapping[str, tuple[str, ...]]  # by column; "" where a file has none
    notes: tuple[str, ...]  # on how the files were read
    loose: int = 0  # rows that name no document, so that each of their texts is one

    def __len__(self) -> int:
        return len(self.texts)

    def places(self) -> list[tuple[str, int]]:
        """Return the file of each row, and its record number there, from 1."""
        first = np.searchsorted(self.source, self.source)
        names = [self.sources[source].name for source in self.source.tolist()]
        numbers = (np.arange(len(self)) - first + 1).tolist()
        return list(zip(names, numbers, strict=True))

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


@dataclass(slots=True)
class _Rows:
    """What has been read so far."""

    texts: list[str] = field(default_factory=list)
    actors: list[str] = field(default_factory=list)
    spans: list[list[tuple[int, int]] | None] = field(default_factory=list)
    stance: list[int] = field(default_factory=list)
    sentiment: list[int] = field(default_factory=list)
    document: list[str] = field(default_factory=list)
    source: list[int] = field(default_factory=list)
    extra: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in _EXTRA})


def bundled_corpus() -> Path:
    """Return the starter corpus that comes with the package."""
    bundled = Path(str(files("stance").joinpath("data/starter/starter_train.csv")))
    if bundled.is_file():
        return bundled
    return Path(__file__).parent.parent / "datasets" / "starter" / "starter_train.csv"


def read_corpus(
    paths: Sequence[Path | str], *, delimiter: str | None = None, encoding: str | None = None
) -> Corpus:
    """Read one or more files into one corpus; raise `DataError` where one cannot be used."""
    rows = _Rows()
    sources: list[Source] = []
    notes: list[str] = []
    for path in map(Path, paths):
        with open_table(path, delimiter=delimiter, encoding=encoding) as table:
            labels = _read_table(table, rows)
            notes += [*table.notes, *misnamed(table.columns, _OPTIONAL, table.name), *labels]
        count = len(rows.texts) - len(rows.source)
        if not count:
            raise DataError(f"{path}: no rows below the header; a corpus needs labelled rows")
        name = shown(path.name.split(".")[0], 100)
        rows.source += [len(sources)] * count
        sources.append(Source(name, hashlib.sha256(path.read_bytes()).hexdigest(), count))
    marks = fingerprint(rows.texts)
    return Corpus(
        texts=tuple(rows.texts),
        actors=tuple(rows.actors),
        spans=tuple(rows.spans),
        stance=np.array(rows.stance, np.int64),
        sentiment=np.array(rows.sentiment, np.int64),
        document=_documents(rows.document, rows.source, marks),
        source=np.array(rows.source, np.int64),
        sources=tuple(sources),
        marks=marks,
        extra={name: tuple(cells) for name, cells in rows.extra.items() if any(cells)},
        notes=tuple(dict.fromkeys(notes)),
        loose=rows.document.count(""),
    )


def _documents(names: Sequence[str], source: Sequence[int], marks: Fingerprints) -> Ints:
    """Group rows by document; rows without one, and equal texts, by their text."""
    keys = [
        key_of(f"{s}:{n}" if n else f"row {i}")
        for i, (s, n) in enumerate(zip(source, names, strict=True))
    ]
    alike = [] if all(names) else list(marks.bands.T)
    return linked_groups([np.array(keys, np.uint64), marks.exact, *alike])


def _read_table(table: Table, rows: _Rows) -> list[str]:
    """Add the table's rows; return notes on its labels."""
    needed = {name: column(table.columns, name, table.name) for name in ("text", "actor", "stance")}
    places = {name: at for at, name in enumerate(table.columns) if name in _OPTIONAL} | needed
    missing = dict.fromkeys(_OPTIONAL, "")
    stance = LabelReader(table.name, "stance", STANCES, tuple(Stance))
    sentiment = LabelReader(table.name, "sentiment", SENTIMENTS, tuple(Sentiment))
    for record in table:
        cells = missing | {name: record.cells[at] for name, at in places.items()}
        where = f"{table.name}:{record.line}"
        if not cells["actor"].strip():
            raise DataError(f"{where}: the actor is empty; name the actor that the row judges")
        rows.texts.append(cells["text"])
        rows.actors.append(cells["actor"].strip())
        rows.spans.append(parse_spans(cells["spans"], cells["text"], where))
        rows.stance.append(stance.read(cells["stance"], record))
        tone = cells["sentiment"]
        rows.sentiment.append(sentiment.read(tone, record) if tone.strip() else MISSING)
        rows.document.append(cells["document"])
        for name, kept in rows.extra.items():
            kept.append(cells[name])
    return [*stance.notes(), *sentiment.notes()]


class LabelReader:
    """Maps spellings of labels to numbers, and remembers which it met.

    `words` are the spellings beside the numeric scales, `labels` the proper ones by number.
    """

    def __init__(
        self, table: str, name: str, words: Mapping[str, int], labels: Sequence[str]
    ) -> None:
        self._table, self._name, self._words, self._labels = table, name, words, labels
        self._scale: Mapping[str, int] | None = None
        self._met: dict[str, int] = {}

    def read(self, cell: str, record: Record) -> int:
        """Return the number of the label in a cell; raise `DataError` if it means nothing."""
        if cell not in self._met:
            self._met[cell] = self._number(cell, record)
        return self._met[cell]

    def _number(self, cell: str, record: Record) -> int:
        word = cell.strip().lower()
        if word in self._words:
            return self._words[word]
        number = re.sub(r"^\+|\.0+$", "", word)
        scale = next((scale for scale in _SCALES if number in scale), None)
        if scale and self._scale in (None, scale):
            self._scale = scale
            return scale[number]
        what = f"{self._table}:{record.line}: {self._name} '{shown(cell)}' in row {record.number}"
        if scale:
            kept = ", ".join(self._scale or {})
            raise DataError(f"{what} mixes two scales; the rows before use {kept}; use one")
        raise DataError(f"{what} is not a label; use {', '.join(self._labels)}")

    def notes(self) -> Iterator[str]:
        """Yield the mapping, unless every label was spelled as it should be."""
        odd = {cell: n for cell, n in self._met.items() if cell != self._labels[n]}
        if odd:
            pairs = [f"{shown(cell)} -> {self._labels[n]}" for cell, n in sorted(odd.items())]
            yield f"{self._table}: {self._name} labels read as {', '.join(pairs)}"


def sentiment_rows(corpus: Corpus) -> Ints:
    """Return the first row of each paragraph that has a sentiment label."""
    labelled = np.flatnonzero(corpus.sentiment != MISSING)
    _, first = np.unique(corpus.marks.exact[labelled], return_index=True)
    return labelled[np.sort(first)]
