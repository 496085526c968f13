"""Labelled samples: read, checked, and joined to the answers that they were drawn from."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stance.corpus.rows import LabelReader, stance_spellings
from stance.display import count, shown
from stance.errors import DataError
from stance.findings.answers import (
    MISSING,
    AnswersTable,
    is_row,
    pair_key,
    read_population,
    text_key,
)
from stance.findings.correction import Audit
from stance.findings.request import Request
from stance.records import ADJUDICATED, NEUTRAL, Stance
from stance.tables import Record, Table, column, encoded_by, open_table, optional_column

TRAIN = "train"  # purpose of a row that was chosen to learn from, not drawn
UNMARKED = ("", "0", "false")  # flags that are not set
_OPTIONAL = ("purpose", "false_match", "coder", "text", "design")
Design = dict[int, tuple[float, str]]  # inclusion probability and stratum of each pair, by its key


@dataclass(frozen=True, slots=True)
class _Label:
    where: str  # table and line
    name: str  # of the pair, in messages
    key: int
    text: int  # key of the text; 0 without one
    coder: str
    truth: int
    design: str  # name of the file


def read_answers(request: Request) -> tuple[AnswersTable, Audit | None]:
    """Read a table of answers and, if there is one, its labelled sample."""
    if request.audit is None:
        return read_population(request), None
    encoding = request.audit_encoding
    with encoded_by("--audit-encoding"), open_table(request.audit, encoding=encoding) as table:
        columns = table.columns
    population = read_population(request, columns)
    return population, _read_audit(request.audit, population)


@encoded_by("--audit-encoding")
def _read_audit(source: Path, population: AnswersTable) -> Audit:
    """Read a labelled sample of a population; raise `DataError` where the two do not fit."""
    request, counts = population.request, Counter[str]()
    with open_table(source, encoding=request.audit_encoding) as table:
        rows = list(_read_labels(table, population, counts))
    labelled = [row for row in rows if row.truth >= 0]
    if not labelled:
        raise DataError(f"{source}: holds no labelled row; fill in 'stance'")
    codings = defaultdict[int, list[_Label]](list)
    for row, pair in zip(labelled, _locate(labelled, population), strict=True):
        codings[pair].append(row)
    labels = {pair: _settle(codings[pair]) for pair in sorted(codings)}
    design = _read_design(source, rows, list(labels.values()), population)
    chances, strata = zip(*(design[label.key] for label in labels.values()), strict=True)
    pairs = np.array(list(labels), np.int64)
    drawn = np.array([*{row.key for row in rows} | design.keys()], np.uint64)
    missing = np.setdiff1d(np.flatnonzero(np.isin(population.key, drawn)), pairs)
    counts["missing"] = len(missing)
    return Audit(
        pair=pairs,
        truth=np.array([label.truth for label in labels.values()], np.int64),
        inclusion=np.array(chances),
        stratum=np.unique(strata, return_inverse=True)[1],
        missing=missing,
        notes=tuple(f"{source}: {note}" for note in _notes(counts, len(pairs))),
    )


def _notes(counts: Mapping[str, int], labelled: int) -> Iterator[str]:
    if missing := counts["missing"]:
        percent = 100 * missing / (labelled + missing)
        yield (
            f"{count(missing, 'row')} without a label, {percent:.0f} % of those drawn; label them, "
            "too: intervals hold only if labels are missing by chance, not because rows are hard"
        )
    for what, why in (
        ("train", "left out: chosen for training, not drawn at random"),
        ("false matches", "with a false match counted as neutral"),
    ):
        if counts[what]:
            yield f"{count(counts[what], 'row')} {why}"


def _read_labels(table: Table, population: AnswersTable, counts: Counter[str]) -> Iterator[_Label]:
    """Yield the rows that were drawn at random; ``truth`` is `MISSING` where one has no label."""
    identity = _identity(table, population)
    stance = column(table, "stance")
    places = [optional_column(table, name) for name in _OPTIONAL]
    reader = LabelReader(table.name, Stance, stance_spellings(population.request.labels))
    for record in table:
        cells = record.cells
        purpose, false_match, coder, text, design = (
            "" if place is None else cells[place].strip() for place in places
        )
        if purpose == TRAIN:
            counts["train"] += 1
            continue
        named, actor = (cells[place].strip() for place in identity[-2:])
        if population.request.only and actor not in population.actors:
            continue
        flagged = false_match.lower() not in UNMARKED
        counts["false matches"] += flagged
        truth = NEUTRAL if flagged else MISSING
        yield _Label(
            where=f"{table.name}:{record.line}",
            name=f"{population.join} {shown(named, 20)} on '{shown(actor, 40)}'",
            key=_key(record, identity, population, table.name),
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
    return [column(table, name) for name in (*names, "actor")]


def _key(record: Record, identity: Sequence[int], population: AnswersTable, table: str) -> int:
    *names, actor = (record.cells[place].strip() for place in identity)
    if population.join == "row" and not is_row(names[-1]):
        why = f"'{shown(names[-1])}' is not a row number; restore what stance sample wrote"
        raise DataError(f"{table}:{record.line}: {why}")
    return pair_key(population.join, names, actor)


def _settle(coding: Sequence[_Label]) -> _Label:
    """Return the label of a pair that counts: the adjudicated one, or the one that all gave."""
    chosen = [label for label in coding if label.coder == ADJUDICATED] or coding
    first, advice = chosen[0], "; keep one of the lines"
    other = next((label for label in chosen if label.truth != first.truth), None)
    if other is None:
        return first
    if first.coder or other.coder:
        names = ", ".join(shown(label.coder, 30) or "no coder" for label in (first, other))
        advice = f" ({names}); adjudicate them with stance label, or export one coder's labels"
    lines = f"{first.where} and {other.where.rpartition(':')[2]}"
    raise DataError(f"{lines}: {first.name} has two labels{advice}")


def _locate(labels: Sequence[_Label], population: AnswersTable) -> Iterator[int]:
    """Yield the number of each label's pair in the population."""
    numbers: dict[int, list[int]] = {label.key: [] for label in labels}
    for number in np.flatnonzero(np.isin(population.key, np.array([*numbers], np.uint64))).tolist():
        numbers[int(population.key[number])].append(number)
    for label in labels:
        answers, pairs, why = population.table, numbers[label.key], ""
        alike = [n for n in pairs if not label.text or population.text[n] == label.text]
        if not pairs:
            why = f"{label.name} is not among the answers of {answers}; give the table that the "
            why += "sample was drawn from"
        elif not alike:
            why = f"the text of {label.name} differs from its text in {answers}; restore the text, "
            why += "or sample the new table"
        elif len(alike) > 1 and population.join != "text":
            why = f"{label.name} fits {len(alike)} answers of {answers}; give each paragraph "
            why += f"its own {population.join}, or add the column 'text'"
        if why:
            raise DataError(f"{label.where}: {why}")
        yield alike[0]


