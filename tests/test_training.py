"""Each program of training/ runs to its end on small inputs, but for those that train encoders."""

import subprocess
import sys

import pytest
from command import ROOT, STARTER, read_rows, write_rows

pytestmark = pytest.mark.endurance

RUNS = {  # a command line, and what it prints last
    "vectors.py NEWS -o v.npz --near 5 --topic 5 --train NEWS --model m": "learning sentiment",
    "leave_out.py NEWS --recipe RECIPE --only two --together --save m.stance": "| two | ",
    "recipes.py blocks NEWS --recipe RECIPE --seeds 20": "all but class",
    "recipes.py topics NEWS --seeds 20": "  fixed-topics ",
    "frames.py NEWS --by genre": "| news.csv: ",
    "frames.py PLAIN --holders": "other: ",
    "pages.py": "outlet: right on ",
    "pages.py --saved": "headlines kept: ",
    "simulate.py shares --draws 1": "| 100, Pareto | ",
    "simulate.py scores --draws 1": "| long | 40 | ",
    "simulate.py audit --draws 1": "| 10 | 100 | ",
    "simulate.py abstain NEWS --draws 1": "| news | 40 | ",
    "benchmark.py speed --rows 50 --repeats 1": "scikit-learn ",
    "benchmark.py memory --rows 50": "       50 rows  report ",
    "benchmark.py train NEWS --rows 400": "      400 rows ",
    "endurance.py --rows 5000 --kills 1 --workers 0 --signals 1 --disks 0 --refusals 0 --cluster 0":
        "kill -9 of a cluster's worker: 0 times",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a corpus of two collections, drawn at random."""
    folder = tmp_path_factory.mktemp("training")
    rows = read_rows(STARTER / "starter_train.csv")[:400]
    news = [
        {**row, "drawn": "random", "source": ("one", "two")[sum(row["document"].encode()) % 2]}
        for row in rows
    ]
    write_rows(folder / "news.csv", news)
    return folder


@pytest.mark.parametrize("line", RUNS, ids=lambda line: " ".join(line.split()[:2]))
def test_a_program_runs_to_its_end(line, folder):
    plain = ROOT / "datasets" / "short" / "plain_test.csv"
    places = {"NEWS": "news.csv", "PLAIN": plain, "RECIPE": ROOT / "training" / "fast.toml"}
    name, *words = (str(places.get(word, word)) for word in line.split())
    command = [sys.executable, ROOT / "training" / name, *words]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    assert RUNS[line] in run.stdout.splitlines()[-1]
