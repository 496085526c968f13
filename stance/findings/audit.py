"""Labelled samples: read, checked, and joined to the answers that they were drawn from."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stance.arrays import stretches
from stance.corpus.rows import MISSING, LabelReader, stance_spellings
from stance.display import count, shown
from stance.errors import DataError
from stance.findings.answers import AnswersTable, pair_key, read_population
from stance.findings.correction import Audit
from stance.findings.request import Request, read_chance
from stance.records import ADJUDICATED, NEUTRAL, Stance
from stance.tables import Record, Table, column, open_table, optional_column

TRAIN = "train"  # purpose of a row that was chosen to learn from, not drawn
UNMARKED = ("", "0", "false")  # flags that are not set
NEW = 0.01  # share of answers added since the sample was drawn that hardly matters
OFTEN = 0.5  # over the root of the labelled texts: the share of all from which a text needs a label
_OPTIONAL = ("purpose", "false_match", "coder", "text", "design")
Design = dict[int, tuple[float, str]]  # inclusion probability and stratum of each pair, by its key


class _Label(NamedTuple):
    where: str  # table and line
    name: str  # of the pair, in messages
    key: int
    text: str
    coder: str
    truth: int
    design: str  # name of the file


def read_answers(request: Request) -> tuple[AnswersTable, Audit | None]:
    """Read a table of answers and, if there is one, the labelled sample of it.

    Raise `DataError` where the two do not fit.
    """
    if request.audit is None:
        return read_population(request), None
    try:
        with open_table(request.audit, encoding=request.audit_encoding) as table:
            records = list(table)
    except DataError as error:
        error.args = (error.args[0].replace(" --encoding", " --audit-encoding"),)
        raise
    filled = {n for record in records for n, cell in enumerate(record.cells) if cell.strip()}
    names = [name for n, name in enumerate(table.columns) if n in filled or not records]
    population, notes = read_population(request, names), list[str]()
    rows: Sequence[_Label] = [*_read_labels(table, records, population, notes)]
    if population.by_text:
        rows, population = _match_copies(rows, population, notes)
    codings = defaultdict[int, list[_Label]](list)
    for label, pair in _locate(rows, population):
        codings[pair].append(label)
    if not codings:
        raise DataError(f"{request.audit}: holds no labelled row; fill in 'stance'")
    pairs = np.array(sorted(codings), np.int64)
    labels = [_settle(codings[pair]) for pair in pairs.tolist()]
    if path := _find_design(request.audit, {row.design for row in rows}, request.simple_random):
        design = _read_design(path, population)
        _check_design(request.audit, design, labels, population)
    else:
        design = _simple_design(request.audit, labels, population)
    chances, strata = zip(*(design[label.key] for label in labels), strict=True)
    drawn = np.array([*{row.key for row in rows} | design.keys()], np.uint64)
    missing = np.setdiff1d(np.flatnonzero(np.isin(population.key, drawn)), pairs)
    if number := len(missing):
        percent = 100 * number / (len(pairs) + number)
        why = (
            f"{count(number, 'row')} without a label, {percent:.0f} % of those drawn; label them, "
            "too: intervals hold only if labels are missing by chance, not because rows are hard"
        )
        notes.insert(0, why)
    return population, Audit(
        pair=pairs,
        truth=np.array([label.truth for label in labels], np.int64),
        inclusion=np.array(chances),
        stratum=np.unique(strata, return_inverse=True)[1],
        missing=missing,
        notes=tuple(f"{request.audit}: {note}" for note in notes),
    )


def _read_labels(
    table: Table, records: Sequence[Record], population: AnswersTable, notes: list[str]
) -> Iterator[_Label]:
    """Yield the rows that were drawn at random; ``truth`` is `MISSING` where one has no label."""
    identity = [column(table, name) for name in (*population.named_by, "actor")]
    stance, kind = column(table, "stance"), population.named_by[-1]
    places = [optional_column(table, name) for name in _OPTIONAL]
    reader = LabelReader(table.name, Stance, stance_spellings(population.request.labels))
    counts = Counter[str]()
    for record in records:
        cells = record.cells
        purpose, false_match, coder, text, design = (
            "" if place is None else cells[place].strip() for place in places
        )
        named, actor = (cells[place].strip() for place in identity[-2:])
        if purpose == TRAIN:
            counts["left out: chosen for training, not drawn at random"] += 1
        elif not population.request.only or actor in population.actors:
            flagged = false_match.lower() not in UNMARKED
            counts["with a false match counted as neutral"] += flagged
            truth = NEUTRAL if flagged else MISSING
            yield _Label(
                where=f"{table.name}:{record.line}",
                name=f"{kind} {shown(named, 20)} on '{shown(actor, 40)}'",
                key=pair_key(cells[place] for place in identity),
                text=text,
                coder=coder,
                truth=reader.read(cells[stance], record) if cells[stance].strip() else truth,
                design=design,
            )
    reader.refuse_guess()
    notes += [f"{count(number, 'row')} {what}" for what, number in counts.items() if number]


def _settle(coding: Sequence[_Label]) -> _Label:
    """Return the label of a pair that counts: the adjudicated one, or the one that all gave."""
    chosen = [label for label in coding if label.coder == ADJUDICATED] or coding
    first = chosen[0]
    for other in (label for label in chosen if label.truth != first.truth):
        lines = f"{first.where} and {other.where.rpartition(':')[2]}"
        advice = "keep one of the lines, or adjudicate them with stance label"
        raise DataError(f"{lines}: {first.name} has two labels; {advice}")
    return first


def _match_copies(
    rows: Sequence[_Label], population: AnswersTable, notes: list[str]
) -> tuple[Sequence[_Label], AnswersTable]:
    """Return labels that are joined by text, and the answers, so that their keys fit each other.

    If a coder has several lines for a text, answers were drawn: each line is of another answer with
    its text, chosen at random, as each was equally likely to be drawn. Otherwise texts were drawn:
    a label is that of each answer with its text, and these answers count as one document.
    """
    asked = np.isin(population.key, np.array([row.key for row in rows], np.uint64))
    held, seen = Counter(population.key[asked].tolist()), Counter[tuple[int, str]]()
    codings, nth = defaultdict[int, list[_Label]](list), list[int]()
    for row in rows:
        nth.append(seen[row.key, row.coder])
        seen[row.key, row.coder] += 1
        if row.truth != MISSING:
            codings[row.key].append(row)
    if not any(nth) or any(lines > max(held[key], 1) for (key, _), lines in seen.items()):
        if any(held[key] > 1 for key in codings):
            why = "labels joined by text are read as a sample of distinct texts, each for all of "
            notes.append(f"{why}its rows; if rows were drawn instead, add their column 'row'")
        _, first, text = np.unique(population.text, return_index=True, return_inverse=True)
        document = population.document
        spread = np.bincount(text, document != document[first[text]]) > 0
        unit = np.where(spread[text], len(text) + text, document)
        return rows, replace(population, document=unit)
    notes.append("some texts stand in several lines, so each line labels one row with its text")
    truth = {key: _settle(coding).truth for key, coding in codings.items()}
    matched = [
        row._replace(key=row.key ^ n, truth=MISSING if row.truth == MISSING else truth[row.key])
        for row, n in zip(rows, nth, strict=True)
    ]
    _, key, copies = np.unique(population.key, return_inverse=True, return_counts=True)
    order = np.lexsort((np.random.default_rng(0).random(len(key)), key))
    rank = np.empty_like(key)
    rank[order] = stretches(np.zeros_like(copies), copies)
    return matched, replace(population, key=population.key ^ rank.astype(np.uint64))


def _locate(rows: Sequence[_Label], population: AnswersTable) -> Iterator[tuple[_Label, int]]:
    """Yield each label that was given, and the number of its pair in the population."""
    labels, kind = [row for row in rows if row.truth != MISSING], population.named_by[-1]
    numbers: dict[int, list[int]] = {label.key: [] for label in labels}
    for number in np.flatnonzero(np.isin(population.key, np.array([*numbers], np.uint64))).tolist():
        numbers[int(population.key[number])].append(number)
    for label in labels:
        pairs, text = numbers[label.key], pair_key([label.text])
        if label.text and population.places.text is not None:
            pairs = [number for number in pairs if population.text[number] == text]
        what = f"{label.where}: {label.name}"
        if not pairs:
            why = f"is not among the answers of {population.table}, or has another text there"
            advice = "restore the row, or give the table that the sample was drawn from"
            if population.places.file is not None:
                advice += ", by the same path"
            if population.places.document is not None and kind == "row":
                advice += "; if its document is a number, a spreadsheet may have changed it"
                advice += ", such as 007 into 7"
            raise DataError(f"{what} {why}; {advice}")
        same_text = population.places.text is not None and len({*population.text[pairs]}) == 1
        if same_text and population.by_text:  # the label is that of each of its rows
            yield from ((label, pair) for pair in pairs)
            continue
        if len(pairs) > 1 and not same_text:
            why = f"fits {len(pairs)} answers of {population.table}"
            advice = f"give each paragraph its own {kind}, or add the column 'text'"
            raise DataError(f"{what} {why}; {advice}")
        yield label, pairs[0]


# --- Designs ---


def design_path(sheet: Path) -> Path:
    """Return where the design of a sample stands, which coders of its sheet should not see.

    >>> design_path(Path("study/to_label.xlsx")).name
    'to_label.design.csv'
    """
    return sheet.with_suffix(".design.csv")


def _find_design(source: Path, names: set[str], simple: bool) -> Path | None:
    """Return the file of a sample's design; None if every answer was equally likely to be drawn."""
    listed = ", ".join(f"'{shown(name, 40)}'" for name in sorted(names))
    path = source.parent / Path(max(names)).name
    if simple and names == {""}:
        return None
    if simple:
        why = "says that rows were drawn with unequal probabilities; drop --simple-random"
    elif names == {""}:
        why = "is missing or empty, so it is unknown how its rows were drawn; if every answer "
        why += "was equally likely to be drawn, add --simple-random"
    elif len(names) > 1:
        why = f"must name one file of stance sample, not {listed}; restore it"
    elif not path.exists():
        why = f"names {listed}, which is not beside it; keep both files in one folder"
    else:
        return path
    raise DataError(f"{source}: its column 'design' {why}")


