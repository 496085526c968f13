"""Inputs opened as one table: a file as it is, several with their columns joined."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stance.display import shown
from stance.errors import DataError, UsageError
from stance.tables._folders import Inputs, NamePattern, articles_of
from stance.tables._joined import JoinedTable, Survey
from stance.tables.articles import is_article, open_article
from stance.tables.columns import column, likely, optional_column
from stance.tables.output import Rejects
from stance.tables.records import RejectSink
from stance.tables.sources import EncodingError
from stance.tables.table import Form, Table, open_table, set_actor

FILE = "file"  # the column that says where a record comes from


@dataclass(frozen=True, slots=True)
class Reading:
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
    reading: Reading,
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
    if reading.actor is not None and reading.actor_column is not None:
        raise UsageError("--actor and --actor-column both say which actor to judge; drop one")
    pattern = NamePattern(reading.name_pattern) if reading.name_pattern else None
    documents = articles_of(inputs.paths) if inputs.several else {}

    def surveyed(table: Table) -> int:
        column(table.columns, reading.text_column, table.name, "--text-column")
        return len(table.columns)

    def opened(
        path: Path | None, sink: RejectSink | None, encoding: str | None = reading.encoding
    ) -> Table:
        if path is not None and not (reading.delimiter or reading.quoting) and is_article(path):
            return open_article(
                path,
                encoding=encoding,
                keep_all=reading.keep_all,
                text_column=reading.text_column,
                document=documents.get(path),
                fields=pattern.read(path) if pattern else {},
            )
        form: Form = {
            "delimiter": reading.delimiter,
            "quoting": reading.quoting,
            "encoding": encoding,
            "sheet": reading.sheet,
        }
        try:
            return open_table(path, rejects=sink, or_else=or_else, **form)
        except EncodingError as error:
            if path is None or not error.guessed:
                raise
            further = ""
            with suppress(DataError), opened(path, sink, error.guessed) as table:
                further = _further_options(table, reading)
            raise DataError(f"{error}{further}") from error

    table: Table
    if not inputs.several and pattern is None:
        table = opened(inputs.paths[0], rejects)
    else:
        name = prefix + FILE if inputs.several else ""
        joined = JoinedTable(inputs, name, opened, surveyed, pattern, rejects, added=True)
        if reading.actor_column is None:
            joined.refuse_mixed_actors()
        table = joined
    if reading.actor is not None:
        set_actor(table, reading.actor, add=False)
    return table


def _further_options(table: Table, reading: Reading) -> str:
    """Return the options that a table needs besides its encoding, as far as its names say."""
    found = ""
    for name, asked in (("text", reading.text_column), ("date", reading.date_column or "date")):
        if optional_column(table.columns, asked, table.name) is None:
            meant = likely(table.columns, asked)
            found += f" --{name}-column '{shown(meant[0])}'" if meant else ""
    return found


def join_tables(inputs: Inputs, survey: Survey, form: Form, prefix: str = "") -> Table:
    """Open several tables as one, whose column `file` names the table of a record that has none.

    The column's name stands after the `prefix`, as in `open_inputs`.

    `survey` gets each table before any record is read: it raises if the table cannot be used, and
    returns how many of its columns come before the last ones of all tables.
    """

    def opened(path: Path | None, _: RejectSink | None) -> Table:
        return open_table(path, **form)

    return JoinedTable(inputs, prefix + FILE, opened, survey)
