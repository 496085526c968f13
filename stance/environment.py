"""What is installed here: libraries, extras, the bundled model, and what runs need."""

import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from stance import __version__
from stance.display import count, shown
from stance.errors import DISTRIBUTION, StanceError
from stance.screens import Figures, paragraphs, stacked, wrap

OURS = frozenset({"bench", "docs", "test"})
"""Extras that only work on stance itself needs."""

Library = dict[str, Any]  # name, least (the oldest version that will do), found (or None)

_REQUIREMENT = re.compile(r"([\w.-]+)[^;]*?>=\s*([\w.]+)[^;]*(?:;.*?extra\s*==\s*[\"']([\w-]+))?")
_SECONDS = 30  # that a process may take to start
_LONGEST = 700  # characters of a path that are shown
_INDENT = " " * 11


def check_environment(requirements: Sequence[str] | None = None) -> dict[str, Any]:
    """Return what is installed and what is wrong with it, fit for JSON.

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
        if match := _REQUIREMENT.match(line):
            name, least, extra = match.groups("")
            library = {"name": name, "least": least, "found": _installed(name)}
            extras.setdefault(extra, []).append(library)
    libraries = extras.pop("")
    extras = {name: own for name, own in sorted(extras.items()) if name not in OURS}
    faults = [*_library_faults(libraries), *_system_faults()]
    model = None
    if not any(map(_is_lacking, libraries)):
        try:
            model = _bundled_model()
        except StanceError as error:
            faults.append(f"{error}; install stance again")
    return {
        "stance": __version__,
        "folder": str(Path(__file__).parent),
        "python": platform.python_version(),
        "interpreter": sys.executable,
        "system": platform.platform(),
        "libraries": libraries,
        "extras": extras,
        "model": model,
        "faults": faults,
        "lacking": {
            name: [library["name"] for library in own if _is_lacking(library)]
            for name, own in extras.items()
        },
    }


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _is_lacking(library: Library) -> bool:
    """Return whether a library is missing or too old."""
    found, least = (
        [int(part) for part in re.findall(r"\d+", library[key] or "")[:3]]
        for key in ("found", "least")
    )
    return found < least


def _library_faults(libraries: Sequence[Library]) -> Iterator[str]:
    if not libraries:
        yield "stance runs from a folder and is not installed; run pip install in that folder"
    for library in filter(_is_lacking, libraries):
        name, least, found = library["name"], library["least"], library["found"]
        yield (f"{name} is {found or 'not installed'}; pip install '{name}>={least}'")


def _system_faults() -> Iterator[str]:
    if sys.maxsize <= 2**32:
        yield "this Python has 32 bits; install one with 64 bits"
    if (names := sys.getfilesystemencoding().lower()) != "utf-8":
        yield f"file names are in {names}; set PYTHONUTF8=1"
    if not find_spec("_sqlite3"):
        yield "this Python lacks sqlite3, which stance label needs"
    try:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "file"
            file.write_bytes(b"x")
            file.rename(file.with_name("renamed"))
    except OSError as error:
        yield f"no temporary file can be written ({error.strerror}); set TMPDIR to a folder"
    try:
        subprocess.run(
            [sys.executable, "-c", ""], check=True, capture_output=True, timeout=_SECONDS
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        yield f"'{sys.executable}' cannot be started again, so only --jobs 1 works"


def _bundled_model() -> dict[str, Any]:
    from stance.storage import bundled_model, load_model, model_hash

    path = bundled_model()
    card = load_model(path).card
    return {
        "file": str(path),
        "bytes": path.stat().st_size,
        "sha256": model_hash(path),
        "versions": card["versions"],
        "data": [{name: source[name] for name in ("name", "rows")} for source in card["data"]],
    }


def environment_lines(figures: Figures) -> list[str]:
    """Return the lines about what is installed, and what is missing."""
    programs = [
        f"stance {figures['stance']}, in {shown(figures['folder'], _LONGEST)}",
        f"Python {figures['python']}, {shown(figures['interpreter'], _LONGEST)}",
        figures["system"],
    ]
    libraries = wrap(_versions(figures["libraries"]), "libraries  ", _INDENT)
    extras = ["extras"]
    for name, own in figures["extras"].items():
        missing = " ".join(f"'{lib['name']}>={lib['least']}'" for lib in filter(_is_lacking, own))
        advice = f"; for it: pip install {missing}" if missing else ""
        extras += wrap(_versions(own) + advice, f"  {name:<9}", _INDENT)
    faults = paragraphs(figures["faults"], "fault  ", " " * 7)
    verdict = faults or ["nothing is missing that stance needs"]
    return stacked([programs, libraries, extras, _model_lines(figures["model"]), verdict])


def _versions(libraries: Sequence[Library]) -> str:
    return ", ".join(f"{library['name']} {library['found'] or '-'}" for library in libraries)


def _model_lines(model: Figures | None) -> list[str]:
    if model is None:
        return ["model      none that can be read"]
    data = ", ".join(f"{part['name']} ({count(part['rows'], 'row')})" for part in model["data"])
    versions = ", ".join(f"{name} {number}" for name, number in model["versions"].items())
    return [
        f"model      {shown(model['file'], _LONGEST)}",
        f"           {model['bytes']:,} bytes",
        f"sha256     {model['sha256']}",
        *wrap(f"trained with {versions}", _INDENT, _INDENT),
        *wrap(f"on {shown(data, _LONGEST)}", _INDENT, _INDENT),
    ]
