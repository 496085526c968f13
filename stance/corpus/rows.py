"""Rows of labelled tables: what their cells mean, and which are refused."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from stance.display import count, shown
from stance.errors import DataError, UsageError
from stance.reading.text import as_name, parse_spans
from stance.records import ANSWERS, NEUTRAL, STANCE_COLUMNS, Form, Sentiment, Stance, as_coder
from stance.tables import Record, Table, column, optional_column, rewrite_dates
from stance.tables.columns import KNOWN, add_paragraphs_before

_SCALES: tuple[Mapping[str, int], ...] = ({"-1": 0, "0": 1, "1": 2}, {"2": 0, "4": 1, "6": 2})
"""Numeric codings; a column must keep to one of them."""

STANCES, SENTIMENTS = (
    {word: number for number, words in enumerate(KNOWN[kind].values()) for word in words}
    for kind in ("stances", "sentiments")
)
"""Number of each spelling of a stance, and of a sentiment."""

MISSING = -1  # number of a sentiment that a row does not have
SOFT = STANCE_COLUMNS[1:]  # columns that may stand in place of `stance`
CODED = ("stance", "holder", "sentiment", "false_match", "note", "coder")  # that coders fill in
SUM_ERROR = 1e-3  # how far the soft labels of a row may be from a sum of 1
HOLDERS = ("author", "other")  # holders of a stance that are not named
LONGEST_HOLDER = 200

_BLANK = {"", "na", "n/a", "nan", "null", "-"}
_FLAGS = {"1": True, "true": True, "0": False, "false": False, "": False}
SORTED = "0=against,1=favor,2=neutral"  # as scikit-learn numbers labels
_NUMBERS = f"0=against,1=neutral,2=favor (scikit-learn sorts: {SORTED})"


def parse_labels(option: str | None) -> dict[str, str]:
    """Read ``SPELLING=LABEL,...`` as the labels that spellings of a stance stand for.

    >>> parse_labels("0=against,1=favor")
    {'0': 'against', '1': 'favor'}
    """
    pairs = [part.rpartition("=") for part in (option or "").split(",") if part.strip()]
    labels = {spelling.strip(): label.strip() for spelling, _, label in pairs}
    stance_spellings(labels)  # raises
    return labels


def stance_spellings(
    labels: Mapping[Any, str] | None, known: Mapping[str, int] = STANCES
) -> Mapping[str, int]:
    """Return the number of each spelling of a stance, with the user's own ones."""
    given = {as_name(str(word)).lower(): label for word, label in (labels or {}).items()}
    for word, label in given.items():
        if not word or str(label).lower() not in STANCES:
            what = f"'{shown(f'{word}={label}' if word else label)}' must be SPELLING=LABEL"
            raise UsageError(f"--labels: {what}, the label one of {', '.join(Stance)}")
    return {**known, **{word: STANCES[label.lower()] for word, label in given.items()}}


