"""Labelled corpora: read, checked, those of several coders joined, grouped by document."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Unpack, cast

import numpy as np

from stance.arrays import Bools, Floats, Ints
from stance.corpus.rows import EXTRA, MISSING, CorpusForm, Row, read_rows
from stance.display import count, shown, shown_path
from stance.errors import DataError
from stance.files import DATA, file_hash, same_file
from stance.reading.keys import TextHashes, hash_texts, keys_of, linked_groups
from stance.records import ADJUDICATED, NEUTRAL, Form, Stance
from stance.tables import months_of, open_table

LEAST_DRAWN = 200  # rows drawn at random that are enough to calibrate by
MOST_JOINED = 10  # documents that a recurring text may make one without a note


@dataclass(frozen=True, slots=True)
class Source:
    """A corpus file."""

    name: str  #: without endings
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True, repr=False, eq=False)
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
    marks: TextHashes  #: of the texts
    holder: tuple[str | None, ...]  #: author, other, an actor's name; None where nobody says
    soft: Floats | None  #: probabilities of stances to learn from; None if no row has any
    judged: Bools  #: rows whose stance somebody has given, not only soft labels
    #: By column, unless it is empty. Dates with two readings stand as 2024-03-09.
    extra: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]  #: on how the files were read
    number: Ints  #: of each row's record in its file, from 1
    loose: Bools  #: rows that name no document, so that each of their texts is one
    coders: tuple[str, ...]  #: names of those whose codings of the same pairs were joined
    codes: Ints  #: stances that they gave, of shape (n_rows, n_coders); `MISSING` where none

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def months(self) -> Ints:
        """When each text was written, as `stance.tables.months_of` counts it."""
        return months_of(self.extra.get("date", [""] * len(self)))

    @property
    def pairs(self) -> dict[str, Any]:
        """What `StanceModel.judge` is asked, by the names of its parameters."""
        asked = {"texts": self.texts, "actors": self.actors, "spans": self.spans}
        return asked | {"months": self.months, "before": self.extra.get("before")}

    @property
    def typical(self) -> Bools:
        """Rows drawn at random from what is to be judged, by column ``drawn``; all if few are."""
        drawn = np.array([cell.strip() == "random" for cell in self.extra.get("drawn", ())])
        return drawn if drawn.sum() >= LEAST_DRAWN else np.ones(len(self), np.bool_)

    def take(self, rows: Ints) -> "Corpus":
        """Return a corpus of some rows; documents keep their numbers, files their counts."""
        kept, cells = rows.tolist(), {f.name: getattr(self, f.name) for f in fields(self)}
        taken: dict[str, Any] = {n: c[rows] for n, c in cells.items() if isinstance(c, np.ndarray)}
        for name in ("texts", "actors", "spans", "holder"):
            taken[name] = tuple(map(cells[name].__getitem__, kept))
        extra = {name: tuple(cells[row] for row in kept) for name, cells in self.extra.items()}
        marks = TextHashes(self.marks.exact[rows], self.marks.bands[rows])
        return replace(self, **taken, extra=extra, marks=marks)


def bundled_corpus() -> Path:
    """Return the starter corpus that comes with the package."""
    bundled = DATA / "starter/starter_train.csv"
    return bundled if bundled.is_file() else DATA.parents[1] / "datasets/starter/starter_train.csv"


def read_corpus(paths: Sequence[Path | str] | str, **form: Unpack[CorpusForm]) -> Corpus:
    """Read one or more files into one corpus.

    Parameters
    ----------
    paths : sequence of Path or str, or a str
        Tables of labelled pairs of a paragraph and an actor, of any kind that ``stance`` reads.
    labels : mapping, optional
        The files' own spellings of stances, such as {"0": "against", "1": "favor"}.
    date_format : str, optional
        Pattern of `datetime.strptime`, for dates with two readings.
    actor : str, optional
        The actor of all rows, where the files have no column of it.
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
    if unknown := form.keys() - CorpusForm.__annotations__.keys():
        raise TypeError(f"read_corpus() got an unexpected keyword argument '{min(unknown)}'")
    if hasattr(paths, "columns"):
        raise TypeError("paths is a data frame; name files, or fit a StanceClassifier to the frame")
    plain = cast(Form, {key: value for key, value in form.items() if key in Form.__annotations__})
    rows, sources, notes = list[Row](), list[Source](), list[str]()
    named = [*map(Path, [paths] if isinstance(paths, str | Path) else paths)]
    if not named:
        raise DataError("no corpus is named; name a labelled table")
    for place, path in enumerate(named):
        with open_table(path, actor=form.get("actor"), **plain) as table:
            if any(same_file(path, other) for other in named[:place]):
                raise DataError(f"{shown_path(path)}: is named twice; name each file once")
            more, remarks = read_rows(table, len(sources), form)
        rows += more
        notes += remarks
        sources.append(Source(shown(path.name.split(".")[0], 100), file_hash(path), len(more)))
    return corpus_of(rows, *sources, notes=notes)


