"""How far a training has come, in rows read or learned from."""

from collections.abc import Callable, Sequence

from stance.fitting.folds import is_large
from stance.fitting.heldout import PART, WHOLE
from stance.fitting.repeats import LARGE_SHARES, SHARES
from stance.recipe import Validation

Meter = Callable[[str, float, float], None]
"""Is given the step, the work done so far, and all the work."""

READINGS = 2  # of each head's texts: to count features, and to name them
SCORINGS = 1  # of all texts: which words are common


class Pace:
    """Work done and work planned; ``tell`` gets the steps and notes, ``meter`` the work."""

    def __init__(self, tell: Callable[[str], None], meter: Meter) -> None:
        self.tell = tell
        self._meter = meter
        self._step = ""
        self._done = self._total = 0.0

    def plan(self, rows: int, heads: Sequence[int], validation: Validation, machines: bool) -> None:
        """Plan the work on so many rows, and on those of each head.

        ``machines`` says whether machines are learned as those of large corpora are.
        """
        folds, large = validation.folds - 1, is_large(rows)
        shares = LARGE_SHARES if large else SHARES
        again = (1 if large else validation.repeats) * sum(
            shares if validation.learning_curve else shares[-1:]
        )
        part = PART if machines else 1.0
        each = READINGS + (WHOLE if machines else 1) + folds * part
        self._total = sum(heads) * each + rows * (SCORINGS + folds * part * (again - 1))

    def begin(self, step: str) -> None:
        """Report that a step begins."""
        self._step = step
        self.tell(step)

    def add(self, rows: float) -> None:
        """Report so many rows read, or learned from."""
        self._done += rows
        self._meter(self._step, min(self._done, self._total), self._total)
