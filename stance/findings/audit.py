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
from stance.findings.request import Join, bounded
from stance.label_values import LabelReader, stance_spellings
from stance.records import ADJUDICATED, NEUTRAL, Stance
from stance.tables import Table, column, encoded_by, open_table, optional_column

TRAIN = "train"  # purpose of a row that was chosen to learn from, not drawn
UNMARKED = ("", "0", "false")  # flags that are not set
_OPTIONAL = ("purpose", "false_match", "coder", "text", "design")

Design = Mapping[int, tuple[float, str]]
"""Inclusion probability and stratum of each pair drawn by chance, by its key."""


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """A labelled sample, and how to read it."""

    source: Path  #: table with the column stance filled in; its design stands beside it
    coder: str | None = None  #: whose labels count where coders disagree
    simple_random: bool = False  #: every answer had the same chance, so no design says it
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
    design: str  # name of the file


@encoded_by("--audit-encoding")
def audit_columns(request: AuditRequest) -> tuple[str, ...]:
    """Return the columns of a labelled sample."""
    with open_table(request.source, encoding=request.encoding) as table:
        return table.columns


@encoded_by("--audit-encoding")
def read_audit(request: AuditRequest, population: AnswersTable) -> LabelledSample:
    """Read a labelled sample of a population; raise `DataError` where the two do not fit."""
    counts: Counter[str] = Counter()
    with open_table(request.source, encoding=request.encoding) as table:
        rows: dict[tuple[int, int], list[_Label]] = {}
        for label in _read_labels(table, request, population, counts):
            rows.setdefault((label.key, label.text), []).append(label)
    name, labels, codings = table.name, list[_Label](), list[list[_Label]]()
    if not any(label.truth >= 0 for coding in rows.values() for label in coding):
        raise DataError(f"{name}: holds no labelled row to audit with; fill in 'stance'")
    for coding in rows.values():
        if settled := _settle(coding, name, request.coder):
            labels.append(settled)
            codings.append(coding)
    if not labels:
        coders = sorted({label.coder for coding in rows.values() for label in coding})
        listed = ", ".join(shown(coder, 30) for coder in coders)
        raise DataError(f"{name}: no label of '{request.coder}'; its coders: {listed}")
    pairs = _locate(labels, population, name)
    designs = {label.design for coding in rows.values() for label in coding}
    if not request.simple_random:
        design = _read_design(request.source, designs, population)
        if alien := [label for label in labels if label.key not in design]:
            raise DataError(
                f"{name}:{alien[0].line}: {alien[0].name} is not in {alien[0].design}; restore the "
                "row, or its design"
            )
    elif designs == {""}:
        design = {label.key: (len(labels) / len(population), "") for label in labels}
    else:
        raise DataError(
            f"{name}: its column 'design' says that the rows were drawn with unequal chances; drop "
            "--simple-random"
        )
    chances, strata = zip(*(design[label.key] for label in labels), strict=True)
    drawn = np.array([*{key for key, _ in rows} | design.keys()], np.uint64)
    missing = np.setdiff1d(np.flatnonzero(np.isin(population.key, drawn)), pairs)
    order = np.argsort(pairs, kind="stable")
    audit = Audit(
        pair=pairs[order],
        truth=np.array([label.truth for label in labels], np.int64)[order],
        inclusion=np.array(chances)[order],
        stratum=np.unique(strata, return_inverse=True)[1][order],
        missing=missing,
    )
    agreement = _agreement(codings, population.document[pairs])
    notes = tuple(f"{name}: {note}" for note in _notes(counts, len(labels), len(missing)))
    return LabelledSample(audit, notes, agreement)


def _agreement(codings: Sequence[Sequence[_Label]], document: Ints) -> Agreement | None:
    """Return how far coders agree on rows that several of them labelled, before adjudication."""
    truths = [
        {label.coder: label.truth for label in coding if label.coder != ADJUDICATED}
        for coding in codings
    ]
    coders = sorted({coder for row in truths for coder in row})
    codes = np.array([[row.get(coder, MISSING) for row in truths] for coder in coders], np.int64)
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
    if chosen := counts["train"]:
        yield f"{count(chosen, 'row')} chosen for training left out"
    if false := counts["false matches"]:
        yield f"{count(false, 'row')} with a false match, counted as neutral"


def _read_labels(
    table: Table, request: AuditRequest, population: AnswersTable, counts: Counter[str]
) -> Iterator[_Label]:
    """Yield the rows that were drawn by chance; ``truth`` is `MISSING` where one has no label."""
    identity = _identity(table, population)
    stance = column(table.columns, "stance", table.name)
    places = [optional_column(table.columns, name, table.name) for name in _OPTIONAL]
    reader = LabelReader(table.name, Stance, stance_spellings(request.labels))
    for record in table:
        cells = record.cells
        purpose, false_match, coder, text, design = (
            "" if place is None else cells[place].strip() for place in places
        )
        if purpose == TRAIN:
            counts["train"] += 1
            continue
        named, actor = (cells[place].strip() for place in identity[-2:])
        if population.partial and bounded(actor) not in population.actors:
            continue
        flagged = false_match.lower() not in UNMARKED
        counts["false matches"] += flagged
        truth = NEUTRAL if flagged else MISSING
        yield _Label(
            line=record.line,
            name=f"{population.join} {shown(named, 20)} on '{shown(actor, 40)}'",
            key=_key(cells, identity, population.join, f"{table.name}:{record.line}"),
            text=0 if population.places.text is None else text_key(text),
            coder=coder,
            truth=reader.read(cells[stance], record) if cells[stance].strip() else truth,
            design=design,
        )
    reader.refuse_guess()


