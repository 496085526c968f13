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
from stance.reading.actor_tables import ACTOR_KINDS, Actor
from stance.reading.actors import ActorBook
from stance.records import Stance
from stance.screens.scores import stress_lines
from stance.storage import bundled_model, load_model
from stance.stress import StressReport, run_suite
from stance.stress.scenes import NAMING_KINDS, Scene, Seed, cast, read_sentences, replaced
from stance.stress.suite import TESTS

WORDS, BOOK = read_sentences(), ActorBook.default()
SLOTS = {"actor", "other", "person", "place", "number", "speaker"}


def slots(text: str) -> set[str]:
    return set(re.findall(r"\{(.*?)\}", text))


def rates(report: StressReport) -> dict[str, float]:
    return {test.name: test.rate for test in report.tests}


# --- The sentences ---


def test_seeds_are_many_and_balanced():
    counts = Counter((seed.stance, seed.tone) for seed in WORDS.seeds)
    assert len(WORDS.seeds) >= 60
    assert set(counts) == {(s, tone) for s in Stance for tone in ("news", "speech", "opinion")}
    assert min(counts.values()) >= 8
    assert len({sum(n for (s, _), n in counts.items() if s is stance) for stance in Stance}) == 1
    assert len({seed.text for seed in WORDS.seeds}) == len(WORDS.seeds)


@pytest.mark.parametrize("seed", WORDS.seeds, ids=lambda seed: seed.text[:40])
def test_a_seed_has_all_that_its_tests_need(seed: Seed):
    assert "actor" in slots(seed.text)
    assert slots(seed.text) <= SLOTS
    assert set(seed.kinds) <= set(ACTOR_KINDS)
    assert bool(seed.turn) == seed.polar
    assert re.search(rf"(?<!{{)\b{seed.deciding}\b", seed.text)
    assert len(seed.deciding) >= 5 or not seed.polar
    for replacements in filter(None, (seed.negate, seed.turn)):
        text = seed.text
        for before, after in replacements:
            assert text.count(before) == 1
            text = text.replace(before, after)
        assert text == replaced(seed.text, replacements) != seed.text
        assert "actor" in slots(text) <= SLOTS


def test_added_sentences_have_the_slots_they_need_and_no_others():
    for sentence in (*WORDS.praise, *WORDS.blame):
        assert slots(sentence) == {"other"}
    for sentence in (*WORDS.criticism, *WORDS.approval):
        assert slots(sentence) == {"actor", "other"}
    plain = (*WORDS.neutral, *WORDS.persons, *WORDS.places, *WORDS.numbers, *WORDS.speakers)
    assert not any(slots(text) for text in plain)
    assert not any(BOOK.find(text) for text in plain)


def scenes() -> list[Scene]:
    return cast(BOOK, WORDS)


@pytest.mark.parametrize("scene", scenes(), ids=lambda scene: scene.number)
def test_a_paragraph_names_the_actors_in_its_slots_and_no_others(scene: Scene):
    text = scene.render()
    expected = {scene.actor.name}
    if "other" in slots(scene.text):
        expected.add(scene.other.name)
    assert {mention.actor for mention in BOOK.find(text)} == expected
    assert "{" not in text
    assert "  " not in text
    assert text.lstrip('"')[0].isupper()


def test_no_actor_of_the_bundled_book_stands_in_two_paragraphs():
    names = [scene.actor.name for scene in scenes()]
    assert len(names) == len(set(names)) == len(WORDS.seeds)


def test_every_test_changes_what_it_says():
    changed = {test.name: test.run(scenes()[0], WORDS) for test in TESTS}
    before = changed["as written"].before
    assert before == (
        "The foreign ministers meeting in Geneva condemned the United States on Tuesday for the "
        "shelling of a grain port, according to a statement signed by three governments."
    )
    after = {name: trial.after for name, trial in changed.items() if trial is not None}
    assert after["as written"] == before
    assert after["actor swapped"] == before.replace("the United States", "Zimbabwe")
    assert "condemned the American government on" in after["government for the name"]
    assert "condemned Washington on" in after["capital for the name"]
    assert "condemned the U.S. on" in after["abbreviation with points"]
    assert after["neutral sentence in front"] == f"{WORDS.neutral[0]} {before}"
    assert after["neutral sentence behind"] == f"{before} {WORDS.neutral[0]}"
    assert after["paragraph doubled"] == f"{before} {before}"
    assert "in Porto condemned" in after["person, place, number changed"]
    assert "by seven governments" in after["person, place, number changed"]
    assert after["opposite stance added: first actor"].startswith(before)
    assert "Russia deserves every praise" in after["opposite stance added: second actor"]
    assert changed["opposite stance added: second actor"].actor_after == "Russia"
    assert after["who judges whom: the judge"] == "The United States criticised Russia on Tuesday."
    judged = changed["who judges whom: the judged"]
    assert (judged.actor_after, judged.expected) == ("Russia", Stance.AGAINST)
    assert "did not condemn the United States" in after["deciding verb negated"]
    assert "praised the United States" in after["blame turned into praise"]
    assert sorted(after["typing error"]) == sorted(before) != after["typing error"]
    assert "conedmned" in after["typing error in the deciding word"]
    assert after["all capitals"] == before.upper()
    assert after["no capitals"] == before.lower()
    missing = {"plain verb negated", "praise turned into blame"}
    missing |= {"quotation by someone else", "quotation by another actor"}
    assert set(changed) - set(after) == missing


