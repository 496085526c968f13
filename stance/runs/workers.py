"""Computes the parts of a table, in this process or in others; results come back in order."""

import contextlib
import os
import pickle
import select
import subprocess
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Self, cast

from stance.errors import DataError, StanceError, WorkerError
from stance.interrupts import defer_signals
from stance.model.judging import StanceModel
from stance.runs.parts import Answered, Batch, Part, RunConfig, compute

TRIES = 3  # how often a part is computed if its worker dies
LONGEST = 900  # seconds to wait for one part, which takes a few

_ROOT = str(Path(__file__).parent.parent.parent)
_PROGRAM = """
try:
    from stance.runs.workers import serve
    serve()
except (MemoryError, OSError, ImportError, SystemError):
    raise SystemExit(1)  # the parent says so; without memory, imports fail in odd ways
"""
_PIPE = 1024 * 1024  # bytes in a pipe, or a thread would need the interpreter for each 64 KB


# --- In order -------------------------------------------------------------------------------------

Work = Batch | Answered | DataError
"""Records to judge, a part that is judged already, or why there are no more."""


def compute_in_order(
    works: Iterable[Work],
    here: Callable[[Batch], Part],
    submit: Callable[[Batch], Future[Part]] | None = None,
    ahead: int = 0,
) -> Iterator[Answered]:
    """Compute parts: those that are submitted up to so many `ahead`, and the others `here`."""
    line: deque[tuple[Batch, Future[Part]]] = deque()
    ended: DataError | None = None
    for work in works:
        if isinstance(work, DataError):
            ended = work  # the last one
            break
        waiting = sum(not part.done() for _, part in line)
        line.append(_begin(work, here, submit if waiting < ahead else None))
        del work  # or its records would be there until the next are
        while line and (line[0][1].done() or len(line) > 2 * ahead):
            yield _result(*line.popleft())
    while line:
        last = next((n for n in reversed(range(len(line))) if line[n][1].cancel()), None)
        if last is None:
            yield _result(*line.popleft())
        else:  # no worker has begun it
            line[last] = _begin(line[last][0], here)
    if ended:
        raise ended


def _begin(
    work: Batch | Answered,
    here: Callable[[Batch], Part],
    submit: Callable[[Batch], Future[Part]] | None = None,
) -> tuple[Batch, Future[Part]]:
    part: Future[Part] = Future()
    if isinstance(work, Answered):
        part.set_result(work.part)
        return work.batch, part
    if submit:
        return work, submit(work)
    try:
        part.set_result(here(work))
    except StanceError as error:  # which has to wait for its turn
        part.set_exception(error)
    return work, part


def _result(batch: Batch, future: Future[Part]) -> Answered:
    for _ in range(LONGEST):  # not by the clock, which goes on while Ctrl-Z has stopped us
        if wait([future], 1).done:
            break
    else:
        raise failure(batch, f"no answer in {LONGEST:,} seconds; restart the workers")
    part = future.result()
    if not part.answers(batch):
        raise failure(batch, "a worker sent a wrong answer; restart the workers")
    return Answered(batch, part)


def failure(batch: Batch, why: str) -> WorkerError:
    """Return why a part has no answers."""
    numbers = batch.records.numbers
    return WorkerError(f"records {numbers[0]:,} to {numbers[-1]:,}: {why}")


# --- Processes of this computer -------------------------------------------------------------------


