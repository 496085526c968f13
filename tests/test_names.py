"""A surname stands for somebody given in full; phrases such as "the alliance" for who was named."""

import json

import numpy as np
import pytest
from command import dicts, fails, invoke, misused, write

from stance import load_model
from stance.reading.actors import ActorBook

# An actor, a text, and how often the text names the actor.
SURNAMES = (
    ("Mitch McConnell", "McConnell betrayed the voters.", 1),
    ("Sen. Mitch McConnell", "Mitch McConnell left. It was McConnell's idea, McConnell-style.", 3),
    ("Mitch McConnell", "Senate Majority Leader McConnell spoke. But McConnell did not listen.", 2),
    ("Mitch McConnell", "Elaine McConnell spoke. McConnell did not listen.", 0),
    ("Mitch McConnell", "Elaine McConnell met Mitch McConnell.", 1),
    ("Mitch McConnell", "MCCONNELL SAYS NO", 1),
    ("Mitch McConnell", "Senators Fear McConnell More Than Voters", 1),
    ("Mitch McConnell", "The mcconnell of old is no more; McConnells are many.", 0),
    ("Rand Paul", "His father, Ron Paul, listened while Paul spoke.", 0),
    ("Rand Paul", "Paul Ryan spoke, and Rand Paul did not.", 1),
    ("Ron Paul", "Everyone admires Rand Paul. Paul is a hero.", 0),
    ("Tom Price", "Critics of Price were many. Price left.", 2),
    ("Tom Price", "Price controls failed. The Price was high.", 0),
    ("Ilse van der Meer", "Van der Meer wrote it. Thanks to van der Meer.", 2),
    ("Youssef al-Khatib", "Khatib fled, and al-Khatib's brother too.", 2),
    ("Martin Vane Jr.", "Friends of Vane protested.", 1),
    ("Green Party", "The Party blamed the Labour Party.", 0),
    ("West Carolina", "Carolina won.", 0),
    ("Ivanka Trump", "Trump spoke.", 0),  # an alias of the United States
    ("President Donald J. Trump", "Trump spoke. America listened.", 1),  # not the state
    ("Hillary Clinton", "Clinton spoke. America listened.", 1),
    ("Angela Merkel", "Scholz spoke.", 0),
    ("putin", "Putin spoke. Russia listened.", 1),
    ("TRUMP", "Trump spoke. America listened.", 1),
    ("Volodymyr Zelenskyy", "Zelensky spoke.", 1),
    ("Trump", "Trump Tower fell. Ivanka Trump spoke.", 0),
    ("Putin, Vladimir", "Putin spoke.", 1),
    ("Vladimir Vladimirovich Putin", "Vladimir Putin spoke.", 1),
    ("Bashar al-Assad", "Assad spoke.", 1),
    ("McConnell, Mitch", "McConnell spoke.", 1),
    ("Theresa May", "In May it rained. Since May it has been dry.", 0),
    ("Theresa May", "In London, May spoke. They lost faith in May.", 2),
    ("Delacroix", "Delacroix and Ana Delacroix left.", 2),  # a name alone is looked for as it is
)

PEOPLE = """
["Bill Oduya"]
kind = "person"
name = ["Bill Oduya", "Billy Oduya"]

["Hilda Oduya"]
kind = "person"
name = ["Hilda Oduya"]

["Mona Fairfax"]
kind = "person"
name = ["Mona Fairfax"]

["The Guild"]
name = ["Guild", "Fairfax Street"]
"""


def rows(*args):
    """Return the rows that `predict` writes."""
    return dicts(invoke("predict", *args).stdout)


@pytest.fixture
def people(tmp_path):
    return write(tmp_path / "people.toml", PEOPLE)


def test_a_surname_stands_for_the_person_of_the_row(tmp_path):
    lines = [f'"{actor}","{text}"\n' for actor, text, _ in SURNAMES]
    path = write(tmp_path / "rows.csv", "actor,text\n" + "".join(lines))
    counted = [(row["actor"], row["text"], int(row["mentions"])) for row in rows(path)]
    assert counted == [*SURNAMES]
    ran = invoke("explain", SURNAMES[0][1], "--actor", SURNAMES[0][0], "--json")
    assert json.loads(ran.stdout)[0]["mentions"] == 1
    kept = rows(path, "--aliases", "name")
    assert sum(int(row["mentions"]) for row in kept) < sum(number for *_, number in SURNAMES)
    assert kept[0]["mentions"] == "0"


