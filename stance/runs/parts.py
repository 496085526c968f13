"""Numbered parts of a table: cut, computed and kept in files."""

import contextlib
import ctypes
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

from stance.display import count
from stance.errors import DataError, output_error
from stance.files import read_checked, write_checked
from stance.model.judging import StanceModel
from stance.runs.answers import COUNTS, TABLES, Layout, Tally, answer_rows
from stance.runs.rows import Lines
from stance.tables import Format, Records

CHARACTERS = 8_000_000  # that fill a part, so that records as long as books come in small parts


class Batch(NamedTuple):
    """The records of a part, 1 or more."""

    number: int  # from 1
    records: Records


@dataclass(frozen=True, slots=True)
class Part:
    """A finished part."""

    number: int
    rows: int  # of the output
    formulas: int  # cells that a spreadsheet might run
    tally: Tally
    lines: Lines | None = field(default=None, repr=False)  # None if they are in a file

    def unanswered(self, batch: "Batch") -> str | None:
        """Return in what this is not an answer to exactly the records of a batch, or None."""
        if type(self.tally) is not Tally or not isinstance(self.lines, Lines | None):
            return "it is damaged"
        found, wanted = self.tally.rows, len(batch.records)
        if self.number != batch.number:
            return f"it is part {self.number}, not {batch.number}"
        if found != wanted or self.rows < wanted:
            return f"it answers {found} of {count(wanted, 'record')}"
        times = self.lines.times if self.lines else None
        if self.lines and times is not None:
            whole = len(times) == wanted and min(times) > 0 and sum(times) == self.rows
            if not whole or self.lines.ends.count(b"\n") != self.rows:
                return "its rows are not those of its records"
        return None


class Judged(NamedTuple):
    """A part and its records: both make rows."""

    batch: Batch
    part: Part


Work = Batch | Judged | DataError
"""Records to judge, a part that is judged already, or why there are no more."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What all parts of a run have in common."""

    layout: Layout
    form: Format  # of the output
    table: str  # name of the input, for messages
    store: "Store | None" = None  # where to write parts; None to give their bytes back


def cut(blocks: Iterator[Records], size: int) -> Iterator[Batch | DataError]:
    """Cut blocks of records into numbered parts; an error that ends them comes last."""
    part: list[Records] = []
    number, room, characters = 1, size, 0
    ended: list[DataError] = []
    try:
        for block in blocks:
            while block:
                more, block = block[:room], block[room:]
                part.append(more)
                room -= len(more)
                characters += more.characters
                if not room or characters >= CHARACTERS:
                    yield Batch(number, Records.joined(part))
                    part, number, room, characters = [], number + 1, size, 0
    except DataError as error:
        ended.append(error)
    if part:
        yield Batch(number, Records.joined(part))
    yield from ended


def compute(model: StanceModel, frame: Frame, number: int, records: Records) -> Part:
    """Judge the records of a part, and write its rows where the frame says."""
    _keep_freed_memory()
    rows, tally = answer_rows(model, frame.layout, records, frame.table)
    form = frame.form
    part = Part(number, len(rows), rows.formulas(form), tally, rows.encode(form))
    return frame.store.write(part) if frame.store else part


@cache
def _keep_freed_memory() -> None:
    """Have glibc keep the memory that a part frees for the next one.

    Each part makes and frees arrays of some megabytes. By default glibc returns many of them to
    the system at once and gets them back page by page, which takes a tenth of a run's time.
    """
    trim_threshold, mmap_threshold, megabyte = -1, -3, 1024 * 1024  # see mallopt(3)
    with contextlib.suppress(AttributeError, OSError, TypeError):  # another C library
        library = ctypes.CDLL(None)
        library.mallopt(mmap_threshold, 32 * megabyte)  # the largest that glibc allows
        library.mallopt(trim_threshold, 64 * megabyte)


@dataclass(frozen=True, slots=True)
class Store:
    """A private folder that holds finished parts, each in one file."""

    folder: Path
    key: str  # in the file names, so that no part of another run is taken for one of this
    output: Path  # the table in the making, for messages

    def path(self, number: int) -> Path:
        """Return where a part is kept."""
        return self.folder / f"{self.key}-{number:08d}.rows"

    def write(self, part: Part) -> Part:
        """Keep a part; its file appears only when it is whole. Raise `OutputError` on failure."""
        tables = (getattr(part.tally, name) for name in TABLES)
        listed = [[[*key, times] for key, times in table.items()] for table in tables]
        numbers = [getattr(part.tally, key) for key in COUNTS]
        counts = json.dumps([part.rows, part.formulas, numbers, *listed]).encode()
        data = b"%s\n%s" % (counts, (part.lines or Lines(b"")).pack())
        try:
            write_checked(self.path(part.number), data)
        except OSError as error:
            raise output_error(error, self.output) from error
        return replace(part, lines=None)

    def read(self, number: int) -> Part | None:
        """Return a kept part with its lines; None if there is none or it is damaged."""
        data = read_checked(self.path(number))
        if data is None:
            return None  # the part is computed again
        try:
            counts, _, packed = data.partition(b"\n")
            rows, formulas, numbers, *listed = json.loads(counts)
            tables = (Counter({tuple(key): times for *key, times in own}) for own in listed)
            named = dict(zip((*COUNTS, *TABLES), (*numbers, *tables), strict=True))
            tally = Tally(**named)
            return Part(number, rows, formulas, tally, Lines.unpack(packed))
        except (ValueError, TypeError):  # written by another version
            return None
