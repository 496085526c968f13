"""Which actors a text names: cases written by hand, books, kinds of alias, terms of office."""

import json
import pickle
import re
import tomllib
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from command import HOSTILE, write
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stance.errors import ActorError
from stance.reading.actor_tables import ALIAS_KINDS
from stance.reading.actors import ActorBook
from stance.reading.text import normalise
from stance.tables import months_of

HERE = Path(__file__).parent
CASES = tomllib.loads((HERE / "actor_cases.toml").read_text("utf-8"))["case"]
BOOK = ActorBook.default()
MINE = '["Us all"]\nname = ["Ourselves"]\n'


def named(text: str, book: ActorBook = BOOK) -> list[str]:
    plain = normalise(text)
    return [f"{plain[m.start : m.end]} -> {m.actor}" for m in book.find(text)]


# --- Cases -----------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["text"][:40].encode().hex()[:12])
def test_case(case):
    assert named(case["text"]) == case["mentions"], case["text"]


def test_cases_cover_every_actor_and_many_texts_that_name_none():
    assert len(CASES) >= 220
    assert sum(not case["mentions"] for case in CASES) >= 80
    for name in BOOK.names:
        assert sum(any(m.endswith(f"-> {name}") for m in c["mentions"]) for c in CASES) >= 3, name


EXCLUSIONS = [phrase for actor in BOOK.actors for phrase in actor.exclusions]


def test_every_alias_of_the_book_names_its_actor():
    kinds = [kind for kind in ALIAS_KINDS if kind != "refers"]
    aliases = {alias: a.name for a in BOOK.actors for k in kinds for alias in a.aliases.get(k, ())}
    assert [mention[:2] for mention in mentions(aliases)] == [*enumerate(aliases.values())]
    assert {alias: BOOK.proper_name(alias) for alias in aliases} == aliases


def test_a_copy_of_the_book_learns_words_itself():
    book = ActorBook.default()
    copy = pickle.dumps(book)
    found = book.find("Moscow met NATO.")
    assert pickle.dumps(book) == copy
    assert pickle.loads(copy).find("Moscow met NATO.") == found


def test_every_exclusion_of_the_book_names_nobody_and_holds_an_alias():
    assert mentions(f"the {phrase}, or" for phrase in EXCLUSIONS) == []
    bare = ActorBook.from_tables(
        {a.name: {k: v for k, v in a.to_table().items() if k != "not"} for a in BOOK.actors}, "bare"
    )
    texts = [f"{phrase}; {phrase.upper()}; {phrase.title()}" for phrase in EXCLUSIONS]
    assert {mention[0] for mention in mentions(texts, bare)} == {*range(len(texts))}


# --- Books -----------------------------------------------------------------------------------


ALAND = '["A"]\nname = ["Aland"]\n'
TERMS = "'office.Aland' must be a first and a last day per term, such as"
DAYS = ('["2024-10-01"]', '["2024-10-01", "2023-10-01"]', '["October 2024", ""]')
DAYS += ("[2024-10-01, 2024-11-01]", "[0, 0]")
BAD = [
    ('["A"]\nnames = ["Aland"]\n', "actor 'A': unknown key 'names'. Did you mean 'name'?"),
    ('["A"]\nname = "Aland"\n', "actor 'A': 'name' must be a list, not 'Aland'"),
    ('["A"]\nname = [1, 2]\n', "actor 'A': 'name' must be a list of names, each"),
    (f'["A"]\nname = ["{"a b " * 99}"]\n', "list of names, each at most 200 printable"),
    ('["A"]\nname = ["B"]\nnot = 3\n', "'not' must be a list, not 3"),
    ('A = "Aland"\n', "'A' is not a table. Write [\"A\"] and its aliases."),
    (f"extend = true\n{MINE}", "'extend' is not a table. Did you mean 'extends'?"),
    (MINE.replace('["', "[Great ").replace('"]', "]", 1), "); quote a name that has spaces"),
    ('["A"]\nkind = "state"\n', "actor 'A': no alias; add at least name = [\"A\"]"),
    (ALAND + '["B"]\nname = ["aland"]\n', "alias 'aland' belongs to both 'A' and 'B'"),
    ('["A"]\nname = ["A", "--"]\n', "characters with a letter, not ['A', '--']"),
    ('["A"]\nname = [""]\n', "characters with a letter, not ['']"),
    (ALAND + 'case = ["Bland"]\n', "actor 'A': 'case' names 'Bland', which is not one of its"),
    ('["A"\nname', "not a TOML file"),
    ("", "no actor in it; write a table per actor"),
    ('["A"]\nkind = ["state"]\nname = ["A"]\n', "must be one of state, organisation, armed group,"),
    (
        ALAND + 'office = { "B\ufeff" = ["2024-10-01", ""] }\n',
        "'office' names 'B\\ufeff', which is",
    ),
    ('["A"]\n"names\u202e" = ["Aland"]\n', "actor 'A': unknown key 'names\\u202e'"),
    ('["A"]\nname = ["Cote d\'Or"]\n["B"]\nname = ["Cote d’Or"]\n', "belongs to both 'A' and 'B'"),
    (ALAND + "not = [" + '"b",' * 100_000 + "]\n", "the book has 100,001 aliases and exclusions;"),
    (ALAND + 'office = ["Aland"]\n', "'office' must be a table, not ['Aland']"),
    (f"extends = 1\n{MINE}", "'extends' must be true, false or a language that has a book"),
    (f'extends = true\n{ALAND}["B"]\nname = ["Aland"]\n', "belongs to both 'A' and 'B'"),
    *((f'{ALAND}office = {{ "Aland" = {days} }}\n', TERMS) for days in DAYS),
    *((text, "not a TOML file: ") for text in HOSTILE),
]


