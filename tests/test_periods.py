"""Periods hold enough answers for a point, lose none, and are named apart."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stance.errors import DataError
from stance.findings.periods import (
    MOST_PERIODS,
    UNITS,
    Periods,
    choose_grids,
)

DAYS = st.integers(date(1, 2, 1).toordinal(), date(9998, 12, 31).toordinal())


def day(text):
    return date.fromisoformat(text).toordinal()


def place(grid, day):
    return int(grid.places(np.array([day]))[0])


@given(DAYS, st.sampled_from(UNITS))
def test_the_middle_of_a_period_lies_in_it(start, unit):
    whole = Periods(unit, 0, 10**7)
    at = place(whole, start)
    assert place(whole, int(whole.middle(at))) == at
    assert abs(whole.middle(at) - start) <= 183


@pytest.mark.parametrize(
    ("unit", "text", "name"),
    [
        ("week", "2024-12-30", "2025-W01"), ("week", "2021-01-03", "2020-W53"),
        ("month", "2024-02-29", "2024-02"), ("quarter", "2024-04-01", "2024 Q2"),
        ("year", "1999-12-31", "1999"),
    ],
)  # fmt: skip
def test_periods_bear_their_usual_names(unit, text, name):
    whole = Periods(unit, 0, 10**7)
    assert whole.name(place(whole, day(text))) == name


@given(st.dictionaries(DAYS, st.integers(1, 10**6), min_size=1, max_size=40))
def test_grids_are_short_enough_to_count_in(days):
    grids = choose_grids(days)
    assert 1 <= len(grids) <= 2
    assert all(1 <= grid.count <= MOST_PERIODS for grid in grids)
    assert any(place(grid, each) >= 0 for grid in grids for each in days)


def test_one_mistyped_date_does_not_stretch_the_range():
    usual = {day(f"2024-{month:02}-15"): 500 for month in range(1, 13)}
    assert choose_grids(usual | {day("1024-01-05"): 1}) == choose_grids(usual)


@pytest.mark.parametrize(
    ("dates", "units"),
    [
        (["2020-01-01", "2024-01-01"], ["year"]),  # as bare years are read
        (["2020-01-01", "2024-03-01"], ["month"]),
        (["2020-01-01", "2024-03-02"], ["week", "month"]),
        (["1900-01-01", "2024-03-02"], ["year"]),
    ],
)
def test_dates_without_a_day_or_month_have_no_weeks_or_months(dates, units):
    assert [grid.unit for grid in choose_grids({day(each): 9 for each in dates})] == units


def test_a_period_that_is_asked_for_is_taken_or_refused():
    days = {day("1900-01-01"): 5, day("2024-03-02"): 5}
    assert [grid.unit for grid in choose_grids(days, "quarter")] == ["quarter"]
    with pytest.raises(DataError, match="its dates span 6,479 weeks; use --period quarter"):
        choose_grids(days, "week")


def test_no_date_makes_no_period():
    assert choose_grids({}) == ()
