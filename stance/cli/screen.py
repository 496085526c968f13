"""What goes to the terminal beside results: notes, progress and the closing summary."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import typer

from stance.display import count, shown
from stance.records import UNCERTAIN, Stance

if TYPE_CHECKING:
    from stance.runs import Done
    from stance.runs.answers import Tally

ACTORS = 15
"""Actors in the closing summary; the rest is counted."""

SECONDS = 15.0
"""Seconds between two progress lines where stderr is no terminal."""

SETTLED = 0.5
"""Seconds after which a rate tells something."""


def tell(line: str) -> None:
    """Print a note on stderr; where nobody reads it any more, the run goes on all the same."""
    with suppress(OSError):
        typer.echo(shown(line, 400), err=True)


WIDE, ROOMY, NARROW = 104, 76, 64
"""Columns of a terminal from which there is room for a bar, the actors, and the answers."""


class Meter:
    """Progress of a run: a bar on a terminal, else a line now and then.

    On a narrow terminal the bar and what matters least are left out, so that nothing is cut.
    """

    def __init__(self, bar: Any, task: Any, width: int = WIDE) -> None:
        self._bar, self._task, self._width = bar, task, width
        self._start = self._last = time.monotonic()

    def __call__(self, tally: "Tally", done: int, total: int | None) -> None:
        """Show the counts so far, and bytes done of all bytes."""
        now = time.monotonic()
        words = f"{tally.rows:,} rows"
        if now - self._start >= SETTLED:
            words += f"  {tally.rows / (now - self._start):,.0f} rows/s"
        if self._width >= NARROW:
            words += f"  {sum(tally.answers.values()):,} answers"
        if self._width >= ROOMY:
            words += f", {count(len({actor for actor, _ in tally.answers}), 'actor')}"
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total, words=words)
        elif now - self._last > SECONDS:
            self._last = now
            share = f"{100 * done / total:.0f} %  " if total else ""
            tell(f"{share}{words}")


@contextmanager
def meter(quiet: bool) -> Iterator[Meter]:
    """Show progress while the block runs, unless asked to be quiet."""
    if quiet or not sys.stderr.isatty():
        yield Meter(_Silent() if quiet else None, None)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        *((TextColumn("reading"), BarColumn(20)) if console.width >= WIDE else ()),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[words]}", markup=False),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        yield Meter(bar, bar.add_task("", total=None, words=""), console.width)


class _Silent:
    def update(self, *_args: Any, **_fields: Any) -> None:
        """Show nothing."""


def summary(done: "Done", *, quoted: bool = False) -> list[str]:
    """Return the closing lines of a run: rows, and stance counts per actor."""
    tally = done.tally
    lines = [
        f"{count(done.rows_in, 'row')} in = {tally.rows:,} judged + {done.rejected:,} rejected; "
        f"{tally.named:,} naming an actor; {count(done.rows_out, 'row')} out"
    ]
    if done.formulas:
        lines.append(
            f"cells that begin like a formula: {done.formulas:,}"
            + (", quoted" if quoted else " (--excel-safe keeps a spreadsheet from running them)")
        )
    labels = [*map(str, Stance), UNCERTAIN]
    totals: dict[str, dict[str, int]] = {}
    for (actor, label), number in tally.answers.items():
        counts = totals.setdefault(actor, {})
        counts[str(label)] = counts.get(str(label), 0) + number
    if not totals:
        return lines
    order = sorted(totals, key=lambda actor: (-sum(totals[actor].values()), actor))
    lines.append(f"{'actor':<24}" + "".join(f"{label:>11}" for label in labels))
    for actor in order[:ACTORS]:
        row = "".join(f"{totals[actor].get(label, 0):>11,}" for label in labels)
        lines.append(f"{shown(actor, 22):<24}{row}")
    if len(order) > ACTORS:
        lines.append(f"and {count(len(order) - ACTORS, 'more actor')}")
    return lines
