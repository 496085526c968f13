"""Labels are valid, kept, comparable and come out as a corpus; a coder never sees an answer."""

import csv
import json
import sqlite3
import sys
from contextlib import closing

import pytest
from command import fails, invoke, misused, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stance.corpus import read_corpus
from stance.errors import DataError, UsageError
from stance.labelling import (
    Label,
    Session,
    Store,
    answered,
    check_coder,
    export_labels,
    measure_coders,
    parse_questions,
    read_codebook,
    read_task,
)
from stance.labelling.coders import final_label, is_disputed
from stance.labelling.server import markdown
from stance.labelling.task import mentions
from stance.reading.actors import ActorBook
from stance.reading.text import normalise, raw_spans
from stance.records import ADJUDICATED
from stance.tables import open_table

BOOK = ActorBook.default()
ADDED = ("stance", "holder", "sentiment", "false_match", "note", "coder")
SAMPLE = ("text", "document", "row", "actor", "inclusion", "stratum", "purpose", *ADDED)
"""Columns of a sample to label; nobody has filled the last six."""


def sample(path, rows=8, change=None):
    """Write a table to label: paragraphs of two documents, on two actors in turn."""
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, SAMPLE, restval="")
        out.writeheader()
        for row in range(1, rows + 1):
            actor = ("NATO", "Russia")[row % 2]
            text = change if row == 3 and change else f"Paragraph {row}: {actor} spoke."
            known = {"document": f"d{row % 2}", "row": row, "actor": actor, "inclusion": 0.5}
            out.writerow({"text": text, "purpose": "audit", **known})
    return path


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


def put(store, task, coder, *stances):
    """Let a coder label the first rows; "?" is unsure, "0" a false match, "-" nothing."""
    marks = {"?": Label(unsure=True), "0": Label("neutral", false_match=True)}
    names = {"a": "against", "n": "neutral", "f": "favor"}
    for pair, mark in zip(task.pairs, *stances, strict=False):
        if mark != "-":
            store.save(coder, pair, marks.get(mark) or Label(names[mark]), 2.0)


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# --- What a coder sees ---


def test_each_coder_has_an_own_order_that_is_always_the_same(task, tmp_path):
    anna = [pair.row for pair in task.shuffled("anna", 0)]
    assert sorted(anna) == list(range(1, 9))
    assert anna == [pair.row for pair in read_task(task.path).shuffled("anna", 0)]
    assert anna != [pair.row for pair in task.shuffled("ben", 0)]
    assert anna != [pair.row for pair in task.shuffled("anna", 1)]
    longer = read_task(sample(tmp_path / "longer.csv", 20))
    assert [pair.row for pair in longer.shuffled("anna", 0) if pair.row <= 8] == anna


def test_nothing_of_a_model_is_shown(tmp_path, store):
    answers = "row,actor,stance,stance_against,holder,sentiment,because,secret\n"
    cells = "1,NATO,WRONG,0.912345,WRONG,WRONG,WRONG,WRONG\n"
    path = write(tmp_path / "a.csv", f"text,{answers}NATO met.,{cells}")
    session = Session(read_task(path), store, BOOK, "anna", ("holder", "sentiment"))
    shown = json.dumps([session.next(), session.around(session.next()["pair"])])
    assert "NATO" in shown
    assert not any(word in shown for word in ("WRONG", "0.912345", "because"))


@pytest.mark.parametrize(
    ("row", "marked"),
    [
        ("NATO met the Alliance,NATO,", ["NATO"]),
        ("Rus\u00adsia\u2019s troops and Moscow,Russia,", ["Rus\u00adsia", "Moscow"]),
        ("Acme met Acme Ltd,Acme,", ["Acme", "Acme"]),
        ("Acme met them,Acme,9:13", ["them"]),
        ("nobody here,NATO,", []),
    ],
)
def test_mentions_are_marked_in_the_text_as_written(row, marked, tmp_path):
    (pair,) = read_task(write(tmp_path / "a.csv", f"text,actor,spans\n{row}\n")).pairs
    assert [pair.text[start:end] for start, end in mentions(pair, BOOK)] == marked


