"""Labelled samples: read, checked, and joined to the answers that they were drawn from."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from stance.display import count, shown
from stance.errors import DataError
from stance.evaluation.agreement import MISSING, coded_twice, measure_agreement
from stance.evaluation.answers import Figures
from stance.findings.answers import AnswersTable, is_row, pair_key, text_key
from stance.findings.correction import Audit
from stance.findings.request import Join
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
def read_audit(request: AuditRequest, population: AnswersTable) -> Audit:
    """Read a labelled sample of a population; raise `DataError` where the two do not fit."""
    counts: Counter[str] = Counter()
    with open_table(request.source, encoding=request.encoding) as table:
        rows = list(_read_labels(table, request, population, counts))
    name, labelled = table.name, [row for row in rows if row.truth >= 0]
    if not labelled:
        raise DataError(f"{name}: holds no labelled row; fill in 'stance'")
    codings: dict[int, list[_Label]] = {}
    for row, pair in zip(labelled, _locate(labelled, population, name), strict=True):
        codings.setdefault(pair, []).append(row)
    counts["repeated"] = len(labelled) - len(
        {(pair, label.coder) for pair in codings for label in codings[pair]}
    )
    settled = {
        pair: label
        for pair, coding in sorted(codings.items())
        if (label := _settle(coding, name, request.coder))
    }
    if not settled:
        coders = ", ".join(shown(coder, 30) for coder in sorted({row.coder for row in labelled}))
        raise DataError(f"{name}: no label of '{request.coder}'; its coders: {coders}")
    design = _design(request, rows, list(settled.values()), population)
    chances, strata = zip(*(design[label.key] for label in settled.values()), strict=True)
    pairs = np.array(list(settled), np.int64)
    drawn = np.array([*{row.key for row in rows} | design.keys()], np.uint64)
    missing = np.setdiff1d(np.flatnonzero(np.isin(population.key, drawn)), pairs)
    return Audit(
        pair=pairs,
        truth=np.array([label.truth for label in settled.values()], np.int64),
        inclusion=np.array(chances),
        stratum=np.unique(strata, return_inverse=True)[1],
        missing=missing,
        notes=tuple(f"{name}: {note}" for note in _notes(counts, len(pairs), len(missing))),
        agreement=_agreement({pair: codings[pair] for pair in settled}, population),
    )


def _agreement(codings: Mapping[int, Sequence[_Label]], population: AnswersTable) -> Figures | None:
    """Return how far coders agree on rows that several of them labelled, before adjudication."""
    truths = [
        {label.coder: label.truth for label in coding if label.coder != ADJUDICATED}
        for coding in codings.values()
    ]
    coders = sorted({coder for row in truths for coder in row})
    codes = np.array([[row.get(coder, MISSING) for row in truths] for coder in coders], np.int64)
    if not len(coders) or not coded_twice(codes).any():
        return None
    return measure_agreement(codes, len(Stance), population.document[list(codings)])


def _notes(counts: Counter[str], labelled: int, missing: int) -> Iterator[str]:
    if missing:
        percent = 100 * missing / (labelled + missing)
        yield (
            f"{count(missing, 'row')} without a label, {percent:.0f} % of those drawn; label them, "
            "too: the intervals hold only if rows were left open by chance, not for being hard"
        )
    if repeated := counts["repeated"]:
        yield f"{count(repeated, 'row')} left out: an earlier row has the same pair and label"
    if chosen := counts["train"]:
        yield f"{count(chosen, 'row')} left out: chosen for training, not drawn by chance"
    if false := counts["false matches"]:
        yield f"{count(false, 'row')} with a false match counted as neutral"


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
        if population.partial and actor not in population.actors:
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
    """Return the label of a pair that counts; None without one of the coder asked for."""
    chosen = [label for label in coding if label.coder == ADJUDICATED] or coding
    if coder is not None:
        chosen = [label for label in coding if label.coder == coder]
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


def _locate(labels: Sequence[_Label], population: AnswersTable, table: str) -> Iterator[int]:
    """Yield the number of each label's pair in the population."""
    wanted = np.array([label.key for label in labels], np.uint64)
    numbers: dict[int, list[int]] = {}
    for number in np.flatnonzero(np.isin(population.key, wanted)).tolist():
        numbers.setdefault(int(population.key[number]), []).append(number)
    for label in labels:
        alike = numbers.get(label.key, [])
        where, answers = f"{table}:{label.line}", population.table
        if not alike:
            raise DataError(
                f"{where}: {label.name} is not among the answers of {answers}; give the table that "
                "the sample was drawn from"
            )
        alike = [n for n in alike if not label.text or population.text[n] == label.text]
        if not alike:
            raise DataError(
                f"{where}: the text of {label.name} differs from its text in {answers}; restore "
                "the text, or sample the new table"
            )
        if len(alike) > 1 and population.join != "text":
            raise DataError(
                f"{where}: {label.name} is {len(alike)} answers of {answers}; give each paragraph "
                f"its own {population.join}, or add the column 'text'"
            )
        yield alike[0]


# --- Designs ---


def design_path(sheet: Path) -> Path:
    """Return where the design of a sample stands, which coders of its sheet should not see.

    >>> design_path(Path("study/to_label.xlsx")).name
    'to_label.design.csv'
    """
    return sheet.with_suffix(".design.csv")


def _design(
    request: AuditRequest,
    rows: Sequence[_Label],
    labels: Sequence[_Label],
    population: AnswersTable,
) -> Design:
    """Return how the labelled rows were drawn; raise where the design and they do not fit."""
    names, source = {row.design for row in rows}, request.source
    if request.simple_random and names == {""}:
        return {label.key: (len(labels) / len(population), "") for label in labels}
    if request.simple_random:
        raise DataError(
            f"{source}: its column 'design' says that the rows were drawn with unequal chances; "
            "drop --simple-random"
        )
    design = _read_design(source, names, population)
    for label in labels:
        if label.key not in design:
            raise DataError(
                f"{source}:{label.line}: {label.name} is not in {label.design}; restore the row, "
                "or its design"
            )
    return design


def _read_design(source: Path, names: set[str], population: AnswersTable) -> Design:
    """Read the inclusion probabilities and strata of all pairs that were drawn, by their keys."""
    if len(names) != 1 or "" in names:
        listed = ", ".join(f"'{shown(name, 40)}'" for name in sorted(names))
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
