"""Figures as files show what the page shows, in any program, the same bytes each time."""

import os
import re
import sys
from xml.etree import ElementTree

import pytest
from command import dicts, fails, misused, succeeds, write_rows
from hypothesis import given
from hypothesis import strategies as st
from pages import part, report_on

from stance.display import points
from stance.reports.charts import Estimate, net_axis, whiskers
from stance.reports.figures import Figure, as_pdf, as_svg

SVG = "{http://www.w3.org/2000/svg}"
OPTIONS = ("--prefix", "p_", "--by", "genre", "--title", "Of <b>two</b> genres")


@pytest.fixture(scope="module")
def made(coded):
    """The page and the folder of figures of a report."""
    page, said = report_on(coded, *OPTIONS, "--figures", folder := coded.with_name("figures"))
    assert re.search(r"wrote \d+ figures and their numbers to ", said)
    return page, folder


def test_each_figure_is_a_file_that_needs_no_style(made):
    assert made[0].text.startswith("Of <b>two</b> genres ")
    names = {path.name.removesuffix(".svg") for path in made[1].iterdir()}
    assert {"net", "groups", "map", "pairs", "over-time-1", "numbers.csv"} <= names
    for name in names - {"numbers.csv", "pairs.csv"}:
        root = ElementTree.parse(made[1] / f"{name}.svg").getroot()
        assert root.tag == f"{SVG}svg"
        assert root.findtext(f"{SVG}title")
        assert root.get("width") in ("85.00mm", "170.00mm")  # of a journal's columns
        pixels = float(root.get("viewBox").split()[2])
        assert float(root.get("width")[:-2]) / pixels == 85 / 400  # so type is as large in all
        assert any((text.text or "").startswith("n = ") for text in root.iter(f"{SVG}text"))
        assert not {"class", "style", "href"} & {key for each in root.iter() for key in each.attrib}


@pytest.mark.parametrize("many", [2, 10])
def test_the_map_cuts_no_word_of_a_name(coded, tmp_path, many):
    names = ("Christian Democratic Union of Germany", "Christian Social Union in Bavaria")
    names += tuple(f"Gewerkschaftsbund {number}" for number in range(8))  # too many to lie flat
    rows = dicts(coded.read_text("utf-8"))
    for number, row in enumerate(rows):
        row["genre"] = names[number % many]
    table = write_rows(tmp_path / "named.csv", rows)
    report_on(table, "--prefix", "p_", "--by", "genre", "--figures", tmp_path / "figures")
    root = ElementTree.parse(tmp_path / "figures" / "map.svg").getroot()
    written = " ".join(text.text or "" for text in root.iter(f"{SVG}text"))
    assert all(name in written for name in names[:many])
    assert any(text.get("transform") for text in root.iter()) == (many == 10)
    assert "…" not in written


def test_figures_are_pdf_on_request(made, coded, tmp_path, monkeypatch):
    args = ("report", coded, "--prefix", "p_", "-o", tmp_path / "page.html", "--pdf")
    assert "add --figures DIR" in misused(*args)
    pytest.importorskip("reportlab")
    again = []
    for name in ("a", "b"):
        succeeds(*args, "--force", "--by", "genre", "--figures", tmp_path / name)
        again.append({f.name: f.read_bytes() for f in (tmp_path / name).iterdir()})
    assert again[0] == again[1]
    assert {n[:-4] for n in again[0] if n.endswith(".pdf")} == {
        p.stem for p in made[1].glob("*.svg")
    }
    assert all(data.startswith(b"%PDF-") for name, data in again[0].items() if name[-4:] == ".pdf")
    monkeypatch.setitem(sys.modules, "reportlab", None)
    line = fails(1, *args, "--force", "--figures", tmp_path / "c")
    assert line == "--pdf needs the extra 'pdf': pip install reportlab"


