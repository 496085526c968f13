"""The bundled lexicon follows the rules in its header."""

import re
import tomllib
from importlib.resources import files

import pytest

from stance.reading.lexicon import CONCESSION, FUNCTIONS, NEGATOR, REPORTING, Lexicon, stemmer

TABLES = tomllib.loads(files("stance").joinpath("data/english/lexicon.toml").read_text("utf-8"))
LEXICON = Lexicon.default()


def test_function_words_are_known_lists_of_single_words():
    lists = {name: words for name, words in TABLES["function"].items() if name in FUNCTIONS}
    assert set(lists) == set(FUNCTIONS)
    odd = [w for words in lists.values() for w in words if not re.fullmatch(r"[a-z]+", w)]
    assert odd == []
    assert LEXICON.functions["not"] & NEGATOR
    assert LEXICON.functions["said"] & REPORTING
    assert LEXICON.functions["although"] & CONCESSION
    assert "nato" not in LEXICON.functions


@pytest.mark.parametrize(
    ("word", "category"),
    [("condemned", "crit"), ("praising", "praise"), ("supporters", "supp"), ("sanctions", "pun")],
)
def test_inflections_are_found_by_their_stem(word, category):
    assert LEXICON.categories[LEXICON.stems[stemmer("english")(word)]] == category


def test_another_language_has_an_empty_lexicon():
    assert Lexicon.default("german").categories == ()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        *(("conedmned", "condemned"), ("defneding", "defending"), ("agrgession", "aggression")),
        *((word, None) for word in ("retail", "prefect", "compile")),
        *((word, None) for word in ("concrete", "nuclear", "trail")),
    ],
)
def test_only_a_word_of_the_lexicon_with_two_letters_swapped_is_mended(written, meant):
    stem = stemmer("english")
    assert LEXICON.misspelt.get(stem(written)) == (meant and stem(meant))
