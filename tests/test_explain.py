"""The reasons for an answer are exact: they sum to its score."""

import dataclasses
import json

import numpy as np
import pytest
from command import STARTER, fails, invoke, read_rows
from conftest import quick_recipe

from stance.errors import ActorError
from stance.fitting import train
from stance.model.explanation import explain
from stance.reading.actors import ActorBook
from stance.recipe import Features
from stance.storage import bundled_model, load_model

TEXT = "Poland praised NATO for its brave support and condemned Russia\u2019s brutal attack."


def pairs(count):
    """Texts and actors of both parts of the starter corpus, evenly taken."""
    rows = []
    for name in ("starter_test.csv", "starter_train.csv"):
        rows += [(row["text"], row["actor"]) for row in read_rows(STARTER / name)]
    return rows[:: len(rows) // count][:count]


def gap(found, head):
    """How far the reasons are from the scores and the answer that they explain."""
    total = np.array(found.intercept)
    for reason in (*found.words, *found.features):
        total += reason.push
    answer = head.probabilities(total[None])[0]
    gaps = np.abs(total - found.scores), np.abs(answer - found.probabilities)
    return float(np.max(gaps))


def test_contributions_sum_to_the_score():
    model = load_model(bundled_model())
    asked = pairs(80)
    found = [reasons for text, actor in asked for reasons in explain(model, text, actor)]
    assert len(found) == 80
    assert max(gap(one, model.stance) for one in found) < 1e-9


def test_contributions_of_every_block_sum_to_the_score(corpus):
    # Also of features per actor, and of blocks that the default recipe leaves out.
    blocks = {"stem": 1.0, "cross": 0.6, "mention": 0.4, "char": 0.6, "name": 0.4, "word": 0.3}
    recipe = dataclasses.replace(quick_recipe(), features=Features(blocks, per_actor="separate"))
    model = train(recipe, corpus.take(np.arange(300)), ActorBook.default()).model
    found = [explain(model, text, actor)[0] for text, actor in pairs(40)]
    assert max(gap(one, model.stance) for one in found) < 1e-9


def test_an_explanation_is_of_the_answer_given(model):
    asked = pairs(50)
    judged = model.judge([text for text, _ in asked], [actor for _, actor in asked])
    for number, (text, actor) in enumerate(asked):
        (found,) = explain(model, text, actor)
        assert np.array_equal(found.probabilities, judged.stance[number])
        assert found.withheld == judged.withheld[number]
        assert found.mentions == judged.mentions[number]
        assert found.actor == actor


def test_reasons_stand_at_their_words(model):
    (found,) = explain(model, "\ufeff" + TEXT, "NATO")
    assert found.text == TEXT.replace("\u2019", "'")
    for word in found.words:
        assert found.text[word.start : word.end] == word.text
    starts = [word.start for word in found.words]
    assert starts == sorted(starts)
    assert all(reason.start == reason.end == -1 for reason in found.features)
    strengths = [max(map(abs, reason.push)) for reason in found.features]
    assert strengths == sorted(strengths, reverse=True)


def test_the_word_that_praises_pushes_toward_favor(model):
    (found,) = explain(model, TEXT, "NATO")
    push = {word.text: dict(zip(found.labels, word.push, strict=True)) for word in found.words}
    assert push["praised"]["favor"] > 0 > push["praised"]["against"]
    (found,) = explain(model, TEXT, "Russia")
    push = {word.text: dict(zip(found.labels, word.push, strict=True)) for word in found.words}
    assert push["condemned"]["against"] > 0 > push["condemned"]["favor"]
    terms = {term for word in found.words for term in word.terms}
    assert any(term.startswith("cross ") and "TARGET" in term for term in terms)


def test_every_actor_of_the_text_is_explained_and_a_text_that_names_nobody_is_refused(model):
    assert [found.actor for found in explain(model, TEXT)] == ["Poland", "NATO", "Russia"]
    assert [found.actor for found in explain(model, TEXT, ["Russia", "NATO"])] == ["Russia", "NATO"]
    with pytest.raises(ActorError, match="the text names no actor of the book; name one with"):
        explain(model, "Nothing here.")
    for nobody in (" ", []):
        with pytest.raises(ActorError, match="the actor is empty; name one with"):
            explain(model, TEXT, nobody)


@pytest.mark.parametrize("text", ["", "...", "qwxzj NATO"])
def test_a_text_of_which_nothing_is_known(model, text):
    (found,) = explain(model, text, "NATO")
    assert found.withheld
    assert gap(found, model.stance) < 1e-9


# --- Standard input, and a reader that has seen enough ---

SENTENCE = "Poland praised NATO, and condemned Russia over the attack."


def test_a_paragraph_may_come_from_standard_input(model_path):
    args = ("--model", model_path, "--json")
    piped = invoke("explain", "-", *args, stdin=f"\ufeff{SENTENCE}\r\n".encode())
    assert json.loads(piped.stdout) == json.loads(invoke("explain", SENTENCE, *args).stdout)
    with pytest.warns(UserWarning, match="^only the first 50,000 characters of 1 text are read; "):
        invoke("explain", "-", *args, stdin=SENTENCE + " It rained." * 9000)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b" \n", "standard input: is empty; pipe a paragraph into it"),
        (b"\n<!DOCTYPE html><html>", "standard input: is a web page; save it as .html"),
        (b"caf\xe9", "standard input:1: byte 0xe9 is not UTF-8; convert it"),
        (b"Rain. " * 9000 + b"NATO met.", "the text names no actor of the book; name one"),
    ],
)
@pytest.mark.filterwarnings("ignore:of 1 text only the first")
def test_standard_input_that_is_no_paragraph_is_refused(data, why):
    assert why in fails(1, "explain", "-", stdin=data)
