"""Excel workbooks and Parquet files: in as the texts that they show, out as texts and numbers."""

import json
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from importlib import import_module
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO
from xml.parsers import expat

from stance.display import listed, shown
from stance.errors import DataError, StanceError, load_extra, refusal
from stance.tables.sources import MEGABYTE
from stance.tables.table import ABOVE, Fault, Row, Table

_MOST_RATIO, _RATIO_FROM = 200, 16 * MEGABYTE  # bytes that a file unpacks to for each byte
_MOST_BYTES = 2048 * MEGABYTE  # of a workbook without its compression, repeated texts included
_MOST_CELLS = 20_000_000  # of the rectangle around all cells, which is made in memory
_BEYOND = "is more than Excel holds: 1,048,576 rows, 16,384 columns, 32,767 characters in a cell"
_SHARED = re.compile("(?i)sharedstrings[.]xml$")
_ITEM, _ROW = re.compile(rb"<(?:\w+:)?si\b"), re.compile(rb"<(?:\w+:)?row\b")
_CELL, _PLACE = re.compile(rb"<(?:\w+:)?c\b"), re.compile(rb"""\sr=["']([A-Z]*)(\d*)["']""")
_SHARED_CELL = re.compile(rb"""\st=["']s["'][^<>]*>\s*<(?:\w+:)?v>(\d+)""")
_ERROR_CELL = re.compile(rb"""<(?:\w+:)?c\b[^<>]*?\st=["']e["']""")
_BATCH_ROWS = 128  # of Parquet: few, since one value of a dictionary may stand in every row
_GROUP_ROWS = 50_000  # of Parquet as output
_COPY = "copy or download the file again"
_ZEROS = re.compile(r"\.0+(?=(?:Z|[-+]\d{4})?$)")  # of a second


@contextmanager
def _readable(name: str, kind: str, advice: str) -> Iterator[None]:
    """Turn whatever a damaged file sets off in a library into one line."""
    try:
        yield
    except StanceError:
        raise
    except Exception as error:
        why = shown(str(error).partition("\n")[0] or type(error).__name__, 80)
        raise DataError(f"{name}: cannot be read as a {kind} ({why}); {advice}") from error


def _check_size(size: int, path: Path, name: str, most: int = sys.maxsize) -> None:
    """Refuse a file that unpacks to more bytes than a limit, or to far more than it has."""
    what = ""
    if size > most:
        what = f"holds more than {most // MEGABYTE:,} MB without compression"
    elif size > max(_RATIO_FROM, _MOST_RATIO * path.stat().st_size):
        what = f"expands more than {_MOST_RATIO} times, as a decompression bomb does"
    if what:
        raise DataError(f"{name}: {what}; if you trust it, export it as CSV")


# --- Excel in ------------------------------------------------------------------------------------


def read_workbook(path: Path, sheet: str | None, table: Table) -> None:
    """Read the columns of a sheet, and set its chunks.

    Its first row that is not empty is names. Dates come as 2025-05-18, numbers with up to 15
    digits, as Excel shows them.
    """
    name = table.name
    calamine = load_extra("python_calamine", f"{name}: an Excel workbook", "excel")
    advice = "if it has a password, remove it; save it again as .xlsx, or the sheet as CSV"
    with _readable(name, "workbook", advice):
        # An .xls of 1997 is not compressed.
        errors = _count_errors(path, name) if zipfile.is_zipfile(path) else 0
        book = calamine.CalamineWorkbook.from_path(str(path))
        chosen = _choose(book, sheet, name)
        sheet_rows = book.get_sheet_by_name(chosen).iter_rows()
    table.name = f"{name}[{shown(chosen)}]"
    others = [other for other in book.sheet_names if other != chosen]
    choice = f"choose another with --sheet: {_listed(others)}" if others else ""
    numbered = enumerate((list(map(_as_shown, row)) for row in sheet_rows), 1)
    rows = ((number, row) for number, row in numbered if any(row))
    line, names = next(rows, (0, []))
    if not names:
        what = f"is empty; a sheet begins with its column names{choice and f'; {choice}'}"
        raise DataError(f"{table.name}: {what}")
    if errors:
        where = " in all sheets" if others else ""
        table.note(f"cells with an error such as #N/A, read as empty: {errors:,}{where}")
    width = max(pos for pos, cell in enumerate(names, 1) if cell)
    table.name_columns(names[:width], line)
    of_others = f" of {len(others) + 1} ({choice})" if others else ""
    table.form = f"sheet '{shown(chosen)}'{of_others}"
    table.chunks = table.take(_cells(rows, width))
    table.ways = [*ABOVE * (width == 1), *[choice] * bool(others)]


def _choose(book: Any, sheet: str | None, name: str) -> str:
    """Return the sheet asked for, or the first one that is not hidden."""
    names: list[str] = book.sheet_names
    if sheet is not None and sheet not in names:
        raise DataError(f"{name}: no sheet '{shown(sheet)}'; --sheet can be {_listed(names)}")
    visible = [one.name for one in book.sheets_metadata if str(one.visible).endswith(".Visible")]
    return sheet or [*visible, *names][0]


def _listed(names: Sequence[str]) -> str:
    return listed([f"'{shown(name, 30)}'" for name in names], 8, "sheet")


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


