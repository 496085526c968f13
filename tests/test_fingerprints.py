"""Equal and nearly equal texts are told from hashes alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stance.reading.keys import BANDS, fingerprint, linked_groups

TEXT = (
    "The foreign ministry said on Tuesday that the alliance would send two more battalions to "
    "the border in spring, a decision that officials in the capital welcomed and that the "
    "opposition called late, costly and badly explained to the people who live there."
)
OTHER = "Heavy rain fell on the coast again on Monday, and the ferry did not leave the harbour."


def near(left, right):
    marks = fingerprint([left, right])
    return bool((marks.bands[0] == marks.bands[1]).any())


def test_fingerprints_stay_those_that_model_files_hold():
    marks = fingerprint(["NATO praised Poland for its resolve."])
    assert marks.exact.tolist() == [15184349527976056865]
    assert marks.bands.tolist() == [
        [
            11137854626421225461,
            11677425322683008686,
            5257695021770964185,
            7681111744414338592,
            3765151764270589537,
            15210522156630616546,
        ]
    ]


@pytest.mark.parametrize(
    "text",
    [TEXT.upper(), "  " + TEXT.replace(" ", "\n "), TEXT.replace(",", " –"), "“" + TEXT + "”"],
)
def test_case_spacing_and_punctuation_do_not_count(text):
    marks = fingerprint([TEXT, text])
    assert marks.exact[0] == marks.exact[1]
    assert (marks.bands[0] == marks.bands[1]).all()


def test_another_word_is_another_text():
    marks = fingerprint([TEXT, TEXT.replace("two", "three")])
    assert marks.exact[0] != marks.exact[1]


def test_near_duplicates_share_a_band():
    assert near(TEXT, TEXT.replace("Tuesday", "Wednesday"))
    assert near(TEXT, "BRUSSELS, 3 May. " + TEXT)
    assert not near(TEXT, OTHER)


def test_few_different_texts_share_a_band(corpus):
    # What shares a band shares words: of the corpus's different documents hardly any do.
    marks = corpus.marks
    _, first = np.unique(corpus.document, return_index=True)
    groups = linked_groups([marks.exact[first], *marks.bands[first].T])
    assert len(np.unique(groups)) >= 0.99 * len(first)


def test_short_and_empty_texts_have_fingerprints():
    marks = fingerprint(["", "...", "Rain", "rain!", "No"])
    assert marks.bands.shape == (5, BANDS)
    assert marks.exact[0] == marks.exact[1]
    assert marks.exact[2] == marks.exact[3]
    assert len(set(marks.exact.tolist())) == 3
    assert fingerprint([]).bands.shape == (0, BANDS)


def test_texts_are_found_among_others():
    seen = fingerprint([TEXT, OTHER])
    asked = fingerprint([TEXT.upper(), TEXT.replace("Tuesday", "Monday"), "Something else here"])
    assert asked.found_in(seen).tolist() == [True, True, False]
    assert fingerprint([]).found_in(seen).tolist() == []
    assert asked.found_in(fingerprint([])).tolist() == [False] * 3


def test_fingerprints_never_change():
    # Model files hold them: other values mean that no leakage is found in older models.
    marks = fingerprint([TEXT])
    assert int(marks.exact[0]) == 0x1A137887533AEE73
    assert int(marks.bands[0, 0]) == 0x523DD19FC2AC1862


@given(st.lists(st.text(), max_size=5))
def test_a_fingerprint_does_not_depend_on_its_neighbours(texts):
    marks = fingerprint(texts)
    for number, text in enumerate(texts):
        alone = fingerprint([text])
        assert alone.exact[0] == marks.exact[number]
        assert (alone.bands[0] == marks.bands[number]).all()


def closure(columns):
    """Spread the smallest number through shared values until nothing changes."""
    count = len(columns[0])
    group = list(range(count))
    while True:
        before = list(group)
        for column in columns:
            for i in range(count):
                for j in range(count):
                    if column[i] == column[j]:
                        group[i] = min(group[i], group[j])
        if group == before:
            return group


@given(
    st.integers(0, 12).flatmap(
        lambda n: st.lists(
            st.lists(st.integers(0, 6), min_size=n, max_size=n), min_size=1, max_size=3
        )
    )
)
def test_linked_groups_are_the_closure_of_shared_values(columns):
    groups = linked_groups([np.array(column, np.uint64) for column in columns]).tolist()
    expected = closure(columns)
    assert [a == b for a in groups for b in groups] == [a == b for a in expected for b in expected]
    assert sorted(set(groups)) == list(range(len(set(groups))))
