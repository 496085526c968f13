"""Parts computed on a Dask cluster: the thinnest layer, with bytes equal to a local run.

Dask unpickles what it gets, so a cluster belongs on a trusted network or behind its TLS. The
scheduler and all workers need the same versions of Python, numpy and stance::

    dask scheduler                                        # prints tcp://ADDRESS:8786
    dask worker tcp://ADDRESS:8786 --nworkers -1          # on each computer
    stance predict in.csv -o out.csv --cluster tcp://ADDRESS:8786

For ``tls://``, Dask finds the certificates in its own settings (``distributed.comm.tls``).
"""

import contextlib
import hashlib
import ipaddress
import logging
import platform
import re
import socket
import threading
import time
from concurrent.futures import BrokenExecutor, CancelledError, Future
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Self
from urllib.parse import urlsplit

from stance.display import shown
from stance.errors import DISTRIBUTION, UsageError, WorkerError, lacking
from stance.model.judging import StanceModel
from stance.runs.parts import Batch, Frame, Part, compute
from stance.runs.plan import versions
from stance.runs.workers import AHEAD, to_send
from stance.storage import decode_model, dump_model

# Of a scheduler. With other addresses Dask waits long, or fails in ways of its own.
_ADDRESS = re.compile(r"(tcp|tls|ws|wss|ucx)://[!-~]+:[0-9]{1,5}")
_LOGGERS = ("distributed", "distributed.client")  # have a level of their own in this process
_ENCRYPTED = ("tls:", "wss:")
_SILENCE = 10  # seconds to wait for the scheduler
_TIMEOUT = 20  # seconds to wait for its first worker
_COUNT_EVERY = 2  # seconds between counts of the workers
_PATIENCE = 30  # seconds without any worker that end a run; a lost worker is replaced sooner


def exposure(address: str) -> str | None:
    """Return a warning if texts would cross a network in the clear; None if they do not.

    >>> exposure("tcp://127.0.0.1:8786")
    >>> exposure("tcp://10.0.0.7:8786")  # doctest: +ELLIPSIS
    'tcp://10.0.0.7:8786: texts and model travel unencrypted, and ...'
    """
    host = urlsplit(address).hostname or "" if _ADDRESS.fullmatch(address) else "localhost"
    with contextlib.suppress(ValueError):
        host = "localhost" if ipaddress.ip_address(host).is_loopback else host
    if host == "localhost" or address.startswith(_ENCRYPTED):
        return None
    risk = (
        "whoever reaches that port can run code on the cluster; use tls:// outside a safe network"
    )
    return f"{shown(address)}: texts and model travel unencrypted, and {risk}"


def _is_silent(address: str) -> bool:
    """Return whether a server takes the connection and says nothing: Dask's client hangs then.

    A scheduler speaks first, but behind TLS or HTTP.
    """
    found = urlsplit(address)
    with contextlib.suppress(OSError, ValueError):  # which Dask's client reports, or overcomes
        if found.scheme == "tcp":
            with socket.create_connection((found.hostname, found.port), _SILENCE) as server:
                try:
                    server.recv(1)
                except TimeoutError:
                    return True
    return False


