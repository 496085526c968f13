"""Advice names the actors whose labels are missing, the most useful first."""

import pytest
from conftest import quick_recipe
from test_fitting import BOOK, made_up, write

from stance.fitting import train
from stance.fitting.advice import LABEL_ROWS, MOST, OFTEN, find_gaps

COLUMNS = ("text", "actor", "stance")


def rows_of(actor, against=0, neutral=0, favor=0, text="{} met in week {}."):
    labels = ["against"] * against + ["neutral"] * neutral + ["favor"] * favor
    return [(text.format(actor, n), actor, label) for n, label in enumerate(labels)]


@pytest.fixture
def advice(tmp_path):
    def of(rows):
        return find_gaps(write(tmp_path / "mine.csv", rows, COLUMNS), BOOK)

    return of


def test_an_actor_with_all_labels_needs_none(advice):
    assert advice(rows_of("NATO", 10, 10, 10)) == []


def test_the_labels_that_are_few_are_counted(advice):
    (found,) = advice(rows_of("NATO", 3, 40, 0))
    assert found == {
        "actor": "NATO",
        "rows": 43,
        "missing": {"rows": 17, "against": 7, "favor": 10},
        "text": "NATO (43 rows): label 7 more against, 10 more favor",
    }


def test_an_actor_that_is_often_named_but_never_judged(advice):
    full = rows_of("NATO", 10, 10, 10)
    for texts, expected in ((OFTEN - 1, []), (OFTEN, ["Russia"])):
        # Two rows of one text are one text that names Russia.
        both = [(f"Moscow spoke of Iran, {n}.", "Iran", "neutral") for n in range(texts)] * 2
        found = [each for each in advice([*full, *both]) if each["actor"] != "Iran"]
        assert [each["actor"] for each in found] == expected
    (found,) = found
    assert found["missing"] == {
        "rows": 3 * LABEL_ROWS,
        **dict.fromkeys(("against", "neutral", "favor"), LABEL_ROWS),
    }
    assert found["text"].startswith(
        f"Russia: named in {OFTEN} texts but never labelled; label 10 more"
    )


def test_the_most_useful_comes_first(advice):
    rows = [
        *rows_of("NATO", 30, 30, 9),  # lacks 1 of 70 rows, named in 69 texts
        *rows_of("Iran", 10, 10, 0),  # lacks a third, in 20 texts
        *rows_of("Japan", 1, 40, 10),  # lacks 9 of 60, in 51 texts
    ]
    found = advice(rows)
    assert [each["actor"] for each in found] == ["Japan", "Iran", "NATO"]


def test_rare_actors_are_left_alone_and_the_list_is_short(advice):
    rows = [row for n in range(14) for row in rows_of(f"Club {n:02}", neutral=5)]
    found = advice([*rows, *rows_of("Mali", favor=4)])
    assert [each["actor"] for each in found] == [f"Club {n:02}" for n in range(MOST)]


def test_spellings_of_one_actor_count_together(advice):
    rows = [*rows_of("United States", 6, 6, 6), *rows_of("USA", 4, 4, 2)]
    (found,) = advice(rows)
    assert (found["actor"], found["missing"]) == ("United States", {"rows": 2, "favor": 2})


def test_training_counts_them_together_too(tmp_path):
    rows = [(*row[:1], "Tehran" if row[1] == "Iran" else row[1], *row[2:]) for row in made_up()]
    odd = [row if row[4] % 8 > 3 else made_up()[n] for n, row in enumerate(rows)]
    corpus = write(tmp_path / "mine.csv", odd)
    rows_of_iran = sum(name in ("Iran", "Tehran") for name in corpus.actors)
    assert 0 < corpus.actors.count("Iran") < rows_of_iran
    found = {each["actor"]: each for each in train(quick_recipe(), corpus, BOOK).prospects.advice}
    assert found["Iran"]["rows"] == rows_of_iran
    assert "Tehran" not in found


def test_a_hostile_name_cannot_colour_the_terminal(advice):
    (found,) = advice(rows_of("\x1b[31mNATO", 10, 10, 0))
    assert found["text"].isprintable()
    assert found["actor"] == "\x1b[31mNATO"
