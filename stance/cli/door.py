"""The one place where errors become a line on stderr and an exit status."""

import errno
import functools
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, ParamSpec

import typer

from stance.display import shown
from stance.errors import StanceError
from stance.interrupts import Terminated, raised

LONGEST = 600
"""Characters of an error that are printed."""

INTERRUPTED, TERMINATED = 130, 143

_WRITING = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}


P = ParamSpec("P")


def door(command: Callable[P, None]) -> Callable[P, None]:
    """Wrap a command so that nothing a user can cause ends in a traceback."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            with raised():
                command(*args, **kwargs)
                sys.stdout.flush()
        except StanceError as error:
            leave(_with_notes(str(error), error), error.exit_status)
        except KeyboardInterrupt as error:
            leave(_with_notes("interrupted", error), INTERRUPTED)
        except Terminated as error:
            leave(_with_notes("terminated", error), TERMINATED)
        except BrokenPipeError:
            # The reader of our output (`| head`) has seen enough, which is no failure.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except OSError as error:
            if error.errno not in _WRITING:
                raise
            leave(f"{error.filename or 'output'}: {error.strerror}", 4)

    return run


def run_safely(app: Callable[[], None]) -> None:
    """Run the app where streams may be closed, full, or unable to show every character."""
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 (kept to the end)
    if sys.stdout is None:
        sys.stderr.write("stance: standard output is closed; send it to a file or to /dev/null\n")
        sys.exit(4)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app()
    except OSError as error:  # the help, on a full disk
        if error.errno not in _WRITING:
            raise
        sys.stderr.write(f"stance: output: {error.strerror}\n")
        os._exit(4)  # a second attempt to write what is left would fail too


def _with_notes(message: str, error: BaseException) -> str:
    """Add what was noted on the way, such as how to resume."""
    return "; ".join([message, *getattr(error, "__notes__", ())])


def leave(message: str, status: int) -> NoReturn:
    """Print one line on stderr and exit."""
    typer.echo(f"stance: {shown(message, LONGEST)}", err=True)
    raise typer.Exit(status) from None
