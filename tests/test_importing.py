"""Data sets and tools' exports become corpora row by row, and anything else is refused."""

import json
import shutil
from pathlib import Path

import pytest
from command import invoke, read_rows
from command import write as write_one

from stance.corpus import read_corpus
from stance.errors import DataError, StanceError, UsageError
from stance.importing import FORMATS, import_corpus, parse_map

IMPORTS = Path(__file__).parent / "imports"
"""By format, files in the shape of the real ones, with invented texts."""
SECTIONS = (IMPORTS / "expected.txt").read_text("utf-8").split("== ")[1:]
EXPECTED = dict(section.split("\n", 1) for section in SECTIONS)
"""By format, the corpus that its files become, and after each # what is told."""


def copied(form, folder):
    """Copy the files of a format to a folder; return the source."""
    shutil.copytree(IMPORTS / form, folder, dirs_exist_ok=True)
    return folder / sorted(path.name for path in (IMPORTS / form).iterdir())[0]


def write(folder, files):
    for name, data in files.items():
        write_one(folder / name, data)
    return folder / next(iter(files)).split("/")[0]


@pytest.mark.parametrize("form", FORMATS)
def test_each_format_becomes_a_corpus(tmp_path, form, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = copied(form, Path())
    done = invoke("import", form, source, "-o", "corpus.csv")
    assert done.exit_code == 0, done.stderr
    table = Path("corpus.csv").read_text("utf-8")
    told = "".join(f"# {line}\n" for line in done.stderr.splitlines())
    assert table + told == EXPECTED[form]
    assert len(read_corpus([Path("corpus.csv")])) > 0


def test_all_formats_together_can_be_trained_on_and_checked(tmp_path):
    corpora = [tmp_path / f"{form}.csv" for form in FORMATS]
    for form, corpus in zip(FORMATS, corpora, strict=True):
        import_corpus(form, copied(form, tmp_path / form), corpus)
    trained = invoke("train", *corpora, "-o", tmp_path / "a.stance", "--seed", 1)
    assert trained.exit_code == 0, trained.stderr
    checked = invoke("check", *corpora)
    assert checked.exit_code in (0, 1), checked.stderr


# --- What is not of a format: the first place where one text becomes another, and what is said ---

SPOILT = [
    ("newsmtsc", b'"to": 4', b'"to": 99', "train.jsonl:1: spans '0:99' is not a place in the"),
    ("newsmtsc", b"Lee\xe2", b"Lee\xff", "train.jsonl:1: byte 0xff is not UTF-8; save the"),
    ("newsmtsc", b"NATO met", b"\\u0000ATO met", "train.jsonl:1: text holds a NUL character"),
    ("newsmtsc", b'"mention": "NATO"', b'"mention": ""', "train.jsonl:1: names no actor; fill"),
    ("newsmtsc", b": []}", b": [", "train.jsonl:2: is not JSON, or too long or deep; name a file"),
    ("newsmtsc", b"{", b"[" * 100_000, "train.jsonl:1: is not JSON, or too long or deep"),
    ("rusentne", b"\t-1\n", b"\t2\n", "train.csv:2: stance '2' in row 1 is not a label"),
    ("rusentne", b"\t0\t6", b"\t0\t" + b"9" * 5000, "train.csv:2: spans '0:999"),
    ("sentfin", b"'positive'", b"__import__('os')", "SEntFiN.csv:2: is not of the format sent"),
    ("semeval2025", b"\tProtagonist\tGuardian", b"", "annotations.txt:1: is not of the"),
    ("semeval2025", b"EN_000", b"../EN_0", "annotations.txt:1: has no '../EN_0.txt'"),
    ("seesaw", b'"1": [', b'"7": [', "DOCUMENT_0.json:1: has no '7'; name the folder"),
    ("doccano", b"[3, 7,", b"[1, 7,", "all.jsonl:1: the place 1:7 is not in the text; exp"),
    ("doccano", b', "actor": "NATO"', b"", "all.jsonl:2: names no actor; fill it in, or say"),
    ("doccano", b'"text"', b'"body"', "all.jsonl:1: has no text at key 'text'; name its key: "),
    ("doccano", b'["NEG"]', b'["NEG", "favor"]', "all.jsonl:2: has two stances, against and"),
    ("labelstudio", b'"start": 3', b'"start": 4', "item 1: the place 4:7 is not 'NATO'; exp"),
    ("labelstudio", b'"start": 3', b'"start": ""', "the place ':7' does not count characters; exp"),
    ("labelstudio", b'"Rain."', b"Rain.", "export.json:4: is not JSON, or too long or deep; exp"),
    ("prodigy", b'"start": 2', b'"start": true', "out.jsonl:1: spans 'True:6' is not a place"),
    ("brat", b"T1\tActor", b"T1 Actor", "000.ann:1: 'T1 Actor 22 26\\tNATO' is not a line of an"),
    ("brat", b"Stance T2", b"Stance T9", "000.ann:4: has no 'T9'; name a folder"),
]


@pytest.mark.parametrize(("form", "old", "new", "said"), SPOILT)
def test_what_is_not_of_the_format_is_refused_with_its_line(tmp_path, form, old, new, said):
    source = copied(form, tmp_path)
    paths = sorted(source.rglob("*.*")) if source.is_dir() else [source]
    path = next(path for path in paths if path.is_file() and old in path.read_bytes())
    path.write_bytes(path.read_bytes().replace(old, new, 1))
    with pytest.raises(DataError) as caught:
        import_corpus(form, source, tmp_path / "out.csv")
    message = str(caught.value)
    assert said in message
    assert message.isprintable()
    assert len(message) < 400
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("form", FORMATS)
def test_sources_that_cannot_be_read(tmp_path, form):
    write(tmp_path, {"empty.jsonl": b"", "latin.jsonl": b"\n" * 2000 + b'{"a": "\xe9"}'})
    (tmp_path / "folder").mkdir()
    (tmp_path / "all.zip").write_bytes(b"PK\3\4 and so on")
    for name in ("none.jsonl", "folder", "empty.jsonl", "latin.jsonl", "all.zip"):
        with pytest.raises(DataError, match=rf"{name}:") as caught:
            import_corpus(form, tmp_path / name, tmp_path / "out.csv")
        assert str(caught.value).isprintable()
        with pytest.raises(StanceError, match="is the input"):
            import_corpus(form, tmp_path / "latin.jsonl", tmp_path / "latin.jsonl", force=True)
    assert not (tmp_path / "out.csv").exists()


# --- Options ---------------------------------------------------------------------------------


def imported(form, source, **given):
    """Import a source; return what is told, and the rows."""
    output = source.parent / "out.csv"
    told = import_corpus(form, source, output, force=True, **given)
    return told, read_rows(output)


def test_numbers_of_a_known_scale_are_no_guess(tmp_path):
    source = copied("rusentne", tmp_path)
    source.write_bytes(source.read_bytes().replace(b"\t-1\n", b"\t0\n"))
    _, rows = imported("rusentne", source)
    assert {row["stance"] for row in rows} == {"neutral", "favor"}


def test_a_tools_files_may_be_in_another_encoding(tmp_path):
    source = copied("brat", tmp_path)
    for path in source.rglob("000.*"):
        path.write_bytes(path.read_text("utf-8").replace("Poland", "Polánd").encode("cp1250"))
    _, rows = imported("brat", source, encoding="cp1250")
    assert [row["text"][:6] for row in rows] == ["Polánd", "Polánd"]


@pytest.mark.parametrize(("name", "mark"), [("a.tsv", "\t"), ("a.txt", ",")])
def test_files_of_semeval_are_told_by_their_tabs(tmp_path, name, mark):
    table = 'ID|Target|Tweet|Stance\n1|NATO|"No" to NATO|AGAINST\n'.replace("|", mark)
    table = table if mark == "\t" else table.replace('"No" to NATO', '"No, no"')
    _, rows = imported("semeval2016", write(tmp_path, {name: table}))
    assert rows[0]["text"] == ('"No" to NATO' if mark == "\t" else "No, no")


def test_any_table_with_a_map(tmp_path):
    data = "key,body,who,say,from,upto,url\n1,NATO met.,NATO,yes,0.0,4.0,http://x\n"
    data += "2,NATO met.,NATO,yes,,,\n"
    names = parse_map("text=body,actor=who,stance=say,start=from,end=upto,id=key")
    source = write(tmp_path, {"t.csv": data})
    told, rows = imported("table", source, names=names, labels={"yes": "favor"})
    expected = {"id": "1", "document": "", "actor": "NATO", "spans": "0:4", "stance": "favor"}
    first = expected | {"text": "NATO met.", "url": "http://x"}
    assert rows == [first, first | {"id": "2", "spans": "", "url": ""}]
    assert any("stance labels read as yes -> favor" in line for line in told)


@pytest.mark.parametrize(
    ("names", "match"),
    [
        ({}, "no column 'text'; did you mean --map text='body'"),
        ({"text": "body", "x": "url"}, "no column 'url'; it has id, body, actor, stance, holder"),
        ({"text": "body", "stance": "holder"}, "t.csv:2: column 'stance' would occur twice, and"),
    ],
)
def test_a_map_that_does_not_fit(tmp_path, names, match):
    source = write(tmp_path, {"t.csv": "id,body,actor,stance,holder\n1,NATO met.,NATO,love,pro\n"})
    with pytest.raises(DataError, match=match):
        imported("table", source, names=names)


@pytest.mark.parametrize("option", ["text", "=body", "text=", "text=a,text=b", "text=a,actor=a"])
def test_what_is_no_map_is_refused(option):
    with pytest.raises(UsageError, match=r"--map: .* such as text=body"):
        parse_map(option)


def test_names_and_labels_of_a_tool_are_mapped(tmp_path):
    task = {"id": 1, "data": {"body": "NATO met.", "who": "NATO"}}
    value = {"choices": ["dafür"]}
    result = [{"type": "choices", "from_name": "Haltung", "to_name": "x", "value": value}]
    source = write(tmp_path, {"x.json": json.dumps([task | {"annotations": [{"result": result}]}])})
    given = {"names": {"text": "body", "actor": "who"}, "labels": {"dafür": "favor"}}
    told, rows = imported("labelstudio", source, **given)
    (row,) = rows
    assert (row["text"], row["actor"], row["stance"]) == ("NATO met.", "NATO", "favor")
    assert "labelstudio: stance labels read as dafür -> favor" in told
    with pytest.raises(DataError, match=r"no rows of labelstudio .* not stances: 'dafür' 1; see"):
        imported("labelstudio", source, names=given["names"])
    folder = copied("semeval2025", tmp_path)
    told, rows = imported("semeval2025", folder, labels={"Innocent": "favor"})
    assert [row["actor"] for row in rows] == ["NATO", "Russia", "Ukraine"]


@pytest.mark.parametrize("end", [16, 17])
def test_an_end_at_a_line_end_may_be_inclusive_or_exclusive(tmp_path, end):
    lines = f"a.txt\tNATO\t13\t{end}\tProtagonist\tGuardian\n"
    files = {"EN/raw-documents/a.txt": "Poland joins NATO\nRussia condemned it.\n"}
    source = write(tmp_path, {**files, "EN/subtask-1-annotations.txt": lines})
    _, (row,) = imported("semeval2025", source)
    assert (row["text"], row["spans"]) == ("Poland joins NATO", "13:17")
    source.joinpath("subtask-1-annotations.txt").write_text(lines.replace("13", "3"))
    with pytest.raises(DataError, match="left out: 1 mention not at the place given"):
        imported("semeval2025", source)


@pytest.mark.parametrize(
    ("form", "given", "match"),
    [
        ("xml", {}, r"unknown format 'xml'. Choose among newsmtsc, ruopinionne"),
        ("persnt", {}, r"unknown format 'persnt'. Did you mean 'persent'\?"),
        ("pstance", {"names": {"text": "post"}}, "--map: pstance has known columns; use it with"),
        ("pstance", {}, r"no column 'Tweet'; it has id, Target, Stance$"),  # not taken for labels
        ("brat", {"delimiter": ";"}, "--delimiter is about tables, which files of brat are"),
        ("table", {"names": {"end": "id"}}, "--map: start and end are one place; map both"),
    ],
)
def test_what_a_format_does_not_take_is_refused(tmp_path, form, given, match):
    source = write(tmp_path, {"t.csv": "id,Target,Stance\n1,NATO,FAVOR\n"})
    with pytest.raises(StanceError, match=match):
        import_corpus(form, source, tmp_path / "out.csv", **given)


# --- Coders ----------------------------------------------------------------------------------


def test_only_the_question_that_is_asked_for_is_the_stance(tmp_path):
    def said(name, word, kind="choices", **place):
        value = {"text" if kind == "textarea" else kind: [word], **place}
        return {"from_name": name, "type": kind, "value": value, "id": name if not place else "r"}

    place = {"start": 0, "end": 4}
    results = [said("tone", "negative"), said("ranks", ["a"], "ranker")]
    results += [said("position", "favor", **place), said("tone", "negative", **place)]
    results += [said("holder", "Poland", "textarea", **place)]
    task = {"data": {"text": "NATO won."}, "annotations": [{"result": results}]}
    source = write_one(tmp_path / "export.json", json.dumps([task]))
    told, (row,) = imported("labelstudio", source, names={"stance": "position"})
    assert (row["actor"], row["stance"], row["holder"]) == ("NATO", "favor", "Poland")
    assert "labelstudio: left out: 2 results of another question" in told
    ann = "T1\tActor 0 4\tNATO\nA1\tStance T1 favor\nA2\tTone T1 negative\n"
    source = write(tmp_path, {"c/one.txt": "NATO won.", "c/one.ann": ann})
    told, (row,) = imported("brat", source, names={"stance": "Stance"})
    assert (row["stance"], told[0]) == ("favor", "brat: left out: 1 attribute of another name")
    with pytest.raises(UsageError, match="--map: doccano gives its labels no name; drop stance="):
        imported("doccano", source, names={"stance": "x"})


def test_coders_who_mark_other_mentions_judge_the_same_pair(tmp_path):
    marks = {"anna": [(0, 4)], "ben": [(0, 4), (10, 14)], "carl": [(10, 15)]}
    files = {}
    for coder, places in marks.items():
        anns = [f"T{n}\tfavor {a} {b}\tNATO" for n, (a, b) in enumerate(places)]
        files[f"b/{coder}/one.txt"] = "NATO met. NATO won."
        files[f"b/{coder}/one.ann"] = "\n".join(anns)
    _, rows = imported("brat", write(tmp_path, files))
    spans = "0:4;10:14;10:15"  # in this order, whatever that of a set is
    assert [(row["coder"], row["spans"]) for row in rows] == [(who, spans) for who in marks]
    corpus = read_corpus([tmp_path / "out.csv"])
    assert corpus.coders == ("anna", "ben", "carl")
    assert corpus.codes.tolist() == [[2, 2, 2]]
    linked = tmp_path / "b/ben/one.txt"
    linked.rename(tmp_path / "secret.txt")
    linked.symlink_to(tmp_path / "secret.txt")
    with pytest.raises(DataError, match=r"ben/one\.txt: is a link out of its folder"):
        imported("brat", tmp_path / "b")
