"""The bundled model: small, documented, calibrated, and right about the sample."""

import hashlib
import json
import subprocess
import sys
import tomllib
import zlib

import pytest
from command import ROOT, SAMPLE, STARTER, dicts, invoke, succeeds, write

from stance.storage import bundled_model, load_model, read_manifest

EXPECTED = tomllib.loads((ROOT / "tests" / "sample_expected.toml").read_text("utf-8"))
PATH = ROOT / "stance" / "data" / "default.stance"

OPEN = {
    **{"newsmtsc_train": "MIT", "newsmtsc_actors": "MIT", "un_debates_train": "CC0"},
    "news_actors": "texts belong to their publishers",
    "news_more": "texts belong to their publishers",
    "news_unlabelled": "texts belong to their publishers",
    "speeches_train": "CC0",
}
"""Corpora of others, by licence."""

OWN = ("starter_train", "short_train", "frames_train", "plain_train", "lengthened_train")
"""Corpora of ours."""


@pytest.fixture(scope="module")
def manifest():
    return read_manifest(PATH)


@pytest.fixture(scope="module")
def report():
    result = succeeds("evaluate", STARTER / "starter_test.csv", "--json")
    return json.loads(result.stdout)


def predict(*args):
    result = invoke("predict", *args, "--quiet")
    assert (result.exit_code, result.stderr) == (0, "")
    return dicts(result.stdout)


# --- The file ---


def test_it_ships_with_the_package_and_is_small():
    assert bundled_model().read_bytes() == PATH.read_bytes()
    assert len(zlib.compress(PATH.read_bytes())) <= 14_500_000  # as in a wheel


@pytest.mark.endurance
def test_the_starter_model_can_be_rebuilt_byte_for_byte(tmp_path):
    made = []
    for name in ("one.stance", "two.stance"):  # in processes of their own
        command = [sys.executable, "-m", "stance", "train", "-o", str(tmp_path / name)]
        subprocess.run(command, check=True, capture_output=True)
        made.append((tmp_path / name).read_bytes())
    assert made[0] == made[1]
    assert [source["name"] for source in read_manifest(tmp_path / name)["data"]] == [
        "starter_train"
    ]


def test_the_manifest_names_sources_with_hash_and_licence_and_holds_scores_and_limits(manifest):
    sources = {source["name"]: source for source in manifest["data"]}
    assert set(sources) == {*OWN, *OPEN}
    for name, source in sources.items():
        assert len(source["sha256"]) == 64
        assert set(source["sha256"]) <= set("0123456789abcdef")
        assert source["rows"] == sum(source["classes"].values())
        assert OPEN.get(name, "MIT") in source["licence"]
    scores = manifest["scores"]
    low, high = scores["macro_f1_interval"]
    assert low < scores["macro_f1"] < high
    assert scores["ece"] <= 0.09  # its temperature is that of news drawn at random
    assert len(manifest["limits"]) >= 3


def test_the_card_says_all_of_that(manifest):
    result = succeeds("inspect")
    for source in manifest["data"]:
        assert source["name"] in result.stdout
        assert source["sha256"] in result.stdout
    assert "CC0" in result.stdout
    assert json.loads(invoke("inspect", "--json").stdout)["data"] == manifest["data"]


@pytest.mark.parametrize("name", OWN)
def test_it_was_trained_on_the_corpora_that_ship(manifest, name):
    source = next(s for s in manifest["data"] if s["name"] == name)
    (path,) = STARTER.parent.glob(f"*/{name}.csv")
    data = path.read_bytes()
    assert hashlib.sha256(data).hexdigest() == source["sha256"]


def test_the_model_of_speeches_is_made_of_what_ships(tmp_path):
    card = json.loads(invoke("inspect", "speeches", "--json").stdout)
    assert card["recipe"]["name"] == "open"
    for source in card["data"]:
        (path,) = STARTER.parent.glob(f"*/{source['name']}.csv*")
        assert hashlib.sha256(path.read_bytes()).hexdigest() == source["sha256"]
    table = write(tmp_path / "s.csv", "text\nWe thank Canada for its friendship.\n")
    (row,) = predict(table, "--model", "speeches")
    assert (row["actor"], row["stance"], row["holder"]) == ("Canada", "favor", "author")


def test_it_has_everything_that_current_code_expects(manifest):
    # A model of an earlier day would judge foreign paragraphs, and say nothing of drift.
    assert "reference" in manifest
    assert "holder" in manifest["heads"]
    assert manifest["scores"]["per_class"]
    model = load_model(PATH)
    assert 13_900 < len(model.calibration.confidence) <= 13_997  # what was drawn at random


def test_it_does_not_know_the_actor_by_name():
    # A prior about the actor is the very thing that a study wants to measure.
    assert "name" not in load_model(PATH).recipe.features.blocks


# --- What it answers ---


def answers(rows, key):
    found = {}
    for row in rows:
        found.setdefault(row[key], {})
        if row["actor"]:
            found[row[key]][row["actor"]] = row["stance"]
    return found


def test_at_least_three_of_four_answers_on_the_sample_are_right():
    found = {
        "paragraphs": answers(predict(SAMPLE / "paragraphs.csv"), "id"),
        "article": answers(predict(SAMPLE / "article.txt"), "paragraph"),
    }
    pairs = []
    for part, paragraphs in EXPECTED.items():
        assert set(found[part]) == set(paragraphs)
        for key, stances in paragraphs.items():
            assert set(found[part][key]) == set(stances), (part, key)  # who is named
            pairs += [(found[part][key][actor], right) for actor, right in stances.items()]
    right = sum(1 for answer, expected in pairs if answer == expected)
    assert len(pairs) >= 60
    assert right >= 0.75 * len(pairs), f"{right} of {len(pairs)}"


def test_on_the_test_part_it_is_calibrated_and_beats_what_knows_no_target(report):
    assert report["ece"] <= 0.09  # its temperature is that of news
    conflict = report["conflict"]
    assert conflict["n"] > 300
    assert conflict["accuracy"] >= conflict["target_blind_accuracy"] + 0.08
    for name in ("majority", "target_blind"):
        assert report["macro_f1"] > report["baselines"][name]["macro_f1"]
    assert report["sentiment"]["n"] == 256
    assert report["leakage"]["rows"] == 0


def test_evaluation_reads_the_paragraph_before_as_prediction_does(tmp_path):
    rows = "d,1,NATO,neutral,NATO met on Monday.\nd,2,NATO,favor,Poland praised the alliance.\n"
    path = write(tmp_path / "mine.csv", f"document,paragraph,actor,stance,text\n{rows}")
    succeeds("evaluate", path, "--errors", tmp_path / "wrong.csv")
    assert (tmp_path / "wrong.csv").read_text().count("\n") == 1
