"""Shares are corrected by the audit alone, and an audit that does not fit is refused."""

import json
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from archives import answer, answer_rows, label
from command import fails, invoke, succeeds
from command import read_rows as read
from command import write_rows as write
from pages import part, report_on

from stance.errors import DataError
from stance.findings import read_cells
from stance.findings.answers import read_population
from stance.findings.audit import read_answers
from stance.findings.request import Request

TRUTHS = {"Russia": (0.4, 0.5, 0.1), "NATO": (0.1, 0.7, 0.2)}


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """A table of answers, its labelled sample, and the truth by row."""
    folder = tmp_path_factory.mktemp("archive")
    rows, truth = answer_rows(TRUTHS, seed=4, documents=250)
    answers = write(folder / "answers.csv", rows)
    succeeds("sample", answers, "-n", 200, "-o", folder / "to_label.csv")
    return answers, label(folder / "to_label.csv", truth), truth


@pytest.fixture(autouse=True)
def design(archive, tmp_path):
    """The chances of the sample, beside the tables that a test writes."""
    return Path(shutil.copy(archive[1].with_name("to_label.design.csv"), tmp_path))


def figures(*args):
    return json.loads(succeeds("shares", *args, "--json").stdout)


def test_intervals_hold_the_true_shares_that_counts_miss(archive):
    answers, labelled, truth = archive
    found = figures(answers, "--audit", labelled)
    assert found["labels"] == 200
    actors = {row["row"]: row["actor"] for row in read(answers)}
    misses = 0
    for share in found["shares"]:
        asked = {share["actor"]} if share["actor"] in TRUTHS else {*TRUTHS}  # all together
        own = [truth[row] for row, actor in actors.items() if actor in asked]
        true = own.count(share["class"]) / len(own)
        if share["class"] == "net":
            true = (own.count("favor") - own.count("against")) / len(own)
        assert share["low"] <= share["corrected"] <= share["high"]
        assert share["low"] <= true <= share["high"]
        misses += abs(share["counted"] - true) > 0.05
        assert share["n"] == len(own)
    assert misses > 2


def test_without_an_audit_nothing_is_corrected_and_the_summary_says_why(archive, tmp_path):
    found = figures(archive[0], "--by", "outlet")
    assert {share["corrected"] for share in found["shares"]} == {None}
    assert {share["method"] for share in found["shares"]} == {"not corrected: no labels"}
    assert found["differences"] == []
    result = invoke("shares", archive[0], "--differences", tmp_path / "none.csv")
    assert "0 rows; only groups and periods with corrected shares (--audit)" in result.stderr
    head = (tmp_path / "none.csv").read_text("utf-8")
    assert head == "actor,of,one,other,difference,low,high,p,holm,claimed\n"
    text = invoke("shares", archive[0]).stdout
    assert "a model's counts are not shares" in text
    assert "-o FILE.csv" not in text
    assert "corrected" not in text


def test_a_stance_that_is_never_answered_is_not_counted_as_none(archive, tmp_path):
    """As where --abstain allows so few errors that no answer against is given."""
    rows = [r | {"stance": r["stance"].replace("against", "uncertain")} for r in read(archive[0])]
    table = write(tmp_path / "cautious.csv", [r | {"never_answered": "against"} for r in rows])
    for command in (("shares",), ("report",), ("shares", archive[0])):
        line = fails(1, *command, table)
        assert line.startswith(f"{table}: all answers that are against are withheld; run")
    corrected = figures(table, "--audit", archive[1])["shares"]
    assert all(share["corrected"] is not None for share in corrected)
    assert {share["counted"] for share in corrected} == {None}
    report_on(table, "--audit", archive[1])
    noted = succeeds("shares", table, "--audit", archive[1]).stderr
    assert "all answers that are against are withheld, so no answers are counted" in noted


def test_many_groups_leave_room_for_the_actors(archive, tmp_path):
    text = succeeds("shares", archive[0], "--audit", archive[1], "--by", "date").stdout
    assert all(f"{actor} (" in text for actor in TRUTHS)
    assert "  - 2024" not in text
    assert "-o FILE.csv lists all" in text
    part = write(tmp_path / "part.csv", read(archive[0])[:500])
    text = succeeds("shares", part, "--by", "date", "--over", "date").stdout
    assert "lists all\nFor 2024-01-10, 2024-02-10, " in text