def test_leaders_are_marked_while_in_office_only(tmp_path):
    rows = "Macron spoke.,France,2024-03-01\nMacron spoke.,France,2010-03-01\n"
    task = read_task(write(tmp_path / "a.csv", f"text,actor,date\n{rows}"))
    assert [len(mentions(pair, BOOK)) for pair in task.pairs] == [1, 0]


@given(st.text(st.sampled_from("aé\u0301\u00ad\u2019\r\n\u200b U."), max_size=30), st.data())
def test_places_in_the_plain_text_are_found_in_the_raw_one(text, data):
    plain = normalise(text)
    start, end = sorted(data.draw(st.integers(0, len(plain))) for _ in "ab")
    ((low, high),) = raw_spans(text, [(start, end)])
    assert 0 <= low <= high <= len(text)
    if "\u0301" not in text:  # a mark merges with the letter before it
        assert normalise(text[low:high]) == plain[start:end]


def test_neighbours_come_from_the_same_document(tmp_path, table):
    task = read_task(table)
    assert task.around(task.pairs[2]) == (
        ["Paragraph 1: Russia spoke."],
        ["Paragraph 5: Russia spoke.", "Paragraph 7: Russia spoke."],
    )
    texts = ["Before.", "Paragraph 1: Russia spoke.", "Paragraph 1: Russia spoke.", "After."]
    lines = "".join(f"{text},d1,against\n" for text in texts)
    archive = write(tmp_path / "archive.csv", f"text,document,stance\n{lines}Other.,d2,favor\n")
    task = read_task(table, context=archive)
    assert task.around(task.pairs[0]) == (["Before."], ["After."])
    foreign = write(tmp_path / "foreign.csv", "text,document\nOther.,x\n")
    assert any("has no document of" in note for note in read_task(table, context=foreign).notes)


def test_the_table_of_context_has_an_encoding_of_its_own(tmp_path, table):
    archive, first = tmp_path / "archive.csv", "Paragraph 1: Russia spoke."
    archive.write_bytes(f"text;document\nDébut;d1\n{first};d1\n".encode("cp1252"))
    task = read_task(table, context=archive, context_encoding="cp1252")
    assert task.around(task.pairs[0]) == (["Début"], [])
    with pytest.raises(DataError, match=r"archive\.csv:2: .* try --context-encoding cp1252"):
        read_task(table, context=archive)
    line = fails(2, "label", table, "--coder", "anna", "--context-encoding", "cp1252")
    assert "add --context TABLE" in line


def test_a_codebook_loads_nothing_and_leads_nowhere():
    page = markdown(
        "# A\n[x](http://a.b) ![x](http://a.b/c.png) <img src=x> <http://a.b>\n\n|a|\n|-|"
    )
    assert "<h2>A</h2>" in page
    assert "<table>" in page
    assert not any(sign in page for sign in ("href", "<img", "<a "))
    assert "**favor**" in read_codebook(None)


# --- What a coder says ---


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({}, "stance '' is not one of against, neutral, favor"),
        ({"stance": "pro"}, "stance 'pro' is not one of"),
        ({"stance": "favor", "false_match": True}, "a false match is neutral"),
        ({"stance": "neutral", "holder": "author"}, "only a stance against or in favor"),
        ({"stance": "favor", "holder": "Somebody"}, "holder 'Somebody' is not author, other or"),
        ({"stance": "favor", "sentiment": "positive"}, "say whose stance it is"),
        ({"stance": "neutral"}, "say which tone"),
        ({"stance": "neutral", "sentiment": "glad"}, "sentiment 'glad' is not one of"),
        ({"unsure": True, "stance": "favor"}, "an unsure label has no answer"),
        ({"unsure": True, "note": "x" * 2001}, "the note has more than 2,000 characters"),
        ({"stance": "neutral", "secret": 1}, "secret is not part of a label"),
        ({"stance": "neutral", "secret": None}, "secret is not part of a label"),
        ({"stance": ["favor"]}, "stance is not part of a label"),
    ],
)
def test_what_the_codebook_forbids_is_not_saved(said, reason, task, store):
    session = Session(task, store, BOOK, "anna", ("holder", "sentiment"))
    with pytest.raises(DataError, match=f"not saved: {reason}"):
        session.save(session.next()["pair"], said, 1)
    with pytest.raises(DataError, match="this row is not in the table"):
        session.save("nowhere", {"unsure": True}, 1)
    assert store.labels() == {}


