"""Labelled corpora: rows by column, those of several coders joined, grouped by document."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from itertools import chain, islice
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from stance.annotations import Annotations, merge_coders
from stance.arrays import Bools, Floats, Ints, Keys
from stance.corpus._rows import EXTRA, LabelledRows, Row
from stance.display import brief, shown
from stance.files import file_hash
from stance.label_values import MISSING, holder_kind
from stance.reading.keys import (
    Fingerprints,
    fingerprint,
    join_keys,
    key_of,
    keys_of,
    linked_groups,
)
from stance.records import NEUTRAL, Stance
from stance.tables import Form, iso_dates, months_of, open_table

LEAST_DRAWN = 200  # rows drawn at random that are enough to calibrate by
_ROWS = 250  # turned into columns at a time: so few that Python does not look for garbage


@dataclass(frozen=True, slots=True)
class Source:
    """A corpus file."""

    name: str  #: without endings
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True)
class Corpus:
    """Labelled pairs of a paragraph and an actor, one per row; texts and actors as written."""

    texts: tuple[str, ...]
    actors: tuple[str, ...]
    spans: tuple[list[tuple[int, int]] | None, ...]  #: character offsets of the actor, if given
    stance: Ints  #: 0 against, 1 neutral, 2 favor
    sentiment: Ints  #: 0 negative, 1 neutral, 2 positive, `MISSING`
    document: Ints  #: number of the unit that no split may cut
    source: Ints  #: index into `sources`
    sources: tuple[Source, ...]
    marks: Fingerprints  #: of the texts
    holder: tuple[str | None, ...]  #: author, other, an actor's name; None where nobody says
    false_match: Bools  #: whether what looks like the actor's name means something else
    soft: Floats | None  #: probabilities of stances to learn from; None if no row has any
    judged: Bools  #: rows whose stance somebody has given, not only soft labels
    #: By column; "" where a file has none. Dates with two readings stand as 2024-03-09.
    extra: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]  #: on how the files were read
    number: Ints  #: of each row's record in its file, from 1
    loose: int = 0  #: rows that name no document, so that each of their texts is one
    annotations: Annotations | None = None  #: what several coders said, where the files have them

    def __len__(self) -> int:
        return len(self.texts)

    def __repr__(self) -> str:
        documents = len(np.unique(self.document))
        files = [source.name for source in self.sources]
        return brief("Corpus", rows=len(self), documents=documents, files=files)

    @property
    def months(self) -> Ints:
        """When each text was written, as `stance.tables.months_of` counts it."""
        return months_of(self.extra.get("date", [""] * len(self)))

    @property
    def typical(self) -> Bools:
        """Rows that are a random sample of what is to be judged, by their column ``drawn``.

        All of them if hardly any says so.
        """
        drawn = np.array([cell.strip() == "random" for cell in self.extra.get("drawn", ())])
        return drawn if drawn.sum() >= LEAST_DRAWN else np.ones(len(self), np.bool_)

    def places(self) -> list[tuple[str, int]]:
        """Return the file of each row, and its record number there, from 1."""
        names = [self.sources[source].name for source in self.source.tolist()]
        return list(zip(names, self.number.tolist(), strict=True))

    def take(self, rows: Ints) -> "Corpus":
        """Return a corpus of some rows; documents keep their numbers, files their counts."""
        kept = rows.tolist()
        changed: dict[str, Any] = {name: getattr(self, name)[rows] for name in _NUMBERS}
        for name in _CELLS:
            changed[name] = tuple(map(getattr(self, name).__getitem__, kept))
        return replace(
            self,
            **changed,
            marks=Fingerprints(self.marks.exact[rows], self.marks.bands[rows]),
            soft=None if self.soft is None else self.soft[rows],
            annotations=self.annotations and self.annotations.take(rows),
            extra={name: tuple(cells[row] for row in kept) for name, cells in self.extra.items()},
        )


_CELLS = ("texts", "actors", "spans", "holder")
_NUMBERS = ("stance", "sentiment", "document", "source", "false_match", "judged", "number")


def bundled_corpus() -> Path:
    """Return the starter corpus that comes with the package."""
    bundled = Path(str(files("stance").joinpath("data/starter/starter_train.csv")))
    if bundled.is_file():
        return bundled
    return Path(__file__).parents[2] / "datasets" / "starter" / "starter_train.csv"


def read_corpus(
    paths: Sequence[Path | str],
    *,
    labels: Mapping[str, str] | None = None,
    columns: Mapping[str, str] | None = None,
    date_format: str | None = None,
    keep: Sequence[str] = (),
    **form: Unpack[Form],
) -> Corpus:
    """Read one or more files into one corpus.

    Parameters
    ----------
    paths : sequence of Path or str
        Tables of labelled pairs of a paragraph and an actor, of any kind that ``stance`` reads.
    labels : mapping of str to str, optional
        The files' own spellings of stances, such as {"0": "against", "1": "favor"}.
    columns : mapping of str to str, optional
        The files' own names of the columns text, actor, stance, document or date, by these.
    date_format : str, optional
        Pattern of `datetime.strptime`, for dates with two readings.
    keep : sequence of str
        Columns to keep in `Corpus.extra` beside those that it always has.
    **form
        Delimiter and encoding, as of `stance.tables.open_table`.

    Returns
    -------
    Corpus
        Rows of several coders on one pair joined to one.

    Raises
    ------
    DataError
        If a file cannot be used: the message names file, line and what to do.
    """
    found = _Columns(keep)
    sources, notes = list[Source](), list[str]()
    for path in map(Path, paths):
        with open_table(path, **form) as table:
            own = LabelledRows(table, labels, columns, date_format, tuple(found.extra))
            before = len(found)
            found.add(own, len(sources))
        notes += own.notes
        found.cells["date"][before:] = iso_dates(found.cells["date"][before:], own.dates)
        name = shown(path.name.split(".")[0], 100)
        sources.append(Source(name, file_hash(path), len(found) - before))
    return _corpus(found, sources, notes)


def corpus_of(rows: Iterable[Row], source: Source) -> Corpus:
    """Return rows of one source as a corpus, those of several coders on one pair joined to one."""
    found = _Columns()
    found.add(rows, 0)
    return _corpus(found, [source], [])


class _Columns:
    """Rows stored by column: a million records would take far more memory."""

    def __init__(self, keep: Sequence[str] = ()) -> None:
        cells = ("text", "actor", "spans", "holder", "soft", "date", "coder")
        numbers = ("stance", "sentiment", "number", "false_match", "judged")
        self.cells: dict[str, list[Any]] = {name: [] for name in cells}
        self.extra: dict[str, list[str]] = {name: [] for name in (*EXTRA, *keep)}
        self._numbers = {name: array("q") for name in numbers}
        self._source, self._names = array("q"), array("Q")

    def __len__(self) -> int:
        return len(self._source)

    def add(self, rows: Iterable[Row], source: int) -> None:
        """Add the rows of a source."""
        rows = iter(rows)
        while part := list(islice(rows, _ROWS)):
            columns = dict(zip(Row._fields, zip(*part, strict=True), strict=True))
            for name, cells in self.cells.items():
                cells += columns[name]
            for name, numbers in self._numbers.items():
                numbers.extend(columns[name])
            extra = zip(*columns["extra"], strict=True)
            for cells, own in zip(self.extra.values(), extra, strict=False):
                cells += own
            self._source.extend([source] * len(part))
            self._names.extend(keys_of(columns["document"]).tolist())

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the columns of numbers, and as ``names`` keys of the documents' names."""
        found = {name: np.array(own, np.int64) for name, own in self._numbers.items()}
        names = np.array(self._names, np.uint64)
        return found | {"source": np.array(self._source, np.int64), "names": names}


