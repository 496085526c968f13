"""An actor is looked up by name or alias, by the places given, or else by its literal name."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stance.features import lay_out
from stance.reading.actor_tables import Actor
from stance.reading.actors import ActorBook
from stance.reading.lexicon import Lexicon
from stance.reading.names import literal_spans
from stance.reading.text import normalised_spans, parse_spans
from stance.reading.words import Reader, make_query


@pytest.fixture(scope="module")
def book():
    return ActorBook(
        [
            Actor("NATO", "organisation", {"name": ("NATO", "Atlantic alliance")}),
            Actor("United States", "state", {"name": ("US",)}, frozenset({"US"})),
        ]
    )


def test_names_and_aliases_are_looked_up(book):
    names = ["United States", "NATO", "nato", "Atlantic Alliance", "US", "us", "Mali"]
    query = make_query(book, [""] * len(names), names)
    assert query.actor.tolist() == [1, 0, 0, 0, 1, 2, 2]
    assert query.spans.tolist() == []


@pytest.mark.parametrize(
    "name", [" NATO", "T\u00fcrkiye", "Tu\u0308rkiye", "People\u2019s Republic\n"]
)
def test_a_name_is_looked_up_however_it_is_encoded(name):
    actors = [Actor("NATO", "other", {"name": ("NATO",)})]
    actors += [Actor("Turkey", "state", {"name": ("Tu\u0308rkiye",)})]
    actors += [Actor("China", "state", {"name": ("People's Republic",)})]
    assert ActorBook(actors).number(name) >= 0


def test_an_unknown_actor_is_found_by_its_literal_name_without_blanks_around_it(book):
    query = make_query(book, ["NATO met.", "Mali\u2019s junta left Mali"], ["Mali", " Mali "])
    assert query.actor.tolist() == [2, 2]
    assert query.spans.tolist() == [[1, 0, 4], [1, 18, 22]]


def test_an_actor_is_counted_once_per_mention_whatever_names_it(book):
    reader = Reader(book, Lexicon.default())
    query = make_query(book, ["NATO, a NATO, NATO"] * 2, ["NATO"] * 2, [None, [(0, 4), (8, 12)]])
    words, para = query.read(reader)
    assert words.count_mentions(para, query.actor).tolist() == [3, 2]
    assert words.alias_kind.take(words.mentions).tolist() == [0, 0, 0, -1, -1, 0]  # -1: given


TEXTS = ["NATO met the US.", "The Atlantic alliance left.", "US"]


PAIRS = st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 1), st.booleans())


@given(st.lists(PAIRS, min_size=1))
@example([(0, 0, 0, False), (0, 0, 0, False), (0, 1, 0, True), (0, 1, 0, False), (0, 1, 1, False)])
def test_a_text_of_several_pairs_is_read_once_and_answers_as_if_read_alone(book, pairs):
    reader = Reader(book, Lexicon.from_tables({}, "english"))
    texts, names = [TEXTS[at] for at, *_ in pairs], ["NATO", "United States", "Mali"]
    spans = [[(0, 2)] if given else None for *_, given in pairs]
    months = np.array([month for *_, month, _ in pairs], np.int64)
    asked = [names[actor] for _, actor, *_ in pairs]
    query = make_query(reader.book, texts, asked, spans, months)
    words, para = query.read(reader)
    alone, alone_para = query.read(reader, apart=True)
    for row, own in enumerate(para.tolist()):
        one, other = words.first[own : own + 2], alone.first[row : row + 2]
        assert words.type[slice(*one)].tolist() == alone.type[slice(*other)].tolist()
        assert words.who[slice(*one)].tolist() == alone.who[slice(*other)].tolist()
    mentions = alone.count_mentions(alone_para, query.actor)
    assert words.count_mentions(para, query.actor).tolist() == mentions.tolist()
    mentioned = lay_out(words, para, query.actor).mentioned()
    assert mentioned.tolist() == (mentions > 0).tolist()
    shares = [p[0] == q[0] and p[2] == q[2] and not (p[3] or q[3]) for p, q in pairwise(pairs)]
    assert (np.diff(para) == 0).tolist() == shares


def test_given_places_win_over_the_book(book):
    texts = ["\ufeffThe bloc and NATO", "NATO met"]
    query = make_query(book, texts, ["NATO", "NATO"], [[(14, 18), (5, 9)], None])
    assert query.actor.tolist() == [2, 0]
    assert query.spans.tolist() == [[0, 4, 8], [0, 13, 17]]
    assert query.texts[0][4:8] == "bloc"


@given(st.text("aNe\u0301\u2019 \u00ad\r\n", max_size=12), st.integers(0, 14), st.integers(0, 14))
def test_a_place_moves_as_its_text_is_normalised(book, text, start, end):
    (place,) = make_query(book, [text], ["NATO"], [[(start, end)]]).spans
    assert place.tolist() == [0, *normalised_spans(text, [(start, end)])[0]]


def test_empty_places_do_not_count_and_others_stay_in_any_order_with_their_months(book):
    assert make_query(book, ["NATO"], ["NATO"], [[]]).actor.tolist() == [0]
    texts, names = ["Mali", "NATO", "in Mali"], ["Mali", "NATO", "Mali"]
    query = make_query(book, texts, names, months=np.array([5, -1, 7]))
    some = query.take(np.array([2, 0]))
    assert (some.spans.tolist(), some.months.tolist()) == ([[0, 3, 7], [1, 0, 4]], [7, 5])
    assert some.take(np.array([1])).spans.tolist() == [[0, 0, 4]]


@pytest.mark.parametrize(
    ("text", "name", "spans"),
    [
        ("Mali, Somalia and Malian", "Mali", [(0, 4)]),
        ("mali MALI", "Mali", []),
        ("anti-Mali Mali's", "Mali", [(5, 9), (10, 14)]),
        ("Mali", "", []),
        ("Mali  ", " ", []),
        ("Rio de Janeiro", "Rio de", [(0, 6)]),
        ("aaa aa", "aa", [(4, 6)]),
        ("a+b (a+b)", "a+b", [(0, 3), (5, 8)]),
        ("Malis met a Mali1 of aMali.", "Mali", []),
    ],
)
def test_literal_names_are_whole_words(text, name, spans):
    assert [*literal_spans(text, name)] == spans


@given(st.text(min_size=1), st.data())
def test_every_place_of_a_text_can_be_written_and_read(text, data):
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    assert parse_spans(f"{start}:{end}", text, "") == [(start, end)]
