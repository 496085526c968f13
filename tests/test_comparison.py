"""Two models are compared on rows that neither has learned from, with documents as the unit."""

import dataclasses
import json

import pytest
from command import fails, invoke, misused, write

from stance.corpus import read_corpus
from stance.errors import DataError
from stance.evaluation.assessment import compare_models
from stance.storage import save_model

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
    gain, parts = figures["difference"], [figures[mark]["macro_f1"] for mark in "ab"]
    assert gain["macro_f1"] == pytest.approx(parts[0] - parts[1], abs=2e-6)
    low, high = gain["macro_f1_interval"]
    assert max(low, 0) < gain["macro_f1"] < high
    first, _, head, *names = invoke(*asked).stdout.splitlines()
    assert first.endswith("training data left out: 1 rows of A, 1 of B")
    assert head.split() == ["macro-F1", "[95", "%", "interval]"]
    assert [name[:15].rstrip() for name in names[:3]] == [
        "A  small.stance",
        "B  other.stance",
        "A less B",
    ]


def test_a_model_that_knows_whom_it_judges_is_named(files, model, other):
    features = dataclasses.replace(other.recipe.features, blocks={"stem": 1.0, "name": 0.4})
    knowing = dataclasses.replace(
        other, recipe=dataclasses.replace(other.recipe, features=features)
    )
    first, *_ = compare_models(model, knowing, read_corpus([files[1]]))["notes"]
    assert first.startswith("B: the model knows which actor is judged")


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
