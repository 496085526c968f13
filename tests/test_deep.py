"""The deep reader: the same answers in any company, and one line where it cannot read."""

import dataclasses
import json
import re
import shutil
import sys

import numpy as np
import pytest
from command import (
    QUICK,
    SAMPLE,
    STARTER,
    dicts,
    fails,
    invoke,
    misused,
    predict,
    process,
    read_rows,
    stopped,
    write,
    write_rows,
    write_starter,
)
from pages import report_on
from small_model import npy, spoiled

from stance.errors import ModelError, OutputError, UsageError
from stance.model.deep import encode, plain
from stance.model.explanation import explain
from stance.storage import MIXTURES, READER, bundled_model, load_model, load_reader

DATA = bundled_model().parent
FOREIGN = "Le gouvernement de la Russie a été condamné hier par les ministres des pays de l'Ouest."


@pytest.fixture(scope="module")
def deep(bundled):
    return dataclasses.replace(bundled, deep=load_reader("all"))


@pytest.fixture(scope="module")
def texts():
    return list(dict.fromkeys(row["text"] for row in read_rows(STARTER / "starter_test.csv")))[:40]


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    rows = read_rows(STARTER / "starter_test.csv")[:149]
    return write_rows(tmp_path_factory.mktemp("labelled") / "mine.csv", rows)


@pytest.fixture
def archive(texts, tmp_path):
    rows = [{"text": text} for text in (*texts, "", FOREIGN, "NATO")]
    return write_rows(tmp_path / "archive.csv", rows)


def test_nothing_is_kept_or_sent_to_be_reported(tmp_path):
    said = process("explain", "China was accused by Germany.", "--deep", HOME=str(tmp_path))
    assert b"China: against    against" in said.stdout  # `--deep` alone is `--deep all`
    assert [*tmp_path.iterdir()] == []


def test_company_changes_no_answer(deep, texts):
    texts = [*texts, f"France spoke. {'It rained. ' * 200}Iran is a menace."]
    together = deep.judge(texts)
    pairs = [texts[number] for number in together.para.tolist()]
    alone = [deep.judge([text]).stance for text in texts]
    asked = deep.judge(pairs[::-1], together.actor[::-1])
    assert np.array_equal(np.concatenate(alone), together.stance)
    assert np.array_equal(asked.stance[::-1], together.stance)
    assert np.array_equal(asked.sentiment[::-1], together.sentiment[together.para])


def test_same_bytes_in_any_number_of_parts_and_processes(deep, archive, tmp_path):
    written = []
    for number, run in enumerate(({}, {"size": 7}, {"size": 7, "jobs": 2})):
        predict(deep, archive, path := tmp_path / f"{number}.csv", deep="all", **run)
        written.append(path.read_bytes())
    assert written[0] == written[1] == written[2]


def test_unsure_reads_what_the_model_is_unsure_of_and_nothing_else(bundled, deep, texts):
    reader = load_reader("unsure")
    before, whole = bundled.judge(texts).stance, deep.judge(texts).stance
    some = dataclasses.replace(bundled, deep=reader).judge(texts).stance
    unsure = before.max(axis=1) < reader.below
    assert 0 < unsure.sum() < len(unsure)
    assert np.array_equal(some, np.where(unsure[:, None], whole, before))


def test_a_text_of_100_000_words_is_read_around_each_mention(deep):
    filler = "The committee met again in the afternoon. " * 400
    text = f"{filler}Russia was condemned for its brutal attack. {filler * 50}"
    with pytest.warns(UserWarning, match="only the first 50,000 characters of 1 text are read"):
        (answer,) = deep.judge([text]).stance
    (alone,) = deep.judge(["Russia was condemned for its brutal attack."]).stance
    assert answer.argmax() == alone.argmax()


