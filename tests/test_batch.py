"""A table in parts gives the bytes of a table in one piece, and a stopped run goes on."""

import contextlib
import csv
import dataclasses
import functools
import gzip
import io
import itertools
import json
import os
import pickle
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from command import predict

from stance.errors import DataError, OutputError, StanceError, UsageError, WorkerError
from stance.runs import parts, workers
from stance.runs.answers import Tally
from stance.runs.job import PART
from stance.runs.parts import Batch, Part, Store, cut
from stance.runs.plan import SIZE
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
def output(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "answers.csv"


def beside(output):
    """Everything in the output's folder but the output."""
    return sorted(found.name for found in output.parent.iterdir() if found != output)


def stopped(model, table, output, after, size=7, **changes):
    """Run until some parts are done, then be interrupted; return the error."""
    seen = []

    def progress(*_):
        seen.append(1)
        if len(seen) == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        predict(model, table, output, **changes, progress=progress, size=size)
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


@pytest.mark.parametrize(
    ("jobs", "size", "times"),
    [(1, 1, 1), (1, 1000, 40), (2, 7, 1), (2, PART, 60), (4, 1, 1)],
)
def test_bytes_depend_on_neither_jobs_nor_part_size(
    model, rows, table, output, tmp_path, jobs, size, times
):
    write(table, rows * times)
    whole = tmp_path / "whole.csv"
    before = predict(model, table, whole, size=60 * times)
    after = predict(model, table, output, jobs=jobs, size=size)
    assert output.read_bytes() == whole.read_bytes()
    assert after == before
    assert after.tally.rows == 60 * times
    assert after.formulas == before.formulas > 0
    assert beside(output) == []


@pytest.mark.parametrize("name", ["a.csv.gz", "a.jsonl", "a.jsonl.gz"])
def test_other_formats_do_not_depend_on_the_part_size_either(model, table, output, tmp_path, name):
    whole, parts = tmp_path / name, output.with_name(name)
    predict(model, table, whole, wide=True)
    predict(model, table, parts, wide=True, size=7)
    assert parts.read_bytes() == whole.read_bytes()
    if name.endswith(".gz"):
        assert gzip.decompress(parts.read_bytes())


@pytest.mark.parametrize("jobs", [1, 2])
def test_streams_come_out_in_order(model, table, output, monkeypatch, jobs):
    predict(model, table, output)
    stdin = io.TextIOWrapper(io.BytesIO(table.read_bytes()))
    stdout = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdin", stdin)
    monkeypatch.setattr(sys, "stdout", stdout)
    predict(model, None, None, jobs=jobs, size=7)
    assert stdout.buffer.getvalue() == output.read_bytes()
    stdin.seek(0)
    other = output.with_name("other.csv")
    predict(model, None, other, jobs=jobs, size=7)
    assert other.read_bytes() == output.read_bytes()


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
    assert (done.rows_out, done.rejected) == (60, 2)
    with rejects.open(newline="") as file:
        assert [row[0] for row in csv.reader(file)] == ["line", "4", "22"]
    with output.open(newline="") as file:
        assert [int(row["row"]) for row in csv.DictReader(file)] == [
            n for n in range(1, 63) if n not in (3, 21)
        ]


BAD_SPANS = ("NATO, they\nsaid, met.", "NATO", "4:2")


@pytest.mark.parametrize("name", ["spans.csv", "spans.jsonl"])
def test_bad_spans_are_rejected_with_the_text_as_it_was(model, output, tmp_path, name):
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
    done = predict(model, table, output, rejects=rejects, jobs=2, size=2)
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
    with output.open(newline="") as file:
        assert [row["row"] for row in csv.DictReader(file)] == ["1", "3", "4", "6"]


def test_output_and_rejects_need_a_file_each(model, table, output):
    same = output.parent / ".." / "out" / output.name
    with pytest.raises(UsageError, match="is both the output and --rejects; give each a file"):
        predict(model, table, output, rejects=same)


def test_a_batch_shows_no_cells():
    records = [Record(3, 9, ("", "a\nb", "ü")), Record(5, 12, ("x", "", ""))]
    assert "ü" not in repr(Batch(1, Records.of(records)))


def test_progress_counts_rows_and_bytes(model, table, output):
    seen = []
    predict(model, table, output, progress=lambda t, *b: seen.append((t.rows, *b)), size=7)
    assert [rows for rows, *_ in seen] == [*range(7, 60, 7), 60]
    assert seen[-1][1:] == (table.stat().st_size,) * 2


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize("jobs", [1, 2])
def test_of_two_faults_the_first_is_told(model, output, tmp_path, jobs, size):
    good = ("NATO met.", "NATO", "0:4")
    rows = [good] * 6 + [("NATO met.", "NATO", "0:99")] + [good] * 3 + [("short",)]
    table = write(tmp_path / "spans.csv", rows, ("text", "actor", "spans"))
    with pytest.raises(DataError, match=r"spans\.csv:8: spans '0:99'"):
        predict(model, table, output, jobs=jobs, size=size)
    assert list(output.parent.iterdir()) == []


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
def test_what_is_no_address_is_refused_at_once(model, table, output, address, told):
    pytest.importorskip("distributed")
    with pytest.raises(
        UsageError, match=f"^--cluster {re.escape(told)}: is not an address; write tcp"
    ):
        predict(model, table, output, cluster=address)


@pytest.mark.filterwarnings("ignore")
def test_another_program_at_the_address_is_no_scheduler(model_path, table, output):
    pytest.importorskip("distributed")
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_greet, args=(server,), daemon=True).start()
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        command = [sys.executable, "-m", "stance", "predict", str(table), "-o", str(output)]
        command += ["--model", str(model_path), "--cluster", address]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"stance: {address}: no Dask scheduler answers; check the address\n"


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
def remote(model, table, output, cluster):
    """A run on the cluster."""
    address = cluster.scheduler_address
    return functools.partial(predict, model, table, output, cluster=address, size=7)


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_gives_the_same_bytes_and_gets_the_model_once(
    model, table, output, remote, monkeypatch
):
    from stance.runs import cluster as layer

    predict(model, table, output, size=7)
    before = output.read_bytes()
    decoded = []
    decode = layer.decode_model
    monkeypatch.setattr(layer, "decode_model", lambda data: decoded.append(1) or decode(data))
    layer._models.clear()
    for _ in range(2):
        remote(force=True)
        assert output.read_bytes() == before
    assert len(decoded) == 1
    assert beside(output) == []


