"""The private folder beside an output that lets a stopped run go on with its finished parts."""

import contextlib
import hashlib
import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Self, cast

from stance.display import count, shown_path
from stance.errors import DataError, OutputError, StanceError, output_error
from stance.files import sync_folder, write_private
from stance.interrupts import defer_signals
from stance.runs.parts import Part, Store
from stance.runs.plan import SIZE, Plan, difference

try:
    import fcntl
except ImportError:  # Windows, where two runs at once are not noticed before the end
    fcntl = None  # type: ignore[assignment]

_MOST_RECORDS = 1_000_000  # of a part, in a plan that is not damaged
_LOCK, _PLAN, _ENDING = "lock", "plan.json", "ending"


def folder_of(output: Path) -> Path:
    """Return where a run keeps its parts.

    >>> folder_of(Path("out/answers.csv")).as_posix()
    'out/.answers.csv.stance-run'
    """
    name = f".{output.name}.stance-run"
    if len(os.fsencode(name)) > 255:  # the longest that file systems take
        name = f".{hashlib.sha256(os.fsencode(output.name)).hexdigest()}.stance-run"
    return output.parent / name


@dataclass(frozen=True, slots=True)
class Leftover:
    """What an earlier run left for this one to go on with."""

    parts: bool = False
    size: int = 0  # records of a part; 0 if unknown
    renaming: bool = False  # it was giving its files their names, which are thus our own
    output: bool = False  # it had given the output its name, too


