"""Labels are valid, kept, comparable and come out as a corpus; a coder never sees an answer."""

import json
import sqlite3
from contextlib import closing

import pytest
from command import invoke, read_rows, write, write_rows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stance.corpus import read_corpus
from stance.errors import DataError, StanceError
from stance.labelling import (
    Label,
    Session,
    answered,
    check_coder,
    export_labels,
    final_label,
    is_disputed,
)
from stance.labelling.server import markdown, read_codebook
from stance.labelling.store import Store, mentions, read_task
from stance.reading.actors import ActorBook
from stance.records import ADJUDICATED
from stance.tables import open_table

BOOK = ActorBook.default()
ADDED = ("stance", "holder", "sentiment", "false_match", "note", "coder")
SAMPLE = ("text", "document", "row", "actor", "inclusion", "stratum", "purpose", *ADDED)
"""Columns of a sample to label; nobody has filled the last six."""


def sample(path, rows=8, change=None):
    """Write a table to label: paragraphs of two documents, on two actors in turn."""
    made, empty = [], dict.fromkeys(SAMPLE, "")
    for row in range(1, rows + 1):
        actor = ("NATO", "Russia")[row % 2]
        text = change if row == 3 and change else f"Paragraph {row}: {actor} spoke."
        known = {"document": f"d{row % 2}", "row": row, "actor": actor, "inclusion": 0.5}
        made.append({**empty, "text": text, "purpose": "audit", **known})
    return write_rows(path, made)


@pytest.fixture
def table(tmp_path):
    return sample(tmp_path / "to_label.csv")


@pytest.fixture
def task(table):
    return read_task(table)


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "to_label.sqlite") as found:
        yield found


def put(store, task, coder, stances):
    """Let a coder label the first rows; "?" is unsure, "0" a false match, "-" nothing."""
    marks = {"?": Label(unsure=True), "0": Label("neutral", false_match=True)}
    names = {"a": "against", "n": "neutral", "f": "favor"}
    for pair, mark in zip(task.pairs, stances, strict=False):
        if mark != "-":
            store.save(coder, pair, marks.get(mark) or Label(names[mark]))


def last_line(*args):
    """Return the error behind the notes on how a table was read."""
    ran = invoke(*args)
    assert ran.exit_code > 0
    return ran.stderr.splitlines()[-1]


# --- What a coder sees ---


def test_each_coder_has_an_own_order_that_is_always_the_same(task, tmp_path):
    anna = [pair.row for pair in task.shuffled("anna")]
    assert sorted(anna) == list(range(1, 9))
    assert anna == [pair.row for pair in read_task(task.path).shuffled("anna")]
    assert anna != [pair.row for pair in task.shuffled("ben")]
    assert check_coder(" Zoë ") == "Zoë"
    longer = read_task(sample(tmp_path / "longer.csv", 20))
    assert [pair.row for pair in longer.shuffled("anna") if pair.row <= 8] == anna


def test_nothing_of_a_model_is_shown_or_passes_for_a_coders(tmp_path, store):
    answers = "mentions,stance,stance_against,stance_neutral,stance_favor,holder,sentiment,because"
    cells = "NATO,1,WRONG,0.912345,0.01,0.07,WRONG,WRONG,WRONG"
    path = write(tmp_path / "a.csv", f"text,actor,{answers}\nNATO met.,{cells}\n")
    session = Session(read_task(path), store, BOOK, "anna", ("holder", "sentiment"))
    first = session.next()
    shown = json.dumps(first)
    assert not any(word in shown for word in ("WRONG", "0.912345", "because"))
    said = {"stance": "favor", "holder": "author", "sentiment": "neutral"}
    session.save(first["pair"], said)
    told = export_labels(session.task, store.labels(), tmp_path / "o.csv")
    assert "columns of a model's answers left out: mentions, stance_against" in told[1]
    (row,) = read_rows(tmp_path / "o.csv")
    assert {**row, **said} == row
    assert "stance_against" not in row


