"""Numbered parts of a table: their plan, their computation, and the files that keep them."""

import contextlib
import ctypes
import hashlib
import json
import os
import sys
import threading
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from stance.display import shown
from stance.errors import DataError
from stance.files import output_error, write_private
from stance.model.heads import Head
from stance.model.judging import StanceModel
from stance.runs.answers import COUNTS, Layout, Tally, answer_rows
from stance.runs.rows import Lines
from stance.tables import Format, Records

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters of mallopt(3)."""

_LARGEST = 32 * 1024 * 1024
"""Bytes of an array that the heap may hold; it is the most that glibc allows."""

_KEPT = 64 * 1024 * 1024
"""Free bytes at the end of the heap that are not handed back at once."""


@cache
def settle() -> None:
    """Set that up in a process that computes parts."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        library = ctypes.CDLL(None)
        library.mallopt(_MMAP_THRESHOLD, _LARGEST)
        library.mallopt(_TRIM_THRESHOLD, _KEPT)


Value = str | int | float | bool | None

Plan = Mapping[str, Value]
"""Values by the names that a user knows them by."""

_INPUT, _MODEL = "the input", "the model"
SIZE = "the size of parts"


def versions() -> dict[str, str]:
    """Return the versions that answers may depend on; Python's knows the letters of all scripts."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    packages = {name: version(name) for name in ("stance", "numpy", "PyStemmer")}
    return packages | {"python": python}


def make_plan(model: StanceModel, source: Path, size: int, options: Mapping[str, Value]) -> Plan:
    """Return the plan of a run.

    Parameters
    ----------
    model : StanceModel
    source : Path
        The input, which must not change from now on until it has been read.
    size : int
        Records of a part.
    options : mapping
        All others, by name.
    """
    try:
        with source.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        name = shown(str(source), 200)
        raise DataError(f"{name}: cannot be read twice; copy the file and try again") from error
    return {
        _INPUT: digest,
        "the name of the input": _telling_name(source),
        _MODEL: digest_of(model),
        **{f"the version of {name}": found for name, found in versions().items()},
        SIZE: size,
        **options,
    }


def _telling_name(source: Path) -> str:
    """Return what of a name the output depends on: an article's is in it, a table's end counts."""
    name = source.name.lower().removesuffix(".gz").removesuffix(".zst")
    return source.name if name.endswith(".txt") else Path(name).suffix


def difference(before: Plan, now: Plan) -> str | None:
    """Return in words the first thing in which two plans differ.

    >>> difference({"--wide": False}, {"--wide": True})
    '--wide has changed (was False, is True)'
    """
    for what in dict.fromkeys((*now, *before)):
        if before.get(what) != now.get(what):
            if what in (_INPUT, _MODEL):  # their hashes say nothing to a user
                return f"{what} has changed"
            was, is_ = shown(str(before.get(what))), shown(str(now.get(what)))
            return f"{what} has changed (was {was}, is {is_})"
    return None


def digest_of(model: StanceModel) -> str:
    """Return a hash of all that a model's answers depend on."""
    digest = hashlib.sha256()
    tables = (model.recipe.to_table(), model.book.to_tables(), model.lexicon.source)
    digest.update(json.dumps(tables, sort_keys=True).encode())
    if model.reference is not None:
        digest.update(json.dumps(model.reference.to_table()).encode())
    for head in (model.stance, model.sentiment):
        if head is not None:
            _add_head(digest, head)
    if (kept := model.calibration) is not None:
        for values in (kept.confidence, kept.predicted, kept.correct, kept.document):
            digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def _add_head(digest: "hashlib._Hash", head: Head) -> None:
    digest.update(repr((head.labels, head.targeted, head.temperature, head.own)).encode())
    digest.update(head.intercept.tobytes())
    for block in head.blocks:
        digest.update(repr((block.name, block.weight, block.coef.shape)).encode())
        for values in (block.keys, block.idf, block.coef):
            digest.update(np.ascontiguousarray(values).tobytes())


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
    settle()
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
        try:
            write_private(path, b"%d %d\n" % (len(data), zlib.crc32(data)), data, sync=False)
            _sync(os.open(path, os.O_RDONLY))
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
