"""Where the time of a run goes: a clock around the functions that are its stages."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any
from unittest.mock import patch

from stance.features import BLOCKS
from stance.model import judging as model
from stance.model.heads import Head
from stance.reading import words as reading
from stance.reading.actors import ActorBook
from stance.runs import job as running
from stance.runs import parts
from stance.runs.checkpoints import RunFolder
from stance.runs.rows import Rows
from stance.tables import TableWriter

STAGES = ("read", "find actors", "tokenise", "blocks", "score", "write", "rest")

_SEAMS: tuple[tuple[str, Any, str], ...] = (
    ("tokenise", model, "normalise_all"),
    ("tokenise", reading.Reader, "words"),
    ("find actors", ActorBook, "match"),
    ("find actors", reading.Words, "named_actors"),
    ("blocks", model, "lay_out"),
    ("score", Head, "scores"),
    ("score", Head, "probabilities"),
    ("rest", model.StanceModel, "judge"),
    ("write", parts, "answer_rows"),
    ("write", Rows, "encode"),
    ("write", Rows, "formulas"),
    ("write", RunFolder, "keep"),
    ("write", RunFolder, "kept"),
    ("write", TableWriter, "write_encoded"),
    ("write", TableWriter, "commit"),
)
"""Stage of each function, where its callers find it, and its name."""


class Clock:
    """Seconds by stage; those of an inner stage do not count for the outer one.

    Attributes
    ----------
    seconds : dict
    """

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(STAGES, 0.0)
        self._open = ["rest"]
        self._since = time.perf_counter()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Charge the time of the block to a stage."""
        self._turn()
        self._open.append(name)
        try:
            yield
        finally:
            self._turn()
            self._open.pop()

    def _turn(self) -> None:
        now = time.perf_counter()
        self.seconds[self._open[-1]] += now - self._since
        self._since = now

    def function(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that charges its time to a stage."""

        @wraps(call)
        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.stage(name):
                return call(*args, **kwargs)

        return timed

    def iterable(self, name: str, call: Callable[..., Iterator[Any]]) -> Callable[..., Any]:
        """Return a function that charges the steps of its iterator to a stage."""

        def timed(*args: Any) -> Iterator[Any]:
            steps = call(*args)
            while True:
                with self.stage(name):
                    found = next(steps, None)
                if found is None:
                    return
                yield found

        return timed


def stage_times(run: Callable[[], object]) -> dict[str, float]:
    """Return the seconds of each stage of a run in this process; together they are all of it."""
    clock = Clock()
    with ExitStack() as stack:
        for name, owner, function in _SEAMS:
            timed = clock.function(name, getattr(owner, function))
            stack.enter_context(patch.object(owner, function, timed))
        read = clock.iterable("read", parts.cut)
        stack.enter_context(patch.object(running, "cut", read))
        blocks = {name: clock.function("blocks", block) for name, block in BLOCKS.items()}
        stack.enter_context(patch.dict(BLOCKS, blocks))
        with clock.stage("rest"):
            run()
    return clock.seconds
