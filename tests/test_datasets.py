"""What ships as data is what its cards say, to the byte and to the count."""

import csv
import datetime
import hashlib
import re
import tomllib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from stance.corpus import read_corpus
from stance.reading.actors import ActorBook
from stance.reading.keys import linked_groups
from stance.records import Sentiment, Stance

DATASETS = Path(__file__).resolve().parents[1] / "datasets"
FOLDERS = sorted(path for path in DATASETS.iterdir() if path.is_dir())
STARTER = DATASETS / "starter"
SHORT = DATASETS / "short"
PARTS = ("train", "test")

NOT_NAMED = {
    ("f166", "China"),  # a post in lower case; "china" alone may be porcelain
    ("b211", "United Kingdom"),  # the British Medical Journal is not the state
}
"""Labelled pairs in which the bundled book does not find the actor."""


def card(folder):
    return tomllib.loads((folder / "card.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def rows():
    found = {}
    for part in PARTS:
        with (STARTER / f"starter_{part}.csv").open(encoding="utf-8", newline="") as table:
            found[part] = list(csv.DictReader(table))
    return found


@pytest.fixture(scope="module")
def every(rows):
    return [*rows["train"], *rows["test"]]


def number(pattern, text):
    """The number that a sentence of the card promises."""
    found = re.search(pattern, text)
    assert found, f"the card promises no {pattern!r}"
    return int(found.group(1).replace(",", ""))


# --- Cards ---


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_every_card_tells_what_a_user_must_know(folder):
    read = card(folder)
    for key in ("title", "description", "source", "licence", "language", "how_made"):
        assert isinstance(read[key], str), key
        assert read[key].strip(), key
    assert isinstance(read["made_on"], datetime.date)
    assert all(isinstance(limit, str) for limit in read["limits"])
    assert len(read["limits"]) >= 2


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_the_files_are_those_of_the_card(folder):
    sums = card(folder)["sha256"]
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == {"card.toml", *sums}
    for name, expected in sums.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == expected, name


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_the_columns_are_those_of_the_card(folder):
    columns = card(folder)["columns"]
    assert all(columns.values())
    for path in folder.glob("*.csv"):
        header = path.read_bytes().splitlines()[0].decode("ascii")
        assert re.split("[,;]", header) == list(columns.get(path.name, columns)), path.name


def test_the_press_of_the_tutorials_is_a_part_of_the_starter_corpus(rows):
    opinion = {"op-ed", "think-tank", "state-media", "statement"}
    names = ("document", "date", "kind", "actor", "stance", "coder_2", "text")
    pairs = [
        r for r in [*rows["test"], *rows["train"]] if r["actor"] in ("Russia", "United States")
    ]
    kinds = ("opinion" if row["genre"] in opinion else "news" for row in pairs)
    expected = [{**row, "kind": kind} for row, kind in zip(pairs, kinds, strict=True)]
    with (DATASETS / "tutorials" / "press.csv").open(encoding="utf-8", newline="") as table:
        press = [tuple(row.values()) for row in csv.DictReader(table)]
    assert press == [tuple(row[name] for name in names) for row in expected]


# --- The starter corpus ---


def test_every_label_is_valid(every):
    assert {row["stance"] for row in every} == set(map(str, Stance))
    assert {row["sentiment"] for row in every} == set(map(str, Sentiment))
    for coder in ("coder_1", "coder_2", "coder_3"):
        assert {row[coder] for row in every} <= {*map(str, Stance), ""}
    assert all(row["coder_1"] for row in every)


def test_it_is_read_without_a_word_about_labels():
    for part in PARTS:
        corpus = read_corpus([STARTER / f"starter_{part}.csv"])
        assert len(corpus.notes) == 1  # the separator
        assert set(corpus.extra) == {"id", "date", "source", "genre"}


def test_no_document_is_in_both_parts(rows):
    for column in ("document", "id", "text"):
        assert not {r[column] for r in rows["train"]} & {r[column] for r in rows["test"]}


def test_no_near_duplicate_is_in_both_parts():
    train, test = (read_corpus([STARTER / f"starter_{part}.csv"]).marks for part in PARTS)
    assert not test.found_in(train).any()
    groups = linked_groups([np.concatenate([train.exact, test.exact])])
    assert not set(groups[: len(train.exact)]) & set(groups[len(train.exact) :])


def test_a_paragraph_has_one_text_one_tone_and_each_actor_once(every):
    fixed = ("document", "date", "source", "genre", "sentiment", "text")
    whole = {(row["id"], *(row[name] for name in fixed)) for row in every}
    assert len(whole) == len({row["id"] for row in every})
    pairs = Counter((row["id"], row["actor"]) for row in every)
    assert [pair for pair, times in pairs.items() if times > 1] == []
    assert all(row["document"] == row["id"] for row in every)


def test_every_cell_is_well_formed(every):
    for row in every:
        assert re.fullmatch(r"[a-g]\d{3}", row["id"])
        assert datetime.date.fromisoformat(row["date"]).year in range(2000, 2027)
        assert row["source"].strip()
        assert row["text"] == row["text"].strip()
        assert len(row["text"]) > 30


def test_genres_and_hard_cases_are_those_of_the_card(every):
    columns = card(STARTER)["columns"]
    assert {row["genre"] for row in every} == set(columns["genre"].split(", "))
    kinds = set(columns["hard"].partition(": ")[2].split(", "))
    assert {kind for row in every for kind in row["hard"].split()} <= kinds


def test_every_actor_is_one_of_the_book(every):
    assert {row["actor"] for row in every} <= set(ActorBook.default().names)


def test_every_labelled_actor_is_found_in_its_text(every):
    book = ActorBook.default()
    texts = {row["text"] for row in every}
    named = {text: {mention.actor for mention in book.find(text)} for text in texts}
    missing = {(r["id"], r["actor"]) for r in every if r["actor"] not in named[r["text"]]}
    assert missing - NOT_NAMED == set()


# --- What the card promises in numbers ---


def test_the_counts_are_those_of_the_card(every):
    read = card(STARTER)
    paragraphs = {row["id"] for row in every}
    assert number(r"([\d,]+) paragraphs", read["description"]) == len(paragraphs)
    assert number(r"([\d,]+) \(paragraph, actor\) pairs", read["description"]) == len(every)
    assert {row["id"][0] for row in every} == set("abcdefg")
    assert len({i for i in paragraphs if i[0] in "ab"}) == number(
        r"first (\d+)", read["columns"]["id"]
    )


def test_the_codings_are_those_of_the_card(every):
    made = card(STARTER)["how_made"]
    drawn = number(r"coded ([\d,]+) paragraphs", made)
    rewritten = 9  # "Nine paragraphs were rewritten after that and have one coding only"
    assert "Nine paragraphs were rewritten" in made
    second = {row["id"] for row in every if row["coder_2"]}
    assert drawn - rewritten <= len(second) <= drawn
    audited = sum(1 for row in every if row["coder_3"])
    assert number(r"audited ([\d,]+) pairs", made) - rewritten * 3 <= audited
    assert audited <= number(r"audited ([\d,]+) pairs", made)
    assert not [row["id"] for row in every if row["coder_2"] and row["coder_3"]]


def test_one_fifth_of_each_genre_is_for_testing(rows):
    counts = {part: Counter() for part in PARTS}
    for part in PARTS:
        # The short paragraphs (g*) are for training only, as the card says.
        counts[part].update({r["id"]: r["genre"] for r in rows[part] if r["id"][0] != "g"}.values())
    for genre, held in counts["test"].items():
        whole = held + counts["train"][genre]
        assert abs(held - whole / 5) <= 1, genre
    assert set(counts["test"]) == set(counts["train"])
    assert not [row["id"] for row in rows["test"] if row["id"][0] == "g"]
    short = {row["id"] for row in rows["train"] if row["id"][0] == "g"}
    assert number(r"and (\d+) short ones", card(STARTER)["how_made"]) == len(short)


def test_the_shares_are_those_of_the_card(every):
    limits = " ".join(card(STARTER)["limits"])
    stances = {}
    for row in every:
        stances.setdefault(row["id"], set()).add(row["stance"])
    differing = sum(1 for found in stances.values() if len(found) > 1) / len(stances)
    assert round(100 * differing) == number(r"(\d+) % of paragraphs hold differing", limits)
    news = [row["stance"] for row in every if row["genre"] in ("wire report", "newspaper report")]
    assert "two thirds of the pairs in news genres are neutral" in limits
    assert 0.6 < news.count("neutral") / len(news) < 0.73


def test_actors_have_as_few_pairs_as_the_card_says(rows):
    most = number(r"fewer than (\d+) pairs", " ".join(card(STARTER)["limits"]))
    book = ActorBook.default().names
    counts = Counter(row["actor"] for row in rows["train"])
    assert sum(1 for name in book if counts[name] < most) >= len(book) / 2


# --- The short paragraphs ---


def test_the_short_paragraphs_are_as_many_as_the_card_says_and_label_each_actor_named():
    read = card(SHORT)["description"]
    corpus = read_corpus([SHORT / "short_train.csv"])
    assert number(r"([\d,]+) paragraphs", read) == len(set(corpus.texts))
    assert number(r"([\d,]+) \(paragraph, actor\) pairs", read) == len(corpus)
    book = ActorBook.default()
    named = {(text, m.actor) for text in set(corpus.texts) for m in book.find(text)}
    assert set(zip(corpus.texts, corpus.actors, strict=True)) == named


def test_no_short_paragraph_is_like_one_held_out():
    short = read_corpus([SHORT / "short_train.csv"]).marks
    held_out = read_corpus([STARTER / "starter_test.csv"]).marks
    assert not short.found_in(held_out).any()


# --- The sample ---


def test_the_sample_has_the_paragraphs_that_its_card_counts():
    with (DATASETS / "sample" / "paragraphs.csv").open(encoding="utf-8", newline="") as table:
        found = list(csv.DictReader(table))
    assert len(found) == number(r"(\d+) short", card(DATASETS / "sample")["description"])
    assert len({row["id"] for row in found}) == len(found)
    book = ActorBook.default()
    assert sum(1 for row in found if book.find(row["text"])) >= 20
