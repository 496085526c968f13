"""Samples are drawn by known chances, say nothing of the answers, and can be joined to them."""

import json
from pathlib import Path

import numpy as np
import pytest
from archives import COLUMNS, LABELLED, answer, answer_rows, label, read_drawn
from command import fails, invoke, succeeds
from command import read_rows as read
from command import write_rows as write
from hypothesis import given
from hypothesis import strategies as st
from test_formats import workbook
from test_tables import written

from stance.errors import UsageError
from stance.findings import Request, write_sample
from stance.findings.answers import read_population
from stance.findings.sampling import design_sample, draw_sample

TRUTHS = {"Russia": (0.4, 0.5, 0.1), "NATO": (0.1, 0.7, 0.2), "Iran": (0.3, 0.6, 0.1)}


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """A table of answers, and the truth by row."""
    rows, truth = answer_rows(TRUTHS)
    return write(tmp_path_factory.mktemp("archive") / "answers.csv", rows), truth


def sample(path, output, *options, status=0):
    result = invoke("sample", path, "-n", 60, "-o", output, *options)
    assert result.exit_code == status, result.output
    return read(output)


def test_a_sample_has_the_inputs_columns_and_those_to_fill_in_but_no_answer(archive, tmp_path):
    rows = sample(archive[0], tmp_path / "to_label.csv")
    own = ("document", "outlet", "date", "text", "row", "actor")
    assert tuple(rows[0]) == (*own, "purpose", "design", *LABELLED)
    assert len(rows) == 60
    answers = {row["row"]: row for row in read(archive[0])}
    for row in rows:
        assert {row[name] for name in LABELLED} == {""}
        assert [row[name] for name in own] == [answers[row["row"]][name] for name in own]
    assert {row["purpose"] for row in rows} == {"audit"}
    assert {row["design"] for row in rows} == {"to_label.design.csv"}
    design = read(tmp_path / "to_label.design.csv")
    assert list(design[0]) == ["document", "row", "actor", "inclusion", "stratum", "drawn_as"]
    assert [row["row"] for row in design] == [row["row"] for row in rows]
    assert all(0 < float(row["inclusion"]) <= 1 for row in design)
    assert [int(row["row"]) for row in rows] == sorted(int(row["row"]) for row in rows)


def test_the_same_seed_draws_the_same_bytes(archive, tmp_path):
    paths = [tmp_path / name for name in ("one.csv", "other.csv", "third.csv")]
    for path, seed in zip(paths, (7, 7, 8), strict=True):
        sample(archive[0], path, "--seed", seed)
    one, other, third = (path.with_suffix(".design.csv").read_bytes() for path in paths)
    assert one == other != third
    assert len({path.read_bytes() for path in paths}) == 3  # each names its own design


def test_no_number_of_a_stratum_gives_its_stance_away(archive, tmp_path):
    strata = []
    for seed in range(6):
        sample(archive[0], tmp_path / f"{seed}.csv", "--seed", seed, "--actor", "Russia")
        rows = read(tmp_path / f"{seed}.design.csv")
        answers = {row["row"]: row["stance"] for row in read(archive[0])}
        strata.append({(answers[row["row"]], row["stratum"]) for row in rows})
    assert len(strata[0]) == 3  # a stratum for each stance
    assert len(set(map(frozenset, strata))) > 1


def test_pairs_are_drawn_as_often_as_their_inclusion_says(archive):
    population = read_population(Request(archive[0]))
    times, draws = np.zeros(len(population)), 200
    for seed in range(draws):
        drawn = draw_sample(population, 60, seed)
        times[drawn.pair] += 1
        assert len(drawn.pair) == 60
    error = np.sqrt(drawn.chance * (1 - drawn.chance) / draws)
    assert (drawn.chance > 0).all()
    assert (np.abs(times / draws - drawn.chance) < 5 * error + 1e-9).all()


def test_whole_documents_are_drawn_whole(archive, tmp_path):
    rows = sample(archive[0], tmp_path / "whole.csv", "--documents", "--actor", "Russia")
    drawn = {row["document"] for row in rows}
    russia = [row for row in read(archive[0]) if row["actor"] == "Russia"]
    assert len(drawn) == 60
    assert len(rows) == sum(row["document"] in drawn for row in russia)