def _count_errors(path: Path, name: str) -> int:
    """Return how many cells are errors; refuse a workbook that would take too much memory.

    A few bytes can name two cells a million rows apart, or one long text in thousands of cells.
    """
    with zipfile.ZipFile(path) as archive:
        if "xl/workbook.xml" not in archive.namelist():
            what = "is a zip archive or another kind of document, not an .xlsx workbook"
            raise DataError(f"{name}: {what}; save a table as .xlsx or CSV, a text as .txt")
        size = sum(member.file_size for member in archive.infolist())
        _check_size(size, path, name, _MOST_BYTES)
        lengths, errors = list[int](), 0
        members = [member for member in archive.namelist() if member.lower().endswith(".xml")]
        for member in sorted(members, key=lambda member: not _SHARED.search(member)):
            xml = archive.read(member)
            expat.ParserCreate().Parse(xml, True)  # refuses what is not whole
            if _SHARED.search(member):
                lengths += map(len, _ITEM.split(xml)[1:])
            elif _ROW.search(xml):
                _check_rectangle(xml, name)
                numbers = map(int, _SHARED_CELL.findall(xml))
                size += sum(lengths[number] for number in numbers if number < len(lengths))
                errors += len(_ERROR_CELL.findall(xml))
    _check_size(size, path, name, _MOST_BYTES)
    return errors


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


# --- Parquet in ----------------------------------------------------------------------------------


def read_parquet(path: Path, table: Table) -> None:
    """Read the columns of a file, and set its chunks; a line in messages is a record."""
    load_extra("pyarrow", f"{table.name}: a Parquet file", "parquet")
    with _readable(table.name, "Parquet file", _COPY):
        file = import_module("pyarrow.parquet").ParquetFile(path)
        groups = (file.metadata.row_group(pos) for pos in range(file.metadata.num_row_groups))
        size = max(sum(group.total_byte_size for group in groups), file.metadata.num_rows)
        names = file.schema_arrow.names  # decodes them
    _check_size(size, path, table.name)
    if not names:
        raise DataError(f"{table.name}: has no columns; {_COPY}")
    table.name_columns(names, 1)
    batches = file.iter_batches(batch_size=_BATCH_ROWS)
    table.form, table.chunks = "Parquet", table.take(_rows(batches, table))


def _rows(batches: Iterator[Any], table: Table) -> Iterator[Row]:
    line = 1
    while True:
        with _readable(table.name, "Parquet file", _COPY):
            if (batch := next(batches, None)) is None:
                return
            columns = list(map(_texts, batch.columns))
        for cells in columns:
            if nulls := cells.count(None):
                table.note("null: read as an empty cell", line + cells.index(None), nulls)
        for row in zip(*([cell or "" for cell in cells] for cells in columns), strict=True):
            yield line, row, ""
            line += 1


def _texts(column: Any) -> list[str | None]:
    """Return a column as texts: numbers as JSON writes them, dates as 2025-05-18."""
    types = import_module("pyarrow").types
    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    is_span = types.is_duration(kind) or types.is_interval(kind)
    if (types.is_primitive(kind) or types.is_decimal(kind)) and not is_span:
        texts: list[str | None] = column.cast("string").to_pylist()
        is_time = types.is_temporal(kind)
        return [text and _ZEROS.sub("", text) for text in texts] if is_time else texts
    return [None if value is None else _text(value) for value in column.to_pylist()]


def _text(value: Any) -> str:
    """Return a text, bytes, or a nested value as text."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return f"0x{value.hex()}"
    nested = isinstance(value, dict | list | tuple)
    return json.dumps(value, ensure_ascii=False, default=str) if nested else str(value)


# --- Out -----------------------------------------------------------------------------------------

Cells = Iterable[Sequence[str]]


def write_workbook(
    file: BinaryIO, path: Path, columns: Sequence[str], types: Sequence[str], rows: Cells
) -> None:
    """Write rows of texts as a workbook of one sheet, in which nothing is a formula."""
    library = import_module("xlsxwriter")
    numbers = [pos for pos, kind in enumerate(types) if kind != "text"]
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
            for number, row in enumerate(chain([columns], rows)):
                for pos, cell in enumerate(row):
                    lost = 0
                    if cell and number and pos in numbers:
                        lost = sheet.write_number(number, pos, float(cell))
                    elif cell:
                        lost = sheet.write_string(number, pos, cell, None if number else bold)
                    if lost:
                        place = f"row {number:,}, column '{shown(columns[pos])}'"
                        raise refusal(path, f"{place} {_BEYOND}; write .csv or .parquet")
            sheet.autofilter(0, 0, number, len(columns) - 1)
            book.close()
        except library.exceptions.FileCreateError as error:
            raise error.args[0] from None  # an `OSError`
        finally:
            if sheet.row_data_fh:
                sheet.row_data_fh.close()


def write_parquet(
    file: BinaryIO, _path: Path, columns: Sequence[str], types: Sequence[str], rows: Cells
) -> None:
    """Write rows of texts as a Parquet file, in which answers are numbers."""
    arrow, rows = import_module("pyarrow"), iter(rows)
    kinds = {"text": arrow.string(), "integer": arrow.int64(), "number": arrow.float64()}
    schema = arrow.schema([(n, kinds[kind]) for n, kind in zip(columns, types, strict=True)])
    library = import_module("pyarrow.parquet")
    with library.ParquetWriter(arrow.PythonFile(file, "w"), schema, compression="zstd") as writer:
        while group := list(islice(rows, _GROUP_ROWS)):
            arrays = [
                arrow.array(cells, "string")
                if kind == "text"
                else arrow.array([cell or None for cell in cells], "string").cast(kinds[kind])
                for cells, kind in zip(zip(*group, strict=True), types, strict=True)
            ]
            writer.write_table(arrow.Table.from_arrays(arrays, schema=schema))