def test_a_coder_goes_on_where_another_process_stopped_and_back_to_correct(task, store):
    session = Session(task, store, BOOK, "anna")
    seen = []
    for stance in ("favor", "against"):
        seen.append(session.next()["pair"])
        session.save(seen[-1], {"stance": stance, "note": " w\0hy\ud800 "}, 3.0)
    with Store(store.path) as other:
        again = Session(read_task(task.path), other, BOOK, "anna")
        third = again.next()
        assert third["progress"] == {"done": 2, "total": 8, "unsure": 0, "seconds": 3.0}
        assert third["pair"] not in seen
        second = again.back(third["pair"])
        assert (second["pair"], second["label"]["stance"]) == (seen[1], "against")
        assert second["label"]["note"] == "why"
        assert again.back(seen[1])["pair"] == again.back(seen[0])["pair"] == seen[0]
        again.save(seen[0], {"stance": "neutral"}, 1.0)
        assert again.next()["pair"] == third["pair"]
        assert again.back("")["pair"] == seen[1]  # in the order in which they were first labelled
    assert store.labels()["anna"][seen[0]].label.stance == "neutral"


def test_what_is_unsure_comes_again_at_the_end(task, store):
    session = Session(task, store, BOOK, "anna")
    order = [pair.key for pair in task.shuffled("anna", 0)]
    for place, key in enumerate(order):
        session.save(key, {"unsure": True} if place in (2, 5) else {"stance": "favor"}, 1.0)
    assert session.next()["pair"] is None
    assert session.next(unsure=True)["pair"] == order[2]
    assert session.next(order[2], unsure=True)["pair"] == order[5]
    assert session.next(order[5], unsure=True)["pair"] is None


def test_the_tone_of_a_paragraph_is_remembered_for_its_other_actor(tmp_path, store):
    path = write(tmp_path / "a.csv", "text,actor\nNATO met Russia.,NATO\nNATO met Russia.,Russia\n")
    session = Session(read_task(path), store, BOOK, "anna", ("sentiment",))
    session.save(session.next()["pair"], {"stance": "neutral", "sentiment": "positive"}, 1.0)
    assert session.next()["tone"] == "positive"


# --- Several coders ---


def test_stores_of_two_machines_merge_once_and_the_later_label_counts(task, store, tmp_path):
    put(store, task, "anna", "aaaa")
    with Store(tmp_path / "ben.sqlite") as other:
        put(other, task, "ben", "ffff")
        put(other, task, "anna", "a-n-")
        first = store.merge(other.path, task)
    assert (first.labels, first.new, first.contested) == (6, 6, 1)
    assert "1 row labelled differently by one coder in both: the later counts" in first.line()
    assert store.merge(tmp_path / "ben.sqlite", task).new == 0
    labels = store.labels()
    assert [labels["anna"][pair.key].label.stance for pair in task.pairs[:4]] == [
        *("against", "against", "neutral", "against")
    ]
    assert len(labels["ben"]) == 4


def test_labels_on_rows_that_the_table_lacks_are_counted(task, store, tmp_path):
    longer = read_task(sample(tmp_path / "longer.csv", 10))
    with Store(tmp_path / "ben.sqlite") as other:
        put(other, longer, "ben", "ffffffffff")
    assert "2 labels on rows that the table lacks left out" in (
        store.merge(tmp_path / "ben.sqlite", task).line()
    )
    with Store(tmp_path / "none.sqlite"), pytest.raises(DataError, match="holds no label of a row"):
        store.merge(tmp_path / "none.sqlite", task)
    with pytest.raises(DataError, match="is the store that is merged into"):
        store.merge(store.path, task)


