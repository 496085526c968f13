"""Runs a model over a whole table: every row comes back, in order, whatever happens."""

import dataclasses
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, nullcontext
from dataclasses import dataclass
from itertools import chain, islice, repeat
from pathlib import Path

from stance.display import shown
from stance.errors import DataError, UsageError
from stance.files import check_output, is_device, same_file
from stance.model import abstention
from stance.model.judging import StanceModel
from stance.runs.answers import Layout, Tally, heads_of
from stance.runs.notes import abstention_notes, drift_notes
from stance.runs.parts import SIZE, Batch, Frame, Judged, Value, make_plan
from stance.runs.resume import Run
from stance.runs.workers import LocalCrew, Work, compute_here, compute_with
from stance.tables import (
    ArticleTable,
    Records,
    Rejects,
    Table,
    TableWriter,
    column,
    misnamed,
    open_input,
    table_format,
)

PART = 3000
"""Records of a part; the output does not depend on it."""

CHARACTERS = 8_000_000
"""Characters after which a part is full, so that records as long as books come in small parts."""

_ELSEWHERE = ("source", "target", "rejects", "force", "jobs", "resume", "cluster")
"""What the bytes of the output do not depend on, or what a plan knows otherwise."""


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
    keep_all : bool
        Whether page furniture of an article is kept.
    abstain : float or None
        Greatest share of wrong answers; see `stance.model.abstention`.
    explain : int
        Words to name beside each answer; 0 for no such column.
    jobs : int
        Processes, this one among them.
    resume : bool
        Go on with a run that was stopped.
    cluster : str or None
        Address of a Dask scheduler, whose workers do the work.
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
    keep_all: bool = False
    abstain: float | None = None
    explain: int = 0
    jobs: int = 1
    resume: bool = False
    cluster: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What a run did.

    Attributes
    ----------
    tally : Tally
    rows_in : int
        Records of the input, judged or rejected.
    rows_out : int
    rejected : int
    formulas : int
        Cells that a spreadsheet might run.
    notes : tuple of str
        What a user should be told of the input.
    """

    tally: Tally
    rows_in: int
    rows_out: int
    rejected: int
    formulas: int
    notes: tuple[str, ...]


Progress = Callable[[Tally, int, int | None], None]
"""Called after each part with the counts so far, bytes read, and bytes in all where known."""


def predict_table(
    model: StanceModel, job: Job, *, progress: Progress = lambda *_: None, size: int = PART
) -> Done:
    """Judge every record of a table and write the answers beside its cells.

    The table is cut into parts. Where there are more than one, and input and output are files,
    the finished ones are kept in a private folder beside the output until all are there, so that
    a run that was stopped can go on.

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
    WorkerError
        If a worker process dies on the same part again.
    UsageError
        If the job asks for what does not go together.
    AbstentionError
        If the model cannot keep to the share of wrong answers asked for.
    """
    _check(job)
    with ExitStack() as stack:
        run = stack.enter_context(_run(job))
        if run and run.was_ending:  # what has a name by now is the earlier run's own
            job = dataclasses.replace(job, force=job.force or run.owns_output)
        check_output(job.target, force=job.force, inputs=[job.source])
        rejects = None
        if job.rejects:
            force = job.force or (run is not None and run.was_ending)
            rejects = Rejects(job.rejects, force=force, inputs=[job.source])
            stack.enter_context(rejects)
        table = open_input(
            job.source,
            delimiter=job.delimiter,
            encoding=job.encoding,
            rejects=rejects,
            keep_all=job.keep_all,
        )
        stack.push(table.__exit__)
        tally, writer = _answer(model, job, table, run, progress, size)
        return Done(
            tally=tally,
            rows_in=table.records_in,
            rows_out=writer.rows,
            rejected=rejects.count if rejects else 0,
            formulas=writer.formulas,
            notes=(
                *table.notes,
                *_misnamed(job, table),
                *abstention_notes(model.calibration, job.abstain, tally),
                *drift_notes(model, tally),
            ),
        )


def _check(job: Job) -> None:
    if job.resume and not _between_files(job):
        raise UsageError("--resume needs files: here the input or the output is a stream")
    if job.explain < 0:
        raise UsageError(f"--explain must be 0 or more words, not {job.explain}")
    if job.jobs < 1:
        raise UsageError(f"--jobs must be 1 or more, not {job.jobs}")
    if (
        job.target
        and job.rejects
        and same_file(job.target, job.rejects)
        and not is_device(job.target)
    ):
        name = shown(str(job.rejects), 200)
        raise UsageError(f"{name}: is both the output and --rejects; give each a file of its own")


def _between_files(job: Job) -> bool:
    return all(path is not None and not is_device(path) for path in (job.source, job.target))


def _run(job: Job) -> AbstractContextManager[Run | None]:
    if job.target is None or is_device(job.target):
        return nullcontext()
    return Run(job.target, resume=job.resume, force=job.force)


def _answer(
    model: StanceModel,
    job: Job,
    table: Table | ArticleTable,
    run: Run | None,
    progress: Progress,
    size: int,
) -> tuple[Tally, TableWriter]:
    """Write the output, from the first part to the last."""
    frame = frame_of(job, table, model)
    if isinstance(table, Table) and frame.layout.spans is not None:
        table.guard(frame.layout.fault)
    if run and run.left:
        size = int(run.plan.get(SIZE) or size)
    batches = cut(table.blocks(), size)
    head = list(islice(batches, 2))
    works: Iterator[Work] = chain(head, batches)
    several = len(head) > 1
    del head
    keep = run if _between_files(job) and run and (run.left or several) else None
    local = job.jobs > 1 and job.cluster is None and several
    with LocalCrew(job.jobs - 1) if local else nullcontext() as crew:  # which begins meanwhile
        if keep and job.source:
            keep.begin(make_plan(model, job.source, size, _options(job)))
            works = map(_kept, works, repeat(keep))
        if crew:
            crew.equip(model, dataclasses.replace(frame, store=keep.store if keep else None))
        with closing(_parts(model, job, frame, crew, works)) as judged:
            return _write(job, frame, table, keep, judged, progress)


def _write(
    job: Job,
    frame: Frame,
    table: Table | ArticleTable,
    keep: Run | None,
    judged: Iterator[Judged],
    progress: Progress,
) -> tuple[Tally, TableWriter]:
    """Write parts to the output as they come."""
    tally = Tally()
    folder = keep.folder if keep else None
    with TableWriter(job.target, frame.form, force=job.force, folder=folder) as writer:
        for batch, part in judged:
            if keep:
                part = keep.whole(part)
            heads = heads_of(batch.records)
            blocks = part.lines.blocks(heads, frame.form.delimiter) if part.lines else ()
            writer.write_encoded(blocks, part.rows, part.formulas)
            tally.add(part.tally)
            progress(tally, table.bytes_read, table.bytes_total)
            del batch, part, heads, blocks  # or they would be there until the next part is
        if keep:
            keep.end(writer.inode)
    return tally, writer


def _options(job: Job) -> dict[str, Value]:
    """Return the options that the output's bytes depend on, by the names of the command line."""
    values = {
        f"--{field.name.replace('_', '-')}": getattr(job, field.name)
        for field in dataclasses.fields(job)
        if field.name not in _ELSEWHERE
    }
    return values | {"--rejects": job.rejects is not None}


