"""Inputs opened as one table: a file as it is, several as a chain with their columns joined."""

from bisect import bisect
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Literal

from stance.display import count, shown, shown_path
from stance.errors import DataError, ExtraError, UsageError
from stance.tables.articles import ArticleTable, boilerplate_note, is_article, open_article
from stance.tables.columns import column, optional_column
from stance.tables.folders import Inputs, NamePattern, cell_of, documents_of
from stance.tables.opening import Form, open_table, set_actor
from stance.tables.output import Rejects
from stance.tables.table import Records, RejectSink, Table, folded

FILE = "file"  # the column that says where a record comes from
_NOTES = 30  # lines on oddities of single files that are told

Open = Callable[[Path | None, RejectSink | None], Table]
Survey = Callable[[Table], object]  # raises if a file cannot be used, by its columns


@dataclass(frozen=True, slots=True)
class InputOptions:
    """How to read inputs."""

    text_column: str = "text"
    actor_column: str | None = None  # None is "actor" if there is one
    actor: str | None = None  # that all records are about; None to ask the column, or the text
    date_column: str | None = None  # None is "date" if there is one
    date_format: str | None = None  # of `datetime.strptime`; None if the dates have one reading
    delimiter: str | None = None  # None to detect it
    quoting: Literal["none"] | None = None  # none if quotes are characters like others
    encoding: str | None = None  # None is UTF-8
    sheet: str | None = None  # of workbooks; None is the first
    keep_all: bool = False  # keep the boilerplate of articles, and name it in a column
    include: tuple[str, ...] = ()  # patterns of names to read in folders; () for known suffixes
    name_pattern: str = ""  # what file names say, such as ``{outlet}_{date}``


def open_inputs(
    inputs: Inputs,
    options: InputOptions,
    rejects: Rejects | None = None,
    *,
    prefix: str = "",
    or_else: str = "",
) -> Table:
    """Open inputs as one table, whose records are numbered over all of them.

    One file is read as it is. Of several, columns are joined in order of first appearance, after a
    column `file`, its name after the `prefix`; what a file does not have is an empty cell. With
    `rejects`, a file that cannot be read is one bad record; without, it raises `DataError`, if
    possible before any record is read; to what a bad record raises, `or_else` is added.
    """
    if options.actor is not None and options.actor_column is not None:
        raise UsageError("--actor and --actor-column both say which actor to judge; drop one")
    pattern = NamePattern(options.name_pattern) if options.name_pattern else None
    documents = documents_of(inputs.paths) if inputs.several else {}
    form = Form(
        delimiter=options.delimiter,
        quoting=options.quoting,
        encoding=options.encoding,
        sheet=options.sheet,
    )

    def survey(table: Table) -> None:
        column(table.columns, options.text_column, table.name, "--text-column")

    def opened(path: Path | None, sink: RejectSink | None) -> Table:
        is_table = options.delimiter or options.quoting or path is None or not is_article(path)
        if is_table or path is None:
            return open_table(path, rejects=sink, or_else=or_else, **form)
        return open_article(
            path,
            encoding=options.encoding,
            keep_all=options.keep_all,
            text_column=options.text_column,
            document=documents.get(path),
            fields=pattern.read(path) if pattern else {},
        )

    table: Table
    if not inputs.several and pattern is None:
        table = opened(inputs.paths[0], rejects)
    else:
        name = prefix + FILE if inputs.several else ""
        joined = JoinedTable(inputs, name, opened, survey, pattern, rejects, added=True)
        if options.actor_column is None:
            joined.refuse_mixed_actors()
        table = joined
    if options.actor is not None:
        set_actor(table, options.actor, add=False)
    return table


def join_tables(inputs: Inputs, survey: Survey, form: Form, prefix: str = "") -> Table:
    """Open several tables as one, whose column `file` names the table of a record that has none.

    The column's name stands after the `prefix`, as in `open_inputs`.

    `survey` gets each table before any record is read: it raises if the table cannot be used.
    """
    return JoinedTable(inputs, prefix + FILE, lambda path, _: open_table(path, **form), survey)