@pytest.mark.parametrize(
    "options",
    [("--model", "mine.stance"), ("--abstain", "0.1"), ("--cluster", "tcp://127.0.0.1:1")],
)
def test_options_that_do_not_go_with_it_are_refused(archive, options, monkeypatch, model_path):
    monkeypatch.chdir(archive.parent)
    if options[0] == "--model":
        assert "say 'speeches'" in fails(3, "predict", archive, "--deep", "all", *options)
        shutil.copy(bundled_model("speeches"), options[1])  # which is the same model
        assert invoke("predict", archive, "--deep", "all", *options).exit_code == 0
        shutil.copy(model_path, options[1])
    why = misused("predict", archive, "--deep", "all", *options)
    advice = "use that model" if options[0] == "--model" else f"drop {options[0]}"
    assert re.search(f"--deep works only with.*; {advice}, or drop --deep", why)


def test_the_command_answers_and_says_what_to_install(archive, monkeypatch):
    result = invoke("predict", archive, "--deep", "unsure", "--quiet")
    assert {row["stance"] for row in dicts(result.stdout)} > {"against", "neutral", "uncertain"}
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    line = fails(1, "predict", archive, "--deep", "all")
    assert line == "the deep reader needs the extra 'deep': pip install onnxruntime"


@pytest.mark.parametrize("pairs", ["all", "unsure"])
def test_a_report_of_combined_answers_has_no_reasons_of_one_model(tmp_path, pairs):
    answers = tmp_path / "answers.csv"
    invoke("predict", SAMPLE / "paragraphs.csv", "-o", answers, "--deep", pairs)
    page, said = report_on(answers)
    assert "the bundled models did not make these answers" in said
    assert "answers by --deep have no reasons here" in said
    assert "or the deep reader helped" in page.text
    assert "Marked are the words" not in page.text


def test_evaluate_scores_with_it_and_without(labelled):
    command = ("evaluate", labelled, "--json")
    alone, both = (json.loads(invoke(*command, *deep).stdout) for deep in ((), ("--deep", "all")))
    assert both.keys() == alone.keys() | {"deep_reader"}
    assert both["accuracy"] > alone["accuracy"]


def test_a_run_goes_on_with_the_same_reader_alone(bundled, deep, archive, tmp_path):
    stopped(deep, archive, target := tmp_path / "out.csv", deep="all")
    with pytest.raises(OutputError, match="--deep has changed"):
        predict(bundled, archive, target, size=7, resume=True)
    predict(deep, archive, target, deep="all", size=7, resume=True)
    predict(deep, archive, whole := tmp_path / "whole.csv", deep="all")
    assert target.read_bytes() == whole.read_bytes()


def with_a_flipped_bit(data):
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


NUMBERS = (
    *((b"linear = .*", b"linear = nan"), (b"deep = (.*)", rb'deep = "\1"')),
    *((rb"\[0.0, ", b"["), (b"unsure = 0.7", b"unsure = 7")),
)
UNUSABLE = {"stance/bias.npy": npy(np.full(3, np.nan, "<f4"))}


@pytest.mark.parametrize(
    ("name", "damage", "why"),
    [
        (READER, lambda data: data[:-1000], "is cut off"),
        (READER, with_a_flipped_bit, "damaged"),
        (READER, lambda data: b"", "is empty"),
        (READER, None, "cannot be read"),
        (READER, lambda data: bundled_model().read_bytes(), "beside it is damaged"),
        (MIXTURES, lambda data: b"unsure = 0.8", "beside it is damaged"),
        (MIXTURES, lambda data: re.sub(b"linear = .*", b"", data), "beside it is damaged"),
        *((MIXTURES, lambda data, n=n: re.sub(*n, data), "beside it is damaged") for n in NUMBERS),
        (READER, lambda data: spoiled(data, UNUSABLE), "beside it is damaged"),
        (MIXTURES, lambda data: b"unsure", "beside it is damaged"),
        (MIXTURES, None, "beside it is damaged or missing"),
    ],
)
def test_damaged_files_are_refused_in_one_line(tmp_path, name, damage, why):
    for file in (READER, MIXTURES):
        shutil.copy(DATA / file, tmp_path)
    (tmp_path / name).unlink()
    if damage:
        write(tmp_path / name, damage((DATA / name).read_bytes()))
    with pytest.raises(ModelError, match=why) as caught:
        load_reader("all", tmp_path)
    assert str(caught.value).isprintable()
    assert str(caught.value).endswith("; install stance again")
    assert name in str(caught.value)
    assert caught.value.exit_status == 3


