"""`stance check` finds each thing that would spoil a study, and keeps quiet where there is none."""

import json

import numpy as np
import pytest
from command import invoke, write_rows
from hypothesis import given
from hypothesis import strategies as st

from stance.check import check_corpora
from stance.reading.actors import ActorBook

BOOK = ActorBook.default()
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


def others(size=90, **columns):
    """Rows of other documents."""
    return rows(size, document=lambda i, row: f"e{i}", **columns)


@pytest.fixture
def check(tmp_path):
    """Check tables written as a.csv, b.csv, …; return all that was found."""

    def check(*tables, **options):
        names = zip("abc", tables, strict=False)
        paths = [write_rows(tmp_path / f"{name}.csv", table) for name, table in names]
        found = check_corpora(paths, book=BOOK, **options)
        return json.loads(json.dumps(found, allow_nan=False))

    return check


def of(found, name, severity=None):
    """Findings of a check."""
    return [
        f for f in found["findings"] if f["check"] == name and severity in (None, f["severity"])
    ]


def in_long_form(table, **coders):
    """Rows by several coders, one after another; an empty label was not given."""
    return [
        row | {"coder": name, "stance": label}
        for name, code in coders.items()
        for i, row in enumerate(table)
        if (label := code(i, row))
    ]


def test_sound_corpora_pass_every_check(check):
    found = check(rows())
    assert {f["check"] for f in found["findings"]} == {"reading"}
    assert (found["spoils"], len(found["passed"])) == (False, 5)
    assert (found["rows"], found["documents"], found["texts"]) == (180, 180, 180)
    assert found["classes"] == {label: {"rows": 60, "documents": 60} for label in LABELS}
    two = check(rows(), others())
    assert {f["check"] for f in two["findings"]} == {"reading"}
    assert "leaks" in two["passed"]
    numbered = of(check(rows(stance=lambda i, row: str(i // 3 % 3 - 1))), "reading")
    assert any("-1 -> against" in f["text"] for f in numbered)


# --- What is found: tables, and of one finding the check, its severity and part of it ---


def without(label, size=270, keep=0):
    """Rows of which only some have a label."""
    table = rows(size)
    dropped = [row for row in table if row["stance"] == label][keep:]
    return [row for row in table if row not in dropped]


def named(actor, size, table=None):
    """Rows of which the first are about another actor."""
    table = table or rows()
    for row in table[:size]:
        row["text"] = row["text"].replace(row["actor"], actor)
        row["actor"] = actor
    return table


def unnamed(size):
    """Rows of which the first do not name their actor."""
    table = rows()
    for row in table[:size]:
        row["text"] = row["text"].split(" ", 1)[1]
    return table


def again(table=None, add="", at=4, **change):
    """Rows, and one of them again with another text or cells."""
    table = table or rows()
    table[0]["text"] += " China"
    return [*table, table[at] | {"text": table[at]["text"] + add} | change]


def near(table):
    """Rows with one word more, in other documents."""
    pairs = enumerate(table)
    return [row | {"text": row["text"] + " Indeed.", "document": f"n{i}"} for i, row in pairs]


def leaking(shared, add="", **change):
    """Rows, and others of which some have the same texts."""
    train = rows()
    test = [row | {"text": row["text"] + add, "document": "e"} for row in train[:shared]]
    return train, [*others(120), *test]


def few_documents():
    return rows(document=lambda i, row: f"few{i % 5}" if row["stance"] == "favor" else f"d{i}")


def contradicting_files():
    """A contradiction across files, by an alias."""
    table = rows()
    for row in table:
        row["text"] += " Kremlin"
    return table, [table[1] | {"actor": "Kremlin", "stance": "favor"}, *others()]


FOUND = [
    (without("favor"), "classes", "spoils", "no row is favor"),
    (without("neutral"), "classes", "warn", "so a model never answers it"),
    (few_documents(), "classes", "warn", "from 5 documents"),
    (unnamed(37), "mentions", "spoils", "a.csv:1,"),
    (again(), "duplicates", "warn", "delete the repetition (a.csv:5 = a.csv:181)"),
    ([*rows(), *near(rows()[:30])], "near-duplicates", "spoils", "give both the same document"),
    (
        again(stance="favor", at=3),
        "conflicts",
        "spoils",
        "in a column 'coder' of one table (a.csv:4 = a.csv:181)",
    ),
    (contradicting_files(), "conflicts", "spoils", "b.csv:1"),
    (leaking(1), "leaks", "warn", "a.csv:1 = b.csv:121"),
    (again(add=" so" * 20_000), "reading", "note", "only the first 50,000 characters of 1 text"),
    (leaking(4, " Indeed."), "leaks", "spoils", "a.csv:1 = b.csv:121"),
]


@pytest.mark.parametrize(("tables", "name", "severity", "part"), FOUND)
def test_what_would_spoil_a_study_is_found(check, tables, name, severity, part):
    found = check(*(tables if isinstance(tables, tuple) else (tables,)))
    listed = of(found, name, severity)
    assert any(part in f["text"] for f in listed)
    assert found["spoils"] == any(f["severity"] == "spoils" for f in found["findings"])
    assert severity == "note" or name not in found["passed"]


def spans(*places):
    return [
        row | {"spans": places[i] if i < len(places) else "0:4"} for i, row in enumerate(rows())
    ]


def by_alias_name_or_spans():
    table = [row | {"spans": ""} for row in rows()]
    for row in table[:60]:
        row["text"] = row["text"].replace("Russia", "The Kremlin")
    named("Zorblax", 100, table[60:])
    for row in table[100:]:
        row |= {"text": row["text"].replace(row["actor"], "It"), "spans": "0:2"}
    return table


@pytest.mark.parametrize(
    ("table", "name"),
    [
        (by_alias_name_or_spans(), "mentions"),
        (again(actor="China", at=0), "duplicates"),
        ([*spans(), spans()[3] | {"stance": "favor", "spans": "5:12"}], "conflicts"),
    ],
)
def test_what_proves_nothing_is_not_reported(check, table, name):
    assert not of(check(table), name)


WORDS = "NATO warned Russia again and ministers met in the old town on Monday"
TEXTS = ("NATO met.", "nato  met", "Russia met NATO.", "So.", WORDS, WORDS.upper(), WORDS[5:])
ROW = st.fixed_dictionaries(
    {
        "text": st.sampled_from(TEXTS),
        "actor": st.sampled_from(["NATO", "Russia", "Kremlin", "Zorblax"]),
        "stance": st.sampled_from(["favor", "against"]),
        "document": st.sampled_from(["", "a", "b"]),
    }
)


@given(st.lists(ROW, min_size=1, max_size=25))
def test_repeats_and_contradictions_are_those_of_plain_loops(tmp_path_factory, table):
    checked = check_corpora([write_rows(tmp_path_factory.mktemp("a") / "a.csv", table)], book=BOOK)
    judged = {}
    for row in table:
        words = " ".join(row["text"].lower().replace(".", "").split())
        judged.setdefault((words, BOOK.proper_name(row["actor"])), []).append(row["stance"])
    repeated = sum(len(own) - 1 for own in judged.values() if len({*own}) == 1)
    conflicts = sum(len({*own}) > 1 for own in judged.values())
    counted = {f["check"]: int(f["text"].split()[0]) for f in of(checked, "duplicates", "warn")}
    counted |= {f["check"]: int(f["text"].split()[0]) for f in of(checked, "conflicts", "spoils")}
    assert (counted.get("duplicates", 0), counted.get("conflicts", 0)) == (repeated, conflicts)


# --- Coders ---


def first(i, row):
    """A coder who says what stands there."""
    return row["stance"]


def coding(wrong):
    """A coder who differs in one of ``wrong`` rows."""
    return lambda i, row: LABELS[(LABELS.index(row["stance"]) + (i % wrong == 0)) % 3]


@pytest.mark.parametrize(("wrong", "severity"), [(4, "spoils"), (6, "warn"), (20, None)])
def test_low_agreement_is_reported(check, wrong, severity):
    found = check(in_long_form(rows(600), one=first, two=coding(wrong)))
    judged = [f for f in of(found, "agreement") if "Krippendorff" in f["text"]]
    assert [f["severity"] for f in judged] == [severity] * (severity is not None)
    assert found["agreement"]["alpha"]["value"] == pytest.approx(1 - 1.5 / wrong, abs=0.01)
    assert found["spoils"] == (severity == "spoils")
    assert ("agreement" in found["passed"]) == (severity is None)


@pytest.mark.parametrize(
    ("coders", "units", "part"),
    [
        (dict.fromkeys(("a", "adjudicated"), first), 0, "no row was coded twice"),
        ({"a": first, "b": lambda i, row: row["stance"] * (i % 2)}, 90, "only 90 rows coded twice"),
        (dict.fromkeys("ab", lambda i, row: "favor"), 180, "only one label"),
    ],
)
def test_what_coders_lack_is_reported(check, coders, units, part):
    found = check(in_long_form(rows(), **coders))
    assert found["agreement"]["units"] == units
    assert any(part in f["text"] for f in of(found, "agreement"))


# --- The command ---


def hostile():
    """Every check fails, in names that would break a screen."""
    names = ("北約" * 40, "NATO\u202e", "Z" * 200, "é" * 90)
    table = rows(300, actor=lambda i, row: names[i % 4])
    table[5]["text"] = ""
    table = in_long_form(table, **{"first" * 20: first, "second": coding(2)})
    return [*table, *near(table[20:60]), table[0] | {"stance": "favor"}, table[1]]


def test_the_screen_is_narrow_and_plain_whatever_the_data(tmp_path):
    args = [write_rows(tmp_path / f"{name}.csv", hostile()) for name in "ab"]
    ran = invoke("check", *args)
    assert ran.exit_code == 1
    assert all(len(line) < 80 and line.isprintable() for line in ran.stdout.splitlines())
    assert ran.stdout.endswith("would spoil a study; examples are file:row\n")
    found = json.loads(invoke("check", *args, "--json").stdout)
    assert set(found["passed"]) <= {"classes"}
    assert [file["name"] for file in found["files"]] == ["a.csv", "b.csv"]
    assert sum(file["rows"] for file in found["files"]) == found["rows"] == 2 * 342
    order = [f["severity"] for f in found["findings"]]
    assert order == sorted(order, key=("spoils", "warn", "note").index)
