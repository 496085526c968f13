"""Ctrl-C and the wish to end: as exceptions while a command runs, held back where it counts."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NoReturn

_BOTH = (signal.SIGINT, signal.SIGTERM)


class Terminated(BaseException):
    """SIGTERM, as an exception, so that temporary files are cleared away."""


@contextlib.contextmanager
def raised() -> Iterator[None]:
    """Raise `KeyboardInterrupt` and `Terminated` where the signals come while the block runs.

    What whoever started us has told us to ignore, as `nohup` and `&` do, stays ignored.
    """
    with _handled(_raise):
        yield


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Hold the signals back while the block runs, then let through what has come.

    A mask would not do: it holds for one thread, while Python's handlers run in the main thread
    whichever thread the system gives a signal to.
    """
    came: list[int] = []
    try:
        with _handled(lambda number, _: came.append(number)):
            yield
    finally:
        for number in came:
            signal.raise_signal(number)


@contextlib.contextmanager
def _handled(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    before = {}
    if threading.current_thread() is threading.main_thread():  # no other may set handlers
        before = {number: signal.getsignal(number) for number in _BOTH}
    try:
        for number, previous in before.items():
            if previous not in (signal.SIG_IGN, None):
                signal.signal(number, handler)
        yield
    finally:
        for number, previous in before.items():
            if previous not in (signal.SIG_IGN, None):
                signal.signal(number, previous)


def _raise(number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt if number == signal.SIGINT else Terminated
