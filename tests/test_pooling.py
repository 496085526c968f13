"""Pooling shows a difference where there is one, and seldom where there is none."""

import numpy as np
import pytest

from stance.evaluation.intervals import estimate_shares
from stance.findings.pooling import FEWEST_POOLED, pool_groups, pool_map

ALIKE = (0.2, 0.7, 0.1)


def draw(rng, groups, truth=ALIKE, documents=60, alike=4.0):
    """Draw the answers of documents that are alike, by group, document and label."""
    sizes = 1 + rng.poisson(1.5, (groups, documents))
    own = rng.dirichlet(np.array(truth) * alike, (groups, documents))
    return np.stack(
        [
            [rng.multinomial(n, p) for n, p in zip(*each, strict=True)]
            for each in zip(sizes, own, strict=True)
        ]
    )


def test_groups_at_random_seldom_stand_apart():
    rng, maps, shown = np.random.default_rng(8), 40, 0
    for _ in range(maps):
        counts = np.stack([draw(rng, 6) for _ in range(3)])
        shown += any(each.apart.any() for each in pool_map(counts))
    assert shown <= 4  # of 40 with 5 % each: more in one run of 20


def test_a_group_that_differs_stands_apart_and_is_drawn_toward_the_mean():
    rng = np.random.default_rng(8)
    counts = draw(rng, 6)
    counts[2] = draw(rng, 1, (0.8, 0.1, 0.1))[0]
    (found,) = pool_map(counts[None])
    assert found.apart[2]
    assert not found.apart.all()
    own = estimate_shares(counts[2]).net
    assert own < found.net[2] < found.mean
    assert found.low[2] < found.net[2] < found.high[2] < found.mean


def test_where_groups_are_alike_they_all_lie_at_the_mean():
    counts = np.tile(np.array([[3, 10, 2]]), (4, 40, 1))
    found = pool_groups(counts)
    assert found.net == pytest.approx(np.full(4, found.mean))
    assert found.p == pytest.approx(1)


def test_groups_of_few_answers_have_no_value_and_lend_none():
    rng = np.random.default_rng(3)
    counts = draw(rng, 4)
    few = np.zeros_like(counts[:1])
    few[0, :3, 0] = 3
    assert few.sum() < FEWEST_POOLED
    found = pool_groups(np.concatenate([counts, few]))
    assert np.isnan(found.net[4])
    assert not found.apart[4]
    assert found.mean == pytest.approx(pool_groups(counts).mean)
    assert pool_groups(np.concatenate([counts[:1], few])) is None


def test_a_group_whose_few_answers_are_all_alike_does_not_seem_certain():
    rng = np.random.default_rng(3)
    counts = draw(rng, 5)
    counts[4] = 0
    counts[4, :12, 1] = 1  # twelve neutral answers
    found = pool_groups(counts)
    assert not found.apart[4]