@pytest.mark.parametrize(("text", "message"), BAD, ids=range(len(BAD)))
def test_bad_book_gives_one_clear_line(text, message, tmp_path):
    path = write(tmp_path / "book.toml", text)
    with pytest.raises(ActorError, match=re.escape(message)) as error:
        ActorBook.read(path)
    line = str(error.value)
    assert line.startswith(str(path))
    assert "\n" not in line


@pytest.mark.parametrize(
    ("extends", "names", "mentioned"),
    [
        ("\ufeff", (), []),
        ("extends = false\r\n", (), []),
        ("extends = true\n", BOOK.names, ["NATO -> NATO"]),
    ],
)
def test_a_book_is_used_alone_or_extends_the_bundled_one(tmp_path, extends, names, mentioned):
    path = write(tmp_path / "book.toml", f"{extends}{MINE}")
    book = ActorBook.read(path)
    assert book.names == (*names, "Us all")
    assert named("NATO and ourselves", book) == [*mentioned, "ourselves -> Us all"]
    write(path, f"{extends}{MINE}nickname = ['+Us (EU)', 'U.S.S.R.']\n")
    with pytest.warns(UserWarning, match=r"at their ends: '\+Us \(EU\)'; list"):
        ActorBook.read(path)


def test_extends_replaces_an_actor_in_its_place():
    text = 'extends = true\n["Russia"]\nkind = "state"\nname = ["Rus"]\n'
    book = ActorBook.from_toml(text, "mine")
    assert book.names == BOOK.names
    found = named("Rus, not Russia, nor the Kremlin; China", book)
    assert found == ["Rus -> Russia", "China -> China"]


def test_an_alias_of_a_new_actor_is_no_longer_a_bundled_one():
    text = 'extends = true\n["Joe Biden"]\nkind = "person"\nname = ["Joe Biden"]\n'
    book = ActorBook.from_toml(text + '["Hamas men"]\nname = ["Hamas"]\n', "mine")
    found = named("Joe Biden, Biden, Hamas", book)
    assert found == ["Joe Biden -> Joe Biden", "Biden -> Joe Biden", "Hamas -> Hamas men"]
    assert ActorBook.from_tables(book.to_tables(), "again").actors == book.actors


def test_case_counts_only_where_the_book_says_so():
    text = '["A"]\nname = ["Ab Cd", "ef", "US"]\ncase = ["Ab Cd", "US"]\n'
    book = ActorBook.from_toml(text, "mine")
    names = named("Ab Cd, AB CD, ab cd, Ab-Cd, Ab CD; EF; US, us, Us", book)
    assert names == [f"{name} -> A" for name in ("Ab Cd", "AB CD", "Ab-Cd", "EF", "US")]


def alone(*aliases):
    """Return a book of an actor for each alias, by its number."""
    return ActorBook.from_tables({str(n): {"name": [a]} for n, a in enumerate(aliases)}, "mine")


@pytest.mark.parametrize(
    ("alias", "hits", "misses"),
    [
        ("U.S.", ["the U.S. said"], ["the U S said", "the U. S. said"]),
        ("St. Petersburg", ["St. Petersburg"], ["St Petersburg"]),
        ("Cote d'Ivoire", ["Cote d'Ivoire"], ["Cote d Ivoire"]),
        ("Antigua & Barbuda", ["Antigua & Barbuda", "Antigua&Barbuda"], ["Antigua Barbuda"]),
        ("(a+)+$ b.*", [], ["a" * 10_000 + "! bzz"]),  # is no pattern
        (
            "White House",
            ["White-House aides", "White\u2011House", "White \n House", "White House's"],
            ["White, House", "White. House", "White - House", "White (House", "WhiteHouse"],
        ),
    ],
)
def test_words_of_an_alias_are_separated_as_written(alias, hits, misses):
    book = alone(alias)
    assert [text for text in (*hits, *misses) if book.find(text)] == hits


ALIAS = st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(" ".join)


def longest_from_the_left(aliases, text):
    """Return what a search word by word finds: the alias and its number."""
    matches = []
    while text:
        starts = [alias for alias in aliases if f"{text} ".startswith(f"{alias} ")]
        longest = max(starts, key=len, default="")
        if longest:
            matches.append(f"{longest} -> {aliases.index(longest)}")
        text = text.removeprefix(longest or text[0]).lstrip()
    return matches


