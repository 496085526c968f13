"""Excel workbooks: a sheet in as it is shown, and tables out as sheets of texts and numbers."""

import json
import re
import struct
import zipfile
import zlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any, BinaryIO

from stance.display import count, shown
from stance.errors import DataError, OutputError, load_extra, temporary_error
from stance.tables._bytes import MEGABYTE
from stance.tables._oddities import name_columns, undecoded
from stance.tables._reading import Fault, Journal, Records, judged, together

_MOST_BYTES = 2048 * MEGABYTE  # of a workbook without its compression
_MOST_RATIO, _RATIO_FROM = 200, 16 * MEGABYTE  # sheets reach 5 to 50
_MOST_CELLS = 20_000_000  # of the rectangle around all cells, which is made in memory
_MOST_MEMBERS = 10_000
_MOST_ROWS, _MOST_COLUMNS, _MOST_CHARACTERS = 1_048_576, 16_384, 32_767  # of Excel
_BLOCK_ROWS = 500
_PLACE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]*)(\d+)["']""")  # of a cell or a row
_UNPLACED = re.compile(rb"<(?:\w+:)?(?:row|c)(?=[\s/>])(?!\sr=)(?![^>]*\sr\s*=)")
_TAG = re.compile(rb"<(?:\w+:)?(row|c)(?=[\s/>])([^>]*\sr\s*=)?")
_ERROR = re.compile(rb"""\st\s*=\s*["']e["']""")
_CHUNK = MEGABYTE
_ZIP_ERRORS = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError),
    *(NotImplementedError, ValueError),
)


# --- In -------------------------------------------------------------------------------------------


def read_workbook(
    path: Path, sheet: str | None, journal: Journal
) -> tuple[str, Generator[Records]]:
    """Return the form of a sheet, and its good records; its first row that is not empty is names.

    Dates come as 2025-05-18, numbers with up to 15 digits, as Excel shows them.
    """
    name = journal.name
    calamine = load_extra("python_calamine", f"{name}: an Excel workbook", "excel")
    errors = _checked(path, name)
    try:
        book = calamine.CalamineWorkbook.from_path(str(path))
        chosen = _choose(book, sheet, name)
        found = book.get_sheet_by_name(chosen)
    except (calamine.CalamineError, OSError, ValueError) as error:
        why = shown(str(error) or type(error).__name__, 80)
        advice = "if it has a password, remove it; save it again as .xlsx, or the sheet as CSV"
        raise DataError(f"{name}: cannot be read as a workbook ({why}); {advice}") from error
    journal.name = f"{name}[{shown(chosen)}]"
    form = f"sheet '{shown(chosen)}'"
    others = [f"'{shown(each, 30)}'" for each in book.sheet_names if each != chosen]
    if others:
        more = f" and {len(others) - 5} more" if len(others) > 5 else ""
        form += f" of {len(others) + 1} (--sheet chooses another: {', '.join(others[:5])}{more})"
    rows = ((at, list(map(_shown, row))) for at, row in enumerate(found.iter_rows(), 1))
    filled = ((at, row) for at, row in rows if any(row))
    line, names = next(filled, (0, []))
    if not names:
        raise DataError(f"{journal.name}: is empty; a sheet begins with its column names")
    if merged := found.merged_cell_ranges:
        (top, left), _ = merged[0]
        first = f"{_letters(left)}{top + 1}"
        what = "the value stands in the first cell of each, the others are read as empty"
        journal.note(f"{count(len(merged), 'merged range')} (first: {first}): {what}")
    if errors:
        where = " in all sheets" if others else ""
        journal.note(f"cells with an error such as #N/A, read as empty: {errors:,}{where}")
    width = max(at for at, cell in enumerate(names, 1) if cell)
    name_columns(journal, names[:width], line)
    return form, _records(filled, width, journal)


