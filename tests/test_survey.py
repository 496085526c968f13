"""Names, dates and documents of a table are counted so that shares and their intervals hold."""

from hypothesis import given
from hypothesis import strategies as st

from stance.findings.survey import Frequent, bounded


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
