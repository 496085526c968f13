"""The doctor finds each thing that would spoil a study, and keeps quiet where there is none."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stance.check._coders import coder_names
from stance.check._database import read_study
from stance.check._shortcuts import shortcuts
from stance.check._study import Finding
from stance.check.doctor import Findings, check
from stance.errors import DataError
from stance.reading.actors import ActorBook
from stance.screens import columns, wrap
from stance.screens.checks import doctor_lines

BOOK = ActorBook.default()
STARTER = Path(__file__).parent.parent / "datasets" / "starter"
SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "corpora"
LABELS = ("against", "neutral", "favor")
ACTORS = ("NATO", "Russia", "China")

RNG = np.random.default_rng(7)
VOCABULARY = ["".join(word) for word in RNG.choice(list("abcdefghiklmnoprstuvw"), (400, 7))]


def rows(size=180, **columns):
    """Rows with nothing to find: each a document, three actors, labels by chance of nothing."""
    rng = np.random.default_rng(size)
    made = [
        {
            "document": f"d{i}",
            "actor": ACTORS[i % 3],
            "stance": LABELS[(i // 3) % 3],
            "text": " ".join([ACTORS[i % 3], *rng.choice(VOCABULARY, 30)]) + ".",
        }
        for i in range(size)
    ]
    for name, give in columns.items():
        for i, row in enumerate(made):
            row[name] = give(i, row)
    return made


def write(path, table):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, table[0])
        writer.writeheader()
        writer.writerows(table)
    return path


@pytest.fixture
def examine(tmp_path):
    """Check tables written as a.csv, b.csv, …"""

    def examine(*tables, **options):
        paths = [
            write(tmp_path / f"{name}.csv", table)
            for name, table in zip("abc", tables, strict=False)
        ]
        return check(paths, book=BOOK, **options)

    return examine


def of(found, name, severity=None):
    return [f for f in found.findings if f.check == name and severity in (None, f.severity)]


def only(found, name, severity):
    """The one finding of a check."""
    (finding,) = of(found, name)
    assert finding.severity == severity
    return finding


def test_a_sound_corpus_passes_every_check(examine):
    found = examine(rows())
    assert {f.check for f in found.findings} == {"reading"}
    assert not found.spoils
    assert found.passed == found.checks
    assert "leaks" not in found.checks
    assert (found.rows, found.documents, found.texts) == (180, 180, 180)
    assert found.classes == tuple((label, 60, 60) for label in LABELS)


def test_two_sound_files_pass(examine):
    found = examine(rows(180), rows(90, document=lambda i, row: f"e{i}"))
    assert {f.check for f in found.findings} == {"reading"}
    assert "leaks" in found.passed


def test_a_missing_class_spoils(examine):
    found = examine([row for row in rows(270) if row["stance"] != "favor"])
    assert only(found, "classes", "spoils").figures["rows"] == 0
    assert found.spoils


def test_a_corpus_without_neutral_can_be_learned_from(examine):
    found = examine([row for row in rows(270) if row["stance"] != "neutral"])
    assert "never answers it" in only(found, "classes", "warn").text
    assert not found.spoils


def test_holders_and_false_matches_are_counted(examine):
    holders = ["author", "other", "Russia", ""]
    found = examine(
        rows(
            holder=lambda i, row: holders[i % 4],
            false_match=lambda i, row: int(i < 9),
        )
    )
    assert only(found, "holders", "note").figures == {"author": 45, "other": 45, "an actor": 45}
    assert only(found, "false matches", "note").figures == {"rows": 9, "share": 0.05}


def test_own_labels_are_read_in_every_column(examine):
    numbers = {"against": "0", "neutral": "n", "favor": "1"}
    table = rows(stance=lambda i, row: numbers[row["stance"]], second=lambda i, row: row["stance"])
    found = examine(table, coders="second", labels={"0": "against", "1": "favor", "n": "neutral"})
    assert found.agreement.overall.alpha.value == 1


@pytest.mark.parametrize(("keep", "warned"), [(29, True), (30, False)])
def test_a_class_of_few_rows_is_reported(examine, keep, warned):
    table = rows(270)
    favor = [row for row in table if row["stance"] == "favor"]
    found = examine([row for row in table if row not in favor[keep:]])
    assert bool(of(found, "classes", "warn")) == warned
    assert not found.spoils


def test_a_class_of_few_documents_is_reported(examine):
    found = examine(
        rows(document=lambda i, row: f"few{i % 5}" if row["stance"] == "favor" else f"d{i}")
    )
    assert only(found, "classes", "warn").figures["documents"] == 5


def test_an_actor_of_few_rows_is_reported(examine):
    table = rows()
    for row in table[:19]:
        row["text"] = row["text"].replace(row["actor"], "Kenya")
        row["actor"] = "Kenya"
    assert only(examine(table), "actors", "warn").figures["actors"] == {"Kenya": 19}


@pytest.mark.parametrize(("absent", "severity"), [(36, "warn"), (37, "spoils")])
def test_an_actor_that_the_text_does_not_name_is_reported(examine, absent, severity):
    table = rows()
    for row in table[:absent]:
        row["text"] = row["text"].split(" ", 1)[1]
    finding = only(examine(table), "mentions", severity)
    assert finding.figures["rows"] == absent
    assert "a.csv:1," in finding.text


def test_an_actor_found_by_alias_literally_or_by_spans_is_named(examine):
    table = rows(spans=lambda i, row: "")
    for row in table[:60]:
        row["text"] = row["text"].replace("Russia", "The Kremlin")
    for row in table[60:100]:
        row["text"] = row["text"].replace(row["actor"], "Zorblax")
        row["actor"] = "Zorblax"
    for row in table[100:]:
        row["text"] = row["text"].replace(row["actor"], "It")
        row["spans"] = "0:2"
    assert not of(examine(table), "mentions")


def test_an_actor_named_but_not_labelled_is_reported(examine):
    table = rows()
    for row in table[:6]:
        row["text"] += " So said China. Peru too."  # nobody labels Peru
    finding = only(examine(table), "mentions", "warn")
    assert finding.figures["pairs"] == 4  # two of the six are labelled
    assert finding.figures["share"] == round(4 / 184, 6)


def test_repeated_rows_are_reported(examine):
    table = rows()
    again = table[4] | {"text": table[4]["text"].upper().replace(" ", "  ")}
    finding = only(examine([*table, again]), "duplicates", "warn")
    assert finding.figures == {"rows": 1, "examples": ["a.csv:5 = a.csv:181"]}


def test_one_text_with_two_actors_is_not_a_duplicate(examine):
    table = rows()
    table[0]["text"] += " China"
    found = examine([*table, table[0] | {"actor": "China"}])
    assert {f.check for f in found.findings} == {"reading"}


def test_one_text_under_two_documents_is_noted(examine):
    table = rows()
    table[0]["text"] += " China"
    found = examine([*table, table[0] | {"actor": "China", "document": "other"}])
    assert only(found, "duplicates", "note").figures["examples"] == ["a.csv:1 = a.csv:181"]


@pytest.mark.parametrize(("copies", "severity"), [(4, "warn"), (30, "spoils")])
def test_near_duplicates_in_different_documents_are_reported(examine, copies, severity):
    table = rows()
    near = [
        row | {"text": row["text"] + " Indeed.", "document": f"n{i}"}
        for i, row in enumerate(table[:copies])
    ]
    found = examine([*table, *near])
    finding = only(found, "near-duplicates", severity)
    assert copies * 1.6 <= finding.figures["texts"] <= copies * 2
    assert found.spoils == (severity == "spoils")


@pytest.mark.parametrize("document", ["d0", ""])
def test_near_duplicates_in_one_document_are_noted(examine, document):
    table = rows()
    if not document:  # without names, near-duplicates are grouped
        table = [{k: v for k, v in row.items() if k != "document"} for row in table]
    near = table[0] | {"text": table[0]["text"] + " Indeed."}
    found = examine([*table, near])
    assert only(found, "near-duplicates", "note").figures["pairs"] == 1


def test_two_labels_for_one_text_and_actor_spoil(examine):
    table = rows()
    found = examine([*table, table[3] | {"stance": "favor"}])
    finding = only(found, "conflicts", "spoils")
    assert "NATO neutral a.csv:4, favor a.csv:181" in finding.text
    assert not of(found, "duplicates")


def test_two_labels_across_files_and_by_alias_spoil(examine):
    table = rows()
    for row in table:
        row["text"] += " Kremlin"
    other = table[1] | {"actor": "Kremlin", "stance": "favor"}
    found = examine(table, [other, *rows(90, document=lambda i, row: f"e{i}")])
    assert "b.csv:1" in only(found, "conflicts", "spoils").text


def test_two_labels_at_different_places_are_not_a_conflict(examine):
    table = rows(spans=lambda i, row: "0:4")
    found = examine([*table, table[3] | {"stance": "favor", "spans": "5:12"}])
    assert not of(found, "conflicts")


def test_two_sentiments_of_one_text_are_reported(examine):
    table = rows(sentiment=lambda i, row: "neutral")
    table[0]["text"] += " China"
    found = examine([*table, table[0] | {"actor": "China", "sentiment": "negative"}])
    assert only(found, "conflicts", "warn").figures["sentiments"] == 1
    assert not of(examine([*table, table[0] | {"actor": "China"}]), "conflicts")


@pytest.mark.parametrize(
    ("shared", "change", "severity"),
    [(1, "", "warn"), (3, "", "spoils"), (4, " Indeed.", "spoils")],
)
def test_texts_in_two_files_leak(examine, shared, change, severity):
    train, test = rows(180), rows(120, document=lambda i, row: f"e{i}")
    test += [row | {"text": row["text"] + change, "document": "e"} for row in train[:shared]]
    found = examine(train, test)
    finding = only(found, "leaks", severity)
    assert finding.figures["texts"][1] <= shared
    assert "a.csv:1 = b.csv:121" in finding.text
    assert found.spoils == (severity == "spoils")


def test_a_document_name_in_two_files_is_reported(examine):
    test = rows(90, document=lambda i, row: f"e{i}")
    test[0]["document"] = "d0"
    assert only(examine(rows(180), test), "leaks", "warn").figures["examples"] == ["d0"]


def shortcut(table, word, label, size):
    for row in [row for row in table if row["stance"] == label][:size]:
        row["text"] += f" {word}"
    return table


def test_a_word_that_alone_predicts_a_label_is_reported(examine):
    found = examine(shortcut(rows(), "alas", "against", 12))
    finding = only(found, "shortcuts", "warn")
    assert finding.figures["words"] == [
        {
            "word": "alas",
            "label": "against",
            "alias": False,
            "precision": 1.0,
            "documents": 12,
            "adjusted": finding.figures["words"][0]["adjusted"],
        }
    ]
    assert "alas -> against (100% of 12)" in finding.text


@pytest.mark.parametrize("size", [20, 30])
def test_a_word_that_carries_a_label_spoils(examine, size):
    assert only(examine(shortcut(rows(), "alas", "against", size)), "shortcuts", "spoils")


def test_a_strong_word_in_few_documents_of_a_label_does_not_spoil(examine):
    table = shortcut(rows(1800), "alas", "favor", 24)  # of 600
    finding = only(examine(table), "shortcuts", "warn")
    assert finding.figures["carried"] == 0.04


@pytest.mark.parametrize("how", ["rare", "imprecise", "one document"])
def test_a_word_that_proves_nothing_is_not_reported(examine, how):
    table = shortcut(rows(), "alas", "against", 9 if how == "rare" else 20)
    if how == "imprecise":
        table = shortcut(table, "alas", "favor", 4)
    if how == "one document":
        for row in table:
            if "alas" in row["text"]:
                row["document"] = "talkative"
    assert not of(examine(table), "shortcuts")


def test_an_actor_that_gives_the_label_away_is_reported(examine):
    table = rows(360)
    against = [row for row in table if row["stance"] == "against"]
    for row in against[:15]:
        row["text"] += " Kremlin"
    found = of(examine(table), "shortcuts", "warn")
    assert "the actor gives the label away (kremlin -> against)" in found[1].text


def test_labels_by_chance_have_no_shortcut(tmp_path):
    # Fifty corpora of labels drawn by lot: false alarms stay rare.
    alarms = 0
    for seed in range(50):
        rng = np.random.default_rng(seed)
        table = rows(150, stance=lambda i, row, rng=rng: str(rng.choice(LABELS)))
        for row in table:
            row["text"] += " " + " ".join(rng.choice(["ja", "no", "si", "da", "oui", "yes"], 3))
        with read_study([write(tmp_path / "a.csv", table)], BOOK) as study:
            alarms += bool(list(shortcuts(study)))
    assert alarms <= 3


@pytest.mark.parametrize("column", ["actor", "genre", "source"])
def test_a_name_with_one_label_is_reported(examine, column):
    def one_sided(i, row):
        return "Kenya" if i % 9 == 0 else row["actor"]  # every ninth row is against NATO

    table = rows(270, **{column: one_sided})
    for row in table:
        row["text"] += f" {row['actor']}"
    finding = of(examine(table), "giveaways", "warn")[0]
    assert finding.figures == {"column": column, "values": ["Kenya 100% against of 30"]}


def test_a_name_with_one_label_that_is_neutral_or_rare_is_not_reported(examine):
    neutral = rows(270, genre=lambda i, row: "brief" if i % 9 == 3 else "wire")
    rare = rows(171, genre=lambda i, row: "brief" if i % 9 == 0 else "wire")
    assert not of(examine(neutral), "giveaways")
    assert not of(examine(rare), "giveaways")


def test_a_column_that_alone_predicts_labels_is_reported(examine):
    def genre(i, row):
        return row["stance"] if i % 4 else "mixed"

    found = examine(rows(genre=genre))
    assert "the genre alone predicts" in of(found, "giveaways")[-1].text


def test_a_name_of_its_own_in_each_document_predicts_nothing(examine):
    assert not of(examine(rows(source=lambda i, row: f"blog {i}")), "giveaways")


@pytest.mark.parametrize(
    ("text", "what"),
    [("", "no word"), ("NATO met.", "fewer than 5"), ("NATO " + "met " * 500, "more than 500")],
)
def test_odd_lengths_are_reported(examine, text, what):
    table = rows()
    table[0]["text"] = text
    finding = only(examine(table), "lengths", "warn")
    assert what in finding.text
    assert finding.figures == {"texts": 1, "examples": ["a.csv:1"]}


def test_labels_read_from_other_spellings_are_noted(examine):
    found = examine(rows(stance=lambda i, row: str((i // 3) % 3 - 1)))
    assert any("-1 -> against" in f.text for f in of(found, "reading", "note"))


# --- Codings ----------------------------------------------------------------------------------


def coding(wrong, every=1):
    """A second coder who differs in one of ``wrong`` rows and codes one of ``every``."""

    def code(i, row):
        at = LABELS.index(row["stance"])
        return "" if i % every else LABELS[(at + (i // every % wrong == 0)) % 3]

    return code


@pytest.mark.parametrize(
    ("wrong", "severity"), [(2, "spoils"), (4, "spoils"), (6, "warn"), (20, None)]
)
def test_low_agreement_is_reported(examine, wrong, severity):
    found = examine(
        rows(600, one=lambda i, row: row["stance"], two=coding(wrong)), coders="one,two"
    )
    judged = [f for f in of(found, "agreement") if "alpha" in f.figures]
    assert [f.severity for f in judged] == [severity] * (severity is not None)
    assert found.agreement.overall.alpha.value == pytest.approx(1 - 1.5 / wrong, abs=0.01)
    assert found.spoils == (severity == "spoils")
    assert ("agreement" in found.passed) == (severity is None)


def test_a_single_column_is_compared_with_stance(examine):
    found = examine(rows(600, second=coding(20, every=4)), coders="second")
    assert found.coders == ("stance", "second")
    assert found.agreement.overall.units == 150
    assert [f.severity for f in of(found, "agreement")] == ["note"]
    assert list(found.agreement.per_label) == list(LABELS)
    assert sum(part.units for part in found.agreement.per_group.values()) == 150


def test_three_coders_have_no_kappa(examine):
    table = rows(300, a=coding(9), b=coding(20), c=coding(30, every=2))
    found = examine(table, coders="a,b,c")
    assert found.agreement.overall.kappa.value is None
    assert found.agreement.overall.alpha.value > 0.8


def test_a_weak_label_is_reported(examine):
    def second(i, row):
        return "neutral" if row["stance"] == "favor" and i % 2 else row["stance"]

    found = examine(
        rows(600, stance=lambda i, row: "favor" if i % 12 < 2 else row["stance"], second=second),
        coders="second",
    )
    weak = [f for f in of(found, "agreement", "warn") if "weak" in f.figures]
    assert "favor" in weak[0].figures["weak"]


def test_few_or_no_rows_coded_twice_are_reported(examine):
    few = examine(rows(180, second=coding(30, every=2)), coders="second")
    assert any("only 90 rows coded twice" in f.text for f in of(few, "agreement", "warn"))
    none = examine(rows(180, second=lambda i, row: ""), coders="second")
    assert any("no row was coded twice" in f.text for f in of(none, "agreement", "warn"))
    assert doctor_lines(none.to_json())
    one = examine(rows(180, a=lambda i, row: "favor", b=lambda i, row: "favor"), coders="a,b")
    assert any("only one label was used" in f.text for f in of(one, "agreement", "warn"))


def test_an_interval_that_reaches_too_low_is_reported(examine):
    found = examine(rows(40, second=coding(8)), coders="second")
    assert found.agreement.overall.alpha.value > 0.8
    assert any("its interval reaches down" in f.text for f in of(found, "agreement", "warn"))


def test_a_coder_may_be_in_one_file_only_and_spell_otherwise(examine):
    first = rows(180, second=lambda i, row: row["stance"].upper())
    found = examine(first, rows(90, document=lambda i, row: f"e{i}"), coders="second")
    assert found.agreement.overall.units == 180
    assert found.agreement.overall.alpha.value == 1


def test_coders_in_files_of_their_own_are_said_not_to_be_compared(examine):
    """As where each coder delivers a table."""

    def coded(name, size=180):
        return rows(size, coder=lambda i, row: name)

    (said,) = of(examine(coded("anna"), coded("ben")), "agreement")
    assert said.severity == "warn"
    assert said.text.startswith("180 pairs with coders in different files, who are not compared")
    joined = examine(coded("anna") + coded("ben"))
    assert joined.agreement.overall.units == 180
    for others in (coded("anna"), rows(90, coder=lambda i, row: "ben"), rows(180)):
        assert not of(examine(coded("anna"), others), "agreement")
    both = coded("anna") + coded("ben")
    for others in (both, coded("ben")):  # who are compared in the first file
        assert not any("not compared" in f.text for f in of(examine(both, others), "agreement"))


def test_a_missing_column_and_a_meaningless_code_are_errors(examine):
    with pytest.raises(DataError, match=r"a\.csv: no column 'secnd'; did you mean 'second'"):
        examine(rows(second=coding(9)), coders="secnd")
    table = rows(second=coding(9))
    table[0]["text"] += "\n\nTwo lines."
    table[7]["second"] = "dunno"
    with pytest.raises(DataError, match=r"a\.csv:11: second 'dunno' in row 8 is not a label"):
        examine(table, coders="second")


def test_coder_names():
    assert coder_names("stance, second,second") == ("stance", "second")


# --- Screen and JSON --------------------------------------------------------------------------


def hostile():
    """Every check fails, in names that would break a screen."""
    table = rows(
        300,
        genre=lambda i, row: "北約" * 30 if i % 9 == 0 else "\x1b[31mred" + "g" * (i % 40),
        actor=lambda i, row: ("北約" * 40, "NATO\u202e", "Z" * 200, "é" * 90)[i % 4],
        second=coding(2),
    )
    table = shortcut(table, "w" * 100, "against", 30)
    table[5]["text"] = ""
    near = [
        row | {"text": row["text"] + " Indeed.", "document": f"n{i}"}
        for i, row in enumerate(table[20:60])
    ]
    return [*table, *near, table[0] | {"stance": "favor"}, table[1]]


def test_the_screen_is_narrow_and_plain_whatever_the_data(examine):
    found = examine(hostile(), hostile(), coders="second")
    wanted = set(found.checks) - {"classes"}
    assert {f.check for f in found.findings if f.severity != "note"} >= wanted - {"actors"}
    for line in doctor_lines(found.to_json()):
        assert columns(line) < 80
        assert line.isprintable()
    for finding in found.findings:
        assert "\n" not in finding.text
    assert doctor_lines(found.to_json())[-1].endswith("would spoil a study; examples are file:row")


def test_json_holds_everything_and_nothing_odd(examine):
    found = examine(hostile(), rows(90, genre=lambda i, row: "wire"), coders="second")
    data = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert data["spoils"] is True
    assert data["rows"] == found.rows == 342 + 90
    assert data["files"] == [{"name": "a.csv", "rows": 342}, {"name": "b.csv", "rows": 90}]
    assert sum(part["rows"] for part in data["actors"]) == data["rows"]
    assert sum(part["rows"] for part in data["genres"]) == data["rows"]
    assert data["agreement"]["alpha"]["interval"]
    order = [f["severity"] for f in data["findings"]]
    assert order == sorted(order, key=("spoils", "warn", "note").index)


def test_the_answer_is_the_same_twice(examine):
    table = rows(300, second=coding(9))
    assert examine(table, coders="second") == examine(table, coders="second")


@given(st.text(max_size=300), st.sampled_from(["", "note    "]))
def test_wrapped_loses_no_word(text, first):
    lines = wrap(text, first, "   ")
    assert "".join(lines).replace(" ", "") == (first + text).replace(" ", "")
    assert all(columns(line) < 80 for line in lines)


def test_findings_without_anything_pass():
    found = Findings((), 0, 0, 0, (), ("classes",), (Finding("note", "classes", "fine"),))
    assert not found.spoils
    assert found.passed == ("classes",)
    assert doctor_lines(found.to_json())


# --- Real corpora -----------------------------------------------------------------------------


@pytest.mark.skipif(not STARTER.is_dir(), reason="no starter corpus beside the package")
def test_the_starter_corpus_is_sound():
    paths = [STARTER / "starter_train.csv", STARTER / "starter_test.csv"]
    found = check(paths, book=BOOK, coders="coder_1,coder_2")
    assert not found.spoils, doctor_lines(found.to_json())
    assert found.agreement.overall.units >= 625
    assert {"leaks", "conflicts", "duplicates", "near-duplicates"} <= set(found.passed)
    assert max(map(len, doctor_lines(found.to_json()))) < 80


@pytest.mark.parametrize("name", ["newsmtsc_actors.csv", "un_debates_train.csv"])
def test_a_shared_corpus_fits_the_screen(name):
    if not (SHARED / name).is_file():
        pytest.skip(f"no {SHARED / name}")
    found = check([SHARED / name], book=BOOK)
    assert max(map(len, doctor_lines(found.to_json()))) < 80
    json.dumps(found.to_json(), allow_nan=False)


def test_a_table_that_is_not_a_corpus_is_refused(tmp_path):
    path = write(tmp_path / "a.csv", [{"sentence": "NATO met.", "label": "1"}])
    with pytest.raises(DataError, match="no column 'text'"):
        check([path], book=BOOK)


# --- Memory -----------------------------------------------------------------------------------

PEAK = """
import sys, tracemalloc
from pathlib import Path
from stance.check.doctor import check
from stance.reading.actors import ActorBook
book = ActorBook.default()
peaks = []
for path in sys.argv[1:]:
    tracemalloc.start()
    check([Path(path)], book=book)
    peaks.append(tracemalloc.get_traced_memory()[1])
    tracemalloc.stop()
print(*peaks)
"""


@pytest.mark.endurance
def test_more_rows_take_no_more_memory(tmp_path):
    paths = [write(tmp_path / f"{size}.csv", rows(size)) for size in (180, 11_000, 22_000)]
    run = [sys.executable, "-c", PEAK, *map(str, paths)]
    _, few, many = map(int, subprocess.run(run, capture_output=True, check=True).stdout.split())
    assert many < 1.05 * few  # beyond the blocks of rows and texts that are looked at together
