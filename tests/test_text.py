"""Every text is read in one normal form, and offsets follow it there."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stance.reading.text import normalise, normalise_all, normalised_spans, raw_spans, words_of
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


@given(st.lists(TEXT))
@example([f"e{chr(code)}" for code in range(0x10000)])
def test_a_batch_is_normalised_as_its_texts_one_by_one(texts):
    assert normalise_all(texts) == [*map(normalise, texts)]


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
    ((first, last),) = raw_spans(text, [(start, end)])
    assert normalise(text[first:last]) == normalise(middle)


def test_words_for_hashes_ignore_case_and_punctuation():
    assert words_of("NATO_warned:  \u201cRussia\u2019s\u201d  U.S.!") == [
        *("nato", "warned", "russia", "s", "u", "s")
    ]
    assert words_of("...") == []