def _simple_design(source: Path, labels: Sequence[_Label], population: AnswersTable) -> Design:
    """Return the design of a simple random sample; raise if it misses a text of many answers.

    Such a text stands for itself alone, or all would depend on whether it was drawn.
    """
    keys, first, held = np.unique(population.key, return_index=True, return_counts=True)
    known = np.isin(keys, np.array([label.key for label in labels], np.uint64))
    many = held > max(1, OFTEN * len(population) / np.sqrt(known.sum()))
    many &= population.by_text
    for number in np.flatnonzero(many & ~known)[:1]:
        why = f"lacks the text of row {population.record[first[number]] + 1} of {population.table}"
        percent = 100 * held[number] / len(population)
        raise DataError(f"{source}: {why}, which has {percent:.0f} % of the answers; label it, too")
    whole = held[many].sum()
    chance = (len(labels) - whole) / max(1, len(population) - whole)
    chances = np.where(many, 1.0, chance)
    return {int(keys[number]): (float(chances[number]), "") for number in np.flatnonzero(known)}


def _read_design(path: Path, population: AnswersTable) -> Design:
    """Read how each pair was drawn."""
    design = Design()
    with open_table(path) as table:
        identity = [column(table, name) for name in (*population.named_by, "actor")]
        inclusion, stratum = (column(table, name) for name in ("inclusion", "stratum"))
        for record in table:
            chance = read_chance(record.cells[inclusion])
            if not chance > 0:
                why = f"'{shown(record.cells[inclusion])}' is not a probability above 0"
                advice = "restore what stance sample wrote"
                raise DataError(f"{table.name}:{record.line}: inclusion {why}; {advice}")
            key = pair_key(record.cells[place] for place in identity)
            design[key] = chance, record.cells[stratum]
    return design


