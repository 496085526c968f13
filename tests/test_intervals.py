"""Intervals are what their formulas say, and cover the true score as often as they promise."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from stance.evaluation import bootstrap
from stance.evaluation.answers import accuracy, document_confusion, f1_scores, macro_f1
from stance.evaluation.bootstrap import gain_in, interval, resample
from stance.evaluation.intervals import estimate_shares, net_interval, proportion_interval, wilson
from stance.evaluation.scores import rare_strata


def counts_of(documents, seed=0):
    """Confusion matrices of some documents."""
    return np.random.default_rng(seed).integers(5, size=(documents, 3, 3)).astype(float)


# --- Resamples ---


def slow_resamples(counts, draws, seed, strata):
    """Draw documents one at a time, with the same random numbers."""
    rng = np.random.Generator(np.random.PCG64(seed))
    total = np.zeros((draws, *counts.shape[1:]))
    for number in sorted(set(strata)):
        rows = [i for i, other in enumerate(strata) if other == number]
        for draw in range(draws):
            for pick in rng.integers(len(rows), size=len(rows) - 1):
                total[draw] += counts[rows[pick]] * len(rows) / (len(rows) - 1)
    return total


@pytest.mark.parametrize("strata", [np.zeros(12, int), np.arange(12) % 3], ids=["one", "three"])
def test_resamples_equal_a_plain_loop(strata):
    counts = counts_of(12)
    assert resample(counts, 9, 4, strata) == pytest.approx(slow_resamples(counts, 9, 4, strata))


def test_without_strata_all_documents_are_one():
    counts = counts_of(12)
    assert (resample(counts, 9, 4) == resample(counts, 9, 4, np.zeros(12, int))).all()


def test_resamples_do_not_depend_on_how_they_are_cut_into_chunks(monkeypatch):
    counts, strata = counts_of(37), np.arange(37) % 2
    whole = resample(counts, 101, 4, strata)
    monkeypatch.setattr(bootstrap, "CELLS", 37 * 4)
    assert (resample(counts, 101, 4, strata) == whole).all()


@pytest.mark.parametrize("rows", [bootstrap.MANY, bootstrap.MANY - 1])
def test_documents_with_the_same_counts_may_be_drawn_together(rows):
    rng = np.random.default_rng(5)
    counts = rng.binomial(3, 0.4, (rows, 2)).astype(np.float64)
    drawn = resample(counts, 4_000, 6)
    assert drawn.sum(axis=1).std() > 0
    assert drawn.mean(axis=0) == pytest.approx(counts.sum(axis=0), rel=1e-3)
    exact = np.cov(counts.T) * rows  # of a sum of so many documents, without bias
    assert np.cov(drawn.T) == pytest.approx(exact, abs=0.1 * exact[0, 0])
    alike = drawn * (rows - 1) / rows
    assert alike == pytest.approx(alike.round(), abs=1e-6)  # whole documents are drawn


def test_documents_drawn_together_may_be_drawn_in_chunks(monkeypatch):
    counts = np.random.default_rng(5).binomial(3, 0.4, (bootstrap.MANY, 2)).astype(np.float64)
    whole = resample(counts, 101, 4)
    monkeypatch.setattr(bootstrap, "CELLS", 40)  # two or three draws of its sixteen kinds
    assert (resample(counts, 101, 4) == whole).all()


def test_every_resample_weighs_as_much_as_the_documents_and_as_each_stratum():
    strata = np.repeat([0, 2, 3], [15, 6, 2])
    total = resample(np.eye(4)[strata], 50, 1, strata)
    assert total == pytest.approx(np.tile([15, 0, 6, 2], (50, 1)))


def test_the_spread_of_resamples_is_that_of_a_mean_without_bias():
    values = np.random.default_rng(3).normal(size=(12, 1))
    drawn = resample(values, 20_000) / 12
    assert drawn.var() == pytest.approx(values.var(ddof=1) / 12, rel=0.03)


# --- Strata ---


def holding(*documents, of):
    """Confusion matrices of documents; the i-th label stands in the first so many of them."""
    counts = np.zeros((of, 3, 3))
    for label, number in enumerate(documents):
        counts[:number, label, 0] = 2
    return counts


@pytest.mark.parametrize(
    ("documents", "of", "sizes"),
    [
        ((60, 60, 60), 60, {0: 60}),
        ((60, 60, 19), 60, {0: 41, 3: 19}),
        ((60, 60, 20), 60, {0: 60}),
        ((60, 60, 5), 60, {0: 55, 3: 5}),
        ((60, 60, 4), 60, {0: 60}),  # says too little of how its documents vary
        ((60, 12, 7), 60, {0: 48, 2: 5, 3: 7}),  # a document goes by its rarest label
        ((60, 8, 7), 60, {0: 53, 3: 7}),  # and none is drawn alone
        ((11, 11, 11), 20, {0: 20}),  # more than half are not rare
        ((10, 0, 0), 20, {0: 10, 1: 10}),
    ],
)
def test_documents_with_a_rare_label_are_a_stratum(documents, of, sizes):
    strata = rare_strata(holding(*documents, of=of))
    assert {n: int(c) for n, c in enumerate(np.bincount(strata)) if c} == sizes


def test_a_single_document_without_a_rare_label_is_no_stratum():
    counts = np.zeros((11, 3, 3))
    counts[:5, 1, 0] = counts[5:10, 2, 0] = 1
    counts[10, 0, 0] = 1
    assert set(rare_strata(counts).tolist()) == {0}


def test_no_resample_lacks_a_rare_label_and_plain_ones_do():
    counts = holding(200, 200, 5, of=200)
    plain, apart = (resample(counts, 3000, 1, s) for s in (None, rare_strata(counts)))
    assert (plain[:, 2].sum(axis=1) == 0).any()
    assert (apart[:, 2].sum(axis=1) > 0).all()


# --- Formulas ---


def plain_interval(score, counts, strata, draws, seed):
    """The same interval, document by document, with scipy's distributions."""
    drawn = [score(each) for each in slow_resamples(counts, draws, seed, strata)]
    whole = counts.sum(axis=0)
    influence, spread, doubt = [], 0.0, 0.0
    for number in sorted(set(strata)):
        own = counts[np.array(strata) == number]
        size = len(own)
        others = [
            score(whole - own.sum(axis=0) + (own.sum(axis=0) - one) * size / (size - 1))
            for one in own
        ]
        mine = [(size - 1) / size * (np.mean(others) - each) for each in others]
        influence += mine
        square = sum(u * u for u in mine)
        fourth = sum((u * u - square / size) ** 2 for u in mine)
        normal = 2 * square**2 / (size - 1)
        spread += square * size / (size - 1)
        doubt += max(normal, fourth) * (size / (size - 1)) ** 2
    skew = sum(u**3 for u in influence) / (6 * sum(u * u for u in influence) ** 1.5)
    below = np.mean([(each < score(whole)) + (each == score(whole)) / 2 for each in drawn])
    bias = stats.norm.ppf(below)
    bounds = []
    for level in (0.025, 0.975):
        z = bias + stats.t.ppf(level, 2 * spread**2 / doubt)
        bounds.append(np.quantile(drawn, stats.norm.cdf(bias + z / (1 - skew * z))))
    return bounds


