"""What other systems lack or refuse, imitated: no locks, no forks, no open file is renamed."""

import errno
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest
import typer
from command import dicts, one_line, predict, write
from small_model import TEXTS, small_model

from stance import errors
from stance.cli import _terminal
from stance.errors import OutputError
from stance.files import write_whole
from stance.labelling import Label, Store, read_task
from stance.runs.checkpoints import folder_of
from stance.storage import save_model

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")

WINDOWS = '''
"""Loaded by every Python that finds it: takes away what Windows lacks, and refuses as it does."""

import os, select, signal, sys

sys.modules.update(dict.fromkeys(("fcntl", "resource", "grp")))
LACKING = {
    os: "fork forkpty geteuid fchmod O_NOFOLLOW statvfs posix_fadvise",
    select: "poll epoll",
    signal: "pthread_sigmask SIGPIPE",
}
for module, names in LACKING.items():
    for name in names.split():
        delattr(module, name)

def is_open(path):
    for handle in os.listdir("/proc/self/fd"):
        try:
            if os.path.samestat(os.stat(f"/proc/self/fd/{handle}"), os.stat(path)):
                return True
        except OSError:
            pass
    return False

def refusing(real, *places):
    def call(*paths, **options):
        for path in (paths[at] for at in places):
            if not isinstance(path, int) and is_open(path):
                raise PermissionError(13, "The process cannot access the file", os.fspath(path))
        return real(*paths, **options)
    return call

os.replace, os.rename = refusing(os.replace, 0, 1), refusing(os.rename, 0, 1)
os.unlink = os.remove = refusing(os.unlink, 0)
opened = os.open

def open_file(path, flags, *rest, **options):
    if os.path.isdir(path):
        raise PermissionError(13, "Permission denied", path)
    return opened(path, flags, *rest, **options)

os.open = open_file
import stance.errors
stance.errors.ON_WINDOWS = True
'''


@pytest.fixture(scope="module")
def stand(tmp_path_factory):
    """A folder with a model, a table of several parts, and the imitation of Windows."""
    folder = tmp_path_factory.mktemp("windows")
    (folder / "site").mkdir()
    save_model(small_model(), folder / "m.stance")
    rows = "".join(f'{number},"{TEXTS[number % 4]}"\n' for number in range(6500))
    (folder / "in.csv").write_text(f"id,text\n{rows}")
    return folder


def on_windows(stand, *args, more="", here=True):
    """Run a command as if on Windows, with a console in cp1252; `more` changes the process."""
    site = stand / "site"
    (site / "sitecustomize.py").write_text(WINDOWS + more, encoding="utf-8")
    path = os.pathsep.join([str(site)] * here + sys.path)
    own = {"PYTHONPATH": path, "PYTHONUTF8": "0", "PYTHONIOENCODING": "cp1252"}
    command = [sys.executable, "-X", "warn_default_encoding", "-m", "stance", *map(str, args)]
    return subprocess.run(command, capture_output=True, env=os.environ | own, timeout=120)


@pytest.mark.parametrize("jobs", [1, 2])
def test_predict_needs_neither_locks_nor_open_files_that_are_renamed(stand, tmp_path, jobs):
    answers = ["predict", stand / "in.csv", "-m", stand / "m.stance", "-q"]
    plain = on_windows(stand, *answers, here=False)
    target = ["-o", tmp_path / "a.csv", "--jobs", jobs]
    for more in ((), ("--force",)):
        done = on_windows(stand, *answers, *target, *more)
        assert (done.returncode, done.stderr) == (0, b"")
        assert (tmp_path / "a.csv").read_bytes() == plain.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


STOP = """
import stance.runs.job as job

def stopping(*works, real=job.compute_in_order):
    answered = real(*works)
    yield next(answered)
    yield next(answered)
    raise KeyboardInterrupt

job.compute_in_order = stopping
"""


def test_a_stopped_run_goes_on_there(stand, tmp_path):
    output = tmp_path / "a.csv"
    answers = ["predict", stand / "in.csv", "-m", stand / "m.stance", "-q"]
    stopped = on_windows(stand, *answers, "-o", output, more=STOP)
    assert stopped.returncode == 130
    assert "2 finished parts kept" in one_line(stopped.stderr.decode())
    done = on_windows(stand, *answers, "-o", output, "--resume")
    assert (done.returncode, done.stderr) == (0, b"")
    assert not folder_of(output).exists()
    assert output.read_bytes() == on_windows(stand, *answers).stdout


def test_pages_figures_and_labels_are_written_there(stand, tmp_path):
    answers = tmp_path / "a.csv"
    done = on_windows(stand, "predict", stand / "in.csv", "-m", stand / "m.stance", "-o", answers)
    assert done.returncode == 0
    done = on_windows(
        stand, "report", answers, "-m", stand / "m.stance", "--figures", tmp_path / "f"
    )
    assert (done.returncode, b"Warning" in done.stderr) == (0, False), done.stderr
    write(tmp_path / "t.csv", "text,actor\nŁotwa praised NATO.,Łotwa\n")
    with Store(tmp_path / "t.sqlite") as store:
        store.save("anna", read_task(tmp_path / "t.csv").pairs[0], Label("favor"), 1.0)
    done = on_windows(stand, "label", tmp_path / "t.csv", "--export", tmp_path / "l.csv")
    assert (done.returncode, b"Warning" in done.stderr) == (0, False), done.stderr


def test_a_console_in_cp1252_shows_what_it_can(stand):
    done = on_windows(stand, "explain", "Łotwa praised NATO – «да».", "-m", stand / "m.stance")
    assert (done.returncode, done.stderr) == (0, b"")
    assert "\\u0141otwa" in done.stdout.decode("cp1252")


@pytest.fixture
def windows(monkeypatch):
    monkeypatch.setattr(errors, "ON_WINDOWS", True)


def test_a_reader_that_is_gone_is_no_failure_there(windows, monkeypatch, capsys):
    closed = []
    monkeypatch.setattr(os, "dup2", lambda *_: closed.append(True))
    monkeypatch.setattr(sys.stdout, "fileno", lambda: 1)

    def command():
        raise OSError(errno.EINVAL, "Invalid argument")

    with pytest.raises(typer.Exit) as caught:
        _terminal.catching(command)()
    assert (caught.value.exit_code, closed, capsys.readouterr().err) == (0, [True], "")


def test_an_output_that_excel_has_open_is_named_as_such(windows, monkeypatch, tmp_path):
    target = tmp_path / "a.csv"
    target.write_text("mine")
    refused = PermissionError(errno.EACCES, "The process cannot access the file")
    monkeypatch.setattr(Path, "replace", mock.Mock(side_effect=refused))
    with pytest.raises(OutputError, match=r"a.csv: no permission, or open elsewhere as in Excel"):
        write_whole(target, b"text", force=True)
    assert target.read_text() == "mine"
    assert [*tmp_path.iterdir()] == [target]


def test_a_drive_letter_is_no_part_of_what_is_said_of_a_file(tmp_path, monkeypatch):
    """Rejects of several files tell the line after `C:`."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "C:"
    folder.mkdir()
    write(folder / "a.csv", "text\nNATO met.\n")
    write(folder / "b.csv", "text\nNATO met.\n")
    write(folder / "c.csv", 'text\nNATO met.\n"open\n')
    rejects = tmp_path / "r.csv"
    predict(small_model(), Path("C:"), tmp_path / "o.csv", rejects=rejects)
    assert [row["line"] for row in dicts(rejects.read_text())] == ["3"]
