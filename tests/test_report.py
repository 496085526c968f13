"""A report on predictions says exactly what the table says, and what to beware of."""

import gzip
import re
from bisect import bisect
from collections import Counter
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
from archives import LABELS, answer
from command import SAMPLE, dicts, fails, invoke, misused, process, succeeds, write, write_rows
from pages import part, report_on
from pages import report_page as report
from small_model import small_model

from stance.evaluation.intervals import holm
from stance.findings import Request, Share, read_study
from stance.findings.shares import UNAUDITED, beyond_chance
from stance.storage import save_model

SHARES = [f"stance_{label}" for label in LABELS]


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """Answers of the bundled model to the sample."""
    path = tmp_path_factory.mktemp("sample") / "answers.csv"
    succeeds("predict", SAMPLE / "paragraphs.csv", "-o", path)
    return path


def answered(path, stances, documents=None):
    """Write a table in which each actor has answers of its own documents, or of so many."""
    rows = [
        answer(
            len(stances) * at + number + 1, actor, label,
            document=f"{actor} {at % documents if documents else at}",
        )
        for number, (actor, labels) in enumerate(stances.items())
        for at, label in enumerate(labels)
    ]  # fmt: skip
    return write_rows(path, rows)


def labelled(table, **request):
    """Return the report on a table that its own answers label."""
    return report(table, audit=table, simple_random=True, **request)


# --- Numbers ---


@pytest.mark.parametrize(("fixture", "prefix"), [("sample", ""), ("coded", "p_")])
def test_shares_by_actor_are_those_of_the_table(fixture, prefix, request):
    table = request.getfixturevalue(fixture)
    page, truth = report(table, prefix=prefix), {}
    for row in dicts(table.read_text("utf-8")):
        truth.setdefault(row["actor"], Counter())[row[f"{prefix}stance"]] += 1
    rows = page.rows("net")
    assert len(rows) >= min(12, len(truth))
    sizes = [int(row["answers"]) for row in rows]
    assert sizes == sorted(sizes, reverse=True)
    for row in rows:
        mine = truth[row["actor"]]
        given = sum(mine[label] for label in LABELS)
        assert (int(row["answers"]), int(row["withheld"])) == (mine.total(), mine["uncertain"])
        for label in LABELS if row["against"] else ():
            low, share, high = (part(row[f"{label}{end}"]) for end in ("_low", "", "_high"))
            assert share == pytest.approx(mine[label] / given, abs=6e-4)
            assert 0 <= low <= share <= high <= 1
        if row["net"]:
            net = (mine["favor"] - mine["against"]) / given
            assert part(row["net"]) == pytest.approx(net, abs=6e-4)
            assert -1 < part(row["net_low"]) <= part(row["net"]) <= part(row["net_high"]) < 1
        else:
            assert given < 10


def test_periods_hold_every_dated_answer(coded, sample):
    rows = dicts(coded.read_text("utf-8"))
    actor = Counter(row["actor"] for row in rows).most_common(1)[0][0]
    years = Counter(row["date"][:4] for row in rows if row["actor"] == actor)
    found = report(coded, prefix="p_", period="year").rows("over-time-1")
    assert {row["period"]: int(row["answers"]) for row in found} == years
    next(row for row in rows if row["actor"] == actor)["date"] = "0215-06-01"
    mistyped = write_rows(coded.with_name("mistyped.csv"), rows)
    page = report(mistyped, prefix="p_", period="year")
    found = page.rows("over-time-1")
    assert (found[0]["period"], sum(int(row["answers"]) for row in found)) == ("215", years.total())
    assert ">215</text>" not in page.html  # on no axis
    page = report(sample)
    assert "No actor has enough answers in two periods" in page.text
    assert "over-time-1" not in page.named


def test_a_line_joins_no_periods_between_which_one_has_no_number(tmp_path):
    rows = dicts(answered(tmp_path / "a.csv", {"NATO": ["favor", "neutral"] * 240}).read_text())
    years = ["2019", "2021", *["2020", "2020", "2023", "2023"] * 120]  # two have too few answers
    for row, year in zip(rows, years, strict=False):
        row["date"] = f"{year}-05-01"
    page = report(write_rows(tmp_path / "answers.csv", rows), period="year")
    known = [row["period"] for row in page.rows("over-time-1") if row["net"]]
    assert known == ["2020", "2023"]
    assert 'class="line favor"' not in page.html
    assert "A dash among the numbers, here and below, means too few answers" in page.text


