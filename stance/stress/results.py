"""What the suite found, as JSON and as lines of a screen."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from stance.display import count, shown, wrap
from stance.evaluation.answers import DECIMALS
from stance.evaluation.intervals import proportion_interval

NAME = 40
"""Columns of a test's name."""

EXAMPLES = 3
"""Failures that are kept of a test; the screen has room for one of each soft test."""

LONGEST = 700
"""Characters of a paragraph that are shown."""


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

    def summary_lines(self) -> list[str]:
        """Return the lines of the screen, each under 80 columns."""
        hard, soft = ([t for t in self.tests if t.kind == kind] for kind in ("hard", "soft"))
        parts = [
            [f"stress suite  {count(self.seeds, 'seed paragraph')} written for it"],
            self._alarm(),
            _table("must always hold", hard),
            _table("may fail, the less the better", soft),
            _paragraph("rates in percent with Wilson's 95 % interval; n is seed paragraphs"),
            [line for name, why in self.skipped.items() for line in _paragraph(f"{name}: {why}")],
            *(_examples(test) for test in self.tests if test.examples),
        ]
        lines: list[str] = []
        for part in filter(None, parts):
            lines += ["", *part] if lines else part
        return lines

    def _alarm(self) -> list[str]:
        broken = [test for test in self.tests if test.kind == "hard" and test.failures]
        names = ", ".join(test.name for test in broken)
        return _paragraph(f"BROKEN PROMISE: {names}. Do not use this model.") if broken else []


def _table(title: str, tests: Sequence[Result]) -> list[str]:
    lines = [f"{title:<{NAME}}  {'n':>4}  failures   rate  95 % interval"]
    for test in tests:
        low, high = test.interval
        lines.append(
            f"{test.name:<{NAME}}  {test.n:>4}  {test.failures:>8}  {100 * test.rate:>5.1f}  "
            f"[{100 * low:.1f}, {100 * high:.1f}]"
        )
    return lines if tests else []


def _examples(test: Result) -> list[str]:
    lines = _paragraph(f"a failure of: {test.name}") + _paragraph(test.promise, "  ")
    for example in test.examples if test.kind == "hard" else test.examples[:1]:
        lines += _paragraph(f"{shown(example.actor)}: expected {example.expected}", "  - ")
        if example.before != example.after:
            lines += _paragraph(f"{example.answer_before}: {_text(example.before)}", "    before ")
        lines += _paragraph(f"{example.answer_after}: {_text(example.after)}", "    after  ")
    return lines


def _text(text: str) -> str:
    return shown(text, LONGEST)


def _paragraph(text: str, indent: str = "") -> list[str]:
    return wrap(text, indent, " " * max(len(indent), 2))
