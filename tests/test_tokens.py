"""Words, clitics, sentences and quotes of a batch are those of its paragraphs one by one."""

import contextlib
import itertools
import sys
import unicodedata

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stance.reading.text import normalise
from stance.reading.tokens import (
    CLITIC_NEGATION,
    CLITIC_NONE,
    CLITIC_OTHER,
    CLITIC_POSSESSIVE,
    LONGEST_WORD,
    Spellings,
    tokenise,
)


def new_spellings():
    return Spellings(lambda words, _: [[*map(len, words)]], {"length": np.int64})


def read(*texts, spellings=None):
    spellings = new_spellings() if spellings is None else spellings
    return tokenise([normalise(text) for text in texts], spellings)


def words(batch):
    places = zip(batch.para, batch.start, batch.end, strict=True)
    return [batch.texts[para][start:end] for para, start, end in places]


def sentences(text):
    batch = read(text)
    found = {}
    for word, number in zip(words(batch), batch.sentence.tolist(), strict=True):
        found.setdefault(number, []).append(word)
    return [" ".join(part) for part in found.values()]


def test_words_are_runs_of_letters_and_digits():
    text = "The U.S.-led force's 3,500 troops didn't leave Kraków's so-called «zone_2»"
    assert words(read(text)) == [
        *("The", "U", "S", "led", "force", "3", "500", "troops", "didn", "leave"),
        *("Kraków", "so", "called", "zone", "2"),
    ]


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("Russia's move", [CLITIC_POSSESSIVE, CLITIC_NONE]),
        ("the allies' doubts", [CLITIC_NONE, CLITIC_POSSESSIVE, CLITIC_NONE]),
        ("NATO DIDN'T move", [CLITIC_NONE, CLITIC_NEGATION, CLITIC_NONE]),
        ("can't", [CLITIC_NEGATION]),
        ("but't", [CLITIC_NONE, CLITIC_NONE]),  # a negation is n't
        ("they'll we've I'm", [CLITIC_OTHER] * 3),
        ("O'Brien", [CLITIC_NONE, CLITIC_NONE]),
        ("'s", [CLITIC_NONE]),
        ("Yes' it", [CLITIC_POSSESSIVE, CLITIC_NONE]),
    ],
)
def test_a_clitic_is_a_flag_on_the_word_before(text, flags):
    assert read(text).clitic.tolist() == flags


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("It met. NATO left! Why? Because.", ["It met", "NATO left", "Why", "Because"]),
        ("Gen. Smith met Mr. Li on Jan. 5 in Kyiv.", ["Gen Smith met Mr Li on Jan 5 in Kyiv"]),
        ("The U.S. Army and J. Smith left. It rained.", ["The U S Army and J Smith left"]),
        ("Growth was 3.5 per cent. 40 left.", ["Growth was 3 5 per cent", "40 left"]),
        ('He said "yes." "Why not" came next.', ["He said yes", "Why not came next"]),
        ("One line\nanother line\n\nNew paragraph", ["One line another line", "New paragraph"]),
        ("It failed… Then it rained.", ["It failed", "Then it rained"]),
        ("the e.g. of it. lower case goes on", ["the e g of it lower case goes on"]),
    ],
)
def test_where_sentences_end(text, parts):
    assert sentences(text)[: len(parts)] == parts


def test_question_marks_stand_behind_words_and_quotes_count_from_the_start_of_the_paragraph():
    batch = read("Who won? NATO did.", "Really?")
    asked = batch.followed("question", np.arange(len(batch.type)))
    assert [w for w, q in zip(words(batch), asked, strict=True) if q] == ["won", "Really"]
    batch = read('He said "we won" and "never', "This is outside")
    quoted = [w for w, q in zip(words(batch), batch.quoted, strict=True) if q]
    assert quoted == ["we", "won", "never"]


@pytest.mark.parametrize("texts", [[], [""], ["", "", ""], ["...", " ", "\n\n"], ["a", "", "b"]])
def test_empty_paragraphs(texts):
    batch = read(*texts)
    assert len(batch) == len(texts)
    assert np.diff(batch.first).tolist() == [sum(c.isalpha() for c in text) for text in texts]


TEXT = st.text(
    st.one_of(st.sampled_from("aB c'sStn.!?\"\n-&,1é…_"), st.characters()), max_size=40
).map(normalise)


@given(st.lists(TEXT, max_size=5))
@example(["didn't", "n't", "'t"])
@example(["end", "'s next"])
@example(['open " quote', "next"])
def test_a_batch_is_its_paragraphs_one_by_one(texts):
    spellings = new_spellings()
    batch = tokenise(texts, spellings)
    for number, text in enumerate(texts):
        fresh = new_spellings()
        alone = tokenise([text], fresh)
        part = slice(batch.first[number], batch.first[number + 1])
        assert (batch.para[part] == number).all()
        for name in ("start", "end", "gap", "sentence_start", "quoted", "clitic"):
            assert getattr(batch, name)[part].tolist() == getattr(alone, name).tolist(), name
        for by in ("question", "price", "comma"):
            which = np.arange(len(batch.type))[part], np.arange(len(alone.type))
            assert batch.followed(by, which[0]).tolist() == alone.followed(by, which[1]).tolist()
        sentence = batch.sentence[part]
        assert (sentence - sentence[:1]).tolist() == alone.sentence.tolist()
        spelled = [spellings.strings[at] for at in batch.type[part]]
        assert spelled == [fresh.strings[at] for at in alone.type]


@given(TEXT)
@example("L'État, c'est moi")
@example("x" * (LONGEST_WORD + 3))
def test_words_and_clitics_cover_every_letter(text):
    spellings = new_spellings()
    batch = tokenise([text], spellings)
    letters = [c.isalnum() or unicodedata.category(c) in ("Mn", "Mc") for c in text]
    for start, end, at in zip(batch.start, batch.end, batch.type, strict=True):
        assert all(letters[start:end])
        assert not any([*letters[max(start - 1, 0) : start], *letters[end : end + 1]])
        assert spellings.strings[at] == text[start : min(end, start + LONGEST_WORD)]
        assert spellings["length"][at] == len(spellings.strings[at])
        letters[start:end] = [False] * int(end - start)
    left = "".join(text[i] if still else " " for i, still in enumerate(letters)).lower().split()
    assert set(left) <= {"s", "t", "d", "ll", "re", "ve", "m"}


def test_words_are_described_rightly_wherever_a_call_was_interrupted():
    def interrupt(frame, event, _):
        nonlocal left
        if frame.f_code.co_filename.endswith("keys.py"):
            left -= event == "line"
            if left == 0:
                raise KeyboardInterrupt
        return interrupt

    for line in itertools.count(1):
        spellings = new_spellings()
        read("one two", spellings=spellings)
        left, before = line, sys.gettrace()
        with contextlib.suppress(KeyboardInterrupt):
            sys.settrace(interrupt)
            read("three four", spellings=spellings)
        sys.settrace(before)
        for text in ("thirteen three one two", "three fourteen seven"):
            batch = read(text, spellings=spellings)
            lengths_read = spellings["length"].take(batch.type).tolist()
            assert lengths_read == [*map(len, text.split())], line
        if left > 0:
            break