@dataclass(slots=True)
class _File:
    """A file of a chain, and where its cells stand in the joined table."""

    path: Path | None
    columns: tuple[str, ...] = ()
    places: list[int] = field(default_factory=list)  # of its columns
    constants: dict[int, str] = field(default_factory=dict)  # its cells that are always the same
    fault: DataError | None = None  # why it has no columns

    @property
    def size(self) -> int:
        """Bytes of the file."""
        with suppress(OSError):
            return self.path.stat().st_size if self.path else 0
        return 0


class JoinedTable(Table):
    """Several files as one table: their columns are looked at first, then their records read.

    Without a `name` there is no column for the file; `added` says that no file may have it.
    """

    def __init__(
        self,
        inputs: Inputs,
        name: str,
        opened: Open,
        survey: Survey,
        pattern: NamePattern | None = None,
        rejects: Rejects | None = None,
        *,
        added: bool = False,
    ) -> None:
        super().__init__(inputs.name)
        self.several, self._opened, self._rejects = inputs.several, opened, rejects
        self._pattern, self._file_column = pattern, name
        self._files = [_File(path) for path in inputs.paths]
        for file in self._files:
            self._look_at(file, survey, added=added)
        self._good = [file for file in self._files if file.fault is None]
        self._respelled: dict[str, str] = {}  # names that differ from another file's in case alone
        self.columns = tuple(self._joined_columns())
        self.chunks = self._read()
        self._begun: list[tuple[int, str]] = []  # records before each file, and its name
        self._noted: dict[str, list[str]] = {}  # names of files by what is noted of them
        self._bad, self._articles, self._boilerplate = list[str](), list[int](), Counter[str]()
        self._read_now: Table | None = None
        self._done, self._total = 0, sum(file.size for file in self._files)  # bytes

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines on what the files hold, what is odd about them, and which cannot be read."""
        return (*self._differences(), *self._contents(), *super().notes)

    @property
    def bytes_read(self) -> int:
        """Bytes read so far of all files."""
        return self._done + (self._read_now.bytes_read if self._read_now else 0)

    @property
    def bytes_total(self) -> int:
        """Bytes of all files."""
        return self._total

    def file_of(self, number: int) -> str:
        """Return the file that a record comes from."""
        pos = bisect(self._begun, number - 1, key=lambda begun: begun[0])
        return self._begun[pos - 1][1] if pos else self.name

    def refuse_mixed_actors(self) -> None:
        """Raise if some files name the actor to judge in a column and others do not."""
        place = optional_column(self.columns, "actor", self.name)
        having = {place in (*file.places, *file.constants): file.path for file in self._good}
        if place is not None and len(having) == 2:
            raise DataError(
                f"{shown_path(having[True])}: has a column 'actor', so that only that actor is "
                f"judged, and {shown_path(having[False])} has none; judge them in two runs"
            )

    # --- Columns ---

    def _look_at(self, file: _File, survey: Survey, *, added: bool) -> None:
        """Read the columns of a file, before any record of any file."""
        nowhere = SimpleNamespace(add=lambda *_: None)  # bad records are read again
        try:
            with self._opened(file.path, nowhere if self._rejects else None) as table:
                file.columns = table.columns
                survey(table)
        except ExtraError:
            raise  # which concerns all files of its kind
        except DataError as error:
            if self._rejects is None:
                raise
            file.fault = error
        if added and self._file_column and self._file_column in file.columns:
            raise DataError(
                f"{shown_path(file.path)}: has a column '{shown(self._file_column)}', which "
                "answers on several inputs add; choose a prefix, such as --prefix stance_"
            )

    def _joined_columns(self) -> list[str]:
        """Place the columns of all files, and what their names say, in order of appearance."""
        joined = [self._file_column] * bool(self._file_column)
        start = len(joined)

        def place(name: str, beside: Sequence[str]) -> int:
            """Return where a column stands; one that differs in case alone joins another file's."""
            if name in joined:
                return joined.index(name)
            for pos, other in enumerate(joined[start:], start):
                if other not in beside and folded(other) == folded(name):
                    self._respelled[name] = other
                    return pos
            joined.append(name)
            return len(joined) - 1

        for file in self._good:
            fields = self._pattern.read(file.path) if self._pattern and file.path else {}
            file.places = [place(name, file.columns) for name in file.columns]
            file.constants = {place(name, [*fields]): fields[name] for name in fields}
            if start and file.path:
                file.constants[0] = cell_of(file.path)
            for pos in file.constants.keys() & set(file.places):
                del file.constants[pos]
        return joined

    # --- Records ---

    def _read(self) -> Generator[Records]:
        """Yield the records of all files; with `rejects`, put bad files aside."""
        for file in self._files:
            name = shown_path(file.path)
            self._begun.append((self.records_in, name))
            if self._rejects:
                self._rejects.file = cell_of(file.path) if file.path else ""
            try:
                if file.fault:
                    raise file.fault
                with self._opened(file.path, self._rejects) as table:
                    self._read_now = table
                    yield from self._records_of(file, table)
                    self._remember(table)
            except ExtraError:
                raise
            except DataError as error:
                if self._rejects is None:
                    raise
                self.records_in += 1  # the file counts as one bad record
                self._bad.append(str(error))
                self._rejects.add(0, "", str(error).removeprefix(f"{name}:").strip(), "")
            self._done, self._read_now = self._done + file.size, None

    def _records_of(self, file: _File, table: Table) -> Iterator[Records]:
        """Yield the records of a file with the columns and the numbers of the joined table."""
        if table.columns != file.columns:
            raise DataError(f"{table.name}: changed while it was read; run again")
        before = self.records_in
        if check := self.check:
            table.guard(lambda cells, line: check(self._row(file, cells), line))
        try:
            for block in table.blocks():
                self.records_in = before + table.records_in
                if size := len(block):  # of an article without text it is 0
                    numbers = [before + number for number in block.numbers]
                    yield Records(numbers, block.lines, self._spread(file, block.columns, size))
        finally:
            self.records_in = before + table.records_in

    def _spread(self, file: _File, columns: Sequence[list[str]], size: int) -> list[list[str]]:
        """Return the columns of some records where they stand in the joined table."""
        spread = [[file.constants.get(pos, "")] * size for pos in range(len(self.columns))]
        for pos, cells in zip(file.places, columns, strict=True):
            spread[pos] = cells
        return spread

    def _row(self, file: _File, cells: Sequence[str]) -> list[str]:
        return [cell for (cell,) in self._spread(file, [[cell] for cell in cells], 1)]

    # --- Notes ---

    def _remember(self, table: Table) -> None:
        """Keep what is to be told of a file that has been read to its end."""
        notes = [note.removeprefix(f"{table.name}: ") for note in table.notes]
        if isinstance(table, ArticleTable):
            self._articles.append(table.records_in)
            self._boilerplate.update(table.boilerplate)
            notes = [] if table.records_in else ["has no paragraph"]
        for note in notes:
            self._noted.setdefault(note, []).append(table.name)

    def _contents(self) -> Iterator[str]:
        """Yield what was noted while the files were read, the same of many files once."""
        if self._articles:
            paragraphs = count(sum(self._articles), "paragraph")
            left_out = boilerplate_note(self._boilerplate)
            yield f"{count(len(self._articles), 'article')} of {paragraphs} in all{left_out}"
        for note, names in list(self._noted.items())[:_NOTES]:
            yield f"{names[0]}{f' and {len(names) - 1:,} more' * (len(names) > 1)}: {note}"
        if len(self._noted) > _NOTES:
            yield f"and {len(self._noted) - _NOTES:,} more notes on single files"
        if self._bad:
            yield f"{count(len(self._bad), 'file')} read in part; each counts as one rejected row:"
        yield from self._bad

    def _differences(self) -> Iterator[str]:
        """Yield how names of files and of columns differ."""
        if pattern := self._pattern:
            paths = [file.path for file in self._good if file.path]
            unfit = [path for path in paths if not any(pattern.read(path).values())]
            if unfit:
                names = f"{count(len(unfit), 'file name')} (first: {shown_path(unfit[0])})"
                yield f"--name-pattern does not fit {names}, so its columns are empty there"
        for name, other in self._respelled.items():
            yield f"column '{shown(name)}' of some files is read as '{shown(other)}'"
