"""Rows of each kind of table that is written, as bytes; and cells that a spreadsheet would run."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from stance.errors import DataError, UsageError
from stance.tables._bytes import JSON_NAMES, kind_suffix
from stance.tables._quoting import encode_rows
from stance.tables._reading import Value

# What a cell begins with that a spreadsheet might run; some take full-width signs as plain ones.
FORMULA_STARTS = frozenset("=+-@\t\r＝＋－＠")
HALF_CHARACTER = "a cell holds half a character (a lone surrogate); correct it"


def is_formula(cell: str) -> bool:
    """Return whether a spreadsheet might run the cell: it begins with one of ``= + - @ tab CR``.

    Full-width signs count as well.

    >>> is_formula("=cmd"), is_formula("-0.25"), is_formula("NATO")
    (True, False, False)
    """
    digits = cell[1:] if cell[:1] in ("+", "-", "＋", "－") else cell
    number = digits.replace(".", "", 1).replace(",", "").isdecimal()
    return cell[:1] in FORMULA_STARTS and not number


def formula_note(cells: int, *, quoted: bool = False, remedy: str = "--excel-safe") -> str:
    """Return what to say of cells that a spreadsheet might run; nothing if there are none.

    >>> formula_note(2)
    'cells that begin like a formula: 2 (--excel-safe keeps a spreadsheet from running them)'
    """
    advice = ", quoted" if quoted else f" ({remedy} keeps a spreadsheet from running them)"
    return f"cells that begin like a formula: {cells:,}{advice}" if cells else ""


Container = Literal["", "json", "excel", "parquet", "arrow"]
_CONTAINERS: dict[str, Container] = {
    ".json": "json",
    ".xlsx": "excel",
    ".parquet": "parquet",
    ".feather": "arrow",
    ".arrow": "arrow",
}
_SEPARATORS = {".tsv": "\t", ".tab": "\t", ".psv": "|"}


@dataclass(frozen=True, slots=True)
class Format:
    """How a table is to be written; workers encode with it, so that only bytes travel."""

    columns: tuple[str, ...]  # the keys of JSON
    kind: Literal["csv", "jsonl"] = "csv"  # of the rows, also of those that go into a container
    delimiter: str = ","
    excel_safe: bool = False  # a mark at the beginning, and ' before what a spreadsheet would run
    container: Container = ""
    types: tuple[str, ...] = ()  # of the columns: text, integer or number; () if all are texts

    @property
    def plain(self) -> bool:
        """Whether this is CSV, whose cells a spreadsheet takes for what they look like."""
        return self.kind == "csv" and not self.container

    def header(self) -> bytes:
        """Return what stands before the rows."""
        if self.kind == "jsonl" or self.container:
            return b""
        mark = b"\xef\xbb\xbf" if self.excel_safe else b""
        names = self._safe(self.columns) if self.excel_safe else self.columns
        if any(sign in "".join(names) for sign in ",;\t|\ufeff") or names[0].startswith("sep="):
            # Quoted, so that no reader takes them for separators, a mark or a note of Excel.
            quoted = ('"' + name.replace('"', '""') + '"' for name in names)
            return mark + self.delimiter.join(quoted).encode() + b"\n"
        return mark + encode_rows([names], delimiter=self.delimiter)

    def encode(self, rows: Sequence[Sequence[str]]) -> bytes:
        """Return exactly the bytes that `TableWriter` writes for these rows."""
        for row in rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{len(row)} cells for {len(self.columns)} columns")
        try:
            if self.kind == "jsonl":
                return b"".join(map(self._json_line, rows))
            safe = map(self._safe, rows) if self.excel_safe else rows
            return encode_rows(safe, delimiter=self.delimiter)
        except UnicodeEncodeError as error:
            raise DataError(HALF_CHARACTER) from error

    def formulas(self, rows: Iterable[Sequence[str]]) -> int:
        """Return how many cells a spreadsheet might run."""
        if not self.plain:
            return 0
        return sum(is_formula(cell) for row in rows for cell in row if cell[:1] in FORMULA_STARTS)

    def _safe(self, row: Sequence[str]) -> list[str]:
        return [f"'{cell}" if is_formula(cell) else cell for cell in row]

    def _json_line(self, row: Sequence[str]) -> bytes:
        pairs = zip(self.columns, row, strict=True)
        written = (f"{_json(name)}: {_json(cell)}" for name, cell in pairs)
        return f"{{{', '.join(written)}}}\n".encode()


def _json(cell: str) -> str:
    """Return a text in JSON, and a value that came from JSON as it came."""
    if isinstance(cell, Value):
        return cell.json
    return json.dumps(cell, ensure_ascii=False)


def table_format(
    path: Path | None,
    columns: Sequence[str],
    *,
    excel_safe: bool = False,
    types: Sequence[str] = (),
) -> Format:
    """Return the format that a table of this name is written in."""
    suffix = kind_suffix(path)
    kind: Literal["csv", "jsonl"] = "jsonl" if suffix in JSON_NAMES else "csv"
    container = _CONTAINERS.get(suffix, "")
    if path and container not in ("", "json") and path.suffix.lower() == ".gz":
        raise UsageError(f"{path}: {suffix} files are already compressed; drop .gz from its name")
    mark = _SEPARATORS.get(suffix, ",")
    form = Format(tuple(columns), kind, mark, False, container, tuple(types))
    return replace(form, excel_safe=excel_safe and form.plain)
