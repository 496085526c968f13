"""What the cells of a table of answers say, and what is wrong in them."""

from collections.abc import Iterator, Sequence

import numpy as np

from stance.arrays import Floats, Ints
from stance.display import shown
from stance.errors import DataError
from stance.findings.request import Join, Places
from stance.reading.keys import key_of
from stance.records import ANSWERS
from stance.tables import Record, Table

MOST_ROWS = 1 << 28  # largest row number
_STANCE_NUMBERS = {name: number for number, name in enumerate(ANSWERS)}

Cells = Sequence[tuple[str, ...]]


def pair_key(join: Join, identity: Sequence[str], actor: str) -> int:
    """Return what tells a pair apart: the cells that name its paragraph, and its actor."""
    *before, last = (cell.strip() for cell in identity)
    if join == "row":
        last = str(int(last))
    elif join == "text":
        last = " ".join(last.split())  # whatever a spreadsheet did to its spaces
    return key_of("\0".join((*before, last, actor)))


def text_key(text: str) -> int:
    """Return what tells texts apart, whatever a spreadsheet did to their spaces; 0 for none."""
    words = " ".join(text.split())
    return key_of(words) if words else 0


def document_names(cells: Cells, row: Ints, places: Places) -> Iterator[str]:
    """Yield what names the document of each answer; without one, its text or its row."""
    at = places.text if places.document is None else places.document
    # A document's name holds within its file; an equal text is one document in any file.
    file = None if at is not None and at == places.text else places.file
    for each, number in zip(cells, row.tolist(), strict=True):
        name = "" if at is None else each[at]
        yield ("" if file is None else f"{each[file]}\0") + (name or f"row {number}")


def row_numbers(records: Sequence[Record], places: Places, table: Table) -> Ints:
    """Return the numbers of the input's rows; raise with the line of what is not one."""
    try:
        row = np.array([int(each.cells[places.row]) for each in records], np.int64)
        if row.min() > 0 and row.max() <= MOST_ROWS:
            return row
    except (ValueError, OverflowError):
        pass
    raise _fault(records, places, table)


def answered(records: Sequence[Record], places: Places, table: Table) -> tuple[Ints, Floats]:
    """Return stances and their probabilities; raise with the line of what is not one."""
    cells = [record.cells for record in records]
    try:
        label = np.array([_STANCE_NUMBERS[each[places.stance]] for each in cells], np.int64)
        chances = np.array([[float(each[at]) for at in places.probabilities] for each in cells])
        if ((chances >= 0) & (chances <= 1)).all():
            return label, chances
    except (KeyError, ValueError):
        pass
    raise _fault(records, places, table)


def _fault(records: Sequence[Record], places: Places, table: Table) -> DataError:
    for record in records:
        if reason := _reason(record.cells, places):
            return DataError(f"{table.where(record)}: {reason}; restore what stance predict wrote")
    raise AssertionError("no record is wrong")


def is_row(cell: str) -> bool:
    """Return whether a cell is the number of a row."""
    digits = cell.isascii() and cell.isdecimal() and len(cell) < 12
    return digits and 0 < int(cell) <= MOST_ROWS


def _reason(cells: tuple[str, ...], places: Places) -> str | None:
    row = cells[places.row]
    if not is_row(row):
        return f"'{shown(row)}' is not a row number"
    if not places.actor_of(cells):
        return None
    if cells[places.stance] not in ANSWERS:
        return f"'{shown(cells[places.stance])}' is not one of {', '.join(ANSWERS)}"
    for at in places.probabilities:
        try:
            if 0 <= float(cells[at]) <= 1:
                continue
        except ValueError:
            pass
        return f"'{shown(cells[at])}' is not a probability from 0 to 1"
    return None
