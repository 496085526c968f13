"""Judges every record of a table: every row comes back, in order, whatever happens."""

import dataclasses
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import chain, islice, repeat
from pathlib import Path
from typing import TypeGuard

from stance.display import shown, shown_path
from stance.errors import DataError, UsageError, WorkerError
from stance.files import check_output, is_device, same_file
from stance.model.abstention import thresholds
from stance.model.judging import StanceModel
from stance.runs.answers import Layout, Tally, heads_of
from stance.runs.notes import abstention_notes, drift_notes, silence_notes, voice_notes
from stance.runs.parts import Batch, Frame, Judged, Work, compute, cut
from stance.runs.plan import Value, make_plan
from stance.runs.resume import Leftover, Run
from stance.runs.workers import LocalCrew, compute_here, compute_with
from stance.tables import (
    DateColumn,
    Inputs,
    Reading,
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
    """How to answer, and what to write; like the input, part of a resumable run's plan."""

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
    crew: LocalCrew | None = None,
    cluster: str | None = None,
    progress: Progress = lambda *_: None,
    size: int = PART,
) -> Done:
    """Judge every record of the inputs and write the answers beside its cells.

    They are cut into parts of `size` records, computed by so many `jobs`, this process among
    them, by this process and a `crew` that has been started ahead, or by the workers of the Dask
    scheduler at the address `cluster`. If there are several parts, and input and output are
    files, finished ones are kept in a private folder beside the output until all are there, so
    that a run that was stopped can go on.

    Raises `DataError` if the input cannot be used, `OutputError` if the output cannot be written
    (nothing is then under its name), `UsageError` if options contradict each other,
    `AbstentionError` if the model cannot keep to the share of wrong answers asked for, and
    `WorkerError` if a worker dies on the same part again.
    """
    _check(source, target, options, jobs)
    inputs = find_inputs(source.paths, source.reading.include)
    if options.voice and model.holder is None:
        raise DataError(
            "--voice: the model cannot say whose stance it is, since its corpus had no column "
            "holder; drop --voice, or train on one that has"
        )
    with ExitStack() as stack:
        run = None
        if _is_file(target.path):
            run = stack.enter_context(Run(target.path, resume=target.resume, force=target.force))
        left = run.left if run else Leftover()
        force = target.force or left.output
        check_output(target.path, force=force, inputs=inputs.paths)
        rejects = _open_rejects(source.rejects, inputs, force=target.force or left.renaming)
        if rejects:
            stack.enter_context(rejects)
        table = stack.enter_context(
            open_inputs(inputs, source.reading, rejects, prefix=options.prefix, or_else=_OR_ELSE)
        )
        frame = make_frame(model, source, target, options, table)
        if frame.layout.spans is not None:
            table.guard(frame.layout.fault)
        dates, blocks = _find_dates(model, source.reading, table), table.blocks()
        if dates:
            blocks = dates.blocks(blocks)
            layout = dataclasses.replace(frame.layout, date=dates.at, reading=dates.reading)
            frame = dataclasses.replace(frame, layout=layout)
        size = left.size or size
        parts = cut(blocks, size)
        head = list(islice(parts, 2))
        works: Iterator[Work] = chain(head, parts)
        several = len(head) > 1
        keep = run if all(map(_is_file, inputs.paths)) and (left.parts or several) else None
        crew = crew or LocalCrew(jobs - 1 if several and cluster is None else 0)
        if several and crew.limit:
            stack.enter_context(crew).send(model)  # is read there while the input is hashed here
        if keep:
            keep.begin(make_plan(model, inputs, size, _by_option(source, options)))
            works = map(_kept, works, repeat(keep))
        judged = _compute(model, frame, works, crew if several else None, cluster, keep)
        writer = TableWriter(
            target.path,
            frame.form,
            force=force,
            folder=keep.folder if keep else None,
            originals=() if rejects and inputs.several else inputs.paths,
        )
        with writer:
            tally = _write(judged, writer, keep, table, progress)
            put_aside = rejects.count if rejects else 0
            if tally.rows + put_aside != table.records_in:  # the last word before it has its name
                found = f"{table.records_in:,} in, {tally.rows:,} judged, {put_aside:,} rejected"
                raise WorkerError(f"{table.name}: rows were lost ({found}); run again")
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


