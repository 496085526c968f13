"""Judges every record of a table: every row comes back, in order, whatever happens."""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, suppress
from functools import partial
from itertools import chain, islice
from pathlib import Path

from stance.display import shown, shown_path
from stance.errors import DataError, Finished, WorkerError
from stance.files import AtomicGroup, check_output, same_file
from stance.model.judging import StanceModel
from stance.runs.answers import Tally
from stance.runs.checkpoints import RunFolder
from stance.runs.config import Done, Input, Options, Output, check_options, is_file, make_config
from stance.runs.notes import (
    abstention_notes,
    cut_notes,
    drift_notes,
    silence_notes,
    voice_notes,
)
from stance.runs.parts import Answered, Batch, Part, RunConfig, compute, cut
from stance.runs.summary import (
    SIZE,
    Fingerprint,
    Summary,
    files_fingerprint,
    fingerprint,
    hashes_of,
)
from stance.runs.workers import Work, WorkerPool, compute_in_order
from stance.tables import (
    DateColumn,
    InputOptions,
    Rejects,
    Table,
    TableWriter,
    find_inputs,
    likely,
    open_inputs,
    open_table,
    read_as,
)

PART = 3000  # records of a part; the output does not depend on it
_OR_ELSE = ", or use --rejects FILE"

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
    cluster: str | None = None,
    progress: Progress = lambda *_: None,
    size: int = PART,
) -> Done:
    """Judge every record of the inputs and write the answers beside its cells.

    They are cut into parts of `size` records, computed by so many `jobs`, or by the workers of the
    Dask scheduler at the address `cluster`. If there are several parts, and input and output are
    files, finished ones are kept in a private folder beside the output until all are there, so
    that a run that was stopped can go on.

    Raises `DataError` if the input cannot be used, `OutputError` if the output cannot be written
    (nothing is then under its name), `UsageError` if options contradict each other,
    `AbstentionError` if the model cannot keep to the share of wrong answers asked for,
    `WorkerError` if a worker dies on the same part again, and `Finished` if all is done already.
    """
    check_options(model, source, target, options, jobs)
    with ExitStack() as stack:
        job = _Job(model, source, target, options, stack)
        size = (job.run and job.run.size) or size
        parts = cut(job.blocks, size)
        first = list(islice(parts, 2))
        several = len(first) > 1
        keep = job.begin(size) if several or (job.run and job.run.resuming) else None
        works = _with_kept(chain(first, parts), keep)
        answered = _compute(model, job.config, works, keep, jobs if several else 1, cluster)
        return job.write(answered, keep, progress)