def corpus_of(rows: Sequence[Row], *sources: Source, notes: Sequence[str] = ()) -> Corpus:
    """Return rows as a corpus, those of several coders joined, equal texts in one document."""
    rows, coders, codes, note = merge_coders(rows)
    cells: dict[str, Any] = dict(zip(Row._fields, zip(*rows, strict=True), strict=True))
    numbers = ("stance", "sentiment", "source", "number")
    arrays = {name: np.array(cells[name], np.int64) for name in numbers}
    sizes = np.bincount(arrays["source"], minlength=len(sources)).tolist()
    hard, given = np.eye(len(Stance)), list(zip(cells["soft"], cells["stance"], strict=True))
    columns = cells["date"], cells["before"], *zip(*cells["extra"], strict=True)
    extra = dict(zip(("date", "before", *EXTRA), columns, strict=True))
    names, marks = cells["document"], hash_texts(cells["text"])
    units = keys_of(name or f" {row}" for row, name in enumerate(names))  # no name begins so
    exact, *bands = marks.columns()
    noted = _document_notes(names, cells["source"], cells["text"], exact.tolist())
    return Corpus(
        texts=cells["text"],
        actors=cells["actor"],
        spans=cells["spans"],
        **arrays,
        document=linked_groups([units, exact, *(bands if "" in names else ())]),
        sources=tuple(replace(file, rows=n) for file, n in zip(sources, sizes, strict=True)),
        marks=marks,
        holder=cells["holder"],
        soft=np.array([soft or hard[n] for soft, n in given]) if any(cells["soft"]) else None,
        judged=np.array(cells["judged"]),
        extra={name: column for name, column in extra.items() if any(column)},
        notes=tuple(dict.fromkeys(filter(None, (*notes, note, *noted)))),
        loose=np.array([not name for name in names], np.bool_),
        coders=coders,
        codes=codes,
    )


def _document_notes(
    names: Sequence[str], sources: Sequence[int], texts: Sequence[str], keys: Sequence[int]
) -> Iterator[str]:
    """Yield which text joins many documents, and which documents are in several files."""
    uses = Counter(key for key, name in {*zip(keys, names, strict=True)} if name)
    for key, size in uses.most_common(1):
        if size > MOST_JOINED:
            text = shown(texts[keys.index(key)], 50)
            yield f"{size:,} documents count as one, as they share '{text}'; leave such rows out"
    files = Counter(name for name, _ in {*zip(names, sources, strict=True)} if name)
    if both := sorted(name for name, number in files.items() if number > 1):
        which = f"{count(len(both), 'document')} (such as '{shown(both[0], 40)}')"
        yield f"{which} in more than one file: each counts as one; rename them if they differ"


# --- Several coders of the same pairs of a text and an actor ---


