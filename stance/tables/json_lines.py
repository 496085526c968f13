"""Records of JSON: an object in each line, or a list of objects, all with the same keys."""

import json
import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, Literal

from stance.display import shown
from stance.tables.sources import JSON_NAMES, MEGABYTE, Source, line_ends, split_lines
from stance.tables.table import MAX_COLUMNS, Fault, Records, Row, Table, Value, undecoded

MAX_LIST = 256 * MEGABYTE  # characters of a list, which is read into memory
_BATCH = 128  # objects that become records together
_MOST_VALUES = 1_000_000  # in a line, which take much more memory than their text
_BETWEEN = re.compile(r"\s*([],]?)\s*")  # two objects of a list
_JSON_ADVICE = "write one JSON object in each line, or a list of them: [{...}, {...}]"


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


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


def read_json(source: Source, table: Table, kind: str, *, max_list: int = MAX_LIST) -> None:
    """Read the columns of a table, which its first object names, and set its chunks."""
    objects = _listed(source, table, max_list) if kind == "list" else _lines(source, table)
    rows = _rows(objects, table)
    first = next(rows, None)
    if first is None:
        what = "is an empty list" if kind == "list" else "holds only empty lines"
        raise table.error(Fault(1, "", what, _JSON_ADVICE))
    table.form = "a list in JSON" if kind == "list" else "JSON Lines"
    table.chunks = _chunks(chain([first], rows), table)


def _chunks(rows: Iterator[Row], table: Table) -> Generator[Records]:
    for first in rows:
        yield from table.take(chain([first], islice(rows, _BATCH - 1)))


def _rows(objects: Iterable[tuple[int, str, Any]], table: Table) -> Iterator[Row]:
    """Yield the cells of each object, or what is wrong with it; the first names the columns."""
    for line, raw, value in objects:
        found = _keyed(value, line)
        if not table.columns:
            if raw.strip() == "{":
                advice = "save the list of records in it by itself"
                found = Fault(line, "", "is one JSON object over several lines", advice)
            elif not found:
                found = Fault(line, "", "an object without keys", _JSON_ADVICE)
            elif not isinstance(found, Fault) and len(found) > MAX_COLUMNS:
                found = Fault(line, "", f"more than {MAX_COLUMNS:,} keys", "no table has that many")
            if isinstance(found, Fault):
                raise table.error(found)
            table.name_columns(tuple(found), line)
        yield line, found if isinstance(found, Fault) else _cells(found, line, table), raw


def _lines(source: Source, table: Table) -> Iterator[tuple[int, str, Any]]:
    """Yield the number of each line that is not empty, its text, and its value or its fault."""
    for line, raw in enumerate(chain.from_iterable(map(split_lines, source.lines())), 1):
        if not raw.strip():
            table.note("empty line: skipped", line)
        elif sum(map(raw.count, "[{,")) > _MOST_VALUES:
            reason = f"more than {_MOST_VALUES:,} values in it"
            yield line, raw, Fault(line, "", reason, "leave some out")
        else:
            try:
                yield line, raw, _DECODER.decode(raw)
            except (ValueError, RecursionError) as error:
                yield line, raw, _fault(error, line)


def _listed(source: Source, table: Table, max_list: int) -> Iterator[tuple[int, str, Any]]:
    """Yield the line where each object of a list begins, its text, and its value."""
    parts, size = list[str](), 0
    for part in source.texts():
        parts.append(part)
        size += len(part)
        if size > max_list:
            reason = f"a list in JSON of more than {max_list // MEGABYTE} MB"
            raise table.error(Fault(1, "", reason, "save it as JSON Lines, an object in each line"))
    whole, parts = "".join(parts), []
    end, counted, line = whole.index("[") + 1, 0, 1
    comma = ""  # what has to stand before the next object
    while True:
        found = _BETWEEN.match(whole, end)
        mark, start = (found[1], found.end()) if found else ("", end)
        line, counted = line + line_ends(whole[counted:start]), start
        if start == len(whole):
            if mark == "]":
                return
            advice = "copy or download the file again"
            raise table.error(Fault(line, "", "the list is not closed after this line", advice))
        if mark == "]" or mark != comma or whole[start] != "{":
            reason = (
                f"not JSON: '{shown(whole[start : start + 100], 20)}' does not go on with the list"
            )
            raise table.error(Fault(line, "", reason, _JSON_ADVICE))
        try:
            value, end = _DECODER.raw_decode(whole, start)
        except (ValueError, RecursionError) as error:
            raise table.error(_fault(error, getattr(error, "lineno", line))) from error
        comma = ","
        yield line, whole[start:end], value


def _fault(error: Exception, line: int) -> Fault:
    """Return what the decoder says of a value as the fault of a line."""
    if isinstance(error, RecursionError):
        return Fault(line, "", "values nested too deep", "flatten them")
    reason = str(error)
    if isinstance(error, json.JSONDecodeError):
        reason = f"not JSON: {error.msg} at character {error.colno}"
    return Fault(line, "", reason, _JSON_ADVICE)


def _keyed(pairs: Any, line: int) -> dict[str, Any] | Fault:
    """Return an object, or what is wrong with it."""
    if isinstance(pairs, Fault):
        return pairs
    if not isinstance(pairs, tuple):
        what = "a list" if isinstance(pairs, list) else "a single value"
        return Fault(line, "", f"{what} where an object should be", _JSON_ADVICE)
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = shown(next(key for key in keys if keys.count(key) > 1))
        return Fault(line, twice, f"key '{twice}' appears twice", "give each its own")
    return found


def _cells(found: dict[str, Any], line: int, table: Table) -> Sequence[str] | Fault:
    names = table.columns
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
        table.note("null: read as an empty cell", line, empty)
    return undecoded(cells, names, line) or cells


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