@pytest.mark.parametrize("strata", [np.zeros(25, int), np.arange(25) % 3], ids=["one", "three"])
@pytest.mark.parametrize("score", [accuracy, macro_f1])
def test_interval_equals_its_formula(strata, score):
    counts = counts_of(25, seed=6)
    found = interval(score, counts, draws=200, seed=8, strata=strata)
    assert found == pytest.approx(plain_interval(score, counts, strata, 200, 8), abs=1e-9)


def test_many_symmetric_documents_have_nearly_the_interval_of_a_mean():
    values = np.random.default_rng(5).normal(size=(400, 1))
    low, high = interval(lambda total: total[..., 0] / 400, values, draws=4000)
    half = 1.966 * values.std(ddof=1) / 20
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.007)


def test_one_document_claims_nothing_and_equal_documents_have_no_width():
    assert interval(macro_f1, counts_of(1)) == (0, 1)
    assert interval(macro_f1, counts_of(1), least=-1.0) == (-1, 1)
    same = np.repeat(counts_of(1), 9, axis=0)
    low, high = interval(accuracy, same)
    assert low == high == accuracy(same[0]).round(12)


def test_two_documents_have_the_widest_interval_of_their_resamples():
    counts = counts_of(2, seed=3)
    drawn = accuracy(resample(counts, 200))
    low, high = interval(accuracy, counts, draws=200)
    assert drawn.min() <= low < high <= drawn.max()


