"""The option --memory: a command that would take more fails in one line."""

import atexit
import functools
import inspect
import os
import re
import signal
import sys
import threading
from collections.abc import Callable
from typing import Annotated, Any

import typer

from stance.cli._options import option, parameter, with_parameters
from stance.cli._terminal import ABANDONED, abandon, catching, tell
from stance.display import count, shown
from stance.errors import MemoryLimitError, UsageError
from stance.interrupts import Terminated

EACH = 200 << 20  # bytes that a process needs to predict with the bundled model
_LEAST = 64 << 20  # bytes in which Python and numpy can begin
_UNITS = {"M": 1 << 20, "G": 1 << 30}
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG, see prctl(2)
_ENDING = (signal.SIGINT, signal.SIGTERM)
_TO_BOTH = 0.3  # seconds in which a process ends that a signal reached, as those of a terminal do

_BLAS = {"scipy.linalg", "scipy.special"}  # what brings scipy's BLAS along first
_PRODUCTS = "stance.evaluation"  # comes before all products that are large enough for BLAS

Memory = Annotated[
    str | None,
    option("SIZE", "Most memory of all processes together, such as 512M or 2G (Linux only)."),
]


def budgeted(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the option --memory."""

    @functools.wraps(command)
    def run(*, memory: str | None, **given: Any) -> None:
        if memory is None:
            command(**given)
            return
        size, jobs = parse_size(memory), given.get("jobs", 1)
        if jobs > 1 and size // (jobs + 1) < EACH:
            given["jobs"] = jobs = max(1, size // EACH - 1)
            tell(f"--memory {memory} is enough for {count(jobs, 'job')}")
        # With several jobs, one more process hands out the work.
        _run_within(size // (jobs + 1 if jobs > 1 else 1), memory, lambda: command(**given))

    own = inspect.signature(command).parameters.values()
    return with_parameters(run, [*own, parameter("memory", Memory)])


class Room:
    """Finds no module, but fails if BLAS lacks memory: it would end the process, or never end."""

    @classmethod
    def find_spec(cls, name: str, *_: object) -> None:
        """Before modules that need BLAS, see that it has its memory or can get it."""
        if name in _BLAS:
            from stance.arrays import check_room

            check_room()
        elif name == _PRODUCTS:
            from stance.arrays import take_buffer

            take_buffer()


def parse_size(text: str) -> int:
    """Return the bytes of a size such as ``512M`` or ``1.5G``.

    >>> parse_size("1.5G") == 3 << 29
    True
    """
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?) ?([MG])(?:i?B)?", text.strip().upper(), re.ASCII)
    if found is None:
        raise UsageError(f"--memory '{shown(text)}' is not a size; write one such as 512M or 2G")
    size = int(float(found[1]) * _UNITS[found[2]])
    if size < _LEAST:
        raise UsageError(f"--memory {shown(text)} is too little to begin with; give 200M or more")
    return size


def _finished(command: Callable[[], None]) -> int:
    """Run a command to its last word, as the interpreter does; return its exit status."""
    status = 0
    try:
        catching(command)()
    except typer.Exit as done:
        status = done.exit_code
    if status in ABANDONED:
        abandon(status)
    threading._shutdown()  # type: ignore[attr-defined]  # first: here joblib ends its processes
    atexit._run_exitfuncs()
    return status


def _run_within(size: int, asked: str, command: Callable[[], None]) -> None:
    """Run a command in a process that, like each that it starts, gets no more memory than this.

    In a process of its own, because C code such as a solver may end it where memory runs out.
    """
    if sys.platform != "linux":
        raise UsageError("--memory: this system does not limit memory; drop the option")
    import ctypes
    import resource

    sys.stdout.flush()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # whoever ignores it never hears of an end
    parent, child = os.getpid(), os.fork()
    if not child:
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        for number in _ENDING:
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, signal.SIG_DFL)  # before and after the command
        # Not the address space, most of which is never used.
        resource.setrlimit(resource.RLIMIT_DATA, (size, size))
        os._exit(_finished(command))  # the interpreter may crash as it ends without memory
    status = os.waitstatus_to_exitcode(_end_of(child))
    if status == -signal.SIGINT:
        raise KeyboardInterrupt
    if status == -signal.SIGTERM:
        raise Terminated
    if status < 0 and status != -signal.SIGPIPE:
        raise MemoryLimitError(
            f"memory ran out (signal {-status}); raise --memory {asked} or give fewer rows"
        )
    raise typer.Exit(max(status, 0))


def _end_of(child: int) -> int:
    """Wait for a process, and pass on the signals that reach this one alone; return its status."""
    awaited = {*_ENDING, signal.SIGCHLD}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
    try:
        while not (found := os.waitpid(child, os.WNOHANG))[0]:
            number = signal.sigwait(awaited)
            if number in _ENDING and signal.sigtimedwait({signal.SIGCHLD}, _TO_BOTH) is None:
                os.kill(child, number)
        return found[1]
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
