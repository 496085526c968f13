"""Ctrl-C and SIGTERM: exceptions while a command runs, held back where they would do damage."""

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
def raised() -> Iterator[None]:
    """Raise `KeyboardInterrupt` or `Terminated` if a signal comes while the block runs.

    A signal that our parent told us to ignore, as `nohup` and `&` do, stays ignored.
    """
    with _handled(_raise):
        yield


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Hold the signals back while the block runs; a mask would hold for one thread only."""
    came: list[int] = []
    try:
        with _handled(lambda number, _: came.append(number)):
            yield
    finally:
        for number in came:
            signal.raise_signal(number)


def interruptible(work: Callable[[], T]) -> T:
    """Do long work of a library that hears no signal in a thread, which Ctrl-C leaves behind."""
    done: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:  # for the thread that waits
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return done[0]


@contextlib.contextmanager
def _handled(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    before = {}
    if threading.current_thread() is threading.main_thread():  # no other may set handlers
        found = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        before = {n: old for n, old in found.items() if old not in (signal.SIG_IGN, None)}
    try:
        for number in before:
            signal.signal(number, handler)
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


def _raise(number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt if number == signal.SIGINT else Terminated
