"""Processor time and memory of training as corpora grow, and the exponent of their growth.

Usage: python training/growth.py [--rows 1000 10000 100000] [--corpus FILE]... [--against FOLDER]
       [--repeats 1] [--train="--jobs 1"] [--exact]

Makes corpora of any size from labelled ones, by default the starter corpus: it draws documents with
replacement; in each copy, one lower-case word in six is changed for one drawn from all the texts,
and one in a hundred for a word that stands nowhere else. So copies differ, the vocabulary grows as
in real collections, and actors keep their names. Then it trains on each with the defaults and
prints processor seconds and peak memory of the whole process. With --against, another checkout of
this repository trains on the same corpora in turn. With --exact, machines are learned once more
from the last corpus by a search ten times as exact, and the held-out answers and the points of the
learning curve are compared.
"""

import argparse
import csv
import gzip
import math
import os
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from stance.corpus import read_corpus
from stance.fitting import heldout
from stance.fitting import train as fit
from stance.fitting.folds import LARGE
from stance.reading.actors import ActorBook
from stance.recipe import read_recipe

CHANGED, NEW = 1 / 6, 1 / 100
"""Shares of lower-case words that are changed for another one, and for a new one."""

_COLUMNS = ("document", "text", "actor", "stance", "sentiment", "holder")
_SMALL = re.compile(r"\b[a-z]{3,}\b")
_HERE = Path(__file__).parent.parent


def read_rows(paths: Iterable[Path]) -> list[list[dict[str, str]]]:
    """Return the rows of each document of some corpora."""
    documents: dict[tuple[str, str], list[dict[str, str]]] = {}
    for path in paths:
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                key = path.name, row.get("document") or row["text"]
                documents.setdefault(key, []).append(row)
    return list(documents.values())


def make_corpus(documents: Sequence[list[dict[str, str]]], path: Path, rows: int) -> None:
    """Write a corpus of so many rows, made as the head of this file says."""
    draw = random.Random(20)
    every = [w for own in documents for row in own for w in _SMALL.findall(row["text"])]
    letters = "abcdefghijklmnopqrstuvwxyz"

    def change(match: re.Match[str]) -> str:
        luck = draw.random()
        if luck < NEW:
            return "".join(draw.choices(letters, k=draw.randint(5, 10)))
        return draw.choice(every) if luck < NEW + CHANGED else match.group()

    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, _COLUMNS)
        writer.writeheader()
        number, left = 0, rows
        while left:
            own = draw.choice(documents)[:left]
            texts = dict.fromkeys(row["text"] for row in own)  # the rows of a text change alike
            changed = {text: _SMALL.sub(change, text) for text in texts}
            for row in own:
                cells = {name: row.get(name, "") for name in _COLUMNS}
                writer.writerow(cells | {"document": f"d{number}", "text": changed[row["text"]]})
            number, left = number + 1, left - len(own)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run takes."""

    seconds: float  # of processor time, in all its processes
    megabytes: float  # of resident memory at the peak of its largest process


def train(checkout: Path, corpus: Path, model: Path, options: Sequence[str]) -> Cost:
    """Train in a process of its own, with the code of a checkout.

    Raises
    ------
    RuntimeError
        If the run fails.
    """
    command = [sys.executable, "-P", "-m", "stance", "train", str(corpus), "-o", str(model)]
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(
            [*command, "--force", *options], env=environment, stdout=told, stderr=told
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            told.seek(0)
            raise RuntimeError(told.read().decode())
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def compare(corpus: Path) -> None:
    """Print how many held-out answers a search ten times as exact gives alike."""
    found = []
    for finer in (1.0, 0.1):
        for name in ("ENOUGH", "HELD_OUT_ENOUGH", "HELD_OUT_PART"):
            setattr(heldout, name, finer * getattr(heldout, name))
        found.append(fit(read_recipe(None), read_corpus([corpus]), ActorBook.default()))
    print(f"{'head':>10}{'alike, %':>10}{'macro-F1':>10}{'exact':>10}")
    for head in ("stance", "control", "sentiment"):
        one, other = (getattr(each, head).scores.argmax(axis=1) for each in found)
        reports = [each.report for each in found]
        figures = {
            "stance": [report.stance for report in reports],
            "control": [report.baselines["target_blind"] for report in reports],
            "sentiment": [report.sentiment or {} for report in reports],
        }
        scores = [100 * each.get("macro_f1", 0.0) for each in figures[head]]
        print(f"{head:>10}{100 * (one == other).mean():>10.3f}{scores[0]:>10.2f}{scores[1]:>10.2f}")
    curves = [(each.prospects.learning_curve or {})["points"] for each in found]
    for one, other in zip(*curves, strict=True):
        scores = [100 * point["macro_f1"] for point in (one, other)]
        print(f"{one['share']:>10.0%}{'':>10}{scores[0]:>10.2f}{scores[1]:>10.2f}")


def exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """Return the slope of the last two points on logarithmic scales."""
    return math.log(seconds[-1] / seconds[-2]) / math.log(sizes[-1] / sizes[-2])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    starter = _HERE / "datasets" / "starter" / "starter_train.csv"
    parser.add_argument("--corpus", type=Path, nargs="+", default=[starter])
    parser.add_argument("--against", type=Path, help="another checkout")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--train", default="", help="options of train, in quotes")
    parser.add_argument("--exact", action="store_true", help="compare with an exacter search")
    options = parser.parse_args()
    if options.exact and options.rows[-1] < LARGE:
        parser.error(f"--exact needs {LARGE:,} rows or more, where the search is another")
    checkouts = {"here": _HERE} | ({"other": options.against} if options.against else {})
    documents = read_rows(options.corpus)
    found: dict[str, list[Cost]] = {name: [] for name in checkouts}
    print(f"{'rows':>10}{'':>8}{'seconds':>10}{'MB':>8}{'exponent':>10}")
    with tempfile.TemporaryDirectory() as folder:
        for at, rows in enumerate(options.rows):
            corpus = Path(folder) / "corpus.csv"
            make_corpus(documents, corpus, rows)
            turns: dict[str, list[Cost]] = {name: [] for name in checkouts}
            for _ in range(options.repeats):
                for name, checkout in checkouts.items():
                    model = Path(folder) / f"{name}.stance"
                    turns[name].append(train(checkout, corpus, model, options.train.split()))
            for name, costs in turns.items():
                middle = sorted(costs, key=lambda cost: cost.seconds)[len(costs) // 2]
                found[name].append(middle)
                seconds = [cost.seconds for cost in found[name]]
                growth = f"{exponent(options.rows[: at + 1], seconds):>10.2f}" if at else ""
                print(
                    f"{rows:>10,}{name:>8}{middle.seconds:>10.1f}{middle.megabytes:>8.0f}{growth}",
                    flush=True,
                )
        if options.exact:
            compare(corpus)


if __name__ == "__main__":
    main()