def test_long_names_of_groups_stay_apart_on_a_terminal(archive, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    names = ["Christian Democratic Union", "Christian Social Union", "National Front"]
    outlets = dict(zip(sorted({row["outlet"] for row in read(archive[0])}), names, strict=True))
    rows = [row | {"outlet": outlets[row["outlet"]]} for row in read(archive[0])]
    table = write(tmp_path / "named.csv", rows)
    text = succeeds("shares", table, "--audit", archive[1], "--by", "outlet").stdout
    lines = text.splitlines()
    assert all(len(line) < 80 for line in lines)
    first = lines.index(next(line for line in lines if line.startswith("  - Christian")))
    words = [" ".join(line[:19].split()) for line in lines[first : first + 5]]
    assert words == ["- Christian", "Democratic", "Union", "- Christian", "Social Union"]
    assert re.search(rf"\(all actors\) .*\n {{4}}\({len(rows):,}\)\n", text)


def test_tables_are_tidy_and_hold_every_group_and_period(archive, tmp_path):
    shares, differences = tmp_path / "shares.csv", tmp_path / "differences.csv"
    options = ("--by", "outlet", "--over", "date", "--period", "quarter")
    succeeds(
        *("shares", archive[0], "--audit", archive[1], "-o", shares, *options),
        *("--differences", differences),
    )
    rows = read(shares)
    assert tuple(rows[0]) == (
        *("actor", "group", "period", "n", "documents", "withheld", "labels", "class"),
        *("counted", "counted_low", "counted_high", "corrected", "low", "high", "method"),
    )
    assert len(rows) == (2 + 1) * (1 + 3 + 4 + 12) * 4
    assert len({(*tuple(row.values())[:3], row["class"]) for row in rows}) == len(rows)
    cells = {(row["actor"], row["group"], row["period"]): row for row in rows}
    for actor in TRUTHS:
        whole = int(cells[actor, "", ""]["n"])
        for at in (1, 2):
            parts = [
                row for key, row in cells.items() if key[0] == actor and key[at] and not key[3 - at]
            ]
            assert sum(int(row["n"]) for row in parts) == whole
    compared = read(differences)
    assert {row["actor"] for row in compared} == {"(all actors)", *TRUTHS}
    for row in compared:
        assert row["of"] in ("group", "period")
        assert float(row["low"]) <= float(row["difference"]) <= float(row["high"])
        assert float(row["p"]) <= float(row["holm"])


def test_a_real_difference_is_claimed(tmp_path):
    rows, truth = answer_rows({"Russia": (0.3, 0.6, 0.1)}, documents=400)
    rng = np.random.default_rng(2)
    for row in rows:  # the Mirror praises
        if row["outlet"] == "Mirror" and rng.random() < 0.6:
            truth[row["row"]] = "favor"
    answers = write(tmp_path / "answers.csv", rows)
    invoke("sample", answers, "-n", 240, "-o", tmp_path / "drawn.csv", "--by", "outlet")
    labelled = label(tmp_path / "drawn.csv", truth)
    found = figures(answers, "--audit", labelled, "--by", "outlet")
    claimed = {(each["one"], each["other"]) for each in found["differences"] if each["claimed"]}
    assert claimed == {("Guardian", "Mirror"), ("Mirror", "Telegraph")}
    text = invoke("shares", answers, "--audit", labelled, "--by", "outlet").stdout
    assert "Differences in net stance beyond chance (Holm, 5 %), in points: 2 of 3" in text


def test_another_readers_labels_narrow_the_intervals(archive, tmp_path):
    rows = read(archive[0])
    for row in rows:
        row["llm"] = archive[2][row["row"]] if int(row["row"]) % 5 else ""
    answers = write(tmp_path / "both.csv", rows)
    alone, both = (
        figures(answers, "--audit", archive[1], *options)["shares"]
        for options in ((), ("--surrogate", "llm"))
    )
    one, other = ([share["high"] - share["low"] for share in shares] for shares in (alone, both))
    assert sum(other) < 0.8 * sum(one)
    assert all(narrower < wider for narrower, wider in zip(other, one, strict=True))
    assert all("llm" in share["method"] for share in both)
    sampled = {row["row"] for row in read(archive[1])}
    some = [row | {"llm": row["llm"] * (row["row"] in sampled)} for row in rows]
    alone = write(tmp_path / "alone.csv", some)
    line = fails(1, "shares", alone, "--audit", archive[1], "--surrogate", "llm")
    assert "'llm' is filled for 8" in line
    assert line.endswith("or for rows chosen without regard to the sample")
    rows[7]["llm"] = "hostile"
    broken = write(tmp_path / "broken.csv", rows)
    line = fails(1, "shares", broken, "--audit", archive[1], "--surrogate", "llm")
    assert line.startswith(f"{broken}:9: llm 'hostile' in row 8 is not a label; use against")


# --- Audits that do not fit ---


def test_spaces_and_the_parts_of_accents_are_none_of_a_name(archive, tmp_path):
    """As predict reads the cells of an actor column, an empty one among them."""
    rows = [row | {"outlet": "\u00c9cho"} for row in read(archive[0])]
    whole = figures(write(tmp_path / "whole.csv", rows), "--by", "outlet")
    for row in rows[::2]:
        row["outlet"] = "E\u0301cho"
    assert figures(write(tmp_path / "parts.csv", rows), "--by", "outlet") == whole
    for row in rows:
        row["actor"] += ("\u00e9", "e\u0301")[int(row["row"]) % 2]
    accented = figures(write(tmp_path / "actors.csv", rows), "--actor", "NATOe\u0301")
    assert accented["answers"] == sum(row["actor"].startswith("NATO") for row in rows)
    rows = read(archive[0])
    for row in rows[::2]:
        row["actor"] = f" {row['actor']}  "
    blank = dict.fromkeys(("stance", "stance_against", "stance_neutral", "stance_favor"), "")
    rows.append(rows[0] | blank | {"row": str(len(rows) + 1), "actor": "  ", "mentions": "0"})
    spaced = write(tmp_path / "spaced.csv", rows)
    assert figures(spaced) == figures(archive[0])
    assert figures(spaced, "--audit", archive[1])["labels"] == 200


def held(folder, actor="Russia"):
    """Write answers with holders: 40 stances of Iran toward an actor, and some toward itself."""
    rows, holders = [], ("Iran", "author", actor, "")
    for number in range(1, 161):
        holder, side = holders[number % 4], "favor" if number % 5 == 0 else "against"
        label = side if holder else "neutral"
        text = f"It rained in May {number}. “{actor} was condemned by Iran.” (It rained again.)"
        cells = {"document": f"d{number // 2}", "text": text}
        rows.append({**answer(number, actor, label, **cells), "holder": holder})
    return write(folder / "held.csv", rows)


def test_pairs_are_the_stances_of_each_holder_toward_others(tmp_path):
    answers, edges, graph = held(tmp_path), tmp_path / "edges.csv", tmp_path / "edges.graphml"
    result = invoke("shares", answers, "--pairs", "-o", edges, "--json")
    found = json.loads(result.stdout)["pairs"]
    assert "40 answers left out, in which an actor judges itself" in result.stderr
    assert {(row["holder"], row["target"]) for row in found} == {
        ("Iran", "Russia"), ("author", "Russia"),
    }  # fmt: skip
    rows = [row for row in read(answers) if row["holder"] == "Iran"]
    iran = next(row for row in found if row["holder"] == "Iran")
    assert (iran["n"], iran["documents"], iran["neutral"]) == (40, 40, 0)
    assert iran["favor"] == sum(row["stance"] == "favor" for row in rows)
    assert iran["toward_target"] == 160
    assert -1 < iran["low"] < iran["net"] < iran["high"]
    assert iran["net"] == pytest.approx((iran["favor"] - iran["against"]) / 40)
    written = {row["holder"]: row for row in read(edges)}
    assert written["Iran"]["evidence_against"] == '"Russia was condemned by Iran."'
    succeeds("shares", answers, "--pairs", "-o", graph)
    root = ElementTree.parse(graph).getroot()
    name = "{http://graphml.graphdrawing.org/xmlns}"
    nodes = {node.get("id") for node in root.iter(f"{name}node")}
    assert nodes == {"Iran", "author", "Russia"}
    for edge in root.iter(f"{name}edge"):
        cells = {data.get("key"): data.text for data in edge}
        row = written[edge.get("source")]
        assert cells == {key: row[key] for key in cells}
    assert invoke("shares", answers, "--pairs", "--json").stdout == result.stdout
    text = " ".join(invoke("shares", answers, "--pairs").stdout.split())
    assert "Iran Russia 40 32 8 -60.0 [" in text
    audit = ("--audit", answers, "--simple-random")
    text = " ".join(invoke("shares", answers, "--pairs", *audit).stdout.split())
    assert re.search(r"net corrected .*Iran Russia 40 -60\.0 \[.*?\] -60\.0 \[", text)
    assert "…" not in text  # no interval is cut
    rows = read(answers)
    write(answers, rows[:8])
    text = " ".join(invoke("shares", answers, "--pairs", *audit).stdout.split())
    assert re.search(r"Iran Russia 2 few few", text)
    write(answers, [row for row in rows if row["holder"] == row["actor"]])
    succeeds("shares", answers, "--pairs", "-o", graph, "--force")
    assert not [*ElementTree.parse(graph).getroot().iter(f"{name}edge")]
    succeeds("shares", held(tmp_path, "Olga Brandt"), "--pairs", "-o", tmp_path / "olga.csv")
    olga = [row["evidence_against"] for row in read(tmp_path / "olga.csv")]
    assert olga == ['"Olga Brandt was condemned by Iran."'] * 2


def test_a_report_leads_from_each_pair_to_its_sentences(tmp_path):
    answers = held(tmp_path)
    audit = ("--audit", answers, "--simple-random")
    page, _ = report_on(answers, *audit, "--figures", tmp_path / "figures")
    assert {"pair-1", "pair-2"} <= set(page.jumps)
    stances = "Iran toward Russia: −60 \\[−\\d+, −\\d+\\] \\(counted −60\\), 40 stances"
    assert re.search(stances, page.text)
    assert "Russia was condemned by Iran." in page.text
    assert "counted by a classifier and not corrected" not in page.text
    pairs = {row["holder"]: row for row in page.rows("pairs")}
    written = invoke("shares", answers, "--pairs", *audit, "--json", "-o", tmp_path / "edges.csv")
    assert read(tmp_path / "figures" / "pairs.csv") == read(tmp_path / "edges.csv")
    edges = json.loads(written.stdout)["pairs"]
    for edge in edges:
        for name in ("", "_low", "_high"):
            cell, number = pairs[edge["holder"]][f"net corrected{name}"], edge[f"corrected{name}"]
            assert part(cell) == pytest.approx(number, abs=6e-4)
    rows = [{**row, "date": f"202{row['row'][-1]}"} for row in read(answers)]
    rows += [{**rows[0], "actor": f"Land {n}", "holder": f"Land {n + 1}"} for n in range(16)]
    text = report_on(write(tmp_path / "many.csv", rows), "--figures", tmp_path / "many")[0].text
    assert text.count("; of 17 actors, the 12 with most answers are shown.") == 2
    assert re.search("Of 18 pairs, the 1\\d of the most frequent names are shown", text)
    assert len(read(tmp_path / "many" / "pairs.csv")) == 18
    write(answers, read(answers)[:8])
    text = report_on(answers, *audit)[0].text
    assert re.search("Iran toward Russia: too few labels .*, 2 stances", text)
    assert "Russia was condemned by Iran." in text


def test_pairs_need_holders(archive, tmp_path):
    assert "no 'holder' says whose stance it is; judge" in fails(1, "shares", archive[0], "--pairs")
    table, none = tmp_path / "none.csv", {"stance": "uncertain", "holder": ""}
    line = fails(1, "shares", write(table, [row | none for row in read(archive[0])]), "--pairs")
    assert "none.csv: no answer has a holder, since all are neutral or withheld" in line


def labels_only(answers, labelled, folder, **names):
    """Write answers as a language model's labels, and people's labels without a row number."""
    spelled = {"against": "NEGATIVE", "neutral": "none", "favor": "Positive"}
    rows = [
        {"id": f"p{row['row']}", "text": row["text"], "doc": row["document"],
         names.get("actor", "actor"): row["actor"],
         names.get("stance", "stance"): spelled[row["stance"]]}
        for row in read(answers)
    ]  # fmt: skip
    people = [
        {"id": f"p{row['row']}", "text": row["text"], "actor": row["actor"],
         "stance": row["stance"]}
        for row in read(labelled)
    ]  # fmt: skip
    return write(folder / "model.csv", rows), write(folder / "people.csv", people)


@pytest.mark.parametrize("by", ["id", "text"])
def test_labels_of_a_language_model_are_answers_joined_by_id_or_text(archive, tmp_path, by):
    model, people = labels_only(*archive[:2], tmp_path, stance="label", actor="target")
    said = fails(1, "shares", model, "--audit", people)
    assert "did you mean --actor-column 'target'?" in said
    options = ("--actor-column", "target", "--stance-column", "label", "--document-column", "doc")
    plain = invoke("shares", model, *options)
    assert "labels read as NEGATIVE -> against, Positive -> favor, none -> neutral" in plain.stderr
    counted = {(s["actor"], s["class"]): s["counted"] for s in figures(archive[0])["shares"]}
    people = write(people, [{k: row[k] for k in (by, "actor", "stance")} for row in read(people)])
    found = figures(model, "--audit", people, "--simple-random", *options)
    assert {(s["actor"], s["class"]): s["counted"] for s in found["shares"]} == counted
    assert found["labels"] == 200
    assert all(s["low"] <= s["corrected"] <= s["high"] for s in found["shares"])
    rows = read(model)
    rows[0]["label"], rows[1]["label"] = "", "Uncertain"
    result = invoke("shares", write(model, rows), "--json", *options)
    assert "2 rows without a stance, which counted shares leave out" in result.stderr
    assert json.loads(result.stdout)["shares"][0]["withheld"] == 2
    assert ", 2 withheld\n" in invoke("shares", model, *options).stdout


def test_a_sample_of_some_actors_or_rows_corrects_no_others(archive, tmp_path):
    output, named = tmp_path / "on_russia.csv", ("--actor", "Russia")
    part = write(tmp_path / "part.csv", [row for row in read(archive[0]) if row["outlet"] > "H"])
    for table, *options in ((part,), (archive[0], *named)):
        succeeds("sample", table, "-n", 60, "-o", output, "--force", *options)
        labelled = write(output, [row | {"stance": "favor"} for row in read(output)])
        line = fails(1, "shares", archive[0], "--audit", labelled)
        assert re.search(r"drawn from [\d,]+ answers, but \S+ has .* the sample with --actor", line)
    assert fails(1, "report", archive[0], "--audit", labelled) == line
    assert figures(archive[0], "--audit", labelled, *named)["labels"] == 60
    report_on(archive[0], "--audit", labelled, *named)


def test_labels_that_name_no_answer_are_one_line_that_says_why(archive, tmp_path):
    model, people = labels_only(*archive[:2], tmp_path)
    audit = ("--audit", people, "--simple-random")
    rows = read(people)
    write(people, [{"actor": row["actor"], "stance": row["stance"]} for row in rows])
    assert "has neither 'row', 'id' nor 'text' in common" in fails(1, "shares", model, *audit)
    write(people, [{**row, "id": "other"} for row in rows])
    assert "id other on 'Russia' is not among the answers" in fails(1, "shares", model, *audit)
    write(people, [{"id": "p", "actor": "Russia", "stance": "favor"}])
    write(model, [{**row, "id": "p"} for row in read(model)])
    why = r"fits \d+ answers of .*; give each paragraph its own 'id' in both tables"
    assert re.search(why, fails(1, "shares", model, *audit))
    write(people, [{"text": "Same.", "actor": "Russia", "stance": "favor"}])
    write(model, [row | {"id": n, "text": "Same."} for n, row in enumerate(read(model))])
    assert re.search(why, fails(1, "shares", model, *audit))
    write(model, [{**row, "stance": "maybe"} for row in read(model)])
    assert "stance 'maybe' in row 1 is not a label" in fails(1, "shares", model)


def test_columns_of_answers_may_have_a_prefix(archive, tmp_path):
    heads = {"document", "outlet", "date", "text"}
    rows = [
        {name if name in heads else f"p_{name}": cell for name, cell in row.items()}
        for row in read(archive[0])
    ]
    answers, sheet = write(tmp_path / "answers.csv", rows), tmp_path / "sheet.csv"
    succeeds("sample", answers, "--prefix", "p_", "-n", 200, "-o", sheet)
    assert figures(answers, "--prefix", "p_", "--audit", label(sheet, archive[2]))["labels"] == 200


def changed(path, output, **cells):
    """Write a labelled sample with its fourth row changed."""
    rows = read(path)
    rows[3].update(cells)
    return write(output, rows)


BAD = [
    ({"actor": "Narnia"}, ":5: row ", "on 'Narnia' is not among the answers of"),
    ({"row": "9" * 5000}, ":5: row 99999", "is not among the answers of"),
    ({"document": "x"}, ":5: row ", "a spreadsheet may have changed, such as 007 into 7"),
    (
        {"stance": "hostile"},
        ":5: stance 'hostile' in row 4 is not",
        "if none, leave the cell empty",
    ),
    ({"text": "Another."}, ":5: row ", "or has another text there; restore the row, whose"),
]


@pytest.mark.parametrize(("cells", "start", "end"), BAD)
def test_a_row_that_does_not_fit_is_one_line(archive, tmp_path, cells, start, end):
    bad = changed(archive[1], tmp_path / "bad.csv", **cells)
    line = fails(1, "shares", archive[0], "--audit", bad)
    assert line.startswith(f"{bad}{start}")
    assert end in line


def test_answers_other_than_those_drawn_from_are_refused(archive, tmp_path):
    rows = read(archive[1])
    kept = {(row["row"], row["actor"]) for row in rows}
    few = [row for row in read(archive[0]) if (row["row"], row["actor"]) in kept]
    line = fails(1, "shares", write(tmp_path / "few.csv", few), "--audit", archive[1])
    assert re.search(r"stand for [\d,]+ answers or more, but .*few.csv has 200; give all", line)
    rest = read(archive[0])
    half = [row for row in rest if (row["row"], row["actor"]) in kept or int(row["row"]) < 300]
    line = fails(1, "shares", write(tmp_path / "half.csv", half), "--audit", archive[1])
    assert "; give all answers that it was drawn from" in line
    nameless = write(tmp_path / "rows.csv", rows, [name for name in rows[0] if name != "row"])
    line = fails(1, "shares", archive[0], "--audit", nameless)
    assert "lacks the column 'row', by which to_label.design.csv names what was drawn" in line


@pytest.fixture
def pages(archive, tmp_path):
    """Answers on one actor whose documents are called url, with ids, and the truth by row."""
    rows = [row for row in read(archive[0]) if row["actor"] == "Russia"]
    rows = [{"id": f"p{row['row']}", "url": row.pop("document"), **row} for row in rows]
    return write(tmp_path / "pages.csv", rows), rows, archive[2]


def drawn(pages, *options):
    """Return a labelled sample of pages."""
    sheet = pages[0].with_name("sheet.csv")
    succeeds("sample", pages[0], "-n", 60, "-o", sheet, "--document-column", "url", *options)
    return label(sheet, pages[2])


def test_labels_without_text_are_joined_by_id_and_row(pages, tmp_path):
    labels = read(drawn(pages))
    bare = write(tmp_path / "bare.csv", labels, [name for name in labels[0] if name != "text"])
    with_text = figures(pages[0], "--audit", pages[0].with_name("labelled.csv"))
    assert figures(pages[0], "--audit", bare) == with_text
    ids = [row["id"] for row in pages[1]]
    other = [{**row, "id": one} for row, one in zip(pages[1], ids[-1:] + ids[:-1], strict=True)]
    line = fails(1, "shares", write(tmp_path / "sorted.csv", other), "--audit", bare)
    assert "is not among the answers of" in line


def test_answers_that_change_while_they_are_read_are_refused(pages):
    answers = read_population(Request(pages[0]))
    write(pages[0], pages[1][::-1])
    with pytest.raises(DataError, match=r"pages.csv: has changed while it was read; run again"):
        read_cells(answers, [0])


def test_a_design_says_that_documents_were_drawn_and_what_names_them(pages, tmp_path):
    labelled = drawn(pages, "--documents")
    shares = figures(pages[0], "--audit", labelled)
    assert shares == figures(pages[0], "--audit", labelled, "--document-column", "url")
    assert shares["documents"] == len({row["url"] for row in pages[1]})
    urls = {row["url"] for row in read(labelled)}
    part = write(tmp_path / "part.csv", [row for row in pages[1] if row["url"] in urls])
    assert "documents or more, but" in fails(1, "shares", part, "--audit", labelled)


def test_groups_without_any_label_are_refused(pages, tmp_path):
    labels = read(drawn(pages, "--by", "outlet"))
    first = labels[0]["outlet"]
    some = [{**row, "stance": row["stance"] * (row["outlet"] == first)} for row in labels]
    line = fails(1, "shares", pages[0], "--audit", write(tmp_path / "some.csv", some))
    assert "no row is labelled in" in line
    assert "label rows from everywhere in the sheet, best all" in line


def test_a_sample_of_tables_put_together_by_hand_is_refused(pages, tmp_path):
    again = [{**row, "url": f"{row['url']} b", "text": "Another one."} for row in pages[1]]
    both = write(tmp_path / "both.csv", [*pages[1], *again])
    line = fails(1, "sample", both, "-n", 60, "-o", tmp_path / "sheet.csv")
    assert f"record {len(again) + 1:,} has the 'row' and actor of an earlier one" in line


def test_labels_of_a_table_without_numbers_are_joined_by_id(tmp_path):
    rows = [{"id": f"a{n}", "actor": "NATO", "stance": "against"} for n in range(60)]
    rows += [{"id": f"b{n}", "actor": "NATO", "stance": "favor"} for n in range(60)]
    coded = write(tmp_path / "coded.csv", rows)
    succeeds("sample", coded, "-n", 40, "-o", tmp_path / "sheet.csv")
    sheet = read(tmp_path / "sheet.csv")
    truth = {row["id"]: row["stance"] for row in rows}
    audit = write(tmp_path / "audit.csv", [{**r, "stance": truth[r["id"]]} for r in sheet])
    found = figures(coded, "--audit", audit)["shares"]
    assert next(share["corrected"] for share in found if share["class"] == "favor") == 0.5
    sorted_anew = write(tmp_path / "anew.csv", sorted(rows, key=lambda row: row["id"][1:]))
    assert "is not among the answers" in fails(1, "shares", sorted_anew, "--audit", audit)


def test_a_row_labelled_twice_counts_once_or_is_refused(archive, tmp_path):
    rows = [{**row, "coder": "anna"} for row in read(archive[1])]
    twice = write(tmp_path / "twice.csv", [*rows, rows[0]])
    expected = figures(archive[0], "--audit", archive[1])["shares"]
    assert figures(archive[0], "--audit", twice)["shares"] == expected
    other = {"against": "favor", "favor": "neutral", "neutral": "against"}
    rows += [{**row, "coder": "ben", "stance": other[row["stance"]]} for row in rows[:2]]
    line = fails(1, "shares", archive[0], "--audit", write(twice, rows))
    assert line.startswith(f"{twice}:2 and 202: row ")
    assert "has two labels; keep one of the lines, or adjudicate them with stance label" in line
    rows += [{**row, "coder": " Adjudicated"} for row in rows[:2]]
    assert figures(archive[0], "--audit", write(twice, rows))["shares"] == expected


def test_an_audit_without_design_is_refused_unless_it_was_simple(archive, tmp_path):
    rows = [{**row, "design": ""} for row in read(archive[1])]
    plain = write(tmp_path / "plain.csv", rows)
    line = fails(1, "shares", archive[0], "--audit", plain)
    assert line.startswith(
        f"{plain}: does not say how its rows were drawn; keep its column 'design'"
    )
    assert line.endswith("or add --simple-random if every answer had the same chance")
    expected = figures(archive[0], "--audit", plain, "--simple-random")
    assert expected["labels"] == 200
    alike = [
        write(tmp_path / f"{number}.csv", [{**row, "row": "1"} for row in table])
        for number, table in enumerate((read(archive[0]), rows))
    ]  # whose texts tell them apart
    assert figures(alike[0], "--audit", alike[1], "--simple-random") == expected
    shutil.copy(archive[1].with_name("to_label.design.csv"), plain.with_suffix(".design.csv"))
    for path in (archive[1], plain):  # the column of the latter is empty
        line = fails(1, "shares", archive[0], "--audit", path, "--simple-random")
        assert re.search(r"drawn by \w+.design.csv; keep its column 'design' and drop --", line)


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("inclusion", "1.5", "design.csv:5: inclusion '1.5' is not a number above 0 and at most 1"),
        ("row", "x", "is not in to_label.design.csv; restore the row, or its design"),
    ],
)
def test_a_design_that_does_not_fit_is_one_line(archive, tmp_path, design, column, cell, said):
    labelled = write(tmp_path / "labelled.csv", read(archive[1]))
    changed(design, design, **{column: cell})
    assert said in fails(1, "shares", archive[0], "--audit", labelled)
    design.unlink()
    line = fails(1, "report", archive[0], "--audit", labelled, "--simple-random")
    assert "design file to_label.design.csv is missing; put it beside the labels" in line


