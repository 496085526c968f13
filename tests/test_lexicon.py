"""The bundled lexicon follows the rules in its header."""

import re
import tomllib
from collections import Counter
from importlib.resources import files

import pytest
from hypothesis import strategies as st

from stance.errors import RecipeError
from stance.reading.lexicon import CONCESSION, FUNCTIONS, NEGATOR, REPORTING, Lexicon, stemmer

TABLES = tomllib.loads(files("stance").joinpath("data/english/lexicon.toml").read_text("utf-8"))
CATEGORIES = {name: table for name, table in TABLES.items() if name != "function"}


@pytest.fixture(scope="module")
def lexicon():
    return Lexicon.default()


def test_no_stem_is_in_two_categories():
    stem = stemmer("english")
    homes = {}
    for name, table in CATEGORIES.items():
        for word in table["words"]:
            homes.setdefault(stem(word), set()).add(name)
    assert {word: names for word, names in homes.items() if len(names) > 1} == {}


def test_each_stem_is_listed_once():
    stem = stemmer("english")
    counts = Counter(stem(word) for table in CATEGORIES.values() for word in table["words"])
    assert [word for word, number in counts.items() if number > 1] == []


def test_no_phrase_is_listed_twice():
    counts = Counter(p for table in CATEGORIES.values() for p in table.get("phrases", ()))
    assert [phrase for phrase, number in counts.items() if number > 1] == []


@pytest.mark.parametrize("name", CATEGORIES)
def test_phrases_are_two_to_four_lower_case_words(name):
    phrases = CATEGORIES[name].get("phrases", ())
    assert [p for p in phrases if not re.fullmatch(r"[a-z]+( [a-z]+){1,3}", p)] == []


@pytest.mark.parametrize("name", CATEGORIES)
def test_words_are_single_and_lower_case(name):
    words = CATEGORIES[name]["words"]
    assert [word for word in words if not re.fullmatch(r"[a-z0-9]+", word)] == []


@pytest.mark.parametrize("name", CATEGORIES)
def test_every_category_has_a_meaning_and_a_polarity(name):
    table = CATEGORIES[name]
    assert set(table) <= {"meaning", "polarity", "words", "phrases"}
    assert table["meaning"]
    assert table["polarity"] in ("positive", "negative", "demand", "none")


def test_signs_follow_the_polarity(lexicon):
    assert lexicon.categories == tuple(CATEGORIES)
    expected = {"positive": 1, "negative": -1, "demand": 0, "none": 0}
    polarity = [table["polarity"] for table in CATEGORIES.values()]
    assert lexicon.signs.tolist() == [expected[name] for name in polarity]
    assert {-1, 0, 1} == set(lexicon.signs.tolist())


def test_function_words_are_known_lists_of_single_words(lexicon):
    lists = {name: words for name, words in TABLES["function"].items() if name in FUNCTIONS}
    assert set(lists) == set(FUNCTIONS)
    odd = [w for words in lists.values() for w in words if not re.fullmatch(r"[a-z]+", w)]
    assert odd == []
    assert lexicon.functions["not"] & NEGATOR
    assert lexicon.functions["said"] & REPORTING
    assert lexicon.functions["although"] & CONCESSION
    assert "nato" not in lexicon.functions


@pytest.mark.parametrize(
    ("word", "category"),
    [("condemned", "crit"), ("praising", "praise"), ("supporters", "supp"), ("sanctions", "pun")],
)
def test_inflections_are_found_by_their_stem(lexicon, word, category):
    assert lexicon.categories[lexicon.stems[stemmer("english")(word)]] == category


def test_a_lexicon_survives_its_tables(lexicon):
    again = Lexicon.from_tables(lexicon.source, "english")
    assert again.stems == lexicon.stems
    assert again.functions == lexicon.functions
    assert again.categories == lexicon.categories


def test_another_language_has_an_empty_lexicon():
    assert Lexicon.default("german").categories == ()
    with pytest.raises(RecipeError, match="language 'klingon' has no stemmer; choose among arabic"):
        Lexicon.default("klingon")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("conedmned", "condemned"), ("defneding", "defending"), ("agrgession", "aggression")],
)
def test_a_word_with_two_letters_swapped_is_recognised(lexicon, written, meant):
    stem = stemmer("english")
    assert lexicon.misspelt.get(stem(written)) == stem(meant)


STEMS = st.sampled_from(sorted(Lexicon.default().stems))


@pytest.mark.parametrize("word", ["retail", "prefect", "compile", "concrete", "nuclear", "trail"])
def test_other_words_near_one_of_the_lexicon_are_left_alone(lexicon, word):
    stem = stemmer("english")(word)
    assert stem not in lexicon.misspelt
