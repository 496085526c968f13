import errno
import io
import os
import re
import subprocess
import sys
import warnings
from collections import Counter
from types import SimpleNamespace

import pytest
import typer
from command import SAMPLE, fails, misused, one_line, process, write

from stance.cli import _terminal
from stance.cli._terminal import meter
from stance.runs.answers import Tally


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("width", [50, 64, 80, 104, 120, 200])
def test_the_progress_bar_is_whole_on_a_terminal_of_any_width(monkeypatch, width):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    tally = Tally(
        rows=1_234_567, answers=Counter({("NATO", "favor"): 3_456_788, ("EU", "favor"): 1})
    )
    clock = iter([1000.0, 1060.0])
    monkeypatch.setattr(_terminal, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    with meter(quiet=False) as progress:
        progress(tally, 50, 100)
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
    assert "50 %" in drawn
    assert "1,234,567 rows  20,576 rows/s" in drawn
    assert ("3,456,789 answers" in drawn) is (width >= 64)
    assert ("3,456,789 answers, 2 actors" in drawn) is (width >= 80)
    assert re.search(r"[0-9-]{2}:[0-9-]{2}", drawn)  # what remains
    assert "…" not in drawn


def test_training_shows_its_step_and_the_time_left(monkeypatch, capsys):
    clock = iter([1000.0, 1005.0, 1020.0, 1400.0])
    monkeypatch.setattr(_terminal, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    with meter() as progress:
        progress.note("learning stance")
        progress.show("learning stance", 100, 1000)  # too early for a line
        progress.show("learning stance", 250, 1000)
        progress.show("learning sentiment", 500, 1000)
    assert capsys.readouterr().err.splitlines() == [
        "learning stance",
        "25 %  learning stance  about 60 s left",
        "50 %  learning sentiment  about 7 min left",
    ]


def test_a_bar_of_training_stands_below_its_notes(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    with meter() as progress:
        progress.note("sentiment is not learned: [neutral] is in fewer than two documents")
        progress.show("learning stance", 250, 1000)
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
    assert "not learned: [neutral] is in fewer than two documents\n" in drawn.replace("\r", "")
    assert "25 % learning stance" in drawn


def test_a_progress_line_that_nobody_reads_stops_no_run(monkeypatch):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", buffering=1) as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        _terminal.tell("20 %  40,000 rows")
        monkeypatch.undo()
        with pytest.raises(BrokenPipeError):  # so it is what the line met
            stderr.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), writing)


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (OSError(errno.EMFILE, "Too many open files"), 1, "too many files are open; use fewer"),
        (OSError(errno.ENOSPC, "No space left", "a.csv"), 4, "a.csv: No space left"),
        (OSError(errno.EIO, "Input/output error", "a.csv"), 1, "a.csv: Input/output error"),
        (
            FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/a', '/b']"),
            *(
                1,
                "none of ['/a', '/b'] takes temporary files; make room, or name another",
            ),
        ),
        (ImportError("libx.so: cannot map zero-fill pages"), 1, "memory ran out"),
        (FileNotFoundError(errno.ENOENT, "No such file"), 1, "the working folder is gone; change"),
        (MemoryError(), 1, "memory ran out; close other programs"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), 1, "memory ran out; close other"),
        (ImportError("failed to map segment from shared object"), 1, "memory ran out; close"),
        (RuntimeError("can't start new thread"), 1, "memory ran out; close other programs"),
        (SystemError("error return without exception set"), 1, "memory ran out; close other"),
        (RecursionError("maximum recursion depth"), 1, "the input is nested too deep"),
        (UnicodeDecodeError("utf-8", b"x\xff", 1, 2, "invalid start byte"), 1, "a text is not in"),
    ],
)
def test_what_the_system_refuses_is_one_line(capsys, error, status, told):
    def command():
        raise error

    with pytest.raises(typer.Exit) as caught:
        _terminal.catching(command)()
    assert caught.value.exit_code == status
    assert one_line(capsys.readouterr().err).startswith(told)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RuntimeError("can't start new thread"), "memory ran out; close other programs"),
        (MemoryError(), "memory ran out; close other programs"),
        (OSError(errno.EMFILE, "Too many open files"), "too many files are open; use fewer"),
    ],
)
def test_what_fails_for_want_of_something_is_told_so(capsys, error, told):
    def command():
        try:
            raise error
        finally:
            raise RuntimeError("cannot join thread before it is started")

    with pytest.raises(typer.Exit):
        _terminal.catching(command)()
    assert one_line(capsys.readouterr().err).startswith(told)


def test_a_command_is_not_advised_to_use_an_option_that_it_lacks(tmp_path):
    table = write(tmp_path / "in.csv", "text\nNATO\0\n")
    assert "--rejects" in fails(1, "predict", table)
    assert "--rejects" not in fails(1, "actors", table)


WAITING = """
import threading
from stance.cli._terminal import run_safely
def die():
    raise RuntimeError("can't start new thread")
def app():
    threading.Thread(target=die).start()
    threading.Event().wait()
run_safely(app)
"""


def test_a_command_ends_if_the_thread_that_it_waits_for_had_no_memory():
    command = [sys.executable, "-c", WAITING]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert one_line(done.stderr).startswith("memory ran out; close other programs")


@pytest.mark.parametrize(
    "bug", [ValueError("x"), RuntimeError("x"), KeyError("x"), ImportError("x")]
)
def test_a_bug_keeps_its_traceback(bug):
    def command():
        raise bug

    with pytest.raises(type(bug)):
        _terminal.catching(command)()


