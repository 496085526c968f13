"""Keys are the same everywhere, their index is a dictionary, and hashes reveal equal texts."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from test_corpus import LONG

from stance.reading.keys import (
    HASHED,
    MULTIPLIER,
    KeyIndex,
    hash_texts,
    join_keys,
    key_of,
    keys_of,
    linked_groups,
    stretch_keys,
)

INVERSE = pow(int(MULTIPLIER), -1, 1 << 64)
NEIGHBOURS = [(n * INVERSE) % (1 << 64) for n in range(40)]
"""Keys that all want the same slot."""

KEY = st.one_of(st.integers(0, (1 << 64) - 1), st.sampled_from(NEIGHBOURS))


def array(keys):
    return np.array(keys, np.uint64)


def test_keys_never_change():
    # Model files hold keys: another value here means that no older file can be read.
    assert key_of("NATO") == 0x534A222B62C14298
    assert key_of("") == 0xB4B2797457A0A6E4
    assert join_keys(key_of("stem"), array([1]), array([2])).tolist() == [0x72C549A84A871A88]


@given(st.lists(st.lists(KEY, max_size=60), max_size=5), st.lists(KEY, max_size=20))
@example([NEIGHBOURS[:20], [], NEIGHBOURS[20:]], NEIGHBOURS)
@example([[0], []], [0, 1])
@example([list(range(3000))], [2999, 3000])
def test_an_index_is_a_dictionary(batches, asked):
    index, known = KeyIndex(array([])), {}
    for batch in batches:
        new = [key for key in dict.fromkeys(batch) if key not in known]
        index.add(array(new))
        known |= {key: len(known) + place for place, key in enumerate(new)}
        assert len(index) == len(known)
    every = [*known, *asked]
    assert index.find(array(every)).tolist() == [known.get(key, -1) for key in every]


@given(st.lists(st.text(st.characters()), max_size=5), st.sampled_from(["", "stem:"]))
def test_many_keys_are_those_of_each_string(texts, prefix):
    assert keys_of(texts, prefix).tolist() == [key_of(prefix + text) for text in texts]


@pytest.mark.parametrize("size", [0, 1, HASHED])
def test_nothing_at_the_end_of_a_text_has_the_key_of_nothing(size):
    end = np.array([size])
    assert stretch_keys(np.ones(size, np.uint32), end, end).tolist() == [0]


# --- Hashes of texts ---


def test_few_different_texts_share_a_band(corpus):
    # What shares a band shares words: of the corpus's different documents hardly any do.
    marks = corpus.marks
    _, first = np.unique(corpus.document, return_index=True)
    groups = linked_groups([marks.exact[first], *marks.bands[first].T])
    assert len(np.unique(groups)) >= 0.99 * len(first)


def test_fingerprints_never_change():
    # Model files hold them: other values mean that no leakage is found in older models.
    marks = hash_texts([LONG])
    assert int(marks.exact[0]) == 0x1A137887533AEE73
    assert int(marks.bands[0, 0]) == 0x523DD19FC2AC1862


@given(st.lists(st.text(), max_size=5))
def test_a_fingerprint_does_not_depend_on_its_neighbours(texts):
    marks = hash_texts(texts)
    for number, text in enumerate(texts):
        alone = hash_texts([text])
        assert alone.exact[0] == marks.exact[number]
        assert (alone.bands[0] == marks.bands[number]).all()
