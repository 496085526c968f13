"""Weeks, months, quarters and years, as long as it takes to hold enough answers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

import numpy as np

from stance.arrays import Ints
from stance.errors import DataError

Unit = Literal["week", "month", "quarter", "year"]
UNITS: tuple[Unit, ...] = get_args(Unit)
MONTHS = {"month": 1, "quarter": 3, "year": 12}
MOST_PERIODS = 600  # that are counted apart
MOST_POINTS = 60  # in one chart
FEWEST_PER_POINT = 30  # answers, or its interval says nothing
TAIL = 0.005  # share of the answers at each end that may be left out if they stretch the range


@dataclass(frozen=True, slots=True)
class Periods:
    """Periods of one length that follow each other; days are proleptic Gregorian ordinals."""

    unit: Unit
    start: int  # number of the first one
    count: int

    def place(self, day: int) -> int:
        """Return the place of a day's period, -1 outside."""
        at = _number(day, self.unit) - self.start
        return at if 0 <= at < self.count else -1

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


def _number(day: int, unit: Unit) -> int:
    if unit == "week":
        return (day - 1) // 7  # the first of January of the year 1 was a Monday
    found = date.fromordinal(day)
    return (12 * found.year + found.month - 1) // MONTHS[unit]


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
    used = {_number(day, unit) for day in ordered}
    first, last = min(used), max(used)
    if last - first >= 12 and 4 * len(used) < last - first + 1:
        first, last = (_number(_inner(days, each), unit) for each in (ordered, ordered[::-1]))
    return Periods(unit, first, last - first + 1)


def _inner(days: Mapping[int, int], order: Sequence[int]) -> int:
    """Return the day up to which more than the tail of all answers has passed."""
    spare, passed = int(TAIL * sum(days.values())), 0
    for day in order:
        passed += days[day]
        if passed > spare:
            break
    return day


@dataclass(frozen=True, slots=True)
class Span:
    """Neighbouring periods that hold enough answers together."""

    first: str  # names of the periods
    last: str
    day: float  # in the middle of its answers
    counts: Ints  # of shape (n_clusters, n_labels)

    @property
    def name(self) -> str:
        """The period, or the first and the last of them."""
        return self.first if self.first == self.last else f"{self.first} to {self.last}"


@dataclass(frozen=True, slots=True)
class Course:
    """The answers toward one actor over time."""

    unit: Unit
    spans: tuple[Span, ...]


def chart_course(grids: Sequence[Periods], counts: Sequence[Ints]) -> Course | None:
    """Return spans of `FEWEST_PER_POINT` answers or more; None if there are fewer.

    ``counts`` are those of each grid, of shape (n_periods, n_clusters, n_labels). The periods are
    the shortest that hold enough on average, of those that hold any, and are not too many for a
    chart; neighbours that hold fewer are joined, so that no answer is lost.
    """
    if not grids or (total := counts[-1].sum()) < FEWEST_PER_POINT:
        return None
    for grid, own in (lengths := list(_lengths(grids, counts))):
        used = np.count_nonzero(own.sum(axis=(1, 2)))
        # Weeks may lack a tail that months hold.
        if used <= MOST_POINTS and own.sum() >= max(total, FEWEST_PER_POINT * used):
            return Course(grid.unit, tuple(_join(grid, own)))
    return Course(lengths[-1][0].unit, tuple(_join(*lengths[-1])))


def _lengths(grids: Sequence[Periods], counts: Sequence[Ints]) -> Iterator[tuple[Periods, Ints]]:
    yield from zip(grids, counts, strict=True)
    grid, own = grids[-1], counts[-1]
    for unit in UNITS[UNITS.index(grid.unit) + 1 :]:
        if grid.unit == "month":  # quarters and years are made of months
            at = (grid.start + np.arange(grid.count)) // MONTHS[unit]
            starts = np.flatnonzero(np.diff(at, prepend=at[0] - 1))
            yield Periods(unit, int(at[0]), int(at[-1] - at[0]) + 1), np.add.reduceat(own, starts)


def _join(grid: Periods, counts: Ints) -> Iterator[Span]:
    least, sizes = FEWEST_PER_POINT, counts.sum(axis=(1, 2))
    used, left = np.flatnonzero(sizes).tolist(), int(sizes.sum())
    part: list[int] = []
    for place in used:
        part.append(place)
        held = int(sizes[part].sum())
        if (held >= least and left - held >= least) or place == used[-1]:
            days = [grid.middle(each) for each in part]
            day = float(np.average(days, weights=sizes[part]))
            yield Span(grid.name(part[0]), grid.name(part[-1]), day, counts[part].sum(axis=0))
            part, left = [], left - held
