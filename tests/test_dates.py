"""Dates are read in the forms that people write, and never guessed."""

from datetime import date

import pytest
from command import predict, write
from hypothesis import given
from hypothesis import strategies as st

from stance.errors import DataError, UsageError
from stance.findings import Request
from stance.findings.answers import read_population
from stance.tables import open_table
from stance.tables.columns import read_date, rewrite_dates

DAY_FIRST, MONTH_FIRST = "%d/%m/%Y", "%m/%d/%Y"


@pytest.mark.parametrize(
    "text",
    [
        "2023-10-22", "2023/10/22", "2023.10.22", "20231022", "22.10.2023", " 2023-10-22T10:00Z ",
        "2023-10-22 10:00:00+02:00", "22 October 2023", "22 Oct 2023", "22nd October, 2023",
        "22-Oct-2023", "Oct 22, 2023", "Oct. 22, 2023", "october 22nd 2023", "10/22/2023, 3:04 PM",
        "Sunday, October 22, 2023", "Sun 22 Oct 2023 10.30 BST", "22/10/2023", "10/22/2023",
        "October 22, 2023 at 3:04 pm EDT", "22-10-2023 10:00", "Sun, 22 Oct 2023 10:00:00 GMT",
        "22 Oct 2023 10:00:00 -0500 (EST)", "20231022T103000Z",
        "2023-10-22 10:30:00 +0000 UTC", "2023-10-22 10:30:00,123", "2023-10-22 10:30 UTC+1",
    ],
)  # fmt: skip
def test_a_date_is_read_in_its_usual_forms(text):
    assert read_date(text) == (2023, 10, 22)
    assert read_date("03/3/2024") == (2024, 3, 3)  # has one reading


@pytest.mark.parametrize(
    "text",
    [
        "", "03/04/2024", "3-4-2024", "2024-13-01", "2024-02-30", "2024-03-00", "24-03-09",
        "22/10/23", "0000-01-01", "2024-03/09", "٢٠٢٤-٠٣-٠٩", "12024-03-09", "2024030",
        "31/31/2023", "22 Oktober 2023", "yesterday", "1697932800",
        "22 October", "x" * 100, "2024 12 31", "2024 3", "2024-03 15", "2024T5",
        "2024-03-09 2024-04-01", "2024-03-09 1", "2024-03-09T10:30/2024-04-01T10:30",
        "2024-03-09 10:30 to 11:30", "2024-03-09 3 articles", "2024-03-09T2024-04-01",
    ],
)  # fmt: skip
def test_what_may_mean_something_else_is_not_read(text):
    assert read_date(text) is None


@given(st.dates(date(1000, 1, 1)))
def test_a_reading_tells_day_from_month_in_every_date(day):
    text = f"{day.day}/{day.month:02}/{day.year}"
    assert read_date(text, DAY_FIRST) == (day.year, day.month, day.day)
    swapped = f"{day.month}/{day.day:02}/{day.year}"
    assert read_date(swapped, MONTH_FIRST) == (day.year, day.month, day.day)
    assert read_date(text) in (None, (day.year, day.month, day.day))


# --- Columns ---


def rewritten(tmp_path, dates, asked=None):
    """Return the dates of a table as they come, and what is said of them."""
    path = write(tmp_path / "mine.csv", "id,date\n" + "".join(f"x,{day}\n" for day in dates))
    with open_table(path) as table:
        rewrite_dates(table, 1, asked)
        return [record.cells[1] for record in table], table.notes[1:]


@pytest.mark.parametrize(
    ("dates", "asked", "said"),
    [
        (("2023-04-03", "22/10/2023", "10/22/2023", "04/04/2023", ""), None, ""),
        (("22/10/2023", "10/22/2023"), DAY_FIRST, "1 date in column 'date' cannot be read"),
        (("2024-01-01", "", "gestern", "3 Mai"), None, "2 dates in column 'date' cannot be"),
        (("2024", "", "May 2024", "2024"), None, "2 dates in column 'date' without a month: "),
    ],
)
def test_dates_that_cannot_be_read_are_counted(tmp_path, dates, asked, said):
    came, notes = rewritten(tmp_path, dates, asked)
    assert tuple(came) == dates
    assert said in "".join(notes)
    assert bool(said) == bool(notes)


@pytest.mark.parametrize("cell", ["03/04/2023", "03-04-2023", "3/4/2023 10:00"])
def test_a_date_with_two_readings_is_refused_with_both(tmp_path, cell):
    both = "may be 3 April 2023 or 4 March 2023; say --date-format %d/%m/%Y or %m/%d/%Y"
    with pytest.raises(DataError) as error:
        rewritten(tmp_path, ["22/10/2023", "", cell])
    place = f"{tmp_path / 'mine.csv'}: '{cell}' (line 4) in column 'date' "
    assert str(error.value) == place + both


@pytest.mark.parametrize(
    ("asked", "dates", "iso"),
    [
        ("%d/%m/%y", ("22/10/23", "1 May 2024"), ("2023-10-22", "1 May 2024")),
        ("%d/%m/%Y %H:%M", ("03/04/2023 10:00", "2 May 2023"), ("2023-04-03", "2 May 2023")),
        (MONTH_FIRST, ("03/04/2023", "3-4-2023 10:00"), ("2023-03-04", "2023-03-04")),
        ("%m.%d.%Y", ("03.04.2024", "2024-03-04"), ("2024-03-04", "2024-03-04")),
        ("%Y-%d-%m", ("03.04.2024", "2024-03-04"), ("03.04.2024", "2024-04-03")),
    ],
)
def test_a_pattern_goes_before_what_a_date_says_by_itself(tmp_path, asked, dates, iso):
    assert rewritten(tmp_path, dates, asked) == ([*iso], ())


@pytest.mark.parametrize("pattern", ["", "x", "%d/%m", "%H:%M", "DMY", "%d/%m/%Q", "%", "%Y%m%Y"])
def test_a_pattern_that_tells_no_month_is_refused(tmp_path, pattern):
    with pytest.raises(UsageError, match=r"--date-format '.*' does not give year and month; write"):
        rewritten(tmp_path, [], pattern)


def test_reports_and_shares_read_dates_by_the_form_asked_for(model, tmp_path):
    days = [f"{day:02}/04/2023" for day in range(1, 29)]
    rows = "".join(f"NATO won {day}.,{day}\n" for day in days)
    source = write(tmp_path / "in.csv", f"text,date\n{rows}")
    predict(model, source, answers := tmp_path / "answers.csv", date_format="%d/%m/%Y")
    with pytest.raises(DataError, match="may be 1 April 2023 or 4 January 2023"):
        read_population(Request(answers, over="date"))
    read_population(Request(answers))  # which does not ask for dates
    found = read_population(Request(answers, over="date", date_format="%d/%m/%Y"))
    assert (next(iter(found.periods)), set(found.period.tolist())) == ("2023-04", {0})
