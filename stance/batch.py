"""Runs a model over a whole table in a stream: every row comes back, in order."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from stance.answers import Layout, Tally, answer_rows
from stance.errors import DataError
from stance.model import StanceModel
from stance.output import Rejects, write_table
from stance.tables import Record, Table, column, open_table

PART = 1000
"""Records of a part; the output does not depend on it."""


@dataclass(frozen=True, slots=True)
class Job:
    """A table to be judged.

    Attributes
    ----------
    source, target : Path or None
        Input and output tables; None is standard input or output.
    text_column, actor_column : str
    wide : bool
        One row per input row, and columns per actor.
    prefix : str
        Put before the names of new columns.
    delimiter, encoding : str or None
        Of the input; None to detect them.
    rejects : Path or None
        Takes bad records.
    force : bool
        Whether existing files may be replaced.
    excel_safe : bool
        Whether cells that a spreadsheet would run are quoted.
    """

    source: Path | None
    target: Path | None
    text_column: str = "text"
    actor_column: str | None = None
    wide: bool = False
    prefix: str = ""
    delimiter: str | None = None
    encoding: str | None = None
    rejects: Path | None = None
    force: bool = False
    excel_safe: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What a run did.

    Attributes
    ----------
    tally : Tally
    rows_out : int
    rejected : int
    formulas : int
        Cells that a spreadsheet might run.
    notes : tuple of str
        What a user should be told of the input.
    """

    tally: Tally
    rows_out: int
    rejected: int
    formulas: int
    notes: tuple[str, ...]


Progress = Callable[[Tally, int, int | None], None]
"""Called after each part with the counts so far, bytes read, and bytes in all where known."""


def layout_of(job: Job, table: Table, model: StanceModel) -> Layout:
    """Find the columns that a job needs.

    Raises
    ------
    DataError
        If one is missing, or a new column would collide with one of the input.
    """
    actor: int | None = None
    if job.actor_column is not None:
        actor = column(table.columns, job.actor_column, table.name)
    elif "actor" in table.columns:
        actor = table.columns.index("actor")
    spans = table.columns.index("spans") if "spans" in table.columns and actor is not None else None
    layout = Layout(
        columns=table.columns,
        text=column(table.columns, job.text_column, table.name),
        actor=actor,
        spans=spans,
        wide=job.wide,
        prefix=job.prefix,
        actors=model.book.names,
    )
    if job.wide and actor is not None:
        raise DataError(
            f"{table.name}: has an actor column, so each row has one answer; leave --wide away"
        )
    layout.check(table.name)
    return layout


def parts(records: Iterator[Record], size: int = PART) -> Iterator[list[Record]]:
    """Cut a stream of records into lists."""
    while part := list(islice(records, size)):
        yield part


def predict_table(
    model: StanceModel, job: Job, *, progress: Progress = lambda *_: None, size: int = PART
) -> Done:
    """Judge every record of a table and write the answers beside its cells.

    Parameters
    ----------
    model : StanceModel
    job : Job
    progress : callable, optional
    size : int
        Records of a part.

    Raises
    ------
    DataError
        If the input cannot be used.
    OutputError
        If the output cannot be written; nothing is then under its name.
    """
    with ExitStack() as stack:
        rejects = None
        if job.rejects:
            rejects = Rejects(job.rejects, force=job.force, inputs=[job.source])
            stack.enter_context(rejects)
        with open_table(
            job.source, delimiter=job.delimiter, encoding=job.encoding, rejects=rejects
        ) as table:
            layout = layout_of(job, table, model)
            columns = (*table.columns, *layout.added())
            tally = Tally()
            with write_table(
                job.target,
                columns,
                force=job.force,
                excel_safe=job.excel_safe,
                inputs=[job.source, job.rejects],
            ) as writer:
                for part in parts(iter(table), size):
                    rows, counted = answer_rows(model, layout, part, table.name)
                    for row in rows:
                        writer.write(row)
                    tally.add(counted)
                    progress(tally, table.bytes_read, table.bytes_total)
            return Done(
                tally=tally,
                rows_out=writer.rows,
                rejected=rejects.count if rejects else 0,
                formulas=writer.formulas,
                notes=table.notes,
            )
