"""Speed and memory of a prediction run, measured side by side; quote the ratios of one run.

Usage: python training/benchmark.py [TABLE] [--rows 20000] [--repeats 5] [--long 300000] [--memory]

Reads TABLE, or makes one by recombining paragraphs of the starter corpus, trains on the starter
corpus whatever is compared, runs all in turn on one core, and prints medians: rows per second of
wall time, and microseconds of processor time per row, which other work on the computer disturbs
less. *Warm* is a second run in a process that has loaded its model and, ours, met the words; *cold*
is a program from its start to its end, which loads its model from a file.

  stance         read, judge every actor named, write all columns; one core
  bundled        the same with the model that comes with the package, cold
  csv alone      reading and writing the same table with the csv module
  scikit-learn   TfidfVectorizer (1-2-grams) and LogisticRegression over chunks of pandas
  fastText 50    word bigrams, dim 50, 200,000 buckets: reduced as in its tutorial
  fastText 100   word bigrams, dim 100, 2,000,000 buckets: the library's own sizes
  VW files       Vowpal Wabbit, --oaa 3 --ngram 2, from file to file
  VW calls       the same, by a call of its Python package per row
  oracle         the readable per-paragraph version of the tests, without reading and writing

scikit-learn, fastText and Vowpal Wabbit give one label and its probability per row, and no actor.
Then ours by stage, warm; how long the first answer takes; on a longer table one and two jobs, and
two runs of one job at once, which tells the most that two cores can give; with --memory the peak
memory at 20,000, 200,000 and 1,000,000 rows (some minutes and 4 GB of disk).
"""

import argparse
import csv
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # before numpy is imported: one core for everything

import memory
from competitors import COMPETITORS, ORACLE_ROWS, Run, oracle_run
from stages import stage_times

from stance.corpus import Corpus, bundled_corpus, read_corpus
from stance.fitting import train
from stance.model.judging import StanceModel
from stance.reading.actors import ActorBook
from stance.recipe import read_recipe
from stance.runs import Input, Output, predict_table
from stance.storage import save_model

OURS, BUNDLED, ORACLE = "stance", "bundled", "oracle"
MEMORY_ROWS = (20_000, 200_000, 1_000_000)


def make_table(corpus: Corpus, path: Path, rows: int) -> None:
    """Write a table of paragraphs of about 90 words that name about 2.5 actors.

    Each is a paragraph of the corpus and the beginning of another one that names fewer actors.
    """
    draw = random.Random(20)
    book = ActorBook.default()
    named = {text: len({m.actor for m in book.find(text)}) for text in sorted(set(corpus.texts))}
    main, other = ([t for t, n in named.items() if n in wanted] for wanted in ((1, 2, 3), (0, 1)))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "source", "date", "text"])
        for number in range(rows):
            words = draw.choice(main).split()
            words += draw.choice(other).split()[: max(0, draw.randint(75, 105) - len(words))]
            writer.writerow([f"{number:07d}", "bench", "2026-01-01", " ".join(words)])


@dataclass(slots=True)
class Times:
    """Seconds of several turns of one run.

    Attributes
    ----------
    wall, work : list of float
        Passed, and spent by all threads of this process.
    rows : int
        That a turn reads.
    """

    rows: int
    wall: list[float] = field(default_factory=list)
    work: list[float] = field(default_factory=list)

    def take(self, run: Run) -> None:
        """Run once more."""
        wall, work = time.perf_counter(), _work()
        run()
        self.wall.append(time.perf_counter() - wall)
        self.work.append(_work() - work)

    @property
    def wall_per_row(self) -> float:
        """Median of seconds passed."""
        return statistics.median(self.wall) / self.rows

    @property
    def work_per_row(self) -> float:
        """Median of processor seconds."""
        return statistics.median(self.work) / self.rows