def _fewer(part):
    return dataclasses.replace(
        part, tally=dataclasses.replace(part.tally, rows=part.tally.rows - 1)
    )


def _shorter(part):
    return dataclasses.replace(part, lines=Lines(part.lines.ends[:-1], part.lines.times))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_fewer, "it answers 6 of 7 records"),
        (_shorter, "its rows are not those of its records"),
        (lambda part: dataclasses.replace(part, number=9), "it is part 9, not 1"),
        (lambda part: dataclasses.replace(part, tally=None), "it is damaged"),
        (lambda part: [part], "it is not a part of a table"),
        (lambda part: part.lines.ends, "it is not a part of a table"),
    ],
)
def test_a_worker_that_does_not_answer_each_record_once_ends_the_run(
    remote, output, monkeypatch, spoil, told
):
    from stance.runs import cluster as layer

    monkeypatch.setattr(layer, "compute", lambda *work: spoil(parts.compute(*work)))
    why = f"^records 1 to 7: a worker sent a wrong answer \\({told}\\); restart the workers"
    with pytest.raises(WorkerError, match=why):
        remote()
    assert not output.exists()


def test_rows_in_are_rows_judged_or_rejected(model, table, output, monkeypatch):
    from stance.runs import job

    def forgetful(*works):
        return itertools.islice(workers.compute_here(*works), 1, None)

    monkeypatch.setattr(job, "compute_here", lambda *works: (yield from forgetful(*works)))
    with pytest.raises(WorkerError, match=r"rows were lost \(60 in, 53 judged, 0 rejected\)"):
        predict(model, table, output, size=7)
    assert not output.exists()


