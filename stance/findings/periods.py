"""Weeks, months, quarters and years, as long as it takes to hold enough answers."""

from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

import numpy as np

from stance.arrays import Ints
from stance.errors import DataError

Unit = Literal["week", "month", "quarter", "year"]
UNITS: tuple[Unit, ...] = get_args(Unit)
MONTHS = {"month": 1, "quarter": 3, "year": 12}
MOST_COMPARED = 12  # periods that are compared, unless the user asks for others
MOST_PERIODS = 600  # that are counted apart
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
        place = _numbers(days, self.unit) - self.start
        return np.where((days > 0) & (place >= 0) & (place < self.count), place, -1)

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

    @property
    def names(self) -> list[str]:
        """The names of all, the first one first."""
        return list(map(self.name, range(self.count)))

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
    numbers: Ints = (months + 12 * 1970) // MONTHS[unit]
    return numbers


def _first_day(number: int, unit: Unit) -> int:
    if unit == "week":
        return 7 * number + 1
    year, month = divmod(number * MONTHS[unit], 12)
    return date(year, month + 1, 1).toordinal() if year <= date.max.year else date.max.toordinal()


def choose_periods(days: Ints, asked: Unit | None = None) -> Periods | None:
    """Return the periods asked for, else the shortest of which a dozen suffice; no weeks, then.

    A day of 0 is none. Of sparse days, as one mistyped date can cause, the `TAIL` at either end
    does not count.
    """
    used, sizes = np.unique(days[days > 0], return_counts=True)
    if not len(used):
        return None
    covers = {unit: _cover(used, sizes, unit) for unit in UNITS}
    if not asked:
        units = [unit for unit in UNITS[1:] if covers[unit].count <= MOST_COMPARED]
        return covers[units[0] if units else "year"]
    if (number := covers[asked].count) > MOST_PERIODS:
        fits = [unit for unit in UNITS if covers[unit].count <= MOST_PERIODS]
        advice = f"use --period {fits[0]}" if fits else "drop --period"
        raise DataError(f"its dates span {number:,} {asked}s; {advice}")
    return covers[asked]


def _cover(days: Ints, sizes: Ints, unit: Unit) -> Periods:
    """Return the periods from the first to the last of some days, of so many answers each."""
    numbers = _numbers(days, unit)
    first, last = int(numbers[0]), int(numbers[-1])
    if last - first >= 12 and 4 * len(np.unique(numbers)) < last - first + 1:
        passed = np.cumsum(sizes)
        spare = int(TAIL * passed[-1])
        inner = numbers[(passed > spare) & (passed - sizes < passed[-1] - spare)]
        first, last = int(inner[0]), int(inner[-1])
    return Periods(unit, first, last - first + 1)
