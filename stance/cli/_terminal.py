"""The terminal: results, notes and progress, and errors as one line with an exit status."""

import errno
import functools
import io
import json
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from typing import Any, NoReturn

from stance import errors
from stance.display import shown, wrap

LONGEST = 600  # characters of an error that are printed
BRIEF = 0.2  # seconds between two progress lines
ABANDONED = INTERRUPTED, TERMINATED = 130, 143
_WRITING = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}


def catching(command: Callable[..., None], *arguments: Any) -> None:
    """Run a command so that nothing a user can cause ends in a traceback."""
    try:
        with errors.handle_signals(errors.raise_signal):
            command(*arguments)
            with errors.reported(None):
                sys.stdout.flush()
    except errors.StanceError as error:
        _leave(str(error), error, error.exit_status)
    except KeyboardInterrupt as error:
        _leave(str(error) or "interrupted", error, TERMINATED if error.args else INTERRUPTED)
    except Exception as error:  # what the system refuses is told from a bug below
        if isinstance(error, OSError) and errors.is_closed_pipe(error):
            # The reader of our output (`| head`) has seen enough; that is not a failure.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(0) from None
        if (line := _of_the_system(error)) is None:
            raise  # a bug keeps its traceback
        _leave(line, error, 4 if getattr(error, "errno", None) in _WRITING else 1)


def _of_the_system(error: Exception) -> str | None:
    """Return the line of a failure that is the system's, or of texts it gave; None for a bug."""
    cause: BaseException | None = error
    while cause is not None:  # what fails may be what then cleans up
        number = getattr(cause, "errno", None)
        if number in (errno.EMFILE, errno.ENFILE):
            return errors.TOO_MANY
        if number == errno.EAGAIN or "can't start new thread" in str(cause):
            return errors.NO_MORE
        if isinstance(cause, MemoryError) or number == errno.ENOMEM:
            return "memory ran out; close other programs, raise the limit or use fewer --jobs"
        cause = cause.__context__
    if isinstance(error, UnicodeError):
        return f"a text or name is not UTF-8 ({shown(str(error), 100)}); convert it"
    if isinstance(error, OSError):
        reason = error.strerror or type(error).__name__
        lost = "the working folder" if error.errno == errno.ENOENT else "output"  # without a name
        return f"{shown(str(error.filename or lost), 200)}: {reason}"
    return None


def _leave(message: str, error: BaseException, status: int) -> NoReturn:
    """Print one line on stderr, with the error's notes (such as how to resume), and exit."""
    line = "; ".join([message, *getattr(error, "__notes__", ())])
    print(fitted(f"stance: {shown(line, LONGEST)}"), file=sys.stderr, flush=True)
    raise SystemExit(status) from None


def run_safely(command: Callable[..., None]) -> None:
    """Run a command even if streams are closed, or unable to show every character."""
    for number, stream in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, stream) is None:  # closed, whose number a file would take
            flags = os.O_RDONLY if stream == "stdout" else os.O_RDWR  # or results would be lost
            os.set_inheritable(os.open(os.devnull, flags), True)
            bare = os.fdopen(number, "wb" if number else "rb", 0)
            setattr(sys, stream, io.TextIOWrapper(bare, write_through=True))
    tell_once = functools.cache(tell)  # what two steps of a command warn of
    warnings.showwarning = lambda message, *_, **__: tell_once(f"note: {message}")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        catching(command)
    except SystemExit as end:
        if end.code in ABANDONED:
            abandon(end.code)
        if isinstance(end.__context__, BrokenPipeError):  # of `--help | head`
            os._exit(0)
        raise


def abandon(status: int) -> NoReturn:
    """End now: not after freeing gigabytes, nor after a thread or what joblib's processes do."""
    processes = sys.modules.get("multiprocessing")
    for child in processes.active_children() if processes else ():
        with suppress(OSError):
            os.kill(child.pid, getattr(signal, "SIGKILL", signal.SIGTERM))  # joblib's lack `kill`
    with suppress(OSError):
        sys.stdout.flush()
    os._exit(status)


def say(text: str) -> None:
    """Print a result on stdout; what its encoding lacks is escaped."""
    with errors.reported(None):
        print(text, flush=True)


def show(figures: object, lines: Callable[[], Iterable[str]], as_json: bool) -> None:
    """Print a command's result on stdout: as JSON, or as lines, which are laid out only then."""
    say(json.dumps(figures) if as_json else "\n".join(lines()))


def tell(*lines: str) -> None:
    """Print notes on stderr; if nobody reads them any more, the run continues all the same."""
    for line in lines:
        with suppress(OSError):
            print(fitted(shown(line, 400)), file=sys.stderr, flush=True)


def fitted(line: str) -> str:
    """Return a line for stderr, on a terminal broken between words."""
    return "\n".join(wrap(line)) if sys.stderr.isatty() else line


class Progress(AbstractContextManager["Progress"]):
    """Progress of a ``with`` block: on a terminal, a line that changes below the notes."""

    def __init__(self, quiet: bool = False) -> None:
        self._changes = not quiet and sys.stderr.isatty()
        self._last = time.monotonic()

    def __call__(self, rows: int, done: int, total: int | None) -> None:
        """Show the rows so far, and the share of all bytes."""
        if (now := time.monotonic()) - self._last >= BRIEF:
            self._last = now
            share = f"{100 * done / total:.0f} %  " if total else ""
            self._change(f"{share}{rows:,} rows")

    def note(self, line: str) -> None:
        """Print a line that stays."""
        self._change("")
        tell(line)

    def _change(self, line: str) -> None:
        if self._changes:
            with suppress(OSError):
                print("\r\x1b[K" + line, end="", file=sys.stderr, flush=True)

    def clear(self, *_: object) -> None:
        """Remove the line that changes."""
        self._change("")

    __exit__ = clear
