"""Which files inputs name, those in folders in a fixed order."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from stance.display import count, shown, shown_path
from stance.errors import DataError, UsageError
from stance.files import is_device
from stance.tables.articles import ARTICLE_NAMES, PAGE_NAMES
from stance.tables.sources import (
    JSON_NAMES,
    PARQUET_NAMES,
    SEPARATED_NAMES,
    WORKBOOK_NAMES,
    bare_path,
    kind_suffix,
)

_SUFFIXES = (*SEPARATED_NAMES, *JSON_NAMES, *WORKBOOK_NAMES, *PARQUET_NAMES, *ARTICLE_NAMES)

_PARTS = ("_files", ".files", "-Dateien", "_fichiers", "_archivos", "_bestanden", "_file", "_pliki")
"""How browsers end the name of the folder beside a page that is saved with all its parts."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """The files to read, in order."""

    paths: tuple[Path | None, ...]  # None is standard input
    several: bool = False  # whether a column says which file a record comes from
    notes: tuple[str, ...] = ()  # on files that were skipped

    @property
    def name(self) -> str:
        """What messages call them."""
        return count(len(self.paths), "file")


def find_inputs(named: Sequence[Path | None]) -> Inputs:
    """Return the files that are named, and those in folders that are named, sorted by path.

    In folders, hidden files, links to folders and files of unknown kinds are skipped and counted.
    Raises `DataError` if a folder has nothing to read.
    """
    folders = [path for path in named if path is not None and path.is_dir()]
    if len(named) < 2 and not folders:
        return Inputs(tuple(named))
    if None in named:
        raise UsageError("-: standard input cannot be read beside files; save it as a file")
    paths, notes = list[Path](), list[str]()
    for path in filter(None, named):
        if path not in folders:
            paths.append(path)
            continue
        skipped = Counter[str]()
        inside = sorted(_walk(path, skipped), key=lambda file: file.parts)
        listed = ", ".join(f"{number:,} {why}" for why, number in skipped.most_common())
        name = shown_path(path)
        if not inside:
            why = f"has no file to read{f' ({listed})' * bool(listed)}"
            raise DataError(f"{name}: {why}; check the folder")
        notes.append(f"{name}: {count(len(inside), 'file')}{f'; skipped {listed}' * bool(listed)}")
        paths += inside
    real = {folder: os.path.realpath(folder) for folder in {path.parent for path in paths}}
    once: dict[tuple[str, str], Path] = {}  # by the real folder, for in/../in is the same
    for path in paths:
        once.setdefault((real[path.parent], path.name), path)
    if again := len(paths) - len(once):
        notes.append(f"{count(again, 'file')} named twice; each file is read once")
    return Inputs(tuple(once.values()), several=True, notes=tuple(notes))


def _walk(folder: Path, skipped: Counter[str]) -> Iterator[Path]:
    """Yield the files of a folder and its folders; count by reason what is skipped."""

    def unreadable(error: OSError) -> None:
        name = shown_path(error.filename)
        raise DataError(f"{name}: the folder cannot be read ({error.strerror}); ask its owner")

    for place, folders, names in os.walk(folder, onerror=unreadable):
        here = Path(place)
        reasons = {name: _why_left(here / name, names) for name in folders}
        folders[:] = [name for name in folders if not reasons[name]]
        paths = {here / name: _why_skipped(here / name, folder) for name in names}
        skipped.update(filter(None, (*reasons.values(), *paths.values())))
        yield from (path for path, reason in paths.items() if not reason)


def _why_left(folder: Path, beside: Sequence[str]) -> str:
    """Return why a folder is not read; `beside` are the names of the files beside it."""
    if folder.name.startswith("."):
        return "hidden"
    if folder.is_symlink():
        return "linking to a folder"
    page = next((folder.name.removesuffix(e) for e in _PARTS if folder.name.endswith(e)), "")
    return "of parts of a page" if any(f"{page}{s}" in beside for s in PAGE_NAMES) else ""


def _why_skipped(path: Path, folder: Path) -> str:
    if path.name.startswith((".", "~$")):  # the second: a workbook that is open
        return "hidden"
    if kind_suffix(path) not in _SUFFIXES:
        return f"of unknown kind {shown(path.suffix, 20)!r}"
    if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
        return "linking out of the folder"  # a stranger's archive reads no file of one's own
    return "being a pipe or device" if is_device(path) else ""


def cell_of(path: Path) -> str:
    """Return a path as a cell; bytes that are no characters are escaped."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def documents_of(paths: Sequence[Path | None]) -> dict[Path | None, str]:
    """Return the name of each article: its path without ending, unless two share that."""
    plain = {path: bare_path(path) for path in paths if path}
    times = Counter(plain.values())
    return {path: cell_of(name if times[name] == 1 else path) for path, name in plain.items()}
