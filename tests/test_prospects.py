"""Repeats, learning curve and forecast say what they can know, and change no model."""

import dataclasses
import itertools
import json

import numpy as np
import pytest
from conftest import quick_recipe
from hypothesis import given, settings
from hypothesis import strategies as st
from small_model import CARD, members_of, small_model, spoiled
from test_fitting import BOOK, made_up, write

from stance.evaluation.answers import document_confusion, macro_f1
from stance.fitting import crossvalidation, train
from stance.fitting.crossvalidation import Cut
from stance.fitting.learning import Task
from stance.fitting.repeats import SHARES, RepeatedCV, parts, repeat_seeds
from stance.recipe import HeadRecipe, Recipe, Validation
from stance.records import Stance
from stance.screens.model import card_lines
from stance.screens.scores import gain_text
from stance.storage import dump_model, load_model

LABELS = tuple(Stance)
FULL = Validation(folds=2, draws=200, repeats=3)


def full_recipe(validation=FULL):
    return dataclasses.replace(quick_recipe(), validation=validation)


@pytest.fixture(scope="module")
def trained(corpus):
    return train(full_recipe(), corpus, BOOK)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return write(tmp_path_factory.mktemp("tiny") / "tiny.csv", made_up())


# --- Repeats ---


def test_the_first_repeat_is_the_one_that_is_reported(trained):
    report, repeats = trained.report.to_json(), trained.prospects.repeats
    assert repeats["macro_f1"][0] == report["macro_f1"]
    assert repeats["seeds"][0] == FULL.seed
    assert len(set(repeats["seeds"])) == len(set(repeats["macro_f1"])) == 3
    assert repeats["mean"] == pytest.approx(np.mean(repeats["macro_f1"]), abs=1e-6)
    assert repeats["sd"] == pytest.approx(np.std(repeats["macro_f1"], ddof=1), abs=1e-6)
    low, high = repeats["interval"]
    assert low < repeats["mean"] < high
    assert high - low > 4 * repeats["sd"] / np.sqrt(3)  # documents weigh more than folds


def test_the_model_depends_on_neither_repeats_nor_curve(trained, corpus):
    plain = members_of(dump_model(train(full_recipe().validated_once(), corpus, BOOK).model))
    full = members_of(dump_model(trained.model))
    assert {name for name in plain | full if plain.get(name) != full.get(name)} == {"manifest.json"}
    before, after = (json.loads(each["manifest.json"]) for each in (plain, full))
    assert before["repeats"]["macro_f1"] == after["repeats"]["macro_f1"][:1]
    differing = {key for key in before | after if before.get(key) != after.get(key)}
    assert differing == {"recipe", "repeats", "learning_curve"}


@pytest.mark.endurance
def test_the_same_seed_gives_the_same_result_for_any_number_of_jobs(trained, corpus):
    again = train(full_recipe(), corpus, BOOK, jobs=2)
    assert again.to_json() == trained.to_json()
    assert dump_model(again.model) == dump_model(trained.model)


def test_one_repeat_has_the_interval_of_the_report_and_no_spread(tiny):
    found = train(quick_recipe(), tiny, BOOK)
    assert found.prospects.repeats["interval"] == found.report.to_json()["macro_f1_interval"]
    assert found.prospects.repeats["sd"] is None
    assert "learning_curve" not in found.to_json()
    assert "learning_curve" not in found.model.card


@given(st.integers(0, 2**31 - 1), st.integers(1, 50))
def test_seeds_of_repeats_are_those_that_a_recipe_may_have(seed, repeats):
    seeds = repeat_seeds(seed, repeats)
    assert len(set(seeds)) == len(seeds) == repeats
    assert all(type(each) is int and 0 <= each < 2**31 for each in seeds)


def test_no_document_is_on_two_sides_of_any_repeat_or_part(tiny, monkeypatch):
    seen = []
    score = crossvalidation._score_cut

    def watched(task, cut):
        if task.targeted:
            documents = [frozenset(task.group[rows].tolist()) for rows in (cut.train, cut.test)]
            rows = np.isin(task.group, list(documents[0])).sum()
            seen.append((*documents, len(cut.train), rows))
        return score(task, cut)

    monkeypatch.setattr(crossvalidation, "_score_cut", watched)
    validation = dataclasses.replace(FULL, folds=3)
    found = train(full_recipe(validation), tiny, BOOK).prospects
    points = found.learning_curve["points"]
    assert [point["share"] for point in points] == [1.0]  # 8 documents of 16 are too few
    assert len(seen) == 3 * 3  # repeats, folds
    every = frozenset(tiny.document.tolist())
    for learned, scored, rows, rows_of_documents in seen:
        assert not learned & scored
        assert rows == rows_of_documents  # no document is cut
    whole = {scored: learned for learned, scored, *_ in seen if learned | scored == every}
    assert len(whole) == 9
    for learned, scored, *_ in seen:
        assert learned <= whole[scored]
        assert len(learned) in (len(whole[scored]), round(0.5 * len(whole[scored])))