@pytest.mark.parametrize("seed", range(3))
def test_documents_of_unequal_length_correct_all_answers(tmp_path, seed):
    """What was drawn is weighed by documents, whose answers estimate all answers but roughly."""
    sizes = np.random.default_rng(seed).integers(1, 9, 200)
    documents = [str(number) for number in np.repeat(np.arange(200), sizes)]
    rows = [
        answer(row, "NATO", "favor" if row % 3 else "against", document=name, text=f"Text {row}.")
        for row, name in enumerate(documents, 1)
    ]
    answers = write(tmp_path / "answers.csv", rows)
    truth = {str(row["row"]): row["stance"] for row in rows}
    sample(answers, tmp_path / "to_label.csv", "--documents", "--seed", seed)
    drawn = label(tmp_path / "to_label.csv", truth)
    succeeds("shares", answers, "--audit", drawn)
    more = [row | {"row": row["row"] + 5000, "document": f"new {row['row']}"} for row in rows[:90]]
    line = fails(1, "shares", write(answers, [*rows, *more]), "--audit", drawn)
    assert "was drawn from 200 documents, but" in line


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=12, max_size=200),
    st.integers(8, 220),
    st.integers(0, 99),
)
def test_designs_draw_what_is_asked_for_from_every_stratum(units, size, seed):
    cell, part = np.array(units).T
    size = min(size, len(units))
    spread = np.random.default_rng(seed).random(len(units))
    levels = [cell * 4 + part, cell, np.zeros_like(cell)]
    stratum, drawn = design_sample(levels, spread, size)
    sizes = np.bincount(stratum)
    assert drawn.sum() == size
    assert (np.minimum(2, sizes) <= drawn).all()
    assert (drawn <= sizes).all()


def test_a_few_units_left_over_do_not_join_all_strata():
    cell = np.repeat([0, 1, 2, 3], [300, 300, 300, 9])
    stratum, drawn = design_sample([cell, cell, np.zeros_like(cell)], np.ones(len(cell)), 60)
    assert sorted(np.bincount(stratum)) == [300, 300, 309]
    assert drawn.sum() == 60


def test_python_refuses_what_the_command_line_does(archive, tmp_path):
    with pytest.raises(UsageError, match="purpose Train: choose audit or train"):
        write_sample(Request(archive[0]), tmp_path / "s.csv", 20, purpose="Train")
    with pytest.raises(UsageError, match="period Month: choose week, month, quarter, year"):
        Request(archive[0], over="date", period="Month")


def test_a_sample_to_learn_from_is_unsure_and_marks_those_drawn_by_chance(archive, tmp_path):
    rows = sample(archive[0], tmp_path / "learn.csv", "--purpose", "train")
    chosen = [row for row in rows if row["purpose"] == "train"]
    drawn = [row for row in rows if row["purpose"] == "audit"]
    assert (len(chosen), len(drawn)) == (45, 15)
    assert {row["design"] for row in chosen} == {""}
    design = read(tmp_path / "learn.design.csv")
    assert [row["row"] for row in design] == [row["row"] for row in drawn]
    margins = {}
    for row in read(archive[0]):
        parts = sorted(float(row[name]) for name in COLUMNS[-3:])
        margins[row["row"]] = parts[-1] - parts[-2]
    left = margins.keys() - {row["row"] for row in rows}
    assert max(margins[row["row"]] for row in chosen) <= min(map(margins.get, left))
    assert len({row["text"] for row in rows}) == len(rows)


def test_texts_may_stand_in_a_column_that_seems_meant(archive, tmp_path):
    rows = [{"body": row.pop("text"), **row} for row in read(archive[0])]
    path, sheet = write(tmp_path / "answers.csv", rows), tmp_path / "to_label.csv"
    result = invoke("sample", path, "-n", 60, "-o", sheet, "--purpose", "train")
    assert "column 'body' is read as 'text'; name another with --text-column" in result.stderr
    assert len({row["text"] for row in read(sheet)}) == 60
    named = invoke("shares", path, "--text-column", "body")
    assert "is read as" not in named.stderr
    write(path, [{"remark": row.pop("body"), **row} for row in rows])
    line = fails(1, "sample", path, "-n", 60, "-o", tmp_path / "x.csv", "--purpose", "train")
    assert "no column 'text'" in line


def test_a_sample_to_learn_from_may_be_all_there_is(archive, tmp_path):
    number = len(read(archive[0]))
    path, more = tmp_path / "all.csv", ("--purpose", "train", "--force")
    for asked in (number, 4 * number):  # of which a quarter is drawn at random
        succeeds("sample", archive[0], "-n", asked, "-o", path, *more)
        assert len(read(path)) == number


