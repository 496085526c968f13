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
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec

import typer

from stance.display import shown
from stance.errors import StanceError, is_closed_pipe, output_error, reported
from stance.interrupts import Terminated, handle_signals, raise_signal

if TYPE_CHECKING:
    from stance.runs.answers import Tally

LONGEST = 600  # characters of an error that are printed

ABANDONED = INTERRUPTED, TERMINATED = 130, 143

SECONDS = 15.0  # seconds between two progress lines if stderr is not a terminal
LONG = 100  # seconds from which minutes are shown
EARLY = 0.02  # share of the work after which the time left means something
SETTLED = 0.5  # seconds after which a rate means something
WIDE = 80  # columns of a terminal that have room for a bar

_WRITING = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}

_NO_MEMORY = "memory ran out; close other programs, raise the limit or use fewer --jobs"
_STARVED = (
    *("failed to map", "cannot map", "allocate memory", "start new thread", "out of memory"),
    # How C code ends that got no memory and says nothing:
    *("without exception set", "without setting an exception", "digital envelope routines"),
)

P = ParamSpec("P")


def catching(command: Callable[P, None]) -> Callable[P, None]:
    """Wrap a command so that nothing a user can cause ends in a traceback."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            with handle_signals(raise_signal):
                command(*args, **kwargs)
                with reported(None):
                    sys.stdout.flush()
        except StanceError as error:
            _leave(str(error), error, error.exit_status)
        except KeyboardInterrupt as error:
            _leave("interrupted", error, INTERRUPTED)
        except Terminated as error:
            _leave("terminated", error, TERMINATED)
        except Exception as error:
            if isinstance(error, OSError) and is_closed_pipe(error):
                # The reader of our output (`| head`) has seen enough; that is not a failure.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                raise typer.Exit(0) from None
            if (line := _of_the_system(error)) is None:
                raise  # a bug keeps its traceback
            _leave(line, error, 4 if getattr(error, "errno", None) in _WRITING else 1)

    return run


def _of_the_system(error: Exception) -> str | None:
    """Return the line of a failure that is the system's, or of texts it gave; None for a bug."""
    causes = [*_causes(error)]
    if any(getattr(cause, "errno", None) in (errno.EMFILE, errno.ENFILE) for cause in causes):
        return "too many files are open; use fewer --jobs or raise the limit (ulimit -n)"
    if any(map(_lacks_memory, causes)):
        return _NO_MEMORY
    match error:
        case ImportError(name="_sqlite3" | "sqlite3"):
            return "this Python lacks sqlite3; use one that has it"
        case RecursionError():
            return "the input is nested too deep; write it flat"
        case OSError() if "temporary directory" in str(error):
            tried = shown(str(error).partition("in ")[2], 300)
            return f"no temporary files can be written in {tried}; make room, or set TMPDIR"
        case OSError(errno=errno.ENOENT, filename=None):
            return "the working folder is gone; change to one that exists"
        case OSError():
            reason = error.strerror or type(error).__name__
            return f"{shown(str(error.filename or 'output'), 200)}: {reason}"
        case UnicodeEncodeError() if "surrogate" in error.reason:
            found = ascii(error.object[error.start])[1:-1]
            return f"an option or a name is not UTF-8 ({found}); write it in UTF-8"
        case UnicodeError():
            return f"a text is not in the expected encoding ({shown(str(error), 100)}); convert it"
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and those that it followed: what fails may be what then cleans up."""
    while error is not None:
        yield error
        error = error.__context__


def _lacks_memory(error: BaseException) -> bool:
    if isinstance(error, ImportError | RuntimeError | SystemError | ValueError):
        # A library that cannot be loaded, a thread that cannot start.
        return any(sign in str(error) for sign in _STARVED)
    return isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM


def _leave(message: str, error: BaseException, status: int) -> NoReturn:
    """Print one line on stderr, with the error's notes (such as how to resume), and exit."""
    line = "; ".join([message, *getattr(error, "__notes__", ())])
    typer.echo(f"stance: {shown(line, LONGEST)}", err=True)
    raise typer.Exit(status) from None


def run_safely(app: Callable[[], None]) -> None:
    """Run the app even if streams are closed, full, or unable to show every character."""
    for number, stream in ((0, sys.stdin), (2, sys.stderr)):
        if stream is None:
            _fill(number)
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 (kept to the end)
    if sys.stdout is None:
        sys.stderr.write("stance: standard output is closed; send it to a file or to /dev/null\n")
        sys.exit(4)
    warnings.showwarning = lambda message, *_, **__: tell(f"note: {message}")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app()
    except SystemExit as end:
        if end.code in ABANDONED:
            abandon(end.code)
        if isinstance(end.__context__, BrokenPipeError):  # of `--help | head`
            os._exit(0)
        raise
    except OSError as error:  # the help, on a full disk
        if error.errno not in _WRITING:
            raise
        sys.stderr.write(f"stance: {output_error(error, None)}\n")
        os._exit(4)  # a second attempt to write what is left would fail too
    except MemoryError:  # before or after the command
        sys.stderr.write(f"stance: {_NO_MEMORY}\n")
        sys.exit(1)


