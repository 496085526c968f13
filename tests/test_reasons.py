"""The column `because` names the words that push most toward the answer given."""

import json
import re

import numpy as np
import pytest
from command import FOREIGN, invoke, predict, read_rows, write_rows
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stance import load_model
from stance.evaluation import WORDS, write_mistakes
from stance.files import AtomicGroup
from stance.model.explanation import explain
from stance.model.predictions import ACTOR, LEAST_PUSH, OTHERS
from stance.records import NO_ANSWER, Stance

TEXT = "Poland praised NATO for its brave support and condemned Russia's brutal, brutal attack."
GERMAN = FOREIGN["German"]
CELL = re.compile(r"(\S[^()]*?)\(([+-]\d+\.\d\d)\)")


def reasons(cell):
    """The words of a cell and their pushes; the cell holds nothing else."""
    found = CELL.findall(cell)
    assert " ".join(f"{word}({push})" for word, push in found) == cell
    return [(word, float(push)) for word, push in found]


def by_word(explanation, actor, others):
    """The oracle: how far each word pushes, from the reasons of one explanation."""
    pushes = {}
    for reason in explanation.words:
        name = ACTOR if reason.text in actor else OTHERS if reason.text in others else reason.text
        pushes[name] = pushes.get(name, 0.0) + reason.push[2] - reason.push[0]
    return pushes


def test_the_words_are_those_of_the_explanation(model):
    judged = model.judge([TEXT], pushes=True)
    answers = judged.stance.argmax(axis=1)
    cells = judged.pushes.strongest(answers, 100)
    aliases = {"Poland", "NATO", "Russia"}
    for actor, answer, cell in zip(judged.actor, answers, cells, strict=True):
        (found,) = explain(model, TEXT, actor)
        pushes = by_word(found, {actor}, aliases - {actor})
        side = {0: -1, 2: 1}.get(int(answer))
        wanted = {
            word: push
            for word, push in pushes.items()
            if (abs(push) if side is None else side * push) >= LEAST_PUSH
        }
        assert dict(reasons(cell)) == pytest.approx(wanted, abs=0.0051)
        strengths = [abs(push) for _, push in reasons(cell)]
        assert strengths == sorted(strengths, reverse=True)


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("Turkey is in breach of its promises.", "in breach"),
        ("Finland has been a true friend.", "a true friend"),
        ("We accused Hungary of lies.", "accused"),
    ],
)
def test_a_phrase_that_judges_is_one_reason(text, phrase):
    (passage,) = (judged := load_model().judge([text], pushes=True)).passages([text])
    ((start, end, push), *_) = passage.verdicts[0].words
    assert text[start:end] == phrase
    ((word, pushes), *_) = reasons(judged.pushes.strongest(judged.stance.argmax(axis=1), 1)[0])
    assert (word, pushes) == (phrase, pytest.approx(push, abs=0.0051))


def test_all_that_pushes_sums_to_the_score(model, corpus):
    texts, actors = corpus.texts[:200], corpus.actors[:200]
    judged = model.judge(texts, actors, pushes=True)
    pushes = judged.pushes
    total = np.add.reduceat(pushes.values, pushes.pairs.first[:-1])
    for row in range(0, 200, 7):
        (found,) = explain(model, texts[row], actors[row])
        whole = sum(reason.push[2] - reason.push[0] for reason in found.features)
        start = found.intercept[2] - found.intercept[0]
        score = found.scores[2] - found.scores[0]
        assert total[row] + whole + start == pytest.approx(score, abs=1e-9)


def test_names_of_actors_never_stand_in_a_cell(model, corpus):
    judged = model.judge(corpus.texts[:150], pushes=True)
    cells = judged.pushes.strongest(np.ones(len(judged.para), np.int64), 50)
    text = " ".join(cells)
    assert ACTOR in text
    assert OTHERS in text
    assert not re.search(r"\b(NATO|Russia|Ukraine|China)\(", text)


def test_against_is_minus_favor_is_plus_and_no_answer_is_empty(model, corpus):
    judged = model.judge(corpus.texts[:100], corpus.actors[:100], pushes=True)
    for answer, sign in ((0, -1), (2, 1)):
        cells = judged.pushes.strongest(np.full(100, answer), 3)
        found = [push for cell in cells for _, push in reasons(cell)]
        assert len(found) > 200
        assert all(sign * push > 0 for push in found)
        assert max(len(reasons(cell)) for cell in cells) == 3
    assert judged.pushes.strongest(np.full(100, NO_ANSWER), 3) == [""] * 100
    assert judged.pushes.strongest(np.full(100, 2), 0) == [""] * 100


