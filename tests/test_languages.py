"""The languages that come with the package are complete, and a user can bring another one."""

import re
import tomllib
from collections import Counter
from operator import and_

import pytest
from command import fails, invoke, succeeds, write

from stance.errors import ActorError, RecipeError
from stance.reading.actor_tables import inflected
from stance.reading.actors import ActorBook
from stance.reading.lexicon import (
    CONCESSION,
    NEGATOR,
    REPORTING,
    Lexicon,
    bundled,
    languages,
    stemmer,
)

OTHERS = [language for language in languages() if language != "english"]
BOOK = ActorBook.default("russian")
LEXICON = """
[good]
polarity = "positive"
words = ["loben"]
phrases = ["gut so"]

[bad]
polarity = "negative"
words = ["verurteilen"]

[function]
negators = ["nicht"]
reporting = ["sagte"]
hypothetical = ["wenn"]
concession = ["aber"]
first_person = ["wir"]
prepositions = ["in"]
"""


def test_russian_is_among_the_languages():
    assert languages() == ("english", "russian")


@pytest.mark.parametrize("language", languages())
def test_a_bundled_lexicon_is_as_complete_as_a_users_must_be(language, tmp_path):
    path = write(tmp_path / "lexicon.toml", bundled(language, "lexicon.toml"))
    found = Lexicon.read(path, language)
    assert found.categories == Lexicon.default().categories
    assert found.signs.tolist() == Lexicon.default().signs.tolist()
    assert Lexicon.default("german").categories == ()  # of a language that has none
    kinds = map(Lexicon.default().functions.__getitem__, ("not", "said", "although"))
    assert all(map(and_, kinds, (NEGATOR, REPORTING, CONCESSION)))


@pytest.mark.parametrize("language", languages())
def test_a_bundled_lexicon_lists_each_stem_and_phrase_once(language):
    tables, stem = tomllib.loads(bundled(language, "lexicon.toml")), stemmer(language)
    kinds = [table for name, table in tables.items() if name != "function"]
    stems = Counter(stem(word) for table in kinds for word in table["words"])
    phrases = Counter(phrase for table in kinds for phrase in table.get("phrases", ()))
    assert [each for each, times in (stems | phrases).items() if times > 1] == []


@pytest.mark.parametrize("language", OTHERS)
def test_names_of_actors_are_those_of_the_english_book_where_it_has_them(language):
    book = ActorBook.default(language)
    assert {"NATO", "Russia", "United States", "European Union"} <= {*book.names}
    for actor in book.actors:
        assert not [alias for names in actor.aliases.values() for alias in names if "|" in alias]


@pytest.mark.parametrize(
    ("text", "actors"),
    [
        ("Россией, России и Россию", ["Russia"] * 3),
        ("российскими и Российской Федерацией", ["Russia", "Russia"]),
        ("Соединённым Штатам, Соединенных Штатов", ["United States", "United States"]),
        ("Путиным, Лаврова, Захаровой", ["Russia"] * 3),
        ("в Латинской Америке и в Америке", ["United States"]),
        ("в Белом доме и на Кубе", ["United States", "Cuba"]),
        ("в кубе, на песках, из песков, рима", []),
        ("поляками и чехов, грузинка", ["Poland", "Czechia", "Georgia"]),
        ("Антон Чехов и Юрий Поляков, но чехов и поляков", ["Czechia", "Poland"]),
        ("Совбез РФ, а не Совбез", ["Russia", "United Nations"]),
        ("молдаване, иракцев, индийцами", ["Moldova", "Iraq", "India"]),
        ("Терезе Мэй и Анджею Дуде", ["United Kingdom", "Poland"]),
        ("Единой России и чемпионата России", []),
        ("фон дер Ляйен и Си Цзиньпином", ["European Union", "China"]),
        ("РОССИЯ ОБВИНИЛА НАТО", ["Russia", "NATO"]),
    ],
)
def test_russian_names_are_found_in_every_case(text, actors):
    assert [mention.actor for mention in BOOK.find(text)] == actors


def test_a_russian_leader_counts_while_in_office():
    assert [m.actor for m in BOOK.find("Обама", 2010 * 12)] == ["United States"]
    assert BOOK.find("Обама", 2020 * 12) == []