def test_a_reader_is_asked_for_by_known_names_and_refused_if_it_cannot_be_opened():
    with pytest.raises(UsageError, match="reads is 'all' or 'unsure', not 'some'"):
        load_reader("some")
    with pytest.raises(UsageError, match="model is 'default' or 'speeches', not 'Speeches'"):
        load_reader("all", model="Speeches")
    with pytest.raises(UsageError, match="works only with the bundled model that it was"):
        dataclasses.replace(load_model("speeches"), deep=load_reader("all"))
    reader = dataclasses.replace(load_reader("all"), network=b"")
    with pytest.raises(ModelError, match=r"cannot be opened by \w+ [\d.]+; pip install -U"):
        _ = reader.session


# --- Own labels on top of the reader ---


@pytest.fixture(scope="module")
def quick(labelled):
    """Options of `train` that take few folds and draws."""
    return "--recipe", write(labelled.with_name("quick.toml"), QUICK)


@pytest.fixture(scope="module")
def learned(labelled, quick):
    """A model of its own labels and the reader, without the reader, and what `train` reports."""
    paths, figures = [], []
    for name, more in (("deep.stance", ["--deep"]), ("words.stance", [])):
        paths.append(labelled.with_name(name))
        result = invoke("train", labelled, "-o", paths[-1], "--json", *quick, *more)
        figures.append(json.loads(result.stdout))
    return *paths, *figures


def test_labels_go_further_on_top_of_the_reader(learned):
    *_, deep, words = learned
    assert deep["macro_f1"] > words["macro_f1"] + 0.05
    blind = [figures["baselines"]["target_blind"]["macro_f1"] for figures in (deep, words)]
    assert blind[0] == blind[1]


def test_a_model_on_top_of_the_reader_answers_the_same_each_time(learned, archive, labelled, quick):
    model, written = load_model(learned[0]), []
    for number, run in enumerate(({}, {"size": 7, "jobs": 2})):
        predict(model, archive, path := labelled.with_name(f"{number}.csv"), **run)
        written.append(path.read_bytes())
    assert written[0] == written[1]
    invoke("train", labelled, "-o", again := labelled.with_name("again.stance"), "--deep", *quick)
    shown = (invoke("inspect", path, "--json").stdout for path in (again, learned[0]))
    card, other = map(json.loads, shown)
    assert card["deep_reader"] == load_reader("all").sha256
    assert card["members"] == other["members"]


def test_an_explanation_says_what_the_reader_adds(learned):
    model = load_model(learned[0])
    (why,) = explain(model, "Rome thanked Poland for its brave support.", "Poland")
    (reader,) = [reason for reason in why.features if reason.text == "the deep reader"]
    assert max(map(abs, reader.push)) > 0.1
    pushes = [why.intercept, *(reason.push for reason in (*why.words, *why.features))]
    assert np.sum(pushes, axis=0) == pytest.approx(why.scores)
    assert model.stance.probabilities(np.array([why.scores]))[0] == pytest.approx(why.probabilities)
    assert "the deep reader" in invoke("explain", "Rome thanked Poland.", "-m", learned[0]).stdout


