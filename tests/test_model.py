"""A model judges what it is asked, admits what it does not know, and reads each text alone."""

import re
import sys

import numpy as np
import pandas
import pytest
from command import FOREIGN
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pages import parse_page

from stance.errors import ExtraError
from stance.model.explanation import explain
from stance.records import Sentiment, Stance
from stance.reports import stylesheet

PRAISED = "Poland praised NATO and condemned Russia for its attack."
STRANGE = "NATO qwxzj vbnmp zzkrtq."


def same(left, right):
    assert np.array_equal(left.stance, right.stance)
    assert np.array_equal(left.withheld, right.withheld)
    assert np.array_equal(left.mentions, right.mentions)
    assert left.actor == right.actor


def test_actors_are_judged_in_the_order_of_first_mention(model):
    judged = model.judge([PRAISED, "Nothing here.", "Russia, NATO, Moscow and Russia's allies"])
    assert judged.actor == ("Poland", "NATO", "Russia", "Russia", "NATO")
    assert judged.para.tolist() == [0, 0, 0, 2, 2]
    assert judged.mentions.tolist() == [1, 1, 1, 3, 1]


def test_answers_are_a_sequence_in_the_words_of_a_table(model, monkeypatch):
    answers = model.judge([PRAISED, "Nothing here.", STRANGE])
    assert len(answers) == 4
    assert list(answers) == answers[:] == [answers[at] for at in range(4)]
    assert answers[-1] == answers[3]
    with pytest.raises(IndexError):
        answers[4]
    frame = answers.to_frame()
    assert list(frame.columns)[:5] == ["row", "actor", "mentions", "stance", "stance_against"]
    rows = frame.to_dict("records")
    for answer, row in zip(answers, rows, strict=True):
        assert (answer.paragraph + 1, answer.actor, answer.mentions, answer.stance) == (
            *(row["row"], row["actor"], row["mentions"], row["stance"]),
        )
        assert answer.probabilities == tuple(row[f"stance_{label}"] for label in Stance)
        assert answer.holder == row["holder"]
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ExtraError, match="to_frame needs pandas"):
        answers.to_frame()


def test_a_notebook_shows_the_first_paragraphs_with_their_reasons(model):
    shell = '<html lang="en"><head><title>t</title></head><body><h1>t</h1>{}</body></html>'
    hostile = f"{PRAISED} <script>alert(1)</script>"
    shown = model.judge([hostile, *[STRANGE] * 30])._repr_html_()
    style = re.search("<style>(.*?)</style>", shown, re.DOTALL)[1]
    assert style.startswith(".stance-read {")
    assert style.count("{") == style.count("}")
    page = parse_page(shell.format(shown.replace(style, stylesheet())))
    assert "<script>alert(1)</script>" in page.text
    assert "… and 11 more paragraphs" in page.text
    assert shown.count('tabindex="0" aria-desc') == 3 + 19
    assert "<dt>words that push</dt>" in shown
    assert shown == model.judge([hostile, *[STRANGE] * 30], pushes=True)._repr_html_()
    assert model.judge([PRAISED], ["Russia"])._repr_html_().count("aria-desc") == 1
    assert "0 paragraphs" not in model.judge([])._repr_html_()


def test_columns_are_read_by_position(model):
    given = {"texts": [PRAISED, '"Mali lied."', "It met."], "actors": ["NATO", "Mali", "it"]}
    given |= {"spans": [None, float("nan"), "0:2"], "months": [1, 2, 3]}
    given |= {"before": ["", 'Rutte said: "I was there.', ""]}
    plain, unordered = model.judge(**given), type("Unordered", (list,), {"__getitem__": None})
    for make in (unordered, lambda cells: pandas.Series(cells, index=[2, 0.5, 1])):
        columns = {name: make(cells) for name, cells in given.items()}
        ((_, many),) = model.judge_many(**columns)
        for answers in (many, model.judge(**columns)):
            same(answers, plain)
            assert answers._repr_html_() == plain._repr_html_()


def test_what_does_not_belong_to_the_texts_is_refused(model):
    for wrong, told in (
        ({"texts": "N"}, "texts is a str; give a list of paragraphs"),
        ({"texts": np.array("NATO")}, "texts is a ndarray; give a list of paragraphs"),
        ({"texts": {"a.txt": "NATO"}}, "texts is a dict; give a list of paragraphs"),
        ({"texts": iter(["NATO"])}, "texts is a list_iterator; give a list of paragraphs"),
        ({"texts": pandas.DataFrame({"text": ["N"]})}, r"texts is a DataFrame; .* df\['text'\]"),
        ({"texts": ["NATO", float("nan")]}, r"texts\[1\] is nan, not a string; .*fillna\(''\)"),
        ({"actors": ["Russia", "NATO"]}, "actors has 2 for 1 text; give one for each"),
        ({"actors": "X"}, "actors has 1 for 1 text; give one for each, in a list"),
        ({"actors": [None]}, r"actors\[0\] is None, not a string; leave out"),
        ({"actors": [b"X"]}, r"actors\[0\] is b'X', not a string; give a string"),
        ({"months": ["2024-03"]}, r"months is not whole numbers; give stance.tables.months_of\("),
        ({"months": np.array([1, 2])}, "months has 2 for 1 text; give one for each"),
        ({"actors": ["NATO"], "spans": []}, "spans has 0 for 1 text; give one for each"),
        ({"actors": ["NATO"], "spans": [[(0, 999)]]}, r"spans\[0\] is \[\(0, 999\)\]; write"),
        ({"spans": [None]}, "give actors, too"),
    ):
        for judge in (model.judge, lambda *a, **k: list(model.judge_many(*a, **k))):
            with pytest.raises((TypeError, ValueError), match=told):
                judge(**{"texts": [PRAISED], **wrong})
    with pytest.warns(UserWarning, match="only the first 50,000 characters of 1 text are read"):
        model.judge([PRAISED, PRAISED + " " * 50_000])


