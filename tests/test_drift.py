"""An input unlike the training texts is told with numbers, however the run was cut."""

import dataclasses
import tomllib
from pathlib import Path

import pytest
from command import invoke, predict, read_rows, write_rows

from stance.records import UNCERTAIN
from stance.runs.journal import model_hash
from stance.storage import save_model

TESTS = Path(__file__).resolve().parent
FOREIGN = list(tomllib.loads((TESTS / "foreign.toml").read_text("utf-8")).values())
FOREIGN_NOTE = (
    "unlike the training texts: 2 of 40 paragraphs not in a language this model knows "
    "(trained on english): marked uncertain"
)


@pytest.fixture(scope="module")
def texts(corpus):
    return list(dict.fromkeys(corpus.texts))


def run(model, tmp_path, texts, *, size=7, name="out.csv", **options):
    source = write_rows(tmp_path / "in.csv", [{"text": text} for text in texts])
    return predict(model, source, tmp_path / name, size=size, **options)


def drift_of(done):
    return [note for note in done.notes if note.startswith("unlike the training texts: ")]


def test_training_texts_have_not_drifted(model, tmp_path, texts):
    assert drift_of(run(model, tmp_path, texts[:200])) == []


def test_foreign_paragraphs_are_uncertain_and_counted(model, tmp_path, texts):
    mixed = [*texts[:20], FOREIGN[0], *texts[20:38], FOREIGN[10]]
    done = run(model, tmp_path, mixed)
    assert drift_of(done) == [FOREIGN_NOTE]
    rows = read_rows(tmp_path / "out.csv")
    for row in rows:
        strange = row["text"] in FOREIGN
        assert (row["sentiment"] == UNCERTAIN) == strange
        if strange:
            assert row["stance"] == UNCERTAIN
            shares = [float(row[f"stance_{c}"]) for c in ("against", "neutral", "favor")]
            assert sum(shares) == pytest.approx(1)  # the probabilities are still printed
    assert {row["text"] for row in rows if row["stance"] == UNCERTAIN} >= {FOREIGN[0], FOREIGN[10]}
    assert sum(n for (_, label), n in done.tally.answers.items() if label == UNCERTAIN) >= 2


def test_foreign_answers_are_not_taken_for_withheld_ones(model, tmp_path):
    done = run(model, tmp_path, FOREIGN, abstain=0.6)
    told = [note for note in done.notes if note.startswith("--abstain")]
    assert "0 of" in told[0]
    assert "(0.0 %)" in told[0]


def test_unknown_words_are_told_with_both_shares(model, tmp_path, texts):
    strange = [text.replace(" the ", " the zorb blaxed vrint ") for text in texts[:60]]
    (note,) = drift_of(run(model, tmp_path, strange, abstain=0.6))
    training = round(100 * model.reference.unknown)
    assert f" % of words are unknown to the model (training: {training} %)" in note
    assert int(note.split()[4]) > training + 5
    assert "may not hold here, and more than 0.6 of the answers may be wrong" in note
    assert note.endswith("label a sample and run `stance evaluate`")


def test_a_model_of_few_paragraphs_checks_no_language(model, tmp_path, texts):
    profile = {**model.card["reference"], "familiarity": 0.0}
    few = dataclasses.replace(model, card={**model.card, "reference": profile})
    assert drift_of(run(few, tmp_path, [*FOREIGN[:2], *texts[:38]])) == []
    assert model_hash(few) != model_hash(model)  # so a run does not go on with the other's rows


# --- On the command line -------------------------------------------------------------------------


def test_predict_tells_of_drift_on_stderr(model, tmp_path, texts):
    save_model(model, tmp_path / "m.stance")
    source = write_rows(
        tmp_path / "in.csv", [{"text": text} for text in (*texts[:38], FOREIGN[0], FOREIGN[10])]
    )
    result = invoke("predict", source, "-o", tmp_path / "o.csv", "--model", tmp_path / "m.stance")
    assert FOREIGN_NOTE in result.stderr.splitlines()
    assert "unlike" not in result.stdout
    quiet = invoke(
        "predict", source, "-o", tmp_path / "p.csv", "--model", tmp_path / "m.stance", "--quiet"
    )
    assert quiet.stderr == ""


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
