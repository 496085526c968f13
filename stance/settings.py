"""Tables from files: TOML that a user writes, read within limits, and checks of what it says.

A check takes a value and the place where it stands, and returns the value fit for use:

>>> weight = number(float, 0, 100)
>>> table(optional={"stem": weight})({"stem": 1}, "blocks")
{'stem': 1.0}
"""

import difflib
import tomllib
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from stance.display import shown
from stance.errors import DataError, StanceError

_LARGEST = 256_000_000  # bytes of a file; summaries of a million files have as many


def read_text(path: Path, what: str, error: type[StanceError] = DataError) -> str:
    """Return the text of a file; if it has none, raise ``error`` with a line of ``what`` it is."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise error(f"{path}: has more than {_LARGEST:,} bytes, too many for a {what}")
        return data.decode("utf-8-sig")
    except OSError as fault:
        advice = "name a file in it" if isinstance(fault, IsADirectoryError) else "check the path"
        raise error(f"{path}: cannot read the {what}: {fault.strerror}; {advice}") from fault
    except UnicodeDecodeError as fault:
        raise error(f"{path}: not UTF-8 at byte {fault.start}; save it as UTF-8") from fault


def read_settings(path: Path, what: str, error: type[StanceError]) -> dict[str, Any]:
    """Read a TOML file, see `read_text`."""
    return parse_settings(read_text(path, what, error), str(path), error)


def parse_settings(text: str, name: str, error: type[StanceError]) -> dict[str, Any]:
    """Parse TOML text; ``name`` stands in messages."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as fault:
        advice = "; quote a name that has spaces" * ("Expected ']'" in str(fault))
        raise error(f"{name}: not a TOML file: {fault}{advice}") from fault


Check = Callable[[Any, str], Any]
Checks = Mapping[str, Check]
_NO_CHECKS: Checks = {}

_KINDS: dict[type, str] = {dict: "a table", list: "a list", str: "a string", bool: "true or false"}
_KINDS |= {int: "a whole number", float: "a number"}


class SchemaError(Exception):
    """A table is not as its schema says; the message lacks the file's name."""


def hint(name: str, known: Sequence[str], otherwise: str = "") -> str:
    """Return what may have been meant by an unknown name.

    >>> hint("classifer", ["features", "classifier"])
    "Did you mean 'classifier'?"
    """
    near = difflib.get_close_matches(name, known, 1)
    return f"Did you mean '{near[0]}'?" if near else otherwise or f"Known: {', '.join(known)}."


def anything(value: Any, _where: str) -> Any:
    """Accept any value."""
    return value


def such(inner: Check, test: Callable[[Any], object], expected: str) -> Check:
    """Return a check that the value also passes a test."""

    def check(value: Any, where: str) -> Any:
        if not test(checked := inner(value, where)):
            raise SchemaError(f"'{where}' must be {expected}, not {_written(value)}")
        return checked

    return check


def _written(value: object) -> str:
    try:
        return shown(repr(value))
    except (ValueError, RecursionError):
        return "a value too long or deep"


def of(kind: type) -> Check:
    """Return a check of a value's type; a whole number is a number, too."""
    wide, odd = {float: (Real, bool), int: (Integral, bool)}.get(kind, (kind, None))  # or numpy's
    return such(anything, lambda v: isinstance(v, wide) and type(v) is not odd, _KINDS[kind])


def number(kind: type, low: float, high: float) -> Check:
    """Return a check of a number, from ``low`` to ``high``."""
    expected = f"between {low:,.15g} and {high:,.15g}"
    inside = such(of(kind), lambda value: low <= value <= high, expected)
    return lambda value, where: kind(inside(value, where))


def one_of(*values: str) -> Check:
    """Return a check of a word that is one of a few."""
    return such(anything, lambda value: value in values, f"one of {', '.join(values)}")


def items(inner: Check) -> Check:
    """Return a check of a list."""
    return lambda value, where: [
        inner(item, f"{where}.{place}") for place, item in enumerate(of(list)(value, where))
    ]


def entries(inner: Check) -> Check:
    """Return a check of a table with any keys."""
    return lambda value, where: {
        key: inner(item, _join(where, key)) for key, item in of(dict)(value, where).items()
    }


def table(
    required: Checks = _NO_CHECKS, optional: Checks = _NO_CHECKS, others: Check | None = None
) -> Check:
    """Return a check of a table with known keys, and others if there is a check of them."""
    known = {**required, **optional}

    def check(value: Any, where: str) -> dict[str, Any]:
        for key in of(dict)(value, where):
            if key not in known and others is None:
                raise SchemaError(f"unknown key '{_join(where, key)}'. {hint(key, tuple(known))}")
        if lacking := [key for key in required if key not in value]:
            raise SchemaError(f"'{_join(where, lacking[0])}' is missing")
        checks = {key: known.get(key, others or anything) for key in value}
        return {key: checks[key](item, _join(where, key)) for key, item in value.items()}

    return check


def _join(where: str, key: str) -> str:
    return f"{where}.{shown(key)}" if where else shown(key)