@given(st.lists(ALIAS, min_size=1, max_size=8, unique=True), st.lists(st.sampled_from("abcx")))
@example(["a b", "b c a", "c"], list("abca"))
@example(["a a a"], list("aaaaaaa"))
def test_the_longest_alias_wins_from_the_left(aliases, words):
    text = " ".join(words)
    assert named(text, alone(*aliases)) == longest_from_the_left(aliases, text)


# --- Kinds and terms of office -----------------------------------------------------------------


def mentions(texts, book: ActorBook = BOOK, months=None) -> list[tuple[int, str, str, str]]:
    """Text, actor, kind and surface of each mention."""
    months = None if months is None else np.array(months)
    rows = []
    for low, batch, found in book.scan(texts, months):
        places = zip(found.para, batch.start[found.first], batch.end[found.last], strict=True)
        surfaces = [batch.texts[para][start:end] for para, start, end in places]
        names = (book.names[actor] for actor in found.actor)
        kinds = (ALIAS_KINDS[kind] for kind in found.kind)
        rows += zip((found.para + low).tolist(), names, kinds, surfaces, strict=True)
    return rows


@pytest.mark.parametrize(
    "kinds", [("name",), ("name", "demonym"), ("leader", "capital"), ("institution",), ALIAS_KINDS]
)
def test_a_limited_book_finds_just_the_mentions_of_its_kinds(kinds):
    texts = [case["text"] for case in CASES]
    expected = [mention for mention in mentions(texts) if mention[2] in kinds]
    assert len(expected) > 20
    assert mentions(texts, BOOK.limited(kinds)) == expected


def test_a_dropped_alias_does_not_count_as_a_part_of_itself():
    texts = ["The Bank of Thailand and the US government met Trump, not the Washington Post."]
    assert [found[3] for found in mentions(texts, BOOK.limited("name"))] == []
    assert [found[3] for found in mentions(texts)] == ["Bank of Thailand", "US government", "Trump"]


@pytest.mark.parametrize("book", [BOOK, BOOK.limited(["demonym", "leader"])], ids=len)
def test_a_book_survives_its_tables(book):
    again = ActorBook.from_tables(json.loads(json.dumps(book.to_tables())), "again")
    assert again.actors == book.actors
    assert again.names == BOOK.names  # columns of --wide, and numbers, stay
    texts = [case["text"] for case in CASES]
    assert mentions(texts, again) == mentions(texts, book)
    assert mentions(["a polish dictionary", "a Polish minister"], again)[0][0] == 1


BOTH = ["Rutte", "Stoltenberg"]
NATO = {
    "2024-09-30": BOTH[1:],
    "2024-10-01": BOTH[:1],
    "2013-05-01": [],
    "2024": BOTH,
    "soon": BOTH,
}
USA = {"2012-05-01": ["Biden"], "2018-05-01": ["Donald Trump"], "2020-12-31": ["Donald Trump"]}
USA |= {"2022-07-01": ["Biden"], "2025-06-01": ["Donald Trump"]}


@pytest.mark.parametrize(
    ("text", "actor", "terms"),
    [
        ("Rutte met Stoltenberg in Vilnius.", "NATO", NATO | {"": BOTH}),
        ("Donald Trump, like Biden, flew to Paris.", "United States", USA),
    ],
)
def test_an_alias_counts_only_in_its_terms_of_office_where_the_date_is_known(text, actor, terms):
    everyone = mentions([text] * len(terms), months=months_of([*terms]))
    for number, names in enumerate(terms.values()):
        assert [m[3] for m in everyone if m[:2] == (number, actor)] == names


def test_names_have_no_terms():
    assert all(set(actor.office) <= set(actor.aliases.get("leader", ())) for actor in BOOK.actors)
    texts = ["NATO, the Kremlin and Washington"] * 2
    assert len(mentions(texts, months=months_of([date(1850, 1, 1), None]))) == 6


# --- Any text --------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        *(alias for a in BOOK.actors for names in a.aliases.values() for alias in names),
        *(phrase for a in BOOK.actors for phrase in a.exclusions),
        *" .-'’&$\n,?“”\u00ad\u0301",
        *("'s", "’s", "n't", "pro-", "the", "South", "state", "U", "S", "of", ". ", " & "),
    ]
)
TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(PIECES, max_size=12).map("".join),
    st.lists(PIECES, max_size=12).map(" ".join),
)


@given(TEXTS)
@settings(max_examples=100, deadline=None)
def test_mentions_are_in_order_without_overlap(text):
    plain = normalise(text)
    reach = 0
    for mention in BOOK.find(text):
        assert reach <= mention.start < mention.end <= len(plain)
        assert mention.actor in BOOK.names
        assert plain[mention.start].isalnum()
        reach = mention.end


@given(st.lists(TEXTS, max_size=4))
@settings(max_examples=15, deadline=None)
def test_earlier_texts_change_nothing(texts):
    fresh = ActorBook(BOOK.actors)
    for text in texts:
        assert BOOK.find(text) == fresh.find(text)