def test_the_numbers_are_those_of_the_page_as_shares_writes_them(made, coded, tmp_path):
    rows = dicts((made[1] / "numbers.csv").read_text("utf-8"))
    whole = {
        row["actor"]: row
        for row in rows
        if row["class"] == "net" and not row["group"] + row["period"]
    }
    for line in made[0].rows("net"):
        number = whole[line["actor"]]
        assert number["n"] == line["answers"]
        if line["net"]:
            assert part(line["net"]) == pytest.approx(float(number["counted"]), abs=6e-4)
    shares = tmp_path / "shares.csv"
    succeeds("shares", coded, "--prefix", "p_", "--by", "genre", "-o", shares)
    known = dicts(shares.read_text("utf-8"))
    assert all(row in known for row in rows if row["actor"] and not row["period"])
    alone, actor = tmp_path / "alone", next(iter(whole.keys() - {"(all actors)"}))
    asked = ("--actor", actor, "-o", tmp_path / "alone.html", "--figures", alone)
    succeeds("report", coded, "--prefix", "p_", *asked)
    for table in (rows, dicts((alone / "numbers.csv").read_text("utf-8"))):
        assert len({tuple(row.values()) for row in table}) == len(table)


def test_figures_are_replaced_only_with_force(made, coded, tmp_path):
    again = ("report", coded, *OPTIONS)
    out = ("-o", tmp_path / "page.html", "--figures", made[1])
    assert "exists already" in fails(4, *again, *out)
    before = {path.name: path.read_bytes() for path in made[1].iterdir()}
    few = succeeds(*again, *out, "--force", "--actor", "NATO").stderr
    assert re.search(r"figures also has over-time-.*\n.*: 43 rows, 43 answers\n", few)
    assert "also has" not in succeeds(*again, *out, "--force").stderr
    assert {path.name: path.read_bytes() for path in made[1].iterdir()} == before
    line = fails(4, *again, "-o", tmp_path / "other.html", "--figures", tmp_path / "no" / "where")
    assert "where: " in line
    for force in ((), ("--force",)):
        line = fails(4, *again, "-o", tmp_path / "other.html", "--figures", coded, *force)
        assert line == f"{coded}: is not a folder; name one, or a new one"


def test_a_report_that_fails_leaves_no_figures(coded, tmp_path):
    folder, full = tmp_path / "figures", "/dev/full" if os.name != "nt" else "NUL"
    again = ("report", coded, "--prefix", "p_", "--figures", folder)
    fails(1, *again, "--by", "nowhere", "-o", tmp_path / "page.html")
    assert not folder.exists()
    assert "the disk is full" in fails(4, *again, "-o", full)
    assert [*tmp_path.rglob("*")] == [folder]
    assert "net.svg" in fails(2, *again, "-o", folder / "net.svg")
    assert [*tmp_path.rglob("*")] == [folder]


def test_a_name_stands_on_as_few_lines_as_hold_it():
    chart = whiskers([("The Larkmoor Courier", "", Estimate(0.2))], net_axis([0.4]))
    assert [m.text for m in chart.marks if m.look == "strong"] == ["The Larkmoor", "Courier"]


@pytest.mark.parametrize("name", ["Ünï (cö) \\de", "北大西洋", "<b>&amp;</b>", "a\x00b\ud800"])
def test_any_name_makes_whole_files(name):
    line = name, name, Estimate(0.2, (0.1, 0.3), 0.4)
    chart, numbers = whiskers([line], net_axis([0.4])), [["actor", "n"], [name, "3"]]
    made = Figure("x", name, chart, numbers, [("ring", "ink", name)])
    ElementTree.fromstring(as_svg(made).decode())
    pytest.importorskip("reportlab")
    assert as_pdf(made).startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("ends", "words"),
    [((-0.178, 0.005), "[−18, +0.5]"), ((-0.178, -0.0003), "[−18, −0.03]"), ((0, 0.6), "[0, +60]")],
)
def test_an_interval_seems_to_end_at_zero_only_if_it_does(ends, words):
    assert points(-0.09, ends) == f"−9 {words}"


# --- Scales ---


@given(st.lists(st.floats(-1, 1), min_size=1))
def test_a_scale_of_net_stances_holds_them_all_and_zero(nets):
    axis = net_axis(nets)
    assert axis.low - 1e-9 <= min(0, *nets)
    assert max(0, *nets) <= axis.high + 1e-9
    ticks = [at for at, _ in axis.ticks]
    assert 0 in ticks
    assert (ticks[0], ticks[-1]) == (axis.low, axis.high)
    assert len(ticks) <= 6
    step = ticks[1] - ticks[0]  # no more room than a step on either side
    assert min(0, *nets) < ticks[0] + step + 1e-9
    assert max(0, *nets) > ticks[-1] - step - 1e-9
