"""Labelled corpora: read, checked, grouped by document."""

import dataclasses
import re
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from importlib.resources import files
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, Unpack, cast

import numpy as np
from numpy.typing import NDArray

from stance.arrays import Bools, Floats, Ints, Keys
from stance.codings import Codings, settle
from stance.display import brief, count, shown
from stance.errors import DataError, UsageError
from stance.files import file_hash
from stance.reading.keys import Fingerprints, fingerprint, join_keys, key_of, linked_groups
from stance.reading.spans import parse_spans
from stance.records import NEUTRAL, Holder, Sentiment, Stance
from stance.tables import (
    DateColumn,
    Form,
    Record,
    Table,
    column,
    iso_dates,
    months_of,
    open_table,
    optional_column,
    read_as,
    read_pattern,
)

_SCALES: tuple[Mapping[str, int], ...] = ({"-1": 0, "0": 1, "1": 2}, {"2": 0, "4": 1, "6": 2})
"""Numeric codings; a column must keep to one of them."""

STANCES: Mapping[str, int] = {
    **dict.fromkeys(("against", "anti", "con", "oppose", "opposed", "negative", "neg"), 0),
    **dict.fromkeys(("neutral", "neu", "none", "neither"), 1),
    **dict.fromkeys(("favor", "favour", "pro", "support", "supportive", "positive", "pos"), 2),
}
"""Number of each spelling of a stance."""

SENTIMENTS: Mapping[str, int] = {
    **dict.fromkeys(("negative", "neg"), 0),
    **dict.fromkeys(("neutral", "neu", "none"), 1),
    **dict.fromkeys(("positive", "pos"), 2),
}

MISSING = -1  # number of a sentiment that a row does not have
SOFT = tuple(f"stance_{label}" for label in Stance)  # columns that may stand in place of `stance`
SUM_ERROR = 1e-3  # how far the soft labels of a row may be from a sum of 1
LEAST_DRAWN = 200  # rows drawn at random that are enough to calibrate by
HOLDERS = ("author", "other")  # holders of a stance that are not named
LONGEST_HOLDER = 200

_FLAGS = {"1": True, "true": True, "0": False, "false": False, "": False}
_EXTRA = ("id", "date", "source", "genre", "drawn")
ROLES = ("text", "actor", "stance", "document", "date")
"""Columns that may have another name, by an option such as ``--text-column``."""
OPTIONAL = ("sentiment", "document", "spans", "holder", "false_match", "coder", *SOFT, *_EXTRA)


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
    codings: Codings | None = None  #: what several coders said, where the files have them

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
            holder=tuple(self.holder[row] for row in kept),
            false_match=self.false_match[rows],
            soft=None if self.soft is None else self.soft[rows],
            number=self.number[rows],
            codings=self.codings and self.codings.take(rows),
            judged=self.judged[rows],
            extra={name: tuple(cells[row] for row in kept) for name, cells in self.extra.items()},
        )


class Row(NamedTuple):
    """A labelled row as it is read; see `Corpus`."""

    text: str
    actor: str
    spans: list[tuple[int, int]] | None
    stance: int
    sentiment: int
    document: str  # its name; empty without one
    holder: str | None
    false_match: bool
    soft: list[float] | None
    judged: bool
    number: int
    line: int  # where its record starts
    coder: str
    extra: tuple[str, ...]  # cells of the columns asked for


