"""Words, clitics, sentences and quotes of a batch are those of its paragraphs one by one."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stance.reading.forms import (
    _ABBREVIATIONS,
    _CLITICS,
    CLITIC_NEGATION,
    CLITIC_NONE,
    CLITIC_OTHER,
    CLITIC_POSSESSIVE,
    Forms,
)
from stance.reading.keys import key_of
from stance.reading.text import WORD, character_classes, normalise
from stance.reading.tokens import (
    GAP_AND,
    GAP_APOSTROPHE,
    GAP_DOT,
    GAP_DOT_SPACE,
    GAP_OTHER,
    GAP_SPACE,
    LONGEST_WORD,
    tokenise,
)


def new_forms(limit=None):
    forms = Forms(lambda words, _lower: ([*map(len, words)],), (("length", np.int64),))
    if limit is not None:
        forms.limit = limit
    return forms


def read(*texts, forms=None):
    return tokenise([normalise(text) for text in texts], new_forms() if forms is None else forms)


def words(batch):
    return [batch.text[s:e] for s, e in zip(batch.start, batch.end, strict=True)]


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
    ("text", "gap"),
    [
        ("New York", GAP_SPACE),
        ("New \n York", GAP_SPACE),
        ("Sino-Russian", GAP_SPACE),
        ("Sino\u2011Russian", GAP_SPACE),
        ("U.S", GAP_DOT),
        ("St. Petersburg", GAP_DOT_SPACE),
        ("O'Brien", GAP_APOSTROPHE),
        ("Johnson & Johnson", GAP_AND),
        ("Johnson&Johnson", GAP_AND),
        ("Rome, Paris", GAP_OTHER),
        ("Rome - Paris", GAP_OTHER),
        ("Rome (Italy", GAP_OTHER),
        ("Russia's army", GAP_SPACE),  # what follows the clitic
        ("Russia's, army", GAP_OTHER),
    ],
)
def test_kinds_of_gap_between_words(text, gap):
    assert read(text).gap.tolist() == [gap, GAP_OTHER]


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


def test_a_question_mark_is_seen_behind_its_word():
    batch = read("Who won? NATO did.", "Really?")
    assert [w for w, q in zip(words(batch), batch.question, strict=True) if q] == ["won", "Really"]


def test_quotes_are_counted_from_the_start_of_the_paragraph():
    batch = read('He said "we won" and "never', "This is outside")
    quoted = [w for w, q in zip(words(batch), batch.quoted, strict=True) if q]
    assert quoted == ["we", "won", "never"]


@given(st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=4)))
@example(["A", "ǅ", "ß", "Mr", "MR", "ll", "S", "İstanbul", "Ⅷ"])
def test_flags_of_forms_are_those_of_each_word(spelled):
    forms = new_forms()
    tokenise([" ".join(spelled)], forms)
    columns = forms.columns
    for at, word in enumerate(forms.spelling):
        initial = len(word) == 1 and word.isupper()
        assert columns["capital"][at] == (word[0].isupper() or word[0].istitle())
        assert columns["dotted"][at] == (initial or word.lower() in _ABBREVIATIONS)
        assert columns["clitic"][at] == _CLITICS.get(word.lower(), CLITIC_NONE)


@given(st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=4)))
def test_keys_of_words_are_those_of_their_lower_case(spelled):
    forms = new_forms()
    for part in (spelled[:2], spelled):  # asked for again, some are known
        batch = tokenise([" ".join(part)], forms)
        lower = [forms.spelling[form].lower() for form in batch.form]
        assert forms.word_keys.take(batch.form).tolist() == [*map(key_of, lower)]


def test_long_runs_are_cut_to_one_form():
    long = "x" * LONGEST_WORD
    forms = new_forms()
    batch = read(f"{long}abc {long}def {long}", forms=forms)
    assert len(set(batch.form.tolist())) == 1
    assert [*forms.spelling] == [long]


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
    forms = new_forms()
    batch = tokenise(texts, forms)
    for number, text in enumerate(texts):
        own_forms = new_forms()
        alone = tokenise([text], own_forms)
        part = slice(batch.first[number], batch.first[number + 1])
        assert (batch.para[part] == number).all()
        for name in ("gap", "sentence_start", "quoted", "clitic", "question"):
            assert getattr(batch, name)[part].tolist() == getattr(alone, name).tolist(), name
        shift = batch.joined.offset[number]
        assert (batch.start[part] - shift).tolist() == alone.start.tolist()
        assert (batch.end[part] - shift).tolist() == alone.end.tolist()
        sentence = batch.sentence[part]
        assert (sentence - sentence[:1]).tolist() == alone.sentence.tolist()
        spelled = [forms.spelling[form] for form in batch.form[part]]
        assert spelled == [own_forms.spelling[form] for form in alone.form]


@given(TEXT)
@example("L'État, c'est moi")
def test_words_and_clitics_cover_every_letter(text):
    forms = new_forms()
    batch = tokenise([text], forms)
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    letters = (character_classes(codes) & WORD) > 0
    for start, end, form in zip(batch.start, batch.end, batch.form, strict=True):
        assert letters[start:end].all()
        assert not letters[start - 1 : start].any()
        assert not letters[end : end + 1].any()
        assert forms.spelling[form] == text[start : min(end, start + LONGEST_WORD)]
        assert forms.columns["length"][form] == len(forms.spelling[form])
        letters[start:end] = False
    left = "".join(text[i] if still else " " for i, still in enumerate(letters)).lower().split()
    assert set(left) <= {"s", "t", "d", "ll", "re", "ve", "m"}


@given(st.lists(TEXT, min_size=1, max_size=6))
def test_results_do_not_depend_on_the_forms_seen_before(texts):
    forms = new_forms(limit=2)
    for text in texts:
        batch, fresh = tokenise([text], forms), tokenise([text], new_forms())
        for name in ("start", "end", "gap", "sentence", "quoted", "clitic", "question"):
            assert getattr(batch, name).tolist() == getattr(fresh, name).tolist(), name


def test_words_looked_up_in_portions_have_one_form_each(monkeypatch):
    monkeypatch.setattr("stance.arrays.AT_A_TIME", 2)
    forms = new_forms()
    batch = read("one two three one", "three four", forms=forms)
    assert [forms.spelling[form] for form in batch.form] == words(batch)
    assert len(forms) == 4


def test_words_whose_description_was_interrupted_are_described_later():
    def describe(words, _lower):
        if "stop" in words:
            raise KeyboardInterrupt
        return ([*map(len, words)],)

    forms = Forms(describe, (("length", np.int64),))
    read("one two", forms=forms)
    with pytest.raises(KeyboardInterrupt):
        read("three stop", forms=forms)
    batch = read("three two", forms=forms)
    assert forms.columns["length"].take(batch.form).tolist() == [5, 3]


def test_the_table_of_forms_is_emptied_at_its_limit():
    forms = new_forms(limit=3)
    read("one two three four", forms=forms)
    generation = forms.generation
    read("five", forms=forms)
    assert forms.generation == generation + 1
    assert [*forms.spelling] == ["five"]


def test_more_characters_than_can_be_counted_are_refused(monkeypatch):
    monkeypatch.setattr("stance.reading.tokens.MOST", 9)
    assert words(read("NATO won")) == ["NATO", "won"]  # and a separator
    with pytest.raises(ValueError, match="10 characters at once; give fewer paragraphs at a time"):
        read("NATO", "lost")
