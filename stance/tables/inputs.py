"""Inputs opened as one table: a file as it is, several as a chain with their columns joined."""

from bisect import bisect
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from stance.display import count, shown, shown_path
from stance.errors import DataError, ExtraError, UsageError
from stance.tables.articles import boilerplate_note, is_article, open_article
from stance.tables.columns import column, optional_column
from stance.tables.folders import Inputs, cell_of, documents_of
from stance.tables.opening import Form, open_table, set_actor
from stance.tables.output import Rejects
from stance.tables.table import Records, Table, folded

FILE = "file"  # the column that says where a record comes from
_FORM = ("delimiter", "quoting", "encoding", "sheet")
_NOTES = 30  # lines on oddities of single files that are told

Open = Callable[[Path | None, Rejects | None], Table]
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


def open_inputs(
    inputs: Inputs, options: InputOptions, rejects: Rejects | None = None, *, prefix: str = ""
) -> Table:
    """Open inputs as one table, whose records are numbered over all of them.

    One file is read as it is. Of several, columns are joined in order of first appearance, after a
    column `file`, its name after the `prefix`; what a file does not have is an empty cell. With
    `rejects`, a file that cannot be read is one bad record; without, it raises `DataError`, if
    possible before any record is read.
    """
    if options.actor is not None and options.actor_column is not None:
        raise UsageError("--actor and --actor-column both say which actor to judge; drop one")
    documents = documents_of(inputs.paths) if inputs.several else {}
    with_file = ""  # a file that has a column of this name
    with_actor: dict[bool, str] = {}  # a file that has a column for the actor, and one that has not

    def opened(path: Path | None, rejects: Rejects | None) -> Table:
        if path is None or options.delimiter or options.quoting or not is_article(path):
            form = {name: getattr(options, name) for name in _FORM}
            return open_table(path, rejects=rejects, **cast(Form, form))
        return open_article(
            path,
            encoding=options.encoding,
            keep_all=options.keep_all,
            text_column=options.text_column,
            document=documents.get(path),
        )

    def survey(table: Table) -> None:
        nonlocal with_file
        column(table, options.text_column, "--text-column")
        if options.actor_column is None:
            with_actor[optional_column(table, "actor") is not None] = table.name
        if prefix + FILE in table.columns:
            with_file = with_file or table.name

    table = opened(inputs.paths[0], rejects) if not inputs.several else None
    table = table or JoinedTable(inputs, prefix + FILE, opened, survey, rejects)
    if with_file:
        raise DataError(
            f"{with_file}: has a column '{shown(prefix + FILE)}', which answers for several inputs "
            "add; choose a prefix, such as --prefix stance_"
        )
    if len(with_actor) == 2:
        raise DataError(
            f"{with_actor[True]}: has a column 'actor', so that only that actor is judged, and "
            f"{with_actor[False]} has none; judge them in two runs"
        )
    if options.actor is not None:
        set_actor(table, options.actor, add=False)
    return table


def join_tables(inputs: Inputs, survey: Survey, form: Form, prefix: str = "") -> Table:
    """Open several tables as one, whose column `file` names the table of a record that has none.

    The column's name stands after the `prefix`, as in `open_inputs`.

    `survey` gets each table before any record is read: it raises if the table cannot be used.
    """
    return JoinedTable(inputs, prefix + FILE, lambda path, _: open_table(path, **form), survey)


