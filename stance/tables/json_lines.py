"""Records of JSON: an object in each line, or a list of objects, all with the same keys."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Literal

from stance.display import shown
from stance.tables.sources import JSON_NAMES, MEGABYTE, Source, split_lines
from stance.tables.table import Fault, Row, Table, Value, as_json

_LONGEST_LIST = 256 * MEGABYTE  # characters of a list, which is read into memory
_ADVICE = "write one JSON object in each line, or a list of them: [{...}, {...}]"


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


def read_json(source: Source, table: Table, kind: str) -> None:
    """Read the columns of a table, which its first object names, and set its chunks."""
    rows = _rows(source, table, kind)
    first = next(rows, None)
    if first is None:
        what = "is an empty list" if kind == "list" else "holds only empty lines"
        raise table.error(Fault(1, "", what, _ADVICE))
    table.form = "a list in JSON" if kind == "list" else "JSON Lines"
    table.chunks = table.take(chain([first], rows))


def _rows(source: Source, table: Table, kind: str) -> Iterator[Row]:
    """Yield the cells of each object, or what is wrong with it; the first names the columns.

    In messages about a list, a line is a record.
    """
    if kind == "list":
        text = source.whole(_LONGEST_LIST, "save it as JSON Lines, an object in each line")
        values = _decoded(text, 1)
        if isinstance(values, Fault):
            raise table.error(values)
    else:
        values = chain.from_iterable(map(split_lines, source.lines()))
    for line, value in enumerate(values, 1):
        raw = value if kind == "lines" else ""
        if raw and not raw.strip():
            table.note("empty line: skipped", line)
            continue
        value = _decoded(raw.rstrip(), line) if raw else value
        cells = value if isinstance(value, Fault) else _cells(value, line, table)
        if isinstance(cells, Fault) and not table.columns:
            raise table.error(cells)
        yield line, cells, raw or (_written(value) if isinstance(cells, Fault) else "")


def _decoded(text: str, line: int) -> Any:
    """Return the value of some JSON, or its fault."""
    try:
        return _DECODER.decode(text)
    except RecursionError:
        return Fault(line, "", "values nested too deeply", "flatten them")
    except json.JSONDecodeError as error:
        reason = f"not JSON: {error.msg} at character {error.colno}"
        return Fault(line + error.lineno - 1, "", reason, _ADVICE)
    except ValueError as error:
        return Fault(line, "", str(error), _ADVICE)


def _cells(pairs: Any, line: int, table: Table) -> Sequence[str] | Fault:
    """Return an object as cells: texts as they are, anything else as it is written in JSON."""
    if not isinstance(pairs, tuple) or not pairs:
        kind = "a list" if isinstance(pairs, list) else "a single value"
        what = "an object without keys" if pairs == () else f"{kind} where an object should be"
        return Fault(line, "", what, _ADVICE)
    item: dict[str, Any] = dict(pairs)
    if len(item) < len(pairs):
        key = Counter(key for key, _ in pairs).most_common(1)[0][0]
        return Fault(line, key, f"key '{shown(key)}' appears twice", "give each its own")
    if not table.columns:
        table.name_columns(tuple(item), line)
    names = table.columns
    if item.keys() != set(names):
        parts = [f"no key '{shown(name)}'" for name in names if name not in item][:1]
        parts += [f"a new key '{shown(name)}'" for name in item if name not in names][:1]
        return Fault(line, "", " and ".join(parts), "give every line the keys of the first")
    values = [item[name] for name in names]
    if empty := values.count(None):
        table.note("null: read as an empty cell", line, empty)
    try:
        return [
            value if isinstance(value, str) else Value("" if value is None else _written(value))
            for value in values
        ]
    except RecursionError:
        return Fault(line, "", "values nested too deeply", "flatten them")


def _written(value: Any) -> str:
    if isinstance(value, tuple):  # an object
        pairs = (f"{_written(key)}: {_written(inner)}" for key, inner in value)
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    return as_json(value) if isinstance(value, str) else json.dumps(value)