def test_agreement_leaves_out_the_unsure_and_the_adjudicator(task, store):
    put(store, task, "anna", "aanf?fff")
    put(store, task, "ben", "aannffff")
    put(store, task, ADJUDICATED, "nnnnnnnn")
    found = measure_coders(task, store.labels()).to_json()
    assert (found["coders"], found["units"]) == (["anna", "ben"], 7)
    assert found["percent"]["value"] == pytest.approx(6 / 7)
    assert set(found["per_group"]) == {"NATO", "Russia"}
    assert found["questions"]["false match"]["units"] == 7
    lines = invoke("label", task.path, "--agreement").stdout.splitlines()
    assert lines[0] == "agreement of anna and ben [95 % interval]"
    assert lines[2].startswith("all                 7  ")
    assert json.loads(invoke("label", task.path, "--agreement", "--json").stdout) == found


def test_the_adjudicator_sees_disputes_alone_and_settles_them(task, store):
    put(store, task, "anna", "aanf?f0-")
    put(store, task, "ben", "aannff---")
    labels = store.labels()
    disputed = [pair.row for pair in task.pairs if is_disputed(labels, pair)]
    assert disputed == [4, 5]
    session = Session(task, store, BOOK, ADJUDICATED)
    first = session.next()
    assert first["progress"]["total"] == 2
    assert {each["coder"] for each in first["opinions"]} == {"anna", "ben"}
    session.save(first["pair"], {"stance": "neutral"}, 1.0)
    done = export_labels(task, store.labels(), task.path.with_name("o.csv"), coder=ADJUDICATED)
    assert (done.rows, done.open) == (6, 2)
    assert "left out: 2 rows without settled label (--adjudicate)" in done.lines()[1]
    rows = rows_of(task.path.with_name("o.csv"))
    assert {row["coder"] for row in rows} == {ADJUDICATED}
    assert rows[-1]["false_match"] == "1"  # of a single coder


def test_the_adjudicator_is_asked_what_the_coders_were(task, store):
    put(store, task, "anna", "aanf")
    assert answered(store.labels()) == ()
    store.save("ben", task.pairs[0], Label("favor", "author", "positive"), 1.0)
    assert answered(store.labels()) == ("holder", "sentiment")


def test_three_coders_differ_if_any_two_do(task, store):
    pair = task.pairs[0]
    for coder, holder in (("anna", ""), ("ben", "author"), ("cleo", "other")):
        store.save(coder, pair, Label("favor", holder), 1.0)
    assert is_disputed(store.labels(), pair)
    store.save("cleo", pair, Label("favor", "author", note="hm"), 1.0)
    assert final_label(store.labels(), pair) == Label("favor", "author", note="cleo: hm")


# --- Labels out ---


def test_an_export_is_the_same_table_filled_in_and_a_corpus(task, store, tmp_path):
    pairs = task.pairs
    store.save("anna", pairs[0], Label("favor", "author", "positive", note="a, b"), 1.0)
    store.save("anna", pairs[1], Label("neutral", false_match=True), 1.0)
    store.save("anna", pairs[2], Label(unsure=True), 1.0)
    out = tmp_path / "labelled.csv"
    ran = invoke("label", task.path, "--export", out)
    assert "2 labels of anna written as table" in ran.stderr
    assert "left out: 5 rows without label, 1 unsure" in ran.stderr
    before, after = rows_of(task.path), rows_of(out)
    assert list(after[0]) == list(SAMPLE)
    for old, new in zip(before, after, strict=False):
        assert {name: new[name] for name in SAMPLE if name not in ADDED} == {
            name: old[name] for name in SAMPLE if name not in ADDED
        }
    assert [after[0][name] for name in ADDED] == [
        *("favor", "author", "positive", "0", "a, b", "anna")
    ]
    corpus = read_corpus([out])
    assert (corpus.stance.tolist(), corpus.holder) == ([2, 1], ("author", None))
    assert corpus.false_match.tolist() == [False, True]
    assert "exists already" in fails_after_note("label", task.path, "--export", out)


def fails_after_note(*args):
    """Return the error behind the notes on how a table was read."""
    ran = invoke(*args)
    assert ran.exit_code > 0
    return ran.stderr.splitlines()[-1]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(note=st.text(st.characters(codec=None, exclude_categories=[]), max_size=40))
