"""Records of JSON: an object in each line, or a list of objects, all with the same keys."""

import json
import re
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from itertools import chain, dropwhile
from typing import Any, Literal

from stance.display import shown
from stance.errors import DataError
from stance.tables._bytes import JSON_NAMES, MEGABYTE
from stance.tables._oddities import name_columns, too_long, undecoded
from stance.tables._reading import MAX_COLUMNS, Fault, Journal, Records, Value, judged, together
from stance.tables._sources import MAX_LINE, Source

_STRINGS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?')
_MARK = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?P<end>")?|[][{}]', re.DOTALL)
_LONG = 64 * 1024  # only beyond this can nested values take much memory
_MOST_VALUES = 200_000  # in a record, which take much more memory than their text
_JSON_ADVICE = "write one JSON object in each line, or a list of them: [{...}, {...}]"
_VALUE_ADVICE = "save it as JSON again"


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


def read_json(source: Source, journal: Journal, kind: str) -> Generator[Records]:
    """Return the good records in order, some at a time; the first object names the columns."""
    blocks = _listed(source) if kind == "list" else _numbered_lines(source)
    for lines in blocks:
        if first := list(dropwhile(lambda line: _is_empty(*line, journal), lines)):
            break
    else:
        what = "is an empty list" if kind == "list" else "holds only empty lines"
        raise DataError(f"{source.name}:1: {what}; {_JSON_ADVICE}")
    line, raw = first[0]
    if raw.strip() == "{":
        what = "is one JSON object over several lines"
        raise DataError(f"{source.name}:{line}: {what}; save the list of records in it by itself")
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
    return (block for lines in rest for block in together(judged(_rows(lines, journal), journal)))


def _numbered_lines(source: Source) -> Iterator[list[tuple[int, str]]]:
    for block in source.blocks():
        lines = list(enumerate(block.lines, source.line))
        source.line += len(lines)
        yield lines


class _List:
    """The objects of one list, cut out of a text that comes in pieces."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._text, self._at = "", 0  # what is not yet cut off, and up to where it is searched
        self._from = 0  # where an object, or what stands between two, begins
        self._line, self._counted = 1, 0  # the line there, and where it is counted
        self._depth, self._objects, self._closed = 0, 0, False
        self._enough = 0  # characters with which a long string is searched for its end again

    def cut(self, more: str, *, last: bool = False) -> Iterator[tuple[int, str]]:
        """Yield the objects that end in a further piece, with the lines where they begin."""
        self._text += more
        if len(self._text) < self._enough and not last:
            return
        whole = end = len(self._text)
        for found in _MARK.finditer(self._text, self._at):
            mark, at = found.group(), found.start()
            if mark[0] == '"' and not found["end"]:
                end = at  # it goes on in the next piece
                break
            if mark in "[{":
                self._open(mark, at)
            elif mark in "]}":
                yield from self._close(mark, at)
        self._move_on(self._from)
        self._text, self._at = self._text[self._from :], end - self._from
        self._from = self._counted = 0
        self._enough = 2 * len(self._text) if end < whole else 0
        if len(self._text) > MAX_LINE:
            what = f"an object of more than {MAX_LINE // MEGABYTE} MB"
            raise DataError(f"{self._name}:{self._line}: {what}; leave something out of it")

    def end(self) -> None:
        """Raise if the list is not closed, or something follows it."""
        if not self._closed:
            why = "the list is not closed after this line; copy or download the file again"
            raise DataError(f"{self._name}:{self._line}: {why}")
        self._check(len(self._text), "")

    def _open(self, mark: str, at: int) -> None:
        if self._depth == 1:
            self._check(at, "," if self._objects else "")
            self._objects += 1
            self._from = at
        elif self._depth == 0:
            self._check(at, "")
            if mark == "{" or self._closed:
                self._check(at + 1, "")
            self._from = at + 1
        self._depth += 1

    def _close(self, mark: str, at: int) -> Iterator[tuple[int, str]]:
        self._depth -= 1
        if self._depth == 1:
            yield self._move_on(self._from), self._text[self._from : at + 1]
            self._from = at + 1
        elif self._depth < 1:
            self._check(at if mark == "]" and not self._depth else at + 1, "")
            self._from, self._closed = at + 1, True

    def _move_on(self, at: int) -> int:
        """Return the line of a place, after which no earlier one is asked for."""
        self._line += self._text.count("\n", self._counted, at)
        self._counted = at
        return self._line

    def _check(self, at: int, wanted: str) -> None:
        """Raise if anything but what is wanted stands between two objects."""
        found = self._text[self._from : at].strip()
        if found != wanted:
            what = f"'{shown(found, 20)}' where {repr(wanted) if wanted else 'an object'} should be"
            where = f"{self._name}:{self._move_on(self._from)}"
            raise DataError(f"{where}: not JSON: {what}; {_JSON_ADVICE}")


def _listed(source: Source) -> Iterator[list[tuple[int, str]]]:
    objects = _List(source.name)
    for text in source.texts():
        yield list(objects.cut(text))
    yield list(objects.cut("", last=True))
    objects.end()


def _is_empty(line: int, raw: str, journal: Journal) -> bool:
    if raw.strip():
        return False
    journal.note("empty line: skipped", line)
    return True


def _rows(
    lines: Iterable[tuple[int, str]], journal: Journal
) -> Iterator[tuple[int, Sequence[str] | Fault, str]]:
    for line, raw in lines:
        if not _is_empty(line, raw, journal):
            found = _parsed(raw, line)
            yield line, found if isinstance(found, Fault) else _cells(found, line, journal), raw


def _parsed(raw: str, line: int) -> dict[str, Any] | Fault:
    """Return the object that a line holds, with numbers as texts, or what is wrong."""
    if len(raw) > _LONG and (fault := _deep(raw, line)):
        return fault
    try:
        pairs = _DECODER.decode(raw)
    except _ConstantError as error:
        return Fault(line, "", str(error), _VALUE_ADVICE)
    except json.JSONDecodeError as error:
        reason = f"not JSON: {error.msg} at character {error.pos + 1}"
        return Fault(line, "", reason, _JSON_ADVICE)
    except RecursionError:
        return Fault(line, "", "values nested too deep", "flatten them")
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
    if sum(map(marks.count, "[{,")) > _MOST_VALUES:
        return Fault(line, "", f"more than {_MOST_VALUES:,} values in it", "leave some out")
    return None


def _too_many(line: int) -> Fault:
    return Fault(line, "", f"more than {MAX_COLUMNS:,} keys", "no table has that many")


def _cells(found: dict[str, Any], line: int, journal: Journal) -> list[str] | Fault:
    names = journal.columns
    if found.keys() != set(names):
        return _other_keys(found, names, line)
    cells = []
    for name in names:
        try:
            cell = _cell(found[name])
        except RecursionError:
            return Fault(line, name, "values nested too deep", "flatten them")
        if found[name] is None:
            journal.note("null: read as an empty cell", line)
        cells.append(cell)
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


def _other_keys(found: Collection[str], names: Collection[str], line: int) -> Fault:
    missing = [shown(name) for name in names if name not in found][:1]
    added = [shown(name) for name in found if name not in names][:1]
    parts = [*(f"no key '{key}'" for key in missing), *(f"a new key '{key}'" for key in added)]
    advice = "give every line the keys of the first"
    return Fault(line, (missing + added)[0], " and ".join(parts), advice)


def _kind(value: object) -> str:
    kinds: dict[type, str] = {tuple: "an object", list: "a list"}
    return kinds.get(type(value), "a single value")
