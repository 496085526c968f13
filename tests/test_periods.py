"""Periods hold every date, are few, and are named apart."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stance.errors import UsageError
from stance.findings.request import UNITS, find_periods

DAYS = st.integers(date(1, 2, 1).toordinal(), date(9998, 12, 31).toordinal())


def day(text):
    return date.fromisoformat(text).toordinal()


@given(st.sets(DAYS, min_size=1, max_size=40), st.sampled_from(UNITS))
def test_each_day_lies_in_a_period_whose_number_tells_how_far_apart_they_are(days, unit):
    days = np.array(sorted(days))
    periods, places = find_periods(np.append(days, 0), unit)
    assert places[-1] == -1
    places = places[:-1]
    assert sorted({*places.tolist()}) == [*range(len(periods))]
    length = {"week": 7, "month": 365.2425 / 12, "quarter": 365.2425 / 4, "year": 365.2425}[unit]
    apart = np.diff(np.array([*periods.values()])[places]) - np.diff(days) / length
    assert (np.abs(apart) < 1.1).all()


@pytest.mark.parametrize(
    ("unit", "first", "last", "name"),
    [
        ("week", "2024-12-30", "2024-12-31", "2025-W01"),
        ("week", "2021-01-03", "2021-01-04", "2020-W53"),
        ("month", "2024-02-29", "2024-03-01", "2024-02"),
        ("quarter", "2024-04-01", "2024-04-02", "2024 Q2"),
        ("year", "1999-12-31", "2000-01-01", "1999"),
        ("", "2024-01-05", "2024-12-30", "2024-01"),
        ("", "2023-12-31", "2024-12-30", "2023 Q4"),
        ("", "2020-01-01", "2024-03-01", "2020"),
    ],
)
def test_periods_have_usual_names_and_are_the_shortest_of_which_a_dozen_suffice(
    unit, first, last, name
):
    days = np.array([0, *range(day(first), day(last))])
    assert next(iter(find_periods(days, unit)[0])) == name


def test_a_column_of_years_has_years():
    days = np.array([day(f"{year}-01-01") for year in (2014, 2015, 2019)])
    assert [*find_periods(days)[0]] == ["2014", "2015", "2019"]
    with pytest.raises(UsageError, match="--period quarter: all dates are a first of Jan"):
        find_periods(days, "quarter")
