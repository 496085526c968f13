"""Every combination of a codebook has a number, a name and a key of its own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stance.features.blocks import _class_book
from stance.features.events import Codebook, Events, LetterBook
from stance.reading.forms import Forms
from stance.reading.keys import join_keys, key_of
from stance.reading.lexicon import Lexicon
from stance.reading.tokens import tokenise

SIZES = st.lists(st.integers(1, 5), min_size=1, max_size=4)


def codebook(sizes):
    return Codebook(
        "t", [[f"{field}{value}" for value in range(n)] for field, n in enumerate(sizes)]
    )


@given(SIZES)
def test_encoding_is_one_to_one(sizes):
    book = codebook(sizes)
    every = np.array(list(np.ndindex(*sizes)))
    codes = book.encode(*every.T)
    assert sorted(codes.tolist()) == list(range(len(book)))
    assert len(set(book.terms)) == len(book) == len(set(book.keys.tolist()))
    for values, code in zip(every.tolist(), codes.tolist(), strict=True):
        expected = " ".join(f"{field}{value}" for field, value in enumerate(values))
        assert book.terms[code] == f"t {expected}"


@pytest.mark.parametrize("kind", [np.int8, np.bool_, np.int64])
def test_small_types_do_not_overflow(kind):
    book = Codebook("t", [[str(i) for i in range(100)], ["a", "b"], [str(i) for i in range(50)]])
    last = book.encode(np.array([99], np.int8), np.array([1], kind), np.array([49], np.int8))
    assert last.tolist() == [len(book) - 1]


def test_encoding_leaves_its_values_alone():
    first = np.array([1, 2])
    codebook([3, 4]).encode(first, np.array([3, 3]))
    assert first.tolist() == [1, 2]


@given(SIZES, st.integers(1, 4))
def test_encoding_goes_on_from_the_first_fields(sizes, begun):
    book, every = codebook(sizes), np.array(list(np.ndindex(*sizes)))
    first, others = every.T[:begun], every.T[begun:]
    assert book.go_on(book.encode(*first), *others).tolist() == book.encode(*every.T).tolist()


def test_absent_occurrences_are_left_out():
    row, word = np.array([0, 0, 1]), np.array([4, 5, 6])
    part = np.array([7, 8, 9], np.uint64)
    events = Events(row, word, template="t", parts=(part,), present=np.array([True, False, True]))
    (kept,) = events.apart()
    assert kept.row.tolist() == [0, 1]
    assert kept.word.tolist() == [4, 6]
    assert kept.keys().tolist() == events.keys()[[0, 2]].tolist()
    assert kept.terms(np.array([1]), {7: "seven", 9: "nine"}) == ["t nine"]


def test_occurrences_may_share_codes():
    book = Codebook("t", [["a", "b", "c"]])
    code, spread = np.array([2, 0, 1]), np.array([0, 1, 1, 0])
    row = np.zeros(4, np.int64)
    events = Events(row, row, code=code, book=book, spread=spread, own=np.array([3]))
    terms = ["t c", "t a", "t a", "t b"]
    assert events.keys().tolist() == list(map(key_of, terms))
    assert events.terms(np.arange(4), {}) == terms


def test_the_class_features_have_names_of_their_own():
    books = _class_book(Lexicon.default().categories).books
    terms = [term for book in books for term in book.terms]
    assert len(set(terms)) == len(terms)
    keys = np.concatenate([book.keys for book in books])
    assert len(np.unique(keys)) == len(keys)


def test_open_events_are_keyed_by_template_and_parts():
    parts = (np.array([1, 2], np.uint64), np.array([3, 3], np.uint64))
    events = Events(np.array([0, 0]), np.array([0, 1]), template="stem", parts=parts)
    assert events.keys().tolist() == join_keys(key_of("stem"), *parts).tolist()
    assert events.terms(np.array([1]), {2: "two", 3: ""}) == ["stem two"]


def test_closed_events_are_keyed_by_their_name():
    book = Codebook("mention", [["", "NOT"], ["first", "last"]])
    events = Events(np.array([0]), np.array([-1]), code=np.array([3]), book=book)
    assert events.keys().tolist() == [key_of("mention NOT last")]
    assert events.terms(np.array([0]), {}) == ["mention NOT last"]


def test_a_book_of_forms_grows_with_them_and_begins_anew():
    stems = {"allies": 7, "ally": 7, "war": 9}
    forms = Forms(lambda words, _: ([stems[word] for word in words],), (("stem", np.uint64),))

    def parts(forms, start):
        stems = forms.columns["stem"][start:]
        return stems, [1] * len(stems)

    def read(text):
        tokenise([text], forms)
        book.update(forms)
        return book.keys_of(np.arange(len(book))).tolist()

    def keys(*values):
        return join_keys(key_of("t"), np.array(values, np.uint64)).tolist()

    book = LetterBook("t", parts)
    assert read("war") == keys(9)
    assert read("war war") == keys(9)
    assert read("allies war") == keys(9, 7)
    before = book.generation
    forms.clear()
    assert read("ally") == keys(7)
    assert book.generation != before
    place = np.array([0])
    events = Events(place, place, code=np.array([0]), book=book)
    assert events.keys().tolist() == keys(7)
    assert events.terms(place, {7: "alli"}) == ["t alli"]
