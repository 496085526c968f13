"""Which files inputs name: files as they are, and those in folders, in a fixed order."""

import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from stance.display import count, shown
from stance.errors import DataError, UsageError
from stance.tables._bytes import ARROW_NAMES, JSON_NAMES, WORKBOOK_NAMES, kind_suffix
from stance.tables.articles import ARTICLE_NAMES, PAGE_NAMES
from stance.tables.table import SEPARATED_NAMES

_SUFFIXES = (*SEPARATED_NAMES, *JSON_NAMES, *WORKBOOK_NAMES, *ARROW_NAMES, *ARTICLE_NAMES)

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


def find_inputs(named: Sequence[Path | None], include: Sequence[str] = ()) -> Inputs:
    """Return the files that are named, and those in folders that are named, sorted by path.

    In folders, hidden files, links to folders and files of unknown kinds are skipped and counted.
    `include` are patterns such as ``*.html`` or ``2024/*``, of the name or of the path in the
    folder; with it, files of any kind count. Raises `DataError` if a folder has nothing to read.
    """
    folders = [path for path in named if path is not None and path.is_dir()]
    if include and not folders:
        raise UsageError("--include chooses files in folders; name a folder, or drop it")
    if len(named) < 2 and not folders:
        return Inputs(tuple(named))
    if None in named:
        raise UsageError("-: standard input cannot be read beside files; save it as a file")
    paths = list[Path]()
    notes = list[str]()
    for path in filter(None, named):
        if path not in folders:
            paths.append(path)
            continue
        skipped = Counter[str]()
        inside = sorted(_walk(path, include, skipped), key=lambda found: found.parts)
        told = ", ".join(f"{number:,} {why}" for why, number in skipped.most_common())
        name = shown(str(path), 200)
        if not inside:
            told = f" ({told})" if told else ""
            raise DataError(f"{name}: has no file to read{told}; check the folder, or --include")
        notes.append(f"{name}: {count(len(inside), 'file')}" + (f"; skipped {told}" * bool(told)))
        paths += inside
    once = list(dict.fromkeys(paths))
    if len(once) < len(paths):
        again = count(len(paths) - len(once), "file")
        notes.append(f"{again} named twice; each file is read once")
    return Inputs(tuple(once), several=True, notes=tuple(notes))


def _walk(folder: Path, include: Sequence[str], skipped: Counter[str]) -> Iterator[Path]:
    """Yield the files of a folder and its folders; count by reason what is skipped."""

    def unreadable(error: OSError) -> None:
        name = shown(str(error.filename), 200)
        raise DataError(f"{name}: the folder cannot be read ({error.strerror}); ask its owner")

    for place, folders, names in os.walk(folder, onerror=unreadable):
        here = Path(place)
        for name in list(folders):
            if reason := _why_left(here / name, names):
                folders.remove(name)
                skipped[reason] += 1
        for name in names:
            path = here / name
            if (why := _why_skipped(path, path.relative_to(folder), include)) is None:
                yield path
            else:
                skipped[why] += 1


def _why_left(folder: Path, beside: Sequence[str]) -> str | None:
    """Return why a folder is not read; `beside` are the names of the files beside it."""
    if folder.name.startswith("."):
        return "hidden"
    if folder.is_symlink():
        return "a link to a folder"
    page = next((folder.name.removesuffix(e) for e in _PARTS if folder.name.endswith(e)), "")
    parts = any(f"{page}{suffix}" in beside for suffix in PAGE_NAMES)
    return "of parts of a page" if parts else None


def _why_skipped(path: Path, inside: Path, include: Sequence[str]) -> str | None:
    if path.name.startswith((".", "~$")):  # the second: a workbook that is open
        return "hidden"
    if include:
        wanted = any(fnmatchcase(own, p) for p in include for own in (path.name, inside.as_posix()))
        if not wanted:
            return "not in --include"
    elif kind_suffix(path) not in _SUFFIXES:
        return f"of unknown kind {shown(path.suffix, 20)!r}"
    try:
        regular = stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return None  # such as a broken link: to be reported by name
    return None if regular else "a pipe or device"