def test_columns_that_coders_fill_in_are_left_out_with_a_note(tmp_path):
    rows, _ = answer_rows({"Iran": (0.3, 0.6, 0.1)})
    for row in rows:
        row.update({f"p_{name}": row.pop(name) for name in COLUMNS[4:]})
    rows = [{"stance": "favor", "note": "mine", "paragraph": row["text"], **row} for row in rows]
    path = write(tmp_path / "answers.csv", rows)
    options = ("--prefix", "p_", "--text-column", "paragraph")
    result = succeeds("sample", path, "-n", 20, "-o", tmp_path / "to_label.csv", *options)
    assert "left out, because coders fill in their own: stance, note, text" in result.stderr
    found = read(tmp_path / "to_label.csv")
    assert {row["stance"] + row["note"] for row in found} == {""}
    assert all(row["text"].startswith("Paragraph ") for row in found)


OUT = ("-o", "out.csv")


@pytest.mark.parametrize(
    ("options", "status", "line"),
    [
        ((*OUT, "-n", 3), 2, "-n 3: a sample needs 10 or more"),
        ((*OUT, "-n", 20, "--purpose", "train", "--documents"), 2, "drop it, or drop --documents"),
        ((*OUT, "-n", 20, "--actor", "Narnia"), 1, "answers.csv: holds no answer on 'Narnia'"),
        ((*OUT, "-n", 20, "--by", "paper"), 1, "no column 'paper'; it has document, outlet"),
        ((*OUT, "-n", 20, "--prefix", "m_"), 1, "no column of answers begins with 'm_'; drop or"),
        (("-n", 20, "-o", "answers.csv"), 4, "is the input"),
    ],
)
def test_what_cannot_be_sampled_is_one_line(archive, monkeypatch, options, status, line):
    monkeypatch.chdir(archive[0].parent)
    assert line in fails(status, "sample", archive[0], *options)


def test_a_labelled_sample_is_a_corpus_to_train_on(archive, tmp_path):
    from stance.corpus import read_corpus

    sample(archive[0], tmp_path / "to_label.csv")
    corpus = read_corpus([label(tmp_path / "to_label.csv", archive[1])])
    assert len(corpus) == 60
    assert set(corpus.extra) == {"date", "purpose"}


def test_pairs_of_joined_tables_are_told_apart(tmp_path):
    """As where the answers to several articles are joined: rows start anew in each."""
    rows = [
        answer(number, "NATO", "favor", document=f"article {article}", text=f"Text {number}.")
        for article in range(50)
        for number in range(1, 5)
    ]
    path = write(tmp_path / "joined.csv", rows)
    population = read_population(Request(path))
    assert len(population) == len(set(population.key.tolist())) == 200
    assert len(set(population.document.tolist())) == 50
    drawn = sample(path, tmp_path / "to_label.csv")
    labelled = write(tmp_path / "labelled.csv", [{**row, "stance": "neutral"} for row in drawn])
    result = succeeds("shares", path, "--audit", labelled, "--json")
    assert '"answers": 200, "documents": 50, "labels": 60' in result.stdout
    both = [{**row, "actor": actor} for row in rows for actor in ("NATO", "Russia")]
    for listed in (both, both[::-1], sorted(both, key=lambda row: row["row"])):
        page = invoke("report", write(path, listed), "-o", tmp_path / "page.html", "--force")
        assert "200 rows, 400 answers" in page.stderr


# --- Several tables of answers ---


def test_a_sample_of_several_tables_is_that_of_their_rows_in_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows, truth = answer_rows(TRUTHS)
    numbers = [row["row"] for row in rows]
    sample(write(tmp_path / "whole.csv", rows), tmp_path / "one.csv")
    # Two kinds of tables, each with row numbers of its own.
    half = next(n for n, row in enumerate(rows) if row["actor"] != rows[0]["actor"])
    parts = [*rows[:half]]
    parts += [{"id": f"0{n}", **row, "row": str(n)} for n, row in enumerate(rows[half:], 1)]
    Path("answers/sub").mkdir(parents=True)
    write(Path("answers/a.csv"), parts[:half])
    lines = "".join(json.dumps(row) + "\n" for row in parts[half:])
    Path("answers/sub/b.jsonl").write_text(lines, "utf-8")
    sample("answers", tmp_path / "many.csv")
    found, whole = read_drawn(tmp_path / "many.csv"), read_drawn(tmp_path / "one.csv")
    assert list(found[0])[:6] == ["file", "document", "outlet", "date", "text", "id"]
    tables = ("answers/a.csv", "answers/sub/b.jsonl")
    assert {(row["file"], row["id"][:1]) for row in found} == {*zip(tables, ("", "0"), strict=True)}
    kept = ("text", "actor", "inclusion", "stratum")
    assert [[row[name] for name in kept] for row in found] == [
        [row[name] for name in kept] for row in whole
    ]
    by_text = {row["text"]: truth[n] for n, row in zip(numbers, parts, strict=True)}
    many = write(tmp_path / "b.csv", [{**row, "stance": by_text[row["text"]]} for row in found])
    one = label(tmp_path / "one.csv", truth)
    shares = invoke("shares", *tables, "--audit", many).stdout
    assert shares == invoke("shares", "whole.csv", "--audit", one).stdout
    assert shares.startswith("526 answers in 180 documents, 60 labels")