@pytest.mark.parametrize(
    ("row", "marked"),
    [
        ("NATO met the Alliance,NATO,", ["NATO", "Alliance"]),
        ("Rus\u00adsia\u2019s troops and Moscow,Russia,", ["Rus\u00adsia", "Moscow"]),
        ("Acme met them,Acme,9:13", ["them"]),
    ],
)
def test_mentions_are_marked_in_the_text_as_written(row, marked, tmp_path):
    (pair,) = read_task(write(tmp_path / "a.csv", f"text,actor,spans\n{row}\n")).pairs
    assert [pair.text[start:end] for start, end in mentions(pair, BOOK)] == marked


def test_a_codebook_loads_nothing_and_leads_nowhere():
    page = markdown(
        "# A\n[x](http://a.b) ![x](http://a.b/c.png) <img src=x> <http://a.b>\n\n|a|\n|-|"
    )
    assert "<h1>A</h1>" in page
    assert "<table>" in page
    assert not any(sign in page for sign in ("href", "<img", "<a "))
    assert "**favor**" in read_codebook(None)


# --- What a coder says ---


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({}, "stance '' is not one of against, neutral, favor"),
        ({"stance": "favor", "false_match": True}, "a false match is neutral"),
        ({"stance": "favor", "holder": "Somebody"}, "holder 'Somebody' is not author, other or"),
        ({"stance": "neutral", "holder": "author"}, "only a stance against or in favor has a"),
        ({"stance": "neutral", "sentiment": "glad"}, "sentiment 'glad' is not one of"),
    ],
)
def test_what_the_codebook_forbids_is_not_saved(said, reason, task, store):
    session = Session(task, store, BOOK, "anna", ("holder", "sentiment"))
    with pytest.raises(DataError, match=f"not saved: {reason}"):
        session.save(session.next()["pair"], said)
    assert store.labels() == {}


def test_a_coder_goes_on_where_another_process_stopped_and_back_to_correct(task, store):
    session = Session(task, store, BOOK, "anna")
    seen = []
    for stance in ("favor", "against"):
        seen.append(session.next()["pair"])
        session.save(seen[-1], {"stance": stance, "note": " w\0hy\ud800 "})
    with Store(store.path) as other:
        again = Session(read_task(task.path), other, BOOK, "anna")
        third = again.next()
        assert third["progress"] == {"done": 2, "total": 8, "unsure": 0}
        assert third["pair"] not in seen
        second = again.back(third["pair"])
        assert (second["pair"], second["label"]["stance"]) == (seen[1], "against")
        assert second["label"]["note"] == "why"
        assert again.back(seen[1])["pair"] == again.back(seen[0])["pair"] == seen[0]
        again.save(seen[0], {"stance": "neutral"})
        assert again.next()["pair"] == third["pair"]
        assert again.back("")["pair"] == seen[1]
    assert store.labels()["anna"][seen[0]].stance == "neutral"


def test_what_is_unsure_comes_again_and_a_tone_is_remembered(task, store, tmp_path):
    session = Session(task, store, BOOK, "anna")
    order = [pair.key for pair in task.shuffled("anna")]
    for place, key in enumerate(order):
        session.save(key, {"unsure": True} if place in (2, 5) else {"stance": "favor"})
    assert session.next()["pair"] == order[2]
    session.save(order[2], {"unsure": True})
    assert session.next()["pair"] == order[5]
    session.save(order[5], {"stance": "favor"})
    assert session.next()["pair"] == order[2]
    path = write(tmp_path / "a.csv", "text,actor\nNATO met Russia.,NATO\nNATO met Russia.,Russia\n")
    session = Session(read_task(path), store, BOOK, "anna", ("sentiment",))
    session.save(session.next()["pair"], {"stance": "neutral", "sentiment": "positive"})
    assert session.next()["tone"] == "positive"


# --- Several coders ---


