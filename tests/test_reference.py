"""Paragraphs in another language, and unknown words, are noticed; each is judged by itself."""

import dataclasses
from itertools import cycle

import pytest
from command import FOREIGN, ROOT, invoke, predict, read_rows, write_rows
from conftest import quick_recipe

from stance.corpus import read_corpus
from stance.fitting import train
from stance.model.abstention import LEAST_PARAGRAPHS, LEAST_WORDS
from stance.reading.actors import ActorBook
from stance.recipe import Features
from stance.records import UNCERTAIN, Stance
from stance.storage import save_model

ENGLISH = {
    "names": "Attending were Sergei Lavrov, Antony Blinken, Josep Borrell, Annalena Baerbock, "
    "Wang Yi, Hakan Fidan and Radek Sikorski of Poland, who left before the talks with NATO ended.",
    "numbers": "NATO spending was 2.1 in 2019, 2.3 in 2020, 2.4 in 2021, 2.5 in 2022, 2.7 in 2023 "
    "and 2.9 in 2024, while that of Russia rose from 3.9 to 5.8 and then to 6.3 in 2024.",
    "capitals": "RUSSIA'S DEFENCE MINISTRY SAID ON FRIDAY THAT ITS FORCES HAD SHOT DOWN 14 DRONES "
    "OVER THE BELGOROD AND KURSK REGIONS, KREMLIN SPOKESMAN DMITRY PESKOV DECLINED TO COMMENT",
    "title": "Russia Rejects Ceasefire Proposal As Zelenskiy Arrives In Ankara For Talks With "
    "Erdogan, Stoltenberg And Scholz, Says Kremlin Spokesman Peskov In Moscow",
    "small letters": "the nato secretary general said on wednesday that the alliance would keep "
    "sending ammunition to ukraine for as long as moscow refuses to withdraw its soldiers",
    "quotation": 'The minister replied in German, "Wir lassen uns nicht erpressen", and told '
    "reporters that Russia should not expect the government to give in to its threats.",
    "speech": "Mr. President, my delegation thanks the Secretary-General for his report, and we "
    "join those who call on Russia to respect the Charter and to end this war without delay.",
}


# --- Which paragraphs are foreign ----------------------------------------------------------------


@pytest.mark.parametrize("kind", [*FOREIGN, *ENGLISH])
def test_a_paragraph_is_foreign_if_it_is_in_another_language(model, kind):
    assert model.judge([(FOREIGN | ENGLISH)[kind]]).foreign.tolist() == [kind in FOREIGN]


@pytest.mark.parametrize("name", ["starter/starter_test.csv", "sample/paragraphs.csv"])
def test_no_paragraph_of_a_bundled_table_is_foreign(model, name):
    table = (ROOT / "datasets" / name).read_text("utf-8").splitlines()
    texts = [line for line in table[1:] if len(line.split()) >= LEAST_WORDS]
    judged = model.judge(texts)
    assert judged.language.long_enough().sum() > 20
    assert not judged.foreign.any()


def test_a_short_paragraph_is_never_foreign(model):
    judged = model.judge(
        ["", "NATO", "Die NATO ist da.", "Россия и NATO", "北约 NATO", "1 2 3 " * 30]
    )
    assert not judged.foreign.any()


# --- Models of other kinds -----------------------------------------------------------------------

SAID = ("сказал", "заявил", "сообщил", "подчеркнул", "добавил")
WHO = ("министр", "президент", "посол", "депутат", "генерал")
WHAT = (
    "что его страна не будет участвовать в этих переговорах и что она готова к новым мерам",
    "что на этой неделе они обсудят с союзниками все вопросы, которые стоят на повестке дня",
    "что Россия и NATO должны вернуться к диалогу, так как другого пути к миру у них нет",
)


@pytest.mark.filterwarnings("ignore:nearly all training rows")
def test_a_model_knows_the_language_that_it_was_trained_on(tmp_path):
    texts = [f"Вчера {who} {said}, {what}." for who in WHO for said in SAID for what in WHAT]
    model = trained_on(tmp_path / "mine.csv", texts, "russian")
    assert model.reference.familiarity > 0.5
    strange = [text for name, text in FOREIGN.items() if name != "Russian"]
    judged = model.judge([*strange, *ENGLISH.values(), *texts])
    few = {"names", "numbers", "capitals", "title"}  # hardly a word in them that tells
    wanted = [True] * len(strange) + [kind not in few for kind in ENGLISH] + [False] * len(texts)
    found = judged.foreign.tolist()
    assert [a for a, b in zip(found, wanted, strict=True) if b].count(False) == 0
    assert not any(found[-len(texts) :])


