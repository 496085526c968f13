"""Columns of a table, found by name, and dates as people write them, which are never guessed."""

import difflib
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache
from itertools import chain

import numpy as np

from stance.arrays import Ints
from stance.display import shown
from stance.errors import DataError, UsageError
from stance.files import DATA
from stance.records import InputOptions
from stance.tables.table import Records, Table, folded

KNOWN = tomllib.loads((DATA / "columns.toml").read_text("utf-8"))

USUAL: dict[str, list[str]] = KNOWN["usual"]
"""What other people call the columns that we ask for, most telling names first."""


def column(table: Table, name: str, option: str = "", hint: str = "") -> int:
    """Return the place of a column, or raise with the name, and `option`, that may be meant.

    `hint` ends the message where no column looks meant.

    >>> column(Table("mine.csv", ("id", "Text")), "text")
    1
    """
    if (place := optional_column(table, name)) is None:
        advice = _advice(table, name, option, hint)
        raise DataError(f"{table.name}: no column '{shown(name)}'; {advice}")
    return place


def optional_column(table: Table, name: str) -> int | None:
    """Return the place of a column or None; raise if two differ from the name in case alone.

    An exact name wins; then case, spaces, quotes and invisible characters around it do not count,
    which the table notes.
    """
    if name in (columns := table.columns):
        return columns.index(name)
    alike = [place for place, other in enumerate(columns) if folded(other) == folded(name)]
    if len(alike) > 1:
        names = " and ".join(f"'{shown(columns[place])}'" for place in alike[:3])
        why = f"columns {names} could each be '{shown(name)}'"
        raise DataError(f"{table.name}: {why}; rename all but one of them")
    if alike:
        table.note(f"column '{shown(columns[alike[0]])}' is read as '{shown(name)}'")
    return alike[0] if alike else None


def likely(columns: Sequence[str], name: str) -> str:
    """Return the column that may be meant by a name; empty if none looks so.

    >>> likely(("No.", "Outlet", "Paragraph text"), "text")
    'Paragraph text'
    """
    wanted = folded(name)
    words = {column: re.split(r"[\W_]+", folded(column[:200])) for column in columns}
    usual = [word.replace("_", "") for word in USUAL.get(wanted, ())]
    same = (column for word in usual for column in columns if "".join(words[column]) == word)
    within = (column for word in (wanted, *usual) for column in columns if word in words[column])
    near = difflib.get_close_matches(wanted, map(folded, columns), n=1, cutoff=0.75)
    alike = (column for column in columns if folded(column) in near)
    return next(chain(same, within if usual else (), alike), "")


def _advice(table: Table, name: str, option: str, hint: str) -> str:
    columns, wanted = table.columns, folded(name)
    if sheet := table.sheet_with(wanted):
        return f"use --sheet '{shown(sheet)}'"
    if len(columns) == 1 and wanted in re.split(r"\W", folded(columns[0])):
        advice = "name its separator with --delimiter, or remove quotes around it or lines above it"
        return f"the header is one column '{shown(columns[0])}'; {advice}"
    if meant := likely(columns, name):
        return f"did you mean {option}{' ' if option[-1:].isalpha() else ''}'{shown(meant)}'?"
    listed = ", ".join(shown(column, 30) for column in columns[:8])
    alone = len(columns) == 1 and not hint  # maybe a title
    one, title = ("it", "remove lines above the header") if alone else ("one", "")
    ways = [f"choose {one} with {option}" * bool(option), table.other_sheets, title]
    or_else = ", or ".join(filter(None, ways))
    return f"it has {listed}{' …' * (len(columns) > 8)}{or_else and f'; {or_else}'}{hint}"


def expanded(pattern: str, parts: Mapping[str, str]) -> str:
    """Return a pattern in which parts stand for their names, as in ``<time>``.

    >>> expanded("at <time>", {"time": "<hour>:00", "hour": "[0-9]+"})
    'at [0-9]+:00'
    """
    for name, part in parts.items():
        pattern = pattern.replace(f"<{name}>", part)
    return pattern


# --- Dates ---------------------------------------------------------------------------------------