def test_persons_of_a_book_are_known_by_surnames_that_tell_them_apart(people, tmp_path):
    text = (
        "Fairfax lost.|Fairfax Street is closed.|Oduya spoke.|Hilda Oduya spoke; Oduya is right.|"
        "Billy Oduya met Oduya and Mona.|Lord Fairfax and Jane Fairfax met."
    )
    path = write(tmp_path / "texts.csv", "text\n" + text.replace("|", "\n") + "\n")
    named = [(row["row"], row["actor"], row["mentions"]) for row in rows(path, "--actors", people)]
    assert named == [
        ("1", "Mona Fairfax", "1"),
        ("2", "The Guild", "1"),
        ("3", "", "0"),  # either could be meant
        ("4", "Hilda Oduya", "2"),
        ("5", "Bill Oduya", "2"),
        ("6", "", "0"),
    ]
    named = [row["actor"] for row in rows(path, "--actors", people, "--aliases", "name,nickname")]
    assert named == ["", "The Guild", "", "Hilda Oduya", "Bill Oduya", ""]


def test_a_book_says_which_surnames_count(people):
    book = ActorBook.read(people)
    assert book.actors[0].aliases["surname"] == ("Oduya",)
    assert ActorBook.from_tables(book.to_tables(), "again").actors == book.actors
    assert book.number("Fairfax") == book.number("Mona Fairfax") >= 0 > book.number("Oduya")
    without = {"Mona Fairfax": {"kind": "person", "name": ["Mona Fairfax"], "surname": []}}
    assert not ActorBook.from_tables(without, "mine").find("Fairfax lost.")
    meer = '["Meer"]\nkind = "person"\nname = ["Ilse van der Meer"]\n'
    assert len(ActorBook.from_toml(meer, "mine").find("Van der Meer thanked van der Meer.")) == 2


GROUPS = """
["The League"]
kind = "organisation"
name = ["League"]
refers = ["the bloc", "the club"]

["The Pact"]
kind = "organisation"
name = ["Pact"]
refers = ["the bloc"]

["Ruritania"]
kind = "state"
name = ["Ruritania"]
refers = ["the kingdom"]

["Bohemia"]
kind = "state"
name = ["Bohemia"]

["Moravia"]
kind = "state"
name = ["Moravia"]
"""

ACTORS = {"L": "The League", "P": "The Pact", "R": "Ruritania", "B": "Bohemia", "M": "Moravia"}
REFERRED = (  # a paragraph, and a letter for each time that it names an actor
    ("The bloc met. The League left the bloc.", "LL"),
    ("The League met the Pact, and the bloc's leaders agreed.", "LPP"),
    ("The Pact met Ruritania; the club was closed.", "PR"),
    ("Ruritania joined the League. The kingdom thanked the bloc.", "RRLL"),
    ("Ruritania attacked Bohemia, and the kingdom fell.", "RB"),
    ("The kingdom fell.", ""),
    ("Ruritania met Bohemia. I blame both countries.", "RRBB"),
    (
        "Bohemia left the League. The two nations, Ruritania said, lost. Both governments denied.",
        "BBLRR",
    ),
    ("Moravia fell. Ruritania met Bohemia. Both leaders left.", "MRRBB"),
    ("Moravia fell. Ruritania met Bohemia, and the two neighbours' ties grew.", "MRRBB"),
    ("Moravia, Ruritania and Bohemia met. Both countries left.", "MRB"),
    ("Ruritania met Bohemia. Moravia thanked both capitals.", "MRB"),
    ("The two countries talked: Ruritania and Bohemia.", "RB"),
    ("Ruritania met Bohemia; two countries talked.", "RB"),
    ("Ruritania met the League. Both nations left.", "RL"),
)
COUNTED = [{ACTORS[letter]: named.count(letter) for letter in named} for _, named in REFERRED]


