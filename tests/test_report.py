"""A report on predictions says exactly what the table says, and what to beware of."""

import csv
import gzip
import io
import json
import re
import sys
from base64 import b64encode
from collections import Counter
from dataclasses import replace
from hashlib import sha256
from html import unescape
from importlib import import_module
from pathlib import Path

import pytest
from command import SAMPLE, STARTER, dicts, fails, invoke, misused, process, write
from pages import read_page
from small_model import small_model

from stance.errors import DataError
from stance.findings import read_study, tally
from stance.findings.periods import choose_grids
from stance.findings.survey import Frequent
from stance.reports import Request, read_maker
from stance.reports._page import named
from stance.reports._predicted import gather
from stance.reports._predictions import compose
from stance.storage import bundled_model, load_model, save_model

TRAINING = Path(__file__).parent.parent / "training"

LABELS = ("against", "neutral", "favor")
SHARES = [f"stance_{label}" for label in LABELS]


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """Answers of the bundled model to the sample."""
    path = tmp_path_factory.mktemp("sample") / "answers.csv"
    assert invoke("predict", SAMPLE / "paragraphs.csv", "-o", path).exit_code == 0
    return path


@pytest.fixture(scope="module")
def coded(tmp_path_factory):
    """Answers of the bundled model to a corpus with actors, documents, sources and dates."""
    path = tmp_path_factory.mktemp("coded") / "answers.csv"
    corpus = STARTER / "starter_train.csv"
    lines = corpus.read_text("utf-8").splitlines(keepends=True)[:801]
    short = write(path.with_name("short.csv"), "".join(lines))
    assert invoke("predict", short, "-o", path, "--prefix", "p_").exit_code == 0
    return path


@pytest.fixture(scope="module")
def maker():
    """The bundled model."""
    path = bundled_model()
    return read_maker(path, load_model(path), given=True)


def report(table, maker=None, **request):
    """Return the page on a table, read."""
    return read_page(compose(gather(Request(table, **request), maker)))


def command(table, *args):
    """Make a page by the command line; return it read, and what the terminal said."""
    output = table.with_name("page.html")
    result = invoke("report", table, "-o", output, "--force", *args)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    return read_page(output.read_bytes()), result.stderr


