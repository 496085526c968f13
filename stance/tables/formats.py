"""JSON, Excel workbooks and Parquet files: read as the texts that they show."""

import io
import json
import re
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from decimal import Decimal
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any, Literal
from xml.parsers import expat

from stance.display import listed, shown
from stance.errors import DataError, StanceError, load_extra
from stance.files import JSON_NAMES
from stance.tables.sources import MEGABYTE, InputFile, split_lines
from stance.tables.table import Fault, Row, Table, Value, as_json, folded, is_whole

_LONGEST_LIST = 256 * MEGABYTE  # characters of a list, which is read into memory
_TOO_DEEP = Fault(1, "", "values nested too deeply", "flatten them")
_JSON_ADVICE = "write one JSON object in each line, or a list of them: [{...}, {...}]"
_MOST_RATIO, _RATIO_FROM = 200, 16 * MEGABYTE  # bytes that a file unpacks to for each byte
_MOST_BYTES = 2048 * MEGABYTE  # of a workbook without its compression, repeated texts included
_MOST_CELLS = 20_000_000  # of the rectangle around all cells, which is made in memory
_SHARED = re.compile("(?i)sharedstrings[.]xml$")
_ITEM, _ROW = re.compile(rb"<(?:\w+:)?si\b"), re.compile(rb"<(?:\w+:)?row\b")
_CELL = re.compile(rb"<(?:\w+:)?c\b")
_PLACE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]*)(\d*)["']""")
_SHARED_CELL = re.compile(
    rb"""\st\s*=\s*["']s["'][^<>]*>(?:[^<]|<(?!/?(?:\w+:)?(?:v|c)\b))*<(?:\w+:)?v>\s*(\d+)"""
)
_ERROR_CELL = re.compile(rb"""<(?:\w+:)?c\b[^<>]*?\st\s*=\s*["']e["']""")
_BATCH_ROWS = 128  # of Parquet: few, since one value of a dictionary may stand in every row
_COPY = "copy or download the file again"
_ZEROS = re.compile(r"\.0+(?=(?:Z|[-+]\d{4})?$)")  # of a second
_EXACT = 2**53  # from which a workbook does not hold every whole number


@contextmanager
def _readable(name: str, kind: str, advice: str) -> Iterator[None]:
    """Turn whatever a damaged file sets off in a library into one line."""
    try:
        yield
    except StanceError:
        raise
    except Exception as error:  # calamine, expat, zipfile and pyarrow have errors of many kinds
        why = shown(str(error).partition("\n")[0] or type(error).__name__, 80)
        raise DataError(f"{name}: cannot be read as a {kind} ({why}); {advice}") from error


def _check_size(size: int, path: Path, name: str, most: int = sys.maxsize) -> None:
    """Refuse a file that unpacks to more bytes than a limit, or to far more than it has."""
    most = min(most, max(_RATIO_FROM, _MOST_RATIO * path.stat().st_size))
    if size > most:
        what = f"expands to more than {most // MEGABYTE:,} MB, as a decompression bomb does"
        raise DataError(f"{name}: {what}; if you trust it, export it as CSV")


# --- JSON ---------------------------------------------------------------------------------------


# Numbers stay as they are written: 1e5 and NaN come back as 1e5 and NaN. An object becomes a
# tuple of pairs, so that a repeated key is seen and a nested one is not mistaken for a list.
_DECODER = json.JSONDecoder(
    object_pairs_hook=tuple, parse_float=Value, parse_int=Value, parse_constant=Value
)


def json_kind(head: str, suffix: str) -> Literal["lines", "list", ""]:
    """Return which kind of JSON a table is, by how its text begins and how its name ends."""
    begins = "".join(head[:1000].split())[:2]
    if begins[:1] == "[" and (begins[1:] in ("{", "]", "") or suffix in JSON_NAMES):
        return "list"
    return "lines" if begins in ('{"', "{}") or suffix in JSON_NAMES else ""


def read_json(source: InputFile, table: Table, kind: str) -> None:
    """Read the columns of a table, which its first object names, and set its chunks."""
    rows = _json_rows(source, table, kind)
    if (first := next(rows, None)) is None:
        raise DataError(f"{table.name}: holds no object; {_JSON_ADVICE}")
    table.form = "a list in JSON" if kind == "list" else "JSON Lines"
    table.chunks = table.take(chain([first], rows))