class WorkerPool:
    """Processes that compute parts; they live as long as the ``with`` block.

    Each has pipes of its own, so that its death is seen at once: with one queue for all, as the
    standard library and joblib have it, a worker that is killed while it sends an answer leaves
    the reader waiting for ever.
    """

    def __init__(self, number: int, model: StanceModel, config: RunConfig) -> None:
        self.ahead = 3 * number  # parts under way, so that no worker waits while we compute one
        self._number, self._open = number, True
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        self._workers: list[_Worker] = []
        self._threads = ThreadPoolExecutor(number)
        self._setup = pickle.dumps((model, config), pickle.HIGHEST_PROTOCOL)

    def __enter__(self) -> Self:
        try:
            for _ in range(self._number):
                self._idle.put(self._start())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._open = False
        with defer_signals():  # or threads might wait for ever for a process that nobody kills
            for worker in self._workers:
                worker.kill()
            self._threads.shutdown(cancel_futures=True)
        for worker in self._workers:
            worker.close()

    def submit(self, batch: Batch, keep: Callable[[Part], Part]) -> Future[Part]:
        """Have a part computed, and handed to `keep` in a thread as soon as it is."""
        data = pickle.dumps(batch, pickle.HIGHEST_PROTOCOL)  # here, where there is time for it
        return self._threads.submit(lambda: keep(self._compute(batch, data)))

    def _compute(self, batch: Batch, data: bytes) -> Part:
        for _ in range(TRIES):
            worker = self._idle.get()
            try:
                return worker.compute(self._setup, data)
            except (OSError, EOFError, pickle.UnpicklingError, MemoryError):  # it is dead
                worker.kill()
                worker = self._start() if self._open else worker
            finally:
                self._idle.put(worker)
        memory = "as when memory runs out; free memory or use fewer --jobs"
        raise failure(batch, f"the worker died {TRIES} times, {memory}")

    def _start(self) -> "_Worker":
        with defer_signals():  # or a process might be started that nobody knows of
            worker = _Worker()
            self._workers.append(worker)
        return worker


class _Worker:
    """A process that computes one part after another."""

    def __init__(self) -> None:
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
        self._ready = False
        self._stdin = cast(IO[bytes], self._process.stdin)
        self._stdout = cast(IO[bytes], self._process.stdout)
        with contextlib.suppress(ImportError, AttributeError, OSError):  # Windows; a user's limit
            import fcntl

            for pipe in (self._stdin, self._stdout):
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)

    def compute(self, setup: bytes, task: bytes) -> Part:
        """Have a part computed; raise what ended it, or what shows that the process is dead."""
        self._stdin.write(task if self._ready else setup + task)
        self._stdin.flush()
        self._ready = True
        found: Part | Exception = pickle.load(self._stdout)  # noqa: S301 - from our own process
        if isinstance(found, Exception):
            raise found
        return found

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        """Wait for the end of a process that has been killed."""
        for pipe in (self._stdin, self._stdout):
            with contextlib.suppress(OSError):
                pipe.close()
        self._process.wait()


def serve() -> None:
    """Compute parts in a worker process, until the other end of the pipe is closed."""
    threading.Thread(target=_leave_with_the_parent, daemon=True).start()
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nothing else may write there
    # If this fails, the process ends, and its parent reports that it died.
    with contextlib.suppress(EOFError, OSError, MemoryError, pickle.UnpicklingError):
        model, config = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own parent
        while True:
            batch: Batch = pickle.load(sys.stdin.buffer)  # noqa: S301
            try:
                found: Part | Exception = compute(model, config, batch)
            except Exception as error:
                found = to_send(error)
            pickle.dump(found, out, pickle.HIGHEST_PROTOCOL)
            out.flush()
            del batch, found  # free them while waiting for the next


def to_send(error: Exception) -> Exception:
    """Return an error that may go to another process; a bug takes its traceback along."""
    if isinstance(error, StanceError | MemoryError | OSError):
        return error
    copy = RuntimeError(f"{type(error).__name__}: {error}")  # not every error can be pickled
    copy.add_note(traceback.format_exc())
    return copy


def _leave_with_the_parent() -> None:
    """End this process when the other end of its pipe is closed, even in the midst of a part."""
    if hasattr(select, "poll"):
        pipe = select.poll()
        pipe.register(sys.stdin.fileno(), 0)  # no events but the one that is always reported
        pipe.poll()
        os._exit(0)