def test_proportions_of_independent_rows_have_the_interval_of_wilson():
    right = np.arange(300) % 3 > 0
    low, high = proportion_interval(right, np.arange(300))
    expected = stats.binomtest(200, 300).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx(expected, abs=2e-3)


def test_rows_that_only_repeat_their_document_add_nothing():
    right = np.arange(40) % 4 > 0
    once = proportion_interval(right, np.arange(40))
    assert proportion_interval(np.repeat(right, 7), np.repeat(np.arange(40), 7)) == once
    sure = proportion_interval(np.ones(80, np.bool_), np.repeat(np.arange(8), 10))
    assert sure == proportion_interval(np.ones(8, np.bool_), np.arange(8))
    assert sure[0] < 0.7
    assert proportion_interval(right, np.zeros(40)) is None


# --- Coverage ---

STUDIES = 1000

USUAL, UNEVEN = (0.5, 0.3, 0.2), (0.6, 0.36, 0.04)


def population(rng, sizes, shares):
    """Draw documents of these sizes, whose rows share their label and their difficulty.

    Returns gold, predicted, those of a better model, and document.
    """
    document = np.repeat(np.arange(len(sizes)), sizes)
    tone = rng.choice(3, len(sizes), p=shares)[document]
    random = rng.choice(3, (3, len(document)), p=shares)
    gold = np.where(rng.random(len(document)) < 0.7, tone, random[0])
    skill = rng.beta(1.5, 1, len(sizes))[document]
    predicted = np.where(rng.random(len(document)) < skill, gold, random[1])
    better = np.where(rng.random(len(document)) < 0.3, gold, predicted)
    return gold, predicted, better, document


@pytest.fixture(scope="module")
def populations():
    """Per document of each population: confusion matrices of two models, paired."""
    rng = np.random.default_rng(11)
    kinds = {
        "usual": (rng.integers(1, 16, 60_000), USUAL),
        "uneven": (rng.integers(1, 7, 60_000), UNEVEN),
        "long": (np.ceil(rng.lognormal(1, 1, 60_000)).astype(int), USUAL),  # few outweigh many
    }
    found = {}
    for name, kind in kinds.items():
        gold, *both, document = population(rng, *kind)
        pair = [document_confusion(gold, predicted, document, 3) for predicted in both]
        found[name] = np.stack(pair, axis=1)
    return found


