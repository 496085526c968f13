"""A table in parts gives the bytes of a table in one piece, and a stopped run goes on."""

import contextlib
import csv
import dataclasses
import gzip
import io
import itertools
import json
import os
import pickle
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from stance.errors import DataError, OutputError, StanceError, UsageError, WorkerError
from stance.runs import Job, predict_table, workers
from stance.runs import job as batch
from stance.runs.answers import Tally
from stance.runs.parts import Batch, Part, Store
from stance.runs.resume import Run, folder_of
from stance.runs.rows import Lines
from stance.tables import Record, Records

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


@pytest.fixture(scope="module")
def rows(corpus):
    texts = itertools.islice(itertools.cycle(dict.fromkeys(corpus.texts)), 60)
    return [(f"{n:03}", "=1+1" if n % 9 == 0 else "NA", text) for n, text in enumerate(texts)]


@pytest.fixture
def table(rows, tmp_path):
    return write(tmp_path / "mine.csv", rows)


def write(path, rows, header=("id", "note", "text")):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


@pytest.fixture
def job(table, tmp_path):
    return Job(table, tmp_path / "out" / "answers.csv")


@pytest.fixture(autouse=True)
def _out(tmp_path):
    (tmp_path / "out").mkdir()


def beside(job):
    """Everything in the output's folder but the output."""
    return sorted(found.name for found in job.target.parent.iterdir() if found != job.target)


def stopped(model, job, after, size=7, **changes):
    """Run until some parts are done, then be interrupted; return the error."""
    seen = []

    def progress(*_):
        seen.append(1)
        if len(seen) == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        predict_table(model, dataclasses.replace(job, **changes), progress=progress, size=size)
    return caught.value


@pytest.fixture
def computed(monkeypatch):
    """Numbers of the parts that this process computes."""
    numbers = []

    def spy(model, frame, number, records):
        numbers.append(number)
        return original(model, frame, number, records)

    original = workers.compute
    monkeypatch.setattr(workers, "compute", spy)
    return numbers


# --- The same bytes ---------------------------------------------------------------------------


DEFAULT = batch.PART


@pytest.mark.parametrize("jobs", [1, 2, 4])
@pytest.mark.parametrize(
    ("size", "times"), [(1, 1), (7, 1), (1000, 40), (DEFAULT, 40)], ids=lambda number: str(number)
)
def test_bytes_depend_on_neither_jobs_nor_part_size(model, rows, job, tmp_path, jobs, size, times):
    write(job.source, rows * times)
    whole = dataclasses.replace(job, target=tmp_path / "whole.csv")
    before = predict_table(model, whole, size=60 * times)
    after = predict_table(model, dataclasses.replace(job, jobs=jobs), size=size)
    assert job.target.read_bytes() == whole.target.read_bytes()
    assert after == before
    assert after.tally.rows == 60 * times
    assert after.formulas == before.formulas > 0
    assert beside(job) == []


@pytest.mark.parametrize("name", ["a.csv.gz", "a.jsonl", "a.jsonl.gz"])
def test_other_formats_do_not_depend_on_the_part_size_either(model, job, tmp_path, name):
    whole = dataclasses.replace(job, target=tmp_path / name, wide=True)
    parts = dataclasses.replace(job, target=tmp_path / "out" / name, wide=True)
    predict_table(model, whole)
    predict_table(model, parts, size=7)
    assert parts.target.read_bytes() == whole.target.read_bytes()
    if name.endswith(".gz"):
        assert gzip.decompress(parts.target.read_bytes())


@pytest.mark.parametrize("jobs", [1, 2])
def test_streams_come_out_in_order(model, job, table, monkeypatch, jobs):
    predict_table(model, job)
    stdin = io.TextIOWrapper(io.BytesIO(table.read_bytes()))
    stdout = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdin", stdin)
    monkeypatch.setattr(sys, "stdout", stdout)
    predict_table(model, Job(None, None, jobs=jobs), size=7)
    assert stdout.buffer.getvalue() == job.target.read_bytes()
    stdin.seek(0)
    other = job.target.with_name("other.csv")
    predict_table(model, Job(None, other, jobs=jobs), size=7)
    assert other.read_bytes() == job.target.read_bytes()


