"""Labels of real news travel without their texts, and meet them again."""

import csv
import gzip

import numpy as np
import pytest
from command import ROOT, program, write_rows

from stance.corpus import read_corpus

CORPUS = ROOT.parent / "shared" / "corpora" / "news_actors.csv.gz"

news = program("news")
TEXT = "\u00a0“Rus\u00adsia’s allies” met; Russia did not. "


def labelled(text, **more):
    second = text.index("Russia")
    return {
        **dict.fromkeys(news.KEPT, ""),
        **{"id": "t1", "document": "c/1", "source": "c", "text": text, "actor": "Russia"},
        **{"spans": f"2:9;{second}:{second + 6}", "stance": "against", "holder": "author"},
        **more,
    }


def test_labels_meet_their_texts_again(tmp_path, capsys):
    rows = [labelled(TEXT), labelled(TEXT + "!", stance="neutral", stance_second="favor")]
    source = write_rows(tmp_path / "corpus.csv", [{"stance_second": "", **row} for row in rows])
    labels, joined = tmp_path / "labels.csv.gz", tmp_path / "joined.csv"
    news.main(["strip", str(source), "-o", str(labels)])
    assert "allies" not in gzip.decompress(labels.read_bytes()).decode()
    other = write_rows(
        tmp_path / "texts.csv", [{"text": TEXT.replace("’", "'")}, {"text": "Else."}]
    )
    news.main(["join", str(other), "-o", str(joined), "--labels", str(labels)])
    (row,) = news.read(joined)
    assert row["text"] == '"Russia\'s allies" met; Russia did not.'
    spans = [tuple(map(int, span.split(":"))) for span in row["spans"].split(";")]
    assert [row["text"][start:end] for start, end in spans] == ["Russia", "Russia"]
    assert (row["stance"], row["holder"], row["source"]) == ("against", "author", "c")
    assert capsys.readouterr().err == "c: 1 of 2 paragraphs found\n"


def test_a_second_label_is_a_coding_of_its_own():
    rows = list(news.strip(iter([labelled(TEXT, stance_second="favor")])))
    assert [(row["coder"], row["stance"]) for row in rows] == [("1", "against"), ("2", "favor")]


def test_soft_labels_travel_likewise(tmp_path):
    soft = {"stance_against": "0.7", "stance_neutral": "0.2", "stance_favor": "0.1"}
    kept = ("text", "document", "source", "date", "actor", "spans")
    row = {name: labelled(TEXT)[name] for name in kept} | soft
    labels, joined = tmp_path / "soft.csv.gz", tmp_path / "joined.csv"
    news.main(["strip", str(write_rows(tmp_path / "corpus.csv", [row])), "-o", str(labels)])
    assert "allies" not in gzip.decompress(labels.read_bytes()).decode()
    other = write_rows(tmp_path / "texts.csv", [{"text": TEXT}])
    news.main(["join", str(other), "-o", str(joined), "--labels", str(labels)])
    (found,) = news.read(joined)
    assert {name: found[name] for name in soft} == soft
    assert (found["actor"], found["source"], found["document"]) == ("Russia", "c", "c/1")
    corpus = read_corpus([joined])
    assert corpus.soft == pytest.approx(np.array([[0.7, 0.2, 0.1]]))


def test_the_shipped_soft_labels_are_probabilities_of_paragraphs_without_labels():
    shipped = (news.LABELS, news.LABELS.with_name("more.csv.gz"))
    labelled_here = {row["paragraph"] for path in shipped for row in news.read(path)}
    rows = list(news.read(news.LABELS.with_name("soft.csv.gz")))
    assert len(rows) == 65_764
    assert not labelled_here & {row["paragraph"] for row in rows}
    shares = np.array([[float(row[name]) for name in news.SOFT] for row in rows])
    assert shares.min() >= 0
    assert shares.sum(axis=1) == pytest.approx(1, abs=2e-4)


def test_texts_without_labels_are_refused(tmp_path):
    other = write_rows(tmp_path / "texts.csv", [{"text": "Nothing of theirs."}])
    with pytest.raises(SystemExit, match="no labelled paragraph found"):
        news.main(["join", str(other), "-o", str(tmp_path / "joined.csv")])


@pytest.mark.skipif(not CORPUS.is_file(), reason="the texts in ../shared/corpora are not here")
def test_the_shipped_labels_are_those_of_the_corpus():
    with gzip.open(news.LABELS, "rt", encoding="utf-8", newline="") as file:
        shipped = list(csv.DictReader(file))
    made = sorted(news.strip(news.read(CORPUS)), key=lambda r: (r["collection"], r["document"]))
    assert shipped == made
