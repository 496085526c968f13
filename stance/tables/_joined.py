"""Several tables as one: their columns joined, their records numbered over all of them."""

import re
from bisect import bisect
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from stance.display import count, shown, shown_path
from stance.errors import DataError, ExtraError
from stance.tables._folders import Inputs, NamePattern, cell_of
from stance.tables.articles import ArticleTable, boilerplate_note
from stance.tables.columns import optional_column
from stance.tables.output import Rejects
from stance.tables.records import Journal, Records, RejectSink, folded
from stance.tables.table import Table

_NOTES = 30  # lines on oddities of single files that are told

_Opened = Callable[[Path | None, RejectSink | None], Table]
Survey = Callable[[Table], int]  # checks a file's columns; how many come before other files' last


class _Union:
    """Columns of several files, in order of first appearance."""

    def __init__(self, first: Sequence[str]) -> None:
        self.columns = list(first)
        self.respelled: dict[str, str] = {}  # those that differ from one here in case alone
        self.files = Counter[str]()  # that have a column
        self._fits: dict[tuple[str, ...], list[int]] = {}

    def place(self, columns: tuple[str, ...], since: int = 0) -> list[int]:
        """Return where columns of a file stand; those that differ in case join any `since`."""
        fit = self._fits.get(columns)
        if fit is None:
            fit = self._fits[columns] = [self._place(name, columns, since) for name in columns]
        return fit

    def _place(self, name: str, own: Sequence[str], since: int) -> int:
        if name in self.columns:
            return self.columns.index(name)
        for at, other in enumerate(self.columns[since:], since):
            if other not in own and folded(other) == folded(name):
                self.respelled[name] = other
                return at
        self.columns.append(name)
        return len(self.columns) - 1


@dataclass(slots=True)
class _File:
    """A file among the inputs."""

    path: Path | None
    columns: tuple[str, ...] = ()
    constants: dict[int, str] = field(default_factory=dict)  # its cells that are always the same
    fit: Sequence[int] = ()  # where its columns stand in the joined table
    fault: DataError | None = None  # why it has no columns


class _Nowhere:
    """Takes bad records that are to be read again."""

    def add(self, line: int, column: str, reason: str, raw: str) -> None:
        """Keep nothing."""


class _Stream:
    """Stands where a table has its one file."""

    def __init__(self, inputs: Inputs) -> None:
        self.name = inputs.name
        self.bytes_read = self.done = 0  # also of the file that is being read; without it
        self.bytes_total: int | None = sum(map(_size, inputs.paths))

    def close(self) -> None:
        """Do nothing: each file is closed once it is read."""


def _size(path: Path | None) -> int:
    with suppress(OSError):
        return path.stat().st_size if path else 0
    return 0


