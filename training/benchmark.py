"""Speed and memory of a prediction run, measured side by side; quote the ratios of one run.

Usage: python training/benchmark.py [--rows 20000] [--repeats 5] [--long 300000] [--memory]

Makes tables by recombining paragraphs of the starter corpus, trains on the same labels whatever is
compared, runs all in turn on one core, and prints medians: rows per second of wall time, and
microseconds of processor time per row, which other work on the computer disturbs less.

  stance         read, judge every actor named, write all columns; one core
  csv alone      reading and writing the same table with the csv module
  scikit-learn   TfidfVectorizer (1-2-grams) and LogisticRegression over chunks of pandas
  fastText 50    word bigrams, dim 50, 200,000 buckets: reduced as in its tutorial
  fastText 100   word bigrams, dim 100, 2,000,000 buckets: the library's own sizes
  VW files       Vowpal Wabbit, --oaa 3 --ngram 2, from file to file
  VW calls       the same, by a call of its Python package per row
  oracle         the readable per-paragraph version of the tests, without reading and writing

scikit-learn, fastText and Vowpal Wabbit give one label and its probability per row, and no actor.
Then ours by stage; on a longer table with one and with two jobs, and two runs of one job at once,
which tells the most that two cores can give; with --memory the peak memory at 20,000, 200,000 and
1,000,000 rows (some minutes and 4 GB of disk).
"""

import argparse
import csv
import os
import pickle
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # before numpy is imported: one core for everything

import memory
from competitors import (
    ORACLE_ROWS,
    Run,
    copy_run,
    fasttext_run,
    oracle_run,
    plain_run,
    vowpal_call_run,
    vowpal_run,
)
from stages import stage_times

from stance.corpus import Corpus, bundled_corpus, read_corpus
from stance.fitting import train
from stance.model.judging import StanceModel
from stance.reading.actors import ActorBook
from stance.recipe import read_recipe
from stance.runs import Input, Output, predict_table

OURS = "stance"
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
        wall, work = time.perf_counter(), time.process_time()
        run()
        self.wall.append(time.perf_counter() - wall)
        self.work.append(time.process_time() - work)

    @property
    def wall_per_row(self) -> float:
        """Median of seconds passed."""
        return statistics.median(self.wall) / self.rows

    @property
    def work_per_row(self) -> float:
        """Median of processor seconds."""
        return statistics.median(self.work) / self.rows


def take_turns(runs: Mapping[str, Run], rows: Mapping[str, int], repeats: int) -> dict[str, Times]:
    """Run each some times, in turn, so that a drift of the computer hits all alike."""
    times = {name: Times(rows[name]) for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            times[name].take(run)
    return times


def make_runs(model: StanceModel, corpus: Corpus, source: Path, target: Path) -> dict[str, Run]:
    """Return all that can be compared here; say what cannot."""
    makers: dict[str, Callable[[], Run]] = {
        OURS: lambda: lambda: predict_table(model, Input((source,)), Output(target, force=True)),
        "csv alone": lambda: copy_run(source, target),
        "scikit-learn": lambda: plain_run(corpus, source, target),
        "fastText 50": lambda: fasttext_run(corpus, source, target, dim=50, bucket=200_000),
        "fastText 100": lambda: fasttext_run(corpus, source, target, dim=100, bucket=2_000_000),
        "VW files": lambda: vowpal_run(corpus, source, target),
        "VW calls": lambda: vowpal_call_run(corpus, source, target),
        "oracle": lambda: oracle_run(model, source),
    }
    runs: dict[str, Run] = {}
    for name, make in makers.items():
        try:
            runs[name] = make()
        except ImportError as error:
            print(f'{name}: skipped, for {error.name} is missing (pip install ".[bench]")')
    return runs


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


def compare(model: StanceModel, corpus: Corpus, folder: Path, rows: int, repeats: int) -> None:
    """Measure one core against everything else, and print it."""
    source, target = folder / "in.csv", folder / "out.csv"
    make_table(corpus, source, rows)
    # After this run the words are known.
    done = predict_table(model, Input((source,)), Output(target, force=True))
    pairs = sum(done.tally.answers.values()) / rows
    runs = make_runs(model, corpus, source, target)
    read = dict.fromkeys(runs, rows) | {"oracle": ORACLE_ROWS}
    with one_core():
        times = take_turns(runs, read, repeats)
    ours = times[OURS]
    print(f"\n{rows:,} rows, {pairs:.2f} actors a row, one core; medians of {repeats}")
    print(f"{'':<16}{'rows/s':>10}{'µs work/row':>14}{'time : ours':>14}{'work : ours':>14}")
    for name, taken in times.items():
        print(
            f"{name:<16}{1 / taken.wall_per_row:>10,.0f}{1e6 * taken.work_per_row:>14.1f}"
            f"{taken.wall_per_row / ours.wall_per_row:>14.2f}"
            f"{taken.work_per_row / ours.work_per_row:>14.2f}"
        )
    print(f"{OURS}: {pairs / ours.wall_per_row:,.0f} (paragraph, actor) pairs/s")
    print_stages([stage_times(runs[OURS]) for _ in range(repeats)], rows, pairs)


def print_stages(turns: list[dict[str, float]], rows: int, pairs: float) -> None:
    """Print what each stage takes of a run."""
    medians = {name: statistics.median(turn[name] for turn in turns) for name in turns[0]}
    whole = sum(medians.values())
    print(f"\n{'stage':<16}{'share':>10}{'rows/s':>14}{'pairs/s':>14}")
    for name, seconds in medians.items():
        speed = rows / seconds
        print(f"{name:<16}{100 * seconds / whole:>8.1f} %{speed:>14,.0f}{speed * pairs:>14,.0f}")


def compare_jobs(model: StanceModel, corpus: Corpus, folder: Path, rows: int, repeats: int) -> None:
    """Measure one job against two, and against what two cores of this computer can do at best."""
    source, fork = folder / "long.csv", get_context("fork")
    make_table(corpus, source, rows)

    def run(jobs: int, name: str = "out.csv") -> None:
        fresh = pickle.loads(pickle.dumps(model))  # which knows no words yet, as no worker does
        predict_table(fresh, Input((source,)), Output(folder / name, force=True), jobs=jobs)

    def run_both() -> None:
        both = [fork.Process(target=run, args=(1, name)) for name in ("out.csv", "other.csv")]
        for process in both:
            process.start()
        for process in both:
            process.join()

    runs = {"1 job": lambda: run(1), "2 jobs": lambda: run(2), "2 runs at once": run_both}
    read = dict.fromkeys(runs, rows) | {"2 runs at once": 2 * rows}
    times = take_turns(runs, read, repeats)
    print(f"\n{rows:,} rows; medians of {repeats}")
    for name, taken in times.items():
        faster = times["1 job"].wall_per_row / taken.wall_per_row
        print(f"{name:<16}{1 / taken.wall_per_row:>10,.0f} rows/s{faster:>10.2f} times 1 job")


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
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--long", type=int, default=300_000, help="rows for one and two jobs")
    parser.add_argument("--memory", action="store_true", help="measure peak memory, too")
    options = parser.parse_args()
    corpus = read_corpus([bundled_corpus()])
    model = train(read_recipe(), corpus, ActorBook.default()).model
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        compare(model, corpus, folder, options.rows, options.repeats)
        if options.long:
            compare_jobs(model, corpus, folder, options.long, options.repeats)
        if options.memory:
            compare_memory(corpus, folder)


if __name__ == "__main__":
    main()
