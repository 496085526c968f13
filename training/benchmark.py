"""Speed of a prediction run, measured side by side in one process; quote the ratios.

Usage: python training/benchmark.py [--rows 10000] [--repeats 5]

Makes a table by recombining paragraphs of the starter corpus, trains a model on the same labels,
and prints medians over the repeats of

  end to end   stance: read, judge every actor named, write all columns
  oracle       the readable per-paragraph version of the tests, without reading and writing
  csv          reading and writing the same table with the csv module alone
  plain        TfidfVectorizer (1-2-grams) and LogisticRegression over pandas chunks: one label
               a row, no actor; the yardstick  (needs pandas; skipped without it)
"""

import argparse
import csv
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from itertools import islice
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # before numpy is imported: one core for everything

from stance.actors import ActorBook
from stance.batch import Job, predict_table
from stance.corpus import Corpus, bundled_corpus, read_corpus
from stance.features.layout import lay_out, named_actors
from stance.fitting import train
from stance.model import StanceModel
from stance.recipe import read_recipe
from stance.text import normalise_all

ORACLE_ROWS = 100
"""Rows that the slow oracle reads; its time is scaled up."""


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


def clock(run: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def copy_with_csv(source: Path, target: Path) -> None:
    """Read and write a table with the csv module alone."""
    with (
        source.open(newline="", encoding="utf-8") as lines,
        target.open("w", newline="", encoding="utf-8") as out,
    ):
        writer = csv.writer(out)
        writer.writerows(csv.reader(lines))


def plain_runner(corpus: Corpus, source: Path, target: Path) -> Callable[[], object] | None:
    """Return a plain scikit-learn run over pandas chunks, trained on the same labels."""
    try:
        import pandas as pd
    except ImportError:
        return None
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2)
    pipe = make_pipeline(words, LogisticRegression(max_iter=1000))
    pipe.fit(corpus.texts, corpus.stance)

    def run() -> None:
        header = True
        for chunk in pd.read_csv(source, chunksize=1000, dtype=str, keep_default_na=False):
            shares = pipe.predict_proba(chunk["text"])
            for number, label in enumerate(("against", "neutral", "favor")):
                chunk[label] = shares[:, number].round(6)
            chunk["label"] = shares.argmax(axis=1)
            chunk.to_csv(target, mode="w" if header else "a", header=header, index=False)
            header = False

    return run


def oracle_runner(model: StanceModel, source: Path) -> Callable[[], object] | None:
    """Return a run of the tests' oracle over the first rows."""
    tests = Path(__file__).parent.parent / "tests"
    if not (tests / "oracle.py").is_file():
        return None
    sys.path.insert(0, str(tests))
    oracle = import_module("oracle")

    with source.open(newline="", encoding="utf-8") as lines:
        texts = [row["text"] for row in islice(csv.DictReader(lines), ORACLE_ROWS)]
    slow = oracle.Oracle(model.book.actors, model.lexicon.source, model.recipe.language)

    def run() -> None:
        for text in texts:
            for actor in dict.fromkeys(mention.actor for mention in model.book.find(text)):
                slow.probabilities(model.stance, slow.pair(text, actor))
            if model.sentiment is not None:
                slow.probabilities(model.sentiment, slow.pair(text, None))

    return run


def stages(model: StanceModel, source: Path) -> dict[str, float]:
    """Return seconds of each stage for one pass over the table's texts."""
    with source.open(newline="", encoding="utf-8") as lines:
        texts = [row["text"] for row in csv.DictReader(lines)]
    took = dict.fromkeys(("normalise", "words and actors", "layout", "blocks and scores"), 0.0)
    for low in range(0, len(texts), 1000):
        marks = [time.perf_counter()]
        plain = normalise_all(texts[low : low + 1000])
        marks.append(time.perf_counter())
        words = model.reader.words(plain)
        para, actor, _ = named_actors(words)
        marks.append(time.perf_counter())
        pairs = lay_out(words, para, actor)
        marks.append(time.perf_counter())
        model.stance.scores(model.reader, pairs)
        marks.append(time.perf_counter())
        for name, start, end in zip(took, marks[:-1], marks[1:], strict=True):
            took[name] += end - start
    return took


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    corpus = read_corpus([bundled_corpus()])
    model = train(read_recipe(), corpus, ActorBook.default()).model
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.csv", Path(folder) / "out.csv"
        make_table(corpus, source, options.rows)
        done = predict_table(model, Job(source, target, force=True))
        pairs = sum(done.tally.answers.values())
        runs: dict[str, Callable[[], object] | None] = {
            "end to end": lambda: predict_table(model, Job(source, target, force=True)),
            "csv": lambda: copy_with_csv(source, target),
            "plain": plain_runner(corpus, source, target),
            "oracle": oracle_runner(model, source),
        }
        times: dict[str, list[float]] = {name: [] for name, run in runs.items() if run}
        for _ in range(options.repeats):  # in turn, so that drift of the machine hits all alike
            for name in times:
                run = runs[name]
                if run:
                    times[name].append(clock(run))
        report(times, options.rows, pairs)
        for name, seconds in stages(model, source).items():
            print(f"  stage {name:<18}{options.rows / seconds:>12,.0f} rows/s")


def report(times: dict[str, list[float]], rows: int, pairs: int) -> None:
    """Print medians and ratios."""
    scaled = {"oracle": rows / ORACLE_ROWS}
    medians = {n: statistics.median(t) * scaled.get(n, 1.0) for n, t in times.items()}
    ours = medians["end to end"]
    print(
        f"{rows:,} rows, {pairs / rows:.2f} actors a row, one core; medians of {len(times['csv'])}"
    )
    for name, seconds in medians.items():
        ratio = f"{seconds / ours:>8.2f} times our time" if name != "end to end" else ""
        print(f"  {name:<12}{rows / seconds:>12,.0f} rows/s {ratio}")
    print(f"  {'pairs':<12}{pairs / ours:>12,.0f} (paragraph, actor) pairs/s")


if __name__ == "__main__":
    main()
