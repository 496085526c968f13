"""Two models are compared on rows that neither has learned from, with documents as the unit."""

import dataclasses
import json
from itertools import product

import numpy as np
import pytest
from command import fails, invoke, misused, write
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from test_evaluation import NAMES, certain, columns, random_answers

from stance.errors import DataError
from stance.evaluation import score
from stance.evaluation.answers import document_confusion, macro_f1
from stance.evaluation.assessment import compare_models
from stance.evaluation.comparison import ROWS, compare, contrast, document_test
from stance.evaluation.intervals import gain_in, holm, t_interval
from stance.screens.scores import comparison_lines
from stance.storage import save_model


def pair_of(rows=400, documents=60):
    """Two models' answers to the same rows; the first is right more often."""
    a, b = random_answers(1, rows, documents), random_answers(2, rows, documents)
    return a, dataclasses.replace(b, gold=a.gold, document=a.document, actor=a.actor)


def test_each_model_scores_as_it_would_alone_and_the_gain_rests_on_the_same_documents():
    a, b = pair_of()
    figures = contrast(a, b)
    for answers, part in ((a, figures["a"]), (b, figures["b"])):
        alone = score(answers)
        assert part == {key: alone[key] for key in part}
    assert (figures["n"], figures["documents"]) == (400, 60)
    both = [document_confusion(x.gold, x.predicted, x.document, 3) for x in (a, b)]
    bounds = t_interval(gain_in(macro_f1), np.stack(both, axis=1))
    assert figures["difference_interval"] == pytest.approx(bounds, abs=1e-6)
    gain = macro_f1(both[0].sum(axis=0)) - macro_f1(both[1].sum(axis=0))
    assert figures["difference"] == pytest.approx(gain, abs=1e-6)
    assert figures["a_only"] == sum(a.right & ~b.right)
    assert figures["b_only"] == sum(b.right & ~a.right)
    assert figures["p"] == pytest.approx(document_test(a.right, b.right, a.document), abs=1e-6)
    back = contrast(b, a)
    assert (back["difference"], back["p"]) == (-figures["difference"], figures["p"])


def test_a_model_does_not_differ_from_itself_and_no_p_value_is_zero():
    a, _ = pair_of()
    figures = contrast(a, a)
    assert (figures["difference"], figures["difference_interval"]) == (0.0, [0.0, 0.0])
    assert (figures["a_only"], figures["b_only"], figures["p"]) == (0, 0, 1.0)
    good, bad = certain([0] * 90, [0] * 90), certain([1] * 90, [0] * 90)
    assert contrast(good, bad)["p"] == 1e-6


def test_actors_of_enough_rows_are_compared_and_adjusted_for_their_number():
    a, b = pair_of(400)
    actor = ["NATO"] * ROWS + ["Poland"] * (ROWS - 1) + ["Russia"] * (400 - 2 * ROWS + 1)
    a, b = (dataclasses.replace(answers, actor=actor) for answers in (a, b))
    figures = compare(a, b)
    assert list(figures["per_actor"]) == ["Russia", "NATO"]
    assert figures["left_out"] == 1
    rows = np.array(actor) == "NATO"
    assert contrast(a.take(rows), b.take(rows)).items() <= figures["per_actor"]["NATO"].items()
    parts = figures["per_actor"].values()
    assert [part["p_holm"] for part in parts] == pytest.approx(holm([p["p"] for p in parts]))


def test_few_documents_have_no_interval_and_are_noted():
    figures = compare(*pair_of(30, documents=4))
    assert figures["difference_interval"] is None
    assert figures["trusted"] is False
    assert any("rests on 4 documents" in note for note in figures["notes"])


def test_the_comparison_is_plain_json_and_a_narrow_screen():
    a, b = pair_of(700)
    actor = [f"{NAMES[row % 5]}\x1b[31m {row % 20}" for row in range(700)]
    a, b = (dataclasses.replace(answers, actor=actor) for answers in (a, b))
    figures = {"models": {"a": "mine", "b": "other"}, **compare(a, b), "seen": {"a": 90, "b": 4}}
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
    lines = comparison_lines(figures)
    assert max(map(columns, lines)) < 80
    assert all(line.isprintable() and line == line.rstrip() for line in lines)
    for words in ("all rows ", "A less B", "and 6 more actors", "left out: 90 of A, 4 of B"):
        assert words in "\n".join(lines)


