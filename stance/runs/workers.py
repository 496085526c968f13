"""Computes the parts of a table in other processes of this computer, or on a cluster."""

import contextlib
import gc
import logging
import os
import pickle
import re
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from copy import copy
from importlib import import_module
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
from stance.tables import Records

TRIES = 3  # how often a part is computed if its worker dies
SHARED = 500  # records that are judged before processes part ways

_one_at_a_time = threading.Lock()  # a model remembers words, for one thread alone


def attempt(model: StanceModel, config: RunConfig, records: Records) -> Part | Exception:
    """Compute a part, or return why not; a bug takes its traceback along."""
    try:
        with _one_at_a_time:
            return compute(model, config, records)
    except (StanceError, MemoryError, OSError) as error:
        return error
    except Exception as error:  # not every one can be pickled
        copy = RuntimeError(f"{type(error).__name__}: {error}")
        copy.add_note(traceback.format_exc())
        return copy


# --- Processes ---


class _Task(Future[Part]):
    """A part under way."""

    def __init__(self, records: Records) -> None:
        super().__init__()
        self.records, self.deaths = records, 0  # of workers that had it


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

        def result() -> Part:
            while not task.done():
                self._go_on(seconds=None)
            return task.result()

        return result

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
        """Take an answer, unless the worker has died or could not do its work."""
        try:
            result: Part | Exception = pipe.recv()
        except (OSError, EOFError, pickle.UnpicklingError, MemoryError):
            return self._lose(pipe)
        if isinstance(result, OSError | MemoryError):
            return self._lose(pipe)
        task = self._busy.pop(pipe)
        self._idle.append(pipe)
        return task.set_result(result) if isinstance(result, Part) else task.set_exception(result)

    def _lose(self, pipe: Connection) -> None:
        """End a worker, whose part another one gets."""
        process, task = self._workers.pop(pipe), self._busy.pop(pipe)
        process.kill()
        process.join()
        pipe.close()
        task.deaths += 1
        if task.deaths < TRIES:
            self._waiting.appendleft(task)
        else:
            numbers = task.records.numbers
            records = f"records {numbers[0]:,} to {numbers[-1]:,}"
            why = f"the worker died {TRIES} times, as when memory runs out"
            task.set_exception(WorkerError(f"{records}: {why}; free memory or use fewer --jobs"))

    def _start(self) -> tuple[Any, ...]:
        """Start a worker; return its pipe, and what it has still to be sent.

        On Linux it is a copy of this process, and so has all that the model has learned of words,
        unless a thread that may hold a lock would be missing there.
        """
        setup, threads = (self._model, self._config), Path("/proc/self/task")
        deep = self._model.deep or self._model.encoder  # whose library has threads
        forks = not deep and threads.is_dir() and len(list(threads.iterdir())) == 1
        if forks and not self._workers:
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


def serve(pipe: Connection, *setup: Any) -> None:
    """Compute parts in a worker process, until the other end of the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # its parent ends it
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    inherited = [*Path("/proc/self/fd").iterdir()] if setup else []  # a lock, and others' pipes
    for number in {int(path.name) for path in inherited} - {0, 1, 2, pipe.fileno()}:
        with contextlib.suppress(OSError):  # the list of them is closed by now
            os.close(number)
    gc.freeze()
    with contextlib.suppress(EOFError, OSError, MemoryError):  # the parent says so
        model, config = setup or pipe.recv()
        while True:
            records: Records = pipe.recv()
            result = attempt(model, config, records)
            pipe.send(result)
            del records, result  # free them while waiting for the next


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
        self._name, self._config = shown(address), config
        if not _ADDRESS.fullmatch(address):
            raise UsageError(f"--cluster '{self._name}': is not an address; write tcp://HOST:8786")
        for name in ("distributed", "distributed.client"):  # we report the same in one line
            logging.getLogger(name).setLevel(logging.CRITICAL)
        # Nor is it a reason for a warning that records are large.
        import_module("dask").config.set(
            {"distributed.admin.large-graph-warning-threshold": "1 GB"}
        )
        self._here = versions()  # before threads start: one that edits sys.path may hide some
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
        self._model = self._client.submit(copy, model, pure=False)

    def _error(self, why: str) -> WorkerError:
        return WorkerError(f"{self._name}: {why}")

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._client.close(timeout=3)

    def submit(self, records: Records) -> Callable[[], Part]:
        """Have a part computed; return what waits for it."""
        job = attempt_there, self._here, self._model, self._config, records
        remote = self._client.submit(*job, pure=False)
        return lambda: self._result(remote)

    def _result(self, remote: Any) -> Part:
        """Wait for a part; Dask computes it again on another worker if one is lost."""
        try:
            result: Part | Exception = remote.result()
        except Exception as error:
            if self._client.status != "running":
                raise self._error("the scheduler is gone; start it again") from error
            why = f"fail ({shown(f'{type(error).__name__}: {error}')})"
            raise self._error(f"workers {why}; check their memory and version of stance") from error
        if isinstance(result, Exception):
            raise result
        return result


def attempt_there(
    expected: dict[str, str], model: StanceModel, config: RunConfig, records: Records
) -> Part | Exception:
    """Compute a part on a worker that answers as one here would.

    An error is returned, as Dask logs the texts of what raises.
    """
    for name, installed in versions().items():
        if installed != expected[name]:
            why = f"{name} {installed}, not {expected[name]} as here"
            return WorkerError(f"the cluster has {why}; install the same version there")
    return attempt(model, config, records)
