"""Numbered parts of a table: what goes to whoever computes one, and what comes back."""

import contextlib
import json
import os
import threading
import zlib
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from stance.model.judging import StanceModel
from stance.runs import memory
from stance.runs.answers import COUNTS, Layout, Tally, answer_rows
from stance.runs.lines import Lines
from stance.tables import Records
from stance.tables.formats import Format
from stance.tables.output import output_error


class Batch(NamedTuple):
    """The records of a part, 1 or more.

    Attributes
    ----------
    number : int
        1-based number of the part.
    records : Records
    """

    number: int
    records: Records


@dataclass(frozen=True, slots=True)
class Part:
    """One part that is done.

    Attributes
    ----------
    number : int
        1-based number of the part.
    rows : int
        Rows of the output.
    formulas : int
        Cells among them that a spreadsheet might run.
    tally : Tally
    lines : Lines or None
        What it adds to its records; None where that is in a file.
    """

    number: int
    rows: int
    formulas: int
    tally: Tally
    lines: Lines | None = field(default=None, repr=False)


class Judged(NamedTuple):
    """A part, and what it was made of: both make rows."""

    batch: Batch
    part: Part


@dataclass(frozen=True, slots=True)
class Frame:
    """What all parts of a run have in common.

    Attributes
    ----------
    layout : Layout
    form : Format
        Of the output.
    table : str
        Name of the input, for messages.
    store : Store or None
        Where parts are to be written; None to give their bytes back.
    """

    layout: Layout
    form: Format
    table: str
    store: "Store | None" = None


def compute(model: StanceModel, frame: Frame, number: int, records: Records) -> Part:
    """Judge the records of a part, and write its rows where the frame says."""
    memory.settle()
    rows, tally = answer_rows(model, frame.layout, records, frame.table)
    part = Part(number, len(rows), rows.formulas(), tally, rows.encode(frame.form))
    return frame.store.write(part) if frame.store else part


@dataclass(frozen=True, slots=True)
class Store:
    """A private folder that holds finished parts, each in one file.

    Attributes
    ----------
    folder : Path
    key : str
        Stands in the file names, so that no part of another run is taken for one of this.
    output : Path
        The table in the making, for messages.
    """

    folder: Path
    key: str
    output: Path

    def path(self, number: int) -> Path:
        """Return where a part is kept."""
        return self.folder / f"{self.key}-{number:08d}.rows"

    def write(self, part: Part) -> Part:
        """Keep a part; it stands under its name only when it is whole.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        counts = [part.rows, part.formulas, _tally_table(part.tally)]
        lines = (part.lines or Lines.whole(b"")).pack()
        data = b"%s\n%s" % (json.dumps(counts).encode(), lines)
        path = self.path(part.number)
        temporary = path.with_suffix(f".{os.getpid()}")
        try:
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(b"%d %d\n" % (len(data), zlib.crc32(data)))
                file.write(data)
                file.flush()
                handle = os.dup(file.fileno())
            temporary.replace(path)
            _sync(handle)
        except OSError as error:
            raise output_error(error, self.output) from error
        return replace(part, lines=None)

    def read(self, number: int) -> Part | None:
        """Return a kept part with its bytes; None where there is none or it is damaged."""
        try:
            with self.path(number).open("rb") as file:
                size, checksum = map(int, file.readline().split())
                data = file.read()
            if len(data) != size or zlib.crc32(data) != checksum:
                return None
            counts, _, packed = data.partition(b"\n")
            rows, formulas, tally = json.loads(counts)
            return Part(number, rows, formulas, _tally(tally), Lines.unpack(packed))
        except (OSError, ValueError, TypeError):  # or written by another version
            return None


_disk = threading.Semaphore()


def _sync(handle: int) -> None:
    """Have a file reach the disk, and close it, while the next part is computed.

    Nobody needs to hear how that ends: what the computer loses when its power fails is told by
    its checksum, and computed again.
    """

    def sync() -> None:
        with contextlib.suppress(OSError):
            os.fsync(handle)
        os.close(handle)
        _disk.release()

    _disk.acquire()  # at most one at a time, or a slow disk would fall behind
    try:
        threading.Thread(target=sync).start()
    except RuntimeError:  # the system gives us no more threads
        sync()


def _tally_table(tally: Tally) -> list[Any]:
    answers = [[actor, label, times] for (actor, label), times in tally.answers.items()]
    return [*(getattr(tally, key) for key in COUNTS), answers]


def _tally(table: list[Any]) -> Tally:
    *numbers, answers = table
    counts = Counter({(actor, label): times for actor, label, times in answers})
    return Tally(**dict(zip(COUNTS, numbers, strict=True)), answers=counts)
