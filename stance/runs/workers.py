"""Computes the parts of a table in other processes of this computer, or on a cluster."""

import contextlib
import gc
import hashlib
import logging
import os
import pickle
import re
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, cast

from stance.display import shown
from stance.errors import StanceError, UsageError, WorkerError, defer_signals, load_extra
from stance.model import StanceModel
from stance.runs.answers import Part, RunConfig, compute
from stance.runs.journal import versions
from stance.storage import decode_model, dump_model
from stance.tables import Records

TRIES = 3  # how often a part is computed if its worker dies
SHARED = 500  # records that are judged before processes part ways


def failure(records: Records, why: str) -> WorkerError:
    """Return why a part has no answers."""
    numbers = records.numbers
    return WorkerError(f"records {numbers[0]:,} to {numbers[-1]:,}: {why}")


# --- Processes ---


@dataclass(slots=True)
class _Task:
    """A part under way."""

    records: Records
    deaths: int = 0  # of workers that had it
    result: Part | Exception | None = None


class WorkerPool(contextlib.AbstractContextManager["WorkerPool"]):
    """Processes that compute parts; they live as long as the ``with`` block.

    Each has a pipe of its own, so that its death is seen at once: with one queue for all, as the
    standard library and joblib have it, a worker that is killed while it sends an answer leaves the
    reader waiting for ever.
    """

    def __init__(self, number: int, model: StanceModel, config: RunConfig) -> None:
        self.ahead = 2 * number  # parts under way, so that no worker waits
        self._number, self._model, self._config = number, model, config
        self._workers: dict[Connection, BaseProcess] = {}
        self._idle: list[Connection] = []
        self._busy: dict[Connection, _Task] = {}
        self._waiting: deque[_Task] = deque()

    def __exit__(self, *_: object) -> None:
        with defer_signals():
            for process in self._workers.values():
                process.kill()
            for pipe, process in self._workers.items():
                process.join()
                pipe.close()

    def submit(self, records: Records) -> Callable[[], Part]:
        """Have a part computed; return what waits for it."""
        task = _Task(records)
        self._waiting.append(task)
        self._go_on(seconds=0)
        return lambda: self._result(task)

    def _result(self, task: _Task) -> Part:
        while task.result is None:
            self._go_on(seconds=None)
        if isinstance(task.result, Exception):
            raise task.result
        return task.result

    def _go_on(self, seconds: float | None) -> None:
        """Keep the workers busy; wait some seconds, or if None for ever, for an answer."""
        self._hand_out()
        for pipe in wait(self._busy, seconds):
            self._take(cast(Connection, pipe))
        self._hand_out()

    def _hand_out(self) -> None:
        while self._waiting and len(self._busy) < self._number:
            pipe, *messages = (self._idle.pop(),) if self._idle else self._start()
            self._busy[pipe] = task = self._waiting.popleft()
            try:
                for message in (*messages, task.records):
                    pipe.send(message)  # it is waiting for that
            except OSError:
                self._lose(pipe)

    def _take(self, pipe: Connection) -> None:
        try:
            result: Part | Exception = pipe.recv()
        except (OSError, EOFError, pickle.UnpicklingError, MemoryError) as error:
            result = error
        if isinstance(result, OSError | EOFError | pickle.UnpicklingError | MemoryError):
            self._lose(pipe)
        else:
            self._busy.pop(pipe).result = result
            self._idle.append(pipe)

    def _lose(self, pipe: Connection) -> None:
        """End a worker that cannot do its work, if it has not died; another one gets its part."""
        process, task = self._workers.pop(pipe), self._busy.pop(pipe)
        process.kill()
        process.join()
        pipe.close()
        task.deaths += 1
        if task.deaths < TRIES:
            self._waiting.appendleft(task)
        else:
            memory = "as when memory runs out; free memory or use fewer --jobs"
            task.result = failure(task.records, f"the worker died {TRIES} times, {memory}")

    def _start(self) -> tuple[Any, ...]:
        """Start a worker; return its pipe, and what it has still to be sent."""
        setup, forks = (self._model, self._config), self._may_fork()
        if forks and not self._workers:  # what it learns, all share
            compute(*setup, self._waiting[0].records[:SHARED])
        context: Any = get_context("fork" if forks else "spawn")
        here, there = context.Pipe()
        process = context.Process(target=serve, args=(there, *setup * forks), daemon=True)
        with defer_signals():  # or one might be started that nobody ends
            process.start()
            self._workers[here] = process
        there.close()
        # A process that is killed while it starts would have `start` wait for ever if it sent more.
        return (here,) if forks else (here, setup)

    def _may_fork(self) -> bool:
        """Return whether a copy of this process would work: on Linux, where no thread runs."""
        threads = Path("/proc/self/task")
        deep = self._model.deep or self._model.encoder  # which may have had threads
        return not deep and threads.is_dir() and len(list(threads.iterdir())) == 1


