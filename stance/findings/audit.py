"""Labelled samples: read, checked, and joined to the answers that they were drawn from."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stance.corpus.rows import MISSING, TRAIN, LabelReader, is_false_match, stance_spellings
from stance.display import count, shown
from stance.errors import DataError, UsageError
from stance.findings.answers import AnswersTable, pair_key, read_population
from stance.findings.correction import Audit
from stance.findings.request import Request, read_chance
from stance.records import ADJUDICATED, NEUTRAL, Stance, as_coder
from stance.tables import FILE, Record, Table, column, open_table, optional_column
from stance.tables.table import folded

NEW = 0.01  # share of answers added since the sample was drawn that hardly matters
UNLABELLED = 0.05  # share of answers, at most, of groups drawn from without any label
UNIT = "drawn_as"  # column of designs: what was drawn, an "answer" or a "document"
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
    """Read a table of answers and its labelled sample, if any; raise where the two do not fit."""
    if request.audit is None:
        population = read_population(request)
        if never := population.never_answered:
            advice = "without --abstain or with a higher rate, or add --audit LABELLED"
            raise DataError(f"{never}; run stance predict {advice}")
        return population, None
    with open_table(request.audit, encoding=request.encoding) as table:
        records = list(table)
    names, document = _naming(table, records, request)
    if document and request.document_column is None:
        request = replace(request, document_column=document)
    population, notes = read_population(request, names), list[str]()
    rows = [*_read_labels(table, records, population, notes)]
    codings = defaultdict[int, list[_Label]](list)
    for label, pair in _locate(rows, population):
        codings[pair].append(label)
    if not codings:
        raise DataError(f"{request.audit}: holds no labelled row; fill in 'stance'")
    pairs = np.array(sorted(codings), np.int64)
    labels = [_settle(codings[pair]) for pair in pairs.tolist()]
    design = _find_design({row.design for row in rows}, labels, population)
    answered = {*population.key.tolist()}
    held = design.keys() & answered
    drawn = Counter(design[key][1] for key in held)
    chances, strata = zip(*(design[label.key] for label in labels), strict=True)
    given = {label.key for label in labels}
    labelled = Counter(design[key][1] for key in given)
    asked = {row.key for row in rows} | design.keys()
    if missing := len((asked & answered) - given):
        share = f"{100 * missing / (len(pairs) + missing):.0f} % of those drawn"
        advice = "label them, too: intervals hold only if labels are missing by chance within each "
        advice += "group that was drawn from"
        if bare := drawn.keys() - labelled.keys():
            _refuse_bare(table.name, [design[key] for key in held], bare)
            number = sum(drawn[one] for one in bare)
            advice += f"; {number:,} of them are of groups without any, for which others stand"
        notes.insert(0, f"{count(missing, 'row')} without a label, {share}; {advice}")
    return population, Audit(
        pair=pairs,
        truth=np.array([label.truth for label in labels], np.int64),
        # As if the labelled pairs of each stratum were all that was drawn from it.
        inclusion=np.array(chances) * [labelled[one] / drawn[one] for one in strata],
        stratum=np.unique(strata, return_inverse=True)[1],
        missing=missing,
        chances=[design[key][0] for key in held],
        notes=tuple(f"{request.audit}: {note}" for note in notes),
    )


def _refuse_bare(source: str, held: Sequence[tuple[float, str]], bare: Set[str]) -> None:
    """Raise if many answers are of groups without a label, of which nothing can be learned."""
    share = sum(1 / p for p, stratum in held if stratum in bare) / sum(1 / p for p, _ in held)
    if share > UNLABELLED:
        why = f"no row is labelled in {len(bare)} of the groups of similar answers that were drawn "
        why += f"from, which are {100 * share:.0f} % of all answers"
        raise DataError(f"{source}: {why}; label rows from everywhere in the sheet, best all")


def _naming(
    table: Table, records: Sequence[Record], request: Request
) -> tuple[list[str], str | None]:
    """Return which columns name what was drawn, and that of documents if the design names it.

    They are filled in, and the design has them, too, but for the text.
    """
    audit = request.audit or Path()
    filled = {n for record in records for n, cell in enumerate(record.cells) if cell.strip()}
    names = [name for n, name in enumerate(table.columns) if n in filled or not records]
    if (sheet := optional_column(table, "design")) is None or not records:
        return names, None
    path = audit.parent / Path(max(record.cells[sheet].strip() for record in records)).name
    if not path.is_file():
        return names, None
    if optional_column(table, "row") is None:
        what = f"lacks the column 'row', by which {path.name} names what was drawn"
        raise DataError(f"{audit}: {what}; restore it")
    with open_table(path) as design:
        known = {*map(folded, design.columns), "text"}
    usual = {"file", folded(request.prefix + FILE), "document", "id", "row", "actor"}
    usual |= {"inclusion", "stratum", UNIT}
    others = (name for name in design.columns if folded(name) not in usual)
    return [name for name in names if folded(name) in known], next(others, None)


def _read_labels(
    table: Table, records: Sequence[Record], population: AnswersTable, notes: list[str]
) -> Iterator[_Label]:
    """Yield the rows that were drawn at random; ``truth`` is `MISSING` where one has no label."""
    identity = [column(table, name) for name in (*population.named_by, "actor")]
    stance, kind = column(table, "stance"), population.named_by[-1]
    places = [optional_column(table, name) for name in _OPTIONAL]
    spellings = stance_spellings(population.request.labels)
    reader = LabelReader(table, Stance, spellings, without="leave the cell empty")
    counts = Counter[str]()
    for record in records:
        cells = record.cells
        optional = ("" if place is None else cells[place].strip() for place in places)
        purpose, false_match, coder, text, design = optional
        named, actor = (cells[place].strip() for place in identity[-2:])
        if purpose == TRAIN:
            counts["left out: chosen for training, not drawn at random"] += 1
        elif not population.request.only or actor in population.actors:
            given, where = cells[stance].strip(), f"{table.name}:{record.line}"
            truth = reader.read(given, record) if given else MISSING
            if is_false_match(false_match, truth, where) and not given:
                counts["with a false match counted as neutral"] += 1
                truth = NEUTRAL
            yield _Label(
                where=where,
                name=f"{kind} {shown(named, 20)} on '{shown(actor, 40)}'",
                key=pair_key(cells[place] for place in identity),
                text=text,
                coder=as_coder(coder),
                truth=truth,
                design=design,
            )
    notes += [note.removeprefix(f"{table.name}: ") for note in reader.notes()]
    notes += [f"{count(number, 'row')} {what}" for what, number in counts.items() if number]


def _settle(coding: Sequence[_Label]) -> _Label:
    """Return the label of a pair that counts: the adjudicated one, or the one that all gave."""
    first, *others = [label for label in coding if label.coder == ADJUDICATED] or coding
    for other in (label for label in others if label.truth != first.truth):
        lines = f"{first.where} and {other.where.rpartition(':')[2]}"
        advice = "keep one of the lines, or adjudicate them with stance label"
        raise DataError(f"{lines}: {first.name} has two labels; {advice}")
    return first


def _locate(rows: Sequence[_Label], population: AnswersTable) -> Iterator[tuple[_Label, int]]:
    """Yield each label that was given, and the number of its pair in the population."""
    labels = [row for row in rows if row.truth != MISSING]
    numbers: dict[int, list[int]] = {label.key: [] for label in labels}
    for number in np.flatnonzero(np.isin(population.key, np.array([*numbers], np.uint64))).tolist():
        numbers[int(population.key[number])].append(number)
    for label in labels:
        pairs, text = numbers[label.key], pair_key([label.text])
        if label.text and population.places.text is not None:
            pairs = [number for number in pairs if population.text[number] == text]
        if not pairs:
            why = f"is not among the answers of {population.table}, or has another text there"
            advice = "restore the row, whose cells a spreadsheet may have changed, such as 007 "
            advice += "into 7, or give the table that the sample was drawn from, by the same path"
            raise DataError(f"{label.where}: {label.name} {why}; {advice}")
        if len(pairs) > 1:
            why = f"fits {len(pairs)} answers of {population.table}"
            advice = "give each paragraph its own 'id' in both tables"
            raise DataError(f"{label.where}: {label.name} {why}; {advice}")
        yield label, pairs[0]


# --- Designs ---


def design_path(sheet: Path) -> Path:
    """Return where the design of a sample stands, which coders of its sheet should not see.

    >>> design_path(Path("study/to_label.xlsx")).name
    'to_label.design.csv'
    """
    if not sheet.name:
        raise UsageError(f"{sheet}: is a folder; name a file")
    return sheet.with_suffix(".design.csv")


def _find_design(names: set[str], labels: Sequence[_Label], population: AnswersTable) -> Design:
    """Return how the pairs of a sample were drawn, by its file or by --simple-random."""
    source, why = population.request.audit or Path(), ""
    simple = population.request.simple_random
    name = Path(max(names)).name or design_path(source).name
    path = source.parent / name
    if path.is_file() and (simple or names == {""}):
        why = f"its rows were drawn by {shown(name)}; keep its column 'design'"
        why += " and drop --simple-random" * simple
    elif simple and names == {""}:
        return {label.key: (len(labels) / len(population), "") for label in labels}
    elif max(names) and not path.is_file():
        why = f"its design file {shown(name)} is missing; put it beside the labels"
    elif len(names) > 1 or names == {""}:
        why = "does not say how its rows were drawn; keep its column 'design' and, beside it, the "
        why += "file that this names, or add --simple-random if every answer had the same chance"
    if why:
        raise DataError(f"{source}: {why}")
    design, unit = _read_design(path, population)
    _check_design(design, unit, labels, population)
    return design


def _read_design(path: Path, population: AnswersTable) -> tuple[Design, str]:
    """Read how each pair was drawn, and whether documents were; "" in an older design."""
    design, unit = Design(), ""
    with open_table(path) as table:
        identity = [column(table, name) for name in (*population.named_by, "actor")]
        inclusion, stratum = (column(table, name) for name in ("inclusion", "stratum"))
        drawn_as = optional_column(table, UNIT)
        for record in table:
            chance = read_chance(record.cells[inclusion])
            if not chance > 0:
                why = f"'{shown(record.cells[inclusion])}' is not a number above 0 and at most 1"
                advice = "restore what stance sample wrote"
                raise DataError(f"{table.name}:{record.line}: inclusion {why}; {advice}")
            if (key := pair_key(record.cells[place] for place in identity)) in design:
                why = "names the same answer as an earlier line; draw a sample anew"
                raise DataError(f"{table.name}:{record.line}: {why}")
            design[key] = chance, record.cells[stratum]
            unit = "" if drawn_as is None else record.cells[drawn_as]
    return design, unit


def _check_design(
    design: Design, unit: str, labels: Sequence[_Label], population: AnswersTable
) -> None:
    """Raise where a design lacks a label, or was drawn from fewer answers, as on some actors."""
    source = population.request.audit
    for label in (label for label in labels if label.key not in design):
        why = f"is not in {label.design}; restore the row, or its design"
        raise DataError(f"{label.where}: {label.name} {why}")
    # The inverse probabilities of what was drawn, answers or whole documents, sum to their number.
    drawn, document = np.isin(population.key, np.array([*design], np.uint64)), population.document
    guess = drawn[np.isin(document, document[drawn])].all()
    whole = unit == "document" if unit else guess
    held = np.bincount(document[drawn], minlength=document.max() + 1)
    together = dict(zip(population.key[drawn].tolist(), held[document[drawn]], strict=True))
    size = sum(1 / p / (together.get(key, 1) if whole else 1) for key, (p, _) in design.items())
    noun, number = ("document", len(held)) if whole else ("answer", len(document))
    # Those of the answers given: who keeps what has a label keeps too few. If some that were drawn
    # are left out, the sum errs by chance.
    here = [(p, n if whole else 1) for key, n in together.items() for p in design[key][:1]]
    error = sum((1 - p) / p**2 / n for p, n in here) ** 0.5 * (len(here) < len(design))
    least = sum(1 / p / n for p, n in here) * (1 - NEW) - 5 * error
    if least > (given := number if unit else len(document)) + 0.5:
        why = f"its rows here stand for {least:,.0f} {noun}s or more, but {population.table} has "
        why += f"{given:,}"
        raise DataError(f"{source}: {why}; give all answers that it was drawn from")
    if number > size * (1 + NEW) + 0.5:
        why = f"was drawn from {size:,.0f} {noun}s, but {population.table} has {number:,}"
        advice = "name the actors of the sample with --actor, leave out rows added since, or draw "
        raise DataError(f"{source}: {why}; {advice}a sample anew")