class LabelReader:
    """Maps `words` and numeric scales to labels, and remembers which it met in a column."""

    def __init__(
        self, table: Table, kind: type[Stance] | type[Sentiment], words: Mapping[str, int],
        name: str = "", without: str = "drop the row", numbers: str = _NUMBERS,
    ) -> None:  # fmt: skip
        self._table, self._words, self._labels = table, words, tuple(map(str, kind))
        self._kind, self._name = kind, name or kind.__name__.lower()
        self._without = without  # what to do with a row that has no label
        self._numbers = numbers  # what they may mean
        numbered = any(re.fullmatch(r"-?\d+", word) for word in words)
        self._scales = () if numbered else _SCALES  # those that all numbers met are on
        self._met: dict[str, int] = {}

    def read(self, cell: str, record: Record) -> int:
        """Return the number of the label in a cell; raise `DataError` if it means nothing."""
        if cell not in self._met:
            self._met[cell] = self._number(cell, record)
        return self._met[cell]

    def _number(self, cell: str, record: Record) -> int:
        word, digits = as_name(cell).lower(), _digits(cell)
        for spelling in (word, digits):
            if spelling in self._words:
                return self._words[spelling]
        for scale in self._scales:
            if digits in scale:
                self._scales = (scale,)
                return scale[digits]
        where = self._table.where(record) if record.line else self._table.name
        advice = f"use {', '.join(self._labels)}"
        if word in _BLANK:
            advice = f"fill it in, or {self._without}"
        elif self._kind is Stance:
            known = self._words.get(word.strip(" .,;:!?()[]*'\""))
            means = f"...' (if none, {self._without})"
            if known is not None:
                means = f"{self._labels[known]}'"
            example = f"'{shown(word, 30)}={means}"
            if digits.lstrip("-").isdigit():
                example = self._numbers
            advice += f", or say what your labels mean, such as --labels {example}"
        label = f"{self._name} '{shown(cell)}' in row {record.number}"
        raise DataError(f"{where}: {label} is not a label; {advice}")

    def refuse_guess(self) -> None:
        """Raise if the numbers met are 0 and 1 alone, which may mean anything."""
        if {*map(_digits, self._met)} - self._words.keys() == {"0", "1"}:
            how = "say what they mean, such as --labels 0=against,1=favor"
            how = how if self._kind is Stance else f"write {', '.join(self._labels)}"
            raise DataError(f"{self._table.name}: {self._name} has only the numbers 0 and 1; {how}")

    def notes(self) -> Iterator[str]:
        """Yield the mapping, unless every label was spelled as it should be."""
        self.refuse_guess()
        if odd := {cell: n for cell, n in self._met.items() if cell != self._labels[n]}:
            pairs = [f"{shown(cell)} -> {self._labels[n]}" for cell, n in sorted(odd.items())]
            yield f"{self._table.name}: {self._name} labels read as {', '.join(pairs)}"


def _digits(cell: str) -> str:
    return re.sub(r"^\+|\.0+$", "", cell.strip().lower())


def _soft(row: Mapping[str, str], where: str) -> list[float] | None:
    """Return a row's soft labels, which sum to 1; None if it has none."""
    if not any(map(str.strip, cells := [row[name] for name in SOFT])):
        return None
    try:
        shares = [float(cell) for cell in cells]
        total = sum(shares)
        if not min(shares) >= 0 or not abs(total - 1) <= SUM_ERROR:
            raise ValueError
    except ValueError as error:
        what = f"{', '.join(SOFT)} '{shown(' '.join(cells))}' are not probabilities that sum to 1"
        advice = "leave all three empty" if row["stance"].strip() else "remove the row"
        raise DataError(f"{where}: {what}; correct them, or {advice}") from error
    return [share / total for share in shares]


# --- Rows ---

AUDIT, TRAIN = "audit", "train"  # purposes of sampled rows: drawn to correct, chosen to learn from
EXTRA = ("id", "source", "drawn", "purpose")  # columns that a corpus keeps as they are
_READ = ("sentiment", "document", "spans", "holder", "false_match", "coder", "date")
OPTIONAL = (*_READ, *SOFT, *EXTRA)


class Row(NamedTuple):
    """A labelled row; see `Corpus`."""

    text: str
    actor: str
    stance: int
    number: int
    source: int = 0
    spans: list[tuple[int, int]] | None = None
    sentiment: int = MISSING
    document: str = ""  # its name; empty without one
    holder: str | None = None
    soft: list[float] | None = None
    judged: bool = True
    date: str = ""
    coder: str = ""
    extra: tuple[str, ...] = ("",) * len(EXTRA)
    before: str = ""  # the paragraph before it in its document, if the table says which


class CorpusForm(Form, total=False):
    """What a user says of labelled tables; see `read_corpus`."""

    labels: Mapping[Any, str] | None
    date_format: str | None
    actor: str | None


