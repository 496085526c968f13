"""Processor time, memory and size of a report: `python training/reports.py [ROWS]`."""

import csv
import os
import random
import sys
import tempfile
from pathlib import Path

import memory

ROWS = 1_000_000
SEED = 20

ACTORS, SOURCES = 80, 2000
"""Names in the usual table; in the other every answer has an actor and a source of its own."""

WORDS = 90
"""Words of a paragraph."""

ROOT = Path(__file__).resolve().parents[1]

COLUMNS = (
    *("document", "source", "date", "text", "row", "actor", "mentions", "stance"),
    *("stance_against", "stance_neutral", "stance_favor", "holder", "sentiment"),
    *("sentiment_negative", "sentiment_neutral", "sentiment_positive"),
)

LABELS = ("against", "neutral", "favor")


def write_answers(path: Path, rows: int, *, distinct: bool) -> None:
    """Write a table in the form of `stance predict` with answers drawn at random."""
    draw = random.Random(SEED)
    vocabulary = (ROOT / "datasets" / "sample" / "paragraphs.csv").read_text("utf-8").split()
    names = [f"Actor {number}" for number in range(ACTORS)]
    weights = [1 / (number + 1) for number in range(ACTORS)]
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(COLUMNS)
        written = paragraph = 0
        while True:
            paragraph += 1
            source = paragraph if distinct else min(int(draw.expovariate(0.02)), SOURCES - 1)
            date = f"{draw.randrange(2015, 2024)}-{draw.randrange(1, 13):02}-15"
            head = (f"d{paragraph // 8}", f"Source {source}", date)
            text = " ".join(draw.choices(vocabulary, k=WORDS))
            for actor in dict.fromkeys(draw.choices(names, weights, k=draw.randrange(1, 5))):
                name = f"{actor} {written}" if distinct else actor
                shares = [draw.random() ** 2 + 0.01 for _ in LABELS]
                chances = [share / sum(shares) for share in shares]
                label = LABELS[chances.index(max(chances))]
                stance = label if draw.random() > 0.05 else "uncertain"
                cells = (f"{chance:.6f}" for chance in chances)
                out.writerow(
                    [*head, text, paragraph, name, 1, stance, *cells, "", "neutral", 0.1, 0.8, 0.1]
                )
                written += 1
                if written == rows:
                    return


def measure(rows: int, *, distinct: bool) -> str:
    """Return a line of the table of measurements."""
    with tempfile.TemporaryDirectory() as folder:
        table, page = Path(folder) / "answers.csv", Path(folder) / "page.html"
        write_answers(table, rows, distinct=distinct)
        before = os.times()
        peak = memory.measure(["report", str(table), "-o", str(page)])
        after = os.times()
        used = sum(after[2:4]) - sum(before[2:4])  # by processes that have ended
        names = "each its own actor and source" if distinct else f"{ACTORS} actors"
        megabytes = table.stat().st_size / 1e6
        return (
            f"| {rows:,} answers, {names} | {megabytes:,.0f} MB | {used:.1f} s | "
            f"{peak.own:.0f} MB | {page.stat().st_size / 1e6:.2f} MB |"
        )


if __name__ == "__main__":
    size = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    print("| table | its size | processor time | memory | page |\n|---|---|---|---|---|")
    for case in (False, True):
        print(measure(size, distinct=case), flush=True)
