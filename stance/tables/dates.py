"""Dates as people write them, never guessed: the user says what 03/04/2024 means."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from stance.arrays import Ints
from stance.display import count, shown
from stance.errors import DataError, UsageError
from stance.tables.columns import column, optional_column
from stance.tables.table import Chunks, InputOptions, Table

_LONGEST = 60  # characters of a date

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_MONTH = (
    r"(?P<b>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}\.?,? )?"
_DAY = r"(?P<d>\d{1,2})(?:st|nd|rd|th)?"
_ZONE = r"(?: ?(?:z|[a-z]{3,4}|(?:utc|gmt)?[+-]\d{1,2}(?::?\d{2})?))?(?: \(?[a-z]{3,5}\)?)?"
_CLOCK = r"\d{1,2}[:.h]\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[ap]\.?m\.?)?" + _ZONE
_TIME = rf"(?:(?:,? | at |, at |t){_CLOCK})?"
_FORMS = (
    r"(?P<y>\d{4})(?:([-/.])(?P<m>\d{1,2})(?:\2(?P<d>\d{1,2})" + _TIME + ")?)?",
    r"(?P<y>\d{4})(?P<m>\d\d)(?P<d>\d\d)(?:T\d{6}Z?)?",
    rf"(?P<d>\d{{1,2}})\.(?P<m>\d{{1,2}})\.(?P<y>\d{{4}}){_TIME}",
    rf"{_WEEKDAY}{_DAY}[ -]{_MONTH},?[ -](?P<y>\d{{4}}){_TIME}",
    rf"{_WEEKDAY}{_MONTH} {_DAY},? (?P<y>\d{{4}}){_TIME}",
    rf"{_MONTH},? (?P<y>\d{{4}})",
)
_SWAPPABLE = re.compile(
    rf"(?P<d>\d{{1,2}})(?P<s>[/-])(?P<m>\d{{1,2}})(?P=s)(?P<y>\d{{4}}){_TIME}",
    re.ASCII | re.IGNORECASE,
)


class Day(NamedTuple):
    """A date, or as much of one as a cell gives."""

    year: int
    month: int  # 0 where only the year is given
    day: int  # 0 where none is given


def read_pattern(option: str | None) -> str:
    """Return the pattern of ``--date-format``; raise `UsageError` if it is none.

    >>> read_pattern("%d/%m/%Y"), read_pattern(None)
    ('%d/%m/%Y', '')
    """
    if option is None:
        return ""
    codes = re.findall("%(.)", option)
    sample, parsed = date(2024, 10, 22), None
    if set(codes) & set("yYcx"):
        with suppress(ValueError, re.error):  # the latter of a code that appears twice
            parsed = datetime.strptime(sample.strftime(option), option).date()
    if parsed not in (sample, sample.replace(day=1)):
        advice = "write one such as %d/%m/%Y, %m/%d/%Y or '%d %B %y'"
        raise UsageError(f"--date-format '{shown(option)}' does not give year and month; {advice}")
    return option


@lru_cache(maxsize=1 << 16)
def read_date(text: str, pattern: str = "") -> Day | None:
    """Return the date that a cell holds, or None if it is not one or may be two.

    A `pattern` of `datetime.strptime` is tried first.

    Read are ``2024``, ``2024-03``, ``2024-03-09`` (also with ``/`` or ``.``, or a time after it),
    ``20240309``, ``09.03.2024``, ``9 March 2024``, ``Mar 9, 2024``, ``Sat, 09 Mar 2024 10:00:00
    GMT``, and, without a pattern, ``22/10/2023`` or ``10/22/2023``. What ``03/04/2024`` is, the
    pattern must say.

    >>> read_date("Sun, 22 Oct 2023 10:00:00 GMT"), read_date("October 2023")
    (Day(year=2023, month=10, day=22), Day(year=2023, month=10, day=0))
    >>> read_date("03/04/2024"), read_date("03/04/2024", "%d/%m/%Y")
    (None, Day(year=2024, month=4, day=3))
    """
    text = " ".join(text.split())
    if not text or len(text) > _LONGEST or not text.isascii():
        return None
    if pattern:
        with suppress(ValueError):
            moment = datetime.strptime(text, pattern)
            return Day(moment.year, moment.month, moment.day)
    if match := _SWAPPABLE.fullmatch(text):
        first, second, year = int(match["d"]), int(match["m"]), int(match["y"])
        if pattern or (first <= 12 and second <= 12 and first != second):
            return None
        return _day(year, second, first) if first > 12 else _day(year, first, second)
    for form in _FORMS:
        # Compiled, and kept by `re`, when first tried: most tables need the first form alone.
        if match := re.fullmatch(form, text, re.ASCII | re.IGNORECASE):
            parts = match.groupdict()
            if parts.get("b"):
                parts["m"] = str(_MONTHS.index(parts["b"][:3].lower()) + 1)
            return _day(*(int(part) if (part := parts.get(key)) else None for key in "ymd"))
    return None


def _day(year: int | None, month: int | None, day: int | None) -> Day | None:
    """Return a date if it exists; None is a part that is not given."""
    try:
        date(year or 0, 1 if month is None else month, 1 if day is None else day)
    except ValueError:
        return None
    return Day(year or 0, month or 0, day or 0)


def day_of(text: str, pattern: str = "") -> int | None:
    """Return the ordinal of a date, a bare year or month as its first day; None if not read.

    >>> day_of("2 January 0001"), day_of("0001"), day_of("03/04/2024")
    (2, 1, None)
    """
    day = read_date(text, pattern)
    return day and date(day.year, max(day.month, 1), max(day.day, 1)).toordinal()


def months_of(dates: Sequence[str], pattern: str = "") -> Ints:
    """Return the month of each date, counted from the year 0; -1 where it cannot be told.

    >>> months_of(["0001-03", "2024", "03/04/2024", "3 April 2024"]).tolist()
    [14, -1, -1, 24291]
    """
    days = {text: read_date(text, pattern) for text in set(dates)}  # of which there are few
    months = {
        text: day.year * 12 + day.month - 1 if day and day.month else -1
        for text, day in days.items()
    }
    return np.array([*map(months.__getitem__, dates)], np.int64)


# --- Columns -------------------------------------------------------------------------------------


class DateColumn:
    """The dates of a column, of which those that cannot be read are counted."""

    def __init__(self, table: str, name: str, pattern: str = "") -> None:
        self._table, self._name = table, f"column '{shown(name, 40)}'"
        self._pattern = pattern
        self._given = self._unread = self._years = 0  # cells; some are not read, or only years
        self._example = ""  # one of these

    def add(self, cells: Sequence[str], lines: Sequence[int], file: str = "") -> None:
        """Count some cells; raise `DataError` where one has two readings and none was asked for."""
        for cell, times in Counter(filter(str.strip, cells)).items():
            self._given += times
            if (day := read_date(cell, self._pattern)) is not None:
                self._years += times * (not day.month)
                continue
            line = lines[cells.index(cell)]
            place = f"{file}:{line}" if file else f"line {line}"
            days = [read_date(cell, pattern) for pattern in ("%d/%m/%Y", "%m/%d/%Y")]
            if all(days) and not self._pattern:
                one, other = (f"{day.day} {date(*day):%B %Y}" for day in days if day)
                raise DataError(
                    f"{self._table}: '{shown(cell)}' ({place}) in {self._name} may be {one} or "
                    f"{other}; say --date-format %d/%m/%Y or %m/%d/%Y"
                )
            self._example = self._example or f"{place}, '{shown(cell, 30)}'"
            self._unread += times

    def notes(self) -> Iterator[str]:
        """Yield how many dates were not read, and how many are only years."""
        of_all = f"of {count(self._given, 'date')} in {self._name}"
        if self._example:
            yield (
                f"{self._unread:,} {of_all} cannot be read (first: {self._example}); write "
                "2024-03-09, or name their form with --date-format"
            )
        if self._years:
            effect = "leaders count whatever their terms, and tables by month take January"
            yield f"{self._years:,} {of_all} without a month: {effect}"


def find_dates(table: Table, options: InputOptions) -> tuple[int, str] | None:
    """Return the place of a table's dates, and their pattern; None if it has none.

    They are in the column that a user named, else in ``date``, and are looked at as they pass: one
    with two readings raises `DataError`, and those that cannot be read are noted.
    """
    pattern = read_pattern(options.date_format)
    if options.date_column is None and not pattern:
        place = optional_column(table, "date")
    else:
        place = column(table, options.date_column or "date", "--date-column")
    if place is None:
        return None
    _look_at(table, place, pattern, lambda dates: dates)
    return place, pattern


def rewrite_dates(table: Table, place: int, date_format: str | None = None) -> None:
    """Have a table's dates with two readings come as ``2024-04-03``, all others as they are.

    They are looked at as by `find_dates`.
    """
    pattern = read_pattern(date_format)

    def as_iso(text: str) -> str:
        day = day_of(text, pattern)
        return date.fromordinal(day).isoformat() if day and day != day_of(text) else text

    _look_at(table, place, pattern, lambda dates: list(map(as_iso, dates)))


def _look_at(
    table: Table, place: int, pattern: str, change: Callable[[list[str]], list[str]]
) -> None:
    dates = DateColumn(table.name, table.columns[place], pattern)

    def passing(chunks: Chunks) -> Chunks:
        for chunk in chunks:
            file = table.file_of(chunk.numbers[0]) if table.several else ""  # never of two
            dates.add(chunk.columns[place], chunk.lines, file)
            columns = list(chunk.columns)
            columns[place] = change(columns[place])
            yield replace(chunk, columns=columns)

    table.through(passing, dates.notes)