def test_an_option_that_is_not_utf8_is_one_line(tmp_path):
    table, output = SAMPLE / "paragraphs.csv", tmp_path / "answers.csv"
    done = process("predict", table, "-o", output, "--prefix", os.fsdecode(b"\xe9"))
    assert done.returncode == 1
    told = "an option or a name is not UTF-8 (\\udce9); write it in UTF-8"
    assert one_line(done.stderr.decode()) == told
    assert not output.exists()


@pytest.mark.parametrize("option", ["-o", "--rejects"])
def test_an_output_that_is_a_link_to_itself_is_one_line(tmp_path, option):
    loop = tmp_path / "loop.csv"
    loop.symlink_to(loop)
    line = fails(4, "predict", SAMPLE / "paragraphs.csv", option, loop)
    assert line == f"{loop}: is a link to itself; name another file"


def test_a_working_folder_that_is_gone_is_one_line(tmp_path):
    script = 'rmdir "$PWD"; exec "$0" -m stance sample a.csv -n 3 -o b.csv'
    command = ["sh", "-c", script, sys.executable]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode in (1, 4)
    assert one_line(done.stderr)


def test_few_open_files_are_one_line(tmp_path):
    resource = pytest.importorskip("resource")
    table = tmp_path / "mine.csv"
    table.write_text("text\n" + "NATO met.\n" * 7000)
    command = [
        sys.executable,
        "-m",
        "stance",
        "predict",
        table,
        "-o",
        tmp_path / "o.csv",
        "--jobs=6",
    ]

    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (12, 12))

    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=limit, timeout=60)
    assert done.returncode == 1
    assert one_line(done.stderr).startswith("too many files are open; use fewer --jobs")


@pytest.mark.parametrize("columns", ["0", "-5", "1", "x"])
def test_a_reason_is_shown_whatever_the_width_is_said_to_be(columns):
    done = process("explain", "NATO condemned Russia.", COLUMNS=columns)
    assert done.returncode == 0
    assert b"all other words and features" in done.stdout


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_explain_whose_reader_is_gone_has_not_failed(form):
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "stance", "explain", "NATO condemned Russia.", *form]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, timeout=60)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(sys.platform != "linux", reason="writes to /dev/full")
@pytest.mark.parametrize(
    "args", [["inspect"], ["actors", "--json"], ["explain", "NATO condemned Russia."]]
)
def test_a_result_that_a_full_disk_does_not_take_is_one_line(args):
    command = [sys.executable, "-m", "stance", *args]
    with open("/dev/full", "wb") as full:  # noqa: PTH123 (a device)
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 4
    told = "standard output: the disk is full; make room and run again"
    assert one_line(done.stderr) == told


def test_a_hundred_thousand_processes_are_wrong_usage():
    told = misused("predict", SAMPLE / "paragraphs.csv", "--jobs", 100_000)
    assert "100,000 processes are too many; this computer has" in " ".join(told.split())


def test_a_name_of_any_bytes_can_be_read_and_written(tmp_path):
    table, output = (tmp_path / os.fsdecode(name) for name in (b"in\xe9.csv", b"out\xe9.csv"))
    table.write_text("text\nNATO met.\n")
    done = process("predict", table, "-o", output)
    assert done.returncode == 0
    assert output.read_text().startswith("text,row,actor,")


@pytest.mark.skipif(os.name == "nt", reason="streams are closed by the shell")
def test_closed_streams_do_not_keep_workers_from_working(tmp_path):
    lines = "Poland praised NATO and condemned Russia for it.\n" * 22_000
    write(tmp_path / "in.csv", "text\n" + lines)
    command = f"{sys.executable} -m stance predict in.csv -o out.csv --jobs 2 <&- 2>&-"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, check=False)
    assert done.returncode == 0
    assert len((tmp_path / "out.csv").read_bytes().splitlines()) == 66_001


@pytest.mark.skipif(os.name == "nt", reason="a pipe without reader is another error there")
@pytest.mark.parametrize("words", [["--help"], ["--version"], ["predict", "--help"]])
def test_help_whose_reader_is_gone_has_not_failed(words):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer) as pipe:
        command = [sys.executable, "-m", "stance", *words]
        done = subprocess.run(command, stdout=pipe, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_wrong_choice_is_told_in_plain_words():
    found = process("predict", SAMPLE / "paragraphs.csv", "--voice", "foo")
    assert found.returncode == 2
    said = "Error: Invalid value for '--voice': 'foo' is not one of 'author'."
    assert found.stderr.decode().splitlines()[-1] == said


def test_a_warning_is_a_note_of_one_line(monkeypatch, capsys):
    def warn():
        warnings.warn("the search ended", RuntimeWarning, stacklevel=1)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        _terminal.run_safely(warn)
    assert capsys.readouterr().err == "note: the search ended\n"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_a_folder_that_takes_no_files_is_told_before_any_work():
    reason = "/proc/x.stance: its folder takes no new files; choose another folder"
    done = process("train", "-o", "/proc/x.stance")
    assert (done.returncode, one_line(done.stderr.decode())) == (4, reason)


def test_a_page_that_lacks_open_files_is_one_line(tmp_path):
    if os.name == "nt":
        pytest.skip("no such limit")
    table = write(tmp_path / "in.csv", "text,actor\nNATO met.,NATO\n")
    line = f"ulimit -n 8; {sys.executable} -m stance label {table} --coder anna --no-browser"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("stance: too many files are open; use fewer")
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
