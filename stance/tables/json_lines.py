"""Records of JSON: an object in each line, or a list of objects, all with the same keys."""

import json
import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Literal

from stance.display import shown
from stance.errors import DataError
from stance.tables.records import (
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
from stance.tables.sources import JSON_NAMES, MAX_LINE, MEGABYTE, Text, line_ends, split_lines

MAX_LIST = 256 * MEGABYTE  # characters of a list, which is read into memory
_MOST_VALUES = 200_000  # in a record, which take much more memory than their text
_LONG = 64 * 1024  # only beyond this can nested values take much memory; also of a batch
_STRINGS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_MARK = re.compile(rf"{_STRINGS.pattern}|[][{{}}]", re.DOTALL)
_BETWEEN = re.compile(r"\s*([],]?)\s*")  # two objects of a list
_JSON_ADVICE = "write one JSON object in each line, or a list of them: [{...}, {...}]"


class _ConstantError(ValueError): ...


def _refuse_constant(name: str) -> None:
    raise _ConstantError(f"{name} is not JSON")


# Numbers stay as they are written: 1e5 and 0.10 come back as 1e5 and 0.10. An object becomes
# a tuple of pairs, so that a repeated key is seen and a nested one is not mistaken for a list.
_DECODER = json.JSONDecoder(
    object_pairs_hook=tuple, parse_float=Value, parse_int=Value, parse_constant=_refuse_constant
)


def json_kind(head: str, suffix: str) -> Literal["lines", "list", ""]:
    """Return which kind of JSON a table is, by how its text begins and how its name ends."""
    begins = "".join(head[:1000].split())[:2]
    if begins[:1] == "[" and (begins[1:] in ("{", "]", "") or suffix in JSON_NAMES):
        return "list"
    return "lines" if begins in ('{"', "{}") or suffix in JSON_NAMES else ""


def read_json(
    text: Text, journal: Journal, kind: str, *, max_list: int = MAX_LIST
) -> Generator[Records]:
    """Return the good records in order, some at a time; the first object names the columns."""
    found = _listed(text, max_list) if kind == "list" else _numbered_lines(text)
    objects = _filled(found, journal)
    line, raw = next(objects, (1, ""))
    if not raw:
        what = "is an empty list" if kind == "list" else "holds only empty lines"
        raise DataError(f"{text.name}:1: {what}; {_JSON_ADVICE}")
    if raw.strip() == "{":
        what = "is one JSON object over several lines"
        raise DataError(f"{text.name}:{line}: {what}; save the list of records in it by itself")
    first = _parsed(raw, line)
    if not isinstance(first, Fault) and len(first) > MAX_COLUMNS:
        first = Fault(line, "", f"more than {MAX_COLUMNS:,} keys", "no table has that many")
    if not first:
        first = Fault(line, "", "an object without keys", _JSON_ADVICE)
    if isinstance(first, Fault):
        raise journal.error(first)
    journal.name_columns(tuple(first), line)
    return _records(chain([(line, raw)], objects), journal)


def _numbered_lines(text: Text) -> Iterator[tuple[int, str]]:
    lines = (line for chunk in text.chunks() for line in split_lines(chunk))
    return enumerate(lines, 1)


def _listed(text: Text, max_list: int) -> Iterator[tuple[int, str]]:
    """Yield the objects of a list, and the lines where they begin."""
    parts, size = list[str](), 0
    for part in text.pieces():
        parts.append(part)
        size += len(part)
        if size > max_list:
            what = f"a list in JSON of more than {max_list // MEGABYTE} MB"
            raise DataError(f"{text.name}: {what}; save it as JSON Lines, one object in each line")
    whole = "".join(parts)
    place, line = whole.index("[") + 1, 1
    wanted, after = "", 0  # no comma before the first object
    while True:
        found = _BETWEEN.match(whole, place)
        mark, at = (found[1], found.end()) if found else ("", place)
        line += line_ends(whole[after:at])
        if at == len(whole) and mark != "]":
            why = "the list is not closed after this line; copy or download the file again"
            raise DataError(f"{text.name}:{line}: {why}")
        if mark == "]" and at == len(whole):
            return
        if mark != wanted or whole[at] != "{":
            what = f"'{shown(whole[at:], 20)}' where an object should be"
            if wanted and not mark:
                what = f"'{shown(whole[at:], 20)}' where a comma should be"
            if mark == "]":
                what = f"'{shown(whole[at:], 20)}' after the list"
            raise DataError(f"{text.name}:{line}: not JSON: {what}; {_JSON_ADVICE}")
        place, after, wanted = _end_of_object(whole, at, f"{text.name}:{line}"), at, ","
        yield line, whole[at:place]


def _end_of_object(whole: str, start: int, where: str) -> int:
    depth = 0
    for found in _MARK.finditer(whole, start, start + MAX_LINE):
        mark = found.group()
        depth += (mark in "[{") - (mark in "]}")
        if not depth:
            return found.end()
    if len(whole) - start > MAX_LINE:
        what = f"an object of more than {MAX_LINE // MEGABYTE} MB; leave something out of it"
    else:
        what = "the list is not closed after this line; copy or download the file again"
    raise DataError(f"{where}: {what}")


def _filled(objects: Iterable[tuple[int, str]], journal: Journal) -> Iterator[tuple[int, str]]:
    for line, raw in objects:
        if raw.strip():
            yield line, raw
        else:
            journal.note("empty line: skipped", line)


def _records(objects: Iterable[tuple[int, str]], journal: Journal) -> Generator[Records]:
    rows, size = list[tuple[int, str]](), 0
    for line, raw in objects:
        rows.append((line, raw))
        size += len(raw)
        if size >= _LONG:
            yield from together(judged(_rows(rows, journal), journal))
            rows, size = [], 0
    yield from together(judged(_rows(rows, journal), journal))


def _rows(
    objects: Iterable[tuple[int, str]], journal: Journal
) -> Iterator[tuple[int, Sequence[str] | Fault, str]]:
    for line, raw in objects:
        found = _parsed(raw, line)
        yield line, found if isinstance(found, Fault) else _cells(found, line, journal), raw


def _parsed(raw: str, line: int) -> dict[str, Any] | Fault:
    """Return the object that a line holds, with numbers as texts, or what is wrong."""
    if len(raw) > _LONG and sum(map(_STRINGS.sub("", raw).count, "[{,")) > _MOST_VALUES:
        return Fault(line, "", f"more than {_MOST_VALUES:,} values in it", "leave some out")
    try:
        pairs = _DECODER.decode(raw)
    except _ConstantError as error:
        return Fault(line, "", str(error), "save it as JSON again")
    except json.JSONDecodeError as error:
        reason = f"not JSON: {error.msg} at character {error.pos + 1}"
        return Fault(line, "", reason, _JSON_ADVICE)
    except RecursionError:
        return Fault(line, "", "values nested too deep", "flatten them")
    if not isinstance(pairs, tuple):
        what = "a list" if isinstance(pairs, list) else "a single value"
        return Fault(line, "", f"{what} where an object should be", _JSON_ADVICE)
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = shown(next(key for key in keys if keys.count(key) > 1))
        return Fault(line, twice, f"key '{twice}' appears twice", "give each its own")
    return found


def _cells(found: dict[str, Any], line: int, journal: Journal) -> list[str] | Fault:
    names = journal.columns
    if found.keys() != set(names):
        missing = [shown(name) for name in names if name not in found][:1]
        added = [shown(name) for name in found if name not in names][:1]
        parts = [*(f"no key '{key}'" for key in missing), *(f"a new key '{key}'" for key in added)]
        advice = "give every line the keys of the first"
        return Fault(line, (missing + added)[0], " and ".join(parts), advice)
    try:
        cells = [_cell(found[name]) for name in names]
    except RecursionError:
        return Fault(line, "", "values nested too deep", "flatten them")
    if empty := sum(found[name] is None for name in names):
        journal.note("null: read as an empty cell", line, empty)
    return too_long(cells, names, line) or undecoded(cells, names, line) or cells


def _cell(value: Any) -> str:
    """Return a text as it is, and anything else as it is written in JSON."""
    if isinstance(value, str):
        return value
    return Value("" if value is None else _written(value))


def _written(value: Any) -> str:
    if isinstance(value, tuple):  # an object
        return f"{{{', '.join(f'{_written(key)}: {_written(each)}' for key, each in value)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    return value.json if isinstance(value, Value) else json.dumps(value, ensure_ascii=False)
