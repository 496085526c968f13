"""`stance actors TABLE` counts every alias that fires, and the rows that name an actor."""

import json

import pytest
from command import invoke, write

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
        assert screen[0] == f"{4 * many:,} rows; {2 * many:,} name an actor"
        assert " ".join(screen[1].split()).startswith(f"NATO ({2 * many:,}) NATO {2 * many:,}, ")
        assert "separator ','" in told
    text = ["The Democratic Republic of the Congo."]
    screen = actors(table(tmp_path / "a.csv", text), own=False)[0]
    assert "Democratic Republic of the Congo (1)  Democratic Republic of the Congo 1" in screen
    assert actors(table(tmp_path / "b.csv", []))[1]["actors"] == {}
    assert actors(table(tmp_path / "c.csv", TEXTS[:1]))[0][0] == "1 row; 1 names an actor"


def test_an_article_is_counted_by_paragraph(actors, tmp_path):
    first = "The defence ministers of NATO met in Brussels on Tuesday to talk about the budget."
    second = "Officials in Moscow said that Russia would answer in kind within a few weeks of it."
    _, found, _ = actors(write(tmp_path / "article.txt", f"{first}\n\n{second}\n"))
    assert (found["rows"], found["rows_with_actor"]) == (2, 2)
    assert found["actors"]["Russia"]["aliases"] == {"Moscow": 1, "Russia": 1}


def test_leaders_count_only_while_in_office(actors, tmp_path):
    dates = ("18 May 2023", "18 May 2025", "x", "")
    rows = "".join(f"Rutte praised the summit.,{date}\n" for date in dates)
    path = write(tmp_path / "mine.csv", f"text,Date\n{rows}")
    _, found, told = actors(path, own=False)
    assert found["actors"]["NATO"]["rows"] == 3
    assert "1 date in column 'Date' cannot be read" in told
    _, found, _ = actors(path, "--date-column", "text", own=False)
    assert found["actors"]["NATO"]["rows"] == 4


def test_the_screen_lists_the_book(actors):
    assert actors()[0] == [
        *("NATO (organisation)", "  name         NATO", "  nickname     the alliance"),
        *("  not          non NATO", "Russia (state)", "  name         Russia"),
        "  capital      Moscow",
    ]