# --- Designs ---


def design_path(sheet: Path) -> Path:
    """Return where the design of a sample stands, which coders of its sheet should not see.

    >>> design_path(Path("study/to_label.xlsx")).name
    'to_label.design.csv'
    """
    return sheet.with_suffix(".design.csv")


def _design_file(source: Path, names: set[str]) -> Path:
    """Return the file that the column of designs names; raise if it is not one file, and there."""
    if names == {""}:
        raise DataError(
            f"{source}: its column 'design' is missing or empty, so it is unknown how its rows "
            "were drawn; if every answer was equally likely to be drawn, add --simple-random"
        )
    if len(names) != 1 or "" in names:
        listed = ", ".join(f"'{shown(name, 40)}'" for name in sorted(names))
        raise DataError(
            f"{source}: its column 'design' must name one file of stance sample, not {listed}; "
            "restore it"
        )
    path = source.with_name(Path(*names).name)
    if not path.exists():
        raise DataError(
            f"{source}: {path.name}, which says how likely each row was to be drawn, is not beside "
            "it; stance sample wrote it beside the table to label"
        )
    return path


def _read_design(
    source: Path, rows: Sequence[_Label], labels: Sequence[_Label], population: AnswersTable
) -> Design:
    """Read how each pair was drawn; raise where this does not fit the labels or the answers."""
    names = {row.design for row in rows}
    if population.request.simple_random:
        if names != {""}:
            raise DataError(
                f"{source}: its column 'design' says that the rows were drawn with unequal "
                "probabilities; drop --simple-random"
            )
        return {label.key: (len(labels) / len(population), "") for label in labels}
    path, design = _design_file(source, names), Design()
    with open_table(path) as table:
        identity = _identity(table, population)
        places = [column(table, name) for name in ("inclusion", "stratum")]
        for record in table:
            chance, stratum = (record.cells[place] for place in places)
            try:
                probability = float(chance)
            except ValueError:
                probability = 0.0
            if not 0 < probability <= 1:
                raise DataError(
                    f"{table.name}:{record.line}: inclusion '{shown(chance)}' is not a probability "
                    "above 0 and up to 1; restore what stance sample wrote"
                )
            design[_key(record, identity, population, table.name)] = probability, stratum
    for label in labels:
        if label.key not in design:
            why = f"is not in {label.design}; restore the row, or its design"
            raise DataError(f"{label.where}: {label.name} {why}")
    # The inverse probabilities of a sample of answers sum to the number that it was drawn from.
    drawn = np.unique(population.actor[np.isin(population.key, np.array([*design], np.uint64))])
    answers = int(np.isin(population.actor, drawn).sum())
    size = sum(1 / probability for probability, _ in design.values())
    if answers < len(population) and abs(size - answers) < 0.5:
        options = " ".join(f"--actor '{shown(population.actors[number], 30)}'" for number in drawn)
        raise DataError(
            f"{source}: was drawn from the {count(answers, 'answer')} on "
            f"{count(len(drawn), 'actor')} and says nothing of the others; add {options}"
        )
    return design