def test_rows_are_counted_once_and_the_table_has_a_hash(sample):
    page, rows = report(sample), dicts(sample.read_text("utf-8"))
    naming = len({row["row"] for row in rows if row["actor"]})
    assert f"24 paragraphs, of which {naming} name an actor" in page.text
    digest = sha256(sample.read_bytes()).hexdigest()
    assert f"The table of answers has sha256 {digest[:12]}…" in page.text


# --- Forms of the table ---


def test_the_page_is_named_after_the_table_and_has_the_same_bytes(sample, tmp_path):
    table, there = tmp_path / "mine.answers.csv.gz", tmp_path / "there.html"
    table.write_bytes(gzip.compress(sample.read_bytes()))
    succeeds("report", table)
    assert process("report", table, "-o", there, PYTHONHASHSEED="1").returncode == 0
    assert (tmp_path / "mine.answers.html").read_bytes() == there.read_bytes()
    assert "exists already" in fails(4, "report", table)
    assert "is the input" in fails(4, "report", table, "-o", table, "--force")


def test_several_tables_are_one_report_whose_hash_is_that_of_their_bytes(sample, tmp_path):
    folder = tmp_path / "answers"
    head, *rows = sample.read_text("utf-8").splitlines(True)
    write(folder / "a.csv", "".join([head, *rows[:20]]))
    write(folder / "b.csv", "".join([head, *rows[20:]]))
    assert "several tables make one page; name it with --output" in misused("report", folder)
    result = invoke("report", folder, "-o", tmp_path / "x.html")
    assert "24 rows, 43 answers" in result.stderr
    page = (tmp_path / "x.html").read_text("utf-8")
    digest = sha256(b"".join(path.read_bytes() for path in sorted(folder.iterdir()))).hexdigest()
    assert f"""another, have sha256 <code title="{digest}">{digest[:12]}…</code>""" in page
    assert "<title>Stance in 2 files</title>" in page


# --- Refusals ---


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("stance", "pro", "'pro' is not one of against, neutral, favor, uncertain; restore what"),
        ("stance_favor", "1.5", "'1.5' is not a probability from 0 to 1"),
        ("stance_favor", "nan", "'nan' is not a probability from 0 to 1"),
        ("stance_favor", "", "'' is not a probability from 0 to 1"),
        ("stance_favor", "0.9", " 0.9' do not sum to 1; restore what stance predict wrote"),
    ],
)
def test_a_cell_that_predict_cannot_have_written_is_named(sample, tmp_path, column, value, said):
    rows = dicts(sample.read_text("utf-8"))
    rows[4][column] = value
    line = fails(1, "report", write_rows(tmp_path / "spoiled.csv", rows))
    assert said in line
    assert "spoiled.csv:6: " in line


def test_what_is_not_a_table_of_answers_is_refused_with_the_way_out(sample, coded, tmp_path):
    out = ("-o", tmp_path / "x.html")
    line = fails(1, "report", SAMPLE / "paragraphs.csv", *out)
    assert "no column 'actor'; it has id" in line
    assert line.endswith("or name a table that stance predict wrote without --wide")
    assert "add --prefix p_" in fails(1, "report", coded, *out)
    wide = tmp_path / "wide.csv"
    succeeds("predict", SAMPLE / "paragraphs.csv", "-o", wide, "--wide")
    assert "has one row per text; run stance predict without --wide" in fails(1, "report", wide)
    head = sample.read_text("utf-8").splitlines(keepends=True)[0]
    assert "holds no answer" in fails(1, "report", write(tmp_path / "empty.csv", head))
    page = write(tmp_path / "page.html", "<p>NATO met.</p>")
    assert "is a web page; name a table" in fails(1, "report", page)
    assert "TEXT a text; show an article with stance read" in misused("explain", page)
    ragged = write(tmp_path / "ragged.csv", sample.read_text("utf-8") + "a,b\n")
    line = fails(1, "report", ragged)
    assert "2 cells where the header has" in line
    assert "--rejects" not in line
    for option in ("--by", "--over", "--text-column"):
        assert "no column 'sauce'" in fails(1, "report", sample, option, "sauce", *out)
    part = "column 'stance' is part of the answers that are counted; name a column of the texts"
    assert part in fails(1, "report", sample, "--by", "stance", *out)
    told = fails(1, "report", sample, "--stance-column", "source", *out)
    assert "has answers of stance predict, which count; drop them or --stance-column" in told
    undated = write(tmp_path / "u.csv", sample.read_text("utf-8").replace("date", "day", 1))
    line = misused("report", undated, "--period", "month")
    assert "--period is about dates; name their column with --over" in line


