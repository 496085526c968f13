"""Weeks, months, quarters and years, and how long those are that are compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

import numpy as np

from stance.arrays import Ints

Unit = Literal["week", "month", "quarter", "year"]
UNITS: tuple[Unit, ...] = get_args(Unit)
MONTHS = {"month": 1, "quarter": 3, "year": 12}
MOST_COMPARED = 12  # periods that are compared, unless the user asks for others
EPOCH = 719163  # ordinal of 1970-01-01, the first day of datetime64


@dataclass(frozen=True, slots=True)
class Periods:
    """Periods of one length that hold a date; days are proleptic Gregorian ordinals."""

    unit: Unit
    numbers: Sequence[int]  # ascending; of two that follow each other, one apart

    def places(self, days: Ints) -> Ints:
        """Return the place of each day's period; -1 for the day 0."""
        return np.where(days > 0, np.searchsorted(self.numbers, _numbers(days, self.unit)), -1)

    @property
    def names(self) -> list[str]:
        """The names of all, the first one first.

        >>> Periods("quarter", [8097, 8099]).names, Periods("week", [105590]).names
        (['2024 Q2', '2024 Q4'], ['2024-W36'])
        """
        return [_name(number, self.unit) for number in self.numbers]


def choose_periods(days: Ints, asked: Unit | None = None) -> Periods | None:
    """Return the periods asked for, else the shortest of which a dozen suffice; no weeks, then.

    A day of 0 is none. Where all are a first of January, their column holds years.
    """
    known = np.unique(days[days > 0])
    if not len(known):
        return None
    has_years = (_numbers(known - 1, "year") < _numbers(known, "year")).all()
    for unit in (asked,) if asked else UNITS[3:] if has_years else UNITS[1:]:
        numbers = np.unique(_numbers(known, unit)).tolist()
        if len(numbers) <= MOST_COMPARED:
            break
    return Periods(unit, numbers)


def _numbers(days: Ints, unit: Unit) -> Ints:
    """Return the number of each day's period.

    >>> _numbers(np.array([date(2024, 5, 1).toordinal()]), "quarter") - 4 * 2024
    array([1])
    """
    if unit == "week":
        return (days - 1) // 7  # the first of January of the year 1 was a Monday
    months = (days - EPOCH).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    numbers: Ints = (months + 12 * 1970) // MONTHS[unit]
    return numbers


def _name(number: int, unit: Unit) -> str:
    if unit == "week":
        year, week, _ = date.fromordinal(7 * number + 1).isocalendar()
        return f"{year}-W{week:02}"
    if unit == "quarter":
        return f"{number // 4} Q{number % 4 + 1}"
    return str(number) if unit == "year" else f"{number // 12}-{number % 12 + 1:02}"