def _identity(table: Table, population: AnswersTable) -> list[int]:
    """Return the columns that say which pair a row is about, the last one its actor."""
    names = [population.columns[place] for place in population.places.identity(population.join)]
    if population.join == "row" or ("text" in table.columns and population.join == "text"):
        names[-1] = population.join  # as stance sample calls it
    return [column(table.columns, name, table.name) for name in (*names, "actor")]


def _key(cells: Sequence[str], identity: Sequence[int], join: Join, where: str) -> int:
    *names, actor = (cells[place].strip() for place in identity)
    if join == "row" and not is_row(names[-1]):
        why = f"'{shown(names[-1])}' is not a row number"
        raise DataError(f"{where}: {why}; restore what stance sample wrote")
    return pair_key(join, names, actor)


def _settle(coding: Sequence[_Label], table: str, coder: str | None) -> _Label | None:
    """Return the label of a pair that counts; None without one, or none of the coder asked for."""
    labels = [label for label in coding if label.truth >= 0]
    chosen = [label for label in labels if label.coder == ADJUDICATED] or labels
    if coder is not None:
        chosen = [label for label in labels if label.coder == coder]
    if not chosen:
        return None
    first = chosen[0]
    other = next((label for label in chosen if label.truth != first.truth), None)
    if other is None:
        return first
    lines = f"{table}:{first.line} and {other.line}"
    if not first.coder and not other.coder:
        raise DataError(f"{lines}: {first.name} has two labels; keep one of the lines")
    names = ", ".join(shown(label.coder, 30) or "no coder" for label in (first, other))
    raise DataError(
        f"{lines}: {first.name} has two labels ({names}); adjudicate them with stance label, or "
        "choose one with --coder"
    )


def _locate(labels: Sequence[_Label], population: AnswersTable, table: str) -> Ints:
    """Return the number of each label's pair in the population."""
    wanted = np.array([label.key for label in labels], np.uint64)
    numbers: dict[int, list[int]] = {}
    for number in np.flatnonzero(np.isin(population.key, wanted)).tolist():
        numbers.setdefault(int(population.key[number]), []).append(number)
    pairs = []
    for label in labels:
        alike = numbers.get(label.key, [])
        if not alike:
            raise DataError(
                f"{table}:{label.line}: {label.name} is not among the answers of "
                f"{population.table}; give the table that the sample was drawn from"
            )
        alike = [n for n in alike if not label.text or population.text[n] == label.text]
        if not alike:
            raise DataError(
                f"{table}:{label.line}: the text of {label.name} differs from its text in "
                f"{population.table}; restore the text, or sample the new table"
            )
        if len(alike) > 1 and population.join == "id":
            raise DataError(
                f"{table}:{label.line}: {label.name} is {len(alike)} answers of "
                f"{population.table}; give each paragraph its own id, or add the column 'text'"
            )
        pairs.append(alike[0])
    return np.array(pairs, np.int64)


# --- Designs ---


def design_path(sheet: Path) -> Path:
    """Return where the design of a sample stands, which coders of its sheet should not see.

    >>> design_path(Path("study/to_label.xlsx")).name
    'to_label.design.csv'
    """
    return sheet.with_suffix(".design.csv")


def _read_design(source: Path, names: set[str], population: AnswersTable) -> Design:
    """Read the inclusion probabilities and strata of all pairs that were drawn, by their keys."""
    if len(names) != 1 or "" in names:
        listed = ", ".join(f"'{shown(name, 40)}'" for name in sorted(names)) or "no design"
        raise DataError(
            f"{source}: its column 'design' must name one file of stance sample, not {listed}; "
            "restore it, or if every answer had the same chance, add --simple-random"
        )
    path = source.with_name(Path(*names).name)
    if not path.exists():
        raise DataError(
            f"{source}: {path.name}, which says how likely each row was to be drawn, is not beside "
            "it; stance sample wrote it beside the table to label"
        )
    design: dict[int, tuple[float, str]] = {}
    with open_table(path) as table:
        identity = _identity(table, population)
        places = [column(table.columns, name, table.name) for name in ("inclusion", "stratum")]
        for record in table:
            chance, stratum = (record.cells[place] for place in places)
            where = f"{path}:{record.line}"
            try:
                probability = float(chance)
            except ValueError:
                probability = 0.0
            if not 0 < probability <= 1:
                raise DataError(
                    f"{where}: inclusion '{shown(chance)}' is not a probability above 0 and up to "
                    "1; restore what stance sample wrote"
                )
            key = _key(record.cells, identity, population.join, where)
            design[key] = probability, stratum
    return design
