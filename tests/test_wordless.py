"""Texts without a word: every command answers, or says in one line what is missing."""

import pytest
from command import dicts, invoke, write

from stance import explain, load_model

WORDLESS = ["...", "", "?", "\N{GRINNING FACE}", " - ", "\u200b"]


@pytest.mark.parametrize("text", WORDLESS)
@pytest.mark.parametrize("options", [(), ("--wide",), ("--explain", "3"), ("--jobs", "2")], ids=str)
def test_one_text_without_a_word_comes_back(model_path, tmp_path, text, options):
    path = write(tmp_path / "mine.csv", f'text\n"{text}"\n')
    result = invoke("predict", path, "--model", model_path, *options)
    assert [row["text"] for row in dicts(result.stdout)] == [text]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["explain", "...", "--actor", "NATO"], "score"),
        (["explain", "...", "--actor", "NATO", "--json"], '"NATO"'),
        (["explain", "..."], "names no actor"),
        (["explain", ""], "names no actor"),
        (["actors", "corpus.csv"], "6 rows; 0 name an actor"),
        (["check", "corpus.csv"], "about an actor that the text does not name"),
        (["evaluate", "corpus.csv"], "6 answers withheld as uncertain"),
        (["train", "corpus.csv", "-o", "m.stance"], "no feature in 2 documents (min_df)"),
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
