"""Computes the parts of a table: here, in other processes or on a cluster; in order."""

import contextlib
import hashlib
import logging
import os
import pickle
import re
import subprocess
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, cast

from stance.display import shown
from stance.errors import StanceError, UsageError, WorkerError, defer_signals, load_extra
from stance.model import StanceModel
from stance.runs.answers import Part, RunConfig, compute
from stance.runs.journal import versions
from stance.storage import decode_model, dump_model
from stance.tables import Records

TRIES = 3  # how often a part is computed if its worker dies

_ROOT = str(Path(__file__).parent.parent.parent)
_PROGRAM = """
import pickle
try:
    from stance.runs.workers import serve
    serve()
except (EOFError, OSError, MemoryError, ImportError, SystemError, pickle.UnpicklingError):
    raise SystemExit(1)  # the parent says so; without memory, imports fail in odd ways
"""
Submit = Callable[[Records], Callable[[], Part]]  # begins a part; what waits for it


def compute_in_order(batches: Iterable[Records], submit: Submit, ahead: int = 0) -> Iterator[Part]:
    """Compute parts, up to so many `ahead` at a time; yield them in order."""
    line: deque[Callable[[], Part]] = deque()
    for records in batches:
        line.append(submit(records))
        del records  # or they would be there until the next are
        while len(line) > ahead:
            yield line.popleft()()
    while line:
        yield line.popleft()()


def failure(records: Records, why: str) -> WorkerError:
    """Return why a part has no answers."""
    numbers = records.numbers
    return WorkerError(f"records {numbers[0]:,} to {numbers[-1]:,}: {why}")


# --- Processes ---


class WorkerPool(contextlib.AbstractContextManager["WorkerPool"]):
    """Processes that compute parts; they live as long as the ``with`` block.

    Each has pipes and a thread of its own, so that its death is seen at once: with one queue for
    all, as the standard library and joblib have it, a worker that is killed while it sends an
    answer leaves the reader waiting for ever.
    """

    def __init__(self, number: int, model: StanceModel, config: RunConfig) -> None:
        self.ahead = 2 * number  # parts under way, so that no worker waits
        self._open = True
        self._processes: list[subprocess.Popen[bytes]] = []
        self._threads, self._here = ThreadPoolExecutor(number), threading.local()
        self._setup = pickle.dumps((model, config), pickle.HIGHEST_PROTOCOL)

    def __exit__(self, *_: object) -> None:
        self._open = False
        with defer_signals():  # or threads might wait for ever for a process that nobody kills
            for process in self._processes:
                process.kill()
            self._threads.shutdown(cancel_futures=True)
        for process in self._processes:
            process.communicate()

    def submit(self, records: Records) -> Callable[[], Part]:
        """Have a part computed; return what waits for it."""
        data = pickle.dumps(records, pickle.HIGHEST_PROTOCOL)  # here, where there is time for it
        return self._threads.submit(self._compute, records, data).result

    def _compute(self, records: Records, data: bytes) -> Part:
        for _ in range(TRIES):
            process, start = getattr(self._here, "process", None), b""
            if process is None:
                process, start = self._start(), self._setup
            stdin, stdout = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
            try:
                stdin.write(start + data)
                stdin.flush()
                result: Part | Exception = pickle.load(stdout)  # noqa: S301 - from our own process
                if isinstance(result, Exception):
                    raise result
                return result
            except (OSError, EOFError, pickle.UnpicklingError, MemoryError):  # it is dead
                process.kill()
                self._here.process = None
            if not self._open:
                break
        memory = "as when memory runs out; free memory or use fewer --jobs"
        raise failure(records, f"the worker died {TRIES} times, {memory}")

    def _start(self) -> subprocess.Popen[bytes]:
        path = os.pathsep.join(filter(None, [*sys.path, _ROOT]))
        # In a group of its own, which Ctrl-C does not reach: its parent ends it.
        self._here.process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-P", "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"},
            process_group=0,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # of Windows
        )
        self._processes.append(self._here.process)
        return cast(subprocess.Popen[bytes], self._here.process)


def serve() -> None:
    """Compute parts in a worker process, until the other end of the pipe is closed."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nothing else may write there
    model, config = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own parent
    while True:
        records: Records = pickle.load(sys.stdin.buffer)  # noqa: S301
        try:
            result: Part | Exception = compute(model, config, records)
        except Exception as error:
            result = to_send(error)
        pickle.dump(result, out, pickle.HIGHEST_PROTOCOL)
        out.flush()
        del records, result  # free them while waiting for the next


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
