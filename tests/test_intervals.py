"""95 % intervals hold the truth in 95 % of studies, of shares, scores and gains alike."""

import numpy as np
import pytest
from archives import simulation
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from stance.evaluation.intervals import (
    estimate_shares,
    net_interval,
    right_shares,
    score_interval,
    spread,
    t_interval,
    wilson,
)
from stance.evaluation.scores import accuracy, f1_scores, macro_f1, macro_f1_gain

STUDIES, COVERS = 1000, (0.93, 0.975)
COUNTS = st.lists(st.tuples(*[st.integers(0, 9)] * 3), min_size=1, max_size=30)

# --- Scores ---


@pytest.fixture(scope="module")
def populations():
    """Per document of each population: confusion matrices of two models, paired."""
    rng = np.random.default_rng(11)
    return {kind: simulation.draw_confusions(rng, kind) for kind in ("usual", "uneven", "long")}


def f1_of_the_rarest(counts):
    return f1_scores(counts)[..., 2]


@pytest.mark.parametrize(
    ("score", "kind", "documents"),
    [
        *((macro_f1, "usual", documents) for documents in (12, 40, 200)),
        *((accuracy, "usual", documents) for documents in (12, 40)),
        *((macro_f1, "uneven", documents) for documents in (60, 150)),
        *((score, "long", 40) for score in (macro_f1, accuracy)),
        *((f1_of_the_rarest, *kind) for kind in (("usual", 40), ("uneven", 150))),
        *((macro_f1_gain, "usual", documents) for documents in (15, 150)),
    ],
)
def test_intervals_cover_the_true_score_as_often_as_they_say(populations, score, kind, documents):
    """Studies in which a label stands in fewer than 5 documents are told that it is too few."""
    rng, held, studies = np.random.default_rng(12), 0, 0
    drawn_from = populations[kind]
    true, gain = score(drawn_from.sum(axis=0)), np.ndim(score(drawn_from[0])) == 0
    if not gain:
        drawn_from, true = drawn_from[:, 0], true[0]
    while studies < STUDIES:
        study = drawn_from[rng.integers(len(drawn_from), size=documents)]
        if kind == "uneven" and (study.sum(axis=2) > 0).sum(axis=0).min() < 5:
            continue
        low, high = t_interval(score, study) if gain else score_interval(score, study)
        held, studies = held + (low <= true <= high), studies + 1
    assert COVERS[0] - 0.005 <= held / STUDIES <= COVERS[1]


def test_a_mean_has_the_variance_of_a_mean_and_documents_that_are_alike_tell_nothing():
    rng = np.random.default_rng(3)
    counts = np.stack([values := rng.normal(size=50), np.ones(50)], axis=1)
    mean, variance, _ = spread(lambda total: total[..., 0] / total[..., 1], counts)
    assert (mean, variance) == pytest.approx((values.mean(), values.var(ddof=1) / 50))
    alike = np.tile(np.eye(3, 4) * 2, (30, 1, 1))
    low, high = score_interval(macro_f1, alike)  # all are right, which is not exact
    assert (low, high) == (pytest.approx(wilson(1.0, 30, 29)[0]), 1.0)
    assert score_interval(macro_f1, alike[:1]) == (0.0, 1.0)
    assert t_interval(macro_f1_gain, np.stack([alike, alike], axis=1)) == (0.0, 0.0)


# --- Shares ---


def interval_of(right, document):
    return right_shares(right, document).interval(1)


def test_proportions_of_independent_rows_have_the_interval_of_wilson():
    right = np.arange(300) % 3 > 0
    expected = stats.binomtest(200, 300).proportion_ci(method="wilson")
    assert interval_of(right, np.arange(300)) == pytest.approx(expected, abs=2e-3)
    assert wilson(0.1, 50) == pytest.approx(
        stats.binomtest(5, 50).proportion_ci(method="wilson")[:2], abs=1e-9
    )


def test_rows_that_only_repeat_their_document_add_nothing():
    right = np.arange(40) % 4 > 0
    once = interval_of(right, np.arange(40))
    assert interval_of(np.repeat(right, 7), np.repeat(np.arange(40), 7)) == once
    sure = interval_of(np.ones(80, np.bool_), np.repeat(np.arange(8), 10))
    assert sure == interval_of(np.ones(8, np.bool_), np.arange(8))
    assert sure[0] < 0.7
    assert interval_of(right, np.zeros(40)) == (0, 1)


@given(COUNTS, st.randoms())
def test_intervals_hold_their_shares_in_any_order_of_documents(counts, random):
    found = estimate_shares(np.array(counts))
    for quantity, share in enumerate(found.shares):
        low, high = found.interval(quantity)
        assert 0 <= low <= share + 1e-9
        assert share - 1e-9 <= high <= 1
    low, high = found.interval(3)
    assert -1 <= low <= found.net + 1e-9
    assert found.net - 1e-9 <= high <= 1
    random.shuffle(counts)
    again = estimate_shares(np.array(counts))
    assert again.interval(3) == pytest.approx(found.interval(3))


def hold(seed, kind, truth, alike, studies):
    """Return how often intervals of simulated studies hold share and net, and if most can tell."""
    sizes = dict(simulation.documents())[kind]
    return simulation.hold_counted(np.random.default_rng(seed), sizes, truth, alike, studies)


@pytest.mark.parametrize(
    ("kind", "truth", "alike"),
    [
        ("50 of 5", (0.4, 0.3, 0.3), 0.4),
        ("300 of 3", (0.1, 0.8, 0.1), 0.05),
        ("100, log-normal", (0.02, 0.95, 0.03), 0.4),
        ("100, Pareto", (0.02, 0.95, 0.03), 0.4),
        ("100, Pareto", (0.6, 0.2, 0.2), 0.05),
    ],
)
def test_intervals_of_shares_cover_documents_of_any_length(kind, truth, alike):
    share, net, trusted = hold(6, kind, truth, alike, 400)
    assert trusted
    assert 0.93 <= share <= 0.99
    assert net >= 0.93


@pytest.mark.parametrize("kind", ["10 of 10", "100, 20 of 1", "200, 100, 50, 100 of 3"])
@pytest.mark.parametrize("alike", [0.05, 1 / 6, 0.4])
def test_intervals_of_shares_are_wide_where_few_documents_outweigh_all(kind, alike):
    share, net, trusted = hold(7, kind, (0.4, 0.3, 0.3), alike, 300)
    assert not trusted
    assert min(share, net) >= 0.95 - 0.02  # of 300


def test_shares_without_documents_enough_say_nothing():
    for counts in (np.zeros((0, 3), int), np.zeros((4, 3), int), np.array([[5, 0, 9]])):
        found = estimate_shares(counts)
        assert [found.interval(n) for n in range(4)] == [(0.0, 1.0)] * 3 + [(-1.0, 1.0)]
        assert not found.trusted


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 1.0])
def test_the_net_of_two_classes_or_of_one_has_the_interval_of_its_share(share):
    low, high = wilson(share, 40, 9)
    both = net_interval(1 - share, share, 40, 9)
    assert both == pytest.approx((2 * low - 1, 2 * high - 1))
    low, high = wilson(0, 40, 9)
    assert net_interval(0, 0, 40, 9) == pytest.approx((-high, high))
    low, high = net_interval(0.1, share * 0.9, 40, 9)
    assert net_interval(share * 0.9, 0.1, 40, 9) == pytest.approx((-high, -low))
