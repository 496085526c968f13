"""Texts without a word: every command answers, or says in one line what is missing."""

import pytest
from command import dicts, invoke, predict, process, read_rows, write, write_rows
from conftest import STARTER

from stance import explain, load_model
from stance.runs import PART

WORDLESS = ["...", "", "?", "\N{GRINNING FACE}", " - ", "\u200b"]


@pytest.fixture
def table(tmp_path):
    """A table of two parts: the first has no word, the second starts without one."""
    worded = [row["text"] for _, row in zip(range(9), read_rows(STARTER), strict=False)]
    texts = (WORDLESS * PART)[:PART] + WORDLESS + worded
    return write_rows(tmp_path / "mine.csv", [{"text": text} for text in texts])


def answers(model_path, path, *options):
    result = process("predict", path, "--model", model_path, *options)
    assert result.returncode == 0, result.stderr.decode()
    return result.stdout


@pytest.mark.parametrize("text", WORDLESS)
@pytest.mark.parametrize("options", [(), ("--wide",), ("--explain", "3"), ("--jobs", "2")], ids=str)
def test_one_text_without_a_word_comes_back(model_path, tmp_path, text, options):
    path = write(tmp_path / "mine.csv", f'text\n"{text}"\n')
    result = invoke("predict", path, "--model", model_path, *options)
    assert [row["text"] for row in dicts(result.stdout)] == [text]


def test_wordless_parts_are_judged_by_workers_and_after_a_stop(model, model_path, table, tmp_path):
    once = answers(model_path, table)
    assert answers(model_path, table, "--jobs", "2") == once

    def stop(*_):
        raise KeyboardInterrupt

    output = tmp_path / "answers.csv"
    with pytest.raises(KeyboardInterrupt):
        predict(model, table, output, progress=stop)
    answers(model_path, table, "-o", output, "--resume")
    assert output.read_bytes() == once


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["explain", "...", "--actor", "NATO"], "score"),
        (["explain", "...", "--actor", "NATO", "--json"], '"NATO"'),
        (["explain", "..."], "names no actor"),
        (["explain", ""], "names no actor"),
        (["actors", "corpus.csv"], "6 rows, 0 name an actor"),
        (["check", "corpus.csv"], "about an actor that the text does not name"),
        (["evaluate", "corpus.csv"], "6 answers withheld as uncertain"),
        (["train", "corpus.csv", "-o", "m.stance"], "in one document only"),
        (["predict", "page.txt"], "page,1,..."),
    ],
)
def test_every_command_reads_texts_without_a_word(command, said, tmp_path, monkeypatch):
    labels = ["favor", "against", "neutral"] * 2
    rows = [f'"{text}",NATO,{label}\n' for text, label in zip(WORDLESS, labels, strict=True)]
    write(tmp_path / "corpus.csv", "text,actor,stance\n" + "".join(rows))
    write(tmp_path / "page.txt", "...\n\n?\n")
    monkeypatch.chdir(tmp_path)
    result = invoke(*command)
    assert said in result.stdout + result.stderr


@pytest.mark.parametrize("text", WORDLESS)
def test_python_users_may_judge_a_text_without_a_word(model_path, text):
    model = load_model(model_path)  # that has read nothing yet
    assert model.judge([text]).actor == ()
    assert load_model(model_path).judge([text], ["NATO"]).actor == ("NATO",)
    assert explain(load_model(model_path), text, "NATO")[0].words == ()