def test_rows_without_a_label_or_chosen_to_learn_from_are_left_out_with_a_note(
    archive, tmp_path, design
):
    rows = read(archive[1])
    rows[0]["stance"], rows[1]["purpose"] = "", "train"
    write(design, [row for row in read(design) if row["row"] != rows[1]["row"]])
    rows[2]["stance"], rows[2]["false_match"] = "", "1"
    rows = [row | {"stance": row["stance"].replace("favor", "pro")} for row in rows]
    path = write(tmp_path / "part.csv", rows)
    result = invoke("shares", archive[0], "--audit", path, "--json")
    found = json.loads(result.stdout)
    assert (found["labels"], found["missing"]) == (198, 1)
    population, audit = read_answers(Request(archive[0], audit=path))
    assert (1 / audit.inclusion).sum() == pytest.approx(len(population), rel=0.01)
    assert ", 198 labels, 1 missing\n" in invoke("shares", archive[0], "--audit", path).stdout
    assert "1 row without a label, 1 % of those drawn; label them, too: intervals" in result.stderr
    page = report_on(archive[0], "--audit", path)[0].text
    chances = [float(row["inclusion"]) for row in read(design)]
    drawn = f"of inclusion, from {min(chances):.4f} to {max(chances):.4f} .*; 1 more that was drawn"
    assert re.search(f"{drawn} has no label, for which labelled ones stand", page)
    for text in (page, result.stderr):
        assert f"{path}: stance labels read as pro -> favor" in text
    assert "1 row left out: chosen for training, not drawn at random" in result.stderr
    assert "1 row with a false match counted as neutral" in result.stderr
    nothing = write(tmp_path / "none.csv", [{**row, "stance": ""} for row in read(archive[1])])
    assert "holds no labelled row" in fails(1, "shares", archive[0], "--audit", nothing)


