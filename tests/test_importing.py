"""Public data sets become corpora row by row, and anything else is refused."""

import csv
import json
from pathlib import Path

import pytest

from stance.corpus import read_corpus
from stance.errors import DataError, OutputError, UsageError
from stance.importing import COLUMNS, FORMATS, import_corpus

CORPORA = Path(__file__).resolve().parents[2] / "shared" / "corpora"


def target(mention, start, end, polarity, gid="g"):
    return {"Input.gid": gid, "from": start, "to": end, "mention": mention, "polarity": polarity}


def sentence(text="NATO met Trump\u2019s aides.", gid="allsides_1000_401_25_NATO_0_4", **changes):
    targets = [target("NATO", 0, 4, 4.0, "g1"), target("Trump", 9, 14, 2.0, "g2")]
    return {"primary_gid": gid, "sentence_normalized": text, "targets": targets} | changes


def newsmtsc(tmp_path, *lines):
    source, output = tmp_path / "train.jsonl", tmp_path / "out.csv"
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    source.write_text(text, encoding="utf-8")
    told = import_corpus("newsmtsc", source, output)
    with output.open(encoding="utf-8", newline="") as table:
        return told, list(csv.reader(table))


HEADER = "sentence\tentity\tentity_tag\tentity_pos_start_rel\tentity_pos_end_rel\tlabel"


def rusentne(tmp_path, *lines, header=HEADER):
    source, output = tmp_path / "train.csv", tmp_path / "out.csv"
    source.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    told = import_corpus("rusentne", source, output)
    with output.open(encoding="utf-8", newline="") as table:
        return told, list(csv.reader(table))


# --- NewsMTSC ---


def test_newsmtsc_has_one_row_per_target(tmp_path):
    text = sentence()["sentence_normalized"]
    told, rows = newsmtsc(tmp_path, sentence(), "", sentence("It won.", "a_b_c_d", targets=[]))
    document = "allsides_1000_401"
    assert rows == [
        list(COLUMNS),
        ["g1", document, "NATO", "0:4", "neutral", text],
        ["g2", document, "Trump", "9:14", "against", text],
    ]
    assert told == f"{tmp_path}/train.jsonl: 2 rows of newsmtsc written to {tmp_path}/out.csv"


def test_newsmtsc_ends_are_exclusive(tmp_path):
    # The readme of the set says inclusive; the data says otherwise.
    _, rows = newsmtsc(tmp_path, sentence(targets=[target("NATO", 0, 4, 6.0)]))
    _, _, actor, spans, stance, text = rows[1]
    start, end = map(int, spans.split(":"))
    assert text[start:end] == actor
    assert stance == "favor"


def test_newsmtsc_sentences_of_an_article_share_a_document(tmp_path):
    lines = [sentence(gid="a_1_2_3_x"), sentence("NATO met Trump.", "a_1_2_9_y")]
    _, rows = newsmtsc(tmp_path, *lines, sentence("NATO or Trumps.", "a_1_3_3_x"))
    assert [row[1] for row in rows[1::2]] == ["a_1_2", "a_1_2", "a_1_3"]


def test_newsmtsc_may_begin_with_a_byte_order_mark(tmp_path):
    _, rows = newsmtsc(tmp_path, "\ufeff" + json.dumps(sentence()))
    assert len(rows) == 3


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ("{", r"train.jsonl:2: not JSON at column 2"),
        ("NATO,favor", r"train.jsonl:2: not JSON at column 1"),
        ("[" * 100_000, r"train.jsonl:2: too long or too deep for JSON"),
        ('{"a": ' + "9" * 5000 + "}", r"train.jsonl:2: too long or too deep for JSON"),
        ("[]", r"train.jsonl:2: not a NewsMTSC sentence \(TypeError"),
        ("3", r"train.jsonl:2: not a NewsMTSC sentence \(TypeError"),
        (
            {"text": "x"},
            r"not a NewsMTSC sentence \(KeyError at 'sentence_normalized'\); name",
        ),
        (sentence(targets=None), r"train.jsonl:2: not a NewsMTSC sentence"),
        (sentence(targets=[{"from": 0}]), r"not a NewsMTSC sentence \(KeyError at 'to'\)"),
        (sentence(primary_gid=7), "not a NewsMTSC sentence"),
        (sentence(sentence_normalized=["a"] * 9), "not a NewsMTSC sentence"),
        (sentence(targets=[target(None, 0, 4, 4.0)]), "not a NewsMTSC sentence"),
        (sentence(targets=[target("NATO", 0.5, 4, 4.0)]), "not a NewsMTSC sentence"),
        (sentence(targets=[target("NATO", "0", 4, 4.0)]), "not a NewsMTSC sentence"),
        (sentence(targets=[target("NATO", 0, float("inf"), 4.0)]), "not a NewsMTSC sentence"),
        (sentence(targets=[target("NATO", 0, 4, 5.0)]), r"\(KeyError at 5.0\)"),
        (sentence(targets=[target("NATO", 0, 4, 10**400)]), r"\(OverflowError"),
        (sentence(targets=[target("NATO", 0, 99, 4.0)]), "2: target 0:99 lies outside the sent"),
        (sentence(targets=[target("NATO", -1, 4, 4.0)]), "target -1:4 lies outside"),
        (sentence(targets=[target("NATO", 4, 4, 4.0)]), "target 4:4 lies outside"),
        (sentence("\ud800 and NATO, Trump"), "half a character"),
    ],
)
def test_what_is_no_newsmtsc_sentence_is_refused(tmp_path, line, match):
    with pytest.raises(DataError, match=match) as caught:
        newsmtsc(tmp_path, sentence(), line)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
    assert not (tmp_path / "out.csv").exists()


