"""Periods hold enough answers for a point, lose none, and are named apart."""

from datetime import date

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stance.errors import DataError
from stance.findings.periods import (
    FEWEST_PER_POINT,
    MOST_PERIODS,
    MOST_POINTS,
    UNITS,
    Periods,
    chart_course,
    choose_grids,
)

DAYS = st.integers(date(1, 2, 1).toordinal(), date(9998, 12, 31).toordinal())


def day(text):
    return date.fromisoformat(text).toordinal()


def counted(grids, answers):
    """Count answers of one cluster and label by period of each grid; `answers` by day."""
    found = []
    for grid in grids:
        counts = np.zeros((grid.count, 1, 3), np.int64)
        for each, number in answers.items():
            if (place := grid.place(each)) >= 0:
                counts[place, 0, 1] += number
        found.append(counts)
    return found


@given(DAYS, st.sampled_from(UNITS))
def test_the_middle_of_a_period_lies_in_it(start, unit):
    whole = Periods(unit, 0, 10**7)
    place = whole.place(start)
    assert whole.place(int(whole.middle(place))) == place
    assert abs(whole.middle(place) - start) <= 183


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
    assert whole.name(whole.place(day(text))) == name


@given(st.dictionaries(DAYS, st.integers(1, 10**6), min_size=1, max_size=40))
def test_grids_are_short_enough_to_count_in(days):
    grids = choose_grids(days)
    assert 1 <= len(grids) <= 2
    assert all(1 <= grid.count <= MOST_PERIODS for grid in grids)
    assert any(grid.place(each) >= 0 for grid in grids for each in days)


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


@example([(0, 19), (1, 90), (2, 90), (84, 1)], None)  # weeks, of which one is far off
@given(
    st.lists(st.tuples(st.integers(0, 1400), st.integers(1, 90)), min_size=1, max_size=80),
    st.sampled_from([None, *UNITS]),
)
def test_every_point_holds_enough_answers_and_none_is_lost(rows, asked):
    answers = {}
    for each, number in rows:
        answers[day("2020-01-06") + each] = number
    grids = choose_grids(answers, asked)
    counts = counted(grids, answers)
    found = chart_course(grids, counts)
    total = int(counts[-1].sum())
    if total < FEWEST_PER_POINT:
        assert found is None
        return
    sizes = [int(span.counts.sum()) for span in found.spans]
    assert min(sizes) >= FEWEST_PER_POINT
    assert sum(sizes) == total
    days = [span.day for span in found.spans]
    assert days == sorted(set(days))
    assert len(days) <= MOST_POINTS or asked
    assert asked in (None, found.unit) or grids[0].unit == "month"


@pytest.mark.parametrize(
    ("monthly", "unit", "points"), [(200, "week", 20), (30, "month", 12), (10, "quarter", 4)]
)
def test_few_answers_get_longer_periods(monthly, unit, points):
    answers = {}
    for month in range(1, 13):
        for number in range(monthly):
            each = day(f"2024-{month:02}-{1 + number % 28:02}")
            answers[each] = answers.get(each, 0) + 1
    grids = choose_grids(answers)
    found = chart_course(grids, counted(grids, answers))
    assert found.unit == unit
    assert len(found.spans) >= points


def test_no_date_makes_no_period():
    assert choose_grids({}) == ()
    assert chart_course((), []) is None
