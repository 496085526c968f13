"""What is installed here: libraries, extras, the bundled model, and what runs need."""

import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from stance import __version__
from stance.errors import DISTRIBUTION, StanceError

OURS = frozenset({"bench", "docs", "test"})
"""Extras that only work on stance itself needs."""

_REQUIREMENT = re.compile(r"([\w.-]+)[^;]*?>=\s*([\w.]+)[^;]*(?:;.*?extra\s*==\s*[\"']([\w-]+))?")
_SECONDS = 30  # that a process may take to start


@dataclass(frozen=True, slots=True)
class Library:
    """A library that stance, or one of its extras, needs."""

    name: str
    least: str  # the oldest version that will do
    found: str | None  # the version that is installed

    @property
    def lacking(self) -> bool:
        """Whether it is missing or too old."""
        return self.found is None or _numbers(self.found) < _numbers(self.least)


@dataclass(frozen=True, slots=True)
class Installation:
    """What is installed, and what is wrong with it."""

    stance: str  # version
    folder: str
    python: str
    interpreter: str
    system: str
    libraries: tuple[Library, ...]
    extras: dict[str, tuple[Library, ...]]
    model: dict[str, Any] | None  # file, bytes, sha256 and versions; None if there is none
    faults: tuple[str, ...]  # what keeps stance from working, and what to do

    def to_json(self) -> dict[str, Any]:
        """Return all of it as a JSON object; of an extra, also what it lacks."""
        lacking = {
            name: [each.name for each in own if each.lacking] for name, own in self.extras.items()
        }
        return {**asdict(self), "lacking": lacking}


def examine(requirements: Sequence[str] | None = None) -> Installation:
    """Look at what is installed; nothing heavy is loaded but to read the model.

    Parameters
    ----------
    requirements : sequence of str, optional
        Such as ``numpy>=1.26`` or ``pyarrow>=17; extra == "parquet"``; those of the installed
        package if omitted.
    """
    extras: dict[str, list[Library]] = {"": []}
    with suppress(PackageNotFoundError):
        requirements = requires(DISTRIBUTION) if requirements is None else requirements
    for line in requirements or ():
        if found := _REQUIREMENT.match(line):
            name, least, extra = found.groups("")
            extras.setdefault(extra, []).append(Library(name, least, _installed(name)))
    libraries = tuple(extras.pop(""))
    faults = [*_library_faults(libraries), *filter(None, (need() for need in _NEEDS))]
    model, fault = (None, "") if any(each.lacking for each in libraries) else _model()
    return Installation(
        stance=__version__,
        folder=str(Path(__file__).parent),
        python=platform.python_version(),
        interpreter=sys.executable,
        system=platform.platform(),
        libraries=libraries,
        extras={name: tuple(own) for name, own in sorted(extras.items()) if name not in OURS},
        model=model,
        faults=(*faults, *filter(None, [fault])),
    )


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _numbers(text: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", text)[:3]]


def _library_faults(libraries: Sequence[Library]) -> Iterator[str]:
    if not libraries:
        yield "stance runs from a folder that is not installed; run pip install in it"
    for each in libraries:
        if each.lacking:
            found = f"is {each.found}" if each.found else "is not installed"
            yield f"{each.name} {found}; pip install '{each.name}>={each.least}'"


def _model() -> tuple[dict[str, Any] | None, str]:
    """Return what the bundled model is, or what is wrong with it."""
    from stance.storage import bundled_model, load_model, model_hash

    path = bundled_model()
    try:
        card = load_model(path).card
        size, sha256 = path.stat().st_size, model_hash(path)
    except StanceError as error:
        return None, f"{error}; install stance again"
    return {
        "file": str(path),
        "bytes": size,
        "sha256": sha256,
        "versions": card["versions"],
        "data": [{name: each[name] for name in ("name", "rows")} for each in card["data"]],
    }, ""


# --- What runs need of the system -----------------------------------------------------------------


def _lacks_bits() -> str:
    return "" if sys.maxsize > 2**32 else "this Python has 32 bits; install one of 64"


def _lacks_names() -> str:
    found = sys.getfilesystemencoding().lower()
    return "" if found == "utf-8" else f"file names are in {found}; set PYTHONUTF8=1"


def _lacks_folder() -> str:
    """Write and rename a file where temporary files go."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "file"
            file.write_bytes(b"x")
            file.rename(file.with_name("renamed"))
    except OSError as error:
        return f"no temporary file can be written ({error.strerror}); set TMPDIR to a folder"
    return ""


def _lacks_processes() -> str:
    """Start a process as --jobs does."""
    try:
        subprocess.run(
            [sys.executable, "-c", ""], check=True, capture_output=True, timeout=_SECONDS
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return f"'{sys.executable}' cannot be started again, so --jobs 1 is all"
    return ""


def _lacks_store() -> str:
    return "" if find_spec("_sqlite3") else "this Python lacks sqlite3, for stance check and label"


_NEEDS: tuple[Callable[[], str], ...] = (
    _lacks_bits,
    _lacks_names,
    _lacks_folder,
    _lacks_processes,
    _lacks_store,
)
