"""What ships as data is what its cards say, to the byte and to the count."""

import csv
import datetime
import gzip
import hashlib
import re
import tomllib
from collections import Counter

import pytest
from command import ROOT, STARTER, read_rows

from stance.corpus import read_corpus
from stance.reading.actors import ActorBook
from stance.records import Sentiment, Stance

DATASETS = ROOT / "datasets"
FOLDERS = sorted(path for path in DATASETS.iterdir() if path.is_dir())
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
    return {part: read_rows(STARTER / f"starter_{part}.csv") for part in PARTS}


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
        common = [name for name, meaning in columns.items() if isinstance(meaning, str)]
        assert re.split("[,;]", header) == list(columns.get(path.name, common)), path.name


def test_the_press_of_the_tutorials_is_a_part_of_the_starter_corpus(rows):
    opinion = {"op-ed", "think-tank", "state-media", "statement"}
    names = ("document", "date", "kind", "actor", "stance", "coder_2", "text")
    pairs = [
        r for r in [*rows["test"], *rows["train"]] if r["actor"] in ("Russia", "United States")
    ]
    kinds = ("opinion" if row["genre"] in opinion else "news" for row in pairs)
    expected = [{**row, "kind": kind} for row, kind in zip(pairs, kinds, strict=True)]
    press = [tuple(row.values()) for row in read_rows(DATASETS / "tutorials" / "press.csv")]
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
        assert set(corpus.extra) == {"id", "date", "source"}


def test_no_document_is_in_both_parts(rows):
    for column in ("document", "id", "text"):
        assert not {r[column] for r in rows["train"]} & {r[column] for r in rows["test"]}


def test_no_near_duplicate_is_in_both_parts():
    train, test = (read_corpus([STARTER / f"starter_{part}.csv"]).marks for part in PARTS)
    assert not test.found_in(train).any()


def test_every_labelled_actor_is_found_in_its_text(every):
    book = ActorBook.default()
    found = book.find_all(row["text"] for row in every)
    missing = {
        (row["id"], row["actor"])
        for row, mentions in zip(every, found, strict=True)
        if row["actor"] not in {mention.actor for mention in mentions}
    }
    assert missing - NOT_NAMED == set()


# --- Speeches ---


def test_the_parts_of_the_speeches_share_no_year_and_hold_what_the_card_says():
    folder = DATASETS / "speeches"
    years = {}
    for name, sentence in card(folder)["splits"].items():
        with gzip.open(folder / name, "rt", encoding="utf-8", newline="") as table:
            pairs = list(csv.DictReader(table))
        counts = Counter(row["stance"] for row in pairs)
        assert number(r"([\d,]+) pairs", sentence) == len(pairs)
        assert number(r"([\d,]+) speeches", sentence) == len({row["document"] for row in pairs})
        assert {label: number(rf"{label} ([\d,]+)", sentence) for label in Stance} == counts
        years[name] = {int(row["date"]) for row in pairs}
        spans = re.findall(r"(\d{4})-(\d{4})", sentence)
        assert years[name] == {
            year for low, high in spans for year in range(int(low), int(high) + 1)
        }
    held_out = years.pop("speeches_test.csv.gz")
    assert not held_out & set().union(*years.values())


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


# --- The short paragraphs ---


def test_the_short_paragraphs_are_as_many_as_the_card_says_and_name_each_actor_labelled():
    read = card(SHORT)["description"]
    corpus = read_corpus([SHORT / "short_train.csv"])
    assert number(r"([\d,]+) paragraphs", read) == len(set(corpus.texts))
    assert number(r"([\d,]+) \(paragraph, actor\) pairs", read) == len(corpus)
    book, labelled = ActorBook.default(), set(corpus.actors)  # the book has grown since
    found = zip(corpus.texts, book.find_all(corpus.texts), strict=True)
    named = {(text, m.actor) for text, mentions in found for m in mentions if m.actor in labelled}
    assert set(zip(corpus.texts, corpus.actors, strict=True)) == named


def test_no_short_paragraph_is_like_one_held_out():
    short = read_corpus([SHORT / "short_train.csv"]).marks
    held_out = read_corpus([STARTER / "starter_test.csv"]).marks
    assert not short.found_in(held_out).any()


# --- The sample ---


def test_the_sample_has_the_paragraphs_that_its_card_counts():
    sample_rows = read_rows(DATASETS / "sample" / "paragraphs.csv")
    assert len(sample_rows) == number(r"(\d+) short", card(DATASETS / "sample")["description"])
    assert len({row["id"] for row in sample_rows}) == len(sample_rows)
    book = ActorBook.default()
    assert sum(1 for row in sample_rows if book.find(row["text"])) >= 20