def missed(score, population, documents, *, least=0, strata=None):
    """Return the shares of studies whose interval lies above, and below, the true score.

    Where strata are asked for, only studies count in which every label stands in ``least``
    documents: the others are told that their interval cannot be trusted.
    """
    rng = np.random.default_rng(12)
    true = score(population.sum(axis=0))
    if strata is None:  # all studies share the draws, and are computed at once
        study = population[rng.integers(len(population), size=(documents, STUDIES))]
        parts = np.split(study, 10, axis=1)
        bounds = [interval(score, part, draws=500) for part in parts]
        low, high = (np.concatenate(side) for side in zip(*bounds, strict=True))
        return (low > true).mean(), (high < true).mean()
    bounds = []
    while len(bounds) < STUDIES:
        study = population[rng.integers(len(population), size=documents)]
        if (study.sum(axis=2) > 0).sum(axis=0).min() >= least:
            bounds.append(interval(score, study, draws=400, strata=strata(study)))
    low, high = np.array(bounds).T
    return (low > true).mean(), (high < true).mean()


COVERS = (0.93, 0.97)


@pytest.mark.parametrize(
    ("kind", "documents"), [("usual", 12), ("usual", 40), ("usual", 200), ("long", 40)]
)
@pytest.mark.parametrize("score", [macro_f1, accuracy])
def test_intervals_cover_the_true_score_as_often_as_they_say(populations, score, kind, documents):
    low, high = missed(score, populations[kind][:, 0], documents)
    assert COVERS[0] <= 1 - low - high <= COVERS[1]


@pytest.mark.endurance
@pytest.mark.parametrize(("score", "documents"), [(macro_f1, 60), (macro_f1, 150), (accuracy, 60)])
def test_intervals_cover_where_a_label_is_rare(populations, score, documents):
    uneven = populations["uneven"][:, 0]
    low, high = missed(score, uneven, documents, least=5, strata=rare_strata)
    assert COVERS[0] <= 1 - low - high <= COVERS[1]


def f1_of_the_rarest(counts):
    return f1_scores(counts)[..., 2]


@pytest.mark.parametrize(("kind", "documents"), [("usual", 40), ("uneven", 150)])
def test_intervals_cover_the_f1_of_a_class(populations, kind, documents):
    strata = rare_strata if kind == "uneven" else None
    low, high = missed(f1_of_the_rarest, populations[kind][:, 0], documents, least=5, strata=strata)
    assert COVERS[0] <= 1 - low - high <= COVERS[1]


@pytest.mark.parametrize("documents", [15, 150])
def test_intervals_cover_the_difference_of_two_models(populations, documents):
    low, high = missed(gain_in(macro_f1), populations["usual"], documents)
    assert COVERS[0] <= 1 - low - high <= COVERS[1]


def test_intervals_of_shares_cover(populations):
    counts = populations["usual"][:, 0]
    right, rows = np.trace(counts, axis1=1, axis2=2).astype(int), counts.sum(axis=(1, 2))
    rng, true, held = np.random.default_rng(3), right.sum() / rows.sum(), 0
    for _ in range(STUDIES):
        drawn = rng.integers(len(counts), size=25)
        document = np.repeat(np.arange(25), rows[drawn].astype(int))
        place = np.arange(len(document)) - np.searchsorted(document, document)
        low, high = proportion_interval(place < right[drawn][document], document)
        held += low <= true <= high
    assert COVERS[0] <= held / STUDIES <= COVERS[1]


@pytest.fixture(scope="module")
def coverage():
    """The simulation of ``training/coverage.py``."""
    path = Path(__file__).parent.parent / "training" / "coverage.py"
    spec = spec_from_file_location("coverage_of_shares", path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("kind", "truth", "likeness"),
    [
        ("50 of 5", (0.4, 0.3, 0.3), 0.4),
        ("300 of 3", (0.1, 0.8, 0.1), 0.05),
        ("100, log-normal", (0.02, 0.95, 0.03), 0.4),
        ("100, Pareto", (0.02, 0.95, 0.03), 0.4),
        ("100, Pareto", (0.6, 0.2, 0.2), 0.05),
    ],
)
def test_intervals_of_shares_cover_documents_of_any_length(coverage, kind, truth, likeness):
    sizes = dict(coverage.documents())[kind]
    share, net, trusted = coverage.hold(np.random.default_rng(6), sizes, truth, likeness, 400)
    assert trusted
    assert 0.93 <= share <= 0.99
    assert net >= 0.93


