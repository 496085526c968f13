import pytest
from hypothesis import given
from hypothesis import strategies as st

from stance.batch import lines as module
from stance.batch.lines import Lines

BEGUN = st.lists(
    st.tuples(st.binary(max_size=9), st.lists(st.binary(max_size=5), min_size=1, max_size=3)),
    min_size=1,
)
"""What rows begin with, and how each of them ends."""


def line(ending):
    return ending.replace(b"\n", b"").replace(b"\r", b"") + b"\n"


@given(BEGUN)
def test_lines_are_each_beginning_with_each_of_its_ends(begun):
    ends = [line(end) for _, own in begun for end in own]
    found = Lines([start for start, _ in begun], [len(own) for _, own in begun], b"".join(ends))
    rows = b"".join(start + line(end) for start, own in begun for end in own)
    assert b"".join(found.blocks()) == rows
    assert Lines.unpack(found.pack()) == found


@given(st.binary())
def test_rows_of_which_nothing_is_known_come_back_as_they_are(rows):
    found = Lines.whole(rows)
    assert b"".join(found.blocks()) == rows
    assert Lines.unpack(found.pack()) == found


@pytest.mark.parametrize("limit", [1, 40, 100, 10_000])
def test_no_block_is_longer_than_the_limit_unless_a_piece_is(monkeypatch, limit):
    monkeypatch.setattr(module, "BLOCK", limit)
    found = Lines([b"a" * 30, b"b" * 30], [5, 5], b"end\n" * 10)
    blocks = list(found.blocks())
    assert b"".join(blocks) == (b"a" * 30 + b"end\n") * 5 + (b"b" * 30 + b"end\n") * 5
    assert all(0 < len(block) <= max(limit, 30) for block in blocks)
