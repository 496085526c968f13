"""Processor seconds that an evaluation of some thousand pairs takes on one core, by part.

Usage: python training/evaluation.py [--pairs 5000] [--compare MODEL]

Makes a labelled table by recombining paragraphs of the starter corpus (about 90 words each), then
evaluates the bundled model on it with everything that `stance evaluate` can be asked for: scores,
intervals, baselines, curves, breakdowns, the table of wrong answers with the words behind them, the
HTML report, the comparison with a second model, the stress tests.
"""

import argparse
import csv
import os
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # before numpy is imported: one core for everything

from stance.corpus import bundled_corpus, read_corpus
from stance.evaluation.assessment import compare_models, evaluate
from stance.evaluation.mistakes import write_mistakes
from stance.files import AtomicGroup
from stance.reports import worst_mistakes, write_evaluation
from stance.storage import bundled_model, load_model
from stance.stress import run_suite

WORDS = (75, 105)
"""Fewest and most words that a paragraph is filled up to."""


def alone(write: Callable[..., object], *args: object) -> None:
    """Write a file that belongs to no others, over an older one."""
    with AtomicGroup() as together:
        write(*args, together, force=True)


def make_corpus(path: Path, pairs: int) -> None:
    """Write labelled pairs: rows of the starter corpus, each paragraph with part of another one."""
    draw = random.Random(20)
    with bundled_corpus().open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    documents: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        documents.setdefault(row["document"], []).append(row)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        written = 0
        while written < pairs:
            name = draw.choice(list(documents))
            filling = draw.choice(rows)["text"].split()
            room = max(5, draw.randint(*WORDS) - len(documents[name][0]["text"].split()))
            start = draw.randrange(max(1, len(filling) - room))
            more = " ".join(filling[start : start + room])
            new = {"document": f"{name}-{written}"}
            for row in documents[name][: pairs - written]:
                writer.writerow(row | new | {"text": f"{row['text']} {more}"})
                written += 1


def clock(run: Callable[[], object]) -> float:
    """Return the processor seconds of a call, which other work on the computer disturbs little."""
    start = time.process_time()
    run()
    return time.process_time() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=5_000)
    parser.add_argument("--compare", type=Path, help="second model; the bundled one without it")
    options = parser.parse_args()
    bundled = bundled_model()
    with tempfile.TemporaryDirectory() as folder:
        table, wrong, page = (Path(folder) / name for name in ("pairs.csv", "wrong.csv", "r.html"))
        make_corpus(table, options.pairs)
        corpus, model = read_corpus([table]), load_model(bundled)
        other = load_model(options.compare or bundled)
        figures = evaluate(model, corpus).to_json()  # and the caches are warm
        runs: dict[str, Callable[[], object]] = {
            "read the corpus": lambda: read_corpus([table]),
            "load the model": lambda: load_model(bundled),
            "judge, score, intervals, curves": lambda: evaluate(model, corpus),
            "table of wrong answers": lambda: alone(write_mistakes, model, corpus, wrong),
            "HTML report": lambda: alone(
                write_evaluation,
                page,
                figures,
                model.card,
                corpus.sources,
                worst_mistakes(model, corpus),
            ),
            "comparison with a second model": lambda: compare_models(model, other, corpus),
            "stress tests": lambda: run_suite(model),
        }
        times = {name: clock(run) for name, run in runs.items()}
    whole = sum(times.values())
    print(f"{len(corpus):,} pairs, {figures['documents']:,} documents, one core")
    for name, seconds in times.items():
        print(f"  {name:<34}{seconds:>7.1f} s  {100 * seconds / whole:>5.1f} %")
    print(f"  {'all':<34}{whole:>7.1f} s")


if __name__ == "__main__":
    main()