@pytest.mark.filterwarnings("ignore")
def test_a_task_that_never_returns_ends_the_run(remote, output, monkeypatch):
    from stance.runs import cluster as layer

    monkeypatch.setattr(workers, "LOOK_EVERY", 0.1)
    monkeypatch.setattr(workers, "LONGEST", 0.5)
    released = threading.Event()
    monkeypatch.setattr(layer, "compute", lambda *_: released.wait(30))
    with pytest.raises(WorkerError, match=r"^records 1 to 7: no answer in 0\.5 seconds; restart"):
        remote()
    released.set()
    assert not output.exists()


class UncopiedError(Exception):
    """An exception that cannot be pickled."""

    def __init__(self, one, two):
        super().__init__(one)
        self.lock = two


@pytest.mark.filterwarnings("ignore")
def test_an_error_that_cannot_be_pickled_ends_the_run(remote, output, monkeypatch):
    from stance.runs import cluster as layer

    def failing(*_):
        raise UncopiedError("what happened", threading.Lock())

    monkeypatch.setattr(layer, "compute", failing)
    with pytest.raises(RuntimeError, match=r"^UncopiedError: what happened"):
        remote()
    assert not output.exists()


@pytest.mark.filterwarnings("ignore")
def test_a_silent_server_is_given_up(model, table, output, monkeypatch):
    layer = pytest.importorskip("stance.runs.cluster")
    pytest.importorskip("distributed")
    assert layer._SILENCE == 10
    monkeypatch.setattr(layer, "_SILENCE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:  # which accepts and says nothing
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        started = time.monotonic()
        with pytest.raises(WorkerError, match=r"no Dask scheduler answers; check the address$"):
            predict(model, table, output, cluster=address)
    assert time.monotonic() - started < 5


@pytest.mark.filterwarnings("ignore")
def test_a_server_that_is_silent_behind_tls_is_given_up(
    model, table, output, monkeypatch, tmp_path
):
    layer = pytest.importorskip("stance.runs.cluster")
    dask = pytest.importorskip("dask")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=x"
    if not shutil.which("openssl"):
        pytest.skip("needs openssl")
    line = [*make.split(), "-keyout", key, "-out", certificate]
    subprocess.run(line, check=True, capture_output=True)
    monkeypatch.setattr(layer, "_SILENCE", 0.5)
    own = {"ca-file": certificate, "client": {"cert": certificate, "key": key}}
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        dask.config.set({"distributed.comm.tls": own}),
    ):
        address = f"tls://127.0.0.1:{server.getsockname()[1]}"
        started = time.monotonic()
        with pytest.raises(WorkerError, match=r"no Dask scheduler answers; check the address$"):
            predict(model, table, output, cluster=address)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("address", "warned"),
    [
        ("tcp://127.0.0.1:8786", False),
        ("tcp://127.9.9.9:8786", False),
        ("tcp://[::1]:8786", False),
        ("tcp://localhost:8786", False),
        ("tls://10.0.0.7:8786", False),
        ("tcp://10.0.0.7:8786", True),
        ("tcp://[fe80::1]:8786", True),
        ("ws://cluster.example:8786", True),
    ],
)
def test_a_cluster_beyond_this_computer_without_tls_is_warned_about(address, warned):
    layer = pytest.importorskip("stance.runs.cluster")
    found = layer.exposure(address)
    assert (found is not None) == warned
    assert not warned or found.startswith(f"{address}: texts and model travel unencrypted")


@pytest.mark.filterwarnings("ignore")
def test_tls_without_certificates_says_so(model, table, output):
    pytest.importorskip("distributed")
    with pytest.raises(
        UsageError, match=r"^tls://127\.0\.0\.1:1: needs certificates; name them as"
    ):
        predict(model, table, output, cluster="tls://127.0.0.1:1")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("stance", "^the cluster has stance {}, not 9.9 as here; install the same version there$"),
        (
            "nonesuch",
            "^tcp://.*: nonesuch is not installed on the cluster; install the same version",
        ),
    ],
)
def test_a_cluster_unlike_this_computer_is_told_in_one_line(
    output, remote, monkeypatch, name, told
):
    from stance.runs import cluster as layer

    real = layer.versions()
    monkeypatch.setattr(layer, "versions", lambda: real | {name: "9.9"})
    with pytest.raises(WorkerError, match=told.format(re.escape(real["stance"]))):
        remote()
    assert beside(output) == []


