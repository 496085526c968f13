"""Stops runs by force many times, and counts what each leaves; a short form is in the tests.

python training/endurance.py [--rows 20000] [--kills 100] [--workers 20] [--signals 40]
                             [--disks 10] [--refusals 12] [--cluster 10] [--seed 1]
"""

import argparse
import contextlib
import csv
import hashlib
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from stance.corpus import bundled_corpus, read_corpus
from stance.fitting import train
from stance.reading.actors import ActorBook
from stance.recipe import read_recipe
from stance.runs import PART
from stance.runs.journal import journal_of
from stance.storage import load_model, save_model

PATIENCE = 5
"""Seconds after which no process may be left."""


class Stand:
    """A folder with a model, a long table and its undisturbed output.

    Attributes
    ----------
    seconds : float
        That an undisturbed run takes.
    bytes : int
        Of its output.
    counts : Counter
        What has been seen.
    """

    def __init__(self, folder: Path, rows: int, seed: int) -> None:
        self.random, self.rows = random.Random(seed), rows
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.model, self.table = folder / "model.stance", folder / "long.csv"
        self.output = folder / "out" / "answers.csv"
        self.output.parent.mkdir()
        self.counts: Counter[str] = Counter()
        corpus = read_corpus([bundled_corpus()])
        save_model(train(read_recipe(), corpus, ActorBook.default()).model, self.model)
        with self.table.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("id", "text"))
            texts = list(dict.fromkeys(corpus.texts))
            writer.writerows((n, self.random.choice(texts)) for n in range(rows))
        before = time.monotonic()
        self.start("1").wait()
        self.seconds = time.monotonic() - before
        self.whole, self.bytes = self.digest(), self.output.stat().st_size
        self.output.unlink()

    def start(
        self, jobs: str, *options: str, before: Sequence[str] = ()
    ) -> "subprocess.Popen[str]":
        """Start a run in a session of its own, by another command where that is given."""
        command = [sys.executable, "-m", "stance", "predict", str(self.table), "--quiet"]
        command += ["-o", str(self.output), "--model", str(self.model), "--jobs", jobs, *options]
        return subprocess.Popen(
            [*before, *command],
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=os.environ | {"TMPDIR": str(self.temporary)},
        )

    def digest(self) -> str:
        """Return the hash of the output."""
        return hashlib.sha256(self.output.read_bytes()).hexdigest()

    def count(self, what: str, good: bool) -> None:
        """Count something that should be so."""
        self.counts[f"{what}: {'yes' if good else 'NO'}"] += 1

    def settle(self, session: int) -> None:
        """Judge what a stopped run has left, go on with it, and clear the output away."""
        self.count("no process left", self._gone(session))
        if self.output.exists():
            self.counts["complete when stopped"] += 1
            self.count("output none or whole", self.digest() == self.whole)
        else:
            self.count("output none or whole", True)
            self.counts["journals kept"] += journal_of(self.output).exists()
        if not self.output.exists() or journal_of(self.output).exists():
            done = self.start(self.random.choice("12"), "--resume")
            errors = done.communicate(timeout=300)[1]
            self.count("resumed", done.returncode == 0)
            if done.returncode:
                print(errors, file=sys.stderr)
        self.finish()

    def finish(self) -> None:
        """Judge the output and what is beside it, and clear both away."""
        self.count("bytes equal", self.output.exists() and self.digest() == self.whole)
        beside = [path for path in self.output.parent.iterdir() if path != self.output]
        beside += self.temporary.iterdir()
        self.count("nothing beside the output", not beside)
        subprocess.run(["rm", "-rf", *map(str, self.output.parent.glob("*"))], check=True)
        journal_of(self.output).unlink(missing_ok=True)

    def _gone(self, session: int) -> bool:
        end = time.monotonic() + PATIENCE
        while list(members(session)):
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True


def members(session: int) -> Iterator[tuple[int, bool]]:
    """Yield the living processes of a session, and whether each computes parts."""
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (path / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] != "Z":
                yield int(path.name), int(path.name) != session


