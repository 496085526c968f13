"""Rows of a labelled table: checked one by one, and those of several coders merged."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from stance.arrays import Ints
from stance.display import count
from stance.errors import DataError
from stance.label_values import (
    MISSING,
    SENTIMENTS,
    SOFT,
    LabelReader,
    read_flag,
    read_holder,
    read_soft,
    stance_spellings,
)
from stance.reading.spans import parse_spans
from stance.records import ADJUDICATED, NEUTRAL, Sentiment, Stance
from stance.tables import Form, Record, Table, column, optional_column, rewrite_dates

EXTRA = ("id", "source", "drawn")
"""Columns that a corpus keeps as they are."""

OPTIONAL = (
    *("sentiment", "document", "spans", "holder", "false_match", "coder", "date"),
    *(*SOFT, *EXTRA),
)


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
    false_match: bool = False
    soft: list[float] | None = None
    judged: bool = True
    date: str = ""
    coder: str = ""
    extra: tuple[str, ...] = ()  # cells of further columns


class CorpusForm(Form, total=False):
    """What a user says of labelled tables; see `read_corpus`."""

    labels: Mapping[str, str] | None
    date_format: str | None


def read_rows(
    table: Table, source: int, extra: Sequence[str], form: CorpusForm
) -> tuple[list[Row], list[str]]:
    """Return the rows of a labelled table, with these further columns, and notes on them."""
    places = _places(table)
    place_of: dict[str, int | None] = dict.fromkeys(("stance", *OPTIONAL))
    place_of |= {name: optional_column(table, name) for name in extra} | places
    stances = LabelReader(table.name, Stance, stance_spellings(form.get("labels")))
    tones = LabelReader(table.name, Sentiment, SENTIMENTS)
    if "date" in places:
        rewrite_dates(table, places["date"], form.get("date_format"))
    rows, lines, known = list[Row](), list[int](), dict[str, str]()
    for record in table:
        cells = {name: "" if p is None else record.cells[p] for name, p in place_of.items()}
        for name in ("text", "actor", "date"):  # each is kept once
            cells[name] = known.setdefault(cells[name], cells[name])
        row = _row(record, cells, f"{table.name}:{record.line}", stances, tones)
        rows.append(row._replace(source=source, extra=tuple(cells[name] for name in extra)))
        lines.append(record.line)
    if not rows:
        raise DataError(f"{table.name}: no rows below the header; a corpus needs labelled rows")
    notes = [*table.notes, *stances.notes(), *tones.notes()]
    return rows, [*notes, *_lacking(table, rows, lines)]


def _places(table: Table) -> dict[str, int]:
    """Return where the columns of a corpus stand in a table."""
    names = ("text", "actor", "stance", *OPTIONAL)
    places = {name: optional_column(table, name) for name in names}
    has_soft = all(places[name] is not None for name in SOFT)
    for name in ("text", "actor", *["stance"] * (not has_soft)):
        hint = ", or name the actor of all rows with --actor" if name == "actor" else ""
        places[name] = column(table, name, f"stance import table --map {name}=", hint)
    return {name: place for name, place in places.items() if place is not None}


def _lacking(table: Table, rows: Sequence[Row], lines: Sequence[int]) -> list[str]:
    """Return notes on rows without text, on those with soft labels, and on labels of a model."""
    name, notes = table.name, []
    if empty := [line for row, line in zip(rows, lines, strict=True) if not row.text.strip()]:
        rows_of = f"{count(len(empty), 'row')} without text (first: line {empty[0]:,})"
        notes.append(f"{name}: {rows_of}: nothing can be learned from them; delete them")
    if soft := sum(row.soft is not None for row in rows):
        rows_of = f"{count(soft, 'row')} with soft labels ({', '.join(SOFT)})"
        notes.append(f"{name}: {rows_of}: train learns from them instead of stance")
    if {"row", "mentions", *SOFT} <= {*table.columns}:
        written = "stance predict wrote its columns, so labels that nobody corrected are a model's"
        notes.append(f"{name}: {written}: scores on them mean nothing")
    return notes


def _row(
    record: Record, cells: Mapping[str, str], where: str, stances: LabelReader, tones: LabelReader
) -> Row:
    """Return a record as a row; raise `DataError`, with its line, if a cell means nothing."""
    actor, tone = cells["actor"].strip(), cells["sentiment"]
    if not actor:
        raise DataError(f"{where}: the actor is empty; name the actor that the row judges")
    spans = parse_spans(cells["spans"], cells["text"], where)
    holder = read_holder(cells["holder"], where)
    false_match = read_flag(cells["false_match"], where)
    soft = read_soft([cells[name] for name in SOFT], where)
    if cells["stance"].strip() or not (false_match or soft):
        stance = stances.read(cells["stance"], record)
    else:  # what the others imply
        stance = NEUTRAL if false_match or not soft else soft.index(max(soft))
    return Row(
        text=cells["text"],
        actor=actor,
        stance=stance,
        number=record.number,
        spans=spans,
        sentiment=tones.read(tone, record) if tone.strip() else MISSING,
        document=cells["document"].strip(),
        holder=holder,
        false_match=false_match,
        soft=soft,
        judged=bool(cells["stance"].strip()) or false_match,
        date=cells["date"],
        coder=cells["coder"].strip(),
    )


# --- Several coders of the same pairs of a text and an actor ---


@dataclass(frozen=True, slots=True)
class Annotations:
    """The stances that coders gave to the rows of a corpus."""

    coders: tuple[str, ...]
    codes: Ints  # of shape (n_coders, n_rows); `MISSING` where a coder gave none


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
