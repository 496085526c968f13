"""TOML files that a user writes, read within limits."""

import re
import tomllib
from pathlib import Path
from typing import Any

from stance.errors import StanceError

MOST_BYTES = 4 * 2**20
"""Far more than any recipe and most actor books have; a model's manifest has room for as much."""

_ENDLESS_KEY = re.compile(r"(?<![^\s.])(?:[^\s.]++[ \t]*+\.[ \t]*+){100}")
"""A key of so many dotted parts, for which `tomllib` takes memory that grows with their square.

The search starts at word beginnings only and never backtracks, so that its own time does not grow
with the square of a word's length.
"""


def read_settings(path: Path, what: str, error: type[StanceError]) -> dict[str, Any]:
    """Read a TOML file; if that fails, raise ``error`` with a line that says ``what`` it is."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as fault:
        raise error(f"{path}: cannot read the {what}: {fault.strerror}") from fault
    if len(data) > MOST_BYTES:
        raise error(f"{path}: more than {MOST_BYTES:,} bytes, too many for a {what}; shorten it")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise error(f"{path}: not UTF-8 at byte {fault.start}; save it as UTF-8") from fault
    return parse_settings(text, str(path), error)


def parse_settings(text: str, name: str, error: type[StanceError]) -> dict[str, Any]:
    """Parse TOML text; ``name`` stands in messages."""
    try:
        if _ENDLESS_KEY.search(text):
            raise RecursionError
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise error(f"{name}: not a TOML file: {fault}") from fault
    except RecursionError:
        raise error(f"{name}: brackets or keys nested without end; write it flat") from None
    except ValueError as fault:  # from Python's limit to the digits of a number
        raise error(f"{name}: a number with too many digits; shorten it") from fault
