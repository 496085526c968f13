"""Parquet files: in as texts, and out as texts and the numbers of answers."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from stance.display import shown
from stance.errors import DataError, load_extra
from stance.tables.output import Format
from stance.tables.sources import MOST_RATIO, RATIO_FROM
from stance.tables.table import Row, Table

_BATCH_ROWS = 128  # few, since one value of a dictionary may stand in every row
_GROUP_ROWS = 50_000  # of the output
_ZEROS = re.compile(r"\.0+(?=(?:Z|[-+]\d{4})?$)")  # of a second


# --- In -------------------------------------------------------------------------------------------


def read_parquet(path: Path, table: Table) -> None:
    """Read the columns of a file, and set its chunks; a line in messages is a record."""
    load_extra("pyarrow", f"{table.name}: a Parquet file", "parquet")
    with _readable(table.name):
        file = import_module("pyarrow.parquet").ParquetFile(path)
        groups = (file.metadata.row_group(pos) for pos in range(file.metadata.num_row_groups))
        size = max(sum(group.total_byte_size for group in groups), file.metadata.num_rows)
        names = file.schema_arrow.names  # decodes them
    if size > max(RATIO_FROM, MOST_RATIO * path.stat().st_size):
        what = f"expands more than {MOST_RATIO} times, as a decompression bomb does"
        raise DataError(f"{table.name}: {what}; if you trust it, export it as CSV")
    table.name_columns(names, 1)
    batches = file.iter_batches(batch_size=_BATCH_ROWS)
    table.form, table.chunks = "Parquet", table.take(_rows(batches, table))


@contextmanager
def _readable(name: str) -> Iterator[None]:
    """Turn what the library says of a damaged file into one line."""
    arrow = import_module("pyarrow")
    try:
        yield
    except (arrow.ArrowException, OSError, ValueError, EOFError) as error:
        why = shown(str(error).partition("\n")[0] or type(error).__name__, 80)
        advice = "copy or download the file again"
        raise DataError(f"{name}: is not a whole Parquet file ({why}); {advice}") from error


def _rows(batches: Iterator[Any], table: Table) -> Iterator[Row]:
    line = 1
    while True:
        with _readable(table.name):
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
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


# --- Out ------------------------------------------------------------------------------------------


def write_rows(file: BinaryIO, _path: Path, form: Format, rows: Iterator[Sequence[str]]) -> None:
    """Write rows of texts as a Parquet file, in which answers are numbers."""
    arrow = import_module("pyarrow")
    kinds = {"text": arrow.string(), "integer": arrow.int64(), "number": arrow.float64()}
    types = form.types or ["text"] * len(form.columns)
    schema = arrow.schema([(n, kinds[kind]) for n, kind in zip(form.columns, types, strict=True)])
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
