"""Columns are found whatever their case, and a missing one gets the option to type."""

import pytest
from command import fails, write

from stance.errors import DataError
from stance.tables import Header, column, open_table, optional_column


@pytest.mark.parametrize("name", ["text", "Text", "TEXT", " text ", "te\u200bxt", "\ufefftext"])
def test_case_and_what_is_not_seen_do_not_count(tmp_path, name):
    with open_table(write(tmp_path / "mine.csv", f"id,{name}\n1,a\n")) as table:
        assert column(table, "text") == 1
        assert ("is read as 'text'" in table.notes[-1]) == (name != "text")


def test_an_exact_name_wins_and_others_that_differ_in_case_are_both_named():
    assert column(Header(("Text", "text", "TEXT"), "mine.csv"), "text") == 1
    for find in (column, optional_column):
        with pytest.raises(DataError, match="columns 'Text' and 'TEXT' could each be 'text'; ren"):
            find(Header(("Text", "id", "TEXT"), "mine.csv"), "text")


@pytest.mark.parametrize(
    ("name", "columns", "message"),
    [
        ("text", "id,texts", "no column 'text'; did you mean --text-column 'texts'?"),
        ("text", "id,Body", "did you mean --text-column 'Body'?"),
        ("text", "Paragraph,articleText", "--text-column 'Paragraph'?"),
        ("text", "Outlet,Paragraph text", "did you mean --text-column 'Paragraph text'?"),
        ("text", "id,Текст", "did you mean --text-column 'Текст'?"),
        ("text", "id,outlet", "it has id, outlet; choose one with --text-column"),
        ("text", "text:actor", "one column 'text:actor'; name its separator with --delimiter"),
        ("text", "text actor", "name its separator with --delimiter"),
        ("text", "12,2022-02-24", "it has 12, 2022-02-24; choose one with --text-column"),
        ("actor", "text,Target", "did you mean stance import table --map actor='Target'?"),
        ("actor", "text,x", "--map actor=, or name the actor of all rows with --actor"),
        ("stance", "text,actor,label", "did you mean stance import table --map stance='label'?"),
    ],
)
def test_a_missing_column_gets_the_option_to_type(tmp_path, name, columns, message):
    path = write(tmp_path / "mine.csv", f"{columns}\n")
    command = "predict" if name == "text" else "evaluate"
    assert message in fails(1, command, path)
