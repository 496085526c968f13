"""The longest phrase wins, from the left, and only as it is written."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stance.reading.lexicon import PhraseMatcher
from stance.reading.tokens import FLAGS, Spellings, flags_of, tokenise


def find(phrases, *texts):
    """Return (paragraph, text, value) of each match; case counts if a phrase says so."""
    matcher = PhraseMatcher((*phrase, False)[:3] for phrase in phrases)

    def describe(words):
        lower = [*map(str.lower, words)]
        return [*flags_of(words, lower), *matcher.describe(words, lower)]

    spellings = Spellings(describe, FLAGS | {"exact": np.int32, "lower": np.int32})
    batch = tokenise(texts, spellings)
    numbers = (spellings[name].take(batch.type) for name in ("exact", "lower"))
    found = matcher.find(batch.para, batch.gap, *numbers)
    return [
        (int(batch.para[f]), batch.texts[batch.para[f]][batch.start[f] : batch.end[f + n - 1]], v)
        for f, n, v in zip(*map(np.ndarray.tolist, found), strict=True)
    ]


def test_of_equal_phrases_the_first_counts():
    assert find([("Kyiv", 5), ("kyiv", 6)], "KYIV") == [(0, "KYIV", 5)]


@pytest.mark.parametrize(
    ("phrase", "exact", "text", "hit"),
    [
        ("US", True, "us", False),
        ("US", True, "Us", False),
        ("US", True, "US", True),
        ("Xi", True, "XI", True),  # a headline in capitals
        ("Xi", True, "xi", False),
        ("Nato", False, "nAtO", True),
        ("Turkey", True, "turkey", False),
    ],
)
def test_case_counts_where_asked(phrase, exact, text, hit):
    assert bool(find([(phrase, 0, exact)], text)) is hit


@pytest.mark.parametrize(
    ("phrase", "text", "hit"),
    [
        ("U.S.", "the U.S. said", True),
        ("U.S.", "the U S said", False),
        ("U.S.", "the U. S. said", False),
        ("St. Petersburg", "St. Petersburg", True),
        ("St. Petersburg", "St Petersburg", False),
        ("White House", "White-House aides", True),
        ("White House", "White\nHouse", True),
        ("White House", "White, House", False),
        ("White House", "White. House", False),
        ("White House", "White House's", True),
        ("White House", "WhiteHouse", False),
        ("Cote d'Ivoire", "Cote d'Ivoire", True),
        ("Antigua & Barbuda", "Antigua & Barbuda", True),
        ("Antigua & Barbuda", "Antigua Barbuda", False),
    ],
)
def test_words_are_separated_as_written(phrase, text, hit):
    assert bool(find([(phrase, 0)], text)) is hit


@pytest.mark.parametrize("phrases", [[], [("...", 1)], [("", 0)]])
def test_phrases_without_words_find_nothing(phrases):
    assert find(phrases, "Nothing ... here", "") == []


WORDS = st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(tuple)


def naive(phrases, words):
    values = {}
    for number, phrase in enumerate(phrases):
        values.setdefault(phrase, number)
    found, at = [], 0
    while at < len(words):
        sizes = [n for n in range(4, 0, -1) if tuple(words[at : at + n]) in values]
        sizes = [n for n in sizes if at + n <= len(words)]
        if sizes:
            part = tuple(words[at : at + sizes[0]])
            found.append((" ".join(part), values[part]))
        at += sizes[0] if sizes else 1
    return found


@given(st.lists(WORDS, max_size=8), st.lists(st.lists(st.sampled_from("abcx")), max_size=4))
@example([("a", "b"), ("b", "c", "a"), ("c",)], [list("abca")])
@example([("a", "a", "a")], [list("aaaaaaa")])
def test_matches_are_those_of_a_search_word_by_word(phrases, texts):
    matches = find([(" ".join(p), n) for n, p in enumerate(phrases)], *map(" ".join, texts))
    for number, words in enumerate(texts):
        own = [(text, value) for para, text, value in matches if para == number]
        assert own == naive(phrases, words)
