"""Two models are compared on the same rows, by documents, and what either has seen is named."""

import dataclasses
import json

import numpy as np
import pytest
from command import fails, invoke, misused, write
from test_evaluation import NAMES, certain, columns, leaves, random_answers

from stance.errors import DataError
from stance.evaluation import score
from stance.evaluation.answers import accuracy, document_confusion, macro_f1
from stance.evaluation.assessment import compare_models
from stance.evaluation.comparison import ROWS, compare, contrast, document_test, mcnemar
from stance.evaluation.intervals import gain_in, holm, t_interval
from stance.screens.scores import comparison_lines
from stance.storage import save_model


def pair_of(rows=400, documents=60):
    """Two models' answers to the same rows; the first is right more often."""
    a, b = random_answers(1, rows, documents), random_answers(2, rows, documents)
    b = dataclasses.replace(b, gold=a.gold, document=a.document, actor=a.actor)
    return a, b


def compared(a, b, **changes):
    none = np.zeros(len(a), np.bool_)
    given = {"conflict": np.arange(len(a)) % 2 == 0, "seen": (none, none)}
    given["names"] = [f"mine:{row + 1}" for row in range(len(a))]
    return compare(a, b, **(given | changes))


def test_each_model_scores_as_it_would_alone():
    a, b = pair_of()
    figures = contrast(a, b)
    for answers, part in ((a, figures["a"]), (b, figures["b"])):
        alone = score(answers)
        assert part == {key: alone[key] for key in part}
    assert (figures["n"], figures["documents"]) == (400, 60)


def test_differences_rest_on_the_same_documents():
    a, b = pair_of()
    figures = contrast(a, b)
    both = [document_confusion(x.gold, x.predicted, x.document, 3) for x in (a, b)]
    for key, name in (("difference", macro_f1), ("accuracy_difference", accuracy)):
        bounds = t_interval(gain_in(name), np.stack(both, axis=1))
        assert figures[f"{key}_interval"] == pytest.approx(bounds, abs=1e-6)
        gain = name(both[0].sum(axis=0)) - name(both[1].sum(axis=0))
        assert figures[key] == pytest.approx(gain, abs=1e-6)


def test_the_test_counts_rows_that_only_one_has_right():
    a, b = pair_of()
    found = contrast(a, b)["mcnemar"]
    assert found["a_only"] == sum(a.right & ~b.right)
    assert found["b_only"] == sum(b.right & ~a.right)
    assert found["p"] == pytest.approx(document_test(a.right, b.right, a.document), abs=1e-6)
    assert found["p_rows"] == pytest.approx(mcnemar(a.right, b.right), abs=1e-6)


def test_no_p_value_is_zero():
    good, bad = certain([0] * 90, [0] * 90), certain([1] * 90, [0] * 90)
    assert contrast(good, bad)["mcnemar"]["p"] == 1e-6


def test_exchanging_the_models_only_turns_the_signs():
    a, b = pair_of()
    there, back = (contrast(*both) for both in ((a, b), (b, a)))
    assert (there["a"], there["b"]) == (back["b"], back["a"])
    for key in ("difference", "accuracy_difference"):
        assert there[key] == -back[key]
        low, high = back[f"{key}_interval"]
        assert there[f"{key}_interval"] == pytest.approx([-high, -low], abs=2e-6)
    assert there["mcnemar"]["p"] == back["mcnemar"]["p"]


def test_a_model_does_not_differ_from_itself():
    a, _ = pair_of()
    figures = contrast(a, a)
    assert (figures["difference"], figures["difference_interval"]) == (0.0, [0.0, 0.0])
    assert figures["mcnemar"] == {"a_only": 0, "b_only": 0, "p": 1.0, "p_rows": 1.0}


def test_actors_of_enough_rows_are_compared_and_adjusted_for_their_number():
    a, b = pair_of(400)
    actor = ["NATO"] * ROWS + ["Poland"] * (ROWS - 1) + ["Russia"] * (400 - 2 * ROWS + 1)
    a, b = (dataclasses.replace(each, actor=actor) for each in (a, b))
    figures = compared(a, b)
    assert list(figures["per_actor"]) == ["Russia", "NATO"]
    assert figures["left_out"] == 1
    rows = np.array(actor) == "NATO"
    alone = contrast(a.take(rows), b.take(rows))
    assert alone.items() <= figures["per_actor"]["NATO"].items()
    parts = figures["per_actor"].values()
    assert [part["p_holm"] for part in parts] == pytest.approx(
        holm([part["mcnemar"]["p"] for part in parts])
    )


def test_rows_that_either_has_seen_are_named_and_left_out_beside():
    a, b = pair_of(200)
    seen = (np.arange(200) < 3, np.isin(np.arange(200), [2, 9]))
    found = compared(a, b, seen=seen)["leakage"]
    assert (found["a"], found["b"], found["either"]) == (3, 2, 4)
    assert found["rows"] == ["mine:1", "mine:2", "mine:3", "mine:10"]
    kept = ~(seen[0] | seen[1])
    assert found["without"] == contrast(a.take(kept), b.take(kept))
    assert compared(a, b)["leakage"]["without"] is None
    every = (kept | True, kept)
    assert compared(a, b, seen=every)["leakage"]["without"] is None


def test_conflict_rows_and_sentiment_are_compared_too():
    a, b = pair_of(200)
    rows = np.arange(200) < 50
    figures = compared(a, b, conflict=rows, sentiment=(b, a))
    assert figures["conflict"] == contrast(a.take(rows), b.take(rows))
    assert figures["sentiment"] == contrast(b, a)
    without = compared(a, b, conflict=rows & False)
    assert without["conflict"] is None
    assert "sentiment" not in without


