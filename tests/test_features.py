"""The array code builds the same features as the slow, readable oracle, for every text."""

import csv
import dataclasses
import json
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from oracle import NOBODY, Oracle, Pair

from stance.features import BLOCKS, key_strings
from stance.features.pairs import Pairs, lay_out
from stance.fitting.counts import count_features, name_features
from stance.fitting.learning import fit_head
from stance.fitting.task import Task
from stance.model.heads import Head
from stance.reading.actors import ActorBook
from stance.reading.lexicon import Lexicon
from stance.reading.spans import make_query
from stance.reading.text import normalise, normalise_all
from stance.reading.words import Reader
from stance.recipe import Classifier, Features, HeadRecipe
from stance.records import Stance

ROOT = Path(__file__).resolve().parents[1]
CORPORA = ROOT.parent / "shared" / "corpora"

CHECKED = (
    *("stem", "cross", "class", "relation", "mention", "char", "name", "word", "plain", "rival"),
    *("short_class", "short_relation", "short_mention", "ending"),
)
WHOLE = tuple(name for name in CHECKED if name != "char")
"""Blocks of whole words: a twentieth of the features, so that many pairs can be compared."""

Spans = Sequence[tuple[int, int]] | None
Asked = tuple[str, str, Spans]
"""A text as written, an actor, and where the text names it."""

Found = dict[str, dict[str, list[tuple[int, float]]]]
"""Word and weight of each occurrence by block and term, of one pair."""


@pytest.fixture(scope="module")
def book() -> ActorBook:
    return ActorBook.default()


@pytest.fixture(scope="module")
def reader(book: ActorBook) -> Reader:
    return Reader(book, Lexicon.default())


@pytest.fixture(scope="module")
def oracle(book: ActorBook) -> Oracle:
    return Oracle(book.actors, Lexicon.default().source)


# --- The two ways to the same features ---


def bulk(
    reader: Reader, pairs: Pairs, para: Sequence[int], blocks: Sequence[str] = CHECKED
) -> list[Found]:
    """Return what the array code finds for each pair."""
    rows: list[Found] = [{name: defaultdict(list) for name in blocks} for _ in para]
    offset = [int(pairs.words.first[p]) for p in para]
    strings = key_strings(reader)
    for name in blocks:
        for found in BLOCKS[name](reader, pairs):
            assert np.all(found.pair[1:] >= found.pair[:-1]), f"{name}: rows out of order"
            weights = np.ones(len(found.pair)) if found.weight is None else found.weight
            terms = found.names(np.arange(len(found.pair)), strings)
            columns = found.pair.tolist(), found.word.tolist(), weights.tolist(), terms
            for row, word, weight, term in zip(*columns, strict=True):
                where = word - offset[row] if word >= 0 else -1
                term = "short " + term if name.startswith("short_") else term
                rows[row][name][term].append((where, weight))
    return rows


def bulk_asked(
    reader: Reader, asked: Sequence[Asked], blocks: Sequence[str] = CHECKED
) -> list[Found]:
    """Return what the array code finds for one given actor per text."""
    texts, actors, spans = zip(*asked, strict=True) if asked else ((), (), ())
    query = make_query(reader.book, texts, actors, spans)
    words = reader.words(query.texts, query.spans)
    return bulk(reader, lay_out(words, query.para, query.actor), query.para.tolist(), blocks)


def bulk_named(
    reader: Reader, texts: Sequence[str], blocks: Sequence[str] = CHECKED
) -> list[tuple[int, str, Found]]:
    """Return text, actor and features of every actor of the book that each text names."""
    words = reader.words(normalise_all(list(texts)))
    para, actor = words.named_actors()
    found = bulk(reader, lay_out(words, para, actor), para.tolist(), blocks)
    names = [reader.book.names[number] for number in actor]
    return list(zip(para.tolist(), names, found, strict=True))


def slow(oracle: Oracle, pair: Pair, blocks: Sequence[str] = CHECKED) -> Found:
    found: Found = {}
    for name in blocks:
        found[name] = defaultdict(list)
        for occurrence in oracle.occurrences(name, pair):
            found[name][occurrence.term].append((occurrence.word, occurrence.weight))
    return found


