"""Public data sets, exports of annotation tools and other tables in, corpus tables out."""

import tomllib
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Unpack

from stance.corpus.rows import stance_spellings
from stance.display import count, shown, shown_path
from stance.errors import DataError, UsageError
from stance.files import DATA, check_output
from stance.importing import datasets, tools
from stance.importing.sources import Format, Import, Row, read_table
from stance.records import Form
from stance.settings import hint
from stance.tables import write_table

COLUMNS = ("id", "document", "actor", "spans", "stance", "text")
"""Columns that every imported corpus has; others follow as far as a row has them."""

_DESCRIBED = tomllib.loads((DATA / "imports.toml").read_text("utf-8"))
_READERS = {**vars(datasets), **vars(tools)}  # among others, of which `read_x` reads the format x
FORMATS = {n: Format(_READERS.get(f"read_{n}", read_table), **d) for n, d in _DESCRIBED.items()}
_OTHER_SHAPE = (LookupError, TypeError, ValueError, AttributeError, OverflowError)


def parse_map(option: str | None) -> dict[str, str]:
    """Read ``COLUMN=NAME,...`` as what a source calls our columns.

    >>> parse_map("text=body, actor=target")
    {'text': 'body', 'actor': 'target'}
    """
    pairs = [part.partition("=") for part in (option or "").split(",") if part.strip()]
    names = {ours.strip(): theirs.strip() for ours, _, theirs in pairs}
    if not all((*names, *names.values())) or len(pairs) > len({*names.values()}):
        what = f"--map: '{shown(option or '')}' is not COLUMN=NAME,..."
        raise UsageError(f"{what}; name each column once, such as text=body,actor=target")
    return names


def import_corpus(
    form: str, source: Path, target: Path, *,
    names: Mapping[str, str] | None = None, labels: Mapping[str, str] | None = None,
    actor: str | None = None, force: bool = False, **table: Unpack[Form],
) -> list[str]:  # fmt: skip
    """Convert a data set or an export to a corpus table; return what a user must know of it.

    ``form`` is one of `FORMATS`; the source is a file or, where the format has several, a folder.
    ``names`` is what the source calls our columns (see `parse_map`), ``labels`` are stances by its
    own spellings (see `stance.corpus.rows.parse_labels`), ``actor`` is that of all rows, ``table``
    is the form of a table. Raises `DataError` with file and line if the source is not of the
    format, and `UsageError` if there is no such format, or it takes no names.
    """
    if form not in FORMATS:
        near = hint(form, tuple(FORMATS), f"Choose among {', '.join(FORMATS)}.")
        raise UsageError(f"unknown format '{shown(form)}'. {near}")
    chosen = FORMATS[form]
    if names and not chosen.mapped:
        raise UsageError(f"--map: {form} has known columns; use it with table or a tool's export")
    if "stance" in (names or {}) and form in ("doccano", "prodigy"):
        raise UsageError(f"--map: {form} gives its labels no name; drop stance=")
    if len({"start", "end"} & {*(names or {})}) == 1:
        raise UsageError("--map: start and end are one place; map both")
    if actor is not None and (form != "table" or "actor" in (names or {})):
        raise UsageError("--actor is for a table without an actor column; drop --actor")
    unfit = [name for name, given in table.items() if given and name != "encoding"]
    if unfit and not chosen.columns:
        raise UsageError(f"--{unfit[0]} is about tables, which files of {form} are not; drop it")
    check_output(target, force=force, inputs=[source])
    known, name = stance_spellings(labels, chosen.stances), shown_path(source)
    job = Import(source, target, chosen, names or {}, known, table, actor, [*chosen.notes], name)
    try:
        rows = list(chosen.read(job))
    except (*_OTHER_SHAPE, SyntaxError, RecursionError) as error:  # absent, or of another type
        what = f"is not of the format {form} ({shown(str(error), 80)})"
        raise job.fault(f"has no {error}" if isinstance(error, KeyError) else what) from error
    if not rows:
        why = [*job.remarks()][-1] if job.unknown or job.left_out else chosen.advice
        raise DataError(f"{name}: no rows of {form} in it; {why}")
    if form != "table":  # whose cells stay as they are
        _align(rows)
    columns = [*COLUMNS, *dict.fromkeys(key for row in rows for key in row if key not in COLUMNS)]
    with write_table(target, columns, force=force) as writer:
        for row in rows:
            writer.write([row.get(column, "") for column in columns])
    notes = [line if line.startswith(str(source)) else f"{form}: {line}" for line in job.remarks()]
    return [*notes, f"{name}: {count(len(rows), 'row')} of {form} written to {target}"]


def _align(rows: list[Row]) -> None:
    """Give the codings of one pair the same spans: all places that any coder marked.

    Else coders who mark different mentions of an actor would seem to judge different pairs. A
    coder with two rows on a pair told its mentions apart; then spans stay as they are.
    """
    pairs = defaultdict[tuple[str | None, ...], list[Row]](list)
    for row in rows:
        if row.get("coder"):
            pairs[tuple(map(row.get, ("document", "id", "text", "actor")))].append(row)
    for coded in pairs.values():
        if len({row["coder"] for row in coded}) == len(coded) > 1:
            places = {place for row in coded for place in row.get("spans", "").split(";")}
            ordered = sorted(places - {""}, key=lambda place: [*map(int, place.split(":"))])
            for row in coded:
                row["spans"] = ";".join(ordered)
