"""Weeks, months, quarters and years, as long as it takes to hold enough answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

import numpy as np

from stance.arrays import Ints
from stance.errors import DataError
from stance.records import Stance

Unit = Literal["week", "month", "quarter", "year"]
UNITS: tuple[Unit, ...] = get_args(Unit)
MONTHS = {"month": 1, "quarter": 3, "year": 12}
LABELS = len(Stance)
MOST_PERIODS = 600  # that are counted apart
MOST_POINTS = 60  # in one chart
FEWEST_PER_POINT = 30  # answers, or its interval says nothing
EPOCH = 719163  # ordinal of 1970-01-01, the first day of datetime64
TAIL = 0.005  # share of the answers at each end that may be left out if they stretch the range


@dataclass(frozen=True, slots=True)
class Periods:
    """Periods of one length that follow each other; days are proleptic Gregorian ordinals."""

    unit: Unit
    start: int  # number of the first one
    count: int

    def places(self, days: Ints) -> Ints:
        """Return the place of each day's period; -1 outside, or for the day 0."""
        found = _numbers(days, self.unit) - self.start
        return np.where((days > 0) & (found >= 0) & (found < self.count), found, -1)

    def name(self, place: int) -> str:
        """Return the name of a period.

        >>> Periods("quarter", 4 * 2024, 4).name(1), Periods("week", 105590, 9).name(0)
        ('2024 Q2', '2024-W36')
        """
        number = self.start + place
        if self.unit == "week":
            year, week, _ = date.fromordinal(_first_day(number, "week")).isocalendar()
            return f"{year}-W{week:02}"
        if self.unit == "quarter":
            return f"{number // 4} Q{number % 4 + 1}"
        return str(number) if self.unit == "year" else f"{number // 12}-{number % 12 + 1:02}"

    def middle(self, place: int) -> float:
        """Return the day in the middle of a period."""
        number = self.start + place
        return (_first_day(number, self.unit) + _first_day(number + 1, self.unit) - 1) / 2


def _numbers(days: Ints, unit: Unit) -> Ints:
    """Return the number of each day's period.

    >>> _numbers(np.array([date(2024, 5, 1).toordinal()]), "quarter") - 4 * 2024
    array([1])
    """
    if unit == "week":
        return (days - 1) // 7  # the first of January of the year 1 was a Monday
    months = (days - EPOCH).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    found: Ints = (months + 12 * 1970) // MONTHS[unit]
    return found


def _first_day(number: int, unit: Unit) -> int:
    if unit == "week":
        return 7 * number + 1
    year, month = divmod(number * MONTHS[unit], 12)
    return date(year, month + 1, 1).toordinal() if year <= date.max.year else date.max.toordinal()


def choose_grids(days: Mapping[int, int], asked: Unit | None = None) -> tuple[Periods, ...]:
    """Return the periods in which answers are counted: those asked for, else weeks and months.

    Dates all on the first of a month have no weeks, dates all on a first of January no months. Of
    sparse ones, as one mistyped date can cause, the `TAIL` at either end does not count.
    """
    if not days:
        return ()
    if asked:
        if (found := _cover(days, asked)).count > MOST_PERIODS:
            longer = UNITS[UNITS.index(asked) + 1 :]
            fits = (unit for unit in longer if _cover(days, unit).count <= MOST_PERIODS)
            advice = f"use --period {unit}" if (unit := next(fits, None)) else "drop --period"
            raise DataError(f"its dates span {found.count:,} {asked}s; {advice}")
        return (found,)
    dates = [date.fromordinal(day) for day in days]
    monthly = any(each.month > 1 for each in dates)
    exact = {"week": any(each.day > 1 for each in dates), "month": monthly}
    units: tuple[Unit, ...] = ("week", "month")
    grids = (_cover(days, unit) for unit in units if exact[unit])
    found_grids = tuple(grid for grid in grids if grid.count <= MOST_PERIODS)
    if any(grid.unit == "month" for grid in found_grids):
        return found_grids
    years = _cover(days, "year")
    spare = max(0, years.count - MOST_PERIODS)
    return (*found_grids, Periods("year", years.start + spare, years.count - spare))


def _cover(days: Mapping[int, int], unit: Unit) -> Periods:
    ordered = sorted(days)
    used = np.unique(_numbers(np.array(ordered), unit))
    first, last = int(used[0]), int(used[-1])
    if last - first >= 12 and 4 * len(used) < last - first + 1:
        ends = [_inner(days, each) for each in (ordered, ordered[::-1])]
        first, last = _numbers(np.array(ends), unit).tolist()
    return Periods(unit, first, last - first + 1)


def _inner(days: Mapping[int, int], order: Sequence[int]) -> int:
    """Return the day up to which more than the tail of all answers has passed."""
    spare, passed = int(TAIL * sum(days.values())), 0
    for day in order:
        passed += days[day]
        if passed > spare:
            break
    return day