@pytest.mark.parametrize("jobs", [1, 2])
def test_rows_in_are_rows_out_and_rejects(model, job, table, tmp_path, jobs):
    lines = table.read_text().splitlines(keepends=True)
    for place in (20, 3):
        lines.insert(place, "one cell too few,x\n")
    table.write_text("".join(lines))
    rejects = tmp_path / "bad.csv"
    job = dataclasses.replace(job, rejects=rejects, jobs=jobs, wide=True)
    stopped(model, job, after=4)
    assert not rejects.exists()
    done = predict_table(model, dataclasses.replace(job, resume=True), size=7)
    assert (done.rows_out, done.rejected) == (60, 2)
    with rejects.open(newline="") as file:
        assert [row[0] for row in csv.reader(file)] == ["line", "4", "22"]
    with job.target.open(newline="") as file:
        assert [int(row["row"]) for row in csv.DictReader(file)] == [
            n for n in range(1, 63) if n not in (3, 21)
        ]


BAD_SPANS = ("NATO, they\nsaid, met.", "NATO", "4:2")


@pytest.mark.parametrize("name", ["spans.csv", "spans.jsonl"])
def test_bad_spans_are_rejected_with_the_text_as_it_was(model, tmp_path, name):
    good = ("NATO met.", "NATO", "0:4")
    table, rejects = tmp_path / name, tmp_path / "bad.csv"
    columns = ("text", "actor", "spans")
    rows = [good, BAD_SPANS, good, ("Nobody met.", "NATO", ""), ("NATO met.", "NATO", "x"), good]
    if name.endswith(".csv"):
        write(table, rows, columns)
        raw, lines = ['"NATO, they\nsaid, met.",NATO,4:2', "NATO met.,NATO,x"], ["3", "7"]
    else:
        raw = [json.dumps(dict(zip(columns, row, strict=True))) for row in rows]
        table.write_text("\n".join(raw))
        raw, lines = [raw[1], raw[4]], ["2", "5"]
    job = Job(table, tmp_path / "out" / "a.csv", rejects=rejects, jobs=2)
    done = predict_table(model, job, size=2)
    assert (done.rows_out, done.rejected) == (4, 2)
    with rejects.open(newline="") as file:
        found = list(csv.DictReader(file))
    assert [row["line"] for row in found] == lines
    assert [row["column"] for row in found] == ["spans"] * 2
    assert [row["reason"] for row in found] == [
        "spans '4:2' is not a place in the text",
        "spans 'x' is not a place in the text",
    ]
    assert [row["raw"] for row in found] == raw
    with job.target.open(newline="") as file:
        assert [row["row"] for row in csv.DictReader(file)] == ["1", "3", "4", "6"]


def test_output_and_rejects_need_a_file_each(model, job):
    job = dataclasses.replace(job, rejects=job.target.parent / ".." / "out" / job.target.name)
    with pytest.raises(UsageError, match="is both the output and --rejects; give each a file"):
        predict_table(model, job)


def test_a_batch_shows_no_cells():
    records = [Record(3, 9, ("", "a\nb", "ü")), Record(5, 12, ("x", "", ""))]
    assert "ü" not in repr(Batch(1, Records.of(records)))