def merge_coders(rows: Sequence[Row]) -> tuple[Sequence[Row], tuple[str, ...], Ints, str]:
    """Return one row per pair: its adjudicated label, else that of most coders, else neutral.

    A coder's second row on a pair stays a row of its own, as does a row without a coder. Also
    returned are the coders and what each said, unless nobody coded what another did, and a note.

    >>> rows = [Row("A met B.", "A", 2, 1, coder="anna"), Row("A met B.", "A", 0, 2, coder="ben")]
    >>> (merged,), coders, codes, _ = merge_coders(rows)
    >>> merged.stance, merged.soft, coders, codes.tolist()
    (1, [0.5, 0.0, 0.5], ('anna', 'ben'), [[2, 0]])
    """
    units: defaultdict[Hashable, dict[str, Row]] = defaultdict(dict)
    times: Counter[Hashable] = Counter()
    for number, row in enumerate(rows):
        pair = row.source, row.text, row.actor, tuple(row.spans or ())
        units[(*pair, times[pair, row.coder]) if row.coder else number][row.coder] = row
        times[pair, row.coder] += 1
    if len(units) == len(rows):
        return rows, (), np.zeros((len(rows), 0), np.int64), ""
    names = sorted({row.coder for row in rows} - {"", ADJUDICATED})
    codes = [[unit[n].stance if n in unit else MISSING for n in names] for unit in units.values()]
    merged, tied = zip(*map(_settle, units.values()), strict=True)
    settled = sum(ADJUDICATED in unit and len(unit) > 1 for unit in units.values())
    note = f"{count(len(rows), 'row')} hold the labels of {len(names)} coders (column coder) on "
    note += f"{count(len(units), 'pair')} of text and actor; train learns from shares of labels"
    note += f"; {count(settled, 'pair')} settled by '{ADJUDICATED}'" if settled else ""
    note += f"; {count(sum(tied), 'tie')} between labels counted as neutral" if any(tied) else ""
    return merged, tuple(names), np.array(codes, np.int64), note


def _settle(unit: Mapping[str, Row]) -> tuple[Row, bool]:
    """Return what coders gave a pair as one row, and whether its label is a tie."""
    rows, one_hot = [*unit.values()], np.eye(len(Stance)).tolist()
    if ADJUDICATED in unit:
        return _filled(unit[ADJUDICATED], rows), False
    shares = np.mean([row.soft or one_hot[row.stance] for row in rows], axis=0)
    best = np.flatnonzero(shares > shares.max() - 1e-9).tolist()
    label = best[0] if len(best) == 1 else NEUTRAL
    differ = len({row.stance for row in rows}) > 1 or any(row.soft for row in rows)
    chosen = next((row for row in rows if row.stance == label), rows[0])
    soft = shares.tolist() if differ else None
    chosen = chosen._replace(stance=label, soft=soft, sentiment=MISSING, holder=None)
    return _filled(chosen, rows), len(best) > 1


def _filled(row: Row, rows: Sequence[Row]) -> Row:
    """Return a row with what it leaves open: what most coders say, nothing where they are tied."""
    tones = [one.sentiment for one in rows if one.sentiment != MISSING]
    holders = [one.holder for one in rows if one.holder and one.stance == row.stance]
    tone = row.sentiment if row.sentiment != MISSING else _most_given(tones, MISSING)
    holder = row.holder or _most_given(holders, None)
    document, date = (
        next(filter(None, (getattr(one, name) for one in (row, *rows))), "")
        for name in ("document", "date")
    )
    return row._replace(sentiment=tone, holder=holder, document=document, date=date)


def _most_given(values: Sequence[Any], tied: Any) -> Any:
    """Return the most frequent value, or ``tied`` if there are none or several.

    >>> _most_given(["author", "other", "author"], None), _most_given([0, 2], -1)
    ('author', -1)
    """
    (first, times), (_, second) = [*Counter(values).most_common(2), (tied, 0), (tied, 0)][:2]
    return first if times > second else tied


# --- Rows that have a label ---


def sentiment_rows(corpus: Corpus) -> Ints:
    """Return the first row of each paragraph that has a sentiment label."""
    labelled = np.flatnonzero(corpus.sentiment != MISSING)
    _, first = np.unique(corpus.marks.exact[labelled], return_index=True)
    return labelled[np.sort(first)]


def holder_kinds(names: Iterable[str | None]) -> Ints:
    """Return the number of each holder among `Holder`; `MISSING` where nobody says.

    >>> holder_kinds(["author", "Russia", "other", None]).tolist()
    [0, 1, 2, -1]
    """
    kinds = {"author": 0, "other": 2}
    return np.array([kinds.get(name, 1) if name else MISSING for name in names], np.int64)


def holder_rows(corpus: Corpus) -> Ints:
    """Return the rows that take a stance and say whose it is."""
    return np.flatnonzero((corpus.stance != NEUTRAL) & (holder_kinds(corpus.holder) != MISSING))
