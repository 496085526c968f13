"""What must hold of any model holds, and the stress suite finds what need not."""

import dataclasses
import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from command import STARTER, fails, invoke, write
from small_model import small_model

from stance.errors import DataError
from stance.model.judging import StanceModel
from stance.reading.actors import ActorBook
from stance.records import Stance
from stance.screens.scores import stress_lines
from stance.storage import bundled_model, load_model
from stance.stress import TESTS, read_scenes, render, replaced, run_suite

SCENES, BOOK = read_scenes(), ActorBook.default()
LISTS = SCENES[0].lists
TEXTS = [render(scene.seed["text"], scene.fills()) for scene in SCENES]


def slots(text):
    return set(re.findall(r"\{(.*?)\}", text))


def rates(figures):
    return {test["name"]: test["rate"] for test in figures["tests"]}


# --- The sentences ---


def test_seeds_are_many_and_balanced():
    counts = Counter((scene.seed["stance"], scene.seed["tone"]) for scene in SCENES)
    assert set(counts) == {(s, tone) for s in Stance for tone in ("news", "speech", "opinion")}
    assert min(counts.values()) >= 8
    assert len({sum(n for (s, _), n in counts.items() if s == stance) for stance in Stance}) == 1
    assert len({scene.seed["text"] for scene in SCENES}) == len(SCENES)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.number)
def test_a_seed_has_all_that_its_tests_need(scene):
    seed, text = scene.seed, scene.seed["text"]
    assert {"actor"} <= slots(text) <= set(scene.fills())
    named = {scene.fills()[slot].removeprefix("the ") for slot in slots(text) & {"actor", "other"}}
    assert {mention.actor for mention in BOOK.find(TEXTS[scene.number])} == named
    assert TEXTS[scene.number].lstrip('"')[0].isupper()
    if seed["stance"] == "neutral":
        return
    assert re.search(rf"(?<!{{)\b{scene.deciding}\b", text)
    for replacements in (seed["negate"], seed["turn"]):
        changed = replaced(text, replacements)
        assert changed != text
        assert all(text.count(before) == 1 for before, _ in replacements)
        assert "actor" in slots(changed) <= set(scene.fills())


def test_added_sentences_have_the_slots_they_need_and_no_others():
    for name in ("praise", "blame", "criticism", "approval"):
        expected = {"actor", "other"} if name in ("criticism", "approval") else {"other"}
        assert all(slots(sentence) == expected for sentence in LISTS[name])
    for name in ("neutral", "persons", "places", "numbers", "speakers"):
        assert not any(slots(text) or BOOK.find(text) for text in LISTS[name])


def test_every_test_changes_what_it_says():
    changed = dict(SCENES[0].cases())
    before, after = TEXTS[0], {name: case.after for name, case in changed.items()}
    assert before == (
        "The foreign ministers meeting in Geneva condemned Russia on Tuesday for the shelling of a "
        "grain port, according to a statement signed by three governments."
    )
    assert after["as written"] == before
    assert after["actor swapped"] == before.replace("Russia", "China")
    assert after["neutral sentence in front"] == f"{LISTS['neutral'][0]} {before}"
    assert after["paragraph doubled"] == f"{before} {before}"
    assert "in Porto condemned" in after["person, place, number changed"]
    assert "by seven governments" in after["person, place, number changed"]
    assert after["opposite stance added: first actor"].startswith(before)
    second = changed["opposite stance added: second actor"]
    assert (second.actor_after, second.expected) == ("United States", "favor")
    assert "the United States deserves every praise" in second.after
    judged = changed["who judges whom: the judged"]
    assert (judged.actor_after, judged.expected) == ("United States", "against")
    assert judged.after == "Russia criticised the United States on Tuesday."
    assert changed["who judges whom: the judge"].expected == "neutral"
    assert "did not condemn Russia" in after["deciding verb negated"]
    assert "praised Russia" in after["blame turned into praise"]
    assert "conedmned" in after["typing error in the deciding word"]
    assert (after["all capitals"], after["no capitals"]) == (before.upper(), before.lower())
    assert TESTS.keys() - after.keys() == {"praise turned into blame", "quotation by someone else"}
    quoted = next(scene for scene in SCENES if "{speaker}" in scene.seed["text"])
    case = dict(quoted.cases())["quotation by someone else"]
    assert quoted.fills()["speaker"] in case.before
    assert quoted.fills()["speaker"] not in case.after


# --- What must always hold of any model, to the ninth decimal ---


@pytest.fixture(scope="module")
def bundled():
    return load_model(bundled_model())


@pytest.fixture(params=["bundled", "trained", "random"])
def held(request):
    """The bundled model, one trained just now, and one of random weights."""
    if request.param == "random":
        return small_model()
    return request.getfixturevalue({"trained": "model"}.get(request.param, request.param))


def judged(model, texts, size=None):
    """Return the probabilities of each text, by actor."""
    answers = [{} for _ in texts]
    for rows, part in model.judge_many(texts, size=size):
        for row, (para, actor) in enumerate(zip(part.para.tolist(), part.actor, strict=True)):
            answers[rows.start + para][actor] = part.stance[row]
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
        def judge_pairs(self, *args, **options):
            answers = super().judge_pairs(*args, **options)
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


@pytest.mark.parametrize("flag", [{"known": False}, {"foreign": True}])
def test_an_answer_that_predict_withholds_is_an_answer_of_its_own(bundled, flag):
    ((name, value),) = flag.items()
    figures = run_suite(remade(bundled, **{name: lambda j: np.full_like(getattr(j, name), value)}))
    assert rates(figures)["as written"] == 1
    example = figures["tests"][0]["examples"][0]
    assert (example["answer_after"], example["expected"]) == ("uncertain", "against")


def test_a_model_of_another_language_is_refused(bundled):
    recipe = dataclasses.replace(bundled.recipe, language="german")
    with pytest.raises(DataError, match="stress suite is English and the model reads german; eval"):
        run_suite(dataclasses.replace(bundled, recipe=recipe))


def test_json_and_screen_have_every_test_also_of_a_model_with_other_actors(held):
    figures = run_suite(held)
    assert json.loads(json.dumps(figures)) == figures == run_suite(held)
    lines = stress_lines(figures)
    assert all(len(line) < 80 and line.isprintable() for line in lines)
    assert figures["seeds"] == len(SCENES)
    assert {test["name"] for test in figures["tests"]} >= TESTS.keys() - {"deciding verb negated"}
    for test in figures["tests"]:
        assert test["rate"] == pytest.approx(test["failures"] / test["n"], abs=1e-6)
        low, high = test["interval"]
        assert 0 <= low <= test["rate"] <= high <= 1
        assert len(test["examples"]) == min(3, test["failures"])
        for example in test["examples"]:
            keys = ("actor", "before", "after", "answer_before", "answer_after", "expected")
            assert tuple(example) == keys
            assert example["answer_after"] != example["expected"]
        assert sum(line.startswith(test["name"] + "  ") for line in lines) == 1


# --- The command ---


def test_stress_stands_alone_or_beside_the_scores_of_a_corpus(model_path: Path, tmp_path: Path):
    result = invoke("evaluate", "--stress", "--json", "-m", model_path)
    assert (result.exit_code, result.stderr) == (0, "")
    assert set(json.loads(result.stdout)) == {"stress"}
    printed = invoke("evaluate", "--stress", "-m", model_path).stdout
    assert printed.startswith("stress suite  ")
    head = (STARTER / "starter_test.csv").read_text("utf-8").splitlines(keepends=True)[:61]
    corpus = write(tmp_path / "coded.csv", "".join(head))
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
