"""Scores equal scikit-learn's, intervals hold what they promise, and the screen stays narrow."""

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from stance.corpus import Source, corpus_of
from stance.corpus.rows import Row
from stance.display import widths
from stance.errors import DataError
from stance.evaluation import report
from stance.evaluation.intervals import t_interval
from stance.evaluation.scores import (
    Answers,
    baselines,
    conflict_score,
    document_confusion,
    leakage,
    macro_f1_gain,
    plain,
    score,
)
from stance.screens import evaluation_lines

LABELS = ("against", "neutral", "favor")
NAMES = ("NATO", "Russia", "Poland", "北約", "the European Commission's directorate-general")


def certain(predicted, gold, document=None, answered=True):
    """Answers that give each row a label with probability 0.8."""
    probabilities = np.full((len(gold), 3), 0.1)
    probabilities[np.arange(len(gold)), predicted] = 0.8
    return Answers(
        LABELS,
        np.array(gold, np.int64),
        probabilities,
        np.arange(len(gold)) if document is None else np.array(document),
        np.array(answered),
    )


def random_answers(seed, rows, labels=3):
    rng = np.random.default_rng(seed)
    gold = rng.integers(labels, size=rows)
    probabilities = rng.dirichlet(np.ones(3), size=rows)
    probabilities[np.arange(rows), gold] += rng.random(rows)
    return Answers(
        LABELS,
        gold,
        probabilities / probabilities.sum(axis=1, keepdims=True),
        rng.integers(40, size=rows),
        rng.random(rows) > 0.1,
    )


def figures_of(answers, tone=None, seen=7, notes=(), actors=NAMES):
    """The report on answers to a corpus of two rows per text, about the actors in turn."""
    blind = random_answers(2, len(answers))
    blind = dataclasses.replace(blind, gold=answers.gold, document=answers.document)
    gold, count = answers.gold.tolist(), len(answers)
    rows = [
        Row(f"text {n // 2}", actors[n % len(actors)], label, n, document="d")
        for n, label in enumerate(gold)
    ]
    corpus = corpus_of(rows, Source("made_up", "0" * 64, count))
    leaked = np.arange(count) < seen
    return report(corpus, answers, blind, tone, leaked=leaked, notes=notes)


def test_worked_example():
    # gold     against against neutral neutral favor favor
    # answered against neutral neutral neutral favor against
    figures = score(certain([0, 1, 1, 1, 2, 0], [0, 0, 1, 1, 2, 2], answered=[True] * 5 + [False]))
    assert figures["confusion"] == [[1, 1, 0], [0, 2, 0], [0, 0, 1]]
    assert figures["withheld"] == {"against": 0, "neutral": 0, "favor": 1}
    assert figures["labels"] == list(LABELS)
    assert figures["accuracy"] == round(4 / 6, 6)
    few = {"f1_interval": None, "support": 2}
    assert figures["per_class"] == {
        "against": {"precision": 1.0, "recall": 0.5, "f1": 0.666667, **few},
        "neutral": {"precision": 0.666667, "recall": 1.0, "f1": 0.8, **few},
        "favor": {"precision": 1.0, "recall": 0.5, "f1": 0.666667, **few},
    }
    assert figures["macro_f1"] == round((2 / 3 + 4 / 5 + 2 / 3) / 3, 6)
    assert figures["ece"] == round(0.8 - 4 / 6, 6)  # every row has confidence 0.8: one bin
    assert figures["uncertain"] == round(1 / 6, 6)
    assert (figures["n"], figures["documents"]) == (6, 6)
    answered = figures["answered"]
    assert (answered["n"], answered["accuracy"]) == (5, 0.8)
    assert answered["macro_f1"] == round((2 / 3 + 4 / 5 + 1) / 3, 6)
    low, high = answered["macro_f1_interval"]
    assert low < answered["macro_f1"] < high


def test_a_model_that_withholds_every_answer_has_no_score_of_answered_rows():
    figures = score(certain([0, 1], [0, 1], answered=[False, False]))
    assert figures["answered"] == {
        **{"n": 0, "accuracy": None, "macro_f1": None, "macro_f1_interval": None}
    }
    assert (figures["accuracy"], figures["macro_f1"], figures["uncertain"]) == (0, 0, 1)


