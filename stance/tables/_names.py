"""What file names say: the fields of a pattern such as ``{outlet}_{date}``."""

import os
import re
from pathlib import Path

from stance.display import shown
from stance.errors import UsageError

_FIELD = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[^\W\d]\w{0,39}")
_TAKEN = frozenset({"text", "file", "document", "paragraph", "row"})
_DATES = (
    r"\d{4}(?P<__sign>[-._ ]?)(?:0\d|1[0-2])(?:(?P=__sign)[0-3]\d)?(?!\d)"  # 2024-03-01, 2024_03
    r"|\d{4}(?!\d)"
    r"|\d{1,2}[-._ ]\d{1,2}[-._ ]\d{4}"
    r"|\d{1,2}[-._ ][A-Za-z]{3,9}[-._ ]\d{4}"
)


def cell_of(path: Path) -> str:
    """Return a path as a cell; bytes that are no characters are escaped."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


class NamePattern:
    """Reads fields out of file names.

    >>> pattern = NamePattern("{outlet}_{date}")
    >>> pattern.read(Path("in/new_york_times_2024-03-01.html"))
    {'outlet': 'new_york_times', 'date': '2024-03-01'}
    >>> pattern.read(Path("in/notes.txt"))
    {'outlet': '', 'date': ''}
    """

    def __init__(self, pattern: str) -> None:
        self.fields = tuple(_FIELD.findall(pattern))
        what = f"--name-pattern '{shown(pattern)}'"
        if set("{}") & set(_FIELD.sub("", pattern)):
            raise UsageError(f"{what}: has a brace without its partner; write {{outlet}}_{{date}}")
        if not self.fields or any(not _NAME.fullmatch(name) for name in self.fields):
            raise UsageError(f"{what}: needs fields in braces, such as {{outlet}}_{{date}}")
        if len(set(self.fields)) < len(self.fields):
            raise UsageError(f"{what}: has a field twice; give each its own name")
        if taken := sorted(_TAKEN & set(self.fields)):
            raise UsageError(f"{what}: '{taken[0]}' is a column already; choose another field")
        if "}{" in pattern:
            raise UsageError(f"{what}: put a sign between two fields, such as _")
        self._depth = pattern.count("/") + 1
        self._forms = tuple(re.compile(_expression(pattern, any_)) for any_ in ("[^/]+?", "[^/]+"))

    def read(self, path: Path) -> dict[str, str]:
        """Return the fields of a name without its ending, as deep as the pattern has folders.

        All are empty if the name does not fit, or fits in more than one way.
        """
        if path.suffix.lower() in (".gz", ".zst"):
            path = path.with_suffix("")
        name = cell_of(Path(*(*path.parent.parts, path.stem)[-self._depth :]))
        first, other = (form.fullmatch(name) for form in self._forms)
        if not first or not other or first.groupdict() != other.groupdict():
            return dict.fromkeys(self.fields, "")
        found = {field: first[field] for field in self.fields}
        if "date" in found:
            found["date"] = found["date"].replace("_", "-")
        return found


def _expression(pattern: str, any_: str) -> str:
    parts = _FIELD.split(pattern)
    for at, part in enumerate(parts):
        form = _DATES if part == "date" else any_
        parts[at] = f"(?P<{part}>{form})" if at % 2 else re.escape(part)
    return "".join(parts)
