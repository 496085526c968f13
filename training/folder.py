"""Judge a folder of 2,000 mixed files, 20 of them broken, with 1 and 2 jobs and after kills.

Usage: python training/folder.py [--files 2000] [--kills 3]

The folder holds articles (.txt, .md), web pages, CSV, JSON Lines and workbooks of invented stories
(datasets/pages). Every readable row must be answered, each broken file must be one line of
--rejects and of stderr, and the bytes must not depend on jobs or on kills with --resume.
"""

import argparse
import csv
import gzip
import hashlib
import json
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from pages import Story, dressed, stories

PREDICT = [sys.executable, "-m", "stance", "predict"]
HEADER = "text,id\n"
BROKEN: dict[str, bytes] = {
    "empty.csv": b"",
    "encoding.csv": HEADER.encode("utf-16-le"),
    "latin.txt": "Der Präsident sprach über die NATO.".encode("cp1252"),
    "latin.html": "<meta charset='utf-8'><p>Der Präsident sprach über die NATO.</p>".encode(
        "cp1252"
    ),
    "nul.txt": b"NATO met.\n\0\0\n",
    "unclosed.csv": HEADER.encode() + b'"NATO met.,1\n' + b"Russia left.,2\n" * 3,
    "ragged.csv": HEADER.encode() + b"NATO met.,1,2\n",
    "twice.csv": b"text,text\nNATO met.,1\n",
    "no-column.csv": b"name,id\nNATO met.,1\n",
    "truncated.csv.gz": gzip.compress(HEADER.encode() + b"NATO met.,1\n" * 99)[:-20],
    "bomb.csv.gz": gzip.compress(HEADER.encode() + (b"x" * 1_000_000 + b",1\n") * 40),
    "plain.csv.gz": HEADER.encode() + b"NATO met.,1\n",
    "pickle.csv": b"\x80\x04\x95" + b"x" * 40,
    "pdf.csv": b"%PDF-1.7\n",
    "application.html": b"<html><body><div id='root'></div><script>start()</script></body></html>",
    "endless.html": b"<html><body>" + b"<p>NATO met.</p>" * 40_000,
    "matter.md": b"---\ntitle: a\ntitle: b\n---\nNATO met.\n",
    "broken.jsonl": b'{"text": "NATO met."\n',
    "keys.jsonl": b'{"text": "NATO met.", "id": "1"}\n{"text": "Russia left."}\n',
    "no.xlsx": b"PK\x03\x04 this is no workbook",
}
"""Files with one fault each."""
PARTLY_GOOD = {"keys.jsonl", "truncated.csv.gz", "bomb.csv.gz"}  # have rows before their fault


