"""What ends a command: errors that a user can correct, failures to write, and signals."""

import contextlib
import errno
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from stance.display import shown, shown_path

ON_WINDOWS = os.name == "nt"  # which neither renames nor removes a file that is open

# But of `stance import table`; with what --labels says.
_OPTION = re.compile(r"(?<![\w-])--(?!map )([a-z]+(?:-[a-z]+)*)(?: ('[^']+=[^']+'|\S+=\w+))?")


class StanceError(Exception):
    r"""Base of them all; its message is one line: what was found, where, and what to do.

    What does not print is escaped, whatever of the user's data the message quotes. Where nobody
    uses the command line, Python's arguments stand in place of options.

    >>> str(StanceError("unknown language 'englis\x1b'"))
    "unknown language 'englis\\x1b'"
    """

    exit_status = 1

    def __str__(self) -> str:
        message = super().__str__()
        if "stance.cli" not in sys.modules:
            message = _OPTION.sub(_argument, message)
        return shown(message, len(message))


def _argument(option: re.Match[str]) -> str:
    if option[2]:
        return "labels=" + repr(dict(re.findall("([^',]+)=([^',]+)", option[2])))
    return "book" if option[1] == "actors" else option[1].replace("-", "_")


class DataError(StanceError):
    """A table, corpus or text cannot be used as it is."""


class ExtraError(DataError):
    """A file needs a library that is not installed."""


DISTRIBUTION = "stance-toolkit"  # the name under which pip knows stance

EXTRAS = {
    "dask": "distributed",
    "deep": "onnxruntime",
    "excel": "python-calamine XlsxWriter",
    "html": "lxml_html_clean trafilatura",
    "label": "starlette uvicorn",
    "parquet": "pyarrow",
    "pdf": "reportlab",
    "zst": "zstandard",
}
"""What to install for each extra: by name, for that works from a clone, too."""


def load_extra(library: str, what: str, extra: str | None) -> Any:
    """Return a library, which an extra may bring; raise `ExtraError` if it cannot be loaded."""
    try:
        return import_module(library)
    except ImportError as error:
        command = f"pip install {library if extra is None else EXTRAS[extra]}"
        needs = f"needs {library}" if extra is None else f"needs the extra '{extra}'"
        if not isinstance(error, ModuleNotFoundError):
            needs = f"{needs}, which cannot be loaded ({shown(str(error), 80)})"
            command = command.replace("install", "install -U")
        raise ExtraError(f"{what} {needs}: {command}") from error


class ActorError(StanceError):
    """An actor book is wrong, or an actor is not in it."""


class RecipeError(StanceError):
    """A recipe has an unknown key, a wrong type or a value out of range."""


class UsageError(StanceError):
    """Arguments contradict each other."""

    exit_status = 2


class ModelError(StanceError):
    """A model file is refused."""

    exit_status = 3


class WorkerError(StanceError):
    """A process that computes parts of a run died, or cannot do its work."""


class Finished(StanceError):  # noqa: N818 - no error
    """There is nothing to do: all of it is done already."""

    exit_status = 0


class OutputError(StanceError):
    """Writing failed: disk full, no permission, output exists."""

    exit_status = 4


# --- Files that cannot be written -----------------------------------------------------------------

_NO_PERMISSION = "no permission to write there; choose another folder"
NO_MORE = "no more processes may begin; use fewer --jobs or raise the limit (ulimit -u)"
TOO_MANY = "too many files are open; use fewer --jobs or raise the limit (ulimit -n)"
_REASONS = {
    errno.ENOSPC: "the disk is full; make room and run again",
    errno.EISDIR: "is a folder; name a file in it",
    errno.EBADF: "is closed; open it, or name an output file",
    errno.EEXIST: "exists already; use --force to overwrite it",
    **dict.fromkeys((errno.EACCES, errno.EPERM), _NO_PERMISSION),
    **dict.fromkeys((errno.ENOENT, errno.ENOTDIR), "its folder does not exist; create it first"),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), TOO_MANY),
}


@contextlib.contextmanager
def reported(path: Path | None) -> Iterator[None]:
    """Turn failures to write within the block into `OutputError`."""
    try:
        yield
    except OSError as error:
        if isinstance(error, BrokenPipeError) or (path is None and is_closed_pipe(error)):
            raise  # `| head` has seen enough, which is not a failure
        fallback = f"cannot be written: {error.strerror or type(error).__name__}; write elsewhere"
        reason = _REASONS.get(error.errno or 0, fallback)
        if error.errno == errno.EACCES and ON_WINDOWS:
            reason = "no permission, or open in another program such as Excel; close it there"
        named = error.filename if isinstance(error.filename, str) else None
        raise refusal(path or (Path(named) if named else None), reason) from error


def is_closed_pipe(error: OSError) -> bool:
    """Return whether nobody reads the pipe any more; Windows calls that a wrong argument."""
    wrong = error.errno == errno.EINVAL and error.filename is None
    return isinstance(error, BrokenPipeError) or (wrong and ON_WINDOWS)


def refusal(path: Path | None, reason: str) -> OutputError:
    """Return that a file, or standard output, cannot be written, and why."""
    return OutputError(f"{shown_path(path) if path else 'standard output'}: {reason}")


# --- Ctrl-C and SIGTERM ---------------------------------------------------------------------------


# That end a command; Windows has no SIGHUP.
_ENDING = {signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)}


@contextlib.contextmanager
def handle_signals(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Call a function if Ctrl-C, SIGTERM or SIGHUP comes while the block runs.

    A signal that our parent told us to ignore, as `nohup` and `&` do, stays ignored.
    """
    before = {}
    if threading.current_thread() is threading.main_thread():  # no other may set handlers
        now = {number: signal.getsignal(number) for number in _ENDING}
        before = {n: old for n, old in now.items() if old not in (signal.SIG_IGN, None)}
    try:
        for number in before:
            signal.signal(number, handler)
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


def raise_signal(number: int, _frame: FrameType | None) -> NoReturn:
    """Raise a signal as an exception, which says so if it is not Ctrl-C."""
    raise KeyboardInterrupt if number == signal.SIGINT else KeyboardInterrupt("terminated")


@contextlib.contextmanager
def defer_signals() -> Iterator[None]:
    """Let signals wait until the block has run; a mask would do so for one thread only."""
    came: list[int] = []
    try:
        with handle_signals(lambda number, _: came.append(number)):
            yield
    finally:
        for number in came:
            signal.raise_signal(number)
