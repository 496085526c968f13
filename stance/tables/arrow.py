"""Parquet and Arrow files: in as texts, and out with each input column as it was."""

import json
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, Literal

from stance.display import shown
from stance.errors import DataError, load_extra
from stance.tables.records import (
    MAX_CELL,
    MAX_COLUMNS,
    Fault,
    Journal,
    Records,
    Value,
    judged,
    together,
    too_long,
    undecoded,
)
from stance.tables.sources import MEGABYTE

Kind = Literal["parquet", "arrow"]

_MOST_RATIO, _RATIO_FROM = 200, 16 * MEGABYTE  # see `stance.tables.sources`
_BATCH_ROWS = 128  # few, since one value of a dictionary may stand in every row
_GROUP_ROWS = 50_000  # of the output; its bytes do not depend on the parts of a run
_NO_NUMBERS = ("nan", "-nan", "inf", "-inf")
_ZEROS = re.compile(r"\.0+(?=(?:Z|[-+]\d{4})?$)")  # of a second


# --- In -------------------------------------------------------------------------------------------


def read_arrow(path: Path, kind: Kind, journal: Journal) -> tuple[str, Generator[Records]]:
    """Return the form of a file and its good records; a line in messages is a record."""
    what = "Parquet" if kind == "parquet" else "Arrow"
    load_extra("pyarrow", f"{journal.name}: a {what} file", "parquet")
    with _readable(journal.name, what):
        schema, batches = _open(path, kind, journal.name)
        names = schema.names  # decodes them
    if len(names) > MAX_COLUMNS:
        raise DataError(f"{journal.name}: more than {MAX_COLUMNS:,} columns; leave some out")
    journal.name_columns(names, 1)
    return what, _records(batches, journal, what)


@contextmanager
def _readable(name: str, what: str) -> Iterator[None]:
    """Turn what the library says of a damaged file into one line."""
    arrow = import_module("pyarrow")
    try:
        yield
    except DataError:
        raise
    except (arrow.ArrowException, OSError, ValueError, EOFError) as error:
        why = shown(str(error).partition("\n")[0] or type(error).__name__, 80)
        advice = "copy or download the file again"
        raise DataError(f"{name}: is not a whole {what} file ({why}); {advice}") from error


def _open(path: Path, kind: Kind, name: str) -> tuple[Any, Iterator[Any]]:
    """Return the schema of a file, and its batches."""
    if kind == "parquet":
        file = import_module("pyarrow.parquet").ParquetFile(path)
        found = file.metadata
        groups = range(found.num_row_groups)
        size = sum(found.row_group(at).total_byte_size for at in groups)
        if max(size, found.num_rows) > max(_RATIO_FROM, _MOST_RATIO * path.stat().st_size):
            what = f"expands more than {_MOST_RATIO} times, as a decompression bomb does"
            raise DataError(f"{name}: {what}; if you trust it, export it as CSV")
        return file.schema_arrow, file.iter_batches(batch_size=_BATCH_ROWS)
    arrow = import_module("pyarrow")
    reader = arrow.ipc.open_file(arrow.OSFile(str(path)))
    return reader.schema, _sliced(reader)


def _sliced(reader: Any) -> Iterator[Any]:
    for at in range(reader.num_record_batches):
        batch = reader.get_batch(at)
        batch.validate(full=True)
        for first in range(0, batch.num_rows, _BATCH_ROWS):
            yield batch.slice(first, _BATCH_ROWS)


def _records(batches: Iterator[Any], journal: Journal, what: str) -> Generator[Records]:
    before = 0
    while True:
        with _readable(journal.name, what):
            batch = next(batches, None)
            if batch is None:
                return
            columns = [_cells(column) for column in batch.columns]
        for cells in columns:
            for at, cell in enumerate(cells):
                if not cell and isinstance(cell, Value):
                    journal.note("null: read as an empty cell", before + at + 1)
        yield from together(judged(_checked(columns, before, journal.columns), journal))
        before += batch.num_rows


def _checked(
    columns: Sequence[Sequence[str]], before: int, names: Sequence[str]
) -> Iterator[tuple[int, Sequence[str] | Fault, str]]:
    suspect = any("\0" in cell or len(cell) > MAX_CELL for cells in columns for cell in cells)
    for line, cells in enumerate(zip(*columns, strict=True), before + 1):
        fault = (undecoded(cells, names, line) or too_long(cells, names, line)) if suspect else None
        yield line, fault or cells, "" if fault is None else json.dumps(cells, ensure_ascii=True)


def _cells(column: Any) -> list[str]:
    """Return a column as texts: numbers as JSON writes them, dates as 2025-05-18."""
    types = import_module("pyarrow").types
    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return [Value() if cell is None else cell for cell in column.to_pylist()]
    number = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)
    if number or types.is_boolean(kind):
        written = column.cast("string").to_pylist()
        # What JSON has no number for, such as nan, is a text there.
        return [each if each in _NO_NUMBERS else Value(each or "") for each in written]
    if types.is_date(kind) or types.is_timestamp(kind) or types.is_time(kind):
        written = column.cast("string").to_pylist()
        return [Value() if each is None else _ZEROS.sub("", each) for each in written]
    return [Value() if each is None else _nested(each) for each in column.to_pylist()]


