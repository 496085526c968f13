"""Every call in turn fails: a run ends in one line and leaves no half output, and resumes alike."""

import signal

import faults
import pytest
from command import write
from small_model import TEXTS, small_model

from stance.labelling import Label, Store, read_task
from stance.runs import Input, Options, Output, predict_table
from stance.storage import load_model, save_model
from stance.tables import write_table

DISK = faults.READING | faults.WRITING
endurance = pytest.mark.endurance


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    found = faults.build(tmp_path_factory.mktemp("library"))
    if found is None:
        pytest.skip("needs Linux and a C compiler")
    return found


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A folder with inputs of each command."""
    folder = tmp_path_factory.mktemp("faults")
    save_model(small_model(), folder / "m.stance")
    sides = ("favor", "neutral", "against")
    texts = list(enumerate(TEXTS * 3))
    with write_table(folder / "in.csv", ("id", "text")) as table:
        for number, text in texts:
            table.write((str(number), text))
    write(folder / "dirty.csv", (folder / "in.csv").read_text() + "1,2,3\n")
    with write_table(folder / "corpus.csv", ("text", "actor", "stance", "document")) as table:
        for number, text in texts:
            table.write((f"{text} {number}.", "NATO", sides[number % 3], str(number)))
    model = load_model(folder / "m.stance")
    for name in ("answers.csv", "in.parquet"):
        predict_table(model, Input((folder / "in.csv",)), Output(folder / name), Options())
    write(folder / "quick.toml", QUICK)
    with write_table(folder / "to_label.csv", ("text", "actor")) as table:
        table.write((TEXTS[0], "NATO"))
    with Store(folder / "to_label.sqlite") as store:
        store.save("anna", read_task(folder / "to_label.csv").pairs[0], Label("favor"), 1.0)
    return folder


PREDICT = "predict in.csv -o out/a.csv --model m.stance"
JOBS = f"{PREDICT} --jobs 2"
RUNS = {
    "predict": PREDICT,
    "predict to stdout": "predict in.csv --model m.stance",
    "predict with rejects": "predict dirty.csv -o out/a.csv.gz --rejects out/b.csv -m m.stance",
    "predict over an older file": "predict in.csv -o out/answers.csv --force --model m.stance",
    "predict from Parquet to Excel": "predict in.parquet --prefix x_ -o out/a.xlsx -m m.stance",
    "explain": "explain NATO --model m.stance",
    "inspect": "inspect m.stance",
    "actors": "actors in.csv",
    "import": "import table corpus.csv -o out/c.csv",
    "sample": "sample answers.csv -n 10 -o out/s.csv",
    "shares": "shares answers.csv -o out/s.csv --differences out/d.csv",
    "report": "report answers.csv -o out/r.html -m m.stance --checklist out/c.md",
    "report with figures": "report answers.csv -o out/r.html -m m.stance --figures out/f.d",
    "export of labels": "label to_label.csv --export out/l.csv --store out/to_label.sqlite",
    "evaluate": "evaluate corpus.csv -m m.stance --report out/r.html --errors out/e.csv",
    "train": "train corpus.csv -o out/m.stance --recipe quick.toml",
}
QUICK = "[validation]\nfolds = 2\ndraws = 100\nrepeats = 1\nlearning_curve = false\n"
TOGETHER = {"shares", "evaluate"}  # these files may be whole when the summary fails
SHORT, OLDER = {"predict", "import"}, {"predict over an older file"}
STEPS = {"evaluate": 3, "train": 4}  # calls from one that fails to the next
BEFORE = {"predict over an older file": ["answers.csv"], "export of labels": ["to_label.sqlite"]}


def case(root, name, kinds=DISK, command="", **more):
    """Return a case for `faults.sweep`, its files in the folder."""
    words = (command or RUNS[name]).split()
    known = [word for word in words if "." in word]
    args = [str(root / word) if word in known else word for word in words]
    return {"name": name, "args": args, "kinds": kinds, "before": BEFORE.get(name, [])} | more


def check(runs):
    """Check that each run did all its work, or none and said so; return the calls that failed."""
    whole, *others = runs
    assert (whole["status"], whole["failed"]) == (0, ""), whole["stderr"]
    for run in others:
        told = f"{run['case']}, {run['number']}: {run['failed']}\n{run['stderr']}"
        errors = [line for line in run["stderr"].splitlines() if line.startswith("stance: ")]
        outputs = own(run["files"])
        assert "Traceback" not in run["stderr"], told
        if run["status"] == -signal.SIGSEGV and not run["failed"]:  # in numpy, without memory
            assert not outputs, told
            continue
        if run["status"] == 0:
            assert (outputs, run["stdout"], errors) == (own(whole["files"]), whole["stdout"], []), (
                told
            )
            # A failing call may keep the run's folder from being removed; the next run does it.
            assert run["failed"] or not any(".stance-run/" in name for name in run["files"]), told
            continue
        assert run["stderr"].splitlines()[-1:] == errors, told
        assert all(whole["files"].get(name) == found for name, found in outputs.items()), told
        assert not (outputs and run["case"].startswith("report")), told
        if run["case"] in TOGETHER:
            assert outputs.keys() in (set(), own(whole["files"]).keys()), told
        assert run["status"] in expected(run["failed"]), told
        if again := run.get("resumed"):
            assert (again["status"], again["files"]) == (0, whole["files"]), told + again["stderr"]
    return [run["failed"] for run in others if run["failed"]]


def own(files):
    """Leave out what a resumable run keeps, and a store of labels that SQLite guards."""
    return {
        name: found
        for name, found in files.items()
        if ".stance-run/" not in name and ".sqlite" not in name
    }


def expected(failed):
    """Return which exit status may tell of a call that failed."""
    call, _, path = failed.partition(" ")
    if call in ("fork", "pipe", "thread", "memory") or "sqlite" in path or "pipe:" in path:
        return {1, 3, 4}
    if "m.stance" in path:
        return {3}
    return {4} if "/out" in path or "output" in path else {1}


@pytest.mark.parametrize("name", sorted(SHORT))
def test_a_call_that_fails_ends_the_run_in_one_line(library, root, name):
    calls = check(faults.sweep(library, root, [case(root, name)]))
    seen = {call.split()[0] for call in calls}
    assert {"open", "read", "write", "fsync", "rename"} <= seen


@endurance
@pytest.mark.parametrize("name", sorted({*RUNS} - SHORT - OLDER))
def test_every_call_of_every_command_fails(library, root, name):
    cases = [case(root, name, step=STEPS.get(name, 1))]
    assert check(faults.sweep(library, root, cases))


@endurance
@pytest.mark.parametrize("name", OLDER)
def test_every_call_fails_and_all_those_after_it(library, root, name):
    assert check(faults.sweep(library, root, [case(root, name, lasting=1)]))


@endurance
@pytest.mark.parametrize(
    ("name", "least", "step"),
    [("predict", 16384, 1), ("predict", 1, 193), ("evaluate", 16384, 23), ("train", 16384, 211)],
)
def test_memory_that_is_refused_ends_a_run_in_one_line(library, root, name, least, step):
    cases = [case(root, name, faults.MEMORY, least=least, step=step)]
    assert check(faults.sweep(library, root, cases))


def test_transfers_cut_short_change_no_byte(library, root):
    whole, cut = faults.sweep(library, root, [case(root, "predict", faults.SHORT)])
    assert whole["files"] == cut["files"]


@endurance
@pytest.mark.parametrize(("kinds", "first"), [(faults.STARTING, 1), (DISK, 22)])
def test_workers_that_cannot_start_or_be_reached_end_a_run(library, root, kinds, first):
    """The first calls read the model and the table, as without workers."""
    cases = [case(root, "jobs", kinds, JOBS, first=first, last=45)]
    assert check(faults.sweep(library, root, cases))


@endurance
@pytest.mark.parametrize(("kinds", "first", "step"), [(faults.MEMORY, 100, 90)])
def test_calls_that_fail_inside_workers_end_a_run_or_its_worker(library, root, kinds, first, step):
    """Each worker is started with the fault, that which takes its place, too."""
    more = {"workers": 1, "least": 16384, "first": first, "step": step}
    assert check(faults.sweep(library, root, [case(root, "jobs", kinds, JOBS, **more)]))
