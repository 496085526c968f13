"""Columns are found whatever their case, and a missing one gets the option to type."""

import pytest

from stance.errors import DataError
from stance.tables import column, optional_column, read_as


@pytest.mark.parametrize("name", ["text", "Text", "TEXT", " text ", "te\u200bxt", "\ufefftext"])
def test_case_and_what_is_not_seen_do_not_count(name):
    assert column(("id", name), "text", "mine.csv") == 1
    note = read_as(("id", name), ["text"], "mine.csv")
    assert bool(note) == (name != "text")


def test_an_exact_name_wins():
    assert column(("Text", "text", "TEXT"), "text", "mine.csv") == 1


def test_two_names_that_differ_in_case_are_both_named():
    for find in (column, optional_column):
        with pytest.raises(
            DataError, match="columns 'Text' and 'TEXT' could each be 'text'; rename"
        ):
            find(("Text", "id", "TEXT"), "text", "mine.csv")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (("id", "texts"), "no column 'text'; did you mean --text-column 'texts'?"),
        (("id", "Body"), "did you mean --text-column 'Body'?"),
        (("title", "content"), "did you mean --text-column 'content'?"),
        (("Paragraph", "articleText"), r"--text-column 'Paragraph' \(or 'articleText'\)"),
        (("Outlet", "Paragraph text"), "did you mean --text-column 'Paragraph text'?"),
        (("id", "outlet"), "it has id, outlet; choose one with --text-column"),
        (("id", "Article Text"), "did you mean --text-column 'Article Text'?"),
        (("text:actor",), "one column 'text:actor'; name its separator with --delimiter"),
        (("text actor",), "name its separator with --delimiter"),
        (("NATO praised the Polish government again", "NATO"), "names missing?"),
        (("12", "2022-02-24"), "names missing?"),
        (("id", "date"), "it has id, date; choose one with --text-column"),
    ],
)
def test_a_missing_column_gets_the_option_to_type(columns, message):
    with pytest.raises(DataError, match=message):
        column(columns, "text", "mine.csv", "--text-column")


@pytest.mark.parametrize(
    ("name", "usual"), [("actor", "Target"), ("stance", "label"), ("document", "article_id")]
)
def test_usual_names_of_other_columns_are_suggested(name, usual):
    with pytest.raises(DataError, match=f"did you mean --{name}-column '{usual}'?"):
        column(("id", usual), name, "mine.csv", f"--{name}-column")
