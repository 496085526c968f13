"""Commands start fast, load only what they need, and never open a connection."""

import subprocess
import sys

import pytest
from command import QUICK, write, write_starter

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
    rows = [f"Zimbabwe praised Yemen and condemned Mali in {year}.\n" for year in range(1980, 2020)]
    return write(tmp_path / "mine.csv", "".join(["text\n", *rows]))


HEAVY = {"scipy", "sklearn", "joblib", "pandas", "distributed", "stance.fitting"}
SLOW = {"pydantic", "numpy.ma", "rich"}  # each would take as long as the model
UNASKED = HEAVY | SLOW | {"numpy"}
LAZY = HEAVY | SLOW | {"urllib3", "requests", "ssl"}


@pytest.mark.parametrize(
    ("line", "status", "absent"),
    [
        *((line, 0, UNASKED) for line in ("--help", "--version", "predict --help")),
        ("nonsense", 2, UNASKED),
        *((line, 0, LAZY) for line in ("predict MINE -o OUT", "explain NATO", "actors", "inspect")),
        ("actors MINE", 0, LAZY - {"numpy.ma"}),
    ],
)
def test_a_command_loads_only_what_it_needs_and_opens_no_connection(
    line, status, absent, mine, tmp_path
):
    places = {"MINE": mine, "OUT": tmp_path / "out.csv"}
    found, loaded = watched(*(places.get(word, word) for word in line.split()))
    assert found == status
    assert loaded & absent == set()


def test_a_process_may_run_several_commands():
    twice = "from stance.cli import main\nfor sys.argv[1:] in (['actors', '-h'], ['doctor', '-h']):"
    twice = f"import sys\n{twice}\n try: main()\n except SystemExit as end: assert not end.code"
    subprocess.run([sys.executable, "-c", twice], check=True, stdout=subprocess.DEVNULL, timeout=60)


def test_studies_open_no_connection_and_reports_load_nothing_that_trains(mine, tmp_path):
    answers, model = tmp_path / "answers.csv", tmp_path / "m.stance"
    assert watched("predict", mine, "-o", answers)[0] == 0
    status, loaded = watched("report", answers)
    assert (status, loaded & (HEAVY - {"scipy"})) == (0, set())
    corpus = write_starter(tmp_path / "mine.csv", 150)
    recipe = write(tmp_path / "mine.toml", QUICK)
    assert watched("train", corpus, "-o", model, "--recipe", recipe)[0] == 0
    assert watched("evaluate", corpus, "--model", model)[0] == 0
    assert watched("check", corpus)[0] in (0, 1)