class JoinedTable(Table):
    """Several files as one table: their columns are looked at first, then their records read.

    The column `name` says which file a record is of, unless a column of the file does.
    """

    several = True

    def __init__(
        self,
        inputs: Inputs,
        name: str,
        opened: Open,
        survey: Survey,
        rejects: Rejects | None = None,
    ) -> None:
        super().__init__(inputs.name)
        self._opened, self._rejects = opened, rejects
        self._sizes = {path: _bytes_of(path) for path in inputs.paths if path}
        self._headers = {path: self._look_at(path, survey) for path in self._sizes}
        self._places = dict[Path, list[int]]()  # of each file's columns
        self._join(name)
        self.chunks = self._read()
        self._begun: list[tuple[int, str]] = []  # records before each file, and its name
        self._noted: dict[str, list[str]] = {}  # names of files by what is noted of them
        self._bad, self._articles, self._boilerplate = list[str](), list[int](), Counter[str]()
        self._read_now: Table | None = None
        self._done = 0  # bytes of files that have been read

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines on what the files hold, what is odd about them, and which cannot be read."""
        return (*self._contents(), *super().notes)

    def progress(self) -> tuple[int, int]:
        """Return the bytes read so far, and those of all files."""
        now = self._read_now.progress()[0] if self._read_now else 0
        return self._done + now, sum(self._sizes.values())

    def file_of(self, number: int) -> str:
        """Return the file that a record comes from."""
        pos = bisect(self._begun, number - 1, key=lambda begun: begun[0])
        return self._begun[pos - 1][1] if pos else self.name

    # --- Columns ---

    def _look_at(self, path: Path, survey: Survey) -> tuple[str, ...] | DataError:
        """Return the columns of a file, before any record of any file, or why it has none."""
        try:
            with self._opened(path, None) as table:
                survey(table)
                return table.columns
        except ExtraError:
            raise  # which concerns all files of its kind
        except DataError as error:
            if self._rejects is None:
                raise
            return error

    def _join(self, first: str) -> None:
        """Place the columns of all files in order of appearance, after the first.

        A name that differs in case alone from one of another file joins its column.
        """
        joined = [first]
        for path, header in self._headers.items():
            columns = () if isinstance(header, DataError) else header
            for name in columns:
                others = (other for other in joined[1:] if other not in columns)
                alike = (other for other in others if folded(other) == folded(name))
                ours = name if name in joined else next(alike, name)
                if ours not in joined:
                    joined.append(ours)
                if ours != name:
                    self.respelled[ours] = name
                self._places.setdefault(path, []).append(joined.index(ours))
        self.columns = tuple(joined)

    # --- Records ---

    def _read(self) -> Generator[Records]:
        """Yield the records of all files; with `rejects`, put bad files aside."""
        for path, header in self._headers.items():
            name = shown_path(path)
            self._begun.append((self.records_in, name))
            if self._rejects:
                self._rejects.file = cell_of(path)
            try:
                if isinstance(header, DataError):
                    raise header
                with self._opened(path, self._rejects) as table:
                    if table.columns != header:
                        raise DataError(f"{table.name}: changed while it was read; run again")
                    self._read_now = table
                    yield from self._records_of(path, table)
                    self._remember(table)
            except ExtraError:
                raise
            except DataError as error:
                if self._rejects is None:
                    raise
                self.records_in += 1  # the file counts as one bad record
                self._bad.append(str(error))
                self._rejects.add(0, "", str(error).removeprefix(f"{name}:").strip(), "")
            self._done, self._read_now = self._done + self._sizes[path], None

    def _records_of(self, path: Path, table: Table) -> Iterator[Records]:
        """Yield the records of a file with the columns and the numbers of the joined table."""
        before, places, cell = self.records_in, self._places[path], cell_of(path)

        def spread(columns: Sequence[list[str]], size: int) -> list[list[str]]:
            """Return the columns of some records where they stand in the joined table."""
            spread = [[cell] * size, *([""] * size for _ in self.columns[1:])]
            for pos, cells in zip(places, columns, strict=True):
                spread[pos] = cells
            return spread

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

    # --- Notes ---

    def _remember(self, table: Table) -> None:
        """Keep what is to be told of a file that has been read to its end."""
        notes = [note.removeprefix(f"{table.name}: ") for note in table.notes]
        if table.boilerplate is not None:
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
            files = count(len(self._bad), "file")
            yield f"{files} not read to the end; each counts as one rejected row:"
        yield from self._bad


def _bytes_of(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0
