"""Judges every record of a table: every row comes back, in order, whatever happens."""

import dataclasses
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TypeGuard

from stance.display import shown, shown_path
from stance.errors import DataError, UsageError, WorkerError
from stance.files import AtomicGroup, check_output, is_device, same_file
from stance.model.abstention import thresholds
from stance.model.judging import StanceModel
from stance.runs.answers import OutputColumns, Tally
from stance.runs.checkpoints import RunFolder
from stance.runs.fingerprint import Value, fingerprint
from stance.runs.notes import abstention_notes, drift_notes, silence_notes, voice_notes
from stance.runs.workers import (
    Answered,
    Batch,
    Part,
    RunConfig,
    Work,
    WorkerPool,
    compute,
    compute_in_order,
    cut,
)
from stance.tables import (
    DateColumn,
    Reading,
    Records,
    Rejects,
    Table,
    TableWriter,
    column,
    find_dates,
    find_inputs,
    likely,
    open_inputs,
    optional_column,
    read_as,
    table_format,
)

PART = 3000  # records of a part; the output does not depend on it
_OR_ELSE = ", or use --rejects FILE"


@dataclass(frozen=True, slots=True)
class Input:
    """What to judge, and how to read it."""

    paths: tuple[Path | None, ...]  # files and folders; None is standard input
    reading: Reading = field(default_factory=Reading)
    rejects: Path | None = None  # takes bad records and files; None to stop at the first


@dataclass(frozen=True, slots=True)
class Output:
    """Where the answers go; their bytes do not depend on it."""

    path: Path | None  # None is standard output
    force: bool = False  # replace existing files
    resume: bool = False  # go on with a run that was stopped


@dataclass(frozen=True, slots=True)
class Options:
    """How to answer, and what to write; like the input, part of a run's fingerprint."""

    wide: bool = False  # one row per input row, and columns per actor
    prefix: str = ""  # of the names of new columns
    abstain: float | None = None  # greatest share of wrong answers; see `stance.model.abstention`
    voice: str = ""  # "author" to withhold stances that are not the author's own
    explain: int = 0  # words to name beside each answer
    excel_safe: bool = False  # quote cells that a spreadsheet would run


@dataclass(frozen=True, slots=True)
class Done:
    """What a run did."""

    tally: Tally
    rows_in: int  # judged or rejected
    rows_out: int
    rejected: int
    formulas: int  # cells that a spreadsheet might run
    notes: tuple[str, ...]  # on the input, for the user
    warnings: tuple[str, ...]  # those on stances that the model never answers


# Called after each part with the counts so far, bytes read, and bytes in all where known.
Progress = Callable[[Tally, int, int | None], None]
_DEFAULTS = Options()