def abandon(status: int) -> NoReturn:
    """End now: not after freeing gigabytes, nor after a thread or what joblib's processes do."""
    processes = sys.modules.get("multiprocessing")
    for child in processes.active_children() if processes else ():
        with suppress(OSError):
            os.kill(child.pid, getattr(signal, "SIGKILL", signal.SIGTERM))  # joblib's lack `kill`
    with suppress(OSError):
        sys.stdout.flush()
    os._exit(status)


def _fill(number: int) -> None:
    """Open a closed stream, lest a file takes its number and gets what C code or workers say."""
    handle = os.open(os.devnull, os.O_RDWR)
    os.dup2(handle, number)
    os.set_inheritable(number, True)
    if handle != number:
        os.close(handle)


def say(text: str) -> None:
    """Print a result on stdout; what its encoding lacks is escaped."""
    with reported(None):
        print(text, flush=True)


def show(figures: object, lines: Callable[[], Iterable[str]], as_json: bool) -> None:
    """Print a command's result on stdout: as JSON, or as lines, which are laid out only then."""
    say(json.dumps(figures) if as_json else "\n".join(lines()))


def show_each(records: Iterable[Any]) -> None:
    """Print records as a JSON list, piece by piece: those of a long text may take gigabytes."""
    lead = "["
    for record in records:
        with reported(None):
            sys.stdout.write(lead)
            json.dump(record, sys.stdout, default=_by_name)
        lead = ", "
        del record  # before the next one is made
    say("]")


def _by_name(record: Any) -> dict[str, Any]:
    """Return the fields of a record, without the copies that `dataclasses.asdict` makes."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


def tell(*lines: str) -> None:
    """Print notes on stderr; if nobody reads them any more, the run continues all the same."""
    for line in lines:
        with suppress(OSError):
            typer.echo(shown(line, 400), err=True)


class Progress:
    """Progress of a run: a bar on a terminal, otherwise a line now and then, or nothing."""

    def __init__(self, bar: Any = None, *, quiet: bool = False) -> None:
        self._bar, self._quiet = bar, quiet
        self._start = self._last = time.monotonic()

    def __call__(self, tally: "Tally", done: int, total: int | None) -> None:
        """Show the rows so far, and bytes done of all bytes."""
        now = time.monotonic()
        words = f"{tally.rows:,} rows"
        if now - self._start >= SETTLED:
            words += f"  {tally.rows / (now - self._start):,.0f} rows/s"
        self._draw(words, done, total, now)

    def show(self, step: str, done: float, total: float) -> None:
        """Show a step of a run, the work done of all work, and how long the rest may take."""
        now = time.monotonic()
        words = step
        if self._bar is None and done >= EARLY * total:
            left = (now - self._start) * (total - done) / done
            words += (
                f"  about {left:,.0f} s left"
                if left < LONG
                else f"  about {left / 60:,.0f} min left"
            )
        self._draw(words, done, total, now)

    def note(self, line: str) -> None:
        """Print a line above the bar."""
        if self._bar is None:
            tell(line)
        else:
            self._bar.console.print(shown(line, 400), markup=False, highlight=False)

    def _draw(self, words: str, done: float, total: float | None, now: float) -> None:
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=done, total=total, words=words)
        elif now - self._last > SECONDS and not self._quiet:
            self._last = now
            share = f"{100 * done / total:.0f} %  " if total else ""
            tell(f"{share}{words}")


@contextmanager
def progress(quiet: bool = False) -> Iterator[Progress]:
    """Show progress while the block runs, unless asked to be quiet."""
    if quiet or not sys.stderr.isatty():
        yield Progress(quiet=quiet)
        return
    from rich import progress as rich
    from rich.console import Console

    console = Console(stderr=True)
    console.width = console.width or WIDE  # COLUMNS=0 would show nothing at all
    columns = (
        *((rich.TextColumn("reading"), rich.BarColumn(20)) if console.width >= WIDE else ()),
        rich.TextColumn("{task.percentage:>3.0f} %"),
        rich.TextColumn("{task.fields[words]}", markup=False),
        rich.TimeRemainingColumn(compact=True),
    )
    with rich.Progress(*columns, console=console, transient=True) as bar:
        bar.add_task("", total=None, words="")
        yield Progress(bar)