def test_stores_of_two_machines_merge_once_and_the_later_label_counts(task, store, tmp_path):
    put(store, task, "anna", "aaaa")
    longer = read_task(sample(tmp_path / "longer.csv", 10))
    with Store(tmp_path / "ben.sqlite") as other:
        put(other, task, "anna", "a-n-")
        put(other, longer, "ben", "ffffffffff")
        told = store.merge(other.path, task)
    assert "10 labels read, 10 of them new; 2 labels on rows that the table lacks left out" in told
    assert "10 labels read, 0 of them new" in store.merge(tmp_path / "ben.sqlite", task)
    stances = [store.labels()["anna"][pair.key].stance for pair in task.pairs[:4]]
    assert stances == ["against", "against", "neutral", "against"]
    assert "14 labels read, 0 of them new" in store.merge(store.path, task)  # its own


def test_the_adjudicator_sees_disputes_alone_and_settles_them(task, store):
    put(store, task, "anna", "aanf?f0-")
    put(store, task, "ben", "aannff---")
    labels = store.labels()
    assert [pair.row for pair in task.pairs if is_disputed(labels, pair.key)] == [4, 5]
    session = Session(task, store, BOOK, ADJUDICATED)
    first = session.next()
    assert first["progress"]["total"] == 2
    assert {each["coder"] for each in first["opinions"]} == {"anna", "ben"}
    session.save(first["pair"], {"stance": "neutral"})
    out = task.path.with_name("o.csv")
    ran = invoke("label", task.path, "--export", out, "--coder", ADJUDICATED)
    assert "left out: 2 rows without a settled label (--coder adjudicated), 0 unsure" in ran.stderr
    rows = read_rows(out)
    assert len(rows) == 6
    assert {row["coder"] for row in rows} == {ADJUDICATED}
    assert rows[-1]["false_match"] == "1"  # of a single coder


def test_three_coders_differ_if_any_two_do(task, store):
    pair = task.pairs[0]
    for coder, holder in (("anna", ""), ("ben", "author"), ("cleo", "other")):
        store.save(coder, pair, Label("favor", holder))
    assert is_disputed(store.labels(), pair.key)
    store.save("cleo", pair, Label("favor", "author", note="hm"))
    assert final_label(store.labels(), pair.key) == Label("favor", "author", note="hm")
    assert answered(store.labels()) == ("holder",)  # what the adjudicator is asked, too


# --- Labels out ---


def test_an_export_is_the_same_table_filled_in_and_a_corpus(task, store, tmp_path):
    pairs = task.pairs
    store.save("anna", pairs[0], Label("favor", "author", "positive", note="a, b"))
    store.save("anna", pairs[1], Label("neutral", false_match=True))
    store.save("anna", pairs[2], Label(unsure=True))
    out = tmp_path / "labelled.csv"
    ran = invoke("label", task.path, "--export", out)
    assert "2 labels of anna written" in ran.stderr
    assert "left out: 5 rows without a label, 1 unsure" in ran.stderr
    before, after = read_rows(task.path), read_rows(out)
    assert list(after[0]) == list(SAMPLE)
    for old, new in zip(before, after, strict=False):
        assert all(new[name] == old[name] for name in SAMPLE if name not in ADDED)
    filled = ["favor", "author", "positive", "0", "a, b", "anna"]
    assert [after[0][name] for name in ADDED] == filled
    corpus = read_corpus([out])
    assert (corpus.stance.tolist(), corpus.holder) == ([2, 1], ("author", None))
    assert "exists already" in last_line("label", task.path, "--export", out)
    with pytest.raises(StanceError, match="is the input"):
        export_labels(task, store.labels(), task.path, force=True)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(note=st.text(st.characters(codec=None, exclude_categories=[]), max_size=40))
def test_whatever_a_coder_notes_can_be_read_from_the_export(note, task, store, tmp_path):
    session = Session(task, store, BOOK, "anna")
    session.save(task.pairs[0].key, {"stance": "favor", "note": note})
    export_labels(task, store.labels(), tmp_path / "o.csv", force=True)
    with open_table(tmp_path / "o.csv") as table:
        (record,) = table
    kept = record.cells[table.columns.index("note")]
    assert kept == store.labels()["anna"][task.pairs[0].key].note
    assert kept == note.strip() or not note.isprintable()


