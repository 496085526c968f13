"""What is installed here: libraries, extras and the bundled model."""

import platform
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from stance import __version__
from stance.display import shown
from stance.errors import DISTRIBUTION, StanceError
from stance.screens import Figures, wrap

OURS = frozenset({"bench", "docs", "test"})
"""Extras that only work on stance itself needs."""

Library = dict[str, Any]  # name, least (the oldest version that will do), found (or None)

_REQUIREMENT = re.compile(r"([\w.-]+)[^;]*?>=\s*([\w.]+)[^;]*(?:;.*?extra\s*==\s*[\"']([\w-]+))?")


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
    extras = {name: extras[name] for name in sorted(extras.keys() - OURS)}
    faults = [
        f"{lib['name']} is {lib['found'] or 'not installed'}; pip install {_wanted([lib])}"
        for lib in filter(_is_lacking, libraries)
    ]
    if not libraries:
        faults = ["stance runs from a folder and is not installed; run pip install in that folder"]
    model = None
    try:
        model = None if any(map(_is_lacking, libraries)) else _bundled_model()
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
            name: [library["name"] for library in filter(_is_lacking, libraries)]
            for name, libraries in extras.items()
        },
    }


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _is_lacking(library: Library) -> bool:
    """Return whether a library is missing or too old."""
    installed, least = (
        [int(part) for part in re.findall(r"\d+", library[key] or "")[:3]]
        for key in ("found", "least")
    )
    return installed < least


def _wanted(libraries: Sequence[Library]) -> str:
    return " ".join(f"'{library['name']}>={library['least']}'" for library in libraries)


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
    rows = [
        ("stance", f"{figures['stance']}, in {figures['folder']}"),
        ("Python", f"{figures['python']}, {figures['interpreter']}"),
        ("system", figures["system"]),
        ("libraries", _versions(figures["libraries"])),
    ]
    for name, libraries in figures["extras"].items():
        missing = list(filter(_is_lacking, libraries))
        advice = f"; for it: pip install {_wanted(missing)}" if missing else ""
        rows.append((f"  {name}", _versions(libraries) + advice))
    if model := figures["model"]:
        rows += [("model", model["file"]), ("sha256", model["sha256"])]
    rows += [("fault", fault) for fault in figures["faults"]]
    lines = [
        line for name, text in rows for line in wrap(shown(text, 700), f"{name:<11}", " " * 11)
    ]
    return lines if figures["faults"] else [*lines, "nothing is missing that stance needs"]


def _versions(libraries: Sequence[Library]) -> str:
    return ", ".join(f"{library['name']} {library['found'] or '-'}" for library in libraries)
