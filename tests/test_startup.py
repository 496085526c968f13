"""Commands start fast, load only what they need, and never open a connection."""

import subprocess
import sys

import pytest
from command import STARTER, write

try:
    import resource
except ImportError:  # Windows
    resource = None

WATCHED = """
import socket, sys
def refused(*args, **kwargs):
    raise RuntimeError("a socket was opened")
socket.socket.__init__ = refused
socket.create_connection = refused
socket.getaddrinfo = refused
sys.argv = ["stance", *sys.argv[1:]]
from stance.cli import main
try:
    main()
except SystemExit as done:
    status = done.code or 0
print("\\nLOADED", status, *sys.modules)
"""


def watched(*args):
    """Run a command without a network; return its exit status and the modules it loaded."""
    run = subprocess.run(
        [sys.executable, "-c", WATCHED, *map(str, args)], capture_output=True, text=True, timeout=60
    )
    assert "Traceback" not in run.stderr, run.stderr
    status, *modules = run.stdout.rpartition("LOADED")[2].split()
    return int(status), set(modules)


@pytest.fixture
def mine(tmp_path):
    return write(tmp_path / "mine.csv", "text\nPoland praised NATO and condemned Russia.\n")


@pytest.mark.parametrize("args", [["--help"], ["--version"], ["predict", "--help"], ["nonsense"]])
def test_help_loads_nothing_heavy(args):
    _, loaded = watched(*args)
    heavy = {"numpy", "scipy", "sklearn", "joblib", "pandas", "distributed", "stance.model.judging"}
    assert loaded & heavy == set()


def test_predict_never_loads_what_trains(mine, tmp_path):
    status, loaded = watched("predict", mine, "-o", tmp_path / "out.csv")
    assert status == 0
    assert "numpy" in loaded
    assert (
        loaded & {"sklearn", "scipy", "joblib", "pandas", "distributed", "stance.fitting.training"}
        == set()
    )
    assert loaded & {"pydantic", "numpy.ma"} == set()  # each would take as long as the model
    assert not {name for name in loaded if name.split(".")[0] in ("urllib3", "requests", "ssl")}


@pytest.mark.parametrize(
    "args", [["explain", "NATO was praised."], ["actors"], ["inspect"], ["actors", "MINE"]]
)
def test_other_commands_that_read_load_nothing_heavy(args, mine):
    status, loaded = watched(*(mine if arg == "MINE" else arg for arg in args))
    assert status == 0
    assert loaded & {"sklearn", "scipy", "joblib", "pandas"} == set()


def test_a_report_opens_no_connection_and_loads_nothing_that_trains(mine, tmp_path):
    answers = tmp_path / "answers.csv"
    assert watched("predict", mine, "-o", answers)[0] == 0
    status, loaded = watched("report", answers)
    assert status == 0
    assert loaded & {"sklearn", "joblib", "pandas", "stance.fitting.training"} == set()


def test_training_evaluating_and_checking_open_no_connection(tmp_path):
    lines = (STARTER / "starter_train.csv").read_text("utf-8").splitlines(keepends=True)
    corpus = write(tmp_path / "mine.csv", "".join(lines[:151]))
    recipe = write(
        tmp_path / "mine.toml",
        "[validation]\nfolds = 2\ndraws = 100\nrepeats = 1\nlearning_curve = false\n",
    )
    model = tmp_path / "m.stance"
    assert watched("train", corpus, "-o", model, "--recipe", recipe)[0] == 0
    assert watched("evaluate", corpus, "--model", model)[0] == 0
    assert watched("check", corpus)[0] in (0, 1)


def seconds(*args):
    """Return the least processor time of two runs, which hardly depends on what else runs."""
    command = [sys.executable, "-m", "stance", *map(str, args)]
    found = []
    for _ in range(2):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(found)


@pytest.mark.skipif(resource is None, reason="this system does not tell processor time")
@pytest.mark.parametrize(("args", "most"), [(["--help"], 0.6), (["predict", "MINE"], 2.0)])
def test_help_and_one_row_take_little_time(args, most, mine):
    assert seconds(*(mine if arg == "MINE" else arg for arg in args)) <= most
