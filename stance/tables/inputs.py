"""Several files as one table: named or found in folders, in a fixed order, their columns joined."""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterator, Sequence, Set
from pathlib import Path
from typing import NamedTuple

from stance.display import count, shown, shown_path
from stance.errors import DataError, ExtraError, UsageError
from stance.files import ARTICLE_NAMES, PAGE_NAMES, TABLE_NAMES, bare_path, is_device, kind_suffix
from stance.tables.output import Rejects
from stance.tables.table import Records, Table, folded

_NOTES = 30  # lines on oddities of single files that are told

# Sheet, line (or number of an object or paragraph) and fault.
_PLACE = re.compile(r"(\[[^]]*\]|)(?:(?::|, [a-z]+ )(\d+)(?=: )|)(.*)", re.DOTALL)
_PARTS = re.compile(r"[_.](files?|fichiers|archivos|bestanden|pliki)$|-Dateien$")
"""How browsers end the name of the folder beside a page that is saved with all its parts."""


class Inputs(NamedTuple):
    """The files to read, in order."""

    paths: tuple[Path | None, ...]  # None is standard input
    several: bool = False  # whether a column says which file a record comes from
    notes: tuple[str, ...] = ()  # on files that were skipped
    columns: tuple[str, ...] = ()  # of the rows to which theirs are added


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
        if not inside:
            why = f"has no file to read{f' ({listed})' * bool(listed)}"
            raise DataError(f"{shown_path(path)}: {why}; check the folder")
        but = f"; skipped {listed}" * bool(listed)
        notes.append(f"{shown_path(path)}: {count(len(inside), 'file')}{but}")
        paths += inside
    once = dict[str, Path]()
    for path in paths:
        once.setdefault(os.path.realpath(path), path)  # for in/../in is the same, and so is a link
    if again := len(paths) - len(once):
        notes.append(f"{count(again, 'file')} named twice or linked; each file is read once")
    return Inputs(tuple(once.values()), several=True, notes=tuple(notes))


def _walk(folder: Path, skipped: Counter[str]) -> Iterator[Path]:
    """Yield the files of a folder and its folders; count by reason what is skipped."""

    def unreadable(error: OSError) -> None:
        name = shown_path(error.filename)
        raise DataError(f"{name}: the folder cannot be read ({error.strerror}); ask its owner")

    for place, folders, names in os.walk(folder, onerror=unreadable):
        pages = {bare_path(Path(n)).name for n in names if kind_suffix(Path(n)) in PAGE_NAMES}
        reasons = {n: _why_skipped(Path(place, n), folder, pages) for n in (*folders, *names)}
        skipped.update(filter(None, reasons.values()))
        folders[:] = [name for name in folders if not reasons[name]]
        yield from (Path(place, name) for name in names if not reasons[name])


def _why_skipped(path: Path, folder: Path, pages: Set[str]) -> str:
    """Return why a file or folder inside of a folder is not read, beside some pages; or nothing."""
    if path.name.startswith((".", "~$")):  # the second: a workbook that is open
        return "hidden"
    if path.is_dir():
        if path.is_symlink():
            return "linking to a folder"
        page = _PARTS.sub("", path.name)
        return "of parts of a page" * (page != path.name and page in pages)
    if kind_suffix(path) not in (*TABLE_NAMES, *ARTICLE_NAMES):
        return f"of unknown kind '{shown(path.suffix, 20)}'"
    if path.is_symlink() and not _real(path).is_relative_to(_real(folder)):
        return "linking out of the folder"  # a stranger's archive reads no file of one's own
    return "being a pipe or device" * is_device(path)


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))  # `resolve` raises on loops


