"""Parquet files: in as texts, and out with the types of the input's columns."""

import json
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from stance.display import shown
from stance.errors import DataError, OutputError, load_extra
from stance.tables.sources import MOST_RATIO, RATIO_FROM
from stance.tables.table import (
    MAX_CELL,
    MAX_COLUMNS,
    Fault,
    Records,
    Table,
    Value,
    undecoded,
)

_BATCH_ROWS = 128  # few, since one value of a dictionary may stand in every row
_GROUP_ROWS = 50_000  # of the output; its bytes do not depend on the parts of a run
_NO_NUMBERS = ("nan", "-nan", "inf", "-inf")
_ZEROS = re.compile(r"\.0+(?=(?:Z|[-+]\d{4})?$)")  # of a second


# --- In -------------------------------------------------------------------------------------------


def read_parquet(path: Path, table: Table) -> None:
    """Read the columns of a file, and set its chunks; a line in messages is a record."""
    load_extra("pyarrow", f"{table.name}: a Parquet file", "parquet")
    with _readable(table.name):
        file = import_module("pyarrow.parquet").ParquetFile(path)
        groups = (file.metadata.row_group(at) for at in range(file.metadata.num_row_groups))
        size = max(sum(group.total_byte_size for group in groups), file.metadata.num_rows)
        names = file.schema_arrow.names  # decodes them
    if size > max(RATIO_FROM, MOST_RATIO * path.stat().st_size):
        what = f"expands more than {MOST_RATIO} times, as a decompression bomb does"
        raise DataError(f"{table.name}: {what}; if you trust it, export it as CSV")
    if len(names) > MAX_COLUMNS:
        raise DataError(f"{table.name}: more than {MAX_COLUMNS:,} columns; leave some out")
    table.name_columns(names, 1)
    batches = file.iter_batches(batch_size=_BATCH_ROWS)
    table.form, table.chunks = "Parquet", _records(batches, table)


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


def _records(batches: Iterator[Any], table: Table) -> Generator[Records]:
    before = 0
    while True:
        with _readable(table.name):
            if (batch := next(batches, None)) is None:
                return
            columns = list(map(_cells, batch.columns))
        for cells in columns:
            for line, cell in enumerate(cells, before + 1):
                if not cell and isinstance(cell, Value):
                    table.note("null: read as an empty cell", line)
        yield from table.take(_checked(columns, before, table.columns))
        before += batch.num_rows


def _checked(
    columns: Sequence[Sequence[str]], before: int, names: Sequence[str]
) -> Iterator[tuple[int, Sequence[str] | Fault, str]]:
    suspect = any("\0" in cell or len(cell) > MAX_CELL for cells in columns for cell in cells)
    for line, cells in enumerate(zip(*columns, strict=True), before + 1):
        fault = undecoded(cells, names, line) if suspect else None
        yield line, fault or cells, "" if fault is None else json.dumps(cells, ensure_ascii=True)


def _cells(column: Any) -> list[str]:
    """Return a column as texts: numbers as JSON writes them, dates as 2025-05-18."""
    types = import_module("pyarrow").types
    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if not _is_written(kind):
        return [Value() if cell is None else _text(cell) for cell in column.to_pylist()]
    cells = column.cast("string").to_pylist()
    if types.is_temporal(kind):
        return [Value() if cell is None else _ZEROS.sub("", cell) for cell in cells]
    # What JSON has no number for, such as nan, is a text there.
    return [cell if cell in _NO_NUMBERS else Value(cell or "") for cell in cells]


def _is_written(kind: Any) -> bool:
    """Return whether values are numbers, dates or times, which their texts say exactly."""
    types = import_module("pyarrow").types
    is_span = types.is_duration(kind) or types.is_interval(kind)
    return (types.is_primitive(kind) or types.is_decimal(kind)) and not is_span


def _text(value: Any) -> str:
    """Return a text, bytes, or a nested value as text."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return f"0x{value.hex()}"
    if isinstance(value, dict | list | tuple):
        written = json.dumps(value, ensure_ascii=False, default=str)
        try:
            json.dumps(value, allow_nan=False, default=str)
        except ValueError:  # JSON has no nan, so the whole is a text there
            return written
        return Value(written)
    return str(value)


# --- Out ------------------------------------------------------------------------------------------


class ParquetSheet:
    """Writes rows of texts as a Parquet file.

    Columns that all `originals`, Parquet files themselves, have with one type are given it again.
    """

    def __init__(
        self,
        file: BinaryIO,
        columns: Sequence[str],
        types: Sequence[str],
        originals: Sequence[Path],
    ) -> None:
        self._arrow = arrow = load_extra("pyarrow", "a Parquet file as output", "parquet")
        kept = _types_of(originals)
        kinds = {"integer": arrow.int64(), "number": arrow.float64()}
        types = types or ["text"] * len(columns)
        fields = zip(columns, types, strict=True)
        self._schema = arrow.schema(
            [(name, kinds.get(kind) or kept.get(name, arrow.string())) for name, kind in fields]
        )
        self._held = list[Sequence[str]]()
        output = arrow.PythonFile(file, mode="w")
        writer = import_module("pyarrow.parquet").ParquetWriter
        self._writer: Any = writer(output, self._schema, compression="zstd")

    def add(self, rows: Sequence[Sequence[str]]) -> None:
        """Write rows, some thousands at a time."""
        self._held += rows
        while len(self._held) >= _GROUP_ROWS:
            self._write(self._held[:_GROUP_ROWS])
            del self._held[:_GROUP_ROWS]

    def close(self) -> None:
        """Write what is left, and the end of the file."""
        if self._held:
            self._write(self._held)
        self._writer.close()

    def discard(self) -> None:
        """Do nothing: all is in the file."""

    def _write(self, rows: Sequence[Sequence[str]]) -> None:
        try:
            arrays = list(map(self._array, zip(*rows, strict=True), self._schema.types))
        except self._arrow.ArrowInvalid as error:
            raise OutputError(
                f"a cell is not of its column's type ({error}); write .csv"
            ) from error
        self._writer.write_table(self._arrow.Table.from_arrays(arrays, schema=self._schema))

    def _array(self, cells: Sequence[str], kind: Any) -> Any:
        if self._arrow.types.is_string(kind):
            return self._arrow.array(cells, kind)
        return self._arrow.array([cell or None for cell in cells], "string").cast(kind)


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def _types_of(paths: Sequence[Path]) -> dict[str, Any]:
    """Return the types of the columns that some files have alike, if texts can become such."""
    arrow = import_module("pyarrow")
    kinds: dict[str, Any] = {}
    if not paths or not all(map(_is_parquet, paths)):
        return kinds
    schemas = list(map(import_module("pyarrow.parquet").read_schema, paths))
    for field in schemas[0]:
        kind = field.type
        is_text = arrow.types.is_dictionary(kind) or arrow.types.is_large_string(kind)
        is_same = all(
            s.names.count(field.name) and s.field(field.name).type == kind for s in schemas
        )
        if is_same and (is_text or _is_written(kind)):
            with suppress(arrow.ArrowNotImplementedError):
                arrow.nulls(1, "string").cast(kind)
                kinds[field.name] = kind
    return kinds
