"""Computes the parts of a table, here or with a crew of processes; results come back in order."""

import contextlib
import io
import os
import pickle
import select
import signal
import subprocess
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import IO, Protocol, Self, cast

from stance.errors import DataError, StanceError, WorkerError
from stance.interrupts import held
from stance.model.judging import StanceModel
from stance.runs.parts import Batch, Frame, Judged, Part, Work, compute

TRIES = 2
"""How often a part is computed if its worker dies."""

LOOK_EVERY = 2
"""Seconds between checks that somebody still computes the part we wait for."""

AHEAD = 3
"""Parts given to a worker at a time, so that it never waits while we compute one, too."""

_PIPE = 1024 * 1024
"""Bytes that a pipe to a worker may hold, so that most of its next task waits there."""

_ROOT = str(Path(__file__).parent.parent.parent)


class Crew(Protocol):
    """Workers that compute parts.

    A part that was lost with its worker ends in a `BrokenExecutor`, or a `Bystander`.
    """

    @property
    def limit(self) -> int:
        """Parts that may be under way."""

    def submit(self, task: Batch, *, again: bool = False) -> "Future[Part]":
        """Have a part computed; `again` if it was lost with its worker."""

    def check(self) -> None:
        """Raise if no worker is left."""


class Bystander(BrokenExecutor):
    """The worker died on an earlier part than this one."""


# --- In order -------------------------------------------------------------------------------------


def compute_here(model: StanceModel, frame: Frame, works: Iterable[Work]) -> Iterator[Judged]:
    """Compute parts one after the other in this process."""
    yield from map(partial(_judged, model, frame), works)  # which holds on to no records


def _judged(model: StanceModel, frame: Frame, work: Work) -> Judged:
    if isinstance(work, DataError):
        raise work
    return work if isinstance(work, Judged) else Judged(work, compute(model, frame, *work))


def compute_with(
    crew: Crew, works: Iterable[Work], here: Callable[[Batch], Part] | None = None
) -> Iterator[Judged]:
    """Compute parts with a crew; parts, and an error, come in the order of their numbers.

    With `here`, this process computes a part whenever all of the crew have enough to do.
    """
    flight = _Flight(crew, here)
    for work in works:
        flight.take(work)
        yield from flight.landed()
        while len(flight) >= crew.limit * (2 if here else 1):
            flight.wait()
            yield from flight.landed()
    while len(flight):
        flight.wait()
        yield from flight.landed()


class _Flight:
    """Parts under way, and finished ones that wait for an earlier one."""

    def __init__(self, crew: Crew, here: Callable[[Batch], Part] | None) -> None:
        self._crew = crew
        self._here = here
        self._flying: dict[Future[Part], Batch] = {}
        self._landed: dict[int, Judged | BaseException] = {}
        self._tries: Counter[int] = Counter()
        self._taken = 0
        self._next = 1

    def __len__(self) -> int:
        return len(self._flying) + len(self._landed)

    def take(self, work: Work) -> None:
        """Have a part computed, unless it is; then see which parts have landed by now."""
        self._taken += 1
        if not isinstance(work, Batch):
            self._landed[self._taken] = work
        elif self._here and len(self._flying) >= self._crew.limit:
            try:
                self._landed[self._taken] = Judged(work, self._here(work))
            except StanceError as error:
                self._landed[self._taken] = error
        else:
            self._flying[self._crew.submit(work)] = work
        self._land({future for future in self._flying if future.done()})

    def wait(self) -> None:
        """Wait until a part has landed; those whose worker died start again."""
        done: set[Future[Part]] = set()
        while self._flying and not done:
            done = wait(self._flying, LOOK_EVERY, FIRST_COMPLETED).done
            self._crew.check()
        self._land(done)

    def _land(self, done: set[Future[Part]]) -> None:
        lost = []
        for future in sorted(done, key=lambda future: self._flying[future].number):
            task = self._flying.pop(future)
            error = future.exception()
            if not isinstance(error, BrokenExecutor | MemoryError):
                self._landed[task.number] = error or Judged(task, future.result())
            else:
                self._tries[task.number] += not isinstance(error, Bystander)
                lost.append(task)
        for task in lost:
            if self._tries[task.number] < TRIES:
                self._flying[self._crew.submit(task, again=True)] = task
            else:
                self._landed[task.number] = _given_up(task)

    def landed(self) -> Iterator[Judged]:
        while self._next in self._landed:
            found = self._landed.pop(self._next)
            if isinstance(found, BaseException):
                raise found
            self._next += 1
            yield found


def _given_up(task: Batch) -> WorkerError:
    numbers = task.records.numbers
    return WorkerError(
        f"records {numbers[0]:,} to {numbers[-1]:,}: the worker died {TRIES} times, as "
        "when memory runs out; free memory or use fewer --jobs"
    )


# --- Processes of this computer -------------------------------------------------------------------


