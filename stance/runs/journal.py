"""The journal of a run: its finished parts, kept beside the output until all of them are there.

The first line is about the output in the making, the second is the plan. Each part is a line with
its size and checksum, a line of JSON, and rows; what a kill has left of the last one is dropped.
"""

import contextlib
import json
import os
import stat
import zlib
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import IO, Self

from stance.display import shown_path
from stance.errors import DataError, OutputError, StanceError, reported
from stance.files import clear_leftovers, sync_folder
from stance.runs.answers import Part, Tally
from stance.runs.summary import Fingerprint, difference
from stance.tables import Records

try:
    import fcntl
except ImportError:  # Windows, where two runs at once are not noticed before the end
    fcntl = None  # type: ignore[assignment]

_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_HEAD = b"%d %20d\n"  # whether it is about to get its name, and its number in the file system
_KEPT = "finished parts are kept: run again with --resume to go on"


def journal_of(output: Path) -> Path:
    """Return where a run keeps its parts.

    >>> journal_of(Path("out/answers.csv")).as_posix()
    'out/.answers.csv.stance-run'
    """
    return output.parent / f".{output.name}.stance-run"


class Journal:
    """A file that keeps the parts of a long run from `begin` until its ``with`` block ends.

    If it ends in an error, finished parts stay: `resume` goes on with them, `force` clears them;
    so does `anew`, where they are of a run with another plan.

    Attributes
    ----------
    resuming : bool
        Whether there are parts of an earlier run to go on with.
    renaming : bool
        Whether that run had begun to give its files their names, and nobody else has since.
    """

    def __init__(self, output: Path, *, resume: bool, force: bool, anew: bool = False) -> None:
        with reported(output):
            self._path = journal_of(Path(os.path.realpath(output)))  # `resolve` raises on loops
        self.resuming = self.renaming = self._begun = self._holds_parts = False
        self._output, self._resume, self._anew = output, resume, anew
        self._clears = resume or force or anew
        self._plan: Fingerprint = {}  # of the earlier run; empty if it is damaged
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            with reported(self._output):
                self._inspect()
        except BaseException:
            self._close()
            raise
        return self

    def _open(self) -> IO[bytes]:
        """Return the file, locked until its process ends; raise if another run has it."""
        while self._file is None:
            file = os.fdopen(os.open(self._path, _FLAGS, 0o600), "r+b")
            with contextlib.ExitStack() as unused:
                unused.callback(file.close)
                self._lock(file)
                with contextlib.suppress(FileNotFoundError):  # that of a run which just ended
                    if self._path.lstat().st_ino == os.fstat(file.fileno()).st_ino:
                        unused.pop_all()
                        self._file = file
        return self._file

    def _lock(self, file: IO[bytes]) -> None:
        with contextlib.suppress(OSError):  # a file system without locks
            try:
                if fcntl:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                why = "another run is writing it; wait for it, or name another output"
                raise OutputError(f"{shown_path(self._output)}: {why}") from error

    def _inspect(self) -> None:
        """Decide about an earlier run's parts: go on with them, clear them away, or raise."""
        try:
            state = self._path.lstat()
        except OSError:
            return  # there is none
        if not stat.S_ISREG(state.st_mode) or (fcntl and state.st_uid != os.geteuid()):
            where = shown_path(self._path)
            raise OutputError(f"{where}: is in the way, but not a file of yours; remove it")
        file, ending, inode = self._open(), 0, 0
        with contextlib.suppress(ValueError, RecursionError):
            ending, inode = map(int, file.readline(100).split())
            plan = json.loads(file.readline())
            self._plan = plan if isinstance(plan, dict) else {}
        clear_leftovers(self._path.parent, inode)
        start = file.tell()
        parts = _next_part(file) is not None
        if parts and not self._clears:
            advice = "--resume goes on with them, --force starts again"
            name = shown_path(self._output)
            raise OutputError(f"{name}: a stopped run has left finished parts; {advice}")
        if not (parts and self._resume):
            self._remove()
            return
        file.seek(start)
        self.resuming = self._holds_parts = True
        mine = not self._output.exists() or self._output.stat().st_ino == inode
        self.renaming = bool(ending) and mine

    def begin(self, plan: Fingerprint) -> None:
        """Write the plan, or raise `OutputError` if the earlier run had another one."""
        if self.resuming and (changed := difference(self._plan, plan)):
            if not self._anew:
                why = f"cannot resume, since {changed}; undo that, or start again with --force"
                raise OutputError(f"{shown_path(self._output)}: {why} and without --resume")
            self.resuming = self._holds_parts = False
        self._begun = True
        if not self.resuming:
            with reported(self._output):
                file = self._open()
                file.seek(0)
                file.truncate()
                file.write(_HEAD % (0, 0) + json.dumps(plan).encode() + b"\n")
                file.flush()
                sync_folder(self._path.parent)

    def note(self, inode: int, *, ending: bool = False) -> None:
        """Note which file is to become the output, and when it is about to."""
        file = self._open()
        place = file.tell()
        with reported(self._output):
            file.seek(0)
            file.write(_HEAD % (ending or self.renaming, inode))
            file.flush()
            os.fsync(file.fileno())
        file.seek(place)

    def kept(self, records: Records) -> Part | None:
        """Return the part of some records, asked for in order; where one is missing, all end."""
        if not self.resuming:
            return None
        file = self._open()
        place = file.tell()
        part = _next_part(file)
        if part and (part.number, part.tally.rows) == (records.numbers[0], len(records)):
            return part
        self.resuming = False
        file.seek(place)
        file.truncate()
        return None

    def keep(self, part: Part) -> Part:
        """Add a part; raise `OutputError` if there is no room for it."""
        answers = [[*key, times] for key, times in part.tally.answers.items()]
        tally = asdict(part.tally) | {"answers": answers}
        facts = json.dumps([part.number, tally, part.rows, part.times]).encode()
        data = b"%s\n%s" % (facts, part.lines)
        file = self._open()
        with reported(self._output):
            file.write(b"%d %d\n%s" % (len(data), zlib.crc32(data), data))
            file.flush()
        self._holds_parts = True
        return part

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if self._begun:  # or the parts are an earlier run's
            if error is None or isinstance(error, DataError) or not self._holds_parts:
                self._remove()
            elif isinstance(error, StanceError):
                error.args = (f"{error}; {_KEPT}",)
            else:
                error.add_note(_KEPT)
        self._close()

    def _remove(self) -> None:
        if self._file and not fcntl:
            self._file.close()  # Windows removes no file that is open
        if self._file:  # or another run has it
            with contextlib.suppress(OSError):
                self._path.unlink()
        self._close()

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):  # what could not be written is told already
                file.close()


def _next_part(file: IO[bytes]) -> Part | None:
    """Return the part at this place of a journal; None if there is none, or it is damaged."""
    with contextlib.suppress(ValueError, OverflowError, MemoryError):
        size, checksum = map(int, file.readline(100).split())
        data = file.read(size)
        if zlib.crc32(data) == checksum:
            facts, _, lines = data.partition(b"\n")
            number, tally, rows, times = json.loads(facts)
            tally["answers"] = Counter({tuple(key): n for *key, n in tally["answers"]})
            return Part(number, Tally(**tally), rows, lines, times)
    return None