def test_a_file_in_another_encoding_is_refused(tmp_path):
    (tmp_path / "train.jsonl").write_bytes(b"\n" * 20_000 + b'{"a": "\xe9"}')
    with pytest.raises(DataError, match=r"train\.jsonl:20001: not UTF-8 at byte 8 of the line"):
        import_corpus("newsmtsc", tmp_path / "train.jsonl", tmp_path / "out.csv")


# --- RuSentNE ---


def test_rusentne_has_one_row_per_entity(tmp_path):
    told, rows = rusentne(
        tmp_path,
        "Россия и «НАТО» спорят.\tРоссия\tCOUNTRY\t0\t6\t-1",
        "Россия и «НАТО» спорят.\tНАТО\tORGANIZATION\t10\t14\t1",
        "Дождь в Москве.\tМоскве\tCITY\t8\t14\t0",
    )
    assert rows == [
        list(COLUMNS),
        ["1", "s1", "Россия", "0:6", "against", "Россия и «НАТО» спорят."],
        ["2", "s1", "НАТО", "10:14", "favor", "Россия и «НАТО» спорят."],
        ["3", "s2", "Москве", "8:14", "neutral", "Дождь в Москве."],
    ]
    assert told.endswith("3 rows of rusentne written to " + str(tmp_path / "out.csv"))
    for row in rows[1:]:
        start, end = map(int, row[3].split(":"))
        assert row[5][start:end] == row[2]


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ("Text.\tText\tT\t0\t4\t2", r"train.csv:3: label '2' is not one of -1, 0, 1"),
        ("Text.\tText\tT\t0\t4\t", r"train.csv:3: label '' is not one of -1, 0, 1"),
        ("Text.\tText\tT\t0\t9\t1", r"train.csv:3: 0:9 does not lie inside the sentence"),
        ("Text.\tText\tT\t4\t4\t1", r"train.csv:3: 4:4 does not lie inside the sentence"),
        ("Text.\tText\tT\t-1\t4\t1", r"train.csv:3: -1:4 does not lie inside the sentence"),
        ("Text.\tText\tT\t0\tx\t1", r"train.csv:3: 0:x does not lie inside the sentence"),
        ("Text.\tText\tT\t0\t" + "9" * 5000 + "\t1", r"train.csv:3: 0:9+… does not lie inside"),
        ("Text.\tText", r"train.csv:3:? "),
    ],
)
def test_what_is_no_rusentne_row_is_refused(tmp_path, line, match):
    with pytest.raises(DataError, match=match):
        rusentne(tmp_path, "Text.\tText\tT\t0\t4\t1", line)
    assert not (tmp_path / "out.csv").exists()


def test_the_test_split_without_labels_is_refused(tmp_path):
    with pytest.raises(DataError, match="no column 'label'"):
        rusentne(tmp_path, "Text.\tText\tT\t0\t4", header=HEADER.removesuffix("\tlabel"))


# --- Both ---


@pytest.mark.parametrize("form", FORMATS)
def test_sources_that_cannot_be_read(tmp_path, form):
    for name, said in (("none.jsonl", "[Nn]o such file"), (".", "folder|Is a directory")):
        with pytest.raises(DataError, match=f"{name}.*({said}).*"):
            import_corpus(form, tmp_path / name, tmp_path / "out.csv")
    (tmp_path / "empty.jsonl").write_bytes(b"")
    with pytest.raises(DataError, match=r"empty.jsonl: .*(empty|no rows of newsmtsc)"):
        import_corpus(form, tmp_path / "empty.jsonl", tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_a_table_without_rows_is_refused(tmp_path):
    with pytest.raises(DataError, match="no rows of rusentne in it; name a file of the set"):
        rusentne(tmp_path)


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"unknown format 'xml'; choose among newsmtsc, rusentne"):
        import_corpus("xml", tmp_path / "a", tmp_path / "b")


def test_an_existing_output_is_kept(tmp_path):
    (tmp_path / "out.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="exists already; use --force to overwrite it"):
        newsmtsc(tmp_path, sentence())
    assert (tmp_path / "out.csv").read_text("utf-8") == "mine"
    import_corpus("newsmtsc", tmp_path / "train.jsonl", tmp_path / "out.csv", force=True)
    assert len(read_corpus([tmp_path / "out.csv"])) == 2


@pytest.mark.parametrize(
    ("form", "name", "rows"),
    [("newsmtsc", "newsmtsc_train.jsonl", 8739), ("rusentne", "rusentne_train.csv", 6637)],
)
def test_the_real_files_are_read(tmp_path, form, name, rows):
    source = CORPORA / name
    if not source.is_file():
        pytest.skip(f"{source} is not here")
    import_corpus(form, source, tmp_path / "out.csv")
    corpus = read_corpus([tmp_path / "out.csv"])
    assert len(corpus) == rows
    assert all(spans is not None and len(spans) == 1 for spans in corpus.spans)
    assert set(corpus.stance.tolist()) == {0, 1, 2}
    assert len(set(corpus.document.tolist())) < rows
    for text, actor, places in zip(corpus.texts, corpus.actors, corpus.spans, strict=True):
        ((start, end),) = places
        assert text[start:end] == actor
