"""Features depend on the paragraph and the actor alone, whatever else a batch holds."""

import random
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stance.features import lay_out
from stance.features.blocks import BLOCKS
from stance.features.occurrences import Occurrences, key_strings
from stance.reading.words import Reader, make_query

CHECKED = (
    *("stem", "cross", "class", "relation", "mention", "char", "name", "word", "plain"),
    *("ending", "frame", "sentence", "long_frame"),
)
Spans = Sequence[tuple[int, int]] | None
Asked = tuple[str, str, Spans]
"""A text as written, an actor, and where the text names it."""

Found = dict[str, dict[str, list[tuple[int, float]]]]
"""Word and weight of each occurrence by block and term, of one pair."""


def bulk_asked(
    reader: Reader, asked: Sequence[Asked], blocks: Sequence[str] = CHECKED
) -> list[Found]:
    """Return what the array code finds for one given actor per text."""
    texts, actors, spans = zip(*asked, strict=True)
    query = make_query(reader.book, texts, actors, spans)
    words, para = query.read(reader, apart=True)
    pairs = lay_out(words, para, query.actor)
    rows: list[Found] = [{name: defaultdict(list) for name in blocks} for _ in asked]
    offset = words.first.take(para).tolist()
    strings = key_strings(reader)
    for name in blocks:
        for found in map(Occurrences.flat, BLOCKS[name](reader, pairs)):
            weights = np.ones(len(found.pair)) if found.weight is None else found.weight
            terms = found.names(np.arange(len(found.pair)), strings)
            columns = found.pair.tolist(), found.word.tolist(), weights.tolist(), terms
            for row, word, weight, term in zip(*columns, strict=True):
                where = word - offset[row] if word >= 0 else -1
                term = "short " + term if name.startswith("short_") else term
                rows[row][name][term].append((where, weight))
    return rows


# --- Any text ---

FRAGMENTS = (
    *("Russia", "U.S.", "US", "the United States", "NATO", "nato", "Washington Post", "Xi", "EU"),
    *("Washington, D.C.", "White House", "WHITE HOUSE", "Russian", "American", "Joe Biden"),
    *("isn't", "won't", "N'T", "n't", "'t", "'s", "'", "''", "Russia's", "allies'", "couldn't've"),
    *("not", "never", "without", "No", "by", "for", "in", "and", "or", "the", "if", "but", "we"),
    *("condemned", "praised", "sanctions", "threat", "said", "lash out", "at fault", "agreed"),
    *("pro-", "-", "-led", "AT&T", "&", " & ", "Mr.", "e.g.", "O'Brien", "non-NATO", "Dr. No"),
    *('"', "“", "”", "‘", "’", "«", ".", "...", "…", "!", "?", "? ", "!?", ". ", ", ", "; ", ":"),
    *("\n", "\n\n", "\r\n", "\r", "\t", "\x1e", "\x1f", "\x00", "\x85", "\u2028", "\u3000"),
    *("\u200b", "\u00ad", "\ufeff", "\u0301", "e\u0301", "\u20dd", "\u0903", "İ", "ß", "ﬁ", "Σ"),
    *("ǅ", "Ⅷ", "ª", "²", "½", "٣", "\U0001d400", "😀", "\U0001f1fa\U0001f1f8", "𐐀", "你好"),
    *("3", "3.5", "2014", "'14", "1,000", "_", "a_b", "@", "#", "http://x.y/z?q=1", "a" * 60),
    *("a" * 47, "a" * 48, "a" * 49, "A" * 60 + "'s", "\ud800", "\udfff", "\u0300", "K", "Å"),
)

fragments = st.lists(st.sampled_from(FRAGMENTS), max_size=25).flatmap(
    lambda parts: st.sampled_from(["", " "]).map(lambda glue: glue.join(parts))
)
odd_texts = st.one_of(
    st.text(max_size=60),
    st.text(st.characters(categories=["Cs", "L", "M", "N", "P", "Z", "C"]), max_size=40),
    st.text("\x1e\n\r \"'.?-&", max_size=12),
    fragments,
    fragments,
)

some = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


@st.composite
def questions(draw: st.DrawFn) -> Asked:
    text = draw(odd_texts)
    actor = draw(st.sampled_from(["Russia", "Moscow", "NATO", "the", "N", ".", "Nobody at all"]))
    place = st.integers(0, len(text))
    span = st.tuples(place, place).map(lambda s: (min(s), max(s)))
    return text, actor, draw(st.none() | st.lists(span, max_size=3))


@some
@given(st.lists(questions(), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_features_depend_on_the_pair_alone(
    reader: Reader, asked: list[Asked], chance: random.Random
) -> None:
    alone = [bulk_asked(reader, [one])[0] for one in asked]
    order = list(range(len(asked)))
    chance.shuffle(order)
    together = bulk_asked(reader, [asked[number] for number in order])
    for number, found in zip(order, together, strict=True):
        assert found == alone[number]


def test_words_in_capitals_are_not_names(reader: Reader) -> None:
    text = "Envoys denounced NATO in 12 letters."
    small, capitals, titled = (
        bulk_asked(reader, [(written, "NATO", None)])[0]["class"]
        for written in (text, text.upper(), text.replace("denounced", "Denounced"))
    )
    assert "class said crit same" in small  # "quoted" names what is quoted
    assert small == capitals
    assert small != titled  # a capital among small letters is a name


def test_no_phrase_of_the_lexicon_reaches_into_a_name(reader: Reader) -> None:
    text = "Two envoys of NATO walked from the station to {}, where they waited."
    white, department, phrase = (
        bulk_asked(reader, [(text.format(words), "NATO", None)])[0]["class"]
        for words in ("White House", "Justice Department", "justice")
    )
    assert white == department
    assert white != phrase  # "to justice" is in the lexicon


def test_the_block_of_sentences_leaves_out_those_that_do_not_name_the_actor(reader: Reader) -> None:
    text = "Poland thanked NATO. Chile wept. NATO wept, too."
    (found,) = bulk_asked(reader, [(text, "NATO", None)], ("sentence", "plain"))
    whole = {place for places in found["plain"].values() for place, _ in places}
    named = {place for places in found["sentence"].values() for place, _ in places}
    assert (whole, whole - named) == ({*range(8)}, {3, 4})


@pytest.mark.parametrize("padding", [0, 57, 58, 397, 398])
def test_frames_of_long_paragraphs_are_features_of_their_own(reader: Reader, padding: int) -> None:
    text = "Poland praised NATO." + " Again" * padding
    (found,) = bulk_asked(reader, [(text, "NATO", None)], ("frame", "long_frame"))
    blocks = {name for name, terms in found.items() if terms}
    assert blocks == ({"frame"} if padding < 58 else {"long_frame"} if padding < 398 else set())
