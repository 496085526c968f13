"""Files of other programs, and the corpus rows that they become."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stance.corpus.rows import MISSING, SENTIMENTS, STANCES, LabelReader, is_false_match
from stance.display import count, listed, shown, shown_path
from stance.errors import DataError
from stance.files import same_file
from stance.reading.text import parse_spans
from stance.records import Form, Sentiment, Stance
from stance.tables import column, open_table, optional_column
from stance.tables.sources import read_whole
from stance.tables.table import is_whole

Row = dict[str, str]  # cells by column of a corpus; a column without a cell is empty
Rows = Iterator[Row]
Item = Mapping[str, Any]  # an object of JSON

_CONTROL = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")  # as `train` refuses
_SOMETHING = re.compile(r"\S")
_NAMES = ("actor", "holder", "coder", "source", "genre")


@dataclass(frozen=True, slots=True)
class Format:
    """A format that can be imported, as `data/imports.toml` describes it."""

    read: Callable[["Import"], Rows]
    advice: str = "name a file of the set, such as train.csv"  # about what is not of the format
    notes: Sequence[str] = ()  # what a user must know of every corpus in it
    stances: Mapping[str, int] = field(default_factory=lambda: STANCES)  # number by spelling
    tones: Mapping[str, int] = field(default_factory=dict)  # of sentiments, beside the usual ones
    columns: Mapping[str, str] = field(default_factory=dict)  # of a table, theirs by ours
    needed: Sequence[str] = ("text", "actor", "stance")  # of these columns
    mapped: bool = False  # whether --map says further ones
    skipped: Sequence[str] = ()  # keys of a tool that are no data of the user's


@dataclass(slots=True)
class Import:
    """One import: what the user asks for, where it is, and what the user must be told of it."""

    source: Path  # a file or a folder
    target: Path
    format: Format
    names: Mapping[str, str]  # theirs by ours: {"text": "body"}
    known: Mapping[str, int]  # number of a stance by its spelling
    options: Form  # of the source, if it is a table
    actor: str | None  # of all rows, if the table does not say
    notes: list[str]
    where: str = ""  # file and line being read, for messages
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)  # a noun, and what of it
    unknown: Counter[str] = field(default_factory=Counter)  # labels that are not stances
    read_as: dict[str, Stance] = field(default_factory=dict)  # labels that are

    def files(self, pattern: str) -> list[Path]:
        """Return the files of the source that fit a pattern, sorted; or the source if it is one.

        Hidden ones do not count: editors and archives leave copies under such names.
        """
        if not (source := self.source).is_dir():
            return [source]
        files = (path for path in sorted(source.glob(pattern)) if path.is_file())
        paths = [path for path in files if "/." not in f"/{path.relative_to(source).as_posix()}"]
        if any(same_file(path, self.target) for path in paths):
            raise DataError(f"{self.target}: would be read, too; choose another name")
        return paths

    def text(self, path: Path) -> str:
        """Return the text of a file, which no link may lead out of the folder."""
        if path.is_dir():
            raise self.fault("is a folder")
        root = self.source if self.source.is_dir() else self.source.parent
        inside = path == self.source or path.resolve().is_relative_to(root.resolve())
        if path.exists() and not (inside and path.is_file()):
            what = "is a link out of its folder, or no file; put a copy in its place"
            raise DataError(f"{shown_path(path)}: {what}")
        return read_whole(path, self.options.get("encoding"))

    def json(self, path: Path) -> Iterator[Item]:
        """Yield the objects that follow each other in a file, as in JSON Lines, or in its list."""
        name, text, end, line = shown_path(path), self.text(path), 0, 1
        decoder = json.JSONDecoder(object_hook=lambda o: {k: o[k] for k in o if o[k] is not None})
        while match := _SOMETHING.search(text, end):
            line += text.count("\n", end, match.start())
            self.where = f"{name}:{line}"
            try:
                value, end = decoder.raw_decode(text, match.start())
            except (ValueError, RecursionError) as error:  # also 5,000 digits, and 10,000 brackets
                if text[match.start()] == "[":  # else each line is an object of its own
                    self.where = f"{name}:{getattr(error, 'lineno', line)}"
                raise self.fault("is not JSON, or too long or deep") from error
            line += text.count("\n", match.start(), end)
            for number, item in enumerate(value if isinstance(value, list) else [value], 1):
                if item is not value:
                    self.where = f"{name}: item {number:,}"
                yield dict(item.items())

    def fault(self, what: str, advice: str = "") -> DataError:
        """Return an error about what is being read, with the advice for the format."""
        return DataError(f"{self.where}: {what}; {advice or self.format.advice}")

    def skip(self, noun: str, which: str = "", times: int = 1) -> None:
        """Count something left out, such as a text, and which kind it is, "without a stance"."""
        self.left_out.update({(noun, which): times} if times else {})

    def spells(self, label: str) -> Stance | None:
        """Return the stance that a label spells."""
        number = self.known.get(label.strip().lower())
        return None if number is None else tuple(Stance)[number]

    def stance(self, labels: Sequence[str]) -> Stance | None:
        """Return the stance among some labels; count them if there is none, raise if two."""
        spelled = {label: stance for label in labels if (stance := self.spells(label))}
        stances = list(dict.fromkeys(spelled.values()))
        if len(stances) > 1:
            raise self.fault(f"has two stances, {' and '.join(stances)}", "keep one")
        self.unknown.update([] if stances else labels)
        self.read_as |= spelled
        return stances[0] if stances else None

    def remarks(self) -> Iterator[str]:
        """Yield what the user must be told."""
        yield from self.notes
        if odd := sorted({f"{shown(a, 30)} -> {b}" for a, b in self.read_as.items() if a != b}):
            yield f"stance labels read as {', '.join(odd)}"
        if self.left_out:
            parts = (f"{count(n, noun)} {why}" for (noun, why), n in self.left_out.most_common())
            yield f"left out: {', '.join(map(str.strip, parts))}"
        if self.unknown:
            labels = [f"'{shown(label, 30)}' {n:,}" for label, n in self.unknown.most_common()]
            yield f"labels that are not stances: {listed(labels, 8, 'label')}; see --labels"

    def row(self, given: Row) -> Row:
        """Return a row of a corpus; raise `DataError` if a cell cannot stand in one."""
        cells = {name: cell for name, cell in given.items() if cell or name not in _NAMES}
        for name in filter(cells.get, _NAMES):
            self.skip("control character", "in names", len(_CONTROL.findall(cells[name])))
            cells[name] = " ".join(_CONTROL.sub(" ", cells[name]).split())
        if odd := next((name for name, cell in cells.items() if not is_whole(name + cell)), None):
            what = "holds a NUL character or half a character (a lone surrogate)"
            raise self.fault(f"{shown(odd, 30)} {what}", "correct it")
        parse_spans(cells.get("spans", ""), cells["text"], self.where)  # raises
        if not cells.get("actor", "").strip():
            raise self.fault("names no actor", "fill it in, or say where it is: --map actor=NAME")
        return cells

    def rows(self, cells: Row, labels: Sequence[str] = (), places: Iterable["Place"] = ()) -> Rows:
        """Yield a row of the whole text, if its labels hold a stance, and those of its places.

        Places that share an actor, a stance and a holder are one row.
        """
        shared = defaultdict[tuple[str, str, str], set[tuple[int, int]]](set)
        for place in places:
            if stance := self.stance(place.labels):
                actor = " ".join((place.actor or cells["text"][place.start : place.end]).split())
                shared[actor, stance, place.holder].add((place.start, place.end))
        if (stance := self.stance(labels)) is not None:
            yield self.row({**cells, "stance": stance})
        elif not shared:
            self.skip("text", "without a stance")
        for (actor, label, holder), ends in shared.items():
            spans = ";".join(f"{start}:{end}" for start, end in sorted(ends))
            row = {"actor": actor, "spans": spans, "stance": label, "holder": holder}
            yield self.row({**cells, **row})


@dataclass(slots=True)
class Place:
    """A place in a text that names an actor, and the labels on it."""

    start: int  # in characters (code points)
    end: int  # exclusive
    labels: list[str]
    actor: str = ""  # what the place says if empty
    holder: str = ""


def paragraph_around(text: str, start: int, end: int) -> tuple[str, int]:
    r"""Return the line, or the lines, around a place, and where it begins.

    >>> paragraph_around("One.\n\nNATO met.\n", 6, 10)
    ('NATO met.', 6)
    """
    low = text.rfind("\n", 0, start) + 1
    line = text[low:end] + text[end:].partition("\n")[0]
    begin = low + len(line) - len(line.lstrip("\ufeff \t\r"))
    return line.strip("\ufeff \t\r"), begin


def scalar(value: Any) -> str:
    """Return a text or a number as a text; raise `TypeError` if it is something else."""
    if not isinstance(value, (str, int, float)):
        raise TypeError(f"{shown(str(value), 30)!r} where a text or a number should be")
    return value if isinstance(value, str) else json.dumps(value)


def read_table(
    job: Import, split: Callable[[Import, Row], Rows] = lambda job, cells: iter([cells])
) -> Rows:
    """Yield the rows of a table, of which `split` may make several of each record.

    Other columns come along if the user may map some. Else rows are numbered, and those of one
    text share a document, if the table does not say.
    """
    form = job.format
    with open_table(job.source, actor=job.actor, **job.options) as table:
        places = dict[str, int]()
        for ours, theirs in {**form.columns, **job.names}.items():
            if form.mapped or ours in form.needed:
                places[ours] = column(table, theirs, f"--map {ours}=" if form.mapped else "")
            elif (place := optional_column(table, theirs)) is not None:
                places[ours] = place
        used = {*places.values()} if form.mapped else {*range(len(table.columns))}
        others = [(pos, name) for pos, name in enumerate(table.columns) if pos not in used]
        stances = LabelReader(table, Stance, job.known)
        sentiments = LabelReader(table, Sentiment, {**SENTIMENTS, **form.tones})
        documents: dict[str, str] = {}
        for record in table:
            job.where = table.where(record)
            for row in split(job, {k: record.cells[pos] for k, pos in places.items()}):
                unnamed = is_false_match(row.get("false_match", ""), MISSING, job.where)
                if row["stance"].strip() or not unnamed:
                    row["stance"] = tuple(Stance)[stances.read(row["stance"], record)]
                if row.get("sentiment", "").strip():
                    row["sentiment"] = tuple(Sentiment)[sentiments.read(row["sentiment"], record)]
                if "start" in row or "end" in row:
                    ends = (row.pop(name).strip().removesuffix(".0") for name in ("start", "end"))
                    row["spans"] = ":".join(ends).removeprefix(":")  # of a row without a place
                for pos, name in others:
                    if record.cells[pos] and name in row:
                        what = f"column '{shown(name)}' would occur twice, and is not empty"
                        raise job.fault(what, f"rename it, or map it: --map {name}=…")
                    row.setdefault(name, record.cells[pos])
                if not form.mapped:
                    number = documents.setdefault(row["text"], f"s{len(documents) + 1}")
                    row = {"id": str(record.number), "document": number} | row
                yield job.row(row)
        job.notes += [*table.notes, *stances.notes(), *sentiments.notes()]
