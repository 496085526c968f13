"""Files of other programs read and checked, and the corpus rows made of them."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from stance.display import count, shown, shown_path
from stance.errors import DataError
from stance.label_values import LONGEST_HOLDER, STANCES
from stance.reading.spans import parse_spans
from stance.records import Stance
from stance.tables import Form

Row = dict[str, str]
"""Cells by column of a corpus; a column without a cell is empty."""
Rows = Iterator[Row]
Item = Mapping[str, Any]
"""An object of JSON."""

_CONTROL = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")  # as `train` refuses
_UNFIT = re.compile("[\0\ud800-\udfff]")
_NAMES = ("actor", "holder", "coder", "source", "genre")


@dataclass(slots=True)
class Import:
    """One import: what the user asks for, and what the user must be told of it."""

    source: Path  # a file or a folder
    advice: str  # what to do about a file that is not of the format
    names: Mapping[str, str]  # theirs by ours: {"text": "body"}
    known: Mapping[str, int]  # number of a stance by its spelling
    form: Form  # of the source, if it is a table
    notes: list[str]
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)  # a noun, and what of it
    cleaned: int = 0  # names with control characters
    unknown: Counter[str] = field(default_factory=Counter)  # labels that are not stances
    read_as: dict[str, Stance] = field(default_factory=dict)  # labels that are

    def fault(self, where: str, what: str, advice: str = "") -> DataError:
        """Return an error about a place in a file, with the advice for the format."""
        return DataError(f"{where}: {what}; {advice or self.advice}")

    def skip(self, noun: str, which: str = "") -> None:
        """Count something left out, such as a text, and which kind it is, "without a stance"."""
        self.left_out[noun, which] += 1

    def spells(self, label: str) -> Stance | None:
        """Return the stance that a label spells."""
        number = self.known.get(label.strip().lower())
        return None if number is None else tuple(Stance)[number]

    def stance(self, where: str, labels: Sequence[str]) -> Stance | None:
        """Return the stance among some labels; count them if there is none, raise if two."""
        found = {label: stance for label in labels if (stance := self.spells(label))}
        stances = list(dict.fromkeys(found.values()))
        if len(stances) > 1:
            raise DataError(f"{where}: has two stances, {' and '.join(stances)}; keep one")
        self.unknown.update([] if stances else labels)
        self.read_as |= found
        return stances[0] if stances else None

    def told(self) -> Iterator[str]:
        """Yield what the user must be told."""
        yield from self.notes
        if odd := sorted({f"{shown(a, 30)} -> {b}" for a, b in self.read_as.items() if a != b}):
            yield f"stance labels read as {', '.join(odd)}"
        if self.cleaned:
            names = count(self.cleaned, "name")
            yield f"{names} had control characters, which are left out"
        if self.left_out:
            most = self.left_out.most_common()
            parts = (f"{count(n, noun)} {which}".strip() for (noun, which), n in most)
            yield f"left out: {', '.join(parts)}"
        if self.unknown:
            yield f"labels that are not stances: {self.unknown_labels()}; see --labels"

    def unknown_labels(self) -> str:
        """Return the most frequent labels that are not stances."""
        met = self.unknown.most_common(8)
        more = " …" if len(self.unknown) > len(met) else ""
        return ", ".join(f"'{shown(label, 30)}' {number:,}" for label, number in met) + more

    def row(self, where: str, given: Mapping[str, str]) -> Row:
        """Return a row of a corpus; raise `DataError` if a cell cannot stand in one."""
        cells = dict(given)
        for name in filter(cells.get, _NAMES):
            has_control = _CONTROL.search(cells[name]) is not None
            self.cleaned += has_control
            if has_control or name in ("holder", "coder"):
                cells[name] = " ".join(_CONTROL.sub(" ", cells[name]).split())
        for name, cell in cells.items():
            if _UNFIT.search(name + cell):
                what = "holds a NUL character or half a character (a lone surrogate)"
                raise DataError(f"{where}: {shown(name, 30)} {what}; correct it")
            if name in ("holder", "coder") and not (
                cell.isprintable() and len(cell) <= LONGEST_HOLDER
            ):
                raise DataError(f"{where}: {name} '{shown(cell)}' is not a name; correct it")
        parse_spans(cells.get("spans", ""), cells["text"], where)  # raises
        if not cells["actor"].strip():
            raise DataError(f"{where}: the actor is empty; name the actor of the stance")
        return {name: cell for name, cell in cells.items() if cell or name not in _NAMES}

    def pair(self, where: str, cells: Row, labels: Sequence[str]) -> Rows:
        """Yield the row of a text and an actor, if some labels hold a stance."""
        stance = self.stance(where, labels)
        if stance is not None:
            yield self.row(where, {**cells, "stance": stance})

    def rows(self, cells: Row, places: Iterable["Place"]) -> Rows:
        """Yield a row for each actor, stance and holder that some places of a text share."""
        shared: dict[tuple[str, ...], list[Place]] = {}
        for place in places:
            stance = self.stance(place.where, place.labels)
            actor = " ".join((place.actor or cells["text"][place.start : place.end]).split())
            if stance is not None:
                shared.setdefault((actor, stance, place.holder), []).append(place)
        for (actor, said, holder), own in shared.items():
            spans = joined({(place.start, place.end) for place in own})
            row = {"actor": actor, "spans": spans, "stance": said, "holder": holder}
            yield self.row(own[0].where, {**cells, **row})


@dataclass(frozen=True, slots=True)
class Format:
    """A format that can be imported."""

    read: Callable[[Import], Rows]
    advice: str = "name a file of the set, such as train.csv"  # about what is not of the format
    notes: tuple[str, ...] = ()  # what a user must know of every corpus in it
    known: Mapping[str, int] = field(default_factory=lambda: STANCES)  # number by spelling
    mapped: bool = False  # whether --map applies
    tabular: bool = False  # whether its files are tables


@dataclass(slots=True)
class Place:
    """A place in a text that names an actor, and the labels on it."""

    where: str  # file and line, for messages
    start: int  # in characters (code points)
    end: int  # exclusive
    labels: list[str]
    actor: str = ""  # what the place says if empty
    holder: str = ""


def joined(places: set[tuple[int, int]]) -> str:
    """Return places as a cell of the column spans.

    >>> joined({(9, 13), (0, 4)})
    '0:4;9:13'
    """
    return ";".join(f"{start}:{end}" for start, end in sorted(places))


def paragraph_around(text: str, start: int, end: int) -> tuple[str, int]:
    r"""Return the line, or the lines, around a place, and where it begins.

    >>> paragraph_around("One.\n\nNATO met.\n", 6, 10)
    ('NATO met.', 6)
    """
    low = text.rfind("\n", 0, start) + 1
    high = text.find("\n", end)
    line = text[low : len(text) if high < 0 else high]
    begin = low + len(line) - len(line.lstrip("\ufeff \t\r"))
    return line.strip("\ufeff \t\r"), begin


# --- Files -----------------------------------------------------------------------------------


def read_text(path: Path) -> str:
    """Return the text of a file, its line ends as they are."""
    name = shown_path(path)
    try:
        data = path.read_bytes()
        if data.startswith(b"PK\3\4"):
            raise DataError(f"{name}: is a zip archive; unpack it, and name a file or the folder")
        return data.decode()
    except OSError as error:
        raise DataError(f"{name}: cannot be read ({error.strerror}); check the path") from error
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line, at = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        what = f"not UTF-8 at byte {at} of the line"
        advice = "download the file again, or save it as UTF-8"
        raise DataError(f"{name}:{line}: {what}; {advice}") from error


def files_in(source: Path, ending: str) -> list[Path]:
    """Return the files of a folder and its folders with an ending, sorted; or the one named.

    Hidden ones do not count: editors and archives leave copies under such names.
    """
    if not source.is_dir():
        return [source]
    found = sorted(path for path in source.rglob(f"*{ending}") if path.is_file())
    inside = ((path, path.relative_to(source).parts) for path in found)
    found = [path for path, parts in inside if not any(part.startswith(".") for part in parts)]
    if not found:
        raise DataError(f"{shown_path(source)}: has no file *{ending} in it; check the folder")
    return found


def read_json(shape: Any, path: Path, job: Import) -> Iterator[tuple[str, Any]]:
    """Yield the values of JSON Lines or of one list, and where each stands, if they fit a shape."""
    name, text = shown_path(path), read_text(path).removeprefix("\ufeff")
    is_list = text.lstrip().startswith("[")
    for number, line in enumerate([text] if is_list else text.split("\n"), 1):
        found = [_decoded(line, name, number, job)] if line.strip() else []
        for at, value in enumerate(found[0] if is_list else found, 1):
            where = f"{name}: item {at:,}" if is_list else f"{name}:{number}"
            yield where, checked(shape, value, partial(job.fault, where))


def read_object(shape: Any, path: Path, job: Import) -> Any:
    """Return the one value of a JSON file, if it fits a shape."""
    name = shown_path(path)
    value = _decoded(read_text(path).removeprefix("\ufeff"), name, 1, job)
    return checked(shape, value, partial(job.fault, name))


def _decoded(text: str, name: str, line: int, job: Import) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"{name}:{line + error.lineno - 1}"
        raise job.fault(where, f"not JSON at column {error.colno}") from error
    except (ValueError, RecursionError) as error:  # 5,000 digits, 10,000 brackets
        raise job.fault(f"{name}:{line}", "too long or too deep for JSON") from error


# --- Shapes ----------------------------------------------------------------------------------


class Scalar(str):
    """In a shape: a text, or a number that is read as a text."""


_KINDS = {dict: "an object", list: "a list", str: "a text", int: "a whole number"}


def checked(shape: Any, value: Any, fault: Callable[[str], Exception], key: str = "") -> Any:
    """Return a value of JSON without what its shape does not have; raise if it does not fit.

    A shape is a type, the choices in a tuple, a list of one shape, or an object of shapes by key:
    ``name?`` may be missing or null, and ``*`` stands for any keys.

    >>> checked({"to": int, "sign": (1, -1), "note?": str}, {"to": 4, "sign": 1}, ValueError)
    {'to': 4, 'sign': 1}
    """
    if shape is object:
        return value
    if isinstance(shape, tuple):
        if isinstance(value, bool) or value not in shape:
            raise fault(f"{key} is '{shown(str(value))}', not {' or '.join(map(str, shape))}")
        return value
    kind: Any = type(shape) if isinstance(shape, (dict, list)) else shape
    if shape is Scalar:
        kind, value = str, json.dumps(value) if isinstance(value, (int, float)) else value
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise fault(f"{shown(key, 80)} is not {_KINDS[kind]}".lstrip())
    if kind is list:
        return [checked(shape[0], own, fault, f"{key}[{at}]") for at, own in enumerate(value)]
    if kind is not dict:
        return value
    given = {name: own for name, own in dict(value).items() if own is not None}
    if "*" in shape:
        return {name: checked(shape["*"], given[name], fault, f"{key}.{name}") for name in given}
    if missing := [name for name in shape if name[-1] != "?" and name not in given]:
        raise fault(f"{shown(key, 80)} has no key '{missing[0]}'".lstrip())
    names = {name: name.removesuffix("?") for name in shape if name.removesuffix("?") in given}
    below = f"{key}." if key else ""
    return {own: checked(shape[n], given[own], fault, below + own) for n, own in names.items()}
