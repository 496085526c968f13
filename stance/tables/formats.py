"""How rows become bytes: the same bytes from every process and in parts of any size."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from stance.errors import DataError

_FORMULA_STARTS = frozenset("=+-@\t\r")


def encode_rows(rows: Iterable[Sequence[str]], *, delimiter: str = ",") -> bytes:
    r"""Return the rows as bytes of CSV: UTF-8, ``\n``, quoted where needed.

    >>> encode_rows([("007", "Moscow, Kyiv"), ("NA", "")])
    b'007,"Moscow, Kyiv"\nNA,\n'
    """
    batch = list(rows)
    sink = io.StringIO(newline="")
    csv.writer(sink, delimiter=delimiter, lineterminator="\n").writerows(batch)
    text = sink.getvalue()
    if "\r" in text:
        # Python before 3.13 quotes only those line ends that the terminator holds.
        text = "".join(_lines_with_crlf(batch, delimiter))
    return text.encode()


def _lines_with_crlf(rows: Iterable[Sequence[str]], delimiter: str) -> Iterator[str]:
    for row in rows:
        sink = io.StringIO(newline="")
        csv.writer(sink, delimiter=delimiter, lineterminator="\r\n").writerow(row)
        yield sink.getvalue()[:-2] + "\n"


Group = tuple[Sequence[str], Sequence[Sequence[str]]]
"""The cells with which some rows begin, and the rest of each of these rows."""

EMPTY = '""'
"""How the csv module writes a row of one empty cell."""

_QUOTED = ('"', "\n", "\r", "\0")

_MARK = "\n\0"
"""Ends rows that are to be told apart: cells with a line break are quoted, none has a NUL."""


def _grouped(groups: Sequence[Group], delimiter: str) -> str | None:
    """Return the rows as CSV text, None where they have to be encoded in full."""
    heads = _separate([head for head, _ in groups], delimiter)
    tails = _separate([tail for _, tails in groups for tail in tails], delimiter)
    if heads is None or tails is None:
        return None
    ends = iter(tails)
    lines = [
        f"{head if head != EMPTY else ''}{delimiter}{next(ends)}\n"
        for head, (_, rest) in zip(heads, groups, strict=True)
        for _ in rest
    ]
    return "".join(lines)


def _separate(rows: Sequence[Sequence[str]], delimiter: str) -> list[str] | None:
    """Return each row as the csv module writes it, None where that cannot be told apart."""
    joined = [delimiter.join(row) for row in rows]
    text = "".join(joined)
    plain = not any(sign in text for sign in _QUOTED)
    if plain and text.count(delimiter) == sum(map(len, rows)) - len(rows) and all(joined):
        return joined  # no cell needs quotes
    sink = io.StringIO(newline="")
    csv.writer(sink, delimiter=delimiter, lineterminator=_MARK).writerows(rows)
    text = sink.getvalue()
    found = text.split(_MARK)
    # With a CR quoting differs between Python versions; with a NUL rows cannot be told apart.
    return found[:-1] if "\r" not in text and len(found) == len(rows) + 1 else None


def is_formula(cell: str) -> bool:
    """Tell whether a spreadsheet might run the cell: it begins with one of ``= + - @ tab CR``.

    >>> is_formula("=cmd"), is_formula("-0.25"), is_formula("NATO")
    (True, False, False)
    """
    return cell[:1] in _FORMULA_STARTS and bool(cell) and not _is_number(cell)


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
            raise DataError("a cell holds half a character (a lone surrogate); mend it") from error

    def encode_groups(self, groups: Sequence[Group]) -> bytes:
        """Return what `encode` returns for the groups' rows; equal beginnings are encoded once."""
        plain = self.kind == "csv" and not self.excel_safe
        text = _grouped(groups, self.delimiter) if plain else None
        if text is None:
            return self.encode([(*head, *tail) for head, tails in groups for tail in tails])
        try:
            return text.encode()
        except UnicodeEncodeError as error:
            raise DataError("a cell holds half a character (a lone surrogate); mend it") from error

    def formulas(self, rows: Iterable[Sequence[str]]) -> int:
        """Return how many cells a spreadsheet might run."""
        starts = _FORMULA_STARTS
        found = [cell for row in rows for cell in row if cell and cell[0] in starts]
        return sum(map(is_formula, found))

    def _safe(self, row: Sequence[str]) -> list[str]:
        return [f"'{cell}" if is_formula(cell) else cell for cell in row]

    def _json_line(self, row: Sequence[str]) -> bytes:
        pairs = dict(zip(self.columns, row, strict=True))
        return json.dumps(pairs, ensure_ascii=False).encode() + b"\n"