def test_a_phrase_refers_to_the_last_actors_of_its_kind(tmp_path):
    book = write(tmp_path / "groups.toml", GROUPS)
    texts = "".join(f'"{text}"\n' for text, _ in REFERRED)
    path = write(tmp_path / "texts.csv", f"text\n{texts}")

    def named(*options):
        counts = [{} for _ in REFERRED]
        for row in filter(lambda row: row["actor"], rows(path, "--actors", book, *options)):
            counts[int(row["row"]) - 1][row["actor"]] = int(row["mentions"])
        return counts

    assert named() == COUNTED
    assert named("--aliases", "name") == [dict.fromkeys(counts, 1) for counts in COUNTED]
    asked = write(tmp_path / "asked.csv", 'actor,text\nThe League,"The League left the bloc."\n')
    assert rows(asked, "--actors", book)[0]["mentions"] == "2"
    counted = json.loads(invoke("actors", path, "--actors", book, "--json").stdout)
    known = counted["actors"]["Ruritania"]["aliases"]
    assert (known["Ruritania"], known["kingdom"]) == (12, 1)
    assert (known["both countries"], known["two neighbours"]) == (1, 1)


PARAGRAPHS = (
    # document, paragraph, text, kingdoms named
    ("a", "1", "Ruritania met the League.", {"Ruritania", "The League"}),
    ("a", "2", "The kingdom is a menace. The bloc is not.", {"Ruritania", "The League"}),
    ("a", "3", "The kingdom lied.", set()),  # the paragraph before names nobody by name
    ("b", "4", "The kingdom lied.", set()),
    ("b", "6", "Ruritania met the League.", {"Ruritania", "The League"}),
    ("b", "8", "The kingdom lied.", set()),
    ("", "9", "Ruritania met the League.", {"Ruritania", "The League"}),
    ("", "10", "The kingdom lied.", set()),
)


def test_a_phrase_may_refer_to_the_paragraph_before(tmp_path):
    book = write(tmp_path / "groups.toml", GROUPS)
    lines = "".join(",".join(row[:3]) + "\n" for row in PARAGRAPHS)
    path = write(tmp_path / "texts.csv", f"document,paragraph,text\n{lines}")
    named = [set() for _ in PARAGRAPHS]
    for row in rows(path, "--actors", book):
        named[int(row["row"]) - 1] |= {row["actor"]} - {""}
    assert named == [actors for *_, actors in PARAGRAPHS]
    asked = write(tmp_path / "asked.csv", "document,paragraph,text,actor\nd,1,NATO lied.,NATO\n")
    assert rows(asked)[0]["mentions"] == "1"  # one row, with nothing before it
    shared = "Ruritania met the League.\n\nShare this article\n\nThe kingdom lied.\n"
    article = write(tmp_path / "a.txt", shared)
    kept = [row for row in rows(article, "--actors", book, "--keep-all") if not row["boilerplate"]]
    assert [row["actor"] for row in kept] == ["Ruritania", "The League", "Ruritania"]
    model = load_model()
    with pytest.raises(TypeError, match=r"before\[0\] is None, not a string"):
        model.judge(["NATO lied."], before=[None])
    assert model.judge(["NATO lied."], before=np.array([""]))[0].actor == "NATO"
    (answer,) = model.judge(["The alliance is a menace."], before=["NATO met."])
    assert (answer.actor, answer.stance, answer.holder) == ("NATO", "against", "author")
    text = "\u201cNATO is a threat to us all.\u201d"
    before = "\u201cWe were attacked,\u201d Putin said. \u201cEverybody knows."
    holders = [model.judge([text], before=[one])[0].holder for one in (before, f"{before}\u201d")]
    assert holders == ["Russia", "other"]


def test_the_book_refers_to_its_main_actors():
    texts = ("NATO met, and the alliance agreed.", "The EU said that the bloc was ready.")
    found = [[mention.actor for mention in ActorBook.default().find(text)] for text in texts]
    assert found == [["NATO"] * 2, ["European Union"] * 2]


