"""A Dask cluster as a user starts it: a scheduler and workers by command line."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def command_line_cluster() -> Iterator[tuple[str, int]]:
    """Start a scheduler and three workers as a user does; yield address and the workers' parent."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
    address = f"tcp://127.0.0.1:{port}"
    lines = (
        ["scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard"],
        ["worker", address, "--nworkers", "3", "--nthreads", "1", "--no-dashboard"],
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "dask", *line],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for line in lines
    ]
    try:
        yield address, started[1].pid
    finally:
        for process in started:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def children(parent: int) -> list[int]:
    """Return the worker processes that a `dask worker` has started."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            its_parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            if its_parent == parent and b"spawn_main" in (path / "cmdline").read_bytes():
                found.append(int(path.name))
    return found