def _records(
    rows: Iterator[tuple[int, list[str]]], width: int, journal: Journal
) -> Generator[Records]:
    while some := list(islice(rows, _BLOCK_ROWS)):
        yield from together(judged(_fitted(some, width, journal.columns), journal))


def _fitted(
    rows: Sequence[tuple[int, list[str]]], width: int, columns: Sequence[str]
) -> Iterator[tuple[int, Sequence[str] | Fault, str]]:
    for line, row in rows:
        cells = [*row, *[""] * width][:width]
        fault = undecoded(cells, columns, line)
        if beyond := next(filter(None, row[width:]), None):
            reason = f"'{shown(beyond, 30)}' stands right of the last column name"
            fault = Fault(line, "", reason, "name its column, or delete it")
        yield line, fault or cells, json.dumps(row, ensure_ascii=False)


def _choose(book: Any, sheet: str | None, name: str) -> str:
    """Return the sheet asked for, or the first one that is not hidden."""
    names: list[str] = book.sheet_names
    if sheet is not None and sheet not in names:
        listed = ", ".join(f"'{shown(each, 30)}'" for each in names[:8])
        raise DataError(f"{name}: no sheet '{shown(sheet)}'; --sheet can be {listed}")
    seen = [each.name for each in book.sheets_metadata if str(each.visible).endswith(".Visible")]
    if not names:
        raise DataError(f"{name}: has no sheet; save it again as .xlsx")
    return sheet or next(iter(seen), names[0])


def _shown(value: object) -> str:
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


def _letters(column: int) -> str:
    """Return the letters of a column counted from 0.

    >>> _letters(0), _letters(27)
    ('A', 'AB')
    """
    high, low = divmod(column, 26)
    return (_letters(high - 1) if high else "") + chr(ord("A") + low)


def _checked(path: Path, name: str) -> int:
    """Refuse what would take too much memory; return how many cells are errors."""
    if not zipfile.is_zipfile(path):
        return 0  # an .xls of 1997, which is not compressed
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            size = sum(member.file_size for member in members)
            packed = sum(member.compress_size for member in members)
            if "xl/workbook.xml" not in archive.namelist():
                what = "a zip archive or another kind of document, not an .xlsx workbook"
                raise DataError(f"{name}: is {what}; save the sheet as .xlsx or CSV")
            if len(members) > _MOST_MEMBERS or size > max(_RATIO_FROM, _MOST_RATIO * packed):
                what = f"expands more than {_MOST_RATIO} times, as a decompression bomb does"
                raise DataError(f"{name}: {what}; save the sheet as CSV")
            if size > _MOST_BYTES:
                what = f"more than {_MOST_BYTES // MEGABYTE:,} MB without compression"
                raise DataError(f"{name}: {what}; save the sheet as CSV")
            return _counted(archive, name)
    except _ZIP_ERRORS as error:
        what = f"is a damaged workbook ({shown(str(error), 60)})"
        raise DataError(f"{name}: {what}; save it again, or copy it again") from error


def _counted(archive: zipfile.ZipFile, name: str) -> int:
    """Read every sheet once, wherever it lies: two far cells must not fill the memory.

    A row or cell that names no place stands next to the one before.
    """
    errors = 0
    for member in archive.namelist():
        lowest, highest, columns, rest, run, longest = _MOST_ROWS, 0, 0, b"", 0, 0
        cells = False  # other members, such as the chain of formulas, have places too
        with archive.open(member) as file:
            while chunk := file.read(_CHUNK):
                data = rest + chunk
                cut = data.rfind(b">") + 1
                data, rest = data[:cut], data[cut:][-200:]
                cells = cells or b"sheetData" in data
                if not cells:
                    continue
                if places := _PLACE.findall(data):
                    rows = list(map(int, {row for _, row in places}))
                    lowest, highest = min(lowest, *rows), max(highest, *rows)
                    columns = max(columns, *map(_number, {letters for letters, _ in places}))
                for tag, placed in _TAG.findall(data) if _UNPLACED.search(data) else ():
                    run = 0 if tag == b"row" else run + (not placed)
                    highest += tag == b"row" and not placed
                    longest = max(longest, run)
                errors += len(_ERROR.findall(data))
        if (highest - lowest + 1) * (columns + longest) > _MOST_CELLS:
            what = f"a sheet of {highest:,} rows and {columns + longest:,} columns"
            raise DataError(f"{name}: {what}; delete what is empty, or save the sheet as CSV")
    return errors


