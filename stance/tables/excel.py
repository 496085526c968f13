"""Excel workbooks: a sheet in as it is shown, and tables out as a sheet of texts and numbers."""

import json
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from functools import partial
from importlib import import_module
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO
from xml.parsers import expat

from stance.display import shown
from stance.errors import DataError, load_extra, refusal
from stance.tables.output import Format
from stance.tables.sources import MEGABYTE, MOST_RATIO, RATIO_FROM
from stance.tables.table import Fault, Row, Table, folded

_MOST_BYTES = 2048 * MEGABYTE  # of a workbook without its compression, repeated texts included
_MOST_CELLS = 20_000_000  # of the rectangle around all cells, which is made in memory
_BEYOND = "is more than Excel holds: 1,048,576 rows, 16,384 columns, 32,767 characters in a cell"
_SHARED = re.compile("(?i)sharedstrings[.]xml$")
_ITEM, _ROW = re.compile(rb"<(?:\w+:)?si\b"), re.compile(rb"<(?:\w+:)?row\b")
_CELL, _PLACE = re.compile(rb"<(?:\w+:)?c\b"), re.compile(rb"""\sr=["']([A-Z]*)(\d*)["']""")
_SHARED_CELL = re.compile(rb"""\st=["']s["'][^<>]*>\s*<(?:\w+:)?v>(\d+)""")
_ERROR_CELL = re.compile(rb"""<(?:\w+:)?c\b[^<>]*?\st=["']e["']""")
_DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, KeyError),
    *(NotImplementedError, ValueError, expat.ExpatError, LookupError),
)


# --- In -------------------------------------------------------------------------------------------


def read_workbook(path: Path, sheet: str | None, table: Table) -> None:
    """Read the columns of a sheet, and set its chunks.

    Its first row that is not empty is names. Dates come as 2025-05-18, numbers with up to 15
    digits, as Excel shows them.
    """
    name = table.name
    calamine = load_extra("python_calamine", f"{name}: an Excel workbook", "excel")
    errors = _check_size(path, name)
    try:
        book = calamine.CalamineWorkbook.from_path(str(path))
        chosen = _choose(book, sheet, name)
        opened = book.get_sheet_by_name(chosen)
    except (calamine.CalamineError, OSError, ValueError) as error:
        why = shown(str(error) or type(error).__name__, 80)
        advice = "if it has a password, remove it; save it again as .xlsx, or the sheet as CSV"
        raise DataError(f"{name}: cannot be read as a workbook ({why}); {advice}") from error
    table.name = f"{name}[{shown(chosen)}]"
    others = [other for other in book.sheet_names if other != chosen]
    choice = f"--sheet chooses another: {_listed(others)}" if others else ""
    rows = _filled_rows(opened)
    line, names = next(rows, (0, []))
    if not names:
        advice = f"is empty; a sheet begins with its column names{choice and f'; {choice}'}"
        raise DataError(f"{table.name}: {advice}")
    if errors:
        where = " in all sheets" if others else ""
        table.note(f"cells with an error such as #N/A, read as empty: {errors:,}{where}")
    width = max(pos for pos, cell in enumerate(names, 1) if cell)
    table.name_columns(names[:width], line)
    of_others = f" of {len(others) + 1} ({choice})" if others else ""
    table.form = f"sheet '{shown(chosen)}'{of_others}"
    table.chunks = table.take(_cells(rows, width))
    table.elsewhere = partial(_advice, book, others)


def _choose(book: Any, sheet: str | None, name: str) -> str:
    """Return the sheet asked for, or the first one that is not hidden."""
    names: list[str] = book.sheet_names
    if sheet is not None and sheet not in names:
        raise DataError(f"{name}: no sheet '{shown(sheet)}'; --sheet can be {_listed(names)}")
    if not names:
        raise DataError(f"{name}: has no sheet; save it again as .xlsx")
    visible = [one.name for one in book.sheets_metadata if str(one.visible).endswith(".Visible")]
    return sheet or [*visible, *names][0]


def _advice(book: Any, sheets: Sequence[str], column: str) -> str:
    """Return which of some sheets have a column, as an option to type; nothing if none has."""
    tops = {name: next(_filled_rows(book.get_sheet_by_name(name)), (0, [])) for name in sheets}
    having = [name for name, (_, names) in tops.items() if folded(column) in map(folded, names)]
    return f"use --sheet {_listed(having, ' or ')}" if having else ""


def _listed(names: Sequence[str], between: str = ", ") -> str:
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return between.join(f"'{shown(name, 30)}'" for name in names[:8]) + more