def test_pairs_get_the_same_answers_as_the_text(model, corpus):
    judged = model.judge(corpus.texts[:60])
    pairs = model.judge([corpus.texts[p] for p in judged.para], judged.actor)
    same(judged, pairs)


def test_places_where_the_book_looks_change_nothing(model):
    at = PRAISED.index("NATO")
    with_places = model.judge([PRAISED], ["NATO"], [[(at, at + 4)]])
    same(with_places, model.judge([PRAISED], ["NATO"]))


def test_what_nothing_is_known_of_is_not_known(model):
    judged = model.judge([STRANGE, PRAISED, "NATO", "NATO, Russia"])
    withheld = dict(zip(judged.para.tolist(), judged.withheld.tolist(), strict=True))
    assert withheld == {0: True, 1: False, 2: True, 3: True}
    assert judged.tone_withheld.tolist()[:2] == [True, False]


def test_no_texts_are_judged(model):
    for judged in (model.judge([]), model.judge([], [])):
        assert judged.stance.shape == judged.sentiment.shape == (0, 3)
    assert model.judge_blind([]).shape == (0, 3)


@pytest.mark.parametrize("size", [1, 64])
def test_predictions_do_not_depend_on_the_batch_size(model, corpus, size, monkeypatch):
    texts = corpus.texts[:100]
    whole = model.judge(texts)
    monkeypatch.setattr("stance.model.BATCH", size)
    rows, parts = zip(*model.judge_many(texts), strict=True)
    assert [text for part in rows for text in texts[part]] == list(texts)
    assert np.array_equal(whole.stance, np.concatenate([part.stance for part in parts]))
    assert np.array_equal(whole.withheld, np.concatenate([part.withheld for part in parts]))
    assert np.array_equal(whole.sentiment, np.concatenate([part.sentiment for part in parts]))
    blind = model.judge_blind(texts)
    monkeypatch.undo()
    assert np.array_equal(model.judge_blind(texts), blind)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.text(st.sampled_from("NATO Rusia's.\"\n,notpraised\x1e\u0301é"), max_size=60)))
@example([PRAISED, STRANGE, ""])
def test_no_text_changes_its_neighbours_answers(model, texts):
    alone = model.judge([PRAISED])
    among = model.judge([*texts, PRAISED])
    assert np.array_equal(among.stance[-len(alone.stance) :], alone.stance)
    assert np.array_equal(among.sentiment[-1:], alone.sentiment)


def test_sentiment_is_that_of_the_whole_paragraph(model):
    sad = "Forty people were killed and hundreds wounded in the brutal attack; grief and anger."
    glad = "Crowds celebrated the historic peace agreement with joy, gratitude and hope."
    tone = model.judge([sad, glad]).sentiment
    assert [list(Sentiment)[k] for k in tone.argmax(axis=1)] == ["negative", "positive"]


@pytest.mark.parametrize("entries", [1, 150])
def test_pairs_are_laid_out_in_portions_where_they_are_many(model, corpus, monkeypatch, entries):
    texts = ["", *corpus.texts[:40], "NATO, Russia and Iran " * 40]
    whole = model.judge(texts, pushes=True)
    monkeypatch.setattr("stance.model.heads.ENTRIES", entries)
    parts = model.judge(texts, pushes=True)
    assert np.array_equal(whole.stance, parts.stance)
    assert np.array_equal(whole.withheld, parts.withheld)
    answers = whole.stance.argmax(axis=1)
    assert whole.pushes.strongest(answers, 5) == parts.pushes.strongest(answers, 5)


def test_answers_do_not_depend_on_spellings_seen_or_forgotten(model, corpus):
    texts = [*list(dict.fromkeys(corpus.texts))[:40], *FOREIGN.values(), ""]
    whole = model.judge(texts)
    model.reader.forget()
    for at, text in enumerate(texts):
        alone, place = model.judge([text]), whole.para == at
        assert np.array_equal(alone.stance, whole.stance[place])
        assert np.array_equal(alone.sentiment[0], whole.sentiment[at])
        assert alone.withheld.tolist() == whole.withheld[place].tolist()
        assert alone.foreign[0] == whole.foreign[at]
        for name in ("length", "plain", "known", "common"):
            assert getattr(alone.language, name)[0] == getattr(whole.language, name)[at]
        if at % 7 == 0:
            model.reader.forget()


# --- Answers that are withheld -------------------------------------------------------------------

GERMAN = FOREIGN["German"]


def test_an_answer_is_withheld_where_it_would_mean_nothing_and_explanations_agree(model):
    asked = [(PRAISED, "NATO"), (PRAISED, "Japan"), (STRANGE, "NATO"), (GERMAN, "NATO")]
    judged = model.judge([text for text, _ in asked], [actor for _, actor in asked])
    assert judged.withheld.tolist() == [False, True, True, True]
    assert judged.tone_withheld.tolist() == [False, False, True, True]
    for text in (PRAISED, STRANGE, GERMAN):
        judged = model.judge([text])
        withheld = dict(zip(judged.actor, judged.withheld.tolist(), strict=True))
        assert {e.actor: e.withheld for e in explain(model, text)} == withheld


@pytest.mark.parametrize(("actor", "places"), [("Terror Front", None), ("Russia", [(0, 5)])])
def test_a_paragraph_has_one_sentiment_whoever_is_judged(model, actor, places):
    text = "Great success: Poland condemned the evil Terror Front."
    judged = model.judge([text], [actor], [places])
    assert np.array_equal(judged.sentiment, model.judge([text]).sentiment)