def test_a_quotation_goes_to_somebody_else():
    scene = next(scene for scene in scenes() if "{speaker}" in scene.text)
    after = {test.name: test.run(scene, WORDS) for test in TESTS}
    assert scene.fills["speaker"] in scene.render()
    assert scene.fills["speaker"] not in after["quotation by someone else"].after
    assert f"spokeswoman for {scene.fills['other']}" in after["quotation by another actor"].after


# --- What must always hold of any model, to the ninth decimal ---


@pytest.fixture(scope="module")
def bundled() -> StanceModel:
    return load_model(bundled_model())


@pytest.fixture(params=["bundled", "trained", "random"])
def held(request) -> StanceModel:
    """The bundled model, one trained just now, and one of random weights."""
    if request.param == "random":
        return small_model()
    return request.getfixturevalue({"trained": "model"}.get(request.param, request.param))


def judged(model: StanceModel, texts: list[str], size: int | None = None) -> list[dict]:
    """Return the probabilities of each text, by actor."""
    found: list[dict] = [{} for _ in texts]
    for rows, part in model.judge_many(texts, size=size):
        for row, (para, actor) in enumerate(zip(part.para.tolist(), part.actor, strict=True)):
            found[rows.start + para][actor] = part.stance[row]
    return found


def assert_same(one: list[dict], other: list[dict]) -> None:
    assert [set(each) for each in one] == [set(each) for each in other]
    for own, theirs in zip(one, other, strict=True):
        for actor, chances in own.items():
            assert np.abs(chances - theirs[actor]).max() <= 1e-9


def test_neither_order_nor_batches_change_an_answer(held: StanceModel):
    texts = [scene.render() for scene in cast(held.book, WORDS)]
    together = judged(held, texts)
    assert_same(together, judged(held, texts[::-1])[::-1])
    for size in (1, 7):
        assert_same(together, judged(held, texts, size))


def test_every_alias_of_a_kind_gives_the_same_answers(held: StanceModel):
    """An alias is one word to a model, if it changes nothing around it.

    The point of "U.S." may hide a sentence's end; a small letter ("eu") does not open one.
    """
    before, after = [], []
    for scene in cast(held.book, WORDS):
        opens = re.search(r'[.!?]"? "?\{actor\}', scene.text)
        ends = re.search(r"\{actor\}('s|\.)", scene.text)
        for kind in NAMING_KINDS:
            first, *others = [
                alias
                for alias in scene.actor.aliases.get(kind, ())
                if not (ends and "." in alias.split()[-1]) and not (opens and alias[0].islower())
            ] or [""]
            article = WORDS.with_article(first).removesuffix(first)
            before += [scene.change(actor=article + first).render()] * len(others)
            after += [scene.change(actor=article + alias).render() for alias in others]
    assert len(before) > 60 or len(held.book) < 20
    assert_same(judged(held, before), judged(held, after))


def test_actors_that_no_paragraph_names_change_no_answer(held: StanceModel):
    scene = cast(held.book, WORDS)[0]
    book = ActorBook([actor for actor in (scene.other, scene.actor) if actor is not None])
    texts = [scene.render() for scene in cast(book, WORDS)]
    alone = judged(dataclasses.replace(held, book=book), texts)
    # A place or a person of the sentences may be an actor of the whole book.
    among = judged(held, texts)
    mine = [at for at, answers in enumerate(among) if set(answers) <= set(book.names)]
    assert mine
    assert_same([alone[at] for at in mine], [among[at] for at in mine])


# --- What a model may fail ---