def _kept(work: Work, run: Run) -> Work:
    """Return the part that an earlier run has made of some records with them."""
    if not run.left or not isinstance(work, Batch):
        return work
    kept = run.store.read(work.number)
    return Judged(work, dataclasses.replace(kept, lines=None)) if kept else work


def _parts(
    model: StanceModel, job: Job, frame: Frame, crew: LocalCrew | None, works: Iterator[Work]
) -> Generator[Judged, None, None]:
    if job.cluster is not None:
        from stance.runs.cluster import ClusterCrew  # only where the user names one

        with ClusterCrew(job.cluster, model, frame) as cluster:
            yield from compute_with(cluster, works)
    elif crew is not None:
        yield from compute_with(crew, works, crew.compute_here)
    else:
        yield from compute_here(model, frame, works)


def cut(blocks: Iterator[Records], size: int) -> Iterator[Batch | DataError]:
    """Cut blocks of records into numbered parts; what ends them early comes last."""
    part: list[Records] = []
    number, room, characters = 1, size, 0
    ended: list[DataError] = []
    try:
        for block in blocks:
            while block:
                more, block = block[:room], block[room:]
                part.append(more)
                room -= len(more)
                characters += more.characters
                if not room or characters >= CHARACTERS:
                    yield Batch(number, Records.joined(part))
                    part, number, room, characters = [], number + 1, size, 0
    except DataError as error:
        ended.append(error)
    if part:
        yield Batch(number, Records.joined(part))
    yield from ended


def _misnamed(job: Job, table: Table | ArticleTable) -> list[str]:
    optional = ("spans",) if job.actor_column else ("actor", "spans")
    return misnamed(table.columns, optional, table.name)


def frame_of(job: Job, table: Table | ArticleTable, model: StanceModel) -> Frame:
    """Return what all parts of a job have in common."""
    layout = layout_of(job, table, model)
    columns = (*table.columns, *layout.added())
    form = table_format(job.target, columns, excel_safe=job.excel_safe)
    return Frame(layout, form, table.name)


def layout_of(job: Job, table: Table | ArticleTable, model: StanceModel) -> Layout:
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
        text=column(table.columns, job.text_column, table.name, "--text-column"),
        actor=actor,
        spans=spans,
        wide=job.wide,
        prefix=job.prefix,
        actors=model.book.names,
        thresholds=abstention.thresholds(model.calibration, job.abstain),
        explain=job.explain,
    )
    if job.wide and actor is not None:
        raise DataError(
            f"{table.name}: has an actor column, so each row has one answer; leave --wide away"
        )
    layout.check(table.name)
    return layout