@pytest.mark.parametrize("path", ["-", "/dev/stdin", "/dev/null"])
def test_what_cannot_be_read_twice_is_refused(path):
    assert "the answers are read twice; name a file" in fails(1, "report", path)


def test_a_table_without_a_column_text_says_why_no_paragraph_is_shown(sample, tmp_path):
    text = sample.read_text("utf-8").replace("text", "Absatz", 1)
    path = write(tmp_path / "other.csv", text)
    said = "no column 'text', so no paragraphs are shown; name their column with --text-column"
    warning = invoke("report", path).stderr
    assert said in warning
    assert "did not make these answers" not in warning
    assert "<blockquote" not in path.with_suffix(".html").read_text("utf-8")
    assert said not in invoke("report", path, "--text-column", "Absatz", "--force").stderr


# --- Honesty ---


def test_words_are_marked_only_by_the_model_that_made_the_answers(sample, model_path):
    page, _ = report_on(sample)
    assert "Read this first: These are a classifier's answers, not corrected" in page.text
    assert "Marked are the words that pushed the answer most" in page.text
    assert "which gives the table's probabilities for the paragraphs shown" in page.text
    assert any(each[0] == "mark" for each in page.tags)
    assert "The model (file default.stance, sha256" in page.text
    speeches = sample.with_name("speeches.csv")
    invoke("predict", SAMPLE / "paragraphs.csv", "-o", speeches, "--model", "speeches")
    page, _ = report_on(speeches)
    assert "The model (file speeches.stance, sha256" in page.text
    leader = '"We thank Obama and the United States for their help.",2018-05-02'
    later = write(speeches.with_name("later.csv"), f"text,date\n{leader}\n")  # out of office
    invoke("predict", later, "-o", speeches, "--model", "speeches", "--force")
    page, _ = report_on(speeches)
    assert "The model (file speeches.stance, sha256" in page.text
    page, notices = report_on(speeches, "--model", "default")
    assert "default.stance did not make these answers" in notices
    page, notices = report_on(sample, "--model", model_path)
    assert "small.stance did not make these answers" in notices
    assert "small.stance did not make the probabilities of this table: another" in page.text
    assert not any(each[0] == "mark" for each in page.tags)
    assert "[name the model file and its sha256: it was not given]" in page.text


def test_sentences_of_a_pair_show_what_decided(sample, model_path):
    page, _ = report_on(sample)
    sentences = re.findall(r'<div class="para.*?row \d+</p></blockquote>', page.html)
    assert len(sentences) > 9
    for sentence in sentences:
        assert 'class="m ' in sentence
        assert "<strong><bdi>" in sentence  # the reason behind the mention
    assert any("<mark" in sentence for sentence in sentences)
    page, _ = report_on(sample, "--model", model_path)  # which did not answer so
    assert not re.search('<div class="para.*?<strong>.*?</p></blockquote>', page.html)


def test_dates_that_cannot_be_read_are_counted_and_said(sample, tmp_path):
    text = sample.read_text("utf-8").replace("2023-07-12", "12 Juli 2023")
    rows = [row for row in dicts(text) if row["date"] == "12 Juli 2023" and row["actor"]]
    page, notes = report_on(write(tmp_path / "dates.csv", text.replace("2019-04-22", "2019")))
    assert f"{len(rows)} answers without a date that can be read" in page.text
    assert "without a month: in periods shorter than a year, they count as January" in notes


@pytest.mark.parametrize("every", [False, True])
def test_withheld_answers_are_no_share_and_warned_of(sample, tmp_path, every):
    rows = dicts(sample.read_text("utf-8"))
    for row in rows if every else rows[:20]:
        row["stance"] = row["stance"] and "uncertain"
    withheld = sum(row["stance"] == "uncertain" for row in rows)
    asked = sum(bool(row["stance"]) for row in rows)
    path = write_rows(tmp_path / "uncertain.csv", rows)
    page = report(path)
    if every:
        assert "Every answer was withheld as uncertain, so there are no shares to" in page.text
        return
    share = round(100 * withheld / asked)
    assert f"{share} % of the answers were withheld as uncertain" in page.text
    counted = {e.actor: (e.n, e.withheld) for e in read_study(Request(path)).shares()}
    for row in page.rows("net"):  # by the words that `stance shares` uses
        assert (int(row["answers"]), int(row["withheld"])) == counted[row["actor"]]


