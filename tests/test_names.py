"""A surname stands for somebody given in full; phrases such as "the alliance" for who was named."""

import csv
import io
import json

import pytest
from command import invoke, write

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
    ("Tom Price", "Critics of Price were many. Price left.", 2),
    ("Tom Price", "Price controls failed. The Price was high.", 0),
    ("Ilse van der Meer", "Van der Meer wrote it. Thanks to van der Meer.", 2),
    ("Youssef al-Khatib", "Khatib fled, and al-Khatib's brother too.", 2),
    ("Martin Vane Jr.", "Friends of Vane protested.", 1),
    ("Green Party", "The Party blamed the Labour Party.", 0),
    ("West Carolina", "Carolina won.", 0),
    ("Ivanka Trump", "Trump spoke.", 0),  # an alias of the United States
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
    return [*csv.DictReader(io.StringIO(invoke("predict", *args).stdout))]


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