@pytest.mark.parametrize("kind", ["10 of 10", "100, 20 of 1", "200, 100, 50, 100 of 3"])
@pytest.mark.parametrize("likeness", [0.05, 1 / 6, 0.4])
def test_intervals_of_shares_are_wide_where_few_documents_outweigh_all(coverage, kind, likeness):
    sizes = dict(coverage.documents())[kind]
    truth = (0.4, 0.3, 0.3)
    share, net, trusted = coverage.hold(np.random.default_rng(7), sizes, truth, likeness, 300)
    assert not trusted
    assert share >= 0.95 - 0.02  # of 300
    assert net >= 0.95 - 0.02


def test_shares_of_a_class_and_of_right_rows_have_the_same_interval():
    rng = np.random.default_rng(8)
    document = np.repeat(np.arange(12), rng.integers(1, 40, 12))
    right = rng.random(len(document)) < 0.3
    size, hits = np.bincount(document), np.bincount(document, right).astype(int)
    three = estimate_shares(np.stack([size - hits, np.zeros_like(size), hits], axis=1))
    assert three.intervals[2] == pytest.approx(proportion_interval(right, document))
    assert three.intervals[0] == pytest.approx([1 - b for b in reversed(three.intervals[2])])
    assert three.net == pytest.approx(2 * right.mean() - 1)
    assert (three.n, three.documents) == (len(right), 12)


def test_shares_without_documents_enough_say_nothing():
    for counts in (np.zeros((0, 3), int), np.zeros((4, 3), int), np.array([[5, 0, 9]])):
        found = estimate_shares(counts)
        assert found.intervals == ((0.0, 1.0),) * 3
        assert found.net_interval == (-1.0, 1.0)
        assert not found.trusted


def test_independent_answers_have_the_plain_interval_of_wilson():
    found = estimate_shares(np.array([[5, 0, 45]]), independent=True)
    assert found.intervals[0] == pytest.approx(wilson(0.1, 50))
    assert found.design_effect == 1
    assert found.trusted


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 1.0])
def test_the_net_of_two_classes_or_of_one_has_the_interval_of_its_share(share):
    low, high = wilson(share, 40, 9)
    both = net_interval(1 - share, share, 40, 9)
    assert both == pytest.approx((2 * low - 1, 2 * high - 1))
    low, high = wilson(0, 40, 9)
    assert net_interval(0, 0, 40, 9) == pytest.approx((-high, high))
    low, high = net_interval(0.1, share * 0.9, 40, 9)
    assert net_interval(share * 0.9, 0.1, 40, 9) == pytest.approx((-high, -low))


@pytest.mark.endurance  # of methods that nothing uses
def test_what_was_given_up_covers_too_seldom(populations):
    """Percentiles of few documents, rows in place of documents, a stratum of very few."""
    rng = np.random.default_rng(4)
    counts = populations["usual"][:, 0]
    true = macro_f1(counts.sum(axis=0))
    study = counts[rng.integers(len(counts), size=(12, STUDIES))]
    low, high = np.quantile(macro_f1(resample(study, 400) * 11 / 12), [0.025, 0.975], axis=0)
    assert ((low <= true) & (true <= high)).mean() < 0.92

    held = 0
    for _ in range(200):
        gold, predicted, _, _ = population(rng, rng.integers(1, 16, 100), USUAL)
        rows = document_confusion(gold, predicted, np.arange(len(gold)), 3)
        low, high = interval(macro_f1, rows, draws=200)
        held += low <= true <= high
    assert held / 200 < 0.85


def test_a_label_in_very_few_documents_spoils_the_interval_and_is_said_to(populations):
    uneven = populations["uneven"][:, 0]
    low, high = missed(macro_f1, uneven, 30, strata=lambda _: None)
    assert 1 - low - high < 0.93
