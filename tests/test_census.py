"""The census counts every alias that fires in a table, and the rows that name an actor."""

import csv

import pytest

from stance.check.census import census
from stance.errors import DataError
from stance.reading.actors import BATCH, Actor, ActorBook
from stance.screens.checks import book_lines, census_lines
from stance.tables import Inputs, Reading

BOOK = ActorBook(
    [
        Actor(
            "NATO",
            "organisation",
            {"name": ("NATO",), "nickname": ("the alliance",)},
            exclusions=("non NATO",),
        ),
        Actor("Russia", "state", {"name": ("Russia",), "capital": ("Moscow",)}),
    ]
)

ROWS = [
    "NATO, Nato and the alliance met.",
    "Nothing here, but a non-NATO state.",
    "Moscow told NATO that Moscow\u2019s patience is short.",
    "",
]


def write(path, rows, column="text"):
    with path.open("w", encoding="utf-8", newline="") as table:
        csv.writer(table).writerows([("id", column), *enumerate(rows)])
    return path


def counted(book, path, text_column):
    return census(book, Inputs((path,)), Reading(text_column))


def test_aliases_and_rows_are_counted(tmp_path):
    found = counted(BOOK, write(tmp_path / "mine.csv", ROWS), "text")
    assert (found.rows, found.named) == (4, 2)
    assert found.rows_by_actor == {"NATO": 2, "Russia": 1}
    assert found.aliases == {
        ("NATO", "NATO"): 2,
        ("NATO", "Nato"): 1,
        ("NATO", "the alliance"): 1,
        ("Russia", "Moscow"): 2,
    }
    assert any("separator ','" in note for note in found.notes)


def test_the_most_frequent_aliases_are_listed_and_the_others_counted(tmp_path):
    names = [f"Guild{letter}" for letter in "abcdefgh"]
    book = ActorBook([Actor("The Guild", "other", {"name": tuple(names)})])
    rows = [" and ".join(names[:number]) for number in range(1, 9)]
    screen = census_lines(counted(book, write(tmp_path / "mine.csv", rows), "text").to_json())
    listed = "Guilda 8, Guildb 7, Guildc 6, Guildd 5, Guilde 4, Guildf 3, 2 more"
    assert screen == ["8 rows, 8 name an actor", f"The Guild                       8  {listed}"]


def test_the_counts_as_json(tmp_path):
    found = counted(BOOK, write(tmp_path / "mine.csv", ROWS), "text").to_json()
    assert found == {
        "rows": 4,
        "rows_with_actor": 2,
        "actors": {
            "NATO": {"rows": 2, "aliases": {"NATO": 2, "Nato": 1, "the alliance": 1}},
            "Russia": {"rows": 1, "aliases": {"Moscow": 2}},
        },
    }


def test_the_counts_on_a_screen(tmp_path):
    lines = census_lines(counted(BOOK, write(tmp_path / "mine.csv", ROWS), "text").to_json())
    assert lines[0] == "4 rows, 2 name an actor"
    assert lines[1].split() == ["NATO", "2", "NATO", "2,", "Nato", "1,", "the", "alliance", "1"]
    assert all(line.isprintable() for line in lines)


def test_counts_do_not_depend_on_batches(tmp_path):
    times = BATCH // len(ROWS) + 7
    found = counted(BOOK, write(tmp_path / "mine.csv", ROWS * times), "text")
    assert (found.rows, found.named) == (4 * times, 2 * times)
    assert found.rows_by_actor == {"NATO": 2 * times, "Russia": times}
    assert found.aliases["Russia", "Moscow"] == 2 * times


def test_an_article_is_counted_by_paragraph(tmp_path):
    path = tmp_path / "article.txt"
    path.write_text(
        "The defence ministers of NATO met in Brussels on Tuesday to talk about the budget.\n\n"
        "Officials in Moscow said that Russia would answer in kind within a few weeks of it.\n",
        encoding="utf-8",
    )
    found = counted(BOOK, path, "text")
    assert (found.rows, found.named) == (2, 2)
    assert found.aliases["Russia", "Moscow"] == found.aliases["Russia", "Russia"] == 1


def test_a_missing_column_is_named(tmp_path):
    with pytest.raises(DataError, match=r"mine.csv: no column 'text'"):
        counted(BOOK, write(tmp_path / "mine.csv", ROWS, "body"), "text")
    assert counted(BOOK, write(tmp_path / "mine.csv", ROWS, "body"), "body").rows == 4


def test_a_table_without_rows_has_a_census(tmp_path):
    found = counted(BOOK, write(tmp_path / "mine.csv", []), "text")
    assert census_lines(found.to_json()) == ["0 rows, 0 name an actor"]
    assert found.to_json()["actors"] == {}


def test_the_book_on_a_screen():
    assert book_lines(BOOK) == [
        "NATO (organisation)",
        "  name        NATO",
        "  nickname    the alliance",
        "  not         non NATO",
        "Russia (state)",
        "  name        Russia",
        "  capital     Moscow",
    ]


def test_leaders_count_only_while_in_office(tmp_path):
    rows = [("Rutte praised the summit.", date) for date in ("18 May 2023", "18 May 2025", "x", "")]
    path = tmp_path / "mine.csv"
    path.write_text("text,Date\n" + "".join(f"{text},{date}\n" for text, date in rows))
    found = counted(ActorBook.default(), path, "text")
    assert found.rows_by_actor == {"NATO": 3}
    assert any("1 of 3 dates in column 'Date' cannot be read" in note for note in found.notes)
    other = census(ActorBook.default(), Inputs((path,)), Reading(date_column="text"))
    assert other.rows_by_actor == {"NATO": 4}
