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
import logging
import re
import threading
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Self

from stance.display import shown
from stance.errors import DISTRIBUTION, UsageError, WorkerError, lacking
from stance.model.judging import StanceModel
from stance.runs.answers import Part, RunConfig, compute
from stance.runs.summary import versions
from stance.runs.workers import failure, to_send
from stance.storage import decode_model, dump_model
from stance.tables import Records

_ADDRESS = re.compile(r"(tcp|tls|ws|wss|ucx)://[!-~]+:[0-9]{1,5}")  # with others Dask waits long
MOST = 200  # parts under way
LOOK = 2  # seconds between looks whether somebody still computes a part


class ClusterPool:
    """The workers of a Dask cluster, which need not share a disk with this computer."""

    def __init__(
        self, address: str, model: StanceModel, config: RunConfig, patience: float = 30
    ) -> None:
        try:
            import distributed
        except ImportError as error:
            raise UsageError(lacking("--cluster", "dask")) from error
        self._name, self._patience = shown(address), patience  # seconds without any worker
        self._versions = versions()  # before threads start: one that edits sys.path may hide some
        if not _ADDRESS.fullmatch(address):
            raise UsageError(f"--cluster '{self._name}': is not an address; write tcp://HOST:8786")
        for name in ("distributed", "distributed.client"):  # we report the same in one line
            logging.getLogger(name).setLevel(logging.CRITICAL)
        kind: Any = distributed.Client
        self._client = kind.__new__(kind)
        try:
            self._client.__init__(address, timeout=10, set_as_default=False, name="stance")
        except Exception as error:  # where another program answers, anything may happen
            self._client.status = "closed"  # or it would spend long on closing when deleted
            raise self._error("no Dask scheduler answers; check the address") from error
        self._seen = time.monotonic()  # when there was a worker
        self._model, self._config = dump_model(model), config
        self._digest = hashlib.sha256(self._model).hexdigest()

    def _error(self, why: str) -> WorkerError:
        return WorkerError(f"{self._name}: {why}")

    def __enter__(self) -> Self:
        try:
            self._client.wait_for_workers(1, timeout=2 * self._patience / 3)
            self._client.run(version, DISTRIBUTION)  # our tasks end a worker that lacks it
            threads = sum(self._client.nthreads().values())
        except BaseException as error:
            self.__exit__()
            if isinstance(error, PackageNotFoundError):
                what = "install the same version as here on its scheduler and on all workers"
                raise self._error(f"stance is not installed on the cluster; {what}") from error
            if isinstance(error, OSError):  # a timeout, too
                why = "the scheduler is lost or has no worker; start one with `dask worker`"
                raise self._error(why) from error
            raise
        self.ahead = min(MOST, max(3 * threads, 16))  # so that none waits; more may join
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._client.close(timeout=3)

    def submit(self, records: Records) -> Callable[[], Part]:
        """Have a part computed; return what waits for it."""
        import dask

        # Large records are expected here: no reason for a warning.
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 GB"}):
            # A task rather than scattered data, so that it is repeated if its worker is lost.
            model = self._client.submit(bytes, self._model, key=f"stance-model-{self._digest}")
            work = (_work, model, self._digest, self._versions, self._config, records)
            remote = self._client.submit(*work, pure=False)
        return lambda: self._result(remote, records)

    def _result(self, remote: Any, records: Records) -> Part:
        """Wait for a part; Dask computes it again on another worker if one is lost."""
        import distributed

        while True:
            try:
                result: Part | Exception = remote.result(timeout=LOOK)
                break
            except TimeoutError:
                self._look()
            except distributed.KilledWorker as error:
                raise failure(records, "worker after worker died, as if out of memory") from error
            except Exception as error:
                if self._client.status != "running":
                    raise self._error("the scheduler is gone; start it again") from error
                why = f"cannot run stance ({shown(f'{type(error).__name__}: {error}')})"
                raise self._error(f"the cluster {why}; install the same version there") from error
        if isinstance(result, Exception):
            raise result
        return result

    def _look(self) -> None:
        """Raise if there have been no workers for a while."""
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