def trained_on(path, texts, language):
    """A model that has learned some words."""
    stances = cycle(map(str, Stance))
    rows = [(text, "NATO", next(stances), number) for number, text in enumerate(texts)]
    write_rows(path, rows, ("text", "actor", "stance", "document"))
    features = Features({"stem": 1.0})
    recipe = dataclasses.replace(quick_recipe(), language=language, features=features)
    return train(recipe, read_corpus([path]), ActorBook.default()).model


@pytest.mark.filterwarnings("ignore:nearly all training rows")
def test_too_few_paragraphs_check_no_language(tmp_path):
    text = "The minister said that NATO would not give in to any of the new threats from Moscow."
    few = [f"{text} He left on day {'abc'[n % 3] * n}." for n in range(1, 20)]
    assert len(few) < LEAST_PARAGRAPHS < len(few * 3)  # equal paragraphs count once
    model = trained_on(tmp_path / "a.csv", few * 3, "english")
    assert model.reference.familiarity == 0
    assert not model.judge([*FOREIGN.values()]).foreign.any()


# --- What a run says of it -----------------------------------------------------------------------

DRIFT = "unlike the training texts: "


def notes_of(model, tmp_path, texts, start=DRIFT, **options):
    source = write_rows(tmp_path / "in.csv", [{"text": text} for text in texts])
    notes = predict(model, source, tmp_path / "out.csv", size=7, **options).notes
    return [note for note in notes if note.startswith(start)]


def test_training_texts_have_not_drifted(model, tmp_path, corpus):
    assert notes_of(model, tmp_path, list(dict.fromkeys(corpus.texts))[:200]) == []


def test_foreign_paragraphs_are_uncertain_and_counted(model_path, tmp_path, corpus):
    foreign, output = [*FOREIGN.values()][:11:10], tmp_path / "out.csv"
    texts = [*foreign, *list(dict.fromkeys(corpus.texts))[:38]]
    source = write_rows(tmp_path / "in.csv", [{"text": text} for text in texts])
    command = ("predict", source, "-o", output, "--model", model_path, "--force")
    assert invoke(*command, "--quiet").stderr == ""
    assert (
        f"{DRIFT}2 of 40 paragraphs not in a language this model knows "
        "(trained on English): marked uncertain"
    ) in invoke(*command).stderr.splitlines()
    for row in read_rows(output):
        strange = row["text"] in foreign
        assert (row["sentiment"] == UNCERTAIN) == strange
        if strange:
            assert row["stance"] == UNCERTAIN
            shares = [float(row[f"stance_{label}"]) for label in Stance]
            assert sum(shares) == pytest.approx(1)  # the probabilities are still printed


def test_foreign_answers_are_not_taken_for_withheld_ones(model, tmp_path):
    note, *_ = notes_of(model, tmp_path, FOREIGN.values(), "--abstain", abstain=0.6)
    assert " 0 of" in note
    assert "(0.0 %)" in note


def test_unknown_words_are_told_with_both_shares(model, tmp_path, corpus):
    texts = list(dict.fromkeys(corpus.texts))[:60]
    strange = [text.replace(" the ", " the zorb blaxed vrint ") for text in texts]
    (note,) = notes_of(model, tmp_path, strange, abstain=0.6)
    assert 0.03 < model.reference.unknown < 0.2  # of each document, by the others
    training = round(100 * model.reference.unknown)
    assert f" % of words are unknown to the model (training: {training} %)" in note
    assert int(note.split()[4]) > training + 5
    assert "may not hold here, and more than 0.6 of the answers may be wrong" in note
    assert note.endswith("label a sample and run `stance evaluate`")


def test_quiet_leaves_the_warning_that_a_stance_is_never_answered(model, tmp_path):
    never = model.stance.intercept.copy()
    never[1] = -1e9  # as where no training row is neutral
    mute = dataclasses.replace(model, stance=dataclasses.replace(model.stance, intercept=never))
    save_model(mute, tmp_path / "m.stance")
    source = write_rows(tmp_path / "in.csv", [{"text": "NATO met."}] * 40)
    args = ("predict", source, "-o", tmp_path / "o.csv", "--model", tmp_path / "m.stance")
    (silent,) = invoke(*args, "--quiet", "--force").stderr.splitlines()
    assert silent == (
        "the model never answers neutral, so shares of its answers do not describe the "
        "texts; no training row was neutral"
    )
    assert silent in invoke(*args, "--force").stderr.splitlines()