def test_progress_counts_rows_and_bytes(model, job, table):
    seen = []
    predict_table(model, job, progress=lambda t, *b: seen.append((t.rows, *b)), size=7)
    assert [rows for rows, *_ in seen] == [*range(7, 60, 7), 60]
    assert seen[-1][1:] == (table.stat().st_size,) * 2


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize("jobs", [1, 2])
def test_of_two_faults_the_first_is_told(model, tmp_path, jobs, size):
    good = ("NATO met.", "NATO", "0:4")
    rows = [good] * 6 + [("NATO met.", "NATO", "0:99")] + [good] * 3 + [("short",)]
    table = write(tmp_path / "spans.csv", rows, ("text", "actor", "spans"))
    job = Job(table, tmp_path / "out" / "a.csv", jobs=jobs)
    with pytest.raises(DataError, match=r"spans\.csv:8: spans '0:99'"):
        predict_table(model, job, size=size)
    assert list((tmp_path / "out").iterdir()) == []


# --- Clusters ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("", "''"),
        ("nonsense", "'nonsense'"),
        ("tcp://HOST", "'tcp://HOST'"),
        ("inproc://x", "'inproc://x'"),
        ("tcp://\x1b[31mx\n:1", r"'tcp://\x1b[31mx\n:1'"),
    ],
)
def test_what_is_no_address_is_refused_at_once(model, job, address, told):
    pytest.importorskip("distributed")
    job = dataclasses.replace(job, cluster=address)
    with pytest.raises(UsageError, match=f"^--cluster {re.escape(told)}: is no address; write tcp"):
        predict_table(model, job)


@pytest.mark.filterwarnings("ignore")
def test_another_program_at_the_address_is_no_scheduler(model_path, table, job):
    pytest.importorskip("distributed")
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_greet, args=(server,), daemon=True).start()
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        command = [sys.executable, "-m", "stance", "predict", str(table), "-o", str(job.target)]
        command += ["--model", str(model_path), "--cluster", address]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"stance: {address}: no Dask scheduler answers; check address\n"


def _greet(server):
    with contextlib.suppress(OSError):
        while True:
            client, _ = server.accept()
            client.sendall(b"SSH-2.0-OpenSSH_9.7\r\n")


@pytest.fixture(scope="module")
def cluster():
    """A Dask cluster with one worker, in this process."""
    distributed = pytest.importorskip("distributed")
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
def remote(job, cluster):
    return dataclasses.replace(job, cluster=cluster.scheduler_address)


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_gives_the_same_bytes_and_gets_the_model_once(model, job, remote, monkeypatch):
    from stance.runs import cluster as layer

    predict_table(model, job, size=7)
    before = job.target.read_bytes()
    decoded = []
    decode = layer.decode_model
    monkeypatch.setattr(layer, "decode_model", lambda data: decoded.append(1) or decode(data))
    layer._models.clear()
    for _ in range(2):
        predict_table(model, dataclasses.replace(remote, force=True), size=7)
        assert job.target.read_bytes() == before
    assert len(decoded) == 1
    assert beside(job) == []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("stance", "^the cluster has stance {}, not 9.9 as here; install the same there$"),
        ("nonesuch", "^tcp://.*: nonesuch is not installed on the cluster; install the same"),
    ],
)
def test_a_cluster_unlike_this_computer_is_told_in_one_line(model, remote, monkeypatch, name, told):
    from stance.runs import cluster as layer

    real = layer.versions()
    monkeypatch.setattr(layer, "versions", lambda: real | {name: "9.9"})
    with pytest.raises(WorkerError, match=told.format(re.escape(real["stance"]))):
        predict_table(model, remote, size=7)
    assert beside(remote) == []


def test_a_worker_that_joins_late_compares_versions_too():
    layer = pytest.importorskip("stance.runs.cluster")
    expected = layer.versions() | {"numpy": "9.9"}
    found = layer._work(b"", "hash", expected, None, None)
    assert isinstance(found, WorkerError)
    assert re.fullmatch(r"the cluster has numpy [0-9.]+, not 9\.9 as here; .*", str(found))


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_without_workers_ends_a_run(model, remote, cluster, monkeypatch):
    from stance.runs import cluster as layer

    monkeypatch.setattr(layer, "_PATIENCE", 1)
    monkeypatch.setattr(layer, "_COUNT_EVERY", 0.2)
    monkeypatch.setattr(workers, "LOOK_EVERY", 0.2)

    def progress(*_):
        cluster.scale(0)

    told = "lost all its workers; start some; [0-9]+ finished parts? kept: run again with --resume"
    with pytest.raises(WorkerError, match=told):
        predict_table(model, remote, progress=progress, size=1)
    cluster.scale(1)
    assert predict_table(model, dataclasses.replace(remote, resume=True)).tally.rows == 60