def _work() -> float:
    """Return the processor seconds of this process, and of those it has waited for."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def take_turns(runs: Mapping[str, Run], rows: Mapping[str, int], repeats: int) -> dict[str, Times]:
    """Run each some times, in turn, so that a drift of the computer hits all alike."""
    times = {name: Times(rows[name]) for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            times[name].take(run)
    return times


def warm_runs(model: StanceModel, kept: Mapping[str, Path], source: Path) -> dict[str, Run]:
    """Return runs in this process, with models that are loaded once."""
    target = source.with_name("out.csv")

    def ours() -> None:
        predict_table(model, Input((source,)), Output(target, force=True))

    ours()  # after which the words are known
    others = {name: COMPETITORS[name].load(path, source, target) for name, path in kept.items()}
    return {OURS: ours, **others, ORACLE: oracle_run(model, source)}


def cold_runs(model: Path, kept: Mapping[str, Path], source: Path) -> dict[str, Run]:
    """Return runs of whole programs."""
    target = source.with_name("out.csv")
    program = Path(__file__).with_name("competitors.py")
    runs = {OURS: _predict(source, "--model", model), BUNDLED: _predict(source)}
    runs |= {name: _program(program, name, path, source, target) for name, path in kept.items()}
    for run in runs.values():
        run()  # after which files are in memory, and modules compiled
    return runs


def _predict(source: Path, *options: str | Path) -> Run:
    target = source.with_name("out.csv")
    return _program("-m", "stance", "predict", source, "-o", target, "-q", "--force", *options)


def _program(*arguments: str | Path) -> Run:
    return lambda: subprocess.run([sys.executable, *map(str, arguments)], check=True)


def train_others(corpus: Corpus, folder: Path) -> dict[str, Path]:
    """Train all that can be compared here, into files; say what cannot."""
    kept: dict[str, Path] = {}
    for name, competitor in COMPETITORS.items():
        path = folder / f"{name.replace(' ', '-')}.model"
        try:
            competitor.train(corpus, path)
            kept[name] = path
        except ImportError as error:
            print(f'{name}: skipped, for {error.name} is missing (pip install ".[bench]")')
    return kept


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this process, and threads that it begins, to one core where the system can do that.

    Vowpal Wabbit reads its input in a thread of its own, and ours has its parts synced in one.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def compare(model: StanceModel, kept: Mapping[str, Path], source: Path, repeats: int) -> None:
    """Measure one core against everything else, and print it."""
    file, target = source.with_name("ours.stance"), source.with_name("out.csv")
    save_model(model, file, force=True)
    done = predict_table(model, Input((source,)), Output(target, force=True))
    rows = done.rows_in
    pairs = sum(done.tally.answers.values()) / rows
    print(f"\n{rows:,} rows, {pairs:.2f} actors a row, one core; medians of {repeats}")
    print(f"{'':<22}{'rows/s':>10}{'µs work/row':>14}{'time : ours':>14}{'work : ours':>14}")
    runs = {"warm": warm_runs(model, kept, source), "cold": cold_runs(file, kept, source)}
    for how, own in runs.items():
        with one_core():
            read = dict.fromkeys(own, rows) | {ORACLE: ORACLE_ROWS}
            times = take_turns(own, read, repeats)
        ours = times[OURS]
        for name, taken in times.items():
            print(
                f"{how + '  ' + name:<22}{1 / taken.wall_per_row:>10,.0f}"
                f"{1e6 * taken.work_per_row:>14.1f}"
                f"{taken.wall_per_row / ours.wall_per_row:>14.2f}"
                f"{taken.work_per_row / ours.work_per_row:>14.2f}"
            )
        print(f"{how}  {pairs / ours.wall_per_row:,.0f} (paragraph, actor) pairs/s")
    warm = runs["warm"][OURS]
    print_stages([stage_times(warm) for _ in range(repeats)], rows, pairs)


def first_answer(folder: Path, repeats: int) -> None:
    """Measure how long `stance predict` takes for one paragraph, with the bundled model."""
    source = folder / "one.csv"
    source.write_text("text\nPoland praised NATO and condemned Russia.\n", "utf-8")
    times = take_turns({BUNDLED: _predict(source)}, {BUNDLED: 1}, 2 * repeats + 1)[BUNDLED]
    said = f"{times.wall_per_row:.2f} s, {times.work_per_row:.2f} s of processor time"
    print(f"\nfirst answer: {said}; medians of {2 * repeats + 1}")


def print_stages(turns: list[dict[str, float]], rows: int, pairs: float) -> None:
    """Print what each stage takes of a run."""
    medians = {name: statistics.median(turn[name] for turn in turns) for name in turns[0]}
    whole = sum(medians.values())
    print(f"\n{'stage':<16}{'share':>10}{'rows/s':>14}{'pairs/s':>14}")
    for name, seconds in medians.items():
        speed = rows / seconds
        print(f"{name:<16}{100 * seconds / whole:>8.1f} %{speed:>14,.0f}{speed * pairs:>14,.0f}")


def compare_jobs(corpus: Corpus, folder: Path, rows: int, repeats: int) -> None:
    """Measure one job against two, and against what two cores of this computer can do at best.

    *Path* is the processor time of the first process or of its worker, whichever is longer: what
    the run would take if no process ever waited for a processor.
    """
    source = folder / "long.csv"
    make_table(corpus, source, rows)

    def run(*jobs: int) -> tuple[float, float]:
        start = time.perf_counter()
        runs = [_measured(source, folder / f"out{at}.csv", own) for at, own in enumerate(jobs)]
        paths = [max(map(float, process.communicate()[0].split())) for process in runs]
        return time.perf_counter() - start, max(paths)

    kinds = {"1 job": (1,), "2 jobs": (2,), "2 runs at once": (1, 1)}
    turns = [{name: run(*jobs) for name, jobs in kinds.items()} for _ in range(repeats)]
    print(f"\n{rows:,} rows, whole programs, bundled model; medians of {repeats}")
    print(f"{'':<16}{'rows/s':>10}{'path':>10}{'1 job : wall':>15}{'1 job : path':>15}")
    for name, jobs in kinds.items():
        wall, path = (statistics.median(turn[name][at] for turn in turns) for at in (0, 1))
        faster = [
            statistics.median(len(jobs) * turn["1 job"][at] / turn[name][at] for turn in turns)
            for at in (0, 1)
        ]
        speed = len(jobs) * rows / wall
        print(f"{name:<16}{speed:>10,.0f}{path:>8.2f} s{faster[0]:>15.2f}{faster[1]:>15.2f}")


def _measured(source: Path, target: Path, jobs: int) -> "subprocess.Popen[str]":
    """Start a run that prints the processor time of its first process, and of its workers."""
    options = ["predict", str(source), "-o", str(target), "--quiet", "--force", f"--jobs={jobs}"]
    program = [sys.executable, "-c", _MEASURED, *options]
    return subprocess.Popen(program, stdout=subprocess.PIPE, text=True)


_MEASURED = """
import os
from stance.__main__ import main
try:
    main()
