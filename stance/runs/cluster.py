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
from collections.abc import Callable
from typing import Any, Self

from stance.display import shown
from stance.errors import UsageError, WorkerError, load_extra
from stance.model.judging import StanceModel
from stance.runs.answers import Part, RunConfig, compute
from stance.runs.journal import versions
from stance.runs.workers import failure, to_send
from stance.storage import decode_model, dump_model
from stance.tables import Records

_ADDRESS = re.compile(r"(tcp|tls|ws|wss|ucx)://[!-~]+:[0-9]{1,5}")  # with others Dask waits long
MOST = 200  # parts under way


class ClusterPool:
    """The workers of a Dask cluster, which need not share a disk with this computer.

    If all of them are lost, Dask waits for new ones, as it does for every program.
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

    def __enter__(self) -> Self:
        return self

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
