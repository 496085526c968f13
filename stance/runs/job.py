"""Judges every record of a table: every row comes back, in order, whatever happens."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TypeGuard

from stance.display import shown, shown_path
from stance.errors import DataError, Finished, UsageError, WorkerError
from stance.files import AtomicGroup, check_output, is_device, same_file
from stance.model.judging import StanceModel
from stance.runs import DEFAULTS, Options
from stance.runs.answers import Part, RunConfig, Tally, compute, configure
from stance.runs.journal import Journal, files_fingerprint, fingerprint
from stance.runs.summary import Done, Summary, run_notes, silence_notes
from stance.runs.workers import Submit, WorkerPool, compute_in_order
from stance.tables import (
    InputOptions,
    Records,
    Rejects,
    TableWriter,
    find_inputs,
    likely,
    open_inputs,
)

PART = 3000  # records of a part; the output does not depend on it
DEEP_PART = 300  # the same where a deep reader takes a hundred times as long
CHARACTERS = 8_000_000  # that fill a part, so that records as long as books come in small parts

# Called after each part with the counts so far, bytes read, and bytes in all where known.
Progress = Callable[[Tally, int, int | None], None]


@dataclass(frozen=True, slots=True)
class Input:
    """What to judge, and how to read it."""

    paths: tuple[Path | None, ...]  # files and folders; None is standard input
    reading: InputOptions = field(default_factory=InputOptions)
    rejects: Path | None = None  # takes bad records and files; None to stop at the first
    max_rejects: int | None = None  # more of them end the run
    since: Path | None = None  # summary of an earlier run, whose files are not judged again


@dataclass(frozen=True, slots=True)
class Output:
    """Where the answers go; their bytes do not depend on it."""

    path: Path | None  # None is standard output
    force: bool = False  # replace existing files
    resume: bool = False  # go on with a run that was stopped
    summary: Path | None = None  # takes what the run did, as JSON


def predict_table(
    model: StanceModel,
    source: Input,
    target: Output,
    options: Options = DEFAULTS,
    *,
    jobs: int = 1,
    cluster: str | None = None,
    progress: Progress = lambda *_: None,
    size: int = PART,
) -> Done:
    """Judge every record of the inputs and write the answers beside its cells.

    They are cut into parts of `size` records, computed by so many `jobs`, or by the workers of the
    Dask scheduler at the address `cluster`. If there are several parts, and input and output are
    files, finished ones are kept in a private file beside the output until all are there, so
    that a run that was stopped can go on.

    Raises `DataError` if the input cannot be used, `OutputError` if the output cannot be written
    (nothing is then under its name), `UsageError` if options contradict each other,
    `AbstentionError` if the model cannot keep to the share of wrong answers asked for,
    `WorkerError` if a worker dies on the same part again, and `Finished` if all is done already.
    """
    _check(model, source, target, options)
    with ExitStack() as stack:
        job = _Job(model, source, target, options, stack)
        size = min(size, DEEP_PART) if options.deep or model.encoder else size
        batches = cut(job.table.chunks, size)
        first = list(islice(batches, 2))
        several = len(first) > 1
        kept = job.begin(size) if several or (job.journal and job.journal.resuming) else None
        batches = job.counted(chain(first, batches))
        parts = _compute(model, job.config, batches, kept, jobs if several else 1, cluster)
        return job.write(parts, progress)


def _check(model: StanceModel, source: Input, target: Output, options: Options) -> None:
    """Raise if the arguments contradict each other."""
    paths = source.paths
    if target.resume and not all(map(_is_file, (*paths, target.path))):
        raise UsageError("--resume needs files, not streams; name input and output")
    if source.since and len(paths) == 1 and not (paths[0] and paths[0].is_dir()):
        raise UsageError("--since needs a folder, or several files")
    if source.max_rejects is not None and source.rejects is None:
        raise UsageError("--max-rejects counts bad rows; say with --rejects where they go")
    if options.speakers and model.holder is None:
        raise DataError(
            "--speakers: the model cannot say whose stance it is, since its corpus had no column "
            "holder; drop --speakers, or train on one that has"
        )


def _is_file(path: Path | None) -> TypeGuard[Path]:
    """Return whether a path is neither a standard stream nor a device."""
    return path is not None and not is_device(path)


def cut(blocks: Iterable[Records], size: int) -> Iterator[Records]:
    """Cut blocks of records into parts of a size, all but the last."""
    part: list[Records] = []
    room, characters = size, 0
    for block in blocks:
        while block:
            more, block = block[:room], block[room:]
            part.append(more)
            room -= len(more)
            characters += more.characters
            if not room or characters >= CHARACTERS:
                yield Records.joined(part)
                part, room, characters = [], size, 0
    if part:
        yield Records.joined(part)


class _Job:
    """The files of a run, open until its stack ends."""

    def __init__(
        self, model: StanceModel, source: Input, target: Output, options: Options, stack: ExitStack
    ) -> None:
        self.model, self.source, self.target, self.options = model, source, target, options
        rejects, since = source.rejects, source.since
        run = partial(fingerprint, model, source.reading, options, rejects=rejects is not None)
        self.summary = Summary(find_inputs(source.paths), run, since)
        self.inputs = self.summary.inputs
        self.over = target.force or self.summary.adds  # the output, which gets the older rows, too
        self.journal: Journal | None = None
        if _is_file(target.path):
            anew = since is not None
            journal = Journal(target.path, resume=target.resume, force=target.force, anew=anew)
            self.journal = stack.enter_context(journal)
        self._check_outputs()
        self.group = stack.enter_context(AtomicGroup())
        self.rejects: Rejects | None = None
        if rejects is not None:
            paths, several = self.inputs.paths, self.inputs.several
            bad = Rejects(rejects, force=self.over, inputs=paths, several=several)
            self.rejects = stack.enter_context(self.group.part(bad))
        table = open_inputs(self.inputs, source.reading, self.rejects, prefix=options.prefix)
        self.table = stack.enter_context(table)
        self.table.or_else = "" if self.rejects else ", or use --rejects FILE"
        self.config = configure(
            model, self.table, source.reading, options,
            output=target.path, rows_before=self.summary.rows_before,
        )  # fmt: skip
        self.texts: list[str] = []  # of the first part

    def _check_outputs(self) -> None:
        """Raise if a file may not be written, or if a run to be resumed is finished already."""
        target, inputs, journal = self.target, self.inputs.paths, self.journal
        if journal and journal.output.exists() and target.resume and not self.over:
            parts = journal.path if journal.resuming else None
            if _is_newer(journal.output, (*inputs, parts)):
                name = shown_path(journal.output)
                raise Finished(f"{name}: is finished already; nothing to resume")
        check_output(target.path, force=self.over, inputs=inputs)
        since, path = self.source.since, target.summary
        self.over_summary = target.force or bool(since and path and same_file(since, path))
        check_output(path, force=self.over_summary, inputs=inputs, regular=True)

    def begin(self, size: int) -> Journal | None:
        """Return the journal that keeps the parts, if input and output are files."""
        if self.journal is None or not all(map(_is_file, self.inputs.paths)):
            return None
        self.journal.begin({**files_fingerprint(self.summary.hashes, size), **self.summary.run})
        return self.journal

    def counted(self, batches: Iterable[Records]) -> Iterator[Records]:
        """Count records on their way to the model."""
        for records in batches:
            self.texts = self.texts or records.columns[self.config.text]
            self.summary.count(records)
            yield records
            del records  # or they would be there until the next are

    def write(self, parts: Generator[Part], progress: Progress) -> Done:
        """Write parts to the output as they come, and what is said of the whole."""
        table, journal, tally, older = self.table, self.journal, Tally(), 0
        writer = TableWriter(self.target.path, self.config.form, force=self.over)
        with self.group.part(writer):
            if self.summary.adds and journal and journal.output.exists():
                older = self.summary.copy_unchanged(journal.output, writer)
            with closing(parts):
                for part in parts:
                    writer.write_encoded(part.lines, part.rows)
                    tally.add(part.tally)
                    self._check_rows(tally, to_end=False)
                    progress(tally, *table.progress())
                    del part  # or it would be there until the next is
            self._check_rows(tally)
        done = self._done(tally, writer.rows - older)
        if self.target.summary:
            rejected = self.rejects.by_file if self.rejects else {}
            data = self.summary.to_json(done, rejected, self.target.path)
            self.group.write(self.target.summary, data, force=self.over_summary)
        return done

    def _check_rows(self, tally: Tally, *, to_end: bool = True) -> None:
        """Raise if too many rows are bad, or if one is neither judged nor rejected."""
        most, rejected = self.source.max_rejects, self.rejects.count if self.rejects else 0
        if most is not None and rejected > most:
            why = f"more than {most:,} bad rows (--max-rejects {most})"
            raise DataError(f"{self.table.name}: {why}; correct them, or allow more")
        if to_end and tally.rows + rejected != self.table.records_in:
            rows = f"{self.table.records_in:,} in, {tally.rows:,} judged, {rejected:,} rejected"
            raise WorkerError(f"{self.table.name}: rows were lost ({rows}); run again")

    def _done(self, tally: Tally, rows_out: int) -> Done:
        model, rate = self.model, self.options.abstain
        texts = self.texts if self.config.actor is None else []
        notes = (*self._read_notes(), *run_notes(model, rate, tally, texts))
        return Done(
            tally=tally,
            rows_in=self.table.records_in,
            rows_out=rows_out,
            rejected=self.rejects.count if self.rejects else 0,
            notes=notes,
            warnings=tuple(silence_notes(model, rate)),
        )

    def _read_notes(self) -> Iterator[str]:
        """Yield how the table was read: its columns, and which dates decide about leaders."""
        table, date = self.table, self.config.date
        yield from (*self.inputs.notes, *table.notes)
        if date is not None:
            name = shown(table.columns[date], 40)
            yield f"leaders count only while in office, by the dates in column '{name}'"
        elif self.model.book.has_terms and (near := likely(table.columns, "date")):
            problem = "leaders count at any time, because there is no column 'date'"
            yield f"{problem}; did you mean --date-column '{shown(near, 40)}'?"


def _is_newer(output: Path, inputs: tuple[Path | None, ...]) -> bool:
    """Return whether no input has changed since an output was written."""
    written = output.stat().st_mtime
    return all(path.stat().st_mtime <= written for path in inputs if path and path.exists())


def _compute(
    model: StanceModel,
    config: RunConfig,
    batches: Iterator[Records],
    journal: Journal | None,
    jobs: int,
    cluster: str | None,
) -> Generator[Part]:
    """Compute parts where the user asks for it, but for those kept, and keep each."""
    with ExitStack() as stack:
        begin: Submit
        begin, ahead = (lambda records: lambda: compute(model, config, records)), 0
        if cluster is not None:
            from stance.runs.cluster import ClusterPool  # only where the user names one

            remote = stack.enter_context(ClusterPool(cluster, model, config))
            begin, ahead = remote.submit, remote.ahead
        elif jobs > 1:
            local = stack.enter_context(WorkerPool(jobs, model, config))
            begin, ahead = local.submit, local.ahead

        def submit(records: Records) -> Callable[[], Part]:
            if journal and (part := journal.kept(records)):
                return lambda: part
            result = begin(records)
            return lambda: journal.keep(result()) if journal else result()

        yield from compute_in_order(batches, submit, ahead)