@dataclass(slots=True)
class _Rows:
    """What has been read so far, by column."""

    texts: list[str] = field(default_factory=list)
    actors: list[str] = field(default_factory=list)
    spans: list[list[tuple[int, int]] | None] = field(default_factory=list)
    stance: list[int] = field(default_factory=list)
    sentiment: list[int] = field(default_factory=list)
    document: list[str] = field(default_factory=list)
    holder: list[str | None] = field(default_factory=list)
    false_match: list[bool] = field(default_factory=list)
    soft: list[list[float] | None] = field(default_factory=list)
    judged: list[bool] = field(default_factory=list)
    number: list[int] = field(default_factory=list)
    coder: list[str] = field(default_factory=list)
    source: list[int] = field(default_factory=list)
    extra: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in _EXTRA})

    def add(self, row: Row, source: int) -> None:
        self.texts.append(row.text)
        self.actors.append(row.actor)
        self.spans.append(row.spans)
        self.stance.append(row.stance)
        self.sentiment.append(row.sentiment)
        self.document.append(row.document)
        self.holder.append(row.holder)
        self.false_match.append(row.false_match)
        self.soft.append(row.soft)
        self.judged.append(row.judged)
        self.number.append(row.number)
        self.coder.append(row.coder)
        self.source.append(source)
        for kept, cell in zip(self.extra.values(), row.extra, strict=True):
            kept.append(cell)


def bundled_corpus() -> Path:
    """Return the starter corpus that comes with the package."""
    bundled = Path(str(files("stance").joinpath("data/starter/starter_train.csv")))
    if bundled.is_file():
        return bundled
    return Path(__file__).parent.parent / "datasets" / "starter" / "starter_train.csv"


def parse_labels(option: str | None) -> dict[str, str]:
    """Read ``SPELLING=LABEL,...`` as the labels that spellings of a stance stand for.

    >>> parse_labels("0=against,1=favor")
    {'0': 'against', '1': 'favor'}
    """
    pairs = [part.rpartition("=") for part in (option or "").split(",") if part.strip()]
    for spelling, _, label in pairs:
        if not spelling.strip() or label.strip().lower() not in STANCES:
            raise UsageError(
                f"--labels: '{shown(f'{spelling}={label}' if spelling else label)}' must be "
                f"SPELLING=LABEL, the label one of {', '.join(Stance)}"
            )
    return {spelling.strip(): label.strip() for spelling, _, label in pairs}


def stance_spellings(labels: Mapping[str, str] | None) -> Mapping[str, int]:
    """Return the number of each spelling of a stance, with the user's own ones."""
    own = {word.lower(): STANCES[label.lower()] for word, label in (labels or {}).items()}
    return {**STANCES, **own}


class CorpusForm(Form, total=False):
    """What a user says of labelled tables; see `read_corpus`."""

    labels: Mapping[str, str] | None
    columns: Mapping[str, str] | None
    date_format: str | None


def table_form(form: CorpusForm) -> Form:
    """Return what a user says of the form alone."""
    labelled = CorpusForm.__annotations__.keys() - Form.__annotations__.keys()
    return cast(Form, {key: value for key, value in form.items() if key not in labelled})


