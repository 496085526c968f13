"""The stress suite finds what is broken, and nothing is broken that must always hold."""

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
from stance.reading.actors import ACTOR_KINDS, Actor, ActorBook
from stance.records import Stance
from stance.screens.checks import stress_lines
from stance.storage import bundled_model, load_model
from stance.stress import StressReport, run_suite
from stance.stress._changes import SOFT_TESTS
from stance.stress._scenes import Scene, Seed, cast, read_sentences, replaced

WORDS, BOOK = read_sentences(), ActorBook.default()
SLOTS = {"actor", "other", "person", "place", "number", "speaker"}
HARD = ["alias exchanged", "order of rows", "batch composition", "actors not mentioned"]


def slots(text: str) -> set[str]:
    return set(re.findall(r"\{(.*?)\}", text))


def rates(report: StressReport) -> dict[str, float]:
    return {test.name: test.rate for test in report.tests}


def failing(report: StressReport) -> list[str]:
    return [test.name for test in report.tests if test.kind == "hard" and test.failures]


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
    plain = (*WORDS.neutral, *WORDS.persons, *WORDS.places, *WORDS.numbers, *WORDS.speakers)
    assert not any(slots(text) for text in plain)
    assert not any(BOOK.find(text) for text in plain)


def test_every_list_has_another_entry_to_change_to():
    for field in dataclasses.fields(WORDS):
        values = list(getattr(WORDS, field.name))
        assert len(values) == len(set(values)) >= 9, field.name


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


def test_every_actor_of_the_bundled_book_stands_in_a_paragraph():
    assert {scene.actor.name for scene in scenes()} == set(BOOK.names)


def test_a_substitute_is_of_the_actors_kind_and_new_to_the_paragraph():
    for scene in scenes():
        assert scene.substitute.kind == scene.actor.kind
        assert scene.substitute is not scene.actor
        assert scene.substitute is not scene.other


def test_every_soft_test_changes_what_it_says():
    changed = {test.name: test.run(scenes()[0], WORDS) for test in SOFT_TESTS}
    before = changed["as written"].before
    assert before == (
        "The foreign ministers meeting in Geneva condemned the United States on Tuesday for the "
        "shelling of a grain port, according to a statement signed by three governments."
    )
    after = {name: trial.after for name, trial in changed.items() if trial is not None}
    assert after["as written"] == before
    assert after["actor swapped"] == before.replace("the United States", "Venezuela")
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
    after = {test.name: test.run(scene, WORDS) for test in SOFT_TESTS}
    assert scene.fills["speaker"] in scene.render()
    assert scene.fills["speaker"] not in after["quotation by someone else"].after
    assert f"spokeswoman for {scene.fills['other']}" in after["quotation by another actor"].after


# --- What must always hold ---


@pytest.fixture(scope="module")
def bundled() -> StanceModel:
    return load_model(bundled_model())


@pytest.fixture(scope="module")
def report(bundled: StanceModel) -> StressReport:
    return run_suite(bundled)


def test_the_bundled_model_keeps_what_must_always_hold(report: StressReport):
    assert [test.name for test in report.tests if test.kind == "hard"] == HARD
    assert report.hard_failures == 0
    assert not report.skipped
    assert all(test.n == report.seeds == len(WORDS.seeds) for test in report.tests[:4])


@pytest.mark.usefixtures("few")
def test_a_model_trained_just_now_keeps_it_too(model: StanceModel):
    found = run_suite(model)
    assert (failing(found), found.hard_failures) == ([], 0)


