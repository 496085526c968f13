"""Scales hold what they show, and no more than they must."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stance.reports._scales import net_axis, score_axis, share_axis

SHARES = st.floats(0, 1)


@given(SHARES)
def test_a_scale_of_shares_holds_the_highest(share):
    axis = share_axis(share)
    assert axis.low == 0
    assert axis.high >= share
    assert axis.ticks[-1][0] == axis.high


@given(st.lists(SHARES, min_size=1))
def test_a_scale_of_scores_holds_them_all(scores):
    axis = score_axis(scores)
    assert 0 <= axis.low <= min(scores)
    assert max(scores) <= axis.high <= 1
    assert axis.high - axis.low >= 0.2 - 1e-9
    assert axis.ticks[-1][0] == axis.high


@given(st.lists(st.floats(-1, 1), min_size=1), st.integers(4, 6))
def test_a_scale_of_net_stances_holds_them_all_and_zero(nets, most):
    axis = net_axis(nets, most)
    assert axis.low - 1e-9 <= min(0, *nets)
    assert max(0, *nets) <= axis.high + 1e-9
    ticks = [at for at, _ in axis.ticks]
    assert 0 in ticks
    assert (ticks[0], ticks[-1]) == (axis.low, axis.high)
    assert len(ticks) <= most + 1
    step = ticks[1] - ticks[0]  # no more room than a step on either side
    assert min(0, *nets) < ticks[0] + step + 1e-9
    assert max(0, *nets) > ticks[-1] - step - 1e-9


@pytest.mark.parametrize(
    ("axis", "words"),
    [
        (share_axis(0.15), ["0", "5", "10", "15 %"]),
        (share_axis(0.53), ["0", "20", "40", "60 %"]),
        (share_axis(), ["0", "25", "50", "75", "100 %"]),
        (net_axis([0.1, -0.55]), ["−60", "−40", "−20", "0", "+20"]),
        (net_axis([-0.1], 4), ["−10", "−5", "0"]),
        (net_axis([1.0, -1.0], 4), ["−100", "−50", "0", "+50", "+100"]),
        (net_axis([0.0]), ["0", "+1"]),
        (score_axis([0.98, 1.0]), ["80", "90", "100 %"]),
        (score_axis([0.05, 0.72]), ["0", "20", "40", "60", "80 %"]),
    ],
)
def test_ticks_stand_at_round_numbers(axis, words):
    assert [text for _, text in axis.ticks] == words
