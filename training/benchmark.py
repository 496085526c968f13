"""Time and memory of whole programs: prediction beside other programs, long tables, training.

Usage: python training/benchmark.py speed [TABLE] [--rows 20000] [--repeats 5]
       python training/benchmark.py memory [--rows 20000 200000 1000000]
       python training/benchmark.py train CORPUS [--rows 5000 20000] [--recipe FILE]

`speed` trains other classifiers on the starter corpus (those that are installed), runs all of them
in turn on one core, each from its start to its end with its model in a file, and prints medians;
quote the ratios of one run. Without TABLE it makes one of recombined starter paragraphs.

  csv            reading and writing the same table with the csv module
  scikit-learn   TfidfVectorizer (1-2-grams) and LogisticRegression over chunks of pandas
  fastText       word bigrams, dim 100, 2,000,000 buckets: the library's own sizes
  fastText 50    dim 50, 200,000 buckets: reduced as in its tutorial
  Vowpal Wabbit  --oaa 3 --ngram 2, a call of its Python package per row

They give one label and its probability per row, and no actor.

`memory` prints the peaks of `predict` with one and two jobs, and of `report` on its answers.
`train` prints what `stance train` takes for so many rows of a corpus; documents are drawn again
under other names if it has fewer.
"""

import argparse
import csv
import os
import pickle
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

LABELS = ("against", "neutral", "favor")
CHUNK = 1000  # rows that other programs predict at a time, as ours does
LOOK = 0.02  # seconds between two looks at memory: a peak never falls, so only the last is missed

Answers = list[tuple[str, float]]
"""A label and its probability per text."""


def sklearn_train(texts: Sequence[str], labels: Sequence[str], path: Path) -> None:
    """Train TF-IDF of words and word pairs, and a logistic regression."""
    import_module("pandas")
    text, linear = (
        import_module(f"sklearn.{n}") for n in ("feature_extraction.text", "linear_model")
    )
    words = text.TfidfVectorizer(ngram_range=(1, 2), min_df=2)
    model = linear.LogisticRegression(max_iter=1000).fit(words.fit_transform(texts), labels)
    path.write_bytes(pickle.dumps((words, model)))


def sklearn_run(path: Path, source: Path, target: Path) -> None:
    """Predict chunks of pandas."""
    words, model = pickle.loads(path.read_bytes())
    chunks = import_module("pandas").read_csv(source, chunksize=CHUNK, dtype=str, na_filter=False)
    for number, chunk in enumerate(chunks):
        shares = model.predict_proba(words.transform(chunk["text"]))
        chunk["label"] = model.classes_[shares.argmax(axis=1)]
        chunk["probability"] = shares.max(axis=1).round(6)
        chunk.to_csv(target, mode="a" if number else "w", header=not number, index=False)


def fasttext_train(**sizes: int) -> Callable[[Sequence[str], Sequence[str], Path], None]:
    """Return a function that trains fastText with word bigrams."""

    def train(texts: Sequence[str], labels: Sequence[str], path: Path) -> None:
        learn = import_module("fasttext").train_supervised
        lines = (f"__label__{y} {plain(text)}\n" for y, text in zip(labels, texts, strict=True))
        path.with_suffix(".txt").write_text("".join(lines), "utf-8")
        how = {"wordNgrams": 2, "lr": 0.5, "epoch": 25, "thread": 1, "verbose": 0}
        learn(str(path.with_suffix(".txt")), **how, **sizes).save_model(str(path))

    return train


def fasttext_run(path: Path, source: Path, target: Path) -> None:
    """Predict lists of rows."""
    model = import_module("fasttext").load_model(str(path))

    def answer(texts: Sequence[str]) -> Answers:
        labels, shares = model.predict([plain(text) for text in texts])
        return [(y[0].removeprefix("__label__"), p[0]) for y, p in zip(labels, shares, strict=True)]

    answer_table(answer, source, target)


def vowpal_train(texts: Sequence[str], labels: Sequence[str], path: Path) -> None:
    """Train Vowpal Wabbit with bigrams, ten times over the corpus."""
    options = "--oaa 3 --ngram 2 --loss_function logistic --probabilities -b 20 --quiet"
    learner = import_module("vowpalwabbit").Workspace(options)
    for _ in range(10):
        for text, label in zip(texts, labels, strict=True):
            learner.learn(f"{LABELS.index(label) + 1} |w {plain(text)}")
    learner.save(str(path))
    learner.finish()


def vowpal_run(path: Path, source: Path, target: Path) -> None:
    """Predict row by row, as most of its users do."""
    learner = import_module("vowpalwabbit").Workspace(f"-t -i {path} --probabilities --quiet")

    def answer(texts: Sequence[str]) -> Answers:
        shares = (learner.predict(f"|w {plain(text)}") for text in texts)
        return [max(zip(LABELS, row, strict=True), key=lambda pair: pair[1]) for row in shares]

    answer_table(answer, source, target)