def test_a_worker_that_joins_late_compares_versions_too():
    layer = pytest.importorskip("stance.runs.cluster")
    expected = layer.versions() | {"numpy": "9.9"}
    found = layer._work(b"", "hash", expected, None, None)
    assert isinstance(found, WorkerError)
    assert re.fullmatch(r"the cluster has numpy [0-9.]+, not 9\.9 as here; .*", str(found))


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_without_workers_ends_a_run(remote, cluster, monkeypatch):
    from stance.runs import cluster as layer

    monkeypatch.setattr(layer, "_PATIENCE", 1)
    monkeypatch.setattr(layer, "_COUNT_EVERY", 0.2)
    monkeypatch.setattr(workers, "LOOK_EVERY", 0.2)

    def progress(*_):
        cluster.scale(0)

    told = "lost all its workers; start some; [0-9]+ finished parts? kept: run again with --resume"
    with pytest.raises(WorkerError, match=told):
        remote(progress=progress, size=1)
    cluster.scale(1)
    assert remote(resume=True).tally.rows == 60


def test_a_cluster_that_does_not_tell_its_workers_may_tell_them_later(remote, monkeypatch):
    monkeypatch.setattr("distributed.Client.nthreads", _no_connection)
    assert remote().tally.rows == 60


def test_a_cluster_that_is_lost_before_the_first_part_is_told_in_one_line(remote, monkeypatch):
    monkeypatch.setattr("distributed.Client.run", _no_connection)
    with pytest.raises(WorkerError, match=r"the scheduler or a worker was lost; start it again$"):
        remote()


def _no_connection(*_args, **_more):
    raise OSError("the connection was closed")


# --- What a stopped run leaves ----------------------------------------------------------------


def test_an_interrupted_run_goes_on(model, table, output, tmp_path, computed):
    whole = tmp_path / "whole.csv"
    predict(model, table, whole)
    computed.clear()
    error = stopped(model, table, output, after=4)
    assert error.__notes__ == ["4 finished parts kept: run again with --resume to go on"]
    assert not output.exists()
    assert computed == [1, 2, 3, 4]
    done = predict(model, table, output, resume=True)  # of the earlier part size
    assert computed == list(range(1, 10))
    assert output.read_bytes() == whole.read_bytes()
    assert done.tally.rows == 60
    assert beside(output) == []


@pytest.mark.parametrize("size", ['"abc"', "-5", "0", "true", "1e30", "1" + "0" * 30, "[]"])
def test_a_damaged_plan_is_not_gone_on_with(model, table, output, size):
    stopped(model, table, output, after=3)
    plan = folder_of(output) / "plan.json"
    found = json.loads(plan.read_text())
    text = plan.read_text()
    plan.write_text(text.replace(f'"{SIZE}": {found[SIZE]}', f'"{SIZE}": {size}'))
    assert plan.read_text() != text
    with pytest.raises(OutputError, match=r"cannot resume, since .* has changed"):
        predict(model, table, output, resume=True)
    assert not output.exists()


@pytest.mark.parametrize("text", [b"", b"abc", b"-5", b"null", b"{", b"\xff\xfe", b"[" * 100_000])
def test_parts_of_a_damaged_plan_are_kept_until_force(model, table, output, text):
    stopped(model, table, output, after=3)
    (folder_of(output) / "plan.json").write_bytes(text)
    with pytest.raises(OutputError, match=r"cannot resume, since its plan\.json is damaged; start"):
        predict(model, table, output, resume=True)
    assert len(list(folder_of(output).glob("*.rows"))) == 3
    predict(model, table, output, force=True)
    assert output.exists()
    assert not folder_of(output).exists()


def test_parts_are_private_and_their_names_say_nothing(model, table, output):
    stopped(model, table, output, after=3)
    folder = folder_of(output)
    assert folder.stat().st_mode & 0o777 == 0o700
    names = sorted(path.name for path in folder.iterdir())
    assert all(re.fullmatch(r"[0-9a-f]{16}-0000000\d\.rows", name) for name in names[:3])
    assert names[3:] == ["lock", "plan.json"]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_a_run_of_one_part_needs_no_folder(model, table, output):
    names = []
    predict(model, table, output, progress=lambda *_: names.extend(beside(output)))
    assert not any("stance-run" in name for name in names)