finally:
    used = os.times()
    print(used.user + used.system, used.children_user + used.children_system)
"""


def compare_memory(corpus: Corpus, folder: Path) -> None:
    """Measure runs of growing length with the bundled model, and print their peaks."""
    if not memory.is_possible():
        print("\nmemory: skipped, for this system has no /proc")
        return
    source, target = folder / "grown.csv", folder / "grown-out.csv"
    print(f"\npeak memory{'rows':>17}{'jobs':>6}{'first process':>16}{'all processes':>16}")
    for rows in MEMORY_ROWS:
        make_table(corpus, source, rows)
        for jobs in (1, 2):
            options = ["--jobs", str(jobs), "--quiet", "--force"]
            peak = memory.measure(["predict", str(source), "-o", str(target), *options])
            print(f"{rows:>28,}{jobs:>6}{peak.own:>13.0f} MB{peak.together:>13.0f} MB", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path, nargs="?", help="one with a column 'text'")
    parser.add_argument("--rows", type=int, default=20_000, help="of a table that is made")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--long", type=int, default=300_000, help="rows for one and two jobs")
    parser.add_argument("--memory", action="store_true", help="measure peak memory, too")
    options = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # programs that are installed are compiled
    corpus = read_corpus([bundled_corpus()])
    model = train(read_recipe(), corpus, ActorBook.default()).model
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "in.csv"
        if options.table:
            shutil.copy(options.table, source)
        else:
            make_table(corpus, source, options.rows)
        compare(model, train_others(corpus, folder), source, options.repeats)
        first_answer(folder, options.repeats)
        if options.long:
            compare_jobs(corpus, folder, options.long, options.repeats)
        if options.memory:
            compare_memory(corpus, folder)


if __name__ == "__main__":
    main()
