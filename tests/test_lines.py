import pytest
from hypothesis import given
from hypothesis import strategies as st

from stance.errors import DataError
from stance.runs import rows as module
from stance.runs.rows import Lines

CELL = st.text(st.sampled_from('aé北,;"\n'), max_size=4)
BEGUN = st.lists(
    st.tuples(CELL, CELL, st.lists(st.binary(max_size=5), min_size=1, max_size=3)), min_size=1
)
"""Two cells with which rows begin, and how each of them ends."""


def line(ending):
    return ending.replace(b"\n", b"").replace(b"\r", b"") + b"\n"


def quoted(cell):
    return '"' + cell.replace('"', '""') + '"' if {*cell} & {*',"\n'} else cell


@given(BEGUN)
def test_rows_are_each_head_with_each_of_its_ends(begun):
    first, second, ends = zip(*begun, strict=True)
    whole = b"".join(line(end) for own in ends for end in own)
    found = Lines(whole, [len(own) for own in ends])
    rows = b"".join(
        f"{quoted(a)},{quoted(b)},".encode() + line(end) for a, b, own in begun for end in own
    )
    assert b"".join(found.blocks([first, second], ",")) == rows
    assert Lines.unpack(found.pack()) == found


@given(st.binary())
def test_rows_of_which_nothing_is_known_come_back_as_they_are(rows):
    found = Lines(rows)
    assert b"".join(found.blocks([["any"]], ",")) == rows
    assert Lines.unpack(found.pack()) == found


@pytest.mark.parametrize("limit", [1, 40, 100, 10_000])
def test_no_block_is_longer_than_the_limit_unless_a_piece_is(monkeypatch, limit):
    monkeypatch.setattr(module, "BLOCK", limit)
    heads = [["a" * 29, "b" * 29]]
    blocks = list(Lines(b"end\n" * 10, [5, 5]).blocks(heads, ","))
    rows = [(letter * 29 + ",end\n").encode() for letter in "ab"]
    assert b"".join(blocks) == rows[0] * 5 + rows[1] * 5
    assert all(0 < len(block) <= max(limit, 30) for block in blocks)


def test_half_a_character_is_no_text():
    with pytest.raises(DataError, match="half a character"):
        list(Lines(b"end\n", [1]).blocks([["\ud800"]], ","))