def build(folder: Path, files: int) -> dict[str, int]:
    """Write the files; return how many rows the good tables have, by file."""
    rows = dict[str, int]()
    kinds = [_article, _page, _separated, _lines, _workbook]
    pages, saved, told = list(dressed("web")), list(dressed("saved")), stories()
    for at in range(files - len(BROKEN)):
        kind, story = kinds[at % len(kinds)], told[at // len(kinds) % len(told)]
        place = folder / f"{story.date[:4]}" / f"{at % 40:02}"
        place.mkdir(parents=True, exist_ok=True)
        stem = place / f"{re.sub('[^a-z]', '', story.outlet.lower())}_{story.date}-{at:05}"
        if kind is _page:
            stem.with_suffix(".html").write_text(pages[at // 5 % len(pages)].text, "utf-8")
        elif kind is _article and at % 10:
            stem.with_suffix(".txt").write_text(saved[at // 5 % len(saved)].text, "utf-8")
        else:
            path = kind(stem, story)
            if kind is not _article:
                rows[str(path.relative_to(folder.parent))] = len(story.wanted)
    for at, (name, data) in enumerate(BROKEN.items()):
        place = folder / "2024" / f"{at:02}"
        place.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)
    (folder / ".DS_Store").write_bytes(b"no")
    (folder / "picture.png").write_bytes(b"no")
    return rows


def _article(stem: Path, story: Story) -> Path:
    matter = f"---\ntitle: {json.dumps(story.title)}\ndate: {story.date}\n---\n\n"
    stem.with_suffix(".md").write_text(matter + "\n\n".join(story.wanted) + "\n", "utf-8")
    return stem.with_suffix(".md")


def _page(stem: Path, story: Story) -> Path:
    raise NotImplementedError  # pages come dressed


def _separated(stem: Path, story: Story) -> Path:
    path = stem.with_suffix(".csv")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", "date"])
        writer.writerows([f"{at:03}", text, story.date] for at, text in enumerate(story.wanted))
    return path


def _lines(stem: Path, story: Story) -> Path:
    path = stem.with_suffix(".jsonl")
    rows = ({"text": text, "outlet": story.outlet} for text in story.wanted)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def _workbook(stem: Path, story: Story) -> Path:
    path = stem.with_suffix(".xlsx")
    book = import_module("xlsxwriter").Workbook(path)
    sheet = book.add_worksheet()
    for at, text in enumerate(["text", *story.wanted]):
        sheet.write_string(at, 0, text)
    book.close()
    return path


def predict(folder: Path, output: Path, *options: str) -> "subprocess.Popen[str]":
    """Start a run over the folder."""
    bad = output.with_suffix(".bad.csv")
    args = [*PREDICT, folder.name, "-o", str(output), "--rejects", str(bad), *options]
    return subprocess.Popen(args, stderr=subprocess.PIPE, text=True, cwd=folder.parent)


def finished(run: "subprocess.Popen[str]") -> str:
    """Wait for a run to end well, and return what it told."""
    _, told = run.communicate()
    if run.returncode:
        raise SystemExit(f"a run ended with {run.returncode}: {told[-600:]}")
    return told


def check(output: Path, told: str, tables: dict[str, int], files: int) -> Iterator[str]:
    """Yield what is not as it should be."""
    with output.open(encoding="utf-8", newline="") as file:
        answered = {(row["file"], row["row"]) for row in csv.DictReader(file)}
    per_file = Counter(name for name, _ in answered)
    if len({row for _, row in answered}) != len(answered):
        yield "a row number stands in two files"
    wrong = [name for name, rows in tables.items() if per_file[name] != rows]
    if wrong:
        yield f"{len(wrong)} tables with rows that are not answered, such as {wrong[0]}"
    good = files - len(BROKEN) + len(PARTLY_GOOD)
    if len(per_file) != good:
        yield f"{len(per_file)} files answered, not {good}"
    with output.with_suffix(".bad.csv").open(encoding="utf-8", newline="") as file:
        bad = [Path(row["file"]).name for row in csv.DictReader(file)]
    if sorted(bad) != sorted(BROKEN):
        yield f"wrong rejects: {sorted(set(bad) ^ set(BROKEN))}, {len(bad)} in all"
    found = re.search(r"([\d,]+) rows? in = ([\d,]+) judged \+ ([\d,]+) rejected", told)
    numbers = [int(text.replace(",", "")) for text in found.groups()] if found else []
    if numbers != [len(answered) + len(bad), len(answered), len(bad)]:
        yield f"the equation says {numbers}, the tables {len(answered)} and {len(bad)}"


def killed(folder: Path, output: Path, kills: int) -> int:
    """Kill a run as often, each time once it has kept one more part; return the parts kept."""
    kept = output.with_name(f".{output.name}.stance-run")
    for at in range(kills):
        run = predict(folder, output, *(["--resume"] if at else ["--jobs=2"]))
        while run.poll() is None and len(list(kept.glob("*.rows"))) <= at:
            time.sleep(0.02)
        run.send_signal(signal.SIGKILL)
        run.communicate()
        if output.exists():
            raise SystemExit(f"{output.name} is there, though its run was to be killed")
    return len(list(kept.glob("*.rows")))


def main() -> int:
    """Run all, print what was found, and return 1 where anything is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2_000)
    parser.add_argument("--kills", type=int, default=3)
    options = parser.parse_args()
    csv.field_size_limit(1 << 24)  # of the bomb
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "archive"
        tables = build(folder, options.files)
        digests, faults = dict[str, str](), list[str]()

        def done(name: str, output: Path, told: str) -> None:
            faults.extend(
                f"{name}: {fault}" for fault in check(output, told, tables, options.files)
            )
            digests[name] = hashlib.sha256(output.read_bytes()).hexdigest()

        start = time.perf_counter()
        told = finished(predict(folder, Path(place) / "one.csv"))
        seconds = time.perf_counter() - start
        done("1 job", Path(place) / "one.csv", told)
        done("2 jobs", two := Path(place) / "two.csv", finished(predict(folder, two, "--jobs=2")))
        again = Path(place) / "again.csv"
        parts = killed(folder, again, options.kills)
        done("killed and resumed", again, finished(predict(folder, again, "--resume")))
    print(told[:2_000])
    for name, digest in digests.items():
        print(f"{name:20}{digest[:16]}")
    print(f"{options.kills} kills left {parts} finished parts to the last run")
    faults += ["the bytes differ"] * (len(set(digests.values())) > 1)
    print("\n".join(faults) or f"all as it should be; one run took {seconds:.0f} s")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