def csv_run(path: Path, source: Path, target: Path) -> None:
    """Copy the table and answer nothing."""
    answer_table(lambda texts: [("neutral", 1.0)] * len(texts), source, target)


def answer_table(answer: Callable[[Sequence[str]], Answers], source: Path, target: Path) -> None:
    """Write a label and its probability beside each row of a table."""
    with (
        source.open(newline="", encoding="utf-8") as lines,
        target.open("w", newline="", encoding="utf-8") as out,
    ):
        reader, writer = csv.reader(lines), csv.writer(out)
        header = next(reader)
        writer.writerow([*header, "label", "probability"])
        text = header.index("text")
        while rows := list(islice(reader, CHUNK)):
            answers = answer([row[text] for row in rows])
            writer.writerows([*r, y, f"{p:.6f}"] for r, (y, p) in zip(rows, answers, strict=True))


def plain(text: str) -> str:
    """Return a text on one line, without the two signs of Vowpal Wabbit."""
    return " ".join(text.lower().translate({ord("|"): " ", ord(":"): " "}).split())


OTHERS: dict[str, tuple[Callable[..., None], Callable[[Path, Path, Path], None]]] = {
    "csv": (lambda texts, labels, path: None, csv_run),
    "scikit-learn": (sklearn_train, sklearn_run),
    "fastText": (fasttext_train(dim=100, bucket=2_000_000), fasttext_run),
    "fastText 50": (fasttext_train(dim=50, bucket=200_000), fasttext_run),
    "Vowpal Wabbit": (vowpal_train, vowpal_run),
}


@dataclass(frozen=True, slots=True)
class Usage:
    """What a program took: seconds passed, processor seconds, megabytes of all its processes."""

    wall: float
    work: float
    peak: float


def measure(*arguments: object) -> Usage:
    """Run Python with these arguments, on one thread, and return what it took."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command, peaks = [sys.executable, *map(str, arguments)], dict[int, int]()
    begun, before = time.perf_counter(), os.times()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, env=os.environ | threads, start_new_session=True
    )
    while process.poll() is None:
        for pid, peak in _peaks(process.pid):
            peaks[pid] = max(peaks.get(pid, 0), peak)
        time.sleep(LOOK)
    if process.returncode:
        raise SystemExit(f"exit status {process.returncode}: {' '.join(command)}")
    wall, after = time.perf_counter() - begun, os.times()
    work = after.children_user + after.children_system
    work -= before.children_user + before.children_system
    return Usage(wall, work, sum(peaks.values()) / 1024)


def _peaks(session: int) -> Iterator[tuple[int, int]]:
    """Yield the processes of a session, and the peak of each in kilobytes; none without /proc."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            fields = (path / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == session:
                lines = (path / "status").read_text().splitlines()
                peak = next((line for line in lines if line.startswith("VmHWM")), "VmHWM 0")
                yield int(path.name), int(peak.split()[1])
        except OSError:  # it has ended
            continue


def starter() -> tuple[list[str], list[str]]:
    """Return texts and labels of the starter corpus."""
    path = Path(__file__).resolve().parents[1] / "datasets" / "starter" / "starter_train.csv"
    with path.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    return [row["text"] for row in rows], [row["stance"] for row in rows]


def make_table(path: Path, rows: int) -> None:
    """Write paragraphs of about 90 words, each of two of the starter corpus."""
    draw, texts = random.Random(20), sorted(set(starter()[0]))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "source", "date", "text"])
        for number in range(rows):
            words = draw.choice(texts).split()
            words += draw.choice(texts).split()[: max(0, draw.randint(75, 105) - len(words))]
            source, date = f"paper {number % 40}", f"{2000 + number % 25}-01-01"
            writer.writerow([f"{number:07d}", source, date, " ".join(words)])


