"""Who computes the parts: this process, or several; their answers come back in order."""

import contextlib
import os
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from stance.errors import DataError, WorkerError
from stance.model import StanceModel
from stance.output import output_error
from stance.parts import Batch, Frame, Part, Task, compute
from stance.storage import dump_model, load_model

TRIES = 2
"""How often a part is computed when its worker dies."""

AHEAD = 2
"""Parts that a worker is given at a time, so that it need not wait for the next."""

_WATCH = 0.5
"""Seconds after which a worker notices that nobody waits for it."""

_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # Windows ends a process with either

Work = Batch | Part | DataError
"""A part to be computed, one that is done already, or why there are no more."""


class Crew(Protocol):
    """Those who compute parts."""

    @property
    def limit(self) -> int:
        """Parts that may be under way."""

    def submit(self, task: Task, *, again: bool = False) -> "Future[Part]":
        """Have a part computed; `again` where it was lost with its worker."""

    def at_fault(self, future: "Future[Part]") -> bool:
        """Tell whether a future that failed had the worker that died."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


def compute_here(model: StanceModel, frame: Frame, works: Iterable[Work]) -> Iterator[Part]:
    """Compute parts one after the other in this process."""
    for work in works:
        if isinstance(work, DataError):
            raise work
        yield work if isinstance(work, Part) else compute(model, frame, *work)


def compute_with(crew: Crew, works: Iterable[Work]) -> Iterator[Part]:
    """Compute parts with a crew; they come back in the order of their numbers.

    An error comes in order, too: as when the parts were computed one after the other.
    """
    flight = _Flight(crew)
    for work in works:
        flight.take(work)
        while len(flight) >= crew.limit:
            flight.wait()
            yield from flight.landed()
    while len(flight):
        flight.wait()
        yield from flight.landed()


class _Flight:
    """Parts that are under way, and those that wait for an earlier one."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._flying: dict[Future[Part], Task] = {}
        self._landed: dict[int, Part | BaseException] = {}
        self._tries: Counter[int] = Counter()
        self._taken = 0
        self._next = 1

    def __len__(self) -> int:
        return len(self._flying) + len(self._landed)

    def take(self, work: Work) -> None:
        self._taken += 1
        if isinstance(work, Batch):
            task = Task.pack(work)
            self._flying[self._crew.submit(task)] = task
        else:
            self._landed[self._taken] = work

    def wait(self) -> None:
        """Wait until a part has landed; those whose worker died start again."""
        done = wait(self._flying, return_when=FIRST_COMPLETED).done if self._flying else set()
        lost = []
        for future in sorted(done, key=lambda future: self._flying[future].number):
            task = self._flying.pop(future)
            error = future.exception()
            if not isinstance(error, BrokenExecutor | MemoryError):
                self._landed[task.number] = error or future.result()
            elif self._crew.at_fault(future) and self._failed(task):
                self._landed[task.number] = _given_up(task)
            else:
                lost.append(task)
        for task in lost:
            self._flying[self._crew.submit(task, again=True)] = task

    def _failed(self, task: Task) -> bool:
        self._tries[task.number] += 1
        return self._tries[task.number] >= TRIES

    def landed(self) -> Iterator[Part]:
        while self._next in self._landed:
            found = self._landed.pop(self._next)
            if isinstance(found, BaseException):
                raise found
            self._next += 1
            yield found


def _given_up(task: Task) -> WorkerError:
    return WorkerError(
        f"records {task.numbers[0]:,} to {task.numbers[-1]:,}: the worker died {TRIES} times, as "
        "when memory runs out; free memory or use fewer --jobs"
    )


