"""What is left of an output in the making when its process is killed, and who clears it away."""

import contextlib
import errno
import itertools
import os
import signal
import subprocess
import sys
import threading

import pytest

from stance import errors, files, paths
from stance.errors import OutputError
from stance.files import Together, WholeFile, clear_leftovers, write_together, write_whole
from stance.tables import write_table

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="locks and signals")

COLUMNS = ("id", "text")

DIE = """
import os, signal, sys
from pathlib import Path
from stance import paths
from stance.tables import write_table
paths.NAMELESS &= sys.argv[2:] == []
with write_table(Path(sys.argv[1]), ("id", "text")) as writer:
    writer.write(("1", "x" * 3_000_000))
    writer.write_encoded([], 0)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def named(monkeypatch):
    """Files have names from the beginning, as on other systems."""
    monkeypatch.setattr(paths, "NAMELESS", False)


def kill(target, *named):
    """Have a process killed that writes a file: one with a name already, if one is given."""
    done = subprocess.run([sys.executable, "-c", DIE, str(target), *named], check=False)
    assert done.returncode == -signal.SIGKILL


def killed(target):
    """Return what a process left that was killed where files have names from the beginning."""
    kill(target, "named")
    (left,) = [path for path in target.parent.iterdir() if path.suffix == ".part"]
    assert left.stat().st_size
    return left


@pytest.mark.skipif(not paths.NAMELESS, reason="no /proc")
def test_a_killed_run_leaves_nothing(tmp_path):
    kill(tmp_path / "answers.csv")
    assert names(tmp_path) == []


@pytest.mark.parametrize("force", [False, True])
def test_a_file_system_without_nameless_files_serves_too(tmp_path, monkeypatch, force):
    def open_named(path, flags, *mode):
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "not supported")
        return opened(path, flags, *mode)

    target, opened = tmp_path / "answers.csv", os.open
    monkeypatch.setattr(os, "open", open_named)
    with write_table(target, COLUMNS, force=force):
        (made,) = names(tmp_path)
        assert made.endswith(".part")
    assert names(tmp_path) == ["answers.csv"]


@pytest.mark.skipif(not paths.NAMELESS, reason="no /proc")
@pytest.mark.parametrize("force", [False, True])
def test_a_file_system_that_names_no_nameless_file_gets_a_copy(tmp_path, monkeypatch, force):
    def link_named(source, *args, **more):
        if str(source).startswith("/proc/"):
            raise OSError(errno.EOPNOTSUPP, "not supported")
        return linked(source, *args, **more)

    target, linked = tmp_path / "answers.csv", os.link
    target.touch() if force else None
    mode = target.stat().st_mode if force else None
    monkeypatch.setattr(os, "link", link_named)
    with write_table(target, COLUMNS, force=force) as writer:
        writer.write(("1", "x" * 3_000_000))
    assert names(tmp_path) == ["answers.csv"]
    assert target.read_bytes() == b"id,text\n1," + b"x" * 3_000_000 + b"\n"
    assert mode in (None, target.stat().st_mode)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENOENT])
def test_a_folder_is_tried_before_any_work(tmp_path, monkeypatch, number):
    def refuse(path, *args):
        if ".stance-" in str(path) or path == tmp_path:
            raise OSError(number, "refused")
        return opened(path, *args)

    opened = os.open
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(OutputError, match=r"disk is full|quota|too many files|takes no new files"):
        paths.check_output(tmp_path / "answers.csv", force=False)
    monkeypatch.undo()
    paths.check_output(tmp_path / "answers.csv", force=False)
    assert names(tmp_path) == []


@pytest.mark.parametrize("force", [False, True])
def test_a_name_that_is_taken_meanwhile_is_kept_without_force(tmp_path, force):
    target = tmp_path / "answers.csv"
    refused = contextlib.nullcontext() if force else pytest.raises(OutputError, match="exists")
    with refused, write_table(target, COLUMNS, force=force):
        target.write_text("another's")
    assert target.read_text() == ("id,text\n" if force else "another's")
    assert names(tmp_path) == ["answers.csv"]


def test_the_next_run_clears_what_a_killed_one_has_left(tmp_path):
    target, other = tmp_path / "answers.csv", tmp_path / "more.csv"
    left = killed(target)
    with write_table(other, COLUMNS):
        assert left.exists()
    with write_table(target, COLUMNS):
        assert not left.exists()
    assert names(tmp_path) == ["answers.csv", "more.csv"]


def test_what_another_is_writing_stays(tmp_path, named):
    target = tmp_path / "answers.csv"
    with write_table(target, COLUMNS, force=True) as first:
        first.write(("1", "first"))
        with write_table(target, COLUMNS, force=True) as second:
            second.write(("2", "second"))
            assert len(names(tmp_path)) == 2
        assert target.read_text() == "id,text\n2,second\n"
        assert len(names(tmp_path)) == 2
    assert target.read_text() == "id,text\n1,first\n"
    assert names(tmp_path) == ["answers.csv"]


def test_a_file_that_got_its_name_late_stays_too(tmp_path, monkeypatch):
    """Between the two names, as when another run of the same output begins just then."""
    target = tmp_path / "answers.csv"
    replace = type(tmp_path).replace

    def replace_later(path, onto):
        clear_leftovers(target)
        return replace(path, onto)

    monkeypatch.setattr(type(tmp_path), "replace", replace_later)
    with write_table(target, COLUMNS, force=True) as writer:
        writer.write(("1", "mine"))
    assert target.read_text() == "id,text\n1,mine\n"


def test_a_link_in_the_name_of_a_leftover_is_not_followed(tmp_path, named):
    target, mine = tmp_path / "answers.csv", tmp_path / "mine.txt"
    file = WholeFile(target, force=False, folder=tmp_path)
    (path,) = tmp_path.iterdir()
    file.discard()
    mine.write_text("mine")
    path.symlink_to(mine)
    clear_leftovers(target)
    assert mine.read_text() == "mine"


def test_a_model_or_page_that_a_killed_process_was_writing_is_cleared_away(tmp_path):
    target = tmp_path / "model.stance"
    left = killed(target)
    write_whole(target, b"whole")
    assert not left.exists()
    assert target.read_bytes() == b"whole"
    assert names(tmp_path) == ["model.stance"]


def test_what_is_interrupted_when_it_has_both_names_keeps_its_own(tmp_path, monkeypatch):
    target = tmp_path / "answers.csv"
    link = os.link

    def link_and_stop(*names, **options):
        link(*names, **options)
        if names[1] == target:
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "link", link_and_stop)
    with pytest.raises(KeyboardInterrupt), write_table(target, COLUMNS) as writer:
        writer.write(("1", "mine"))
    assert names(tmp_path) == ["answers.csv"]
    assert target.read_text() == "id,text\n1,mine\n"


@pytest.mark.parametrize("force", [False, True])
def test_where_open_files_cannot_be_renamed_an_output_is_closed_first(tmp_path, monkeypatch, force):
    # As on Windows: no locks, and no fchmod before Python 3.13.
    monkeypatch.setattr(errors, "RENAMES_OPEN", False)
    monkeypatch.setattr(paths, "NAMELESS", False)
    monkeypatch.setattr(files, "fcntl", None)
    monkeypatch.delattr(os, "fchmod")
    target = tmp_path / "a.csv"
    output = files.WholeFile(target, force=force)
    closed = []

    def closing(name):
        real = getattr(os, name)
        seen = lambda *a, **k: closed.append(output._file.closed) or real(*a, **k)  # noqa: E731
        monkeypatch.setattr(os, name, seen)

    for name in ("replace", "rename", "link", "unlink"):
        closing(name)
    with output:
        output.write(b"text")
    assert target.read_bytes() == b"text"
    assert [*tmp_path.iterdir()] == [target]
    assert closed
    assert all(closed)


@pytest.mark.parametrize("at", range(3))
@pytest.mark.parametrize(
    ("owner", "call"), [(files._File, "write"), (os, "fsync"), (WholeFile, "commit")]
)
def test_files_that_belong_together_appear_together_or_not_at_all(
    tmp_path, monkeypatch, owner, call, at
):
    def failing(*args):
        if next(calls) == at:
            raise OSError(errno.ENOSPC, "the disk is full")
        return real(*args)

    calls, real = itertools.count(), getattr(owner, call)
    with monkeypatch.context() as patch:
        patch.setattr(owner, call, failing)
        with pytest.raises((OSError, OutputError), match="the disk is full"):
            write_together([(tmp_path / name, b"text") for name in "abc"])
    assert names(tmp_path) == []
    write_together([(tmp_path / name, b"text") for name in "abc"])
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"text"] * 3


@pytest.mark.parametrize("at", range(3))
def test_tables_and_files_that_belong_together_do_so_too(tmp_path, monkeypatch, at):
    def write_all():
        with Together() as together:
            for name in ("a.csv.gz", "b.xlsx"):
                with together.part(write_table(tmp_path / name, COLUMNS)) as table:
                    table.write(("1", "mine"))
            together.write(tmp_path / "c.html", b"mine", force=False)
            assert names(tmp_path) == []

    def failing(*args):
        if next(calls) == at:
            raise OutputError("the disk is full")
        return real(*args)

    calls, real = itertools.count(), WholeFile._become
    with monkeypatch.context() as patch:
        patch.setattr(WholeFile, "_become", failing)
        with pytest.raises(OutputError, match="the disk is full"):
            write_all()
    assert names(tmp_path) == []
    write_all()
    assert names(tmp_path) == ["a.csv.gz", "b.xlsx", "c.html"]


def test_pipes_that_belong_together_can_be_read_one_after_the_other(tmp_path):
    def write_all():
        with Together() as together:
            for pipe in pipes:
                with together.part(write_table(pipe, COLUMNS)) as table:
                    table.write(("1", "mine"))

    pipes = tmp_path / "a.csv", tmp_path / "b.csv"
    for pipe in pipes:
        os.mkfifo(pipe)
    writer = threading.Thread(target=write_all, daemon=True)
    writer.start()
    found = subprocess.run(["cat", *pipes], capture_output=True, timeout=20, check=True)
    writer.join(20)
    assert found.stdout == 2 * b"id,text\n1,mine\n"


def test_what_replaced_an_older_file_stays_if_the_next_one_fails(tmp_path):
    def write_both():
        with Together() as together:
            together.write(tmp_path / "a", b"newer", force=True)
            together.write(tmp_path / "b", b"mine", force=False)
            (tmp_path / "b").write_text("another's")

    (tmp_path / "a").write_text("older")
    with pytest.raises(OutputError, match="b: exists already"):
        write_both()
    assert [path.read_text() for path in sorted(tmp_path.iterdir())] == ["newer", "another's"]


def test_a_file_of_another_stays_if_those_that_belong_together_fail(tmp_path, monkeypatch):
    def link_late(source, target, **more):
        if target == tmp_path / "b":
            target.write_text("another's")
        return real(source, target, **more)

    real = os.link
    monkeypatch.setattr(os, "link", link_late)
    with pytest.raises(OutputError, match="b: exists already"):
        write_together([(tmp_path / "a", b"mine"), (tmp_path / "b", b"mine")])
    assert names(tmp_path) == ["b"]
    assert (tmp_path / "b").read_text() == "another's"


def test_no_two_of_the_files_that_belong_together_are_one(tmp_path):
    twice = [(tmp_path / "a", b"1"), (tmp_path / "x" / ".." / "a", b"2")]
    (tmp_path / "x").mkdir()
    with pytest.raises(OutputError, match="would be written twice"):
        write_together(twice, force=True)
    assert names(tmp_path) == ["x"]