def cell_of(path: Path) -> str:
    """Return a path as a cell; bytes that are no characters are escaped."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


# --- Their tables as one --------------------------------------------------------------------------


class JoinedTable(Table):
    """Several files as one table: their columns are looked at first, then their records read.

    The column `name` says which file a record is of, unless a column of the file does. Each file is
    `opened` twice; `survey` raises if it cannot be used, by its columns.
    """

    def __init__(
        self, inputs: Inputs, name: str, opened: Callable[[Path | None, Rejects | None], Table],
        survey: Callable[[Table], object], rejects: Rejects | None = None,
    ) -> None:  # fmt: skip
        super().__init__(count(len(inputs.paths), "file"), (name, *inputs.columns))
        self._opened, self._rejects, self._refused = opened, rejects, dict[Path, DataError]()
        self._sizes = {p: p.stat().st_size if p.is_file() else 0 for p in inputs.paths if p}
        self._files_noted = defaultdict[str, list[str]](list)  # names by what is noted of them
        for path in self._sizes:  # before any record of any file
            try:
                with opened(path, None) as table:
                    survey(table)
                    self.headers[path] = self._join(path, table.columns)
            except DataError as error:
                if rejects is None or isinstance(error, ExtraError):  # which concerns all files
                    raise
                self._refused[path] = error
        self.chunks = self._read()
        self._read_now: Table | None = None
        self._done = 0  # bytes of files that have been read

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines on what the files hold, the same of many files once, and on what is odd."""
        notes = list[str]()
        for note, (name, *others) in self._files_noted.items():
            notes.append(f"{name}{f' and {len(others):,} more' * bool(others)}: {note}")
        more = [f"and {len(notes) - _NOTES:,} more notes on single files"]
        return (*notes[:_NOTES], *(more if len(notes) > _NOTES else ()), *super().notes)

    def progress(self) -> tuple[int, int]:
        """Return the bytes read so far, and those of all files."""
        now = self._read_now.progress()[0] if self._read_now else 0
        return self._done + now, sum(self._sizes.values())

    def _join(self, path: Path, header: tuple[str, ...]) -> tuple[str, ...]:
        """Add the columns of a file that are new, ignoring case; return their names here."""
        names, others = list[str](), [name for name in self.columns[1:] if name not in header]
        for name in header:
            alike = (other for other in others if folded(other) == folded(name))
            names.append(name if name in self.columns else next(alike, name))
            if names.index(names[-1]) < len(names) - 1:
                both = f"'{shown(header[names.index(names[-1])])}' and '{shown(name)}'"
                what = f"columns {both} are one in the other files; rename one"
                raise DataError(f"{shown_path(path)}: {what}")
            if names[-1] != name:
                note = f"column '{shown(name)}' is read as '{shown(names[-1])}'"
                self._files_noted[note].append(shown_path(path))
        self.columns = self.header = tuple(dict.fromkeys((*self.columns, *names)))
        return tuple(names)

    # --- Records ---

    def _read(self) -> Generator[Records]:
        """Yield the records of all files; with `rejects`, put bad files aside."""
        for path, size in self._sizes.items():
            name = shown_path(path)
            self.files.append((self.records_in, name))
            if self._rejects:
                self._rejects.file = cell_of(path)
            try:
                with self._opened(path, self._rejects) as table:
                    if path in self._refused:
                        raise self._refused[path]
                    self._read_now, self.unit = table, table.unit
                    yield from self._records_of(path, table)
                for note in (*table.remarks(), *["has no row"] * (not table.records_in)):
                    self._files_noted[note].append(table.name)
                for what, (times, first) in table.noted.items():
                    if first:
                        self.note(what, f"{table.name}, {first}", times)
            except DataError as error:
                if self._rejects is None:
                    raise
                self.records_in += 1  # the file counts as one bad record
                sheet, line, fault = _PLACE.findall(str(error).removeprefix(name))[0]
                fault = (sheet + fault).removeprefix(": ")
                self._rejects.add(int(line or 0), "", fault, "")
                rejected = f"{fault} (counts as one rejected row)"
                self._files_noted[rejected].append(f"{name}:{line}".removesuffix(":"))
            self._done, self._read_now = self._done + size, None

    def _records_of(self, path: Path, table: Table) -> Iterator[Records]:
        """Yield the records of a file with the columns and the numbers of the joined table."""
        names = self.headers.get(path, ())
        if list(map(folded, names)) != list(map(folded, table.columns)):
            raise DataError(f"{table.name}: changed while it was read; run again")
        before, cell = self.records_in, cell_of(path)

        def spread(columns: Sequence[list[str]], size: int) -> list[list[str]]:
            """Return the columns of some records where they stand in the joined table."""
            given = {self.header[0]: [cell] * size, **dict(zip(names, columns, strict=True))}
            return [given.get(name, [""] * size) for name in self.header]

        table.or_else = self.or_else
        if check := self.check:
            table.check = lambda cells, line: check(
                [column[0] for column in spread([[cell] for cell in cells], 1)], line
            )
        try:
            for block in table.chunks:
                self.records_in = before + table.records_in
                numbers = [before + number for number in block.numbers]
                yield Records(numbers, block.lines, spread(block.columns, len(block)))
        finally:
            self.records_in = before + table.records_in