@pytest.mark.parametrize(
    ("language", "category", "words"),
    [
        ("english", "crit", "condemned condemning"),
        ("english", "praise", "praising"),
        ("english", "supp", "supporters"),
        ("english", "pun", "sanctions"),
        ("russian", "crit", "осудил осуждает обвинениями"),
        ("russian", "supp", "поддержали"),
        ("russian", "praise", "поблагодарила"),
        ("russian", "aggr", "захватчиков"),
        ("russian", "harm", "жертвы"),
        ("russian", "illeg", "русофобии"),
        ("russian", None, "время мира другие данные отмены исключением известно режиме"),
    ],
)
def test_a_word_has_its_category_in_every_form(language, category, words):
    lexicon, stem = Lexicon.default(language), stemmer(language)
    numbers = {word: lexicon.stems.get(stem(word), -1) for word in words.split()}
    found = {word: lexicon.categories[at] if at >= 0 else None for word, at in numbers.items()}
    assert found == dict.fromkeys(numbers, category)


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
    assert Lexicon.default().misspelt.get(stem(written)) == (meant and stem(meant))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("[bad]", "[bad]\nweight = 1"), "unknown key 'bad.weight'"),
        (('"negative"', '"awful"'), "'bad.polarity' must be one of positive"),
        (('"negative"', '"positive"'), "no category of polarity 'negative'"),
        (('["nicht"]', "[]"), "'function.negators' must be a list of words"),
        (("concession", "concessions"), "unknown key 'function.concessions'. Did you mean"),
        (("[function]", "[functions]"), "functions"),
        (('"loben"', '"Loben"'), "'good.words.0' must be a lower-case word"),
        (('"gut so"', '"gut"'), "'good.phrases.0' must be several lower-case words"),
        (('"verurteilen"', '"lobe"'), "'lobe' of 'bad' has the stem of 'loben' of 'good'"),
    ],
)
def test_a_lexicon_that_is_not_complete_is_refused_in_one_line(tmp_path, change, message):
    path = write(tmp_path / "german.toml", LEXICON.replace(*change))
    with pytest.raises(RecipeError, match=re.escape(message)) as error:
        Lexicon.read(path, "german")
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("endings", "entry", "message"),
    [
        ({"e": ["", "s"]}, "Deutschland|x", "no endings 'x' for 'Deutschland|x'. Known: 'e'."),
        ({"long": ["", "s"]}, "Ost|lonng", "for 'Ost|lonng'. Did you mean 'long'?"),
        ({"e": ["", "x" * 200]}, "A|e", "'A|e' has forms of over 200 characters"),
        ({"e": []}, "A|e", "'endings' must be a table of lists of endings"),
        (["s"], "A", "'endings' must be a table of lists of endings"),
    ],
)
def test_endings_that_cannot_be_used_are_refused(endings, entry, message):
    with pytest.raises(ActorError, match=re.escape(message)):
        inflected({"Germany": {"name": [entry] * 2}}, endings, "mine.toml")


@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        ("Россия пойдёт на ответные меры, сообщает Reuters.", True),
        ("Η κυβέρνηση καταδίκασε χθες το NATO.", True),
        ("NATO Россия США", False),  # names tell no language
        ("NATO lambasts Kremlin kleptocrats.", False),
        ("Poland thanked NATO.", False),
    ],
)
def test_the_bundled_model_notices_a_short_text_of_which_it_knows_no_word(bundled, text, foreign):
    assert bundled.judge([text]).foreign.tolist() == [foreign]


def test_a_book_can_extend_that_of_another_language():
    found = ActorBook.from_toml('extends = "russian"\n["ОПЕК"]\nname = ["ОПЕК"]\n', "mine.toml")
    assert found.names == (*BOOK.names, "ОПЕК")
    assert ActorBook.from_toml('extends = "russian"', "mine.toml").actors == BOOK.actors


def test_a_user_can_bring_a_language(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sides = {"favor": "Wir loben {}, sagte er.", "against": "Sie verurteilen {} heute."}
    rows = [
        f'"{text.format(name)} Nummer {number}.",{name},{stance}'
        for number in range(12)
        for name in ("Polen", "Polens")
        for stance, text in sides.items()
    ]
    files = {
        "corpus.csv": "\n".join(["text,actor,stance", *rows]),
        "german.toml": 'language = "german"\n[validation]\nrepeats = 1\nlearning_curve = false\n',
        "actors.toml": '["Polen"]\nname = ["Polen|s"]\n[endings]\ns = ["", "s"]\n',
        "lexicon.toml": LEXICON,
    }
    for name, text in files.items():
        write(tmp_path / name, text)
    options = ["--recipe", "german.toml", "--actors", "actors.toml", "--lexicon", "lexicon.toml"]
    succeeds("train", "corpus.csv", "-o", "german.stance", *options)
    answer = invoke("explain", "Wir loben Polen.", "--model", "german.stance")
    assert answer.stdout.startswith("Polen: favor")
    write(tmp_path / "lexicon.toml", LEXICON.replace("negators", "negations"))
    refused = fails(1, "train", "corpus.csv", "-o", "other.stance", *options)
    assert "lexicon.toml: unknown key 'function.negations'" in refused
