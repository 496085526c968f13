"""Reliability and risk-coverage curves are what their formulas say."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_evaluation import LABELS, random_answers

from stance.evaluation import CURVES, Answers, score
from stance.evaluation.scores import calibration_error, reliability, risk_coverage


def sure(confidence, right):
    """Answers to rows of gold label 0 with these confidences, right or wrong."""
    confidence, right = np.array(confidence), np.array(right, np.bool_)
    probabilities = np.repeat((1 - confidence)[:, None] / 2, 3, axis=1)
    probabilities[np.arange(len(right)), np.where(right, 0, 1)] = confidence
    return Answers(LABELS, np.zeros(len(right), np.int64), probabilities, np.arange(len(right)))


@given(st.integers(0, 2**32), st.integers(1, 80))
def test_bins_and_calibration_error_equal_a_plain_loop(seed, rows):
    answers = random_answers(seed, rows)
    curve, error = [], 0.0
    for i in range(1, 16):
        inside = (answers.confidence > (i - 1) / 15) & (answers.confidence <= i / 15)
        if inside.any():
            right = (answers.best == answers.gold)[inside].mean()
            mean = answers.confidence[inside].mean()
            curve.append([(i - 1) / 15, i / 15, inside.sum(), mean, right])
            error += inside.mean() * abs(right - mean)
    keys = ("low", "high", "n", "confidence", "accuracy")
    found = [[point[key] for key in keys] for point in reliability(answers)]
    assert np.array(found) == pytest.approx(np.array(curve), abs=1e-6)
    assert calibration_error(answers) == pytest.approx(error)


@given(st.integers(0, 2**32), st.integers(1, 300), st.booleans())
def test_curves_equal_a_plain_loop(seed, rows, ties):
    answers = random_answers(seed, rows)
    if ties:
        rounded = answers.probabilities.round(1) + 0.01
        answers = dataclasses.replace(
            answers, probabilities=rounded / rounded.sum(axis=1, keepdims=True)
        )
    confidence, wrong = np.where(answers.answered, answers.confidence, 0), ~answers.right
    curve = risk_coverage(answers)
    assert 1 <= len(curve) <= 40
    counts = [point["n"] for point in curve]
    assert counts == sorted(set(counts), reverse=True)
    assert curve[0]["n"] == rows
    assert curve[0]["error"] == pytest.approx(1 - score(answers)["accuracy"], abs=1e-6)
    assert curve[-1]["n"] == (confidence == confidence.max()).sum() or rows > 40
    for point in curve:
        given = confidence >= np.sort(confidence)[::-1][point["n"] - 1]
        assert given.sum() == point["n"]  # rows of equal confidence stay together
        assert point["coverage"] == pytest.approx(given.mean(), abs=1e-6)
        assert point["error"] == pytest.approx(wrong[given].mean(), abs=1e-6)
        assert point["threshold"] == pytest.approx(confidence[given].min(), abs=1e-6)


def test_a_card_keeps_the_figures_but_no_curve(model):
    for scores in (model.card["scores"], model.card["scores"]["sentiment"]):
        assert {"ece", "brier"} <= set(scores)
        assert not {*CURVES} & set(scores)
