"""Progress, notes and failures of the system, as a terminal shows them."""

import errno
import io
import os
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest
from command import SAMPLE, fails, one_line, write

from stance import errors
from stance.cli import _terminal
from stance.cli._terminal import Progress
from stance.errors import OutputError
from stance.files import AtomicGroup


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_shows_one_line_that_changes_below_notes(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    clock = iter([1000.0, 1060.0, 1060.1, 1120.0])
    monkeypatch.setattr(_terminal, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    with Progress() as shown:
        shown(1_234_567, 50, 100)
        shown(1_234_568, 51, 100)  # too early for a reader
        shown.note("a note")
        shown(1_500_000, 250, 1000)
    assert terminal.getvalue().split("\r\x1b[K") == [
        "",
        "50 %  1,234,567 rows",
        "a note\n",
        "25 %  1,500,000 rows",
        "",
    ]


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (OSError(errno.EMFILE, "Too many open files"), 1, "too many files are open; use fewer"),
        (OSError(errno.ENOSPC, "No space left", "a.csv"), 4, "a.csv: No space left"),
        (MemoryError(), 1, "memory ran out; close other programs"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), 1, "memory ran out; close other"),
        (UnicodeDecodeError("utf-8", b"x\xff", 1, 2, "bad"), 1, "a text or name is not UTF-8"),
    ],
)
def test_what_the_system_refuses_is_one_line(capsys, error, status, told):
    def command():
        try:
            raise error
        finally:  # what cleans up may fail, too
            raise MemoryError if "memory" in told else error

    with pytest.raises(SystemExit) as caught:
        _terminal.catching(command)
    assert caught.value.code == status
    assert one_line(capsys.readouterr().err).startswith(told)


def test_a_bug_keeps_its_traceback():
    with pytest.raises(KeyError):
        _terminal.catching({}.pop, "x")


def test_a_command_is_not_advised_to_use_an_option_that_it_lacks(tmp_path):
    table = write(tmp_path / "in.csv", "text\nNATO\0\n")
    assert "--rejects" in fails(1, "predict", table)
    assert "--rejects" not in fails(1, "actors", table)


def shell(line, folder, **environment):
    """Run a line of the shell, in which S is the command."""
    env = os.environ | {"S": sys.executable, "T": str(SAMPLE / "paragraphs.csv")} | environment
    command = ["bash", "-c", line.replace("S ", '"$S" -m stance ')]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=60)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a POSIX shell and /proc")
@pytest.mark.parametrize(
    ("line", "statuses", "told"),
    [
        ("S predict $T -o answers.csv --prefix $'\\xe9'", {1}, "a cell or column name holds half"),
        ("S actors >/dev/full", {4}, "standard output: the disk is full; make room and run again"),
        ("S --help >/dev/full", {4}, "standard output: the disk is full"),
        ("S --help >&-", {4}, "standard output: is closed; open it, or name an output file"),
        ("S predict $T -q >&-", {4}, "standard output: is closed"),
        ("S predict $T >/dev/full", {4}, "standard output: the disk is full"),
        ("S predict - <&-", {1}, "standard input"),
        ("ulimit -d 65536; S predict $T -o o.csv", {1}, "memory ran out; close other programs"),
        ('rmdir "$PWD"; S sample a.csv -n 3 -o b.csv', {1, 4}, "the working folder: No such"),
        (
            "(echo text; yes NATO met. | head -n 7000) >a.csv; ulimit -n 12; "
            "S predict a.csv -o o.csv --jobs 6",
            *({1}, "too many files are open; use fewer"),
        ),
    ],
)
def test_what_the_system_lacks_is_told_in_one_line(tmp_path, line, statuses, told):
    folder = tmp_path / "work"
    folder.mkdir()
    done = shell(line, folder)
    assert done.returncode in statuses
    assert one_line(done.stderr.splitlines()[-1] + "\n").startswith(told)
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not [*folder.glob("o.csv*"), *folder.glob(".o.csv*")]


def test_processes_import_nothing_from_the_working_folder(tmp_path):
    write(tmp_path / "joblib.py", "1 / 0")
    (tmp_path / "corpus.csv").write_bytes((SAMPLE.parent / "starter/starter_test.csv").read_bytes())
    line = [sys.executable, "-P", "-m", "stance", "train", "corpus.csv", "-o", "m.stance"]
    subprocess.run([*line, "--jobs", "2"], cwd=tmp_path, capture_output=True, check=True)


@pytest.mark.skipif(os.name == "nt", reason="streams are closed by the shell")
def test_closed_streams_do_not_keep_workers_from_working(tmp_path):
    lines = "Poland praised NATO and condemned Russia for it.\n" * 7_000
    write(tmp_path / "in.csv", "text\n" + lines)
    assert shell("S predict in.csv -o out.csv --jobs 2 <&- 2>&-", tmp_path).returncode == 0
    assert len((tmp_path / "out.csv").read_bytes().splitlines()) == 21_001


@pytest.mark.skipif(os.name == "nt", reason="streams are closed by the shell")
def test_closed_streams_do_not_change_what_a_command_returns(tmp_path):
    done = shell("S predict no-such-file 2>&-; echo $?; S predict $T -o o.csv -q >&-", tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")


def test_a_warning_is_a_note_of_one_line(capsys):
    def warn():
        for level in (1, 2):
            warnings.warn("the search ended", RuntimeWarning, stacklevel=level)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        _terminal.run_safely(warn)
    assert capsys.readouterr().err == "note: the search ended\n"


def test_a_long_note_breaks_between_words_on_a_terminal(monkeypatch):
    terminal, note = Terminal(), "a note of many words on what was read and why; " * 5
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "80")
    _terminal.tell(note, "  a row    of a table")
    *lines, row = terminal.getvalue().splitlines()
    assert max(map(len, lines)) < 80
    assert " ".join(" ".join(lines).split()) == note.strip()
    assert row == "  a row    of a table"


@pytest.mark.skipif(os.name == "nt", reason="needs a terminal of its own")
def test_a_terminal_shows_the_first_answers_and_what_writes_them_all(tmp_path):
    import pty

    lines = "Poland praised NATO and condemned Russia for it, and went on at length.\n" * 8
    table = write(tmp_path / "in.csv", "Text\n" + lines.replace(",", ""))
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "stance", "predict", table]
    done = subprocess.run(command, stdout=theirs, stderr=subprocess.PIPE, timeout=60)
    os.close(theirs)
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        screen = terminal.read(100_000).decode().splitlines()
    assert screen[0].split() == ["actor", "row", "stance", "holder", "sentiment", "Text"]
    assert screen[1].endswith("  Poland praised NATO and condemned …")
    assert screen[-1] == "and 14 more rows; -o FILE.csv writes all"
    assert all(len(line) < 80 for line in screen)
    assert b"8 rows in = 8 judged" in done.stderr


# --- What Windows says differently -------------------------------------------------------------


def test_an_output_that_excel_has_open_is_named_as_such(monkeypatch, tmp_path):
    monkeypatch.setattr(errors, "ON_WINDOWS", True)
    target = tmp_path / "a.csv"
    target.write_text("mine")
    refused = PermissionError(errno.EACCES, "The process cannot access the file")
    monkeypatch.setattr(Path, "replace", mock.Mock(side_effect=refused))
    refusal = pytest.raises(OutputError, match=r"a.csv: no permission, or open in another program")
    with refusal, AtomicGroup() as group:
        group.write(target, b"text", force=True)
    assert target.read_text() == "mine"
    assert [*tmp_path.iterdir()] == [target]
