"""Computes the parts of a table, here or with a crew of processes; results come back in order."""

import contextlib
import io
import os
import pickle
import select
import subprocess
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, Protocol, Self, cast

from stance.errors import DataError, StanceError, WorkerError
from stance.interrupts import defer_signals
from stance.model.judging import StanceModel
from stance.runs.parts import Batch, Frame, Judged, Part, Work, compute

TRIES = 2  # how often a part is computed if its worker dies
LARGE = 1_000_000  # bytes of a table that has several parts, most likely
LONGEST = 900  # seconds to wait for one part, which takes a few
LOOK_EVERY = 2  # seconds between checks that somebody still computes the part we wait for
AHEAD = 3  # parts given to a worker at a time, so that it never waits while we compute one, too

_PIPE = 1024 * 1024  # bytes in a pipe to a worker, so that most of its next task waits there
_ROOT = str(Path(__file__).parent.parent.parent)
_PROGRAM = """
from errno import ENOMEM
try:
    from stance.runs.workers import serve
    serve()
except (MemoryError, OSError) as error:  # while a module is looked for, the latter
    if getattr(error, "errno", ENOMEM) != ENOMEM:
        raise
    raise SystemExit(1)  # the parent says so
"""


class Crew(Protocol):
    """Workers that compute parts; one lost with its worker ends in a `BrokenExecutor`."""

    @property
    def limit(self) -> int:
        """Parts that may be under way, 1 or more; raises if no worker is left."""

    def submit(self, task: Batch, *, again: bool = False) -> "Future[Part]":
        """Have a part computed; `again` if it was lost with its worker."""


class Bystander(BrokenExecutor):
    """The worker died on an earlier part than this one."""


def compute_here(model: StanceModel, frame: Frame, works: Iterable[Work]) -> Iterator[Judged]:
    """Compute parts one after the other in this process."""
    for work in works:
        if isinstance(work, DataError):
            raise work
        yield work if isinstance(work, Judged) else Judged(work, compute(model, frame, *work))
        del work  # or its records would be there until the next are


def compute_with(
    crew: Crew, works: Iterable[Work], here: Callable[[Batch], Part] | None = None
) -> Iterator[Judged]:
    """Compute parts with a crew, and `here` when all have enough to do; they come in order."""
    line: deque[tuple[Batch, Future[Part]]] = deque()
    ended: DataError | None = None
    for work in works:
        if isinstance(work, DataError):
            ended = work  # the last one
            break
        flying = sum(not future.done() for _, future in line)
        line.append(_begin(crew, work, here if flying >= crew.limit else None))
        while line and (line[0][1].done() or len(line) >= crew.limit * (2 if here else 1)):
            yield _finish(crew, *line.popleft())
    while line:
        left = [at for at, (_, future) in enumerate(line) if not future.done()]
        if here and len(left) > crew.limit // AHEAD:  # one that no worker has begun, probably
            line[left[-1]] = _begin(crew, line[left[-1]][0], here)
        else:
            yield _finish(crew, *line.popleft())
    if ended:
        raise ended


def _begin(
    crew: Crew, work: Batch | Judged, here: Callable[[Batch], Part] | None
) -> tuple[Batch, Future[Part]]:
    future: Future[Part] = Future()
    if isinstance(work, Judged):
        future.set_result(work.part)
        return work.batch, future
    if here is None:
        return work, crew.submit(work)
    try:
        future.set_result(here(work))
    except StanceError as error:  # which has to wait for its turn
        future.set_exception(error)
    return work, future


def _finish(crew: Crew, batch: Batch, future: Future[Part]) -> Judged:
    """Wait for a part; if its worker died, have it computed again."""
    died = 0
    while True:
        waited = 0.0  # not by the clock, which goes on while Ctrl-Z has stopped us
        while not wait([future], LOOK_EVERY).done and crew.limit:
            if (waited := waited + LOOK_EVERY) >= LONGEST:
                raise _failure(batch, f"no answer in {LONGEST:,} seconds; restart the workers")
        error = future.exception()
        if not isinstance(error, BrokenExecutor | MemoryError):
            return Judged(batch, _checked(batch, future.result()))
        died += not isinstance(error, Bystander)
        if died == TRIES:
            memory = "as when memory runs out; free memory or use fewer --jobs"
            raise _failure(batch, f"the worker died {TRIES} times, {memory}")
        future = crew.submit(batch, again=True)


def _checked(batch: Batch, found: object) -> Part:
    """Return what a worker sent if it answers every record of the batch, each once."""
    why = found.unanswered(batch) if isinstance(found, Part) else "it is not a part of a table"
    if why is not None:
        raise _failure(batch, f"a worker sent a wrong answer ({why}); restart the workers")
    return cast(Part, found)


def _failure(batch: Batch, why: str) -> WorkerError:
    numbers = batch.records.numbers
    return WorkerError(f"records {numbers[0]:,} to {numbers[-1]:,}: {why}")


