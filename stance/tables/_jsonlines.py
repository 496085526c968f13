"""Records of JSON Lines: one object of texts in each line, all with the same keys."""

import json
import re
from collections.abc import Collection, Generator, Iterable, Iterator
from itertools import chain, dropwhile
from typing import Any

from stance.display import shown
from stance.errors import DataError
from stance.tables._bytes import MEGABYTE
from stance.tables._oddities import column_at, name_columns, undecoded
from stance.tables._reading import MAX_CELL, MAX_COLUMNS, Fault, Journal, Record, Records, together
from stance.tables._sources import Source

_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*+"?')
_LONG = 64 * 1024  # only beyond this can nested values take much memory
_JSON_ADVICE = "write one JSON object in each line"
_FLAT_ADVICE = "values must be texts, numbers, true, false or null"


class _NotFlatError(ValueError): ...


def _refuse_constant(name: str) -> None:
    raise _NotFlatError(f"{name} is not JSON")


# Numbers stay as they are written: 1e5 and 0.10 come back as 1e5 and 0.10. An object becomes
# a tuple of pairs, so that a repeated key is seen and a nested one is not mistaken for a list.
_DECODER = json.JSONDecoder(
    object_pairs_hook=tuple, parse_float=str, parse_int=str, parse_constant=_refuse_constant
)


def read_json_lines(source: Source, journal: Journal) -> Generator[Records]:
    """Return the good records in order, some at a time; the first object names the columns."""
    blocks = _numbered_lines(source)
    for lines in blocks:
        if first := list(dropwhile(lambda line: _is_empty(*line, journal), lines)):
            break
    else:
        raise DataError(f"{source.name}:1: holds only empty lines; {_JSON_ADVICE}")
    line, raw = first[0]
    found = _parsed(raw, line)
    if isinstance(found, Fault):
        raise journal.error(found)
    names = tuple(found)
    if len(names) > MAX_COLUMNS:
        raise journal.error(_too_many(line))
    if not names:
        raise journal.error(Fault(line, "", "an object without keys", _JSON_ADVICE))
    name_columns(journal, names, line)
    rest = chain([first], blocks)
    return (block for lines in rest for block in together(_records(lines, journal)))


def _numbered_lines(source: Source) -> Iterator[list[tuple[int, str]]]:
    for block in source.blocks():
        lines = list(enumerate(block.lines, source.line))
        source.line += len(lines)
        yield lines


def _is_empty(line: int, raw: str, journal: Journal) -> bool:
    if raw.strip():
        return False
    journal.note("empty line: skipped", line)
    return True


def _records(lines: Iterable[tuple[int, str]], journal: Journal) -> Iterator[Record]:
    for line, raw in lines:
        if _is_empty(line, raw, journal):
            continue
        found = _parsed(raw, line)
        cells = _cells(found, line, journal) if isinstance(found, dict) else found
        if journal.check and not isinstance(cells, Fault):
            cells = journal.check(cells, line) or cells
        if isinstance(cells, Fault):
            journal.reject(cells, raw)
        else:
            journal.number += 1
            yield Record(journal.number, line, tuple(cells))


def _parsed(raw: str, line: int) -> dict[str, Any] | Fault:
    """Return the object that a line holds, with numbers as texts, or what is wrong."""
    if len(raw) > _LONG and (fault := _deep(raw, line)):
        return fault
    try:
        pairs = _DECODER.decode(raw)
    except _NotFlatError as error:
        return Fault(line, "", str(error), _FLAT_ADVICE)
    except json.JSONDecodeError as error:
        reason = f"not JSON: {error.msg} at character {error.pos + 1}"
        return Fault(line, "", reason, _JSON_ADVICE)
    except RecursionError:
        return Fault(line, "", "values nested too deep", _FLAT_ADVICE)
    if not isinstance(pairs, tuple):
        return Fault(line, "", f"{_kind(pairs)} where an object should be", _JSON_ADVICE)
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = shown(next(key for key in keys if keys.count(key) > 1))
        return Fault(line, twice, f"key '{twice}' appears twice", "give each its own")
    return found


def _deep(raw: str, line: int) -> Fault | None:
    marks = _STRINGS.sub("", raw)
    if "[" in marks or marks.count("{") > 1:
        return Fault(line, "", "a list or an object inside the object", _FLAT_ADVICE)
    if marks.count(",") > MAX_COLUMNS:
        return _too_many(line)
    return None


def _too_many(line: int) -> Fault:
    return Fault(line, "", f"more than {MAX_COLUMNS:,} keys", "no table has that many")


def _cells(found: dict[str, Any], line: int, journal: Journal) -> list[str] | Fault:
    names = journal.columns
    if found.keys() != set(names):
        return _other_keys(found, names, line)
    cells = []
    for place, name in enumerate(names):
        value = found[name]
        if value is None:
            journal.note("null: read as an empty cell", line)
            value = ""
        elif value is True or value is False:
            value = "true" if value else "false"
        elif not isinstance(value, str) or len(value) > MAX_CELL:
            column = column_at(names, place)
            if isinstance(value, str):
                limit = f"more than {MAX_CELL // MEGABYTE} MB in column {column!r}"
                return Fault(line, column, limit, "split its text")
            return Fault(line, column, f"{_kind(value)} in column {column!r}", _FLAT_ADVICE)
        cells.append(value)
    return undecoded(cells, names, line) or cells


def _other_keys(found: Collection[str], names: Collection[str], line: int) -> Fault:
    missing = [shown(name) for name in names if name not in found][:1]
    added = [shown(name) for name in found if name not in names][:1]
    parts = [*(f"no key '{key}'" for key in missing), *(f"a new key '{key}'" for key in added)]
    advice = "give every line the keys of the first"
    return Fault(line, (missing + added)[0], " and ".join(parts), advice)


def _kind(value: object) -> str:
    kinds: dict[type, str] = {tuple: "an object", list: "a list"}
    return kinds.get(type(value), "a single value")