def assert_same(got: Found, wanted: Found, what: object) -> None:
    assert got.keys() == wanted.keys()
    for name in wanted:
        missing, extra = (
            wanted[name].keys() - got[name].keys(),
            got[name].keys() - wanted[name].keys(),
        )
        assert not missing, (name, "missing in bulk", sorted(missing)[:5], what)
        assert not extra, (name, "only in bulk", sorted(extra)[:5], what)
        for term, occurrences in wanted[name].items():
            mine, yours = sorted(got[name][term]), sorted(occurrences)
            assert [w for w, _ in mine] == [w for w, _ in yours], (name, term, mine, yours, what)
            assert np.allclose([w for _, w in mine], [w for _, w in yours], rtol=0, atol=1e-12), (
                name,
                term,
                mine,
                yours,
                what,
            )


def assert_equals_oracle(
    reader: Reader, oracle: Oracle, asked: Sequence[Asked], blocks: Sequence[str] = CHECKED
) -> None:
    for got, one in zip(bulk_asked(reader, asked, blocks), asked, strict=True):
        assert_same(got, slow(oracle, oracle.pair(*one), blocks), one)


def assert_all_equal_oracle(
    reader: Reader, oracle: Oracle, texts: Sequence[str], blocks: Sequence[str] = CHECKED
) -> None:
    """Every actor that some texts name, and the paragraph without an actor, in one batch."""
    for number, actor, got in bulk_named(reader, texts, blocks):
        assert_same(
            got, slow(oracle, oracle.pair(texts[number], actor), blocks), (texts[number], actor)
        )
    words = reader.words([normalise(text) for text in texts])
    para = np.arange(len(texts))
    blind = bulk(reader, lay_out(words, para, np.full(len(texts), -1)), para.tolist(), blocks)
    for text, got in zip(texts, blind, strict=True):
        assert_same(got, slow(oracle, oracle.pair(text, NOBODY), blocks), text)


# --- Real texts ---


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def with_spans(path: Path) -> list[Asked]:
    asked: list[Asked] = []
    for line in path.read_text("utf-8").splitlines():
        sentence = json.loads(line)
        for target in sentence["targets"]:
            places = [target, *target.get("further_mentions", ())]
            spans = [(place["from"], place["to"]) for place in places]
            asked.append((sentence["sentence_normalized"], target["mention"], spans))
    return asked


def own_tables() -> list[Path]:
    tables = sorted((ROOT / "datasets").glob("*/*.csv"))
    tables.remove(ROOT / "datasets" / "tutorials" / "newspapers.csv")  # Windows-1252, on purpose
    return [path for path in tables if "text" in rows_of(path)[0]]


def sample_texts() -> list[str]:
    return [row["text"] for row in rows_of(ROOT / "datasets" / "sample" / "paragraphs.csv")]


