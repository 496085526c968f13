"""Dates as people write them, never guessed."""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np

from stance.arrays import Ints
from stance.display import shown
from stance.errors import UsageError

Order = Literal["", "day", "month"]
_LONGEST = 60  # characters of a date

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_NAMES = (
    r"(?P<b>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_WEEKDAY = (
    r"(?:(?P<w>mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:rs?(?:day)?)?|fri(?:day)?"
    r"|sat(?:urday)?|sun(?:day)?)\.?,? )?"
)
_DAY = r"(?P<d>\d{1,2})(?:st|nd|rd|th)?"
_ZONE = (
    r"(?: ?(?:z|[a-z]{2,5}|(?:utc|gmt)[+-]\d|(?:utc|gmt)?[+-]\d{2}(?::?\d{2})?))?"
    r"(?: (?:\([a-z ]+\)|[a-z]{3,5}))?(?: ?\[?[a-z]+/[a-z_/]+\]?)?"
)
_CLOCK = r"\d{1,2}[:.h]\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[ap]\.?m\.?)?" + _ZONE
_HOURS = r"\d{2}(?:\d{2}(?:\d{2}(?:[.,]\d+)?)?)?" + _ZONE  # T103000Z
_TIME = rf"(?:(?:,? | at |, at |t){_CLOCK})?"
_NUMBERS = rf"(?P<d>\d{{1,2}})(?P<s>[/-])(?P<m>\d{{1,2}})(?P=s)(?P<y>\d{{4}}){_TIME}"

_FORMS = (
    r"(?P<y>\d{4})(?:([-/.])(?P<m>\d{1,2})(?:\2(?P<d>\d{1,2})" + rf"(?:{_TIME}|T{_HOURS}))?)?",
    rf"(?P<y>\d{{4}})(?P<m>\d\d)(?P<d>\d\d)(?:T(?:{_CLOCK}|{_HOURS}))?",
    rf"(?P<d>\d{{1,2}})\.(?P<m>\d{{1,2}})\.(?P<y>\d{{4}}){_TIME}",
    rf"{_WEEKDAY}{_DAY}(?: of)?[ -]{_NAMES},?[ -](?P<y>\d{{4}}){_TIME}",
    rf"{_WEEKDAY}{_NAMES} {_DAY},? (?P<y>\d{{4}}){_TIME}",
    rf"{_WEEKDAY}{_NAMES} {_DAY} {_CLOCK} (?P<y>\d{{4}})",  # as C and Twitter write it
    rf"{_NAMES},? (?P<y>\d{{4}})",
    rf"(?P<y>\d{{4}})[ -]{_NAMES}(?:[ -]{_DAY})?{_TIME}",
)
SWAPPABLE = re.compile(_NUMBERS, re.ASCII | re.IGNORECASE)


class Day(NamedTuple):
    """A date, or as much of one as a cell gives."""

    year: int
    month: int  # 0 where only the year is given
    day: int  # 0 where none is given


@dataclass(frozen=True, slots=True)
class DateReading:
    """How the dates of a column are read.

    Attributes
    ----------
    order : {"", "day", "month"}
        What stands first in dates such as 03/04/2024; empty if nothing says it, so that such
        dates are not read.
    pattern : str
        As of `datetime.strptime`, tried before all other forms; empty for none.
    """

    order: Order = ""
    pattern: str = ""

    def __str__(self) -> str:
        return {"": "", "day": "day/month/year", "month": "month/day/year"}[self.order]


UNAMBIGUOUS = DateReading()


def read_pattern(option: str | None) -> DateReading:
    """Return the reading that ``--date-format`` asks for; raise `UsageError` if it is no pattern.

    >>> read_pattern("%d/%m/%Y").order
    'day'
    """
    if option is None:
        return UNAMBIGUOUS
    codes = re.findall("%(.)", option)
    sample = date(2024, 10, 22)
    found = None
    if set(codes) & set("yYcx"):
        with suppress(ValueError, re.error):  # the latter of a code that appears twice
            found = datetime.strptime(sample.strftime(option), option).date()
    if found not in (sample, sample.replace(day=1)):
        advice = "write one such as %d/%m/%Y, %m/%d/%Y or '%d %B %y'"
        raise UsageError(f"--date-format '{shown(option)}' does not give year and month; {advice}")
    numbers = [code for code in codes if code in "dm"]
    order: Order = "" if len(numbers) < 2 else "day" if numbers[0] == "d" else "month"
    return DateReading(order, option)