def predict_table(
    model: StanceModel,
    source: Input,
    target: Output,
    options: Options = _DEFAULTS,
    *,
    jobs: int = 1,
    pool: WorkerPool | None = None,
    cluster: str | None = None,
    progress: Progress = lambda *_: None,
    size: int = PART,
) -> Done:
    """Judge every record of the inputs and write the answers beside its cells.

    They are cut into parts of `size` records, computed by so many `jobs`, by a `pool` that has
    been started ahead, or by the workers of the Dask scheduler at the address `cluster`. If there
    are several parts, and input and output are files, finished ones are kept in a private folder
    beside the output until all are there, so that a run that was stopped can go on.

    Raises `DataError` if the input cannot be used, `OutputError` if the output cannot be written
    (nothing is then under its name), `UsageError` if options contradict each other,
    `AbstentionError` if the model cannot keep to the share of wrong answers asked for,
    `WorkerError` if a worker dies on the same part again, and `Finished` if all is done already.
    """
    _check(model, source, target, options, jobs)
    inputs = find_inputs(source.paths, source.reading.include)
    with ExitStack() as stack:
        run = None
        if _is_file(target.path):
            run = RunFolder(target.path, resume=target.resume, force=target.force)
            stack.enter_context(run)
        force = target.force or bool(run and run.renamed)
        check_output(target.path, force=force, inputs=inputs.paths)
        group = stack.enter_context(AtomicGroup())
        rejects = None
        if source.rejects is not None:
            over = target.force or bool(run and run.renaming)
            bad = Rejects(source.rejects, force=over, inputs=inputs.paths, several=inputs.several)
            rejects = stack.enter_context(group.part(bad))
        opened = open_inputs(
            inputs, source.reading, rejects, prefix=options.prefix, or_else=_OR_ELSE
        )
        table = stack.enter_context(opened)
        config, dates, blocks = make_config(model, source, target, options, table)
        size = (run and run.size) or size
        parts = cut(blocks, size)
        first = list(islice(parts, 2))
        several = len(first) > 1
        keep = run if all(map(_is_file, inputs.paths)) else None
        if keep and (several or keep.resuming):
            keep.begin(fingerprint(model, inputs, size, _by_option(source, options)))
        else:
            keep = None
        works = _with_kept(chain(first, parts), keep)
        answered = _compute(
            model, config, works, keep, (jobs, pool, cluster) if several else (1, None, cluster)
        )
        writer = TableWriter(
            target.path,
            config.form,
            force=force,
            folder=keep.folder if keep else None,
            originals=() if rejects and inputs.several else inputs.paths,
        )
        with group.part(writer):
            tally = _write(answered, writer, config, table, progress)
            put_aside = rejects.count if rejects else 0
            if tally.rows + put_aside != table.records_in:  # the last word before it has its name
                lost = f"{table.records_in:,} in, {tally.rows:,} judged, {put_aside:,} rejected"
                raise WorkerError(f"{table.name}: rows were lost ({lost}); run again")
            if keep:
                keep.end(writer.inode)
        silent = silence_notes(model, options.abstain)
        return Done(
            tally=tally,
            rows_in=table.records_in,
            rows_out=writer.rows,
            rejected=put_aside,
            formulas=writer.formulas,
            notes=(
                *inputs.notes,
                *_read_notes(source.reading, table, dates, has_terms=model.book.has_terms),
                *abstention_notes(model, options.abstain, tally),
                *silent,
                *voice_notes(options.voice, tally),
                *drift_notes(model, tally, options.abstain),
            ),
            warnings=silent,
        )


def _check(model: StanceModel, source: Input, target: Output, options: Options, jobs: int) -> None:
    """Raise if the arguments contradict each other."""
    if target.resume and not all(map(_is_file, (*source.paths, target.path))):
        raise UsageError("--resume needs files: here the input or the output is a stream")
    if options.explain < 0:
        raise UsageError(f"--explain must be 0 or more words, not {options.explain}")
    if jobs < 1:
        raise UsageError(f"--jobs must be 1 or more, not {jobs}")
    if source.rejects and _is_file(target.path) and same_file(target.path, source.rejects):
        name = shown_path(source.rejects)
        raise UsageError(f"{name}: is both the output and --rejects; give each a file of its own")
    if options.voice and model.holder is None:
        raise DataError(
            "--voice: the model cannot say whose stance it is, since its corpus had no column "
            "holder; drop --voice, or train on one that has"
        )


def _is_file(path: Path | None) -> TypeGuard[Path]:
    """Return whether a path is neither a standard stream nor a device."""
    return path is not None and not is_device(path)