class _Job:
    """The files of a run, open until its stack ends."""

    def __init__(
        self, model: StanceModel, source: Input, target: Output, options: Options, stack: ExitStack
    ) -> None:
        self.model, self.source, self.target, self.options = model, source, target, options
        self.inputs = find_inputs(source.paths, source.reading.include)
        self.summary: Summary | None = None
        if source.since or target.summary:
            self.summary = Summary(self.inputs, self._fingerprint(), source.since)
            self.inputs = self.summary.inputs
        self.run: RunFolder | None = None
        if is_file(target.path):
            self.run = stack.enter_context(
                RunFolder(
                    target.path,
                    resume=target.resume,
                    force=target.force,
                    anew=source.since is not None,
                )
            )
        finished = self._claim()
        self.group = stack.enter_context(AtomicGroup())
        self.rejects = None
        if source.rejects is not None:
            bad = Rejects(
                source.rejects,
                force=self.again,
                inputs=self.inputs.paths,
                several=self.inputs.several,
            )
            self.rejects = stack.enter_context(self.group.part(bad))
        self.table = stack.enter_context(
            open_inputs(
                self.inputs,
                source.reading,
                self.rejects,
                prefix=options.prefix,
                or_else=_OR_ELSE,
            )
        )
        rows_before = self.summary.rows_before if self.summary else 0
        self.config, self.dates, self.blocks = make_config(
            model, source, target, options, self.table, rows_before
        )
        if finished:
            self._tell_if_finished(finished)

    def _fingerprint(self) -> Fingerprint:
        return fingerprint(self.model, self.source, self.options)

    def _claim(self) -> Path | None:
        """Check what may be written; return an output that an earlier run may have finished."""
        target, run = self.target, self.run
        exists = is_file(target.path) and target.path.exists()
        self.appends = exists and self.summary is not None and self.summary.earlier is not None
        self.force = target.force or self.appends or bool(run and run.renamed)
        finished = exists and target.resume and not self.force and not (run and run.resuming)
        self.again = self.force or finished or bool(run and run.renaming)
        inputs = self.inputs.paths
        check_output(target.path, force=self.force or finished, inputs=inputs)
        since, path = self.source.since, target.summary
        self.over = self.again or bool(since and path and same_file(since, path))
        check_output(path, force=self.over, inputs=inputs, regular=True)
        return target.path if finished else None

    def _tell_if_finished(self, path: Path) -> None:
        """Raise `Finished` if a table has these columns and is newer than the inputs."""
        with suppress(DataError), open_table(path) as table:
            written = path.stat().st_mtime
            newer = [own for own in self.inputs.paths if own and own.stat().st_mtime > written]
            if table.columns == self.config.form.columns and not newer:
                raise Finished(f"{shown_path(path)}: is finished already; nothing to resume")
        check_output(path, force=False)

    def begin(self, size: int) -> RunFolder | None:
        """Return the folder that keeps the parts, if input and output are files."""
        if self.run is None or not all(map(is_file, self.inputs.paths)):
            return None
        hashes = self.summary.hashes if self.summary else hashes_of(self.inputs)
        named = bool(self.source.reading.name_pattern)
        files = files_fingerprint(self.inputs, hashes, named=named)
        answers = self.summary.run if self.summary else self._fingerprint()
        self.run.begin({**files, **answers, SIZE: size})
        return self.run

    def write(
        self, answered: Generator[Answered], run: RunFolder | None, progress: Progress
    ) -> Done:
        """Write parts to the output as they come, and what is said of the whole."""
        table, tally = self.table, Tally()
        writer = TableWriter(
            self.target.path,
            self.config.form,
            force=self.force,
            folder=run.folder if run else None,
            originals=self.inputs.paths,
        )
        with self.group.part(writer):
            older = 0
            if self.appends and self.summary and self.target.path:
                older = self.summary.copy_unchanged(self.target.path, writer)
            with closing(answered):
                for batch, part in answered:
                    cells = self.config.columns.input_cells(batch.records)
                    blocks = part.encoded.blocks(cells, writer.format.delimiter)
                    writer.write_encoded(blocks, part.rows, part.formulas)
                    tally.add(part.tally)
                    if self.summary:
                        self.summary.count(batch.records)
                    self._check_rejects()
                    progress(tally, table.bytes_read, table.bytes_total)
                    del batch, part, cells, blocks  # or they would be there until the next part is
            self._check_rows(tally)
            if run:
                run.end(writer.inode)
        done = self._done(tally, writer.rows - older, writer.formulas)
        if self.summary and self.target.summary:
            rejected = self.rejects.by_file if self.rejects else {}
            data = self.summary.to_json(done, rejected, self.target.path)
            self.group.write(self.target.summary, data, force=self.over)
        return done

    def _check_rejects(self) -> None:
        most, rejects = self.source.max_rejects, self.rejects
        if rejects and most is not None and rejects.count > most:
            why = f"more than {most:,} bad rows (--max-rejects {most})"
            raise DataError(f"{self.table.name}: {why}; correct them, or allow more")

    def _check_rows(self, tally: Tally) -> None:
        """Raise if a record is neither judged nor rejected, before the output has its name."""
        self._check_rejects()
        put_aside = self.rejects.count if self.rejects else 0
        if tally.rows + put_aside != self.table.records_in:
            came = f"{self.table.records_in:,} in"
            lost = f"{came}, {tally.rows:,} judged, {put_aside:,} rejected"
            raise WorkerError(f"{self.table.name}: rows were lost ({lost}); run again")

    def _done(self, tally: Tally, rows_out: int, formulas: int) -> Done:
        model, rate = self.model, self.options.abstain
        silent = silence_notes(model, rate)
        has_terms = model.book.has_terms
        return Done(
            tally=tally,
            rows_in=self.table.records_in,
            rows_out=rows_out,
            rejected=self.rejects.count if self.rejects else 0,
            formulas=formulas,
            notes=(
                *self.inputs.notes,
                *_read_notes(self.source.reading, self.table, self.dates, has_terms=has_terms),
                *abstention_notes(model, rate, tally),
                *silent,
                *voice_notes(self.options.voice, tally),
                *cut_notes(tally),
                *drift_notes(model, tally, rate),
            ),
            warnings=silent,
        )


def _read_notes(
    reading: InputOptions, table: Table, dates: DateColumn | None, *, has_terms: bool
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
    jobs: int,
    cluster: str | None,
) -> Generator[Answered]:
    """Compute parts where the user asks for it, and keep each as soon as it is there."""
    keep = run.keep if run else lambda part: part

    def here(batch: Batch) -> Part:
        return keep(compute(model, config, batch))

    if cluster is not None:
        from stance.runs.cluster import ClusterPool  # only where the user names one

        with ClusterPool(cluster, model, config) as remote:
            submit = partial(remote.submit, keep=keep)
            yield from compute_in_order(works, here, submit, remote.ahead)
    elif jobs > 1:
        with WorkerPool(jobs - 1, model, config) as local:
            submit = partial(local.submit, keep=keep)
            yield from compute_in_order(works, here, submit, local.ahead)
    else:
        yield from compute_in_order(works, here)