@settings(deadline=None, max_examples=80)
@given(st.integers(0, 2**32), st.integers(1, 60), st.integers(1, 3))
def test_scores_equal_those_of_scikit_learn(seed, rows, labels):
    answers = random_answers(seed, rows, labels=labels)
    figures = score(answers)
    gold, predicted = answers.gold, answers.predicted
    given = {"labels": [0, 1, 2], "zero_division": 0}
    near = {"abs": 1e-6}

    occur = sorted({*gold.tolist(), *predicted.tolist()} - {-1})
    macro = metrics.f1_score(gold, predicted, labels=occur, average="macro", zero_division=0)
    assert figures["macro_f1"] == pytest.approx(macro, **near)
    assert figures["accuracy"] == pytest.approx(metrics.accuracy_score(gold, predicted), **near)
    table = np.transpose(metrics.precision_recall_fscore_support(gold, predicted, **given))
    names = ("precision", "recall", "f1", "support")
    ours = [[row[name] for name in names] for row in figures["per_class"].values()]
    assert np.array(ours) == pytest.approx(table, **near)
    matrix = metrics.confusion_matrix(gold, predicted, labels=[0, 1, 2])
    assert figures["confusion"] == matrix.tolist()
    surplus, bins = (answers.best == gold) - answers.confidence, np.ceil(15 * answers.confidence)
    error = sum(abs(surplus[bins == number].sum()) for number in range(1, 16)) / rows
    assert figures["ece"] == pytest.approx(error, **near)


def test_no_rows_are_an_error():
    nothing = random_answers(0, 5).take(np.zeros(5, np.bool_))
    with pytest.raises(DataError, match="no labelled rows"):
        score(nothing)


def test_labels_in_few_documents_are_noted():
    gold = np.ones(60, np.int64)
    gold[:5], gold[5:9] = 0, 2
    (few,) = score(certain(gold, gold))["notes"]
    assert few.startswith("intervals cannot be trusted with so few documents; label 20 or more")
    assert score(certain(gold, gold))["trusted"] is False
    gold[9] = 2
    trusted = [score(certain(gold, true))["trusted"] for true in (gold, np.maximum(gold, 1))]
    assert trusted == [True, False]  # the latter has no row against, which is answered


def test_one_class_only():
    figures = score(certain([1] * 30, [1] * 30))
    assert (figures["macro_f1"], figures["accuracy"]) == (1.0, 1.0)
    low, high = figures["macro_f1_interval"]
    assert 0.8 < low < 0.95  # thirty documents without an error do not make a score exact
    assert high == 1.0
    assert [note.split(";")[0] for note in figures["notes"]] == [
        "no row is labelled against or favor"
    ]


def test_actors_come_by_frequency_then_name_and_small_ones_have_no_interval():
    actor = ["Russia"] * 6 + ["NATO"] * 6 + ["Poland"] * 8
    document = [*range(6), *range(6), 0, 1, 2, 3, 0, 1, 2, 3]
    gold = [0] * 6 + [0, 2] * 3 + [1] * 8
    scores = score(certain([0] * 12 + [1] * 8, gold, document), actor)["per_actor"]
    assert list(scores) == ["Poland", "NATO", "Russia"]
    assert scores["Poland"] == {
        **{"n": 8, "macro_f1": 1.0, "interval": None, "trusted": False, "ece": 0.2}
    }
    assert (scores["Russia"]["macro_f1"], scores["Russia"]["interval"][1]) == (1.0, 1.0)
    assert scores["NATO"]["macro_f1"] == round((2 / 3 + 0) / 2, 6)
    low, high = scores["NATO"]["interval"]
    assert low < scores["NATO"]["macro_f1"] < high


def test_conflict_is_scored_beside_the_target_blind_answers():
    gold, document = [0, 2] * 6, np.repeat(np.arange(6), 2)
    model = certain([0, 2] * 4 + [0, 0] * 2, gold, document)
    blind = certain([0] * 12, gold, document)
    figures = plain(conflict_score(model, blind, np.ones(12, np.bool_)))
    assert (figures["n"], figures["accuracy"]) == (12, round(10 / 12, 6))
    assert figures["target_blind_accuracy"] == 0.5
    low, high = figures["interval"]
    assert 0.4 <= low < 10 / 12 < high <= 1

    few = plain(conflict_score(model, blind, np.arange(12) < 8))
    assert (few["n"], few["accuracy"], few["interval"]) == (8, 1.0, None)
    none = plain(conflict_score(model, blind, np.zeros(12, np.bool_)))
    assert (none["n"], none["trusted"]) == (0, False)
    assert none["accuracy"] is none["interval"] is none["target_blind_accuracy"] is None
    assert figures["trusted"] is False  # 6 documents