def _draws_hold_the_truth(documents, simulations):
    """Return the share of simulated corpora whose interval holds the mean score of such models."""
    rng = np.random.default_rng(4)
    centres = np.array([[-1, 0, 0.3], [0, 0, -0.3], [1, 0.4, 0]])

    def corpus(size):
        own = rng.choice(3, size, p=[0.25, 0.55, 0.2])
        mixed = rng.choice(3, (size, 3), p=[0.25, 0.55, 0.2])
        y = np.where(rng.random((size, 3)) < 0.4, own[:, None], mixed).reshape(-1)
        shared = np.repeat(rng.normal(scale=0.6, size=(size, 3)), 3, axis=0)
        x = centres[y] + rng.normal(scale=0.8, size=(3 * size, 3)) + shared
        return x, y, np.repeat(np.arange(size), 3)

    def answers(x, y, asked):
        means = np.array([x[y == label].mean(axis=0) for label in range(3)])
        prior = np.log(np.bincount(y, minlength=3) / len(y))
        return (prior / 2 - ((asked[:, None] - means) ** 2).sum(axis=2) / 2).argmax(axis=1)

    def cross_validated(x, y, document):
        fold = rng.permutation(np.arange(documents) % 5)[document]
        found = np.empty_like(y)
        for number in range(5):
            out = fold == number
            found[out] = answers(x[~out], y[~out], x[out])
        return document_confusion(y, found, document, 3)

    x, y, _ = corpus(5000)
    learned = (corpus(documents * 4 // 5)[:2] for _ in range(200))
    nowhere = np.zeros_like(y)
    scores = [macro_f1(document_confusion(y, answers(*part, x), nowhere, 3)[0]) for part in learned]
    truth, held = np.mean(scores), 0
    for _ in range(simulations):
        mine = corpus(documents)
        confusion = np.stack([cross_validated(*mine) for _ in range(3)], axis=1)[:, :, None]
        low, high = RepeatedCV((1, 2, 3), (1.0,), [(64.0, 192.0)], confusion).bounds()[0]
        held += low <= truth <= high
    return held / simulations


def test_the_interval_of_repeats_holds_the_mean_score_of_such_models():
    assert 0.93 <= _draws_hold_the_truth(80, 400) <= 0.97


# --- Parts of the documents ---


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 30)), min_size=1, max_size=80),
    st.integers(0, 2**31 - 1),
)
def test_parts_hold_whole_documents_in_the_mix_of_the_whole(rows, seed):
    y, group = (np.array(column) for column in zip(*rows, strict=True))
    task = Task({}, HeadRecipe(*_plain()), LABELS, True, y, group, np.ones(len(y)))
    cut = Cut(np.flatnonzero(group % 3 > 0), np.flatnonzero(group % 3 == 0), 1)
    if not len(cut.train):
        return
    shares = (0.2, 0.5, 0.8, 1.0)
    found = parts(task, cut, shares, (seed, 0))
    documents = len(np.unique(group[cut.train]))
    for share, part in zip(shares, found, strict=True):
        inside = np.unique(group[part.train])
        assert len(inside) == round(share * documents)
        assert np.array_equal(part.train, cut.train[np.isin(group[cut.train], inside)])
        assert np.array_equal(part.test, cut.test)
    for small, large in itertools.pairwise(found):
        assert set(small.train) <= set(large.train)
    assert np.array_equal(found[-1].train, cut.train)


def _plain():
    return Recipe().features, Recipe().classifier


def test_a_rare_class_is_in_every_part_that_has_room_for_it():
    y = np.array([0] * 300 + [1] * 300 + [2] * 30)
    task = Task({}, HeadRecipe(*_plain()), LABELS, True, y, np.arange(630), np.ones(630))
    cut = Cut(np.arange(630), np.arange(0), 1)
    for seed in range(20):
        (part,) = parts(task, cut, [0.1], (seed,))
        assert np.bincount(y[part.train])[2] in (2, 3, 4)


# --- What the last doubling of the labels gained ---


def curve_of(scores, documents=400, gain=None):
    """A learning curve of these points; the interval of its last gain, if given, is put in."""
    count = len(scores)
    # One document's confusion carries the score: with two labels that are as often confused as
    # not, macro-F1 is accuracy.
    confusion = np.zeros((documents, 1, count, 3, 3))
    for point, score in enumerate(scores):
        confusion[0, :, point, :2, :2] = [[score, 1 - score], [1 - score, score]]
    sizes = [(documents * share, 1000 * share) for share in SHARES[-count:]]
    cv = RepeatedCV((20,), SHARES[-count:], sizes, confusion)
    assert cv.scores[0] == pytest.approx(scores)
    found = cv.learning_curve()
    return found | {"doubling": list(gain)} if gain else found


