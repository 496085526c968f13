"""Labelled samples: read, checked, and joined to the answers that they were drawn from."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from stance.arrays import Ints
from stance.display import count, shown
from stance.errors import DataError
from stance.evaluation.agreement import MISSING, Agreement, coded_twice, measure_agreement
from stance.findings.answers import AnswersTable
from stance.findings.cells import is_row, pair_key, text_key
from stance.findings.correction import Audit
from stance.findings.request import bounded
from stance.label_values import LabelReader, stance_spellings
from stance.records import ADJUDICATED, NEUTRAL, Stance
from stance.tables import Table, column, encoded_by, open_table, optional_column

TRAIN = "train"  # purpose of a row that was chosen to learn from, not drawn
UNMARKED = ("", "0", "false")  # flags that are not set
_READ = ("inclusion", "text", "purpose", "false_match", "coder", "stratum")  # where there are such


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """A labelled sample, and how to read it."""

    source: Path  #: table with the column stance filled in
    coder: str | None = None  #: whose labels count where coders disagree
    simple_random: bool = False  #: every answer had the same chance, so no column says it
    labels: Mapping[str, str] = field(default_factory=dict)  #: what the table's spellings mean
    encoding: str | None = None  #: such as cp1252, in which a spreadsheet saved it; UTF-8 if None


@dataclass(frozen=True, slots=True)
class LabelledSample:
    """An audit, and what was noticed while it was read."""

    audit: Audit
    notes: tuple[str, ...]
    agreement: Agreement | None = None  # None if no row has two coders


@dataclass(frozen=True, slots=True)
class _Label:
    line: int
    name: str  # of the pair, in messages
    key: int
    text: int  # key of the text; 0 without one
    coder: str
    truth: int
    inclusion: float
    stratum: str


@encoded_by("--audit-encoding")
def read_audit(request: AuditRequest, population: AnswersTable) -> LabelledSample:
    """Read a labelled sample of a population; raise `DataError` where the two do not fit."""
    counts: Counter[str] = Counter()
    with open_table(request.source, encoding=request.encoding) as table:
        found: dict[tuple[int, int], list[_Label]] = {}
        for label in _read_labels(table, request, population, counts):
            found.setdefault((label.key, label.text), []).append(label)
        if not any(label.truth >= 0 for own in found.values() for label in own):
            raise DataError(f"{table.name}: holds no labelled row to audit with; fill in 'stance'")
        settled = {at: _settle(own, table.name, request.coder) for at, own in found.items()}
        kept = [(found[at], label) for at, label in settled.items() if label]
        open_ = [found[at][0] for at, label in settled.items() if not label]
        labels = [label for _, label in kept]
        if not labels:
            coders = sorted({label.coder for own in found.values() for label in own})
            listed = ", ".join(shown(name, 30) for name in coders)
            raise DataError(f"{table.name}: no label of '{request.coder}'; its coders: {listed}")
        pairs = _locate(labels, population, table.name)
        missing = np.sort(_locate(open_, population, table.name))
    order = np.argsort(pairs, kind="stable")
    strata = np.unique([label.stratum for label in labels], return_inverse=True)[1]
    inclusion = np.array([label.inclusion for label in labels])
    if request.simple_random:
        if len(set(inclusion.tolist())) > 1:
            raise DataError(
                f"{table.name}: column 'inclusion' says that the rows were drawn with unequal "
                "chances; drop --simple-random"
            )
        inclusion[:] = len(labels) / len(population)
    audit = Audit(
        pair=pairs[order],
        truth=np.array([label.truth for label in labels], np.int64)[order],
        inclusion=inclusion[order],
        stratum=strata[order],
        missing=missing,
    )
    agreement = _agreement([own for own, _ in kept], population.document[pairs])
    notes = tuple(f"{table.name}: {n}" for n in _notes(counts, len(labels), len(missing)))
    return LabelledSample(audit, notes, agreement)


def _agreement(labels: Sequence[Sequence[_Label]], document: Ints) -> Agreement | None:
    """Return how far coders agree on rows that several of them labelled, before adjudication."""
    given = ([each for each in row if each.truth >= 0] for row in labels)
    own = [{each.coder: each.truth for each in row if each.coder != ADJUDICATED} for row in given]
    coders = sorted({coder for row in own for coder in row})
    codes = np.array([[row.get(coder, MISSING) for row in own] for coder in coders], np.int64)
    if not len(coders) or not coded_twice(codes).any():
        return None
    return measure_agreement(codes, len(Stance), document)


def _notes(counts: Counter[str], labelled: int, missing: int) -> Iterator[str]:
    percent = 100 * missing / max(1, labelled + missing)
    if missing:
        yield (
            f"{count(missing, 'row')} without a label, {percent:.0f} % of those drawn; "
            "the intervals hold only if they stayed open by chance, not because they are hard, so "
            "label them, too"
        )
    if own := counts["train"]:
        yield f"{count(own, 'row')} chosen for training left out"
    if false := counts["false matches"]:
        yield f"{count(false, 'row')} with a false match, counted as neutral"


def _read_labels(
    table: Table, request: AuditRequest, population: AnswersTable, counts: Counter[str]
) -> Iterator[_Label]:
    found = {name: optional_column(table.columns, name, table.name) for name in _READ}
    at = {name: place for name, place in found.items() if place is not None}
    identity = [
        column(table.columns, population.columns[place], table.name)
        for place in (population.places.file, population.places.document)
        if place is not None
    ]
    row, actor, stance = (
        column(table.columns, name, table.name) for name in ("row", "actor", "stance")
    )
    if "inclusion" not in at and not request.simple_random:
        raise DataError(
            f"{table.name}: no column 'inclusion' with the probability of each row, as stance "
            "sample writes it; if every answer had the same chance, add --simple-random"
        )
    spellings = stance_spellings(request.labels)
    reader = LabelReader(table.name, Stance, spellings)
    text = at.get("text") if population.places.text is not None else None
    for record in table:
        cells, where = record.cells, f"{table.name}:{record.line}"
        own = {
            name: cells[at[name]].strip() if name in at else ""
            for name in ("purpose", "false_match", "coder", "stratum")
        }
        if own["purpose"] == TRAIN:
            counts["train"] += 1
            continue
        name = f"row {shown(cells[row], 20)} on '{shown(cells[actor], 40)}'"
        if population.partial and bounded(cells[actor].strip()) not in population.actors:
            continue
        if not is_row(cells[row].strip()):
            why = f"'{shown(cells[row])}' is not a row number"
            raise DataError(f"{where}: {why}; restore what stance sample wrote")
        flagged = own["false_match"].lower() not in UNMARKED
        said = bool(cells[stance].strip())
        open_ = not said and not flagged
        counts["false matches"] += flagged
        cell = cells[at["inclusion"]].strip() if "inclusion" in at else ""
        chance = 1.0 if request.simple_random and not cell else _inclusion(cell, where)
        yield _Label(
            line=record.line,
            name=name,
            key=pair_key(
                [cells[place] for place in identity], int(cells[row]), cells[actor].strip()
            ),
            text=0 if text is None else text_key(cells[text]),
            coder=own["coder"],
            truth=MISSING if open_ else reader.read(cells[stance], record) if said else NEUTRAL,
            inclusion=chance,
            stratum=own["stratum"],
        )
    reader.refuse_guess()


def _inclusion(cell: str, where: str) -> float:
    try:
        found = float(cell.replace(",", "."))  # as a spreadsheet saves it in many countries
        if 0 < found <= 1:
            return found
    except ValueError:
        pass
    raise DataError(
        f"{where}: inclusion '{shown(cell)}' is not a probability above 0 and up to 1; restore "
        "what stance sample wrote"
    )


def _settle(labels: Sequence[_Label], table: str, coder: str | None) -> _Label | None:
    """Return the label of a pair that counts; None without one, or none of the coder asked for."""
    labels = [label for label in labels if label.truth >= 0]
    chosen = [label for label in labels if label.coder == ADJUDICATED] or list(labels)
    if coder is not None:
        chosen = [label for label in labels if label.coder == coder]
    if not chosen:
        return None
    first = chosen[0]
    for other in chosen[1:]:
        if other.truth != first.truth:
            lines = f"{table}:{first.line} and {other.line}"
            if not first.coder and not other.coder:
                raise DataError(f"{lines}: {first.name} has two labels; keep one of the lines")
            names = [f"{shown(label.coder, 30) or 'no coder'}" for label in (first, other)]
            raise DataError(
                f"{lines}: {first.name} has two labels ({names[0]}, {names[1]}); adjudicate them "
                "with stance label, or choose one with --coder"
            )
        if other.inclusion != first.inclusion:
            lines = f"{table}:{first.line} and {other.line}"
            raise DataError(f"{lines}: {first.name} has two inclusion probabilities; keep one")
    return first


def _locate(labels: Sequence[_Label], population: AnswersTable, table: str) -> Ints:
    """Return the number of each label's pair in the population."""
    wanted = np.array([label.key for label in labels], np.uint64)
    places: dict[int, list[int]] = {}
    for at in np.flatnonzero(np.isin(population.key, wanted)).tolist():
        places.setdefault(int(population.key[at]), []).append(at)
    pairs = []
    for label in labels:
        own = places.get(label.key, [])
        if not own:
            raise DataError(
                f"{table}:{label.line}: {label.name} is not among the answers of "
                f"{population.table}; give the table that the sample was drawn from"
            )
        same = [at for at in own if not label.text or population.text[at] == label.text]
        if not same:
            raise DataError(
                f"{table}:{label.line}: the text of {label.name} is not that of "
                f"{population.table}; restore the text, or sample the new table"
            )
        pairs.append(same[0])
    return np.array(pairs, np.int64)