@pytest.mark.skipif(
    not CORPORA.is_dir(), reason="the shared corpora are not part of the repository"
)
@pytest.mark.parametrize("pairs", [100, pytest.param(2000, marks=pytest.mark.endurance)])
def test_bulk_equals_oracle_on_real_corpora(reader: Reader, oracle: Oracle, pairs: int) -> None:
    draw = random.Random(20)
    news = with_spans(CORPORA / "newsmtsc_train.jsonl")
    asked = draw.sample(news, 1000)
    asked += [(text, mention, None) for text, mention, _ in draw.sample(news, 150)]
    for name, size in (("un_debates_train.csv", 450), ("newsmtsc_actors.csv", 400)):
        rows = draw.sample(rows_of(CORPORA / name), size)
        asked += [(row["text"], row["actor"], None) for row in rows]
    draw.shuffle(asked)
    asked = asked[:pairs]
    for low in range(0, len(asked), 700):
        assert_equals_oracle(reader, oracle, asked[low : low + 700], WHOLE)
    assert_equals_oracle(reader, oracle, asked[: pairs // 2], ("char",))


@pytest.mark.parametrize("path", own_tables(), ids=lambda path: path.stem)
def test_bulk_equals_oracle_on_own_texts(path: Path, reader: Reader, oracle: Oracle) -> None:
    texts = list(dict.fromkeys(row["text"] for row in rows_of(path)))[:20]
    assert_all_equal_oracle(reader, oracle, texts, WHOLE)
    assert_all_equal_oracle(reader, oracle, texts[:3], ("char",))


# --- Any text ---

FRAGMENTS = (
    *("Russia", "U.S.", "US", "the United States", "NATO", "nato", "Washington Post", "Xi", "EU"),
    *("Washington, D.C.", "White House", "WHITE HOUSE", "Russian", "American", "Joe Biden"),
    *("isn't", "won't", "N'T", "n't", "'t", "'s", "'", "''", "Russia's", "allies'", "couldn't've"),
    *("not", "never", "without", "No", "by", "for", "in", "and", "or", "the", "if", "but", "we"),
    *("condemned", "praised", "sanctions", "threat", "said", "lash out", "at fault", "agreed"),
    *("pro-", "-", "-led", "AT&T", "&", " & ", "Mr.", "e.g.", "O'Brien", "non-NATO", "Dr. No"),
    *('"', "“", "”", "‘", "’", "«", ".", "...", "…", "!", "?", "? ", "!?", ". ", ", ", "; ", ":"),
    *(
        "\n",
        "\n\n",
        "\r\n",
        "\r",
        "\t",
        "\x1e",
        "\x1f",
        "\x00",
        "\x85",
        "\u2028",
        "\u00a0",
        "\u3000",
    ),
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
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)


@some
@given(st.lists(odd_texts, max_size=6))
@example([])
@example([""])
@example(["", "", ""])
@example(["'s Russia", "n", "'t NATO", "Russia'", "s"])
@example(["Russia won", "? NATO", "??", "!"])
@example(["Russia condemned NATO", "Russia"])
@example(["\x1e", "\n", "'", '"', "."])
@example(["\ud800 Russia \udfff", "\U0001d400\U0001d401 NATO 😀"])
def test_bulk_equals_oracle_on_any_texts(reader: Reader, oracle: Oracle, texts: list[str]) -> None:
    assert_all_equal_oracle(reader, oracle, texts)


@st.composite
def questions(draw: st.DrawFn) -> Asked:
    text = draw(odd_texts)
    actor = draw(st.sampled_from(["Russia", "Moscow", "NATO", "the", "N", ".", "Nobody at all"]))
    place = st.integers(0, len(text))
    span = st.tuples(place, place).map(lambda s: (min(s), max(s)))
    return text, actor, draw(st.none() | st.lists(span, max_size=3))


@some
@given(st.lists(questions(), max_size=5))
@example([])
@example([("Joe Biden, the U.S. and NATO", "Biden", [(4, 13), (0, 9), (4, 4)])])
def test_bulk_equals_oracle_wherever_spans_are(
    reader: Reader, oracle: Oracle, asked: list[Asked]
) -> None:
    assert_equals_oracle(reader, oracle, asked)


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


def test_features_do_not_depend_on_other_actors_of_the_paragraph(reader: Reader) -> None:
    text = "NATO said Russia threatened Ukraine"
    for _, actor, found in bulk_named(reader, [text, text]):
        assert found == bulk_asked(reader, [(text, actor, None)])[0]


def test_features_do_not_depend_on_which_name_of_an_actor_is_used(reader: Reader) -> None:
    text = "We fear that the {} may not sign. By June the {}'s doubts were known."
    plain, short = (
        bulk_asked(reader, [(text.format(name, name), "United States", None)])[0]
        for name in ("United States", "US")
    )
    # Only what is blind to the actor reads its name, and `ending`, which is for names with cases.
    assert plain["word"] != short["word"]
    for block in plain.keys() - {"word", "ending"}:
        assert plain[block] == short[block], block


def test_words_in_capitals_are_not_names(reader: Reader) -> None:
    text = "Envoys denounced NATO in 12 letters."
    small, capitals, titled = (
        bulk_asked(reader, [(written, "NATO", None)])[0]["class"]
        for written in (text, text.upper(), text.replace("denounced", "Denounced"))
    )
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


def test_features_do_not_depend_on_words_seen_before(book: ActorBook, reader: Reader) -> None:
    asked = [(text, "Russia", None) for text in sample_texts()]
    fresh = Reader(book, Lexicon.default())
    assert bulk_asked(fresh, asked[::-1])[::-1] == bulk_asked(reader, asked)


@some
@given(st.lists(odd_texts, max_size=6))
def test_texts_are_normalised_together_as_they_are_alone(texts: list[str]) -> None:
    assert normalise_all(texts) == [normalise(text) for text in texts]


# --- Books and lexicons in which everything overlaps ---

TIGHT_BOOK = {
    "Left": {
        "name": ["A", "A B", "B C D", "a-b c", "U.S.", "AT&T", "O'Neil", "ß x", f"{'q' * 60} Z"],
        "demonym": ["B", "Bs"],
        "case": ["A", "B", "ß x"],
        "not": ["A B C", "X A", "U.S. Open"],
    },
    "Right": {
        "name": ["C", "C, D", "D C B A", "Éa", "D. E."],
        "leader": ["E", "e e e"],
        "case": ["C", "Éa", "E"],
        "not": ["no C", "e"],
    },
}
TIGHT_LEXICON = {
    "bad": {"polarity": "negative", "words": ["d", "hurting"], "phrases": ["d d", "a d a", "no d"]},
    "good": {"polarity": "positive", "words": ["helps", "d"], "phrases": ["d a", "d d", "d's b"]},
    "ask": {"polarity": "demand", "words": ["ask"]},
    "news": {"polarity": "none", "words": ["meet"], "phrases": ["a-b d"]},
    "function": {
        "negators": ["no", "n"],
        "reporting": ["says", "ask"],
        "hypothetical": ["may"],
        "concession": ["but"],
        "first_person": ["we"],
        "prepositions": ["by", "in", "of"],
        "focus": ["b", "may"],
    },
}
TIGHT_WORDS = (
    *(
        "A",
        "a",
        "B",
        "b",
        "C",
        "c",
        "D",
        "d",
        "E",
        "e",
        "X",
        "x",
        "Bs",
        "U",
        "S",
        "Open",
        "O",
        "Neil",
    ),
    *(
        "AT",
        "T",
        "t",
        "n",
        "no",
        "No",
        "hurt",
        "helped",
        "ask",
        "says",
        "meets",
        "may",
        "but",
        "we",
    ),
    *(
        "by",
        "in",
        "of",
        "and",
        "the",
        "ß",
        "SS",
        "éa",
        "ÉA",
        "Éa",
        "q" * 60,
        "q" * 48,
        "Z",
        "s",
        "7",
    ),
)
TIGHT_GAPS = (
    " ",
    " ",
    " ",
    " ",
    "-",
    ".",
    ". ",
    "'",
    "&",
    ", ",
    "? ",
    '"',
    ' "',
    "\n\n",
    "'s ",
    "n't ",
)
tight_texts = st.lists(
    st.tuples(st.sampled_from(TIGHT_WORDS), st.sampled_from(TIGHT_GAPS)), max_size=30
).map(lambda parts: "".join(word + gap for word, gap in parts))


@pytest.fixture(scope="module")
def tight_reader() -> Reader:
    book = ActorBook.from_tables(TIGHT_BOOK, "tight")
    reader = Reader(book, Lexicon.from_tables(TIGHT_LEXICON, "english"))
    return reader


@some
@given(st.lists(tight_texts, max_size=5))
@example([f"{'q' * 60} Z met {'q' * 48} Z"])
@example(['D. E. met D.) E. or D." E.', "AT&T, AT & T, AT (&) T"])
@example(["the B says d", "the B of d", "the B d", "says B", "no B may d"])
@example(["D C B A B C D", "A B C D", "X A B", "e e e e", "no C, D"])
def test_overlapping_names_and_phrases_equal_the_oracle(
    tight_reader: Reader, texts: list[str]
) -> None:
    oracle = Oracle(tight_reader.book.actors, TIGHT_LEXICON)
    assert_all_equal_oracle(tight_reader, oracle, texts)


@pytest.mark.parametrize("language", ["russian", "serbian"])
def test_another_language_reads_with_or_without_a_lexicon(language: str) -> None:
    book, lexicon = ActorBook.default(language), Lexicon.default(language)
    reader = Reader(book, lexicon, language)
    oracle = Oracle(book.actors, lexicon.source, language)
    text = "Россия не признаёт «санкции» NATO, заявил Joe Biden в Москве. Мы осуждаем Россию."
    assert_all_equal_oracle(reader, oracle, [text, "", "NATO"])


# --- Long texts ---


def test_a_far_word_weighs_less_than_a_near_one(reader: Reader, oracle: Oracle) -> None:
    text = "Russia" + " talks" * 1_500 + ' "failed" again.'
    found = bulk_asked(reader, [(text, "Russia", None)])[0]
    weights = [weight for _, weight in sorted(found["stem"]["stem talk"])]
    assert weights == sorted(weights, reverse=True)
    assert_equals_oracle(reader, oracle, [(text, "Russia", None)])


# --- Scores ---


def small_head(reader: Reader, asked: Sequence[Asked], recipe: Features, targeted: bool) -> Head:
    """Fit a head to labels that mean nothing."""
    query = make_query(reader.book, *zip(*asked, strict=True))
    size = len(asked)
    task = Task(
        counts=count_features(reader, query, recipe, targeted=targeted),
        recipe=HeadRecipe(recipe, Classifier("logistic", c=2.0, neutral_offset=0.25)),
        labels=tuple(Stance),
        targeted=targeted,
        y=np.arange(size) * 7 % 3,
        group=np.arange(size),
        weight=np.ones(size),
    )
    head = fit_head(task, np.arange(size), seed=20)
    terms = name_features(reader, query, head.blocks, head.own, targeted=targeted)
    blocks = tuple(dataclasses.replace(b, terms=terms[b.name]) for b in head.blocks)
    return dataclasses.replace(head, temperature=0.7, blocks=blocks)


def own_pairs(oracle: Oracle, texts: Iterable[str]) -> list[Asked]:
    asked: list[Asked] = []
    for text in texts:
        named = {word.actor for word in oracle.words(normalise(text)) if word.actor}
        asked += [(text, actor, None) for actor in sorted(named)]
        asked.append((text, text.split()[3], [(10, 18)]))
    return asked


RECIPES: Mapping[str, tuple[Features, bool]] = {
    "default": (Features(), True),
    "every block": (Features(dict.fromkeys(CHECKED, 0.5), min_df=1), True),
    "per actor": (Features({"stem": 1.0, "cross": 0.6, "mention": 0.4}, per_actor=True), True),
    "blind": (Features({"stem": 1.0, "class": 0.6, "word": 0.3}), False),
}


@pytest.mark.parametrize("name", RECIPES)
def test_probabilities_equal_the_oracle(name: str, book: ActorBook, oracle: Oracle) -> None:
    recipe, targeted = RECIPES[name]
    reader = Reader(book, Lexicon.default())
    asked = own_pairs(oracle, sample_texts())
    head = small_head(reader, asked[::2], recipe, targeted)
    assert all(all(block.terms) for block in head.blocks), "a feature has no name"
    asked += [("", "Russia", None), ("Zyx Qwv", "Russia", None), ("?", "Mars", None)]
    query = make_query(book, *zip(*asked, strict=True))
    actor = query.actor if targeted else np.full(len(asked), -1)
    words = reader.words(query.texts, query.spans)
    scores, known = head.scores(reader, lay_out(words, query.para, actor))
    found = head.probabilities(scores)
    for row, (text, who, spans) in enumerate(asked):
        pair = oracle.pair(text, who, spans)
        if not targeted:
            pair = Pair(pair.words, NOBODY)
        wanted, understood = oracle.scores(head, pair)
        ahead = np.array(wanted) - wanted[0]
        assert np.allclose(scores[row], ahead, rtol=0, atol=1e-9), asked[row]
        assert np.allclose(found[row], oracle.probabilities(head, pair), rtol=0, atol=1e-9)
        assert bool(known[row]) == understood, asked[row]


@pytest.mark.parametrize(("padding", "short"), [(0, True), (27, True), (28, False)])
def test_short_blocks_end_at_thirty_words(reader, padding, short):
    text = "Poland thanked NATO" + " again" * padding
    (found,) = bulk_asked(reader, [(text, "NATO", None)], ("short_class", "short_relation"))
    assert {bool(terms) for terms in found.values()} == {short}
