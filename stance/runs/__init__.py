"""Judges every record of a table: every row comes back, in order, whatever happens."""

from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, islice
from operator import add
from pathlib import Path
from typing import TypeGuard

from stance.display import shown, shown_path
from stance.errors import DataError, Finished, UsageError, WorkerError
from stance.files import (
    AtomicGroup,
    changed,
    check_output,
    clear_leftovers,
    is_device,
    refuse_changed,
    same_file,
    versions_of,
)
from stance.model import StanceModel
from stance.model.abstention import NEVER, thresholds
from stance.records import InputOptions, Options, Stance
from stance.runs.answers import Part, RunConfig, Tally, compute
from stance.runs.journal import Journal, fingerprint
from stance.runs.summary import Done, Summary, run_notes, silence_notes
from stance.tables import Records, Rejects, TableWriter, find_inputs, open_inputs, table_format
from stance.tables.columns import add_paragraphs_before, column, find_dates, likely, optional_column

PART = 3000  # records of a part; the output does not depend on it
DEEP_PART = 300  # the same where a deep reader takes a hundred times as long
CHARACTERS = 8_000_000  # that fill a part, so that records as long as books come in small parts

# Called after each part with the rows so far, bytes read, and bytes in all where known.
Progress = Callable[[int, int, int | None], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What to judge, how, and where the answers go."""

    paths: tuple[Path | None, ...]  # files and folders; None is standard input
    output: Path | None = None  # None is standard output
    reading: InputOptions = field(default_factory=InputOptions)
    options: Options = field(default_factory=Options)
    rejects: Path | None = None  # takes bad records and files; None to stop at the first
    max_rejects: int | None = None  # more of them end the run
    since: Path | None = None  # summary of an earlier run, whose files are not judged again
    summary: Path | None = None  # takes what the run did, as JSON
    force: bool = False  # replace existing files
    resume: bool = False  # go on with a run that was stopped
    jobs: int = 1  # processes that compute
    cluster: str | None = None  # address of a Dask scheduler whose workers do so instead


def predict_table(
    model: StanceModel, request: Request, progress: Progress = lambda *_: None, size: int = PART
) -> Done:
    """Judge every record of the inputs and write the answers beside its cells.

    They are cut into parts of `size` records, which processes or a cluster compute. If there are
    several parts or `resume` is set, and input and output are files, finished ones are kept in a
    private file beside the output until all are there, so that a run that was stopped can go on.
    The bytes of the output depend on none of that. After an error, nothing is under its name.
    """
    paths = request.paths
    if request.resume and not all(map(_is_file, (*paths, request.output))):
        raise UsageError("--resume needs files, not streams; name input and output")
    if request.since and len(paths) == 1 and not (paths[0] and paths[0].is_dir()):
        raise UsageError("--since needs a folder, or several files")
    if request.max_rejects is not None and request.rejects is None:
        raise UsageError("--max-rejects counts bad rows; say with --rejects where they go")
    if request.options.speakers and model.holder is None:
        why = "the model cannot say whose stance it is, since it learned from too few holders"
        raise DataError(f"--speakers: {why}; drop --speakers, or train on more, in a column holder")
    with ExitStack() as stack:
        return _Job(model, request, stack).run(progress, size)


def _is_file(path: Path | None) -> TypeGuard[Path]:
    """Return whether a path is neither a standard stream nor a device."""
    return path is not None and not is_device(path)


def cut(blocks: Iterable[Records], size: int) -> Iterator[Records]:
    """Cut blocks of records into parts of a size, all but the last."""
    part, room, characters = list[Records](), size, 0
    for block in blocks:
        while block:
            more, block = block[:room], block[room:]
            part.append(more)
            room -= len(more)
            characters += sum(sum(map(len, cells)) for cells in more.columns)
            if not room or characters >= CHARACTERS:
                yield Records.joined(part)
                part, room, characters = [], size, 0
    if part:
        yield Records.joined(part)


class _Job:
    """The files of a run, open until its stack ends."""

    def __init__(self, model: StanceModel, request: Request, stack: ExitStack) -> None:
        self.model, self.request = model, request
        reading, options, rejects = request.reading, request.options, request.rejects
        run = partial(fingerprint, model, reading, options, rejects=rejects is not None)
        inputs = find_inputs(request.paths)
        self.versions = versions_of(inputs.paths)
        self.summary = Summary(inputs, run, request.since, request.output)
        if request.summary:
            self.summary.hashes  # noqa: B018 - of the files before they are read and may change
        self.journal: Journal | None = None
        if _is_file(request.output):
            how = {"resume": request.resume, "force": request.force, "anew": bool(request.since)}
            self.journal = stack.enter_context(Journal(request.output, **how))
            for path in map(Path.resolve, filter(None, (rejects, request.summary))):
                clear_leftovers(path.parent, path.name)
        self.over = request.force or self.summary.adds  # the output, which gets older rows, too
        self._check_outputs()
        inputs = self.summary.inputs
        self.group = stack.enter_context(AtomicGroup())
        self.rejects: Rejects | None = None
        if rejects is not None:
            how = {"force": self.over, "excel_safe": options.excel_safe}
            bad = Rejects(rejects, several=inputs.several, most=request.max_rejects, **how)
            self.rejects = stack.enter_context(self.group.part(bad))
        table = open_inputs(inputs, reading, self.rejects, prefix=options.prefix)
        self.table = stack.enter_context(table)
        if self.rejects:
            self.rejects.name = table.name
        self.table.or_else = "" if self.rejects else ", or use --rejects FILE"
        self.config = self._configure()
        self.texts: list[str] = []  # of the first part

    def _check_outputs(self) -> None:
        """Raise if a file may not be written, or if a run to be resumed is finished already."""
        request, inputs, journal = self.request, self.summary.inputs.paths, self.journal
        outputs = [path for path in (request.output, request.rejects, request.summary) if path]
        if journal and request.resume and not self.over and all(map(Path.exists, outputs)):
            times = [path.stat().st_mtime for path in inputs if path and path.exists()]
            if max([*times, journal.kept_at]) <= journal.output.stat().st_mtime:
                why = "is finished already (newer than its input; contents and options unchecked)"
                raise Finished(f"{shown_path(journal.output)}: {why}; nothing to resume")
        for path in (request.output, request.rejects):
            check_output(path, force=self.over, inputs=inputs)
        since, path = request.since, request.summary
        self.over_summary = request.force or bool(since and path and same_file(since, path))
        check_output(path, force=self.over_summary, inputs=inputs)

    def _configure(self) -> RunConfig:
        """Return what all parts have in common; raise if answers cannot stand beside the table."""
        model, table, reading = self.model, self.table, self.request.reading
        options = self.request.options
        actor = other = optional_column(table, "actor")
        if reading.actor_column is not None:
            actor = column(table, reading.actor_column, "--actor-column")
        if other not in (None, actor):
            why = "column 'actor' beside --actor-column would pass for the actor that is judged"
            raise DataError(f"{table.name}: {why}; rename it")
        asked = (reading.actor or "").strip() if actor is None else ""
        if options.wide and (asked or actor is not None):
            why = "--actor is given" if asked else "has an actor column"
            raise DataError(f"{table.name}: {why}, so each row has one answer; drop --wide")
        if actor is not None:
            table.through(partial(self._note_nobody, actor=actor))
        text = column(table, reading.text_column, "--text-column")
        spans, has_actor = optional_column(table, "spans"), bool(asked) or actor is not None
        if spans is not None and not has_actor:
            table.note("column 'spans' is not read, because no column or --actor names the actor")
        limits = thresholds(model.calibration, options.abstain)
        config = RunConfig(
            columns=table.columns,
            text=text,
            actor=actor,
            asked=asked,
            spans=spans if has_actor else None,
            dates=find_dates(table, reading) if model.book.has_terms else None,
            options=options,
            thresholds=limits,
            never=" ".join(s for s, least in zip(Stance, limits, strict=False) if least == NEVER),
            rows_before=self.summary.rows_before,
        )
        table.check = config.fault if config.spans is not None else None
        add_paragraphs_before(table, text)
        added = config.added(model.book.names)
        names = (*table.columns, *(name for name, _ in added))
        if taken := [name for name, number in Counter(names).items() if number > 1]:
            advice = "choose a prefix for the new columns, such as --prefix stance_"
            what = f"column '{shown(taken[0])}' would be written twice"
            files = [shown_path(path) for path, names in table.headers.items() if taken[0] in names]
            raise DataError(f"{(*files, table.name)[0]}: {what}; {advice}")
        types = (*["text"] * len(table.columns), *(kind for _, kind in added))
        form = table_format(self.request.output, names, excel_safe=options.excel_safe, types=types)
        return replace(config, form=form)

    def _note_nobody(self, chunk: Records, actor: int) -> Records:
        """Pass some records on, and note those that name nobody to judge."""
        if empty := [pos for pos, cell in enumerate(chunk.columns[actor]) if not cell.strip()]:
            where = f"in column '{shown(self.table.columns[actor], 40)}'"
            what = f"row: without a name {where}, so without a stance"
            self.table.note(what, self.table.place(chunk, empty[0]), len(empty))
        return chunk

    def run(self, progress: Progress, size: int) -> Done:
        """Write the parts as they come, then the summary; return counts and notes."""
        table, summary, tally = self.table, self.summary, Tally()
        if self.request.options.deep or self.model.encoder:
            size = min(size, DEEP_PART)
        writer = TableWriter(self.request.output, self.config.form, force=self.over)
        with self.group.part(writer), closing(self._parts(size)) as parts:
            summary.copy_unchanged(writer)
            for records, part in parts:
                writer.write_encoded(self.config.rows(records, part), sum(part.counts))
                tally = Tally(*map(add, tally, part.tally))
                progress(tally.rows, *table.progress())
                del records, part  # frees them before the next ones are made
            rejected = self.rejects.by_file if self.rejects else Counter[str]()
            changes = changed(self.versions)
            if changes and not self.request.summary:
                raise DataError(f"{changes[0]}; run again")
            if tally.rows + rejected.total() != table.records_in:
                raise WorkerError(f"{table.name}: rows were lost; run again")
        model, rate = self.model, self.request.options.abstain
        texts = [] if self.config.asked or self.config.actor is not None else self.texts
        notes = [*summary.inputs.notes, *table.notes, *self._date_notes()]
        notes += [f"{what}; --since judges it again" for what in changes]
        done = Done(
            tally=tally,
            rows_in=table.records_in,
            rows_out=writer.rows - summary.copied,
            rejected=rejected.total(),
            notes=(*notes, *run_notes(model, rate, tally, texts)),
            warnings=tuple(silence_notes(model, rate)),
        )
        if self.request.summary:
            data = summary.to_json(done, rejected)
            self.group.write(self.request.summary, data, force=self.over_summary)
        return done

    def _parts(self, size: int) -> Generator[tuple[Records, Part]]:
        """Yield records and their part in order: kept in the journal, or else computed and kept."""
        batches = cut(self.table.chunks, size)
        first = list(islice(batches, 2))
        several = len(first) > 1
        keeps = (several or self.request.resume) and all(map(_is_file, self.summary.inputs.paths))
        if journal := self.journal if keeps else None:
            hashes, run = self.summary.hashes.items(), self.summary.run()
            if not self.request.summary:  # whose hashes are of before
                refuse_changed(self.versions)
            files = {f"the file {shown(str(path), 5000)}": digest for path, digest in hashes}
            journal.begin({**files, **run, "the size of parts": size})
        with ExitStack() as stack:
            begin: Callable[[Records], Callable[[], Part]]
            begin, ahead = (lambda records: lambda: compute(self.model, self.config, records)), 0
            jobs, address = self.request.jobs if several else 1, self.request.cluster
            if jobs > 1 or address is not None:
                from stance.runs.workers import cluster_pool, worker_pool  # a while to import

                how = self.model, self.config
                pool = worker_pool(jobs, *how) if address is None else cluster_pool(address, *how)
                begin, ahead = stack.enter_context(pool)

            def submit(records: Records) -> Callable[[], tuple[Records, Part]]:
                self.texts = self.texts or records.columns[self.config.text]
                self.summary.count(records)
                if journal and (part := journal.kept(records)):
                    return lambda: (records, part)
                result = begin(records)
                return lambda: (records, journal.keep(result()) if journal else result())

            line = deque[Callable[[], tuple[Records, Part]]]()  # under way, yielded in order
            for records in chain(first, batches):
                line.append(submit(records))
                del records  # frees them before the next are read
                while len(line) > ahead:
                    yield line.popleft()()
            while line:
                yield line.popleft()()

    def _date_notes(self) -> Iterator[str]:
        """Yield by which dates leaders count, or that they count at any time."""
        columns, dates = self.table.columns, self.config.dates
        if dates:
            name = shown(columns[dates[0]], 40)
            yield f"leaders count only while in office, by the months in column '{name}'"
        elif self.model.book.has_terms and (near := likely(columns, "date")):
            problem = "leaders count at any time, because there is no column 'date'"
            yield f"{problem}; did you mean --date-column '{shown(near, 40)}'?"