def test_whatever_a_coder_notes_can_be_read_from_the_export(note, task, store, tmp_path):
    session = Session(task, store, BOOK, "anna")
    session.save(task.pairs[0].key, {"stance": "favor", "note": note}, 1.0)
    export_labels(task, store.labels(), tmp_path / "o.csv", force=True)
    with open_table(tmp_path / "o.csv") as table:
        (record,) = table
    kept = record.cells[table.columns.index("note")]
    assert kept == store.labels()["anna"][task.pairs[0].key].label.note
    assert kept == note.strip() or not note.isprintable()


def test_several_coders_are_exported_in_long_form(task, store, tmp_path):
    put(store, task, "ben", "an")
    put(store, task, "anna", "a-f")
    export_labels(task, store.labels(), tmp_path / "all.csv")
    rows = [(row["row"], row["coder"], row["stance"]) for row in rows_of(tmp_path / "all.csv")]
    assert rows == [
        ("1", "anna", "against"),
        ("1", "ben", "against"),
        ("2", "ben", "neutral"),
        ("3", "anna", "favor"),
    ]
    export_labels(task, store.labels(), tmp_path / "ben.csv", coder="ben")
    assert len(rows_of(tmp_path / "ben.csv")) == 2
    with pytest.raises(UsageError, match="'cleo' has not labelled; known: ben, anna"):
        export_labels(task, store.labels(), tmp_path / "c.csv", coder="cleo")


def test_a_models_columns_never_pass_for_a_coders(tmp_path, store):
    head = "text,actor,mentions,stance,stance_against,stance_neutral,stance_favor,holder"
    path = write(tmp_path / "a.csv", f"{head}\nNATO met.,NATO,1,against,0.9,0.1,0.0,author\n")
    task = read_task(path)
    store.save("anna", task.pairs[0], Label("favor"), 1.0)
    done = export_labels(task, store.labels(), tmp_path / "o.csv")
    assert "columns left out, for they are a model's: mentions, stance_against" in done.lines()[1]
    (row,) = rows_of(tmp_path / "o.csv")
    assert (row["stance"], row["holder"], "stance_against" in row) == ("favor", "", False)


def test_annotation_tools_get_every_label(task, store, tmp_path):
    put(store, task, "anna", "a0")
    store.save("ben", task.pairs[0], Label("favor", "Russia", "negative", note="n"), 1.0)
    assert invoke("label", task.path, "--export", tmp_path / "o.json").exit_code == 0
    first, second = json.loads((tmp_path / "o.json").read_text("utf-8"))
    assert first["data"]["text"] == task.pairs[0].text
    assert "stance" not in first["data"]
    said = [
        {each["from_name"]: each["value"] for each in one["result"]} for one in first["annotations"]
    ]
    assert said[0] == {"stance": {"choices": ["against"]}, "coder": {"text": ["anna"]}}
    assert said[1]["holder"] == {"text": ["Russia"]}
    assert second["annotations"][0]["result"][1]["value"] == {"choices": ["1"]}
    args = ("label", task.path, "--export", tmp_path / "o.jsonl", "--format", "doccano")
    assert invoke(*args).exit_code == 0
    lines = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text("utf-8").splitlines()]
    assert [line["label"] for line in lines] == [["against"], ["favor"], ["neutral", "false_match"]]
    assert lines[1]["coder"] == "ben"
    with pytest.raises(UsageError, match="'xml' is not one of table, labelstudio, doccano"):
        export_labels(task, store.labels(), tmp_path / "o.xml", form="xml")


# --- What cannot be used ---


def damaged(path, size):
    path.write_bytes(path.read_bytes()[:size])


def change(path, *queries):
    with sqlite3.connect(path) as base:
        for query in queries:
            base.execute(query)
    base.close()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path: path.write_text("text,actor\n" * 99), "is not a store of labels (not an"),
        (lambda path: damaged(path, 5000), "is damaged; restore a copy, or move it away"),
        (lambda path: damaged(path, 60), "is damaged; restore a copy"),
        (lambda path: change(path, "PRAGMA user_version = 7"), "is of version 7, not 1; use"),
        (lambda path: change(path, "DROP TABLE labels"), "is damaged"),
        (
            lambda path: change(path, "PRAGMA application_id = 5"),
            "is not a store of labels; move it, or name another file",
        ),
        (
            lambda path: change(path, "UPDATE labels SET stance = 'pro' WHERE row = 2"),
            "the label of anna on row 2 is not valid: stance 'pro' is not one of against, neutral",
        ),
        (
            lambda path: change(path, "UPDATE labels SET note = x'ff'"),
            "the label of anna on row 1 has a cell of the wrong type",
        ),
    ],
)
def test_a_store_that_cannot_be_used_is_refused_and_left_as_it_is(spoil, reason, task, tmp_path):
    path = tmp_path / "to_label.sqlite"
    with Store(path) as store:
        put(store, task, "anna", "aaaa")
    spoil(path)
    before = path.read_bytes()
    assert reason in fails_after_note("label", task.path, "--export", tmp_path / "o.csv")
    assert path.read_bytes() == before
    assert not (tmp_path / "o.csv").exists()


