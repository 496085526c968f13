"""Parts computed on a Dask cluster, with bytes equal to a local run.

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
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Self
from urllib.parse import urlsplit

from stance.display import shown
from stance.errors import DISTRIBUTION, UsageError, WorkerError, lacking
from stance.model.judging import StanceModel
from stance.runs.parts import Batch, Part, RunConfig, compute
from stance.runs.summary import versions
from stance.runs.workers import TRIES, failure, to_send
from stance.storage import decode_model, dump_model

# Of a scheduler. With other addresses Dask waits long, or fails in ways of its own.
_ADDRESS = re.compile(r"(tcp|tls|ws|wss|ucx)://[!-~]+:[0-9]{1,5}")
_ENCRYPTED = ("tls:", "wss:")
_CERTIFICATES = "distributed.comm.tls.ca-file"
_LOGGERS = ("distributed", "distributed.client")  # have a level of their own in this process
MOST = 200  # parts under way
LOOK = 2  # seconds between looks whether somebody still computes a part


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


def _is_silent(address: str, seconds: float) -> bool:
    """Return whether a server takes the connection and says nothing: Dask's client hangs then.

    A scheduler speaks first, but behind TLS or HTTP.
    """
    found = urlsplit(address)
    with contextlib.suppress(OSError, ValueError):  # which Dask's client reports, or overcomes
        if found.scheme == "tcp":
            with socket.create_connection((found.hostname, found.port), seconds) as server:
                try:
                    server.recv(1)
                except TimeoutError:
                    return True
    return False


class ClusterPool:
    """The workers of a Dask cluster, which need not share a disk with this computer."""

    def __init__(
        self,
        address: str,
        model: StanceModel,
        config: RunConfig,
        silence: float = 10,
        patience: float = 30,
    ) -> None:
        try:
            import distributed
        except ImportError as error:
            raise UsageError(lacking("--cluster", "dask")) from error
        self._name, self._patience = shown(address), patience  # seconds without any worker
        if not _ADDRESS.fullmatch(address):
            raise UsageError(f"--cluster '{self._name}': is not an address; write tcp://HOST:8786")
        self._lost = (OSError, MemoryError, CancelledError, distributed.KilledWorker)
        self._loggers = [logging.getLogger(name) for name in _LOGGERS]
        self._levels = [logger.level for logger in self._loggers]
        if _is_silent(address, silence):
            raise self._error("no Dask scheduler answers; check the address")
        self._client = self._connect(distributed.Client, address, silence)
        self._seen = time.monotonic()  # when there was a worker
        self._threads = ThreadPoolExecutor(MOST)
        self._model, self._config = dump_model(model), config
        self._digest = hashlib.sha256(self._model).hexdigest()

    def _error(self, why: str) -> WorkerError:
        return WorkerError(f"{self._name}: {why}")

    def _connect(self, kind: Any, address: str, silence: float) -> Any:
        client = kind.__new__(kind)
        try:
            client.__init__(address, timeout=silence, set_as_default=False, name="stance")
        except BaseException as error:  # where another program answers, anything may happen
            client.status = "closed"  # or it would spend long on closing when deleted
            if not isinstance(error, Exception):
                raise
            import dask

            if address.startswith(_ENCRYPTED) and not dask.config.get(_CERTIFICATES, None):
                where = "distributed.comm.tls in the settings of Dask"
                message = f"{self._name}: needs certificates; name them as {where}"
                raise UsageError(message) from error
            raise self._error("no Dask scheduler answers; check the address") from error
        return client

    def __enter__(self) -> Self:
        for logger in self._loggers:
            logger.setLevel(logging.CRITICAL)  # we report the same in one line
        try:
            self._client.wait_for_workers(1, timeout=2 * self._patience / 3)
            self._compare_versions()
            threads = sum(self._client.nthreads().values())
        except BaseException as error:
            self.__exit__()
            if isinstance(error, TimeoutError):
                why = "the scheduler has no worker; start one with `dask worker`"
                raise self._error(why) from error
            if isinstance(error, OSError):
                why = "the scheduler or a worker was lost; start it again"
                raise self._error(why) from error
            raise
        self.ahead = min(MOST, max(3 * threads, 16))  # so that none waits; more may join
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError, TimeoutError):
            self._client.close(timeout=3)
        self._threads.shutdown(cancel_futures=True)
        for logger, level in zip(self._loggers, self._levels, strict=True):
            logger.setLevel(level)

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
                raise self._error(f"{name} is not installed on the cluster; {what}") from error
            for there in found.values():
                _compare(name, here, there)

    def submit(self, batch: Batch, keep: Callable[[Part], Part]) -> Future[Part]:
        """Have a part computed, and handed to `keep` in a thread as soon as it is."""
        return self._threads.submit(lambda: keep(self._compute(batch)))

    def _compute(self, batch: Batch) -> Part:
        import dask

        for _ in range(TRIES):
            # Large records are expected here: no reason for a warning.
            with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 GB"}):
                # A task rather than scattered data, so that it is repeated if its worker is lost.
                key = f"stance-model-{self._digest}"
                model = self._client.submit(bytes, self._model, key=key)
                work = (_work, model, self._digest, versions(), self._config, batch)
                remote = self._client.submit(*work, pure=False)
            found = self._result(remote)
            if isinstance(found, Exception):
                raise found
            if found is not None:
                return found
        raise failure(batch, f"the worker died {TRIES} times, as when memory runs out")

    def _result(self, remote: Any) -> Part | Exception | None:
        """Wait for a part on the cluster; None if it was lost with its worker."""
        while True:
            try:
                found: Part | Exception = remote.result(timeout=LOOK)
                return found
            except TimeoutError:
                self._look()
            except Exception as error:
                if self._client.status != "running":
                    raise self._error("the scheduler is gone; start it again") from error
                if isinstance(error, self._lost):
                    return None
                why = f"cannot run stance ({shown(f'{type(error).__name__}: {error}')})"
                raise self._error(f"the cluster {why}; install the same version there") from error

    def _look(self) -> None:
        """Raise if the scheduler is gone, or there have been no workers for a while."""
        now = time.monotonic()
        with contextlib.suppress(OSError):  # the scheduler may go at this moment
            if self._client.status == "running" and not self._client.nthreads():
                if now > self._seen + self._patience:
                    raise self._error("the cluster has lost all its workers; start some")
                return
        self._seen = now


# --- On a worker ----------------------------------------------------------------------------------

_models: dict[str, StanceModel] = {}
_one_at_a_time = threading.Lock()  # a model remembers words, for one thread alone


def _work(
    data: bytes, digest: str, expected: dict[str, str], config: RunConfig, batch: Batch
) -> Part | Exception:
    """Compute a part; an error is returned, since Dask logs the arguments of what raises."""
    try:
        with _one_at_a_time:
            if digest not in _models:
                for name, there in versions().items():  # of a worker that joined late
                    _compare(name, expected[name], there)
                _models.clear()
                _models[digest] = decode_model(data)
            return compute(_models[digest], config, batch)
    except Exception as error:
        return to_send(error)


def _compare(name: str, here: str, there: str) -> None:
    if name == "python":  # only its first two numbers count
        here, there = (".".join(number.split(".")[:2]) for number in (here, there))
    if here != there:
        advice = "install the same version there"
        raise WorkerError(f"the cluster has {name} {there}, not {here} as here; {advice}")