class LocalCrew:
    """So many processes of this computer, besides this one; they start with the `with` block.

    Blocks may stand in one another: processes that load their modules while the parent loads its
    model lose no time. They end with the first block that ends.
    """

    def __init__(self, count: int) -> None:
        self.limit = AHEAD * count
        self._count = count
        self._sent: list[bytes] = []  # to all: the model, and then the frame
        self._lanes: list[_Lane] = []

    def ahead_of(self, paths: Iterable[Path | None]) -> AbstractContextManager[object]:
        """Return a block that starts the processes now if these files probably need them."""
        size = 0
        with contextlib.suppress(OSError, ValueError):  # reported when they are opened
            size = sum(path.stat().st_size for path in paths if path)
        return self if size >= LARGE else nullcontext()

    def __enter__(self) -> Self:
        try:
            while len(self._lanes) < self._count:
                with defer_signals():  # or a process might be started that nobody knows of
                    self._lanes.append(_Lane())
        except BaseException:
            self.__exit__()
            raise
        return self

    def send(self, what: StanceModel | Frame) -> None:
        """Send what all parts have in common: the model, and then the frame."""
        self._sent.append(_pickle(what))  # a model in a tenth of the time of a model file
        for lane in self._lanes:
            lane.send(self._sent[-1])

    def __exit__(self, *_: object) -> None:
        lanes, self._lanes, self._sent = self._lanes, [], []
        with defer_signals():  # or threads might wait for ever for a process that nobody has killed
            for lane in lanes:
                lane.kill()
        for lane in lanes:
            lane.end()

    def submit(self, task: Batch, *, again: bool = False) -> Future[Part]:
        """Have a part computed by the worker with the least to do, or that is known to live."""
        for place, lane in enumerate(self._lanes):
            if not lane.alive:
                lane.kill()
                with defer_signals():
                    self._lanes[place] = _Lane()
                for data in self._sent:
                    self._lanes[place].send(data)
                lane.end()
        lane = min(self._lanes, key=lambda lane: (again and not lane.proven, lane.load))
        return lane.submit(task)


class _Lane:
    """One worker process and two threads that own its pipes, so that a death is seen."""

    def __init__(self) -> None:
        self.proven = False  # has computed something
        self._dead = False
        self._given: list[Future[Part]] = []
        self._sender, self._receiver = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
        path = os.pathsep.join(filter(None, [*sys.path, _ROOT]))
        # In a group of its own, which Ctrl-C does not reach: its parent ends it.
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-P", "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"},
            process_group=0,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # of Windows
        )
        self._stdin, self._stdout = map(_widened, (self._process.stdin, self._process.stdout))

    @property
    def alive(self) -> bool:
        return not self._dead and self._process.poll() is None

    @property
    def load(self) -> int:
        """Parts that the process has still to compute."""
        self._given = [future for future in self._given if not future.done()]
        return len(self._given)

    def submit(self, task: Batch) -> Future[Part]:
        """Send a task while the one before it may still be computed."""
        self.send(_pickle(task, once=True))  # here: a thread would have to wait for the interpreter
        future = self._receiver.submit(self._receive)
        self._given.append(future)
        return future

    def send(self, data: bytes) -> None:
        """Send what the process waits for: first the model, then the frame, then tasks."""
        self._sender.submit(self._send, data)

    def _send(self, data: bytes) -> None:
        try:
            self._stdin.write(data)
            self._stdin.flush()
        except Exception:  # else it would take the next part for the rest of this one
            self.kill()  # which the other thread notices

    def _receive(self) -> Part:
        if self._dead:
            raise Bystander
        try:
            found: Part | Exception = pickle.load(self._stdout)  # noqa: S301 - from our own process
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            self._dead = True
            raise BrokenExecutor("the worker died") from error
        if isinstance(found, Exception):
            raise found
        self.proven = True
        return found

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        """Wait for the end of a process that has been killed."""
        self._sender.submit(self._stdin.close)
        self._sender.shutdown()
        self._receiver.shutdown()
        self._stdout.close()
        self._process.wait()


def _widened(pipe: IO[bytes] | None) -> IO[bytes]:
    pipe = cast(IO[bytes], pipe)
    with contextlib.suppress(ImportError, AttributeError, OSError):  # Windows; a user's limit
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)
    return pipe


def _pickle(what: object, *, once: bool = False) -> bytes:
    file = io.BytesIO()
    pickler = pickle.Pickler(file, pickle.HIGHEST_PROTOCOL)
    pickler.fast = once
    pickler.dump(what)
    return file.getvalue()


# --- In a worker ----------------------------------------------------------------------------------


def serve() -> None:
    """Compute parts in a worker process, until the other end of the pipe is closed."""
    threading.Thread(target=_leave_with_the_parent, daemon=True).start()
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nothing else may write there
    # What fails here is told by the parent, to which this process is dead, then.
    with contextlib.suppress(EOFError, OSError, MemoryError, pickle.UnpicklingError):
        model = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own parent
        frame = pickle.load(sys.stdin.buffer)  # noqa: S301
        while True:
            task: Batch = pickle.load(sys.stdin.buffer)  # noqa: S301
            try:
                found: Part | Exception = compute(model, frame, *task)
            except Exception as error:
                found = to_send(error)
            pickle.dump(found, out, pickle.HIGHEST_PROTOCOL)
            out.flush()
            del task, found  # or they would be there until the next are


def to_send(error: Exception) -> Exception:
    """Return an error that may go to another process; a bug takes its traceback along."""
    if not isinstance(error, StanceError):
        error.add_note(traceback.format_exc())
    try:
        pickle.load(io.BytesIO(pickle.dumps(error)))  # noqa: S301 - our own
    except Exception:  # whatever the error's class does when it is copied
        copy = RuntimeError(f"{type(error).__name__}: {error}")
        for note in getattr(error, "__notes__", ()):
            copy.add_note(note)
        return copy
    return error


def _leave_with_the_parent() -> None:
    """End this process when the other end of its pipe is closed, even in the midst of a part."""
    if hasattr(select, "poll"):
        pipe = select.poll()
        pipe.register(sys.stdin.fileno(), 0)  # no events but the one that is always reported
        pipe.poll()
        os._exit(0)