def write_rows(path, rows):
    """Write rows by column as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, rows[0])
        out.writeheader()
        out.writerows(rows)
    return path


def csv_rows(page, name):
    return list(csv.DictReader(io.StringIO(page.links[f"{name}.csv"])))


def heading_texts(page):
    return [text for _, text in page.headings]


# --- Numbers ---


def counted(rows, prefix=""):
    found = {}
    for row in rows:
        if row["actor"]:
            found.setdefault(row["actor"], Counter())[row[f"{prefix}stance"]] += 1
    return found


@pytest.mark.parametrize(("fixture", "prefix"), [("sample", ""), ("coded", "p_")])
def test_shares_by_actor_are_those_of_the_table(fixture, prefix, request):
    table = request.getfixturevalue(fixture)
    page = report(table, prefix=prefix)
    truth = counted(dicts(table.read_text("utf-8")), prefix)
    rows = csv_rows(page, "stance-by-actor")
    assert len(rows) >= min(12, len(truth))
    nets = [float(row["net"]) for row in rows if row["net"]]
    assert nets == sorted(nets, reverse=True)
    for row in rows:
        mine = truth[row["actor"]]
        given = sum(mine[label] for label in LABELS)
        assert (int(row["answers"]), int(row["withheld"])) == (mine.total(), mine["uncertain"])
        for label in LABELS if given else ():
            low, share, high = (float(row[f"{label}{end}"]) for end in ("_low", "", "_high"))
            assert share == pytest.approx(mine[label] / given, abs=1e-6)
            assert 0 <= low <= share <= high <= 1
        if given:
            net = (mine["favor"] - mine["against"]) / given
            assert float(row["net"]) == pytest.approx(net, abs=1e-6)
            assert float(row["net_low"]) <= net <= float(row["net_high"])


def test_tables_show_what_their_csv_files_hold(coded):
    page = report(coded, prefix="p_")
    rows = csv_rows(page, "stance-by-actor")
    shown = next(table for table in page.tables if table[0][:3] == ["actor", "answers", "withheld"])
    assert [line[0] for line in shown[1:]] == [row["actor"] for row in rows]
    for line, row in zip(shown[1:], rows, strict=True):
        assert line[1] == f"{int(row['answers']):,}"
        assert line[3] == f"{100 * float(row['against']):.1f}"


def test_the_map_of_actors_and_sources_counts_every_answer(coded):
    page = report(coded, prefix="p_", by="genre")
    rows = dicts(coded.read_text("utf-8"))
    truth = Counter((row["actor"], row["genre"], row["p_stance"]) for row in rows)
    for row in csv_rows(page, "actor-by-source"):
        for label in LABELS:
            assert int(row[label]) == truth[row["actor"], row["source"] or "(blank)", label]
    heat = next(table for table in page.tables if table[0][:2] == ["", "mean"])
    whole = {named(genre): genre for _, genre, _ in truth}
    sources = [whole[name] for name in heat[0][2:]]
    for line in heat[1:]:
        for source, cell in zip(sources, line[2:], strict=True):
            mine = [truth[line[0], source, label] for label in LABELS]
            assert cell.partition("\n")[2] == (f"{sum(mine):,}" if sum(mine) else "")


def test_points_over_time_hold_every_dated_answer_and_30_or_more(coded):
    page = report(coded, prefix="p_")
    rows = dicts(coded.read_text("utf-8"))
    actor, count = Counter(row["actor"] for row in rows).most_common(1)[0]
    found = csv_rows(page, "over-time-1")
    assert sum(int(row["given"]) for row in found) == count
    assert min(int(row["given"]) for row in found) >= 30
    years = Counter(row["date"][:4] for row in rows if row["actor"] == actor)
    asked = report(coded, prefix="p_", period="year")
    for row in csv_rows(asked, "over-time-1"):
        if " to " not in row["year"]:
            assert int(row["given"]) == years[row["year"]]


def test_too_few_dated_answers_make_no_curve(sample):
    page = report(sample)
    assert "No actor has 30 answers given with a date" in page.text
    assert "over-time-1.csv" not in page.links


def test_certainty_and_sentiment_count_every_answer_and_row_once(sample):
    page = report(sample)
    rows = dicts(sample.read_text("utf-8"))
    tops = [max(float(row[f"stance_{x}"]) for x in LABELS) for row in rows if row["actor"]]
    found = [int(row["answers"]) for row in csv_rows(page, "certainty")]
    assert sum(found) == len(tops)
    assert found[-1] == sum(top >= 0.9 for top in tops)
    by_row = {row["row"]: row["sentiment"] for row in rows}
    tones = {row["sentiment"]: row for row in csv_rows(page, "sentiment")}
    assert {k: int(v["rows"]) for k, v in tones.items() if v["rows"] != "0"} == (
        Counter(by_row.values())
    )
    for tone in ("negative", "neutral", "positive"):
        low, share, high = (float(tones[tone][name]) for name in ("low", "share", "high"))
        assert low <= share == pytest.approx(list(by_row.values()).count(tone) / 24, abs=1e-6)
        assert share <= high


def test_the_opening_says_what_went_in(sample):
    page = report(sample)
    rows = dicts(sample.read_text("utf-8"))
    naming = len({row["row"] for row in rows if row["actor"]})
    assert f"24 paragraphs, of which {naming} name an actor" in page.text
    assert sha256(sample.read_bytes()).hexdigest() in page.text


def test_rows_are_told_apart_where_numbers_start_anew(tmp_path):
    """As where the answers to several articles are joined; also if they are shuffled then."""
    rows = []
    for article in range(50):
        for number in range(1, 5):
            row = {"document": f"article {article}", "text": f"Text {number}.", "row": number}
            given = {"mentions": 1, "stance": "favor", **dict.fromkeys(SHARES, 0.1)}
            tone = {"sentiment": "negative"}
            rows += ({**row, "actor": actor, **given, **tone} for actor in ("NATO", "Russia"))
    for listed in (rows, rows[::-1], sorted(rows, key=lambda row: row["row"])):
        found = gather(Request(write_rows(tmp_path / "joined.csv", listed)), None)
        assert (found.tally.rows, found.tally.naming, found.tally.answers) == (200, 200, 400)
        assert found.tally.tone_clusters.sum() == 200
        page = read_page(compose(found))
        assert "Row numbers start anew in this table" in page.text
        assert "196 rows had the number of an earlier one" in page.text


def test_rows_whose_number_is_theirs_alone_need_no_warning(coded, sample):
    for page in (report(coded, prefix="p_"), report(sample)):
        assert "Row numbers start anew" not in page.text


# --- Forms of the table ---


def test_every_form_of_a_table_gives_the_same_shares(sample, tmp_path):
    wanted = report(sample)
    rows = dicts(sample.read_text("utf-8"))
    forms = {
        "answers.csv.gz": gzip.compress(sample.read_bytes()),
        "answers.jsonl": "".join(json.dumps(row) + "\n" for row in rows).encode(),
    }
    sink = io.StringIO()
    out = csv.writer(sink, delimiter="\t")
    out.writerow(rows[0])
    out.writerows(row.values() for row in rows)
    forms["answers.tsv"] = sink.getvalue().encode()
    for name, data in forms.items():
        path = tmp_path / name
        path.write_bytes(data)
        found = report(path)
        for table in ("stance-by-actor", "stance-by-source", "certainty", "sentiment"):
            assert csv_rows(found, table) == csv_rows(wanted, table)


def test_the_order_of_rows_changes_no_share(coded, tmp_path):
    turned = write_rows(tmp_path / "turned.csv", dicts(coded.read_text("utf-8"))[::-1])
    one, other = (report(path, prefix="p_") for path in (coded, turned))
    for table in ("stance-by-actor", "stance-by-source", "over-time-1", "certainty", "sentiment"):
        assert csv_rows(one, table) == csv_rows(other, table)


def test_the_page_is_named_after_the_table(sample, tmp_path):
    table = tmp_path / "mine.answers.csv.gz"
    table.write_bytes(gzip.compress(sample.read_bytes()))
    assert invoke("report", table).exit_code == 0
    assert read_page((tmp_path / "mine.answers.html").read_bytes())
    assert "exists already" in fails(4, "report", table)
    assert "is the input" in fails(4, "report", table, "-o", table, "--force")


def test_the_same_table_gives_the_same_bytes(sample, tmp_path):
    here, there = tmp_path / "here.html", tmp_path / "there.html"
    assert invoke("report", sample, "-o", here).exit_code == 0
    assert process("report", sample, "-o", there, PYTHONHASHSEED="1").returncode == 0
    assert here.read_bytes() == there.read_bytes()


# --- Refusals ---


def test_a_table_without_answers_is_refused_with_what_it_lacks():
    line = fails(1, "report", SAMPLE / "paragraphs.csv", "-o", "/nowhere.html")
    assert "no column 'row', 'mentions', 'stance', 'stance_against'" in line
    assert line.endswith("name a table that stance predict wrote")


def test_a_prefix_that_was_forgotten_is_named(coded):
    assert "add --prefix p_" in fails(1, "report", coded, "-o", coded.with_name("x.html"))


def test_the_wide_form_is_refused_with_the_way_out(tmp_path):
    wide = tmp_path / "wide.csv"
    assert invoke("predict", SAMPLE / "paragraphs.csv", "-o", wide, "--wide").exit_code == 0
    assert "is in wide form; run stance predict without --wide" in fails(1, "report", wide)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("row", "x", "'x' is not a row number; restore what stance predict"),
        ("row", "0", "'0' is not a row number"),
        ("row", "9" * 5000, "is not a row number"),
        ("stance", "pro", "'pro' is not one of against, neutral, favor, uncertain"),
        ("stance_favor", "1.5", "'1.5' is not a probability from 0 to 1"),
        ("stance_favor", "nan", "'nan' is not a probability from 0 to 1"),
        ("stance_favor", "", "'' is not a probability from 0 to 1"),
    ],
)
def test_a_cell_that_predict_cannot_have_written_is_named(sample, tmp_path, column, value, said):
    rows = dicts(sample.read_text("utf-8"))
    rows[4][column] = value
    path = write_rows(tmp_path / "spoiled.csv", rows)
    line = fails(1, "report", path)
    assert said in line
    assert "spoiled.csv:6: " in line


def test_a_table_without_a_column_text_says_why_no_paragraph_is_shown(sample, tmp_path):
    path = tmp_path / "other.csv"
    path.write_text(sample.read_text("utf-8").replace("text", "Absatz", 1), encoding="utf-8")
    said = "no column 'text', so no paragraphs are shown; name their column with --text-column"
    assert said in invoke("report", path).stderr
    assert said not in invoke("report", path, "--text-column", "Absatz", "--force").stderr


@pytest.mark.parametrize("option", ["--by", "--over", "--text-column"])
def test_a_column_that_is_asked_for_and_missing_is_named(sample, tmp_path, option):
    line = fails(1, "report", sample, option, "sauce", "-o", tmp_path / "x.html")
    assert "no column 'sauce'" in line


@pytest.mark.parametrize("path", ["-", "/dev/stdin", "/dev/null"])
def test_what_cannot_be_read_twice_is_refused(path):
    assert "the answers are read twice; name a file" in fails(1, "report", path)


def test_several_tables_are_one_report_whose_hash_is_that_of_their_bytes(sample, tmp_path):
    folder = tmp_path / "answers"
    folder.mkdir()
    head, *rows = sample.read_text("utf-8").splitlines(True)
    write(folder / "a.csv", "".join([head, *rows[:20]]))
    write(folder / "b.csv", "".join([head, *rows[20:]]))
    assert "several tables make one page; name it with --output" in misused("report", folder)
    result = invoke("report", folder, "-o", tmp_path / "x.html")
    assert "24 rows, 43 answers" in result.stderr
    page = (tmp_path / "x.html").read_text("utf-8")
    joined = b"".join(path.read_bytes() for path in sorted(folder.iterdir()))
    assert (
        f"The tables of answers, one after another, have sha256 <code>{sha256(joined).hexdigest()}"
        in page
    )
    assert "<title>Stance in 2 files</title>" in page


def test_a_table_that_changes_between_the_readings_is_refused(sample, tmp_path, monkeypatch):
    table = write(tmp_path / "growing.csv", sample.read_text("utf-8"))

    def grows(*days):
        table.write_bytes(table.read_bytes() + table.read_bytes().splitlines(True)[-1])
        return choose_grids(*days)

    monkeypatch.setattr("stance.findings.tally.choose_grids", grows)
    with pytest.raises(DataError, match="changed while it was read"):
        gather(Request(table), None)


def test_a_bad_record_is_named_without_advice_that_report_cannot_follow(sample, tmp_path):
    path = write(tmp_path / "ragged.csv", sample.read_text("utf-8") + "a,b\n")
    line = fails(1, "report", path)
    assert "2 cells where the header has" in line
    assert "--rejects" not in line
    assert "or use --rejects FILE" in fails(
        1, "predict", path, "-o", tmp_path / "x.csv", "--prefix", "q_"
    )


def test_a_table_of_no_record_is_refused(tmp_path, sample):
    head = sample.read_text("utf-8").splitlines(keepends=True)[0]
    path = write(tmp_path / "empty.csv", head)
    assert "holds no record" in fails(1, "report", path)


def test_rows_without_any_actor_make_a_page_that_says_so(tmp_path):
    table = write(tmp_path / "t.csv", "text\nNothing is named here.\nNor here.\n")
    answers = tmp_path / "a.csv"
    assert invoke("predict", table, "-o", answers).exit_code == 0
    page = report(answers)
    assert "No row names an actor, so there is nothing to report." in page.text


# --- Honesty ---


def test_bias_of_the_classifier_is_said_first(sample):
    page = report(sample)
    assert page.headings[1][1] == "Read this first"
    assert "shares of a classifier's answers, which its errors bias" in page.text


def test_words_are_marked_only_by_the_model_that_made_the_answers(sample, model_path):
    page, _ = command(sample)
    assert "Marked are the words that pushed the answer most" in page.text
    assert any(each[0] == "mark" for each in page.tags)
    page, said = command(sample, "--model", model_path)
    assert "small.stance did not make these answers" in said
    assert "does not give the probabilities of this table" in page.text
    assert not any(each[0] == "mark" for each in page.tags)
    assert "[name the model file and its sha256: it was not given]" in page.text


WORDS = [
    ("Trump and Trump condemned Russia, and Washington cheered.", "2018-01-01"),
    ("Trump condemned Russia.", "2018-02-01"),
    ("Trump condemned the brutal Russian attack.", "2023-01-01"),
]


def carriers(page):
    """Actor, mentions and aliases, where the page has them."""
    found = [table[1:] for table in page.tables if table[0] == ["actor", "mentions", "aliases"]]
    return found[0] if found else None


def test_the_words_that_name_each_actor_are_shown(tmp_path, model_path, monkeypatch):
    text = "text,date\n" + "".join(f'"{text}",{date}\n' for text, date in WORDS)
    source, path = write(tmp_path / "in.csv", text), tmp_path / "answers.csv"
    made = ("--model", model_path)
    invoke("predict", source, "-o", path, *made)
    page, said = command(path, *made)
    assert "did not make" not in said  # the date of each row counts here, too
    russia = ["Russia", "3", "Russia 67 %, Russian 33 %"]
    assert carriers(page) == [["United States", "4", "Trump 75 %, Washington 25 %"], russia]
    assert "in the first 5 records" in page.text
    monkeypatch.setattr(tally, "SCANNED", 2)
    assert "in the first 2 records" in command(path, *made)[0].text


def test_a_report_on_limited_aliases_takes_the_same_limits(tmp_path, model_path):
    source, path = write(tmp_path / "in.csv", "text\n" + WORDS[1][0] + "\n"), tmp_path / "a.csv"
    limited = ("--model", model_path, "--aliases", "name")
    invoke("predict", source, "-o", path, *limited)
    page, said = command(path, *limited)
    assert "did not make" not in said
    assert carriers(page) == [["Russia", "1", "Russia 100 %"]]


def test_a_model_that_did_not_make_the_answers_says_nothing_of_aliases(sample, model_path):
    assert carriers(command(sample)[0])
    assert carriers(command(sample, "--model", model_path)[0]) is None


def test_reasons_in_the_table_are_marked_without_a_model(sample, tmp_path):
    rows = dicts(sample.read_text("utf-8"))
    for row in rows:
        row["because"] = "condemned(+0.42) lawless(+0.31) no-such(+0.10)"
    path = write_rows(tmp_path / "because.csv", rows)
    page = report(path)
    assert "Marked are the words that the table names as reasons" in page.text
    html = compose(gather(Request(path), None)).decode()
    assert set(re.findall("<mark[^>]*>(.*?)</mark>", html)) == {"condemned", "lawless"}


def test_dates_that_cannot_be_read_are_counted_and_said(sample, tmp_path):
    text = sample.read_text("utf-8").replace("2023-07-12", "12 Juli 2023")
    rows = [row for row in dicts(text) if row["date"] == "12 Juli 2023" and row["actor"]]
    page = report(write(tmp_path / "dates.csv", text))
    assert f"{len(rows)} answers without a date that can be read" in page.text
    assert "the first: “12 Juli 2023”" in page.text


def test_withheld_answers_are_no_share_and_warned_of(sample, tmp_path):
    rows = dicts(sample.read_text("utf-8"))
    for row in rows[:20]:
        row["stance"] = row["stance"] and "uncertain"
    withheld = sum(row["stance"] == "uncertain" for row in rows)
    given = sum(row["stance"] in LABELS for row in rows)
    path = write_rows(tmp_path / "uncertain.csv", rows)
    page = report(path)
    share = round(100 * withheld / (withheld + given))
    assert f"{share} % of the answers were withheld as uncertain" in page.text
    assert sum(int(row["answers"]) for row in csv_rows(page, "certainty")) == withheld + given

    found = read_study(Request(path)).shares().shares
    counted = {each.actor: (each.n, each.withheld) for each in found}
    for row in csv_rows(page, "stance-by-actor"):  # by the words that `stance shares` uses
        assert (int(row["answers"]), int(row["withheld"])) == counted[row["actor"]]


def test_where_every_answer_is_withheld_there_is_no_share(sample, tmp_path):
    rows = dicts(sample.read_text("utf-8"))
    for row in rows:
        row["stance"] = row["stance"] and "uncertain"
    page = report(write_rows(tmp_path / "uncertain.csv", rows))
    assert "Every answer was withheld as uncertain, so there are no shares to show" in page.text
    assert "fewer than 30 answers given" not in page.text
    for row in csv_rows(page, "stance-by-actor"):
        mine = [each for each in rows if each["actor"] == row["actor"]]
        assert int(row["answers"]) == int(row["withheld"]) == len(mine)


def answered(path, stances):
    """Write a table in which each actor has answers of its own documents."""
    rows = [
        {
            "document": f"{actor} {at}", "row": len(stances) * at + number + 1, "actor": actor,
            "mentions": 1, "stance": label, **dict.fromkeys(SHARES, 0.1), f"stance_{label}": 0.8,
        }
        for number, (actor, labels) in enumerate(stances.items())
        for at, label in enumerate(labels)
    ]  # fmt: skip
    return write_rows(path, rows)


def test_extremes_are_named_at_once_where_they_are_apart(tmp_path):
    mixed = ["neutral"] * 20
    stances = {
        "Anvaria": ["favor"] * 20 + mixed, "Borduria": ["against"] * 20 + mixed,
        "Carpania": ["favor"] * 10 + mixed, "Few": ["favor"] * 29,
    }  # fmt: skip
    page = report(answered(tmp_path / "apart.csv", stances))
    assert re.search(
        r"is lowest toward Borduria \(−50 \[−\d+, −\d+\] points\) and highest toward Anvaria "
        r"\(\+50 \[\+\d+, \+\d+\]\), of actors with at least 30 answers given\.",
        page.text,
    )
    stances["Borduria"] = ["favor"] * 15 + mixed
    assert "is lowest toward" not in report(answered(tmp_path / "close.csv", stances)).text


def test_the_method_says_only_what_is_known(sample, maker):
    page = report(sample, maker)
    assert "which gives the table's probabilities for the paragraphs shown" in page.text
    assert "No answer was withheld as uncertain" in page.text
    for part in maker.model.card["data"]:
        assert part["sha256"] in page.text
    page = report(sample)
    assert "for the paragraphs shown" not in page.text
    assert "[name the model file and its sha256: it was not given]" in page.text


def test_pairs_are_not_said_to_be_found_in_the_texts(coded):
    page = report(coded, prefix="p_")
    assert "toward an actor that is given with it. " in page.text
    assert "of its dictionary" not in page.text


def test_a_source_that_stands_apart_has_a_colour_and_others_have_none(tmp_path):
    rows = dicts(
        answered(tmp_path / "a.csv", {"NATO": ["favor", "against"] * 200}).read_text("utf-8")
    )
    for at, row in enumerate(rows):
        row["source"] = f"Paper {at // 2 % 4}"
        if row["source"] == "Paper 3":
            row["stance"] = "against"
    path = write_rows(tmp_path / "answers.csv", rows)
    page = report(path)
    apart = {row["source"]: row["apart"] for row in csv_rows(page, "actor-by-source")}
    assert apart == {"Paper 0": "yes", "Paper 1": "yes", "Paper 2": "yes", "Paper 3": "yes"}
    html = compose(gather(Request(path), None)).decode()
    assert html.count('<td class="net0">') == 1  # Paper 3, far below the mean
    assert "4 cells with a colour stand apart from that mean" in page.text
    assert "20 points or more below the actor's mean" in page.text


def test_a_map_without_differences_has_no_colour(coded):
    rows = dicts(coded.read_text("utf-8"))
    for row in rows:
        row["source"] = f"Paper {sha256(row['document'].encode()).digest()[0] % 4}"
    page = report(write_rows(coded.with_name("random.csv"), rows), prefix="p_")
    assert "No cell stands apart from that mean beyond chance" in page.text
    assert not re.search('"net[0-6]"', " ".join(str(tag) for tag in page.tags))
    for row in csv_rows(page, "actor-by-source"):
        counts = [int(row[label]) for label in LABELS]
        assert float(row["net"]) == pytest.approx((counts[2] - counts[0]) / sum(counts), abs=1e-6)
        if row["pooled"]:
            assert float(row["pooled_low"]) <= float(row["pooled"]) <= float(row["pooled_high"])


def test_intervals_say_whether_documents_were_known(sample, coded):
    assert "The table names no documents" in report(sample).text
    known = report(coded, prefix="p_").text
    assert "their variance is estimated between documents" in known
    assert "net stances are score intervals (Tango 1998)" in known
    assert "@article{tango1998" in known


@pytest.mark.parametrize("copies", [1, 25])
def test_copies_of_a_text_say_no_more_than_the_text(tmp_path, copies):
    """A wire story that many outlets print is one story, also where no column says so."""
    stances = {"NATO": ["favor", "against", "neutral", "neutral"] * 15}
    rows = dicts(answered(tmp_path / "answers.csv", stances).read_text("utf-8"))
    for row in rows:
        row["text"] = row.pop("document")
    times = [row | {"row": str(1 + at)} for at, row in enumerate(rows * copies)]
    page = report(write_rows(tmp_path / "copies.csv", times))
    (found,) = csv_rows(page, "stance-by-actor")
    assert int(found["answers"]) == 60 * copies
    assert 0.15 < float(found["favor_high"]) - float(found["favor_low"]) < 0.35


@pytest.mark.parametrize("name", ["Actor", " ACTOR"])
def test_the_input_may_have_spelled_the_actors_column_in_its_own_way(coded, tmp_path, name):
    source = [{name: row["actor"], "text": row["text"]} for row in dicts(coded.read_text("utf-8"))]
    answers = tmp_path / "answers.csv"
    written = invoke("predict", write_rows(tmp_path / "in.csv", source[:40]), "-o", answers)
    assert written.exit_code == 0, written.stderr
    assert "40 pairs" in command(answers)[0].text
    rows = [{"Whom": row[name], **row} for row in dicts(answers.read_text("utf-8"))]
    for row in rows:
        row.pop(name)
    line = fails(1, "report", write_rows(tmp_path / "renamed.csv", rows))
    assert "no column 'actor'" in line
    assert "choose one with --actor-column" in line


def test_paragraphs_shown_are_the_surest_of_each_side(coded):
    page = report(coded, prefix="p_")
    rows = dicts(coded.read_text("utf-8"))
    actor = Counter(row["actor"] for row in rows).most_common(1)[0][0]
    for label in ("against", "favor"):
        mine = [row for row in rows if row["actor"] == actor and row["p_stance"] == label]
        best = max(mine, key=lambda row: float(row[f"p_stance_{label}"]))
        assert " ".join(best["text"].split())[:60] in " ".join(page.text.split())


@pytest.mark.parametrize(("documents", "few"), [(4, True), (60, False)])
def test_too_few_documents_for_trust_are_said_to_be(tmp_path, documents, few):
    stances = {"NATO": ["favor", "against", "neutral"] * 40}
    path = answered(tmp_path / "answers.csv", stances)
    rows = dicts(path.read_text("utf-8"))
    for at, row in enumerate(rows):
        row["document"] = str(at % documents)
    page = report(write_rows(path, rows))
    assert ("too few for intervals that can be trusted" in page.text) is few
    assert ("given stand in 4 documents, which count as much as 4.0" in page.text) is few


# --- Size ---


def test_counts_stay_exact_where_names_are_too_many_to_tell_apart(tmp_path, monkeypatch):
    monkeypatch.setattr(Frequent.__init__, "__defaults__", (50,))
    path = tmp_path / "many.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        names = [f"stance_{label}" for label in LABELS]
        out.writerow(["row", "source", "actor", "mentions", "stance", *names])
        for row in range(1, 20_001):
            actor = "NATO" if row % 4 == 0 else f"actor {row}"
            source = "Daily" if row % 5 == 0 else f"source {row}"
            out.writerow([row, source, actor, 1, LABELS[row % 3], 0.2, 0.2, 0.6])
    page = report(path)
    assert csv_rows(page, "stance-by-actor")[0]["answers"] == "5000"
    assert csv_rows(page, "stance-by-source")[0]["answers"] == "4000"
    assert re.search(
        r"The 1 actor with most answers. Left out here but counted in the totals: "
        r"at least \d[\d,]* other actors with 15,000 answers\.",
        page.text,
    )


def test_only_so_many_actors_and_sources_are_shown(coded):
    found = gather(Request(coded, prefix="p_", by="id"), None)
    assert len(found.tally.actors) <= tally.ACTORS
    assert len(found.tally.sources) <= tally.SOURCES
    page = read_page(compose(found))
    assert re.search(r"Left out here but counted in the totals: \d+ other sources", page.text)
    assert len(compose(found)) < 1_000_000


def test_the_page_forbids_all_but_its_own_style(sample):
    html = unescape(compose(gather(Request(sample), None)).decode())
    style = re.search("<style>(.*)</style>", html, re.DOTALL)[1]
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'" in html


def test_the_words_that_predict_names_are_marked(tmp_path):
    path = tmp_path / "explained.csv"
    assert invoke("predict", SAMPLE / "paragraphs.csv", "-o", path, "--explain", 4).exit_code == 0
    found = gather(Request(path), None)
    shown = [each for listed in found.marked.kept.values() for each in listed]
    assert shown
    for each in shown:
        words = {each.text[start:end] for start, end in each.marks}
        assert words
        assert all(f"{word}(" in each.because for word in words)


def test_the_tables_that_are_measured_are_those_of_predict(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(TRAINING), *sys.path])
    write_answers = import_module("reports").write_answers
    path = tmp_path / "answers.csv"
    for distinct in (False, True):
        write_answers(path, 500, distinct=distinct)
        page = report(path)
        assert sum(int(row["answers"]) for row in csv_rows(page, "certainty")) == 500


@pytest.mark.parametrize("known", [True, False])
def test_a_card_that_lacks_scores_has_a_report(tmp_path, known):
    model, answers = tmp_path / "m.stance", tmp_path / "a.csv"
    made = small_model()  # whose card has neither classes nor target-blind words
    if not known:
        made = replace(made, card=made.card | {"scores": {"macro_f1_interval": [0.1, 0.2]}})
    save_model(made, model)
    table = write(tmp_path / "in.csv", "text\nNATO met.\n")
    assert invoke("predict", table, "-o", answers, "-m", model).exit_code == 0
    checklist = tmp_path / "c.md"
    done = invoke("report", answers, "-m", model, "--checklist", checklist)
    assert done.exit_code == 0
    assert ("macro-F1 69.1" in checklist.read_text(encoding="utf-8")) == known
    assert "target-blind" not in answers.with_suffix(".html").read_text(encoding="utf-8")
