"""`stance actors TABLE` counts every alias that fires, and the rows that name an actor."""

import json

import pytest
from command import fails, invoke, write

from stance.reading.actors import BATCH

BOOK = """
[NATO]
kind = "organisation"
name = ["NATO"]
nickname = ["the alliance"]
not = ["non NATO"]

[Russia]
kind = "state"
name = ["Russia"]
capital = ["Moscow"]
"""

TEXTS = (
    "NATO, Nato and the alliance met.",
    "Nothing here, but a non-NATO state.",
    "Moscow told NATO that Moscow\u2019s patience is short.",
    " ",
)


@pytest.fixture
def actors(tmp_path):
    """Count the aliases in a table, or list the book; return the screen and the counts."""
    book = write(tmp_path / "book.toml", BOOK)

    def actors(*args, own=True):
        args = ("actors", *args, *(("--actors", book) if own else ()))
        ran = invoke(*args)
        return ran.stdout.splitlines(), json.loads(invoke(*args, "--json").stdout), ran.stderr

    return actors


def table(path, texts, column="text"):
    return write(path, f"id,{column}\n" + "".join(f'{at},"{t}"\n' for at, t in enumerate(texts)))


def test_aliases_and_rows_are_counted_whatever_the_batches(actors, tmp_path):
    times = BATCH // len(TEXTS) + 7
    for many in (1, times):
        screen, found, told = actors(table(tmp_path / "a.csv", TEXTS * many))
        aliases = {"NATO": 2 * many, "Nato": many, "the alliance": many}
        assert found == {
            "rows": 4 * many,
            "rows_with_actor": 2 * many,
            "actors": {
                "NATO": {"rows": 2 * many, "aliases": aliases},
                "Russia": {"rows": many, "aliases": {"Moscow": 2 * many}},
            },
        }
        assert screen[0] == f"{4 * many:,} rows, {2 * many:,} name an actor"
        assert screen[1].split() == ["actor", "rows", "aliases"]
        assert " ".join(screen[2].split()).startswith(f"NATO {2 * many:,} NATO {2 * many:,}, ")
        assert "separator ','" in told
    assert actors(table(tmp_path / "b.csv", []))[1]["actors"] == {}


def test_an_article_is_counted_by_paragraph(actors, tmp_path):
    first = "The defence ministers of NATO met in Brussels on Tuesday to talk about the budget."
    second = "Officials in Moscow said that Russia would answer in kind within a few weeks of it."
    _, found, _ = actors(write(tmp_path / "article.txt", f"{first}\n\n{second}\n"))
    assert (found["rows"], found["rows_with_actor"]) == (2, 2)
    assert found["actors"]["Russia"]["aliases"] == {"Moscow": 1, "Russia": 1}


def test_a_missing_column_is_named(actors, tmp_path):
    path = table(tmp_path / "mine.csv", TEXTS, "body")
    assert "mine.csv: no column 'text'" in fails(1, "actors", path)
    assert actors(path, "--text-column", "body")[1]["rows"] == 4


def test_leaders_count_only_while_in_office(actors, tmp_path):
    dates = ("18 May 2023", "18 May 2025", "x", "")
    rows = "".join(f"Rutte praised the summit.,{date}\n" for date in dates)
    path = write(tmp_path / "mine.csv", f"text,Date\n{rows}")
    _, found, told = actors(path, own=False)
    assert found["actors"]["NATO"]["rows"] == 3
    assert "1 of 3 dates in column 'Date' cannot be read" in told
    _, found, _ = actors(path, "--date-column", "text", own=False)
    assert found["actors"]["NATO"]["rows"] == 4


def test_screens_list_the_book_and_the_most_frequent_aliases(actors, tmp_path):
    assert actors()[0] == [
        *("NATO (organisation)", "  name        NATO", "  nickname    the alliance"),
        *("  not         non NATO", "Russia (state)", "  name        Russia"),
        "  capital     Moscow",
    ]
    names = [f"Guild{letter}" for letter in "abcdefgh"]
    guild = f'["The Guild"]\nkind = "other"\nname = {names}\n'
    book = write(tmp_path / "guild.toml", guild.replace("'", '"'))
    path = table(tmp_path / "a.csv", [" and ".join(names[:number]) for number in range(1, 9)])
    screen = invoke("actors", path, "--actors", book).stdout.splitlines()
    listed = "Guilda 8, Guildb 7, Guildc 6, Guildd 5, Guilde 4, Guildf 3 and 2 more names"
    assert screen[0] == "8 rows, 8 name an actor"
    assert " ".join(" ".join(screen[2:4]).split()) == f"The Guild 8 {listed}"
