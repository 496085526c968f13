import io
import os
import re
import sys
from collections import Counter
from types import SimpleNamespace

import pytest

from stance.cli import _terminal
from stance.cli._terminal import meter
from stance.runs.answers import Tally


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("width", [50, 64, 80, 104, 120, 200])
def test_the_progress_bar_is_whole_on_a_terminal_of_any_width(monkeypatch, width):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    tally = Tally(
        rows=1_234_567, answers=Counter({("NATO", "favor"): 3_456_788, ("EU", "favor"): 1})
    )
    clock = iter([1000.0, 1060.0])
    monkeypatch.setattr(_terminal, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    with meter(quiet=False) as progress:
        progress(tally, 50, 100)
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
    assert "50 %" in drawn
    assert "1,234,567 rows  20,576 rows/s" in drawn
    assert ("3,456,789 answers" in drawn) is (width >= 64)
    assert ("3,456,789 answers, 2 actors" in drawn) is (width >= 80)
    assert re.search(r"[0-9-]{2}:[0-9-]{2}", drawn)  # what remains
    assert "…" not in drawn


def test_a_progress_line_that_nobody_reads_stops_no_run(monkeypatch):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", buffering=1) as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        _terminal.tell("20 %  40,000 rows")
        monkeypatch.undo()
        with pytest.raises(BrokenPipeError):  # so it is what the line met
            stderr.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), writing)