_LONGEST = 60  # characters of a date
DAY_FIRST, MONTH_FIRST = "%d/%m/%Y", "%m/%d/%Y"  # whatever sign or time is beside the numbers
_FORMS = [expanded(form, KNOWN["dates"]["parts"]) for form in KNOWN["dates"]["forms"]]

BARE = "leaders count whatever their terms, and tables by month take January"  # of bare years
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


def read_pattern(option: str | None) -> str:
    """Return the pattern of ``--date-format``; raise `UsageError` if it is none.

    >>> read_pattern("%d/%m/%Y"), read_pattern(None)
    ('%d/%m/%Y', '')
    """
    if option is None:
        return ""
    sample, parsed = date(2024, 10, 22), None
    if set(re.findall("%(.)", option)) & set("yYcx"):
        with suppress(ValueError, re.error):  # the latter of a code that appears twice
            parsed = datetime.strptime(sample.strftime(option), option).date()
    if parsed not in (sample, sample.replace(day=1)):
        advice = "write one such as %d/%m/%Y, %m/%d/%Y or '%d %B %y'"
        raise UsageError(f"--date-format '{shown(option)}' does not give year and month; {advice}")
    return option


@lru_cache(maxsize=1 << 16)
def read_date(text: str, pattern: str = "") -> tuple[int, int, int] | None:
    """Return year, month and day that a cell holds, or None if it is not a date or may be two.

    Month or day are 0 where none is given. A `pattern` of `datetime.strptime` is tried first.

    Read are ``2024``, ``2024-03``, ``2024-03-09`` (also with ``/`` or ``.``, or a time after it),
    ``20240309``, ``09.03.2024``, ``9 March 2024``, ``Mar 9, 2024``, ``Sat, 09 Mar 2024 10:00:00
    GMT``, ``22/10/2023`` and ``10/22/2023`` (also with ``-`` or a time). What ``03/04/2024`` is,
    the pattern must say.

    >>> read_date("Sun, 22 Oct 2023 10:00:00 GMT"), read_date("October 2023")
    ((2023, 10, 22), (2023, 10, 0))
    >>> read_date("03/04/2024"), read_date("03/04/2024", "%d/%m/%Y")
    (None, (2024, 4, 3))
    """
    text = " ".join(text.split())
    if not text or len(text) > _LONGEST or not text.isascii():
        return None
    if pattern:
        with suppress(ValueError):
            moment = datetime.strptime(text, pattern)
            return moment.year, moment.month, moment.day
    # Compiled, and kept by `re`, when first tried: most tables need the first form alone.
    matches = (re.fullmatch(form, text, re.ASCII | re.IGNORECASE) for form in _FORMS)
    if (match := next(filter(None, matches), None)) is None:
        return None
    parts = match.groupdict()
    year, month, day = (parts.get(key) or "" for key in ("y", "m", "d"))
    if parts.get("b"):
        month = str(_MONTHS.index(parts["b"][:3].lower()) + 1)
    elif "swap" in parts:
        if not pattern and int(day) != int(month) and int(day) <= 12 and int(month) <= 12:
            return None
        month_first = int(month) > 12 if not pattern else pattern == MONTH_FIRST
        if pattern not in ("", DAY_FIRST, MONTH_FIRST):
            return None
        day, month = (month, day) if month_first else (day, month)
    with suppress(ValueError):
        date(int(year), int(month or 1), int(day or 1))
        return int(year), int(month or 0), int(day or 0)
    return None


def day_of(text: str, pattern: str = "") -> int | None:
    """Return the ordinal of a date, a bare year or month as its first day; None if not read.

    >>> day_of("2 January 0001"), day_of("0001"), day_of("03/04/2024")
    (2, 1, None)
    """
    parts = read_date(text, pattern)
    return parts and date(parts[0], parts[1] or 1, parts[2] or 1).toordinal()


def months_of(dates: Iterable[object], pattern: str = "") -> Ints:
    """Return the month of each date, counted from the year 0; -1 where it cannot be told.

    >>> months_of(["0001-03", "2024", "03/04/2024", "3 April 2024"]).tolist(), months_of("2024-03")
    ([14, -1, -1, 24291], array([24290]))
    """
    cells = [dates] if isinstance(dates, str) else dates
    days = (read_date(str(cell), pattern) or (0, 0, 0) for cell in cells)
    months = [year * 12 + month - 1 if month else -1 for year, month, _ in days]
    return np.array(months, np.int64)