def test_resume_without_an_earlier_run_begins(model, table, output):
    done = predict(model, table, output, resume=True, size=7)
    assert done.tally.rows == 60


def test_what_is_left_is_told(model, table, output):
    stopped(model, table, output, after=3)
    with pytest.raises(OutputError, match="--resume goes on with them, --force starts anew"):
        predict(model, table, output, size=7)
    assert folder_of(output).exists()
    predict(model, table, output, force=True, size=7)
    assert beside(output) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"wide": True}, r"--wide has changed \(was off, is on\)"),
        ({"prefix": "p_"}, r"--prefix has changed \(was , is p_\)"),
        ({"rejects": Path("bad.csv")}, "--rejects has changed"),
    ],
)
def test_resume_refuses_another_option(model, table, output, tmp_path, monkeypatch, changes, told):
    monkeypatch.chdir(tmp_path)
    stopped(model, table, output, after=3)
    with pytest.raises(OutputError, match=f"cannot resume, since {told}"):
        predict(model, table, output, resume=True, **changes)
    assert predict(model, table, output, resume=True).tally.rows == 60


def test_resume_refuses_another_input_or_model(model, table, output):
    stopped(model, table, output, after=3)
    data = table.read_bytes()
    table.write_bytes(data.replace(b"NATO", b"Iran", 1))
    with pytest.raises(OutputError, match="cannot resume, since the input has changed"):
        predict(model, table, output, resume=True)
    table.write_bytes(data)
    head = dataclasses.replace(model.stance, temperature=model.stance.temperature + 0.1)
    with pytest.raises(OutputError, match="cannot resume, since the model has changed"):
        predict(dataclasses.replace(model, stance=head), table, output, resume=True)
    assert predict(model, table, output, resume=True).tally.rows == 60


@pytest.mark.parametrize(
    ("name", "renamed", "refused"),
    [
        ("speech.txt", "talk.txt", True),  # it stands in the column "document"
        ("mine.csv", "mine.tsv", True),
        ("mine.csv", "yours.csv", False),
    ],
)
def test_resume_refuses_a_name_that_the_output_depends_on(
    model, table, output, tmp_path, name, renamed, refused
):
    text = "\n\n".join(f"On day {n} Poland praised NATO for its help." for n in range(20))
    (tmp_path / "speech.txt").write_text(text)
    stopped(model, tmp_path / name, output, after=2)
    source = (tmp_path / name).rename(tmp_path / renamed)
    if refused:
        with pytest.raises(OutputError, match="cannot resume, since the name of the input has"):
            predict(model, source, output, resume=True)
    else:
        assert predict(model, source, output, resume=True).tally.rows == 60


def test_resume_refuses_other_kinds_of_alias(model, table, output):
    limited = dataclasses.replace(model, book=model.book.limited(["name", "demonym"]))
    stopped(limited, table, output, after=3)
    with pytest.raises(OutputError, match="cannot resume, since the model has changed"):
        predict(model, table, output, resume=True)
    assert predict(limited, table, output, resume=True).tally.rows == 60


def test_resume_refuses_another_column_of_dates(model, rows, output, tmp_path):
    dated = write(tmp_path / "dated.csv", rows, header=("date", "day", "text"))
    stopped(model, dated, output, after=3)
    with pytest.raises(OutputError, match=r"--date-column has changed \(was not given, is day\)"):
        predict(model, dated, output, resume=True, date_column="day")


@pytest.mark.parametrize("jobs", [1, 2])
def test_counts_of_aliases_depend_on_neither_jobs_nor_parts_nor_stops(model, table, output, jobs):
    whole = predict(model, table, output).tally.aliases
    assert {kind for _, kind in whole} > {"name", "demonym", "capital"}
    assert predict(model, table, output, force=True, size=7, jobs=jobs).tally.aliases == whole
    output.unlink()
    stopped(model, table, output, after=3, jobs=jobs)
    assert predict(model, table, output, resume=True, jobs=jobs).tally.aliases == whole


def test_resume_needs_files(model, table):
    with pytest.raises(UsageError, match="is a stream"):
        predict(model, table, None, resume=True)


