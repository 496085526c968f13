"""Has the parts of a table computed, here or by a crew; their answers come back in order."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from functools import partial
from types import TracebackType
from typing import Protocol, Self

from stance.errors import DataError, StanceError, WorkerError
from stance.model.judging import StanceModel
from stance.runs.parts import Batch, Frame, Judged, Part, compute

TRIES = 2
"""How often a part is computed when its worker dies."""

LOOK_EVERY = 2
"""Seconds after which whoever waits for a part asks whether anyone is at it."""

AHEAD = 3
"""Parts that a worker is given at a time, so that it need not wait while we compute one, too."""

Work = Batch | Judged | DataError
"""Records to be judged, those that are already, or why there are no more."""


Here = Callable[[Batch], Part]
"""Computes a part in this process."""


class Crew(Protocol):
    """Those who compute parts."""

    @property
    def limit(self) -> int:
        """Parts that may be under way."""

    def submit(self, task: Batch, *, again: bool = False) -> "Future[Part]":
        """Have a part computed; `again` where it was lost with its worker."""

    def at_fault(self, future: "Future[Part]") -> bool:
        """Tell whether a future that failed had the worker that died."""

    def check(self) -> None:
        """Raise if nobody is left who computes parts."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


def compute_here(model: StanceModel, frame: Frame, works: Iterable[Work]) -> Iterator[Judged]:
    """Compute parts one after the other in this process."""
    yield from map(partial(_judged, model, frame), works)  # which holds on to no records


def _judged(model: StanceModel, frame: Frame, work: Work) -> Judged:
    if isinstance(work, DataError):
        raise work
    return work if isinstance(work, Judged) else Judged(work, compute(model, frame, *work))


def compute_with(crew: Crew, works: Iterable[Work], here: Here | None = None) -> Iterator[Judged]:
    """Compute parts with a crew; they come back in the order of their numbers.

    An error comes in order, too: as when the parts were computed one after the other.

    Parameters
    ----------
    crew : Crew
    works : iterable of Work
    here : callable, optional
        Computes a part in this process, where all of the crew have enough to do.
    """
    flight = _Flight(crew)
    for work in works:
        if here and isinstance(work, Batch) and flight.flying >= crew.limit:
            flight.judge(work, here)
        else:
            flight.take(work)
        flight.look()
        yield from flight.landed()
        while len(flight) >= crew.limit * (2 if here else 1):
            flight.wait()
            yield from flight.landed()
    while len(flight):
        flight.wait()
        yield from flight.landed()


class _Flight:
    """Parts that are under way, and those that wait for an earlier one."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._flying: dict[Future[Part], Batch] = {}
        self._landed: dict[int, Judged | BaseException] = {}
        self._tries: Counter[int] = Counter()
        self._taken = 0
        self._next = 1

    def __len__(self) -> int:
        return len(self._flying) + len(self._landed)

    @property
    def flying(self) -> int:
        return len(self._flying)

    def judge(self, batch: Batch, here: Here) -> None:
        """Compute a part in this process."""
        self._taken += 1
        try:
            self._landed[self._taken] = Judged(batch, here(batch))
        except StanceError as error:
            self._landed[self._taken] = error

    def take(self, work: Work) -> None:
        self._taken += 1
        if isinstance(work, Batch):
            self._flying[self._crew.submit(work)] = work
        else:
            self._landed[self._taken] = work

    def wait(self) -> None:
        """Wait until a part has landed; those whose worker died start again."""
        done: set[Future[Part]] = set()
        while self._flying and not done:
            done = wait(self._flying, LOOK_EVERY, FIRST_COMPLETED).done
            self._crew.check()
        self._land(done)

    def look(self) -> None:
        """See which parts have landed by now."""
        self._land({future for future in self._flying if future.done()})

    def _land(self, done: set[Future[Part]]) -> None:
        lost = []
        for future in sorted(done, key=lambda future: self._flying[future].number):
            task = self._flying.pop(future)
            error = future.exception()
            if not isinstance(error, BrokenExecutor | MemoryError):
                self._landed[task.number] = error or Judged(task, future.result())
            elif self._crew.at_fault(future) and self._failed(task):
                self._landed[task.number] = _given_up(task)
            else:
                lost.append(task)
        for task in lost:
            self._flying[self._crew.submit(task, again=True)] = task

    def _failed(self, task: Batch) -> bool:
        self._tries[task.number] += 1
        return self._tries[task.number] >= TRIES

    def landed(self) -> Iterator[Judged]:
        while self._next in self._landed:
            found = self._landed.pop(self._next)
            if isinstance(found, BaseException):
                raise found
            self._next += 1
            yield found


def _given_up(task: Batch) -> WorkerError:
    numbers = task.records.numbers
    return WorkerError(
        f"records {numbers[0]:,} to {numbers[-1]:,}: the worker died {TRIES} times, as "
        "when memory runs out; free memory or use fewer --jobs"
    )
