"""Keys are the same everywhere, and the index of keys is a dictionary, only faster."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from stance.reading.keys import MULTIPLIER, KeyIndex, join_keys, key_of

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


def test_an_empty_index_knows_nothing():
    index = KeyIndex(array([]))
    assert len(index) == 0
    assert index.find(array([0, 5])).tolist() == [-1, -1]
    assert index.find(array([])).tolist() == []


def test_joined_keys_tell_template_order_and_number_of_parts():
    one, two = array([11, 12]), array([22, 11])
    joined = [
        join_keys(1, one, two),
        join_keys(2, one, two),
        join_keys(1, two, one),
        join_keys(1, one),
        join_keys(1, one, two, one),
    ]
    values = [value for keys in joined for value in keys.tolist()]
    assert len(set(values)) == len(values)
    assert one.tolist() == [11, 12]


@given(st.lists(st.tuples(KEY, KEY), max_size=20))
def test_joined_keys_do_not_depend_on_their_neighbours(pairs):
    left, right = array([a for a, _ in pairs]), array([b for _, b in pairs])
    apart = [join_keys(7, array([a]), array([b]))[0] for a, b in pairs]
    assert join_keys(7, left, right).tolist() == apart


def test_lone_surrogates_have_keys():
    assert key_of("\ud800") != key_of("\ud801")