def test_a_damaged_part_is_computed_again(model, table, output, computed):
    stopped(model, table, output, after=4)
    second, third = sorted(folder_of(output).glob("*.rows"))[1:3]
    second.write_bytes(second.read_bytes()[:-9])
    third.write_bytes(b"")
    computed.clear()
    predict(model, table, output, resume=True)
    assert computed == [2, 3, 5, 6, 7, 8, 9]


def test_no_part_waits_until_it_has_reached_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: pytest.fail("waits for the disk"))
    store = Store(tmp_path, "key", tmp_path / "out.csv")
    part = Part(1, 1, 0, Tally(rows=1), Lines(b"a,b\n"))
    store.write(part)
    assert store.read(1) == part


def test_parts_of_another_run_are_never_taken(model, table, output, computed):
    stopped(model, table, output, after=3)
    folder = folder_of(output)
    for path in folder.glob("*.rows"):
        path.rename(folder / f"{'0' * 16}{path.name[16:]}")
    computed.clear()
    predict(model, table, output, resume=True)
    assert computed == list(range(1, 10))


def test_unusable_input_leaves_nothing(model, table, output):
    table.write_text(table.read_text() + "too,few\n")
    with pytest.raises(DataError, match=r"mine\.csv"):
        predict(model, table, output, size=7)
    assert beside(output) == []


def test_killed_between_the_name_and_the_clearing(model, table, output, tmp_path, monkeypatch):
    rejects = tmp_path / "bad.csv"
    monkeypatch.setattr(Run, "__exit__", lambda run, *_: run._unlock())
    predict(model, table, output, rejects=rejects, size=7)
    monkeypatch.undo()
    before = output.read_bytes()
    assert folder_of(output).exists()
    predict(model, table, output, rejects=rejects, resume=True, size=7)
    assert output.read_bytes() == before
    assert beside(output) == []


@pytest.mark.parametrize("gone", ["*.rows", "*[!k]"])
def test_killed_in_the_midst_of_clearing(model, table, output, monkeypatch, gone):
    monkeypatch.setattr(Run, "__exit__", lambda run, *_: run._unlock())
    predict(model, table, output, size=7)
    monkeypatch.undo()
    before = output.read_bytes()
    for path in folder_of(output).glob(gone):
        if path.name != "ending":
            path.unlink()
    predict(model, table, output, resume=True, size=7)
    assert output.read_bytes() == before
    assert beside(output) == []


def test_a_complete_run_is_cleared_away(model, table, output, monkeypatch):
    monkeypatch.setattr(Run, "__exit__", lambda run, *_: run._unlock())
    predict(model, table, output, size=7)
    monkeypatch.undo()
    with pytest.raises(OutputError, match="exists already; use --force"):
        predict(model, table, output, size=7)
    assert beside(output) == []


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
    assert output.read_text() == "mine"
    stopped(model, table, output, after=3, force=True)
    assert output.read_text() == "mine"
    with pytest.raises(OutputError, match="exists already; use --force"):
        predict(model, table, output, resume=True)
    predict(model, table, output, resume=True, force=True)
    assert output.read_text() != "mine"


def test_the_output_is_never_the_input(model, table, output):
    with pytest.raises(OutputError, match="is the input"):
        predict(model, table, table, force=True, size=7)


def test_a_foreign_thing_in_the_way_is_not_touched(model, table, output):
    folder_of(output).symlink_to(table.parent)
    with pytest.raises(OutputError, match="is in the way"):
        predict(model, table, output, size=7)
    assert table.exists()


def test_a_long_name_gets_a_folder_too(model, table, output):
    long = output.with_name("x" * 240 + ".csv")
    stopped(model, table, long, after=3)
    predict(model, table, long, resume=True)
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
def test_a_worker_that_dies_costs_one_more_try(model, table, output, tmp_path):
    whole = tmp_path / "whole.csv"
    predict(model, table, whole)
    killed = []

    def progress(tally: Tally, *_):
        if tally.rows in (7, 28):
            killed.append(sorted(children())[0])
            os.kill(killed[-1], signal.SIGKILL)

    predict(model, table, output, jobs=2, progress=progress, size=7)
    assert len(killed) == 2
    assert output.read_bytes() == whole.read_bytes()
    assert not children()
    assert beside(output) == []


