"""Judges every record of a table: every row comes back, in order, whatever happens."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, closing
from itertools import chain, islice
from pathlib import Path

from stance.display import shown, shown_path
from stance.errors import DataError, Finished, WorkerError
from stance.files import AtomicGroup, check_output, same_file
from stance.model.judging import StanceModel
from stance.runs.answers import Part, RunConfig, Tally, compute
from stance.runs.config import Done, Input, Output, check_options, is_file, make_config
from stance.runs.journal import Journal
from stance.runs.notes import answer_notes, drift_notes, lacking_note, silence_notes
from stance.runs.options import DEFAULTS, Options
from stance.runs.summary import Summary, files_fingerprint, fingerprint, hashes_of
from stance.runs.workers import Submit, WorkerPool, compute_in_order
from stance.tables import Records, Rejects, TableWriter, find_inputs, likely, open_inputs

PART = 3000  # records of a part; the output does not depend on it
DEEP_PART = 300  # the same where a deep reader takes a hundred times as long
CHARACTERS = 8_000_000  # that fill a part, so that records as long as books come in small parts

# Called after each part with the counts so far, bytes read, and bytes in all where known.
Progress = Callable[[Tally, int, int | None], None]


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
    check_options(model, source, target, options)
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
        self.inputs = find_inputs(source.paths)
        self.summary: Summary | None = None
        if source.since or target.summary:
            answers = fingerprint(model, source, options)
            self.summary = Summary(self.inputs, answers, source.since)
            self.inputs = self.summary.inputs
        adds = self.summary is not None and self.summary.adds
        self.over = target.force or adds  # the output, which gets the older rows, too
        self.journal: Journal | None = None
        if is_file(target.path):
            anew = source.since is not None
            journal = Journal(target.path, resume=target.resume, force=target.force, anew=anew)
            self.journal = stack.enter_context(journal)
        self._check_outputs()
        self.group = stack.enter_context(AtomicGroup())
        self.rejects = None
        if source.rejects is not None:
            paths, several = self.inputs.paths, self.inputs.several
            bad = Rejects(source.rejects, force=self.over, inputs=paths, several=several)
            self.rejects = stack.enter_context(self.group.part(bad))
        table = open_inputs(self.inputs, source.reading, self.rejects, prefix=options.prefix)
        self.table = stack.enter_context(table)
        table.or_else = "" if self.rejects else ", or use --rejects FILE"
        before = self.summary.rows_before if self.summary else 0
        self.config = make_config(model, source, target, options, self.table, before)
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
        if self.journal is None or not all(map(is_file, self.inputs.paths)):
            return None
        if self.summary:
            hashes, answers = self.summary.hashes, self.summary.run
        else:
            hashes = hashes_of(self.inputs)
            answers = fingerprint(self.model, self.source, self.options)
        self.journal.begin({**files_fingerprint(hashes, size), **answers})
        return self.journal

    def counted(self, batches: Iterable[Records]) -> Iterator[Records]:
        """Count records on their way to the model."""
        for records in batches:
            self.texts = self.texts or records.columns[self.config.text]
            if self.summary:
                self.summary.count(records)
            yield records
            del records  # or they would be there until the next are

    def write(self, parts: Generator[Part], progress: Progress) -> Done:
        """Write parts to the output as they come, and what is said of the whole."""
        table, journal, tally, older = self.table, self.journal, Tally(), 0
        writer = TableWriter(self.target.path, self.config.form, force=self.over)
        with self.group.part(writer):
            if self.summary and self.summary.adds and journal and journal.output.exists():
                older = self.summary.copy_unchanged(journal.output, writer)
            with closing(parts):
                for part in parts:
                    writer.write_encoded(part.lines, part.rows)
                    tally.add(part.tally)
                    self._check_rejects()
                    progress(tally, *table.progress())
                    del part  # or it would be there until the next is
            self._check_rows(tally)
        done = self._done(tally, writer.rows - older)
        if self.summary and self.target.summary:
            rejected = self.rejects.by_file if self.rejects else {}
            data = self.summary.to_json(done, rejected, self.target.path)
            self.group.write(self.target.summary, data, force=self.over_summary)
        return done

    def _check_rejects(self) -> None:
        most, rejects = self.source.max_rejects, self.rejects
        if rejects and most is not None and rejects.count > most:
            why = f"more than {most:,} bad rows (--max-rejects {most})"
            raise DataError(f"{self.table.name}: {why}; correct them, or allow more")

    def _check_rows(self, tally: Tally) -> None:
        """Raise if a record is neither judged nor rejected, before the output has its name."""
        self._check_rejects()
        rejected = self.rejects.count if self.rejects else 0
        if tally.rows + rejected != self.table.records_in:
            rows = f"{self.table.records_in:,} in, {tally.rows:,} judged, {rejected:,} rejected"
            raise WorkerError(f"{self.table.name}: rows were lost ({rows}); run again")

    def _done(self, tally: Tally, rows_out: int) -> Done:
        model, options = self.model, self.options
        return Done(
            tally=tally,
            rows_in=self.table.records_in,
            rows_out=rows_out,
            rejected=self.rejects.count if self.rejects else 0,
            notes=(
                *self.inputs.notes,
                *self._read_notes(),
                *answer_notes(model, options.abstain, tally),
                *(lacking_note(model.book, self.texts) if self.config.actor is None else ()),
                *drift_notes(model, tally, options.abstain),
            ),
            warnings=tuple(silence_notes(model, options.abstain)),
        )

    def _read_notes(self) -> Iterator[str]:
        """Yield how the table was read: its columns, and which dates decide about leaders."""
        table, date = self.table, self.config.date
        yield from table.notes
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
