"""Labelled corpora: read, checked, those of several coders joined, grouped by document."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple, Unpack, cast

import numpy as np

from stance.arrays import Bools, Floats, Ints
from stance.corpus.rows import EXTRA, MISSING, OPTIONAL, CorpusForm, Row, holder_kind, read_rows
from stance.display import brief, count, shown, shown_path
from stance.errors import DataError
from stance.files import DATA, file_hash, same_file
from stance.reading.keys import TextHashes, hash_texts, keys_of, linked_groups
from stance.records import ADJUDICATED, NEUTRAL, Form, Stance
from stance.tables import months_of, open_table

__all__ = ["OPTIONAL", "Corpus", "CorpusForm", "Row", "Source", "bundled_corpus", "corpus_of"]
__all__ += ["holder_kinds", "holder_rows", "read_corpus", "sentiment_rows"]

LEAST_DRAWN = 200  # rows drawn at random that are enough to calibrate by
MOST_JOINED = 10  # documents that a recurring text may make one without a note


@dataclass(frozen=True, slots=True)
class Source:
    """A corpus file."""

    name: str  #: without endings
    sha256: str
    rows: int


class Annotations(NamedTuple):
    """The stances that coders gave to the rows of a corpus."""

    coders: tuple[str, ...]
    codes: Ints  # of shape (n_coders, n_rows); `MISSING` where a coder gave none


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
    marks: TextHashes  #: of the texts
    holder: tuple[str | None, ...]  #: author, other, an actor's name; None where nobody says
    false_match: Bools  #: whether what looks like the actor's name means something else
    soft: Floats | None  #: probabilities of stances to learn from; None if no row has any
    judged: Bools  #: rows whose stance somebody has given, not only soft labels
    #: By column, unless it is empty. Dates with two readings stand as 2024-03-09.
    extra: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]  #: on how the files were read
    number: Ints  #: of each row's record in its file, from 1
    loose: int = 0  #: rows that name no document, so that each of their texts is one
    joined: str = ""  #: which recurring text makes many documents one
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
        kept, coders = rows.tolist(), self.annotations
        changed: dict[str, Any] = {one.name: getattr(self, one.name) for one in fields(self)}
        changed = {n: cells[rows] for n, cells in changed.items() if isinstance(cells, np.ndarray)}
        for name in ("texts", "actors", "spans", "holder"):
            changed[name] = tuple(map(getattr(self, name).__getitem__, kept))
        return replace(
            self,
            **changed,
            marks=TextHashes(self.marks.exact[rows], self.marks.bands[rows]),
            annotations=coders and coders._replace(codes=coders.codes[:, rows]),
            extra={name: tuple(cells[row] for row in kept) for name, cells in self.extra.items()},
        )


def bundled_corpus() -> Path:
    """Return the starter corpus that comes with the package."""
    bundled = DATA / "starter/starter_train.csv"
    return bundled if bundled.is_file() else DATA.parents[1] / "datasets/starter/starter_train.csv"


def read_corpus(
    paths: Sequence[Path | str] | str, *, keep: Sequence[str] = (), **form: Unpack[CorpusForm]
) -> Corpus:
    """Read one or more files into one corpus.

    Parameters
    ----------
    paths : sequence of Path or str, or a str
        Tables of labelled pairs of a paragraph and an actor, of any kind that ``stance`` reads.
    keep : sequence of str
        Columns to keep in `Corpus.extra` beside those that it always has.
    labels : mapping of str to str, optional
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
    plain = cast(Form, {key: value for key, value in form.items() if key in Form.__annotations__})
    rows, sources, notes = list[Row](), list[Source](), list[str]()
    named = [*map(Path, [paths] if isinstance(paths, str | Path) else paths)]
    if not named:
        raise DataError("no corpus is named; give the path of a labelled table")
    for place, path in enumerate(named):
        with open_table(path, actor=form.get("actor"), **plain) as table:
            if any(same_file(path, other) for other in named[:place]):
                raise DataError(f"{shown_path(path)}: is named twice; name each file once")
            more, remarks = read_rows(table, len(sources), (*EXTRA, *keep), form)
        rows += more
        notes += remarks
        sources.append(Source(shown(path.name.split(".")[0], 100), file_hash(path), len(more)))
    return corpus_of(rows, *sources, keep=keep, notes=notes)


def corpus_of(
    rows: Sequence[Row], *sources: Source, keep: Sequence[str] = (), notes: Sequence[str] = ()
) -> Corpus:
    """Return rows as a corpus, those of several coders on one pair joined to one."""
    rows, annotations, note = merge_coders(rows)
    cells: dict[str, Any] = dict(zip(Row._fields, zip(*rows, strict=True), strict=True))
    numbers = {name: np.array(cells[name], np.int64) for name in ("stance", "sentiment", "number")}
    source, marks = np.array(cells["source"], np.int64), hash_texts(cells["text"])
    sizes = np.bincount(source, minlength=len(sources)).tolist()
    hard, given = np.eye(len(Stance)), list(zip(cells["soft"], cells["stance"], strict=True))
    names = ("date", *EXTRA, *keep)
    document, joined = _group_documents(cells["document"], cells["text"], marks)
    extra = dict(zip(names, (cells["date"], *zip(*cells["extra"], strict=True)), strict=False))
    shared = _shared_documents(cells["document"], cells["source"])
    return Corpus(
        texts=cells["text"],
        actors=cells["actor"],
        spans=cells["spans"],
        **numbers,
        document=document,
        source=source,
        sources=tuple(replace(file, rows=n) for file, n in zip(sources, sizes, strict=True)),
        marks=marks,
        holder=cells["holder"],
        false_match=np.array(cells["false_match"]),
        soft=np.array([soft or hard[n] for soft, n in given]) if any(cells["soft"]) else None,
        judged=np.array(cells["judged"]),
        extra={name: column for name, column in extra.items() if any(column)},
        notes=tuple(dict.fromkeys(filter(None, (*notes, note, joined, shared)))),
        loose=cells["document"].count(""),
        joined=joined,
        annotations=annotations,
    )


