"""A report with an audit shows what `stance shares` finds, and says how it came about."""

import csv
import json
import re

import numpy as np
import pytest
from archives import LABELS, answer
from command import invoke, read_rows, write, write_rows
from pages import part, report_on


def points(net):
    text = f"{100 * net:+.0f}".replace("-", "−")
    return "0" if text in ("+0", "−0") else text


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Answers with errors on three actors, and labels of a simple random sample."""
    folder, rng = tmp_path_factory.mktemp("study"), np.random.default_rng(4)
    answers, labels = [], []
    for row in range(1, 1201):
        actor = ("Anvaria", "Borduria", "Seldom")[0 if row % 2 else 1 if row % 60 else 2]
        truth = rng.choice(3, p=(0.3, 0.6, 0.1) if actor == "Anvaria" else (0.1, 0.6, 0.3))
        said = truth if rng.random() < 0.8 else rng.choice(3)
        head = {"document": f"d{row // 3}", "text": f"Text {row}."}
        answers.append(answer(row, actor, LABELS[said], **head))
        if row % 8 == 1 or row % 8 == 4:
            labels.append({**head, "row": row, "actor": actor, "stance": LABELS[truth]})
    return write_rows(folder / "answers.csv", answers), write_rows(folder / "labelled.csv", labels)


AUDIT = ("--simple-random",)


@pytest.fixture(scope="module")
def made(study):
    answers, labelled = study
    return report_on(answers, "--audit", labelled, *AUDIT)[0]


def test_corrected_shares_are_those_of_shares(study, made):
    answers, labelled = study
    result = invoke("shares", answers, "--audit", labelled, *AUDIT, "--json")
    found = {(row["actor"], row["class"]): row for row in json.loads(result.stdout)["shares"]}
    rows = made.rows("net")
    assert {row["actor"] for row in rows} == {"Anvaria", "Borduria", "Seldom"}
    for row in rows:
        for label in (*LABELS, "net"):
            own, corrected = found[row["actor"], label], f"{label} corrected"
            names = f"{label} counted", corrected, f"{corrected}_low", f"{corrected}_high"
            for name, key in zip(("counted", "corrected", "low", "high"), names, strict=True):
                if row.get(key):  # missing where an interval says next to nothing
                    assert part(row[key]) == pytest.approx(own[name], abs=6e-4)
        assert row["actor"] == "Seldom" or row["net corrected"]
        assert row["method"] == own["method"]


PARTIES = {"Left": -0.56, "Green": -0.28, "Liberal": 0.0, "Centre": 0.27, "Right": 0.54}


@pytest.fixture(scope="module")
def parties(tmp_path_factory):
    """A study whose classifier counts about +30 toward NATO in every party, and its page."""
    folder, rng = tmp_path_factory.mktemp("parties"), np.random.default_rng(4)
    answers, labels, truths = [], [], {}
    for row in range(1, 2501):
        party = list(PARTIES)[row // 5 % 5]
        net = PARTIES[party]
        truth = rng.choice(3, p=[(0.7 - net) / 2, 0.3, (0.7 + net) / 2])
        said = truth if rng.random() < 0.25 else rng.choice(3, p=[0.2, 0.3, 0.5])
        tilt = 0.3 - 0.25 * net - 0.22
        if rng.random() < abs(tilt):
            said = 2 if tilt > 0 else 0
        actor = "NATO" if row != 7 else "Taiwan"
        truths.setdefault((actor, party), []).append(truth - 1)
        head = {"document": f"d{row // 5}", "text": f"Text {row}.", "Party": party}
        head |= {"date": f"20{20 + row // 25 % 4}-03-01"}
        answers.append(answer(row, actor, LABELS[said], 0.7, **head))
        if rng.random() < 0.25:
            labels.append({**head, "row": row, "actor": actor, "stance": LABELS[truth]})
    table = write_rows(folder / "answers.csv", answers)
    labelled = write_rows(folder / "labelled.csv", labels)
    options = ("--by", "Party", "--audit", labelled, "--simple-random", "--figures", folder / "f")
    page, _ = report_on(table, *options)
    return page, {key: np.mean(values) for key, values in truths.items()}, folder / "f"


def test_every_chart_of_a_labelled_study_shows_the_corrected_study(parties):
    """Headline, chart, map, timeline and file of figures; the counted numbers beside, small."""
    page, truth, folder = parties
    rows = [row for row in page.rows("map") if row["actor"] == "NATO"]
    assert {row["group"] for row in rows} == set(PARTIES)
    for row in rows:
        low, high = (part(row[f"net corrected_{end}"]) for end in ("low", "high"))
        assert low <= truth["NATO", row["group"]] <= high
        assert 0.1 < part(row["net counted"]) < 0.5
    lead, _, rest = page.text.partition("rows judged")
    lower = (
        r"Toward NATO, it is clearly lower for Left \(−\d\d .* for Right \(\+\d\d .*, by Party\."
    )
    assert re.search(lower, lead)
    assert re.search(r"Of all answers, \d+ % \[\d+, \d+\] are against, .* favor, corrected", lead)
    against = float(re.search(r"Of all answers, (\d+) %", lead)[1])
    assert abs(against - 35) < 8  # of which the classifier counts some 20
    nets = [row for row in read_rows(folder / "numbers.csv") if row["class"] == "net"]
    numbers = {row["group"]: row for row in nets if row["actor"] == "NATO" and row["group"]}
    for row in page.rows("groups"):
        (total,) = (n for n in nets if (n["actor"], n["group"]) == ("(all actors)", row["group"]))
        assert part(row["net corrected"]) == pytest.approx(float(total["corrected"]), abs=6e-4)
    drawn = (folder / "map.svg").read_text("utf-8")
    for row in rows:
        number = numbers[row["group"]]
        for name in ("counted", "corrected"):
            assert part(row[f"net {name}"]) == pytest.approx(float(number[name]), abs=6e-4)
        assert f">{points(float(number['corrected']))}<" in drawn
        assert f">({points(float(number['counted']))})<" in drawn
    assert "too few (0)" in page.text
    assert "+100, n = 1" not in rest
    assert "−100" not in (folder / "net.svg").read_text("utf-8")
    mean = np.mean([truth["NATO", party] for party in PARTIES])
    for row in nets:
        if row["actor"] == "NATO" and row["period"]:
            assert float(row["low"]) <= mean + 0.1
            assert float(row["high"]) >= mean - 0.1


def test_the_method_describes_sample_and_correction(made):
    text = made.text
    assert "300 of the answers were labelled by [who" in text
    assert "drawn with equal probabilities (file labelled.csv, sha256" in text
    for key in ("angelopoulos2023", "egami2023"):
        assert f"{{{key}," in text
    assert "were not corrected" not in text


def test_without_an_audit_the_method_says_that_nothing_is_corrected(study):
    text = report_on(study[0])[0].text
    assert "the shares are counts of the classifier's answers, not corrected" in text
    assert "angelopoulos2023" not in text
    assert "Draw a sample with stance sample" in text


def test_an_audit_of_a_single_answer_corrects_nothing_and_says_so(study, tmp_path):
    answers, labelled = study
    one = write_rows(tmp_path / "one.csv", read_rows(labelled)[:1])
    found = report_on(answers, "--audit", one, *AUDIT)[0].text
    assert "3 actors have too few labels: " in found
    assert "No actor had enough labels." in found
    assert "by a classifier, with 1 label, too few to correct." in found


def test_labels_that_suffice_for_one_stance_alone_have_a_page(tmp_path):
    heads = [{"document": f"d{row}", "text": f"Text {row}."} for row in range(1, 201)]
    rows = [answer(n, "NATO", LABELS[n % 3], 0.7, **head) for n, head in enumerate(heads, 1)]
    coded = [
        {**head, "row": n, "actor": "NATO", "stance": LABELS[1 + n % 2]}
        for n, head in enumerate(heads[:10], 1)
    ]
    paths = [write_rows(tmp_path / f"{n}.csv", table) for n, table in enumerate((rows, coded))]
    page, _ = report_on(paths[0], "--audit", paths[1], "--simple-random")
    assert "corrected by 10 labels" in page.text
    assert "Of all answers" not in page.text  # of which two shares are too wide to say


@pytest.mark.parametrize("safe", [True, False])
def test_a_name_that_is_a_formula_is_quoted_on_demand_in_every_table(study, tmp_path, safe):
    name = "=cmd|'/C calc'!A0"
    answers, labelled = (
        write(tmp_path / path.name, path.read_text("utf-8").replace("Anvaria", name))
        for path in study
    )
    options = ("--audit", labelled, *AUDIT, *(["--excel-safe"] if safe else []))
    tables = [tmp_path / each for each in ("shares.csv", "differences.csv")]
    files = ("-o", tables[0], "--differences", tables[1])
    shares = invoke("shares", answers, *files, *options)
    report = invoke("report", answers, "-o", tmp_path / "a.html", "--figures", tmp_path, *options)
    assert (shares.exit_code, report.exit_code) == (0, 0)
    for path in (tables[0], tmp_path / "numbers.csv"):
        with path.open(encoding="utf-8-sig", newline="") as file:
            found = {row["actor"] for row in csv.DictReader(file)}
        assert (f"'{name}" in found, name in found) == (safe, not safe), path
        assert path.read_bytes().startswith(b"\xef\xbb\xbf") is safe