def test_a_cluster_that_does_not_tell_its_workers_may_tell_them_later(model, remote, monkeypatch):
    monkeypatch.setattr("distributed.Client.nthreads", _no_connection)
    assert predict_table(model, remote, size=7).tally.rows == 60


def test_a_cluster_that_is_lost_before_the_first_part_is_told_in_one_line(
    model, remote, monkeypatch
):
    monkeypatch.setattr("distributed.Client.run", _no_connection)
    with pytest.raises(WorkerError, match=r"the scheduler or a worker was lost; start it again$"):
        predict_table(model, remote)


def _no_connection(*_args, **_more):
    raise OSError("the connection was closed")


# --- What a stopped run leaves ----------------------------------------------------------------


def test_an_interrupted_run_goes_on(model, job, tmp_path, computed):
    whole = dataclasses.replace(job, target=tmp_path / "whole.csv")
    predict_table(model, whole)
    computed.clear()
    error = stopped(model, job, after=4)
    assert error.__notes__ == ["4 finished parts kept: run again with --resume to go on"]
    assert not job.target.exists()
    assert computed == [1, 2, 3, 4]
    done = predict_table(model, dataclasses.replace(job, resume=True))  # of the earlier part size
    assert computed == list(range(1, 10))
    assert job.target.read_bytes() == whole.target.read_bytes()
    assert done.tally.rows == 60
    assert beside(job) == []


def test_parts_are_private_and_their_names_say_nothing(model, job):
    stopped(model, job, after=3)
    folder = folder_of(job.target)
    assert folder.stat().st_mode & 0o777 == 0o700
    names = sorted(path.name for path in folder.iterdir())
    assert all(re.fullmatch(r"[0-9a-f]{16}-0000000\d\.rows", name) for name in names[:3])
    assert names[3:] == ["lock", "plan.json"]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_a_run_of_one_part_needs_no_folder(model, job):
    names = []
    predict_table(model, job, progress=lambda *_: names.extend(beside(job)))
    assert not any("stance-run" in name for name in names)


def test_resume_without_an_earlier_run_begins(model, job):
    done = predict_table(model, dataclasses.replace(job, resume=True), size=7)
    assert done.tally.rows == 60


def test_what_is_left_is_told(model, job):
    stopped(model, job, after=3)
    with pytest.raises(OutputError, match="--resume goes on with them, --force starts anew"):
        predict_table(model, job, size=7)
    assert folder_of(job.target).exists()
    predict_table(model, dataclasses.replace(job, force=True), size=7)
    assert beside(job) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"wide": True}, r"--wide has changed \(was False, is True\)"),
        ({"prefix": "p_"}, r"--prefix has changed \(was , is p_\)"),
        ({"rejects": Path("bad.csv")}, "--rejects has changed"),
    ],
)
def test_resume_refuses_another_option(model, job, tmp_path, monkeypatch, changes, told):
    monkeypatch.chdir(tmp_path)
    stopped(model, job, after=3)
    with pytest.raises(OutputError, match=f"cannot resume, since {told}"):
        predict_table(model, dataclasses.replace(job, resume=True, **changes))
    assert predict_table(model, dataclasses.replace(job, resume=True)).tally.rows == 60


