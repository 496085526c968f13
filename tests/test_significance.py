"""Tests of a difference are exact, and rows of one document do not fool the one that is first."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from stance.evaluation.significance import document_test, holm, mcnemar

rights = st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 8)), max_size=40)


def columns(rows):
    first, second, document = np.array(rows, np.int64).reshape(-1, 3).T
    return first.astype(bool), second.astype(bool), document


@given(rights)
def test_mcnemar_equals_the_exact_binomial_test(rows):
    first, second, _ = columns(rows)
    only = (first & ~second).sum(), (second & ~first).sum()
    expected = stats.binomtest(only[0], sum(only)).pvalue if sum(only) else 1.0
    assert mcnemar(first, second) == pytest.approx(expected)


@given(rights)
def test_the_document_test_equals_all_ways_of_giving_signs(rows):
    first, second, document = columns(rows)
    surplus = [
        int(first[document == name].sum()) - int(second[document == name].sum())
        for name in np.unique(document)
    ]
    sums = [
        sum(sign * size for sign, size in zip(signs, surplus, strict=True))
        for signs in product((-1, 1), repeat=len(surplus))
    ]
    expected = np.mean([abs(each) >= abs(sum(surplus)) for each in sums])
    assert document_test(first, second, document) == pytest.approx(expected)


@given(rights)
def test_where_every_row_is_a_document_both_tests_agree(rows):
    first, second, _ = columns(rows)
    alone = document_test(first, second, np.arange(len(first)))
    assert alone == pytest.approx(mcnemar(first, second))


def study(rng, documents=80):
    """Right rows of two equally good models; each has its own good and bad documents."""
    document = np.repeat(np.arange(documents), rng.integers(1, 9, documents))
    skill = rng.beta(1, 1, (2, documents))[:, document]
    first, second = rng.random((2, len(document))) < skill
    return first, second, document


def test_many_documents_give_the_p_of_obuchowski():
    rng = np.random.default_rng(1)
    for _ in range(20):
        first, second, document = study(rng, 400)
        difference = np.bincount(document, first.astype(float) - second)
        size = len(difference)
        squared = (size - 1) / size * difference.sum() ** 2 / (difference**2).sum()
        expected = stats.chi2.sf(squared, 1)
        assert document_test(first, second, document) == pytest.approx(expected, abs=0.02)


def test_of_equal_models_one_in_twenty_is_found_to_differ_and_by_rows_far_more():
    rng = np.random.default_rng(2)
    p = np.array(
        [(document_test(*each), mcnemar(*each[:2])) for each in (study(rng) for _ in range(500))]
    )
    by_document, by_row = (p <= 0.05).mean(axis=0)
    assert 0.03 <= by_document <= 0.065
    assert by_row > 0.12


def test_holm_worked_example():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_raises_keeps_the_order_and_stays_below_bonferroni(values):
    adjusted = holm(values)
    for p, q in zip(values, adjusted, strict=True):
        assert p <= q <= min(1.0, p * len(values)) + 1e-12
    order = np.argsort(values, kind="stable")
    assert (np.diff(np.array(adjusted)[order]) >= 0).all()
