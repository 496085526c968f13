"""Parts on a Dask cluster: the same bytes, and one line for whatever is wrong with the cluster."""

import contextlib
import functools
import re
import socket
import subprocess
import sys
import threading

import pytest
from command import predict, write
from small_model import TEXTS, small_model

from stance.errors import UsageError, WorkerError
from stance.runs import workers as layer
from stance.runs.journal import journal_of, versions
from stance.runs.workers import cluster_pool

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("ignore")
ROWS = 60


@pytest.fixture
def table(tmp_path):
    rows = "".join(f'{number},"{TEXTS[number % 4]}"\n' for number in range(ROWS))
    return write(tmp_path / "mine.csv", f"id,text\n{rows}")


@pytest.fixture(scope="module")
def cluster():
    """A Dask cluster with one worker, in this process."""
    with distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=2,
        processes=False,
        protocol="tcp",
        dashboard_address=None,
        silence_logs=50,
    ) as cluster:
        yield cluster


@pytest.fixture
def remote(model, table, output, cluster):
    """A run on the cluster."""
    address = cluster.scheduler_address
    return functools.partial(predict, model, table, output, cluster=address, size=7)


def test_a_cluster_gives_the_same_bytes(model, table, output, remote):
    predict(model, table, output, size=7)
    before = output.read_bytes()
    for _ in range(2):
        remote(force=True)
        assert output.read_bytes() == before
    assert not journal_of(output).exists()


def test_a_bug_ends_the_run_with_its_traceback(remote, output, monkeypatch):
    def failing(*_):
        raise LookupError("what happened")

    monkeypatch.setattr(layer, "compute", failing)
    with pytest.raises(LookupError, match="what happened") as caught:
        remote()
    assert "in failing" in caught.value.__notes__[0]
    assert not output.exists()


@pytest.mark.parametrize(
    "address", ["", "nonsense", "tcp://HOST", "inproc://x", "tcp://\x1b[31mx\n:1"]
)
def test_what_is_not_an_address_is_refused_at_once(address):
    told = re.escape(ascii(address)[1:-1])
    with (
        pytest.raises(UsageError, match=f"^--cluster '{told}': is not an address; write tcp"),
        cluster_pool(address, small_model(), None),
    ):
        pass


def test_another_program_at_the_address_is_not_a_scheduler(model_path, table, output):
    def greet():
        with contextlib.suppress(OSError):
            while True:
                client, _ = server.accept()
                client.sendall(b"SSH-2.0-OpenSSH_9.7\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=greet, daemon=True).start()
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        command = [sys.executable, "-m", "stance", "predict", str(table), "-o", str(output)]
        command += ["--model", str(model_path), "--cluster", address]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"stance: {address}: no Dask scheduler answers; check the address\n"


def test_each_worker_with_other_versions_is_told_in_one_line():
    found = layer.attempt(versions() | {"numpy": "9.9"}, None, None, None)
    assert isinstance(found, WorkerError)
    assert re.fullmatch(r"the cluster has numpy [0-9.]+, not 9\.9 as here; .*", str(found))


def test_a_cluster_without_workers_ends_a_run(cluster):
    cluster.scale(0)
    with (
        pytest.raises(WorkerError, match="has no worker; start one"),
        cluster_pool(cluster.scheduler_address, small_model(), None, patience=0.5),
    ):
        pass
    cluster.scale(1)
    cluster.wait_for_workers(1)