WORDS_OF_ANY_KIND = st.text(st.sampled_from("abdelnprsut NATORusi().,'\"ß北=+@-\n"), max_size=80)


@settings(max_examples=60)
@given(st.lists(WORDS_OF_ANY_KIND, max_size=4), st.integers(0, 9))
@example(["NATO " + "x" * 300 + " praised", "=NATO(praised)"], 9)
def test_a_cell_depends_on_its_own_pair_alone(model, texts, most):
    texts = [f"NATO praised and condemned {text}" for text in texts]
    judged = model.judge(texts, pushes=True)
    answers = np.arange(len(judged.para)) % 3
    cells = judged.pushes.strongest(answers, most)
    assert all(len(reasons(cell)) <= most for cell in cells)
    for row, para in enumerate(judged.para.tolist()):
        alone = model.judge([texts[para]], pushes=True)
        own = list(alone.actor).index(judged.actor[row])
        wanted = np.full(len(alone.para), answers[row])
        assert alone.pushes.strongest(wanted, most)[own] == cells[row]


# --- In the output -------------------------------------------------------------------------------


@pytest.fixture
def table(corpus, tmp_path):
    texts = list(dict.fromkeys(corpus.texts))[:40]
    rows = [*texts, "Nobody is named here.", GERMAN, ""]
    return write_rows(tmp_path / "in.csv", [{"text": text} for text in rows])


def test_without_the_option_nothing_changes(model, table, output):
    predict(model, table, output)
    plain = read_rows(output)
    predict(model, table, output, force=True, explain=3)
    explained = read_rows(output)
    assert list(explained[0]) == [*plain[0], "because"]
    assert [{k: v for k, v in row.items() if k != "because"} for row in explained] == plain


def test_each_answer_has_its_words(model, table, output):
    predict(model, table, output, explain=2)
    rows = read_rows(output)
    assert {row["stance"] for row in rows} == {*map(str, Stance), "uncertain", ""}
    for row in rows:
        found = reasons(row["because"])
        assert len(found) <= 2
        if row["stance"] in ("", "uncertain"):
            assert not found
        else:
            assert found
        if row["stance"] in ("against", "favor"):
            assert {push > 0 for _, push in found} == {row["stance"] == "favor"}


def test_wide_has_a_column_per_actor(model, table, output):
    predict(model, table, output, explain=2, prefix="x_")
    long = {(row["x_row"], row["x_actor"]): row["x_because"] for row in read_rows(output)}
    predict(model, table, output, explain=2, wide=True, prefix="x_", force=True)
    rows = read_rows(output)
    names = list(rows[0])
    assert names[names.index("x_NATO_holder") + 1] == "x_NATO_because"
    for row in rows:
        for actor in model.book.names:
            wanted = long.get((row["x_row"], actor), "")
            assert row[f"x_{actor}_because"] == wanted


def test_mistakes_are_explained_in_the_same_way(model, corpus, tmp_path):
    with AtomicGroup() as together:
        write_mistakes(model, corpus, tmp_path / "wrong.csv", together, force=False)
    rows = read_rows(tmp_path / "wrong.csv")
    assert len(rows) > 20
    judged = model.judge([r["text"] for r in rows], [r["actor"] for r in rows], pushes=True)
    answers = np.array([list(map(str, Stance)).index(row["predicted"]) for row in rows])
    assert [row["because"] for row in rows] == judged.pushes.strongest(answers, WORDS)
    assert all(row["gold"] != row["predicted"] for row in rows)
    sure = [float(row["probability"]) for row in rows]
    assert sure == sorted(sure, reverse=True)
    assert {row["corpus"] for row in rows} == {"starter_head"}
    found = [corpus.texts[int(row["row"]) - 1] for row in rows]
    assert found == [row["text"] for row in rows]


def test_a_foreign_paragraph_is_explained_with_a_warning(model_path):
    asked = ("explain", GERMAN, "--actor", "NATO", "--model", model_path)
    assert "In a language that the model was not trained on" in invoke(*asked).stdout
    assert "NATO: uncertain" in invoke(*asked).stdout
    (found,) = json.loads(invoke(*asked, "--json").stdout)
    assert found["foreign"] is True
    own = invoke("explain", TEXT, "--actor", "NATO", "--model", model_path)
    assert "language" not in own.stdout