@pytest.mark.parametrize("audit", [False, True])
def test_of_a_table_of_labels_only_those_given_are_counted(tmp_path, audit):
    stances = ["against", "favor", "", ""] * 30  # never neutral
    rows = [
        {"id": f"p{n}", "text": f"Text {n}.", "target": "NATO", "label": label}
        for n, label in enumerate(stances)
    ]
    path, labels = write_rows(tmp_path / "llm.csv", rows), tmp_path / "labels.csv"
    write_rows(labels, [{"id": r["id"], "actor": "NATO", "stance": "favor"} for r in rows[:60]])
    options = ("--actor-column", "target", "--stance-column", "label", "--document-column", "id")
    page, said = report_on(path, *options, *("--audit", labels, "--simple-random") * audit)
    assert "120 rows, 120 answers, 60 withheld" in said
    assert "120 pairs of a paragraph and an actor: 60 labels, taken as answers" in page.text
    assert "50 % of the pairs have no stance; counted shares describe only the others." in page.text
    assert "Of 120 pairs of a paragraph and an actor, 60 were labelled by [which" in page.text
    for untrue in ("withheld", "classifier", "probabilities)", "The model was", "The model ("):
        assert untrue not in page.text
    (row,) = page.rows("net")
    assert (row["pairs"], row["without a stance"]) == ("120", "60")
    left_out = "60 pairs without a stance are left out of "
    if audit:
        assert f"{left_out}counted shares; corrected ones include them" in page.text
        assert "cover sampling and errors of the table's labels" in page.text
        assert row["method"] in ("PPI++ (answers)", "labels alone")
    else:
        assert f"{left_out}all shares" in page.text
        assert "n = 60 answers, counted from labels" in page.text


def test_extremes_are_named_at_once_where_they_are_apart(tmp_path):
    mixed = ["neutral"] * 20
    stances = {
        "Anvaria": ["favor"] * 20 + mixed, "Bordurian Union": ["against"] * 20 + mixed,
        "Carpania": ["favor"] * 10 + mixed, "Few": ["favor"],
    }  # fmt: skip
    page = labelled(table := answered(tmp_path / "apart.csv", stances))
    low, high = r"\(−50 \[−\d+, −\d+\]; counted −50\)", r"\(\+50 \[\+\d+, \+\d+\]; counted \+50\)"
    apart = f"is clearly lower toward the Bordurian Union {low} than toward Anvaria {high}\\."
    assert re.search(apart, page.text)
    assert "clearly" not in (counted := report(table).text)
    assert re.search(r"not corrected by labels, is \+50 \[.*\] toward Anvaria, −50 \[", counted)
    assert "One actor has too few labels: Few." in page.text
    assert page.rows("net")[-1]["net corrected"] == ""  # never "+100, n = 1"
    assert "too few (1)" in page.text
    stances["Bordurian Union"] = ["favor"] * 15 + mixed
    stances |= {f"Few {number}": ["favor"] for number in range(20)}
    close = labelled(answered(tmp_path / "close.csv", stances)).text
    assert re.search("21 actors have too few labels: Few, .* 3 actors had enough labels", close)
    assert "is clearly lower toward" not in close
    assert "no two actors are clearly apart" in close


def test_two_among_many_actors_are_not_called_apart_for_their_number(tmp_path):
    def mixed(against, favor):
        others = ["neutral"] * (100 - against - favor)
        return ["against"] * against + ["favor"] * favor + others

    two = {"Anvaria": mixed(12, 28), "Borduria": mixed(28, 12)}
    assert "clearly lower toward Borduria" in labelled(answered(tmp_path / "two.csv", two)).text
    many = two | {f"Land {number}": mixed(20, 20) for number in range(28)}
    page = labelled(answered(tmp_path / "many.csv", many))
    assert "clearly" not in page.text  # nor not apart, since the intervals drawn do not meet


def test_groups_do_not_change_whether_actors_are_apart(tmp_path):
    stances = {"Anvaria": ["favor", "favor", "against", "favor"] * 30}
    stances["Borduria"] = ["favor", "against"] * 60
    rows = dicts(answered(tmp_path / "answers.csv", stances).read_text())
    rows = [row | {"Party": f"Party {number % 12}"} for number, row in enumerate(rows)]
    table = write_rows(tmp_path / "grouped.csv", rows)
    said = re.search(r"clearly lower toward Borduria .*? than toward .*?\.", labelled(table).text)
    assert said[0] in labelled(table, by="Party").text


