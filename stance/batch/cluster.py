"""Parts computed on a Dask cluster: the thinnest layer, with bytes equal to a local run.

Dask unpickles what it gets, so a cluster belongs on a trusted network or behind its TLS. The
scheduler and all workers need the same versions of Python, numpy and stance::

    dask scheduler                                        # prints tcp://ADDRESS:8786
    dask worker tcp://ADDRESS:8786 --nworkers -1          # on each computer
    stance predict in.csv -o out.csv --cluster tcp://ADDRESS:8786
"""

import contextlib
import hashlib
import re
import sys
import threading
import time
import traceback
from concurrent.futures import BrokenExecutor, Future
from dataclasses import replace
from importlib.metadata import version
from types import TracebackType
from typing import Any, Self

import numpy as np

from stance.batch.parts import Frame, Part, Task, compute
from stance.batch.workers import AHEAD
from stance.display import shown
from stance.errors import StanceError, UsageError, WorkerError
from stance.model import StanceModel
from stance.storage import decode_model, dump_model

_TIMEOUT = 20
"""Seconds to wait for the scheduler and for its first worker."""

_ADDRESS = re.compile(r"(tcp|tls|ws|wss|ucx)://[!-~]+:[0-9]{1,5}")
"""Of a scheduler. On others Dask waits long, or fails in ways of its own."""

_COUNT_EVERY = 2
"""Seconds after which the workers are counted again."""

Versions = dict[str, str]


def versions() -> Versions:
    """Return the versions that the answers may depend on."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return {"stance": version("stance"), "numpy": np.__version__, "python": python}


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
        self._limit, self._counted = AHEAD, float("-inf")

    @property
    def limit(self) -> int:
        """Parts that may be under way; workers come and go."""
        if time.monotonic() > self._counted + _COUNT_EVERY:
            self._limit = AHEAD * max(1, sum(self._client.nthreads().values()))
            self._counted = time.monotonic()
        return self._limit

    def submit(self, task: Task, *, again: bool = False) -> Future[Part]:
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
        remote.add_done_callback(lambda done: _relay(done, future))
        return future

    def at_fault(self, future: Future[Part]) -> bool:
        """Tell whether the scheduler blames a part for the loss of workers."""
        return True

    def __enter__(self) -> Self:
        try:
            self._client.wait_for_workers(1, timeout=_TIMEOUT)
        except TimeoutError as error:
            self._client.close()
            raise WorkerError(
                f"{self._name}: the scheduler has no worker; start one with `dask worker`"
            ) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError, TimeoutError):
            self._client.close(timeout=3)


def _relay(remote: Any, future: Future[Part]) -> None:
    """Hand on what a part on the cluster has come to."""
    try:
        found = remote.result()
    except ModuleNotFoundError as error:
        found = WorkerError(f"the cluster's workers cannot run stance ({error}); install it there")
    except BaseException as error:  # a lost worker: KilledWorker, CancelledError and others
        found = BrokenExecutor(type(error).__name__)
    if isinstance(found, BaseException):
        future.set_exception(found)
    else:
        future.set_result(found)


# --- On a worker ---------------------------------------------------------------------------------

_models: dict[str, StanceModel] = {}
_one_at_a_time = threading.Lock()  # a model keeps what it has learned of words, for one thread


def _work(
    data: bytes, digest: str, expected: Versions, frame: Frame, task: Task
) -> Part | Exception:
    """Compute a part; an error is returned, since Dask logs the arguments of what raises."""
    try:
        with _one_at_a_time:
            if digest not in _models:
                _check(data, digest, expected)
                _models.clear()
                _models[digest] = decode_model(data)
            return compute(_models[digest], frame, task.number, task.records())
    except Exception as error:
        if not isinstance(error, StanceError):
            error.add_note(traceback.format_exc())
        return error


def _check(data: bytes, digest: str, expected: Versions) -> None:
    for name, here in versions().items():
        if here != expected[name]:
            raise WorkerError(
                f"a worker of the cluster has {name} {here}, not {expected[name]} as here; "
                "install the same there"
            )
    if hashlib.sha256(data).hexdigest() != digest:
        raise WorkerError("the model reached a worker of the cluster damaged; run again")