def test_few_documents_have_no_interval_and_are_noted():
    a, b = pair_of(30, documents=4)
    figures = compared(a, b)
    assert figures["difference_interval"] is None
    assert figures["trusted"] is False
    assert any("rests on 4 documents" in note for note in figures["notes"])


def test_models_that_answer_alike_are_not_called_equal():
    a, b = pair_of()
    notes = compared(a, a, sentiment=(b, b))["notes"]
    assert [note.split(";")[0] for note in notes] == [
        "the models answer every row alike",
        "sentiment: the models answer every row alike",
    ]
    assert compared(a, b)["notes"] == []


def test_answers_to_other_rows_are_a_bug():
    with pytest.raises(ValueError, match="other rows"):
        compared(random_answers(1, 100), random_answers(2, 100))


def test_the_comparison_is_plain_json_and_a_narrow_screen():
    a, b = pair_of(700)
    actor = [f"{NAMES[row % 5]}\x1b[31m {row % 20}" for row in range(700)]
    a, b = (dataclasses.replace(each, actor=actor) for each in (a, b))
    seen = (np.arange(700) < 90, np.arange(700) < 4)
    found = compared(a, b, seen=seen, sentiment=(a, b))
    figures = found
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
    for leaf in leaves(figures):
        assert not isinstance(leaf, float) or leaf == round(leaf, 6)
    lines = comparison_lines(found)
    assert max(map(columns, lines)) < 80
    assert all(line.isprintable() and line == line.rstrip() for line in lines)
    text = "\n".join(lines)
    for words in (
        *("all rows ", "A less B", "and 5 more actors", "rows with conflict", "sentiment"),
        *("not in training data", "rows seen before: 90 in the training data of A, 4 in B's"),
    ):
        assert words in text


# --- Models ---


@pytest.fixture(scope="module")
def other(model):
    """A model of the same corpus whose stance head is weaker and that judges no sentiment."""
    head = model.stance
    blocks = tuple(dataclasses.replace(each, coef=each.coef * 0) for each in head.blocks[1:])
    weaker = dataclasses.replace(head, blocks=(head.blocks[0], *blocks))
    return dataclasses.replace(model, stance=weaker)


def test_models_are_judged_on_the_same_rows(model, other, corpus):
    figures = compare_models(model, other, corpus, ("mine", "theirs"))
    assert figures["models"] == {"a": "mine", "b": "theirs"}
    assert figures["n"] == len(corpus)
    assert figures["difference"] > 0
    low, high = figures["difference_interval"]
    assert low < figures["difference"] < high
    assert figures["leakage"]["either"] == len(corpus)
    assert figures["leakage"]["rows"][:2] == ["starter_head:1", "starter_head:2"]
    assert figures["sentiment"]["difference"] == 0.0
    deaf = dataclasses.replace(other, sentiment=None)
    assert "sentiment" not in compare_models(model, deaf, corpus)


def test_models_of_other_labels_are_refused(model, corpus):
    odd = dataclasses.replace(model.stance, labels=("contra", "neutral", "pro"))
    with pytest.raises(DataError, match="against, neutral, favor, the other contra, neutral, pro"):
        compare_models(model, dataclasses.replace(model, stance=odd), corpus)


@pytest.fixture(scope="module")
def files(other, tmp_path_factory):
    folder = tmp_path_factory.mktemp("compared")
    save_model(other, folder / "other.stance")
    rows = "\n".join(
        f'"{who} {verb} NATO at meeting {number}.",NATO,{stance}'
        for number, (who, verb, stance) in enumerate(
            [("Poland", "praised", "favor"), ("Iran", "condemned", "against"), ("It", "met", "0")]
            * 8
        )
    ).replace(",0", ",neutral")
    return folder / "other.stance", write(folder / "c.csv", f"text,actor,stance\n{rows}\n")


def test_the_command_compares(files, model_path):
    other, corpus = files
    given = ("evaluate", corpus, "--model", model_path, "--compare", other)
    result = invoke(*given, "--json")
    assert result.exit_code == 0
    figures = json.loads(result.stdout)
    keys = ("a", "b", "difference", "difference_interval", "mcnemar", "per_actor", "conflict")
    assert {*keys, "leakage", "notes", "sentiment"} - {"sentiment"} <= set(figures)
    assert figures["n"] == 24
    assert figures["models"] == {"a": "small.stance", "b": "other.stance"}
    assert {"p", "p_holm", "difference"} <= set(figures["per_actor"]["NATO"])
    assert invoke(*given, "--json").stdout == result.stdout
    lines = invoke(*given).stdout.splitlines()
    assert lines[:2] == ["A  small.stance", "B  other.stance"]


def test_what_cannot_be_compared_is_said_in_one_line(files, model_path, tmp_path):
    other, corpus = files
    given = ("evaluate", corpus, "--model", model_path, "--compare")
    assert "cannot be compared with itself" in fails(2, *given, model_path)
    for option in ("--report", "--errors"):
        assert "drop --compare" in fails(2, *given, other, option, tmp_path / "x")
    assert "drop --compare" in fails(2, *given, other, "--stress")
    alone = ("evaluate", "--model", model_path, "--compare", other)
    assert "no CORPUS" in fails(2, *alone)
    assert "nowhere.stance" in fails(3, *given, tmp_path / "nowhere.stance")
    assert "not a model" in fails(3, *given, write(tmp_path / "x.stance", "PK no model"))
    assert "compare" in misused("evaluate", "--compare")
    refused = fails(2, "evaluate", model_path, other, "--model", model_path)
    assert refused.endswith(
        "small.stance: is a model, not a labelled table; name it with --model, and a second one to "
        "compare it with by --compare"
    )
