"""Two models are compared on rows that neither has learned from, with documents as the unit."""

import dataclasses
import json

import numpy as np
import pytest
from command import fails, invoke, misused, write
from test_evaluation import columns, random_answers

from stance.errors import DataError
from stance.evaluation import score
from stance.evaluation.answers import document_confusion, macro_f1
from stance.evaluation.assessment import compare_models
from stance.evaluation.comparison import compare
from stance.evaluation.intervals import gain_in, t_interval
from stance.screens.scores import comparison_lines
from stance.storage import save_model


def pair_of(rows=400, documents=60):
    """Two models' answers to the same rows; the first is right more often."""
    a, b = random_answers(1, rows, documents), random_answers(2, rows, documents)
    return a, dataclasses.replace(b, gold=a.gold, document=a.document, actor=a.actor)


def test_each_model_scores_as_it_would_alone_and_the_gain_rests_on_the_same_documents():
    a, b = pair_of()
    figures = compare(a, b)
    for answers, part in ((a, figures["a"]), (b, figures["b"])):
        alone = score(answers)
        assert part == {key: alone[key] for key in part}
    assert (figures["n"], figures["documents"]) == (400, 60)
    both = [document_confusion(x.gold, x.predicted, x.document, 3) for x in (a, b)]
    bounds = t_interval(gain_in(macro_f1), np.stack(both, axis=1))
    assert figures["difference_interval"] == pytest.approx(bounds, abs=1e-6)
    gain = macro_f1(both[0].sum(axis=0)) - macro_f1(both[1].sum(axis=0))
    assert figures["difference"] == pytest.approx(gain, abs=1e-6)
    assert compare(b, a)["difference"] == -figures["difference"]
    same = compare(a, a)
    assert (same["difference"], same["difference_interval"]) == (0.0, [0.0, 0.0])


def test_few_documents_have_no_interval_and_are_noted():
    figures = compare(*pair_of(30, documents=4))
    assert figures["difference_interval"] is None
    assert figures["trusted"] is False
    assert any("rests on 4 documents" in note for note in figures["notes"])


def test_the_comparison_is_plain_json_and_a_narrow_screen():
    figures = {"models": {"a": "mine", "b": "other"}, **compare(*pair_of(700))}
    figures |= {"seen": {"a": 90, "b": 4}}
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
    lines = comparison_lines(figures)
    assert max(map(columns, lines)) < 80
    assert all(line.isprintable() and line == line.rstrip() for line in lines)
    for words in ("all rows ", "A less B", "A is better in macro-F1", "left out: 90 of A, 4 of B"):
        assert words in "\n".join(lines)


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
    assert refused.endswith("a second model with --compare")
