"""Parts computed on a Dask cluster: the thinnest layer, with bytes equal to a local run.

Dask unpickles what it gets, so a cluster belongs on a trusted network or behind its TLS. The
scheduler and all workers need the same versions of Python, numpy and stance::

    dask scheduler                                        # prints tcp://ADDRESS:8786
    dask worker tcp://ADDRESS:8786 --nworkers -1          # on each computer
    stance predict in.csv -o out.csv --cluster tcp://ADDRESS:8786
"""

import contextlib
import hashlib
import logging
import platform
import re
import threading
import time
from concurrent.futures import BrokenExecutor, CancelledError, Future
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from types import TracebackType
from typing import Any, Self

from stance.display import shown
from stance.errors import UsageError, WorkerError
from stance.model.judging import StanceModel
from stance.runs.parts import Batch, Frame, Part, compute, versions
from stance.runs.workers import AHEAD, to_send
from stance.storage import decode_model, dump_model

_TIMEOUT = 20
"""Seconds to wait for the scheduler and for its first worker."""

_ADDRESS = re.compile(r"(tcp|tls|ws|wss|ucx)://[!-~]+:[0-9]{1,5}")
"""Of a scheduler. On others Dask waits long, or fails in ways of its own."""

_LOGGERS = ("distributed", "distributed.client")
"""Those of Dask that have a level of their own in this process."""

_COUNT_EVERY = 2
"""Seconds after which the workers are counted again."""

_PATIENCE = 30
"""Seconds without any worker after which the run ends; a lost worker is replaced sooner."""