def _nested(value: Any) -> str:
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

    Where the rows begin with those of other such files, as many as the first column of whole
    numbers counts, these columns keep their types and values.
    """

    def __init__(
        self,
        file: BinaryIO,
        kind: Kind,
        columns: Sequence[str],
        types: Sequence[str],
        originals: Sequence[Path],
    ) -> None:
        self._arrow = load_extra("pyarrow", "a Parquet or Arrow file as output", "parquet")
        self._kind, self._types, self._file = kind, types or ["text"] * len(columns), file
        self._columns, self._held = columns, list[Sequence[str]]()
        self._first, self._source = 0, _Originals.of(originals, columns, self._types)
        self._schema = self._make_schema()
        self._output = self._arrow.PythonFile(file, mode="w")
        if kind == "parquet":
            writer = import_module("pyarrow.parquet").ParquetWriter
            self._writer: Any = writer(self._output, self._schema, compression="zstd")
        else:
            options = self._arrow.ipc.IpcWriteOptions(compression="lz4")
            self._writer = self._arrow.ipc.new_file(self._output, self._schema, options=options)

    def _make_schema(self) -> Any:
        kinds = {"text": "string", "integer": "int64", "number": "float64"}
        fields = [
            self._arrow.field(name, kinds[kind])
            for name, kind in zip(self._columns, self._types, strict=True)
        ]
        if self._source:
            own = self._source.schema
            fields[self._source.first : self._source.first + len(own)] = list(own)
        return self._arrow.schema(fields)

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
        columns = list(zip(*rows, strict=True))
        taken = {}
        if self._source:
            numbers = [int(cell) for cell in columns[self._source.numbers]]
            taken = dict(enumerate(self._source.take(numbers).columns, self._source.first))
        arrays = [
            taken[at] if at in taken else self._array(cells, self._types[at])
            for at, cells in enumerate(columns)
        ]
        table = self._arrow.Table.from_arrays(arrays, schema=self._schema)
        self._writer.write_table(table)

    def _array(self, cells: Sequence[str], kind: str) -> Any:
        if kind == "text":
            return self._arrow.array(cells, "string")
        number = int if kind == "integer" else float
        values = [number(cell) if cell else None for cell in cells]
        return self._arrow.array(values, "int64" if kind == "integer" else "float64")


class _Originals:
    """The records of the input files again, with their types, in order."""

    def __init__(self, paths: Sequence[Path], schema: Any, first: int, numbers: int) -> None:
        self.schema, self.first, self.numbers = schema, first, numbers
        self._batches = self._all(paths)
        self._table: Any = schema.empty_table()
        self._before = 0  # records before those of the table

    @classmethod
    def of(
        cls, paths: Sequence[Path], columns: Sequence[str], types: Sequence[str]
    ) -> "_Originals | None":
        """Return the records of files whose columns are the first of the output; else None."""
        numbers = next((at for at, kind in enumerate(types) if kind == "integer"), 0)
        opened = []
        for path in paths:
            kind = kind_of(path)
            if kind is None:
                return None
            opened.append(_open(path, kind, str(path))[0].remove_metadata())
        if not opened or any(not schema.equals(opened[0]) for schema in opened[1:]):
            return None
        first = numbers - len(opened[0])
        if first not in (0, 1) or list(columns[first:numbers]) != opened[0].names:
            return None
        return cls(paths, opened[0], first, numbers)

    def take(self, numbers: Sequence[int]) -> Any:
        """Return the records of some numbers, from 1; none comes before one that came already."""
        while self._before + self._table.num_rows < numbers[0]:  # and bad records, too
            self._before += self._table.num_rows
            self._table = self._next()
        parts = [self._table.slice(numbers[0] - 1 - self._before)]
        self._before, size = numbers[0] - 1, parts[0].num_rows
        while self._before + size < numbers[-1]:
            parts.append(self._next())
            size += parts[-1].num_rows
        self._table = import_module("pyarrow").concat_tables(parts).combine_chunks()
        return self._table.take([number - 1 - self._before for number in numbers])

    def _next(self) -> Any:
        if (batch := next(self._batches, None)) is None:
            raise DataError("a Parquet or Arrow file changed while it was read; run again")
        return batch

    def _all(self, paths: Sequence[Path]) -> Iterator[Any]:
        arrow = import_module("pyarrow")
        for path in paths:
            _, batches = _open(path, kind_of(path) or "parquet", str(path))
            for batch in batches:
                yield arrow.Table.from_batches([batch]).replace_schema_metadata(None)


def kind_of(path: Path) -> Kind | None:
    """Return which of the two a file is, by how it begins."""
    with path.open("rb") as file:
        head = file.read(6)
    return "parquet" if head[:4] == b"PAR1" else "arrow" if head == b"ARROW1" else None
