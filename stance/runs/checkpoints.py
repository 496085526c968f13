"""The private folder beside an output that lets a stopped run go on with its finished parts."""

import contextlib
import json
import os
import stat
from pathlib import Path
from typing import Self

from stance.display import count, shown_path
from stance.errors import DataError, OutputError, StanceError, output_error, reported
from stance.files import sync_folder, write_private
from stance.interrupts import defer_signals
from stance.runs.parts import Batch, Part, pack, unpack
from stance.runs.summary import Fingerprint, difference

try:
    import fcntl
except ImportError:  # Windows, where two runs at once are not noticed before the end
    fcntl = None  # type: ignore[assignment]

_LOCK, _PLAN, _ENDING = "lock", "plan.json", "ending"
_LAST = (_PLAN, _ENDING, _LOCK)  # to be removed, in this order: a kill does not wait


def folder_of(output: Path) -> Path:
    """Return where a run keeps its parts.

    >>> folder_of(Path("out/answers.csv")).as_posix()
    'out/.answers.csv.stance-run'
    """
    return output.parent / f".{output.name}.stance-run"


class RunFolder:
    """A folder that keeps the parts of a long run from `begin` until its ``with`` block ends.

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
        self.name = shown_path(output)
        with reported(output):
            self.folder = folder_of(Path(os.path.realpath(output)))  # `resolve` raises on loops
        self.resuming = self.renaming = self._begun = False
        self._output, self._resume, self._anew = output, resume, anew
        self._clears = resume or force or anew
        self._lock: int | None = None

    def __enter__(self) -> Self:
        try:
            with reported(self._output):
                if self.folder.is_symlink() or self.folder.exists():
                    self._take_lock()
                    self._inspect()
        except BaseException:
            self._unlock()
            raise
        return self

    def _inspect(self) -> None:
        """Decide about what is in the folder: go on with it, clear it away, or raise."""
        parts = (self.folder / _PLAN).exists() and any(self.folder.glob("*.rows"))
        if parts and not self._clears:
            advice = "--resume goes on with them, --force starts anew"
            raise OutputError(f"{self.name}: a stopped run has left finished parts; {advice}")
        if not (parts and self._resume):
            self._remove()
            return
        for child in self.folder.iterdir():
            if child.name not in _LAST and child.suffix != ".rows":
                child.unlink(missing_ok=True)
        inode = self._text(_ENDING)
        mine = not self._output.exists() or inode == str(self._output.stat().st_ino)
        self.resuming, self.renaming = True, bool(inode) and mine

    def _take_lock(self) -> None:
        """Lock the folder, or raise; the lock is gone when its process is."""
        while self._lock is None:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            state = self.folder.lstat()
            if not stat.S_ISDIR(state.st_mode) or (fcntl and state.st_uid != os.geteuid()):
                where = shown_path(self.folder)
                raise OutputError(f"{where}: is in the way and not a folder of yours; remove it")
            self.folder.chmod(0o700)
            path = self.folder / _LOCK
            try:
                self._lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
                if fcntl:
                    self._lock_or_raise(self._lock)
                if path.stat().st_ino != os.fstat(self._lock).st_ino:
                    raise FileNotFoundError  # the folder of a run that just ended
            except FileNotFoundError:
                self._unlock()

    def _lock_or_raise(self, handle: int) -> None:
        with contextlib.suppress(OSError):  # a file system without locks
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                why = "another run is writing it; wait for it, or name another output"
                raise OutputError(f"{self.name}: {why}") from error

    def _unlock(self) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            with contextlib.suppress(OSError):  # nothing has been written to it
                os.close(lock)

    def begin(self, plan: Fingerprint) -> None:
        """Make the folder, or raise `OutputError` if the earlier run had another plan."""
        if self.resuming and (changed := difference(self._plan(), plan)):
            if not self._anew:
                why = f"cannot resume, since {changed}; undo that, or start anew with --force"
                raise OutputError(f"{self.name}: {why} and without --resume")
            for path in self.folder.glob("*.rows"):
                path.unlink()
            self.resuming = False
        if not self.resuming:
            try:
                with defer_signals():  # or the folder might be left with nothing to clear it away
                    self._take_lock()
                    self._begun = True
                write_private(self.folder / _PLAN, json.dumps(plan, indent=1).encode())
                sync_folder(self.folder.parent)
            except OSError as error:
                with contextlib.suppress(OSError):
                    self.folder.rmdir()  # where there was room for it, and none for more
                raise output_error(error, self._output) from error
        self._begun = True

    def _plan(self) -> Fingerprint:
        """Return the plan of the earlier run; empty if it is damaged."""
        with contextlib.suppress(ValueError, RecursionError):
            plan = json.loads(self._text(_PLAN))
            if isinstance(plan, dict):
                return plan
        return {}

    def _text(self, name: str) -> str:
        with contextlib.suppress(OSError, ValueError):
            return (self.folder / name).read_text("utf-8")
        return ""

    def path(self, number: int) -> Path:
        """Return where a part is kept."""
        return self.folder / f"{number:08d}.rows"

    def keep(self, part: Part) -> Part:
        """Keep a part in a file that appears only when it is whole; raise `OutputError` if not."""
        self._write(self.path(part.number), pack(part), sync=False)
        return part

    def kept(self, batch: Batch) -> Part | None:
        """Return the kept part of a batch; None if there is none, or it is damaged or another."""
        with contextlib.suppress(OSError, ValueError):
            part = unpack(self.path(batch.number).read_bytes())
            if (part.number, part.tally.rows) == (batch.number, len(batch.records)):
                return part
        return None

    def end(self, inode: int) -> None:
        """Note which file is about to become the output."""
        self._write(self.folder / _ENDING, b"%d" % inode, sync=True)

    def _write(self, path: Path, data: bytes, *, sync: bool) -> None:
        with reported(self._output):
            write_private(path, data, sync=sync)

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        try:
            if not self._begun:
                return  # and leave an earlier run's parts alone
            kept = len(list(self.folder.glob("*.rows")))
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
        """Remove the folder; what shows whose the output is, and that a run is on, goes last."""
        if fcntl is None:
            self._unlock()  # Windows removes no file that is open
        with contextlib.suppress(OSError), defer_signals():
            names = {child.name for child in self.folder.iterdir()}
            for name in (*sorted(names.difference(_LAST)), *_LAST):
                (self.folder / name).unlink(missing_ok=True)
            self.folder.rmdir()  # unless another run has begun since
        self._unlock()