def test_an_explanation_of_a_mixed_answer_adds_up(bundled, deep):
    text = "China was accused by Germany of spying."
    (china,), (alone,) = (explain(model, text, "China") for model in (deep, bundled))
    added = np.sum([one.push for one in (*china.words, *china.features)], axis=0)
    powers = np.exp(china.scores)
    assert np.allclose(np.array(china.intercept) + added, china.scores)
    assert np.allclose(powers / powers.sum(), deep.judge([text], ["China"]).stance)
    assert china.features[0].text == "the deep reader"
    assert [one.text for one in china.features[1:]] == [one.text for one in alone.features]
    lines = invoke("explain", text, "--actor", "China", "--deep", "all").stdout
    assert "China: against" in lines
    assert "the deep reader  " in lines
    assert "the deep reader" not in invoke("explain", text, "--actor", "China").stdout


def test_an_article_is_read_with_it(tmp_path):
    path = write(tmp_path / "a.txt", "China was accused by Germany of spying.\n")
    invoke("read", path, "-o", page := tmp_path / "a.html", "--deep", "all")
    assert ", and the deep reader. Text:" in page.read_text("utf-8")
    assert "<dt>words that push the linear model</dt>" in page.read_text("utf-8")
    assert "'all' or 'unsure', not 'some'" in misused("read", "--deep", "some", path, "-o", "b")
    asked = ("read", path, "-o", tmp_path / "b.html", "--deep", "all", "--abstain", "0.1")
    assert "--deep works only with" in misused(*asked)


def test_a_model_on_top_of_the_reader_says_what_it_needs(learned, archive, tmp_path, monkeypatch):
    assert "needs the extra 'deep', and the deep reader" in invoke("inspect", learned[0]).stdout
    asked = ("predict", archive, "--model", learned[0], "--cluster", "tcp://127.0.0.1:1")
    assert "runs only on this computer" in misused(*asked)
    other = spoiled(learned[0].read_bytes(), None, lambda m: m.update(deep_reader="0" * 64))
    path = write(tmp_path / "other.stance", other)
    line = fails(3, "predict", archive, "--model", path)
    assert "it learned with a different deep reader from the one in stance" in line
    invoke("predict", archive, "-o", answers := tmp_path / "answers.csv")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    shutil.copy(learned[0], path)
    for command in (("predict", archive), ("report", answers)):
        line = fails(1, *command, "--model", path)
        assert line == "the deep reader needs the extra 'deep': pip install onnxruntime"


def test_the_reader_reads_english_alone_and_says_what_it_knows(labelled, tmp_path, quick):
    recipe = write(tmp_path / "german.toml", 'language = "german"')
    result = invoke("train", labelled, "-o", tmp_path / "a.stance", "--deep", "--recipe", recipe)
    assert result.exit_code == 1
    assert "the deep reader reads only English; the recipe's language is german" in result.stderr
    known = write_starter(tmp_path / "known.csv", 119)
    with pytest.warns(UserWarning, match=(note := "reader probably learned from 119 rows of 119")):
        told = invoke("train", known, "-o", tmp_path / "b.stance", "--deep", *quick).stdout
    assert note in told
    assert note in invoke("inspect", tmp_path / "b.stance").stdout


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("NATO's café-goers", ["nato", "'", "s", "cafe", "-", "go", "##ers"]),
        ("“Kim\u00a0Jong\u200bUn”\t", ["“", "kim", "jong", "##un", "”"]),
        ("中国 [SEP]", ["[UNK]", "[UNK]", "[", "sep", "]"]),
        ("a" * 101, ["[UNK]"]),
        ("", []),
    ],
)
def test_texts_are_cut_into_the_longest_pieces(text, pieces):
    numbers = load_reader("all").pieces
    found, names = encode(text, numbers), [*numbers]
    assert [names[number] for number in found.ids.tolist()] == ["[CLS]", *pieces, "[SEP]"]
    places = zip(found.start[1:-1].tolist(), found.end[1:-1].tolist(), strict=True)
    for piece, (start, end) in zip(pieces, places, strict=True):
        written = "".join(map(plain, text[start:end])).strip()
        assert piece in ("[UNK]", written, f"##{written}")
