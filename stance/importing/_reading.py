"""Files of other programs, read so that every refusal names file, line and key."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from stance.display import count, shown, shown_path
from stance.errors import DataError
from stance.label_values import STANCES
from stance.records import Stance
from stance.tables import Form

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")
_KEY_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Request:
    """What to import, and what the user says of it."""

    source: Path  # a file or a folder
    advice: str  # what to do about a file that is not of the format
    names: Mapping[str, str] = field(default_factory=dict)  # theirs by ours: {"text": "body"}
    labels: Mapping[str, int] = field(default_factory=lambda: STANCES)  # number by spelling
    own: frozenset[str] = frozenset()  # spellings that the user gave, in lower case
    form: Form = field(default_factory=Form)  # of the source, if it is a table

    def name(self, column: str) -> str:
        """Return what the source calls a column of ours."""
        return self.names.get(column, column)

    def ours(self, theirs: str) -> str:
        """Return what we call a column or key of the source."""
        return {name: own for own, name in self.names.items()}.get(theirs, theirs)

    def stance(self, label: str) -> Stance | None:
        """Return the stance that a label spells; None if it is something else."""
        number = self.labels.get(label.strip().lower())
        return None if number is None else tuple(Stance)[number]


@dataclass(slots=True)
class Notes:
    """What a user must know about an import: lines, and counts of what is left out."""

    lines: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)  # that spell no stance

    def told(self) -> list[str]:
        """Return all of it as lines."""
        told = [*self.lines]
        if self.left_out:
            parts = [count(number, what) for what, number in self.left_out.most_common()]
            told.append(f"left out: {', '.join(parts)}")
        if self.labels:
            told.append(f"labels that are not stances: {self.labelled()}; see --labels")
        return told

    def labelled(self) -> str:
        """Return the most frequent labels that spell no stance."""
        met = self.labels.most_common(8)
        more = " …" if len(self.labels) > len(met) else ""
        return ", ".join(f"'{shown(label, 30)}' {number:,}" for label, number in met) + more


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a JSON file that knows where it stands."""

    value: Any
    where: str  # file:line
    advice: str
    key: str = ""  # path from the top, such as targets[0].from

    def fault(self, what: str, advice: str = "") -> DataError:
        """Return an error about this value, with the advice for its format if there is no other."""
        key = f"{shown(self.key, _KEY_SHOWN)} " if self.key else ""
        return DataError(f"{self.where}: {key}{what}; {advice or self.advice}")

    def __getitem__(self, key: str) -> Self:
        found = self.get(key)
        if found is None:
            raise self.fault(f"has no key '{shown(key)}'")
        return found

    def get(self, key: str) -> Self | None:
        """Return the value of a key of an object; None if it has none, or null."""
        value = self._typed(dict, "an object").get(key)
        return None if value is None else self._inside(value, f".{key}" if self.key else key)

    def fields(self) -> dict[str, Self]:
        """Return the values of an object by key, but null."""
        pairs = self._typed(dict, "an object").items()
        inner = ((key, self._inside(each, f".{key}" if self.key else key)) for key, each in pairs)
        return {key: node for key, node in inner if node.value is not None}

    def items(self) -> list[Self]:
        """Return the values of a list."""
        values = self._typed(list, "a list")
        return [self._inside(value, f"[{at}]") for at, value in enumerate(values)]

    def text(self) -> str:
        """Return a text."""
        return str(self._typed(str, "a text"))

    def scalar(self) -> str:
        """Return a text or a number as a text."""
        if isinstance(self.value, (dict, list)) or self.value is None:
            raise self.fault(f"is {_kind(self.value)}, not a text")
        if isinstance(self.value, str):
            return self.value
        return json.dumps(self.value)

    def number(self) -> float:
        """Return a number."""
        if isinstance(self.value, bool) or not isinstance(self.value, (int, float)):
            raise self.fault(f"is {_kind(self.value)}, not a number")
        try:
            return float(self.value)
        except OverflowError as error:
            raise self.fault("is too large a number") from error

    def whole(self) -> int:
        """Return a whole number."""
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            raise self.fault(f"is {_kind(self.value)}, not a whole number")
        return self.value

    def _typed(self, kind: type, name: str) -> Any:
        if not isinstance(self.value, kind):
            raise self.fault(f"is {_kind(self.value)}, not {name}")
        return self.value

    def _inside(self, value: Any, step: str) -> Self:
        return type(self)(value, self.where, self.advice, self.key + step)


