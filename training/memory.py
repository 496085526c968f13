"""Peak memory of a run: of its own process, and of all its processes together.

Usage: python training/memory.py [--corpus FILE]... [--rows 100000 300000 1000000]

Prints the peak of `stance check` on corpora of growing length, made as in growth.py of labelled
ones, by default the starter corpus; of the commands that read a table on one with a cell of ten
million characters: a word of the book, new words, or an actor whom no book knows; and of
`stance explain` on the longest paragraph that it takes.
"""

import argparse
import csv
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import ascii_lowercase

_OFTEN = 0.02
"""Seconds between two looks; a peak does not sink, so that only the last moment is missed."""

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Peak:
    """Peak memory of a run.

    Attributes
    ----------
    own, together : float
        Megabytes of resident memory: of the first process, and the sum of every one's peak.
    seconds : float
        That the run took.
    """

    own: float
    together: float
    seconds: float


def measure(arguments: Sequence[str], text: str = "") -> Peak:
    """Run `stance` with these arguments and a text on stdin, and return its peak memory.

    Raises
    ------
    RuntimeError
        If the run fails, other than by what `check` finds.
    """
    before = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "stance", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    peaks: dict[int, int] = {}
    if process.stdin:
        process.stdin.write(text.encode())
        process.stdin.close()
    while process.poll() is None:
        for pid in _group(process.pid):
            peaks[pid] = max(peaks.get(pid, 0), _peak(pid))
        time.sleep(_OFTEN)
    if process.returncode > (arguments[0] == "check") or process.returncode < 0:
        told = process.stderr.read().decode() if process.stderr else ""
        raise RuntimeError(told)
    return Peak(
        own=peaks.get(process.pid, 0) / 1024,
        together=sum(peaks.values()) / 1024,
        seconds=time.monotonic() - before,
    )


def is_possible() -> bool:
    """Tell whether this system tells of its processes' memory."""
    return (_PROC / "self" / "status").is_file()


def _group(session: int) -> list[int]:
    """Return the processes of a session."""
    found = []
    for path in _PROC.glob("[0-9]*"):
        try:
            fields = (path / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session:
            found.append(int(path.name))
    return found


def _peak(pid: int) -> int:
    """Return the peak resident memory of a process in kilobytes; 0 where it is gone."""
    try:
        lines = (_PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def cells() -> dict[str, tuple[str, str]]:
    """Return texts of ten million characters by what they repeat, each with an actor in it."""
    letters = random.Random(1).choices(ascii_lowercase, k=8 * 1_111_111)
    spelled = ["".join(letters[at : at + 8]) for at in range(0, len(letters), 8)]
    return {
        "one word": ("NATO " * 2_000_000, "NATO"),
        "new words": (" ".join(["NATO", *spelled]), "NATO"),
        "an unknown actor": ("Acme " * 2_000_000, "Acme"),
    }


def _commands(folder: Path, starter: Path, cell: str, actor: str) -> list[list[str]]:
    """Write tables with a long cell; return the commands that read them, each after its inputs."""
    names = ("in.csv", "coded.csv", "p.csv", "wide.csv", "m.stance", "page.html", "s.csv", "c.csv")
    table, coded, answers, wide, model, page, drawn, corpus = (str(folder / own) for own in names)
    with Path(table).open("w", newline="", encoding="utf-8") as file:
        about = "by" if actor == "NATO" else "actor"  # all that are named, or only this one
        rows = [["text", about, "stance"], [cell, actor, "favor"], ["NATO met.", actor, "neutral"]]
        csv.writer(file).writerows(rows)
    with starter.open(newline="", encoding="utf-8") as file:
        head, first, *rows = csv.reader(file)
    first[head.index("text")], first[head.index("actor")] = cell, actor
    with Path(coded).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head, first, *rows])
    more = ["--quiet", "--prefix", "p_"]
    return [
        ["predict", table, "-o", answers, *more],
        ["predict", table, "-o", wide, *more, "--explain", "5", "--wide"],
        ["actors", table],
        ["check", coded],
        ["evaluate", coded],
        ["train", coded, "-o", model],
        ["report", answers, "-o", page, "--prefix", "p_"],
        ["shares", answers, "--prefix", "p_"],
        ["sample", answers, "-o", drawn, "--prefix", "p_", "-n", "10"],
        ["import", "table", coded, "-o", corpus],
    ]


PARAGRAPH = "Poland praised NATO and met Russia. " * 27_750


def main() -> None:
    """Measure and print."""
    from growth import make_corpus, read_rows

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    starter = Path(__file__).parent.parent / "datasets" / "starter" / "starter_train.csv"
    parser.add_argument("--corpus", type=Path, nargs="+", default=[starter])
    parser.add_argument("--rows", type=int, nargs="*", default=[100_000, 300_000, 1_000_000])
    options = parser.parse_args()
    documents = read_rows(options.corpus)
    for kind, (cell, actor) in cells().items():
        with tempfile.TemporaryDirectory() as folder:
            for arguments in _commands(Path(folder), starter, cell, actor):
                if actor != "NATO" and "--wide" in arguments:
                    continue  # which is for tables without a column of actors
                own = measure(arguments).own
                name = " ".join([arguments[0], *(each for each in arguments if each == "--wide")])
                print(f"a cell of 10 MB, {kind:<18}{name:<16}{own:>8.0f} MB", flush=True)
    own = measure(["explain", "-", "--json"], PARAGRAPH).own
    print(f"a paragraph of 1 MB, explain --json{own:>8.0f} MB", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        table = str(Path(folder) / "rows.csv")
        for rows_wanted in options.rows:
            make_corpus(documents, Path(table), rows_wanted)
            found = measure(["check", table])
            print(f"check  {rows_wanted:>10,} rows{found.own:>8.0f} MB", flush=True)


if __name__ == "__main__":
    main()