class ClusterCrew:
    """The workers of a Dask cluster. They need not share a disk with this computer.

    Parameters
    ----------
    address : str
        Of the scheduler, such as ``tcp://10.0.0.1:8786``.
    model : StanceModel
    frame : Frame

    Raises
    ------
    UsageError
        If the package that talks to clusters is not installed, or the address is none.
    WorkerError
        If there is no scheduler at the address, or it has no worker.
    """

    def __init__(self, address: str, model: StanceModel, frame: Frame) -> None:
        try:
            import distributed
        except ImportError as error:
            raise UsageError("--cluster needs an extra: pip install 'stance[dask]'") from error
        self._name = shown(address)
        self._loggers = [logging.getLogger(name) for name in _LOGGERS]
        self._levels = [logger.level for logger in self._loggers]
        self._lost = (OSError, MemoryError, TimeoutError, CancelledError, distributed.KilledWorker)
        if not _ADDRESS.fullmatch(address):
            raise UsageError(f"--cluster '{self._name}': is no address; write tcp://HOST:8786")
        connect: Any = distributed.Client
        self._client = connect.__new__(connect)
        try:
            self._client.__init__(address, timeout=_TIMEOUT, set_as_default=False, name="stance")
        except BaseException as error:  # where another program answers, anything may happen
            self._client.status = "closed"  # or else it would try for long to close when deleted
            if not isinstance(error, Exception):
                raise
            raise WorkerError(f"{self._name}: no Dask scheduler answers; check address") from error
        self._frame = replace(frame, store=None)
        self._data = dump_model(model)
        self._digest = hashlib.sha256(self._data).hexdigest()
        self._model: Any = None
        self._threads = 0
        self._counted = self._seen = float("-inf")

    @property
    def limit(self) -> int:
        """Parts that may be under way; workers come and go."""
        self.check()
        return AHEAD * max(1, self._threads)

    def check(self) -> None:
        """Count the workers now and then; raise if there have been none for long."""
        now = time.monotonic()
        if now < self._counted + _COUNT_EVERY:
            return
        self._counted = now
        if self._client.status == "running":  # else it is about to connect anew, or to give up
            with contextlib.suppress(OSError):  # as when the scheduler goes at this moment
                self._threads = sum(self._client.nthreads().values())
        if self._threads:
            self._seen = now
        elif now > self._seen + _PATIENCE:
            raise WorkerError(f"{self._name}: the cluster has lost all its workers; start some")

    def submit(self, task: Batch, *, again: bool = False) -> Future[Part]:
        """Have a part computed by any worker."""
        import dask

        future: Future[Part] = Future()
        # Large records are no mistake here, and no reason for a warning.
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 GB"}):
            if self._model is None or again:
                # A task rather than scattered data: made anew where its worker is lost.
                key = f"stance-model-{self._digest}"
                self._model = self._client.submit(bytes, self._data, key=key)
            remote = self._client.submit(
                _work, self._model, self._digest, versions(), self._frame, task, pure=False
            )
        # Dask's own threads for callbacks would keep a run from ending where no worker is left.
        threading.Thread(target=self._relay, args=(remote, future), daemon=True).start()
        return future

    def at_fault(self, future: Future[Part]) -> bool:
        """Tell whether the scheduler blames a part for the loss of workers."""
        return True

    def __enter__(self) -> Self:
        for logger in self._loggers:
            logger.setLevel(logging.CRITICAL)  # what they have to say, we say in one line
        try:
            self._client.wait_for_workers(1, timeout=_TIMEOUT)
            self._compare_versions()
        except BaseException as error:
            self.__exit__(None, None, None)
            if isinstance(error, TimeoutError):
                raise WorkerError(
                    f"{self._name}: the scheduler has no worker; start one with `dask worker`"
                ) from error
            if isinstance(error, OSError):
                raise WorkerError(
                    f"{self._name}: the scheduler or a worker was lost; start it again"
                ) from error
            raise
        self._seen = time.monotonic()
        return self

    def _compare_versions(self) -> None:
        """Ask for versions by what every Python has: a task of ours ends a worker without us."""
        for name, here in versions().items():
            ask = (platform.python_version,) if name == "python" else (version, name)
            try:
                found = self._client.run(*ask)
                found["scheduler"] = self._client.run_on_scheduler(*ask)
            except PackageNotFoundError as error:
                raise WorkerError(
                    f"{self._name}: {name} is not installed on the cluster; install the same as "
                    "here on its scheduler and on all workers"
                ) from error
            for there in found.values():
                _compare(name, here, there)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError, TimeoutError):
            self._client.close(timeout=3)
        for logger, level in zip(self._loggers, self._levels, strict=True):
            logger.setLevel(level)

    def _relay(self, remote: Any, future: Future[Part]) -> None:
        """In a thread: wait for a part on the cluster, and hand on what it has come to."""
        try:
            found = remote.result()
        except BaseException as error:
            if self._client.status != "running":
                found = WorkerError(f"{self._name}: the scheduler is gone; start it again")
            elif isinstance(error, self._lost):
                found = BrokenExecutor(type(error).__name__)
            else:  # `_work` raises nothing, so it has not been reached
                why = shown(f"{type(error).__name__}: {error}")
                found = WorkerError(
                    f"{self._name}: the cluster cannot run stance ({why}); install the same there"
                )
        if isinstance(found, BaseException):
            future.set_exception(found)
        else:
            future.set_result(found)


# --- On a worker ---------------------------------------------------------------------------------

_models: dict[str, StanceModel] = {}
_one_at_a_time = threading.Lock()  # a model keeps what it has learned of words, for one thread


def _work(
    data: bytes, digest: str, expected: dict[str, str], frame: Frame, task: Batch
) -> Part | Exception:
    """Compute a part; an error is returned, since Dask logs the arguments of what raises."""
    try:
        with _one_at_a_time:
            if digest not in _models:
                _check(data, digest, expected)
                _models.clear()
                _models[digest] = decode_model(data)
            return compute(_models[digest], frame, *task)
    except Exception as error:
        return to_send(error)


def _check(data: bytes, digest: str, expected: dict[str, str]) -> None:
    for name, there in versions().items():
        _compare(name, expected[name], there)
    if hashlib.sha256(data).hexdigest() != digest:
        raise WorkerError("the model reached a worker of the cluster damaged; run again")


def _compare(name: str, here: str, there: str) -> None:
    if name == "python":  # of which only the first two numbers count
        here, there = (".".join(number.split(".")[:2]) for number in (here, there))
    if here != there:
        raise WorkerError(
            f"the cluster has {name} {there}, not {here} as here; install the same there"
        )