# --- The test ---


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 8)), max_size=40))
def test_the_document_test_equals_all_ways_of_giving_signs_and_of_rows_is_mcnemar_s(rows):
    first, second, document = np.array(rows, np.int64).reshape(-1, 3).T
    surplus = [int((first - second)[document == name].sum()) for name in np.unique(document)]
    sums = [np.dot(signs, surplus) for signs in product((-1, 1), repeat=len(surplus))]
    expected = np.mean([abs(each) >= abs(sum(surplus)) for each in sums])
    first, second = first.astype(bool), second.astype(bool)
    assert document_test(first, second, document) == pytest.approx(expected)
    only = (first & ~second).sum(), (second & ~first).sum()
    expected = stats.binomtest(only[0], sum(only)).pvalue if sum(only) else 1.0
    assert document_test(first, second, np.arange(len(rows))) == pytest.approx(expected)


def test_of_equal_models_one_in_twenty_is_found_to_differ_and_by_rows_far_more():
    rng, p = np.random.default_rng(2), []
    for _ in range(500):  # right rows of models with good and bad documents of their own
        document = np.repeat(np.arange(80), rng.integers(1, 9, 80))
        first, second = rng.random((2, len(document))) < rng.beta(1, 1, (2, 80))[:, document]
        rows = np.arange(len(document))
        p.append([document_test(first, second, unit) for unit in (document, rows)])
    by_document, by_row = (np.array(p) <= 0.05).mean(axis=0)
    assert 0.03 <= by_document <= 0.065
    assert by_row > 0.12


# --- Models ---


@pytest.fixture(scope="module")
def other(model):
    """A model of the same corpus whose stance head is weaker."""
    head = model.stance
    blocks = tuple(dataclasses.replace(each, coef=each.coef * 0) for each in head.blocks[1:])
    weaker = dataclasses.replace(head, blocks=(head.blocks[0], *blocks))
    return dataclasses.replace(model, stance=weaker)


def test_models_of_other_labels_or_without_a_new_row_are_refused(model, other, corpus):
    odd = dataclasses.replace(model.stance, labels=("contra", "neutral", "pro"))
    with pytest.raises(DataError, match="against, neutral, favor, the other contra, neutral, pro"):
        compare_models(model, dataclasses.replace(model, stance=odd), corpus)
    with pytest.raises(DataError, match="every row is training data of one of the models"):
        compare_models(model, other, corpus)


@pytest.fixture(scope="module")
def files(other, corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("compared")
    save_model(other, folder / "other.stance")
    verbs = [("Poland praised", "favor"), ("Iran condemned", "against"), ("It met", "neutral")] * 8
    rows = [
        f'"{who} NATO at meeting {n}.",NATO,{stance}\n' for n, (who, stance) in enumerate(verbs)
    ]
    rows += ['"' + corpus.texts[0].replace('"', '""') + f'",{corpus.actors[0]},against\n']
    return folder / "other.stance", write(folder / "c.csv", f"text,actor,stance\n{''.join(rows)}")


def test_the_command_compares_on_rows_that_neither_has_learned_from(files, model_path):
    other, corpus = files
    asked = ("evaluate", corpus, "--model", model_path, "--compare", other)
    result = invoke(*asked, "--json")
    figures = json.loads(result.stdout)
    assert (result.exit_code, figures["n"], figures["seen"]) == (0, 24, {"a": 1, "b": 1})
    assert figures["models"] == {"a": "small.stance", "b": "other.stance"}
    assert figures["difference"] > 0
    assert {"p", "p_holm", "difference"} <= set(figures["per_actor"]["NATO"])
    assert invoke(*asked, "--json").stdout == result.stdout
    assert invoke(*asked).stdout.splitlines()[:2] == ["A  small.stance", "B  other.stance"]


def test_what_cannot_be_compared_is_said_in_one_line(files, model_path, tmp_path):
    other, corpus = files
    asked = ("evaluate", corpus, "--model", model_path, "--compare")
    assert "cannot be compared with itself" in fails(2, *asked, model_path)
    for option in ("--report", "--errors"):
        assert "drop --compare" in fails(2, *asked, other, option, tmp_path / "x")
    assert "drop --compare" in fails(2, *asked, other, "--stress")
    assert "no CORPUS" in fails(2, "evaluate", "--model", model_path, "--compare", other)
    assert "nowhere.stance" in fails(3, *asked, tmp_path / "nowhere.stance")
    assert "not a model" in fails(3, *asked, write(tmp_path / "x.stance", "PK no model"))
    assert "compare" in misused("evaluate", "--compare")
    refused = fails(2, "evaluate", model_path, other, "--model", model_path)
    assert refused.endswith("a second one to compare it with by --compare")