@pytest.fixture(scope="module")
def report(bundled: StanceModel) -> StressReport:
    return run_suite(bundled)


def remade(model: StanceModel, **judgement) -> StanceModel:
    """Return a model whose judgements have other values, functions of what it would say."""

    class Other(StanceModel):
        def judge(self, texts, **options):
            found = super().judge(texts, **options)
            return dataclasses.replace(found, **{k: make(found) for k, make in judgement.items()})

    return Other(**{f.name: getattr(model, f.name) for f in dataclasses.fields(StanceModel)})


def test_a_model_that_is_always_neutral_shows_as_one(bundled: StanceModel):
    found = run_suite(remade(bundled, stance=lambda j: np.tile([0.1, 0.8, 0.1], (len(j.para), 1))))
    rate = rates(found)
    assert rate["as written"] == pytest.approx(2 / 3, abs=1e-6)
    assert rate["praise turned into blame"] == rate["blame turned into praise"] == 1
    assert rate["actor swapped"] == rate["typing error"] == 0
    assert "finds the stance of a seed" in found.skipped["deciding verb negated"]


def test_a_prior_about_actors_fails_where_actors_are_swapped(bundled, report):
    prior = remade(bundled, stance=lambda j: np.eye(3)[[len(actor) % 3 for actor in j.actor]])
    assert rates(run_suite(prior))["actor swapped"] > 0.4
    assert rates(report)["actor swapped"] < 0.1


@pytest.mark.parametrize("flag", [{"known": False}, {"foreign": True}])
def test_an_answer_that_predict_withholds_is_an_answer_of_its_own(bundled: StanceModel, flag):
    ((name, value),) = flag.items()
    found = run_suite(remade(bundled, **{name: lambda j: np.full_like(getattr(j, name), value)}))
    assert rates(found)["as written"] == 1
    example = found.tests[0].examples[0]
    assert (example["answer_after"], example["expected"]) == ("uncertain", "against")


@pytest.mark.parametrize(
    ("actors", "skipped", "none"),
    [
        ([Actor("Greens", aliases={"name": ("Green Party", "Greens")}),
          Actor("Labour", aliases={"name": ("Labour Party", "Labour")}),
          Actor("Unknown", aliases={"demonym": ("Unknownish",)})],
         {"government for the name": "skipped, it needs a state with a demonym"}, False),
        ([Actor("NATO", "organisation", {"name": ("NATO",)})],
         {"actor swapped": "skipped, it needs two actors of one kind"}, False),
        ([Actor("Ann", "person", {"name": ("Ann",)})], {}, True),
        ([Actor("Bad\x1b[31m", "state", {"name": ("Ba\x1b[31md", "Worse")})], {}, False),
    ],
)  # fmt: skip
def test_another_book_brings_its_own_actors(bundled: StanceModel, actors, skipped, none):
    found = run_suite(dataclasses.replace(bundled, book=ActorBook(actors)))
    assert found.skipped.items() >= skipped.items()
    assert (found.seeds == len(found.tests) == 0) is none
    assert len(found.tests) + len(found.skipped) == len(TESTS)
    used = {name for t in found.tests for e in t.examples for name in e["actor"].split(" -> ")}
    assert used <= {actor.name for actor in actors}
    lines = stress_lines(found.to_json())
    assert all(line.isprintable() for line in lines)
    for name, reason in skipped.items():
        assert f"{name}: {reason}" in lines


def test_a_model_of_another_language_is_refused(bundled: StanceModel):
    recipe = dataclasses.replace(bundled.recipe, language="german")
    with pytest.raises(DataError, match="stress suite is English and the model reads german; eval"):
        run_suite(dataclasses.replace(bundled, recipe=recipe))


def test_json_and_screen_have_every_test(bundled: StanceModel, report: StressReport):
    assert run_suite(bundled) == report
    figures = json.loads(json.dumps(report.to_json()))
    assert set(figures) == {"tests", "skipped", "seeds"}
    assert figures["seeds"] == len(WORDS.seeds)
    assert len(figures["tests"]) == len(TESTS)
    lines = stress_lines(figures)
    assert all(len(line) < 80 and line.isprintable() for line in lines)
    for test in figures["tests"]:
        assert set(test) == {"name", "promise", "n", "failures", "rate", "interval", "examples"}
        assert 0 <= test["failures"] <= test["n"] <= figures["seeds"]
        assert test["rate"] == pytest.approx(test["failures"] / test["n"], abs=1e-6)
        low, high = test["interval"]
        assert 0 <= low <= test["rate"] <= high <= 1
        assert low < high
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