def _number(letters: bytes) -> int:
    found = 0
    for letter in letters.upper():
        found = found * 26 + letter - ord("A") + 1
    return found


# --- Out ------------------------------------------------------------------------------------------


class ExcelSheet:
    """Writes rows of texts as a workbook of one sheet, in which nothing is a formula."""

    def __init__(
        self, file: BinaryIO, name: str, columns: Sequence[str], types: Sequence[str]
    ) -> None:
        library = load_extra("xlsxwriter", "an Excel workbook as output", "excel")
        if len(columns) > _MOST_COLUMNS:
            what = f"{len(columns):,} columns, and a sheet of Excel has {_MOST_COLUMNS:,}"
            raise OutputError(f"{name}: {what}; write .csv or .parquet")
        self._name, self._columns = name, columns
        self._numbers = [at for at, kind in enumerate(types) if kind != "text"]
        self._failure: type[Exception] = library.exceptions.FileCreateError
        with self._waiting():
            self._folder = TemporaryDirectory(prefix="stance-")  # rows wait there, not in memory
        given = {"constant_memory": True, "tmpdir": self._folder.name, "strings_to_urls": False}
        self._book = library.Workbook(file, given)
        self._book.use_zip64()
        self._book.set_properties({"created": datetime(2000, 1, 1)})  # or the bytes would change
        self._sheet = self._book.add_worksheet("answers")
        self._sheet.freeze_panes(1, 0)
        self._sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
        self._rows = 0
        self._write(columns, self._book.add_format({"bold": True}))

    def add(self, rows: Sequence[Sequence[str]]) -> None:
        """Write rows; raise `OutputError` if the sheet cannot hold them."""
        if self._rows + len(rows) > _MOST_ROWS:
            what = f"more than {_MOST_ROWS - 1:,} rows, the most that a sheet of Excel holds"
            raise OutputError(f"{self._name}: {what}; write .csv or .parquet")
        with self._waiting():
            for row in rows:
                self._write(row)

    def close(self) -> None:
        """Write the end of the workbook."""
        self._sheet.autofilter(0, 0, self._rows - 1, len(self._columns) - 1)
        with self._waiting():
            self._book.close()
        self._folder.cleanup()

    def discard(self) -> None:
        """Remove what waits in temporary files."""
        if self._sheet.row_data_fh:
            with suppress(OSError):  # what could not be written before
                self._sheet.row_data_fh.close()
        self._folder.cleanup()

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """Turn failures to write temporary files into `OutputError`; the workbook has its own."""
        try:
            yield
        except (OSError, self._failure) as error:
            own = error if isinstance(error, OSError) else error.args[0]
            if isinstance(own, BrokenPipeError):  # of the workbook
                raise own from None
            raise temporary_error(own, Path(gettempdir())) from error

    def _write(self, row: Sequence[str], form: Any = None) -> None:
        for at, cell in enumerate(row):
            if len(cell) > _MOST_CHARACTERS:
                where = f"row {self._rows:,}, column '{shown(self._columns[at])}'"
                what = f"{len(cell):,} characters, and a cell of Excel holds {_MOST_CHARACTERS:,}"
                raise OutputError(f"{self._name}: {where}: {what}; write .csv or .parquet")
            if cell and at in self._numbers and form is None:
                self._sheet.write_number(self._rows, at, float(cell))
            elif cell:
                self._sheet.write_string(self._rows, at, cell, form)
        self._rows += 1