def _filled_rows(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a sheet that are not empty, with their numbers."""
    rows = (list(map(_as_shown, row)) for row in sheet.iter_rows())
    return ((pos, row) for pos, row in enumerate(rows, 1) if any(row))


def _as_shown(value: object) -> str:
    """Return a cell as Excel shows it where no other format is chosen."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e21 else f"{value:.15g}"
    if isinstance(value, datetime):
        return value.isoformat(" ", "auto" if value.microsecond else "seconds")
    return value.isoformat() if isinstance(value, date) else str(value)


def _cells(rows: Iterator[tuple[int, list[str]]], width: int) -> Iterator[Row]:
    """Yield the cells of some rows, or what is wrong with them."""
    for line, row in rows:
        cells: list[str] | Fault = [*row, *[""] * width][:width]
        if beyond := next(filter(None, row[width:]), None):
            reason = f"'{shown(beyond, 30)}' stands right of the last column name"
            cells = Fault(line, "", reason, "name its column, or delete it")
        yield line, cells, "" if beyond is None else json.dumps(row, ensure_ascii=False)


# --- How much a workbook unpacks to ---------------------------------------------------------------


def _check_size(path: Path, name: str) -> int:
    """Refuse what would take too much memory; return how many cells are errors."""
    if not zipfile.is_zipfile(path):
        return 0  # an .xls of 1997, which is not compressed
    try:
        with zipfile.ZipFile(path) as archive:
            if "xl/workbook.xml" not in archive.namelist():
                what = "is a zip archive or another kind of document, not an .xlsx workbook"
                raise DataError(f"{name}: {what}; save a table as .xlsx or CSV, a text as .txt")
            members = archive.infolist()
            packed = sum(member.compress_size for member in members)
            limit = min(_MOST_BYTES, max(RATIO_FROM, MOST_RATIO * packed))
            size, errors = sum(member.file_size for member in members), 0
            if size <= limit:
                texts, errors = _measure(archive, name)
                size += texts
    except _DAMAGED as error:
        what = f"is a damaged workbook ({shown(str(error), 60)})"
        raise DataError(f"{name}: {what}; save it again, or copy it again") from error
    if size > limit:
        what = f"expands more than {MOST_RATIO} times, as a decompression bomb does"
        if size > _MOST_BYTES:
            what = f"holds more than {_MOST_BYTES // MEGABYTE:,} MB without compression"
        raise DataError(f"{name}: {what}; save the sheet as CSV")
    return errors


def _measure(archive: zipfile.ZipFile, name: str) -> tuple[int, int]:
    """Return the bytes that cells take from shared texts, and how many cells are errors.

    A few bytes can name two cells a million rows apart, or one long text in thousands of cells.
    """
    lengths, characters, errors = list[int](), 0, 0
    members = [member for member in archive.namelist() if member.lower().endswith(".xml")]
    for member in sorted(members, key=lambda member: not _SHARED.search(member)):
        xml = archive.read(member)
        expat.ParserCreate().Parse(xml, True)  # refuses what is not whole
        if _SHARED.search(member):
            lengths += map(len, _ITEM.split(xml)[1:])
        elif _ROW.search(xml):
            _check_rectangle(xml, name)
            numbers = map(int, _SHARED_CELL.findall(xml))
            characters += sum(lengths[number] for number in numbers if number < len(lengths))
            errors += len(_ERROR_CELL.findall(xml))
    return characters, errors


def _check_rectangle(xml: bytes, name: str) -> None:
    """Raise if a sheet has too much space between its cells, all of which is made in memory.

    A row or cell that names no place stands next to the one before.
    """
    rows, places = _ROW.split(xml)[1:], _PLACE.findall(xml)
    last = max([len(rows), *(int(digits or 0) for _, digits in places)])
    letters = max([b"A", *(column for column, _ in places)], key=lambda name: (len(name), name))
    furthest = import_module("xlsxwriter.utility").xl_cell_to_rowcol(f"{letters.decode()}1")
    width = max([furthest[1] + 1, *(len(_CELL.findall(row)) for row in rows)])
    if last * width > _MOST_CELLS:
        what = f"a sheet of {last:,} rows and {width:,} columns"
        raise DataError(f"{name}: {what}; delete what is empty, or save the sheet as CSV")


# --- Out ------------------------------------------------------------------------------------------


def write_rows(file: BinaryIO, path: Path, form: Format, rows: Iterable[Sequence[str]]) -> None:
    """Write rows of texts as a workbook of one sheet, in which nothing is a formula."""
    library = import_module("xlsxwriter")
    numbers = [pos for pos, kind in enumerate(form.types) if kind != "text"]
    with TemporaryDirectory(prefix="stance-") as folder:  # rows wait there, not in memory
        options = {"constant_memory": True, "tmpdir": folder, "strings_to_urls": False}
        book = library.Workbook(file, options)
        book.use_zip64()
        book.set_properties({"created": datetime(2000, 1, 1)})  # or the bytes would change
        sheet = book.add_worksheet("answers")
        sheet.freeze_panes(1, 0)
        sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
        bold, number = book.add_format({"bold": True}), 0
        try:
            for number, row in enumerate(chain([form.columns], rows)):
                for pos, cell in enumerate(row):
                    lost = 0
                    if cell and number and pos in numbers:
                        lost = sheet.write_number(number, pos, float(cell))
                    elif cell:
                        lost = sheet.write_string(number, pos, cell, None if number else bold)
                    if lost:
                        place = f"row {number:,}, column '{shown(form.columns[pos])}'"
                        raise refusal(path, f"{place} {_BEYOND}; write .csv or .parquet")
            sheet.autofilter(0, 0, number, len(form.columns) - 1)
            book.close()
        except library.exceptions.FileCreateError as error:
            raise error.args[0] from None  # an `OSError`
        finally:
            if sheet.row_data_fh:
                sheet.row_data_fh.close()