def test_a_task_that_cannot_be_sent_is_computed_again(model, table, output, tmp_path, monkeypatch):
    class FailsOnce:
        def __init__(self, pipe):
            self.pipe = pipe

        def __getattr__(self, name):
            return getattr(self.pipe, name)

        def write(self, data):
            if not failed:
                failed.append(len(data))
                raise OSError("no room in the pipe")
            return self.pipe.write(data)

    whole, failed, widened = tmp_path / "whole.csv", [], workers._widened
    predict(model, table, whole)
    monkeypatch.setattr(workers, "_widened", lambda pipe: FailsOnce(widened(pipe)))
    predict(model, table, output, jobs=2, size=7)
    assert failed
    assert output.read_bytes() == whole.read_bytes()


@LINUX
def test_a_worker_that_dies_again_ends_the_run(model, table, output, monkeypatch):
    with monkeypatch.context() as patch:
        start = subprocess.Popen
        patch.setattr(
            subprocess,
            "Popen",
            lambda command, **options: start([*command[:-1], ALWAYS_DIES], **options),
        )
        with pytest.raises(WorkerError, match="records 1 to 7: the worker died 2 times") as caught:
            predict(model, table, output, jobs=2, size=7)
    assert "kept: run again with --resume" in str(caught.value)
    assert caught.value.exit_status == 1
    assert isinstance(caught.value, StanceError)
    assert not children()
    assert predict(model, table, output, resume=True).tally.rows == 60


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
    data = b"".join(map(pickle.dumps, (b"model", None, task)))
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
def test_workers_end_with_an_interrupted_run(model, table, output):
    stopped(model, table, output, after=2, jobs=2)
    assert not children()


@LINUX
def test_workers_start_ahead_of_large_tables_alone(table, monkeypatch):
    crew = workers.LocalCrew(1)
    for paths in ([table, None], [table.parent], [table / "gone"], [Path("\0")]):
        with crew.ahead_of(paths):
            assert not children()
    monkeypatch.setattr(workers, "LARGE", table.stat().st_size)
    with crew.ahead_of([table]):
        assert len(children()) == 1
    assert not children()


def test_a_table_of_one_part_starts_no_worker(model, table, output, monkeypatch):
    monkeypatch.setattr(workers, "_Lane", lambda: pytest.fail("a worker starts"))
    assert predict(model, table, output, jobs=2, size=60).tally.rows == 60


@LINUX
def test_a_crew_serves_one_table_after_another(model, table, output, tmp_path):
    crew, whole = workers.LocalCrew(1), tmp_path / "whole.csv"
    predict(model, table, whole)
    for _ in range(2):
        predict(model, table, output, crew=crew, size=7, force=True)
        assert output.read_bytes() == whole.read_bytes()
        assert not children()


def test_local_runs_load_no_more_than_they_need(model_path, table, output):
    code = (
        "import sys; from pathlib import Path; from stance import runs, storage\n"
        "model = storage.load_model(Path(sys.argv[1]))\n"
        "table, output = runs.Input((Path(sys.argv[2]),)), runs.Output(Path(sys.argv[3]))\n"
        "runs.predict_table(model, table, output, jobs=2, size=7)\n"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    command = [sys.executable, "-c", code, model_path, table, output]
    loaded = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert not {"dask", "distributed", "joblib", "sklearn", "pandas"} & set(loaded)


def test_cut_tells_what_ended_the_table_last():
    def records():
        yield Records.of(Record(n, n, ("x",)) for n in range(1, 6))
        raise DataError("torn")

    *found, last = cut(records(), 2)
    assert [len(part.records) for part in found] == [2, 2, 1]
    assert isinstance(last, DataError)


def test_long_records_come_in_small_parts(monkeypatch):
    monkeypatch.setattr(parts, "CHARACTERS", 10)
    rows = [Record(n, n, ("x" * length,)) for n, length in enumerate([3, 3, 3, 40, 1, 10], 1)]
    blocks = (Records.of([row]) for row in rows)
    lengths = [[len(r.cells[0]) for r in part.records] for part in cut(blocks, 5)]
    assert lengths == [[3, 3, 3, 40], [1, 10]]
