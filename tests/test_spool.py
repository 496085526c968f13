"""Long columns on disk come back as they were, and a full disk is told in one line."""

import errno

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stance.check._spool import Numbers, Strings
from stance.errors import OutputError


@given(st.lists(st.text(st.characters(), max_size=20), max_size=20), st.randoms())
def test_strings_are_read_in_any_order(texts, draw):
    with Strings() as kept:
        for text in texts:
            kept.add(text)
        order = list(range(len(texts)))
        draw.shuffle(order)
        assert [kept[at] for at in order] == [texts[at] for at in order]
        assert len(kept) == len(texts)


def test_numbers_are_read_at_once():
    with Numbers(np.uint64) as kept:
        kept.add([1, 2])
        kept.add(np.array([2**64 - 1], np.uint64))
        assert kept.read().tolist() == kept.read().tolist() == [1, 2, 2**64 - 1]


def test_a_full_disk_is_told_in_one_line(monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    with pytest.raises(OutputError, match="the disk is full; make room and run again"):
        Strings()
