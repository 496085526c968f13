"""How rows become bytes: the same bytes from every process and in parts of any size."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from stance.errors import DataError

FORMULA_STARTS = frozenset("=+-@\t\r")
"""What a cell begins with that a spreadsheet might run."""

HALF_CHARACTER = "a cell holds half a character (a lone surrogate); mend it"


def encode_rows(rows: Iterable[Sequence[str]], *, delimiter: str = ",") -> bytes:
    r"""Return the rows as bytes of CSV: UTF-8, ``\n``, quoted where needed.

    What needs quotes differs between versions of Python's csv module where a cell holds a
    carriage return; here it does not.

    >>> encode_rows([("007", "Moscow, Kyiv"), ("NA", "")])
    b'007,"Moscow, Kyiv"\nNA,\n'
    """
    lines = joined(zip(*rows, strict=True), delimiter)
    return "".join([f"{line or EMPTY}\n" for line in lines]).encode()


EMPTY = '""'
"""A row of one empty cell, which would otherwise be an empty line."""


def joined(columns: Iterable[Sequence[str]], delimiter: str) -> Iterator[str]:
    """Return the rows of equally long columns as they stand in a table, without their ends."""
    quoted = [_quoted(column, delimiter) for column in columns]
    return map(delimiter.join, zip(*quoted, strict=True))


def _quoted(column: Sequence[str], mark: str) -> Iterable[str]:
    """Return cells as they stand between separators."""
    signs = (mark, '"', "\n", "\r")
    texts = map("".join, (column[:100], column))  # a column with quotes mostly begins with some
    needed = any(sign in text for text in texts for sign in signs)
    return _quoted_cells(column, mark) if needed else column


def _quoted_cells(cells: Sequence[str], mark: str) -> Iterator[str]:
    for cell in cells:
        if '"' in cell:
            doubled = cell.replace('"', '""')
            yield f'"{doubled}"'
        elif mark in cell or "\n" in cell or "\r" in cell:
            yield f'"{cell}"'
        else:
            yield cell


def is_formula(cell: str) -> bool:
    """Tell whether a spreadsheet might run the cell: it begins with one of ``= + - @ tab CR``.

    >>> is_formula("=cmd"), is_formula("-0.25"), is_formula("NATO")
    (True, False, False)
    """
    return cell[:1] in FORMULA_STARTS and bool(cell) and not _is_number(cell)


def _is_number(cell: str) -> bool:
    digits = cell[1:] if cell[0] in "+-" else cell
    return digits.replace(".", "", 1).replace(",", "").isdecimal()


@dataclass(frozen=True, slots=True)
class Format:
    """How a table is to be written; workers encode with it and only bytes travel.

    Attributes
    ----------
    columns : tuple of str
        Names of the columns, which are the keys of JSON Lines.
    excel_safe : bool
        Put ``'`` before what a spreadsheet would run, and a byte order mark at the beginning.
    """

    columns: tuple[str, ...]
    kind: Literal["csv", "jsonl"] = "csv"
    delimiter: str = ","
    excel_safe: bool = False

    def header(self) -> bytes:
        """Return what stands before the rows."""
        if self.kind == "jsonl":
            return b""
        mark = b"\xef\xbb\xbf" if self.excel_safe else b""
        names = self._safe(self.columns) if self.excel_safe else self.columns
        if any(sign in "".join(names) for sign in ",;\t|\ufeff") or names[0].startswith("sep="):
            # Quoted, so that no reader takes them for separators, a mark or a note of Excel.
            quoted = (f'"{name.replace(chr(34), chr(34) * 2)}"' for name in names)
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
        starts = FORMULA_STARTS
        found = [cell for row in rows for cell in row if cell and cell[0] in starts]
        return sum(map(is_formula, found))

    def _safe(self, row: Sequence[str]) -> list[str]:
        return [f"'{cell}" if is_formula(cell) else cell for cell in row]

    def _json_line(self, row: Sequence[str]) -> bytes:
        pairs = dict(zip(self.columns, row, strict=True))
        return json.dumps(pairs, ensure_ascii=False).encode() + b"\n"