def test_resume_refuses_another_input_or_model(model, job, table):
    stopped(model, job, after=3)
    data = table.read_bytes()
    table.write_bytes(data.replace(b"NATO", b"Iran", 1))
    with pytest.raises(OutputError, match="cannot resume, since the input has changed"):
        predict_table(model, dataclasses.replace(job, resume=True))
    table.write_bytes(data)
    head = dataclasses.replace(model.stance, temperature=model.stance.temperature + 0.1)
    with pytest.raises(OutputError, match="cannot resume, since the model has changed"):
        predict_table(
            dataclasses.replace(model, stance=head), dataclasses.replace(job, resume=True)
        )
    assert predict_table(model, dataclasses.replace(job, resume=True)).tally.rows == 60


@pytest.mark.parametrize(
    ("name", "renamed", "refused"),
    [
        ("speech.txt", "talk.txt", True),  # it stands in the column "document"
        ("mine.csv", "mine.tsv", True),
        ("mine.csv", "yours.csv", False),
    ],
)
def test_resume_refuses_a_name_that_the_output_depends_on(
    model, job, table, tmp_path, name, renamed, refused
):
    text = "\n\n".join(f"On day {n} Poland praised NATO for its help." for n in range(20))
    (tmp_path / "speech.txt").write_text(text)
    job = dataclasses.replace(job, source=tmp_path / name)
    stopped(model, job, after=2)
    again = dataclasses.replace(job, source=job.source.rename(tmp_path / renamed), resume=True)
    if refused:
        with pytest.raises(OutputError, match="cannot resume, since the name of the input has"):
            predict_table(model, again)
    else:
        assert predict_table(model, again).tally.rows == 60


def test_resume_needs_files(model, table):
    with pytest.raises(UsageError, match="is a stream"):
        predict_table(model, Job(table, None, resume=True))


def test_a_damaged_part_is_computed_again(model, job, computed):
    stopped(model, job, after=4)
    second, third = sorted(folder_of(job.target).glob("*.rows"))[1:3]
    second.write_bytes(second.read_bytes()[:-9])
    third.write_bytes(b"")
    computed.clear()
    predict_table(model, dataclasses.replace(job, resume=True))
    assert computed == [2, 3, 5, 6, 7, 8, 9]


def test_a_part_can_be_read_before_it_has_reached_the_disk(tmp_path, monkeypatch):
    synced, may_sync = [], threading.Event()

    def slow(handle):
        assert may_sync.wait(20)
        synced.append(os.fstat(handle).st_size)
        raise OSError("the disk is gone")

    monkeypatch.setattr(os, "fsync", slow)
    store = Store(tmp_path, "key", tmp_path / "out.csv")
    part = Part(1, 1, 0, Tally(rows=1), Lines.whole(b"a,b\n"))
    store.write(part)
    assert store.read(1) == part
    assert not synced
    may_sync.set()
    store.write(dataclasses.replace(part, number=2))  # waits for the first one
    assert synced[0] == store.path(1).stat().st_size