def read_corpus(
    paths: Sequence[Path | str],
    *,
    labels: Mapping[str, str] | None = None,
    columns: Mapping[str, str] | None = None,
    date_format: str | None = None,
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
    rows = _Rows()
    sources: list[Source] = []
    notes: list[str] = []
    for path in map(Path, paths):
        with open_table(path, **form) as table:
            own = LabelledRows(table, labels, columns, date_format)
            first = len(rows.source)
            for row in own:
                rows.add(row, len(sources))
        notes += own.notes
        rows.extra["date"][first:] = iso_dates(rows.extra["date"][first:], own.dates)
        name, sha256 = shown(path.name.split(".")[0], 100), file_hash(path)
        sources.append(Source(name, sha256, len(rows.source) - first))
    codings, told = _settle(rows)
    notes += told
    sizes = np.bincount(rows.source, minlength=len(sources)).tolist()
    sources = [dataclasses.replace(own, rows=n) for own, n in zip(sources, sizes, strict=True)]
    marks, source = fingerprint(rows.texts), np.array(rows.source, np.int64)
    names = np.array(list(map(key_of, rows.document)), np.uint64)
    return Corpus(
        texts=tuple(rows.texts),
        actors=tuple(rows.actors),
        spans=tuple(rows.spans),
        stance=np.array(rows.stance, np.int64),
        sentiment=np.array(rows.sentiment, np.int64),
        document=group_documents(names, source, marks.exact, list(marks.bands.T)),
        source=source,
        sources=tuple(sources),
        marks=marks,
        holder=tuple(rows.holder),
        false_match=np.array(rows.false_match, np.bool_),
        soft=_soft_array(rows),
        judged=np.array(rows.judged, np.bool_),
        extra={name: tuple(cells) for name, cells in rows.extra.items() if any(cells)},
        notes=tuple(dict.fromkeys(notes)),
        number=np.array(rows.number, np.int64),
        loose=rows.document.count(""),
        codings=codings,
    )


def _settle(rows: _Rows) -> tuple[Codings | None, list[str]]:
    """Make one row of those of several coders on one pair; return their codings, and notes."""
    if not any(rows.coder):
        return None, []
    spans = [tuple(places or ()) for places in rows.spans]
    pairs = list(zip(rows.source, rows.texts, rows.actors, spans, strict=True))
    found = settle(pairs, rows.coder, rows.stance, rows.soft)
    if found.codings is None:
        return None, []
    for part in fields(rows):
        if isinstance(cells := getattr(rows, part.name), list):
            setattr(rows, part.name, [cells[row] for row in found.kept])
    rows.extra = {name: [cells[row] for row in found.kept] for name, cells in rows.extra.items()}
    rows.stance, rows.soft = found.stance, found.soft
    return found.codings, [found.note]


def group_documents(names: Keys, source: NDArray[Any], exact: Keys, bands: Iterable[Keys]) -> Ints:
    """Group rows by document; rows without one, and equal texts, by their text.

    ``names`` are keys of the documents' names; of a text's marks, bands may come one by one.
    """
    nameless = names == np.uint64(key_of(""))
    own = np.where(nameless, np.arange(len(names)), source).astype(np.uint64)
    keys = join_keys(key_of("document"), names, own)
    return linked_groups(chain([keys, exact], bands if nameless.any() else ()))


def _soft_array(rows: _Rows) -> Floats | None:
    if not any(rows.soft):
        return None
    hard = np.eye(len(Stance))
    return np.array([own or hard[n] for own, n in zip(rows.soft, rows.stance, strict=True)])


def _places(table: Table, names: Mapping[str, str]) -> dict[str, int]:
    """Return where the columns of a corpus stand in a table that has its own names for some."""
    found = {}
    for name in ("text", "actor", "stance", *OPTIONAL):
        at = optional_column(table.columns, names.get(name, name), table.name)
        if at is not None:
            found[name] = at
    needed = ["text", "actor"] + ["stance"] * (not set(SOFT) <= set(found))
    for name in dict.fromkeys((*needed, *names)):
        option = f"--{name}-column" if name in ROLES else ""
        found[name] = column(table.columns, names.get(name, name), table.name, option)
    return found


class LabelledRows:
    """The rows of a labelled table, checked one by one; the form is as in `read_corpus`.

    After the last row, `notes` are on how the table was read, and `dates` is how its dates are.
    """

    def __init__(
        self,
        table: Table,
        labels: Mapping[str, str] | None,
        columns: Mapping[str, str] | None,
        date_format: str | None,
        extra: Sequence[str] = _EXTRA,
    ) -> None:
        self._table, self._columns, self._extra = table, columns or {}, extra
        self._stance = LabelReader(table.name, "stance", stance_spellings(labels), tuple(Stance))
        self._sentiment = LabelReader(table.name, "sentiment", SENTIMENTS, tuple(Sentiment))
        self._asked = read_pattern(date_format)
        self.notes: list[str] = []
        self.dates = self._asked

    def __iter__(self) -> Iterator[Row]:
        table = self._table
        places = _places(table, self._columns)
        others = [name for name in self._extra if name not in places]
        found = {name: optional_column(table.columns, name, table.name) for name in others}
        cells_at = places | {name: at for name, at in found.items() if at is not None}
        missing = dict.fromkeys(("stance", *OPTIONAL, *self._extra), "")
        dates, lines, soft = list[str](), array("q"), 0
        known: dict[str, str] = {}  # so that each name or date is kept once
        for record in table:
            cells = missing | {name: record.cells[at] for name, at in cells_at.items()}
            row = self._read(record, cells, known)
            lines.append(record.line)
            dates.append(known.setdefault(cells["date"], cells["date"]))
            soft += row.soft is not None
            yield row
        if not lines:
            raise DataError(f"{table.name}: no rows below the header; a corpus needs labelled rows")
        wanted = [self._columns.get(name, name) for name in places]
        told = [*read_as(table.columns, wanted, table.name), *self._stance.notes()]
        self.notes += [*table.notes, *told, *self._sentiment.notes()]
        column = DateColumn(table.name, self._columns.get("date", "date"), self._asked)
        if any(dates):
            self.dates = column.decide(dates, lines)
        self.notes += column.notes()
        if soft:
            rows_of = f"{count(soft, 'row')} with soft labels ({', '.join(SOFT)})"
            said = f"{table.name}: {rows_of}: train learns from them instead of stance"
            self.notes.append(said)

    def _read(self, record: Record, cells: Mapping[str, str], known: dict[str, str]) -> Row:
        where = f"{self._table.name}:{record.line}"
        actor = cells["actor"].strip()
        if not actor:
            raise DataError(f"{where}: the actor is empty; name the actor that the row judges")
        spans = parse_spans(cells["spans"], cells["text"], where)
        holder = _read_holder(cells["holder"], where)
        false_match = _read_flag(cells["false_match"], where)
        soft = _read_soft([cells[name] for name in SOFT], where)
        tone = cells["sentiment"]
        return Row(
            text=cells["text"],
            actor=known.setdefault(actor, actor),
            spans=spans,
            stance=_read_stance(cells["stance"], record, self._stance, false_match, soft),
            sentiment=self._sentiment.read(tone, record) if tone.strip() else MISSING,
            document=cells["document"],
            holder=holder and known.setdefault(holder, holder),
            false_match=false_match,
            soft=soft,
            judged=bool(cells["stance"].strip()) or false_match,
            number=record.number,
            line=record.line,
            coder=cells["coder"].strip(),
            extra=tuple(cells[name] for name in self._extra),
        )


def _read_stance(
    cell: str, record: Record, reader: "LabelReader", false_match: bool, soft: list[float] | None
) -> int:
    """Return the stance of a row: of an empty cell what the others imply."""
    if not cell.strip():
        if false_match:
            return NEUTRAL
        if soft:
            return soft.index(max(soft))
    return reader.read(cell, record)


def _read_holder(cell: str, where: str) -> str | None:
    name = cell.strip()
    if len(name) > LONGEST_HOLDER or not name.isprintable():
        raise DataError(f"{where}: holder '{shown(name)}' is not author, other or an actor's name")
    return (name.lower() if name.lower() in HOLDERS else name) or None


def _read_flag(cell: str, where: str) -> bool:
    found = _FLAGS.get(re.sub(r"\.0+$", "", cell.strip().lower()))
    if found is None:
        raise DataError(f"{where}: false_match '{shown(cell)}' is not 1 or 0; leave it empty for 0")
    return found


def _read_soft(cells: Sequence[str], where: str) -> list[float] | None:
    """Return a row's soft labels, which sum to 1; None if it has none."""
    if not any(cell.strip() for cell in cells):
        return None
    try:
        found = [float(cell) for cell in cells]
    except ValueError:
        found = []
    total = sum(found)
    if not found or not min(found) >= 0 or not abs(total - 1) <= SUM_ERROR:
        raise DataError(
            f"{where}: {', '.join(SOFT)} '{shown(' '.join(cells))}' are not probabilities that "
            "sum to 1; correct them, or leave all three empty"
        )
    return [each / total for each in found]


class LabelReader:
    """Maps spellings of labels to numbers, and remembers which it met.

    `words` are the spellings beside the numeric scales, `labels` the proper ones by number.
    """

    def __init__(
        self, table: str, name: str, words: Mapping[str, int], labels: Sequence[str]
    ) -> None:
        self._table, self._name, self._words, self._labels = table, name, words, labels
        self._scale: Mapping[str, int] | None = None
        self._digits: set[str] = set()  # labels that were read by the scale
        self._met: dict[str, int] = {}

    def read(self, cell: str, record: Record) -> int:
        """Return the number of the label in a cell; raise `DataError` if it means nothing."""
        if cell not in self._met:
            self._met[cell] = self._number(cell, record)
        return self._met[cell]

    def _number(self, cell: str, record: Record) -> int:
        word = cell.strip().lower()
        number = re.sub(r"^\+|\.0+$", "", word)
        for spelling in {word: 0, number: 0}:
            if spelling in self._words:
                return self._words[spelling]
        scale = next((scale for scale in _SCALES if number in scale), None)
        if scale and self._scale in (None, scale):
            self._scale = scale
            self._digits.add(number)
            return scale[number]
        what = f"{self._table}:{record.line}: {self._name} '{shown(cell)}' in row {record.number}"
        if scale:
            kept = ", ".join(self._scale or {})
            raise DataError(f"{what} mixes two scales; the rows before use {kept}; use one")
        advice = f"use {', '.join(self._labels)}"
        if self._labels == tuple(Stance) and re.fullmatch(r"[\w -]{1,30}", word):
            advice += f", or say what it means, such as --labels '{word}=neutral'"
        raise DataError(f"{what} is not a label; {advice}")

    def refuse_guess(self) -> None:
        """Raise if the numbers met are 0 and 1 alone, which may mean anything."""
        if self._digits == {"0", "1"}:
            how = f"write {', '.join(self._labels)}"
            if self._labels == tuple(Stance):
                how = "say what they mean, such as --labels 0=against,1=favor"
            raise DataError(f"{self._table}: {self._name} has no numbers but 0 and 1; {how}")

    def notes(self) -> Iterator[str]:
        """Yield the mapping, unless every label was spelled as it should be."""
        self.refuse_guess()
        odd = {cell: n for cell, n in self._met.items() if cell != self._labels[n]}
        if odd:
            pairs = [f"{shown(cell)} -> {self._labels[n]}" for cell, n in sorted(odd.items())]
            yield f"{self._table}: {self._name} labels read as {', '.join(pairs)}"


def sentiment_rows(corpus: Corpus) -> Ints:
    """Return the first row of each paragraph that has a sentiment label."""
    labelled = np.flatnonzero(corpus.sentiment != MISSING)
    _, first = np.unique(corpus.marks.exact[labelled], return_index=True)
    return labelled[np.sort(first)]


def holder_kind(name: str | None) -> int:
    """Return the number of a holder among `Holder`; `MISSING` where nobody says.

    >>> holder_kind("author"), holder_kind("Russia"), holder_kind("other"), holder_kind(None)
    (0, 1, 2, -1)
    """
    kinds = {None: MISSING, "": MISSING, Holder.AUTHOR: 0, Holder.OTHER: 2}
    return kinds.get(name, 1)


def holder_kinds(corpus: Corpus) -> Ints:
    """Return the number of each row's holder among `Holder`, or `MISSING`."""
    return np.array(list(map(holder_kind, corpus.holder)), np.int64)


def holder_rows(corpus: Corpus) -> Ints:
    """Return the rows that take a stance and say whose it is."""
    return np.flatnonzero((corpus.stance != NEUTRAL) & (holder_kinds(corpus) != MISSING))
