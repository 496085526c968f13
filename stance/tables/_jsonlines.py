"""Records of JSON Lines: one object of texts in each line, all with the same keys."""

import json
import re
from collections.abc import Generator, Iterator
from itertools import chain, dropwhile, filterfalse
from typing import Any

from stance.display import shown
from stance.errors import DataError
from stance.tables._bytes import MEGABYTE
from stance.tables._reading import MAX_CELL, MAX_COLUMNS, Fault, Reader, Record, Records, RejectSink
from stance.tables._sources import Source

_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*+"?')
_LONG = 64 * 1024  # only beyond this can nested values take much memory
_JSON_ADVICE = "write one JSON object in each line"
_FLAT_ADVICE = "values must be texts, numbers, true, false or null"


class _NotFlatError(ValueError):
    pass


def _refuse_constant(name: str) -> None:
    raise _NotFlatError(f"{name} is not JSON")


# Numbers stay as they are written: 1e5 and 0.10 come back as 1e5 and 0.10. An object becomes
# a tuple of pairs, so that a repeated key is seen and a nested one is told from a list.
_DECODER = json.JSONDecoder(
    object_pairs_hook=tuple,
    parse_float=str,
    parse_int=str,
    parse_constant=_refuse_constant,
)


class JsonReader(Reader):
    """Reads JSON Lines.

    The columns are the keys of the first object. Null is an empty cell, which is noted;
    true and false are ``true`` and ``false``.
    """

    def __init__(self, source: Source, rejects: RejectSink | None) -> None:
        super().__init__(source, rejects)
        self._lines = self._numbered_lines()
        for lines in self._lines:
            self._first = list(dropwhile(self._is_empty, lines))
            if self._first:
                break
        else:
            raise DataError(f"{self.name}:1: holds only empty lines; {_JSON_ADVICE}")
        line, raw = self._first[0]
        found = self._parse(raw, line)
        if isinstance(found, Fault):
            raise self.error(found)
        self.columns = tuple(found)
        if len(found) > MAX_COLUMNS:
            raise DataError(
                f"{self.name}:{line}: more than {MAX_COLUMNS:,} keys; no table has so many"
            )
        odd = self.odd_character(self.columns, line)
        if odd or not found:
            raise self.error(odd or Fault(line, "", "an object without keys", _JSON_ADVICE))
        self.check_columns(line)

    def blocks(self) -> Generator[Records]:
        """Yield every good record, in order, some at a time."""
        for lines in chain([self._first], self._lines):
            yield from self.together(self._records(lines))

    def _records(self, lines: list[tuple[int, str]]) -> Iterator[Record]:
        for line, raw in filterfalse(self._is_empty, lines):
            found = self._parse(raw, line)
            cells = self._cells(found, line) if isinstance(found, dict) else found
            if self.check and not isinstance(cells, Fault):
                cells = self.check(cells, line) or cells
            if isinstance(cells, Fault):
                self.reject(cells, raw)
            else:
                self.number += 1
                yield Record(self.number, line, tuple(cells))

    def _numbered_lines(self) -> Iterator[list[tuple[int, str]]]:
        for block in self.source.blocks():
            lines = list(enumerate(block.lines, self.source.line))
            self.source.line += len(lines)
            yield lines

    def _is_empty(self, numbered: tuple[int, str]) -> bool:
        line, raw = numbered
        if raw.strip():
            return False
        self.note("empty line: skipped", line)
        return True

    def _parse(self, raw: str, line: int) -> dict[str, Any] | Fault:
        """Return the object that a line holds, with numbers as texts, or what is wrong."""
        if len(raw) > _LONG and (fault := self._deep(raw, line)):
            return fault
        try:
            pairs = _DECODER.decode(raw)
        except _NotFlatError as error:
            return Fault(line, "", str(error), _FLAT_ADVICE)
        except json.JSONDecodeError as error:
            return Fault(
                line, "", f"not JSON: {error.msg} at character {error.pos + 1}", _JSON_ADVICE
            )
        except RecursionError:
            return Fault(line, "", "values nested too deep", _FLAT_ADVICE)
        if not isinstance(pairs, tuple):
            return Fault(line, "", f"{_kind(pairs)} where an object should be", _JSON_ADVICE)
        found = dict(pairs)
        if len(found) != len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            return Fault(
                line, shown(twice), f"key '{shown(twice)}' stands twice", "give each its own"
            )
        return found

    def _deep(self, raw: str, line: int) -> Fault | None:
        marks = _STRINGS.sub("", raw)
        if "[" in marks or marks.count("{") > 1:
            return Fault(line, "", "a list or an object inside the object", _FLAT_ADVICE)
        if marks.count(",") > MAX_COLUMNS:
            return Fault(line, "", f"more than {MAX_COLUMNS:,} keys", "no table has so many")
        return None

    def _cells(self, found: dict[str, Any], line: int) -> list[str] | Fault:
        if found.keys() != set(self.columns):
            return self._other_keys(found, line)
        cells = []
        for place, name in enumerate(self.columns):
            value = found[name]
            if value is None:
                self.note("null: read as an empty cell", line)
                value = ""
            elif value is True or value is False:
                value = "true" if value else "false"
            elif not isinstance(value, str):
                column = self.column_at(place)
                return Fault(line, column, f"{_kind(value)} in column {column!r}", _FLAT_ADVICE)
            elif len(value) > MAX_CELL:
                column = self.column_at(place)
                limit = f"more than {MAX_CELL // MEGABYTE} MB in column {column!r}"
                return Fault(line, column, limit, "split its text")
            cells.append(value)
        return self.odd_character(cells, line) or cells

    def _other_keys(self, found: dict[str, Any], line: int) -> Fault:
        missing = [name for name in self.columns if name not in found]
        added = [name for name in found if name not in self.columns]
        parts = [f"no key '{shown(missing[0])}'"] if missing else []
        parts += [f"a new key '{shown(added[0])}'"] if added else []
        column = shown((missing or added)[0])
        return Fault(line, column, " and ".join(parts), "give every line the keys of the first")


def _kind(value: object) -> str:
    if isinstance(value, tuple):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return "a single value"