class ClusterCrew:
    """The workers of a Dask cluster, which need not share a disk with this computer."""

    def __init__(self, address: str, model: StanceModel, frame: Frame) -> None:
        try:
            import dask
            import distributed
        except ImportError as error:
            raise UsageError(lacking("--cluster", "dask")) from error
        self._name = shown(address)
        self._loggers = [logging.getLogger(name) for name in _LOGGERS]
        self._levels = [logger.level for logger in self._loggers]
        self._lost = (OSError, MemoryError, TimeoutError, CancelledError, distributed.KilledWorker)
        if not _ADDRESS.fullmatch(address):
            raise UsageError(f"--cluster '{self._name}': is not an address; write tcp://HOST:8786")
        if _is_silent(address):
            raise WorkerError(f"{self._name}: no Dask scheduler answers; check the address")
        connect: Any = distributed.Client
        self._client = connect.__new__(connect)
        try:
            self._client.__init__(address, timeout=_SILENCE, set_as_default=False, name="stance")
        except BaseException as error:  # where another program answers, anything may happen
            self._client.status = "closed"  # or it would spend long on closing when deleted
            if not isinstance(error, Exception):
                raise
            certificates = dask.config.get("distributed.comm.tls.ca-file", None)
            if address.startswith(_ENCRYPTED) and not certificates:
                where = "distributed.comm.tls in the settings of Dask"
                message = f"{self._name}: needs certificates; name them as {where}"
                raise UsageError(message) from error
            message = f"{self._name}: no Dask scheduler answers; check the address"
            raise WorkerError(message) from error
        self._frame = frame
        self._data = dump_model(model)
        self._digest = hashlib.sha256(self._data).hexdigest()
        self._model: Any = None
        self._threads = 0
        self._counted = self._seen = float("-inf")

    @property
    def limit(self) -> int:
        """Parts that may be under way; raises if there have been no workers for a while."""
        now = time.monotonic()
        if now >= self._counted + _COUNT_EVERY:
            self._counted = now
            if self._client.status == "running":  # else it is about to reconnect, or to give up
                with contextlib.suppress(OSError):  # the scheduler may go at this moment
                    self._threads = sum(self._client.nthreads().values())
            if self._threads:
                self._seen = now
            elif now > self._seen + _PATIENCE:
                raise WorkerError(f"{self._name}: the cluster has lost all its workers; start some")
        return AHEAD * max(1, self._threads)

    def submit(self, task: Batch, *, again: bool = False) -> Future[Part]:
        """Have a part computed by any worker."""
        import dask

        future: Future[Part] = Future()
        # Large records are expected here: no reason for a warning.
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 GB"}):
            if self._model is None or again:
                # A task rather than scattered data, so that it is repeated if its worker is lost.
                key = f"stance-model-{self._digest}"
                self._model = self._client.submit(bytes, self._data, key=key)
            work = (_work, self._model, self._digest, versions(), self._frame, task)
            remote = self._client.submit(*work, pure=False)
        # Dask's own threads for callbacks would keep a run from ending when no worker is left.
        threading.Thread(target=self._relay, args=(remote, future), daemon=True).start()
        return future

    def __enter__(self) -> Self:
        for logger in self._loggers:
            logger.setLevel(logging.CRITICAL)  # we report the same in one line
        try:
            self._client.wait_for_workers(1, timeout=_TIMEOUT)
            self._compare_versions()
        except BaseException as error:
            self.__exit__(None, None, None)
            if isinstance(error, OSError):
                why = "the scheduler or a worker was lost; start it again"
                if isinstance(error, TimeoutError):
                    why = "the scheduler has no worker; start one with `dask worker`"
                raise WorkerError(f"{self._name}: {why}") from error
            raise
        self._seen = time.monotonic()
        return self

    def _compare_versions(self) -> None:
        """Compare versions by what every Python has: our tasks end a worker without stance."""
        for name, here in versions().items():
            installed = DISTRIBUTION if name == "stance" else name
            ask = (platform.python_version,) if name == "python" else (version, installed)
            try:
                found = self._client.run(*ask)
                found["scheduler"] = self._client.run_on_scheduler(*ask)
            except PackageNotFoundError as error:
                what = "install the same version as here on its scheduler and on all workers"
                message = f"{self._name}: {name} is not installed on the cluster; {what}"
                raise WorkerError(message) from error
            for there in found.values():
                _compare(name, here, there)

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError, TimeoutError):
            self._client.close(timeout=3)
        for logger, level in zip(self._loggers, self._levels, strict=True):
            logger.setLevel(level)

    def _relay(self, remote: Any, future: Future[Part]) -> None:
        """In a thread: wait for a part on the cluster, and hand on the part or the error."""
        try:
            found = remote.result()
        except BaseException as error:
            if self._client.status != "running":
                found = WorkerError(f"{self._name}: the scheduler is gone; start it again")
            elif isinstance(error, self._lost):
                found = BrokenExecutor(type(error).__name__)
            else:  # `_work` raises nothing, so it was not reached
                why = f"cannot run stance ({shown(f'{type(error).__name__}: {error}')})"
                advice = "install the same version there"
                found = WorkerError(f"{self._name}: the cluster {why}; {advice}")
        if isinstance(found, BaseException):
            future.set_exception(found)
        else:
            future.set_result(found)


# On a worker:
_models: dict[str, StanceModel] = {}
_one_at_a_time = threading.Lock()  # a model remembers words, for one thread alone


def _work(
    data: bytes, digest: str, expected: dict[str, str], frame: Frame, task: Batch
) -> Part | Exception:
    """Compute a part; an error is returned, since Dask logs the arguments of what raises."""
    try:
        with _one_at_a_time:
            if digest not in _models:
                for name, there in versions().items():
                    _compare(name, expected[name], there)
                if hashlib.sha256(data).hexdigest() != digest:
                    why = "the model reached a worker of the cluster damaged; run again"
                    raise WorkerError(why)
                _models.clear()
                _models[digest] = decode_model(data)
            return compute(_models[digest], frame, *task)
    except Exception as error:
        return to_send(error)


def _compare(name: str, here: str, there: str) -> None:
    if name == "python":  # only its first two numbers count
        here, there = (".".join(number.split(".")[:2]) for number in (here, there))
    if here != there:
        advice = "install the same version there"
        raise WorkerError(f"the cluster has {name} {there}, not {here} as here; {advice}")
