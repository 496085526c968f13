"""What must hold of any model holds, and the stress suite finds what need not."""

import dataclasses
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from command import fails, invoke, write_starter
from small_model import small_model

from stance.errors import DataError
from stance.evaluation import WRITTEN, read_cases, run_suite
from stance.model import StanceModel
from stance.reading.actors import ActorBook
from stance.records import Stance
from stance.screens import stress_lines

CASES, BOOK = list(read_cases()), ActorBook.default()
TEXTS = [case["text"] for case in CASES if case["test"] == WRITTEN]
TESTS = {case["test"] for case in CASES}


def rates(figures):
    return {test["name"]: test["rate"] for test in figures["tests"]}


# --- The cases ---


def test_paragraphs_are_many_and_balanced_and_name_whom_they_are_asked_about():
    written = Counter(case["expected"] for case in CASES if case["test"] == WRITTEN)
    assert written == dict.fromkeys(Stance, 32)
    assert len({case["text"] for case in CASES if case["test"] == WRITTEN}) == 96
    assert len(TESTS) == 16
    for case in CASES:
        if case["test"] in (WRITTEN, "actor swapped"):
            assert case["actor"] in {mention.actor for mention in BOOK.find(case["text"])}
        assert case["expected"].removeprefix("not ") in ("same", *Stance)


# --- What must always hold of any model, to the ninth decimal ---


@pytest.fixture(params=["bundled", "trained", "random"])
def held(request):
    """The bundled model, one trained just now, and one of random weights."""
    if request.param == "random":
        return small_model()
    return request.getfixturevalue({"trained": "model"}.get(request.param, request.param))


def judged(model, texts):
    """Return the probabilities of each text, by actor."""
    answers, judgements = [{} for _ in texts], model.judge(texts)
    for row, (para, actor) in enumerate(zip(judgements.para, judgements.actor, strict=True)):
        answers[para][actor] = judgements.stance[row]
    return answers


def assert_same(one, other):
    assert [set(answers) for answers in one] == [set(answers) for answers in other]
    for mine, theirs in zip(one, other, strict=True):
        for actor, chances in mine.items():
            assert np.abs(chances - theirs[actor]).max() <= 1e-9


def test_every_name_of_an_actor_gives_the_same_answers(held):
    """A name is one word to a model, if it changes nothing around it.

    The point of "U.S." may hide a sentence's end; a small letter ("eu") does not open one.
    """
    texts = "They condemned {} again.", "Everybody praised {} for its help."
    names = [
        [
            alias
            for alias in actor.aliases.get("name", ())
            if "." not in alias and alias[0].isupper()
        ]
        for actor in held.book.actors
    ]
    pairs = [(first, alias) for first, *others in filter(None, names) for alias in others]
    assert len(pairs) > 60 or len(held.book) < 20
    for text in texts:
        before, after = ([text.format(pair[at]) for pair in pairs] for at in (0, 1))
        assert_same(judged(held, before), judged(held, after))


def test_actors_that_no_paragraph_names_change_no_answer(held):
    book = ActorBook(held.book.actors[:2])
    alone = judged(dataclasses.replace(held, book=book), TEXTS)
    among = judged(held, TEXTS)
    mine = [number for number, answers in enumerate(among) if set(answers) <= set(book.names)]
    assert_same([alone[number] for number in mine], [among[number] for number in mine])


# --- What a model may fail ---


def remade(model, **judgement):
    """Return a model whose judgements have other values, functions of what it would say."""

    class Other(StanceModel):
        def judge(self, *args, **options):
            answers = super().judge(*args, **options)
            made = {name: make(answers) for name, make in judgement.items()}
            return dataclasses.replace(answers, **made)

    return Other(**{f.name: getattr(model, f.name) for f in dataclasses.fields(StanceModel)})


def test_a_model_that_is_always_neutral_shows_as_one(bundled):
    neutral = remade(bundled, stance=lambda j: np.tile([0.1, 0.8, 0.1], (len(j.actor), 1)))
    rate = rates(run_suite(neutral))
    assert rate["as written"] == pytest.approx(2 / 3, abs=1e-6)
    assert rate["praise turned into blame"] == rate["blame turned into praise"] == 1
    assert rate["actor swapped"] == rate["paragraph doubled"] == 0
    assert "deciding verb negated" not in rate  # no stance was found that could go


def test_a_prior_about_actors_fails_where_actors_are_swapped(bundled):
    prior = remade(bundled, stance=lambda j: np.eye(3)[[len(actor) % 3 for actor in j.actor]])
    assert rates(run_suite(prior))["actor swapped"] > 0.4
    assert rates(run_suite(bundled))["actor swapped"] < 0.1


def test_an_answer_that_predict_withholds_is_an_answer_of_its_own(bundled):
    figures = run_suite(remade(bundled, withheld=lambda j: np.ones_like(j.withheld)))
    assert rates(figures)["as written"] == 1
    example = figures["tests"][0]["examples"][0]
    assert (example["answer"], example["expected"]) == ("uncertain", "against")


def test_a_model_of_another_language_is_refused(bundled):
    recipe = dataclasses.replace(bundled.recipe, language="german")
    with pytest.raises(DataError, match="stress suite is English, the model german; give a corpus"):
        run_suite(dataclasses.replace(bundled, recipe=recipe))


def test_json_and_screen_have_every_test_also_of_a_model_with_other_actors(held):
    figures = run_suite(held)
    assert json.loads(json.dumps(figures)) == figures == run_suite(held)
    lines = stress_lines(figures)
    assert all(len(line) < 80 and line.isprintable() for line in lines)
    assert figures["seeds"] == len(TEXTS)
    assert {test["name"] for test in figures["tests"]} >= TESTS - {"deciding verb negated"}
    for test in figures["tests"]:
        assert test["rate"] == pytest.approx(test["failures"] / test["n"], abs=1e-6)
        low, high = test["interval"]
        assert 0 <= low <= test["rate"] <= high <= 1
        assert len(test["examples"]) == min(3, test["failures"])
        for example in test["examples"]:
            assert tuple(example) == ("actor", "text", "answer", "expected")
            assert example["answer"] != example["expected"]
        assert sum(line.startswith(test["name"] + "  ") for line in lines) == 1


# --- The command ---


def test_stress_stands_alone_or_beside_the_scores_of_a_corpus(model_path: Path, tmp_path: Path):
    result = invoke("evaluate", "--stress", "--json", "-m", model_path)
    assert (result.exit_code, result.stderr) == (0, "")
    assert set(json.loads(result.stdout)) == {"stress"}
    printed = invoke("evaluate", "--stress", "-m", model_path).stdout
    assert printed.startswith("stress suite  ")
    corpus = write_starter(tmp_path / "coded.csv", 60, "test")
    figures = json.loads(invoke("evaluate", corpus, "--stress", "--json", "-m", model_path).stdout)
    alone = json.loads(invoke("evaluate", corpus, "--json", "-m", model_path).stdout)
    assert {key: figures[key] for key in alone} == alone
    assert figures.keys() - alone.keys() == {"stress"}


@pytest.mark.parametrize(
    "options", [[], ["--stress", "--errors", "wrong.csv"], ["--stress", "--report", "r.html"]]
)
def test_without_a_corpus_only_stress_can_be_asked_for(options):
    line = fails(2, "evaluate", *options)
    assert line == "no CORPUS to evaluate on; name a labelled table, or give only --stress"