def _check_design(
    source: Path, design: Design, labels: Sequence[_Label], population: AnswersTable
) -> None:
    """Raise where a design lacks a label, or was drawn from fewer answers, as on some actors."""
    for label in labels:
        if label.key not in design:
            why = f"is not in {label.design}; restore the row, or its design"
            raise DataError(f"{label.where}: {label.name} {why}")
    # The inverse probabilities of what was drawn, answers or documents, sum to their number.
    known = np.isin(population.key, np.array([*design], np.uint64))
    drawn = np.unique(population.actor[known])
    inside, document = np.isin(population.actor, drawn), population.document
    held = np.bincount(document[known], minlength=document.max() + 1)
    whole = bool((held[document] == 0)[inside & ~known].all())
    units = len(np.unique(document[inside])) if whole else int(inside.sum())
    together = dict(zip(population.key[known].tolist(), held[document[known]], strict=True))
    size = sum(1 / how[0] / (together.get(key, 1) if whole else 1) for key, how in design.items())
    noun = "document" if whole else "answer"
    if not inside.all() and abs(size - units) < 0.5:
        options = " ".join(f"--actor '{shown(population.actors[number], 30)}'" for number in drawn)
        why = f"was drawn from the {count(units, noun)} on {count(len(drawn), 'actor')}"
        raise DataError(f"{source}: {why} and says nothing of the others; add {options}")
    if units > size * (1 + NEW) + 0.5:
        why = f"was drawn from fewer {noun}s than the {units:,} of {population.table}"
        raise DataError(f"{source}: {why}; leave out those added since, or draw a sample anew")