@pytest.mark.parametrize("second", ["b.csv", "b.jsonl", "b.xlsx"])
@pytest.mark.parametrize("columns", ["stance other actor", "actor stance other", "actor other row"])
def test_labels_in_several_tables_are_those_of_one(tmp_path, columns, second):
    names, made = ["file", *columns.split(), "text", "document", "stance"], tmp_path / "drawn.csv"
    rows = [row | {"other": "favor", "file": "own"} for row in answer_rows(TRUTHS)[0]]
    rows = [{name: row[name] for name in names} for row in rows]
    (folder := tmp_path / "labels").mkdir()
    parts, found = {folder / "a.csv": rows[:101], folder / second: rows[101:]}, []
    for path, part in (parts | {tmp_path / "whole.jsonl": rows}).items():
        written(path, [[*row.values()] for row in part], tuple(rows[0]))
    for source in (folder, tmp_path / "whole.jsonl", write(tmp_path / "whole.csv", rows)):
        shares = succeeds("shares", source, "--by", "other", "--json").stdout
        succeeds("report", source, "-o", tmp_path / "page.html", "--figures", tmp_path, "--force")
        numbers = (tmp_path / "numbers.csv").read_bytes()
        found.append((shares, numbers, sample(source, made, "--force")))
    assert found[0] == found[1] == found[2]


def test_tables_that_name_files_of_their_own_keep_these(tmp_path):
    rows, _ = answer_rows({"Iran": (0.3, 0.6, 0.1)})
    own = [{"file": f"{row['document']}.txt", **row} for row in rows]
    one, other = write(tmp_path / "a.csv", own[:60]), write(tmp_path / "b.csv", own[60:])
    invoke("sample", one, other, "-n", 40, "-o", tmp_path / "to_label.csv")
    found = read(tmp_path / "to_label.csv")
    assert {row["file"] for row in found} <= {row["file"] for row in own}
    line = fails(1, "sample", one, other, one.with_name("again.csv"), "-n", 40, "-o", "x.csv")
    assert "again.csv: no such file" in line
    write(tmp_path / "again.csv", own[:9])
    again = ("sample", one, tmp_path / "again.csv", "-n", 20, "-o", tmp_path / "x.csv")
    said = invoke(*again).stderr
    assert "9 rows left out: an earlier row has the same text and actor" in said


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda rows: rows[4].update(stance="good"), "b.csv:6: 'good' is not one of against"),
        (lambda rows: [row.pop("stance") for row in rows], "b.csv: no column 'stance'"),
    ],
)
def test_what_is_wrong_in_one_of_several_tables_is_named_there(archive, tmp_path, spoil, said):
    rows = read(archive[0])
    one = write(tmp_path / "a.csv", rows[:50])
    spoil(rest := rows[50:90])
    other = write(tmp_path / "b.csv", rest)
    assert said in fails(1, "sample", one, other, "-n", 20, "-o", tmp_path / "x.csv")
    assert said in fails(1, "report", one, other, "-o", tmp_path / "x.html")


def test_answers_in_a_workbook_are_read_from_the_sheet_that_is_named(archive, tmp_path):
    rows = read(archive[0])
    sheets = ("notes", [["remark"]]), ("answers", [rows[0], *(row.values() for row in rows)])
    path = workbook(tmp_path / "answers.xlsx", *sheets)
    assert "no column" in fails(1, "sample", path, "-n", 60, "-o", tmp_path / "x.csv")
    sample(path, tmp_path / "to_label.csv", "--sheet", "answers")
    sample(archive[0], tmp_path / "plain.csv")
    found = read_drawn(tmp_path / "to_label.csv")
    plain = read_drawn(tmp_path / "plain.csv")
    assert [row | {"design": ""} for row in found] == [row | {"design": ""} for row in plain]
    corpus = tmp_path / "corpus.csv"
    succeeds("import", "table", path, "--sheet", "answers", "-o", corpus)
    assert len(read(corpus)) == len(rows)
    assert "nowhere" in fails(1, "label", path, "--sheet", "nowhere", "--export", "x.csv")