def make_config(
    model: StanceModel, source: Input, target: Output, options: Options, table: Table
) -> tuple[RunConfig, DateColumn | None, Iterator[Records]]:
    """Return what all parts have in common, dates that an alias depends on, and the records."""
    columns, name, reading = table.columns, table.name, source.reading
    if reading.actor_column is not None:
        actor: int | None = column(columns, reading.actor_column, name, "--actor-column")
    else:
        actor = optional_column(columns, "actor", name)
    asked = (reading.actor or "").strip() if actor is None else ""
    paired = asked or actor is not None
    output = OutputColumns(
        columns=columns,
        text=column(columns, reading.text_column, name, "--text-column"),
        actor=actor,
        asked=asked,
        spans=optional_column(columns, "spans", name) if paired else None,
        wide=options.wide,
        prefix=options.prefix,
        actors=model.book.names,
        thresholds=thresholds(model.calibration, options.abstain),
        voice=options.voice,
        explain=options.explain,
    )
    output.check(name)
    if output.spans is not None:
        table.guard(output.fault)
    if reading.date_column is not None:
        column(columns, reading.date_column, name, "--date-column")  # raises
    if dates := find_dates(table, reading) if model.book.has_terms else None:
        blocks = dates.blocks(table.blocks())  # which decides how they are read
        output = dataclasses.replace(output, date=dates.at, reading=dates.reading)
    else:
        blocks = table.blocks()
    written, types = (*columns, *output.added()), output.types()
    form = table_format(target.path, written, excel_safe=options.excel_safe, types=types)
    return RunConfig(output, form, name), dates, blocks


def _read_notes(
    reading: Reading, table: Table, dates: DateColumn | None, *, has_terms: bool
) -> Iterator[str]:
    """Yield how the table was read: its columns, and which dates decide about leaders."""
    yield from table.notes
    wanted = [reading.text_column, reading.actor_column or "actor", "spans"]
    yield from read_as(table.columns, wanted, table.name)
    if dates is not None:
        name = shown(table.columns[dates.at], 40)
        yield f"leaders count only while in office, by the dates in column '{name}'"
        yield from dates.notes()
    elif has_terms and (meant := likely(table.columns, "date")):
        said = "leaders count at any time, for there is no column 'date'; did you mean"
        yield f"{said} --date-column '{shown(meant[0], 40)}'?"


def _by_option(source: Input, options: Options) -> dict[str, Value]:
    """Return what the bytes of the output depend on, by the names of the command line."""
    values = dataclasses.asdict(source.reading) | dataclasses.asdict(options)
    del values["include"]  # the fingerprint has each file
    values["rejects"] = source.rejects is not None
    return {f"--{name.replace('_', '-')}": value for name, value in values.items()}


def _with_kept(works: Iterator[Batch | DataError], run: RunFolder | None) -> Iterator[Work]:
    """Yield parts that an earlier run made of these records, else the records."""
    for work in works:
        kept = run.kept(work) if run and run.resuming and isinstance(work, Batch) else None
        yield Answered(work, kept) if kept and isinstance(work, Batch) else work
        del work, kept  # or they would be there until the next are


def _compute(
    model: StanceModel,
    config: RunConfig,
    works: Iterator[Work],
    run: RunFolder | None,
    workers: tuple[int, WorkerPool | None, str | None],
) -> Generator[Answered]:
    """Compute parts where the user asks for it, and keep each as soon as it is there."""
    keep = run.keep if run else lambda part: part
    jobs, pool, cluster = workers

    def here(batch: Batch) -> Part:
        return keep(compute(model, config, batch))

    if cluster is not None:
        from stance.runs.cluster import ClusterPool  # only where the user names one

        with ClusterPool(cluster, model, config) as remote:
            yield from compute_in_order(
                works, here, partial(remote.submit, keep=keep), remote.ahead
            )
    elif pool or jobs > 1:
        with pool or WorkerPool(jobs - 1) as crew:
            crew.prepare(model, config)
            yield from compute_in_order(works, here, partial(crew.submit, keep=keep), crew.ahead)
    else:
        yield from compute_in_order(works, here)


def _write(
    answered: Generator[Answered],
    writer: TableWriter,
    config: RunConfig,
    table: Table,
    progress: Progress,
) -> Tally:
    """Write parts to the output as they come."""
    tally = Tally()
    with closing(answered):
        for batch, part in answered:
            cells = config.columns.input_cells(batch.records)
            blocks = part.encoded.blocks(cells, writer.format.delimiter)
            writer.write_encoded(blocks, part.rows, part.formulas)
            tally.add(part.tally)
            progress(tally, table.bytes_read, table.bytes_total)
            del batch, part, cells, blocks  # or they would be there until the next part is
    return tally