def test_several_coders_are_exported_in_long_form(task, store, tmp_path):
    put(store, task, "ben", "an")
    put(store, task, "anna", "a-f")
    export_labels(task, store.labels(), tmp_path / "all.csv")
    rows = [(row["row"], row["coder"], row["stance"]) for row in read_rows(tmp_path / "all.csv")]
    assert rows == [
        *(("1", "anna", "against"), ("1", "ben", "against")),
        *(("2", "ben", "neutral"), ("3", "anna", "favor")),
    ]
    export_labels(task, store.labels(), tmp_path / "ben.csv", coder="ben")
    assert len(read_rows(tmp_path / "ben.csv")) == 2
    said = last_line("label", task.path, "--export", tmp_path / "c.csv", "--coder", "cleo")
    assert "'cleo' has not labelled; known: ben, anna" in said


# --- What cannot be used ---


SET = "UPDATE labels SET"


def change(*queries):
    def change(path):
        with closing(sqlite3.connect(path)) as base, base:
            for query in queries:
                base.execute(query)

    return change


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path: path.write_text("text,actor\n" * 99), "is damaged, or not a store of labels"),
        (change("DROP TABLE labels"), "is not a store of labels of version 2; move it"),
        (
            change("CREATE TRIGGER t AFTER INSERT ON labels BEGIN DELETE FROM labels; END"),
            "is not a",
        ),
        (change(f"{SET} at = {2**63 - 1}"), "a cell has a wrong value"),
        (change(f"{SET} note = '\x1b[31m'"), "a cell has a wrong value"),
        (lambda path: path.write_bytes(b""), "is empty; label first"),
        (change(f"{SET} note = CAST(x'8a' AS TEXT)"), "Could not decode to UTF-8"),
        (change("PRAGMA user_version = 7"), "is not a store of labels of version 2; move it"),
        (change(f"{SET} stance = 'pro' WHERE row = 2"), "on row 2 is not valid: stance 'pro' is"),
        (change(f"{SET} note = x'ff'"), "of anna on row 1 is not valid: a cell has a wrong value"),
    ],
)
def test_a_store_that_cannot_be_used_is_refused_and_left_as_it_is(spoil, reason, task, tmp_path):
    path = tmp_path / "to_label.sqlite"
    with Store(path) as store:
        put(store, task, "anna", "aaaa")
    spoil(path)
    before = path.read_bytes()
    assert reason in last_line("label", task.path, "--export", tmp_path / "o.csv")
    assert path.read_bytes() == before
    assert not (tmp_path / "o.csv").exists()


def test_a_table_that_changed_is_named_with_its_row(task, store, tmp_path):
    put(store, task, "anna", "aaaa")
    sample(task.path, change="Another paragraph on Russia.")
    said = last_line("label", task.path, "--export", tmp_path / "o.csv")
    assert "is not the table that was labelled: 1 labelled row changed or gone, the f" in said


GOOD = "text,actor\nNATO met.,NATO\n"


@pytest.mark.parametrize(
    ("text", "args", "reason"),
    [
        ("body,actor\na,b\n", "--export o.csv", "did you mean --text-column 'body'?"),
        ("text,id\na,b\n", "--export o.csv", "it has text, id; stance predict finds actors, and"),
        ("text,actor\na,\n", "--export o.csv", "no row with a text and an actor; nothing to label"),
        ("text,actor,spans\nabc,b,1:9\n", "--export o.csv", ":2: spans '1:9' is not a place in"),
        (GOOD, "--export o.csv", "a.sqlite: does not exist; label first"),
        (GOOD, "", "name who labels with --coder NAME"),
        (GOOD, "--coder a --ask tone", "must be 'holder' or 'sentiment' or 'holder,sentiment' or "),
    ],
)
def test_what_cannot_be_labelled_is_refused_and_leaves_nothing(text, args, reason, tmp_path):
    table = write(tmp_path / "a.csv", text)
    assert reason in last_line("label", table, *args.split())
    assert list(tmp_path.iterdir()) == [table]