def kill_runs(stand: Stand, times: int) -> None:
    """Kill all processes, or the first one, whose worker then ends by itself, at random moments."""
    for turn in range(times):
        process = stand.start(stand.random.choice("12"))
        time.sleep(stand.random.uniform(0, 1.1 * stand.seconds))
        for pid in [process.pid] if turn % 2 else [pid for pid, _ in members(process.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.communicate()
        stand.settle(process.pid)


def kill_workers(stand: Stand, times: int) -> None:
    """Kill one worker at a random moment; the run itself goes on to its end."""
    while times:
        process = stand.start("2")
        time.sleep(stand.random.uniform(0.5, stand.seconds))
        workers = [pid for pid, computes in members(process.pid) if computes]
        if workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(stand.random.choice(workers), signal.SIGKILL)
                times -= 1
        errors = process.communicate(timeout=300)[1]
        stand.count("ended well", process.returncode == 0 and not errors)
        stand.finish()


def send_signals(stand: Stand, times: int) -> None:
    """Interrupt or terminate at random moments."""
    for turn in range(times):
        number, status = ((signal.SIGINT, 130), (signal.SIGTERM, 143))[turn % 2]
        process = stand.start("12"[turn // 2 % 2])
        time.sleep(stand.random.uniform(0.2, stand.seconds))
        before = time.monotonic()
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if turn % 3 else os.kill)(process.pid, number)
        errors = process.communicate(timeout=300)[1]
        # Before and after its work the signal itself ends it, which a shell tells as the same.
        right = process.returncode in (0, status, -number)
        stand.count("exit status", right)
        if not right:
            print(f"exit status {process.returncode}: {errors}", file=sys.stderr)
        seconds = time.monotonic() - before
        stand.count("ended in 5 s", seconds < PATIENCE)
        if seconds >= PATIENCE:
            print(f"{seconds:.1f} s after {signal.Signals(number).name}", file=sys.stderr)
        stand.count("no traceback", "Traceback" not in errors)
        stand.settle(process.pid)


def fill_disks(stand: Stand, times: int) -> None:
    """Let a small disk run full at a random moment; then it grows, and the run goes on."""
    disk = stand.output.parent
    for turn in range(times):
        share = stand.random.uniform(0.1, 1.2)  # the output needs 1.0, and its parts some more
        size = f"size={max(64, int(share * stand.bytes / 1024))}k"
        if not mounted(disk, size):
            return
        try:
            process = stand.start("12"[turn % 2])
            errors = process.communicate(timeout=300)[1]
            stand.count("exit status 4", process.returncode == 4)
            stand.count("one line says why", errors.count("\n") == 1 and "disk is full" in errors)
            subprocess.run(["mount", "-o", "remount,size=1g", str(disk)], check=True)
            stand.settle(process.pid)
        finally:
            subprocess.run(["umount", "-l", str(disk)], check=True)


def refuse_writing(stand: Stand, times: int) -> None:
    """Limit the size of files, take the right to write away, or make the disk read-only."""
    disk = stand.output.parent
    for turn in range(times):
        way, jobs = ("size", "rights", "read-only")[turn % 3], stand.random.choice("12")
        if way == "read-only":
            if not mounted(disk, "ro"):
                return
            process = stand.start(jobs)
        elif way == "size":
            most = max(64, int(stand.random.uniform(0.02, 0.9) * stand.bytes / 1024))
            process = stand.start(jobs, before=["bash", "-c", f'ulimit -f {most}; exec "$@"', "-"])
        else:  # at a random moment; the superuser may write anywhere, unless without that right
            drop = ["--inh-caps=-dac_override", "--bounding-set=-dac_override"]
            process = stand.start(jobs, before=["setpriv", *drop] if not os.geteuid() else [])
            time.sleep(stand.random.uniform(0, 0.8 * stand.seconds))
            disk.chmod(0o500)
        errors = process.communicate(timeout=300)[1]
        with contextlib.suppress(OSError):
            disk.chmod(0o700)
        if way == "read-only":
            subprocess.run(["umount", "-l", str(disk)], check=True)
        stand.count(f"{way}: exit status 4", process.returncode == 4)
        stand.count(f"{way}: one line", errors.count("\n") == 1 and "Traceback" not in errors)
        stand.settle(process.pid)


def mounted(folder: Path, options: str) -> bool:
    """Put a small disk on a folder; tell whether that could be done."""
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        print("skipped: needs the right to mount")
        return False
    return True


@contextlib.contextmanager
def command_line_cluster() -> Iterator[tuple[str, int]]:
    """Start a Dask scheduler and workers as a user does; yield address and the workers' parent."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
    address = f"tcp://127.0.0.1:{port}"
    lines = (
        ["scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard"],
        ["worker", address, "--nworkers", "3", "--nthreads", "1", "--no-dashboard"],
    )
    quiet: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started = [
        subprocess.Popen([sys.executable, "-m", "dask", *line], start_new_session=True, **quiet)
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
    numbers = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            its_parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            if its_parent == parent and b"spawn_main" in (path / "cmdline").read_bytes():
                numbers.append(int(path.name))
    return numbers


def kill_cluster(stand: Stand, times: int) -> None:
    """Run on a cluster whose workers are killed at equal distances of the table."""
    from stance.runs import Request, predict_table

    killed = 0

    def progress(rows: int, *_: object) -> None:
        nonlocal killed
        due = killed < times and rows >= (killed + 1) * stand.rows // (times + 2)
        if due and (workers := children(parent)):
            os.kill(stand.random.choice(workers), signal.SIGKILL)
            killed += 1

    with command_line_cluster() as (address, parent):
        predict_table(
            load_model(stand.model),
            Request((stand.table,), stand.output, cluster=address),
            progress,
            size=250,
        )
    stand.counts["workers killed"] += killed
    stand.finish()


def main() -> int:
    """Run all, print the counts, and return 1 where anything was not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--workers", type=int, default=20)
    parser.add_argument("--signals", type=int, default=40)
    parser.add_argument("--disks", type=int, default=10)
    parser.add_argument("--refusals", type=int, default=12)
    parser.add_argument("--cluster", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.rows <= PART:
        parser.error(f"--rows must be more than {PART:,}, or a run has no workers to kill")
    # A shell has what it starts with & ignore Ctrl-C, which the runs would inherit.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        stand = Stand(Path(folder), options.rows, options.seed)
        print(f"{options.rows:,} rows; an undisturbed run takes {stand.seconds:.1f} s", flush=True)
        for title, stop, times in (
            ("kill -9 of all processes, or of the first", kill_runs, options.kills),
            ("kill -9 of one worker", kill_workers, options.workers),
            ("SIGINT and SIGTERM", send_signals, options.signals),
            ("disk full", fill_disks, options.disks),
            ("no permission, read-only, size limit", refuse_writing, options.refusals),
            ("kill -9 of a cluster's worker", kill_cluster, options.cluster),
        ):
            stand.counts.clear()
            if times:
                stop(stand, times)
            print(f"\n{title}: {times} times")
            for what, number in sorted(stand.counts.items()):
                print(f"  {number:5}  {what}", flush=True)
            failed |= any(what.endswith("NO") for what in stand.counts)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
