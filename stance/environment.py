"""What is installed here: libraries, extras and the bundled model."""

import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from stance import __version__
from stance.display import shown
from stance.errors import DISTRIBUTION, EXTRAS, StanceError
from stance.screens import Figures, wrap


def check_environment() -> dict[str, Any]:
    """Return what is installed and what is wrong with it, fit for JSON."""
    faults, model = [], None
    try:
        wanted = [line for line in requires(DISTRIBUTION) or () if "extra" not in line]
    except PackageNotFoundError:
        wanted = []
        faults.append("stance runs from a folder and is not installed; run pip install . there")
    libraries = {name: _version(name) for name in (re.split(r"[^\w.-]", w)[0] for w in wanted)}
    faults += [f"{name} is not installed; pip install {name}" for name in _lacking(libraries)]
    try:
        model = None if _lacking(libraries) else _bundled_model()
    except StanceError as error:
        faults.append(f"{error}; install stance again")
    return {
        "stance": __version__,
        "folder": str(Path(__file__).parent),
        "python": platform.python_version(),
        "interpreter": sys.executable,
        "system": platform.platform(),
        "libraries": libraries,
        "extras": {extra: {n: _version(n) for n in EXTRAS[extra].split()} for extra in EXTRAS},
        "model": model,
        "faults": faults,
    }


def _version(name: str) -> str | None:
    """Return the version of a library, or None."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _lacking(versions: dict[str, str | None]) -> list[str]:
    return [name for name, number in versions.items() if number is None]


def _bundled_model() -> dict[str, str]:
    from stance.storage import bundled_model, load_model, model_hash

    path = bundled_model()
    load_model(path)
    return {"file": str(path), "sha256": model_hash(path)}


def environment_lines(figures: Figures) -> list[str]:
    """Return the lines about what is installed, and what is missing."""
    rows = [
        ("stance", f"{figures['stance']}, in {figures['folder']}"),
        ("Python", f"{figures['python']}, {figures['interpreter']}"),
        ("system", figures["system"]),
    ]
    for extra, versions in ({"libraries": figures["libraries"]} | figures["extras"]).items():
        known = ", ".join(f"{name} {number or '-'}" for name, number in versions.items())
        missing = " ".join(_lacking(versions))
        rows.append((extra, f"{known}; to add it: pip install {missing}" if missing else known))
    rows += (figures["model"] or {}).items()
    rows += [("fault", fault) for fault in figures["faults"]]
    rows += [] if figures["faults"] else [("", "nothing is missing that stance needs")]
    return [line for name, text in rows for line in wrap(shown(text, 700), f"{name:<11}", " " * 11)]