def draw_rows(corpus: Path, path: Path, rows: int) -> None:
    """Write so many rows of a corpus by whole documents; then again, mistyped."""
    with corpus.open(newline="", encoding="utf-8") as lines:
        table = list(csv.DictReader(lines))
    documents: dict[str, list[dict[str, str]]] = {}
    for row in table:
        documents.setdefault(row["document"], []).append(row)
    names, draw, left = list(documents), random.Random(20), rows
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader()
        for turn in range(1 + rows // len(table)):
            draw.shuffle(names)
            for name in names:
                taken = documents[name][:left]
                left -= len(taken)
                for row in taken:
                    text = mistyped(row["text"], turn) if turn else row["text"]
                    writer.writerow(row | {"document": f"{name}-{turn}", "text": text})


def mistyped(text: str, turn: int) -> str:
    """Exchange letters in one long word of twelve, so that words grow as in a larger corpus."""
    draw = random.Random(f"{turn} {text[:200]}")

    def exchange(match: re.Match[str]) -> str:
        word = match[0]
        place = draw.randrange(1, len(word) - 2)
        if draw.random() > 1 / 12:
            return word
        return word[:place] + word[place + 1] + word[place] + word[place + 2 :]

    return re.sub(r"\b[a-z]{6,}\b", exchange, text)


def compare_speed(folder: Path, table: Path | None, rows: int, repeats: int) -> None:
    """Run all in turn on one core, and print medians."""
    source, target = table or folder / "in.csv", folder / "out.csv"
    if table is None:
        make_table(source, rows)
    with source.open(newline="", encoding="utf-8") as lines:
        rows = sum(1 for _ in csv.reader(lines)) - 1
    predict = ["-m", "stance", "predict", source, "-o", target, "-q", "--force"]
    runs: dict[str, list[object]] = {"stance": predict}
    for name, (learn, _) in OTHERS.items():
        try:
            model = folder / name.replace(" ", "-")
            learn(*starter(), model)
            runs[name] = [__file__, "run", name, model, source, target]
        except ImportError as error:
            print(f'{name}: skipped, for {error.name} is missing (pip install ".[bench]")')
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    turns = [{name: measure(*run) for name, run in runs.items()} for _ in range(repeats)]
    print(f"{rows:,} rows, one core, medians of {repeats}")
    print(f"{'':<16}{'rows/s':>10}{'µs work/row':>14}{'time : ours':>14}{'work : ours':>14}")
    for name in runs:
        wall, work = (
            statistics.median(getattr(turn[name], kind) for turn in turns)
            for kind in ("wall", "work")
        )
        ratios = (
            statistics.median(getattr(t[name], kind) / getattr(t["stance"], kind) for t in turns)
            for kind in ("wall", "work")
        )
        figures = "".join(f"{ratio:>14.2f}" for ratio in ratios)
        print(f"{name:<16}{rows / wall:>10,.0f}{1e6 * work / rows:>14.1f}{figures}")


def compare_memory(folder: Path, sizes: Sequence[int]) -> None:
    """Print the peak memory of runs of growing length."""
    source, target, page = (folder / name for name in ("in.csv", "out.csv", "report.html"))
    options = ["-o", target, "-q", "--force", "--jobs"]
    for rows in sizes:
        make_table(source, rows)
        runs = {
            "2 jobs": ("predict", source, *options, 2),
            "1 job": ("predict", source, *options, 1),
            "report": ("report", target, "-o", page, "--force"),
        }
        for name, run in runs.items():
            used = measure("-m", "stance", *run)
            print(f"{rows:>9,} rows  {name:<7}{used.peak:>6.0f} MB{used.work:>8.1f} s", flush=True)


def compare_training(folder: Path, corpus: Path, sizes: Sequence[int], recipe: Path | None) -> None:
    """Print what training takes."""
    path, options = folder / "corpus.csv", ["--recipe", recipe] if recipe else []
    for rows in sizes:
        draw_rows(corpus, path, rows)
        used = measure(
            "-m", "stance", "train", path, "-o", folder / "m.stance", "--force", *options
        )
        figures = f"{used.work:>8.1f} s of processor time{used.wall:>8.1f} s{used.peak:>7.0f} MB"
        print(f"{rows:>9,} rows{figures}", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    speed, memory, train, run = map(commands.add_parser, ("speed", "memory", "train", "run"))
    speed.add_argument("table", type=Path, nargs="?", help="one with a column 'text'")
    speed.add_argument("--rows", type=int, default=20_000, help="of a table that is made")
    speed.add_argument("--repeats", type=int, default=5)
    memory.add_argument("--rows", type=int, nargs="+", default=[20_000, 200_000, 1_000_000])
    train.add_argument("corpus", type=Path)
    train.add_argument("--rows", type=int, nargs="+", default=[5000, 20_000])
    train.add_argument("--recipe", type=Path)
    run.add_argument("name", choices=OTHERS)
    run.add_argument("paths", type=Path, nargs=3, metavar="MODEL SOURCE TARGET")
    given: Any = parser.parse_args()
    if given.command == "run":
        OTHERS[given.name][1](*given.paths)
        return
    with tempfile.TemporaryDirectory() as name:
        if given.command == "speed":
            compare_speed(Path(name), given.table, given.rows, given.repeats)
        elif given.command == "memory":
            compare_memory(Path(name), given.rows)
        else:
            compare_training(Path(name), given.corpus, given.rows, given.recipe)


if __name__ == "__main__":
    main()