class JoinedTable(Table):
    """Several files as one table."""

    def __init__(
        self,
        inputs: Inputs,
        name: str,  # of the column of files; empty for none
        opened: _Opened,
        survey: Survey,
        pattern: NamePattern | None = None,
        rejects: Rejects | None = None,
        *,
        added: bool = False,  # whether that column is new, so that no file may have it
    ) -> None:
        self.several = inputs.several
        self._inputs, self._name, self._added = inputs, name, added
        self._opened, self._survey = opened, survey
        self._pattern, self._rejects = pattern, rejects
        self._union = _Union([name] if name else [])
        self._files = [self._surveyed(path) for path in inputs.paths]
        self._place_rest()
        self._begun: list[tuple[int, str]] = []  # records before each file, and its name
        self._told: dict[str, list[str]] = {}  # names of files by what is noted of them
        self._boilerplate = Counter[str]()
        self._articles = self._paragraphs = 0
        self._bad = list[str]()
        self._journal = Journal(inputs.name)
        self._journal.columns = tuple(self._union.columns)
        self._bytes = _Stream(inputs)
        super().__init__(self._bytes, self._journal, self._read(), tuple)

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines on what the files hold, what is odd about them, and which cannot be read."""
        return (*self._noted(), *super().notes)

    def file_of(self, number: int) -> str:
        """Return the file that a record comes from."""
        at = bisect(self._begun, number - 1, key=lambda begun: begun[0])
        return self._begun[at - 1][1] if at else self.name

    def _surveyed(self, path: Path | None) -> _File:
        """Read the columns of a file, before any record of any file."""
        own = _File(path)
        try:
            with self._opened(path, _Nowhere() if self._rejects else None) as table:
                own.columns = table.columns
                first = self._survey(table)
        except ExtraError:
            raise  # which concerns all files of its kind
        except DataError as error:
            if self._rejects is None:
                raise
            own.fault = error
            return own
        if self._added and self._name in own.columns:
            raise DataError(
                f"{shown_path(path)}: has a column '{shown(self._name)}', which "
                "answers on several inputs add; choose a prefix, such as --prefix stance_"
            )
        since = len(self._name[:1])  # the column of files is joined with none
        own.fit = self._union.place(own.columns[:first], since)
        if self._name and path:
            own.constants[0] = cell_of(path)
        said = self._pattern.read(path) if self._pattern and path else {}
        for name, at in zip(said, self._union.place(tuple(said), since), strict=True):
            if at not in own.fit:
                own.constants[at] = said[name]
        return own

    def _good(self) -> list[_File]:
        return [own for own in self._files if own.fault is None]

    def _place_rest(self) -> None:
        """Place the last columns of files behind the first ones of all, and count each column."""
        since = len(self._union.columns)
        for own in self._good():
            own.fit = [*own.fit, *self._union.place(own.columns[len(own.fit) :], since)]
            own.constants = {at: cell for at, cell in own.constants.items() if at not in own.fit}
            places = {*own.fit, *own.constants}
            self._union.files.update(self._union.columns[at] for at in places)

    def refuse_mixed_actors(self) -> None:
        """Raise if some files name the actor to judge in a column and others do not."""
        at = optional_column(self._union.columns, "actor", self._inputs.name)
        if at is None:
            return
        good = self._good()
        having = {at in own.fit or at in own.constants: own.path for own in good}
        if len(having) == 2:
            one, other = (shown_path(having[found]) for found in (True, False))
            raise DataError(
                f"{one}: has a column 'actor', so that only that actor is judged, and {other} has "
                "none; judge them in two runs"
            )

    def _read(self) -> Generator[Records]:
        """Yield the records of all files; with `rejects`, put bad files aside."""
        for own in self._files:
            name = shown_path(own.path)
            before = self._journal.number
            self._begun.append((before, name))
            if self._rejects:
                self._rejects.file = cell_of(own.path) if own.path else ""
            try:
                if own.fault:
                    raise own.fault
                with self._opened(own.path, self._rejects) as table:
                    yield from self._records_of(own, table, before)
                    self._remember(table)
            except ExtraError:
                raise
            except DataError as error:
                if self._rejects is None:
                    raise
                self._put_aside(error, name)
            self._bytes.done += _size(own.path)
            self._bytes.bytes_read = self._bytes.done

    def _records_of(self, own: _File, table: Table, before: int) -> Generator[Records]:
        if table.columns != own.columns:
            raise DataError(f"{table.name}: changed while it was read; run again")
        if check := self._journal.check:
            table.guard(lambda cells, line: check(self._row(own, cells), line))
        try:
            for block in table.blocks():
                self._journal.number = before + table.records_in
                self._bytes.bytes_read = self._bytes.done + table.bytes_read
                if block:  # else all of its records were bad
                    yield self._fitted(own, block, before)
        finally:
            self._journal.number = before + table.records_in

    def _row(self, own: _File, cells: Sequence[str]) -> list[str]:
        found = [""] * len(self._union.columns)
        for at, cell in (*own.constants.items(), *zip(own.fit, cells, strict=True)):
            found[at] = cell
        return found

    def _fitted(self, own: _File, block: Records, before: int) -> Records:
        """Return records with the columns and the numbers of the joined table."""
        size = len(block)
        columns = [[""] * size] * len(self._union.columns)
        for at, cell in own.constants.items():
            columns[at] = [cell] * size
        for at, cells in zip(own.fit, block.columns, strict=True):
            columns[at] = cells
        characters = block.characters + size * sum(map(len, own.constants.values()))
        numbers = [before + number for number in block.numbers]
        return Records(numbers, block.lines, columns, characters)

    def _put_aside(self, error: DataError, name: str) -> None:
        """Count a file that cannot be read (on) as one bad record."""
        self._journal.number += 1
        message = str(error)
        self._bad.append(message)
        found = re.match(r"(?:(\d+): ?)?\s*", rest := message.removeprefix(f"{name}:"))
        line, reason = (found[1], rest[found.end() :]) if found else (None, rest)
        if self._rejects:
            self._rejects.add(int(line or 0), "", reason, "")

    def _remember(self, table: Table) -> None:
        """Keep what is to be told of a file that has been read to its end."""
        if isinstance(table, ArticleTable):
            self._articles += 1
            self._paragraphs += table.records_in
            self._boilerplate.update(table.boilerplate)
            if not table.records_in:
                self._told.setdefault("has no paragraph", []).append(table.name)
            return
        for note in table.notes:
            self._told.setdefault(note.removeprefix(f"{table.name}: "), []).append(table.name)

    def _noted(self) -> Iterator[str]:
        yield from self._differences()
        if self._articles:
            paragraphs = count(self._paragraphs, "paragraph")
            left_out = boilerplate_note(self._boilerplate)
            yield f"{count(self._articles, 'article')} of {paragraphs} in all{left_out}"
        told = [
            f"{names[0]}{f' and {len(names) - 1:,} more' * (len(names) > 1)}: {note}"
            for note, names in self._told.items()
        ]
        yield from told[:_NOTES]
        if len(told) > _NOTES:
            yield f"and {len(told) - _NOTES:,} more notes on single files"
        if self._bad:
            yield f"{count(len(self._bad), 'file')} not read to the end, each one rejected row:"
        yield from self._bad

    def _differences(self) -> Iterator[str]:
        good = self._good()
        if self._pattern:
            said = (self._pattern.read(own.path) for own in good if own.path)
            odd = [
                own.path for own, names in zip(good, said, strict=True) if not any(names.values())
            ]
            if odd:
                yield (
                    f"--name-pattern does not fit {len(odd):,} of {count(len(good), 'file name')} "
                    f"(first: {shown_path(odd[0])}), which leaves its columns empty there"
                )
        for name, other in self._union.respelled.items():
            yield f"column '{shown(name)}' of some files is read as '{shown(other)}'"
        few = {name: n for name, n in self._union.files.items() if n < len(good)}
        if few:
            listed = ", ".join(f"{shown(name, 30)} ({n:,})" for name, n in list(few.items())[:12])
            more = f" and {len(few) - 12:,} more" if len(few) > 12 else ""
            files = count(len(good), "file")
            yield f"columns that only some of the {files} have, empty for others: {listed}{more}"
