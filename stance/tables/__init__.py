"""Tables in and out: CSV, JSON, Excel, Parquet or articles, each by its reader, in a stream."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Unpack, cast

from stance.display import count, shown, shown_path
from stance.errors import DataError, UsageError
from stance.files import ARTICLE_NAMES, SEPARATED_NAMES, bare_path, kind_suffix
from stance.records import Form, InputOptions
from stance.tables.articles import open_article, split_article
from stance.tables.columns import column, months_of, optional_column, rewrite_dates
from stance.tables.formats import json_kind, read_json, read_parquet, read_workbook
from stance.tables.inputs import Inputs, JoinedTable, cell_of, find_inputs
from stance.tables.output import Format, Rejects, TableWriter, table_format, write_table
from stance.tables.separated import read_separated
from stance.tables.sources import InputFile
from stance.tables.table import Fault, Record, Records, Table, folded

__all__ = ["FILE", "Fault", "Format", "InputOptions", "Inputs", "JoinedTable", "Record", "Records"]
__all__ += ["Rejects", "Table", "TableWriter", "cell_of", "column", "find_inputs", "form_of"]
__all__ += ["months_of", "open_inputs", "open_table", "optional_column", "rewrite_dates"]
__all__ += ["split_article", "table_format", "write_table"]

FILE = "file"  # the column that says where a record comes from
_LONG = 1500  # characters of a text that is more than a paragraph, if it has several lines
_MARKUP = ("</", "<br", "&nbsp;", "&amp;", "&quot;", "&#")


def form_of(options: object) -> Form:
    """Return what options of more than a table, such as `InputOptions`, say of its form."""
    return cast(Form, {name: getattr(options, name) for name in Form.__annotations__})


def open_table(
    path: Path | None, *,
    rejects: Rejects | None = None, actor: str | None = None, **form: Unpack[Form],
) -> Table:  # fmt: skip
    """Open a table, or standard input (None), and read its columns.

    A `delimiter` is one character, or ``tab``; None to detect it. With the `quoting` none, a quote
    is a character like others. No `encoding` is UTF-8, or what a byte order mark says. A `sheet` is
    one of a workbook's; None for the first. With an `actor`, there is a column for it; see
    `set_actor`. `rejects` takes bad records; without it the first raises `DataError`.

    Cells come back as they went in. An empty line is skipped, but in a table of one column it
    is an empty cell; both are noted. So are quotes inside an unquoted cell, if the record has its
    number of cells. A record of another width and a repeated header are bad records.
    """
    mark = _one_character(form.get("delimiter"))
    source = InputFile(path, binary=True)
    table = Table(source.name, reject=rejects.add if rejects else None)
    table.source = source
    try:
        if path and source.kind == "workbook":
            read_workbook(path, form.get("sheet"), table)
        elif path and source.kind == "parquet":
            read_parquet(path, table)
        else:
            head, suffix = source.decode(form.get("encoding")), kind_suffix(path)
            if kind := "" if suffix in SEPARATED_NAMES else json_kind(head, suffix):
                read_json(source, table, kind)
            else:
                default = "\t" if suffix in (".tsv", ".tab") else ","
                read_separated(source, table, mark, default, quotes=form.get("quoting") != "none")
        table.form += f", {count(len(table.columns), 'column')}"
        if actor is not None:
            set_actor(table, actor)
    except BaseException:
        source.close()
        raise
    return table


def set_actor(table: Table, actor: str, *, add: bool = True) -> None:
    """Make all rows about one actor: `add` a column `actor`; raise if there is one."""
    if not (actor := actor.strip()):
        raise UsageError("--actor is empty; name the actor that all rows are about")
    if (place := optional_column(table, "actor")) is not None:
        table.close()
        name = shown(table.columns[place], 40)
        raise DataError(f"{table.name}: column '{name}' says the actor of each row; drop --actor")
    if add:
        table.through(lambda part: replace(part, columns=[*part.columns, [actor] * len(part)]))
        table.columns = (*table.columns, "actor")


def _one_character(delimiter: str | None) -> str | None:
    if delimiter is None:
        return None
    mark = {"tab": "\t", "\\t": "\t"}.get(delimiter.lower(), delimiter)
    if len(mark) != 1 or mark in '"\r\n\0' or (not mark.isascii() and not mark.isprintable()):
        raise UsageError(f"--delimiter must be one character or 'tab', not '{shown(delimiter)}'")
    return mark


# --- Inputs --------------------------------------------------------------------------------------


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

    actor = options.actor_column or "actor"

    def opened(path: Path | None, rejects: Rejects | None) -> Table:
        is_table = options.delimiter or options.quoting or kind_suffix(path) not in ARTICLE_NAMES
        if is_table or path is None:
            return open_table(path, rejects=rejects, **form_of(options))
        document = cell_of(path) if inputs.several else bare_path(path).name
        return open_article(path, options, document, rejects.add if rejects else None)

    def survey(table: Table) -> None:
        column(table, options.text_column, "--text-column")
        optional_column(table, actor)  # raises if two may be meant

    if inputs.several:
        joined = JoinedTable(inputs, prefix + FILE, opened, survey, rejects)
        _check_names(joined, inputs.columns, actor)
    table = joined if inputs.several else opened(inputs.paths[0], rejects)
    if options.actor is not None:
        set_actor(table, options.actor, add=False)
    if (place := optional_column(table, options.text_column)) is not None:
        table.through(lambda chunk: _note_texts(chunk, table, place))
    return table


def _check_names(table: JoinedTable, earlier: Sequence[str], actor: str) -> None:
    """Raise if one of several files has the column that is added, or only some name the actor."""
    headers = {Path("the earlier output"): earlier} if earlier else {}
    headers |= table.headers
    if taken := [file for file, names in headers.items() if table.columns[0] in names]:
        what = f"has a column '{shown(table.columns[0])}', which answers for several inputs add"
        advice = "choose a prefix, such as --prefix stance_"
        raise DataError(f"{shown_path(taken[0])}: {what}; {advice}")
    naming = [file for file, names in headers.items() if folded(actor) in map(folded, names)]
    if naming and (others := [file for file in headers if file not in naming]):
        what = f"has a column '{shown(actor)}', and {shown_path(others[0])} has none"
        raise DataError(f"{shown_path(naming[0])}: {what}; judge them in two runs")


def _note_texts(chunk: Records, table: Table, place: int) -> Records:
    """Pass some records on, and note how many texts hold HTML or several paragraphs."""
    texts = chunk.columns[place]
    maybe = [n for n, text in enumerate(texts) if "<" in text or "&" in text]  # fast
    if having := [n for n in maybe if any(sign in texts[n] for sign in _MARKUP)]:
        what = "text: with HTML such as <b> or &nbsp;, which hides words; remove it"
        table.note(what, table.place(chunk, having[0]), len(having))
    if whole := [n for n, text in enumerate(texts) if len(text) > _LONG and "\n" in text.strip()]:
        what = "text: of several lines, judged as one paragraph; split long ones first"
        table.note(what, table.place(chunk, whole[0]), len(whole))
    return chunk