def _corpus(found: _Columns, sources: Sequence[Source], notes: Sequence[str]) -> Corpus:
    """Return rows as a corpus, those of several coders on one pair joined to one."""
    arrays, cells, annotations = found.arrays(), found.cells, None
    extra = {name: own for name, own in found.extra.items() if own}
    if any(cells["coder"]):
        spans = [tuple(own or ()) for own in cells["spans"]]
        pairs = [*zip(arrays["source"].tolist(), cells["text"], cells["actor"], spans, strict=True)]
        merged = merge_coders(pairs, cells["coder"], arrays["stance"].tolist(), cells["soft"])
        kept, annotations = np.array(merged.kept, np.int64), merged.annotations
        arrays = {name: own[kept] for name, own in arrays.items()}
        cells, extra = (
            {name: [own[at] for at in merged.kept] for name, own in columns.items()}
            for columns in (cells, extra)
        )
        arrays["stance"], cells["soft"] = np.array(merged.stance, np.int64), merged.soft
        notes = [*notes, *[merged.note] * (annotations is not None)]
    marks, names, source = fingerprint(cells["text"]), arrays["names"], arrays["source"]
    sizes = np.bincount(source, minlength=len(sources)).tolist()
    extra = {"date": cells["date"], **extra}
    return Corpus(
        texts=tuple(cells["text"]),
        actors=tuple(cells["actor"]),
        spans=tuple(cells["spans"]),
        stance=arrays["stance"],
        sentiment=arrays["sentiment"],
        document=group_documents(names, source, marks.exact, list(marks.bands.T)),
        source=source,
        sources=tuple(replace(own, rows=n) for own, n in zip(sources, sizes, strict=True)),
        marks=marks,
        holder=tuple(cells["holder"]),
        false_match=arrays["false_match"] > 0,
        soft=_soft_labels(cells["soft"], arrays["stance"]),
        judged=arrays["judged"] > 0,
        extra={name: tuple(own) for name, own in extra.items() if any(own)},
        notes=tuple(dict.fromkeys(notes)),
        number=arrays["number"],
        loose=int((names == _NAMELESS).sum()),
        annotations=annotations,
    )