class LocalCrew:
    """So many processes of this computer, besides this one."""

    def __init__(self, count: int, model: StanceModel, frame: Frame) -> None:
        self.limit = AHEAD * count
        self._count = count
        self._ready = (model, frame)
        self._start = b""
        self._lanes: list[_Lane] = []

    def __enter__(self) -> Self:
        try:
            while len(self._lanes) < self._count:
                with held():  # or a process might be started that nobody knows of
                    self._lanes.append(_Lane())
            self._start = _pickle(self._ready)  # in a tenth of the time of a model file
            for lane in self._lanes:
                lane.send(self._start)
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for lane in self._lanes if kind else ():
            lane.kill()
        for lane in self._lanes:
            lane.end()

    def compute_here(self, batch: Batch) -> Part:
        """Compute a part as the processes do, but in this one."""
        model, frame = self._ready
        return compute(model, frame, *batch)

    def submit(self, task: Batch, *, again: bool = False) -> Future[Part]:
        """Have a part computed by the worker with the least to do.

        A lost part goes to one that is known to live: it must not be lost again with a new
        worker that dies before it has begun.
        """
        for place, lane in enumerate(self._lanes):
            if not lane.alive:
                lane.kill()
                with held():
                    self._lanes[place] = _Lane()
                self._lanes[place].send(self._start)
                lane.end()
        lane = min(self._lanes, key=lambda lane: (again and not lane.proven, lane.load))
        return lane.submit(task)

    def check(self) -> None:
        """Do nothing: a worker that dies fails its parts."""


class _Lane:
    """One worker process, and two threads: one hands it tasks, the other takes its parts.

    A pool such as loky's shares pipes and holds both ends of them: if a process is killed while a
    model or a part is under way to it, the pool waits for ever. Here each end has one owner, so
    that a death is seen as the end of the pipe, and is charged to one part.
    """

    def __init__(self) -> None:
        self.proven = False  # has computed something
        self._dead = False
        self._given: list[Future[Part]] = []
        self._to_send: SimpleQueue[bytes | None] = SimpleQueue()
        self._awaited: SimpleQueue[Future[Part] | None] = SimpleQueue()
        path = os.pathsep.join(filter(None, [*sys.path, _ROOT]))
        with _without_ctrl_c():
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", "from stance.runs.workers import serve; serve()"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=os.environ | {"PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"},
            )
        self._stdin, self._stdout = map(_widened, (self._process.stdin, self._process.stdout))
        runs = (self._send_all, self._receive_all)
        self._threads = [threading.Thread(target=run, daemon=True) for run in runs]
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        return not self._dead and self._process.poll() is None

    @property
    def load(self) -> int:
        """Parts that the process has still to compute."""
        self._given = [future for future in self._given if not future.done()]
        return len(self._given)

    def send(self, data: bytes) -> None:
        """Send what the process waits for: first the model and the frame, then tasks."""
        self._to_send.put(data)

    def submit(self, task: Batch) -> Future[Part]:
        future: Future[Part] = Future()
        self._given.append(future)
        self._awaited.put(future)
        self.send(_pickle(task, once=True))
        return future

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        """Let the process end, and wait for it."""
        self._to_send.put(None)
        self._awaited.put(None)
        for thread in self._threads:
            thread.join()
        self._process.wait()

    def _send_all(self) -> None:
        """In a thread: send the tasks, each while the one before it may still be computed.

        They are pickled by then: a thread that needs the interpreter would have to wait for it.
        """
        with contextlib.suppress(OSError), self._stdin:  # the other thread hears of a death
            while (data := self._to_send.get()) is not None:
                self._stdin.write(data)
                self._stdin.flush()

    def _receive_all(self) -> None:
        """In a thread: wait for the part of each task."""
        with contextlib.suppress(OSError), self._stdout:
            while (future := self._awaited.get()) is not None:
                found = Bystander() if self._dead else self._receive()
                if isinstance(found, Part):
                    self.proven = True
                    future.set_result(found)
                else:
                    self._dead |= isinstance(found, BrokenExecutor)
                    future.set_exception(found)

    def _receive(self) -> Part | BaseException:
        try:
            found: Part | BaseException = pickle.load(self._stdout)  # noqa: S301 - from our own process
        except (OSError, EOFError, pickle.UnpicklingError):
            return BrokenExecutor("the worker died")
        return found


def _widened(pipe: IO[bytes] | None) -> IO[bytes]:
    """Let a pipe hold more, where the system can."""
    pipe = cast(IO[bytes], pipe)
    with contextlib.suppress(ImportError, AttributeError, OSError):  # Windows; a user's limit
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)
    return pipe


def _pickle(what: object, *, once: bool = False) -> bytes:
    """Pickle something; faster where nothing in it comes twice."""
    file = io.BytesIO()
    pickler = pickle.Pickler(file, pickle.HIGHEST_PROTOCOL)
    pickler.fast = once
    pickler.dump(what)
    return file.getvalue()


@contextlib.contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Start processes in the block that Ctrl-C does not reach: their parent ends them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # which they inherit
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# --- In a worker ----------------------------------------------------------------------------------


def serve() -> None:
    """Compute parts in a worker process, until the other end of the pipe is closed."""
    threading.Thread(target=_leave_with_the_parent, daemon=True).start()
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nothing else may write there
    with contextlib.suppress(EOFError, BrokenPipeError, pickle.UnpicklingError):
        model, frame = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own parent
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
    return error


def _leave_with_the_parent() -> None:
    """End this process when the other end of its pipe is closed, even in the midst of a part."""
    if hasattr(select, "poll"):
        pipe = select.poll()
        pipe.register(sys.stdin.fileno(), 0)  # no events but the one that is always reported
        pipe.poll()
        os._exit(0)
