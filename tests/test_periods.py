"""Periods hold enough answers for a point, lose none, and are named apart."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stance.errors import DataError
from stance.findings.periods import UNITS, Periods, choose_periods

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


def days_of(counts):
    return np.repeat(list(counts), list(counts.values()))


@given(st.dictionaries(DAYS, st.integers(1, 900), min_size=1, max_size=40))
def test_periods_hold_all_but_the_tails(days):
    periods = choose_periods(days_of(days))
    inside = sum(number for each, number in days.items() if place(periods, each) >= 0)
    assert inside >= 0.99 * sum(days.values())


def test_one_mistyped_date_does_not_stretch_the_range():
    usual = {day(f"2024-{month:02}-15"): 500 for month in range(1, 13)}
    assert choose_periods(days_of(usual | {day("1024-01-05"): 1})) == Periods("month", 24288, 12)


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


def test_a_period_that_is_asked_for_is_taken_or_refused():
    days = np.repeat([day("1900-01-01"), day("2024-03-02")], 5)
    assert choose_periods(days, "quarter").unit == "quarter"
    with pytest.raises(DataError, match="its dates span 6,479 weeks; use --period quarter"):
        choose_periods(days, "week")