def _open_rejects(path: Path | None, inputs: Inputs, *, force: bool) -> Rejects | None:
    if path is None:
        return None
    return Rejects(path, force=force, inputs=inputs.paths, several=inputs.several)


def _find_dates(model: StanceModel, reading: Reading, table: Table) -> DateColumn | None:
    """Return the table's dates if some alias of the actor book depends on them."""
    if reading.date_column is not None:
        column(table.columns, reading.date_column, table.name, "--date-column")  # raises
    return find_dates(table, reading) if model.book.has_terms else None


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


def _check(source: Input, target: Output, options: Options, jobs: int) -> None:
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


def _is_file(path: Path | None) -> TypeGuard[Path]:
    """Return whether a path is neither a standard stream nor a device."""
    return path is not None and not is_device(path)


def make_frame(
    model: StanceModel, source: Input, target: Output, options: Options, table: Table
) -> Frame:
    """Return what all parts have in common: columns, and the format of the output."""
    columns, name = table.columns, table.name
    if source.reading.actor_column is not None:
        actor: int | None = column(columns, source.reading.actor_column, name, "--actor-column")
    else:
        actor = optional_column(columns, "actor", name)
    asked = (source.reading.actor or "").strip() if actor is None else ""
    paired = asked or actor is not None
    spans = optional_column(columns, "spans", name) if paired else None
    layout = Layout(
        columns=columns,
        text=column(columns, source.reading.text_column, name, "--text-column"),
        actor=actor,
        asked=asked,
        spans=spans,
        wide=options.wide,
        prefix=options.prefix,
        actors=model.book.names,
        thresholds=thresholds(model.calibration, options.abstain),
        voice=options.voice,
        explain=options.explain,
    )
    layout.check(name)
    written = (*columns, *layout.added())
    safe, types = options.excel_safe, layout.types()
    return Frame(layout, table_format(target.path, written, excel_safe=safe, types=types), name)


def _by_option(source: Input, options: Options) -> dict[str, Value]:
    """Return what the bytes of the output depend on, by the names of the command line."""
    values = dataclasses.asdict(source.reading) | dataclasses.asdict(options)
    del values["include"]  # the plan has each file
    values["rejects"] = source.rejects is not None
    return {f"--{name.replace('_', '-')}": value for name, value in values.items()}


def _kept(work: Work, run: Run) -> Work:
    """Return a part that an earlier run made of these records; else the records."""
    if not run.left.parts or not isinstance(work, Batch):
        return work
    kept = run.store.read(work.number)
    return Judged(work, dataclasses.replace(kept, lines=None)) if kept else work


def _compute(
    model: StanceModel,
    frame: Frame,
    works: Iterator[Work],
    crew: LocalCrew | None,
    cluster: str | None,
    run: Run | None,
) -> Generator[Judged]:
    """Compute parts where the user asks for it."""
    if cluster is not None:
        from stance.runs.cluster import ClusterCrew  # only where the user names one

        with ClusterCrew(cluster, model, frame) as remote:
            yield from compute_with(remote, works)
    elif crew and crew.limit:
        frame = dataclasses.replace(frame, store=run.store if run else None)
        crew.send(frame)
        yield from compute_with(crew, works, lambda batch: compute(model, frame, *batch))
    else:
        yield from compute_here(model, frame, works)


def _write(
    judged: Generator[Judged],
    writer: TableWriter,
    run: Run | None,
    table: Table,
    progress: Progress,
) -> Tally:
    """Write parts to the output as they come."""
    tally = Tally()
    with closing(judged):
        for batch, part in judged:
            if run:
                part = run.whole(part)
            heads = heads_of(batch.records)
            blocks = part.lines.blocks(heads, writer.format.delimiter) if part.lines else ()
            writer.write_encoded(blocks, part.rows, part.formulas)
            tally.add(part.tally)
            progress(tally, table.bytes_read, table.bytes_total)
            del batch, part, heads, blocks  # or they would be there until the next part is
    if run:
        run.end(writer.inode)
    return tally
