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
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from importlib import import_module
from itertools import cycle
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from stance.display import shown
from stance.errors import StanceError, UsageError, WorkerError, defer_signals, load_extra
from stance.model import StanceModel
from stance.runs.answers import Part, RunConfig, compute
from stance.runs.journal import versions
from stance.tables import Records

TRIES = 3  # how often a part is computed if its worker dies
SHARED = 500  # records that are judged before processes part ways

Pool = tuple[Callable[[Records], Callable[[], Part]], int]
"""A function that begins a part and returns one that waits for it; how many more may be begun."""

_one_at_a_time = threading.Lock()  # a model remembers words, for one thread alone


def attempt(
    wanted: Mapping[str, str], model: StanceModel, config: RunConfig, records: Records
) -> Part | Exception:
    """Compute a part with the versions that are wanted, or return why not.

    An error is returned, as Dask logs the texts of what raises; a bug takes its traceback along.
    """
    for name, installed in versions().items():
        if installed != wanted[name]:
            why = f"{name} {installed}, not {wanted[name]} as here"
            return WorkerError(f"the cluster has {why}; install the same version there")
    try:
        with _one_at_a_time:
            return compute(model, config, records)
    except Exception as error:  # Dask would log the texts
        if not isinstance(error, StanceError | MemoryError | OSError):  # but a bug
            error.add_note(traceback.format_exc())
        return error


# --- Processes ---


@contextlib.contextmanager
def worker_pool(number: int, model: StanceModel, config: RunConfig) -> Iterator[Pool]:
    """Start processes that take turns at parts; they end with the ``with`` block."""
    workers = list[_Worker]()
    turns = cycle(workers)

    def submit(records: Records) -> Callable[[], Part]:
        if not workers:
            if _can_fork(model):
                compute(model, config, records[:SHARED])
            workers.extend(_Worker(model, config) for _ in range(number))
        return next(turns).submit(records)

    try:
        yield submit, 2 * number - 1
    finally:
        with defer_signals():
            for worker in workers:
                worker.end()


def _can_fork(model: StanceModel) -> bool:
    """Return whether a worker can be a copy of this process, which knows all words met so far."""
    # On Linux, unless a thread that may hold a lock would be missing there.
    threads = Path("/proc/self/task")
    has_threads = model.deep or model.encoder or not threads.is_dir()
    return not has_threads and len([*threads.iterdir()]) == 1


class _Worker:
    """A process that computes one part after another; if it dies, a new one takes its place.

    It has a pipe of its own, so that its death is seen at once: with one queue for all, as the
    standard library and joblib have it, a worker that is killed while it sends an answer leaves the
    reader waiting for ever.
    """

    def __init__(self, model: StanceModel, config: RunConfig) -> None:
        self._setup = versions(), model, config
        self._parts = deque[Records]()  # the one under way, and those that wait for it
        self._start()

    def _start(self) -> None:
        forks = _can_fork(self._setup[1])
        context: Any = get_context("fork" if forks else "spawn")
        self._pipe, there = context.Pipe()
        given = (there, *self._setup * forks)
        self._process = context.Process(target=serve, args=given, daemon=True)
        with defer_signals():  # or one might be started that nobody ends
            self._process.start()
        there.close()
        self._unsent = () if forks else (self._setup,)

    def submit(self, records: Records) -> Callable[[], Part]:
        """Queue a part; return a function that waits for its result."""
        self._parts.append(records)
        if len(self._parts) == 1:
            self._send_next()
        return self._result

    def _send_next(self) -> None:
        # The model is sent here, for `start` would wait for ever if the process were killed.
        messages, self._unsent = [*self._unsent, self._parts[0]], ()
        with contextlib.suppress(OSError):  # it is dead, as `_result` will see
            for message in messages:
                self._pipe.send(message)

    def _result(self) -> Part:
        """Wait for the part under way, which a new worker gets if this one dies; go on."""
        for _ in range(TRIES):
            try:
                result: Part | Exception = self._pipe.recv()
            except (OSError, EOFError, pickle.UnpicklingError, MemoryError):
                result = MemoryError()
            if not isinstance(result, OSError | MemoryError):
                break
            self.end()
            self._start()
            self._send_next()
        else:
            numbers = self._parts[0].numbers
            records = f"records {numbers[0]:,} to {numbers[-1]:,}"
            why = f"the worker died {TRIES} times, as when memory runs out"
            raise WorkerError(f"{records}: {why}; free memory or use fewer --jobs")
        self._parts.popleft()
        if self._parts:
            self._send_next()
        if isinstance(result, Exception):
            raise result
        return result

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()
        self._pipe.close()


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
        wanted, model, config = setup or pipe.recv()
        while True:
            records: Records = pipe.recv()
            result = attempt(wanted, model, config, records)
            pipe.send(result)
            del records, result  # free them while waiting for the next


# --- A cluster ---

AHEAD = 100  # parts under way
_ADDRESS = re.compile(r"(tcp|tls|ws|wss|ucx)://[!-~]+:[0-9]{1,5}")  # with others Dask waits long


@contextlib.contextmanager
def cluster_pool(
    address: str, model: StanceModel, config: RunConfig, patience: float = 20
) -> Iterator[Pool]:
    """Have the workers of a Dask cluster compute, which need not share a disk with this computer.

    Scheduler and workers need the same versions of Python, numpy and stance. Dask unpickles what it
    gets, so they belong on a trusted network, or behind certificates, for ``tls://``, which Dask
    finds in its own settings (``distributed.comm.tls``). If all workers are lost, it waits for new
    ones, as it does for every program.
    """
    distributed, name = load_extra("distributed", "--cluster", "dask"), shown(address)
    if not _ADDRESS.fullmatch(address):
        raise UsageError(f"--cluster '{name}': is not an address; write tcp://HOST:8786")
    for logger in ("distributed", "distributed.client"):  # we report the same in one line
        logging.getLogger(logger).setLevel(logging.CRITICAL)
    # Nor is it a reason for a warning that records are large.
    import_module("dask").config.set({"distributed.admin.large-graph-warning-threshold": "1 GB"})
    try:
        client = distributed.Client(address, timeout=10, set_as_default=False, name="stance")
    except Exception as error:  # where another program answers, anything may happen
        raise WorkerError(f"{name}: no Dask scheduler answers; check the address") from error

    def submit(records: Records) -> Callable[[], Part]:
        remote = client.submit(attempt, versions(), shared, config, records, pure=False)

        def result() -> Part:
            try:
                part: Part | Exception = remote.result()  # from another worker if one is lost
            except Exception as error:  # of Dask, or of its connection
                why = "the scheduler is gone; start it again"
                if client.status == "running":
                    fault = shown(f"{type(error).__name__}: {error}")
                    why = f"workers fail ({fault}); check their memory and version of stance"
                raise WorkerError(f"{name}: {why}") from error
            if isinstance(part, Exception):
                raise part
            return part

        return result

    try:
        # A task rather than scattered data, so that it is repeated if its worker is lost.
        shared = client.submit(copy, model, pure=False)
        try:
            client.wait_for_workers(1, timeout=patience)
        except OSError as error:  # a timeout, too
            why = "has no worker; start one with `dask worker`"
            raise WorkerError(f"{name}: {why}") from error
        yield submit, AHEAD
    finally:
        with contextlib.suppress(OSError):
            client.close(timeout=3)
