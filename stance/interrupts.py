"""Ctrl-C and SIGTERM: exceptions while a command runs, deferred where they would do damage."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NoReturn, TypeVar

T = TypeVar("T")


class Terminated(BaseException):
    """SIGTERM as an exception, so that temporary files are removed."""


@contextlib.contextmanager
def handle_signals(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Have a function called if Ctrl-C or SIGTERM comes while the block runs.

    A signal that our parent told us to ignore, as `nohup` and `&` do, stays ignored.
    """
    before = {}
    if threading.current_thread() is threading.main_thread():  # no other may set handlers
        now = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        before = {n: old for n, old in now.items() if old not in (signal.SIG_IGN, None)}
    try:
        for number in before:
            signal.signal(number, handler)
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


def raise_signal(number: int, _frame: FrameType | None) -> NoReturn:
    """Raise a signal as an exception."""
    raise KeyboardInterrupt if number == signal.SIGINT else Terminated


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


def interruptible(work: Callable[[], T]) -> T:
    """Do long work of a library that hears no signal in a thread, which Ctrl-C leaves behind."""
    from concurrent.futures import Future  # which takes a while to import

    result = Future[T]()

    def run() -> None:
        try:
            result.set_result(work())
        except BaseException as error:  # whatever the work raises is raised by who waits
            result.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return result.result()