@lru_cache(maxsize=1 << 16)
def read_date(text: str, reading: DateReading = UNAMBIGUOUS) -> Day | None:
    """Return the date that a cell holds, or None if it is not one or may be two.

    Read are ``2024``, ``2024-03``, ``2024-03-09`` (also with ``/`` or ``.``, or a time after it),
    ``20240309``, ``09.03.2024``, ``9 March 2024``, ``Mar 9, 2024``, ``Sat, 09 Mar 2024 10:00:00
    GMT``, and ``22/10/2023`` or ``10/22/2023``. What ``03/04/2024`` is, the reading must say.

    >>> read_date("Sun, 22 Oct 2023 10:00:00 GMT"), read_date("October 2023")
    (Day(year=2023, month=10, day=22), Day(year=2023, month=10, day=0))
    >>> read_date("03/04/2024"), read_date("03/04/2024", DateReading("day"))
    (None, Day(year=2024, month=4, day=3))
    """
    text = " ".join(text.split())
    if not text or len(text) > _LONGEST or not text.isascii():
        return None
    if reading.pattern:
        with suppress(ValueError):
            given = datetime.strptime(text, reading.pattern)
            return Day(given.year, given.month, given.day)
    if swappable := SWAPPABLE.fullmatch(text):
        return _ordered(swappable, reading.order)
    for form in _FORMS:
        # Compiled, and kept by `re`, when first tried: most tables need the first form alone.
        if found := re.fullmatch(form, text, re.ASCII | re.IGNORECASE):
            return _day(found.groupdict())
    return None


def _ordered(found: re.Match[str], order: Order) -> Day | None:
    parts = found.groupdict()
    own = own_order(parts)
    if not own and not order and parts["d"] != parts["m"]:
        return None
    if (own or order) == "month":
        parts["d"], parts["m"] = parts["m"], parts["d"]
    return None if own and order and own != order else _day(parts)


def own_order(parts: dict[str, str]) -> Order:
    """Return what a date such as 22/10/2023 says about what stands first."""
    if int(parts["d"]) > 12:
        return "day"
    return "month" if int(parts["m"]) > 12 else ""


def _day(parts: Mapping[str, str | None]) -> Day | None:
    """Return a date that exists, and falls on its weekday if it names one."""
    year, month, day = (int(part) if (part := parts.get(key)) else None for key in "ymd")
    if name := parts.get("b"):
        month = _MONTHS.index(name[:3].lower()) + 1
    try:
        found = date(year or 0, 1 if month is None else month, 1 if day is None else day)
    except ValueError:
        return None
    weekday = parts.get("w")
    if weekday and _WEEKDAYS.index(weekday[:3].lower()) != found.weekday():
        return None
    return Day(found.year, month or 0, day or 0)


def day_of(text: str, reading: DateReading = UNAMBIGUOUS) -> int | None:
    """Return the ordinal of a date; None if `read_date` reads none.

    A bare year or month counts as its first day.

    >>> day_of("2 January 0001"), day_of("0001"), day_of("03/04/2024")
    (2, 1, None)
    """
    found = read_date(text, reading)
    return found and date(found.year, max(found.month, 1), max(found.day, 1)).toordinal()


def months_of(dates: Sequence[str], reading: DateReading = UNAMBIGUOUS) -> Ints:
    """Return the month of each date, counted from the year 0; -1 where it cannot be told.

    A bare year has no month.

    >>> months_of(["0001-03", "2024", "03/04/2024", "3 April 2024"]).tolist()
    [14, -1, -1, 24291]
    """
    days = {text: read_date(text, reading) for text in set(dates)}  # of which there are few
    months = {
        text: day.year * 12 + day.month - 1 if day and day.month else -1
        for text, day in days.items()
    }
    return np.array([*map(months.__getitem__, dates)], np.int64)


def iso_dates(dates: Iterable[str], reading: DateReading) -> list[str]:
    """Return dates that mean something else without the reading as ``2024-04-03``, others as is.

    >>> iso_dates(["03/04/2024", "3 April 2024"], DateReading("day"))
    ['2024-04-03', '3 April 2024']
    """
    if reading == UNAMBIGUOUS:
        return list(dates)
    return [
        date.fromordinal(day).isoformat()
        if (day := day_of(text, reading)) and day != day_of(text)
        else text
        for text in dates
    ]
