"""Looks at single values of a manifest, each with its refusal."""

from collections.abc import Mapping, Sequence
from typing import Any

from stance.display import shown
from stance.storage.archive import refusal

Table = Mapping[str, Any]


def wrong(where: str, found: object, expected: str) -> Exception:
    """Return the refusal of a value."""
    return refusal(f"its manifest has {where} = {shown(repr(found))}, not {expected}")


def get(table: Table, key: str, kind: type, where: str = "") -> Any:
    """Return a value of a table after a look at its type; whole numbers also pass as float."""
    if key not in table:
        raise refusal(f"its manifest lacks '{where}{key}'")
    value = table[key]
    if kind is object:
        return value
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        names = {dict: "a table", list: "a list", str: "a string", int: "a whole number",
                 float: "a number", bool: "true or false"}  # fmt: skip
        raise wrong(where + key, value, names[kind])
    return value


def between(table: Table, key: str, low: int, high: int, where: str) -> int:
    """Return a whole number of a table, from ``low`` to ``high``."""
    value: int = get(table, key, int, where)
    if not low <= value <= high:
        raise wrong(where + key, value, f"between {low} and {high:,}")
    return value


def only(table: Table, known: Sequence[str], where: str) -> None:
    """Refuse a table with other keys than these."""
    if strange := [key for key in table if key not in known]:
        raise refusal(f"its manifest has an unknown key '{where}{shown(strange[0])}'")


def share(table: Table, key: str, where: str, least: float = 0.0) -> float:
    """Return a number of a table, from ``least`` to 1."""
    value: float = get(table, key, float, where)
    if not least <= value <= 1:
        raise wrong(where + key, table[key], f"between {least:g} and 1")
    return value


def shares(table: Table, key: str, where: str, most: int) -> list[float]:
    """Return a list of one to ``most`` numbers from 0 to 1."""
    values: list[Any] = get(table, key, list, where)
    if not 1 <= len(values) <= most:
        raise wrong(where + key, values, f"one to {most} numbers")
    named = {str(number): value for number, value in enumerate(values)}
    return [share(named, name, f"{where}{key}.") for name in named]


def interval(table: Table, key: str, where: str) -> None:
    """Refuse what is no pair of a lower and an upper bound from 0 to 1."""
    bounds = shares(table, key, where, 2)
    if len(bounds) < 2 or bounds[0] > bounds[1]:
        raise wrong(where + key, table[key], "a lower and an upper bound")
