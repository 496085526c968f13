"""Whose stance it is: learned where the corpus says so, named by who speaks, written beside it."""

import json

import numpy as np
import pytest
from command import dicts, fails, invoke, read_rows, succeeds, write_rows
from conftest import quick_recipe

from stance.corpus import read_corpus
from stance.evaluation import evaluate
from stance.fitting import train
from stance.model.holders import ACTOR_KIND, codes, speakers
from stance.reading.actors import ActorBook
from stance.reading.lexicon import Lexicon
from stance.reading.words import Reader, make_query
from stance.screens import evaluation_lines
from stance.storage import dump_model, save_model

BOOK = ActorBook.default()
READER = Reader(BOOK, Lexicon.default())
COLUMNS = ("text", "actor", "stance", "holder", "document")


def speaker(text, actor):
    query = make_query(BOOK, [text], [actor])
    (found,) = speakers(*query.read(READER), query.actor).tolist()
    return BOOK.names[found] if found >= 0 else None


@pytest.mark.parametrize(
    ("text", "actor", "name"),
    [
        ("Poland said that NATO had failed.", "NATO", "Poland"),
        ("NATO has failed, according to Russia, and Japan left.", "NATO", "Russia"),
        ("Russia's foreign ministry condemned NATO; China did nothing.", "NATO", "Russia"),
        ("Chinese officials said NATO had failed, as Japan knows.", "NATO", "China"),
        ("NATO said that NATO works.", "NATO", "NATO"),  # nobody else is there
        ("NATO said that Poland said so.", "NATO", "Poland"),  # few speak of themselves
        ('"Japan said so," a Kremlin spokesman said of NATO.', "NATO", "Russia"),  # quoted
        ("NATO was condemned by Poland.", "NATO", "Poland"),
        ("Japan was told by the Polish minister that NATO had failed.", "NATO", "Poland"),
        ("NATO has failed Japan.", "NATO", None),
        (
            "Poland's ministry praised NATO. It condemned Russia for what it described as "
            "sabotage, and said that Moscow alone was to blame.",
            *("NATO", "Poland"),
        ),
    ],
)
def test_the_actor_that_speaks(text, actor, name):
    assert speaker(text, actor) == name


@pytest.mark.parametrize(
    "texts",
    [
        ("Near India met. China condemned it.", "France told us so. Russia said no."),
        ("France met. The China said no.", "Turkey condemned it. France condemned it."),
    ],
)
def test_of_two_equal_speakers_it_is_the_same_one_whatever_is_read_beside(texts):
    texts = [f"{text} Ukraine won." for text in texts]
    query = make_query(BOOK, texts, ["Ukraine"] * len(texts))
    found = speakers(*query.read(READER), query.actor).tolist()
    assert [BOOK.names[number] for number in found] == [speaker(t, "Ukraine") for t in texts]


def test_a_frame_of_a_short_paragraph_says_whose_stance_it_is():
    words = READER.words(["Germany blamed China."])
    actor = np.array([BOOK.number("Germany"), BOOK.number("China")])
    code, kind, least = codes(READER, np.zeros(2, np.int64), words, np.zeros(2, np.int64), actor)
    names = ["", "author", "other", *BOOK.names]
    text = 'In Mali, the junta expelled France and thanked Russia. "France is a colonial power," '
    both = READER.words([text + 'said Colonel Goita. "Russia is a sincere friend."'])
    russia, first = np.array([BOOK.number("Russia")]), np.zeros(1, np.int64)
    (held,), *_ = codes(READER, first + ACTOR_KIND, both, first, russia)
    assert names[held] == "Mali"  # though somebody else judges it, too
    assert [names[number] for number in code] == ["author", "Germany"]
    assert kind.tolist() == [0, 1]
    assert least.tolist() == [0, 0.8]


def made_up(*, holders=True):
    """Rows of 12 documents: we speak, an actor does, or critics do."""
    for n, place in enumerate(("Oslo", "Lima", "Quito", "Accra", "Hanoi", "Dakar") * 2):
        for stance, verb in (("against", "fails"), ("favor", "helps")):
            for text, holder in (
                (f"We in {place} know how NATO {verb} us, and we will repeat it.", "author"),
                (f"Poland said in {place} that NATO {verb} its people.", "Poland"),
                (f"Many critics from {place} think NATO {verb} their towns.", "other"),
            ):
                yield text, "NATO", stance, holder if holders else "", n
        yield f"NATO met in {place} on Monday.", "NATO", "neutral", "", n


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    return write_rows(tmp_path_factory.mktemp("holders") / "labelled.csv", made_up(), COLUMNS)