# --- Processes of this computer ------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class _Lane:
    """One process with a queue of its own, so that its death is charged to one part.

    Attributes
    ----------
    culprit : Future or None
        Of a dead process: the part that it was on.
    proven : bool
        Whether the process has computed something.
    """

    executor: Any
    queue: list[Future[Part]] = field(default_factory=list)
    culprit: Future[Part] | None = None
    proven: bool = False

    def tidy(self) -> None:
        """Take parts that are done off the queue."""
        before = len(self.queue)
        self.queue = [future for future in self.queue if not _is_done(future)]
        self.proven |= len(self.queue) < before

    def kill(self) -> None:
        """End the process at once.

        Loky's own ``kill_workers`` leaves a traceback where parts wait in the queue.
        """
        for process in list(self.executor._processes.values()):
            with contextlib.suppress(OSError):
                os.kill(process.pid, _KILL)


def _is_done(future: Future[Part]) -> bool:
    return future.done() and future.exception() is None


class LocalCrew:
    """Processes of this computer, which load the model once each.

    Parameters
    ----------
    model : StanceModel
    frame : Frame
    jobs : int
        Processes.
    """

    def __init__(self, model: StanceModel, frame: Frame, jobs: int) -> None:
        self.limit = AHEAD * jobs
        self._start = (dump_model(model), frame, os.getpid())
        self._lane_of: dict[Future[Part], _Lane] = {}
        self._lanes = [self._new_lane() for _ in range(jobs)]

    def _new_lane(self) -> _Lane:
        from joblib.externals.loky import ProcessPoolExecutor  # slow, and not for one process

        return _Lane(ProcessPoolExecutor(1, initializer=_begin, initargs=self._start))

    def submit(self, task: Task, *, again: bool = False) -> Future[Part]:
        """Have a part computed by the worker with the least to do.

        A lost part goes to one that is known to live: it must not be lost again with a new
        worker that dies before it has begun.
        """
        for lane in self._lanes:
            lane.tidy()
        lane = min(self._lanes, key=lambda lane: (again and not lane.proven, len(lane.queue)))
        try:
            future: Future[Part] = lane.executor.submit(_work, task)
        except BrokenExecutor:  # it died since its last part
            lane = self._replace(lane)
            future = lane.executor.submit(_work, task)
        lane.queue.append(future)
        self._lane_of[future] = lane
        future.add_done_callback(self._forget)
        return future

    def _forget(self, future: Future[Part]) -> None:
        if future.cancelled() or future.exception() is None:
            self._lane_of.pop(future, None)

    def at_fault(self, future: Future[Part]) -> bool:
        """Tell whether it is the part that the worker was on when it died."""
        lane = self._lane_of.pop(future)
        if isinstance(future.exception(), MemoryError):
            return True
        if lane in self._lanes:
            self._replace(lane)
        return lane.culprit is future

    def _replace(self, lane: _Lane) -> _Lane:
        lane.tidy()
        lane.culprit = lane.queue[0] if lane.queue else None
        lane.executor.shutdown(wait=False)
        new = self._new_lane()
        self._lanes[self._lanes.index(lane)] = new
        return new

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            for lane in self._lanes:
                lane.kill()
        for lane in self._lanes:
            lane.executor.shutdown(wait=True)


_given: tuple[bytes, Frame] | None = None
_model: StanceModel | None = None


def _begin(data: bytes, frame: Frame, parent: int) -> None:
    """Prepare a new worker process."""
    global _given
    _given = data, frame
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, who ends us
    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()


def _leave_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_WATCH)
    os._exit(1)


def _work(task: Task) -> Part:
    """Compute a part in a worker process."""
    global _model
    if _given is None:
        raise RuntimeError("this process is no worker")
    data, frame = _given
    if _model is None:
        _model = decode_model(data, frame)
    return compute(_model, frame, task.number, task.records())


def decode_model(data: bytes, frame: Frame) -> StanceModel:
    """Return the model from the bytes of its file."""
    try:
        handle, name = tempfile.mkstemp(".stance", dir=frame.store.folder if frame.store else None)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            return load_model(Path(name))
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise output_error(error, frame.store.output if frame.store else None) from error