def test_parts_are_kept_where_the_system_gives_no_more_threads(tmp_path, monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    store = Store(tmp_path, "key", tmp_path / "out.csv")
    parts = [Part(number, 1, 0, Tally(rows=1), Lines.whole(b"a,b\n")) for number in (1, 2)]
    for part in parts:
        store.write(part)  # the second would wait for ever for a first one that is never synced
    assert [store.read(number) for number in (1, 2)] == parts


def test_parts_of_another_run_are_never_taken(model, job, computed):
    stopped(model, job, after=3)
    folder = folder_of(job.target)
    for path in folder.glob("*.rows"):
        path.rename(folder / f"{'0' * 16}{path.name[16:]}")
    computed.clear()
    predict_table(model, dataclasses.replace(job, resume=True))
    assert computed == list(range(1, 10))


def test_unusable_input_leaves_nothing(model, job, table):
    table.write_text(table.read_text() + "too,few\n")
    with pytest.raises(DataError, match=r"mine\.csv"):
        predict_table(model, job, size=7)
    assert beside(job) == []


def test_killed_between_the_name_and_the_clearing(model, job, tmp_path, monkeypatch):
    job = dataclasses.replace(job, rejects=tmp_path / "bad.csv")
    monkeypatch.setattr(Run, "__exit__", lambda run, *_: run._unlock())
    predict_table(model, job, size=7)
    monkeypatch.undo()
    before = job.target.read_bytes()
    assert folder_of(job.target).exists()
    predict_table(model, dataclasses.replace(job, resume=True), size=7)
    assert job.target.read_bytes() == before
    assert beside(job) == []


@pytest.mark.parametrize("gone", ["*.rows", "*[!k]"])
def test_killed_in_the_midst_of_clearing(model, job, monkeypatch, gone):
    monkeypatch.setattr(Run, "__exit__", lambda run, *_: run._unlock())
    predict_table(model, job, size=7)
    monkeypatch.undo()
    before = job.target.read_bytes()
    for path in folder_of(job.target).glob(gone):
        if path.name != "ending":
            path.unlink()
    predict_table(model, dataclasses.replace(job, resume=True), size=7)
    assert job.target.read_bytes() == before
    assert beside(job) == []


def test_a_complete_run_is_cleared_away(model, job, monkeypatch):
    monkeypatch.setattr(Run, "__exit__", lambda run, *_: run._unlock())
    predict_table(model, job, size=7)
    monkeypatch.undo()
    with pytest.raises(OutputError, match="exists already; use --force"):
        predict_table(model, job, size=7)
    assert beside(job) == []


# --- What stands in the way -------------------------------------------------------------------


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("force", [False, True])
def test_the_second_of_two_runs_is_refused(model, job, resume, force):
    second = dataclasses.replace(job, resume=resume, force=force)
    told = []

    def progress(*_):
        if not told:
            with pytest.raises(OutputError, match="another run is writing it") as caught:
                predict_table(model, second, size=7)
            told.append(caught)

    predict_table(model, job, progress=progress, size=7)
    assert told
    assert beside(job) == []


def test_an_existing_output_is_kept(model, job):
    job.target.write_text("mine")
    with pytest.raises(OutputError, match="exists already; use --force"):
        predict_table(model, job, size=7)
    assert job.target.read_text() == "mine"
    stopped(model, job, after=3, force=True)
    assert job.target.read_text() == "mine"
    with pytest.raises(OutputError, match="exists already; use --force"):
        predict_table(model, dataclasses.replace(job, resume=True))
    predict_table(model, dataclasses.replace(job, resume=True, force=True))
    assert job.target.read_text() != "mine"


def test_the_output_is_never_the_input(model, job, table):
    with pytest.raises(OutputError, match="is the input"):
        predict_table(model, dataclasses.replace(job, target=table, force=True), size=7)


def test_a_foreign_thing_in_the_way_is_not_touched(model, job):
    folder_of(job.target).symlink_to(job.source.parent)
    with pytest.raises(OutputError, match="is in the way"):
        predict_table(model, job, size=7)
    assert job.source.exists()


def test_a_long_name_gets_a_folder_too(model, job):
    long = dataclasses.replace(job, target=job.target.with_name("x" * 240 + ".csv"))
    stopped(model, long, after=3)
    predict_table(model, dataclasses.replace(long, resume=True))
    assert beside(long) == []


# --- Workers ----------------------------------------------------------------------------------


def children():
    """Processes that work for this one, by id."""
    found = set()
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int(path.joinpath("stat").read_text().rpartition(")")[2].split()[1])
            if (
                parent == os.getpid()
                and b"stance.runs.workers" in path.joinpath("cmdline").read_bytes()
            ):
                found.add(int(path.name))
    return found


ALWAYS_DIES = """
import os, stance.runs.workers as workers
compute = workers.compute
workers.compute = lambda model, frame, number, records: (
    os.kill(os.getpid(), 9) if number == 1 else compute(model, frame, number, records)
)
workers.serve()
"""


@LINUX
def test_a_worker_that_dies_costs_one_more_try(model, job, tmp_path):
    whole = dataclasses.replace(job, target=tmp_path / "whole.csv")
    predict_table(model, whole)
    killed = []

    def progress(tally: Tally, *_):
        if tally.rows in (7, 28):
            killed.append(sorted(children())[0])
            os.kill(killed[-1], signal.SIGKILL)

    predict_table(model, dataclasses.replace(job, jobs=2), progress=progress, size=7)
    assert len(killed) == 2
    assert job.target.read_bytes() == whole.target.read_bytes()
    assert not children()
    assert beside(job) == []


@LINUX
def test_a_worker_that_dies_again_ends_the_run(model, job, monkeypatch):
    with monkeypatch.context() as patch:
        start = subprocess.Popen
        patch.setattr(
            subprocess,
            "Popen",
            lambda command, **options: start([*command[:-1], ALWAYS_DIES], **options),
        )
        with pytest.raises(WorkerError, match="records 1 to 7: the worker died 2 times") as caught:
            predict_table(model, dataclasses.replace(job, jobs=2), size=7)
    assert "kept: run again with --resume" in str(caught.value)
    assert caught.value.exit_status == 1
    assert isinstance(caught.value, StanceError)
    assert not children()
    assert predict_table(model, dataclasses.replace(job, resume=True)).tally.rows == 60


SLEEPS = """
import time, stance.runs.workers as workers
workers.compute = lambda *_: time.sleep(60)
workers.serve()
"""


@LINUX
@pytest.mark.parametrize("sent", [1.0, 0.5, 0.0])
def test_a_worker_leaves_with_its_parent_without_a_word(sent):
    """In the midst of a part, of what it is sent, and before that."""
    task = Batch(1, Records.of([Record(1, 1, ("NATO",))]))
    data = pickle.dumps((b"model", None)) + pickle.dumps(task)
    process = subprocess.Popen(
        [sys.executable, "-c", SLEEPS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdin.write(data[: int(sent * len(data))])
    process.stdin.flush()
    if sent == 1:
        time.sleep(1)
    assert process.communicate(timeout=40) == (b"", b"")  # long before the part is done


@LINUX
def test_workers_end_with_an_interrupted_run(model, job):
    stopped(model, job, after=2, jobs=2)
    assert not children()


@pytest.mark.parametrize("jobs", [1, 2])
def test_local_runs_load_no_more_than_they_need(model_path, job, jobs):
    code = (
        "import sys; from pathlib import Path; from stance import runs, storage\n"
        "model = storage.load_model(Path(sys.argv[1]))\n"
        "job = runs.Job(Path(sys.argv[2]), Path(sys.argv[3]), jobs=int(sys.argv[4]))\n"
        "runs.predict_table(model, job, size=7)\n"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    command = [sys.executable, "-c", code, model_path, job.source, job.target, str(jobs)]
    loaded = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert not {"dask", "distributed", "joblib", "sklearn", "pandas"} & set(loaded)


def test_cut_tells_what_ended_the_table_last():
    def records():
        yield Records.of(Record(n, n, ("x",)) for n in range(1, 6))
        raise DataError("torn")

    *parts, last = batch.cut(records(), 2)
    assert [len(part.records) for part in parts] == [2, 2, 1]
    assert isinstance(last, DataError)


def test_long_records_come_in_small_parts(monkeypatch):
    monkeypatch.setattr(batch, "CHARACTERS", 10)
    rows = [Record(n, n, ("x" * length,)) for n, length in enumerate([3, 3, 3, 40, 1, 10], 1)]
    blocks = (Records.of([row]) for row in rows)
    parts = [[len(r.cells[0]) for r in part.records] for part in batch.cut(blocks, 5)]
    assert parts == [[3, 3, 3, 40], [1, 10]]