@pytest.fixture(scope="module")
def training(labelled):
    return train(quick_recipe(), read_corpus([labelled]), BOOK)


@pytest.fixture(scope="module")
def path(training, labelled):
    save_model(training.model, labelled.with_name("m.stance"))
    return labelled.with_name("m.stance")


def test_whose_stance_is_scored_beside_the_most_frequent(training, labelled):
    found = training.report["holder"]
    assert list(found) == ["n", "accuracy", "interval", "majority", "exact"]
    assert found["n"] == 72  # not the neutral rows
    assert found["accuracy"] == found["exact"] == 1
    assert found["majority"] == pytest.approx(1 / 3, abs=1e-6)
    again = evaluate(training.model, read_corpus([labelled]))["holder"]
    assert (again["n"], again["exact"]) == (72, 1)
    (line,) = (
        line for line in evaluation_lines(training.report) if line.startswith("whose stance")
    )
    assert "100.0" in line


def test_without_holders_nothing_is_learned_or_written_of_them(tmp_path):
    corpus = read_corpus([write_rows(tmp_path / "plain.csv", made_up(holders=False), COLUMNS)])
    found = train(quick_recipe(), corpus, BOOK)
    assert found.model.holder is None
    assert b"heads/holder" not in dump_model(found.model)
    assert "holder" not in found.report


def test_a_holder_in_one_document_is_too_few(tmp_path):
    said = []
    rows = [row for row in made_up() if row[3] != "other" or row[4] == 1]
    corpus = read_corpus([write_rows(tmp_path / "c.csv", rows, COLUMNS)])
    train(quick_recipe(), corpus, BOOK, progress=said.append)
    assert "holder is not learned: other is in fewer than two documents" in said


def test_every_answer_says_whose_it_is(path, labelled):
    asked = write_rows(labelled.with_name("in.csv"), [{"text": row[0]} for row in made_up()])
    rows = dicts(invoke("predict", asked, "-m", path).stdout)
    for row in rows:
        assert (row["holder"] != "") == (row["stance"] in ("against", "favor"))
    stances = [row for row in rows if row["actor"] == "NATO" and row["holder"]]
    assert {row["holder"] for row in stances} == {"author", "Poland", "other"}
    wide = dicts(invoke("predict", asked, "-m", path, "--wide").stdout)
    narrow = [row for row in rows if row["actor"] == "NATO"]
    assert [row["NATO_holder"] for row in wide] == [row["holder"] for row in narrow]


def test_speakers_are_named_where_the_answer_is_neutral(path, tmp_path):
    answers, silent = tmp_path / "answers.csv", tmp_path / "silent.csv"
    asked = write_rows(tmp_path / "in.csv", [{"text": row[0]} for row in made_up()])
    for output, more in ((silent, ()), (answers, ("--speakers",))):
        succeeds("predict", asked, "-m", path, "-o", output, *more)
    rows = [*zip(read_rows(silent), read_rows(answers), strict=True)]
    for plain, row in rows:
        assert row == plain | {"holder": row["holder"]}
        assert row["holder"] == (plain["holder"] or row["holder"])
        assert (row["holder"] != "") == (row["stance"] in ("against", "neutral", "favor"))
    assert any(row["stance"] == "neutral" for _, row in rows)
    found = json.loads(invoke("shares", answers, "--pairs", "--json").stdout)["pairs"]
    assert sum(pair["neutral"] for pair in found) > 0


def test_holders_need_a_model_that_can_tell(model_path, labelled):
    line = fails(1, "predict", labelled, "-m", model_path, "--speakers", "--prefix", "s_")
    assert line.startswith("--speakers: the model cannot say whose stance it is")
    assert "column holder" in line


def test_explain_says_whose_stance_it_is(path):
    text = "Poland said in Lima that NATO fails its people."
    found = invoke("explain", text, "--actor", "NATO", "-m", path)
    assert "whose stance: Poland 0.95" in found.stdout
    (one,) = json.loads(invoke("explain", text, "--actor", "NATO", "-m", path, "--json").stdout)
    assert one["holder"] == "Poland"
    assert 1 / 3 < one["holder_probability"] <= 1