def test_a_book_is_made_of_a_table_of_people(tmp_path):
    table = "name,party,country,from,to\n"
    table += "Mona Fairfax,Harbour Party,Ruritania,2015-12-31,2017-01-31\n"
    table += 'Mona Fairfax,Harbour Party,,2019-05-01,\n"Oduya, Dr. Bill",,,,\n,,,,\n'
    table += '"Schmidt, Kurt, Dr.",,,,\n"Ann C. ""Bo"" Ray",Harbour Party,,,\n'
    with pytest.warns(UserWarning, match="people.csv: 1 row without a name, left out"):
        made = invoke("actors", "--from", write(tmp_path / "people.csv", table)).stdout
    assert '# Ruritania\n["Harbour Party"]' in made
    book = write(tmp_path / "book.toml", made)
    texts = ("2016-05-01,Fairfax", "2018-05-01,Mona Fairfax", "2020-05-01,Fairfax")
    lines = "".join(f"{text} of the Harbour Party met Oduya; Bo Ray; Schmidt.\n" for text in texts)
    path = write(tmp_path / "texts.csv", f"date,text\n{lines}")
    named = [(row["row"], row["actor"]) for row in rows(path, "--actors", book)]
    others = ["Harbour Party", "Bill Oduya", 'Ann C. "Bo" Ray', "Kurt Schmidt"]
    expected = [["Mona Fairfax", *others], others, ["Mona Fairfax", *others]]
    assert named == [(str(at), name) for at, names in enumerate(expected, 1) for name in names]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("vorname,Nom\nMona,Ray\n", "it has vorname, Nom; rename the column that holds full names"),
        ("name,party\n,\n", "no name in it; write one person in each row"),
        (
            "name,from\nMona,1 May 2015\n",
            "csv:2: 'from' and 'to' are '1 May 2015' and ''; write a first",
        ),
    ],
)
def test_a_table_without_people_is_refused(table, message, tmp_path):
    assert message in fails(1, "actors", "--from", write(tmp_path / "people.csv", table))


def test_names_that_the_book_lacks_are_found_in_texts(tmp_path):
    texts = (
        "We met Ana Delacroix and General Åse Ødegård of Oslo in France.",
        "The critics of Delacroix, of Ødegård, of Bashar al-Assad and of NATO left.",
        "Rain fell. Then Counsel Ana Delacroix of Lyon said: I'm wet. Bashar al-Assad was dry.",
    )
    path = write(tmp_path / "texts.csv", "text\n" + "".join(f'"{text}"\n' for text in texts))
    ran = invoke("actors", path, "--discover")
    assert "2 names not in the book and in 2 documents or more" in ran.stderr
    assert ActorBook.from_toml(ran.stdout, "mine").names == ("Ana Delacroix", "Åse Ødegård")
    one, other = json.loads(invoke("actors", path, "--discover", "--json").stdout)
    assert (one["kind"], one["documents"], other["documents"]) == ("person", 3, 2)
    assert one["context"].startswith("We met Ana Delacroix and")
    one = write(tmp_path / "one.csv", "document,text\na,Ana Delacroix met Ana Delacroix.\n")
    ran = invoke("actors", one, "--discover")
    assert "1 name not in the book\n" in ran.stderr
    assert "# 1 document: Ana Delacroix met" in ran.stdout
    empty = write(tmp_path / "empty.txt", "")
    assert "0 names not in the book" in invoke("actors", empty, "--discover").stderr
    assert invoke("actors", empty).exit_code == 0
    many = "We met " + " or ".join(f"Xa{number}" for number in range(101)) + "\n"
    path = write(tmp_path / "many.csv", f"text\n{2 * many}")
    assert "; the first 100 are printed" in invoke("actors", path, "--discover").stderr
    misused("actors", "--discover")
    misused("actors", path, "--from", path)
    misused("actors", "--from", path, "--date-format=%d/%m/%Y")


@pytest.mark.parametrize(("rows", "said"), [(4, False), (5, True)])
def test_predict_says_which_frequent_names_it_does_not_know(rows, said, tmp_path):
    path = write(tmp_path / "texts.csv", "text\n" + '"Critics of Halvorsen met NATO."\n' * rows)
    ran = invoke("predict", path, "-o", str(tmp_path / "answers.csv"), "--jobs", "1")
    note = "1 name in 5 or more of the first 300 rows but not in the actor book (Halvorsen)"
    assert (note in " ".join(ran.stderr.split())) == said
    with_actors = write(tmp_path / "pairs.csv", "text,actor\n" + "Halvorsen left.,NATO\n" * rows)
    assert "not in the book" not in invoke("predict", with_actors).stderr