_NAMELESS = np.uint64(key_of(""))


def group_documents(names: Keys, source: NDArray[Any], exact: Keys, bands: Iterable[Keys]) -> Ints:
    """Group rows by document; rows without one, and equal texts, by their text.

    ``names`` are keys of the documents' names; of a text's marks, bands may come one by one.
    """
    nameless = names == _NAMELESS
    own = source.astype(np.uint64)
    own[nameless] = np.flatnonzero(nameless)
    keys = join_keys(key_of("document"), names, own)
    del names, own  # in a long corpus they would take much memory
    return linked_groups(chain([keys, exact], bands if nameless.any() else ()))


def _soft_labels(soft: Sequence[list[float] | None], stance: Ints) -> Floats | None:
    if not any(soft):
        return None
    hard = np.eye(len(Stance))
    return np.array([own or hard[label] for own, label in zip(soft, stance, strict=True)])


def sentiment_rows(corpus: Corpus) -> Ints:
    """Return the first row of each paragraph that has a sentiment label."""
    labelled = np.flatnonzero(corpus.sentiment != MISSING)
    _, first = np.unique(corpus.marks.exact[labelled], return_index=True)
    return labelled[np.sort(first)]


def holder_kinds(corpus: Corpus) -> Ints:
    """Return the number of each row's holder among `Holder`, or `MISSING`."""
    kinds = {name: holder_kind(name) for name in set(corpus.holder)}
    return np.array([*map(kinds.__getitem__, corpus.holder)], np.int64)


def holder_rows(corpus: Corpus) -> Ints:
    """Return the rows that take a stance and say whose it is."""
    return np.flatnonzero((corpus.stance != NEUTRAL) & (holder_kinds(corpus) != MISSING))
