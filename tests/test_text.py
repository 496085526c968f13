"""Every text is read in one normal form, and offsets follow it there."""

import unicodedata
from bisect import bisect_right

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stance.reading.text import (
    normalise,
    normalise_all,
    normalised_spans,
    raw_spans,
    words_of,
)
from stance.reading.tokens import SEPARATOR

ODD = "\u00ad\u200b\ufeff\x00\x1e\t\u00a0\u2019\u201c\u2014\u2011\r\n\u0301\u0323\u1112\u1161\u11ab"
TEXT = st.text(st.one_of(st.characters(), st.sampled_from(ODD)))


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("Rus\u00adsia\u2019s \u201callies\u201d", 'Russia\'s "allies"'),
        ("\u00abNATO\u00bb \u201eEU\u201f", '"NATO" "EU"'),
        ("U.S.\u2011led, U.S.\u2010led", "U.S.-led, U.S.-led"),
        ("war \u2013 and \u2014 peace", "war \u2014 and \u2014 peace"),
        ("10\u00a0000\u202ftroops\tleft", "10 000 troops left"),
        ("\ufeffNA\u200bTO\u200e\u202d\u2060", "NATO"),
        ("one\r\ntwo\rthree\nfour", "one\ntwo\nthree\nfour"),
        ("a\u2028b\u2029c\x85d\x1ee", "a b c d e"),
        ("nai\u0308ve Łódź", "naïve Łódź"),
        ("NUL\x00 byte", "NUL byte"),
        ("", ""),
    ],
)
def test_odd_characters_become_plain(raw, plain):
    assert normalise(raw) == plain


@given(TEXT)
@example("\r\x00\n")
@example("l\u0304\u0323")
@example("\u1112\u200b\u1161\u11ab")
def test_normalising_twice_changes_nothing_more(text):
    once = normalise(text)
    assert normalise(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert SEPARATOR not in once


def test_every_character_is_normal_after_one_pass():
    once = normalise("x".join(map(chr, range(0x110000))))
    assert normalise(once) == once
    controls = {c for c in once if c.isspace()}
    assert controls == {" ", "\n"}


@given(st.lists(TEXT, max_size=6))
@example([])
@example(["", ""])
@example(["e", "\u0301"])
@example(["a\x1eb", "c"])
def test_many_texts_are_normalised_as_one_by_one(texts):
    assert normalise_all(texts) == [normalise(text) for text in texts]


def test_only_marks_and_parts_of_syllables_join_the_character_before():
    for code in range(0x110000):
        char = chr(code)
        mark = unicodedata.category(char)[0] == "M"
        assert mark or not unicodedata.combining(char)
        parts = unicodedata.decomposition(char).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            assert unicodedata.category(chr(int(parts[1], 16)))[0] == "M"


@given(TEXT, st.data())
@example("l\u0304\u0323", None)
def test_normalised_spans_are_inside_the_text(text, data):
    start = 2 if data is None else data.draw(st.integers(0, len(text)))
    end = len(text) if data is None else data.draw(st.integers(start, len(text)))
    ((low, high),) = normalised_spans(text, [(start, end)])
    assert 0 <= low <= high <= len(normalise(text))


UNCOMBINED = st.text(st.sampled_from("aB. '\u00ad\u200b\u2019\u201c\u00a0\u2011éß漢😀\x00"))


@given(UNCOMBINED, UNCOMBINED, UNCOMBINED)
def test_a_span_holds_the_same_words_after_normalising(before, middle, after):
    text = before + middle + after
    ((start, end),) = normalised_spans(text, [(len(before), len(before) + len(middle))])
    assert normalise(text)[start:end] == normalise(middle)


def test_a_span_behind_invisible_characters():
    raw = "\ufeffThe\u00ad U\u2019s; Rus\u00adsia\u2019s"
    ((start, end),) = normalised_spans(raw, [(raw.index("Rus"), raw.index("Rus") + 7)])
    assert normalise(raw)[start:end] == "Russia"


MERGING = st.text(
    st.sampled_from(
        "ae\u0301\u0323\u200b\u00ad\r\n .\u2019\u1100\u1161\u11a8\u0344\u0958\u2126漢\x00"
    )
)


@given(TEXT | MERGING, st.lists(st.tuples(st.integers(-2, 40), st.integers(-2, 40)), max_size=5))
def test_spans_move_as_if_each_prefix_were_normalised(text, places):
    """The oracle normalises the text anew for each end."""
    lengths = [len(normalise(text[:end])) for end in range(len(text) + 1)]
    assert raw_spans(text, places) == (
        places
        if normalise(text) == text
        else [tuple(bisect_right(lengths, end) - 1 for end in place) for place in places]
    )
    moved = []
    for start, end in places:
        high = min(len(normalise(text[:end])), len(normalise(text)))
        moved.append((min(len(normalise(text[:start])), high), high))
    assert normalised_spans(text, places) == moved


@pytest.mark.parametrize("move", [normalised_spans, raw_spans])
def test_many_spans_of_a_long_text_take_one_pass(monkeypatch, move):
    text = "Rus\u00adsia\u2019s e\u0301lan. " * 1000
    read = 0

    def counted(part):
        nonlocal read
        read += len(part)
        return normalise(part)

    monkeypatch.setattr("stance.reading.text.normalise", counted)
    assert len(move(text, [(at, at + 6) for at in range(0, 15_000, 15)])) == 1000
    assert read < 5 * len(text)


def test_words_for_hashes_ignore_case_and_punctuation():
    assert words_of("NATO_warned:  \u201cRussia\u2019s\u201d  U.S.!") == [
        *("nato", "warned", "russia", "s", "u", "s")
    ]
    assert words_of("...") == []
