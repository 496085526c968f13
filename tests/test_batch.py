"""A table in parts gives the bytes of a table in one piece, and a stopped run goes on."""

import contextlib
import dataclasses
import io
import itertools
import os
import signal
import sys
import threading
import time
import zlib
from pathlib import Path

import pytest
from command import parts_kept, predict, read_rows, stopped, write, write_rows

from stance import runs
from stance.errors import DataError, Finished, OutputError, WorkerError
from stance.reading.actors import ActorBook
from stance.runs.journal import Journal, journal_of

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
ROWS = 60
FEWER = ActorBook.default().limited(["name", "demonym"])


@pytest.fixture(scope="module")
def rows(corpus):
    without_words = ("...", "", "\N{GRINNING FACE}")
    texts = itertools.islice((*without_words, *dict.fromkeys(corpus.texts)), ROWS)
    return [(f"{n:03}", "=1+1" if n % 9 == 0 else "NA", text) for n, text in enumerate(texts)]


@pytest.fixture
def table(rows, tmp_path):
    return write_rows(tmp_path / "mine.csv", rows, ("id", "note", "text"))


@pytest.fixture
def output(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "answers.csv"


@pytest.fixture
def whole(model, table, tmp_path):
    predict(model, table, path := tmp_path / "whole.csv")
    return path.read_bytes()


def beside(output):
    """Everything in the output's folder but the output."""
    return sorted(found.name for found in output.parent.iterdir() if found != output)


def workers_of(parent):
    """Processes that compute parts for a process, by id."""
    found = set()
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            its_parent = int(path.joinpath("stat").read_text().rpartition(")")[2].split()[1])
            command = path.joinpath("cmdline").read_bytes()
            if its_parent == parent and b"resource_tracker" not in command:
                found.add(int(path.name))
    return found


# --- The same bytes ---------------------------------------------------------------------------


def plainly(**options):
    return lambda model, table, output: predict(model, table, output, **options)


def with_kills(model, table, output):
    """Kill a worker twice while it computes, or waits."""
    killed = []

    def progress(rows, *_):
        if rows in (7, 28):
            killed.append(min(workers_of(os.getpid())))
            os.kill(killed[-1], signal.SIGKILL)

    done = predict(model, table, output, jobs=3, progress=progress, size=7)
    assert len(killed) == 2
    return done


def resumed(after, jobs):
    def run(model, table, output):
        error = stopped(model, table, output, after=after, jobs=jobs)
        assert error.__notes__[0].endswith("kept: run again with --resume to go on")
        assert not output.exists()
        return predict(model, table, output, resume=True, size=7, jobs=jobs)

    return run


SAME = {
    "a row in each part": plainly(size=1),
    "parts of seven": plainly(size=7),
    "two processes": plainly(size=7, jobs=2),
    "four processes": plainly(size=1, jobs=4),
    "one part for two processes": plainly(jobs=2),
    "killed workers": with_kills,
    "stopped at once": resumed(1, 1),
    "stopped later": resumed(5, 1),
    "stopped with workers": resumed(3, 2),
}


@pytest.mark.parametrize("way", [pytest.param(SAME[name], id=name) for name in SAME])
def test_the_bytes_are_the_same_in_every_way(model, table, output, tmp_path, way):
    before = predict(model, table, tmp_path / "whole.csv")
    after = way(model, table, output)
    assert output.read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert after == before
    assert after.tally.rows == ROWS
    assert beside(output) == []
    assert not workers_of(os.getpid())


@pytest.mark.parametrize("jobs", [1, 2])
def test_streams_come_out_in_order(model, table, output, whole, monkeypatch, jobs):
    stdin = io.TextIOWrapper(io.BytesIO(table.read_bytes()))
    stdout = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdin", stdin)
    monkeypatch.setattr(sys, "stdout", stdout)
    predict(model, None, None, jobs=jobs, size=7)
    assert stdout.buffer.getvalue() == whole
    stdin.seek(0)
    predict(model, None, output, jobs=jobs, size=7)
    assert output.read_bytes() == whole


@pytest.mark.parametrize("jobs", [1, 2])
def test_rows_in_are_rows_out_and_rejects(model, table, output, tmp_path, jobs):
    lines = table.read_text().splitlines(keepends=True)
    for place in (20, 3):
        lines.insert(place, "one cell too few,x\n")
    table.write_text("".join(lines))
    rejects = tmp_path / "bad.csv"
    asked = {"rejects": rejects, "jobs": jobs, "wide": True}
    stopped(model, table, output, after=4, **asked)
    assert not rejects.exists()
    done = predict(model, table, output, resume=True, size=7, **asked)
    assert (done.rows_out, done.rejected) == (ROWS, 2)
    assert [row["line"] for row in read_rows(rejects)] == ["4", "22"]
    numbers = [int(row["row"]) for row in read_rows(output)]
    assert numbers == [n for n in range(1, 63) if n not in (3, 21)]


def test_bad_spans_are_rejected_with_the_text_as_it_was(model, output, tmp_path):
    good, bad = ("NATO met.", "NATO", "0:4"), ("NATO, they\nsaid, met.", "NATO", "4:2")
    rows = [good, bad, good, ("Nobody met.", "NATO", ""), ("NATO met.", "NATO", "x"), good]
    table = write_rows(tmp_path / "spans.csv", rows, ("text", "actor", "spans"))
    rejects = tmp_path / "bad.csv"
    done = predict(model, table, output, rejects=rejects, jobs=2, size=2)
    assert (done.rows_out, done.rejected) == (4, 2)
    rejected_rows = [tuple(row.values()) for row in read_rows(rejects)]
    raw = '"NATO, they\nsaid, met.",NATO,4:2'
    assert rejected_rows == [
        ("3", "spans", "spans '4:2' is not a place in the text", raw),
        ("7", "spans", "spans 'x' is not a place in the text", "NATO met.,NATO,x"),
    ]
    assert [row["row"] for row in read_rows(output)] == ["1", "3", "4", "6"]


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize("jobs", [1, 2])
def test_of_two_faults_the_first_is_told(model, output, tmp_path, jobs, size):
    good = ("NATO met.", "NATO", "0:4")
    rows = [good] * 6 + [("NATO met.", "NATO", "0:99")] + [good] * 3 + [("short",)]
    table = write_rows(tmp_path / "spans.csv", rows, ("text", "actor", "spans"))
    with pytest.raises(DataError, match=r"spans\.csv:8: spans '0:99'"):
        predict(model, table, output, jobs=jobs, size=size)
    assert list(output.parent.iterdir()) == []


# --- What a stopped run leaves ----------------------------------------------------------------

FACTS = b'[1, {"answers": [], "counted": 0}, 0]\n'  # as another version may count
OTHER_PART = len(FACTS), zlib.crc32(FACTS), FACTS


@pytest.mark.parametrize(
    ("damage", "again"),
    [
        (lambda data: data, []),
        (lambda data: data[:-9], [4]),
        (lambda data: data + b"900 1\n[", []),
        (lambda data: data.replace(b"NATO", b"NAT0", 1), [1, 2, 3, 4]),
        (lambda data: data.replace(b"\n", b"\n%d %d\n%s" % OTHER_PART, 1), [1, 2, 3, 4]),
    ],
)
def test_only_what_is_missing_or_damaged_is_computed_again(
    model, table, output, whole, monkeypatch, damage, again
):
    computed, compute = [], runs.compute

    def spy(model, config, records):
        computed.append(1 + records.numbers[0] // 7)
        return compute(model, config, records)

    monkeypatch.setattr(runs, "compute", spy)
    stopped(model, table, output, after=4)
    assert computed == [1, 2, 3, 4]
    journal_of(output).write_bytes(damage(journal_of(output).read_bytes()))
    computed.clear()
    predict(model, table, output, resume=True, size=7)
    assert computed == [*again, 5, 6, 7, 8, 9]
    assert output.read_bytes() == whole


@pytest.mark.parametrize("text", [b"", b"null", b"{", b"\xff\xfe", b"[" * 100_000])
def test_parts_of_a_damaged_plan_are_kept_until_force(model, table, output, text):
    stopped(model, table, output)
    _, *parts = journal_of(output).read_bytes().split(b"\n")
    journal_of(output).write_bytes(b"\n".join([text, *parts]))
    with pytest.raises(OutputError, match=r"cannot resume, since the file .* is new"):
        predict(model, table, output, resume=True, size=7)
    assert parts_kept(output) == 3
    predict(model, table, output, force=True)
    assert output.exists()
    assert not journal_of(output).exists()


def test_what_is_left_is_private_and_told(model, table, output):
    stopped(model, table, output)
    assert beside(output) == [journal_of(output).name]
    assert journal_of(output).stat().st_mode & 0o777 == 0o600
    with pytest.raises(OutputError, match="--resume goes on with them, --force starts again"):
        predict(model, table, output, size=7)
    assert parts_kept(output) == 3
    predict(model, table, output, force=True, size=7)
    assert beside(output) == []


@pytest.mark.parametrize(
    ("options", "own", "name", "told"),
    [
        ({"wide": True}, {}, b"NATO", "--wide has changed"),
        ({"prefix": "p_"}, {}, b"NATO", "--prefix has changed"),
        ({"rejects": Path("bad.csv")}, {}, b"NATO", "--rejects has changed"),
        ({"date_column": "note"}, {}, b"NATO", "--date-column has changed"),
        ({}, {"digest": "of another file"}, b"NATO", "the model has changed"),
        ({}, {"book": FEWER}, b"NATO", "the actor book or --aliases has changed"),
        ({}, {}, b"Iran", "the file .*mine.csv has changed"),
    ],
)
def test_resume_refuses_what_has_changed(
    model, table, output, monkeypatch, options, own, name, told
):
    monkeypatch.chdir(table.parent)
    stopped(model, table, output)
    data, other = table.read_bytes(), dataclasses.replace(model, **own)
    write(table, data.replace(b"NATO", name, 1))
    with pytest.raises(OutputError, match=f"cannot resume, since {told}"):
        predict(other, table, output, resume=True, size=7, **options)
    write(table, data)
    assert predict(model, table, output, resume=True, size=7).tally.rows == ROWS


def test_killed_when_the_output_has_its_name_already(model, table, output, whole, monkeypatch):
    """As by a kill before the journal is removed."""
    monkeypatch.setattr(Journal, "__exit__", lambda journal, *_: journal._file.close())
    predict(model, table, output, size=7)
    monkeypatch.undo()
    assert parts_kept(output) == 9
    with pytest.raises(Finished, match=r"is finished already \(newer than its input; .*resume$"):
        predict(model, table, output, resume=True, size=7)
    assert output.read_bytes() == whole
    assert beside(output) == []


def test_outputs_without_the_last_are_replaced_by_force(model, table, output, whole, monkeypatch):
    """As after a kill while outputs get their names."""
    others = {"rejects": output.with_name("bad.csv"), "summary": output.with_name("a.json")}
    monkeypatch.setattr(Journal, "__exit__", lambda journal, *_: journal._file.close())
    predict(model, table, output, **others, size=7)
    monkeypatch.undo()
    others["summary"].unlink()
    for path in others.values():
        path.with_name(f".{path.name}.stance-x.part").touch()
    with pytest.raises(OutputError, match="exists already; use --force"):
        predict(model, table, output, **others, resume=True, size=7)
    monkeypatch.setattr(runs, "compute", None)  # all parts are kept
    predict(model, table, output, **others, resume=True, force=True, size=7)
    assert output.read_bytes() == whole
    assert beside(output) == ["a.json", "bad.csv"]


# --- What stands in the way -------------------------------------------------------------------


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("force", [False, True])
def test_the_second_of_two_runs_is_refused(model, table, output, resume, force):
    told = []

    def progress(*_):
        if not told:
            with pytest.raises(OutputError, match="another run is writing it") as caught:
                predict(model, table, output, resume=resume, force=force, size=7)
            told.append(caught)

    predict(model, table, output, progress=progress, size=7)
    assert told
    assert beside(output) == []


def test_an_existing_output_is_kept(model, table, output):
    output.write_text("mine")
    with pytest.raises(OutputError, match="exists already; use --force"):
        predict(model, table, output, size=7)
    stopped(model, table, output, force=True)
    assert output.read_text() == "mine"
    with pytest.raises(OutputError, match="exists already; use --force"):
        predict(model, table, output, resume=True, size=7)
    predict(model, table, output, resume=True, size=7, force=True)
    assert output.read_text() != "mine"


def test_a_foreign_thing_in_the_way_is_not_touched(model, table, output):
    journal_of(output).symlink_to(table)
    with pytest.raises(OutputError, match="cannot be written: Too many levels of symbolic links"):
        predict(model, table, output, size=7)
    assert table.exists()


# --- Workers ----------------------------------------------------------------------------------


@LINUX
def test_a_worker_that_dies_again_ends_the_run(model, table, output):
    """All workers are killed for as long as the run goes on."""
    until = threading.Event()

    def kill():
        while not until.is_set():
            for pid in workers_of(os.getpid()):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        with pytest.raises(WorkerError, match="the worker died 3 times, as when memory") as caught:
            predict(model, table, output, jobs=2, size=7)
    finally:
        until.set()
        killer.join()
    assert caught.value.exit_status == 1
    assert "\n" not in str(caught.value)
    assert not workers_of(os.getpid())
    assert predict(model, table, output, resume=True, size=7).tally.rows == ROWS