def test_baselines_and_their_paired_differences_share_the_documents():
    answers, rival = random_answers(1, 300), random_answers(2, 300)
    rival = dataclasses.replace(rival, gold=answers.gold, document=answers.document)
    figures = plain(baselines(answers, rival))
    assert list(figures) == ["majority", "target_blind", "difference"]
    model, alone = score(answers), score(rival)
    for key in ("macro_f1", "macro_f1_interval", "accuracy"):
        assert figures["target_blind"][key] == alone[key]
    gain = figures["difference"]
    assert gain["macro_f1"] == pytest.approx(model["macro_f1"] - alone["macro_f1"], abs=2e-6)
    counts = [document_confusion(x.gold, x.predicted, x.document, 3) for x in (answers, rival)]
    bounds = t_interval(macro_f1_gain, np.stack(counts, axis=1))
    assert gain["macro_f1_interval"] == pytest.approx(bounds, abs=1e-6)


def test_leakage_scores_what_the_model_has_not_seen():
    answers = certain([0, 1, 2, 2], [0, 1, 2, 0])
    seen = np.array([True, False, False, False])
    unseen = score(answers.take(~seen))
    assert plain(leakage(answers, seen)) == {
        **{"rows": 1, "share": 0.25},
        "macro_f1_without": unseen["macro_f1"],
        "macro_f1_without_interval": unseen["macro_f1_interval"],
    }
    every = leakage(answers, ~seen | seen)
    assert every["macro_f1_without"] is every["macro_f1_without_interval"] is None
    none = plain(leakage(answers, seen & ~seen))
    assert none["macro_f1_without"] == score(answers)["macro_f1"]


def test_report_is_plain_json():
    tones = ("negative", "neutral", "positive")
    tone = dataclasses.replace(random_answers(3, 600), labels=tones)
    figures = figures_of(random_answers(1, 600), tone, notes=["the feature block name is on"])
    text = json.dumps(figures, allow_nan=False)
    assert repr(json.loads(text)) == repr(figures)  # in plain types, and names are strings
    assert json.loads(text, parse_float=lambda number: round(float(number), 6)) == figures
    assert figures["notes"][0] == "the feature block name is on"
    assert figures["leakage"]["rows"] == 7
    assert set(figures["sentiment"]["baselines"]) == {"majority"}


def test_summary_opens_with_the_scores_and_their_intervals():
    figures = figures_of(random_answers(1, 600))
    low, high = (f"{100 * end:.1f}" for end in figures["macro_f1_interval"])
    lines = evaluation_lines(figures)
    head, whole, answered, majority, blind, *_ = lines
    assert head.split() == ["macro-F1", "accuracy", "n", "gain", "in", "macro-F1"]
    assert whole.split() == [
        *("all", "rows", f"{100 * figures['macro_f1']:.1f}", f"[{low},", f"{high}]"),
        *(f"{100 * figures['accuracy']:.1f}", "600"),
    ]
    part = figures["answered"]
    assert answered.startswith(f"answered rows   {100 * part['macro_f1']:.1f} [")
    assert f"{600 - part['n']} answers withheld as uncertain" in "\n".join(lines)
    assert majority.split()[:2] == ["majority", "label"]
    gain = figures["baselines"]["difference"]
    low, high = (f"{100 * end:.1f}" for end in gain["macro_f1_interval"])
    assert blind.endswith(f"  {100 * gain['macro_f1']:+.1f} [{low}, {high}]")


def test_summary_stays_under_80_columns_and_tells_every_part():
    long = "one of the notes that go on and on, " * 6
    actors = [f"{name}\x1b[31m {number}" for name in NAMES for number in range(5)]
    figures = figures_of(random_answers(1, 700), seen=700, notes=[long], actors=actors)
    shown = evaluation_lines(figures)
    assert max(sum(widths(line)) for line in shown) < 80
    assert all(line.isprintable() and line == line.rstrip() for line in shown)
    text = "\n".join(shown)
    assert "and 10 more actors" in text
    for word in ("calibration", "paragraphs of conflict", "leakage", "note: one of"):
        assert word in text
    assert (
        "700 rows (100.0 %), or near-duplicates of them, found in the model's training data; "
        "macro-F1 without: -"
    ) in text.replace("\n  ", " ")
