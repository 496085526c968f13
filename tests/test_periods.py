"""Periods hold every date, are few, and are named apart."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stance.findings.periods import UNITS, choose_periods

DAYS = st.integers(date(1, 2, 1).toordinal(), date(9998, 12, 31).toordinal())


def day(text):
    return date.fromisoformat(text).toordinal()


@given(st.sets(DAYS, min_size=1, max_size=40), st.sampled_from(UNITS))
def test_each_day_lies_in_a_period_whose_number_tells_how_far_apart_they_are(days, unit):
    days = np.array(sorted(days))
    periods = choose_periods(days, unit)
    places = periods.places(days)
    assert sorted({*places.tolist()}) == [*range(len(periods.names))]
    length = {"week": 7, "month": 365.2425 / 12, "quarter": 365.2425 / 4, "year": 365.2425}[unit]
    apart = np.diff(np.array(periods.numbers)[places]) - np.diff(days) / length
    assert (np.abs(apart) < 1.1).all()
    assert periods.places(np.array([0])) == [-1]


@pytest.mark.parametrize(
    ("unit", "text", "name"),
    [
        ("week", "2024-12-30", "2025-W01"), ("week", "2021-01-03", "2020-W53"),
        ("month", "2024-02-29", "2024-02"), ("quarter", "2024-04-01", "2024 Q2"),
        ("year", "1999-12-31", "1999"),
    ],
)  # fmt: skip
def test_periods_bear_their_usual_names(unit, text, name):
    assert choose_periods(np.array([0, day(text)]), unit).names == [name]


@pytest.mark.parametrize(
    ("first", "last", "unit"),
    [
        ("2024-01-05", "2024-12-30", "month"),
        ("2023-12-31", "2024-12-30", "quarter"),
        ("2020-01-01", "2024-03-01", "year"),
    ],
)
def test_periods_are_the_shortest_of_which_a_dozen_suffice(first, last, unit):
    assert choose_periods(np.arange(day(first), day(last))).unit == unit


def test_a_column_of_years_has_years():
    days = np.array([day(f"{year}-01-01") for year in (2014, 2015, 2019)])
    assert choose_periods(days).names == ["2014", "2015", "2019"]
    assert choose_periods(days, "quarter").names == ["2014 Q1", "2015 Q1", "2019 Q1"]


def test_a_far_date_is_one_more_period():
    days = [day(f"2024-{month:02}-15") for month in range(1, 8)]
    assert choose_periods(np.array([day("1024-01-05"), *days])).names[:2] == ["1024-01", "2024-01"]