def find_dates(table: Table, options: InputOptions) -> tuple[int, str] | None:
    """Return the place of a table's dates, and their pattern; None if it has none.

    They are in the column that a user named, else in ``date``, and are looked at as they pass: one
    with two readings raises `DataError`, and those that cannot be read are noted.
    """
    if options.date_column is None and options.date_format is None:
        place = optional_column(table, "date")
    else:
        place = column(table, options.date_column or "date", "--date-column")
    if place is None:
        return None
    rewrite_dates(table, place, options.date_format, keep=True)
    return place, options.date_format or ""


def rewrite_dates(
    table: Table, place: int, form: str | None, *, keep: bool = False, bare: str = BARE
) -> None:
    """Rewrite dates with two readings as ``2024-04-03``, unless they `keep` their form."""
    pattern = read_pattern(form)

    def as_iso(text: str) -> str:
        day = day_of(text, pattern)
        return date.fromordinal(day).isoformat() if day and day != day_of(text) else text

    def look(chunk: Records) -> Records:
        note_dates(table, place, chunk, pattern, bare=bare)
        if keep or not pattern:
            return chunk
        columns = list(chunk.columns)
        columns[place] = list(map(as_iso, columns[place]))
        return replace(chunk, columns=columns)

    table.through(look)


def note_dates(
    table: Table, place: int, chunk: Records, pattern: str = "", advice: str = "", bare: str = BARE
) -> None:
    """Note dates that cannot be read, or are only years; raise where one has two readings."""
    where, cells = f"in column '{shown(table.columns[place], 40)}'", chunk.columns[place]
    for cell, times in Counter(filter(str.strip, cells)).items():
        if (day := read_date(cell, pattern)) and day[1]:
            continue
        first = table.place(chunk, cells.index(cell))
        if day:
            table.note(f"date: {where} without a month: {bare}", first, times)
            continue
        days = [read_date(cell, order) for order in (DAY_FIRST, MONTH_FIRST)]
        if all(days) and not pattern:
            one, other = (f"{day[2]} {date(*day):%B %Y}" for day in days if day)
            what = f"'{shown(cell)}' ({first}) {where} may be {one} or {other}"
            how = advice or f"say --date-format {DAY_FIRST} or {MONTH_FIRST}"
            raise DataError(f"{table.name}: {what}; {how}")
        form = advice or "write 2024-03-09, or name their form with --date-format"
        example = f"{first}, '{shown(cell, 30)}'"
        table.note(f"date: {where} cannot be read; {form}", example, times)


def add_paragraphs_before(table: Table, text: int) -> None:
    """Append to each record the paragraph before it in its document, "" if there is none.

    Columns ``document`` and ``paragraph``, which counts, say which one that is; a table without
    them stays as it is. ``text`` is the place of the paragraphs. Boilerplate that was kept stands
    between no two of them.
    """
    names = list(map(folded, table.columns))
    if not {"document", "paragraph"} <= {*names}:
        return
    number, kept = names.index("paragraph"), "boilerplate" in names
    places = [text, number, *[0] * bool(table.headers), names.index("document")]  # 0: the file
    last, before = [""] * len(places), ""

    def add(chunk: Records) -> Records:
        nonlocal last, before
        earlier = list[str]()
        flags = chunk.columns[names.index("boilerplate")] if kept else [""] * len(chunk)
        for flag, *row in zip(flags, *map(chunk.columns.__getitem__, places), strict=True):
            if row != last:  # another actor of the same paragraph has the same one before
                numbered = all(n.isdecimal() and len(n) < 10 for n in (row[1], last[1]))
                follows = numbered and row[-1] and row[2:] == last[2:]
                follows = follows and int(row[1]) == int(last[1]) + 1
                before = last[0] if follows else ""
            earlier.append("" if flag else before)
            last = [before, *row[1:]] if flag else row
        return replace(chunk, columns=[*chunk.columns, earlier])

    table.through(add)
