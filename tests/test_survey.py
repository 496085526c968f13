"""Names, dates and documents of a table are counted so that shares and their intervals hold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stance.evaluation.intervals import estimate_shares, wilson
from stance.findings.survey import Frequent, bounded
from stance.findings.tally import CLUSTERS

DRAWS = 1000
COUNTS = st.lists(st.tuples(*[st.integers(0, 9)] * 3), min_size=1, max_size=30)


def covered(documents, alike, truth, *, independent=False):
    """Draw tables of answers; return how often each interval holds its true value."""
    rng = np.random.Generator(np.random.PCG64(4))
    hits = np.zeros(4)
    for _ in range(DRAWS):
        sizes = np.ones(documents, int) if independent else 1 + rng.poisson(3, documents)
        own = np.tile(truth, (documents, 1)) if alike is None else rng.dirichlet(
            np.array(truth) * alike, documents)  # fmt: skip
        found = estimate_shares(rng.multinomial(sizes, own), independent=independent)
        goals = [*truth, truth[2] - truth[0]]
        ends = [*found.intervals, found.net_interval]
        hits += [low <= goal <= high for goal, (low, high) in zip(goals, ends, strict=True)]
    return hits / DRAWS


@pytest.mark.parametrize("documents", [100, 300])
@pytest.mark.parametrize("alike", [1, 4])
def test_intervals_cover_where_answers_of_a_document_are_alike(documents, alike):
    assert covered(documents, alike, (0.3, 0.5, 0.2)) == pytest.approx(0.95, abs=0.02)


def test_intervals_cover_where_answers_are_independent():
    found = covered(200, None, (0.3, 0.5, 0.2), independent=True)
    assert found == pytest.approx(0.95, abs=0.02)


def test_intervals_cover_where_documents_of_unequal_length_share_groups():
    rng = np.random.Generator(np.random.PCG64(6))
    truth, hits = np.array((0.3, 0.5, 0.2)), np.zeros(4)
    for _ in range(300):
        sizes = np.ceil(rng.pareto(1.5, 3000)).astype(int)
        answers = rng.multinomial(sizes, rng.dirichlet(truth * 3, 3000))
        groups = np.zeros((CLUSTERS, 3), np.int64)
        np.add.at(groups, rng.integers(CLUSTERS, size=3000), answers)
        found = estimate_shares(groups)
        ends = [*found.intervals, found.net_interval]
        goals = [*truth, truth[2] - truth[0]]
        hits += [low <= goal <= high for goal, (low, high) in zip(goals, ends, strict=True)]
    assert (hits / 300 > 0.92).all()


def test_few_documents_make_intervals_wider_rather_than_wrong():
    assert (covered(10, 1, (0.3, 0.5, 0.2)) > 0.93).all()


def test_plain_wilson_would_be_too_narrow_where_answers_of_a_document_are_alike():
    rng = np.random.Generator(np.random.PCG64(4))
    hits = 0
    for _ in range(DRAWS):
        own = rng.dirichlet((0.3, 0.5, 0.2), 100)
        counts = rng.multinomial(1 + rng.poisson(3, 100), own)
        low, high = estimate_shares(counts, independent=True).intervals[0]
        hits += low <= 0.3 <= high
    assert hits / DRAWS < 0.85


@given(COUNTS, st.booleans())
def test_intervals_hold_their_shares_and_stay_in_range(counts, independent):
    counts = np.array(counts)
    found = estimate_shares(counts, independent=independent)
    assert found.n == counts.sum()
    for share, (low, high) in zip(found.shares, found.intervals, strict=True):
        assert 0 <= low <= share + 1e-12
        assert share - 1e-12 <= high <= 1
    low, high = found.net_interval
    assert -1 <= low <= found.net + 1e-12
    assert found.net - 1e-12 <= high <= 1
    assert found.design_effect >= 1


@given(COUNTS)
def test_shares_do_not_depend_on_the_order_of_documents(counts):
    one, other = (estimate_shares(np.array(each)) for each in (counts, counts[::-1]))
    assert one.shares == other.shares
    assert np.allclose(one.intervals, other.intervals)


def test_one_document_says_nothing_of_others():
    found = estimate_shares(np.array([[3, 5, 2]]))
    assert found.shares == (0.3, 0.5, 0.2)
    assert set(found.intervals) == {(0.0, 1.0)}
    assert found.net_interval == (-1.0, 1.0)


def test_wilson_is_that_of_the_textbook():
    """Newcombe 1998, "Two-sided Confidence Intervals for the Single Proportion", table I."""
    assert wilson(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0, 0.1611), abs=5e-5)


# --- Names and dates ---


@given(st.lists(st.sampled_from("abcdefghijklmnopqrstuvwxyz"), max_size=400), st.integers(1, 6))
def test_frequent_names_are_kept_and_never_counted_too_high(names, capacity):
    found = Frequent(capacity)
    for low in range(0, len(names), 5):
        found.add(names[low : low + 5])
    assert len(found.counts) <= 2 * capacity
    for name in set(names):
        true = names.count(name)
        assert found.counts[name] <= true <= found.counts[name] + found.lost
        assert name in found.counts or true <= found.lost
    assert found.lost <= len(names) / (capacity + 1)


def test_names_too_long_are_told_apart_by_a_hash():
    one, other = bounded("x" * 500 + "a"), bounded("x" * 500 + "b")
    assert one != other
    assert len(one) < 130
    assert bounded("x" * 120) == "x" * 120
