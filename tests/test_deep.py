"""The deep reader: the same answers in any company, and one line where it cannot read."""

import csv
import dataclasses
import json
import shutil
import sys

import numpy as np
import pytest
from command import STARTER, dicts, fails, invoke, misused, predict

from stance.errors import ModelError, OutputError
from stance.storage import MIXTURES, READER, bundled_model, load_model, load_reader

DATA = bundled_model().parent
FOREIGN = "Le gouvernement de la Russie a été condamné hier par les ministres des pays de l'Ouest."


@pytest.fixture(scope="module")
def linear():
    return load_model()


@pytest.fixture(scope="module")
def deep(linear):
    return dataclasses.replace(linear, deep=load_reader("all"))


@pytest.fixture(scope="module")
def texts():
    with (STARTER / "starter_test.csv").open(encoding="utf-8", newline="") as file:
        return list(dict.fromkeys(row["text"] for row in csv.DictReader(file)))[:40]


@pytest.fixture
def archive(texts, tmp_path):
    path = tmp_path / "archive.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["text"], *([text] for text in [*texts, "", FOREIGN, "NATO"])])
    return path


def test_company_changes_no_answer(deep, texts):
    together = deep.judge(texts)
    pairs = [texts[number] for number in together.para.tolist()]
    alone = [deep.judge([text]).stance for text in texts]
    asked = deep.judge_pairs(pairs[::-1], together.actor[::-1]).stance[::-1]
    assert np.array_equal(np.concatenate(alone), together.stance)
    assert np.array_equal(asked, together.stance)


def test_same_bytes_in_any_number_of_parts_and_processes(deep, archive, tmp_path):
    written = []
    for number, run in enumerate(({}, {"size": 7}, {"size": 7, "jobs": 2})):
        predict(deep, archive, path := tmp_path / f"{number}.csv", deep="all", **run)
        written.append(path.read_bytes())
    assert written[0] == written[1] == written[2]


def test_unsure_reads_what_the_model_is_unsure_of_and_nothing_else(linear, deep, texts):
    reader = load_reader("unsure")
    before, whole = linear.judge(texts).stance, deep.judge(texts).stance
    some = dataclasses.replace(linear, deep=reader).judge(texts).stance
    unsure = before.max(axis=1) < reader.below
    assert 0 < unsure.sum() < len(unsure)
    assert np.array_equal(some, np.where(unsure[:, None], whole, before))


def test_withheld_answers_stay_as_they_were(linear, deep):
    texts = ["", "It rained.", FOREIGN]
    for judged in zip(linear.judge(texts).stance, deep.judge(texts).stance, strict=True):
        assert np.array_equal(*judged)


def test_a_text_of_100_000_words_is_read_around_each_mention(deep):
    filler = "The committee met again in the afternoon. " * 400
    text = f"{filler}Russia was condemned for its brutal attack. {filler * 50}"
    (answer,) = deep.judge([text]).stance
    assert (
        answer.argmax()
        == deep.judge(["Russia was condemned for its brutal attack."]).stance.argmax()
    )


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--model", bundled_model()), "calibrated with the default model alone; drop --model"),
        (("--abstain", "0.1"), "has no calibration for it yet; drop --abstain"),
        (("--cluster", "tcp://127.0.0.1:1"), "reads on this computer alone; drop --cluster"),
    ],
)
def test_options_that_do_not_go_with_it_are_refused(archive, options, why):
    assert why in misused("predict", archive, "--deep", "all", *options)


def test_the_command_answers_and_says_what_to_install(archive, monkeypatch):
    result = invoke("predict", archive, "--deep", "unsure", "--quiet")
    assert {row["stance"] for row in dicts(result.stdout)} > {"against", "neutral", "uncertain"}
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    line = fails(1, "predict", archive, "--deep", "all")
    assert line == "--deep needs the extra 'deep': pip install onnxruntime tokenizers"


def test_evaluate_scores_with_it_and_without(tmp_path):
    with (STARTER / "starter_test.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))[:150]
    with (tmp_path / "mine.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(lines)
    command = ("evaluate", tmp_path / "mine.csv", "--json")
    alone, both = (json.loads(invoke(*command, *deep).stdout) for deep in ((), ("--deep", "all")))
    assert both.keys() == alone.keys()
    assert both["accuracy"] > alone["accuracy"]
    compared = misused(*command, "--deep", "all", "--compare", bundled_model())
    assert "goes with the default model alone; drop --compare" in compared


def test_a_run_goes_on_with_the_same_reader_alone(linear, deep, archive, tmp_path):
    target = tmp_path / "out.csv"

    def stop(tally, *_):
        if tally.rows > 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict(deep, archive, target, deep="all", size=7, progress=stop)
    with pytest.raises(OutputError, match="the model has changed"):
        predict(linear, archive, target, resume=True)
    predict(deep, archive, target, deep="all", resume=True)
    predict(deep, archive, whole := tmp_path / "whole.csv", deep="all")
    assert target.read_bytes() == whole.read_bytes()


def _cut(path):
    path.write_bytes(path.read_bytes()[:-1000])


def _turn_a_byte(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("name", "damage", "why"),
    [
        (READER, _cut, "is cut off"),
        (READER, _turn_a_byte, "damaged"),
        (READER, lambda path: path.write_bytes(b""), "is empty"),
        (READER, lambda path: path.unlink(), "cannot be read"),
        (READER, lambda path: shutil.copy(bundled_model(), path), "is not a deep reader"),
        (MIXTURES, lambda path: path.write_text("unsure = 0.8"), "is missing"),
        (MIXTURES, lambda path: path.write_text("unsure"), "not a TOML file"),
        (MIXTURES, lambda path: path.unlink(), "cannot read"),
    ],
)
def test_damaged_files_are_refused_in_one_line(tmp_path, name, damage, why):
    for file in (READER, MIXTURES):
        shutil.copy(DATA / file, tmp_path)
    damage(tmp_path / name)
    with pytest.raises(ModelError, match=why) as caught:
        load_reader("all", tmp_path)
    assert str(caught.value).isprintable()
    assert name in str(caught.value)
    assert caught.value.exit_status == 3


@pytest.mark.parametrize("part", ["network", "pieces"])
def test_a_reader_that_the_installed_library_cannot_open_is_refused(part):
    reader = dataclasses.replace(
        load_reader("all"), **{part: type(getattr(load_reader("all"), part))()}
    )
    with pytest.raises(ModelError, match=r"cannot be opened by \w+ [\d.]+; pip install --upgrade"):
        reader.open()