def test_a_spreadsheet_may_change_spaces_and_order(archive, tmp_path):
    rows = [{**row, "text": row["text"].replace(" ", "\n")} for row in read(archive[1])][::-1]
    path = tmp_path / "saved.csv"
    expected = figures(archive[0], "--audit", archive[1])["shares"]
    write(path, rows)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert figures(archive[0], "--audit", path)["shares"] == expected
    rows = [row | {"note": "naïve – “so”"} for row in rows]
    path.write_bytes(write(path, rows).read_text("utf-8").encode("cp1252"))
    advice = "saved.csv:2: byte 0xef is not UTF-8 in .*, such as --encoding cp1252"
    assert re.search(advice, fails(1, "shares", archive[0], "--audit", path))
    assert figures(archive[0], "--audit", path, "--encoding", "cp1252")["shares"] == expected


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--simple-random",), "need labels; add --audit LABELLED"),
        (("--surrogate", "label"), "need labels; add --audit LABELLED"),
        (("-o", "a.csv", "--differences", "a.csv"), "is both --output and --differences; name two"),
        (("--pairs", "--differences", "x.csv"), "drop --differences, --by and --over"),
        (("-o", "x.graphml"), "x.graphml: a graph holds who judges whom; add --pairs"),
        (("--period", "month"), "--period is about dates; name their column with --over"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(archive, options, said):
    assert said in fails(2, "shares", archive[0], *options)


def test_documents_may_stand_in_a_column_of_any_name(archive, tmp_path, design):
    known, labels = archive[0], archive[1]
    renamed = [
        write(tmp_path / path.name, [{"doc_id": row.pop("document"), **row} for row in read(path)])
        for path in (known, labels, design)
    ]
    named = ("--document-column", "doc_id", "--json")
    own = invoke("shares", renamed[0], "--audit", renamed[1], *named)
    usual = invoke("shares", known, "--audit", labels, "--json")
    assert json.loads(own.stdout)["shares"] == json.loads(usual.stdout)["shares"]
    assert "column 'document'" not in own.stderr
    without = read(renamed[2])  # as drawn without the option
    write(renamed[2], without, [name for name in without[0] if name != "doc_id"])
    later = invoke("shares", renamed[0], "--audit", renamed[1], *named)
    assert json.loads(later.stdout)["shares"] == json.loads(usual.stdout)["shares"]
    line = fails(1, "shares", renamed[0], "--document-column", "docid")
    assert "no column 'docid'; did you mean" in line


NAMELESS = "so each {0} counts as a document; if a document has several {0}s, name the document"
LOOSE = "8 rows without a document; each {} counts as one"


@pytest.mark.parametrize(
    ("columns", "documents", "said"),
    [
        (["id"], 8, NAMELESS.format("id")),
        (["text"], 16, NAMELESS.format("text")),
        ([], 16, NAMELESS.format("row")),
        (["document", "text"], 10, LOOSE.format("text")),
        (["document"], 10, LOOSE.format("row")),
    ],
)
def test_without_a_document_equal_texts_or_else_ids_are_one(tmp_path, columns, documents, said):
    """A text without a document is one of its own, as in a table without that column."""
    names = ["d1", "d1", "", " ", "\t", "NA", "NA", ""]
    rows = [
        {"document": names[number // 2], "id": f"p{number // 2}", "text": f"Text {number}.",
         "actor": actor, "stance": "favor"}
        for number, actor in enumerate(["NATO", "Russia"] * 8)
    ]  # fmt: skip
    kept = [*columns, "actor", "stance"]
    labels = write(tmp_path / "labels.csv", [{name: row[name] for name in kept} for row in rows])
    assert figures(labels)["documents"] == documents
    assert said in invoke("shares", labels).stderr


def test_a_document_is_one_in_all_files_that_name_it(tmp_path):
    """As for `train`: where files number theirs alike, intervals are too wide, not too narrow."""
    for name in ("a.csv", "b.csv"):
        rows = [{"document": "1", "text": f"NATO praised {name} again, {at}."} for at in range(3)]
        write(tmp_path / name, rows)
    for prefix in ("", "p_"):
        answers = tmp_path / f"{prefix}answers.csv"
        given = (tmp_path / "a.csv", tmp_path / "b.csv", "-o", answers, "--prefix", prefix)
        succeeds("predict", *given)
        result = succeeds("shares", answers, "--prefix", prefix)
        assert result.stdout.startswith("6 answers in 1 document\n")
        assert "1 document in more than one file: each counts as one; rename" in result.stderr


TWICE = ":2 and {0}:5: two answers on one text and actor; keep one row of each pair; labels of"
AGAIN = "1 row counted, too; delete them, or add an 'id': an earlier row has the same text and"
PREDICTED = "row text actor mentions stance stance_against stance_neutral stance_favor"
KINDS = {"id text actor stance": TWICE, PREDICTED: TWICE, "text actor stance": AGAIN}


@pytest.mark.parametrize(("columns", "said"), KINDS.items())
def test_two_answers_on_one_text_and_actor_are_refused_in_any_order(tmp_path, columns, said):
    rows = [answer(n, "NATO", "favor", id=n, text=f"Text {n}.") for n in (1, 2, 3, 1)]
    rows = [{name: row[name] for name in columns.split()} for row in rows]
    path = write(tmp_path / "twice.csv", rows)
    assert figures(path)["answers"] == 3 + (said == AGAIN)
    rows[-1]["stance"] = "against"
    for ordered in (rows, rows[::-1]):
        result = invoke("shares", write(path, ordered))
        assert (said.format(path) in result.stderr, result.exit_code) == (True, said == TWICE)


def test_too_many_groups_are_refused(archive, tmp_path):
    said = "column 'text' has .* values; compare at most 200 groups"
    for command in (("shares",), ("sample", "-n", 60, "-o", tmp_path / "x.csv")):
        assert re.search(said, fails(1, *command, archive[0], "--by", "text"))


def test_stances_without_an_actor_are_said_to_be_left_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("labels.csv").write_text("text,actor,stance\nNATO is fine.,NATO,favor\nBad.,,against\n")
    told = invoke("shares", "labels.csv").stderr
    assert "labels.csv: 1 row with a stance but no actor left out (first: labels.csv:3)" in told