def _json_rows(source: InputFile, table: Table, kind: str) -> Iterator[Row]:
    """Yield line (in a list: number) and cells of each object, or its fault."""
    if kind == "list":
        text = source.whole(_LONGEST_LIST, "save it as JSON Lines, an object in each line")
        if isinstance(values := _decoded(text, 1), Fault):
            raise table.error(values)
        table.unit = "object"
    else:
        values = chain.from_iterable(map(split_lines, source.lines()))
    for line, value in enumerate(values, 1):
        raw = value if kind == "lines" else ""
        if raw and not raw.strip():
            table.note("empty line: skipped", line)
            continue
        try:
            value = _decoded(raw.rstrip(), line) if raw else value
            cells = value if isinstance(value, Fault) else _json_cells(value, line, table)
            raw = raw or (_written(value) if isinstance(cells, Fault) else "")
        except RecursionError:
            cells = _TOO_DEEP._replace(line=line)
        if isinstance(cells, Fault) and not table.columns:
            raise table.error(cells)
        yield line, cells, raw


def _decoded(text: str, line: int) -> Any:
    """Return the value of some JSON, or its fault."""
    try:
        return _DECODER.decode(text)
    except RecursionError:
        return _TOO_DEEP._replace(line=line)
    except json.JSONDecodeError as error:
        reason = f"not JSON: {error.msg} at character {error.colno}"
        return Fault(line + error.lineno - 1, "", reason, _JSON_ADVICE)


def _json_cells(pairs: Any, line: int, table: Table) -> Sequence[str] | Fault:
    """Return an object as cells: texts as they are, anything else as it is written in JSON."""
    if not isinstance(pairs, tuple) or not pairs:
        return Fault(line, "", "not an object with keys", _JSON_ADVICE)
    item: dict[str, Any] = dict(pairs)
    if len(item) < len(pairs):
        key = Counter(key for key, _ in pairs).most_common(1)[0][0]
        return Fault(line, key, f"key '{shown(key)}' appears twice", "give each its own")
    if not table.columns:
        table.name_columns(tuple(item), line)
    names = table.header
    if item.keys() != set(names):
        parts = [f"no key '{shown(name)}'" for name in names if name not in item][:1]
        parts += [f"a new key '{shown(name)}'" for name in item if name not in names][:1]
        return Fault(line, "", " and ".join(parts), "give each the keys of the first")
    values = [item[name] for name in names]
    if empty := values.count(None):
        table.note("null: read as an empty cell", line, empty)
    filled = (Value() if value is None else value for value in values)
    return [value if isinstance(value, str) else Value(_written(value)) for value in filled]


def _written(value: Any) -> str:
    if isinstance(value, tuple):  # an object
        pairs = (f"{_written(key)}: {_written(inner)}" for key, inner in value)
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    return as_json(value) if isinstance(value, str) else json.dumps(value)


# --- Excel ---------------------------------------------------------------------------------------


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
        if is_whole(str(path)):
            book = calamine.CalamineWorkbook.from_path(str(path))
        else:  # a name that is not UTF-8
            book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(path.read_bytes()))
        chosen = _choose(book, sheet, name)
        rows = _filled_rows(book, chosen)
    table.name = f"{name}[{shown(chosen)}]"
    others: list[str] = [other for other in book.sheet_names if other != chosen]
    names = listed([f"'{shown(other, 30)}'" for other in others], 8, "sheet")
    choice = table.other_sheets = names and f"choose another with --sheet: {names}"

    def sheet_with(column: str) -> str | None:
        for other in others:
            with suppress(calamine.CalamineError):
                if column in map(folded, next(_filled_rows(book, other), (0, []))[1]):
                    return other
        return None

    table.sheet_with = sheet_with
    line, head = next(rows, (0, []))
    if not head:
        what = f"is empty; a sheet begins with its column names{choice and f'; {choice}'}"
        raise DataError(f"{table.name}: {what}")
    if errors:
        table.note(f"cells with an error such as #N/A, read as empty: {errors:,} in all sheets")
    width = max(pos for pos, cell in enumerate(head, 1) if cell)
    table.name_columns(head[:width], line)
    of_others = f" of {len(others) + 1} ({choice})" if others else ""
    table.form = f"sheet '{shown(chosen)}'{of_others}"
    table.chunks = table.take(_sheet_cells(rows, width))


def _choose(book: Any, sheet: str | None, name: str) -> str:
    """Return the sheet asked for, or the first one that is not hidden."""
    names: list[str] = book.sheet_names
    if sheet is not None and sheet not in names:
        known = listed([f"'{shown(name, 30)}'" for name in names], 8, "sheet")
        raise DataError(f"{name}: no sheet '{shown(sheet)}'; --sheet can be {known}")
    visible = [one.name for one in book.sheets_metadata if str(one.visible).endswith(".Visible")]
    return sheet or [*visible, *names][0]


