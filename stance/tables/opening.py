"""Tables in: CSV, JSON, Excel or Parquet, each by its reader; nothing else opens one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Literal, TypedDict, Unpack

from stance.display import count, shown
from stance.errors import DataError, UsageError
from stance.tables.columns import optional_column
from stance.tables.json_lines import json_kind, read_json
from stance.tables.output import Rejects
from stance.tables.separated import read_separated
from stance.tables.sources import SEPARATED_NAMES, Source, kind_suffix
from stance.tables.table import Chunks, Table


class Form(TypedDict, total=False):
    """What a user says of a table's form; see `open_table`."""

    delimiter: str | None
    quoting: Literal["none"] | None
    encoding: str | None
    sheet: str | None
    actor: str | None


def open_table(path: Path | None, *, rejects: Rejects | None = None, **form: Unpack[Form]) -> Table:
    """Open a table, or standard input (None), and read its columns.

    A `delimiter` is one character, or ``tab``; None to detect it. With the `quoting` none, a quote
    is a character like others. No `encoding` is UTF-8, or what a byte order mark says. A `sheet` is
    one of a workbook's; None for the first. With an `actor`, there is a column for it; see
    `set_actor`. `rejects` takes bad records; without it the first raises `DataError`.

    Cells come back as they went in. An empty line is skipped, but in a table of one column it
    is an empty cell; both are noted. So are quotes inside an unquoted cell, if the record has its
    number of cells. A record of another width and a repeated header are bad records.
    """
    mark, sheet, actor = _one_character(form.get("delimiter")), form.get("sheet"), form.get("actor")
    source = Source(path, binary=True)
    table = Table(source.name, rejects.add if rejects else None, source)

    try:
        if source.kind in ("workbook", "parquet"):  # whose libraries are imported only then
            if source.kind == "workbook":
                import_module("stance.tables.excel").read_workbook(path, sheet, table)
            else:
                import_module("stance.tables.parquet").read_parquet(path, table)
            encoding = ""
        else:
            if sheet is not None:
                table.note("is not a workbook, so --sheet does not apply")
            _read_text(source, kind_suffix(path), table, mark, form)
            encoding = f", {source.encoding}" + f", {source.kind} compressed" * (
                source.kind != "text"
            )
        table.form += f", {count(len(table.columns), 'column')}{encoding}"
        if actor is not None:
            set_actor(table, actor)
    except BaseException:
        source.close()
        raise
    return table


def _read_text(source: Source, suffix: str, table: Table, mark: str | None, form: Form) -> None:
    if not source.first:
        source.refuse("is empty; a table begins with its column names")
    head = source.decode(form.get("encoding"))
    if kind := "" if suffix in SEPARATED_NAMES else json_kind(head, suffix):
        read_json(source, table, kind)
    else:
        default = "\t" if suffix in (".tsv", ".tab") else ","
        read_separated(source, table, mark, default, quotes=form.get("quoting") != "none")


def set_actor(table: Table, actor: str, *, add: bool = True) -> None:
    """Have a table be about one actor: `add` a column `actor`; raise if it has its own."""
    if not (actor := actor.strip()):
        raise UsageError("--actor is empty; name the actor that all rows are about")
    if (place := optional_column(table, "actor")) is not None:
        table.close()
        name = shown(table.columns[place], 40)
        raise DataError(f"{table.name}: column '{name}' says the actor of each row; drop --actor")

    def with_column(blocks: Chunks) -> Chunks:
        for block in blocks:
            yield replace(block, columns=[*block.columns, [actor] * len(block)])

    if add:
        table.through(with_column)
        table.columns = (*table.columns, "actor")


@contextmanager
def encoded_by(option: str) -> Iterator[None]:
    """Have errors name the option of another table's encoding, where --encoding is of the main."""
    try:
        yield
    except DataError as error:
        if " --encoding" not in error.args[0]:
            raise
        raise DataError(error.args[0].replace(" --encoding", f" {option}")) from error


def _one_character(delimiter: str | None) -> str | None:
    if delimiter is None:
        return None
    mark = {"tab": "\t", "\\t": "\t"}.get(delimiter.lower(), delimiter)
    if len(mark) != 1 or mark in '"\r\n\0' or (not mark.isascii() and not mark.isprintable()):
        raise UsageError(f"--delimiter must be one character or 'tab', not '{shown(delimiter)}'")
    return mark