def serve(pipe: Connection, *setup: Any) -> None:
    """Compute parts in a worker process, until the other end of the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # its parent ends it
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if setup:
        _close_others(pipe)
    gc.freeze()
    with contextlib.suppress(EOFError, OSError, MemoryError):  # the parent says so
        model, config = setup or pipe.recv()
        while True:
            records: Records = pipe.recv()
            try:
                result: Part | Exception = compute(model, config, records)
            except Exception as error:
                result = to_send(error)
            pipe.send(result)
            del records, result  # free them while waiting for the next


def _close_others(pipe: Connection) -> None:
    """Close what a copy of the parent has open: its lock on a run, pipes of other workers."""
    for path in list(Path("/proc/self/fd").iterdir()):
        if int(path.name) not in (0, 1, 2, pipe.fileno()):
            with contextlib.suppress(OSError):  # that of the list
                os.close(int(path.name))


def to_send(error: Exception) -> Exception:
    """Return an error that may go to another process; a bug takes its traceback along."""
    if isinstance(error, StanceError | MemoryError | OSError):
        return error
    copy = RuntimeError(f"{type(error).__name__}: {error}")  # not every error can be pickled
    copy.add_note(traceback.format_exc())
    return copy


# --- A cluster ---

_ADDRESS = re.compile(r"(tcp|tls|ws|wss|ucx)://[!-~]+:[0-9]{1,5}")  # with others Dask waits long
MOST = 200  # parts under way


class ClusterPool(contextlib.AbstractContextManager["ClusterPool"]):
    """The workers of a Dask cluster, which need not share a disk with this computer.

    Scheduler and workers need the same versions of Python, numpy and stance. Dask unpickles what it
    gets, so they belong on a trusted network, or behind certificates, for ``tls://``, which Dask
    finds in its own settings (``distributed.comm.tls``). If all workers are lost, it waits for new
    ones, as it does for every program.
    """

    def __init__(
        self, address: str, model: StanceModel, config: RunConfig, patience: float = 20
    ) -> None:
        distributed = load_extra("distributed", "--cluster", "dask")
        self._name = shown(address)
        if not _ADDRESS.fullmatch(address):
            raise UsageError(f"--cluster '{self._name}': is not an address; write tcp://HOST:8786")
        for name in ("distributed", "distributed.client"):  # we report the same in one line
            logging.getLogger(name).setLevel(logging.CRITICAL)
        # Before threads start: one that edits sys.path may hide some versions.
        data = dump_model(model)
        self._job = hashlib.sha256(data).hexdigest(), versions(), config
        try:
            self._client = distributed.Client(
                address, timeout=10, set_as_default=False, name="stance"
            )
        except Exception as error:  # where another program answers, anything may happen
            raise self._error("no Dask scheduler answers; check the address") from error
        try:
            self._client.wait_for_workers(1, timeout=patience)
            threads = sum(self._client.nthreads().values())
        except OSError as error:  # a timeout, too
            self.__exit__()
            why = "the scheduler is lost or has no worker; start one with `dask worker`"
            raise self._error(why) from error
        self.ahead = min(MOST, max(3 * threads, 16))  # so that none waits; more may join
        # A task rather than scattered data, so that it is repeated if its worker is lost.
        self._model = self._submit(bytes, data)

    def _error(self, why: str) -> WorkerError:
        return WorkerError(f"{self._name}: {why}")

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._client.close(timeout=3)

    def _submit(self, *task: object) -> Any:
        import dask

        # Large records are expected here: no reason for a warning.
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 GB"}):
            return self._client.submit(*task, pure=False)

    def submit(self, records: Records) -> Callable[[], Part]:
        """Have a part computed; return what waits for it."""
        remote = self._submit(_work, self._model, *self._job, records)
        return lambda: self._result(remote, records)

    def _result(self, remote: Any, records: Records) -> Part:
        """Wait for a part; Dask computes it again on another worker if one is lost."""
        import distributed

        try:
            result: Part | Exception = remote.result()
        except distributed.KilledWorker as error:
            why = "worker after worker died, as if out of memory or without stance"
            raise failure(records, why) from error
        except Exception as error:
            if self._client.status != "running":
                raise self._error("the scheduler is gone; start it again") from error
            why = f"cannot run stance ({shown(f'{type(error).__name__}: {error}')})"
            raise self._error(f"the cluster {why}; install the same version there") from error
        if isinstance(result, Exception):
            raise result
        return result


_models: dict[str, StanceModel] = {}
_one_at_a_time = threading.Lock()  # a model remembers words, for one thread alone


def _work(
    data: bytes, digest: str, expected: dict[str, str], config: RunConfig, records: Records
) -> Part | Exception:
    """Compute a part; an error is returned, since Dask logs the arguments of what raises."""
    try:
        with _one_at_a_time:
            if digest not in _models:
                for name, installed in versions().items():
                    if installed != expected[name]:
                        why = f"{name} {installed}, not {expected[name]} as here"
                        raise WorkerError(f"the cluster has {why}; install the same version there")
                _models.clear()
                _models[digest] = decode_model(data)
            return compute(_models[digest], config, records)
    except Exception as error:
        return to_send(error)
