"""Peak memory of a run: of its own process, and of all its processes together."""

import subprocess
import sys
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
