"""Peak memory of a run: of its own process, and of all its processes together.

Usage: python training/memory.py [--corpus FILE]... [--rows 100000 300000 1000000]

Prints the peak of `stance check` on corpora of growing length, made as in growth.py of labelled
ones, by default the starter corpus; and of the commands that read a table on one with a cell of
ten million characters.
"""

import argparse
import csv
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

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


def measure(arguments: Sequence[str]) -> Peak:
    """Run `stance` with these arguments, and return its peak memory.

    Raises
    ------
    RuntimeError
        If the run fails, other than by what `check` finds.
    """
    before = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "stance", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    peaks: dict[int, int] = {}
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


CELL = "NATO " * 2_000_000


def _commands(folder: Path, starter: Path) -> list[list[str]]:
    """Write tables with a long cell; return the commands that read them, each after its inputs."""
    names = ("in.csv", "coded.csv", "p.csv", "wide.csv", "m.stance", "page.html", "s.csv", "c.csv")
    table, coded, answers, wide, model, page, drawn, corpus = (str(folder / own) for own in names)
    with Path(table).open("w", newline="", encoding="utf-8") as file:
        rows = [["text", "by", "stance"], [CELL, "NATO", "favor"], ["NATO met.", "NATO", "neutral"]]
        csv.writer(file).writerows(rows)
    with starter.open(newline="", encoding="utf-8") as file:
        head, first, *rows = csv.reader(file)
    first[head.index("text")] = CELL
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


def main() -> None:
    """Measure and print."""
    from growth import make_corpus, read_rows

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    starter = Path(__file__).parent.parent / "datasets" / "starter" / "starter_train.csv"
    parser.add_argument("--corpus", type=Path, nargs="+", default=[starter])
    parser.add_argument("--rows", type=int, nargs="*", default=[100_000, 300_000, 1_000_000])
    options = parser.parse_args()
    documents = read_rows(options.corpus)
    with tempfile.TemporaryDirectory() as folder:
        for arguments in _commands(Path(folder), starter):
            own = measure(arguments).own
            name = " ".join([arguments[0], *(each for each in arguments if each == "--wide")])
            print(f"a cell of {len(CELL):,} characters  {name:<16}{own:>8.0f} MB", flush=True)
        table = str(Path(folder) / "rows.csv")
        for rows_wanted in options.rows:
            make_corpus(documents, Path(table), rows_wanted)
            found = measure(["check", table])
            print(f"check  {rows_wanted:>10,} rows{found.own:>8.0f} MB", flush=True)


if __name__ == "__main__":
    main()