def test_a_table_that_changed_is_named_with_its_row(task, store, tmp_path):
    put(store, task, "anna", "aaaa")
    args = ("--store", store.path, "--agreement")
    other = sample(tmp_path / "other.csv", change="Another paragraph on Russia.")
    said = fails_after_note("label", other, *args)
    assert (
        "has changed since it was labelled: 1 labelled row not as before, the first row 3" in said
    )
    foreign = write(tmp_path / "foreign.csv", "text,actor\nNATO met.,NATO\n")
    assert "holds labels of another table" in fails_after_note("label", foreign, *args)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "body,actor\na,b\n",
            "no column 'text'; did you mean --text-column 'body'?",
        ),
        ("text,target\na,b\n", "no column 'actor'; did you mean 'target'?"),
        ("text,id\na,b\n", "it has text, id; stance predict finds actors, and stance sample draws"),
        ("text,actor\na,\n", "no row with a text and an actor; nothing to label"),
        ("text,actor,spans\nabc,b,1:9\n", ":2: spans '1:9' is not a place in the text"),
    ],
)
def test_a_table_that_cannot_be_labelled_is_refused(text, reason, tmp_path):
    assert reason in fails(1, "label", write(tmp_path / "a.csv", text), "--export", "o.csv")
    assert list(tmp_path.iterdir()) == [tmp_path / "a.csv"]


def test_where_nothing_can_be_written_one_line_says_so(table, tmp_path):
    args = ("label", table, "--coder", "anna", "--store", tmp_path / "missing" / "a.sqlite")
    assert "a.sqlite: its folder does not exist; create it first" in fails_after_note(*args)
    assert "does not exist; label first" in fails_after_note("label", table, "--agreement")


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ((), "name who labels with --coder NAME"),
        (("--coder", "x", "--adjudicate"), "drop --coder"),
        (("--adjudicate", "--ask", "holder"), "drop --ask"),
        (("--coder", "adjudicated"), "is kept for --adjudicate"),
        (("--coder", " "), "is not a name of 1 to 60 letters"),
        (("--coder", "a", "--ask", "tone"), "--ask: 'tone' is not one of holder, sentiment"),
        (("--export", "-"), "this cannot go to standard output"),
        (("--coder", "a", "--format", "doccano"), "add --export FILE"),
        (("--coder", "a", "--json"), "--json prints agreement; add --agreement"),
    ],
)
def test_wrong_usage_is_said_and_leaves_nothing(args, reason, table):
    assert reason in misused("label", table, *args)
    assert list(table.parent.iterdir()) == [table]


def test_questions_and_coders_are_checked():
    assert parse_questions("sentiment,holder") == ("holder", "sentiment")
    assert check_coder(" Zoë ") == "Zoë"


def test_the_page_names_the_extra_that_it_needs(table, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    said = fails(2, "label", table, "--coder", "anna")
    assert said == "label needs the extra 'label': pip install markdown-it-py starlette uvicorn"


def test_a_store_whose_texts_are_no_utf8_is_damaged(tmp_path, task):
    path = tmp_path / "a.sqlite"
    with Store(path) as store:
        put(store, task, "anna", "a")
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("UPDATE labels SET note = CAST(x'8a' AS TEXT)")
    with pytest.raises(DataError, match=r"a.sqlite: is damaged; restore a copy"), Store(path) as it:
        it.labels()


def test_a_folder_is_no_store(tmp_path):
    with pytest.raises(DataError, match="is a folder; name a file for the labels"):
        Store(tmp_path)