def _kind(value: object) -> str:
    kinds: dict[type, str] = {dict: "an object", list: "a list", str: "a text", type(None): "null"}
    kinds |= {bool: "true or false", int: "a number", float: "a number with a fraction"}
    return kinds.get(type(value), "something else")


def read_text(path: Path) -> str:
    """Return the text of a file, its line ends as they are."""
    name = shown_path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{name}: cannot be read ({error.strerror}); check the path") from error
    if data.startswith(b"PK\3\4"):
        raise DataError(f"{name}: is a zip archive; unpack it, and name a file or the folder")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line, at = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        what = f"not UTF-8 at byte {at} of the line"
        advice = "download the file again, or save it as UTF-8"
        raise DataError(f"{name}:{line}: {what}; {advice}") from error


def json_items(path: Path, advice: str) -> Iterator[Node]:
    """Yield the values of a file of JSON Lines, or of one list, one after the other."""
    name, text = shown_path(path), read_text(path).removeprefix("\ufeff")
    at = _after_space(text, 0)
    if text.startswith("[", at):
        yield from _listed(text, at + 1, name, advice)
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            begin = _after_space(line, 0)
            value, end = _decoded(line, begin, f"{name}:{number}", advice)
            if line[end:].strip():
                place = f"{name}:{number}"
                raise DataError(f"{place}: not JSON at column {end + 1}; {advice}")
            yield Node(value, f"{name}:{number}", advice)


def json_object(path: Path, advice: str) -> Node:
    """Return the one value of a JSON file."""
    name = shown_path(path)
    value = decode(read_text(path).removeprefix("\ufeff"), name, advice)
    return Node(value, name, advice)


def decode(text: str, where: str, advice: str) -> Any:
    """Return the one value of some JSON."""
    value, end = _decoded(text, _after_space(text, 0), where, advice)
    if text[end:].strip():
        line = text.count("\n", 0, end) + 1
        raise DataError(f"{where}: goes on after JSON, in line {line}; {advice}")
    return value


def _listed(text: str, at: int, name: str, advice: str) -> Iterator[Node]:
    line, counted = 1, 0
    at = _after_space(text, at)
    while not text.startswith("]", at):
        line, counted = line + text.count("\n", counted, at), at
        value, at = _decoded(text, at, name, advice)
        yield Node(value, f"{name}:{line}", advice)
        at = _after_space(text, at)
        if text.startswith(",", at):
            at = _after_space(text, at + 1)
        elif not text.startswith("]", at):
            line += text.count("\n", counted, at)
            raise DataError(f"{name}:{line}: the list is not closed here; {advice}")
    if text[at + 1 :].strip():
        line += text.count("\n", counted, at)
        raise DataError(f"{name}:{line}: goes on after the list; {advice}")


def _decoded(text: str, at: int, where: str, advice: str) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except json.JSONDecodeError as error:
        line = "" if error.lineno == 1 else f"line {error.lineno}, "
        raise DataError(f"{where}: not JSON at {line}column {error.colno}; {advice}") from error
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits, 10,000 brackets
        raise DataError(f"{where}: too long or too deep for JSON; {advice}") from error


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def files_in(source: Path, suffix: str) -> list[Path]:
    """Return the files of a folder and its folders with an ending, sorted; or the one named.

    Hidden ones do not count: editors and archives leave copies under such names.
    """
    if not source.is_dir():
        return [source]
    name = shown_path(source)
    try:
        found = sorted(path for path in source.rglob(f"*{suffix}") if path.is_file())
    except OSError as error:
        raise DataError(f"{name}: cannot be read ({error.strerror}); check the path") from error
    inside = [path.relative_to(source).parts for path in found]
    hidden = [any(part.startswith(".") for part in parts) for parts in inside]
    found = [path for path, skipped in zip(found, hidden, strict=True) if not skipped]
    if not found:
        raise DataError(f"{name}: has no file *{suffix} in it; check the folder")
    return found
