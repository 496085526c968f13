"""Outputs appear whole under their names or not at all, alone and together, and leave nothing."""

import contextlib
import errno
import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stance.errors import OutputError
from stance.files import AtomicGroup, WholeFile
from stance.tables import write_table

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="pipes and signals")

COLUMNS = ("id", "text")

DIE = """
import os, signal, sys
from pathlib import Path
from stance.tables import write_table
with write_table(Path(sys.argv[1]), ("id", "text")) as writer:
    writer.write(("1", "x" * 3_000_000))
    writer.write_encoded(b"", 0)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def write_whole(path, data):
    with AtomicGroup() as group:
        group.write(path, data, force=False)


def failing(monkeypatch, owner, call, at=0):
    """Have one of several calls of a function fail."""
    calls, real = itertools.count(), getattr(owner, call)

    def fail(*args, **more):
        if next(calls) == at:
            raise OSError(errno.ENOSPC, "the disk is full")
        return real(*args, **more)

    monkeypatch.setattr(owner, call, fail)


def test_a_killed_process_leaves_no_output_and_what_it_left_is_removed_a_week_later(tmp_path):
    target = tmp_path / "answers.csv"
    done = subprocess.run([sys.executable, "-c", DIE, str(target)], check=False)
    assert done.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert left.suffix == ".part"
    write_whole(tmp_path / "more.csv", b"")
    assert left.exists()  # as it may still be written
    os.utime(left, (time.time() - 8 * 86_400,) * 2)
    write_whole(target, b"whole")
    assert names(tmp_path) == ["answers.csv", "more.csv"]


@pytest.mark.parametrize("force", [False, True])
def test_a_name_that_is_taken_meanwhile_is_kept_without_force(tmp_path, force):
    target = tmp_path / "answers.csv"
    refused = contextlib.nullcontext() if force else pytest.raises(OutputError, match="exists")
    with refused, write_table(target, COLUMNS, force=force):
        target.write_text("another's")
    assert target.read_text() == ("id,text\n" if force else "another's")
    assert names(tmp_path) == ["answers.csv"]


def test_an_interruption_leaves_the_output_or_nothing(tmp_path, monkeypatch):
    rename, target = Path.replace, tmp_path / "answers.csv"

    def rename_and_stop(*names):
        rename(*names)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", rename_and_stop)
    with pytest.raises(KeyboardInterrupt):
        write_whole(target, b"mine")
    assert names(tmp_path) in ([], ["answers.csv"])
    assert not target.exists() or target.read_bytes() == b"mine"


@pytest.mark.parametrize("at", range(3))
@pytest.mark.parametrize(
    ("owner", "call"), [(WholeFile, "settle"), (os, "fsync"), (WholeFile, "commit")]
)
def test_outputs_of_a_group_appear_together_or_not_at_all(tmp_path, monkeypatch, owner, call, at):
    def write_all():
        with AtomicGroup() as group:
            for name in ("a.csv.gz", "b.xlsx"):
                with group.part(write_table(tmp_path / name, COLUMNS)) as table:
                    table.write(("1", "mine"))
            group.write(tmp_path / "c.html", b"mine", force=False)
            assert not [name for name in names(tmp_path) if not name.endswith(".part")]

    with monkeypatch.context() as patch:
        failing(patch, owner, call, at)
        with pytest.raises((OSError, OutputError), match="the disk is full"):
            write_all()
    assert names(tmp_path) == []
    write_all()
    assert names(tmp_path) == ["a.csv.gz", "b.xlsx", "c.html"]


def test_what_is_not_of_the_group_stays_if_an_output_of_it_fails(tmp_path):
    def write_three():
        with AtomicGroup() as group:
            group.write(tmp_path / "older", b"newer", force=True)
            group.write(tmp_path / "new", b"mine", force=False)
            group.write(tmp_path / "taken", b"mine", force=False)
            (tmp_path / "taken").write_text("another's")

    (tmp_path / "older").write_text("older")
    with pytest.raises(OutputError, match="taken: exists already"):
        write_three()
    found = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert found == {"older": "newer", "taken": "another's"}