RISING = [0.52, 0.56, 0.60]


def test_the_gain_of_the_last_doubling_has_an_interval():
    curve = curve_of(RISING)
    low, high = curve["doubling"]
    assert low <= 0.04 <= high
    curve = curve_of(RISING, gain=(0.021, 0.059))
    assert [point["macro_f1"] for point in curve["points"]] == RISING
    assert "why" not in curve
    assert gain_text(curve).startswith(
        "the last doubling of the labels changed macro-F1 by +2.1 to +5.9 points"
    )


@pytest.mark.parametrize(
    ("curve", "why"),
    [
        ({"documents": 99}, "99 documents are too few to say what more labels would gain"),
        ({"scores": RISING[2:]}, "half of the documents do not hold every class"),
    ],
)
def test_there_is_no_gain_without_enough_to_go_on(curve, why):
    told = curve_of(**{"scores": RISING} | curve)
    assert told["doubling"] is None
    assert told["why"].startswith(why)
    assert gain_text(told) == told["why"]


# --- Corpora that are small or odd ---


@pytest.mark.parametrize("documents", [2, 3, 8])
def test_a_very_small_corpus_trains_with_the_usual_recipe(tmp_path, documents):
    rows = [row for row in made_up() if row[4] < documents]
    told = train(Recipe(), write(tmp_path / "mine.csv", rows), BOOK).prospects
    assert told.repeats["seeds"][0] == 20
    assert [point["share"] for point in told.learning_curve["points"]] == [1.0]
    assert told.learning_curve["why"].startswith(f"{documents} documents are too few")


def test_parts_in_which_no_feature_is_left_are_left_out(tiny):
    # Only the words of every text are in so many documents, and they tell nothing apart.
    features = dataclasses.replace(Recipe().features, blocks={"stem": 1.0}, min_df=15)
    recipe = dataclasses.replace(full_recipe(), features=features)
    told = train(recipe, tiny, BOOK).prospects
    assert told.learning_curve["points"][-1]["share"] == 1.0


# --- Screen and card ---


def test_the_screen_shows_everything_in_narrow_lines(trained):
    lines = trained.summary_lines()
    assert all(len(line) < 80 and line.isprintable() for line in lines)
    text = " ".join(line.strip() for line in lines)
    mean, sd = (f"{100 * trained.prospects.repeats[name]:.1f}" for name in ("mean", "sd"))
    assert f"3 cross-validations with other folds: macro-F1 {mean} ± {sd} [" in text
    assert "the luck of the folds, no sampling error" in text
    assert gain_text(trained.prospects.learning_curve) in text
    for advice in trained.prospects.advice:
        assert advice["text"] in text


def test_the_card_keeps_repeats_and_curve(trained, tmp_path):
    path = tmp_path / "a.stance"
    path.write_bytes(dump_model(trained.model))
    card = load_model(path).card
    assert {name: card[name] for name in ("repeats", "learning_curve")} == trained.prospects.card()
    assert "advice" not in card
    text = " ".join(
        line.strip()
        for line in card_lines(json.loads(members_of(path.read_bytes())["manifest.json"]))
    )
    assert gain_text(card["learning_curve"]) in text


def test_a_model_without_them_is_read_as_before(tmp_path):
    path = tmp_path / "a.stance"
    path.write_bytes(dump_model(small_model()))
    assert "repeats" not in load_model(path).card


REPEATS = {"seeds": [20, 7], "macro_f1": [0.6, 0.61], "mean": 0.605, "sd": 0.01, "interval": [0, 1]}
POINT = {"share": 1.0, "documents": 80.5, "rows": 200, "macro_f1": 0.6, "low": 0.5, "high": 0.7}
CURVE = {"points": [POINT], "doubling": [-0.01, 0.03]}
NO_GAIN = {"points": [POINT], "doubling": None, "why": "too few"}


def with_prospects(repeats=REPEATS, curve=CURVE):
    """A model file whose card tells of repeats and a curve."""
    return spoiled(
        dump_model(small_model()), None, lambda m: m.update(repeats=repeats, learning_curve=curve)
    )


@pytest.mark.parametrize("curve", [CURVE, NO_GAIN])
def test_a_card_as_training_writes_it_is_read(tmp_path, curve):
    path = tmp_path / "a.stance"
    path.write_bytes(with_prospects(curve=curve))
    assert load_model(path).card == CARD | {"repeats": REPEATS, "learning_curve": curve}
