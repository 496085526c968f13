"""The months, quarters or years that a chart shows."""

from collections.abc import Mapping
from dataclasses import dataclass

MOST = 60
"""Periods in a chart."""

FEWEST = 10
"""Answers that a month or quarter must hold on average, or longer periods are chosen."""

LENGTHS = {"month": 1, "quarter": 3, "year": 12}

TAIL = 0.005
"""Share of the answers at each end of the range that may be left out where they stretch it."""


@dataclass(frozen=True, slots=True)
class Periods:
    """Consecutive periods of equal length.

    Attributes
    ----------
    unit : str
        ``month``, ``quarter`` or ``year``.
    start, count : int
        Number of the first one, and how many there are.
    """

    unit: str
    start: int
    count: int

    def place(self, month: int) -> int | None:
        """Return the place of a month's period, None outside."""
        at = month // LENGTHS[self.unit] - self.start
        return at if 0 <= at < self.count else None

    def name(self, place: int) -> str:
        """Return the name of a period.

        >>> Periods("quarter", 4 * 2024, 4).name(1)
        '2024 Q2'
        """
        number = self.start + place
        if self.unit == "year":
            return str(number)
        if self.unit == "quarter":
            return f"{number // 4} Q{number % 4 + 1}"
        return f"{number // 12}-{number % 12 + 1:02}"


def choose_periods(months: Mapping[int, int]) -> Periods | None:
    """Choose the shortest periods of which not more than `MOST` cover the dates.

    They hold `FEWEST` answers on average, or are years. Where less than a quarter of them holds
    any answer, as one mistyped date can make it, the `TAIL` of the answers at either end does not
    count. Dates that all stand in a January are taken for years.

    Parameters
    ----------
    months : mapping
        Answers of each month.
    """
    if not months:
        return None
    ordered = sorted(months)
    years_only = all(month % 12 == 0 for month in ordered)
    most = 0 if years_only else sum(months.values()) // FEWEST
    found = _cover(ordered[0], ordered[-1], most)
    used = {found.place(month) for month in ordered} - {None}
    if found.count > 12 and 4 * len(used) < found.count:
        found = _cover(*_middle(months), most)
    return found


def _middle(months: Mapping[int, int]) -> tuple[int, int]:
    spare = int(TAIL * sum(months.values()))
    ends = []
    for order in (sorted(months), sorted(months, reverse=True)):
        passed = 0
        for month in order:
            passed += months[month]
            if passed > spare:
                ends.append(month)
                break
    return ends[0], ends[1]


def _cover(first: int, last: int, most: int) -> Periods:
    """Return periods from one month to another: short ones only if there are few enough."""
    for unit, length in LENGTHS.items():
        count = last // length - first // length + 1
        if count <= (MOST if unit == "year" else min(MOST, most)):
            return Periods(unit, first // length, count)
    return Periods("year", last // 12 - MOST + 1, MOST)
