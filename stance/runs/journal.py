"""The journal of a run: its finished parts, kept beside the output until all of them are there.

The first line is the plan: what the output depends on. Each part is a line with its size and
checksum, a line of JSON, and the answers of its rows. A last part that a kill cut short is dropped.
"""

import contextlib
import hashlib
import json
import os
import sys
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO

import numpy as np
import Stemmer

from stance import __version__
from stance.errors import DataError, Finished, refusal, reported
from stance.files import clear_leftovers, write_out
from stance.model import StanceModel
from stance.records import InputOptions, Options
from stance.runs.answers import Part, Tally
from stance.tables import Records

try:
    import fcntl
except ImportError:  # Windows, where two runs at once are not noticed before the end
    fcntl = None  # type: ignore[assignment]

_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)

# --- What a run depends on ------------------------------------------------------------------------

Fingerprint = Mapping[str, str | int | float | bool | None]  # in words that a user knows


def versions(model: StanceModel | None = None) -> dict[str, str]:
    """Return the versions that answers may depend on; Python's knows the letters of all scripts."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    libraries = {"numpy": np.__version__, "PyStemmer": Stemmer.version()}
    if reader := model and (model.deep or model.encoder):
        libraries["onnxruntime"] = reader.version
    return {"stance": __version__, **libraries, "python": python}


def fingerprint(
    model: StanceModel, reading: InputOptions, options: Options, *, rejects: bool
) -> Fingerprint:
    """Return what the answers depend on beside the files, by the names of the command line."""
    values = asdict(reading) | asdict(options) | {"rejects": rejects}
    known = {f"the version of {name}": number for name, number in versions(model).items()}
    asked = {f"--{name.replace('_', '-')}": value for name, value in values.items()}
    book = hashlib.sha256(json.dumps(model.book.to_tables(), sort_keys=True).encode()).hexdigest()
    return {**asked, **known, "the actor book or --aliases": book, "the model": model.digest}


def difference(before: Fingerprint, now: Fingerprint) -> str | None:
    """Return in words the first difference between two fingerprints.

    >>> difference({"the file a.csv": "6f3c", "--deep": "all"}, {"the file a.csv": "6f3c"})
    '--deep is gone'
    """
    for what in {**now, **before}:
        if before.get(what) != now.get(what):
            state = "is new" if what not in before else "has changed" if what in now else "is gone"
            return f"{what} {state}"
    return None if [*before] == [*now] else "the order of the files has changed"


# --- Finished parts -------------------------------------------------------------------------------


def journal_of(output: Path) -> Path:
    """Return where a run keeps its parts."""
    return output.parent / f".{output.name}.stance-run"


class Journal(contextlib.AbstractContextManager["Journal"]):
    """A file beside the output, locked in a ``with`` block, that keeps parts from `begin` on.

    If the block ends in an error, finished parts stay: `resume` goes on with them, `force` clears
    them; so does `anew`, where they are of a run with another plan.
    """

    def __init__(self, output: Path, *, resume: bool, force: bool, anew: bool) -> None:
        self.output, self._anew = output, anew
        target = Path(os.path.realpath(output))
        self.path = journal_of(target)
        self.kept_at = 0.0  # when an earlier run finished its last part
        self._plan: Fingerprint = {}  # of the earlier run; empty if it is damaged
        self._begun = False
        with reported(output), contextlib.ExitStack() as undo:
            file: IO[bytes] = os.fdopen(os.open(self.path, _FLAGS, 0o600), "r+b")
            self._file = undo.enter_context(file)
            with contextlib.suppress(OSError, AttributeError):  # where files have no such modes
                os.fchmod(file.fileno(), 0o600)  # whoever left it there
            try:
                if fcntl:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # until the file is closed
            except BlockingIOError as error:
                why = "another run is writing it; wait for it, or name another output"
                raise refusal(output, why) from error
            except OSError:  # a file system without locks
                pass
            clear_leftovers(target.parent, target.name)
            with contextlib.suppress(ValueError, RecursionError):
                plan = json.loads(file.readline())
                self._plan = plan if isinstance(plan, dict) else {}
            start = file.tell()
            if _next_part(file):
                self.kept_at = os.fstat(file.fileno()).st_mtime
            file.seek(start)
            self._holds_parts = self.kept_at > 0
            if self._holds_parts and not (resume or force or anew):
                advice = "--resume goes on with them, --force starts again"
                raise refusal(output, f"a stopped run has left finished parts; {advice}")
            self._resuming = self._holds_parts and resume  # with parts of an earlier run
            undo.pop_all()

    def begin(self, plan: Fingerprint) -> None:
        """Write the plan, or raise `OutputError` if the earlier run had another one."""
        changed = difference(self._plan, plan) if self._resuming else None
        if changed and not self._anew:
            why = f"cannot resume, since {changed}; undo that, or start again with --force"
            raise refusal(self.output, f"{why} and without --resume")
        self._resuming, self._begun = self._resuming and not changed, True
        if not self._resuming:
            self._holds_parts = False
            with reported(self.output):
                self._file.seek(0)
                self._file.truncate()
                self._file.write(json.dumps(plan).encode() + b"\n")
                self._file.flush()

    def kept(self, records: Records) -> Part | None:
        """Return the part of some records, asked for in order; None from a missing one on."""
        if not self._resuming:
            return None
        place = self._file.tell()
        part = _next_part(self._file)
        if part and (part.number, part.tally.rows) == (records.numbers[0], len(records)):
            return part
        self._resuming = False
        self._file.seek(place)
        self._file.truncate()
        return None

    def keep(self, part: Part) -> Part:
        """Add a part; raise `OutputError` if there is no room for it."""
        answers = [[*key, times] for key, times in part.tally.answers.items()]
        tally = part.tally._asdict() | {"answers": answers}
        facts = json.dumps([part.number, tally, part.counts]).encode() + b"\n"
        size, checksum = len(facts) + len(part.tails), zlib.crc32(part.tails, zlib.crc32(facts))
        with reported(self.output):
            self._file.write(b"%d %d\n%s" % (size, checksum, facts))
            self._file.write(part.tails)
            self._file.flush()
        write_out(self._file)
        self._holds_parts = True
        return part

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        with contextlib.suppress(OSError):  # what could not be written is told already
            self._file.close()
        done = error is None or isinstance(error, Finished)
        if done or not self._holds_parts or (self._begun and isinstance(error, DataError)):
            self.path.unlink(missing_ok=True)
        elif self._begun and error:
            error.add_note("finished parts are kept: run again with --resume to go on")


def _next_part(file: IO[bytes]) -> Part | None:
    """Return the part at this place of a journal; None if there is none that can be read."""
    with contextlib.suppress(ValueError, KeyError, TypeError, OverflowError, MemoryError):
        size, checksum = map(int, file.readline(100).split())
        if zlib.crc32(data := file.read(size)) == checksum:
            facts, _, tails = data.partition(b"\n")
            number, tally, counts = json.loads(facts)
            tally["answers"] = Counter({tuple(key): n for *key, n in tally["answers"]})
            return Part(number, Tally(**tally), [*map(int, counts)], tails)
    return None