def _group_documents(
    names: Sequence[str], texts: Sequence[str], marks: TextHashes
) -> tuple[Ints, str]:
    """Group rows by document; rows without one, and equal texts, by their text.

    Also returned is a note on the text that makes the most documents one, if these are many.
    """
    units = keys_of(name or f" {row}" for row, name in enumerate(names))  # no name begins so
    exact, *bands = marks.columns()
    groups = linked_groups([units, exact, *(bands if "" in names else ())])
    uses = Counter(key for key, name in {*zip(exact.tolist(), names, strict=True)} if name)
    key, size = max(uses.items(), key=itemgetter(1), default=(0, 0))
    if size <= MOST_JOINED:
        return groups, ""
    row = exact.tolist().index(key)
    joined = {names[other] for other in np.flatnonzero(groups == groups[row]).tolist()} - {""}
    why = f"the text '{shown(texts[row], 50)}' recurs in {size:,} of them"
    return groups, f"{len(joined):,} documents count as one, as {why}; leave such rows out"


def _shared_documents(names: Sequence[str], sources: Sequence[int]) -> str:
    """Say which documents stand in several files, since they may merely have the same number."""
    first = dict[str, int]()
    both = {
        n for n, file in zip(names, sources, strict=True) if n and first.setdefault(n, file) != file
    }
    if not both:
        return ""
    which = f"{count(len(both), 'document')} (such as '{shown(min(both), 40)}')"
    return f"{which} in more than one file: each counts as one; rename them if they differ"


# --- Several coders of the same pairs of a text and an actor ---


def merge_coders(rows: Sequence[Row]) -> tuple[Sequence[Row], Annotations | None, str]:
    """Return one row per pair: its adjudicated label, else that of most coders, else neutral.

    A coder's second row on a pair stays a row of its own, as does a row without a coder. Also
    returned are what each coder said, unless nobody coded what another did, and a note on it.

    >>> rows = [Row("A met B.", "A", 2, 1, coder="anna"), Row("A met B.", "A", 0, 2, coder="ben")]
    >>> (merged,), annotations, _ = merge_coders(rows)
    >>> merged.stance, merged.soft, annotations.coders
    (1, [0.5, 0.0, 0.5], ('anna', 'ben'))
    """
    units: defaultdict[Hashable, dict[str, Row]] = defaultdict(dict)
    times: Counter[Hashable] = Counter()
    for number, row in enumerate(rows):
        pair = row.source, row.text, row.actor, tuple(row.spans or ())
        again = times[pair, row.coder]
        times[pair, row.coder] += 1
        units[pair, again if row.coder else number, bool(row.coder)][row.coder] = row
    if len(units) == len(rows):
        return rows, None, ""
    names = sorted({row.coder for row in rows} - {"", ADJUDICATED})
    codes, merged = np.full((len(names), len(units)), MISSING, np.int64), list[Row]()
    ties = settled = 0
    for number, unit in enumerate(units.values()):
        for coder in unit.keys() - {"", ADJUDICATED}:
            codes[names.index(coder), number] = unit[coder].stance
        if ADJUDICATED in unit:
            settled += len(unit) > 1
            merged.append(unit[ADJUDICATED])
        else:
            row, is_tie = _of_most([*unit.values()])
            ties += is_tie
            merged.append(row)
    note = f"{count(len(rows), 'row')} hold the labels of {len(names)} coders (column coder) on "
    note += f"{count(len(units), 'pair')} of text and actor; train learns from shares of labels"
    note += f"; {count(settled, 'pair')} settled by '{ADJUDICATED}'" if settled else ""
    note += f"; {count(ties, 'tie')} between labels counted as neutral" if ties else ""
    return merged, Annotations(tuple(names), codes), note


def _of_most(rows: Sequence[Row]) -> tuple[Row, bool]:
    """Return the rows of a pair as one, and whether its label is a tie."""
    one_hot = np.eye(len(Stance)).tolist()
    shares = np.mean([row.soft or one_hot[row.stance] for row in rows], axis=0)
    best = np.flatnonzero(shares > shares.max() - 1e-9).tolist()
    label = best[0] if len(best) == 1 else NEUTRAL
    differ = len({row.stance for row in rows}) > 1 or any(row.soft for row in rows)
    chosen = next((row for row in rows if row.stance == label), rows[0])
    soft = shares.tolist() if differ else None
    return chosen._replace(stance=label, soft=soft), len(best) > 1


# --- Rows that have a label ---


def sentiment_rows(corpus: Corpus) -> Ints:
    """Return the first row of each paragraph that has a sentiment label."""
    labelled = np.flatnonzero(corpus.sentiment != MISSING)
    _, first = np.unique(corpus.marks.exact[labelled], return_index=True)
    return labelled[np.sort(first)]


def holder_kinds(corpus: Corpus) -> Ints:
    """Return the number of each row's holder among `Holder`, or `MISSING`."""
    return np.array([*map(holder_kind, corpus.holder)], np.int64)


def holder_rows(corpus: Corpus) -> Ints:
    """Return the rows that take a stance and say whose it is."""
    return np.flatnonzero((corpus.stance != NEUTRAL) & (holder_kinds(corpus) != MISSING))