def _filled_rows(book: Any, sheet: str) -> Iterator[tuple[int, list[str]]]:
    """Return the rows of a sheet that are not empty, with their numbers."""
    rows = (list(map(_as_shown, row)) for row in book.get_sheet_by_name(sheet).iter_rows())
    return ((number, row) for number, row in enumerate(rows, 1) if any(row))


def _as_shown(value: object) -> str:
    """Return a cell as Excel shows it where no other format is chosen."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        if value.is_integer() and abs(value) < _EXACT:
            return str(int(value))
        return f"{Decimal(f'{value:.15g}'):f}" if 1 < abs(value) < 1e21 else f"{value:.15g}"
    if isinstance(value, datetime):
        return value.isoformat(" ", "auto" if value.microsecond else "seconds")
    return value.isoformat() if isinstance(value, date) else str(value)


def _sheet_cells(rows: Iterator[tuple[int, list[str]]], width: int) -> Iterator[Row]:
    """Yield the cells of some rows, or what is wrong with them."""
    for line, row in rows:
        cells: list[str] | Fault = [*row, *[""] * width][:width]
        if beyond := next(filter(None, row[width:]), None):
            reason = f"'{shown(beyond, 30)}' stands right of the last column name"
            cells = Fault(line, "", reason, "name its column, or delete it")
        yield line, cells, "" if beyond is None else json.dumps(row, ensure_ascii=False)


def _count_errors(path: Path, name: str) -> int:
    """Return how many cells are errors; refuse a workbook that would take too much memory."""
    with zipfile.ZipFile(path) as archive:
        if "xl/workbook.xml" not in archive.namelist():
            what = "is a zip archive or another kind of document, not an .xlsx workbook"
            raise DataError(f"{name}: {what}; save a table as .xlsx or CSV, a text as .txt")
        size = sum(member.file_size for member in archive.infolist())
        _check_size(size, path, name, _MOST_BYTES)
        lengths, errors = list[int](), 0
        for member in sorted(archive.namelist(), key=lambda member: not _SHARED.search(member)):
            xml = archive.read(member)
            if member.lower().endswith(".xml"):
                expat.ParserCreate().Parse(xml, True)  # refuses what is not whole
            if _SHARED.search(member):
                lengths += map(len, _ITEM.split(xml)[1:])
            elif _ROW.search(xml):
                _check_rectangle(xml, name)
                numbers = map(int, _SHARED_CELL.findall(xml))  # thousands may be of one long text
                size += sum(lengths[number] for number in numbers if number < len(lengths))
                errors += len(_ERROR_CELL.findall(xml))
    _check_size(size, path, name, _MOST_BYTES)
    return errors


def _check_rectangle(xml: bytes, name: str) -> None:
    """Raise if a sheet has too much space between its cells, all of which is made in memory."""
    rows, places = _ROW.split(xml)[1:], _PLACE.findall(xml)  # each may name its place, or follow on
    last = max([len(rows), *(int(digits or 0) for _, digits in places)])
    letters = max({b"A", *(name.upper() for name, _ in places)}, key=lambda name: (len(name), name))
    furthest = import_module("xlsxwriter.utility").xl_cell_to_rowcol(f"{letters.decode()}1")
    width = max([furthest[1] + 1, *(len(_CELL.findall(row)) for row in rows)])
    if last * width > _MOST_CELLS:
        what = f"a sheet of {last:,} rows and {width:,} columns"
        raise DataError(f"{name}: {what}; delete what is empty, or save the sheet as CSV")


# --- Parquet -------------------------------------------------------------------------------------


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
    table.form, table.chunks = "Parquet", table.take(_parquet_rows(batches, table))


def _parquet_rows(batches: Iterator[Any], table: Table) -> Iterator[Row]:
    line = 1
    while True:
        with _readable(table.name, "Parquet file", _COPY):
            if (batch := next(batches, None)) is None:
                return
            columns = list(map(_texts, batch.columns))
        for cells in columns:
            if nulls := cells.count(None):
                table.note("null: read as an empty cell", line + cells.index(None), nulls)
        for row in zip(*columns, strict=True):
            yield line, [cell or "" for cell in row], ""
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
        with suppress(UnicodeDecodeError):
            return value.decode()
        return f"0x{value.hex()}"
    nested = isinstance(value, dict | list | tuple)
    return json.dumps(value, ensure_ascii=False, default=str) if nested else str(value)
