"""Whatever ends a run, there is no output or the whole one, and nothing else is left for long."""

import contextlib
import hashlib
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from command import one_line, parts_kept, predict, write_rows

from stance.errors import defer_signals
from stance.runs import PART
from stance.runs.journal import journal_of

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="signals and /proc")

ROWS = 18_000
"""Rows of the table: some parts."""


@pytest.fixture(scope="module")
def table(corpus, tmp_path_factory):
    texts = itertools.cycle(dict.fromkeys(corpus.texts))
    rows = [{"id": n, "text": text} for n, text in zip(range(ROWS), texts, strict=False)]
    return write_rows(tmp_path_factory.mktemp("long") / "mine.csv", rows)


@pytest.fixture(scope="module")
def whole(model, table):
    path = table.with_name("whole.csv")
    predict(model, table, path, size=ROWS)
    return digest(path)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def command(model_path, table, output, *options):
    predict = [sys.executable, "-m", "stance", "predict", table, "-o", output]
    return [*map(str, predict), "--model", str(model_path), "--quiet", *options]


def start(*args, **options):
    """Start the command in a process group of its own."""
    return subprocess.Popen(
        command(*args), stderr=subprocess.PIPE, text=True, start_new_session=True, **options
    )


def run(*args, shell="exec"):
    """Run the command to its end in a shell that has set a limit."""
    line = ["bash", "-c", f'{shell} "$@"', "run", *command(*args)]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def begun(output, parts=1):
    """Wait until some parts of a run are done."""
    for _ in range(3_000):
        if parts_kept(output) >= parts:
            return
        time.sleep(0.01)
    raise TimeoutError(f"no parts of {output}")


def members(group):
    """Yield the processes of a group that still run."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, its_group = path.read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state != "Z":
                yield path.parent.name


def gone(group, seconds=60):
    """Wait until no process of a group runs; tell whether that came."""
    for _ in range(seconds * 20):
        if not [*members(group)]:
            return True
        time.sleep(0.05)
    return False


def resumed(model_path, table, output, jobs="2"):
    done = run(model_path, table, output, "--resume", "--jobs", jobs)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in output.parent.iterdir()] == [output.name]
    return digest(output)


@pytest.mark.parametrize(("jobs", "parts", "seconds"), [("1", 1, 0.2), ("2", 0, 0.8)])
def test_killed_at_any_moment(model_path, table, output, whole, jobs, parts, seconds):
    """At a hundred more moments in training/endurance.py."""
    process = start(model_path, table, output, "--jobs", jobs)
    begun(output, parts)
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not output.exists() or digest(output) == whole
    if not output.exists() or journal_of(output).exists():
        assert resumed(model_path, table, output) == whole


def test_workers_leave_when_only_their_parent_is_killed(model_path, table, output, whole):
    process = start(model_path, table, output, "--jobs", "2")
    begun(output)
    process.kill()
    process.communicate()
    assert gone(process.pid)
    assert resumed(model_path, table, output, "1") == whole


@pytest.mark.parametrize(
    ("number", "status", "jobs"), [(signal.SIGINT, 130, "2"), (signal.SIGTERM, 143, "1")]
)
def test_signals_end_a_run_before_its_last_part(
    model_path, table, output, whole, number, status, jobs
):
    process = start(model_path, table, output, "--jobs", jobs)
    begun(output)
    if jobs == "2":
        os.killpg(process.pid, number)  # as Ctrl-C does
    else:
        process.send_signal(number)
    _, told = process.communicate(timeout=60)
    assert process.returncode == status
    assert "Traceback" not in told
    assert parts_kept(output) < ROWS // PART
    assert gone(process.pid)
    assert not output.exists()
    assert resumed(model_path, table, output) == whole


INTERRUPTED_LOADING = """
import importlib.abc, os, signal, sys

class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "typer":
            os.kill(os.getpid(), int(sys.argv[1]))

sys.meta_path.insert(0, Finder())
from stance.__main__ import main
main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_while_modules_load_leave_no_traceback(number):
    line = [sys.executable, "-c", INTERRUPTED_LOADING, str(int(number)), "predict", "--help"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-number, "", "")


def test_signals_wait_for_what_must_not_be_cut_short():
    """Whichever thread the system gives them to: a mask would hold for one alone."""
    until = threading.Event()
    other = threading.Thread(target=until.wait)
    other.start()
    steps = []

    def work():
        with defer_signals():
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)
            steps.append("done")
        steps.append("not stopped")

    try:
        with pytest.raises(KeyboardInterrupt):
            work()
    finally:
        until.set()
        other.join()
    assert steps == ["done"]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 3 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def _filled(disk):
    with contextlib.suppress(OSError), (disk / "filler").open("wb") as file:
        file.write(bytes(4_000_000))


def _remount(disk, option):
    subprocess.run(["mount", "-o", f"remount,{option}", str(disk)], check=True)


# The superuser may write anywhere, unless without that capability.
MORTAL = "exec setpriv --inh-caps=-dac_override --bounding-set=-dac_override"


@pytest.mark.parametrize(
    ("prepare", "shell", "jobs", "told"),
    [
        (_filled, "exec", "2", "the disk is full"),
        (lambda _: None, "exec", "1", "the disk is full"),
        (lambda disk: _remount(disk, "ro"), "exec", "2", "Read-only file system; write"),
        (lambda disk: disk.chmod(0o500), MORTAL, "1", "no permission"),
    ],
)
def test_what_cannot_be_written_ends_a_run_in_one_line(
    model_path, table, small_disk, whole, prepare, shell, jobs, told
):
    output = small_disk / "answers.csv"
    output.write_text("mine")
    prepare(small_disk)
    done = run(model_path, table, output, "--jobs", jobs, "--force", shell=shell)
    with contextlib.suppress(OSError):
        small_disk.chmod(0o700)
    assert done.returncode == 4
    assert told in one_line(done.stderr)
    assert output.read_text() == "mine"
    if "run again with --resume" in done.stderr:
        _remount(small_disk, "size=100m")
        output.unlink()
        assert resumed(model_path, table, output, jobs) == whole
