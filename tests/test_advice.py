"""Advice names the actors whose labels are missing, the most useful first."""

import pytest
from conftest import quick_recipe
from test_fitting import BOOK, made_up, write

from stance.fitting import train
from stance.fitting.advice import LABEL_ROWS, MOST, OFTEN, advise

COLUMNS = ("text", "actor", "stance")


def rows_of(actor, against=0, neutral=0, favor=0, text="{} met in week {}."):
    labels = ["against"] * against + ["neutral"] * neutral + ["favor"] * favor
    return [(text.format(actor, n), actor, label) for n, label in enumerate(labels)]


def scores(whole=0.6, trusted=True, **actors):
    """Scores of all rows, and of actors: macro-F1 and bounds."""
    per_actor = {
        name.replace("_", " "): {"macro_f1": f1, "interval": bounds, "trusted": trusted}
        for name, (f1, bounds) in actors.items()
    }
    return {"macro_f1": whole, "per_actor": per_actor}


@pytest.fixture
def advice(tmp_path):
    def of(rows, found=None):
        corpus = write(tmp_path / "mine.csv", rows, COLUMNS)
        return advise(corpus, BOOK, found or scores())

    return of


def test_an_actor_with_all_labels_and_a_good_score_needs_none(advice):
    rows = rows_of("NATO", 10, 10, 10)
    assert advice(rows, scores(NATO=(0.6, (0.55, 0.65)))) == []
    assert advice(rows, scores(NATO=(0.6, None))) == []
    assert advice(rows, scores(trusted=False, NATO=(0.6, (0.3, 0.9)))) == []


def test_the_labels_that_are_few_are_counted(advice):
    (found,) = advice(rows_of("NATO", 3, 40, 0))
    assert found.to_json() == {
        "actor": "NATO",
        "rows": 43,
        "missing": {"rows": 17, "against": 7, "favor": 10},
        "text": "NATO (43 rows): label 7 more against, 10 more favor",
    }


def test_a_wide_interval_says_how_many_rows_would_narrow_it(advice):
    (found,) = advice(rows_of("NATO", 20, 20, 20), scores(NATO=(0.6, (0.4, 0.8))))
    assert found.missing == {"rows": 180}  # four times the rows for half the width, in tens
    assert found.text == (
        "NATO (60 rows): macro-F1 60.0 [40.0, 80.0] is wide: about 180 more rows would narrow it "
        "to 20 points"
    )


def test_a_score_below_that_of_all_is_reported(advice):
    (found,) = advice(rows_of("NATO", 20, 20, 20), scores(NATO=(0.4, (0.3, 0.5))))
    assert found.missing == {"rows": 60}
    assert "macro-F1 40.0 [30.0, 50.0] is below the overall 60.0: read its wrong" in found.text


def test_an_actor_that_is_often_named_but_never_judged(advice):
    full = rows_of("NATO", 10, 10, 10)
    for texts, expected in ((OFTEN - 1, []), (OFTEN, ["Russia"])):
        # Two rows of one text are one text that names Russia.
        both = [(f"Moscow spoke of Iran, {n}.", "Iran", "neutral") for n in range(texts)] * 2
        found = [each for each in advice([*full, *both]) if each.actor != "Iran"]
        assert [each.actor for each in found] == expected
    (found,) = found
    assert found.to_json()["missing"] == {
        "rows": 3 * LABEL_ROWS,
        **dict.fromkeys(("against", "neutral", "favor"), LABEL_ROWS),
    }
    assert found.text.startswith(
        f"Russia: named in {OFTEN} texts but never labelled; label 10 more"
    )


def test_the_most_useful_comes_first(advice):
    rows = [
        *rows_of("NATO", 30, 30, 9),  # lacks 1 of 70 rows, named in 69 texts
        *rows_of("Iran", 10, 10, 0),  # lacks a third, in 20 texts
        *rows_of("Japan", 1, 40, 10),  # lacks 9 of 60, in 51 texts
    ]
    found = advice(rows)
    assert [each.actor for each in found] == ["Japan", "Iran", "NATO"]
    assert [round(each.use, 2) for each in found] == [7.65, 6.67, 0.99]


def test_rare_actors_are_left_alone_and_the_list_is_short(advice):
    rows = [row for n in range(14) for row in rows_of(f"Club {n:02}", neutral=5)]
    found = advice([*rows, *rows_of("Mali", favor=4)])
    assert [each.actor for each in found] == [f"Club {n:02}" for n in range(MOST)]


def test_spellings_of_one_actor_count_together(advice):
    rows = [*rows_of("United States", 6, 6, 6), *rows_of("USA", 4, 4, 2)]
    (found,) = advice(rows)
    assert (found.actor, found.missing) == ("United States", {"rows": 2, "favor": 2})


def test_training_scores_them_together_too(tmp_path):
    rows = [(*row[:1], "Tehran" if row[1] == "Iran" else row[1], *row[2:]) for row in made_up()]
    odd = [row if row[4] % 8 > 3 else made_up()[n] for n, row in enumerate(rows)]
    corpus = write(tmp_path / "mine.csv", odd)
    rows_of_iran = sum(name in ("Iran", "Tehran") for name in corpus.actors)
    assert 0 < corpus.actors.count("Iran") < rows_of_iran
    found = {each.actor: each for each in train(quick_recipe(), corpus, BOOK).prospects.advice}
    assert found["Iran"].rows == rows_of_iran
    assert "Tehran" not in found


def test_a_hostile_name_cannot_colour_the_terminal(advice):
    (found,) = advice(rows_of("\x1b[31mNATO", 10, 10, 0))
    assert found.text.isprintable()
    assert found.actor == "\x1b[31mNATO"