@pytest.mark.usefixtures("few")
def test_a_model_of_random_weights_keeps_it_too():
    found = run_suite(small_model())
    assert (failing(found), found.hard_failures) == ([], 0)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the suite use eight paragraphs of each stance, for tests that do not need all."""
    kept = [s for stance in Stance for s in [s for s in WORDS.seeds if s.stance is stance][::4]]
    words = dataclasses.replace(WORDS, seeds=tuple(kept))
    monkeypatch.setattr("stance.stress._suite.read_sentences", lambda: words)


class Broken(StanceModel):
    """Shifts each answer by something that it must not depend on."""

    def shift(self, texts, para):
        raise NotImplementedError

    def judge(self, texts, **options):
        judged = super().judge(texts, **options)
        step = np.array([self.shift(texts, p) for p in judged.para], float) % 7 * 1e-6
        moved = judged.stance + np.outer(step, [1, -1, 0])
        return dataclasses.replace(judged, stance=moved)


class BySpelling(Broken):
    def shift(self, texts, para):
        return len(texts[para])


class ByPosition(Broken):
    def shift(self, texts, para):
        return para


class ByBatch(Broken):
    def shift(self, texts, para):
        return len(texts)


class ByBook(Broken):
    def shift(self, texts, para):
        return len(self.book)


class NoNumber(Broken):
    def shift(self, texts, para):
        return float("nan")


def remade(kind: type, model: StanceModel) -> StanceModel:
    return kind(**{f.name: getattr(model, f.name) for f in dataclasses.fields(StanceModel)})


@pytest.mark.parametrize(
    ("kind", "broken"),
    [
        (BySpelling, HARD[:1]),
        (ByPosition, HARD[1:3]),
        (ByBatch, [HARD[2]]),
        (ByBook, [HARD[3]]),
    ],
)
@pytest.mark.usefixtures("few")
def test_each_hard_test_catches_a_model_that_breaks_it(bundled, kind, broken):
    found = run_suite(remade(kind, bundled))
    caught = failing(found)
    assert caught == broken
    assert found.hard_failures == sum(t.failures for t in found.tests if t.name in caught)
    lines = stress_lines(found.to_json())
    assert lines[2].startswith(f"BROKEN PROMISE: {caught[0]}")
    worst = next(test for test in found.tests if test.name == caught[0])
    assert len(worst.examples) == 3
    for example in worst.examples:
        assert example.answer_before != example.answer_after
        assert example.expected == example.answer_before


@pytest.mark.usefixtures("few")
def test_an_answer_that_is_not_a_number_never_equals_another(bundled: StanceModel):
    assert failing(run_suite(remade(NoNumber, bundled))) == HARD


class AlwaysNeutral(StanceModel):
    def judge(self, texts, **options):
        judged = super().judge(texts, **options)
        return dataclasses.replace(judged, stance=np.tile([0.1, 0.8, 0.1], (len(judged.para), 1)))


@pytest.mark.usefixtures("few")
def test_a_model_that_is_always_neutral_shows_as_one(bundled: StanceModel):
    found = run_suite(remade(AlwaysNeutral, bundled))
    assert failing(found) == []
    rate = rates(found)
    assert rate["as written"] == pytest.approx(2 / 3)
    assert rate["praise turned into blame"] == rate["blame turned into praise"] == 1
    assert rate["actor swapped"] == rate["typing error"] == 0
    assert "finds the stance of a seed" in found.skipped["deciding verb negated"]


class ByActor(StanceModel):
    """Answers by a prior about the actor and reads nothing."""

    def judge(self, texts, **options):
        judged = super().judge(texts, **options)
        label = [len(actor) % 3 for actor in judged.actor]
        return dataclasses.replace(judged, stance=np.eye(3)[label])


def test_a_prior_about_actors_fails_where_actors_are_swapped(bundled, report):
    assert rates(run_suite(remade(ByActor, bundled)))["actor swapped"] > 0.4
    assert rates(report)["actor swapped"] < 0.1


class Unsure(StanceModel):
    def judge(self, texts, **options):
        judged = super().judge(texts, **options)
        return dataclasses.replace(judged, known=np.zeros_like(judged.known))


class Abroad(StanceModel):
    def judge(self, texts, **options):
        judged = super().judge(texts, **options)
        return dataclasses.replace(judged, foreign=np.ones_like(judged.foreign))


@pytest.mark.parametrize("kind", [Unsure, Abroad])
@pytest.mark.usefixtures("few")
def test_an_answer_that_predict_withholds_is_an_answer_of_its_own(bundled: StanceModel, kind):
    found = run_suite(remade(kind, bundled))
    assert rates(found)["as written"] == 1
    example = found.tests[4].examples[0]
    assert (example.answer_after, example.expected) == ("uncertain", "against")


# --- Other books and languages ---


def with_book(model: StanceModel, *actors: Actor) -> StanceModel:
    return dataclasses.replace(model, book=ActorBook(actors))


def test_another_book_brings_its_own_actors(bundled: StanceModel):
    parties = [
        Actor("Greens", aliases={"name": ("Green Party", "Greens")}),
        Actor("Labour", aliases={"name": ("Labour Party", "Labour")}),
        Actor("Unknown", aliases={"demonym": ("Unknownish",)}),
    ]
    found = run_suite(with_book(bundled, *parties))
    assert failing(found) == []
    assert 0 < found.seeds < len(WORDS.seeds)  # some paragraphs speak of states
    assert "a state with a demonym" in found.skipped["government for the name"]
    used = {e.actor for t in found.tests for e in t.examples}
    assert used
    assert used <= {"Greens", "Labour", "Greens -> Labour", "Labour -> Greens"}


@pytest.mark.usefixtures("few")
def test_a_lone_actor_skips_what_needs_two(bundled: StanceModel):
    found = run_suite(with_book(bundled, Actor("NATO", "organisation", {"name": ("NATO",)})))
    assert found.skipped["actor swapped"] == "skipped, it needs two actors of one kind"
    assert {"alias exchanged", "actors not mentioned"} <= set(found.skipped)
    assert any("actor swapped: skipped" in line for line in stress_lines(found.to_json()))
    names = {test.name for test in found.tests}
    assert {"as written", "order of rows"} <= names
    assert names.isdisjoint(found.skipped)


def test_a_book_that_no_paragraph_fits_skips_every_test(bundled: StanceModel):
    found = run_suite(with_book(bundled, Actor("Ann", "person", {"name": ("Ann",)})))
    assert (found.tests, found.seeds, found.hard_failures) == ((), 0, 0)
    assert len(found.skipped) == len(HARD) + len(SOFT_TESTS)


@pytest.mark.usefixtures("few")
def test_an_alias_cannot_forge_the_screen(bundled: StanceModel):
    actor = Actor("Bad\x1b[31m", "state", {"name": ("Ba\x1b[31md", "Worse")})
    lines = stress_lines(run_suite(with_book(bundled, actor)).to_json())
    assert all(line.isprintable() for line in lines)


def test_a_model_of_another_language_is_refused(bundled: StanceModel):
    german = dataclasses.replace(
        bundled, recipe=dataclasses.replace(bundled.recipe, language="german")
    )
    with pytest.raises(DataError, match="stress suite is English and the model reads german; eval"):
        run_suite(german)


# --- The report ---


def test_json_has_what_others_build_on(report: StressReport):
    figures = json.loads(json.dumps(report.to_json()))
    assert set(figures) == {"tests", "skipped", "seeds", "hard_failures"}
    assert len(figures["tests"]) == len(HARD) + len(SOFT_TESTS)
    assert any(test["failures"] for test in figures["tests"])
    for test in figures["tests"]:
        assert set(test) == {
            *("name", "promise", "kind", "n", "failures", "rate", "interval", "examples")
        }
        assert test["kind"] in ("hard", "soft")
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


def test_the_same_model_gets_the_same_report(bundled: StanceModel, report: StressReport):
    assert run_suite(bundled) == report


def test_lines_fit_a_terminal_and_show_every_test(report: StressReport):
    lines = stress_lines(report.to_json())
    assert all(len(line) < 80 and line.isprintable() for line in lines)
    for test in report.tests:
        assert sum(line.startswith(test.name + "  ") for line in lines) == 1
        shown = f"a failure of: {test.name}" in lines
        assert shown == bool(test.failures)


# --- The command ---


@pytest.mark.usefixtures("few")
def test_stress_needs_no_corpus(model_path: Path):
    result = invoke("evaluate", "--stress", "--json", "-m", model_path)
    assert (result.exit_code, result.stderr) == (0, "")
    figures = json.loads(result.stdout)
    assert set(figures) == {"stress"}
    assert figures["stress"]["hard_failures"] == 0
    printed = invoke("evaluate", "--stress", "-m", model_path)
    assert printed.exit_code == 0
    assert printed.stdout.startswith("stress suite  24 seed paragraphs written for it\n")


@pytest.mark.usefixtures("few")
def test_stress_stands_beside_the_scores_of_a_corpus(model_path: Path, tmp_path: Path):
    head = (STARTER / "starter_test.csv").read_text("utf-8").splitlines(keepends=True)[:61]
    corpus = write(tmp_path / "coded.csv", "".join(head))
    result = invoke("evaluate", corpus, "--stress", "--json", "-m", model_path)
    figures = json.loads(result.stdout)
    alone = json.loads(invoke("evaluate", corpus, "--json", "-m", model_path).stdout)
    assert {key: figures[key] for key in alone} == alone
    assert figures.keys() - alone.keys() == {"stress"}
    printed = invoke("evaluate", corpus, "--stress", "-m", model_path).stdout
    assert printed.startswith("macro-F1")
    assert "\n\nstress suite  24 seed paragraphs" in printed


@pytest.mark.parametrize(
    "options", [[], ["--stress", "--errors", "wrong.csv"], ["--stress", "--report", "r.html"]]
)
def test_without_a_corpus_only_stress_can_be_asked_for(options):
    line = fails(2, "evaluate", *options)
    assert line == "no CORPUS to evaluate on; name a labelled table, or give only --stress"


@pytest.mark.usefixtures("few")
def test_a_broken_promise_is_loud(bundled: StanceModel, monkeypatch: pytest.MonkeyPatch):
    broken = remade(ByBatch, bundled)
    monkeypatch.setattr("stance.cli._files.open_model", lambda _path: broken)
    result = invoke("evaluate", "--stress")
    assert result.exit_code == 1
    assert "BROKEN PROMISE: batch composition. Do not use this model." in result.stdout
    assert "breaks what must always hold" in result.stderr
