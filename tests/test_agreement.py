"""Agreement equals the worked examples of the papers and what a slow direct count gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stance.check import measure_agreement
from stance.corpus.rows import MISSING

LABELS = ("against", "neutral", "favor")


def alpha_of(codes, labels):
    return measure_agreement(codes, labels, np.arange(codes.shape[1]))["alpha"]["value"]


def coded(*rows):
    """Codes from strings, one per coder; a dot is a missing code."""
    letters = sorted(set("".join(rows)) - {"."})
    codes = [[MISSING if c == "." else letters.index(c) for c in row] for row in rows]
    return np.array(codes), len(letters)


@pytest.mark.parametrize(
    ("rows", "alpha"),
    [
        (("0100000010", "1110010000"), 0.095),  # section A: Meg and Owen
        (("aabbdcccedda", "babbbccceddd"), 0.692),  # section B: Ben and Gerry
        (("123321412...", "1233224125.3", ".3332342251.", "12332441251."), 0.743),  # section C
    ],
)
def test_alpha_of_krippendorff_2011(rows, alpha):
    assert alpha_of(*coded(*rows)) == pytest.approx(alpha, abs=5e-4)


def slow_alpha(codes):
    """Coincidences counted pair by pair: observed and expected disagreement."""
    units = [[c for c in unit if c != MISSING] for unit in codes.T.tolist()]
    units = [unit for unit in units if len(unit) > 1]
    every = [c for unit in units for c in unit]
    differing = sum(
        (a != b) / (len(unit) - 1)
        for unit in units
        for i, a in enumerate(unit)
        for j, b in enumerate(unit)
        if i != j
    )
    expected = sum(a != b for a in every for b in every)
    return 1 - (len(every) - 1) * differing / expected if expected else None


@st.composite
def codings(draw):
    size, coders = draw(st.integers(1, 12)), draw(st.integers(2, 4))
    cells = st.lists(st.integers(MISSING, 2), min_size=size, max_size=size)
    return np.array(draw(st.lists(cells, min_size=coders, max_size=coders)))


@given(codings())
def test_alpha_equals_a_slow_count(codes):
    assert alpha_of(codes, 3) == pytest.approx(slow_alpha(codes), abs=1e-6)


def test_one_label_only_has_no_alpha():
    found = measure_agreement(np.ones((2, 20), np.int64), 3, np.arange(20))
    assert (found["alpha"]["value"], found["percent"]["value"]) == (None, 1.0)
    assert found["alpha"] == {"value": None, "interval": None}


def random_coding(seed, units=300, right=0.8):
    rng = np.random.default_rng(seed)
    first = rng.integers(3, size=units)
    second = np.where(rng.random(units) < right, first, rng.integers(3, size=units))
    return np.stack([first, second])


def test_documents_are_resampled_not_units():
    # Every unit ten times in its document: ten times the rows tell nothing new.
    codes = random_coding(2, 60)
    once = measure_agreement(codes, 3, np.arange(60))
    tenfold = measure_agreement(np.repeat(codes, 10, axis=1), 3, np.repeat(np.arange(60), 10))
    assert tenfold["percent"] == once["percent"]
    widths = [np.ptp(figures["alpha"]["interval"]) for figures in (tenfold, once)]
    assert widths[0] == pytest.approx(widths[1], rel=0.05)


def test_few_documents_and_perfect_agreement_have_no_interval():
    codes = random_coding(3, 40)
    assert measure_agreement(codes, 3, np.arange(40) % 4)["alpha"]["interval"] is None
    assert measure_agreement(codes, 3, np.arange(40) % 5)["alpha"]["interval"] is not None
    same = measure_agreement(codes[[0, 0]], 3, np.arange(40))
    assert same["alpha"] == {"value": 1.0, "interval": None}
