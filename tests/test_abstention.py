"""Of the answers given no more are wrong than was asked for, in nine of ten calibrations."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from command import predict, read_rows, write_rows
from conftest import quick_recipe
from hypothesis import given, settings
from hypothesis import strategies as st
from small_model import npy, refused, small_model, spoiled

from stance.errors import DataError, UsageError
from stance.fitting import train
from stance.fitting.learning import fit_temperature
from stance.model.abstention import GRID, NEVER, Calibration, thresholds
from stance.reading.actors import ActorBook
from stance.records import UNCERTAIN, Stance
from stance.storage import dump_model

DRAWS = 1000
SLACK = 0.022
"""Three in a hundred simulations of an exact 10 % exceed it by more than this."""

SHARES = (0.3, 0.5, 0.2)
"""Of the classes, in the simulated populations."""

NOTHING = (NEVER,) * 3
"""Thresholds that no answer reaches."""


# --- Simulated populations, whose true share of errors is known ----------------------------------


def honest(confidence):
    """A calibrated model errs as often as it says."""
    return 1 - confidence


def draw(rng, error, *, documents=800, rows=1, dependence=0.0):
    """Calibration documents of 1 to `rows` rows, which are right or wrong together."""
    document = np.repeat(np.arange(documents), rng.integers(1, rows + 1, documents))
    confidence = 1 - 0.6 * rng.random(len(document)) ** 1.5
    together = rng.random(documents)[document]
    alone = rng.random(len(document))
    luck = np.where(rng.random(documents)[document] < dependence, together, alone)
    return Calibration(
        confidence=confidence.astype(np.float32),
        predicted=rng.choice(3, len(document), p=SHARES).astype(np.int32),
        correct=luck >= error(confidence),
        document=document.astype(np.int32),
    )


def limits_of(calibration, rate):
    """Return the thresholds of a rate; those that nothing reaches if no class supports it."""
    try:
        return thresholds(calibration, rate)
    except DataError:
        return NOTHING


QUANTILES = 1 - 0.6 * ((np.arange(20_000) + 0.5) / 20_000) ** 1.5
"""Confidence of the simulated populations, in equal steps of probability."""


def true_error(error, threshold):
    answered = QUANTILES[threshold <= QUANTILES]
    return error(answered).mean() if len(answered) else 0.0


def share_given(limits):
    return sum(s * (limit <= QUANTILES).mean() for s, limit in zip(SHARES, limits, strict=True))


def outcomes(seed, error, rate, **population):
    """Per calibration set: whether the error of any class is above the rate, and share given."""
    rng = np.random.default_rng(seed)
    at = {threshold: true_error(error, threshold) for threshold in (*GRID, NEVER)}
    broken, shares = [], []
    for _ in range(DRAWS):
        limits = limits_of(draw(rng, error, **population), rate)
        broken.append(max(at[limit] for limit in limits) > rate)
        shares.append(share_given(limits))
    return np.mean(broken), np.mean(shares)


EXCHANGEABLE = {"rows": 1, "documents": 1200}
GROUPED = {"rows": 8, "dependence": 0.95, "documents": 500}


@pytest.mark.endurance
@pytest.mark.parametrize("population", [EXCHANGEABLE, GROUPED], ids=["exchangeable", "grouped"])
@pytest.mark.parametrize(
    ("error", "rate"), [(honest, 0.15), (lambda confidence: 1.1 - confidence, 0.25)]
)
def test_the_rate_holds_in_nine_of_ten_calibrations_and_is_made_use_of(error, rate, population):
    broken, share = outcomes(3, error, rate, **population)
    assert broken <= 0.1 + SLACK
    best = min(t for t in GRID if true_error(error, t) <= rate)
    assert share >= 0.4 * share_given((best,) * 3)


@pytest.mark.endurance
def test_the_rate_holds_where_every_threshold_is_just_above_it():
    broken, _ = outcomes(4, lambda c: np.full_like(c, 0.2001), 0.2, **GROUPED)
    assert 0.001 <= broken <= 0.1 + SLACK


def test_rows_of_one_document_taken_for_independent_would_break_the_rate():
    rng = np.random.default_rng(4)
    broken = 0
    for _ in range(100):
        found = draw(rng, lambda c: np.full_like(c, 0.2001), rows=30, dependence=1, documents=150)
        apart = np.arange(len(found.document), dtype=np.int32)
        for number, calibration in enumerate((found, dataclasses.replace(found, document=apart))):
            if limits_of(calibration, 0.2) != NOTHING:
                broken += number or 1j
    assert broken.real / 100 > 0.15
    assert broken.imag / 100 <= 0.1


# --- Thresholds ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def calibration():
    return draw(np.random.default_rng(1), honest, rows=4, dependence=0.9)


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 0.99), st.floats(0.01, 0.99))
@settings(max_examples=100, deadline=None)
def test_a_larger_rate_gives_no_fewer_answers(seed, one, other):
    found = draw(np.random.default_rng(seed), honest, rows=3, dependence=0.5, documents=200)
    limits = [limits_of(found, rate) for rate in sorted((one, other))]
    assert all(loose <= strict for strict, loose in zip(*limits, strict=True))


# --- Refusals ------------------------------------------------------------------------------------


def test_a_rate_that_no_class_supports_is_refused():
    with pytest.raises(DataError, match=r"^--abstain 0.5: .* does not support this rate"):
        thresholds(small_model().calibration, 0.5)  # which is empty
    assert thresholds(small_model().calibration, None) == ()


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_a_rate_is_a_share(calibration, rate):
    with pytest.raises(UsageError, match="between 0 and 1"):
        thresholds(calibration, rate)


# --- The model's file ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def calibrated(calibration):
    return dataclasses.replace(small_model(), calibration=calibration)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("confidence", np.float32("nan"), "not a usable number"),
        ("confidence", np.float32(1.5), "not between 0 and 1"),
        ("predicted", 3, "not between 0 and 2"),
        ("predicted", -1, "not between 0 and 2"),
        ("correct", 2, "not between 0 and 1"),
        ("document", -1, "not between 0 and"),
    ],
)
def test_value_out_of_range_is_refused(tmp_path, calibrated, name, value, reason):
    array = getattr(calibrated.calibration, name).copy()
    array = array.astype(np.int32) if array.dtype == bool else array
    array[3] = value
    data = spoiled(dump_model(calibrated), {f"calibration/{name}.npy": npy(array)})
    refused(tmp_path, data, reason)


# --- End to end ----------------------------------------------------------------------------------

RATE = 0.5


@pytest.fixture(scope="module")
def source(corpus, tmp_path_factory) -> Path:
    rows = [{"text": text} for text in ("NATO qwxzj.", *corpus.texts)]
    return write_rows(tmp_path_factory.mktemp("abstain") / "in.csv", rows)


def answered(model, source, target, **options):
    done = predict(model, source, target, size=300, **options)
    return done, read_rows(target)


def test_every_printed_answer_reaches_the_threshold_of_its_class(model, source, tmp_path):
    _, before = answered(model, source, tmp_path / "all.csv")
    done, after = answered(model, source, tmp_path / "some.csv", abstain=RATE)
    limits = dict(zip(map(str, Stance), thresholds(model.calibration, RATE), strict=True))
    withheld = 0
    for all_, some in zip(before, after, strict=True):
        if all_["actor"] and all_["stance"] != UNCERTAIN:
            reached = float(all_[f"stance_{all_['stance']}"]) >= limits[all_["stance"]]
            assert some["stance"] == (all_["stance"] if reached else UNCERTAIN)
            withheld += not reached
        some.pop("never_answered", None)
        assert some | {"stance": all_["stance"]} == all_  # nothing else changes
    assert 0 < withheld < sum(done.tally.answers.values())
    note = f"--abstain 0.5: {withheld:,} of {sum(done.tally.answers.values()):,} answers withheld"
    assert [one for one in done.notes if one.startswith(note)]


def test_it_is_calibrated_on_rows_drawn_at_random_that_are_answered(corpus):
    absent = np.arange(len(corpus)) % 5 == 0
    actors = tuple(
        "Zorblax" if away else actor for actor, away in zip(corpus.actors, absent, strict=True)
    )
    random = np.arange(len(corpus)) % 2 == 0
    extra = {**corpus.extra, "drawn": tuple("random" if each else "by hand" for each in random)}
    chosen = dataclasses.replace(corpus, actors=actors, extra=extra)
    training = train(quick_recipe(), chosen, ActorBook.default())
    kept = training.model.calibration
    confidence = training.stance.probabilities.max(axis=1).astype(np.float32)
    assert sorted(kept.confidence) == sorted(confidence[~absent & random])
    scores, labels = training.stance.scores[random], corpus.stance[random]
    assert training.model.stance.temperature == fit_temperature(scores, labels)
    assert training.report["uncertain"] == pytest.approx(absent.mean(), abs=1e-6)


def test_a_class_that_is_never_answered_is_named(model, source, tmp_path):
    rates = np.arange(0.05, 1, 0.02).tolist()
    rate = next(rate for rate in rates if limits_of(model.calibration, rate) != NOTHING)
    limits = thresholds(model.calibration, rate)
    assert NEVER in limits
    done, rows = answered(model, source, tmp_path / "out.csv", abstain=rate)
    _, wide = answered(model, source, tmp_path / "wide.csv", abstain=rate, wide=True)
    never = " ".join(s for s, limit in zip(Stance, limits, strict=True) if limit == NEVER)
    assert {row["never_answered"] for row in rows + wide} == {never}
    for label, limit in zip(Stance, limits, strict=True):
        named = any(f"{label} is never answered" in note for note in done.warnings)
        assert named == (limit == NEVER)
        assert any(row["stance"] == label for row in rows) == (limit < NEVER)


def test_a_refused_run_writes_nothing(model, source, tmp_path):
    with pytest.raises(DataError, match="does not support this rate"):
        answered(model, source, tmp_path / "out.csv", abstain=0.001)
    assert list(tmp_path.iterdir()) == []