class Run:
    """A long run that keeps its parts in a folder from `begin` until its ``with`` block ends.

    If it ends in an error, finished parts stay: `resume` goes on with them, `force` clears them.
    """

    def __init__(self, output: Path, *, resume: bool, force: bool) -> None:
        self.name = shown_path(output)
        try:
            self.folder = folder_of(Path(os.path.realpath(output)))  # `resolve` raises on loops
        except OSError as error:
            raise output_error(error, output) from error
        self.store = Store(self.folder, "", output)
        self.left = Leftover()
        self._output, self._resume, self._force = output, resume, force
        self._lock: int | None = None
        self._begun = False

    def __enter__(self) -> Self:
        try:
            if self.folder.is_symlink() or self.folder.exists():
                self._take_lock()
                self.left = self._judge_leftover()
        except BaseException as error:
            self._unlock()
            if isinstance(error, OSError):
                raise output_error(error, self._output) from error
            raise
        return self

    def _judge_leftover(self) -> Leftover:
        """Decide about what is in the folder: go on with it, clear it away, or raise."""
        ending = self._text(_ENDING)
        output = self._output.exists() and ending == str(self._output.stat().st_ino)
        parts = (self.folder / _PLAN).exists() and any(self.folder.glob("*.rows"))
        if parts and self._resume:
            for child in self.folder.iterdir():
                if child.name not in (_LOCK, _PLAN, _ENDING) and child.suffix != ".rows":
                    child.unlink(missing_ok=True)
        elif parts and not self._force and not output:
            why = "a stopped run has left finished parts"
            advice = "--resume goes on with them, --force starts anew"
            raise OutputError(f"{self.name}: {why}; {advice}")
        else:
            self._remove()
        if not self._resume:
            return Leftover()
        size = self.plan.get(SIZE)
        usable = type(size) is int and 0 < size <= _MOST_RECORDS  # else `begin` reports it
        return Leftover(parts, cast(int, size) if usable else 0, ending is not None, output)

    def _take_lock(self) -> None:
        """Lock the folder, or raise; the lock is gone when its process is."""
        while self._lock is None:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            found = self.folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or (fcntl and found.st_uid != os.geteuid()):
                where = shown_path(self.folder)
                raise OutputError(f"{where}: is in the way and not a folder of yours; remove it")
            self.folder.chmod(0o700)
            path = self.folder / _LOCK
            try:
                self._lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
                self._lock_file(self._lock)
                if path.stat().st_ino != os.fstat(self._lock).st_ino:
                    raise FileNotFoundError  # the folder of a run that just ended
            except FileNotFoundError:
                self._unlock()

    def _lock_file(self, handle: int) -> None:
        try:
            if fcntl:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            why = "another run is writing it; wait for it, or name another output"
            raise OutputError(f"{self.name}: {why}") from error
        except OSError:
            return  # a file system without locks

    def _unlock(self) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            with contextlib.suppress(OSError):  # nothing has been written to it
                os.close(lock)

    def begin(self, plan: Plan) -> None:
        """Make the folder, or raise `OutputError` if the earlier run had another plan."""
        text = json.dumps(plan, indent=1)
        key = hashlib.sha256(text.encode()).hexdigest()[:16]
        self.store = Store(self.folder, key, self._output)
        if not self.left.parts:
            try:
                with defer_signals():  # or the folder might be left with nothing to clear it away
                    self._take_lock()
                    self._begun = True
                write_private(self.folder / _PLAN, text.encode())
                sync_folder(self.folder.parent)
            except OSError as error:
                with contextlib.suppress(OSError):
                    self.folder.rmdir()  # where there was room for it, and none for more
                raise output_error(error, self._output) from error
        elif changed := difference(self.plan, plan):
            advice = "start anew with --force and without --resume"
            why = f"{changed}; undo that, or" if self.plan else f"its {_PLAN} is damaged;"
            raise OutputError(f"{self.name}: cannot resume, since {why} {advice}")
        self._begun = True

    @property
    def plan(self) -> Plan:
        """The plan of the earlier run."""
        with contextlib.suppress(ValueError, RecursionError):
            found = json.loads(self._text(_PLAN) or "")
            if isinstance(found, dict):
                return found
        return {}

    def whole(self, part: Part) -> Part:
        """Keep a part that is not kept yet, and return it with its lines."""
        if part.lines is not None:
            self.store.write(part)
            return part
        if found := self.store.read(part.number):
            return found
        why = f"part {part.number} is gone from {shown_path(self.folder)}"
        advice = "run again with --resume and leave that folder alone"
        raise OutputError(f"{self.name}: {why}; {advice}")

    def end(self, inode: int) -> None:
        """Note which file is about to become the output."""
        try:
            write_private(self.folder / _ENDING, b"%d" % inode)
        except OSError as error:
            raise output_error(error, self._output) from error

    def _text(self, name: str) -> str | None:
        with contextlib.suppress(OSError, ValueError):
            return (self.folder / name).read_text("utf-8")
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        try:
            if not self._begun:
                return  # and leave an earlier run's parts alone
            kept = len(list(self.folder.glob(f"{self.store.key}-*.rows")))
            advice = f"{count(kept, 'finished part')} kept: run again with --resume to go on"
            if error is None or isinstance(error, DataError) or not kept:
                self._remove()
            elif isinstance(error, StanceError):
                error.args = (f"{error}; {advice}",)
            else:
                error.add_note(advice)
        finally:
            self._unlock()

    def _remove(self) -> None:
        """Remove the folder, with what a dying worker may still add."""
        # A kill does not wait: what shows whose the output is, and that a run is on, goes last.
        last = (_PLAN, _ENDING, _LOCK)
        if fcntl is None:
            self._unlock()  # Windows removes no file that is open
        locked = True
        with defer_signals():
            for _ in range(3):
                with contextlib.suppress(OSError):
                    names = {child.name for child in self.folder.iterdir()}
                    for name in (*sorted(names - set(last)), *last[:2]):
                        (self.folder / name).unlink(missing_ok=True)
                    if locked:
                        (self.folder / _LOCK).unlink(missing_ok=True)
                        locked = False
                    self.folder.rmdir()
                if not locked and (not self.folder.exists() or (self.folder / _LOCK).exists()):
                    break  # in the latter case another run has just begun
        self._unlock()
