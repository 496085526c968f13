"""What the suite found, and its JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from stance.evaluation.answers import DECIMALS
from stance.evaluation.intervals import proportion_interval

EXAMPLES = 3
"""Failures that are kept of a test."""


@dataclass(frozen=True, slots=True)
class Example:
    """One failure: the answer for an actor before and after a change of the text."""

    actor: str
    before: str
    after: str
    answer_before: str
    answer_after: str
    expected: str


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one test.

    Attributes
    ----------
    name, promise : str
    kind : str
        hard: must hold always; soft: has a rate.
    n, failures : int
        Seed paragraphs tested, and those that failed: a paragraph that a hard test changes in
        several ways fails once. Each was written apart from the others, so they are independent.
    examples : tuple of Example
        At most `EXAMPLES` failures.
    """

    name: str
    promise: str
    kind: Literal["hard", "soft"]
    n: int
    failures: int
    examples: tuple[Example, ...]

    @property
    def rate(self) -> float:
        """Share of the paragraphs that failed, between 0 and 1."""
        return self.failures / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the rate: Wilson's, which has a width where nothing failed."""
        seeds = np.arange(self.n)
        return proportion_interval(seeds < self.failures, seeds) or (0.0, 1.0)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "name": self.name,
            "promise": self.promise,
            "kind": self.kind,
            "n": self.n,
            "failures": self.failures,
            "rate": round(self.rate, DECIMALS),
            "interval": [round(bound, DECIMALS) for bound in self.interval],
            "examples": [asdict(example) for example in self.examples],
        }


@dataclass(frozen=True, slots=True)
class StressReport:
    """What came of every test.

    Attributes
    ----------
    tests : tuple of Result
    skipped : mapping of str to str
        Tests that the model's actor book does not allow, and what they need.
    seeds : int
        Seed paragraphs that the book has actors for.
    """

    tests: tuple[Result, ...]
    skipped: Mapping[str, str]
    seeds: int

    @property
    def hard_failures(self) -> int:
        """Failures of the tests that must always hold."""
        return sum(test.failures for test in self.tests if test.kind == "hard")

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "tests": [test.to_json() for test in self.tests],
            "skipped": [{"name": name, "reason": why} for name, why in self.skipped.items()],
            "seeds": self.seeds,
            "hard_failures": self.hard_failures,
        }