def read_rows(table: Table, source: int, form: CorpusForm) -> tuple[list[Row], list[str]]:
    """Return the rows of a labelled table, the number of which is ``source``, and notes on them."""
    wanted = ("text", "actor", "stance", *OPTIONAL)
    places = {name: optional_column(table, name) for name in wanted}
    has_soft = all(places[name] is not None for name in SOFT)
    for name in ("text", "actor", *["stance"] * (not has_soft)):
        hint = ", or name the actor of all rows with --actor" if name == "actor" else ""
        places[name] = column(table, name, f"stance import table --map {name}=", hint)
    stances = LabelReader(table, Stance, stance_spellings(form.get("labels")))
    tones = LabelReader(table, Sentiment, SENTIMENTS)
    if (date := places["date"]) is not None:
        rewrite_dates(table, date, form.get("date_format"))
    add_paragraphs_before(table, places["text"] or 0)
    width, rows = len(table.columns), list[Row]()
    for record in table:
        cells = {name: "" if p is None else record.cells[p] for name, p in places.items()}
        row = _row(record, cells, f"{table.name}:{record.line}", stances, tones)
        rows.append(row._replace(source=source, before="".join(record.cells[width:])))
    if not rows:
        raise DataError(f"{table.name}: no rows below the header; a corpus needs labelled rows")
    notes = [*table.notes, *stances.notes(), *tones.notes()]
    if empty := [row.number for row in rows if not row.text.strip()]:
        rows_of = f"{count(len(empty), 'row')} without text (first: row {empty[0]:,})"
        notes.append(f"{table.name}: {rows_of}; delete them, for nothing can be learned there")
    if soft := sum(row.soft is not None for row in rows):
        rows_of = f"{count(soft, 'row')} with soft labels ({', '.join(SOFT)})"
        effect = "train learns from them instead of stance; delete columns that a model wrote"
        notes.append(f"{table.name}: {rows_of}: {effect}")
    return rows, notes


def is_false_match(cell: str, stance: int, where: str) -> bool:
    """Return what a cell of ``false_match`` says; raise if nothing, or if a stance denies it."""
    if (flag := _FLAGS.get(_digits(cell))) is None:
        raise DataError(f"{where}: false_match '{shown(cell)}' is not 1 or 0; leave it empty for 0")
    if flag and stance not in (NEUTRAL, MISSING):
        what = f"false_match is 1, but the stance is {ANSWERS[stance]}"
        raise DataError(f"{where}: {what}; a false match is neutral: correct one of the two")
    return flag


def _row(
    record: Record, cells: Mapping[str, str], where: str, stances: LabelReader, tones: LabelReader
) -> Row:
    """Return a record as a row; raise `DataError`, with its line, if a cell means nothing."""
    actor, holder, tone = as_name(cells["actor"]), as_name(cells["holder"]), cells["sentiment"]
    if not actor:
        raise DataError(f"{where}: the actor is empty; name the actor that the row judges")
    if len(holder) > LONGEST_HOLDER or not holder.isprintable():
        what = f"holder '{shown(holder)}' is not author, other or an actor's name"
        raise DataError(f"{where}: {what}")
    soft, given = _soft(cells, where), bool(cells["stance"].strip())
    stance = stances.read(cells["stance"], record) if given else MISSING
    if false_match := is_false_match(cells["false_match"], stance, where):
        stance = NEUTRAL
    elif stance == MISSING:  # what soft labels imply, or an error
        stance = soft.index(max(soft)) if soft else stances.read(cells["stance"], record)
    return Row(
        text=cells["text"],
        actor=actor,
        stance=stance,
        number=record.number,
        spans=parse_spans(cells["spans"], cells["text"], where),
        sentiment=tones.read(tone, record) if tone.strip() else MISSING,
        document=cells["document"].strip(),
        holder=(holder.lower() if holder.lower() in HOLDERS else holder) or None,
        soft=soft,
        judged=given or false_match,
        date=cells["date"],
        coder=as_coder(cells["coder"]),
        extra=tuple(cells[name] for name in EXTRA),
    )