def test_only_a_group_that_stands_apart_has_a_colour(tmp_path):
    rows = dicts(answered(tmp_path / "a.csv", {"NATO": ["favor", "against"] * 38}).read_text())
    for at, row in enumerate(rows):
        row["source"] = f"Paper {at // 2 % 4}"
        row["stance"] = "against" if row["source"] == "Paper 3" else row["stance"]
    page = report(write_rows(tmp_path / "answers.csv", rows))
    assert re.findall(r'"middle on-net1">([^<]+)<', page.html) == ["−100", "18"]
    assert re.search(r"beyond chance \(Holm, 5 %, 4 cells .* over all other groups\.", page.text)
    assert "Paper 3 (source), the answers count as fewer than 20 independent documents" in page.text


@pytest.mark.parametrize("seed", range(5))
def test_cells_with_a_colour_are_those_of_holm(seed):
    """A cell's p is that at which its interval, or that of the difference, begins to meet 0."""
    rng, shares = np.random.default_rng(seed), []
    for favor in rng.choice([0.1, 0.3, 0.5], 30):
        given = rng.multinomial(1, [0.3, 0.7 - favor, favor], 80)
        shares.append(Share("NATO", "A", "", np.arange(80), 80, 0, 0, given, None, UNAUDITED))
    levels = np.geomspace(1e-6, 1, 2000)
    first = [bisect(levels, 0, key=lambda x, s=s: abs(s.side(None, x))) for s in shares]
    p = [*np.append(levels, 1.0)[first]]
    expected = [adjusted <= 0.05 for adjusted in holm(p)]
    sides = beyond_chance(shares, [None] * 30)
    assert [side != 0 for side in sides] == expected
    assert any(expected)
    compared = beyond_chance(shares, [(share, 0.0) for share in shares[::-1]])  # both ways
    assert compared == [-side for side in compared[::-1]]
    assert all(
        side == np.sign(share.counts.net) for side, share in zip(sides, shares, strict=True) if side
    )


@pytest.mark.parametrize("copies", [1, 25])
def test_copies_of_a_text_say_no_more_than_the_text(tmp_path, copies):
    """A wire story that many outlets print is one story, also where no column says so."""
    stances = {"NATO": ["favor", "against", "neutral", "neutral"] * 15}
    rows = dicts(answered(tmp_path / "answers.csv", stances).read_text("utf-8"))
    for row in rows:
        row["text"] = row.pop("document")
    times = [row | {"row": str(1 + at)} for at, row in enumerate(rows * copies)]
    page = report(write_rows(tmp_path / "copies.csv", times))
    (found,) = page.rows("net")
    assert int(found["answers"]) == 60 * copies
    assert 0.15 < part(found["favor_high"]) - part(found["favor_low"]) < 0.35
    assert "The table names no documents" in page.text


FEW = {
    1: "All answers come from one document: too few to summarise. stance read shows an article",
    4: "The answers come from 4 documents: too few for intervals",
}


@pytest.mark.parametrize("documents", [*FEW, 60])
def test_too_few_documents_for_trust_are_said_to_be(tmp_path, documents):
    stances = {"NATO": ["favor", "against", "neutral"] * 40}
    page, _ = report_on(answered(tmp_path / "answers.csv", stances, documents))
    assert {number for number, said in FEW.items() if said in page.text} == {documents} & {*FEW}
    assert "their variance is estimated between documents" in page.text
    assert ("so no chart is drawn" in page.text) is ("svg" not in {tag for tag, *_ in page.tags})
    assert ("so no chart is drawn" in page.text) is (documents == 1)


def test_paragraphs_shown_are_the_surest_of_each_side(coded):
    page, rows = report(coded, prefix="p_"), dicts(coded.read_text("utf-8"))
    actor = Counter(row["actor"] for row in rows).most_common(1)[0][0]
    for label in ("against", "favor"):
        mine = [row for row in rows if row["actor"] == actor and row["p_stance"] == label]
        best = max(mine, key=lambda row: float(row[f"p_stance_{label}"]))
        assert " ".join(best["text"].split())[:60] in page.text


@pytest.mark.parametrize("known", [True, False])
def test_a_card_that_lacks_scores_has_a_report(tmp_path, known):
    model, answers = tmp_path / "m.stance", tmp_path / "a.csv"
    made = small_model()  # whose card has neither classes nor target-blind words
    if not known:
        made = replace(made, card=made.card | {"scores": {"macro_f1_interval": [0.1, 0.2]}})
    save_model(made, model)
    table = write(tmp_path / "in.csv", "text\nNATO met.\n")
    succeeds("predict", table, "-o", answers, "-m", model)
    succeeds("report", answers, "-m", model)
    page = answers.with_suffix(".html").read_text(encoding="utf-8")
    assert ("macro-F1 of 69.1" in page) == known
    assert "target-blind" not in page
