"""Parquet and Arrow files: in as texts, and out with each input column as it was."""

import json
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, Literal

from stance.display import shown
from stance.errors import DataError, OutputError, load_extra
from stance.tables.sources import MEGABYTE
from stance.tables.table import (
    MAX_CELL,
    MAX_COLUMNS,
    Fault,
    Records,
    Table,
    Value,
    undecoded,
)

Kind = Literal["parquet", "arrow"]

_MOST_RATIO, _RATIO_FROM = 200, 16 * MEGABYTE  # see `stance.tables.sources`
_BATCH_ROWS = 128  # few, since one value of a dictionary may stand in every row
_GROUP_ROWS = 50_000  # of the output; its bytes do not depend on the parts of a run
_NO_NUMBERS = ("nan", "-nan", "inf", "-inf")
_ZEROS = re.compile(r"\.0+(?=(?:Z|[-+]\d{4})?$)")  # of a second


# --- In -------------------------------------------------------------------------------------------


def read_arrow(path: Path, table: Table) -> None:
    """Read the columns of a file, and set its chunks; a line in messages is a record."""
    what = "Parquet" if kind_of(path) == "parquet" else "Arrow"
    load_extra("pyarrow", f"{table.name}: a {what} file", "parquet")
    with _readable(table.name, what):
        schema, batches = _open(path, table.name)
        names = schema.names  # decodes them
    if len(names) > MAX_COLUMNS:
        raise DataError(f"{table.name}: more than {MAX_COLUMNS:,} columns; leave some out")
    table.name_columns(names, 1)
    table.form, table.chunks = what, _records(batches, table, what)


def kind_of(path: Path) -> Kind | None:
    """Return which of the two a file is, by how it begins."""
    with path.open("rb") as file:
        head = file.read(6)
    return "parquet" if head[:4] == b"PAR1" else "arrow" if head == b"ARROW1" else None


@contextmanager
def _readable(name: str, what: str) -> Iterator[None]:
    """Turn what the library says of a damaged file into one line."""
    arrow = import_module("pyarrow")
    try:
        yield
    except (arrow.ArrowException, OSError, ValueError, EOFError) as error:
        why = shown(str(error).partition("\n")[0] or type(error).__name__, 80)
        advice = "copy or download the file again"
        raise DataError(f"{name}: is not a whole {what} file ({why}); {advice}") from error


def _open(path: Path, name: str) -> tuple[Any, Iterator[Any]]:
    """Return the schema of a file, and its batches."""
    arrow = import_module("pyarrow")
    if kind_of(path) == "arrow":
        reader = arrow.ipc.open_file(arrow.OSFile(str(path)))
        return reader.schema, _slices(reader)
    file = import_module("pyarrow.parquet").ParquetFile(path)
    groups = (file.metadata.row_group(at) for at in range(file.metadata.num_row_groups))
    size = max(sum(group.total_byte_size for group in groups), file.metadata.num_rows)
    if size > max(_RATIO_FROM, _MOST_RATIO * path.stat().st_size):
        what = f"expands more than {_MOST_RATIO} times, as a decompression bomb does"
        raise DataError(f"{name}: {what}; if you trust it, export it as CSV")
    return file.schema_arrow, file.iter_batches(batch_size=_BATCH_ROWS)


def _slices(reader: Any) -> Iterator[Any]:
    for at in range(reader.num_record_batches):
        batch = reader.get_batch(at)
        batch.validate(full=True)
        for first in range(0, batch.num_rows, _BATCH_ROWS):
            yield batch.slice(first, _BATCH_ROWS)


def _records(batches: Iterator[Any], table: Table, what: str) -> Generator[Records]:
    before = 0
    while True:
        with _readable(table.name, what):
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


class ArrowSheet:
    """Writes rows of texts as a Parquet or Arrow file.

    Columns that all `originals`, such files themselves, have with one type are given it again.
    """

    def __init__(
        self,
        file: BinaryIO,
        kind: Kind,
        columns: Sequence[str],
        types: Sequence[str],
        originals: Sequence[Path],
    ) -> None:
        self._arrow = arrow = load_extra("pyarrow", "a Parquet or Arrow file as output", "parquet")
        kinds = {"text": "string", "integer": "int64", "number": "float64"}
        own = [arrow.type_for_alias(kinds[kind]) for kind in types or ["text"] * len(columns)]
        kept = _types_of(originals) if all(map(kind_of, originals)) else {}
        self._schema = arrow.schema(
            [
                (name, kept.get(name, kind) if kind == "string" else kind)
                for name, kind in zip(columns, own, strict=True)
            ]
        )
        self._held = list[Sequence[str]]()
        output = arrow.PythonFile(file, mode="w")
        if kind == "parquet":
            writer = import_module("pyarrow.parquet").ParquetWriter
            self._writer: Any = writer(output, self._schema, compression="zstd")
        else:
            options = arrow.ipc.IpcWriteOptions(compression="lz4")
            self._writer = arrow.ipc.new_file(output, self._schema, options=options)

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


def _types_of(paths: Sequence[Path]) -> dict[str, Any]:
    """Return the types of the columns that some files have alike, if texts can become such."""
    arrow = import_module("pyarrow")
    found: dict[str, Any] = {}
    schemas = [_open(path, str(path))[0] for path in paths]
    for field in schemas[0] if schemas else ():
        kind = field.type
        is_text = arrow.types.is_dictionary(kind) or arrow.types.is_large_string(kind)
        is_same = all(
            s.names.count(field.name) and s.field(field.name).type == kind for s in schemas
        )
        if is_same and (is_text or _is_written(kind)):
            with suppress(arrow.ArrowNotImplementedError):
                arrow.nulls(1, "string").cast(kind)
                found[field.name] = kind
    return found
