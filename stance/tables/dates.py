"""Dates as they stand in tables."""

import re
from datetime import date
from functools import lru_cache

_FORMS = (
    re.compile(
        r"(?P<y>\d{4})(?:([-/.])(?P<m>\d{1,2})(?:\2(?P<d>\d{1,2}))?)?(?:[T ]\d.*)?", re.ASCII
    ),
    re.compile(r"(?P<y>\d{4})(?P<m>\d\d)(?P<d>\d\d)", re.ASCII),
    re.compile(r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})", re.ASCII),
)  # fmt: skip


@lru_cache(maxsize=1 << 16)
def month_of(text: str) -> int | None:
    """Return the month of a date, counted from the year 0; None where it cannot be told.

    Read are ``2024``, ``2024-03``, ``2024-03-09`` (also with ``/`` or ``.``, or a time after it),
    ``20240309`` and ``09.03.2024``. A date such as ``03/04/2024`` is not: month and day cannot be
    told apart. A bare year counts as its January.

    >>> month_of("2024-03-09T12:00") == 2024 * 12 + 2, month_of("03/04/2024")
    (True, None)
    """
    for form in _FORMS:
        if found := form.fullmatch(text.strip()[:40]):
            parts = found.groupdict()
            try:
                day = date(int(parts["y"]), int(parts["m"] or 1), int(parts["d"] or 1))
            except ValueError:
                return None
            return day.year * 12 + day.month - 1
    return None
